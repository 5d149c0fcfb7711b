//! `rate2spike pipeline`: train, convert, quantize, run; the main job.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use serde::Serialize;

use super::console::Console;
use super::convert::adopt;
use super::deployed_step::{DEPLOYED_STEP_MS, DeployedStep};
use super::options::OptionArgs;
use super::quantize::{Accuracy, print_steps, quantize_and_save, score_blob};
use super::report::write_page;
use super::training::{Plan, TrainReport, TrainingBar};
use super::warnings::Warnings;
use super::{CommandError, Lambdas, hexadecimal, trials};
use crate::convert::calibrate::Request;
use crate::convert::one_to_one;
use crate::convert::search::{
    Candidate, SEARCH_SEED, Search, Standing, best, default_lambdas, trials_met,
};
use crate::formats::history::History;
use crate::formats::rate_model::RateModelFile;
use crate::quantize::longest_step::Comparison;
use crate::rate::activation::{ActivationKind, LIF_LAMBDA};
use crate::rate::network::RateNetwork;
use crate::rate::options::RateOptions;
use crate::rate::training::{EvaluationTrials, evaluate};
use crate::report::observe::Trials;
use crate::report::story::ReportInput;
use crate::spiking::experiment::score_f64;
use crate::spiking::network::SpikingNetwork;
use crate::spiking::neuron::Neuron;
use crate::spiking::time_step::TimeStep;
use crate::statistics::Interval;
use crate::task::{self, Task};

/// Train a network, carry it onto spiking neurons, quantize it and run it
///
/// Example:  rate2spike pipeline go-nogo
///
/// The published route:  rate2spike pipeline go-nogo --act sigmoid
#[derive(Clone, Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct PipelineArgs {
    /// Task: go-nogo, xor, mante, delayed-match, oscillation, or a FILE.toml with one of your own
    #[arg(value_name = "TASK", value_parser = task::parse)]
    pub task: Task,
    /// Folder for the model and the deployed network
    #[arg(
        long = "output_dir",
        short = 'o',
        visible_aliases = ["output", "output-dir"],
        value_name = "DIR",
        default_value = "."
    )]
    pub output_dir: PathBuf,
    /// The network and its training
    #[command(flatten)]
    pub options: OptionArgs,
    /// Scaling factors to search [default: 50 with lif, 20:5:75 with sigmoid, else 4:2:26]
    #[arg(long)]
    pub lambdas: Option<Lambdas>,
    /// Instead of a search, calibrate every unit, as convert --calibrate does [default: with lif, if the network does not spike well enough as it is]
    #[arg(long, conflicts_with = "lambdas")]
    pub calibrate: bool,
    /// Trials of each score
    #[arg(long, default_value = "100", value_parser = trials)]
    pub trials: usize,
    /// Time step of the deployed network in ms; auto: the longest that costs at most a point of accuracy
    #[arg(long, value_name = "MS|auto", default_value_t = DeployedStep::Given(DEPLOYED_STEP_MS), allow_negative_numbers = true)]
    pub dt: DeployedStep,
    /// Write a page with the figures of the run, as `rate2spike report` does
    #[arg(long)]
    pub report: bool,
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
    /// Whether every unit has a scale, a current and a λ of its own; `lambda` is
    /// then their median.
    calibrated: bool,
    dt_ms: f64,
    /// The steps that `--dt auto` compared with 0.05 ms.
    steps: Vec<Comparison>,
    mean_rate_hz: f64,
    blob_bytes: usize,
    spike_hash: String,
    seconds: Seconds,
    files: Files,
    warnings: Warnings,
}

/// Runs the command.
pub fn run(args: &PipelineArgs, console: &Console) -> Result<(), CommandError> {
    let first_step = args.dt.first()?;
    let options = args.options.options(args.task, ActivationKind::Lif)?;

    let clock = Instant::now();
    let plan = Plan {
        output: args.output_dir.clone(),
        from: args.options.from()?,
        ..Plan::default()
    };
    let mut bar = TrainingBar::new(options.updates, console);
    let (trained, TrainReport { model, .. }) = plan.train(&options, &mut bar, console)?;
    drop(bar);
    let rate = rate_accuracy(args, &options, &trained.network);
    let train_seconds = clock.elapsed().as_secs_f64();

    let clock = Instant::now();
    let convert = |step| converted(args, console, &options, &trained.network, &model, step);
    let first = convert(&first_step)?;
    let (step, steps) = args
        .dt
        .find(&first.network, args.task, options.seed, console)?;
    // A λ that was searched belongs to the step that ships.
    let Converted {
        network,
        candidates,
        calibrated,
    } = if step == first_step || first.candidates.is_empty() {
        first
    } else {
        convert(&step)?
    };
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

    let mut warnings = Warnings::default();
    if let Some(best) = best(&candidates) {
        warnings.of_search(&candidates, best);
    }
    let interval = Interval::wilson(deployed.correct, deployed.trials);
    warnings.of_trials(deployed.accuracy(), interval, deployed.trials);
    warnings.of_step(step.ms, &spiking, &deployed);

    let page = args.report.then(|| model.with_extension("html"));
    if let Some(page) = &page {
        let input = ReportInput {
            model: RateModelFile::read(&model)?,
            history: History::of(&model)?,
            deployed: Some((path.clone(), quantized.bytes.clone())),
            spiking: network.clone(),
            lambdas: default_lambdas(ActivationKind::Sigmoid),
            trials: Trials {
                task: args.task,
                seed: options.seed,
                count: args.trials,
            },
        };
        write_page(&input, page, console)?;
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
        lambda: network.lambda,
        calibrated,
        dt_ms: step.ms,
        steps,
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
        warnings,
    };
    console.json(&report);
    report.warnings.say(console);
    print(&report, console);
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
        first: EvaluationTrials::FRESH,
        trials: args.trials,
        fluctuations: options.fluctuations,
    };
    let evaluation = evaluate(network, args.task, options.loss, trials);
    Accuracy {
        accuracy: evaluation.accuracy,
        strict: evaluation.strict,
    }
}

/// What came of the conversion.
struct Converted {
    network: SpikingNetwork,
    /// Of a search for λ.
    candidates: Vec<Candidate>,
    calibrated: bool,
}

/// The spiking network, calibrated if so wanted or needed.
fn converted(
    args: &PipelineArgs,
    console: &Console,
    options: &RateOptions,
    network: &RateNetwork,
    model: &Path,
    step: &TimeStep,
) -> Result<Converted, CommandError> {
    let failed = |source| CommandError::Convert {
        path: model.into(),
        source,
    };
    let request = Request {
        network,
        task: args.task,
        neuron: Neuron::LIF,
        trials: args.trials,
        seed: options.seed ^ SEARCH_SEED,
    };
    let found = if args.calibrate {
        request.find().map(Some)
    } else if options.activation == ActivationKind::Lif && args.lambdas.is_none() {
        request.find_if_needed(LIF_LAMBDA)
    } else {
        Ok(None)
    };
    let found =
        found.map_err(|source| CommandError::Failed(format!("{}: {source}", model.display())))?;
    let Some(found) = found else {
        let (lambda, candidates) = lambda(args, console, options, network, step)?;
        let network = one_to_one(network, lambda, Neuron::LIF);
        return Ok(Converted {
            network: network.map_err(failed)?,
            candidates,
            calibrated: false,
        });
    };
    adopt(&mut RateModelFile::read(model)?, &found.calibration)?;
    let network = found.calibration.network(network, Neuron::LIF);
    Ok(Converted {
        network: network.map_err(failed)?,
        candidates: Vec::new(),
        calibrated: true,
    })
}

/// The network's own λ₀ where it was trained for one, else the best of a
/// search, with all its candidates.
fn lambda(
    args: &PipelineArgs,
    console: &Console,
    options: &RateOptions,
    network: &RateNetwork,
    step: &TimeStep,
) -> Result<(f64, Vec<Candidate>), CommandError> {
    let lambdas = match (&args.lambdas, options.activation) {
        (Some(Lambdas(lambdas)), _) => lambdas.clone(),
        (None, activation) => default_lambdas(activation),
    };
    if let [lambda] = lambdas[..] {
        return Ok((lambda, Vec::new()));
    }
    let bar = console.progress(
        args.trials as u64,
        "lambda: trial {pos}/{len} of each [{elapsed}, {eta} left]",
    );
    let search = Search {
        network,
        task: args.task,
        neuron: Neuron::LIF,
        // At the step that ships.
        step: *step,
        lambdas: &lambdas,
        trials: args.trials,
        // Other trials than those of the final scores: the winner of a search
        // looks better on its own trials than it is.
        seed: options.seed ^ SEARCH_SEED,
        race: true,
    };
    let contest = search.contest().map_err(|source| CommandError::Convert {
        path: args.output_dir.clone(),
        source,
    })?;
    let Ok(candidates) = contest.run::<Infallible>(Standing::new(), |standing| {
        bar.set_position(trials_met(standing) as u64);
        Ok(())
    });
    bar.finish_and_clear();
    let lambda = best(&candidates).expect("at least one candidate").lambda;
    Ok((lambda, candidates))
}

fn print(report: &PipelineReport, console: &Console) {
    print_steps(&report.steps, console);
    let row = |name: &str, accuracy: Accuracy| {
        console.say(format!(
            "{name:<38} {:>8.3} {:>8.3}",
            accuracy.accuracy, accuracy.strict
        ));
    };
    console.say(format!(
        "{:<38} {:>8} {:>8}",
        format!(
            "{}, N = {}, seed {}",
            report.task, report.units, report.seed
        ),
        "accuracy",
        "strict"
    ));
    row("rate network", report.rate);
    row("spiking network, f64, 0.05 ms", report.spiking);
    row(
        &format!("deployed network, fixed point, {} ms", report.dt_ms),
        report.deployed,
    );
    console.say("");
    console.say(format!("trials of each score     {}", report.trials));
    if report.calibrated {
        console.say(format!(
            "lambda                   {:.0}, median of the calibrated units",
            report.lambda
        ));
    } else {
        console.say(format!("lambda                   {}", report.lambda));
    }
    console.say(format!(
        "mean firing rate         {:.1} Hz",
        report.mean_rate_hz
    ));
    console.say(format!(
        "deployed network         {} bytes",
        report.blob_bytes
    ));
    console.say(format!("spike hash               {}", report.spike_hash));
    let s = &report.seconds;
    console.say(format!(
        "seconds                  train {:.1} ({} updates), convert {:.1}, quantize {:.1}, run {:.1}",
        s.train, report.updates, s.convert, s.quantize, s.run
    ));
    console.say(format!(
        "rate model               {}",
        report.files.model.display()
    ));
    console.say(format!(
        "deployed network         {}",
        report.files.network.display()
    ));
    if let Some(page) = &report.files.report {
        console.say(format!("report                   {}", page.display()));
    }
}
