//! The loss of a network's fixed-point form against its f64 form.

use std::path::Path;

use rate2spike::convert::one_to_one;
use rate2spike::formats::rate_model::RateModelFile;
use rate2spike::formats::snn::NetFile;
use rate2spike::formats::task;
use rate2spike::quantize::floating::quantize_f32;
use rate2spike::quantize::quantize;
use rate2spike::quantize::saturation::Beyond;
use rate2spike::quantize::scores::shipped_start;
use rate2spike::readout::Readout;
use rate2spike::route::RouteError;
use rate2spike::spiking::experiment::{Experiment, Outcome, outcomes_f64, score_f64};
use rate2spike::spiking::network::SpikingNetwork;
use rate2spike::spiking::neuron::Neuron;
use rate2spike::spiking::time_step::TimeStep;
use rate2spike::task::Task;
use rate2spike::task::description::Part;
use rate2spike_core::blob::Deployed;
use rate2spike_core::neuron::Scheme;
use rate2spike_tests::fixtures;

/// λ of the published model, by its own search.
const LAMBDA: f64 = 25.0;

fn published() -> SpikingNetwork {
    let folder = std::fs::read_dir(fixtures().join("models")).expect("the folder of models");
    let path = folder.last().expect("a model").expect("a file").path();
    let model = RateModelFile::read(&path).expect("a model");
    one_to_one(&model.network, LAMBDA, Neuron::LIF).expect("a network")
}

/// A copy of the network with all potentials and currents times `factor`.
fn louder(network: &SpikingNetwork, factor: f64) -> SpikingNetwork {
    let louder = |values: &[f64]| values.iter().map(|value| value * factor).collect();
    let neuron = network.neuron;
    SpikingNetwork {
        neuron: Neuron {
            bias_mv: neuron.bias_mv * factor,
            threshold_mv: neuron.threshold_mv * factor,
            reset_mv: neuron.reset_mv * factor,
            start_mv: neuron.start_mv * factor,
            noise_mv: neuron.noise_mv * factor,
            ..neuron
        },
        weights: louder(&network.weights),
        input_weights: louder(&network.input_weights),
        offset_mv: louder(&network.offset_mv),
        ..network.clone()
    }
}

#[test]
fn fixed_point_answers_as_often_right_as_f64() {
    let (network, step) = (
        published(),
        TimeStep::new(0.1, Scheme::Exact).expect("a time step"),
    );
    let trials = 3000;
    let float = score_f64(&shipped_start(&network), &Task::go_nogo(), &step, 1, trials);
    // The smaller factors stand for a network whose currents are larger than the
    // format by that factor.
    for part in [1.0, 1.0 / 4.0, 1.0 / 16.0, 1.0 / 64.0] {
        let quantized = quantize(&louder(&network, part), &Task::go_nogo(), &step)
            .expect("a network that fits");
        assert!(quantized.bytes.len() <= 24 * 1024);
        let deployed = Deployed::read(&quantized.bytes).expect("a valid blob");
        let fixed = Experiment::deployed(&deployed, &Task::go_nogo(), 1).score(trials);
        println!(
            "f64 {} fixed {}, strict {} and {}, {} bytes",
            float.accuracy(),
            fixed.accuracy(),
            float.strict_accuracy(),
            fixed.strict_accuracy(),
            quantized.bytes.len()
        );
        // Both networks see the same trials, so that these resolve one point.
        // Larger units resolve drives and noise less.
        let most = match 1.0 / part {
            1.0 => 0.01,
            ..=16.0 => 0.02,
            _ => 0.04,
        };
        assert!((fixed.accuracy() - float.accuracy()).abs() <= most);
        assert!((fixed.strict_accuracy() - float.strict_accuracy()).abs() <= most);
    }
}

/// A copy of the network with an output for each of `factors`: the published output times
/// this factor.
fn with_outputs(network: &SpikingNetwork, factors: &[f64]) -> SpikingNetwork {
    let weights = factors.iter().flat_map(|factor| {
        let weights = network.readout.weights.iter();
        weights.map(move |weight| weight * factor)
    });
    SpikingNetwork {
        readout: Readout {
            weights: weights.collect(),
            offset: vec![0.0; factors.len()],
        },
        ..network.clone()
    }
}

#[test]
fn steps_in_which_the_output_leaves_its_range_are_counted() {
    let (network, task) = (published(), Task::go_nogo());
    let step = TimeStep::new(0.1, Scheme::Exact).expect("a time step");
    let beyond = |factor| {
        let network = with_outputs(&network, &[factor]);
        let bytes = quantize(&network, &task, &step).expect("it fits").bytes;
        let deployed = Deployed::read(&bytes).expect("a valid blob");
        Beyond::of(&Experiment::deployed(&deployed, &task, 1), 10)
    };
    assert_eq!(beyond(1.0).steps, 0);
    assert!(beyond(100.0).steps > 0);
}

#[test]
fn a_classifier_answers_in_fixed_point_as_in_f64_however_large_its_outputs_are() {
    let folder = tempfile::tempdir().expect("a folder");
    for (class, size) in [("high", 1), ("low", -1)] {
        let class = folder.path().join(class);
        std::fs::create_dir(&class).expect("a new folder");
        for trial in 0..20 {
            let sample = |t: i32| (size * (t % (trial + 3)) * 100).to_string();
            let lines: Vec<String> = (0..60).map(sample).collect();
            let text = format!("x\n{}\n", lines.join("\n"));
            std::fs::write(class.join(format!("{trial}.csv")), text).expect("a new file");
        }
    }
    let name = folder.path().to_str().expect("a path in UTF-8");
    let task = task::parse(name).expect("a data set").on(Part::Train);
    let step = TimeStep::new(0.5, Scheme::Exact).expect("a time step");
    for factor in [1.0, 1000.0] {
        let network = with_outputs(&published(), &[factor, -factor]);
        let bytes = quantize(&network, &task, &step).expect("it fits").bytes;
        let deployed = Deployed::read(&bytes).expect("a valid blob");
        let experiment = Experiment::deployed(&deployed, &task, 1);
        assert_eq!(Beyond::of(&experiment, 20).steps, 0, "{factor}");
        let trials = task.scored(1);
        let float = outcomes_f64(&shipped_start(&network), &task, &step, 1, trials);
        let pairs = experiment.outcomes(0, trials).into_iter().zip(float);
        let equal = pairs.filter(|(a, b)| a.answer == b.answer).count();
        assert!(equal + 1 >= trials, "{factor}: {equal} of {trials}");
    }
}

#[test]
fn a_network_whose_currents_are_too_large_is_the_same_in_larger_units() {
    let step = TimeStep::new(0.1, Scheme::Exact).expect("a time step");
    let bytes = |network: &SpikingNetwork| quantize(network, &Task::go_nogo(), &step);
    let network = published();
    let own = bytes(&network).expect("a network that fits").bytes;
    let own = Deployed::read(&own).expect("a valid blob");
    for factor in [4u8, 64] {
        let louder = bytes(&louder(&network, factor.into())).expect("a network that fits");
        let mut payload = *Deployed::read(&louder.bytes)
            .expect("a valid blob")
            .payload();
        assert_eq!(payload.shared.unit_mv, factor);
        payload.shared.unit_mv = own.payload().shared.unit_mv;
        payload.shared.threshold = own.payload().shared.threshold;
        assert!(payload == *own.payload(), "{factor} times as loud");
    }
    let error = bytes(&louder(&network, 256.0)).expect_err("currents beyond the format");
    // Only a network that was converted has a lambda to change.
    assert!(!error.to_string().contains("lambda"), "{error}");
    let of_model = RouteError::from(error).to_string();
    assert!(of_model.contains("use a larger lambda"), "{of_model}");
}

/// Decay time constants of 20 to 100 ms, one a unit.
#[test]
fn decay_times_are_off_by_little_at_long_steps_and_more_at_short_ones() {
    let mut network = published();
    let units = network.units as f64 - 1.0;
    for (unit, decay_ms) in network.decay_ms.iter_mut().enumerate() {
        *decay_ms = 20.0 + 80.0 * unit as f64 / units;
    }
    for (ms, limit) in [(1.0, 0.002), (0.5, 0.002), (0.1, 0.008), (0.05, 0.015)] {
        let step = TimeStep::new(ms, Scheme::Exact).expect("a time step");
        let losses = quantize(&network, &Task::go_nogo(), &step)
            .expect("a network that fits")
            .losses;
        let worst = losses.tau_synapse.largest;
        assert!(worst > 0.0 && worst < limit, "steps of {ms} ms: {worst}");
    }
}

#[test]
fn a_network_in_f32_has_the_spikes_of_the_simulation_in_f32_with_the_same_start() {
    let (network, task) = (published(), Task::go_nogo());
    let step = TimeStep::new(0.1, Scheme::Exact).expect("a step");
    let bytes = quantize_f32(&network, &task, &step).expect("it fits").bytes;
    let deployed = Deployed::<f32>::of(&bytes).expect("what was written");
    let tables = shipped_start(&network).tables::<f32>(&step);
    let tables = tables.tables();
    let simulated = Experiment::floating(&tables, &task, &step, 1).outcomes(0, 5);
    let found = Experiment::deployed(&deployed, &task, 1).outcomes(0, 5);
    let hashes = |outcomes: &[Outcome]| -> Vec<u64> {
        outcomes.iter().map(|outcome| outcome.spike_hash).collect()
    };
    assert_eq!(hashes(&found), hashes(&simulated));
    assert!(found.iter().all(|outcome| outcome.spikes > 100));
}

#[test]
fn what_steps_fixed_point_only_refuses_a_network_in_f32_by_its_reason() {
    let step = TimeStep::new(0.5, Scheme::Exact).expect("a step");
    let made = quantize_f32(&published(), &Task::go_nogo(), &step).expect("it fits");
    let error = NetFile::new(Path::new("net.snn"), made.bytes).expect_err("f32");
    let message = error.to_string();
    assert!(
        message.contains("quantize the model without --arithmetic f32"),
        "{message}"
    );
}

#[test]
fn a_number_that_f32_does_not_hold_is_refused_by_its_table() {
    let mut network = published();
    network.offset_mv[3] = 1e39;
    let step = TimeStep::new(0.5, Scheme::Exact).expect("a step");
    let error = quantize_f32(&network, &Task::go_nogo(), &step).expect_err("infinite");
    let message = error.to_string();
    assert!(message.contains("row 3 of the table Units"), "{message}");
}
