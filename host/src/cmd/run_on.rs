//! `rate2spike run --on PORT`: the deployed network on a board, and whether it
//! is the same network.

use rate2spike_core::blob::Deployed;
use rate2spike_protocol::message::Cycles;
use serde::Serialize;

use super::console::Console;
use super::run::{RunArgs, RunReport};
use super::{CommandError, hexadecimal};
use crate::board::BoardError;
use crate::board::client::{Client, Identity};
use crate::board::explain_network;
use crate::board::port::Port;
use crate::board::session::{Pair, Parting, pair, parting};
use crate::spiking::experiment::{Experiment, Outcome};
use crate::spiking::trial::Memory;

#[derive(Serialize)]
struct BoardReport<'a> {
    #[serde(flatten)]
    run: RunReport<'a>,
    board: String,
    clock_hz: u32,
    stack_bytes: u32,
    equal: bool,
    desktop_spike_hash: String,
    saturated_steps: u64,
    step: StepReport,
    parts: Option<PartingReport>,
}

/// Cycles of a step: new input, neurons, spikes, output.
#[derive(Serialize)]
struct StepReport {
    cycles_mean: f64,
    /// Of the worst step but the first, in which most units fire.
    cycles_worst: u32,
    cycles_first: u32,
    cycles_without_spikes: Option<f64>,
    cycles_available: f64,
    /// Share of the time that is left, on average and in the worst step.
    free_mean: f64,
    free_worst: f64,
}

#[derive(Serialize)]
struct PartingReport {
    trial: u64,
    equal_spikes: usize,
    board: Option<(u32, u16)>,
    desktop: Option<(u32, u16)>,
}

/// Runs the trials.
pub fn run_on(
    port: &Port,
    args: &RunArgs,
    console: &Console,
    bytes: &[u8],
    experiment: &Experiment<Deployed>,
) -> Result<(), CommandError> {
    let (mut client, identity) = Client::connect(port)?;
    prepare(
        &mut client,
        &identity,
        (args, bytes),
        experiment.network,
        console,
    )?;
    let pairs = pairs(&mut client, args, experiment, console)?;
    let first = pairs.iter().position(|pair| pair.board != pair.desktop);
    let parts = first
        .map(|index| {
            Ok((
                index as u64,
                parting(&mut client, experiment, index as u64)?,
            ))
        })
        .transpose()
        .map_err(CommandError::Board)?;
    let identity = client.identify()?;
    let report = report(args, experiment, &identity, &pairs, parts);
    console.json(&report);
    print(&report, console);
    if report.equal {
        return Ok(());
    }
    Err(CommandError::Failed(format!(
        "{port}: the board's trials differ from the desktop's; is its firmware of this version?"
    )))
}

/// Makes sure that the board holds this network, and that its self-test gives
/// the stored spikes.
fn prepare(
    client: &mut Client,
    identity: &Identity,
    (args, bytes): (&RunArgs, &[u8]),
    deployed: &Deployed,
    console: &Console,
) -> Result<(), CommandError> {
    if identity.network != Ok(deployed.checksum()) {
        if !args.replace {
            let found = match &identity.network {
                Ok(checksum) => format!("another network (check sum {checksum:08x})"),
                Err(fault) => format!("no network: {}", explain_network(fault)),
            };
            return Err(CommandError::Failed(format!(
                "the board holds {found}; add --replace to write {} into its flash, or use `rate2spike deploy`",
                args.network.display()
            )));
        }
        replace(client, console, bytes, deployed)?;
    }
    let test = client.self_test()?;
    if test.wanted == test.found {
        return Ok(());
    }
    Err(CommandError::Failed(format!(
        "the board's self-test gives spike hash {:016x}, but {:016x} is stored: its firmware steps differently; flash the firmware of this version",
        test.found, test.wanted
    )))
}

fn replace(
    client: &mut Client,
    console: &Console,
    bytes: &[u8],
    deployed: &Deployed,
) -> Result<(), CommandError> {
    let bar = console.progress(bytes.len() as u64, "{bytes}/{total_bytes} written");
    let identity = client.replace(bytes, |written| bar.set_position(written as u64))?;
    bar.finish_and_clear();
    match identity.network {
        Ok(checksum) if checksum == deployed.checksum() => Ok(()),
        Ok(_) => Err(CommandError::Failed(
            "the board still holds another network after writing; try again".into(),
        )),
        Err(fault) => Err(CommandError::Failed(format!(
            "the board refuses the network: {}",
            explain_network(&fault)
        ))),
    }
}

fn pairs(
    client: &mut Client,
    args: &RunArgs,
    experiment: &Experiment<Deployed>,
    console: &Console,
) -> Result<Vec<Pair>, BoardError> {
    let mut memory = Memory::of(experiment.network);
    let bar = console.progress(args.trials as u64, "trial {pos}/{len} [{elapsed}]");
    let pairs = (0..args.trials as u64)
        .map(|index| {
            let pair = pair(client, experiment, &mut memory, index)?;
            bar.inc(1);
            Ok(pair)
        })
        .collect();
    bar.finish_and_clear();
    pairs
}

fn report<'a>(
    args: &'a RunArgs,
    experiment: &Experiment<Deployed>,
    identity: &Identity,
    pairs: &[Pair],
    parts: Option<(u64, Option<Parting>)>,
) -> BoardReport<'a> {
    let of = |side: fn(&Pair) -> Outcome| -> Vec<Outcome> { pairs.iter().map(side).collect() };
    let board = experiment.summary(&of(|pair| pair.board));
    let desktop = experiment.summary(&of(|pair| pair.desktop));
    let step_ns = experiment.network.payload().step_ns;
    let available = f64::from(identity.clock_hz) * f64::from(step_ns) / 1e9;
    BoardReport {
        run: RunReport::new(args, &experiment.task, &board),
        board: identity.board.clone(),
        clock_hz: identity.clock_hz,
        stack_bytes: identity.stack_bytes,
        equal: pairs.iter().all(|pair| pair.board == pair.desktop),
        desktop_spike_hash: hexadecimal(desktop.spike_hash),
        saturated_steps: pairs
            .iter()
            .map(|pair| u64::from(pair.saturated_steps))
            .sum(),
        step: step_report(pairs, available),
        parts: parts.map(|(trial, parting)| PartingReport {
            trial,
            equal_spikes: parting.map_or(0, |parting| parting.equal_spikes),
            board: parting.and_then(|parting| parting.board),
            desktop: parting.and_then(|parting| parting.desktop),
        }),
    }
}

fn step_report(pairs: &[Pair], available: f64) -> StepReport {
    let sum = |part: fn(&Cycles) -> u64| pairs.iter().map(|pair| part(&pair.cycles)).sum::<u64>();
    let steps = sum(|cycles| cycles.steps.into());
    let quiet = sum(|cycles| cycles.quiet_steps.into());
    let mean = sum(|cycles| cycles.total) as f64 / steps as f64;
    let most = |part: fn(&Cycles) -> u32| pairs.iter().map(|pair| part(&pair.cycles)).max();
    let worst = most(|cycles| cycles.worst).unwrap_or(0);
    let first = most(|cycles| cycles.first).unwrap_or(0);
    StepReport {
        cycles_mean: mean,
        cycles_worst: worst,
        cycles_first: first,
        cycles_without_spikes: (quiet > 0)
            .then(|| sum(|cycles| cycles.quiet_total) as f64 / quiet as f64),
        cycles_available: available,
        free_mean: 1.0 - mean / available,
        free_worst: 1.0 - f64::from(worst) / available,
    }
}

fn print(report: &BoardReport, console: &Console) {
    let (run, step) = (&report.run, &report.step);
    console.say(format!(
        "{} on {} at {} MHz, {}: accuracy {:.3}, strict {:.3} over {} trials, {:.1} Hz, self-test passed",
        run.network.display(),
        report.board,
        f64::from(report.clock_hz) / 1e6,
        &run.task,
        run.accuracy,
        run.strict,
        run.trials,
        run.mean_rate_hz,
    ));
    console.say(format!(
        "cycles a step: mean {:.0}, worst {} (first {}) of {:.0}; free: {:.1} % on average, {:.1} % in the worst step",
        step.cycles_mean,
        step.cycles_worst,
        step.cycles_first,
        step.cycles_available,
        100.0 * step.free_mean,
        100.0 * step.free_worst
    ));
    console.say(format!(
        "stack {} bytes, readout at the end of its range in {} steps",
        report.stack_bytes, report.saturated_steps
    ));
    match &report.parts {
        None => console.say(format!(
            "spike hash {} on board and desktop: EQUAL",
            run.spike_hash
        )),
        Some(parts) => {
            let spike = |spike: Option<(u32, u16)>| match spike {
                Some((step, unit)) => format!("unit {unit} in step {step}"),
                None => "no spike".into(),
            };
            console.say(format!(
                "spike hash {} on the board and {} on the desktop: DIFFERENT; in trial {} they part after {} spikes: the board has {}, the desktop {}",
                run.spike_hash,
                report.desktop_spike_hash,
                parts.trial,
                parts.equal_spikes,
                spike(parts.board),
                spike(parts.desktop)
            ));
        }
    }
}
