//! Context-dependent integration (Mante et al. 2013): two noisy inputs, and a
//! context that names the one whose sign is the answer.

use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use rand_pcg::Pcg64;
use rate2spike_core::decision::Kind;

use super::{Shape, Trial, blank, section};

pub(super) const SHAPE: Shape = Shape {
    name: "mante",
    channels: 4,
    samples: 500,
    kind: Kind::Sign,
    rate_response: 499 - 200,
    spiking_response_s: 1.3,
    strict_s: (1.75, 2.5),
    strict_high: 0.5,
};

/// Mean of a noisy input whose standard deviation is one.
const OFFSET: f32 = 0.5;

pub(super) fn trial(random: &mut Pcg64) -> Trial {
    let (mut input, mut target) = blank(&SHAPE);
    let signs: [i8; 2] = std::array::from_fn(|_| if random.random_bool(0.5) { 1 } else { -1 });
    for (channel, sign) in signs.into_iter().enumerate() {
        for u in section(&mut input, &SHAPE, channel, 50..250) {
            let noise: f32 = StandardNormal.sample(random);
            *u = noise + OFFSET * f32::from(sign);
        }
    }
    let cued = usize::from(random.random_bool(0.5));
    section(&mut input, &SHAPE, 2 + cued, 0..SHAPE.samples).fill(1.0);
    let label = signs[cued];
    target[250..].fill(label.into());
    Trial {
        input,
        target,
        label,
    }
}
