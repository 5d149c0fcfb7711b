//! Normal deviates for the training, 16 at a time: the same bits in vectors, in
//! scalars and in the GPU's kernels.
//!
//! A word of core's generator begins a row; from there a linear congruential
//! sequence of 32 bits runs along it, its multiplier one of Steele & Vigna
//! (Softw. Pract. Exp. 52:443 (2022)). The low bits of such a sequence repeat
//! after few places; folding the high half onto the low one and multiplying once
//! more mends that.
//!
//! A deviate is the sum of three bytes of the word, scaled by the fourth. The
//! offset of that scale is chosen so that the fourth moment is a normal one
//! (excess kurtosis −0.008); beyond three standard deviations the tails are
//! lighter than normal, and a deviate ends at 3.95.

use rate2spike_core::noise::Noise;

/// Standard deviation of x at the start.
pub const START_NOISE: f32 = 0.01;

/// Standard deviation of the noise that each step adds to x.
pub const STEP_NOISE: f32 = 0.1;

/// Deviates that are drawn together.
const LANES: usize = 16;

/// Standard deviation of a deviate, exact to all digits given.
pub const DEVIATE_SD: f64 = 1_499.415_145;

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

/// The jump from a place to the one [`LANES`] later.
const BLOCK: (u32, u32) = jump(LANES);

/// The jumps from the first place of a block to each of its places.
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
fn deviate(word: u32) -> i32 {
    let y = (word ^ (word >> 16)).wrapping_mul(PERMUTATION);
    let sum = (y & 0xff) + ((y >> 8) & 0xff) + ((y >> 16) & 0xff);
    let scale = 240 + (y >> 24);
    // Half of what the shift drops is added first, so that the mean is zero.
    ((2 * sum as i32 - 765) * scale as i32 + 32) >> 6
}

/// Fills `row` with deviates of standard deviation `sd`; takes one word of
/// `noise`.
pub fn fill(noise: &mut Noise, sd: f32, row: &mut [f32]) {
    let first = noise.word();
    pulp::Arch::new().dispatch(Row { first, sd, row });
}

/// A row of deviates, as [`pulp`] wants it.
struct Row<'a> {
    /// The first word.
    first: u32,
    sd: f32,
    row: &'a mut [f32],
}

impl pulp::NullaryFnOnce for Row<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        fill_from(self.first, self.sd, self.row);
    }
}

#[inline(always)]
fn fill_from(first: u32, sd: f32, row: &mut [f32]) {
    let gain = sd / DEVIATE_SD as f32;
    let mut words = LANE.map(|(multiplier, increment)| {
        let word = first.wrapping_mul(multiplier);
        word.wrapping_add(increment)
    });
    let (chunks, rest) = row.as_chunks_mut::<LANES>();
    for chunk in chunks {
        for l in 0..LANES {
            chunk[l] = deviate(words[l]) as f32 * gain;
            words[l] = words[l].wrapping_mul(BLOCK.0).wrapping_add(BLOCK.1);
        }
    }
    for (x, word) in rest.iter_mut().zip(words) {
        *x = deviate(word) as f32 * gain;
    }
}

/// Several rows side by side: their words at the same place. Each row has the deviates of
/// [`fill`].
#[derive(Clone, Copy, Debug)]
pub struct Rows<const L: usize>([u32; L]);

impl<const L: usize> Rows<L> {
    /// The rows that begin with these words.
    pub fn new(first: [u32; L]) -> Self {
        Self(first)
    }

    /// Fills the next places of all rows with deviates of standard deviation `sd`.
    #[inline(always)]
    pub fn fill(&mut self, sd: f32, places: &mut [[f32; L]]) {
        let gain = sd / DEVIATE_SD as f32;
        let mut words = self.0;
        for place in places {
            for l in 0..L {
                place[l] = deviate(words[l]) as f32 * gain;
                words[l] = words[l].wrapping_mul(MULTIPLIER).wrapping_add(INCREMENT);
            }
        }
        self.0 = words;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of `places` deviates.
    fn rows(seed: u64, places: usize, count: usize) -> Vec<Vec<f64>> {
        let mut noise = Noise::new(seed, 1);
        let mut row = vec![0.0; places];
        let mut next = || {
            fill(&mut noise, 1.0, &mut row);
            row.iter().map(|&z| f64::from(z)).collect()
        };
        (0..count).map(|_| next()).collect()
    }

    #[test]
    fn blocks_do_not_change_the_sequence() {
        let mut word = Noise::new(3, 1).word();
        for z in &rows(3, 100, 1)[0] {
            let wanted = deviate(word) as f32 * (1.0 / DEVIATE_SD as f32);
            assert_eq!(*z, f64::from(wanted));
            word = word.wrapping_mul(MULTIPLIER).wrapping_add(INCREMENT);
        }
    }

    #[test]
    fn rows_side_by_side_are_the_rows_one_after_the_other() {
        let first = |seed| Noise::new(seed, 1).word();
        let mut places = [[0.0; 4]; 37];
        let mut side_by_side = Rows::new([3, 4, 5, 6].map(first));
        let (begin, end) = places.split_at_mut(16);
        side_by_side.fill(0.1, begin);
        side_by_side.fill(0.1, end);
        for (l, seed) in [3, 4, 5, 6].into_iter().enumerate() {
            let mut row = [0.0; 37];
            fill(&mut Noise::new(seed, 1), 0.1, &mut row);
            assert_eq!(places.map(|place| place[l]), row);
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
        let mut moments = [0f64; 5];
        for (sum, &count) in sums.iter().enumerate() {
            for scale in 240..496 {
                let z = ((2 * sum as i32 - 765) * scale + 32) >> 6;
                for (k, moment) in moments.iter_mut().enumerate() {
                    *moment += count as f64 * f64::from(z).powi(k as i32);
                }
            }
        }
        let [total, mean, square, cube, fourth] = moments;
        let (mean, square) = (mean / total, square / total);
        let sd = square.sqrt();
        assert!((mean / sd).abs() < 1e-5, "mean {mean}");
        assert!((sd / DEVIATE_SD - 1.0).abs() < 1e-8, "deviation {sd}");
        assert!((cube / total / sd.powi(3)).abs() < 1e-4, "skewness");
        assert!(
            (fourth / total / (square * square) - 3.0).abs() < 0.01,
            "kurtosis"
        );
    }

    #[test]
    fn places_and_rows_are_uncorrelated_and_so_are_their_squares() {
        let count = 20_000;
        let rows = rows(7, 600, count);
        // Five standard errors of a correlation of independent deviates.
        let limit = 5.0 / (count as f64).sqrt();
        for lag in [1, 2, 3, 16, 64, 128, 256, 512] {
            let pairs = |f: fn(f64) -> f64| {
                let products = rows.iter().map(|row| f(row[40]) * f(row[40 + lag]));
                products.sum::<f64>() / count as f64
            };
            assert!(pairs(|z| z).abs() < limit, "{lag} places apart");
            assert!(
                pairs(|z| (z * z - 1.0) / 2f64.sqrt()).abs() < limit,
                "squares of {lag} places apart"
            );
            let later = rows.windows(lag + 1).map(|w| w[0][40] * w[lag][40]);
            assert!(
                (later.sum::<f64>() / count as f64).abs() < limit,
                "{lag} rows apart"
            );
        }
    }
}
