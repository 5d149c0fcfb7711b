//! The networks of a sweep, and the file that remembers them.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::SweepError;
use crate::data;
use crate::formats::disk;
use crate::spiking::neuron::{Equation, Neuron};

use crate::rate::options::RateOptions;

/// Name of the file in the sweep's folder.
pub const FILE: &str = "plan.json";

/// Most networks of a sweep: their rows stay in memory.
const MOST_NETWORKS: u128 = 1_000_000;

/// About the bytes of a row in memory and in each of its files.
const ROW_BYTES: u128 = 2_000;

/// Most trials of a score: their outcomes stay in memory.
const MOST_TRIALS: usize = 10_000_000;

/// About the bytes of the outcome of a trial.
const OUTCOME_BYTES: u128 = 32;

/// The networks of a sweep: every cell with every seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SweepPlan {
    /// Sets of options.
    pub cells: Vec<Cell>,
    /// First seed.
    pub first_seed: u64,
    /// Last seed.
    pub last_seed: u64,
    /// Trials of each scaling factor that is searched.
    pub search_trials: usize,
    /// Trials of each score.
    pub trials: usize,
    /// Time step of the deployed networks, ms.
    pub step_ms: f64,
}

/// A set of options that is run with several seeds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// The rate network and its training. The seed is replaced by the seed of each
    /// network.
    pub options: RateOptions,
    /// Random starts of each training.
    #[serde(default = "one")]
    pub restarts: usize,
    /// The spiking neuron.
    pub neuron: NeuronOptions,
    /// Scaling factors to search; a single one is used without a search.
    pub lambdas: Vec<f64>,
    /// When each unit is calibrated instead.
    #[serde(default)]
    pub calibrate: Calibrate,
}

/// The starts of trainings in plans that do not say it.
fn one() -> usize {
    1
}

/// When each unit is calibrated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Calibrate {
    /// Never.
    #[default]
    Never,
    /// If the spiking network with its single λ does not answer well enough.
    IfNeeded,
    /// Always.
    Always,
}

impl Cell {
    /// Name and value of each further property that a figure of the paper varies; task,
    /// units and activation are not among them.
    fn details(&self) -> Vec<(&'static str, String)> {
        let taus = self.options.taus.numbers();
        let taus: Vec<String> = taus.iter().map(f32::to_string).collect();
        vec![
            ("taus", taus.join("–")),
            ("neuron", self.neuron.equation.name().into()),
            ("refractory", self.neuron.refractory_ms.to_string()),
            ("rise", self.neuron.rise_ms.to_string()),
            (
                "calibrated",
                (self.calibrate == Calibrate::Always).to_string(),
            ),
        ]
    }
}

/// The properties in which a neuron may differ from the published one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct NeuronOptions {
    /// The equation of the membrane.
    pub equation: Equation,
    /// Refractory time, ms.
    pub refractory_ms: f64,
    /// Rise time constant of the synapse, ms; zero for the single filter.
    pub rise_ms: f64,
}

impl NeuronOptions {
    /// The published leaky neuron.
    pub const LIF: Self = Self {
        equation: Equation::Lif,
        refractory_ms: Neuron::LIF.refractory_ms,
        rise_ms: Neuron::LIF.rise_ms,
    };

    /// The options of `neuron`.
    pub fn of(neuron: &Neuron) -> Self {
        Self {
            equation: Equation::of(neuron),
            refractory_ms: neuron.refractory_ms,
            rise_ms: neuron.rise_ms,
        }
    }

    /// The neuron with these options.
    pub fn neuron(&self) -> Neuron {
        Neuron {
            refractory_ms: self.refractory_ms,
            rise_ms: self.rise_ms,
            ..self.equation.neuron()
        }
    }
}

/// One network of a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Member {
    /// Index of the network's cell in the plan, from 0.
    pub cell: usize,
    /// Seed of everything random in the network.
    pub seed: u64,
}

impl SweepPlan {
    /// The seeds of each cell.
    pub fn seeds(&self) -> RangeInclusive<u64> {
        self.first_seed..=self.last_seed
    }

    /// All networks, seed by seed, so that all cells get their networks at the same pace.
    pub fn members(&self) -> Vec<Member> {
        let cells = 0..self.cells.len();
        self.seeds()
            .flat_map(|seed| cells.clone().map(move |cell| Member { cell, seed }))
            .collect()
    }

    /// True if `member` is one of the networks.
    pub fn contains(&self, member: Member) -> bool {
        member.cell < self.cells.len() && self.seeds().contains(&member.seed)
    }

    /// The options of `member`.
    pub fn options(&self, member: Member) -> RateOptions {
        self.cells[member.cell].options.with_seed(member.seed)
    }

    /// The name of each cell: task, units, activation, and each further property that
    /// differs between cells.
    pub fn cell_names(&self) -> Vec<String> {
        let details: Vec<Vec<(&'static str, String)>> =
            self.cells.iter().map(Cell::details).collect();
        let differs = |k: usize| details.iter().any(|d| d[k] != details[0][k]);
        let name = |(cell, details): (&Cell, &Vec<(&'static str, String)>)| {
            let options = &cell.options;
            let mut name = format!(
                "{} N={} {}",
                options.task.name(),
                options.units,
                options.activation.name()
            );
            for (k, (field, value)) in details.iter().enumerate() {
                if differs(k) {
                    name.push_str(&format!(" {field}={value}"));
                }
            }
            name
        };
        self.cells.iter().zip(&details).map(name).collect()
    }

    /// The path of the plan of the sweep in `folder`.
    pub fn path(folder: &Path) -> PathBuf {
        folder.join(FILE)
    }

    /// The plan of the sweep in `folder`.
    ///
    /// # Errors
    /// If the folder has no plan, or the plan cannot be read.
    pub fn read(folder: &Path) -> Result<Self, SweepError> {
        let path = Self::path(folder);
        if !path.exists() {
            return Err(SweepError::NoPlan { path });
        }
        let bytes = disk::read(&path)?;
        let plan = serde_json::from_slice(&bytes);
        let mut plan: Self = plan.map_err(|source| SweepError::ForeignPlan {
            path: path.clone(),
            source,
        })?;
        for cell in &mut plan.cells {
            let task = data::opened(cell.options.task.clone());
            cell.options.task = task.map_err(|source| SweepError::Data {
                path: path.clone(),
                source: Box::new(source),
            })?;
        }
        Ok(plan)
    }

    /// The number of networks, which may be larger than the number that can be run.
    fn networks(&self) -> u128 {
        let seeds = u128::from(self.last_seed.saturating_sub(self.first_seed)) + 1;
        seeds * self.cells.len() as u128
    }

    /// Checks the counts, before anything is written.
    ///
    /// # Errors
    /// [`SweepError::TooManyNetworks`] and [`SweepError::TooManyTrials`].
    pub fn check(&self) -> Result<(), SweepError> {
        if self.networks() > MOST_NETWORKS {
            return Err(SweepError::TooManyNetworks {
                networks: self.networks(),
                limit: MOST_NETWORKS,
                gigabytes: self.networks() * ROW_BYTES / 1_000_000_000,
            });
        }
        for (option, trials) in [
            ("--trials", self.trials),
            ("--search-trials", self.search_trials),
        ] {
            if trials > MOST_TRIALS {
                return Err(SweepError::TooManyTrials {
                    option,
                    trials,
                    limit: MOST_TRIALS,
                    gigabytes: trials as u128 * OUTCOME_BYTES / 1_000_000_000,
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::convert::search::default_lambdas;
    use crate::rate::activation::ActivationKind;
    use crate::task::Task;

    pub(crate) fn plan() -> SweepPlan {
        let cell = |units| Cell {
            options: RateOptions::published(Task::xor(), units),
            restarts: 1,
            neuron: NeuronOptions::LIF,
            lambdas: default_lambdas(ActivationKind::Sigmoid),
            calibrate: Calibrate::Never,
        };
        SweepPlan {
            cells: vec![cell(10), cell(20)],
            first_seed: 3,
            last_seed: 5,
            search_trials: 100,
            trials: 100,
            step_ms: 0.1,
        }
    }

    #[test]
    fn every_cell_has_every_seed_once() {
        let mut members = plan().members();
        assert_eq!(members.len(), 6);
        assert!(members.iter().all(|&member| plan().contains(member)));
        members.sort();
        members.dedup();
        assert_eq!(members.len(), 6);
        assert!(!plan().contains(Member { cell: 0, seed: 6 }));
    }
}
