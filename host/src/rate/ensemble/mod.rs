//! K networks of the same shape side by side, for back ends that are fast only
//! when they have much to do at once.
//!
//! Shapes: K networks, N units, B trials, T samples. The recurrence is that of
//! [`super::recurrence`], with the readout as one more row of the weights, so
//! that each step is one product. With A = (W; w_outᵀ), (N + 1) × N:
//!
//! ```text
//! forward    (I, o)[t] = A r[t] + (input[t], b_out)     adjoint   r̄[t] = Aᵀ z[t]
//!            g[t+1] = I[t] − x[t]                                 x̄[t] = φ'(x[t]) ∘ r̄[t] + (1 − α) ∘ x̄[t+1]
//!            x[t+1] = x[t] + α ∘ g[t+1] + noise                   z[t−1] = (α ∘ x̄[t], ō[t−1])
//!            r[t+1] = φ(x[t+1]) + fluctuation                     Ā = Σ z[t] r[t]ᵀ,  ᾱ = Σ x̄[t] ∘ g[t]
//! ```
//!
//! [`SideBySide`] is a back end that can do this. [`operations`] does it on any
//! back end by tensor operations; `rate::gpu` does it by kernels. [`trials`]
//! holds what drives the networks, [`model`] is K networks as one Burn module,
//! and [`training`] trains them.

pub mod model;
pub mod operations;
pub mod training;
pub mod trials;

use std::sync::Arc;

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorPrimitive};

use super::activation::Activation;
use super::batch::TrialRange;
use trials::{TrialSource, Trials};

/// What the recurrence of K networks depends on.
#[derive(Clone, Debug)]
pub struct Couplings<B: Backend> {
    /// Effective weights, K × N × N.
    pub w: Tensor<B, 3>,
    /// Readout weights, K × N.
    pub w_out: Tensor<B, 2>,
    /// Offsets of the outputs, K × 1.
    pub b_out: Tensor<B, 2>,
    /// Decay time constants in steps, K × N.
    pub tau: Tensor<B, 2>,
}

impl<B: Backend> Couplings<B> {
    /// A: the weights with the readout as their last row, K × (N + 1) × N.
    pub fn with_readout(&self) -> Tensor<B, 3> {
        Tensor::cat(vec![self.w.clone(), self.w_out.clone().unsqueeze_dim(1)], 1)
    }
}

/// What drives K networks, B trials each.
#[derive(Clone, Debug)]
pub struct Drive<B: Backend> {
    /// φ.
    pub activation: Activation,
    /// Strength of the fluctuations of r.
    pub fluctuations: f32,
    /// Trials and noise.
    pub trials: Trials<B>,
}

/// What a forward pass leaves for the adjoint.
#[derive(Clone, Debug)]
pub struct Trajectory<B: Backend> {
    /// r[0 … T−1], K × T × B × N.
    pub r: Tensor<B, 4>,
    /// φ'(x[1 … T−1]), K × (T − 1) × B × N.
    pub slope: Tensor<B, 4>,
    /// g[1 … T−1], K × (T − 1) × B × N.
    pub drift: Tensor<B, 4>,
}

/// What the adjoint finds step by step; the products over time follow from it.
#[derive(Clone, Debug)]
pub struct Costate<B: Backend> {
    /// z[0 … T−1], K × T × B × (N + 1).
    pub z: Tensor<B, 4>,
    /// ᾱ of each trial, K × B × N.
    pub by_alpha: Tensor<B, 3>,
}

/// A back end that runs K networks side by side.
pub trait SideBySide: Backend {
    /// The outputs, K × B × (T − 1), and what the adjoint needs.
    fn forward(
        couplings: &Couplings<Self>,
        drive: &Drive<Self>,
    ) -> (Tensor<Self, 3>, Trajectory<Self>);

    /// The outputs alone, K × B × (T − 1).
    fn outputs(couplings: &Couplings<Self>, drive: &Drive<Self>) -> Tensor<Self, 3> {
        Self::forward(couplings, drive).0
    }

    /// The adjoint through time, from the derivative of the loss by the
    /// outputs, K × B × (T − 1).
    fn costate(
        couplings: &Couplings<Self>,
        trajectory: &Trajectory<Self>,
        by_output: Tensor<Self, 3>,
    ) -> Costate<Self>;

    /// a b for each network, in full single precision: K × I × J from
    /// K × I × L and K × L × J.
    fn product(a: Tensor<Self, 3>, b: Tensor<Self, 3>) -> Tensor<Self, 3> {
        a.matmul(b)
    }

    /// Draws the trials `range` of every network.
    fn draw(source: &TrialSource<Self>, range: TrialRange) -> Trials<Self> {
        source.draw_on_host(range)
    }
}

impl SideBySide for burn::backend::Flex {
    fn forward(
        couplings: &Couplings<Self>,
        drive: &Drive<Self>,
    ) -> (Tensor<Self, 3>, Trajectory<Self>) {
        operations::forward(couplings, drive)
    }

    fn costate(
        couplings: &Couplings<Self>,
        trajectory: &Trajectory<Self>,
        by_output: Tensor<Self, 3>,
    ) -> Costate<Self> {
        operations::costate(couplings, trajectory, by_output)
    }
}

/// The gradient, from the derivative of the loss by the outputs, K × B ×
/// (T − 1).
pub fn adjoint<B: SideBySide>(
    couplings: &Couplings<B>,
    trajectory: &Trajectory<B>,
    by_output: Tensor<B, 3>,
) -> Couplings<B> {
    let costate = B::costate(couplings, trajectory, by_output.clone());
    operations::gradient(couplings, trajectory, costate, by_output, B::product)
}

/// The adjoint of K recurrences, as a node of the graph.
#[derive(Debug)]
struct EnsembleAdjoint;

fn float<B: Backend, const D: usize>(primitive: B::FloatTensorPrimitive) -> Tensor<B, D> {
    Tensor::from_primitive(TensorPrimitive::Float(primitive))
}

fn primitive<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> B::FloatTensorPrimitive {
    tensor.into_primitive().tensor()
}

impl<B: SideBySide> Backward<B, 4> for EnsembleAdjoint {
    type State = Arc<(Couplings<B>, Trajectory<B>)>;

    fn backward(
        self,
        ops: Ops<Self::State, 4>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let (couplings, trajectory) = &*ops.state;
        let by_output = float::<B, 3>(gradients.consume::<B>(&ops.node));
        let gradient = adjoint(couplings, trajectory, by_output);
        let tensors = [
            primitive(gradient.w),
            primitive(gradient.w_out),
            primitive(gradient.b_out),
            primitive(gradient.tau),
        ];
        for (parent, tensor) in ops.parents.into_iter().zip(tensors) {
            if let Some(parent) = parent {
                gradients.register::<B>(parent.id, tensor);
            }
        }
    }
}

/// The outputs, K × B × (T − 1), as one differentiable operation.
pub fn recurrence<B: SideBySide, C: CheckpointStrategy>(
    couplings: Couplings<Autodiff<B, C>>,
    drive: &Drive<B>,
) -> Tensor<Autodiff<B, C>, 3> {
    let [w, w_out, b_out, tau] = [
        primitive(couplings.w),
        primitive(couplings.w_out),
        primitive(couplings.b_out),
        primitive(couplings.tau),
    ];
    let nodes = [&w, &w_out, &b_out, &tau].map(|tensor| tensor.node.clone());
    let inner = Couplings::<B> {
        w: float(w.primitive),
        w_out: float(w_out.primitive),
        b_out: float(b_out.primitive),
        tau: float(tau.primitive),
    };
    let (outputs, trajectory) = B::forward(&inner, drive);
    let outputs = primitive(outputs);
    float(
        match EnsembleAdjoint
            .prepare::<C>(nodes)
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => prep.finish(Arc::new((inner, trajectory)), outputs),
            OpsKind::UnTracked(prep) => prep.finish(outputs),
        },
    )
}
