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

use core::hint::black_box;

use crate::arithmetic::Arithmetic;
use crate::block::{Block, ReadoutBlock};
use crate::delivery;
use crate::lanes::{LANES, SUM_LANES, blocks};
use crate::network::{Constants, Network};
use crate::neuron::{self, Membrane};
use crate::noise::{Deviates, Noise};
use crate::refractory::{Refractory, Waiting};

/// Number of steps between two searches for synapses that have decayed to zero.
pub const FADE_STEPS: u16 = 64;

/// The state of a network: everything that changes during a run. The memory is
/// the caller's.
#[derive(Debug)]
pub struct State<'m, A: Arithmetic> {
    blocks: &'m mut [Block<A>],
    readout: &'m mut [ReadoutBlock<A>],
    refractory: Refractory<'m>,
    outputs: &'m mut [A],
    /// Blocks of a bank of readout filters.
    bank_blocks: usize,
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
        readout.fill(ReadoutBlock::default());
        for bank in 0..banks.count {
            for filter in 0..banks.filters {
                let index = banks.start(bank) + filter;
                if let Some(block) = readout.get_mut(index / LANES) {
                    block.set(index % LANES, &network.readout_filter(filter));
                }
            }
        }
        outputs.fill(A::ZERO);
        Ok(Self {
            blocks: unit_blocks,
            readout,
            refractory: Refractory::start(waiting),
            outputs,
            bank_blocks: blocks(banks.filters),
        })
    }

    /// Advances the network by one step. On a microcontroller this is one
    /// function for all callers; on a desktop it is compiled into each caller,
    /// and uses the vector registers that the caller may use.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    pub fn step<N: Network<Number = A>>(&mut self, network: &N, noise: &mut Noise) {
        self.advance(network, noise, |_, _, at_threshold| at_threshold);
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

    /// Advances the network by one step; `after` gets every block after its
    /// noise, and says whether a potential in it is at the threshold.
    #[inline(always)]
    fn advance<N: Network<Number = A>>(
        &mut self,
        network: &N,
        noise: &mut Noise,
        after: impl Fn(usize, &mut Block<A>, bool) -> bool,
    ) {
        let constants = network.constants();
        self.refractory.begin_step();
        self.release(constants);
        if A::FADES && self.refractory.now().is_multiple_of(FADE_STEPS) {
            self.fade();
        }

        let mut deviates = noise.step();
        if LANES == 1 {
            self.advance_units(network, &mut deviates, after);
        } else {
            self.advance_blocks(network, &mut deviates, after);
        }
        let banks = self.advance_readout(network);
        for place in self.refractory.fired_places() {
            let from = self.refractory.unit_at(place);
            delivery::deliver(network, from, self.blocks, self.readout, self.outputs);
        }
        for output in banks..self.outputs.len() {
            self.weigh_readout(network, output);
        }
    }

    /// Advances the readout filters and sets the output of each bank. Returns the
    /// number of banks.
    #[inline(always)]
    fn advance_readout<N: Network<Number = A>>(&mut self, network: &N) -> usize {
        let rise_decay = network.constants().rise_decay;
        // Most networks have one output, and need no cut into banks.
        if let [output] = &mut *self.outputs {
            *output = advance_bank(self.readout, rise_decay, network.output_offset(0));
            return 1;
        }
        let mut rest = &mut *self.readout;
        let mut bank = 0;
        for output in self.outputs.iter_mut() {
            let taken = core::mem::take(&mut rest).split_at_mut_checked(self.bank_blocks);
            let Some((blocks, behind)) = taken else {
                break;
            };
            *output = advance_bank(blocks, rise_decay, network.output_offset(bank));
            rest = behind;
            bank += 1;
        }
        bank
    }

    /// Sets an output that weighs the filters of the bank that all outputs share.
    #[inline(always)]
    fn weigh_readout<N: Network<Number = A>>(&mut self, network: &N, output: usize) {
        let weights = network.readout_weights(output).chunks(LANES);
        let blocks = self.readout.iter().zip(weights);
        let offset = network.output_offset(output);
        if let Some(place) = self.outputs.get_mut(output) {
            *place = sum(offset, blocks, |(block, weights), sums| {
                block.weigh(weights, sums);
            });
        }
    }

    /// Advances all blocks, one after the other, with vector registers.
    #[inline(always)]
    fn advance_blocks<N: Network<Number = A>>(
        &mut self,
        network: &N,
        deviates: &mut Deviates,
        after: impl Fn(usize, &mut Block<A>, bool) -> bool,
    ) {
        let constants = network.constants();
        for index in 0..self.blocks.len() {
            let Some(block) = self.blocks.get_mut(index) else {
                return;
            };
            let at_threshold = block.advance(constants, deviates.next_block());
            if after(index, block, at_threshold) {
                self.fire(index, constants);
            }
        }
    }

    /// Advances all blocks of one unit each. Few units fire: the loop that finds
    /// them holds nothing else, and keeps its numbers in a microcontroller's few
    /// registers (18 % fewer cycles on a Cortex-M0+, 15 % fewer instructions on a
    /// Cortex-M4). With vector registers this loop would be slower.
    #[inline(always)]
    fn advance_units<N: Network<Number = A>>(
        &mut self,
        network: &N,
        deviates: &mut Deviates,
        after: impl Fn(usize, &mut Block<A>, bool) -> bool,
    ) {
        let constants = network.constants();
        let mut left = self.blocks.len();
        while let Some(from_it_on) = self.next_spike(left, constants, deviates, &after) {
            self.fire(self.blocks.len() - from_it_on, constants);
            left = from_it_on - 1;
        }
    }

    /// Advances the last `left` blocks up to the first one with a potential at
    /// the threshold, and returns the number of blocks from that one on.
    #[inline(always)]
    fn next_spike(
        &mut self,
        left: usize,
        constants: &Constants<A>,
        deviates: &mut Deviates,
        after: &impl Fn(usize, &mut Block<A>, bool) -> bool,
    ) -> Option<usize> {
        let count = self.blocks.len();
        let (mut block, mut rest) = self.blocks.get_mut(count - left..)?.split_first_mut()?;
        loop {
            let at_threshold = block.advance(constants, deviates.next_block());
            let from_it_on = rest.len() + 1;
            if after(count - from_it_on, block, at_threshold) {
                // Hidden from the compiler, which would otherwise carry the numbers
                // that follow from it through every unit (22 % more cycles on a
                // Cortex-M0+).
                return Some(black_box(from_it_on));
            }
            (block, rest) = rest.split_first_mut()?;
        }
    }

    /// The units that fired in the last step, in ascending order.
    pub fn fired(&self) -> impl Iterator<Item = usize> + '_ {
        self.refractory.fired()
    }

    /// The outputs, in units of [`Arithmetic::OUTPUT_ONE`].
    #[inline(always)]
    pub fn outputs(&self) -> &[A] {
        self.outputs
    }

    /// The first output, zero if the network has none.
    #[inline(always)]
    pub fn output(&self) -> A {
        self.outputs.first().copied().unwrap_or(A::ZERO)
    }

    /// Sets the input until the next call. An input without a value for every
    /// channel changes nothing.
    pub fn set_input<N: Network<Number = A>>(&mut self, network: &N, input: &[A::Input]) {
        if input.len() != network.constants().inputs {
            return;
        }
        if LANES > 1 {
            network.each_drive(input, |unit, drive| {
                if let Some(block) = self.blocks.get_mut(unit / LANES) {
                    block.set_drive(unit % LANES, drive);
                }
            });
            return;
        }
        // One block after the other, without an index: half the cycles.
        let mut blocks = self.blocks.iter_mut();
        network.each_drive(input, |_, drive| {
            if let Some(block) = blocks.next() {
                block.set_drive(0, drive);
            }
        });
    }

    /// Potential of `unit`; the reset potential in the step of a spike. Zero for
    /// a unit that does not exist.
    pub fn potential(&self, unit: usize) -> A {
        let block = self.blocks.get(unit / LANES);
        block.map_or(A::ZERO, |block| block.potential(unit % LANES))
    }

    /// Moves the potential of `unit`, before the first step for instance.
    pub fn set_potential(&mut self, unit: usize, v: A) {
        if let Some(block) = self.blocks.get_mut(unit / LANES) {
            block.set_potential(unit % LANES, v);
        }
    }

    /// Synaptic current of `unit`. Zero for a unit that does not exist.
    pub fn current(&self, unit: usize) -> A {
        let block = self.blocks.get(unit / LANES);
        block.map_or(A::ZERO, |block| block.current(unit % LANES))
    }

    /// State of the readout filter `index`: with [`crate::network::Tables`],
    /// the filtered rate of a unit. Zero for a filter that does not exist.
    pub fn filtered(&self, index: usize) -> A {
        let block = self.readout.get(index / LANES);
        block.map_or(A::ZERO, |block| block.filtered(index % LANES))
    }

    /// Ends the refractory time of `unit` early; `leak` is the network's. A unit
    /// that is not refractory stays as it is.
    pub fn end_refractory(&mut self, unit: usize, leak: A::Factor) {
        self.refractory.forget_any(unit);
        self.set_leak(unit, leak);
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

    #[inline(always)]
    fn set_leak(&mut self, unit: usize, leak: A::Factor) {
        if let Some(block) = self.blocks.get_mut(unit / LANES) {
            block.set_leak(unit % LANES, leak);
        }
    }

    /// Gives the leak back to the units whose refractory time is over.
    #[inline(always)]
    fn release(&mut self, constants: &Constants<A>) {
        if self.refractory.is_starting() {
            self.release_start(constants);
        }
        while let Some(unit) = self.refractory.next_released() {
            self.set_leak(unit, constants.leak);
        }
    }

    /// Ends the refractory time of the start.
    #[cold]
    #[inline(never)]
    fn release_start(&mut self, constants: &Constants<A>) {
        if !self.refractory.end_start(constants.refractory_steps) {
            return;
        }
        for unit in 0..constants.units {
            self.set_leak(unit, constants.leak);
        }
        // Units that have fired since the start still wait.
        for unit in self.refractory.all() {
            if let Some(block) = self.blocks.get_mut(unit / LANES) {
                block.set_leak(unit % LANES, A::NO_LEAK);
            }
        }
    }

    /// Ends the synapses and the readout filters that have decayed to nothing.
    #[cold]
    #[inline(never)]
    fn fade(&mut self) {
        self.blocks.iter_mut().for_each(Block::fade);
        self.readout.iter_mut().for_each(ReadoutBlock::fade);
    }

    /// Resets the units of block `index` that are at the threshold and makes
    /// them wait.
    #[cold]
    #[inline(never)]
    fn fire(&mut self, index: usize, constants: &Constants<A>) {
        for lane in 0..LANES {
            let unit = index * LANES + lane;
            let Some(block) = self.blocks.get_mut(index) else {
                return;
            };
            if !block.fires(lane, constants.threshold) {
                continue;
            }
            block.set_potential(lane, constants.reset);
            if unit >= constants.units {
                continue;
            }
            let was_refractory = block.is_stopped(lane);
            block.set_leak(lane, A::NO_LEAK);
            if was_refractory {
                // Noise and stimulation can bring this about, and the start does.
                self.refractory.forget_older(unit);
            }
            self.refractory.wait(unit, constants.refractory_steps);
        }
    }
}

/// Advances the readout filters of a bank, and returns their sum with the output's
/// offset. On a microcontroller this is a function of its own, whose loop has the few
/// registers for itself.
#[cfg_attr(target_pointer_width = "64", inline(always))]
#[cfg_attr(not(target_pointer_width = "64"), inline(never))]
fn advance_bank<A: Arithmetic>(
    bank: &mut [ReadoutBlock<A>],
    rise_decay: A::Factor,
    offset: A,
) -> A {
    sum(offset, bank.iter_mut(), |block, sums| {
        block.advance(rise_decay, sums);
    })
}

/// The sum of `offset` and of what `add` adds for each block. Numbers that round are added
/// in the order of [`SUM_LANES`].
#[inline(always)]
fn sum<A: Arithmetic, B>(
    offset: A,
    mut blocks: impl Iterator<Item = B>,
    mut add: impl FnMut(B, &mut [A; LANES]),
) -> A {
    if !A::ROUNDS || LANES == SUM_LANES {
        let mut sums = [A::ZERO; LANES];
        blocks.for_each(|block| add(block, &mut sums));
        return sums.into_iter().fold(offset, A::plus);
    }
    let mut sums = [A::ZERO; SUM_LANES];
    loop {
        let (places, _) = sums.as_chunks_mut();
        for place in places {
            let Some(block) = blocks.next() else {
                return sums.into_iter().fold(offset, A::plus);
            };
            add(block, place);
        }
    }
}

#[cfg(test)]
mod tests {
    use core::hash::Hasher;
    use std::vec::Vec;

    use fnv::FnvHasher;

    use super::*;
    use crate::arithmetic::Fixed;
    use crate::network::Tables;
    use crate::neuron::{Filter, FilterFactors, UnitFactors};
    use crate::noise::deviate;
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
