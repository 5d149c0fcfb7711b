//! What a network needs in RAM, and whether there is enough of it.

use fixed::types::I4F12;
use rate2spike_core::Fixed;
use rate2spike_core::blob::Deployed;
use rate2spike_core::block::{Block, ReadoutBlock};
use rate2spike_core::network::Network;
use rate2spike_core::noise::Noise;
use rate2spike_core::refractory::Waiting;
use rate2spike_core::step::State;
#[cfg(target_pointer_width = "32")]
use rate2spike_protocol::message::{FILTER_RAM_BYTES, UNIT_RAM_BYTES};
use rate2spike_protocol::message::{Limits, NetworkFault};

/// Most readout filters.
pub const FILTERS: usize = 16;

/// State of up to `UNITS` units, and the input of a trial of up to `VALUES`
/// values.
pub struct Memory<const UNITS: usize, const VALUES: usize> {
    network: NetworkMemory<UNITS>,
    /// The input of a trial, sample by sample.
    pub input: [I4F12; VALUES],
}

/// State of up to `UNITS` units.
pub struct NetworkMemory<const UNITS: usize> {
    // On a microcontroller a block holds one unit; on a desktop it holds more,
    // and these are more than enough.
    units: [Block<Fixed>; UNITS],
    readout: [ReadoutBlock<Fixed>; FILTERS],
    waiting: [Waiting; UNITS],
}

impl<const UNITS: usize, const VALUES: usize> Memory<UNITS, VALUES> {
    /// All zero, so that it costs no flash.
    pub const fn new() -> Self {
        Self {
            network: NetworkMemory {
                units: [Block::EMPTY; UNITS],
                readout: [ReadoutBlock::EMPTY; FILTERS],
                waiting: [Waiting::EMPTY; UNITS],
            },
            input: [I4F12::ZERO; VALUES],
        }
    }

    /// The parts that a trial needs.
    pub fn split(&mut self) -> (&mut NetworkMemory<UNITS>, &[I4F12]) {
        (&mut self.network, &self.input)
    }

    /// The memory of the network's state.
    pub fn network(&mut self) -> &mut NetworkMemory<UNITS> {
        &mut self.network
    }
}

impl<const UNITS: usize, const VALUES: usize> Default for Memory<UNITS, VALUES> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const UNITS: usize> NetworkMemory<UNITS> {
    /// The start of a trial; `None` for a network beyond the limits.
    pub fn start(&mut self, network: &Deployed, noise: &mut Noise) -> Option<State<'_, Fixed>> {
        State::start(
            network,
            &mut self.units,
            &mut self.readout,
            &mut self.waiting,
            noise,
        )
    }

    /// The hash of the self-test's spikes; `None` for a network beyond the
    /// limits.
    pub fn self_test(&mut self, network: &Deployed) -> Option<u64> {
        network.self_test(&mut self.units, &mut self.readout, &mut self.waiting)
    }
}

/// What a memory, and flash for networks of `network_bytes` bytes, have room
/// for.
pub const fn limits<const UNITS: usize, const VALUES: usize>(network_bytes: usize) -> Limits {
    Limits {
        units: UNITS as u16,
        filters: FILTERS as u16,
        values: VALUES as u32,
        network_bytes: network_bytes as u32,
    }
}

/// The network in `bytes`, checked, if it is within the limits.
///
/// # Errors
/// What is wrong with it.
pub fn held<'s>(bytes: &'s [u8], limits: &Limits) -> Result<Deployed<'s>, NetworkFault> {
    let network = Deployed::read(bytes).map_err(NetworkFault::Blob)?;
    let shared = &network.payload().shared;
    if shared.units > limits.units {
        return Err(too_many_units(&network));
    }
    if network.readout_filters() > usize::from(limits.filters) {
        let found = network.readout_filters() as u16;
        return Err(NetworkFault::Filters { found });
    }
    Ok(network)
}

/// The fault of a network with more units than there is memory for.
pub fn too_many_units(network: &Deployed) -> NetworkFault {
    let found = network.payload().shared.units;
    NetworkFault::Units { found }
}

/// What the command line counts with.
#[cfg(target_pointer_width = "32")]
const _: () = {
    assert!(size_of::<Block<Fixed>>() + size_of::<Waiting>() == UNIT_RAM_BYTES);
    assert!(size_of::<ReadoutBlock<Fixed>>() == FILTER_RAM_BYTES);
};
