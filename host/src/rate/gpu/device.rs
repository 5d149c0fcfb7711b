//! Search for a GPU. The back ends panic where a driver or a device is missing, so that
//! this module looks for both first.

use crate::rate::ensemble::SideBySide;
use crate::rate::ensemble::training::{EnsembleProgress, train_many};
use crate::rate::options::RateOptions;
use crate::rate::training::Trained;

/// The reason why there is no GPU to train on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GpuError {
    /// The program was built without the back end.
    #[error(
        "this build has no {name} back end; build with: cargo build --release --features {name}"
    )]
    NotBuilt {
        /// The feature.
        name: &'static str,
    },
    /// No CUDA driver.
    #[error("no CUDA driver (libcuda) on this machine")]
    NoDriver,
    /// The driver finds no GPU, or does not work.
    #[error("the CUDA driver finds no GPU: {reason}")]
    NoGpu {
        /// The driver's message.
        reason: String,
    },
    /// A number beyond the GPUs of this machine.
    #[error("no GPU {index}: the CUDA driver counts {count}, from 0")]
    NoSuchGpu {
        /// The number of the GPU that was asked for.
        index: usize,
        /// The number of GPUs.
        count: usize,
    },
    /// No run-time compiler.
    #[error(
        "CUDA's run-time compiler (libnvrtc) is not on this machine; install the CUDA tool kit"
    )]
    NoCompiler,
    /// No header files for the run-time compiler.
    #[error(
        "the CUDA tool kit's cuda_runtime.h is not found; set CUDA_PATH to the tool kit's folder"
    )]
    NoHeaders,
    /// No adapter of a graphics interface.
    #[error("no device for Vulkan, Metal or DirectX on this machine")]
    NoAdapter,
}

/// A GPU that trains networks.
pub struct Gpu(Box<dyn Trains>);

trait Trains {
    fn train(
        &self,
        options: &RateOptions,
        seeds: &[u64],
        progress: &mut dyn EnsembleProgress,
    ) -> Vec<Trained>;
}

/// The device of a back end.
struct On<B: SideBySide>(B::Device);

impl<B: SideBySide> Trains for On<B> {
    fn train(
        &self,
        options: &RateOptions,
        seeds: &[u64],
        progress: &mut dyn EnsembleProgress,
    ) -> Vec<Trained> {
        train_many::<B>(options, seeds, &self.0, progress)
    }
}

impl Gpu {
    /// The CUDA device of that number, if its driver and its compiler are there.
    pub fn cuda(index: usize) -> Result<Self, GpuError> {
        cuda::device(index)
    }

    /// The best device that Vulkan, Metal or DirectX offers.
    pub fn wgpu() -> Result<Self, GpuError> {
        wgpu::device()
    }

    /// [`train_many`] on this GPU.
    pub fn train(
        &self,
        options: &RateOptions,
        seeds: &[u64],
        progress: &mut dyn EnsembleProgress,
    ) -> Vec<Trained> {
        self.0.train(options, seeds, progress)
    }

    /// A device of any back end.
    pub fn of<B: SideBySide>(device: B::Device) -> Self {
        Self(Box::new(On::<B>(device)))
    }
}

/// CUDA.
#[cfg(feature = "cuda")]
pub mod cuda {
    use burn::backend::Cuda;
    use burn::backend::cuda::CudaDevice;
    use cudarc::driver::{result, sys};

    use super::{Gpu, GpuError};

    pub(super) fn device(index: usize) -> Result<Gpu, GpuError> {
        find(index).map(Gpu::of::<Cuda>)
    }

    /// The device of that number, if its driver and its compiler are there.
    pub fn find(index: usize) -> Result<CudaDevice, GpuError> {
        // SAFETY: both only try to open a library that belongs to the driver or
        // to the tool kit, and close it again.
        let (driver, compiler) = unsafe {
            (
                sys::is_culib_present(),
                cudarc::nvrtc::sys::is_culib_present(),
            )
        };
        if !driver {
            return Err(GpuError::NoDriver);
        }
        let reason = |error: result::DriverError| GpuError::NoGpu {
            reason: error.to_string(),
        };
        result::init().map_err(reason)?;
        let count = result::device::get_count().map_err(reason)?;
        let count = usize::try_from(count).unwrap_or(0);
        if index >= count {
            return Err(GpuError::NoSuchGpu { index, count });
        }
        if !compiler {
            return Err(GpuError::NoCompiler);
        }
        let path = cubecl::cuda::install::cuda_path();
        if !path.is_some_and(|path| path.join("include/cuda_runtime.h").exists()) {
            return Err(GpuError::NoHeaders);
        }
        Ok(CudaDevice::new(index))
    }
}

/// CUDA, where it is not built in.
#[cfg(not(feature = "cuda"))]
mod cuda {
    use super::{Gpu, GpuError};

    pub(super) fn device(_index: usize) -> Result<Gpu, GpuError> {
        Err(GpuError::NotBuilt { name: "cuda" })
    }
}

/// Vulkan, Metal and DirectX.
#[cfg(feature = "wgpu")]
pub mod wgpu {
    use ::wgpu::{Backends, DeviceType, Instance, InstanceDescriptor};
    use burn::backend::Wgpu;
    use burn::backend::wgpu::WgpuDevice;
    use burn::backend::wgpu::graphics::{AutoGraphicsApi, GraphicsApi};

    use super::{Gpu, GpuError};

    pub(super) fn device() -> Result<Gpu, GpuError> {
        find().map(Gpu::of::<Wgpu>)
    }

    /// The best device: a GPU before a processor that imitates one.
    pub fn find() -> Result<WgpuDevice, GpuError> {
        let backends = Backends::from(AutoGraphicsApi::backend());
        let instance = Instance::new(InstanceDescriptor {
            backends,
            ..InstanceDescriptor::new_without_display_handle()
        });
        let adapters = cubecl::future::block_on(instance.enumerate_adapters(backends));
        let found = |wanted| {
            let mut adapters = adapters.iter();
            adapters.any(|adapter| adapter.get_info().device_type == wanted)
        };
        let devices = [
            (DeviceType::DiscreteGpu, WgpuDevice::DiscreteGpu(0)),
            (DeviceType::IntegratedGpu, WgpuDevice::IntegratedGpu(0)),
            (DeviceType::VirtualGpu, WgpuDevice::VirtualGpu(0)),
            (DeviceType::Cpu, WgpuDevice::Cpu),
        ];
        devices
            .into_iter()
            .find_map(|(kind, device)| found(kind).then_some(device))
            .ok_or(GpuError::NoAdapter)
    }
}

/// Vulkan, Metal and DirectX, where they are not built in.
#[cfg(not(feature = "wgpu"))]
mod wgpu {
    use super::{Gpu, GpuError};

    pub(super) fn device() -> Result<Gpu, GpuError> {
        Err(GpuError::NotBuilt { name: "wgpu" })
    }
}
