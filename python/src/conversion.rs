//! The search for λ, and the calibration of the units.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use rate2spike::convert::calibrate::Request;
use rate2spike::convert::choice::StepChoice;
use rate2spike::convert::flags::Flags;
use rate2spike::convert::one_to_one;
use rate2spike::convert::refit::{RefitTrials, TriedRefit, try_refit};
use rate2spike::convert::search::{Search, Standing, best, default_lambdas, trials_met};
use rate2spike::spiking::simulation::check_downsample;
use rate2spike::spiking::time_step::TimeStep;
use rate2spike::task::Task as HostTask;
use rate2spike::task::description::Part;

use super::arrays::array;
use super::fault::{Fault, Outcome};
use super::model::Model;
use super::options::NeuronOptions;
use super::progress::Watch;
use super::task::{Task, checked_trials};

/// The options of a conversion; see `Model.convert`.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct ConversionOptions<'py> {
    lambdas: Option<Vec<f64>>,
    trials: usize,
    seed: u64,
    race: bool,
    refit_readout: Option<usize>,
    calibrate: bool,
    initial_weights: bool,
    task: Option<Bound<'py, PyAny>>,
    progress: Option<Py<PyAny>>,
    neuron: Bound<'py, PyDict>,
}

impl ConversionOptions<'_> {
    /// Converts, and puts the result into the variables of `model`.
    ///
    /// # Errors
    /// If an option makes no sense, or at Ctrl-C.
    pub fn run<'py>(mut self, py: Python<'py>, model: &mut Model) -> Outcome<Bound<'py, PyAny>> {
        let choice = NeuronOptions::of(Some(&self.neuron))?.choice()?;
        let task = model.task(Task::asked(self.task.as_ref())?.as_ref())?;
        self.trials = checked_trials(self.trials)?;
        let result = PyDict::new(py);
        result.set_item("calibrated", self.calibrate)?;
        if self.calibrate {
            self.calibrate(py, model, &task, &choice, &result)?;
        } else {
            self.search(py, model, &task, &choice, &result)?;
        }
        let class = py.import("rate2spike._results")?.getattr("Conversion")?;
        Ok(class.call((), Some(&result))?)
    }

    /// The trials of a refit of the readout, if one is asked for.
    fn refit_trials<'t>(&self, task: &'t HostTask, step: TimeStep) -> Option<RefitTrials<'t>> {
        let fitted = self.refit_readout?;
        Some(RefitTrials {
            task,
            step,
            seed: self.seed,
            fitted,
            scored: self.trials,
        })
    }

    fn search(
        &mut self,
        py: Python,
        model: &mut Model,
        task: &HostTask,
        choice: &StepChoice,
        result: &Bound<PyDict>,
    ) -> Outcome<()> {
        let network = if self.initial_weights {
            model.file.initial()?
        } else {
            model.file.network.clone()
        };
        let usual = || default_lambdas(network.activation);
        let lambdas = self.lambdas.take().unwrap_or_else(usual);
        if lambdas.is_empty() {
            return Err(Fault::Value("lambdas is empty; give at least one".into()));
        }
        let neuron = choice.neuron();
        let step = choice.step(&neuron)?;
        step.check_sample(task.sample_ms())?;
        check_downsample(task, &step)?;
        let search = Search {
            network: &network,
            task: task.on(Part::Validation),
            neuron,
            step,
            lambdas: &lambdas,
            trials: self.trials,
            seed: self.seed,
            race: self.race,
        };
        let mut watch = Watch::new(self.progress.take());
        let refit = self.refit_trials(task, step);
        let (candidates, best, refit) = py.detach(|| {
            let contest = search.contest()?;
            let candidates = contest.run(Standing::new(), |standing| {
                watch.trials(trials_met(standing))
            })?;
            let best = *best(&candidates).expect("there is at least one candidate");
            let refit = refit.map(|trials| {
                let converted = one_to_one(&network, best.lambda, neuron)?;
                Ok::<_, Fault>(try_refit(&converted, &trials)?)
            });
            Ok::<_, Fault>((candidates, best, refit.transpose()?))
        })?;
        if !self.initial_weights {
            let readout = refit.as_ref().and_then(TriedRefit::kept);
            let flags = Flags::of_search(&search, self.refit_readout).and(choice.flags());
            model.file.take_search(&candidates, &best, readout, &flags);
        }
        let all = |value: fn(&rate2spike::convert::search::Candidate) -> f64| {
            array(
                py,
                &[candidates.len()],
                candidates.iter().map(value).collect(),
            )
        };
        result.set_item("lambdas", all(|c| c.lambda)?)?;
        result.set_item("accuracies", all(|c| c.accuracy)?)?;
        result.set_item("strict", all(|c| c.strict)?)?;
        result.set_item("mean_rate_hz", all(|c| c.mean_rate_hz)?)?;
        result.set_item("output_error", all(|c| c.output_error)?)?;
        let trials = candidates.iter().map(|c| c.trials as i64).collect();
        result.set_item("trials", array(py, &[candidates.len()], trials)?)?;
        result.set_item("best_lambda", best.lambda)?;
        Ok(())
    }

    fn calibrate(
        &mut self,
        py: Python,
        model: &mut Model,
        task: &HostTask,
        choice: &StepChoice,
        result: &Bound<PyDict>,
    ) -> Outcome<()> {
        for (name, given) in [
            ("lambdas", self.lambdas.is_some()),
            ("race", self.race),
            ("initial_weights", self.initial_weights),
        ] {
            if given {
                return Err(Fault::Value(format!(
                    "{name} belongs to a search; leave {name} or calibrate out"
                )));
            }
        }
        let neuron = choice.neuron();
        let network = &model.file.network;
        let step = choice.step(&neuron)?;
        step.check_sample(task.sample_ms())?;
        check_downsample(task, &step)?;
        let request = Request::new(network, task, neuron, step, self.trials, self.seed);
        let refit = self.refit_trials(task, step);
        let (found, refit) = py.detach(|| {
            let found = request.find()?;
            let calibrated = found.calibration.network(network, neuron)?;
            let refit = refit.map(|trials| try_refit(&calibrated, &trials));
            Ok::<_, Fault>((found, refit.transpose()?))
        })?;
        py.check_signals()?;
        let flags = Flags::of_calibration(self.trials, self.seed, self.refit_readout);
        let readout = refit.as_ref().and_then(TriedRefit::kept);
        let flags = flags.and(choice.flags());
        model
            .file
            .take_calibration(&found.calibration, readout, &flags);
        let lambda = found.calibration.median_lambda();
        let one = |value: f64| array(py, &[1], vec![value]);
        result.set_item("lambdas", one(lambda)?)?;
        result.set_item("accuracies", one(found.score.accuracy())?)?;
        result.set_item("strict", one(found.score.strict_accuracy())?)?;
        result.set_item("mean_rate_hz", one(found.score.mean_rate_hz)?)?;
        result.set_item("output_error", one(f64::NAN)?)?;
        result.set_item("trials", array(py, &[1], vec![self.trials as i64])?)?;
        result.set_item("best_lambda", lambda)?;
        Ok(())
    }
}
