//! A single neuron, compared with closed forms.

use rate2spike::quantize::quantize;
use rate2spike::rate::siegert::NoisyNeuron;
use rate2spike::readout::Readout;
use rate2spike::spiking::network::SpikingNetwork;
use rate2spike::spiking::neuron::Neuron;
use rate2spike::spiking::tables::Float;
use rate2spike::spiking::time_step::TimeStep;
use rate2spike::spiking::trial::Memory;
use rate2spike::task::Task;
use rate2spike_core::blob::Deployed;
use rate2spike_core::network::Network;
use rate2spike_core::neuron::Scheme;
use rate2spike_core::noise::Noise;

/// Unconnected neurons with a constant current `x` mV above the threshold.
fn neurons(units: usize, x: f64, noise_mv: f64) -> SpikingNetwork {
    SpikingNetwork {
        neuron: Neuron {
            bias_mv: Neuron::LIF.threshold_mv + x,
            noise_mv,
            ..Neuron::LIF
        },
        units,
        channels: 1,
        weights: vec![0.0; units * units],
        input_weights: vec![0.0; units],
        offset_mv: vec![0.0; units],
        readout: Readout::single(vec![0.0; units], 0.0),
        decay_ms: vec![35.0; units],
        lambda: 1.0,
    }
}

fn step(ms: f64, scheme: Scheme) -> TimeStep {
    TimeStep::new(ms, scheme).expect("a time step")
}

/// Steps of all spikes of each unit over `steps` steps.
fn spikes<N: Network>(network: &N, steps: u32) -> Vec<Vec<u32>> {
    let mut memory = Memory::of(network);
    let mut noise = Noise::new(5, 0);
    let mut state = memory.start(network, &mut noise);
    let mut spikes = vec![Vec::new(); network.constants().units];
    for now in 1..=steps {
        state.step(network, &mut noise);
        state.fired().for_each(|unit| spikes[unit].push(now));
    }
    spikes
}

fn float_spikes<A: Float>(network: &SpikingNetwork, step: &TimeStep, steps: u32) -> Vec<Vec<u32>> {
    spikes(&network.tables::<A>(step).tables(), steps)
}

fn fixed_spikes(network: &SpikingNetwork, step: &TimeStep, steps: u32) -> Vec<Vec<u32>> {
    let quantized = quantize(network, &Task::go_nogo(), step).expect("a network that fits");
    spikes(
        &Deployed::read(&quantized.bytes).expect("a valid blob"),
        steps,
    )
}

/// Steps between the second and the third spike of the first neuron: the first
/// one depends on the start.
fn interval(spikes: &[Vec<u32>]) -> u32 {
    spikes[0][2] - spikes[0][1]
}

/// Refractory time and climb from reset to threshold, in whole steps: the
/// membrane rests for the refractory steps, then reaches the threshold within
/// the last step of its climb.
fn closed_form(x: f64, step_ms: f64) -> u32 {
    let neuron = Neuron::LIF;
    let depth = neuron.threshold_mv - neuron.reset_mv;
    let climb = neuron.tau_m_ms / step_ms * ((x + depth) / x).ln();
    (neuron.refractory_ms / step_ms).round() as u32 + climb.ceil() as u32
}

#[test]
fn a_lone_neuron_fires_at_the_rate_of_the_closed_form() {
    for ms in [0.05, 0.1, 0.5] {
        for x in [0.5, 1.0, 2.0, 5.0, 10.0, 30.0] {
            let (network, step) = (neurons(1, x, 0.0), step(ms, Scheme::Exact));
            let wanted = closed_form(x, ms);
            let exact = interval(&float_spikes::<f64>(&network, &step, 20_000));
            assert_eq!(exact, wanted, "f64, {x} mV, {ms} ms");
            // 16 bits resolve the drift of a membrane near its threshold to
            // 1/64 mV: half a percent of the time constant, and what that is
            // to the last approach at 0.5 mV.
            let fixed = interval(&fixed_spikes(&network, &step, 20_000));
            let error = f64::from(fixed) / f64::from(wanted) - 1.0;
            let limit = 0.01f64.max(0.5 / f64::from(wanted)) + if x < 1.0 { 0.02 } else { 0.0 };
            assert!(
                error.abs() <= limit + 1.0 / f64::from(wanted),
                "fixed, {x} mV, {ms} ms: {error}"
            );
        }
    }
}

#[test]
fn eulers_scheme_fires_at_the_rate_of_its_own_closed_form() {
    // Euler's membrane is (1 − dt/τ)^n of the way away.
    let (x, ms) = (5.0f64, 0.05f64);
    let climb = (x / (x + 25.0)).ln() / (1.0 - ms / 10.0f64).ln();
    let found = interval(&float_spikes::<f64>(
        &neurons(1, x, 0.0),
        &TimeStep::PUBLISHED,
        20_000,
    ));
    assert_eq!(found, 40 + climb.ceil() as u32);
}

#[test]
fn a_noisy_neuron_fires_at_the_rate_of_siegerts_formula() {
    let units = 1000;
    for (scheme, ms) in [
        (Scheme::Euler, 0.05),
        (Scheme::Exact, 0.1),
        (Scheme::Exact, 0.5),
    ] {
        let step = step(ms, scheme);
        let seconds = 6.0;
        let steps = (seconds * 1000.0 / ms) as u32;
        for x in [1.0, 2.0, 5.0, 10.0] {
            let formula = NoisyNeuron {
                tau_m: 10.0,
                refractory: 2.0,
                threshold_above_reset: 25.0,
                sigma: 1.0,
                step: ms,
            };
            let wanted = formula.rate_hz(x);
            let network = neurons(units, x, 0.1);
            let rate = |spikes: Vec<Vec<u32>>| {
                let half = steps / 2;
                let count = spikes.iter().flatten().filter(|&&step| step > half).count();
                count as f64 / (units as f64 * seconds / 2.0)
            };
            let mut found = vec![("f64", rate(float_spikes::<f64>(&network, &step, steps)))];
            if scheme == Scheme::Exact {
                found.push(("fixed", rate(fixed_spikes(&network, &step, steps))));
            }
            // 90,000 spikes and more: a standard error below a fifth of a percent,
            // since intervals are more regular than a Poisson process.
            for (name, found) in found {
                let error = found / wanted - 1.0;
                println!(
                    "{name} {ms} ms, {x} mV: {found:.2} Hz, formula {wanted:.2}, {:+.2} %",
                    error * 100.0
                );
                // The formula's correction for the step is of first order.
                let limit = if ms > 0.1 { 0.015 } else { 0.005 };
                assert!(
                    error.abs() < limit,
                    "{name}, {ms} ms, {x} mV: {found} and {wanted} Hz"
                );
            }
        }
    }
}

#[test]
fn a_free_membrane_varies_by_one_millivolt_and_forgets_in_ten_milliseconds_at_any_step() {
    let units = 400;
    for ms in [0.05, 0.1, 0.5, 1.0] {
        let step = step(ms, Scheme::Exact);
        let network = neurons(units, -20.0, 0.1);
        let tables = network.tables::<f64>(&step);
        let tables = tables.tables();
        let mut memory = Memory::of(&tables);
        let mut noise = Noise::new(9, 0);
        let mut state = memory.start(&tables, &mut noise);
        let (mut sum, mut square, mut product, mut count) = (0.0, 0.0, 0.0, 0.0);
        let mut before = vec![0.0; units];
        for now in 1..=(2000.0 / ms) as u32 {
            state.step(&tables, &mut noise);
            // Once a time constant, after the start is forgotten.
            if f64::from(now) * ms > 200.0 && now.is_multiple_of((10.0 / ms) as u32) {
                for (unit, before) in before.iter_mut().enumerate() {
                    let v = state.potential(unit) + 60.0;
                    sum += v;
                    square += v * v;
                    product += v * *before;
                    count += 1.0;
                    *before = v;
                }
            }
        }
        let mean: f64 = sum / count;
        let sd = (square / count - mean * mean).sqrt();
        // 72,000 samples, worth 36,000 independent ones: a standard error of
        // 0.4 %.
        assert!(
            (sd - 1.0).abs() < 0.02 && mean.abs() < 0.03,
            "{ms} ms: {sd} mV around {mean}"
        );
        // The first sample has none before it: 1 of 180.
        let correlation = product / square;
        assert!(
            (correlation - (-1.0f64).exp()).abs() < 0.02,
            "{ms} ms: correlation {correlation} over a time constant"
        );
    }
}
