//! A NIR graph that somebody wrote, as it stands in its file: nodes by name,
//! each with its type and the numbers that this type has.
//!
//! The file may be anything: sizes are checked before numbers are read.

use std::collections::BTreeMap;

use hdf5_pure::{Error, File, Group, VlenStringReadOptions};

/// Most nodes of a graph, and most edges for each.
const MOST_NODES: usize = 64;

/// Most letters of a text.
const MOST_LETTERS: usize = 1 << 16;

/// Most numbers of a file, 256 MB of them: a network of 4096 units has half as
/// many.
const MOST_NUMBERS: usize = 1 << 25;

/// Most bytes that one byte of the file stands for, as deflate packs them.
const MOST_EXPANSION: usize = 1032;

/// Numbers with their sizes, the last index fastest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Numbers {
    /// Empty for a single number.
    pub shape: Vec<usize>,
    /// All of them, finite.
    pub values: Vec<f64>,
}

/// A node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReadNode {
    /// Its type, as NIR calls it.
    pub kind: String,
    /// Its numbers by name; none of a type that is not known here.
    pub numbers: BTreeMap<String, Numbers>,
}

/// A graph.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReadGraph {
    /// By name.
    pub nodes: BTreeMap<String, ReadNode>,
    /// From where to where, each once.
    pub edges: Vec<(String, String)>,
}

/// A file that is no graph, or one that is not read.
#[derive(Debug, thiserror::Error)]
pub enum NirError {
    /// It is no HDF5, or damaged.
    #[error("not a readable HDF5 file, which a NIR graph is (`nir.write` makes one): {0}")]
    Format(#[from] Error),
    /// No graph is in it.
    #[error("no NIR graph in it: node/type is {0:?} and not \"NIRGraph\"")]
    NoGraph(String),
    /// Too many of something.
    #[error("{what}: {found}; at most {most} are read")]
    TooMany {
        /// Of what.
        what: String,
        /// How many.
        found: u64,
        /// How many are possible.
        most: usize,
    },
    /// Edges that are no pairs.
    #[error("edges: {0} names, which are no pairs of nodes")]
    Edges(usize),
    /// A number is missing.
    #[error("node '{node}' ({kind}): '{name}' is missing")]
    Missing {
        /// The node.
        node: String,
        /// Its type.
        kind: String,
        /// The number.
        name: &'static str,
    },
    /// A number is none.
    #[error("node '{node}': entry {index} of '{name}' is {value}; every entry must be finite")]
    NotFinite {
        /// The node.
        node: String,
        /// The number.
        name: &'static str,
        /// Its place, from 0.
        index: usize,
        /// What stands there.
        value: f64,
    },
}

/// The numbers of a type: those that must be there, and those that may.
fn names(kind: &str) -> (&'static [&'static str], &'static [&'static str]) {
    match kind {
        "Input" | "Output" => (&["shape"], &[]),
        "Linear" => (&["weight"], &[]),
        "Affine" => (&["weight", "bias"], &[]),
        "LI" => (&["tau", "r", "v_leak"], &[]),
        "LIF" => (&["tau", "r", "v_leak", "v_threshold"], &["v_reset"]),
        "CubaLIF" => (
            &["tau_mem", "tau_syn", "r", "v_leak", "v_threshold", "w_in"],
            &["v_reset"],
        ),
        _ => (&[], &[]),
    }
}

impl ReadGraph {
    /// The graph in the bytes of a file.
    ///
    /// # Errors
    /// If there is none, or one that is too large.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, NirError> {
        let mut room = MOST_NUMBERS.min(bytes.len().saturating_mul(MOST_EXPANSION));
        let file = File::from_bytes(bytes.to_vec())?;
        let root = file.group("node")?;
        let kind = text(&root, "type")?;
        if kind != "NIRGraph" {
            return Err(NirError::NoGraph(kind));
        }
        let nodes = root.group("nodes")?;
        let names = nodes.groups()?;
        at_most("nodes", names.len() as u64, MOST_NODES)?;
        let mut graph = Self {
            edges: edges(&root)?,
            ..Self::default()
        };
        for name in names {
            let node = node(&name, &nodes.group(&name)?, &mut room)?;
            graph.nodes.insert(name, node);
        }
        Ok(graph)
    }
}

fn at_most(what: &str, found: u64, most: usize) -> Result<(), NirError> {
    if found <= most as u64 {
        return Ok(());
    }
    Err(NirError::TooMany {
        what: what.into(),
        found,
        most,
    })
}

/// The texts of a data set, of fixed or of variable length.
fn texts(group: &Group, name: &str, most: usize) -> Result<Vec<String>, NirError> {
    let set = group.dataset(name)?;
    let shape = set.shape()?;
    let found = shape
        .iter()
        .fold(1u64, |product, &size| product.saturating_mul(size));
    at_most(name, found, most)?;
    let limits = VlenStringReadOptions::new()
        .with_max_elements(most)
        .with_max_payload_bytes(MOST_LETTERS);
    // A text of fixed length says its length with its type.
    set.read_vlen_strings(limits)
        .or_else(|_| set.read_string())
        .map_err(NirError::Format)
}

fn text(group: &Group, name: &str) -> Result<String, NirError> {
    Ok(texts(group, name, 1)?.pop().unwrap_or_default())
}

fn edges(root: &Group) -> Result<Vec<(String, String)>, NirError> {
    let ends = texts(root, "edges", 8 * MOST_NODES)?;
    let (pairs, rest) = ends.as_chunks();
    if !rest.is_empty() {
        return Err(NirError::Edges(ends.len()));
    }
    let pair = |[from, to]: &[String; 2]| (from.clone(), to.clone());
    let mut edges: Vec<(String, String)> = pairs.iter().map(pair).collect();
    edges.sort();
    edges.dedup();
    Ok(edges)
}

fn node(name: &str, group: &Group, room: &mut usize) -> Result<ReadNode, NirError> {
    let kind = text(group, "type")?;
    let (needed, possible) = names(&kind);
    let present = group.datasets()?;
    let mut node = ReadNode {
        kind,
        ..ReadNode::default()
    };
    for &number in needed.iter().chain(possible) {
        if present.iter().any(|name| name == number) {
            let numbers = numbers(name, number, group, room)?;
            node.numbers.insert(number.into(), numbers);
        } else if needed.contains(&number) {
            return Err(NirError::Missing {
                node: name.into(),
                kind: node.kind,
                name: number,
            });
        }
    }
    Ok(node)
}

fn numbers(
    node: &str,
    name: &'static str,
    group: &Group,
    room: &mut usize,
) -> Result<Numbers, NirError> {
    let set = group.dataset(name)?;
    let shape = set.shape()?;
    let found = shape
        .iter()
        .fold(1u64, |product, &size| product.saturating_mul(size));
    at_most(
        &format!("numbers of '{name}' of node '{node}'"),
        found,
        *room,
    )?;
    let values = set.read_f64()?;
    *room = room.saturating_sub(values.len());
    if let Some(index) = values.iter().position(|value| !value.is_finite()) {
        return Err(NirError::NotFinite {
            node: node.into(),
            name,
            index,
            value: values[index],
        });
    }
    Ok(Numbers {
        shape: shape.into_iter().map(|size| size as usize).collect(),
        values,
    })
}
