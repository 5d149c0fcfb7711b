//! The log for a debug probe. Without the feature `defmt` nothing is logged.

pub use sink::{fault, late};

#[cfg(feature = "defmt")]
mod sink {
    use rate2spike_protocol::message::NetworkFault;

    /// Logs that there is no network.
    pub fn fault(fault: &NetworkFault) {
        defmt::warn!("no network: {}", fault);
    }

    /// Logs the number of steps that took longer than their time.
    pub fn late(steps: u32) {
        if steps > 0 {
            defmt::warn!("{} steps late", steps);
        }
    }
}

#[cfg(not(feature = "defmt"))]
mod sink {
    use rate2spike_protocol::message::NetworkFault;

    /// Logs that there is no network.
    pub fn fault(_fault: &NetworkFault) {}

    /// Logs the number of steps that took longer than their time.
    pub fn late(_steps: u32) {}
}
