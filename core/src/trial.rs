//! A trial: input samples in, spikes and output out.

use core::hash::Hasher;

use fnv::FnvHasher;
use serde::{Deserialize, Serialize};

use crate::network::{Input, Network};
use crate::noise::Noise;
use crate::step::State;

/// How long a trial lasts, and when its input changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// Time steps of one input sample.
    pub steps_per_sample: u32,
    /// Time steps of the trial.
    pub steps: u32,
}

impl Clock {
    /// The input sample of `step`, which counts from 1: `step / steps_per_sample`
    /// rounded to nearest, as in the published code, so that the first sample
    /// lasts half as long as the others.
    pub fn sample(&self, step: u32) -> u32 {
        (2 * step + self.steps_per_sample) / (2 * self.steps_per_sample)
    }
}

/// Runs `network` from `state` through a trial. `input` gives the values of
/// all channels in a sample, `observe` sees every step and its state.
#[inline(always)]
pub fn run<N: Network, I: AsRef<[Input<N>]>>(
    network: &N,
    state: &mut State<N::Number>,
    noise: &mut Noise,
    clock: Clock,
    mut input: impl FnMut(u32) -> I,
    mut observe: impl FnMut(u32, &State<N::Number>),
) {
    let mut step = 0;
    let mut sample = clock.sample(1);
    let mut present = input(sample);
    state.set_input(network, present.as_ref());
    // Steps left until the input changes; no division a step.
    let mut left = clock.steps_per_sample.div_ceil(2) - 1;
    while step < clock.steps {
        step += 1;
        if left == 0 {
            sample += 1;
            let next = input(sample);
            if next.as_ref() != present.as_ref() {
                state.set_input(network, next.as_ref());
            }
            present = next;
            left = clock.steps_per_sample;
        }
        left -= 1;
        state.step(network, noise);
        observe(step, state);
    }
}

/// The hash of a sequence of spikes: FNV-1a, 64 bits, over the step (4 bytes,
/// little endian) and the unit (2 bytes) of every spike.
#[derive(Default)]
pub struct SpikeHash(FnvHasher);

impl SpikeHash {
    /// Adds the spike of `unit` at `step`.
    pub fn add(&mut self, step: u32, unit: usize) {
        self.0.write(&step.to_le_bytes());
        self.0.write(&(unit as u16).to_le_bytes());
    }

    /// Adds all spikes of the step that `state` has just made.
    #[inline]
    pub fn add_step<A: crate::Arithmetic>(&mut self, step: u32, state: &State<A>) {
        state.fired().for_each(|unit| self.add(step, unit));
    }

    /// Adds another hash, of a whole trial for instance.
    pub fn add_hash(&mut self, hash: u64) {
        self.0.write(&hash.to_le_bytes());
    }

    /// The hash so far.
    pub fn value(&self) -> u64 {
        self.0.finish()
    }
}
