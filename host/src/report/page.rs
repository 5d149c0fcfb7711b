//! The page: one HTML file that needs no network and no script.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::figures::Figure;

/// A table.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// The line above the table; empty: no line.
    pub caption: String,
    /// Names of the columns; empty: the first column names the rows.
    pub head: Vec<String>,
    /// Rows of texts.
    pub rows: Vec<Vec<String>>,
}

/// A part of the page.
#[derive(Clone, Debug, Default)]
pub struct Section {
    /// The heading.
    pub title: &'static str,
    /// The paragraphs.
    pub text: Vec<String>,
    /// The tables.
    pub tables: Vec<Table>,
    /// The figures.
    pub figures: Vec<Figure>,
    /// Commands, each a whole line for the shell.
    pub commands: Vec<String>,
}

/// The whole story.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The title.
    pub title: String,
    /// The sentence that sums up the page.
    pub lead: String,
    /// The parts, in the order of the pipeline.
    pub sections: Vec<Section>,
}

/// True if this program wrote the page in `bytes`.
pub fn is_ours(bytes: &[u8]) -> bool {
    String::from_utf8_lossy(bytes).contains("name=\"generator\" content=\"rate2spike ")
}

const STYLE: &str = "
:root { color: #222; background: #fff; font: 16px/1.5 'DejaVu Sans', Verdana, system-ui, sans-serif; }
body { max-width: 62rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.5rem; margin: 0.5rem 0; }
h2 { font-size: 1.15rem; margin: 2.5rem 0 0.5rem; border-bottom: 1px solid #ccc; padding-bottom: 0.2rem; }
p { max-width: 46rem; margin: 0.6rem 0; }
.lead { font-size: 1.05rem; }
.figures { columns: 24rem; column-gap: 2rem; }
figure { margin: 0.5rem 0 1.5rem; cursor: zoom-in; break-inside: avoid; }
figure svg { width: 100%; height: auto; display: block; }
figure.large { column-span: all; cursor: zoom-out; }
figcaption { font-size: 0.82rem; color: #444; margin-top: 0.3rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; margin: 0.8rem 0; font-size: 0.88rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 0.25rem 1.2rem 0.25rem 0; border-bottom: 1px solid #e4e4e4; vertical-align: top; }
th { font-weight: 600; }
caption { text-align: left; font-weight: 600; padding: 0.3rem 0; }
pre { background: #f5f5f3; padding: 0.5rem 0.8rem; margin: 0.4rem 0; font-size: 0.8rem; white-space: pre-wrap; overflow-wrap: anywhere; }
.option { white-space: nowrap; }
nav { font-size: 0.88rem; }
nav a { margin-right: 1rem; }
#values { position: fixed; background: #222; color: #fff; font-size: 0.78rem; padding: 0.15rem 0.5rem; border-radius: 0.2rem; pointer-events: none; }
footer { margin-top: 3rem; font-size: 0.8rem; color: #555; }
@page { size: A4; margin: 14mm 13mm; }
@media print {
  :root { font-size: 10pt; line-height: 1.35; }
  body { max-width: none; padding: 0; }
  nav, .screen, #values { display: none; }
  h1 { font-size: 15pt; margin-top: 0; }
  h2 { font-size: 11.5pt; margin: 5mm 0 1.5mm; break-after: avoid; }
  p { max-width: none; orphans: 3; widows: 3; }
  .scroll { overflow: visible; }
  main { columns: 2; column-gap: 8mm; }
  section.wide { column-span: all; }
  section > p { break-inside: avoid; break-after: avoid; overflow-wrap: anywhere; font-size: 9pt; }
  table { font-size: 7.5pt; margin: 1.5mm 0; break-inside: avoid; }
  th, td { padding: 0.5mm 2.5mm 0.5mm 0; }
  td:nth-child(2):last-child { overflow-wrap: anywhere; }
  .figures { columns: auto; }
  figure, figure.large { column-span: none; margin: 0 0 4mm; cursor: auto; }
  figure svg { max-width: 87mm; }
  figcaption { font-size: 8pt; line-height: 1.3; }
  pre { font-size: 8pt; break-inside: avoid; border: 0.2mm solid #ccc; }
  footer { margin-top: 5mm; font-size: 8pt; }
}
";

/// A click on a figure makes it larger. A pointer over a panel shows the values of both
/// axes at that place.
const SCRIPT: &str = "
for (const figure of document.querySelectorAll('figure'))
  figure.addEventListener('click', () => figure.classList.toggle('large'));
const values = document.createElement('div');
values.id = 'values';
values.hidden = true;
document.body.append(values);
function value(axis, share) {
  const [label, from, to, kind] = axis.split('|');
  if (kind === 'words') return '';
  const span = to - from, at = +from + share * span;
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(span))));
  const shown = kind === 'log' ? Number((10 ** at).toPrecision(3)).toString() : at.toFixed(digits);
  return (label + ' ' + shown).trim();
}
// Panels that share an axis leave its name to the last one of them.
function named(panel, axis) {
  const [label, ...rest] = panel.dataset[axis].split('|');
  const same = other => other.dataset[axis].split('|').slice(1).join() === rest.join();
  const others = [...panel.parentNode.querySelectorAll('rect.panel')].filter(same);
  const names = others.map(other => other.dataset[axis].split('|')[0]);
  return [label || names.find(Boolean) || '', ...rest].join('|');
}
for (const panel of document.querySelectorAll('rect.panel')) {
  panel.addEventListener('pointermove', event => {
    const box = panel.getBoundingClientRect();
    const x = value(named(panel, 'x'), (event.clientX - box.left) / box.width);
    const y = value(named(panel, 'y'), (box.bottom - event.clientY) / box.height);
    values.textContent = [x, y].filter(Boolean).join(', ');
    values.hidden = values.textContent === '';
    const left = Math.min(event.clientX + 14, innerWidth - values.offsetWidth - 4);
    values.style.left = left + 'px';
    values.style.top = (event.clientY + 16) + 'px';
  });
  panel.addEventListener('pointerleave', () => { values.hidden = true; });
}
";

impl Page {
    /// The page as HTML.
    pub fn html(&self) -> String {
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="generator" content=(concat!("rate2spike ", env!("CARGO_PKG_VERSION")));
                    title { (self.title) }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    h1 { (self.title) }
                    p.lead { (self.lead) }
                    nav {
                        @for (index, section) in self.sections.iter().enumerate() {
                            a href={ "#part-" (index) } { (section.title) }
                        }
                    }
                    main {
                        @for (index, section) in self.sections.iter().enumerate() {
                            (section.markup(index))
                        }
                    }
                    footer {
                        "Written by rate2spike " (env!("CARGO_PKG_VERSION")) ". Method: Kim, Li & Sejnowski, PNAS 116:22811 (2019), "
                        a href="https://doi.org/10.1073/pnas.1905926116" { "doi:10.1073/pnas.1905926116" }
                        "."
                        span.screen { " A click on a figure makes it larger; a pointer in it shows the values there." }
                    }
                    script { (PreEscaped(SCRIPT)) }
                }
            }
        }
        .into_string()
    }

    /// All figures, in order.
    pub fn figures(&self) -> impl Iterator<Item = &Figure> {
        self.sections.iter().flat_map(|section| &section.figures)
    }
}

/// Most columns of a table that fit in half a printed page.
const NARROW_COLUMNS: usize = 5;

impl Section {
    /// Whether a printed page shows the part over its whole width.
    fn is_wide(&self) -> bool {
        let wide = |table: &Table| table.head.len() > NARROW_COLUMNS;
        !self.commands.is_empty() || self.tables.iter().any(wide)
    }

    fn markup(&self, index: usize) -> Markup {
        html! {
            section id={ "part-" (index) } class=[self.is_wide().then_some("wide")] {
                h2 { (self.title) }
                @for text in &self.text { p { (text) } }
                @for table in &self.tables { (table.markup()) }
                @if !self.commands.is_empty() {
                    @for command in &self.commands { pre { code { (command_text(command)) } } }
                }
                @if !self.figures.is_empty() {
                    div.figures {
                        @for figure in &self.figures {
                            figure id=(figure.name) {
                                (PreEscaped(&figure.svg))
                                figcaption { (figure.caption) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A command in which the end of a line breaks no option: `--output_dir` and the like
/// stay whole.
fn command_text(command: &str) -> Markup {
    html! {
        @for piece in command.split_inclusive([' ', '\n']) {
            @if piece.starts_with('-') {
                @let word = piece.trim_end();
                span.option { (word) } (piece[word.len()..])
            } @else { (piece) }
        }
    }
}

impl Table {
    /// A table with the names in the first column and the values in the second.
    pub fn of_facts(facts: &[(&str, String)]) -> Self {
        Self {
            caption: String::new(),
            head: Vec::new(),
            rows: facts
                .iter()
                .map(|(name, value)| vec![name.to_string(), value.clone()])
                .collect(),
        }
    }

    fn markup(&self) -> Markup {
        html! {
            div.scroll { table {
                @if !self.caption.is_empty() { caption { (self.caption) } }
                @if !self.head.is_empty() {
                    thead { tr { @for name in &self.head { th scope="col" { (name) } } } }
                }
                tbody {
                    @for row in &self.rows {
                        tr {
                            @for (column, text) in row.iter().enumerate() {
                                @if column == 0 { th scope="row" { (text) } } @else { td { (text) } }
                            }
                        }
                    }
                }
            } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_of_a_command_is_never_broken() {
        let text = command_text("rate2spike run a-b.snn --seed 1 --x\n").into_string();
        assert_eq!(
            text,
            "rate2spike run a-b.snn <span class=\"option\">--seed</span> 1 <span class=\"option\">--x</span>\n"
        );
    }

    #[test]
    fn a_page_escapes_names_and_asks_nothing_of_a_network() {
        let section = Section {
            title: "Files",
            text: vec!["<model> & more".into()],
            tables: vec![Table::of_facts(&[("λ", "<50>".into())])],
            figures: vec![Figure {
                name: "raster",
                caption: "a < b".into(),
                svg: "<svg></svg>".into(),
            }],
            ..Section::default()
        };
        let page = Page {
            title: "a <b>".into(),
            sections: vec![section],
            ..Page::default()
        };
        let html = page.html();
        assert!(html.contains("&lt;model&gt; &amp; more") && html.contains("&lt;50&gt;"));
        assert!(html.contains("<svg></svg>") && html.contains("a &lt; b"));
        for foreign in ["src=", "<link", "@import", "url("] {
            assert!(!html.contains(foreign), "{foreign}");
        }
    }
}
