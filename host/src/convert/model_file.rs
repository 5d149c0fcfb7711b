//! The result of a conversion in a rate model, under the published names, and the flags
//! of `convert` that give the result again.

use std::path::Path;

use super::calibrate::Calibration;
use super::choice::StepChoice;
use super::flags::Flags;
use super::lambdas::Lambdas;
use super::search::Candidate;
use crate::formats::mat::{MatError, MatFile, Value};
use crate::formats::names::{
    ACCURACIES, CALIBRATION, CANDIDATES, FLAGS, KEEPS_OFFSET, LAMBDA, MEDIAN_LAMBDA, REFITTED,
    REFITTED_OFFSET,
};
use crate::formats::rate_model::{ModelError, RateModelFile};
use crate::number::trials;
use crate::readout::Readout;

/// The flags of `convert` without a value that change a result which is written into a
/// model. A foreign file must not bring others into a command.
const WITHOUT_VALUE: [&str; 2] = ["--calibrate", "--race"];

/// The flags of `convert` with a value that change such a result. The values of the flags
/// that choose the neuron and the step are read by [`StepChoice::of_flags`].
const WITH_VALUE: [&str; 11] = [
    "--downsample",
    "--dt",
    "--filter",
    "--lambdas",
    "--neuron",
    "--noise",
    "--refit-readout",
    "--refractory",
    "--scheme",
    "--seed",
    "--trials",
];

/// The flags that each result has.
const ALWAYS: [&str; 2] = ["--seed", "--trials"];

/// Reads the flags that a conversion stored. A space or an equals sign stands between a
/// flag and its value.
///
/// # Errors
/// The word that is no such flag, or no value of its flag.
fn read(text: &str) -> Result<Flags, String> {
    let mut flags = Flags::new();
    let mut words = text.split_whitespace();
    while let Some(word) = words.next() {
        let (flag, joined) = match word.split_once('=') {
            Some((flag, value)) => (flag, Some(value)),
            None => (word, None),
        };
        if flags.words().any(|known| known == flag) {
            return Err(format!("{flag}, a second time"));
        }
        if WITHOUT_VALUE.contains(&flag) && joined.is_none() {
            flags = flags.with(flag);
            continue;
        }
        if !WITH_VALUE.contains(&flag) {
            return Err(word.into());
        }
        let value = joined.or_else(|| words.next());
        let value = value.ok_or_else(|| format!("{flag} without a value"))?;
        let readable = match flag {
            "--lambdas" => value.parse::<Lambdas>().is_ok(),
            "--refit-readout" | "--trials" => trials(value).is_ok(),
            "--seed" => value.parse::<u64>().is_ok(),
            _ => true,
        };
        if !readable {
            return Err(format!("{flag} {value}"));
        }
        flags = flags.with_value(flag, value);
    }
    for flag in ALWAYS {
        if flags.value(flag).is_none() {
            return Err(format!("{text} without {flag}"));
        }
    }
    let step = StepChoice::of_flags(&flags)?;
    let possible = step.step(&step.neuron());
    possible.map_err(|error| format!("{text} ({error})"))?;
    Ok(flags)
}

impl RateModelFile {
    /// The calibration that belongs to the model's `opt_scaling_factor`.
    ///
    /// # Errors
    /// If it is there and not three finite numbers a unit, or a scale or a λ is not positive.
    pub fn calibration(&self) -> Result<Option<Calibration>, ModelError> {
        let Some(values) = self.calibration_rows()? else {
            return Ok(None);
        };
        let units = self.network.units;
        let row = |k: usize| {
            let row = &values[k * units..(k + 1) * units];
            row.iter().map(|&value| value.into()).collect()
        };
        Ok(Some(Calibration {
            gain_mv: row(0),
            offset_mv: row(1),
            lambda: row(2),
            keeps_offset: self.keeps_offset()?,
        }))
    }

    /// Removes the result of an earlier conversion, so that the bytes of the file do not
    /// depend on whether there was one.
    fn remove_conversion(&mut self) {
        for name in [
            LAMBDA,
            ACCURACIES,
            CANDIDATES,
            MEDIAN_LAMBDA,
            CALIBRATION,
            KEEPS_OFFSET,
            REFITTED,
            REFITTED_OFFSET,
            FLAGS,
        ] {
            self.variables.remove(name);
        }
    }

    fn set_calibration(&mut self, calibration: &Calibration) {
        let Calibration {
            gain_mv,
            offset_mv,
            lambda,
            keeps_offset,
        } = calibration;
        if *keeps_offset {
            self.variables.insert(KEEPS_OFFSET, Value::scalar(1.0));
        }
        let rows = [gain_mv, offset_mv, lambda].into_iter().flatten();
        let values: Vec<f32> = rows.map(|&value| value as f32).collect();
        self.set_unit_rows(CALIBRATION, 3, &values);
    }

    /// The readout that was fitted to the spikes of a network with the model's λ, as
    /// [`SpikingNetwork::readout`](crate::spiking::network::SpikingNetwork::readout) has it.
    ///
    /// # Errors
    /// If it is there, and its numbers are not finite or not one for each unit and output.
    pub fn refitted_readout(&self, lambda: f64) -> Result<Option<Readout<f64>>, ModelError> {
        let readout = self.refitted_rows()?;
        Ok(readout.map(|Readout { weights, offset }| Readout {
            weights: weights.iter().map(|&w| f64::from(w) / lambda).collect(),
            offset: offset.iter().map(|&b| b.into()).collect(),
        }))
    }

    /// Sets the readout that was fitted to a network with this λ, if there is one.
    fn set_refitted_readout(&mut self, readout: Option<&Readout<f64>>, lambda: f64) {
        let Some(readout) = readout else {
            return;
        };
        let weights = readout.weights.iter();
        let w_out: Vec<f32> = weights.map(|w| (w * lambda) as f32).collect();
        self.set_unit_rows(REFITTED, readout.outputs(), &w_out);
        if readout.outputs() > 1 {
            let offset = readout.offset.iter().map(|&b| b as f32).collect();
            let offset = Value::row::<f32>(offset);
            self.variables.insert(REFITTED_OFFSET, offset);
        }
    }

    /// Puts a calibration into the variables of the model, in place of the result of a
    /// search. `readout` was fitted to the calibrated network; `None` keeps `w_out` in use.
    /// `flags` are the flags of `convert` that give the result again.
    pub fn take_calibration(
        &mut self,
        calibration: &Calibration,
        readout: Option<&Readout<f64>>,
        flags: &Flags,
    ) {
        self.remove_conversion();
        let lambda = calibration.median_lambda();
        self.variables.insert(MEDIAN_LAMBDA, Value::scalar(lambda));
        self.set_refitted_readout(readout, lambda);
        self.set_calibration(calibration);
        self.set_flags(flags);
    }

    /// Writes a calibration into the model and its file: see
    /// [`take_calibration`](Self::take_calibration).
    ///
    /// # Errors
    /// If the model cannot be written.
    pub fn adopt_calibration(
        &mut self,
        calibration: &Calibration,
        readout: Option<&Readout<f64>>,
        flags: &Flags,
    ) -> Result<(), ModelError> {
        self.take_calibration(calibration, readout, flags);
        self.write()
    }

    /// Puts the result of a search into the variables of the model, in place of a
    /// calibration. `readout` was fitted at the best λ; `None` keeps `w_out` in use.
    /// `flags` are the flags of `convert` that give the result again.
    pub fn take_search(
        &mut self,
        candidates: &[Candidate],
        best: &Candidate,
        readout: Option<&Readout<f64>>,
        flags: &Flags,
    ) {
        self.remove_conversion();
        let all = |value: fn(&Candidate) -> f64| candidates.iter().map(value).collect();
        let file = &mut self.variables;
        file.insert(LAMBDA, Value::scalar(best.lambda));
        file.insert(ACCURACIES, Value::column::<f64>(all(|c| c.accuracy)));
        file.insert(CANDIDATES, Value::row::<f64>(all(|c| c.lambda)));
        self.set_refitted_readout(readout, best.lambda);
        self.set_flags(flags);
    }

    /// Writes the result of a search into the model and its file: see
    /// [`take_search`](Self::take_search).
    ///
    /// # Errors
    /// If the model cannot be written.
    pub fn adopt_search(
        &mut self,
        candidates: &[Candidate],
        best: &Candidate,
        readout: Option<&Readout<f64>>,
        flags: &Flags,
    ) -> Result<(), ModelError> {
        self.take_search(candidates, best, readout, flags);
        self.write()
    }

    /// Puts a λ that was not searched into the variables of the model, in place of the
    /// result of a search or a calibration. `flags` are the flags of `convert` that give it.
    pub fn take_given(&mut self, lambda: f64, flags: &Flags) {
        self.remove_conversion();
        self.variables.insert(LAMBDA, Value::scalar(lambda));
        self.set_flags(flags);
    }

    /// Writes a λ that was not searched into the model and its file: see
    /// [`take_given`](Self::take_given).
    ///
    /// # Errors
    /// If the model cannot be written.
    pub fn adopt_given(&mut self, lambda: f64, flags: &Flags) -> Result<(), ModelError> {
        self.take_given(lambda, flags);
        self.write()
    }

    fn set_flags(&mut self, flags: &Flags) {
        self.variables
            .insert(FLAGS, Value::text(&flags.to_string()));
    }

    /// The flags of `convert` that give the λ, the calibration or the readout of the model
    /// again; see [`stored_flags`].
    ///
    /// # Errors
    /// If the model holds words that are not such flags.
    pub fn conversion_flags(&self) -> Result<Option<Flags>, ModelError> {
        stored_flags(&self.path, &self.variables)
    }
}

/// The flags of `convert` that the variable `conversion_flags` of `file` holds; `None`
/// where the file does not have it.
///
/// # Errors
/// If the variable holds anything else than these flags and their values.
pub fn stored_flags(path: &Path, file: &MatFile) -> Result<Option<Flags>, ModelError> {
    if file.get(FLAGS).is_err() {
        return Ok(None);
    }
    let refused = |value: String| ModelError::Value {
        path: path.into(),
        name: FLAGS,
        value,
        wanted: "it holds flags of `convert` and their values, by which the lambda was found: search it again with `rate2spike convert --force`, or give --lambda",
    };
    match file.text(FLAGS) {
        Ok(text) => read(&text).map(Some).map_err(refused),
        Err(MatError::Unsupported { kind, .. }) => Err(refused(kind.to_string())),
        Err(_) => Err(refused("no text".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::mat::MatFile;
    use crate::rate::network::RateNetwork;
    use crate::rate::options::RateOptions;
    use crate::statistics::Interval;
    use crate::task::Task;

    #[test]
    fn flags_are_read_as_they_were_written_and_foreign_words_are_not_taken() {
        let mut model = RateModelFile {
            path: "m.mat".into(),
            variables: MatFile::new(),
            network: RateNetwork::start(&RateOptions::published(Task::xor(), 5)),
        };
        assert_eq!(model.conversion_flags().expect("no flags"), None);
        let flags = Flags::of_calibration(20, u64::MAX, Some(8));
        model.set_flags(&flags);
        assert_eq!(model.conversion_flags().expect("flags"), Some(flags));
        let joined = "--lambdas=40,50 --trials 3 --seed=1 --neuron=qif --noise 0";
        model.variables.insert(FLAGS, Value::text(joined));
        let flags = model.conversion_flags().expect("flags").expect("flags");
        assert_eq!(flags.value("--neuron"), Some("qif"));
        assert_eq!(flags.value("--lambdas"), Some("40,50"));
        let named = |word: &str, model: &RateModelFile| {
            let error = model.conversion_flags().expect_err(word).to_string();
            for part in ["m.mat", FLAGS, word, "convert --force", "--lambda"] {
                assert!(error.contains(part), "{word}: {error}");
            }
        };
        for (foreign, word) in [
            ("--trials 3", "--seed"),
            ("--neuron qif", "--seed"),
            ("--trials 3 --seed 1 --plot a.svg", "--plot"),
            ("--trials 3 --seed $(touch x)", "--seed $(touch"),
            ("--trials 3 --seed 1 ../a.mat", "../a.mat"),
            ("--trials 3 --seed 1 --seed 2", "--seed"),
            ("--trials 3 --seed 1 --noise nan", "--noise nan"),
            ("--trials 3 --seed 1 --noise -3", "--noise -3"),
            ("--trials 3 --seed 1 --noise", "--noise"),
            ("--trials 3 --seed 1 --neuron foo", "--neuron foo"),
            ("--trials 3 --seed 1 --refractory 1e9", "--refractory 1e9"),
            ("--trials 3 --seed 1 --scheme=half", "--scheme half"),
            ("--trials 3 --seed 1 --lambdas 1e9", "--lambdas 1e9"),
            ("--trials 0 --seed 1", "--trials 0"),
            ("--trials 3 --seed 1 --calibrate=yes", "--calibrate=yes"),
            ("--trials 3 --seed 1 --neuron qif --dt 0.5", "--dt 0.5"),
            ("rm -rf /", "rm"),
            ("", "--seed"),
        ] {
            model.variables.insert(FLAGS, Value::text(foreign));
            named(word, &model);
        }
        model.variables.insert(FLAGS, Value::scalar(5.0));
        named("no text", &model);
    }

    #[test]
    fn a_conversion_leaves_the_same_file_whatever_conversion_came_before() {
        let units = 5;
        let flags = Flags::of_calibration(20, 1, Some(8));
        let readout = Readout {
            weights: vec![0.5; 2 * units],
            offset: vec![0.1, 0.2],
        };
        let calibration = Calibration {
            gain_mv: vec![1.0; units],
            offset_mv: vec![2.0; units],
            lambda: vec![30.0; units],
            keeps_offset: true,
        };
        let candidate = Candidate {
            lambda: 30.0,
            trials: 20,
            accuracy: 1.0,
            interval: Interval::wilson(20, 20),
            strict: 1.0,
            mean_rate_hz: 10.0,
            output_error: 0.1,
        };
        type Conversion<'a> = &'a dyn Fn(&mut RateModelFile);
        let conversions: [Conversion<'_>; 4] = [
            &|model| model.take_calibration(&calibration, Some(&readout), &flags),
            &|model| model.take_calibration(&calibration, None, &flags),
            &|model| model.take_search(&[candidate], &candidate, Some(&readout), &flags),
            &|model| model.take_given(40.0, &flags),
        ];
        let fresh = || RateModelFile {
            path: "m.mat".into(),
            variables: MatFile::new(),
            network: RateNetwork::start(&RateOptions::published(Task::xor(), units)),
        };
        for conversion in conversions {
            let mut once = fresh();
            conversion(&mut once);
            for earlier in conversions {
                let mut twice = fresh();
                earlier(&mut twice);
                conversion(&mut twice);
                assert_eq!(twice.variables, once.variables);
            }
        }
    }
}
