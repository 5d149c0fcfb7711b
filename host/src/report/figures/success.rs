//! The cells of a sweep: the share of networks that succeed against the number of units
//! (Figs. 1C, 2C and 4D of the paper), or one row for each cell if the cells differ in
//! something else.

use plotters::style::RGBColor;

use super::Figure;
use crate::report::canvas::{Axis, COLUMN_MM, Chart, Line, Panel, Sign, colour, figure, rows};

/// The result of a cell in the figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// The cell's name, which differs from the names of all other cells.
    pub cell: String,
    /// Name of the task; each task has a panel.
    pub task: String,
    /// Name of the activation; each activation has a colour.
    pub activation: &'static str,
    /// Number of units.
    pub units: usize,
    /// The value that was found, in percent.
    pub found: f64,
    /// Lower and upper end of its 95 % interval, or of a standard deviation.
    pub between: (f64, f64),
    /// The value by the strict criterion, in percent.
    pub strict: Option<f64>,
    /// The published value, in percent.
    pub published: Option<f64>,
}

const COLOURS: [RGBColor; 4] = [
    colour::BLUE,
    colour::VERMILION,
    colour::GREEN,
    colour::PURPLE,
];

/// The items of `all` without repetitions, in the order of their first places.
fn distinct<T: PartialEq + Copy>(all: impl Iterator<Item = T>) -> Vec<T> {
    let mut seen = Vec::new();
    for one in all {
        if !seen.contains(&one) {
            seen.push(one);
        }
    }
    seen
}

/// The figure of the cells; `measured` is the label of the axis, with its unit.
pub fn success(marks: &[Mark], measured: &str, caption: String) -> Figure {
    let places = marks
        .iter()
        .map(|mark| (&mark.task, mark.activation, mark.units));
    let places = distinct(places).len();
    let svg = if places == marks.len() {
        by_units(marks, measured)
    } else {
        by_cell(marks, measured)
    };
    Figure {
        name: super::OF_A_SWEEP,
        caption,
        svg,
    }
}

fn percent(label: &str) -> Axis {
    Axis {
        label: label.into(),
        range: -4.0..104.0,
        marks: [0, 25, 50, 75, 100]
            .map(|percent| (f64::from(percent), percent.to_string()))
            .into(),
    }
}

fn legend(marks: &[Mark], activations: &[&str]) -> Vec<(String, Sign)> {
    let mut legend: Vec<(String, Sign)> = activations
        .iter()
        .zip(COLOURS.iter().cycle())
        .map(|(name, colour)| (name.to_string(), Sign::Dot(*colour)))
        .collect();
    if marks.iter().any(|mark| mark.strict.is_some()) {
        legend.push(("strict".into(), Sign::Ring(colour::INK)));
    }
    if marks.iter().any(|mark| mark.published.is_some()) {
        legend.push(("published".into(), Sign::Box(colour::GREY)));
    }
    legend
}

fn by_units(marks: &[Mark], measured: &str) -> String {
    let tasks = distinct(marks.iter().map(|mark| &mark.task));
    let activations = distinct(marks.iter().map(|mark| mark.activation));
    let mut sizes = distinct(marks.iter().map(|mark| mark.units));
    sizes.sort_unstable();
    let (least, most) = (sizes[0] as f64, sizes[sizes.len() - 1] as f64);
    let room = (0.08 * (most - least)).max(1.0);
    let x_axis = Axis {
        label: "units N".into(),
        range: least - room..most + room,
        marks: readable(&sizes, most - least),
    };
    figure((COLUMN_MM, 8.0 + 40.0 * tasks.len() as f64), |area| {
        let mut shares = vec![40.0; tasks.len()];
        shares[tasks.len() - 1] += 8.0;
        for (index, part) in rows(area, &shares).iter().enumerate() {
            let mut x = x_axis.clone();
            if index + 1 < tasks.len() {
                x = x.unlabelled();
            }
            let mut signs = Vec::new();
            if index == 0 {
                signs = legend(marks, &activations);
            }
            let panel = Panel {
                title: tasks[index],
                legend: signs,
                x,
                y: percent(measured),
            };
            let mut chart = Chart::new(part, &panel);
            for (k, activation) in activations.iter().enumerate() {
                // Cells of one size stand beside each other.
                let shift = (k as f64 - (activations.len() - 1) as f64 / 2.0) * 0.18 * room;
                let mut series: Vec<&Mark> = marks
                    .iter()
                    .filter(|mark| mark.task == *tasks[index] && mark.activation == *activation)
                    .collect();
                series.sort_by_key(|mark| mark.units);
                draw(&mut chart, &series, COLOURS[k % COLOURS.len()], shift);
            }
        }
    })
}

/// A mark at each size. A number that would overlap the one before it is left out.
fn readable(sizes: &[usize], span: f64) -> Vec<(f64, String)> {
    let mut marks: Vec<(f64, String)> = Vec::new();
    for &size in sizes {
        let place = size as f64;
        let free = marks
            .last()
            .is_none_or(|(last, _)| place - last > 0.06 * span);
        marks.push((
            place,
            if free {
                size.to_string()
            } else {
                String::new()
            },
        ));
    }
    marks
}

fn draw(chart: &mut Chart, series: &[&Mark], colour: RGBColor, shift: f64) {
    let at = |mark: &&&Mark| mark.units as f64 + shift;
    let published = series
        .iter()
        .filter_map(|mark| Some((at(&mark), mark.published?)));
    chart.squares(published, 1.7, colour::GREY);
    let line: Vec<(f64, f64)> = series.iter().map(|mark| (at(&mark), mark.found)).collect();
    let intervals = series
        .iter()
        .map(|mark| (at(&mark), mark.between.0, mark.between.1));
    chart.strokes(intervals, Line::solid(colour).thin());
    chart.line(line.iter().copied(), Line::solid(colour));
    chart.dots(line, 1.5, colour);
    let strict = series
        .iter()
        .filter_map(|mark| Some((at(&mark), mark.strict?)));
    chart.rings(strict, 1.9, colour);
}

/// The words with which all names begin, and the rest of each name.
fn common(marks: &[Mark]) -> (String, Vec<String>) {
    let words: Vec<Vec<&str>> = marks
        .iter()
        .map(|mark| mark.cell.split(' ').collect())
        .collect();
    let first = &words[0];
    // Each name keeps at least one word.
    let most = words.iter().map(Vec::len).min().unwrap_or(1) - 1;
    let same = |k: &usize| words.iter().all(|name| name[*k] == first[*k]);
    let shared = (0..most).take_while(same).count();
    let rest = words.iter().map(|name| name[shared..].join(" "));
    (first[..shared].join(" "), rest.collect())
}

fn by_cell(marks: &[Mark], measured: &str) -> String {
    let count = marks.len() as f64;
    let row = |index: usize| count - index as f64;
    let (title, names) = common(marks);
    figure((COLUMN_MM, 16.0 + 6.0 * count), |area| {
        let panel = Panel {
            title: &title,
            legend: legend(marks, &[]),
            x: percent(measured),
            y: Axis {
                label: String::new(),
                range: 0.4..count + 0.6,
                marks: names
                    .iter()
                    .enumerate()
                    .map(|(index, name)| (row(index), name.clone()))
                    .collect(),
            },
        };
        let mut chart = Chart::with_wide_labels(area, &panel);
        for (index, mark) in marks.iter().enumerate() {
            let at = row(index);
            let published = mark.published.map(|percent| (percent, at));
            chart.squares(published, 1.7, colour::GREY);
            let (low, high) = mark.between;
            chart.line([(low, at), (high, at)], Line::solid(colour::BLUE).thin());
            chart.dots([(mark.found, at)], 1.5, colour::BLUE);
            chart.rings(mark.strict.map(|percent| (percent, at)), 1.9, colour::BLUE);
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(activation: &'static str, units: usize) -> Mark {
        Mark {
            cell: format!("xor N={units} {activation}"),
            task: "xor".into(),
            activation,
            units,
            found: 80.0,
            between: (60.0, 95.0),
            strict: Some(75.0),
            published: (units == 50).then_some(30.0),
        }
    }

    #[test]
    fn cells_that_differ_in_size_are_drawn_over_it_and_others_by_their_names() {
        let sizes = [mark("lif", 50), mark("lif", 100), mark("sigmoid", 50)];
        let svg = success(&sizes, "success (%)", String::new()).svg;
        for text in [
            "units N",
            "success (%)",
            "lif",
            "sigmoid",
            "strict",
            "published",
        ] {
            assert!(svg.contains(text), "{text}");
        }
        assert!(!svg.contains("xor N=50"));
        let named = |detail: &str| Mark {
            cell: format!("xor N=50 lif {detail}"),
            ..mark("lif", 50)
        };
        let twice = [named("rise=2"), named("rise=0")];
        let svg = success(&twice, "accuracy (%)", String::new()).svg;
        // The words that the names share stand above them.
        assert_eq!(svg.matches("xor N=50 lif").count(), 1);
        assert!(svg.contains("rise=2") && svg.contains("rise=0") && !svg.contains("units N"));
        // A single size is drawn too.
        success(&[mark("lif", 7)], "success (%)", String::new());
    }
}
