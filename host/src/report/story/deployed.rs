//! The part of the page about the deployed form: the errors of quantization, and the
//! boards on which the network runs.

use std::path::Path;

use rate2spike_core::blob::Deployed;
use rate2spike_core::neuron::Scheme;

use super::input::{ReportInput, name, texts};
use super::scores;
use crate::board::budget::{Budget, TRIALS};
use crate::board::target::Target;
use crate::quantize::report::Losses;
use crate::quantize::{ArithmeticName, Quantized, self_test};
use crate::report::figures::quantization;
use crate::report::observe::ObservedTrials;
use crate::report::page::{Section, Table};
use crate::spiking::experiment::Experiment;
use crate::spiking::time_step::TimeStep;
use crate::spiking::trial::Deployable;

/// Time step of the deployed form if no file beside the model has one, ms.
const DEPLOYED_STEP_MS: f64 = 0.1;

/// The deployed form of the network of the page, in the numbers of the .snn file beside the
/// model, and that file, which may hold another network.
pub struct DeployedForm<'a> {
    quantized: Result<Quantized, String>,
    /// The numbers.
    pub numbers: ArithmeticName,
    /// Time step, ms.
    pub step_ms: f64,
    file: Option<(&'a Path, &'a [u8])>,
}

impl<'a> DeployedForm<'a> {
    /// Quantizes the spiking form at the time step of the file beside the model, and in its
    /// numbers, `A`.
    pub fn new<A: Deployable>(input: &'a ReportInput) -> Self {
        let file = input
            .deployed
            .as_ref()
            .map(|(path, bytes)| (path.as_path(), bytes.as_slice()));
        let stored = file.and_then(|(_, bytes)| Deployed::<A>::of(bytes).ok());
        let step_ms = stored.map_or(DEPLOYED_STEP_MS, |deployed| {
            f64::from(deployed.payload().step_ns) / 1e6
        });
        let numbers = input.numbers();
        let quantized = TimeStep::new(step_ms, Scheme::Exact)
            .map_err(|error| error.to_string())
            .and_then(|step| {
                numbers
                    .quantize(&input.spiking, &input.trials.task, &step)
                    .map_err(|error| error.to_string())
            });
        Self {
            quantized,
            numbers,
            step_ms,
            file,
        }
    }

    /// The bytes of the deployed form; `None` where the model has none.
    pub fn bytes(&self) -> Option<&[u8]> {
        let quantized = self.quantized.as_ref().ok()?;
        Some(&quantized.bytes)
    }

    /// The file beside the model, where it holds another network.
    fn other_file(&self) -> Option<(&'a Path, &'a [u8])> {
        self.file.filter(|(_, bytes)| self.bytes() != Some(*bytes))
    }

    fn text(&self) -> Option<String> {
        match (&self.quantized, self.file, self.other_file()) {
            (_, Some((path, _)), Some(_)) => Some(format!(
                "{} holds another network: it was made from another model, with another λ or another neuron, or by another version. Its score stands in a table of its own; everything else on this page belongs to the network that this model gives.",
                name(path)
            )),
            (Ok(_), Some((path, _)), None) => Some(format!(
                "{} is, byte for byte, what this model gives.",
                name(path)
            )),
            (Ok(_), None, _) => Some(format!(
                "There is no .snn beside the model; these are the numbers of the one that `rate2spike quantize` would write with steps of {} ms.",
                self.step_ms
            )),
            (Err(_), _, _) => None,
        }
    }
}

/// The part of the page; `deployed` is the deployed form, read from its bytes.
pub fn section<A: Deployable>(
    form: &DeployedForm,
    deployed: Option<&Deployed<A>>,
    trials: &ObservedTrials,
) -> Section {
    let mut section = Section {
        title: "Quantization",
        text: form.text().into_iter().collect(),
        ..Section::default()
    };
    if let (Some(deployed), Some(bytes)) = (deployed, form.bytes()) {
        section.tables.push(facts(deployed, bytes, form.step_ms));
    }
    match &form.quantized {
        Ok(quantized) => {
            section.tables.extend(errors(&quantized.losses));
            section
                .figures
                .push(quantization::errors(&quantized.losses, form.numbers));
        }
        Err(error) => section.text.push(format!(
            "This model has no form in {}: {error}.",
            form.numbers.words()
        )),
    }
    section.tables.extend(
        form.other_file()
            .and_then(|file| score_of::<A>(file, trials)),
    );
    section
}

fn facts<A: Deployable>(deployed: &Deployed<A>, bytes: &[u8], step_ms: f64) -> Table {
    let hash = deployed.payload().self_test.spike_hash;
    let test = if self_test(deployed) == hash {
        "passed here"
    } else {
        "failed here"
    };
    Table::of_facts(&[
        ("bytes", bytes.len().to_string()),
        ("synapses", deployed.synapses().to_string()),
        ("time step", format!("{step_ms} ms")),
        ("self-test hash", format!("{hash:016x}, {test}")),
    ])
}

/// Two tables: relative errors, and errors in mV.
fn errors(losses: &Losses) -> [Table; 2] {
    let rows = |in_mv: bool| {
        let rows = losses.rows().into_iter();
        rows.filter(move |(_, unit, _)| (*unit == "mV") == in_mv)
            .map(|(name, unit, loss)| {
                vec![
                    name.into(),
                    error_text(loss.largest),
                    error_text(loss.rms),
                    unit.into(),
                ]
            })
            .collect()
    };
    let table = |caption: &str, kind: &str, in_mv| Table {
        caption: caption.into(),
        head: texts(&["quantity", "largest", "root mean square", kind]),
        rows: rows(in_mv),
    };
    [
        table("Relative errors", "relative to", false),
        table("Errors of potentials", "unit", true),
    ]
}

/// The score of a file that holds another network.
fn score_of<A: Deployable>(
    (path, bytes): (&Path, &[u8]),
    trials: &ObservedTrials,
) -> Option<Table> {
    let deployed = Deployed::<A>::of(bytes).ok()?;
    let experiment = Experiment::deployed(&deployed, &trials.task, trials.seed);
    let score = scores::deployed(&experiment, trials.count);
    Some(Table {
        caption: format!("{}, another network", name(path)),
        head: score.heads(),
        rows: vec![score.texts()],
    })
}

fn error_text(error: f64) -> String {
    if error == 0.0 {
        return "0".into();
    }
    format!("{error:.2e}").replace('-', "\u{2212}")
}

/// The boards on which the deployed form, the network in `bytes`, runs. Those whose firmware
/// does not step its numbers are left out.
pub fn boards<A: Deployable>(
    experiment: &Experiment<Deployed<A>>,
    bytes: &[u8],
    numbers: ArithmeticName,
) -> Section {
    let targets = Target::ALL.into_iter();
    let targets = targets.filter_map(|target| match numbers {
        ArithmeticName::Fixed => Some(*target),
        ArithmeticName::F32 => target.in_f32(),
    });
    let rows = targets.map(|target| {
        let budget = Budget::new(&target, experiment, bytes, TRIALS);
        let time = &budget.time;
        let share = |cycles: f64| format!("{:.0} %", 100.0 * cycles / time.cycles_available);
        let fits = if budget.misfits().is_empty() {
            "yes"
        } else {
            "no"
        };
        vec![
            target.name.into(),
            fits.into(),
            format!("{} of {}", budget.flash_bytes, budget.flash_room),
            format!("{} bytes", budget.ram_bytes),
            share(time.cycles_mean),
            share(time.cycles_worst),
            time.shortest_step_ms
                .map_or_else(|| "none".into(), |ms| format!("{ms} ms")),
        ]
    });
    Section {
        title: "Boards",
        text: vec![format!(
            "The deployed network on each board at its step of {} ms, estimated from measured cycles and the spikes of its own trials.",
            experiment.step_ms
        )],
        tables: vec![Table {
            head: texts(&[
                "board",
                "fits in real time",
                "flash (bytes)",
                "RAM of the state",
                "time, mean step",
                "time, worst step",
                "shortest step in real time",
            ]),
            rows: rows.collect(),
            ..Table::default()
        }],
        ..Section::default()
    }
}
