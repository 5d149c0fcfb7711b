//! The arrays of K networks. The letters of the shapes are those of [`super`].

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use super::trials::Trials;
use crate::rate::activation::Activation;

/// The numbers that the recurrence of K networks depends on.
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
    /// The matrix A: the weights with the readout as their last row, K × (N + 1) × N.
    pub fn with_readout(&self) -> Tensor<B, 3> {
        Tensor::cat(vec![self.w.clone(), self.w_out.clone().unsqueeze_dim(1)], 1)
    }
}

/// The trials and the noise that drive K networks, B trials each.
#[derive(Clone, Debug)]
pub struct Drive<B: Backend> {
    /// φ.
    pub activation: Activation,
    /// Strength of the fluctuations of r.
    pub fluctuations: f32,
    /// Trials and noise.
    pub trials: Trials<B>,
}

/// The arrays that a forward pass leaves for the adjoint.
#[derive(Clone, Debug)]
pub struct Trajectory<B: Backend> {
    /// r[0 … T−1], K × T × B × N.
    pub r: Tensor<B, 4>,
    /// φ'(x[1 … T−1]), K × (T − 1) × B × N.
    pub slope: Tensor<B, 4>,
    /// g[1 … T−1], K × (T − 1) × B × N.
    pub drift: Tensor<B, 4>,
}

/// The result of the adjoint at each step; the products over time follow from it.
#[derive(Clone, Debug)]
pub struct Costate<B: Backend> {
    /// z[0 … T−1], K × T × B × (N + 1).
    pub z: Tensor<B, 4>,
    /// ᾱ of each trial, K × B × N.
    pub by_alpha: Tensor<B, 3>,
}
