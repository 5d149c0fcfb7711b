//! The step: what a run changes, and how one time step changes it.
//!
//! For every unit i, in the order of the published code:
//!
//! ```text
//! change_i = synapse_decay_i·s_i + rise_gain_i·h_i
//! v_i ← v_i + leak·(drive_i + gain_i·s_i + lag_i·change_i − v_i)    unless refractory
//! v_i ← v_i + noise
//! spike when v_i ≥ threshold; then v_i ← reset, and the refractory time starts
//! s_i ← s_i + change_i
//! h_i ← h_i + rise_decay·h_i + Σ_{j fired} w_ij
//! ```
//!
//! and the same two filters for the readout. The membrane moves with the average
//! of its current over the step, which is the exact solution between two spikes
//! ([`crate::neuron`]); fixed point takes the middle of the step instead, `s +
//! change/2`. With the factors of the published scheme the average is the current
//! at the step's beginning.
//!
//! A spike acts on its targets from the next step on. The refractory time costs
//! nothing where no unit waits: a spike sets the leak of its own unit to zero, and
//! the ring of waiting units gives it back ([`crate::refractory`]).

use crate::arithmetic::Arithmetic;
use crate::block::{Block, ReadoutBlock};
use crate::delivery;
use crate::halves::{Alone, Halves, Join};
use crate::lanes::{LANES, blocks};
use crate::network::{Network, Targets};
use crate::neuron::{self, Membrane};
use crate::noise::Noise;
use crate::prepared::{Expected, Prepared, units_a_step};
use crate::readout::Readout;
use crate::refractory::Waiting;
use crate::units::{Units, UnitsMemory};

/// Number of steps between two searches for synapses that have decayed to zero.
pub const FADE_STEPS: u16 = 64;

/// The state of a network: everything that changes during a run. The memory is
/// the caller's.
#[derive(Debug)]
pub struct State<'m, A: Arithmetic> {
    /// All units, or those of the first half.
    units: Units<'m, A>,
    /// The units of the second half, if two processors step the network.
    second: Option<Second<'m, A>>,
    readout: Readout<'m, A>,
    /// An input that begins later, if there is memory for its drives.
    expected: Option<Expected<A>>,
    can_expect: bool,
}

/// The second half of the units.
#[derive(Debug)]
struct Second<'m, A: Arithmetic> {
    units: Units<'m, A>,
    halves: Halves<'m>,
}

/// The memory of a [`State`]. More of it than is needed does no harm.
#[derive(Debug)]
pub struct StateMemory<'m, A: Arithmetic> {
    /// [`blocks`]`(units)` blocks.
    pub blocks: &'m mut [Block<A>],
    /// [`crate::network::Banks::blocks`] blocks of readout filters.
    pub readout: &'m mut [ReadoutBlock<A>],
    /// One entry a unit.
    pub waiting: &'m mut [Waiting],
    /// One entry an output.
    pub outputs: &'m mut [A],
}

/// A piece of memory that is too small, counted in its entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooFew {
    /// Entries that are needed.
    pub needed: usize,
    /// Entries that are there.
    pub found: usize,
}

/// The reason why a network cannot be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartError {
    /// [`StateMemory::blocks`] is too small.
    Blocks(TooFew),
    /// [`StateMemory::readout`] is too small.
    Readout(TooFew),
    /// [`StateMemory::waiting`] is too small.
    Waiting(TooFew),
    /// [`StateMemory::outputs`] is too small.
    Outputs(TooFew),
    /// The network has more than 65,535 units.
    Units {
        /// Number of its units.
        found: usize,
    },
    /// A table of the network is shorter than its constants say.
    Tables,
    /// The membrane is quadratic, and the numbers serve leaky ones only
    /// ([`Arithmetic::QUADRATIC`]).
    Quadratic,
    /// The threshold is another one than the numbers can compare with
    /// ([`Arithmetic::THRESHOLD`]).
    Threshold,
}

/// The first `needed` entries of `memory`.
fn part<T>(memory: &mut [T], needed: usize) -> Result<&mut [T], TooFew> {
    let found = memory.len();
    memory.get_mut(..needed).ok_or(TooFew { needed, found })
}

/// Whether a step can run `network`.
fn check<N: Network>(network: &N) -> Result<(), StartError> {
    let constants = network.constants();
    if u16::try_from(constants.units).is_err() {
        let found = constants.units;
        return Err(StartError::Units { found });
    }
    if !network.is_whole() {
        return Err(StartError::Tables);
    }
    match constants.membrane {
        Membrane::Quadratic if !N::Number::QUADRATIC => return Err(StartError::Quadratic),
        Membrane::Leaky | Membrane::Quadratic => {}
    }
    match N::Number::THRESHOLD {
        Some(threshold) if threshold != constants.threshold => Err(StartError::Threshold),
        _ => Ok(()),
    }
}

impl<'m, A: Arithmetic> State<'m, A> {
    /// The start of a trial: synapses empty, every unit in its refractory time,
    /// potentials uniform between the network's two start values, drawn from
    /// `noise`.
    ///
    /// # Errors
    /// The memory is too small, or the network is not one that a step can run:
    /// see [`StartError`].
    pub fn start<N: Network<Number = A>>(
        network: &N,
        memory: StateMemory<'m, A>,
        noise: &mut Noise,
    ) -> Result<Self, StartError> {
        Self::start_prepared(network, memory, Prepared::NOTHING, noise)
    }

    /// The same with what was made for this network: halves, which two processors step, and
    /// rows for new input.
    ///
    /// # Errors
    /// The errors of [`State::start`].
    pub fn start_prepared<N: Network<Number = A>>(
        network: &N,
        memory: StateMemory<'m, A>,
        prepared: Prepared<'m, A>,
        noise: &mut Noise,
    ) -> Result<Self, StartError> {
        check(network)?;
        let constants = network.constants();
        let (units, banks) = (constants.units, network.banks());
        let StateMemory {
            blocks: unit_blocks,
            readout,
            waiting,
            outputs,
        } = memory;
        let unit_blocks = part(unit_blocks, blocks(units)).map_err(StartError::Blocks)?;
        let readout = part(readout, banks.blocks()).map_err(StartError::Readout)?;
        let waiting = part(waiting, units).map_err(StartError::Waiting)?;
        let outputs = part(outputs, constants.outputs).map_err(StartError::Outputs)?;

        unit_blocks.fill(Block::at(constants.reset));
        let (low, high) = constants.start;
        for unit in 0..units {
            let fraction = (noise.word() >> 16) as u16;
            let v = A::between(low, high, fraction);
            if let Some(block) = unit_blocks.get_mut(unit / LANES) {
                block.set(unit % LANES, &network.unit(unit), v);
            }
        }
        let readout = Readout::start(network, readout, outputs);
        let rows = prepared.rows;
        let drives = prepared.drives.and_then(|drives| drives.get_mut(..units));
        let can_expect = drives.is_some();
        let memory = UnitsMemory {
            blocks: unit_blocks,
            waiting,
            drives,
        };
        let Some(halves) = prepared.halves else {
            return Ok(Self {
                units: Units::start(memory, rows, 0),
                second: None,
                readout,
                expected: None,
                can_expect,
            });
        };
        let first = halves.second().min(units);
        let (memory, second) = memory.split_at(first);
        Ok(Self {
            units: Units::start(memory, rows, 0),
            second: Some(Second {
                units: Units::start(second, rows, first),
                halves,
            }),
            readout,
            expected: None,
            can_expect,
        })
    }

    /// Advances the network by one step. On a microcontroller this is one
    /// function for all callers; on a desktop it is compiled into each caller,
    /// and uses the vector registers that the caller may use.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    pub fn step<N: Network<Number = A>>(&mut self, network: &N, noise: &mut Noise) {
        self.advance(network, noise, as_it_is);
    }

    /// The same on the processors of `join`, if the state was started in halves.
    #[inline(always)]
    pub fn step_on<N: Network<Number = A>, J: Join>(
        &mut self,
        network: &N,
        noise: &mut Noise,
        join: &mut J,
    ) {
        match self.second {
            None => self.step(network, noise),
            Some(_) => self.step_in_halves(network, noise, join),
        }
    }

    #[inline(never)]
    fn step_in_halves<N: Network<Number = A>, J: Join>(
        &mut self,
        network: &N,
        noise: &mut Noise,
        join: &mut J,
    ) {
        let (constants, fades) = (network.constants(), self.fades());
        let deviates = &noise.step();
        let (units, readout) = (&mut self.units, &mut self.readout);
        let expected = self.expected.as_ref();
        if let Some(Second { units: second, .. }) = &mut self.second {
            join.join(
                || {
                    units.advance(constants, deviates, fades, &as_it_is);
                    units.prepare(network, expected);
                    readout.advance(network, fades);
                },
                || {
                    second.advance(constants, deviates, fades, &as_it_is);
                    second.prepare(network, expected);
                },
            );
        }
        self.deliver(network, join);
    }

    /// Advances the network by one step with a stimulation: `stimulate` gets
    /// every unit and its potential after the noise, and returns the potential
    /// that is compared with the threshold.
    #[inline(always)]
    pub fn step_stimulated<N: Network<Number = A>>(
        &mut self,
        network: &N,
        noise: &mut Noise,
        stimulate: impl Fn(usize, A) -> A,
    ) {
        let threshold = network.constants().threshold;
        self.advance(network, noise, |index, block, _| {
            let units = index * LANES..;
            units
                .zip(block.potentials())
                .fold(false, |at_threshold, (unit, v)| {
                    *v = stimulate(unit, *v);
                    at_threshold | neuron::fires(*v, threshold)
                })
        });
    }

    /// Advances the network by one step on one processor; `after` gets the index of every
    /// block, and the block after its noise, and says whether a potential in it is at the
    /// threshold.
    #[inline(always)]
    fn advance<N: Network<Number = A>>(
        &mut self,
        network: &N,
        noise: &mut Noise,
        after: impl Fn(usize, &mut Block<A>, bool) -> bool,
    ) {
        let (constants, fades) = (network.constants(), self.fades());
        let deviates = noise.step();
        let expected = self.expected.as_ref();
        self.units.advance(constants, &deviates, fades, &after);
        self.units.prepare(network, expected);
        if let Some(Second { units, .. }) = &mut self.second {
            units.advance(constants, &deviates, fades, &after);
            units.prepare(network, expected);
        }
        self.readout.advance(network, fades);
        self.deliver(network, &mut Alone);
    }

    /// True if the next step ends what has decayed to nothing.
    #[inline(always)]
    fn fades(&self) -> bool {
        A::FADES && self.units.now().wrapping_add(1).is_multiple_of(FADE_STEPS)
    }

    /// Delivers the spikes of the step that all units have made.
    #[inline(always)]
    fn deliver<N: Network<Number = A>, J: Join>(&mut self, network: &N, join: &mut J) {
        let readout = &mut self.readout;
        match &mut self.second {
            None => {
                let (blocks, fired) = self.units.blocks_and_fired();
                for from in fired.units() {
                    delivery::to_units(network, from, Targets::All, blocks);
                    readout.receive(network, from);
                }
            }
            Some(Second { units, halves }) if !(self.units.is_silent() && units.is_silent()) => {
                let halves = &*halves;
                let (first_blocks, first) = self.units.blocks_and_fired();
                let (second_blocks, second) = units.blocks_and_fired();
                // `for_each` makes a loop of each half.
                let fired = || first.units().chain(second.units());
                join.join(
                    || {
                        fired().for_each(|from| {
                            let targets = Targets::Before(halves.cut(from));
                            delivery::to_units(network, from, targets, first_blocks);
                            readout.receive(network, from);
                        });
                    },
                    || {
                        fired().for_each(|from| {
                            let targets = Targets::Behind(halves.cut(from));
                            delivery::to_units(network, from, targets, second_blocks);
                        });
                    },
                );
            }
            Some(_) => {}
        }
        readout.weigh(network);
    }

    /// The units that fired in the last step, in ascending order.
    pub fn fired(&self) -> impl Iterator<Item = usize> + '_ {
        let second = self.second.iter().flat_map(|second| second.units.fired());
        self.units.fired().chain(second)
    }

    /// The outputs, in units of [`Arithmetic::OUTPUT_ONE`].
    #[inline(always)]
    pub fn outputs(&self) -> &[A] {
        self.readout.outputs()
    }

    /// The first output, zero if the network has none.
    #[inline(always)]
    pub fn output(&self) -> A {
        self.outputs().first().copied().unwrap_or(A::ZERO)
    }

    /// Sets the input until the next call. An input without a value for every
    /// channel changes nothing.
    pub fn set_input<N: Network<Number = A>>(&mut self, network: &N, input: &[A::Input]) {
        self.set_input_on(network, input, &mut Alone);
    }

    /// The same on the processors of `join`, if the state was started in halves.
    pub fn set_input_on<N: Network<Number = A>, J: Join>(
        &mut self,
        network: &N,
        input: &[A::Input],
        join: &mut J,
    ) {
        if input.len() != network.constants().inputs {
            return;
        }
        let expected = self.expected.take();
        let is_expected = expected.is_some_and(|expected| expected.input == input);
        let set = |units: &mut Units<A>| units.set_input(network, input, is_expected);
        let units = &mut self.units;
        match &mut self.second {
            None => set(units),
            Some(Second { units: second, .. })
                if is_expected && units.is_ready() && second.is_ready() =>
            {
                set(units);
                set(second);
            }
            Some(Second { units: second, .. }) => join.join(|| set(units), || set(second)),
        }
    }

    /// Gets ready for an input that [`State::set_input`] will set in `steps` steps: each step
    /// until then computes the drives of a part of the units. The spikes are the same with and
    /// without. Nothing happens without memory for the drives ([`Prepared::drives`]), or
    /// without a value for every channel.
    pub fn expect_input<N: Network<Number = A>>(
        &mut self,
        network: &N,
        input: &[A::Input],
        steps: u32,
    ) {
        let constants = network.constants();
        if !self.can_expect || input.len() != constants.inputs {
            return;
        }
        let Ok(input) = heapless::Vec::from_slice(input) else {
            return;
        };
        let mut most = constants.units;
        self.units.expect();
        if let Some(Second { units, halves }) = &mut self.second {
            units.expect();
            most = most.saturating_sub(halves.second());
        }
        let part = units_a_step(most, steps);
        self.expected = Some(Expected { input, part });
    }

    /// The units to which `unit` belongs, and its place among them.
    #[inline(always)]
    fn locate(&self, unit: usize) -> (&Units<'m, A>, usize) {
        match &self.second {
            Some(Second { units, halves }) if unit >= halves.second() => {
                (units, unit - halves.second())
            }
            _ => (&self.units, unit),
        }
    }

    #[inline(always)]
    fn locate_mut(&mut self, unit: usize) -> (&mut Units<'m, A>, usize) {
        match &mut self.second {
            Some(Second { units, halves }) if unit >= halves.second() => {
                (units, unit - halves.second())
            }
            _ => (&mut self.units, unit),
        }
    }

    /// Potential of `unit`; the reset potential in the step of a spike. Zero for
    /// a unit that does not exist.
    pub fn potential(&self, unit: usize) -> A {
        let (units, unit) = self.locate(unit);
        let block = units.block(unit);
        block.map_or(A::ZERO, |block| block.potential(unit % LANES))
    }

    /// Moves the potential of `unit`, before the first step for instance.
    pub fn set_potential(&mut self, unit: usize, v: A) {
        let (units, unit) = self.locate_mut(unit);
        if let Some(block) = units.block_mut(unit) {
            block.set_potential(unit % LANES, v);
        }
    }

    /// Synaptic current of `unit`. Zero for a unit that does not exist.
    pub fn current(&self, unit: usize) -> A {
        let (units, unit) = self.locate(unit);
        let block = units.block(unit);
        block.map_or(A::ZERO, |block| block.current(unit % LANES))
    }

    /// State of the readout filter `index`: with [`crate::network::Tables`],
    /// the filtered rate of a unit. Zero for a filter that does not exist.
    pub fn filtered(&self, index: usize) -> A {
        let block = self.readout.block(index);
        block.map_or(A::ZERO, |block| block.filtered(index % LANES))
    }

    /// Ends the refractory time of `unit` early; `leak` is the network's. A unit
    /// that is not refractory stays as it is.
    pub fn end_refractory(&mut self, unit: usize, leak: A::Factor) {
        let (units, unit) = self.locate_mut(unit);
        units.end_refractory(unit, leak);
    }

    /// True if the readout leaves its range: in fixed point a filter stands at the end of its
    /// range, or the sum of an output's filters lies beyond it, so that the output has
    /// wrapped; in floating point a sum is not finite.
    pub fn readout_leaves_range<N: Network<Number = A>>(&self, network: &N) -> bool {
        let banks = network.banks();
        (0..banks.count).any(|bank| {
            let first = banks.start(bank);
            let filters = first..first + banks.filters;
            let filters = filters.map(|index| self.filtered(index));
            A::leaves_range(network.output_offset(bank), filters)
        })
    }
}

/// Changes no potential: a block's own word on its threshold.
#[inline(always)]
fn as_it_is<A: Arithmetic>(_index: usize, _block: &mut Block<A>, at_threshold: bool) -> bool {
    at_threshold
}

#[cfg(test)]
mod tests {
    use core::hash::Hasher;
    use std::vec::Vec;

    use fnv::FnvHasher;

    use super::*;
    use crate::arithmetic::Fixed;
    use crate::blob::{Deployed, Stored};
    use crate::halves::{cut, second_half};
    use crate::network::{Constants, Cut, Tables};
    use crate::neuron::{Filter, FilterFactors, UnitFactors};
    use crate::noise::deviate;
    use crate::prepared::{InputRow, fill_rows};
    use crate::testing::{Memory, Net, REFRACTORY_STEPS, TAU_M, THRESHOLD};

    /// Steps of the refractory time.
    const WAIT: u32 = REFRACTORY_STEPS as u32;

    /// Step and unit of every spike in `steps` steps; `before` may change the
    /// state before each step.
    fn spikes(
        net: &Net,
        steps: u32,
        mut before: impl FnMut(u32, &mut State<f64>),
    ) -> Vec<(u32, usize)> {
        let tables = net.tables();
        let mut memory = Memory::of(&tables);
        let mut noise = Noise::new(1, 0);
        let mut state = memory.start(&tables, &mut noise).expect("enough memory");
        let mut spikes = Vec::new();
        for step in 1..=steps {
            before(step, &mut state);
            state.step(&tables, &mut noise);
            spikes.extend(state.fired().map(|unit| (step, unit)));
        }
        spikes
    }

    /// Makes `unit` fire in the next step.
    fn push(state: &mut State<f64>, unit: usize) {
        state.set_potential(unit, THRESHOLD + 1.0);
    }

    /// `tests/tests/lanes.rs` runs this with other numbers of lanes.
    #[test]
    fn outputs_have_the_same_bits_with_each_number_of_lanes() {
        let units = 45;
        let mut net = Net::unconnected(units);
        net.constants.outputs = 3;
        net.output_offsets = [0.1, -0.7, 3.0].to_vec();
        let weight = |k: usize| 0.1 * (k * 7919 % 23) as f64 - 1.0;
        net.readout_weights = (0..3 * units).map(weight).collect();
        for (k, unit) in net.units.iter_mut().enumerate() {
            unit.bias = 1.1 + 0.03 * k as f64;
        }
        let mut hash = FnvHasher::default();
        for filter in [Filter::Double, Filter::Single] {
            net.constants.filter = filter;
            let tables = net.tables();
            let mut memory = Memory::of(&tables);
            let mut noise = Noise::new(1, 0);
            let mut state = memory.start(&tables, &mut noise).expect("enough memory");
            for _ in 0..1000 {
                state.step(&tables, &mut noise);
                for output in state.outputs() {
                    hash.write(&output.to_bits().to_le_bytes());
                }
            }
            assert!(state.outputs().iter().all(|output| *output != 0.0));
        }
        let found = hash.finish();
        assert_eq!(found, 0xcfa6_391d_1714_6a00, "{found:#018x}");
    }

    #[test]
    fn a_lone_neuron_fires_at_the_rate_of_the_closed_form() {
        for current in [1.01, 1.2, 2.0, 5.0, 50.0] {
            let mut net = Net::unconnected(1);
            net.units[0].bias = current;
            // From the reset, which is zero, to the threshold, in whole steps.
            let charge = TAU_M * libm::log(current / (current - THRESHOLD));
            let period = libm::ceil(charge) as u32 + WAIT;
            let steps: Vec<u32> = spikes(&net, 10 * period, |_, _| {})
                .into_iter()
                .map(|(step, _)| step)
                .collect();
            let expected: Vec<u32> = (1..=10).map(|spike| spike * period).collect();
            assert_eq!(steps, expected, "a current of {current}");
        }
    }

    #[test]
    fn a_membrane_waits_for_its_refractory_time_and_feels_its_noise_meanwhile() {
        let mut net = Net::unconnected(1);
        net.units[0].bias = 50.0;
        net.constants.noise_gain = 1e-9;
        let tables = net.tables();
        let mut memory = Memory::of(&tables);
        let mut noise = Noise::new(1, 0);
        let mut state = memory.start(&tables, &mut noise).expect("enough memory");
        let mut words = noise.clone();
        let mut expected = 0.0;
        for _ in 0..WAIT {
            state.step(&tables, &mut noise);
            expected += f64::from(words.step().next_block()[0]) * 1e-9;
            assert_eq!(state.potential(0), expected);
        }
        state.step(&tables, &mut noise);
        assert!(state.potential(0) > 0.4, "it moves after the last one");
    }

    #[test]
    fn the_noise_comes_before_the_threshold() {
        let mut noise = Noise::new(1, 0);
        // The start takes a word for the potential of the unit.
        noise.word();
        let first = noise.step().next_block()[0];
        assert_eq!(first.signum(), -1, "the seed was chosen for it: {first}");
        assert_eq!(deviate(0), 0);
        let mut net = Net::unconnected(1);
        net.constants.noise_gain = 1e-3;
        let at_threshold = |_: u32, state: &mut State<f64>| state.set_potential(0, THRESHOLD);
        assert_eq!(spikes(&net, 1, at_threshold), []);
        net.constants.noise_gain = -1e-3;
        assert_eq!(spikes(&net, 1, at_threshold), [(1, 0)]);
    }

    #[test]
    fn a_spike_acts_from_the_next_step_on_whatever_the_order_of_the_units() {
        for (from, to) in [(0, 20), (20, 0), (3, 4)] {
            for filter in [Filter::Double, Filter::Single] {
                let mut net = Net::unconnected(21).connect(from, &[(to as u32, 2.0)]);
                net.constants.filter = filter;
                let tables = net.tables();
                let mut memory = Memory::of(&tables);
                let mut noise = Noise::new(1, 0);
                let mut state = memory.start(&tables, &mut noise).expect("enough memory");
                push(&mut state, from);
                state.step(&tables, &mut noise);
                assert!(state.fired().eq([from]));
                let gain = net.units[to].filter.rise_gain;
                let at_once = match filter {
                    Filter::Double => 0.0,
                    Filter::Single => 2.0 * gain,
                };
                assert_eq!(state.current(to), at_once);
                assert_eq!(state.potential(to), 0.0);
                state.step(&tables, &mut noise);
                let decay = net.units[to].filter.synapse_decay;
                let next = match filter {
                    Filter::Double => 2.0 * gain,
                    Filter::Single => at_once + decay * at_once,
                };
                assert_eq!(state.current(to), next);
                let silent = (0..21).filter(|&unit| unit != to);
                assert!(silent.into_iter().all(|unit| state.current(unit) == 0.0));
            }
        }
    }

    #[test]
    fn the_output_is_the_weighted_sum_of_the_filtered_spikes() {
        let mut net = Net::unconnected(20);
        for (unit, weight) in net.readout_weights.iter_mut().enumerate() {
            *weight = unit as f64;
        }
        let tables = net.tables();
        let mut memory = Memory::of(&tables);
        let mut noise = Noise::new(1, 0);
        let mut state = memory.start(&tables, &mut noise).expect("enough memory");
        push(&mut state, 3);
        push(&mut state, 17);
        let mut largest = 0.0;
        for _ in 0..50 {
            state.step(&tables, &mut noise);
            let sum = 3.0 * state.filtered(3) + 17.0 * state.filtered(17);
            assert!(libm::fabs(state.output() - sum) < 1e-12);
            largest = f64::max(largest, sum);
        }
        assert!(largest > 0.1, "{largest}");
    }

    #[test]
    fn each_output_weighs_the_filtered_spikes_with_its_row_and_adds_its_offset() {
        for filter in [Filter::Double, Filter::Single] {
            let mut net = Net::unconnected(20);
            net.constants.filter = filter;
            net.constants.outputs = 3;
            net.readout_weights = (0..60).map(f64::from).collect();
            net.output_offsets = [0.5, -1.0, 0.0].to_vec();
            let tables = net.tables();
            let mut memory = Memory::of(&tables);
            let mut noise = Noise::new(1, 0);
            let mut state = memory.start(&tables, &mut noise).expect("enough memory");
            push(&mut state, 3);
            push(&mut state, 17);
            let mut largest = 0.0;
            for _ in 0..50 {
                state.step(&tables, &mut noise);
                largest = f64::max(largest, state.outputs()[2]);
                for (k, output) in state.outputs().iter().enumerate() {
                    let weights = &net.readout_weights[20 * k..][..20];
                    let shares = weights.iter().enumerate();
                    let sum: f64 = shares.map(|(unit, w)| w * state.filtered(unit)).sum();
                    let wanted = net.output_offsets[k] + sum;
                    assert!(
                        libm::fabs(output - wanted) < 1e-12,
                        "{filter:?}, output {k}"
                    );
                }
            }
            assert_eq!(state.output(), state.outputs()[0]);
            assert!(largest > 0.5, "{largest}");
        }
    }

    #[test]
    fn spikes_within_the_refractory_time_begin_it_again() {
        let mut net = Net::unconnected(3);
        net.units.iter_mut().for_each(|unit| unit.bias = 200.0);
        // One step from the reset to the threshold with this current.
        let regular = WAIT + 1;
        let undisturbed = spikes(&net, 3 * regular, |_, _| {});
        let expected: Vec<(u32, usize)> = (1..=3)
            .flat_map(|round| (0..3).map(move |unit| (round * regular, unit)))
            .collect();
        assert_eq!(undisturbed, expected);
        let disturbed = spikes(&net, 3 * regular, |step, state| {
            if step == regular + 2 {
                push(state, 1);
            }
        });
        assert!(disturbed.contains(&(regular + 2, 1)));
        assert!(!disturbed.contains(&(2 * regular, 1)));
        assert!(disturbed.contains(&(2 * regular + 2, 1)));
        assert!(disturbed.contains(&(2 * regular, 0)) && disturbed.contains(&(2 * regular, 2)));
    }

    #[test]
    fn a_refractory_time_can_end_early() {
        let mut net = Net::unconnected(2);
        net.units.iter_mut().for_each(|unit| unit.bias = 200.0);
        let leak = net.constants.leak;
        let regular = WAIT + 1;
        let found = spikes(&net, 2 * regular, |step, state| {
            if step == regular + 2 {
                state.end_refractory(0, leak);
            }
        });
        let expected = [
            (regular, 0),
            (regular, 1),
            (regular + 2, 0),
            (2 * regular, 1),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_stimulation_decides_who_fires() {
        let net = Net::unconnected(20);
        let tables = net.tables();
        let mut memory = Memory::of(&tables);
        let mut noise = Noise::new(1, 0);
        let mut state = memory.start(&tables, &mut noise).expect("enough memory");
        push(&mut state, 1);
        state.step_stimulated(&tables, &mut noise, |unit, v| match unit {
            1 => v - 2.0,
            18 => v + 2.0,
            _ => v,
        });
        assert!(state.fired().eq([18]));
        assert_eq!(state.potential(18), 0.0);
        assert!(state.potential(1) < THRESHOLD);
    }

    #[test]
    fn synapses_that_have_decayed_to_nothing_end() {
        let net = Net::unconnected(2).connect(0, &[(1, 1.0)]);
        let tables = net.tables();
        let mut memory = Memory::of(&tables);
        let mut noise = Noise::new(1, 0);
        let mut state = memory.start(&tables, &mut noise).expect("enough memory");
        push(&mut state, 0);
        let mut seen = false;
        for _ in 0..4000 {
            state.step(&tables, &mut noise);
            seen |= state.current(1) > 1e-3;
        }
        assert!(seen);
        assert_eq!(state.current(1), 0.0);
        assert_eq!(state.filtered(0), 0.0);
    }

    /// Two threads.
    struct Threads;

    impl Join for Threads {
        fn join(&mut self, here: impl FnOnce(), there: impl FnOnce() + Send) {
            std::thread::scope(|scope| {
                scope.spawn(there);
                here();
            });
        }
    }

    /// When the input of [`in_halves`] is expected.
    #[derive(Clone, Copy)]
    enum Expects {
        Never,
        /// This number of steps before it begins.
        Before(u32),
        /// The same, and every second time another input than the one that comes.
        Wrongly(u32),
    }

    /// The hash of spikes, outputs and potentials of a trial on two processors, and the spikes
    /// in it; `cuts` is the table of the network, empty for one processor.
    fn in_halves<A: Stored, J: Join>(
        network: &Deployed<A>,
        cuts: &[Cut],
        rows: &[InputRow<A>],
        expects: Expects,
        join: &mut J,
    ) -> (u64, usize) {
        let mut memory = Memory::of(network);
        let mut noise = Noise::new(3, 0);
        let halves = Halves::of(network, cuts);
        assert_eq!(halves.is_some(), !cuts.is_empty());
        let rows = (!rows.is_empty()).then_some(rows);
        let mut drives = std::vec![A::ZERO; network.constants().units];
        let (ahead, wrongly) = match expects {
            Expects::Never => (None, false),
            Expects::Before(steps) => (Some(steps), false),
            Expects::Wrongly(steps) => (Some(steps), true),
        };
        let prepared = Prepared {
            halves,
            rows,
            drives: (ahead.is_some() || rows.is_some()).then_some(drives.as_mut_slice()),
        };
        let mut state = State::start_prepared(network, memory.all(), prepared, &mut noise)
            .expect("enough memory");
        let (mut hash, mut spikes) = (FnvHasher::default(), 0);
        let channels = network.constants().inputs;
        let input = |index: u32| {
            let value = fixed::types::I4F12::from_num(index % 3);
            std::vec![A::input(value); channels]
        };
        for step in 0..3000u32 {
            if let Some(ahead) = ahead
                && (step + ahead) % 500 == 0
            {
                let index = (step + ahead) / 500;
                let other = u32::from(wrongly && index.is_multiple_of(2));
                state.expect_input(network, &input(index + other), ahead);
            }
            if step % 500 == 0 {
                state.set_input_on(network, &input(step / 500), join);
                if wrongly {
                    state.expect_input(network, &input(7), 9);
                }
            }
            if step == 1000 {
                state.set_potential(network.constants().units - 1, network.constants().threshold);
                state.end_refractory(0, network.constants().leak);
            }
            state.step_on(network, &mut noise, join);
            for unit in state.fired() {
                hash.write_u32(unit as u32);
                spikes += 1;
            }
            for output in state.outputs() {
                hash.write_i32(output.bits());
            }
            for unit in [0, 1, 99, 100, 198, 199] {
                hash.write_i32(state.potential(unit).bits());
                hash.write_i32(state.current(unit).bits());
            }
        }
        (hash.finish(), spikes)
    }

    fn two_processors_step_as_one<A: Stored>(bytes: &[u8], empty: InputRow<A>) {
        let network = Deployed::<A>::of(bytes).expect("a frozen network");
        let mut cuts = std::vec![Cut::EMPTY; network.constants().units];
        let never = Expects::Never;
        let (whole, spikes) = in_halves(&network, &[], &[], never, &mut Alone);
        assert!(spikes > 300, "{spikes}");
        assert!(cut(&network, &mut cuts));
        let second = second_half(&network);
        assert!((80..=100).contains(&second), "{second}");
        let mut rows = std::vec![empty; network.constants().units];
        assert!(fill_rows(&network, &mut rows));
        let alone = in_halves(&network, &cuts, &[], never, &mut Alone);
        assert_eq!(alone, (whole, spikes));
        let with_rows = in_halves(&network, &[], &rows, never, &mut Alone);
        assert_eq!(with_rows, (whole, spikes));
        let on_threads = in_halves(&network, &cuts, &rows, never, &mut Threads);
        assert_eq!(on_threads, (whole, spikes));
        for ahead in [0, 1, 3, 40] {
            for expects in [Expects::Before(ahead), Expects::Wrongly(ahead)] {
                let alone = in_halves(&network, &[], &[], expects, &mut Alone);
                assert_eq!(alone, (whole, spikes), "{ahead}");
                let in_two = in_halves(&network, &cuts, &rows, expects, &mut Alone);
                assert_eq!(in_two, (whole, spikes), "{ahead}");
            }
            let expects = Expects::Before(ahead);
            let on_threads = in_halves(&network, &cuts, &rows, expects, &mut Threads);
            assert_eq!(on_threads, (whole, spikes), "{ahead}");
        }
    }

    #[test]
    fn two_processors_and_expected_input_change_no_spike() {
        let fixed = InputRow::<Fixed>::EMPTY;
        two_processors_step_as_one(include_bytes!("../tests/golden/go-nogo.snn"), fixed);
        two_processors_step_as_one(include_bytes!("../tests/golden/xor.snn"), fixed);
        two_processors_step_as_one(include_bytes!("../tests/golden/mante.snn"), fixed);
        let float = InputRow::<f32>::EMPTY;
        two_processors_step_as_one(include_bytes!("../tests/golden/f32/mante.snn"), float);
    }

    #[test]
    fn a_stimulation_reaches_the_units_of_both_halves() {
        let bytes = include_bytes!("../tests/golden/xor.snn");
        let network = Deployed::read(bytes).expect("a frozen network");
        let mut cuts = std::vec![Cut::EMPTY; network.constants().units];
        assert!(cut(&network, &mut cuts));
        for halves in [None, Halves::of(&network, &cuts)] {
            let prepared = Prepared {
                halves,
                ..Prepared::NOTHING
            };
            let mut memory = Memory::of(&network);
            let mut noise = Noise::new(1, 0);
            let mut state = State::start_prepared(&network, memory.all(), prepared, &mut noise)
                .expect("enough memory");
            state.step_stimulated(&network, &mut noise, |unit, v| match unit {
                3 | 150 => Fixed::ZERO,
                _ => v.min(-Fixed::DELTA),
            });
            assert!(state.fired().eq([3, 150]));
        }
    }

    /// One neuron in fixed point.
    fn fixed(membrane: Membrane, threshold: Fixed) -> Result<(), StartError> {
        let filter = FilterFactors {
            synapse_decay: -100,
            rise_gain: 100,
        };
        let tables = Tables::<Fixed> {
            constants: Constants {
                units: 1,
                inputs: 0,
                outputs: 1,
                membrane,
                filter: Filter::Double,
                leak: 100,
                rise_decay: -100,
                noise_gain: 0,
                threshold,
                reset: Fixed::ZERO,
                refractory_steps: 4,
                start: (Fixed::ZERO, Fixed::ZERO),
            },
            units: &[UnitFactors {
                filter,
                gain: (),
                lag: (),
                bias: Fixed::ZERO,
            }],
            input_weights: &[],
            starts: &[0, 0],
            targets: &[],
            readout: &[filter],
            readout_weights: &[()],
            output_offsets: &[Fixed::ZERO],
            readout_spike: Fixed::OUTPUT_ONE,
        };
        Memory::of(&tables)
            .start(&tables, &mut Noise::new(1, 0))
            .map(|_| ())
    }

    #[test]
    fn fixed_point_refuses_a_quadratic_membrane_and_a_threshold_other_than_zero() {
        assert_eq!(fixed(Membrane::Leaky, Fixed::ZERO), Ok(()));
        let quadratic = fixed(Membrane::Quadratic, Fixed::ZERO);
        assert_eq!(quadratic, Err(StartError::Quadratic));
        let odd = fixed(Membrane::Leaky, Fixed::DELTA);
        assert_eq!(odd, Err(StartError::Threshold));
    }

    #[test]
    fn a_network_with_short_tables_is_refused() {
        let net = Net::unconnected(2).connect(0, &[(1, 1.0)]);
        let mut memory = Memory::of(&net.tables());
        let mut started = |tables: &Tables<f64>| {
            memory
                .start(tables, &mut Noise::new(1, 0))
                .map(|_| ())
                .err()
        };
        assert_eq!(started(&net.tables()), None);
        let whole = net.tables();
        let short = [
            Tables {
                units: &net.units[..1],
                ..whole
            },
            Tables {
                input_weights: &net.input_weights[..1],
                ..whole
            },
            Tables {
                starts: &net.starts[..2],
                ..whole
            },
            Tables {
                starts: &[1, 0, 0],
                ..whole
            },
            Tables {
                targets: &[],
                ..whole
            },
            Tables {
                readout: &net.readout[..1],
                ..whole
            },
            Tables {
                readout_weights: &net.readout_weights[..1],
                ..whole
            },
            Tables {
                output_offsets: &[],
                ..whole
            },
        ];
        for tables in short {
            assert_eq!(started(&tables), Some(StartError::Tables));
        }
    }

    #[test]
    fn a_network_of_more_units_than_sixteen_bits_count_is_refused() {
        let net = Net::unconnected(65_536);
        let tables = net.tables();
        let error = Memory::of(&tables)
            .start(&tables, &mut Noise::new(1, 0))
            .map(|_| ());
        assert_eq!(error, Err(StartError::Units { found: 65_536 }));
    }
}
