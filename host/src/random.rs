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
}

/// The generator of the `index`-th draw of a stream.
pub fn generator(seed: u64, stream: Stream, index: u64) -> Pcg64 {
    let mut bytes = [0u8; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&(stream as u64).to_le_bytes());
    bytes[16..24].copy_from_slice(&index.to_le_bytes());
    let mut random = Pcg64::from_seed(bytes);
    // Neighbouring seeds give neighbouring states; a second seeding by the
    // output separates them.
    Pcg64::seed_from_u64(random.random())
}
