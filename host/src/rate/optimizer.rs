//! The published optimiser.

use burn::backend::Autodiff;
use burn::backend::autodiff::grads::Gradients;
use burn::module::Param;
use burn::optim::{Adam, AdamConfig, AdamState, LearningRate, SimpleOptimizer};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use burn::tensor::ops::Device;

use super::model::RateModel;

/// ε of TensorFlow's Adam.
const EPSILON: f32 = 1e-8;

/// β₂, Burn's default too.
const BETA_2: f32 = 0.999;

/// Burn's Adam with the ε of TensorFlow's. Both divide by √v̂ + ε, but
/// TensorFlow takes v̂ before the correction of its bias and Burn after it, so
/// that an equal ε differs where gradients are small, in the first updates.
#[derive(Clone, Debug)]
pub struct PublishedAdam;

impl PublishedAdam {
    /// Burn's Adam for the `update`-th update, counted from 1.
    fn at(update: usize) -> Adam {
        let correction = (1.0 - BETA_2.powi(update.min(100_000) as i32)).sqrt();
        AdamConfig::new()
            .with_beta_2(BETA_2)
            .with_epsilon(EPSILON / correction)
            .build()
    }
}

impl<B: Backend> SimpleOptimizer<B> for PublishedAdam {
    type State<const D: usize> = AdamState<B, D>;

    fn step<const D: usize>(
        &self,
        rate: LearningRate,
        tensor: Tensor<B, D>,
        gradient: Tensor<B, D>,
        state: Option<Self::State<D>>,
    ) -> (Tensor<B, D>, Option<Self::State<D>>) {
        let update = state.as_ref().map_or(1, |state| state.momentum.time + 1);
        Self::at(update).step(rate, tensor, gradient, state)
    }

    fn to_device<const D: usize>(state: Self::State<D>, device: &Device<B>) -> Self::State<D> {
        Adam::to_device(state, device)
    }
}

/// How far an update goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// Adam's rate.
    pub rate: LearningRate,
    /// Share of each weight that goes before Adam's step, times the rate. Offsets and time
    /// constants do not decay. I. Loshchilov and F. Hutter, Decoupled weight decay
    /// regularization, ICLR 2019, arXiv 1711.05101.
    pub weight_decay: f64,
}

impl Rates {
    /// No weight decays, as published.
    pub fn plain(rate: LearningRate) -> Self {
        Self {
            rate,
            weight_decay: 0.0,
        }
    }
}

/// The moments of every parameter of a [`RateModel`]; none before its first
/// gradient, and where it is not trained.
#[derive(Clone)]
pub struct RateAdam<B: Backend> {
    pub(super) w: Option<AdamState<B, 2>>,
    pub(super) w_in: Option<AdamState<B, 2>>,
    pub(super) w_out: Option<AdamState<B, 2>>,
    pub(super) b_out: Option<AdamState<B, 1>>,
    pub(super) tau_theta: Option<AdamState<B, 1>>,
}

impl<B: Backend> RateAdam<B> {
    /// The state before the first update.
    pub fn new() -> Self {
        Self {
            w: None,
            w_in: None,
            w_out: None,
            b_out: None,
            tau_theta: None,
        }
    }

    /// The model after one update by the gradient of `loss`, a single number.
    pub fn step(
        &mut self,
        rates: Rates,
        mut model: RateModel<Autodiff<B>>,
        loss: Tensor<Autodiff<B>, 1>,
    ) -> RateModel<Autodiff<B>> {
        let gradients = &mut loss.backward();
        let plain = Rates::plain(rates.rate);
        model.w = stepped(rates, model.w, gradients, &mut self.w);
        model.w_in = stepped(rates, model.w_in, gradients, &mut self.w_in);
        model.w_out = stepped(rates, model.w_out, gradients, &mut self.w_out);
        model.b_out = stepped(plain, model.b_out, gradients, &mut self.b_out);
        model.tau_theta = stepped(plain, model.tau_theta, gradients, &mut self.tau_theta);
        model
    }
}

impl<B: Backend> Default for RateAdam<B> {
    fn default() -> Self {
        Self::new()
    }
}

/// A parameter after Adam's step; the same one where it has no gradient.
fn stepped<B: Backend, const D: usize>(
    rates: Rates,
    param: Param<Tensor<Autodiff<B>, D>>,
    gradients: &mut Gradients,
    state: &mut Option<AdamState<B, D>>,
) -> Param<Tensor<Autodiff<B>, D>> {
    let Some(gradient) = param.grad_remove(gradients) else {
        return param;
    };
    param.map(|value| {
        let Rates { rate, weight_decay } = rates;
        let mut value = value.inner();
        if weight_decay > 0.0 {
            value = value * (1.0 - rate * weight_decay);
        }
        let (next, after) = PublishedAdam.step(rate, value, gradient, state.take());
        *state = after;
        Tensor::from_inner(next).require_grad()
    })
}
