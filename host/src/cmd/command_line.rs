//! The command line as a whole: the subcommands, and what runs for each.

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use super::console::{Console, PrintArgs};
use super::error::CommandError;
use super::{
    convert, deploy, export, files, import, inspect, pipeline, quantize, report, reproduce, run,
    shell, simulate, sweep, train, trials, watch,
};

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
    Deploy(deploy::DeployArgs),
    Sweep(sweep::SweepArgs),
    Reproduce(reproduce::ReproduceArgs),
    Report(report::ReportArgs),
    Export(export::ExportArgs),
    Import(import::ImportArgs),
    Trials(trials::TrialsArgs),
    Completions(shell::CompletionsArgs),
    Man(shell::ManArgs),
}

impl CommandLine {
    /// The command line of this process.
    ///
    /// # Errors
    /// What clap answers: a usage error, the help or the version.
    pub fn read() -> Result<Self, clap::Error> {
        let mut program = Self::command();
        let matches = program.try_get_matches_from_mut(std::env::args_os())?;
        let line = Self::from_arg_matches(&matches)?;
        files::check(&program, &matches)
            .map_err(|error| program.error(clap::error::ErrorKind::ValueValidation, error))?;
        Ok(line)
    }
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
            Command::Completions(args) => shell::completions(args, CommandLine::command(), console),
            Command::Man(args) => shell::man(args, CommandLine::command(), console),
        }
    }
}
