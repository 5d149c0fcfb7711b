//! The right answers of each form of the network.

use rate2spike_core::blob::Deployed;

use super::input::{ReportInput, texts};
use crate::rate::activation::ActivationKind;
use crate::rate::evaluation::{EvaluationTrials, evaluate};
use crate::rate::options::Loss;
use crate::spiking::confusion::{ClassScore, answers, per_class};
use crate::spiking::experiment::{Experiment, Outcome, Score};
use crate::spiking::time_step::TimeStep;
use crate::spiking::trial::Deployable;
use crate::statistics::{Accuracy, Interval};
use crate::task::Task;

/// The score of one form of the network.
pub struct FormScore {
    /// The form, with its arithmetic and its time step.
    pub name: String,
    /// The score.
    pub accuracy: Accuracy,
    /// The 95 % interval of the accuracy; `None` for R².
    pub interval: Option<Interval>,
    /// Mean firing rate, Hz; `None` for the rate network.
    pub rate_hz: Option<f64>,
    /// The answers to the trials of each class; empty for a task without classes.
    pub per_class: Vec<ClassScore>,
}

impl FormScore {
    /// The score of a spiking form with these trials of `task`.
    pub fn spiking(name: String, task: &Task, (score, outcomes): (&Score, &[Outcome])) -> Self {
        Self {
            per_class: per_class(task, answers(outcomes)),
            name,
            accuracy: score.into(),
            interval: score.interval(),
            rate_hz: Some(score.mean_rate_hz),
        }
    }

    /// The heads of the columns of [`FormScore::texts`].
    pub fn heads(&self) -> Vec<String> {
        let [first, second] = self.accuracy.heads();
        texts(&["", first, "95 % interval", second, "mean firing rate"])
    }

    /// The cells of the row of this form in the table.
    pub fn texts(&self) -> Vec<String> {
        let [first, second] = self.accuracy.cells();
        vec![
            self.name.clone(),
            format!("{first:.3}"),
            self.interval.map_or_else(String::new, |interval| {
                format!("{:.3} to {:.3}", interval.low, interval.high)
            }),
            format!("{second:.3}"),
            self.rate_hz
                .map_or_else(String::new, |rate| format!("{rate:.1} Hz")),
        ]
    }
}

/// The strength of the rate network's fluctuations: that of its training, or the
/// default of its activation where no history is there.
pub fn fluctuations(input: &ReportInput) -> f32 {
    let by_default = f32::from(u8::from(
        input.model.network.activation == ActivationKind::Lif,
    ));
    input
        .history
        .as_ref()
        .map_or(by_default, |history| history.options.fluctuations)
}

/// The scores of the rate network, the spiking network and, where there is one,
/// the deployed network.
pub fn scores<A: Deployable>(
    input: &ReportInput,
    experiment: Option<&Experiment<Deployed<A>>>,
) -> Vec<FormScore> {
    let trials = &input.trials;
    let fresh = EvaluationTrials::fresh(trials.seed, trials.count, fluctuations(input));
    let loss = input
        .history
        .as_ref()
        .map_or(Loss::L2, |history| history.options.loss);
    let evaluation = evaluate(&input.model.network, &trials.task, loss, fresh);
    let scores = evaluation.scores(&trials.task);
    let right = (evaluation.accuracy * trials.count as f64).round() as usize;
    let step = TimeStep::PUBLISHED;
    let tables = input.spiking.tables::<f64>(&step);
    let tables = tables.tables();
    let floating = Experiment::floating(&tables, &trials.task, &step, trials.seed);
    let outcomes = floating.outcomes(0, trials.count);
    let mut rows = vec![
        FormScore {
            name: "rate network".into(),
            accuracy: scores,
            interval: scores
                .r2
                .is_none()
                .then(|| Interval::wilson(right, trials.count)),
            rate_hz: None,
            per_class: per_class(&trials.task, evaluation.answers.iter().copied()),
        },
        FormScore::spiking(
            format!("spiking network, f64, {} ms", step.ms),
            &trials.task,
            (&floating.summary(&outcomes), &outcomes),
        ),
    ];
    rows.extend(experiment.map(|experiment| deployed(experiment, trials.count)));
    rows
}

/// The score of a deployed network over the first `trials` trials.
pub fn deployed<A: Deployable>(experiment: &Experiment<Deployed<A>>, trials: usize) -> FormScore {
    let name = format!("deployed network, {}, {} ms", A::NAME, experiment.step_ms);
    let outcomes = experiment.outcomes(0, trials);
    let score = experiment.summary(&outcomes);
    FormScore::spiking(name, &experiment.task, (&score, &outcomes))
}
