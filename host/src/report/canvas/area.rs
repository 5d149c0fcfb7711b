//! A place to draw on, the look of all figures, and a figure as SVG.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Once;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::{FontStyle, register_font};

/// Width of a column of PNAS, mm.
pub const COLUMN_MM: f64 = 87.0;

/// Dots of a drawing in a millimetre. plotters rounds places to whole dots.
const DOTS_A_MM: f64 = 20.0;

/// Room for the numbers beside a vertical axis, mm.
pub(super) const LABELS_MM: f64 = 12.5;

/// Size of all text, in points of 0.353 mm.
const TEXT_PT: f64 = 7.0;

/// The name of the font in the pictures.
pub const FONT: &str = "DejaVu Sans";

/// Colours of Okabe & Ito (2008), <https://jfly.uni-koeln.de/color/>.
pub mod colour {
    use plotters::style::RGBColor;

    /// Blue.
    pub const BLUE: RGBColor = RGBColor(0, 114, 178);
    /// Vermilion.
    pub const VERMILION: RGBColor = RGBColor(213, 94, 0);
    /// Bluish green.
    pub const GREEN: RGBColor = RGBColor(0, 158, 115);
    /// Reddish purple, a little darker than published, for thin lines.
    pub const PURPLE: RGBColor = RGBColor(180, 90, 146);
    /// Orange.
    pub const ORANGE: RGBColor = RGBColor(230, 159, 0);
    /// Axes and text.
    pub const INK: RGBColor = RGBColor(40, 40, 40);
    /// The time of a stimulus.
    pub const SHADE: RGBColor = RGBColor(228, 228, 224);
    /// Lines for comparison.
    pub const GREY: RGBColor = RGBColor(140, 140, 140);
    /// Excitatory units.
    pub const EXCITATORY: RGBColor = GREEN;
    /// Inhibitory units.
    pub const INHIBITORY: RGBColor = PURPLE;
}

/// A place to draw on.
pub struct Area<'a> {
    pub(super) drawing: DrawingArea<SVGBackend<'a>, Shift>,
    /// The panels of the figure so far.
    pub(super) panels: Rc<RefCell<Vec<String>>>,
}

impl<'a> Area<'a> {
    pub(super) fn part(&self, drawing: DrawingArea<SVGBackend<'a>, Shift>) -> Self {
        Self {
            drawing,
            panels: self.panels.clone(),
        }
    }

    /// The part above and the part below `height`, in dots from the top.
    pub fn split_vertically(&self, height: i32) -> (Self, Self) {
        let (upper, lower) = self.drawing.split_vertically(height);
        (self.part(upper), self.part(lower))
    }
}

pub(super) fn dots(mm: f64) -> u32 {
    (mm * DOTS_A_MM).round().max(1.0) as u32
}

/// The result of a drawing. Drawing into memory with a font that is part of the program
/// cannot fail.
pub(super) fn drawn<T, E: std::error::Error + Send + Sync>(
    result: Result<T, DrawingAreaErrorKind<E>>,
) -> T {
    result.expect("drawing into memory with a font of the program")
}

pub(super) fn text_style(colour: RGBColor, bold: bool) -> TextStyle<'static> {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| {
        for (style, bytes) in [
            (FontStyle::Normal, dejavu::sans::regular()),
            (FontStyle::Bold, dejavu::sans::bold()),
        ] {
            let registered = register_font(FONT, style, bytes);
            assert!(registered.is_ok(), "DejaVu Sans is a font");
        }
    });
    // plotters takes the height of a line, which is 1.24 times the size of the font.
    let size = TEXT_PT * 0.3528 * DOTS_A_MM * 1.24;
    let style = if bold {
        FontStyle::Bold
    } else {
        FontStyle::Normal
    };
    TextStyle {
        color: colour.to_backend_color(),
        ..TextStyle::from((FONT, size, style))
    }
}

/// Draws a figure of this size and returns it as SVG.
pub fn figure(size_mm: (f64, f64), draw: impl FnOnce(&Area)) -> String {
    let mut svg = String::new();
    let size = (dots(size_mm.0), dots(size_mm.1));
    let panels = Rc::new(RefCell::new(Vec::new()));
    {
        let area = Area {
            drawing: SVGBackend::with_string(&mut svg, size).into_drawing_area(),
            panels: panels.clone(),
        };
        drawn(area.drawing.fill(&WHITE));
        draw(&area);
        drawn(area.drawing.present());
    }
    // Invisible boxes above everything else carry the places and axes of the panels. The
    // script of the page reads the values at the pointer from them.
    let end = format!("{}</svg>", panels.borrow().concat());
    let svg = svg.replacen("</svg>", &end, 1);
    let size_in_dots = format!("width=\"{}\" height=\"{}\"", size.0, size.1);
    let size_in_mm = format!("width=\"{}mm\" height=\"{}mm\"", size_mm.0, size_mm.1);
    let svg = svg.replacen(&size_in_dots, &size_in_mm, 1);
    let fonts = format!("font-family=\"{FONT}, Verdana, sans-serif\"");
    joined(&svg.replace(&format!("font-family=\"{FONT}\""), &fonts))
}

/// Joins neighbouring strokes of the same look into one element, because a raster has
/// thousands of them.
fn joined(svg: &str) -> String {
    let mut result = String::with_capacity(svg.len());
    let mut open: Option<&str> = None;
    for line in svg.lines() {
        let stroke = line
            .strip_prefix("<polyline ")
            .and_then(|rest| rest.split_once(" points=\""))
            .and_then(|(look, points)| Some((look, points.strip_suffix("\"/>")?.trim_end())))
            .filter(|(_, points)| points.split(' ').count() == 2);
        if open.is_some() && open != stroke.map(|(look, _)| look) {
            result.push_str("\"/>\n");
            open = None;
        }
        let Some((look, points)) = stroke else {
            result.push_str(line);
            result.push('\n');
            continue;
        };
        if open.is_none() {
            result.push_str("<path ");
            result.push_str(look);
            result.push_str(" d=\"");
            open = Some(look);
        }
        result.push('M');
        result.push_str(&points.replace(' ', "L"));
    }
    result
}

/// Cuts `area` into rows whose heights are in these proportions.
pub fn rows<'a>(area: &Area<'a>, shares: &[f64]) -> Vec<Area<'a>> {
    let height = f64::from(area.drawing.dim_in_pixel().1);
    let sum: f64 = shares.iter().sum();
    let mut rest = area.part(area.drawing.clone());
    let mut cut = Vec::new();
    for share in &shares[..shares.len() - 1] {
        let (upper, lower) = rest.split_vertically((height * share / sum).round() as i32);
        cut.push(upper);
        rest = lower;
    }
    cut.push(rest);
    cut
}

/// Cuts `area` into `count` columns.
pub fn columns<'a>(area: &Area<'a>, count: usize) -> Vec<Area<'a>> {
    let parts = area.drawing.split_evenly((1, count));
    parts.into_iter().map(|part| area.part(part)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_strokes_become_one_element_and_nothing_else_changes() {
        let stroke =
            |look: &str, points: &str| format!("<polyline {look} points=\"{points} \"/>\n");
        let svg = [
            stroke("a", "1,2 1,3"),
            stroke("a", "4,2 4,3"),
            stroke("b", "5,2 5,3"),
            stroke("b", "5,2 5,3 6,4"),
            "<rect/>\n".into(),
        ]
        .concat();
        let wanted = "<path a d=\"M1,2L1,3M4,2L4,3\"/>\n<path b d=\"M5,2L5,3\"/>\n\
                      <polyline b points=\"5,2 5,3 6,4 \"/>\n<rect/>\n";
        assert_eq!(joined(&svg), wanted);
    }
}
