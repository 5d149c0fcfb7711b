//! The trials that chose a model's calibration, in variables of the model.

use super::mat::Value;
use super::rate_model::RateModelFile;

/// Variable with the number of trials.
const TRIALS: &str = "unit_calibration_trials";

/// Variable with the seed, as text: a number of 64 bits does not fit in a double.
const SEED: &str = "unit_calibration_seed";

/// The trials by which a calibration was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Number of trials.
    pub trials: usize,
    /// Seed of the trials.
    pub seed: u64,
}

impl Choice {
    /// Writes the trials into the variables of `model`.
    pub fn keep_in(self, model: &mut RateModelFile) {
        let trials = Value::scalar(self.trials as f64);
        model.variables.insert(TRIALS, trials);
        let seed = Value::text(&self.seed.to_string());
        model.variables.insert(SEED, seed);
    }

    /// Reads the trials from `model`; `None` where it does not say them.
    pub fn of(model: &RateModelFile) -> Option<Self> {
        let trials = model.variables.scalar(TRIALS).ok()?;
        let seed = model.variables.text(SEED).ok()?;
        Some(Self {
            trials: trials as usize,
            seed: seed.parse().ok()?,
        })
    }
}
