//! The pace of real time: each step begins when the one before should have ended.

use crate::board::Board;

/// Most steps by which the board may be late and still catch up.
const MOST_LATE: u32 = 64;

/// The pace of the steps of a network.
pub struct Pace {
    /// Cycles of a step.
    period: u32,
    /// The count of cycles at which the present step should end.
    due: u32,
    /// Number of steps that took longer than their time.
    pub late: u32,
}

impl Pace {
    /// The pace of steps of `step_ns` nanoseconds, the first of which begins now.
    pub fn new<B: Board>(board: &mut B, step_ns: u32) -> Self {
        let period = u64::from(board.clock_hz()) * u64::from(step_ns) / 1_000_000_000;
        let period = period as u32;
        let due = board.cycles().wrapping_add(period);
        Self {
            period,
            due,
            late: 0,
        }
    }

    /// Waits for the step's end, asleep if the board can sleep. After a late step the
    /// next steps follow without a pause until the board has caught up. A delay of more
    /// than [`MOST_LATE`] steps is not caught up.
    pub fn wait<B: Board>(&mut self, board: &mut B) {
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
            board.rest(self.due.wrapping_sub(now));
            now = board.cycles();
        }
        self.due = self.due.wrapping_add(self.period);
    }
}
