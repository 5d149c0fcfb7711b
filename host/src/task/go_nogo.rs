//! Go-NoGo: a pulse asks for an answer that lasts, its absence for none.

use rand::RngExt;
use rand_pcg::Pcg64;
use rate2spike_core::decision::Kind;

use super::{Shape, Trial, blank, section};

pub(super) const SHAPE: Shape = Shape {
    name: "go-nogo",
    channels: 1,
    samples: 200,
    kind: Kind::Detection,
    rate_response: 75,
    spiking_response_s: 0.5,
    strict_s: (0.75, 1.0),
    strict_high: 0.7,
};

pub(super) fn trial(random: &mut Pcg64) -> Trial {
    let (mut input, mut target) = blank(&SHAPE);
    let go = random.random_bool(0.5);
    if go {
        section(&mut input, &SHAPE, 0, 50..75).fill(1.0);
        target[75..].fill(1.0);
    }
    Trial {
        input,
        target,
        label: go.into(),
    }
}
