//! A board with an STM32F405, pins as on WeAct's: USART1 on PA9 and PA10, the
//! button on PC13, pressed when high, the light on PB2, a crystal of 8 MHz.

#![no_std]
#![no_main]

mod flash;

#[cfg(feature = "defmt")]
use {defmt_rtt as _, panic_probe as _};

#[cfg(not(feature = "defmt"))]
use panic_halt as _;

use cortex_m_rt::entry;
use rate2spike_app::{Board, Memory};
use rate2spike_cortex::Cycles;
use stm32f4xx_hal::gpio::{Input, Output, PB2, PC13, Pull};
use stm32f4xx_hal::pac;
use stm32f4xx_hal::prelude::*;
use stm32f4xx_hal::rcc::{Config, Rcc};
use stm32f4xx_hal::serial::Serial1;

const BAUD: u32 = 115_200;

struct Stm32 {
    clock_hz: u32,
    cycles: Cycles,
    line: Serial1,
    button: PC13<Input>,
    light: PB2<Output>,
}

impl Board for Stm32 {
    const NAME: &'static str = "stm32f405";

    fn clock_hz(&self) -> u32 {
        self.clock_hz
    }

    fn cycles(&mut self) -> u32 {
        self.cycles.now()
    }

    fn receive(&mut self) -> Option<u8> {
        self.line.read().ok()
    }

    fn send(&mut self, byte: u8) {
        while self.line.write(byte).is_err() {}
    }

    fn button(&mut self) -> bool {
        self.button.is_high()
    }

    fn set_light(&mut self, on: bool) {
        self.light.set_state(on.into());
    }

    fn stack_bytes(&self) -> u32 {
        rate2spike_cortex::stack_bytes()
    }
}

/// 168 MHz from the crystal; from the internal oscillator where the crystal
/// does not start; as it is where there is neither, in an emulator.
fn clocks(rcc: pac::RCC) -> Rcc {
    let ready = |bit: u32| (0..100_000).any(|_| rcc.cr().read().bits() & bit != 0);
    rcc.cr().modify(|_, w| w.hseon().on());
    let crystal = ready(1 << 17);
    let internal = ready(1 << 1);
    match (crystal, internal) {
        (true, _) => rcc.freeze(Config::hse(8.MHz()).sysclk(168.MHz())),
        (_, true) => rcc.freeze(Config::hsi().sysclk(168.MHz())),
        _ => rcc.constrain(),
    }
}

#[entry]
fn main() -> ! {
    static mut MEMORY: Memory<1024> = Memory::new();

    let core = cortex_m::Peripherals::take().expect("taken once");
    let chip = pac::Peripherals::take().expect("taken once");
    let mut rcc = clocks(chip.RCC);
    let (a, b, c) = (
        chip.GPIOA.split(&mut rcc),
        chip.GPIOB.split(&mut rcc),
        chip.GPIOC.split(&mut rcc),
    );
    let mut board = Stm32 {
        clock_hz: rcc.clocks.sysclk().to_Hz(),
        cycles: Cycles::new(core.SYST),
        line: chip
            .USART1
            .serial((a.pa9, a.pa10), BAUD.bps(), &mut rcc)
            .expect("a rate that the clock can make"),
        button: c.pc13.into_input().internal_resistor(Pull::Down),
        light: b.pb2.into_push_pull_output(),
    };
    let mut flash = flash::Flash::new(chip.FLASH);
    loop {
        rate2spike_app::run(&mut board, &mut flash, MEMORY);
    }
}
