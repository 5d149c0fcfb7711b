//! The common parts of the Cortex-M boards: a count of cycles, the size of the stack, what a
//! panic leaves behind, and a serial line over USB.

#![no_std]

pub mod panic;
#[cfg(feature = "usb")]
pub mod usb;

use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;
use rate2spike_app::Counter;

/// A counter of the processor's cycles. Every Cortex-M has this one, SysTick.
pub struct Cycles {
    // Kept here, so that no other code changes it.
    _systick: SYST,
    counter: Counter,
}

impl Cycles {
    /// Starts to count.
    pub fn new(mut systick: SYST) -> Self {
        systick.set_clock_source(SystClkSource::Core);
        systick.set_reload(0x00ff_ffff);
        systick.clear_current();
        systick.enable_counter();
        Self {
            _systick: systick,
            counter: Counter::default(),
        }
    }

    /// Cycles since the counter was started, modulo 2³².
    pub fn now(&mut self) -> u32 {
        self.counter.at(SYST::get_current())
    }
}

/// The word that cortex-m-rt's `paint-stack` writes over the stack before `main`.
const PAINT: u32 = 0xcccc_cccc;

/// Bytes of the stack that were written since the start.
pub fn stack_bytes() -> u32 {
    unsafe extern "C" {
        static _stack_start: u32;
        static _stack_end: u32;
    }
    let (mut lowest, start) = (&raw const _stack_end, &raw const _stack_start);
    // SAFETY: reads words between the two ends of the stack that the linker
    // script gives, all of which are RAM.
    while lowest < start && unsafe { lowest.read_volatile() } == PAINT {
        lowest = lowest.wrapping_add(1);
    }
    (start.addr() - lowest.addr()) as u32
}
