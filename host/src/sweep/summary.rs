//! The summary of a sweep, cell by cell.

use serde::Serialize;

use super::plan::SweepPlan;
use super::row::{Row, Scores};
use crate::statistics::Interval;

/// Accuracy from which a network counts as converted: the published 95 %.
pub const SUCCESS: f64 = 0.95;

/// The number of networks of a cell that are counted, with the 95 % interval of their
/// share.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Proportion {
    /// The networks that are counted.
    pub count: usize,
    /// All networks.
    pub of: usize,
    /// Wilson's 95 % interval.
    pub interval: Interval,
}

impl Proportion {
    fn new(count: usize, of: usize) -> Self {
        Self {
            count,
            of,
            interval: Interval::wilson(count, of),
        }
    }

    /// The share in percent; `None` if there is no network.
    pub fn percent(&self) -> Option<f64> {
        (self.of > 0).then(|| 100.0 * self.count as f64 / self.of as f64)
    }

    /// The share in percent, with the ends of its interval; `None` if there is no
    /// network.
    pub fn percent_with_interval(&self) -> Option<(f64, (f64, f64))> {
        let Interval { low, high } = self.interval;
        Some((self.percent()?, (100.0 * low, 100.0 * high)))
    }
}

impl std::fmt::Display for Proportion {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self.percent() {
            None => f.pad("–"),
            Some(percent) => f.pad(&format!(
                "{percent:.0} ({:.0}–{:.0})",
                100.0 * self.interval.low,
                100.0 * self.interval.high
            )),
        }
    }
}

/// Mean and standard deviation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// Mean.
    pub mean: f64,
    /// Standard deviation of the sample; zero for a single value.
    pub sd: f64,
}

impl Spread {
    fn of(values: impl Iterator<Item = f64> + Clone) -> Option<Self> {
        let n = values.clone().count();
        if n == 0 {
            return None;
        }
        let mean = values.clone().sum::<f64>() / n as f64;
        let squares: f64 = values.map(|x| (x - mean) * (x - mean)).sum();
        let sd = (squares / (n - 1).max(1) as f64).sqrt();
        Some(Self { mean, sd })
    }
}

/// The summary of one cell. A network without a score counts as a failure.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CellSummary {
    /// The cell's name, which differs from the names of all other cells.
    pub name: String,
    /// Networks that have a row.
    pub networks: usize,
    /// Trainings that met their criterion.
    pub trained: Proportion,
    /// Spiking networks in f64 with an accuracy of at least 95 %.
    pub spiking: Proportion,
    /// Spiking networks in f64 with a strict accuracy of at least 95 %.
    pub spiking_strict: Proportion,
    /// Deployed networks in fixed point with an accuracy of at least 95 %.
    pub fixed: Proportion,
    /// Deployed networks in fixed point with a strict accuracy of at least 95 %.
    pub fixed_strict: Proportion,
    /// Spiking networks in f64 with an accuracy of at least 95 % on the trials
    /// that chose λ, as the paper counts them; `None` if nothing was searched.
    pub searched: Option<Proportion>,
    /// Accuracy of the spiking networks in f64.
    pub accuracy: Option<Spread>,
    /// The λ of the networks, Hz.
    pub lambda: Option<Spread>,
    /// The number of updates of a training.
    pub updates: Option<Spread>,
    /// Wall-clock time of a network, s.
    pub seconds: Option<Spread>,
}

/// The summary of each cell of `plan`.
pub fn summarize(plan: &SweepPlan, rows: &[Row]) -> Vec<CellSummary> {
    let names = plan.cell_names();
    let of = |(cell, name): (usize, String)| {
        let rows: Vec<&Row> = rows.iter().filter(|row| row.cell == cell).collect();
        summary(name, &rows)
    };
    names.into_iter().enumerate().map(of).collect()
}

fn summary(name: String, rows: &[&Row]) -> CellSummary {
    let count = |which: &dyn Fn(&Row) -> bool| {
        Proportion::new(rows.iter().filter(|row| which(row)).count(), rows.len())
    };
    let succeeds = |scores: Option<Scores>, value: fn(Scores) -> f64| {
        scores.is_some_and(|scores| value(scores) >= SUCCESS)
    };
    let searched = rows.iter().any(|row| row.search_accuracy.is_some());
    CellSummary {
        name,
        networks: rows.len(),
        trained: count(&|row| row.trained),
        spiking: count(&|row| succeeds(row.spiking, |s| s.accuracy)),
        spiking_strict: count(&|row| succeeds(row.spiking, |s| s.strict)),
        fixed: count(&|row| succeeds(row.fixed, |s| s.accuracy)),
        fixed_strict: count(&|row| succeeds(row.fixed, |s| s.strict)),
        searched: searched.then(|| count(&|row| row.search_accuracy.is_some_and(|a| a >= SUCCESS))),
        accuracy: Spread::of(rows.iter().filter_map(|row| Some(row.spiking?.accuracy))),
        lambda: Spread::of(rows.iter().filter_map(|row| row.lambda)),
        updates: Spread::of(rows.iter().map(|row| row.updates as f64)),
        seconds: Spread::of(rows.iter().map(|row| {
            let s = row.seconds;
            s.train + s.convert + s.run
        })),
    }
}

/// Columns of a table of summaries, the column of the seconds excluded.
pub const COLUMNS: [&str; 7] = [
    "cell",
    "networks",
    "trained %",
    "f64 %",
    "f64 strict %",
    "fixed %",
    "fixed strict %",
];

/// The summaries as a table in plain text.
pub fn table(cells: &[CellSummary]) -> String {
    let width = cells.iter().map(|cell| cell.name.chars().count()).max();
    let width = width.unwrap_or(0).max(4);
    let [
        name,
        networks,
        trained,
        spiking,
        spiking_strict,
        fixed,
        fixed_strict,
    ] = COLUMNS;
    let mut text = format!(
        "{name:<width$}  {networks:>8}  {trained:>14}  {spiking:>14}  {spiking_strict:>14}  {fixed:>14}  {fixed_strict:>14}  {:>7}\n",
        "seconds"
    );
    for cell in cells {
        let seconds = cell
            .seconds
            .map_or("–".into(), |s| format!("{:.1}", s.mean));
        text.push_str(&format!(
            "{:<width$}  {:>8}  {:>14}  {:>14}  {:>14}  {:>14}  {:>14}  {seconds:>7}\n",
            cell.name,
            cell.networks,
            cell.trained,
            cell.spiking,
            cell.spiking_strict,
            cell.fixed,
            cell.fixed_strict,
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::row::tests::{example, example_plan};
    use super::*;

    #[test]
    fn a_network_without_a_score_counts_as_failed() {
        let plan = example_plan(1, 3);
        let scored = |seed, accuracy, strict| Row {
            spiking: Some(Scores { accuracy, strict }),
            ..example(0, seed)
        };
        let rows = [scored(1, 0.95, 0.94), scored(2, 0.85, 0.97), example(0, 3)];
        let summary = &summarize(&plan, &rows)[0];
        assert_eq!((summary.spiking.count, summary.spiking.of), (1, 3));
        assert_eq!(summary.spiking_strict.count, 1);
        assert_eq!(summary.fixed.count, 0);
        assert_eq!(summary.searched, None);
        let accuracy = summary.accuracy.expect("two scores");
        assert!((accuracy.mean - 0.9).abs() < 1e-12);
        assert!((accuracy.sd - 0.1 / 2f64.sqrt()).abs() < 1e-12);
        assert_eq!(summary.name, "mante N=10 sigmoid");
        assert!(table(&summarize(&plan, &rows)).contains("33 (6–79)"));
    }
}
