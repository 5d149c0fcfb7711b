//! `rate2spike run --on PORT --input FILE`: a recording on a board, one trial after the
//! other.

use std::path::Path;

use fixed::types::I4F12;
use rate2spike_core::blob::Deployed;
use rate2spike_core::network::Network;
use serde::Serialize;

use super::CommandError;
use super::run_on::{OnBoard, prepared};
use crate::board::BoardError;
use crate::board::logic::Logic;
use crate::board::port::Port;
use crate::board::recording::{Answered, SentTrial, answered, channels, samples};
use crate::data;
use crate::data::settings::Settings;
use crate::formats::disk;
use crate::interrupt::{self, Orderly};
use crate::number::{counted, shown};
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

/// A recording of one's own.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The file.
    pub path: &'a Path,
    /// Whether the samples are sent in real time.
    pub live: bool,
    /// The file of the board's outputs.
    pub output: Option<&'a Path>,
}

/// Runs a recording on the board.
///
/// # Errors
/// If the recording is not what the network takes, if the board fails, or if it gives other
/// spikes although no sample came too late.
pub fn run_input<A: Deployable>(
    on: &OnBoard,
    experiment: &Experiment<Deployed<A>>,
    input: &Input,
    console: &Console,
) -> Result<(), CommandError> {
    let network = experiment.network;
    let trials = trials(experiment, input.path, console)?;
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
    let mut rows = OutputRows::new(network);
    // A signal ends the run after the present trial, so that no output is lost.
    let orderly = input.output.map(|_| Orderly::begin());
    let mut run = || -> Result<(), CommandError> {
        for (shown, index) in trials.iter().zip(0..) {
            if orderly.is_some() && interrupt::asked() {
                let sentence = format!("{index} of {} were run", counted(trials.len(), "trial"));
                return Err(CommandError::Interrupted(sentence));
            }
            rows.begin(index);
            let outcome = shown.on_board(&mut client, network, index, input.live, |outputs| {
                rows.add::<A>(outputs);
                bar.set_message(drawn::<A>(outputs));
            })?;
            let answer = answered(network, shown, index, &outcome);
            bar.suspend(|| console.say(sentence(&answer, input.live)));
            answers.push(answer);
            bar.inc(1);
        }
        Ok(())
    };
    let ran = run();
    bar.finish_and_clear();
    // What came before a failure is written too.
    if let Some(path) = input.output {
        disk::write(path, rows.text.as_bytes())?;
        let count = counted(rows.text.lines().count() - 1, "row");
        console.say(format!("{count} of outputs in {}", path.display()));
    }
    drop(orderly);
    ran?;
    let report = InputReport {
        network: on.network,
        input: input.path,
        board: identity.board,
        live: input.live,
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

/// The CSV of the board's outputs.
struct OutputRows {
    text: String,
    /// The trial, and the samples of it that the text has.
    at: (u64, u32),
    sample_ms: f64,
}

impl OutputRows {
    fn new<A: Deployable>(network: &Deployed<A>) -> Self {
        let payload = network.payload();
        let outputs = network.constants().outputs;
        let names: String = match outputs {
            1 => ",output".into(),
            _ => (1..=outputs).map(|k| format!(",output {k}")).collect(),
        };
        let steps = f64::from(payload.clock.steps_per_sample);
        Self {
            text: format!("trial,time_ms{names}\n"),
            at: (0, 0),
            sample_ms: steps * f64::from(payload.step_ns) / 1e6,
        }
    }

    fn begin(&mut self, trial: u64) {
        self.at = (trial, 0);
    }

    /// Adds the outputs at the end of the next sample.
    fn add<A: Deployable>(&mut self, outputs: &[i32]) {
        let (trial, sample) = &mut self.at;
        *sample += 1;
        let time = shown(f64::from(*sample) * self.sample_ms);
        let numbers = outputs.iter().map(|&bits| A::from_bits(bits).number());
        let numbers: String = numbers.map(|number| format!(",{number}")).collect();
        self.text += &format!("{trial},{time}{numbers}\n");
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
    console: &Console,
) -> Result<Vec<SentTrial>, CommandError> {
    let network = experiment.network;
    let set = experiment.task.recorded();
    let description = set.map(|set| &set.description);
    let failed = |error: data::DataError| CommandError::Failed(error.to_string());
    let settings = set.map(|set| Settings::beside(Path::new(&set.path)));
    let settings = settings.transpose().map_err(failed)?.unwrap_or_default();
    let bounds = bounds(network, description.map_or(1.0, |set| set.resolution));
    let names: Vec<&str> = description.map_or_else(Vec::new, |set| {
        set.channels.iter().map(|c| c.name.as_str()).collect()
    });
    let data::Own {
        values,
        channels: found,
    } = data::recording(path, bounds, &names, settings.time_column.as_ref()).map_err(failed)?;
    let wanted = channels(network);
    if found != wanted {
        return Err(CommandError::Failed(format!(
            "{} has {}, but the network takes {}; write a column for each channel",
            path.display(),
            counted(found, "column"),
            counted(wanted, "channel")
        )));
    }
    let rows = values.len() / wanted.max(1);
    let length = Length {
        trial: samples(network),
        longest: description.map(|set| set.recorded),
        row: description.map_or(1, |set| set.hold.max(1)),
    };
    let (sentence, usual) = length.cut(rows);
    let sentence = format!("{}: {sentence}", path.display());
    match usual {
        true => console.say(sentence),
        false => console.warn(sentence),
    }
    let trial = (length.trial * wanted).max(1);
    let is_short = rows * length.row < length.trial;
    let values = match description {
        Some(set) if is_short => data::padded(set, &values),
        Some(set) => data::held(set, &values),
        None if is_short => [values, vec![0.0; trial - rows * wanted]].concat(),
        None => values,
    };
    let whole = values.chunks_exact(trial);
    Ok(whole
        .map(|values| SentTrial::new(network, values))
        .collect())
}

/// The smallest and the largest number that the network's input holds; `resolution` is that
/// of a sensor.
fn bounds<A: Deployable>(network: &Deployed<A>, resolution: f64) -> (f64, f64) {
    let sensor = |integer: i32| f64::from(integer) * resolution;
    match network.preprocessing() {
        Some(_) => (sensor(i32::MIN), sensor(i32::MAX)),
        None => (I4F12::MIN.to_num(), I4F12::MAX.to_num()),
    }
}

/// The length of a trial in samples of the network.
struct Length {
    /// The whole trial.
    trial: usize,
    /// The longest recording of the data set, behind which there is a tail of silence; `None`
    /// without a data set.
    longest: Option<usize>,
    /// Samples of a row.
    row: usize,
}

impl Length {
    /// How `rows` rows are cut into trials, and whether they are whole trials, or a trial as
    /// training on a data set shows it.
    fn cut(&self, rows: usize) -> (String, bool) {
        let in_rows = |samples: usize| shown(samples as f64 / self.row as f64);
        let longest = self.longest.unwrap_or(self.trial);
        let tail = match self.trial.saturating_sub(longest) {
            0 => String::new(),
            tail => format!(" ({} and a tail of {})", in_rows(longest), in_rows(tail)),
        };
        let samples = rows * self.row;
        let (trials, rest) = (samples / self.trial.max(1), samples % self.trial.max(1));
        let cut = match (trials, rest) {
            (0, _) if self.longest.is_some_and(|longest| samples < longest) => {
                "1 trial, with silence before and behind the rows".into()
            }
            (0, _) => "1 trial, with silence behind the rows".into(),
            (_, 0) => counted(trials, "trial"),
            _ => {
                let rest = match rest.div_ceil(self.row) {
                    1 => "the last row is".into(),
                    rest => format!("the last {rest} rows are"),
                };
                format!("{}, {rest} not run", counted(trials, "trial"))
            }
        };
        let rows = counted(rows, "row");
        let sentence = format!("{rows}, {} a trial{tail}: {cut}", in_rows(self.trial));
        let is_usual = match trials {
            0 => self.longest.is_some(),
            _ => rest == 0,
        };
        (sentence, is_usual)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outputs_are_a_row_for_each_sample_of_each_trial() {
        let mut rows = OutputRows {
            text: "trial,time_ms,output\n".into(),
            at: (0, 0),
            sample_ms: 2.5,
        };
        for trial in 0..2 {
            rows.begin(trial);
            rows.add::<f32>(&[0.5f32.to_bits() as i32]);
            rows.add::<f32>(&[(-1.0f32).to_bits() as i32]);
        }
        let wanted = "trial,time_ms,output\n0,2.5,0.5\n0,5,-1\n1,2.5,0.5\n1,5,-1\n";
        assert_eq!(rows.text, wanted);
    }

    #[test]
    fn the_length_of_a_trial_and_the_rows_that_fill_none_are_said() {
        let with_tail = |row| Length {
            trial: 45 * row,
            longest: Some(40 * row),
            row,
        };
        let plain = Length {
            trial: 200,
            longest: None,
            row: 1,
        };
        for row in [1, 3] {
            let length = "45 a trial (40 and a tail of 5)";
            for (rows, wanted, all) in [
                (90, format!("90 rows, {length}: 2 trials"), true),
                (
                    120,
                    format!("120 rows, {length}: 2 trials, the last 30 rows are not run"),
                    false,
                ),
                (
                    46,
                    format!("46 rows, {length}: 1 trial, the last row is not run"),
                    false,
                ),
                (
                    1,
                    format!("1 row, {length}: 1 trial, with silence before and behind the rows"),
                    true,
                ),
                (
                    40,
                    format!("40 rows, {length}: 1 trial, with silence behind the rows"),
                    true,
                ),
            ] {
                assert_eq!(with_tail(row).cut(rows), (wanted, all));
            }
        }
        assert_eq!(
            plain.cut(9),
            (
                "9 rows, 200 a trial: 1 trial, with silence behind the rows".into(),
                false
            )
        );
        assert_eq!(
            plain.cut(400),
            ("400 rows, 200 a trial: 2 trials".into(), true)
        );
    }
}
