//! The scene: the trial up to now, and the scores of the trials before it.

use rate2spike_core::Fixed;
use rate2spike_core::blob::Deployed;
use rate2spike_core::decision::Kind;
use rate2spike_core::network::Network;

use crate::task::{Task, Trial};

/// The effect of a unit on the units that receive its spikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UnitSign {
    /// All weights of the unit are positive.
    Excitatory,
    /// All weights of the unit are negative.
    Inhibitory,
    /// The unit belongs to a network in which units have weights of both signs.
    Other,
}

impl UnitSign {
    /// The word above its raster.
    pub fn name(self) -> &'static str {
        match self {
            UnitSign::Excitatory => "excitatory",
            UnitSign::Inhibitory => "inhibitory",
            UnitSign::Other => "units",
        }
    }
}

/// The sign of each unit of a network, found from its weights. If one unit has weights of
/// both signs, all units are [`UnitSign::Other`].
pub fn signs(network: &Deployed) -> Vec<UnitSign> {
    let units = usize::from(network.payload().shared.units);
    let mut mixed = false;
    let mut sign = |unit| {
        let (mut positive, mut negative) = (false, false);
        network.each_target(unit, |_, weight: Fixed| {
            positive |= weight.to_bits() > 0;
            negative |= weight.to_bits() < 0;
        });
        mixed |= positive && negative;
        match (positive, negative) {
            (_, false) => UnitSign::Excitatory,
            (false, true) => UnitSign::Inhibitory,
            (true, true) => UnitSign::Other,
        }
    };
    let signs: Vec<UnitSign> = (0..units).map(&mut sign).collect();
    if mixed {
        return vec![UnitSign::Other; units];
    }
    signs
}

/// The units of one sign; each unit has a row of the raster.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// The sign.
    pub sign: UnitSign,
    /// Number of units in the group.
    pub units: usize,
    /// Time in s and row of each spike of the trial.
    pub spikes: Vec<(f64, f64)>,
}

/// The score of the finished trials with one right answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    /// The right answer.
    pub label: i16,
    /// Number of trials.
    pub trials: usize,
    /// Trials that were right by the published criterion.
    pub correct: usize,
    /// Trials that were right by the strict criterion.
    pub strict: usize,
}

/// Slowest and fastest pace: seconds of a trial in a second.
const SPEEDS: (f64, f64) = (1.0 / 64.0, 64.0);

/// Everything that is drawn.
#[derive(Clone, Debug)]
pub struct Scene {
    /// The title, which names the network.
    pub title: String,
    /// The task of the network.
    pub task: Task,
    /// The units of the network, sign by sign.
    pub groups: Vec<Group>,
    /// Group and row of each unit.
    places: Vec<(usize, usize)>,
    /// The limits of the decision rule: outputs between which an answer changes.
    pub limits: Vec<f64>,
    /// Number of the trial, from 0.
    pub trial: u64,
    /// The right answer of the trial.
    pub label: i16,
    /// Points of the target: time in s and wanted output; a jump has two points.
    pub target: Vec<(f64, f64)>,
    /// Points of the output up to now: time in s and output.
    pub output: Vec<(f64, f64)>,
    /// Whether the trial was right by the published and by the strict criterion; `None`
    /// while the trial runs.
    pub verdict: Option<(bool, bool)>,
    /// The scores of the finished trials, answer by answer, the highest answer first.
    pub tallies: Vec<Tally>,
    /// Whether the user has stopped the trial.
    pub paused: bool,
    /// The pace: seconds of a trial in a second.
    pub speed: f64,
}

impl Scene {
    /// The scene before the first trial.
    pub fn new(title: String, task: Task, signs: &[UnitSign], speed: f64) -> Self {
        let mut present: Vec<UnitSign> = signs.to_vec();
        present.sort_unstable();
        present.dedup();
        let mut groups: Vec<Group> = present
            .into_iter()
            .map(|sign| Group {
                sign,
                units: 0,
                spikes: Vec::new(),
            })
            .collect();
        let places = signs.iter().map(|sign| {
            let at = groups.iter().position(|group| group.sign == *sign);
            let at = at.expect("every sign has its group");
            groups[at].units += 1;
            (at, groups[at].units - 1)
        });
        let places = places.collect();
        let rule = task.decision(1.0);
        let limits = match rule.kind {
            Kind::Detection => vec![rule.mean_high, rule.mean_low],
            Kind::Sign => vec![rule.mean_high, -rule.mean_high],
            Kind::Rhythm { .. } => vec![rule.high, -rule.high],
            Kind::Class | Kind::Label | Kind::Track => Vec::new(),
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

    /// Begins a trial.
    pub fn begin(&mut self, index: u64, trial: &Trial) {
        self.trial = index;
        self.label = trial.label;
        self.verdict = None;
        self.output.clear();
        self.groups
            .iter_mut()
            .for_each(|group| group.spikes.clear());
        let sample_ms = self.task.sample_ms();
        let second = |sample: usize| sample as f64 * sample_ms / 1000.0;
        let held = |(sample, &z): (usize, &f32)| {
            [(second(sample), z.into()), (second(sample + 1), z.into())]
        };
        self.target = trial.target.iter().enumerate().flat_map(held).collect();
    }

    /// Adds a spike.
    pub fn spike(&mut self, time_s: f64, unit: usize) {
        let (group, row) = self.places[unit];
        self.groups[group].spikes.push((time_s, row as f64 + 0.5));
    }

    /// Ends the trial with its score.
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

    /// Length of a trial, s.
    pub fn seconds(&self) -> f64 {
        self.task.seconds()
    }

    /// Doubles the pace.
    pub fn faster(&mut self) {
        self.speed = (self.speed * 2.0).min(SPEEDS.1);
    }

    /// Halves the pace.
    pub fn slower(&mut self) {
        self.speed = (self.speed / 2.0).max(SPEEDS.0);
    }

    /// The score up to now, such as `Go 2 of 2, No-Go 1 of 2; strict 3 of 4`.
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
    fn units_are_sorted_by_sign_and_scores_by_answer() {
        use UnitSign::{Excitatory, Inhibitory};
        let signs = [Inhibitory, Excitatory, Inhibitory, Excitatory];
        let mut scene = Scene::new(String::new(), Task::go_nogo(), &signs, 1.0);
        let trial = |label| Trial {
            input: vec![],
            target: vec![0.0, 1.0],
            mask: None,
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
    fn the_pace_has_a_lower_and_an_upper_limit() {
        let mut scene = Scene::new(String::new(), Task::xor(), &[UnitSign::Other], 0.5);
        (0..20).for_each(|_| scene.faster());
        assert_eq!(scene.speed, SPEEDS.1);
        (0..20).for_each(|_| scene.slower());
        assert_eq!(scene.speed, SPEEDS.0);
    }
}
