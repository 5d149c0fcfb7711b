//! The right answers of each form of the network.

use rate2spike_core::blob::Deployed;

use super::input::ReportInput;
use crate::rate::activation::ActivationKind;
use crate::rate::evaluation::{EvaluationTrials, evaluate};
use crate::rate::options::Loss;
use crate::spiking::experiment::{Experiment, Score, score_f64};
use crate::spiking::time_step::TimeStep;
use crate::statistics::Interval;

/// The score of one form of the network.
pub struct FormScore {
    /// The form, with its arithmetic and its time step.
    pub name: String,
    /// Share of right answers by the published criterion.
    pub accuracy: f64,
    /// The 95 % interval of the accuracy.
    pub interval: Interval,
    /// Share of right answers by the strict criterion.
    pub strict: f64,
    /// Mean firing rate, Hz; `None` for the rate network.
    pub rate_hz: Option<f64>,
}

impl FormScore {
    /// The score of a spiking form.
    pub fn spiking(name: String, score: &Score) -> Self {
        Self {
            name,
            accuracy: score.accuracy(),
            interval: Interval::wilson(score.correct, score.trials),
            strict: score.strict_accuracy(),
            rate_hz: Some(score.mean_rate_hz),
        }
    }

    /// The cells of the row of this form in the table.
    pub fn texts(&self) -> Vec<String> {
        vec![
            self.name.clone(),
            format!("{:.3}", self.accuracy),
            format!("{:.3} to {:.3}", self.interval.low, self.interval.high),
            format!("{:.3}", self.strict),
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
pub fn scores(input: &ReportInput, experiment: Option<&Experiment<Deployed>>) -> Vec<FormScore> {
    let trials = &input.trials;
    let fresh = EvaluationTrials::fresh(trials.seed, trials.count, fluctuations(input));
    let loss = input
        .history
        .as_ref()
        .map_or(Loss::L2, |history| history.options.loss);
    let evaluation = evaluate(&input.model.network, &trials.task, loss, fresh);
    let right = (evaluation.accuracy * trials.count as f64).round() as usize;
    let mut rows = vec![
        FormScore {
            name: "rate network".into(),
            accuracy: evaluation.accuracy,
            interval: Interval::wilson(right, trials.count),
            strict: evaluation.strict,
            rate_hz: None,
        },
        FormScore::spiking(
            format!("spiking network, f64, {} ms", TimeStep::PUBLISHED.ms),
            &score_f64(
                &input.spiking,
                &trials.task,
                &TimeStep::PUBLISHED,
                trials.seed,
                trials.count,
            ),
        ),
    ];
    rows.extend(experiment.map(|experiment| {
        let name = format!("deployed network, fixed point, {} ms", experiment.step_ms);
        FormScore::spiking(name, &experiment.score(trials.count))
    }));
    rows
}
