//! `rate2spike convert`: rate → spiking, and the search for λ.

use std::convert::Infallible;
use std::path::PathBuf;

use clap::Args;
use rate2spike_core::decision::Kind;
use serde::Serialize;

use super::CommandError;
use super::plot::PlotFile;
use super::shared::{ScoreArgs, TaskArgs};
use super::warnings::Warnings;
use crate::convert::calibrate::{CalibrateError, Request};
use crate::convert::choice::StepChoice;
use crate::convert::flags::Flags;
use crate::convert::lambdas::Lambdas;
use crate::convert::one_to_one;
use crate::convert::refit::{RefitTrials, TriedRefit, try_refit};
use crate::convert::search::{Candidate, Search, Standing, best, default_lambdas, trials_met};
use crate::formats::disk;
use crate::formats::journal::{Journal, JournalError, Noted};
use crate::formats::names::{LAMBDA, MEDIAN_LAMBDA};
use crate::formats::rate_model::RateModelFile;
use crate::interrupt::{Ending, Orderly};
use crate::number::{counted, lambda, shown, trials};
use crate::print::console::Console;
use crate::print::path::lossy;
use crate::random::{Stream, seed_of};
use crate::rate::activation::{ActivationKind, LIF_LAMBDA};
use crate::rate::network::RateNetwork;
use crate::report::figures::conversion;
use crate::spiking::experiment::score_f64;
use crate::spiking::network::SpikingNetwork;
use crate::spiking::simulation::check_downsample;
use crate::spiking::time_step::TimeStep;
use crate::statistics::{Accuracy, Interval};
use crate::task::Task;
use crate::task::description::Part;

/// Search the scaling factor λ of a rate model, and write it into the model
///
/// Example:  rate2spike convert models/go-nogo/…/Task_go-nogo_….mat
///
/// Without a mode: a search. Writes opt_scaling_factor, all_perfs and
/// scaling_factors, the published names. The best lambda has the most right
/// answers; of several that are equally often right it is the one whose output is
/// closest to the target. A model of activation lif keeps the lambda that it was
/// trained for, unless --lambdas asks for a search. A model that has an
/// opt_scaling_factor is searched again only with --force, or where a crashed
/// search left NaN in it. A search that was killed goes on where it was when the
/// same command is given again.
///
/// --lambda scores one value and writes nothing; --lambdas with this one value
/// writes it.
///
/// --calibrate fits each unit by itself, and needs no search: the median of the
/// units' lambdas is written as median_scaling_factor, the rest as unit_calibration.
#[derive(Clone, Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct ConvertArgs {
    /// The rate model
    #[arg(value_name = "MODEL.mat")]
    pub model: PathBuf,
    /// Candidates of the search: FIRST:STEP:LAST, or values with commas between [default: 50 with lif, 20:5:75 with sigmoid, else 4:2:26]
    #[arg(long)]
    pub lambdas: Option<Lambdas>,
    /// Score this one value; nothing is written
    #[arg(long, value_name = "LAMBDA", value_parser = lambda)]
    pub lambda: Option<f64>,
    /// The trials of each candidate
    #[command(flatten)]
    pub score: ScoreArgs,
    /// Search: drop candidates early that cannot win; takes less time, and the winner is as good within its confidence interval
    #[arg(long)]
    pub race: bool,
    /// The task
    #[command(flatten)]
    pub task: TaskArgs,
    /// Fit the readout anew to the spikes of this many trials; kept if it scores no worse on others
    #[arg(long, value_name = "TRIALS", num_args = 0..=1, default_missing_value = "200", value_parser = trials)]
    pub refit_readout: Option<usize>,
    /// Instead of one lambda, give each unit a scale, a constant current and a lambda of its own
    #[arg(long)]
    pub calibrate: bool,
    /// Use the weights before training, as a control; nothing is written
    #[arg(long)]
    pub initial_weights: bool,
    /// Search or calibrate again where a result is there already
    #[arg(long)]
    pub force: bool,
    /// Score only; do not write into the model
    #[arg(long)]
    pub dry_run: bool,
    /// The neuron and the time step
    #[command(flatten)]
    pub neuron: StepChoice,
    /// Search: draw the accuracy by lambda, as .svg or .png
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PlotFile>,
}

/// The mode that the flags ask for.
#[derive(Clone, Debug, PartialEq)]
enum Mode {
    Search(SearchMode),
    Score(ScoreMode),
    Calibrate(CalibrateMode),
}

/// Score candidates and write the best.
#[derive(Clone, Debug, PartialEq)]
struct SearchMode {
    /// The candidates; those of the activation if absent.
    lambdas: Option<Vec<f64>>,
    race: bool,
    /// Trials to which the readout is fitted.
    refit_readout: Option<usize>,
    writes: bool,
    force: bool,
}

/// Score one λ and write nothing.
#[derive(Clone, Debug, PartialEq)]
struct ScoreMode {
    lambda: f64,
}

/// Calibrate each unit.
#[derive(Clone, Debug, PartialEq)]
struct CalibrateMode {
    /// Trials to which the readout is fitted.
    refit_readout: Option<usize>,
    writes: bool,
    force: bool,
}

impl ConvertArgs {
    /// The mode; a flag of another mode is an error that names the flag's mode.
    fn mode(&self) -> Result<Mode, CommandError> {
        const SEARCH: &str = "a search (neither --lambda nor --calibrate)";
        let search_flags = [
            ("--lambdas", self.lambdas.is_some()),
            ("--race", self.race),
            ("--plot", self.plot.is_some()),
        ];
        let search_flag = search_flags.iter().find(|(_, given)| *given);
        let refused = |flag: &str, owner: &str, advice: String| {
            Err(CommandError::Usage(format!(
                "{flag} belongs to {owner}; {advice}"
            )))
        };
        if self.calibrate {
            if let Some(lambda) = self.lambda {
                let advice = format!(
                    "--calibrate finds a lambda for each unit; leave --lambda {lambda} or --calibrate out"
                );
                return refused("--lambda", "the score of one value", advice);
            }
            if let Some((flag, _)) = search_flag {
                let advice = format!("leave {flag} or --calibrate out");
                return refused(flag, SEARCH, advice);
            }
            if self.initial_weights {
                let advice = "leave --initial-weights or --calibrate out".into();
                return refused("--initial-weights", "a search or a score", advice);
            }
            return Ok(Mode::Calibrate(CalibrateMode {
                refit_readout: self.refit_readout,
                writes: !self.dry_run,
                force: self.force,
            }));
        }
        if let Some(lambda) = self.lambda {
            let advice = format!(
                "--lambda scores one value and writes nothing; to search and write it give --lambdas {lambda} in place of --lambda {lambda}"
            );
            if let Some((flag, _)) = search_flag {
                return refused(flag, SEARCH, advice);
            }
            if self.refit_readout.is_some() {
                return refused("--refit-readout", "a search or --calibrate", advice);
            }
            if self.force {
                return refused("--force", "a search or --calibrate", advice);
            }
            return Ok(Mode::Score(ScoreMode { lambda }));
        }
        Ok(Mode::Search(SearchMode {
            lambdas: self.lambdas.as_ref().map(|Lambdas(all)| all.clone()),
            race: self.race,
            refit_readout: self.refit_readout,
            writes: !self.initial_weights && !self.dry_run,
            force: self.force,
        }))
    }
}

#[derive(Serialize)]
struct ConvertReport<'a> {
    #[serde(serialize_with = "lossy")]
    model: &'a PathBuf,
    task: &'a str,
    lambdas: Vec<f64>,
    accuracy: Vec<f64>,
    interval: Vec<Interval>,
    strict: Vec<f64>,
    mean_rate_hz: Vec<f64>,
    /// Root mean square of the output's distance from the target.
    output_error: Vec<f64>,
    trials: usize,
    trials_met: Vec<usize>,
    best_lambda: f64,
    refit: Option<RefitReport>,
    written: bool,
}

/// The result of `--refit-readout`, on trials that it has not seen.
#[derive(Serialize)]
struct RefitReport {
    /// Strength of the ridge.
    ridge: f64,
    trials: usize,
    before: Accuracy,
    after: Accuracy,
    /// True if the new readout is in the model now.
    kept: bool,
}

impl RefitReport {
    fn of(tried: Option<&TriedRefit>, trials: Option<usize>) -> Option<Self> {
        let tried = tried?;
        Some(Self {
            ridge: tried.refit.ridge,
            trials: trials?,
            before: tried.before,
            after: tried.after,
            kept: tried.is_no_worse(),
        })
    }

    /// The report in a line; `accuracy` is the name of the score.
    fn words(&self, accuracy: &str) -> String {
        format!(
            "readout refitted over {} (ridge {}): {accuracy} {:.3}, before {:.3}, on trials of neither; {}",
            counted(self.trials, "trial"),
            shown(self.ridge),
            self.after.accuracy,
            self.before.accuracy,
            if self.kept { "kept" } else { "not kept" }
        )
    }
}

/// The result of `--calibrate`.
#[derive(Serialize)]
struct CalibrationReport<'a> {
    #[serde(serialize_with = "lossy")]
    model: &'a PathBuf,
    task: &'a str,
    /// Median of the units.
    lambda: f64,
    /// κ of the fit.
    irregularity: f64,
    /// Rounds in which the offsets moved.
    rounds: u64,
    /// Whether the offset of the output stays.
    keeps_b_out: bool,
    trials: usize,
    /// On the trials by which it was chosen.
    chosen: Accuracy,
    /// On others.
    fresh: Accuracy,
    mean_rate_hz: f64,
    refit: Option<RefitReport>,
    written: bool,
}

/// Runs the command.
pub fn run(args: &ConvertArgs, console: &Console) -> Result<(), CommandError> {
    let mode = args.mode()?;
    let force = match &mode {
        Mode::Search(mode) => mode.force,
        Mode::Calibrate(mode) => mode.force,
        Mode::Score(_) => false,
    };
    let model = if force {
        RateModelFile::read_to_convert_again(&args.model)?
    } else {
        RateModelFile::read(&args.model)?
    };
    console.warn_all(model.warnings());
    let conversion = Conversion {
        args,
        console,
        task: args.task.of(&model)?,
    };
    let sentence = match &mode {
        Mode::Search(SearchMode { writes: true, .. }) => "the same command goes on with the search",
        _ => "the model is as it was; give the same command again",
    };
    let _ending = Ending::with(move || sentence.into());
    match mode {
        Mode::Search(mode) => conversion.search(model, &mode),
        Mode::Score(ScoreMode { lambda }) => conversion.score(&model, lambda),
        Mode::Calibrate(mode) => conversion.calibrate(model, &mode),
    }
}

/// The parts that the three modes share.
struct Conversion<'a> {
    args: &'a ConvertArgs,
    console: &'a Console,
    task: Task,
}

impl Conversion<'_> {
    fn search(&self, mut model: RateModelFile, mode: &SearchMode) -> Result<(), CommandError> {
        let args = self.args;
        if mode.writes {
            refuse_a_second_result(&model, mode.force)?;
            check_rewritable(&model)?;
        }
        args.plot.as_ref().map_or(Ok(()), PlotFile::check)?;
        let network = self.network(&model)?;
        let lambdas = self.candidates(mode, network.activation);
        let search = self.settings(&network, &lambdas, mode.race)?;
        let (candidates, journal) = self.searched(&search, mode.writes)?;
        let best = best(&candidates).expect("there is at least one candidate");
        let refitted = |trials| {
            let converted = one_to_one(&network, best.lambda, search.neuron);
            let converted = converted.map_err(|source| CommandError::Convert {
                path: args.model.clone(),
                source,
            })?;
            self.refitted(&converted, trials)
        };
        let refit = mode.refit_readout.map(refitted).transpose()?;
        // The rest takes a moment, and a signal does not stop it.
        let _finishing = Orderly::begin();
        if mode.writes {
            let readout = refit.as_ref().and_then(TriedRefit::kept);
            let flags = Flags::of_search(&search, mode.refit_readout);
            model.adopt_search(&candidates, best, readout, &flags.and(args.neuron.flags()))?;
        }
        if let Some(journal) = journal {
            journal.remove()?;
        }
        if let Some(plot) = &args.plot {
            plot.write(&conversion::accuracy(
                &candidates,
                best.lambda,
                args.score.trials,
            ))?;
        }
        self.report(&candidates, refit.as_ref(), mode);
        Ok(())
    }

    fn score(&self, model: &RateModelFile, lambda: f64) -> Result<(), CommandError> {
        let network = self.network(model)?;
        let lambdas = [lambda];
        let search = self.settings(&network, &lambdas, false)?;
        let (candidates, _) = self.searched(&search, false)?;
        let mode = SearchMode {
            lambdas: Some(vec![lambda]),
            race: false,
            refit_readout: None,
            writes: false,
            force: false,
        };
        self.report(&candidates, None, &mode);
        Ok(())
    }

    fn calibrate(
        &self,
        mut model: RateModelFile,
        mode: &CalibrateMode,
    ) -> Result<(), CommandError> {
        let args = self.args;
        if mode.writes {
            refuse_a_second_result(&model, mode.force)?;
            check_rewritable(&model)?;
        }
        let (neuron, step) = (args.neuron.neuron(), self.step()?);
        let (trials, seed) = (args.score.trials, args.score.seed.seed);
        let request = Request::new(&model.network, &self.task, neuron, step, trials, seed);
        let failed = |source: CalibrateError| {
            CommandError::Failed(format!("{}: {source}", args.model.display()))
        };
        let found = request.find().map_err(failed)?;
        let network = found.calibration.network(&model.network, neuron);
        let mut network = network.map_err(|source| failed(source.into()))?;
        let refitted = |trials| self.refitted(&network, trials);
        let refit = mode.refit_readout.map(refitted).transpose()?;
        let readout = refit.as_ref().and_then(TriedRefit::kept);
        if let Some(readout) = readout {
            network.readout.clone_from(readout);
        }
        let fresh = seed_of(seed, Stream::Fresh);
        let fresh = score_f64(&network, &self.task, &step, fresh, trials);
        let _finishing = Orderly::begin();
        if mode.writes {
            let flags = Flags::of_calibration(trials, seed, mode.refit_readout);
            let flags = flags.and(args.neuron.flags());
            model.adopt_calibration(&found.calibration, readout, &flags)?;
            self.console.note("the median lambda is in median_scaling_factor: the published code would take opt_scaling_factor for the lambda of all units");
        }
        let report = CalibrationReport {
            model: &args.model,
            task: self.task.name(),
            lambda: found.calibration.median_lambda(),
            irregularity: found.irregularity,
            rounds: found.rounds,
            keeps_b_out: found.calibration.keeps_offset,
            trials,
            chosen: (&found.score).into(),
            fresh: (&fresh).into(),
            mean_rate_hz: fresh.mean_rate_hz,
            refit: RefitReport::of(refit.as_ref(), mode.refit_readout),
            written: mode.writes,
        };
        let mut warnings = Warnings::default();
        warnings.of_data(&self.task);
        warnings.of_score(&self.task, &fresh);
        if let Some(interval) = fresh.interval() {
            let way = "train longer, with more units or with --act lif";
            warnings.of_conversion(&self.task, (fresh.accuracy(), interval), way);
        }
        warnings.say(self.console);
        self.console.json(&report);
        self.console.say(format!(
            "calibrated (irregularity {}, {}): {}, on {}; mean rate {:.1} Hz, median lambda {:.0}; {}",
            shown(report.irregularity),
            counted(report.rounds as usize, "round"),
            report.fresh.words(),
            counted(report.trials, "fresh trial"),
            report.mean_rate_hz,
            report.lambda,
            written(mode.writes)
        ));
        if let Some(refit) = &report.refit {
            self.console.say(refit.words("accuracy"));
        }
        Ok(())
    }

    /// Fits the readout of `network` anew over this number of trials.
    fn refitted(
        &self,
        network: &SpikingNetwork,
        fitted: usize,
    ) -> Result<TriedRefit, CommandError> {
        let trials = RefitTrials {
            task: &self.task,
            step: self.step()?,
            seed: self.args.score.seed.seed,
            fitted,
            scored: self.args.score.trials,
        };
        let path = self.args.model.display();
        try_refit(network, &trials)
            .map_err(|error| CommandError::Failed(format!("{path}: {error}")))
    }

    fn step(&self) -> Result<TimeStep, CommandError> {
        let step = self.args.neuron.step(&self.args.neuron.neuron())?;
        step.check_sample(self.task.sample_ms())?;
        check_downsample(&self.task, &step)?;
        Ok(step)
    }

    /// The network that is converted.
    fn network(&self, model: &RateModelFile) -> Result<RateNetwork, CommandError> {
        if self.args.initial_weights {
            Ok(model.initial()?)
        } else {
            Ok(model.network.clone())
        }
    }

    fn candidates(&self, mode: &SearchMode, activation: ActivationKind) -> Vec<f64> {
        if let Some(lambdas) = &mode.lambdas {
            return lambdas.clone();
        }
        if activation == ActivationKind::Lif {
            self.console.note(format!(
                "the network was trained for lambda {LIF_LAMBDA} and keeps it; give --lambdas to search"
            ));
        }
        default_lambdas(activation)
    }

    fn settings<'s>(
        &self,
        network: &'s RateNetwork,
        lambdas: &'s [f64],
        race: bool,
    ) -> Result<Search<'s>, CommandError> {
        Ok(Search {
            network,
            task: self.task.on(Part::Validation),
            neuron: self.args.neuron.neuron(),
            step: self.step()?,
            lambdas,
            trials: self.args.score.trials,
            seed: self.args.score.seed.seed,
            race,
        })
    }

    /// Runs the search; with a journal, if its result is to be written.
    fn searched(
        &self,
        search: &Search,
        journaled: bool,
    ) -> Result<(Vec<Candidate>, Option<Journal>), CommandError> {
        let contest = search.contest().map_err(|source| CommandError::Convert {
            path: self.args.model.clone(),
            source,
        })?;
        let bar = self.console.progress(
            search.trials as u64,
            "trial {pos}/{len} of each lambda [{elapsed}, {eta} left]",
        );
        let show = |standing: &Standing| bar.set_position(trials_met(standing) as u64);
        if !journaled {
            let Ok(candidates) = contest.run::<Infallible>(Standing::new(), |standing| {
                show(standing);
                Ok(())
            });
            bar.finish_and_clear();
            return Ok((candidates, None));
        }
        let (mut journal, standing) = Journal::open(&self.args.model, search.fingerprint())
            .map_err(|error| match error {
                JournalError::Disk(error) => CommandError::from(error),
                JournalError::Output(error) => error.into(),
            })?;
        let standing = match standing {
            Noted::Own(standing) => {
                self.console.note(format!(
                    "goes on with the search that was cut after {} of {} trials",
                    trials_met(&standing),
                    search.trials
                ));
                standing
            }
            Noted::Other => {
                self.console.note("a search with other options was cut; this search starts at its beginning and takes the place of the other one");
                Standing::new()
            }
            Noted::Nothing => Standing::new(),
        };
        let candidates = contest.run(standing, |standing| {
            show(standing);
            journal.note(standing)
        })?;
        bar.finish_and_clear();
        Ok((candidates, Some(journal)))
    }

    fn report(&self, candidates: &[Candidate], refit: Option<&TriedRefit>, mode: &SearchMode) {
        let best = best(candidates).expect("there is at least one candidate");
        let mut warnings = Warnings::default();
        warnings.of_data(&self.task);
        warnings.of_search(candidates, best);
        if self.task.definition().kind != Kind::Track {
            let found = (best.accuracy, best.interval);
            warnings.of_trials(&self.task, found, best.trials);
            let way = "try --calibrate, or train with --act lif";
            warnings.of_conversion(&self.task, found, way);
        }
        warnings.of_silence(best.mean_rate_hz, best.trials);
        warnings.say(self.console);
        let refit = RefitReport::of(refit, mode.refit_readout);
        let console = self.console;
        let follows = self.task.definition().kind == Kind::Track;
        let accuracy = if follows { "R²" } else { "accuracy" };
        console.say(format!(
            "lambda  {accuracy:>8}  95 % interval  strict  rate (Hz)  off target  trials"
        ));
        candidates
            .iter()
            .for_each(|candidate| console.say(line(candidate, follows)));
        console.say(verdict(candidates, best, accuracy, mode.writes));
        if let Some(refit) = &refit {
            console.say(refit.words(accuracy));
        }
        let all = |value: fn(&Candidate) -> f64| candidates.iter().map(value).collect();
        console.json(&ConvertReport {
            model: &self.args.model,
            task: self.task.name(),
            lambdas: all(|c| c.lambda),
            accuracy: all(|c| c.accuracy),
            interval: candidates.iter().map(|c| c.interval).collect(),
            strict: all(|c| c.strict),
            mean_rate_hz: all(|c| c.mean_rate_hz),
            output_error: all(|c| c.output_error),
            trials: self.args.score.trials,
            trials_met: candidates.iter().map(|c| c.trials).collect(),
            best_lambda: best.lambda,
            refit,
            written: mode.writes,
        });
    }
}

/// Refuses a model that could not be written back, before the work whose result
/// would be lost.
fn check_rewritable(model: &RateModelFile) -> Result<(), CommandError> {
    model.check_writable()?;
    if !model.path.is_file() {
        return Err(CommandError::Usage(format!(
            "{}: convert writes its result into the model, and this is no file; copy the model to a file, or add --dry-run",
            model.path.display()
        )));
    }
    Ok(disk::check_rewritable(&model.path)?)
}

fn refuse_a_second_result(model: &RateModelFile, force: bool) -> Result<(), CommandError> {
    if force {
        return Ok(());
    }
    match model.stored_lambda()? {
        Some(lambda) => Err(CommandError::Failed(format!(
            "{}: was converted before, {} = {}; give --force to search again, or --dry-run to score only",
            model.path.display(),
            match model.calibration()? {
                Some(_) => MEDIAN_LAMBDA,
                None => LAMBDA,
            },
            shown(lambda)
        ))),
        _ => Ok(()),
    }
}

/// A line of the table. R² has neither an interval nor a strict form.
fn line(candidate: &Candidate, follows: bool) -> String {
    let interval = &candidate.interval;
    let (interval, strict) = if follows {
        (String::new(), String::new())
    } else {
        let interval = format!("{:>5.3} to {:>5.3}", interval.low, interval.high);
        (interval, format!("{:.3}", candidate.strict))
    };
    format!(
        "{:>6}  {:>8.3}  {interval:>14}  {strict:>6}  {:>9.1}  {:>10.3}  {:>6}",
        shown(candidate.lambda),
        candidate.accuracy,
        candidate.mean_rate_hz,
        candidate.output_error,
        candidate.trials
    )
}

/// The best candidate, and how it was chosen.
fn verdict(candidates: &[Candidate], best: &Candidate, name: &str, writes: bool) -> String {
    let (lambda, accuracy) = (shown(best.lambda), best.accuracy);
    let written = written(writes);
    let equal = candidates
        .iter()
        .filter(|c| c.trials == best.trials && c.accuracy == accuracy);
    match (candidates.len(), equal.count()) {
        (1, _) => format!("lambda {lambda}: {name} {accuracy:.3}; {written}"),
        (_, 1) => format!("best lambda {lambda} with {name} {accuracy:.3}; {written}"),
        (_, equal) => format!(
            "best lambda {lambda} with {name} {accuracy:.3}: of {equal} that are equally often right, the one whose output is closest to the target; {written}"
        ),
    }
}

fn written(writes: bool) -> &'static str {
    if writes {
        "written into the model"
    } else {
        "not written"
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: ConvertArgs,
    }

    fn mode(flags: &str) -> Result<Mode, String> {
        let words = ["convert", "m.mat"]
            .into_iter()
            .chain(flags.split_whitespace());
        let line = Line::try_parse_from(words).map_err(|error| error.to_string())?;
        line.args.mode().map_err(|error| error.to_string())
    }

    #[test]
    fn a_flag_of_another_mode_is_an_error_that_names_its_mode() {
        for (flags, words) in [
            (
                "--calibrate --lambda 30",
                ["--lambda belongs to", "--calibrate"],
            ),
            (
                "--calibrate --lambdas 30",
                ["--lambdas belongs to a search", "--calibrate"],
            ),
            (
                "--calibrate --race",
                ["--race belongs to a search", "--calibrate"],
            ),
            (
                "--calibrate --plot a.svg",
                ["--plot belongs to a search", "--calibrate"],
            ),
            (
                "--calibrate --initial-weights",
                ["--initial-weights belongs", "--calibrate"],
            ),
            (
                "--lambda 30 --lambdas 40",
                ["--lambdas belongs to a search", "--lambdas 30"],
            ),
            (
                "--lambda 30 --race",
                ["--race belongs to a search", "--lambdas 30"],
            ),
            (
                "--lambda 30 --plot a.svg",
                ["--plot belongs to a search", "--lambdas 30"],
            ),
            (
                "--lambda 30 --refit-readout",
                ["--refit-readout belongs", "--lambdas 30"],
            ),
            (
                "--lambda 30 --force",
                ["--force belongs to a search", "--lambdas 30"],
            ),
        ] {
            let error = mode(flags).expect_err(flags);
            for word in words {
                assert!(error.contains(word), "{flags}: {error}");
            }
        }
    }

    #[test]
    fn each_mode_has_its_own_flags() {
        let lambda = 30.0;
        assert_eq!(
            mode("--lambda 30 --dry-run"),
            Ok(Mode::Score(ScoreMode { lambda }))
        );
        let calibrate = CalibrateMode {
            refit_readout: Some(7),
            writes: false,
            force: true,
        };
        assert_eq!(
            mode("--calibrate --refit-readout 7 --force --dry-run"),
            Ok(Mode::Calibrate(calibrate))
        );
        let search = SearchMode {
            lambdas: Some(vec![30.0]),
            race: true,
            refit_readout: Some(200),
            writes: true,
            force: false,
        };
        assert_eq!(
            mode("--lambdas 30 --race --refit-readout"),
            Ok(Mode::Search(search))
        );
        let Ok(Mode::Search(control)) = mode("--initial-weights") else {
            panic!("a search of the initial weights");
        };
        assert!(!control.writes);
    }
}
