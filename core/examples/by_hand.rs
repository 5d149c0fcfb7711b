//! Two neurons, built by hand: the input drives the first one, which drives the
//! second one.
//!
//! `cargo run --example by_hand` prints a line for each neuron, with a mark in
//! each millisecond in which it fires.

use rate2spike_core::block::{Block, ReadoutBlock};
use rate2spike_core::lanes::blocks;
use rate2spike_core::network::{Constants, Tables};
use rate2spike_core::neuron::{
    Filter, FilterFactors, Membrane, Scheme, TimeConstants, UnitFactors,
};
use rate2spike_core::noise::Noise;
use rate2spike_core::refractory::Waiting;
use rate2spike_core::step::{StartError, State, StateMemory};
use rate2spike_core::trial::{Clock, Run};

const UNITS: usize = 2;

fn main() -> Result<(), StartError> {
    // A step is 1 ms: τ_m 10 ms, τ_r 2 ms, τ_d 20 ms.
    let factors = TimeConstants {
        membrane: 10.0,
        rise: Some(2.0),
        decay: 20.0,
    }
    .step(Scheme::Exact);
    let filter = FilterFactors {
        synapse_decay: factors.synapse_decay,
        rise_gain: factors.rise_gain,
    };
    let unit = UnitFactors {
        filter,
        gain: factors.gain,
        lag: factors.lag,
        bias: -41.0,
    };
    let network = Tables::<f64> {
        constants: Constants {
            units: UNITS,
            inputs: 1,
            outputs: 1,
            membrane: Membrane::Leaky,
            filter: Filter::Double,
            leak: factors.leak,
            rise_decay: factors.rise_decay,
            noise_gain: 0.0,
            threshold: -40.0,
            reset: -65.0,
            refractory_steps: 2,
            start: (-65.0, -65.0),
        },
        units: &[unit; UNITS],
        // The input channel reaches the first neuron only.
        input_weights: &[20.0, 0.0],
        // One synapse from neuron 0 to neuron 1, of 200 mV · ms; none from neuron 1.
        starts: &[0, 1, 1],
        targets: &[(1, 200.0)],
        readout: &[filter; UNITS],
        readout_weights: &[1.0; UNITS],
        output_offsets: &[0.0],
        readout_spike: 1.0,
    };

    let memory = StateMemory {
        blocks: &mut [Block::default(); blocks(UNITS)],
        readout: &mut [ReadoutBlock::default(); blocks(UNITS)],
        waiting: &mut [Waiting::default(); UNITS],
        outputs: &mut [0.0],
    };
    let mut noise = Noise::new(1, 0);
    let state = State::start(&network, memory, &mut noise)?;
    let clock = Clock {
        steps_per_sample: 5,
        steps: 120,
    };
    let mut run = Run::new(&network, state, noise, clock);

    let mut marks = vec![String::new(); UNITS];
    // Input from 20 to 70 ms.
    let pulse = |sample| [f64::from(u8::from((4..14).contains(&sample)))];
    while run.step(pulse).is_some() {
        for (unit, marks) in marks.iter_mut().enumerate() {
            let fires = run.state().fired().any(|fired| fired == unit);
            marks.push(if fires { '|' } else { '.' });
        }
    }
    for (unit, marks) in marks.iter().enumerate() {
        println!("neuron {unit} {marks}");
    }
    Ok(())
}
