//! The run that a page is about.

use std::path::{Path, PathBuf};

use crate::convert::calibrate::Calibration;
use crate::formats::history::History;
use crate::formats::rate_model::RateModelFile;
use crate::quantize::ArithmeticName;
use crate::report::observe::ObservedTrials;
use crate::spiking::network::SpikingNetwork;

/// A rate model with its spiking form, and the files beside it.
#[derive(Clone, Debug)]
pub struct ReportInput {
    /// The rate model.
    pub model: RateModelFile,
    /// The history of its training; `None` if there is no such file beside the model.
    pub history: Option<History>,
    /// The spiking form.
    pub spiking: SpikingNetwork,
    /// The calibration of the spiking form; `None` if all units share one λ.
    pub calibration: Option<Calibration>,
    /// The deployed network beside the model, and its bytes.
    pub deployed: Option<(PathBuf, Vec<u8>)>,
    /// Candidates of the search that is shown.
    pub lambdas: Vec<f64>,
    /// Trials of every score and figure.
    pub trials: ObservedTrials,
}

impl ReportInput {
    /// The numbers of the deployed network beside the model; fixed point without such a file.
    pub(super) fn numbers(&self) -> ArithmeticName {
        let deployed = self.deployed.as_ref();
        deployed.map_or_else(ArithmeticName::default, |(_, bytes)| {
            ArithmeticName::of(bytes)
        })
    }

    /// The λ of each unit, Hz.
    pub(super) fn unit_lambdas(&self) -> Vec<f64> {
        match &self.calibration {
            Some(calibration) => calibration.lambda.clone(),
            None => vec![self.spiking.lambda; self.spiking.units],
        }
    }
}

/// The name of a file without its folders: the page may be read elsewhere.
pub(super) fn name(path: &Path) -> String {
    path.file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into()
}

pub(super) fn texts(all: &[&str]) -> Vec<String> {
    all.iter().map(|text| text.to_string()).collect()
}
