//! Delivery: a spike adds its weights to the synapses of its targets and to the
//! readout filters.
//!
//! The spikes of a step are delivered after all units have advanced, so that a
//! spike acts from the next step on, whatever the order of the units.

use crate::arithmetic::Arithmetic;
use crate::block::{Block, ReadoutBlock};
use crate::lanes::{LANES, in_this_order};
use crate::network::{Deliver, Network, Target, Targets};
use crate::neuron::Filter;

/// Delivers a spike of unit `from` to those of its targets that lie in `blocks`.
#[inline(always)]
pub(crate) fn to_units<A: Arithmetic, N: Network<Number = A>>(
    network: &N,
    from: usize,
    targets: Targets,
    blocks: &mut [Block<A>],
) {
    // The filter is asked for once a spike, and not once a synapse.
    match network.constants().filter {
        Filter::Double => walk(network, from, targets, blocks, Block::add_to_rise),
        Filter::Single => walk(network, from, targets, blocks, Block::add_to_current),
    }
}

/// Delivers a spike of unit `from` to the readout. `outputs` are those of this step, one a
/// bank, which a readout with single filters changes at once.
#[inline(always)]
pub(crate) fn to_readout<A: Arithmetic, N: Network<Number = A>>(
    network: &N,
    from: usize,
    readout: &mut [ReadoutBlock<A>],
    outputs: &mut [A],
) {
    match network.constants().filter {
        Filter::Double => network.each_readout(from, |_, index, amount| {
            if let Some(block) = readout.get_mut(index / LANES) {
                block.receive_rise(index % LANES, amount);
            }
        }),
        Filter::Single => network.each_readout(from, |bank, index, amount| {
            if let Some(block) = readout.get_mut(index / LANES) {
                let gained = block.receive_current(index % LANES, amount);
                if let Some(output) = outputs.get_mut(bank) {
                    *output = output.plus(gained);
                }
            }
        }),
    }
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

    /// One check for all four targets whether they exist.
    #[inline(always)]
    fn four(&mut self, targets: [(Target, A); 4]) -> Option<()> {
        let [a, b, c, d] = targets;
        if LANES > 1 {
            self.one(a)?;
            self.one(b)?;
            self.one(c)?;
            return self.one(d);
        }
        let to_a = a.0.gap;
        let to_b = to_a + b.0.gap;
        let to_c = to_b + c.0.gap;
        let to_d = to_c + d.0.gap;
        if to_d >= self.rest.len() {
            return None;
        }
        let rest = core::mem::take(&mut self.rest);
        (self.add)(rest.get_mut(to_a)?, 0, a.1);
        (self.add)(rest.get_mut(to_b)?, 0, b.1);
        (self.add)(rest.get_mut(to_c)?, 0, c.1);
        self.rest = rest.get_mut(to_d..)?;
        (self.add)(self.rest.first_mut()?, 0, d.1);
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
    targets: Targets,
    rest: &mut [Block<A>],
    add: impl Fn(&mut Block<A>, usize, A),
) {
    network.some_targets(from, targets, Walk { rest, add });
}

#[cfg(test)]
mod tests {
    use std::vec;
    use std::vec::Vec;

    use super::*;
    use crate::lanes::blocks;
    use crate::testing::Net;

    /// The rises or currents that a spike of unit `from` leaves behind, and the
    /// output.
    fn delivered(net: &Net, from: usize) -> (Vec<f64>, f64) {
        let tables = net.tables();
        let units = net.constants.units;
        let mut state = vec![Block::default(); blocks(units)];
        let mut readout = vec![ReadoutBlock::default(); blocks(units)];
        for unit in 0..units {
            state[unit / LANES].set(unit % LANES, &net.units[unit], 0.0);
            readout[unit / LANES].set(unit % LANES, &tables.readout_filter(unit));
        }
        let mut outputs = [0.0];
        to_units(&tables, from, Targets::All, &mut state);
        to_readout(&tables, from, &mut readout, &mut outputs);
        let constants = &net.constants;
        for block in &mut state {
            block.advance(constants, [0; LANES]);
        }
        let currents = (0..units).map(|unit| state[unit / LANES].current(unit % LANES));
        (currents.collect(), outputs[0])
    }

    #[test]
    fn a_spike_brings_each_target_its_weight_and_the_others_nothing() {
        let targets = [(0, 1.0), (15, 2.0), (16, -3.0), (39, 0.5)];
        for filter in [Filter::Double, Filter::Single] {
            let mut net = Net::unconnected(40)
                .connect(7, &targets)
                .connect(8, &[(1, 9.0)]);
            net.constants.filter = filter;
            let filter_factors = net.units[0].filter;
            let each = match filter {
                Filter::Double => filter_factors.rise_gain,
                Filter::Single => {
                    let at_once = filter_factors.rise_gain;
                    at_once + filter_factors.synapse_decay * at_once
                }
            };
            let (currents, _) = delivered(&net, 7);
            for (unit, current) in currents.into_iter().enumerate() {
                let weight = targets.iter().find(|(target, _)| *target == unit as u32);
                let expected = weight.map_or(0.0, |(_, weight)| weight * each);
                assert!(
                    (current - expected).abs() < 1e-15,
                    "{filter:?}, unit {unit}"
                );
            }
        }
    }

    #[test]
    fn the_output_gains_at_once_with_the_single_filter_only() {
        let mut net = Net::unconnected(2);
        net.readout_weights[1] = 3.0;
        assert_eq!(delivered(&net, 1).1, 0.0);
        net.constants.filter = Filter::Single;
        assert_eq!(delivered(&net, 1).1, 3.0 * net.readout[1].rise_gain);
    }

    #[test]
    fn a_target_that_does_not_exist_ends_the_way() {
        let net = Net::unconnected(2).connect(0, &[(1, 1.0), (900, 1.0), (901, 1.0)]);
        let (currents, _) = delivered(&net, 0);
        assert!(currents[0] == 0.0 && currents[1] > 0.0);
    }
}
