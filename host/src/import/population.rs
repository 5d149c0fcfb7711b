//! The neurons of a graph, converted from the graph's numbers to ours.

use super::ImportError;
use super::numbers::{Named, near, tidy};
use super::path::Path;
use crate::spiking::neuron::Neuron;

/// The step of snnTorch's exports, s (`dt` in its `export_nir.py`).
const SNNTORCH_STEP_S: f64 = 1e-4;

/// Lengths of a time step that a simulator may use, s.
const STEPS_S: std::ops::RangeInclusive<f64> = 1e-5..=1e-2;

/// The neurons. Potentials are shifted and scaled so that threshold and reset are those of
/// our neuron.
pub struct Population<'a> {
    /// The node.
    pub node: Named<'a>,
    /// Number of units.
    pub units: usize,
    /// Time constant of the membrane, ms.
    pub tau_m_ms: f64,
    reset: f64,
    /// Millivolts for a difference of 1 between potentials of the graph.
    scale: f64,
    /// Millivolts at each membrane for an input of 1.
    pub gains: Vec<f64>,
}

impl<'a> Population<'a> {
    /// The neurons in `node`; `units` values reach them.
    ///
    /// # Errors
    /// If a number has a wrong count or value, or if it differs from unit to unit and our
    /// units share it.
    pub fn new(node: Named<'a>, units: usize) -> Result<Self, ImportError> {
        let tau = match &*node.node.kind {
            "CubaLIF" => "tau_mem",
            _ => "tau",
        };
        let tau_s = node.times(tau, units)?;
        let threshold = node.shared("v_threshold", units)?;
        let reset = match node.node.numbers.contains_key("v_reset") {
            true => node.shared("v_reset", units)?,
            false => 0.0,
        };
        if threshold <= reset {
            return Err(node.value("v_threshold", threshold, "it lies above the reset"));
        }
        let span_mv = Neuron::LIF.threshold_mv - Neuron::LIF.reset_mv;
        let scale = tidy(span_mv / (threshold - reset));
        let r = node.each("r", units)?;
        if let Some(&value) = r.iter().find(|r| **r <= 0.0) {
            return Err(node.value("r", value, "a membrane's resistance is positive"));
        }
        let w_in = node.each_or_one("w_in", units)?;
        let population = Self {
            node,
            units,
            tau_m_ms: tidy(1000.0 * node.the_one(tau, &tau_s)?),
            reset,
            scale,
            gains: r.iter().zip(&w_in).map(|(r, w)| scale * r * w).collect(),
        };
        population.check_spikes(&tau_s, &r, &w_in)?;
        Ok(population)
    }

    /// The time constants of the neurons' own synapses, s, one for each unit.
    ///
    /// # Errors
    /// If a time is impossible, or the count of the times is wrong.
    pub fn synapse_s(&self) -> Result<Option<Vec<f64>>, ImportError> {
        match &*self.node.node.kind {
            "CubaLIF" => Ok(Some(self.node.times("tau_syn", self.units)?)),
            _ => Ok(None),
        }
    }

    /// True if the neurons contain synapses, which filter the input too.
    pub fn has_synapses(&self) -> bool {
        self.node.node.kind == "CubaLIF"
    }

    /// The weights of `path`, which leads to the neurons, in mV at a membrane.
    ///
    /// # Errors
    /// If the count of a filter's numbers is wrong, or if a weight becomes infinite.
    pub fn scaled(&self, path: &Path) -> Result<Vec<f64>, ImportError> {
        let stages = path.gain(self.units)?;
        let gains = self.gains.iter().zip(stages);
        let rows = path.matrix.weight.chunks_exact(path.matrix.columns);
        let scaled: Vec<f64> = rows
            .zip(gains)
            .flat_map(|(row, (gain, stage))| row.iter().map(move |w| w * gain * stage))
            .collect();
        match scaled.iter().find(|weight| !weight.is_finite()) {
            Some(&value) => Err(ImportError::Infinite {
                node: path.matrix.node.into(),
                value,
            }),
            None => Ok(scaled),
        }
    }

    /// Refuses a graph that counts a spike as 1 for one time step. In its
    /// equations a weight is what a spike adds to a state at once, so that `r` is
    /// `tau_mem` in steps and `w_in` is `tau_syn` in steps.
    fn check_spikes(&self, tau_s: &[f64], r: &[f64], w_in: &[f64]) -> Result<(), ImportError> {
        // The step that follows from each of these numbers, if it is the same for all.
        let step = |times: &[f64], counts: &[f64]| {
            let step = times[0] / counts[0];
            let all = times.iter().zip(counts);
            let agree = all.clone().all(|(time, count)| near(time / count, step));
            (agree && STEPS_S.contains(&step)).then_some(step)
        };
        let step_s = match self.synapse_s()? {
            Some(synapse_s) => {
                let steps = (step(tau_s, r), step(&synapse_s, w_in));
                let counted = r[0] > 1.0 && w_in[0] > 1.0;
                match steps {
                    (Some(a), Some(b)) if near(a, b) && counted => Some(a),
                    _ => None,
                }
            }
            None => step(tau_s, r).filter(|step| near(*step, SNNTORCH_STEP_S)),
        };
        match step_s {
            Some(step_s) => Err(ImportError::OneStep {
                node: self.node.name.into(),
                r: r[0],
                step_ms: tidy(1000.0 * step_s),
                step_s: tidy(step_s),
            }),
            None => Ok(()),
        }
    }

    /// The constant current of each unit, as the potential at which its membrane
    /// rests, mV. `paths` lead to the membranes.
    ///
    /// # Errors
    /// If the count of a number is wrong, or if a potential becomes infinite.
    pub fn biases_mv(&self, paths: &[&Path]) -> Result<Vec<f64>, ImportError> {
        let leak = self.node.each("v_leak", self.units)?;
        let moved = |leak: f64| Neuron::LIF.reset_mv + self.scale * (leak - self.reset);
        let mut rest: Vec<f64> = leak.into_iter().map(moved).collect();
        for path in paths {
            let Some(bias) = &path.matrix.bias else {
                continue;
            };
            let stages = path.gain(self.units)?;
            for (unit, rest) in rest.iter_mut().enumerate() {
                *rest += bias[unit] * self.gains[unit] * stages[unit];
            }
        }
        if let Some(&value) = rest.iter().find(|rest| !rest.is_finite()) {
            return Err(ImportError::Infinite {
                node: self.node.name.into(),
                value,
            });
        }
        let first = rest[0];
        let alike = |rest: f64| if near(rest, first) { first } else { rest };
        Ok(rest.into_iter().map(alike).map(tidy).collect())
    }
}
