//! The device of `train`: the CPU, or a GPU, which trains several networks at once.

use std::time::Instant;

use clap::Args;

use super::CommandError;
use super::bars::EnsembleBar;
use crate::print::console::Console;
use crate::rate::gpu::device::Gpu;
use crate::rate::options::RateOptions;
use crate::rate::training::Trained;
use crate::session::{Session, SessionError, TrainReport};

/// Flags that say where to train.
#[derive(Clone, Debug, Args)]
pub struct PlaceArgs {
    /// Where to train; auto takes a CUDA GPU if there is one, else the CPU
    #[arg(long, value_enum, ignore_case = true, default_value = "cpu")]
    pub backend: BackendArg,
    /// Number of the CUDA GPU [default: 0]
    #[arg(long, value_name = "N", value_parser = gpu_number)]
    pub gpu: Option<usize>,
    /// Accepted for compatibility
    #[arg(
        long = "gpu_frac",
        alias = "gpu-frac",
        hide = true,
        value_name = "SHARE",
        value_parser = share
    )]
    pub gpu_frac: Option<f64>,
}

/// The device that trains.
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
    /// The GPU to train on; `None` for the CPU.
    pub fn gpu(&self, console: &Console) -> Result<Option<Gpu>, CommandError> {
        let found = match self.backend {
            BackendArg::Cpu => {
                if self.gpu.is_some() {
                    console.note("--gpu has no effect without --backend cuda");
                }
                return Ok(None);
            }
            BackendArg::Cuda | BackendArg::Auto => Gpu::cuda(self.gpu.unwrap_or(0)),
            BackendArg::Wgpu if self.gpu.is_some() => {
                return Err(CommandError::Usage(
                    "--gpu chooses among CUDA GPUs and has no effect with --backend wgpu; leave it out".into(),
                ));
            }
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
}

/// Reads the number of a GPU.
fn gpu_number(text: &str) -> Result<usize, String> {
    let number = text.trim().parse();
    number.map_err(|_| "give the number of one GPU, from 0".into())
}

/// Reads a share of a GPU's memory.
fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("give a share from 0 to 1".into()),
    }
}

/// What the kernels of a GPU do not train; `None` if they train all that `options` ask for.
fn cpu_alone(options: &RateOptions) -> Option<&'static str> {
    let outputs = options.task.definition().outputs;
    [
        (outputs > 1, "a network with several outputs"),
        (options.train_inputs, "a network with --train_inputs"),
        (options.weight_decay > 0.0, "a network with --weight_decay"),
        (options.jitter > 0.0, "a network with --jitter"),
    ]
    .into_iter()
    .find_map(|(asked, what)| asked.then_some(what))
}

/// Most numbers of an array on a GPU, whose kernels count them in 32 bits.
const MOST_NUMBERS: u64 = u32::MAX as u64;

/// Trains a network for each seed on `gpu`, all at once, and saves them.
///
/// # Errors
/// If the networks are too many for a GPU, or nothing can be written.
pub fn train(
    gpu: &Gpu,
    session: &Session,
    options: &RateOptions,
    seeds: &[u64],
    console: &Console,
) -> Result<Vec<Result<TrainReport, SessionError>>, CommandError> {
    if let Some(what) = cpu_alone(options) {
        return Err(CommandError::Usage(format!(
            "{what} is trained on the CPU alone; give --backend cpu"
        )));
    }
    let started = Instant::now();
    let sizes = [options.batch, options.task.samples(), options.units + 1];
    let numbers = sizes.iter().try_fold(seeds.len() as u64, |product, &size| {
        product.checked_mul(size as u64)
    });
    if numbers.is_none_or(|numbers| numbers > MOST_NUMBERS) {
        return Err(CommandError::Usage(format!(
            "{} networks of {} units with a batch of {} are too many for one array on a GPU ({MOST_NUMBERS} numbers); give fewer --seeds or a smaller --batch",
            seeds.len(),
            options.units,
            options.batch
        )));
    }
    session.check(options)?;
    let mut bar = EnsembleBar::new(options.updates, seeds.len(), console);
    let trained = gpu.train(options, seeds, &mut bar);
    drop(bar);
    let seconds = started.elapsed().as_secs_f64();
    let saved = |(&seed, trained): (&u64, &Trained)| {
        let options = RateOptions {
            seed,
            ..options.clone()
        };
        let model = session.save(&options, trained)?;
        Ok(TrainReport::new(&options, trained, seconds, model))
    };
    Ok(seeds.iter().zip(&trained).map(saved).collect())
}
