//! Launching the kernels: tensors in, tensors out.

use burn::tensor::{Shape, Tensor};
use burn_cubecl::tensor::CubeTensor;
use burn_cubecl::{BoolElement, CubeRuntime, IntElement};
use cubecl::prelude::*;
use cubek::matmul::definition::{MatmulElems, MatmulGlobalElems};
use cubek::matmul::launch::Strategy;
use cubek::std::InputBinding;

use super::draw;
use super::kernels::{
    self, AdjointGivenLaunch, AdjointLeftLaunch, Features, ForwardGivenLaunch, ForwardLeftLaunch,
};
use super::plan::{Limits, Plan};
use super::tensors::{Cubes, cube, empty, indexable, tensor};
use crate::rate::activation::Activation;
use crate::rate::batch::TrialRange;
use crate::rate::ensemble::trials::{TrialSource, Trials};
use crate::rate::ensemble::{Costate, Couplings, Drive, SideBySide, Trajectory, operations};

/// The outputs, and the trajectory if the caller asked for it.
type Forward<R, I, T> = (
    Tensor<Cubes<R, I, T>, 3>,
    Option<Trajectory<Cubes<R, I, T>>>,
);

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

    /// Burn's own product rounds its factors to 11 bits (TF32) where CUDA has
    /// tensor cores for it; this one does not.
    fn product(a: Tensor<Self, 3>, b: Tensor<Self, 3>) -> Tensor<Self, 3> {
        let [k, rows, _] = a.dims();
        let out = [k, rows, b.dims()[2]];
        let [a, b] = [a, b].map(|tensor| tensor.into_primitive().tensor());
        let out = empty(&a.client, &a.device, out.into());
        let single = f32::as_type_native_unchecked().storage_type();
        let mut types = MatmulElems::from_globals(&MatmulGlobalElems {
            lhs: single,
            rhs: single,
            out: single,
        });
        let client = a.client.clone();
        cubek::matmul::launch::launch_ref(
            &Strategy::SimpleUnit(Default::default()),
            &client,
            InputBinding::new(a.binding(), single),
            InputBinding::new(b.binding(), single),
            out.clone().binding(),
            &mut types,
        )
        .expect("a product without tensor cores has no demands");
        tensor(out)
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

impl<R: CubeRuntime> Launch<R> {
    /// The launch of a product from `inner` numbers to `outer`; `None` if the device's cubes
    /// are too small for it.
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

    /// An uninitialized tensor of this shape.
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
    ) -> Forward<R, I, T> {
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
        let kick = features
            .fluctuating
            .then(|| operations::kick(drive.fluctuations, couplings.tau.clone()));
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
                    kick.map_or_else(unused, cube).into_array_arg(),
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
        // SAFETY: the reasons are those in `forward`.
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

/// φ for a kernel, and its table: low end, density, index of the last value,
/// values.
fn shape_of(activation: &Activation) -> (kernels::Curve, Vec<f32>) {
    match activation {
        Activation::Sigmoid => (kernels::Curve::Sigmoid, vec![0.0]),
        Activation::ClippedRelu => (kernels::Curve::ClippedRelu, vec![0.0]),
        Activation::Softplus => (kernels::Curve::Softplus, vec![0.0]),
        Activation::Table(table) => {
            let last = (table.values.len() - 1) as f32;
            let mut numbers = vec![table.low, table.density, last];
            numbers.extend_from_slice(&table.values);
            (kernels::Curve::Table, numbers)
        }
    }
}
