//! `rate2spike inspect`: what a file holds, or what is wrong with it.

use std::path::{Path, PathBuf};

use clap::Args;
use rate2spike_core::blob::MAGIC;
use serde::Serialize;

use super::CommandError;
use super::shared::OwnTaskArgs;
use super::warnings::Warnings;
use crate::convert::model_file::stored_flags;
use crate::ending::ends_in;
use crate::formats::disk;
use crate::formats::mat::{MatFile, Value};
use crate::formats::model_checks;
use crate::formats::names::{self, LAMBDA};
use crate::formats::rate_model::{self, RateModelFile};
use crate::formats::snn::{AnyNetFile, NetFile, SnnError};
use crate::number::{hexadecimal, shown};
use crate::print::console::Console;
use crate::spiking::trial::Deployable;
use crate::task::SAMPLE_MS;

/// Say what a file holds, or what is wrong with it
///
/// Example:  rate2spike inspect net.snn
#[derive(Clone, Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct InspectArgs {
    /// A deployed network (.snn) or a MAT-file
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The task of a deployed network
    #[command(flatten)]
    pub task: OwnTaskArgs,
}

/// A name and what stands for it, in the order of printing.
type Facts = Vec<(&'static str, serde_json::Value)>;

#[derive(Serialize)]
struct Variable {
    name: String,
    size: String,
    class: String,
}

/// Runs the command.
pub fn run(args: &InspectArgs, console: &Console) -> Result<(), CommandError> {
    let bytes = disk::read(&args.file)?;
    let named_snn = ends_in(&args.file, "snn");
    if named_snn || bytes.starts_with(&MAGIC) {
        return match AnyNetFile::new(&args.file, bytes)? {
            AnyNetFile::Fixed(file) => {
                let shared = file.deployed().payload().shared;
                let threshold_mv = shared.threshold.to_num::<f64>();
                let reset_mv = shared.reset.to_num::<f64>() * f64::from(shared.unit_mv);
                let potentials = [threshold_mv, threshold_mv + reset_mv];
                network(args, console, &file, potentials)
            }
            AnyNetFile::Float(file) => {
                let shared = file.deployed().payload().shared;
                let potentials = [shared.threshold, shared.reset].map(f64::from);
                network(args, console, &file, potentials)
            }
        };
    }
    if args.task.task.is_some() {
        return Err(CommandError::Usage(format!(
            "--task is for a deployed network, which holds only the name of its task, and {} is a MAT-file: leave --task out",
            args.file.display()
        )));
    }
    // A pipe is read once: both views of the file are made from its bytes.
    let file = rate_model::parse_mat(&args.file, &bytes)?;
    let variables = variables(&file);
    let problems = model_problems(&args.file, &file);
    if !model_checks::is_meant_as_model(&file) {
        let mut facts = vec![("kind", "MAT-file".into())];
        if let Some(problem) = problems.first() {
            facts.push(("not a rate model", problem.clone().into()));
        }
        print_facts(args, console, &facts, &variables);
        return Ok(());
    }
    let mut facts = match RateModelFile::from_variables(&args.file, file) {
        Ok(model) => {
            console.warn_all(model.warnings());
            model_facts(&model)
        }
        Err(_) => vec![("kind", "damaged rate model".into())],
    };
    if console.wants_json() {
        facts.push(("problems", problems.clone().into()));
    } else {
        facts.extend(
            problems
                .iter()
                .map(|problem| ("problem", problem.clone().into())),
        );
    }
    print_facts(args, console, &facts, &variables);
    match &problems[..] {
        [] => Ok(()),
        [problem] => Err(CommandError::Failed(problem.clone())),
        [first, rest @ ..] => Err(CommandError::Failed(format!(
            "{first}; {} more problems are listed with the file's contents",
            rest.len()
        ))),
    }
}

/// Says what a deployed network holds; its threshold and reset are `potentials`, in mV.
fn network<A: Deployable>(
    args: &InspectArgs,
    console: &Console,
    file: &NetFile<A>,
    potentials: [f64; 2],
) -> Result<(), CommandError> {
    let mut warnings = Warnings::default();
    let mut facts = blob_facts(file, potentials);
    let (tested, fault) = tested_facts(args, file, &mut warnings);
    facts.extend(tested);
    warnings.say(console);
    print_facts(args, console, &facts, &[]);
    fault.map_or(Ok(()), |fault| Err(fault.into()))
}

/// All for which another command refuses the model, in sentences.
fn model_problems(path: &Path, file: &MatFile) -> Vec<String> {
    let found = model_checks::check(path, file).problems;
    let lambda = model_checks::stored_lambda(path, file).err();
    let flags = stored_flags(path, file).err();
    let task = rate_model::own_task(path, file).err();
    let all = found.into_iter().chain(lambda).chain(flags).chain(task);
    all.map(|problem| problem.to_string()).collect()
}

fn blob_facts<A: Deployable>(file: &NetFile<A>, [threshold_mv, reset_mv]: [f64; 2]) -> Facts {
    let deployed = file.deployed();
    let payload = deployed.payload();
    let shared = &payload.shared;
    let step_ms = f64::from(payload.step_ns) / 1e6;
    vec![
        ("kind", "deployed network".into()),
        ("task", String::from_utf8_lossy(payload.task).into()),
        (
            "task hash",
            payload.task_hash.map_or("none".into(), hexadecimal).into(),
        ),
        ("arithmetic", A::NAME.into()),
        ("units", shared.units.into()),
        ("inputs", shared.inputs.into()),
        ("synapses", deployed.synapses().into()),
        ("bytes", file.bytes().len().into()),
        ("time step (ms)", step_ms.into()),
        (
            "trial (s)",
            (f64::from(payload.clock.steps) * step_ms / 1000.0).into(),
        ),
        (
            "lambda",
            (f64::from(payload.lambda_thousandths) / 1000.0).into(),
        ),
        (
            "filter",
            if shared.double_filter {
                "double"
            } else {
                "single"
            }
            .into(),
        ),
        ("threshold (mV)", threshold_mv.into()),
        ("reset (mV)", reset_mv.into()),
        (
            "refractory (ms)",
            (f64::from(shared.refractory_steps) * step_ms).into(),
        ),
        (
            "readout filters",
            (payload.filters.len() / A::FILTER_BYTES).into(),
        ),
        (
            "self-test hash",
            hexadecimal(payload.self_test.spike_hash).into(),
        ),
    ]
}

/// Whether the task's description is the one that the network was made for, and what
/// the self-test gives; the error, if the task that was asked for is another. The self-test is not run where the trial is not a trial of the
/// task, since it could take any time.
fn tested_facts<A: Deployable>(
    args: &InspectArgs,
    file: &NetFile<A>,
    warnings: &mut Warnings,
) -> (Facts, Option<SnnError>) {
    let tested = file.tested_task(args.task.task.as_ref());
    let has_hash = file.deployed().payload().task_hash.is_some();
    let self_test = match &tested {
        Ok(_) => "passed",
        Err(SnnError::SelfTest { .. }) => "failed",
        Err(_) => "not run",
    };
    let description = match &tested {
        _ if !has_hash => "not stored",
        Ok(_) | Err(SnnError::SelfTest { .. } | SnnError::Clock { .. }) => "unchanged",
        Err(SnnError::ChangedTask { .. }) => "changed",
        Err(_) => "not compared",
    };
    let asked = args.task.task.is_some();
    let mut other = None;
    match tested {
        Ok(_) => (),
        Err(fault @ (SnnError::ChangedTask { .. } | SnnError::OtherTask { .. })) if asked => {
            other = Some(fault);
        }
        Err(fault @ SnnError::SelfTest { .. }) => warnings.of_self_test(&fault),
        Err(fault) => warnings.of_task(&fault),
    }
    let facts = vec![
        ("task description", description.into()),
        ("self-test", self_test.into()),
    ];
    (facts, other)
}

fn model_facts(model: &RateModelFile) -> Facts {
    let network = &model.network;
    let inhibitory = network
        .inhibitory
        .iter()
        .filter(|inhibitory| **inhibitory)
        .count();
    let connections = network
        .effective_weights()
        .iter()
        .filter(|w| **w != 0.0)
        .count();
    let mut facts: Facts = vec![
        ("kind", "rate model".into()),
        (
            "task",
            model
                .task()
                .map_or("unknown".into(), |task| task.name().into()),
        ),
        ("units", network.units.into()),
        ("inhibitory", inhibitory.into()),
        ("inputs", network.channels.into()),
        ("connections", connections.into()),
        ("activation", network.activation.name().into()),
    ];
    if network.sample_ms == SAMPLE_MS {
        facts.push(("decay times (steps of 5 ms)", network.taus.numbers().into()));
    } else {
        facts.push(("step (ms)", network.sample_ms.into()));
        facts.push(("decay times (steps)", network.taus.numbers().into()));
    }
    if network.readout.outputs() > 1 {
        facts.push(("outputs", network.readout.outputs().into()));
    }
    if let Some(updates) = model.updates() {
        facts.push(("updates", updates.into()));
    }
    for (fact, name) in [
        ("accuracy", names::EVAL_ACCURACY),
        ("loss", names::EVAL_LOSS),
    ] {
        if let Ok(value) = model.variables.scalar(name) {
            facts.push((fact, value.into()));
        }
    }
    match model.stored_lambda() {
        Ok(Some(lambda)) => facts.push(("lambda", lambda.into())),
        Ok(None) if model.variables.get(LAMBDA).is_ok() => {
            facts.push(("lambda", "none: an interrupted search left NaN".into()));
        }
        // A problem of its own where it is of another form.
        Ok(None) | Err(_) => {}
    }
    if let Ok(Some(flags)) = model.conversion_flags() {
        facts.push(("converted with", flags.to_string().into()));
    }
    facts
}

fn variables(file: &MatFile) -> Vec<Variable> {
    file.variables()
        .map(|(name, value)| {
            let (size, class) = match value {
                Value::Array(array) => {
                    let dims: Vec<String> = array.dims().iter().map(usize::to_string).collect();
                    (dims.join(" x "), array.class().to_string())
                }
                Value::Unsupported(unsupported) => {
                    (String::new(), format!("{} (not read)", unsupported.kind()))
                }
            };
            Variable {
                name: name.into(),
                size,
                class,
            }
        })
        .collect()
}

/// A fact as people read it: a text without quotes, a number without superfluous digits.
fn plain(fact: &serde_json::Value) -> String {
    use serde_json::Value;
    match fact {
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => number
            .as_f64()
            .map_or_else(|| number.to_string(), |x| shown(x).to_string()),
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(plain).collect();
            format!("[{}]", values.join(","))
        }
        other => other.to_string(),
    }
}

fn print_facts(args: &InspectArgs, console: &Console, facts: &Facts, variables: &[Variable]) {
    if console.wants_json() {
        let mut object: serde_json::Map<String, serde_json::Value> = facts
            .iter()
            .map(|(name, value)| ((*name).into(), value.clone()))
            .collect();
        object.insert("file".into(), args.file.to_string_lossy().into());
        if !variables.is_empty() {
            let list = serde_json::to_value(variables).expect("plain strings");
            object.insert("variables".into(), list);
        }
        return console.json(&object);
    }
    console.say(args.file.display());
    for (name, value) in facts {
        let value = plain(value);
        console.say(format!("  {name:<28} {value}"));
    }
    for variable in variables {
        console.say(format!(
            "  {:<20} {:<14} {}",
            variable.name, variable.size, variable.class
        ));
    }
}
