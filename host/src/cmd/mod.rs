//! One subcommand a file; what several of them share is here.

pub mod bars;
pub mod console;
pub mod convert;
pub mod deploy;
pub mod deployed_step;
pub mod export;
pub mod files;
pub mod gpu;
pub mod import;
pub mod inspect;
pub mod options;
pub mod perturbation;
pub mod pipeline;
pub mod plot;
pub mod quantize;
pub mod report;
pub mod reproduce;
pub mod run;
pub mod run_on;
pub mod shell;
pub mod simulate;
pub mod sweep;
pub mod train;
pub mod trials;
pub mod warnings;
pub mod watch;

use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use rate2spike_core::blob::Deployed;
use rate2spike_core::neuron::Scheme;

use self::console::{Console, PrintArgs, PrintError};
use crate::board::BoardError;
use crate::board::firmware::FirmwareError;
use crate::board::probe::ProbeError;
use crate::convert::ConvertError;
use crate::convert::one_to_one;
use crate::export::ExportError;
use crate::formats::disk::DiskError;
use crate::formats::history::HistoryError;
use crate::formats::nir::read::NirError;
use crate::formats::rate_model::{ModelError, RateModelFile};
use crate::formats::recording::RecordingError;
use crate::formats::snn::SnnError;
use crate::import::ImportError;
use crate::quantize::QuantizeError;
use crate::rate::options::OptionError;
use crate::report::picture::PictureError;
use crate::route::RouteError;
use crate::session::SessionError;
use crate::spiking::network::SpikingNetwork;
use crate::spiking::neuron::Neuron;
use crate::spiking::time_step::{PUBLISHED_STEP_MS, StepError, TimeStep};
use crate::sweep::SweepError;
use crate::task::Task;

/// Train a rate network, carry it onto spiking neurons, run it on a microcontroller.
///
/// Start here:  rate2spike pipeline go-nogo
#[derive(Debug, Parser)]
#[command(
    name = "rate2spike",
    version,
    after_help = "Method: Kim, Li & Sejnowski, PNAS 116:22811 (2019), doi 10.1073/pnas.1905926116."
)]
pub struct CommandLine {
    /// The subcommand and its flags.
    #[command(subcommand)]
    pub command: Command,
    /// What is printed.
    #[command(flatten)]
    pub print: PrintArgs,
}

/// The subcommands, in the order in which `--help` lists them.
#[derive(Debug, Subcommand)]
#[allow(missing_docs)] // The line of each in `--help` stands with its flags.
pub enum Command {
    Pipeline(pipeline::PipelineArgs),
    Train(train::TrainArgs),
    Convert(convert::ConvertArgs),
    Simulate(simulate::SimulateArgs),
    Quantize(quantize::QuantizeArgs),
    Run(run::RunArgs),
    Watch(watch::WatchArgs),
    Inspect(inspect::InspectArgs),
    Deploy(deploy::DeployArgs),
    Sweep(sweep::SweepArgs),
    Reproduce(reproduce::ReproduceArgs),
    Report(report::ReportArgs),
    Export(export::ExportArgs),
    Import(import::ImportArgs),
    Trials(trials::TrialsArgs),
    Completions(shell::CompletionsArgs),
    Man(shell::ManArgs),
}

impl CommandLine {
    /// The command line of this process.
    ///
    /// # Errors
    /// What clap answers: a usage error, the help or the version.
    pub fn read() -> Result<Self, clap::Error> {
        let mut program = Self::command();
        let matches = program.try_get_matches_from_mut(std::env::args_os())?;
        let line = Self::from_arg_matches(&matches)?;
        files::check(&program, &matches)
            .map_err(|error| program.error(clap::error::ErrorKind::ValueValidation, error))?;
        Ok(line)
    }
}

impl Command {
    /// Runs the subcommand.
    ///
    /// # Errors
    /// [`CommandError`].
    pub fn run(&self, console: &Console) -> Result<(), CommandError> {
        match self {
            Command::Pipeline(args) => pipeline::run(args, console),
            Command::Train(args) => train::run(args, console),
            Command::Convert(args) => convert::run(args, console),
            Command::Simulate(args) => simulate::run(args, console),
            Command::Quantize(args) => quantize::run(args, console),
            Command::Run(args) => run::run(args, console),
            Command::Watch(args) => watch::run(args, console),
            Command::Inspect(args) => inspect::run(args, console),
            Command::Deploy(args) => deploy::run(args, console),
            Command::Sweep(args) => sweep::run(args, console),
            Command::Reproduce(args) => reproduce::run(args, console),
            Command::Report(args) => report::run(args, console),
            Command::Export(args) => export::run(args, console),
            Command::Import(args) => import::run(args, console),
            Command::Trials(args) => trials::run(args, console),
            Command::Completions(args) => shell::completions(args, console),
            Command::Man(args) => shell::man(args, console),
        }
    }
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// A wrong option; exit status 2.
    #[error("{0}")]
    Usage(String),
    /// A file that cannot be read or written.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// A model that cannot be read or written.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A history that cannot be read.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// A figure that cannot become a PNG.
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// A blob that cannot be read.
    #[error(transparent)]
    Snn(#[from] SnnError),
    /// A firmware that cannot be read, or that its board cannot run.
    #[error(transparent)]
    Firmware(#[from] FirmwareError),
    /// A probe that did not do what was asked.
    #[error(transparent)]
    Probe(#[from] ProbeError),
    /// A board that did not do what was asked.
    #[error(transparent)]
    Board(#[from] BoardError),
    /// A network that cannot be converted.
    #[error("{path}: {source}")]
    Convert {
        /// The model.
        path: PathBuf,
        /// Why.
        source: ConvertError,
    },
    /// A network that cannot be quantized.
    #[error("{path}: {source}")]
    Quantize {
        /// The model.
        path: PathBuf,
        /// Why.
        source: QuantizeError,
    },
    /// A network that cannot be exported.
    #[error("{path}: {source}")]
    Export {
        /// The model.
        path: PathBuf,
        /// Why.
        source: ExportError,
    },
    /// A file that is no NIR graph.
    #[error("{path}: {source}")]
    Nir {
        /// The file.
        path: PathBuf,
        /// Why.
        source: NirError,
    },
    /// A graph that is no network of ours.
    #[error("{path}: {source}")]
    Import {
        /// The graph.
        path: PathBuf,
        /// Why.
        source: ImportError,
    },
    /// A training that did not come to its end.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// A sweep that cannot go on.
    #[error(transparent)]
    Sweep(SweepError),
    /// Standard output or standard error cannot be written.
    #[error(transparent)]
    Print(#[from] PrintError),
    /// The run went through and its result is not what was asked for.
    #[error("{0}")]
    Failed(String),
}

impl CommandError {
    /// 2 for wrong usage, else 1.
    pub fn exit_status(&self) -> u8 {
        match self {
            CommandError::Usage(_)
            | CommandError::Session(SessionError::OtherStart { .. })
            | CommandError::Convert {
                source: ConvertError::Lambda(_),
                ..
            } => 2,
            _ => 1,
        }
    }
}

impl CommandError {
    /// A route that does not lead through, with the model that it began at.
    pub fn of_route(model: &Path, error: RouteError) -> Self {
        let path = model.to_path_buf();
        match error {
            RouteError::Step(error) => error.into(),
            RouteError::Convert(source) => Self::Convert { path, source },
            RouteError::Quantize(source) => Self::Quantize { path, source },
            RouteError::Calibrate(_) | RouteError::NoCandidate => {
                Self::Failed(format!("{}: {error}", path.display()))
            }
        }
    }
}

impl From<RecordingError> for CommandError {
    fn from(error: RecordingError) -> Self {
        match error {
            RecordingError::Extension { .. } => CommandError::Usage(error.to_string()),
            RecordingError::Output(error) => error.into(),
            RecordingError::Disk(error) => error.into(),
            _ => CommandError::Failed(error.to_string()),
        }
    }
}

impl From<OptionError> for CommandError {
    fn from(error: OptionError) -> Self {
        CommandError::Usage(error.to_string())
    }
}

impl From<StepError> for CommandError {
    fn from(error: StepError) -> Self {
        CommandError::Usage(error.to_string())
    }
}

/// Sixteen hexadecimal digits.
pub fn hexadecimal(hash: u64) -> String {
    format!("{hash:016x}")
}

/// The most trials of one score; a score keeps some 100 bytes of each.
const MOST_TRIALS: usize = 10_000_000;

/// A number of trials from 1 to [`MOST_TRIALS`].
pub fn trials(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("0 trials score nothing; give at least 1".into()),
        Ok(trials) if trials > MOST_TRIALS => Err(format!(
            "{trials} trials; at most {MOST_TRIALS}, which take hours and some {} GB of memory",
            MOST_TRIALS / 10_000_000
        )),
        Ok(trials) => Ok(trials),
        Err(_) => Err("give a whole number of trials, at least 1".into()),
    }
}

/// Which task a model is scored on.
pub fn task_of(model: &RateModelFile, task: Option<&Task>) -> Result<Task, CommandError> {
    let Some(task) = task else {
        return Ok(model.task()?);
    };
    if task.channels() == model.network.channels {
        return Ok(task.clone());
    }
    Err(CommandError::Usage(format!(
        "{}: the network has {} inputs, but {} has {}; give the task that it was trained for",
        model.path.display(),
        model.network.channels,
        task.name(),
        task.channels()
    )))
}

/// The task that a deployed network answers; `asked` must be the same one.
pub fn task_of_blob(
    path: &Path,
    deployed: &Deployed,
    asked: Option<&Task>,
) -> Result<Task, CommandError> {
    let task = crate::formats::snn::task(path, deployed, asked)?;
    match asked {
        Some(asked) if *asked != task => Err(CommandError::Usage(format!(
            "{}: the network answers {}, and not {}",
            path.display(),
            task.name(),
            asked.name()
        ))),
        _ => Ok(task),
    }
}

/// The λ of a model: given, else found by an earlier search, else λ₀ of a
/// network that was trained for it.
pub fn lambda_of(model: &RateModelFile, lambda: Option<f64>) -> Result<f64, CommandError> {
    use crate::rate::activation::{ActivationKind, LIF_LAMBDA};
    let found = || {
        model
            .variables
            .scalar("opt_scaling_factor")
            .ok()
            .filter(|x| x.is_finite())
    };
    let trained = || (model.network.activation == ActivationKind::Lif).then_some(LIF_LAMBDA);
    lambda.or_else(found).or_else(trained).ok_or_else(|| {
        CommandError::Usage(format!(
            "{}: no scaling factor in the file; run `rate2spike convert {}` first, or give --lambda",
            model.path.display(),
            model.path.display()
        ))
    })
}

/// The spiking network of a model: calibrated, or with the readout that
/// `convert --refit-readout` fitted, where the model has that for this λ.
pub fn spiking_network(
    model: &RateModelFile,
    lambda: f64,
    neuron: Neuron,
    console: &Console,
) -> Result<SpikingNetwork, CommandError> {
    let failed = |source| CommandError::Convert {
        path: model.path.clone(),
        source,
    };
    let own = model.variables.scalar("opt_scaling_factor").ok() == Some(lambda);
    if let Some(calibration) = model.calibration()? {
        if own {
            return calibration.network(&model.network, neuron).map_err(failed);
        }
        console.note(format!(
            "{}: the calibration belongs to another lambda; it is not used",
            model.path.display()
        ));
    }
    let mut network = one_to_one(&model.network, lambda, neuron).map_err(failed)?;
    let Some(refitted) = model.refitted_readout()? else {
        return Ok(network);
    };
    if own {
        network.readout = refitted.iter().map(|&w| f64::from(w) / lambda).collect();
    } else {
        console.note(format!(
            "{}: the refitted readout belongs to another lambda; w_out is used",
            model.path.display()
        ));
    }
    Ok(network)
}

/// Flags that say how the neuron is simulated.
#[derive(Clone, Debug, clap::Args)]
pub struct NeuronArgs {
    /// Time step in ms: 0.05, 0.1, 0.2, 0.25, 0.5, 1
    #[arg(
        long,
        value_name = "MS",
        conflicts_with = "downsample",
        allow_negative_numbers = true
    )]
    pub dt: Option<f64>,
    /// The published downsampling: every K-th input sample, steps K times as long, noise as it is
    #[arg(long, value_name = "K")]
    pub downsample: Option<u32>,
    /// Integration; euler up to 0.1 ms by default, exact above
    #[arg(long, value_enum)]
    pub scheme: Option<SchemeArg>,
    /// The neuron's equation
    #[command(flatten)]
    pub equation: EquationArgs,
    /// Standard deviation of the membrane noise of 0.05 ms, in mV; 0 for none
    #[arg(
        long,
        value_name = "MV",
        default_value_t = 0.1,
        allow_negative_numbers = true
    )]
    pub noise: f64,
}

/// Flags that choose the neuron's equation.
#[derive(Clone, Debug, clap::Args)]
pub struct EquationArgs {
    /// The neuron's equation
    #[arg(long, value_enum, default_value = "lif")]
    pub neuron: NeuronArg,
    /// The synapse's filter
    #[arg(long, value_enum, default_value = "double")]
    pub filter: FilterArg,
    /// Refractory time in ms
    #[arg(
        long,
        value_name = "MS",
        default_value_t = 2.0,
        allow_negative_numbers = true
    )]
    pub refractory: f64,
}

impl EquationArgs {
    /// The published neuron with this equation, filter and refractory time.
    pub fn neuron(&self) -> Result<Neuron, CommandError> {
        in_range("--refractory", self.refractory)?;
        let neuron = match self.neuron {
            NeuronArg::Lif => Neuron::LIF,
            NeuronArg::Qif => Neuron::QIF,
        };
        let rise_ms = match self.filter {
            FilterArg::Double => neuron.rise_ms,
            FilterArg::Single => 0.0,
        };
        Ok(Neuron {
            refractory_ms: self.refractory,
            rise_ms,
            ..neuron
        })
    }
}

/// How a step is integrated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum SchemeArg {
    /// As published
    Euler,
    /// Exact between spikes
    Exact,
}

/// The neuron's equation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum NeuronArg {
    /// Leaky integrate-and-fire
    Lif,
    /// Quadratic integrate-and-fire
    Qif,
}

/// The synapse's filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum FilterArg {
    /// Rise of 2 ms, then decay
    Double,
    /// Decay only
    Single,
}

impl NeuronArgs {
    /// The time step.
    pub fn step(&self) -> Result<TimeStep, CommandError> {
        if let Some(factor) = self.downsample {
            if self.scheme == Some(SchemeArg::Exact) {
                let message = "--downsample is the published scheme; use --dt with --scheme exact";
                return Err(CommandError::Usage(message.into()));
            }
            return Ok(TimeStep::downsampled(factor)?);
        }
        let ms = self.dt.unwrap_or(PUBLISHED_STEP_MS);
        let scheme = match self.scheme {
            Some(SchemeArg::Euler) => Scheme::Euler,
            Some(SchemeArg::Exact) => Scheme::Exact,
            None if ms <= 0.1 || self.equation.neuron == NeuronArg::Qif => Scheme::Euler,
            None => Scheme::Exact,
        };
        if self.equation.neuron == NeuronArg::Qif && scheme == Scheme::Exact {
            return Err(StepError::QuadraticExact.into());
        }
        if self.equation.neuron == NeuronArg::Qif && ms > 0.1 {
            return Err(StepError::LongQuadratic(ms).into());
        }
        Ok(TimeStep::new(ms, scheme)?)
    }

    /// The neuron.
    pub fn neuron(&self) -> Result<Neuron, CommandError> {
        let neuron = self.equation.neuron()?;
        in_range("--noise", self.noise)?;
        Ok(Neuron {
            noise_mv: self.noise,
            ..neuron
        })
    }
}

fn in_range(name: &str, value: f64) -> Result<(), CommandError> {
    if (0.0..=1000.0).contains(&value) {
        return Ok(());
    }
    Err(CommandError::Usage(format!(
        "{name} {value}; give 0 to 1000"
    )))
}

/// `20:5:75`, or `20,25,30`.
#[derive(Clone, Debug, PartialEq)]
pub struct Lambdas(pub Vec<f64>);

impl FromStr for Lambdas {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |part: &str| match part.trim().parse::<f64>() {
            Ok(x) if x > 0.0 && x.is_finite() => Ok(x),
            _ => Err(format!("'{part}' is not a positive number")),
        };
        let lambdas = match text.split(':').collect::<Vec<_>>()[..] {
            [first, step, last] => {
                let (first, step, last) = (number(first)?, number(step)?, number(last)?);
                let count = ((last - first) / step + 1e-9).floor();
                if !(0.0..1000.0).contains(&count) {
                    return Err("give FIRST:STEP:LAST with at most 1000 values".into());
                }
                (0..=count as usize)
                    .map(|k| first + step * k as f64)
                    .collect()
            }
            [_] => text.split(',').map(number).collect::<Result<_, _>>()?,
            _ => return Err("give FIRST:STEP:LAST, or values with commas between".into()),
        };
        Ok(Lambdas(lambdas))
    }
}

/// Refuses a network whose self-test was made by a version that steps
/// differently, and one whose trial is none of its task's, which could take any
/// time.
pub fn check_self_test(
    path: &Path,
    deployed: &Deployed,
    asked: Option<&Task>,
) -> Result<(), CommandError> {
    crate::formats::snn::task(path, deployed, asked)?;
    let wanted = deployed.payload().self_test.spike_hash;
    let found = crate::quantize::self_test(deployed);
    if wanted == found {
        return Ok(());
    }
    Err(CommandError::Failed(format!(
        "{}: the self-test gives spike hash {found:016x}, but {wanted:016x} is stored: the network was made by a version that steps differently; quantize the model again",
        path.display()
    )))
}

/// Reads the blob in `path` and hands it to `then`.
pub fn with_blob<T>(
    path: &Path,
    then: impl FnOnce(&[u8], &Deployed) -> Result<T, CommandError>,
) -> Result<T, CommandError> {
    let bytes = crate::formats::disk::read(path)?;
    let deployed = crate::formats::snn::read(path, &bytes)?;
    then(&bytes, &deployed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_of_lambdas_includes_its_end() {
        let parsed = |text: &str| text.parse::<Lambdas>().map(|lambdas| lambdas.0);
        assert_eq!(parsed("20:5:30"), Ok(vec![20.0, 25.0, 30.0]));
        assert_eq!(parsed("50"), Ok(vec![50.0]));
        assert_eq!(parsed("4,2.5"), Ok(vec![4.0, 2.5]));
        for wrong in [
            "",
            "0",
            "-5",
            "20:0:30",
            "30:5:20",
            "nan",
            "1:2",
            "20:1e-9:30",
        ] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }
}
