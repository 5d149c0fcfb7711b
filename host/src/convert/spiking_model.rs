//! The spiking network of a rate model's file, with the λ, the calibration and the
//! readout that its conversion found.

use std::path::PathBuf;

use super::choice::NeuronChoice;
use super::{ConvertError, one_to_one};
use crate::formats::rate_model::{ModelError, RateModelFile};
use crate::number::shown;
use crate::rate::activation::{ActivationKind, LIF_LAMBDA};
use crate::spiking::network::SpikingNetwork;
use crate::spiking::neuron::Neuron;

/// A model that has no spiking network.
#[derive(Debug, thiserror::Error)]
pub enum SpikingModelError {
    /// The result of the model's conversion cannot be read.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The network cannot be converted.
    #[error("{path}: {source}")]
    Convert {
        /// The model.
        path: PathBuf,
        /// Why.
        source: ConvertError,
    },
    /// No λ is given, and the model has none.
    #[error(
        "{path}: no scaling factor in the file; run `rate2spike convert {path}` first, or give --lambda"
    )]
    NoLambda {
        /// The model.
        path: PathBuf,
    },
}

/// A spiking network, and sentences that warn of what was not used.
#[derive(Clone, Debug)]
pub struct SpikingModel {
    /// The network.
    pub network: SpikingNetwork,
    /// The warnings.
    pub warnings: Vec<String>,
}

impl RateModelFile {
    /// λ: `given`, else found by an earlier search, else λ₀ of a network that was trained
    /// for it. A given λ that is the rounded λ of a calibration or of a refitted readout
    /// stands for that λ: messages print it rounded.
    ///
    /// # Errors
    /// [`SpikingModelError`].
    pub fn lambda_or(&self, given: Option<f64>) -> Result<f64, SpikingModelError> {
        let found = match (self.stored_lambda(), given) {
            (Ok(found), _) => found,
            // A damaged λ of the file is named where the network is made.
            (Err(_), Some(given)) => return Ok(given),
            (Err(error), None) => return Err(error.into()),
        };
        if let (Some(given), Some(found)) = (given, found)
            && is_rounded(given, found)
            && (self.calibration()?.is_some() || self.refitted_readout(found)?.is_some())
        {
            return Ok(found);
        }
        let trained = || (self.network.activation == ActivationKind::Lif).then_some(LIF_LAMBDA);
        let lambda = given.or(found).or_else(trained);
        lambda.ok_or_else(|| SpikingModelError::NoLambda {
            path: self.path.clone(),
        })
    }

    /// The spiking network with the λ that was asked for, or else the model's, and the
    /// chosen neuron.
    ///
    /// # Errors
    /// [`SpikingModelError`].
    pub fn spiking(
        &self,
        lambda: Option<f64>,
        neuron: &NeuronChoice,
    ) -> Result<SpikingModel, SpikingModelError> {
        let (neuron, warning) = neuron.for_model(self, lambda)?;
        let mut warnings = Vec::from_iter(warning);
        let network = self.converted(self.lambda_or(lambda)?, neuron, &mut warnings)?;
        Ok(SpikingModel { network, warnings })
    }

    /// The network calibrated, and with the readout that `convert --refit-readout` fitted,
    /// where the model has that for this λ.
    fn converted(
        &self,
        lambda: f64,
        neuron: Neuron,
        warnings: &mut Vec<String>,
    ) -> Result<SpikingNetwork, SpikingModelError> {
        let failed = |source| SpikingModelError::Convert {
            path: self.path.clone(),
            source,
        };
        let stored = self.stored_lambda().unwrap_or_else(|error| {
            warnings.push(format!("{error}; {lambda} is used"));
            None
        });
        let own = stored == Some(lambda);
        let mut not_used = |what: &str| {
            let (stored, advice) = match stored {
                Some(stored) => (
                    format!("lambda {}", shown(stored)),
                    "; leave --lambda out to use it",
                ),
                None => ("another lambda".into(), ""),
            };
            warnings.push(format!(
                "{}: {what} belongs to {stored}, and not to {}: it is not used{advice}",
                self.path.display(),
                shown(lambda)
            ));
        };
        let calibration = self.calibration()?;
        let refitted = self.refitted_readout(lambda)?;
        if !own && calibration.is_some() {
            not_used("the calibration of the units");
        }
        if !own && refitted.is_some() {
            not_used("the refitted readout");
        }
        let mut network = match calibration.filter(|_| own) {
            Some(calibration) => SpikingNetwork {
                // The units' median has other digits than the λ in the file.
                lambda,
                ..calibration.network(&self.network, neuron).map_err(failed)?
            },
            None => one_to_one(&self.network, lambda, neuron).map_err(failed)?,
        };
        if let Some(readout) = refitted.filter(|_| own) {
            network.readout = readout;
        }
        Ok(network)
    }

    /// The spiking network of the weights before training, as a control.
    ///
    /// # Errors
    /// [`SpikingModelError`].
    pub fn untrained_spiking(
        &self,
        lambda: Option<f64>,
        neuron: &NeuronChoice,
    ) -> Result<SpikingModel, SpikingModelError> {
        let (neuron, warning) = neuron.for_model(self, lambda)?;
        let lambda = self.lambda_or(lambda)?;
        let network = one_to_one(&self.initial()?, lambda, neuron);
        let network = network.map_err(|source| SpikingModelError::Convert {
            path: self.path.clone(),
            source,
        })?;
        let warnings = Vec::from_iter(warning);
        Ok(SpikingModel { network, warnings })
    }
}

/// Whether `given` is `exact`, rounded to the digits that `given` has after its point.
fn is_rounded(given: f64, exact: f64) -> bool {
    let text = given.to_string();
    let digits = text.split_once('.').map_or(0, |(_, digits)| digits.len());
    format!("{exact:.digits$}") == text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lambda_is_known_by_its_rounded_digits() {
        for (given, exact, known) in [
            (52.0, 52.298_734_1, true),
            (52.3, 52.298_734_1, true),
            (52.298_734_1, 52.298_734_1, true),
            (52.2, 52.298_734_1, false),
            (53.0, 52.298_734_1, false),
            (50.0, 52.298_734_1, false),
            (-52.0, 52.298_734_1, false),
        ] {
            assert_eq!(is_rounded(given, exact), known, "{given}");
        }
    }
}
