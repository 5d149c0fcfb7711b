//! Rate → spiking: the one-to-one mapping, and the search for λ.
//!
//! A rate network's effective weights and its readout are divided by the
//! scaling factor λ; its decay time constants, in steps of 5 ms, become those
//! of the synapses. Everything else is the neuron's own ([`Neuron`]).

pub mod calibrate;
pub mod perturb;
pub mod refit;
pub mod search;

use rate2spike_core::arithmetic::Arithmetic;
use rate2spike_core::factors::{Scheme, StepFactors, TimeConstants};
use rate2spike_core::network::{
    Constants, Filter, FilterFactors, Membrane, ReadoutFilter, Tables, UnitFactors,
};
use rate2spike_core::noise::DEVIATE_SD;

use crate::rate::network::RateNetwork;
use crate::task::SAMPLE_MS;

/// Time step of the published simulations, to which its noise belongs, ms.
pub const PUBLISHED_STEP_MS: f64 = 0.05;

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

/// How time is cut into steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimeStep {
    /// Length of a step, ms.
    pub ms: f64,
    /// How a step is integrated.
    pub scheme: Scheme,
    /// Time steps of one input sample.
    pub steps_per_sample: u32,
    /// Whether the noise of a step grows with the step's length, so that the
    /// process stays the same. The published `downsample` does not do it.
    pub rescaled_noise: bool,
}

/// A time step that does not work.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum StepError {
    /// Not a whole number of steps in an input sample.
    #[error("a time step of {0} ms: give a length that divides 5 ms, from 0.01 to 1 ms")]
    Length(f64),
    /// Euler's scheme with a long step.
    #[error(
        "Euler's scheme with a step of {0} ms is not accurate; use --scheme exact above 0.1 ms"
    )]
    LongEuler(f64),
    /// The quadratic neuron has no exact scheme.
    #[error("the quadratic neuron is not linear between spikes; use --scheme euler")]
    QuadraticExact,
    /// Downsampling by zero.
    #[error("--downsample 0; give at least 1")]
    Downsample,
}

impl TimeStep {
    /// The published one.
    pub const PUBLISHED: TimeStep = TimeStep {
        ms: PUBLISHED_STEP_MS,
        scheme: Scheme::Euler,
        steps_per_sample: 100,
        rescaled_noise: true,
    };

    /// Steps of `ms`.
    pub fn new(ms: f64, scheme: Scheme) -> Result<Self, StepError> {
        let steps = (SAMPLE_MS / ms).round();
        if !(0.01..=1.0).contains(&ms) || (steps * ms - SAMPLE_MS).abs() > 1e-9 {
            return Err(StepError::Length(ms));
        }
        if scheme == Scheme::Euler && ms > 0.1 {
            return Err(StepError::LongEuler(ms));
        }
        Ok(Self {
            ms,
            scheme,
            steps_per_sample: steps as u32,
            rescaled_noise: true,
        })
    }

    /// The published `downsample`: every `factor`-th input sample, each for 100
    /// steps that are `factor` times as long, and the same noise in each.
    pub fn downsampled(factor: u32) -> Result<Self, StepError> {
        if factor == 0 {
            return Err(StepError::Downsample);
        }
        Ok(Self {
            ms: PUBLISHED_STEP_MS * f64::from(factor),
            rescaled_noise: false,
            ..Self::PUBLISHED
        })
    }

    /// Standard deviation of the noise of one step, mV. With the exact scheme
    /// that of the exact Ornstein–Uhlenbeck step, whose membrane has the same
    /// standard deviation at any length of step.
    pub fn noise_mv(&self, neuron: &Neuron) -> f64 {
        if !self.rescaled_noise {
            return neuron.noise_mv;
        }
        let growth = (self.ms / PUBLISHED_STEP_MS).sqrt();
        let exactness = match self.scheme {
            Scheme::Euler => 1.0,
            Scheme::Exact => {
                let decay = 2.0 * self.ms / neuron.tau_m_ms;
                (-(-decay).exp_m1() / decay).sqrt()
            }
        };
        neuron.noise_mv * growth * exactness
    }
}

/// A spiking network in mV and ms. N units, K input channels; matrices are row
/// by row.
#[derive(Clone, Debug, PartialEq)]
pub struct SpikingNetwork {
    /// The neuron.
    pub neuron: Neuron,
    /// N.
    pub units: usize,
    /// K.
    pub channels: usize,
    /// Area of the current that a spike of j causes in i, mV·s, N × N.
    pub weights: Vec<f64>,
    /// mV per unit of input, N × K.
    pub input_weights: Vec<f64>,
    /// Constant current of each unit beside the neuron's own, mV, N.
    pub offset_mv: Vec<f64>,
    /// Area of a spike's contribution to the output, s, N.
    pub readout: Vec<f64>,
    /// Decay time constants of the synapses, ms, N.
    pub decay_ms: Vec<f64>,
    /// λ.
    pub lambda: f64,
}

/// A network that cannot be converted.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum ConvertError {
    /// λ is not positive.
    #[error("lambda = {0}; give a positive scaling factor, 20 to 75 is usual")]
    Lambda(f64),
    /// A weight is not a number.
    #[error(
        "{name}[{index}] = {value} (entries counted from 0, row by row): the training diverged or the file is damaged; train again"
    )]
    NotFinite {
        /// The variable.
        name: &'static str,
        /// Place of the entry.
        index: usize,
        /// Its value.
        value: f64,
    },
    /// More units than a spike can name.
    #[error("{0} units; at most 65,535 are supported")]
    Units(usize),
}

impl SpikingNetwork {
    /// The mapping of `rate` with scaling factor `lambda`.
    pub fn new(rate: &RateNetwork, lambda: f64, neuron: Neuron) -> Result<Self, ConvertError> {
        if !(lambda > 0.0 && lambda.is_finite()) {
            return Err(ConvertError::Lambda(lambda));
        }
        if rate.units > usize::from(u16::MAX) {
            return Err(ConvertError::Units(rate.units));
        }
        let scaled = |values: &[f32]| values.iter().map(|&x| f64::from(x) / lambda).collect();
        let network = Self {
            neuron,
            units: rate.units,
            channels: rate.channels,
            weights: scaled(&rate.effective_weights()),
            input_weights: rate.w_in.iter().map(|&w| w.into()).collect(),
            offset_mv: vec![0.0; rate.units],
            readout: scaled(&rate.w_out),
            decay_ms: rate
                .decay_steps()
                .iter()
                .map(|tau| tau * SAMPLE_MS)
                .collect(),
            lambda,
        };
        for (name, values) in [
            ("w", &network.weights),
            ("w_in", &network.input_weights),
            ("w_out", &network.readout),
            ("taus_gaus", &network.decay_ms),
        ] {
            if let Some(index) = values.iter().position(|x| !x.is_finite()) {
                return Err(ConvertError::NotFinite {
                    name,
                    index,
                    value: values[index],
                });
            }
        }
        Ok(network)
    }

    /// Constant current of each unit, mV, N.
    pub fn biases_mv(&self) -> impl Iterator<Item = f64> {
        let bias = self.neuron.bias_mv;
        self.offset_mv.iter().map(move |offset| bias + offset)
    }

    /// The factors of one step for `unit`.
    pub fn factors(&self, unit: usize, step: &TimeStep) -> StepFactors {
        let rise = self.neuron.rise_ms;
        TimeConstants {
            membrane: self.neuron.tau_m_ms / step.ms,
            rise: (rise > 0.0).then_some(rise / step.ms),
            decay: self.decay_ms[unit] / step.ms,
        }
        .step(step.scheme)
    }

    /// Steps after a spike in which a membrane feels its noise only.
    pub fn refractory_steps(&self, step: &TimeStep) -> u16 {
        (self.neuron.refractory_ms / step.ms)
            .round()
            .min(f64::from(u16::MAX - 1)) as u16
    }

    /// The synapse's filter.
    pub fn filter(&self) -> Filter {
        if self.neuron.rise_ms > 0.0 {
            Filter::Double
        } else {
            Filter::Single
        }
    }

    /// The same network in core's terms, in floating point.
    pub fn tables<A: Float>(&self, step: &TimeStep) -> OwnedTables<A> {
        let factors: Vec<StepFactors> = (0..self.units).map(|i| self.factors(i, step)).collect();
        let neuron = &self.neuron;
        let filter = |f: &StepFactors| FilterFactors {
            synapse_decay: A::from_f64(f.synapse_decay),
            // Weights are areas in mV·s; core counts in steps.
            rise_gain: A::from_f64(f.rise_gain * 1000.0 / step.ms),
        };
        let mut starts = vec![0];
        let mut targets = Vec::new();
        for j in 0..self.units {
            let column = (0..self.units).map(|i| (i as u32, self.weights[i * self.units + j]));
            targets.extend(
                column
                    .filter(|(_, w)| *w != 0.0)
                    .map(|(i, w)| (i, A::from_f64(w))),
            );
            starts.push(targets.len());
        }
        OwnedTables {
            constants: Constants {
                units: self.units,
                inputs: self.channels,
                membrane: neuron.membrane,
                filter: self.filter(),
                leak: A::from_f64(factors[0].leak),
                rise_decay: A::from_f64(factors[0].rise_decay),
                noise_gain: A::from_f64(step.noise_mv(neuron) / DEVIATE_SD),
                threshold: A::from_f64(neuron.threshold_mv),
                reset: A::from_f64(neuron.reset_mv),
                refractory_steps: self.refractory_steps(step),
                start: (A::from_f64(neuron.reset_mv), A::from_f64(neuron.start_mv)),
            },
            units: factors
                .iter()
                .zip(self.biases_mv())
                .map(|(f, bias)| UnitFactors {
                    filter: filter(f),
                    gain: A::from_f64(f.gain),
                    lag: A::from_f64(f.lag),
                    bias: A::from_f64(bias),
                })
                .collect(),
            input_weights: self.input_weights.iter().map(|&w| A::from_f64(w)).collect(),
            starts,
            targets,
            readout: factors
                .iter()
                .zip(&self.readout)
                .map(|(f, &w)| ReadoutFilter {
                    filter: filter(f),
                    weight: A::from_f64(w),
                })
                .collect(),
        }
    }
}

/// A floating-point number of core.
pub trait Float:
    Arithmetic<
        Factor = Self,
        Drive = Self,
        Fine = Self,
        Input = Self,
        InputWeight = Self,
        Sum = Self,
    > + Default
    + Send
    + Sync
{
    /// Rounds to nearest.
    fn from_f64(x: f64) -> Self;
    /// Exact.
    fn to_f64(self) -> f64;
}

impl Float for f64 {
    fn from_f64(x: f64) -> Self {
        x
    }
    fn to_f64(self) -> f64 {
        self
    }
}

impl Float for f32 {
    fn from_f64(x: f64) -> Self {
        x as f32
    }
    fn to_f64(self) -> f64 {
        self.into()
    }
}

/// The memory behind [`Tables`].
#[derive(Clone, Debug)]
pub struct OwnedTables<A: Float> {
    constants: Constants<A>,
    units: Vec<UnitFactors<A>>,
    input_weights: Vec<A>,
    starts: Vec<usize>,
    targets: Vec<(u32, A)>,
    readout: Vec<ReadoutFilter<A>>,
}

impl<A: Float> OwnedTables<A> {
    /// The network that core steps.
    pub fn tables(&self) -> Tables<'_, A> {
        Tables {
            constants: self.constants,
            units: &self.units,
            input_weights: &self.input_weights,
            starts: &self.starts,
            targets: &self.targets,
            readout: &self.readout,
            readout_spike: A::OUTPUT_ONE,
        }
    }
}
