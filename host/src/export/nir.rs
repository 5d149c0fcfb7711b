//! The network as a NIR graph, in two profiles.
//!
//! Exact: the current of a spike passes two leaky integrators in series, whose response
//! is the double filter. The readout has two integrators of its own. The input goes to the
//! membranes.
//!
//! ```text
//! input → w_in → lif → w → rise → decay → lif
//!                 lif → readout_rise → readout_decay → w_out → output
//! ```
//!
//! Cuba: one `CubaLIF` node, whose single synapse replaces the double filter. The input
//! passes this synapse too.
//!
//! ```text
//! input → w_in → lif → w → lif
//!                 lif → readout_decay → w_out → output
//! ```
//!
//! Norse 1.1.0 opens a graph of the second profile and simulates another network: Norse
//! has no `v_reset`, lets the synapse rest at `v_leak`, and gives a spike the area of one
//! step.

use rate2spike_core::neuron::Membrane as Equation;

use super::ExportError;
use super::fidelity::{Fidelity, approximate, faithful, unsupported};
use crate::formats::nir::read::ReadGraph;
use crate::formats::nir::{Graph, Membrane, Node};
use crate::spiking::network::SpikingNetwork;

/// The nodes of which the graph is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Profile {
    /// The same equations, with leaky integrators
    Exact,
    /// One CubaLIF with a single filter, which more chips and simulators take
    Cuba,
}

/// Volts in a millivolt: NIR's potentials are in V.
const VOLTS: f64 = 1e-3;

/// Seconds in a millisecond: NIR's times are in s.
const SECONDS: f64 = 1e-3;

/// The graph of `network`.
///
/// # Errors
/// [`ExportError::Quadratic`].
pub fn graph(network: &SpikingNetwork, profile: Profile) -> Result<Graph, ExportError> {
    if network.neuron.membrane != Equation::Leaky {
        return Err(ExportError::Quadratic);
    }
    Ok(match profile {
        Profile::Exact => exact(network),
        Profile::Cuba => cuba(network),
    })
}

fn exact(network: &SpikingNetwork) -> Graph {
    let decay = seconds(&network.decay_ms);
    let mut graph = Graph {
        nodes: vec![
            ("input", Node::Input(network.channels)),
            ("w_in", input_weights(network)),
            ("lif", Node::Lif(membrane(network))),
            ("w", recurrent_weights(network)),
            ("decay", Node::LeakyIntegrator { tau: decay.clone() }),
            ("readout_decay", Node::LeakyIntegrator { tau: decay }),
            ("w_out", readout(network)),
            ("output", Node::Output(network.readout.outputs())),
        ],
        edges: vec![
            ("input", "w_in"),
            ("w_in", "lif"),
            ("lif", "w"),
            ("decay", "lif"),
            ("readout_decay", "w_out"),
            ("w_out", "output"),
        ],
    };
    let rise_s = network.neuron.rise_ms * SECONDS;
    if rise_s > 0.0 {
        let rise = || Node::LeakyIntegrator {
            tau: vec![rise_s; network.units],
        };
        graph
            .nodes
            .extend([("rise", rise()), ("readout_rise", rise())]);
        graph.edges.extend([
            ("w", "rise"),
            ("rise", "decay"),
            ("lif", "readout_rise"),
            ("readout_rise", "readout_decay"),
        ]);
    } else {
        graph
            .edges
            .extend([("w", "decay"), ("lif", "readout_decay")]);
    }
    graph
}

fn cuba(network: &SpikingNetwork) -> Graph {
    let decay = seconds(&network.decay_ms);
    let lif = Node::CubaLif {
        tau_syn: decay.clone(),
        membrane: membrane(network),
    };
    Graph {
        nodes: vec![
            ("input", Node::Input(network.channels)),
            ("w_in", input_weights(network)),
            ("lif", lif),
            ("w", recurrent_weights(network)),
            ("readout_decay", Node::LeakyIntegrator { tau: decay }),
            ("w_out", readout(network)),
            ("output", Node::Output(network.readout.outputs())),
        ],
        edges: vec![
            ("input", "w_in"),
            ("w_in", "lif"),
            ("lif", "w"),
            ("w", "lif"),
            ("lif", "readout_decay"),
            ("readout_decay", "w_out"),
            ("w_out", "output"),
        ],
    }
}

fn seconds(ms: &[f64]) -> Vec<f64> {
    ms.iter().map(|ms| ms * SECONDS).collect()
}

fn volts(mv: &[f64]) -> Vec<f64> {
    mv.iter().map(|mv| mv * VOLTS).collect()
}

fn membrane(network: &SpikingNetwork) -> Membrane {
    let (neuron, n) = (&network.neuron, network.units);
    let biases: Vec<f64> = network.biases_mv().collect();
    Membrane {
        tau: vec![neuron.tau_m_ms * SECONDS; n],
        leak: volts(&biases),
        threshold: vec![neuron.threshold_mv * VOLTS; n],
        reset: vec![neuron.reset_mv * VOLTS; n],
    }
}

fn input_weights(network: &SpikingNetwork) -> Node {
    Node::Linear {
        shape: (network.units, network.channels),
        weight: volts(&network.input_weights),
    }
}

/// The recurrent weights, in V·s. A spike is a pulse of area 1 s, and the filters turn
/// the areas into currents.
fn recurrent_weights(network: &SpikingNetwork) -> Node {
    Node::Linear {
        shape: (network.units, network.units),
        weight: volts(&network.weights),
    }
}

/// The weights of all outputs, and their offsets if there are any.
fn readout(network: &SpikingNetwork) -> Node {
    let shape = (network.readout.outputs(), network.units);
    let (weight, bias) = (
        network.readout.weights.clone(),
        network.readout.offset.clone(),
    );
    if bias.iter().all(|&offset| offset == 0.0) {
        return Node::Linear { shape, weight };
    }
    Node::Affine {
        shape,
        weight,
        bias,
    }
}

/// The fidelity report of the graph of `network`.
pub fn fidelity(network: &SpikingNetwork, profile: Profile) -> Vec<Fidelity> {
    let double = network.neuron.rise_ms > 0.0;
    let exact = profile == Profile::Exact;
    let mut report = vec![
        faithful(
            "membrane",
            "v_leak is the constant current; threshold and reset are unchanged",
        ),
        faithful(
            "recurrent weights",
            "Linear; the area of a spike's current in V s",
        ),
        faithful("decay time constants", "one for each unit"),
        match (exact, double) {
            (true, true) => faithful("synaptic filter", "two leaky integrators in series"),
            (true, false) => faithful("synaptic filter", "one leaky integrator"),
            (false, true) => approximate(
                "synaptic filter",
                "the rise time is left out; the area is kept",
            ),
            (false, false) => faithful("synaptic filter", "the synapse of CubaLIF"),
        },
        if exact {
            faithful("input", "Linear, to the membranes")
        } else {
            approximate("input", "passes the synapse, which smooths the input")
        },
        if exact || !double {
            faithful("readout", "filters of its own, then Linear")
        } else {
            approximate(
                "readout",
                "one leaky integrator, then Linear; the rise time is left out",
            )
        },
    ];
    if network.neuron.refractory_ms > 0.0 {
        report.push(unsupported(
            "refractory time",
            "NIR has none: units that fire fast will fire faster",
        ));
    }
    if network.neuron.noise_mv > 0.0 {
        report.push(unsupported(
            "membrane noise",
            "NIR has none: add it in the simulator",
        ));
    }
    report.push(unsupported(
        "start potentials",
        "NIR has no initial state: simulators start at rest",
    ));
    report.push(unsupported(
        "decision",
        "NIR has none: a graph ends at the output",
    ));
    report
}

/// True if `bytes` are a graph with the nodes of [`graph`], from any version of this
/// program.
pub fn wrote(bytes: &[u8]) -> bool {
    let names = [
        "input",
        "w_in",
        "lif",
        "w",
        "readout_decay",
        "w_out",
        "output",
    ];
    ReadGraph::from_bytes(bytes)
        .is_ok_and(|graph| names.iter().all(|name| graph.nodes.contains_key(*name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert::one_to_one;
    use crate::rate::network::RateNetwork;
    use crate::rate::options::RateOptions;
    use crate::spiking::neuron::Neuron;
    use crate::task::Task;

    fn network(neuron: Neuron) -> SpikingNetwork {
        let rate = RateNetwork::start(&RateOptions::published(Task::mante(), 12));
        one_to_one(&rate, 50.0, neuron).expect("a network")
    }

    #[test]
    fn every_edge_joins_two_nodes_and_every_node_has_one() {
        for neuron in [
            Neuron::LIF,
            Neuron {
                rise_ms: 0.0,
                ..Neuron::LIF
            },
        ] {
            for profile in [Profile::Exact, Profile::Cuba] {
                let graph = graph(&network(neuron), profile).expect("a graph");
                let names: Vec<&str> = graph.nodes.iter().map(|(name, _)| *name).collect();
                for (from, to) in &graph.edges {
                    assert!(names.contains(from) && names.contains(to), "{from} {to}");
                }
                for name in names {
                    assert!(
                        graph
                            .edges
                            .iter()
                            .any(|(from, to)| *from == name || *to == name),
                        "{name}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_report_names_what_a_profile_leaves_out() {
        let degree = |neuron, profile, property: &str| {
            let report = fidelity(&network(neuron), profile);
            report
                .iter()
                .find(|line| line.property == property)
                .map(|line| line.degree)
        };
        use super::super::fidelity::Degree::{Approximate, Faithful, Unsupported};
        let single = Neuron {
            rise_ms: 0.0,
            noise_mv: 0.0,
            refractory_ms: 0.0,
            ..Neuron::LIF
        };
        for (neuron, profile, property, wanted) in [
            (
                Neuron::LIF,
                Profile::Exact,
                "synaptic filter",
                Some(Faithful),
            ),
            (
                Neuron::LIF,
                Profile::Cuba,
                "synaptic filter",
                Some(Approximate),
            ),
            (single, Profile::Cuba, "synaptic filter", Some(Faithful)),
            (
                Neuron::LIF,
                Profile::Exact,
                "refractory time",
                Some(Unsupported),
            ),
            (single, Profile::Exact, "refractory time", None),
            (single, Profile::Exact, "membrane noise", None),
        ] {
            assert_eq!(degree(neuron, profile, property), wanted, "{property}");
        }
    }

    #[test]
    fn the_quadratic_neuron_is_refused() {
        let error = graph(&network(Neuron::QIF), Profile::Exact).expect_err("no graph");
        assert!(error.to_string().contains("leaky"));
    }
}
