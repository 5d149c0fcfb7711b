//! The numbers of a rate network, in the terms of the published code.

use rand::RngExt;
use rand::seq::SliceRandom;
use rand_distr::{Distribution, Gamma, Normal, StandardNormal};
use rand_pcg::Pcg64;

use super::activation::ActivationKind;
use super::options::{DecayTaus, RateOptions, WeightStart};
use crate::random::{Stream, generator};
use crate::readout::Readout;

/// A rate network. Matrices are row by row; N units, K input channels.
#[derive(Clone, Debug, PartialEq)]
pub struct RateNetwork {
    /// N.
    pub units: usize,
    /// K.
    pub channels: usize,
    /// True for inhibitory units; N entries.
    pub inhibitory: Vec<bool>,
    /// Number of somatostatin-like inhibitory units.
    pub som_units: usize,
    /// True if the sender decides the sign of a weight.
    pub dale: bool,
    /// φ.
    pub activation: ActivationKind,
    /// Whether the inputs act on the units directly, filtered by the membrane alone, as in
    /// the spiking network. The published inputs pass the synapses' filter.
    pub direct_inputs: bool,
    /// Length of a step, which is that of an input sample, ms.
    pub sample_ms: f64,
    /// Decay time constants as given.
    pub taus: DecayTaus,
    /// Recurrent weights before Dale's principle, N × N: `w[i, j]` from j to i.
    pub w: Vec<f32>,
    /// Zero where a weight is forbidden, else one; N × N.
    pub som_mask: Vec<f32>,
    /// N × K.
    pub w_in: Vec<f32>,
    /// The readout, outputs × N.
    pub readout: Readout<f32>,
    /// θ of τ = σ(θ)(τ_max − τ_min) + τ_min; N.
    pub tau_theta: Vec<f32>,
}

impl RateNetwork {
    /// The untrained network.
    pub fn start(options: &RateOptions) -> Self {
        let n = options.units;
        let mut random = generator(options.seed, Stream::Network, 0);
        let inhibitory = inhibitory_units(options, &mut random);
        let w = recurrent_start(options, &inhibitory, &mut random);
        let mut normal = |scale: f32| -> f32 {
            let x: f32 = StandardNormal.sample(&mut random);
            x * scale
        };
        let channels = options.task.channels();
        let outputs = options.task.definition().outputs;
        Self {
            units: n,
            channels,
            som_mask: som_mask(&inhibitory, options.som_units),
            inhibitory,
            som_units: options.som_units,
            dale: options.dale,
            activation: options.activation,
            direct_inputs: options.validated(),
            sample_ms: options.task.sample_ms(),
            taus: options.taus,
            w,
            w_in: (0..n * channels)
                .map(|_| normal(options.input_gain as f32))
                .collect(),
            readout: Readout {
                weights: (0..n * outputs).map(|_| normal(0.01)).collect(),
                offset: vec![0.0; outputs],
            },
            tau_theta: (0..n).map(|_| normal(1.0)).collect(),
        }
    }

    /// +1 for an excitatory unit, −1 for an inhibitory one; N.
    pub fn signs(&self) -> Vec<f32> {
        self.inhibitory
            .iter()
            .map(|&inhibitory| if inhibitory { -1.0 } else { 1.0 })
            .collect()
    }

    /// The weights that act: `relu(w) · diag(±1) ∘ som_mask` under Dale's
    /// principle; N × N.
    pub fn effective_weights(&self) -> Vec<f32> {
        let signs = self.signs();
        let raw = self
            .w
            .iter()
            .map(|&w| if self.dale { w.max(0.0) } else { w });
        raw.zip(&self.som_mask)
            .enumerate()
            .map(|(index, (w, mask))| w * signs[index % self.units] * mask)
            .collect()
    }

    /// Decay time constants in steps; N.
    pub fn decay_steps(&self) -> Vec<f64> {
        self.tau_theta
            .iter()
            .map(|&theta| match self.taus {
                DecayTaus::Fixed(tau) => tau.into(),
                DecayTaus::Trained(low, high) => {
                    let share = 1.0 / (1.0 + (-f64::from(theta)).exp());
                    share * (f64::from(high) - f64::from(low)) + f64::from(low)
                }
            })
            .collect()
    }

    /// Decay time constants in ms; N.
    pub fn decay_ms(&self) -> Vec<f64> {
        let steps = self.decay_steps().into_iter();
        steps.map(|tau| tau * self.sample_ms).collect()
    }
}

/// True for each inhibitory unit; N.
fn inhibitory_units(options: &RateOptions, random: &mut Pcg64) -> Vec<bool> {
    let n = options.units;
    if options.dale && options.exact_inhibition {
        let count = (options.p_inh * n as f64).round() as usize;
        let mut units: Vec<bool> = (0..n).map(|i| i < count).collect();
        units.shuffle(random);
        return units;
    }
    (0..n)
        .map(|_| options.dale && random.random_bool(options.p_inh))
        .collect()
}

fn recurrent_start(options: &RateOptions, inhibitory: &[bool], random: &mut Pcg64) -> Vec<f32> {
    let n = options.units;
    let scale = options.gain / (n as f64 * options.p_rec).sqrt();
    let gaussian = Normal::new(0.0, scale).expect("gain and P_rec are positive and finite");
    let gamma = Gamma::new(2.0, 0.003).expect("shape and scale are positive");
    let strengths = match options.start {
        WeightStart::Balanced if options.dale => balance(inhibitory),
        _ => [1.0; 2],
    };
    (0..n * n)
        .map(|k| {
            if !random.random_bool(options.p_rec) {
                return 0.0;
            }
            let w: f64 = match options.start {
                WeightStart::Gaussian | WeightStart::Balanced => gaussian.sample(random),
                WeightStart::Gamma => gamma.sample(random),
            };
            let w = w * strengths[usize::from(inhibitory[k % n])];
            if options.dale {
                w.abs() as f32
            } else {
                w as f32
            }
        })
        .collect()
}

/// Strengths of excitatory and inhibitory weights, in this order, with which
/// both add up to the same and the mean square of all weights stays one.
fn balance(inhibitory: &[bool]) -> [f64; 2] {
    let share = inhibitory.iter().filter(|x| **x).count() as f64 / inhibitory.len() as f64;
    if share == 0.0 || share == 1.0 {
        return [1.0; 2];
    }
    let excitation = (share / (1.0 - share)).sqrt();
    [excitation, 1.0 / excitation]
}

/// The first `som_units` inhibitory units receive nothing from inhibitory
/// units.
fn som_mask(inhibitory: &[bool], som_units: usize) -> Vec<f32> {
    let n = inhibitory.len();
    let mut mask = vec![1.0; n * n];
    let som = (0..n).filter(|&i| inhibitory[i]).take(som_units);
    for i in som {
        for j in (0..n).filter(|&j| inhibitory[j]) {
            mask[i * n + j] = 0.0;
        }
    }
    mask
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::Task;

    fn options() -> RateOptions {
        RateOptions {
            p_inh: 0.4,
            p_rec: 0.5,
            som_units: 3,
            ..RateOptions::published(Task::mante(), 40)
        }
    }

    #[test]
    fn equal_seeds_give_equal_networks_and_other_seeds_other_ones() {
        let start = |seed| RateNetwork::start(&RateOptions { seed, ..options() });
        assert_eq!(start(5), start(5));
        assert_ne!(start(5).w, start(6).w);
        let network = start(5);
        assert_eq!(network.w.len(), 40 * 40);
        assert_eq!(network.w_in.len(), 40 * Task::mante().channels());
        assert_eq!(
            (network.readout.outputs(), network.readout.units()),
            (1, 40)
        );
    }

    #[test]
    fn under_dales_principle_the_sign_of_a_weight_is_its_senders() {
        let mut network = RateNetwork::start(&options());
        // What training may leave below zero does not act.
        network.w[1] = -1.0;
        let acting = network.effective_weights();
        assert_eq!(acting[1], 0.0);
        for (k, w) in acting.iter().enumerate() {
            let inhibitory = network.inhibitory[k % 40];
            assert!(if inhibitory { *w <= 0.0 } else { *w >= 0.0 }, "{k}: {w}");
        }
    }

    #[test]
    fn units_of_the_som_kind_receive_no_inhibition() {
        let network = RateNetwork::start(&options());
        let inhibitory: Vec<usize> = (0..40).filter(|&i| network.inhibitory[i]).collect();
        assert!(inhibitory.len() > 3, "{inhibitory:?}");
        let acting = network.effective_weights();
        let inhibition = |i: usize| inhibitory.iter().map(|j| acting[i * 40 + j]).sum::<f32>();
        for (place, &i) in inhibitory.iter().enumerate() {
            assert_eq!(inhibition(i) == 0.0, place < 3, "unit {i}");
        }
    }

    #[test]
    fn balanced_weights_of_both_signs_add_up_to_the_same() {
        let inhibitory: Vec<bool> = (0..10).map(|i| i < 3).collect();
        let [excitation, inhibition] = balance(&inhibitory);
        assert!((0.7 * excitation - 0.3 * inhibition).abs() < 1e-12);
        let square = 0.7 * excitation.powi(2) + 0.3 * inhibition.powi(2);
        assert!((square - 1.0).abs() < 1e-12);
        assert_eq!(balance(&[false; 4]), [1.0; 2]);
    }

    #[test]
    fn time_constants_lie_between_the_two_ends() {
        let mut network = RateNetwork::start(&options());
        network.tau_theta = vec![-50.0, 0.0, 50.0];
        network.taus = DecayTaus::Trained(4.0, 20.0);
        let steps = network.decay_steps();
        for (found, wanted) in steps.iter().zip([4.0, 12.0, 20.0]) {
            assert!((found - wanted).abs() < 1e-9, "{steps:?}");
        }
        network.taus = DecayTaus::Fixed(7.0);
        assert_eq!(network.decay_steps(), [7.0; 3]);
    }
}
