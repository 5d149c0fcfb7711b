//! A new readout for a converted network.
//!
//! The rate network's readout weights fit its smooth rates; spike trains after
//! the synapse's filter differ from them. The refit leaves the recurrent
//! network as it is, runs it over trials of its own, and fits weights from the
//! filtered spikes r to the target z of the task by ridge regression:
//!
//! ```text
//! w = (Rᵀ R + α (tr Rᵀ R / N) 1)⁻¹ Rᵀ z
//! ```
//!
//! α is the one of [`RIDGES`] whose weights miss the target least on trials
//! that were held back. Each output has a target and weights of its own. Several
//! outputs also get an offset each, as the weight of a rate that never changes; a
//! single output gets none, as in the published conversion. Where a trial has a mask,
//! a sample counts as much as the mask says. Where the answer is the class with the
//! largest mean output, the means of a trial are fitted, and not its samples.

use std::borrow::Cow;

use nalgebra::{Cholesky, DMatrix, DVector, Dyn};
use rate2spike_core::decision::Kind;
use rate2spike_core::network::Tables;
use rayon::prelude::*;

use crate::random::{Stream, seed_of};
use crate::readout::Readout;
use crate::spiking::experiment::{Experiment, score_f64};
use crate::spiking::network::SpikingNetwork;
use crate::spiking::time_step::TimeStep;
use crate::spiking::trial::Memory;
use crate::statistics::Accuracy;
use crate::task::Task;
use crate::task::description::Part;

/// α, the strength of the ridge, as a share of the mean of Rᵀ R's diagonal.
pub const RIDGES: [f64; 6] = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1];

/// One trial in this many is held back to choose α.
const HELD_BACK: usize = 4;

/// The rate whose weight gives an offset: one that units have, so that the ridge treats
/// it as it treats them.
const CONSTANT_HZ: f64 = 20.0;

/// Trials that are in memory at once.
const CHUNK: usize = 32;

/// A fitted readout.
#[derive(Clone, Debug, PartialEq)]
pub struct Refit {
    /// The readout in the form of [`SpikingNetwork::readout`].
    pub readout: Readout<f64>,
    /// α.
    pub ridge: f64,
}

/// The readout could not be fitted: no unit fires in the trials.
#[derive(Debug, thiserror::Error, PartialEq)]
#[error("no unit fires in {0} trials: there is nothing to fit a readout to")]
pub struct Silent(usize);

/// A refit, and the scores before and after it on trials that neither the search
/// nor the fit has seen.
#[derive(Clone, Debug)]
pub struct TriedRefit {
    /// The refit.
    pub refit: Refit,
    /// Score with the readout of the rate network.
    pub before: Accuracy,
    /// Score with the fitted readout.
    pub after: Accuracy,
}

impl TriedRefit {
    /// True if the fitted readout is right at least as often as the old one, by both
    /// criteria added, or follows the target at least as closely.
    pub fn is_no_worse(&self) -> bool {
        let right = |score: &Accuracy| score.accuracy + score.strict;
        right(&self.after) >= right(&self.before)
    }

    /// The fitted readout, if it is no worse.
    pub fn kept(&self) -> Option<&Readout<f64>> {
        self.is_no_worse().then_some(&self.refit.readout)
    }
}

/// The trials of a refit and of its scores.
#[derive(Clone, Debug)]
pub struct RefitTrials<'a> {
    /// The task. A data set is fitted on its training part, and scored on the validation
    /// part.
    pub task: &'a Task,
    /// The time step.
    pub step: TimeStep,
    /// Seed of the trials.
    pub seed: u64,
    /// Trials of the fit; a data set shows each of its trials once.
    pub fitted: usize,
    /// Trials of each score, except where the trials have classes: there they are those of the fit.
    pub scored: usize,
}

/// Fits the readout of `network`, and scores it before and after: on trials of the
/// validation part, or, where each trial has a class, on those of the fit by weights that
/// were fitted to the others.
///
/// # Errors
/// [`Silent`].
pub fn try_refit(network: &SpikingNetwork, trials: &RefitTrials) -> Result<TriedRefit, Silent> {
    let RefitTrials {
        task, step, seed, ..
    } = trials;
    let shown = task.on(Part::Train);
    let fitted = shown.trials().unwrap_or(usize::MAX).min(trials.fitted);
    let refit_seed = seed_of(*seed, Stream::Refit);
    if shown.definition().kind == Kind::Class {
        return refit_classes(network, &shown, step, refit_seed, fitted);
    }
    let refit = refit(network, &shown, step, refit_seed, fitted)?;
    let others = task.on(Part::Validation);
    let score_seed = seed_of(*seed, Stream::Fresh);
    let score = |network: &SpikingNetwork| {
        let score = score_f64(network, &others, step, score_seed, trials.scored);
        Accuracy::from(&score)
    };
    let fitted = SpikingNetwork {
        readout: refit.readout.clone(),
        ..network.clone()
    };
    Ok(TriedRefit {
        refit,
        before: score(network),
        after: score(&fitted),
    })
}

/// Fits the readout of `network` over `trials` trials.
///
/// # Errors
/// [`Silent`].
pub fn refit(
    network: &SpikingNetwork,
    task: &Task,
    step: &TimeStep,
    seed: u64,
    trials: usize,
) -> Result<Refit, Silent> {
    let tables = network.tables(step);
    let tables = tables.tables();
    let experiment = Experiment::floating(&tables, task, step, seed);
    let (mut fitted, mut held_back) = (Sums::of(network), Sums::of(network));
    for first in (0..trials).step_by(CHUNK) {
        let chunk = first..(first + CHUNK).min(trials);
        let indices = chunk.clone().into_par_iter();
        let samples = indices.map(|index| Samples::of(&experiment, index as u64));
        let samples: Vec<Samples> = samples.collect();
        // In the order of the trials, whatever the number of threads.
        for (index, samples) in chunk.zip(&samples) {
            if index % HELD_BACK == HELD_BACK - 1 {
                held_back.add(samples);
            } else {
                fitted.add(samples);
            }
        }
    }
    if fitted.gram.trace() <= 0.0 {
        return Err(Silent(trials));
    }
    let (ridge, _) = RIDGES
        .into_iter()
        .map(|ridge| (ridge, held_back.error(&fitted.solve(ridge))))
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .expect("there are several");
    fitted.join(&held_back);
    Ok(Refit {
        readout: readout(&fitted.solve(ridge), network.units),
        ridge,
    })
}

/// Fits the readout of `network` to the mean outputs of `trials` trials with classes. The
/// ridge is the one with the most right answers to trials by weights that were fitted to the
/// others, and of several the one with the least error.
fn refit_classes(
    network: &SpikingNetwork,
    task: &Task,
    step: &TimeStep,
    seed: u64,
    trials: usize,
) -> Result<TriedRefit, Silent> {
    let tables = network.tables(step);
    let tables = tables.tables();
    let experiment = Experiment::floating(&tables, task, step, seed);
    let indices = (0..trials as u64).into_par_iter();
    let means = indices.map(|index| Samples::of(&experiment, index).mean());
    let means: Vec<Samples> = means.collect();
    let mut sums = Sums::of(network);
    means.iter().for_each(|mean| sums.add(mean));
    if sums.gram.trace() <= 0.0 {
        return Err(Silent(trials));
    }
    let tried = RIDGES.map(|ridge| (ridge, sums.left_out(&means, ridge)));
    let (ridge, after) = tried
        .into_iter()
        .min_by(|(_, a), (_, b)| b.right.cmp(&a.right).then(a.error.total_cmp(&b.error)))
        .expect("there are several");
    let right = |mean: &&Samples| {
        let outputs = mean.outputs(&network.readout);
        largest(outputs) == largest(mean.single_target())
    };
    let before = means.iter().filter(right).count();
    let share = |right: usize| Accuracy::one(right as f64 / trials as f64);
    Ok(TriedRefit {
        refit: Refit {
            readout: readout(&sums.solve(ridge), network.units),
            ridge,
        },
        before: share(before),
        after: share(after.right),
    })
}

/// The readout with these weights, one vector an output. A weight behind those of the
/// units is that of [`CONSTANT_HZ`].
fn readout(weights: &[DVector<f64>], units: usize) -> Readout<f64> {
    let rows = weights.iter().flat_map(|row| row.iter().take(units));
    let offset = |row: &DVector<f64>| row.get(units).map_or(0.0, |w| w * CONSTANT_HZ);
    Readout {
        weights: rows.copied().collect(),
        offset: weights.iter().map(offset).collect(),
    }
}

/// Filtered spikes, T × N, and target, T for each output, of one trial.
pub(super) struct Samples {
    pub(super) rates: DMatrix<f64>,
    targets: Vec<DVector<f64>>,
    /// Square root of the weight of each sample.
    weight: Option<DVector<f64>>,
}

impl Samples {
    /// Runs the `index`-th trial of `experiment`.
    pub(super) fn of(experiment: &Experiment<Tables<f32>>, index: u64) -> Self {
        let trial = experiment.trial(index);
        let constants = &experiment.network.constants;
        let (n, samples) = (constants.units, experiment.samples());
        let every = experiment.clock.steps_per_sample;
        let mut rates = DMatrix::zeros(samples, n);
        let mut memory = Memory::of(experiment.network);
        experiment.watch(&mut memory, index, &trial, |step, state| {
            if step.is_multiple_of(every) {
                let row = (step / every) as usize - 1;
                for unit in 0..n {
                    rates[(row, unit)] = f64::from(state.filtered(unit));
                }
            }
        });
        let rows = trial.target.chunks(samples);
        let target = |row: &[f32]| DVector::from_iterator(samples, row.iter().map(|&z| z.into()));
        let mean = |mask: &[f32], t: usize| {
            let weights = mask.iter().skip(t).step_by(samples);
            weights.map(|&w| f64::from(w)).sum::<f64>() / constants.outputs as f64
        };
        let mask = trial.mask.as_deref();
        Self {
            rates,
            targets: rows.map(target).collect(),
            weight: mask.map(|mask| DVector::from_fn(samples, |t, _| mean(mask, t).sqrt())),
        }
    }

    /// The outputs of this single sample.
    fn outputs(&self, readout: &Readout<f64>) -> impl Iterator<Item = f64> {
        let rates = self.rates.row(0);
        readout.rows().map(move |(weights, offset)| {
            let products = weights.iter().zip(rates.iter()).map(|(w, r)| w * r);
            products.sum::<f64>() + offset
        })
    }

    /// The targets of this single sample.
    fn single_target(&self) -> impl Iterator<Item = f64> + Clone {
        self.targets.iter().map(|target| target[0])
    }

    /// The means over the samples that count, as a single sample.
    fn mean(self) -> Self {
        let samples = self.rates.nrows();
        let shares = match self.weight {
            Some(weight) => weight.map(|root| root * root),
            None => DVector::repeat(samples, 1.0),
        };
        let shares = &shares / shares.sum();
        let targets = self.targets.iter();
        Self {
            rates: DMatrix::from_fn(1, self.rates.ncols(), |_, unit| {
                self.rates.column(unit).dot(&shares)
            }),
            targets: targets
                .map(|target| DVector::repeat(1, target.dot(&shares)))
                .collect(),
            weight: None,
        }
    }

    /// The rates and the targets of the regression: with a constant rate if there are
    /// several outputs, and weighted by the mask.
    fn regression(&self) -> (Cow<'_, DMatrix<f64>>, Cow<'_, [DVector<f64>]>) {
        let mut rates = Cow::Borrowed(&self.rates);
        let mut targets = Cow::Borrowed(&self.targets[..]);
        if self.targets.len() > 1 {
            let units = self.rates.ncols();
            let with_constant = self.rates.clone().insert_column(units, CONSTANT_HZ);
            rates = Cow::Owned(with_constant);
        }
        if let Some(weight) = &self.weight {
            for mut column in rates.to_mut().column_iter_mut() {
                column.component_mul_assign(weight);
            }
            for target in targets.to_mut() {
                target.component_mul_assign(weight);
            }
        }
        (rates, targets)
    }
}

/// Scores on trials that a fit has not seen.
#[derive(Clone, Copy, Debug, Default)]
struct LeftOut {
    /// Number of right answers.
    right: usize,
    /// Sum of the squared errors of the outputs.
    error: f64,
}

/// The place of the largest value, the first of several.
fn largest(values: impl Iterator<Item = f64>) -> usize {
    let mut largest = (0, f64::NEG_INFINITY);
    for (place, value) in values.enumerate() {
        if value > largest.1 {
            largest = (place, value);
        }
    }
    largest.0
}

/// The sums over many samples that the regression needs.
#[derive(Clone)]
struct Sums {
    /// Rᵀ R, N × N.
    gram: DMatrix<f64>,
    /// Rᵀ z, N, for each output.
    products: Vec<DVector<f64>>,
    /// Σ zᵀ z of the outputs.
    square: f64,
}

impl Sums {
    /// Sums over nothing, for the readout of `network`.
    fn of(network: &SpikingNetwork) -> Self {
        let outputs = network.readout.outputs();
        Self::zero(network.units + usize::from(outputs > 1), outputs)
    }

    fn zero(n: usize, outputs: usize) -> Self {
        Self {
            gram: DMatrix::zeros(n, n),
            products: vec![DVector::zeros(n); outputs],
            square: 0.0,
        }
    }

    fn add(&mut self, samples: &Samples) {
        let (rates, targets) = samples.regression();
        self.gram.gemm_tr(1.0, &rates, &rates, 1.0);
        for (product, target) in self.products.iter_mut().zip(targets.iter()) {
            product.gemv_tr(1.0, &rates, target, 1.0);
            self.square += target.norm_squared();
        }
    }

    fn join(&mut self, other: &Self) {
        self.gram += &other.gram;
        for (product, other) in self.products.iter_mut().zip(&other.products) {
            *product += other;
        }
        self.square += other.square;
    }

    /// The factors of the Gram matrix with a ridge.
    fn factors(&self, ridge: f64) -> Cholesky<f64, Dyn> {
        let n = self.gram.nrows();
        let strength = ridge * self.gram.trace() / n as f64;
        let matrix = &self.gram + DMatrix::identity(n, n) * strength;
        Cholesky::new(matrix).expect("a Gram matrix with a ridge is positive definite")
    }

    /// The weights of each output.
    fn solve(&self, ridge: f64) -> Vec<DVector<f64>> {
        let factors = self.factors(ridge);
        let products = self.products.iter();
        products.map(|product| factors.solve(product)).collect()
    }

    /// How well each of `trials`, single samples of these sums, is met by weights that were
    /// fitted to the others. With h = xᵀ (Rᵀ R + ridge)⁻¹ x of a trial its output is
    /// (w·x − h z) / (1 − h).
    fn left_out(&self, trials: &[Samples], ridge: f64) -> LeftOut {
        let factors = self.factors(ridge);
        let weights: Vec<_> = self.products.iter().map(|z| factors.solve(z)).collect();
        let mut found = LeftOut::default();
        for trial in trials {
            let (rates, _) = trial.regression();
            let x = rates.row(0).transpose();
            let own = x.dot(&factors.solve(&x));
            let outputs = weights.iter().zip(trial.single_target());
            let outputs = outputs.map(|(w, z)| (w.dot(&x) - own * z) / (1.0 - own));
            let errors = outputs.clone().zip(trial.single_target());
            found.error += errors.map(|(o, z)| (o - z).powi(2)).sum::<f64>();
            found.right += usize::from(largest(outputs) == largest(trial.single_target()));
        }
        found
    }

    /// Σ |R w − z|² of the outputs.
    fn error(&self, weights: &[DVector<f64>]) -> f64 {
        let outputs = weights.iter().zip(&self.products);
        let errors = outputs.map(|(w, product)| w.dot(&(&self.gram * w)) - 2.0 * w.dot(product));
        errors.sum::<f64>() + self.square
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A target as a function of the rates.
    type Target<'a> = &'a dyn Fn(&[f64]) -> f64;

    /// 40 samples of 3 rates that are no multiples of each other, and targets that are
    /// made of them.
    fn samples(targets: &[Target]) -> Samples {
        let rates = DMatrix::from_fn(40, 3, |t, i| 20.0 + ((t * (2 * i + 3)) % 17) as f64);
        let target = |target: &&dyn Fn(&[f64]) -> f64| {
            let rows = (0..40).map(|t| target(rates.row(t).transpose().as_slice()));
            DVector::from_iterator(40, rows)
        };
        Samples {
            targets: targets.iter().map(target).collect(),
            rates,
            weight: None,
        }
    }

    fn weighted(r: &[f64], weights: [f64; 3]) -> f64 {
        r.iter().zip(weights).map(|(r, w)| r * w).sum()
    }

    #[test]
    fn a_small_ridge_finds_the_weights_that_made_the_target() {
        let wanted = [0.02, -0.05, 0.01];
        let mut sums = Sums::zero(3, 1);
        sums.add(&samples(&[&|r| weighted(r, wanted)]));
        let found = sums.solve(1e-12);
        for (found, wanted) in found[0].iter().zip(wanted) {
            assert!((found - wanted).abs() < 1e-9, "{found}, not {wanted}");
        }
        assert!(sums.error(&found) < 1e-9);
        // A strong ridge draws them to zero, and misses the target.
        let weak = sums.solve(100.0);
        assert!(weak[0].norm() < 0.1 * found[0].norm() && sums.error(&weak) > 1.0);
    }

    #[test]
    fn each_of_several_outputs_gets_its_weights_and_its_offset() {
        let wanted = [([0.02, -0.05, 0.01], 0.5), ([0.0, 0.03, -0.02], -2.0)];
        let [first, second] = wanted.map(|(w, b)| move |r: &[f64]| weighted(r, w) + b);
        let mut sums = Sums::zero(4, 2);
        sums.add(&samples(&[&first, &second]));
        let weights = sums.solve(1e-12);
        assert!(sums.error(&weights) < 1e-6);
        let found = readout(&weights, 3);
        for ((row, offset), (weights, wanted)) in found.rows().zip(wanted) {
            assert!((offset - wanted).abs() < 1e-6, "{offset}, not {wanted}");
            for (found, wanted) in row.iter().zip(weights) {
                assert!((found - wanted).abs() < 1e-7, "{found}, not {wanted}");
            }
        }
    }

    #[test]
    fn a_trial_that_is_left_out_is_met_as_by_a_fit_to_the_others() {
        let targets: [Target; 2] = [&|r| f64::from(r[0] > 26.0), &|r| f64::from(r[1] > 30.0)];
        let all = samples(&targets);
        let single = |t: usize| Samples {
            rates: all.rates.rows(t, 1).into(),
            targets: all.targets.iter().map(|z| z.rows(t, 1).into()).collect(),
            weight: None,
        };
        let trials: Vec<Samples> = (0..40).map(single).collect();
        let over = |kept: &dyn Fn(usize) -> bool| {
            let mut sums = Sums::zero(4, 2);
            let kept = trials.iter().enumerate().filter(|(t, _)| kept(*t));
            kept.for_each(|(_, trial)| sums.add(trial));
            sums
        };
        // So weak a ridge is the same for all trials and for one less.
        let ridge = 1e-9;
        let mut wanted = LeftOut::default();
        for (t, trial) in trials.iter().enumerate() {
            let fitted = readout(&over(&|other| other != t).solve(ridge), 3);
            let errors = trial.outputs(&fitted).zip(trial.single_target());
            wanted.error += errors.map(|(o, z)| (o - z).powi(2)).sum::<f64>();
            let right = largest(trial.outputs(&fitted)) == largest(trial.single_target());
            wanted.right += usize::from(right);
        }
        let found = over(&|_| true).left_out(&trials, ridge);
        assert_eq!(found.right, wanted.right);
        assert!(
            (found.error / wanted.error - 1.0).abs() < 1e-5,
            "{found:?}, {wanted:?}"
        );
        assert!(wanted.right < 40 && wanted.error > 1.0);
    }

    #[test]
    fn the_mean_of_a_trial_counts_the_samples_of_the_mask() {
        let mut all = samples(&[&|r| r[0], &|r| 2.0 * r[1]]);
        all.weight = Some(DVector::from_fn(40, |t, _| if t < 38 { 0.0 } else { 1.0 }));
        let wanted = [0, 1, 2].map(|unit| (all.rates[(38, unit)] + all.rates[(39, unit)]) / 2.0);
        let mean = all.mean();
        assert_eq!(mean.rates.as_slice(), wanted);
        let targets: Vec<f64> = mean.single_target().collect();
        assert_eq!(targets, [wanted[0], 2.0 * wanted[1]]);
    }

    #[test]
    fn samples_that_the_mask_leaves_out_do_not_count() {
        let wanted = [0.02, -0.05, 0.01];
        let mut masked = samples(&[&|r| weighted(r, wanted)]);
        masked.weight = Some(DVector::from_fn(40, |t, _| if t < 20 { 0.0 } else { 2.0 }));
        masked.targets[0].rows_mut(0, 20).fill(77.0);
        let mut sums = Sums::zero(3, 1);
        sums.add(&masked);
        let found = sums.solve(1e-12);
        for (found, wanted) in found[0].iter().zip(wanted) {
            assert!((found - wanted).abs() < 1e-7, "{found}, not {wanted}");
        }
    }
}
