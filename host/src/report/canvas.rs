//! What all figures share: the size of a paper's column, axes without a box,
//! colours that a colour-blind reader can tell apart, and one font, which is
//! part of the program.

use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Once;

use plotters::chart::ChartContext;
use plotters::coord::Shift;
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::coord::types::RangedCoordf64;
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontStyle, register_font};

/// Width of a column of PNAS, mm.
pub const COLUMN_MM: f64 = 87.0;

/// Dots of a drawing in a millimetre: plotters rounds to whole ones.
const DOTS_A_MM: f64 = 20.0;

/// Room for the numbers beside a vertical axis, mm.
const LABELS_MM: f64 = 12.5;

/// Size of all text, in points of 0.353 mm.
const TEXT_PT: f64 = 7.0;

/// The font's name, as the pictures say it.
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
    /// What is there for comparison.
    pub const GREY: RGBColor = RGBColor(140, 140, 140);
    /// Excitatory units.
    pub const EXCITATORY: RGBColor = GREEN;
    /// Inhibitory units.
    pub const INHIBITORY: RGBColor = PURPLE;
}

/// A place to draw on.
pub struct Area<'a> {
    drawing: DrawingArea<SVGBackend<'a>, Shift>,
    /// The panels of the figure so far.
    panels: Rc<RefCell<Vec<String>>>,
}

impl<'a> Area<'a> {
    fn part(&self, drawing: DrawingArea<SVGBackend<'a>, Shift>) -> Self {
        Self {
            drawing,
            panels: self.panels.clone(),
        }
    }

    /// Cuts it at `height`, in dots from above.
    pub fn split_vertically(&self, height: i32) -> (Self, Self) {
        let (upper, lower) = self.drawing.split_vertically(height);
        (self.part(upper), self.part(lower))
    }
}

/// An axis as plotters wants it: its marks are where they were said to be.
#[derive(Clone)]
struct Scale {
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
    /// What it shows, with its unit. Empty: no label and no numbers.
    pub label: String,
    /// From where to where.
    pub range: Range<f64>,
    /// Places and texts of the marks.
    pub marks: Vec<(f64, String)>,
}

impl Axis {
    /// Linear, with marks at round numbers.
    pub fn linear(label: &str, range: Range<f64>) -> Self {
        let marks = |parts: f64| {
            let step = round_step((range.end - range.start) / parts);
            let first = (range.start / step - 1e-9).ceil() as i64;
            let last = (range.end / step + 1e-9).floor() as i64;
            (step, first, last)
        };
        let (step, first, last) = match marks(4.0) {
            // A single mark says nothing of the scale.
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

    /// Logarithmic: places are powers of ten.
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

    /// Whether its places are numbers ("linear"), powers of ten ("log"), or
    /// neither ("words").
    fn kind(&self) -> &'static str {
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

    /// Without label and numbers: the axis of a panel that stands above another
    /// one with the same.
    pub fn unlabelled(mut self) -> Self {
        self.label.clear();
        self.marks.iter_mut().for_each(|(_, text)| text.clear());
        self
    }

    fn scale(&self) -> Scale {
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

/// A number with a minus sign and not a hyphen.
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

/// How a line looks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    /// Colour.
    pub colour: RGBColor,
    /// Width, mm.
    pub mm: f64,
    /// Whether it is dashed.
    pub dashed: bool,
}

impl Line {
    /// Solid.
    pub const fn solid(colour: RGBColor) -> Self {
        Self {
            colour,
            mm: 0.3,
            dashed: false,
        }
    }

    /// Dashed, for what is wanted or compared with.
    pub const fn dashed(colour: RGBColor) -> Self {
        Self {
            dashed: true,
            ..Self::solid(colour)
        }
    }

    /// A thin one.
    pub const fn thin(self) -> Self {
        Self { mm: 0.15, ..self }
    }

    fn style(self) -> ShapeStyle {
        self.colour.stroke_width(dots(self.mm))
    }
}

/// What stands beside a name in a legend.
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
}

/// One panel of a figure.
#[derive(Clone, Debug)]
pub struct Panel<'a> {
    /// What it shows.
    pub title: &'a str,
    /// Names of what is drawn, beside their signs.
    pub legend: Vec<(String, Sign)>,
    /// To the right.
    pub x: Axis,
    /// Upwards.
    pub y: Axis,
}

/// A panel to draw on.
pub struct Chart<'a> {
    context: ChartContext<'a, SVGBackend<'a>, Cartesian2d<Scale, Scale>>,
}

fn dots(mm: f64) -> u32 {
    (mm * DOTS_A_MM).round().max(1.0) as u32
}

/// Nothing that is drawn into memory, with a font that is there, can fail.
fn drawn<T, E: std::error::Error + Send + Sync>(result: Result<T, DrawingAreaErrorKind<E>>) -> T {
    result.expect("drawing into memory with a font of the program")
}

fn text_style(colour: RGBColor, bold: bool) -> TextStyle<'static> {
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
    // plotters counts the height of a line, 1.24 times that of the font.
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

/// Draws a figure of this size; returns it as SVG.
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
    // Above everything else, and invisible: where a panel is, and what its axes
    // say, for whoever points at it.
    let end = format!("{}</svg>", panels.borrow().concat());
    let svg = svg.replacen("</svg>", &end, 1);
    let size_in_dots = format!("width=\"{}\" height=\"{}\"", size.0, size.1);
    let size_in_mm = format!("width=\"{}mm\" height=\"{}mm\"", size_mm.0, size_mm.1);
    let svg = svg.replacen(&size_in_dots, &size_in_mm, 1);
    let fonts = format!("font-family=\"{FONT}, Verdana, sans-serif\"");
    joined(&svg.replace(&format!("font-family=\"{FONT}\""), &fonts))
}

/// Joins neighbouring strokes of the same look into one element: a raster has
/// thousands.
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

/// Cuts `area` into rows of these shares of its height.
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

/// Cuts `area` into so many columns.
pub fn columns<'a>(area: &Area<'a>, count: usize) -> Vec<Area<'a>> {
    let parts = area.drawing.split_evenly((1, count));
    parts.into_iter().map(|part| area.part(part)).collect()
}

impl<'a> Chart<'a> {
    /// The axes of `panel` on `area`.
    pub fn new(area: &Area<'a>, panel: &Panel) -> Self {
        Self::with_labels(area, panel, LABELS_MM)
    }

    /// As [`Chart::new`], with room for words beside the vertical axis.
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

    /// A line through these points.
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

    /// The area between two curves (place, lower, upper).
    pub fn band(&mut self, edges: &[(f64, f64, f64)], colour: RGBColor) {
        let lower = edges.iter().map(|&(x, low, _)| (x, low));
        let upper = edges.iter().rev().map(|&(x, _, high)| (x, high));
        let outline: Vec<(f64, f64)> = lower.chain(upper).collect();
        drawn(
            self.context
                .draw_series([Polygon::new(outline, colour.mix(0.22).filled())]),
        );
    }

    /// Dots with a diameter in mm.
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

    /// Open dots.
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

    /// Filled squares with a side in mm.
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

    /// Vertical strokes (place, lower, upper).
    pub fn strokes(&mut self, strokes: impl IntoIterator<Item = (f64, f64, f64)>, line: Line) {
        let elements = strokes
            .into_iter()
            .map(|(x, low, high)| PathElement::new([(x, low), (x, high)], line.style()));
        drawn(self.context.draw_series(elements));
    }

    /// Filled boxes (left, right, lower, upper).
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

    /// A text whose left end is at this place, centred on its height.
    pub fn text(&mut self, place: (f64, f64), text: &str, colour: RGBColor) {
        let style = text_style(colour, false).pos(Pos::new(HPos::Left, VPos::Center));
        drawn(
            self.context
                .draw_series([Text::new(text.to_string(), place, style)]),
        );
    }
}

/// An invisible box over a panel, with what its axes say at both ends.
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

/// Title and legend of a panel, in one line above it.
fn heading(area: &Area, panel: &Panel) {
    let title = text_style(colour::INK, true);
    let left = dots(LABELS_MM + 0.5) as i32;
    drawn(
        area.drawing
            .draw_text(panel.title, &title, (left, dots(1.0) as i32)),
    );
    legend(area, &panel.legend);
}

/// Room to the right of an axis: half a number of four digits.
const RIGHT_MM: f64 = 3.5;

/// Names beside their signs, at the top right of `area`.
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
        Sign::Box(colour) => {
            let corners = [(end - 2 * radius, middle - radius), (end, middle + radius)];
            drawn(area.drawing.draw(&Rectangle::new(corners, colour.filled())));
        }
    }
    end - 2 * radius
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

    #[test]
    fn a_panel_says_what_its_axes_mean_at_the_pointer() {
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
