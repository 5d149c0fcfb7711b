//! The numbers a step is made of: `f64` (the reference), `f32` (the fast
//! desktop path) and [`Fixed`] (what ships).
//!
//! The equations of a step are written once, in [`crate::step`], in terms of
//! this trait. Floating point uses no fused multiply-add, so that its bits do
//! not depend on the machine; fixed point uses wrapping integer operations
//! only. Whoever writes a fixed-point network proves that no membrane and no
//! synapse can wrap (the largest possible currents follow from the weights and
//! the refractory time), so that the step needs no check there; the few filters
//! of the readout saturate.

use fixed::types::{I4F12, I6F10, I11F21};

/// Potentials and currents in fixed point, in mV: ±1024 mV in steps of
/// 2⁻²¹ mV.
pub type Fixed = I11F21;

/// Bits dropped from a fixed-point number before it meets a 16-bit factor.
pub const FACTOR_SHIFT: u32 = 16;

/// Fractional bits of a fixed-point drive: 1/32 mV, what is left of
/// [`Fixed`] after [`FACTOR_SHIFT`].
pub const DRIVE_FRACTION_BITS: u32 = Fixed::FRAC_NBITS - FACTOR_SHIFT;

/// Half of what [`FACTOR_SHIFT`] drops. Synaptic states start here, and
/// fixed-point potentials carry it too, so that the shift rounds to nearest at
/// no cost.
pub const HALF: i32 = 1 << (FACTOR_SHIFT - 1);

/// One kind of number, with the operations that a step needs.
pub trait Arithmetic: Copy + PartialOrd + core::fmt::Debug + 'static {
    /// A factor of one time step (a decay, a gain).
    type Factor: Copy + Default + PartialEq + core::fmt::Debug;
    /// The constant part of the current: bias and input.
    type Drive: Copy + Default + core::fmt::Debug;
    /// A factor that only floating point affords; nothing in fixed point.
    type Fine: Copy + Default + core::fmt::Debug;
    /// The value of one input channel.
    type Input: Copy + Default + PartialEq + core::fmt::Debug;
    /// The weight from an input channel to a unit, in mV.
    type InputWeight: Copy + core::fmt::Debug;
    /// The sum of many outputs.
    type Sum: Copy + PartialOrd + core::fmt::Debug;

    /// Zero.
    const ZERO: Self;
    /// The empty state of a synapse or of a readout filter.
    const REST: Self;
    /// The factor that stops the membrane during the refractory time.
    const NO_LEAK: Self::Factor;
    /// True if [`Arithmetic::faded`] does anything.
    const FADES: bool;
    /// What stands for an output of one.
    const OUTPUT_ONE: Self;
    /// The empty sum.
    const EMPTY_SUM: Self::Sum;

    /// `self + other`.
    fn plus(self, other: Self) -> Self;

    /// Zero where `self` has decayed to nothing. A processor is slow with the
    /// smallest floating-point numbers, which a synapse without spikes would
    /// reach; fixed point has none of them.
    #[inline(always)]
    fn faded(self) -> Self {
        self
    }

    /// `self + other`, held at the ends of the range.
    fn plus_saturating(self, other: Self) -> Self;

    /// `self · factor`.
    fn scaled(self, factor: Self::Factor) -> Self;

    /// The synaptic current that acts on the membrane during a step which
    /// begins at `self` and changes it by `change`: `self·gain + change·lag`.
    /// Fixed point takes the middle of the step, which differs from the exact
    /// average by about a hundredth of a step.
    fn average(self, change: Self, gain: Self::Fine, lag: Self::Fine) -> Self;

    /// The change of a leaky membrane at `self`: `leak · (drive + current − self)`.
    fn leaky(self, current: Self, drive: Self::Drive, leak: Self::Factor) -> Self;

    /// The change of a quadratic membrane at `self`:
    /// `leak · (drive + current + self²)`.
    fn quadratic(self, current: Self, drive: Self::Drive, leak: Self::Factor) -> Self;

    /// The noise of one step from a [`deviate`](crate::noise::deviate).
    fn noise(deviate: i32, gain: Self::Factor) -> Self;

    /// `low + (high − low) · fraction / 2¹⁶`.
    fn between(low: Self, high: Self, fraction: u16) -> Self;

    /// `bias + Σ weight · input`.
    fn driven(
        bias: Self::Drive,
        inputs: impl Iterator<Item = (Self::InputWeight, Self::Input)>,
    ) -> Self::Drive;

    /// What a readout filter at `self` adds to the output: `self · weight`.
    /// Fixed point has the weight in the filter already.
    fn weighed(self, weight: Self::Fine) -> Self;

    /// `sum + self`.
    fn added_to(self, sum: Self::Sum) -> Self::Sum;

    /// `self · count`.
    fn times(self, count: u32) -> Self::Sum;

    /// `2 · sum`.
    fn doubled(sum: Self::Sum) -> Self::Sum;

    /// `−self`.
    fn negated(self) -> Self;
}

macro_rules! floating_point {
    ($float:ty) => {
        impl Arithmetic for $float {
            type Factor = $float;
            type Drive = $float;
            type Fine = $float;
            type Input = $float;
            type InputWeight = $float;
            type Sum = $float;

            const ZERO: Self = 0.0;
            const REST: Self = 0.0;
            const NO_LEAK: Self = 0.0;
            const FADES: bool = true;
            const OUTPUT_ONE: Self = 1.0;
            const EMPTY_SUM: Self = 0.0;

            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                self + other
            }

            #[inline(always)]
            fn faded(self) -> Self {
                // Small beside any current, and far from the smallest numbers.
                const NOTHING: $float = 1e-20;
                if self < NOTHING && self > -NOTHING {
                    0.0
                } else {
                    self
                }
            }

            #[inline(always)]
            fn plus_saturating(self, other: Self) -> Self {
                self + other
            }

            #[inline(always)]
            fn scaled(self, factor: Self) -> Self {
                self * factor
            }

            #[inline(always)]
            fn average(self, change: Self, gain: Self, lag: Self) -> Self {
                self * gain + change * lag
            }

            #[inline(always)]
            fn leaky(self, current: Self, drive: Self, leak: Self) -> Self {
                leak * (current + drive - self)
            }

            #[inline(always)]
            fn quadratic(self, current: Self, drive: Self, leak: Self) -> Self {
                leak * (self * self + (current + drive))
            }

            #[inline(always)]
            fn noise(deviate: i32, gain: Self) -> Self {
                deviate as $float * gain
            }

            #[inline]
            fn between(low: Self, high: Self, fraction: u16) -> Self {
                low + (high - low) * (fraction as $float / 65536.0)
            }

            #[inline]
            fn driven(bias: Self, inputs: impl Iterator<Item = (Self, Self)>) -> Self {
                inputs.fold(bias, |drive, (weight, input)| drive + weight * input)
            }

            #[inline(always)]
            fn weighed(self, weight: Self) -> Self {
                self * weight
            }

            #[inline(always)]
            fn added_to(self, sum: Self) -> Self {
                sum + self
            }

            #[inline]
            fn times(self, count: u32) -> Self {
                self * count as $float
            }

            #[inline]
            fn doubled(sum: Self) -> Self {
                2.0 * sum
            }

            #[inline]
            fn negated(self) -> Self {
                -self
            }
        }
    };
}

floating_point!(f32);
floating_point!(f64);

/// Drives are 16 bits wide, in 1/32 mV; factors are 16 bits wide, in 2⁻¹⁶.
impl Arithmetic for Fixed {
    type Factor = i16;
    type Drive = i16;
    type Fine = ();
    type Input = I4F12;
    type InputWeight = I6F10;
    type Sum = i64;

    const ZERO: Self = Fixed::ZERO;
    const REST: Self = Fixed::from_bits(HALF);
    const NO_LEAK: i16 = 0;
    const FADES: bool = false;
    /// 32, so that the top 16 bits of an output resolve a thousandth.
    const OUTPUT_ONE: Self = Fixed::from_bits(1 << 26);
    const EMPTY_SUM: i64 = 0;

    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        Fixed::from_bits(self.to_bits().wrapping_add(other.to_bits()))
    }

    #[inline(always)]
    fn plus_saturating(self, other: Self) -> Self {
        self.saturating_add(other)
    }

    #[inline(always)]
    fn scaled(self, factor: i16) -> Self {
        Fixed::from_bits((self.to_bits() >> FACTOR_SHIFT).wrapping_mul(factor as i32))
    }

    #[inline(always)]
    fn average(self, change: Self, _gain: (), _lag: ()) -> Self {
        self.plus(Fixed::from_bits(change.to_bits() >> 1))
    }

    #[inline(always)]
    fn leaky(self, current: Self, drive: i16, leak: i16) -> Self {
        // Shifted before they are subtracted, so that the difference cannot wrap.
        let pull = (current.to_bits() >> FACTOR_SHIFT) - (self.to_bits() >> FACTOR_SHIFT);
        Fixed::from_bits((pull + drive as i32).wrapping_mul(leak as i32))
    }

    /// Saturates where v² leaves the range of [`Fixed`], above 32 mV.
    fn quadratic(self, current: Self, drive: i16, leak: i16) -> Self {
        let v = self.to_bits() as i64;
        let current = current.to_bits() as i64 + ((drive as i64) << FACTOR_SHIFT);
        let pull = ((v * v) >> Fixed::FRAC_NBITS) + current;
        let pull = pull.clamp(i32::MIN as i64, i32::MAX as i64) as i32;
        Fixed::from_bits(pull).scaled(leak)
    }

    #[inline(always)]
    fn noise(deviate: i32, gain: i16) -> Self {
        Fixed::from_bits(deviate.wrapping_mul(gain as i32))
    }

    fn between(low: Self, high: Self, fraction: u16) -> Self {
        let span = high.to_bits().wrapping_sub(low.to_bits()) >> FACTOR_SHIFT;
        Fixed::from_bits(
            low.to_bits()
                .wrapping_add(span.wrapping_mul(fraction as i32)),
        )
    }

    fn driven(bias: i16, inputs: impl Iterator<Item = (I6F10, I4F12)>) -> i16 {
        const DROPPED: u32 = I6F10::FRAC_NBITS + I4F12::FRAC_NBITS - DRIVE_FRACTION_BITS;
        let input = inputs.fold(1i32 << (DROPPED - 1), |sum, (weight, input)| {
            let product = weight.to_bits() as i32 * input.to_bits() as i32;
            sum.saturating_add(product)
        }) >> DROPPED;
        (bias as i32 + input).clamp(i16::MIN as i32, i16::MAX as i32) as i16
    }

    #[inline(always)]
    fn weighed(self, _weight: ()) -> Self {
        Fixed::from_bits(self.to_bits().wrapping_sub(HALF))
    }

    #[inline(always)]
    fn added_to(self, sum: i64) -> i64 {
        sum + self.to_bits() as i64
    }

    fn times(self, count: u32) -> i64 {
        self.to_bits() as i64 * count as i64
    }

    fn doubled(sum: i64) -> i64 {
        2 * sum
    }

    fn negated(self) -> Self {
        self.wrapping_neg()
    }
}
