//! Time constants become the factors of one time step.
//!
//! Between spikes the rise h, the synaptic current s and the membrane v of a
//! unit obey a linear system,
//!
//! ```text
//! τ_r ḣ = −h        τ_d ṡ = −s + h        τ_m v̇ = −v + s + drive
//! ```
//!
//! so a step of any length has an exact solution. Its coefficients are the
//! entries of a 3 × 3 matrix exponential (Rotter & Diesmann 1999). The textbook
//! quotients would need special cases where τ_r meets τ_d and where τ_d meets
//! τ_m; the exponential needs none.
//!
//! All times are in time steps; `libm` gives the same bits on every machine.

/// How a step is integrated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// The scheme of the published code: Euler for the membrane and the rise,
    /// exponential decay for the synapses. Meant for steps of 0.05 ms.
    Euler,
    /// Exact between spikes, for a step of any length.
    Exact,
}

/// The time constants of one unit, in time steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimeConstants {
    /// Time constant of the membrane, τ_m.
    pub membrane: f64,
    /// Time constant of the synapse's rise, τ_r; `None` for the single filter,
    /// which has no rise.
    pub rise: Option<f64>,
    /// Time constant of the synapse's decay, τ_d.
    pub decay: f64,
}

/// The factors of one time step for one unit; the equations of the step are in
/// the documentation of [`neuron`](crate::neuron).
///
/// ```
/// use rate2spike_core::neuron::{Scheme, TimeConstants};
///
/// // τ_m 10 ms, τ_r 2 ms, τ_d 20 ms, with steps of 0.5 ms.
/// let factors = TimeConstants {
///     membrane: 20.0,
///     rise: Some(4.0),
///     decay: 40.0,
/// }
/// .step(Scheme::Exact);
/// assert!((factors.leak - 0.0488).abs() < 1e-4);
/// assert!((factors.synapse_decay + 0.0247).abs() < 1e-4);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepFactors {
    /// Share of the distance to its current that the membrane covers.
    pub leak: f64,
    /// Relative change of the rise (negative).
    pub rise_decay: f64,
    /// Relative change of the synaptic current (negative).
    pub synapse_decay: f64,
    /// Current per unit of rise. A spike of unit weight adds one to the rise, and
    /// the area under its current is then one. With the single filter: the
    /// current that a spike adds at once.
    pub rise_gain: f64,
    /// Weight of the current at the step's beginning.
    pub gain: f64,
    /// Weight of the current's change during the step.
    pub lag: f64,
}

impl TimeConstants {
    /// The factors of one step. All time constants must be above zero.
    pub fn step(&self, scheme: Scheme) -> StepFactors {
        let rise_decay = self.rise.map_or(0.0, |rise| libm::expm1(-1.0 / rise));
        let synapse_decay = libm::expm1(-1.0 / self.decay);
        match scheme {
            Scheme::Euler => StepFactors {
                leak: 1.0 / self.membrane,
                rise_decay,
                synapse_decay,
                rise_gain: 1.0 / (self.rise.unwrap_or(1.0) * self.decay),
                gain: 1.0,
                lag: 0.0,
            },
            Scheme::Exact => self.exact_step(rise_decay, synapse_decay),
        }
    }

    fn exact_step(&self, rise_decay: f64, synapse_decay: f64) -> StepFactors {
        let leak = -libm::expm1(-1.0 / self.membrane);
        // Rows and columns: h, s, v.
        let rise = self.rise.unwrap_or(1.0);
        let propagator = exponential([
            [-1.0 / rise, 0.0, 0.0],
            [1.0, -1.0 / self.decay, 0.0],
            [0.0, 1.0 / self.membrane, -1.0 / self.membrane],
        ]);
        let [current_from_rise, membrane_from_rise, membrane_from_current] =
            [propagator[1][0], propagator[2][0], propagator[2][1]];
        let (rise_gain, lag) = match self.rise {
            Some(rise) => (
                current_from_rise / (rise * self.decay),
                membrane_from_rise / (leak * current_from_rise),
            ),
            None => (1.0 / self.decay, 0.0),
        };
        StepFactors {
            leak,
            rise_decay,
            synapse_decay,
            rise_gain,
            gain: membrane_from_current / leak - lag * synapse_decay,
            lag,
        }
    }
}

type Matrix = [[f64; 3]; 3];

fn product(a: Matrix, b: Matrix) -> Matrix {
    core::array::from_fn(|i| core::array::from_fn(|j| (0..3).map(|k| a[i][k] * b[k][j]).sum()))
}

/// exp(a) by scaling and squaring of its Taylor series, to rounding.
fn exponential(a: Matrix) -> Matrix {
    let norm = a
        .iter()
        .flatten()
        .fold(0.0, |m: f64, x| m.max(libm::fabs(*x)));
    let mut halvings = 0;
    while libm::ldexp(norm, -halvings) > 0.125 {
        halvings += 1;
    }
    let small = a.map(|row| row.map(|x| libm::ldexp(x, -halvings)));
    let identity: Matrix =
        core::array::from_fn(|i| core::array::from_fn(|j| if i == j { 1.0 } else { 0.0 }));
    // Horner's form of Σ aⁿ/n!; (3·0.125)¹⁴/14! is below rounding.
    let mut result = identity;
    for n in (1..=14).rev() {
        let next = product(small, result);
        result = core::array::from_fn(|i| {
            core::array::from_fn(|j| identity[i][j] + next[i][j] / n as f64)
        });
    }
    for _ in 0..halvings {
        result = product(result, result);
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Classical Runge–Kutta of the linear system over one step.
    fn integrate(t: &TimeConstants, start: [f64; 3]) -> [f64; 3] {
        let rise = t.rise.expect("these tests use the double filter");
        let slope = |y: [f64; 3]| {
            [
                -y[0] / rise,
                -y[1] / t.decay + y[0],
                (y[1] - y[2]) / t.membrane,
            ]
        };
        let moved = |y: [f64; 3], k: [f64; 3], d: f64| core::array::from_fn(|i| y[i] + d * k[i]);
        let steps = 10_000;
        let d = 1.0 / steps as f64;
        (0..steps).fold(start, |y, _| {
            let k1 = slope(y);
            let k2 = slope(moved(y, k1, d / 2.0));
            let k3 = slope(moved(y, k2, d / 2.0));
            let k4 = slope(moved(y, k3, d));
            core::array::from_fn(|i| y[i] + d / 6.0 * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]))
        })
    }

    fn propagated(t: &TimeConstants, [h, s, v]: [f64; 3]) -> [f64; 3] {
        let f = t.step(Scheme::Exact);
        // The gain contains the unit area, which the plain system has not.
        let rise_gain = f.rise_gain * t.rise.expect("double filter") * t.decay;
        let change = f.synapse_decay * s + rise_gain * h;
        let v = v + f.leak * (f.gain * s + f.lag * change - v);
        [h + f.rise_decay * h, s + change, v]
    }

    #[test]
    fn an_exact_step_is_the_solution_of_the_linear_system() {
        for (rise, decay, membrane) in [
            (40.0, 700.0, 200.0),
            (2.0, 20.0, 10.0),
            (0.5, 5.0, 2.5),
            (4.0, 100.0, 20.0),
        ] {
            let t = TimeConstants {
                membrane,
                rise: Some(rise),
                decay,
            };
            let (exact, reference) = (
                propagated(&t, [0.3, -1.2, 5.0]),
                integrate(&t, [0.3, -1.2, 5.0]),
            );
            for (a, b) in exact.iter().zip(reference) {
                assert!((a - b).abs() < 1e-11, "{t:?}: {a} and {b}");
            }
        }
    }

    #[test]
    fn equal_time_constants_need_no_special_case() {
        for nearly in [1.0, 1.0 + 1e-9, 1.0 - 1e-6] {
            let t = TimeConstants {
                membrane: 10.0 * nearly,
                rise: Some(10.0),
                decay: 10.0 / nearly,
            };
            let (exact, reference) = (
                propagated(&t, [1.0, 0.5, -2.0]),
                integrate(&t, [1.0, 0.5, -2.0]),
            );
            for (a, b) in exact.iter().zip(reference) {
                assert!((a - b).abs() < 1e-11, "{nearly}: {a} and {b}");
            }
        }
    }

    #[test]
    fn a_spike_of_unit_weight_has_a_current_of_unit_area() {
        for rise in [Some(4.0), None] {
            let f = TimeConstants {
                membrane: 20.0,
                rise,
                decay: 70.0,
            }
            .step(Scheme::Exact);
            // Σ over all later steps: the rise's sum is 1/(−rise_decay), each
            // unit of it adds rise_gain to a current of sum 1/(−synapse_decay).
            let rise_sum = if rise.is_some() {
                -1.0 / f.rise_decay
            } else {
                1.0
            };
            let area = rise_sum * f.rise_gain / -f.synapse_decay;
            // A sum of samples at the steps' ends is the integral up to half a step.
            assert!((area - 1.0).abs() < 0.01, "{rise:?}: {area}");
        }
    }
}
