//! A board with a microcontroller or an FPGA: the line to it, its budget, its firmware, and
//! trials that run on it.

pub mod bit_stream;
pub mod budget;
pub mod cache;
pub mod client;
pub mod comparison;
pub mod firmware;
pub mod logic;
pub mod port;
pub mod preparation;
pub mod probe;
pub mod recording;
pub mod session;
pub mod steps;
pub mod target;

use std::time::Duration;

use rate2spike_core::blob::BlobError;
use rate2spike_protocol::FrameError;
use rate2spike_protocol::message::{FlashFault, NetworkFault, Refusal};

use crate::formats::snn;

/// The reason why a request to a board failed.
#[derive(Debug, thiserror::Error)]
pub enum BoardError {
    /// The port cannot be opened.
    #[error("{port}: {source}{}", advice(.source))]
    Open {
        /// The port as it was given.
        port: String,
        /// Why.
        source: std::io::Error,
    },
    /// The port failed.
    #[error("{port}: {source}; is the board still connected?")]
    Line {
        /// The port as it was given.
        port: String,
        /// Why.
        source: std::io::Error,
    },
    /// No answer.
    #[error(
        "{port}: no answer for {} s; is it the right port, and does the board run this program's firmware?",
        .waited.as_secs()
    )]
    Silent {
        /// The port as it was given.
        port: String,
        /// The time that was waited.
        waited: Duration,
    },
    /// No answer in the middle of a trial.
    #[error(
        "{port}: no answer for {} s in the middle of a trial; does the board, or its emulator, still run? Start it again",
        .waited.as_secs()
    )]
    Stopped {
        /// The port as it was given.
        port: String,
        /// The time that was waited.
        waited: Duration,
    },
    /// The board speaks another version.
    #[error(
        "{port}: the board speaks version {found} of the protocol and this program version {}; flash the firmware of this version",
        rate2spike_protocol::VERSION
    )]
    Version {
        /// The port as it was given.
        port: String,
        /// The board's version.
        found: u8,
    },
    /// The board refused.
    #[error("{port}: {}", explain(.refusal))]
    Refused {
        /// The port as it was given.
        port: String,
        /// Why.
        refusal: Refusal,
    },
    /// The logic does not have what the network needs.
    #[error("{port}: {refusal}")]
    Logic {
        /// The port as it was given.
        port: String,
        /// What is missing.
        refusal: crate::export::verilog::Refusal,
    },
    /// The logic refuses an image.
    #[error("{port}: {}", explain_code(*.code))]
    Image {
        /// The port as it was given.
        port: String,
        /// The fault, as the light shows it in flashes.
        code: u8,
    },
    /// The board's answer is unknown to this version.
    #[error(
        "{port}: an answer that this program does not know; flash the firmware of this version"
    )]
    Unexpected {
        /// The port as it was given.
        port: String,
    },
}

/// The fault of a self-test with other spikes.
pub const OTHER_SPIKES: u8 = 6;

/// The fault of an image in words, as the light shows it in flashes.
pub fn explain_code(code: u8) -> &'static str {
    match code {
        0 => "no fault",
        1 => "no image of a network is there",
        2 => "the image has another layout: export the network with this version",
        3 => "the image is malformed",
        4 => "the network is larger than the memories of this design: export it anew",
        5 => "the image is damaged: its check sum is wrong",
        OTHER_SPIKES => "the self-test gives other spikes",
        _ => "the image did not arrive whole",
    }
}

fn advice(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::PermissionDenied => {
            "; your user needs the right to use serial ports (on Linux: the group dialout)"
        }
        std::io::ErrorKind::NotFound => "; is the board connected?",
        std::io::ErrorKind::ConnectionRefused => {
            "; does the emulator run, and is this the port that it printed?"
        }
        _ => "",
    }
}

/// A refusal in words, with the way out.
pub fn explain(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Frame(FrameError::Version { found }) => {
            format!("the board did not understand version {found} of the protocol")
        }
        Refusal::Frame(error) => {
            format!("the board received a damaged message ({error:?}); check the line")
        }
        Refusal::NoNetwork(fault) => {
            format!("the board has no network: {}", explain_network(fault))
        }
        Refusal::Input => "the board did not get the input of the trial that it asked for; run it again".into(),
        Refusal::Range => {
            "the network is too large to be written beside the one that is held; use `rate2spike deploy`, whose image replaces it"
                .into()
        }
        Refusal::Large => {
            "the network that the board holds is so large that no other one can be written beside it; use `rate2spike deploy`, whose image replaces it"
                .into()
        }
        Refusal::Stopped => "no trial runs: it was ended".into(),
        Refusal::Flash(FlashFault::Unavailable) => {
            "the board cannot write its own flash; use `rate2spike deploy --flash`".into()
        }
        Refusal::Flash(FlashFault::Failed) => "the board failed to write its flash".into(),
        Refusal::Flash(FlashFault::Differs) => {
            "the board's flash does not hold what was written; it may be worn or protected".into()
        }
        Refusal::Flash(FlashFault::LowSupply) => {
            "the board's supply is below 2.8 V, too low to write its flash; it keeps the network that it held".into()
        }
    }
}

/// The reason why a board has no network, in words.
pub fn explain_network(fault: &NetworkFault) -> String {
    match fault {
        NetworkFault::Blob(BlobError::Magic(_)) => {
            "its flash does not begin with one; `rate2spike deploy` makes an image".into()
        }
        NetworkFault::Blob(error) => snn::explain(error),
        NetworkFault::Units { found } => {
            format!("{found} units are more than the firmware has memory for")
        }
        NetworkFault::Filters { found } => {
            format!("{found} readout filters are more than the firmware has memory for")
        }
        NetworkFault::Erased => "it was erased".into(),
    }
}
