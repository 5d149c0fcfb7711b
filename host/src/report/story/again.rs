//! The commands that give the same network and the same numbers.

use std::path::{Path, PathBuf};

use rate2spike_core::neuron::Membrane;

use super::deployed::DeployedForm;
use super::input::{ReportInput, name, texts};
use crate::formats::rate_model;
use crate::quantize::ArithmeticName;
use crate::rate::activation::{ActivationKind, LIF_LAMBDA};
use crate::report::page::Section;
use crate::shell_word::{path_word, word};
use crate::spiking::neuron::Neuron;
use crate::task::Task;

/// Folder below which the commands write.
const FOLDER: &str = "again";

/// A command under way: its words are quoted as they are added.
struct Command(String);

impl Command {
    fn new(subcommand: &str) -> Self {
        Self(format!("rate2spike {subcommand}"))
    }

    /// Adds an option and its value, quoted.
    fn with(self, option: &str, value: impl ToString) -> Self {
        self.add(option).add(&word(&value.to_string()))
    }

    /// Adds a piece that is shell text already.
    fn add(mut self, piece: &str) -> Self {
        if !piece.is_empty() {
            self.0.push(' ');
            self.0.push_str(piece);
        }
        self
    }

    /// Adds plain words, quoted.
    fn words<'a>(self, words: impl IntoIterator<Item = &'a str>) -> Self {
        words
            .into_iter()
            .fold(self, |line, text| line.add(&word(text)))
    }
}

/// The part of the page.
pub fn section(input: &ReportInput, form: &DeployedForm) -> Section {
    let model = model_word(input);
    let snn = path_word(&Path::new(FOLDER).join(name(&input.model.path.with_extension("snn"))));
    let trials = &input.trials;
    let with_task = |line: Command| line.add("--task").add(&task_word(input, &trials.task));
    let neuron = neuron_flags(&input.spiking.neuron);
    let mut commands = vec![task_file(&trials.task), train(input)];
    commands.push(convert(input, &model).map(with_task));
    let quantize = Command::new("quantize")
        .add(&model)
        .words(lambda_flags(input).iter().map(String::as_str))
        .words(neuron.iter().map(String::as_str))
        .with("--dt", form.step_ms)
        .words(arithmetic_flags(form.numbers).iter().copied())
        .add("-o")
        .add(&snn);
    commands.push(Some(with_task(quantize)));
    let run = Command::new("run")
        .add(&snn)
        .with("--trials", trials.count)
        .with("--seed", trials.seed);
    commands.push(Some(with_task(run)));
    let mut text = texts(&[if input.history.is_some() {
        "These commands give the same network and the same numbers again. Run them in a folder that has no folder named again: they make it, and write everything there."
    } else {
        "These commands give the same deployed network and the same numbers again. Run them in the folder of the model; they write into a folder named again."
    }]);
    if trials.task.recorded().is_some() {
        text.push(format!(
            "The trials are those of the data set {}, from the folder in which the commands run.",
            task_word(input, &trials.task)
        ));
    } else if !trials.task.is_built_in() {
        text.push(format!(
            "The first command writes the description of the task, which the model holds, to the file {}. The other commands read it there.",
            task_file_name(&trials.task)
        ));
    }
    Section {
        title: "Again",
        text,
        commands: commands
            .into_iter()
            .flatten()
            .map(|Command(line)| line)
            .collect(),
        ..Section::default()
    }
}

/// The model as a word of the shell: the file that [`train`] writes, whose name ends
/// with the time of its writing, or else the model's own.
fn model_word(input: &ReportInput) -> String {
    let Some(history) = &input.history else {
        return path_word(Path::new(&name(&input.model.path)));
    };
    let folder = rate_model::folder(Path::new(FOLDER), &history.options);
    let file = rate_model::file_name(&history.options, "");
    let start = folder.join(file.trim_end_matches(".mat"));
    format!("{}*.mat", path_word(&start))
}

/// The task as a word of the shell: a built-in task by its name, a data set by its path,
/// and the user's own by the file that [`task_file`] writes.
fn task_word(input: &ReportInput, task: &Task) -> String {
    match task.recorded() {
        Some(recorded) => path_word(&data_path(input, Path::new(&recorded.path))),
        None if task.is_built_in() => word(task.name()),
        None => word(&task_file_name(task)),
    }
}

/// The file that [`task_file`] writes.
fn task_file_name(task: &Task) -> String {
    format!("{FOLDER}/{}.toml", task.name())
}

/// The data set, from the folder in which the commands run: that of the model where there
/// is no training, and else the present one.
fn data_path(input: &ReportInput, path: &Path) -> PathBuf {
    let folder = match (input.model.path.parent(), &input.history) {
        (Some(folder), None) if folder != Path::new("") => folder,
        _ => return path.into(),
    };
    let whole = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.into());
    let path = whole(path);
    let inside = path.strip_prefix(whole(folder)).map(Path::to_path_buf);
    inside.unwrap_or(path)
}

/// The command that writes the file of the user's own task. The page holds the whole
/// task, because the file from which it was read may have moved or changed. `None` for a
/// built-in task, and for a data set, whose numbers the page does not hold.
fn task_file(task: &Task) -> Option<Command> {
    if task.is_built_in() || task.recorded().is_some() {
        return None;
    }
    let text = toml::to_string(task).ok()?;
    let file = word(&task_file_name(task));
    Some(Command(format!(
        "mkdir -p {FOLDER} && cat > {file} <<'END_OF_TASK'\n{text}END_OF_TASK"
    )))
}

/// The training, with each option; `None` if there is no history.
fn train(input: &ReportInput) -> Option<Command> {
    let history = input.history.as_ref()?;
    let flags = history.options.flags();
    let mut line = Command::new("train")
        .add("--task")
        .add(&task_word(input, &history.options.task))
        .words(flags.iter().map(String::as_str));
    if let Some(from) = &history.from {
        let from = std::path::absolute(from).unwrap_or_else(|_| from.clone());
        line = line.add("--from").add(&path_word(&from));
    }
    Some(line.with("--output_dir", FOLDER))
}

/// The option of the numbers, where they are not the usual ones.
fn arithmetic_flags(numbers: ArithmeticName) -> &'static [&'static str] {
    match numbers {
        ArithmeticName::Fixed => &[],
        ArithmeticName::F32 => &["--arithmetic", "f32"],
    }
}

/// The options of the neuron that differ from the published ones.
fn neuron_flags(neuron: &Neuron) -> Vec<String> {
    let published = match neuron.membrane {
        Membrane::Leaky => Neuron::LIF,
        Membrane::Quadratic => Neuron::QIF,
    };
    let mut flags = Vec::new();
    if neuron.membrane == Membrane::Quadratic {
        flags.extend(["--neuron".into(), "qif".into()]);
    }
    if neuron.rise_ms == 0.0 {
        flags.extend(["--filter".into(), "single".into()]);
    }
    if neuron.refractory_ms != published.refractory_ms {
        flags.extend(["--refractory".into(), neuron.refractory_ms.to_string()]);
    }
    if neuron.noise_mv != published.noise_mv {
        flags.extend(["--noise".into(), neuron.noise_mv.to_string()]);
    }
    flags
}

/// The conversion that writes the same λ, calibration or readout into the new model;
/// `None` if no conversion is known, or if the model is there already.
fn convert(input: &ReportInput, model: &str) -> Option<Command> {
    input.history.as_ref()?;
    let flags = input.model.conversion_flags().ok()??;
    Some(Command::new("convert").add(model).words(flags.words()))
}

/// The flag with all digits of λ; nothing if the model or its activation gives λ.
fn lambda_flags(input: &ReportInput) -> Vec<String> {
    let lambda = input.spiking.lambda;
    let stored = input.model.stored_lambda().ok().flatten();
    let trained = input.model.network.activation == ActivationKind::Lif && lambda == LIF_LAMBDA;
    // Without a conversion the new model is as the training leaves it.
    let flags = input.model.conversion_flags().ok().flatten();
    let converted = input.history.is_none() || flags.is_some();
    let known = match stored.filter(|_| converted) {
        Some(stored) => stored == lambda,
        None => trained,
    };
    // The median of a calibration has other digits than the λ in the file.
    if known || input.calibration.is_some() {
        return Vec::new();
    }
    vec!["--lambda".into(), lambda.to_string()]
}
