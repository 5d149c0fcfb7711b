//! The result of one network of a sweep.

use serde::{Deserialize, Serialize};

use super::plan::{Member, NeuronOptions};
use crate::rate::fields::FIELDS;
use crate::rate::options::RateOptions;
use crate::spiking::experiment::Score;
use crate::statistics::Accuracy;

/// The result of one network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Place of the network's cell in the plan, from 0.
    pub cell: usize,
    /// All options of the training, the seed among them.
    pub options: RateOptions,
    /// The seed of the start that was kept; `None` where there was one start.
    #[serde(default)]
    pub start_seed: Option<u64>,
    /// The spiking neuron.
    pub neuron: NeuronOptions,
    /// Whether the training met its criterion.
    pub trained: bool,
    /// Number of updates of the training.
    pub updates: usize,
    /// Number of trials that the training has shown.
    pub training_trials: usize,
    /// The λ that a search found or the user gave.
    pub lambda: Option<f64>,
    /// Accuracy of the best λ on the trials of the search, as the published code reports
    /// it; `None` if nothing was searched.
    pub search_accuracy: Option<f64>,
    /// Whether each unit was calibrated. If so, `lambda` is the median of the units' λ, and
    /// `search_accuracy` the accuracy on the trials that chose the calibration.
    #[serde(default)]
    pub calibrated: bool,
    /// Trials of each score below.
    pub trials: usize,
    /// Scores of the rate network on fresh trials.
    pub rate: Scores,
    /// Scores of the spiking network in f64 at the published step.
    pub spiking: Option<Scores>,
    /// Scores of the deployed network in fixed point.
    pub fixed: Option<Scores>,
    /// Time step of the deployed network, ms.
    pub step_ms: f64,
    /// Mean firing rate of the spiking network, Hz.
    pub mean_rate_hz: Option<f64>,
    /// Size of the deployed network in bytes.
    pub blob_bytes: Option<usize>,
    /// Hash of the deployed network's spikes.
    pub spike_hash: Option<String>,
    /// Wall-clock time by stage.
    pub seconds: Seconds,
    /// Why a score is missing.
    pub error: Option<String>,
}

/// Shares of right answers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// The share by the published criterion.
    pub accuracy: f64,
    /// The share by the strict criterion.
    pub strict: f64,
}

impl From<Accuracy> for Scores {
    fn from(accuracy: Accuracy) -> Self {
        Self {
            accuracy: accuracy.accuracy,
            strict: accuracy.strict,
        }
    }
}

impl From<&Score> for Scores {
    fn from(score: &Score) -> Self {
        Self {
            accuracy: score.accuracy(),
            strict: score.strict_accuracy(),
        }
    }
}

/// Wall-clock time by stage, s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Seconds {
    /// Training.
    pub train: f64,
    /// Search of λ, conversion and the score in f64.
    pub convert: f64,
    /// Quantization and the score in fixed point.
    pub run: f64,
}

impl Row {
    /// The network of this row.
    pub fn member(&self) -> Member {
        Member {
            cell: self.cell,
            seed: self.options.seed,
        }
    }

    /// The row as one line of JSON, with the end of the line.
    pub fn json_line(&self) -> String {
        let mut line = serde_json::to_string(self).expect("plain numbers and strings");
        line.push('\n');
        line
    }

    /// The names of the columns of [`csv_line`](Self::csv_line), as a line.
    pub fn csv_header(&self) -> String {
        line(self.columns().map(|(name, _)| name.into()))
    }

    /// The row as a line of CSV.
    pub fn csv_line(&self) -> String {
        line(self.columns().map(|(_, value)| value))
    }

    fn columns(&self) -> impl Iterator<Item = (&'static str, String)> {
        let o = &self.options;
        let scores = |scores: Option<Scores>| {
            let field = |value: fn(Scores) -> f64| scores.map(value);
            (text(&field(|s| s.accuracy)), text(&field(|s| s.strict)))
        };
        let (rate, spiking, fixed) = (
            scores(Some(self.rate)),
            scores(self.spiking),
            scores(self.fixed),
        );
        let first = [
            ("cell", self.cell.to_string()),
            ("task", o.task.name().into()),
            ("units", o.units.to_string()),
            ("activation", o.activation.name().into()),
            ("seed", o.seed.to_string()),
            ("trained", self.trained.to_string()),
            ("updates", self.updates.to_string()),
            ("training_trials", self.training_trials.to_string()),
            ("lambda", text(&self.lambda)),
            ("search_accuracy", text(&self.search_accuracy)),
            ("calibrated", self.calibrated.to_string()),
            ("trials", self.trials.to_string()),
            ("rate_accuracy", rate.0),
            ("rate_strict", rate.1),
            ("spiking_accuracy", spiking.0),
            ("spiking_strict", spiking.1),
            ("fixed_accuracy", fixed.0),
            ("fixed_strict", fixed.1),
            ("step_ms", self.step_ms.to_string()),
            ("mean_rate_hz", text(&self.mean_rate_hz)),
            ("blob_bytes", text(&self.blob_bytes)),
            ("spike_hash", text(&self.spike_hash)),
            ("train_seconds", self.seconds.train.to_string()),
            ("convert_seconds", self.seconds.convert.to_string()),
            ("run_seconds", self.seconds.run.to_string()),
            ("equation", name(&self.neuron.equation)),
            ("refractory_ms", self.neuron.refractory_ms.to_string()),
            ("rise_ms", self.neuron.rise_ms.to_string()),
        ];
        let training = FIELDS.iter();
        let training = training.map(|field| (field.column, (field.text)(o).join(" ")));
        let last = [
            ("start_seed", text(&self.start_seed)),
            ("error", text(&self.error)),
        ];
        first.into_iter().chain(training).chain(last)
    }
}

/// The value as text; empty for `None`.
fn text(value: &Option<impl ToString>) -> String {
    value.as_ref().map_or(String::new(), ToString::to_string)
}

/// The name that the value of an enumeration has in JSON.
fn name(value: &impl Serialize) -> String {
    let json = serde_json::to_string(value).expect("a name");
    json.trim_matches('"').into()
}

/// Fields with commas between, quoted where they hold a comma, a quote or the
/// end of a line (RFC 4180).
fn line(fields: impl Iterator<Item = String>) -> String {
    let quoted = |field: String| {
        if field.contains([',', '"', '\n', '\r']) {
            format!("\"{}\"", field.replace('"', "\"\""))
        } else {
            field
        }
    };
    let fields: Vec<String> = fields.map(quoted).collect();
    fields.join(",") + "\n"
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::plan::{Calibrate, Cell, SweepPlan};
    use super::*;
    use crate::task::Task;

    /// A plan of `cells` cells like that of [`example`], with seeds up to
    /// `last_seed`.
    pub fn example_plan(cells: usize, last_seed: u64) -> SweepPlan {
        let cell = Cell {
            options: example(0, 1).options,
            restarts: 1,
            neuron: NeuronOptions::LIF,
            lambdas: vec![50.0],
            calibrate: Calibrate::Never,
        };
        SweepPlan {
            cells: vec![cell; cells],
            first_seed: 1,
            last_seed,
            search_trials: 10,
            trials: 10,
            step_ms: 0.1,
        }
    }

    /// A row with every kind of value.
    pub fn example(cell: usize, seed: u64) -> Row {
        Row {
            cell,
            options: RateOptions {
                seed,
                ..RateOptions::published(Task::mante(), 10)
            },
            start_seed: None,
            neuron: NeuronOptions::LIF,
            trained: true,
            updates: 102,
            training_trials: 102,
            lambda: Some(25.0),
            search_accuracy: None,
            calibrated: false,
            trials: 100,
            rate: Scores {
                accuracy: 0.97,
                strict: 0.5,
            },
            spiking: None,
            fixed: None,
            step_ms: 0.1,
            mean_rate_hz: None,
            blob_bytes: None,
            spike_hash: None,
            seconds: Seconds::default(),
            error: Some("one, \"two\"".into()),
        }
    }

    #[test]
    fn a_row_survives_its_line_of_json() {
        let mut row = example(1, 7);
        // A number keeps all its bits, because the summary is computed from it.
        for k in 0..1000 {
            row.seconds.train = f64::from(k).sqrt() + 0.1;
            let line = row.json_line();
            assert_eq!(line.matches('\n').count(), 1);
            assert_eq!(serde_json::from_str::<Row>(&line).expect("a row"), row);
        }
    }

    #[test]
    fn a_comma_in_a_field_does_not_begin_a_column() {
        let row = example(1, 7);
        let columns = row.csv_header().matches(',').count();
        let (fields, quoted) = {
            let line = row.csv_line();
            let (fields, quoted) = line.split_once('"').expect("a quoted field");
            (fields.to_string(), quoted.to_string())
        };
        assert_eq!(fields.matches(',').count(), columns);
        assert_eq!(quoted, "one, \"\"two\"\"\"\n");
    }
}
