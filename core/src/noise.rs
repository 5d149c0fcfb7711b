//! The noise of the membranes: cheap enough for a chip without wide
//! multiplication, in operations that a compiler vectorizes, the same bits
//! everywhere.
//!
//! A permuted congruential generator with 64 bits of state (PCG-XSH-RR 64/32,
//! O'Neill M. E., HMC-CS-2014-0905) gives one fresh word a step. From there a
//! linear congruential sequence of 32 bits runs across the units, its
//! multiplier one of Steele & Vigna (Softw. Pract. Exp. 52:443 (2022)). The low
//! bits of such a sequence repeat after few units; folding the high half onto
//! the low one and multiplying once more mends that: without it, the squares
//! of the deviates of units 128 apart are correlated by −0.1.
//!
//! A deviate is the sum of three bytes of the word, scaled by the fourth. The
//! offset of that scale is chosen so that the fourth moment is a normal one
//! (excess kurtosis −0.008); beyond three standard deviations the tails are
//! lighter than normal, and a single deviate ends at 3.95. The membrane adds up
//! the deviates of τ_m, ten of them and more, which brings it closer still.

use crate::step::LANES;

/// The generator of one trial; 8 bytes of state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noise {
    state: u64,
}

/// The deviates of one step, unit after unit.
#[derive(Clone, Debug)]
pub struct Deviates {
    /// The words of the next block of units.
    words: [u32; LANES],
}

/// Standard deviation of [`deviate`], exact to all digits given.
pub const DEVIATE_SD: f64 = 1_499.415_145;

/// Largest size of a [`deviate`].
pub const DEVIATE_MAX: i32 = 5_917;

const MULTIPLIER: u32 = 0x93d7_65dd;
const INCREMENT: u32 = 0x3c6e_f35f;

/// 2³² over the golden ratio, made odd.
pub const PERMUTATION: u32 = 0x9e37_79b1;

/// Multiplier and increment of several steps of the sequence at once.
pub const fn jump(steps: usize) -> (u32, u32) {
    let (mut multiplier, mut increment) = (1u32, 0u32);
    let mut i = 0;
    while i < steps {
        increment = increment.wrapping_mul(MULTIPLIER).wrapping_add(INCREMENT);
        multiplier = multiplier.wrapping_mul(MULTIPLIER);
        i += 1;
    }
    (multiplier, increment)
}

/// From a unit to the unit one block on.
const BLOCK: (u32, u32) = jump(LANES);

/// From the first unit of a block to each of its units.
const LANE: [(u32, u32); LANES] = {
    let mut lanes = [(0, 0); LANES];
    let mut lane = 0;
    while lane < LANES {
        lanes[lane] = jump(lane);
        lane += 1;
    }
    lanes
};

/// A nearly normal deviate, mean zero, standard deviation [`DEVIATE_SD`], from
/// a word of the sequence.
#[inline(always)]
pub fn deviate(word: u32) -> i32 {
    let y = (word ^ (word >> 16)).wrapping_mul(PERMUTATION);
    let sum = (y & 0xff) + ((y >> 8) & 0xff) + ((y >> 16) & 0xff);
    let scale = 240 + (y >> 24);
    // Half of what the shift drops is added first, so that the mean is zero.
    ((2 * sum as i32 - 765) * scale as i32 + 32) >> 6
}

impl Noise {
    /// The noise of a trial.
    pub fn new(seed: u64, trial: u64) -> Self {
        Self {
            state: mixed(seed ^ mixed(trial.wrapping_add(0x9e37_79b9_7f4a_7c15))),
        }
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
        let first = self.word();
        let mut words = [0; LANES];
        for (word, (multiplier, increment)) in words.iter_mut().zip(LANE) {
            *word = first.wrapping_mul(multiplier).wrapping_add(increment);
        }
        Deviates { words }
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
    /// The deviates of the next [`LANES`] units.
    #[inline(always)]
    pub fn next_block(&mut self) -> [i32; LANES] {
        let mut deviates = [0; LANES];
        for (z, word) in deviates.iter_mut().zip(&mut self.words) {
            *z = deviate(*word);
            *word = word.wrapping_mul(BLOCK.0).wrapping_add(BLOCK.1);
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

    /// Whatever the number of lanes: made with the definition, one unit after
    /// the other.
    #[test]
    fn the_first_deviates_of_seed_one_are_these() {
        let found = steps(1, 0, 4, 2);
        assert_eq!(found, FROZEN, "the noise of every network has changed");
    }

    const FROZEN: [[i32; 4]; 2] = [[600, -2503, 4979, -40], [-1821, 946, 75, -425]];

    #[test]
    fn lanes_do_not_change_the_sequence() {
        let first = Noise::new(3, 5).word();
        let mut word = first;
        for z in &steps(3, 5, 100, 1)[0] {
            assert_eq!(*z, deviate(word));
            word = word.wrapping_mul(MULTIPLIER).wrapping_add(INCREMENT);
        }
    }

    /// Every word once in effect: the bytes of a uniform word are independent,
    /// so that the distribution of the sum of three and that of the scale give
    /// the moments exactly.
    #[test]
    fn the_moments_are_those_of_the_normal_distribution() {
        let mut sums = [0u64; 766];
        for a in 0..256usize {
            for b in 0..256 {
                for c in 0..256 {
                    sums[a + b + c] += 1;
                }
            }
        }
        let (mut moments, mut total, mut largest) = ([0f64; 5], 0f64, 0);
        for (sum, &count) in sums.iter().enumerate() {
            for scale in 240..496 {
                let z = ((2 * sum as i32 - 765) * scale + 32) >> 6;
                largest = largest.max(z.abs());
                total += count as f64;
                let mut power = count as f64;
                for moment in &mut moments {
                    *moment += power;
                    power *= z as f64;
                }
            }
        }
        let [_, mean, square, cube, fourth] = moments.map(|moment| moment / total);
        let sd = libm::sqrt(square);
        assert!(libm::fabs(mean / sd) < 1e-5, "mean {mean}");
        assert!(
            libm::fabs(sd / DEVIATE_SD - 1.0) < 1e-8,
            "standard deviation {sd}"
        );
        assert!(libm::fabs(cube / (sd * square)) < 1e-4, "skewness");
        assert!(
            libm::fabs(fourth / (square * square) - 3.0) < 0.01,
            "kurtosis"
        );
        assert_eq!(largest, DEVIATE_MAX);
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
