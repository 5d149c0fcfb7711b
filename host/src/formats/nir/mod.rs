//! NIR, the neuromorphic intermediate representation: a graph of nodes in HDF5,
//! as the Python package `nir` reads it (J. E. Pedersen et al., Nat. Commun.
//! 15:8122 (2024), doi 10.1038/s41467-024-52259-9). Times are in seconds.

mod number;
pub mod read;
#[cfg(test)]
mod tests;

use hdf5_pure::{Error, File, FileBuilder, GroupBuilder};

/// Version of the format that is written.
const VERSION: &str = "1.0.0";

/// A node. Vectors have one entry for each unit; matrices are row by row.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// The input, with this number of channels.
    Input(usize),
    /// The output, with this number of values.
    Output(usize),
    /// y = W x.
    Linear {
        /// Rows and columns.
        shape: (usize, usize),
        /// W.
        weight: Vec<f64>,
    },
    /// y = W x + b.
    Affine {
        /// Rows and columns.
        shape: (usize, usize),
        /// W.
        weight: Vec<f64>,
        /// b.
        bias: Vec<f64>,
    },
    /// Leaky integrator: τ v̇ = v_leak − v + R I.
    LeakyIntegrator {
        /// τ, s.
        tau: Vec<f64>,
    },
    /// Leaky integrate-and-fire: τ v̇ = v_leak − v + R I.
    Lif(Membrane),
    /// The same behind a synapse: τ_syn İ = −I + w_in S. `w_in` is written as 1.
    CubaLif {
        /// τ_syn, s.
        tau_syn: Vec<f64>,
        /// The membrane.
        membrane: Membrane,
    },
}

/// The membrane of spiking nodes; R is written as 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Membrane {
    /// τ, s.
    pub tau: Vec<f64>,
    /// Potential at rest, V.
    pub leak: Vec<f64>,
    /// Potential at which a unit fires, V.
    pub threshold: Vec<f64>,
    /// Potential after a spike, V.
    pub reset: Vec<f64>,
}

/// A graph.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    /// Nodes by name.
    pub nodes: Vec<(&'static str, Node)>,
    /// The nodes that each edge joins, from and to.
    pub edges: Vec<(&'static str, &'static str)>,
}

impl Graph {
    /// The graph as the bytes of a file.
    ///
    /// # Errors
    /// If a number does not fit the format.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let mut file = FileBuilder::new();
        file.create_dataset("version")
            .with_vlen_strings(&[VERSION])
            .with_shape(&[]);
        let mut graph = file.create_group("node");
        text(&mut graph, "type", "NIRGraph");
        let ends: Vec<&str> = self
            .edges
            .iter()
            .flat_map(|&(from, to)| [from, to])
            .collect();
        graph
            .create_dataset("edges")
            .with_vlen_strings(&ends)
            .with_shape(&[self.edges.len() as u64, 2]);
        let mut nodes = graph.create_group("nodes");
        for (name, node) in &self.nodes {
            let mut group = nodes.create_group(name);
            node.fill(&mut group);
            nodes.add_group(group.finish());
        }
        graph.add_group(nodes.finish());
        file.add_group(graph.finish());
        file.finish()
    }
}

/// The first bytes of every HDF5 file.
const HDF5: &[u8] = b"\x89HDF\r\n\x1a\n";

/// Whether a file is a NIR graph, written by this program or another one.
pub fn is_graph(bytes: &[u8]) -> bool {
    let kind = || -> Result<Vec<String>, Error> {
        File::from_bytes(bytes.to_vec())?
            .dataset("node/type")?
            .read_string()
    };
    bytes.starts_with(HDF5) && kind().is_ok_and(|kind| kind == ["NIRGraph"])
}

fn text(group: &mut GroupBuilder, name: &str, value: &str) {
    group
        .create_dataset(name)
        .with_vlen_strings(&[value])
        .with_shape(&[]);
}

fn vector(group: &mut GroupBuilder, name: &str, values: &[f64]) {
    group.create_dataset(name).with_f64_data(values);
}

fn matrix(group: &mut GroupBuilder, shape: (usize, usize), weight: &[f64]) {
    group
        .create_dataset("weight")
        .with_f64_data(weight)
        .with_shape(&[shape.0 as u64, shape.1 as u64]);
}

impl Node {
    fn fill(&self, group: &mut GroupBuilder) {
        match self {
            Node::Input(length) | Node::Output(length) => {
                let kind = if matches!(self, Node::Input(_)) {
                    "Input"
                } else {
                    "Output"
                };
                text(group, "type", kind);
                group
                    .create_dataset("shape")
                    .with_i64_data(&[*length as i64]);
            }
            Node::Linear { shape, weight } => {
                text(group, "type", "Linear");
                matrix(group, *shape, weight);
            }
            Node::Affine {
                shape,
                weight,
                bias,
            } => {
                text(group, "type", "Affine");
                matrix(group, *shape, weight);
                vector(group, "bias", bias);
            }
            Node::LeakyIntegrator { tau } => {
                text(group, "type", "LI");
                vector(group, "tau", tau);
                vector(group, "r", &vec![1.0; tau.len()]);
                vector(group, "v_leak", &vec![0.0; tau.len()]);
            }
            Node::Lif(membrane) => {
                text(group, "type", "LIF");
                membrane.fill(group, "tau");
            }
            Node::CubaLif { tau_syn, membrane } => {
                text(group, "type", "CubaLIF");
                membrane.fill(group, "tau_mem");
                vector(group, "tau_syn", tau_syn);
                vector(group, "w_in", &vec![1.0; tau_syn.len()]);
            }
        }
    }
}

impl Membrane {
    fn fill(&self, group: &mut GroupBuilder, tau: &str) {
        vector(group, tau, &self.tau);
        vector(group, "r", &vec![1.0; self.tau.len()]);
        vector(group, "v_leak", &self.leak);
        vector(group, "v_threshold", &self.threshold);
        vector(group, "v_reset", &self.reset);
    }
}
