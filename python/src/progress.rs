//! Ctrl-C and the progress of long work. The work runs without the interpreter's lock
//! and takes it for a moment every [`PAUSE`].

use std::time::{Duration, Instant};

use pyo3::prelude::*;
use rate2spike::rate::evaluation::Evaluation;
use rate2spike::rate::training::Progress;

use super::fault::{Fault, warn};

/// Time between two looks for Ctrl-C.
const PAUSE: Duration = Duration::from_millis(50);

/// Looks for Ctrl-C, and calls back.
pub struct Watch {
    callback: Option<Py<PyAny>>,
    looked: Instant,
    raised: Option<PyErr>,
}

impl Watch {
    /// Watches work that has just begun. `callback` is called as the work goes on.
    pub fn new(callback: Option<Py<PyAny>>) -> Self {
        Self {
            callback,
            looked: Instant::now(),
            raised: None,
        }
    }

    /// Looks whether Ctrl-C was pressed, and calls back with these arguments; does nothing
    /// if the last look is recent, unless `now`.
    fn look(&mut self, now: bool, arguments: impl Fn() -> (usize, f64, Option<f64>)) {
        if self.raised.is_some() || !now && self.looked.elapsed() < PAUSE {
            return;
        }
        self.looked = Instant::now();
        let callback = &self.callback;
        let looked = Python::attach(|py| {
            py.check_signals()?;
            match callback {
                Some(callback) => callback.call1(py, arguments()).map(drop),
                None => Ok(()),
            }
        });
        self.raised = looked.err();
    }

    /// Shows that `done` trials are done.
    ///
    /// # Errors
    /// `KeyboardInterrupt`, or what the callback raises.
    pub fn trials(&mut self, done: usize) -> Result<(), Fault> {
        self.look(false, || (done, f64::NAN, None));
        self.end()
    }

    /// What was raised, if something was.
    pub fn end(&mut self) -> Result<(), Fault> {
        self.raised
            .take()
            .map_or(Ok(()), |raised| Err(Fault::Raised(raised)))
    }

    /// What was raised, if it is no Ctrl-C.
    pub fn callback_failed(&mut self, py: Python) -> Option<PyErr> {
        let is_key =
            |raised: &mut PyErr| raised.is_instance_of::<pyo3::exceptions::PyKeyboardInterrupt>(py);
        self.raised.take_if(|raised| !is_key(raised))
    }
}

/// A training calls back with the number of updates, the loss, and after an evaluation the
/// accuracy.
impl Progress for Watch {
    fn resumed(&mut self, updates: usize) {
        self.look(updates > 0, || (updates, f64::NAN, None));
    }

    fn updated(&mut self, update: usize, loss: f32) {
        self.look(false, || (update + 1, loss.into(), None));
    }

    fn evaluated(&mut self, update: usize, evaluation: &Evaluation) {
        self.look(true, || {
            (update + 1, evaluation.loss, Some(evaluation.accuracy))
        });
    }

    fn warned(&mut self, sentence: &str) {
        let warned = Python::attach(|py| warn(py, sentence));
        if let Err(error) = warned {
            self.raised.get_or_insert(error);
        }
    }

    fn stops(&mut self) -> bool {
        self.raised.is_some()
    }
}
