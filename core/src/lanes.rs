//! Lanes: the units that are stepped together, and how their factors lie in
//! memory.
//!
//! A desktop processor has vector registers, and steps [`LANES`] units with each
//! instruction. A microcontroller has none, and steps one unit after the other.
//! The number of lanes changes the layout of the memory and no result: sums of floating
//! point have the same order with each number ([`SUM_LANES`]).

use core::fmt::Debug;
use core::sync::atomic::{Ordering, compiler_fence};

/// Number of units that are stepped together: a vector register full of `f32` on
/// a desktop processor, one unit on a microcontroller. The tests set other numbers with
/// `--cfg rate2spike_lanes="4"`.
pub const LANES: usize = if cfg!(rate2spike_lanes = "1") {
    1
} else if cfg!(rate2spike_lanes = "4") {
    4
} else if cfg!(rate2spike_lanes = "8") {
    8
} else if cfg!(target_pointer_width = "64") {
    SUM_LANES
} else {
    1
};

/// Number of partial sums of an output: filter k adds to sum k modulo this number, and the
/// partial sums are added in ascending order.
pub const SUM_LANES: usize = 16;

/// Number of blocks that hold `units` units.
pub const fn blocks(units: usize) -> usize {
    units.div_ceil(LANES)
}

/// Keeps the compiler of a microcontroller from mixing two parts of a step,
/// which together need more than its registers (6 of 58 cycles on a
/// Cortex-M0+). The fence becomes no instruction.
#[inline(always)]
pub(crate) fn in_this_order() {
    if LANES == 1 {
        compiler_fence(Ordering::SeqCst);
    }
}

/// Two numbers of each of [`LANES`] units, side by side or in one word.
pub trait Pairs<First, Second>: Copy + Debug + Send + Sync {
    /// The same two numbers for all units.
    fn all(first: First, second: Second) -> Self;
    /// The first number of unit `lane`.
    fn first(&self, lane: usize) -> First;
    /// The second number of unit `lane`.
    fn second(&self, lane: usize) -> Second;
    /// Replaces both numbers of unit `lane`.
    fn set(&mut self, lane: usize, first: First, second: Second);
}

/// Two tables, which a vector register loads one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Apart<T> {
    first: [T; LANES],
    second: [T; LANES],
}

impl Apart<f32> {
    /// All zero.
    pub const ZERO: Self = Self {
        first: [0.0; LANES],
        second: [0.0; LANES],
    };
}

impl<T: Copy + Debug + Send + Sync> Pairs<T, T> for Apart<T> {
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

/// Two numbers in one word of 32 bits, which a microcontroller loads at once.
/// The first number is in the upper half.
#[derive(Clone, Copy, Debug)]
pub struct Packed([i32; LANES]);

impl Packed {
    /// All zero.
    pub const ZERO: Self = Self([0; LANES]);
}

fn packed(upper: i32, lower: i16) -> i32 {
    upper | i32::from(lower.cast_unsigned())
}

/// Two numbers of 16 bits.
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

/// A number of 32 bits and one of 16 bits. The lower half of the first number
/// makes room for the second one, and reads as the second one afterwards.
impl Pairs<i32, i16> for Packed {
    fn all(first: i32, second: i16) -> Self {
        Self([packed(first >> 16 << 16, second); LANES])
    }

    #[inline(always)]
    fn first(&self, lane: usize) -> i32 {
        self.0[lane]
    }

    #[inline(always)]
    fn second(&self, lane: usize) -> i16 {
        self.0[lane] as i16
    }

    #[inline(always)]
    fn set(&mut self, lane: usize, first: i32, second: i16) {
        self.0[lane] = packed(first >> 16 << 16, second);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_hold_all_units_and_no_more() {
        for units in 0..100 {
            let blocks = blocks(units);
            assert!(blocks * LANES >= units);
            assert!(blocks * LANES < units + LANES);
        }
    }

    #[test]
    fn a_pair_in_one_word_reads_back_with_either_sign() {
        let through = |first: i16, second: i16| -> (i16, i16) {
            let mut pairs = Packed::ZERO;
            Pairs::<i16, i16>::set(&mut pairs, LANES - 1, first, second);
            (
                Pairs::<i16, i16>::first(&pairs, LANES - 1),
                Pairs::<i16, i16>::second(&pairs, LANES - 1),
            )
        };
        for first in [i16::MIN, -1, 0, 1, i16::MAX] {
            for second in [i16::MIN, -1, 0, 1, i16::MAX] {
                assert_eq!(through(first, second), (first, second));
            }
        }
    }

    #[test]
    fn a_wide_number_keeps_its_upper_half_and_shows_the_narrow_one_below() {
        let mut pairs = Packed::ZERO;
        Pairs::<i32, i16>::set(&mut pairs, 0, 0x1234_5678, -2);
        assert_eq!(Pairs::<i32, i16>::first(&pairs, 0), 0x1234_fffe);
        assert_eq!(Pairs::<i32, i16>::second(&pairs, 0), -2);
    }
}
