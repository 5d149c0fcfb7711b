//! The input of a trial, which the host sends in pieces while the trial runs.

use fixed::types::I4F12;
use heapless::{Deque, Vec};
use rate2spike_core::blob::{Deployed, Stored};
use rate2spike_core::network::{MOST_INPUTS, Network};
use rate2spike_core::preprocessing::{ChainState, MOST_VALUES};
use rate2spike_protocol::frame::{self, Receiver};
use rate2spike_protocol::message::{INPUT_BYTES, Refusal, SENSOR_BYTES, TABLE_BYTES, TrialRequest};
use rate2spike_protocol::{Answer, Request};

use crate::board::Board;
use crate::line::{next_within, send};

/// Room for two pieces: the one that is used, and the one that comes.
const QUEUE_BYTES: usize = 2 * TABLE_BYTES;

/// Milliseconds after which the board asks once more for samples that have not arrived: a
/// piece takes 20 on the line.
const AGAIN_MS: u32 = 500;

/// Most requests for the same samples.
const MOST_REQUESTS: u32 = 10;

/// The samples that have arrived and were not used.
pub type Queue = Deque<u8, QUEUE_BYTES>;

/// The samples of a trial, in their order. At most two pieces of them are in memory.
pub struct Samples<'n, 'm, A: Stored> {
    network: &'n Deployed<'n, A>,
    queue: &'m mut Queue,
    /// Bytes of a sample.
    sample_bytes: usize,
    /// Number of the sample that the board needs next.
    next: u32,
    /// Number of the last sample, which lasts to the trial's end.
    last: u32,
    /// Number of the first sample in the queue, which is not the next one where that came
    /// too late.
    front: u32,
    /// Number of the sample after those that have arrived.
    arriving: u32,
    /// True if samples are asked for before they are needed. A trial whose steps are
    /// measured asks for them between two steps, so that none arrives within a step.
    is_live: bool,
    /// True if the host was asked for the samples from `arriving` on.
    asked: bool,
    /// The count of cycles at which it was asked.
    asked_at: u32,
    preprocessing: ChainState<&'m mut [i64]>,
}

impl<'n, 'm, A: Stored> Samples<'n, 'm, A> {
    /// The input of the trial `wanted`; `None` if it has no sample.
    pub fn new(
        network: &'n Deployed<'n, A>,
        wanted: &TrialRequest,
        preprocessing: ChainState<&'m mut [i64]>,
        queue: &'m mut Queue,
    ) -> Option<Self> {
        queue.clear();
        let sample_bytes = match network.preprocessing() {
            Some(chain) => chain.channels() * SENSOR_BYTES,
            None => network.constants().inputs * INPUT_BYTES,
        };
        Some(Self {
            network,
            queue,
            sample_bytes,
            next: 0,
            last: wanted.samples.checked_sub(1)?,
            front: 0,
            arriving: 0,
            is_live: wanted.live,
            asked: false,
            asked_at: 0,
            preprocessing,
        })
    }

    /// True if `sample`, or the last one before it, has not been taken.
    pub fn is_before(&self, sample: u32) -> bool {
        self.next <= sample.min(self.last)
    }

    /// True if the next sample has arrived. A network without input needs none.
    pub fn has_next(&mut self) -> bool {
        while self.front < self.next && self.queue.len() >= self.sample_bytes {
            for _ in 0..self.sample_bytes {
                self.queue.pop_front();
            }
            self.front += 1;
        }
        self.queue.len() >= self.sample_bytes
    }

    /// Asks for the next piece where there is room for one, and takes what has arrived.
    ///
    /// # Errors
    /// The host ends the trial, or sends something else.
    pub fn poll<B: Board>(
        &mut self,
        board: &mut B,
        receiver: &mut Receiver,
    ) -> Result<(), Refusal> {
        if self.is_live {
            let waited = board.cycles().wrapping_sub(self.asked_at);
            if waited / AGAIN_MS > board.clock_hz() / 1000 {
                self.asked = false;
            }
            self.ask(board);
        }
        // A host that was not asked has nothing to say except the end of the trial.
        while self.asked || self.arriving > self.last {
            let Some(byte) = board.receive() else {
                break;
            };
            self.arrived(board, receiver, byte)?;
            if self.is_live {
                self.ask(board);
            }
        }
        Ok(())
    }

    /// Waits for the next sample.
    ///
    /// # Errors
    /// The host ends the trial, sends something else, or nothing.
    pub fn fetch<B: Board>(
        &mut self,
        board: &mut B,
        receiver: &mut Receiver,
    ) -> Result<(), Refusal> {
        self.ask(board);
        let mut requests = 1;
        while !self.has_next() {
            match next_within(board, AGAIN_MS) {
                Some(byte) => self.arrived(board, receiver, byte)?,
                None if requests < MOST_REQUESTS && board.is_on() => {
                    requests += 1;
                    self.asked = false;
                    self.ask(board);
                }
                None => return Err(Refusal::Input),
            }
        }
        Ok(())
    }

    fn ask<B: Board>(&mut self, board: &mut B) {
        let has_room = self.queue.len() + TABLE_BYTES <= QUEUE_BYTES;
        if !self.asked && has_room && self.arriving <= self.last && self.sample_bytes > 0 {
            self.asked = true;
            self.asked_at = board.cycles();
            let first = self.arriving;
            send(board, &Answer::Want { first });
        }
    }

    /// Takes a byte. A piece that has arrived damaged is asked for once more, and one that has
    /// arrived before is left out.
    fn arrived<B: Board>(
        &mut self,
        board: &mut B,
        receiver: &mut Receiver,
        byte: u8,
    ) -> Result<(), Refusal> {
        match receiver
            .push(byte)
            .map(|frame| frame.and_then(frame::decode))
        {
            None => Ok(()),
            Some(Ok(Request::Load { first, values })) if self.asked && first == self.arriving => {
                self.keep(values).ok_or(Refusal::Input)
            }
            Some(Ok(Request::Load { first, .. })) if first < self.arriving => Ok(()),
            Some(Ok(Request::Stop)) => Err(Refusal::Stopped),
            Some(Ok(_)) => Err(Refusal::Input),
            Some(Err(_)) => {
                if self.asked {
                    self.asked = false;
                    self.ask(board);
                }
                Ok(())
            }
        }
    }

    /// Keeps a piece of whole samples.
    fn keep(&mut self, values: &[u8]) -> Option<()> {
        let whole = values.len().is_multiple_of(self.sample_bytes);
        if values.is_empty() || !whole || self.queue.len() + values.len() > QUEUE_BYTES {
            return None;
        }
        for &byte in values {
            // The check above has found room.
            let _ = self.queue.push_back(byte);
        }
        self.arriving += (values.len() / self.sample_bytes) as u32;
        self.asked = false;
        Some(())
    }

    /// Leaves out the sample that did not come in time.
    pub fn miss(&mut self) {
        self.next += 1;
    }

    /// The network's input in the next sample, which has arrived.
    pub fn take(&mut self) -> Vec<A::Input, MOST_INPUTS> {
        self.next += 1;
        self.front += 1;
        if self.network.preprocessing().is_none() {
            return (0..self.network.constants().inputs)
                .map(|_| A::input(I4F12::from_le_bytes(self.bytes())))
                .collect();
        }
        let mut integers = [0; MOST_VALUES];
        let channels = self.sample_bytes / SENSOR_BYTES;
        for integer in integers.iter_mut().take(channels) {
            *integer = i32::from_le_bytes(self.bytes());
        }
        let sample = integers.get(..channels).unwrap_or(&integers);
        preprocessed(self.network, &mut self.preprocessing, sample)
    }

    /// The next bytes of the queue.
    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        core::array::from_fn(|_| self.queue.pop_front().unwrap_or(0))
    }
}

/// The input of a network at a sample of its sensor. A network without a preprocessing
/// takes the integers as they are, in 2⁻¹².
pub fn preprocessed<A: Stored>(
    network: &Deployed<A>,
    state: &mut ChainState<&mut [i64]>,
    sample: &[i32],
) -> Vec<A::Input, MOST_INPUTS> {
    match network.preprocessing() {
        Some(chain) => chain
            .apply(state, sample)
            .into_iter()
            .map(A::input)
            .collect(),
        None => sample
            .iter()
            .take(MOST_INPUTS)
            .map(|&value| {
                let bits = value.clamp(i16::MIN.into(), i16::MAX.into());
                A::input(I4F12::from_bits(bits as i16))
            })
            .collect(),
    }
}
