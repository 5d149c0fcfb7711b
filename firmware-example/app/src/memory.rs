//! The RAM of a network, and the check that a network fits into it.

use rate2spike_core::arithmetic::{Arithmetic, Fixed};
#[cfg(feature = "f32")]
use rate2spike_core::blob::arithmetic;
use rate2spike_core::blob::{Deployed, Stored};
use rate2spike_core::block::{Block, ReadoutBlock};
use rate2spike_core::decision::{Evidence, MOST_OUTPUTS};
#[cfg(target_pointer_width = "32")]
use rate2spike_core::network::Cut;
use rate2spike_core::network::Network;
use rate2spike_core::noise::Noise;
use rate2spike_core::prepared::Prepared;
use rate2spike_core::preprocessing::{ChainState, MOST_OPERATIONS};
use rate2spike_core::refractory::Waiting;
use rate2spike_core::step::{StartError, State, StateMemory};
#[cfg(target_pointer_width = "32")]
use rate2spike_protocol::message::{
    CUT_RAM_BYTES, FILTER_RAM_BYTES, FLOAT_FILTER_RAM_BYTES, FLOAT_UNIT_RAM_BYTES, UNIT_RAM_BYTES,
};
use rate2spike_protocol::message::{Limits, NetworkFault, Refusal};

use crate::board::{Board, Cores};
use crate::input::Queue;
use crate::prepared::{Cuts, Rows};

/// Most readout filters.
pub const FILTERS: usize = 8 * MOST_OUTPUTS;

/// State of up to `UNITS` units in numbers `A`.
pub struct Parts<A: Number, const UNITS: usize> {
    // A block holds one unit on a microcontroller and more on a desktop, where
    // `UNITS` blocks are more than enough.
    units: [Block<A>; UNITS],
    readout: [ReadoutBlock<A>; FILTERS],
    outputs: [A; MOST_OUTPUTS],
    rows: Rows<A, UNITS>,
    /// The drives of an input that is known before it begins.
    drives: [A; UNITS],
    sums: [A::Sum; MOST_OUTPUTS],
}

/// What a trial changes beside the numbers of the network.
pub struct Common<const UNITS: usize> {
    waiting: [Waiting; UNITS],
    cuts: Cuts<UNITS>,
    kept: [i64; MOST_OPERATIONS],
    queue: Queue,
}

/// State of up to `UNITS` units.
pub struct Memory<const UNITS: usize> {
    fixed: Parts<Fixed, UNITS>,
    #[cfg(feature = "f32")]
    float: Parts<f32, UNITS>,
    common: Common<UNITS>,
}

/// A kind of number that this firmware steps.
pub trait Number: Stored {
    /// The memory of these numbers, and what all numbers share.
    fn parts<const UNITS: usize>(
        memory: &mut Memory<UNITS>,
    ) -> (&mut Parts<Self, UNITS>, &mut Common<UNITS>);
}

impl Number for Fixed {
    fn parts<const UNITS: usize>(
        memory: &mut Memory<UNITS>,
    ) -> (&mut Parts<Self, UNITS>, &mut Common<UNITS>) {
        (&mut memory.fixed, &mut memory.common)
    }
}

#[cfg(feature = "f32")]
impl Number for f32 {
    fn parts<const UNITS: usize>(
        memory: &mut Memory<UNITS>,
    ) -> (&mut Parts<Self, UNITS>, &mut Common<UNITS>) {
        (&mut memory.float, &mut memory.common)
    }
}

/// Everything that a trial changes, before its first step.
pub struct Started<'m, A: Number> {
    /// The network.
    pub state: State<'m, A>,
    /// What the answer is read from.
    pub evidence: Evidence<A, &'m mut [A::Sum]>,
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
            fixed: Parts {
                units: [Block::<Fixed>::EMPTY; UNITS],
                readout: [ReadoutBlock::<Fixed>::EMPTY; FILTERS],
                outputs: [Fixed::ZERO; MOST_OUTPUTS],
                rows: Rows::<Fixed, UNITS>::EMPTY,
                drives: [Fixed::ZERO; UNITS],
                sums: [Fixed::EMPTY_SUM; MOST_OUTPUTS],
            },
            #[cfg(feature = "f32")]
            float: Parts {
                units: [Block::<f32>::EMPTY; UNITS],
                readout: [ReadoutBlock::<f32>::EMPTY; FILTERS],
                outputs: [0.0; MOST_OUTPUTS],
                rows: Rows::<f32, UNITS>::EMPTY,
                drives: [0.0; UNITS],
                sums: [f32::EMPTY_SUM; MOST_OUTPUTS],
            },
            common: Common {
                waiting: [Waiting::EMPTY; UNITS],
                cuts: Cuts::EMPTY,
                kept: [0; MOST_OPERATIONS],
                queue: Queue::new(),
            },
        }
    }

    /// Prepares for a network, which is the board's until the next call.
    pub fn prepare(&mut self, network: &AnyNetwork) {
        with_network!(network, network => {
            let (parts, common) = Number::parts(self);
            parts.rows.make(network);
            common.cuts.make(network);
        });
    }

    /// The start of a trial.
    ///
    /// # Errors
    /// The network is larger than the memory.
    pub fn start<A: Number>(
        &mut self,
        network: &Deployed<A>,
        noise: &mut Noise,
    ) -> Result<Started<'_, A>, StartError> {
        let (parts, common) = A::parts(self);
        let memory = StateMemory {
            blocks: &mut parts.units,
            readout: &mut parts.readout,
            waiting: &mut common.waiting,
            outputs: &mut parts.outputs,
        };
        let prepared = Prepared {
            halves: common.cuts.halves(network),
            rows: parts.rows.rows(),
            drives: Some(&mut parts.drives),
        };
        Ok(Started {
            state: State::start_prepared(network, memory, prepared, noise)?,
            evidence: Evidence::with(&mut parts.sums),
            preprocessing: ChainState::with(&mut common.kept),
            queue: &mut common.queue,
        })
    }

    /// The hash of the self-test's spikes.
    ///
    /// # Errors
    /// The network is larger than the memory.
    pub fn self_test<A: Number, B: Board>(
        &mut self,
        network: &Deployed<A>,
        board: &mut B,
    ) -> Result<u64, StartError> {
        let (parts, common) = A::parts(self);
        let memory = StateMemory {
            blocks: &mut parts.units,
            readout: &mut parts.readout,
            waiting: &mut common.waiting,
            outputs: &mut parts.outputs,
        };
        let prepared = Prepared {
            halves: common.cuts.halves(network),
            rows: parts.rows.rows(),
            drives: Some(&mut parts.drives),
        };
        network.self_test_on(memory, prepared, &mut Cores(board), |cores| cores.0.alive())
    }
}

/// A network in one of the kinds of numbers that this firmware steps.
pub enum AnyNetwork<'s> {
    /// Fixed point.
    Fixed(Deployed<'s>),
    /// f32.
    #[cfg(feature = "f32")]
    Float(Deployed<'s, f32>),
}

/// Calls a function with the network of an [`AnyNetwork`], whatever its numbers are.
macro_rules! with_network {
    ($any:expr, $network:ident => $call:expr) => {
        match $any {
            $crate::memory::AnyNetwork::Fixed($network) => $call,
            #[cfg(feature = "f32")]
            $crate::memory::AnyNetwork::Float($network) => $call,
        }
    };
}

pub(crate) use with_network;

impl AnyNetwork<'_> {
    /// See [`Deployed::checksum`].
    pub fn checksum(&self) -> u32 {
        with_network!(self, network => network.checksum())
    }

    /// See [`Deployed::length`].
    pub fn length(&self) -> usize {
        with_network!(self, network => network.length())
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
pub fn held<'s>(bytes: &'s [u8], limits: &Limits) -> Result<AnyNetwork<'s>, NetworkFault> {
    #[cfg(feature = "f32")]
    if arithmetic(bytes) == f32::ARITHMETIC {
        return checked(bytes, limits).map(AnyNetwork::Float);
    }
    checked(bytes, limits).map(AnyNetwork::Fixed)
}

fn checked<'s, A: Number>(
    bytes: &'s [u8],
    limits: &Limits,
) -> Result<Deployed<'s, A>, NetworkFault> {
    let network = Deployed::<A>::of(bytes).map_err(NetworkFault::Blob)?;
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
pub fn unstarted<A: Number>(network: &Deployed<A>, error: StartError) -> Refusal {
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
    assert!(size_of::<Cut>() == CUT_RAM_BYTES);
    assert!(
        size_of::<Block<Fixed>>() + size_of::<Waiting>() + size_of::<Fixed>() == UNIT_RAM_BYTES
    );
    assert!(size_of::<ReadoutBlock<Fixed>>() == FILTER_RAM_BYTES);
    assert!(
        size_of::<Block<f32>>() + size_of::<Waiting>() + size_of::<f32>() == FLOAT_UNIT_RAM_BYTES
    );
    assert!(size_of::<ReadoutBlock<f32>>() == FLOAT_FILTER_RAM_BYTES);
};
