//! An artificial stimulation of units during a trial.

use std::str::FromStr;

use rand::RngExt;
use rand_pcg::Pcg64;

use super::tables::Float;
use super::units::{UnitError, Units};
use crate::number::shown;
use crate::random::{Stream, generator};

/// The size of an artificial stimulation in a step, mV.
const STIMULUS_MV: f64 = 0.5;

/// An artificial ("optogenetic") stimulation: in each step of the window, with
/// probability ½, the units are moved by 0.5 mV together.
#[derive(Clone, Debug, PartialEq)]
pub struct Stimulation {
    /// Towards the threshold, or away from it.
    pub excite: bool,
    /// First step, counted from 1.
    pub start: u32,
    /// The step after the last.
    pub end: u32,
    /// Units, counted from 0.
    pub units: Vec<usize>,
}

impl Stimulation {
    /// The change of a potential in one step of the stimulation, mV.
    fn move_mv(&self) -> f64 {
        if self.excite {
            STIMULUS_MV
        } else {
            -STIMULUS_MV
        }
    }
}

/// A stimulation during a trial.
pub struct Stimulus<'a, A> {
    stimulation: &'a Stimulation,
    move_by: A,
    flips: Pcg64,
}

impl<'a, A: Float> Stimulus<'a, A> {
    /// The stimulation in the trial with this seed and number.
    pub fn new(stimulation: &'a Stimulation, seed: u64, trial: u64) -> Self {
        Self {
            stimulation,
            move_by: A::from_f64(stimulation.move_mv()),
            flips: generator(seed, Stream::Stimulation, trial),
        }
    }

    /// True if the units are moved in this step: inside the window, a coin decides.
    pub fn acts(&mut self, step: u32) -> bool {
        let window = self.stimulation.start..self.stimulation.end;
        window.contains(&step) && self.flips.random_bool(0.5)
    }

    /// The potential `v` of a unit after the stimulation.
    pub fn moved(&self, unit: usize, v: A) -> A {
        if self.stimulation.units.contains(&unit) {
            v.plus(self.move_by)
        } else {
            v
        }
    }
}

/// A stimulation that a trial cannot have.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum StimulationError {
    /// The network does not have a unit.
    #[error("--stimulate: {0}")]
    Unit(#[from] UnitError),
    /// The trial does not have the window.
    #[error(
        "--stimulate: the window from step {start} to before {end} is not within the trial, which has steps 1 to {steps} of {} ms ({} ms)",
        shown(*step_ms),
        shown(f64::from(*steps) * step_ms)
    )]
    Window {
        /// First step, counted from 1.
        start: u32,
        /// The step after the last.
        end: u32,
        /// Steps of the trial.
        steps: u32,
        /// Length of a step, ms.
        step_ms: f64,
    },
}

/// A stimulation as people write it, `exc|inh:START:END:UNITS`: times in steps counted
/// from 1 or in ms, units counted from 1.
#[derive(Clone, Debug, PartialEq)]
pub struct StimulationPlan {
    excite: bool,
    start: Moment,
    end: Moment,
    units: Units,
}

/// A moment of a trial.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Moment {
    /// A step, counted from 1.
    Step(u32),
    /// A time from the trial's start, ms.
    Ms(f64),
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let moment = match text.strip_suffix("ms") {
            Some(ms) => ms.trim().parse().ok().map(Moment::Ms),
            None => text.parse().ok().map(Moment::Step),
        };
        match moment {
            Some(Moment::Step(0)) => Err("step 0: steps are counted from 1".into()),
            Some(Moment::Ms(ms)) if !(0.0..=1e9).contains(&ms) => {
                Err(format!("'{text}' is not a time in a trial"))
            }
            Some(moment) => Ok(moment),
            None => Err(format!(
                "'{text}' is neither a step, such as 2000, nor a time, such as 100ms"
            )),
        }
    }
}

impl Moment {
    /// The step that begins at the moment, counted from 1.
    fn step(self, step_ms: f64) -> u32 {
        match self {
            Moment::Step(step) => step,
            // At most 10⁹ ms, and a step of at least 0.01 ms: the cast saturates.
            Moment::Ms(ms) => ((ms / step_ms).round() as u32).saturating_add(1),
        }
    }
}

impl StimulationPlan {
    /// The stimulation of a trial of `steps` steps, in a network of `units` units.
    ///
    /// # Errors
    /// [`StimulationError`], if the trial does not have the window, or the network a unit.
    pub fn within(
        &self,
        units: usize,
        steps: u32,
        step_ms: f64,
    ) -> Result<Stimulation, StimulationError> {
        let (start, end) = (self.start.step(step_ms), self.end.step(step_ms));
        if start >= end || end > steps + 1 {
            return Err(StimulationError::Window {
                start,
                end,
                steps,
                step_ms,
            });
        }
        Ok(Stimulation {
            excite: self.excite,
            start,
            end,
            units: self.units.within(units)?.into(),
        })
    }
}

impl FromStr for StimulationPlan {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let [mode, start, end, units] = text.split(':').collect::<Vec<_>>()[..] else {
            return Err("give exc|inh:START:END:UNITS, for instance exc:2000:6000:1-20".into());
        };
        let excite = match mode {
            "exc" => true,
            "inh" => false,
            _ => return Err(format!("'{mode}' is neither exc nor inh")),
        };
        let (start, end) = (start.parse()?, end.parse()?);
        let empty = match (start, end) {
            (Moment::Step(start), Moment::Step(end)) => start >= end,
            (Moment::Ms(start), Moment::Ms(end)) => start >= end,
            _ => return Err("give START and END both in steps, or both in ms".into()),
        };
        if empty {
            return Err(format!(
                "the window {text} is empty: it ends before it starts"
            ));
        }
        Ok(Self {
            excite,
            start,
            end,
            units: units.parse()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> StimulationPlan {
        text.parse().expect("a stimulation")
    }

    #[test]
    fn a_stimulation_counts_units_and_steps_from_one() {
        let arg = parsed("inh:10:20:1-3,7");
        let stimulation = arg.within(9, 100, 0.05).expect("it is within the trial");
        assert_eq!(stimulation.units, [0, 1, 2, 6]);
        assert!(!stimulation.excite && stimulation.start == 10 && stimulation.end == 20);
        for wrong in [
            "exc:10:20",
            "up:1:2:1",
            "exc:5:5:1",
            "exc:0:5:1",
            "exc:1:2:0",
            "exc:1:2:3-1",
            "exc:a:2:1",
            "exc:1:2ms:1",
            "exc:3ms:2ms:1",
            "exc:-1ms:2ms:1",
            "exc:nanms:2ms:1",
        ] {
            assert!(wrong.parse::<StimulationPlan>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_window_in_ms_is_one_in_steps() {
        let within = |text: &str| parsed(text).within(9, 20_000, 0.05);
        let (ms, steps) = (within("exc:100ms:300ms:1"), within("exc:2001:6001:1"));
        assert_eq!(ms.expect("a window"), steps.expect("a window"));
        // From the first step to the last.
        let whole = within("exc:0ms:1000ms:1").expect("a window");
        assert_eq!((whole.start, whole.end), (1, 20_001));
    }

    #[test]
    fn a_window_outside_of_the_trial_is_an_error_that_says_its_steps() {
        for outside in [
            "exc:30000:40000:1",
            "exc:19000:21000:1",
            "exc:2000ms:3000ms:1",
        ] {
            let error = parsed(outside).within(9, 20_000, 0.05).expect_err(outside);
            let message = error.to_string();
            assert!(
                message.contains("steps 1 to 20000 of 0.05 ms (1000 ms)"),
                "{message}"
            );
        }
    }
}
