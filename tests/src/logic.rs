//! Networks as logic, in the simulators of Verilog.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use rate2spike::export::verilog::image::{Image, LogicTrial, Sizes};
use rate2spike::export::verilog::project::hex;
use rate2spike::spiking::experiment::Experiment;
use rate2spike::spiking::trial::{Input, Memory};
use rate2spike_core::blob::Deployed;
use rate2spike_core::network;
use rate2spike_core::noise::Noise;
use rate2spike_core::trial::SpikeHash;
use tempfile::TempDir;

use crate::emulator::repository;

/// Runs a program to its end and returns what it printed.
pub fn output(command: &mut Command) -> Result<String, String> {
    let output = command
        .output()
        .map_err(|error| format!("{command:?}: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(text);
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    Err(format!("{command:?}: {}\n{text}\n{errors}", output.status))
}

/// Memories for every network of these tests.
pub const SIZES: Sizes = Sizes {
    row_bits: 8,
    table_bits: 12,
    synapse_bits: 14,
    input_bits: 12,
    step_bits: 20,
};

/// Most bytes of an image in these tests.
const IMAGE_BYTES: usize = 1 << 16;

/// A program that simulates Verilog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Verilator: slow to build, millions of clocks a second.
    Verilator,
    /// Icarus Verilog: built at once, slow.
    Icarus,
}

/// The design, built for a simulator.
pub struct Simulator {
    kind: Kind,
    folder: TempDir,
}

/// A trial as logic and core report it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Hash of the spikes.
    pub spike_hash: u64,
    /// Number of spikes.
    pub spikes: u64,
    /// True if the answer is right by the published criterion.
    pub correct: bool,
    /// True if the answer is right by the strict criterion.
    pub strict: bool,
    /// The answer that the output gives.
    pub answer: i16,
    /// The output of each step.
    pub outputs: Vec<i32>,
}

/// The clocks of a trial in logic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clocks {
    /// Clocks of all steps.
    pub total: u64,
    /// Clocks of the first step.
    pub first: u64,
    /// Clocks of the slowest of the other steps.
    pub worst: u64,
}

impl Simulator {
    /// Builds the design of the repository, with `change` made to the source of one of
    /// its modules.
    pub fn build(kind: Kind, change: Option<(&str, &str, &str)>) -> Result<Self, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        let mut sources = vec![at("self_test.v")];
        let logic = repository().join("logic");
        let bench = logic.join("sim/self_test.v");
        std::fs::copy(bench, at("self_test.v")).expect("a test bench");
        for entry in std::fs::read_dir(logic.join("rtl")).expect("the sources") {
            let path = entry.expect("a readable folder").path();
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .expect("a name");
            let mut text = std::fs::read_to_string(&path).expect("a source");
            if let Some((file, from, to)) = change
                && file == name
            {
                assert_eq!(text.matches(from).count(), 1, "{from} in {file}");
                text = text.replace(from, to);
            }
            std::fs::write(at(name), text).expect("a writable folder");
            sources.push(at(name));
        }
        std::fs::write(at("parameters.vh"), parameters()).expect("a writable folder");
        let mut command = match kind {
            Kind::Verilator => {
                let mut command = Command::new("verilator");
                command.args(["--binary", "--timing", "-O3", "-Wno-lint", "-Wno-fatal"]);
                command.args([
                    "--top-module",
                    "self_test",
                    "-CFLAGS",
                    "-O2",
                    "--Mdir",
                    "build",
                ]);
                command
            }
            Kind::Icarus => {
                let mut command = Command::new("iverilog");
                command.args(["-g2005", "-I", ".", "-s", "self_test", "-o", "build.vvp"]);
                command
            }
        };
        output(command.args(sources).current_dir(folder.path()))?;
        Ok(Self { kind, folder })
    }

    /// Runs trials, one after the other.
    pub fn run(&self, images: &[Vec<u8>]) -> Result<Vec<(Outcome, Clocks)>, String> {
        let mut list = String::new();
        for (index, bytes) in images.iter().enumerate() {
            let mut bytes = bytes.clone();
            bytes.resize(IMAGE_BYTES, 0xff);
            let name = format!("{index}.hex");
            std::fs::write(self.folder.path().join(&name), hex(&bytes)).expect("a folder");
            writeln!(list, "{name}").expect("a string takes everything");
        }
        std::fs::write(self.folder.path().join("list"), list).expect("a folder");
        let mut command = match self.kind {
            Kind::Verilator => Command::new(self.folder.path().join("build/Vself_test")),
            Kind::Icarus => {
                let mut command = Command::new("vvp");
                command.args(["-n", "build.vvp"]);
                command
            }
        };
        command.args(["+images=list", "+trace=trace"]);
        let text = output(command.current_dir(self.folder.path()))?;
        let trace = std::fs::read_to_string(self.folder.path().join("trace"))
            .map_err(|error| error.to_string())?;
        let mut outcomes: Vec<_> = text.lines().filter_map(outcome).collect();
        let refused = text.lines().find(|line| line.starts_with("REFUSED"));
        if let Some(line) = refused {
            return Err(line.into());
        }
        for ((outcome, _), outputs) in outcomes.iter_mut().zip(outputs(&trace)) {
            outcome.outputs = outputs;
        }
        Ok(outcomes)
    }
}

fn parameters() -> String {
    format!(
        "localparam ROW_BITS = {};\nlocalparam TABLE_BITS = {};\nlocalparam SYNAPSE_BITS = {};\n\
         localparam INPUT_BITS = {};\nlocalparam STEP_BITS = {};\nlocalparam IMAGE_BYTES = {};\n",
        SIZES.row_bits,
        SIZES.table_bits,
        SIZES.synapse_bits,
        SIZES.input_bits,
        SIZES.step_bits,
        IMAGE_BYTES
    )
}

/// The number behind `name` in a line of the test bench.
fn number<'l>(line: &'l str, name: &str) -> &'l str {
    let (_, rest) = line.split_once(name).unwrap_or_default();
    rest.trim_start()
        .split([',', ' '])
        .next()
        .unwrap_or_default()
}

/// A line that begins with EQUAL or DIFFERENT.
fn outcome(line: &str) -> Option<(Outcome, Clocks)> {
    if !line.starts_with("EQUAL") && !line.starts_with("DIFFERENT") {
        return None;
    }
    let before = |name: &str| line.split_once(name)?.0.rsplit(' ').next()?.parse().ok();
    Some((
        Outcome {
            spike_hash: u64::from_str_radix(number(line, "hash "), 16).ok()?,
            spikes: before(" spikes")?,
            correct: number(line, "correct ") == "1",
            strict: number(line, "strict ") == "1",
            answer: number(line, "answer ").parse().ok()?,
            outputs: Vec::new(),
        },
        Clocks {
            total: before(" clocks")?,
            first: number(line, "first step ").parse().ok()?,
            worst: number(line, "worst ").parse().ok()?,
        },
    ))
}

/// The outputs of each trial of a trace.
fn outputs(trace: &str) -> Vec<Vec<i32>> {
    let mut trials: Vec<Vec<i32>> = Vec::new();
    for line in trace.lines() {
        let mut words = line.split(' ');
        match (words.next(), trials.last_mut()) {
            (Some("t"), _) => trials.push(Vec::new()),
            (Some("o"), Some(outputs)) => {
                outputs.extend(words.nth(1).and_then(|value| value.parse::<i32>().ok()));
            }
            _ => {}
        }
    }
    trials
}

/// The `index`-th trial of an experiment, cut to `steps` steps: its image, and what core
/// makes of it.
pub fn trial(
    experiment: &Experiment<Deployed>,
    index: u64,
    steps: u32,
) -> (Vec<u8>, Outcome, Vec<(u32, u16)>) {
    let deployed = experiment.network;
    let mut short = experiment.clone();
    short.clock.steps = steps.min(experiment.clock.steps);
    let trial = short.trial(index);
    let input: Input<network::Input<Deployed>> = Input::of_trial(short.task.channels(), &trial);
    let mut outcome = Outcome::default();
    let mut hash = SpikeHash::default();
    let mut evidence = rate2spike_core::decision::Evidence::default();
    let mut spikes = Vec::new();
    short.watch(&mut Memory::of(deployed), index, &trial, |step, state| {
        hash.add_step(step, state);
        spikes.extend(state.fired().map(|unit| (step, unit as u16)));
        outcome.outputs.push(state.output().to_bits());
        evidence.see(&short.decision, step, state.outputs());
    });
    outcome.spikes = spikes.len() as u64;
    outcome.spike_hash = hash.value();
    outcome.correct = short.decision.correct(trial.label, &evidence);
    outcome.strict = short.decision.strictly_correct(trial.label, &evidence);
    outcome.answer = short.decision.answer(&evidence);
    let image = Image::of_trial(
        deployed,
        &LogicTrial {
            noise: Noise::new(short.seed, index),
            input: input.values(),
            steps: short.clock.steps,
            label: trial.label,
            spike_hash: outcome.spike_hash,
        },
    );
    (image.expect("the logic takes it").bytes(), outcome, spikes)
}

/// Writes the files of a design into `folder`.
pub fn write_design(network: &Deployed, folder: &Path) -> PathBuf {
    let project = rate2spike::export::verilog::project::Project::new(network);
    let project = project.expect("the logic takes it");
    project.write(folder).expect("a writable folder");
    folder.into()
}
