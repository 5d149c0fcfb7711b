//! The clock: 168 MHz from the board's crystal, whatever its frequency, or from the internal
//! oscillator.

use rate2spike_app::crystal::{self, PERIODS};
use stm32f4xx_hal::pac;
use stm32f4xx_hal::prelude::*;
use stm32f4xx_hal::rcc::{Config, Rcc};
use stm32f4xx_hal::time::Hertz;

/// Frequency of the internal oscillator, within one percent. The chip starts with it.
const INTERNAL: Hertz = Hertz::MHz(16);

/// Frequency of the processor.
const PROCESSOR: Hertz = Hertz::MHz(168);

/// The crystal's periods in a period of the clock that the timer captures. The product of
/// this, [`CAPTURED`] and [`CAPTURES`] is [`PERIODS`].
const DIVISOR: u32 = 31;

/// Periods of that clock between two captures.
const CAPTURED: u32 = 8;

/// Intervals between captures that are added up.
const CAPTURES: u32 = 64;

const _: () = assert!(DIVISOR * CAPTURED * CAPTURES == PERIODS);

/// Looks at a flag before it is given up: at least ten milliseconds.
const PATIENCE: u32 = 100_000;

/// Where the clock of the processor comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The board's crystal, which is exact enough for USB.
    Crystal,
    /// The chip's own oscillator.
    Internal,
    /// Neither runs, which happens in an emulator only.
    Unknown,
}

/// Starts the clock of the processor. `timer` measures the crystal, if there is one.
pub fn start(rcc: pac::RCC, timer: &pac::TIM11) -> (Rcc, Source) {
    let ready = |bit: u32| soon(|| rcc.cr().read().bits() & bit != 0);
    rcc.cr().modify(|_, w| w.hseon().on());
    let (has_crystal, has_internal) = (ready(1 << 17), ready(1 << 1));
    if !has_internal {
        return (rcc.constrain(), Source::Unknown);
    }
    let crystal = if has_crystal {
        measured(&rcc, timer)
    } else {
        None
    };
    match crystal {
        Some(crystal) => {
            let config = Config::hse(crystal).sysclk(PROCESSOR).require_pll48clk();
            (rcc.freeze(config), Source::Crystal)
        }
        None => (
            rcc.freeze(Config::hsi().sysclk(PROCESSOR)),
            Source::Internal,
        ),
    }
}

/// True as soon as `is_set` is true; false if it stays false.
fn soon(is_set: impl Fn() -> bool) -> bool {
    (0..PATIENCE).any(|_| is_set())
}

/// The crystal's frequency by the internal oscillator, at which the processor runs; `None`
/// if no common crystal has this frequency. Reference manual RM0090, "Internal/external clock
/// measurement using TIM5/TIM11".
fn measured(rcc: &pac::RCC, timer: &pac::TIM11) -> Option<Hertz> {
    /// The input that is the divided clock of the crystal.
    const DIVIDED_CRYSTAL: u8 = 2;
    /// A capture at each eighth edge.
    const EIGHTH_EDGE: u8 = 3;
    // SAFETY: a divisor between 2 and 31.
    rcc.cfgr()
        .modify(|_, w| unsafe { w.rtcpre().bits(DIVISOR as u8) });
    rcc.apb2enr().modify(|_, w| w.tim11en().enabled());
    // SAFETY: values that the reference manual gives for these fields.
    unsafe {
        timer.or().write(|w| w.rmp().bits(DIVIDED_CRYSTAL));
        timer
            .ccmr1_input()
            .write(|w| w.cc1s().ti1().ic1psc().bits(EIGHTH_EDGE));
    }
    timer.ccer().write(|w| w.cc1e().set_bit());
    timer.cr1().write(|w| w.cen().enabled());
    let capture = || {
        soon(|| timer.sr().read().cc1if().bit_is_set()).then(|| timer.ccr1().read().ccr().bits())
    };
    let ticks = capture().and_then(|first| {
        let mut before = first;
        (0..CAPTURES).try_fold(0, |ticks: u32, _| {
            let now = capture()?;
            let passed = now.wrapping_sub(before);
            before = now;
            Some(ticks + u32::from(passed))
        })
    });
    rcc.apb2rstr().modify(|_, w| w.tim11rst().reset());
    rcc.apb2rstr().modify(|_, w| w.tim11rst().clear_bit());
    rcc.apb2enr().modify(|_, w| w.tim11en().disabled());
    let megahertz = crystal::megahertz(ticks?, INTERNAL.raw())?;
    Some(Hertz::MHz(megahertz))
}
