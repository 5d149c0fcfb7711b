//! One trial: the memory of a network's state, the input, and the loop that scores
//! trials.

use fixed::types::I4F12;
use rate2spike_core::arithmetic::{Arithmetic, Fixed};
use rate2spike_core::blob::Stored;
use rate2spike_core::block::{Block, ReadoutBlock};
use rate2spike_core::lanes::blocks;
use rate2spike_core::network::{self, Network};
use rate2spike_core::noise::Noise;
use rate2spike_core::refractory::Waiting;
use rate2spike_core::step::{State, StateMemory};
use rate2spike_core::trial::{Clock, Run};

use rate2spike_protocol::message::{
    FILTER_RAM_BYTES, FLOAT_FILTER_RAM_BYTES, FLOAT_UNIT_RAM_BYTES, UNIT_RAM_BYTES,
};

use super::tables::Float;
use crate::task::Trial;

/// The memory of a [`State`].
#[derive(Debug)]
pub struct Memory<A: Arithmetic> {
    /// One block for each [`rate2spike_core::lanes::LANES`] units.
    pub blocks: Vec<Block<A>>,
    /// One block for each [`rate2spike_core::lanes::LANES`] readout filters.
    pub readout: Vec<ReadoutBlock<A>>,
    /// One entry a unit.
    pub waiting: Vec<Waiting>,
    /// One entry an output.
    pub outputs: Vec<A>,
}

impl<A: Arithmetic> Memory<A> {
    /// Memory that is large enough for `network`.
    pub fn of<N: Network<Number = A>>(network: &N) -> Self {
        let units = network.constants().units;
        Self {
            blocks: vec![Block::default(); blocks(units)],
            readout: vec![ReadoutBlock::default(); network.banks().blocks()],
            waiting: vec![Waiting::default(); units],
            outputs: vec![A::ZERO; network.constants().outputs],
        }
    }

    /// The start of a trial.
    pub fn start<N: Network<Number = A>>(
        &mut self,
        network: &N,
        noise: &mut Noise,
    ) -> State<'_, A> {
        State::start(network, self.all(), noise).expect("the memory was made for this network")
    }

    /// All of the memory, as core takes it.
    pub fn all(&mut self) -> StateMemory<'_, A> {
        StateMemory {
            blocks: &mut self.blocks,
            readout: &mut self.readout,
            waiting: &mut self.waiting,
            outputs: &mut self.outputs,
        }
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

impl FromInput for I4F12 {
    fn from_input(u: f64) -> Self {
        Self::saturating_from_num(u)
    }
}

/// An output as a plain number.
pub trait OutputNumber: Copy {
    /// The number.
    fn number(self) -> f64;
}

impl<A: Float> OutputNumber for A {
    fn number(self) -> f64 {
        self.to_f64()
    }
}

impl OutputNumber for Fixed {
    fn number(self) -> f64 {
        f64::from(self.to_bits()) / f64::from(Self::OUTPUT_ONE.to_bits())
    }
}

/// The numbers of a deployed network.
pub trait Deployable: Stored<Input: FromInput> + OutputNumber {
    /// The numbers in words.
    const NAME: &'static str;
    /// Bytes of RAM that a unit takes on a board.
    const UNIT_RAM_BYTES: usize;
    /// Bytes of RAM that a readout filter takes on a board.
    const FILTER_RAM_BYTES: usize;
}

impl Deployable for Fixed {
    const NAME: &'static str = "fixed point";
    const UNIT_RAM_BYTES: usize = UNIT_RAM_BYTES;
    const FILTER_RAM_BYTES: usize = FILTER_RAM_BYTES;
}

impl Deployable for f32 {
    const NAME: &'static str = "f32";
    const UNIT_RAM_BYTES: usize = FLOAT_UNIT_RAM_BYTES;
    const FILTER_RAM_BYTES: usize = FLOAT_FILTER_RAM_BYTES;
}

/// The input of a trial, sample by sample; the last sample lasts to the end.
#[derive(Clone, Debug)]
pub struct Input<U> {
    channels: usize,
    values: Vec<U>,
}

impl<U: FromInput> Input<U> {
    /// An input from numbers, channels × samples, channel by channel.
    pub fn new(channels: usize, input: &[f64]) -> Self {
        let samples = input.len() / channels;
        let values = (0..samples)
            .flat_map(|t| (0..channels).map(move |k| input[k * samples + t]))
            .map(U::from_input)
            .collect();
        Self { channels, values }
    }

    /// The input of `trial`.
    pub fn of_trial(channels: usize, trial: &Trial) -> Self {
        let values: Vec<f64> = trial.input.iter().map(|&u| u.into()).collect();
        Self::new(channels, &values)
    }

    /// The input of `trial`, rounded as a board receives it.
    pub fn as_on_board(channels: usize, trial: &Trial) -> Self {
        let rounded = |&u: &f32| I4F12::saturating_from_num(u).to_num();
        let values: Vec<f64> = trial.input.iter().map(rounded).collect();
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

/// One trial of a network: what is stepped, for how long, and with which input
/// and noise.
#[derive(Debug)]
pub struct Presentation<'a, N: Network> {
    /// The network.
    pub network: &'a N,
    /// Length of the trial and of an input sample, in steps.
    pub clock: Clock,
    /// The input.
    pub input: &'a Input<network::Input<N>>,
    /// Seed of the noise.
    pub seed: u64,
    /// Number of the trial, which has a noise of its own.
    pub index: u64,
}

impl<'a, N: Network> Presentation<'a, N>
where
    network::Input<N>: FromInput,
{
    /// The trial before its first step, to be pulled step by step.
    #[inline(always)]
    pub fn start<'m>(
        &self,
        memory: &'m mut Memory<N::Number>,
    ) -> Run<'a, 'm, N, &'a [network::Input<N>]> {
        let mut noise = Noise::new(self.seed, self.index);
        let state = memory.start(self.network, &mut noise);
        Run::new(self.network, state, noise, self.clock)
    }

    /// Runs the whole trial; `observe` sees each step, which counts from 1, and
    /// its state.
    pub fn watch(
        &self,
        memory: &mut Memory<N::Number>,
        observe: impl FnMut(u32, &State<N::Number>),
    ) {
        // Vectors as wide as the machine has them, chosen when it runs.
        pulp::Arch::new().dispatch(Watch {
            presentation: self,
            memory,
            observe,
        });
    }
}

/// A trial, as [`pulp`] wants it: a closure would not be inlined into the
/// function that may use the wide vectors.
struct Watch<'p, 'a, 'm, N: Network, F> {
    presentation: &'p Presentation<'a, N>,
    memory: &'m mut Memory<N::Number>,
    observe: F,
}

impl<N: Network, F: FnMut(u32, &State<N::Number>)> pulp::NullaryFnOnce for Watch<'_, '_, '_, N, F>
where
    network::Input<N>: FromInput,
{
    type Output = ();

    #[inline(always)]
    fn call(mut self) {
        let input = self.presentation.input;
        let mut run = self.presentation.start(self.memory);
        while let Some(step) = run.step(|sample| input.at(sample)) {
            (self.observe)(step, run.state());
        }
    }
}
