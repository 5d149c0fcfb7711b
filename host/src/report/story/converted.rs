//! The part of the page about the conversion: where λ comes from, and how many trials are
//! answered right with it.

use super::input::{ReportInput, texts};
use super::scores::FormScore;
use crate::convert::ConvertError;
use crate::convert::search::{Candidate, Search};
use crate::rate::activation::{ActivationKind, LIF_LAMBDA};
use crate::report::figures::conversion::{self, UnitScaling};
use crate::report::page::Section;
use crate::spiking::time_step::TimeStep;

/// The scaling of the spiking form, in a few words.
pub fn scaling(input: &ReportInput) -> String {
    let lambda = input.spiking.lambda;
    match input.calibration {
        Some(_) => {
            format!("calibrated unit by unit (the median of the units' own λ is {lambda:.1} Hz)")
        }
        None => format!("with λ = {lambda} Hz"),
    }
}

/// Scores the candidates of the search that is shown.
///
/// # Errors
/// If the model cannot be converted.
pub fn search(input: &ReportInput) -> Result<Vec<Candidate>, ConvertError> {
    Search {
        network: &input.model.network,
        task: input.trials.task.clone(),
        neuron: input.spiking.neuron,
        step: TimeStep::PUBLISHED,
        lambdas: &input.lambdas,
        trials: input.trials.count,
        seed: input.trials.seed,
        race: false,
    }
    .scores()
}

/// The part of the page. `used` is the score of the spiking form, and `drives` the
/// smallest and largest x of each unit over the trials.
pub fn section(
    input: &ReportInput,
    candidates: &[Candidate],
    used: &FormScore,
    drives: &[(f64, f64)],
) -> Section {
    let (rate, spiking) = (&input.model.network, &input.spiking);
    let trials = input.trials.count;
    if let Some(calibration) = &input.calibration {
        let units = UnitScaling {
            calibration,
            neuron: spiking.neuron,
            drives,
        };
        return Section {
            title: "Conversion",
            text: vec![format!(
                "The network is calibrated: each unit has a scale, a constant current and a firing rate λ of its own that stands for a rate of one. The median of the units' own λ is {:.1} Hz. The search, with one λ for all units, is for comparison; none of its networks is the one of this page.",
                spiking.lambda
            )],
            figures: vec![
                conversion::unit_lambdas(&calibration.lambda, spiking.lambda),
                conversion::against_one_lambda(candidates, used.accuracy.accuracy, trials),
                conversion::unit_transfer(rate.activation, &units),
            ],
            ..Section::default()
        };
    }
    let why = match rate.activation {
        ActivationKind::Lif if spiking.lambda == LIF_LAMBDA => {
            "The network was trained with the transfer function of the spiking neuron itself, so that λ is known beforehand; the search is for comparison."
        }
        ActivationKind::Lif => {
            "The network was trained with the transfer function of the spiking neuron itself, for a λ of 50 Hz; this page shows it with another λ."
        }
        _ => {
            "The scaling factor λ is the firing rate that stands for a rate of one; it is searched, as published."
        }
    };
    Section {
        title: "Conversion",
        text: texts(&[why]),
        figures: vec![
            conversion::accuracy(candidates, spiking.lambda, trials),
            conversion::transfer(rate.activation, spiking.neuron, spiking.lambda),
        ],
        ..Section::default()
    }
}
