//! `rate2spike run --on PORT --input FILE`: a recording on a board, one trial after the
//! other.

use std::path::Path;

use rate2spike_core::blob::Deployed;
use serde::Serialize;

use super::CommandError;
use super::run_on::{OnBoard, prepared};
use crate::board::BoardError;
use crate::board::logic::Logic;
use crate::board::port::Port;
use crate::board::recording::{Answered, SentTrial, answered, channels, samples};
use crate::data;
use crate::print::console::Console;
use crate::print::path::lossy;
use crate::spiking::experiment::Experiment;
use crate::spiking::trial::Deployable;

#[derive(Serialize)]
struct InputReport<'a> {
    #[serde(serialize_with = "lossy")]
    network: &'a Path,
    #[serde(serialize_with = "lossy")]
    input: &'a Path,
    board: String,
    live: bool,
    equal: bool,
    trials: Vec<Answered>,
}

/// Runs the recording in `input` on the board.
///
/// # Errors
/// If the recording is not what the network takes, if the board fails, or if it gives other
/// spikes although no sample came too late.
pub fn run_input<A: Deployable>(
    on: &OnBoard,
    experiment: &Experiment<Deployed<A>>,
    (input, live): (&Path, bool),
    console: &Console,
) -> Result<(), CommandError> {
    let network = experiment.network;
    let trials = trials(experiment, input)?;
    let (mut client, identity) = match prepared(on, network, console) {
        Err(CommandError::Board(BoardError::Silent { .. })) if is_logic(on.port)? => {
            return Err(CommandError::Failed(format!(
                "{}: logic in an FPGA answers here; it runs the trials of the network's task and no recording: leave --input out",
                on.port
            )));
        }
        prepared => prepared?,
    };
    let template = "trial {pos}/{len} {msg}";
    let bar = console.progress(trials.len() as u64, template);
    let mut answers = Vec::new();
    for (shown, index) in trials.iter().zip(0..) {
        let outcome = shown.on_board(&mut client, network, index, live, |outputs| {
            bar.set_message(drawn::<A>(outputs));
        })?;
        let answer = answered(network, shown, index, &outcome);
        bar.suspend(|| console.say(sentence(&answer, live)));
        answers.push(answer);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let report = InputReport {
        network: on.network,
        input,
        board: identity.board,
        live,
        equal: answers.iter().all(|answer| answer.equal),
        trials: answers,
    };
    console.json(&report);
    let differs = |answer: &&Answered| !answer.equal && answer.missed_samples == 0;
    match report.trials.iter().find(differs) {
        None => Ok(()),
        Some(answer) => Err(CommandError::Failed(format!(
            "trial {} has other spikes on {} than here: flash the firmware of this version",
            answer.trial, report.board
        ))),
    }
}

/// Whether logic answers at the port.
fn is_logic(port: &Port) -> Result<bool, BoardError> {
    match port {
        Port::Serial(_) => Ok(Logic::connect(port)?.is_some()),
        Port::Tcp(_) => Ok(false),
    }
}

/// The trials of the recording; the samples behind the last whole trial are left out. The
/// recording of a data set's sensor has the sample period of the data set.
fn trials<A: Deployable>(
    experiment: &Experiment<Deployed<A>>,
    path: &Path,
) -> Result<Vec<SentTrial>, CommandError> {
    let network = experiment.network;
    let failed = |error: data::DataError| CommandError::Failed(error.to_string());
    let (values, found) = data::recording(path).map_err(failed)?;
    let wanted = channels(network);
    if found != wanted {
        return Err(CommandError::Failed(format!(
            "{} has {found} columns, but the network takes {wanted} channels; write a column for each channel",
            path.display()
        )));
    }
    let values = match experiment.task.recorded() {
        Some(recorded) => data::held(&recorded.description, &values),
        None => values,
    };
    let length = samples(network) * wanted;
    let whole: Vec<SentTrial> = values
        .chunks_exact(length.max(1))
        .map(|values| SentTrial::new(network, values))
        .collect();
    match whole.is_empty() {
        false => Ok(whole),
        // The last sample lasts to the end of a trial.
        true => Ok(vec![SentTrial::new(network, &values)]),
    }
}

/// The outputs as bars.
fn drawn<A: Deployable>(outputs: &[i32]) -> String {
    const WIDTH: f64 = 20.0;
    let bar = |bits: &i32| {
        let output = A::from_bits(*bits).number();
        let length = (output.abs().min(1.0) * WIDTH).round() as usize;
        format!("{output:+.2} {:<20}", "#".repeat(length))
    };
    outputs.iter().map(bar).collect::<Vec<_>>().join(" | ")
}

fn sentence(answer: &Answered, live: bool) -> String {
    let number = answer.answer.to_string();
    let name = answer.name.as_ref().unwrap_or(&number);
    let same = match (answer.equal, answer.missed_samples) {
        (true, _) => "as on the desktop",
        (false, 0) => "other spikes than on the desktop",
        (false, _) => "not comparable with the desktop",
    };
    let time = match live {
        true => format!(
            ", {} samples and {} steps too late",
            answer.missed_samples, answer.late_steps
        ),
        false => String::new(),
    };
    format!("trial {}: {name}, {same}{time}", answer.trial)
}
