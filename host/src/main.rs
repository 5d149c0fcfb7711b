//! The command line.

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use rate2spike::cmd;

/// Train a rate network, carry it onto spiking neurons, run it on a microcontroller.
///
/// Start here:  rate2spike pipeline go-nogo
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Method: Kim, Li & Sejnowski, PNAS 116:22811 (2019), doi 10.1073/pnas.1905926116."
)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Pipeline(cmd::pipeline::PipelineArgs),
    Train(cmd::train::TrainArgs),
    Convert(cmd::convert::ConvertArgs),
    Simulate(cmd::simulate::SimulateArgs),
    Quantize(cmd::quantize::QuantizeArgs),
    Run(cmd::run::RunArgs),
    Watch(cmd::watch::WatchArgs),
    Inspect(cmd::inspect::InspectArgs),
    Deploy(cmd::deploy::DeployArgs),
    Sweep(cmd::sweep::SweepArgs),
    Reproduce(cmd::reproduce::ReproduceArgs),
    Report(cmd::report::ReportArgs),
    Export(cmd::export::ExportArgs),
    Import(cmd::import::ImportArgs),
    Trials(cmd::trials::TrialsArgs),
    Completions(cmd::shell::CompletionsArgs),
    Man(cmd::shell::ManArgs),
}

fn main() -> ExitCode {
    let result = match CommandLine::parse().command {
        Command::Pipeline(args) => cmd::pipeline::run(&args),
        Command::Train(args) => cmd::train::run(&args),
        Command::Convert(args) => cmd::convert::run(&args),
        Command::Simulate(args) => cmd::simulate::run(&args),
        Command::Quantize(args) => cmd::quantize::run(&args),
        Command::Run(args) => cmd::run::run(&args),
        Command::Watch(args) => cmd::watch::run(&args),
        Command::Inspect(args) => cmd::inspect::run(&args),
        Command::Deploy(args) => cmd::deploy::run(&args),
        Command::Sweep(args) => cmd::sweep::run(&args),
        Command::Reproduce(args) => cmd::reproduce::run(&args),
        Command::Report(args) => cmd::report::run(&args),
        Command::Export(args) => cmd::export::run(&args),
        Command::Import(args) => cmd::import::run(&args),
        Command::Trials(args) => cmd::trials::run(&args),
        Command::Completions(args) => cmd::shell::completions(&args, CommandLine::command()),
        Command::Man(args) => cmd::shell::man(&args, CommandLine::command()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rate2spike: {error}");
            ExitCode::from(error.exit_status())
        }
    }
}
