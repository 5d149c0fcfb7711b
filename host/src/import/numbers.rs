//! The numbers of a node: one for all entries, or one for each.

use super::{ImportError, MOST_TIME_S};
use crate::formats::nir::read::{Numbers, ReadNode};

/// Times that differ less than this are the same: ours come from 32 bits.
const SAME: f64 = 1e-6;

/// "20 x 12".
pub fn sizes(numbers: &Numbers) -> String {
    let sizes: Vec<String> = numbers.shape.iter().map(usize::to_string).collect();
    if sizes.is_empty() {
        return "a single number".into();
    }
    sizes.join(" x ")
}

/// A node with its name, for its numbers and for refusals.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a> {
    /// The name in the graph.
    pub name: &'a str,
    /// The node.
    pub node: &'a ReadNode,
}

impl Named<'_> {
    /// The number `name`, one for each of `entries`: the graph gives one for all,
    /// or one for each in one dimension.
    ///
    /// # Errors
    /// If another count is there, or nothing.
    pub fn each(&self, name: &str, entries: usize) -> Result<Vec<f64>, ImportError> {
        let shape = |found| ImportError::Shape {
            node: self.name.into(),
            name: name.into(),
            found,
            wanted: match entries {
                1 => "one number".into(),
                _ => format!("{entries} numbers, or one for all"),
            },
        };
        let Some(numbers) = self.node.numbers.get(name) else {
            return Err(shape("missing".into()));
        };
        let long = numbers.shape.iter().filter(|&&size| size != 1).count();
        match numbers.values[..] {
            [one] => Ok(vec![one; entries]),
            ref all if all.len() == entries && long <= 1 => Ok(all.to_vec()),
            _ => Err(shape(sizes(numbers))),
        }
    }

    /// The number `name`, which is 1 for all where the graph does not have it.
    ///
    /// # Errors
    /// If another count is there.
    pub fn each_or_one(&self, name: &str, entries: usize) -> Result<Vec<f64>, ImportError> {
        match self.node.numbers.contains_key(name) {
            true => self.each(name, entries),
            false => Ok(vec![1.0; entries]),
        }
    }

    /// The time constant `name` in s, one for each of `entries`.
    ///
    /// # Errors
    /// If another count is there, or a time that is not positive or longer than
    /// [`MOST_TIME_S`].
    pub fn times(&self, name: &'static str, entries: usize) -> Result<Vec<f64>, ImportError> {
        let times = self.each(name, entries)?;
        if let Some(&value) = times.iter().find(|time| **time <= 0.0) {
            return Err(self.value(name, value, "a time constant is positive"));
        }
        if let Some(&seconds) = times.iter().find(|time| **time > MOST_TIME_S) {
            return Err(ImportError::Time {
                node: self.name.into(),
                name,
                seconds,
            });
        }
        Ok(times)
    }

    /// The number `name`, which all of `entries` must share.
    ///
    /// # Errors
    /// If another count is there, or two that differ.
    pub fn shared(&self, name: &'static str, entries: usize) -> Result<f64, ImportError> {
        self.the_one(name, &self.each(name, entries)?)
    }

    /// The one value of `values`, which are the node's number `name`.
    ///
    /// # Errors
    /// If two differ.
    pub fn the_one(&self, name: &'static str, values: &[f64]) -> Result<f64, ImportError> {
        let first = values[0];
        match values.iter().find(|value| !near(**value, first)) {
            Some(&other) => Err(ImportError::Differs {
                node: self.name.into(),
                name,
                first,
                other,
            }),
            None => Ok(first),
        }
    }

    /// The refusal of a value.
    pub fn value(&self, name: &'static str, value: f64, wanted: &'static str) -> ImportError {
        ImportError::Value {
            node: self.name.into(),
            name,
            value,
            wanted,
        }
    }
}

/// Whether two numbers are the same but for the rounding to 32 bits.
pub fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= SAME * a.abs().max(b.abs())
}

/// The number without the error of a change of units: −40.00000000000001 is −40.
pub fn tidy(value: f64) -> f64 {
    let rounded = (value * 1e6).round() / 1e6;
    if near(value, rounded) && (value - rounded).abs() < 1e-9 * value.abs() {
        return rounded;
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_of_a_change_of_units_goes_and_a_number_stays() {
        assert_eq!(tidy(-40.00000000000001), -40.0);
        assert_eq!(tidy(0.1 + 0.2), 0.3);
        let odd = std::f64::consts::PI;
        assert_eq!(tidy(odd), odd);
        assert_eq!(tidy(1e-12), 1e-12);
    }
}
