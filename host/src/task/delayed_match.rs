//! Delayed match-to-sample: two stimuli of either sign with a pause of 750 ms
//! between them; +1 if the signs match, −1 if they do not.
//!
//! The task of R. Kim & T. J. Sejnowski, Nat. Neurosci. 24:129 (2021),
//! doi 10.1038/s41593-020-00753-w: xor with a longer pause.

use rand::RngExt;
use rand_pcg::Pcg64;
use rate2spike_core::decision::Kind;

use super::{Shape, Trial, blank, section};

pub(super) const SHAPE: Shape = Shape {
    name: "delayed-match",
    channels: 2,
    samples: 440,
    kind: Kind::Sign,
    rate_response: 340,
    spiking_response_s: 1.7,
    strict_s: (1.65, 2.05),
    strict_high: 0.5,
};

pub(super) fn trial(random: &mut Pcg64) -> Trial {
    let (mut input, mut target) = blank(&SHAPE);
    let signs: [i8; 2] = std::array::from_fn(|_| if random.random_bool(0.5) { 1 } else { -1 });
    section(&mut input, &SHAPE, 0, 50..100).fill(signs[0].into());
    section(&mut input, &SHAPE, 1, 250..300).fill(signs[1].into());
    let label = signs[0] * signs[1];
    target[310..410].fill(label.into());
    Trial {
        input,
        target,
        label,
    }
}
