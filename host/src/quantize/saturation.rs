//! How often a deployed network's numbers stand at the end of their range.
//!
//! The arithmetic of a step does not wrap: what is too large stays at the end,
//! and the output is then not what the network means.

use rate2spike_core::Fixed;
use rate2spike_core::blob::Deployed;
use rate2spike_core::network::Network;
use rate2spike_core::noise::Noise;
use rate2spike_core::trial;

use crate::spiking::experiment::{Experiment, task_trial};
use crate::spiking::trial::{Input, Memory};

/// Steps of the first `trials` trials in which a filter of the readout stands at
/// the end of its range.
pub fn saturated_steps(experiment: &Experiment<Deployed>, trials: u64) -> u64 {
    let network = experiment.network;
    let mut memory = Memory::of(network);
    let mut steps = 0;
    for index in 0..trials {
        let trial = task_trial(experiment.task, experiment.seed, index);
        let input = Input::of_trial(experiment.task.channels(), &trial);
        let mut noise = Noise::new(experiment.seed, index);
        let mut state = memory.start(network, &mut noise);
        trial::run(
            network,
            &mut state,
            &mut noise,
            experiment.clock,
            |sample| input.at(sample),
            |_, state| {
                let mut filters = (0..network.readout_filters()).map(|k| state.filtered(k));
                let at_end = filters.any(|r| r == Fixed::MAX || r == Fixed::MIN);
                steps += u64::from(at_end);
            },
        );
    }
    steps
}
