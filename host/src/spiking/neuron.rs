//! The neuron and its synapse, as in Kim, Li & Sejnowski (2019), Methods.
//!
//! ```text
//! τ_m dv/dt = f(v) + I(t)             f(v) = −v  leaky,  v²  quadratic
//! I(t)      = I_b + s(t) + W_in u(t)
//! τ_d ds/dt = −s + h                  s alone with τ_r = 0
//! τ_r dh/dt = −h + Σ_k w δ(t − t_k)
//! v ≥ V_th:   a spike; v ← V_reset, and v stays there for t_ref
//! ```
//!
//! Each step of a membrane adds a normal deviate to v, also while it is
//! refractory.
//!
//! | parameter       | symbol  | unit | leaky | quadratic |
//! |-----------------|---------|------|-------|-----------|
//! | `tau_m_ms`      | τ_m     | ms   | 10    | 10        |
//! | `refractory_ms` | t_ref   | ms   | 2     | 2         |
//! | `rise_ms`       | τ_r     | ms   | 2     | 2         |
//! | `bias_mv`       | I_b     | mV   | −40   | 0         |
//! | `threshold_mv`  | V_th    | mV   | −40   | 30        |
//! | `reset_mv`      | V_reset | mV   | −65   | −65       |
//! | `start_mv`      | V_start | mV   | 30    | 30        |
//! | `noise_mv`      | σ       | mV   | 0.1   | 0.1       |
//!
//! τ_d is a unit's own and belongs to the network
//! ([`super::network::SpikingNetwork::decay_ms`]); it is 20 to 100 ms in the
//! published networks.
//!
//! Source: Kim R., Li Y., Sejnowski T.J., PNAS 116:22811–22820 (2019),
//! doi 10.1073/pnas.1905926116.

use rate2spike_core::neuron::Membrane;
use serde::{Deserialize, Serialize};

/// The neuron and its synapse, as the user means them. Defaults: Kim, Li &
/// Sejnowski (2019), Methods.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Neuron {
    /// The equation of the membrane.
    pub membrane: Membrane,
    /// Membrane time constant τ_m, ms.
    pub tau_m_ms: f64,
    /// Refractory time, ms.
    pub refractory_ms: f64,
    /// Rise time constant of the synapse τ_r, ms; zero for the single filter.
    pub rise_ms: f64,
    /// Constant current, mV.
    pub bias_mv: f64,
    /// Potential at which the neuron fires, mV.
    pub threshold_mv: f64,
    /// Potential after a spike, mV.
    pub reset_mv: f64,
    /// Potentials start uniformly between `reset_mv` and this, mV.
    pub start_mv: f64,
    /// Standard deviation of the noise that 0.05 ms add to the potential, mV.
    pub noise_mv: f64,
}

impl Neuron {
    /// Leaky integrate-and-fire.
    pub const LIF: Neuron = Neuron {
        membrane: Membrane::Leaky,
        tau_m_ms: 10.0,
        refractory_ms: 2.0,
        rise_ms: 2.0,
        bias_mv: -40.0,
        threshold_mv: -40.0,
        reset_mv: -65.0,
        start_mv: 30.0,
        noise_mv: 0.1,
    };

    /// Quadratic integrate-and-fire.
    pub const QIF: Neuron = Neuron {
        membrane: Membrane::Quadratic,
        bias_mv: 0.0,
        threshold_mv: 30.0,
        ..Neuron::LIF
    };
}

/// A published equation of the membrane, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Equation {
    /// Leaky integrate-and-fire
    Lif,
    /// Quadratic integrate-and-fire
    Qif,
}

impl Equation {
    /// The equation of a neuron.
    pub fn of(neuron: &Neuron) -> Self {
        match neuron.membrane {
            Membrane::Leaky => Self::Lif,
            Membrane::Quadratic => Self::Qif,
        }
    }

    /// The published neuron.
    pub fn neuron(self) -> Neuron {
        match self {
            Self::Lif => Neuron::LIF,
            Self::Qif => Neuron::QIF,
        }
    }

    /// The name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lif => "lif",
            Self::Qif => "qif",
        }
    }
}

/// The filter of a synapse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Filter {
    /// Rise of 2 ms, then decay
    Double,
    /// Decay only
    Single,
}

impl Filter {
    /// The filter of a neuron's synapses.
    pub fn of(neuron: &Neuron) -> Self {
        if neuron.rise_ms > 0.0 {
            Self::Double
        } else {
            Self::Single
        }
    }

    /// The rise time, ms; zero for the single filter.
    pub fn rise_ms(self) -> f64 {
        match self {
            Self::Double => Neuron::LIF.rise_ms,
            Self::Single => 0.0,
        }
    }

    /// The name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Double => "double",
            Self::Single => "single",
        }
    }
}
