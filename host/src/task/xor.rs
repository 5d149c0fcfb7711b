//! Exclusive or in time: two pulses of either sign, one after the other; +1 if
//! their signs agree, −1 if they differ.

use rand::RngExt;
use rand_pcg::Pcg64;
use rate2spike_core::decision::Kind;

use super::{Shape, Trial, blank, section};

pub(super) const SHAPE: Shape = Shape {
    name: "xor",
    channels: 2,
    samples: 300,
    kind: Kind::Sign,
    rate_response: 200,
    spiking_response_s: 1.0,
    strict_s: (0.95, 1.35),
    strict_high: 0.5,
};

pub(super) fn trial(random: &mut Pcg64) -> Trial {
    let (mut input, mut target) = blank(&SHAPE);
    let signs: [i8; 2] = std::array::from_fn(|_| if random.random_bool(0.5) { 1 } else { -1 });
    section(&mut input, &SHAPE, 0, 50..100).fill(signs[0].into());
    section(&mut input, &SHAPE, 1, 110..160).fill(signs[1].into());
    let label = signs[0] * signs[1];
    target[170..270].fill(label.into());
    Trial {
        input,
        target,
        label,
    }
}
