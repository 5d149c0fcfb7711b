//! `rate2spike run`: the deployed network on the desktop.

use std::path::PathBuf;

use clap::Args;
use rate2spike_core::blob::Deployed;
use serde::Serialize;

use super::{CommandError, hexadecimal, print_json, trials, with_blob};
use crate::formats::snn;
use crate::quantize::self_test;
use crate::simulate::Experiment;
use crate::statistics::Interval;

/// Run a deployed network in core's fixed point, and score it
///
/// Example:  rate2spike run net.snn --trials 1000
#[derive(Clone, Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct RunArgs {
    /// The deployed network
    #[arg(value_name = "NET.snn")]
    pub network: PathBuf,
    /// Trials
    #[arg(long, default_value = "100", value_parser = trials)]
    pub trials: usize,
    /// Seed of the trials
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(Serialize)]
struct RunReport<'a> {
    network: &'a PathBuf,
    task: &'static str,
    trials: usize,
    accuracy: f64,
    interval: Interval,
    strict: f64,
    mean_rate_hz: f64,
    spike_hash: String,
    self_test: &'static str,
}

/// Runs the command.
pub fn run(args: &RunArgs) -> Result<(), CommandError> {
    with_blob(&args.network, |_, deployed| score(args, deployed))
}

fn score(args: &RunArgs, deployed: &Deployed) -> Result<(), CommandError> {
    let (wanted, found) = (deployed.payload().self_test.spike_hash, self_test(deployed));
    if wanted != found {
        return Err(CommandError::Failed(format!(
            "{}: the self-test gives spike hash {found:016x}, but {wanted:016x} is stored: the network was made by a version that steps differently; quantize the model again",
            args.network.display()
        )));
    }
    let task = snn::task(&args.network, deployed)?;
    let experiment = Experiment {
        network: deployed,
        task,
        decision: deployed.payload().decision,
        clock: deployed.payload().clock,
        step_ms: f64::from(deployed.payload().step_ns) / 1e6,
        seed: args.seed,
    };
    let score = experiment.score(args.trials);
    let report = RunReport {
        network: &args.network,
        task: task.name(),
        trials: score.trials,
        accuracy: score.accuracy(),
        interval: Interval::wilson(score.correct, score.trials),
        strict: score.strict_accuracy(),
        mean_rate_hz: score.mean_rate_hz,
        spike_hash: hexadecimal(score.spike_hash),
        self_test: "passed",
    };
    if args.json {
        print_json(&report);
    } else {
        println!(
            "{} on {}: accuracy {:.3} ({:.3} to {:.3}), strict {:.3} over {} trials, {:.1} Hz, spike hash {}, self-test passed",
            args.network.display(),
            report.task,
            report.accuracy,
            report.interval.low,
            report.interval.high,
            report.strict,
            report.trials,
            report.mean_rate_hz,
            report.spike_hash
        );
    }
    Ok(())
}
