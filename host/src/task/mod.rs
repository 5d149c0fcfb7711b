//! The tasks: what a trial shows a network, and what it should answer.
//!
//! Times are in input samples of 5 ms, as in the published code; source of
//! every window and threshold: Kim, Li & Sejnowski (2019) and its repository.

mod delayed_match;
mod go_nogo;
mod mante;
mod oscillation;
pub mod user;
mod xor;

use std::path::Path;

use rand_pcg::Pcg64;
use rate2spike_core::decision::{Decision, Kind, Window};

/// Length of an input sample, and of a step of the rate network.
pub const SAMPLE_MS: f64 = 5.0;

/// A task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(into = "Form", try_from = "Form")]
pub enum Task {
    /// Answer a pulse, do not answer its absence.
    GoNogo,
    /// Do two pulses have the same sign?
    Xor,
    /// Which sign has the noisy input that the context names?
    Mante,
    /// Do two stimuli match, with a long pause between them?
    DelayedMatch,
    /// A sine, without any input.
    Oscillation,
    /// One of the user's own.
    User(&'static user::UserTask),
}

/// A task in a file: by its name, or as the user's own file says it.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(untagged)]
enum Form {
    Name(String),
    Spec(Box<user::Spec>),
}

impl From<Task> for Form {
    fn from(task: Task) -> Self {
        match task {
            Task::User(user) => Form::Spec(Box::new(user.spec().clone())),
            task => Form::Name(task.name().into()),
        }
    }
}

impl TryFrom<Form> for Task {
    type Error = String;

    fn try_from(form: Form) -> Result<Self, String> {
        match form {
            Form::Name(name) => Task::from_name(&name).ok_or_else(|| unknown(&name)),
            Form::Spec(spec) => spec.task().map_err(|error| error.to_string()),
        }
    }
}

/// The task of a command line: its name, or the user's own in a file.
pub fn parse(text: &str) -> Result<Task, String> {
    if Path::new(text)
        .extension()
        .is_some_and(|extension| extension == "toml")
    {
        return user::read(Path::new(text)).map_err(|error| error.to_string());
    }
    Task::from_name(text).ok_or_else(|| unknown(text))
}

fn unknown(name: &str) -> String {
    let names = Task::ALL.map(Task::name).join(", ");
    format!("'{name}' is no task; give {names}, or a FILE.toml with one of your own")
}

/// One trial.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// Input: channels × samples, channel by channel.
    pub input: Vec<f32>,
    /// The output that is wanted, one value a sample.
    pub target: Vec<f32>,
    /// The right answer: 1, 0 (no-go) or −1.
    pub label: i8,
}

/// What a task is made of, apart from its trials.
#[derive(Debug)]
struct Shape {
    name: &'static str,
    channels: usize,
    samples: usize,
    /// The period of a rhythm is in samples.
    kind: Kind,
    /// First entry of the rate network's output that its criterion looks at.
    rate_response: usize,
    /// Where the spiking network's criterion begins, in s.
    spiking_response_s: f64,
    /// Window of the strict criterion, in s.
    strict_s: (f64, f64),
    /// Size above which a mean counts as an answer, or that a rhythm has to pass.
    strict_high: f64,
}

impl Task {
    /// All that need no file.
    pub const ALL: [Task; 5] = [
        Task::GoNogo,
        Task::Xor,
        Task::Mante,
        Task::DelayedMatch,
        Task::Oscillation,
    ];

    /// Those, and the user's own that this run of the program has read.
    pub fn known() -> Vec<Task> {
        Task::ALL.into_iter().chain(user::all()).collect()
    }

    fn shape(self) -> &'static Shape {
        match self {
            Task::GoNogo => &go_nogo::SHAPE,
            Task::Xor => &xor::SHAPE,
            Task::Mante => &mante::SHAPE,
            Task::DelayedMatch => &delayed_match::SHAPE,
            Task::Oscillation => &oscillation::SHAPE,
            Task::User(user) => &user.shape,
        }
    }

    /// The name: the published one where there is one.
    pub fn name(self) -> &'static str {
        self.shape().name
    }

    /// The task of that name.
    pub fn from_name(name: &str) -> Option<Task> {
        Task::known()
            .into_iter()
            .find(|task| task.name().eq_ignore_ascii_case(name))
    }

    /// What an answer of this task means.
    pub fn label_name(self, label: i8) -> &'static str {
        let kind = self.shape().kind;
        match (self, label) {
            (Task::DelayedMatch, 1) => "match",
            (Task::DelayedMatch, _) => "no match",
            (Task::Oscillation, 1) => "rhythm",
            (Task::Oscillation, _) => "no rhythm",
            (Task::User(_), 1) if kind == Kind::Detection => "yes",
            (Task::User(_), 0) => "no",
            (Task::User(_), 1) => "positive",
            (Task::User(_), _) => "negative",
            (Task::GoNogo, 1) => "Go",
            (Task::GoNogo, _) => "No-Go",
            (Task::Xor, 1) => "same",
            (Task::Xor, _) => "different",
            (Task::Mante, 1) => "positive",
            (Task::Mante, _) => "negative",
        }
    }

    /// Number of input channels.
    pub fn channels(self) -> usize {
        self.shape().channels
    }

    /// Number of samples of a trial.
    pub fn samples(self) -> usize {
        self.shape().samples
    }

    /// Draws a trial.
    pub fn trial(self, random: &mut Pcg64) -> Trial {
        match self {
            Task::GoNogo => go_nogo::trial(random),
            Task::Xor => xor::trial(random),
            Task::Mante => mante::trial(random),
            Task::DelayedMatch => delayed_match::trial(random),
            Task::Oscillation => oscillation::trial(),
            Task::User(user) => user.trial(random),
        }
    }

    /// How the answer is read off a spiking network's output with time steps
    /// of `step_ms`.
    pub fn decision(self, step_ms: f64) -> Decision<f64> {
        let shape = self.shape();
        let steps = |s: f64| (s * 1000.0 / step_ms).round() as u32;
        let end = steps(shape.samples as f64 * SAMPLE_MS / 1000.0);
        self.rule(
            step_ms,
            Window {
                first: steps(shape.spiking_response_s),
                last: end,
            },
            Window {
                first: steps(shape.strict_s.0),
                last: steps(shape.strict_s.1).min(end),
            },
        )
    }

    /// How the answer is read off the rate network's output, whose first entry
    /// is the end of the first sample: entry k is step k + 1 of the windows.
    pub fn rate_decision(self) -> Decision<f64> {
        let shape = self.shape();
        let entries = |s: f64| (s * 1000.0 / SAMPLE_MS).round() as u32;
        let end = shape.samples as u32 - 1;
        self.rule(
            SAMPLE_MS,
            Window {
                first: shape.rate_response as u32 + 1,
                last: end,
            },
            Window {
                first: entries(shape.strict_s.0),
                last: entries(shape.strict_s.1).min(end),
            },
        )
    }

    fn rule(self, step_ms: f64, extremes: Window, mean: Window) -> Decision<f64> {
        let shape = self.shape();
        let (kind, high) = match shape.kind {
            Kind::Rhythm { period } => {
                let steps = f64::from(period) * SAMPLE_MS / step_ms;
                let period = steps.round() as u32;
                (Kind::Rhythm { period }, shape.strict_high)
            }
            kind => (kind, 0.7),
        };
        Decision {
            kind,
            extremes,
            high,
            low: 0.3,
            mean,
            mean_high: shape.strict_high,
            mean_low: 0.3,
        }
    }
}

/// Input and target of a trial, all zero.
fn blank(shape: &Shape) -> (Vec<f32>, Vec<f32>) {
    (
        vec![0.0; shape.channels * shape.samples],
        vec![0.0; shape.samples],
    )
}

/// The samples `from..to` of a channel.
fn section<'a>(
    input: &'a mut [f32],
    shape: &Shape,
    channel: usize,
    range: std::ops::Range<usize>,
) -> &'a mut [f32] {
    &mut input[channel * shape.samples + range.start..channel * shape.samples + range.end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    /// The tasks that ask for an answer to an input.
    fn questions() -> impl Iterator<Item = Task> {
        let all = Task::ALL.into_iter();
        all.filter(|task| *task != Task::Oscillation)
    }

    #[test]
    fn both_answers_of_every_task_come_up_about_equally_often() {
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
                assert_eq!(trial.input.len(), task.channels() * task.samples());
                assert_eq!(trial.target.len(), task.samples());
                assert!(trial.target[..75].iter().all(|&z| z == 0.0));
                let reached = trial
                    .target
                    .iter()
                    .fold(0.0f32, |a, &z| if z != 0.0 { z } else { a });
                assert_eq!(reached, trial.label as f32, "{}", task.name());
            }
        }
    }
}
