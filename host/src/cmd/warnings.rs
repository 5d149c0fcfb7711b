//! Warnings about results that are correct but easy to misread. The
//! console prints them on stderr and under `warnings` in the JSON object.

use std::path::Path;

use rate2spike_core::blob::Deployed;
use rate2spike_core::decision::Kind;

use crate::convert::search::Candidate;
use crate::number::{counted, shown};
use crate::print::console::Console;
use crate::quantize::rounding::Rounded;
use crate::quantize::saturation::Beyond;
use crate::rate::restarts::GOOD_ENOUGH;
use crate::route::Grade;
use crate::spiking::experiment::{Experiment, Outcome, Score, paired};
use crate::spiking::time_step::PUBLISHED_STEP_MS;
use crate::spiking::trial::Deployable;
use crate::statistics::Interval;
use crate::sweep::row::Row;
use crate::sweep::summary::SUCCESS;
use crate::task::Task;

/// A share whose 95 % interval is wider than this says little. The intervals of 0.9 over
/// 40 trials and of 0.5 over 100 are that wide.
const WIDE: f64 = 0.2;

/// The warnings of a command, in sentences.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Warnings {
    sentences: Vec<String>,
}

impl Warnings {
    /// Prints the sentences on standard error.
    pub fn say(&self, console: &Console) {
        for sentence in &self.sentences {
            console.warn(sentence);
        }
    }

    fn add(&mut self, sentence: String) {
        self.sentences.push(sentence);
    }

    /// A search whose best λ may lie outside of what was searched.
    pub fn of_search(&mut self, candidates: &[Candidate], best: &Candidate) {
        let ends = [candidates.first(), candidates.last()];
        let at_edge = ends.iter().flatten().any(|end| end.lambda == best.lambda);
        if candidates.len() > 2 && at_edge {
            self.add(format!(
                "the best lambda, {}, is at the edge of the search; widen --lambdas",
                shown(best.lambda)
            ));
        }
    }

    /// What a user of the task's data set must know.
    pub fn of_data(&mut self, task: &Task) {
        task.warnings().into_iter().for_each(|text| self.add(text));
    }

    /// A score of too few trials, or of a network that is silent.
    pub fn of_score(&mut self, task: &Task, score: &Score) {
        self.of_silence(score.mean_rate_hz, score.trials);
        if let Some(interval) = score.interval() {
            self.of_trials(task, (score.accuracy(), interval), score.trials);
        }
    }

    /// A deployed network that no try and no start of the training has made good enough.
    pub fn of_tries(&mut self, grade: Grade) {
        self.add(format!(
            "no try gave a deployed network that is right in {:.0} % of the trials that judge it; the best is right in {:.1} % of {}: give another --seed, more units (--N), or --restarts",
            100.0 * GOOD_ENOUGH,
            100.0 * grade.right,
            grade.trials
        ));
    }

    /// A conversion that is right less often than the paper asks of a success. `way` is the way
    /// out.
    pub fn of_conversion(&mut self, task: &Task, (accuracy, interval): (f64, Interval), way: &str) {
        let kind = task.definition().kind;
        let is_published = matches!(kind, Kind::Detection | Kind::Sign | Kind::Rhythm { .. });
        if is_published && interval.high < SUCCESS {
            self.add(format!(
                "the spiking network is right in {:.0} % of the trials, and a success is {:.0} %: {way}",
                100.0 * accuracy,
                100.0 * SUCCESS
            ));
        }
    }

    /// A score of trials without a spike.
    pub fn of_silence(&mut self, mean_rate_hz: f64, trials: usize) {
        if mean_rate_hz == 0.0 {
            self.add(format!(
                "no unit fired in {trials} trials: the score is that of an output that never moves"
            ));
        }
    }

    /// Networks of a sweep that never fired.
    pub fn of_silent_networks(&mut self, rows: &[Row]) {
        let silent = rows.iter().filter(|row| row.mean_rate_hz == Some(0.0));
        let silent = silent.count();
        if silent > 0 {
            self.add(format!(
                "in {silent} of {} networks no unit fired: their scores are those of an output that never moves",
                rows.len()
            ));
        }
    }

    /// A sweep whose records are empty.
    pub fn of_no_rows(&mut self, folder: &Path) {
        self.add(format!(
            "{}: no network has a row, so that the page shows none; give the command of the sweep again",
            folder.display()
        ));
    }

    /// An accuracy over too few trials of the task.
    pub fn of_trials(&mut self, task: &Task, (accuracy, interval): (f64, Interval), trials: usize) {
        if interval.high - interval.low > WIDE {
            let way = match task.trials() {
                Some(_) => "no more are in this part of the data set",
                None => "give more --trials",
            };
            self.add(format!(
                "accuracy {accuracy:.3} over {} means {:.2} to {:.2} (95 %); {way}",
                counted(trials, "trial"),
                interval.low,
                interval.high
            ));
        }
    }

    /// A deployed network that answers the same trials worse than the `published` simulation.
    /// `shipped` is the published simulation with the start of a deployed network.
    pub fn of_drop(
        &mut self,
        step_ms: f64,
        published: &[Outcome],
        deployed: &[Outcome],
        shipped: impl FnOnce() -> Vec<Outcome>,
    ) {
        if !paired(published, deployed).is_worse() {
            return;
        }
        let shipped = shipped();
        self.of_step(step_ms, &shipped, deployed);
        let start = paired(published, &shipped);
        if start.is_worse() {
            self.add(format!(
                "of {} trials, {} are right from the start of `simulate`, with potentials up to 30 mV, and wrong from that of a deployed network, with potentials below the threshold, and {} the other way round: use `convert --calibrate`, or train with --act lif",
                published.len(),
                start.lost,
                start.gained
            ));
        }
    }

    /// A deployed network that answers the same trials worse than the spiking
    /// network of the published step.
    fn of_step(&mut self, step_ms: f64, published: &[Outcome], deployed: &[Outcome]) {
        let paired = paired(published, deployed);
        if step_ms > PUBLISHED_STEP_MS && paired.is_worse() {
            self.add(format!(
                "of {} trials, {} are right at 0.05 ms and wrong at steps of {step_ms} ms, and {} the other way round: give a shorter --dt",
                deployed.len(),
                paired.lost,
                paired.gained
            ));
        }
    }

    /// Values that are others in fixed point.
    pub fn of_rounding(&mut self, rounded: &[Rounded]) {
        for value in rounded {
            self.add(value.to_string());
        }
    }

    /// A deployed network whose readout leaves its range in some of `trials` trials.
    pub fn of_saturation<A: Deployable>(
        &mut self,
        experiment: &Experiment<Deployed<A>>,
        trials: usize,
    ) {
        let Beyond { steps, trials } = Beyond::of(experiment, trials);
        if steps == 0 {
            return;
        }
        let way = match experiment.task.definition().kind {
            Kind::Class | Kind::Label => "quantize the model again",
            Kind::Track => "divide the targets, and train again",
            _ => "train with another --seed",
        };
        self.add(format!(
            "the readout leaves its range in {steps} steps of {trials} trials, and the output is wrong there; {way}"
        ));
    }

    /// A self-test that another version wrote.
    pub fn of_self_test(&mut self, fault: &impl std::fmt::Display) {
        self.add(fault.to_string());
    }

    /// A network of no known task, so that nothing was run.
    pub fn of_task(&mut self, fault: &impl std::fmt::Display) {
        self.add(format!("{fault}; its self-test was not run"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(lambda: f64, correct: usize) -> Candidate {
        Candidate {
            lambda,
            trials: 100,
            accuracy: correct as f64 / 100.0,
            interval: Interval::wilson(correct, 100),
            strict: 0.0,
            mean_rate_hz: 1.0,
            output_error: 0.1,
        }
    }

    /// The first `correct` of 100 trials are right.
    fn outcomes(correct: usize) -> Vec<Outcome> {
        let outcome = |trial| Outcome {
            correct: trial < correct,
            ..Outcome::default()
        };
        (0..100).map(outcome).collect()
    }

    fn noted(note: impl Fn(&mut Warnings)) -> usize {
        let mut warnings = Warnings::default();
        note(&mut warnings);
        warnings.sentences.len()
    }

    #[test]
    fn an_edge_is_the_first_or_the_last_of_several() {
        let candidates = [20.0, 25.0, 30.0].map(|lambda| candidate(lambda, 90));
        for (best, wanted) in [(0, 1), (1, 0), (2, 1)] {
            let found = noted(|warnings| warnings.of_search(&candidates, &candidates[best]));
            assert_eq!(found, wanted, "{best}");
        }
        // One or two values are no search.
        for few in [&candidates[..1], &candidates[..2]] {
            assert_eq!(noted(|warnings| warnings.of_search(few, &few[0])), 0);
        }
    }

    #[test]
    fn few_trials_are_a_wide_interval() {
        for (correct, trials, wanted) in [(90, 100, 0), (100, 100, 0), (18, 20, 1), (10, 10, 1)] {
            let interval = Interval::wilson(correct, trials);
            let accuracy = correct as f64 / trials as f64;
            let task = Task::from_name("xor").expect("a task");
            let found = noted(|warnings| warnings.of_trials(&task, (accuracy, interval), trials));
            assert_eq!(found, wanted, "{correct} of {trials}");
        }
    }

    #[test]
    fn a_network_that_never_fires_is_named() {
        for (mean_rate_hz, wanted) in [(0.0, 1), (0.001, 0)] {
            let score = Score {
                trials: 400,
                correct: 400,
                strict: 0,
                mean_rate_hz,
                spike_hash: 0,
                graded: None,
            };
            let task = Task::from_name("xor").expect("a task");
            let found = noted(|warnings| warnings.of_score(&task, &score));
            assert_eq!(found, wanted, "{mean_rate_hz} Hz");
        }
    }

    #[test]
    fn a_drop_is_more_than_chance_gives_on_the_same_trials() {
        for (step_ms, published, deployed, wanted) in [
            (0.5, 100, 99, 0),
            (0.5, 96, 93, 0),
            (0.5, 96, 90, 1),
            (0.5, 90, 100, 0),
            // The published step has no shorter one to recommend.
            (0.05, 96, 80, 0),
        ] {
            let found = noted(|warnings| {
                warnings.of_step(step_ms, &outcomes(published), &outcomes(deployed));
            });
            assert_eq!(found, wanted, "{published} to {deployed}");
        }
    }
}
