//! `rate2spike data`: check a data set, say what it holds, convert it.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::CommandError;
use crate::data::settings::{Column, EXAMPLE, Scaling, Scalings, file_beside, file_of};
use crate::data::{self, Opened, Settings, Summary};
use crate::ending::ends_in;
use crate::formats::disk;
use crate::number::{above_0, from_0};
use crate::print::console::Console;
use crate::task::description::{Goal, Part, check_sample};

/// Reads the length of a sample.
fn sample_ms(text: &str) -> Result<f64, String> {
    let ms = above_0(text)?;
    check_sample(ms).map(|()| ms)
}

/// Check recorded trials, say what they are, and convert them to .npz
///
/// Example:  rate2spike data recordings/ --sample-ms 20 -o recordings.npz
///
/// A data set is a FILE.npz, a NAME_TRAIN.ts with its NAME_TEST.ts, or a folder with
/// one folder a class and in it one CSV a recording. It may stand for TASK in every
/// command: rate2spike pipeline recordings.npz
#[derive(Clone, Debug, Args)]
#[command(verbatim_doc_comment, after_long_help = settings_file())]
pub struct DataArgs {
    /// The data set
    #[arg(value_name = "PATH")]
    pub data: PathBuf,
    /// Write the data set as .npz, and the settings that it has no place for as .toml
    #[arg(short, long, value_name = "FILE.npz")]
    pub output: Option<PathBuf>,
    /// Length of a recorded sample in ms [default: 5 or a multiple of 10, so that the longest recording lasts at least half a second]
    #[arg(long, value_name = "MS", value_parser = sample_ms)]
    pub sample_ms: Option<f64>,
    /// Scaling of the channels, fitted on the training part: standard or none [default: standard]
    #[arg(long)]
    pub scaling: Option<Scaling>,
    /// Silence after a recording in ms, in which the class is read [default: 100]
    #[arg(long, value_name = "MS", value_parser = from_0)]
    pub tail_ms: Option<f64>,
    /// Length of the decision window in ms [default: the tail, or the whole trial where a recording has more than 100 samples]
    #[arg(long, value_name = "MS", value_parser = from_0)]
    pub window_ms: Option<f64>,
    /// Names of the classes, with commas between; of a folder, the folders to take
    #[arg(long, value_delimiter = ',')]
    pub classes: Option<Vec<String>>,
    /// Column of each CSV that is no input: its name or its number
    #[arg(long, value_name = "COLUMN")]
    pub time_column: Option<String>,
    /// Recorded size of one in the integers that a board takes [default: 1 for whole numbers, else a small power of two]
    #[arg(long, value_name = "SIZE", value_parser = above_0)]
    pub resolution: Option<f64>,
    /// Seed that draws the parts which the data set does not say
    #[arg(long, default_value_t = data::SEED)]
    pub seed: u64,
}

/// The part of the long help that shows a settings file.
fn settings_file() -> String {
    format!(
        "The settings may also stand in a file beside the data set: NAME.toml for NAME.npz.\n\n{EXAMPLE}"
    )
}

impl DataArgs {
    fn settings(&self) -> Settings {
        let column = |text: &String| match text.parse() {
            Ok(number) => Column::Number(number),
            Err(_) => Column::Name(text.clone()),
        };
        Settings {
            sample_ms: self.sample_ms,
            scaling: self.scaling.map(Scalings::All),
            tail_ms: self.tail_ms,
            window_ms: self.window_ms,
            classes: self.classes.clone(),
            time_column: self.time_column.as_ref().map(column),
            resolution: self.resolution,
            inputs: None,
        }
    }
}

#[derive(Serialize)]
struct DataReport<'a> {
    #[serde(flatten)]
    summary: &'a Summary,
    files: Vec<String>,
}

/// Runs the command.
pub fn run(args: &DataArgs, console: &Console) -> Result<(), CommandError> {
    if let Some(output) = &args.output
        && !ends_in(output, "npz")
    {
        return Err(CommandError::Usage(format!(
            "{}: a data set is written as .npz; give a name that ends in it",
            output.display()
        )));
    }
    let opened = data::read(&args.data, args.settings());
    let opened = opened.map_err(|error| CommandError::Failed(error.to_string()))?;
    let summary = opened.summary(args.seed);
    console.warn_all(opened.warned(args.seed));
    let files = match &args.output {
        Some(output) => write(&opened, output)?,
        None => Vec::new(),
    };
    let report = DataReport {
        summary: &summary,
        files: files
            .iter()
            .map(|file| file.display().to_string())
            .collect(),
    };
    console.json(&report);
    print(&summary, console);
    for file in &files {
        console.say(format!("written                  {}", file.display()));
    }
    match &summary.problems[..] {
        [] => Ok(()),
        [problem] => Err(CommandError::Failed(problem.clone())),
        [first, rest @ ..] => Err(CommandError::Failed(format!(
            "{first}; {} more problems are listed",
            rest.len()
        ))),
    }
}

/// First line of a settings file that this command wrote, and may replace.
const WRITTEN: &str = "# Written by rate2spike data.\n";

/// The settings for which an `.npz` has no place. The column of the time is that of recordings
/// that come later.
fn without_place(settings: &Settings) -> Settings {
    Settings {
        sample_ms: None,
        classes: None,
        ..settings.clone()
    }
}

/// The settings for which an `.npz` has no place, and which change it.
fn without_time(settings: &Settings) -> Settings {
    Settings {
        time_column: None,
        ..without_place(settings)
    }
}

/// The settings file beside the output that the command leaves as it is, or an error if it
/// would give the output other settings: another hand wrote it.
fn kept(opened: &Opened, output: &Path) -> Result<bool, CommandError> {
    let failed = |error: data::DataError| CommandError::Failed(error.to_string());
    let Some(path) = file_beside(output).map_err(failed)? else {
        return Ok(false);
    };
    let usual = path == file_of(output);
    disk::check_replaceable(&path)?;
    if usual && disk::read(&path)?.starts_with(WRITTEN.as_bytes()) {
        return Ok(false);
    }
    let wanted = opened.settings();
    let agrees = Settings::beside(output).is_ok_and(|found| {
        let same = |ms: f64| ms == opened.sample_ms();
        found.sample_ms.is_none_or(same)
            && (found.classes.is_none() || found.classes == wanted.classes)
            && (found.time_column.is_none() || found.time_column == wanted.time_column)
            && without_time(&found) == without_time(wanted)
    });
    if agrees {
        return Ok(true);
    }
    Err(CommandError::Usage(format!(
        "--output {}: {} is there, which this command did not write, and gives the data set other settings; move it away, or give another name",
        output.display(),
        path.display()
    )))
}

/// Writes the data set, and beside it the settings for which an `.npz` has no place.
fn write(opened: &Opened, output: &Path) -> Result<Vec<PathBuf>, CommandError> {
    let kept = kept(opened, output)?;
    disk::write_with(output, |file| opened.write(file))?;
    let mut files = vec![output.to_path_buf()];
    let settings = without_place(opened.settings());
    let path = file_of(output);
    // A file of an earlier command would give the data set other settings.
    if !kept && (settings != Settings::default() || path.exists()) {
        let text = toml::to_string(&settings).expect("plain numbers and words");
        disk::write(&path, format!("{WRITTEN}{text}").as_bytes())?;
        files.push(path);
    }
    Ok(files)
}

fn print(summary: &Summary, console: &Console) {
    let goal = match summary.goal {
        Goal::Class => "a class for each trial",
        Goal::Label => "a class for each sample",
        Goal::Track => "targets that the outputs follow",
    };
    let [train, validation, test] = summary.parts;
    let drawn = if summary.parts_given { "" } else { ", drawn" };
    let ms = |samples: usize| samples as f64 * summary.sample_ms;
    console.say(format!("{}: {goal}", summary.path));
    console.say(format!(
        "trials                   {} (train {train}, validation {validation}, test {test}{drawn})",
        summary.trials
    ));
    let lengths = if summary.shortest == summary.samples {
        format!("{} samples", summary.samples)
    } else {
        format!("{} to {} samples", summary.shortest, summary.samples)
    };
    console.say(format!(
        "length                   {lengths} of {} ms, at most {} ms",
        summary.sample_ms,
        ms(summary.samples)
    ));
    console.say(format!("outputs                  {}", summary.outputs));
    if let Some(resolution) = summary.resolution {
        console.say(format!(
            "a board takes            whole numbers: the recorded ones / {resolution}"
        ));
    }
    if summary.inputs.len() != summary.channels
        || summary
            .per_channel
            .iter()
            .zip(&summary.inputs)
            .any(|(channel, input)| channel.name != *input)
    {
        console.say(format!(
            "inputs                   {}",
            summary.inputs.join(", ")
        ));
    }
    if !summary.per_class.is_empty() {
        console.say("");
        console.say(format!(
            "{:<24} {:>8} {:>8} {:>11} {:>8}",
            "class",
            "trials",
            Part::Train.name(),
            Part::Validation.name(),
            Part::Test.name()
        ));
        for class in &summary.per_class {
            let [train, validation, test] = class.parts;
            console.say(format!(
                "{:<24} {:>8} {train:>8} {validation:>11} {test:>8}",
                class.name, class.trials
            ));
        }
    }
    console.say("");
    console.say(format!(
        "{:<24} {:>12} {:>12} {:>12} {:>12}",
        "channel", "least", "most", "mean", "deviation"
    ));
    for channel in &summary.per_channel {
        console.say(format!(
            "{:<24} {:>12.5} {:>12.5} {:>12.5} {:>12.5}",
            channel.name, channel.least, channel.most, channel.mean, channel.deviation
        ));
    }
    console.say("");
    console.say(format!("numbers not finite       {}", summary.not_finite));
    console.say(format!("hash                     {}", summary.hash));
    for problem in &summary.problems {
        console.say(format!("problem                  {problem}"));
    }
}
