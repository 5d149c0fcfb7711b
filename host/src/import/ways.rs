//! The ways through a graph: from the input to the neurons, from the neurons back
//! to themselves, and from the neurons to the output.

use super::ImportError;
use super::flat::FlatGraph;
use crate::formats::nir::read::ReadNode;

/// The ways of a network. A way is a list of nodes without the nodes at both ends.
#[derive(Clone, Debug, PartialEq)]
pub struct Ways<'a> {
    /// The one input.
    pub input: &'a str,
    /// The one node of neurons.
    pub spiking: &'a str,
    /// The one output.
    pub output: &'a str,
    /// The way from the input to the neurons.
    pub inward: Vec<&'a str>,
    /// The way from the neurons back to the neurons, if there is one.
    pub recurrent: Option<Vec<&'a str>>,
    /// The way from the neurons to the output.
    pub outward: Vec<&'a str>,
}

const PASSIVE: [&str; 3] = ["Linear", "Affine", "LI"];

impl<'a> Ways<'a> {
    /// The ways of `graph`.
    ///
    /// # Errors
    /// If the graph is not one population with one input and one output.
    pub fn new(graph: &'a FlatGraph<'a>) -> Result<Self, ImportError> {
        let spiking = |node: &ReadNode| matches!(&*node.kind, "LIF" | "CubaLIF");
        for (name, node) in &graph.nodes {
            let end = matches!(&*node.kind, "Input" | "Output");
            if !end && !spiking(node) && !PASSIVE.contains(&&*node.kind) {
                return Err(ImportError::Kind {
                    node: name.clone(),
                    kind: node.kind.clone(),
                });
            }
        }
        let (from, to) = (
            the_one(graph, "Input", |node| node.kind == "Input")?,
            the_one(graph, "Output", |node| node.kind == "Output")?,
        );
        let spiking = the_one(graph, "LIF or CubaLIF", spiking)?;

        let walk = |start: &'a str| walk(graph, start, [spiking, to]);
        let mut inward = Vec::new();
        for first in next(graph, from) {
            let (way, end) = walk(first)?;
            if end == to {
                return Err(ImportError::Bypass(first.into()));
            }
            inward.push(way);
        }
        let (mut recurrent, mut outward) = (Vec::new(), Vec::new());
        for first in next(graph, spiking) {
            let (way, end) = walk(first)?;
            if end == to {
                outward.push(way);
            } else {
                recurrent.push(way);
            }
        }
        if recurrent.len() > 1 {
            return Err(ImportError::Ways {
                from: spiking.into(),
                to: spiking.into(),
                found: recurrent.len(),
                wanted: "one at most is possible",
            });
        }
        Ok(Self {
            input: from,
            spiking,
            output: to,
            inward: the_way(inward, from, spiking)?,
            recurrent: recurrent.pop(),
            outward: the_way(outward, spiking, to)?,
        })
    }
}

fn the_one<'a>(
    graph: &'a FlatGraph<'a>,
    what: &'static str,
    is: impl Fn(&ReadNode) -> bool,
) -> Result<&'a str, ImportError> {
    let found = graph.nodes.iter().filter(|(_, node)| is(node));
    let found: Vec<&str> = found.map(|(name, _)| name.as_str()).collect();
    match found[..] {
        [one] => Ok(one),
        _ => Err(ImportError::Count {
            what,
            found: found.len(),
            names: if found.is_empty() {
                String::new()
            } else {
                format!(" ({})", found.join(", "))
            },
        }),
    }
}

fn the_way<'a>(
    mut ways: Vec<Vec<&'a str>>,
    from: &str,
    to: &str,
) -> Result<Vec<&'a str>, ImportError> {
    match (ways.len(), ways.pop()) {
        (1, Some(way)) => Ok(way),
        (found, _) => Err(ImportError::Ways {
            from: from.into(),
            to: to.into(),
            found,
            wanted: "one is wanted",
        }),
    }
}

fn next<'a>(graph: &'a FlatGraph<'a>, from: &str) -> Vec<&'a str> {
    let edges = graph.edges.iter().filter(|edge| edge.0 == from);
    edges.map(|edge| edge.1.as_str()).collect()
}

/// The nodes from `start` up to the first of `ends` that is reached, and this end.
fn walk<'a>(
    graph: &'a FlatGraph<'a>,
    start: &'a str,
    ends: [&'a str; 2],
) -> Result<(Vec<&'a str>, &'a str), ImportError> {
    let (mut way, mut at) = (Vec::new(), start);
    while !ends.contains(&at) {
        if way.contains(&at) {
            return Err(ImportError::Circle(at.into()));
        }
        way.push(at);
        match next(graph, at)[..] {
            [only] => at = only,
            ref several => {
                return Err(ImportError::Branch {
                    node: at.into(),
                    found: several.len(),
                    spiking: ends[0].into(),
                });
            }
        }
    }
    Ok((way, at))
}
