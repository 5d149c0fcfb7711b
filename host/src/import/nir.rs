//! Turns a NIR graph into a spiking network. The graph may come from
//! [`crate::export::nir`], from another program, or from a person.
//!
//! ```text
//! Input → Linear → LIF or CubaLIF → Linear → Output
//!                   ↑ Linear → LI → LI ↓
//! ```
//!
//! A graph has one population, one input and one readout. A filter may stand before or
//! behind its matrix if all units share the filter. A `CubaLIF` contains a filter.
//!
//! Potentials are shifted and scaled so that the threshold is −40 mV and the reset −65 mV.
//! This changes no spike, and is needed because potentials are in V in our own graphs and
//! have no unit in many others. Times are in seconds; a spike is a pulse of area 1 s.

use super::ImportError;
use super::flat::FlatGraph;
use super::numbers::{Named, sizes};
use super::path::Path;
use super::population::Population;
use super::synapse::Synapse;
pub use super::unsaid::Unsaid;
use super::ways::Ways;
use crate::export::fidelity::{Fidelity, approximate, faithful};
use crate::formats::nir::read::ReadGraph;
use crate::quantize::QuantizeError;
use crate::readout::Readout;
use crate::spiking::network::SpikingNetwork;
use crate::spiking::neuron::Neuron;

/// A network, and the report on what was taken from the graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// The network; λ is 1.
    pub network: SpikingNetwork,
    /// For each property: taken exactly, taken nearly, or not in the graph.
    pub fidelity: Vec<Fidelity>,
    /// The node of the recurrent weights, which an error names.
    recurrent: String,
}

/// Largest number of units. Their dense matrix has 16 million weights.
const MOST_UNITS: usize = 4096;

/// The network of `graph`.
///
/// # Errors
/// If our network cannot express a part of the graph.
pub fn network(graph: &ReadGraph, unsaid: &Unsaid) -> Result<Imported, ImportError> {
    let graph = FlatGraph::new(graph)?;
    let ways = Ways::new(&graph)?;
    let Paths {
        inward,
        recurrent,
        outward,
    } = Paths::new(&graph, &ways)?;
    let (n, channels) = (inward.matrix.rows, inward.matrix.columns);
    if !(1..=MOST_UNITS).contains(&n) {
        return Err(ImportError::Units {
            node: ways.spiking.into(),
            units: n,
        });
    }
    let named = |name| Named {
        name,
        node: graph.nodes[name],
    };
    let population = Population::new(named(ways.spiking), n)?;
    check_end(named(ways.input), channels, inward.matrix.node)?;
    let outputs = outward.matrix.rows;
    check_end(named(ways.output), outputs, outward.matrix.node)?;

    let input_weights = population.scaled(&inward)?;
    let weights = match &recurrent {
        Some(path) => population.scaled(path)?,
        None => vec![0.0; n * n],
    };
    let mut inner = vec![&inward];
    inner.extend(&recurrent);
    let biases_mv = population.biases_mv(&inner)?;
    // If all biases are equal, the offsets are exactly 0.
    let bias_mv = biases_mv[0];
    let offset_mv = biases_mv.iter().map(|bias| bias - bias_mv).collect();

    let synapse = Synapse::new(&population, recurrent.as_ref(), &outward, unsaid)?;
    let gain = outward.gain(outputs)?;
    let rows = outward.matrix.weight.chunks(n).zip(gain);
    let readout = Readout {
        weights: rows
            .flat_map(|(row, gain)| row.iter().map(move |w| w * gain))
            .collect(),
        offset: outward.constants()?,
    };
    let neuron = Neuron {
        tau_m_ms: population.tau_m_ms,
        refractory_ms: unsaid.refractory_ms,
        rise_ms: synapse.rise_ms,
        bias_mv,
        noise_mv: unsaid.noise_mv,
        start_mv: unsaid.start_mv,
        ..Neuron::LIF
    };
    let mut fidelity = vec![
        faithful(
            "membrane",
            "all potentials shifted and scaled to a threshold of -40 mV and a reset of -65 mV",
        ),
        faithful("weights", "a spike's area, times the gains on its way"),
        synapse.fidelity,
        match inward.is_filtered() || population.has_synapses() {
            true => approximate("input", "to the membranes, without the filter before them"),
            false => faithful("input", "to the membranes"),
        },
        synapse.readout,
    ];
    fidelity.extend(unsaid.fidelity());
    Ok(Imported {
        network: SpikingNetwork {
            neuron,
            units: n,
            channels,
            weights,
            input_weights,
            readout,
            decay_ms: synapse.decay_ms,
            offset_mv,
            lambda: 1.0,
        },
        fidelity,
        recurrent: recurrent
            .map_or(ways.spiking, |path| path.matrix.node)
            .into(),
    })
}

/// The three ways of a network with their numbers, whose sizes were checked against each
/// other.
struct Paths<'a> {
    inward: Path<'a>,
    recurrent: Option<Path<'a>>,
    outward: Path<'a>,
}

impl<'a> Paths<'a> {
    fn new(graph: &'a FlatGraph<'a>, ways: &Ways<'a>) -> Result<Self, ImportError> {
        let (input, spiking, output) = (ways.input, ways.spiking, ways.output);
        let inward = Path::new(graph, &ways.inward, (input, spiking))?;
        let outward = Path::new(graph, &ways.outward, (spiking, output))?;
        let recurrent = ways.recurrent.as_ref();
        let recurrent = recurrent
            .map(|way| Path::new(graph, way, (spiking, spiking)))
            .transpose()?;
        let n = inward.matrix.rows;
        if let Some(path) = &recurrent {
            path.check_size(n, n, &format!("'{spiking}' has {n} units"))?;
        }
        let outputs = outward.matrix.rows;
        outward.check_size(outputs, n, &format!("'{spiking}' has {n} units"))?;
        Ok(Self {
            inward,
            recurrent,
            outward,
        })
    }
}

/// Checks the shape of an Input or Output against the size of the matrix beside it.
fn check_end(end: Named, wanted: usize, matrix: &str) -> Result<(), ImportError> {
    let Some(shape) = end.node.numbers.get("shape") else {
        return Ok(());
    };
    if shape.values.iter().product::<f64>() == wanted as f64 {
        return Ok(());
    }
    let found: Vec<String> = shape.values.iter().map(f64::to_string).collect();
    Err(ImportError::Shape {
        node: end.name.into(),
        name: "shape".into(),
        found: match &found[..] {
            [] => sizes(shape),
            found => found.join(" x "),
        },
        wanted: format!("{wanted}, as the weights of '{matrix}' are"),
    })
}

impl Imported {
    /// The error for a network that has no fixed-point form. Its advice is about the graph's
    /// numbers, because a graph has no λ that could be changed.
    pub fn not_quantized(&self, error: QuantizeError, step_ms: f64) -> ImportError {
        match error {
            QuantizeError::Current { unit, current_mv } => ImportError::Current {
                node: self.recurrent.clone(),
                unit,
                current_mv,
                step_ms,
                step_s: step_ms / 1000.0,
            },
            QuantizeError::Voltage {
                name,
                unit,
                value,
                limit,
            } => ImportError::Voltage {
                name,
                unit,
                value,
                limit,
            },
            error => ImportError::Quantize(error),
        }
    }
}
