//! The spikes of one trial of each answer, excitatory and inhibitory units apart,
//! with the time of the stimulus (Fig. 4A of the paper).

use super::{Figure, shade, stimulus_entry};
use crate::report::canvas::{Axis, COLUMN_MM, Chart, Line, Panel, Sign, colour, figure, rows};
use crate::report::observe::{Observation, ObservedTrials};

/// Least length of a tick, mm: about four times its width.
const TICK_MM: f64 = 0.55;

/// A raster for each answer.
pub fn raster(trials: &ObservedTrials, observation: &Observation, inhibitory: &[bool]) -> Figure {
    let labels = trials.labels();
    let units = inhibitory.len();
    // Excitatory units above, inhibitory ones below.
    let mut order: Vec<usize> = (0..units).collect();
    order.sort_by_key(|&unit| !inhibitory[unit]);
    let mut row = vec![0.0; units];
    order
        .iter()
        .enumerate()
        .for_each(|(place, &unit)| row[unit] = place as f64);
    let lower = inhibitory.iter().filter(|i| **i).count() as f64;
    let mut marks = vec![(lower + (units as f64 - lower) / 2.0, "E".to_string())];
    if lower > 0.0 {
        marks.push((lower / 2.0, "I".into()));
    }
    let seconds = trials.task.seconds();
    let raster_mm = (units as f64 * 0.24).clamp(22.0, 62.0);
    let height = 10.0 + labels.len() as f64 * raster_mm;
    // Half the length of a tick, in rows: about one row, but at least TICK_MM.
    let half = f64::max(0.45, TICK_MM / 2.0 * units as f64 / raster_mm);
    let svg = figure((COLUMN_MM, height), |area| {
        let mut shares = vec![1.0; labels.len()];
        shares[labels.len() - 1] = 1.16;
        for (place, part) in rows(area, &shares).iter().enumerate() {
            let mut x = Axis::linear("time (s)", 0.0..seconds);
            if place + 1 < labels.len() {
                x = x.unlabelled();
            }
            let mut legend = Vec::new();
            if place == 0 {
                legend.push(("excitatory".into(), Sign::Box(colour::EXCITATORY)));
                if lower > 0.0 {
                    legend.push(("inhibitory".into(), Sign::Box(colour::INHIBITORY)));
                }
            }
            let stimulus = trials
                .first(labels[place])
                .map_or(Vec::new(), |index| trials.stimulus_of(index));
            if place == 0 && !trials.stimulus().is_empty() {
                legend.push(stimulus_entry());
            }
            let panel = Panel {
                title: trials.task.label_name(labels[place]),
                legend,
                x,
                y: Axis {
                    label: "unit".into(),
                    range: 0.0..units as f64,
                    marks: marks.clone(),
                },
            };
            let mut chart = Chart::new(part, &panel);
            shade(&mut chart, &stimulus, &(0.0..units as f64));
            for (wanted, colour) in [(false, colour::EXCITATORY), (true, colour::INHIBITORY)] {
                let spikes = observation.spikes[place]
                    .iter()
                    .filter(|(_, unit)| inhibitory[*unit as usize] == wanted);
                let strokes = spikes.map(|&(step, unit)| {
                    let at = row[unit as usize] + 0.5;
                    (
                        f64::from(step) * observation.step_ms / 1000.0,
                        (at - half).max(0.0),
                        (at + half).min(units as f64),
                    )
                });
                chart.strokes(
                    strokes,
                    Line {
                        mm: 0.14,
                        ..Line::solid(colour)
                    },
                );
            }
        }
    });
    Figure {
        name: "raster",
        caption: "Spikes of the spiking network in one trial of each answer; each row is a unit, excitatory ones above, inhibitory ones below. Grey: the time of the stimulus.".into(),
        svg,
    }
}
