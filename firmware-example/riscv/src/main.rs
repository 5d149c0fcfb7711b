//! QEMU's machine "virt" with an RV32IMAC: no button, no light, and RAM in
//! place of flash. It is here to prove that the spikes do not depend on the
//! processor.

#![no_std]
#![no_main]

use panic_halt as _;
use rate2spike_app::{Board, Memory, Store};
use rate2spike_protocol::message::FlashFault;
use riscv_rt::entry;

/// The serial line, a 16550: data, and line status.
const LINE: *mut u8 = 0x1000_0000 as *mut u8;
const LINE_STATUS: *const u8 = 0x1000_0005 as *const u8;

/// Bits of the line status.
const RECEIVED: u8 = 1;
const CAN_SEND: u8 = 1 << 5;

struct Virt;

fn line_status() -> u8 {
    // SAFETY: the register of a device that nobody else uses.
    unsafe { LINE_STATUS.read_volatile() }
}

impl Board for Virt {
    const NAME: &'static str = "riscv";

    /// An instruction a nanosecond, as the emulator is started.
    fn clock_hz(&self) -> u32 {
        1_000_000_000
    }

    fn cycles(&mut self) -> u32 {
        riscv::register::mcycle::read() as u32
    }

    fn receive(&mut self) -> Option<u8> {
        // SAFETY: as in `line_status`.
        (line_status() & RECEIVED != 0).then(|| unsafe { LINE.read_volatile() })
    }

    fn send(&mut self, byte: u8) {
        while line_status() & CAN_SEND == 0 {}
        // SAFETY: as in `line_status`.
        unsafe { LINE.write_volatile(byte) };
    }

    fn button(&mut self) -> bool {
        false
    }

    fn set_light(&mut self, _on: bool) {}

    fn stack_bytes(&self) -> u32 {
        0
    }
}

/// Where the networks lie, and the room that they have.
const NETWORK: *mut u8 = 0x8040_0000 as *mut u8;
const NETWORK_BYTES: usize = 0x10_0000;

struct Ram;

impl Store for Ram {
    fn bytes(&self) -> &[u8] {
        // SAFETY: this memory lies above the firmware's, and it is written only
        // through a mutable borrow of `self`.
        unsafe { core::slice::from_raw_parts(NETWORK, NETWORK_BYTES) }
    }

    fn slot_bytes(&self) -> usize {
        NETWORK_BYTES / 2
    }

    fn erase(&mut self, offset: usize, bytes: usize) -> Result<(), FlashFault> {
        if offset + bytes > NETWORK_BYTES {
            return Err(FlashFault::Failed);
        }
        // SAFETY: as in `bytes`, and inside of it.
        unsafe { NETWORK.add(offset).write_bytes(0xff, bytes) };
        Ok(())
    }

    fn write(&mut self, offset: usize, bytes: &[u8]) -> Result<(), FlashFault> {
        if offset + bytes.len() > NETWORK_BYTES {
            return Err(FlashFault::Failed);
        }
        // SAFETY: as in `bytes`, and inside of it.
        unsafe { core::ptr::copy(bytes.as_ptr(), NETWORK.add(offset), bytes.len()) };
        Ok(())
    }
}

/// Starts the firmware.
#[entry]
fn main() -> ! {
    static mut MEMORY: Memory<1024> = Memory::new();
    let memory = &raw mut MEMORY;
    // SAFETY: this function runs once, and nobody else knows the name.
    let memory = unsafe { &mut *memory };
    loop {
        rate2spike_app::run(&mut Virt, &mut Ram, memory);
    }
}
