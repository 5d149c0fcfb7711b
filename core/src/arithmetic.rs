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

use crate::network::Membrane;
use crate::step::LANES;

/// Potentials and currents in fixed point, in mV: ±1024 mV in steps of
/// 2⁻²¹ mV.
pub type Fixed = I11F21;

/// Bits dropped from a fixed-point number before it meets a 16-bit factor.
pub const FACTOR_SHIFT: u32 = 16;

/// Fractional bits of a fixed-point drive: 1/32 mV, what is left of
/// [`Fixed`] after [`FACTOR_SHIFT`].
pub const DRIVE_FRACTION_BITS: u32 = Fixed::FRAC_NBITS - FACTOR_SHIFT;

/// Half of what [`FACTOR_SHIFT`] drops. Synaptic states start here, so that the
/// shift rounds to nearest at no cost.
pub const HALF: i32 = 1 << (FACTOR_SHIFT - 1);

/// Two numbers of each of [`LANES`] units, together where that is cheaper.
pub trait Pairs<First, Second>: Copy + core::fmt::Debug {
    /// The same two for all units.
    fn all(first: First, second: Second) -> Self;
    /// The first number of unit `lane`.
    fn first(&self, lane: usize) -> First;
    /// The second number of unit `lane`.
    fn second(&self, lane: usize) -> Second;
    /// Replaces both numbers of unit `lane`.
    fn set(&mut self, lane: usize, first: First, second: Second);
}

/// Two tables, as vectors load them.
#[derive(Clone, Copy, Debug)]
pub struct Apart<T> {
    first: [T; LANES],
    second: [T; LANES],
}

impl<T: Copy + core::fmt::Debug> Pairs<T, T> for Apart<T> {
    fn all(first: T, second: T) -> Self {
        Self {
            first: [first; LANES],
            second: [second; LANES],
        }
    }

    #[inline(always)]
    fn first(&self, lane: usize) -> T {
        self.first[lane]
    }

    #[inline(always)]
    fn second(&self, lane: usize) -> T {
        self.second[lane]
    }

    #[inline(always)]
    fn set(&mut self, lane: usize, first: T, second: T) {
        self.first[lane] = first;
        self.second[lane] = second;
    }
}

/// Two numbers of 16 bits in a word, which a microcontroller loads at once: the
/// first one on top.
#[derive(Clone, Copy, Debug)]
pub struct Packed([i32; LANES]);

impl Packed {
    /// All zero.
    pub const ZERO: Self = Self([0; LANES]);
}

fn packed(top: i32, bottom: i16) -> i32 {
    top | i32::from(bottom.cast_unsigned())
}

impl Pairs<i16, i16> for Packed {
    fn all(first: i16, second: i16) -> Self {
        Self([packed(i32::from(first) << 16, second); LANES])
    }

    #[inline(always)]
    fn first(&self, lane: usize) -> i16 {
        (self.0[lane] >> 16) as i16
    }

    #[inline(always)]
    fn second(&self, lane: usize) -> i16 {
        self.0[lane] as i16
    }

    #[inline(always)]
    fn set(&mut self, lane: usize, first: i16, second: i16) {
        self.0[lane] = packed(i32::from(first) << 16, second);
    }
}

/// A drive and a leak. The drive comes back with the leak in the bits below its
/// resolution: up to 1/64 mV, which is what rounding the drive may take, and
/// 0.003 mV with steps of 1 ms.
impl Pairs<Fixed, i16> for Packed {
    fn all(drive: Fixed, leak: i16) -> Self {
        Self([packed(drive.to_bits(), leak); LANES])
    }

    #[inline(always)]
    fn first(&self, lane: usize) -> Fixed {
        Fixed::from_bits(self.0[lane])
    }

    #[inline(always)]
    fn second(&self, lane: usize) -> i16 {
        self.0[lane] as i16
    }

    #[inline(always)]
    fn set(&mut self, lane: usize, drive: Fixed, leak: i16) {
        self.0[lane] = packed(drive.to_bits() >> 16 << 16, leak);
    }
}

/// One kind of number, with the operations that a step needs.
pub trait Arithmetic: Copy + PartialOrd + core::fmt::Debug + 'static {
    /// A factor of one time step (a decay, a gain).
    type Factor: Copy + Default + PartialEq + core::fmt::Debug;
    /// The constant part of the current: bias and input.
    type Drive: Copy + Default + core::fmt::Debug;
    /// Of each of [`LANES`] filters: decay, gain.
    type FilterPairs: Pairs<Self::Factor, Self::Factor>;
    /// Of each of [`LANES`] membranes: drive, leak.
    type MembranePairs: Pairs<Self::Drive, Self::Factor>;
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

    /// The change of a membrane at `self`: leaky, `leak · (drive + current −
    /// self)`, or quadratic, `leak · (drive + current + self²)`.
    fn pull(
        self,
        membrane: Membrane,
        current: Self,
        drive: Self::Drive,
        leak: Self::Factor,
    ) -> Self;

    /// True if a membrane at `self` fires.
    fn reaches(self, threshold: Self) -> bool;

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
            type FilterPairs = Apart<$float>;
            type MembranePairs = Apart<$float>;
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
            fn pull(self, membrane: Membrane, current: Self, drive: Self, leak: Self) -> Self {
                match membrane {
                    Membrane::Leaky => leak * (current + drive - self),
                    Membrane::Quadratic => leak * (self * self + (current + drive)),
                }
            }

            #[inline(always)]
            fn reaches(self, threshold: Self) -> bool {
                self >= threshold
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

/// Drives are multiples of 1/32 mV, 16 bits wide; factors are 16 bits wide, in
/// 2⁻¹⁶. Potentials and drives are counted from the threshold, whose comparison
/// then is one of signs, and every membrane is leaky.
impl Arithmetic for Fixed {
    type Factor = i16;
    type Drive = Fixed;
    type FilterPairs = Packed;
    type MembranePairs = Packed;
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
    fn pull(self, _leaky: Membrane, current: Self, drive: Self, leak: i16) -> Self {
        // The current's half makes the shift round to nearest. Whatever wraps
        // on the way, the sum does not: a potential follows what drives it.
        current.plus(drive).plus(self.wrapping_neg()).scaled(leak)
    }

    #[inline(always)]
    fn reaches(self, _zero: Self) -> bool {
        self >= Fixed::ZERO
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

    fn driven(bias: Fixed, inputs: impl Iterator<Item = (I6F10, I4F12)>) -> Fixed {
        const DROPPED: u32 = I6F10::FRAC_NBITS + I4F12::FRAC_NBITS - DRIVE_FRACTION_BITS;
        let input = inputs.fold(1i32 << (DROPPED - 1), |sum, (weight, input)| {
            let product = weight.to_bits() as i32 * input.to_bits() as i32;
            sum.saturating_add(product)
        }) >> DROPPED;
        let bias = bias.to_bits() >> FACTOR_SHIFT;
        let drive = (bias + input).clamp(i16::MIN as i32, i16::MAX as i32);
        Fixed::from_bits(drive << FACTOR_SHIFT)
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
