//! The course of the training.

use super::Figure;
use crate::rate::evaluation::Evaluated;
use crate::report::canvas::{Axis, COLUMN_MM, Chart, Line, Panel, Sign, colour, figure, rows};

/// Updates over which the loss is averaged.
const WINDOW: usize = 25;

/// The loss of each update, its running mean, and the evaluations.
pub fn training(losses: &[f64], evaluations: &[Evaluated]) -> Figure {
    let last = losses.len().max(2) as f64;
    let high = losses.iter().fold(1.0f64, |m, loss| m.max(*loss));
    let low = losses
        .iter()
        .fold(high, |m, loss| if *loss > 0.0 { m.min(*loss) } else { m });
    let lower = !evaluations.is_empty();
    let shares: &[f64] = if lower { &[1.0, 0.85] } else { &[1.0] };
    let height = if lower { 72.0 } else { 45.0 };
    let svg = figure((COLUMN_MM, height), |area| {
        let parts = rows(area, shares);
        let updates = || Axis::linear("update", 0.0..last);
        let panel = Panel {
            title: "loss",
            legend: vec![
                (
                    "one update".into(),
                    Sign::Line(Line::solid(colour::GREY).thin()),
                ),
                (
                    format!("mean of {WINDOW}"),
                    Sign::Line(Line::solid(colour::BLUE)),
                ),
            ],
            x: if lower {
                updates().unlabelled()
            } else {
                updates()
            },
            y: Axis::logarithmic("loss of a trial", (low * 0.9).log10()..(high * 1.1).log10()),
        };
        let mut chart = Chart::new(&parts[0], &panel);
        let points = |values: &[f64], from: usize| -> Vec<(f64, f64)> {
            let numbered = values.iter().enumerate();
            numbered
                .map(|(k, loss)| ((k + from) as f64, loss.max(low).log10()))
                .collect()
        };
        chart.line(points(losses, 0), Line::solid(colour::GREY).thin());
        let means: Vec<f64> = losses
            .windows(WINDOW)
            .map(|some| some.iter().sum::<f64>() / WINDOW as f64)
            .collect();
        chart.line(points(&means, WINDOW / 2), Line::solid(colour::BLUE));
        if lower {
            let panel = Panel {
                title: "accuracy on fresh trials",
                legend: vec![(
                    "criterion".into(),
                    Sign::Line(Line::dashed(colour::INK).thin()),
                )],
                x: updates(),
                y: Axis::linear("share of trials", 0.0..1.04),
            };
            let mut chart = Chart::new(&parts[1], &panel);
            chart.line(
                [(0.0, 0.95), (last, 0.95)],
                Line::dashed(colour::INK).thin(),
            );
            let points: Vec<(f64, f64)> = evaluations
                .iter()
                .map(|evaluated| (evaluated.update as f64, evaluated.accuracy))
                .collect();
            chart.line(points.iter().copied(), Line::solid(colour::BLUE));
            chart.dots(points, 1.2, colour::BLUE);
        }
    });
    let evaluated = if lower {
        " Below: the share of right answers on trials that no update has seen."
    } else {
        ""
    };
    Figure {
        name: "training",
        caption: format!("Loss of every update, and its running mean.{evaluated}"),
        svg,
    }
}
