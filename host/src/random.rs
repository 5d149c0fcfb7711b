//! Random numbers: one seed, and a stream of its own for each purpose.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

/// The purpose of random numbers. Each purpose has a stream of its own, so that
/// drawing more of one leaves all others as they are.
#[derive(Clone, Copy, Debug)]
pub enum Stream {
    /// The weights of the untrained network.
    Network = 1,
    /// The trials of the training.
    Training = 2,
    /// The trials of the evaluations.
    Evaluation = 3,
    /// The trials of the spiking network.
    Spiking = 4,
    /// The artificial stimulation of a spiking network.
    Stimulation = 5,
    /// The shuffling of a spiking network's weights.
    Perturbation = 6,
    /// The trials by which a λ or a calibration is chosen. A winner looks better on
    /// its own trials than it is, so that the scores need others.
    Search = 7,
    /// The trials to which a readout is fitted.
    Refit = 8,
    /// The trials of a score that neither a search nor a fit has seen.
    Fresh = 9,
    /// The trials by which time steps are compared.
    TimeSteps = 10,
    /// Noise on the inputs of a training.
    Jitter = 11,
    /// The parts of a data set that does not say them.
    Parts = 12,
    /// The seeds of the further starts of a training.
    Starts = 13,
}

/// The seed of trials and noise that belong to `stream`, for a network whose own
/// seed is `seed`.
pub fn seed_of(seed: u64, stream: Stream) -> u64 {
    generator(seed, stream, 0).random()
}

/// The generator of the `index`-th draw of a stream.
pub fn generator(seed: u64, stream: Stream, index: u64) -> Pcg64 {
    let mut bytes = [0u8; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&(stream as u64).to_le_bytes());
    // The second half becomes the generator's increment, which is always odd: its lowest
    // bit says nothing.
    bytes[16..].copy_from_slice(&(u128::from(index) << 1).to_le_bytes());
    let mut random = Pcg64::from_seed(bytes);
    // Neighbouring seeds give neighbouring states; a second seeding by the
    // output separates them.
    Pcg64::seed_from_u64(random.random())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_draw_of_a_stream_differs_from_all_others() {
        let draw = |index: u64| generator(1, Stream::Training, index).random();
        let ends = [u64::MAX - 1, u64::MAX];
        let mut draws: Vec<u64> = (0..1000).chain(ends).map(draw).collect();
        draws.sort_unstable();
        draws.dedup();
        assert_eq!(draws.len(), 1002);
    }

    #[test]
    fn each_purpose_has_a_seed_of_its_own() {
        let mut seeds = vec![1, 2];
        for seed in [1, 2] {
            for stream in [
                Stream::Search,
                Stream::Refit,
                Stream::Fresh,
                Stream::TimeSteps,
            ] {
                seeds.push(seed_of(seed, stream));
            }
        }
        seeds.sort_unstable();
        seeds.dedup();
        assert_eq!(seeds.len(), 10);
    }
}
