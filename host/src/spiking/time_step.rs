//! The time step of a spiking network: its length, its scheme of integration, and
//! the noise that belongs to it.

use rate2spike_core::neuron::{Scheme, StepFactors, TimeConstants};

use super::neuron::Neuron;
use crate::task::SAMPLE_MS;

/// Time step of the published simulations, to which its noise belongs, ms.
pub const PUBLISHED_STEP_MS: f64 = 0.05;

/// The largest factor of [`TimeStep::downsampled`]: a step is then 3.95 ms long.
/// With 4 ms, twice the rise time of the published synapse, Euler's scheme no
/// longer decays.
pub const MOST_DOWNSAMPLE: u32 = 79;

/// The steps into which time is cut.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimeStep {
    /// Length of a step, ms.
    pub ms: f64,
    /// The scheme of integration.
    pub scheme: Scheme,
    /// True if the noise of a step grows with the step's length, so that the
    /// process stays the same. The published `downsample` keeps the noise.
    pub rescaled_noise: bool,
}

/// A time step that does not work.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum StepError {
    /// Not a whole number of steps in an input sample.
    #[error("a time step of {0} ms: give a length that divides 5 ms, from 0.01 to 1 ms")]
    Length(f64),
    /// Not a whole number of steps in a sample of this task.
    #[error(
        "a time step of {ms} ms does not divide the task's samples of {sample_ms} ms: give 0.05, 0.1, 0.2, 0.25, 0.5 or 1 ms"
    )]
    Sample {
        /// Length of the step.
        ms: f64,
        /// Length of a sample.
        sample_ms: f64,
    },
    /// Euler's scheme with a long step.
    #[error(
        "Euler's scheme with a step of {0} ms is not accurate; use --scheme exact above 0.1 ms"
    )]
    LongEuler(f64),
    /// The quadratic neuron has no exact scheme.
    #[error(
        "the quadratic neuron is not linear between spikes; use --scheme euler, with --dt 0.1 or less"
    )]
    QuadraticExact,
    /// The quadratic neuron with a long step.
    #[error(
        "the quadratic neuron is integrated by Euler's scheme, which is not accurate with a step of {0} ms; give --dt 0.1 or less"
    )]
    LongQuadratic(f64),
    /// Downsampling with the exact scheme.
    #[error("--downsample is the published scheme; use --dt with --scheme exact")]
    ExactDownsample,
    /// Downsampling with no step, or with steps in which Euler's scheme diverges.
    #[error(
        "--downsample {0}: a step would last {ms} ms, and Euler's scheme of a synapse with a rise time of 2 ms diverges from 4 ms on; give 1 to {MOST_DOWNSAMPLE}",
        ms = f64::from(*.0) / 20.0
    )]
    Downsample(u32),
}

impl TimeStep {
    /// The published step.
    pub const PUBLISHED: TimeStep = TimeStep {
        ms: PUBLISHED_STEP_MS,
        scheme: Scheme::Euler,
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
            rescaled_noise: true,
        })
    }

    /// The published `downsample`: every `factor`-th input sample, each for 100
    /// steps that are `factor` times as long, and the same noise in each.
    pub fn downsampled(factor: u32) -> Result<Self, StepError> {
        if !(1..=MOST_DOWNSAMPLE).contains(&factor) {
            return Err(StepError::Downsample(factor));
        }
        Ok(Self {
            ms: PUBLISHED_STEP_MS * f64::from(factor),
            rescaled_noise: false,
            ..Self::PUBLISHED
        })
    }

    /// Time steps of an input sample of `sample_ms`. The published `downsample`
    /// leaves samples out and shows each of the others for the published number
    /// of steps.
    pub fn steps_per_sample(&self, sample_ms: f64) -> u32 {
        let step_ms = if self.rescaled_noise {
            self.ms
        } else {
            PUBLISHED_STEP_MS
        };
        (sample_ms / step_ms).round() as u32
    }

    /// Every how many input samples are shown: the published `downsample`, else 1.
    pub fn every(&self) -> usize {
        match self.rescaled_noise {
            true => 1,
            false => (self.ms / PUBLISHED_STEP_MS).round() as usize,
        }
    }

    /// Checks that a sample of `sample_ms` is a whole number of steps.
    ///
    /// # Errors
    /// [`StepError::Sample`].
    pub fn check_sample(&self, sample_ms: f64) -> Result<(), StepError> {
        let steps = f64::from(self.steps_per_sample(sample_ms));
        if self.rescaled_noise && (steps * self.ms - sample_ms).abs() > 1e-9 {
            let ms = self.ms;
            return Err(StepError::Sample { ms, sample_ms });
        }
        Ok(())
    }

    /// The factors of one step for a unit whose synapse decays with `decay_ms`.
    pub fn factors(&self, neuron: &Neuron, decay_ms: f64) -> StepFactors {
        let rise = neuron.rise_ms;
        TimeConstants {
            membrane: neuron.tau_m_ms / self.ms,
            rise: (rise > 0.0).then_some(rise / self.ms),
            decay: decay_ms / self.ms,
        }
        .step(self.scheme)
    }

    /// Standard deviation of the noise of one step, mV. The exact scheme takes the
    /// noise of the exact Ornstein–Uhlenbeck step, so that the membrane has the
    /// same standard deviation at any length of step.
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

    /// Standard deviation, mV, of a membrane without a threshold: the noise of the steps, added
    /// up over the membrane's time.
    pub fn free_noise_mv(&self, neuron: &Neuron) -> f64 {
        let step_ms = match self.rescaled_noise {
            true => PUBLISHED_STEP_MS,
            false => self.ms,
        };
        neuron.noise_mv * (neuron.tau_m_ms / (2.0 * step_ms)).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_downsampling_that_diverges_is_refused_with_its_limit() {
        for factor in [0, 80, 100, 201] {
            let error = TimeStep::downsampled(factor).expect_err("no usable step");
            assert!(error.to_string().contains("give 1 to 79"), "{error}");
        }
        for factor in [1, 20, 79] {
            assert!(TimeStep::downsampled(factor).is_ok(), "{factor}");
        }
    }

    #[test]
    fn a_step_divides_a_sample_and_the_long_ones_are_exact() {
        assert_eq!(TimeStep::new(0.05, Scheme::Euler), Ok(TimeStep::PUBLISHED));
        assert_eq!(
            TimeStep::new(0.3, Scheme::Exact),
            Err(StepError::Length(0.3))
        );
        assert_eq!(
            TimeStep::new(0.5, Scheme::Euler),
            Err(StepError::LongEuler(0.5))
        );
        let noise = |ms| {
            let step = TimeStep::new(ms, Scheme::Exact).expect("a step");
            step.noise_mv(&Neuron::LIF)
        };
        // Four times the length, about twice the noise.
        assert!((noise(0.2) / noise(0.05) - 2.0).abs() < 0.02);
    }

    #[test]
    fn the_noise_of_a_free_membrane_is_that_of_its_steps_added_up() {
        let neuron = Neuron::LIF;
        let steps = [
            TimeStep::PUBLISHED,
            TimeStep::new(1.0, Scheme::Exact).expect("a step"),
            TimeStep::downsampled(4).expect("a step"),
        ];
        for step in steps {
            // What a step leaves of the potential.
            let left = match step.scheme {
                Scheme::Euler => 1.0 - step.ms / neuron.tau_m_ms,
                Scheme::Exact => (-step.ms / neuron.tau_m_ms).exp(),
            };
            let added = step.noise_mv(&neuron) / (1.0 - left * left).sqrt();
            let share = step.free_noise_mv(&neuron) / added;
            assert!((share - 1.0).abs() < 0.01, "{step:?}: {share}");
        }
    }
}
