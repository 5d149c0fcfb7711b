//! The route from a rate network to a deployed one: convert, quantize, and a
//! score at each stage.
//!
//! ```text
//! Route ─convert→ Converted (SpikingNetwork, score in f64) ─deploy→ Deployment (bytes, score in its numbers)
//! ```
//!
//! `pipeline`, `sweep` and the tests go this way. The trials by which a λ or a
//! calibration is chosen are others than those of the scores: a winner looks
//! better on its own trials than it is.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::time::Instant;

use rate2spike_core::decision::Kind;
use rate2spike_core::neuron::Membrane;

use crate::convert::calibrate::{CalibrateError, Found, Request, TooFew};
use crate::convert::refit::{RefitTrials, TriedRefit, try_refit};
use crate::convert::search::{Candidate, Search, Standing, best, default_lambdas, trials_met};
use crate::convert::{ConvertError, one_to_one};
use crate::quantize::longest_step::{Comparison, DeployedStep};
use crate::quantize::{ArithmeticName, QuantizeError, Quantized, check_decays};
use crate::random::{Stream, seed_of};
use crate::rate::activation::{ActivationKind, LIF_LAMBDA};
use crate::rate::evaluation::{Evaluation, EvaluationTrials, evaluate};
use crate::rate::network::RateNetwork;
use crate::rate::options::{DecayTaus, RateOptions};
use crate::rate::restarts::GOOD_ENOUGH;
use crate::readout::Readout;
use crate::spiking::experiment::{Experiment, Outcome, Score};
use crate::spiking::network::SpikingNetwork;
use crate::spiking::neuron::Neuron;
use crate::spiking::time_step::{StepError, TimeStep};
use crate::statistics::Accuracy;
use crate::task::Task;
use crate::task::description::Part;
use crate::task::samples::is_graded;

/// The most trials to which the readout of a calibrated classifier is fitted, by one mean a
/// trial …
const CLASSIFIER_TRIALS: usize = 500;

/// … and that of another network, by all samples.
const REFIT_TRIALS: usize = 200;

/// The choice of a network's scaling.
#[derive(Clone, Debug, PartialEq)]
pub enum Scaling {
    /// A λ that is taken as it is.
    Given(f64),
    /// The λ that the network was trained for, or a calibration where the
    /// network does not spike well enough with it.
    Trained(f64),
    /// The best of these λ.
    Searched(Vec<f64>),
    /// A scale, an offset and a λ of its own for each unit. The readout is then fitted to the
    /// spikes, except where the output is scored sample by sample.
    Calibrated,
}

impl Scaling {
    /// The scaling of a network with this activation where nothing is asked for: λ₀ of the
    /// transfer function `lif`, else a search among the default candidates.
    pub fn by_default(activation: ActivationKind) -> Self {
        match activation {
            ActivationKind::Lif => Self::Trained(LIF_LAMBDA),
            other => Self::among(default_lambdas(other)),
        }
    }

    /// The best of `lambdas`; a single one is taken as it is.
    pub fn among(lambdas: Vec<f64>) -> Self {
        match lambdas[..] {
            [lambda] => Self::Given(lambda),
            _ => Self::Searched(lambdas),
        }
    }
}

/// A rate network, and how it is carried to a microcontroller.
#[derive(Clone, Debug)]
pub struct Route<'a> {
    /// The rate network.
    pub network: &'a RateNetwork,
    /// The task of the network.
    pub task: Task,
    /// The spiking neuron.
    pub neuron: Neuron,
    /// The choice of λ.
    pub scaling: Scaling,
    /// The time step of a search for λ; `None` for the step that ships.
    pub search_step: Option<TimeStep>,
    /// The time step that ships.
    pub step: DeployedStep,
    /// The numbers of the network that ships.
    pub numbers: ArithmeticName,
    /// Trials of each candidate of a search or a calibration.
    pub search_trials: usize,
    /// Trials of each score.
    pub trials: usize,
    /// Seed of the trials.
    pub seed: u64,
}

/// How far a route has come, for a progress bar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Progress {
    /// The search for λ: trials of each candidate.
    Search {
        /// Trials made.
        trials: usize,
    },
    /// The search for the longest time step.
    Step {
        /// The step that is compared, ms.
        ms: f64,
        /// Trials made.
        trials: usize,
    },
}

/// Where the scaling of a converted network comes from.
#[derive(Clone, Debug)]
pub enum Origin {
    /// λ was given, or the network was trained for it.
    Known,
    /// The best of these candidates.
    Searched(Vec<Candidate>),
    /// A calibration.
    Calibrated(Box<Calibrated>),
}

/// A calibration, and the readout that was fitted after it.
#[derive(Clone, Debug)]
pub struct Calibrated {
    /// The calibration.
    pub found: Found,
    /// The score for which the network was calibrated; `None` where that was asked for.
    pub because: Option<TooFew>,
    /// Trials to which the readout was fitted; `None` where it was not fitted.
    pub refitted: Option<usize>,
    /// The fitted readout, if it is no worse.
    pub readout: Option<Readout<f64>>,
}

/// A converted network.
#[derive(Clone, Debug)]
pub struct Converted {
    /// The network.
    pub network: SpikingNetwork,
    /// The origin of the network's scaling.
    pub origin: Origin,
    /// The step that ships.
    pub step: TimeStep,
    /// The steps that were compared to find it; empty if it was given.
    pub comparisons: Vec<Comparison>,
    /// The network's trials in f64 at the published step.
    pub outcomes: Vec<Outcome>,
    /// The score of the trials.
    pub score: Score,
}

/// A deployed network.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// The network as bytes, and what was lost.
    pub quantized: Quantized,
    /// Time that the quantization took, s.
    pub quantize_seconds: f64,
    /// The trials of the network that ships: the same as those of the spiking network.
    pub outcomes: Vec<Outcome>,
    /// The score of the trials.
    pub score: Score,
}

/// A route that does not lead through.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum RouteError {
    /// The time step.
    #[error(transparent)]
    Step(#[from] StepError),
    /// The conversion.
    #[error(transparent)]
    Convert(#[from] ConvertError),
    /// The calibration.
    #[error(transparent)]
    Calibrate(#[from] CalibrateError),
    /// The quantization.
    #[error("{source}{}", way_out(.source))]
    Quantize {
        /// Why.
        #[from]
        source: QuantizeError,
    },
    /// A search among no candidates.
    #[error("there is no scaling factor to search; give at least one")]
    NoCandidate,
}

/// Advice for a converted network that cannot be quantized, to follow the error. A
/// network that comes from a graph has no λ, so that the advice is not part of the error.
pub fn way_out(error: &QuantizeError) -> &'static str {
    match error {
        QuantizeError::Current { .. } => ": use a larger lambda",
        _ => "",
    }
}

impl Converted {
    /// The candidates of the search for λ; empty where nothing was searched.
    pub fn candidates(&self) -> &[Candidate] {
        match &self.origin {
            Origin::Searched(candidates) => candidates,
            _ => &[],
        }
    }

    /// Whether the readout was fitted to the spikes.
    pub fn has_fitted_readout(&self) -> bool {
        match &self.origin {
            Origin::Calibrated(made) => made.readout.is_some(),
            _ => false,
        }
    }

    /// Accuracy on the trials that chose the scaling.
    pub fn search_accuracy(&self) -> Option<f64> {
        match &self.origin {
            Origin::Known => None,
            Origin::Searched(candidates) => best(candidates).map(|best| best.accuracy),
            Origin::Calibrated(made) => Some(made.found.score.accuracy()),
        }
    }
}

/// Refuses before a training what would fail after it: a time step in which the
/// decay times that the training may reach have no form in these numbers.
///
/// # Errors
/// [`RouteError::Step`] or [`RouteError::Quantize`].
pub fn check_step(
    step: DeployedStep,
    numbers: ArithmeticName,
    neuron: &Neuron,
    options: &RateOptions,
) -> Result<TimeStep, RouteError> {
    let first = step.first()?;
    first.check_sample(options.task.sample_ms())?;
    if numbers == ArithmeticName::F32 {
        return Ok(first);
    }
    let (least, most) = match options.taus {
        DecayTaus::Fixed(tau) => (tau, tau),
        DecayTaus::Trained(least, most) => (least, most),
    };
    for tau in [least, most] {
        check_decays(neuron, f64::from(tau) * options.task.sample_ms(), &first)?;
    }
    Ok(first)
}

/// The scores of a rate network on trials that its training has not seen, with the
/// fluctuations of its training.
pub fn rate_evaluation(network: &RateNetwork, options: &RateOptions, trials: usize) -> Evaluation {
    let fresh = EvaluationTrials::fresh(options.seed, trials, options.fluctuations);
    evaluate(network, &options.task, options.loss, fresh)
}

/// The accuracy of [`rate_evaluation`].
pub fn rate_accuracy(network: &RateNetwork, options: &RateOptions, trials: usize) -> Accuracy {
    let evaluation = rate_evaluation(network, options, trials);
    evaluation.scores(&options.task)
}

/// Whether a calibration knows the rate of this neuron: without noise it jumps at the
/// threshold, and that of the quadratic neuron has no formula here.
fn can_be_calibrated(neuron: &Neuron) -> bool {
    neuron.noise_mv > 0.0 && neuron.membrane == Membrane::Leaky
}

/// How far from [`GOOD_ENOUGH`] a grade must lie: chance decides about a nearer one, which takes
/// [`DOUBTFUL_TRIALS`] times as many trials.
const DOUBT: f64 = 0.015;

/// See [`DOUBT`].
const DOUBTFUL_TRIALS: usize = 4;

/// How often a deployed network is right, by the criterion that is met less often.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grade {
    /// The share of right answers, from 0 to 1.
    pub right: f64,
    /// Number of trials.
    pub trials: usize,
}

/// Grades the networks of a training by their deployed forms, and keeps the last conversion
/// for the network that wins.
#[derive(Debug)]
pub struct DeployedGrades {
    starts: usize,
    last: RefCell<Option<(RateNetwork, Converted, Grade)>>,
    seconds: Cell<f64>,
}

impl DeployedGrades {
    /// Grades for a training from this number of starts.
    pub fn new(starts: usize) -> Self {
        Self {
            starts,
            last: RefCell::default(),
            seconds: Cell::default(),
        }
    }

    /// The share of some trials, from 0 to 1, in which the deployed network is right; 1 for a
    /// network that the training keeps in any case. 0 for a route that does not lead through.
    pub fn of(&self, route: &Route<'_>) -> f64 {
        if !self.are_asked(route) {
            return 1.0;
        }
        let clock = Instant::now();
        let converted = route.convert(&mut |_| {}).ok();
        let last = converted.map(|found| {
            let grade = route.grade(&found);
            (route.network.clone(), found, grade)
        });
        let right = last.as_ref().map_or(0.0, |(.., grade)| grade.right);
        self.last.replace(last);
        self.seconds
            .set(self.seconds.get() + clock.elapsed().as_secs_f64());
        right
    }

    /// Converts the network of the route, unless it is the one that was graded last. Where the
    /// training `is_tried`, a network with its trained λ that no try has made good enough is
    /// calibrated, if it is right more often then. Also returns the grade, if it is still too low:
    /// no other try and no other start had a higher one.
    ///
    /// # Errors
    /// [`RouteError`].
    pub fn convert(
        &self,
        route: &Route<'_>,
        is_tried: bool,
        told: &mut impl FnMut(Progress),
    ) -> Result<(Converted, Option<Grade>), RouteError> {
        let (converted, known) = match self.last.take() {
            Some((network, converted, grade)) if network == *route.network => {
                (converted, Some(grade))
            }
            _ => (route.convert(told)?, None),
        };
        if !is_tried || !self.are_asked(route) {
            return Ok((converted, None));
        }
        let before = known.unwrap_or_else(|| route.grade(&converted));
        if before.right >= GOOD_ENOUGH {
            return Ok((converted, None));
        }
        let may_calibrate = matches!(route.scaling, Scaling::Trained(_))
            && matches!(converted.origin, Origin::Known)
            && can_be_calibrated(&route.neuron);
        if !may_calibrate {
            return Ok((converted, Some(before)));
        }
        let route = Route {
            scaling: Scaling::Calibrated,
            ..route.clone()
        };
        let mut calibrated = route.convert(told)?;
        let after = route.grade(&calibrated);
        if after.right <= before.right {
            return Ok((converted, Some(before)));
        }
        if let Origin::Calibrated(made) = &mut calibrated.origin {
            made.because = Some(TooFew {
                lambda: converted.network.lambda,
                right: before.right,
                enough: GOOD_ENOUGH,
                trials: before.trials,
            });
        }
        let shortfall = (after.right < GOOD_ENOUGH).then_some(after);
        Ok((calibrated, shortfall))
    }

    /// Whether the training keeps a network by its grade.
    fn are_asked(&self, route: &Route<'_>) -> bool {
        self.starts > 1 || route.has_tries()
    }

    /// Time that the grades took, s.
    pub fn seconds(&self) -> f64 {
        self.seconds.get()
    }
}

impl Route<'_> {
    /// Chooses the scaling, converts, finds the time step that ships, and scores
    /// at the published step.
    ///
    /// # Errors
    /// [`RouteError`].
    pub fn convert(&self, told: &mut impl FnMut(Progress)) -> Result<Converted, RouteError> {
        let first_step = self.step.first()?;
        let (network, origin) = self.scaled(&first_step, told)?;
        let looked = |ms, trials| told(Progress::Step { ms, trials });
        let (step, comparisons) =
            (self.step).find(&network, &self.task, self.numbers, self.seed, looked)?;
        // A calibration, and a λ that was searched, belong to the step that ships.
        let belongs = match origin {
            Origin::Known => false,
            Origin::Searched(_) => self.search_step.is_none(),
            Origin::Calibrated(_) => true,
        };
        let (network, origin) = if belongs && step != first_step {
            self.scaled(&step, told)?
        } else {
            (network, origin)
        };
        let published = TimeStep::PUBLISHED;
        let tables = network.tables::<f64>(&published);
        let tables = tables.tables();
        let experiment = Experiment::floating(&tables, &self.task, &published, self.seed);
        let outcomes = experiment.outcomes(0, self.trials);
        Ok(Converted {
            score: experiment.summary(&outcomes),
            outcomes,
            network,
            origin,
            step,
            comparisons,
        })
    }

    /// Quantizes a converted network, and scores it in the numbers that ship.
    ///
    /// # Errors
    /// [`RouteError::Quantize`].
    pub fn deploy(&self, converted: &Converted) -> Result<Deployment, RouteError> {
        let clock = Instant::now();
        let quantized = self.quantized(converted)?;
        let quantize_seconds = clock.elapsed().as_secs_f64();
        let (outcomes, score) =
            (self.numbers).scored(&quantized.bytes, &self.task, self.seed, self.trials);
        Ok(Deployment {
            score,
            outcomes,
            quantize_seconds,
            quantized,
        })
    }

    fn quantized(&self, converted: &Converted) -> Result<Quantized, QuantizeError> {
        let (network, step) = (&converted.network, &converted.step);
        self.numbers.quantize(network, &self.task, step)
    }

    /// Whether a training from one start has several tries: the published conversion, and a λ
    /// that is given, take the first network that meets the criterion.
    fn has_tries(&self) -> bool {
        matches!(self.scaling, Scaling::Trained(_) | Scaling::Calibrated)
    }

    /// The grade of the deployed network. The trials are neither those that chose its scaling nor
    /// those of its scores. 0 for a network that cannot be quantized.
    fn grade(&self, converted: &Converted) -> Grade {
        let quantized = self.quantized(converted);
        let over = |trials| {
            let seed = seed_of(self.seed, Stream::Fresh);
            let right = quantized.as_ref().map_or(0.0, |quantized| {
                let (_, score) = (self.numbers).scored(&quantized.bytes, &self.task, seed, trials);
                score.accuracy().min(score.strict_accuracy())
            });
            Grade { right, trials }
        };
        beyond_doubt(self.search_trials, over)
    }

    /// The converted network, for this step.
    fn scaled(
        &self,
        step: &TimeStep,
        told: &mut impl FnMut(Progress),
    ) -> Result<(SpikingNetwork, Origin), RouteError> {
        let (trials, seed) = (self.search_trials, seed_of(self.seed, Stream::Search));
        let request = Request::new(self.network, &self.task, self.neuron, *step, trials, seed);
        let known = |lambda: f64| -> Result<_, RouteError> {
            let network = one_to_one(self.network, lambda, self.neuron)?;
            Ok((network, Origin::Known))
        };
        let refitted = match self.task.definition().kind {
            Kind::Class => Some(CLASSIFIER_TRIALS),
            _ => (!is_graded(&self.task)).then_some(REFIT_TRIALS),
        };
        let calibrated = |found: Found, because| -> Result<_, RouteError> {
            let mut network = found.calibration.network(self.network, self.neuron)?;
            let trials = |fitted| RefitTrials {
                task: &self.task,
                step: *step,
                seed,
                fitted,
                scored: trials,
            };
            // A network without a spike keeps its readout.
            let tried = refitted.and_then(|fitted| try_refit(&network, &trials(fitted)).ok());
            let readout = tried.as_ref().and_then(TriedRefit::kept).cloned();
            if let Some(readout) = &readout {
                network.readout.clone_from(readout);
            }
            let made = Calibrated {
                found,
                because,
                refitted,
                readout,
            };
            Ok((network, Origin::Calibrated(Box::new(made))))
        };
        match &self.scaling {
            Scaling::Given(lambda) => known(*lambda),
            Scaling::Trained(lambda) if !can_be_calibrated(&self.neuron) => known(*lambda),
            Scaling::Trained(lambda) => match request.find_if_needed(*lambda)? {
                Some((found, because)) => calibrated(found, Some(because)),
                None => known(*lambda),
            },
            Scaling::Calibrated => calibrated(request.find()?, None),
            Scaling::Searched(lambdas) => {
                let step = self.search_step.unwrap_or(*step);
                let candidates = self.search(lambdas, step, told)?;
                let lambda = best(&candidates).ok_or(RouteError::NoCandidate)?.lambda;
                let network = one_to_one(self.network, lambda, self.neuron)?;
                Ok((network, Origin::Searched(candidates)))
            }
        }
    }

    fn search(
        &self,
        lambdas: &[f64],
        step: TimeStep,
        told: &mut impl FnMut(Progress),
    ) -> Result<Vec<Candidate>, ConvertError> {
        let search = Search {
            network: self.network,
            task: self.task.on(Part::Validation),
            neuron: self.neuron,
            step,
            lambdas,
            trials: self.search_trials,
            seed: seed_of(self.seed, Stream::Search),
            race: true,
        };
        let contest = search.contest()?;
        let Ok(candidates) = contest.run::<Infallible>(Standing::new(), |standing| {
            let trials = trials_met(standing);
            told(Progress::Search { trials });
            Ok(())
        });
        Ok(candidates)
    }
}

/// The grade over `trials` trials, or over more where that lies near [`GOOD_ENOUGH`].
fn beyond_doubt(trials: usize, over: impl Fn(usize) -> Grade) -> Grade {
    let grade = over(trials);
    match (grade.right - GOOD_ENOUGH).abs() < DOUBT {
        true => over(DOUBTFUL_TRIALS * trials),
        false => grade,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::formats::rate_model::RateModelFile;
    use crate::spiking::experiment::task_trial;

    #[test]
    fn a_grade_near_the_limit_takes_more_trials() {
        let grade = |right| beyond_doubt(100, |trials| Grade { right, trials }).trials;
        assert_eq!([0.96, 0.97, 0.98].map(grade), [400; 3]);
        assert_eq!([0.0, 0.95, 0.99, 1.0].map(grade), [100; 4]);
    }

    #[test]
    fn a_network_that_no_try_made_good_enough_is_calibrated() {
        let file = "../tests/fixtures/models/Task_go-nogo_N_200_Taus_4.0_20.0_Act_sigmoid_2026_11_23_010105.mat";
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let network = RateModelFile::read(&file).expect("a model").network;
        let task = Task::go_nogo();
        // The search sees a trial that a silent network answers rightly, the grade another one.
        let label = |seed, stream| task_trial(&task, seed_of(seed, stream), 0).label;
        let is_fit = |&seed: &u64| label(seed, Stream::Search) < label(seed, Stream::Fresh);
        let seed = (1..100).find(is_fit).expect("a seed");
        let converted = |scaling, is_tried| {
            let route = Route {
                network: &network,
                task: task.clone(),
                neuron: Neuron::LIF,
                scaling,
                search_step: None,
                step: DeployedStep::Given(0.1),
                numbers: ArithmeticName::Fixed,
                search_trials: 1,
                trials: 1,
                seed,
            };
            let converted = DeployedGrades::new(1).convert(&route, is_tried, &mut |_| {});
            converted.expect("a route").0.origin
        };
        // With so large a λ no unit drives another.
        let silent = 10_000.0;
        let Origin::Calibrated(made) = converted(Scaling::Trained(silent), true) else {
            panic!("a network without a right answer stays as it is");
        };
        let because = made.because.expect("it was not asked for");
        assert_eq!((because.lambda, because.right), (silent, 0.0));
        assert_eq!((because.enough, because.trials), (GOOD_ENOUGH, 1));
        for (scaling, is_tried) in [
            (Scaling::Given(silent), true),
            (Scaling::Trained(silent), false),
        ] {
            assert!(matches!(converted(scaling, is_tried), Origin::Known));
        }
    }

    #[test]
    fn a_network_is_graded_in_the_numbers_that_ship() {
        let task = Task::go_nogo();
        let options = RateOptions {
            // A second: fixed point has no such decay.
            taus: DecayTaus::Fixed(200.0),
            ..RateOptions::defaults(task.clone(), 20, ActivationKind::Lif)
        };
        let network = RateNetwork::start(&options);
        let grade = |numbers| {
            let route = Route {
                network: &network,
                task: task.clone(),
                neuron: Neuron::LIF,
                scaling: Scaling::Given(50.0),
                search_step: None,
                step: DeployedStep::Given(0.1),
                numbers,
                search_trials: 20,
                trials: 1,
                seed: 1,
            };
            DeployedGrades::new(2).of(&route)
        };
        assert_eq!(grade(ArithmeticName::Fixed), 0.0);
        // An untrained network leaves its output at zero: the right answer to a trial without a
        // stimulus.
        assert!(grade(ArithmeticName::F32) > 0.2);
    }
}
