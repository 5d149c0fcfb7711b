//! The checks of a rate model's variables. Every command reads a model through
//! them, and `inspect` lists all that they find.

use std::path::Path;

use super::mat::{MatError, MatFile};
use super::model_error::ModelError;
use super::names::{
    self, CALIBRATION, DIRECT, KEEPS_OFFSET, LAMBDA, MEDIAN_LAMBDA, REFITTED, REFITTED_OFFSET,
    SAMPLE,
};
use crate::number::is_lambda;
use crate::rate::activation::ActivationKind;
use crate::rate::network::RateNetwork;
use crate::rate::options::DecayTaus;
use crate::readout::Readout;
use crate::task::SAMPLE_MS;

/// Names by which other programs may say whether Dale's principle holds.
const DALE: [&str; 2] = ["apply_dale", "dale"];

/// Largest share by which the median of a calibration may differ from that of its units'
/// λ, which are stored in single precision.
const MEDIAN_TOLERANCE: f64 = 1e-5;

/// Variables by which a file is taken for a rate model, if it has
/// [`ENOUGH_OF_A_MODEL`] of them.
const OF_A_MODEL: [&str; 7] = [
    names::W,
    names::W_IN,
    names::W_OUT,
    names::M,
    names::SOM_M,
    names::TAUS_GAUS,
    names::ACTIVATION,
];

/// See [`OF_A_MODEL`].
const ENOUGH_OF_A_MODEL: usize = 3;

/// The network of a file, and what is wrong with the file's variables.
#[derive(Debug)]
pub struct Checked {
    /// The network, if its variables are whole.
    pub network: Option<RateNetwork>,
    /// All that is wrong with the network, its start and its conversion.
    pub problems: Vec<ModelError>,
}

/// Checks the variables of `file`; `path` is for errors.
pub fn check(path: &Path, file: &MatFile) -> Checked {
    let mut problems = Problems(Vec::new());
    let mut names: Vec<&str> = file.variables().map(|(name, _)| name).collect();
    names.sort_unstable();
    for pair in names.windows(2).filter(|pair| pair[0] == pair[1]) {
        problems.0.push(ModelError::Twice {
            path: path.into(),
            name: pair[0].into(),
        });
    }
    let network = Reader::new(path, file, 0).network(&mut problems);
    if let Some(network) = &network {
        let reader = Reader::new(path, file, network.units);
        problems.keep(reader.classes(network));
        problems.keep(reader.initial(network));
        problems.keep(reader.calibration());
        problems.keep(reader.keeps_offset());
        problems.keep(reader.refitted_readout(network.readout.outputs()));
    }
    Checked {
        network,
        problems: problems.0,
    }
}

/// True for a file that is meant as a rate model, damaged or not.
pub fn is_meant_as_model(file: &MatFile) -> bool {
    let found = OF_A_MODEL.iter().filter(|name| file.get(name).is_ok());
    found.count() >= ENOUGH_OF_A_MODEL
}

/// The variable that holds the λ of `file`: that of a search, or the median of a
/// calibration, which earlier versions wrote under the name of the former.
fn lambda_name(file: &MatFile) -> &'static str {
    let calibrated = [CALIBRATION, MEDIAN_LAMBDA].map(|name| file.get(name).is_ok());
    if calibrated == [true, true] {
        MEDIAN_LAMBDA
    } else {
        LAMBDA
    }
}

/// The λ that `file` stores. `None` where it stores no λ, and where it stores NaN:
/// the published search leaves NaN when it is interrupted.
///
/// # Errors
/// If it is anything else than one number above 0 and up to
/// [`MOST_LAMBDA`](crate::number::MOST_LAMBDA), or contradicts the calibration.
pub fn stored_lambda(path: &Path, file: &MatFile) -> Result<Option<f64>, ModelError> {
    let name = lambda_name(file);
    let reader = Reader::new(path, file, 0);
    reader.lambda_names()?;
    if file.get(name).is_err() {
        return Ok(None);
    }
    match file.scalar(name) {
        Ok(lambda) if lambda.is_nan() => Ok(None),
        Ok(lambda) if is_lambda(lambda) => {
            reader.median(name, lambda)?;
            Ok(Some(lambda))
        }
        Ok(lambda) => Err(reader.value(name, plain(lambda), LAMBDA_WANTED)),
        Err(error) => {
            let form = match error {
                MatError::Shape { dims, .. } => {
                    let dims: Vec<String> = dims.iter().map(usize::to_string).collect();
                    format!("an array of {}", dims.join(" x "))
                }
                MatError::Class { .. } => "a text".into(),
                other => return Err(reader.mat(other)),
            };
            Err(reader.value(name, form, LAMBDA_WANTED))
        }
    }
}

const LAMBDA_WANTED: &str = "it is one positive number, at most 10000: search it again with `rate2spike convert --force`, or give --lambda";

const MEDIAN_WANTED: &str = "it is the median of the lambdas in unit_calibration: search or calibrate again with `rate2spike convert --force`, or give --lambda";

/// A number in digits, or in powers of ten where these are shorter.
fn plain(number: f64) -> String {
    if number.abs() < 1e9 {
        number.to_string()
    } else {
        format!("{number:e}")
    }
}

/// Removes from `file` what a conversion left and is damaged, so that another
/// conversion can replace it.
pub(super) fn remove_damaged_conversion(path: &Path, file: &mut MatFile) {
    let Ok(units) = Reader::new(path, file, 0).units() else {
        return;
    };
    let reader = Reader::new(path, file, units);
    // Numbers that contradict each other go together, since another conversion replaces
    // them all.
    let lambda = stored_lambda(path, file).is_err();
    let outputs = reader.w_out().map_or(1, |w_out| w_out.len() / units.max(1));
    let readout = reader.refitted_readout(outputs).is_err();
    let damaged = [
        (LAMBDA, lambda),
        (MEDIAN_LAMBDA, lambda),
        (CALIBRATION, lambda),
        (CALIBRATION, reader.calibration().is_err()),
        (KEEPS_OFFSET, reader.keeps_offset().is_err()),
        (REFITTED, readout),
        (REFITTED_OFFSET, readout),
    ];
    for (name, damaged) in damaged {
        if damaged {
            file.remove(name);
        }
    }
}

/// The problems that were found so far.
struct Problems(Vec<ModelError>);

impl Problems {
    /// The value; an error goes into the list.
    fn keep<T>(&mut self, result: Result<T, ModelError>) -> Option<T> {
        result.map_err(|error| self.0.push(error)).ok()
    }
}

/// Reads the variables of a network, with the file's name for errors.
pub(super) struct Reader<'a> {
    path: &'a Path,
    file: &'a MatFile,
    units: usize,
}

impl<'a> Reader<'a> {
    /// A reader of a model with `units` units.
    pub(super) fn new(path: &'a Path, file: &'a MatFile, units: usize) -> Self {
        Self { path, file, units }
    }

    fn mat(&self, source: MatError) -> ModelError {
        ModelError::Mat {
            path: self.path.into(),
            source,
        }
    }

    fn value(&self, name: &'static str, value: String, wanted: &'static str) -> ModelError {
        ModelError::Value {
            path: self.path.into(),
            name,
            value,
            wanted,
        }
    }

    /// A matrix row by row; `columns` may be left open. The numbers become `f32`
    /// here, and are finite as such. A matrix of one row or one column may be
    /// stored as the other: Python saves an array of one dimension as a row.
    fn matrix(
        &self,
        name: &'static str,
        rows: usize,
        columns: Option<usize>,
    ) -> Result<(usize, Vec<f32>), ModelError> {
        let (mut found_rows, mut found_columns, values) =
            self.file.matrix(name).map_err(|e| self.mat(e))?;
        let turned = found_columns == rows && columns.unwrap_or(1) == found_rows;
        if turned && (found_rows == 1 || found_columns == 1) {
            (found_rows, found_columns) = (found_columns, found_rows);
        }
        if found_rows != rows || columns.is_some_and(|columns| columns != found_columns) {
            let wanted = match columns {
                Some(columns) => format!("{rows} x {columns}"),
                None => format!("{rows} x the number of inputs"),
            };
            return Err(ModelError::Shape {
                path: self.path.into(),
                name,
                found: format!("{found_rows} x {found_columns}"),
                wanted,
                units: self.units,
            });
        }
        if let Some(index) = values.iter().position(|&x| !(x as f32).is_finite()) {
            let (row, column) = (index % rows + 1, index / rows + 1);
            let value = format!("{:e} in row {row}, column {column}", values[index]);
            let wanted = if values[index].is_finite() {
                TOO_LARGE
            } else {
                "the training diverged or the file is damaged: train again"
            };
            return Err(self.value(name, value, wanted));
        }
        let columns = found_columns;
        let by_row = (0..rows * columns).map(|k| values[k % columns * rows + k / columns] as f32);
        Ok((columns, by_row.collect()))
    }

    fn square(&self, name: &'static str) -> Result<Vec<f32>, ModelError> {
        Ok(self.matrix(name, self.units, Some(self.units))?.1)
    }

    fn column(&self, name: &'static str) -> Result<Vec<f32>, ModelError> {
        Ok(self.matrix(name, self.units, Some(1))?.1)
    }

    fn count(&self, name: &'static str) -> Result<usize, ModelError> {
        let value = self.file.scalar(name).map_err(|e| self.mat(e))?;
        if value.fract() != 0.0 || !(0.0..=1e6).contains(&value) {
            return Err(self.value(name, value.to_string(), "give a count"));
        }
        Ok(value as usize)
    }

    /// A calibration has a median λ, which stands under one of two names.
    fn lambda_names(&self) -> Result<(), ModelError> {
        let held = |name| self.file.get(name).is_ok();
        let (found, wanted) = match (held(CALIBRATION), held(MEDIAN_LAMBDA), held(LAMBDA)) {
            (_, true, true) => (
                "a number",
                "opt_scaling_factor is there too, and a model has the one or the other: search or calibrate again with `rate2spike convert --force`, or give --lambda",
            ),
            (true, false, false) => ("not there", MEDIAN_WANTED),
            (false, true, false) => (
                "a number",
                "unit_calibration, of which it is the median, is not there: calibrate again with `rate2spike convert --calibrate --force`, or give --lambda",
            ),
            _ => return Ok(()),
        };
        Err(self.value(MEDIAN_LAMBDA, found.into(), wanted))
    }

    /// `lambda`, stored under `name`, is the median of the units' λ, if there is a
    /// calibration. A damaged calibration is a problem of its own.
    fn median(&self, name: &'static str, lambda: f64) -> Result<(), ModelError> {
        let Ok((3, _, values)) = self.file.matrix(CALIBRATION) else {
            return Ok(());
        };
        let mut lambdas: Vec<f64> = values.chunks_exact(3).map(|unit| unit[2]).collect();
        lambdas.sort_by(f64::total_cmp);
        match lambdas.get(lambdas.len() / 2) {
            Some(median) if (lambda / median - 1.0).abs() > MEDIAN_TOLERANCE => {
                Err(self.value(name, plain(lambda), MEDIAN_WANTED))
            }
            _ => Ok(()),
        }
    }

    /// The classes of the units, which several variables give, agree.
    fn classes(&self, network: &RateNetwork) -> Result<(), ModelError> {
        for (name, inhibitory) in [(names::INH, true), (names::EXC, false)] {
            if self.file.get(name).is_err() {
                continue;
            }
            let (_, listed) = self.matrix(name, self.units, Some(1))?;
            let differs = |k: &usize| (listed[*k] != 0.0) != (network.inhibitory[*k] == inhibitory);
            if let Some(unit) = (0..self.units).find(differs) {
                let value = format!("{} for unit {}", listed[unit], unit + 1);
                let wanted = "m has another sign for this unit: which of the two is right is not known; train again, or mend the file";
                return Err(self.value(name, value, wanted));
            }
        }
        if network.som_units > self.units {
            let wanted = "a network has no more units of one class than N";
            return Err(self.value(names::SOM_UNITS, network.som_units.to_string(), wanted));
        }
        Ok(())
    }

    fn units(&self) -> Result<usize, ModelError> {
        match self.count(names::UNITS)? {
            0 => Err(self.value(names::UNITS, "0".into(), "a network has at least one unit")),
            units => Ok(units),
        }
    }

    fn w_in(&self) -> Result<(usize, Vec<f32>), ModelError> {
        match self.matrix(names::W_IN, self.units, None)? {
            (0, _) => Err(self.value(
                names::W_IN,
                "no column".into(),
                "a network has at least one input",
            )),
            w_in => Ok(w_in),
        }
    }

    /// The weights of the outputs, outputs × N. A single row may be stored as a column.
    fn w_out(&self) -> Result<Vec<f32>, ModelError> {
        let (rows, columns, _) = self.file.matrix(names::W_OUT).map_err(|e| self.mat(e))?;
        let outputs = if columns == 1 && rows == self.units {
            1
        } else {
            rows.max(1)
        };
        Ok(self.matrix(names::W_OUT, outputs, Some(self.units))?.1)
    }

    /// The offsets of the outputs.
    fn offsets(&self, name: &'static str, outputs: usize) -> Result<Vec<f32>, ModelError> {
        let offsets = match outputs {
            1 => vec![self.file.scalar(name).map_err(|e| self.mat(e))?],
            _ => self.file.vector(name).map_err(|e| self.mat(e))?,
        };
        if offsets.len() != outputs {
            let found = format!("{} numbers", offsets.len());
            return Err(self.value(name, found, "it has one number for each row of w_out"));
        }
        let single = |offset: f64| match offset as f32 {
            single if single.is_finite() => Ok(single),
            _ if offset.is_finite() => Err(self.value(name, format!("{offset:e}"), TOO_LARGE)),
            _ => Err(self.value(name, offset.to_string(), "it must be finite")),
        };
        offsets.into_iter().map(single).collect()
    }

    /// Whether the inputs bypass the synapses: not those of the published code.
    fn direct_inputs(&self) -> Result<bool, ModelError> {
        if self.file.get(DIRECT).is_err() {
            return Ok(false);
        }
        match self.file.scalar(DIRECT).map_err(|e| self.mat(e))? {
            0.0 => Ok(false),
            1.0 => Ok(true),
            other => Err(self.value(DIRECT, other.to_string(), "it is 0 or 1")),
        }
    }

    /// Length of a step: that of the published code, if the file does not say it.
    fn sample_ms(&self) -> Result<f64, ModelError> {
        if self.file.get(SAMPLE).is_err() {
            return Ok(SAMPLE_MS);
        }
        let sample_ms = self.file.scalar(SAMPLE).map_err(|e| self.mat(e))?;
        if sample_ms > 0.0 && sample_ms.is_finite() {
            return Ok(sample_ms);
        }
        let wanted = "a step of the rate network lasts a positive number of milliseconds";
        Err(self.value(SAMPLE, sample_ms.to_string(), wanted))
    }

    /// True for inhibitory units, from the diagonal of m.
    fn inhibitory(&self) -> Result<Vec<bool>, ModelError> {
        let m = self.square(names::M)?;
        let n = self.units;
        if let Some(k) = (0..n * n).find(|k| k / n != k % n && m[*k] != 0.0) {
            let value = format!("{} at row {}, column {}", m[k], k / n + 1, k % n + 1);
            return Err(self.value(names::M, value, "it is 0 outside its diagonal"));
        }
        (0..n)
            .map(|i| match m[i * n + i] {
                1.0 => Ok(false),
                -1.0 => Ok(true),
                other => {
                    let value = format!("{other} at row {0}, column {0}", i + 1);
                    Err(self.value(names::M, value, "its diagonal is 1 or -1"))
                }
            })
            .collect()
    }

    fn som_mask(&self) -> Result<Vec<f32>, ModelError> {
        let mask = self.square(names::SOM_M)?;
        let n = self.units;
        match mask.iter().position(|x| *x != 0.0 && *x != 1.0) {
            Some(k) => {
                let value = format!("{} at row {}, column {}", mask[k], k / n + 1, k % n + 1);
                Err(self.value(names::SOM_M, value, "it is 0 or 1 everywhere"))
            }
            None => Ok(mask),
        }
    }

    fn taus(&self) -> Result<DecayTaus, ModelError> {
        let numbers = self.file.vector(names::TAUS).map_err(|e| self.mat(e))?;
        let taus: Vec<f32> = numbers.iter().map(|&x| x as f32).collect();
        DecayTaus::from_numbers(&taus)
            .filter(|_| taus.iter().all(|tau| *tau > 0.0 && tau.is_finite()))
            .filter(|_| taus.is_sorted())
            .ok_or_else(|| {
                self.value(
                    names::TAUS,
                    format!("{numbers:?}"),
                    "one or two positive numbers of steps, the smaller one first",
                )
            })
    }

    fn activation(&self) -> Result<ActivationKind, ModelError> {
        let name = self.file.text(names::ACTIVATION).map_err(|e| self.mat(e))?;
        ActivationKind::from_name(&name).ok_or_else(|| {
            self.value(
                names::ACTIVATION,
                name,
                "sigmoid, clipped_relu, softplus and lif are known",
            )
        })
    }

    /// Whether the sign of a weight is its sender's, so that `w` holds raw weights on
    /// which relu acts. A variable of the file may say so. Otherwise an inhibitory
    /// unit in `m` does: the published code gives signs to units only under Dale's
    /// principle. Without an inhibitory unit, negative weights are weights as they
    /// are, and where none is negative the principle changes nothing.
    fn dale(&self, w: &[f32], inhibitory: &[bool]) -> Result<bool, ModelError> {
        let signs = inhibitory.contains(&true);
        let negative = w.iter().any(|&w| w < 0.0);
        let Some(name) = DALE.into_iter().find(|name| self.file.get(name).is_ok()) else {
            return Ok(signs || !negative);
        };
        let said = self.file.scalar(name).map_err(|e| self.mat(e))?;
        let other = DALE.map(|other| self.file.scalar(other).ok());
        if let [Some(one), Some(two)] = other
            && one != two
        {
            let wanted = "the variable dale says the opposite: keep the one that is right";
            return Err(self.value(name, said.to_string(), wanted));
        }
        match (said == 1.0, said == 0.0) {
            (true, _) => Ok(true),
            (_, true) if signs && negative => {
                let wanted = "without Dale's principle m is 1 on its diagonal, or no weight in w is negative";
                Err(self.value(name, "0".into(), wanted))
            }
            (_, true) => Ok(false),
            _ => Err(self.value(name, said.to_string(), "it is 0 or 1")),
        }
    }

    fn network(mut self, problems: &mut Problems) -> Option<RateNetwork> {
        self.units = problems.keep(self.units())?;
        let w = problems.keep(self.square(names::W));
        let w_in = problems.keep(self.w_in());
        let taus = problems.keep(self.taus());
        let inhibitory = problems.keep(self.inhibitory());
        let som_units = problems.keep(self.count(names::SOM_UNITS));
        let activation = problems.keep(self.activation());
        let som_mask = problems.keep(self.som_mask());
        let w_out = problems.keep(self.w_out());
        // A damaged w_out does not hide a damaged b_out.
        let outputs = w_out.as_ref().map_or(1, |w_out| w_out.len() / self.units);
        let b_out = problems.keep(self.offsets(names::B_OUT, outputs));
        let sample_ms = problems.keep(self.sample_ms());
        let direct_inputs = problems.keep(self.direct_inputs());
        let tau_theta = problems.keep(self.column(names::TAUS_GAUS));
        let (w, inhibitory) = (w?, inhibitory?);
        let dale = problems.keep(self.dale(&w, &inhibitory));
        let (channels, w_in) = w_in?;
        Some(RateNetwork {
            units: self.units,
            channels,
            inhibitory,
            som_units: som_units?,
            dale: dale?,
            activation: activation?,
            direct_inputs: direct_inputs?,
            sample_ms: sample_ms?,
            taus: taus?,
            w,
            som_mask: som_mask?,
            w_in,
            readout: Readout {
                weights: w_out?,
                offset: b_out?,
            },
            tau_theta: tau_theta?,
        })
    }

    /// The network with its weights before training; `None` where the file does not
    /// have them.
    pub(super) fn initial(&self, network: &RateNetwork) -> Result<Option<RateNetwork>, ModelError> {
        if self.file.get(names::W0).is_err() {
            return Ok(None);
        }
        let w = self.square(names::W0)?;
        Ok(Some(RateNetwork {
            dale: self.dale(&w, &network.inhibitory)?,
            w,
            ..network.clone()
        }))
    }

    /// The readout that was fitted to spikes; see `RateModelFile::refitted_rows`.
    pub(super) fn refitted_readout(
        &self,
        outputs: usize,
    ) -> Result<Option<Readout<f32>>, ModelError> {
        if self.file.get(REFITTED).is_err() {
            return Ok(None);
        }
        Ok(Some(Readout {
            weights: self.matrix(REFITTED, outputs, Some(self.units))?.1,
            offset: match outputs {
                1 => vec![0.0],
                _ => self.offsets(REFITTED_OFFSET, outputs)?,
            },
        }))
    }

    /// See `RateModelFile::keeps_offset`.
    pub(super) fn keeps_offset(&self) -> Result<bool, ModelError> {
        if self.file.get(KEEPS_OFFSET).is_err() {
            return Ok(false);
        }
        match self.file.scalar(KEEPS_OFFSET).map_err(|e| self.mat(e))? {
            0.0 => Ok(false),
            1.0 => Ok(true),
            value => Err(self.value(
                KEEPS_OFFSET,
                value.to_string(),
                "give 0 or 1, or calibrate again: rate2spike convert --calibrate --force",
            )),
        }
    }

    /// The calibration; see `RateModelFile::calibration_rows`.
    pub(super) fn calibration(&self) -> Result<Option<Vec<f32>>, ModelError> {
        if self.file.get(CALIBRATION).is_err() {
            return Ok(None);
        }
        let (_, values) = self.matrix(CALIBRATION, 3, Some(self.units))?;
        let row = |k: usize| &values[k * self.units..(k + 1) * self.units];
        let wanted = "calibrate again: rate2spike convert --calibrate --force";
        for (k, what) in [(0, "a scale"), (2, "a lambda")] {
            if let Some(value) = row(k).iter().find(|&&x| x <= 0.0) {
                return Err(self.value(CALIBRATION, format!("{what} of {value}"), wanted));
            }
        }
        Ok(Some(values))
    }
}

/// The way out for a number that a file holds and the program cannot.
const TOO_LARGE: &str = "the program computes with single precision, in which this is infinite: the training diverged or the file is damaged";
