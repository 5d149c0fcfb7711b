//! `rate2spike reproduce`: the sweep behind a figure of the paper.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::deployed_step::DEPLOYED_STEP_MS;
use super::sweep::run_plan;
use super::{CommandError, print_json, sweep_figure, trials};
use crate::formats::disk;
use crate::report::figures::Figure as Drawing;
use crate::report::figures::success::{Mark, success};
use crate::sweep::figures::{Figure, Measure, plan};
use crate::sweep::plan::Plan;
use crate::sweep::rows;
use crate::sweep::summary::{CellSummary, Share, Spread, summarize};

/// Run the sweep behind a figure of the paper, and print it beside the published values
///
/// Example:  rate2spike reproduce fig2c --networks 20 -o fig2c
///
/// The networks train and convert as published: sigmoid, the best of a search for
/// lambda; go-nogo with time constants of 20 to 50 ms and a P_rec of 0.8, with
/// which the paper's numbers come out, mante with 20 to 100 ms and 0.2. A run that was killed goes on where it
/// was when the same command is given again.
#[derive(Clone, Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct ReproduceArgs {
    /// The figure
    #[arg(value_enum, ignore_case = true)]
    pub figure: Figure,
    /// Networks of each cell; the paper has 100
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    pub networks: u64,
    /// Only the cells with these numbers of units, with commas between
    #[arg(long, visible_alias = "N", value_delimiter = ',')]
    pub n: Vec<usize>,
    /// Trials of each score
    #[arg(long, default_value = "100", value_parser = trials)]
    pub trials: usize,
    /// Folder of the rows [default: the figure's name]
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(Serialize)]
struct ReproduceReport {
    figure: String,
    measure: Measure,
    networks: u64,
    cells: Vec<CellReport>,
    rows: PathBuf,
    figures: Vec<PathBuf>,
}

#[derive(Serialize)]
struct CellReport {
    /// In percent; none where the paper's number is not known.
    published: Option<f64>,
    found: Found,
    #[serde(flatten)]
    summary: CellSummary,
}

/// What the figure measures, found here.
#[derive(Serialize)]
#[serde(untagged)]
enum Found {
    /// So many networks.
    Share(Share),
    /// Accuracy.
    Spread(Option<Spread>),
}

impl Found {
    fn of(measure: Measure, summary: &CellSummary) -> Self {
        match measure {
            Measure::Trained => Self::Share(summary.trained),
            // As the paper counts: on the trials of the search.
            Measure::Success => Self::Share(summary.searched.unwrap_or(summary.spiking)),
            Measure::Accuracy => Self::Spread(summary.accuracy),
        }
    }

    /// In percent, with its interval or its standard deviation.
    fn percents(&self) -> Option<(f64, (f64, f64))> {
        match self {
            Self::Share(share) => sweep_figure::percents(share),
            Self::Spread(spread) => spread.map(|Spread { mean, sd }| {
                let between = (100.0 * (mean - sd), 100.0 * (mean + sd).min(1.0));
                (100.0 * mean, between)
            }),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Share(share) => share.to_string(),
            Self::Spread(None) => "–".into(),
            Self::Spread(Some(Spread { mean, sd })) => {
                format!("{:.1} ± {:.1}", 100.0 * mean, 100.0 * sd)
            }
        }
    }
}

/// Runs the command.
pub fn run(args: &ReproduceArgs) -> Result<(), CommandError> {
    let name = format!("{:?}", args.figure).to_lowercase();
    let folder = args.output.clone().unwrap_or_else(|| name.clone().into());
    let mut cells = args.figure.cells();
    cells.retain(|cell| args.n.is_empty() || args.n.contains(&cell.cell.options.units));
    if cells.is_empty() {
        let sizes: Vec<String> = args
            .figure
            .cells()
            .iter()
            .map(|cell| cell.cell.options.units.to_string())
            .collect();
        return Err(CommandError::Usage(format!(
            "--n: {name} has no such cell; give some of {}",
            sizes.join(", ")
        )));
    }
    let plan = plan(&cells, args.networks, args.trials, DEPLOYED_STEP_MS);
    disk::check_writable(&folder)?;
    plan.keep_in(&folder)?;
    let rows = run_plan(&plan, &folder, args.json)?;
    debug_assert!(rows::missing(&plan, &rows).is_empty());
    let measure = args.figure.measure();
    let cells = summarize(&plan, &rows).into_iter().zip(&cells);
    let cells: Vec<CellReport> = cells
        .map(|(summary, cell)| CellReport {
            published: cell.published,
            found: Found::of(measure, &summary),
            summary,
        })
        .collect();
    let drawn = drawn(&plan, &cells, measure);
    let report = ReproduceReport {
        figure: name,
        measure,
        networks: args.networks,
        cells,
        rows: folder.join("rows.csv"),
        figures: sweep_figure::write(&folder, Some(&drawn))?,
    };
    if args.json {
        print_json(&report);
    } else {
        print(&report);
    }
    Ok(())
}

/// The figure, with the published values in it.
fn drawn(plan: &Plan, cells: &[CellReport], measure: Measure) -> Drawing {
    let marks = cells.iter().enumerate().filter_map(|(index, cell)| {
        let (found, between) = cell.found.percents()?;
        let strict = (measure == Measure::Success).then(|| cell.summary.spiking_strict.percent());
        Some(Mark {
            found,
            between,
            strict: strict.flatten(),
            published: cell.published,
            ..sweep_figure::mark(plan, index, &cell.summary.name)
        })
    });
    let marks: Vec<Mark> = marks.collect();
    let (measured, bars) = match measure {
        Measure::Trained => ("trained (%)", "95 % intervals (Wilson)"),
        Measure::Success => ("success (%)", "95 % intervals (Wilson)"),
        Measure::Accuracy => ("accuracy (%)", "standard deviations"),
    };
    let networks = plan.seeds().count();
    let caption = format!(
        "{networks} networks a cell, with {bars}; open: by the strict criterion on fresh trials; boxes: the paper, 100 networks a cell."
    );
    success(&marks, measured, caption)
}

fn print(report: &ReproduceReport) {
    let names = report.cells.iter().map(|cell| &cell.summary.name);
    let width = names.map(|name| name.chars().count()).max().unwrap_or(0);
    let measured = match report.measure {
        Measure::Trained => "trained %",
        Measure::Success => "success %",
        Measure::Accuracy => "accuracy %",
    };
    println!(
        "{:<width$}  {:>9}  {measured:>14}  {:>14}  {:>14}  {:>8}",
        report.figure, "published", "fresh trials %", "strict %", "lambda"
    );
    for cell in &report.cells {
        let summary = &cell.summary;
        let published = cell.published.map_or("–".into(), |x| x.to_string());
        let lambda = summary.lambda.map_or("–".into(), |Spread { mean, sd }| {
            format!("{mean:.0} ± {sd:.0}")
        });
        println!(
            "{:<width$}  {published:>9}  {:>14}  {:>14}  {:>14}  {lambda:>8}",
            summary.name,
            cell.found.text(),
            summary.spiking,
            summary.spiking_strict,
        );
    }
    println!();
    let all_known = report.cells.iter().all(|cell| cell.published.is_some());
    if !all_known {
        println!("–: no published number is known");
    }
    println!(
        "{} networks a cell, with 95 % intervals; the paper has 100. Success: an accuracy of at least 95 % as spikes in f64, on the trials that chose lambda, as published; then on fresh trials, by the published and the strict criterion",
        report.networks
    );
    println!("rows    {}", report.rows.display());
    for file in &report.figures {
        println!("figure  {}", file.display());
    }
}
