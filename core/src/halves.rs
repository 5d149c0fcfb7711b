//! A step on two processors: each steps half of the units.
//!
//! The units of a network are cut in two. A processor advances its own units, and then brings
//! all spikes of the step to its own units; the first processor has the readout beside that.
//! [`State::step_on`](crate::step::State::step_on) hands both halves of the work to a
//! [`Join`], which knows the processors. All numbers are those of a step on one processor:
//! the noise of the second half begins where that of the first half ends, and a target gets
//! the amounts of the spikes in the same order.
//!
//! The targets of a spike are coded by the distances between them. A table has the place at
//! which each list is cut, so that no processor has to walk through the other's half. The
//! table is made once for each network: [`cut`].

use crate::lanes::LANES;
use crate::network::{Cut, Network};

/// Processors that do two pieces of work at once.
pub trait Join {
    /// Does both pieces of work, and returns when both are done.
    fn join(&mut self, here: impl FnOnce(), there: impl FnOnce() + Send);
}

/// A single processor, which does one piece of work after the other.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alone;

impl Join for Alone {
    #[inline(always)]
    fn join(&mut self, here: impl FnOnce(), there: impl FnOnce() + Send) {
        here();
        there();
    }
}

/// A network that is cut in two.
#[derive(Clone, Copy, Debug)]
pub struct Halves<'c> {
    second: usize,
    cuts: &'c [Cut],
}

impl<'c> Halves<'c> {
    /// The halves of `network`, from the table that [`cut`] has made for it; `None` if the
    /// table is too short.
    pub fn of<N: Network>(network: &N, cuts: &'c [Cut]) -> Option<Self> {
        Some(Self {
            second: second_half(network),
            cuts: cuts.get(..network.constants().units)?,
        })
    }

    /// The first unit of the second half.
    pub fn second(&self) -> usize {
        self.second
    }

    /// The place at which the list of targets of `unit` is cut.
    #[inline(always)]
    pub(crate) fn cut(&self, unit: usize) -> Cut {
        self.cuts.get(unit).copied().unwrap_or_default()
    }
}

/// Makes the table of the places at which the lists of targets of `network` are cut, an entry
/// a unit; false if the table is too short or a list too long. Until the table is made for
/// another network, it serves [`Halves::of`].
pub fn cut<N: Network>(network: &N, cuts: &mut [Cut]) -> bool {
    let second = second_half(network);
    let Some(cuts) = cuts.get_mut(..network.constants().units) else {
        return false;
    };
    cuts.iter_mut().enumerate().all(|(unit, place)| {
        let found = network.cut(unit, second);
        *place = found.unwrap_or_default();
        found.is_some()
    })
}

/// The first unit of the second half. The first processor has the readout, of which a filter
/// takes about the time of a unit.
pub fn second_half<N: Network>(network: &N) -> usize {
    let units = network.constants().units;
    let filters = network.banks().filters_in_all();
    units.saturating_sub(filters) / 2 / LANES * LANES
}
