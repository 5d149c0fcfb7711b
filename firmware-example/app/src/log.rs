//! What is logged for a probe, where the firmware is built with `defmt`;
//! nothing otherwise.

pub use sink::{fault, late};

#[cfg(feature = "defmt")]
mod sink {
    use rate2spike_protocol::message::NetworkFault;

    /// There is no network.
    pub fn fault(fault: &NetworkFault) {
        defmt::warn!("no network: {}", fault);
    }

    /// So many steps have taken longer than they last.
    pub fn late(steps: u32) {
        if steps > 0 {
            defmt::warn!("{} steps late", steps);
        }
    }
}

#[cfg(not(feature = "defmt"))]
mod sink {
    use rate2spike_protocol::message::NetworkFault;

    /// There is no network.
    pub fn fault(_fault: &NetworkFault) {}

    /// So many steps have taken longer than they last.
    pub fn late(_steps: u32) {}
}
