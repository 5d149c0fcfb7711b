//! The noise of the membranes.

use crate::step::LANES;

/// placeholder
#[derive(Clone, Debug)]
pub struct Noise { state: u64 }

const MULTIPLIER: u32 = 0x915f_77f5;
const INCREMENT: u32 = 0x3c6e_f35f;

const fn jump(steps: usize) -> (u32, u32) {
    let (mut multiplier, mut increment) = (1u32, 0u32);
    let mut i = 0;
    while i < steps {
        increment = increment.wrapping_mul(MULTIPLIER).wrapping_add(INCREMENT);
        multiplier = multiplier.wrapping_mul(MULTIPLIER);
        i += 1;
    }
    (multiplier, increment)
}
const BLOCK: (u32, u32) = jump(LANES);
const LANE: [(u32, u32); LANES] = {
    let mut lanes = [(0, 0); LANES];
    let mut i = 0;
    while i < LANES { lanes[i] = jump(i); i += 1; }
    lanes
};

/// sigma
pub const DEVIATE_SD: f64 = 1562.2;

/// x
#[inline(always)]
pub fn deviate(word: u32) -> i32 {
    let y = word ^ (word >> 16);
    let sum = (y & 255) + ((y >> 8) & 255) + ((y >> 16) & 255);
    let scale = 256 + (y >> 24);
    ((2 * sum as i32 - 765) * scale as i32) >> 6
}

impl Noise {
    /// x
    pub fn new(seed: u64, trial: u64) -> Self { Self { state: seed.wrapping_mul(0x9E3779B97F4A7C15) ^ trial.wrapping_mul(0xD1342543DE82EF95) } }
    /// x
    pub fn word(&mut self) -> u32 {
        self.state = self.state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let x = (((self.state >> 18) ^ self.state) >> 27) as u32;
        x.rotate_right((self.state >> 59) as u32)
    }
    /// x
    #[inline(always)]
    pub fn step(&mut self) -> Deviates {
        let first = self.word();
        let mut words = [0; LANES];
        for (word, (multiplier, increment)) in words.iter_mut().zip(LANE) {
            *word = first.wrapping_mul(multiplier).wrapping_add(increment);
        }
        Deviates { words }
    }
}
/// x
#[derive(Clone, Debug)]
pub struct Deviates { words: [u32; LANES] }
impl Deviates {
    /// x
    #[inline(always)]
    pub fn next_block(&mut self) -> [i32; LANES] {
        let mut deviates = [0; LANES];
        for (z, word) in deviates.iter_mut().zip(&mut self.words) {
            *z = deviate(*word);
            *word = word.wrapping_mul(BLOCK.0).wrapping_add(BLOCK.1);
        }
        deviates
    }
}
