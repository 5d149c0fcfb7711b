//! The adjoint of a group of lanes.

use super::forward::Table;
use super::group::{EIGHT, Group, Parameters};
use crate::rate::batch::Batch;
use crate::rate::recurrence::LossSlope;

/// Samples after which the weights' derivatives take what has come together. Their sums
/// do not fit into the first cache, so that they are fetched once for several samples.
const CHUNK: usize = 4;

/// The adjoint of all groups.
pub(super) struct Pass<'a> {
    parameters: &'a Parameters,
    batch: &'a Batch,
    slope: LossSlope<'a>,
    /// The weights in the order of the senders.
    sent: Vec<f32>,
    /// 1/τ, N.
    alpha: Vec<f32>,
    /// True if the input weights are trained.
    inputs: bool,
}

/// Derivatives, summed over eight lanes.
pub(super) struct Part {
    /// The derivative by the existing weights.
    pub w: Vec<f32>,
    /// The derivative by the input weights, N × channels; empty if they are not trained.
    pub w_in: Vec<f32>,
    /// The derivative by the readout's weights, K × N.
    pub w_out: Vec<f32>,
    /// The derivative by α, N.
    pub alpha: Vec<f32>,
}

impl Part {
    /// Adds another part.
    pub fn add(&mut self, other: &Part) {
        let pairs = [
            (&mut self.w, &other.w),
            (&mut self.w_in, &other.w_in),
            (&mut self.w_out, &other.w_out),
            (&mut self.alpha, &other.alpha),
        ];
        for (sum, part) in pairs {
            sum.iter_mut().zip(part).for_each(|(sum, x)| *sum += x);
        }
    }
}

impl<'a> Pass<'a> {
    pub fn new(
        parameters: &'a Parameters,
        batch: &'a Batch,
        slope: LossSlope<'a>,
        inputs: bool,
    ) -> Self {
        let places = parameters.connections.places.iter();
        Self {
            parameters,
            batch,
            slope,
            sent: places.map(|&place| parameters.w[place as usize]).collect(),
            alpha: parameters.tau.iter().map(|tau| 1.0 / tau).collect(),
            inputs,
        }
    }

    /// The input channel `channel` at t − 1 in every lane.
    #[inline(always)]
    fn input<const L: usize>(&self, first: usize, t: usize, channel: usize) -> [f32; L] {
        let (b, channels) = (self.batch.trials, self.channels());
        std::array::from_fn(|l| {
            if first + l < b {
                self.batch.input[((t - 1) * b + first + l) * channels + channel]
            } else {
                0.0
            }
        })
    }

    /// Number of input channels.
    fn channels(&self) -> usize {
        self.batch.input.len() / (self.batch.samples * self.batch.trials)
    }

    /// The derivative by output `output` at t in every lane.
    #[inline(always)]
    fn by_output<const L: usize>(&self, first: usize, t: usize, output: usize) -> [f32; L] {
        let k = self.parameters.readout.outputs();
        let length = self.batch.samples - 1;
        std::array::from_fn(|l| {
            if first + l < self.batch.trials {
                self.slope.by_output[((first + l) * length + t - 1) * k + output]
            } else {
                0.0
            }
        })
    }

    /// The derivative by each rate in every lane, beside that through the outputs.
    #[inline(always)]
    fn by_rate<const L: usize>(&self, first: usize) -> [f32; L] {
        let used = |l: usize| first + l < self.batch.trials;
        std::array::from_fn(|l| if used(l) { self.slope.by_rate } else { 0.0 })
    }
}

/// The adjoint of a group, as [`pulp`] wants it: a closure would not be inlined into the
/// function that may use the wide vectors.
pub(super) struct Run<'p, 'a, 'g, const L: usize> {
    pub pass: &'p Pass<'a>,
    pub group: &'g Group,
}

impl<const L: usize> pulp::NullaryFnOnce for Run<'_, '_, '_, L> {
    type Output = Vec<Part>;

    #[inline(always)]
    fn call(self) -> Vec<Part> {
        run::<L>(self.pass, self.group)
    }
}

/// The derivatives of a group, a part for each eight lanes.
#[inline(always)]
fn run<const L: usize>(pass: &Pass, group: &Group) -> Vec<Part> {
    let Pass {
        parameters,
        batch,
        alpha,
        ..
    } = pass;
    let (n, samples) = (alpha.len(), batch.samples);
    let zeros = |count: usize| vec![[0.0f32; L]; count];
    let rows = |array: &'_ [f32], t: usize| -> std::ops::Range<usize> {
        debug_assert!((t + 1) * n * L <= array.len());
        t * n * L..(t + 1) * n * L
    };
    let (mut by_x, mut by_alpha) = (zeros(n), zeros(n));
    let by_rate = vec![pass.by_rate::<L>(group.first); n];
    let mut by_r = by_rate.clone();
    let connections = &*parameters.connections;
    let sent = Table {
        first: &connections.first_sent,
        units: &connections.receivers,
        w: &pass.sent,
    };
    let mut by_w_out = zeros(parameters.readout.outputs() * n);
    let mut by_w = zeros(connections.len());
    let channels = if pass.inputs { pass.channels() } else { 0 };
    let mut by_w_in = zeros(n * channels);
    // y of the samples of a chunk, CHUNK × N, and these samples.
    let mut y = zeros(CHUNK * n);
    let mut times = [1; CHUNK];
    let mut filled = 0;
    for t in (1..samples).rev() {
        let r = group.r[rows(&group.r, t)].as_chunks::<L>().0;
        let slope = group.slope[rows(&group.slope, t)].as_chunks::<L>().0;
        let drift = group.drift[rows(&group.drift, t)].as_chunks::<L>().0;
        let readout = parameters.readout.rows().zip(by_w_out.chunks_exact_mut(n));
        for (output, ((w_out, _), by_w_out)) in readout.enumerate() {
            let by_o: [f32; L] = pass.by_output(group.first, t, output);
            for i in 0..n {
                for l in 0..L {
                    by_r[i][l] += w_out[i] * by_o[l];
                    by_w_out[i][l] += r[i][l] * by_o[l];
                }
            }
        }
        let now = &mut y[filled * n..(filled + 1) * n];
        for i in 0..n {
            for l in 0..L {
                let total = by_x[i][l] + slope[i][l] * by_r[i][l];
                now[i][l] = alpha[i] * total;
                by_alpha[i][l] += total * drift[i][l];
                by_x[i][l] = total - now[i][l];
            }
        }
        for channel in 0..channels {
            let u: [f32; L] = pass.input(group.first, t, channel);
            if u != [0.0; L] {
                let by_w_in = by_w_in.iter_mut().skip(channel).step_by(channels);
                for (by_w_in, by_current) in by_w_in.zip(&*now) {
                    for l in 0..L {
                        by_w_in[l] += by_current[l] * u[l];
                    }
                }
            }
        }
        // by_r[j] = by_rate + Σ_i w[i, j] y[i].
        sent.add_to(&by_rate, now, &mut by_r);
        times[filled] = t;
        filled += 1;
        if filled == CHUNK || t == 1 {
            // What a chunk lacks adds nothing.
            y[filled * n..].fill([0.0; L]);
            let r = times.map(|t| group.r[rows(&group.r, t - 1)].as_chunks::<L>().0);
            add_to_weights(parameters, &y, &r, &mut by_w);
            filled = 0;
        }
    }
    let part = |eight: usize| {
        let sums = |lanes: &[[f32; L]]| -> Vec<f32> {
            let lanes = lanes.iter().map(|lanes| &lanes[eight * EIGHT..][..EIGHT]);
            lanes.map(|lanes| lanes.iter().sum()).collect()
        };
        Part {
            w: sums(&by_w),
            w_in: sums(&by_w_in),
            w_out: sums(&by_w_out),
            alpha: sums(&by_alpha),
        }
    };
    (0..L / EIGHT).map(part).collect()
}

/// by_w[i, j] += Σ y[t, i] r[t − 1, j] over the samples of a chunk, in every lane.
#[inline(always)]
fn add_to_weights<const L: usize>(
    parameters: &Parameters,
    y: &[[f32; L]],
    r: &[&[[f32; L]]; CHUNK],
    by_w: &mut [[f32; L]],
) {
    let connections = &*parameters.connections;
    let n = parameters.tau.len();
    for i in 0..n {
        let y: [[f32; L]; CHUNK] = std::array::from_fn(|s| y[s * n + i]);
        let row = connections.first[i]..connections.first[i + 1];
        for (by_w, j) in by_w[row.clone()].iter_mut().zip(&connections.senders[row]) {
            let j = *j as usize;
            let mut sum = *by_w;
            for s in 0..CHUNK {
                let r = &r[s][j];
                for l in 0..L {
                    sum[l] = y[s][l].mul_add(r[l], sum[l]);
                }
            }
            *by_w = sum;
        }
    }
}
