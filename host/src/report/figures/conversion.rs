//! From rate to spiking: the search for the scaling factor, and the measured firing rate
//! of the neuron beside the activation of the rate network.

use rate2spike_core::trial::Clock;
use rayon::prelude::*;

use super::network::{BINS, bars};
use super::{Figure, counts, range};
use crate::convert::calibrate::Calibration;
use crate::convert::search::Candidate;
use crate::rate::activation::ActivationKind;
use crate::readout::Readout;
use crate::report::canvas::{Axis, COLUMN_MM, Chart, Line, Panel, Sign, colour, figure};
use crate::spiking::network::SpikingNetwork;
use crate::spiking::neuron::Neuron;
use crate::spiking::record::Recording;
use crate::spiking::time_step::TimeStep;

/// The accuracy of each candidate with its 95 % interval, and the λ that is used.
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
        candidate_curves(&mut chart, candidates);
    });
    Figure {
        name: "lambda",
        caption: format!(
            "Accuracy of the spiking network by the scaling factor, {trials} trials each: by the published criterion with its 95 % interval, and by the strict one."
        ),
        svg,
    }
}

/// Draws the accuracies of the candidates, by the published criterion with its
/// interval and by the strict one.
fn candidate_curves(chart: &mut Chart, candidates: &[Candidate]) {
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
}

/// The drives at which rates are measured, mV above the threshold.
fn drives() -> Vec<f64> {
    (0..57).map(|k| -4.0 + 0.5 * f64::from(k)).collect()
}

/// Length of a trial in which rates are measured, s.
const SECONDS: u32 = 4;

/// Number of trials in which rates are measured.
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
        readout: Readout::single(vec![0.0; units], 0.0),
        decay_ms: vec![50.0; units],
        lambda: 1.0,
    };
    let step = TimeStep::PUBLISHED;
    let second = step.steps_per_sample(1000.0);
    let record = |trial: u64| {
        Recording {
            network: &network,
            step,
            input: &[1.0, 1.0],
            clock: Clock {
                steps_per_sample: second,
                steps: SECONDS * second,
            },
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
    // The potentials start at random, so that the first second does not count.
    let later = |step: &u32| *step > second;
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

/// The firing rate of the neuron, divided by λ, against its drive; and φ.
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

/// The distribution of the λ of the units of a calibrated network, and the median.
pub fn unit_lambdas(lambdas: &[f64], median: f64) -> Figure {
    let places: Vec<f64> = lambdas.iter().map(|lambda| lambda.log10()).collect();
    let x = range(places.iter().copied(), false);
    let bins = counts(&places, x.start, x.end, BINS);
    let most = bins.iter().fold(1, |most, count| most.max(*count)) as f64 * 1.08;
    let svg = figure((COLUMN_MM, 45.0), |area| {
        let panel = Panel {
            title: "λ of each unit",
            legend: vec![(
                format!("median {median:.1} Hz"),
                Sign::Line(Line::dashed(colour::INK).thin()),
            )],
            x: Axis::logarithmic("the unit's own λ (Hz)", x.clone()),
            y: Axis::linear("units", 0.0..most),
        };
        let mut chart = Chart::new(area, &panel);
        chart.boxes(bars(&bins, x.start, x.end), colour::BLUE, 0.8);
        let median = median.log10();
        chart.line(
            [(median, 0.0), (median, most)],
            Line::dashed(colour::INK).thin(),
        );
    });
    Figure {
        name: "unit-lambdas",
        caption: format!(
            "The firing rate λ that stands for a rate of one, of each of the {} units of the calibrated network, and the median.",
            lambdas.len()
        ),
        svg,
    }
}

/// The accuracy of the network with one λ for all units, beside `calibrated`, the
/// accuracy of the calibrated network.
pub fn against_one_lambda(candidates: &[Candidate], calibrated: f64, trials: usize) -> Figure {
    let x = range(candidates.iter().map(|c| c.lambda), false);
    let svg = figure((COLUMN_MM, 48.0), |area| {
        let panel = Panel {
            title: "one λ for all",
            legend: vec![
                ("published".into(), Sign::Line(Line::solid(colour::BLUE))),
                ("strict".into(), Sign::Line(Line::solid(colour::VERMILION))),
                (
                    "calibrated".into(),
                    Sign::Line(Line::dashed(colour::INK).thin()),
                ),
            ],
            x: Axis::linear("scaling factor λ (Hz)", x.clone()),
            y: Axis::linear("accuracy", 0.0..1.04),
        };
        let mut chart = Chart::new(area, &panel);
        chart.line(
            [(x.start, calibrated), (x.end, calibrated)],
            Line::dashed(colour::INK).thin(),
        );
        candidate_curves(&mut chart, candidates);
    });
    Figure {
        name: "lambda",
        caption: format!(
            "For comparison, the same rate network without calibration: accuracy by the one scaling factor of all its units, {trials} trials each, by the published criterion with its 95 % interval, and by the strict one. Dashed: the calibrated network, by the published criterion."
        ),
        svg,
    }
}

/// The scaling of each unit of a calibrated network.
#[derive(Clone, Copy, Debug)]
pub struct UnitScaling<'a> {
    /// Scale, offset and λ of each unit.
    pub calibration: &'a Calibration,
    /// The neuron.
    pub neuron: Neuron,
    /// Smallest and largest x of each rate unit over the trials.
    pub drives: &'a [(f64, f64)],
}

/// Number of units whose curves are drawn.
const CURVES: usize = 8;

/// Number of points of a curve.
const POINTS: usize = 15;

impl UnitScaling<'_> {
    /// The units that are drawn: those with the smallest and the largest λ, and units
    /// between them.
    fn shown(&self) -> Vec<usize> {
        let lambda = &self.calibration.lambda;
        let mut order: Vec<usize> = (0..lambda.len()).collect();
        order.sort_by(|&a, &b| lambda[a].total_cmp(&lambda[b]));
        let last = order.len().saturating_sub(1);
        let shown = CURVES.min(order.len());
        let mut units: Vec<usize> = (0..shown)
            .map(|k| order[k * last / (shown - 1).max(1)])
            .collect();
        units.dedup();
        units
    }

    /// The curves of the shown units: x, and the unit's firing rate divided by its own λ.
    fn curves(&self) -> Vec<Vec<(f64, f64)>> {
        let units = self.shown();
        let xs = |unit: usize| {
            let (low, high) = self.drives[unit];
            (0..POINTS).map(move |k| low + (high - low) * k as f64 / (POINTS - 1) as f64)
        };
        let Calibration {
            gain_mv,
            offset_mv,
            lambda,
            ..
        } = self.calibration;
        let drives: Vec<f64> = units
            .iter()
            .flat_map(|&unit| xs(unit).map(move |x| gain_mv[unit] * x + offset_mv[unit]))
            .collect();
        let rates = measured_rates(self.neuron, &drives);
        let curve = |(&unit, rates): (&usize, &[f64])| {
            let scaled = rates.iter().map(|rate| rate / lambda[unit]);
            xs(unit).zip(scaled).collect()
        };
        units
            .iter()
            .zip(rates.chunks_exact(POINTS))
            .map(curve)
            .collect()
    }
}

/// The firing rates of calibrated units, each divided by the unit's own λ, against x of
/// the rate unit, over the range of x that occurs in the trials; and φ.
pub fn unit_transfer(kind: ActivationKind, units: &UnitScaling) -> Figure {
    let curves = units.curves();
    let places = curves.iter().flatten();
    let x_range = range(places.clone().map(|(x, _)| *x), false);
    let x: Vec<f32> = (0..=400)
        .map(|k| (x_range.start + (x_range.end - x_range.start) * f64::from(k) / 400.0) as f32)
        .collect();
    let (mut r, mut slope) = (vec![0.0; x.len()], vec![0.0; x.len()]);
    kind.activation().apply(&x, &mut r, &mut slope);
    let high = places.map(|(_, y)| *y).fold(1.0, f64::max) * 1.05;
    let svg = figure((COLUMN_MM, 48.0), |area| {
        let panel = Panel {
            title: "transfer functions",
            legend: vec![
                (
                    format!("φ, {}", kind.name()),
                    Sign::Line(Line::solid(colour::VERMILION)),
                ),
                (
                    "unit, f/λ".into(),
                    Sign::Line(Line::solid(colour::BLUE).thin()),
                ),
            ],
            x: Axis::linear("x of the rate unit", x_range.clone()),
            y: Axis::linear("rate", 0.0..high),
        };
        let mut chart = Chart::new(area, &panel);
        let curve = x.iter().zip(&r);
        let curve = curve.map(|(&x, &r)| (f64::from(x), f64::from(r).min(high)));
        chart.line(curve, Line::solid(colour::VERMILION));
        for curve in &curves {
            chart.line(curve.iter().copied(), Line::solid(colour::BLUE).thin());
            chart.dots(curve.iter().copied(), 0.7, colour::BLUE);
        }
    });
    Figure {
        name: "transfer",
        caption: format!(
            "The activation of the rate units, and the firing rates f of {} calibrated units, each over its own λ and with its own scale and current, over the x that it meets in the trials; the units are spread over the range of λ, and each rate is measured over {} s.",
            curves.len(),
            u64::from(SECONDS - 1) * MEASURED
        ),
        svg,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_calibrated_unit_is_drawn_with_its_own_scale_current_and_lambda() {
        let neuron = Neuron {
            noise_mv: 0.0,
            ..Neuron::LIF
        };
        let calibration = Calibration {
            gain_mv: vec![10.0, 2.0],
            offset_mv: vec![0.0, 10.0],
            lambda: vec![50.0, 100.0],
            keeps_offset: false,
        };
        let units = UnitScaling {
            calibration: &calibration,
            neuron,
            drives: &[(0.5, 2.0), (-1.0, 5.0)],
        };
        let curves = units.curves();
        assert_eq!(curves.len(), 2);
        // Both curves end at a drive of 20 mV.
        let hz = 1000.0 / (2.0 + 10.0 * (45.0f64 / 20.0).ln());
        for (curve, x, lambda) in [(&curves[0], 2.0, 50.0), (&curves[1], 5.0, 100.0)] {
            let (at, rate) = curve[POINTS - 1];
            assert_eq!(at, x);
            assert!((rate * lambda / hz - 1.0).abs() < 0.01, "{rate}");
        }
    }

    #[test]
    fn a_lone_neuron_far_above_its_threshold_fires_at_the_rate_of_the_closed_form() {
        let neuron = Neuron {
            noise_mv: 0.0,
            ..Neuron::LIF
        };
        let rates = measured_rates(neuron, &[-1.0, 20.0]);
        let wanted = 1000.0 / (2.0 + 10.0 * (45.0f64 / 20.0).ln());
        assert_eq!(rates[0], 0.0);
        // A period is a whole number of steps, and a count a whole number of spikes.
        assert!(
            (rates[1] / wanted - 1.0).abs() < 0.01,
            "{} {wanted}",
            rates[1]
        );
    }
}
