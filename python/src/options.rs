//! Options by their names in Python: those of a training, and those of a neuron and its
//! time step.

use clap::ValueEnum;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyString};
use rate2spike::convert::choice::{EquationChoice, NeuronChoice, SchemeChoice, StepChoice};
use rate2spike::number::{above_0, up_to_1000};
use rate2spike::rate::activation::ActivationKind;
use rate2spike::rate::fields::{FIELDS, Field, Given};
use rate2spike::rate::options::{RateOptions, usual_units};
use rate2spike::task::Task;

use super::fault::{Fault, Outcome};

/// Names of the number of units.
const UNITS: [&str; 3] = ["N", "units", "n"];

/// A value as the command line has it.
fn text(value: &Bound<PyAny>) -> PyResult<String> {
    if value.is_instance_of::<PyBool>() {
        return Ok(if value.extract()? { "True" } else { "False" }.into());
    }
    Ok(value.str()?.to_string())
}

/// A value, or the values of a sequence, as the command line has them.
fn texts(value: &Bound<PyAny>) -> PyResult<Vec<String>> {
    if value.is_instance_of::<PyString>() {
        return Ok(vec![text(value)?]);
    }
    match value.try_iter() {
        Ok(values) => values.map(|value| text(&value?)).collect(),
        Err(_) => Ok(vec![text(value)?]),
    }
}

/// Whether `name` is a name of this field in Python.
fn names(field: &Field, name: &str) -> bool {
    let same = |other: &str| other.replace('-', "_").eq_ignore_ascii_case(name);
    same(field.flag) || field.aliases.iter().any(|alias| same(alias))
}

/// The options of a training, checked. What `options` leaves out is the default of
/// `rate2spike train`.
///
/// # Errors
/// If no option has a name, or a value is out of range.
pub fn training(
    task: &Task,
    default: ActivationKind,
    options: Option<&Bound<PyDict>>,
) -> Outcome<RateOptions> {
    let mut units = usual_units(task);
    let mut activation = default;
    let mut seed = 1;
    let mut given: Vec<(&'static Field, Vec<String>)> = Vec::new();
    for (name, value) in options.into_iter().flatten() {
        let name: String = name.extract()?;
        if value.is_none() {
            continue;
        }
        let whole = |value: &Bound<PyAny>| -> Outcome<u64> {
            value.extract().map_err(|_| {
                let said = text(value).unwrap_or_default();
                Fault::Value(format!("{name} = {said}: give a whole number, 0 or more"))
            })
        };
        if UNITS.contains(&name.as_str()) {
            units = whole(&value)? as usize;
        } else if name == "seed" {
            seed = whole(&value)?;
        } else if name == "act" {
            activation = choice("act", &text(&value)?)?;
        } else if let Some(field) = FIELDS.iter().find(|field| names(field, &name)) {
            given.push((field, texts(&value)?));
        } else {
            return Err(unknown(&name));
        }
    }
    let given = Given::collect(|field| {
        let found = given.iter().find(|(other, _)| other.flag == field.flag)?;
        Some(found.1.clone())
    });
    let defaults = RateOptions {
        seed,
        ..RateOptions::defaults(task.seeded(seed), units, activation)
    };
    let options = given.apply_to(defaults).map_err(Fault::Value)?;
    Ok(options.checked()?)
}

fn unknown(name: &str) -> Fault {
    let flags = FIELDS.iter().map(|field| field.flag);
    let all: Vec<&str> = ["N", "act", "seed"].into_iter().chain(flags).collect();
    Fault::Option(format!(
        "no option is called {name}; the options are {}",
        all.join(", ")
    ))
}

/// The value that a word names.
pub fn choice<T: ValueEnum>(name: &str, word: &str) -> Outcome<T> {
    T::from_str(word, true).map_err(|_| {
        let names = T::value_variants().iter().filter_map(T::to_possible_value);
        let names: Vec<String> = names.map(|value| value.get_name().into()).collect();
        Fault::Value(format!("{name} = {word}: give one of {}", names.join(", ")))
    })
}

/// Options of a neuron and its time step; what is absent is the model's, or the published
/// one.
#[derive(Default)]
pub struct NeuronOptions {
    dt: Option<f64>,
    downsample: Option<u32>,
    scheme: Option<String>,
    neuron: Option<String>,
    filter: Option<String>,
    refractory: Option<f64>,
    noise: Option<f64>,
}

impl NeuronOptions {
    /// The options by their names; there must be no others.
    ///
    /// # Errors
    /// If no option has a name, or a value has another type.
    pub fn of(options: Option<&Bound<PyDict>>) -> Outcome<Self> {
        let mut found = Self::default();
        for (name, value) in options.into_iter().flatten() {
            let name: String = name.extract()?;
            if value.is_none() {
                continue;
            }
            let wrong = |_: PyErr| {
                let said = text(&value).unwrap_or_default();
                Fault::Value(format!("{name} = {said}: the value has another type"))
            };
            match name.as_str() {
                "dt" => found.dt = value.extract().map_err(wrong)?,
                "downsample" => found.downsample = value.extract().map_err(wrong)?,
                "scheme" => found.scheme = value.extract().map_err(wrong)?,
                "neuron" => found.neuron = value.extract().map_err(wrong)?,
                "filter" => found.filter = value.extract().map_err(wrong)?,
                "refractory" => found.refractory = value.extract().map_err(wrong)?,
                "noise" => found.noise = value.extract().map_err(wrong)?,
                _ => {
                    return Err(Fault::Option(format!(
                        "no option is called {name}; the neuron has dt, downsample, scheme, neuron, filter, refractory and noise"
                    )));
                }
            }
        }
        Ok(found)
    }

    /// The choice that the command line has flags for.
    ///
    /// # Errors
    /// If a value is out of range.
    pub fn choice(&self) -> Outcome<StepChoice> {
        if self.dt.is_some() && self.downsample.is_some() {
            return Err(Fault::Value("dt and downsample exclude each other".into()));
        }
        let checked = |name: &str, value: Option<f64>, check: fn(&str) -> Result<f64, String>| {
            let check = |x: f64| {
                let said = check(&x.to_string());
                said.map_err(|reason| Fault::Value(format!("{name} = {x}: {reason}")))
            };
            value.map(check).transpose()
        };
        let scheme = self.scheme.as_deref();
        let scheme = scheme.map(|word| choice::<SchemeChoice>("scheme", word));
        Ok(StepChoice {
            dt: checked("dt", self.dt, above_0)?,
            downsample: self.downsample,
            scheme: scheme.transpose()?,
            neuron: self.neuron()?,
        })
    }

    /// The choice of the neuron alone.
    fn neuron(&self) -> Outcome<NeuronChoice> {
        let checked = |name: &str, value: Option<f64>| {
            let check = |x: f64| {
                let said = up_to_1000(&x.to_string());
                said.map_err(|reason| Fault::Value(format!("{name} = {x}: {reason}")))
            };
            value.map(check).transpose()
        };
        let equation = self.neuron.as_deref();
        let equation = equation.map(|word| choice("neuron", word)).transpose()?;
        let filter = self.filter.as_deref();
        let filter = filter.map(|word| choice("filter", word)).transpose()?;
        Ok(NeuronChoice {
            equation: EquationChoice {
                neuron: equation,
                filter,
                refractory: checked("refractory", self.refractory)?,
            },
            noise: checked("noise", self.noise)?,
        })
    }
}
