//! The score of a trial sample by sample: labels of samples, and targets that the outputs
//! follow.
//!
//! ```text
//! share   of the samples with a label, weighted: right if the largest output is that of the label
//! R²      1 − Σ w (o − z)² / Σ w (z − z̄)²      z̄: mean target of each output
//! error   √ (Σ w (o − z)² / Σ w)
//! ```
//!
//! Sums run over the samples and outputs of all trials, with the weights of the trials'
//! masks.

use rate2spike_core::decision::Kind;
use serde::{Deserialize, Serialize};

use super::definition::Trial;
use super::handle::Task;

/// The output of a network for a target, and the weight of the target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Graded {
    /// The output.
    pub output: f64,
    /// The target.
    pub target: f64,
    /// The weight.
    pub weight: f64,
}

/// Sums over the samples of one trial; with [`SampleSums::and`], of several trials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SampleSums {
    /// Weight of the samples with a right label.
    right: f64,
    /// Weight of the samples with a label.
    labelled: f64,
    /// Weighted sum of the squared distances from the target.
    squares: f64,
    /// Sum of the weights of the targets.
    weight: f64,
}

impl SampleSums {
    /// Adds a sample with its outputs in their order.
    pub fn add(&mut self, sample: impl Iterator<Item = Graded>) {
        let mut answer: Option<(usize, Graded)> = None;
        let mut label: Option<(usize, Graded)> = None;
        for (k, graded) in sample.enumerate() {
            self.squares += graded.weight * (graded.output - graded.target).powi(2);
            self.weight += graded.weight;
            if answer.is_none_or(|(_, best)| graded.output > best.output) {
                answer = Some((k, graded));
            }
            if label.is_none_or(|(_, best)| graded.target > best.target) {
                label = Some((k, graded));
            }
        }
        if let (Some((answer, _)), Some((label, wanted))) = (answer, label) {
            let weight = wanted.weight * wanted.target;
            self.labelled += weight;
            if answer == label {
                self.right += weight;
            }
        }
    }

    /// Share of the samples with a right label; 0 without a label.
    pub fn share(&self) -> f64 {
        if self.labelled == 0.0 {
            0.0
        } else {
            self.right / self.labelled
        }
    }

    /// Mean square of the distance from the target.
    pub fn mean_square(&self) -> f64 {
        self.squares / f64::max(self.weight, 1e-9)
    }

    /// The sums of these trials and of those.
    pub fn and(self, other: &Self) -> Self {
        Self {
            right: self.right + other.right,
            labelled: self.labelled + other.labelled,
            squares: self.squares + other.squares,
            weight: self.weight + other.weight,
        }
    }

    /// R² of trials whose targets have this spread.
    pub fn r2(&self, spread: f64) -> f64 {
        1.0 - self.squares / f64::max(spread, f64::MIN_POSITIVE)
    }

    /// Root mean square of the distance from the target.
    pub fn error(&self) -> f64 {
        self.mean_square().sqrt()
    }
}

/// The target of output `k` in `sample` of a trial with `samples` samples, and its weight;
/// nothing behind the end.
pub fn wanted(trial: &Trial, samples: usize, k: usize, sample: usize) -> (f64, f64) {
    let place = k * samples + sample;
    let mask = trial.mask.as_ref().and_then(|mask| mask.get(place));
    match (sample < samples)
        .then(|| trial.target.get(place))
        .flatten()
    {
        Some(&target) => (target.into(), mask.map_or(1.0, |&weight| weight.into())),
        None => (0.0, 0.0),
    }
}

/// Whether the trials of a task are scored sample by sample.
pub fn is_graded(task: &Task) -> bool {
    matches!(task.definition().kind, Kind::Label | Kind::Track)
}

/// Weighted sum of the squared distances of the targets from the mean target of each
/// output, over these trials of `samples` samples.
pub fn spread(task: &Task, samples: usize, trials: impl Iterator<Item = Trial>) -> f64 {
    let outputs = task.definition().outputs;
    let mut sums = vec![(0.0, 0.0, 0.0); outputs];
    for trial in trials {
        for (k, (weights, first, second)) in sums.iter_mut().enumerate() {
            for sample in 0..samples {
                let (target, weight) = wanted(&trial, samples, k, sample);
                *weights += weight;
                *first += weight * target;
                *second += weight * target * target;
            }
        }
    }
    let of_output = |(weights, first, second): &(f64, f64, f64)| {
        second - first * first / f64::max(*weights, 1e-9)
    };
    sums.iter().map(of_output).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(values: [(f64, f64, f64); 2]) -> impl Iterator<Item = Graded> {
        values.into_iter().map(|(output, target, weight)| Graded {
            output,
            target,
            weight,
        })
    }

    #[test]
    fn a_share_counts_the_samples_whose_largest_output_is_that_of_the_label() {
        let mut sums = SampleSums::default();
        sums.add(sample([(0.4, 1.0, 1.0), (0.1, 0.0, 1.0)]));
        sums.add(sample([(0.4, 0.0, 1.0), (0.1, 1.0, 1.0)]));
        sums.add(sample([(-0.4, 1.0, 2.0), (-0.5, 0.0, 2.0)]));
        // Without a label, or without a weight, a sample does not count.
        sums.add(sample([(0.4, 0.0, 0.0), (0.1, 1.0, 0.0)]));
        sums.add(sample([(0.4, 0.0, 1.0), (0.1, 0.0, 1.0)]));
        assert_eq!(sums.share(), 0.75);
        assert_eq!(SampleSums::default().share(), 0.0);
    }

    #[test]
    fn r2_is_one_on_the_target_and_zero_at_its_mean() {
        let targets = [[1.0, -2.0], [3.0, -2.0], [5.0, 4.0]];
        let sums_of = |output: fn([f64; 2]) -> [f64; 2]| {
            let mut sums = SampleSums::default();
            for target in targets {
                let [a, b] = output(target);
                sums.add(sample([(a, target[0], 1.0), (b, target[1], 1.0)]));
            }
            sums
        };
        // Around 3 and 0.
        let spread = 4.0 + 4.0 + 4.0 + 4.0 + 16.0;
        assert_eq!(sums_of(|z| z).r2(spread), 1.0);
        assert_eq!(sums_of(|_| [3.0, 0.0]).r2(spread), 0.0);
        let near = sums_of(|[a, b]| [a + 1.0, b]);
        assert_eq!(near.r2(spread), 1.0 - 3.0 / 32.0);
        assert!((near.error() - 0.5f64.sqrt()).abs() < 1e-12);
    }
}
