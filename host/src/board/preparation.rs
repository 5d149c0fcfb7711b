//! Makes sure that a board holds a network, and steps it as the desktop does.

use std::path::PathBuf;

use rate2spike_core::blob::Deployed;
use rate2spike_protocol::message::NetworkFault;

use super::client::{Client, Identity};
use super::{BoardError, explain_network};
use crate::spiking::trial::Deployable;

/// A board that cannot run a network.
#[derive(Debug, thiserror::Error)]
pub enum PreparationError {
    /// The board did not do what was asked.
    #[error(transparent)]
    Board(#[from] BoardError),
    /// The board holds another network, or none.
    #[error(
        "the board holds {found}; add --replace to write {network} into its flash, or use `rate2spike deploy`"
    )]
    OtherNetwork {
        /// What the board holds.
        found: String,
        /// File of the network.
        network: PathBuf,
    },
    /// The board holds another network after writing.
    #[error("the board still holds another network after writing; try again")]
    NotReplaced,
    /// The board refuses the network.
    #[error("the board refuses the network: {}", explain_network(.0))]
    Refused(NetworkFault),
    /// The board's spikes are not those that are stored.
    #[error(
        "the board's self-test gives spike hash {found:016x}, but {wanted:016x} is stored: its firmware steps differently; flash the firmware of this version"
    )]
    SelfTest {
        /// The board's hash.
        found: u64,
        /// The stored hash.
        wanted: u64,
    },
}

/// The network that a board should hold.
pub struct Wanted<'a, A: Deployable> {
    /// File of the network.
    pub file: PathBuf,
    /// The blob in the file.
    pub bytes: &'a [u8],
    /// The network in the blob.
    pub deployed: &'a Deployed<'a, A>,
    /// Whether the network is written over another one in the board's flash.
    pub replace: bool,
}

/// Makes sure that the board holds the network, and that its self-test gives the stored
/// spikes. `written` gets the number of bytes that are written so far.
///
/// # Errors
/// [`PreparationError`].
pub fn prepare<A: Deployable>(
    client: &mut Client,
    identity: &Identity,
    wanted: &Wanted<A>,
    written: impl FnMut(usize),
) -> Result<(), PreparationError> {
    let checksum = wanted.deployed.checksum();
    if identity.network != Ok(checksum) {
        if !wanted.replace {
            let found = match &identity.network {
                Ok(checksum) => format!("another network (check sum {checksum:08x})"),
                Err(fault) => format!("no network: {}", explain_network(fault)),
            };
            let network = wanted.file.clone();
            return Err(PreparationError::OtherNetwork { found, network });
        }
        match client.replace(wanted.bytes, written)?.network {
            Ok(found) if found == checksum => {}
            Ok(_) => return Err(PreparationError::NotReplaced),
            Err(fault) => return Err(PreparationError::Refused(fault)),
        }
    }
    let test = client.self_test()?;
    if test.wanted == test.found {
        return Ok(());
    }
    Err(PreparationError::SelfTest {
        found: test.found,
        wanted: test.wanted,
    })
}
