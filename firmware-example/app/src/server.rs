//! The board's side of the serial protocol.

use rate2spike_core::blob::Deployed;
use rate2spike_protocol::frame::{self, Receiver};
use rate2spike_protocol::message::{
    FlashFault, Holding, Identity, Limits, NetworkFault, Refusal, SelfTest, TrialRequest,
};
use rate2spike_protocol::{Answer, Request};

use crate::board::{Board, Store};
use crate::line::{next, refuse, send};
use crate::memory::{AnyNetwork, Memory, Number, unstarted, with_network};
use crate::slots::{self, Replacement};
use crate::{demo, trial, trouble};

/// The network that the board holds, and the networks for which it has room.
pub struct Held<'s> {
    /// The network, or the reason why the board holds no network.
    pub network: Result<AnyNetwork<'s>, NetworkFault>,
    /// The largest network and input.
    pub limits: Limits,
}

/// The reason why the server let go of the network.
pub enum Left {
    /// The host wants to write a network of this many bytes.
    Erase(u32),
    /// The board was switched off.
    Off,
}

/// Answers the host's requests. Without a host it runs the demo, or reports the
/// trouble if there is no network.
pub fn serve<B: Board, const UNITS: usize>(
    board: &mut B,
    receiver: &mut Receiver,
    memory: &mut Memory<UNITS>,
    held: &Held,
) -> Left {
    loop {
        let mut byte = match &held.network {
            Ok(any) => with_network!(any, network => demo::run(board, memory, network)),
            Err(fault) => trouble::report(board, fault),
        };
        while let Some(received) = byte {
            if let Some(bytes) = take(board, receiver, memory, held, received) {
                return Left::Erase(bytes);
            }
            byte = next(board);
        }
        if !board.is_on() {
            return Left::Off;
        }
    }
}

/// Takes a byte and answers the request that it completes. Returns the size of
/// the new network if the request is to erase the old one, which is still in use
/// here.
fn take<B: Board, const UNITS: usize>(
    board: &mut B,
    receiver: &mut Receiver,
    memory: &mut Memory<UNITS>,
    held: &Held,
    byte: u8,
) -> Option<u32> {
    match receiver.push(byte)?.and_then(frame::decode) {
        Err(error) => refuse(board, Refusal::Frame(error)),
        Ok(Request::Erase { bytes }) => return Some(bytes),
        Ok(Request::Run(wanted)) => run(board, receiver, memory, held, &wanted),
        Ok(request) => answer(board, memory, held, &request),
    }
    None
}

/// Runs a trial, whose input arrives meanwhile.
#[inline(never)]
fn run<B: Board, const UNITS: usize>(
    board: &mut B,
    receiver: &mut Receiver,
    memory: &mut Memory<UNITS>,
    held: &Held,
    wanted: &TrialRequest,
) {
    let network = held.network.as_ref();
    let result = network
        .map_err(|fault| Refusal::NoNetwork(*fault))
        .and_then(|any| {
            with_network!(any, network => trial::run(board, receiver, memory, network, wanted))
        });
    match result {
        Ok(outcome) => send(board, &Answer::Done(outcome)),
        Err(refusal) => refuse(board, refusal),
    }
}

#[inline(never)]
fn answer<B: Board, const UNITS: usize>(
    board: &mut B,
    memory: &mut Memory<UNITS>,
    held: &Held,
    request: &Request,
) {
    let network = held.network.as_ref().map_err(|fault| *fault);
    let result = match *request {
        Request::Identify => return identify(board, &held.limits, network),
        Request::SelfTest => network
            .map_err(Refusal::NoNetwork)
            .and_then(|any| with_network!(any, network => self_test(board, memory, network)))
            .map(Answer::SelfTest),
        // The second of two answers to a trial that asked twice, since the first was long in
        // coming, and has ended meanwhile. A refusal would be taken for that of the next trial.
        Request::Load { .. } => return,
        // A trial that ends hears it itself.
        Request::Stop => Err(Refusal::Stopped),
        // `take` has handled them.
        Request::Run(_) => Err(Refusal::Input),
        Request::Erase { .. } => Err(Refusal::Range),
        // Nothing was erased before.
        Request::Write { .. } => Err(Refusal::Flash(FlashFault::Failed)),
    };
    match result {
        Ok(answer) => send(board, &answer),
        Err(refusal) => refuse(board, refusal),
    }
}

fn self_test<A: Number, B: Board, const UNITS: usize>(
    board: &mut B,
    memory: &mut Memory<UNITS>,
    network: &Deployed<A>,
) -> Result<SelfTest, Refusal> {
    let found = memory
        .self_test(network, board)
        .map_err(|error| unstarted(network, error))?;
    let wanted = network.payload().self_test.spike_hash;
    Ok(SelfTest { wanted, found })
}

fn identify<B: Board>(board: &mut B, limits: &Limits, network: Result<&AnyNetwork, NetworkFault>) {
    let identity = Identity {
        board: B::NAME.as_bytes(),
        clock_hz: board.clock_hz(),
        limits: *limits,
        stack_bytes: board.stack_bytes(),
        network: network.map(|any| with_network!(any, network => holding(network))),
    };
    send(board, &Answer::Identity(identity));
}

fn holding<'s, A: Number>(network: &Deployed<'s, A>) -> Holding<'s> {
    let payload = network.payload();
    Holding {
        task: payload.task,
        checksum: network.checksum(),
        units: payload.shared.units,
        synapses: network.synapses() as u32,
        step_ns: payload.step_ns,
    }
}

/// Makes room for a network of `bytes` bytes beside the one in use and writes the
/// bytes that the host sends, until the host asks for something else or falls
/// silent. If the new network is whole then, it takes the place of the old one.
#[inline(never)]
pub fn replace<B: Board, S: Store>(
    board: &mut B,
    store: &mut S,
    receiver: &mut Receiver,
    limits: &Limits,
    bytes: u32,
) {
    let mut replacement = match Replacement::begin(store, limits, bytes) {
        Ok(replacement) => replacement,
        Err(refusal) => return refuse(board, refusal),
    };
    send(board, &Answer::Erased);
    while let Some(byte) = next(board) {
        let request = match receiver.push(byte) {
            None => continue,
            Some(frame) => frame.and_then(frame::decode),
        };
        match request {
            Err(error) => refuse(board, Refusal::Frame(error)),
            Ok(Request::Write { offset, bytes }) => match replacement.write(store, offset, bytes) {
                Ok(()) => send(board, &Answer::Written),
                Err(refusal) => refuse(board, refusal),
            },
            Ok(Request::Identify) => return identify_new(board, store, limits, replacement),
            Ok(_) => refuse(board, Refusal::NoNetwork(NetworkFault::Erased)),
        }
    }
    // The host is gone, and no one would hear why the network is not taken.
    let _ = replacement.finish(store, limits);
}

/// Takes the new network into use and tells the host which network the board
/// holds, or what is wrong with the new one.
fn identify_new<B: Board, S: Store>(
    board: &mut B,
    store: &mut S,
    limits: &Limits,
    replacement: Replacement,
) {
    match replacement.finish(store, limits) {
        Ok(()) => {
            let network = slots::held(store.bytes(), store.slot_bytes(), limits);
            identify(board, limits, network.as_ref().map_err(|fault| *fault));
        }
        Err(Refusal::NoNetwork(fault)) => identify(board, limits, Err(fault)),
        Err(refusal) => refuse(board, refusal),
    }
}
