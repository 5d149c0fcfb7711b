//! `rate2spike run`: the deployed network on the desktop, or on a board.

use std::path::PathBuf;

use clap::Args;

use super::CommandError;
use super::perturbation::PerturbationArgs;
use super::run_input::{Input, run_input};
use super::run_on::{OnBoard, run_on};
use super::run_report::RunReport;
use super::shared::{OwnTaskArgs, ScoreArgs};
use super::warnings::Warnings;
use crate::board::port::Port;
use crate::formats::snn::{AnyNetFile, NetFile};
use crate::number::counted;
use crate::print::console::Console;
use crate::quantize::perturb::perturbed;
use crate::spiking::experiment::Experiment;
use crate::spiking::perturb::Perturbation;
use crate::spiking::trial::Deployable;

/// Run a deployed network with core's step, and score it
///
/// Example:  rate2spike run net.snn --trials 1000
///
/// On a board, compared with the desktop:  rate2spike run net.snn --on serial:/dev/ttyACM0
///
/// A recording of your own:  rate2spike run net.snn --on serial:/dev/ttyACM0 --input own.csv
#[derive(Clone, Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct RunArgs {
    /// The deployed network
    #[arg(value_name = "NET.snn")]
    pub network: PathBuf,
    /// The trials
    #[command(flatten)]
    pub score: ScoreArgs,
    /// Run the trials on the board there, and here, and compare: serial:PORT or tcp:HOST:PORT
    #[arg(long, value_name = "PORT")]
    pub on: Option<Port>,
    /// With --on: write the network into the board's flash where it holds another one
    #[arg(long, requires = "on")]
    pub replace: bool,
    /// With --on: run this recording, a CSV with a row a sample and a column a channel, cut
    /// into trials; the rows of a trial are printed, and a first line with names is left out
    #[arg(long, value_name = "FILE", requires = "on", conflicts_with_all = ["trials", "seed"])]
    pub input: Option<PathBuf>,
    /// With --input: send the samples in real time, draw the output, and count late samples and
    /// steps
    #[arg(long, requires = "input")]
    pub live: bool,
    /// With --input: write the outputs of the board to this CSV, a row for each sample
    #[arg(short, long, value_name = "FILE.csv", requires = "input")]
    pub output: Option<PathBuf>,
    /// Perturbations of the network
    #[command(flatten)]
    pub perturbation: PerturbationArgs,
    /// The task
    #[command(flatten)]
    pub task: OwnTaskArgs,
}

/// Runs the command.
///
/// # Errors
/// [`CommandError`].
pub fn run(args: &RunArgs, console: &Console) -> Result<(), CommandError> {
    let file = match AnyNetFile::read(&args.network)? {
        AnyNetFile::Fixed(file) => file,
        AnyNetFile::Float(file) => return run_float(args, console, &file),
    };
    let units = usize::from(file.deployed().payload().shared.units);
    let perturbation = args.perturbation.perturbation(units)?;
    if perturbation == Perturbation::default() {
        return score(args, console, &file);
    }
    if args.on.is_some() {
        let message = "perturbations run on the desktop; leave --on out";
        return Err(CommandError::Usage(message.into()));
    }
    let changed = perturbed(&file.deployed(), &perturbation)
        .map_err(|error| CommandError::Usage(error.to_string()))?;
    score(args, console, &NetFile::new(&args.network, changed)?)
}

/// Runs a network in f32.
fn run_float(args: &RunArgs, console: &Console, file: &NetFile<f32>) -> Result<(), CommandError> {
    let units = usize::from(file.deployed().payload().shared.units);
    if args.perturbation.perturbation(units)? != Perturbation::default() {
        let message = "perturbations run in fixed point: quantize the model without --arithmetic f32, or use `rate2spike simulate`";
        return Err(CommandError::Usage(message.into()));
    }
    score(args, console, file)
}

fn score<A: Deployable>(
    args: &RunArgs,
    console: &Console,
    file: &NetFile<A>,
) -> Result<(), CommandError> {
    let task = file.tested_task(args.task.task.as_ref())?;
    let deployed = file.deployed();
    let units = usize::from(deployed.payload().shared.units);
    let perturbation = args.perturbation.perturbation(units)?;
    let experiment = Experiment {
        silenced: &perturbation.silenced,
        ..Experiment::deployed(&deployed, &task, args.score.seed.seed)
    };
    if let Some(port) = &args.on {
        let on = OnBoard {
            port,
            network: &args.network,
            bytes: file.bytes(),
            trials: task.scored(args.score.trials),
            replace: args.replace,
        };
        return match &args.input {
            Some(path) => {
                let input = Input {
                    path,
                    live: args.live,
                    output: args.output.as_deref(),
                };
                run_input(&on, &experiment, &input, console)
            }
            None => run_on(&on, &experiment, console),
        };
    }
    let outcomes = experiment.outcomes(0, task.scored(args.score.trials));
    let score = experiment.summary(&outcomes);
    let report = RunReport::new(&args.network, &task, &outcomes, &score);
    let mut warnings = Warnings::default();
    warnings.of_data(&task);
    warnings.of_score(&task, &score);
    warnings.of_saturation(&experiment, score.trials);
    warnings.say(console);
    console.json(&report);
    let interval = report.interval.map_or_else(String::new, |interval| {
        format!(" ({:.3} to {:.3})", interval.low, interval.high)
    });
    console.say(format!(
        "{} on {}: {}, {} over {}, {:.1} Hz, spike hash {}, self-test passed",
        args.network.display(),
        report.task,
        report.first(&interval),
        report.second(),
        counted(report.trials, "trial"),
        report.mean_rate_hz,
        report.spike_hash
    ));
    report.class_lines().for_each(|line| console.say(line));
    Ok(())
}
