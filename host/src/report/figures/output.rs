//! The inputs of a trial, and the output of the network's three forms (Figs. 1B,
//! 2B and 4C of the paper).

use super::{Figure, answer_colour, answers, range, shade, stimulus_entry};
use crate::report::canvas::{
    self, Area, Axis, COLUMN_MM, Chart, Line, Panel, Sign, colour, figure, legend, rows,
};
use crate::report::observe::{Observation, ObservedTrials, shown_output};
use crate::spiking::experiment::task_trial;

/// Most panels of the figure of inputs.
const MOST_PANELS: usize = 6;

/// A trial that is shown, and the name of its kind.
struct Example {
    index: u64,
    label: i16,
    title: String,
}

/// The first trial of each kind. Trials of one kind have the same answer and the same
/// inputs on. So each context of a task is a kind of its own.
fn examples(trials: &ObservedTrials) -> Vec<Example> {
    let task = &trials.task;
    let active = |index: u64| -> Vec<bool> {
        let trial = task_trial(task, trials.seed, index);
        let channels = trial.input.chunks_exact(task.samples());
        channels
            .map(|values| values.iter().any(|&u| u != 0.0))
            .collect()
    };
    let mut kinds: Vec<(i16, Vec<bool>, u64)> = Vec::new();
    for index in 0..trials.count as u64 {
        let label = task_trial(task, trials.seed, index).label;
        let on = active(index);
        if !kinds.iter().any(|kind| (kind.0, &kind.1) == (label, &on)) {
            kinds.push((label, on, index));
        }
    }
    kinds.sort_by(|a, b| (b.0, &b.1).cmp(&(a.0, &a.1)));
    let alone = |label: i16| kinds.iter().filter(|kind| kind.0 == label).count() == 1;
    // Whether an input is on in some kinds of trial and off in others.
    let differs = |channel: usize| {
        kinds
            .iter()
            .any(|kind| kind.1[channel] != kinds[0].1[channel])
    };
    let example = |(label, on, index): &(i16, Vec<bool>, u64)| {
        let mut title = task.label_name(*label).to_string();
        if !alone(*label) {
            let named = |&k: &usize| on[k] && differs(k);
            let on: Vec<String> = (0..on.len())
                .filter(named)
                .map(|k| (k + 1).to_string())
                .collect();
            title += &match on.len() {
                0 => ", no input".into(),
                1 => format!(", input {} on", on[0]),
                _ => format!(", inputs {} on", on.join(", ")),
            };
        }
        Example {
            index: *index,
            label: *label,
            title,
        }
    };
    kinds.iter().take(MOST_PANELS).map(example).collect()
}

/// One trial of each kind: the inputs, one above the other, and the target, each with its
/// amplitude.
pub fn inputs(trials: &ObservedTrials) -> Figure {
    let task = &trials.task;
    let channels = task.channels();
    let shown = examples(trials);
    let labels = trials.labels();
    // Height of a panel, mm; the last one has the numbers of the axis below.
    let panel_mm = 7.0 + 4.5 * (channels + 1) as f64;
    let height = shown.len() as f64 * panel_mm + 7.0;
    let seconds = task.seconds();
    let sample_s = task.sample_ms() / 1000.0;
    // Room for the amplitudes on the right.
    let right = 1.14 * seconds;
    let svg = figure((COLUMN_MM, height), |area| {
        let mut shares = vec![panel_mm; shown.len()];
        shares[shown.len() - 1] += 7.0;
        for (place, part) in rows(area, &shares).iter().enumerate() {
            let example = &shown[place];
            let trial = task_trial(task, trials.seed, example.index);
            let mut marks: Vec<(f64, String)> = (0..channels)
                .map(|k| ((channels - k) as f64, format!("input {}", k + 1)))
                .collect();
            marks.push((0.0, "target".into()));
            let mut x = Axis {
                range: 0.0..right,
                ..Axis::linear("time (s)", 0.0..seconds)
            };
            if place + 1 < shown.len() {
                x = x.unlabelled();
            }
            let panel = Panel {
                title: &example.title,
                legend: if place == 0 {
                    vec![("amplitude on the right".into(), Sign::None)]
                } else {
                    vec![]
                },
                x,
                y: Axis {
                    label: String::new(),
                    range: -0.6..channels as f64 + 0.6,
                    marks,
                },
            };
            let mut chart = Chart::new(part, &panel);
            let answer = labels.iter().position(|label| *label == example.label);
            let own = shown_output(task, example.label) * task.samples();
            let target = &trial.target[own..own + task.samples()];
            let target_line = Line::solid(answer_colour(answer.unwrap_or_default()));
            let rows = trial
                .input
                .chunks_exact(task.samples())
                .zip((1..=channels).rev())
                .map(|(values, base)| (values, base, Line::solid(colour::INK).thin()))
                .chain([(target, 0, target_line)]);
            for (values, base, line) in rows {
                let zero = base as f64;
                chart.line(
                    [(0.0, zero), (seconds, zero)],
                    Line::dashed(colour::GREY).thin(),
                );
                chart.line(trace(values, zero, sample_s), line);
                let place = (seconds + 0.02 * seconds, zero);
                chart.text(place, &amplitude(values), colour::INK);
            }
        }
    });
    Figure {
        name: "inputs",
        caption: format!(
            "One trial of each kind of {}: the inputs, and the output that is wanted. Each is drawn to its own scale; the number on the right is its amplitude, the largest size of its values. Dashed: zero.",
            task.name()
        ),
        svg,
    }
}

/// The largest absolute value, with a minus if no value is positive, and with ± if both
/// signs occur.
fn amplitude(values: &[f32]) -> String {
    let (low, high) = values.iter().fold((0.0f32, 0.0f32), |(low, high), &u| {
        (low.min(u), high.max(u))
    });
    let largest = canvas::number(f64::from(high.max(-low)), 2);
    let short = largest.trim_end_matches('0').trim_end_matches('.');
    match (low < 0.0, high > 0.0) {
        (false, false) => "0".into(),
        (true, true) => format!("±{short}"),
        (true, false) => format!("\u{2212}{short}"),
        (false, true) => short.into(),
    }
}

/// The values as a curve of steps of `sample_s`, shifted to `base` and scaled so that the
/// curve leaves it by at most 0.42.
fn trace(values: &[f32], base: f64, sample_s: f64) -> Vec<(f64, f64)> {
    let largest = values.iter().fold(0.0f32, |m, u| m.max(u.abs())).max(1e-9);
    let second = |t: usize| t as f64 * sample_s;
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

/// Mean ± SD of the output for each answer, against the target; a panel for each
/// form. The time of the stimulus is shaded.
pub fn outputs(trials: &ObservedTrials, forms: &[(&str, &Observation)]) -> Figure {
    let (task, labels) = (&trials.task, trials.labels());
    let times = trials.times_s();
    let names: Vec<String> = labels
        .iter()
        .map(|label| task.label_name(*label).into())
        .collect();
    let targets: Vec<Vec<f64>> = labels
        .iter()
        .filter_map(|label| trials.first(*label))
        .map(|index| task_trial(task, trials.seed, index))
        .map(|trial| {
            let own = shown_output(task, trial.label) * task.samples();
            let target = trial.target[own..own + task.samples()].iter();
            target.map(|&z| f64::from(z)).collect()
        })
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
    let stimulus = trials.stimulus();
    let svg = figure((COLUMN_MM, 10.5 + 29.0 * forms.len() as f64), |area| {
        let (heading, panels) = area.split_vertically(90);
        output_legend(&heading, &names, !stimulus.is_empty());
        let mut shares = vec![1.0; forms.len()];
        shares[forms.len() - 1] = 1.25;
        for (place, part) in rows(&panels, &shares).iter().enumerate() {
            let (title, form) = forms[place];
            let mut x = Axis::linear("time (s)", 0.0..seconds);
            if place + 1 < forms.len() {
                x = x.unlabelled();
            }
            let panel = Panel {
                title,
                legend: Vec::new(),
                x,
                y: Axis::linear("output", y_range.clone()),
            };
            let mut chart = Chart::new(part, &panel);
            shade(&mut chart, &stimulus, &y_range);
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
                chart.line(
                    steps(&target, trials.task.sample_ms() / 1000.0),
                    Line::dashed(colour::INK).thin(),
                );
            }
        }
    });
    let shaded = if stimulus.is_empty() {
        ""
    } else {
        " Grey: the time of the stimulus."
    };
    Figure {
        name: "outputs",
        caption: format!(
            "The output of each form of the network in {} trials: mean and standard deviation for each answer.{shaded}",
            trials.count
        ),
        svg,
    }
}

fn output_legend(area: &Area, names: &[String], stimulus: bool) {
    let mut entries = answers(names);
    entries.push((
        "target".into(),
        Sign::Line(Line::dashed(colour::INK).thin()),
    ));
    if stimulus {
        entries.push(stimulus_entry());
    }
    legend(area, &entries);
}

/// The points of a target's curve; a jump has two points.
fn steps(values: &[f32], sample_s: f64) -> Vec<(f64, f64)> {
    let second = |t: usize| t as f64 * sample_s;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::Task;

    fn trials(task: &str) -> ObservedTrials {
        ObservedTrials {
            task: Task::from_name(task).expect("a task"),
            seed: 1,
            count: 40,
        }
    }

    #[test]
    fn the_inputs_of_mante_are_shown_in_both_contexts_and_with_their_amplitudes() {
        let titles = |task| -> Vec<String> {
            let shown = examples(&trials(task));
            shown.into_iter().map(|example| example.title).collect()
        };
        assert_eq!(
            titles("mante"),
            [
                "positive, input 3 on",
                "positive, input 4 on",
                "negative, input 3 on",
                "negative, input 4 on"
            ]
        );
        assert_eq!(titles("go-nogo"), ["Go", "No-Go"]);
        assert_eq!(titles("xor"), ["same", "different"]);
        let svg = inputs(&trials("mante")).svg;
        for text in ["input 4", "positive, input 3 on", "amplitude on the right"] {
            assert!(svg.contains(text), "{text}");
        }
    }

    #[test]
    fn an_amplitude_shows_the_signs_that_occur() {
        for (values, text) in [
            (&[0.0, 1.0, 0.5][..], "1"),
            (&[0.0, -1.5], "\u{2212}1.5"),
            (&[2.25, -1.0], "±2.25"),
            (&[0.0, 0.0], "0"),
            (&[0.0, 100.0], "100"),
        ] {
            assert_eq!(amplitude(values), text);
        }
    }
}
