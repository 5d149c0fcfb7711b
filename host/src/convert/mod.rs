//! Rate → spiking: the one-to-one mapping, and the search for λ.
//!
//! A rate network's effective weights and its readout are divided by the
//! scaling factor λ; the offsets of several outputs stay, and the offset of a single
//! output is left out, as in the published conversion; a calibration can keep it. The decay
//! time constants, in steps, become those of the synapses. Everything else is the neuron's own ([`Neuron`]).

pub mod calibrate;
pub mod choice;
pub mod flags;
pub mod lambdas;
pub mod model_file;
pub mod refit;
pub mod search;
pub mod spiking_model;

use crate::formats::names;
use crate::number::{MOST_LAMBDA, is_lambda};
use crate::rate::network::RateNetwork;
use crate::readout::Readout;
use crate::spiking::network::SpikingNetwork;
use crate::spiking::neuron::Neuron;

/// A network that cannot be converted.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum ConvertError {
    /// λ is not positive, or more than [`MOST_LAMBDA`].
    #[error(
        "lambda = {0:e}; give a scaling factor above 0 and at most {MOST_LAMBDA}, 20 to 75 is usual"
    )]
    Lambda(f64),
    /// A weight is not a number.
    #[error(
        "{name}[{index}] = {value} (entries counted from 0, row by row): the training diverged or the file is damaged; train again"
    )]
    NotFinite {
        /// The variable.
        name: &'static str,
        /// Place of the entry.
        index: usize,
        /// The value of the entry.
        value: f64,
    },
    /// More units than a spike can name.
    #[error("{0} units; at most 65,535 are supported")]
    Units(usize),
}

/// The one-to-one mapping of `rate` with scaling factor `lambda`.
///
/// # Errors
/// [`ConvertError`].
pub fn one_to_one(
    rate: &RateNetwork,
    lambda: f64,
    neuron: Neuron,
) -> Result<SpikingNetwork, ConvertError> {
    if !is_lambda(lambda) {
        return Err(ConvertError::Lambda(lambda));
    }
    if rate.units > usize::from(u16::MAX) {
        return Err(ConvertError::Units(rate.units));
    }
    let scaled = |values: &[f32]| values.iter().map(|&x| f64::from(x) / lambda).collect();
    let network = SpikingNetwork {
        neuron,
        units: rate.units,
        channels: rate.channels,
        weights: scaled(&rate.effective_weights()),
        input_weights: rate.w_in.iter().map(|&w| w.into()).collect(),
        offset_mv: vec![0.0; rate.units],
        readout: Readout {
            weights: scaled(&rate.readout.weights),
            offset: match &rate.readout.offset[..] {
                // The published conversion leaves the offset of its one output out.
                [_] if !rate.direct_inputs => vec![0.0],
                offsets => offsets.iter().map(|&offset| offset.into()).collect(),
            },
        },
        decay_ms: rate.decay_ms(),
        lambda,
    };
    for (name, values) in [
        (names::W, &network.weights),
        (names::W_IN, &network.input_weights),
        (names::W_OUT, &network.readout.weights),
        (names::B_OUT, &network.readout.offset),
        (names::TAUS_GAUS, &network.decay_ms),
    ] {
        if let Some(index) = values.iter().position(|x| !x.is_finite()) {
            return Err(ConvertError::NotFinite {
                name,
                index,
                value: values[index],
            });
        }
    }
    Ok(network)
}
