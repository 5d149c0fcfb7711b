//! One network of a sweep, which is trained, carried onto spiking neurons, quantized,
//! and scored at each stage.

use std::time::Instant;

use super::plan::{Calibrate, Member, SweepPlan};
use super::row::{Row, Seconds};
use crate::quantize::ArithmeticName;
use crate::quantize::longest_step::DeployedStep;
use crate::rate::network::RateNetwork;
use crate::rate::options::RateOptions;
use crate::rate::restarts::{Kept, train};
use crate::route::{DeployedGrades, Origin, Route, Scaling, rate_accuracy};
use crate::spiking::time_step::TimeStep;

/// Trains, converts and deploys `member` of `plan`, and scores it.
pub fn run(plan: &SweepPlan, member: Member) -> Row {
    let options = plan.options(member);
    let cell = &plan.cells[member.cell];
    let clock = Instant::now();
    let trials = options.task.scored(plan.trials);
    let grades = DeployedGrades::new(cell.restarts);
    let kept = train(&options, cell.restarts, |options, network| {
        grades.of(&route(plan, member, options, network))
    });
    let seconds = Seconds {
        train: clock.elapsed().as_secs_f64() - grades.seconds(),
        convert: grades.seconds(),
        ..Seconds::default()
    };
    let trained = &kept.trained;
    let mut row = Row {
        cell: member.cell,
        neuron: cell.neuron,
        trained: trained.success,
        updates: trained.losses.len(),
        training_trials: trained.losses.len() * options.batch,
        lambda: None,
        search_accuracy: None,
        calibrated: false,
        trials,
        rate: rate_accuracy(&trained.network, &kept.options, trials).into(),
        spiking: None,
        fixed: None,
        step_ms: plan.step_ms,
        mean_rate_hz: None,
        blob_bytes: None,
        spike_hash: None,
        seconds,
        error: None,
        start_seed: (cell.restarts > 1).then_some(kept.options.seed),
        options,
    };
    if let Err(error) = spike(&mut row, plan, member, &kept, &grades) {
        row.error = Some(error);
    }
    row
}

/// The route of a network of `member`, which was trained with these options.
fn route<'a>(
    plan: &SweepPlan,
    member: Member,
    options: &RateOptions,
    network: &'a RateNetwork,
) -> Route<'a> {
    let cell = &plan.cells[member.cell];
    let scaling = match (cell.calibrate, &cell.lambdas[..]) {
        (Calibrate::Always, _) => Scaling::Calibrated,
        (Calibrate::IfNeeded, &[lambda]) => Scaling::Trained(lambda),
        (_, lambdas) => Scaling::among(lambdas.into()),
    };
    Route {
        network,
        task: options.task.clone(),
        neuron: cell.neuron.neuron(),
        scaling,
        // The published search uses this step, whichever step the network is deployed with.
        search_step: Some(TimeStep::PUBLISHED),
        step: DeployedStep::Given(plan.step_ms),
        numbers: ArithmeticName::Fixed,
        search_trials: plan.search_trials,
        trials: options.task.scored(plan.trials),
        seed: options.seed,
    }
}

/// Converts, quantizes and scores the network, and fills in `row` up to the stage that
/// fails.
fn spike(
    row: &mut Row,
    plan: &SweepPlan,
    member: Member,
    kept: &Kept,
    grades: &DeployedGrades,
) -> Result<(), String> {
    if let Some(loss) = kept.trained.losses.last().filter(|loss| !loss.is_finite()) {
        return Err(format!("the training diverged (loss {loss})"));
    }
    let route = route(plan, member, &kept.options, &kept.trained.network);
    let clock = Instant::now();
    let is_tried = kept.trained.success && !kept.options.validated();
    let (converted, _) = grades
        .convert(&route, is_tried, &mut |_| {})
        .map_err(|error| error.to_string())?;
    row.calibrated = matches!(converted.origin, Origin::Calibrated(_));
    row.lambda = Some(converted.network.lambda);
    row.search_accuracy = converted.search_accuracy();
    row.spiking = Some((&converted.score).into());
    row.mean_rate_hz = Some(converted.score.mean_rate_hz);
    row.seconds.convert += clock.elapsed().as_secs_f64();

    let clock = Instant::now();
    let deployment = route
        .deploy(&converted)
        .map_err(|error| error.to_string())?;
    row.fixed = Some((&deployment.score).into());
    row.blob_bytes = Some(deployment.quantized.bytes.len());
    row.spike_hash = Some(format!("{:016x}", deployment.score.spike_hash));
    row.seconds.run = clock.elapsed().as_secs_f64();
    Ok(())
}
