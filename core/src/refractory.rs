//! The refractory time: after a spike a membrane waits.
//!
//! A unit that waits has a leak of zero, so that the step needs no question about
//! it. The units that wait stand in a ring, in the order of their release. A step
//! looks at the oldest one only; where no unit waits, the refractory time costs
//! nothing.

/// One entry of the ring of the units that wait.
#[derive(Clone, Copy, Debug, Default)]
pub struct Waiting {
    /// The unit.
    unit: u16,
    /// The step, modulo 2¹⁶, at whose beginning the unit is released.
    release: u16,
}

impl Waiting {
    /// All zero, so that a `static` of entries costs no flash.
    pub const EMPTY: Self = Self {
        unit: 0,
        release: 0,
    };
}

/// The units in their refractory time.
#[derive(Debug)]
pub(crate) struct Refractory<'m> {
    /// The ring. A unit stands in it once at most, so that one entry a unit is
    /// enough.
    waiting: &'m mut [Waiting],
    head: usize,
    length: usize,
    /// True until the refractory time of the start is over. The units that have
    /// not fired since the start are not in the ring: most of them fire in the
    /// first steps, and each would have to be taken out again.
    starting: bool,
    /// Number of the youngest entries, those of the present step.
    fired: usize,
    /// The present step, modulo 2¹⁶.
    now: u16,
}

impl<'m> Refractory<'m> {
    /// The start of a trial, at which every unit begins to wait.
    pub(crate) fn start(waiting: &'m mut [Waiting]) -> Self {
        Self {
            waiting,
            head: 0,
            length: 0,
            starting: true,
            fired: 0,
            now: 0,
        }
    }

    /// Number of the units.
    #[inline(always)]
    pub(crate) fn units(&self) -> usize {
        self.waiting.len()
    }

    /// Begins a step, in which no unit has fired yet.
    #[inline(always)]
    pub(crate) fn begin_step(&mut self) {
        self.now = self.now.wrapping_add(1);
        self.fired = 0;
    }

    /// The present step, modulo 2¹⁶.
    #[inline(always)]
    pub(crate) fn now(&self) -> u16 {
        self.now
    }

    /// True until the refractory time of the start is over.
    #[inline(always)]
    pub(crate) fn is_starting(&self) -> bool {
        self.starting
    }

    /// True in the step in which the refractory time of the start ends: all units
    /// are released except those in the ring, which have fired since.
    pub(crate) fn end_start(&mut self, refractory_steps: u16) -> bool {
        let ends = self.now == refractory_steps.wrapping_add(1);
        if ends {
            self.starting = false;
        }
        ends
    }

    /// The units in the ring, in the order of their release.
    pub(crate) fn all(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.length).map(|index| self.unit_at(index))
    }

    /// Takes the oldest unit out of the ring if its refractory time ends now.
    #[inline(always)]
    pub(crate) fn next_released(&mut self) -> Option<usize> {
        if self.length == 0 {
            return None;
        }
        let oldest = *self.waiting.get(self.head)?;
        if oldest.release != self.now {
            return None;
        }
        self.head = self.wrapped(1);
        self.length -= 1;
        Some(oldest.unit.into())
    }

    /// Puts `unit`, which has just fired, at the end of the ring. A unit that
    /// fires while it waits, which noise and stimulation can bring about, must
    /// be taken out before.
    #[inline(always)]
    pub(crate) fn wait(&mut self, unit: usize, refractory_steps: u16) {
        let place = self.wrapped(self.length);
        let release = self.now.wrapping_add(refractory_steps).wrapping_add(1);
        if let Some(entry) = self.waiting.get_mut(place) {
            let unit = unit as u16;
            *entry = Waiting { unit, release };
        }
        self.length += 1;
        self.fired += 1;
    }

    /// Takes `unit` out of the ring, if it began to wait before this step.
    pub(crate) fn forget_older(&mut self, unit: usize) {
        self.forget(unit, self.length - self.fired);
    }

    /// Takes `unit` out of the ring, if it waits.
    pub(crate) fn forget_any(&mut self, unit: usize) {
        self.forget(unit, self.length);
    }

    /// Takes `unit` out of the ring, if it is among the first `count` entries.
    fn forget(&mut self, unit: usize, count: usize) {
        let Some(found) = (0..count).find(|&index| self.unit_at(index) == unit) else {
            return;
        };
        for index in found + 1..self.length {
            let (from, to) = (self.wrapped(index), self.wrapped(index - 1));
            if let Some(moved) = self.waiting.get(from).copied()
                && let Some(entry) = self.waiting.get_mut(to)
            {
                *entry = moved;
            }
        }
        self.length -= 1;
    }

    /// The units that fired in the present step, in the order in which they did.
    #[inline(always)]
    pub(crate) fn fired(&self) -> impl Iterator<Item = usize> + '_ {
        (self.length - self.fired..self.length).map(|index| self.unit_at(index))
    }

    /// True if no unit has fired in the present step.
    #[inline(always)]
    pub(crate) fn is_silent(&self) -> bool {
        self.fired == 0
    }

    /// The unit of the ring's `index`-th entry.
    #[inline(always)]
    pub(crate) fn unit_at(&self, index: usize) -> usize {
        // No entry is missing, and no unit has the index that stands in for one.
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
}

#[cfg(test)]
mod tests {
    use std::vec;
    use std::vec::Vec;

    use super::*;

    /// Steps on, and takes out all units that are released.
    fn step(refractory: &mut Refractory) -> Vec<usize> {
        refractory.begin_step();
        core::iter::from_fn(|| refractory.next_released()).collect()
    }

    #[test]
    fn a_unit_is_released_after_its_steps_and_in_the_order_of_its_spike() {
        let mut memory = vec![Waiting::default(); 4];
        let mut refractory = Refractory::start(&mut memory);
        step(&mut refractory);
        refractory.wait(2, 3);
        refractory.wait(0, 3);
        assert!(refractory.fired().eq([2, 0]));
        step(&mut refractory);
        assert_eq!(refractory.fired().count(), 0);
        refractory.wait(3, 3);
        assert!(step(&mut refractory).is_empty());
        assert!(step(&mut refractory).is_empty());
        assert_eq!(step(&mut refractory), [2, 0]);
        assert_eq!(step(&mut refractory), [3]);
        assert!(step(&mut refractory).is_empty());
    }

    #[test]
    fn the_ring_and_the_count_of_steps_go_round() {
        let mut memory = vec![Waiting::default(); 3];
        let mut refractory = Refractory::start(&mut memory);
        let mut released = 0;
        for now in 0..200_000 {
            released += step(&mut refractory).len();
            refractory.wait(now % 3, 1);
        }
        // Each unit waits for one step; the last two have not been released.
        assert_eq!(released, 199_998);
    }

    #[test]
    fn a_unit_that_is_taken_out_is_not_released_and_the_others_keep_their_order() {
        for taken in 0..4 {
            let mut memory = vec![Waiting::default(); 4];
            let mut refractory = Refractory::start(&mut memory);
            step(&mut refractory);
            (0..4).for_each(|unit| refractory.wait(unit, 0));
            refractory.forget_older(taken);
            assert_eq!(refractory.fired().count(), 4, "this step's units stay");
            refractory.begin_step();
            refractory.forget_older(taken);
            let left: Vec<usize> = core::iter::from_fn(|| refractory.next_released()).collect();
            let expected: Vec<usize> = (0..4).filter(|&unit| unit != taken).collect();
            assert_eq!(left, expected);
        }
    }

    #[test]
    fn the_start_ends_once() {
        let mut memory = vec![Waiting::default(); 2];
        let mut refractory = Refractory::start(&mut memory);
        let ends: Vec<bool> = (0..3)
            .map(|_| {
                refractory.begin_step();
                refractory.end_start(2)
            })
            .collect();
        assert_eq!(ends, [false, false, true]);
        assert!(!refractory.is_starting());
    }
}
