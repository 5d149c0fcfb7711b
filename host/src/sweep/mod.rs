//! Many networks: a plan of cells, a row for each network, and a summary of each
//! cell.
//!
//! ```text
//! plan.json ─Member→ network (train, convert, score) ─Row→ rows.jsonl, rows.csv ─→ summary ─→ page
//! ```
//!
//! A cell is a set of options that is run with several seeds. [`plan`] lists the
//! networks, [`network`] runs one, [`row`] is its result, [`rows`] keeps the rows
//! on the disk so that a killed sweep loses no finished network, [`run`] runs
//! the missing networks on several threads, [`summary`] counts, [`page`] draws,
//! and [`slurm`] spreads a sweep over a cluster. [`paper`] holds the sweeps
//! behind the paper's figures, and [`comparison`] sets the results beside the
//! published values.

pub mod comparison;
pub mod folder;
pub mod network;
pub mod page;
pub mod paper;
pub mod plan;
pub mod row;
pub mod rows;
pub mod run;
pub mod seeds;
pub mod slurm;
pub mod summary;

use std::path::PathBuf;

use crate::data::DataError;
use crate::formats::disk::DiskError;
use crate::formats::outputs::OutputError;
use crate::shell_word::path_word;
use crate::spiking::time_step::StepError;

/// A sweep that cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// A file that cannot be read or written.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// A file of another program has the name of an output.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// A time step that does not work.
    #[error(transparent)]
    Step(#[from] StepError),
    /// The folder holds another sweep.
    #[error(
        "{path}: the sweep in this folder has other options ({}); give the same ones to go on with it, or another folder with -o",
        .differences.join(", ")
    )]
    OtherPlan {
        /// The plan.
        path: PathBuf,
        /// The options that differ.
        differences: Vec<String>,
    },
    /// A plan file that this program did not write.
    #[error("{path}: not the plan of a sweep ({source}); start again in another folder")]
    ForeignPlan {
        /// The plan.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// The data set of a plan cannot be read.
    #[error("{path}: {source}")]
    Data {
        /// The plan.
        path: PathBuf,
        /// Why.
        source: Box<DataError>,
    },
    /// The folder holds no plan.
    #[error(
        "{path}: there is no sweep in this folder; start one with `rate2spike sweep --task TASK -o FOLDER`"
    )]
    NoPlan {
        /// The missing file.
        path: PathBuf,
    },
    /// More networks than fit in memory.
    #[error(
        "{networks} networks; at most {limit} fit in a sweep (these would take about {gigabytes} GB of memory); give fewer tasks, sizes, activations or seeds"
    )]
    TooManyNetworks {
        /// Networks of the plan.
        networks: u128,
        /// Most networks.
        limit: u128,
        /// Memory that the rows would take, GB.
        gigabytes: u128,
    },
    /// More trials than fit in memory.
    #[error("{option} {trials}; at most {limit} (these would take about {gigabytes} GB of memory)")]
    TooManyTrials {
        /// The option.
        option: &'static str,
        /// Trials of each score.
        trials: usize,
        /// Most trials.
        limit: usize,
        /// Memory that the outcomes would take, GB.
        gigabytes: u128,
    },
    /// A table with more rows than its record.
    #[error(
        "{table}: this table holds {there} rows, but the record beside it, {record}, only {found}; put the record back, or move the table away to run the missing networks again"
    )]
    LostRows {
        /// The table, CSV.
        table: PathBuf,
        /// Rows of the table.
        there: usize,
        /// The record, JSON.
        record: PathBuf,
        /// Rows of the record.
        found: usize,
    },
    /// A row that this program did not write.
    #[error(
        "{path}, line {line}: not a row of this sweep ({reason}); remove the line to run that network again"
    )]
    Row {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// Why.
        reason: String,
    },
    /// Another process writes the same rows.
    #[error("{path}: another sweep is writing to this file; wait for it, or use another folder")]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// A path that is not UTF-8, so that a script cannot name it.
    #[error("{path}: this path is not UTF-8, and the script of a job cannot name it; rename it")]
    Path {
        /// The path.
        path: PathBuf,
    },
    /// The system starts no further thread.
    #[error("cannot start a thread: {0}; set RAYON_NUM_THREADS to a smaller number")]
    Threads(String),
    /// A job that was not submitted.
    #[error(
        "{script}: not submitted: {reason}. Submit it with `sbatch {}` on a machine that has Slurm",
        path_word(script)
    )]
    Submit {
        /// The script.
        script: PathBuf,
        /// Why.
        reason: String,
    },
}
