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
    /// Counts `outcomes` of a task with this number of classes. A label or an answer that
    /// is no class is left out.
    pub fn of(outcomes: &[Outcome], classes: usize) -> Self {
        let mut counts = vec![0; classes * classes];
        let class = |label: i16| usize::try_from(label).ok().filter(|&k| k < classes);
        for outcome in outcomes {
            if let (Some(label), Some(answer)) = (class(outcome.label), class(outcome.answer)) {
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

/// The score of each class of `task`; empty for a task without classes.
pub fn per_class(task: &Task, outcomes: &[Outcome]) -> Vec<ClassScore> {
    let definition = task.definition();
    if !matches!(definition.kind, Kind::Class | Kind::Label) {
        return Vec::new();
    }
    let confusion = Confusion::of(outcomes, definition.outputs);
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
        let outcome = |(label, answer)| Outcome {
            label,
            answer,
            ..Outcome::default()
        };
        let outcomes = [(0, 0), (0, 1), (0, 0), (2, 1), (2, 2), (-1, 0), (0, 3)].map(outcome);
        let confusion = Confusion::of(&outcomes, 3);
        let rows: Vec<&[usize]> = confusion.rows().collect();
        assert_eq!(rows, [[2, 1, 0], [0, 0, 0], [0, 1, 1]]);
        assert_eq!(confusion.recalls(), [Some(2.0 / 3.0), None, Some(0.5)]);
    }
}
