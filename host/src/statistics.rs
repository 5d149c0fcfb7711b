//! Shares of right answers, their intervals, and tests of differences.

use serde::Serialize;

/// A 95 % interval of a probability.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Interval {
    /// Wilson's score interval of `successes` in `trials` (Wilson E. B.,
    /// J. Am. Stat. Assoc. 22:209 (1927)).
    pub fn wilson(successes: usize, trials: usize) -> Self {
        if trials == 0 {
            return Self {
                low: 0.0,
                high: 1.0,
            };
        }
        /// 97.5 % quantile of the normal distribution.
        const Z: f64 = 1.959_963_984_540_054;
        let n = trials as f64;
        let p = successes as f64 / n;
        let middle = p + Z * Z / (2.0 * n);
        let half = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
        let scale = 1.0 + Z * Z / n;
        // Rounding must not move the ends that are exact.
        Self {
            low: if successes == 0 {
                0.0
            } else {
                (middle - half) / scale
            },
            high: if successes == trials {
                1.0
            } else {
                (middle + half) / scale
            },
        }
    }
}

/// Shares of right answers by both criteria. Where outputs follow a target, both are R².
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Accuracy {
    /// Share by the published criterion.
    pub accuracy: f64,
    /// Share by the strict criterion.
    pub strict: f64,
    /// Share of the target's variance that the outputs explain; `None` without a target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r2: Option<f64>,
    /// Root mean square of the outputs' distance from the target; `None` without a target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<f64>,
}

impl Accuracy {
    /// A share of right answers that both criteria agree on.
    pub fn one(share: f64) -> Self {
        Self {
            accuracy: share,
            strict: share,
            ..Self::default()
        }
    }

    /// The numbers as people read them in a sentence.
    pub fn words(&self) -> String {
        match (self.r2, self.error) {
            (Some(r2), Some(error)) => format!("R² {r2:.3}, error {error:.3}"),
            _ => format!("accuracy {:.3}, strict {:.3}", self.accuracy, self.strict),
        }
    }

    /// The heads of the two columns in which [`Accuracy::cells`] stand.
    pub fn heads(&self) -> [&'static str; 2] {
        match self.r2 {
            Some(_) => ["R²", "error"],
            None => ["accuracy", "strict"],
        }
    }

    /// The numbers in two columns.
    pub fn cells(&self) -> [f64; 2] {
        match (self.r2, self.error) {
            (Some(r2), Some(error)) => [r2, error],
            _ => [self.accuracy, self.strict],
        }
    }
}

/// The difference between two forms of a network on the same trials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Paired {
    /// Trials that the second form got right and the first wrong.
    pub gained: usize,
    /// Trials that the first form got right and the second wrong.
    pub lost: usize,
}

impl Paired {
    /// Compares the answers to the same trials, (before, after).
    pub fn of(answers: impl Iterator<Item = (bool, bool)>) -> Self {
        let mut paired = Self::default();
        for (before, after) in answers {
            paired.gained += usize::from(after && !before);
            paired.lost += usize::from(before && !after);
        }
        paired
    }

    /// True if the second form is worse, with an error of 2.5 % where both are
    /// equally good (McNemar Q., Psychometrika 12:153 (1947), in its exact form).
    pub fn is_worse(&self) -> bool {
        sign_test(self.lost, self.gained) < 0.025
    }
}

/// Probability that `losses` or more of `losses + wins` fair coins fall on one
/// side: one-sided sign test.
pub fn sign_test(losses: usize, wins: usize) -> f64 {
    let n = losses + wins;
    // Σ_k (n over k) 2⁻ⁿ for k ≥ losses, each term from the one before, from
    // its logarithm so that nothing leaves the range.
    let mut log_term = -(n as f64) * std::f64::consts::LN_2;
    let mut sum = 0.0;
    for k in 0..=n {
        if k >= losses {
            sum += log_term.exp();
        }
        log_term += ((n - k) as f64 / (k + 1) as f64).ln();
    }
    sum.min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_of_ninety_in_a_hundred_is_wilsons() {
        let interval = Interval::wilson(90, 100);
        assert!((interval.low - 0.8256).abs() < 1e-4 && (interval.high - 0.9448).abs() < 1e-4);
        assert_eq!(Interval::wilson(10, 10).high, 1.0);
        assert_eq!(Interval::wilson(0, 10).low, 0.0);
    }

    #[test]
    fn a_form_is_worse_where_the_pairs_say_so() {
        let paired = |lost, gained| Paired { gained, lost };
        // One trial in a hundred says nothing; six to none does.
        assert!(!paired(1, 0).is_worse() && !paired(5, 0).is_worse());
        assert!(paired(6, 0).is_worse() && !paired(12, 8).is_worse());
        let answers = [(true, false), (false, true), (true, true), (true, false)];
        assert_eq!(Paired::of(answers.into_iter()), paired(2, 1));
    }

    #[test]
    fn the_sign_test_counts_coins() {
        assert!((sign_test(3, 0) - 0.125).abs() < 1e-12);
        assert!((sign_test(2, 1) - 0.5).abs() < 1e-12);
        assert!((sign_test(0, 5) - 1.0).abs() < 1e-12);
        assert_eq!(sign_test(0, 0), 1.0);
        assert!(sign_test(3000, 1000) < 1e-200);
        assert!((sign_test(5000, 5000) - 0.504).abs() < 1e-3);
    }
}
