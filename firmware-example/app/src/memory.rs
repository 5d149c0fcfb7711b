//! The RAM of a network, and the check that a network fits into it.

use rate2spike_core::Fixed;
use rate2spike_core::blob::Deployed;
use rate2spike_core::block::{Block, ReadoutBlock};
use rate2spike_core::decision::{Evidence, MOST_OUTPUTS};
use rate2spike_core::network::Network;
use rate2spike_core::noise::Noise;
use rate2spike_core::preprocessing::{ChainState, MOST_OPERATIONS};
use rate2spike_core::refractory::Waiting;
use rate2spike_core::step::{StartError, State, StateMemory};
#[cfg(target_pointer_width = "32")]
use rate2spike_protocol::message::{FILTER_RAM_BYTES, UNIT_RAM_BYTES};
use rate2spike_protocol::message::{Limits, NetworkFault, Refusal};

use crate::input::Queue;

/// Most readout filters.
pub const FILTERS: usize = 8 * MOST_OUTPUTS;

/// State of up to `UNITS` units.
pub struct Memory<const UNITS: usize> {
    // A block holds one unit on a microcontroller and more on a desktop, where
    // `UNITS` blocks are more than enough.
    units: [Block<Fixed>; UNITS],
    readout: [ReadoutBlock<Fixed>; FILTERS],
    waiting: [Waiting; UNITS],
    outputs: [Fixed; MOST_OUTPUTS],
    sums: [i64; MOST_OUTPUTS],
    kept: [i64; MOST_OPERATIONS],
    queue: Queue,
}

/// Everything that a trial changes, before its first step.
pub struct Started<'m> {
    /// The network.
    pub state: State<'m, Fixed>,
    /// What the answer is read from.
    pub evidence: Evidence<Fixed, &'m mut [i64]>,
    /// The preprocessing of a sensor's integers.
    pub preprocessing: ChainState<&'m mut [i64]>,
    /// Room for the samples of the trial.
    pub queue: &'m mut Queue,
}

impl<const UNITS: usize> Default for Memory<UNITS> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const UNITS: usize> Memory<UNITS> {
    /// All zero, so that a `static` memory costs no flash.
    pub const fn new() -> Self {
        Self {
            units: [Block::EMPTY; UNITS],
            readout: [ReadoutBlock::EMPTY; FILTERS],
            waiting: [Waiting::EMPTY; UNITS],
            outputs: [Fixed::ZERO; MOST_OUTPUTS],
            sums: [0; MOST_OUTPUTS],
            kept: [0; MOST_OPERATIONS],
            queue: Queue::new(),
        }
    }

    /// The start of a trial.
    ///
    /// # Errors
    /// The network is larger than the memory.
    pub fn start(
        &mut self,
        network: &Deployed,
        noise: &mut Noise,
    ) -> Result<Started<'_>, StartError> {
        let memory = StateMemory {
            blocks: &mut self.units,
            readout: &mut self.readout,
            waiting: &mut self.waiting,
            outputs: &mut self.outputs,
        };
        Ok(Started {
            state: State::start(network, memory, noise)?,
            evidence: Evidence::with(&mut self.sums),
            preprocessing: ChainState::with(&mut self.kept),
            queue: &mut self.queue,
        })
    }

    /// The hash of the self-test's spikes; `stepped` is called after each step.
    ///
    /// # Errors
    /// The network is larger than the memory.
    pub fn self_test(
        &mut self,
        network: &Deployed,
        stepped: impl FnMut(),
    ) -> Result<u64, StartError> {
        let memory = StateMemory {
            blocks: &mut self.units,
            readout: &mut self.readout,
            waiting: &mut self.waiting,
            outputs: &mut self.outputs,
        };
        network.self_test_with(memory, stepped)
    }
}

/// The limits of a memory, and of flash for networks of `network_bytes` bytes.
pub const fn limits<const UNITS: usize>(network_bytes: usize) -> Limits {
    Limits {
        units: UNITS as u16,
        filters: FILTERS as u16,
        network_bytes: network_bytes as u32,
    }
}

/// Checks the network in `bytes`, and that it is within the limits.
///
/// # Errors
/// The fault of the network.
pub fn held<'s>(bytes: &'s [u8], limits: &Limits) -> Result<Deployed<'s>, NetworkFault> {
    let network = Deployed::read(bytes).map_err(NetworkFault::Blob)?;
    let shared = &network.payload().shared;
    if shared.units > limits.units {
        let found = shared.units;
        return Err(NetworkFault::Units { found });
    }
    let filters = network.banks().filters_in_all();
    if filters > usize::from(limits.filters) {
        let found = filters as u16;
        return Err(NetworkFault::Filters { found });
    }
    Ok(network)
}

/// The refusal of a network that was not started. [`held`] keeps such networks
/// away.
pub fn unstarted(network: &Deployed, error: StartError) -> Refusal {
    Refusal::NoNetwork(match error {
        StartError::Readout(_) => NetworkFault::Filters {
            found: network.banks().filters_in_all() as u16,
        },
        _ => NetworkFault::Units {
            found: network.payload().shared.units,
        },
    })
}

/// The command line computes with these sizes.
#[cfg(target_pointer_width = "32")]
const _: () = {
    assert!(size_of::<Block<Fixed>>() + size_of::<Waiting>() == UNIT_RAM_BYTES);
    assert!(size_of::<ReadoutBlock<Fixed>>() == FILTER_RAM_BYTES);
};
