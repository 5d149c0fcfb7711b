//! A panel of a figure, and the lines, dots and boxes that are drawn on it.

use std::ops::Range;

use plotters::chart::ChartContext;
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::area::{Area, LABELS_MM, colour, dots, drawn, text_style};
use super::axis::{Axis, Scale};
use super::legend::{Line, RIGHT_MM, Sign, legend};

/// One panel of a figure.
#[derive(Clone, Debug)]
pub struct Panel<'a> {
    /// The title.
    pub title: &'a str,
    /// The names of the curves, each with its sign.
    pub legend: Vec<(String, Sign)>,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
}

/// A panel to draw on.
pub struct Chart<'a> {
    context: ChartContext<'a, SVGBackend<'a>, Cartesian2d<Scale, Scale>>,
}

impl<'a> Chart<'a> {
    /// Draws the axes of `panel` on `area`.
    pub fn new(area: &Area<'a>, panel: &Panel) -> Self {
        Self::with_labels(area, panel, LABELS_MM)
    }

    /// Draws the axes of `panel` on `area`, with room for words beside the vertical axis.
    pub fn with_wide_labels(area: &Area<'a>, panel: &Panel) -> Self {
        Self::with_labels(area, panel, 32.0)
    }

    fn with_labels(area: &Area<'a>, panel: &Panel, labels_mm: f64) -> Self {
        let bottom = match (
            panel.x.label.is_empty(),
            panel.x.marks.iter().all(|m| m.1.is_empty()),
        ) {
            (true, true) => 1.5,
            (true, false) => 5.0,
            (false, _) => 8.5,
        };
        let mut context = drawn(
            ChartBuilder::on(&area.drawing)
                .margin_right(dots(RIGHT_MM))
                .margin_top(dots(5.0))
                .margin_left(dots(0.5))
                .margin_bottom(dots(0.5))
                .x_label_area_size(dots(bottom))
                .y_label_area_size(dots(labels_mm))
                .build_cartesian_2d(panel.x.scale(), panel.y.scale()),
        );
        let text = text_style(colour::INK, false);
        let mut mesh = context.configure_mesh();
        mesh.disable_mesh()
            .axis_style(colour::INK.stroke_width(dots(0.15)))
            .set_all_tick_mark_size(dots(0.9) as i32)
            .label_style(text.clone())
            .axis_desc_style(text)
            .x_desc(panel.x.label.clone())
            .y_desc(panel.y.label.clone());
        drawn(mesh.draw());
        heading(area, panel);
        let place = place(context.plotting_area().get_pixel_range(), panel);
        area.panels.borrow_mut().push(place);
        Self { context }
    }

    /// Draws a line through these points.
    pub fn line(&mut self, points: impl IntoIterator<Item = (f64, f64)>, line: Line) {
        let points: Vec<(f64, f64)> = points.into_iter().collect();
        if line.dashed {
            let (dash, gap) = (dots(1.2), dots(0.8));
            let dashes = DashedPathElement::new(points, dash, gap, line.style());
            drawn(self.context.draw_series([dashes]));
        } else {
            drawn(
                self.context
                    .draw_series([PathElement::new(points, line.style())]),
            );
        }
    }

    /// Draws the area between two curves; an edge is a place, a lower and an upper value.
    pub fn band(&mut self, edges: &[(f64, f64, f64)], colour: RGBColor) {
        let lower = edges.iter().map(|&(x, low, _)| (x, low));
        let upper = edges.iter().rev().map(|&(x, _, high)| (x, high));
        let outline: Vec<(f64, f64)> = lower.chain(upper).collect();
        drawn(
            self.context
                .draw_series([Polygon::new(outline, colour.mix(0.22).filled())]),
        );
    }

    /// Draws filled dots with a diameter of `mm`.
    pub fn dots(
        &mut self,
        points: impl IntoIterator<Item = (f64, f64)>,
        mm: f64,
        colour: RGBColor,
    ) {
        let radius = dots(mm / 2.0) as i32;
        let circles = points
            .into_iter()
            .map(|point| Circle::new(point, radius, colour.filled()));
        drawn(self.context.draw_series(circles));
    }

    /// Draws open dots with a diameter of `mm`.
    pub fn rings(
        &mut self,
        points: impl IntoIterator<Item = (f64, f64)>,
        mm: f64,
        colour: RGBColor,
    ) {
        let radius = dots(mm / 2.0) as i32;
        let style = colour.stroke_width(dots(0.2));
        drawn(
            self.context.draw_series(
                points
                    .into_iter()
                    .map(|point| Circle::new(point, radius, style)),
            ),
        );
    }

    /// Draws filled squares with a side of `mm`.
    pub fn squares(
        &mut self,
        points: impl IntoIterator<Item = (f64, f64)>,
        mm: f64,
        colour: RGBColor,
    ) {
        let half = dots(mm / 2.0) as i32;
        let squares = points.into_iter().map(|point| {
            EmptyElement::at(point)
                + Rectangle::new([(-half, -half), (half, half)], colour.filled())
        });
        drawn(self.context.draw_series(squares));
    }

    /// Draws vertical strokes; each is a place, a lower and an upper end.
    pub fn strokes(&mut self, strokes: impl IntoIterator<Item = (f64, f64, f64)>, line: Line) {
        let elements = strokes
            .into_iter()
            .map(|(x, low, high)| PathElement::new([(x, low), (x, high)], line.style()));
        drawn(self.context.draw_series(elements));
    }

    /// Draws filled boxes; each is left, right, lower, upper.
    pub fn boxes(
        &mut self,
        boxes: impl IntoIterator<Item = (f64, f64, f64, f64)>,
        colour: RGBColor,
        opacity: f64,
    ) {
        let style = colour.mix(opacity).filled();
        let elements = boxes
            .into_iter()
            .map(|(left, right, low, high)| Rectangle::new([(left, low), (right, high)], style));
        drawn(self.context.draw_series(elements));
    }

    /// Draws a text whose left end is at `place`; its middle has the height of `place`.
    pub fn text(&mut self, place: (f64, f64), text: &str, colour: RGBColor) {
        let style = text_style(colour, false).pos(Pos::new(HPos::Left, VPos::Center));
        drawn(
            self.context
                .draw_series([Text::new(text.to_string(), place, style)]),
        );
    }
}

/// An invisible box over a panel, which carries the label, the ends and the kind of both
/// axes for the page's script.
fn place((x, y): (Range<i32>, Range<i32>), panel: &Panel) -> String {
    let axis = |axis: &Axis| {
        let label = axis.label.replace('&', "&amp;").replace('"', "&quot;");
        let label = label.replace('<', "&lt;").replace('|', "/");
        let (from, to) = (axis.range.start, axis.range.end);
        format!("{label}|{from}|{to}|{}", axis.kind())
    };
    format!(
        "<rect class=\"panel\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"none\" pointer-events=\"all\" data-x=\"{}\" data-y=\"{}\"/>\n",
        x.start,
        y.start,
        x.end - x.start,
        y.end - y.start,
        axis(&panel.x),
        axis(&panel.y)
    )
}

/// Draws title and legend of a panel in one line above it.
fn heading(area: &Area, panel: &Panel) {
    let title = text_style(colour::INK, true);
    let left = dots(LABELS_MM + 0.5) as i32;
    drawn(
        area.drawing
            .draw_text(panel.title, &title, (left, dots(1.0) as i32)),
    );
    legend(area, &panel.legend);
}

#[cfg(test)]
mod tests {
    use super::super::area::figure;
    use super::*;

    #[test]
    fn a_panel_carries_the_label_the_ends_and_the_kind_of_its_axes() {
        let log = Axis::logarithmic("rate (Hz)", -5.0..0.0);
        let words = Axis {
            label: String::new(),
            range: 0.0..10.0,
            marks: vec![(3.0, "E".into())],
        };
        assert_eq!((log.kind(), words.kind()), ("log", "words"));
        assert_eq!(Axis::logarithmic("", -0.7..1.1).kind(), "log");
        assert_eq!(Axis::linear("", -1.0..1.0).kind(), "linear");
        let svg = figure((60.0, 40.0), |area| {
            let panel = Panel {
                title: "",
                legend: vec![],
                x: Axis::linear("time \"t\" (s)", 0.0..2.5),
                y: log,
            };
            Chart::new(area, &panel);
        });
        assert!(svg.contains("data-x=\"time &quot;t&quot; (s)|0|2.5|linear\""));
        assert!(svg.contains("data-y=\"rate (Hz)|-5|0|log\""));
        assert!(svg.ends_with("</svg>\n"));
    }
}
