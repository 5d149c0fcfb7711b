//! The table of built-in tasks: a task is one file of this folder and one line of the
//! table.
//!
//! Windows and thresholds of the published tasks are those of Kim, Li &
//! Sejnowski, PNAS 116:22811 (2019), doi 10.1073/pnas.1905926116, and of its
//! repository rkim35/spikeRNN (commit c265c1d).

use super::definition::Definition;
use super::handle::Task;

/// Declares the file of each task, puts its definition into the table, and gives
/// [`Task`] a function of its name.
macro_rules! built_in {
    ($($module:ident,)*) => {
        $(mod $module;)*

        /// The definitions of the built-in tasks, in the order of all lists.
        const BUILT_IN: &[fn() -> Definition] = &[$($module::definition,)*];

        impl Task {
            $(
                #[doc = concat!("The built-in task of `task/built_in/", stringify!($module), ".rs`.")]
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

impl Task {
    /// All built-in tasks.
    pub fn built_in() -> Vec<Task> {
        let definitions = BUILT_IN.iter();
        definitions
            .map(|definition| Self::new(definition()))
            .collect()
    }

    /// The built-in task of that name, in capital or small letters.
    pub fn from_name(name: &str) -> Option<Task> {
        Task::built_in()
            .into_iter()
            .find(|task| task.name().eq_ignore_ascii_case(name))
    }
}

/// The names of the built-in tasks, with commas between.
pub fn names() -> String {
    let names: Vec<String> = BUILT_IN.iter().map(|task| task().name).collect();
    names.join(", ")
}

/// The help text of an argument that takes a task.
pub fn help() -> String {
    format!(
        "Task: {}, a FILE.toml with one of your own, or a data set (FILE.npz, NAME_TRAIN.ts, folder)",
        names()
    )
}

/// The help text of an argument that takes a task where a file does not say it.
pub fn help_of_another() -> String {
    format!(
        "The task, if the file does not name it: {}, a FILE.toml with one of your own, or a data set (FILE.npz, NAME_TRAIN.ts, folder)",
        names()
    )
}

/// The help text of an argument that takes several tasks.
pub fn help_of_several() -> String {
    format!(
        "Tasks, with commas between: {}, a FILE.toml with one of your own, or a data set (FILE.npz, NAME_TRAIN.ts, folder)",
        names()
    )
}

/// The sentence for a name that no built-in task has.
pub fn unknown(name: &str) -> String {
    format!(
        "'{name}' is not a task; give {}, a FILE.toml with one of your own, or a data set (FILE.npz, NAME_TRAIN.ts, folder)",
        names()
    )
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_pcg::Pcg64;

    use super::*;

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
