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
use super::connections::Connections;
use super::network::RateNetwork;
use super::options::DecayTaus;
use super::recurrence::{self, Gradient, LossSlope, Parameters, Sought, Trajectory};
use super::sparse::{self, pays};
use crate::readout::Readout;

/// The trained parameters of a rate network, and what is fixed beside them.
#[derive(Module, Debug)]
pub struct RateModel<B: Backend> {
    /// Recurrent weights before Dale's principle: N × N, or 1 × the existing ones where few
    /// exist.
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
    /// Sign of the sender and forbidden weights in one, in the shape of `w`.
    mask: Tensor<B, 2>,
    /// The weights that exist, where `w` has these alone.
    #[module(skip)]
    connections: Option<Arc<Connections>>,
    /// See [`RateModel::as_published`].
    #[module(skip)]
    published: bool,
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
    /// Weight of the mean rate in the loss.
    pub rate_penalty: f32,
    /// Trials and noise.
    pub batch: Batch,
}

impl Drive {
    /// The derivative of the penalty, which is `rate_penalty` times the mean of r over units,
    /// trials and t = 1 … T−1, by one of these rates.
    fn by_rate(&self, units: usize) -> f32 {
        let rates = units * self.batch.trials * (self.batch.samples - 1);
        self.rate_penalty / rates as f32
    }
}

/// Tensors that the recurrence depends on: w N × N or 1 × the existing weights, w_in
/// N × channels, w_out K × N, b_out K, τ N. The current that w_in makes of the inputs is in
/// [`Batch::current`].
pub struct Arguments<B: Backend> {
    connections: Option<Arc<Connections>>,
    published: bool,
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

/// The numbers that the recurrence depends on, in the form in which they are used.
#[derive(Debug)]
enum Form {
    /// All weights, or the existing ones of which a product may take all.
    Dense {
        parameters: Parameters,
        /// True if the derivatives by the weights are sums in the order of those of all weights.
        published: bool,
    },
    /// The weights that exist, and trials side by side.
    Sparse(sparse::Parameters),
}

impl Form {
    /// N.
    fn units(&self) -> usize {
        match self {
            Self::Dense { parameters, .. } => parameters.tau.len(),
            Self::Sparse(parameters) => parameters.tau.len(),
        }
    }
}

/// The arrays that a forward pass leaves for the adjoint.
#[derive(Debug)]
enum Passed {
    Dense(Trajectory),
    Sparse(sparse::Trajectory),
}

impl<B: Backend> Arguments<B> {
    /// The form for `batch`.
    fn form(self, batch: &Batch) -> Form {
        let w = values::<B>(self.w);
        let readout = Readout {
            weights: values::<B>(self.w_out),
            offset: values::<B>(self.b_out),
        };
        let tau = values::<B>(self.tau);
        let published = self.published;
        let sparse = |connections: &Connections| {
            // Words are drawn for trials side by side alone, which direct inputs do not have.
            !batch.direct && (batch.words.is_some() || pays(batch.trials, connections))
        };
        match self.connections {
            Some(connections) if !published && sparse(&connections) => {
                Form::Sparse(sparse::Parameters {
                    connections,
                    w,
                    readout,
                    tau,
                })
            }
            connections => Form::Dense {
                parameters: Parameters {
                    w,
                    connections,
                    readout,
                    tau,
                },
                published,
            },
        }
    }
}

fn forward<B: Backend>(form: &Form, drive: &Drive) -> (FloatTensor<B>, Passed) {
    let Drive {
        activation,
        fluctuations,
        batch,
        ..
    } = drive;
    let (outputs, passed) = match form {
        Form::Dense { parameters, .. } => {
            let (outputs, trajectory) =
                recurrence::forward(parameters, activation, *fluctuations, batch);
            (outputs, Passed::Dense(trajectory))
        }
        Form::Sparse(parameters) => {
            let (outputs, trajectory) =
                sparse::forward(parameters, activation, *fluctuations, batch);
            (outputs, Passed::Sparse(trajectory))
        }
    };
    let width = outputs.len() / batch.trials;
    (tensor::<B>(outputs, [batch.trials, width]), passed)
}

/// The gradient of a pass; that of the input weights if `inputs` is set.
fn gradient(
    form: &Form,
    passed: &Passed,
    drive: &Drive,
    by_output: &[f32],
    inputs: bool,
) -> Gradient {
    let batch = &drive.batch;
    let slope = LossSlope {
        by_output,
        by_rate: drive.by_rate(form.units()),
    };
    match (form, passed) {
        (
            Form::Dense {
                parameters,
                published,
            },
            Passed::Dense(trajectory),
        ) => {
            let connections = &parameters.connections;
            let sought = Sought {
                inputs,
                connections: connections.as_deref().filter(|_| !published),
            };
            let mut gradient = recurrence::adjoint(parameters, batch, trajectory, slope, sought);
            if let (Some(connections), true) = (connections, published) {
                gradient.w = connections.taken_from(&gradient.w);
            }
            gradient
        }
        (Form::Sparse(parameters), Passed::Sparse(trajectory)) => {
            sparse::adjoint(parameters, batch, trajectory, slope, inputs)
        }
        _ => unreachable!("a pass has the form of its parameters"),
    }
}

impl Recurrence for burn::backend::Flex {
    fn recurrence(arguments: Arguments<Self>, drive: Arc<Drive>) -> FloatTensor<Self> {
        forward::<Self>(&arguments.form(&drive.batch), &drive).0
    }
}

/// The adjoint of the recurrence, as a node of the graph.
#[derive(Debug)]
struct RecurrenceAdjoint;

impl<B: Backend> Backward<B, 5> for RecurrenceAdjoint {
    type State = Arc<(Form, Arc<Drive>, Passed)>;

    fn backward(
        self,
        ops: Ops<Self::State, 5>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let (form, drive, passed) = &*ops.state;
        let by_output = values::<B>(gradients.consume::<B>(&ops.node));
        let inputs = ops.parents[1].is_some();
        let gradient = gradient(form, passed, drive, &by_output, inputs);
        let (n, k) = (gradient.tau.len(), gradient.readout.outputs());
        let channels = gradient.w_in.len() / n;
        let all = match form {
            Form::Dense { parameters, .. } => parameters.connections.is_none(),
            Form::Sparse(_) => false,
        };
        let rows = if all { n } else { 1 };
        let columns = gradient.w.len() / rows;
        let tensors = [
            (gradient.w, vec![rows, columns]),
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
            connections,
            published,
            w,
            w_in,
            w_out,
            b_out,
            tau,
        } = arguments;
        let nodes = [&w, &w_in, &w_out, &b_out, &tau].map(|tensor| tensor.node.clone());
        let inner = Arguments::<B> {
            connections,
            published,
            w: w.primitive,
            w_in: w_in.primitive,
            w_out: w_out.primitive,
            b_out: b_out.primitive,
            tau: tau.primitive,
        };
        let form = inner.form(&drive.batch);
        let (outputs, passed) = forward::<B>(&form, &drive);
        match RecurrenceAdjoint
            .prepare::<C>(nodes)
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => prep.finish(Arc::new((form, drive, passed)), outputs),
            OpsKind::UnTracked(prep) => prep.finish(outputs),
        }
    }
}

impl<B: Backend> RateModel<B> {
    /// The module with the numbers of `network`: with its existing weights alone, where
    /// these are few.
    pub fn new(network: &RateNetwork) -> Self {
        Self::with_connections(network, Connections::if_sparse(network))
    }

    /// The module with the numbers of `network`: with these weights alone, or with all.
    pub fn with_connections(network: &RateNetwork, connections: Option<Connections>) -> Self {
        let device = B::Device::default();
        let (n, k) = (network.units, network.readout.outputs());
        let vector = |values: &[f32]| Tensor::<B, 1>::from_floats(values, &device);
        let matrix = |values: Vec<f32>, rows: usize| {
            Tensor::<B, 2>::from_data(TensorData::new(values, [rows, n]), &device)
        };
        let weights = |all: Vec<f32>| match &connections {
            Some(connections) => {
                let existing = connections.taken_from(&all);
                let shape = [1, existing.len()];
                Tensor::<B, 2>::from_data(TensorData::new(existing, shape), &device)
            }
            None => matrix(all, n),
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
        // The published conversion leaves the offset out: a network that is trained for
        // it does without. That of a network for a data set is kept.
        let offset = network.activation != ActivationKind::Lif || network.direct_inputs;
        Self {
            w: Param::from_tensor(weights(network.w.clone())),
            w_in: Param::from_tensor(w_in).set_require_grad(false),
            w_out: Param::from_tensor(matrix(network.readout.weights.clone(), k)),
            b_out: Param::from_tensor(vector(&network.readout.offset)).set_require_grad(offset),
            tau_theta: Param::from_tensor(vector(&network.tau_theta)).set_require_grad(trained),
            mask: weights(mask.collect()),
            connections: connections.map(Arc::new),
            published: false,
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
        let w = numbers(w.into_data());
        match &self.connections {
            Some(connections) => {
                if self.dale {
                    network.w.iter_mut().for_each(|w| *w = w.max(0.0));
                }
                connections.put_into(&w, &mut network.w);
            }
            None => network.w = w,
        }
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

    /// The same module, which multiplies with all weights and sums the derivatives in that
    /// order, as a published training does. Adam and the module still have the existing weights
    /// alone.
    pub fn as_published(mut self) -> Self {
        self.published = true;
        self
    }

    /// Input weights, N × channels.
    pub fn input_weights(&self) -> Vec<f32> {
        let data = self.w_in.val().into_data().convert::<f32>();
        data.into_vec().expect("the data were converted to f32")
    }

    /// True if the batches of this number of trials are drawn as words, which the trials
    /// side by side take.
    pub fn takes_words(&self, trials: usize) -> bool {
        let connections = self.connections.as_deref();
        !self.published && connections.is_some_and(|connections| pays(trials, connections))
    }

    /// Numbers that belong to the weights of the module, N × N; zero where none exists.
    pub fn spread(&self, values: &[f32]) -> Vec<f32> {
        match &self.connections {
            Some(connections) => connections.matrix(values),
            None => values.to_vec(),
        }
    }

    /// Effective weights, in the shape of `w`.
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
            connections: self.connections.clone(),
            published: self.published,
            w: self.weights().into_primitive().tensor(),
            w_in: self.w_in.val().into_primitive().tensor(),
            w_out: self.w_out.val().into_primitive().tensor(),
            b_out: self.b_out.val().into_primitive().tensor(),
            tau: self.decay().into_primitive().tensor(),
        };
        Tensor::from_primitive(TensorPrimitive::Float(B::recurrence(arguments, drive)))
    }
}
