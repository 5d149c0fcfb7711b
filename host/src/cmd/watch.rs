//! `rate2spike watch`: draws trials of a spiking network while they run.

use std::io::{self, IsTerminal};
use std::path::PathBuf;

use clap::Args;
use rate2spike_core::blob::MAGIC;
use rate2spike_core::{Arithmetic, Fixed};

use super::CommandError;
use super::shared::{SeedArgs, SpikingArgs, TaskArgs};
use crate::ending::ends_in;
use crate::formats::disk;
use crate::formats::rate_model::{self, RateModelFile};
use crate::formats::snn::NetFile;
use crate::number::{shown, trials};
use crate::print::console::Console;
use crate::spiking::experiment::Experiment;
use crate::spiking::time_step::TimeStep;
use crate::watch::play::Player;
use crate::watch::scene::{Scene, UnitSign, signs};
use crate::watch::terminal::Screen;

/// Watch trials in the terminal while they run: spikes, output and target
///
/// Example:  rate2spike watch net.snn --speed 0.25
///
/// A rate model runs as the spiking network of `simulate`, in double precision with
/// steps of 0.05 ms; a deployed network runs in fixed point. Keys: q quits, space stops
/// the trial and goes on with it, n begins the next trial, + and - change the pace.
#[derive(Clone, Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct WatchArgs {
    /// A rate model or a deployed network
    #[arg(value_name = "MODEL.mat|NET.snn")]
    pub file: PathBuf,
    /// Pace: seconds of a trial in a second, from 1/64 to 64
    #[arg(long, value_name = "X", default_value = "0.5", value_parser = speed, allow_negative_numbers = true)]
    pub speed: f64,
    /// Stop after this number of trials [default: at q]
    #[arg(long, value_name = "K", value_parser = trials)]
    pub trials: Option<usize>,
    /// The task
    #[command(flatten)]
    pub task: TaskArgs,
    /// The seed
    #[command(flatten)]
    pub seed: SeedArgs,
    /// The spiking network of a rate model
    #[command(flatten)]
    pub spiking: SpikingArgs,
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(speed) if (1.0 / 64.0..=64.0).contains(&speed) => Ok(speed),
        _ => Err("give 1/64 to 64 as a decimal number, 1 for real time".into()),
    }
}

/// Runs the command.
pub fn run(args: &WatchArgs, console: &Console) -> Result<(), CommandError> {
    if console.wants_json() {
        let message = "--json: watch draws in a terminal and has no result to print; `rate2spike run --json` and `rate2spike simulate --json` score a network";
        return Err(CommandError::Usage(message.into()));
    }
    if !io::stdout().is_terminal() {
        let message = "watch draws in a terminal, and standard output is not a terminal; `rate2spike simulate` writes spikes and outputs to a file, `rate2spike report` draws figures";
        return Err(CommandError::Usage(message.into()));
    }
    let bytes = disk::read(&args.file)?;
    let named_snn = ends_in(&args.file, "snn");
    let scene = if named_snn || bytes.starts_with(&MAGIC) {
        watch_deployed(args, &NetFile::new(&args.file, bytes)?)?
    } else {
        watch_model(args, &bytes, console)?
    };
    console.say(format!("{}: right were {}", scene.title, scene.score()));
    Ok(())
}

fn watch_deployed(args: &WatchArgs, file: &NetFile) -> Result<Scene, CommandError> {
    if args.spiking.lambda.is_some() || args.spiking.neuron.is_given() {
        let message = "--lambda, --neuron, --filter, --refractory and --noise are for a rate model; a deployed network has its own: leave them out";
        return Err(CommandError::Usage(message.into()));
    }
    let task = file.tested_task(args.task.task.as_ref())?;
    let deployed = file.deployed();
    let experiment = Experiment::deployed(&deployed, &task, args.seed.seed);
    let signs = signs(&deployed);
    let title = format!(
        "{}, N = {}, fixed point, {} ms",
        task.name(),
        signs.len(),
        experiment.step_ms
    );
    let one = |output: Fixed| f64::from(output.to_bits()) / f64::from(Fixed::OUTPUT_ONE.to_bits());
    let mut scene = Scene::new(title, task, &signs, args.speed);
    let mut player = Player {
        experiment: &experiment,
        number: one,
        scene: &mut scene,
    };
    on_screen(|screen| player.play(most(args), |scene| screen.look(scene)))?;
    Ok(scene)
}

fn watch_model(args: &WatchArgs, bytes: &[u8], console: &Console) -> Result<Scene, CommandError> {
    let variables = rate_model::parse_mat(&args.file, bytes)?;
    let model = RateModelFile::from_variables(&args.file, variables)?;
    console.warn_all(model.warnings());
    let task = args.task.of(&model)?;
    let network = args.spiking.network(&model, console)?;
    let step = TimeStep::PUBLISHED;
    let tables = network.tables::<f64>(&step);
    let tables = tables.tables();
    let experiment = Experiment::floating(&tables, &task, &step, args.seed.seed);
    let sign = |inhibitory: &bool| match (model.network.dale, inhibitory) {
        (false, _) => UnitSign::Other,
        (true, false) => UnitSign::Excitatory,
        (true, true) => UnitSign::Inhibitory,
    };
    let signs: Vec<UnitSign> = model.network.inhibitory.iter().map(sign).collect();
    let title = format!(
        "{}, N = {}, f64, {} ms, lambda {}",
        task.name(),
        network.units,
        step.ms,
        shown(network.lambda)
    );
    let mut scene = Scene::new(title, task, &signs, args.speed);
    let mut player = Player {
        experiment: &experiment,
        number: |output| output,
        scene: &mut scene,
    };
    on_screen(|screen| player.play(most(args), |scene| screen.look(scene)))?;
    Ok(scene)
}

fn most(args: &WatchArgs) -> Option<u64> {
    args.trials.map(|trials| trials as u64)
}

/// Runs `watch` with the terminal in the mode for drawing.
fn on_screen(watch: impl FnOnce(&mut Screen) -> io::Result<()>) -> Result<(), CommandError> {
    let colours = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let result = Screen::take(colours).and_then(|mut screen| watch(&mut screen));
    result.map_err(|error| CommandError::Failed(format!("the terminal: {error}")))
}
