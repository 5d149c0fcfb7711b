//! The flags that choose a spiking neuron and its time step. A conversion stores them in
//! its model, and the later commands on that model begin with them.

use rate2spike_core::neuron::{Membrane, Scheme};

use super::flags::Flags;
use crate::formats::rate_model::{ModelError, RateModelFile};
use crate::number::{above_0, shown, up_to_1000};
use crate::spiking::neuron::{Equation, Filter, Neuron};
use crate::spiking::time_step::{PUBLISHED_STEP_MS, StepError, TimeStep};

/// Flags that choose the neuron and the way it is simulated.
#[derive(Clone, Debug, clap::Args)]
pub struct StepChoice {
    /// Time step in ms: 0.05, 0.1, 0.2, 0.25, 0.5, 1
    #[arg(long, value_name = "MS", value_parser = above_0, conflicts_with = "downsample")]
    pub dt: Option<f64>,
    /// The published downsampling: every K-th input sample, steps K times as long, noise as it is
    #[arg(long, value_name = "K")]
    pub downsample: Option<u32>,
    /// Integration; euler up to 0.1 ms by default, exact above
    #[arg(long, value_enum)]
    pub scheme: Option<SchemeChoice>,
    /// The neuron
    #[command(flatten)]
    pub neuron: NeuronChoice,
}

/// Flags that choose the neuron. A flag that is left out is that of the model's
/// conversion, or else the published one.
#[derive(Clone, Debug, clap::Args)]
pub struct NeuronChoice {
    /// The neuron's equation
    #[command(flatten)]
    pub equation: EquationChoice,
    /// Standard deviation of the membrane noise of 0.05 ms, in mV; 0 for none [default: 0.1]
    #[arg(long, value_name = "MV", value_parser = up_to_1000)]
    pub noise: Option<f64>,
}

/// Flags that choose the neuron's equation.
#[derive(Clone, Debug, clap::Args)]
pub struct EquationChoice {
    /// The neuron's equation [default: lif]
    #[arg(long, value_enum)]
    pub neuron: Option<Equation>,
    /// The synapse's filter [default: double]
    #[arg(long, value_enum)]
    pub filter: Option<Filter>,
    /// Refractory time in ms [default: 2]
    #[arg(long, value_name = "MS", value_parser = up_to_1000)]
    pub refractory: Option<f64>,
}

/// The integration of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum SchemeChoice {
    /// Euler's step, the published one
    Euler,
    /// Exact between spikes
    Exact,
}

impl EquationChoice {
    /// `known` with the values of the flags that were given.
    pub fn over(&self, known: &Neuron) -> Neuron {
        let published = self.neuron.map_or(*known, Equation::neuron);
        Neuron {
            refractory_ms: self.refractory.unwrap_or(known.refractory_ms),
            rise_ms: self.filter.map_or(known.rise_ms, Filter::rise_ms),
            noise_mv: known.noise_mv,
            ..published
        }
    }
}

impl NeuronChoice {
    /// Whether one of the flags was given.
    pub fn is_given(&self) -> bool {
        let EquationChoice {
            neuron,
            filter,
            refractory,
        } = &self.equation;
        neuron.is_some() || filter.is_some() || refractory.is_some() || self.noise.is_some()
    }

    /// `known` with the values of the flags that were given.
    pub fn over(&self, known: &Neuron) -> Neuron {
        Neuron {
            noise_mv: self.noise.unwrap_or(known.noise_mv),
            ..self.equation.over(known)
        }
    }

    /// The flags among those of a conversion.
    ///
    /// # Errors
    /// The flag and its value that cannot be read.
    fn of_flags(flags: &Flags) -> Result<Self, String> {
        Ok(Self {
            equation: EquationChoice {
                neuron: read(flags, "--neuron", chosen)?,
                filter: read(flags, "--filter", chosen)?,
                refractory: read(flags, "--refractory", |ms| up_to_1000(ms).ok())?,
            },
            noise: read(flags, "--noise", |mv| up_to_1000(mv).ok())?,
        })
    }

    /// The neuron for the λ of `model`: that of the model's conversion, with the values
    /// of the flags that were given. `lambda` is the λ that was asked for. The sentence
    /// warns of a λ that was found with another neuron.
    ///
    /// # Errors
    /// If no λ was asked for, and the flags of the model's conversion cannot be read.
    pub fn for_model(
        &self,
        model: &RateModelFile,
        lambda: Option<f64>,
    ) -> Result<(Neuron, Option<String>), ModelError> {
        let flags = match model.conversion_flags() {
            Ok(flags) => flags,
            Err(error) if lambda.is_some() => {
                let neuron = self.over(&Neuron::LIF);
                let warning = format!("{error}; {} is used", all_flags(&neuron));
                return Ok((neuron, Some(warning)));
            }
            Err(error) => return Err(error),
        };
        let conversion = flags.and_then(|flags| Some((Self::of_flags(&flags).ok()?, flags)));
        let Some((conversion, flags)) = conversion else {
            return Ok((self.over(&Neuron::LIF), None));
        };
        let known = conversion.over(&Neuron::LIF);
        let neuron = self.over(&known);
        let differs = lambda.is_none() && neuron != known;
        let warning = differs.then(|| {
            format!(
                "{}: {} with {}, and not with {}: leave these flags out, or convert it again with `rate2spike convert --force{} {}`",
                model.path.display(),
                found_in_words(&flags),
                all_flags(&known),
                all_flags(&neuron),
                mode(&flags),
                all_flags(&neuron)
            )
        });
        Ok((neuron, warning))
    }

    /// The flags whose values are not the published ones.
    pub fn flags(&self) -> Flags {
        let EquationChoice {
            neuron,
            filter,
            refractory,
        } = self.equation;
        let refractory = refractory.filter(|ms| *ms != Neuron::LIF.refractory_ms);
        Flags::new()
            .with_choice("--neuron", neuron.filter(|it| *it != Equation::Lif))
            .with_choice("--filter", filter.filter(|it| *it != Filter::Double))
            .with_given("--refractory", refractory)
            .with_given(
                "--noise",
                self.noise.filter(|mv| *mv != Neuron::LIF.noise_mv),
            )
    }
}

/// The four flags that give this neuron.
fn all_flags(neuron: &Neuron) -> String {
    format!(
        "--neuron {} --filter {} --refractory {} --noise {}",
        Equation::of(neuron).name(),
        Filter::of(neuron).name(),
        neuron.refractory_ms,
        neuron.noise_mv
    )
}

/// A time step in words.
fn in_words(step: &TimeStep) -> String {
    let scheme = match step.scheme {
        Scheme::Euler => "euler",
        Scheme::Exact => "exact",
    };
    let noise = match step.rescaled_noise {
        true => "",
        false => ", downsampled",
    };
    format!("steps of {} ms ({scheme}{noise})", shown(step.ms))
}

/// What a conversion with these flags did.
fn found_in_words(flags: &Flags) -> &'static str {
    match flags.is_calibration() {
        true => "it was calibrated",
        false => "its lambda was found",
    }
}

/// The flag of the mode of a conversion with these flags, behind a space.
fn mode(flags: &Flags) -> &'static str {
    match flags.is_calibration() {
        true => " --calibrate",
        false => "",
    }
}

/// The value that a word of the command line names.
fn chosen<T: clap::ValueEnum>(word: &str) -> Option<T> {
    T::from_str(word, false).ok()
}

/// The value of `flag` among `flags`, if it is there; the flag and its value, if `parse`
/// does not know the value.
fn read<T>(
    flags: &Flags,
    flag: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, String> {
    let value = flags.value(flag);
    value
        .map(|value| parse(value).ok_or_else(|| format!("{flag} {value}")))
        .transpose()
}

impl StepChoice {
    /// The flags that choose the step for the λ of `model`: those of the model's conversion where
    /// none of them was given. `lambda` is the λ that was asked for.
    pub fn for_model(&self, model: &RateModelFile, lambda: Option<f64>) -> Self {
        let is_given = self.dt.is_some() || self.downsample.is_some() || self.scheme.is_some();
        let conversion = match is_given {
            true => None,
            false => Self::of_conversion(model, lambda).map(|(conversion, _)| conversion),
        };
        let neuron = self.neuron.clone();
        match conversion {
            Some(conversion) => Self {
                neuron,
                ..conversion
            },
            None => self.clone(),
        }
    }

    /// The choice of the conversion that found the λ of `model`, and all its flags; `None` where
    /// another λ was asked for.
    fn of_conversion(model: &RateModelFile, lambda: Option<f64>) -> Option<(Self, Flags)> {
        let flags = model.conversion_flags().ok().flatten();
        let flags = flags.filter(|_| lambda.is_none())?;
        Some((Self::of_flags(&flags).ok()?, flags))
    }

    /// Warns of a λ or a calibration of `model` that was found with another time step than
    /// `step`, in a sentence. `lambda` is the λ that was asked for.
    pub fn compared(model: &RateModelFile, lambda: Option<f64>, step: &TimeStep) -> Option<String> {
        let (conversion, flags) = Self::of_conversion(model, lambda)?;
        let found = conversion.step(&conversion.neuron()).ok()?;
        (found != *step).then(|| conversion.warning(model, &flags, &found, step))
    }

    /// The same for the step in which a network is deployed. There is a warning only where the
    /// conversion named a step, and of another length.
    pub fn compared_with_deployed(
        model: &RateModelFile,
        lambda: Option<f64>,
        step: &TimeStep,
    ) -> Option<String> {
        let (conversion, flags) = Self::of_conversion(model, lambda)?;
        let found = conversion.step(&conversion.neuron()).ok()?;
        let is_named = conversion.dt.is_some() || conversion.downsample.is_some();
        (is_named && found.ms != step.ms).then(|| conversion.warning(model, &flags, &found, step))
    }

    /// The warning of a conversion with `flags` and the step `found`, where `step` is another one.
    fn warning(
        &self,
        model: &RateModelFile,
        flags: &Flags,
        found: &TimeStep,
        step: &TimeStep,
    ) -> String {
        format!(
            "{}: {} with {}, and not with {}: give the same step, or convert it again with `rate2spike convert --force{} {}`",
            model.path.display(),
            found_in_words(flags),
            in_words(found),
            in_words(step),
            mode(flags),
            Self::of_step(step, self.neuron.clone()).flags()
        )
    }

    /// The flags among those of a conversion.
    ///
    /// # Errors
    /// The flag and its value that cannot be read.
    pub fn of_flags(flags: &Flags) -> Result<Self, String> {
        let choice = Self {
            dt: read(flags, "--dt", |ms| above_0(ms).ok())?,
            downsample: read(flags, "--downsample", |k| k.parse().ok())?,
            scheme: read(flags, "--scheme", chosen)?,
            neuron: NeuronChoice::of_flags(flags)?,
        };
        match (choice.dt, choice.downsample) {
            (Some(_), Some(_)) => Err("--dt beside --downsample".into()),
            _ => Ok(choice),
        }
    }

    /// The flags that give `step` to this neuron.
    pub fn of_step(step: &TimeStep, neuron: NeuronChoice) -> Self {
        let scheme = match step.scheme {
            Scheme::Euler => SchemeChoice::Euler,
            Scheme::Exact => SchemeChoice::Exact,
        };
        let is_downsampled = !step.rescaled_noise;
        Self {
            dt: (!is_downsampled).then_some(step.ms),
            downsample: is_downsampled.then_some(step.every() as u32),
            scheme: (!is_downsampled).then_some(scheme),
            neuron,
        }
    }

    /// The flags whose values are not the default ones.
    pub fn flags(&self) -> Flags {
        Flags::new()
            .with_given("--dt", self.dt)
            .with_given("--downsample", self.downsample)
            .with_choice("--scheme", self.scheme)
            .and(self.neuron.flags())
    }

    /// The time step for a neuron.
    ///
    /// # Errors
    /// If the neuron cannot be stepped so.
    pub fn step(&self, neuron: &Neuron) -> Result<TimeStep, StepError> {
        let quadratic = neuron.membrane == Membrane::Quadratic;
        if let Some(factor) = self.downsample {
            if self.scheme == Some(SchemeChoice::Exact) {
                return Err(StepError::ExactDownsample);
            }
            return TimeStep::downsampled(factor);
        }
        let ms = self.dt.unwrap_or(PUBLISHED_STEP_MS);
        let scheme = match self.scheme {
            Some(SchemeChoice::Euler) => Scheme::Euler,
            Some(SchemeChoice::Exact) => Scheme::Exact,
            None if ms <= 0.1 || quadratic => Scheme::Euler,
            None => Scheme::Exact,
        };
        if quadratic && scheme == Scheme::Exact {
            return Err(StepError::QuadraticExact);
        }
        if quadratic && ms > 0.1 {
            return Err(StepError::LongQuadratic(ms));
        }
        TimeStep::new(ms, scheme)
    }

    /// The published neuron with the values of the flags that were given.
    pub fn neuron(&self) -> Neuron {
        self.neuron.over(&Neuron::LIF)
    }
}
