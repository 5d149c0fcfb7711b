//! Output → answer, as the task defines it.

use serde::{Deserialize, Serialize};

use crate::arithmetic::Arithmetic;

/// What an output can mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// High or not: labels 1 (go) and 0 (no-go).
    Detection,
    /// Positive or negative: labels 1 and −1.
    Sign,
}

/// Steps of a trial, the first and the last one included, counted from 1.
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
}

/// How a task reads its answer off the output. The published criterion looks
/// at the output's extremes, the strict one at its mean.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision<A: Arithmetic> {
    /// What the output can mean.
    pub kind: Kind,
    /// Where the published criterion looks.
    pub extremes: Window,
    /// An extreme counts as an answer above this.
    pub high: A,
    /// No-go: no extreme may reach this.
    pub low: A,
    /// Where the strict criterion looks.
    pub mean: Window,
    /// A mean counts as an answer above this.
    pub mean_high: A,
    /// No-go: the mean's size may not reach this.
    pub mean_low: A,
}

/// What a trial's output has shown so far.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<A: Arithmetic> {
    /// Largest output in the window of extremes.
    pub highest: A,
    /// Smallest output there.
    pub lowest: A,
    /// Sum of the outputs in the window of the mean.
    pub sum: A::Sum,
    seen: bool,
    count: u32,
}

impl<A: Arithmetic> Default for Evidence<A> {
    fn default() -> Self {
        Self {
            highest: A::ZERO,
            lowest: A::ZERO,
            sum: A::EMPTY_SUM,
            seen: false,
            count: 0,
        }
    }
}

impl<A: Arithmetic> Evidence<A> {
    /// Takes the output of `step` into account.
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
    pub fn correct(&self, label: i8, evidence: &Evidence<A>) -> bool {
        match label {
            1 => evidence.highest > self.high,
            0 => evidence.highest < self.low,
            _ => evidence.lowest < self.high.negated(),
        }
    }

    /// True if the trial answers `label` by the strict criterion.
    pub fn strictly_correct(&self, label: i8, evidence: &Evidence<A>) -> bool {
        match label {
            1 => evidence.mean_above(self.mean_high),
            0 => evidence.mean_below(self.mean_low) && evidence.mean_above(self.mean_low.negated()),
            _ => evidence.mean_below(self.mean_high.negated()),
        }
    }

    /// The label that the output's mean is nearest to, for whoever has no
    /// label to compare with: a board that has to light a lamp.
    pub fn answer(&self, evidence: &Evidence<A>) -> i8 {
        match self.kind {
            Kind::Detection => {
                // Above the middle between the two limits, doubled.
                let limits = self.mean_high.plus(self.mean_low);
                i8::from(evidence.doubled_sum_above(limits))
            }
            Kind::Sign if evidence.sum > A::EMPTY_SUM => 1,
            Kind::Sign => -1,
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
}
