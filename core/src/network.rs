//! The network: everything that stays fixed during a run.
//!
//! A step reads the network through the trait [`Network`]. The same step
//! therefore runs over tables in memory ([`Tables`], with any kind of number)
//! and over the bytes of a [`crate::blob`] in flash.

use core::ops::Range;

use crate::arithmetic::Arithmetic;
use crate::lanes::{LANES, blocks};
use crate::neuron::{Filter, FilterFactors, Membrane, UnitFactors};

/// Most input channels of a deployed network.
pub const MOST_INPUTS: usize = 16;

/// The numbers that all units share.
#[derive(Clone, Copy, Debug)]
pub struct Constants<A: Arithmetic> {
    /// Number of units.
    pub units: usize,
    /// Number of input channels.
    pub inputs: usize,
    /// Number of outputs.
    pub outputs: usize,
    /// The equation of the membrane.
    pub membrane: Membrane,
    /// The synapse's filter.
    pub filter: Filter,
    /// Share of the distance to its current that a membrane covers in a step.
    pub leak: A::Factor,
    /// Relative change of a rise in a step (negative).
    pub rise_decay: A::Factor,
    /// Noise that one step adds to a membrane, in the network's unit of potential per unit of
    /// [`crate::noise::deviate`].
    pub noise_gain: A::Factor,
    /// Potential at which a unit fires.
    pub threshold: A,
    /// Potential after a spike.
    pub reset: A,
    /// Steps after a spike in which only the noise moves the membrane.
    pub refractory_steps: u16,
    /// Lowest and highest potential at the start of a trial; the potentials are
    /// spread uniformly between them.
    pub start: (A, A),
}

/// One filter of the readout.
#[derive(Clone, Copy, Debug)]
pub struct ReadoutFilter<A: Arithmetic> {
    /// The filter's decay and gain.
    pub filter: FilterFactors<A>,
    /// The filter's weight in the output, or in the first output where all outputs share
    /// the filter.
    pub weight: A::Fine,
}

/// The readout filters of a network, as whole blocks.
///
/// A bank belongs to one output, which is the sum of its filters. A single bank
/// can serve several outputs, each with weights of its own: that costs least
/// where each unit has a filter of its own. Where few filters serve all units, a
/// bank for each output costs less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Banks {
    /// Number of banks: one for each output, or one for all of them.
    pub count: usize,
    /// Filters of a bank.
    pub filters: usize,
}

impl Banks {
    /// Index of the first filter of bank `index`, which is the first one of a
    /// block.
    #[inline(always)]
    pub fn start(&self, index: usize) -> usize {
        index * blocks(self.filters) * LANES
    }

    /// The index after the last filter.
    pub fn end(&self) -> usize {
        self.start(self.count)
    }

    /// Number of filters of all banks.
    pub fn filters_in_all(&self) -> usize {
        self.count.saturating_mul(self.filters)
    }

    /// Number of blocks of all banks.
    pub fn blocks(&self) -> usize {
        self.count.saturating_mul(blocks(self.filters))
    }
}

/// The value of one input channel of a network.
pub type Input<N> = <<N as Network>::Number as Arithmetic>::Input;

/// The receiving unit of a synapse, as an index and as the distance from the
/// previous one. A desktop reads the index; a microcontroller reads the
/// distance, which costs it less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// The receiving unit.
    pub unit: usize,
    /// The distance from the previous receiving unit, or from unit 0.
    pub gap: usize,
}

/// The place at which a list of targets is cut in two, so that two processors deliver a spike,
/// each to its own units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cut {
    /// Number of targets before the cut.
    place: u16,
    /// The first target behind the cut, counted from the first unit of the second half.
    first: u16,
}

impl Cut {
    /// All zero, so that a `static` of cuts costs no flash.
    pub const EMPTY: Self = Self { place: 0, first: 0 };

    /// Number of targets before the cut.
    #[inline(always)]
    pub fn place(self) -> usize {
        self.place.into()
    }

    /// The first target behind the cut, counted from the first unit of the second half.
    #[inline(always)]
    pub fn first(self) -> usize {
        self.first.into()
    }
}

/// The targets of a spike that are delivered together.
#[derive(Clone, Copy, Debug)]
pub enum Targets {
    /// All of them.
    All,
    /// The targets before the cut.
    Before(Cut),
    /// The targets behind the cut, counted from the first unit of the second half.
    Behind(Cut),
}

/// Takes the targets of a spike in ascending order, each with the amount that
/// the spike adds there. A method that returns `None` ends the delivery. A
/// closure takes all targets.
pub trait Deliver<A> {
    /// The next target.
    fn one(&mut self, target: (Target, A)) -> Option<()>;

    /// The next four.
    #[inline(always)]
    fn four(&mut self, targets: [(Target, A); 4]) -> Option<()> {
        for target in targets {
            self.one(target)?;
        }
        Some(())
    }
}

impl<A, F: FnMut(Target, A)> Deliver<A> for F {
    #[inline(always)]
    fn one(&mut self, (target, amount): (Target, A)) -> Option<()> {
        self(target, amount);
        Some(())
    }
}

/// A network in memory or in flash. Every index below the counts in
/// [`Constants`] is valid.
pub trait Network: Sync {
    /// The kind of its numbers.
    type Number: Arithmetic;

    /// The numbers that all units share.
    fn constants(&self) -> &Constants<Self::Number>;

    /// The factors of `unit`.
    fn unit(&self, unit: usize) -> UnitFactors<Self::Number>;

    /// Weight from `channel` to `unit`.
    fn input_weight(
        &self,
        unit: usize,
        channel: usize,
    ) -> <Self::Number as Arithmetic>::InputWeight;

    /// Calls `set` with every unit of `units`, in ascending order, and its drive: the bias
    /// and the weighted sum of `input`, which has a value for every channel.
    #[inline]
    fn each_drive(
        &self,
        units: Range<usize>,
        input: &[Input<Self>],
        mut set: impl FnMut(usize, Self::Number),
    ) {
        for unit in units {
            let channels = input.iter().enumerate();
            let products = channels.map(|(k, u)| (self.input_weight(unit, k), *u));
            set(unit, Self::Number::driven(self.unit(unit).bias, products));
        }
    }

    /// False if a table is shorter than [`Constants`] say; such a network is not
    /// started.
    fn is_whole(&self) -> bool {
        true
    }

    /// Gives `to` every target of `unit`, in ascending order, each with the
    /// amount that a spike of `unit` adds there.
    #[inline(always)]
    fn each_target(&self, unit: usize, to: impl Deliver<Self::Number>) {
        self.some_targets(unit, Targets::All, to);
    }

    /// Gives `to` the targets of `unit` on one side of a cut, or all of them, in ascending
    /// order, each with the amount that a spike of `unit` adds there.
    fn some_targets(&self, unit: usize, targets: Targets, to: impl Deliver<Self::Number>);

    /// The place at which the list of the targets of `unit` is cut, if the second half of the
    /// units begins with unit `second`; `None` if it has more targets than sixteen bits count.
    fn cut(&self, unit: usize, second: usize) -> Option<Cut> {
        let (mut place, mut first) = (0usize, None);
        self.each_target(unit, |target: Target, _: Self::Number| {
            match target.unit.checked_sub(second) {
                None => place += 1,
                Some(behind) => first = first.or(Some(behind)),
            }
        });
        Some(Cut {
            place: place.try_into().ok()?,
            first: first.unwrap_or(0).try_into().ok()?,
        })
    }

    /// The banks of readout filters.
    fn banks(&self) -> Banks;

    /// The filter `index` of each bank.
    fn readout_filter(&self, index: usize) -> ReadoutFilter<Self::Number>;

    /// Calls `deliver` with every bank, and with every filter of that bank that
    /// `unit` feeds, counted through all banks, and with the amount that a spike of
    /// `unit` adds there.
    fn each_readout(&self, unit: usize, deliver: impl FnMut(usize, usize, Self::Number));

    /// The weight of each filter in `output`, where all outputs share one bank.
    fn readout_weights(&self, _output: usize) -> &[<Self::Number as Arithmetic>::Fine] {
        &[]
    }

    /// The value of `output` without a spike.
    fn output_offset(&self, output: usize) -> Self::Number;
}

/// A network as borrowed tables. Every unit has a readout filter of its own, to
/// which each of its spikes adds [`Tables::readout_spike`], and which all outputs
/// share.
#[derive(Clone, Copy, Debug)]
pub struct Tables<'a, A: Arithmetic> {
    /// The numbers that all units share.
    pub constants: Constants<A>,
    /// One entry a unit.
    pub units: &'a [UnitFactors<A>],
    /// Units × inputs, row by row.
    pub input_weights: &'a [A::InputWeight],
    /// Units + 1 indices; the targets of unit j are
    /// `targets[starts[j]..starts[j + 1]]`.
    pub starts: &'a [usize],
    /// Receiving unit, in ascending order for each sender, and the amount that a
    /// spike adds there.
    pub targets: &'a [(u32, A)],
    /// One entry a unit.
    pub readout: &'a [FilterFactors<A>],
    /// Outputs × units, row by row.
    pub readout_weights: &'a [A::Fine],
    /// One entry an output.
    pub output_offsets: &'a [A],
    /// The amount that a spike adds to the readout filter of its unit: one.
    pub readout_spike: A,
}

impl<A: Arithmetic> Network for Tables<'_, A> {
    type Number = A;

    fn constants(&self) -> &Constants<A> {
        &self.constants
    }

    fn unit(&self, unit: usize) -> UnitFactors<A> {
        self.units[unit]
    }

    fn input_weight(&self, unit: usize, channel: usize) -> A::InputWeight {
        self.input_weights[unit * self.constants.inputs + channel]
    }

    fn is_whole(&self) -> bool {
        let Constants {
            units,
            inputs,
            outputs,
            ..
        } = self.constants;
        let end = self.starts.get(units);
        self.units.len() >= units
            && self.input_weights.len() >= units.saturating_mul(inputs)
            && self.readout.len() >= units
            && self.readout_weights.len() >= units.saturating_mul(outputs)
            && self.output_offsets.len() >= outputs
            && self.starts.is_sorted()
            && end.is_some_and(|&end| end <= self.targets.len())
    }

    #[inline]
    fn some_targets(&self, unit: usize, targets: Targets, mut to: impl Deliver<A>) {
        let all = &self.targets[self.starts[unit]..self.starts[unit + 1]];
        let (part, begin) = match targets {
            Targets::All => (all, 0),
            Targets::Before(cut) => (all.get(..cut.place()).unwrap_or_default(), 0),
            Targets::Behind(cut) => {
                let behind = all.get(cut.place()..).unwrap_or_default();
                let first = behind.first().map_or(0, |(target, _)| *target as usize);
                (behind, first.wrapping_sub(cut.first()))
            }
        };
        let mut last = 0;
        for &(target, amount) in part {
            let unit = (target as usize).wrapping_sub(begin);
            let gap = unit.wrapping_sub(last);
            let Some(()) = to.one((Target { unit, gap }, amount)) else {
                return;
            };
            last = unit;
        }
    }

    fn banks(&self) -> Banks {
        Banks {
            count: 1,
            filters: self.constants.units,
        }
    }

    fn readout_filter(&self, index: usize) -> ReadoutFilter<A> {
        ReadoutFilter {
            filter: self.readout[index],
            weight: self.readout_weights[index],
        }
    }

    #[inline]
    fn each_readout(&self, unit: usize, mut deliver: impl FnMut(usize, usize, A)) {
        deliver(0, unit, self.readout_spike);
    }

    fn readout_weights(&self, output: usize) -> &[A::Fine] {
        let units = self.constants.units;
        &self.readout_weights[output * units..(output + 1) * units]
    }

    fn output_offset(&self, output: usize) -> A {
        self.output_offsets[output]
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;
    use crate::testing::Net;

    #[test]
    fn each_target_comes_with_its_distance_from_the_one_before() {
        let net = Net::unconnected(10).connect(4, &[(2, 1.0), (3, 2.0), (9, 3.0)]);
        let mut found = Vec::new();
        net.tables().each_target(4, |target: Target, amount| {
            found.push((target.unit, target.gap, amount))
        });
        assert_eq!(found, [(2, 2, 1.0), (3, 1, 2.0), (9, 6, 3.0)]);
    }

    #[test]
    fn the_targets_of_both_halves_are_those_of_the_whole() {
        let targets = [(2, 1.0), (3, 2.0), (7, 0.5), (9, 3.0)];
        let net = Net::unconnected(10).connect(4, &targets);
        let tables = net.tables();
        for second in 0..10 {
            let cut = tables.cut(4, second).expect("few targets");
            let mut found = Vec::new();
            for (targets, begin) in [(Targets::Before(cut), 0), (Targets::Behind(cut), second)] {
                let mut last = 0;
                tables.some_targets(4, targets, |target: Target, amount| {
                    assert_eq!(target.gap, target.unit - last);
                    last = target.unit;
                    found.push(((begin + target.unit) as u32, amount));
                });
            }
            assert_eq!(found, targets, "{second}");
        }
    }

    #[test]
    fn a_drive_is_the_bias_and_the_weighted_input() {
        let mut net = Net::unconnected(2);
        net.units[1].bias = -4.0;
        net.input_weights = [2.0, 3.0].to_vec();
        let mut drives = Vec::new();
        net.tables()
            .each_drive(0..2, &[0.5], |unit, drive| drives.push((unit, drive)));
        assert_eq!(drives, [(0, 1.0), (1, -2.5)]);
    }
}
