//! A trial with the input that the host sends, its cycles counted.

use heapless::Vec;
use rate2spike_core::blob::Deployed;
use rate2spike_core::network::MOST_INPUTS;
use rate2spike_core::noise::Noise;
use rate2spike_core::step::State;
use rate2spike_core::trial::{Run, SpikeHash};
use rate2spike_protocol::message::{
    Cycles, MOST_SENT_OUTPUTS, OUTPUT_BYTES, Outcome, Refusal, SPIKE_BYTES, TABLE_BYTES,
    TrialRequest,
};
use rate2spike_protocol::{Answer, Receiver};

use crate::board::{Board, Cores};
use crate::input::Samples;
use crate::line::send;
use crate::memory::{Memory, Number, Started, unstarted};
use crate::pace::Pace;

/// Runs the trial that `wanted` describes, and sends the spikes and outputs that it
/// asks for. The input arrives in pieces.
///
/// # Errors
/// The input does not arrive, or the network is larger than the memory.
#[inline(never)]
pub fn run<A: Number, B: Board, const UNITS: usize>(
    board: &mut B,
    receiver: &mut Receiver,
    memory: &mut Memory<UNITS>,
    network: &Deployed<A>,
    wanted: &TrialRequest,
) -> Result<Outcome, Refusal> {
    let mut noise = Noise::new(wanted.seed, wanted.index);
    let mark = board.cycles();
    let Started {
        state,
        mut evidence,
        preprocessing,
        queue,
    } = memory
        .start(network, &mut noise)
        .map_err(|error| unstarted(network, error))?;
    let mut samples = Samples::new(network, wanted, preprocessing, queue).ok_or(Refusal::Input)?;
    let payload = network.payload();
    let mut hash = SpikeHash::default();
    let mut cycles = Cycles {
        start: board.cycles().wrapping_sub(mark),
        ..Cycles::default()
    };
    let (mut spikes, mut saturated_steps) = (0, 0);
    let mut stream = Stream::default();
    let mut run = Run::new(network, state, noise, payload.clock);
    let mut input = Vec::<_, MOST_INPUTS>::new();
    let mut missed_samples = 0;
    samples.fetch(board, receiver)?;
    // The first input is set before the trial's time begins.
    if let Some(first) = run.next_sample() {
        while samples.is_before(first) {
            if !samples.has_next() {
                samples.fetch(board, receiver)?;
            }
            let mark = board.cycles();
            input = samples.take();
            cycles.start += board.cycles().wrapping_sub(mark);
        }
        let mark = board.cycles();
        run.show_on(&mut Cores(board), input.clone());
        cycles.start += board.cycles().wrapping_sub(mark);
    }
    let mut pace = wanted.live.then(|| Pace::new(board, payload.step_ns));
    loop {
        samples.poll(board, receiver)?;
        board.alive();
        let mut mark = board.cycles();
        if let Some((coming, _)) = run.coming_sample()
            && samples.is_before(coming)
        {
            if !wanted.live && !samples.has_next() {
                samples.fetch(board, receiver)?;
            }
            mark = board.cycles();
            while samples.is_before(coming) && samples.has_next() {
                input = samples.take();
            }
            if !samples.is_before(coming) {
                run.expect(&input);
            }
        }
        if let Some(sample) = run.next_sample() {
            while samples.is_before(sample) {
                if !samples.has_next() {
                    if wanted.live {
                        missed_samples += 1;
                        samples.miss();
                        continue;
                    }
                    samples.fetch(board, receiver)?;
                }
                mark = board.cycles();
                input = samples.take();
            }
        }
        let Some(step) = run.step_on(&mut Cores(board), |_| input.clone()) else {
            break;
        };
        let state = run.state();
        let passed = board.cycles().wrapping_sub(mark);
        let fired = state.fired().count();
        cycles.add(step, passed, fired);
        spikes += fired as u32;
        hash.add_step(step, state);
        evidence.see(&payload.decision, step, state.outputs());
        saturated_steps += u32::from(state.readout_leaves_range(network));
        stream.take(board, wanted, step, state);
        if let Some(pace) = &mut pace {
            pace.wait(board);
        }
    }
    stream.flush(board);
    Ok(Outcome {
        spike_hash: hash.value(),
        spikes,
        answer: payload.decision.answer(&evidence),
        correct: payload.decision.correct(wanted.label, &evidence),
        strict: payload.decision.strictly_correct(wanted.label, &evidence),
        saturated_steps,
        late_steps: pace.map_or(0, |pace| pace.late),
        missed_samples,
        cycles,
    })
}

/// Spikes and outputs on their way to the host, collected so that one answer
/// carries several.
#[derive(Default)]
struct Stream {
    spikes: Vec<u8, TABLE_BYTES>,
    outputs: Vec<u8, TABLE_BYTES>,
    /// Step of the first output that waits to be sent.
    first: u32,
    /// Outputs of a step that are sent.
    each_step: u8,
}

impl Stream {
    fn take<A: Number, B: Board>(
        &mut self,
        board: &mut B,
        wanted: &TrialRequest,
        step: u32,
        state: &State<A>,
    ) {
        if wanted.spikes {
            for unit in state.fired() {
                self.spike(board, step, unit as u16);
            }
        }
        if wanted.output_every != 0 && step.is_multiple_of(wanted.output_every.into()) {
            self.output(board, step, state.outputs());
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

    fn output<A: Number, B: Board>(&mut self, board: &mut B, step: u32, outputs: &[A]) {
        let outputs = outputs.get(..MOST_SENT_OUTPUTS).unwrap_or(outputs);
        if self.outputs.len() + outputs.len() * OUTPUT_BYTES > TABLE_BYTES {
            self.send_outputs(board);
        }
        if self.outputs.is_empty() {
            self.first = step;
        }
        self.each_step = outputs.len() as u8;
        for output in outputs {
            let bytes = output.bits().to_le_bytes();
            // The check above has made room.
            let _ = self.outputs.extend_from_slice(&bytes);
        }
    }

    fn send_outputs<B: Board>(&mut self, board: &mut B) {
        let answer = Answer::Output {
            first: self.first,
            outputs: self.each_step,
            values: &self.outputs,
        };
        send(board, &answer);
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
