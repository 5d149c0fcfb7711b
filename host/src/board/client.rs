//! The host's side of the serial protocol.

use std::io;
use std::time::{Duration, Instant};

use rate2spike_protocol::frame::{self, LINE_BYTES};
use rate2spike_protocol::message::{
    INPUT_BYTES, Limits, NetworkFault, Outcome, Refusal, SENSOR_BYTES, SPIKE_BYTES, SelfTest,
    TABLE_BYTES, TrialRequest,
};
use rate2spike_protocol::{Answer, FrameError, Receiver, Request};

use super::BoardError;
use super::port::{Line, Port};

/// Longest time for an answer that needs no work.
const ANSWER_TIME: Duration = Duration::from_secs(2);

/// Longest time without an answer while the board erases flash or runs its self-test. It is
/// long because emulators are slow.
const WORK_TIME: Duration = Duration::from_secs(300);

/// Longest time without an answer while a trial runs. A board asks for samples and sends
/// outputs all the time: an emulator that takes ten times as long is heard in some seconds.
const TRIAL_TIME: Duration = Duration::from_secs(60);

/// Longest time for all answers to one request.
const MOST_TIME: Duration = Duration::from_secs(3600);

/// Number of calls before a board counts as silent.
const CALLS: usize = 5;

/// Most repetitions of a request that did not arrive whole.
const REPETITIONS: usize = 3;

/// A board at the other end of a line.
pub struct Client {
    port: String,
    line: Box<dyn Line>,
    receiver: Receiver,
    /// Bytes that arrived, and the number of them that were read.
    arrived: Vec<u8>,
    taken: usize,
    /// Longest time without an answer while a trial runs.
    trial_time: Duration,
}

/// A board's answer about itself and its network.
#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    /// Name of the board.
    pub board: String,
    /// Cycles of its counter in a second.
    pub clock_hz: u32,
    /// Largest network that the board has room for.
    pub limits: Limits,
    /// Largest size of the stack since the board was switched on, in bytes.
    pub stack_bytes: u32,
    /// Check sum of the board's network, or the reason why it has no network.
    pub network: Result<u32, NetworkFault>,
}

/// The input of a trial as bytes, sample by sample.
#[derive(Clone, Debug)]
pub struct SampleBytes {
    bytes: Vec<u8>,
    /// Bytes of a sample.
    sample_bytes: usize,
}

impl SampleBytes {
    /// The input of a network without a preprocessing: values in bits of 2⁻¹², sample by
    /// sample, `channels` values each.
    pub fn of_input(channels: usize, values: &[i16]) -> Self {
        Self {
            bytes: values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect(),
            sample_bytes: channels * INPUT_BYTES,
        }
    }

    /// The integers of a sensor, for the preprocessing of a network: sample by sample,
    /// `channels` values each.
    pub fn of_sensor(channels: usize, values: &[i32]) -> Self {
        Self {
            bytes: values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect(),
            sample_bytes: channels * SENSOR_BYTES,
        }
    }

    /// Number of samples.
    pub fn count(&self) -> u32 {
        (self.bytes.len() / self.sample_bytes.max(1)) as u32
    }

    /// The samples from `first` on that a message has room for; empty behind the end.
    fn piece(&self, first: u32) -> &[u8] {
        let sample_bytes = self.sample_bytes.max(1);
        let most = TABLE_BYTES / sample_bytes * sample_bytes;
        let rest = self.bytes.get(first as usize * sample_bytes..);
        let rest = rest.unwrap_or_default();
        &rest[..rest.len().min(most)]
    }
}

/// The state of a request whose answer has arrived.
enum Reaction<T> {
    /// The request is done.
    Done(T),
    /// More answers follow.
    More,
    /// The board waits for these bytes; then more answers follow.
    Reply(Vec<u8>),
    /// The answer belongs to an earlier request, which was given up.
    Foreign,
}

impl Client {
    /// Opens `port` and calls the board.
    ///
    /// # Errors
    /// If the port cannot be opened, or if the board does not answer.
    pub fn connect(port: &Port) -> Result<(Self, Identity), BoardError> {
        let mut client = Self {
            port: port.to_string(),
            line: port.open()?,
            receiver: Receiver::new(),
            arrived: Vec::new(),
            taken: 0,
            trial_time: TRIAL_TIME,
        };
        for _ in 1..CALLS {
            // A zero ends the half message that the board's buffer may hold.
            client.write(&[0])?;
            client.drain()?;
            match client.identify() {
                Err(BoardError::Silent { .. } | BoardError::Refused { .. }) => {}
                result => return result.map(|identity| (client, identity)),
            }
        }
        let identity = client.identify()?;
        Ok((client, identity))
    }

    /// Drops the board's answers to earlier requests.
    fn drain(&mut self) -> Result<(), BoardError> {
        let start = Instant::now();
        while start.elapsed() < ANSWER_TIME && self.next()?.is_some() {}
        self.receiver = Receiver::new();
        Ok(())
    }

    /// Asks the board for its name, its limits and its network.
    ///
    /// # Errors
    /// Every [`BoardError`] except [`BoardError::Open`]. All requests have these errors.
    pub fn identify(&mut self) -> Result<Identity, BoardError> {
        self.exchange(&Request::Identify, ANSWER_TIME, |answer| match answer {
            Answer::Identity(identity) => Reaction::Done(Identity {
                board: String::from_utf8_lossy(identity.board).into_owned(),
                clock_hz: identity.clock_hz,
                limits: identity.limits,
                stack_bytes: identity.stack_bytes,
                network: identity.network.map(|holding| holding.checksum),
            }),
            _ => Reaction::Foreign,
        })
    }

    /// Lets the board run its network's self-test.
    ///
    /// # Errors
    /// The errors of all requests.
    pub fn self_test(&mut self) -> Result<SelfTest, BoardError> {
        self.exchange(&Request::SelfTest, WORK_TIME, |answer| match answer {
            Answer::SelfTest(result) => Reaction::Done(*result),
            _ => Reaction::Foreign,
        })
    }

    /// Runs a trial with this input. If the trial asks for them, `spiked` gets step and unit
    /// of each spike, and `output` step and bits of the outputs.
    ///
    /// # Errors
    /// The errors of all requests.
    pub fn run(
        &mut self,
        trial: &TrialRequest,
        input: &SampleBytes,
        mut spiked: impl FnMut(u32, u16),
        mut output: impl FnMut(u32, &[i32]),
    ) -> Result<Outcome, BoardError> {
        let every = u32::from(trial.output_every);
        let request = Request::Run(*trial);
        let outcome = self.exchange(&request, self.trial_time, |answer| match answer {
            Answer::Want { first } => {
                let request = Request::Load {
                    first: *first,
                    values: input.piece(*first),
                };
                Reaction::Reply(framed(&request))
            }
            Answer::Spikes(spikes) => {
                for spike in spikes.as_chunks::<SPIKE_BYTES>().0 {
                    let [a, b, c, d, e, f] = *spike;
                    spiked(u32::from_le_bytes([a, b, c, d]), u16::from_le_bytes([e, f]));
                }
                Reaction::More
            }
            Answer::Output {
                first,
                outputs,
                values,
            } => {
                let values: Vec<i32> = values
                    .as_chunks()
                    .0
                    .iter()
                    .map(|bytes| i32::from_le_bytes(*bytes))
                    .collect();
                let steps = values.chunks(usize::from(*outputs).max(1));
                for (values, k) in steps.zip(0..) {
                    output(first + k * every, values);
                }
                Reaction::More
            }
            Answer::Done(outcome) => Reaction::Done(*outcome),
            _ => Reaction::Foreign,
        });
        outcome.map_err(|error| match error {
            BoardError::Silent { port, waited } => BoardError::Stopped { port, waited },
            error => error,
        })
    }

    /// Replaces the board's network by these bytes; `written` gets the number of bytes that
    /// are written so far.
    ///
    /// # Errors
    /// The errors of all requests; a refusal if the board cannot replace its network.
    pub fn replace(
        &mut self,
        network: &[u8],
        mut written: impl FnMut(usize),
    ) -> Result<Identity, BoardError> {
        let bytes = network.len() as u32;
        self.exchange(
            &Request::Erase { bytes },
            WORK_TIME,
            |answer| match answer {
                Answer::Erased => Reaction::Done(()),
                _ => Reaction::Foreign,
            },
        )?;
        for (chunk, bytes) in network.chunks(TABLE_BYTES).enumerate() {
            let mut bytes = bytes.to_vec();
            // Erased flash holds this byte.
            bytes.resize(bytes.len().next_multiple_of(4), 0xff);
            let offset = chunk * TABLE_BYTES;
            let request = Request::Write {
                offset: offset as u32,
                bytes: &bytes,
            };
            self.write_piece(&request)?;
            written(network.len().min(offset + bytes.len()));
        }
        self.identify()
    }

    /// Lets the board write a piece of a network; asks again if the board has heard nothing.
    fn write_piece(&mut self, piece: &Request) -> Result<(), BoardError> {
        for _ in 0..REPETITIONS {
            let result = self.exchange(piece, ANSWER_TIME, |answer| match answer {
                Answer::Written => Reaction::Done(()),
                _ => Reaction::Foreign,
            });
            match result {
                // A zero ends the part that has arrived.
                Err(BoardError::Silent { .. }) => self.write(&[0])?,
                result => return result,
            }
        }
        Err(BoardError::Silent {
            port: self.port.clone(),
            waited: ANSWER_TIME,
        })
    }

    /// Sends a request, and again if the board says that it arrived damaged, until its answers
    /// have come.
    fn exchange<T>(
        &mut self,
        request: &Request,
        patience: Duration,
        mut react: impl FnMut(&Answer) -> Reaction<T>,
    ) -> Result<T, BoardError> {
        let frame = framed(request);
        self.write(&frame)?;
        let start = Instant::now();
        let mut asked = start;
        let mut repetitions = 0;
        while asked.elapsed() < patience && start.elapsed() < MOST_TIME {
            let Some(byte) = self.next()? else { continue };
            let body = match self.receiver.push(byte) {
                Some(Ok(body)) => body,
                Some(Err(FrameError::Version { found })) => {
                    let port = self.port.clone();
                    return Err(BoardError::Version { port, found });
                }
                // A board without a network prints plain text, and the line may still hold
                // bytes of an earlier program.
                Some(Err(_)) | None => continue,
            };
            let port = || self.port.clone();
            match frame::decode(body) {
                Ok(Answer::Refused(Refusal::Frame(_))) if repetitions < REPETITIONS => {
                    repetitions += 1;
                    self.write(&frame)?;
                    asked = Instant::now();
                }
                Ok(Answer::Refused(refusal)) => {
                    return Err(BoardError::Refused {
                        port: port(),
                        refusal,
                    });
                }
                Ok(answer) => match react(&answer) {
                    Reaction::Done(result) => return Ok(result),
                    Reaction::More => asked = Instant::now(),
                    Reaction::Reply(bytes) => {
                        self.write(&bytes)?;
                        asked = Instant::now();
                    }
                    Reaction::Foreign => {}
                },
                Err(_) => return Err(BoardError::Unexpected { port: port() }),
            }
        }
        Err(BoardError::Silent {
            port: self.port.clone(),
            waited: patience,
        })
    }

    /// The next byte; `None` if no byte came within the timeout of the line.
    fn next(&mut self) -> Result<Option<u8>, BoardError> {
        if self.taken == self.arrived.len() {
            let mut buffer = [0; 4096];
            let count = match self.line.read(&mut buffer) {
                Ok(0) => return Err(self.failed(io::ErrorKind::UnexpectedEof.into())),
                Ok(count) => count,
                Err(error) if is_timeout(&error) => return Ok(None),
                Err(error) => return Err(self.failed(error)),
            };
            self.arrived.clear();
            self.arrived.extend(&buffer[..count]);
            self.taken = 0;
        }
        let byte = self.arrived[self.taken];
        self.taken += 1;
        Ok(Some(byte))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), BoardError> {
        let result = self.line.write_all(bytes).and_then(|()| self.line.flush());
        result.map_err(|error| self.failed(error))
    }

    fn failed(&self, source: io::Error) -> BoardError {
        BoardError::Line {
            port: self.port.clone(),
            source,
        }
    }
}

/// The bytes of a request on the line.
fn framed(request: &Request) -> Vec<u8> {
    let mut line = [0; LINE_BYTES];
    let bytes = frame::encode(request, &mut line).expect("requests are cut to fit");
    bytes.to_vec()
}

fn is_timeout(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), Interrupted | TimedOut | WouldBlock)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A board that takes every byte and says nothing.
    struct Stopped;

    impl io::Read for Stopped {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            std::thread::sleep(Duration::from_millis(5));
            Err(io::ErrorKind::TimedOut.into())
        }
    }

    impl io::Write for Stopped {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_board_that_stops_in_a_trial_is_not_waited_for_without_end() {
        let mut client = Client {
            port: "tcp:localhost:1".into(),
            line: Box::new(Stopped),
            receiver: Receiver::new(),
            arrived: Vec::new(),
            taken: 0,
            trial_time: Duration::from_secs(1),
        };
        let trial = TrialRequest {
            seed: 1,
            index: 0,
            samples: 1,
            label: 0,
            spikes: false,
            output_every: 1,
            live: true,
        };
        let input = SampleBytes::of_input(1, &[0]);
        let result = client.run(&trial, &input, |_, _| {}, |_, _| {});
        let said = result.expect_err("nothing answers").to_string();
        for words in ["no answer for 1 s in the middle of a trial", "still run"] {
            assert!(said.contains(words), "{said}");
        }
    }
}
