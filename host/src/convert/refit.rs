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
//! that were held back. The deployed network has no offset of the output, and no
//! offset is fitted.

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

/// α, the strength of the ridge, as a share of the mean of Rᵀ R's diagonal.
pub const RIDGES: [f64; 6] = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1];

/// One trial in this many is held back to choose α.
const HELD_BACK: usize = 4;

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
    /// True if the fitted readout is right at least as often as the old one.
    pub fn is_no_worse(&self) -> bool {
        self.after.correct >= self.before.correct
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
    let refit = refit(&network, &search.task, &search.step, seed, trials)?;
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
    let n = network.units;
    let tables = network.tables(step);
    let tables = tables.tables();
    let experiment = Experiment::floating(&tables, task, step, seed);
    let (mut fitted, mut held_back) = (Sums::zero(n), Sums::zero(n));
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
        readout: Readout::single(fitted.solve(ridge).as_slice().to_vec(), 0.0),
        ridge,
    })
}

/// Filtered spikes, T × N, and target, T, of one trial.
pub(super) struct Samples {
    pub(super) rates: DMatrix<f64>,
    target: DVector<f64>,
}

impl Samples {
    /// Runs the `index`-th trial of `experiment`.
    pub(super) fn of(experiment: &Experiment<Tables<f32>>, index: u64) -> Self {
        let trial = experiment.trial(index);
        let (n, samples) = (experiment.network.constants.units, trial.target.len());
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
        let target = trial.target.iter().map(|&z| f64::from(z));
        Self {
            rates,
            target: DVector::from_iterator(samples, target),
        }
    }
}

/// The sums over many samples that the regression needs.
#[derive(Clone)]
struct Sums {
    /// Rᵀ R, N × N.
    gram: DMatrix<f64>,
    /// Rᵀ z, N.
    product: DVector<f64>,
    /// zᵀ z.
    square: f64,
}

impl Sums {
    fn zero(n: usize) -> Self {
        Self {
            gram: DMatrix::zeros(n, n),
            product: DVector::zeros(n),
            square: 0.0,
        }
    }

    fn add(&mut self, samples: &Samples) {
        self.gram.gemm_tr(1.0, &samples.rates, &samples.rates, 1.0);
        self.product
            .gemv_tr(1.0, &samples.rates, &samples.target, 1.0);
        self.square += samples.target.norm_squared();
    }

    fn join(&mut self, other: &Self) {
        self.gram += &other.gram;
        self.product += &other.product;
        self.square += other.square;
    }

    fn solve(&self, ridge: f64) -> DVector<f64> {
        let n = self.gram.nrows();
        let strength = ridge * self.gram.trace() / n as f64;
        let matrix = &self.gram + DMatrix::identity(n, n) * strength;
        Cholesky::new(matrix)
            .expect("a Gram matrix with a ridge is positive definite")
            .solve(&self.product)
    }

    /// |R w − z|².
    fn error(&self, w: &DVector<f64>) -> f64 {
        w.dot(&(&self.gram * w)) - 2.0 * w.dot(&self.product) + self.square
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 40 samples of 3 rates that are no multiples of each other.
    fn samples(target: impl Fn(&[f64]) -> f64) -> Samples {
        let rates = DMatrix::from_fn(40, 3, |t, i| 20.0 + ((t * (2 * i + 3)) % 17) as f64);
        let rows = (0..40).map(|t| target(rates.row(t).transpose().as_slice()));
        Samples {
            target: DVector::from_iterator(40, rows),
            rates,
        }
    }

    #[test]
    fn a_small_ridge_finds_the_weights_that_made_the_target() {
        let wanted = [0.02, -0.05, 0.01];
        let mut sums = Sums::zero(3);
        sums.add(&samples(|r| r.iter().zip(wanted).map(|(r, w)| r * w).sum()));
        let found = sums.solve(1e-12);
        for (found, wanted) in found.iter().zip(wanted) {
            assert!((found - wanted).abs() < 1e-9, "{found}, not {wanted}");
        }
        assert!(sums.error(&found) < 1e-9);
        // A strong ridge draws them to zero, and misses the target.
        let weak = sums.solve(100.0);
        assert!(weak.norm() < 0.1 * found.norm() && sums.error(&weak) > 1.0);
    }
}
