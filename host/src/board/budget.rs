//! The flash, RAM and time that a network needs on a board.

use rate2spike_core::blob::Deployed;
use rate2spike_core::network::Network;
use rate2spike_protocol::message::{FILTER_RAM_BYTES, UNIT_RAM_BYTES};
use serde::Serialize;

use super::session::{reach, spikes};
use super::target::{Cost, Target};
use crate::spiking::experiment::Experiment;

/// Number of trials whose spikes are counted.
const TRIALS: u64 = 4;

/// Lengths of a time step that a network can have, in ms.
const STEPS_MS: [f64; 8] = [0.05, 0.1, 0.125, 0.2, 0.25, 0.5, 0.625, 1.0];

/// The needs of a network, and the room of a board.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Budget {
    /// Bytes of flash for the network.
    pub flash_bytes: usize,
    /// Bytes of flash that the board has for a network.
    pub flash_room: usize,
    /// Bytes of RAM for the network's state.
    pub ram_bytes: usize,
    /// Number of units.
    pub units: usize,
    /// Largest number of units of the firmware.
    pub units_room: usize,
    /// Number of readout filters.
    pub filters: usize,
    /// Largest number of readout filters of the firmware.
    pub filters_room: usize,
    /// Cycles of a step.
    pub time: Time,
}

/// Cycles of a step, estimated from the cycles of its parts and the spikes of
/// some trials.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Time {
    /// Length of a step in ms.
    pub step_ms: f64,
    /// Cycles that the processor has for a step.
    pub cycles_available: f64,
    /// Cycles of a step without spikes.
    pub cycles_quiet: f64,
    /// Cycles of an average step.
    pub cycles_mean: f64,
    /// Cycles of the slowest step that has new input, the first step excluded.
    pub cycles_worst: f64,
    /// Length in ms of the shortest step that has time for an average step, if a step of at
    /// most 1 ms has.
    pub shortest_step_ms: Option<f64>,
    /// Units of the largest network of this density and rate whose average step
    /// fits, for which the firmware has memory and the board has flash.
    pub most_units: usize,
}

/// Why a network is not deployed.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum Misfit {
    /// Too little flash.
    #[error("the network has {found} bytes, but there are {room} bytes of flash for it")]
    Flash {
        /// The network's.
        found: usize,
        /// The board's.
        room: usize,
    },
    /// Too many units.
    #[error("the network has {found} units, but the firmware has memory for {room}")]
    Units {
        /// The network's.
        found: usize,
        /// The firmware's.
        room: usize,
    },
    /// Too many readout filters.
    #[error("the network has {found} readout filters, but the firmware has memory for {room}")]
    Filters {
        /// The network's.
        found: usize,
        /// The firmware's.
        room: usize,
    },
    /// Too little time.
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

/// A change that makes a network fast enough.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Advice {
    /// Quantize it with this step, in ms.
    Step(f64),
    /// Use at most this number of units.
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
    /// The budget of a network of `bytes` bytes on `target`.
    pub fn new(target: &Target, experiment: &Experiment<Deployed>, bytes: usize) -> Self {
        let network = experiment.network;
        let units = network.constants().units;
        let filters = network.banks().filters_in_all();
        Self {
            flash_bytes: bytes,
            flash_room: target.network_bytes,
            ram_bytes: UNIT_RAM_BYTES * units + FILTER_RAM_BYTES * filters,
            units,
            units_room: target.units,
            filters,
            filters_room: target.filters,
            time: Time::new(target, experiment, bytes),
        }
    }

    /// Each reason why the network does not fit; time comes last.
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
    fn new(target: &Target, experiment: &Experiment<Deployed>, bytes: usize) -> Self {
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
        // The number of spikes a second does not depend on the step.
        let fits = |ms: f64| quiet + spiking * ms / experiment.step_ms <= per_ms * ms;
        Self {
            step_ms: experiment.step_ms,
            cycles_available: available,
            cycles_quiet: quiet,
            cycles_mean: quiet + spiking,
            cycles_worst: quiet + cost.input * units as f64 + worst,
            shortest_step_ms: STEPS_MS.into_iter().find(|&ms| fits(ms)),
            most_units: most_units(target, network, bytes)
                .min(Growth::of_time(cost, units, spiking).largest(available)),
        }
    }
}

fn spike(cost: &Cost, synapses: usize) -> f64 {
    cost.spike + cost.synapse * synapses as f64
}

/// The units for which the firmware has memory and, with this network's density,
/// the board has flash.
fn most_units(target: &Target, network: &Deployed, bytes: usize) -> usize {
    let units = network.constants().units as f64;
    let synapses = network.payload().synapses.len() as f64;
    let growth = Growth {
        fixed: 0.0,
        unit: (bytes as f64 - synapses) / units,
        pair: synapses / units.powi(2),
    };
    growth
        .largest(target.network_bytes as f64)
        .min(target.units)
}

/// A cost of a network with n units: fixed + unit · n + pair · n².
struct Growth {
    fixed: f64,
    unit: f64,
    pair: f64,
}

impl Growth {
    /// The cycles of an average step. With the same density and rate, the cycles
    /// of the spikes, `spiking` with `units` units, grow as the square of n.
    fn of_time(cost: &Cost, units: usize, spiking: f64) -> Self {
        Self {
            fixed: cost.step,
            unit: cost.unit,
            pair: spiking / (units as f64).powi(2),
        }
    }

    /// The largest n whose cost is at most `most`.
    fn largest(&self, most: f64) -> usize {
        let room = most - self.fixed;
        if room <= 0.0 {
            return 0;
        }
        // This form of the solution is right for pair = 0 too.
        let root = (self.unit.powi(2) + 4.0 * self.pair * room).sqrt();
        (2.0 * room / (self.unit + root)) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_network_fits_and_the_next_one_does_not() {
        let cost = Target::RP2040.cost;
        for (units, spiking, available) in [(200, 3000.0, 66_500.0), (100, 0.0, 13_300.0)] {
            let most = Growth::of_time(&cost, units, spiking).largest(available);
            let needed = |n: usize| {
                cost.step + cost.unit * n as f64 + spiking * (n as f64 / units as f64).powi(2)
            };
            assert!(needed(most) <= available, "{most}");
            assert!(needed(most + 1) > available, "{most}");
        }
        assert_eq!(Growth::of_time(&cost, 200, 1.0).largest(100.0), 0);
    }

    #[test]
    fn no_more_units_are_named_than_the_board_has_room_for() {
        let bytes = include_bytes!("../../../core/tests/golden/go-nogo.snn");
        let network = Deployed::read(bytes).expect("a frozen network");
        let board = Target::STM32F405;
        let most = most_units(&board, &network, bytes.len());
        assert!((200..=board.units).contains(&most), "{most}");
        // With less flash the flash is the limit.
        let small = Target {
            network_bytes: 2 * bytes.len(),
            ..board
        };
        let most = most_units(&small, &network, bytes.len());
        let grown = |n: f64| {
            let synapses = network.payload().synapses.len() as f64;
            let rest = bytes.len() as f64 - synapses;
            rest * n / 200.0 + synapses * (n / 200.0).powi(2)
        };
        assert!(grown(most as f64) <= 2.0 * bytes.len() as f64);
        assert!(grown(most as f64 + 1.0) > 2.0 * bytes.len() as f64);
    }
}
