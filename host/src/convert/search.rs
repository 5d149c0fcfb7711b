//! The search for λ: the network is simulated with each candidate, and the best
//! one wins.
//!
//! The best candidate has the most right answers. Where several have equally
//! many, the one whose output comes closest to the target wins (least root mean
//! square over the ends of all samples): the published code takes the first of
//! them, which lies at the edge of a plateau, and its output may then be twice
//! the target.
//!
//! All candidates meet the same trials with the same noise, so that they differ
//! in λ alone. In a race a candidate leaves as soon as it cannot win: it is
//! further behind the leader than there are trials left, or the trials on which
//! the two differ speak against it (one-sided sign test, [`SIGN_TEST_LEVEL`]). Where
//! no trial speaks for it, the distances of the output from the target are compared
//! in the same way, and the mean square must be well above the leader's.

use std::cmp::Ordering;
use std::convert::Infallible;

use rate2spike_core::decision::Kind;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{ConvertError, one_to_one};
use crate::rate::activation::{ActivationKind, LIF_LAMBDA};
use crate::rate::network::RateNetwork;
use crate::spiking::experiment::{Experiment, Outcome, clock, spread_of_targets};
use crate::spiking::network::SpikingNetwork;
use crate::spiking::neuron::Neuron;
use crate::spiking::tables::OwnedTables;
use crate::spiking::time_step::TimeStep;
use crate::spiking::trial::Memory;
use crate::statistics::{Interval, sign_test};
use crate::task::Task;
use crate::task::samples::SampleSums;

/// The scaling factors to search where none are given: only λ₀ for a network
/// that was trained for it, else the published ones (those of relu and softplus
/// are in the supporting information).
pub fn default_lambdas(activation: ActivationKind) -> Vec<f64> {
    let (first, step, count) = match activation {
        ActivationKind::Lif => (LIF_LAMBDA, 0.0, 1),
        ActivationKind::Sigmoid => (20.0, 5.0, 12),
        ActivationKind::ClippedRelu | ActivationKind::Softplus => (4.0, 2.0, 12),
    };
    (0..count).map(|k| first + step * f64::from(k)).collect()
}

/// Chance that a candidate as good as the leader leaves the race at one look.
pub const SIGN_TEST_LEVEL: f64 = 0.01;

/// How much larger than the leader's the mean square distance from the target is of a candidate
/// that leaves for its distance: what is closer to the leader may still turn out the better one.
const CLEARLY_FURTHER: f64 = 1.3;

/// Trials of each candidate between two looks of a race.
const RACE_TRIALS: usize = 5;

/// Trials between two looks where no candidate leaves: the trials that a crash
/// can cost.
const ROUND_TRIALS: usize = 50;

/// A search for λ.
#[derive(Clone, Debug)]
pub struct Search<'a> {
    /// The rate network.
    pub network: &'a RateNetwork,
    /// The task of the network.
    pub task: Task,
    /// The neuron.
    pub neuron: Neuron,
    /// The time step.
    pub step: TimeStep,
    /// Candidates.
    pub lambdas: &'a [f64],
    /// Trials of each candidate; all candidates meet the same trials.
    pub trials: usize,
    /// Seed of the trials.
    pub seed: u64,
    /// True if candidates that cannot win leave early.
    pub race: bool,
}

/// The results of one candidate's trials.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CandidateTally {
    /// 1 for each trial that was right by the published criterion, else 0.
    correct: Vec<u8>,
    /// Number of trials that were right by the strict criterion.
    strict: usize,
    /// Number of spikes.
    spikes: u64,
    /// The output's mean square distance from the target in each trial.
    squared_errors: Vec<f64>,
    /// Sum over the trials of the share of right samples, where each sample has a label.
    #[serde(default)]
    shares: f64,
    /// Sums over all samples.
    #[serde(default)]
    samples: SampleSums,
}

/// The state of a search: a tally for each candidate.
pub type Standing = Vec<CandidateTally>;

/// The score of one candidate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Candidate {
    /// λ.
    pub lambda: f64,
    /// Trials that the candidate met; in a race, fewer if it left.
    pub trials: usize,
    /// Share of right answers by the published criterion.
    pub accuracy: f64,
    /// 95 % interval of the accuracy.
    pub interval: Interval,
    /// Share of right answers by the strict criterion.
    pub strict: f64,
    /// Mean firing rate, Hz.
    pub mean_rate_hz: f64,
    /// Root mean square of the output's distance from the target.
    pub output_error: f64,
}

impl CandidateTally {
    fn add(&mut self, outcome: &Outcome) {
        self.correct.push(outcome.correct.into());
        self.strict += usize::from(outcome.strict);
        self.spikes += outcome.spikes;
        self.squared_errors.push(outcome.samples.mean_square());
        self.shares += outcome.samples.share();
        self.samples = self.samples.and(&outcome.samples);
    }

    fn successes(&self) -> usize {
        self.correct
            .iter()
            .map(|&correct| usize::from(correct))
            .sum()
    }

    /// Trials that this one got right and `other` wrong.
    fn better_on(&self, other: &Self) -> usize {
        let pairs = self.correct.iter().zip(&other.correct);
        pairs.filter(|(mine, theirs)| mine > theirs).count()
    }

    /// Trials in which the output of this one came closer to the target than that of `other`.
    fn closer_on(&self, other: &Self) -> usize {
        let pairs = self.squared_errors.iter().zip(&other.squared_errors);
        pairs.filter(|(mine, theirs)| mine < theirs).count()
    }

    /// The sum of the squared errors.
    fn squared_error(&self) -> f64 {
        self.squared_errors.iter().sum()
    }

    /// The better one is the greater one: more right answers, then the closer output. An output
    /// that is no number is never the closer one.
    fn rank(&self, other: &Self) -> Ordering {
        let closer = other.squared_error().total_cmp(&self.squared_error());
        self.successes().cmp(&other.successes()).then(closer)
    }
}

/// A search whose networks are built.
#[derive(Debug)]
pub struct Contest<'a> {
    search: &'a Search<'a>,
    networks: Vec<OwnedTables<f32>>,
}

impl Search<'_> {
    /// Builds the network of each candidate.
    ///
    /// # Errors
    /// If a λ is not positive or the network not finite.
    pub fn contest(&self) -> Result<Contest<'_>, ConvertError> {
        let network = |&lambda| one_to_one(self.network, lambda, self.neuron);
        let tables = |network: SpikingNetwork| network.tables(&self.step);
        let networks = self
            .lambdas
            .iter()
            .map(|lambda| network(lambda).map(tables));
        Ok(Contest {
            search: self,
            networks: networks.collect::<Result<_, _>>()?,
        })
    }

    /// Scores the candidates.
    ///
    /// # Errors
    /// The errors of [`Search::contest`].
    pub fn scores(&self) -> Result<Vec<Candidate>, ConvertError> {
        let contest = self.contest()?;
        let Ok(candidates) = contest.run::<Infallible>(Standing::new(), |_| Ok(()));
        Ok(candidates)
    }

    /// The candidates that can still win after `done` trials.
    fn racing(&self, standing: &Standing, done: usize) -> Vec<usize> {
        let present = (0..standing.len()).filter(|&k| standing[k].correct.len() == done);
        if !self.race {
            return present.collect();
        }
        let leader = present.clone().map(|k| &standing[k]);
        let Some(leader) = leader.max_by(|a, b| a.rank(b)) else {
            return Vec::new();
        };
        present
            .filter(|&k| {
                let own = &standing[k];
                let (lost, won) = (leader.better_on(own), own.better_on(leader));
                let reachable = lost <= won + self.trials - done;
                let speak_against = |lost, won| sign_test(lost, won) < SIGN_TEST_LEVEL;
                let further = || {
                    own.squared_error() > CLEARLY_FURTHER * leader.squared_error()
                        && speak_against(leader.closer_on(own), own.closer_on(leader))
                };
                // Where samples are right or wrong, the distance does not rank candidates.
                let compared = won == 0 && self.task.definition().kind != Kind::Label;
                reachable && !speak_against(lost, won) && !(compared && further())
            })
            .collect()
    }

    fn candidates(&self, standing: &Standing) -> Vec<Candidate> {
        let seconds = f64::from(clock(&self.task, &self.step).steps) * self.step.ms / 1000.0;
        let candidate = |(&lambda, tally): (&f64, &CandidateTally)| {
            let trials = tally.correct.len();
            let n = trials as f64;
            let (accuracy, strict) = match self.task.definition().kind {
                Kind::Label => (tally.shares / n, tally.shares / n),
                Kind::Track => {
                    let spread =
                        spread_of_targets(&self.task, self.step.every(), self.seed, trials);
                    let r2 = tally.samples.r2(spread);
                    (r2, r2)
                }
                _ => (tally.successes() as f64 / n, tally.strict as f64 / n),
            };
            let right = (accuracy.clamp(0.0, 1.0) * n).round() as usize;
            Candidate {
                lambda,
                trials,
                accuracy,
                interval: Interval::wilson(right, trials),
                strict,
                mean_rate_hz: tally.spikes as f64
                    / (seconds * self.network.units as f64 * trials as f64),
                output_error: (tally.squared_error() / trials as f64).sqrt(),
            }
        };
        self.lambdas.iter().zip(standing).map(candidate).collect()
    }

    /// A number that tells one search from another. A standing belongs to the
    /// search with its fingerprint.
    pub fn fingerprint(&self) -> u64 {
        let crc = crc::Crc::<u64>::new(&crc::CRC_64_XZ);
        let mut digest = crc.digest();
        let Self {
            task, neuron, step, ..
        } = self;
        // A task's own fingerprint: its debug form holds addresses, which differ from
        // run to run.
        let task = task.fingerprint();
        let settings = (task, neuron, step, self.lambdas, self.trials, self.seed);
        digest.update(format!("{settings:?} {}", self.race).as_bytes());
        let network = self.network;
        let weights = network.effective_weights();
        for values in [&weights, &network.w_in, &network.readout.weights] {
            digest.update(bytemuck::cast_slice(values));
        }
        digest.update(bytemuck::cast_slice(&network.decay_steps()));
        digest.finalize()
    }
}

impl Contest<'_> {
    /// Scores the candidates from `standing` on. It is empty at the start; later
    /// it is a standing that `after_round` saw in an earlier run of the same
    /// search. The result depends neither on where a run was cut nor on the
    /// number of threads.
    ///
    /// # Errors
    /// The errors of `after_round`.
    pub fn run<E>(
        &self,
        mut standing: Standing,
        mut after_round: impl FnMut(&Standing) -> Result<(), E>,
    ) -> Result<Vec<Candidate>, E> {
        let search = self.search;
        standing.resize(search.lambdas.len(), CandidateTally::default());
        let most = if search.race {
            RACE_TRIALS
        } else {
            ROUND_TRIALS
        };
        loop {
            let done = trials_met(&standing);
            if done >= search.trials {
                return Ok(search.candidates(&standing));
            }
            let trials = done..(done + most).min(search.trials);
            let jobs: Vec<(usize, usize)> = search
                .racing(&standing, done)
                .into_iter()
                .flat_map(|candidate| trials.clone().map(move |trial| (candidate, trial)))
                .collect();
            let outcomes = self.outcomes(&jobs);
            for ((candidate, _), outcome) in jobs.iter().zip(&outcomes) {
                standing[*candidate].add(outcome);
            }
            after_round(&standing)?;
        }
    }

    /// The outcomes of (candidate, trial), graded sample by sample, on all cores.
    fn outcomes(&self, jobs: &[(usize, usize)]) -> Vec<Outcome> {
        let Search {
            task, step, seed, ..
        } = self.search;
        let memory = || Memory::of(&self.networks[0].tables());
        jobs.par_iter()
            .map_init(memory, |memory, &(candidate, trial)| {
                let network = self.networks[candidate].tables();
                Experiment::floating(&network, task, step, *seed).graded(memory, trial as u64)
            })
            .collect()
    }
}

/// Number of trials that each candidate left in the search has run.
pub fn trials_met(standing: &Standing) -> usize {
    let met = standing.iter().map(|tally| tally.correct.len());
    met.max().unwrap_or(0)
}

/// The best candidate among those that met all trials: the most right answers,
/// then the output that is closest to the target, then the first.
pub fn best(candidates: &[Candidate]) -> Option<&Candidate> {
    let trials = candidates.iter().map(|candidate| candidate.trials).max()?;
    candidates
        .iter()
        .filter(|candidate| candidate.trials == trials)
        .reduce(|best, next| {
            // An output that is no number is never the closest.
            let closer = next.accuracy == best.accuracy
                && (next.output_error < best.output_error || best.output_error.is_nan());
            if next.accuracy > best.accuracy || closer {
                next
            } else {
                best
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rate::options::RateOptions;

    fn tally(text: &str) -> CandidateTally {
        CandidateTally {
            correct: text.bytes().map(|byte| byte - b'0').collect(),
            ..CandidateTally::default()
        }
    }

    fn search<'a>(network: &'a RateNetwork, lambdas: &'a [f64], race: bool) -> Search<'a> {
        Search {
            network,
            task: Task::go_nogo(),
            neuron: Neuron::LIF,
            step: TimeStep::new(0.5, rate2spike_core::neuron::Scheme::Exact).expect("a step"),
            lambdas,
            trials: 100,
            seed: 3,
            race,
        }
    }

    fn network() -> RateNetwork {
        RateNetwork::start(&RateOptions::published(Task::go_nogo(), 30))
    }

    #[test]
    fn who_cannot_win_leaves_the_race() {
        let network = network();
        let lambdas = [20.0, 30.0, 40.0];
        let search = search(&network, &lambdas, true);
        let standing = vec![
            tally("11111111111111111111"),
            tally("11111111110000000000"),
            tally("11111111111111111100"),
        ];
        // Ten trials to none, p = 2⁻¹⁰; two to none, p = 1/4.
        assert_eq!(search.racing(&standing, 20), [0, 2]);
        // Two trials behind with one left.
        let late = Search {
            trials: 21,
            ..search.clone()
        };
        assert_eq!(late.racing(&standing, 20), [0]);
        let exhaustive = Search {
            race: false,
            ..search.clone()
        };
        assert_eq!(exhaustive.racing(&standing, 20), [0, 1, 2]);
    }

    #[test]
    fn an_output_that_is_further_from_the_target_leaves_unless_a_trial_speaks_for_it() {
        let network = network();
        let lambdas = [20.0, 30.0, 40.0, 50.0];
        let search = search(&network, &lambdas, true);
        let with_errors = |correct, error: f64| CandidateTally {
            squared_errors: vec![error; 10],
            ..tally(correct)
        };
        let standing = vec![
            with_errors("1111111110", 0.5),
            with_errors("1111111110", 0.2),
            // Right where the leader is wrong.
            with_errors("1111111001", 0.5),
            // Further in all trials, and not clearly.
            with_errors("1111111110", 0.25),
        ];
        assert_eq!(search.racing(&standing, 10), [1, 2, 3]);
        // Three trials cannot tell.
        let short = |tally: &CandidateTally| CandidateTally {
            correct: tally.correct[..3].to_vec(),
            squared_errors: tally.squared_errors[..3].to_vec(),
            ..CandidateTally::default()
        };
        let standing: Vec<_> = standing.iter().map(short).collect();
        assert_eq!(search.racing(&standing, 3), [0, 1, 2, 3]);
    }

    #[test]
    fn a_search_that_was_cut_anywhere_ends_as_one_that_was_not() {
        let network = network();
        let lambdas = [20.0, 40.0, 60.0];
        for race in [false, true] {
            let search = search(&network, &lambdas, race);
            let mut standings = vec![Standing::new()];
            let contest = search.contest().expect("a network that converts");
            let Ok(whole) = contest.run::<Infallible>(Standing::new(), |standing| {
                standings.push(standing.clone());
                Ok(())
            });
            for standing in standings {
                let text = serde_json::to_string(&standing).expect("plain numbers");
                let read = serde_json::from_str(&text).expect("what was written");
                let Ok(rest) = contest.run::<Infallible>(read, |_| Ok(()));
                assert_eq!(rest, whole);
            }
        }
    }

    #[test]
    fn the_winner_met_all_trials_and_a_tie_goes_to_the_closest_output() {
        let candidate = |lambda, trials, accuracy| Candidate {
            lambda,
            trials,
            accuracy,
            interval: Interval::wilson(0, 1),
            strict: 0.0,
            mean_rate_hz: 0.0,
            output_error: f64::abs(lambda - 40.0),
        };
        let lambda = |candidates: &[Candidate]| best(candidates).map(|best| best.lambda);
        let candidates = [
            candidate(20.0, 10, 1.0),
            candidate(25.0, 100, 0.9),
            candidate(30.0, 100, 0.8),
        ];
        assert_eq!(lambda(&candidates), Some(25.0));
        // A plateau: the output of 40 is the closest to the target.
        let plateau = [30.0, 35.0, 40.0, 45.0].map(|lambda| candidate(lambda, 100, 1.0));
        assert_eq!(lambda(&plateau), Some(40.0));
        // An output that is no number is never the closest.
        let mut broken = plateau;
        broken[2].output_error = f64::NAN;
        assert_eq!(lambda(&broken), Some(35.0));
    }
}
