//! The step against a fine one, and against itself in another order.

use rate2spike::convert::one_to_one;
use rate2spike::formats::rate_model::RateModelFile;
use rate2spike::quantize::quantize;
use rate2spike::readout::Readout;
use rate2spike::spiking::experiment::clock;
use rate2spike::spiking::network::SpikingNetwork;
use rate2spike::spiking::neuron::Neuron;
use rate2spike::spiking::time_step::TimeStep;
use rate2spike::spiking::trial::{Input, Memory, Presentation};
use rate2spike::task::Task;
use rate2spike_core::blob::Deployed;
use rate2spike_core::neuron::Scheme;
use rate2spike_core::noise::Noise;
use rate2spike_tests::fixtures;

/// Without noise, and with every potential at its reset at first.
const QUIET: Neuron = Neuron {
    noise_mv: 0.0,
    start_mv: Neuron::LIF.reset_mv,
    ..Neuron::LIF
};

fn step(ms: f64) -> TimeStep {
    TimeStep::new(ms, Scheme::Exact).expect("a time step")
}

/// Potential of a unit below threshold every millisecond for 100 ms, while
/// another one fires every 10 ms.
fn driven_membrane(step: TimeStep, decay_ms: f64) -> Vec<f64> {
    let network = SpikingNetwork {
        neuron: Neuron {
            bias_mv: -60.0,
            refractory_ms: 0.0,
            ..QUIET
        },
        units: 2,
        channels: 1,
        // From the first to the second: 2 mV on average.
        weights: vec![0.0, 0.0, 0.02, 0.0],
        input_weights: vec![0.0; 2],
        offset_mv: vec![0.0; 2],
        readout: Readout::single(vec![0.0; 2], 0.0),
        decay_ms: vec![decay_ms; 2],
        lambda: 1.0,
    };
    let tables = network.tables::<f64>(&step);
    let tables = tables.tables();
    let mut memory = Memory::of(&tables);
    let mut noise = Noise::new(1, 0);
    let mut state = memory.start(&tables, &mut noise);
    let steps_a_ms = (1.0 / step.ms).round() as u32;
    let mut potentials = Vec::new();
    for now in 1..=100 * steps_a_ms {
        if now % (10 * steps_a_ms) == 0 {
            state.set_potential(0, 1e6);
        }
        state.step(&tables, &mut noise);
        if now % steps_a_ms == 0 {
            potentials.push(state.potential(1));
        }
    }
    potentials
}

/// Largest difference, mV, over the samples that both have.
fn difference(a: &[f64], b: &[f64]) -> f64 {
    let errors = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    errors.fold(0.0, f64::max)
}

#[test]
fn between_spikes_the_exact_scheme_is_exact_at_any_step() {
    // Also where time constants are equal, and the propagators have limits.
    for decay_ms in [35.0, 10.0, 2.0] {
        let fine = driven_membrane(step(0.01), decay_ms);
        assert!(fine[99] > -59.5, "the spikes arrive: {}", fine[99]);
        for ms in [1.0, 0.5, 0.25, 0.1] {
            let error = difference(&driven_membrane(step(ms), decay_ms), &fine);
            assert!(error < 1e-10, "{decay_ms} ms, steps of {ms} ms: {error} mV");
        }
    }
}

#[test]
fn eulers_scheme_converges_with_the_step() {
    let exact = driven_membrane(step(0.01), 35.0);
    let euler = |ms: f64| TimeStep::new(ms, Scheme::Euler).expect("a time step");
    let errors = [0.1, 0.05, 0.025].map(|ms| difference(&driven_membrane(euler(ms), 35.0), &exact));
    for pair in errors.windows(2) {
        let order = (pair[0] / pair[1]).log2();
        assert!(
            (0.95..1.05).contains(&order),
            "order {order}, errors {errors:?}"
        );
    }
}

/// In a recurrent network one error remains: a spike falls on the end of a step. The
/// rates of a whole network converge to those of a fine step.
#[test]
fn a_network_fires_as_often_as_with_a_fine_step() {
    let network = published_network();
    let potentials = spread(network.units);
    let spikes = |ms: f64| -> f64 {
        let (spikes, _) = run(&network, &step(ms), &potentials);
        spikes.iter().map(Vec::len).sum::<usize>() as f64
    };
    let fine = spikes(0.05);
    for (ms, tolerance) in [(0.1, 0.01), (0.25, 0.03), (0.5, 0.06)] {
        let ratio = spikes(ms) / fine;
        assert!((ratio - 1.0).abs() < tolerance, "steps of {ms} ms: {ratio}");
    }
}

/// The model that the published code trained, without noise.
fn published_network() -> SpikingNetwork {
    let path = fixtures()
        .join("models")
        .read_dir()
        .expect("the folder of models")
        .map(|entry| entry.expect("a file").path())
        .find(|path| path.to_string_lossy().contains("go-nogo"))
        .expect("a model");
    let rate = RateModelFile::read(&path).expect("a rate model").network;
    one_to_one(&rate, 25.0, QUIET).expect("it converts")
}

/// Potentials from the reset to 20 mV above the threshold, none like another.
fn spread(units: usize) -> Vec<f64> {
    let share = |unit| unit as f64 / units as f64;
    (0..units).map(|unit| -65.0 + 45.0 * share(unit)).collect()
}

/// Spikes of each unit and the output's last value.
type Run = (Vec<Vec<u32>>, i32);

/// A trial of the deployed network from given potentials.
fn run(network: &SpikingNetwork, step: &TimeStep, potentials: &[f64]) -> Run {
    let quantized = quantize(network, &Task::go_nogo(), step).expect("a network that fits");
    let deployed = Deployed::read(&quantized.bytes).expect("a valid blob");
    let mut memory = Memory::of(&deployed);
    let pulse: Vec<f64> = (0..200)
        .map(|t| f64::from(u8::from((25..50).contains(&t))))
        .collect();
    let input = Input::new(1, &pulse);
    let presentation = Presentation {
        network: &deployed,
        clock: clock(&Task::go_nogo(), step),
        input: &input,
        seed: 1,
        index: 0,
    };
    let mut run = presentation.start(&mut memory);
    for (unit, v) in potentials.iter().enumerate() {
        // Counted from the threshold.
        let above = v - network.neuron.threshold_mv;
        let bits = (above * f64::from(1u32 << 21)).round() as i32;
        let bits = rate2spike_core::arithmetic::Fixed::from_bits(bits);
        run.state_mut().set_potential(unit, bits);
    }
    let mut spikes = vec![Vec::new(); network.units];
    let mut output = 0;
    while let Some(now) = run.step(|sample| input.at(sample)) {
        let state = run.state();
        state.fired().for_each(|unit| spikes[unit].push(now));
        output = state.output().to_bits();
    }
    (spikes, output)
}

/// `permutation[i]` is the old name of unit i.
fn permuted(network: &SpikingNetwork, permutation: &[usize]) -> SpikingNetwork {
    let n = network.units;
    let vector = |x: &[f64]| permutation.iter().map(|&old| x[old]).collect();
    let row = |&to: &usize| {
        let entry = move |&from: &usize| network.weights[to * n + from];
        permutation.iter().map(entry)
    };
    SpikingNetwork {
        weights: permutation.iter().flat_map(row).collect(),
        input_weights: vector(&network.input_weights),
        offset_mv: vector(&network.offset_mv),
        readout: Readout::single(vector(&network.readout.weights), 0.0),
        decay_ms: vector(&network.decay_ms),
        ..network.clone()
    }
}

#[test]
fn permuted_units_fire_as_before_under_their_new_names() {
    let network = published_network();
    let n = network.units;
    let potentials = spread(n);
    // 77 and 200 have no common factor.
    let permutation: Vec<usize> = (0..n).map(|i| (77 * i + 13) % n).collect();
    let moved: Vec<f64> = permutation.iter().map(|&old| potentials[old]).collect();

    let (before, output) = run(&network, &step(0.1), &potentials);
    let (after, moved_output) = run(&permuted(&network, &permutation), &step(0.1), &moved);
    let spikes: usize = before.iter().map(Vec::len).sum();
    assert!(spikes > 500, "too quiet to tell: {spikes} spikes");
    for (new, &old) in permutation.iter().enumerate() {
        assert_eq!(after[new], before[old], "unit {old}, now {new}");
    }
    assert_eq!(moved_output, output);
}
