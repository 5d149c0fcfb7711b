//! Steps in which the readout of a deployed network stands at the end of its range.
//!
//! A filter of the readout does not wrap: a value that is too large stays at the
//! end of the range, and the output is then less than the network means.

use rate2spike_core::Fixed;
use rate2spike_core::blob::Deployed;
use rate2spike_core::network::Network;

use crate::spiking::experiment::Experiment;
use crate::spiking::trial::Memory;

/// Steps of the first `trials` trials in which a filter of the readout stands at
/// the end of its range.
pub fn saturated_steps(experiment: &Experiment<Deployed>, trials: u64) -> u64 {
    let filters = experiment.network.banks().end();
    let mut memory = Memory::of(experiment.network);
    let mut steps = 0;
    for index in 0..trials {
        let trial = experiment.trial(index);
        experiment.watch(&mut memory, index, &trial, |_, state| {
            let mut values = (0..filters).map(|k| state.filtered(k));
            let at_end = values.any(|r| r == Fixed::MAX || r == Fixed::MIN);
            steps += u64::from(at_end);
        });
    }
    steps
}
