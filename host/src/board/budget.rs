//! The flash, RAM and time that a network needs on a board.

use rate2spike_core::blob::Deployed;
use rate2spike_core::network::Network;
use serde::Serialize;

use super::steps::{BoardTrials, Step, quiet};
use super::target::Target;
use crate::spiking::experiment::Experiment;
use crate::spiking::trial::Deployable;

/// Number of trials whose steps `deploy` looks at.
pub const TRIALS: u64 = 16;

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
    /// Cycles of the slowest step, the first one of a trial excluded.
    pub cycles_worst: f64,
    /// Cycles of the slowest first step. A network whose potentials start above the
    /// threshold spends many times its time there, and catches up.
    pub cycles_first: f64,
    /// Share of the time for which the processor sleeps on average.
    pub asleep: f64,
    /// Cycles before the first step of a trial, in which the state is set up.
    pub cycles_start: f64,
    /// Length in ms of the shortest step that has time for the slowest step, if a step of at
    /// most 1 ms has.
    pub shortest_step_ms: Option<f64>,
    /// Units of the largest network of this density and rate whose slowest step
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
        "the slowest step takes {needed:.0} cycles, but {step_ms} ms are {room:.0} cycles: {advice}, or deploy it with --slow all the same"
    )]
    Time {
        /// Cycles of the slowest step.
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
    /// The budget on `target` of the network in `bytes`, by the steps of this number of trials.
    pub fn new<A: Deployable>(
        target: &Target,
        experiment: &Experiment<Deployed<A>>,
        bytes: &[u8],
        trials: u64,
    ) -> Self {
        let network = experiment.network;
        let units = network.constants().units;
        let filters = network.banks().filters_in_all();
        Self {
            flash_bytes: bytes.len(),
            flash_room: target.network_bytes,
            ram_bytes: target.unit_ram_bytes::<A>() * units + A::FILTER_RAM_BYTES * filters,
            units,
            units_room: target.units,
            filters,
            filters_room: target.filters,
            time: Time::new(target, experiment, bytes, trials),
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
        if time.cycles_worst > time.cycles_available {
            misfits.push(Misfit::Time {
                needed: time.cycles_worst,
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
    fn new<A: Deployable>(
        target: &Target,
        experiment: &Experiment<Deployed<A>>,
        bytes: &[u8],
        trials: u64,
    ) -> Self {
        let (cost, network) = (&target.cost, experiment.network);
        let units = network.constants().units;
        let quiet = quiet(cost, network);
        let mut run = BoardTrials::new(target, experiment, bytes);
        let trials: Vec<Vec<Step>> = (0..trials).map(|index| run.steps(index)).collect();
        let begun = trials
            .iter()
            .map(|steps| steps.split_at(1.min(steps.len())));
        let (first, rest): (Vec<_>, Vec<_>) = begun.unzip();
        let (first, later) = (first.concat(), rest.concat());
        let slowest = |steps: &[Step]| {
            let steps = steps.iter().copied();
            let slowest = steps.max_by(|a, b| a.total().total_cmp(&b.total()));
            slowest.unwrap_or_default()
        };
        let (beginning, worst) = (slowest(&first), slowest(&later));
        let count = (first.len() + later.len()) as f64;
        let total: f64 = first.iter().chain(&later).map(Step::total).sum();
        let per_ms = target.clock_hz / 1000.0;
        let available = per_ms * experiment.step_ms;
        let input = later.iter().map(|step| step.input).fold(0.0, f64::max);
        let fits = |ms: f64| {
            let spikes = rest
                .iter()
                .map(|steps| most_spikes(steps, ms / experiment.step_ms));
            quiet + input + spikes.fold(0.0, f64::max) <= per_ms * ms
        };
        let fired: usize = later.iter().map(|step| step.fired).sum();
        let grown = Grown {
            target,
            network,
            bytes: bytes.len(),
            worst,
            fired: fired as f64 / later.len().max(1) as f64,
        };
        let mean = quiet + total / count;
        Self {
            step_ms: experiment.step_ms,
            cycles_available: available,
            cycles_quiet: quiet,
            cycles_mean: mean,
            asleep: (1.0 - mean / available).max(0.0),
            cycles_worst: quiet + worst.total(),
            cycles_first: quiet + beginning.total(),
            cycles_start: cost.start * units as f64,
            shortest_step_ms: STEPS_MS.into_iter().find(|&ms| fits(ms)),
            most_units: grown.largest(available, most_units(target, network, bytes.len())),
        }
    }
}

/// Most cycles of the spikes in a step that is `times` as long as these. A longer step has
/// the spikes of several steps that follow each other; a shorter one may have those of one.
fn most_spikes(steps: &[Step], times: f64) -> f64 {
    let held = (times.round() as usize).clamp(1, steps.len().max(1));
    let cycles = |step: &Step| step.total() - step.input;
    let windows = steps.windows(held);
    windows
        .map(|steps| steps.iter().map(cycles).sum())
        .fold(0.0, f64::max)
}

/// Networks of other sizes, with the density and the rate of this one.
struct Grown<'a, 'n, A: Deployable> {
    target: &'a Target,
    network: &'a Deployed<'n, A>,
    /// Bytes of this network.
    bytes: usize,
    /// The slowest step of this network.
    worst: Step,
    /// Units that fire in a step on average.
    fired: f64,
}

impl<A: Deployable> Grown<'_, '_, A> {
    /// The largest number of units, at most `room`, whose slowest step takes at most
    /// `available` cycles.
    fn largest(&self, available: f64, room: usize) -> usize {
        let (mut fits, mut beyond) = (0, room + 1);
        while beyond - fits > 1 {
            let middle = fits.midpoint(beyond);
            match self.cycles(middle) <= available {
                true => fits = middle,
                false => beyond = middle,
            }
        }
        fits
    }

    /// Cycles of the slowest step of a network of `units` units. If the units fire
    /// independently, the number that fires in a step has a mean that grows with the units,
    /// and fluctuations that grow with their square root. Each spike reaches more synapses.
    fn cycles(&self, units: usize) -> f64 {
        let (cost, worst) = (&self.target.cost, &self.worst);
        let held = self.network.constants().units as f64;
        let times = units as f64 / held;
        let quiet = quiet(cost, self.network) + cost.unit * (units as f64 - held);
        // Nearly all of it grows with the units.
        let input = worst.input * times.max(1.0);
        let spikes = worst.fired as f64 * cost.spike + worst.reached as f64 * cost.synapse;
        // Units whose refractory time ends.
        let released = (worst.spikes - spikes).max(0.0);
        let fired = self.fired_of(times);
        let share = match worst.fired {
            0 => 0.0,
            count => fired / count as f64,
        };
        let spikes =
            share * (worst.fired as f64 * cost.spike + times * worst.reached as f64 * cost.synapse);
        quiet + input + spikes + times * released + self.wait(times, share)
    }

    /// Units that fire in the slowest step of a network that is `times` as large.
    fn fired_of(&self, times: f64) -> f64 {
        let above = (self.worst.fired as f64 - self.fired).max(0.0);
        let mean = self.fired.min(self.worst.fired as f64);
        mean * times + above * times.sqrt()
    }

    /// Cycles for which the slowest step waits for flash, in a network that is `times` as
    /// large and has `share` times the spikes in that step. A network that fits into the
    /// cache, or into its copy in RAM, hardly waits; one that has outgrown both waits for each
    /// line.
    fn wait(&self, times: f64, share: f64) -> f64 {
        let held = self.bytes as f64;
        let synapses = self.network.payload().synapses.len() as f64;
        let grown = (held - synapses) * times + synapses * times.powi(2);
        let Some(cache) = self.target.cache_of(grown as usize) else {
            return 0.0;
        };
        let (worst, payload) = (&self.worst, self.network.payload());
        let line = cache.line_bytes as f64;
        let read = worst.prepared as f64 / self.network.constants().units as f64;
        let tables = read * (payload.units.len() + payload.input_weights.len()) as f64 / line;
        // The synapses of a spike lie together; two lines are read beside them.
        let lines = |times: f64, share: f64| {
            let synapses = A::SYNAPSE_BYTES as f64 * times * worst.reached as f64 / line;
            times * tables + share * (2.0 * worst.fired as f64 + synapses)
        };
        let all = |times, share| cache.miss_cycles * lines(times, share);
        let room = cache.bytes().max(self.target.copy_bytes) as f64;
        if held <= room && grown > room {
            return all(times, share);
        }
        match all(1.0, 1.0) {
            here if here > 0.0 => worst.flash * all(times, share) / here,
            _ => worst.flash,
        }
    }
}

/// The units for which the firmware has memory and, with this network's density,
/// the board has flash.
fn most_units<A: Deployable>(target: &Target, network: &Deployed<A>, bytes: usize) -> usize {
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
        for (pair, available) in [(0.075, 66_500.0), (0.0, 13_300.0)] {
            let growth = Growth {
                fixed: 500.0,
                unit: 54.0,
                pair,
            };
            let most = growth.largest(available);
            let needed = |n: usize| 500.0 + 54.0 * n as f64 + pair * (n as f64).powi(2);
            assert!(needed(most) <= available, "{most}");
            assert!(needed(most + 1) > available, "{most}");
            assert_eq!(growth.largest(100.0), 0);
        }
    }

    #[test]
    fn a_longer_step_has_the_spikes_of_those_that_it_replaces() {
        let steps = [0.0, 9.0, 1.0, 0.0, 5.0].map(|spikes| Step {
            spikes,
            ..Step::default()
        });
        for (times, most) in [
            (0.5, 9.0),
            (1.0, 9.0),
            (2.0, 10.0),
            (4.0, 15.0),
            (9.0, 15.0),
        ] {
            assert_eq!(most_spikes(&steps, times), most, "{times}");
        }
        assert_eq!(most_spikes(&[], 2.0), 0.0);
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
