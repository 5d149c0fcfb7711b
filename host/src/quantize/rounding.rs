//! The values of a neuron that its fixed-point form changes so much that a user must know.

use crate::number::shown;

/// Largest share by which a value changes without a word.
const MOST_CHANGE: f64 = 0.1;

/// A value that has become another one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rounded {
    flag: &'static str,
    unit: &'static str,
    given: f64,
    became: f64,
}

impl Rounded {
    /// The change from `given` to `became`; `None` where it is a tenth at most.
    pub(super) fn of(
        flag: &'static str,
        unit: &'static str,
        given: f64,
        became: f64,
    ) -> Option<Self> {
        ((became - given).abs() > MOST_CHANGE * given).then_some(Self {
            flag,
            unit,
            given,
            became,
        })
    }
}

impl std::fmt::Display for Rounded {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(
            f,
            "{} {} {unit} has become {} {unit} in fixed point",
            self.flag,
            shown(self.given),
            shown(self.became),
            unit = self.unit
        )
    }
}
