//! A way through the graph with its numbers: one matrix, and the filters before and
//! behind it.

use super::ImportError;
use super::flat::FlatGraph;
use super::numbers::{Named, sizes};

/// A matrix, and the constant that is added to its product.
pub struct Matrix<'a> {
    /// The node.
    pub node: &'a str,
    /// Number of values that come out.
    pub rows: usize,
    /// Number of values that go in.
    pub columns: usize,
    /// Rows × columns, row by row.
    pub weight: &'a [f64],
    /// The constant, one for each row.
    pub bias: Option<Vec<f64>>,
}

/// A filter on the way.
struct Stage<'a> {
    node: Named<'a>,
    /// Whether the filter stands behind the matrix.
    behind: bool,
}

/// A way through one matrix and some filters.
pub struct Path<'a> {
    /// The nodes at both ends.
    pub ends: (&'a str, &'a str),
    /// The matrix.
    pub matrix: Matrix<'a>,
    stages: Vec<Stage<'a>>,
}

impl<'a> Path<'a> {
    /// The way through the nodes `way`, between the nodes `ends`.
    ///
    /// # Errors
    /// If the way has no matrix or several, or if matrix and bias have different sizes.
    pub fn new(
        graph: &'a FlatGraph<'a>,
        way: &[&'a str],
        ends: (&'a str, &'a str),
    ) -> Result<Self, ImportError> {
        let named = |name: &'a str| Named {
            name,
            node: graph.nodes[name],
        };
        let is_matrix = |&k: &usize| named(way[k]).node.kind != "LI";
        let matrices: Vec<usize> = (0..way.len()).filter(is_matrix).collect();
        let [at] = matrices[..] else {
            return Err(ImportError::Matrices {
                from: ends.0.into(),
                to: ends.1.into(),
                found: matrices.len(),
            });
        };
        let filters = way.iter().enumerate().filter(|(k, _)| *k != at);
        let stages = filters.map(|(k, &name)| Stage {
            node: named(name),
            behind: k > at,
        });
        Ok(Self {
            ends,
            matrix: Matrix::new(named(way[at]))?,
            stages: stages.collect(),
        })
    }

    /// True if there is a filter on the way.
    pub fn is_filtered(&self) -> bool {
        !self.stages.is_empty()
    }

    /// Checks the size of the matrix; `why` is the reason for that size, for the message.
    ///
    /// # Errors
    /// [`ImportError::Shape`].
    pub fn check_size(&self, rows: usize, columns: usize, why: &str) -> Result<(), ImportError> {
        let matrix = &self.matrix;
        if (matrix.rows, matrix.columns) == (rows, columns) {
            return Ok(());
        }
        Err(ImportError::Shape {
            node: matrix.node.into(),
            name: "weight".into(),
            found: format!("{} x {}", matrix.rows, matrix.columns),
            wanted: format!("{rows} x {columns}: {why}"),
        })
    }

    /// The constant that is added to each product, behind all filters.
    ///
    /// # Errors
    /// If the count of a filter's numbers is wrong.
    pub fn constants(&self) -> Result<Vec<f64>, ImportError> {
        let rows = self.matrix.rows;
        let mut constants = self.matrix.bias.clone().unwrap_or(vec![0.0; rows]);
        for stage in self.stages.iter().filter(|stage| stage.behind) {
            let r = stage.node.each("r", rows)?;
            let all = constants.iter_mut().zip(r);
            all.for_each(|(constant, r)| *constant *= r);
        }
        Ok(constants)
    }

    /// The product of the gains of all filters, for each of `entries` values
    /// behind the matrix.
    ///
    /// # Errors
    /// If the count of a filter's numbers is wrong, or if a filter does not rest at 0.
    pub fn gain(&self, entries: usize) -> Result<Vec<f64>, ImportError> {
        let mut gain = vec![1.0; entries];
        for stage in &self.stages {
            let width = self.width(stage, entries);
            stage.check_rest(width)?;
            let r = stage.node.each("r", width)?;
            if stage.behind {
                gain.iter_mut().zip(r).for_each(|(gain, r)| *gain *= r);
            } else {
                let r = stage.node.the_one("r", &r)?;
                gain.iter_mut().for_each(|gain| *gain *= r);
            }
        }
        Ok(gain)
    }

    fn width(&self, stage: &Stage, entries: usize) -> usize {
        match stage.behind {
            true => entries,
            false => self.matrix.columns,
        }
    }

    /// Time constants in s of the filters of the receiving units, filter by
    /// filter. A filter before the matrix must be the same for all units.
    ///
    /// # Errors
    /// If a time is impossible, or the count of the times is wrong.
    pub fn receivers_times(&self, units: usize) -> Result<Vec<Vec<f64>>, ImportError> {
        let times = |stage: &Stage| -> Result<Vec<f64>, ImportError> {
            let times = stage.node.times("tau", self.width(stage, units))?;
            if stage.behind {
                return Ok(times);
            }
            Ok(vec![stage.node.the_one("tau", &times)?; units])
        };
        self.stages.iter().map(times).collect()
    }

    /// Time constants in s of the filters of the sending units, filter by filter, on the
    /// way to a readout. A filter behind the matrix must be the same for all outputs.
    ///
    /// # Errors
    /// If a time is impossible, or the count of the times is wrong.
    pub fn senders_times(&self, units: usize) -> Result<Vec<Vec<f64>>, ImportError> {
        let times = |stage: &Stage| -> Result<Vec<f64>, ImportError> {
            if stage.behind {
                let times = stage.node.times("tau", self.matrix.rows)?;
                return Ok(vec![stage.node.the_one("tau", &times)?; units]);
            }
            stage.node.times("tau", units)
        };
        self.stages.iter().map(times).collect()
    }
}

impl Stage<'_> {
    fn check_rest(&self, entries: usize) -> Result<(), ImportError> {
        let leak = self.node.each("v_leak", entries)?;
        match leak.iter().find(|leak| **leak != 0.0) {
            Some(&value) => Err(self.node.value("v_leak", value, "our filters rest at 0")),
            None => Ok(()),
        }
    }
}

impl<'a> Matrix<'a> {
    fn new(node: Named<'a>) -> Result<Self, ImportError> {
        let weight = &node.node.numbers["weight"];
        let [rows, columns] = weight.shape[..] else {
            return Err(ImportError::Shape {
                node: node.name.into(),
                name: "weight".into(),
                found: sizes(weight),
                wanted: "a matrix".into(),
            });
        };
        let bias = match node.node.numbers.contains_key("bias") {
            true => Some(node.each("bias", rows)?),
            false => None,
        };
        Ok(Self {
            node: node.name,
            rows,
            columns,
            weight: &weight.values,
            bias,
        })
    }
}
