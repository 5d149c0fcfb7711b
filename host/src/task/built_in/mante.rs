//! Context-dependent integration (Mante et al. 2013): two noisy inputs, and a
//! context that names the one whose sign is the answer.

use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use rand_pcg::Pcg64;
use rate2spike_core::decision::Kind;

use crate::task::definition::{Answer, Definition, Draw, SAMPLE_MS, Thresholds, Trial};

/// Samples of a trial.
const SAMPLES: usize = 500;

/// Samples at the end of a trial that the published criterion of the rate
/// network looks at.
const RESPONSE: usize = 200;

/// Mean of a noisy input whose standard deviation is one.
const OFFSET: f32 = 0.5;

pub(super) fn definition() -> Definition {
    Definition {
        name: "mante".into(),
        channels: 4,
        outputs: 1,
        samples: SAMPLES,
        sample_ms: SAMPLE_MS,
        kind: Kind::Sign,
        // The rate network's output has no entry for the first sample.
        rate_response: SAMPLES - 1 - RESPONSE,
        response_ms: 1300.0,
        mean_ms: (1750.0, 2500.0),
        thresholds: Thresholds::SIGN,
        answers: vec![Answer::new(1, "positive"), Answer::new(-1, "negative")],
        least_trials: 0,
        draw: Draw::Generator(trial),
    }
}

fn trial(task: &Definition, random: &mut Pcg64) -> Trial {
    let (mut input, mut target) = task.blank();
    let signs: [i16; 2] = std::array::from_fn(|_| if random.random_bool(0.5) { 1 } else { -1 });
    for (channel, sign) in signs.into_iter().enumerate() {
        for u in task.section(&mut input, channel, 50..250) {
            let noise: f32 = StandardNormal.sample(random);
            *u = noise + OFFSET * f32::from(sign);
        }
    }
    let cued = usize::from(random.random_bool(0.5));
    task.section(&mut input, 2 + cued, 0..SAMPLES).fill(1.0);
    let label = signs[cued];
    target[250..].fill(label.into());
    Trial {
        input,
        target,
        mask: None,
        label,
    }
}
