//! Titles, and names beside their signs.

use plotters::element::DashedPathElement;
use plotters::prelude::*;

use super::area::{Area, colour, dots, drawn, text_style};

/// The look of a line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    /// Colour.
    pub colour: RGBColor,
    /// Width, mm.
    pub mm: f64,
    /// Whether the line is dashed.
    pub dashed: bool,
}

impl Line {
    /// A solid line.
    pub const fn solid(colour: RGBColor) -> Self {
        Self {
            colour,
            mm: 0.3,
            dashed: false,
        }
    }

    /// A dashed line, for targets and comparisons.
    pub const fn dashed(colour: RGBColor) -> Self {
        Self {
            dashed: true,
            ..Self::solid(colour)
        }
    }

    /// The same line, thinner.
    pub const fn thin(self) -> Self {
        Self { mm: 0.15, ..self }
    }

    pub(super) fn style(self) -> ShapeStyle {
        self.colour.stroke_width(dots(self.mm))
    }
}

/// The sign beside a name in a legend.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sign {
    /// A piece of the line.
    Line(Line),
    /// A filled dot.
    Dot(RGBColor),
    /// An open dot.
    Ring(RGBColor),
    /// A filled box.
    Box(RGBColor),
    /// No sign: the name stands alone.
    None,
}

/// Room to the right of an axis, mm: half the width of a number of four digits.
pub(super) const RIGHT_MM: f64 = 3.5;

/// Draws the names, each beside its sign, at the top right of `area`.
pub fn legend(area: &Area, entries: &[(String, Sign)]) {
    let (width, _) = area.drawing.dim_in_pixel();
    let (top, style) = (dots(1.0) as i32, text_style(colour::INK, false));
    // From the right end, so that the last entry ends with the axis.
    let mut right = width as i32 - dots(RIGHT_MM) as i32;
    for (name, mark) in entries.iter().rev() {
        let (text_width, text_height) = drawn(area.drawing.estimate_text_size(name, &style));
        right -= text_width as i32;
        drawn(area.drawing.draw_text(name, &style, (right, top)));
        let end = right - dots(0.8) as i32;
        let middle = top + text_height as i32 / 2 + dots(0.2) as i32;
        right = sign(area, *mark, (end, middle)) - dots(2.0) as i32;
    }
}

/// Draws a sign that ends at `end`; returns where it begins.
fn sign(area: &Area, sign: Sign, (end, middle): (i32, i32)) -> i32 {
    let radius = dots(0.6) as i32;
    match sign {
        Sign::Line(line) => {
            let start = end - dots(3.4) as i32;
            let ends = vec![(start, middle), (end, middle)];
            if line.dashed {
                let (dash, gap) = (dots(0.9), dots(0.6));
                drawn(
                    area.drawing
                        .draw(&DashedPathElement::new(ends, dash, gap, line.style())),
                );
            } else {
                drawn(area.drawing.draw(&PathElement::new(ends, line.style())));
            }
            return start;
        }
        Sign::Dot(colour) => {
            drawn(area.drawing.draw(&Circle::new(
                (end - radius, middle),
                radius,
                colour.filled(),
            )));
        }
        Sign::Ring(colour) => {
            let style = colour.stroke_width(dots(0.2));
            drawn(
                area.drawing
                    .draw(&Circle::new((end - radius, middle), radius, style)),
            );
        }
        Sign::None => return end,
        Sign::Box(colour) => {
            let corners = [(end - 2 * radius, middle - radius), (end, middle + radius)];
            drawn(area.drawing.draw(&Rectangle::new(corners, colour.filled())));
        }
    }
    end - 2 * radius
}
