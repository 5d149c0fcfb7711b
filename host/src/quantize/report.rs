//! The errors of quantization.

use serde::Serialize;

/// The error of one quantity over all its entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Loss {
    /// Largest size of an error.
    pub largest: f64,
    /// Root mean square.
    pub rms: f64,
}

impl Loss {
    /// The loss that these errors make; zero if there are none.
    pub fn of(errors: impl Iterator<Item = f64>) -> Self {
        let (mut largest, mut sum, mut count) = (0.0f64, 0.0, 0u32);
        for error in errors {
            largest = largest.max(error.abs());
            sum += error * error;
            count += 1;
        }
        Self {
            largest,
            rms: if count > 0 {
                (sum / f64::from(count)).sqrt()
            } else {
                0.0
            },
        }
    }
}

impl Loss {
    /// The same in another unit.
    pub fn times(self, factor: f64) -> Self {
        Self {
            largest: self.largest * factor,
            rms: self.rms * factor,
        }
    }
}

/// The errors of all quantities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Losses {
    /// Recurrent weights, relative to the largest one that arrives at a unit.
    pub weight: Loss,
    /// Decay times of the synapses, relative.
    pub tau_synapse: Loss,
    /// Rise time, relative.
    pub tau_rise: Loss,
    /// Membrane time, relative.
    pub tau_membrane: Loss,
    /// Standard deviation of the noise, relative.
    pub noise: Loss,
    /// Bias, mV.
    pub bias_mv: Loss,
    /// Input weights, mV.
    pub input_weight_mv: Loss,
    /// Readout weights, relative to the largest.
    pub readout_weight: Loss,
    /// Response of the readout's bank of filters, relative to its peak.
    pub readout_filter: Loss,
}

impl Losses {
    /// Name, unit and error of each quantity, in the order of the pipeline.
    pub fn rows(&self) -> [(&'static str, &'static str, Loss); 9] {
        [
            ("weights", "of the unit's largest", self.weight),
            ("synaptic decay times", "relative", self.tau_synapse),
            ("rise time", "relative", self.tau_rise),
            ("membrane time", "relative", self.tau_membrane),
            ("noise", "relative", self.noise),
            ("bias", "mV", self.bias_mv),
            ("input weights", "mV", self.input_weight_mv),
            ("readout weights", "of the largest", self.readout_weight),
            ("readout response", "of its peak", self.readout_filter),
        ]
    }
}
