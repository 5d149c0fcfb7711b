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
//! a sample counts as much as the mask says.

use std::borrow::Cow;

use nalgebra::{Cholesky, DMatrix, DVector};
use rate2spike_core::network::Tables;
use rayon::prelude::*;

use super::search::Search;
use super::{ConvertError, one_to_one};
use crate::random::{Stream, seed_of};
use crate::readout::Readout;
use crate::spiking::experiment::{Experiment, Score, score_f64};
use crate::spiking::network::SpikingNetwork;
use crate::spiking::time_step::TimeStep;
use crate::spiking::trial::Memory;
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
    pub before: Score,
    /// Score with the fitted readout.
    pub after: Score,
}

impl TriedRefit {
    /// True if the fitted readout is right at least as often as the old one, or follows the
    /// target at least as closely.
    pub fn is_no_worse(&self) -> bool {
        self.after.accuracy() >= self.before.accuracy()
    }
}

/// A readout that could not be fitted.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum RefitError {
    /// The network cannot be converted.
    #[error(transparent)]
    Convert(#[from] ConvertError),
    /// No unit fires.
    #[error(transparent)]
    Silent(#[from] Silent),
}

/// Fits the readout of the network of `search` with this λ over `trials` trials,
/// and scores it before and after.
///
/// # Errors
/// [`RefitError`].
pub fn try_refit(search: &Search, lambda: f64, trials: usize) -> Result<TriedRefit, RefitError> {
    let mut network = one_to_one(search.network, lambda, search.neuron)?;
    let seed = seed_of(search.seed, Stream::Fresh);
    let score = |network: &SpikingNetwork| {
        score_f64(network, &search.task, &search.step, seed, search.trials)
    };
    let before = score(&network);
    let seed = seed_of(search.seed, Stream::Refit);
    let shown = search.task.on(Part::Train);
    let refit = refit(&network, &shown, &search.step, seed, trials)?;
    network.readout.clone_from(&refit.readout);
    Ok(TriedRefit {
        refit,
        before,
        after: score(&network),
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
    let outputs = network.readout.outputs();
    let n = network.units + usize::from(outputs > 1);
    let tables = network.tables(step);
    let tables = tables.tables();
    let experiment = Experiment::floating(&tables, task, step, seed);
    let (mut fitted, mut held_back) = (Sums::zero(n, outputs), Sums::zero(n, outputs));
    let mut first = 0;
    while first < trials {
        let chunk = first..(first + CHUNK).min(trials);
        let samples: Vec<Samples> = chunk
            .clone()
            .into_par_iter()
            .map(|index| Samples::of(&experiment, index as u64))
            .collect();
        // In the order of the trials, whatever the number of threads.
        for (index, samples) in chunk.clone().zip(&samples) {
            if index % HELD_BACK == HELD_BACK - 1 {
                held_back.add(samples);
            } else {
                fitted.add(samples);
            }
        }
        first = chunk.end;
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
        let (n, samples) = (constants.units, experiment.task.samples());
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

    /// The weights of each output.
    fn solve(&self, ridge: f64) -> Vec<DVector<f64>> {
        let n = self.gram.nrows();
        let strength = ridge * self.gram.trace() / n as f64;
        let matrix = &self.gram + DMatrix::identity(n, n) * strength;
        let factors =
            Cholesky::new(matrix).expect("a Gram matrix with a ridge is positive definite");
        let products = self.products.iter();
        products.map(|product| factors.solve(product)).collect()
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
