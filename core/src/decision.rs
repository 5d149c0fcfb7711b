//! The decision: an answer, read from the outputs as the task defines it.

use serde::{Deserialize, Serialize};

use crate::arithmetic::Arithmetic;

/// Most outputs of a network.
pub const MOST_OUTPUTS: usize = 64;

/// The meaning of the outputs. The first three kinds look at the first output
/// alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// The output is high or not: labels 1 (go) and 0 (no-go).
    Detection,
    /// The output is positive or negative: labels 1 and −1.
    Sign,
    /// The output goes up and down: label 1. A swing is counted when the output
    /// rises above [`Decision::high`] after it was below `−high`, so that noise
    /// around zero is not counted.
    Rhythm {
        /// Length of a whole swing, in steps.
        period: u32,
    },
    /// Each output stands for a class: label k is output k, counted from 0. The
    /// answer is the output with the largest mean.
    Class,
    /// The same, in a task whose every sample has a label of its own. The answer
    /// for the trial is read as for [`Kind::Class`].
    Label,
    /// The outputs follow a target. There is no answer, and no answer is right.
    Track,
}

/// A range of steps of a trial, counted from 1; both ends belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// First step.
    pub first: u32,
    /// Last step.
    pub last: u32,
}

impl Window {
    fn contains(&self, step: u32) -> bool {
        self.first <= step && step <= self.last
    }

    fn steps(&self) -> u32 {
        self.last.saturating_sub(self.first).saturating_add(1)
    }
}

/// The rule by which a task reads its answer from the outputs. The published
/// criterion looks at the extremes of the output, the strict criterion at its
/// mean. Classes have one criterion, which looks at the mean.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision<A: Arithmetic> {
    /// The meaning of the outputs.
    pub kind: Kind,
    /// The steps in which the published criterion looks for extremes.
    pub extremes: Window,
    /// An extreme above this limit counts as an answer.
    pub high: A,
    /// In a no-go trial all outputs must stay below this limit.
    pub low: A,
    /// The steps whose mean the strict criterion takes.
    pub mean: Window,
    /// A mean above this limit counts as an answer.
    pub mean_high: A,
    /// In a no-go trial the size of the mean must stay below this limit.
    pub mean_low: A,
}

/// A summary of the outputs of a trial so far. The memory of its sums has room for
/// any network, or is the caller's and has an entry for each output of one network.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<A: Arithmetic, Sums = [<A as Arithmetic>::Sum; MOST_OUTPUTS]> {
    /// Largest value of the first output in the window of extremes.
    pub highest: A,
    /// Smallest value of the first output in the window of extremes.
    pub lowest: A,
    /// Sum of each output in the window of the mean.
    sums: Sums,
    /// Number of outputs that were summed.
    outputs: usize,
    seen: bool,
    count: u32,
    swings: Swings,
}

/// The swings of a rhythm, in the window of extremes.
#[derive(Clone, Copy, Debug, Default)]
struct Swings {
    /// True if the output was below `−high` since the last swing.
    below: bool,
    /// Number of swings.
    count: u32,
    /// Step of the first swing.
    first: u32,
    /// Step of the last swing.
    last: u32,
    /// Number of swings that came too early or too late after the one before.
    irregular: u32,
}

impl Swings {
    /// Adds the output of `step`, which is above the limit, below its negative, or
    /// neither.
    fn see(&mut self, step: u32, above: bool, below: bool, period: u32) {
        if below {
            self.below = true;
        } else if above && self.below {
            let since = step.wrapping_sub(self.last);
            let late = since.abs_diff(period) > period / 4;
            if self.count == 0 {
                self.first = step;
            } else {
                self.irregular += u32::from(late);
            }
            self.count += 1;
            self.last = step;
            self.below = false;
        }
    }

    /// True if the number of swings is the number that fits into `steps`, give or
    /// take one, and their mean distance is the period, give or take an eighth.
    fn fit(&self, steps: u32, period: u32) -> bool {
        // A window need not be a whole number of periods.
        let most = period.saturating_add(period / 4);
        let missing = self.count.saturating_mul(period).abs_diff(steps);
        let wanted = self.count.saturating_sub(1).saturating_mul(period);
        let drift = self.last.saturating_sub(self.first).abs_diff(wanted);
        missing <= most && drift <= wanted / 8
    }
}

impl<A: Arithmetic> Default for Evidence<A> {
    fn default() -> Self {
        Self::with([A::EMPTY_SUM; MOST_OUTPUTS])
    }
}

impl<A: Arithmetic, Sums: AsRef<[A::Sum]> + AsMut<[A::Sum]>> Evidence<A, Sums> {
    /// No evidence yet. The memory of `sums` has an entry for each output; what it
    /// holds is forgotten.
    pub fn with(sums: Sums) -> Self {
        let mut evidence = Self {
            highest: A::ZERO,
            lowest: A::ZERO,
            sums,
            outputs: 0,
            seen: false,
            count: 0,
            swings: Swings::default(),
        };
        evidence.forget();
        evidence
    }

    /// Forgets what was seen, at the start of another trial.
    pub fn forget(&mut self) {
        (self.highest, self.lowest) = (A::ZERO, A::ZERO);
        self.sums.as_mut().fill(A::EMPTY_SUM);
        (self.outputs, self.seen, self.count) = (0, false, 0);
        self.swings = Swings::default();
    }

    /// Adds the outputs of `step`. Those without an entry in the sums are left out.
    #[inline]
    pub fn see(&mut self, decision: &Decision<A>, step: u32, outputs: &[A]) {
        if let (Some(&output), true) = (outputs.first(), decision.extremes.contains(step)) {
            if !self.seen || output > self.highest {
                self.highest = output;
            }
            if !self.seen || output < self.lowest {
                self.lowest = output;
            }
            self.seen = true;
            if let Kind::Rhythm { period } = decision.kind {
                let (above, below) = (output > decision.high, output < decision.high.negated());
                self.swings.see(step, above, below, period);
            }
        }
        if decision.mean.contains(step) {
            let sums = self.sums.as_mut();
            self.outputs = outputs.len().min(sums.len());
            for (sum, output) in sums.iter_mut().zip(outputs) {
                *sum = output.added_to(*sum);
            }
            self.count += 1;
        }
    }

    /// Sum of each output in the window of the mean; empty before that window.
    pub fn sums(&self) -> &[A::Sum] {
        self.sums.as_ref().get(..self.outputs).unwrap_or(&[])
    }

    /// The sum of the first output.
    fn sum(&self) -> A::Sum {
        self.sums().first().copied().unwrap_or(A::EMPTY_SUM)
    }

    fn mean_above(&self, limit: A) -> bool {
        self.sum() > limit.times(self.count)
    }

    fn mean_below(&self, limit: A) -> bool {
        self.sum() < limit.times(self.count)
    }

    /// The output with the largest sum, the first one of equal ones.
    fn largest(&self) -> i16 {
        let mut largest = (0, self.sum());
        for (index, &sum) in self.sums().iter().enumerate() {
            if sum > largest.1 {
                largest = (index as i16, sum);
            }
        }
        largest.0
    }

    fn doubled_sum_above(&self, limit: A) -> bool {
        A::doubled(self.sum()) > limit.times(self.count)
    }
}

impl<A: Arithmetic> Decision<A> {
    /// True if the trial answers `label` by the published criterion.
    ///
    /// No criterion was published for a rhythm. Here it is correct if the number
    /// of swings is the number that fits into the window, give or take one, and
    /// the period is that of the task, give or take an eighth.
    pub fn correct<S>(&self, label: i16, evidence: &Evidence<A, S>) -> bool
    where
        S: AsRef<[A::Sum]> + AsMut<[A::Sum]>,
    {
        match self.kind {
            Kind::Detection | Kind::Sign => match label {
                1 => evidence.highest > self.high,
                0 => evidence.highest < self.low,
                _ => evidence.lowest < self.high.negated(),
            },
            Kind::Rhythm { period } => {
                let fits = evidence.swings.fit(self.extremes.steps(), period);
                fits == (label != 0)
            }
            Kind::Class | Kind::Label => evidence.largest() == label,
            Kind::Track => false,
        }
    }

    /// True if the trial answers `label` by the strict criterion.
    ///
    /// A rhythm must also have each swing a period after the one before, give or
    /// take a quarter, and a mean below [`Decision::mean_low`] in size.
    pub fn strictly_correct<S>(&self, label: i16, evidence: &Evidence<A, S>) -> bool
    where
        S: AsRef<[A::Sum]> + AsMut<[A::Sum]>,
    {
        let near_zero =
            evidence.mean_below(self.mean_low) && evidence.mean_above(self.mean_low.negated());
        match self.kind {
            Kind::Detection | Kind::Sign => match label {
                1 => evidence.mean_above(self.mean_high),
                0 => near_zero,
                _ => evidence.mean_below(self.mean_high.negated()),
            },
            Kind::Rhythm { .. } => {
                let regular = evidence.swings.irregular == 0 && near_zero;
                self.correct(label, evidence) && (regular || label == 0)
            }
            Kind::Class | Kind::Label | Kind::Track => self.correct(label, evidence),
        }
    }

    /// The label that is nearest to the mean of the outputs; 0 if the task has no
    /// answers. A board uses it where it has no label to compare with.
    pub fn answer<S>(&self, evidence: &Evidence<A, S>) -> i16
    where
        S: AsRef<[A::Sum]> + AsMut<[A::Sum]>,
    {
        match self.kind {
            Kind::Detection => {
                // Above the middle between the two limits, doubled.
                let limits = self.mean_high.plus(self.mean_low);
                i16::from(evidence.doubled_sum_above(limits))
            }
            Kind::Sign if evidence.sum() > A::EMPTY_SUM => 1,
            Kind::Sign => -1,
            Kind::Rhythm { .. } => i16::from(self.correct(1, evidence)),
            Kind::Class | Kind::Label => evidence.largest(),
            Kind::Track => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(kind: Kind) -> Decision<f64> {
        Decision {
            kind,
            extremes: Window { first: 3, last: 6 },
            high: 0.7,
            low: 0.3,
            mean: Window { first: 5, last: 6 },
            mean_high: 0.7,
            mean_low: 0.3,
        }
    }

    fn seen(rule: &Decision<f64>, outputs: [f64; 6]) -> Evidence<f64> {
        let mut evidence = Evidence::default();
        for (step, output) in (1..).zip(outputs) {
            evidence.see(rule, step, &[output]);
        }
        evidence
    }

    #[test]
    fn the_class_is_the_output_with_the_largest_mean_and_the_first_of_equal_ones() {
        for kind in [Kind::Class, Kind::Label] {
            let rule = rule(kind);
            for (fifth, sixth, wanted) in [
                ([0.0, 1.0, 0.5], [0.0, 0.0, 0.75], 2),
                ([-0.5, -1.0, -0.5], [-0.5, 0.0, -0.5], 0),
                ([-9.0, 1.0, 1.0], [0.0, 0.0, 0.0], 1),
            ] {
                let mut evidence = Evidence::default();
                assert!(evidence.sums().is_empty());
                // Before the window of the mean, nothing counts.
                evidence.see(&rule, 4, &[9.0, 8.0, 7.0]);
                evidence.see(&rule, 5, &fifth);
                evidence.see(&rule, 6, &sixth);
                assert_eq!(evidence.sums().len(), 3);
                assert_eq!(rule.answer(&evidence), wanted);
                for label in 0..3 {
                    assert_eq!(rule.correct(label, &evidence), label == wanted);
                    assert_eq!(rule.strictly_correct(label, &evidence), label == wanted);
                }
            }
        }
    }

    #[test]
    fn evidence_in_the_callers_memory_begins_empty_and_forgets() {
        let rule = rule(Kind::Class);
        let mut memory = [7.0; 2];
        let mut evidence = Evidence::with(&mut memory[..]);
        for largest in [1, 0] {
            let mut outputs = [0.5; 3];
            outputs[largest] = 1.0;
            // There is no entry for the third one.
            outputs[2] = 9.0;
            evidence.see(&rule, 5, &outputs);
            assert_eq!(evidence.sums().len(), 2);
            assert_eq!(rule.answer(&evidence), largest as i16);
            evidence.forget();
            assert!(evidence.sums().is_empty());
        }
    }

    #[test]
    fn outputs_beyond_the_most_are_left_out() {
        let rule = rule(Kind::Class);
        let mut outputs = [0.0; MOST_OUTPUTS + 1];
        outputs[MOST_OUTPUTS - 1] = 1.0;
        outputs[MOST_OUTPUTS] = 2.0;
        let mut evidence = Evidence::default();
        evidence.see(&rule, 5, &outputs);
        assert_eq!(rule.answer(&evidence), MOST_OUTPUTS as i16 - 1);
    }

    #[test]
    fn a_task_that_follows_a_target_has_no_right_answer() {
        let rule = rule(Kind::Track);
        let evidence = seen(&rule, [1.0; 6]);
        assert_eq!(rule.answer(&evidence), 0);
        for label in [-1, 0, 1] {
            assert!(!rule.correct(label, &evidence) && !rule.strictly_correct(label, &evidence));
        }
    }

    #[test]
    fn one_high_sample_passes_the_published_criterion_and_not_the_strict_one() {
        let rule = rule(Kind::Detection);
        let evidence = seen(&rule, [0.0, 9.0, 0.8, 0.0, 0.1, 0.1]);
        assert!(rule.correct(1, &evidence));
        assert!(!rule.strictly_correct(1, &evidence));
        assert!(!rule.correct(0, &evidence));
        assert!(rule.strictly_correct(0, &evidence));
        assert_eq!(rule.answer(&evidence), 0);
    }

    #[test]
    fn a_negative_output_answers_minus_one() {
        let rule = rule(Kind::Sign);
        let evidence = seen(&rule, [0.0, 9.0, -0.8, -0.9, -0.8, -0.8]);
        assert!(rule.correct(-1, &evidence) && rule.strictly_correct(-1, &evidence));
        assert!(!rule.correct(1, &evidence) && !rule.strictly_correct(1, &evidence));
        assert_eq!(rule.answer(&evidence), -1);
    }

    /// What a rhythm of four swings of 100 steps makes of `output`: answer by
    /// the first and by the strict criterion.
    fn rhythm(output: impl Fn(f64) -> f64) -> (bool, bool) {
        let window = Window {
            first: 101,
            last: 500,
        };
        let rule = Decision {
            extremes: window,
            mean: window,
            high: 0.5,
            ..rule(Kind::Rhythm { period: 100 })
        };
        let mut evidence = Evidence::default();
        for step in 1..=500u32 {
            evidence.see(&rule, step, &[output(f64::from(step) / 100.0)]);
        }
        let correct = rule.correct(1, &evidence);
        assert_eq!(rule.answer(&evidence), i16::from(correct));
        assert_eq!(rule.correct(0, &evidence), !correct);
        (correct, rule.strictly_correct(1, &evidence))
    }

    fn wave(turns: f64) -> f64 {
        libm::sin(core::f64::consts::TAU * turns)
    }

    #[test]
    fn a_rhythm_may_have_any_phase_and_must_have_its_period() {
        for phase in [0.0, 0.2, 0.5, 0.9] {
            assert_eq!(rhythm(|t| wave(t + phase)), (true, true), "{phase}");
        }
        for rate in [0.0, 0.5, 0.8, 1.2, 2.0] {
            assert_eq!(rhythm(|t| wave(rate * t)), (false, false), "{rate}");
        }
        for rate in [0.9, 1.1] {
            assert_eq!(rhythm(|t| wave(rate * t)), (true, true), "{rate}");
        }
        // Slow and fast in turns: right on the average only.
        let uneven = |t: f64| wave(t + 0.3 * wave(0.5 * t));
        assert_eq!(rhythm(uneven), (true, false));
    }

    #[test]
    fn a_rhythm_that_is_small_or_not_around_zero_or_noise_is_none() {
        assert_eq!(rhythm(|t| 0.4 * wave(t)), (false, false));
        assert_eq!(rhythm(|t| 0.8 + wave(t)), (false, false));
        assert_eq!(rhythm(|t| 0.35 + wave(t)), (true, false));
        // Noise on the way up counts nothing.
        let noisy = |t: f64| wave(t) + 0.3 * wave(37.0 * t);
        assert_eq!(rhythm(noisy), (true, true));
    }
}
