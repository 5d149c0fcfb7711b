//! The spiking network for other simulators and chips, and how much of it each
//! of them can say.

pub mod nir;
pub mod script;

use serde::Serialize;

/// How a target takes one property of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Degree {
    /// As it is.
    Faithful,
    /// Nearly.
    Approximate,
    /// Not at all.
    Unsupported,
}

impl Degree {
    /// In one word.
    pub fn name(self) -> &'static str {
        match self {
            Degree::Faithful => "faithful",
            Degree::Approximate => "approximate",
            Degree::Unsupported => "unsupported",
        }
    }
}

/// One line of a fidelity report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Fidelity {
    /// The property.
    pub property: &'static str,
    /// How it is taken.
    pub degree: Degree,
    /// In which form, or why not.
    pub form: &'static str,
}

pub(crate) const fn faithful(property: &'static str, form: &'static str) -> Fidelity {
    Fidelity {
        property,
        degree: Degree::Faithful,
        form,
    }
}

pub(crate) const fn approximate(property: &'static str, form: &'static str) -> Fidelity {
    Fidelity {
        property,
        degree: Degree::Approximate,
        form,
    }
}

pub(crate) const fn unsupported(property: &'static str, form: &'static str) -> Fidelity {
    Fidelity {
        property,
        degree: Degree::Unsupported,
        form,
    }
}

/// A network that cannot be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The quadratic neuron.
    #[error("the quadratic neuron has no form there: export the leaky one")]
    Quadratic,
    /// A number that the file cannot hold.
    #[error("the graph cannot be written: {0}")]
    Format(#[from] hdf5_pure::Error),
}
