//! Units that one processor steps: all units of a network, or those of a half.

use core::hint::black_box;

use crate::arithmetic::Arithmetic;
use crate::block::Block;
use crate::lanes::{LANES, in_this_order};
use crate::network::{Constants, Network};
use crate::noise::{BLOCK, Deviates, jump};
use crate::prepared::{Expected, InputRow, each_drive};
use crate::refractory::{Refractory, Waiting};

/// True if the loop over the units is written out for eight of them, which takes an
/// eighth off its cycles on a Cortex-M4. A Cortex-M0+, which has no atomic instructions, lacks the
/// registers for it.
const IN_EIGHTS: bool = LANES == 1 && cfg!(target_has_atomic = "32");

/// The state of some units that follow each other. The functions count them from the first
/// one.
#[derive(Debug)]
pub(crate) struct Units<'m, A: Arithmetic> {
    blocks: &'m mut [Block<A>],
    refractory: Refractory<'m>,
    /// The first unit, as the network counts.
    first: usize,
    /// Number of units.
    count: usize,
    /// The rows of these units, if the network has any.
    rows: Option<&'m [InputRow<A>]>,
    /// The drives of an expected input, if there is memory for them.
    drives: Option<&'m mut [A]>,
    /// Number of units whose drive of the expected input is computed.
    ready: usize,
    /// True if the next step takes these drives.
    begins: bool,
    /// Multiplier from the noise of the network's first unit to that of the first one here.
    ahead: u32,
}

/// The memory of some units that follow each other.
pub(crate) struct UnitsMemory<'m, A: Arithmetic> {
    pub(crate) blocks: &'m mut [Block<A>],
    /// One entry a unit.
    pub(crate) waiting: &'m mut [Waiting],
    /// One entry a unit, if there is memory for an expected input.
    pub(crate) drives: Option<&'m mut [A]>,
}

impl<'m, A: Arithmetic> UnitsMemory<'m, A> {
    /// The memory of the first `first` units, and that of the others.
    pub(crate) fn split_at(self, first: usize) -> (Self, Self) {
        let (blocks, second_blocks) = self.blocks.split_at_mut(first / LANES);
        let (waiting, second_waiting) = self.waiting.split_at_mut(first);
        let drives = self.drives.map(|drives| drives.split_at_mut(first));
        let (drives, second_drives) = drives.unzip();
        let before = Self {
            blocks,
            waiting,
            drives,
        };
        let behind = Self {
            blocks: second_blocks,
            waiting: second_waiting,
            drives: second_drives,
        };
        (before, behind)
    }
}

impl<'m, A: Arithmetic> Units<'m, A> {
    /// The start of a trial, at which every unit begins to wait.
    pub(crate) fn start(
        memory: UnitsMemory<'m, A>,
        rows: Option<&'m [InputRow<A>]>,
        first: usize,
    ) -> Self {
        let UnitsMemory {
            blocks,
            waiting,
            drives,
        } = memory;
        Self {
            blocks,
            drives,
            ready: 0,
            begins: false,
            first,
            rows: rows.and_then(|rows| rows.get(first..first + waiting.len())),
            count: waiting.len(),
            refractory: Refractory::start(waiting),
            ahead: jump(first as i32),
        }
    }

    /// Advances the units by one step; `after` gets the index of every block in the network,
    /// and the block after its noise, and says whether a potential in it is at the threshold. `deviates`
    /// are those of the network.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    pub(crate) fn advance(
        &mut self,
        constants: &Constants<A>,
        deviates: &Deviates,
        fades: bool,
        after: &impl Fn(usize, &mut Block<A>, bool) -> bool,
    ) {
        self.refractory.begin_step();
        self.release(constants);
        if A::FADES && fades {
            self.fade();
        }
        let mut deviates = deviates.ahead(self.ahead);
        if core::mem::take(&mut self.begins) {
            self.take_drives();
        }
        if IN_EIGHTS {
            self.advance_in_eights(constants, &mut deviates, after);
        } else if LANES == 1 {
            self.advance_one_by_one(constants, &mut deviates, after);
        } else {
            self.advance_blocks(constants, &mut deviates, after);
        }
    }

    /// Advances all blocks, one after the other, with vector registers.
    #[inline(always)]
    fn advance_blocks(
        &mut self,
        constants: &Constants<A>,
        deviates: &mut Deviates,
        after: &impl Fn(usize, &mut Block<A>, bool) -> bool,
    ) {
        for index in 0..self.blocks.len() {
            let Some(block) = self.blocks.get_mut(index) else {
                return;
            };
            let at_threshold = block.advance(constants, deviates.next_block());
            if after(self.first / LANES + index, block, at_threshold) {
                self.fire(index, constants);
            }
        }
    }

    /// Advances all blocks of one unit each, eight in a turn, with one look at their
    /// thresholds. The compiler does not unroll where it optimizes for size.
    #[inline(always)]
    fn advance_in_eights(
        &mut self,
        constants: &Constants<A>,
        deviates: &mut Deviates,
        after: &impl Fn(usize, &mut Block<A>, bool) -> bool,
    ) {
        let (first, count) = (self.first, self.blocks.len());
        // One pointer for both, so that the loop holds no more of what few units need.
        let mut fires = Fires {
            constants,
            refractory: &mut self.refractory,
        };
        // Hidden from the compiler, which would otherwise compute each word of eight from the
        // first one, with a constant of its own.
        let multiplier = black_box(BLOCK);
        // True if the block, which has `behind` others behind it, is at the threshold.
        let mut advance = |block: &mut Block<A>, behind: usize| {
            let at_threshold = block.advance(constants, deviates.next_block_by(multiplier));
            in_this_order();
            after(first + count - 1 - behind, block, at_threshold)
        };
        let mut rest = &mut *self.blocks;
        // The length is asked for at the end of the loop, which takes an instruction less.
        if rest.len() >= 8 {
            loop {
                let cut = core::mem::take(&mut rest).split_first_chunk_mut();
                let Some((eight, behind)) = cut else {
                    return;
                };
                rest = behind;
                let behind = rest.len();
                let [a, b, c, d, e, f, g, h] = eight;
                let mut at_threshold = advance(a, behind + 7);
                at_threshold |= advance(b, behind + 6);
                at_threshold |= advance(c, behind + 5);
                at_threshold |= advance(d, behind + 4);
                at_threshold |= advance(e, behind + 3);
                at_threshold |= advance(f, behind + 2);
                at_threshold |= advance(g, behind + 1);
                at_threshold |= advance(h, behind);
                if at_threshold {
                    fires.some(eight, behind);
                }
                if rest.len() < 8 {
                    break;
                }
            }
        }
        while let Some((block, behind)) = core::mem::take(&mut rest).split_first_mut() {
            rest = behind;
            if advance(block, rest.len()) {
                fires.one(block, rest.len());
            }
        }
    }

    /// Advances all blocks of one unit each. Few units fire: the loop that finds
    /// them holds nothing else, and keeps its numbers in a microcontroller's few
    /// registers (18 % fewer cycles on a Cortex-M0+). With vector registers this loop would be
    /// slower.
    #[inline(always)]
    fn advance_one_by_one(
        &mut self,
        constants: &Constants<A>,
        deviates: &mut Deviates,
        after: &impl Fn(usize, &mut Block<A>, bool) -> bool,
    ) {
        let mut left = self.blocks.len();
        while let Some(from_it_on) = self.next_spike(left, constants, deviates, after) {
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
            if after(self.first / LANES + count - from_it_on, block, at_threshold) {
                // Hidden from the compiler, which would otherwise carry the numbers
                // that follow from it through every unit (22 % more cycles on a
                // Cortex-M0+).
                return Some(black_box(from_it_on));
            }
            (block, rest) = rest.split_first_mut()?;
        }
    }

    /// The units that fired in the last step, as the network counts, in ascending order.
    #[inline(always)]
    pub(crate) fn fired(&self) -> impl Iterator<Item = usize> + '_ {
        fired(&self.refractory, self.first)
    }

    /// True if no unit fired in the last step.
    #[inline(always)]
    pub(crate) fn is_silent(&self) -> bool {
        self.refractory.is_silent()
    }

    /// The blocks, and the units that fired in the last step, as the network counts.
    #[inline(always)]
    pub(crate) fn blocks_and_fired(&mut self) -> (&mut [Block<A>], Fired<'_, 'm>) {
        let fired = Fired {
            refractory: &self.refractory,
            first: self.first,
        };
        (self.blocks, fired)
    }

    /// Begins to expect another input.
    pub(crate) fn expect(&mut self) {
        if core::mem::take(&mut self.begins) {
            self.take_drives();
        }
        self.ready = 0;
    }

    /// Gives each unit its drive of the expected input.
    #[cold]
    #[inline(never)]
    fn take_drives(&mut self) {
        let drives = self.drives.as_deref().unwrap_or_default();
        if LANES > 1 {
            for (unit, drive) in drives.iter().enumerate() {
                if let Some(block) = self.blocks.get_mut(unit / LANES) {
                    block.set_drive(unit % LANES, *drive);
                }
            }
            return;
        }
        // Written out for four units, since the compiler does not unroll where it optimizes
        // for size.
        let (blocks, last_blocks) = self.blocks.as_chunks_mut();
        let (drives, last_drives) = drives.as_chunks();
        for ([a, b, c, d], [w, x, y, z]) in blocks.iter_mut().zip(drives) {
            a.set_drive(0, *w);
            b.set_drive(0, *x);
            c.set_drive(0, *y);
            d.set_drive(0, *z);
        }
        for (block, drive) in last_blocks.iter_mut().zip(last_drives) {
            block.set_drive(0, *drive);
        }
    }

    /// Computes the drives of the expected input for a part of the units.
    #[inline(always)]
    pub(crate) fn prepare<N: Network<Number = A>>(
        &mut self,
        network: &N,
        expected: Option<&Expected<A>>,
    ) {
        if let Some(expected) = expected
            && self.ready < self.count
        {
            self.prepare_part(network, &expected.input, expected.part);
        }
    }

    #[cold]
    #[inline(never)]
    fn prepare_part<N: Network<Number = A>>(
        &mut self,
        network: &N,
        input: &[A::Input],
        part: usize,
    ) {
        let part = self.ready..self.ready.saturating_add(part).min(self.count);
        self.ready = part.end;
        let drives = self.drives.as_deref_mut();
        let Some(places) = drives.and_then(|drives| drives.get_mut(part.clone())) else {
            return;
        };
        match self.rows.and_then(|rows| rows.get(part.clone())) {
            Some(rows) => each_drive(rows, input, places.iter_mut(), |place, drive| {
                *place = drive
            }),
            None => {
                let mut places = places.iter_mut();
                let units = self.first + part.start..self.first + part.end;
                network.each_drive(units, input, |_, drive| {
                    if let Some(place) = places.next() {
                        *place = drive;
                    }
                });
            }
        }
    }

    /// True if the drives of the expected input are computed for all units.
    pub(crate) fn is_ready(&self) -> bool {
        self.ready >= self.count
    }

    /// Sets the drive of each unit for this input, from the next step on. Drives that were
    /// computed for it while it was expected are taken.
    pub(crate) fn set_input<N: Network<Number = A>>(
        &mut self,
        network: &N,
        input: &[A::Input],
        is_expected: bool,
    ) {
        if self.drives.is_some() {
            if !is_expected {
                self.ready = 0;
            }
            if self.ready < self.count {
                self.prepare_part(network, input, self.count);
            }
            self.begins = true;
            return;
        }
        let units = self.first..self.first + self.count;
        if LANES == 1 {
            // One block after the other, without an index: half the cycles.
            let mut blocks = self.blocks.iter_mut();
            network.each_drive(units, input, |_, drive| {
                if let Some(block) = blocks.next() {
                    block.set_drive(0, drive);
                }
            });
        } else {
            network.each_drive(units, input, |unit, drive| {
                self.set_drive(unit - self.first, drive);
            });
        }
    }

    #[inline(always)]
    fn set_drive(&mut self, unit: usize, drive: A) {
        if let Some(block) = self.blocks.get_mut(unit / LANES) {
            block.set_drive(unit % LANES, drive);
        }
    }

    /// The block of `unit`, if it exists.
    #[inline(always)]
    pub(crate) fn block(&self, unit: usize) -> Option<&Block<A>> {
        self.blocks.get(unit / LANES)
    }

    /// The block of `unit`, if it exists.
    #[inline(always)]
    pub(crate) fn block_mut(&mut self, unit: usize) -> Option<&mut Block<A>> {
        self.blocks.get_mut(unit / LANES)
    }

    /// Ends the refractory time of `unit` early. A unit that is not refractory stays as it is.
    pub(crate) fn end_refractory(&mut self, unit: usize, leak: A::Factor) {
        self.refractory.forget_any(unit);
        self.set_leak(unit, leak);
    }

    /// Number of steps made, modulo 2¹⁶.
    #[inline(always)]
    pub(crate) fn now(&self) -> u16 {
        self.refractory.now()
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
        for unit in 0..self.count {
            self.set_leak(unit, constants.leak);
        }
        // Units that have fired since the start still wait.
        for unit in self.refractory.all() {
            if let Some(block) = self.blocks.get_mut(unit / LANES) {
                block.set_leak(unit % LANES, A::NO_LEAK);
            }
        }
    }

    /// Ends the synapses that have decayed to nothing.
    #[cold]
    #[inline(never)]
    fn fade(&mut self) {
        self.blocks.iter_mut().for_each(Block::fade);
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
            if unit >= self.count {
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

/// What a spike needs beside the block of its unit.
struct Fires<'u, 'm, A: Arithmetic> {
    constants: &'u Constants<A>,
    refractory: &'u mut Refractory<'m>,
}

impl<A: Arithmetic> Fires<'_, '_, A> {
    /// Lets those of these units fire that are at the threshold; they have `behind` others
    /// behind them.
    #[cold]
    #[inline(never)]
    fn some(&mut self, blocks: &mut [Block<A>; 8], behind: usize) {
        let threshold = self.constants.threshold;
        let mut look = |block: &mut Block<A>, behind: usize| {
            if block.fires(0, threshold) {
                self.one(block, behind);
            }
        };
        let [a, b, c, d, e, f, g, h] = blocks;
        look(a, behind + 7);
        look(b, behind + 6);
        look(c, behind + 5);
        look(d, behind + 4);
        look(e, behind + 3);
        look(f, behind + 2);
        look(g, behind + 1);
        look(h, behind);
    }

    /// Resets the unit of a block, which has `behind` others behind it, and makes it wait.
    #[cold]
    #[inline(never)]
    fn one(&mut self, block: &mut Block<A>, behind: usize) {
        let Self {
            constants,
            refractory,
        } = self;
        block.set_potential(0, constants.reset);
        let unit = refractory.units().wrapping_sub(behind + 1);
        let was_refractory = block.is_stopped(0);
        block.set_leak(0, A::NO_LEAK);
        if was_refractory {
            // Noise and stimulation can bring this about, and the start does.
            refractory.forget_older(unit);
        }
        refractory.wait(unit, constants.refractory_steps);
    }
}

/// The units that fired in the last step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fired<'u, 'm> {
    refractory: &'u Refractory<'m>,
    first: usize,
}

impl<'u> Fired<'u, '_> {
    /// The units, as the network counts, in ascending order.
    #[inline(always)]
    pub(crate) fn units(self) -> impl Iterator<Item = usize> + 'u {
        fired(self.refractory, self.first)
    }
}

#[inline(always)]
fn fired<'u>(refractory: &'u Refractory, first: usize) -> impl Iterator<Item = usize> + 'u {
    refractory.fired().map(move |unit| first + unit)
}
