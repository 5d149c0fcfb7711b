//! The axes of a panel, and the numbers on them.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::coord::types::RangedCoordf64;

/// An axis for plotters, with marks at given places.
#[derive(Clone)]
pub(super) struct Scale {
    coordinate: RangedCoordf64,
    marks: Vec<(f64, String)>,
}

impl Ranged for Scale {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        self.coordinate.map(value, limit)
    }

    fn key_points<Hint: KeyPointHint>(&self, _hint: Hint) -> Vec<f64> {
        self.marks.iter().map(|(place, _)| *place).collect()
    }

    fn range(&self) -> Range<f64> {
        self.coordinate.range()
    }
}

impl ValueFormatter<f64> for Scale {
    fn format(value: &f64) -> String {
        value.to_string()
    }

    fn format_ext(&self, value: &f64) -> String {
        let mark = self.marks.iter().find(|(place, _)| place == value);
        mark.map_or_else(String::new, |(_, text)| text.clone())
    }
}

/// An axis.
#[derive(Clone, Debug)]
pub struct Axis {
    /// The label, with its unit. Empty: no label and no numbers.
    pub label: String,
    /// The first and the last value.
    pub range: Range<f64>,
    /// Places and texts of the marks.
    pub marks: Vec<(f64, String)>,
}

impl Axis {
    /// A linear axis with marks at round numbers.
    pub fn linear(label: &str, range: Range<f64>) -> Self {
        let marks = |parts: f64| {
            let step = round_step((range.end - range.start) / parts);
            let first = (range.start / step - 1e-9).ceil() as i64;
            let last = (range.end / step + 1e-9).floor() as i64;
            (step, first, last)
        };
        let (step, first, last) = match marks(4.0) {
            // A single mark does not show the scale.
            (_, first, last) if last <= first => marks(8.0),
            enough => enough,
        };
        let digits = (-step.log10().floor()).max(0.0) as usize;
        let marks = (first..=last)
            .map(|k| (k as f64 * step, number(k as f64 * step, digits)))
            .collect();
        Self {
            label: label.into(),
            range,
            marks,
        }
    }

    /// A logarithmic axis. The places are exponents of ten.
    pub fn logarithmic(label: &str, range: Range<f64>) -> Self {
        let (first, last) = (range.start.floor() as i32, range.end.ceil() as i32);
        let narrow = range.end - range.start < 2.5;
        let steps: &[f64] = if narrow { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let marks = (first..=last)
            .flat_map(|power| steps.iter().map(move |step| step * 10f64.powi(power)))
            .map(|value| (value.log10(), value))
            .filter(|(place, _)| (range.start - 1e-9..=range.end + 1e-9).contains(place))
            .map(|(place, value)| {
                (
                    place,
                    if narrow {
                        value.to_string()
                    } else {
                        power_text(value)
                    },
                )
            })
            .collect();
        Self {
            label: label.into(),
            range,
            marks,
        }
    }

    /// What the places mean: numbers ("linear"), exponents of ten ("log") or neither
    /// ("words").
    pub(super) fn kind(&self) -> &'static str {
        let named = |(_, text): &&(f64, String)| !text.is_empty();
        let Some((place, text)) = self.marks.iter().find(named) else {
            return "linear";
        };
        match text.replace('\u{2212}', "-").parse::<f64>() {
            Ok(value) if (value - place).abs() <= 0.01 * place.abs().max(1e-9) => "linear",
            Ok(value) if (value.log10() - place).abs() < 1e-6 => "log",
            Err(_) if *text == power_text(10f64.powf(*place)) => "log",
            _ => "words",
        }
    }

    /// The axis without its label and numbers, for a panel that stands above another one
    /// with the same axis.
    pub fn unlabelled(mut self) -> Self {
        self.label.clear();
        self.marks.iter_mut().for_each(|(_, text)| text.clear());
        self
    }

    pub(super) fn scale(&self) -> Scale {
        Scale {
            coordinate: self.range.clone().into(),
            marks: self.marks.clone(),
        }
    }
}

fn round_step(about: f64) -> f64 {
    let power = 10f64.powf(about.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * power);
    *steps
        .iter()
        .find(|step| **step >= about)
        .unwrap_or(&steps[3])
}

/// The number as text, with a minus sign in place of a hyphen.
pub fn number(value: f64, digits: usize) -> String {
    let text = format!("{:.digits$}", value + 0.0);
    let zero = text
        .trim_start_matches('-')
        .chars()
        .all(|c| "0.".contains(c));
    if zero {
        text.trim_start_matches('-').into()
    } else {
        text.replace('-', "\u{2212}")
    }
}

fn power_text(value: f64) -> String {
    if (1.0..100.0).contains(&value) {
        return value.to_string();
    }
    let raised = |c| match c {
        '-' => '⁻',
        digit => ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'][digit as usize - '0' as usize],
    };
    let power = value.log10().floor() as i32;
    format!(
        "10{}",
        power.to_string().chars().map(raised).collect::<String>()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round_numbers_inside_the_axis() {
        let marks = |range| -> Vec<String> {
            Axis::linear("", range)
                .marks
                .into_iter()
                .map(|(_, text)| text)
                .collect()
        };
        assert_eq!(marks(0.0..1.0), ["0.0", "0.5", "1.0"]);
        assert_eq!(marks(-1.2..1.3), ["−1", "0", "1"]);
        assert_eq!(marks(-4.6..4.7), ["−4", "−2", "0", "2", "4"]);
        assert_eq!(marks(0.0..200.0), ["0", "50", "100", "150", "200"]);
        let powers = Axis::logarithmic("", -5.0..0.0).marks;
        assert_eq!(powers[0], (-5.0, "10⁻⁵".into()));
        assert_eq!(powers[5], (0.0, "1".into()));
        let narrow = Axis::logarithmic("", -0.7..1.1).marks;
        assert_eq!(narrow.len(), 6);
        assert_eq!(narrow[1].1, "0.5");
    }
}
