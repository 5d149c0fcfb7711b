//! The clocks that the logic takes for a step.

use rate2spike_core::blob::Deployed;
use rate2spike_core::network::Network;
use serde::Serialize;

/// Clocks of a word of the generator: the product, and half of the turns of its rotation.
/// A step takes that long at least.
const WORD_CLOCKS: u64 = 83;

/// Clocks of a spike's share of the hash, from one spike to the next.
const HASH_CLOCKS: u64 = 68;

/// Clocks of a step beside its rows: order of work, pipeline, decision.
const STEP_CLOCKS: u64 = 6;

/// Clocks of a spike beside its synapses.
const SPIKE_CLOCKS: u64 = 12;

/// Clocks of the drives beside their words.
const DRIVE_CLOCKS: u64 = 4;

/// The clocks of a trial's steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Clocks {
    /// Mean over all steps.
    pub mean: f64,
    /// The slowest step, the first one excluded.
    pub worst: u64,
    /// The first step, in which most units fire.
    pub first: u64,
}

impl Clocks {
    /// The clocks of the trials whose spikes are given, each as step and unit, with
    /// `steps` steps a trial.
    pub fn of_trials(network: &Deployed, trials: &[Vec<(u32, u16)>], steps: u32) -> Self {
        let constants = network.constants();
        let reaches: Vec<u64> = (0..constants.units)
            .map(|unit| {
                let mut count = 0;
                network.each_target(unit, |_, _| count += 1);
                count
            })
            .collect();
        let rows = (constants.units + network.banks().filters) as u64;
        let drives = (constants.units * (1 + constants.inputs)) as u64 + DRIVE_CLOCKS;
        let clock = network.payload().clock;
        let mut clocks = Self::default();
        let mut total = 0;
        for spikes in trials {
            let mut spikes = spikes.iter().peekable();
            let mut sample = None;
            for step in 1..=steps {
                let mut now = rows + STEP_CLOCKS;
                if sample.replace(clock.sample(step)) != Some(clock.sample(step)) {
                    now += drives;
                }
                while let Some((_, unit)) = spikes.next_if(|spike| spike.0 == step) {
                    let walk = reaches[usize::from(*unit)] + SPIKE_CLOCKS;
                    let is_last = spikes.peek().is_none_or(|next| next.0 != step);
                    now += if is_last { walk } else { walk.max(HASH_CLOCKS) };
                }
                let now = now.max(WORD_CLOCKS);
                total += now;
                if step == 1 {
                    clocks.first = clocks.first.max(now);
                } else {
                    clocks.worst = clocks.worst.max(now);
                }
            }
        }
        clocks.mean = total as f64 / (f64::from(steps) * trials.len() as f64);
        clocks
    }
}
