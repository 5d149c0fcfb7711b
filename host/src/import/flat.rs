//! A graph on one level. The name of an inner graph is put before the names of its nodes
//! (`hidden.lif`), and nodes that change nothing are left out.
//!
//! Three kinds of node change nothing: the Input and the Output of an inner graph, and a
//! Flatten of one dimension. The shapes that an inner Input and Output state are ignored,
//! because some programs write wrong ones.

use std::collections::{BTreeMap, BTreeSet};

use super::ImportError;
use super::numbers::sizes;
use crate::formats::nir::read::{Numbers, ReadGraph, ReadNode};

/// A graph whose nodes are all of the kinds that a network is made of.
#[derive(Clone, Debug, Default)]
pub struct FlatGraph<'a> {
    /// Nodes by name.
    pub nodes: BTreeMap<String, &'a ReadNode>,
    /// The edges: the node at the beginning and the node at the end.
    pub edges: BTreeSet<(String, String)>,
}

impl<'a> FlatGraph<'a> {
    /// The nodes and edges of `graph` on one level.
    ///
    /// # Errors
    /// If an edge leads nowhere, an inner graph has not one Input and one
    /// Output, two nodes get the same name, or a Flatten joins dimensions.
    pub fn new(graph: &'a ReadGraph) -> Result<Self, ImportError> {
        let mut flat = Self::default();
        let mut passed = Vec::new();
        flat.add("", graph, &mut passed)?;
        for node in passed {
            flat.pass(&node)?;
        }
        Ok(flat)
    }

    /// Adds the nodes of the graph in the node `outer`. The names of nodes that change
    /// nothing are added to `passed`.
    fn add(
        &mut self,
        outer: &str,
        graph: &'a ReadGraph,
        passed: &mut Vec<String>,
    ) -> Result<(), ImportError> {
        for (name, node) in &graph.nodes {
            let full = inside(outer, name);
            if let Some(inner) = &node.graph {
                self.add(&full, inner, passed)?;
                continue;
            }
            let end = matches!(&*node.kind, "Input" | "Output");
            if (end && !outer.is_empty()) || is_identity(&full, node)? {
                passed.push(full.clone());
            }
            if self.nodes.insert(full.clone(), node).is_some() {
                return Err(ImportError::Twice(full));
            }
        }
        for (from, to) in &graph.edges {
            for name in [from, to] {
                if !graph.nodes.contains_key(name) {
                    return Err(ImportError::Edge {
                        from: inside(outer, from),
                        to: inside(outer, to),
                        missing: inside(outer, name),
                    });
                }
            }
            let from = end(outer, graph, from, "Output")?;
            let to = end(outer, graph, to, "Input")?;
            self.edges.insert((from, to));
        }
        Ok(())
    }

    /// Removes the node `name` and joins each node before it to each node behind it.
    fn pass(&mut self, name: &str) -> Result<(), ImportError> {
        let (touching, mut edges): (BTreeSet<_>, BTreeSet<_>) = std::mem::take(&mut self.edges)
            .into_iter()
            .partition(|(from, to)| from == name || to == name);
        for (before, to) in &touching {
            if before == to {
                return Err(ImportError::Circle(name.into()));
            }
            let behind = touching
                .iter()
                .filter(|(from, _)| to == name && from == name);
            edges.extend(behind.map(|(_, behind)| (before.clone(), behind.clone())));
        }
        self.edges = edges;
        self.nodes.remove(name);
        Ok(())
    }
}

/// The name of a node of the graph in the node `outer`.
fn inside(outer: &str, name: &str) -> String {
    match outer {
        "" => name.into(),
        outer => format!("{outer}.{name}"),
    }
}

/// The node that an edge to or from `name` reaches: `name` itself, or the one node of this
/// kind in it if `name` is a graph.
fn end(
    outer: &str,
    graph: &ReadGraph,
    name: &str,
    kind: &'static str,
) -> Result<String, ImportError> {
    let full = inside(outer, name);
    let Some(inner) = &graph.nodes[name].graph else {
        return Ok(full);
    };
    let ends = inner.nodes.iter().filter(|(_, node)| node.kind == kind);
    let names: Vec<String> = ends.map(|(name, _)| inside(&full, name)).collect();
    match &names[..] {
        [one] => Ok(one.clone()),
        several => Err(ImportError::Ends {
            node: full,
            kind,
            found: several.len(),
        }),
    }
}

/// True if the output of a node is its input, as with a Flatten of one dimension.
fn is_identity(name: &str, node: &ReadNode) -> Result<bool, ImportError> {
    if node.kind != "Flatten" {
        return Ok(false);
    }
    // The shape is given as numbers. If it is missing, the sizes of the neighbouring nodes
    // are still checked.
    let none = Numbers::default();
    let shape = node.numbers.get("input_type").unwrap_or(&none);
    let long = shape.values.iter().filter(|&&size| size != 1.0).count();
    if long <= 1 {
        return Ok(true);
    }
    let dims: Vec<String> = shape.values.iter().map(f64::to_string).collect();
    Err(ImportError::Shape {
        node: name.into(),
        name: "input_type".into(),
        found: format!("{} ({} numbers)", dims.join(" x "), sizes(shape)),
        wanted: "of one dimension: our signals have no other; leave the Flatten out".into(),
    })
}
