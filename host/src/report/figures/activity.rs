//! Single units: the rate of a unit in the rate network, and the filtered spikes of the
//! same unit in the spiking network.

use super::{Figure, answer_colour, answers, range};
use crate::report::canvas::{
    Axis, COLUMN_MM, Chart, Line, Panel, Sign, colour, columns, figure, rows,
};
use crate::report::observe::{Observation, ObservedTrials};

/// Number of units that are shown.
const UNITS: usize = 6;

/// The units whose rates differ most between the answers and over time.
pub fn units(
    trials: &ObservedTrials,
    rate: &Observation,
    spiking: &Observation,
    count: usize,
) -> Figure {
    let shown = liveliest(rate, count);
    let times = trials.times_s();
    let seconds = times.last().copied().unwrap_or(1.0);
    let names: Vec<String> = trials
        .labels()
        .iter()
        .map(|label| trials.task.label_name(*label).into())
        .collect();
    let course = |observation: &Observation, answer: usize, unit: usize| -> Vec<f64> {
        let means = observation.groups[answer].activity.means();
        means.iter().skip(unit).step_by(count).copied().collect()
    };
    let svg = figure((COLUMN_MM, 78.0), |area| {
        let (heading, panels) = area.split_vertically(90);
        legend(&heading, &names);
        let parts: Vec<_> = rows(&panels, &[1.0, 1.0, 1.35])
            .iter()
            .flat_map(|row| columns(row, 2))
            .collect();
        for (place, &unit) in shown.iter().enumerate() {
            let curves: Vec<(usize, Vec<f64>, Vec<f64>)> = (0..names.len())
                .map(|answer| {
                    (
                        answer,
                        course(rate, answer, unit),
                        course(spiking, answer, unit),
                    )
                })
                .collect();
            let values = curves
                .iter()
                .flat_map(|(_, a, b)| a.iter().chain(b))
                .copied();
            let lowest = place + 2 >= shown.len();
            let x = Axis::linear("time (s)", 0.0..seconds);
            let panel = Panel {
                title: &format!("unit {}", unit + 1),
                legend: vec![],
                x: if lowest { x } else { x.unlabelled() },
                y: Axis::linear(
                    if place % 2 == 0 { "rate" } else { "" },
                    range(values, true),
                ),
            };
            let mut chart = Chart::new(&parts[place], &panel);
            for (answer, rates, spikes) in curves {
                let colour = answer_colour(answer);
                chart.line(
                    times.iter().copied().zip(spikes),
                    Line::solid(colour).thin(),
                );
                chart.line(
                    times.iter().copied().zip(rates),
                    Line {
                        mm: 0.3,
                        ..Line::dashed(colour)
                    },
                );
            }
        }
    });
    Figure {
        name: "units",
        caption: "Mean activity of the units whose rates vary most: the rate network's rate (dashed) and the same unit's filtered spikes over λ (solid).".into(),
        svg,
    }
}

fn legend(area: &crate::report::canvas::Area, names: &[String]) {
    let mut entries = answers(names);
    entries.push(("rate".into(), Sign::Line(Line::dashed(colour::INK))));
    entries.push((
        "spiking".into(),
        Sign::Line(Line::solid(colour::INK).thin()),
    ));
    crate::report::canvas::legend(area, &entries);
}

fn liveliest(rate: &Observation, count: usize) -> Vec<usize> {
    let means: Vec<Vec<f64>> = rate
        .groups
        .iter()
        .map(|group| group.activity.means())
        .collect();
    let variance = |unit: usize| {
        let values = || {
            means
                .iter()
                .flat_map(|m| m.iter().skip(unit).step_by(count))
        };
        let n = values().count() as f64;
        let mean = values().sum::<f64>() / n;
        values().map(|value| (value - mean).powi(2)).sum::<f64>() / n
    };
    let mut units: Vec<(usize, f64)> = (0..count).map(|unit| (unit, variance(unit))).collect();
    units.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut shown: Vec<usize> = units.iter().take(UNITS).map(|(unit, _)| *unit).collect();
    shown.sort_unstable();
    shown
}
