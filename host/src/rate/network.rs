//! The numbers of a rate network, in the terms of the published code.

use rand::RngExt;
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
    /// Whether the sign of a weight is its sender's.
    pub dale: bool,
    /// φ.
    pub activation: ActivationKind,
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
        let inhibitory: Vec<bool> = (0..n)
            .map(|_| options.dale && random.random_bool(options.p_inh))
            .collect();
        let w = recurrent_start(options, &inhibitory, &mut random);
        let mut normal = |scale: f32| -> f32 {
            let x: f32 = StandardNormal.sample(&mut random);
            x * scale
        };
        let channels = options.task.channels();
        Self {
            units: n,
            channels,
            som_mask: som_mask(&inhibitory, options.som_units),
            inhibitory,
            som_units: options.som_units,
            dale: options.dale,
            activation: options.activation,
            taus: options.taus,
            w,
            w_in: (0..n * channels).map(|_| normal(1.0)).collect(),
            readout: Readout::single((0..n).map(|_| normal(0.01)).collect(), 0.0),
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
