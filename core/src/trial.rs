//! A trial: input samples go in, spikes and an output come out.

use core::hash::Hasher;

use fnv::FnvHasher;
use serde::{Deserialize, Serialize};

use crate::halves::{Alone, Join};
use crate::network::{Input, Network};
use crate::noise::Noise;
use crate::step::State;

/// The length of a trial, and of a sample of its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// Time steps of one input sample, at least one.
    pub steps_per_sample: u32,
    /// Time steps of the trial.
    pub steps: u32,
}

impl Clock {
    /// The input sample of `step`, which counts from 1: `step / steps_per_sample`
    /// rounded to nearest, as in the published code. The first sample therefore
    /// lasts half as long as the others.
    pub fn sample(&self, step: u32) -> u32 {
        (2 * step + self.steps_per_sample) / (2 * self.steps_per_sample)
    }
}

/// A network on its way through a trial, one step each time that it is asked.
///
/// A run has the step counter, the clock of the input, the noise and the state.
/// New input is applied only when it differs from the input shown before. The
/// caller may stop at any step.
///
/// A trial whose samples are known beforehand:
///
/// ```
/// # use rate2spike_core::network::{Input, Network};
/// # use rate2spike_core::trial::Run;
/// # fn spikes<'i, N: Network>(
/// #     mut run: Run<'_, '_, N, &'i [Input<N>]>,
/// #     input: &'i [Input<N>],
/// # ) -> usize {
/// let mut spikes = 0;
/// while let Some(_step) = run.step(|_sample| input) {
///     spikes += run.state().fired().count();
/// }
/// spikes
/// # }
/// ```
///
/// Samples that arrive while the network runs, from a button or a sensor, go in
/// with [`Run::show`], and [`Run::advance`] makes a step.
#[derive(Debug)]
pub struct Run<'n, 'm, N: Network, I> {
    network: &'n N,
    state: State<'m, N::Number>,
    noise: Noise,
    clock: Clock,
    /// Steps made.
    now: u32,
    /// The sample of the step `now`.
    sample: u32,
    /// Steps until the sample after it begins. They are counted down, since a
    /// microcontroller without a divider pays for each division.
    until_next: u32,
    /// The input in use; `None` before the first one.
    shown: Option<I>,
}

impl<'n, 'm, N: Network, I: AsRef<[Input<N>]>> Run<'n, 'm, N, I> {
    /// A run of `network` from `state`, before its first step. `noise` is the
    /// generator that the state was started with.
    #[inline(always)]
    pub fn new(network: &'n N, state: State<'m, N::Number>, noise: Noise, clock: Clock) -> Self {
        Self {
            network,
            state,
            noise,
            clock,
            now: 0,
            sample: 0,
            until_next: clock.steps_per_sample.div_ceil(2),
            shown: None,
        }
    }

    /// The number of steps made, which is the number of the last step.
    #[inline(always)]
    pub fn now(&self) -> u32 {
        self.now
    }

    /// The sample that the next step shows, if that step shows another one than the
    /// step before; `None` at the trial's end.
    #[inline(always)]
    pub fn next_sample(&self) -> Option<u32> {
        match self.until_next {
            _ if self.is_over() => None,
            1 => Some(self.sample + 1),
            _ if self.shown.is_none() => Some(self.sample),
            _ => None,
        }
    }

    /// The sample after the one that is shown, and the number of steps before the first one
    /// that shows it; `None` if the trial ends before.
    #[inline(always)]
    pub fn coming_sample(&self) -> Option<(u32, u32)> {
        let steps = self.until_next.wrapping_sub(1);
        let is_in_trial = self.now.saturating_add(steps) < self.clock.steps;
        is_in_trial.then_some((self.sample + 1, steps))
    }

    /// Gets ready for the input of [`Run::coming_sample`], if it is another one than before: the
    /// steps until then compute its drives, a part each.
    #[inline(always)]
    pub fn expect(&mut self, input: &I) {
        let known = self.shown.as_ref().map(I::as_ref);
        if let Some((_, steps)) = self.coming_sample()
            && known != Some(input.as_ref())
        {
            self.state.expect_input(self.network, input.as_ref(), steps);
        }
    }

    /// True once the trial's last step is made.
    #[inline(always)]
    pub fn is_over(&self) -> bool {
        self.now >= self.clock.steps
    }

    /// The state after the last step.
    #[inline(always)]
    pub fn state(&self) -> &State<'m, N::Number> {
        &self.state
    }

    /// The state, to change it between two steps: other potentials at the
    /// start, or an early end of a refractory time.
    #[inline(always)]
    pub fn state_mut(&mut self) -> &mut State<'m, N::Number> {
        &mut self.state
    }

    /// Makes the trial's next step and returns its number, which counts from 1;
    /// `None`, and no step, at the trial's end. `input` gives the values of all
    /// channels in a sample, and is asked once a sample.
    #[inline(always)]
    pub fn step(&mut self, input: impl FnOnce(u32) -> I) -> Option<u32> {
        self.step_on(&mut Alone, input)
    }

    /// The same on the processors of `join`, if the state was started in halves.
    #[inline(always)]
    pub fn step_on(&mut self, join: &mut impl Join, input: impl FnOnce(u32) -> I) -> Option<u32> {
        self.tick(join, input)?;
        Some(self.advance_on(join))
    }

    /// The same with a stimulation: see [`State::step_stimulated`].
    #[inline(always)]
    pub fn step_stimulated(
        &mut self,
        input: impl FnOnce(u32) -> I,
        stimulate: impl Fn(usize, N::Number) -> N::Number,
    ) -> Option<u32> {
        self.tick(&mut Alone, input)?;
        self.now = self.now.wrapping_add(1);
        self.state
            .step_stimulated(self.network, &mut self.noise, stimulate);
        Some(self.now)
    }

    /// Makes a step with the input that is shown and returns its number, also
    /// beyond the trial's end: for input that arrives while the network runs.
    #[inline(always)]
    pub fn advance(&mut self) -> u32 {
        self.advance_on(&mut Alone)
    }

    /// The same on the processors of `join`, if the state was started in halves.
    #[inline(always)]
    pub fn advance_on(&mut self, join: &mut impl Join) -> u32 {
        self.now = self.now.wrapping_add(1);
        self.state.step_on(self.network, &mut self.noise, join);
        self.now
    }

    /// Sets the input from the next step on, if it is another one than before.
    #[inline(always)]
    pub fn show(&mut self, input: I) {
        self.show_on(&mut Alone, input);
    }

    /// The same on the processors of `join`, if the state was started in halves.
    #[inline(always)]
    pub fn show_on(&mut self, join: &mut impl Join, input: I) {
        let known = self.shown.as_ref().map(I::as_ref);
        if known != Some(input.as_ref()) {
            self.state.set_input_on(self.network, input.as_ref(), join);
        }
        self.shown = Some(input);
    }

    /// Advances the clock of the input by one step, and shows the sample that
    /// begins with it; `None` at the trial's end.
    #[inline(always)]
    fn tick(&mut self, join: &mut impl Join, input: impl FnOnce(u32) -> I) -> Option<()> {
        if self.is_over() {
            return None;
        }
        self.until_next = self.until_next.wrapping_sub(1);
        let begins = self.until_next == 0;
        if begins {
            self.sample += 1;
            self.until_next = self.clock.steps_per_sample;
        }
        if begins || self.shown.is_none() {
            self.show_on(join, input(self.sample));
        }
        Some(())
    }
}

/// The hash of a sequence of spikes: FNV-1a, 64 bits, over the step (4 bytes,
/// little endian) and the unit (2 bytes) of every spike.
#[derive(Default)]
pub struct SpikeHash(FnvHasher);

impl SpikeHash {
    /// Adds the spike of `unit` at `step`.
    pub fn add(&mut self, step: u32, unit: usize) {
        self.0.write(&step.to_le_bytes());
        self.0.write(&(unit as u16).to_le_bytes());
    }

    /// Adds all spikes of the step that `state` has just made.
    #[inline]
    pub fn add_step<A: crate::Arithmetic>(&mut self, step: u32, state: &State<A>) {
        state.fired().for_each(|unit| self.add(step, unit));
    }

    /// Adds another hash, for instance that of a whole trial.
    pub fn add_hash(&mut self, hash: u64) {
        self.0.write(&hash.to_le_bytes());
    }

    /// The hash so far.
    pub fn value(&self) -> u64 {
        self.0.finish()
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;
    use crate::network::Tables;
    use crate::testing::{Memory, Net};

    /// Starts a run of one neuron and hands it to `run`.
    fn with_run<I: AsRef<[f64]>, T>(
        clock: Clock,
        run: impl FnOnce(Run<'_, '_, Tables<'_, f64>, I>) -> T,
    ) -> T {
        let net = Net::unconnected(1);
        let tables = net.tables();
        let mut memory = Memory::of(&tables);
        let mut noise = Noise::new(1, 0);
        let state = memory.start(&tables, &mut noise).expect("enough memory");
        run(Run::new(&tables, state, noise, clock))
    }

    #[test]
    fn a_run_asks_once_for_every_sample_of_its_clock() {
        for steps_per_sample in 1..12 {
            let clock = Clock {
                steps_per_sample,
                steps: 40,
            };
            let mut asked = Vec::new();
            let steps = with_run(clock, |mut run| {
                let mut steps = Vec::new();
                loop {
                    let next = run.next_sample();
                    let mut shown = None;
                    let step = run.step(|sample| {
                        shown = Some(sample);
                        asked.push((steps.len() as u32 + 1, sample));
                        [0.0]
                    });
                    assert_eq!(shown, next);
                    let Some(step) = step else { break };
                    steps.push(step);
                }
                assert!(run.is_over() && run.now() == 40);
                assert_eq!(run.step(|_| [0.0]), None);
                steps
            });
            assert!(steps.into_iter().eq(1..=40));
            let mut last = None;
            let expected: Vec<(u32, u32)> = (1..=40)
                .map(|step| (step, clock.sample(step)))
                .filter(|&(_, sample)| last.replace(sample) != Some(sample))
                .collect();
            assert_eq!(asked, expected, "{steps_per_sample} steps a sample");
        }
    }

    #[test]
    fn input_shown_as_it_arrives_does_what_samples_do() {
        let clock = Clock {
            steps_per_sample: 2,
            steps: 20,
        };
        let value = |sample: u32| [f64::from(sample / 3) * 20.0];
        let potential = |run: &Run<Tables<f64>, [f64; 1]>| run.state().potential(0);
        let by_samples: Vec<f64> = with_run(clock, |mut run| {
            core::iter::from_fn(|| run.step(value).map(|_| potential(&run))).collect()
        });
        let as_it_arrives: Vec<f64> = with_run(clock, |mut run| {
            (1..=20)
                .map(|step| {
                    run.show(value(clock.sample(step)));
                    assert_eq!(run.advance(), step);
                    potential(&run)
                })
                .collect()
        });
        assert!(by_samples.iter().any(|&v| v > 0.5));
        assert_eq!(by_samples, as_it_arrives);
    }

    #[test]
    fn a_stimulated_step_moves_the_potential() {
        let clock = Clock {
            steps_per_sample: 1,
            steps: 2,
        };
        with_run(clock, |mut run| {
            run.state_mut().set_potential(0, 0.25);
            run.step(|_| [0.0]);
            let before = run.state().potential(0);
            run.step_stimulated(|_| [0.0], |_, v| v - 1.0);
            assert!(run.state().potential(0) < before - 0.9);
            assert_eq!(run.step_stimulated(|_| [0.0], |_, v| v), None);
        });
    }
}
