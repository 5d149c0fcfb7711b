//! Where `train` trains: on the CPU, or on a GPU, there several networks at
//! once.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;
use indicatif::ProgressBar;
use serde::Serialize;

use super::train::save_trained;
use super::{CommandError, print_json, progress};
use crate::rate::ensemble::training::EnsembleProgress;
use crate::rate::gpu::device::Gpu;
use crate::rate::options::RateOptions;
use crate::rate::training::{EVALUATION_TRIALS, Evaluation, Trained};

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
    /// On a GPU, one network for each of these seeds, all at once
    #[arg(long, value_name = "FIRST..LAST", conflicts_with = "seed")]
    pub seeds: Option<Seeds>,
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

/// `1..8`: 1 to 8, both included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seeds(pub Vec<u64>);

/// Seeds beyond which a list of networks is a mistake.
const MOST_SEEDS: u64 = 100_000;

impl FromStr for Seeds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |part: &str| {
            let part = part.trim();
            part.parse::<u64>()
                .map_err(|_| format!("'{part}' is not a whole number; give FIRST..LAST"))
        };
        let (first, last) = match text.split_once("..") {
            Some((first, last)) => (number(first)?, number(last)?),
            None => (number(text)?, number(text)?),
        };
        if last < first || last - first >= MOST_SEEDS {
            return Err(format!(
                "give FIRST..LAST, the smaller one first, at most {MOST_SEEDS} of them"
            ));
        }
        Ok(Self((first..=last).collect()))
    }
}

impl PlaceArgs {
    /// The GPU to train on, or none for the CPU.
    pub fn gpu(&self) -> Result<Option<Gpu>, CommandError> {
        let found = match self.backend {
            BackendArg::Cpu => {
                if self.gpu.is_some() {
                    eprintln!("rate2spike: --gpu has no effect without --backend cuda");
                }
                return Ok(None);
            }
            BackendArg::Cuda | BackendArg::Auto => Gpu::cuda(self.number()?),
            BackendArg::Wgpu => Gpu::wgpu(),
        };
        match found {
            Ok(gpu) => Ok(Some(gpu)),
            Err(error) if self.backend == BackendArg::Auto => {
                eprintln!("rate2spike: training on the CPU: {error}");
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

/// Trains a network for each seed on `gpu`.
pub fn train(gpu: &Gpu, options: &RateOptions, seeds: &[u64], json: bool) -> Vec<Trained> {
    let template = "train {pos}/{len} [{elapsed}, at most {eta} left] {msg}";
    let mut bar = EnsembleBar {
        bar: progress(options.updates as u64, template, json),
        networks: seeds.len(),
        accuracies: Vec::new(),
        evaluated: 0,
    };
    gpu.train(options, seeds, &mut bar)
}

#[derive(Serialize)]
struct NetworkReport {
    seed: u64,
    success: bool,
    trials: usize,
    accuracy: f64,
    strict: f64,
    loss: f64,
    /// Missing if the training diverged.
    model: Option<PathBuf>,
}

#[derive(Serialize)]
struct EnsembleReport {
    success: usize,
    seconds: f64,
    networks: Vec<NetworkReport>,
}

/// Trains a network for each seed on `gpu`, saves them below `output` and
/// reports.
pub fn run(
    gpu: &Gpu,
    options: &RateOptions,
    seeds: &[u64],
    output: &Path,
    json: bool,
) -> Result<(), CommandError> {
    let started = std::time::Instant::now();
    let trained = train(gpu, options, seeds, json);
    let mut networks = Vec::with_capacity(trained.len());
    for (&seed, trained) in seeds.iter().zip(&trained) {
        let options = RateOptions {
            seed,
            ..options.clone()
        };
        let model = match save_trained(&options, trained, output) {
            Ok(model) => Some(model),
            Err(CommandError::Failed(message)) => {
                eprintln!("rate2spike: seed {seed}: {message}");
                None
            }
            Err(error) => return Err(error),
        };
        networks.push(NetworkReport {
            seed,
            success: trained.success,
            trials: trained.losses.len(),
            accuracy: trained.evaluation.accuracy,
            strict: trained.evaluation.strict,
            loss: trained.evaluation.loss,
            model,
        });
    }
    let report = EnsembleReport {
        success: networks.iter().filter(|network| network.success).count(),
        seconds: started.elapsed().as_secs_f64(),
        networks,
    };
    if json {
        print_json(&report);
    } else {
        report.print();
    }
    if report.success < seeds.len() {
        return Err(CommandError::Failed(format!(
            "{} of {} networks did not meet the criterion; those that did not diverge are saved all the same. Try more --n_trials",
            seeds.len() - report.success,
            seeds.len()
        )));
    }
    Ok(())
}

impl EnsembleReport {
    fn print(&self) {
        for network in &self.networks {
            let verdict = if network.success { "met" } else { "not met" };
            println!(
                "seed {}: criterion {verdict} after {} updates: accuracy {:.2}, strict {:.2}, loss {:.2} over {EVALUATION_TRIALS} trials",
                network.seed, network.trials, network.accuracy, network.strict, network.loss
            );
            if let Some(model) = &network.model {
                println!("{}", model.display());
            }
        }
        println!(
            "{} of {} networks met the criterion, {:.1} s",
            self.success,
            self.networks.len(),
            self.seconds
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_of_seeds_includes_both_ends() {
        let parsed = |text: &str| text.parse::<Seeds>().map(|seeds| seeds.0);
        assert_eq!(parsed("1..8"), Ok((1..=8).collect()));
        assert_eq!(parsed("5"), Ok(vec![5]));
        for wrong in ["", "8..1", "..", "1..", "-1..3", "1..200000", "a..b"] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }
}
