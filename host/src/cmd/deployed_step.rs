//! `--dt` of a network that is deployed: a length, or `auto` for the longest step that
//! costs little accuracy.

use std::str::FromStr;

use super::CommandError;
use crate::number::above_0;
use crate::print::console::Console;
use crate::quantize::ArithmeticName;
use crate::quantize::longest_step::{Comparison, DeployedStep, MOST_TRIALS};
use crate::spiking::network::SpikingNetwork;
use crate::spiking::time_step::TimeStep;
use crate::task::Task;

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
        let ms = above_0(text).map_err(|_| "give a length in ms above 0, or auto")?;
        Ok(DeployedStep::Given(ms))
    }
}

/// Finds the step of the deployed network and shows a bar while it is searched for.
///
/// # Errors
/// If the network has no form in these numbers at a given step.
pub fn find_step(
    step: DeployedStep,
    network: &SpikingNetwork,
    task: &Task,
    numbers: ArithmeticName,
    seed: u64,
    console: &Console,
) -> Result<(TimeStep, Vec<Comparison>), CommandError> {
    let bar = console.progress(MOST_TRIALS as u64, "{msg}: trial {pos} [{elapsed}]");
    let found = step.find(network, task, numbers, seed, |ms, trials| {
        bar.set_message(format!("dt {ms} ms"));
        bar.set_position(trials as u64);
    });
    bar.finish_and_clear();
    Ok(found?)
}
