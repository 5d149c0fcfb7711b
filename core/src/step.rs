//! What a run changes, and the step.
//!
//! In the order of the published code, for every unit i:
//!
//! ```text
//! v_i ← v_i + leak·(drive_i + s_i − v_i)    unless refractory
//! v_i ← v_i + noise
//! spike when v_i ≥ threshold; then v_i ← reset, and the refractory time starts
//! s_i ← s_i + synapse_decay_i·s_i + rise_gain_i·h_i
//! h_i ← h_i + rise_decay·h_i + Σ_{j fired} w_ij
//! ```
//!
//! and the same two filters for the readout. The refractory time costs nothing
//! where nothing happens: a spike sets its unit's own leak to zero, and the
//! queue of waiting units gives it back.

use core::sync::atomic::{Ordering, compiler_fence};

use crate::arithmetic::{Arithmetic, Fixed, Packed, Pairs};
use crate::network::{Constants, Deliver, Filter, Network, Target, UnitFactors};
use crate::noise::{Deviates, Noise};

/// Units that are stepped together: as many as fill a vector register on a
/// desktop processor, one on a microcontroller. It changes the layout of the
/// memory and no result.
pub const LANES: usize = if cfg!(target_pointer_width = "64") {
    16
} else {
    1
};

/// Steps from one look for synapses that have decayed to nothing to the next.
const FADE_STEPS: u16 = 64;

/// Number of blocks that hold `units` units.
pub const fn blocks(units: usize) -> usize {
    units.div_ceil(LANES)
}

/// The state of [`LANES`] units, with their factors beside it.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(4))]
pub struct Block<A: Arithmetic> {
    /// Decay of the synapse, gain of its rise.
    filter: A::FilterPairs,
    /// Drive and leak.
    membrane: A::MembranePairs,
    gain: [A::Fine; LANES],
    lag: [A::Fine; LANES],
    h: [A; LANES],
    s: [A; LANES],
    v: [A; LANES],
}

/// The state of [`LANES`] readout filters, with their factors beside it.
#[derive(Clone, Copy, Debug)]
pub struct ReadoutBlock<A: Arithmetic> {
    /// Decay, gain of the rise.
    filter: A::FilterPairs,
    weight: [A::Fine; LANES],
    h: [A; LANES],
    r: [A; LANES],
}

/// Two tables in one, since both have an entry a unit: the ring of the units
/// that wait for the end of their refractory time, and when that is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Waiting {
    /// The unit in this place of the ring.
    unit: u16,
    /// Of the unit with this entry's index: the step, modulo 2¹⁶, at whose
    /// beginning its refractory time ends.
    release: u16,
}

/// What changes while a network runs. The memory is the caller's.
#[derive(Debug)]
pub struct State<'m, A: Arithmetic> {
    blocks: &'m mut [Block<A>],
    readout: &'m mut [ReadoutBlock<A>],
    /// A ring, ordered by release. A unit stands in it at most once, so that
    /// one entry a unit is enough.
    waiting: &'m mut [Waiting],
    head: usize,
    length: usize,
    /// True until the refractory time of the start is over. The units that
    /// have not fired since are not in the ring: most of them fire in the first
    /// steps, and each would have to be taken out.
    starting: bool,
    /// How many of the youngest entries fired in the present step.
    fired: usize,
    now: u16,
    output: A,
}

impl<A: Arithmetic> Default for Block<A> {
    fn default() -> Self {
        Self {
            filter: A::FilterPairs::all(A::Factor::default(), A::Factor::default()),
            membrane: A::MembranePairs::all(A::Drive::default(), A::NO_LEAK),
            gain: [A::Fine::default(); LANES],
            lag: [A::Fine::default(); LANES],
            h: [A::REST; LANES],
            s: [A::REST; LANES],
            v: [A::ZERO; LANES],
        }
    }
}

impl<A: Arithmetic> Default for ReadoutBlock<A> {
    fn default() -> Self {
        Self {
            filter: A::FilterPairs::all(A::Factor::default(), A::Factor::default()),
            weight: [A::Fine::default(); LANES],
            h: [A::REST; LANES],
            r: [A::REST; LANES],
        }
    }
}

impl Block<Fixed> {
    /// All zero, so that a `static` of it costs no flash; [`State::start`]
    /// fills it.
    pub const EMPTY: Self = Self {
        filter: Packed::ZERO,
        membrane: Packed::ZERO,
        gain: [(); LANES],
        lag: [(); LANES],
        h: [Fixed::ZERO; LANES],
        s: [Fixed::ZERO; LANES],
        v: [Fixed::ZERO; LANES],
    };
}

impl ReadoutBlock<Fixed> {
    /// All zero, as [`Block::EMPTY`].
    pub const EMPTY: Self = Self {
        filter: Packed::ZERO,
        weight: [(); LANES],
        h: [Fixed::ZERO; LANES],
        r: [Fixed::ZERO; LANES],
    };
}

impl Waiting {
    /// All zero, as [`Block::EMPTY`].
    pub const EMPTY: Self = Self {
        unit: 0,
        release: 0,
    };
}

/// Keeps the compiler of a microcontroller from mixing two parts of a step,
/// which together need more than its registers (6 of 58 cycles on a
/// Cortex-M0+). It is no instruction.
#[inline(always)]
fn in_this_order() {
    if LANES == 1 {
        compiler_fence(Ordering::SeqCst);
    }
}

impl<A: Arithmetic> Block<A> {
    fn set(&mut self, lane: usize, unit: &UnitFactors<A>, v: A) {
        let filter = unit.filter;
        self.filter
            .set(lane, filter.synapse_decay, filter.rise_gain);
        self.membrane.set(lane, unit.bias, A::NO_LEAK);
        self.gain[lane] = unit.gain;
        self.lag[lane] = unit.lag;
        self.v[lane] = v;
    }

    /// Membranes and synapses, one step; true if a potential is at the
    /// threshold.
    #[inline(always)]
    fn advance(&mut self, constants: &Constants<A>, deviates: [i32; LANES]) -> bool {
        // Indices, and not iterators over seven arrays: they vectorize.
        for lane in 0..LANES {
            let h = self.h[lane];
            let rise = h.scaled(self.filter.second(lane));
            let synapse_decay = self.filter.first(lane);
            self.h[lane] = h.plus(h.scaled(constants.rise_decay));
            in_this_order();
            let s = self.s[lane];
            let change = rise.plus(s.scaled(synapse_decay));
            self.s[lane] = s.plus(change);
            in_this_order();
            let v = self.v[lane];
            let current = s.average(change, self.gain[lane], self.lag[lane]);
            let (drive, leak) = (self.membrane.first(lane), self.membrane.second(lane));
            self.v[lane] = v.plus(v.pull(constants.membrane, current, drive, leak));
        }
        // The noise apart, so that fewer numbers are needed at once.
        let mut at_threshold = false;
        for (lane, deviate) in deviates.into_iter().enumerate() {
            let v = self.v[lane].plus(A::noise(deviate, constants.noise_gain));
            self.v[lane] = v;
            at_threshold |= v.reaches(constants.threshold);
        }
        at_threshold
    }
}

impl<A: Arithmetic> ReadoutBlock<A> {
    /// One step; `sums` gets what each lane adds to the output. That is done
    /// here and not in a loop of its own, which the compiler would vectorize
    /// across the blocks.
    #[inline(always)]
    fn advance(&mut self, rise_decay: A::Factor, sums: &mut [A; LANES]) {
        for (lane, sum) in sums.iter_mut().enumerate() {
            let (h, r) = (self.h[lane], self.r[lane]);
            let change = r
                .scaled(self.filter.first(lane))
                .plus(h.scaled(self.filter.second(lane)));
            let r = r.plus_saturating(change);
            self.r[lane] = r;
            self.h[lane] = h.plus(h.scaled(rise_decay));
            *sum = sum.plus(r.weighed(self.weight[lane]));
        }
    }

    /// A spike's `amount` arrives; returns what the output gains at once.
    #[inline(always)]
    fn receive(&mut self, lane: usize, amount: A, filter: Filter) -> A {
        match filter {
            Filter::Double => {
                self.h[lane] = self.h[lane].plus_saturating(amount);
                A::ZERO
            }
            Filter::Single => {
                let (before, weight) = (self.r[lane], self.weight[lane]);
                let after = before.plus_saturating(amount.scaled(self.filter.second(lane)));
                self.r[lane] = after;
                let lost = before.weighed(weight).negated();
                after.weighed(weight).plus(lost)
            }
        }
    }
}

/// The way of a spike from target to target; `add` says what it does there.
/// With one unit a block the rest of the blocks is cut off at each target: on a
/// Cortex-M0+ that takes less than an index into all of them. A target that does
/// not exist ends the way, so that nothing has to be kept for what would follow.
struct Walk<'b, A: Arithmetic, F> {
    rest: &'b mut [Block<A>],
    add: F,
}

impl<A: Arithmetic, F: Fn(&mut Block<A>, usize, A)> Deliver<A> for Walk<'_, A, F> {
    #[inline(always)]
    fn one(&mut self, (target, amount): (Target, A)) -> Option<()> {
        if LANES > 1 {
            let block = self.rest.get_mut(target.unit / LANES)?;
            (self.add)(block, target.unit % LANES, amount);
            return Some(());
        }
        if target.gap >= self.rest.len() {
            return None;
        }
        let rest = core::mem::take(&mut self.rest);
        self.rest = rest.get_mut(target.gap..)?;
        (self.add)(self.rest.first_mut()?, 0, amount);
        in_this_order();
        Some(())
    }

    /// One question for both, whether there is such a unit.
    #[inline(always)]
    fn pair(&mut self, first: (Target, A), second: (Target, A)) -> Option<()> {
        if LANES > 1 {
            self.one(first)?;
            return self.one(second);
        }
        let (to_first, to_second) = (first.0.gap, first.0.gap + second.0.gap);
        if to_second >= self.rest.len() {
            return None;
        }
        let rest = core::mem::take(&mut self.rest);
        (self.add)(rest.get_mut(to_first)?, 0, first.1);
        self.rest = rest.get_mut(to_second..)?;
        (self.add)(self.rest.first_mut()?, 0, second.1);
        Some(())
    }
}

/// Brings a spike of unit `from` to its targets. On a microcontroller it is a
/// function of its own, which has the few registers for itself.
#[cfg_attr(target_pointer_width = "64", inline(always))]
#[cfg_attr(not(target_pointer_width = "64"), inline(never))]
fn walk<A: Arithmetic, N: Network<Number = A>>(
    network: &N,
    from: usize,
    rest: &mut [Block<A>],
    add: impl Fn(&mut Block<A>, usize, A),
) {
    network.each_target(from, Walk { rest, add });
}

/// Into the rise, which feeds the current.
#[inline(always)]
fn add_to_rise<A: Arithmetic>(block: &mut Block<A>, lane: usize, amount: A) {
    block.h[lane] = block.h[lane].plus(amount);
}

/// Into the current at once.
#[inline(always)]
fn add_to_current<A: Arithmetic>(block: &mut Block<A>, lane: usize, amount: A) {
    let gain = block.filter.second(lane);
    block.s[lane] = block.s[lane].plus(amount.scaled(gain));
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

        blocks_memory.fill(Block {
            v: [constants.reset; LANES],
            ..Block::default()
        });
        readout_memory.fill(ReadoutBlock::default());
        let (low, high) = constants.start;
        for unit in 0..units {
            let fraction = (noise.word() >> 16) as u16;
            let v = A::between(low, high, fraction);
            blocks_memory[unit / LANES].set(unit % LANES, &network.unit(unit), v);
            waiting[unit].release = constants.refractory_steps.wrapping_add(1);
        }
        for index in 0..network.readout_filters() {
            let readout = network.readout_filter(index);
            let (block, lane) = (&mut readout_memory[index / LANES], index % LANES);
            let filter = readout.filter;
            block
                .filter
                .set(lane, filter.synapse_decay, filter.rise_gain);
            block.weight[lane] = readout.weight;
        }
        Some(Self {
            blocks: blocks_memory,
            readout: readout_memory,
            waiting,
            head: 0,
            length: 0,
            starting: true,
            fired: 0,
            now: 0,
            output: A::ZERO,
        })
    }

    /// Advances the network by one step. On a microcontroller it is one
    /// function, however many call it; on a desktop it takes on the vectors
    /// that its caller may use.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    pub fn step<N: Network<Number = A>>(&mut self, network: &N, noise: &mut Noise) {
        self.advance(network, noise, |_, _, at_threshold| at_threshold);
    }

    /// Advances the network by one step; `stimulate` gets every unit and its
    /// potential after the noise, and returns the potential that is compared
    /// with the threshold.
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
                .zip(block.v.iter_mut())
                .fold(false, |at_threshold, (unit, v)| {
                    *v = stimulate(unit, *v);
                    at_threshold | v.reaches(threshold)
                })
        });
    }

    /// One step; `after` sees every block after its noise, and says whether a
    /// potential in it is at the threshold.
    #[inline(always)]
    fn advance<N: Network<Number = A>>(
        &mut self,
        network: &N,
        noise: &mut Noise,
        after: impl Fn(usize, &mut Block<A>, bool) -> bool,
    ) {
        let constants = network.constants();
        self.now = self.now.wrapping_add(1);
        self.fired = 0;
        self.release(constants);
        if A::FADES && self.now.is_multiple_of(FADE_STEPS) {
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
        for index in self.length - self.fired..self.length {
            self.deliver(network, constants.filter, self.unit_at(index));
        }
    }

    /// All blocks, one after the other, with vectors.
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

    /// The same with one unit a block. Few units have a spike: the loop that
    /// finds them holds nothing else, and keeps its numbers in a
    /// microcontroller's few registers (18 % fewer cycles on a Cortex-M0+, 15 %
    /// fewer instructions on a Cortex-M4). Vectors do not survive it.
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

    /// Advances the last `left` blocks, up to the first one that has a potential
    /// at the threshold, and returns how many there are from that one on.
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
        (self.length - self.fired..self.length).map(|index| self.unit_at(index))
    }

    /// The output, in units of [`Arithmetic::OUTPUT_ONE`].
    #[inline(always)]
    pub fn output(&self) -> A {
        self.output
    }

    /// Sets the input until the next call. It has a value for every channel;
    /// nothing happens if it has not.
    pub fn set_input<N: Network<Number = A>>(&mut self, network: &N, input: &[A::Input]) {
        if input.len() != network.constants().inputs {
            return;
        }
        network.each_drive(input, |unit, drive| {
            if let Some(block) = self.blocks.get_mut(unit / LANES) {
                let (lane, membrane) = (unit % LANES, &mut block.membrane);
                membrane.set(lane, drive, membrane.second(lane));
            }
        });
    }

    /// Potential of `unit`; the reset potential in the step of a spike.
    pub fn potential(&self, unit: usize) -> A {
        self.blocks[unit / LANES].v[unit % LANES]
    }

    /// Moves the potential of `unit`, before the first step for instance.
    pub fn set_potential(&mut self, unit: usize, v: A) {
        self.blocks[unit / LANES].v[unit % LANES] = v;
    }

    /// Synaptic current of `unit`.
    pub fn current(&self, unit: usize) -> A {
        self.blocks[unit / LANES].s[unit % LANES]
    }

    /// State of the readout filter `index`: with [`crate::network::Tables`],
    /// the filtered rate of a unit.
    pub fn filtered(&self, index: usize) -> A {
        self.readout[index / LANES].r[index % LANES]
    }

    /// Ends the refractory time of `unit` before its time; `leak` is the
    /// network's. It changes nothing for a unit that is not refractory.
    pub fn end_refractory(&mut self, unit: usize, leak: A::Factor) {
        self.forget(unit, self.length);
        self.set_leak(unit, leak);
    }

    /// The unit of the ring's `index`-th entry.
    #[inline(always)]
    fn unit_at(&self, index: usize) -> usize {
        // No entry is missing; no unit has the other index.
        let entry = self.waiting.get(self.wrapped(index));
        entry.map_or(usize::MAX, |entry| entry.unit.into())
    }

    /// Position in the ring of the `index`-th entry, which is below twice the
    /// ring's length.
    #[inline(always)]
    fn wrapped(&self, index: usize) -> usize {
        let position = self.head + index;
        if position >= self.waiting.len() {
            position - self.waiting.len()
        } else {
            position
        }
    }

    #[inline(always)]
    fn set_leak(&mut self, unit: usize, leak: A::Factor) {
        if let Some(block) = self.blocks.get_mut(unit / LANES) {
            let (lane, membrane) = (unit % LANES, &mut block.membrane);
            membrane.set(lane, membrane.first(lane), leak);
        }
    }

    /// True if the refractory time of `unit` ends now.
    #[inline(always)]
    fn is_released(&self, unit: usize) -> bool {
        let entry = self.waiting.get(unit);
        entry.is_some_and(|entry| entry.release == self.now)
    }

    /// Gives their leak back to the units whose refractory time is over.
    #[inline(always)]
    fn release(&mut self, constants: &Constants<A>) {
        if self.starting {
            self.release_start(constants);
        }
        while self.length > 0 {
            let unit = self.unit_at(0);
            if !self.is_released(unit) {
                break;
            }
            self.set_leak(unit, constants.leak);
            self.head = self.wrapped(1);
            self.length -= 1;
        }
    }

    /// The same for the refractory time of the start.
    #[cold]
    #[inline(never)]
    fn release_start(&mut self, constants: &Constants<A>) {
        if self.now != constants.refractory_steps.wrapping_add(1) {
            return;
        }
        self.starting = false;
        for unit in 0..constants.units {
            if self.is_released(unit) {
                self.set_leak(unit, constants.leak);
            }
        }
    }

    /// Ends the synapses and the readout filters that have decayed to nothing.
    #[cold]
    #[inline(never)]
    fn fade(&mut self) {
        let fade = |x: &mut A| *x = x.faded();
        for block in self.blocks.iter_mut() {
            block.h.iter_mut().chain(&mut block.s).for_each(fade);
        }
        for block in self.readout.iter_mut() {
            block.h.iter_mut().chain(&mut block.r).for_each(fade);
        }
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
            if !block.v[lane].reaches(constants.threshold) {
                continue;
            }
            block.v[lane] = constants.reset;
            if unit >= constants.units {
                continue;
            }
            let membrane = &mut block.membrane;
            let refractory = membrane.second(lane) == A::NO_LEAK;
            membrane.set(lane, membrane.first(lane), A::NO_LEAK);
            if refractory {
                // Noise and stimulation can do that, and the start does.
                self.forget(unit, self.length - self.fired);
            }
            self.wait(unit, constants.refractory_steps);
            self.fired += 1;
        }
    }

    /// Puts `unit`, which has just fired, at the end of the ring.
    fn wait(&mut self, unit: usize, refractory_steps: u16) {
        let place = self.wrapped(self.length);
        if let Some(entry) = self.waiting.get_mut(place) {
            entry.unit = unit as u16;
        }
        if let Some(entry) = self.waiting.get_mut(unit) {
            entry.release = self.now.wrapping_add(refractory_steps).wrapping_add(1);
        }
        self.length += 1;
    }

    /// Takes `unit` out of the ring, if it is among the first `count` entries.
    fn forget(&mut self, unit: usize, count: usize) {
        let Some(found) = (0..count).find(|&index| self.unit_at(index) == unit) else {
            return;
        };
        for index in found + 1..self.length {
            let (from, to) = (self.unit_at(index), self.wrapped(index - 1));
            if let Some(entry) = self.waiting.get_mut(to) {
                entry.unit = from as u16;
            }
        }
        self.length -= 1;
    }

    #[inline(always)]
    fn deliver<N: Network<Number = A>>(&mut self, network: &N, filter: Filter, from: usize) {
        // The question is asked once a spike, and not once a synapse.
        match filter {
            Filter::Double => walk(network, from, self.blocks, add_to_rise),
            Filter::Single => walk(network, from, self.blocks, add_to_current),
        }
        network.each_readout(from, |index, amount| {
            if let Some(block) = self.readout.get_mut(index / LANES) {
                let gained = block.receive(index % LANES, amount, filter);
                self.output = self.output.plus(gained);
            }
        });
    }
}
