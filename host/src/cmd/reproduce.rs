//! `rate2spike reproduce`: the sweep behind a figure of the paper.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::CommandError;
use super::sweep::run_networks;
use crate::number::trials;
use crate::print::console::Console;
use crate::print::path::lossy;
use crate::quantize::longest_step::DEPLOYED_STEP_MS;
use crate::report::picture;
use crate::sweep::comparison::{self, Comparison};
use crate::sweep::folder::keep;
use crate::sweep::paper::{Measure, PaperCell, PaperFigure, plan};
use crate::sweep::rows;
use crate::sweep::summary::summarize;

/// Run the sweep behind a figure of the paper, and compare it with the published values
///
/// Example:  rate2spike reproduce fig2c --networks 20 -o fig2c
///
/// The networks are trained and converted as published: activation sigmoid, and the best
/// lambda of a search. go-nogo has time constants of 20 to 50 ms and a P_rec of 0.8,
/// which give the paper's numbers; mante has 20 to 100 ms and 0.2. A run that was stopped
/// goes on from there when the same command is given again.
#[derive(Clone, Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct ReproduceArgs {
    /// The figure
    #[arg(value_enum, ignore_case = true)]
    pub figure: PaperFigure,
    /// Networks of each cell; the paper has 100
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    pub networks: u64,
    /// Only the cells with these numbers of units, with commas between
    #[arg(long, visible_aliases = ["N", "units"], value_delimiter = ',')]
    pub n: Vec<usize>,
    /// Trials of each score
    #[arg(long, default_value = "100", value_parser = trials)]
    pub trials: usize,
    /// Folder of the rows [default: the figure's name]
    #[arg(
        long = "output-dir",
        short = 'o',
        visible_aliases = ["output_dir", "output"],
        value_name = "DIR"
    )]
    pub output_dir: Option<PathBuf>,
}

#[derive(Serialize)]
struct ReproduceReport {
    figure: &'static str,
    measure: Measure,
    networks: u64,
    cells: Vec<Comparison>,
    #[serde(serialize_with = "lossy")]
    rows: PathBuf,
    #[serde(serialize_with = "lossy")]
    figures: Vec<PathBuf>,
}

impl ReproduceArgs {
    /// The cells of the figure that the user asks for.
    fn cells(&self) -> Result<Vec<PaperCell>, CommandError> {
        let mut cells = self.figure.cells();
        let units = |cell: &PaperCell| cell.cell.options.units;
        let sizes: Vec<String> = cells.iter().map(|cell| units(cell).to_string()).collect();
        cells.retain(|cell| self.n.is_empty() || self.n.contains(&units(cell)));
        if cells.is_empty() {
            return Err(CommandError::Usage(format!(
                "--n: {} has no such cell; give some of {}",
                self.figure.name(),
                sizes.join(", ")
            )));
        }
        Ok(cells)
    }
}

/// Runs the command.
pub fn run(args: &ReproduceArgs, console: &Console) -> Result<(), CommandError> {
    let name = args.figure.name();
    let folder = args.output_dir.clone().unwrap_or_else(|| name.into());
    let cells = args.cells()?;
    let plan = plan(&cells, args.networks, args.trials, DEPLOYED_STEP_MS);
    keep(&plan, &folder)?;
    let rows = run_networks(&plan, &folder, None, console)?;
    let measure = args.figure.measure();
    let cells: Vec<Comparison> = summarize(&plan, &rows)
        .into_iter()
        .zip(&cells)
        .map(|(summary, cell)| Comparison::new(cell, measure, summary))
        .collect();
    let figure = comparison::figure(&plan, &cells, measure);
    let report = ReproduceReport {
        figure: name,
        measure,
        networks: args.networks,
        cells,
        rows: rows::table(&folder),
        figures: picture::write(&folder, &figure)?.into(),
    };
    console.json(&report);
    print(&report, console);
    Ok(())
}

fn print(report: &ReproduceReport, console: &Console) {
    console.say(comparison::table(
        report.figure,
        &report.cells,
        report.measure,
    ));
    console.say("");
    let all_known = report.cells.iter().all(|cell| cell.published.is_some());
    if !all_known {
        console.say("–: no published number is known");
    }
    console.say(format!(
        "{} networks a cell, with 95 % intervals; the paper has 100. Success: the spiking network in f64 is right in at least 95 % of the trials that chose lambda, as published. fresh trials, strict: the same on other trials, by the published and by the strict criterion",
        report.networks
    ));
    console.say(format!("rows    {}", report.rows.display()));
    for file in &report.figures {
        console.say(format!("figure  {}", file.display()));
    }
}
