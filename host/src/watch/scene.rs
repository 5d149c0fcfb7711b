//! What there is to see of a trial so far, and of those before it.

use rate2spike_core::Fixed;
use rate2spike_core::blob::Deployed;
use rate2spike_core::decision::Kind;
use rate2spike_core::network::Network;

use crate::task::{SAMPLE_MS, Task, Trial};

/// What a unit does to those that it reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Its weights are positive.
    Excitatory,
    /// Its weights are negative.
    Inhibitory,
    /// It has none, or some of each.
    Other,
}

impl Class {
    /// The name above its raster.
    pub fn name(self) -> &'static str {
        match self {
            Class::Excitatory => "excitatory",
            Class::Inhibitory => "inhibitory",
            Class::Other => "units",
        }
    }
}

/// The class of every unit of a network that does not say it, by its weights.
/// Where a unit has weights of both signs, all are [`Class::Other`].
pub fn classes(network: &Deployed) -> Vec<Class> {
    let units = usize::from(network.payload().shared.units);
    let mut mixed = false;
    let mut class = |unit| {
        let (mut positive, mut negative) = (false, false);
        network.each_target(unit, |_, weight: Fixed| {
            positive |= weight.to_bits() > 0;
            negative |= weight.to_bits() < 0;
        });
        mixed |= positive && negative;
        match (positive, negative) {
            (_, false) => Class::Excitatory,
            (false, true) => Class::Inhibitory,
            (true, true) => Class::Other,
        }
    };
    let classes: Vec<Class> = (0..units).map(&mut class).collect();
    if mixed {
        return vec![Class::Other; units];
    }
    classes
}

/// The units of one class, a row each.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// The class.
    pub class: Class,
    /// Number of its units.
    pub units: usize,
    /// Time in s and row of every spike of the trial.
    pub spikes: Vec<(f64, f64)>,
}

/// How the trials of one answer went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    /// The right answer.
    pub label: i8,
    /// How many there were.
    pub trials: usize,
    /// Right by the published criterion.
    pub correct: usize,
    /// Right by the strict one.
    pub strict: usize,
}

/// Slowest and fastest pace, in trial time over time.
const SPEEDS: (f64, f64) = (1.0 / 64.0, 64.0);

/// All that is drawn.
#[derive(Clone, Debug)]
pub struct Scene {
    /// Which network it is.
    pub title: String,
    /// Its task.
    pub task: Task,
    /// Its units.
    pub groups: Vec<Group>,
    /// Group and row of every unit.
    places: Vec<(usize, usize)>,
    /// Outputs at which a criterion begins or ends to take them for an answer.
    pub limits: Vec<f64>,
    /// Number of the trial, from 0.
    pub trial: u64,
    /// Its right answer.
    pub label: i8,
    /// Time in s and wanted output, with the target's jumps.
    pub target: Vec<(f64, f64)>,
    /// Time in s and output, so far.
    pub output: Vec<(f64, f64)>,
    /// Whether the trial was right, by both criteria, once it is over.
    pub verdict: Option<(bool, bool)>,
    /// Of the trials that are over, by answer, the highest first.
    pub tallies: Vec<Tally>,
    /// Whether it stands still.
    pub paused: bool,
    /// Trial time over time.
    pub speed: f64,
}

impl Scene {
    /// Before the first trial.
    pub fn new(title: String, task: Task, classes: &[Class], speed: f64) -> Self {
        let mut present: Vec<Class> = classes.to_vec();
        present.sort_unstable();
        present.dedup();
        let mut groups: Vec<Group> = present
            .into_iter()
            .map(|class| Group {
                class,
                units: 0,
                spikes: Vec::new(),
            })
            .collect();
        let places = classes.iter().map(|class| {
            let at = groups.iter().position(|group| group.class == *class);
            let at = at.expect("every class has its group");
            groups[at].units += 1;
            (at, groups[at].units - 1)
        });
        let places = places.collect();
        let rule = task.decision(1.0);
        let limits = match rule.kind {
            Kind::Detection => vec![rule.mean_high, rule.mean_low],
            Kind::Sign => vec![rule.mean_high, -rule.mean_high],
            Kind::Rhythm { .. } => vec![rule.high, -rule.high],
        };
        Self {
            title,
            task,
            groups,
            places,
            limits,
            trial: 0,
            label: 0,
            target: Vec::new(),
            output: Vec::new(),
            verdict: None,
            tallies: Vec::new(),
            paused: false,
            speed,
        }
    }

    /// A trial begins.
    pub fn begin(&mut self, index: u64, trial: &Trial) {
        self.trial = index;
        self.label = trial.label;
        self.verdict = None;
        self.output.clear();
        self.groups
            .iter_mut()
            .for_each(|group| group.spikes.clear());
        let second = |sample: usize| sample as f64 * SAMPLE_MS / 1000.0;
        let held = |(sample, &z): (usize, &f32)| {
            [(second(sample), z.into()), (second(sample + 1), z.into())]
        };
        self.target = trial.target.iter().enumerate().flat_map(held).collect();
    }

    /// A unit fires.
    pub fn spike(&mut self, time_s: f64, unit: usize) {
        let (group, row) = self.places[unit];
        self.groups[group].spikes.push((time_s, row as f64 + 0.5));
    }

    /// The trial is over.
    pub fn end(&mut self, correct: bool, strict: bool) {
        self.verdict = Some((correct, strict));
        let label = self.label;
        let at = match self.tallies.iter().position(|tally| tally.label == label) {
            Some(at) => at,
            None => {
                let new = Tally {
                    label,
                    trials: 0,
                    correct: 0,
                    strict: 0,
                };
                let at = self.tallies.partition_point(|tally| tally.label > label);
                self.tallies.insert(at, new);
                at
            }
        };
        let tally = &mut self.tallies[at];
        tally.trials += 1;
        tally.correct += usize::from(correct);
        tally.strict += usize::from(strict);
    }

    /// Length of a trial.
    pub fn seconds(&self) -> f64 {
        self.task.samples() as f64 * SAMPLE_MS / 1000.0
    }

    /// Twice as fast.
    pub fn faster(&mut self) {
        self.speed = (self.speed * 2.0).min(SPEEDS.1);
    }

    /// Half as fast.
    pub fn slower(&mut self) {
        self.speed = (self.speed / 2.0).max(SPEEDS.0);
    }

    /// The score so far: `Go 2 of 2, No-Go 1 of 2; strict 3 of 4`.
    pub fn score(&self) -> String {
        let sum = |part: fn(&Tally) -> usize| self.tallies.iter().map(part).sum::<usize>();
        let trials = sum(|tally| tally.trials);
        if trials == 0 {
            return "no trial is over yet".into();
        }
        let one = |tally: &Tally| {
            let name = self.task.label_name(tally.label);
            format!("{name} {} of {}", tally.correct, tally.trials)
        };
        let each: Vec<String> = self.tallies.iter().map(one).collect();
        let strict = sum(|tally| tally.strict);
        format!("{}; strict {strict} of {trials}", each.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_sorted_by_class_and_a_score_by_answer() {
        use Class::{Excitatory, Inhibitory};
        let classes = [Inhibitory, Excitatory, Inhibitory, Excitatory];
        let mut scene = Scene::new(String::new(), Task::go_nogo(), &classes, 1.0);
        let trial = |label| Trial {
            input: vec![],
            target: vec![0.0, 1.0],
            label,
        };
        scene.begin(0, &trial(0));
        scene.spike(0.1, 2);
        assert_eq!(scene.groups[1].spikes, [(0.1, 1.5)]);
        assert_eq!(scene.target[1..3], [(0.005, 0.0), (0.005, 1.0)]);
        assert_eq!(scene.score(), "no trial is over yet");
        scene.end(true, false);
        scene.begin(1, &trial(1));
        assert!(scene.groups[1].spikes.is_empty() && scene.verdict.is_none());
        scene.end(true, true);
        assert_eq!(scene.score(), "Go 1 of 1, No-Go 1 of 1; strict 1 of 2");
    }

    #[test]
    fn the_pace_has_an_end_both_ways() {
        let mut scene = Scene::new(String::new(), Task::xor(), &[Class::Other], 0.5);
        (0..20).for_each(|_| scene.faster());
        assert_eq!(scene.speed, SPEEDS.1);
        (0..20).for_each(|_| scene.slower());
        assert_eq!(scene.speed, SPEEDS.0);
    }
}
