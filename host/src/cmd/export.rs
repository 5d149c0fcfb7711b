//! `rate2spike export`: writes the spiking network for other simulators and chips.

use std::path::{Path, PathBuf};

use clap::Args;
use rate2spike_core::neuron::Scheme;
use serde::Serialize;

use super::CommandError;
use super::export_verilog;
use super::shared::{SeedArgs, SpikingArgs, TaskArgs, read_model};
use crate::ending::ends_in;
use crate::export::ExportError;
use crate::export::c;
use crate::export::fidelity::Fidelity;
use crate::export::folder;
use crate::export::nir::{self, Profile};
use crate::export::script::{self, ScriptTrial, Simulator};
use crate::formats::disk;
use crate::formats::outputs::Outputs;
use crate::formats::rate_model::RateModelFile;
use crate::formats::snn::NetFile;
use crate::number::above_0;
use crate::print::console::Console;
use crate::print::path::lossy;
use crate::quantize::longest_step::DEPLOYED_STEP_MS;
use crate::spiking::experiment::{clock, task_trial};
use crate::spiking::network::SpikingNetwork;
use crate::spiking::time_step::TimeStep;

/// Write a network for other simulators, chips and programs
///
/// Example:  rate2spike export MODEL.mat --to brian2 -o net.py
///
/// nir writes the spiking network of a rate model as a graph in HDF5; brian2 and nest
/// write a script that runs one trial and prints its spikes, and the script's numbers in
/// an .npz beside it. Prints which properties the target takes exactly, which nearly, and
/// which it does not have.
///
/// c writes a deployed network NET.snn into a folder: its bytes as an array, the header
/// of the C library, and a program that runs the self-test. verilog writes a folder with
/// logic for an FPGA that gives the same spikes; `make test` in it simulates the self-test.
#[derive(Clone, Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct ExportArgs {
    /// The rate model; for c and verilog the deployed network NET.snn
    #[arg(value_name = "MODEL.mat")]
    pub model: PathBuf,
    /// The format of the export
    #[arg(long, value_enum)]
    pub to: Format,
    /// Nodes of a NIR graph
    #[arg(long, value_enum, default_value = "exact")]
    pub profile: Profile,
    /// The file, for c and verilog the folder [default: the model's name with .nir, _brian2.py, _nest.py,
    /// _c or _logic]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// The spiking network
    #[command(flatten)]
    pub spiking: SpikingArgs,
    /// Time step of a script in ms
    #[arg(long, value_name = "MS", default_value_t = DEPLOYED_STEP_MS, value_parser = above_0)]
    pub dt: f64,
    /// Trial of a script, counted from 0
    #[arg(long, value_name = "K", default_value_t = 0)]
    pub trial: u64,
    /// The seed
    #[command(flatten)]
    pub seed: SeedArgs,
    /// The task
    #[command(flatten)]
    pub task: TaskArgs,
}

/// The format of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// The neuromorphic intermediate representation
    Nir,
    /// A script for Brian2
    Brian2,
    /// A script for NEST
    Nest,
    /// A deployed network for a C program
    C,
    /// A deployed network as logic for an FPGA
    Verilog,
}

impl Format {
    /// The simulator that runs what is written, where that is a script.
    fn simulator(self) -> Option<Simulator> {
        match self {
            Format::Brian2 => Some(Simulator::Brian2),
            Format::Nest => Some(Simulator::Nest),
            Format::Nir | Format::C | Format::Verilog => None,
        }
    }
}

#[derive(Serialize)]
struct ExportReport<'a> {
    #[serde(serialize_with = "lossy")]
    model: &'a Path,
    lambda: f64,
    #[serde(serialize_with = "lossy")]
    files: Vec<PathBuf>,
    fidelity: Vec<Fidelity>,
}

#[derive(Serialize)]
struct ProjectReport<'a> {
    #[serde(serialize_with = "lossy")]
    network: &'a Path,
    #[serde(serialize_with = "lossy")]
    files: Vec<PathBuf>,
}

/// Runs the command.
pub fn run(args: &ExportArgs, console: &Console) -> Result<(), CommandError> {
    if args.to == Format::C {
        return write_project(args, console);
    }
    if args.to == Format::Verilog {
        let (output, task) = (args.output.as_deref(), args.task.task.as_ref());
        return export_verilog::run(&args.model, output, task, console);
    }
    let step = TimeStep::new(args.dt, Scheme::Exact)?;
    let model = read_model(&args.model, console)?;
    let network = args.spiking.network(&model, console)?;
    let (files, fidelity) = match args.to.simulator() {
        Some(simulator) => write_script(args, &model, &network, &step, simulator)?,
        None => write_nir(args, &network)?,
    };
    let report = ExportReport {
        model: &args.model,
        lambda: network.lambda,
        files,
        fidelity,
    };
    console.json(&report);
    print_fidelity(&report.fidelity, console);
    for file in &report.files {
        console.say(format!("written      {}", file.display()));
    }
    Ok(())
}

/// Prints a line for each property.
pub fn print_fidelity(report: &[Fidelity], console: &Console) {
    for line in report {
        console.say(format!(
            "{:<12} {:<24} {}",
            line.degree.name(),
            line.property,
            line.form
        ));
    }
}

/// Writes a deployed network as the files of a project.
fn write_project(args: &ExportArgs, console: &Console) -> Result<(), CommandError> {
    let network = NetFile::read(&args.model)?;
    let folder = match &args.output {
        Some(folder) => folder.clone(),
        None => {
            let stem = args.model.file_stem().unwrap_or_default().to_string_lossy();
            args.model.with_file_name(format!("{stem}_c"))
        }
    };
    let mut outputs = Outputs::new();
    outputs.reads("NET.snn", &args.model);
    let files = c::files(&network.deployed(), network.bytes());
    let files = folder::write(&folder, &files, outputs, c::wrote)?;
    console.json(&ProjectReport {
        network: &args.model,
        files: files.clone(),
    });
    for file in &files {
        console.say(format!("written      {}", file.display()));
    }
    Ok(())
}

fn write_nir(
    args: &ExportArgs,
    network: &SpikingNetwork,
) -> Result<(Vec<PathBuf>, Vec<Fidelity>), CommandError> {
    let path = args
        .output
        .clone()
        .unwrap_or_else(|| args.model.with_extension("nir"));
    if args.output.is_none() {
        outputs(args).derives("--output", &path, nir::wrote)?;
    }
    let bytes = nir::graph(network, args.profile)
        .and_then(|graph| Ok(graph.to_bytes()?))
        .map_err(|source| failed(args, source))?;
    disk::write(&path, &bytes)?;
    Ok((vec![path], nir::fidelity(network, args.profile)))
}

fn write_script(
    args: &ExportArgs,
    model: &RateModelFile,
    network: &SpikingNetwork,
    step: &TimeStep,
    simulator: Simulator,
) -> Result<(Vec<PathBuf>, Vec<Fidelity>), CommandError> {
    let task = args.task.of(model)?;
    step.check_sample(task.sample_ms())?;
    let trial = ScriptTrial {
        input: task_trial(&task, args.seed.seed, args.trial)
            .input
            .into_iter()
            .map(f64::from)
            .collect(),
        clock: clock(&task, step),
        seed: args.seed.seed,
        index: args.trial,
    };
    let path = script_path(args, simulator)?;
    let mut files = outputs(args);
    if args.output.is_none() {
        files.derives("--output", &path, |bytes| simulator.wrote(bytes))?;
    }
    let numbers = script::numbers(network, step, &trial).map_err(|source| failed(args, source))?;
    let beside = path.with_extension("npz");
    files.derives("--output", &beside, |bytes| numbers.is_like(bytes))?;
    numbers.write(&beside)?;
    disk::write(&path, simulator.script().as_bytes())?;
    Ok((vec![path, beside], simulator.fidelity()))
}

fn outputs(args: &ExportArgs) -> Outputs {
    let mut outputs = Outputs::new();
    outputs.reads("MODEL.mat", &args.model);
    outputs
}

fn script_path(args: &ExportArgs, simulator: Simulator) -> Result<PathBuf, CommandError> {
    let Some(path) = &args.output else {
        let stem = args.model.file_stem().unwrap_or_default().to_string_lossy();
        let name = match simulator {
            Simulator::Brian2 => format!("{stem}_brian2.py"),
            Simulator::Nest => format!("{stem}_nest.py"),
        };
        return Ok(args.model.with_file_name(name));
    };
    if !ends_in(path, "py") {
        return Err(CommandError::Usage(format!(
            "{}: a script is written as .py, and its numbers beside it as .npz; give a name that ends in .py",
            path.display()
        )));
    }
    Ok(path.clone())
}

fn failed(args: &ExportArgs, source: ExportError) -> CommandError {
    CommandError::Export {
        path: args.model.clone(),
        source,
    }
}
