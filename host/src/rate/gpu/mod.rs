//! K networks side by side on a GPU, by CubeCL kernels: through CUDA (feature
//! `cuda`), or through Vulkan, Metal or DirectX (feature `wgpu`), which is what
//! tests the kernels where there is no NVIDIA GPU.
//!
//! [`kernels`] holds the kernels, [`plan`] says where the weights lie, [`draw`]
//! draws trials and noise on the device, and [`device`] finds the device.
//!
//! # What a GPU could do
//!
//! One update of one network, one trial, N = 200, T = 200, counted by hand:
//!
//! ```text
//! FLOP    forward 2 T N (N+1) = 16.1 M, adjoint 2 (T−1) N (N+1) = 16.0 M, weight gradient 2 T N (N+1) = 16.1 M: 48.2 M
//! bytes   a number of K × T × B × N is 160 kB a network. Draw writes current and noise; forward reads both and writes
//!         r, slope, drift; adjoint reads slope, drift and writes z; the product reads z, r: 12 × 160 kB = 1.92 MB.
//!         Weights, 160 kB: mask and sign (2 reads, 2 writes, and as much for the gradient), A and Aᵀ (2 + 2),
//!         read by forward, adjoint (2), written by the product (1), Adam (some 20 in separate operations): 33 × 160 kB = 5.3 MB.
//! ```
//!
//! An H100 or H200 (SXM) has 132 multiprocessors of 128 multiply-adds a cycle at
//! up to 1.98 GHz, 67 TFLOP/s, and reads 3.35 (H100) or 4.8 TB/s (H200); figures
//! of NVIDIA's data sheets. For K = 1,056 = 8 × 132 networks that makes
//!
//! ```text
//! arithmetic  1,056 × 48.2 MFLOP / 67 TFLOP/s                      0.76 ms
//! memory      1,056 × 7.2 MB / 3.35 TB/s (H100), 4.8 TB/s (H200)   2.3 ms, 1.6 ms
//! ```
//!
//! so that the operations around the recurrence would bound it. For K = 132, an
//! eighth of that: 0.1 ms arithmetic, 0.28 ms or 0.20 ms memory, less what of it
//! fits the 50 MB of L2. For K = 1 neither bounds it, but the chain of steps: a
//! product of 40,000 multiply-adds is 313 cycles of one multiprocessor, with two
//! barriers and the sum over groups some 500: 2 × 200 × 500 cycles, 0.1 ms,
//! and the launches of some 60 small kernels, at 3 to 5 µs each 0.2 to 0.3 ms.
//! These are floors and estimates; `cargo bench --bench gpu` measures.

pub mod device;
pub mod draw;
pub mod kernels;
pub mod plan;

use burn::tensor::{DType, Shape, Tensor, TensorPrimitive};
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use burn_cubecl::{BoolElement, CubeBackend, CubeRuntime, IntElement};
use cubecl::prelude::*;

use super::activation::Activation;
use super::ensemble::trials::{TrialRange, TrialSource, Trials};
use super::ensemble::{Costate, Couplings, Drive, SideBySide, Trajectory, operations};
use kernels::{
    AdjointGivenLaunch, AdjointLeftLaunch, Features, ForwardGivenLaunch, ForwardLeftLaunch,
};
use plan::{Limits, Plan};

/// The back end of a runtime, in single precision.
type Cubes<R, I, T> = CubeBackend<R, f32, I, T>;

impl<R, I, T> SideBySide for Cubes<R, I, T>
where
    R: CubeRuntime,
    I: IntElement,
    T: BoolElement,
{
    fn forward(
        couplings: &Couplings<Self>,
        drive: &Drive<Self>,
    ) -> (Tensor<Self, 3>, Trajectory<Self>) {
        let n = couplings.w_out.dims()[1];
        match Launch::of(couplings, n, n + 1) {
            Some(launch) => {
                let (outputs, trajectory) = launch.forward(couplings, drive, true);
                (outputs, trajectory.expect("it was asked for"))
            }
            None => operations::forward(couplings, drive),
        }
    }

    fn outputs(couplings: &Couplings<Self>, drive: &Drive<Self>) -> Tensor<Self, 3> {
        let n = couplings.w_out.dims()[1];
        match Launch::of(couplings, n, n + 1) {
            Some(launch) => launch.forward(couplings, drive, false).0,
            None => operations::forward(couplings, drive).0,
        }
    }

    fn costate(
        couplings: &Couplings<Self>,
        trajectory: &Trajectory<Self>,
        by_output: Tensor<Self, 3>,
    ) -> Costate<Self> {
        let n = couplings.w_out.dims()[1];
        match Launch::of(couplings, n + 1, n) {
            Some(launch) => launch.adjoint(couplings, trajectory, by_output),
            None => operations::costate(couplings, trajectory, by_output),
        }
    }

    fn draw(source: &TrialSource<Self>, range: TrialRange) -> Trials<Self> {
        draw::draw(source, range)
    }
}

/// A device and the plan of a launch on it.
struct Launch<R: CubeRuntime> {
    client: ComputeClient<R>,
    device: R::Device,
    plan: Plan,
}

fn cube<R: CubeRuntime, I: IntElement, T: BoolElement, const D: usize>(
    tensor: Tensor<Cubes<R, I, T>, D>,
) -> CubeTensor<R> {
    into_contiguous(tensor.into_primitive().tensor())
}

fn tensor<R: CubeRuntime, I: IntElement, T: BoolElement, const D: usize>(
    cube: CubeTensor<R>,
) -> Tensor<Cubes<R, I, T>, D> {
    Tensor::from_primitive(TensorPrimitive::Float(cube))
}

impl<R: CubeRuntime> Launch<R> {
    /// For a product from `inner` numbers to `outer`; none if the device's
    /// cubes are too small for it.
    fn of<I: IntElement, T: BoolElement>(
        couplings: &Couplings<Cubes<R, I, T>>,
        inner: usize,
        outer: usize,
    ) -> Option<Self> {
        let device = couplings.w.device();
        let client = R::client(&device);
        let hardware = &client.properties().hardware;
        let limits = Limits {
            threads: hardware.max_units_per_cube as usize,
            shared: hardware.max_shared_memory_size,
        };
        let plan = Plan::new(inner, outer, limits)?;
        Some(Self {
            client,
            device,
            plan,
        })
    }

    /// A place for so many numbers.
    fn empty(&self, shape: impl Into<Shape>) -> CubeTensor<R> {
        empty(&self.client, &self.device, shape.into())
    }

    fn dim(&self) -> CubeDim {
        CubeDim::new_1d(self.plan.threads() as u32)
    }

    fn forward<I: IntElement, T: BoolElement>(
        &self,
        couplings: &Couplings<Cubes<R, I, T>>,
        drive: &Drive<Cubes<R, I, T>>,
        keeping: bool,
    ) -> (
        Tensor<Cubes<R, I, T>, 3>,
        Option<Trajectory<Cubes<R, I, T>>>,
    ) {
        let trials = &drive.trials;
        let [k, t, b, n] = trials.current.dims();
        indexable(k * t * b * (n + 1));
        let (shape, table) = shape_of(&drive.activation);
        let features = Features {
            shape,
            noisy: trials.noise.is_some(),
            fluctuating: trials.fluctuations.is_some(),
            keeping,
        };
        let alpha = couplings.tau.clone().recip();
        let unused = || self.empty([1]);
        let kept = |shape: [usize; 4]| if keeping { self.empty(shape) } else { unused() };
        let outputs = self.empty([k, b, t - 1]);
        let r = kept([k, t, b, n]);
        let slope = kept([k, t - 1, b, n]);
        let drift = kept([k, t - 1, b, n]);
        let steps =
            |steps: &Option<Tensor<Cubes<R, I, T>, 4>>| steps.clone().map_or_else(unused, cube);
        let table = Tensor::<Cubes<R, I, T>, 1>::from_floats(table.as_slice(), &self.device);
        let kick = operations::kick(drive.fluctuations, couplings.tau.clone());
        // SAFETY: the shapes are those of the tensors above, every array is
        // contiguous, and the kernel stays inside N, B, T and K of them.
        unsafe {
            kernels::forward::launch_unchecked::<R>(
                &self.client,
                CubeCount::Static(b as u32, k as u32, 1),
                self.dim(),
                ForwardGivenLaunch::new(
                    cube(couplings.with_readout().swap_dims(1, 2)).into_array_arg(),
                    cube(alpha).into_array_arg(),
                    cube(kick).into_array_arg(),
                    cube(table).into_array_arg(),
                    cube(trials.start.clone()).into_array_arg(),
                    cube(trials.current.clone()).into_array_arg(),
                    steps(&trials.noise).into_array_arg(),
                    steps(&trials.fluctuations).into_array_arg(),
                ),
                ForwardLeftLaunch::new(
                    outputs.clone().into_array_arg(),
                    r.clone().into_array_arg(),
                    slope.clone().into_array_arg(),
                    drift.clone().into_array_arg(),
                ),
                t as u32,
                self.plan,
                features,
            );
        }
        let outputs = tensor(outputs) + couplings.b_out.clone().unsqueeze_dim(2);
        let trajectory = keeping.then(|| Trajectory {
            r: tensor(r),
            slope: tensor(slope),
            drift: tensor(drift),
        });
        (outputs, trajectory)
    }

    fn adjoint<I: IntElement, T: BoolElement>(
        &self,
        couplings: &Couplings<Cubes<R, I, T>>,
        trajectory: &Trajectory<Cubes<R, I, T>>,
        by_output: Tensor<Cubes<R, I, T>, 3>,
    ) -> Costate<Cubes<R, I, T>> {
        let [k, t, b, n] = trajectory.r.dims();
        indexable(k * t * b * (n + 1));
        let z = self.empty([k, t, b, n + 1]);
        let by_alpha = self.empty([k, b, n]);
        // SAFETY: as in `forward`.
        unsafe {
            kernels::adjoint::launch_unchecked::<R>(
                &self.client,
                CubeCount::Static(b as u32, k as u32, 1),
                self.dim(),
                AdjointGivenLaunch::new(
                    cube(couplings.with_readout()).into_array_arg(),
                    cube(couplings.tau.clone().recip()).into_array_arg(),
                    cube(by_output).into_array_arg(),
                    cube(trajectory.slope.clone()).into_array_arg(),
                    cube(trajectory.drift.clone()).into_array_arg(),
                ),
                AdjointLeftLaunch::new(
                    z.clone().into_array_arg(),
                    by_alpha.clone().into_array_arg(),
                ),
                t as u32,
                self.plan,
            );
        }
        Costate {
            z: tensor(z),
            by_alpha: tensor(by_alpha),
        }
    }
}

fn empty<R: CubeRuntime>(
    client: &ComputeClient<R>,
    device: &R::Device,
    shape: Shape,
) -> CubeTensor<R> {
    let handle = client.empty(shape.num_elements() * size_of::<f32>());
    CubeTensor::new_contiguous(client.clone(), device.clone(), shape, handle, DType::F32)
}

/// Kernels count the numbers of an array in 32 bits.
fn indexable(numbers: usize) {
    assert!(
        u32::try_from(numbers).is_ok(),
        "{numbers} numbers in one array; train fewer networks or trials at once"
    );
}

/// φ for a kernel, and its table: low end, density, index of the last value,
/// values.
fn shape_of(activation: &Activation) -> (kernels::Shape, Vec<f32>) {
    match activation {
        Activation::Sigmoid => (kernels::Shape::Sigmoid, vec![0.0]),
        Activation::ClippedRelu => (kernels::Shape::ClippedRelu, vec![0.0]),
        Activation::Softplus => (kernels::Shape::Softplus, vec![0.0]),
        Activation::Table(table) => {
            let last = (table.values.len() - 1) as f32;
            let mut numbers = vec![table.low, table.density, last];
            numbers.extend_from_slice(&table.values);
            (kernels::Shape::Table, numbers)
        }
    }
}
