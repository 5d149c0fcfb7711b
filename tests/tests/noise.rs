//! The noise of the membranes over 10⁸ draws.
//!
//! A correlation of n independent draws has a standard error of 1/√n, 10⁻⁴
//! here; every bound on one is five of them, so that a sound generator fails
//! once in a million times, and the seeds are fixed.

use rate2spike_core::lanes::LANES;
use rate2spike_core::noise::{DEVIATE_SD, Noise, deviate};

const UNITS: usize = 512;
const STEPS: usize = 200_000;
const DRAWS: f64 = (UNITS * STEPS) as f64;

/// Five standard errors of a mean of `DRAWS` draws.
fn limit(sd: f64) -> f64 {
    5.0 * sd / DRAWS.sqrt()
}

/// The deviates of every step, into `row`.
fn fill(noise: &mut Noise, row: &mut [i32; UNITS]) {
    let mut deviates = noise.step();
    for block in row.chunks_exact_mut(LANES) {
        block.copy_from_slice(&deviates.next_block());
    }
}

fn each_step(seed: u64, mut see: impl FnMut(&[i32; UNITS])) {
    let mut noise = Noise::new(seed, 0);
    let mut row = [0; UNITS];
    for _ in 0..STEPS {
        fill(&mut noise, &mut row);
        see(&row);
    }
}

/// Share of draws beyond a number of standard deviations, for the difference of two
/// uniform numbers of 12 bits.
fn share_beyond(sigmas: f64) -> f64 {
    let beyond = (1..4096).filter(|&z| f64::from(z) > sigmas * DEVIATE_SD);
    let words: i32 = beyond.map(|z| 2 * (4096 - z)).sum();
    f64::from(words) / 4096f64.powi(2)
}

#[test]
fn the_draws_have_the_moments_and_the_tails_that_they_were_made_for() {
    let thresholds = [0.5, 1.0, 1.5, 2.0, 2.4];
    let (mut sums, mut beyond) = ([0f64; 4], [0u64; 5]);
    each_step(21, |row| {
        let mut powers = [0i64; 4];
        for &z in row {
            let z = i64::from(z);
            for (power, sum) in [z, z * z, z * z * z, z * z * z * z].iter().zip(&mut powers) {
                *sum += power;
            }
            for (threshold, beyond) in thresholds.iter().zip(&mut beyond) {
                *beyond += u64::from(z.abs() as f64 > threshold * DEVIATE_SD);
            }
        }
        for (sum, power) in sums.iter_mut().zip(powers) {
            *sum += power as f64;
        }
    });
    let moment = |k: i32| sums[k as usize - 1] / DRAWS / DEVIATE_SD.powi(k);
    // Standard errors of the moments of triangular draws: the square roots of 1,
    // of 2.4 − 1, and of 54/7.
    assert!(moment(1).abs() < limit(1.0), "mean {}", moment(1));
    assert!(
        (moment(2) - 1.0).abs() < limit(1.4f64.sqrt()),
        "variance {}",
        moment(2)
    );
    assert!(
        moment(3).abs() < limit((54f64 / 7.0).sqrt()),
        "skewness {}",
        moment(3)
    );
    assert!((moment(4) - 2.4).abs() < 0.002, "kurtosis {}", moment(4));
    for (threshold, beyond) in thresholds.iter().zip(beyond) {
        let (found, wanted) = (beyond as f64 / DRAWS, share_beyond(*threshold));
        assert!(
            (found - wanted).abs() < limit(wanted.sqrt()),
            "beyond {threshold} sigma: {found}, not {wanted}"
        );
    }
}

/// A neuron adds up its draws and forgets each with the time constant of the membrane:
/// here 10 ms in steps of 0.1 ms.
#[test]
fn a_membrane_is_normal_to_four_standard_deviations() {
    let keep = (-0.01f64).exp() as f32;
    let gain = ((1.0 - f64::from(keep).powi(2)).sqrt() / DEVIATE_SD) as f32;
    let mut membrane = [0f32; UNITS];
    let (mut square, mut fourth, mut beyond, mut steps) = (0f64, 0f64, [0u64; 4], 0);
    each_step(22, |row| {
        for (v, &z) in membrane.iter_mut().zip(row) {
            *v = *v * keep + z as f32 * gain;
        }
        steps += 1;
        // Once it is stationary, and every fifth step: the next one is nearly
        // the same.
        if steps < 1000 || steps % 5 != 0 {
            return;
        }
        for v in membrane {
            let v = f64::from(v);
            square += v * v;
            fourth += v * v * v * v;
            for (sigmas, beyond) in (1..).zip(&mut beyond) {
                *beyond += u64::from(v.abs() > f64::from(sigmas));
            }
        }
    });
    let draws = ((STEPS - 1000) / 5 * UNITS) as f64;
    let (square, fourth) = (square / draws, fourth / draws);
    // About one independent value a unit in 100 steps: 10⁶ of them.
    assert!((square - 1.0).abs() < 0.01, "variance {square}");
    let kurtosis = fourth / (square * square);
    assert!((kurtosis - 3.0).abs() < 0.03, "kurtosis {kurtosis}");
    let normal = [0.317_311, 0.045_500, 0.002_700, 0.000_063_3];
    for (beyond, (wanted, tolerance)) in beyond
        .iter()
        .zip(normal.iter().zip([0.005, 0.01, 0.05, 0.3]))
    {
        let found = *beyond as f64 / draws;
        assert!(
            (found / wanted - 1.0).abs() < tolerance,
            "{found} beyond, not {wanted}"
        );
    }
}

#[test]
fn no_draw_tells_of_another() {
    let lags = [1usize, 2, 5, 10, 16];
    let distances = [1usize, 2, 15, 16, 17, 64, 128, 255, 256];
    let mut earlier = [[0i32; UNITS]; 17];
    let (mut later, mut apart) = ([0i64; 5], [0i64; 9]);
    let (mut later_squares, mut apart_squares) = ([0f64; 5], [0f64; 9]);
    let mut together = 0f64;
    let mut step = 0usize;
    each_step(23, |row| {
        for (k, lag) in lags.iter().enumerate().filter(|(_, lag)| step >= **lag) {
            let (sum, squares) = products(row, &earlier[(step - lag) % 17]);
            later[k] += sum;
            later_squares[k] += squares;
        }
        for (k, &distance) in distances.iter().enumerate() {
            let (sum, squares) = products(&row[distance..], row);
            apart[k] += sum;
            apart_squares[k] += squares;
        }
        let population: i64 = row.iter().map(|&z| i64::from(z)).sum();
        together += (population as f64 / DEVIATE_SD).powi(2);
        earlier[step % 17] = *row;
        step += 1;
    });
    let scale = DRAWS * DEVIATE_SD * DEVIATE_SD;
    for (k, lag) in lags.iter().enumerate() {
        let (plain, squares) = (later[k] as f64 / scale, later_squares[k] / DRAWS);
        assert!(plain.abs() < limit(1.0), "{lag} steps apart: {plain}");
        assert!(
            squares.abs() < limit(1.4),
            "squares, {lag} steps apart: {squares}"
        );
    }
    for (k, distance) in distances.iter().enumerate() {
        // The pairs are fewer by the distance.
        let share = (1.0 - *distance as f64 / UNITS as f64).sqrt();
        let (plain, squares) = (apart[k] as f64 / scale, apart_squares[k] / DRAWS);
        assert!(
            plain.abs() < share * limit(1.0),
            "{distance} units apart: {plain}"
        );
        assert!(
            squares.abs() < share * limit(1.4),
            "squares, {distance} units apart: {squares}"
        );
    }
    // The sum over all units has the variance of independent ones: no step
    // kicks the whole population.
    let together = together / DRAWS;
    let wanted = 5.0 * (2.0 / STEPS as f64).sqrt();
    assert!(
        (together - 1.0).abs() < wanted,
        "the population's variance: {together}"
    );
}

/// Sums of the products of two rows, and of the products of their squares less
/// their means, in units of the standard deviation.
fn products(a: &[i32], b: &[i32]) -> (i64, f64) {
    let variance = (DEVIATE_SD * DEVIATE_SD) as f32;
    let (mut sum, mut squares) = (0i64, 0f32);
    for (&a, &b) in a.iter().zip(b) {
        sum += i64::from(a * b);
        squares += ((a * a) as f32 / variance - 1.0) * ((b * b) as f32 / variance - 1.0);
    }
    (sum, squares.into())
}

#[test]
fn a_deviate_is_what_its_word_says() {
    // The definition, once more and in other words, over words of every kind.
    for word in (0..u32::MAX).step_by(65_521) {
        let (top, below) = (word / 0x10_0000, word / 0x100 % 0x1000);
        let wanted = i64::from(top) - i64::from(below);
        assert_eq!(i64::from(deviate(word)), wanted, "word {word:#x}");
    }
}
