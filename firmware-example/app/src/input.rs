//! The input of a trial, which the host sends in pieces while the trial runs.

use fixed::types::I4F12;
use heapless::Vec;
use rate2spike_core::blob::Deployed;
use rate2spike_core::network::{MOST_INPUTS, Network};
use rate2spike_core::preprocessing::{ChainState, MOST_VALUES};
use rate2spike_protocol::frame::{self, Receiver};
use rate2spike_protocol::message::{INPUT_BYTES, Refusal, SENSOR_BYTES, TABLE_BYTES};
use rate2spike_protocol::{Answer, Request};

use crate::board::Board;
use crate::line::{next, send};

/// The samples of a trial, in their order. One piece of them is in memory.
pub struct Samples<'n, 'm> {
    network: &'n Deployed<'n>,
    piece: Vec<u8, TABLE_BYTES>,
    /// Bytes of the piece that were taken.
    taken: usize,
    /// Bytes of a sample.
    sample_bytes: usize,
    /// Number of the sample that comes next.
    next: u32,
    /// Number of the last sample, which lasts to the trial's end.
    last: u32,
    preprocessing: ChainState<&'m mut [i64]>,
}

impl<'n, 'm> Samples<'n, 'm> {
    /// The input of a trial of `samples` samples; `None` if it has no sample.
    pub fn new(
        network: &'n Deployed<'n>,
        samples: u32,
        preprocessing: ChainState<&'m mut [i64]>,
    ) -> Option<Self> {
        let sample_bytes = match network.preprocessing() {
            Some(chain) => chain.channels() * SENSOR_BYTES,
            None => network.constants().inputs * INPUT_BYTES,
        };
        Some(Self {
            network,
            piece: Vec::new(),
            taken: 0,
            sample_bytes,
            next: 0,
            last: samples.checked_sub(1)?,
            preprocessing,
        })
    }

    /// True if `sample`, or the last one before it, has not been taken.
    pub fn is_before(&self, sample: u32) -> bool {
        self.next <= sample.min(self.last)
    }

    /// Asks the host for the next piece, unless a part of the last one is left.
    ///
    /// # Errors
    /// The host sends something else, or nothing.
    pub fn fetch<B: Board>(
        &mut self,
        board: &mut B,
        receiver: &mut Receiver,
    ) -> Result<(), Refusal> {
        if self.taken < self.piece.len() || self.sample_bytes == 0 {
            return Ok(());
        }
        send(board, &Answer::Want { first: self.next });
        while let Some(byte) = next(board) {
            match receiver
                .push(byte)
                .map(|frame| frame.and_then(frame::decode))
            {
                None => {}
                Some(Ok(Request::Load { first, values })) if first == self.next => {
                    return self.keep(values).ok_or(Refusal::Input);
                }
                Some(Ok(_)) => return Err(Refusal::Input),
                Some(Err(error)) => return Err(Refusal::Frame(error)),
            }
        }
        Err(Refusal::Input)
    }

    /// Keeps a piece of whole samples.
    fn keep(&mut self, values: &[u8]) -> Option<()> {
        if values.is_empty() || !values.len().is_multiple_of(self.sample_bytes) {
            return None;
        }
        self.taken = 0;
        self.piece.clear();
        self.piece.extend_from_slice(values).ok()
    }

    /// The network's input in the next sample, which was fetched.
    pub fn take(&mut self) -> Vec<I4F12, MOST_INPUTS> {
        let sample = self.piece.get(self.taken..).unwrap_or(&[]);
        let sample = sample.get(..self.sample_bytes).unwrap_or(&[]);
        self.taken += self.sample_bytes;
        self.next += 1;
        let Some(chain) = self.network.preprocessing() else {
            let (values, _) = sample.as_chunks::<INPUT_BYTES>();
            let values = values.iter().take(MOST_INPUTS);
            return values.map(|bytes| I4F12::from_le_bytes(*bytes)).collect();
        };
        let mut integers = [0; MOST_VALUES];
        let (values, _) = sample.as_chunks::<SENSOR_BYTES>();
        for (integer, bytes) in integers.iter_mut().zip(values) {
            *integer = i32::from_le_bytes(*bytes);
        }
        chain.apply(&mut self.preprocessing, &integers)
    }
}
