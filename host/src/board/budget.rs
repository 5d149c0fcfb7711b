//! What a network takes on a board: flash, RAM and time.

use rate2spike_core::blob::{Deployed, FILTER_BYTES};
use rate2spike_core::network::Network;
use rate2spike_protocol::message::{FILTER_RAM_BYTES, UNIT_RAM_BYTES};
use serde::Serialize;

use super::session::{reach, spikes};
use super::target::{Cost, Target};
use crate::spiking::experiment::Experiment;

/// Trials whose spikes are counted.
const TRIALS: u64 = 4;

/// Lengths of a time step that a network can have, in ms.
const STEPS_MS: [f64; 8] = [0.05, 0.1, 0.125, 0.2, 0.25, 0.5, 0.625, 1.0];

/// What a network takes, and what there is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Budget {
    /// Bytes of flash.
    pub flash_bytes: usize,
    /// Bytes of flash that there are for it.
    pub flash_room: usize,
    /// Bytes of RAM for its state.
    pub ram_bytes: usize,
    /// Units.
    pub units: usize,
    /// Most units of the firmware.
    pub units_room: usize,
    /// Readout filters.
    pub filters: usize,
    /// Most readout filters of the firmware.
    pub filters_room: usize,
    /// What a step takes.
    pub time: Time,
}

/// What a step takes, estimated from the cycles of its parts and the spikes of
/// some trials.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Time {
    /// Length of a step in ms.
    pub step_ms: f64,
    /// Cycles in that time.
    pub cycles_available: f64,
    /// Of a step without spikes.
    pub cycles_quiet: f64,
    /// Of a step on average.
    pub cycles_mean: f64,
    /// Of the worst step but the first, if its input is new too.
    pub cycles_worst: f64,
    /// The shortest step that the average one fits into, in ms; none if there
    /// is none up to 1 ms.
    pub shortest_step_ms: Option<f64>,
    /// Units of the largest network, of this density and rate, whose average
    /// step fits.
    pub most_units: usize,
}

/// Why a network is not deployed.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum Misfit {
    /// Flash.
    #[error("the network has {found} bytes, but there are {room} bytes of flash for it")]
    Flash {
        /// The network's.
        found: usize,
        /// The board's.
        room: usize,
    },
    /// Units.
    #[error("the network has {found} units, but the firmware has memory for {room}")]
    Units {
        /// The network's.
        found: usize,
        /// The firmware's.
        room: usize,
    },
    /// Readout filters.
    #[error("the network has {found} readout filters, but the firmware has memory for {room}")]
    Filters {
        /// The network's.
        found: usize,
        /// The firmware's.
        room: usize,
    },
    /// Time.
    #[error(
        "a step takes {needed:.0} cycles on average, but {step_ms} ms are {room:.0} cycles: {advice}, or deploy it with --slow all the same"
    )]
    Time {
        /// Cycles of an average step.
        needed: f64,
        /// Cycles that there are.
        room: f64,
        /// Length of a step in ms.
        step_ms: f64,
        /// The way out.
        advice: Advice,
    },
}

/// How a network becomes fast enough.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Advice {
    /// Quantize it with this step, in ms.
    Step(f64),
    /// Use at most so many units.
    Units(usize),
}

impl std::fmt::Display for Advice {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            Advice::Step(ms) => write!(f, "quantize it with --dt {ms}"),
            Advice::Units(units) => write!(f, "use at most {units} units"),
        }
    }
}

impl Budget {
    /// Of a network of `bytes` bytes on `target`.
    pub fn new(target: &Target, experiment: &Experiment<Deployed>, bytes: usize) -> Self {
        let network = experiment.network;
        let units = network.constants().units;
        let filters = network.payload().filters.len() / FILTER_BYTES;
        Self {
            flash_bytes: bytes,
            flash_room: target.network_bytes,
            ram_bytes: UNIT_RAM_BYTES * units + FILTER_RAM_BYTES * filters,
            units,
            units_room: target.units,
            filters,
            filters_room: target.filters,
            time: Time::new(target, experiment),
        }
    }

    /// Everything that does not fit; time last.
    pub fn misfits(&self) -> Vec<Misfit> {
        let mut misfits = Vec::new();
        let (found, room) = (self.flash_bytes, self.flash_room);
        if found > room {
            misfits.push(Misfit::Flash { found, room });
        }
        let (found, room) = (self.units, self.units_room);
        if found > room {
            misfits.push(Misfit::Units { found, room });
        }
        let (found, room) = (self.filters, self.filters_room);
        if found > room {
            misfits.push(Misfit::Filters { found, room });
        }
        let time = &self.time;
        if time.cycles_mean > time.cycles_available {
            misfits.push(Misfit::Time {
                needed: time.cycles_mean,
                room: time.cycles_available,
                step_ms: time.step_ms,
                advice: match time.shortest_step_ms {
                    Some(ms) => Advice::Step(ms),
                    None => Advice::Units(time.most_units),
                },
            });
        }
        misfits
    }
}

impl Time {
    fn new(target: &Target, experiment: &Experiment<Deployed>) -> Self {
        let (cost, network) = (&target.cost, experiment.network);
        let units = network.constants().units;
        let quiet = cost.step + cost.unit * units as f64;
        let reaches: Vec<usize> = (0..units).map(|unit| reach(network, unit)).collect();
        let (mut total, mut worst) = (0.0, 0.0f64);
        for index in 0..TRIALS {
            let all = spikes(experiment, index);
            let later: Vec<_> = all.into_iter().filter(|(step, _)| *step > 1).collect();
            for step in later.chunk_by(|a, b| a.0 == b.0) {
                let spiking: f64 = step
                    .iter()
                    .map(|(_, unit)| spike(cost, reaches[usize::from(*unit)]))
                    .sum();
                total += spiking;
                worst = worst.max(spiking);
            }
        }
        let steps = f64::from(experiment.clock.steps - 1) * TRIALS as f64;
        let spiking = total / steps;
        let per_ms = target.clock_hz / 1000.0;
        let available = per_ms * experiment.step_ms;
        // Spikes are as frequent in time whatever the step.
        let fits = |ms: f64| quiet + spiking * ms / experiment.step_ms <= per_ms * ms;
        Self {
            step_ms: experiment.step_ms,
            cycles_available: available,
            cycles_quiet: quiet,
            cycles_mean: quiet + spiking,
            cycles_worst: quiet + cost.input * units as f64 + worst,
            shortest_step_ms: STEPS_MS.into_iter().find(|&ms| fits(ms)),
            most_units: most_units(cost, (units, spiking), available),
        }
    }
}

fn spike(cost: &Cost, synapses: usize) -> f64 {
    cost.spike + cost.synapse * synapses as f64
}

/// With the same density and rate, spikes cost as the square of the number of
/// units.
fn most_units(cost: &Cost, (units, spiking): (usize, f64), available: f64) -> usize {
    let square = spiking / (units as f64).powi(2);
    let room = available - cost.step;
    if room <= 0.0 {
        return 0;
    }
    // square·n² + unit·n = room, in a form that square = 0 does not break.
    let root = (cost.unit.powi(2) + 4.0 * square * room).sqrt();
    (2.0 * room / (cost.unit + root)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_network_fits_and_the_next_one_does_not() {
        let cost = Target::RP2040.cost;
        for (units, spiking, available) in [(200, 3000.0, 66_500.0), (100, 0.0, 13_300.0)] {
            let most = most_units(&cost, (units, spiking), available);
            let needed = |n: usize| {
                cost.step + cost.unit * n as f64 + spiking * (n as f64 / units as f64).powi(2)
            };
            assert!(needed(most) <= available, "{most}");
            assert!(needed(most + 1) > available, "{most}");
        }
        assert_eq!(most_units(&cost, (200, 1.0), 100.0), 0);
    }
}
