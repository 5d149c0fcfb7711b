//! `rate2spike trials`: trials of a task as arrays, for other trainers.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::CommandError;
use super::shared::SeedArgs;
use crate::ending::ends_in;
use crate::formats::task;
use crate::formats::trial_arrays::DrawnTrials;
use crate::number::trials;
use crate::print::console::Console;
use crate::print::path::lossy;
use crate::task::Task;
use crate::task::pulses::EXAMPLE;

/// Write trials of a task as arrays, for other trainers
///
/// Example:  rate2spike trials mante -o mante.npz --trials 1000
///
/// Writes input (trials x channels x samples), target (trials x samples, or trials x
/// outputs x samples), label and sample_ms: the trials on which spiking networks are
/// scored with this seed.
#[derive(Clone, Debug, Args)]
#[command(verbatim_doc_comment, after_long_help = task_file())]
pub struct TrialsArgs {
    /// The task
    #[arg(value_name = "TASK", value_parser = task::parse, help = crate::task::help())]
    pub task: Task,
    /// File of the trials
    #[arg(short, long, value_name = "FILE.npz")]
    pub output: PathBuf,
    /// Number of trials
    #[arg(long, default_value = "100", value_parser = trials)]
    pub trials: usize,
    /// The seed
    #[command(flatten)]
    pub seed: SeedArgs,
}

/// The part of the long help that shows a task file.
fn task_file() -> String {
    format!(
        "A task of your own, as a file whose name ends in .toml. Times are multiples of 5 ms.\n\n{EXAMPLE}"
    )
}

#[derive(Serialize)]
struct TrialsReport<'a> {
    task: String,
    trials: usize,
    channels: usize,
    samples: usize,
    #[serde(serialize_with = "lossy")]
    output: &'a PathBuf,
}

/// Runs the command.
pub fn run(args: &TrialsArgs, console: &Console) -> Result<(), CommandError> {
    if !ends_in(&args.output, "npz") {
        return Err(CommandError::Usage(format!(
            "{}: trials are written as .npz; give a name that ends in it",
            args.output.display()
        )));
    }
    let (task, count) = (&args.task, args.trials);
    let (channels, samples) = (task.channels(), task.samples());
    let drawn = DrawnTrials {
        task,
        count,
        seed: args.seed.seed,
    };
    drawn.write(&args.output)?;
    let report = TrialsReport {
        task: task.name().into(),
        trials: count,
        channels,
        samples,
        output: &args.output,
    };
    console.json(&report);
    console.say(format!(
        "{}: {count} trials of {}, {channels} inputs, {samples} samples of {} ms",
        args.output.display(),
        task.name(),
        task.sample_ms()
    ));
    Ok(())
}
