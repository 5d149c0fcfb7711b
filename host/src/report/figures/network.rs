//! The parts of the network: time constants, weights, firing rates.

use nalgebra::linalg::Schur;
use nalgebra::{Complex, DMatrix};

use super::{Figure, counts, range};
use crate::report::canvas::{Axis, COLUMN_MM, Chart, Line, Panel, Sign, colour, figure, rows};

/// Bins of a histogram.
pub(super) const BINS: usize = 24;

/// Time constants before and after training, ms.
pub fn time_constants(before: &[f64], after: &[f64]) -> Figure {
    let all = || before.iter().chain(after).copied();
    let (low, high) = (
        all().fold(f64::INFINITY, f64::min),
        all().fold(0.0, f64::max),
    );
    let (low, high) = if high - low < 1.0 {
        (low - 5.0, high + 5.0)
    } else {
        (low, high)
    };
    let (first, second) = (
        counts(before, low, high, BINS),
        counts(after, low, high, BINS),
    );
    let most = first
        .iter()
        .chain(&second)
        .fold(1, |m, count| m.max(*count)) as f64;
    let svg = figure((COLUMN_MM, 45.0), |area| {
        let panel = Panel {
            title: "decay of the synapses",
            legend: vec![
                ("at the start".into(), Sign::Line(Line::solid(colour::GREY))),
                ("trained".into(), Sign::Box(colour::BLUE)),
            ],
            x: Axis::linear("decay time constant τ (ms)", low..high),
            y: Axis::linear("units", 0.0..most * 1.08),
        };
        let mut chart = Chart::new(area, &panel);
        chart.boxes(bars(&second, low, high), colour::BLUE, 0.75);
        chart.line(outline(&first, low, high), Line::solid(colour::GREY));
    });
    Figure {
        name: "time-constants",
        caption: "Decay time constants of the units' synapses, at the start and trained.".into(),
        svg,
    }
}

/// Mean firing rates of the excitatory and of the inhibitory units.
pub fn firing_rates(rates_hz: &[f64], inhibitory: &[bool]) -> Figure {
    let of = |wanted: bool| -> Vec<f64> {
        let pairs = rates_hz.iter().zip(inhibitory);
        pairs
            .filter(|(_, i)| **i == wanted)
            .map(|(rate, _)| *rate)
            .collect()
    };
    let high = (rates_hz.iter().fold(1.0f64, |m, rate| m.max(*rate)) / 10.0).ceil() * 10.0;
    let groups = [
        ("excitatory units", of(false), colour::EXCITATORY),
        ("inhibitory units", of(true), colour::INHIBITORY),
    ];
    let shown: Vec<_> = groups
        .iter()
        .filter(|(_, rates, _)| !rates.is_empty())
        .collect();
    let svg = figure((COLUMN_MM, 10.0 + 27.0 * shown.len() as f64), |area| {
        let mut shares = vec![1.0; shown.len()];
        shares[shown.len() - 1] = 1.3;
        for (place, part) in rows(area, &shares).iter().enumerate() {
            let (name, rates, colour) = shown[place];
            let bins = counts(rates, 0.0, high, BINS);
            let most = bins.iter().fold(1, |m, count| m.max(*count)) as f64;
            let mean = rates.iter().sum::<f64>() / rates.len() as f64;
            let mut x = Axis::linear("mean firing rate (Hz)", 0.0..high);
            if place + 1 < shown.len() {
                x = x.unlabelled();
            }
            let panel = Panel {
                title: name,
                legend: vec![(
                    format!("mean {mean:.1} Hz"),
                    Sign::Line(Line::dashed(colour::INK).thin()),
                )],
                x,
                y: Axis::linear("units", 0.0..most * 1.08),
            };
            let mut chart = Chart::new(part, &panel);
            chart.boxes(bars(&bins, 0.0, high), *colour, 0.8);
            chart.line(
                [(mean, 0.0), (mean, most * 1.08)],
                Line::dashed(colour::INK).thin(),
            );
        }
    });
    Figure {
        name: "firing-rates",
        caption: "Mean firing rates of the spiking network's units over all trials.".into(),
        svg,
    }
}

/// Eigenvalues of the recurrent weights before and after training; the matrices are
/// given row by row. `None` if the eigenvalues are not found.
pub fn eigenvalues(before: &[f32], after: &[f32], units: usize) -> Option<Figure> {
    let (before, after) = (spectrum(before, units)?, spectrum(after, units)?);
    let all = || before.iter().chain(&after);
    let x = range(all().map(|value| value.re), true);
    let size = all().fold(0.1f64, |m, value| m.max(value.im.abs())) * 1.1;
    // The same scale on both axes: the panel is some 72 mm wide.
    let height = (72.0 * 2.0 * size / (x.end - x.start)).clamp(20.0, 90.0);
    let svg = figure((COLUMN_MM, height + 14.0), |area| {
        let panel = Panel {
            title: "recurrent weights",
            legend: vec![
                ("at the start".into(), Sign::Ring(colour::GREY)),
                ("trained".into(), Sign::Dot(colour::BLUE)),
            ],
            x: Axis::linear("real part of the eigenvalue", x.clone()),
            y: Axis::linear("imaginary part", -size..size),
        };
        let mut chart = Chart::new(area, &panel);
        chart.line(
            [(0.0, -size), (0.0, size)],
            Line::dashed(colour::GREY).thin(),
        );
        chart.line(
            [(x.start, 0.0), (x.end, 0.0)],
            Line::dashed(colour::GREY).thin(),
        );
        let places = |values: &[Complex<f64>]| -> Vec<(f64, f64)> {
            values.iter().map(|value| (value.re, value.im)).collect()
        };
        chart.rings(places(&before), 1.0, colour::GREY);
        chart.dots(places(&after), 1.0, colour::BLUE);
    });
    Some(Figure {
        name: "eigenvalues",
        caption: "Eigenvalues of the effective recurrent weights, at the start and trained.".into(),
        svg,
    })
}

fn spectrum(weights: &[f32], units: usize) -> Option<Vec<Complex<f64>>> {
    let matrix = DMatrix::from_row_iterator(units, units, weights.iter().map(|&w| f64::from(w)));
    // nalgebra takes a limit of 0 sweeps as no limit.
    let schur = Schur::try_new(matrix, f64::EPSILON, 30 * units.max(10))?;
    Some(schur.complex_eigenvalues().iter().copied().collect())
}

pub(super) fn bars(counts: &[usize], low: f64, high: f64) -> Vec<(f64, f64, f64, f64)> {
    let width = (high - low) / counts.len() as f64;
    let numbered = counts.iter().enumerate().filter(|(_, count)| **count > 0);
    numbered
        .map(|(k, count)| {
            let left = low + k as f64 * width;
            (left + 0.04 * width, left + 0.96 * width, 0.0, *count as f64)
        })
        .collect()
}

fn outline(counts: &[usize], low: f64, high: f64) -> Vec<(f64, f64)> {
    let width = (high - low) / counts.len() as f64;
    let mut points = vec![(low, 0.0)];
    for (k, count) in counts.iter().enumerate() {
        let left = low + k as f64 * width;
        points.extend([(left, *count as f64), (left + width, *count as f64)]);
    }
    points.push((high, 0.0));
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rotation_has_its_two_eigenvalues() {
        let mut values = spectrum(&[0.0, -2.0, 2.0, 0.0], 2).expect("a spectrum");
        values.sort_by(|a, b| a.im.total_cmp(&b.im));
        assert!((values[0] - Complex::new(0.0, -2.0)).norm() < 1e-12);
        assert!((values[1] - Complex::new(0.0, 2.0)).norm() < 1e-12);
    }
}
