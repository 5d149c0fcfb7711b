//! Reads the numbers of a node, which has one number for all entries or one for each.

use super::{ImportError, MOST_TIME_S};
use crate::formats::nir::read::{Numbers, ReadNode};

/// Numbers whose relative difference is smaller count as equal, because many graphs hold
/// numbers of 32 bits.
const SAME: f64 = 1e-6;

/// The sizes as text, such as "20 x 12".
pub fn sizes(numbers: &Numbers) -> String {
    let sizes: Vec<String> = numbers.shape.iter().map(usize::to_string).collect();
    if sizes.is_empty() {
        return "a single number".into();
    }
    sizes.join(" x ")
}

/// A node with its name, which errors name.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a> {
    /// The name in the graph.
    pub name: &'a str,
    /// The node.
    pub node: &'a ReadNode,
}

impl Named<'_> {
    /// The number `name` for each of `entries`. The graph holds one number for all, or a
    /// list with one for each.
    ///
    /// # Errors
    /// If the graph holds another count, or no number.
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

    /// The number `name` for each of `entries`; 1 for each if the graph does not have the
    /// number.
    ///
    /// # Errors
    /// If the graph holds another count.
    pub fn each_or_one(&self, name: &str, entries: usize) -> Result<Vec<f64>, ImportError> {
        match self.node.numbers.contains_key(name) {
            true => self.each(name, entries),
            false => Ok(vec![1.0; entries]),
        }
    }

    /// The time constant `name` in s, one for each of `entries`.
    ///
    /// # Errors
    /// If the graph holds another count, or a time that is not positive or is longer than
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

    /// The number `name`, which must be the same for all of `entries`.
    ///
    /// # Errors
    /// If the graph holds another count, or numbers that differ.
    pub fn shared(&self, name: &'static str, entries: usize) -> Result<f64, ImportError> {
        self.the_one(name, &self.each(name, entries)?)
    }

    /// The value that all of `values` share; they are the node's number `name`.
    ///
    /// # Errors
    /// If two of them differ.
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

    /// The error for an impossible value.
    pub fn value(&self, name: &'static str, value: f64, wanted: &'static str) -> ImportError {
        ImportError::Value {
            node: self.name.into(),
            name,
            value,
            wanted,
        }
    }
}

/// True if two numbers differ at most by the rounding to 32 bits.
pub fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= SAME * a.abs().max(b.abs())
}

/// The number without the rounding error of a change of units: −40 for
/// −40.00000000000001.
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
    fn the_error_of_a_change_of_units_is_removed_and_other_numbers_stay() {
        assert_eq!(tidy(-40.00000000000001), -40.0);
        assert_eq!(tidy(0.1 + 0.2), 0.3);
        let odd = std::f64::consts::PI;
        assert_eq!(tidy(odd), odd);
        assert_eq!(tidy(1e-12), 1e-12);
    }
}
