//! A recording, cut into trials and run on a board, beside the same trials on the desktop.

use fixed::types::I4F12;
use rate2spike_core::blob::Deployed;
use rate2spike_core::decision::Evidence;
use rate2spike_core::network::Network;
use rate2spike_core::noise::Noise;
use rate2spike_core::preprocessing::ChainState;
use rate2spike_core::trial::{Run, SpikeHash};
use rate2spike_protocol::message::{self, Outcome};
use serde::Serialize;

use super::BoardError;
use super::client::{Client, SampleBytes};
use crate::spiking::trial::{Deployable, Memory};

/// Seed of the noise.
const SEED: u64 = 1;

/// A trial as the board is shown it, and as the desktop is.
#[derive(Clone, Debug)]
pub struct SentTrial {
    sent: SampleBytes,
    input: Vec<Vec<I4F12>>,
}

/// The answer to a trial, and whether the board and the desktop agree.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answered {
    /// Index of the trial.
    pub trial: u64,
    /// The board's answer.
    pub answer: i16,
    /// The name of the class, if it has one.
    pub name: Option<String>,
    /// Whether all spikes are those of the desktop. A sample that came too late makes them
    /// differ.
    pub equal: bool,
    /// Steps that ended too late.
    pub late_steps: u32,
    /// Samples that came too late.
    pub missed_samples: u32,
}

/// Number of channels of a recording that `network` takes.
pub fn channels<A: Deployable>(network: &Deployed<A>) -> usize {
    match network.preprocessing() {
        Some(chain) => chain.channels(),
        None => network.constants().inputs,
    }
}

/// Number of samples of a trial of `network`.
pub fn samples<A: Deployable>(network: &Deployed<A>) -> usize {
    let clock = network.payload().clock;
    (clock.steps / clock.steps_per_sample.max(1)) as usize
}

impl SentTrial {
    /// The trial of these values, samples × channels. A network with a preprocessing gets
    /// them rounded to integers.
    pub fn new<A: Deployable>(network: &Deployed<A>, values: &[f32]) -> Self {
        let channels = channels(network);
        match network.preprocessing() {
            Some(chain) => {
                let integers: Vec<i32> = values.iter().map(|x| x.round() as i32).collect();
                let mut state = ChainState::default();
                let samples = integers.chunks(channels);
                Self {
                    sent: SampleBytes::of_sensor(channels, &integers),
                    input: samples
                        .map(|sample| chain.apply(&mut state, sample).to_vec())
                        .collect(),
                }
            }
            None => {
                let numbers: Vec<I4F12> = values
                    .iter()
                    .map(|&x| I4F12::saturating_from_num(x))
                    .collect();
                let bits: Vec<i16> = numbers.iter().map(|u| u.to_bits()).collect();
                Self {
                    sent: SampleBytes::of_input(channels, &bits),
                    input: numbers.chunks(channels).map(<[_]>::to_vec).collect(),
                }
            }
        }
    }

    /// The answer and the hash of the spikes on the desktop.
    pub fn on_desktop<A: Deployable>(&self, network: &Deployed<A>, index: u64) -> (i16, u64) {
        let mut memory = Memory::<A>::of(network);
        let mut noise = Noise::new(SEED, index);
        let state = memory.start(network, &mut noise);
        let mut run = Run::new(network, state, noise, network.payload().clock);
        let decision = &network.payload().decision;
        let (mut evidence, mut hash) = (Evidence::default(), SpikeHash::default());
        let numbers = |sample: &Vec<I4F12>| sample.iter().map(|&u| A::input(u)).collect();
        let input: Vec<Vec<A::Input>> = self.input.iter().map(numbers).collect();
        let last = input.len() - 1;
        while let Some(step) = run.step(|sample| &input[(sample as usize).min(last)]) {
            hash.add_step(step, run.state());
            evidence.see(decision, step, run.state().outputs());
        }
        (decision.answer(&evidence), hash.value())
    }

    /// Runs the `index`-th trial on the board, in real time if it is `live`; `output` gets
    /// the bits of all outputs in each sample.
    ///
    /// # Errors
    /// If the board refuses the trial or does not answer.
    pub fn on_board<A: Deployable>(
        &self,
        client: &mut Client,
        network: &Deployed<A>,
        index: u64,
        live: bool,
        mut output: impl FnMut(&[i32]),
    ) -> Result<Outcome, BoardError> {
        let every = network.payload().clock.steps_per_sample;
        let trial = message::TrialRequest {
            seed: SEED,
            index,
            samples: self.sent.count(),
            label: 0,
            spikes: false,
            output_every: u16::try_from(every).unwrap_or(u16::MAX),
            live,
        };
        client.run(&trial, &self.sent, |_, _| {}, |_, values| output(values))
    }
}

/// What the board answered to the `index`-th trial, beside the desktop.
pub fn answered<A: Deployable>(
    network: &Deployed<A>,
    shown: &SentTrial,
    index: u64,
    outcome: &Outcome,
) -> Answered {
    let (answer, hash) = shown.on_desktop(network, index);
    let name = network.class_name(outcome.answer);
    Answered {
        trial: index,
        answer: outcome.answer,
        name: name.map(|name| String::from_utf8_lossy(name).into_owned()),
        equal: (answer, hash) == (outcome.answer, outcome.spike_hash),
        late_steps: outcome.late_steps,
        missed_samples: outcome.missed_samples,
    }
}
