//! A deployed network as logic: the Verilog of `logic/`, the memory image of the
//! network, a test bench, and a Makefile.

pub mod clocks;
pub mod device;
pub mod image;
pub mod project;

use rate2spike_core::decision::Kind;

/// A network that the logic does not run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The single filter.
    #[error(
        "the logic has the double synaptic filter only, and this network has the single one: train the model with a rise time, or run the network on a microcontroller"
    )]
    SingleFilter,
    /// Several outputs.
    #[error(
        "the logic has one output, and this network has {outputs}: run the network on a microcontroller"
    )]
    Outputs {
        /// Outputs of the network.
        outputs: usize,
    },
    /// An output with an offset.
    #[error(
        "the logic has no offset of an output, and this network has one: run the network on a microcontroller"
    )]
    Offset,
    /// A network with preprocessing of its input.
    #[error(
        "the logic takes the network's input as it is, and this network preprocesses it: run the network on a microcontroller"
    )]
    Preprocessing,
    /// A decision that the logic does not make.
    #[error(
        "the logic decides by the height or the sign of one output, and this task asks for {}: run the network on a microcontroller",
        asked(.kind)
    )]
    Decision {
        /// The task's decision.
        kind: Kind,
    },
    /// A trial of too many steps.
    #[error(
        "a trial or a sample of {steps} steps is longer than the 1,048,575 steps that the logic counts: quantize the model with a longer --dt"
    )]
    Long {
        /// Steps of the trial or of a sample.
        steps: u32,
    },
    /// A refractory time of too many steps.
    #[error(
        "a refractory time of {refractory_steps} steps is longer than the 32,766 steps that the logic counts: quantize the model with a longer --dt"
    )]
    Refractory {
        /// Steps of the refractory time.
        refractory_steps: u16,
    },
    /// A memory of too many words.
    #[error("{words} {what} are more than the {most} that the logic addresses: use fewer units")]
    Large {
        /// What the words are.
        what: &'static str,
        /// Their number.
        words: usize,
        /// The most that the logic addresses.
        most: usize,
    },
}

fn asked(kind: &Kind) -> &'static str {
    match kind {
        Kind::Rhythm { .. } => "a rhythm",
        _ => "another answer",
    }
}
