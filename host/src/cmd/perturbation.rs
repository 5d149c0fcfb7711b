//! Flags that perturb a spiking network.

use std::str::FromStr;

use clap::Args;

use super::CommandError;
use crate::spiking::perturb::{Perturbation, Projection};

/// Changes of the network before it runs.
#[derive(Clone, Debug, Args)]
pub struct PerturbationArgs {
    /// Scale a class of connections, 0 to cut it: ee, ei (from excitatory to inhibitory), ie or ii; may be repeated
    #[arg(long, value_name = "CLASS:FACTOR", allow_negative_numbers = true)]
    pub scale: Vec<Scale>,
    /// Take away what units send to themselves
    #[arg(long)]
    pub no_autapses: bool,
    /// Deal the weights out anew among the connections, excitatory and inhibitory ones apart
    #[arg(long)]
    pub shuffle: bool,
    /// Silence units, counted from 1: 1-20,35; their spikes reach nothing and are not counted
    #[arg(long, value_name = "UNITS")]
    pub silence: Option<Units>,
}

/// `ei:0.5`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale(pub Projection, pub f64);

impl FromStr for Scale {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (class, factor) = text
            .split_once(':')
            .ok_or("give CLASS:FACTOR, for instance ei:0.5")?;
        let inhibitory = |letter: u8| match letter {
            b'e' => Some(false),
            b'i' => Some(true),
            _ => None,
        };
        let kinds = match class.as_bytes() {
            &[from, to] => inhibitory(from).zip(inhibitory(to)),
            _ => None,
        };
        let (from_inhibitory, to_inhibitory) =
            kinds.ok_or_else(|| format!("'{class}' is not one of ee, ei, ie, ii"))?;
        match factor.parse::<f64>() {
            Ok(factor) if (0.0..=1000.0).contains(&factor) => Ok(Self(
                Projection {
                    from_inhibitory,
                    to_inhibitory,
                },
                factor,
            )),
            _ => Err(format!("'{factor}' is no factor; give 0 to 1000")),
        }
    }
}

/// `1-20,35`, kept from 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Units(pub Vec<usize>);

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
                        "'{part}' is not a unit or a range of units, from 1"
                    ));
                }
            }
        }
        Ok(Self(indices))
    }
}

impl Units {
    /// All of them are among the first `count`.
    pub fn check(&self, flag: &str, count: usize) -> Result<(), CommandError> {
        match self.0.iter().find(|&&unit| unit >= count) {
            Some(unit) => Err(CommandError::Usage(format!(
                "{flag}: unit {} of a network of {count} units",
                unit + 1
            ))),
            None => Ok(()),
        }
    }
}

impl PerturbationArgs {
    /// The perturbation of a network of `units` units.
    pub fn perturbation(&self, units: usize) -> Result<Perturbation, CommandError> {
        if let Some(silence) = &self.silence {
            silence.check("--silence", units)?;
        }
        Ok(Perturbation {
            scales: self
                .scale
                .iter()
                .map(|&Scale(class, factor)| (class, factor))
                .collect(),
            no_autapses: self.no_autapses,
            shuffle: self.shuffle,
            silenced: self
                .silence
                .as_ref()
                .map_or_else(Vec::new, |units| units.0.clone()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_names_its_sender_first() {
        let Scale(class, factor) = "ei:0.5".parse().expect("a scale");
        assert!(!class.from_inhibitory && class.to_inhibitory && factor == 0.5);
        for wrong in ["ei", "ex:1", "e:1", "ee:-1", "ee:nan", "ee:"] {
            assert!(wrong.parse::<Scale>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn units_count_from_one() {
        assert_eq!("1-3,7".parse(), Ok(Units(vec![0, 1, 2, 6])));
        for wrong in ["0", "3-1", "a", "", "1,,2", "1-70000"] {
            assert!(wrong.parse::<Units>().is_err(), "{wrong}");
        }
    }
}
