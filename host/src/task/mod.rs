//! The tasks: what a trial shows a network, and how an answer is read off its
//! output.
//!
//! A built-in task is one file of this folder and one line of the table below.
//! Windows and thresholds of the published tasks are those of Kim, Li &
//! Sejnowski, PNAS 116:22811 (2019), doi 10.1073/pnas.1905926116, and of its
//! repository rkim35/spikeRNN (commit c265c1d).

pub mod definition;
pub mod pulses;

use std::hash::Hasher;
use std::sync::Arc;

use rand_pcg::Pcg64;
use rate2spike_core::decision::{Decision, Kind, Window};

pub use definition::{Answer, Definition, Draw, Thresholds};

/// Length of an input sample of the published tasks, and of a step of the
/// published rate network.
pub const SAMPLE_MS: f64 = 5.0;

/// A task: a [`Definition`] that its copies share.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
#[serde(into = "Form", try_from = "Form")]
pub struct Task(Arc<Definition>);

/// One trial.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// Input: channels × samples, channel by channel.
    pub input: Vec<f32>,
    /// The wanted output: outputs × samples, output by output.
    pub target: Vec<f32>,
    /// Weight of each value of the target in the loss: outputs × samples, output
    /// by output. `None`: all weigh the same.
    pub mask: Option<Vec<f32>>,
    /// The right answer, one of [`Definition::answers`].
    pub label: i16,
}

/// Declares a file a task, puts its definition into the table, and gives
/// [`Task`] a function of its name.
macro_rules! built_in {
    ($($module:ident,)*) => {
        $(mod $module;)*

        /// The definitions of the built-in tasks, in the order of all lists.
        const BUILT_IN: &[fn() -> Definition] = &[$($module::definition,)*];

        impl Task {
            $(
                #[doc = concat!("The built-in task of `task/", stringify!($module), ".rs`.")]
                pub fn $module() -> Self {
                    Self::new($module::definition())
                }
            )*
        }
    };
}

built_in! {
    go_nogo,
    xor,
    mante,
    delayed_match,
    oscillation,
}

/// A task in a file: a built-in one by its name, another by its description.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(untagged)]
enum Form {
    Name(String),
    Pulses(Box<pulses::Spec>),
}

impl From<Task> for Form {
    fn from(task: Task) -> Self {
        match &task.0.draw {
            Draw::Generator(_) => Form::Name(task.0.name.clone()),
            Draw::Pulses(spec) => Form::Pulses(spec.clone()),
        }
    }
}

impl TryFrom<Form> for Task {
    type Error = String;

    fn try_from(form: Form) -> Result<Self, String> {
        match form {
            Form::Name(name) => Task::from_name(&name).ok_or_else(|| unknown(&name)),
            Form::Pulses(spec) => spec.task().map_err(|error| error.to_string()),
        }
    }
}

/// Two tasks are the same if they have the same name and, where a file describes
/// them, the same description.
impl PartialEq for Task {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || Form::from(self.clone()) == Form::from(other.clone())
    }
}

/// The names of the built-in tasks, with commas between.
pub fn names() -> String {
    let names: Vec<String> = BUILT_IN.iter().map(|task| task().name).collect();
    names.join(", ")
}

/// The help text of an argument that takes a task.
pub fn help() -> String {
    format!("Task: {}, or a FILE.toml with one of your own", names())
}

/// The help text of an argument that takes a task where a file does not say it.
pub fn help_of_another() -> String {
    format!(
        "The task, if the file does not name it: {}, or a FILE.toml with one of your own",
        names()
    )
}

/// The help text of an argument that takes several tasks.
pub fn help_of_several() -> String {
    format!(
        "Tasks, with commas between: {}, or a FILE.toml with one of your own",
        names()
    )
}

/// The sentence for a name that no built-in task has.
pub fn unknown(name: &str) -> String {
    format!(
        "'{name}' is no task; give {}, or a FILE.toml with one of your own",
        names()
    )
}

impl Task {
    /// A task with this definition.
    pub fn new(definition: Definition) -> Self {
        Self(Arc::new(definition))
    }

    /// All built-in tasks.
    pub fn built_in() -> Vec<Task> {
        BUILT_IN
            .iter()
            .map(|definition| Self::new(definition()))
            .collect()
    }

    /// The built-in task of that name, in capital or small letters.
    pub fn from_name(name: &str) -> Option<Task> {
        Task::built_in()
            .into_iter()
            .find(|task| task.name().eq_ignore_ascii_case(name))
    }

    /// What the task is made of.
    pub fn definition(&self) -> &Definition {
        &self.0
    }

    /// True for a task of the table.
    pub fn is_built_in(&self) -> bool {
        matches!(self.0.draw, Draw::Generator(_))
    }

    /// The name: the published one where there is one.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Number of input channels.
    pub fn channels(&self) -> usize {
        self.0.channels
    }

    /// Number of samples of a trial.
    pub fn samples(&self) -> usize {
        self.0.samples
    }

    /// Length of an input sample.
    pub fn sample_ms(&self) -> f64 {
        self.0.sample_ms
    }

    /// Length of a trial in seconds.
    pub fn seconds(&self) -> f64 {
        self.0.samples as f64 * self.0.sample_ms / 1000.0
    }

    /// The word for an answer of this task.
    pub fn label_name(&self, label: i16) -> &str {
        let answers = &self.0.answers;
        let answer = answers.iter().find(|answer| answer.label == label);
        answer.map_or("unknown", |answer| &answer.name)
    }

    /// A 64-bit FNV-1a hash of all that the task is made of: a network carries it,
    /// so that a task that changed under the same name is noticed.
    pub fn fingerprint(&self) -> u64 {
        let text = serde_json::to_string(&*self.0).expect("numbers and strings");
        let mut hasher = fnv::FnvHasher::default();
        hasher.write(text.as_bytes());
        hasher.finish()
    }

    /// Draws a trial.
    pub fn trial(&self, random: &mut Pcg64) -> Trial {
        match &self.0.draw {
            Draw::Generator(draw) => draw(&self.0, random),
            Draw::Pulses(spec) => spec.trial(&self.0, random),
        }
    }

    /// How the answer is read off a spiking network's output with time steps
    /// of `step_ms`.
    pub fn decision(&self, step_ms: f64) -> Decision<f64> {
        let task = &self.0;
        let steps = |ms: f64| (ms / step_ms).round() as u32;
        let end = steps(task.samples as f64 * task.sample_ms);
        self.rule(
            step_ms,
            Window {
                first: steps(task.response_ms),
                last: end,
            },
            Window {
                first: steps(task.mean_ms.0),
                last: steps(task.mean_ms.1).min(end),
            },
        )
    }

    /// How the answer is read off the rate network's output, whose first entry
    /// is the end of the first sample: entry k is step k + 1 of the windows.
    pub fn rate_decision(&self) -> Decision<f64> {
        let task = &self.0;
        let entries = |ms: f64| (ms / task.sample_ms).round() as u32;
        let end = task.samples as u32 - 1;
        self.rule(
            task.sample_ms,
            Window {
                first: task.rate_response as u32 + 1,
                last: end,
            },
            Window {
                first: entries(task.mean_ms.0),
                last: entries(task.mean_ms.1).min(end),
            },
        )
    }

    fn rule(&self, step_ms: f64, extremes: Window, mean: Window) -> Decision<f64> {
        let Thresholds {
            high,
            low,
            mean_high,
            mean_low,
        } = self.0.thresholds;
        let kind = match self.0.kind {
            Kind::Rhythm { period } => {
                let steps = f64::from(period) * self.0.sample_ms / step_ms;
                let period = steps.round() as u32;
                Kind::Rhythm { period }
            }
            kind => kind,
        };
        Decision {
            kind,
            extremes,
            high,
            low,
            mean,
            mean_high,
            mean_low,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    /// The tasks that ask for an answer to an input.
    fn questions() -> impl Iterator<Item = Task> {
        let all = Task::built_in().into_iter();
        all.filter(|task| task.definition().answers.len() > 1)
    }

    #[test]
    fn each_answer_of_a_built_in_question_comes_up_about_equally_often() {
        let mut random = Pcg64::seed_from_u64(1);
        for task in questions() {
            let ones = (0..2000)
                .filter(|_| task.trial(&mut random).label == 1)
                .count();
            // Five standard deviations of a fair coin.
            assert!((888..=1112).contains(&ones), "{}: {ones}", task.name());
        }
    }

    #[test]
    fn a_target_is_zero_until_the_input_is_over_and_then_has_the_labels_sign() {
        let mut random = Pcg64::seed_from_u64(2);
        for task in questions() {
            for _ in 0..20 {
                let trial = task.trial(&mut random);
                assert!(trial.target[..75].iter().all(|&z| z == 0.0));
                let reached = trial
                    .target
                    .iter()
                    .fold(0.0f32, |a, &z| if z != 0.0 { z } else { a });
                assert_eq!(reached, trial.label as f32, "{}", task.name());
            }
        }
    }

    #[test]
    fn a_trial_has_the_sizes_and_an_answer_of_its_definition() {
        let mut random = Pcg64::seed_from_u64(3);
        for task in Task::built_in() {
            let definition = task.definition();
            for _ in 0..20 {
                let trial = task.trial(&mut random);
                assert_eq!(trial.input.len(), definition.channels * definition.samples);
                assert_eq!(trial.target.len(), definition.outputs * definition.samples);
                assert_ne!(task.label_name(trial.label), "unknown", "{}", task.name());
            }
        }
    }

    #[test]
    fn the_names_of_the_table_are_different_and_lead_back_to_their_tasks() {
        for task in Task::built_in() {
            let text = serde_json::to_string(&task).expect("text");
            assert_eq!(text, format!("\"{}\"", task.name()));
            assert_eq!(serde_json::from_str::<Task>(&text).expect("a task"), task);
            assert!(help().contains(task.name()) && unknown("none").contains(task.name()));
        }
        let mut hashes: Vec<u64> = Task::built_in().iter().map(Task::fingerprint).collect();
        hashes.sort();
        hashes.dedup();
        assert_eq!(hashes.len(), Task::built_in().len());
    }
}
