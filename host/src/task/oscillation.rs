//! Autonomous oscillation: no input, and a sine as the target.
//!
//! The paper's SI names the task; length, period and criterion are our own. The
//! one input stays at zero, so that no file, board or other simulator has to
//! take an empty matrix. Nothing tells a network when to begin but its start,
//! so that the criterion takes any phase: it counts the swings after 0.5 s (see
//! [`Kind::Rhythm`]), and the strict one asks each for its period and the whole
//! for a mean around zero.

use std::f64::consts::TAU;

use rate2spike_core::decision::Kind;

use super::{Shape, Trial, blank};

/// Samples of a swing: 0.5 s, some times the longest of the usual synaptic time
/// constants (0.1 s).
const PERIOD: u32 = 100;

pub(super) const SHAPE: Shape = Shape {
    name: "oscillation",
    channels: 1,
    samples: 500,
    kind: Kind::Rhythm { period: PERIOD },
    rate_response: 100,
    spiking_response_s: 0.5,
    strict_s: (0.5, 2.5),
    strict_high: 0.5,
};

pub(super) fn trial() -> Trial {
    let (input, mut target) = blank(&SHAPE);
    for (t, z) in target.iter_mut().enumerate() {
        *z = (TAU * t as f64 / f64::from(PERIOD)).sin() as f32;
    }
    Trial {
        input,
        target,
        label: 1,
    }
}

#[cfg(test)]
mod tests {
    use rate2spike_core::decision::Evidence;

    use crate::task::{SAMPLE_MS, Task};

    #[test]
    fn the_target_is_right_at_every_time_step_and_a_constant_is_not() {
        let trial = super::trial();
        assert!(trial.input.iter().all(|&u| u == 0.0));
        for step_ms in [0.05, 0.1, 1.0, 5.0] {
            let rule = Task::Oscillation.decision(step_ms);
            let (mut sine, mut constant) = (Evidence::default(), Evidence::default());
            for step in 1..=(2500.0 / step_ms) as u32 {
                let sample = f64::from(step - 1) * step_ms / SAMPLE_MS;
                sine.see(&rule, step, trial.target[sample as usize].into());
                constant.see(&rule, step, 1.0);
            }
            assert!(rule.correct(1, &sine) && rule.strictly_correct(1, &sine));
            assert!(!rule.correct(1, &constant) && !rule.strictly_correct(1, &constant));
        }
    }
}
