//! The network in real time: a sensor or the button is the input, and the answer is shown
//! with the light, on pins, and on the line.
//!
//! Trials follow each other. A network with a preprocessing is shown the samples of the
//! board's sensor, if the sensor has the channels that it wants. Another network is shown
//! the button: while it is down, the input of the first channel is one, and the press
//! begins a trial of the whole length.
//!
//! At the end of a trial the answer goes to the pins and, as a sentence, to the line. The
//! light is on if the answer is above zero. Where the task asks whether something is there
//! ([`Kind::Detection`]), the light goes on as soon as the output passes the threshold, and
//! off at the trial's end.

use fixed::types::I4F12;
use heapless::Vec;
use rate2spike_core::blob::Deployed;
use rate2spike_core::decision::Kind;
use rate2spike_core::network::{MOST_INPUTS, Network};
use rate2spike_core::noise::Noise;
use rate2spike_core::preprocessing::{Chain, MOST_VALUES};
use rate2spike_core::trial::Run;

use crate::board::{Board, Cores};
use crate::input::preprocessed;
use crate::line::{nap, number, say};
use crate::log;
use crate::memory::{Memory, Number, Started};
use crate::pace::Pace;

/// Runs until a byte arrives on the line, and returns it; `None` once the board
/// is switched off.
#[inline(never)]
pub fn run<A: Number, B: Board, const UNITS: usize>(
    board: &mut B,
    memory: &mut Memory<UNITS>,
    network: &Deployed<A>,
) -> Option<u8> {
    let payload = network.payload();
    let sample_ns = payload
        .step_ns
        .saturating_mul(payload.clock.steps_per_sample);
    let channels = network.preprocessing().map_or(0, Chain::channels);
    let senses = channels > 0 && board.start_sensor(channels, sample_ns);
    let mut sample = Sample::of(channels);
    // The first trial begins with a sample, and the others follow without a pause.
    while senses && !sample.poll(board) {
        if !board.is_on() {
            return None;
        }
        if let Some(byte) = board.receive() {
            return Some(byte);
        }
        nap(board);
    }
    let mut pace = Pace::new(board, payload.step_ns);
    let mut episode = 0;
    while board.is_on() {
        let noise = Noise::new(board.cycles().into(), episode);
        episode += 1;
        let ended = if senses {
            let trial = Trial {
                network,
                noise,
                pace: &mut pace,
            };
            sensed(board, memory, trial, &mut sample)
        } else {
            pressed(board, memory, network, noise, &mut pace)
        };
        match ended {
            Ended::Byte(byte) => {
                board.set_light(false);
                return Some(byte);
            }
            Ended::Answer(answer) => tell(board, network, answer),
            Ended::Off => return None,
        }
        log::late(pace.late);
    }
    None
}

/// The latest sample of the sensor.
struct Sample {
    values: [i32; MOST_VALUES],
    channels: usize,
    /// True if it was not shown to the network.
    is_new: bool,
}

impl Sample {
    fn of(channels: usize) -> Self {
        Self {
            values: [0; MOST_VALUES],
            channels,
            is_new: false,
        }
    }

    /// Asks the sensor; true if there is a sample that was not shown.
    fn poll<B: Board>(&mut self, board: &mut B) -> bool {
        let values = self.values.get_mut(..self.channels).unwrap_or_default();
        self.is_new = self.is_new || board.sense(values);
        self.is_new
    }

    /// The values, which count as shown.
    fn take(&mut self) -> &[i32] {
        self.is_new = false;
        self.values.get(..self.channels).unwrap_or_default()
    }
}

/// A trial in real time.
struct Trial<'a, 'n, A: Number> {
    network: &'a Deployed<'n, A>,
    noise: Noise,
    pace: &'a mut Pace,
}

/// How a trial ends.
enum Ended {
    /// The answer, at the trial's end.
    Answer(i16),
    /// A byte arrived on the line.
    Byte(u8),
    /// The board was switched off.
    Off,
}

/// Shows an answer on the pins, with the light, and on the line.
fn tell<A: Number, B: Board>(board: &mut B, network: &Deployed<A>, answer: i16) {
    let kind = network.payload().decision.kind;
    if kind == Kind::Track {
        return;
    }
    board.show(answer);
    board.set_light(answer > 0 && kind != Kind::Detection);
    let mut digits = [0; 6];
    let named = network.class_name(answer);
    let name = named.unwrap_or_else(|| number(answer, &mut digits));
    say(board, &[B::NAME.as_bytes(), b": ", name]);
}

/// A trial whose input comes from the board's sensor.
fn sensed<A: Number, B: Board, const UNITS: usize>(
    board: &mut B,
    memory: &mut Memory<UNITS>,
    trial: Trial<A>,
    sample: &mut Sample,
) -> Ended {
    let Trial {
        network,
        mut noise,
        pace,
    } = trial;
    let payload = network.payload();
    // A network that does not fit was refused before.
    let Ok(started) = memory.start(network, &mut noise) else {
        return Ended::Off;
    };
    let Started {
        state,
        mut evidence,
        mut preprocessing,
        ..
    } = started;
    let mut run = Run::new(network, state, noise, payload.clock);
    while !run.is_over() {
        if !board.is_on() {
            return Ended::Off;
        }
        if let Some(byte) = board.receive() {
            return Ended::Byte(byte);
        }
        if sample.poll(board) {
            let input = preprocessed(network, &mut preprocessing, sample.take());
            run.show_on(&mut Cores(board), input);
        }
        let step = run.advance_on(&mut Cores(board));
        evidence.see(&payload.decision, step, run.state().outputs());
        watch(board, network, run.state().output());
        pace.wait(board);
    }
    Ended::Answer(payload.decision.answer(&evidence))
}

/// A trial whose input is the button.
fn pressed<A: Number, B: Board, const UNITS: usize>(
    board: &mut B,
    memory: &mut Memory<UNITS>,
    network: &Deployed<A>,
    mut noise: Noise,
    pace: &mut Pace,
) -> Ended {
    let payload = network.payload();
    // A network that does not fit was refused before.
    let Ok(Started {
        state,
        mut evidence,
        ..
    }) = memory.start(network, &mut noise)
    else {
        return Ended::Off;
    };
    let mut run = Run::new(network, state, noise, payload.clock);
    let channels = network.constants().inputs;
    let mut pressed = false;
    // The step after which the trial began.
    let mut began = 0;
    while run.now().wrapping_sub(began) < payload.clock.steps {
        if !board.is_on() {
            return Ended::Off;
        }
        if let Some(byte) = board.receive() {
            return Ended::Byte(byte);
        }
        let was_pressed = core::mem::replace(&mut pressed, board.button());
        if pressed != was_pressed {
            run.show_on(&mut Cores(board), cue::<A>(pressed, channels));
            if pressed {
                began = run.now();
                evidence.forget();
            }
        }
        let step = run.advance_on(&mut Cores(board)).wrapping_sub(began);
        evidence.see(&payload.decision, step, run.state().outputs());
        watch(board, network, run.state().output());
        pace.wait(board);
    }
    Ended::Answer(payload.decision.answer(&evidence))
}

/// Switches the light on where the output shows at once that something is there.
#[inline(always)]
fn watch<A: Number, B: Board>(board: &mut B, network: &Deployed<A>, output: A) {
    let decision = &network.payload().decision;
    if decision.kind == Kind::Detection && output > decision.high {
        board.set_light(true);
    }
}

/// The input of all channels: one on the first channel while the button is
/// pressed, zero otherwise.
fn cue<A: Number>(pressed: bool, channels: usize) -> Vec<A::Input, MOST_INPUTS> {
    (0..channels)
        .map(|channel| A::input(I4F12::from_num(pressed && channel == 0)))
        .collect()
}
