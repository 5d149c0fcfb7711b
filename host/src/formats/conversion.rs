//! The result of a conversion in a rate model, under the published names.

use super::choice::Choice;
use super::mat::Value;
use super::rate_model::{ModelError, RateModelFile};
use crate::convert::calibrate::Calibration;
use crate::convert::search::Candidate;

impl RateModelFile {
    /// Writes a calibration into the model, in place of the result of a search, with
    /// the trials that chose it.
    ///
    /// # Errors
    /// If the model cannot be written.
    pub fn adopt_calibration(
        &mut self,
        calibration: &Calibration,
        choice: Choice,
    ) -> Result<(), ModelError> {
        for name in ["all_perfs", "scaling_factors"] {
            self.variables.remove(name);
        }
        let lambda = Value::scalar(calibration.median_lambda());
        self.variables.insert("opt_scaling_factor", lambda);
        self.set_refitted_readout(None);
        self.set_calibration(Some(calibration));
        choice.keep_in(self);
        self.write()
    }

    /// Writes the result of a search into the model, in place of a calibration.
    /// `readout` is the one that was fitted at the best λ, if it is to be used:
    /// area of a spike's contribution to the output, s.
    ///
    /// # Errors
    /// If the model cannot be written.
    pub fn adopt_search(
        &mut self,
        candidates: &[Candidate],
        best: &Candidate,
        readout: Option<&[f64]>,
    ) -> Result<(), ModelError> {
        let all = |value: fn(&Candidate) -> f64| candidates.iter().map(value).collect();
        let file = &mut self.variables;
        file.insert("opt_scaling_factor", Value::scalar(best.lambda));
        file.insert("all_perfs", Value::column::<f64>(all(|c| c.accuracy)));
        file.insert("scaling_factors", Value::row::<f64>(all(|c| c.lambda)));
        // A calibration or a readout of another λ must not stay.
        self.set_calibration(None);
        let w_out = |readout: &[f64]| readout.iter().map(|w| (w * best.lambda) as f32).collect();
        self.set_refitted_readout(readout.map(w_out));
        self.write()
    }
}
