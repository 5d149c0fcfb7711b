//! The recurrence over time, and its adjoint.
//!
//! Shapes: N units, B trials, T samples, K outputs; arrays are T × B × N, outputs
//! B × (T − 1) × K, readout weights w_out K × N, recurrent weights N × N
//! row by row (`w[i, j]` from j to i). With α_i = 1/τ_i, I = W r[t−1] + input:
//!
//! ```text
//! forward    g[t] = I − x[t−1]                    adjoint   y[t] = α ∘ x̄[t]
//!            x[t] = x[t−1] + α ∘ g[t] + noise               r̄[t] = w_out ō[t] + Wᵀ y[t+1]
//!            r[t] = φ(x[t]) + fluctuation                   x̄[t] = φ'(x[t]) ∘ r̄[t] + (1 − α) ∘ x̄[t+1]
//!            o[t] = w_out · r[t] + b_out                    W̄ = Σ y[t] r[t−1]ᵀ,  ᾱ = Σ x̄[t] ∘ g[t]
//!                                                           W̄_in = Σ y[t] u[t−1]ᵀ
//! ```
//!
//! Direct inputs do not pass the synapses, and the readout takes the filtered rates s, both
//! as in the spiking network:
//!
//! ```text
//! I = W r[t−1]      r[t] = φ(x[t] + w_in u[t−1])      W̄_in = Σ (φ' ∘ r̄)[t] u[t−1]ᵀ
//! s[t] = s[t−1] + α ∘ (r[t] − s[t−1])                 s̄[t] = w_out ō[t] + (1 − α) ∘ s̄[t+1]
//! o[t] = w_out · (s[t] + fluctuation) + b_out         r̄[t] = α ∘ s̄[t] + Wᵀ y[t+1]
//!                                                     ᾱ gains Σ s̄[t] ∘ (r[t] − s[t−1])
//! ```
//!
//! A bar marks the derivative of the loss. A penalty on the rates adds a constant to each
//! `r̄[t]`. The fluctuation of r stands for the
//! irregularity of the spike trains that will replace it: an
//! Ornstein–Uhlenbeck process with time constant τ_i and variance c·r/(2τ_i),
//! through which no derivative is taken.

use std::borrow::Cow;
use std::sync::Arc;

use gemm::{Parallelism, gemm};

use super::activation::Activation;
use super::batch::Batch;
use super::connections::Connections;
use super::matvec::Columns;
use super::network::RateNetwork;
use super::packed::Packed;
use super::spare::Spare;
use crate::readout::Readout;

/// The numbers that the recurrence depends on.
#[derive(Clone, Debug)]
pub struct Parameters {
    /// Effective weights: N × N, or the existing ones alone.
    pub w: Vec<f32>,
    /// The weights that exist, where `w` has these alone.
    pub connections: Option<Arc<Connections>>,
    /// The readout, K × N.
    pub readout: Readout<f32>,
    /// Decay time constants in steps, N.
    pub tau: Vec<f32>,
}

impl RateNetwork {
    /// The numbers that the recurrence depends on.
    pub fn parameters(&self) -> Parameters {
        Parameters {
            w: self.effective_weights(),
            connections: None,
            readout: self.readout.clone(),
            tau: self
                .decay_steps()
                .into_iter()
                .map(|tau| tau as f32)
                .collect(),
        }
    }
}

impl Parameters {
    /// Effective weights, N × N.
    fn matrix(&self) -> Cow<'_, [f32]> {
        match &self.connections {
            Some(connections) => connections.matrix(&self.w).into(),
            None => (&self.w).into(),
        }
    }

    /// The existing weights, if the products for batches of `trials` trials take them alone.
    fn connections_to_pack(&self, trials: usize) -> Option<&Connections> {
        let packed = trials == 1 && self.tau.len() >= PACKED_UNITS;
        self.connections.as_deref().filter(|_| packed)
    }
}

/// The derivative of the loss by each parameter.
#[derive(Clone, Debug)]
pub struct Gradient {
    /// The derivative by the effective weights, N × N; by the existing ones alone, where these
    /// are sought.
    pub w: Vec<f32>,
    /// The derivative by the input weights, N × channels; empty if they are not trained.
    pub w_in: Vec<f32>,
    /// The derivative by the readout, K × N.
    pub readout: Readout<f32>,
    /// The derivative by the decay time constants, N.
    pub tau: Vec<f32>,
}

/// The arrays that a forward pass leaves for the adjoint; T × B × N each. Entry 0 of
/// `drift` is unused.
#[derive(Clone, Debug)]
pub struct Trajectory {
    r: Spare,
    slope: Spare,
    drift: Spare,
    /// What the readout takes, and r[t] − s[t−1]; empty without direct inputs.
    shown: Spare,
    lead: Spare,
}

impl Trajectory {
    /// r, T × B × N.
    pub fn rates(&self) -> &[f32] {
        &self.r
    }

    /// x, T × B × N: the same sums as the forward pass made.
    pub fn currents(&self, parameters: &Parameters, batch: &Batch) -> Vec<f32> {
        let (n, size) = (parameters.tau.len(), batch.start.len());
        let mut x = batch.start.to_vec();
        for k in size..self.drift.len() {
            let noise = batch.noise.get(k).copied().unwrap_or(0.0);
            x.push(x[k - size] + self.drift[k] / parameters.tau[k % n] + noise);
        }
        if batch.direct {
            let direct = x[size..].iter_mut().zip(batch.current.iter());
            direct.for_each(|(x, current)| *x += current);
        }
        x
    }
}

/// c = a·b + c, for c of `rows` × `columns` and an inner length of `inner`;
/// strides are (row, column).
struct Product<'a> {
    shape: (usize, usize, usize),
    a: (&'a [f32], (usize, usize)),
    b: (&'a [f32], (usize, usize)),
}

impl Product<'_> {
    fn add_to(&self, c: &mut [f32], strides: (usize, usize)) {
        let (rows, inner, columns) = self.shape;
        let last = |(row, column): (usize, usize), m: usize, n: usize| {
            row * m.saturating_sub(1) + column * n.saturating_sub(1)
        };
        assert!(rows > 0 && inner > 0 && columns > 0, "an empty product");
        assert!(
            last(strides, rows, columns) < c.len(),
            "the product is larger than its place"
        );
        assert!(
            last(self.a.1, rows, inner) < self.a.0.len(),
            "the left factor is too small"
        );
        assert!(
            last(self.b.1, inner, columns) < self.b.0.len(),
            "the right factor is too small"
        );
        // SAFETY: the assertions keep every element that gemm reads or writes
        // inside its slice, and the mutable borrow keeps `c` apart from both.
        unsafe {
            gemm(
                rows,
                columns,
                inner,
                c.as_mut_ptr(),
                strides.1 as isize,
                strides.0 as isize,
                true,
                self.a.0.as_ptr(),
                self.a.1.1 as isize,
                self.a.1.0 as isize,
                self.b.0.as_ptr(),
                self.b.1.1 as isize,
                self.b.1.0 as isize,
                1.0,
                1.0,
                false,
                false,
                false,
                Parallelism::None,
            );
        }
    }
}

/// c = a·b + c on one core, row by row. The recurrence consists of such products; a
/// bench measures how fast they are. `shape` is (rows, inner, columns).
pub fn product(shape: (usize, usize, usize), a: &[f32], b: &[f32], c: &mut [f32]) {
    let (_, inner, columns) = shape;
    Product {
        shape,
        a: (a, (inner, 1)),
        b: (b, (columns, 1)),
    }
    .add_to(c, (columns, 1));
}

/// Runs the network through `batch`. Returns the outputs, B × (T − 1), and
/// what the adjoint needs.
pub fn forward(
    parameters: &Parameters,
    activation: &Activation,
    fluctuation: f32,
    batch: &Batch,
) -> (Vec<f32>, Trajectory) {
    run(parameters, activation, fluctuation, batch, batch.samples)
}

/// The outputs alone, B × (T − 1), in the memory of one sample.
pub fn outputs(
    parameters: &Parameters,
    activation: &Activation,
    fluctuation: f32,
    batch: &Batch,
) -> Vec<f32> {
    run(parameters, activation, fluctuation, batch, 1).0
}

/// The forward pass. The trajectory keeps the last `kept` samples.
fn run(
    parameters: &Parameters,
    activation: &Activation,
    fluctuation: f32,
    batch: &Batch,
    kept: usize,
) -> (Vec<f32>, Trajectory) {
    let (n, b, samples) = (parameters.tau.len(), batch.trials, batch.samples);
    let k = parameters.readout.outputs();
    let size = b * n;
    let alpha: Vec<f32> = parameters.tau.iter().map(|tau| 1.0 / tau).collect();
    let mut weights = Weights::received(parameters, b);
    let mut trajectory = Trajectory {
        r: Spare::dirty(kept * size),
        slope: Spare::dirty(kept * size),
        drift: Spare::dirty(kept * size),
        shown: Spare::dirty(if batch.direct { kept * size } else { 0 }),
        lead: Spare::dirty(if batch.direct { kept * size } else { 0 }),
    };
    let mut filtered = Spare::zeros(if batch.direct { size } else { 0 });
    let mut x = batch.start.clone();
    let mut before = Spare::dirty(size);
    let mut total = Spare::dirty(if batch.direct { size } else { 0 });
    let mut flutter = Flutter::new(fluctuation, &parameters.tau, b);
    let mut outputs = vec![0.0; b * (samples - 1) * k];

    activation.apply_wide(&x, &mut trajectory.r[..size], &mut trajectory.slope[..size]);
    before.copy_from_slice(&trajectory.r[..size]);
    for t in 1..samples {
        let place = t % kept * size..(t % kept + 1) * size;
        let r = &mut trajectory.r[place.clone()];
        let drift = &mut trajectory.drift[place.clone()];
        let current = &batch.current[(t - 1) * size..t * size];
        if batch.direct {
            drift.fill(0.0);
        } else {
            drift.copy_from_slice(current);
        }
        // drift[b, i] += Σ_j w[i, j] r[b, j].
        weights.add_products(&before, drift);
        for (x, drift) in x.chunks_exact_mut(n).zip(drift.chunks_exact_mut(n)) {
            for ((x, drift), alpha) in x.iter_mut().zip(drift).zip(&alpha) {
                *drift -= *x;
                *x += alpha * *drift;
            }
        }
        if let Some(noise) = batch.noise.get(t * size..(t + 1) * size) {
            x.iter_mut().zip(noise).for_each(|(x, noise)| *x += noise);
        }
        if batch.direct {
            let sum = x.iter().zip(current).map(|(x, current)| x + current);
            total.iter_mut().zip(sum).for_each(|(total, x)| *total = x);
            activation.apply_wide(&total, r, &mut trajectory.slope[place.clone()]);
            let lead = &mut trajectory.lead[place.clone()];
            let rows = filtered.chunks_exact_mut(n).zip(lead.chunks_exact_mut(n));
            for ((filtered, lead), r) in rows.zip(r.chunks_exact(n)) {
                for (((s, lead), r), alpha) in filtered.iter_mut().zip(lead).zip(r).zip(&alpha) {
                    *lead = r - *s;
                    *s += alpha * *lead;
                }
            }
        } else {
            activation.apply_wide(&x, r, &mut trajectory.slope[place.clone()]);
        }
        let deviates = batch.fluctuations.get(t * size..(t + 1) * size);
        if let Some(deviates) = deviates {
            flutter.add(r, deviates);
        }
        let read = if batch.direct {
            let shown = &mut trajectory.shown[place];
            shown.copy_from_slice(&filtered);
            if deviates.is_some() {
                let states = shown.iter_mut().zip(&flutter.state);
                states.for_each(|(shown, state)| *shown += state);
            }
            &*shown
        } else {
            &*r
        };
        for (trial, r) in read.chunks_exact(n).enumerate() {
            let place = (trial * (samples - 1) + t - 1) * k;
            let outputs = &mut outputs[place..place + k];
            for (output, (w_out, b_out)) in outputs.iter_mut().zip(parameters.readout.rows()) {
                *output = dot(r, w_out) + b_out;
            }
        }
        before.copy_from_slice(r);
    }
    (outputs, trajectory)
}

/// Smallest number of units for which the products of one trial are made with the existing weights
/// alone: the matrix of fewer units fits into the first cache. docs/experiments.md compares both.
const PACKED_UNITS: usize = 110;

/// The weights in the order in which a product takes them.
enum Weights {
    /// All of them: a column for each factor.
    All(Columns),
    /// The existing ones, for one trial.
    Existing(Packed),
}

impl Weights {
    /// The weights of each receiver, for batches of `trials` trials.
    fn received(parameters: &Parameters, trials: usize) -> Self {
        let found = parameters
            .connections_to_pack(trials)
            .and_then(|connections| {
                let layout = connections.layout_received().clone();
                Packed::new(layout, parameters.w.iter().copied())
            });
        let all = || Columns::from_columns(&parameters.matrix(), parameters.tau.len());
        found.map_or_else(|| Self::All(all()), Self::Existing)
    }

    /// The weights of each sender, for batches of `trials` trials.
    fn sent(parameters: &Parameters, trials: usize) -> Self {
        let found = parameters
            .connections_to_pack(trials)
            .and_then(|connections| {
                let places = connections.places.iter();
                let w = places.map(|&place| parameters.w[place as usize]);
                Packed::new(connections.layout_sent().clone(), w)
            });
        let all = || Columns::from_rows(&parameters.matrix(), parameters.tau.len());
        found.map_or_else(|| Self::All(all()), Self::Existing)
    }

    /// Adds to each of `sums` its products with x, for every trial; both are B × N.
    fn add_products(&mut self, x: &[f32], sums: &mut [f32]) {
        let columns = match self {
            Self::All(columns) => columns,
            Self::Existing(packed) => return packed.add_product(x, sums),
        };
        let (values, stride) = (columns.values(), columns.stride());
        let n = values.len() / stride;
        if x.len() == n {
            return columns.add_product(x, sums);
        }
        Product {
            shape: (n, n, x.len() / n),
            a: (values, (1, stride)),
            b: (x, (1, n)),
        }
        .add_to(sums, (1, n));
    }
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    // Eight sums side by side, so that the compiler may use a vector.
    let mut sums = [0.0f32; 8];
    let (a_blocks, b_blocks) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f32 = a_blocks
        .remainder()
        .iter()
        .zip(b_blocks.remainder())
        .map(|(a, b)| a * b)
        .sum();
    for (a, b) in a_blocks.zip(b_blocks) {
        for lane in 0..8 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum::<f32>() + rest
}

/// The factors of the fluctuations of each unit: what is kept of the last one, and that of
/// the deviate.
pub(super) fn flutter_factors(strength: f32, tau: &[f32]) -> Vec<(f32, f32)> {
    let factors = |tau: &f32| {
        let keep = 1.0 - 1.0 / tau;
        (keep, (strength * (1.0 - keep * keep) / (2.0 * tau)).sqrt())
    };
    tau.iter().map(factors).collect()
}

/// The fluctuations of r, B × N.
struct Flutter {
    state: Vec<f32>,
    /// (1 − 1/τ, √(c (1 − (1 − 1/τ)²) / (2τ))) of each unit.
    factors: Vec<(f32, f32)>,
}

impl Flutter {
    fn new(strength: f32, tau: &[f32], trials: usize) -> Self {
        Self {
            state: vec![0.0; tau.len() * trials],
            factors: flutter_factors(strength, tau),
        }
    }

    fn add(&mut self, r: &mut [f32], deviates: &[f32]) {
        let n = self.factors.len();
        let rows = self.state.chunks_exact_mut(n).zip(r.chunks_exact_mut(n));
        for ((state, r), deviates) in rows.zip(deviates.chunks_exact(n)) {
            for (((state, r), deviate), (keep, kick)) in
                state.iter_mut().zip(r).zip(deviates).zip(&self.factors)
            {
                *state = keep * *state + kick * r.max(0.0).sqrt() * deviate;
                *r += *state;
            }
        }
    }
}

/// The derivative of the loss by what a forward pass makes.
#[derive(Clone, Copy, Debug)]
pub struct LossSlope<'a> {
    /// The derivative by the outputs, B × (T − 1) × K.
    pub by_output: &'a [f32],
    /// The derivative by each rate `r[t]`, t = 1 … T−1, beside that through the outputs.
    pub by_rate: f32,
}

/// The derivatives that an adjoint finds beside those of the readout and of τ.
#[derive(Clone, Copy, Debug)]
pub struct Sought<'a> {
    /// True for those of the input weights.
    pub inputs: bool,
    /// The weights that exist; `None`: all of them.
    pub connections: Option<&'a Connections>,
}

/// The gradient, from the derivative of the loss.
pub fn adjoint(
    parameters: &Parameters,
    batch: &Batch,
    trajectory: &Trajectory,
    slope: LossSlope,
    sought: Sought,
) -> Gradient {
    let LossSlope { by_output, by_rate } = slope;
    let (n, b, samples) = (parameters.tau.len(), batch.trials, batch.samples);
    let k = parameters.readout.outputs();
    let size = b * n;
    let alpha: Vec<f32> = parameters.tau.iter().map(|tau| 1.0 / tau).collect();
    let mut weights = Weights::sent(parameters, b);
    let mut by_x = vec![0.0; size];
    let mut by_r = vec![by_rate; size];
    let mut by_alpha = vec![0.0f32; n];
    let mut by_readout = Readout {
        weights: vec![0.0f32; k * n],
        offset: vec![0.0; k],
    };
    // y[t], T × B × N; entry 0 stays unused.
    let mut by_current = Spare::dirty(samples * size);
    let read = if batch.direct {
        &trajectory.shown
    } else {
        &trajectory.r
    };
    // s̄, B × N.
    let mut by_filtered = vec![0.0; if batch.direct { size } else { 0 }];
    // The derivative by direct inputs, T × B × N.
    let direct = sought.inputs && batch.direct;
    let mut by_direct = Spare::dirty(if direct { samples * size } else { 0 });

    for t in (1..samples).rev() {
        let r = &read[t * size..(t + 1) * size];
        let by_read = if batch.direct {
            &mut by_filtered
        } else {
            &mut by_r
        };
        for trial in 0..b {
            let row = trial * n..(trial + 1) * n;
            let (r, by_r) = (&r[row.clone()], &mut by_read[row]);
            let place = (trial * (samples - 1) + t - 1) * k;
            let weights = parameters.readout.weights.chunks_exact(n);
            let by_weights = by_readout.weights.chunks_exact_mut(n);
            for ((by_o, w_out), by_w_out) in by_output[place..place + k]
                .iter()
                .zip(weights)
                .zip(by_weights)
            {
                let readout = w_out.iter().zip(by_w_out);
                for ((by_r, r), (w_out, by_w_out)) in by_r.iter_mut().zip(r).zip(readout) {
                    *by_r += w_out * by_o;
                    *by_w_out += r * by_o;
                }
            }
        }
        if batch.direct {
            let lead = &trajectory.lead[t * size..(t + 1) * size];
            for trial in 0..b {
                let row = trial * n..(trial + 1) * n;
                let (by_s, by_r) = (&mut by_filtered[row.clone()], &mut by_r[row.clone()]);
                let lead = &lead[row];
                for i in 0..n {
                    let step = alpha[i] * by_s[i];
                    by_r[i] += step;
                    by_alpha[i] += by_s[i] * lead[i];
                    by_s[i] -= step;
                }
            }
        }
        let y = &mut by_current[t * size..(t + 1) * size];
        let slope = &trajectory.slope[t * size..(t + 1) * size];
        let drift = &trajectory.drift[t * size..(t + 1) * size];
        for trial in 0..b {
            let row = trial * n..(trial + 1) * n;
            let by_x = &mut by_x[row.clone()];
            let (y, by_r) = (&mut y[row.clone()], &by_r[row.clone()]);
            let (slope, drift) = (&slope[row.clone()], &drift[row]);
            for i in 0..n {
                let total = by_x[i] + slope[i] * by_r[i];
                y[i] = alpha[i] * total;
                by_alpha[i] += total * drift[i];
                by_x[i] = total - y[i];
            }
        }
        if direct {
            let products = slope.iter().zip(&by_r).map(|(slope, by_r)| slope * by_r);
            let row = &mut by_direct[t * size..(t + 1) * size];
            row.iter_mut().zip(products).for_each(|(by, x)| *by = x);
        }
        by_r.fill(by_rate);
        // by_r[b, j] += Σ_i w[i, j] y[b, i].
        weights.add_products(y, &mut by_r);
    }

    let steps = (samples - 1) * b;
    // by_w[i, j] = Σ y[t, b, i] r[t − 1, b, j].
    let (y, r) = (&by_current[size..], &trajectory.r[..steps * n]);
    let by_w = match sought.connections {
        Some(connections) => connections.products(y, r),
        None => {
            let mut by_w = vec![0.0; n * n];
            Product {
                shape: (n, steps, n),
                a: (y, (1, n)),
                b: (r, (n, 1)),
            }
            .add_to(&mut by_w, (n, 1));
            by_w
        }
    };
    let channels = batch.input.len() / (samples * b);
    let mut by_w_in = Vec::new();
    if sought.inputs {
        by_w_in.resize(n * channels, 0.0);
        // by_w_in[i, k] = Σ y[t, b, i] u[t − 1, b, k].
        Product {
            shape: (n, steps, channels),
            a: (
                if direct {
                    &by_direct[size..]
                } else {
                    &by_current[size..]
                },
                (1, n),
            ),
            b: (&batch.input[..steps * channels], (channels, 1)),
        }
        .add_to(&mut by_w_in, (channels, 1));
    }
    for (output, by_b_out) in by_readout.offset.iter_mut().enumerate() {
        *by_b_out = by_output.iter().skip(output).step_by(k).sum();
    }
    let by_tau = by_alpha
        .iter()
        .zip(&alpha)
        .map(|(by_alpha, alpha)| -by_alpha * alpha * alpha)
        .collect();
    Gradient {
        w: by_w,
        w_in: by_w_in,
        readout: by_readout,
        tau: by_tau,
    }
}
