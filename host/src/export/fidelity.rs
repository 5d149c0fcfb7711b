//! The fidelity report: which properties of a network another program takes exactly,
//! nearly, or not at all.

use serde::Serialize;

/// The degree to which a target takes a property of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Degree {
    /// The target takes the property exactly.
    Faithful,
    /// The target takes the property nearly.
    Approximate,
    /// The target does not have the property.
    Unsupported,
}

impl Degree {
    /// The degree in one word.
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
    /// The property of our network.
    pub property: &'static str,
    /// The degree to which the target has it.
    pub degree: Degree,
    /// The form in which the target has it, or the reason why not.
    pub form: &'static str,
}

/// A property that is taken exactly.
pub const fn faithful(property: &'static str, form: &'static str) -> Fidelity {
    Fidelity {
        property,
        degree: Degree::Faithful,
        form,
    }
}

/// A property that is taken nearly.
pub const fn approximate(property: &'static str, form: &'static str) -> Fidelity {
    Fidelity {
        property,
        degree: Degree::Approximate,
        form,
    }
}

/// A property that the other program does not have.
pub const fn unsupported(property: &'static str, form: &'static str) -> Fidelity {
    Fidelity {
        property,
        degree: Degree::Unsupported,
        form,
    }
}
