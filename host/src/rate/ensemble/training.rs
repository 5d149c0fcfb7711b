//! Training of K networks at once: the updates, trials and criterion of
//! [`crate::rate::training`], network by network.

use std::sync::Arc;

use burn::backend::Autodiff;
use burn::tensor::Tensor;
use rayon::prelude::*;

use super::model::{EnsembleAdam, EnsembleModel, losses};
use super::trials::{TrialRange, TrialSource};
use super::{Drive, SideBySide};
use crate::rate::network::{RateNetwork, Stream};
use crate::rate::options::RateOptions;
use crate::rate::training::{EVALUATE_EVERY, EVALUATION_TRIALS, Evaluation, Trained, criterion};

/// Updates after which the losses are fetched from the device, which then runs
/// dry for a moment.
const FETCH_EVERY: usize = 20;

/// Most numbers of one array of an evaluation on the device.
const EVALUATION_NUMBERS: usize = 1 << 26;

/// What a training of K networks tells whoever watches.
pub trait EnsembleProgress {
    /// From time to time: so many updates are done, so many networks still
    /// train, and the mean of their losses over the last update.
    fn updated(&mut self, updates: usize, running: usize, loss: f32);
    /// After every evaluation of the network with this seed.
    fn evaluated(&mut self, update: usize, seed: u64, evaluation: &Evaluation);
}

/// Watches nothing.
impl EnsembleProgress for () {
    fn updated(&mut self, _updates: usize, _running: usize, _loss: f32) {}
    fn evaluated(&mut self, _update: usize, _seed: u64, _evaluation: &Evaluation) {}
}

/// The networks that still train.
pub struct Running<B: SideBySide> {
    /// Their places among all networks.
    places: Vec<usize>,
    model: EnsembleModel<Autodiff<B>>,
    adam: EnsembleAdam<B>,
    /// Where their trials come from.
    pub source: TrialSource<B>,
    /// Losses of the updates since the last fetch, one tensor an update.
    pending: Vec<Tensor<B, 1>>,
}

/// Trains one network of these options for each of `seeds`, all at once on
/// `device`. Each has the start, the trials and the noise that
/// [`crate::rate::training::train`] gives it for that seed, and stops where it
/// meets the criterion.
pub fn train_many<B: SideBySide>(
    options: &RateOptions,
    seeds: &[u64],
    device: &B::Device,
    progress: &mut dyn EnsembleProgress,
) -> Vec<Trained> {
    if seeds.is_empty() {
        return Vec::new();
    }
    let mut running = Running::<B>::start(options, seeds, device);
    let starts = running.source.networks.clone();
    let mut losses: Vec<Vec<f32>> = vec![Vec::new(); seeds.len()];
    let mut trained: Vec<Option<Trained>> = vec![None; seeds.len()];

    for update in 0..options.updates {
        running.update(options, update);
        let last = update + 1 == options.updates;
        let evaluate = update % EVALUATE_EVERY == 1 || last;
        if evaluate || running.pending.len() == FETCH_EVERY {
            let loss = running.fetch(&mut losses);
            progress.updated(update + 1, running.places.len(), loss);
        }
        if !evaluate {
            continue;
        }
        let (mut finished, mut left) = (Vec::new(), Vec::new());
        for (k, evaluation) in running.evaluations(options, update).into_iter().enumerate() {
            let place = running.places[k];
            progress.evaluated(update, seeds[place], &evaluation);
            let success = criterion(options, update, &evaluation);
            let finite = losses[place].last().is_some_and(|loss| loss.is_finite());
            if success || !finite || last {
                finished.push((k, success, evaluation));
            } else {
                left.push(k);
            }
        }
        let places: Vec<usize> = finished.iter().map(|(k, ..)| *k).collect();
        let networks = running.networks(&places);
        for ((k, success, evaluation), network) in finished.into_iter().zip(networks) {
            let place = running.places[k];
            trained[place] = Some(Trained {
                network,
                start: (*starts[place]).clone(),
                success,
                losses: std::mem::take(&mut losses[place]),
                evaluation,
            });
        }
        if left.is_empty() {
            break;
        }
        if left.len() < running.places.len() {
            running = running.select(&left);
        }
    }
    trained
        .into_iter()
        .map(|trained| trained.expect("there is an update, and the last one ends every network"))
        .collect()
}

impl<B: SideBySide> Running<B> {
    /// Untrained networks of these options, one for each of `seeds`.
    pub fn start(options: &RateOptions, seeds: &[u64], device: &B::Device) -> Self {
        let start = |&seed: &u64| {
            Arc::new(RateNetwork::start(&RateOptions {
                seed,
                ..options.clone()
            }))
        };
        let starts: Vec<_> = seeds.par_iter().map(start).collect();
        Self {
            places: (0..seeds.len()).collect(),
            model: EnsembleModel::new(&starts, device),
            adam: EnsembleAdam::new(),
            source: TrialSource::new(options.task, starts, seeds.to_vec(), device),
            pending: Vec::new(),
        }
    }

    /// Updates every network once; `update` counts from 0. Returns before the
    /// device is done.
    pub fn update(&mut self, options: &RateOptions, update: usize) {
        let range = TrialRange {
            stream: Stream::Training,
            first: (update * options.batch) as u64,
            trials: options.batch,
            fluctuating: options.fluctuations > 0.0,
        };
        let drive = self.drive(options, range);
        let outputs = self.model.forward(&drive);
        let target = Tensor::from_inner(drive.trials.target);
        let losses = losses(outputs, target, options.loss);
        self.pending.push(losses.clone().inner());
        // Of the sum, so that the gradient of a network does not depend on how
        // many there are.
        self.model = self
            .adam
            .step(options.learning_rate, self.model.clone(), losses.sum());
    }

    fn drive(&self, options: &RateOptions, range: TrialRange) -> Drive<B> {
        Drive {
            activation: options.activation.activation(),
            fluctuations: options.fluctuations,
            trials: B::draw(&self.source, range),
        }
    }

    /// Adds the losses since the last time to those of each network, and
    /// returns the mean of the last update.
    fn fetch(&mut self, losses: &mut [Vec<f32>]) -> f32 {
        let k = self.places.len();
        let values = numbers(Tensor::cat(std::mem::take(&mut self.pending), 0));
        for update in values.chunks_exact(k) {
            for (place, loss) in self.places.iter().zip(update) {
                losses[*place].push(*loss);
            }
        }
        values.iter().rev().take(k).sum::<f32>() / k as f32
    }

    /// Scores every network on [`EVALUATION_TRIALS`] trials of its own.
    fn evaluations(&self, options: &RateOptions, update: usize) -> Vec<Evaluation> {
        let (k, samples) = (self.places.len(), options.task.samples());
        let most = (EVALUATION_NUMBERS / (k * samples * options.units)).max(1);
        let mut evaluations = vec![Evaluation::default(); k];
        let mut done = 0;
        while done < EVALUATION_TRIALS {
            let trials = (EVALUATION_TRIALS - done).min(most);
            let range = TrialRange {
                stream: Stream::Evaluation,
                first: (update * EVALUATION_TRIALS + done) as u64,
                trials,
                fluctuating: options.fluctuations > 0.0,
            };
            let drive = self.drive(options, range);
            let outputs = numbers(self.model.outputs(&drive));
            let size = trials * (samples - 1);
            evaluations
                .par_iter_mut()
                .zip(outputs.par_chunks_exact(size))
                .zip(drive.trials.target_values.par_chunks_exact(size))
                .zip(drive.trials.labels.par_chunks_exact(trials))
                .for_each(|(((evaluation, outputs), target), labels)| {
                    let rule = (options.task, options.loss);
                    evaluation.add_trials(rule, outputs, target, labels);
                });
            done += trials;
        }
        evaluations
            .into_iter()
            .map(|evaluation| evaluation.divided_by(EVALUATION_TRIALS))
            .collect()
    }

    /// The numbers of the networks in these places.
    fn networks(&self, places: &[usize]) -> Vec<RateNetwork> {
        let networks = places.iter().map(|&k| (*self.source.networks[k]).clone());
        let mut networks: Vec<RateNetwork> = networks.collect();
        if !places.is_empty() {
            self.model.select(places).store(&mut networks);
        }
        networks
    }

    fn select(self, left: &[usize]) -> Self {
        Self {
            places: left.iter().map(|&k| self.places[k]).collect(),
            model: self.model.select(left),
            adam: self.adam.select(left),
            source: self.source.select(left),
            pending: self.pending,
        }
    }
}

fn numbers<B: SideBySide, const D: usize>(tensor: Tensor<B, D>) -> Vec<f32> {
    let data = tensor.into_data().convert::<f32>();
    data.into_vec().expect("the data were converted to f32")
}
