//! Finds the filter of our network's synapses from the filters of a graph.

use super::ImportError;
use super::numbers::{near, tidy};
use super::path::Path;
use super::population::Population;
use super::unsaid::Unsaid;
use crate::export::fidelity::{Fidelity, approximate, faithful};

/// The filter of the units' currents and of the readout.
pub struct Synapse {
    /// Rise time constant, ms; 0 for a filter without a rise.
    pub rise_ms: f64,
    /// Decay time constant of each unit, ms.
    pub decay_ms: Vec<f64>,
    /// The degree to which this is the graph's filter.
    pub fidelity: Fidelity,
    /// The degree to which the readout is the graph's.
    pub readout: Fidelity,
}

impl Synapse {
    /// The filter, from the way back to the neurons and the way to the output.
    ///
    /// # Errors
    /// If the graph has no filter, or one that our network cannot have.
    pub fn new(
        population: &Population,
        recurrent: Option<&Path>,
        outward: &Path,
        unsaid: &Unsaid,
    ) -> Result<Self, ImportError> {
        let n = population.units;
        let mut stages = match recurrent {
            Some(path) => path.receivers_times(n)?,
            None => Vec::new(),
        };
        stages.extend(population.synapse_s()?);
        let readout = outward.senders_times(n)?;
        let mut fidelity = faithful("synaptic filter", "the graph's time constants");
        if stages.is_empty() && recurrent.is_none() {
            stages = readout.clone();
            fidelity = faithful(
                "synaptic filter",
                "the filter of the readout, because no unit reaches another",
            );
        }
        if stages.is_empty() {
            let Some(ms) = unsaid.synapse_ms else {
                return Err(ImportError::NoSynapse(population.node.name.into()));
            };
            stages = vec![vec![ms / 1000.0; n]];
            fidelity = approximate(
                "synaptic filter",
                "the graph has none: --synapse sets it; the area is kept",
            );
        } else if unsaid.synapse_ms.is_some() {
            return Err(ImportError::OwnSynapse(population.node.name.into()));
        }
        let (from, to) = recurrent.map_or(outward.ends, |path| path.ends);
        let (rise_ms, decay_ms) = in_order(&stages, from, to)?;
        let same = readout.len() == stages.len() && {
            let (rise, decay) = in_order(&readout, outward.ends.0, outward.ends.1)?;
            near(rise, rise_ms) && decay.iter().zip(&decay_ms).all(|(a, b)| near(*a, *b))
        };
        let readout = if same {
            faithful("readout", "the filter of the synapses, then one Linear")
        } else {
            approximate(
                "readout",
                "passes the filter of the synapses instead of the graph's; the area is kept",
            )
        };
        Ok(Self {
            rise_ms,
            decay_ms,
            fidelity,
            readout,
        })
    }
}

/// The rise and the decay, in ms, of one or two filters whose time constants are in s. If
/// all units share both filters, the shorter one is the rise.
fn in_order(stages: &[Vec<f64>], from: &str, to: &str) -> Result<(f64, Vec<f64>), ImportError> {
    let ms = |taus: &[f64]| taus.iter().map(|tau| tidy(1000.0 * tau)).collect();
    let uniform = |taus: &[f64]| taus.iter().all(|tau| near(*tau, taus[0]));
    match stages {
        [one] => Ok((0.0, ms(one))),
        [a, b] => {
            let (rise, decay) = match (uniform(a), uniform(b)) {
                (true, true) if b[0] < a[0] => (b, a),
                (true, _) => (a, b),
                (false, true) => (b, a),
                (false, false) => {
                    let other = a.iter().find(|tau| !near(**tau, a[0]));
                    return Err(ImportError::Differs {
                        node: to.into(),
                        name: "rise time of its synapses",
                        first: a[0],
                        other: other.copied().unwrap_or(a[0]),
                    });
                }
            };
            Ok((tidy(1000.0 * rise[0]), ms(decay)))
        }
        _ => Err(ImportError::Stages {
            from: from.into(),
            to: to.into(),
            found: stages.len(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shorter_of_two_filters_that_all_units_share_is_the_rise() {
        let (fast, slow) = (vec![0.002; 2], vec![0.02; 2]);
        let own = vec![0.02, 0.1];
        let order = |stages: &[Vec<f64>]| in_order(stages, "a", "b");
        assert_eq!(
            order(&[slow.clone(), fast.clone()]),
            Ok((2.0, vec![20.0; 2]))
        );
        assert_eq!(
            order(&[own.clone(), slow.clone()]),
            Ok((20.0, vec![20.0, 100.0]))
        );
        assert!(matches!(
            order(&[own.clone(), own.clone()]),
            Err(ImportError::Differs { .. })
        ));
        assert!(matches!(
            order(&[fast.clone(), fast.clone(), slow]),
            Err(ImportError::Stages { found: 3, .. })
        ));
    }
}
