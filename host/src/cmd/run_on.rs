//! `rate2spike run --on PORT`: the deployed network on a board, and whether it gives the
//! same spikes as on the desktop.

use std::path::Path;

use rate2spike_core::blob::Deployed;
use rate2spike_protocol::logic::RUN;
use serde::Serialize;

use super::CommandError;
use super::run_report::RunReport;
use super::warnings::Warnings;
use crate::board::client::{Client, Identity};
use crate::board::comparison::{Comparison, Difference, StepCost, compare};
use crate::board::logic::Logic;
use crate::board::port::Port;
use crate::board::preparation::{Wanted, prepare};
use crate::board::session::Runs;
use crate::board::{BoardError, OTHER_SPIKES};
use crate::export::verilog::image::Image;
use crate::formats::snn::NetFile;
use crate::number::{counted, hexadecimal};
use crate::print::console::Console;
use crate::spiking::experiment::Experiment;
use crate::spiking::trial::Deployable;

/// A network that runs on a board.
pub struct OnBoard<'a> {
    /// The port that the board is connected to.
    pub port: &'a Port,
    /// File of the network.
    pub network: &'a Path,
    /// The blob in the file.
    pub bytes: &'a [u8],
    /// Number of trials.
    pub trials: usize,
    /// Whether the network is written over another one in the board's flash.
    pub replace: bool,
}

#[derive(Serialize)]
struct BoardReport<'a> {
    #[serde(flatten)]
    run: RunReport<'a>,
    board: String,
    clock_hz: u32,
    /// Absent for logic, which has no stack.
    stack_bytes: Option<u32>,
    equal: bool,
    desktop_spike_hash: String,
    /// Absent for logic, which does not count them.
    saturated_steps: Option<u64>,
    step: StepCost,
    parts: Option<Difference>,
}

/// Runs the trials on the board and on the desktop, and compares them.
///
/// # Errors
/// If the board fails, holds another network, or gives other spikes.
pub fn run_on<A: Deployable>(
    on: &OnBoard,
    experiment: &Experiment<Deployed<A>>,
    console: &Console,
) -> Result<(), CommandError> {
    // An emulator of a microcontroller takes one connection, and no logic is behind it.
    if let Port::Serial(_) = on.port
        && let Some((mut logic, identity)) = Logic::connect(on.port)?
    {
        // Logic steps fixed point only.
        let fixed = NetFile::new(on.network, on.bytes.to_vec())?;
        let network = fixed.deployed();
        let experiment = Experiment {
            silenced: experiment.silenced,
            ..Experiment::deployed(&network, &experiment.task, experiment.seed)
        };
        prepare_logic(&mut logic, on, &network)?;
        let found = compared(&mut logic, on, &experiment, identity.clock_hz, console)?;
        let board = BoardReport::new(on, &experiment, "logic".into(), found);
        return finish(
            BoardReport {
                clock_hz: identity.clock_hz,
                ..board
            },
            on,
            console,
        );
    }
    let (mut client, identity) = prepared(on, experiment.network, console)?;
    let found = compared(&mut client, on, experiment, identity.clock_hz, console)?;
    // The stack is known after the trials only.
    let identity = client.identify()?;
    let report = BoardReport {
        clock_hz: identity.clock_hz,
        stack_bytes: Some(identity.stack_bytes),
        saturated_steps: Some(found.saturated_steps),
        ..BoardReport::new(on, experiment, identity.board, found)
    };
    finish(report, on, console)
}

/// A microcontroller that holds the network and has passed its self-test.
pub fn prepared<A: Deployable>(
    on: &OnBoard,
    network: &Deployed<A>,
    console: &Console,
) -> Result<(Client, Identity), CommandError> {
    let (mut client, identity) = Client::connect(on.port)?;
    let wanted = Wanted {
        file: on.network.into(),
        bytes: on.bytes,
        deployed: network,
        replace: on.replace,
    };
    let bar = console.progress(on.bytes.len() as u64, "{bytes}/{total_bytes} written");
    prepare(&mut client, &identity, &wanted, |written| {
        bar.set_position(written as u64);
    })?;
    bar.finish_and_clear();
    Ok((client, identity))
}

/// The trials on the board beside those on the desktop.
fn compared<A: Deployable>(
    board: &mut impl Runs<A>,
    on: &OnBoard,
    experiment: &Experiment<Deployed<A>>,
    clock_hz: u32,
    console: &Console,
) -> Result<Comparison, CommandError> {
    let bar = console.progress(on.trials as u64, "trial {pos}/{len} [{elapsed}]");
    let found = compare(board, experiment, on.trials, clock_hz, || bar.inc(1));
    bar.finish_and_clear();
    Ok(found?)
}

impl<'a> BoardReport<'a> {
    /// The report of a board, without its clock and without what only a microcontroller
    /// counts.
    fn new<A: Deployable>(
        on: &OnBoard<'a>,
        experiment: &Experiment<Deployed<A>>,
        board: String,
        found: Comparison,
    ) -> Self {
        Self {
            run: RunReport::new(on.network, &experiment.task, &found.outcomes, &found.board),
            board,
            clock_hz: 0,
            stack_bytes: None,
            equal: found.equal,
            desktop_spike_hash: hexadecimal(found.desktop.spike_hash),
            saturated_steps: None,
            step: found.step,
            parts: found.parts,
        }
    }
}

/// Prints the report; an error if a trial differs.
fn finish(report: BoardReport, on: &OnBoard, console: &Console) -> Result<(), CommandError> {
    let mut warnings = Warnings::default();
    warnings.of_silence(report.run.mean_rate_hz, report.run.trials);
    warnings.say(console);
    console.json(&report);
    print(&report, console);
    if report.equal {
        return Ok(());
    }
    Err(CommandError::Failed(format!(
        "{}: the board's trials differ from the desktop's; is its firmware of this version?",
        on.port
    )))
}

/// Makes sure that the logic holds this network, and that its self-test gives the stored
/// spikes. A network that replaces another one stays until the power is cut.
fn prepare_logic(logic: &mut Logic, on: &OnBoard, network: &Deployed) -> Result<(), CommandError> {
    let refused = |refusal| BoardError::Logic {
        port: on.port.to_string(),
        refusal,
    };
    let image = Image::of_self_test(network).map_err(refused)?;
    let failed = |code| BoardError::Image {
        port: on.port.to_string(),
        code,
    };
    if on.replace {
        let code = logic.load(&image.bytes())?;
        if code != 0 {
            return Err(failed(code).into());
        }
        let outcome = logic.run(&RUN, |_| {})?;
        let wanted = network.payload().self_test.spike_hash;
        return match outcome.spike_hash == wanted {
            true => Ok(()),
            false => Err(failed(OTHER_SPIKES).into()),
        };
    }
    let identity = logic.self_test()?;
    if identity.code != 0 {
        return Err(failed(identity.code).into());
    }
    if identity.checksum != image.checksum() {
        return Err(CommandError::Failed(format!(
            "the logic holds another network (check sum {:08x}); add --replace to run {} until the power is cut, or write its image into the flash",
            identity.checksum,
            on.network.display()
        )));
    }
    Ok(())
}

fn print(report: &BoardReport, console: &Console) {
    let (run, step) = (&report.run, &report.step);
    console.say(format!(
        "{} on {} at {} MHz, {}: {}, {} over {}, {:.1} Hz, self-test passed",
        run.network.display(),
        report.board,
        f64::from(report.clock_hz) / 1e6,
        &run.task,
        run.first(""),
        run.second(),
        counted(run.trials, "trial"),
        run.mean_rate_hz,
    ));
    run.class_lines().for_each(|line| console.say(line));
    console.say(format!(
        "cycles a step: mean {:.0}, worst {} (first {}) of {:.0}; free: {:.1} % on average, {:.1} % in the worst step",
        step.cycles_mean,
        step.cycles_worst,
        step.cycles_first,
        step.cycles_available,
        100.0 * step.free_mean,
        100.0 * step.free_worst
    ));
    if let (Some(stack), Some(saturated)) = (report.stack_bytes, report.saturated_steps) {
        console.say(format!(
            "stack {stack} bytes, readout at the end of its range in {saturated} steps"
        ));
    }
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
