//! The last five sectors of the flash, which have room for two networks of two
//! sectors each; the fifth serves one that is larger.

use rate2spike_app::Store;
use rate2spike_protocol::message::FlashFault;
use stm32f4xx_hal::flash::{Error, FlashExt};
use stm32f4xx_hal::pac::FLASH;

/// Where the flash begins in the chip's memory.
const START: usize = 0x0800_0000;

/// The network's distance from there: the eighth sector's.
const NETWORK: usize = 0x6_0000;

/// Number of that sector, counted from 0.
const FIRST_SECTOR: usize = 7;

/// Bytes of each sector from there on.
const SECTOR: usize = 0x2_0000;

/// Bytes of flash for networks.
const NETWORK_BYTES: usize = 5 * SECTOR;

/// Bytes for one of two.
const SLOT: usize = 2 * SECTOR;

/// The network's flash.
pub struct Flash {
    controller: FLASH,
}

impl Flash {
    /// With the chip's flash controller.
    pub fn new(controller: FLASH) -> Self {
        Self { controller }
    }

    /// Clears the faults of earlier operations, which would fail each later one.
    fn clear_faults(&self) {
        self.controller.sr().write(|w| {
            w.pgserr().clear_bit_by_one();
            w.pgperr().clear_bit_by_one();
            w.pgaerr().clear_bit_by_one();
            w.wrperr().clear_bit_by_one();
            w.operr().clear_bit_by_one()
        });
    }
}

fn failed(_: Error) -> FlashFault {
    FlashFault::Failed
}

impl Store for Flash {
    fn bytes(&self) -> &[u8] {
        // SAFETY: the flash is memory, and it is written only through a mutable
        // borrow of `self`.
        unsafe { core::slice::from_raw_parts((START + NETWORK) as *const u8, NETWORK_BYTES) }
    }

    fn slot_bytes(&self) -> usize {
        SLOT
    }

    fn erase(&mut self, offset: usize, bytes: usize) -> Result<(), FlashFault> {
        let sectors = offset / SECTOR..(offset + bytes).div_ceil(SECTOR);
        if offset + bytes > NETWORK_BYTES {
            return Err(FlashFault::Failed);
        }
        self.clear_faults();
        let mut flash = self.controller.unlocked();
        sectors
            .map(|sector| FIRST_SECTOR + sector)
            .try_for_each(|sector| flash.erase(sector as u8))
            .map_err(failed)
    }

    fn write(&mut self, offset: usize, bytes: &[u8]) -> Result<(), FlashFault> {
        self.clear_faults();
        let mut flash = self.controller.unlocked();
        flash
            .program(NETWORK + offset, bytes.iter())
            .map_err(failed)
    }
}
