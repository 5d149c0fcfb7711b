//! Flags that several commands have.

use std::path::{Path, PathBuf};

use clap::Args;

use super::CommandError;
use crate::convert::choice::NeuronChoice;
use crate::formats::rate_model::RateModelFile;
use crate::formats::task;
use crate::number::{lambda, trials};
use crate::print::console::Console;
use crate::spiking::network::SpikingNetwork;
use crate::task::Task;

/// The trials on which a network is scored.
#[derive(Clone, Copy, Debug, Args)]
pub struct ScoreArgs {
    /// Trials of each score
    #[arg(long, default_value = "100", value_parser = trials)]
    pub trials: usize,
    /// The seed
    #[command(flatten)]
    pub seed: SeedArgs,
}

/// The seed of the trials.
#[derive(Clone, Copy, Debug, Args)]
pub struct SeedArgs {
    /// Seed of the trials, and of everything random in them
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// The task of a rate model.
#[derive(Clone, Debug, Args)]
pub struct TaskArgs {
    /// The task
    #[arg(long, value_name = "TASK", value_parser = task::parse, help = crate::task::help_of_another())]
    pub task: Option<Task>,
}

impl TaskArgs {
    /// The task on which `model` is scored.
    ///
    /// # Errors
    /// If the task is not that of the model.
    pub fn of(&self, model: &RateModelFile) -> Result<Task, CommandError> {
        Ok(model.task_or(self.task.as_ref())?)
    }
}

/// The task of a deployed network, which holds the task's name and hash.
#[derive(Clone, Debug, Args)]
pub struct OwnTaskArgs {
    /// The task, if it is one of your own: its FILE.toml, or its data set
    #[arg(long, visible_alias = "data", value_name = "TASK", value_parser = task::parse)]
    pub task: Option<Task>,
}

/// The spiking network of a rate model.
#[derive(Clone, Debug, Args)]
pub struct SpikingArgs {
    /// Scaling factor [default: the model's]
    #[arg(long, value_parser = lambda)]
    pub lambda: Option<f64>,
    /// The neuron
    #[command(flatten)]
    pub neuron: NeuronChoice,
}

impl SpikingArgs {
    /// The spiking network of `model`.
    ///
    /// # Errors
    /// If the model has no usable λ, or cannot be converted.
    pub fn network(
        &self,
        model: &RateModelFile,
        console: &Console,
    ) -> Result<SpikingNetwork, CommandError> {
        let spiking = model.spiking(self.lambda, &self.neuron)?;
        console.warn_all(&spiking.warnings);
        Ok(spiking.network)
    }
}

/// A rate model and its spiking network.
#[derive(Clone, Debug, Args)]
pub struct ModelArgs {
    /// The rate model
    #[arg(value_name = "MODEL.mat")]
    pub model: PathBuf,
    /// The spiking network
    #[command(flatten)]
    pub spiking: SpikingArgs,
}

impl ModelArgs {
    /// Reads the model, and converts it.
    ///
    /// # Errors
    /// If the file is no model, or the model cannot be converted.
    pub fn read(&self, console: &Console) -> Result<(RateModelFile, SpikingNetwork), CommandError> {
        let model = read_model(&self.model, console)?;
        let network = self.spiking.network(&model, console)?;
        Ok((model, network))
    }
}

/// Reads a model, and warns of what is done to its numbers.
///
/// # Errors
/// If the file is no model.
pub fn read_model(path: &Path, console: &Console) -> Result<RateModelFile, CommandError> {
    let model = RateModelFile::read(path)?;
    console.warn_all(model.warnings());
    Ok(model)
}
