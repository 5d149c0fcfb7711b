//! The command line as a whole: the subcommands, and what runs for each.

use std::error::Error;
use std::ffi::OsString;

use clap::builder::ValueRange;
use clap::error::{ContextKind, ErrorKind};
use clap::{Arg, CommandFactory, FromArgMatches, Parser, Subcommand};

use super::error::CommandError;
use super::{
    convert, data, deploy, deploy_args, export, files, idle, import, inspect, pipeline, quantize,
    report, reproduce, run, shell, simulate, sweep, train, trials, watch,
};
use crate::interrupt;
use crate::print::console::{self, Console, PrintArgs};
use crate::rate::fields::whole_number;

/// Train a rate network, carry it onto spiking neurons, run it on a microcontroller.
///
/// Start here:  rate2spike pipeline go-nogo
#[derive(Debug, Parser)]
#[command(
    name = "rate2spike",
    version,
    after_help = "Method: Kim, Li & Sejnowski, PNAS 116:22811 (2019), doi 10.1073/pnas.1905926116."
)]
pub struct CommandLine {
    /// The subcommand and its flags.
    #[command(subcommand)]
    pub command: Command,
    /// What is printed.
    #[command(flatten)]
    pub print: PrintArgs,
}

/// The subcommands, in the order in which `--help` lists them.
#[derive(Debug, Subcommand)]
#[allow(missing_docs)] // The line of each in `--help` stands with its flags.
pub enum Command {
    Pipeline(pipeline::PipelineArgs),
    Train(train::TrainArgs),
    Convert(convert::ConvertArgs),
    Simulate(simulate::SimulateArgs),
    Quantize(quantize::QuantizeArgs),
    Run(run::RunArgs),
    Watch(watch::WatchArgs),
    Inspect(inspect::InspectArgs),
    Deploy(deploy_args::DeployArgs),
    Sweep(sweep::SweepArgs),
    Reproduce(reproduce::ReproduceArgs),
    Report(report::ReportArgs),
    Export(export::ExportArgs),
    Import(import::ImportArgs),
    Trials(trials::TrialsArgs),
    Data(data::DataArgs),
    Completions(shell::CompletionsArgs),
    Man(shell::ManArgs),
}

/// Reads a command line, runs the command, and says how it ended. The first word is the
/// name of the program. Returns the exit status.
pub fn run(words: impl IntoIterator<Item = OsString>) -> u8 {
    interrupt::listen();
    let line = match CommandLine::read_from(words) {
        Ok(line) => line,
        Err(answer) => return console::answer(&answer),
    };
    let console = Console::new(line.print);
    let done = line.command.run(&console);
    let printed = console.finish().map_err(Into::into);
    match done.and(printed) {
        Ok(()) => 0,
        Err(error) => {
            console.complain(&error);
            error.exit_status()
        }
    }
}

impl CommandLine {
    /// Reads a command line whose first word is the program.
    ///
    /// # Errors
    /// The answer in place of a command: a usage error, the help or the version.
    pub fn read_from<W: Into<OsString> + Clone>(
        words: impl IntoIterator<Item = W>,
    ) -> Result<Self, clap::Error> {
        let mut program = Self::program();
        let matches = program
            .try_get_matches_from_mut(words)
            .map_err(with_way_out)?;
        let line = Self::from_arg_matches(&matches)?;
        idle::check(&program, &matches)
            .and_then(|()| files::check(&program, &matches))
            .map_err(|error| program.error(ErrorKind::ValueValidation, error))?;
        Ok(line)
    }

    /// The program with its commands and flags.
    pub fn program() -> clap::Command {
        Self::command().mut_subcommands(|command| command.mut_args(as_typed))
    }
}

/// `argument` as a hand types it: a name with hyphens is also read with underscores and
/// the other way round, and a value that begins with a minus sign is read as a value, so
/// that the answer names the flag.
fn as_typed(argument: Arg) -> Arg {
    let Some(long) = argument.get_long() else {
        return argument;
    };
    let mut names: Vec<String> = vec![long.into()];
    let aliases = argument.get_all_aliases().unwrap_or_default();
    names.extend(aliases.into_iter().map(String::from));
    let mut others = Vec::new();
    for name in &names {
        for other in [name.replace('-', "_"), name.replace('_', "-")] {
            if !names.contains(&other) && !others.contains(&other) {
                others.push(other);
            }
        }
    }
    let argument = argument.aliases(others);
    let id = argument.get_id().as_str();
    let is_file = files::INPUTS.contains(&id) || files::is_output(id);
    if is_file || !argument.get_action().takes_values() {
        return argument;
    }
    // A flag that takes several values, or perhaps none, ends at the next flag.
    let one = |values: ValueRange| values.min_values() == 1 && values.max_values() == 1;
    if argument.get_num_args().is_none_or(one) {
        return argument.allow_hyphen_values(true);
    }
    argument.allow_negative_numbers(true)
}

/// Adds advice to an error about a whole number.
fn with_way_out(error: clap::Error) -> clap::Error {
    let Some(digits) = error.source().and_then(|cause| cause.downcast_ref()) else {
        return error;
    };
    let part = |kind| {
        error
            .get(kind)
            .map_or_else(String::new, |part| part.to_string())
    };
    clap::Error::raw(
        ErrorKind::ValueValidation,
        format!(
            "invalid value '{}' for '{}': {}\n\nFor more information, try '--help'.\n",
            part(ContextKind::InvalidValue),
            part(ContextKind::InvalidArg),
            whole_number(digits)
        ),
    )
}

impl Command {
    /// Runs the subcommand.
    ///
    /// # Errors
    /// [`CommandError`].
    pub fn run(&self, console: &Console) -> Result<(), CommandError> {
        match self {
            Command::Pipeline(args) => pipeline::run(args, console),
            Command::Train(args) => train::run(args, console),
            Command::Convert(args) => convert::run(args, console),
            Command::Simulate(args) => simulate::run(args, console),
            Command::Quantize(args) => quantize::run(args, console),
            Command::Run(args) => run::run(args, console),
            Command::Watch(args) => watch::run(args, console),
            Command::Inspect(args) => inspect::run(args, console),
            Command::Deploy(args) => deploy::run(args, console),
            Command::Sweep(args) => sweep::run(args, console),
            Command::Reproduce(args) => reproduce::run(args, console),
            Command::Report(args) => report::run(args, console),
            Command::Export(args) => export::run(args, console),
            Command::Import(args) => import::run(args, console),
            Command::Trials(args) => trials::run(args, console),
            Command::Data(args) => data::run(args, console),
            Command::Completions(args) => shell::completions(args, CommandLine::program(), console),
            Command::Man(args) => shell::man(args, CommandLine::program(), console),
        }
    }
}
