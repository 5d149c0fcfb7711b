//! The forward pass of a group of lanes.

use std::ops::Range;

use super::group::{Group, Parameters};
use super::table::{BLOCK, Table, one_by_one};
use crate::rate::activation::Activation;
use crate::rate::aligned::Aligned;
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
    let mut source = Source::<L>::new(batch, group.first);
    let mut flutter = Flutter::<L>::new(pass.fluctuation, &parameters.tau);
    let mut outputs = vec![0.0; trials * (samples - 1) * k];
    let size = n * L;
    let (mut x, mut before) = (Aligned::zeros(size), Aligned::zeros(size));
    let x = x.as_chunks_mut::<L>().0;
    let before = before.as_chunks_mut::<L>().0;

    let connections = &*parameters.connections;
    let received = Table::new(&connections.first, &connections.senders, &parameters.w);

    source.start(x);
    let (r, slope) = (&mut group.r[..size], &mut group.slope[..size]);
    pass.activation.apply(x.as_flattened(), r, slope);
    before.as_flattened_mut().copy_from_slice(r);
    for t in 1..samples {
        let place = t % pass.kept * size..(t % pass.kept + 1) * size;
        let r = group.r[place.clone()].as_chunks_mut::<L>().0;
        let slope = group.slope[place.clone()].as_chunks_mut::<L>().0;
        let drift = group.drift[place].as_chunks_mut::<L>().0;
        source.step(t);
        for block in 0..n.div_ceil(BLOCK) {
            let units = block * BLOCK..(block * BLOCK + BLOCK).min(n);
            let (x, drift) = (&mut x[units.clone()], &mut drift[units.clone()]);
            source.block(t, units.clone());
            // drift[i] = current[i] + Σ_j w[i, j] r[j], summed in the order of j.
            received.add_to(block, &source.current.0, before, drift);
            let noise = source.noisy.then_some(&source.noise.0);
            for (i, (x, drift)) in x.iter_mut().zip(drift).enumerate() {
                let (alpha, mut change, mut next) = (alpha[units.start + i], *drift, *x);
                for l in 0..L {
                    change[l] -= next[l];
                    next[l] += alpha * change[l];
                }
                if let Some(noise) = noise {
                    for l in 0..L {
                        next[l] += noise[i][l];
                    }
                }
                (*x, *drift) = (next, change);
                one_by_one();
            }
            let (r, slope) = (&mut r[units.clone()], &mut slope[units.clone()]);
            let (rates, slopes) = (r.as_flattened_mut(), slope.as_flattened_mut());
            pass.activation.apply(x.as_flattened(), rates, slopes);
            if source.fluctuating {
                flutter.add(units.start, r, &source.deviates.0);
            }
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
    state: Aligned,
    /// The factors of the dense form.
    factors: Vec<(f32, f32)>,
}

impl<const L: usize> Flutter<L> {
    fn new(strength: f32, tau: &[f32]) -> Self {
        Self {
            state: Aligned::zeros(tau.len() * L),
            factors: crate::rate::recurrence::flutter_factors(strength, tau),
        }
    }

    /// Adds to the rates of the units from `first`.
    #[inline(always)]
    fn add(&mut self, first: usize, r: &mut [[f32; L]], deviates: &[[f32; L]; BLOCK]) {
        let state = self.state.as_chunks_mut::<L>().0;
        let rows = state[first..].iter_mut().zip(r).zip(deviates);
        for (((state, r), deviates), (keep, kick)) in rows.zip(&self.factors[first..]) {
            let (mut new, mut rate) = (*state, *r);
            for l in 0..L {
                new[l] = keep * new[l] + kick * rate[l].max(0.0).sqrt() * deviates[l];
                rate[l] += new[l];
            }
            (*state, *r) = (new, rate);
            one_by_one();
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
    /// The words of the noise at the next unit.
    noise_rows: Rows<L>,
    /// The words of the deviates at the next unit.
    deviate_rows: Rows<L>,
    /// The channels whose input at t − 1 is not zero in all lanes, and that input.
    inputs: Vec<(usize, [f32; L])>,
    /// Input of the sample into a block of units.
    current: Block<L>,
    /// Noise of the sample.
    noise: Block<L>,
    /// Deviates of the fluctuations.
    deviates: Block<L>,
}

/// Numbers of a block of units in every lane. It begins at a cache line, as [`Aligned`] does.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Block<const L: usize>([[f32; L]; BLOCK]);

impl<'a, const L: usize> Source<'a, L> {
    fn new(batch: &'a Batch, first: usize) -> Self {
        let zeros = Block([[0.0f32; L]; BLOCK]);
        let (noisy, fluctuating) = match &batch.words {
            Some(words) => (true, !words.fluctuations.is_empty()),
            None => (!batch.noise.is_empty(), !batch.fluctuations.is_empty()),
        };
        Self {
            batch,
            first,
            noisy,
            fluctuating,
            noise_rows: Rows::new([0; L]),
            deviate_rows: Rows::new([0; L]),
            inputs: Vec::new(),
            current: zeros,
            noise: zeros,
            deviates: zeros,
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

    /// Takes the words of the input at t − 1 and of the noise at t.
    #[inline(always)]
    fn step(&mut self, t: usize) {
        let (batch, first, b) = (self.batch, self.first, self.batch.trials);
        let Some(words) = &batch.words else { return };
        self.noise_rows = Rows::new(self.lanes(&words.noise[t * b..(t + 1) * b], 0));
        if self.fluctuating {
            let words = &words.fluctuations[t * b..(t + 1) * b];
            self.deviate_rows = Rows::new(self.lanes(words, 0));
        }
        let channels = words.channels;
        self.inputs.clear();
        for channel in 0..channels {
            let u: [f32; L] = std::array::from_fn(|l| match first + l < b {
                true => batch.input[((t - 1) * b + first + l) * channels + channel],
                false => 0.0,
            });
            if u != [0.0; L] {
                self.inputs.push((channel, u));
            }
        }
    }

    /// Takes the input at t − 1 and the noise at t of the next units.
    #[inline(always)]
    fn block(&mut self, t: usize, units: Range<usize>) {
        let (batch, first) = (self.batch, self.first);
        let Some(words) = &batch.words else {
            let size = batch.start.len();
            let n = size / batch.trials;
            let at = |t: usize| t * size..(t + 1) * size;
            let part = |rows: &[f32], lanes: &mut [[f32; L]; BLOCK]| {
                for (l, row) in rows.chunks_exact(n).skip(first).take(L).enumerate() {
                    for (lanes, x) in lanes.iter_mut().zip(&row[units.clone()]) {
                        lanes[l] = *x;
                    }
                }
            };
            part(&batch.current[at(t - 1)], &mut self.current.0);
            if self.noisy {
                part(&batch.noise[at(t)], &mut self.noise.0);
            }
            if self.fluctuating {
                part(&batch.fluctuations[at(t)], &mut self.deviates.0);
            }
            return;
        };
        let count = units.len();
        self.noise_rows.fill(STEP_NOISE, &mut self.noise.0[..count]);
        if self.fluctuating {
            let deviates = &mut self.deviates.0[..count];
            self.deviate_rows.fill(words.spread, deviates);
        }
        self.current.0 = [[0.0; L]; BLOCK];
        for (channel, u) in &self.inputs {
            let w_in = words.w_in[units.start * words.channels..].iter();
            let w_in = w_in.skip(*channel).step_by(words.channels);
            for (current, w) in self.current.0[..count].iter_mut().zip(w_in) {
                let mut sum = *current;
                for l in 0..L {
                    sum[l] += w * u[l];
                }
                *current = sum;
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
