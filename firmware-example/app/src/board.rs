//! What a board has.

use rate2spike_protocol::message::FlashFault;

/// Clock, serial line, button and light.
pub trait Board {
    /// Its name, as the command line knows it.
    const NAME: &'static str;

    /// Cycles of [`Board::cycles`] in a second.
    fn clock_hz(&self) -> u32;

    /// Cycles since some moment; wraps. Must be called often enough for
    /// [`Counter`].
    fn cycles(&mut self) -> u32;

    /// The next byte from the serial line, if there is one.
    fn receive(&mut self) -> Option<u8>;

    /// Sends a byte over the serial line, waiting until there is room.
    fn send(&mut self, byte: u8);

    /// True while the button is pressed.
    fn button(&mut self) -> bool;

    /// Switches the light.
    fn set_light(&mut self, on: bool);

    /// The deepest that the stack went so far, in bytes.
    fn stack_bytes(&self) -> u32;

    /// False once the board is switched off, which only a board in a test
    /// lives to see.
    fn is_on(&self) -> bool {
        true
    }
}

/// Flash for two networks, one of which is in use.
pub trait Store {
    /// All of it: two slots, and what is left over.
    fn bytes(&self) -> &[u8];

    /// Bytes of a slot, whole sectors. The second slot follows the first one.
    fn slot_bytes(&self) -> usize;

    /// Erases `bytes` bytes from `offset` on, which is a slot's start, and what
    /// lies in the last one's sector; the first sector first.
    ///
    /// # Errors
    /// What the flash reports.
    fn erase(&mut self, offset: usize, bytes: usize) -> Result<(), FlashFault>;

    /// Writes inside of [`Store::bytes`]: erased flash, or zeros over
    /// anything.
    ///
    /// # Errors
    /// What the flash reports.
    fn write(&mut self, offset: usize, bytes: &[u8]) -> Result<(), FlashFault>;
}

/// A count of 32 bits from a hardware counter of 24, such as a Cortex-M's
/// SysTick. It has to be advanced once in 2²⁴ cycles at least.
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
