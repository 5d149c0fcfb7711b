//! Runs one trial after the other, and shows the scene after every few steps.

use rate2spike_core::arithmetic::Arithmetic;
use rate2spike_core::decision::Evidence;
use rate2spike_core::network::Network;
use rate2spike_core::step::State;

use super::scene::Scene;
use crate::spiking::experiment::{Experiment, task_trial};
use crate::spiking::trial::{FromInput, Input, Memory, Presentation};

/// A command that the user gives by a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// End the program.
    Quit,
    /// Stop the trial, or go on with it.
    Pause,
    /// Begin the next trial at once.
    Next,
    /// Double the pace.
    Faster,
    /// Halve the pace.
    Slower,
}

/// Time between two drawings of the scene, ms.
pub const FRAME_MS: f64 = 40.0;

/// Number of drawings for which a finished trial stays in view: 0.8 s.
const FRAMES_AT_THE_END: usize = 20;

/// Time between two points of the output, ms.
const POINT_MS: f64 = 1.0;

/// The reason why a trial ended.
enum Left {
    /// The last step was reached.
    Over,
    /// The user asked for the next trial.
    Skipped,
    /// The user ended the program.
    Quit,
}

/// A network, and the scene that shows it.
pub struct Player<'a, 'n, N: Network> {
    /// The network and its task.
    pub experiment: &'a Experiment<'n, N>,
    /// Converts an output to a number.
    pub number: fn(N::Number) -> f64,
    /// The scene that is drawn.
    pub scene: &'a mut Scene,
}

impl<N> Player<'_, '_, N>
where
    N: Network,
    <N::Number as Arithmetic>::Input: FromInput,
{
    /// Runs trials, at most `most` of them. `look` draws the scene, waits until the next
    /// drawing is due, and returns the keys that were pressed.
    ///
    /// # Errors
    /// The errors of `look`.
    pub fn play<E>(
        &mut self,
        most: Option<u64>,
        mut look: impl FnMut(&Scene) -> Result<Vec<Key>, E>,
    ) -> Result<(), E> {
        let mut memory = Memory::of(self.experiment.network);
        for index in 0..most.unwrap_or(u64::MAX) {
            match self.trial(&mut memory, index, &mut look)? {
                Left::Quit => return Ok(()),
                Left::Skipped => {}
                Left::Over if self.hold(&mut look)? => return Ok(()),
                Left::Over => {}
            }
        }
        Ok(())
    }

    fn trial<E>(
        &mut self,
        memory: &mut Memory<N::Number>,
        index: u64,
        look: &mut impl FnMut(&Scene) -> Result<Vec<Key>, E>,
    ) -> Result<Left, E> {
        let Experiment {
            network,
            ref task,
            decision,
            clock,
            step_ms,
            seed,
            ..
        } = *self.experiment;
        let trial = task_trial(task, seed, index);
        let input = Input::of_trial(task.channels(), &trial);
        let presentation = Presentation {
            network,
            clock,
            input: &input,
            seed,
            index,
        };
        let mut run = presentation.start(memory);
        let mut evidence = Evidence::default();
        self.scene.begin(index, &trial);
        while !run.is_over() {
            if let Some(left) = self.asked(look(self.scene)?) {
                return Ok(left);
            }
            let far = FRAME_MS * self.scene.speed / step_ms;
            let steps = if self.scene.paused {
                0
            } else {
                (far as u32).max(1)
            };
            for _ in 0..steps {
                let Some(step) = run.step(|sample| input.at(sample)) else {
                    break;
                };
                evidence.see(&decision, step, run.state().outputs());
                self.see(step, run.state());
            }
        }
        self.scene.end(
            decision.correct(trial.label, &evidence),
            decision.strictly_correct(trial.label, &evidence),
        );
        Ok(Left::Over)
    }

    fn see(&mut self, step: u32, state: &State<N::Number>) {
        let time_s = f64::from(step) * self.experiment.step_ms / 1000.0;
        state
            .fired()
            .for_each(|unit| self.scene.spike(time_s, unit));
        let every = (POINT_MS / self.experiment.step_ms).round().max(1.0) as u32;
        if step.is_multiple_of(every) {
            let output = (self.number)(state.output());
            self.scene.output.push((time_s, output));
        }
    }

    /// Keeps the end of a trial in view for a while; true if the user ended the program.
    fn hold<E>(&mut self, look: &mut impl FnMut(&Scene) -> Result<Vec<Key>, E>) -> Result<bool, E> {
        let mut looks = 0;
        while looks < FRAMES_AT_THE_END {
            match self.asked(look(self.scene)?) {
                Some(Left::Quit) => return Ok(true),
                Some(_) => return Ok(false),
                None => looks += usize::from(!self.scene.paused),
            }
        }
        Ok(false)
    }

    fn asked(&mut self, keys: Vec<Key>) -> Option<Left> {
        let mut left = None;
        for key in keys {
            match key {
                Key::Quit => return Some(Left::Quit),
                Key::Next => left = Some(Left::Skipped),
                Key::Pause => self.scene.paused = !self.scene.paused,
                Key::Faster => self.scene.faster(),
                Key::Slower => self.scene.slower(),
            }
        }
        left
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use crate::convert::one_to_one;
    use crate::rate::network::RateNetwork;
    use crate::rate::options::RateOptions;
    use crate::spiking::neuron::Neuron;
    use crate::spiking::time_step::TimeStep;
    use crate::task::Task;
    use crate::watch::scene::UnitSign;

    /// Runs a network of 20 units; `look` may answer with keys.
    fn played(most: Option<u64>, mut look: impl FnMut(&Scene) -> Vec<Key>) -> Scene {
        let rate = RateNetwork::start(&RateOptions::published(Task::go_nogo(), 20));
        let network = one_to_one(&rate, 50.0, Neuron::LIF).expect("a network");
        let tables = network.tables::<f64>(&TimeStep::PUBLISHED);
        let tables = tables.tables();
        let experiment = Experiment::floating(&tables, &Task::go_nogo(), &TimeStep::PUBLISHED, 3);
        let mut scene = Scene::new("a".into(), Task::go_nogo(), &[UnitSign::Other; 20], 16.0);
        let mut player = Player {
            experiment: &experiment,
            number: |output| output,
            scene: &mut scene,
        };
        let look = |scene: &Scene| Ok::<_, Infallible>(look(scene));
        match player.play(most, look) {
            Ok(()) => scene,
            Err(never) => match never {},
        }
    }

    #[test]
    fn the_scores_of_watched_trials_are_those_of_a_run() {
        let mut spikes = 0;
        let scene = played(Some(4), |scene| {
            if scene.verdict.is_some() {
                spikes = spikes.max(scene.groups[0].spikes.len());
            }
            vec![]
        });
        let rate = RateNetwork::start(&RateOptions::published(Task::go_nogo(), 20));
        let network = one_to_one(&rate, 50.0, Neuron::LIF).expect("a network");
        let tables = network.tables::<f64>(&TimeStep::PUBLISHED);
        let tables = tables.tables();
        let experiment = Experiment::floating(&tables, &Task::go_nogo(), &TimeStep::PUBLISHED, 3);
        let outcomes = experiment.outcomes(0, 4);
        let most = outcomes.iter().map(|outcome| outcome.spikes).max();
        assert_eq!(Some(spikes as u64), most);
        let score = experiment.summary(&outcomes);
        let sum = |part: fn(&crate::watch::scene::Tally) -> usize| {
            scene.tallies.iter().map(part).sum::<usize>()
        };
        assert_eq!(sum(|tally| tally.correct), score.correct);
        assert_eq!(sum(|tally| tally.strict), score.strict);
        assert_eq!(sum(|tally| tally.trials), 4);
        // The output has one point for each millisecond.
        assert_eq!(scene.output.len(), 1000);
    }

    #[test]
    fn a_pause_stops_the_trial_and_a_skipped_trial_is_not_scored() {
        let mut looks = 0;
        let mut lengths = Vec::new();
        let scene = played(None, |scene| {
            looks += 1;
            lengths.push(scene.output.len());
            match looks {
                2 => vec![Key::Pause],
                5 => vec![Key::Pause, Key::Faster, Key::Next],
                6 => vec![Key::Quit],
                _ => vec![],
            }
        });
        assert_eq!(lengths[1..5], [640; 4]);
        assert_eq!((scene.trial, lengths[5]), (1, 0));
        assert_eq!(scene.speed, 32.0);
        assert!(scene.tallies.is_empty());
    }
}
