//! Draws the scene in the cells of a terminal: rasters above, output below.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Axis, Block, Chart, Dataset, GraphType, Paragraph};

use super::scene::{Group, Scene, UnitSign};

/// Width of the labels of a vertical axis, in letters. One width for all panels lets
/// their axes begin at the same column.
const LABEL_WIDTH: usize = 5;

/// The line that explains the keys.
const KEYS: &str = "q quit   space pause   n next trial   + faster   - slower";

/// Draws `scene`; without `colours` in the terminal's own colours.
pub fn draw(frame: &mut Frame, scene: &Scene, colours: bool) {
    let style = |colour| {
        if colours {
            Style::new().fg(colour)
        } else {
            Style::new()
        }
    };
    let heading = Layout::vertical([
        Constraint::Length(2),
        Constraint::Fill(3),
        Constraint::Fill(2),
        Constraint::Length(1),
    ]);
    let [head, rasters, output, foot] = heading.areas(frame.area());
    frame.render_widget(Paragraph::new(headline(scene, &style)), head);
    // A small group gets room for its name and a line of dots.
    let shares = scene.groups.iter().map(|group| {
        let share = group.units.clamp(1, usize::from(u16::MAX)) as u16;
        Constraint::Fill(share.max(total(scene) / 5))
    });
    let parts = Layout::vertical(shares).split(rasters);
    for (group, part) in scene.groups.iter().zip(parts.iter()) {
        raster(frame, *part, scene, group, &style);
    }
    answer(frame, output, scene, &style);
    frame.render_widget(
        Line::styled(KEYS, Style::new().add_modifier(Modifier::DIM)),
        foot,
    );
}

fn total(scene: &Scene) -> u16 {
    let units: usize = scene.groups.iter().map(|group| group.units).sum();
    units.min(usize::from(u16::MAX)) as u16
}

fn headline(scene: &Scene, style: &impl Fn(Color) -> Style) -> Vec<Line<'static>> {
    let answer = scene.task.label_name(scene.label);
    let mut second = vec![Span::raw(format!("trial {}: {answer}", scene.trial + 1))];
    if let Some((correct, strict)) = scene.verdict {
        let (text, colour) = match (correct, strict) {
            (true, true) => (", right", Color::Green),
            (true, false) => (", right, but not strictly", Color::Yellow),
            (false, _) => (", wrong", Color::Red),
        };
        second.push(Span::styled(text, style(colour)));
    }
    second.push(Span::raw(format!("     right so far: {}", scene.score())));
    let pace: String = if scene.paused {
        "paused".into()
    } else {
        pace(scene.speed)
    };
    let bold = Style::new().add_modifier(Modifier::BOLD);
    vec![
        Line::from(vec![
            Span::styled(scene.title.clone(), bold),
            Span::raw(format!("     {pace}")),
        ]),
        Line::from(second),
    ]
}

fn pace(speed: f64) -> String {
    match speed {
        1.0 => "in real time".into(),
        2.0.. => format!("{speed} times faster than real time"),
        _ => format!("at {speed} of real time"),
    }
}

fn raster(
    frame: &mut Frame,
    area: Rect,
    scene: &Scene,
    group: &Group,
    style: &impl Fn(Color) -> Style,
) {
    let colour = match group.sign {
        UnitSign::Excitatory => Color::Green,
        UnitSign::Inhibitory => Color::Magenta,
        UnitSign::Other => Color::Cyan,
    };
    let dots = Dataset::default()
        .marker(Marker::Braille)
        .graph_type(GraphType::Scatter)
        .style(style(colour))
        .data(&group.spikes);
    let name = match group.sign {
        UnitSign::Other => format!("{} units", group.units),
        sign => format!("{}, {} units", sign.name(), group.units),
    };
    let labels = ["1".to_string(), group.units.to_string()];
    let chart = Chart::new(vec![dots])
        .block(Block::new().title(Span::styled(name, style(colour))))
        .x_axis(Axis::default().bounds([0.0, scene.seconds()]))
        .y_axis(
            Axis::default()
                .bounds([0.0, group.units as f64])
                .labels(labels.map(padded)),
        );
    frame.render_widget(chart, area);
}

fn answer(frame: &mut Frame, area: Rect, scene: &Scene, style: &impl Fn(Color) -> Style) {
    let seconds = scene.seconds();
    let (low, high) = range(scene);
    // A terminal has no dashed lines. A dot every 2 % of the width stands for one.
    let dotted = |y: f64| (0..=50).map(move |k| (seconds * f64::from(k) / 50.0, y));
    let limits: Vec<(f64, f64)> = scene.limits.iter().flat_map(|y| dotted(*y)).collect();
    let set = |data, marker, kind, colour| {
        Dataset::default()
            .data(data)
            .marker(marker)
            .graph_type(kind)
            .style(style(colour))
    };
    let sets = vec![
        set(&limits, Marker::Dot, GraphType::Scatter, Color::DarkGray),
        set(
            &scene.target,
            Marker::Braille,
            GraphType::Line,
            Color::Yellow,
        ),
        set(&scene.output, Marker::Braille, GraphType::Line, Color::Cyan),
    ];
    let title = Line::from(vec![
        Span::styled("output", style(Color::Cyan)),
        Span::raw(" against its "),
        Span::styled("target", style(Color::Yellow)),
        Span::raw("; dots: the limits of an answer"),
    ]);
    let numbers = [low, 0.0, high].map(|y| padded(format!("{y:.1}")));
    let times = [0.0, seconds / 2.0, seconds].map(|t| format!("{t:.2} s"));
    let chart = Chart::new(sets)
        .block(Block::new().title(title))
        .x_axis(Axis::default().bounds([0.0, seconds]).labels(times))
        .y_axis(Axis::default().bounds([low, high]).labels(numbers));
    frame.render_widget(chart, area);
}

/// The range of the outputs that are drawn. Zero is in the middle, so that the middle
/// label is that of zero.
fn range(scene: &Scene) -> (f64, f64) {
    let drawn = scene.target.iter().chain(&scene.output);
    let most = drawn.fold(1.0f64, |most, (_, y)| most.max(y.abs()));
    let most = (most * 5.0).ceil() / 5.0 + 0.2;
    (-most, most)
}

fn padded(label: String) -> String {
    format!("{label:>LABEL_WIDTH$}")
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use ratatui::buffer::Buffer;

    use super::*;
    use crate::task::{Task, Trial};

    fn scene() -> Scene {
        let mut signs = vec![UnitSign::Excitatory; 40];
        signs.extend([UnitSign::Inhibitory; 10]);
        let mut scene = Scene::new("go-nogo, N = 50".into(), Task::go_nogo(), &signs, 0.5);
        let mut target = vec![0.0; 200];
        target[75..].fill(1.0);
        let trial = Trial {
            input: vec![],
            target,
            mask: None,
            label: 1,
        };
        scene.begin(2, &trial);
        for unit in 0..50 {
            scene.spike(0.25, unit);
        }
        scene.output = (0..=500).map(|k| (f64::from(k) / 1000.0, 0.5)).collect();
        scene
    }

    fn drawn(scene: &Scene, (width, height): (u16, u16), colours: bool) -> Buffer {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a terminal");
        terminal
            .draw(|frame| draw(frame, scene, colours))
            .expect("a drawing");
        terminal.backend().buffer().clone()
    }

    fn text(buffer: &Buffer) -> Vec<String> {
        let width = usize::from(buffer.area.width);
        let cells: Vec<&str> = buffer.content.iter().map(|cell| cell.symbol()).collect();
        cells.chunks(width).map(|line| line.concat()).collect()
    }

    #[test]
    fn the_title_names_network_trial_score_and_pace() {
        let mut scene = scene();
        let lines = text(&drawn(&scene, (100, 30), true));
        assert!(lines[0].contains("go-nogo, N = 50") && lines[0].contains("at 0.5 of real time"));
        assert!(lines[1].contains("trial 3: Go") && lines[1].contains("no trial is over yet"));
        assert!(lines[29].contains("q quit"));
        scene.end(true, false);
        scene.paused = true;
        let lines = text(&drawn(&scene, (100, 30), true));
        assert!(lines[0].contains("paused"));
        assert!(lines[1].contains("right, but not strictly") && lines[1].contains("Go 1 of 1"));
    }

    #[test]
    fn excitatory_and_inhibitory_units_are_drawn_apart_at_the_time_of_their_spikes() {
        let buffer = drawn(&scene(), (100, 40), true);
        let lines = text(&buffer);
        let row = |name: &str| lines.iter().position(|line| line.contains(name));
        let (e, i) = (row("excitatory, 40 units"), row("inhibitory, 10 units"));
        let output = row("output against its target");
        assert!(e < i && i < output, "{lines:#?}");
        // All units fire at a quarter of the trial, which gives one column of dots.
        let dot = |cell: &str| cell.chars().all(|c| ('\u{2801}'..='\u{28ff}').contains(&c));
        let place = |x: u16, y: u16| buffer[(x, y)].symbol().to_string();
        let rows = |from: Option<usize>, to: Option<usize>| {
            let (from, to) = (from.expect("a raster"), to.expect("its end"));
            let at: Vec<(u16, u16)> = (from as u16 + 1..to as u16)
                .flat_map(|y| (7..100).map(move |x| (x, y)))
                .filter(|&(x, y)| dot(&place(x, y)))
                .collect();
            let mut columns: Vec<u16> = at.iter().map(|at| at.0).collect();
            columns.dedup();
            (at.len(), columns)
        };
        let (e_dots, e_columns) = rows(e, i);
        let (i_dots, i_columns) = rows(i, output);
        assert!(e_dots > 5 && i_dots >= 2, "{e_dots} {i_dots}");
        e_columns.iter().chain(&i_columns).for_each(|x| {
            assert!((28..=31).contains(x), "{x}");
        });
    }

    #[test]
    fn without_colours_no_cell_is_coloured() {
        let coloured = |colours| {
            let buffer = drawn(&scene(), (90, 30), colours);
            let cells = buffer.content.iter();
            cells.filter(|cell| cell.fg != Color::Reset).count()
        };
        assert_eq!(coloured(false), 0);
        assert!(coloured(true) > 50);
    }

    #[test]
    fn a_tiny_terminal_is_drawn_without_a_failure() {
        for size in [(1, 1), (3, 40), (80, 2), (20, 5)] {
            drawn(&scene(), size, true);
        }
    }
}
