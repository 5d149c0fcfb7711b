//! The last five sectors of the flash, which have room for two networks of two
//! sectors each; the fifth serves one that is larger.
//!
//! The flash is written by words, which takes a quarter of the time of bytes and 2.7 V.

use rate2spike_app::Store;
use rate2spike_protocol::message::FlashFault;
use stm32f4xx_hal::pac::{FLASH, PWR, RCC};

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

/// Bytes that are written at once.
const WORD: usize = 4;

/// The two words that open the flash controller.
const KEYS: [u32; 2] = [0x4567_0123, 0xcdef_89ab];

/// The level of the supply that the detector compares: 2.8 V.
const LOWEST_SUPPLY: u8 = 6;

/// The network's flash.
pub struct Flash {
    controller: FLASH,
    power: PWR,
}

impl Flash {
    /// With the chip's flash controller and the detector of a low supply.
    pub fn new(controller: FLASH, power: PWR, rcc: &RCC) -> Self {
        rcc.apb1enr().modify(|_, w| w.pwren().enabled());
        // SAFETY: a field of three bits.
        power
            .cr()
            .modify(|_, w| unsafe { w.pls().bits(LOWEST_SUPPLY) }.pvde().enabled());
        Self { controller, power }
    }

    /// Opens the controller, does `work`, and closes it. Faults of earlier operations would
    /// fail each later one and are cleared.
    fn opened(
        &mut self,
        work: impl FnOnce(&Self) -> Result<(), FlashFault>,
    ) -> Result<(), FlashFault> {
        self.controller.sr().write(|w| {
            w.pgserr().clear_bit_by_one();
            w.pgperr().clear_bit_by_one();
            w.pgaerr().clear_bit_by_one();
            w.wrperr().clear_bit_by_one();
            w.operr().clear_bit_by_one()
        });
        for key in KEYS {
            // SAFETY: the words that the reference manual gives.
            self.controller.keyr().write(|w| unsafe { w.bits(key) });
        }
        let result = work(self);
        self.controller.cr().write(|w| w.lock().locked());
        self.forget();
        result
    }

    /// Empties the cache of the flash, which still has the old content.
    fn forget(&self) {
        let access = self.controller.acr();
        let is_cached = access.read().dcen().bit();
        access.modify(|_, w| w.dcen().disabled());
        access.modify(|_, w| w.dcrst().reset());
        access.modify(|_, w| w.dcrst().no_reset());
        access.modify(|_, w| w.dcen().bit(is_cached));
    }

    /// Waits for the end of an operation.
    fn done(&self) -> Result<(), FlashFault> {
        let status = self.controller.sr();
        while status.read().bsy().bit_is_set() {}
        let status = status.read();
        let has_failed = status.pgserr().bit()
            || status.pgperr().bit()
            || status.pgaerr().bit()
            || status.wrperr().bit()
            || status.operr().bit();
        if has_failed {
            Err(FlashFault::Failed)
        } else {
            Ok(())
        }
    }

    /// Whether the supply is high enough to write by words.
    fn check_supply(&self) -> Result<(), FlashFault> {
        if self.power.csr().read().pvdo().bit_is_set() {
            Err(FlashFault::LowSupply)
        } else {
            Ok(())
        }
    }

    fn erase_sector(&self, sector: usize) -> Result<(), FlashFault> {
        self.check_supply()?;
        let control = self.controller.cr();
        // SAFETY: the number of a sector that the chip has.
        control.modify(|_, w| unsafe {
            w.pg().clear_bit().ser().sector_erase();
            w.psize().psize32().snb().bits(sector as u8)
        });
        control.modify(|_, w| w.strt().start());
        self.done()
    }

    fn write_words(&self, start: usize, bytes: &[u8]) -> Result<(), FlashFault> {
        let control = self.controller.cr();
        control.modify(|_, w| w.ser().clear_bit().pg().program().psize().psize32());
        for (k, part) in bytes.chunks(WORD).enumerate() {
            self.check_supply()?;
            // Ones change nothing.
            let mut word = [0xff; WORD];
            word[..part.len()].copy_from_slice(part);
            let address = (START + start + WORD * k) as *mut u32;
            // SAFETY: the word is the network's, aligned, and nobody reads it now.
            unsafe { address.write_volatile(u32::from_le_bytes(word)) };
            self.done()?;
        }
        Ok(())
    }
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
        self.opened(|flash| {
            sectors
                .map(|sector| FIRST_SECTOR + sector)
                .try_for_each(|sector| flash.erase_sector(sector))
        })
    }

    fn write(&mut self, offset: usize, bytes: &[u8]) -> Result<(), FlashFault> {
        if !offset.is_multiple_of(WORD) || offset + bytes.len() > NETWORK_BYTES {
            return Err(FlashFault::Failed);
        }
        self.opened(|flash| flash.write_words(NETWORK + offset, bytes))
    }
}
