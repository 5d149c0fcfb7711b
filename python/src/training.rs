//! Training.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use rate2spike::formats::rate_model::{RateModelFile, file_name};
use rate2spike::rate::activation::ActivationKind;
use rate2spike::session::Session;

use super::fault::{Fault, Outcome, as_python, warn};
use super::model::Model;
use super::options;
use super::progress::Watch;
use super::task::Task;

/// Trains a rate network. See `rate2spike.train`.
#[pyfunction]
#[pyo3(signature = (task, options, output_dir=None, checkpoint_every=0, resume=false, start=None, progress=None))]
#[allow(clippy::too_many_arguments)] // The arguments of a function of Python.
pub fn train(
    py: Python,
    task: &Bound<PyAny>,
    options: &Bound<PyDict>,
    output_dir: Option<PathBuf>,
    checkpoint_every: usize,
    resume: bool,
    start: Option<&Bound<Model>>,
    progress: Option<Py<PyAny>>,
) -> Outcome<Model> {
    let task = Task::of(task)?;
    let options = options::training(&task, ActivationKind::Sigmoid, Some(options))?;
    let session = Session {
        output: output_dir.clone().unwrap_or_else(|| ".".into()),
        checkpoint_every,
        resume,
        losses: None,
        from: start.map(|model| model.borrow().file.clone()),
    };
    let mut watch = Watch::new(progress);
    let trained = py.detach(|| {
        session.check(&options)?;
        session.train_unsaved(&options, &mut watch)
    });
    if let Some(raised) = watch.callback_failed(py) {
        return Err(Fault::Raised(raised));
    }
    let trained = trained.map_err(|error| match Fault::from(error) {
        // The words of the command line name its flag.
        Fault::Interrupted(sentence) => {
            let advice = "the same command with --resume goes on";
            Fault::Interrupted(sentence.replace(advice, "the same call with resume=True goes on"))
        }
        fault => fault,
    })?;
    let history = session.history(&options, &trained);
    let file = match output_dir {
        Some(_) => RateModelFile::read(&session.save(&options, &trained)?)?,
        None => {
            let name = file_name(&options, "in_memory");
            RateModelFile::of_training(&PathBuf::from(name), &options, &trained)?
        }
    };
    if !trained.success {
        let sentence = "the criterion was not met; the network is returned all the same. Try more --n_trials or another --seed";
        warn(py, &as_python(sentence))?;
    }
    Ok(Model {
        success: Some(trained.success),
        history: Some(history),
        task: Some(options.task.clone()),
        file,
    })
}
