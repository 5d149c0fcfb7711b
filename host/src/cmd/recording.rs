//! Recorded trials as files: `.mat` and `.npz` under the same names, or tables
//! in `.csv`.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::CommandError;
use crate::formats::disk;
use crate::formats::mat::{MatFile, Value};
use crate::formats::npz::{Npz, Values};
use crate::formats::outputs::Outputs;
use crate::formats::rate_model::write_mat;
use crate::spiking::network::SpikingNetwork;
use crate::spiking::record::Record;

/// Begin of the table of outputs; a column a trial follows.
const OUTPUT_HEAD: &str = "step,time_ms";

/// Head of the table of firing rates.
const RATE_HEAD: &str = "trial,unit,rate_hz";

/// The table `what` beside the table of the spikes in `path`.
fn beside(path: &Path, what: &str) -> PathBuf {
    let mut name = path.file_stem().unwrap_or_default().to_os_string();
    name.push(format!("_{what}.csv"));
    path.with_file_name(name)
}

/// Format of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// MATLAB's.
    Mat,
    /// NumPy's.
    Npz,
    /// Text with commas.
    Csv,
}

impl Format {
    /// As the name of the file says; its folder must be writable.
    pub fn of(path: &Path) -> Result<Self, CommandError> {
        let format = match path.extension().and_then(|extension| extension.to_str()) {
            Some("mat") => Format::Mat,
            Some("npz") => Format::Npz,
            Some("csv") => Format::Csv,
            _ => {
                return Err(CommandError::Usage(format!(
                    "{}: recordings are written as .mat, .npz or .csv; give a name that ends in one of them",
                    path.display()
                )));
            }
        };
        disk::check_rewritable(path)?;
        if format == Format::Csv {
            let mut files = Outputs::new();
            files.writes("--output", path)?;
            for (table, head) in [("out", OUTPUT_HEAD), ("rates", RATE_HEAD)] {
                files.derives("--output", &beside(path, table), |bytes| {
                    bytes.starts_with(head.as_bytes())
                })?;
            }
        }
        Ok(format)
    }
}

/// Trials that were recorded.
#[derive(Clone, Debug)]
pub struct Recorded<'a> {
    /// The network.
    pub network: &'a SpikingNetwork,
    /// Length of a step, ms.
    pub step_ms: f64,
    /// Steps of a trial.
    pub steps: usize,
    /// One a trial.
    pub records: Vec<&'a Record>,
    /// The right answer of each, where a task gave it.
    pub labels: Vec<Option<i8>>,
    /// Whether potentials and filtered rates were recorded.
    pub sampled: bool,
}

impl Recorded<'_> {
    /// Writes the recording; returns the files.
    ///
    /// # Errors
    /// If one cannot be written.
    pub fn write(&self, path: &Path, format: Format) -> Result<Vec<PathBuf>, CommandError> {
        match format {
            Format::Mat => write_mat(path, &self.mat())?,
            Format::Npz => self.npz().write(path)?,
            Format::Csv => return self.write_tables(path),
        }
        Ok(vec![path.into()])
    }

    /// Trial, step and unit of every spike, all counted from 1.
    fn spikes(&self) -> impl Iterator<Item = (u32, u32, u32)> + '_ {
        (1..).zip(&self.records).flat_map(|(trial, record)| {
            record
                .spikes
                .iter()
                .map(move |&(step, unit)| (trial, step, unit + 1))
        })
    }

    fn labels(&self) -> Option<Vec<i8>> {
        self.labels.iter().copied().collect()
    }

    fn mat(&self) -> MatFile {
        let column = |part: fn((u32, u32, u32)) -> u32| {
            Value::column::<f64>(self.spikes().map(|spike| part(spike).into()).collect())
        };
        let out: Vec<f64> = (0..self.steps)
            .flat_map(|t| self.records.iter().map(move |record| record.output[t]))
            .collect();
        let mut file = MatFile::new();
        let mut put = |name: &str, value: Value| file.insert(name, value);
        put("spk_unit", column(|(_, _, unit)| unit));
        put("spk_step", column(|(_, step, _)| step));
        put("spk_trial", column(|(trial, _, _)| trial));
        put("out", Value::matrix(self.records.len(), self.steps, out));
        put("lambda", Value::scalar(self.network.lambda));
        put("dt", Value::scalar(self.step_ms / 1000.0));
        put("nt", Value::scalar(self.steps as f64));
        if let Some(labels) = self.labels() {
            let labels = labels.iter().map(|&label| label.into()).collect();
            put("labels", Value::column::<f64>(labels));
        }
        if self.sampled {
            self.put_samples(&mut put);
        }
        file
    }

    /// v and rs: units × recorded steps, trial after trial.
    fn put_samples(&self, put: &mut impl FnMut(&str, Value)) {
        let units = self.network.units;
        let all = |values: fn(&Record) -> &Vec<f64>| -> Value {
            let values = self.all(values);
            Value::matrix(units, values.len() / units, values)
        };
        let sampled: Vec<f64> = self.sampled_steps().map(f64::from).collect();
        put("v", all(|record| &record.potentials));
        put("rs", all(|record| &record.rates));
        put("v_idx", Value::row(sampled.clone()));
        put("rs_idx", Value::row(sampled));
    }

    fn all(&self, values: fn(&Record) -> &Vec<f64>) -> Vec<f64> {
        let records = self.records.iter();
        records
            .flat_map(|record| values(record).iter().copied())
            .collect()
    }

    fn sampled_steps(&self) -> impl Iterator<Item = u32> + '_ {
        self.records
            .iter()
            .flat_map(|record| record.sampled.iter().copied())
    }

    fn npz(&self) -> Npz {
        let (trials, units) = (self.records.len(), self.network.units);
        let mut file = Npz::new();
        let integers = |file: &mut Npz, name: &str, values: Vec<i64>| {
            file.insert(name, &[values.len()], Values::I64(values));
        };
        let column = |part: fn((u32, u32, u32)) -> u32| -> Vec<i64> {
            self.spikes().map(|spike| part(spike).into()).collect()
        };
        integers(&mut file, "spk_unit", column(|(_, _, unit)| unit));
        integers(&mut file, "spk_step", column(|(_, step, _)| step));
        integers(&mut file, "spk_trial", column(|(trial, _, _)| trial));
        let out = self.all(|record| &record.output);
        file.insert("out", &[trials, self.steps], Values::F64(out));
        file.number("lambda", self.network.lambda);
        file.number("dt", self.step_ms / 1000.0);
        file.insert("nt", &[], Values::I64(vec![self.steps as i64]));
        if let Some(labels) = self.labels() {
            integers(
                &mut file,
                "labels",
                labels.into_iter().map(i64::from).collect(),
            );
        }
        if self.sampled {
            // Units × recorded steps, as in a .mat: the last index is fastest.
            let turned = |values: Vec<f64>| -> Vec<f64> {
                let steps = values.len() / units;
                (0..values.len())
                    .map(|k| values[k % steps * units + k / steps])
                    .collect()
            };
            for (name, values) in [
                ("v", self.all(|record| &record.potentials)),
                ("rs", self.all(|record| &record.rates)),
            ] {
                let shape = [units, values.len() / units];
                file.insert(name, &shape, Values::F64(turned(values)));
            }
            let steps: Vec<i64> = self.sampled_steps().map(i64::from).collect();
            integers(&mut file, "v_idx", steps.clone());
            integers(&mut file, "rs_idx", steps);
        }
        file
    }

    /// Spikes in `path`; outputs and firing rates in files beside it.
    fn write_tables(&self, path: &Path) -> Result<Vec<PathBuf>, CommandError> {
        let files = [
            (path.to_path_buf(), self.spike_table()),
            (beside(path, "out"), self.output_table()),
            (beside(path, "rates"), self.rate_table()),
        ];
        for (path, text) in &files {
            disk::write(path, text.as_bytes())?;
        }
        Ok(files.map(|(path, _)| path).into())
    }

    fn spike_table(&self) -> String {
        let mut text = String::from("trial,step,time_ms,unit\n");
        for (trial, step, unit) in self.spikes() {
            let time_ms = self.time_ms(step);
            line(&mut text, format_args!("{trial},{step},{time_ms},{unit}"));
        }
        text
    }

    /// A column a trial.
    fn output_table(&self) -> String {
        let names = (1..=self.records.len()).map(|trial| format!(",trial_{trial}"));
        let mut text = format!("{OUTPUT_HEAD}{}\n", names.collect::<String>());
        for (t, step) in (0..self.steps).zip(1..) {
            let outputs = self
                .records
                .iter()
                .map(|record| format!(",{}", record.output[t]));
            let outputs: String = outputs.collect();
            line(
                &mut text,
                format_args!("{step},{}{outputs}", self.time_ms(step)),
            );
        }
        text
    }

    /// Mean firing rate of every unit in every trial.
    fn rate_table(&self) -> String {
        let seconds = self.steps as f64 * self.step_ms / 1000.0;
        let mut text = format!("{RATE_HEAD}\n");
        for (trial, record) in (1..).zip(&self.records) {
            let mut counts = vec![0u32; self.network.units];
            record
                .spikes
                .iter()
                .for_each(|(_, unit)| counts[*unit as usize] += 1);
            for (unit, count) in (1..).zip(counts) {
                let rate = f64::from(count) / seconds;
                line(&mut text, format_args!("{trial},{unit},{rate}"));
            }
        }
        text
    }

    /// Rounded to the nanosecond: 0.05 · 3 is no round number.
    fn time_ms(&self, step: u32) -> f64 {
        (f64::from(step) * self.step_ms * 1e6).round() / 1e6
    }
}

fn line(text: &mut String, content: std::fmt::Arguments) {
    writeln!(text, "{content}").expect("a string takes every text");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spiking::neuron::Neuron;

    #[test]
    fn tables_count_from_one_and_give_times_and_rates() {
        let network = SpikingNetwork {
            neuron: Neuron::LIF,
            units: 2,
            channels: 1,
            weights: vec![0.0; 4],
            input_weights: vec![0.0; 2],
            offset_mv: vec![0.0; 2],
            readout: vec![0.0; 2],
            decay_ms: vec![50.0; 2],
            lambda: 25.0,
        };
        let record = Record {
            spikes: vec![(1, 1), (3, 1)],
            output: vec![0.0, 0.5, -1.0, 0.25],
            ..Record::default()
        };
        let recorded = Recorded {
            network: &network,
            step_ms: 0.05,
            steps: 4,
            records: vec![&record, &record],
            labels: vec![None, None],
            sampled: false,
        };
        assert_eq!(
            recorded.spike_table(),
            "trial,step,time_ms,unit\n1,1,0.05,2\n1,3,0.15,2\n2,1,0.05,2\n2,3,0.15,2\n"
        );
        let output = recorded.output_table();
        assert!(output.starts_with("step,time_ms,trial_1,trial_2\n1,0.05,0,0\n2,0.1,0.5,0.5\n"));
        assert_eq!(output.lines().count(), 5);
        // Two spikes in 0.2 ms.
        assert!(recorded.rate_table().contains("\n1,2,10000\n2,1,0\n"));
    }
}
