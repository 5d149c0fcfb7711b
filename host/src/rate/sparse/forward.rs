//! The forward pass of a group of lanes.

use super::group::{Group, Parameters};
use crate::rate::activation::Activation;
use crate::rate::batch::Batch;
use crate::rate::normal::{Rows, START_NOISE, STEP_NOISE};

/// A forward pass over all groups.
pub(super) struct Pass<'a> {
    pub parameters: &'a Parameters,
    pub activation: &'a Activation,
    /// Strength of the fluctuations of r.
    pub fluctuation: f32,
    pub batch: &'a Batch,
    /// Samples for which the trajectory has room. A later sample takes the place of an
    /// earlier one.
    pub kept: usize,
}

/// The run of a group, as [`pulp`] wants it: a closure would not be inlined into the
/// function that may use the wide vectors.
pub(super) struct Run<'p, 'a, 'g, const L: usize> {
    pub pass: &'p Pass<'a>,
    pub group: &'g mut Group,
}

impl<const L: usize> pulp::NullaryFnOnce for Run<'_, '_, '_, L> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn call(self) -> Vec<f32> {
        run::<L>(self.pass, self.group)
    }
}

/// Runs the trials of `group`; returns their outputs, trials × (T − 1) × K.
#[inline(always)]
fn run<const L: usize>(pass: &Pass, group: &mut Group) -> Vec<f32> {
    let Pass {
        parameters, batch, ..
    } = pass;
    let (n, samples) = (parameters.tau.len(), batch.samples);
    let k = parameters.readout.outputs();
    let trials = (batch.trials - group.first).min(L);
    let alpha: Vec<f32> = parameters.tau.iter().map(|tau| 1.0 / tau).collect();
    let mut source = Source::<L>::new(batch, group.first, n);
    let mut flutter = Flutter::<L>::new(pass.fluctuation, &parameters.tau);
    let mut outputs = vec![0.0; trials * (samples - 1) * k];
    let size = n * L;
    let mut x = vec![[0.0f32; L]; n];
    let mut before = vec![[0.0f32; L]; n];

    source.start(&mut x);
    let (r, slope) = (&mut group.r[..size], &mut group.slope[..size]);
    pass.activation.apply(x.as_flattened(), r, slope);
    before.as_flattened_mut().copy_from_slice(r);
    for t in 1..samples {
        let place = t % pass.kept * size..(t % pass.kept + 1) * size;
        let r = &mut group.r[place.clone()];
        let slope = &mut group.slope[place.clone()];
        let drift = group.drift[place].as_chunks_mut::<L>().0;
        source.step(t);
        add_products(parameters, &before, &source.current, drift);
        for i in 0..n {
            for l in 0..L {
                drift[i][l] -= x[i][l];
                x[i][l] += alpha[i] * drift[i][l];
            }
        }
        if source.noisy {
            for (x, noise) in x.iter_mut().zip(&source.noise) {
                for l in 0..L {
                    x[l] += noise[l];
                }
            }
        }
        pass.activation.apply(x.as_flattened(), r, slope);
        let r = r.as_chunks_mut::<L>().0;
        if source.fluctuating {
            flutter.add(r, &source.deviates);
        }
        for (output, (w_out, b_out)) in parameters.readout.rows().enumerate() {
            let o = dot(r, w_out);
            for trial in 0..trials {
                outputs[(trial * (samples - 1) + t - 1) * k + output] = o[trial] + b_out;
            }
        }
        before.copy_from_slice(r);
    }
    outputs
}

/// drift[i] = current[i] + Σ_j w[i, j] r[j], summed in the order of j.
#[inline(always)]
fn add_products<const L: usize>(
    parameters: &Parameters,
    r: &[[f32; L]],
    current: &[[f32; L]],
    drift: &mut [[f32; L]],
) {
    let connections = &*parameters.connections;
    let table = Table {
        first: &connections.first,
        units: &connections.senders,
        w: &parameters.w,
    };
    table.add_to(current, r, drift);
}

/// The weights of each unit of one side, and the units of the other side.
pub(super) struct Table<'a> {
    /// First place of each unit's weights, and the end of the last one; N + 1.
    pub first: &'a [usize],
    /// The units of the other side; all below N.
    pub units: &'a [u32],
    /// The weights.
    pub w: &'a [f32],
}

impl Table<'_> {
    /// sums[i] = start[i] + Σ w x, over the weights of unit i in their order. Four units are
    /// summed at once, since each sum waits for itself.
    #[inline(always)]
    pub fn add_to<const L: usize>(
        &self,
        start: &[[f32; L]],
        x: &[[f32; L]],
        sums: &mut [[f32; L]],
    ) {
        const ROWS: usize = 4;
        let n = self.first.len() - 1;
        assert!(
            x.len() == n && start.len() == n && sums.len() == n,
            "N units"
        );
        let row = |i: usize| {
            let range = self.first[i]..self.first[i + 1];
            (&self.units[range.clone()], &self.w[range])
        };
        // SAFETY: `Connections` holds units below N, and x has N entries.
        let at = |unit: u32| unsafe { x.get_unchecked(unit as usize) };
        let mut i = 0;
        while i + ROWS <= n {
            let rows: [(&[u32], &[f32]); ROWS] = std::array::from_fn(|k| row(i + k));
            let shared = rows.iter().map(|row| row.0.len()).min().unwrap_or(0);
            let [a, b, c, d] = rows.map(|(units, w)| (&units[..shared], &w[..shared]));
            let mut found = [[0.0f32; L]; ROWS];
            let [sum_a, sum_b, sum_c, sum_d] = &mut found;
            for k in 0..shared {
                add_one(sum_a, a.1[k], at(a.0[k]));
                add_one(sum_b, b.1[k], at(b.0[k]));
                add_one(sum_c, c.1[k], at(c.0[k]));
                add_one(sum_d, d.1[k], at(d.0[k]));
            }
            for (k, (units, w)) in rows.into_iter().enumerate() {
                let mut sum = found[k];
                for (unit, w) in units[shared..].iter().zip(&w[shared..]) {
                    add_one(&mut sum, *w, at(*unit));
                }
                for l in 0..L {
                    sums[i + k][l] = start[i + k][l] + sum[l];
                }
            }
            i += ROWS;
        }
        for i in i..n {
            let (units, w) = row(i);
            let mut sum = [0.0f32; L];
            for (unit, w) in units.iter().zip(w) {
                add_one(&mut sum, *w, at(*unit));
            }
            for l in 0..L {
                sums[i][l] = start[i][l] + sum[l];
            }
        }
    }
}

/// sum += w · r, in every lane.
#[inline(always)]
fn add_one<const L: usize>(sum: &mut [f32; L], w: f32, r: &[f32; L]) {
    for l in 0..L {
        sum[l] = w.mul_add(r[l], sum[l]);
    }
}

/// Σ_i r[i] w[i] in every lane, in the order of the dense form: eight sums, and the rest.
#[inline(always)]
fn dot<const L: usize>(r: &[[f32; L]], w: &[f32]) -> [f32; L] {
    const SUMS: usize = 8;
    let mut sums = [[0.0f32; L]; SUMS];
    let (r_blocks, r_rest) = r.as_chunks::<SUMS>();
    let (w_blocks, w_rest) = w.as_chunks::<SUMS>();
    for (r, w) in r_blocks.iter().zip(w_blocks) {
        for s in 0..SUMS {
            for l in 0..L {
                sums[s][l] += r[s][l] * w[s];
            }
        }
    }
    let (mut rest, mut total) = ([-0.0f32; L], [-0.0f32; L]);
    for (r, w) in r_rest.iter().zip(w_rest) {
        for l in 0..L {
            rest[l] += r[l] * w;
        }
    }
    for sum in sums {
        for l in 0..L {
            total[l] += sum[l];
        }
    }
    for l in 0..L {
        total[l] += rest[l];
    }
    total
}

/// The fluctuations of r, N × L.
struct Flutter<const L: usize> {
    state: Vec<[f32; L]>,
    /// The factors of the dense form.
    factors: Vec<(f32, f32)>,
}

impl<const L: usize> Flutter<L> {
    fn new(strength: f32, tau: &[f32]) -> Self {
        Self {
            state: vec![[0.0; L]; tau.len()],
            factors: crate::rate::recurrence::flutter_factors(strength, tau),
        }
    }

    #[inline(always)]
    fn add(&mut self, r: &mut [[f32; L]], deviates: &[[f32; L]]) {
        let rows = self.state.iter_mut().zip(r).zip(deviates);
        for (((state, r), deviates), (keep, kick)) in rows.zip(&self.factors) {
            for l in 0..L {
                state[l] = keep * state[l] + kick * r[l].max(0.0).sqrt() * deviates[l];
                r[l] += state[l];
            }
        }
    }
}

/// The input and the noise of a group, sample by sample.
struct Source<'a, const L: usize> {
    batch: &'a Batch,
    /// The first trial.
    first: usize,
    /// True if noise is added to x.
    noisy: bool,
    /// True if r fluctuates.
    fluctuating: bool,
    /// Input of the sample, N × L.
    current: Vec<[f32; L]>,
    /// Noise of the sample, N × L.
    noise: Vec<[f32; L]>,
    /// Deviates of the fluctuations, N × L.
    deviates: Vec<[f32; L]>,
}

impl<'a, const L: usize> Source<'a, L> {
    fn new(batch: &'a Batch, first: usize, units: usize) -> Self {
        let zeros = || vec![[0.0f32; L]; units];
        let (noisy, fluctuating) = match &batch.words {
            Some(words) => (true, !words.fluctuations.is_empty()),
            None => (!batch.noise.is_empty(), !batch.fluctuations.is_empty()),
        };
        Self {
            batch,
            first,
            noisy,
            fluctuating,
            current: zeros(),
            noise: zeros(),
            deviates: zeros(),
        }
    }

    /// The numbers of this group's trials among those of all trials; `other` in lanes
    /// without a trial.
    #[inline(always)]
    fn lanes<T: Copy>(&self, all: &[T], other: T) -> [T; L] {
        let mine = &all[self.first..];
        std::array::from_fn(|l| mine.get(l).copied().unwrap_or(other))
    }

    /// Fills `x` with the start.
    #[inline(always)]
    fn start(&self, x: &mut [[f32; L]]) {
        match &self.batch.words {
            Some(words) => Rows::new(self.lanes(&words.start, 0)).fill(START_NOISE, x),
            None => transposed(&self.batch.start, self.first, x),
        }
    }

    /// Takes the input at t − 1, and the noise at t.
    #[inline(always)]
    fn step(&mut self, t: usize) {
        let (batch, first, b) = (self.batch, self.first, self.batch.trials);
        let Some(words) = &batch.words else {
            let size = b * self.current.len();
            let at = |t: usize| t * size..(t + 1) * size;
            transposed(&batch.current[at(t - 1)], first, &mut self.current);
            if self.noisy {
                transposed(&batch.noise[at(t)], first, &mut self.noise);
            }
            if self.fluctuating {
                transposed(&batch.fluctuations[at(t)], first, &mut self.deviates);
            }
            return;
        };
        let rows = Rows::new(self.lanes(&words.noise[t * b..(t + 1) * b], 0));
        rows.fill(STEP_NOISE, &mut self.noise);
        if self.fluctuating {
            let rows = Rows::new(self.lanes(&words.fluctuations[t * b..(t + 1) * b], 0));
            rows.fill(words.spread, &mut self.deviates);
        }
        let channels = words.channels;
        self.current.fill([0.0; L]);
        for channel in 0..channels {
            let u: [f32; L] = std::array::from_fn(|l| match first + l < b {
                true => batch.input[((t - 1) * b + first + l) * channels + channel],
                false => 0.0,
            });
            if u == [0.0; L] {
                continue;
            }
            let w_in = words.w_in.iter().skip(channel).step_by(channels);
            for (current, w) in self.current.iter_mut().zip(w_in) {
                for l in 0..L {
                    current[l] += w * u[l];
                }
            }
        }
    }
}

/// The trials from `first` of `rows`, B × N, side by side.
#[inline(always)]
fn transposed<const L: usize>(rows: &[f32], first: usize, lanes: &mut [[f32; L]]) {
    let n = lanes.len();
    for (l, row) in rows.chunks_exact(n).skip(first).take(L).enumerate() {
        for (lanes, x) in lanes.iter_mut().zip(row) {
            lanes[l] = *x;
        }
    }
}
