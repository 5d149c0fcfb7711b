//! The end of a training: the published criterion, and the updates in which a
//! network that met it settles.
//!
//! While a network settles, Adam's rate falls to zero and the rates fluctuate by
//! `settle_fluctuations`. Then the network is tested; if it fails, it trains on.

use serde::{Deserialize, Serialize};

use super::evaluation::{EVALUATE_EVERY, Evaluation};
use super::options::{RateOptions, Schedule};

/// Number of settlings after which the usual fluctuations are enough. Some networks,
/// mostly of xor, never pass the test under strong fluctuations and still spike
/// without a mistake.
pub(super) const MOST_SETTLINGS: usize = 8;

/// The published criterion asks for a mean loss below this.
const LOSS_LIMIT: f64 = 7.0;

/// The published criterion asks for an accuracy above this.
const ACCURACY_LIMIT: f64 = 0.95;

/// Share of the updates after which a network that never met the criterion learns on without
/// fluctuations: some networks, mostly of xor with 50 units, do not learn under them.
const STUCK: f32 = 0.2;

/// Share of the updates of a validated training before its rates fluctuate …
const CALM: f32 = 0.25;

/// … and share after which they fluctuate at full strength.
const GROWN: f32 = 0.75;

/// The progress of a network's settling.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settling {
    /// The update at which the network began to settle; `None` while it learns.
    pub since: Option<usize>,
    /// The number of times that the network began to settle.
    pub times: usize,
}

impl Settling {
    /// Adam's rate at this update. The rate follows its schedule while the network learns
    /// and falls to zero while it settles.
    pub fn learning_rate(&self, options: &RateOptions, update: usize) -> f64 {
        let share = self.since.map_or(1.0, |since| {
            1.0 - (update - since) as f64 / (options.settle + 1) as f64
        });
        let schedule = match options.schedule {
            Schedule::Constant => 1.0,
            Schedule::Cosine => {
                let done = update as f64 / options.updates as f64;
                (1.0 + (std::f64::consts::PI * done).cos()) / 2.0
            }
        };
        options.learning_rate * share * schedule
    }

    /// Strength of the fluctuations in an update. A network does not learn its task under
    /// strong fluctuations, so that they begin when it settles, and grow over the middle of
    /// a validated training.
    pub fn fluctuations(&self, options: &RateOptions, update: usize) -> f32 {
        if options.validated() {
            let done = update as f32 / options.updates as f32;
            let share = (done - CALM) / (GROWN - CALM);
            return options.fluctuations * share.clamp(0.0, 1.0);
        }
        match self.since {
            Some(_) => options.settle_fluctuations,
            None => self.learning_fluctuations(options, update),
        }
    }

    /// Strength of the fluctuations while the network learns.
    fn learning_fluctuations(&self, options: &RateOptions, update: usize) -> f32 {
        // A validated training meets no criterion.
        let is_stuck = !options.validated()
            && self.times == 0
            && update as f32 >= STUCK * options.updates as f32;
        if is_stuck { 0.0 } else { options.fluctuations }
    }

    /// True if the network is evaluated after this update.
    pub fn due(&self, options: &RateOptions, update: usize) -> bool {
        match self.since {
            Some(_) => self.settled(options, update),
            None => update % EVALUATE_EVERY == 1,
        }
    }

    /// Strength of the fluctuations in the evaluation after this update.
    pub fn test_fluctuations(&self, options: &RateOptions, update: usize) -> f32 {
        if self.settled(options, update) && self.times < MOST_SETTLINGS {
            options.settle_fluctuations
        } else {
            self.learning_fluctuations(options, update)
        }
    }

    /// Takes the evaluation after `update`. Returns `None` while the training goes on, else
    /// whether the criterion was met; a validated training has none beyond a finite loss. The training always ends after the `last` update.
    pub fn judge(
        &mut self,
        options: &RateOptions,
        update: usize,
        evaluation: &Evaluation,
        last: bool,
    ) -> Option<bool> {
        if options.validated() {
            return last.then(|| evaluation.loss.is_finite());
        }
        let success = criterion(options, update, evaluation);
        let settled = options.settle == 0 || self.settled(options, update);
        if last || success && settled {
            return Some(success);
        }
        self.since = success.then_some(update);
        self.times += usize::from(success);
        None
    }

    fn settled(&self, options: &RateOptions, update: usize) -> bool {
        self.since
            .is_some_and(|since| update - since >= options.settle)
    }
}

/// True if a network meets the published criterion after this update.
pub(super) fn criterion(options: &RateOptions, update: usize, evaluation: &Evaluation) -> bool {
    evaluation.loss < LOSS_LIMIT
        && evaluation.accuracy > ACCURACY_LIMIT
        && update * options.batch > options.task.definition().least_trials
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rate::activation::ActivationKind;
    use crate::task::Task;

    fn options() -> RateOptions {
        RateOptions {
            settle: 4,
            ..RateOptions::defaults(Task::xor(), 50, ActivationKind::Lif)
        }
    }

    fn evaluation(met: bool) -> Evaluation {
        Evaluation {
            accuracy: if met { 1.0 } else { 0.5 },
            ..Evaluation::default()
        }
    }

    #[test]
    fn a_network_settles_with_a_falling_rate_and_is_tested_under_strong_fluctuations() {
        let options = options();
        let mut settling = Settling::default();
        assert_eq!(settling.learning_rate(&options, 100), options.learning_rate);
        assert!(settling.due(&options, 101) && !settling.due(&options, 102));
        assert_eq!(
            settling.judge(&options, 101, &evaluation(true), false),
            None
        );
        let rates: Vec<f64> = (101..=105)
            .map(|update| settling.learning_rate(&options, update) / options.learning_rate)
            .collect();
        for (rate, wanted) in rates.iter().zip([1.0, 0.8, 0.6, 0.4, 0.2]) {
            assert!((rate - wanted).abs() < 1e-12, "{rates:?}");
        }
        assert_eq!(
            settling.fluctuations(&options, 104),
            options.settle_fluctuations
        );
        assert!(!settling.due(&options, 104) && settling.due(&options, 105));
        assert_eq!(
            settling.test_fluctuations(&options, 105),
            options.settle_fluctuations
        );
        let passed = settling.judge(&options, 105, &evaluation(true), false);
        assert_eq!(passed, Some(true));
    }

    #[test]
    fn a_network_that_fails_its_test_learns_again_and_the_last_update_ends_it() {
        let options = options();
        let mut settling = Settling::default();
        settling.judge(&options, 101, &evaluation(true), false);
        let failed = settling.judge(&options, 105, &evaluation(false), false);
        assert_eq!(failed, None);
        assert_eq!(
            settling,
            Settling {
                since: None,
                times: 1
            }
        );
        assert_eq!(settling.fluctuations(&options, 149), options.fluctuations);
        let ended = settling.judge(&options, 150, &evaluation(false), true);
        assert_eq!(ended, Some(false));
    }

    #[test]
    fn a_network_that_never_met_the_criterion_learns_on_without_fluctuations() {
        let options = options();
        let mut settling = Settling::default();
        let fluctuations = |settling: &Settling, update| {
            let test = settling.test_fluctuations(&options, update);
            assert_eq!(settling.fluctuations(&options, update), test);
            test
        };
        assert_eq!(fluctuations(&settling, 1199), options.fluctuations);
        assert_eq!(fluctuations(&settling, 1200), 0.0);
        settling.times = 1;
        assert_eq!(fluctuations(&settling, 1200), options.fluctuations);
    }
}
