//! Perturbations of a deployed network: as far as its 8-bit weights, each in its
//! receiver's own scale, allow.

use rate2spike_core::blob::{Deployed, START_BYTES, SYNAPSE_BYTES, readout_bytes};

use super::{bytes, self_test};
use crate::spiking::perturb::{Perturbation, Projection};

/// A perturbation that a deployed network does not take.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum PerturbError {
    /// A larger weight.
    #[error(
        "--scale by {0}: a deployed network's largest weights fill their 8 bits; give 0 to 1, or use `rate2spike simulate`"
    )]
    Factor(f64),
    /// A weight at another receiver.
    #[error(
        "--shuffle: a deployed weight counts in its receiver's own scale; use `rate2spike simulate`"
    )]
    Shuffle,
}

/// The bytes of the perturbed network, with its own self-test. A unit is inhibitory if
/// the sum of its weights is negative.
///
/// # Errors
/// [`PerturbError`].
pub fn perturbed(
    deployed: &Deployed,
    perturbation: &Perturbation,
) -> Result<Vec<u8>, PerturbError> {
    if perturbation.shuffle {
        return Err(PerturbError::Shuffle);
    }
    if let Some(scale) = perturbation.scales.iter().find(|scale| scale.factor > 1.0) {
        return Err(PerturbError::Factor(scale.factor));
    }
    let mut payload = *deployed.payload();
    let units = usize::from(payload.shared.units);
    let columns = columns(payload.starts);
    let mut synapses = payload.synapses.to_vec();
    let inhibitory: Vec<bool> = columns
        .iter()
        .map(|column| {
            let weights = synapses[column.clone()].chunks_exact(SYNAPSE_BYTES);
            weights
                .map(|synapse| i32::from(synapse[1] as i8))
                .sum::<i32>()
                < 0
        })
        .collect();
    for (from, column) in columns.into_iter().enumerate() {
        let mut to = 0;
        for synapse in synapses[column].chunks_exact_mut(SYNAPSE_BYTES) {
            to += usize::from(synapse[0]);
            let projection = Projection {
                from_inhibitory: inhibitory[from],
                to_inhibitory: inhibitory.get(to).copied().unwrap_or(false),
            };
            let scales = perturbation.scales.iter();
            let scales = scales.filter(|scale| scale.projection == projection);
            let factor: f64 = scales.map(|scale| scale.factor).product();
            let cut =
                perturbation.no_autapses && from == to || perturbation.silenced.contains(&from);
            let weight = f64::from(synapse[1] as i8) * if cut { 0.0 } else { factor };
            synapse[1] = weight.round() as i8 as u8;
        }
    }
    let mut readout = payload.readout.to_vec();
    for (unit, row) in readout
        .chunks_exact_mut(readout_bytes(payload.outputs.into()))
        .take(units)
        .enumerate()
    {
        if perturbation.silenced.contains(&unit) {
            // The first byte names the filters; the others are weights.
            row[1..].fill(0);
        }
    }
    payload.synapses = &synapses;
    payload.readout = &readout;
    let unproven = bytes(&payload);
    let changed = Deployed::read(&unproven).expect("a blob that was just written is valid");
    payload.self_test.spike_hash = self_test(&changed);
    Ok(bytes(&payload))
}

/// Where the synapses of each unit lie.
fn columns(starts: &[u8]) -> Vec<std::ops::Range<usize>> {
    let starts: Vec<usize> = starts
        .chunks_exact(START_BYTES)
        .filter_map(|start| start.try_into().ok())
        .map(|start| u32::from_le_bytes(start) as usize * SYNAPSE_BYTES)
        .collect();
    starts.windows(2).map(|pair| pair[0]..pair[1]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert::one_to_one;
    use crate::quantize::quantize;
    use crate::rate::network::RateNetwork;
    use crate::rate::options::RateOptions;
    use crate::spiking::network::SpikingNetwork;
    use crate::spiking::neuron::Neuron;
    use crate::spiking::time_step::TimeStep;
    use crate::task::Task;
    use rate2spike_core::neuron::Scheme;

    /// This holds while no receiver's largest weight, which gives the scale, is cut.
    #[test]
    fn cutting_before_and_after_quantization_is_the_same() {
        let rate = RateNetwork::start(&RateOptions::published(Task::xor(), 60));
        let mut network = one_to_one(&rate, 50.0, Neuron::LIF).expect("a network");
        let n = network.units;
        // The largest weight of every row comes from a unit that stays.
        for row in network.weights.chunks_exact_mut(n) {
            row[0] = 0.05;
        }
        let step = TimeStep::new(0.1, Scheme::Exact).expect("a step");
        let made = |network: &SpikingNetwork| {
            quantize(network, &Task::xor(), &step)
                .expect("it fits")
                .bytes
        };
        let perturbation = Perturbation {
            silenced: vec![3, 7],
            ..Perturbation::default()
        };
        let after = made(&network);
        let after = Deployed::read(&after).expect("a blob");
        let after = perturbed(&after, &perturbation).expect("a blob");
        perturbation.apply(&mut network, &rate.inhibitory, 1);
        let before = made(&network);
        let (before, after) = (
            Deployed::read(&before).expect("a blob"),
            Deployed::read(&after).expect("a blob"),
        );
        // The silenced units' synapses are gone in the one and zero in the other.
        assert!(before.synapses() < after.synapses());
        assert_eq!(
            before.payload().self_test.spike_hash,
            after.payload().self_test.spike_hash
        );
    }

    #[test]
    fn what_eight_bits_do_not_hold_is_refused() {
        let rate = RateNetwork::start(&RateOptions::published(Task::xor(), 20));
        let network = one_to_one(&rate, 50.0, Neuron::LIF).expect("a network");
        let step = TimeStep::new(0.1, Scheme::Exact).expect("a step");
        let bytes = quantize(&network, &Task::xor(), &step)
            .expect("it fits")
            .bytes;
        let deployed = Deployed::read(&bytes).expect("a blob");
        for (perturbation, wanted) in [
            (
                Perturbation {
                    shuffle: true,
                    ..Perturbation::default()
                },
                PerturbError::Shuffle,
            ),
            (
                Perturbation {
                    scales: vec!["ee:2".parse().expect("a scale")],
                    ..Perturbation::default()
                },
                PerturbError::Factor(2.0),
            ),
        ] {
            assert_eq!(perturbed(&deployed, &perturbation), Err(wanted));
        }
        let nothing = perturbed(&deployed, &Perturbation::default()).expect("a blob");
        assert_eq!(nothing, bytes);
    }
}
