//! The figure and the page of a sweep.

use std::path::Path;

use super::plan::{self, SweepPlan};
use super::summary::{COLUMNS, CellSummary, Proportion};
use crate::report::figures::Figure;
use crate::report::figures::success::{Mark, success};
use crate::report::page::{Page, Section, Table};

/// Whether `folder` holds a sweep.
pub fn is_sweep(folder: &Path) -> bool {
    folder.join(plan::FILE).is_file()
}

/// The mark of a cell in the figure, without a result.
pub fn mark(plan: &SweepPlan, cell: usize, name: &str) -> Mark {
    let options = &plan.cells[cell].options;
    Mark {
        cell: name.into(),
        task: options.task.name().into(),
        activation: options.activation.name(),
        units: options.units,
        found: 0.0,
        between: (0.0, 0.0),
        strict: None,
        published: None,
    }
}

/// The figure that shows the percentage of networks in each cell that succeed
/// in fixed point; `None` if no cell has a network.
pub fn figure(plan: &SweepPlan, cells: &[CellSummary]) -> Option<Figure> {
    let marks = cells.iter().enumerate().filter_map(|(index, summary)| {
        let (found, between) = summary.fixed.percent_with_interval()?;
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
        "Networks whose deployed form (fixed point, {} ms) answers at least 95 % of {} trials right, with 95 % intervals (Wilson), of {} a cell; filled: by the published criterion; open: by the strict criterion.",
        plan.step_ms,
        plan.trials,
        plan.seeds().count()
    );
    Some(success(&marks, "success as deployed (%)", caption))
}

/// The progress of a sweep.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// Networks that have a row.
    pub networks: usize,
    /// Networks that have no row yet.
    pub missing: usize,
}

/// The page of a sweep: the table of its cells, and its figure if there is one.
pub fn page(
    plan: &SweepPlan,
    cells: &[CellSummary],
    extent: Extent,
    figure: Option<Figure>,
) -> Page {
    let mut lead = format!("{} networks in {} cells", extent.networks, cells.len());
    if extent.missing > 0 {
        lead += &format!("; {} have no row yet", extent.missing);
    }
    let head = COLUMNS.into_iter().chain(["seconds each"]);
    let row = |cell: &CellSummary| {
        let seconds = cell.seconds.map(|spread| format!("{:.1}", spread.mean));
        let proportions = [
            &cell.trained,
            &cell.spiking,
            &cell.spiking_strict,
            &cell.fixed,
            &cell.fixed_strict,
        ];
        let mut row = vec![cell.name.clone(), cell.networks.to_string()];
        row.extend(proportions.map(Proportion::to_string));
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
                "Seeds {} to {}. Percent of the networks, with 95 % intervals. Trained: the rate network met the criterion of its training. f64: the spiking network, with steps of 0.05 ms, is right in at least 95 % of {} trials. Fixed: the deployed network, in fixed point with steps of {} ms, is.",
                seeds.start(),
                seeds.end(),
                plan.trials,
                plan.step_ms
            )],
            tables: vec![Table {
                head: head.map(String::from).collect(),
                rows: cells.iter().map(row).collect(),
                ..Table::default()
            }],
            figures: figure.into_iter().collect(),
            ..Section::default()
        }],
    }
}
