//! `rate2spike convert`: rate → spiking, and the search for λ.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use serde::{Deserialize, Serialize};

use super::console::Console;
use super::plot::PlotFile;
use super::warnings::Warnings;
use super::{CommandError, Lambdas, NeuronArgs, task_of, trials};
use crate::convert::calibrate::{CalibrateError, Calibration, Request};
use crate::convert::one_to_one;
use crate::convert::refit::refit;
use crate::convert::search::{Candidate, Search, Standing, best, trials_met};
use crate::formats::choice::Choice;
use crate::formats::disk;
use crate::formats::mat::Value;
use crate::formats::outputs::Outputs;
use crate::formats::rate_model::RateModelFile;
use crate::formats::task;
use crate::report::figures::conversion;
use crate::spiking::experiment::score_f64;
use crate::spiking::network::SpikingNetwork;
use crate::statistics::{Accuracy, Interval};
use crate::task::Task;

/// Search the scaling factor λ of a rate model, and write it into the model
///
/// Example:  rate2spike convert models/go-nogo/…/Task_go-nogo_….mat
///
/// Writes opt_scaling_factor, all_perfs and scaling_factors, the published names.
/// A model that has an opt_scaling_factor is searched again only with --force,
/// or where a crashed search left NaN in it. A search that was killed goes on
/// where it was when the same command is given again.
///
/// --calibrate fits every unit by itself, and needs no search: the median of the
/// units' lambdas is written as opt_scaling_factor, the rest as unit_calibration.
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
    /// Drop candidates that cannot win early: the same winner within its interval, sooner
    #[arg(long)]
    pub race: bool,
    /// The task, where the file's name does not say it
    #[arg(long, value_name = "TASK", value_parser = task::parse)]
    pub task: Option<Task>,
    /// Fit the readout anew to the spikes of so many trials, at the best lambda; kept if it scores no worse on others
    #[arg(long, value_name = "TRIALS", num_args = 0..=1, default_missing_value = "200", value_parser = trials)]
    pub refit_readout: Option<usize>,
    /// Instead of one lambda, give each unit a scale, a constant current and a lambda of its own
    #[arg(long, conflicts_with_all = ["lambdas", "lambda", "refit_readout", "initial_weights"])]
    pub calibrate: bool,
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
    /// Draw the accuracy by lambda: .svg or .png
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PlotFile>,
}

#[derive(Serialize)]
struct ConvertReport<'a> {
    #[serde(serialize_with = "super::console::lossy")]
    model: &'a PathBuf,
    task: String,
    lambdas: Vec<f64>,
    accuracy: Vec<f64>,
    interval: Vec<Interval>,
    strict: Vec<f64>,
    mean_rate_hz: Vec<f64>,
    trials: usize,
    trials_met: Vec<usize>,
    best_lambda: f64,
    refit: Option<RefitReport>,
    written: bool,
    warnings: Warnings,
}

/// What came of `--refit-readout`, on trials that it has not seen.
#[derive(Serialize)]
struct RefitReport {
    /// Strength of the ridge.
    ridge: f64,
    trials: usize,
    before: Accuracy,
    after: Accuracy,
    /// Whether the new readout is in the model now.
    kept: bool,
    #[serde(skip)]
    readout: Vec<f64>,
}

/// Runs the command.
pub fn run(args: &ConvertArgs, console: &Console) -> Result<(), CommandError> {
    let mut model = RateModelFile::read(&args.model)?;
    let writes = !args.initial_weights && !args.dry_run;
    if writes {
        disk::check_rewritable(&args.model)?;
    }
    if writes && !args.force {
        refuse_a_second_search(&model)?;
    }
    if writes {
        model.check_writable()?;
    }
    let task = task_of(&model, args.task.as_ref())?;
    if args.calibrate {
        return calibrate(args, console, model, &task, writes);
    }
    let network = if args.initial_weights {
        model.initial()?
    } else {
        model.network.clone()
    };
    let lambdas = args
        .lambda
        .map_or_else(|| args.lambdas.0.clone(), |lambda| vec![lambda]);
    let (neuron, step) = (args.neuron.neuron()?, args.neuron.step()?);
    args.plot.as_ref().map_or(Ok(()), PlotFile::check)?;
    let settings = Search {
        network: &network,
        task: task.clone(),
        neuron,
        step,
        lambdas: &lambdas,
        trials: args.trials,
        seed: args.seed,
        race: args.race,
    };
    let journal = Journal::of(&args.model, &settings, writes)?;
    let bar = console.progress(
        args.trials as u64,
        "trial {pos}/{len} of each lambda [{elapsed}, {eta} left]",
    );
    let met = trials_met(&journal.standing);
    if met > 0 {
        console.note(format!(
            "goes on with the search that was cut after {met} of {} trials",
            args.trials
        ));
    }
    let candidates = search_from(&settings, journal, &bar, &args.model)?;
    bar.finish_and_clear();
    let best = best(&candidates).expect("there is at least one candidate");
    let refit = args
        .refit_readout
        .map(|trials| refit_at(&settings, best.lambda, trials, &args.model))
        .transpose()?;
    if writes {
        write(&mut model, &candidates, best, refit.as_ref())?;
        disk::remove_if_there(&journal_path(&args.model))?;
    }
    if let Some(plot) = &args.plot {
        plot.write(&conversion::accuracy(&candidates, best.lambda, args.trials))?;
    }
    report(args, console, &task, &candidates, refit, writes);
    Ok(())
}

/// What came of `--calibrate`.
#[derive(Serialize)]
struct CalibrationReport<'a> {
    #[serde(serialize_with = "super::console::lossy")]
    model: &'a PathBuf,
    task: String,
    /// Median of the units.
    lambda: f64,
    /// κ of the fit.
    irregularity: f64,
    /// Rounds in which the offsets moved.
    rounds: u64,
    trials: usize,
    /// On the trials by which it was chosen.
    chosen: Accuracy,
    /// On others.
    fresh: Accuracy,
    mean_rate_hz: f64,
    written: bool,
}

/// Calibrates each unit, and writes that into the model.
fn calibrate(
    args: &ConvertArgs,
    console: &Console,
    mut model: RateModelFile,
    task: &Task,
    writes: bool,
) -> Result<(), CommandError> {
    let neuron = args.neuron.neuron()?;
    let request = Request {
        network: &model.network,
        task: task.clone(),
        neuron,
        trials: args.trials,
        seed: args.seed,
    };
    let failed = |source: CalibrateError| {
        CommandError::Failed(format!("{}: {source}", args.model.display()))
    };
    let found = request.find().map_err(failed)?;
    let network = found.calibration.network(&model.network, neuron);
    let network = network.map_err(|source| failed(source.into()))?;
    let step = args.neuron.step()?;
    let fresh = score_f64(&network, task, &step, args.seed ^ FRESH_SEED, args.trials);
    let lambda = found.calibration.median_lambda();
    if writes {
        adopt(
            &mut model,
            &found.calibration,
            Choice {
                trials: args.trials,
                seed: args.seed,
            },
        )?;
    }
    let report = CalibrationReport {
        model: &args.model,
        task: task.name().into(),
        lambda,
        irregularity: found.irregularity,
        rounds: found.rounds,
        trials: args.trials,
        chosen: (&found.score).into(),
        fresh: (&fresh).into(),
        mean_rate_hz: fresh.mean_rate_hz,
        written: writes,
    };
    console.json(&report);
    console.say(format!(
        "calibrated (irregularity {}, {} rounds): accuracy {:.3}, strict {:.3}, on {} fresh trials; mean rate {:.1} Hz, median lambda {:.0}",
        report.irregularity,
        report.rounds,
        report.fresh.accuracy,
        report.fresh.strict,
        report.trials,
        report.mean_rate_hz,
        lambda
    ));
    Ok(())
}

/// Writes a calibration into the model, in place of what a search wrote.
pub fn adopt(
    model: &mut RateModelFile,
    calibration: &Calibration,
    choice: Choice,
) -> Result<(), CommandError> {
    for name in ["all_perfs", "scaling_factors"] {
        model.variables.remove(name);
    }
    let lambda = Value::scalar(calibration.median_lambda());
    model.variables.insert("opt_scaling_factor", lambda);
    model.set_refitted_readout(None);
    model.set_calibration(Some(calibration));
    choice.keep_in(model);
    Ok(model.write()?)
}

/// What the seed of trials that neither a search nor a fit has seen differs by.
const FRESH_SEED: u64 = 0x7E57;

/// Time between two writes of a search's journal.
const JOURNAL_EVERY: Duration = Duration::from_secs(2);

/// A search under way, beside its model: what a killed search goes on from.
#[derive(Serialize, Deserialize)]
struct Journal {
    /// Of the search that it belongs to.
    fingerprint: u64,
    standing: Standing,
    #[serde(skip)]
    path: Option<PathBuf>,
}

fn journal_path(model: &Path) -> PathBuf {
    model.with_extension("search.json")
}

impl Journal {
    /// What is left of the same search, else an empty one; without a path if
    /// nothing is to be written.
    fn of(model: &Path, search: &Search, writes: bool) -> Result<Self, CommandError> {
        let path = journal_path(model);
        let fingerprint = search.fingerprint();
        let mut found: Option<Self> = None;
        if writes {
            let parsed = |bytes: &[u8]| serde_json::from_slice(bytes).ok();
            Outputs::new().derives("another name of the model", &path, |bytes| {
                parsed(bytes).is_some_and(|_: Self| true)
            })?;
            if path.exists() {
                found = parsed(&disk::read(&path)?);
            }
        }
        let standing = found
            .filter(|found| found.fingerprint == fingerprint)
            .map_or_else(Standing::new, |found| found.standing);
        Ok(Self {
            fingerprint,
            standing,
            path: writes.then_some(path),
        })
    }

    fn write(&self) -> Result<(), CommandError> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        let text = serde_json::to_vec(self).expect("plain numbers");
        Ok(disk::write(path, &text)?)
    }
}

fn search_from(
    search: &Search,
    mut journal: Journal,
    bar: &indicatif::ProgressBar,
    model: &Path,
) -> Result<Vec<Candidate>, CommandError> {
    let contest = search.contest().map_err(|source| CommandError::Convert {
        path: model.into(),
        source,
    })?;
    let mut written = Instant::now();
    let standing = std::mem::take(&mut journal.standing);
    contest.run(standing, |standing| {
        bar.set_position(trials_met(standing) as u64);
        if written.elapsed() > JOURNAL_EVERY {
            journal.standing.clone_from(standing);
            journal.write()?;
            written = Instant::now();
        }
        Ok(())
    })
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
        "{:>6}  {:>8.3}  {:>5.3} to {:>5.3}  {:>6.3}  {:>9.1}  {:>6}",
        candidate.lambda,
        candidate.accuracy,
        candidate.interval.low,
        candidate.interval.high,
        candidate.strict,
        candidate.mean_rate_hz,
        candidate.trials
    )
}

fn write(
    model: &mut RateModelFile,
    candidates: &[Candidate],
    best: &Candidate,
    refit: Option<&RefitReport>,
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
    // A calibration or a readout of another λ must not stay.
    model.set_calibration(None);
    let kept = refit.filter(|refit| refit.kept);
    model.set_refitted_readout(kept.map(|refit| {
        let w_out = refit.readout.iter().map(|w| (w * best.lambda) as f32);
        w_out.collect()
    }));
    Ok(model.write()?)
}

/// Fits the readout of the network with this λ, and scores it before and after.
fn refit_at(
    search: &Search,
    lambda: f64,
    trials: usize,
    path: &Path,
) -> Result<RefitReport, CommandError> {
    let network = one_to_one(search.network, lambda, search.neuron);
    let mut network = network.map_err(|source| CommandError::Convert {
        path: path.into(),
        source,
    })?;
    let score = |network: &SpikingNetwork| {
        // Neither the search nor the fit has seen these.
        score_f64(
            network,
            &search.task,
            &search.step,
            search.seed ^ FRESH_SEED,
            search.trials,
        )
    };
    let before = score(&network);
    let seed = search.seed ^ 0xF17;
    let refit = refit(&network, &search.task, &search.step, seed, trials)
        .map_err(|silent| CommandError::Failed(format!("{}: {silent}", path.display())))?;
    network.readout.clone_from(&refit.readout);
    let after = score(&network);
    Ok(RefitReport {
        ridge: refit.ridge,
        trials,
        kept: after.correct >= before.correct,
        before: (&before).into(),
        after: (&after).into(),
        readout: refit.readout,
    })
}

fn report(
    args: &ConvertArgs,
    console: &Console,
    task: &Task,
    candidates: &[Candidate],
    refit: Option<RefitReport>,
    written: bool,
) {
    let best = best(candidates).expect("there is at least one candidate");
    let mut warnings = Warnings::default();
    warnings.of_search(candidates, best);
    warnings.of_trials(best.accuracy, best.interval, best.trials);
    warnings.say(console);
    console.say("lambda  accuracy  95 % interval  strict  rate (Hz)  trials");
    for candidate in candidates {
        console.say(line(candidate));
    }
    console.say(format!(
        "best lambda {} with accuracy {:.3}",
        best.lambda, best.accuracy
    ));
    if let Some(refit) = &refit {
        console.say(format!(
                "readout refitted over {} trials (ridge {}): accuracy {:.3}, before {:.3}, on trials of neither; {}",
                refit.trials,
                refit.ridge,
                refit.after.accuracy,
                refit.before.accuracy,
                if refit.kept { "kept" } else { "not kept" }
            ));
    }
    let all = |value: fn(&Candidate) -> f64| candidates.iter().map(value).collect();
    console.json(&ConvertReport {
        model: &args.model,
        task: task.name().into(),
        lambdas: all(|c| c.lambda),
        accuracy: all(|c| c.accuracy),
        interval: candidates.iter().map(|c| c.interval).collect(),
        strict: all(|c| c.strict),
        mean_rate_hz: all(|c| c.mean_rate_hz),
        trials: args.trials,
        trials_met: candidates.iter().map(|c| c.trials).collect(),
        best_lambda: best.lambda,
        refit,
        written,
        warnings,
    });
}
