//! Which class was answered for which one.

use super::Figure;
use crate::report::canvas::{Area, Axis, COLUMN_MM, Chart, Panel, colour, figure, rows};
use crate::spiking::confusion::ClassScore;

/// Most letters of a class's name beside the matrix.
const MOST_LETTERS: usize = 18;

/// Height of a row, mm.
const ROW_MM: f64 = 5.0;

/// Room above and below the rows, mm.
const AROUND_MM: f64 = 16.0;

/// The confusion matrix of each form of the network, one above the other.
pub fn matrices(forms: &[(String, Vec<ClassScore>)]) -> Figure {
    let classes = forms.first().map_or(0, |(_, classes)| classes.len());
    let height = AROUND_MM + ROW_MM * classes as f64;
    let svg = figure((COLUMN_MM, height * forms.len() as f64), |area| {
        let parts = rows(area, &vec![1.0; forms.len()]);
        for (part, (name, classes)) in parts.iter().zip(forms) {
            matrix(part, name, classes);
        }
    });
    Figure {
        name: "confusion",
        caption: "Confusion matrix: a row for each class that was shown, a column for each class that was answered, in the same order. The number counts trials, and the colour is the share of the row; right answers lie on the diagonal.".into(),
        svg,
    }
}

fn matrix(area: &Area, title: &str, classes: &[ClassScore]) {
    let count = classes.len();
    let short = |name: &str| -> String { name.chars().take(MOST_LETTERS).collect() };
    let row_of = |k: usize| (count - k) as f64;
    let panel = Panel {
        title,
        legend: vec![],
        x: Axis {
            label: "answered".into(),
            range: 0.5..count as f64 + 0.5,
            marks: (1..=count).map(|k| (k as f64, k.to_string())).collect(),
        },
        y: Axis {
            label: String::new(),
            range: 0.5..count as f64 + 0.5,
            marks: classes
                .iter()
                .enumerate()
                .map(|(k, class)| (row_of(k), format!("{} {}", k + 1, short(&class.class))))
                .collect(),
        },
    };
    let mut chart = Chart::with_wide_labels(area, &panel);
    for (k, class) in classes.iter().enumerate() {
        let trials: usize = class.answers.iter().sum();
        for (answer, &answers) in class.answers.iter().enumerate().filter(|(_, n)| **n > 0) {
            let (x, y) = (answer as f64 + 1.0, row_of(k));
            let share = answers as f64 / trials as f64;
            let fill = if answer == k {
                colour::BLUE
            } else {
                colour::VERMILION
            };
            let cell = (x - 0.46, x + 0.46, y - 0.46, y + 0.46);
            chart.boxes([cell], fill, 0.12 + 0.5 * share);
            chart.text((x - 0.3, y), &answers.to_string(), colour::INK);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_has_its_name_and_each_answer_its_count() {
        let class = |name: &str, answers: [usize; 2]| ClassScore {
            class: name.into(),
            recall: None,
            answers: answers.into(),
        };
        let classes = vec![class("walk", [17, 4]), class("rest", [0, 23])];
        let figure = matrices(&[
            ("rate network".into(), classes.clone()),
            ("x".into(), classes),
        ]);
        for text in ["1 walk", "2 rest", "17", "23", "rate network", "answered"] {
            assert!(figure.svg.contains(text), "{text}");
        }
        assert!(!figure.svg.contains(">0<"));
    }
}
