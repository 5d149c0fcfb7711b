//! Delivery: a spike adds its weights to the synapses of its targets and to the
//! readout filters.
//!
//! The spikes of a step are delivered after all units have advanced, so that a
//! spike acts from the next step on, whatever the order of the units.

use crate::arithmetic::Arithmetic;
use crate::block::{Block, ReadoutBlock};
use crate::lanes::{LANES, in_this_order};
use crate::network::{Deliver, Network, Target};
use crate::neuron::Filter;

/// Delivers a spike of unit `from`. `output` is the output of this step, which a
/// readout with single filters changes at once.
#[inline(always)]
pub(crate) fn deliver<A: Arithmetic, N: Network<Number = A>>(
    network: &N,
    from: usize,
    blocks: &mut [Block<A>],
    readout: &mut [ReadoutBlock<A>],
    output: &mut A,
) {
    let filter = network.constants().filter;
    // The filter is asked for once a spike, and not once a synapse.
    match filter {
        Filter::Double => walk(network, from, blocks, Block::add_to_rise),
        Filter::Single => walk(network, from, blocks, Block::add_to_current),
    }
    network.each_readout(from, |index, amount| {
        if let Some(block) = readout.get_mut(index / LANES) {
            let gained = block.receive(index % LANES, amount, filter);
            *output = output.plus(gained);
        }
    });
}

/// The way of a spike from target to target; `add` gives a target its amount.
///
/// With one unit a block, the blocks before each target are cut off: on a
/// Cortex-M0+ that costs less than an index into all blocks. A target that does
/// not exist ends the way.
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

    /// One check for both targets whether they exist.
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

/// Brings a spike of unit `from` to its targets. On a microcontroller this is a
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
