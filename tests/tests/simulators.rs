//! Exported networks in the programs that they are exported to.

use std::path::{Path, PathBuf};

use rate2spike::convert::one_to_one;
use rate2spike::export::nir::{self, Profile};
use rate2spike::export::script::{self, ScriptTrial, Simulator};
use rate2spike::formats::nir::read::ReadGraph;
use rate2spike::formats::rate_model::RateModelFile;
use rate2spike::import::{self, nir::Unsaid};
use rate2spike::readout::Readout;
use rate2spike::spiking::experiment::{clock, task_trial};
use rate2spike::spiking::network::SpikingNetwork;
use rate2spike::spiking::neuron::Neuron;
use rate2spike::spiking::record::{RecordedTrial, Recording};
use rate2spike::spiking::time_step::TimeStep;
use rate2spike::task::Task;
use rate2spike_core::neuron::Scheme;
use rate2spike_core::trial::Clock;
use rate2spike_tests::{published_model, python};
use tempfile::TempDir;

const SEED: u64 = 1;

/// Half a second: the start and, in a Go trial, the pulse and the first answer.
const SECONDS: f64 = 0.5;

fn network(rise_ms: f64) -> SpikingNetwork {
    let model = RateModelFile::read(&published_model()).expect("a model");
    let neuron = Neuron {
        noise_mv: 0.0,
        rise_ms,
        ..Neuron::LIF
    };
    one_to_one(&model.network, 25.0, neuron).expect("a network")
}

/// The first Go trial.
fn trial(step: &TimeStep) -> ScriptTrial {
    let go = |index: &u64| task_trial(&Task::go_nogo(), SEED, *index).label == 1;
    let index = (0..100).find(go).expect("one in two is Go");
    let input = task_trial(&Task::go_nogo(), SEED, index).input;
    ScriptTrial {
        input: input.into_iter().map(f64::from).collect(),
        clock: clock(&Task::go_nogo(), step),
        seed: SEED,
        index,
    }
}

/// The script with its numbers, and the folder in which it lies.
fn exported(
    simulator: Simulator,
    network: &SpikingNetwork,
    step: &TimeStep,
    trial: &ScriptTrial,
) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("net.py");
    std::fs::write(&path, simulator.script()).expect("a writable folder");
    let numbers = script::numbers(network, step, trial).expect("numbers");
    numbers
        .write(&path.with_extension("npz"))
        .expect("a writable folder");
    (folder, path)
}

/// Step and unit of every spike, both from 1: ours, and those that the script
/// prints; `None` where it cannot run.
fn spikes(simulator: Simulator, rise_ms: f64, packages: &str) -> Option<[Vec<(u32, u32)>; 2]> {
    let step = TimeStep::new(0.1, Scheme::Exact).expect("a step");
    let (network, trial) = (network(rise_ms), trial(&step));
    let (_folder, path) = exported(simulator, &network, &step, &trial);
    let program = [
        path.to_str().expect("UTF-8"),
        "--seconds",
        &SECONDS.to_string(),
    ];
    let printed = python(&program, packages)?;
    // NEST greets first.
    let theirs = printed
        .lines()
        .filter_map(|line| {
            let (step, unit) = line.split_once(' ')?;
            Some((step.parse().ok()?, unit.parse().ok()?))
        })
        .collect();
    let ours = recorded(&network, &step, &trial)
        .spikes
        .iter()
        .map(|&(step, unit)| (step, unit + 1))
        .collect();
    Some([ours, theirs])
}

/// Our recording of the first `SECONDS` of the trial.
fn recorded(network: &SpikingNetwork, step: &TimeStep, trial: &ScriptTrial) -> RecordedTrial {
    Recording {
        network,
        step: *step,
        input: &trial.input,
        clock: Clock {
            steps: (SECONDS * 1000.0 / step.ms).round() as u32,
            ..trial.clock
        },
        start_mv: None,
        stimulation: None,
        seed: SEED,
        trial: trial.index,
        every: 0,
    }
    .run::<f64>()
}

/// Outputs of every step of a network with this number of outputs: ours, and those that the
/// script writes; `None` where it cannot run.
fn outputs(simulator: Simulator, rows: usize, packages: &str) -> Option<[Vec<f64>; 2]> {
    let step = TimeStep::new(0.1, Scheme::Exact).expect("a step");
    let (mut network, trial) = (network(2.0), trial(&step));
    let single = network.readout.clone();
    let scaled = |row: usize| {
        let scale = 1.0 - 0.75 * row as f64;
        single.weights.iter().map(move |w| w * scale)
    };
    network.readout = Readout {
        weights: (0..rows).flat_map(scaled).collect(),
        offset: (0..rows).map(|row| 0.25 - row as f64).collect(),
    };
    let (folder, path) = exported(simulator, &network, &step, &trial);
    let output = folder.path().join("output.npy");
    let paths = [&path, &output].map(|path| path.to_str().expect("UTF-8"));
    let seconds = SECONDS.to_string();
    python(
        &[paths[0], "--seconds", &seconds, "--output", paths[1]],
        packages,
    )?;
    let printed = python(
        &[
            "-c",
            "import numpy, sys; [print(repr(float(x))) for x in numpy.load(sys.argv[1]).ravel()]",
            paths[1],
        ],
        "numpy",
    )?;
    let theirs = printed.lines().map(|line| line.parse().expect("a number"));
    let ours = recorded(&network, &step, &trial).output;
    Some([ours, theirs.collect()])
}

/// All outputs of Brian2 are ours. Those of NEST follow its spikes, which are ours until one
/// moves by a step.
#[test]
fn brian2_and_nest_give_the_same_outputs_of_a_network_with_one_and_with_three() {
    for rows in [1, 3] {
        for (simulator, packages, share) in [
            (Simulator::Brian2, "brian2", 1.0),
            (Simulator::Nest, "nest-simulator", 0.8),
        ] {
            let Some([ours, theirs]) = outputs(simulator, rows, packages) else {
                return;
            };
            assert_eq!(ours.len(), theirs.len());
            let compared = (ours.len() as f64 * share) as usize;
            let pairs = || ours[..compared].iter().zip(&theirs);
            let difference = pairs().fold(0.0f64, |most, (a, b)| most.max((a - b).abs()));
            let size = pairs().fold(0.0f64, |most, (a, _)| most.max(a.abs()));
            println!("{simulator:?}, {rows} outputs: {difference:e} of {size}, {compared} values");
            assert!(size > 0.5, "{size}");
            assert!(difference < 1e-9 * size, "{difference:e}");
        }
    }
}

#[test]
fn brian2_gives_the_same_spikes_with_both_filters() {
    for rise_ms in [2.0, 0.0] {
        let Some([ours, theirs]) = spikes(Simulator::Brian2, rise_ms, "brian2") else {
            return;
        };
        println!(
            "Brian2, rise {rise_ms} ms: {} spikes, all equal",
            ours.len()
        );
        assert!(ours.len() > 200);
        assert_eq!(ours, theirs, "rise {rise_ms} ms");
    }
}

/// NEST's membranes are one step late with the first step of a current: a spike
/// in some hundreds moves by a step, and those after it may follow.
#[test]
fn nest_gives_the_same_spikes_until_one_moves_by_a_step() {
    for rise_ms in [2.0, 0.0] {
        let Some([ours, theirs]) = spikes(Simulator::Nest, rise_ms, "nest-simulator") else {
            return;
        };
        let equal = ours.iter().zip(&theirs).take_while(|(a, b)| a == b).count();
        let common = ours.iter().filter(|spike| theirs.contains(spike)).count();
        println!(
            "NEST, rise {rise_ms} ms: {} and {} spikes, the first {equal} equal, {common} in common",
            ours.len(),
            theirs.len()
        );
        assert!(equal >= 150, "rise {rise_ms} ms: {equal}");
        // With the single filter a current begins with its peak, and the step
        // that the membrane is late weighs more.
        let least = if rise_ms > 0.0 { 0.9 } else { 0.5 };
        let share = common as f64 / ours.len() as f64;
        assert!(share > least, "rise {rise_ms} ms: {share}");
    }
}

/// Prints type and sizes of every node, some numbers, and the edges.
const READ_NIR: &str = "
import sys, nir
graph = nir.read(sys.argv[1])
for name, node in sorted(graph.nodes.items()):
    print(name, type(node).__name__, node.input_type['input'], node.output_type['output'])
print(*sorted('-'.join(edge) for edge in graph.edges))
lif = graph.nodes['lif']
print(repr(float(lif.v_threshold[0])), repr(float(lif.v_reset[0])), repr(float(lif.v_leak[0])))
print(repr(float(graph.nodes['w'].weight[3, 7])), repr(float(graph.nodes['readout_decay'].tau[5])))
";

fn nir_reads(profile: Profile, path: &Path) -> Option<String> {
    let graph = nir::graph(&network(2.0), profile).expect("a graph");
    std::fs::write(path, graph.to_bytes().expect("a file")).expect("a writable folder");
    python(&["-c", READ_NIR, path.to_str().expect("UTF-8")], "nir")
}

#[test]
fn nir_reads_both_profiles_with_their_numbers() {
    let folder = tempfile::tempdir().expect("a folder");
    let network = network(2.0);
    let weight = network.weights[3 * network.units + 7] * 1e-3;
    let tau = network.decay_ms[5] * 1e-3;
    for (profile, kind, edge) in [
        (Profile::Exact, "lif LIF [200] [200]", "rise-decay"),
        (Profile::Cuba, "lif CubaLIF [200] [200]", "w-lif"),
    ] {
        let Some(text) = nir_reads(profile, &folder.path().join("net.nir")) else {
            return;
        };
        for part in [
            kind,
            "w Linear [200]",
            "w_in Linear [1]",
            "w_out Linear [200]",
            edge,
            "-0.04 -0.065 -0.04",
            &format!("{weight:?} {tau:?}"),
        ] {
            assert!(text.contains(part), "{profile:?}: no '{part}' in\n{text}");
        }
    }
}

/// Writes a graph such as a person writes by hand: numbers of 32 bits, a threshold of one,
/// the readout behind its matrix.
const WRITE_NIR: &str = "
import sys, nir, numpy as np
n = 20
rng = np.random.default_rng(1)
f = lambda *a: np.array(a, dtype=np.float32)
full = lambda x: np.full(n, x, dtype=np.float32)
nodes = {
    'in': nir.Input({'input': np.array([1])}),
    'fc': nir.Affine(weight=rng.normal(0, 1, (n, 1)).astype(np.float32), bias=full(1.2)),
    'rnn': nir.CubaLIF(tau_mem=full(0.01), tau_syn=rng.uniform(0.02, 0.1, n).astype(np.float32),
        r=full(1), v_leak=full(0), v_threshold=full(1), v_reset=full(0), w_in=full(1)),
    'rec': nir.Linear(weight=rng.normal(0, 1e-3, (n, n)).astype(np.float32)),
    'fc_out': nir.Linear(weight=rng.normal(0, 1e-2, (1, n)).astype(np.float32)),
    'li': nir.LI(tau=f(0.05), r=f(1), v_leak=f(0)),
    'out': nir.Output({'output': np.array([1])}),
}
edges = [('in', 'fc'), ('fc', 'rnn'), ('rnn', 'rec'), ('rec', 'rnn'),
    ('rnn', 'fc_out'), ('fc_out', 'li'), ('li', 'out')]
nir.write(sys.argv[1], nir.NIRGraph(nodes, edges))
if len(sys.argv) > 2:
    nir.write(sys.argv[1], nir.read(sys.argv[2]))
print(repr(float(nodes['rec'].weight[3, 7])), nir.version)
";

const UNSAID: Unsaid = Unsaid {
    refractory_ms: 2.0,
    noise_mv: 0.0,
    start_mv: 30.0,
    synapse_ms: None,
};

#[test]
fn a_graph_that_nir_wrote_by_hand_becomes_a_network_that_spikes() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("hand.nir");
    let Some(printed) = python(&["-c", WRITE_NIR, path.to_str().expect("UTF-8")], "nir") else {
        return;
    };
    let graph = ReadGraph::from_bytes(&std::fs::read(&path).expect("a file")).expect("a graph");
    let network = import::nir::network(&graph, &UNSAID)
        .expect("it fits")
        .network;
    let words: Vec<&str> = printed.split_whitespace().collect();
    let weight: f64 = words[0].parse().expect("a number");
    assert!((network.weights[3 * 20 + 7] - 25.0 * weight).abs() < 1e-9);
    // The unit rests 1.2 thresholds above the reset, and fires.
    assert!((network.neuron.bias_mv + 35.0).abs() < 1e-5);
    let step = TimeStep::new(0.1, Scheme::Exact).expect("a step");
    let record = Recording {
        network: &network,
        step,
        input: &[0.0; 200],
        clock: Clock {
            steps: 10_000,
            ..clock(&Task::go_nogo(), &step)
        },
        start_mv: None,
        stimulation: None,
        seed: SEED,
        trial: 0,
        every: 0,
    }
    .run::<f64>();
    println!(
        "nir {}: {} spikes in a second",
        words[1],
        record.spikes.len()
    );
    assert!(record.spikes.len() > 200);
}

#[test]
fn a_graph_that_went_through_nir_spikes_as_before() {
    let folder = tempfile::tempdir().expect("a folder");
    let (ours, theirs) = (
        folder.path().join("ours.nir"),
        folder.path().join("theirs.nir"),
    );
    let graph = nir::graph(&network(2.0), Profile::Exact).expect("a graph");
    std::fs::write(&ours, graph.to_bytes().expect("a file")).expect("a writable folder");
    let paths = [&theirs, &ours].map(|path| path.to_str().expect("UTF-8"));
    if python(&["-c", WRITE_NIR, paths[0], paths[1]], "nir").is_none() {
        return;
    }
    let graph = ReadGraph::from_bytes(&std::fs::read(&theirs).expect("a file")).expect("a graph");
    let back = import::nir::network(&graph, &UNSAID)
        .expect("it fits")
        .network;
    let step = TimeStep::new(0.1, Scheme::Exact).expect("a step");
    let trial = trial(&step);
    let spikes = |network: &SpikingNetwork| {
        let recording = Recording {
            network,
            step,
            input: &trial.input,
            clock: trial.clock,
            start_mv: None,
            stimulation: None,
            seed: SEED,
            trial: trial.index,
            every: 0,
        };
        recording.run::<f64>().spikes
    };
    let (before, after) = (spikes(&network(2.0)), spikes(&back));
    println!("through nir: {} spikes, all equal", before.len());
    assert!(before.len() > 400);
    assert_eq!(before, after);
}
