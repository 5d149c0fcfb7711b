//! `rate2spike convert`: rate → spiking, and the search for λ.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::{CommandError, Lambdas, NeuronArgs, print_json, progress, task_of, trials};
use crate::convert::search::{Candidate, Search, best};
use crate::formats::mat::Value;
use crate::formats::rate_model::RateModelFile;
use crate::statistics::Interval;
use crate::task::{self, Task};

/// Search the scaling factor λ of a rate model, and write it into the model
///
/// Example:  rate2spike convert models/go-nogo/…/Task_go-nogo_….mat
///
/// Writes opt_scaling_factor, all_perfs and scaling_factors, the published names.
/// A model that has an opt_scaling_factor is searched again only with --force,
/// or where a crashed search left NaN in it.
#[derive(Clone, Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct ConvertArgs {
    /// The rate model
    #[arg(value_name = "MODEL.mat")]
    pub model: PathBuf,
    /// Candidates: FIRST:STEP:LAST, or values with commas between
    #[arg(long, default_value = "20:5:75", conflicts_with = "lambda")]
    pub lambdas: Lambdas,
    /// Score this one value
    #[arg(long, value_name = "LAMBDA", allow_negative_numbers = true)]
    pub lambda: Option<f64>,
    /// Trials of each candidate
    #[arg(long, default_value = "100", value_parser = trials)]
    pub trials: usize,
    /// The task, where the file's name does not say it
    #[arg(long, value_name = "TASK", value_parser = task::parse)]
    pub task: Option<Task>,
    /// Use the weights before training, as a control; nothing is written
    #[arg(long)]
    pub initial_weights: bool,
    /// Search again where a result is there already
    #[arg(long)]
    pub force: bool,
    /// Score only; do not write into the model
    #[arg(long)]
    pub dry_run: bool,
    /// The neuron and the time step
    #[command(flatten)]
    pub neuron: NeuronArgs,
    /// Seed of the trials
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(Serialize)]
struct ConvertReport<'a> {
    model: &'a PathBuf,
    task: &'static str,
    lambdas: Vec<f64>,
    accuracy: Vec<f64>,
    interval: Vec<Interval>,
    strict: Vec<f64>,
    mean_rate_hz: Vec<f64>,
    trials: usize,
    best_lambda: f64,
    written: bool,
}

/// Runs the command.
pub fn run(args: &ConvertArgs) -> Result<(), CommandError> {
    let mut model = RateModelFile::read(&args.model)?;
    let writes = !args.initial_weights && !args.dry_run;
    if writes && !args.force {
        refuse_a_second_search(&model)?;
    }
    let task = task_of(&model, args.task)?;
    let network = if args.initial_weights {
        model.initial()?
    } else {
        model.network.clone()
    };
    let lambdas = args
        .lambda
        .map_or_else(|| args.lambdas.0.clone(), |lambda| vec![lambda]);
    let (neuron, step) = (args.neuron.neuron()?, args.neuron.step()?);
    let search = Search {
        network: &network,
        task,
        neuron,
        step,
        lambdas: &lambdas,
        trials: args.trials,
        seed: args.seed,
    };
    let bar = progress(
        lambdas.len() as u64,
        "lambda {pos}/{len} [{elapsed}, {eta} left]",
        args.json,
    );
    if !args.json {
        println!("lambda  accuracy  95 % interval  strict  rate (Hz)");
    }
    let candidates = search
        .run(|candidate| {
            bar.inc(1);
            if !args.json {
                bar.suspend(|| println!("{}", line(candidate)));
            }
        })
        .map_err(|source| CommandError::Convert {
            path: args.model.clone(),
            source,
        })?;
    bar.finish_and_clear();
    let best = best(&candidates).expect("there is at least one candidate");
    if writes {
        write(&mut model, &candidates, best)?;
    }
    report(args, task, &candidates, best, writes);
    Ok(())
}

fn refuse_a_second_search(model: &RateModelFile) -> Result<(), CommandError> {
    match model.variables.scalar("opt_scaling_factor") {
        Ok(lambda) if lambda.is_finite() => Err(CommandError::Failed(format!(
            "{}: was searched before, opt_scaling_factor = {lambda}; give --force to search again, or --dry-run to score only",
            model.path.display()
        ))),
        _ => Ok(()),
    }
}

fn line(candidate: &Candidate) -> String {
    format!(
        "{:>6}  {:>8.3}  {:>5.3} to {:>5.3}  {:>6.3}  {:>9.1}",
        candidate.lambda,
        candidate.accuracy,
        candidate.interval.low,
        candidate.interval.high,
        candidate.strict,
        candidate.mean_rate_hz
    )
}

fn write(
    model: &mut RateModelFile,
    candidates: &[Candidate],
    best: &Candidate,
) -> Result<(), CommandError> {
    let accuracies = candidates
        .iter()
        .map(|candidate| candidate.accuracy)
        .collect();
    let lambdas = candidates
        .iter()
        .map(|candidate| candidate.lambda)
        .collect();
    model
        .variables
        .insert("opt_scaling_factor", Value::scalar(best.lambda));
    model
        .variables
        .insert("all_perfs", Value::column::<f64>(accuracies));
    model
        .variables
        .insert("scaling_factors", Value::row::<f64>(lambdas));
    Ok(model.write()?)
}

fn report(
    args: &ConvertArgs,
    task: Task,
    candidates: &[Candidate],
    best: &Candidate,
    written: bool,
) {
    let edge = candidates.len() > 2
        && (best.lambda == candidates[0].lambda
            || best.lambda == candidates[candidates.len() - 1].lambda);
    if edge {
        eprintln!(
            "rate2spike: the best lambda, {}, is at the edge of the search; widen --lambdas",
            best.lambda
        );
    }
    if !args.json {
        println!(
            "best lambda {} with accuracy {:.3}",
            best.lambda, best.accuracy
        );
        return;
    }
    let all = |value: fn(&Candidate) -> f64| candidates.iter().map(value).collect();
    print_json(&ConvertReport {
        model: &args.model,
        task: task.name(),
        lambdas: all(|c| c.lambda),
        accuracy: all(|c| c.accuracy),
        interval: candidates.iter().map(|c| c.interval).collect(),
        strict: all(|c| c.strict),
        mean_rate_hz: all(|c| c.mean_rate_hz),
        trials: args.trials,
        best_lambda: best.lambda,
        written,
    });
}
