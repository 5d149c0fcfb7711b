//! The firing rate of a noisy leaky integrate-and-fire neuron.
//!
//! A. J. F. Siegert, Phys. Rev. 81:617 (1951), in the form of N. Brunel,
//! J. Comput. Neurosci. 8:183–208 (2000), eq. 21:
//!
//! ```text
//! 1/f = t_ref + τ_m √π ∫ e^{u²} (1 + erf u) du,   u from (reset − μ)/σ√2 to (θ − μ)/σ√2
//! ```
//!
//! with σ the standard deviation that the free membrane would have.

use std::f64::consts::PI;

/// A leaky integrate-and-fire neuron driven by white noise; times in ms,
/// potentials in mV.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NoisyNeuron {
    /// Membrane time constant, ms.
    pub tau_m: f64,
    /// Refractory time, ms.
    pub refractory: f64,
    /// Threshold above the reset potential, mV.
    pub threshold_above_reset: f64,
    /// Standard deviation of the free membrane, mV.
    pub sigma: f64,
    /// Time step of the simulation that is described, ms; zero for a process
    /// in continuous time.
    pub step: f64,
}

/// Shift of the threshold, in standard deviations of the noise of one step,
/// that a walk in steps sees against a continuous one: −ζ(½)/√(2π)
/// (Broadie M., Glasserman P., Kou S., Math. Finance 7:325 (1997)).
const STEP_SHIFT: f64 = 0.5826;

impl NoisyNeuron {
    /// Firing rate in Hz at a drive `x` mV above the threshold.
    pub fn rate_hz(&self, x: f64) -> f64 {
        let step_sd = self.sigma * (1.0 - (-2.0 * self.step / self.tau_m).exp()).sqrt();
        let threshold = STEP_SHIFT * step_sd;
        let scale = self.sigma * 2f64.sqrt();
        let (low, high) = (
            (-self.threshold_above_reset - x) / scale,
            (threshold - x) / scale,
        );
        // Beyond this the rate is below 1e-9 Hz and the integrand overflows.
        if high > 5.5 {
            return 0.0;
        }
        1000.0 / (self.refractory + self.tau_m * PI.sqrt() * integral(low, high))
    }
}

/// e^{u²} (1 + erf u), for any u below 26.
fn integrand(u: f64) -> f64 {
    if u > -5.0 {
        return (u * u).exp() * libm::erfc(-u);
    }
    // The asymptotic series of the scaled complementary error function.
    let z = 1.0 / (u * u);
    (1.0 - z / 2.0 * (1.0 - 1.5 * z * (1.0 - 2.5 * z * (1.0 - 3.5 * z)))) / (-u * PI.sqrt())
}

/// ∫ of [`integrand`] by Simpson's rule.
fn integral(low: f64, high: f64) -> f64 {
    const INTERVALS: usize = 2000;
    let d = (high - low) / INTERVALS as f64;
    let inner: f64 = (1..INTERVALS)
        .map(|i| integrand(low + d * i as f64) * if i % 2 == 1 { 4.0 } else { 2.0 })
        .sum();
    d / 3.0 * (integrand(low) + inner + integrand(high))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEURON: NoisyNeuron = NoisyNeuron {
        tau_m: 10.0,
        refractory: 2.0,
        threshold_above_reset: 25.0,
        sigma: 1.0,
        step: 0.0,
    };

    #[test]
    fn the_rates_are_those_of_the_formula() {
        // Evaluated independently with 30 digits of precision.
        for (x, rate) in [
            (-2.0, 6.9),
            (-1.0, 16.4),
            (0.0, 24.7),
            (1.0, 31.3),
            (2.0, 36.9),
            (5.0, 50.7),
            (10.0, 69.0),
        ] {
            assert!(
                (NEURON.rate_hz(x) - rate).abs() < 0.06,
                "{x}: {}",
                NEURON.rate_hz(x)
            );
        }
    }

    #[test]
    fn far_above_threshold_noise_does_not_matter() {
        let x = 60.0f64;
        let regular = 1000.0 / (2.0 + 10.0 * ((x + 25.0) / x).ln());
        assert!((NEURON.rate_hz(x) / regular - 1.0).abs() < 1e-3);
    }
}
