//! The command line: one file a subcommand, and one for each subject that several of
//! them share.

pub mod bars;
pub mod command_line;
pub mod convert;
pub mod deploy;
pub mod deployed_step;
pub mod error;
pub mod export;
pub mod files;
pub mod gpu;
pub mod idle;
pub mod import;
pub mod inspect;
pub mod neuron_args;
pub mod number;
pub mod options;
pub mod perturbation;
pub mod pipeline;
pub mod plot;
pub mod quantize;
pub mod report;
pub mod reproduce;
pub mod run;
pub mod run_on;
pub mod run_report;
pub mod shell;
pub mod simulate;
pub mod sweep;
pub mod train;
pub mod trials;
pub mod warnings;
pub mod watch;

pub use error::CommandError;

use std::path::Path;
use std::str::FromStr;

use crate::convert::one_to_one;
use crate::formats::rate_model::RateModelFile;
use crate::print::console::Console;
use crate::print::number::shown;
use crate::spiking::network::SpikingNetwork;
use crate::spiking::neuron::Neuron;
use crate::task::Task;

/// Reads a model, and warns of what is done to its numbers.
pub fn read_model(path: &Path, console: &Console) -> Result<RateModelFile, CommandError> {
    let model = RateModelFile::read(path)?;
    warn_of_model(&model, console);
    Ok(model)
}

/// Says what is done to the numbers of `model`.
pub fn warn_of_model(model: &RateModelFile, console: &Console) {
    for warning in model.warnings() {
        console.warn(warning);
    }
}

/// Which task a model is scored on.
pub fn task_of(model: &RateModelFile, task: Option<&Task>) -> Result<Task, CommandError> {
    let Some(task) = task else {
        return Ok(model.task()?);
    };
    let own = model.own_task()?;
    if own.is_some_and(|own| own.name() == task.name() && own != *task) {
        return Err(CommandError::Usage(format!(
            "{}: the task {} is not the one that the network was trained for: its file has changed since; leave --task out, or give the description another name and train again",
            model.path.display(),
            task.name()
        )));
    }
    if task.channels() == model.network.channels {
        return Ok(task.clone());
    }
    Err(CommandError::Usage(format!(
        "{}: the network has {} inputs, but {} has {}; give the task that it was trained for",
        model.path.display(),
        model.network.channels,
        task.name(),
        task.channels()
    )))
}

/// The λ of a model: given, else found by an earlier search, else λ₀ of a
/// network that was trained for it. A given λ that is the rounded λ of a calibration or
/// of a refitted readout stands for that λ: messages print it rounded.
pub fn lambda_of(model: &RateModelFile, lambda: Option<f64>) -> Result<f64, CommandError> {
    use crate::rate::activation::{ActivationKind, LIF_LAMBDA};
    let found = match (model.stored_lambda(), lambda) {
        (Ok(found), _) => found,
        // An odd one is named where the network is made.
        (Err(_), Some(given)) => return Ok(given),
        (Err(error), None) => return Err(error.into()),
    };
    if let (Some(given), Some(found)) = (lambda, found)
        && is_rounded(given, found)
        && (model.calibration()?.is_some() || model.refitted_readout()?.is_some())
    {
        return Ok(found);
    }
    let trained = || (model.network.activation == ActivationKind::Lif).then_some(LIF_LAMBDA);
    lambda.or(found).or_else(trained).ok_or_else(|| {
        CommandError::Usage(format!(
            "{}: no scaling factor in the file; run `rate2spike convert {}` first, or give --lambda",
            model.path.display(),
            model.path.display()
        ))
    })
}

/// Whether `given` is `exact`, rounded to the digits that `given` has after its point.
fn is_rounded(given: f64, exact: f64) -> bool {
    let text = given.to_string();
    let digits = text.split_once('.').map_or(0, |(_, digits)| digits.len());
    format!("{exact:.digits$}") == text
}

/// The spiking network of a model: calibrated, or with the readout that
/// `convert --refit-readout` fitted, where the model has that for this λ.
pub fn spiking_network(
    model: &RateModelFile,
    lambda: f64,
    neuron: Neuron,
    console: &Console,
) -> Result<SpikingNetwork, CommandError> {
    let failed = |source| CommandError::Convert {
        path: model.path.clone(),
        source,
    };
    let stored = model.stored_lambda().unwrap_or_else(|error| {
        console.warn(format!("{error}; {lambda} is used"));
        None
    });
    let own = stored == Some(lambda);
    let not_used = |what: &str| {
        let stored = stored.map_or("another lambda".into(), |x| format!("lambda {}", shown(x)));
        console.warn(format!(
            "{}: {what} belongs to {stored}, and not to {}: it is not used; leave --lambda out to use it",
            model.path.display(),
            shown(lambda)
        ));
    };
    if let Some(calibration) = model.calibration()? {
        if own {
            return calibration.network(&model.network, neuron).map_err(failed);
        }
        not_used("the calibration of the units");
    }
    let mut network = one_to_one(&model.network, lambda, neuron).map_err(failed)?;
    let Some(refitted) = model.refitted_readout()? else {
        return Ok(network);
    };
    if own {
        let weights = refitted.iter().map(|&w| f64::from(w) / lambda);
        network.readout.weights = weights.collect();
    } else {
        not_used("the refitted readout");
    }
    Ok(network)
}

/// `20:5:75`, or `20,25,30`.
#[derive(Clone, Debug, PartialEq)]
pub struct Lambdas(pub Vec<f64>);

impl FromStr for Lambdas {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |part: &str| match part.trim().parse::<f64>() {
            Ok(x) if x > 0.0 && x.is_finite() => Ok(x),
            _ => Err(format!("'{part}' is not a positive number")),
        };
        let lambdas = match text.split(':').collect::<Vec<_>>()[..] {
            [first, step, last] => {
                let (first, step, last) = (number(first)?, number(step)?, number(last)?);
                let count = ((last - first) / step + 1e-9).floor();
                if !(0.0..1000.0).contains(&count) {
                    return Err("give FIRST:STEP:LAST with at most 1000 values".into());
                }
                (0..=count as usize)
                    .map(|k| first + step * k as f64)
                    .collect()
            }
            [_] => text.split(',').map(number).collect::<Result<_, _>>()?,
            _ => return Err("give FIRST:STEP:LAST, or values with commas between".into()),
        };
        Ok(Lambdas(lambdas))
    }
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

    #[test]
    fn a_range_of_lambdas_includes_its_end() {
        let parsed = |text: &str| text.parse::<Lambdas>().map(|lambdas| lambdas.0);
        assert_eq!(parsed("20:5:30"), Ok(vec![20.0, 25.0, 30.0]));
        assert_eq!(parsed("50"), Ok(vec![50.0]));
        assert_eq!(parsed("4,2.5"), Ok(vec![4.0, 2.5]));
        for wrong in [
            "",
            "0",
            "-5",
            "20:0:30",
            "30:5:20",
            "nan",
            "1:2",
            "20:1e-9:30",
        ] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }
}
