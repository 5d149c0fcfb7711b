//! A NIR graph as spiking network: the way back of [`crate::export::nir`], and
//! the way in for graphs that were written by hand.
//!
//! ```text
//! Input → Linear → LIF or CubaLIF → Linear → Output
//!                   ↑ Linear → LI → LI ↓
//! ```
//!
//! One population, one input, one readout. Filters may stand on either side of
//! their matrix if all units share them; a `CubaLIF` brings one of its own.
//!
//! Potentials are moved and scaled so that the threshold is −40 mV and the reset
//! −65 mV, which changes no spike: NIR's are in V in our own graphs, and of no
//! unit in many others. A spike is a pulse of area one, in s.

use super::ImportError;
use super::chains::Ways;
use crate::export::{Fidelity, approximate, faithful, unsupported};
use crate::formats::nir::read::{Numbers, ReadGraph, ReadNode};
use crate::spiking::network::SpikingNetwork;
use crate::spiking::neuron::Neuron;

/// What a graph does not say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unsaid {
    /// Refractory time, ms.
    pub refractory_ms: f64,
    /// Standard deviation of the noise of 0.05 ms, mV.
    pub noise_mv: f64,
    /// Potentials start between the reset and this, mV.
    pub start_mv: f64,
    /// Decay of the synapses where spikes act at once, ms.
    pub synapse_ms: Option<f64>,
}

/// A network, and how much of it is the graph's.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// The network; its λ is one.
    pub network: SpikingNetwork,
    /// What was taken as it is, what nearly, and what the graph does not say.
    pub fidelity: Vec<Fidelity>,
}

/// Times that differ less than this are the same: ours come from 32 bits.
const SAME: f64 = 1e-6;

/// The network of `graph`.
///
/// # Errors
/// If our network has nothing for a part of it.
pub fn network(graph: &ReadGraph, unsaid: &Unsaid) -> Result<Imported, ImportError> {
    let ways = Ways::of(graph)?;
    let inward = Path::new(graph, &ways.inward, (ways.input, ways.spiking))?;
    let population = Population::new(graph, &ways, inward.matrix.rows)?;
    let n = population.units;
    let outward = Path::new(graph, &ways.outward, (ways.spiking, ways.output))?;
    let recurrent = ways
        .recurrent
        .as_ref()
        .map(|way| Path::new(graph, way, (ways.spiking, ways.spiking)))
        .transpose()?;

    let channels = inward.matrix.columns;
    let neurons = format!("'{}' has {n} units", ways.spiking);
    inward.check_size(n, channels, &neurons)?;
    outward.check_size(1, n, "we have one readout")?;
    if let Some(path) = &recurrent {
        path.check_size(n, n, &neurons)?;
    }
    outward.check_no_bias()?;

    // What reaches a membrane, in units of its potential, times this.
    let gains = population.gains();
    let per_unit = |path: &Path| -> Result<Vec<f64>, ImportError> {
        let stages = path.gain(n)?;
        let rows = path.matrix.weight.chunks_exact(path.matrix.columns.max(1));
        let scaled = rows.zip(gains.iter().zip(stages));
        Ok(scaled
            .flat_map(|(row, (gain, stage))| row.iter().map(move |w| w * gain * stage))
            .collect())
    };
    let input_weights = per_unit(&inward)?;
    let weights = match &recurrent {
        Some(path) => per_unit(path)?,
        None => vec![0.0; n * n],
    };
    let biases = [Some(&inward), recurrent.as_ref()];
    let biases_mv = population.biases_mv(&biases, &gains)?;
    // Exactly nothing where all are alike.
    let bias_mv = biases_mv[0];
    let offset_mv = biases_mv.iter().map(|bias| bias - bias_mv).collect();

    let synapse = Synapse::new(&population, recurrent.as_ref(), &outward, unsaid)?;
    let readout_gain = outward.gain(1)?[0];
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
            "threshold and reset moved to -40 and -65 mV, everything else with them",
        ),
        faithful("weights", "a spike's area, times the gains on its way"),
        synapse.fidelity,
        population.input_fidelity(&inward),
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
            readout: outward
                .matrix
                .weight
                .iter()
                .map(|w| w * readout_gain)
                .collect(),
            decay_ms: synapse.decay_ms,
            offset_mv,
            lambda: 1.0,
        },
        fidelity,
    })
}

impl Unsaid {
    fn fidelity(&self) -> Vec<Fidelity> {
        let mut report = Vec::new();
        if self.refractory_ms > 0.0 {
            report.push(unsupported(
                "refractory time",
                "NIR says none: --refractory is ours, 0 for none",
            ));
        }
        if self.noise_mv > 0.0 {
            report.push(unsupported(
                "membrane noise",
                "NIR says none: --noise is ours",
            ));
        }
        report.push(unsupported(
            "start potentials",
            "NIR says none: from the reset to --start",
        ));
        report.push(unsupported("decision", "NIR says none: the task's"));
        report
    }
}

/// The neurons, in their own numbers.
struct Population<'a> {
    name: &'a str,
    node: &'a ReadNode,
    units: usize,
    tau_m_ms: f64,
    reset: f64,
    /// mV for one of the graph's potentials.
    scale: f64,
}

impl<'a> Population<'a> {
    /// The neurons of `graph`; `rows` are as many as reach them, where each of
    /// their own numbers is one for all.
    fn new(graph: &'a ReadGraph, ways: &Ways<'a>, rows: usize) -> Result<Self, ImportError> {
        let (name, node) = (ways.spiking, &graph.nodes[ways.spiking]);
        let own = node.numbers.values().map(|numbers| numbers.values.len());
        let units = match own.max().unwrap_or(0) {
            1 => rows,
            units => units,
        };
        if !(1..=usize::from(u16::MAX)).contains(&units) {
            return Err(ImportError::Units {
                node: name.into(),
                units,
            });
        }
        let mut population = Self {
            name,
            node,
            units,
            tau_m_ms: 0.0,
            reset: 0.0,
            scale: 1.0,
        };
        let tau = if node.kind == "CubaLIF" {
            "tau_mem"
        } else {
            "tau"
        };
        population.tau_m_ms = tidy(1000.0 * population.shared(tau)?);
        if population.tau_m_ms <= 0.0 {
            return Err(population.value(tau, "a time constant is positive"));
        }
        let threshold = population.shared("v_threshold")?;
        population.reset = match node.numbers.contains_key("v_reset") {
            true => population.shared("v_reset")?,
            false => 0.0,
        };
        if threshold <= population.reset {
            return Err(population.value("v_threshold", "it lies above the reset"));
        }
        let span_mv = Neuron::LIF.threshold_mv - Neuron::LIF.reset_mv;
        population.scale = tidy(span_mv / (threshold - population.reset));
        Ok(population)
    }

    /// One value a unit.
    fn each(&self, name: &str) -> Result<Vec<f64>, ImportError> {
        spread(self.name, self.node, name, self.units)
    }

    fn shared(&self, name: &'static str) -> Result<f64, ImportError> {
        shared(self.name, name, &self.each(name)?)
    }

    fn value(&self, name: &'static str, wanted: &'static str) -> ImportError {
        ImportError::Value {
            node: self.name.into(),
            name,
            value: self.node.numbers[name].values[0],
            wanted,
        }
    }

    fn synapse_s(&self) -> Option<Vec<f64>> {
        self.each("tau_syn").ok()
    }

    /// mV at a membrane for one of what reaches it.
    fn gains(&self) -> Vec<f64> {
        let one = vec![1.0; self.units];
        let each = |name| self.each(name).unwrap_or_else(|_| one.clone());
        let pairs = each("r").into_iter().zip(each("w_in"));
        pairs.map(|(r, w_in)| self.scale * r * w_in).collect()
    }

    /// The constant currents: where the membranes rest.
    fn biases_mv(&self, paths: &[Option<&Path>], gains: &[f64]) -> Result<Vec<f64>, ImportError> {
        let leak = self.each("v_leak")?;
        let moved = |leak: f64| Neuron::LIF.reset_mv + self.scale * (leak - self.reset);
        let mut rest: Vec<f64> = leak.into_iter().map(moved).collect();
        for path in paths.iter().flatten() {
            let Some(bias) = &path.matrix.bias else {
                continue;
            };
            let stages = path.gain(self.units)?;
            for (unit, rest) in rest.iter_mut().enumerate() {
                *rest += bias[unit] * gains[unit] * stages[unit];
            }
        }
        let first = rest[0];
        let alike = |rest: f64| if near(rest, first) { first } else { rest };
        Ok(rest.into_iter().map(alike).map(tidy).collect())
    }

    fn input_fidelity(&self, inward: &Path) -> Fidelity {
        if self.node.kind == "CubaLIF" || !inward.stages.is_empty() {
            return approximate("input", "to the membranes, past the filter before them");
        }
        faithful("input", "to the membranes")
    }
}

/// The filter that all units have, on their currents and on the readout.
struct Synapse {
    rise_ms: f64,
    decay_ms: Vec<f64>,
    fidelity: Fidelity,
    readout: Fidelity,
}

impl Synapse {
    fn new(
        population: &Population,
        recurrent: Option<&Path>,
        outward: &Path,
        unsaid: &Unsaid,
    ) -> Result<Self, ImportError> {
        let n = population.units;
        let own = population.synapse_s();
        let mut stages = match recurrent {
            Some(path) => path.stages_of(n)?,
            None => Vec::new(),
        };
        stages.extend(own);
        let readout = outward.readout_stages(n)?;
        let mut fidelity = faithful("synaptic filter", "time constants as they are");
        if stages.is_empty() && recurrent.is_none() {
            stages = readout.clone();
            fidelity = faithful(
                "synaptic filter",
                "that of the readout: nothing is recurrent",
            );
        }
        if stages.is_empty() {
            let Some(ms) = unsaid.synapse_ms else {
                return Err(ImportError::NoSynapse(population.name.into()));
            };
            stages = vec![vec![ms / 1000.0; n]];
            fidelity = approximate(
                "synaptic filter",
                "the graph has none: --synapse, with the same area",
            );
        }
        let (from, to) = recurrent.map_or(outward.ends, |path| path.ends);
        let (rise_ms, decay_ms) = in_order(&stages, from, to)?;
        let same = readout.len() == stages.len() && {
            let (rise, decay) = in_order(&readout, outward.ends.0, outward.ends.1)?;
            near(rise, rise_ms) && decay.iter().zip(&decay_ms).all(|(a, b)| near(*a, *b))
        };
        let readout = if same {
            faithful("readout", "the filter of the synapses, then one Linear")
        } else {
            approximate(
                "readout",
                "passes the filter of the synapses and not its own; the area is kept",
            )
        };
        Ok(Self {
            rise_ms,
            decay_ms,
            fidelity,
            readout,
        })
    }
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= SAME * a.abs().max(b.abs())
}

/// One or two stages, in s, as rise and decay in ms: of two that all units share
/// the shorter one is the rise.
fn in_order(stages: &[Vec<f64>], from: &str, to: &str) -> Result<(f64, Vec<f64>), ImportError> {
    let ms = |taus: &[f64]| taus.iter().map(|tau| tidy(1000.0 * tau)).collect();
    let uniform = |taus: &[f64]| taus.iter().all(|tau| near(*tau, taus[0]));
    match stages {
        [one] => Ok((0.0, ms(one))),
        [a, b] => {
            let (rise, decay) = match (uniform(a), uniform(b)) {
                (true, true) if b[0] < a[0] => (b, a),
                (true, _) => (a, b),
                (false, true) => (b, a),
                (false, false) => {
                    let other = a.iter().find(|tau| !near(**tau, a[0]));
                    return Err(ImportError::Differs {
                        node: to.into(),
                        name: "rise time of its synapses",
                        first: a[0],
                        other: other.copied().unwrap_or(a[0]),
                    });
                }
            };
            Ok((tidy(1000.0 * rise[0]), ms(decay)))
        }
        _ => Err(ImportError::Stages {
            from: from.into(),
            to: to.into(),
            found: stages.len(),
        }),
    }
}

/// A matrix, with what is added behind it.
struct Matrix<'a> {
    node: &'a str,
    rows: usize,
    columns: usize,
    weight: &'a [f64],
    bias: Option<&'a [f64]>,
}

/// A filter on the way.
struct Stage<'a> {
    node: &'a str,
    numbers: &'a ReadNode,
    /// Whether it stands behind the matrix.
    behind: bool,
}

/// A way through one matrix and some filters.
struct Path<'a> {
    ends: (&'a str, &'a str),
    matrix: Matrix<'a>,
    stages: Vec<Stage<'a>>,
}

impl<'a> Path<'a> {
    fn new(
        graph: &'a ReadGraph,
        way: &[&'a str],
        ends: (&'a str, &'a str),
    ) -> Result<Self, ImportError> {
        let is_matrix = |name: &&str| graph.nodes[*name].kind != "LI";
        let matrices: Vec<usize> = (0..way.len()).filter(|&k| is_matrix(&way[k])).collect();
        let [at] = matrices[..] else {
            return Err(ImportError::Matrices {
                from: ends.0.into(),
                to: ends.1.into(),
                found: matrices.len(),
            });
        };
        let filters = way.iter().enumerate().filter(|(k, _)| *k != at);
        let stages = filters.map(|(k, &name)| Stage {
            node: name,
            numbers: &graph.nodes[name],
            behind: k > at,
        });
        Ok(Self {
            ends,
            matrix: Matrix::new(way[at], &graph.nodes[way[at]])?,
            stages: stages.collect(),
        })
    }

    fn check_size(&self, rows: usize, columns: usize, why: &str) -> Result<(), ImportError> {
        let matrix = &self.matrix;
        if (matrix.rows, matrix.columns) == (rows, columns) && columns > 0 {
            return Ok(());
        }
        Err(ImportError::Shape {
            node: matrix.node.into(),
            name: "weight".into(),
            found: format!("{} x {}", matrix.rows, matrix.columns),
            wanted: format!("{rows} x {}: {why}", columns.max(1)),
        })
    }

    fn check_no_bias(&self) -> Result<(), ImportError> {
        let bias = self.matrix.bias.unwrap_or(&[]);
        match bias.iter().find(|bias| **bias != 0.0) {
            Some(&value) => Err(ImportError::Value {
                node: self.matrix.node.into(),
                name: "bias",
                value,
                wanted: "our readout has none: give 0, and move the target instead",
            }),
            None => Ok(()),
        }
    }

    /// The gains of all filters on the way, one an entry behind the matrix.
    fn gain(&self, entries: usize) -> Result<Vec<f64>, ImportError> {
        let mut gain = vec![1.0; entries];
        for stage in &self.stages {
            stage.check_rest()?;
            let width = if stage.behind {
                entries
            } else {
                self.matrix.columns
            };
            let r = spread(stage.node, stage.numbers, "r", width)?;
            if stage.behind {
                gain.iter_mut().zip(r).for_each(|(gain, r)| *gain *= r);
            } else {
                let r = shared(stage.node, "r", &r)?;
                gain.iter_mut().for_each(|gain| *gain *= r);
            }
        }
        Ok(gain)
    }

    /// Time constants in s of the filters of the receiving units, stage by
    /// stage.
    fn stages_of(&self, units: usize) -> Result<Vec<Vec<f64>>, ImportError> {
        self.stages
            .iter()
            .map(|stage| stage.taus(units, stage.behind))
            .collect()
    }

    /// Those of the sending units, before the readout.
    fn readout_stages(&self, units: usize) -> Result<Vec<Vec<f64>>, ImportError> {
        let taus = |stage: &Stage| -> Result<Vec<f64>, ImportError> {
            if stage.behind {
                let tau = stage.taus(1, true)?[0];
                return Ok(vec![tau; units]);
            }
            stage.taus(units, true)
        };
        self.stages.iter().map(taus).collect()
    }
}

impl Stage<'_> {
    /// One a unit; where they are not this unit's own, all must be the same.
    fn taus(&self, units: usize, own: bool) -> Result<Vec<f64>, ImportError> {
        let taus = spread(self.node, self.numbers, "tau", units)?;
        if let Some(&value) = taus.iter().find(|tau| **tau <= 0.0) {
            return Err(ImportError::Value {
                node: self.node.into(),
                name: "tau",
                value,
                wanted: "a time constant is positive",
            });
        }
        if own {
            return Ok(taus);
        }
        Ok(vec![shared(self.node, "tau", &taus)?; units])
    }

    fn check_rest(&self) -> Result<(), ImportError> {
        let leak = &self.numbers.numbers["v_leak"];
        match leak.values.iter().find(|leak| **leak != 0.0) {
            Some(&value) => Err(ImportError::Value {
                node: self.node.into(),
                name: "v_leak",
                value,
                wanted: "our filters rest at 0",
            }),
            None => Ok(()),
        }
    }
}

impl<'a> Matrix<'a> {
    fn new(node: &'a str, read: &'a ReadNode) -> Result<Self, ImportError> {
        let weight = &read.numbers["weight"];
        let [rows, columns] = weight.shape[..] else {
            return Err(ImportError::Shape {
                node: node.into(),
                name: "weight".into(),
                found: sizes(weight),
                wanted: "a matrix".into(),
            });
        };
        let bias = read.numbers.get("bias");
        if let Some(bias) = bias.filter(|bias| bias.values.len() != rows) {
            return Err(ImportError::Shape {
                node: node.into(),
                name: "bias".into(),
                found: sizes(bias),
                wanted: rows.to_string(),
            });
        }
        Ok(Self {
            node,
            rows,
            columns,
            weight: &weight.values,
            bias: bias.map(|bias| bias.values.as_slice()),
        })
    }
}

fn sizes(numbers: &Numbers) -> String {
    let sizes: Vec<String> = numbers.shape.iter().map(usize::to_string).collect();
    if sizes.is_empty() {
        return "a single number".into();
    }
    sizes.join(" x ")
}

/// A number of a node, so many times: one for all, or one each.
fn spread(
    node: &str,
    read: &ReadNode,
    name: &str,
    entries: usize,
) -> Result<Vec<f64>, ImportError> {
    let shape = |numbers: &Numbers| ImportError::Shape {
        node: node.into(),
        name: name.into(),
        found: sizes(numbers),
        wanted: format!("{entries} numbers, or one for all"),
    };
    match read.numbers.get(name) {
        Some(numbers) if numbers.values.len() == entries => Ok(numbers.values.clone()),
        Some(numbers) if numbers.values.len() == 1 => Ok(vec![numbers.values[0]; entries]),
        Some(numbers) => Err(shape(numbers)),
        None => Err(shape(&Numbers::default())),
    }
}

/// The one value of all.
fn shared(node: &str, name: &'static str, values: &[f64]) -> Result<f64, ImportError> {
    let first = values[0];
    match values.iter().find(|value| !near(**value, first)) {
        Some(&other) => Err(ImportError::Differs {
            node: node.into(),
            name,
            first,
            other,
        }),
        None => Ok(first),
    }
}

/// Without the error of a change of units: −40.00000000000001 is −40.
fn tidy(value: f64) -> f64 {
    let rounded = (value * 1e6).round() / 1e6;
    if near(value, rounded) && (value - rounded).abs() < 1e-9 * value.abs() {
        return rounded;
    }
    value
}

#[cfg(test)]
mod tests {
    use rate2spike_core::neuron::Scheme;

    use super::*;
    use crate::convert::one_to_one;
    use crate::export::Degree;
    use crate::export::nir::{Profile, graph};
    use crate::quantize::quantize;
    use crate::rate::network::RateNetwork;
    use crate::rate::options::RateOptions;
    use crate::spiking::time_step::TimeStep;
    use crate::task::Task;

    /// As `Neuron::LIF` has it, but without noise.
    const OURS: Unsaid = Unsaid {
        refractory_ms: 2.0,
        noise_mv: 0.0,
        start_mv: 30.0,
        synapse_ms: None,
    };

    fn ours(rise_ms: f64) -> SpikingNetwork {
        let rate = RateNetwork::start(&RateOptions::published(Task::Mante, 40));
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
    fn an_exported_network_comes_back_as_the_same_bytes_where_the_profile_is_exact() {
        let step = TimeStep::new(0.1, Scheme::Exact).expect("a step");
        for (rise_ms, profile) in [
            (2.0, Profile::Exact),
            (0.0, Profile::Exact),
            (0.0, Profile::Cuba),
        ] {
            let network = ours(rise_ms);
            let imported = super::network(&read(&network, profile), &OURS).expect("it fits");
            let bytes = |network: &SpikingNetwork| {
                let network = SpikingNetwork {
                    lambda: 1.0,
                    ..network.clone()
                };
                quantize(&network, Task::Mante, &step)
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
    fn the_filter_that_a_cuba_graph_leaves_out_stays_out() {
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
        }
    }

    /// Two units as one writes them by hand: threshold 1, reset and rest 0, one
    /// number for all where that is enough.
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
        // 25 mV for one, times r.
        near(&network.input_weights, &[25.0, -12.5]);
        near(&network.weights, &[0.0, 5.0, -10.0, 0.0]);
        near(&network.decay_ms, &[50.0, 80.0]);
        near(&network.readout, &[0.03, -0.03]);
        // The rest at 0, which is the reset, and 0.1 times r above it.
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
    fn what_our_network_has_nothing_for_is_refused_by_the_name_of_its_node() {
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
                |g| set(g, "fc_out", "weight", &[2, 2], &[0.0; 4]),
                &["'fc_out'", "2 x 2", "one readout"],
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
}
