//! `rate2spike inspect`: what a file holds, or what is wrong with it.

use std::path::PathBuf;

use clap::Args;
use rate2spike_core::blob::{Deployed, MAGIC};
use serde::Serialize;

use super::console::Console;
use super::warnings::Warnings;
use super::{CommandError, hexadecimal};
use crate::formats::mat::{MatFile, Value};
use crate::formats::rate_model::{self, RateModelFile};
use crate::formats::{disk, snn};
use crate::quantize::self_test;

/// Say what a file holds, or what is wrong with it
///
/// Example:  rate2spike inspect net.snn
#[derive(Clone, Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct InspectArgs {
    /// A deployed network (.snn) or a MAT-file
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
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
    let named_snn = args
        .file
        .extension()
        .is_some_and(|extension| extension == "snn");
    if named_snn || bytes.starts_with(&MAGIC) {
        let deployed = snn::read(&args.file, &bytes)?;
        let mut warnings = Warnings::default();
        let mut facts = blob_facts(&bytes, &deployed);
        facts.push((
            "self-test",
            self_test_fact(args, &deployed, &mut warnings).into(),
        ));
        warnings.say(console);
        if console.wants_json() {
            let sentences = serde_json::to_value(&warnings).expect("plain strings");
            facts.push(("warnings", sentences));
        }
        print_facts(args, console, &facts, &[]);
        return Ok(());
    }
    // A pipe is read once: both views of the file are made from its bytes.
    let file = rate_model::parse_mat(&args.file, &bytes)?;
    let facts = match RateModelFile::from_variables(&args.file, file.clone()) {
        Ok(model) => model_facts(&model),
        Err(error) => vec![
            ("kind", "MAT-file".into()),
            ("not a rate model", error.to_string().into()),
        ],
    };
    print_facts(args, console, &facts, &variables(&file));
    Ok(())
}

fn blob_facts(bytes: &[u8], deployed: &Deployed) -> Facts {
    let payload = deployed.payload();
    let shared = &payload.shared;
    let threshold_mv = shared.threshold.to_num::<f64>();
    let reset_mv = threshold_mv + shared.reset.to_num::<f64>() * f64::from(shared.unit_mv);
    let step_ms = f64::from(payload.step_ns) / 1e6;
    vec![
        ("kind", "deployed network".into()),
        ("task", String::from_utf8_lossy(&payload.task).into()),
        ("units", shared.units.into()),
        ("inputs", shared.inputs.into()),
        ("synapses", deployed.synapses().into()),
        ("bytes", bytes.len().into()),
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
            (payload.filters.len() / rate2spike_core::blob::FILTER_BYTES).into(),
        ),
        (
            "self-test hash",
            hexadecimal(payload.self_test.spike_hash).into(),
        ),
    ]
}

/// What the self-test gives. It is not run where the trial is none of the
/// task's, since it could take any time.
fn self_test_fact(
    args: &InspectArgs,
    deployed: &Deployed,
    warnings: &mut Warnings,
) -> &'static str {
    if let Err(fault) = snn::task(&args.file, deployed, None) {
        warnings.of_task(&fault);
        return "not run";
    }
    let (wanted, found) = (deployed.payload().self_test.spike_hash, self_test(deployed));
    warnings.of_self_test(wanted, found);
    if wanted == found { "passed" } else { "failed" }
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
        ("decay times (steps of 5 ms)", network.taus.numbers().into()),
    ];
    for (fact, name) in [
        ("updates", "tr"),
        ("accuracy", "eval_perf_mean"),
        ("loss", "eval_loss_mean"),
        ("lambda", "opt_scaling_factor"),
    ] {
        if let Ok(value) = model.variables.scalar(name) {
            facts.push((fact, value.into()));
        }
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
        let value = value.as_str().map_or_else(|| value.to_string(), Into::into);
        console.say(format!("  {name:<28} {value}"));
    }
    for variable in variables {
        console.say(format!(
            "  {:<20} {:<14} {}",
            variable.name, variable.size, variable.class
        ));
    }
}
