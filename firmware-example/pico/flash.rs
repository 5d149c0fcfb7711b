//! The flash for networks, which begins 1 MiB behind the firmware and has room for two.
//!
//! The flash cannot be read while it is written. The functions that write it are in the boot
//! ROM; the firmware, its interrupts and the copy of the function that switches back lie in
//! RAM.

use core::ops::Range;

use rate2spike_app::Store;
use rate2spike_protocol::message::FlashFault;

use crate::hal::rom_data;
use crate::{NETWORK_BYTES, ROM_MARK, SWITCH_BACK};

/// Where the flash begins in the chip's memory.
const FLASH: usize = 0x1000_0000;

/// The network's distance from there.
const NETWORK: usize = 0x10_0000;

/// The networks.
const NETWORKS: *const u8 = (FLASH + NETWORK) as *const u8;

/// Bytes for one of two.
const SLOT: usize = NETWORK_BYTES / 2;

/// What can be erased, in bytes.
const SECTOR: usize = 4096;

/// What the flash can erase with one command, in bytes: a second at most.
const BLOCK: usize = 1 << 16;

/// What can be written at once, in bytes.
const PAGE: usize = 256;

/// The network's flash, and RAM for a copy of the network.
pub struct Flash {
    copy: &'static mut [u8],
}

impl Flash {
    /// The flash, and RAM from which a step reads without a wait.
    pub fn new(copy: &'static mut [u8]) -> Self {
        Self { copy }
    }
}

impl Store for Flash {
    fn bytes(&self) -> &[u8] {
        // SAFETY: the flash is memory, and it is written only through a mutable
        // borrow of `self`.
        unsafe { core::slice::from_raw_parts(NETWORKS, NETWORK_BYTES) }
    }

    fn copy(&mut self, range: Range<usize>) -> Option<&[u8]> {
        // SAFETY: as in `bytes`; the copy lies in RAM.
        let all = unsafe { core::slice::from_raw_parts(NETWORKS, NETWORK_BYTES) };
        let from = all.get(range)?;
        let copy = self.copy.get_mut(..from.len())?;
        copy.copy_from_slice(from);
        Some(copy)
    }

    fn slot_bytes(&self) -> usize {
        SLOT
    }

    fn erase(&mut self, offset: usize, bytes: usize) -> Result<(), FlashFault> {
        let routines = Routines::new()?;
        let bytes = bytes.next_multiple_of(SECTOR);
        if !offset.is_multiple_of(SECTOR) || offset + bytes > NETWORK_BYTES {
            return Err(FlashFault::Failed);
        }
        // One block after the other, so that the watchdog does not wait for all.
        for at in (offset..offset + bytes).step_by(BLOCK) {
            crate::feed();
            let bytes = BLOCK.min(offset + bytes - at);
            // SAFETY: the range is a slot's, which nobody reads now.
            unsafe { routines.erase((NETWORK + at) as u32, bytes) };
        }
        Ok(())
    }

    /// Writes the pages that hold the bytes; what else lies in them is written
    /// as it is, which flash does not mind.
    fn write(&mut self, offset: usize, bytes: &[u8]) -> Result<(), FlashFault> {
        let routines = Routines::new()?;
        let (mut offset, mut bytes) = (offset, bytes);
        while !bytes.is_empty() {
            let (page, at) = (offset / PAGE * PAGE, offset % PAGE);
            let (now, later) = bytes.split_at(bytes.len().min(PAGE - at));
            let mut content = [0; PAGE];
            content.copy_from_slice(&self.bytes()[page..page + PAGE]);
            content[at..at + now.len()].copy_from_slice(now);
            // SAFETY: the page is the network's, which nobody reads now.
            unsafe { routines.program((NETWORK + page) as u32, &content) };
            (offset, bytes) = (offset + now.len(), later);
        }
        Ok(())
    }
}

/// The boot ROM's functions, looked up while the flash can still be read.
struct Routines {
    connect: unsafe extern "C" fn(),
    leave: unsafe extern "C" fn(),
    erase: unsafe extern "C" fn(u32, usize, u32, u8),
    program: unsafe extern "C" fn(u32, *const u8, usize),
    flush: unsafe extern "C" fn(),
    /// Code that lets the flash be read again.
    switch_back: [u32; 64],
}

impl Routines {
    /// Where there is a boot ROM, which an emulator may lack.
    fn new() -> Result<Self, FlashFault> {
        // SAFETY: both are memory of this chip: the ROM's, whose address 16 holds "Mu" and
        // a version, and the one that the board names.
        let (mark, switch_back) = unsafe {
            (
                (0x10 as *const [u8; 3]).read_volatile(),
                SWITCH_BACK.read_volatile(),
            )
        };
        if mark != ROM_MARK {
            return Err(FlashFault::Unavailable);
        }
        Ok(Self {
            connect: rom_data::connect_internal_flash::ptr(),
            leave: rom_data::flash_exit_xip::ptr(),
            erase: rom_data::flash_range_erase::ptr(),
            program: rom_data::flash_range_program::ptr(),
            flush: rom_data::flash_flush_cache::ptr(),
            switch_back,
        })
    }

    /// # Safety
    /// The range must be a multiple of sectors and hold nothing in use.
    unsafe fn erase(&self, address: u32, bytes: usize) {
        // SAFETY: as the caller promises.
        unsafe { without_flash(self, address, core::ptr::null(), bytes) };
    }

    /// # Safety
    /// The range must be a multiple of pages and hold nothing in use.
    unsafe fn program(&self, address: u32, bytes: &[u8]) {
        // SAFETY: as the caller promises; the bytes are in RAM.
        unsafe { without_flash(self, address, bytes.as_ptr(), bytes.len()) };
    }
}

/// Erases, or writes `source` where it is not null.
///
/// # Safety
/// `routines` are those of the ROM, and `address` and `source` are what they
/// take. Nothing else may read the flash: the firmware and its interrupts lie in RAM, and
/// the second core sleeps.
#[inline(never)]
unsafe fn without_flash(routines: &Routines, address: u32, source: *const u8, bytes: usize) {
    /// The command that erases a whole block, used where one fits.
    const ERASE_BLOCK: u8 = 0xd8;
    // SAFETY: the order that the chips' data sheets give for these functions. The copy is
    // code of the Thumb set, which returns when it is called.
    unsafe {
        let switch_back: unsafe extern "C" fn() =
            core::mem::transmute(routines.switch_back.as_ptr().cast::<u8>().wrapping_add(1));
        (routines.connect)();
        (routines.leave)();
        if source.is_null() {
            (routines.erase)(address, bytes, BLOCK as u32, ERASE_BLOCK);
        } else {
            (routines.program)(address, source, bytes);
        }
        (routines.flush)();
        switch_back();
    }
}
