//! Which class was shown, and which one was answered.

use rate2spike_core::decision::Kind;
use serde::Serialize;

use super::experiment::Outcome;
use crate::task::Task;

/// Trials by class and answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confusion {
    classes: usize,
    /// Class × answer, row by row.
    counts: Vec<usize>,
}

impl Confusion {
    /// Counts (label, answer) of trials of a task with this number of classes. A label or an
    /// answer that is no class is left out.
    pub fn of(trials: impl Iterator<Item = (i16, i16)>, classes: usize) -> Self {
        let mut counts = vec![0; classes * classes];
        let class = |label: i16| usize::try_from(label).ok().filter(|&k| k < classes);
        for (label, answer) in trials {
            if let (Some(label), Some(answer)) = (class(label), class(answer)) {
                counts[label * classes + answer] += 1;
            }
        }
        Self { classes, counts }
    }

    /// The answers to the trials of each class: a row a class.
    pub fn rows(&self) -> impl Iterator<Item = &[usize]> {
        self.counts.chunks(self.classes.max(1))
    }

    /// Share of right answers among the trials of each class; `None` without a trial.
    pub fn recalls(&self) -> Vec<Option<f64>> {
        let rows = self.rows().enumerate();
        rows.map(|(class, row)| {
            let trials: usize = row.iter().sum();
            (trials > 0).then(|| row[class] as f64 / trials as f64)
        })
        .collect()
    }
}

/// The answers to the trials of one class.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassScore {
    /// Name of the class.
    pub class: String,
    /// Share of right answers; `None` without a trial.
    pub recall: Option<f64>,
    /// Number of answers by class, in the order of the classes.
    pub answers: Vec<usize>,
}

impl ClassScore {
    /// The recall and the answers as a line for people.
    pub fn line(&self) -> String {
        let recall = self
            .recall
            .map_or("none".into(), |recall| format!("{recall:.3}"));
        let answers: Vec<String> = self.answers.iter().map(usize::to_string).collect();
        format!(
            "class {}: recall {recall}, answers {}",
            self.class,
            answers.join(" ")
        )
    }
}

/// Label and answer of each trial.
pub fn answers(outcomes: &[Outcome]) -> impl Iterator<Item = (i16, i16)> {
    outcomes
        .iter()
        .map(|outcome| (outcome.label, outcome.answer))
}

/// The score of each class of `task`, from (label, answer) of its trials; empty for a task
/// without classes. Where each sample has a label, the trial's is that of the decision window.
pub fn per_class(task: &Task, trials: impl Iterator<Item = (i16, i16)>) -> Vec<ClassScore> {
    let definition = task.definition();
    if !matches!(definition.kind, Kind::Class | Kind::Label) {
        return Vec::new();
    }
    let confusion = Confusion::of(trials, definition.outputs);
    let classes = (0i16..).zip(confusion.rows()).zip(confusion.recalls());
    classes
        .map(|((label, row), recall)| ClassScore {
            class: task.label_name(label).into(),
            recall,
            answers: row.to_vec(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_has_a_row_of_answers_and_a_recall() {
        let trials = [(0, 0), (0, 1), (0, 0), (2, 1), (2, 2), (-1, 0), (0, 3)];
        let confusion = Confusion::of(trials.into_iter(), 3);
        let rows: Vec<&[usize]> = confusion.rows().collect();
        assert_eq!(rows, [[2, 1, 0], [0, 0, 0], [0, 1, 1]]);
        assert_eq!(confusion.recalls(), [Some(2.0 / 3.0), None, Some(0.5)]);
    }
}
