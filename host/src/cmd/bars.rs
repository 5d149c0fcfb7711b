//! What a terminal shows while networks are trained.

use indicatif::ProgressBar;

use crate::print::console::Console;
use crate::rate::ensemble::training::EnsembleProgress;
use crate::rate::evaluation::Evaluation;
use crate::rate::training::Progress;

/// A bar with the loss and the last evaluation.
pub struct TrainingBar<'a> {
    console: &'a Console,
    bar: ProgressBar,
    evaluation: String,
}

impl<'a> TrainingBar<'a> {
    /// A bar over at most `updates`.
    pub fn new(updates: usize, console: &'a Console) -> Self {
        let template = "train {pos}/{len} [{elapsed}, at most {eta} left, {per_sec}] {msg}";
        Self {
            console,
            bar: console.progress(updates as u64, template),
            evaluation: String::new(),
        }
    }
}

impl Progress for TrainingBar<'_> {
    fn resumed(&mut self, updates: usize) {
        self.bar.set_position(updates as u64);
        self.bar.reset_eta();
    }

    fn updated(&mut self, update: usize, loss: f32) {
        if update.is_multiple_of(10) {
            self.bar
                .set_message(format!("loss {loss:.2}{}", self.evaluation));
        }
        self.bar.inc(1);
    }

    fn evaluated(&mut self, _update: usize, evaluation: &Evaluation) {
        self.evaluation = format!(
            "; evaluation: loss {:.2}, accuracy {:.2}",
            evaluation.loss, evaluation.accuracy
        );
    }

    fn warned(&mut self, sentence: &str) {
        self.bar.suspend(|| self.console.warn(sentence));
    }
}

/// Warnings of a training without a bar.
pub struct Warned<'a>(pub &'a Console);

impl Progress for Warned<'_> {
    fn updated(&mut self, _update: usize, _loss: f32) {}
    fn evaluated(&mut self, _update: usize, _evaluation: &Evaluation) {}

    fn warned(&mut self, sentence: &str) {
        self.0.warn(sentence);
    }
}

impl Drop for TrainingBar<'_> {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// A bar over the updates of all networks.
pub struct EnsembleBar {
    bar: ProgressBar,
    networks: usize,
    accuracies: Vec<f64>,
    evaluated: usize,
}

impl EnsembleBar {
    /// A bar over at most `updates` updates of `networks` networks.
    pub fn new(updates: usize, networks: usize, console: &Console) -> Self {
        let template = "train {pos}/{len} [{elapsed}, at most {eta} left] {msg}";
        Self {
            bar: console.progress(updates as u64, template),
            networks,
            accuracies: Vec::new(),
            evaluated: 0,
        }
    }
}

impl EnsembleProgress for EnsembleBar {
    fn updated(&mut self, updates: usize, running: usize, loss: f32) {
        let mean = self.accuracies.iter().sum::<f64>() / self.accuracies.len().max(1) as f64;
        self.bar.set_position(updates as u64);
        self.bar.set_message(format!(
            "{running} of {} networks, mean loss {loss:.2}, mean accuracy {mean:.2}",
            self.networks
        ));
    }

    fn evaluated(&mut self, update: usize, _seed: u64, evaluation: &Evaluation) {
        if update != self.evaluated {
            self.accuracies.clear();
            self.evaluated = update;
        }
        self.accuracies.push(evaluation.accuracy);
    }
}

impl Drop for EnsembleBar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
