//! Flags that choose the spiking neuron and its time step.

use rate2spike_core::neuron::{Membrane, Scheme};

use super::error::CommandError;
use super::number::{above_0, up_to_1000};
use crate::convert::model_file::Flags;
use crate::formats::rate_model::RateModelFile;
use crate::print::console::Console;
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
    /// The neuron
    #[command(flatten)]
    pub spiking: SpikingArgs,
}

/// Flags that choose the neuron. A flag that is left out is that of the model's
/// conversion, or else the published one.
#[derive(Clone, Debug, clap::Args)]
pub struct SpikingArgs {
    /// The neuron's equation
    #[command(flatten)]
    pub equation: EquationArgs,
    /// Standard deviation of the membrane noise of 0.05 ms, in mV; 0 for none [default: 0.1]
    #[arg(long, value_name = "MV", value_parser = up_to_1000)]
    pub noise: Option<f64>,
}

/// Flags that choose the neuron's equation.
#[derive(Clone, Debug, clap::Args)]
pub struct EquationArgs {
    /// The neuron's equation [default: lif]
    #[arg(long, value_enum)]
    pub neuron: Option<NeuronArg>,
    /// The synapse's filter [default: double]
    #[arg(long, value_enum)]
    pub filter: Option<FilterArg>,
    /// Refractory time in ms [default: 2]
    #[arg(long, value_name = "MS", value_parser = up_to_1000)]
    pub refractory: Option<f64>,
}

impl EquationArgs {
    /// The published neuron with this equation, filter and refractory time.
    pub fn neuron(&self) -> Neuron {
        self.over(&Neuron::LIF)
    }

    /// `known` with the values of the flags that were given.
    pub fn over(&self, known: &Neuron) -> Neuron {
        let published = match self.neuron {
            None => *known,
            Some(NeuronArg::Lif) => Neuron::LIF,
            Some(NeuronArg::Qif) => Neuron::QIF,
        };
        let rise_ms = match self.filter {
            None => known.rise_ms,
            Some(FilterArg::Double) => Neuron::LIF.rise_ms,
            Some(FilterArg::Single) => 0.0,
        };
        Neuron {
            refractory_ms: self.refractory.unwrap_or(known.refractory_ms),
            rise_ms,
            noise_mv: known.noise_mv,
            ..published
        }
    }
}

impl SpikingArgs {
    /// Whether one of the flags was given.
    pub fn is_given(&self) -> bool {
        let EquationArgs {
            neuron,
            filter,
            refractory,
        } = &self.equation;
        let equation = neuron.is_some() || filter.is_some() || refractory.is_some();
        equation || self.noise.is_some()
    }

    /// `known` with the values of the flags that were given.
    pub fn over(&self, known: &Neuron) -> Neuron {
        Neuron {
            noise_mv: self.noise.unwrap_or(known.noise_mv),
            ..self.equation.over(known)
        }
    }

    /// The flags that a model's conversion was made with; `None` if the model does not
    /// hold them.
    fn of_conversion(model: &RateModelFile) -> Option<Self> {
        let flags = model.conversion_flags()?;
        let number = |flag| flags.value(flag).and_then(|value| up_to_1000(value).ok());
        Some(Self {
            equation: EquationArgs {
                neuron: chosen(flags.value("--neuron")),
                filter: chosen(flags.value("--filter")),
                refractory: number("--refractory"),
            },
            noise: number("--noise"),
        })
    }

    /// The neuron for the λ of `model`: that of the model's conversion, with the values
    /// of the flags that were given. `lambda` is the λ that was asked for.
    pub fn for_model(
        &self,
        model: &RateModelFile,
        lambda: Option<f64>,
        console: &Console,
    ) -> Neuron {
        let Some(conversion) = Self::of_conversion(model) else {
            return self.over(&Neuron::LIF);
        };
        let known = conversion.over(&Neuron::LIF);
        let neuron = self.over(&known);
        if lambda.is_none() && neuron != known {
            console.warn(format!(
                "{}: its lambda was found with {}, and not with {}: leave these flags out, or search again with `rate2spike convert --force {}`",
                model.path.display(),
                all_flags(&known),
                all_flags(&neuron),
                all_flags(&neuron)
            ));
        }
        neuron
    }

    /// The flags whose values are not the published ones.
    pub fn flags(&self) -> Flags {
        let mut flags = Flags::new();
        let EquationArgs {
            neuron,
            filter,
            refractory,
        } = self.equation;
        if let Some(neuron) = neuron.filter(|neuron| *neuron != NeuronArg::Lif) {
            flags = flags.with_value("--neuron", choice_name(neuron));
        }
        if let Some(filter) = filter.filter(|filter| *filter != FilterArg::Double) {
            flags = flags.with_value("--filter", choice_name(filter));
        }
        if let Some(ms) = refractory.filter(|ms| *ms != Neuron::LIF.refractory_ms) {
            flags = flags.with_value("--refractory", ms);
        }
        if let Some(mv) = self.noise.filter(|mv| *mv != Neuron::LIF.noise_mv) {
            flags = flags.with_value("--noise", mv);
        }
        flags
    }
}

/// The four flags that give this neuron.
fn all_flags(neuron: &Neuron) -> String {
    let equation = match neuron.membrane {
        Membrane::Leaky => NeuronArg::Lif,
        Membrane::Quadratic => NeuronArg::Qif,
    };
    let filter = match neuron.rise_ms > 0.0 {
        true => FilterArg::Double,
        false => FilterArg::Single,
    };
    format!(
        "--neuron {} --filter {} --refractory {} --noise {}",
        choice_name(equation),
        choice_name(filter),
        neuron.refractory_ms,
        neuron.noise_mv
    )
}

/// The value that a word of the command line names.
fn chosen<T: clap::ValueEnum>(word: Option<&str>) -> Option<T> {
    T::from_str(word?, false).ok()
}

/// The name of a value on the command line.
fn choice_name(value: impl clap::ValueEnum) -> String {
    let name = value.to_possible_value();
    name.map_or_else(String::new, |name| name.get_name().into())
}

/// How a step is integrated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum SchemeArg {
    /// Euler's step, the published one
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
        flags.and(self.spiking.flags())
    }

    /// The time step for a neuron.
    ///
    /// # Errors
    /// If the neuron cannot be stepped so.
    pub fn step(&self, neuron: &Neuron) -> Result<TimeStep, CommandError> {
        let quadratic = neuron.membrane == Membrane::Quadratic;
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
            None if ms <= 0.1 || quadratic => Scheme::Euler,
            None => Scheme::Exact,
        };
        if quadratic && scheme == Scheme::Exact {
            return Err(StepError::QuadraticExact.into());
        }
        if quadratic && ms > 0.1 {
            return Err(StepError::LongQuadratic(ms).into());
        }
        Ok(TimeStep::new(ms, scheme)?)
    }

    /// The published neuron with the values of the flags that were given.
    pub fn neuron(&self) -> Neuron {
        self.spiking.over(&Neuron::LIF)
    }
}
