//! Raspberry Pi Pico: UART0 on GP0 and GP1, the button between GP15 and ground,
//! the light on the board.

#![no_std]
#![no_main]

mod flash;

#[cfg(feature = "defmt")]
use {defmt_rtt as _, panic_probe as _};

#[cfg(not(feature = "defmt"))]
use panic_halt as _;

use cortex_m_rt::entry;
use embedded_hal::digital::{InputPin, OutputPin};
use rate2spike_app::{Board, Memory};
use rate2spike_cortex::Cycles;
use rp2040_hal::clocks::{Clock, ClocksManager};
use rp2040_hal::fugit::{HertzU32, RateExtU32};
use rp2040_hal::gpio::bank0::{Gpio0, Gpio1, Gpio15, Gpio25};
use rp2040_hal::gpio::{FunctionSioInput, FunctionSioOutput, FunctionUart, Pin, PullDown, PullUp};
use rp2040_hal::pll::{PLLConfig, common_configs::PLL_USB_48MHZ, setup_pll_blocking};
use rp2040_hal::uart::{DataBits, Enabled, StopBits, UartConfig, UartPeripheral};
use rp2040_hal::xosc::setup_xosc_blocking;
use rp2040_hal::{Sio, gpio, pac};

/// The first 256 bytes of flash, which the boot ROM runs: sets up the flash.
#[unsafe(link_section = ".boot2")]
#[used]
static BOOT2_FIRMWARE: [u8; 256] = rp2040_boot2::BOOT_LOADER_W25Q080;

/// Frequency of the board's crystal.
const CRYSTAL: HertzU32 = HertzU32::MHz(12);

/// 133 MHz, the most that the chip is specified for.
const SYSTEM_CLOCK: PLLConfig = PLLConfig {
    vco_freq: HertzU32::MHz(1596),
    refdiv: 1,
    post_div1: 6,
    post_div2: 2,
};

const BAUD: u32 = 115_200;

type Line = (
    Pin<Gpio0, FunctionUart, PullDown>,
    Pin<Gpio1, FunctionUart, PullDown>,
);

struct Pico {
    clock_hz: u32,
    cycles: Cycles,
    line: UartPeripheral<Enabled, pac::UART0, Line>,
    button: Pin<Gpio15, FunctionSioInput, PullUp>,
    light: Pin<Gpio25, FunctionSioOutput, PullDown>,
}

impl Board for Pico {
    const NAME: &'static str = "rp2040";

    fn clock_hz(&self) -> u32 {
        self.clock_hz
    }

    fn cycles(&mut self) -> u32 {
        self.cycles.now()
    }

    fn receive(&mut self) -> Option<u8> {
        let mut byte = [0];
        self.line.read_raw(&mut byte).ok().map(|_| byte[0])
    }

    fn send(&mut self, byte: u8) {
        self.line.write_full_blocking(&[byte]);
    }

    fn button(&mut self) -> bool {
        self.button.is_low().unwrap_or(false)
    }

    fn set_light(&mut self, on: bool) {
        let _ = self.light.set_state(on.into());
    }

    fn stack_bytes(&self) -> u32 {
        rate2spike_cortex::stack_bytes()
    }
}

#[entry]
fn main() -> ! {
    static mut MEMORY: Memory<1024> = Memory::new();

    let core = pac::CorePeripherals::take().expect("taken once");
    let chip = pac::Peripherals::take().expect("taken once");
    let mut resets = chip.RESETS;

    let crystal = setup_xosc_blocking(chip.XOSC, CRYSTAL).expect("the crystal starts");
    let mut clocks = ClocksManager::new(chip.CLOCKS);
    let system = setup_pll_blocking(
        chip.PLL_SYS,
        CRYSTAL,
        SYSTEM_CLOCK,
        &mut clocks,
        &mut resets,
    )
    .expect("in range");
    let usb = setup_pll_blocking(
        chip.PLL_USB,
        CRYSTAL,
        PLL_USB_48MHZ,
        &mut clocks,
        &mut resets,
    )
    .expect("in range");
    clocks
        .init_default(&crystal, &system, &usb)
        .expect("in range");

    let sio = Sio::new(chip.SIO);
    let pins = gpio::Pins::new(chip.IO_BANK0, chip.PADS_BANK0, sio.gpio_bank0, &mut resets);
    let line = (pins.gpio0.into_function(), pins.gpio1.into_function());
    let format = UartConfig::new(BAUD.Hz(), DataBits::Eight, None, StopBits::One);
    let mut board = Pico {
        clock_hz: clocks.system_clock.freq().to_Hz(),
        cycles: Cycles::new(core.SYST),
        line: UartPeripheral::new(chip.UART0, line, &mut resets)
            .enable(format, clocks.peripheral_clock.freq())
            .expect("a rate that the clock can make"),
        button: pins.gpio15.reconfigure(),
        light: pins.gpio25.reconfigure(),
    };
    loop {
        rate2spike_app::run(&mut board, &mut flash::Flash, MEMORY);
    }
}
