//! What a trial shows the network, and the output of its three forms (Figs. 1B,
//! 2B and 4C of the paper).

use super::{Figure, answer_colour, answers, range};
use crate::report::canvas::{Axis, COLUMN_MM, Chart, Line, Panel, Sign, colour, figure, rows};
use crate::report::observe::{Observation, Trials};
use crate::spiking::experiment::task_trial;
use crate::task::SAMPLE_MS;

/// One trial of every answer: its inputs, one above the other, and its target.
pub fn inputs(trials: &Trials) -> Figure {
    let (task, labels) = (&trials.task, trials.labels());
    let channels = task.channels();
    // Of a panel, mm; the last one has the axis' numbers below.
    let panel_mm = 7.0 + 4.5 * (channels + 1) as f64;
    let height = labels.len() as f64 * panel_mm + 7.0;
    let seconds = task.samples() as f64 * SAMPLE_MS / 1000.0;
    let svg = figure((COLUMN_MM, height), |area| {
        let mut shares = vec![panel_mm; labels.len()];
        shares[labels.len() - 1] += 7.0;
        for (place, part) in rows(area, &shares).iter().enumerate() {
            let label = labels[place];
            let Some(index) = trials.first(label) else {
                continue;
            };
            let trial = task_trial(task, trials.seed, index);
            let mut marks: Vec<(f64, String)> = (0..channels)
                .map(|k| ((channels - k) as f64, format!("input {}", k + 1)))
                .collect();
            marks.push((0.0, "target".into()));
            let mut x = Axis::linear("time (s)", 0.0..seconds);
            if place + 1 < labels.len() {
                x = x.unlabelled();
            }
            let panel = Panel {
                title: task.label_name(label),
                legend: vec![],
                x,
                y: Axis {
                    label: String::new(),
                    range: -0.6..channels as f64 + 0.6,
                    marks,
                },
            };
            let mut chart = Chart::new(part, &panel);
            let rows = trial
                .input
                .chunks_exact(task.samples())
                .zip((1..=channels).rev());
            for base in 0..=channels {
                let zero = base as f64;
                chart.line(
                    [(0.0, zero), (seconds, zero)],
                    Line::dashed(colour::GREY).thin(),
                );
            }
            for (values, base) in rows {
                chart.line(trace(values, base as f64), Line::solid(colour::INK).thin());
            }
            chart.line(trace(&trial.target, 0.0), Line::solid(answer_colour(place)));
        }
    });
    Figure {
        name: "inputs",
        caption: format!(
            "One trial of each answer of {}: the inputs, each scaled to its largest value, and the output that is wanted; dashed: zero.",
            task.name()
        ),
        svg,
    }
}

/// Values around `base`, no farther from it than 0.42, as steps of 5 ms.
fn trace(values: &[f32], base: f64) -> Vec<(f64, f64)> {
    let largest = values.iter().fold(0.0f32, |m, u| m.max(u.abs())).max(1e-9);
    let second = |t: usize| t as f64 * SAMPLE_MS / 1000.0;
    let at = |u: f32| base + 0.42 * f64::from(u / largest);
    let mut points = Vec::new();
    for (t, &u) in values.iter().enumerate() {
        let last = t == 0 || values[t - 1] != u || t + 1 == values.len();
        if last {
            points.extend([
                (second(t), at(values[t.saturating_sub(1)])),
                (second(t), at(u)),
            ]);
        }
    }
    points
}

/// Mean ± SD of the output for each answer, against the target; a panel a form.
pub fn outputs(trials: &Trials, forms: &[(&str, &Observation)]) -> Figure {
    let (task, labels) = (&trials.task, trials.labels());
    let times = trials.times_s();
    let names: Vec<String> = labels
        .iter()
        .map(|label| task.label_name(*label).into())
        .collect();
    let targets: Vec<Vec<f64>> = labels
        .iter()
        .filter_map(|label| trials.first(*label))
        .map(|index| task_trial(task, trials.seed, index).target)
        .map(|target| target.into_iter().map(f64::from).collect())
        .collect();
    let edges = forms
        .iter()
        .flat_map(|(_, form)| &form.groups)
        .flat_map(|group| {
            let pairs = group
                .output
                .means()
                .into_iter()
                .zip(group.output.deviations());
            pairs
                .flat_map(|(mean, sd)| [mean - sd, mean + sd])
                .collect::<Vec<_>>()
        });
    let y_range = range(edges.chain(targets.iter().flatten().copied()), true);
    let seconds = times.last().copied().unwrap_or(1.0);
    let svg = figure((COLUMN_MM, 6.0 + 29.0 * forms.len() as f64), |area| {
        let mut shares = vec![1.0; forms.len()];
        shares[forms.len() - 1] = 1.25;
        for (place, part) in rows(area, &shares).iter().enumerate() {
            let (title, form) = forms[place];
            let mut x = Axis::linear("time (s)", 0.0..seconds);
            if place + 1 < forms.len() {
                x = x.unlabelled();
            }
            let mut legend = Vec::new();
            if place == 0 {
                legend = answers(&names);
                legend.push((
                    "target".into(),
                    Sign::Line(Line::dashed(colour::INK).thin()),
                ));
            }
            let y = Axis::linear("output", y_range.clone());
            let mut chart = Chart::new(
                part,
                &Panel {
                    title,
                    legend,
                    x,
                    y,
                },
            );
            for (answer, group) in form.groups.iter().enumerate() {
                let (means, deviations) = (group.output.means(), group.output.deviations());
                let band: Vec<(f64, f64, f64)> = times
                    .iter()
                    .zip(means.iter().zip(&deviations))
                    .map(|(&t, (mean, sd))| (t, mean - sd, mean + sd))
                    .collect();
                chart.band(&band, answer_colour(answer));
            }
            for (answer, group) in form.groups.iter().enumerate() {
                let points = times.iter().copied().zip(group.output.means());
                chart.line(points, Line::solid(answer_colour(answer)));
            }
            for target in &targets {
                let target: Vec<f32> = target.iter().map(|&z| z as f32).collect();
                chart.line(steps(&target), Line::dashed(colour::INK).thin());
            }
        }
    });
    Figure {
        name: "outputs",
        caption: format!(
            "Output in {} trials, mean and standard deviation for each answer, of the network's forms: what was trained, what it became on spiking neurons, and what runs in fixed point.",
            trials.count
        ),
        svg,
    }
}

/// A target, with its jumps.
fn steps(values: &[f32]) -> Vec<(f64, f64)> {
    let second = |t: usize| t as f64 * SAMPLE_MS / 1000.0;
    (0..values.len())
        .flat_map(|t| {
            let before = values[t.saturating_sub(1)];
            [
                (second(t), f64::from(before)),
                (second(t), f64::from(values[t])),
            ]
        })
        .collect()
}
