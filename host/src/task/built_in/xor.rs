//! Exclusive or in time: two pulses of either sign, one after the other; +1 if
//! their signs agree, −1 if they differ.

use std::ops::Range;

use rand::RngExt;
use rand_pcg::Pcg64;
use rate2spike_core::decision::Kind;

use crate::task::definition::{Answer, Definition, Draw, SAMPLE_MS, Thresholds, Trial};

pub(super) fn definition() -> Definition {
    let answer = |label, name, published| Answer {
        published: Some(published),
        ..Answer::new(label, name)
    };
    Definition {
        name: "xor".into(),
        channels: 2,
        outputs: 1,
        samples: 300,
        sample_ms: SAMPLE_MS,
        kind: Kind::Sign,
        rate_response: 200,
        response_ms: 1000.0,
        mean_ms: (950.0, 1350.0),
        thresholds: Thresholds::SIGN,
        answers: vec![answer(1, "same", "same"), answer(-1, "different", "diff")],
        least_trials: 0,
        draw: Draw::Generator(trial),
    }
}

fn trial(task: &Definition, random: &mut Pcg64) -> Trial {
    compared(task, random, [50..100, 110..160], 170..270)
}

/// A trial with a pulse of either sign in each of two channels, in the samples `pulses`; the
/// target, in the samples `response`, is the product of the signs.
pub(super) fn compared(
    task: &Definition,
    random: &mut Pcg64,
    pulses: [Range<usize>; 2],
    response: Range<usize>,
) -> Trial {
    let (mut input, mut target) = task.blank();
    let signs: [i16; 2] = std::array::from_fn(|_| if random.random_bool(0.5) { 1 } else { -1 });
    for (channel, (pulse, sign)) in pulses.into_iter().zip(signs).enumerate() {
        task.section(&mut input, channel, pulse).fill(sign.into());
    }
    let label = signs[0] * signs[1];
    target[response].fill(label.into());
    Trial {
        input,
        target,
        mask: None,
        label,
    }
}
