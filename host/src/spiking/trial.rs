//! What one trial needs: the memory of a network's state, and the input.

use rate2spike_core::arithmetic::Arithmetic;
use rate2spike_core::block::{Block, ReadoutBlock};
use rate2spike_core::lanes::blocks;
use rate2spike_core::network::Network;
use rate2spike_core::noise::Noise;
use rate2spike_core::refractory::Waiting;
use rate2spike_core::step::State;

use super::tables::Float;
use crate::task::Trial;

/// The memory of a [`State`].
#[derive(Debug)]
pub struct Memory<A: Arithmetic> {
    /// One for every [`rate2spike_core::lanes::LANES`] units.
    pub blocks: Vec<Block<A>>,
    /// One for every [`rate2spike_core::lanes::LANES`] readout filters.
    pub readout: Vec<ReadoutBlock<A>>,
    /// One a unit.
    pub waiting: Vec<Waiting>,
}

impl<A: Arithmetic> Memory<A> {
    /// Enough for `network`.
    pub fn of<N: Network<Number = A>>(network: &N) -> Self {
        let units = network.constants().units;
        Self {
            blocks: vec![Block::default(); blocks(units)],
            readout: vec![ReadoutBlock::default(); blocks(network.readout_filters())],
            waiting: vec![Waiting::default(); units],
        }
    }

    /// The start of a trial.
    pub fn start<N: Network<Number = A>>(
        &mut self,
        network: &N,
        noise: &mut Noise,
    ) -> State<'_, A> {
        State::start(
            network,
            &mut self.blocks,
            &mut self.readout,
            &mut self.waiting,
            noise,
        )
        .expect("the memory was made for this network")
    }
}

/// The value of an input channel, in a network's numbers.
pub trait FromInput: Copy + Default + Send + Sync {
    /// Rounds to nearest; fixed point saturates.
    fn from_input(u: f64) -> Self;
}

impl<A: Float> FromInput for A {
    fn from_input(u: f64) -> Self {
        A::from_f64(u)
    }
}

impl FromInput for fixed::types::I4F12 {
    fn from_input(u: f64) -> Self {
        Self::saturating_from_num(u)
    }
}

/// The input of a trial, sample by sample; the last sample lasts to the end.
#[derive(Clone, Debug)]
pub struct Input<U> {
    channels: usize,
    values: Vec<U>,
}

impl<U: FromInput> Input<U> {
    /// From channels × samples, channel by channel.
    pub fn new(channels: usize, input: &[f64]) -> Self {
        let samples = input.len() / channels;
        let values = (0..samples)
            .flat_map(|t| (0..channels).map(move |k| input[k * samples + t]))
            .map(U::from_input)
            .collect();
        Self { channels, values }
    }

    /// That of `trial`.
    pub fn of_trial(channels: usize, trial: &Trial) -> Self {
        let values: Vec<f64> = trial.input.iter().map(|&u| u.into()).collect();
        Self::new(channels, &values)
    }

    /// All values, sample by sample.
    pub fn values(&self) -> &[U] {
        &self.values
    }

    /// All channels in `sample`.
    pub fn at(&self, sample: u32) -> &[U] {
        let last = self.values.len() / self.channels - 1;
        let sample = (sample as usize).min(last);
        &self.values[sample * self.channels..(sample + 1) * self.channels]
    }
}
