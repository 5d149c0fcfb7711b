//! The figures, one subject a file. A figure draws numbers that it is given; only
//! [`conversion`] also measures the rates of lone neurons.

pub mod activity;
pub mod confusion;
pub mod conversion;
pub mod network;
pub mod output;
pub mod principal;
pub mod quantization;
pub mod raster;
pub mod success;
pub mod training;

use plotters::style::RGBColor;

use std::ops::Range;

use super::canvas::{Chart, Line, Sign, colour};

/// A figure, ready to be shown.
#[derive(Clone, Debug)]
pub struct Figure {
    /// The name of the files, without extension.
    pub name: &'static str,
    /// The caption, of a sentence or two.
    pub caption: String,
    /// The picture as SVG.
    pub svg: String,
}

/// Names of the figures that the report of a run may have.
pub const OF_A_RUN: [&str; 14] = [
    "confusion",
    "training",
    "inputs",
    "outputs",
    "raster",
    "units",
    "firing-rates",
    "time-constants",
    "eigenvalues",
    "components",
    "lambda",
    "transfer",
    "unit-lambdas",
    "quantization",
];

/// Name of the figure of a sweep.
pub const OF_A_SWEEP: &str = "success";

/// Colours of the answers, in the order of the labels.
const ANSWERS: [RGBColor; 3] = [colour::BLUE, colour::VERMILION, colour::ORANGE];

fn answer_colour(place: usize) -> RGBColor {
    ANSWERS[place % ANSWERS.len()]
}

/// The entries of a legend: a solid line for each answer, with the answer's name.
fn answers(names: &[String]) -> Vec<(String, Sign)> {
    let solid = |(place, name): (usize, &String)| {
        (name.clone(), Sign::Line(Line::solid(answer_colour(place))))
    };
    names.iter().enumerate().map(solid).collect()
}

/// Shades the times of a stimulus, in s, over the height of a panel.
fn shade(chart: &mut Chart, stimulus: &[Range<f64>], height: &Range<f64>) {
    let boxes = stimulus
        .iter()
        .map(|time| (time.start, time.end, height.start, height.end));
    chart.boxes(boxes, colour::SHADE, 1.0);
}

/// The entry of a legend for [`shade`].
fn stimulus_entry() -> (String, Sign) {
    ("stimulus".into(), Sign::Box(colour::SHADE))
}

/// The range of the values with some room at both ends. With `zero` the range holds 0 too.
fn range(values: impl Iterator<Item = f64>, zero: bool) -> Range<f64> {
    let start = if zero {
        (0.0, 0.0)
    } else {
        (f64::INFINITY, f64::NEG_INFINITY)
    };
    let (low, high) = values
        .filter(|value| value.is_finite())
        .fold(start, |(low, high): (f64, f64), value| {
            (low.min(value), high.max(value))
        });
    if low > high {
        return 0.0..1.0;
    }
    let room = if high > low { 0.06 * (high - low) } else { 0.5 };
    let below = if zero && low == 0.0 { 0.0 } else { room };
    low - below..high + room
}

/// The number of values that fall into each of `bins` parts of `from..to`.
fn counts(values: &[f64], from: f64, to: f64, bins: usize) -> Vec<usize> {
    let mut counts = vec![0; bins];
    for value in values {
        let bin = (value - from) / (to - from) * bins as f64;
        if bin >= 0.0 && *value <= to {
            counts[(bin as usize).min(bins - 1)] += 1;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_counts_both_ends_and_nothing_beyond_them() {
        assert_eq!(
            counts(&[0.0, 0.9, 1.0, 2.0, 2.1, -0.1], 0.0, 2.0, 2),
            [2, 2]
        );
    }
}
