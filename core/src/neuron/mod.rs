//! The neuron: a membrane that integrates its current and fires at a threshold,
//! and the synapse filter in front of it.
//!
//! ```text
//! τ_m dv/dt = f(v) + I(t)             f(v) = −v  leaky,  v²  quadratic
//! I(t)      = I_b + Σ_k W_k u_k(t) + s(t)
//! τ_d ds/dt = −s + h                  double filter
//! τ_r dh/dt = −h + Σ_spikes w δ(t − t_spike)
//! v ≥ V_th:   a spike; v ← V_reset, and v stays there for t_ref, except for noise
//! ```
//!
//! With the single filter a spike adds to s at once, and there is no h.
//!
//! | parameter | symbol | here | unit here | published |
//! |---|---|---|---|---|
//! | membrane time constant | τ_m | [`TimeConstants::membrane`] | steps | 10 ms |
//! | rise time constant of the synapse | τ_r | [`TimeConstants::rise`] | steps | 2 ms, or none |
//! | decay time constant of the synapse | τ_d | [`TimeConstants::decay`] | steps | 20 to 100 ms |
//! | refractory time | t_ref | [`Constants::refractory_steps`] | steps | 2 ms |
//! | constant current | I_b | [`UnitFactors::bias`] | mV | −40 mV leaky, 0 mV quadratic |
//! | threshold | V_th | [`Constants::threshold`] | mV | −40 mV leaky, 30 mV quadratic |
//! | reset potential | V_reset | [`Constants::reset`] | mV | −65 mV |
//! | potentials at the start | | [`Constants::start`] | mV | −65 to 30 mV |
//! | standard deviation of the noise of 0.05 ms | σ | [`Constants::noise_gain`] | see there | 0.1 mV |
//!
//! Between two spikes of a network these equations are linear, and a time step of
//! any length has an exact solution. [`TimeConstants::step`] turns the time
//! constants into the factors of that solution, once, before a run. A step then
//! computes, without `exp` and without a division:
//!
//! ```text
//! change = synapse_decay·s + rise_gain·h
//! v ← v + leak·(f(v) + drive + gain·s + lag·change)
//! s ← s + change
//! h ← h + rise_decay·h
//! ```
//!
//! `gain·s + lag·change` is the average of the current over the step, weighted as
//! the membrane weights it. Fixed point takes the middle, `s + change/2`. `drive`
//! is the constant current and the input. The published scheme
//! ([`Scheme::Euler`]) takes the current at the step's beginning: `gain` is one
//! and `lag` is zero.
//!
//! # References
//!
//! - Kim R., Li Y., Sejnowski T.J., *Simple framework for constructing functional
//!   spiking recurrent neural networks*, PNAS 116:22811–22820 (2019),
//!   doi 10.1073/pnas.1905926116: the neuron, its constants and the order of
//!   updates.
//! - Rotter S., Diesmann M., *Exact digital simulation of time-invariant linear
//!   systems with applications to neuronal modeling*, Biol. Cybern. 81:381–402
//!   (1999), doi 10.1007/s004220050570: the exact step.
//!
//! [`Constants::refractory_steps`]: crate::network::Constants::refractory_steps
//! [`Constants::threshold`]: crate::network::Constants::threshold
//! [`Constants::reset`]: crate::network::Constants::reset
//! [`Constants::start`]: crate::network::Constants::start
//! [`Constants::noise_gain`]: crate::network::Constants::noise_gain

mod factors;

pub use factors::{Scheme, StepFactors, TimeConstants};

use crate::arithmetic::Arithmetic;

/// The equation of a membrane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Membrane {
    /// Leaky integrate-and-fire: τ_m v̇ = −v + I.
    Leaky,
    /// Quadratic integrate-and-fire: τ_m v̇ = v² + I. Floating point only.
    Quadratic,
}

impl Membrane {
    /// The change of a potential `v` in one step: `leak·(f(v) + current + drive)`.
    #[inline(always)]
    pub fn change<A: Arithmetic>(self, v: A, current: A, drive: A, leak: A::Factor) -> A {
        // In fixed point a sum may wrap on the way; the last one does not, since
        // a potential follows what drives it.
        let current = current.plus(drive);
        let pull = match self {
            // `State::start` refuses a quadratic membrane in fixed point.
            Self::Quadratic if A::QUADRATIC => v.squared().plus(current),
            Self::Leaky | Self::Quadratic => current.minus(v),
        };
        pull.scaled(leak)
    }
}

/// True if a membrane at `v` fires.
#[inline(always)]
pub fn fires<A: Arithmetic>(v: A, threshold: A) -> bool {
    v >= A::THRESHOLD.unwrap_or(threshold)
}

/// The filter of a synapse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// A spike adds to the rise, which feeds the current.
    Double,
    /// A spike adds to the current at once.
    Single,
}

/// The factors of one filter: of a unit's synapses, or of a readout filter.
#[derive(Clone, Copy, Debug)]
pub struct FilterFactors<A: Arithmetic> {
    /// Relative change of the current in a step (negative).
    pub synapse_decay: A::Factor,
    /// Current per unit of rise and step.
    pub rise_gain: A::Factor,
}

/// The factors that differ from unit to unit.
#[derive(Clone, Copy, Debug)]
pub struct UnitFactors<A: Arithmetic> {
    /// The filter of the synapses that arrive at this unit.
    pub filter: FilterFactors<A>,
    /// Weight of the current at a step's beginning; see [`StepFactors::gain`].
    pub gain: A::Fine,
    /// Weight of the current's change during a step; see [`StepFactors::lag`].
    pub lag: A::Fine,
    /// The constant current.
    pub bias: A,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arithmetic::Fixed;

    #[test]
    fn a_leaky_membrane_moves_towards_its_current() {
        let change = Membrane::Leaky.change(-50.0, 4.0, -40.0, 0.1);
        assert_eq!(change, 0.1 * (4.0 - 40.0 + 50.0));
    }

    #[test]
    fn a_quadratic_membrane_adds_its_square() {
        let change = Membrane::Quadratic.change(-3.0, 4.0, -1.0, 0.1);
        assert_eq!(change, 0.1 * (9.0 + 3.0));
    }

    #[test]
    fn fixed_point_agrees_with_floating_point_to_its_resolution() {
        let mv = Fixed::from_num::<f64>;
        let leak = 0.1;
        let factor = (leak * 65536.0) as i16;
        for (v, current, drive) in [(-20.0, 3.5, 2.0), (-0.5, 0.0, -10.0), (40.0, -7.25, 1.0)] {
            let exact = Membrane::Leaky.change(v, current, drive, leak);
            let found = Membrane::Leaky.change(mv(v), mv(current), mv(drive), factor);
            // A step of 1/32 mV before the factor, half of it dropped.
            let error = found.to_num::<f64>() - exact;
            assert!(libm::fabs(error) < leak / 32.0 + 0.001, "{v}: {error}");
        }
    }

    #[test]
    fn a_membrane_fires_at_its_threshold_and_fixed_point_at_zero() {
        assert!(fires(-40.0, -40.0) && !fires(-40.1, -40.0));
        assert!(fires(Fixed::ZERO, Fixed::ZERO) && !fires(-Fixed::DELTA, Fixed::ZERO));
    }
}
