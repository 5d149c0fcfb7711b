//! Graphs of our own and graphs that are written by hand, as networks.

use rate2spike_core::neuron::Scheme;

use super::ImportError;
use super::nir::{Imported, Unsaid, network};
use crate::convert::one_to_one;
use crate::export::fidelity::Degree;
use crate::export::nir::{Profile, graph};
use crate::formats::nir::read::{Numbers, ReadGraph, ReadNode};
use crate::quantize::{QuantizeError, quantize};
use crate::rate::network::RateNetwork;
use crate::rate::options::RateOptions;
use crate::readout::Readout;
use crate::spiking::network::SpikingNetwork;
use crate::spiking::neuron::Neuron;
use crate::spiking::time_step::TimeStep;
use crate::task::Task;

/// The numbers of `Neuron::LIF`, without noise.
const OURS: Unsaid = Unsaid {
    refractory_ms: 2.0,
    noise_mv: 0.0,
    start_mv: 30.0,
    synapse_ms: None,
};

fn ours(rise_ms: f64) -> SpikingNetwork {
    let rate = RateNetwork::start(&RateOptions::published(Task::mante(), 40));
    let neuron = Neuron {
        rise_ms,
        noise_mv: 0.0,
        ..Neuron::LIF
    };
    one_to_one(&rate, 50.0, neuron).expect("a network")
}

fn read(network: &SpikingNetwork, profile: Profile) -> ReadGraph {
    let bytes = graph(network, profile).expect("a graph").to_bytes();
    ReadGraph::from_bytes(&bytes.expect("a file")).expect("our own graph")
}

fn degree(imported: &Imported, property: &str) -> Degree {
    let mut lines = imported.fidelity.iter();
    let line = lines.find(|line| line.property == property);
    line.unwrap_or_else(|| panic!("no {property}")).degree
}

#[test]
fn several_outputs_come_back_with_their_offsets() {
    for (rise_ms, profile) in [(2.0, Profile::Exact), (0.0, Profile::Cuba)] {
        let mut network = ours(rise_ms);
        let row = network.readout.weights.clone();
        let other = row.iter().rev().map(|w| 0.5 * w);
        network.readout = Readout {
            weights: row.iter().copied().chain(other).collect(),
            offset: vec![0.25, -1.5],
        };
        let imported = super::nir::network(&read(&network, profile), &OURS).expect("it fits");
        assert_eq!(imported.network.readout, network.readout);
    }
}

#[test]
fn a_network_that_was_exported_exactly_is_imported_as_the_same_bytes() {
    let step = TimeStep::new(0.1, Scheme::Exact).expect("a step");
    for (rise_ms, profile) in [
        (2.0, Profile::Exact),
        (0.0, Profile::Exact),
        (0.0, Profile::Cuba),
    ] {
        let network = ours(rise_ms);
        let imported = super::nir::network(&read(&network, profile), &OURS).expect("it fits");
        let bytes = |network: &SpikingNetwork| {
            let network = SpikingNetwork {
                lambda: 1.0,
                ..network.clone()
            };
            quantize(&network, &Task::mante(), &step)
                .expect("it fits")
                .bytes
        };
        assert_eq!(imported.network.neuron, network.neuron, "{profile:?}");
        assert!(
            bytes(&imported.network) == bytes(&network),
            "{profile:?}, rise {rise_ms} ms"
        );
        assert_eq!(degree(&imported, "readout"), Degree::Faithful);
    }
}

#[test]
fn the_rise_that_a_cuba_graph_leaves_out_is_not_added_again() {
    let imported = network(&read(&ours(2.0), Profile::Cuba), &OURS).expect("it fits");
    assert_eq!(imported.network.neuron.rise_ms, 0.0);
    assert_eq!(degree(&imported, "input"), Degree::Approximate);
}

fn numbers(shape: &[usize], values: &[f64]) -> Numbers {
    Numbers {
        shape: shape.to_vec(),
        values: values.to_vec(),
    }
}

fn node(kind: &str, all: &[(&str, Numbers)]) -> ReadNode {
    ReadNode {
        kind: kind.into(),
        numbers: all
            .iter()
            .map(|(name, n)| (name.to_string(), n.clone()))
            .collect(),
        graph: None,
    }
}

/// A graph of two units as a person writes it: threshold 1, reset and rest 0, and one
/// number for all units if they share it.
fn by_hand() -> ReadGraph {
    let one = |value| numbers(&[1], &[value]);
    let nodes = [
        ("in", node("Input", &[("shape", one(1.0))])),
        (
            "fc",
            node(
                "Affine",
                &[
                    ("weight", numbers(&[2, 1], &[0.5, -0.25])),
                    ("bias", numbers(&[2], &[0.1, 0.1])),
                ],
            ),
        ),
        (
            "lif",
            node(
                "CubaLIF",
                &[
                    ("tau_mem", one(0.02)),
                    ("tau_syn", numbers(&[2], &[0.05, 0.08])),
                    ("r", one(2.0)),
                    ("w_in", one(1.0)),
                    ("v_leak", one(0.0)),
                    ("v_threshold", one(1.0)),
                ],
            ),
        ),
        (
            "rec",
            node(
                "Linear",
                &[("weight", numbers(&[2, 2], &[0.0, 0.1, -0.2, 0.0]))],
            ),
        ),
        (
            "fc_out",
            node("Linear", &[("weight", numbers(&[1, 2], &[0.01, -0.01]))]),
        ),
        (
            "li",
            node(
                "LI",
                &[("tau", one(0.05)), ("r", one(3.0)), ("v_leak", one(0.0))],
            ),
        ),
        ("out", node("Output", &[("shape", one(1.0))])),
    ];
    let edges = [
        ("in", "fc"),
        ("fc", "lif"),
        ("lif", "rec"),
        ("rec", "lif"),
        ("lif", "fc_out"),
        ("fc_out", "li"),
        ("li", "out"),
    ];
    ReadGraph {
        nodes: nodes
            .into_iter()
            .map(|(name, node)| (name.into(), node))
            .collect(),
        edges: edges
            .iter()
            .map(|(a, b)| (a.to_string(), b.to_string()))
            .collect(),
    }
}

#[test]
fn a_graph_without_units_of_measure_is_scaled_to_ours() {
    let imported = network(&by_hand(), &OURS).expect("it fits");
    let network = &imported.network;
    let near = |a: &[f64], b: &[f64]| {
        assert_eq!(a.len(), b.len());
        a.iter()
            .zip(b)
            .for_each(|(a, b)| assert!((a - b).abs() < 1e-9, "{a} {b}"));
    };
    // A weight of 1 is 25 mV, times r.
    near(&network.input_weights, &[25.0, -12.5]);
    near(&network.weights, &[0.0, 5.0, -10.0, 0.0]);
    near(&network.decay_ms, &[50.0, 80.0]);
    near(&network.readout.weights, &[0.03, -0.03]);
    // The rest is at the reset, 0, plus the bias of 0.1 times r.
    near(
        &[network.neuron.bias_mv, network.neuron.tau_m_ms],
        &[-60.0, 20.0],
    );
    assert_eq!(degree(&imported, "readout"), Degree::Approximate);
}

#[test]
fn every_unit_has_its_own_bias() {
    let mut graph = by_hand();
    let fc = graph.nodes.get_mut("fc").expect("a node");
    fc.numbers.insert("bias".into(), numbers(&[2], &[0.1, 0.2]));
    let network = network(&graph, &OURS).expect("it fits").network;
    let biases: Vec<f64> = network.biases_mv().collect();
    for (found, wanted) in biases.iter().zip([-60.0, -55.0]) {
        assert!((found - wanted).abs() < 1e-9, "{biases:?}");
    }
}

#[test]
fn a_part_that_our_network_cannot_express_is_refused_by_the_name_of_its_node() {
    type Change = fn(&mut ReadGraph);
    fn set(graph: &mut ReadGraph, name: &str, number: &str, shape: &[usize], values: &[f64]) {
        let node = graph.nodes.get_mut(name).expect("a node");
        node.numbers.insert(number.into(), numbers(shape, values));
    }
    fn edge(graph: &mut ReadGraph, from: &str, to: &str) {
        graph.edges.push((from.into(), to.into()));
    }
    let cases: &[(Change, &[&str])] = &[
        (
            |g| g.nodes.get_mut("fc").expect("a node").kind = "Conv2d".into(),
            &["'fc' is Conv2d"],
        ),
        (
            |g| set(g, "lif", "v_threshold", &[2], &[1.0, 1.5]),
            &["'lif'", "'v_threshold'", "1.5"],
        ),
        (
            |g| set(g, "lif", "v_reset", &[1], &[1.0]),
            &["'lif'", "v_threshold", "above the reset"],
        ),
        (
            |g| set(g, "fc_out", "weight", &[2, 3], &[0.0; 6]),
            &["'fc_out'", "2 x 3", "2 units"],
        ),
        (
            |g| set(g, "rec", "weight", &[2, 3], &[0.0; 6]),
            &["'rec'", "2 x 3", "2 units"],
        ),
        (
            |g| set(g, "li", "v_leak", &[1], &[0.5]),
            &["'li'", "v_leak", "0.5"],
        ),
        (
            |g| set(g, "li", "tau", &[1], &[0.0]),
            &["'li'", "'tau' is 0", "positive"],
        ),
        (
            |g| set(g, "lif", "r", &[2], &[1.0, 0.0]),
            &["'lif'", "'r' is 0", "positive"],
        ),
        (|g| edge(g, "fc", "nowhere"), &["'nowhere'"]),
        (|g| edge(g, "rec", "out"), &["'rec' leads to 2 nodes"]),
        (
            |g| edge(g, "in", "fc_out"),
            &["'fc_out'", "past the neurons"],
        ),
        (
            |g| g.edges.retain(|edge| edge.0 != "lif" || edge.1 != "fc_out"),
            &["0 ways from 'lif' to 'out'"],
        ),
        (
            |g| {
                let lif = g.nodes["lif"].clone();
                g.nodes.insert("lif2".into(), lif);
            },
            &["2 LIF or CubaLIF nodes (lif, lif2)"],
        ),
        (
            |g| {
                let lif = g.nodes.get_mut("lif").expect("a node");
                lif.kind = "LIF".into();
                let tau = lif.numbers.remove("tau_mem").expect("a time");
                lif.numbers.insert("tau".into(), tau);
                lif.numbers.remove("tau_syn");
                lif.numbers.remove("w_in");
            },
            &["'lif'", "without a synapse", "--synapse"],
        ),
    ];
    for (change, parts) in cases {
        let mut graph = by_hand();
        change(&mut graph);
        let error = network(&graph, &OURS).expect_err("a refusal").to_string();
        for part in *parts {
            assert!(error.contains(part), "no '{part}' in: {error}");
        }
    }
}

fn set(graph: &mut ReadGraph, name: &str, number: &str, shape: &[usize], values: &[f64]) {
    let node = graph.nodes.get_mut(name).expect("a node");
    node.numbers.insert(number.into(), numbers(shape, values));
}

fn refusal(graph: &ReadGraph) -> String {
    let error = network(graph, &OURS).expect_err("a refusal");
    error.to_string()
}

#[test]
fn every_count_other_than_one_and_that_of_the_units_is_refused_with_both_counts() {
    for (name, number) in [
        ("lif", "tau_mem"),
        ("lif", "tau_syn"),
        ("lif", "r"),
        ("lif", "w_in"),
        ("lif", "v_leak"),
        ("lif", "v_threshold"),
        ("lif", "v_reset"),
        ("fc", "bias"),
        ("li", "tau"),
        ("li", "r"),
        ("li", "v_leak"),
    ] {
        let mut graph = by_hand();
        set(&mut graph, name, number, &[3], &[0.02, 0.02, 0.02]);
        let error = refusal(&graph);
        let wanted = if name == "li" {
            "one number"
        } else {
            "2 numbers"
        };
        for part in [name, number, "is 3", wanted] {
            assert!(error.contains(part), "{name} {number}: {error}");
        }
    }
    for (name, shape) in [("fc", [3, 1]), ("fc_out", [1, 3]), ("rec", [3, 3])] {
        let mut graph = by_hand();
        let values = vec![0.1; shape[0] * shape[1]];
        set(&mut graph, name, "weight", &shape, &values);
        let error = refusal(&graph);
        assert!(
            error.contains("numbers, or one") || error.contains(name),
            "{error}"
        );
    }
}

#[test]
fn numbers_in_one_row_are_a_list_and_a_table_of_the_same_count_is_not() {
    let mut graph = by_hand();
    set(&mut graph, "lif", "tau_syn", &[1, 2], &[0.05, 0.08]);
    assert!(network(&graph, &OURS).is_ok());
    set(&mut graph, "lif", "tau_syn", &[1, 1], &[0.05]);
    assert!(network(&graph, &OURS).is_ok());
    for name in ["fc", "rec", "fc_out"] {
        let mut graph = by_hand();
        set(&mut graph, name, "weight", &[2], &[0.5, 0.25]);
        let error = refusal(&graph);
        assert!(
            error.contains(name) && error.contains("a matrix"),
            "{error}"
        );
    }
}

#[test]
fn a_missing_w_in_is_one_and_a_missing_reset_is_zero() {
    let whole = network(&by_hand(), &OURS).expect("it fits");
    let mut graph = by_hand();
    let lif = graph.nodes.get_mut("lif").expect("a node");
    lif.numbers.remove("w_in");
    assert_eq!(network(&graph, &OURS).as_ref(), Ok(&whole));
    set(&mut graph, "lif", "v_reset", &[1], &[0.0]);
    assert_eq!(network(&graph, &OURS), Ok(whole));
}

#[test]
fn a_time_is_positive_and_in_seconds() {
    for (name, number) in [("lif", "tau_mem"), ("lif", "tau_syn"), ("li", "tau")] {
        for (time, part) in [
            (0.0, "positive"),
            (-0.02, "positive"),
            (20.0, "20 s"),
            (1.5, "milliseconds"),
        ] {
            let mut graph = by_hand();
            set(&mut graph, name, number, &[1], &[time]);
            let error = refusal(&graph);
            for part in [name, number, part] {
                assert!(error.contains(part), "{time}: {error}");
            }
        }
    }
}

#[test]
fn a_graph_that_counts_a_spike_as_one_for_a_step_is_refused_in_every_form() {
    // snnTorch's Synaptic: two decays, in steps of 0.1 ms.
    let mut graph = by_hand();
    set(&mut graph, "lif", "tau_mem", &[1], &[0.0005]);
    set(&mut graph, "lif", "r", &[1], &[5.0]);
    set(&mut graph, "lif", "tau_syn", &[2], &[0.001, 0.002]);
    set(&mut graph, "lif", "w_in", &[2], &[10.0, 20.0]);
    let error = refusal(&graph);
    for part in ["'lif'", "'r' is 5", "snnTorch", "0.1 ms", "10000"] {
        assert!(error.contains(part), "{error}");
    }
    assert!(!error.contains("lambda"), "{error}");
    // A graph in which one number does not fit the step is accepted.
    set(&mut graph, "lif", "w_in", &[2], &[10.0, 21.0]);
    assert!(network(&graph, &OURS).is_ok());

    // snnTorch's Leaky is refused, even with --synapse.
    let mut graph = by_hand();
    let lif = graph.nodes.get_mut("lif").expect("a node");
    lif.kind = "LIF".into();
    set(&mut graph, "lif", "tau", &[1], &[0.001]);
    set(&mut graph, "lif", "r", &[1], &[10.0]);
    let asked = Unsaid {
        synapse_ms: Some(5.0),
        ..OURS
    };
    let error = network(&graph, &asked).expect_err("a refusal").to_string();
    assert!(error.contains("snnTorch"), "{error}");
}

/// The neurons of `by_hand` and their way back, as an inner graph `hidden`.
fn nested() -> ReadGraph {
    let mut outer = by_hand();
    let mut inner = ReadGraph::default();
    for name in ["lif", "rec"] {
        let node = outer.nodes.remove(name).expect("a node");
        inner.nodes.insert(name.into(), node);
    }
    // Old exports of Norse state the outer input's shape here.
    let shape = [("shape", numbers(&[1], &[12.0]))];
    inner.nodes.insert("input".into(), node("Input", &shape));
    inner.nodes.insert("output".into(), node("Output", &shape));
    let pairs = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(a, b)| (a.to_string(), b.to_string()))
            .collect()
    };
    inner.edges = pairs(&[
        ("input", "lif"),
        ("lif", "rec"),
        ("rec", "lif"),
        ("lif", "output"),
    ]);
    outer.edges = pairs(&[
        ("in", "fc"),
        ("fc", "hidden"),
        ("hidden", "fc_out"),
        ("fc_out", "li"),
        ("li", "out"),
    ]);
    let hidden = ReadNode {
        kind: "NIRGraph".into(),
        graph: Some(inner),
        ..ReadNode::default()
    };
    outer.nodes.insert("hidden".into(), hidden);
    outer
}

fn hidden(graph: &mut ReadGraph) -> &mut ReadGraph {
    let node = graph.nodes.get_mut("hidden").expect("a node");
    node.graph.as_mut().expect("a graph")
}

#[test]
fn neurons_in_an_inner_graph_are_the_same_network() {
    let flat = network(&by_hand(), &OURS).expect("it fits");
    let inner = network(&nested(), &OURS).expect("it fits");
    assert_eq!(inner.network, flat.network);
    assert_eq!(inner.fidelity, flat.fidelity);

    let mut graph = nested();
    set(hidden(&mut graph), "lif", "tau_syn", &[1], &[-0.1]);
    assert!(refusal(&graph).contains("'hidden.lif'"));
}

#[test]
fn an_inner_graph_has_one_input_and_one_output_and_edges_that_lead_somewhere() {
    let mut graph = nested();
    hidden(&mut graph).nodes.remove("output");
    hidden(&mut graph).edges.pop();
    assert!(refusal(&graph).contains("'hidden' is a graph with 0 Output nodes"));

    let mut graph = nested();
    hidden(&mut graph).edges.push(("lif".into(), "gone".into()));
    assert!(refusal(&graph).contains("no node is called 'hidden.gone'"));

    // Input straight to output, and back: a circle that holds no neuron.
    let mut graph = nested();
    hidden(&mut graph)
        .edges
        .push(("output".into(), "input".into()));
    hidden(&mut graph)
        .edges
        .push(("input".into(), "output".into()));
    assert!(
        refusal(&graph).contains("leads back to itself"),
        "{}",
        refusal(&graph)
    );

    let mut graph = nested();
    let lif = hidden(&mut graph).nodes["lif"].clone();
    graph.nodes.insert("hidden.lif".into(), lif);
    assert!(refusal(&graph).contains("two nodes are called 'hidden.lif'"));
}

#[test]
fn a_flatten_of_one_dimension_changes_nothing_and_one_of_two_is_refused() {
    let whole = network(&by_hand(), &OURS).expect("it fits");
    let mut graph = by_hand();
    graph.edges.retain(|edge| edge.0 != "in");
    graph.edges.push(("in".into(), "flat".into()));
    graph.edges.push(("flat".into(), "fc".into()));
    let one = |value| numbers(&[], &[value]);
    let flatten = |shape: &[f64]| {
        node(
            "Flatten",
            &[
                ("input_type", numbers(&[shape.len()], shape)),
                ("start_dim", one(0.0)),
                ("end_dim", one(-1.0)),
            ],
        )
    };
    for shape in [&[1.0][..], &[1.0, 1.0], &[12.0], &[1.0, 12.0]] {
        graph.nodes.insert("flat".into(), flatten(shape));
        assert_eq!(network(&graph, &OURS).as_ref(), Ok(&whole), "{shape:?}");
    }
    graph.nodes.insert("flat".into(), flatten(&[3.0, 4.0]));
    let error = refusal(&graph);
    assert!(
        error.contains("'flat'") && error.contains("3 x 4"),
        "{error}"
    );
    graph.nodes.insert("flat".into(), node("Flatten", &[]));
    assert_eq!(network(&graph, &OURS), Ok(whole));
}

#[test]
fn the_shapes_of_input_and_output_are_those_of_the_weights() {
    for (name, part) in [("in", "'fc'"), ("out", "'fc_out'")] {
        let mut graph = by_hand();
        set(&mut graph, name, "shape", &[1], &[7.0]);
        let error = refusal(&graph);
        assert!(
            error.contains("'shape' is 7") && error.contains(part),
            "{error}"
        );
        set(&mut graph, name, "shape", &[2], &[1.0, 1.0]);
        assert!(network(&graph, &OURS).is_ok());
    }
}

#[test]
fn weights_that_become_infinite_and_too_many_units_are_refused() {
    let mut graph = by_hand();
    set(&mut graph, "lif", "v_threshold", &[1], &[1e-320]);
    assert!(matches!(
        network(&graph, &OURS),
        Err(ImportError::Infinite { .. })
    ));
    let mut graph = by_hand();
    set(&mut graph, "fc", "weight", &[5000, 1], &[0.1; 5000]);
    set(&mut graph, "fc", "bias", &[1], &[0.0]);
    set(&mut graph, "fc_out", "weight", &[1, 5000], &[0.1; 5000]);
    set(&mut graph, "rec", "weight", &[5000, 5000], &[]);
    assert!(
        refusal(&graph).contains("5000 units"),
        "{}",
        refusal(&graph)
    );
}

#[test]
fn currents_beyond_the_format_are_explained_without_a_lambda() {
    let imported = network(&by_hand(), &OURS).expect("it fits");
    let error = QuantizeError::Current {
        unit: 1,
        current_mv: 1e6,
    };
    let message = imported.not_quantized(error, 0.1).to_string();
    for part in ["'rec'", "unit 1", "area 1 s", "0.0001"] {
        assert!(message.contains(part), "{message}");
    }
    assert!(!message.contains("lambda"), "{message}");
}

#[test]
fn a_refusal_shows_a_number_as_it_was_written() {
    let mut graph = by_hand();
    let single = f64::from(-0.02f32);
    set(&mut graph, "lif", "tau_syn", &[1], &[single]);
    assert!(refusal(&graph).contains("is -0.02;"), "{}", refusal(&graph));
    set(&mut graph, "lif", "tau_syn", &[1], &[-1e30]);
    assert!(refusal(&graph).contains("is -1e30;"), "{}", refusal(&graph));
    set(&mut graph, "lif", "tau_syn", &[1], &[-0.1 - 0.2]);
    assert!(refusal(&graph).contains("is -0.3;"), "{}", refusal(&graph));
}
