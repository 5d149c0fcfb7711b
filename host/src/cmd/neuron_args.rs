//! Flags that choose the spiking neuron and its time step.

use rate2spike_core::neuron::Scheme;

use super::error::CommandError;
use super::number::{above_0, up_to_1000};
use crate::convert::model_file::Flags;
use crate::spiking::neuron::Neuron;
use crate::spiking::time_step::{PUBLISHED_STEP_MS, StepError, TimeStep};

/// Flags that choose the neuron and the way it is simulated.
#[derive(Clone, Debug, clap::Args)]
pub struct NeuronArgs {
    /// Time step in ms: 0.05, 0.1, 0.2, 0.25, 0.5, 1
    #[arg(long, value_name = "MS", value_parser = above_0, conflicts_with = "downsample")]
    pub dt: Option<f64>,
    /// The published downsampling: every K-th input sample, steps K times as long, noise as it is
    #[arg(long, value_name = "K")]
    pub downsample: Option<u32>,
    /// Integration; euler up to 0.1 ms by default, exact above
    #[arg(long, value_enum)]
    pub scheme: Option<SchemeArg>,
    /// The neuron's equation
    #[command(flatten)]
    pub equation: EquationArgs,
    /// Standard deviation of the membrane noise of 0.05 ms, in mV; 0 for none
    #[arg(long, value_name = "MV", default_value_t = 0.1, value_parser = up_to_1000)]
    pub noise: f64,
}

/// Flags that choose the neuron's equation.
#[derive(Clone, Debug, clap::Args)]
pub struct EquationArgs {
    /// The neuron's equation
    #[arg(long, value_enum, default_value = "lif")]
    pub neuron: NeuronArg,
    /// The synapse's filter
    #[arg(long, value_enum, default_value = "double")]
    pub filter: FilterArg,
    /// Refractory time in ms
    #[arg(long, value_name = "MS", default_value_t = 2.0, value_parser = up_to_1000)]
    pub refractory: f64,
}

impl EquationArgs {
    /// The published neuron with this equation, filter and refractory time.
    pub fn neuron(&self) -> Neuron {
        let neuron = match self.neuron {
            NeuronArg::Lif => Neuron::LIF,
            NeuronArg::Qif => Neuron::QIF,
        };
        let rise_ms = match self.filter {
            FilterArg::Double => neuron.rise_ms,
            FilterArg::Single => 0.0,
        };
        Neuron {
            refractory_ms: self.refractory,
            rise_ms,
            ..neuron
        }
    }
}

/// The name of a value on the command line.
fn choice_name(value: impl clap::ValueEnum) -> String {
    let name = value.to_possible_value();
    name.map_or_else(String::new, |name| name.get_name().into())
}

/// How a step is integrated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum SchemeArg {
    /// As published
    Euler,
    /// Exact between spikes
    Exact,
}

/// The neuron's equation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum NeuronArg {
    /// Leaky integrate-and-fire
    Lif,
    /// Quadratic integrate-and-fire
    Qif,
}

/// The synapse's filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum FilterArg {
    /// Rise of 2 ms, then decay
    Double,
    /// Decay only
    Single,
}

impl NeuronArgs {
    /// The flags whose values are not the default ones.
    pub fn flags(&self) -> Flags {
        let mut flags = Flags::new();
        if let Some(ms) = self.dt {
            flags = flags.with_value("--dt", ms);
        }
        if let Some(factor) = self.downsample {
            flags = flags.with_value("--downsample", factor);
        }
        if let Some(scheme) = self.scheme {
            flags = flags.with_value("--scheme", choice_name(scheme));
        }
        if self.equation.neuron != NeuronArg::Lif {
            flags = flags.with_value("--neuron", choice_name(self.equation.neuron));
        }
        if self.equation.filter != FilterArg::Double {
            flags = flags.with_value("--filter", choice_name(self.equation.filter));
        }
        if self.equation.refractory != Neuron::LIF.refractory_ms {
            flags = flags.with_value("--refractory", self.equation.refractory);
        }
        if self.noise != Neuron::LIF.noise_mv {
            flags = flags.with_value("--noise", self.noise);
        }
        flags
    }

    /// The time step.
    ///
    /// # Errors
    /// If the neuron cannot be stepped so.
    pub fn step(&self) -> Result<TimeStep, CommandError> {
        if let Some(factor) = self.downsample {
            if self.scheme == Some(SchemeArg::Exact) {
                let message = "--downsample is the published scheme; use --dt with --scheme exact";
                return Err(CommandError::Usage(message.into()));
            }
            return Ok(TimeStep::downsampled(factor)?);
        }
        let ms = self.dt.unwrap_or(PUBLISHED_STEP_MS);
        let scheme = match self.scheme {
            Some(SchemeArg::Euler) => Scheme::Euler,
            Some(SchemeArg::Exact) => Scheme::Exact,
            None if ms <= 0.1 || self.equation.neuron == NeuronArg::Qif => Scheme::Euler,
            None => Scheme::Exact,
        };
        if self.equation.neuron == NeuronArg::Qif && scheme == Scheme::Exact {
            return Err(StepError::QuadraticExact.into());
        }
        if self.equation.neuron == NeuronArg::Qif && ms > 0.1 {
            return Err(StepError::LongQuadratic(ms).into());
        }
        Ok(TimeStep::new(ms, scheme)?)
    }

    /// The neuron.
    pub fn neuron(&self) -> Neuron {
        Neuron {
            noise_mv: self.noise,
            ..self.equation.neuron()
        }
    }
}
