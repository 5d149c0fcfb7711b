//! The adjoint of a group of lanes.

use super::by_weight::{ByWeight, CHUNK, Runs};
use super::group::{EIGHT, Group, Parameters};
use super::table::{BLOCK, Table, one_by_one};
use crate::rate::aligned::Aligned;
use crate::rate::batch::Batch;
use crate::rate::recurrence::LossSlope;

/// The adjoint of all groups.
pub(super) struct Pass<'a> {
    parameters: &'a Parameters,
    batch: &'a Batch,
    slope: LossSlope<'a>,
    /// The weights in the order of the senders.
    sent: Table,
    /// The weights in the order in which their derivatives are summed.
    runs: Runs,
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
        let connections = &*parameters.connections;
        let places = connections.places.iter();
        let w: Vec<f32> = places.map(|&place| parameters.w[place as usize]).collect();
        Self {
            parameters,
            batch,
            slope,
            sent: Table::new(&connections.first_sent, &connections.receivers, &w),
            runs: Runs::new(connections),
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
    let zeros = |count: usize| Aligned::zeros(count * L);
    let rows = |array: &'_ [f32], t: usize| -> std::ops::Range<usize> {
        debug_assert!((t + 1) * n * L <= array.len());
        t * n * L..(t + 1) * n * L
    };
    let (mut by_x, mut by_alpha) = (zeros(n), zeros(n));
    let by_x = by_x.as_chunks_mut::<L>().0;
    let by_alpha = by_alpha.as_chunks_mut::<L>().0;
    let (mut by_rate, mut by_r) = (zeros(n), zeros(n));
    let by_rate = by_rate.as_chunks_mut::<L>().0;
    let by_r = by_r.as_chunks_mut::<L>().0;
    by_rate.fill(pass.by_rate(group.first));
    by_r.copy_from_slice(by_rate);
    let sent = &pass.sent;
    let mut by_w_out = zeros(parameters.readout.outputs() * n);
    let by_w_out = by_w_out.as_chunks_mut::<L>().0;
    let mut by_w = ByWeight::<L>::new(&pass.runs);
    let channels = if pass.inputs { pass.channels() } else { 0 };
    let mut by_w_in = zeros(n * channels);
    let by_w_in = by_w_in.as_chunks_mut::<L>().0;
    // y of the samples of a chunk, CHUNK × N, and these samples.
    let mut y = zeros(CHUNK * n);
    let y = y.as_chunks_mut::<L>().0;
    let mut times = [1; CHUNK];
    let mut filled = 0;
    for t in (1..samples).rev() {
        let r = group.r[rows(&group.r, t)].as_chunks::<L>().0;
        let slope = group.slope[rows(&group.slope, t)].as_chunks::<L>().0;
        let drift = group.drift[rows(&group.drift, t)].as_chunks::<L>().0;
        let readout = parameters.readout.rows().zip(by_w_out.chunks_exact_mut(n));
        for (output, ((w_out, _), by_w_out)) in readout.enumerate() {
            let by_o: [f32; L] = pass.by_output(group.first, t, output);
            let sums = by_r.iter_mut().zip(by_w_out);
            for ((by_r, by_w_out), (w_out, r)) in sums.zip(w_out.iter().zip(r)) {
                let (mut sum, mut by_weight) = (*by_r, *by_w_out);
                for l in 0..L {
                    sum[l] += w_out * by_o[l];
                    by_weight[l] += r[l] * by_o[l];
                }
                (*by_r, *by_w_out) = (sum, by_weight);
                one_by_one();
            }
        }
        let now = &mut y[filled * n..(filled + 1) * n];
        let sums = now.iter_mut().zip(&mut *by_alpha).zip(&mut *by_x);
        let given = alpha.iter().zip(slope).zip(drift).zip(&*by_r);
        for (((now, by_alpha), by_x), (((alpha, slope), drift), by_r)) in sums.zip(given) {
            let (mut y, mut by_a, mut by_state) = ([0.0f32; L], *by_alpha, *by_x);
            for l in 0..L {
                let total = by_state[l] + slope[l] * by_r[l];
                y[l] = alpha * total;
                by_a[l] += total * drift[l];
                by_state[l] = total - y[l];
            }
            (*now, *by_alpha, *by_x) = (y, by_a, by_state);
            one_by_one();
        }
        for channel in 0..channels {
            let u: [f32; L] = pass.input(group.first, t, channel);
            if u != [0.0; L] {
                let by_w_in = by_w_in.iter_mut().skip(channel).step_by(channels);
                for (by_w_in, by_current) in by_w_in.zip(&*now) {
                    for l in 0..L {
                        by_w_in[l] += by_current[l] * u[l];
                    }
                    one_by_one();
                }
            }
        }
        // by_r[j] = by_rate + Σ_i w[i, j] y[i].
        let blocks = by_r.chunks_mut(BLOCK).zip(by_rate.chunks(BLOCK));
        for (block, (by_r, by_rate)) in blocks.enumerate() {
            sent.add_to(block, by_rate, now, by_r);
        }
        times[filled] = t;
        filled += 1;
        if filled == CHUNK || t == 1 {
            // What a chunk lacks adds nothing.
            y[filled * n..].fill([0.0; L]);
            let r = times.map(|t| group.r[rows(&group.r, t - 1)].as_chunks::<L>().0);
            by_w.add(y, &r);
            filled = 0;
        }
    }
    let part = |eight: usize| {
        let sums = |lanes: &[[f32; L]]| -> Vec<f32> {
            let lanes = lanes.iter().map(|lanes| &lanes[eight * EIGHT..][..EIGHT]);
            lanes.map(|lanes| lanes.iter().sum()).collect()
        };
        Part {
            w: by_w.sums(eight),
            w_in: sums(by_w_in),
            w_out: sums(by_w_out),
            alpha: sums(by_alpha),
        }
    };
    (0..L / EIGHT).map(part).collect()
}
