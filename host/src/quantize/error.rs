//! The reasons why a network has no fixed-point form.

use rate2spike_core::blob::BlobError;
use rate2spike_core::blob::floating::MOST_NUMBER;
use rate2spike_core::decision::MOST_OUTPUTS;
use rate2spike_core::network::MOST_INPUTS;

use crate::number::shown;
use crate::spiking::time_step::StepError;

/// Largest distance between a unit's most excitatory and its most inhibitory
/// current, mV. A potential lies within the range of its current. With two drives and the
/// noise of a refractory time, both stay inside [`Fixed`].
pub(super) const MOST_CURRENT_MV: f64 = 750.0;

/// Largest unit of potentials and currents, mV. A membrane's pull is resolved to a
/// 32nd of it, here 2 mV, twice its noise: a network that is right in 90 of 100
/// trials is then off by some 4 of them (`tests/tests/quantization.rs`).
pub(super) const MOST_UNIT_MV: f64 = 64.0;

/// Lengths of a step that divide a published sample of 5 ms, in ms.
const STEPS_MS: [f64; 8] = [0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1.0];

/// Where the number stands.
fn explain(fault: &BlobError) -> String {
    match fault {
        BlobError::Range { table, row } => {
            format!("row {row} of the table {table:?} has another one")
        }
        fault => format!("{fault:?}"),
    }
}

/// The way out for a time that decays by more than half in a step.
fn shorter(time_ms: f64) -> String {
    let most = time_ms * std::f64::consts::LN_2;
    match STEPS_MS.iter().rfind(|ms| **ms <= most) {
        Some(ms) => format!("use a step of {ms} ms"),
        // 0.01 ms / ln 2
        None => "no step is short enough, and the time must be at least 0.0145 ms".into(),
    }
}

/// The way out for a time that a step hardly changes.
fn longer(time_ms: f64) -> String {
    let least = time_ms * 10.0 / 65536.0;
    match STEPS_MS.iter().find(|ms| **ms >= least) {
        Some(ms) => format!("use a step of {ms} ms"),
        None => format!(
            "no step is long enough, and the time must be at most {} ms",
            65536 / 10
        ),
    }
}

/// A network that has no fixed-point form.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum QuantizeError {
    /// The quadratic neuron.
    #[error(
        "the quadratic neuron has no fixed-point form (v² leaves the range): quantize the leaky one"
    )]
    Quadratic,
    /// The quadratic neuron, in f32.
    #[error("a deployed network has leaky neurons only: quantize the leaky one")]
    QuadraticFloat,
    /// A number that the f32 form does not take.
    #[error(
        "the f32 form takes finite numbers up to {most} in size, and decays between −1 and 0 in a step: {}",
        explain(.0),
        most = MOST_NUMBER
    )]
    Float(BlobError),
    /// The time step does not fit the task.
    #[error(transparent)]
    Step(#[from] StepError),
    /// Euler's scheme.
    #[error("a deployed network is integrated exactly; use --scheme exact")]
    Scheme,
    /// A decay that 16 bits cannot hold.
    #[error(
        "{name} of {} ms decays by more than half in a step of {step_ms} ms: {}",
        shown(*.time_ms),
        shorter(*.time_ms)
    )]
    FastDecay {
        /// Name of the quantity.
        name: &'static str,
        /// The time constant.
        time_ms: f64,
        /// The step.
        step_ms: f64,
    },
    /// A decay that 16 bits cannot resolve.
    #[error(
        "{name} of {} ms is too long for a step of {step_ms} ms: {}",
        shown(*.time_ms),
        longer(*.time_ms)
    )]
    SlowDecay {
        /// Name of the quantity.
        name: &'static str,
        /// The time constant.
        time_ms: f64,
        /// The step.
        step_ms: f64,
    },
    /// Weights whose current could leave the range.
    #[error(
        "the synapses of unit {unit} could add up to {current_mv:.0} mV, beyond the {most} mV of the fixed-point format",
        most = MOST_CURRENT_MV * MOST_UNIT_MV
    )]
    Current {
        /// The receiving unit.
        unit: usize,
        /// Largest possible current.
        current_mv: f64,
    },
    /// A bias or an input weight out of range.
    #[error(
        "{name} of unit {unit} is {value} mV, beyond the ±{limit} mV of the fixed-point format"
    )]
    Voltage {
        /// Name of the quantity.
        name: &'static str,
        /// The unit.
        unit: usize,
        /// The value.
        value: f64,
        /// The limit.
        limit: f64,
    },
    /// Too many outputs.
    #[error("{0} outputs; the format has room for {most}", most = MOST_OUTPUTS)]
    Outputs(usize),
    /// Too many input channels.
    #[error("{0} input channels; the format has room for {most}", most = MOST_INPUTS)]
    Channels(usize),
    /// Noise that its gain cannot hold.
    #[error("noise of {0} mV a step is beyond the fixed-point format")]
    Noise(f64),
}
