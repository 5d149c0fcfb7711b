//! A NIR graph that another program wrote, as it stands in its file: nodes by
//! name, each with its type and the numbers that this type has.
//!
//! The file may hold anything. Sizes are checked before numbers are read, a
//! number that is not finite is refused, and each refusal names the node and the
//! number. Whether the graph is a network of ours is for [`crate::import`].

use std::collections::BTreeMap;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Mutex, PoisonError};

use hdf5_pure::{Dataset, Error, File, Group, VlenStringReadOptions};

use super::HDF5;
use super::number::{self, Form};
use crate::formats::kind;

/// Largest number of nodes of a graph, those of graphs inside it included, and
/// an eighth of the largest number of names in its edges.
const MOST_NODES: usize = 64;

/// Largest depth of graphs inside graphs.
const MOST_DEPTH: usize = 8;

/// Largest number of letters of a text.
const MOST_LETTERS: usize = 1 << 16;

/// Largest number of numbers in a file, 256 MB of them: a network of 4096 units
/// has half of that.
const MOST_NUMBERS: usize = 1 << 25;

/// Largest number of bytes that one byte of the file can stand for, as deflate
/// packs them.
const MOST_EXPANSION: usize = 1032;

/// Numbers with their sizes, the last index fastest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Numbers {
    /// Empty for a single number.
    pub shape: Vec<usize>,
    /// At least one; all finite.
    pub values: Vec<f64>,
}

/// A node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReadNode {
    /// The type, in NIR's word for it.
    pub kind: String,
    /// The numbers by name; empty for a type that is not known here.
    pub numbers: BTreeMap<String, Numbers>,
    /// The graph inside a node of type `NIRGraph`.
    pub graph: Option<ReadGraph>,
}

/// A graph.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReadGraph {
    /// Nodes by name.
    pub nodes: BTreeMap<String, ReadNode>,
    /// The nodes that each edge joins, from and to; each edge once.
    pub edges: Vec<(String, String)>,
}

/// A file without a graph, or with one that is not read.
#[derive(Debug, thiserror::Error)]
pub enum NirError {
    /// The file is of another kind.
    #[error(
        "this is {0} and not a NIR graph, which is an HDF5 file; Python's `nir.write` makes one"
    )]
    Kind(&'static str),
    /// An HDF5 file that cannot be read.
    #[error("the HDF5 file is damaged: {0}; write it again with Python's `nir.write`")]
    Damaged(#[from] Error),
    /// An HDF5 file whose parts lie outside of it, on which the library stops.
    #[error(
        "the HDF5 file is damaged: a part lies outside of it; write it again with Python's `nir.write`"
    )]
    Offsets,
    /// An HDF5 file of another program.
    #[error(
        "this is {what} and not a NIR graph, which has a group 'node'; Python's `nir.write` makes one"
    )]
    Foreign {
        /// The kind of file, and what it holds.
        what: String,
    },
    /// A newer version of NIR, whose numbers may mean something else.
    #[error(
        "the file has version {0:?} of NIR, and versions 0 and 1 are read; write it with nir 1"
    )]
    Version(String),
    /// One node without a graph around it.
    #[error(
        "the file holds one node of type {0:?} and no graph: write a NIRGraph with Input, nodes, Output and edges"
    )]
    NoGraph(String),
    /// A graph without nodes.
    #[error("the graph {0}has no nodes: write it again with Input, nodes, Output and edges")]
    Empty(String),
    /// A part of a graph or node that every one has.
    #[error("{place}'{name}' is missing; Python's `nir.write` writes it")]
    NoPart {
        /// The node, in words.
        place: String,
        /// The part.
        name: &'static str,
    },
    /// A count that is too large.
    #[error("{what}: {found}; at most {most} are read")]
    TooMany {
        /// The things that are counted.
        what: String,
        /// The number of things.
        found: u64,
        /// The largest number that is read.
        most: usize,
    },
    /// Graphs inside graphs, too many of them.
    #[error(
        "node '{node}' is the {MOST_DEPTH}th graph inside a graph; at most {MOST_DEPTH} are read"
    )]
    Depth {
        /// The node.
        node: String,
    },
    /// Edges that do not come in pairs.
    #[error("{place}'edges' is {found}; an edge is a row of two names")]
    Edges {
        /// The node, in words.
        place: String,
        /// The sizes found.
        found: String,
    },
    /// Numbers where a text is wanted.
    #[error("{place}'{name}' is {found} and no text")]
    Text {
        /// The node, in words.
        place: String,
        /// The text's name.
        name: &'static str,
        /// The type found.
        found: String,
    },
    /// A number is missing.
    #[error("node '{node}' ({kind}): '{name}' is missing")]
    Missing {
        /// The node.
        node: String,
        /// The node's type.
        kind: String,
        /// The number.
        name: &'static str,
    },
    /// Numbers in a form that is not read.
    #[error(
        "node '{node}': '{name}' is {found}, which is not read; write it as float16, float32, float64 or an integer"
    )]
    NumberType {
        /// The node.
        node: String,
        /// The number.
        name: &'static str,
        /// The type found.
        found: String,
    },
    /// Numbers that cannot be read.
    #[error("node '{node}': '{name}' cannot be read: {source}")]
    Unreadable {
        /// The node.
        node: String,
        /// The number.
        name: &'static str,
        /// Why.
        source: Error,
    },
    /// No numbers, or another count than the sizes say.
    #[error("node '{node}': '{name}' is {sizes} and holds {found} numbers")]
    Count {
        /// The node.
        node: String,
        /// The number.
        name: &'static str,
        /// The sizes that the file states.
        sizes: String,
        /// The count found.
        found: usize,
    },
    /// A number that is infinite or not a number.
    #[error("node '{node}': entry {index} of '{name}' is {value}; every entry must be finite")]
    NotFinite {
        /// The node.
        node: String,
        /// The number.
        name: &'static str,
        /// The entry's place, from 0.
        index: usize,
        /// The value found.
        value: f64,
    },
}

/// The numbers of a type: those that must be there, and those that may.
fn names(kind: &str) -> (&'static [&'static str], &'static [&'static str]) {
    match kind {
        "Input" | "Output" => (&["shape"], &[]),
        "Linear" => (&["weight"], &[]),
        "Affine" => (&["weight", "bias"], &[]),
        "Flatten" => (&[], &["input_type", "start_dim", "end_dim"]),
        "LI" => (&["tau", "r", "v_leak"], &[]),
        "LIF" => (&["tau", "r", "v_leak", "v_threshold"], &["v_reset"]),
        // Graphs of NIR 0.2 have no w_in.
        "CubaLIF" => (
            &["tau_mem", "tau_syn", "r", "v_leak", "v_threshold"],
            &["v_reset", "w_in"],
        ),
        _ => (&[], &[]),
    }
}

/// The counts that may still be read of a file.
struct Room {
    nodes: usize,
    numbers: usize,
}

impl ReadGraph {
    /// The graph in the bytes of a file.
    ///
    /// # Errors
    /// If the file is no graph, or one that is too large or damaged.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, NirError> {
        let numbers = MOST_NUMBERS.min(bytes.len().saturating_mul(MOST_EXPANSION));
        let mut room = Room {
            nodes: MOST_NODES,
            numbers,
        };
        if !bytes.starts_with(HDF5) {
            return Err(NirError::Kind(kind::name(bytes)));
        }
        guarded(|| {
            let file = File::from_bytes(bytes.to_vec())?;
            if !file.root().groups()?.iter().any(|name| name == "node") {
                return Err(foreign(&file));
            }
            if let Ok(version) = text(&file.root(), "", "version") {
                check_version(version)?;
            }
            let root = file.group("node")?;
            let kind = text(&root, "", "type")?;
            if kind != "NIRGraph" {
                return Err(NirError::NoGraph(kind));
            }
            graph("", &root, 0, &mut room)
        })
    }
}

/// Runs `read`; a panic of the HDF5 library becomes an error without a message of its own.
fn guarded<T>(read: impl FnOnce() -> Result<T, NirError>) -> Result<T, NirError> {
    // The hook is the whole program's: one reader at a time exchanges it.
    static HOOK: Mutex<()> = Mutex::new(());
    let _one = HOOK.lock().unwrap_or_else(PoisonError::into_inner);
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let done = panic::catch_unwind(AssertUnwindSafe(read));
    panic::set_hook(hook);
    done.unwrap_or(Err(NirError::Offsets))
}

/// An HDF5 file of another program, by its marks.
fn foreign(file: &File) -> NirError {
    /// Names that are shown.
    const SHOWN: usize = 5;
    let root = file.root();
    let mut names = root.groups().unwrap_or_default();
    names.extend(root.datasets().unwrap_or_default());
    let attributes = root.attrs().unwrap_or_default();
    let keras = attributes.contains_key("keras_version")
        || attributes.contains_key("model_config")
        || names
            .iter()
            .any(|name| name == "model_weights" || name == "layers");
    if keras {
        return NirError::Foreign {
            what: "a Keras model".into(),
        };
    }
    if names.is_empty() {
        return NirError::Foreign {
            what: "an HDF5 file without contents".into(),
        };
    }
    let more = if names.len() > SHOWN { ", …" } else { "" };
    names.truncate(SHOWN);
    NirError::Foreign {
        what: format!("an HDF5 file with '{}'{more}", names.join("', '")),
    }
}

/// Refuses a version of NIR whose first number is not known.
fn check_version(version: String) -> Result<(), NirError> {
    let first = version.trim().split('.').next().unwrap_or_default();
    match first.parse::<u32>() {
        Ok(2..) => Err(NirError::Version(version)),
        _ => Ok(()),
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

/// A graph; `name` is that of its node, and empty for the graph of the file.
fn graph(name: &str, group: &Group, depth: usize, room: &mut Room) -> Result<ReadGraph, NirError> {
    if depth >= MOST_DEPTH {
        return Err(NirError::Depth { node: name.into() });
    }
    if !group.groups()?.iter().any(|name| name == "nodes") {
        return Err(NirError::NoPart {
            place: place(name),
            name: "nodes",
        });
    }
    let nodes = group.group("nodes")?;
    let names = nodes.groups()?;
    if names.is_empty() {
        return Err(NirError::Empty(match name {
            "" => String::new(),
            name => format!("'{name}' "),
        }));
    }
    at_most("nodes", names.len() as u64, room.nodes)?;
    room.nodes -= names.len();
    let mut graph = ReadGraph {
        edges: edges(name, group)?,
        ..ReadGraph::default()
    };
    for inner in names {
        let full = match name {
            "" => inner.clone(),
            name => format!("{name}.{inner}"),
        };
        let node = node(&full, &nodes.group(&inner)?, depth, room)?;
        graph.nodes.insert(inner, node);
    }
    Ok(graph)
}

/// The beginning of a sentence about a node.
fn place(node: &str) -> String {
    match node {
        "" => String::new(),
        node => format!("node '{node}': "),
    }
}

fn elements(shape: &[u64]) -> u64 {
    let product = |product: u64, &size: &u64| product.saturating_mul(size);
    shape.iter().fold(1, product)
}

/// The texts of a data set, of fixed or of variable length.
fn texts(
    set: &Dataset,
    node: &str,
    name: &'static str,
    most: usize,
) -> Result<Vec<String>, NirError> {
    use hdf5_pure::Datatype;
    at_most(name, elements(&set.shape()?), most)?;
    let limits = VlenStringReadOptions::new()
        .with_max_elements(most)
        .with_max_payload_bytes(MOST_LETTERS);
    match set.datatype()? {
        Datatype::VariableLength {
            is_string: true, ..
        } => Ok(set.read_vlen_strings(limits)?),
        Datatype::String { size, .. } => {
            at_most("letters of a text", size.into(), MOST_LETTERS)?;
            Ok(set.read_string()?)
        }
        other => Err(NirError::Text {
            place: place(node),
            name,
            found: match Form::new(&other) {
                Some(_) => "a number".into(),
                None => number::name(&other),
            },
        }),
    }
}

fn part(group: &Group, node: &str, name: &'static str) -> Result<Dataset, NirError> {
    if group.datasets()?.iter().any(|found| found == name) {
        return Ok(group.dataset(name)?);
    }
    Err(NirError::NoPart {
        place: place(node),
        name,
    })
}

fn text(group: &Group, node: &str, name: &'static str) -> Result<String, NirError> {
    let set = part(group, node, name)?;
    Ok(texts(&set, node, name, 1)?.pop().unwrap_or_default())
}

fn edges(node: &str, group: &Group) -> Result<Vec<(String, String)>, NirError> {
    let set = part(group, node, "edges")?;
    let shape = set.shape()?;
    if elements(&shape) == 0 {
        // Python writes an empty list as numbers.
        return Ok(Vec::new());
    }
    if !matches!(shape[..], [_, 2]) {
        return Err(NirError::Edges {
            place: place(node),
            found: sizes(&shape),
        });
    }
    let ends = texts(&set, node, "edges", 8 * MOST_NODES)?;
    let pair = |[from, to]: &[String; 2]| (from.clone(), to.clone());
    let mut edges: Vec<(String, String)> = ends.as_chunks().0.iter().map(pair).collect();
    edges.sort();
    edges.dedup();
    Ok(edges)
}

fn node(name: &str, group: &Group, depth: usize, room: &mut Room) -> Result<ReadNode, NirError> {
    let kind = text(group, name, "type")?;
    if kind == "NIRGraph" {
        return Ok(ReadNode {
            kind,
            numbers: BTreeMap::new(),
            graph: Some(graph(name, group, depth + 1, room)?),
        });
    }
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
    room: &mut Room,
) -> Result<Numbers, NirError> {
    let unreadable = |source| NirError::Unreadable {
        node: node.into(),
        name,
        source,
    };
    let set = group.dataset(name).map_err(unreadable)?;
    let shape = set.shape().map_err(unreadable)?;
    let what = format!("numbers of '{name}' of node '{node}'");
    at_most(&what, elements(&shape), room.numbers)?;
    let datatype = set.datatype().map_err(unreadable)?;
    let form = Form::new(&datatype).ok_or_else(|| NirError::NumberType {
        node: node.into(),
        name,
        found: number::name(&datatype),
    })?;
    let values = form.numbers(&set.read_raw().map_err(unreadable)?);
    room.numbers = room.numbers.saturating_sub(values.len());
    if values.is_empty() || values.len() as u64 != elements(&shape) {
        return Err(NirError::Count {
            node: node.into(),
            name,
            sizes: sizes(&shape),
            found: values.len(),
        });
    }
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

/// "20 x 12".
fn sizes(shape: &[u64]) -> String {
    if shape.is_empty() {
        return "a single entry".into();
    }
    let sizes: Vec<String> = shape.iter().map(u64::to_string).collect();
    sizes.join(" x ")
}
