//! The published optimiser.

use burn::module::AutodiffModule;
use burn::optim::adaptor::OptimizerAdaptor;
use burn::optim::{Adam, AdamConfig, AdamState, LearningRate, SimpleOptimizer};
use burn::tensor::Tensor;
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::ops::Device;

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

/// The optimiser of a module.
pub fn adam<B: AutodiffBackend, M: AutodiffModule<B>>() -> OptimizerAdaptor<PublishedAdam, M, B> {
    OptimizerAdaptor::from(PublishedAdam)
}
