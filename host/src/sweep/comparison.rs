//! The results of a sweep beside the values of a figure of the paper.

use serde::Serialize;

use super::page;
use super::paper::{Measure, PaperCell};
use super::plan::SweepPlan;
use super::summary::{CellSummary, Proportion, Spread};
use crate::report::figures::Figure;
use crate::report::figures::success::{Mark, success};

/// One cell of a figure of the paper: the published value, and the result of a sweep.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// The paper's value in percent; `None` where the paper gives no number.
    pub published: Option<f64>,
    /// The value of the figure's quantity in the sweep.
    pub found: Found,
    /// All results of the cell in the sweep.
    #[serde(flatten)]
    pub summary: CellSummary,
}

/// The value of a figure's quantity in a sweep.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Found {
    /// The networks that succeed.
    Proportion(Proportion),
    /// The accuracy; `None` where no network has a score.
    Spread(Option<Spread>),
}

impl Comparison {
    /// Compares `summary` with the value of the paper.
    pub fn new(cell: &PaperCell, measure: Measure, summary: CellSummary) -> Self {
        let found = match measure {
            Measure::Trained => Found::Proportion(summary.trained),
            // The paper counts right answers on the trials of the search.
            Measure::Success => Found::Proportion(summary.searched.unwrap_or(summary.spiking)),
            Measure::Accuracy => Found::Spread(summary.accuracy),
        };
        Self {
            published: cell.published,
            found,
            summary,
        }
    }

    fn mark(&self, plan: &SweepPlan, index: usize, measure: Measure) -> Option<Mark> {
        let (found, between) = self.found.percents()?;
        let strict = (measure == Measure::Success).then(|| self.summary.spiking_strict.percent());
        Some(Mark {
            found,
            between,
            strict: strict.flatten(),
            published: self.published,
            ..page::mark(plan, index, &self.summary.name)
        })
    }
}

impl Found {
    /// The value in percent, with the ends of its interval or of one standard deviation.
    fn percents(&self) -> Option<(f64, (f64, f64))> {
        match self {
            Self::Proportion(proportion) => proportion.percent_with_interval(),
            Self::Spread(spread) => spread.map(|Spread { mean, sd }| {
                let between = (100.0 * (mean - sd), 100.0 * (mean + sd).min(1.0));
                (100.0 * mean, between)
            }),
        }
    }
}

impl std::fmt::Display for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            Self::Proportion(proportion) => proportion.fmt(f),
            Self::Spread(None) => f.pad("–"),
            Self::Spread(Some(Spread { mean, sd })) => {
                f.pad(&format!("{:.1} ± {:.1}", 100.0 * mean, 100.0 * sd))
            }
        }
    }
}

/// The figure with the results and the published values.
pub fn figure(plan: &SweepPlan, cells: &[Comparison], measure: Measure) -> Figure {
    let marks: Vec<Mark> = cells
        .iter()
        .enumerate()
        .filter_map(|(index, cell)| cell.mark(plan, index, measure))
        .collect();
    let (measured, caption) = match measure {
        Measure::Trained => (
            "trained (%)",
            "whose training met its criterion, as rate networks, with 95 % intervals (Wilson)",
        ),
        Measure::Success => (
            "success as spikes (%)",
            "that succeed as spiking networks in f64, on the trials that chose λ, with 95 % intervals (Wilson); open: by the strict criterion on fresh trials",
        ),
        Measure::Accuracy => (
            "accuracy as spikes (%)",
            "and their mean accuracy as spiking networks in f64, with standard deviations",
        ),
    };
    let networks = plan.seeds().count();
    let caption =
        format!("{networks} networks a cell {caption}; boxes: the paper, 100 networks a cell.");
    success(&marks, measured, caption)
}

/// The comparisons as a table in plain text; `name` is the figure's name.
pub fn table(name: &str, cells: &[Comparison], measure: Measure) -> String {
    let names = cells.iter().map(|cell| &cell.summary.name);
    let width = names.map(|name| name.chars().count()).max().unwrap_or(0);
    let measured = match measure {
        Measure::Trained => "trained %",
        Measure::Success => "success %",
        Measure::Accuracy => "accuracy %",
    };
    let mut text = format!(
        "{name:<width$}  {:>9}  {measured:>14}  {:>14}  {:>14}  {:>8}\n",
        "published", "fresh trials %", "strict %", "lambda"
    );
    for cell in cells {
        let summary = &cell.summary;
        let published = cell.published.map_or("–".into(), |x| x.to_string());
        let lambda = summary.lambda.map_or("–".into(), |Spread { mean, sd }| {
            format!("{mean:.0} ± {sd:.0}")
        });
        text.push_str(&format!(
            "{:<width$}  {published:>9}  {:>14}  {:>14}  {:>14}  {lambda:>8}\n",
            summary.name, cell.found, summary.spiking, summary.spiking_strict,
        ));
    }
    text
}
