//! A board and its flash that exist in memory only.

use std::cell::Cell;
use std::collections::VecDeque;
use std::rc::Rc;

use rate2spike_app::{Board, Memory, Store, run};
use rate2spike_protocol::frame::{self, LINE_BYTES, Receiver};
use rate2spike_protocol::message::FlashFault;
use rate2spike_protocol::{Answer, Request};

/// A board that is switched off when all bytes have been received, or when its
/// flash has lost power.
struct Desk {
    arriving: VecDeque<u8>,
    sent: Vec<u8>,
    cycles: u32,
    powered: Rc<Cell<bool>>,
}

impl Board for Desk {
    const NAME: &'static str = "desk";

    fn clock_hz(&self) -> u32 {
        1_000_000
    }

    fn cycles(&mut self) -> u32 {
        self.cycles = self.cycles.wrapping_add(100);
        self.cycles
    }

    fn receive(&mut self) -> Option<u8> {
        self.arriving.pop_front()
    }

    fn send(&mut self, byte: u8) {
        self.sent.push(byte);
    }

    fn button(&mut self) -> bool {
        false
    }

    fn set_light(&mut self, _on: bool) {}

    fn stack_bytes(&self) -> u32 {
        0
    }

    fn is_on(&self) -> bool {
        self.powered.get() && !self.arriving.is_empty()
    }
}

/// Bytes of a slot.
pub const SLOT: usize = 0x8000;

/// What the flash does at once.
#[derive(Clone, Copy, Debug)]
pub enum Operation {
    /// Clears the bits of a byte that are zero in the value.
    Program(usize, u8),
    /// Sets all bits of a sector: its offset and its bytes.
    Erase(usize, usize),
}

impl Operation {
    /// Carries it out.
    pub fn apply(self, bytes: &mut [u8]) {
        match self {
            Operation::Program(at, value) => bytes[at] &= value,
            Operation::Erase(at, sector) => bytes[at..at + sector].fill(0xff),
        }
    }
}

/// Flash of 64 KiB, two slots of 32, whose power may be cut.
pub struct Flash {
    pub bytes: Vec<u8>,
    /// What was done.
    pub log: Vec<Operation>,
    /// Operations until the power is cut.
    pub left: usize,
    /// Bytes of a sector.
    pub sector: usize,
    powered: Rc<Cell<bool>>,
}

impl Flash {
    /// In sectors of 4 KiB, with this network in the first slot.
    pub fn with(network: &[u8]) -> Self {
        let mut bytes = vec![0xff; 2 * SLOT];
        bytes[..network.len()].copy_from_slice(network);
        Self {
            bytes,
            log: Vec::new(),
            left: usize::MAX,
            sector: 4096,
            powered: Rc::new(Cell::new(true)),
        }
    }

    fn carry_out(&mut self, operation: Operation) -> Result<(), FlashFault> {
        if self.left == 0 {
            self.powered.set(false);
            return Err(FlashFault::Failed);
        }
        self.left -= 1;
        operation.apply(&mut self.bytes);
        self.log.push(operation);
        Ok(())
    }
}

impl Store for Flash {
    fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn slot_bytes(&self) -> usize {
        SLOT
    }

    fn erase(&mut self, offset: usize, bytes: usize) -> Result<(), FlashFault> {
        let mut sectors = (offset..offset + bytes).step_by(self.sector);
        sectors.try_for_each(|at| self.carry_out(Operation::Erase(at, self.sector)))
    }

    fn write(&mut self, offset: usize, bytes: &[u8]) -> Result<(), FlashFault> {
        let mut bytes = (offset..).zip(bytes);
        bytes.try_for_each(|(at, &value)| self.carry_out(Operation::Program(at, value)))
    }
}

/// Starts a board on this flash; what it says when `arriving` arrives.
pub fn said(store: &mut Flash, arriving: Vec<u8>) -> Vec<u8> {
    let mut desk = Desk {
        arriving: arriving.into(),
        sent: Vec::new(),
        cycles: 0,
        powered: store.powered.clone(),
    };
    store.powered.set(true);
    let mut memory = Box::new(Memory::<256>::new());
    run(&mut desk, store, &mut memory);
    desk.sent
}

/// The frames of `requests`, and bytes that keep the board on until all is
/// answered.
pub fn line(requests: &[Request]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for request in requests {
        let mut line = [0; LINE_BYTES];
        bytes.extend(frame::encode(request, &mut line).expect("it fits"));
    }
    bytes.extend([0; 4]);
    bytes
}

/// Calls `see` with all answers in `bytes`.
pub fn each_answer(bytes: &[u8], mut see: impl FnMut(Answer)) {
    let mut receiver = Receiver::new();
    for &byte in bytes {
        if let Some(Ok(body)) = receiver.push(byte) {
            see(frame::decode(body).expect("a board sends answers"));
        }
    }
}

/// `network`, filled up as the host does it, in pieces and with their offsets.
pub fn pieces(network: &[u8]) -> Vec<(u32, Vec<u8>)> {
    let mut padded = network.to_vec();
    padded.resize(network.len().next_multiple_of(4), 0xff);
    let pieces = padded.chunks(192).map(<[u8]>::to_vec);
    (0..).step_by(192).zip(pieces).collect()
}

/// The requests that replace the network by the one in these pieces.
pub fn replacing(bytes: usize, pieces: &[(u32, Vec<u8>)]) -> Vec<Request<'_>> {
    let bytes = bytes as u32;
    let mut requests = vec![Request::Erase { bytes }];
    requests.extend(pieces.iter().map(|(offset, bytes)| Request::Write {
        offset: *offset,
        bytes,
    }));
    requests.push(Request::Identify);
    requests
}
