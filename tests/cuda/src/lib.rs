//! The CUDA text that the kernels of `host/src/rate/gpu` become on a GPU of compute capability 8.0
//! (A100) and 9.0 (H100, H200). No GPU is needed.
//!
//! The kernels are compiled into this crate from their sources, without the rest of the host: Burn's
//! back ends would take minutes to build.

use cubecl::compute::KernelBuilder;
use cubecl::ir::{DeviceProperties, HardwareProperties, MemoryDeviceProperties};
use cubecl::prelude::*;
use cubecl::profile::TimingMethod;
use cubecl::{Compiler, ExecutionMode, KernelSettings};
use cubecl_cpp::cuda::CudaDialect;
use cubecl_cpp::cuda::mma::CudaWmmaCompiler;
use cubecl_cpp::register_supported_types;
use cubecl_cpp::shared::{CompilationOptions, CppCompiler, CppSupportedFeatures};

use kernels::{
    AdjointGiven, AdjointGivenCompilationArg, AdjointLeft, AdjointLeftCompilationArg, Curve,
    DrawGiven, DrawGivenCompilationArg, DrawLeft, DrawLeftCompilationArg, Drawing, Features,
    ForwardGiven, ForwardGivenCompilationArg, ForwardLeft, ForwardLeftCompilationArg,
};
use plan::{Limits, Plan};

#[path = "../../../host/src/rate/gpu/kernels.rs"]
pub mod kernels;
#[path = "../../../host/src/rate/normal.rs"]
pub mod normal;
#[path = "../../../host/src/rate/gpu/plan.rs"]
pub mod plan;
/// The module by the name that it has in the host.
mod rate {
    pub use crate::normal;
}

/// A GPU architecture, as far as the kernels' text depends on it.
pub struct Architecture {
    /// The name that NVRTC and ptxas take.
    pub name: &'static str,
    /// Bytes of shared memory that a block can have.
    shared: usize,
    /// True if the architecture has clusters of blocks.
    clusters: bool,
}

/// The architectures of an A100 and of an H100 or H200.
pub const ARCHITECTURES: [Architecture; 2] = [
    Architecture {
        name: "sm_80",
        shared: 163 * 1024,
        clusters: false,
    },
    Architecture {
        name: "sm_90a",
        shared: 227 * 1024,
        clusters: true,
    },
];

/// Most threads of a block.
const THREADS: usize = 1024;

impl Architecture {
    /// The properties and options that CubeCL's CUDA runtime finds on such a GPU.
    fn properties(&self) -> DeviceProperties {
        let hardware = HardwareProperties {
            load_width: 128,
            plane_size_min: 32,
            plane_size_max: 32,
            max_bindings: 1024,
            max_shared_memory_size: self.shared,
            max_cube_count: (i32::MAX as u32, u16::MAX.into(), u16::MAX.into()),
            max_units_per_cube: THREADS as u32,
            max_cube_dim: (1024, 1024, 64),
            num_streaming_multiprocessors: None,
            num_cpu_cores: None,
            num_tensor_cores: Some(4),
            min_tensor_cores_dim: Some(8),
            max_vector_size: VectorSize::MAX,
        };
        let memory = MemoryDeviceProperties {
            max_page_size: 1 << 34,
            alignment: 512,
        };
        let mut properties =
            DeviceProperties::new(Default::default(), memory, hardware, TimingMethod::System);
        register_supported_types(&mut properties);
        properties
    }

    fn options(&self) -> CompilationOptions {
        CompilationOptions {
            warp_size: 32,
            supports_features: CppSupportedFeatures {
                grid_constants: true,
                fast_math: true,
                fast_tanh: true,
                clusters: self.clusters,
                elect_sync: self.clusters,
            },
        }
    }

    /// The plan of a product on this architecture.
    fn plan(&self, inner: usize, outer: usize) -> Plan {
        let limits = Limits {
            threads: THREADS,
            shared: self.shared,
        };
        Plan::new(inner, outer, limits).expect("a network that fits into a block")
    }

    /// The CUDA text of a kernel with this number of threads, whose arguments and body `expand`
    /// writes.
    fn text(&self, threads: usize, expand: impl FnOnce(&mut KernelBuilder)) -> String {
        let mut builder = KernelBuilder::default();
        builder.device_properties(&self.properties());
        AddressType::U32.register(&mut builder.scope);
        expand(&mut builder);
        let settings = KernelSettings::default()
            .cube_dim(CubeDim::new_1d(threads as u32))
            .address_type(AddressType::U32)
            .kernel_name("kernel");
        let address = AddressType::U32.unsigned_type();
        CppCompiler::<CudaDialect<CudaWmmaCompiler>>::default()
            .compile(
                builder.build(settings),
                &self.options(),
                ExecutionMode::Unchecked,
                address,
            )
            .expect("a kernel that CubeCL translates")
            .to_string()
    }

    fn forward(&self, units: usize, features: Features) -> String {
        let plan = self.plan(units, units + 1);
        self.text(plan.threads(), |builder| {
            let given = ForwardGivenCompilationArg {
                matrix: array(),
                alpha: array(),
                kick: array(),
                table: array(),
                start: array(),
                current: array(),
                noise: array(),
                deviates: array(),
            };
            let left = ForwardLeftCompilationArg {
                outputs: array(),
                r: array(),
                slope: array(),
                drift: array(),
            };
            let given = ForwardGiven::expand(&given, builder);
            let left = ForwardLeft::expand_output(&left, builder);
            let samples = u32::expand(&(), builder);
            kernels::forward::expand(&mut builder.scope, given, left, samples, plan, features);
        })
    }

    fn adjoint(&self, units: usize) -> String {
        let plan = self.plan(units + 1, units);
        self.text(plan.threads(), |builder| {
            let given = AdjointGivenCompilationArg {
                matrix: array(),
                alpha: array(),
                by_output: array(),
                slope: array(),
                drift: array(),
            };
            let left = AdjointLeftCompilationArg {
                z: array(),
                by_alpha: array(),
            };
            let given = AdjointGiven::expand(&given, builder);
            let left = AdjointLeft::expand_output(&left, builder);
            let samples = u32::expand(&(), builder);
            kernels::adjoint::expand(&mut builder.scope, given, left, samples, plan);
        })
    }

    fn draw(&self, drawing: Drawing) -> String {
        self.text(256, |builder| {
            let given = DrawGivenCompilationArg {
                words: array(),
                jumps: array(),
                w_in: array(),
                input: array(),
            };
            let left = DrawLeftCompilationArg {
                start: array(),
                current: array(),
                noise: array(),
                deviates: array(),
            };
            let given = DrawGiven::expand(&given, builder);
            let left = DrawLeft::expand_output(&left, builder);
            let trials = u32::expand(&(), builder);
            let samples = u32::expand(&(), builder);
            kernels::draw::expand(&mut builder.scope, given, left, trials, samples, drawing);
        })
    }

    /// Each kernel's name and text.
    pub fn kernels(&self) -> Vec<(String, String)> {
        let mut kernels = Vec::new();
        let shapes = [
            ("sigmoid", Curve::Sigmoid),
            ("relu", Curve::ClippedRelu),
            ("softplus", Curve::Softplus),
            ("table", Curve::Table),
        ];
        let learning = Features {
            shape: Curve::Table,
            noisy: true,
            fluctuating: true,
            keeping: true,
        };
        for units in [50, 200, 250, 315] {
            kernels.push((
                format!("forward, N = {units}"),
                self.forward(units, learning),
            ));
            kernels.push((format!("adjoint, N = {units}"), self.adjoint(units)));
        }
        for (name, shape) in shapes {
            let quiet = Features {
                shape,
                fluctuating: false,
                ..learning
            };
            kernels.push((format!("forward, {name}"), self.forward(200, quiet)));
        }
        let scoring = Features {
            keeping: false,
            ..learning
        };
        kernels.push(("forward, outputs alone".into(), self.forward(200, scoring)));
        let drawing = Drawing {
            units: 200,
            channels: 2,
            fluctuating: true,
        };
        kernels.push(("draw".into(), self.draw(drawing)));
        kernels
    }
}

/// An array argument that shares its memory with no other one.
fn array() -> cubecl::frontend::ArrayCompilationArg {
    cubecl::frontend::ArrayCompilationArg { inplace: None }
}
