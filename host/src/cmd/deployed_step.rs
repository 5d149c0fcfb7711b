//! `--dt` of a network that is deployed: a length, or the longest that is good
//! enough.

use std::str::FromStr;

use rate2spike_core::neuron::Scheme;

use super::CommandError;
use super::console::Console;
use crate::quantize::longest_step::{Comparison, MOST_TRIALS, compare_steps};
use crate::spiking::network::SpikingNetwork;
use crate::spiking::time_step::{PUBLISHED_STEP_MS, StepError, TimeStep};
use crate::task::Task;

/// `0.5`, or `auto`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DeployedStep {
    /// The longest that costs at most a point of accuracy.
    Auto,
    /// This one, ms.
    Given(f64),
}

/// Time step of a deployed network by default, ms.
pub const DEPLOYED_STEP_MS: f64 = 0.1;

impl std::fmt::Display for DeployedStep {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            DeployedStep::Auto => f.write_str("auto"),
            DeployedStep::Given(ms) => ms.fmt(f),
        }
    }
}

impl FromStr for DeployedStep {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.eq_ignore_ascii_case("auto") {
            return Ok(DeployedStep::Auto);
        }
        let ms = text.parse().map_err(|_| "give a length in ms, or auto")?;
        Ok(DeployedStep::Given(ms))
    }
}

impl DeployedStep {
    /// The step to begin with, before a network is there.
    pub fn first(self) -> Result<TimeStep, StepError> {
        let ms = match self {
            DeployedStep::Auto => PUBLISHED_STEP_MS,
            DeployedStep::Given(ms) => ms,
        };
        TimeStep::new(ms, Scheme::Exact)
    }

    /// The step, and how it was found where it was looked for.
    pub fn find(
        self,
        network: &SpikingNetwork,
        task: Task,
        seed: u64,
        console: &Console,
    ) -> Result<(TimeStep, Vec<Comparison>), CommandError> {
        let (ms, comparisons) = match self {
            DeployedStep::Given(ms) => (ms, Vec::new()),
            DeployedStep::Auto => {
                // Other trials than those of the scores that follow.
                let bar = console.progress(MOST_TRIALS as u64, "{msg}: trial {pos} [{elapsed}]");
                let comparisons = compare_steps(network, task, seed ^ 0xD7, |ms, trials| {
                    bar.set_message(format!("dt {ms} ms"));
                    bar.set_position(trials as u64);
                });
                bar.finish_and_clear();
                let taken = comparisons.iter().find(|comparison| comparison.taken);
                let ms = taken.map_or(PUBLISHED_STEP_MS, |taken| taken.dt_ms);
                (ms, comparisons)
            }
        };
        Ok((TimeStep::new(ms, Scheme::Exact)?, comparisons))
    }
}
