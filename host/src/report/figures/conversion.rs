//! From rate to spiking: the scaling factor, and the neuron's own curve beside
//! the activation that stood for it.

use rayon::prelude::*;

use super::{Figure, range};
use crate::convert::search::Candidate;
use crate::rate::activation::ActivationKind;
use crate::report::canvas::{Axis, COLUMN_MM, Chart, Line, Panel, Sign, colour, figure};
use crate::spiking::network::SpikingNetwork;
use crate::spiking::neuron::Neuron;
use crate::spiking::record::Recording;
use crate::spiking::time_step::TimeStep;

/// Accuracy of every candidate with its 95 % interval, and the λ that is used.
pub fn accuracy(candidates: &[Candidate], lambda: f64, trials: usize) -> Figure {
    let x = range(candidates.iter().map(|c| c.lambda).chain([lambda]), false);
    let svg = figure((COLUMN_MM, 48.0), |area| {
        let panel = Panel {
            title: "search for λ",
            legend: vec![
                ("published".into(), Sign::Line(Line::solid(colour::BLUE))),
                ("strict".into(), Sign::Line(Line::solid(colour::VERMILION))),
                (
                    format!("used: {lambda}"),
                    Sign::Line(Line::dashed(colour::INK).thin()),
                ),
            ],
            x: Axis::linear("scaling factor λ (Hz)", x),
            y: Axis::linear("accuracy", 0.0..1.04),
        };
        let mut chart = Chart::new(area, &panel);
        chart.line(
            [(lambda, 0.0), (lambda, 1.04)],
            Line::dashed(colour::INK).thin(),
        );
        let intervals = candidates
            .iter()
            .map(|c| (c.lambda, c.interval.low, c.interval.high));
        chart.strokes(intervals, Line::solid(colour::BLUE));
        let points = |value: fn(&Candidate) -> f64| -> Vec<(f64, f64)> {
            candidates.iter().map(|c| (c.lambda, value(c))).collect()
        };
        let (published, strict) = (points(|c| c.accuracy), points(|c| c.strict));
        chart.line(strict.iter().copied(), Line::solid(colour::VERMILION));
        chart.rings(strict, 1.4, colour::VERMILION);
        chart.line(published.iter().copied(), Line::solid(colour::BLUE));
        chart.dots(published, 1.4, colour::BLUE);
    });
    Figure {
        name: "lambda",
        caption: format!(
            "Accuracy of the spiking network by the scaling factor, {trials} trials each: by the published criterion with its 95 % interval, and by the strict one."
        ),
        svg,
    }
}

/// Drives of the neurons whose rate is measured, mV above the threshold.
fn drives() -> Vec<f64> {
    (0..57).map(|k| -4.0 + 0.5 * f64::from(k)).collect()
}

/// Seconds of a trial that measures rates.
const SECONDS: u32 = 4;

/// Trials that measure rates.
const MEASURED: u64 = 4;

/// Rates of lone neurons, Hz, measured with core's step.
fn measured_rates(neuron: Neuron, drives: &[f64]) -> Vec<f64> {
    let units = drives.len();
    let network = SpikingNetwork {
        neuron,
        units,
        channels: 1,
        weights: vec![0.0; units * units],
        input_weights: drives.to_vec(),
        offset_mv: vec![0.0; drives.len()],
        readout: vec![0.0; units],
        decay_ms: vec![50.0; units],
        lambda: 1.0,
    };
    let step = TimeStep::PUBLISHED;
    let record = |trial: u64| {
        Recording {
            network: &network,
            step,
            input: &[1.0, 1.0],
            steps: SECONDS * 200 * step.steps_per_sample,
            start_mv: None,
            stimulation: None,
            seed: 1,
            trial,
            every: 0,
        }
        .run::<f64>()
    };
    let records: Vec<_> = (0..MEASURED).into_par_iter().map(record).collect();
    let mut counts = vec![0.0; units];
    // The start is no rest: its first second does not count.
    let later = |step: &u32| *step > 200 * TimeStep::PUBLISHED.steps_per_sample;
    for (_, unit) in records
        .iter()
        .flat_map(|r| &r.spikes)
        .filter(|(step, _)| later(step))
    {
        counts[*unit as usize] += 1.0;
    }
    let seconds = f64::from(SECONDS - 1) * MEASURED as f64;
    counts.into_iter().map(|count| count / seconds).collect()
}

/// The neuron's firing rate over λ by its drive, beside φ.
pub fn transfer(kind: ActivationKind, neuron: Neuron, lambda: f64) -> Figure {
    let drives = drives();
    let rates = measured_rates(neuron, &drives);
    let x: Vec<f32> = (0..=560).map(|k| -4.0 + 0.05 * k as f32).collect();
    let (mut r, mut slope) = (vec![0.0; x.len()], vec![0.0; x.len()]);
    kind.activation().apply(&x, &mut r, &mut slope);
    let scaled: Vec<(f64, f64)> = drives
        .iter()
        .copied()
        .zip(rates.iter().map(|f| f / lambda))
        .collect();
    let high = scaled.iter().map(|(_, y)| *y).fold(1.0, f64::max) * 1.05;
    let svg = figure((COLUMN_MM, 48.0), |area| {
        let panel = Panel {
            title: "transfer function",
            legend: vec![
                (
                    format!("φ, {}", kind.name()),
                    Sign::Line(Line::solid(colour::VERMILION)),
                ),
                ("neuron, f/λ".into(), Sign::Dot(colour::BLUE)),
            ],
            x: Axis::linear(
                "drive above the threshold (mV), x of the rate unit",
                -4.0..24.0,
            ),
            y: Axis::linear("rate", 0.0..high),
        };
        let mut chart = Chart::new(area, &panel);
        let curve = x
            .iter()
            .zip(&r)
            .map(|(&x, &r)| (f64::from(x), f64::from(r).min(high)));
        chart.dots(
            scaled.iter().copied().filter(|(x, _)| *x <= 24.0),
            1.1,
            colour::BLUE,
        );
        chart.line(
            curve.take_while(|(x, _)| *x <= 24.0),
            Line::solid(colour::VERMILION),
        );
    });
    Figure {
        name: "transfer",
        caption: format!(
            "The activation of the rate units, and the firing rate of a lone spiking neuron over λ = {lambda} Hz, measured over {} s at each drive.",
            u64::from(SECONDS - 1) * MEASURED
        ),
        svg,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lone_neuron_far_above_its_threshold_fires_at_the_rate_of_the_closed_form() {
        let neuron = Neuron {
            noise_mv: 0.0,
            ..Neuron::LIF
        };
        let rates = measured_rates(neuron, &[-1.0, 20.0]);
        let wanted = 1000.0 / (2.0 + 10.0 * (45.0f64 / 20.0).ln());
        assert_eq!(rates[0], 0.0);
        // Periods are whole steps, and a count is whole.
        assert!(
            (rates[1] / wanted - 1.0).abs() < 0.01,
            "{} {wanted}",
            rates[1]
        );
    }
}
