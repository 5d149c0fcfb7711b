//! The noise of the membranes. The generator is cheap on a chip without wide
//! multiplication, consists of operations that a compiler vectorizes, and gives
//! the same bits on every machine.
//!
//! A permuted congruential generator with 64 bits of state (PCG-XSH-RR 64/32,
//! O'Neill M. E., HMC-CS-2014-0905) gives one fresh word a step. From there a
//! multiplicative congruential sequence of 32 bits runs across the units, its
//! multiplier one of Steele & Vigna (Softw. Pract. Exp. 52:443 (2022)). The
//! lowest bits of such words repeat after few units; the lowest eight are not
//! used.
//!
//! A deviate is the difference of a word's top twelve bits and the twelve bits
//! below them: triangular, with an excess kurtosis of −0.6 and an end at 2.45
//! standard deviations. A membrane sums deviates over τ_m, and the excess
//! of the sum is smaller by (1 − a²)/(1 + a²), a = e^{−dt/τ_m}: −0.06 with steps of
//! 1 ms and τ_m = 10 ms, −0.006 with 0.1 ms.

use crate::lanes::LANES;

/// The generator of one trial; 8 bytes of state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noise {
    state: u64,
}

/// The deviates of one step, unit after unit.
#[derive(Clone, Debug)]
pub struct Deviates {
    /// The words of the last block of units.
    words: [u32; LANES],
}

/// Standard deviation of [`deviate`]: √((4096² − 1)/6).
pub const DEVIATE_SD: f64 = 1_672.184_947_904_985_8;

/// Largest size of a [`deviate`].
pub const DEVIATE_MAX: i32 = 4095;

const MULTIPLIER: u32 = 0x93d7_65dd;

/// The multiplier that makes `steps` steps of the sequence at once; negative
/// steps go back, since the period is 2³⁰.
pub(crate) const fn jump(steps: i32) -> u32 {
    let mut steps = steps.rem_euclid(1 << 30);
    let (mut jump, mut square) = (1u32, MULTIPLIER);
    while steps > 0 {
        if steps % 2 == 1 {
            jump = jump.wrapping_mul(square);
        }
        square = square.wrapping_mul(square);
        steps /= 2;
    }
    jump
}

/// The multiplier from a unit to the same lane of the next block.
pub(crate) const BLOCK: u32 = jump(LANES as i32);

/// The multipliers from the word of a step to the words one block before the
/// first block.
const LANE: [u32; LANES] = {
    let mut lanes = [0; LANES];
    let mut lane = 0;
    while lane < LANES {
        lanes[lane] = jump(lane as i32 - LANES as i32 + 1);
        lane += 1;
    }
    lanes
};

/// A deviate of mean zero and standard deviation [`DEVIATE_SD`], from a word of
/// the sequence.
#[inline(always)]
pub fn deviate(word: u32) -> i32 {
    (word >> 20) as i32 - ((word << 12) >> 20) as i32
}

impl Noise {
    /// The noise of a trial.
    pub fn new(seed: u64, trial: u64) -> Self {
        Self {
            state: mixed(seed ^ mixed(trial.wrapping_add(0x9e37_79b9_7f4a_7c15))),
        }
    }

    /// The state of the generator, for a machine that goes on from it.
    pub fn state(&self) -> u64 {
        self.state
    }

    /// The next word of the generator.
    #[inline]
    pub fn word(&mut self) -> u32 {
        let state = self.state;
        self.state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let folded = (((state >> 18) ^ state) >> 27) as u32;
        folded.rotate_right((state >> 59) as u32)
    }

    /// The deviates of the next step.
    #[inline(always)]
    pub fn step(&mut self) -> Deviates {
        // Odd: the even words are another and worse sequence.
        let first = self.word() | 1;
        Deviates {
            words: LANE.map(|multiplier| first.wrapping_mul(multiplier)),
        }
    }
}

/// The finalizer of SplitMix64: every bit of the result depends on every bit of
/// `x`.
fn mixed(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

impl Deviates {
    /// The deviates from a later unit on; `multiplier` is the [`jump`] to it.
    #[inline(always)]
    pub(crate) fn ahead(&self, multiplier: u32) -> Self {
        Self {
            words: self.words.map(|word| word.wrapping_mul(multiplier)),
        }
    }

    /// The deviates of the next [`LANES`] units.
    #[inline(always)]
    pub fn next_block(&mut self) -> [i32; LANES] {
        self.next_block_by(BLOCK)
    }

    /// The same; `multiplier` is [`BLOCK`].
    #[inline(always)]
    pub(crate) fn next_block_by(&mut self, multiplier: u32) -> [i32; LANES] {
        let mut deviates = [0; LANES];
        for (z, word) in deviates.iter_mut().zip(&mut self.words) {
            // In this order a microcontroller needs one register for both.
            *word = word.wrapping_mul(multiplier);
            *z = deviate(*word);
        }
        deviates
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    /// The deviates of `units` units in each of `steps` steps.
    fn steps(seed: u64, trial: u64, units: usize, steps: usize) -> Vec<Vec<i32>> {
        let mut noise = Noise::new(seed, trial);
        (0..steps)
            .map(|_| {
                let mut deviates = noise.step();
                let blocks = units.div_ceil(LANES);
                let mut row: Vec<i32> = (0..blocks).flat_map(|_| deviates.next_block()).collect();
                row.truncate(units);
                row
            })
            .collect()
    }

    /// The frozen numbers were made with the definition, one unit after the other,
    /// and hold for any number of lanes.
    #[test]
    fn the_first_deviates_of_seed_one_are_these() {
        let found = steps(1, 0, 4, 2);
        assert_eq!(found, FROZEN, "the noise of every network has changed");
    }

    const FROZEN: [[i32; 4]; 2] = [[1053, 800, -1551, 1046], [-385, -6, -2283, -2435]];

    #[test]
    fn lanes_do_not_change_the_sequence() {
        let mut word = Noise::new(3, 5).word() | 1;
        for z in &steps(3, 5, 100, 1)[0] {
            word = word.wrapping_mul(MULTIPLIER);
            assert_eq!(*z, deviate(word));
        }
    }

    /// A deviate is the difference of two uniform numbers of 12 bits.
    #[test]
    fn the_moments_are_those_of_the_triangular_distribution() {
        let (mut square, mut fourth) = (0.0, 0.0);
        for z in 1..=DEVIATE_MAX {
            let share = f64::from(2 * (4096 - z)) / (4096.0 * 4096.0);
            let z = f64::from(z);
            square += share * z * z;
            fourth += share * z * z * z * z;
        }
        assert!(libm::fabs(libm::sqrt(square) / DEVIATE_SD - 1.0) < 1e-12);
        assert!(libm::fabs(fourth / (square * square) - 2.4) < 1e-6);
        assert_eq!(deviate(0xfff0_0000), DEVIATE_MAX);
        assert_eq!(deviate(0x000f_ffff), -DEVIATE_MAX);
    }

    #[test]
    fn units_and_steps_are_uncorrelated_and_so_are_their_squares() {
        let (units, count) = (600, 20_000);
        let rows = steps(7, 1, units, count);
        let normal = |z: i32| z as f64 / DEVIATE_SD;
        // Five standard errors of a correlation of independent deviates.
        let limit = 5.0 / libm::sqrt(count as f64);
        for lag in [1, 2, 3, 16, 64, 128, 256, 512] {
            let pairs = |f: fn(f64) -> f64| {
                rows.iter()
                    .map(|row| f(normal(row[40])) * f(normal(row[40 + lag])))
                    .sum::<f64>()
                    / count as f64
            };
            assert!(libm::fabs(pairs(|z| z)) < limit, "units {lag} apart");
            assert!(
                libm::fabs(pairs(|z| (z * z - 1.0) / libm::sqrt(2.0))) < limit,
                "squares of units {lag} apart"
            );
            let later = rows
                .windows(lag + 1)
                .map(|w| normal(w[0][40]) * normal(w[lag][40]))
                .sum::<f64>();
            assert!(
                libm::fabs(later / count as f64) < limit,
                "steps {lag} apart"
            );
        }
    }

    #[test]
    fn the_population_is_not_kicked_together() {
        let (units, count) = (200, 20_000);
        let sums = steps(11, 2, units, count).into_iter().map(|row| {
            row.into_iter().map(|z| z as f64 / DEVIATE_SD).sum::<f64>() / libm::sqrt(units as f64)
        });
        let (square, fourth) =
            sums.fold((0.0, 0.0), |(s, f), x: f64| (s + x * x, f + x * x * x * x));
        let (square, fourth) = (square / count as f64, fourth / count as f64);
        assert!(libm::fabs(square - 1.0) < 0.05, "variance {square}");
        assert!(
            libm::fabs(fourth / (square * square) - 3.0) < 0.2,
            "kurtosis {fourth}"
        );
    }

    #[test]
    fn trials_and_seeds_differ() {
        let first = |seed, trial| Noise::new(seed, trial).word();
        assert_ne!(first(1, 0), first(1, 1));
        assert_ne!(first(1, 0), first(2, 0));
    }
}
