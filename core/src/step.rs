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
use crate::lanes::{LANES, blocks};
use crate::network::{Constants, Network};
use crate::neuron;
use crate::noise::{Deviates, Noise};
use crate::refractory::{Refractory, Waiting};

/// Steps from one look for synapses that have decayed to nothing to the next.
const FADE_STEPS: u16 = 64;

/// The state of a network: everything that changes during a run. The memory is
/// the caller's.
#[derive(Debug)]
pub struct State<'m, A: Arithmetic> {
    blocks: &'m mut [Block<A>],
    readout: &'m mut [ReadoutBlock<A>],
    refractory: Refractory<'m>,
    output: A,
}

impl<'m, A: Arithmetic> State<'m, A> {
    /// The start of a trial: synapses empty, every unit in its refractory
    /// time, potentials uniform between the network's two start values. Takes
    /// [`blocks`]`(units)` blocks, [`blocks`]`(filters)` readout blocks and one
    /// place a unit in `waiting`; `None` if they are fewer, or if the network
    /// has more than 65,535 units.
    pub fn start<N: Network<Number = A>>(
        network: &N,
        blocks_memory: &'m mut [Block<A>],
        readout_memory: &'m mut [ReadoutBlock<A>],
        waiting: &'m mut [Waiting],
        noise: &mut Noise,
    ) -> Option<Self> {
        let constants = network.constants();
        let units = constants.units;
        let waiting = waiting.get_mut(..units)?;
        let blocks_memory = blocks_memory.get_mut(..blocks(units))?;
        let readout_memory = readout_memory.get_mut(..blocks(network.readout_filters()))?;
        u16::try_from(units).ok()?;

        blocks_memory.fill(Block::at(constants.reset));
        readout_memory.fill(ReadoutBlock::default());
        let (low, high) = constants.start;
        for unit in 0..units {
            let fraction = (noise.word() >> 16) as u16;
            let v = A::between(low, high, fraction);
            blocks_memory[unit / LANES].set(unit % LANES, &network.unit(unit), v);
        }
        for index in 0..network.readout_filters() {
            let readout = network.readout_filter(index);
            readout_memory[index / LANES].set(index % LANES, &readout);
        }
        Some(Self {
            blocks: blocks_memory,
            readout: readout_memory,
            refractory: Refractory::start(waiting, constants.refractory_steps),
            output: A::ZERO,
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
        let mut sums = [A::ZERO; LANES];
        for block in self.readout.iter_mut() {
            block.advance(constants.rise_decay, &mut sums);
        }
        self.output = sums.into_iter().fold(A::ZERO, A::plus);
        for place in self.refractory.fired_places() {
            let from = self.refractory.unit_at(place);
            delivery::deliver(network, from, self.blocks, self.readout, &mut self.output);
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
                return Some(from_it_on);
            }
            (block, rest) = rest.split_first_mut()?;
        }
    }

    /// The units that fired in the last step, in ascending order.
    pub fn fired(&self) -> impl Iterator<Item = usize> + '_ {
        self.refractory.fired()
    }

    /// The output, in units of [`Arithmetic::OUTPUT_ONE`].
    #[inline(always)]
    pub fn output(&self) -> A {
        self.output
    }

    /// Sets the input until the next call. An input without a value for every
    /// channel changes nothing.
    pub fn set_input<N: Network<Number = A>>(&mut self, network: &N, input: &[A::Input]) {
        if input.len() != network.constants().inputs {
            return;
        }
        network.each_drive(input, |unit, drive| {
            if let Some(block) = self.blocks.get_mut(unit / LANES) {
                block.set_drive(unit % LANES, drive);
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
            if self.refractory.is_released(unit) {
                self.set_leak(unit, constants.leak);
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
