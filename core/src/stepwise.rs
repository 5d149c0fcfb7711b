//! A trial that its caller steps, with input as it comes.
//!
//! A [`Stepwise`] holds all that such a trial changes, apart from the network: the
//! caller keeps both side by side. The C library and the Python package offer it.
//! [`Run`](crate::trial::Run) is for samples that are known beforehand, and for
//! firmware, which sets its own memory aside for each part.

use fixed::types::I4F12;

use crate::arithmetic::Fixed;
use crate::blob::Deployed;
use crate::decision::Evidence;
use crate::network::{MOST_INPUTS, Network};
use crate::noise::Noise;
use crate::preprocessing::ChainState;
use crate::step::{StartError, State, StateMemory};
use crate::trial::SpikeHash;

/// A trial under way: the state, and what was seen of the spikes and the outputs. The
/// network that each function takes is the one that the trial was started with.
pub struct Stepwise<'m> {
    state: State<'m, Fixed>,
    noise: Noise,
    preprocessing: ChainState,
    evidence: Evidence<Fixed>,
    hash: SpikeHash,
    now: u32,
}

/// A sample that has not one value for each channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OtherChannels {
    /// Values that the network takes; 0 for the integers of a network without a
    /// preprocessing.
    pub needed: usize,
    /// Values of the sample.
    pub found: usize,
}

impl OtherChannels {
    /// # Errors
    /// If the two numbers differ.
    fn check(needed: usize, found: usize) -> Result<(), Self> {
        let differ = Self { needed, found };
        (needed == found).then_some(()).ok_or(differ)
    }
}

impl<'m> Stepwise<'m> {
    /// The start of a trial: potentials and noise are drawn from `seed` and `trial`, and
    /// the input is zero.
    ///
    /// # Errors
    /// The memory is too small, or the network is not one that a step can run.
    pub fn start(
        network: &Deployed,
        memory: StateMemory<'m, Fixed>,
        seed: u64,
        trial: u64,
    ) -> Result<Self, StartError> {
        let mut noise = Noise::new(seed, trial);
        let mut state = State::start(network, memory, &mut noise)?;
        let zero = [I4F12::ZERO; MOST_INPUTS];
        // A deployed network has at most this number of inputs.
        state.set_input(
            network,
            zero.get(..network.constants().inputs).unwrap_or(&zero),
        );
        Ok(Self {
            state,
            noise,
            preprocessing: ChainState::default(),
            evidence: Evidence::default(),
            hash: SpikeHash::default(),
            now: 0,
        })
    }

    /// Sets the input from the next step on: a value for each channel.
    ///
    /// # Errors
    /// The network has another number of channels.
    pub fn set_input(&mut self, network: &Deployed, input: &[I4F12]) -> Result<(), OtherChannels> {
        OtherChannels::check(network.constants().inputs, input.len())?;
        self.state.set_input(network, input);
        Ok(())
    }

    /// Sets the input from the next step on from the integers of a sensor, by the
    /// network's preprocessing: an integer for each channel of the sensor.
    ///
    /// # Errors
    /// The network has no preprocessing, or one of another number of channels.
    pub fn set_sample(&mut self, network: &Deployed, sample: &[i32]) -> Result<(), OtherChannels> {
        let chain = network.preprocessing();
        let channels = chain.map_or(0, |chain| chain.channels());
        OtherChannels::check(channels, sample.len())?;
        if let Some(chain) = chain {
            let input = chain.apply(&mut self.preprocessing, sample);
            self.state.set_input(network, &input);
        }
        Ok(())
    }

    /// Makes a time step. Steps beyond the trial's end leave the answer as it is, and the
    /// hash counts their spikes too.
    pub fn step(&mut self, network: &Deployed) {
        self.now = self.now.wrapping_add(1);
        self.state.step(network, &mut self.noise);
        self.hash.add_step(self.now, &self.state);
        let decision = &network.payload().decision;
        self.evidence.see(decision, self.now, self.state.outputs());
    }

    /// The number of steps made.
    pub fn now(&self) -> u32 {
        self.now
    }

    /// The state after the last step.
    pub fn state(&self) -> &State<'m, Fixed> {
        &self.state
    }

    /// The answer to the trial so far: the number of the class, or the label of the task.
    pub fn answer(&self, network: &Deployed) -> i16 {
        network.payload().decision.answer(&self.evidence)
    }

    /// The hash of the spikes so far.
    pub fn spike_hash(&self) -> u64 {
        self.hash.value()
    }
}
