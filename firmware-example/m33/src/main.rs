//! QEMU's machine "mps2-an505" with a Cortex-M33, the processor of the RP2350: no button,
//! no light, and RAM in place of flash. It is here to prove that the spikes do not depend
//! on the processor, in f32 either.

#![no_std]
#![no_main]

use cortex_m_rt::entry;
use rate2spike_app::{Board, Memory, Store};
use rate2spike_cortex::Cycles;
use rate2spike_protocol::message::FlashFault;

/// Registers of the serial line, a CMSDK UART: data, state, control, and divisor of the
/// baud rate.
const DATA: *mut u32 = 0x5020_0000 as *mut u32;
const STATE: *const u32 = 0x5020_0004 as *const u32;
const CONTROL: *mut u32 = 0x5020_0008 as *mut u32;
const DIVISOR: *mut u32 = 0x5020_0010 as *mut u32;

/// Bits of the state.
const IS_FULL: u32 = 1;
const RECEIVED: u32 = 1 << 1;

/// Bits of the control register: sends and receives.
const SENDS_AND_RECEIVES: u32 = 0b11;

/// The smallest divisor that the device takes.
const FASTEST: u32 = 16;

/// Notes the place, and starts the chip anew.
#[panic_handler]
fn panic(info: &core::panic::PanicInfo) -> ! {
    rate2spike_cortex::panic::note(info);
    cortex_m::peripheral::SCB::sys_reset()
}

struct Mps2 {
    cycles: Cycles,
}

fn state() -> u32 {
    // SAFETY: the register of a device that nobody else uses.
    unsafe { STATE.read_volatile() }
}

impl Board for Mps2 {
    const NAME: &'static str = "m33";

    fn clock_hz(&self) -> u32 {
        20_000_000
    }

    fn cycles(&mut self) -> u32 {
        self.cycles.now()
    }

    fn receive(&mut self) -> Option<u8> {
        // SAFETY: as in `state`.
        (state() & RECEIVED != 0).then(|| unsafe { DATA.read_volatile() } as u8)
    }

    fn send(&mut self, byte: u8) {
        while state() & IS_FULL != 0 {}
        // SAFETY: as in `state`.
        unsafe { DATA.write_volatile(byte.into()) };
    }

    fn button(&mut self) -> bool {
        false
    }

    fn set_light(&mut self, _on: bool) {}

    fn stack_bytes(&self) -> u32 {
        rate2spike_cortex::stack_bytes()
    }
}

/// Where the networks lie, and the room that they have.
const NETWORK: *const u8 = 0x1020_0000 as *const u8;
const NETWORK_BYTES: usize = 0x10_0000;

/// Networks that the emulator has loaded, and that stay.
struct Loaded;

impl Store for Loaded {
    fn bytes(&self) -> &[u8] {
        // SAFETY: this memory lies above the firmware's, and nobody writes it.
        unsafe { core::slice::from_raw_parts(NETWORK, NETWORK_BYTES) }
    }

    fn slot_bytes(&self) -> usize {
        NETWORK_BYTES / 2
    }

    fn erase(&mut self, _offset: usize, _bytes: usize) -> Result<(), FlashFault> {
        Err(FlashFault::Unavailable)
    }

    fn write(&mut self, _offset: usize, _bytes: &[u8]) -> Result<(), FlashFault> {
        Err(FlashFault::Unavailable)
    }
}

#[entry]
fn main() -> ! {
    static mut MEMORY: Memory<1024> = Memory::new();

    let core = cortex_m::Peripherals::take().expect("taken once");
    // SAFETY: as in `state`.
    unsafe {
        DIVISOR.write_volatile(FASTEST);
        CONTROL.write_volatile(SENDS_AND_RECEIVES);
    }
    let mut board = Mps2 {
        cycles: Cycles::new(core.SYST),
    };
    loop {
        rate2spike_app::run(&mut board, &mut Loaded, MEMORY);
    }
}
