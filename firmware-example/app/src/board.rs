//! The parts of a board that the firmware uses.

use core::ops::Range;

use rate2spike_core::halves::Join;
use rate2spike_protocol::message::FlashFault;

/// The reason why the board started anew without being switched on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// The firmware panicked, in this source file and line.
    Panic {
        /// The end of the file's path.
        file: &'static str,
        /// The line, counted from 1.
        line: u32,
    },
    /// The firmware stood still, and the watchdog noticed.
    Watchdog,
}

/// Clock, serial line, sensor, button, light and pins.
pub trait Board {
    /// The board's name on the command line.
    const NAME: &'static str;

    /// Cycles of [`Board::cycles`] in a second.
    fn clock_hz(&self) -> u32;

    /// Cycles since a fixed moment, modulo 2³². [`Counter`] says how often this
    /// must be called.
    fn cycles(&mut self) -> u32;

    /// Does both pieces of work, and returns when both are done. A board with two cores does
    /// them at once.
    fn join(&mut self, here: impl FnOnce(), there: impl FnOnce() + Send) {
        here();
        there();
    }

    /// Sleeps for at most this number of cycles. The board may wake up earlier, or not
    /// sleep at all. Bytes that arrive meanwhile are kept.
    fn rest(&mut self, _cycles: u32) {}

    /// Tells the watchdog that the firmware still runs. Boards call it themselves when a
    /// byte is received or sent.
    fn alive(&mut self) {}

    /// The reason of the last start, if it was none that the user wanted. It is given once.
    fn restarted(&mut self) -> Option<Restart> {
        None
    }

    /// The next byte from the serial line, if there is one.
    fn receive(&mut self) -> Option<u8>;

    /// Sends a byte over the serial line, waiting until there is room.
    fn send(&mut self, byte: u8);

    /// Starts the board's sensor, with a sample in each of these periods; false if the
    /// board has no sensor with this number of channels.
    fn start_sensor(&mut self, _channels: usize, _sample_ns: u32) -> bool {
        false
    }

    /// Puts the values of all channels into `values`, if there is a new sample; false if
    /// no sample is ready.
    fn sense(&mut self, _values: &mut [i32]) -> bool {
        false
    }

    /// True while the button is pressed.
    fn button(&mut self) -> bool;

    /// Switches the light.
    fn set_light(&mut self, on: bool);

    /// Shows the answer to a trial on the board's pins.
    fn show(&mut self, _answer: i16) {}

    /// The largest size of the stack so far, in bytes.
    fn stack_bytes(&self) -> u32;

    /// False once the board is switched off, which happens in tests only.
    fn is_on(&self) -> bool {
        true
    }
}

/// The cores of a board, as the step of a network takes them.
pub struct Cores<'b, B>(pub &'b mut B);

impl<B: Board> Join for Cores<'_, B> {
    #[inline(always)]
    fn join(&mut self, here: impl FnOnce(), there: impl FnOnce() + Send) {
        self.0.join(here, there);
    }
}

/// Flash for two networks, one of which is in use.
pub trait Store {
    /// The whole flash for networks: two slots, and the rest.
    fn bytes(&self) -> &[u8];

    /// Bytes of a slot, a whole number of sectors. The second slot follows the
    /// first one.
    fn slot_bytes(&self) -> usize;

    /// A copy of these bytes in RAM, from which they are read faster; `None` if there is no
    /// room for them, or nothing to gain.
    fn copy(&mut self, _range: Range<usize>) -> Option<&[u8]> {
        None
    }

    /// Erases the sectors of `bytes` bytes from `offset` on, which is the start of
    /// a slot; the first sector first.
    ///
    /// # Errors
    /// The fault that the flash reports.
    fn erase(&mut self, offset: usize, bytes: usize) -> Result<(), FlashFault>;

    /// Writes `bytes` at `offset`, either over erased flash or zeros over
    /// anything.
    ///
    /// # Errors
    /// The fault that the flash reports.
    fn write(&mut self, offset: usize, bytes: &[u8]) -> Result<(), FlashFault>;
}

/// A count of 32 bits from a hardware counter of 24 bits, such as the SysTick of
/// a Cortex-M. [`Counter::at`] must be called at least once in 2²⁴ cycles.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counter {
    last: u32,
    total: u32,
}

impl Counter {
    /// The count at a reading of a counter that counts down.
    pub fn at(&mut self, reading: u32) -> u32 {
        let passed = self.last.wrapping_sub(reading) & 0x00ff_ffff;
        self.last = reading;
        self.total = self.total.wrapping_add(passed);
        self.total
    }
}
