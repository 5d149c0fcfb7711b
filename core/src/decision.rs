//! The decision: an answer, read from the output as the task defines it.

use serde::{Deserialize, Serialize};

use crate::arithmetic::Arithmetic;

/// The meaning of an output.
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

/// The rule by which a task reads its answer from the output. The published
/// criterion looks at the extremes of the output, the strict criterion at its
/// mean.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision<A: Arithmetic> {
    /// The meaning of the output.
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

/// A summary of the outputs of a trial so far.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<A: Arithmetic> {
    /// Largest output in the window of extremes.
    pub highest: A,
    /// Smallest output in the window of extremes.
    pub lowest: A,
    /// Sum of the outputs in the window of the mean.
    pub sum: A::Sum,
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
        Self {
            highest: A::ZERO,
            lowest: A::ZERO,
            sum: A::EMPTY_SUM,
            seen: false,
            count: 0,
            swings: Swings::default(),
        }
    }
}

impl<A: Arithmetic> Evidence<A> {
    /// Adds the output of `step`.
    #[inline]
    pub fn see(&mut self, decision: &Decision<A>, step: u32, output: A) {
        if decision.extremes.contains(step) {
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
            self.sum = output.added_to(self.sum);
            self.count += 1;
        }
    }

    fn mean_above(&self, limit: A) -> bool {
        self.sum > limit.times(self.count)
    }

    fn mean_below(&self, limit: A) -> bool {
        self.sum < limit.times(self.count)
    }
}

impl<A: Arithmetic> Decision<A> {
    /// True if the trial answers `label` by the published criterion.
    ///
    /// No criterion was published for a rhythm. Here it is correct if the number
    /// of swings is the number that fits into the window, give or take one, and
    /// the period is that of the task, give or take an eighth.
    pub fn correct(&self, label: i16, evidence: &Evidence<A>) -> bool {
        if let Kind::Rhythm { period } = self.kind {
            let fits = evidence.swings.fit(self.extremes.steps(), period);
            return fits == (label != 0);
        }
        match label {
            1 => evidence.highest > self.high,
            0 => evidence.highest < self.low,
            _ => evidence.lowest < self.high.negated(),
        }
    }

    /// True if the trial answers `label` by the strict criterion.
    ///
    /// A rhythm must also have each swing a period after the one before, give or
    /// take a quarter, and a mean below [`Decision::mean_low`] in size.
    pub fn strictly_correct(&self, label: i16, evidence: &Evidence<A>) -> bool {
        if let Kind::Rhythm { .. } = self.kind {
            let regular = evidence.swings.irregular == 0
                && evidence.mean_below(self.mean_low)
                && evidence.mean_above(self.mean_low.negated());
            return self.correct(label, evidence) && (regular || label == 0);
        }
        match label {
            1 => evidence.mean_above(self.mean_high),
            0 => evidence.mean_below(self.mean_low) && evidence.mean_above(self.mean_low.negated()),
            _ => evidence.mean_below(self.mean_high.negated()),
        }
    }

    /// The label that is nearest to the mean of the output. A board that lights a
    /// lamp uses it, since a board has no label to compare with.
    pub fn answer(&self, evidence: &Evidence<A>) -> i16 {
        match self.kind {
            Kind::Detection => {
                // Above the middle between the two limits, doubled.
                let limits = self.mean_high.plus(self.mean_low);
                i16::from(evidence.doubled_sum_above(limits))
            }
            Kind::Sign if evidence.sum > A::EMPTY_SUM => 1,
            Kind::Sign => -1,
            Kind::Rhythm { .. } => i16::from(self.correct(1, evidence)),
        }
    }
}

impl<A: Arithmetic> Evidence<A> {
    fn doubled_sum_above(&self, limit: A) -> bool {
        A::doubled(self.sum) > limit.times(self.count)
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
            evidence.see(rule, step, output);
        }
        evidence
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
            evidence.see(&rule, step, output(f64::from(step) / 100.0));
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
