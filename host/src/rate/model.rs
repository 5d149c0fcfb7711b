//! The rate network as a Burn module.
//!
//! The recurrence is one differentiable operation, whose forward pass and adjoint
//! are those of [`super::recurrence`]. [`super::ensemble::operations`] builds the
//! same graph from Burn's own operations, and serves to check the gradient.
//! Shapes: N units, K outputs, B trials, T samples.

use std::sync::Arc;

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::module::{Module, Param};
use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use burn::tensor::{Tensor, TensorData, TensorPrimitive};

use super::activation::{Activation, ActivationKind};
use super::batch::Batch;
use super::network::RateNetwork;
use super::options::DecayTaus;
use super::recurrence::{self, Parameters, Trajectory};
use crate::readout::Readout;

/// The trained parameters of a rate network, and what is fixed beside them.
#[derive(Module, Debug)]
pub struct RateModel<B: Backend> {
    /// Recurrent weights before Dale's principle, N × N.
    pub w: Param<Tensor<B, 2>>,
    /// Input weights, N × channels; without gradient if they are fixed, as published.
    pub w_in: Param<Tensor<B, 2>>,
    /// Readout weights, K × N.
    pub w_out: Param<Tensor<B, 2>>,
    /// Offsets of the outputs, K; without gradient if the spiking neuron's own
    /// activation is trained.
    pub b_out: Param<Tensor<B, 1>>,
    /// θ of the decay time constants, N; without gradient if they are fixed.
    pub tau_theta: Param<Tensor<B, 1>>,
    /// Sign of the sender and forbidden weights in one, N × N.
    mask: Tensor<B, 2>,
    #[module(skip)]
    dale: bool,
    #[module(skip)]
    taus: DecayTaus,
}

/// The input of the recurrence beside its parameters.
#[derive(Clone, Debug)]
pub struct Drive {
    /// φ.
    pub activation: Activation,
    /// Strength of the fluctuations of r.
    pub fluctuations: f32,
    /// Trials and noise.
    pub batch: Batch,
}

/// Tensors that the recurrence depends on: w N × N, w_in N × channels, w_out K × N, b_out K,
/// τ N. The current that w_in makes of the inputs is in [`Batch::current`].
pub struct Arguments<B: Backend> {
    w: FloatTensor<B>,
    w_in: FloatTensor<B>,
    w_out: FloatTensor<B>,
    b_out: FloatTensor<B>,
    tau: FloatTensor<B>,
}

/// A back end on which the recurrence is one operation.
pub trait Recurrence: Backend {
    /// The outputs, B × (T − 1)·K.
    fn recurrence(arguments: Arguments<Self>, drive: Arc<Drive>) -> FloatTensor<Self>;
}

fn values<B: Backend>(tensor: FloatTensor<B>) -> Vec<f32> {
    // One dimension is enough to read the numbers out.
    let tensor = Tensor::<B, 1>::from_primitive(TensorPrimitive::Float(tensor));
    tensor
        .into_data()
        .convert::<f32>()
        .into_vec()
        .expect("the data were converted to f32")
}

fn tensor<B: Backend>(values: Vec<f32>, shape: impl Into<Vec<usize>>) -> FloatTensor<B> {
    B::float_from_data(TensorData::new(values, shape.into()), &B::Device::default())
}

impl<B: Backend> Arguments<B> {
    fn parameters(self) -> Parameters {
        Parameters {
            w: values::<B>(self.w),
            readout: Readout {
                weights: values::<B>(self.w_out),
                offset: values::<B>(self.b_out),
            },
            tau: values::<B>(self.tau),
        }
    }
}

fn forward<B: Backend>(parameters: &Parameters, drive: &Drive) -> (FloatTensor<B>, Trajectory) {
    let Drive {
        activation,
        fluctuations,
        batch,
    } = drive;
    let (outputs, trajectory) = recurrence::forward(parameters, activation, *fluctuations, batch);
    (
        tensor::<B>(
            outputs,
            [
                batch.trials,
                (batch.samples - 1) * parameters.readout.outputs(),
            ],
        ),
        trajectory,
    )
}

impl Recurrence for burn::backend::Flex {
    fn recurrence(arguments: Arguments<Self>, drive: Arc<Drive>) -> FloatTensor<Self> {
        forward::<Self>(&arguments.parameters(), &drive).0
    }
}

/// The adjoint of the recurrence, as a node of the graph.
#[derive(Debug)]
struct RecurrenceAdjoint;

impl<B: Backend> Backward<B, 5> for RecurrenceAdjoint {
    type State = Arc<(Parameters, Arc<Drive>, Trajectory)>;

    fn backward(
        self,
        ops: Ops<Self::State, 5>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let (parameters, drive, trajectory) = &*ops.state;
        let by_output = values::<B>(gradients.consume::<B>(&ops.node));
        let batch = &drive.batch;
        let inputs = ops.parents[1].is_some();
        let gradient = recurrence::adjoint(parameters, batch, trajectory, &by_output, inputs);
        let (n, k) = (parameters.tau.len(), parameters.readout.outputs());
        let channels = gradient.w_in.len() / n;
        let tensors = [
            (gradient.w, vec![n, n]),
            (gradient.w_in, vec![n, channels]),
            (gradient.readout.weights, vec![k, n]),
            (gradient.readout.offset, vec![k]),
            (gradient.tau, vec![n]),
        ];
        for (parent, (values, shape)) in ops.parents.into_iter().zip(tensors) {
            if let Some(parent) = parent {
                gradients.register::<B>(parent.id, tensor::<B>(values, shape));
            }
        }
    }
}

impl<B: Backend, C: CheckpointStrategy> Recurrence for Autodiff<B, C> {
    fn recurrence(arguments: Arguments<Self>, drive: Arc<Drive>) -> FloatTensor<Self> {
        let Arguments {
            w,
            w_in,
            w_out,
            b_out,
            tau,
        } = arguments;
        let nodes = [&w, &w_in, &w_out, &b_out, &tau].map(|tensor| tensor.node.clone());
        let inner = Arguments::<B> {
            w: w.primitive,
            w_in: w_in.primitive,
            w_out: w_out.primitive,
            b_out: b_out.primitive,
            tau: tau.primitive,
        };
        let parameters = inner.parameters();
        let (outputs, trajectory) = forward::<B>(&parameters, &drive);
        match RecurrenceAdjoint
            .prepare::<C>(nodes)
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => {
                prep.finish(Arc::new((parameters, drive, trajectory)), outputs)
            }
            OpsKind::UnTracked(prep) => prep.finish(outputs),
        }
    }
}

impl<B: Backend> RateModel<B> {
    /// The module with the numbers of `network`.
    pub fn new(network: &RateNetwork) -> Self {
        let device = B::Device::default();
        let (n, k) = (network.units, network.readout.outputs());
        let vector = |values: &[f32]| Tensor::<B, 1>::from_floats(values, &device);
        let matrix = |values: Vec<f32>, rows: usize| {
            Tensor::<B, 2>::from_data(TensorData::new(values, [rows, n]), &device)
        };
        let signs = network.signs();
        let mask = network
            .som_mask
            .iter()
            .enumerate()
            .map(|(k, mask)| mask * signs[k % n]);
        let shape = [n, network.channels];
        let w_in = Tensor::from_data(TensorData::new(network.w_in.clone(), shape), &device);
        let trained = matches!(network.taus, DecayTaus::Trained(..));
        // The spiking network's readout has no offset: a network that is
        // trained for it must do without.
        let offset = network.activation != ActivationKind::Lif;
        Self {
            w: Param::from_tensor(matrix(network.w.clone(), n)),
            w_in: Param::from_tensor(w_in).set_require_grad(false),
            w_out: Param::from_tensor(matrix(network.readout.weights.clone(), k)),
            b_out: Param::from_tensor(vector(&network.readout.offset)).set_require_grad(offset),
            tau_theta: Param::from_tensor(vector(&network.tau_theta)).set_require_grad(trained),
            mask: matrix(mask.collect(), n),
            dale: network.dale,
            taus: network.taus,
        }
    }

    /// The numbers of the module, in place of those of `network`. Under Dale's
    /// principle the raw weights are stored after relu, as the published code
    /// stores them.
    pub fn store(&self, network: &mut RateNetwork) {
        let numbers = |data: TensorData| -> Vec<f32> {
            data.convert::<f32>()
                .into_vec()
                .expect("the data were converted to f32")
        };
        let w = self.w.val();
        let w = if self.dale {
            burn::tensor::activation::relu(w)
        } else {
            w
        };
        network.w = numbers(w.into_data());
        network.w_in = self.input_weights();
        network.readout = Readout {
            weights: numbers(self.w_out.val().into_data()),
            offset: numbers(self.b_out.val().into_data()),
        };
        network.tau_theta = numbers(self.tau_theta.val().into_data());
    }

    /// The same module, whose input weights are trained too if `trained` is set.
    pub fn with_trained_inputs(mut self, trained: bool) -> Self {
        self.w_in = self.w_in.set_require_grad(trained);
        self
    }

    /// Input weights, N × channels.
    pub fn input_weights(&self) -> Vec<f32> {
        let data = self.w_in.val().into_data().convert::<f32>();
        data.into_vec().expect("the data were converted to f32")
    }

    /// Effective weights, N × N.
    fn weights(&self) -> Tensor<B, 2> {
        let w = self.w.val();
        let w = if self.dale {
            burn::tensor::activation::relu(w)
        } else {
            w
        };
        w * self.mask.clone()
    }

    /// Decay time constants in steps, N.
    fn decay(&self) -> Tensor<B, 1> {
        let theta = self.tau_theta.val();
        match self.taus {
            DecayTaus::Fixed(tau) => theta.zeros_like() + tau,
            DecayTaus::Trained(low, high) => {
                burn::tensor::activation::sigmoid(theta) * (high - low) + low
            }
        }
    }
}

impl<B: Recurrence> RateModel<B> {
    /// The outputs, B × (T − 1)·K.
    pub fn forward(&self, drive: Arc<Drive>) -> Tensor<B, 2> {
        let arguments = Arguments {
            w: self.weights().into_primitive().tensor(),
            w_in: self.w_in.val().into_primitive().tensor(),
            w_out: self.w_out.val().into_primitive().tensor(),
            b_out: self.b_out.val().into_primitive().tensor(),
            tau: self.decay().into_primitive().tensor(),
        };
        Tensor::from_primitive(TensorPrimitive::Float(B::recurrence(arguments, drive)))
    }
}
