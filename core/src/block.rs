//! A block: units, or readout filters, that one instruction steps together.
//!
//! A block holds the state of [`LANES`] units beside the factors that move it, so
//! that a step reads one piece of memory from its beginning to its end. The
//! equations are those of [`crate::neuron`]:
//!
//! ```text
//! change = synapse_decay·s + rise_gain·h
//! v ← v + leak·(f(v) + drive + average of the current)      leak = 0 if refractory
//! s ← s + change
//! h ← h + rise_decay·h
//! v ← v + noise
//! ```
//!
//! A readout filter has the same h and s, its current called r, and no membrane.

use crate::arithmetic::{Arithmetic, Fixed};
use crate::lanes::{Apart, LANES, Packed, Pairs, in_this_order};
use crate::network::{Constants, ReadoutFilter};
use crate::neuron::{self, UnitFactors};

/// The state of [`LANES`] units, with their factors beside it.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(4))]
pub struct Block<A: Arithmetic> {
    /// Decay of the current, gain of the rise.
    filter: A::FilterPairs,
    /// Drive and leak.
    membrane: A::MembranePairs,
    gain: [A::Fine; LANES],
    lag: [A::Fine; LANES],
    /// Rise of the synapses.
    h: [A; LANES],
    /// Synaptic current.
    s: [A; LANES],
    /// Potential.
    v: [A; LANES],
}

/// The state of [`LANES`] readout filters, with their factors beside it.
#[derive(Clone, Copy, Debug)]
pub struct ReadoutBlock<A: Arithmetic> {
    /// Decay, gain of the rise.
    filter: A::FilterPairs,
    weight: [A::Fine; LANES],
    /// Rise of the filter.
    h: [A; LANES],
    /// Filtered spikes.
    r: [A; LANES],
}

impl<A: Arithmetic> Default for Block<A> {
    fn default() -> Self {
        Self {
            filter: A::FilterPairs::all(A::Factor::default(), A::Factor::default()),
            membrane: A::MembranePairs::all(A::ZERO, A::NO_LEAK),
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
    /// All zero, so that a `static` of blocks costs no flash. The start of a
    /// trial fills it.
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
    /// All zero; see [`Block::<Fixed>::EMPTY`].
    pub const EMPTY: Self = Self {
        filter: Packed::ZERO,
        weight: [(); LANES],
        h: [Fixed::ZERO; LANES],
        r: [Fixed::ZERO; LANES],
    };
}

impl Block<f32> {
    /// All zero; see [`Block::<Fixed>::EMPTY`].
    pub const EMPTY: Self = Self {
        filter: Apart::ZERO,
        membrane: Apart::ZERO,
        gain: [0.0; LANES],
        lag: [0.0; LANES],
        h: [0.0; LANES],
        s: [0.0; LANES],
        v: [0.0; LANES],
    };
}

impl ReadoutBlock<f32> {
    /// All zero; see [`Block::<Fixed>::EMPTY`].
    pub const EMPTY: Self = Self {
        filter: Apart::ZERO,
        weight: [0.0; LANES],
        h: [0.0; LANES],
        r: [0.0; LANES],
    };
}

impl<A: Arithmetic> Block<A> {
    /// A block before the start: no drive, no synapses, potentials at `v`.
    pub(crate) fn at(v: A) -> Self {
        Self {
            v: [v; LANES],
            ..Self::default()
        }
    }

    /// Takes the factors of a unit, which starts at `v` and refractory.
    pub(crate) fn set(&mut self, lane: usize, unit: &UnitFactors<A>, v: A) {
        let filter = unit.filter;
        self.filter
            .set(lane, filter.synapse_decay, filter.rise_gain);
        self.membrane.set(lane, unit.bias, A::NO_LEAK);
        self.gain[lane] = unit.gain;
        self.lag[lane] = unit.lag;
        self.v[lane] = v;
    }

    /// Advances membranes and synapses by one step; true if a potential is at
    /// the threshold.
    #[inline(always)]
    pub(crate) fn advance(&mut self, constants: &Constants<A>, deviates: [i32; LANES]) -> bool {
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
            self.v[lane] = v.plus(constants.membrane.change(v, current, drive, leak));
        }
        // The noise apart, so that fewer numbers are needed at once.
        let mut at_threshold = false;
        for (lane, deviate) in deviates.into_iter().enumerate() {
            let v = self.v[lane].plus(A::noise(deviate, constants.noise_gain));
            self.v[lane] = v;
            at_threshold |= neuron::fires(v, constants.threshold);
        }
        at_threshold
    }

    /// True if the potential is at the threshold.
    #[inline(always)]
    pub(crate) fn fires(&self, lane: usize, threshold: A) -> bool {
        neuron::fires(self.v[lane], threshold)
    }

    /// The potentials.
    #[inline(always)]
    pub(crate) fn potentials(&mut self) -> &mut [A; LANES] {
        &mut self.v
    }

    /// The potential.
    #[inline(always)]
    pub(crate) fn potential(&self, lane: usize) -> A {
        self.v[lane]
    }

    /// Moves the potential.
    #[inline(always)]
    pub(crate) fn set_potential(&mut self, lane: usize, v: A) {
        self.v[lane] = v;
    }

    /// The synaptic current.
    pub(crate) fn current(&self, lane: usize) -> A {
        self.s[lane]
    }

    /// Replaces the constant current.
    #[inline(always)]
    pub(crate) fn set_drive(&mut self, lane: usize, drive: A) {
        let membrane = &mut self.membrane;
        membrane.set(lane, drive, membrane.second(lane));
    }

    /// Replaces the leak: [`Arithmetic::NO_LEAK`] stops the membrane.
    #[inline(always)]
    pub(crate) fn set_leak(&mut self, lane: usize, leak: A::Factor) {
        let membrane = &mut self.membrane;
        membrane.set(lane, membrane.first(lane), leak);
    }

    /// True if the membrane is stopped.
    #[inline(always)]
    pub(crate) fn is_stopped(&self, lane: usize) -> bool {
        self.membrane.second(lane) == A::NO_LEAK
    }

    /// A spike arrives at the double filter: `amount` goes into the rise.
    #[inline(always)]
    pub(crate) fn add_to_rise(&mut self, lane: usize, amount: A) {
        self.h[lane] = self.h[lane].plus(amount);
    }

    /// A spike arrives at the single filter: `amount` goes into the current.
    #[inline(always)]
    pub(crate) fn add_to_current(&mut self, lane: usize, amount: A) {
        let gain = self.filter.second(lane);
        self.s[lane] = self.s[lane].plus(amount.scaled(gain));
    }

    /// Ends the synapses that have decayed to nothing.
    pub(crate) fn fade(&mut self) {
        let fade = |x: &mut A| *x = x.faded();
        self.h.iter_mut().chain(&mut self.s).for_each(fade);
    }
}

impl<A: Arithmetic> ReadoutBlock<A> {
    /// Takes the factors of a readout filter.
    pub(crate) fn set(&mut self, lane: usize, readout: &ReadoutFilter<A>) {
        let filter = readout.filter;
        self.filter
            .set(lane, filter.synapse_decay, filter.rise_gain);
        self.weight[lane] = readout.weight;
    }

    /// Advances the filters by one step and adds the share of each lane in the
    /// output to `sums`. A loop of its own for the sums would be vectorized
    /// across the blocks, which is slower.
    #[inline(always)]
    pub(crate) fn advance(&mut self, rise_decay: A::Factor, sums: &mut [A; LANES]) {
        for (lane, sum) in sums.iter_mut().enumerate() {
            let h = self.h[lane];
            let rise = h.scaled(self.filter.second(lane));
            self.h[lane] = h.plus(h.scaled(rise_decay));
            in_this_order();
            let r = self.r[lane];
            let change = r.scaled(self.filter.first(lane)).plus(rise);
            let r = r.plus_saturating(change);
            self.r[lane] = r;
            *sum = sum.plus(r.weighed(self.weight[lane]));
        }
    }

    /// A spike arrives at the double filter: `amount` goes into the rise.
    #[inline(always)]
    pub(crate) fn receive_rise(&mut self, lane: usize, amount: A) {
        self.h[lane] = self.h[lane].plus_saturating(amount);
    }

    /// A spike arrives at the single filter: `amount` goes into the filtered spikes. Returns
    /// the change of the output in this step.
    #[inline(always)]
    pub(crate) fn receive_current(&mut self, lane: usize, amount: A) -> A {
        let (before, weight) = (self.r[lane], self.weight[lane]);
        let after = before.plus_saturating(amount.scaled(self.filter.second(lane)));
        self.r[lane] = after;
        let lost = before.weighed(weight).negated();
        after.weighed(weight).plus(lost)
    }

    /// Adds the share of each lane in an output that weighs the filters with
    /// `weights` to `sums`.
    #[inline(always)]
    pub(crate) fn weigh(&self, weights: &[A::Fine], sums: &mut [A; LANES]) {
        for ((r, weight), sum) in self.r.iter().zip(weights).zip(sums) {
            *sum = sum.plus(r.weighed(*weight));
        }
    }

    /// The filtered spikes.
    pub(crate) fn filtered(&self, lane: usize) -> A {
        self.r[lane]
    }

    /// Ends the filters that have decayed to nothing.
    pub(crate) fn fade(&mut self) {
        let fade = |x: &mut A| *x = x.faded();
        self.h.iter_mut().chain(&mut self.r).for_each(fade);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Net, THRESHOLD};

    #[test]
    fn a_block_advances_as_its_equations_say() {
        let net = Net::unconnected(1);
        let constants = &net.constants;
        let unit = &net.units[0];
        let mut block = Block::at(0.0);
        block.set(0, unit, 0.25);
        block.set_leak(0, constants.leak);
        block.set_drive(0, -0.5);
        block.add_to_rise(0, 2.0);
        block.add_to_current(0, 3.0);
        let (h, s, v) = (2.0, 3.0 * unit.filter.rise_gain, 0.25);
        assert!(!block.advance(constants, [0; LANES]));
        let change = unit.filter.synapse_decay * s + unit.filter.rise_gain * h;
        let current = unit.gain * s + unit.lag * change;
        let expected = v + constants.leak * (current - 0.5 - v);
        assert!((block.potential(0) - expected).abs() < 1e-15);
        assert!((block.current(0) - (s + change)).abs() < 1e-15);
        block.advance(constants, [0; LANES]);
        let h = h + constants.rise_decay * h;
        let s = s + change;
        let change = unit.filter.synapse_decay * s + unit.filter.rise_gain * h;
        assert!((block.current(0) - (s + change)).abs() < 1e-15);
    }

    #[test]
    fn a_stopped_membrane_stays_and_its_synapses_go_on() {
        let net = Net::unconnected(1);
        let mut block = Block::at(0.0);
        block.set(0, &net.units[0], 0.5);
        assert!(block.is_stopped(0));
        block.add_to_rise(0, 1.0);
        block.advance(&net.constants, [0; LANES]);
        assert_eq!(block.potential(0), 0.5);
        assert!(block.current(0) > 0.0);
    }

    #[test]
    fn a_block_reports_a_potential_at_the_threshold_in_any_lane() {
        let net = Net::unconnected(LANES);
        for lane in 0..LANES {
            let mut block = Block::<f64>::at(0.0);
            assert!(!block.advance(&net.constants, [0; LANES]));
            block.set_potential(lane, THRESHOLD);
            assert!(block.advance(&net.constants, [0; LANES]));
            assert!(block.fires(lane, THRESHOLD));
        }
    }

    #[test]
    fn an_empty_block_is_zero_in_every_byte_that_counts() {
        let (block, readout) = (Block::<Fixed>::EMPTY, ReadoutBlock::<Fixed>::EMPTY);
        assert_eq!(block.potential(0), Fixed::ZERO);
        assert_eq!(block.current(0), Fixed::ZERO);
        assert_eq!(readout.filtered(0), Fixed::ZERO);
        assert!(block.is_stopped(0));
    }
}
