//! The recurrence of K networks and its adjoint by tensor operations: on any
//! back end, and the one to compare the kernels with. Equations and shapes are
//! in [`super`].

use burn::tensor::activation::{sigmoid, softplus};
use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor, s};

use super::arrays::{Costate, Couplings, Drive, Trajectory};
use crate::rate::activation::{Activation, CLIP};

/// The outputs, K × B × (T − 1), and the arrays that the adjoint needs.
pub fn forward<B: Backend>(
    couplings: &Couplings<B>,
    drive: &Drive<B>,
) -> (Tensor<B, 3>, Trajectory<B>) {
    let trials = &drive.trials;
    let [_, samples, _, n] = trials.current.dims();
    let alpha = couplings.tau.clone().recip().unsqueeze_dim::<3>(1);
    let weights = couplings.with_readout().swap_dims(1, 2);
    let at = |steps: &Tensor<B, 4>, t: usize| steps.clone().slice_dim(1, t..t + 1).squeeze_dim(1);
    let mut x: Tensor<B, 3> = trials.start.clone();
    let (mut r, _) = activate(&drive.activation, x.clone());
    let mut flutter = Flutter::new(drive.fluctuations, &couplings.tau, &r);
    let (mut rates, mut slopes, mut drifts) = (vec![r.clone()], Vec::new(), Vec::new());
    let mut outputs = Vec::new();
    for t in 0..samples {
        let product = r.clone().matmul(weights.clone());
        if t > 0 {
            outputs.push(product.clone().slice(s![.., .., n..]));
        }
        if t + 1 == samples {
            break;
        }
        let drift = product.slice(s![.., .., ..n]) + at(&trials.current, t) - x.clone();
        x = x + alpha.clone() * drift.clone();
        if let Some(noise) = &trials.noise {
            x = x + at(noise, t + 1);
        }
        let slope;
        (r, slope) = activate(&drive.activation, x.clone());
        if let Some(deviates) = &trials.fluctuations {
            r = flutter.add(r, at(deviates, t + 1));
        }
        rates.push(r.clone());
        slopes.push(slope);
        drifts.push(drift);
    }
    let outputs = Tensor::cat(outputs, 2) + couplings.b_out.clone().unsqueeze_dim(2);
    let trajectory = Trajectory {
        r: Tensor::stack(rates, 1),
        slope: Tensor::stack(slopes, 1),
        drift: Tensor::stack(drifts, 1),
    };
    (outputs, trajectory)
}

/// The adjoint through time, from the derivative of the loss by the outputs,
/// K × B × (T − 1).
pub fn costate<B: Backend>(
    couplings: &Couplings<B>,
    trajectory: &Trajectory<B>,
    by_output: Tensor<B, 3>,
) -> Costate<B> {
    let steps = trajectory.slope.dims()[1];
    let alpha = couplings.tau.clone().recip().unsqueeze_dim::<3>(1);
    let weights = couplings.with_readout();
    let at = |steps: &Tensor<B, 4>, t: usize| steps.clone().slice_dim(1, t..t + 1).squeeze_dim(1);
    // ō[0 … T−1]; the first output is that of t = 1.
    let by_output = Tensor::cat(
        vec![by_output.clone().slice_dim(2, 0..1).zeros_like(), by_output],
        2,
    );
    let by_output = |t: usize| by_output.clone().slice_dim(2, t..t + 1);
    let mut by_x: Tensor<B, 3> = at(&trajectory.slope, 0).zeros_like();
    let mut by_alpha = by_x.clone();
    let mut z = Tensor::cat(vec![by_x.clone(), by_output(steps)], 2);
    let mut all = vec![z.clone()];
    for t in (1..=steps).rev() {
        let by_r = z.matmul(weights.clone());
        let total = by_x + at(&trajectory.slope, t - 1) * by_r;
        let y = alpha.clone() * total.clone();
        by_alpha = by_alpha + total.clone() * at(&trajectory.drift, t - 1);
        by_x = total - y.clone();
        z = Tensor::cat(vec![y, by_output(t - 1)], 2);
        all.push(z.clone());
    }
    all.reverse();
    Costate {
        z: Tensor::stack(all, 1),
        by_alpha,
    }
}

/// The gradient, from the adjoint through time: one `product` for each network.
pub fn gradient<B: Backend>(
    couplings: &Couplings<B>,
    trajectory: &Trajectory<B>,
    costate: Costate<B>,
    by_output: Tensor<B, 3>,
    product: impl FnOnce(Tensor<B, 3>, Tensor<B, 3>) -> Tensor<B, 3>,
) -> Couplings<B> {
    let [k, samples, trials, n] = trajectory.r.dims();
    let rows = samples * trials;
    let z = costate.z.reshape([k, rows, n + 1]).swap_dims(1, 2);
    let by_weights = product(z, trajectory.r.clone().reshape([k, rows, n]));
    let by_alpha = costate.by_alpha.sum_dim(1).squeeze_dim(1);
    Couplings {
        w: by_weights.clone().slice(s![.., ..n, ..]),
        w_out: by_weights.slice(s![.., n.., ..]).squeeze_dim(1),
        b_out: by_output.sum_dim(2).sum_dim(1).squeeze_dim(2),
        tau: -by_alpha / couplings.tau.clone().square(),
    }
}

/// r = φ(x) and φ'(x).
fn activate<B: Backend>(activation: &Activation, x: Tensor<B, 3>) -> (Tensor<B, 3>, Tensor<B, 3>) {
    match activation {
        Activation::Sigmoid => {
            let r = sigmoid(x);
            let slope = r.clone() * (-r.clone() + 1.0);
            (r, slope)
        }
        Activation::ClippedRelu => {
            let inside =
                x.clone().greater_elem(0.0).float() * x.clone().lower_equal_elem(CLIP).float();
            (x.clamp(0.0, CLIP), inside)
        }
        Activation::Softplus => {
            let value = softplus(x.clone(), 1.0);
            let inside = value.clone().lower_equal_elem(CLIP).float();
            (value.clamp_max(CLIP), sigmoid(x) * inside)
        }
        Activation::Table(table) => {
            let shape = x.dims();
            let last = (table.values.len() - 1) as f32;
            let position = (x - table.low) * table.density;
            let inside = position.clone().clamp(0.0, last - 1e-3);
            let unclamped = inside.clone().equal(position);
            let index = inside.clone().floor().int();
            let share = inside - index.clone().float();
            let values = Tensor::<B, 1>::from_floats(table.values.as_slice(), &share.device());
            let at = |index: Tensor<B, 3, Int>| {
                let index = index.reshape([shape.iter().product::<usize>()]);
                values.clone().select(0, index).reshape(shape)
            };
            let here = at(index.clone());
            let step = at(index + 1) - here.clone();
            let slope = step.clone() * table.density * unclamped.float();
            (here + share * step, slope)
        }
    }
}

/// The amount that a unit deviate adds to the fluctuation of r at r = 1, for strength c:
/// √(c (1 − (1 − 1/τ)²) / (2τ)), K × N.
pub fn kick<B: Backend>(strength: f32, tau: Tensor<B, 2>) -> Tensor<B, 2> {
    let keep = -tau.clone().recip() + 1.0;
    ((-keep.square() + 1.0) * strength / (tau * 2.0)).sqrt()
}

/// The fluctuations of r, K × B × N.
struct Flutter<B: Backend> {
    state: Tensor<B, 3>,
    /// 1 − 1/τ, K × 1 × N.
    keep: Tensor<B, 3>,
    /// K × 1 × N.
    kick: Tensor<B, 3>,
}

impl<B: Backend> Flutter<B> {
    fn new(strength: f32, tau: &Tensor<B, 2>, r: &Tensor<B, 3>) -> Self {
        let keep = -tau.clone().recip() + 1.0;
        Self {
            state: r.zeros_like(),
            keep: keep.unsqueeze_dim(1),
            kick: kick(strength, tau.clone()).unsqueeze_dim(1),
        }
    }

    fn add(&mut self, r: Tensor<B, 3>, deviates: Tensor<B, 3>) -> Tensor<B, 3> {
        let kicked = self.kick.clone() * r.clone().clamp_min(0.0).sqrt() * deviates;
        self.state = self.keep.clone() * self.state.clone() + kicked;
        r + self.state.clone()
    }
}
