//! What a page tells, part by part, in the order of the pipeline.

use std::path::{Path, PathBuf};

use rate2spike_core::blob::Deployed;
use rate2spike_core::neuron::Scheme;

use super::figures::{
    activity, conversion, network, output, principal, quantization, raster, training,
};
use super::observe::{self, Observation, Trials};
use super::page::{Page, Section, Table};
use crate::board::budget::Budget;
use crate::board::target::Target;
use crate::convert::ConvertError;
use crate::convert::search::{Candidate, Search};
use crate::formats::history::History;
use crate::formats::rate_model::RateModelFile;
use crate::quantize::longest_step::DEPLOYED_STEP_MS;
use crate::quantize::{Quantized, quantize, self_test};
use crate::rate::activation::ActivationKind;
use crate::rate::options::{DecayTaus, Loss, RateOptions};
use crate::rate::training::{EvaluationTrials, evaluate};
use crate::spiking::experiment::score_f64;
use crate::spiking::experiment::{Experiment, Score};
use crate::spiking::network::SpikingNetwork;
use crate::spiking::neuron::Neuron;
use crate::spiking::time_step::TimeStep;
use crate::statistics::Interval;
use crate::task::{SAMPLE_MS, Task};

/// A run, as it lies on disk.
#[derive(Clone, Debug)]
pub struct ReportInput {
    /// The rate model.
    pub model: RateModelFile,
    /// How it came about, if that is known.
    pub history: Option<History>,
    /// Its spiking form.
    pub spiking: SpikingNetwork,
    /// The deployed network, if there is one.
    pub deployed: Option<(PathBuf, Vec<u8>)>,
    /// Candidates of the search that is shown.
    pub lambdas: Vec<f64>,
    /// Trials of every score and figure.
    pub trials: Trials,
}

/// The numbers that a script may want of a page.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct Numbers {
    /// Accuracy of the rate network, the spiking one and the deployed one.
    pub accuracy: [Option<f64>; 3],
    /// The same by the strict criterion.
    pub strict: [Option<f64>; 3],
    /// Mean firing rate of the spiking network's units.
    pub mean_rate_hz: f64,
}

/// One row of the table of scores.
struct FormScore {
    name: String,
    accuracy: f64,
    interval: Interval,
    strict: f64,
    rate_hz: Option<f64>,
}

impl FormScore {
    fn spiking(name: String, score: &Score) -> Self {
        Self {
            name,
            accuracy: score.accuracy(),
            interval: Interval::wilson(score.correct, score.trials),
            strict: score.strict_accuracy(),
            rate_hz: Some(score.mean_rate_hz),
        }
    }

    fn texts(&self) -> Vec<String> {
        vec![
            self.name.clone(),
            format!("{:.3}", self.accuracy),
            format!("{:.3} to {:.3}", self.interval.low, self.interval.high),
            format!("{:.3}", self.strict),
            self.rate_hz
                .map_or_else(String::new, |rate| format!("{rate:.1} Hz")),
        ]
    }
}

/// The fixed-point form, and where it comes from.
struct Fixed<'a> {
    quantized: Result<Quantized, String>,
    step_ms: f64,
    /// The file's bytes; else those of `quantized`.
    file: Option<(&'a Path, &'a [u8])>,
}

impl<'a> Fixed<'a> {
    fn new(input: &'a ReportInput, network: &SpikingNetwork) -> Self {
        let file = input
            .deployed
            .as_ref()
            .map(|(path, bytes)| (path.as_path(), bytes.as_slice()));
        let stored = file.and_then(|(_, bytes)| Deployed::read(bytes).ok());
        let step_ms = stored.map_or(DEPLOYED_STEP_MS, |deployed| {
            f64::from(deployed.payload().step_ns) / 1e6
        });
        let quantized = TimeStep::new(step_ms, Scheme::Exact)
            .map_err(|error| error.to_string())
            .and_then(|step| {
                quantize(network, &input.trials.task, &step).map_err(|error| error.to_string())
            });
        Self {
            quantized,
            step_ms,
            file,
        }
    }

    fn bytes(&self) -> Option<&[u8]> {
        let made = self
            .quantized
            .as_ref()
            .ok()
            .map(|quantized| quantized.bytes.as_slice());
        self.file.map(|(_, bytes)| bytes).or(made)
    }
}

/// Tells the story of `run`; `told` is called after each of [`PARTS`] parts.
///
/// # Errors
/// If the model cannot be converted.
pub fn tell(input: &ReportInput, mut told: impl FnMut()) -> Result<(Page, Numbers), ConvertError> {
    let trials = &input.trials;
    let rate = &input.model.network;
    let spiking = &input.spiking;
    let fluctuations = fluctuations(input);
    let fixed = Fixed::new(input, spiking);

    let seen_rate = observe::rate(rate, fluctuations, trials);
    told();
    let seen_spiking = observe::spiking(spiking, trials);
    told();
    let deployed = fixed.bytes().and_then(|bytes| Deployed::read(bytes).ok());
    let experiment = deployed
        .as_ref()
        .map(|deployed| Experiment::deployed(deployed, &trials.task, trials.seed));
    let seen_deployed = deployed
        .as_ref()
        .map(|deployed| observe::deployed(deployed, trials));
    let rows = scores(input, fluctuations, spiking, experiment.as_ref());
    told();
    let candidates = search(input)?;
    told();

    let mut forms = vec![
        ("rate network", &seen_rate),
        ("spiking network", &seen_spiking),
    ];
    if let Some(seen) = &seen_deployed {
        forms.push(("deployed network", seen));
    }
    let units = rate.units;
    let mut sections = vec![
        result(input, &rows, output::outputs(trials, &forms)),
        task(trials),
        trained(input),
        converted(input, &candidates),
        active(input, &seen_rate, &seen_spiking, units),
        quantized(&fixed, deployed.as_ref()),
    ];
    if let Some(experiment) = &experiment {
        let bytes = fixed.bytes().map_or(0, <[u8]>::len);
        sections.push(boards(experiment, bytes));
    }
    sections.push(commands(input, fixed.step_ms));
    told();
    let page = Page {
        title: format!(
            "{}, {units} units: rate network to spiking network",
            trials.task.name()
        ),
        lead: lead(&rows, input),
        sections,
    };
    let all = |value: fn(&FormScore) -> f64| std::array::from_fn(|form| rows.get(form).map(value));
    let numbers = Numbers {
        accuracy: all(|row| row.accuracy),
        strict: all(|row| row.strict),
        mean_rate_hz: rows[1].rate_hz.unwrap_or_default(),
    };
    Ok((page, numbers))
}

/// How often [`tell`] calls back.
pub const PARTS: u64 = 5;

/// Those of the training; of a model that does not say, those that its
/// activation has by default.
fn fluctuations(input: &ReportInput) -> f32 {
    let by_default = f32::from(u8::from(
        input.model.network.activation == ActivationKind::Lif,
    ));
    input
        .history
        .as_ref()
        .map_or(by_default, |history| history.options.fluctuations)
}

fn scores(
    input: &ReportInput,
    fluctuations: f32,
    spiking: &SpikingNetwork,
    experiment: Option<&Experiment<Deployed>>,
) -> Vec<FormScore> {
    let trials = &input.trials;
    let fresh = EvaluationTrials::fresh(trials.seed, trials.count, fluctuations);
    let loss = input
        .history
        .as_ref()
        .map_or(Loss::L2, |history| history.options.loss);
    let evaluation = evaluate(&input.model.network, &trials.task, loss, fresh);
    let right = (evaluation.accuracy * trials.count as f64).round() as usize;
    let mut rows = vec![
        FormScore {
            name: "rate network".into(),
            accuracy: evaluation.accuracy,
            interval: Interval::wilson(right, trials.count),
            strict: evaluation.strict,
            rate_hz: None,
        },
        FormScore::spiking(
            format!("spiking network, f64, {} ms", TimeStep::PUBLISHED.ms),
            &score_f64(
                spiking,
                &trials.task,
                &TimeStep::PUBLISHED,
                trials.seed,
                trials.count,
            ),
        ),
    ];
    rows.extend(experiment.map(|experiment| {
        let name = format!("deployed network, fixed point, {} ms", experiment.step_ms);
        FormScore::spiking(name, &experiment.score(trials.count))
    }));
    rows
}

fn search(input: &ReportInput) -> Result<Vec<Candidate>, ConvertError> {
    Search {
        network: &input.model.network,
        task: input.trials.task.clone(),
        neuron: Neuron::LIF,
        step: TimeStep::PUBLISHED,
        lambdas: &input.lambdas,
        trials: input.trials.count,
        seed: input.trials.seed,
        race: false,
    }
    .scores()
}

fn lead(rows: &[FormScore], input: &ReportInput) -> String {
    // A number keeps its unit on its line.
    let percent = |row: &FormScore| format!("{:.0}\u{a0}%", 100.0 * row.accuracy);
    let mut lead = format!(
        "The rate network answers {} of {} trials of {} right, its spiking form {}",
        percent(&rows[0]),
        input.trials.count,
        input.trials.task.name(),
        percent(&rows[1])
    );
    if let Some(deployed) = rows.get(2) {
        lead += &format!(
            ", and the fixed-point network that runs on a microcontroller {}",
            percent(deployed)
        );
    }
    lead + "."
}

/// The page may be read elsewhere: a file is named, and not where it lay.
fn name(path: &Path) -> String {
    path.file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into()
}

fn texts(all: &[&str]) -> Vec<String> {
    all.iter().map(|text| text.to_string()).collect()
}

fn result(input: &ReportInput, rows: &[FormScore], outputs: super::figures::Figure) -> Section {
    Section {
        title: "Result",
        text: vec![format!(
            "Over {} trials with seed {}. The published criterion looks at the output's extreme, which noise can pass by luck; the strict one at its mean.",
            input.trials.count, input.trials.seed
        )],
        tables: vec![Table {
            head: texts(&[
                "",
                "accuracy",
                "95 % interval",
                "strict",
                "mean firing rate",
            ]),
            rows: rows.iter().map(FormScore::texts).collect(),
        }],
        figures: vec![outputs],
        ..Section::default()
    }
}

fn task(trials: &Trials) -> Section {
    let task = &trials.task;
    let names: Vec<&str> = trials
        .labels()
        .iter()
        .map(|label| task.label_name(*label))
        .collect();
    Section {
        title: "Task",
        text: vec![format!(
            "{}: {} input{}, {} s a trial; answers: {}.",
            task.name(),
            task.channels(),
            if task.channels() == 1 { "" } else { "s" },
            task.samples() as f64 * SAMPLE_MS / 1000.0,
            names.join(", ")
        )],
        figures: vec![output::inputs(trials)],
        ..Section::default()
    }
}

fn trained(input: &ReportInput) -> Section {
    let (model, rate) = (&input.model, &input.model.network);
    let inhibitory = rate.inhibitory.iter().filter(|i| **i).count();
    let weights = rate.effective_weights();
    let connections = weights.iter().filter(|w| **w != 0.0).count();
    let mut facts = vec![
        ("file", name(&model.path)),
        (
            "units",
            format!("{}, {inhibitory} of them inhibitory", rate.units),
        ),
        (
            "connections",
            format!(
                "{connections}, {:.1} % of all pairs",
                100.0 * connections as f64 / (rate.units * rate.units) as f64
            ),
        ),
        ("activation", rate.activation.name().into()),
        (
            "Dale's principle",
            if rate.dale { "yes" } else { "no" }.into(),
        ),
    ];
    if let Ok(last) = model.variables.scalar("tr") {
        facts.push(("updates", (last + 1.0).to_string()));
    }
    if let Some(history) = &input.history {
        let options = &history.options;
        facts.extend([
            ("trials of an update", options.batch.to_string()),
            ("learning rate", options.learning_rate.to_string()),
            ("gain at the start", options.gain.to_string()),
            ("seed", options.seed.to_string()),
            ("trained by", format!("rate2spike {}", history.version)),
        ]);
    }
    let mut losses = model.variables.vector("losses").unwrap_or_default();
    while losses.last() == Some(&0.0) {
        losses.pop();
    }
    let evaluations = input
        .history
        .as_ref()
        .map_or(&[][..], |history| &history.evaluations);
    let mut figures = Vec::new();
    if !losses.is_empty() {
        figures.push(training::training(&losses, evaluations));
    }
    let decay_ms = |network: &crate::rate::network::RateNetwork| -> Vec<f64> {
        network
            .decay_steps()
            .iter()
            .map(|tau| tau * SAMPLE_MS)
            .collect()
    };
    if let Ok(start) = model.initial() {
        if let (DecayTaus::Trained(..), Some(before)) = (rate.taus, start_taus(input)) {
            figures.push(network::time_constants(&before, &decay_ms(rate)));
        }
        figures.extend(network::eigenvalues(
            &start.effective_weights(),
            &weights,
            rate.units,
        ));
    }
    Section {
        title: "Training",
        tables: vec![Table::of_facts(&facts)],
        figures,
        ..Section::default()
    }
}

/// Time constants before training, ms.
fn start_taus(input: &ReportInput) -> Option<Vec<f64>> {
    let theta = input.model.variables.vector("taus_gaus0").ok()?;
    let start = crate::rate::network::RateNetwork {
        tau_theta: theta.iter().map(|&x| x as f32).collect(),
        ..input.model.network.clone()
    };
    Some(
        start
            .decay_steps()
            .iter()
            .map(|tau| tau * SAMPLE_MS)
            .collect(),
    )
}

fn converted(input: &ReportInput, candidates: &[Candidate]) -> Section {
    let rate = &input.model.network;
    let why = if rate.activation == ActivationKind::Lif {
        "The network was trained with the transfer function of the spiking neuron itself, so that λ is known beforehand; the search is for comparison."
    } else {
        "The scaling factor λ is the firing rate that stands for a rate of one; it is searched, as published."
    };
    Section {
        title: "Conversion",
        text: texts(&[why]),
        figures: vec![
            conversion::accuracy(candidates, input.spiking.lambda, input.trials.count),
            conversion::transfer(rate.activation, Neuron::LIF, input.spiking.lambda),
        ],
        ..Section::default()
    }
}

fn active(input: &ReportInput, rate: &Observation, spiking: &Observation, units: usize) -> Section {
    let (trials, inhibitory) = (&input.trials, &input.model.network.inhibitory);
    Section {
        title: "Activity",
        figures: vec![
            raster::raster(trials, spiking, inhibitory),
            network::firing_rates(&spiking.rates_hz, inhibitory),
            activity::units(trials, rate, spiking, units),
            principal::components(trials, rate, spiking, units),
        ],
        ..Section::default()
    }
}

fn quantized(fixed: &Fixed, deployed: Option<&Deployed>) -> Section {
    let mut section = Section {
        title: "Quantization",
        ..Section::default()
    };
    match (&fixed.quantized, fixed.file) {
        (Ok(quantized), Some((path, bytes))) if quantized.bytes == bytes => section.text.push(format!(
            "{} is, byte for byte, what this model gives.",
            name(path)
        )),
        (_, Some((path, _))) => section.text.push(format!(
            "{} differs from what this model gives with this λ: it was made from another model, with another λ, or by another version.",
            name(path)
        )),
        (Ok(_), None) => section.text.push(format!(
            "There is no .snn beside the model; these are the numbers of the one that `rate2spike quantize` would write with steps of {} ms.",
            fixed.step_ms
        )),
        (Err(_), None) => {}
    }
    if let Some(deployed) = deployed {
        let hash = deployed.payload().self_test.spike_hash;
        let test = if self_test(deployed) == hash {
            "passed here"
        } else {
            "failed here"
        };
        section.tables.push(Table::of_facts(&[
            ("bytes", fixed.bytes().map_or(0, <[u8]>::len).to_string()),
            ("synapses", deployed.synapses().to_string()),
            ("time step", format!("{} ms", fixed.step_ms)),
            ("self-test hash", format!("{hash:016x}, {test}")),
        ]));
    }
    match &fixed.quantized {
        Ok(quantized) => {
            let rows = quantized.losses.rows().map(|(name, unit, loss)| {
                vec![
                    name.into(),
                    error_text(loss.largest),
                    error_text(loss.rms),
                    unit.into(),
                ]
            });
            section.tables.push(Table {
                head: texts(&["error", "largest", "root mean square", "unit"]),
                rows: rows.into(),
            });
            section
                .figures
                .push(quantization::errors(&quantized.losses));
        }
        Err(error) => section
            .text
            .push(format!("This model has no fixed-point form: {error}.")),
    }
    section
}

fn error_text(error: f64) -> String {
    if error == 0.0 {
        return "0".into();
    }
    format!("{error:.2e}").replace('-', "\u{2212}")
}

fn boards(experiment: &Experiment<Deployed>, bytes: usize) -> Section {
    let targets = [&Target::RP2040, &Target::STM32F405];
    let rows = targets.map(|target| {
        let budget = Budget::new(target, experiment, bytes);
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
            "What the network takes of a board at its step of {} ms, estimated from measured cycles and the spikes of its own trials.",
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
            rows: rows.into(),
        }],
        ..Section::default()
    }
}

fn commands(input: &ReportInput, step_ms: f64) -> Section {
    let model = name(&input.model.path);
    let snn = name(&input.model.path.with_extension("snn"));
    let trials = &input.trials;
    let mut commands = Vec::new();
    if let Some(history) = &input.history {
        let mut command = train_command(&history.options);
        if let Some(from) = &history.from {
            command += &format!(" --from {}", name(from));
        }
        commands.push(command);
    }
    // A task of the user's own is known by its file.
    let own = if trials.task.is_built_in() {
        String::new()
    } else {
        format!(" --task {}", task_argument(&trials.task))
    };
    commands.extend([
        format!(
            "rate2spike convert {model} --dry-run --seed {}{own}",
            trials.seed
        ),
        format!(
            "rate2spike quantize {model} --lambda {} --dt {step_ms} -o {snn}{own}",
            input.spiking.lambda
        ),
        format!(
            "rate2spike run {snn} --trials {} --seed {}{own}",
            trials.count, trials.seed
        ),
    ]);
    Section {
        title: "Again",
        text: texts(&["The commands that give these numbers."]),
        commands,
        ..Section::default()
    }
}

/// What a command line calls a task.
fn task_argument(task: &Task) -> String {
    if task.is_built_in() {
        task.name().into()
    } else {
        format!("{}.toml", task.name())
    }
}

/// The training, with nothing left to a default that may change.
fn train_command(options: &RateOptions) -> String {
    format!(
        "rate2spike train --task {} {}",
        task_argument(&options.task),
        options.flags().join(" ")
    )
}
