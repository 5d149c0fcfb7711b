//! Units of a network as people write them.

use std::str::FromStr;

/// Units of a network, counted from 0; as text `1-20,35`, counted from 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Units(Vec<usize>);

/// A unit that a network does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unit {unit} of a network of {units} units")]
pub struct UnitError {
    /// The unit, counted from 1.
    pub unit: usize,
    /// Units of the network.
    pub units: usize,
}

impl Units {
    /// The units as indices into a network of `units` units.
    ///
    /// # Errors
    /// [`UnitError`], if the network does not have one of them.
    pub fn within(&self, units: usize) -> Result<&[usize], UnitError> {
        match self.0.iter().find(|&&unit| unit >= units) {
            Some(unit) => Err(UnitError {
                unit: unit + 1,
                units,
            }),
            None => Ok(&self.0),
        }
    }
}

impl FromStr for Units {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut indices = Vec::new();
        for part in text.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            match (first.parse::<usize>(), last.parse::<usize>()) {
                (Ok(first), Ok(last)) if 1 <= first && first <= last && last <= 65_535 => {
                    indices.extend(first - 1..last);
                }
                _ => {
                    return Err(format!(
                        "'{part}' is neither a unit nor a range of units, such as 1-20; units are counted from 1"
                    ));
                }
            }
        }
        Ok(Self(indices))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_count_from_one() {
        assert_eq!("1-3,7".parse(), Ok(Units(vec![0, 1, 2, 6])));
        for wrong in ["0", "3-1", "a", "", "1,,2", "1-70000"] {
            assert!(wrong.parse::<Units>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_unit_outside_of_the_network_is_named_as_it_was_given() {
        let units: Units = "1,4".parse().expect("units");
        assert_eq!(units.within(4), Ok(&[0, 3][..]));
        assert_eq!(units.within(3), Err(UnitError { unit: 4, units: 3 }));
    }
}
