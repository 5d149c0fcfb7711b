//! Perturbations of a spiking network, as experiments make them: connections
//! weakened or cut by class, shuffled, without autapses, and units silenced.

use std::str::FromStr;

use rand::seq::SliceRandom;

use super::network::SpikingNetwork;
use crate::random::{Stream, generator};

/// The connections from one kind of units to another, for instance from excitatory
/// to inhibitory units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Projection {
    /// The sender is inhibitory.
    pub from_inhibitory: bool,
    /// The receiver is inhibitory.
    pub to_inhibitory: bool,
}

/// The factor of the weights of a projection; as text `ei:0.5`, the sender first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// The connections.
    pub projection: Projection,
    /// 0 to 1000; zero cuts the connections.
    pub factor: f64,
}

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
            Ok(factor) if (0.0..=1000.0).contains(&factor) => Ok(Self {
                projection: Projection {
                    from_inhibitory,
                    to_inhibitory,
                },
                factor,
            }),
            _ => Err(format!("'{factor}' is not a factor; give 0 to 1000")),
        }
    }
}

/// Changes of a network, made in the order of the fields.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Perturbation {
    /// Factors of the weights.
    pub scales: Vec<Scale>,
    /// Takes away what a unit sends to itself.
    pub no_autapses: bool,
    /// Deals the weights of all excitatory units out anew among the connections
    /// that there are, and those of all inhibitory units among theirs.
    pub shuffle: bool,
    /// Units that neither act on others nor on the output.
    pub silenced: Vec<usize>,
}

impl Perturbation {
    /// Changes `network`; `inhibitory` has an entry a unit.
    pub fn apply(&self, network: &mut SpikingNetwork, inhibitory: &[bool], seed: u64) {
        let n = network.units;
        for Scale { projection, factor } in &self.scales {
            let entries = network.weights.iter_mut().enumerate();
            entries
                .filter(|(k, _)| {
                    inhibitory[k % n] == projection.from_inhibitory
                        && inhibitory[k / n] == projection.to_inhibitory
                })
                .for_each(|(_, w)| *w *= factor);
        }
        if self.no_autapses {
            (0..n).for_each(|unit| network.weights[unit * n + unit] = 0.0);
        }
        if self.shuffle {
            for kind in [false, true] {
                shuffle(&mut network.weights, |k| inhibitory[k % n] == kind, seed);
            }
        }
        for &unit in &self.silenced {
            (0..n).for_each(|i| network.weights[i * n + unit] = 0.0);
            let of_unit = network.readout.weights.iter_mut().skip(unit).step_by(n);
            of_unit.for_each(|w| *w = 0.0);
        }
    }
}

/// Permutes the entries that are not zero and chosen.
fn shuffle(weights: &mut [f64], chosen: impl Fn(usize) -> bool, seed: u64) {
    let places: Vec<usize> = (0..weights.len())
        .filter(|&k| weights[k] != 0.0 && chosen(k))
        .collect();
    let mut values: Vec<f64> = places.iter().map(|&k| weights[k]).collect();
    values.shuffle(&mut generator(seed, Stream::Perturbation, 0));
    places
        .into_iter()
        .zip(values)
        .for_each(|(k, w)| weights[k] = w);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::readout::Readout;
    use crate::spiking::neuron::Neuron;

    /// Units 0 and 1 excite, unit 2 inhibits; `w[i, j]` is from j to i.
    fn network() -> (SpikingNetwork, [bool; 3]) {
        let network = SpikingNetwork {
            neuron: Neuron::LIF,
            units: 3,
            channels: 1,
            weights: vec![1.0, 2.0, -3.0, 4.0, 0.0, -6.0, 7.0, 8.0, -9.0],
            input_weights: vec![0.0; 3],
            offset_mv: vec![0.0; 3],
            readout: Readout::single(vec![1.0; 3], 0.0),
            decay_ms: vec![50.0; 3],
            lambda: 50.0,
        };
        (network, [false, false, true])
    }

    fn perturbed(perturbation: &Perturbation) -> SpikingNetwork {
        let (mut network, inhibitory) = network();
        perturbation.apply(&mut network, &inhibitory, 1);
        network
    }

    #[test]
    fn a_class_names_its_sender_first() {
        let Scale { projection, factor } = "ei:0.5".parse().expect("a scale");
        assert!(!projection.from_inhibitory && projection.to_inhibitory && factor == 0.5);
        for wrong in ["ei", "ex:1", "e:1", "ee:-1", "ee:nan", "ee:"] {
            assert!(wrong.parse::<Scale>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_class_is_scaled_and_no_other() {
        let scales = vec!["ei:0.5".parse().expect("a scale")];
        let network = perturbed(&Perturbation {
            scales,
            ..Perturbation::default()
        });
        assert_eq!(
            network.weights,
            [1.0, 2.0, -3.0, 4.0, 0.0, -6.0, 3.5, 4.0, -9.0]
        );
    }

    #[test]
    fn a_silenced_unit_sends_nothing_and_an_autapse_is_a_diagonal_entry() {
        let silenced = vec![1];
        let network = perturbed(&Perturbation {
            silenced,
            no_autapses: true,
            ..Perturbation::default()
        });
        assert_eq!(
            network.weights,
            [0.0, 0.0, -3.0, 4.0, 0.0, -6.0, 7.0, 0.0, 0.0]
        );
        assert_eq!(network.readout.weights, [1.0, 0.0, 1.0]);
    }

    #[test]
    fn a_shuffle_keeps_the_connections_and_what_is_dealt_out_among_a_kind() {
        let network = perturbed(&Perturbation {
            shuffle: true,
            ..Perturbation::default()
        });
        let (before, _) = self::network();
        assert_ne!(network.weights, before.weights);
        let of = |weights: &[f64], columns: &[usize]| -> Vec<f64> {
            let mut values: Vec<f64> = (0..9)
                .filter(|k| columns.contains(&(k % 3)))
                .map(|k| weights[k])
                .collect();
            values.sort_by(f64::total_cmp);
            values
        };
        for columns in [&[0, 1][..], &[2]] {
            assert_eq!(of(&network.weights, columns), of(&before.weights, columns));
        }
        assert_eq!(network.weights[4], 0.0);
    }
}
