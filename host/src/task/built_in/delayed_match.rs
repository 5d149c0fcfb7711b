//! Delayed match-to-sample: two stimuli of either sign with a pause of 750 ms
//! between them; +1 if the signs match, −1 if they do not.
//!
//! The task of R. Kim & T. J. Sejnowski, Nat. Neurosci. 24:129 (2021),
//! doi 10.1038/s41593-020-00753-w: xor with a longer pause.

use rand_pcg::Pcg64;
use rate2spike_core::decision::Kind;

use super::xor::compared;
use crate::task::definition::{Answer, Definition, Draw, SAMPLE_MS, Thresholds, Trial};

pub(super) fn definition() -> Definition {
    Definition {
        name: "delayed-match".into(),
        channels: 2,
        outputs: 1,
        samples: 440,
        sample_ms: SAMPLE_MS,
        kind: Kind::Sign,
        rate_response: 340,
        response_ms: 1700.0,
        mean_ms: (1650.0, 2050.0),
        thresholds: Thresholds::SIGN,
        answers: vec![Answer::new(1, "match"), Answer::new(-1, "no match")],
        least_trials: 0,
        draw: Draw::Generator(trial),
    }
}

fn trial(task: &Definition, random: &mut Pcg64) -> Trial {
    compared(task, random, [50..100, 250..300], 310..410)
}
