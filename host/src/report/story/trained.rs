//! The part of the page about the training and the trained network.

use super::input::{ReportInput, name};
use crate::formats::names;
use crate::rate::network::RateNetwork;
use crate::rate::options::DecayTaus;
use crate::report::figures::{network, training};
use crate::report::page::{Section, Table};

/// The part of the page.
pub fn section(input: &ReportInput) -> Section {
    let (model, rate) = (&input.model, &input.model.network);
    let weights = rate.effective_weights();
    let mut losses = model.variables.vector(names::LOSSES).unwrap_or_default();
    while losses.last() == Some(&0.0) {
        losses.pop();
    }
    let evaluations = input
        .history
        .as_ref()
        .map_or(&[][..], |history| &history.evaluations);
    let mut figures = Vec::new();
    if !losses.is_empty() {
        figures.push(training::training(&losses, evaluations));
    }
    if let Ok(start) = model.initial() {
        if let (DecayTaus::Trained(..), Some(before)) = (rate.taus, start_taus(input)) {
            figures.push(network::time_constants(&before, &rate.decay_ms()));
        }
        figures.extend(network::eigenvalues(
            &start.effective_weights(),
            &weights,
            rate.units,
        ));
    }
    Section {
        title: "Training",
        tables: vec![Table::of_facts(&facts(input, &weights))],
        figures,
        ..Section::default()
    }
}

fn facts(input: &ReportInput, weights: &[f32]) -> Vec<(&'static str, String)> {
    let (model, rate) = (&input.model, &input.model.network);
    let inhibitory = rate.inhibitory.iter().filter(|i| **i).count();
    let connections = weights.iter().filter(|w| **w != 0.0).count();
    let mut facts = vec![
        ("file", name(&model.path)),
        (
            "units",
            format!("{}, {inhibitory} of them inhibitory", rate.units),
        ),
        (
            "connections",
            format!(
                "{connections}, {:.1} % of all pairs",
                100.0 * connections as f64 / (rate.units * rate.units) as f64
            ),
        ),
        ("activation", rate.activation.name().into()),
        (
            "Dale's principle",
            if rate.dale { "yes" } else { "no" }.into(),
        ),
    ];
    if let Some(updates) = model.updates() {
        facts.push(("updates", updates.to_string()));
    }
    if let Some(history) = &input.history {
        let options = &history.options;
        facts.extend([
            ("trials of an update", options.batch.to_string()),
            ("learning rate", options.learning_rate.to_string()),
            ("gain at the start", options.gain.to_string()),
            ("seed", options.seed.to_string()),
            ("trained by", format!("rate2spike {}", history.version)),
        ]);
    }
    facts
}

/// Decay time constants before the training, ms.
fn start_taus(input: &ReportInput) -> Option<Vec<f64>> {
    let theta = input.model.variables.vector(names::TAUS_GAUS0).ok()?;
    let start = RateNetwork {
        tau_theta: theta.iter().map(|&x| x as f32).collect(),
        ..input.model.network.clone()
    };
    Some(start.decay_ms())
}
