//! The network in real time: the button is the cue, the light the answer.
//!
//! While the button is up, trials without input follow each other. While it is
//! down, the input of the first channel is one; the press begins a trial of the
//! whole length. The light goes on when the output passes the task's threshold,
//! and off at the trial's end.

use fixed::types::I4F12;
use heapless::Vec;
use rate2spike_core::blob::Deployed;
use rate2spike_core::network::{MOST_INPUTS, Network};
use rate2spike_core::noise::Noise;
use rate2spike_core::trial::Run;

use crate::board::Board;
use crate::log;
use crate::memory::Memory;

/// Most steps by which the board may be late and still catch up.
const MOST_LATE: u32 = 64;

/// Runs until a byte arrives on the line, and returns it; `None` once the board
/// is switched off.
#[inline(never)]
pub fn run<B: Board, const UNITS: usize>(
    board: &mut B,
    memory: &mut Memory<UNITS>,
    network: &Deployed,
) -> Option<u8> {
    let mut pace = Pace::new(board, network.payload().step_ns);
    let mut episode = 0;
    while board.is_on() {
        let noise = Noise::new(board.cycles().into(), episode);
        episode += 1;
        if let Some(byte) = trial(board, memory, network, noise, &mut pace) {
            board.set_light(false);
            return Some(byte);
        }
        log::late(pace.late);
    }
    None
}

fn trial<B: Board, const UNITS: usize>(
    board: &mut B,
    memory: &mut Memory<UNITS>,
    network: &Deployed,
    mut noise: Noise,
    pace: &mut Pace,
) -> Option<u8> {
    let payload = network.payload();
    // A network that does not fit was refused before.
    let state = memory.start(network, &mut noise).ok()?.state;
    let mut run = Run::new(network, state, noise, payload.clock);
    let channels = network.constants().inputs;
    let mut pressed = false;
    // The step after which the trial began.
    let mut began = 0;
    board.set_light(false);
    while run.now().wrapping_sub(began) < payload.clock.steps && board.is_on() {
        if let Some(byte) = board.receive() {
            return Some(byte);
        }
        let was_pressed = core::mem::replace(&mut pressed, board.button());
        if pressed != was_pressed {
            run.show(cue(pressed, channels));
            if pressed {
                began = run.now();
            }
        }
        run.advance();
        if run.state().output() > payload.decision.high {
            board.set_light(true);
        }
        pace.wait(board);
    }
    None
}

/// The input of all channels: one on the first channel while the button is
/// pressed, zero otherwise.
fn cue(pressed: bool, channels: usize) -> Vec<I4F12, MOST_INPUTS> {
    (0..channels)
        .map(|channel| I4F12::from_num(pressed && channel == 0))
        .collect()
}

/// The pace of real time: each step begins when the one before should have
/// ended.
struct Pace {
    /// Cycles of a step.
    period: u32,
    /// The count of cycles at which the present step should end.
    due: u32,
    /// Number of steps that took longer than their time.
    late: u32,
}

impl Pace {
    fn new<B: Board>(board: &mut B, step_ns: u32) -> Self {
        let period = u64::from(board.clock_hz()) * u64::from(step_ns) / 1_000_000_000;
        let period = period as u32;
        let due = board.cycles().wrapping_add(period);
        Self {
            period,
            due,
            late: 0,
        }
    }

    /// Waits for the step's end. After a late step, the first one of a trial for
    /// instance, the next steps follow without a pause until the board has caught
    /// up. A delay of more than [`MOST_LATE`] steps is not caught up.
    fn wait<B: Board>(&mut self, board: &mut B) {
        let left = |now: u32, due: u32| due.wrapping_sub(now) as i32;
        let mut now = board.cycles();
        if left(now, self.due) < 0 {
            self.late = self.late.saturating_add(1);
        }
        let most = self.period.saturating_mul(MOST_LATE) as i32;
        if left(now, self.due) < -most {
            self.due = now;
        }
        while left(now, self.due) > 0 && board.is_on() {
            now = board.cycles();
        }
        self.due = self.due.wrapping_add(self.period);
    }
}
