//! The results of simulated trials, on their way to Python's data class `Spikes`.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use rate2spike::number::hexadecimal;
use rate2spike::spiking::experiment::Outcome as TrialOutcome;
use rate2spike::spiking::record::RecordedTrial;

use super::arrays::array;
use super::figure::Drawings;

/// What was recorded of all trials.
#[derive(Default)]
pub struct Recorded {
    unit: Vec<u32>,
    step: Vec<u32>,
    trial: Vec<u32>,
    /// Trials × outputs × steps.
    output: Vec<f64>,
    /// Trials × units × recorded steps.
    potentials: Vec<f64>,
    rates: Vec<f64>,
    currents: Vec<f64>,
    /// The recorded steps, counted from 0.
    sampled: Vec<u32>,
    labels: Vec<i64>,
    outcomes: Vec<TrialOutcome>,
}

/// Facts of the network and its trials.
pub struct Setting {
    /// Units of the network.
    pub units: usize,
    /// Outputs of the network.
    pub outputs: usize,
    /// Steps of a trial.
    pub steps: usize,
    /// Length of a step, ms.
    pub step_ms: f64,
    /// λ; a deployed network holds it to a thousandth.
    pub lambda: f64,
    /// The hash of all spikes.
    pub spike_hash: u64,
    /// Mean firing rate, Hz.
    pub mean_rate_hz: f64,
}

/// `values` of rows of `width` with rows and columns exchanged.
fn turned(values: &[f64], width: usize) -> impl Iterator<Item = f64> {
    (0..width).flat_map(move |column| values.iter().skip(column).step_by(width).copied())
}

impl Recorded {
    /// Adds a trial; `label` is the right answer, if there is one.
    pub fn add(&mut self, record: &RecordedTrial, label: Option<i16>, outcome: TrialOutcome) {
        let trial = self.outcomes.len() as u32;
        for &(step, unit) in &record.spikes {
            self.unit.push(unit);
            self.step.push(step - 1);
            self.trial.push(trial);
        }
        self.output.extend(turned(&record.output, record.outputs));
        if !record.sampled.is_empty() {
            let units = record.potentials.len() / record.sampled.len();
            self.potentials.extend(turned(&record.potentials, units));
            self.rates.extend(turned(&record.rates, units));
            self.currents.extend(turned(&record.currents, units));
            self.sampled = record.sampled.iter().map(|step| step - 1).collect();
        }
        self.labels.extend(label.map(i64::from));
        self.outcomes.push(outcome);
    }

    /// The outcomes of the trials.
    pub fn outcomes(&self) -> &[TrialOutcome] {
        &self.outcomes
    }

    /// The data class.
    pub fn spikes<'py>(
        self,
        py: Python<'py>,
        setting: &Setting,
        drawings: Option<Drawings>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let trials = self.outcomes.len();
        let spikes = PyDict::new(py);
        let count = self.unit.len();
        let wide = |values: Vec<u32>| values.into_iter().map(i64::from).collect::<Vec<_>>();
        spikes.set_item("unit", array(py, &[count], wide(self.unit))?)?;
        spikes.set_item("step", array(py, &[count], wide(self.step))?)?;
        spikes.set_item("trial", array(py, &[count], wide(self.trial))?)?;
        let shape = [trials, setting.outputs, setting.steps];
        spikes.set_item("output", array(py, &shape, self.output)?)?;
        let shape = [trials, setting.units, self.sampled.len()];
        let recorded = !self.sampled.is_empty();
        let some = |values: Vec<f64>| recorded.then(|| array(py, &shape, values)).transpose();
        spikes.set_item("potentials", some(self.potentials)?)?;
        spikes.set_item("rates", some(self.rates)?)?;
        spikes.set_item("currents", some(self.currents)?)?;
        let sampled = recorded.then(|| array(py, &[shape[2]], wide(self.sampled)));
        spikes.set_item("recorded_steps", sampled.transpose()?)?;
        let of_task = self.labels.len() == trials;
        let all = |value: fn(&TrialOutcome) -> bool| -> PyResult<_> {
            let values: Vec<bool> = self.outcomes.iter().map(value).collect();
            of_task.then(|| array(py, &[trials], values)).transpose()
        };
        spikes.set_item("correct", all(|outcome| outcome.correct)?)?;
        spikes.set_item("strictly_correct", all(|outcome| outcome.strict)?)?;
        let labels = of_task.then(|| array(py, &[trials], self.labels));
        spikes.set_item("labels", labels.transpose()?)?;
        let answers: Vec<i64> = self
            .outcomes
            .iter()
            .map(|outcome| outcome.answer.into())
            .collect();
        spikes.set_item("answers", array(py, &[trials], answers)?)?;
        spikes.set_item("units", setting.units)?;
        spikes.set_item("steps", setting.steps)?;
        spikes.set_item("dt_ms", setting.step_ms)?;
        spikes.set_item("scaling_factor", setting.lambda)?;
        spikes.set_item("mean_rate_hz", setting.mean_rate_hz)?;
        spikes.set_item("spike_hash", hexadecimal(setting.spike_hash))?;
        spikes.set_item("_drawings", drawings)?;
        let class = py.import("rate2spike._results")?.getattr("Spikes")?;
        class.call((), Some(&spikes))
    }
}
