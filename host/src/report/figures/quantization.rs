//! What quantization lost.

use super::Figure;
use crate::quantize::report::Losses;
use crate::report::canvas::{Axis, COLUMN_MM, Chart, Line, Panel, Sign, colour, figure};

/// Smallest error that is shown; smaller ones are drawn here.
const FLOOR: f64 = 1e-6;

/// Largest and root mean square error of every quantity.
pub fn errors(losses: &Losses) -> Figure {
    let rows = losses.rows();
    let marks = rows
        .iter()
        .enumerate()
        .map(|(k, (name, _, _))| ((rows.len() - k) as f64, name.to_string()))
        .collect();
    let svg = figure((COLUMN_MM, 62.0), |area| {
        let panel = Panel {
            title: "",
            legend: vec![
                ("root mean square".into(), Sign::Ring(colour::BLUE)),
                ("largest".into(), Sign::Dot(colour::BLUE)),
            ],
            x: Axis::logarithmic("error, in the unit of the table", FLOOR.log10()..0.0),
            y: Axis {
                label: String::new(),
                range: 0.4..rows.len() as f64 + 0.6,
                marks,
            },
        };
        let mut chart = Chart::with_wide_labels(area, &panel);
        for (k, (_, _, loss)) in rows.iter().enumerate() {
            let y = (rows.len() - k) as f64;
            if loss.largest == 0.0 {
                chart.text((FLOOR.log10() + 0.1, y), "none", colour::INK);
                continue;
            }
            let place = |error: f64| error.max(FLOOR).log10();
            chart.line(
                [(place(loss.rms), y), (place(loss.largest), y)],
                Line::solid(colour::BLUE).thin(),
            );
            chart.rings([(place(loss.rms), y)], 1.5, colour::BLUE);
            chart.dots([(place(loss.largest), y)], 1.5, colour::BLUE);
        }
    });
    Figure {
        name: "quantization",
        caption: "What 8-bit weights and 16-bit factors lost, quantity by quantity: the error's root mean square (open) and largest size (filled).".into(),
        svg,
    }
}
