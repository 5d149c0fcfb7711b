//! `rate2spike pipeline`: train, convert, quantize, run; the main job.

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use rate2spike_core::factors::Scheme;
use serde::Serialize;

use super::quantize::{Accuracy, DEPLOYED_STEP_MS, quantize_and_save, score_blob};
use super::report::write_page;
use super::train::OptionArgs;
use super::training::{Plan, TrainReport, TrainingBar};
use super::{CommandError, Lambdas, hexadecimal, print_json, progress, trials};
use crate::convert::search::{Search, best, score_f64};
use crate::convert::{Neuron, SpikingNetwork, TimeStep};
use crate::formats::history::History;
use crate::formats::rate_model::RateModelFile;
use crate::rate::activation::{ActivationKind, LIF_LAMBDA};
use crate::rate::network::RateNetwork;
use crate::rate::options::RateOptions;
use crate::rate::training::{EvaluationTrials, evaluate};
use crate::report::observe::Trials;
use crate::report::story::Run;
use crate::task::{self, Task};

/// Train a network, carry it onto spiking neurons, quantize it and run it
///
/// Example:  rate2spike pipeline go-nogo
///
/// The published route:  rate2spike pipeline go-nogo --act sigmoid
#[derive(Clone, Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct PipelineArgs {
    /// Task: go-nogo, xor, mante, delayed-match, or a FILE.toml with one of your own
    #[arg(value_name = "TASK", value_parser = task::parse)]
    pub task: Task,
    /// Folder for the model and the deployed network
    #[arg(
        long = "output_dir",
        visible_alias = "output",
        value_name = "DIR",
        default_value = "."
    )]
    pub output_dir: PathBuf,
    /// The network and its training
    #[command(flatten)]
    pub options: OptionArgs,
    /// Scaling factors to search [default: 50 with --act lif, else 20:5:75]
    #[arg(long)]
    pub lambdas: Option<Lambdas>,
    /// Trials of each score
    #[arg(long, default_value = "100", value_parser = trials)]
    pub trials: usize,
    /// Time step of the deployed network in ms
    #[arg(long, value_name = "MS", default_value_t = DEPLOYED_STEP_MS, allow_negative_numbers = true)]
    pub dt: f64,
    /// Write a page with the figures of the run, as `rate2spike report` does
    #[arg(long)]
    pub report: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(Serialize)]
struct Seconds {
    train: f64,
    convert: f64,
    quantize: f64,
    run: f64,
}

#[derive(Serialize)]
struct Files {
    model: PathBuf,
    network: PathBuf,
    report: Option<PathBuf>,
}

#[derive(Serialize)]
struct PipelineReport {
    task: &'static str,
    units: usize,
    seed: u64,
    success: bool,
    updates: usize,
    trials: usize,
    rate: Accuracy,
    spiking: Accuracy,
    deployed: Accuracy,
    lambda: f64,
    dt_ms: f64,
    mean_rate_hz: f64,
    blob_bytes: usize,
    spike_hash: String,
    seconds: Seconds,
    files: Files,
}

/// Runs the command.
pub fn run(args: &PipelineArgs) -> Result<(), CommandError> {
    let step = TimeStep::new(args.dt, Scheme::Exact)?;
    let options = args.options.options(args.task, ActivationKind::Lif)?;

    let clock = Instant::now();
    let plan = Plan {
        output: args.output_dir.clone(),
        from: args.options.from()?,
        ..Plan::default()
    };
    let mut bar = TrainingBar::new(options.updates, args.json);
    let (trained, TrainReport { model, .. }) = plan.train(&options, &mut bar)?;
    drop(bar);
    let rate = rate_accuracy(args, &options, &trained.network);
    let train_seconds = clock.elapsed().as_secs_f64();

    let clock = Instant::now();
    let lambda = lambda(args, &options, &trained.network)?;
    let failed = |source| CommandError::Convert {
        path: model.clone(),
        source,
    };
    let network = SpikingNetwork::new(&trained.network, lambda, Neuron::LIF).map_err(failed)?;
    let spiking = score_f64(
        &network,
        args.task,
        &TimeStep::PUBLISHED,
        options.seed,
        args.trials,
    );
    let convert_seconds = clock.elapsed().as_secs_f64();

    let clock = Instant::now();
    let path = model.with_extension("snn");
    let quantized = quantize_and_save(&network, &model, args.task, &step, &path)?;
    let quantize_seconds = clock.elapsed().as_secs_f64();

    let clock = Instant::now();
    let deployed = score_blob(&path, &quantized.bytes, &step, options.seed, args.trials)?;
    let run_seconds = clock.elapsed().as_secs_f64();

    let page = args.report.then(|| model.with_extension("html"));
    if let Some(page) = &page {
        let run = Run {
            model: RateModelFile::read(&model)?,
            history: History::of(&model)?,
            deployed: Some((path.clone(), quantized.bytes.clone())),
            lambda,
            lambdas: published_lambdas(),
            trials: Trials {
                task: args.task,
                seed: options.seed,
                count: args.trials,
            },
        };
        write_page(&run, page, args.json)?;
    }

    let report = PipelineReport {
        task: args.task.name(),
        units: options.units,
        seed: options.seed,
        success: trained.success,
        updates: trained.losses.len(),
        trials: args.trials,
        rate,
        spiking: (&spiking).into(),
        deployed: (&deployed).into(),
        lambda,
        dt_ms: step.ms,
        mean_rate_hz: deployed.mean_rate_hz,
        blob_bytes: quantized.bytes.len(),
        spike_hash: hexadecimal(deployed.spike_hash),
        seconds: Seconds {
            train: train_seconds,
            convert: convert_seconds,
            quantize: quantize_seconds,
            run: run_seconds,
        },
        files: Files {
            model,
            network: path,
            report: page,
        },
    };
    if args.json {
        print_json(&report);
    } else {
        print(&report);
    }
    if report.success {
        return Ok(());
    }
    Err(CommandError::Failed(format!(
        "the rate network did not meet the criterion in {} updates; everything is saved all the same. Try more --n_trials or another --seed",
        report.updates
    )))
}

/// The rate network as it was trained, on trials that its training has not
/// seen.
fn rate_accuracy(args: &PipelineArgs, options: &RateOptions, network: &RateNetwork) -> Accuracy {
    let trials = EvaluationTrials {
        seed: options.seed,
        // Far from the trials of the evaluations that ended the training.
        first: 1 << 40,
        trials: args.trials,
        fluctuations: options.fluctuations,
    };
    let evaluation = evaluate(network, args.task, options.loss, trials);
    Accuracy {
        accuracy: evaluation.accuracy,
        strict: evaluation.strict,
    }
}

fn published_lambdas() -> Vec<f64> {
    (0..12).map(|k| 20.0 + 5.0 * f64::from(k)).collect()
}

/// The network's own λ₀ where it was trained for one, else the best of a
/// search.
fn lambda(
    args: &PipelineArgs,
    options: &RateOptions,
    network: &RateNetwork,
) -> Result<f64, CommandError> {
    let lambdas = match (&args.lambdas, options.activation) {
        (Some(Lambdas(lambdas)), _) => lambdas.clone(),
        (None, ActivationKind::Lif) => vec![LIF_LAMBDA],
        (None, _) => published_lambdas(),
    };
    if let [lambda] = lambdas[..] {
        return Ok(lambda);
    }
    let bar = progress(
        lambdas.len() as u64,
        "lambda {pos}/{len} [{elapsed}, {eta} left]",
        args.json,
    );
    let search = Search {
        network,
        task: args.task,
        neuron: Neuron::LIF,
        step: TimeStep::PUBLISHED,
        lambdas: &lambdas,
        trials: args.trials,
        // Other trials than those of the final scores: the winner of a search
        // looks better on its own trials than it is.
        seed: options.seed ^ 0x5EA2C4,
    };
    let candidates = search
        .run(|_| bar.inc(1))
        .map_err(|source| CommandError::Convert {
            path: args.output_dir.clone(),
            source,
        })?;
    bar.finish_and_clear();
    Ok(best(&candidates).expect("at least one candidate").lambda)
}

fn print(report: &PipelineReport) {
    let row = |name: &str, accuracy: Accuracy| {
        println!(
            "{name:<38} {:>8.3} {:>8.3}",
            accuracy.accuracy, accuracy.strict
        );
    };
    println!(
        "{:<38} {:>8} {:>8}",
        format!(
            "{}, N = {}, seed {}",
            report.task, report.units, report.seed
        ),
        "accuracy",
        "strict"
    );
    row("rate network", report.rate);
    row("spiking network, f64, 0.05 ms", report.spiking);
    row(
        &format!("deployed network, fixed point, {} ms", report.dt_ms),
        report.deployed,
    );
    println!();
    println!("trials of each score     {}", report.trials);
    println!("lambda                   {}", report.lambda);
    println!("mean firing rate         {:.1} Hz", report.mean_rate_hz);
    println!("deployed network         {} bytes", report.blob_bytes);
    println!("spike hash               {}", report.spike_hash);
    let s = &report.seconds;
    println!(
        "seconds                  train {:.1} ({} updates), convert {:.1}, quantize {:.1}, run {:.1}",
        s.train, report.updates, s.convert, s.quantize, s.run
    );
    println!("rate model               {}", report.files.model.display());
    println!(
        "deployed network         {}",
        report.files.network.display()
    );
    if let Some(page) = &report.files.report {
        println!("report                   {}", page.display());
    }
}
