//! A lone neuron with a constant current fires at the rate of the closed form.
//!
//! Kim R., Li Y., Sejnowski T.J., PNAS 116:22811–22820 (2019), Methods:
//!
//! ```text
//! τ_m dv/dt = −v + I        v ≥ V_th: a spike; v ← V_reset for t_ref
//! rate = 1 / (t_ref + τ_m ln((I − V_reset)/(I − V_th)))
//! ```
//!
//! `cargo run --example lone_neuron`

use rate2spike_core::block::{Block, ReadoutBlock};
use rate2spike_core::network::{Constants, Tables};
use rate2spike_core::neuron::{
    Filter, FilterFactors, Membrane, Scheme, TimeConstants, UnitFactors,
};
use rate2spike_core::noise::Noise;
use rate2spike_core::refractory::Waiting;
use rate2spike_core::step::{StartError, State, StateMemory};

const STEP_MS: f64 = 0.05;
const TAU_M_MS: f64 = 10.0;
const REFRACTORY_MS: f64 = 2.0;
const THRESHOLD_MV: f64 = -40.0;
const RESET_MV: f64 = -65.0;

/// Steps of ten simulated seconds.
const STEPS: u32 = (10_000.0 / STEP_MS) as u32;

fn main() -> Result<(), StartError> {
    println!("current, mV   rate, Hz   closed form, Hz");
    for current_mv in [-39.9, -39.0, -35.0, -20.0, 0.0] {
        let spikes = f64::from(count_spikes(current_mv)?);
        let (found, expected) = (spikes / 10.0, closed_form_hz(current_mv));
        println!("{current_mv:11.1}   {found:8.1}   {expected:15.1}");
    }
    Ok(())
}

fn closed_form_hz(current_mv: f64) -> f64 {
    let charge_ms = TAU_M_MS * ((current_mv - RESET_MV) / (current_mv - THRESHOLD_MV)).ln();
    1000.0 / (REFRACTORY_MS + charge_ms)
}

fn count_spikes(current_mv: f64) -> Result<u32, StartError> {
    // Core counts time in steps.
    let factors = TimeConstants {
        membrane: TAU_M_MS / STEP_MS,
        rise: None,
        decay: 20.0 / STEP_MS,
    }
    .step(Scheme::Exact);
    let filter = FilterFactors {
        synapse_decay: factors.synapse_decay,
        rise_gain: factors.rise_gain,
    };
    let network = Tables::<f64> {
        constants: Constants {
            units: 1,
            inputs: 0,
            outputs: 1,
            membrane: Membrane::Leaky,
            filter: Filter::Single,
            leak: factors.leak,
            rise_decay: factors.rise_decay,
            noise_gain: 0.0,
            threshold: THRESHOLD_MV,
            reset: RESET_MV,
            refractory_steps: (REFRACTORY_MS / STEP_MS) as u16,
            start: (RESET_MV, RESET_MV),
        },
        units: &[UnitFactors {
            filter,
            gain: factors.gain,
            lag: factors.lag,
            bias: current_mv,
        }],
        input_weights: &[],
        starts: &[0, 0],
        targets: &[],
        readout: &[filter],
        readout_weights: &[1.0],
        output_offsets: &[0.0],
        readout_spike: 1.0,
    };

    let memory = StateMemory {
        blocks: &mut [Block::default()],
        readout: &mut [ReadoutBlock::default()],
        waiting: &mut [Waiting::default()],
        outputs: &mut [0.0],
    };
    let mut noise = Noise::new(1, 0);
    let mut state = State::start(&network, memory, &mut noise)?;
    let mut spikes = 0;
    for _ in 0..STEPS {
        state.step(&network, &mut noise);
        spikes += state.fired().count() as u32;
    }
    Ok(spikes)
}
