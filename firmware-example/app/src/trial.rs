//! A trial with the input that the host has loaded, its cycles counted.

use fixed::types::I4F12;
use heapless::Vec;
use rate2spike_core::Fixed;
use rate2spike_core::blob::Deployed;
use rate2spike_core::decision::Evidence;
use rate2spike_core::network::Network;
use rate2spike_core::noise::Noise;
use rate2spike_core::step::State;
use rate2spike_core::trial::{Run, SpikeHash};
use rate2spike_protocol::Answer;
use rate2spike_protocol::message::{
    Cycles, OUTPUT_BYTES, Outcome, Refusal, SPIKE_BYTES, TABLE_BYTES, Trial,
};

use crate::board::Board;
use crate::line::send;
use crate::memory::{Memory, unstarted};

/// Runs the trial that `wanted` describes, on the input in `memory`, and sends
/// the spikes and outputs that it asks for.
///
/// # Errors
/// The trial is longer than the input in memory, or the network is larger than
/// the memory.
pub fn run<B: Board, const UNITS: usize, const VALUES: usize>(
    board: &mut B,
    memory: &mut Memory<UNITS, VALUES>,
    network: &Deployed,
    wanted: &Trial,
) -> Result<Outcome, Refusal> {
    let inputs = network.constants().inputs;
    let (state_memory, values) = memory.split();
    let input = Samples::new(values, inputs, wanted.samples).ok_or(Refusal::Input)?;
    let mut noise = Noise::new(wanted.seed, wanted.index);
    let state = state_memory
        .start(network, &mut noise)
        .map_err(|error| unstarted(network, error))?;
    let payload = network.payload();
    let (mut evidence, mut hash) = (Evidence::default(), SpikeHash::default());
    let (mut cycles, mut spikes, mut saturated_steps) = (Cycles::default(), 0, 0);
    let mut stream = Stream::default();
    let mut run = Run::new(network, state, noise, payload.clock);
    let mut mark = board.cycles();
    while let Some(step) = run.step(|sample| input.at(sample)) {
        let state = run.state();
        let passed = board.cycles().wrapping_sub(mark);
        let fired = state.fired().count();
        cycles.add(step, passed, fired);
        spikes += fired as u32;
        hash.add_step(step, state);
        evidence.see(&payload.decision, step, state.outputs());
        saturated_steps += u32::from(saturated(network, state));
        stream.take(board, wanted, step, state);
        mark = board.cycles();
    }
    stream.flush(board);
    let label = wanted.label.into();
    Ok(Outcome {
        spike_hash: hash.value(),
        spikes,
        correct: payload.decision.correct(label, &evidence),
        strict: payload.decision.strictly_correct(label, &evidence),
        saturated_steps,
        cycles,
    })
}

/// The input of a trial.
struct Samples<'m> {
    values: &'m [I4F12],
    inputs: usize,
    last: usize,
}

impl<'m> Samples<'m> {
    /// The first `samples` samples of `values`; `None` if `values` holds fewer, or
    /// if `samples` is zero.
    fn new(values: &'m [I4F12], inputs: usize, samples: u32) -> Option<Self> {
        let samples = samples as usize;
        let values = values.get(..samples.checked_mul(inputs)?)?;
        let last = samples.checked_sub(1)?;
        Some(Self {
            values,
            inputs,
            last,
        })
    }

    /// All channels in `sample`; the last sample lasts to the end.
    fn at(&self, sample: u32) -> &'m [I4F12] {
        let from = self.last.min(sample as usize) * self.inputs;
        self.values.get(from..from + self.inputs).unwrap_or(&[])
    }
}

/// True if a readout filter stands at the end of its range.
fn saturated(network: &Deployed, state: &State<Fixed>) -> bool {
    (0..network.banks().end())
        .map(|index| state.filtered(index))
        .any(|r| r == Fixed::MAX || r == Fixed::MIN)
}

/// Spikes and outputs on their way to the host, collected so that one answer
/// carries several.
#[derive(Default)]
struct Stream {
    spikes: Vec<u8, TABLE_BYTES>,
    outputs: Vec<u8, TABLE_BYTES>,
    /// Step of the first output that waits to be sent.
    first: u32,
}

impl Stream {
    fn take<B: Board>(&mut self, board: &mut B, wanted: &Trial, step: u32, state: &State<Fixed>) {
        if wanted.spikes {
            for unit in state.fired() {
                self.spike(board, step, unit as u16);
            }
        }
        if wanted.output_every != 0 && step.is_multiple_of(wanted.output_every.into()) {
            self.output(board, step, state.output());
        }
    }

    fn spike<B: Board>(&mut self, board: &mut B, step: u32, unit: u16) {
        let mut spike = [0; SPIKE_BYTES];
        spike[..4].copy_from_slice(&step.to_le_bytes());
        spike[4..].copy_from_slice(&unit.to_le_bytes());
        if self.spikes.extend_from_slice(&spike).is_err() {
            send(board, &Answer::Spikes(&self.spikes));
            self.spikes.clear();
            // The empty list has room for one.
            let _ = self.spikes.extend_from_slice(&spike);
        }
    }

    fn output<B: Board>(&mut self, board: &mut B, step: u32, output: Fixed) {
        if self.outputs.len() + OUTPUT_BYTES > TABLE_BYTES {
            self.send_outputs(board);
        }
        if self.outputs.is_empty() {
            self.first = step;
        }
        // The check above has made room.
        let _ = self
            .outputs
            .extend_from_slice(&output.to_bits().to_le_bytes());
    }

    fn send_outputs<B: Board>(&mut self, board: &mut B) {
        let (first, values) = (self.first, &self.outputs);
        send(board, &Answer::Output { first, values });
        self.outputs.clear();
    }

    fn flush<B: Board>(&mut self, board: &mut B) {
        if !self.spikes.is_empty() {
            send(board, &Answer::Spikes(&self.spikes));
        }
        if !self.outputs.is_empty() {
            self.send_outputs(board);
        }
    }
}
