//! K rate networks as one Burn module.

use std::sync::Arc;

use burn::backend::Autodiff;
use burn::module::{AutodiffModule, Module, Param};
use burn::optim::{AdamState, SimpleOptimizer};
use burn::tensor::activation::{relu, sigmoid};
use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor, TensorData};

use super::arrays::{Couplings, Drive};
use super::operations;
use super::side_by_side::{SideBySide, recurrence};
use crate::rate::activation::ActivationKind;
use crate::rate::network::RateNetwork;
use crate::rate::optimizer::PublishedAdam;
use crate::rate::options::{DecayTaus, Loss};
use crate::readout::Readout;

/// The trained parameters of K networks of one shape, and what is fixed beside
/// them.
#[derive(Module, Debug)]
pub struct EnsembleModel<B: Backend> {
    /// Recurrent weights before Dale's principle, K × N × N.
    pub w: Param<Tensor<B, 3>>,
    /// Readout weights, K × N.
    pub w_out: Param<Tensor<B, 2>>,
    /// Offsets of the outputs, K × 1; without gradient if the spiking neuron's
    /// own activation is trained.
    pub b_out: Param<Tensor<B, 2>>,
    /// θ of the decay time constants, K × N; without gradient if they are
    /// fixed.
    pub tau_theta: Param<Tensor<B, 2>>,
    /// Sign of the sender and forbidden weights in one, K × N × N.
    mask: Tensor<B, 3>,
    #[module(skip)]
    dale: bool,
    #[module(skip)]
    taus: DecayTaus,
}

/// Burn's Adam, as published, for the parameters of K networks at once.
#[derive(Clone)]
pub struct EnsembleAdam<B: Backend> {
    w: Option<AdamState<B, 3>>,
    w_out: Option<AdamState<B, 2>>,
    b_out: Option<AdamState<B, 2>>,
    tau_theta: Option<AdamState<B, 2>>,
}

impl<B: Backend> EnsembleModel<B> {
    /// The module with the numbers of `networks`, all of one shape.
    pub fn new(networks: &[Arc<RateNetwork>], device: &B::Device) -> Self {
        let first = networks.first().expect("at least one network");
        let (k, n) = (networks.len(), first.units);
        let joined = |values: fn(&RateNetwork) -> Vec<f32>| -> Vec<f32> {
            networks
                .iter()
                .flat_map(|network| values(network))
                .collect()
        };
        let rows = |values: Vec<f32>, width: usize| {
            Tensor::<B, 2>::from_data(TensorData::new(values, [k, width]), device)
        };
        let matrices = |values: Vec<f32>| {
            Tensor::<B, 3>::from_data(TensorData::new(values, [k, n, n]), device)
        };
        let trained = matches!(first.taus, DecayTaus::Trained(..));
        let offset = first.activation != ActivationKind::Lif;
        Self {
            w: Param::from_tensor(matrices(joined(|network| network.w.clone()))),
            w_out: Param::from_tensor(rows(joined(|network| network.readout.weights.clone()), n)),
            b_out: Param::from_tensor(rows(joined(|network| network.readout.offset.clone()), 1))
                .set_require_grad(offset),
            tau_theta: Param::from_tensor(rows(joined(|network| network.tau_theta.clone()), n))
                .set_require_grad(trained),
            mask: matrices(joined(signed_mask)),
            dale: first.dale,
            taus: first.taus,
        }
    }

    /// The networks in these places.
    pub fn select(&self, places: &[usize]) -> Self {
        let device = self.mask.device();
        let places = indices(places, &device);
        // Detached, so that the graph of what was selected from can go.
        let matrix = |tensor: Tensor<B, 3>| tensor.select(0, places.clone()).detach();
        let row = |param: &Param<Tensor<B, 2>>| {
            let tensor = param.val().select(0, places.clone()).detach();
            Param::from_tensor(tensor).set_require_grad(param.val().is_require_grad())
        };
        Self {
            w: Param::from_tensor(matrix(self.w.val())),
            w_out: row(&self.w_out),
            b_out: row(&self.b_out),
            tau_theta: row(&self.tau_theta),
            mask: matrix(self.mask.clone()),
            dale: self.dale,
            taus: self.taus,
        }
    }

    /// The numbers of the module, in place of those of `networks`. Under Dale's
    /// principle the raw weights are stored after relu, as the published code
    /// stores them.
    pub fn store(&self, networks: &mut [RateNetwork]) {
        let numbers = |data: TensorData| -> Vec<f32> {
            let data = data.convert::<f32>();
            data.into_vec().expect("the data were converted to f32")
        };
        let n = self.w_out.dims()[1];
        let w = numbers(self.raw_weights().into_data());
        let w_out = numbers(self.w_out.val().into_data());
        let b_out = numbers(self.b_out.val().into_data());
        let tau_theta = numbers(self.tau_theta.val().into_data());
        for (k, network) in networks.iter_mut().enumerate() {
            network.w = w[k * n * n..(k + 1) * n * n].to_vec();
            network.readout = Readout::single(w_out[k * n..(k + 1) * n].to_vec(), b_out[k]);
            network.tau_theta = tau_theta[k * n..(k + 1) * n].to_vec();
        }
    }

    fn raw_weights(&self) -> Tensor<B, 3> {
        let w = self.w.val();
        if self.dale { relu(w) } else { w }
    }

    /// The numbers that the recurrence depends on.
    pub fn couplings(&self) -> Couplings<B> {
        let theta = self.tau_theta.val();
        Couplings {
            w: self.raw_weights() * self.mask.clone(),
            w_out: self.w_out.val(),
            b_out: self.b_out.val(),
            tau: match self.taus {
                DecayTaus::Fixed(tau) => theta.zeros_like() + tau,
                DecayTaus::Trained(low, high) => sigmoid(theta) * (high - low) + low,
            },
        }
    }
}

impl<B: Backend> EnsembleModel<B> {
    /// The outputs, K × B × (T − 1), by Burn's own operations one after the other:
    /// slow, and independent of the adjoint that training uses.
    pub fn by_operations(&self, drive: &Drive<B>) -> Tensor<B, 3> {
        operations::forward(&self.couplings(), drive).0
    }
}

impl<B: SideBySide> EnsembleModel<Autodiff<B>> {
    /// The outputs, K × B × (T − 1).
    pub fn forward(&self, drive: &Drive<B>) -> Tensor<Autodiff<B>, 3> {
        recurrence(self.couplings(), drive)
    }

    /// The outputs, K × B × (T − 1), without what only a gradient needs.
    pub fn outputs(&self, drive: &Drive<B>) -> Tensor<B, 3> {
        B::outputs(&self.valid().couplings(), drive)
    }
}

/// The mean loss of the trials of each network, K, from outputs and targets,
/// both K × B × (T − 1).
pub fn losses<B: Backend>(outputs: Tensor<B, 3>, target: Tensor<B, 3>, loss: Loss) -> Tensor<B, 1> {
    let error = outputs - target;
    let of_trials = match loss {
        Loss::L1 => error.abs().sum_dim(2),
        Loss::L2 => error.square().sum_dim(2).sqrt(),
        Loss::CrossEntropy => unreachable!("`train_many` refuses it"),
    };
    of_trials.mean_dim(1).flatten(0, 2)
}

impl<B: SideBySide> EnsembleAdam<B> {
    /// The state before the first update.
    pub fn new() -> Self {
        Self {
            w: None,
            w_out: None,
            b_out: None,
            tau_theta: None,
        }
    }

    /// Makes one update, each network at its own rate, from the gradient of `loss`, a
    /// single number.
    pub fn step(
        &mut self,
        rates: &[f64],
        model: EnsembleModel<Autodiff<B>>,
        loss: Tensor<Autodiff<B>, 1>,
    ) -> EnsembleModel<Autodiff<B>> {
        let mut gradients = loss.backward();
        macro_rules! stepped {
            ($field:ident) => {
                match model.$field.grad_remove(&mut gradients) {
                    None => model.$field,
                    Some(gradient) => model.$field.map(|value| {
                        let value = stepped(rates, value.inner(), gradient, &mut self.$field);
                        Tensor::from_inner(value).require_grad()
                    }),
                }
            };
        }
        EnsembleModel {
            w: stepped!(w),
            w_out: stepped!(w_out),
            b_out: stepped!(b_out),
            tau_theta: stepped!(tau_theta),
            ..model
        }
    }

    /// The states of the networks in these places.
    pub fn select(self, places: &[usize]) -> Self {
        Self {
            w: self.w.map(|state| selected(state, places)),
            w_out: self.w_out.map(|state| selected(state, places)),
            b_out: self.b_out.map(|state| selected(state, places)),
            tau_theta: self.tau_theta.map(|state| selected(state, places)),
        }
    }
}

impl<B: SideBySide> Default for EnsembleAdam<B> {
    fn default() -> Self {
        Self::new()
    }
}

/// A parameter of K networks after Adam's step. Burn's Adam knows a single rate:
/// where the networks differ, its step at rate one is scaled for each.
fn stepped<B: Backend, const D: usize>(
    rates: &[f64],
    value: Tensor<B, D>,
    gradient: Tensor<B, D>,
    state: &mut Option<AdamState<B, D>>,
) -> Tensor<B, D> {
    let uniform = rates.windows(2).all(|pair| pair[0] == pair[1]);
    let rate = if uniform { rates[0] } else { 1.0 };
    let (next, after) = PublishedAdam.step(rate, value.clone(), gradient, state.take());
    *state = after;
    if uniform {
        return next;
    }
    let rates: Vec<f32> = rates.iter().map(|&rate| rate as f32).collect();
    let mut shape = [1; D];
    shape[0] = rates.len();
    let rates = Tensor::<B, D>::from_data(TensorData::new(rates, shape), &value.device());
    value.clone() + rates * (next - value)
}

fn selected<B: Backend, const D: usize>(
    mut state: AdamState<B, D>,
    places: &[usize],
) -> AdamState<B, D> {
    let momentum = &mut state.momentum;
    let places = indices(places, &momentum.moment_1.device());
    momentum.moment_1 = momentum.moment_1.clone().select(0, places.clone());
    momentum.moment_2 = momentum.moment_2.clone().select(0, places);
    state
}

fn indices<B: Backend>(places: &[usize], device: &B::Device) -> Tensor<B, 1, Int> {
    let places: Vec<i32> = places.iter().map(|&k| k as i32).collect();
    Tensor::from_data(TensorData::from(places.as_slice()), device)
}

/// Sign of the sender and forbidden weights in one, N × N.
fn signed_mask(network: &RateNetwork) -> Vec<f32> {
    let signs = network.signs();
    let masks = network.som_mask.iter().enumerate();
    masks
        .map(|(k, mask)| mask * signs[k % network.units])
        .collect()
}
