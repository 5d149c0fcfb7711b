//! The parts of a board that the firmware uses.

use rate2spike_protocol::message::FlashFault;

/// Clock, serial line, button and light.
pub trait Board {
    /// The board's name on the command line.
    const NAME: &'static str;

    /// Cycles of [`Board::cycles`] in a second.
    fn clock_hz(&self) -> u32;

    /// Cycles since a fixed moment, modulo 2³². [`Counter`] says how often this
    /// must be called.
    fn cycles(&mut self) -> u32;

    /// The next byte from the serial line, if there is one.
    fn receive(&mut self) -> Option<u8>;

    /// Sends a byte over the serial line, waiting until there is room.
    fn send(&mut self, byte: u8);

    /// True while the button is pressed.
    fn button(&mut self) -> bool;

    /// Switches the light.
    fn set_light(&mut self, on: bool);

    /// The largest size of the stack so far, in bytes.
    fn stack_bytes(&self) -> u32;

    /// False once the board is switched off, which happens in tests only.
    fn is_on(&self) -> bool {
        true
    }
}

/// Flash for two networks, one of which is in use.
pub trait Store {
    /// The whole flash for networks: two slots, and the rest.
    fn bytes(&self) -> &[u8];

    /// Bytes of a slot, a whole number of sectors. The second slot follows the
    /// first one.
    fn slot_bytes(&self) -> usize;

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
