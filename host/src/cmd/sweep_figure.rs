//! The figure and the page of a sweep, which `sweep`, `reproduce` and `report`
//! share.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::report::{ReportArgs, save};
use super::{CommandError, print_json};
use crate::formats::disk;
use crate::report::figures::Figure;
use crate::report::figures::success::{Mark, success};
use crate::report::page::{Page, Section, Table};
use crate::sweep::plan::{self, Plan};
use crate::sweep::rows;
use crate::sweep::summary::{COLUMNS, CellSummary, Share, summarize};

/// A share in percent with its interval; none of no networks.
pub fn percents(share: &Share) -> Option<(f64, (f64, f64))> {
    let interval = share.interval;
    Some((
        share.percent()?,
        (100.0 * interval.low, 100.0 * interval.high),
    ))
}

/// What a cell is called, apart from what was found in it.
pub fn mark(plan: &Plan, cell: usize, name: &str) -> Mark {
    let options = &plan.cells[cell].options;
    Mark {
        cell: name.into(),
        task: options.task.name(),
        activation: options.activation.name(),
        units: options.units,
        found: 0.0,
        between: (0.0, 0.0),
        strict: None,
        published: None,
    }
}

/// How many networks of each cell succeed in fixed point.
pub fn figure(plan: &Plan, cells: &[CellSummary]) -> Option<Figure> {
    let marks = cells.iter().enumerate().filter_map(|(index, summary)| {
        let (found, between) = percents(&summary.fixed)?;
        Some(Mark {
            found,
            between,
            strict: summary.fixed_strict.percent(),
            ..mark(plan, index, &summary.name)
        })
    });
    let marks: Vec<Mark> = marks.collect();
    if marks.is_empty() {
        return None;
    }
    let caption = format!(
        "Networks that answer at least 95 % of {} trials right in fixed point, with 95 % intervals (Wilson), of {} a cell; open: by the strict criterion.",
        plan.trials,
        plan.seeds().count()
    );
    Some(success(&marks, "success (%)", caption))
}

/// Writes the figure into `folder`; returns its files.
pub fn write(folder: &Path, figure: Option<&Figure>) -> Result<Vec<PathBuf>, CommandError> {
    let files = figure.map(|figure| save(folder, figure)).transpose()?;
    Ok(files.into_iter().flatten().collect())
}

#[derive(Serialize)]
struct SweepPageReport<'a> {
    sweep: &'a Path,
    networks: usize,
    missing: usize,
    cells: &'a [CellSummary],
    page: &'a Path,
    figures: Vec<PathBuf>,
}

/// Whether a sweep lies in `folder`.
pub fn is_sweep(folder: &Path) -> bool {
    folder.join(plan::FILE).is_file()
}

/// `report` of a sweep: its table and its figure on one page.
pub fn report(args: &ReportArgs) -> Result<(), CommandError> {
    let folder = &args.run;
    let page = args.output.clone();
    let page = page.unwrap_or_else(|| folder.join("sweep.html"));
    let figures = args.figures.as_deref().unwrap_or(folder);
    disk::check_writable(figures)?;
    let plan = Plan::read(folder)?;
    let rows = rows::read_all(folder, &plan)?;
    let cells = summarize(&plan, &rows);
    let missing = rows::missing(&plan, &rows).len();
    let figure = figure(&plan, &cells);
    let files = write(figures, figure.as_ref())?;
    let story = story(&plan, &cells, rows.len(), missing, figure);
    disk::write(&page, story.html().as_bytes())?;
    if args.json {
        print_json(&SweepPageReport {
            sweep: folder,
            networks: rows.len(),
            missing,
            cells: &cells,
            page: &page,
            figures: files,
        });
        return Ok(());
    }
    println!("{}", story.lead);
    println!("page     {}", page.display());
    for file in files {
        println!("figure   {}", file.display());
    }
    Ok(())
}

fn story(
    plan: &Plan,
    cells: &[CellSummary],
    networks: usize,
    missing: usize,
    figure: Option<Figure>,
) -> Page {
    let mut lead = format!("{networks} networks in {} cells", cells.len());
    if missing > 0 {
        lead += &format!("; {missing} have no row yet");
    }
    let head = COLUMNS.into_iter().chain(["seconds each"]);
    let row = |cell: &CellSummary| {
        let seconds = cell.seconds.map(|spread| format!("{:.1}", spread.mean));
        let shares = [
            &cell.trained,
            &cell.spiking,
            &cell.spiking_strict,
            &cell.fixed,
            &cell.fixed_strict,
        ];
        let mut row = vec![cell.name.clone(), cell.networks.to_string()];
        row.extend(shares.map(Share::to_string));
        row.push(seconds.unwrap_or_default());
        row
    };
    let seeds = plan.seeds();
    Page {
        title: "A sweep of networks".into(),
        lead: lead + ".",
        sections: vec![Section {
            title: "Cells",
            text: vec![format!(
                "Seeds {} to {}. Percent of the networks, with 95 % intervals: trained; and right in at least 95 of 100 trials, of {} each, as spikes in f64 and in fixed point with steps of {} ms.",
                seeds.start(),
                seeds.end(),
                plan.trials,
                plan.step_ms
            )],
            tables: vec![Table {
                head: head.map(String::from).collect(),
                rows: cells.iter().map(row).collect(),
            }],
            figures: figure.into_iter().collect(),
            ..Section::default()
        }],
    }
}
