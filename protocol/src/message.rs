//! The requests and the answers.

use rate2spike_core::blob::BlobError;
use serde::{Deserialize, Serialize};

use crate::frame::FrameError;

/// Most bytes of a table in a message; the rest of the body holds the other
/// fields.
pub const TABLE_BYTES: usize = 192;

/// Bytes of an input value, in 2⁻¹², little endian.
pub const INPUT_BYTES: usize = 2;

/// Bytes of a sensor's integer, which the network's preprocessing reads, little endian.
pub const SENSOR_BYTES: usize = 4;

/// Bytes of a spike: step (4) and unit (2), little endian.
pub const SPIKE_BYTES: usize = 6;

/// Bytes of an output value, in the bits of [`rate2spike_core::Fixed`] or, for a network in
/// f32, in those of `f32`; little endian.
pub const OUTPUT_BYTES: usize = 4;

/// Most outputs of a step in a message.
pub const MOST_SENT_OUTPUTS: usize = TABLE_BYTES / OUTPUT_BYTES;

/// Bytes of RAM that a unit takes on a board: state, factors, an entry of the
/// refractory ring, and the drive of an input that begins later.
pub const UNIT_RAM_BYTES: usize = 28;

/// Further bytes of RAM of a unit on a board whose two cores step the network: where the list
/// of its targets is cut.
pub const CUT_RAM_BYTES: usize = 4;

/// Bytes of RAM that a readout filter takes on a board.
pub const FILTER_RAM_BYTES: usize = 12;

/// Bytes of RAM that a unit of a network in f32 takes on a board.
pub const FLOAT_UNIT_RAM_BYTES: usize = 44;

/// Bytes of RAM that a readout filter of a network in f32 takes on a board.
pub const FLOAT_FILTER_RAM_BYTES: usize = 20;

/// A request of the host.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Request<'a> {
    /// Name the board and the network that it holds.
    Identify,
    /// Run the network's self-test.
    SelfTest,
    /// Input of the trial that runs, which [`Answer::Want`] asked for: whole samples,
    /// all channels of a sample together. A value has [`INPUT_BYTES`], or
    /// [`SENSOR_BYTES`] if the network has a preprocessing.
    Load {
        /// Number of the first sample.
        first: u32,
        /// The values.
        values: &'a [u8],
    },
    /// Run a trial. The board asks for its input before it needs it.
    Run(TrialRequest),
    /// Make room for a new network beside the one in use.
    Erase {
        /// Bytes of the network that will be written.
        bytes: u32,
    },
    /// Write to flash that was erased.
    Write {
        /// Distance from the network's first byte.
        offset: u32,
        /// The bytes to write, a multiple of four.
        bytes: &'a [u8],
    },
    /// End the trial that runs.
    Stop,
}

/// A trial to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrialRequest {
    /// Seed of the noise and of the start.
    pub seed: u64,
    /// Number of the trial.
    pub index: u64,
    /// Samples of the input; the last one lasts to the trial's end.
    pub samples: u32,
    /// The right answer, for the score.
    pub label: i16,
    /// Send every spike.
    pub spikes: bool,
    /// Steps from one output that is sent to the next; 0 sends no output.
    pub output_every: u16,
    /// Run in real time: each step takes the time that it has. The board does not wait
    /// for a sample that comes too late; the one before lasts on.
    pub live: bool,
}

/// An answer of the board.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Answer<'a> {
    /// The answer to [`Request::Identify`].
    Identity(Identity<'a>),
    /// The answer to [`Request::SelfTest`].
    SelfTest(SelfTest),
    /// The trial that runs needs its next samples.
    Want {
        /// Number of the first sample.
        first: u32,
    },
    /// Spikes of the trial that runs, [`SPIKE_BYTES`] each.
    Spikes(&'a [u8]),
    /// Outputs of the trial that runs, [`OUTPUT_BYTES`] each, all outputs of a step
    /// together. Outputs beyond [`MOST_SENT_OUTPUTS`] are not sent.
    Output {
        /// The first step.
        first: u32,
        /// Outputs of a step.
        outputs: u8,
        /// The values.
        values: &'a [u8],
    },
    /// The trial is over.
    Done(Outcome),
    /// The answer to [`Request::Erase`].
    Erased,
    /// The answer to [`Request::Write`].
    Written,
    /// The request was not carried out.
    Refused(Refusal),
}

/// A board, and what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Identity<'a> {
    /// Name of the board.
    pub board: &'a [u8],
    /// Cycles of its counter in a second.
    pub clock_hz: u32,
    /// What it has room for.
    pub limits: Limits,
    /// The deepest that the board's stack went since it was switched on, in bytes.
    pub stack_bytes: u32,
    /// The network on the board, or why the board has no network.
    pub network: Result<Holding<'a>, NetworkFault>,
}

/// What a firmware has room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Units.
    pub units: u16,
    /// Readout filters.
    pub filters: u16,
    /// Bytes of a network that is written over the line; half the flash, or
    /// less. An image may be larger.
    pub network_bytes: u32,
}

/// The network that a board holds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Holding<'a> {
    /// Name of the task, UTF-8.
    pub task: &'a [u8],
    /// Check sum in the network's header.
    pub checksum: u32,
    /// Number of units.
    pub units: u16,
    /// Number of synapses.
    pub synapses: u32,
    /// Length of a time step in nanoseconds.
    pub step_ns: u32,
}

/// Why a board has no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum NetworkFault {
    /// The bytes are no network.
    Blob(BlobError),
    /// More units than [`Limits::units`].
    Units {
        /// The network's.
        found: u16,
    },
    /// More readout filters than [`Limits::filters`].
    Filters {
        /// The network's.
        found: u16,
    },
    /// The network was erased, and a new one is being written.
    Erased,
}

/// Result of the self-test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SelfTest {
    /// Hash of the spikes that is stored in the network.
    pub wanted: u64,
    /// Hash of the spikes that the board found.
    pub found: u64,
}

/// The result of a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Hash of the spikes.
    pub spike_hash: u64,
    /// Number of spikes.
    pub spikes: u32,
    /// The answer.
    pub answer: i16,
    /// Whether the answer is right by the published criterion.
    pub correct: bool,
    /// Whether the answer is right by the strict criterion.
    pub strict: bool,
    /// Steps in which a readout filter stood at the end of its range.
    pub saturated_steps: u32,
    /// Steps of a live trial that ended too late.
    pub late_steps: u32,
    /// Samples of a live trial that came too late.
    pub missed_samples: u32,
    /// The time that the steps took.
    pub cycles: Cycles,
}

/// Cycles of a trial's steps: new input, step and output. The time to send spikes
/// and outputs is not part of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cycles {
    /// Number of steps.
    pub steps: u32,
    /// Cycles of all steps.
    pub total: u64,
    /// Cycles before the first step, in which the state is set up.
    pub start: u32,
    /// Cycles of the first step.
    pub first: u32,
    /// Cycles of the slowest step, the first one excluded.
    pub worst: u32,
    /// The number of the slowest step, counted from 1.
    pub worst_step: u32,
    /// Cycles of all steps without a spike.
    pub quiet_total: u64,
    /// Number of steps without a spike.
    pub quiet_steps: u32,
}

impl Cycles {
    /// Adds a step.
    pub fn add(&mut self, step: u32, cycles: u32, spikes: usize) {
        self.steps += 1;
        self.total += u64::from(cycles);
        if step == 1 {
            self.first = cycles;
        } else if cycles > self.worst {
            (self.worst, self.worst_step) = (cycles, step);
        }
        if spikes == 0 {
            self.quiet_steps += 1;
            self.quiet_total += u64::from(cycles);
        }
    }
}

/// Why a request was not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    /// The frame was not understood.
    Frame(FrameError),
    /// There is no network.
    NoNetwork(NetworkFault),
    /// The input of a trial is missing, or is not what the board asked for.
    Input,
    /// Flash outside of [`Limits::network_bytes`] or of what was erased, or
    /// not aligned.
    Range,
    /// The flash could not be erased or written.
    Flash(FlashFault),
    /// The network that is held leaves no room for another one beside it.
    Large,
    /// No trial runs any more: the host has ended it.
    Stopped,
}

/// Why flash could not be erased or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FlashFault {
    /// The board cannot write its own flash.
    Unavailable,
    /// The flash reported a failure.
    Failed,
    /// The bytes that are read are not those that were written.
    Differs,
    /// The board's supply is too low to write flash.
    LowSupply,
}
