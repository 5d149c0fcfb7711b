//! The device of `train`: the CPU, or a GPU, which trains several networks at once.

use clap::Args;

use super::CommandError;
use crate::print::console::Console;
use crate::rate::gpu::device::Gpu;

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
