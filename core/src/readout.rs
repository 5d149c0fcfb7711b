//! The readout: the filters of the spikes, and the outputs that they add up to.

use crate::arithmetic::Arithmetic;
use crate::block::ReadoutBlock;
use crate::delivery;
use crate::lanes::{LANES, SUM_LANES, blocks};
use crate::network::{Banks, Network};

/// The state of the readout.
#[derive(Debug)]
pub(crate) struct Readout<'m, A: Arithmetic> {
    blocks: &'m mut [ReadoutBlock<A>],
    outputs: &'m mut [A],
    /// Blocks of a bank of filters.
    bank_blocks: usize,
}

impl<'m, A: Arithmetic> Readout<'m, A> {
    /// The start of a trial.
    pub(crate) fn start<N: Network<Number = A>>(
        network: &N,
        readout: &'m mut [ReadoutBlock<A>],
        outputs: &'m mut [A],
    ) -> Self {
        let banks: Banks = network.banks();
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
        Self {
            blocks: readout,
            outputs,
            bank_blocks: blocks(banks.filters),
        }
    }

    /// The outputs.
    #[inline(always)]
    pub(crate) fn outputs(&self) -> &[A] {
        self.outputs
    }

    /// The block of filter `index`, if it exists.
    pub(crate) fn block(&self, index: usize) -> Option<&ReadoutBlock<A>> {
        self.blocks.get(index / LANES)
    }

    /// Delivers a spike of unit `from`.
    #[inline(always)]
    pub(crate) fn receive<N: Network<Number = A>>(&mut self, network: &N, from: usize) {
        delivery::to_readout(network, from, self.blocks, self.outputs);
    }

    /// Advances the filters, and sets the output of each bank.
    #[inline(always)]
    pub(crate) fn advance<N: Network<Number = A>>(&mut self, network: &N, fades: bool) {
        if A::FADES && fades {
            self.fade();
        }
        let rise_decay = network.constants().rise_decay;
        // Most networks have one output, and need no cut into banks.
        if let [output] = &mut *self.outputs {
            *output = advance_bank(self.blocks, rise_decay, network.output_offset(0));
            return;
        }
        let mut rest = &mut *self.blocks;
        for (bank, output) in self.outputs.iter_mut().enumerate() {
            let taken = core::mem::take(&mut rest).split_at_mut_checked(self.bank_blocks);
            let Some((blocks, behind)) = taken else {
                break;
            };
            *output = advance_bank(blocks, rise_decay, network.output_offset(bank));
            rest = behind;
        }
    }

    /// Sets the outputs behind those of the banks, which weigh the filters of the bank that
    /// all outputs share.
    #[inline(always)]
    pub(crate) fn weigh<N: Network<Number = A>>(&mut self, network: &N) {
        for (output, place) in self
            .outputs
            .iter_mut()
            .enumerate()
            .skip(network.banks().count)
        {
            let weights = network.readout_weights(output).chunks(LANES);
            let blocks = self.blocks.iter().zip(weights);
            let offset = network.output_offset(output);
            *place = sum(offset, blocks, |(block, weights), sums| {
                block.weigh(weights, sums);
            });
        }
    }

    /// Ends the filters that have decayed to nothing.
    #[cold]
    #[inline(never)]
    fn fade(&mut self) {
        self.blocks.iter_mut().for_each(ReadoutBlock::fade);
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
