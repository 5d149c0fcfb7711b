//! Arithmetic: the numbers that a step is made of.
//!
//! The equations of a step are written once, in terms of the trait
//! [`Arithmetic`]. Three kinds of number implement it:
//!
//! | kind | use |
//! |---|---|
//! | `f64` | the reference, compared with the published code |
//! | `f32` | fast on the desktop, and on a chip with a floating-point unit |
//! | [`Fixed`] | 32-bit integers; what a microcontroller runs |
//!
//! Floating point uses no fused multiply-add, and adds in the same order with each number of
//! lanes, so its bits do not depend on the machine.
//!
//! Fixed point uses integer operations that wrap: a sum beyond the range
//! continues at the other end. The step has no check for it. The program that
//! writes a fixed-point network must show that no membrane and no synapse can
//! leave the range; their largest values follow from the weights and the
//! refractory time. Two sums saturate instead, which means that they stop at the
//! end of the range: the drive of a unit, and the filters of the readout.

use core::fmt::Debug;

use fixed::types::{I4F12, I6F10, I11F21};

use crate::lanes::{Apart, Packed, Pairs};

/// Potentials and currents in fixed point: ±1024 in steps of 2⁻²¹, in the unit of the
/// network, which is 1 to 64 mV (`unit_mv` of a deployed network).
pub type Fixed = I11F21;

/// Bits dropped from a fixed-point number before it is multiplied by a factor of
/// 16 bits.
pub const FACTOR_SHIFT: u32 = 16;

/// Fractional bits of a drive in fixed point: 1/32 of the network's unit, which is what
/// [`FACTOR_SHIFT`] leaves of [`Fixed`].
pub const DRIVE_FRACTION_BITS: u32 = Fixed::FRAC_NBITS - FACTOR_SHIFT;

/// Half of what [`FACTOR_SHIFT`] drops. Synapses in fixed point rest here
/// instead of at zero, so that the shift rounds to nearest at no cost.
pub const HALF: i32 = 1 << (FACTOR_SHIFT - 1);

/// One kind of number, with the operations that a step needs.
pub trait Arithmetic: Copy + PartialOrd + Debug + Send + Sync + 'static {
    /// A factor of one time step: a decay or a gain.
    type Factor: Copy + Default + PartialEq + Debug + Send + Sync;
    /// A factor that only floating point affords; nothing in fixed point.
    type Fine: Copy + Default + Debug + Send + Sync;
    /// The value of one input channel.
    type Input: Copy + Default + PartialEq + Debug + Send + Sync;
    /// The weight from an input channel to a unit, in the network's unit of potential.
    type InputWeight: Copy + Debug + Send + Sync;
    /// The sum of many outputs.
    type Sum: Copy + PartialOrd + Debug;
    /// Two factors of each filter in a block: decay and gain.
    type FilterPairs: Pairs<Self::Factor, Self::Factor>;
    /// Two numbers of each membrane in a block: drive and leak.
    type MembranePairs: Pairs<Self, Self::Factor>;

    /// Zero.
    const ZERO: Self;
    /// The empty state of a synapse or of a readout filter.
    const REST: Self;
    /// The factor that stops the membrane during the refractory time.
    const NO_LEAK: Self::Factor;
    /// True if [`Arithmetic::faded`] changes small numbers.
    const FADES: bool;
    /// True if a sum depends on the order of its parts.
    const ROUNDS: bool;
    /// True if a membrane may be quadratic.
    const QUADRATIC: bool;
    /// The only threshold that these numbers can compare with; `None` if any
    /// threshold will do.
    const THRESHOLD: Option<Self>;
    /// The output that a task calls one.
    const OUTPUT_ONE: Self;
    /// The empty sum.
    const EMPTY_SUM: Self::Sum;

    /// `self + other`.
    fn plus(self, other: Self) -> Self;

    /// `self − other`.
    fn minus(self, other: Self) -> Self;

    /// `self + other`, stopped at the ends of the range.
    fn plus_saturating(self, other: Self) -> Self;

    /// `−self`.
    fn negated(self) -> Self;

    /// `self²`.
    fn squared(self) -> Self;

    /// `self · factor`.
    fn scaled(self, factor: Self::Factor) -> Self;

    /// Zero if `self` has decayed to nothing, else `self`. A processor is slow
    /// with the smallest floating-point numbers, which a synapse without spikes
    /// would reach. Fixed point has no such numbers.
    #[inline(always)]
    fn faded(self) -> Self {
        self
    }

    /// The average over a step of a current that begins at `self` and changes
    /// by `change`: `self·gain + change·lag`. Fixed point takes the middle of
    /// the step, `self + change/2`, which differs from the exact average by
    /// about a hundredth of a step.
    fn average(self, change: Self, gain: Self::Fine, lag: Self::Fine) -> Self;

    /// The noise of one step from a [`deviate`](crate::noise::deviate):
    /// `deviate · gain`.
    fn noise(deviate: i32, gain: Self::Factor) -> Self;

    /// `low + (high − low) · fraction / 2¹⁶`.
    fn between(low: Self, high: Self, fraction: u16) -> Self;

    /// The drive of a unit: `bias + Σ weight · input`.
    fn driven(bias: Self, inputs: impl Iterator<Item = (Self::InputWeight, Self::Input)>) -> Self;

    /// True if no sum over this input leaves the range on the way to a drive.
    #[inline(always)]
    fn stays_in_range(_input: &[Self::Input]) -> bool {
        true
    }

    /// The same drive as [`Arithmetic::driven`], for an input that stays in range.
    #[inline(always)]
    fn driven_in_range(
        bias: Self,
        inputs: impl Iterator<Item = (Self::InputWeight, Self::Input)>,
    ) -> Self {
        Self::driven(bias, inputs)
    }

    /// The share of a readout filter at `self` in the output: `self · weight`.
    /// In fixed point the filter contains the weight already.
    fn weighed(self, weight: Self::Fine) -> Self;

    /// `sum + self`.
    fn added_to(self, sum: Self::Sum) -> Self::Sum;

    /// `self · count`.
    fn times(self, count: u32) -> Self::Sum;

    /// `2 · sum`.
    fn doubled(sum: Self::Sum) -> Self::Sum;

    /// True if the sum of an output's offset and filters lies beyond the range, or a filter
    /// stands at an end of it.
    fn leaves_range(offset: Self, filters: impl Iterator<Item = Self>) -> bool;
}

macro_rules! floating_point {
    ($float:ty) => {
        impl Arithmetic for $float {
            type Factor = $float;
            type Fine = $float;
            type Input = $float;
            type InputWeight = $float;
            type Sum = $float;
            type FilterPairs = Apart<$float>;
            type MembranePairs = Apart<$float>;

            const ZERO: Self = 0.0;
            const REST: Self = 0.0;
            const NO_LEAK: Self = 0.0;
            const FADES: bool = true;
            const ROUNDS: bool = true;
            const QUADRATIC: bool = true;
            const THRESHOLD: Option<Self> = None;
            const OUTPUT_ONE: Self = 1.0;
            const EMPTY_SUM: Self = 0.0;

            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                self + other
            }

            #[inline(always)]
            fn minus(self, other: Self) -> Self {
                self - other
            }

            #[inline(always)]
            fn squared(self) -> Self {
                self * self
            }

            #[inline(always)]
            fn faded(self) -> Self {
                // Small beside any current, and far from the smallest numbers.
                const NOTHING: $float = 1e-20;
                if self.abs() < NOTHING { 0.0 } else { self }
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

            fn leaves_range(offset: Self, filters: impl Iterator<Item = Self>) -> bool {
                !filters.fold(offset, Self::plus).is_finite()
            }
        }
    };
}

floating_point!(f32);
floating_point!(f64);

/// The size at which an output of a fixed-point network ends, counted in
/// [`Arithmetic::OUTPUT_ONE`].
pub const LARGEST_OUTPUT: f64 =
    (1u64 << 31) as f64 / <Fixed as Arithmetic>::OUTPUT_ONE.to_bits() as f64;

/// Bits that a drive drops of a weight times an input.
const DROPPED: u32 = I6F10::FRAC_NBITS + I4F12::FRAC_NBITS - DRIVE_FRACTION_BITS;

/// Half of what is dropped, so that a drive is rounded to nearest: the sum of weights times
/// inputs begins with it.
pub(crate) const HALF_DROPPED: i32 = 1 << (DROPPED - 1);

/// A sum of weights times inputs, with one more of them.
#[inline(always)]
pub(crate) fn with_input(sum: i32, weight: I6F10, input: I4F12) -> i32 {
    sum.saturating_add(weight.to_bits() as i32 * input.to_bits() as i32)
}

/// The drive from a bias and the sum of weights times inputs.
#[inline(always)]
pub(crate) fn drive(bias: Fixed, input: i32) -> Fixed {
    let bias = bias.to_bits() >> FACTOR_SHIFT;
    let drive = (bias + (input >> DROPPED)).clamp(i16::MIN as i32, i16::MAX as i32);
    Fixed::from_bits(drive << FACTOR_SHIFT)
}

/// Drives are multiples of 1/32 mV, 16 bits wide; factors are 16 bits wide, in
/// 2⁻¹⁶. Potentials and drives are counted from the threshold, so that the
/// comparison with it looks at the sign alone; every membrane is leaky.
impl Arithmetic for Fixed {
    type Factor = i16;
    type Fine = ();
    type Input = I4F12;
    type InputWeight = I6F10;
    type Sum = i64;
    type FilterPairs = Packed;
    type MembranePairs = Packed;

    const ZERO: Self = Fixed::ZERO;
    const REST: Self = Fixed::from_bits(HALF);
    const NO_LEAK: i16 = 0;
    const FADES: bool = false;
    const ROUNDS: bool = false;
    const QUADRATIC: bool = false;
    const THRESHOLD: Option<Self> = Some(Fixed::ZERO);
    /// 32, so that the top 16 bits of an output resolve a thousandth.
    const OUTPUT_ONE: Self = Fixed::from_bits(1 << 26);
    const EMPTY_SUM: i64 = 0;

    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        Fixed::from_bits(self.to_bits().wrapping_add(other.to_bits()))
    }

    #[inline(always)]
    fn minus(self, other: Self) -> Self {
        Fixed::from_bits(self.to_bits().wrapping_sub(other.to_bits()))
    }

    #[inline(always)]
    fn squared(self) -> Self {
        self.wrapping_mul(self)
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

    #[inline(always)]
    fn driven(bias: Fixed, inputs: impl Iterator<Item = (I6F10, I4F12)>) -> Fixed {
        let input = inputs.fold(HALF_DROPPED, |sum, (weight, input)| {
            with_input(sum, weight, input)
        });
        drive(bias, input)
    }

    fn stays_in_range(input: &[I4F12]) -> bool {
        // A weight has at most this size.
        const LARGEST: i32 = 1 << 15;
        let size = |value: &I4F12| (value.to_bits() as i32).abs();
        let sum = input.iter().map(size).fold(0, i32::saturating_add);
        sum < (i32::MAX - HALF_DROPPED) / LARGEST
    }

    #[inline(always)]
    fn driven_in_range(bias: Fixed, inputs: impl Iterator<Item = (I6F10, I4F12)>) -> Fixed {
        let input = inputs.fold(HALF_DROPPED, |sum, (weight, input)| {
            let product = weight.to_bits() as i32 * input.to_bits() as i32;
            sum.wrapping_add(product)
        });
        drive(bias, input)
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

    fn leaves_range(offset: Self, filters: impl Iterator<Item = Self>) -> bool {
        let mut sum = i64::from(offset.to_bits());
        let mut at_end = false;
        for r in filters {
            at_end |= r == Fixed::MIN || r == Fixed::MAX;
            sum += i64::from(r.to_bits()) - i64::from(HALF);
        }
        at_end || i32::try_from(sum).is_err()
    }
}

/// A drive and a leak in one word. The drive reads with the leak in the bits
/// below its resolution. They change it by up to 1/64 mV, as much as the rounding
/// of the drive may, and by 0.003 mV with steps of 1 ms.
impl Pairs<Fixed, i16> for Packed {
    fn all(drive: Fixed, leak: i16) -> Self {
        <Self as Pairs<i32, i16>>::all(drive.to_bits(), leak)
    }

    #[inline(always)]
    fn first(&self, lane: usize) -> Fixed {
        Fixed::from_bits(Pairs::<i32, i16>::first(self, lane))
    }

    #[inline(always)]
    fn second(&self, lane: usize) -> i16 {
        Pairs::<i32, i16>::second(self, lane)
    }

    #[inline(always)]
    fn set(&mut self, lane: usize, drive: Fixed, leak: i16) {
        Pairs::<i32, i16>::set(self, lane, drive.to_bits(), leak);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_point_wraps_and_its_readout_sums_stop() {
        assert_eq!(Fixed::MAX.plus(Fixed::DELTA), Fixed::MIN);
        assert_eq!(Fixed::MIN.minus(Fixed::DELTA), Fixed::MAX);
        assert_eq!(Fixed::MAX.plus_saturating(Fixed::DELTA), Fixed::MAX);
        assert_eq!(Fixed::MIN.plus_saturating(-Fixed::DELTA), Fixed::MIN);
    }

    #[test]
    fn a_drive_stops_at_the_ends_of_sixteen_bits() {
        let most = (I6F10::MAX, I4F12::MAX);
        let least = (I6F10::MIN, I4F12::MAX);
        let bias = Fixed::from_num(1000);
        let largest = Fixed::driven(bias, [most; 16].into_iter());
        assert_eq!(largest.to_bits(), i32::from(i16::MAX) << FACTOR_SHIFT);
        let smallest = Fixed::driven(-bias, [least; 16].into_iter());
        assert_eq!(smallest.to_bits(), i32::from(i16::MIN) << FACTOR_SHIFT);
        let half = (I6F10::from_num(8), I4F12::from_num(0.5));
        assert_eq!(Fixed::driven(Fixed::ONE, [half].into_iter()), 5);
    }

    #[test]
    fn a_factor_rounds_to_nearest_from_the_rest_of_a_synapse() {
        // 2⁻⁵ mV is the step of a number before its factor.
        for (steps, factor) in [(10, 1000), (-10, 1000), (3, -20_000)] {
            for part in [-0.49, 0.0, 0.49] {
                let x = Fixed::from_num((f64::from(steps) + part) / 32.0);
                let found = Fixed::REST.plus(x).scaled(factor);
                assert_eq!(found.to_bits(), steps * i32::from(factor));
            }
        }
    }

    #[test]
    fn the_leak_in_a_packed_drive_is_below_its_resolution() {
        let mut pairs = Packed::ZERO;
        for (drive, leak) in [(-37.5, 30_000i16), (12.03125, -1), (0.0, 7)] {
            let drive = Fixed::from_num(drive);
            pairs.set(0, drive, leak);
            let read: Fixed = pairs.first(0);
            assert!((read - drive).to_bits() < 1 << FACTOR_SHIFT && read >= drive);
            assert_eq!(Pairs::<Fixed, i16>::second(&pairs, 0), leak);
        }
    }

    #[test]
    fn small_floating_point_numbers_fade_and_others_do_not() {
        assert_eq!(1e-21f32.faded(), 0.0);
        assert_eq!((-1e-300f64).faded(), 0.0);
        assert_eq!(1e-19f64.faded(), 1e-19);
        assert_eq!(Fixed::DELTA.faded(), Fixed::DELTA);
    }
}
