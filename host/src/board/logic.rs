//! The host's side of the serial line to a network in logic.

use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use rate2spike_core::Fixed;
use rate2spike_core::blob::Deployed;
use rate2spike_core::noise::Noise;
use rate2spike_protocol::logic::{self, Answer, Identity, Outcome, Receiver};
use rate2spike_protocol::message;

use super::BoardError;
use super::port::{Line, Port};
use super::session::{Reported, Runs};
use crate::export::verilog::image::{self, Image};
use crate::spiking::experiment::Experiment;
use crate::spiking::trial::Input;

/// Longest time for an answer that needs no work.
const ANSWER_TIME: Duration = Duration::from_millis(500);

/// Longest time without an answer while an image is sent or a trial runs. It is long
/// because simulators are slow.
const WORK_TIME: Duration = Duration::from_secs(300);

/// A network in logic at the other end of a line.
pub struct Logic {
    port: String,
    line: Box<dyn Line>,
    receiver: Receiver,
}

impl Logic {
    /// Opens `port` and asks for an identity; `None` if nothing answers that speaks as
    /// logic does.
    ///
    /// # Errors
    /// If the port cannot be opened, or fails.
    pub fn connect(port: &Port) -> Result<Option<(Self, Identity)>, BoardError> {
        let mut logic = Self {
            port: port.to_string(),
            line: port.open()?,
            receiver: Receiver::default(),
        };
        match logic.identify(ANSWER_TIME) {
            Ok(identity) => Ok(Some((logic, identity))),
            Err(BoardError::Silent { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Asks what the logic holds. A logic that works answers when it is ready.
    ///
    /// # Errors
    /// [`BoardError::Line`] or [`BoardError::Silent`].
    fn identify(&mut self, patience: Duration) -> Result<Identity, BoardError> {
        let start = Instant::now();
        loop {
            let wait = ANSWER_TIME.min(patience);
            let answer = self.exchange(&logic::IDENTIFY, wait, |answer| match answer {
                Answer::Identity(identity) => Some(identity),
                _ => None,
            });
            match answer {
                Err(BoardError::Silent { .. }) if start.elapsed() < patience => {}
                answer => return answer,
            }
        }
    }

    /// Lets the logic load its network from flash and run the self-test.
    ///
    /// # Errors
    /// The errors of all requests.
    pub fn self_test(&mut self) -> Result<Identity, BoardError> {
        self.write(&logic::SELF_TEST)?;
        self.identify(WORK_TIME)
    }

    /// Loads an image and returns the fault that the logic found, or 0.
    ///
    /// # Errors
    /// The errors of all requests.
    pub fn load(&mut self, image: &[u8]) -> Result<u8, BoardError> {
        let mut bytes = logic::LOAD.to_vec();
        bytes.extend(image);
        self.exchange(&bytes, WORK_TIME, |answer| match answer {
            Answer::Loaded { code, .. } => Some(code),
            _ => None,
        })
    }

    /// Runs the trial that was loaded. `command` is one of the three of
    /// [`rate2spike_protocol::logic`]; `each` gets each spike and each output.
    ///
    /// # Errors
    /// The errors of all requests.
    pub fn run(
        &mut self,
        command: &[u8],
        mut each: impl FnMut(Answer),
    ) -> Result<Outcome, BoardError> {
        self.exchange(command, WORK_TIME, |answer| match answer {
            Answer::Done(outcome) => Some(outcome),
            answer => {
                each(answer);
                None
            }
        })
    }

    fn exchange<T>(
        &mut self,
        command: &[u8],
        patience: Duration,
        mut take: impl FnMut(Answer) -> Option<T>,
    ) -> Result<T, BoardError> {
        self.write(command)?;
        let mut asked = Instant::now();
        let mut buffer = [0; 256];
        while asked.elapsed() < patience {
            let count = match self.line.read(&mut buffer) {
                Ok(0) => return Err(self.failed(ErrorKind::UnexpectedEof.into())),
                Ok(count) => count,
                Err(error) if is_timeout(&error) => continue,
                Err(error) => return Err(self.failed(error)),
            };
            for byte in &buffer[..count] {
                let Some(answer) = self.receiver.push(*byte) else {
                    continue;
                };
                asked = Instant::now();
                if let Some(result) = take(answer) {
                    return Ok(result);
                }
            }
        }
        Err(BoardError::Silent {
            port: self.port.clone(),
            waited: patience,
        })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), BoardError> {
        let mut rest = bytes;
        while !rest.is_empty() {
            match self.line.write(rest) {
                Ok(0) => return Err(self.failed(ErrorKind::WriteZero.into())),
                Ok(count) => rest = &rest[count..],
                // The line is full: a serial line is slower than a file.
                Err(error) if is_timeout(&error) => {}
                Err(error) => return Err(self.failed(error)),
            }
        }
        self.line.flush().map_err(|error| self.failed(error))
    }

    fn failed(&self, source: io::Error) -> BoardError {
        BoardError::Line {
            port: self.port.clone(),
            source,
        }
    }
}

impl Runs<Fixed> for Logic {
    fn run_trial(
        &mut self,
        experiment: &Experiment<Deployed>,
        index: u64,
        mut reported: Reported,
    ) -> Result<message::Outcome, BoardError> {
        let trial = experiment.trial(index);
        let input: Input<_> = Input::of_trial(experiment.task.channels(), &trial);
        let image = Image::of_trial(
            experiment.network,
            &image::LogicTrial {
                noise: Noise::new(experiment.seed, index),
                input: input.values(),
                steps: experiment.clock.steps,
                label: trial.label,
                spike_hash: 0,
            },
        );
        let image = image.map_err(|refusal| BoardError::Logic {
            port: self.port.clone(),
            refusal,
        })?;
        let code = self.load(&image.bytes_of_trial())?;
        if code != 0 {
            let port = self.port.clone();
            return Err(BoardError::Image { port, code });
        }
        let command = match reported {
            Reported::Nothing => logic::RUN,
            Reported::Spikes(_) => logic::RUN_WITH_SPIKES,
            Reported::Outputs(_) => logic::RUN_WITH_OUTPUTS,
        };
        let every = experiment.clock.steps_per_sample;
        let outcome = self.run(&command, |answer| match (answer, &mut reported) {
            (Answer::Spike { step, unit }, Reported::Spikes(spiked)) => spiked(step, unit),
            (Answer::Output { step, value }, Reported::Outputs(output))
                if step.is_multiple_of(every) =>
            {
                output(step, &[value]);
            }
            _ => {}
        })?;
        Ok(message::Outcome {
            spike_hash: outcome.spike_hash,
            spikes: outcome.spikes,
            answer: outcome.answer.into(),
            correct: outcome.correct,
            strict: outcome.strict,
            saturated_steps: 0,
            late_steps: 0,
            missed_samples: 0,
            cycles: message::Cycles {
                steps: experiment.clock.steps,
                total: outcome.clocks.into(),
                first: outcome.first.into(),
                worst: outcome.worst.into(),
                ..message::Cycles::default()
            },
        })
    }
}

fn is_timeout(error: &io::Error) -> bool {
    use ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), Interrupted | TimedOut | WouldBlock)
}
