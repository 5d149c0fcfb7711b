//! Go-NoGo: a pulse asks for an answer that lasts, its absence for none.

use rand::RngExt;
use rand_pcg::Pcg64;
use rate2spike_core::decision::Kind;

use crate::task::definition::{Answer, Definition, Draw, SAMPLE_MS, Thresholds, Trial};

pub(super) fn definition() -> Definition {
    Definition {
        name: "go-nogo".into(),
        channels: 1,
        outputs: 1,
        samples: 200,
        sample_ms: SAMPLE_MS,
        kind: Kind::Detection,
        rate_response: 75,
        response_ms: 500.0,
        mean_ms: (750.0, 1000.0),
        thresholds: Thresholds::DETECTION,
        answers: vec![Answer::new(1, "Go"), Answer::new(0, "No-Go")],
        // `trainRNN.py` of the published repository.
        least_trials: 1500,
        draw: Draw::Generator(trial),
    }
}

fn trial(task: &Definition, random: &mut Pcg64) -> Trial {
    let (mut input, mut target) = task.blank();
    let go = random.random_bool(0.5);
    if go {
        task.section(&mut input, 0, 50..75).fill(1.0);
        target[75..].fill(1.0);
    }
    Trial {
        input,
        target,
        mask: None,
        label: go.into(),
    }
}
