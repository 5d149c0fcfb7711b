//! Training of K networks at once: the updates, trials and criterion of
//! [`crate::rate::training`], network by network.

use std::sync::Arc;

use burn::backend::Autodiff;
use burn::tensor::Tensor;
use rayon::prelude::*;

use super::arrays::Drive;
use super::model::{EnsembleAdam, EnsembleModel, losses};
use super::side_by_side::SideBySide;
use super::trials::TrialSource;
use crate::random::Stream;
use crate::rate::batch::TrialRange;
use crate::rate::evaluation::{AnsweredTrials, EVALUATION_TRIALS, Evaluated, Evaluation};
use crate::rate::loss::Objective;
use crate::rate::network::RateNetwork;
use crate::rate::options::RateOptions;
use crate::rate::settling::Settling;
use crate::rate::training::Trained;

/// Updates after which the losses are fetched from the device, which then runs
/// dry for a moment.
const FETCH_EVERY: usize = 20;

/// Most numbers of one array of an evaluation on the device.
const EVALUATION_NUMBERS: usize = 1 << 26;

/// Receives the progress of a training of K networks.
pub trait EnsembleProgress {
    /// Called from time to time with the number of updates that are done, the number
    /// of networks that still train, and the mean of their losses at the last update.
    fn updated(&mut self, updates: usize, running: usize, loss: f32);
    /// Called after each evaluation of the network with this seed.
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
    /// The source of the trials.
    pub source: TrialSource<B>,
    /// The progress of each network's settling.
    settling: Vec<Settling>,
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
    let mut evaluated: Vec<Vec<Evaluated>> = vec![Vec::new(); seeds.len()];
    let mut trained: Vec<Option<Trained>> = vec![None; seeds.len()];
    // The best network that met the criterion and began to settle, as in a training alone.
    let mut unsettled: Vec<Option<(Evaluation, RateNetwork)>> = vec![None; seeds.len()];

    for update in 0..options.updates {
        running.update(options, update);
        let last = update + 1 == options.updates;
        let mut due = running.due(options, update);
        if !last && due.is_empty() && running.pending.len() < FETCH_EVERY {
            continue;
        }
        let loss = running.fetch(&mut losses);
        progress.updated(update + 1, running.places.len(), loss);
        let ended = |place: usize| last || losses[place].last().is_none_or(|x| !x.is_finite());
        due.extend((0..running.places.len()).filter(|&k| ended(running.places[k])));
        due.sort_unstable();
        due.dedup();

        let (mut finished, mut settles) = (Vec::new(), Vec::new());
        let evaluations = running.evaluations(options, update, &due);
        for (k, evaluation) in due.into_iter().zip(evaluations) {
            let place = running.places[k];
            progress.evaluated(update, seeds[place], &evaluation);
            evaluated[place].push(Evaluated::new(update, &evaluation));
            let settling = &mut running.settling[k];
            if let Some(success) = settling.judge(options, update, &evaluation, ended(place)) {
                finished.push((k, success, evaluation));
            } else if settling.since == Some(update) {
                settles.push((k, evaluation));
            }
        }
        let places: Vec<usize> = settles.iter().map(|(k, _)| *k).collect();
        for ((k, evaluation), network) in settles.into_iter().zip(running.networks(&places)) {
            let best = &mut unsettled[running.places[k]];
            let scores = |evaluation| Evaluated::new(update, evaluation);
            let old = best.as_ref().map(|(evaluation, _)| scores(evaluation));
            if old.is_none_or(|old| old.is_beaten_by(&scores(&evaluation))) {
                *best = Some((evaluation, network));
            }
        }
        let done: Vec<usize> = finished.iter().map(|(k, ..)| *k).collect();
        let networks = running.networks(&done);
        for ((k, success, evaluation), network) in finished.into_iter().zip(networks) {
            let place = running.places[k];
            let kept = unsettled[place].take_if(|_| !success);
            let success = success || kept.is_some();
            let (evaluation, network) = kept.unwrap_or((evaluation, network));
            trained[place] = Some(Trained {
                network,
                start: (*starts[place]).clone(),
                success,
                losses: std::mem::take(&mut losses[place]),
                evaluation,
                evaluations: std::mem::take(&mut evaluated[place]),
                tries: 1,
            });
        }
        if done.len() == running.places.len() {
            break;
        }
        if !done.is_empty() {
            running = running.without(&done);
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
            source: TrialSource::new(&options.task, starts, seeds.to_vec(), device),
            settling: vec![Settling::default(); seeds.len()],
            pending: Vec::new(),
        }
    }

    /// The networks that are evaluated after this update.
    fn due(&self, options: &RateOptions, update: usize) -> Vec<usize> {
        let due = |&k: &usize| self.settling[k].due(options, update);
        (0..self.places.len()).filter(due).collect()
    }

    /// Updates every network once; `update` counts from 0. Returns before the
    /// device is done.
    pub fn update(&mut self, options: &RateOptions, update: usize) {
        let settling = self.settling.iter();
        let strengths: Vec<f32> = settling
            .map(|each| each.fluctuations(options, update))
            .collect();
        let range = TrialRange {
            stream: Stream::Training,
            first: (update * options.batch) as u64,
            trials: options.batch,
            fluctuating: strengths.iter().any(|&strength| strength > 0.0),
            jitter: 0.0,
        };
        let drive = drive(options, &self.source, range, &strengths);
        let outputs = self.model.forward(&drive);
        let target = Tensor::from_inner(drive.trials.target);
        let losses = losses(outputs, target, options.loss);
        self.pending.push(losses.clone().inner());
        // The gradient is the sum's, so that a network's part does not depend on the
        // number of networks.
        let settling = self.settling.iter();
        let rates: Vec<f64> = settling
            .map(|each| each.learning_rate(options, update))
            .collect();
        self.model = self.adam.step(&rates, self.model.clone(), losses.sum());
    }

    /// Adds the losses since the last time to those of each network, up to the
    /// first one that is not finite, and returns the mean of the last update.
    fn fetch(&mut self, losses: &mut [Vec<f32>]) -> f32 {
        let k = self.places.len();
        let values = numbers(Tensor::cat(std::mem::take(&mut self.pending), 0));
        for update in values.chunks_exact(k) {
            for (place, loss) in self.places.iter().zip(update) {
                let losses = &mut losses[*place];
                if losses.last().is_none_or(|last| last.is_finite()) {
                    losses.push(*loss);
                }
            }
        }
        values.iter().rev().take(k).sum::<f32>() / k as f32
    }

    /// Scores these networks on [`EVALUATION_TRIALS`] trials of their own.
    fn evaluations(
        &self,
        options: &RateOptions,
        update: usize,
        places: &[usize],
    ) -> Vec<Evaluation> {
        if places.is_empty() {
            return Vec::new();
        }
        let (model, source) = (self.model.select(places), self.source.select(places));
        let strength = |&k: &usize| self.settling[k].test_fluctuations(options, update);
        let strengths: Vec<f32> = places.iter().map(strength).collect();
        let (k, samples) = (places.len(), options.task.samples());
        let most = (EVALUATION_NUMBERS / (k * samples * options.units)).max(1);
        let objective = Objective::new(&options.task, options.loss);
        let mut evaluations = vec![Evaluation::default(); k];
        let mut done = 0;
        while done < EVALUATION_TRIALS {
            let trials = (EVALUATION_TRIALS - done).min(most);
            let range = TrialRange {
                stream: Stream::Evaluation,
                first: (update * EVALUATION_TRIALS + done) as u64,
                trials,
                fluctuating: strengths.iter().any(|&strength| strength > 0.0),
                jitter: 0.0,
            };
            let drive = drive(options, &source, range, &strengths);
            let outputs = numbers(model.outputs(&drive));
            let size = trials * (samples - 1);
            evaluations
                .par_iter_mut()
                .zip(outputs.par_chunks_exact(size))
                .zip(drive.trials.target_values.par_chunks_exact(size))
                .zip(drive.trials.labels.par_chunks_exact(trials))
                .for_each(|(((evaluation, outputs), target), labels)| {
                    evaluation.add_trials(AnsweredTrials {
                        task: &options.task,
                        objective: &objective,
                        outputs,
                        target,
                        mask: None,
                        labels,
                    });
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

    /// The networks but those in these places.
    fn without(self, done: &[usize]) -> Self {
        let left = (0..self.places.len()).filter(|k| !done.contains(k));
        let left: Vec<usize> = left.collect();
        Self {
            places: left.iter().map(|&k| self.places[k]).collect(),
            model: self.model.select(&left),
            adam: self.adam.select(&left),
            source: self.source.select(&left),
            settling: left.iter().map(|&k| self.settling[k]).collect(),
            pending: self.pending,
        }
    }
}

/// The deviates of networks whose fluctuations have these strengths, K × T × B ×
/// N, where the back end is told the strongest.
fn scaled<B: SideBySide>(
    deviates: Tensor<B, 4>,
    strengths: &[f32],
    strongest: f32,
) -> Tensor<B, 4> {
    if strengths.iter().all(|&strength| strength == strongest) {
        return deviates;
    }
    let factors: Vec<f32> = strengths
        .iter()
        .map(|strength| (strength / strongest).sqrt())
        .collect();
    let factors = Tensor::<B, 1>::from_floats(factors.as_slice(), &deviates.device());
    deviates * factors.reshape([strengths.len(), 1, 1, 1])
}

/// The drive of networks whose fluctuations have these strengths.
fn drive<B: SideBySide>(
    options: &RateOptions,
    source: &TrialSource<B>,
    range: TrialRange,
    strengths: &[f32],
) -> Drive<B> {
    let strongest = strengths.iter().copied().fold(0.0, f32::max);
    let mut trials = B::draw(source, range);
    trials.fluctuations = trials
        .fluctuations
        .map(|deviates| scaled(deviates, strengths, strongest));
    Drive {
        activation: options.activation.activation(),
        fluctuations: strongest,
        trials,
    }
}

fn numbers<B: SideBySide, const D: usize>(tensor: Tensor<B, D>) -> Vec<f32> {
    let data = tensor.into_data().convert::<f32>();
    data.into_vec().expect("the data were converted to f32")
}

#[cfg(test)]
mod tests {
    use burn::backend::Flex;

    use super::*;
    use crate::rate::activation::ActivationKind;
    use crate::rate::training::Training;
    use crate::task::Task;

    /// The loss of the eighth update of a network alone.
    fn alone(options: &RateOptions, seed: u64, since: Option<usize>) -> f32 {
        let mut training = Training::new(RateOptions {
            seed,
            ..options.clone()
        });
        training.losses = vec![0.0; 7];
        training.settling.since = since;
        training.update()
    }

    #[test]
    fn a_network_that_settles_fluctuates_more_beside_one_that_does_not() {
        let options = RateOptions {
            batch: 2,
            fluctuations: 1.0,
            settle_fluctuations: 5.0,
            ..RateOptions::defaults(Task::go_nogo(), 12, ActivationKind::Lif)
        };
        let mut running = Running::<Flex>::start(&options, &[5, 6], &Default::default());
        running.settling[1].since = Some(3);
        running.update(&options, 7);
        let found = numbers(running.pending.remove(0));
        let wanted = [alone(&options, 5, None), alone(&options, 6, Some(3))];
        for (found, wanted) in found.iter().zip(wanted) {
            assert!((found / wanted - 1.0).abs() < 1e-4, "{found} {wanted}");
        }
        let calm = alone(&options, 6, None);
        assert!(
            (calm / wanted[1] - 1.0).abs() > 1e-3,
            "{calm} {}",
            wanted[1]
        );
    }
}
