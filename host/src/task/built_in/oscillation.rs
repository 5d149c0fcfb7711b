//! Autonomous oscillation: no input, and a sine as the target.
//!
//! The paper's SI names the task; length, period and criterion are our own. The
//! one input stays at zero, so that no file, board or other simulator has to
//! take an empty matrix. Only the start of a network tells it when to begin, so
//! the criterion accepts any phase: it counts the swings after 0.5 s (see
//! [`Kind::Rhythm`]), and the strict one asks each swing for its period and the
//! whole window for a mean around zero.

use std::f64::consts::TAU;

use rand_pcg::Pcg64;
use rate2spike_core::decision::Kind;

use crate::task::definition::{Answer, Definition, Draw, SAMPLE_MS, Thresholds, Trial};

/// Samples of a swing: 0.5 s, five times the longest of the usual synaptic time
/// constants (0.1 s).
const PERIOD: u32 = 100;

pub(super) fn definition() -> Definition {
    Definition {
        name: "oscillation".into(),
        channels: 1,
        outputs: 1,
        samples: 500,
        sample_ms: SAMPLE_MS,
        kind: Kind::Rhythm { period: PERIOD },
        rate_response: 100,
        response_ms: 500.0,
        mean_ms: (500.0, 2500.0),
        thresholds: Thresholds::RHYTHM,
        answers: vec![Answer::new(1, "rhythm")],
        least_trials: 0,
        draw: Draw::Generator(trial),
    }
}

fn trial(task: &Definition, _: &mut Pcg64) -> Trial {
    let (input, mut target) = task.blank();
    for (t, z) in target.iter_mut().enumerate() {
        *z = (TAU * t as f64 / f64::from(PERIOD)).sin() as f32;
    }
    Trial {
        input,
        target,
        mask: None,
        label: 1,
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_pcg::Pcg64;
    use rate2spike_core::decision::Evidence;

    use crate::task::Task;

    #[test]
    fn the_target_is_right_at_every_time_step_and_a_constant_is_not() {
        let task = Task::oscillation();
        let trial = task.trial(&mut Pcg64::seed_from_u64(1));
        assert!(trial.input.iter().all(|&u| u == 0.0));
        for step_ms in [0.05, 0.1, 1.0, 5.0] {
            let rule = task.decision(step_ms);
            let (mut sine, mut constant) = (Evidence::default(), Evidence::default());
            for step in 1..=(2500.0 / step_ms) as u32 {
                let sample = f64::from(step - 1) * step_ms / task.sample_ms();
                sine.see(&rule, step, &[trial.target[sample as usize].into()]);
                constant.see(&rule, step, &[1.0]);
            }
            assert!(rule.correct(1, &sine) && rule.strictly_correct(1, &sine));
            assert!(!rule.correct(1, &constant) && !rule.strictly_correct(1, &constant));
        }
    }
}
