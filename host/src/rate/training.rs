//! Training: updates until the published criterion is met.

use std::sync::Arc;

use super::activation::{Activation, ActivationKind};
use super::batch::{Batch, TrialRange};
use super::evaluation::{
    EVALUATE_EVERY, EVALUATION_TRIALS, Evaluated, Evaluation, EvaluationTrials, evaluate,
};
use super::loss::{Objective, Wanted};
use super::model::{Drive, RateModel};
use super::network::RateNetwork;
use super::optimizer::{RateAdam, Rates};
use super::options::RateOptions;
use super::settling::Settling;
use crate::random::Stream;
use burn::backend::{Autodiff, Flex};

/// The back end on the CPU.
pub type Cpu = Flex;

/// A trained network and the record of its training.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The network.
    pub network: RateNetwork,
    /// Weights before training, as the published code saves them.
    pub start: RateNetwork,
    /// True if the criterion was met.
    pub success: bool,
    /// Loss of every update.
    pub losses: Vec<f32>,
    /// The last evaluation.
    pub evaluation: Evaluation,
    /// Every evaluation, in order.
    pub evaluations: Vec<Evaluated>,
    /// Number of tries: see [`Training::try_again`].
    pub tries: usize,
}

/// Receives the progress of a training.
pub trait Progress {
    /// Called before the first update of a training that goes on from a check point,
    /// with the number of updates that it has behind it.
    fn resumed(&mut self, _updates: usize) {}
    /// Called after each update.
    fn updated(&mut self, update: usize, loss: f32);
    /// Called after each evaluation.
    fn evaluated(&mut self, update: usize, evaluation: &Evaluation);
    /// Called when something beside the training goes wrong; the training goes on.
    fn warned(&mut self, _sentence: &str) {}
    /// Asked after each update: whether the training stops here, with a check point.
    fn stops(&mut self) -> bool {
        false
    }
}

/// A watcher that ignores everything.
impl Progress for () {
    fn updated(&mut self, _update: usize, _loss: f32) {}
    fn evaluated(&mut self, _update: usize, _evaluation: &Evaluation) {}
}

/// The network as it is trained.
pub(super) type Trainable = RateModel<Autodiff<Cpu>>;

/// Trains a network of these options.
pub fn train(options: &RateOptions, progress: &mut impl Progress) -> Trained {
    let mut training = Training::new(options.clone());
    loop {
        if let Some(trained) = training.advance(progress) {
            return trained;
        }
    }
}

/// A training under way. Every update draws its trials and its noise from the
/// seed and from its own number, so that nothing else has to be remembered.
pub struct Training {
    pub(super) options: RateOptions,
    activation: Activation,
    pub(super) start: RateNetwork,
    /// The numbers of the model at the last evaluation.
    pub(super) network: RateNetwork,
    pub(super) model: Trainable,
    pub(super) adam: RateAdam<Cpu>,
    /// Loss of every update so far.
    pub(super) losses: Vec<f32>,
    /// The progress of the settling.
    pub(super) settling: Settling,
    /// Every evaluation so far.
    pub(super) evaluations: Vec<Evaluated>,
    /// The best network so far: on the validation part, if the training is validated, else of
    /// the tries before this one, or before it settled in the first try.
    pub(super) best: Option<Best>,
    /// Number of tries before this one: see [`Training::try_again`].
    pub(super) tries: usize,
}

/// The most networks that one training offers, each of which meets the criterion.
pub const MOST_TRIES: usize = 4;

/// Evaluations without a better network, after which a validated training ends.
const PATIENCE: usize = 20;

/// A network that was the best one on the validation part, among several tries, or before it
/// settled.
#[derive(Clone, Debug)]
pub(super) struct Best {
    /// Scores of the network.
    pub evaluated: Evaluated,
    /// The grade of a try; 0 in a validated training, and before a network settled.
    pub grade: f64,
    /// The network.
    pub network: RateNetwork,
}

impl AsMut<Training> for Training {
    fn as_mut(&mut self) -> &mut Training {
        self
    }
}

impl Training {
    /// A training before its first update.
    pub fn new(options: RateOptions) -> Self {
        let start = RateNetwork::start(&options);
        Self::of_network(options, start)
    }

    /// A training before its first update, of a network that has learned something else
    /// and has the units and channels of `options`.
    pub fn of_network(options: RateOptions, start: RateNetwork) -> Self {
        // The sums of a published training keep their order.
        let published = options.batch == 1 && options.activation != ActivationKind::Lif;
        let model = match published {
            true => Trainable::new(&start).as_published(),
            false => Trainable::new(&start),
        };
        Self {
            activation: options.activation.activation(),
            network: start.clone(),
            model: model.with_trained_inputs(options.train_inputs),
            start,
            adam: RateAdam::new(),
            losses: Vec::new(),
            settling: Settling::default(),
            evaluations: Vec::new(),
            best: None,
            tries: 0,
            options,
        }
    }

    /// The same training before its first update, with all weights and not only the existing
    /// ones: a benchmark compares both.
    pub fn dense(mut self) -> Self {
        let trained = self.options.train_inputs;
        self.model = Trainable::with_connections(&self.start, None).with_trained_inputs(trained);
        self
    }

    /// The options.
    pub fn options(&self) -> &RateOptions {
        &self.options
    }

    /// The network before the first update.
    pub fn start(&self) -> &RateNetwork {
        &self.start
    }

    /// Number of updates so far.
    pub fn updates(&self) -> usize {
        self.losses.len()
    }

    /// Makes one update, and the evaluation that may follow it. Returns the network
    /// if the training is over.
    pub fn advance(&mut self, progress: &mut impl Progress) -> Option<Trained> {
        let update = self.losses.len();
        let loss = self.update();
        self.losses.push(loss);
        progress.updated(update, loss);

        let last = update + 1 == self.options.updates || !loss.is_finite();
        if !last && !self.settling.due(&self.options, update) {
            return None;
        }
        self.model.store(&mut self.network);
        let evaluation = self.evaluate(update);
        progress.evaluated(update, &evaluation);
        let evaluated = Evaluated::new(update, &evaluation);
        self.evaluations.push(evaluated);
        let last = last || self.keep_best(evaluated);
        let success = self
            .settling
            .judge(&self.options, update, &evaluation, last);
        if self.settling.since == Some(update) {
            self.keep_unsettled(evaluated);
        }
        let success = success?;
        let mut evaluation = evaluation;
        if self.options.validated()
            && let Some(best) = self.best.take()
        {
            self.network = best.network;
            evaluation = self.evaluate(best.evaluated.update);
        }
        let trained = Trained {
            network: self.network.clone(),
            start: self.start.clone(),
            success,
            losses: std::mem::take(&mut self.losses),
            evaluation,
            evaluations: std::mem::take(&mut self.evaluations),
            tries: self.tries + 1,
        };
        // The caller has the grades of the tries before, and chooses among them.
        Some(match success || self.tries > 0 {
            true => trained,
            false => self.best_try(trained, 0.0).0,
        })
    }

    /// Takes the training up again after it ended with `trained`, whose grade is too low: it
    /// learns on, until the network meets the criterion and has settled once more. False if it
    /// was the last try, or there are no updates left; [`best_try`](Self::best_try) then has
    /// the best network.
    pub fn try_again(&mut self, trained: &Trained, grade: f64) -> bool {
        let over = !trained.success || self.options.validated();
        if over || self.tries + 1 >= MOST_TRIES || trained.losses.len() >= self.options.updates {
            return false;
        }
        if self.best.as_ref().is_none_or(|best| best.grade < grade) {
            self.best = Some(Best {
                evaluated: Evaluated::new(trained.losses.len() - 1, &trained.evaluation),
                grade,
                network: trained.network.clone(),
            });
        }
        self.tries += 1;
        self.settling.since = None;
        self.losses.clone_from(&trained.losses);
        self.evaluations.clone_from(&trained.evaluations);
        true
    }

    /// The better one of the last try, which ended with `trained` and this grade, and of the
    /// tries before it; and its grade.
    pub fn best_try(&mut self, trained: Trained, grade: f64) -> (Trained, f64) {
        match self.best.take() {
            Some(best) if !trained.success || best.grade > grade => {
                self.network = best.network;
                self.settling.since = None;
                let mut losses = trained.losses;
                // The last loss of a training that diverged after the best try.
                losses.pop_if(|loss| !loss.is_finite());
                let trained = Trained {
                    losses,
                    network: self.network.clone(),
                    success: true,
                    evaluation: self.evaluate(best.evaluated.update),
                    ..trained
                };
                (trained, best.grade)
            }
            _ => (trained, grade),
        }
    }

    /// Keeps the network, which meets the criterion and begins to settle, if it is the best so far
    /// of the first try: none of its settlings may end well.
    fn keep_unsettled(&mut self, evaluated: Evaluated) {
        if self.tries == 0 {
            self.keep_if_better(evaluated);
        }
    }

    /// Keeps the network, if these are the best scores so far.
    fn keep_if_better(&mut self, evaluated: Evaluated) {
        let best = self.best.as_ref();
        if best.is_none_or(|best| best.evaluated.is_beaten_by(&evaluated)) {
            self.best = Some(Best {
                evaluated,
                grade: 0.0,
                network: self.network.clone(),
            });
        }
    }

    /// Keeps the network, if it is the best so far of a validated training. True if the
    /// best one is so old that the training ends.
    fn keep_best(&mut self, evaluated: Evaluated) -> bool {
        if !self.options.validated() {
            return false;
        }
        if evaluated.loss.is_finite() {
            self.keep_if_better(evaluated);
        }
        let newest = self.best.as_ref().map_or(0, |best| best.evaluated.update);
        evaluated.update - newest >= PATIENCE * EVALUATE_EVERY
    }

    /// Makes the next update, without the evaluation that may follow it; returns the
    /// loss, which the caller keeps.
    pub fn update(&mut self) -> f32 {
        let update = self.losses.len();
        let options = &self.options;
        let fluctuations = self.settling.fluctuations(options, update);
        let draw = match self.model.takes_words(options.batch) {
            true => Batch::draw_words,
            false => Batch::draw,
        };
        let range = TrialRange {
            stream: Stream::Training,
            first: (update * options.batch) as u64,
            trials: options.batch,
            fluctuating: fluctuations > 0.0,
            jitter: options.jitter,
        };
        let batch = draw(&self.network, &options.task, options.seed, range);
        let objective = Objective::new(&options.task, options.loss);
        let wanted = Wanted::new(&batch);
        let drive = Drive {
            activation: self.activation.clone(),
            fluctuations,
            rate_penalty: options.rate_penalty,
            batch,
        };
        let value = objective.of_batch(self.model.forward(Arc::new(drive)), wanted);
        let rates = Rates {
            rate: self.settling.learning_rate(options, update),
            weight_decay: options.weight_decay,
        };
        self.model = self.adam.step(rates, self.model.clone(), value.clone());
        if options.train_inputs {
            self.network.w_in = self.model.input_weights();
        }
        value.into_scalar()
    }

    fn evaluate(&self, update: usize) -> Evaluation {
        let trials = EvaluationTrials {
            seed: self.options.seed,
            first: (update * EVALUATION_TRIALS) as u64,
            trials: EVALUATION_TRIALS,
            fluctuations: self.settling.test_fluctuations(&self.options, update),
        };
        evaluate(&self.network, &self.options.task, self.options.loss, trials)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rate::settling::{MOST_SETTLINGS, criterion};
    use crate::task::Task;

    /// For each evaluation, true if it met the criterion.
    struct Met(RateOptions, Vec<bool>);

    impl Progress for Met {
        fn updated(&mut self, _update: usize, _loss: f32) {}
        fn evaluated(&mut self, update: usize, evaluation: &Evaluation) {
            self.1.push(criterion(&self.0, update, evaluation));
        }
    }

    #[test]
    fn a_published_training_gives_the_same_numbers_with_all_weights_and_with_the_existing_ones() {
        let options = |units: usize| RateOptions {
            updates: usize::MAX,
            p_rec: 0.25,
            ..RateOptions::published(Task::xor(), units)
        };
        let trained = |mut training: Training| {
            for _ in 0..12 {
                let loss = training.update();
                training.losses.push(loss);
            }
            let mut network = training.start.clone();
            training.model.store(&mut network);
            (network, training.losses)
        };
        // The products of the larger one leave the zeros out, too.
        for units in [40, 120] {
            let existing = Training::new(options(units));
            let all = Training::new(options(units)).dense();
            let weights = |training: &Training| training.model.w.val().shape().num_elements();
            assert!(2 * weights(&existing) < weights(&all));
            assert_eq!(trained(existing), trained(all));
        }
    }

    #[test]
    fn a_network_that_fails_under_strong_fluctuations_settles_again_and_again_and_then_no_more() {
        let options = RateOptions {
            dale: false,
            p_rec: 0.4,
            updates: 3000,
            batch: 8,
            settle: 1,
            // More than any network could stand.
            settle_fluctuations: 1e4,
            ..RateOptions::published(Task::go_nogo(), 30)
        };
        let mut met = Met(options.clone(), Vec::new());
        let trained = train(&options, &mut met);
        assert!(trained.success && trained.losses.len() < options.updates);
        // Each settling begins with an evaluation that is met. The test after it is
        // not met, except the last one.
        let first = met.1.iter().position(|&met| met).expect("it trains");
        let settled: Vec<bool> = met.1[first..].to_vec();
        assert_eq!(
            settled.iter().filter(|&&met| met).count(),
            MOST_SETTLINGS + 1,
            "{settled:?}"
        );
        assert_eq!(settled.last_chunk(), Some(&[true, true]), "{settled:?}");

        // A training that ends with the first settling has the network that began to settle.
        let began = trained.evaluations[first];
        let ended = RateOptions {
            updates: began.update + 2,
            ..options
        };
        let ended = train(&ended, &mut ());
        assert!(ended.success && ended.losses.len() == began.update + 2);
        let [met, tested @ ..] = &ended.evaluations[first..] else {
            panic!("it began to settle");
        };
        assert_eq!((met.accuracy, met.loss), (began.accuracy, began.loss));
        assert!(!tested.is_empty() && tested.iter().all(|other| other.accuracy < met.accuracy));
        assert_eq!(ended.evaluation.accuracy, began.accuracy);
    }
}
