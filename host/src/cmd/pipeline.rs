//! `rate2spike pipeline`: train, convert, quantize, run.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use indicatif::ProgressBar;
use rate2spike_core::blob::Deployed;
use rate2spike_core::neuron::Membrane;
use serde::Serialize;

use super::CommandError;
use super::bars::TrainingBar;
use super::options::OptionArgs;
use super::quantize::print_steps;
use super::report::write_page;
use super::warnings::Warnings;
use crate::convert::calibrate::TooFew;
use crate::convert::choice::{NeuronChoice, StepChoice};
use crate::convert::flags::Flags;
use crate::convert::lambdas::Lambdas;
use crate::convert::search::{best, default_lambdas};
use crate::formats::disk;
use crate::formats::history::History;
use crate::formats::rate_model::RateModelFile;
use crate::formats::task;
use crate::interrupt::{self, Ending, Orderly};
use crate::number::{counted, hexadecimal, shown, trials};
use crate::print::console::Console;
use crate::print::path::lossy;
use crate::quantize::longest_step::{Comparison, DEPLOYED_STEP_MS, DeployedStep};
use crate::quantize::scores::shipped_start;
use crate::quantize::{ArithmeticName, check_noise};
use crate::random::{Stream, seed_of};
use crate::rate::activation::ActivationKind;
use crate::rate::network::RateNetwork;
use crate::rate::options::RateOptions;
use crate::rate::training::MOST_TRIES;
use crate::report::observe::ObservedTrials;
use crate::report::story::ReportInput;
use crate::route::{
    Converted, DeployedGrades, Origin, Progress, Route, RouteError, Scaling, check_step,
    rate_evaluation,
};
use crate::session::{Finished, Session};
use crate::spiking::confusion::{ClassScore, answers, per_class};
use crate::spiking::experiment::{Experiment, outcomes_f64};
use crate::spiking::neuron::Neuron;
use crate::spiking::time_step::TimeStep;
use crate::statistics::Accuracy;
use crate::task::Task;

/// Train a network, carry it onto spiking neurons, quantize it and run it
///
/// Example:  rate2spike pipeline go-nogo
///
/// With lif or --calibrate, a network that spikes right in less than 97 % of some trials of
/// its own trains on until it meets the criterion again, with four tries at most; the best network
/// is kept, and calibrated if it still falls short.
///
/// The published route:  rate2spike pipeline go-nogo --act sigmoid
#[derive(Clone, Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct PipelineArgs {
    /// The task
    #[arg(value_name = "TASK", value_parser = task::parse, help = crate::task::help())]
    pub task: Task,
    /// Folder for the model and the deployed network
    #[arg(
        long = "output_dir",
        short = 'o',
        visible_aliases = ["output-dir", "output"],
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
    /// Instead of a search, calibrate every unit, and fit the readout to the spikes, as convert --calibrate --refit-readout does [default: with lif, if the network does not spike well enough as it is]
    #[arg(long, conflicts_with = "lambdas")]
    pub calibrate: bool,
    /// Trials of each score
    #[arg(long, default_value = "100", value_parser = trials)]
    pub trials: usize,
    /// Time step of the deployed network in ms; auto: the longest that costs at most a point of accuracy
    #[arg(long, value_name = "MS|auto", default_value_t = DeployedStep::Given(DEPLOYED_STEP_MS))]
    pub dt: DeployedStep,
    /// The numbers of the deployed network
    #[arg(long, value_name = "NUMBERS", default_value = "fixed")]
    pub arithmetic: ArithmeticName,
    /// Write a check point of the training every N updates, and on Ctrl-C or SIGTERM; 0: only then
    #[arg(
        long,
        visible_alias = "checkpoint_every",
        value_name = "N",
        default_value_t = 0
    )]
    pub checkpoint_every: usize,
    /// Go on where the same command was stopped: from the check point of its training, or after the training
    #[arg(long)]
    pub resume: bool,
    /// The neuron
    #[command(flatten)]
    pub spiking: NeuronChoice,
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
    #[serde(serialize_with = "lossy")]
    model: PathBuf,
    #[serde(serialize_with = "lossy")]
    network: PathBuf,
    #[serde(serialize_with = "lossy")]
    report: Option<PathBuf>,
}

/// The score of a stage.
#[derive(Serialize)]
struct StageScore {
    #[serde(flatten)]
    accuracy: Accuracy,
    /// Trials of the test part; absent for a task without a data set.
    #[serde(skip_serializing_if = "Option::is_none")]
    trials: Option<usize>,
    /// The answers to the trials of each class; empty for a task without classes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    per_class: Vec<ClassScore>,
}

impl StageScore {
    fn new(task: &Task, accuracy: Accuracy, trials: impl Iterator<Item = (i16, i16)>) -> Self {
        Self {
            accuracy,
            trials: task.trials(),
            per_class: per_class(task, trials),
        }
    }
}

#[derive(Serialize)]
struct PipelineReport {
    task: String,
    units: usize,
    seed: u64,
    success: bool,
    /// Networks that met the criterion until one of them spiked well enough.
    tries: usize,
    updates: usize,
    trials: usize,
    /// The names of the classes; absent for a task without a data set.
    #[serde(skip_serializing_if = "Option::is_none")]
    classes: Option<Vec<String>>,
    rate: StageScore,
    spiking: StageScore,
    deployed: StageScore,
    lambda: f64,
    /// Whether every unit has a scale, a current and a λ of its own; `lambda` is
    /// then their median.
    calibrated: bool,
    /// The reason for the calibration; `None` where it was asked for.
    #[serde(skip)]
    because: Option<TooFew>,
    /// Whether the readout was fitted to the spikes.
    readout_refitted: bool,
    arithmetic: &'static str,
    dt_ms: f64,
    /// The steps that `--dt auto` compared with 0.05 ms.
    steps: Vec<Comparison>,
    mean_rate_hz: f64,
    blob_bytes: usize,
    spike_hash: String,
    seconds: Seconds,
    files: Files,
}

/// Runs the command.
pub fn run(args: &PipelineArgs, console: &Console) -> Result<(), CommandError> {
    let options = args.options.options(&args.task, ActivationKind::Lif)?;
    let neuron = args.spiking.over(&Neuron::LIF);
    if neuron.membrane == Membrane::Quadratic {
        let message = "--neuron qif: the quadratic neuron has no deployed form, with which a pipeline ends; use train, then convert --neuron qif and simulate";
        return Err(CommandError::Usage(message.into()));
    }
    if args.calibrate && neuron.noise_mv == 0.0 {
        let message = "--calibrate fits the rates of units with noise, and --noise is 0: leave one of the two out";
        return Err(CommandError::Usage(message.into()));
    }
    let first = args.dt.first();
    let first = first.map_err(|error| CommandError::Usage(format!("--dt: {error}")))?;
    if args.arithmetic == ArithmeticName::Fixed {
        check_noise(&neuron, &first).map_err(|error| {
            CommandError::Usage(format!("--noise {}: {error}", neuron.noise_mv))
        })?;
    }
    check_step(args.dt, args.arithmetic, &neuron, &options)
        .map_err(|error| CommandError::Usage(format!("--dt: {error}")))?;

    let starts = args.options.restarts.starts(&options)?;
    let clock = Instant::now();
    let session = Session {
        output: args.output_dir.clone(),
        checkpoint_every: args.checkpoint_every,
        resume: args.resume,
        losses: None,
        from: args.options.from(console)?,
    };
    session.check(&options)?;
    console.warn_all(options.task.warnings());
    let mut bar = TrainingBar::new(options.updates, console);
    let training = Orderly::begin();
    let grades = DeployedGrades::new(starts);
    let grade = |options: &RateOptions, network: &RateNetwork| {
        grades.of(&route(args, neuron, options, network))
    };
    let finished = session.train_first(&options, starts, grade, &mut bar)?;
    drop(bar);
    // Everything else takes the seed of the start that was kept.
    let Finished {
        network,
        model,
        options,
        ..
    } = &finished;
    let sentence = format!(
        "the trained network is saved in {}; the same command with --resume goes on from it",
        model.display()
    );
    let _ending = Ending::with({
        let sentence = sentence.clone();
        move || sentence.clone()
    });
    drop(training);
    if interrupt::asked() {
        return Err(CommandError::Interrupted(sentence));
    }
    let trials = options.task.scored(args.trials);
    let rate = rate_evaluation(network, options, trials);
    let train_seconds = clock.elapsed().as_secs_f64() - grades.seconds();

    let clock = Instant::now();
    let route = route(args, neuron, options, network);
    let failed = |error: RouteError| CommandError::of_route(model, error);
    let bar = console.progress(args.trials as u64, "{msg}: trial {pos} [{elapsed}]");
    // The training on a data set has no tries.
    let is_tried = finished.report.success && !options.validated();
    let converted = grades.convert(&route, is_tried, &mut |progress| show(&bar, progress));
    bar.finish_and_clear();
    let (converted, shortfall) = converted.map_err(failed)?;
    keep_conversion(args, model, &route, &converted)?;
    let convert_seconds = grades.seconds() + clock.elapsed().as_secs_f64();

    let clock = Instant::now();
    let deployment = route.deploy(&converted).map_err(failed)?;
    let path = model.with_extension("snn");
    // The rest takes a moment, and a signal does not stop it.
    let _finishing = Orderly::begin();
    disk::write(&path, &deployment.quantized.bytes)?;
    let deploy_seconds = clock.elapsed().as_secs_f64();

    let step = converted.step;
    let (spiking, deployed) = (&converted.score, &deployment.score);
    let mut warnings = Warnings::default();
    if let Some(best) = best(converted.candidates()) {
        warnings.of_search(converted.candidates(), best);
    }
    if let Some(grade) = shortfall {
        warnings.of_tries(grade);
    }
    warnings.of_score(&options.task, deployed);
    warnings.of_rounding(&deployment.quantized.rounded);
    // The range of f32 has no end that an output reaches.
    if args.arithmetic == ArithmeticName::Fixed {
        let blob = Deployed::read(&deployment.quantized.bytes);
        let blob = blob.expect("a blob that was just written is valid");
        let experiment = Experiment::deployed(&blob, &options.task, options.seed);
        warnings.of_saturation(&experiment, deployed.trials);
    }
    warnings.of_drop(step.ms, &converted.outcomes, &deployment.outcomes, || {
        let network = shipped_start(&converted.network);
        outcomes_f64(
            &network,
            &options.task,
            &TimeStep::PUBLISHED,
            options.seed,
            trials,
        )
    });

    let page = args.report.then(|| model.with_extension("html"));
    if let Some(page) = &page {
        let input = ReportInput {
            model: RateModelFile::read(model)?,
            history: History::of(model)?,
            deployed: Some((path.clone(), deployment.quantized.bytes.clone())),
            spiking: converted.network.clone(),
            calibration: match &converted.origin {
                Origin::Calibrated(made) => Some(made.found.calibration.clone()),
                _ => None,
            },
            lambdas: default_lambdas(ActivationKind::Sigmoid),
            trials: ObservedTrials {
                task: options.task.clone(),
                seed: options.seed,
                count: trials,
            },
        };
        write_page(&input, page, console)?;
    }

    let task = &options.task;
    let report = PipelineReport {
        task: args.task.name().into(),
        units: options.units,
        seed: options.seed,
        success: finished.report.success,
        tries: finished.report.tries,
        updates: finished.report.updates,
        trials,
        classes: task
            .recorded()
            .map(|recorded| recorded.description.classes.clone()),
        rate: StageScore::new(task, rate.scores(task), rate.answers.iter().copied()),
        spiking: StageScore::new(task, spiking.into(), answers(&converted.outcomes)),
        deployed: StageScore::new(task, deployed.into(), answers(&deployment.outcomes)),
        lambda: converted.network.lambda,
        calibrated: matches!(converted.origin, Origin::Calibrated(_)),
        because: match &converted.origin {
            Origin::Calibrated(made) => made.because,
            _ => None,
        },
        readout_refitted: converted.has_fitted_readout(),
        arithmetic: args.arithmetic.words(),
        dt_ms: step.ms,
        mean_rate_hz: deployed.mean_rate_hz,
        blob_bytes: deployment.quantized.bytes.len(),
        spike_hash: hexadecimal(deployed.spike_hash),
        seconds: Seconds {
            train: train_seconds,
            convert: convert_seconds,
            quantize: deployment.quantize_seconds,
            run: deploy_seconds - deployment.quantize_seconds,
        },
        files: Files {
            model: model.clone(),
            network: path,
            report: page,
        },
        steps: converted.comparisons,
    };
    finished.forget()?;
    warnings.say(console);
    console.json(&report);
    print(&report, console);
    if report.success {
        return Ok(());
    }
    Err(CommandError::Failed(format!(
        "the rate network did not meet the criterion in {} updates; everything is saved all the same. {}",
        report.updates,
        args.options.advice()
    )))
}

/// The way that the flags ask for.
fn route<'a>(
    args: &PipelineArgs,
    neuron: Neuron,
    options: &RateOptions,
    network: &'a RateNetwork,
) -> Route<'a> {
    let scaling = match &args.lambdas {
        _ if args.calibrate => Scaling::Calibrated,
        Some(Lambdas(lambdas)) => Scaling::among(lambdas.clone()),
        None => Scaling::by_default(options.activation),
    };
    Route {
        network,
        task: options.task.clone(),
        neuron,
        scaling,
        search_step: None,
        step: args.dt,
        numbers: args.arithmetic,
        search_trials: args.trials,
        trials: options.task.scored(args.trials),
        seed: options.seed,
    }
}

/// Writes into the model how it was converted, where it was calibrated or has another
/// neuron than the published one.
fn keep_conversion(
    args: &PipelineArgs,
    model: &Path,
    route: &Route,
    converted: &Converted,
) -> Result<(), CommandError> {
    let (trials, seed) = (route.search_trials, seed_of(route.seed, Stream::Search));
    if let Origin::Calibrated(made) = &converted.origin {
        let step = StepChoice::of_step(&converted.step, args.spiking.clone());
        let flags = Flags::of_calibration(trials, seed, made.refitted).and(step.flags());
        let (calibration, readout) = (&made.found.calibration, made.readout.as_ref());
        RateModelFile::read(model)?.adopt_calibration(calibration, readout, &flags)?;
    } else if route.neuron != Neuron::LIF {
        let lambda = converted.network.lambda;
        let flags = Flags::new().with_value("--lambdas", lambda);
        let flags = flags
            .with_value("--trials", trials)
            .with_value("--seed", seed);
        RateModelFile::read(model)?.adopt_given(lambda, &flags.and(args.spiking.flags()))?;
    }
    Ok(())
}

/// Shows on the bar how far a route has come.
fn show(bar: &ProgressBar, progress: Progress) {
    let (message, trials) = match progress {
        Progress::Search { trials } => ("each lambda".into(), trials),
        Progress::Step { ms, trials } => (format!("dt {ms} ms"), trials),
    };
    bar.set_message(message);
    bar.set_position(trials as u64);
}

/// The reason for a calibration.
fn reason(because: Option<&TooFew>) -> String {
    let Some(because) = because else {
        return "because --calibrate asks for it".into();
    };
    format!(
        "because its accuracy with lambda {} was {:.3} in {}, less than {:.3}",
        shown(because.lambda),
        because.right,
        counted(because.trials, "trial"),
        because.enough
    )
}

fn print(report: &PipelineReport, console: &Console) {
    print_steps(&report.steps, console);
    let row = |name: &str, score: &StageScore| {
        let [first, second] = score.accuracy.cells();
        console.say(format!("{name:<38} {first:>8.3} {second:>8.3}"));
    };
    let [first, second] = report.rate.accuracy.heads();
    console.say(format!(
        "{:<38} {first:>8} {second:>8}",
        format!(
            "{}, N = {}, seed {}",
            &report.task, report.units, report.seed
        ),
    ));
    row("rate network", &report.rate);
    row("spiking network, f64, 0.05 ms", &report.spiking);
    row(
        &format!(
            "deployed network, {}, {} ms",
            report.arithmetic, report.dt_ms
        ),
        &report.deployed,
    );
    for class in &report.deployed.per_class {
        console.say(class.line());
    }
    console.say("");
    console.say(format!("trials of each score     {}", report.trials));
    if report.tries > 1 {
        let tries = report.tries;
        console.say(format!(
            "tries                    {tries} of at most {MOST_TRIES}"
        ));
    }
    if report.calibrated {
        console.say(format!(
            "lambda                   {:.0}, median of the calibrated units{}",
            report.lambda,
            if report.readout_refitted {
                "; readout fitted to the spikes"
            } else {
                ""
            }
        ));
        console.say(format!(
            "calibrated               {}",
            reason(report.because.as_ref())
        ));
    } else {
        let lambda = shown(report.lambda);
        console.say(format!("lambda                   {lambda}"));
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
