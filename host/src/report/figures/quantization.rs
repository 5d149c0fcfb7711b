//! The errors of quantization.

use super::Figure;
use crate::quantize::ArithmeticName;
use crate::quantize::report::{Loss, Losses};
use crate::report::canvas::{
    Area, Axis, COLUMN_MM, Chart, Line, Panel, Sign, colour, figure, rows,
};

/// Smallest error on the axis; smaller errors are drawn at this place.
const FLOOR: f64 = 1e-6;

/// Largest and root mean square error of each quantity: relative errors above,
/// errors in mV below.
pub fn errors(losses: &Losses, numbers: ArithmeticName) -> Figure {
    let kind = |in_mv: bool| -> Vec<(&'static str, Loss)> {
        let rows = losses.rows().into_iter();
        rows.filter(|(_, unit, _)| (*unit == "mV") == in_mv)
            .map(|(name, _, loss)| (name, loss))
            .collect()
    };
    let (relative, millivolts) = (kind(false), kind(true));
    let heights = [&relative, &millivolts].map(|kind| 13.0 + 5.5 * kind.len() as f64);
    let svg = figure((COLUMN_MM, heights.iter().sum()), |area| {
        let parts = rows(area, &heights);
        panel(&parts[0], "relative", "relative error", &relative);
        panel(&parts[1], "potentials", "error (mV)", &millivolts);
    });
    let kinds = match numbers {
        ArithmeticName::Fixed => "8-bit weights and 16-bit factors",
        ArithmeticName::F32 => "floating-point numbers of 32 bits",
    };
    Figure {
        name: "quantization",
        caption: format!(
            "What {kinds} lost, quantity by quantity: the error's root mean square (open) and largest size (filled); relative errors above, errors in mV below."
        ),
        svg,
    }
}

fn panel(area: &Area, title: &str, label: &str, losses: &[(&'static str, Loss)]) {
    let place_of = |k: usize| (losses.len() - k) as f64;
    let marks = losses.iter().enumerate();
    let panel = Panel {
        title,
        legend: vec![
            ("root mean square".into(), Sign::Ring(colour::BLUE)),
            ("largest".into(), Sign::Dot(colour::BLUE)),
        ],
        x: Axis::logarithmic(label, FLOOR.log10()..0.0),
        y: Axis {
            label: String::new(),
            range: 0.4..losses.len() as f64 + 0.6,
            marks: marks
                .map(|(k, (name, _))| (place_of(k), name.to_string()))
                .collect(),
        },
    };
    let mut chart = Chart::with_wide_labels(area, &panel);
    for (k, (_, loss)) in losses.iter().enumerate() {
        let y = place_of(k);
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
}
