//! Trials on a board beside the same trials on the desktop: whether they are equal, and
//! what the steps of the board cost.

use rate2spike_core::blob::Deployed;
use rate2spike_protocol::message::Cycles;
use serde::Serialize;

use super::BoardError;
use super::session::{Pair, Runs, pair, parting};
use crate::spiking::experiment::{Experiment, Outcome, Score};
use crate::spiking::trial::{Deployable, Memory};

/// The trials of a board beside those of the desktop.
#[derive(Debug)]
pub struct Comparison {
    /// The trials of the board.
    pub outcomes: Vec<Outcome>,
    /// Score on the board.
    pub board: Score,
    /// Score on the desktop.
    pub desktop: Score,
    /// Whether every trial is the same in both places, spike for spike.
    pub equal: bool,
    /// Steps in which a readout filter of the board stood at the end of its range.
    pub saturated_steps: u64,
    /// Cycles of the board's steps.
    pub step: StepCost,
    /// The first trial that differs.
    pub parts: Option<Difference>,
}

/// Cycles of a step on the board: new input, neurons, spikes and output.
#[derive(Debug, Serialize)]
pub struct StepCost {
    /// Mean over all steps.
    pub cycles_mean: f64,
    /// The slowest step, without the first one, in which most units fire.
    pub cycles_worst: u32,
    /// The first step.
    pub cycles_first: u32,
    /// Mean over the steps without a spike; absent where every step has one.
    pub cycles_without_spikes: Option<f64>,
    /// Cycles that the board's clock has in a step.
    pub cycles_available: f64,
    /// Share of the time that is left, on average.
    pub free_mean: f64,
    /// Share of the time that is left in the slowest step.
    pub free_worst: f64,
}

/// The place where a trial differs.
#[derive(Debug, Serialize)]
pub struct Difference {
    /// Index of the trial.
    pub trial: u64,
    /// Number of spikes before it that are equal.
    pub equal_spikes: usize,
    /// Step and unit of the next spike on the board.
    pub board: Option<(u32, u16)>,
    /// Step and unit of the next spike on the desktop.
    pub desktop: Option<(u32, u16)>,
}

/// Runs the first `trials` trials of `experiment` on `board` and on
/// the desktop, and calls `done` after each. `clock_hz` is the clock of the board.
///
/// # Errors
/// The errors of [`Runs::run_trial`].
pub fn compare<A: Deployable>(
    board: &mut impl Runs<A>,
    experiment: &Experiment<Deployed<A>>,
    trials: usize,
    clock_hz: u32,
    mut done: impl FnMut(),
) -> Result<Comparison, BoardError> {
    let mut memory = Memory::of(experiment.network);
    let mut pairs = Vec::new();
    for index in 0..trials as u64 {
        pairs.push(pair(board, experiment, &mut memory, index)?);
        done();
    }
    let first = pairs.iter().position(|pair| pair.board != pair.desktop);
    let parts = match first {
        Some(index) => Some(difference(board, experiment, index as u64)?),
        None => None,
    };
    let score = |side: fn(&Pair) -> Outcome| {
        let outcomes: Vec<Outcome> = pairs.iter().map(side).collect();
        experiment.summary(&outcomes)
    };
    let step_ns = experiment.network.payload().step_ns;
    let available = f64::from(clock_hz) * f64::from(step_ns) / 1e9;
    Ok(Comparison {
        outcomes: pairs.iter().map(|pair| pair.board).collect(),
        board: score(|pair| pair.board),
        desktop: score(|pair| pair.desktop),
        equal: first.is_none(),
        saturated_steps: pairs
            .iter()
            .map(|pair| u64::from(pair.saturated_steps))
            .sum(),
        step: StepCost::new(&pairs, available),
        parts,
    })
}

fn difference<A: Deployable>(
    board: &mut impl Runs<A>,
    experiment: &Experiment<Deployed<A>>,
    trial: u64,
) -> Result<Difference, BoardError> {
    let parting = parting(board, experiment, trial)?;
    Ok(Difference {
        trial,
        equal_spikes: parting.map_or(0, |parting| parting.equal_spikes),
        board: parting.and_then(|parting| parting.board),
        desktop: parting.and_then(|parting| parting.desktop),
    })
}

impl StepCost {
    /// The cost over all trials, where a step may take `available` cycles.
    fn new(pairs: &[Pair], available: f64) -> Self {
        let sum =
            |part: fn(&Cycles) -> u64| pairs.iter().map(|pair| part(&pair.cycles)).sum::<u64>();
        let most = |part: fn(&Cycles) -> u32| pairs.iter().map(|pair| part(&pair.cycles)).max();
        let steps = sum(|cycles| cycles.steps.into());
        let quiet = sum(|cycles| cycles.quiet_steps.into());
        let mean = sum(|cycles| cycles.total) as f64 / steps as f64;
        let worst = most(|cycles| cycles.worst).unwrap_or(0);
        let quiet_mean = || sum(|cycles| cycles.quiet_total) as f64 / quiet as f64;
        Self {
            cycles_mean: mean,
            cycles_worst: worst,
            cycles_first: most(|cycles| cycles.first).unwrap_or(0),
            cycles_without_spikes: (quiet > 0).then(quiet_mean),
            cycles_available: available,
            free_mean: 1.0 - mean / available,
            free_worst: 1.0 - f64::from(worst) / available,
        }
    }
}
