//! One network of a sweep: trained, carried onto spiking neurons, quantized,
//! and scored at each stage.

use std::time::Instant;

use rate2spike_core::blob::Deployed;

use super::plan::{Calibrate, Cell, Member, SweepPlan};
use super::row::{Row, Scores, Seconds};
use crate::convert::ConvertError;
use crate::convert::calibrate::{CalibrateError, Found, Request};
use crate::convert::one_to_one;
use crate::convert::search::{SEARCH_SEED, Search, best};
use crate::quantize::quantize;
use crate::rate::network::RateNetwork;
use crate::rate::options::RateOptions;
use crate::rate::training::{EvaluationTrials, Trained, evaluate, train};
use crate::spiking::experiment::score_f64;
use crate::spiking::experiment::{Experiment, Score};
use crate::spiking::network::SpikingNetwork;
use crate::spiking::neuron::Neuron;
use crate::spiking::time_step::TimeStep;

/// Runs `member` of `plan`; `step` is the deployed network's.
pub fn run(plan: &SweepPlan, member: Member, step: &TimeStep) -> Row {
    let options = plan.options(member);
    let cell = &plan.cells[member.cell];
    let clock = Instant::now();
    let trained = train(&options, &mut ());
    let seconds = Seconds {
        train: clock.elapsed().as_secs_f64(),
        ..Seconds::default()
    };
    let mut row = Row {
        cell: member.cell,
        neuron: cell.neuron,
        trained: trained.success,
        updates: trained.losses.len(),
        training_trials: trained.losses.len() * options.batch,
        lambda: None,
        search_accuracy: None,
        calibrated: false,
        trials: plan.trials,
        rate: rate_scores(&options, &trained.network, plan.trials),
        spiking: None,
        fixed: None,
        step_ms: plan.step_ms,
        mean_rate_hz: None,
        blob_bytes: None,
        spike_hash: None,
        seconds,
        error: None,
        options,
    };
    if let Err(error) = spike(&mut row, plan, &trained, step) {
        row.error = Some(error);
    }
    row
}

/// The rate network as it was trained, on trials that its training has not
/// seen.
fn rate_scores(options: &RateOptions, network: &RateNetwork, trials: usize) -> Scores {
    let trials = EvaluationTrials {
        seed: options.seed,
        first: EvaluationTrials::FRESH,
        trials,
        fluctuations: options.fluctuations,
    };
    let evaluation = evaluate(network, options.task, options.loss, trials);
    Scores {
        accuracy: evaluation.accuracy,
        strict: evaluation.strict,
    }
}

/// Converts, quantizes and scores; fills in `row` as far as it comes.
fn spike(
    row: &mut Row,
    plan: &SweepPlan,
    trained: &Trained,
    step: &TimeStep,
) -> Result<(), String> {
    if let Some(loss) = trained.losses.last().filter(|loss| !loss.is_finite()) {
        return Err(format!("the training diverged (loss {loss})"));
    }
    let (task, seed) = (row.options.task, row.options.seed);
    let cell = &plan.cells[row.cell];
    let clock = Instant::now();
    let neuron = cell.neuron.neuron();
    let calibrated = calibrated(row, (cell, plan.search_trials), &trained.network, neuron)
        .map_err(|error| error.to_string())?;
    row.calibrated = calibrated.is_some();
    let (network, search_accuracy) = if let Some(calibrated) = calibrated {
        calibrated
    } else {
        let found = lambda(row, (cell, plan.search_trials), &trained.network, neuron);
        found
            .and_then(|(lambda, accuracy)| {
                Ok((one_to_one(&trained.network, lambda, neuron)?, accuracy))
            })
            .map_err(|error| error.to_string())?
    };
    row.lambda = Some(network.lambda);
    row.search_accuracy = search_accuracy;
    let score = score_f64(&network, task, &TimeStep::PUBLISHED, seed, row.trials);
    row.spiking = Some((&score).into());
    row.mean_rate_hz = Some(score.mean_rate_hz);
    row.seconds.convert = clock.elapsed().as_secs_f64();

    let clock = Instant::now();
    let quantized = quantize(&network, task, step).map_err(|error| error.to_string())?;
    let score = fixed_score(&quantized.bytes, row);
    row.fixed = Some((&score).into());
    row.blob_bytes = Some(quantized.bytes.len());
    row.spike_hash = Some(format!("{:016x}", score.spike_hash));
    row.seconds.run = clock.elapsed().as_secs_f64();
    Ok(())
}

/// The calibrated network, and its accuracy where it was chosen; none where the
/// cell wants none, or needs none.
fn calibrated(
    row: &Row,
    (cell, trials): (&Cell, usize),
    network: &RateNetwork,
    neuron: Neuron,
) -> Result<Option<(SpikingNetwork, Option<f64>)>, CalibrateError> {
    let request = Request {
        network,
        task: row.options.task,
        neuron,
        trials,
        seed: row.options.seed ^ SEARCH_SEED,
    };
    let found = match cell.lambdas[..] {
        _ if cell.calibrate == Calibrate::Always => Some(request.find()?),
        [lambda] if cell.calibrate == Calibrate::IfNeeded => request.find_if_needed(lambda)?,
        _ => None,
    };
    let spiking = |found: Found| {
        let network = found.calibration.network(network, neuron)?;
        Ok((network, Some(found.score.accuracy())))
    };
    found.map(spiking).transpose()
}

/// The only λ of the cell, or the best of a search with its accuracy there.
fn lambda(
    row: &Row,
    (cell, trials): (&Cell, usize),
    network: &RateNetwork,
    neuron: Neuron,
) -> Result<(f64, Option<f64>), ConvertError> {
    if let [lambda] = cell.lambdas[..] {
        return Ok((lambda, None));
    }
    let search = Search {
        network,
        task: row.options.task,
        neuron,
        step: TimeStep::PUBLISHED,
        lambdas: &cell.lambdas,
        trials,
        seed: row.options.seed ^ SEARCH_SEED,
        race: true,
    };
    let candidates = search.scores()?;
    let best = best(&candidates).expect("a cell has at least one scaling factor");
    Ok((best.lambda, Some(best.accuracy)))
}

fn fixed_score(bytes: &[u8], row: &Row) -> Score {
    let deployed = Deployed::read(bytes).expect("a blob that was just written is valid");
    let experiment = Experiment::deployed(&deployed, row.options.task, row.options.seed);
    experiment.score(row.trials)
}
