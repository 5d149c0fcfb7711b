//! What goes wrong, as exceptions of the package: the sentence of the host, with the
//! options named as in Python.

use std::any::Any;
use std::error::Error;
use std::io;

use pyo3::exceptions::{PyKeyboardInterrupt, PyRuntimeError, PyTypeError, PyUserWarning};
use pyo3::prelude::*;
use rate2spike::session::SessionError;

/// A call that failed.
#[derive(Debug)]
pub enum Fault {
    /// A value that cannot be used: `rate2spike.InvalidValue`.
    Value(String),
    /// A name that no option has: `TypeError`.
    Option(String),
    /// A file that is not there: `rate2spike.MissingFile`.
    Missing(String),
    /// A file that cannot be read or written: `rate2spike.FileError`.
    File(String),
    /// Work that did not come to its end: `rate2spike.Error`.
    Failed(String),
    /// Ctrl-C: `KeyboardInterrupt`.
    Interrupted(String),
    /// An exception that Python raised.
    Raised(PyErr),
}

/// The result of a call from Python.
pub type Outcome<T> = Result<T, Fault>;

impl<E: Error + 'static> From<E> for Fault {
    fn from(error: E) -> Self {
        let any: &dyn Any = &error;
        if let Some(raised) = any.downcast_ref::<PyErr>() {
            return Self::Raised(Python::attach(|py| raised.clone_ref(py)));
        }
        let sentence = error.to_string();
        match any.downcast_ref::<SessionError>() {
            Some(SessionError::Interrupted { .. } | SessionError::NotBegun { .. }) => {
                return Self::Interrupted(sentence);
            }
            Some(SessionError::Diverged { .. } | SessionError::Elsewhere { .. }) => {
                return Self::Failed(sentence);
            }
            _ => {}
        }
        let mut cause: Option<&dyn Error> = Some(&error);
        while let Some(error) = cause {
            match error.downcast_ref::<io::Error>().map(io::Error::kind) {
                Some(io::ErrorKind::NotFound) => return Self::Missing(sentence),
                Some(_) => return Self::File(sentence),
                None => cause = error.source(),
            }
        }
        Self::Value(sentence)
    }
}

impl From<Fault> for PyErr {
    fn from(fault: Fault) -> Self {
        let (class, sentence) = match fault {
            Fault::Raised(error) => return error,
            Fault::Option(sentence) => return PyTypeError::new_err(sentence),
            Fault::Interrupted(sentence) => {
                return PyKeyboardInterrupt::new_err(as_python(&sentence));
            }
            Fault::Value(sentence) => ("InvalidValue", sentence),
            Fault::Missing(sentence) => ("MissingFile", sentence),
            Fault::File(sentence) => ("FileError", sentence),
            Fault::Failed(sentence) => ("Error", sentence),
        };
        Python::attach(|py| {
            let sentence = as_python(&sentence);
            let made = py
                .import("rate2spike._errors")
                .and_then(|module| module.getattr(class))
                .and_then(|class| class.call1((&sentence,)));
            match made {
                Ok(value) => PyErr::from_value(value),
                Err(_) => PyRuntimeError::new_err(sentence),
            }
        })
    }
}

/// `sentence` with the flags of the command line as options of Python: `--dt` becomes
/// `dt`, `--record-every` becomes `record_every`. A command between backticks stays.
pub fn as_python(sentence: &str) -> String {
    let mut commands = 0;
    let words = sentence.split(' ').map(|word| {
        let is_command = commands % 2 == 1;
        commands += word.matches('`').count();
        let (before, rest) = match word.strip_prefix('(') {
            Some(rest) => ("(", rest),
            None => ("", word),
        };
        let begins = |name: &&str| name.starts_with(|letter: char| letter.is_ascii_alphabetic());
        match rest.strip_prefix("--").filter(begins) {
            Some(name) if !is_command => {
                // The word is taken in Python.
                let name = name.replace("lambda", "scaling_factor").replace('-', "_");
                format!("{before}{}", name.replace("scaling_factors", "lambdas"))
            }
            _ => word.into(),
        }
    });
    words.collect::<Vec<String>>().join(" ")
}

/// Warns of what is right and easy to misread: a `UserWarning`.
pub fn warn(py: Python, sentence: &str) -> PyResult<()> {
    let sentence = as_python(sentence);
    let warnings = py.import("warnings")?;
    let class = py.get_type::<PyUserWarning>();
    // The line of the caller, and not one of this package.
    warnings.call_method1("warn", (sentence, class, 2))?;
    Ok(())
}

/// Warns of each of these.
pub fn warn_all(py: Python, sentences: impl IntoIterator<Item = String>) -> PyResult<()> {
    sentences
        .into_iter()
        .try_for_each(|sentence| warn(py, &sentence))
}
