//! Intervals of shares.

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
    fn the_sign_test_counts_coins() {
        assert!((sign_test(3, 0) - 0.125).abs() < 1e-12);
        assert!((sign_test(2, 1) - 0.5).abs() < 1e-12);
        assert!((sign_test(0, 5) - 1.0).abs() < 1e-12);
        assert_eq!(sign_test(0, 0), 1.0);
        assert!(sign_test(3000, 1000) < 1e-200);
        assert!((sign_test(5000, 5000) - 0.504).abs() < 1e-3);
    }
}
