//! Where `train` trains: on the CPU, or on a GPU, there several networks at
//! once.

use std::time::Instant;

use clap::Args;
use indicatif::ProgressBar;

use super::CommandError;
use super::console::Console;
use super::train::TrainArgs;
use super::training::{TrainReport, save};
use crate::formats::disk;
use crate::rate::ensemble::training::EnsembleProgress;
use crate::rate::gpu::device::Gpu;
use crate::rate::options::RateOptions;
use crate::rate::training::{Evaluation, Trained};

/// Flags that say where to train.
#[derive(Clone, Debug, Args)]
pub struct PlaceArgs {
    /// Where to train; auto takes a CUDA GPU if there is one, else the CPU
    #[arg(long, value_enum, ignore_case = true, default_value = "cpu")]
    pub backend: BackendArg,
    /// Number of the CUDA GPU [default: 0]
    #[arg(long, value_name = "N")]
    pub gpu: Option<String>,
    /// Accepted for compatibility
    #[arg(long = "gpu_frac", hide = true, value_name = "SHARE")]
    pub gpu_frac: Option<f64>,
}

/// Where to train.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum BackendArg {
    /// The CPU
    Cpu,
    /// An NVIDIA GPU
    Cuda,
    /// Any GPU, through Vulkan, Metal or DirectX
    Wgpu,
    /// An NVIDIA GPU if there is one
    Auto,
}

impl PlaceArgs {
    /// The GPU to train on, or none for the CPU.
    pub fn gpu(&self, console: &Console) -> Result<Option<Gpu>, CommandError> {
        let found = match self.backend {
            BackendArg::Cpu => {
                if self.gpu.is_some() {
                    console.note("--gpu has no effect without --backend cuda");
                }
                return Ok(None);
            }
            BackendArg::Cuda | BackendArg::Auto => Gpu::cuda(self.number()?),
            BackendArg::Wgpu => Gpu::wgpu(),
        };
        match found {
            Ok(gpu) => Ok(Some(gpu)),
            Err(error) if self.backend == BackendArg::Auto => {
                console.note(format!("training on the CPU: {error}"));
                Ok(None)
            }
            Err(error) => Err(CommandError::Failed(format!(
                "{error}; or train with --backend cpu"
            ))),
        }
    }

    fn number(&self) -> Result<usize, CommandError> {
        let text = self.gpu.as_deref().unwrap_or("0");
        text.trim().parse().map_err(|_| {
            CommandError::Usage(format!("--gpu {text}: give the number of one GPU, from 0"))
        })
    }
}

/// A bar over the updates of all networks.
struct EnsembleBar {
    bar: ProgressBar,
    networks: usize,
    accuracies: Vec<f64>,
    evaluated: usize,
}

impl EnsembleProgress for EnsembleBar {
    fn updated(&mut self, updates: usize, running: usize, loss: f32) {
        let mean = self.accuracies.iter().sum::<f64>() / self.accuracies.len().max(1) as f64;
        self.bar.set_position(updates as u64);
        self.bar.set_message(format!(
            "{running} of {} networks, mean loss {loss:.2}, mean accuracy {mean:.2}",
            self.networks
        ));
    }

    fn evaluated(&mut self, update: usize, _seed: u64, evaluation: &Evaluation) {
        if update != self.evaluated {
            self.accuracies.clear();
            self.evaluated = update;
        }
        self.accuracies.push(evaluation.accuracy);
    }
}

impl Drop for EnsembleBar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Trains a network for each seed on `gpu`, all at once, and saves them.
pub fn train(
    gpu: &Gpu,
    args: &TrainArgs,
    options: &RateOptions,
    seeds: &[u64],
    console: &Console,
) -> Result<Vec<Result<TrainReport, CommandError>>, CommandError> {
    let started = Instant::now();
    disk::check_writable(&args.output_dir)?;
    let template = "train {pos}/{len} [{elapsed}, at most {eta} left] {msg}";
    let mut bar = EnsembleBar {
        bar: console.progress(options.updates as u64, template),
        networks: seeds.len(),
        accuracies: Vec::new(),
        evaluated: 0,
    };
    let trained = gpu.train(options, seeds, &mut bar);
    drop(bar);
    let seconds = started.elapsed().as_secs_f64();
    let saved = |(&seed, trained): (&u64, &Trained)| {
        let options = RateOptions {
            seed,
            ..options.clone()
        };
        let model = save(&args.output_dir, &options, trained)?;
        Ok(TrainReport::new(&options, trained, seconds, model))
    };
    Ok(seeds.iter().zip(&trained).map(saved).collect())
}
