//! Back ends that run K networks side by side, and the recurrence as one
//! differentiable operation on them.

use std::sync::Arc;

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorPrimitive};

use super::arrays::{Costate, Couplings, Drive, Trajectory};
use super::operations;
use super::trials::{TrialSource, Trials};
use crate::rate::batch::TrialRange;

/// A back end that runs K networks side by side.
pub trait SideBySide: Backend {
    /// The outputs, K × B × (T − 1), and the arrays that the adjoint needs.
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
