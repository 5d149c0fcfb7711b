//! A board with an STM32F405, pins as on WeAct's: USART1 on PA9 and PA10, the
//! button on PC13, pressed when high, the light on PB2, a crystal of 8 MHz.

#![no_std]
#![no_main]

mod flash;

#[cfg(feature = "defmt")]
use {defmt_rtt as _, panic_probe as _};

use core::cell::RefCell;

use cortex_m::interrupt::Mutex;
use cortex_m_rt::entry;
use heapless::Deque;
use rate2spike_app::{Board, Memory, Restart};
use rate2spike_cortex::Cycles;
use stm32f4xx_hal::gpio::{Input, Output, PB2, PC13, Pull};
use stm32f4xx_hal::pac::{self, interrupt};
use stm32f4xx_hal::prelude::*;
use stm32f4xx_hal::rcc::{Config, Rcc};
use stm32f4xx_hal::serial::{Rx, RxListen, Tx};
use stm32f4xx_hal::watchdog::IndependentWatchdog;

const BAUD: u32 = 115_200;

/// Milliseconds without a sign of life after which the watchdog starts the chip anew: a
/// sector of flash takes two seconds at most.
const PATIENCE_MS: u32 = 8000;

/// Bytes that can wait while a step is made: more than a frame.
const WAITING_BYTES: usize = 512;

/// The receiver of the line, and the bytes that have arrived.
struct Arriving {
    receiver: Rx<pac::USART1>,
    bytes: Deque<u8, WAITING_BYTES>,
}

static ARRIVING: Mutex<RefCell<Option<Arriving>>> = Mutex::new(RefCell::new(None));

/// Takes a byte from the line as soon as it is there.
#[interrupt]
fn USART1() {
    cortex_m::interrupt::free(|key| {
        if let Some(arriving) = ARRIVING.borrow(key).borrow_mut().as_mut()
            && let Ok(byte) = arriving.receiver.read()
        {
            // A byte without room is lost, and the check sum of its frame notices.
            let _ = arriving.bytes.push_back(byte);
        }
    });
}

/// Notes the place, and starts the chip anew.
#[cfg(not(feature = "defmt"))]
#[panic_handler]
fn panic(info: &core::panic::PanicInfo) -> ! {
    rate2spike_cortex::panic::note(info);
    cortex_m::peripheral::SCB::sys_reset()
}

struct Stm32 {
    clock_hz: u32,
    cycles: Cycles,
    line: Tx<pac::USART1>,
    watchdog: IndependentWatchdog,
    restart: Option<Restart>,
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

    fn alive(&mut self) {
        self.watchdog.feed();
    }

    fn restarted(&mut self) -> Option<Restart> {
        self.restart.take()
    }

    fn receive(&mut self) -> Option<u8> {
        self.watchdog.feed();
        cortex_m::interrupt::free(|key| {
            let mut arriving = ARRIVING.borrow(key).borrow_mut();
            arriving.as_mut()?.bytes.pop_front()
        })
    }

    fn send(&mut self, byte: u8) {
        self.watchdog.feed();
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
    let stood_still = chip.RCC.csr().read().wdgrstf().bit_is_set();
    chip.RCC.csr().modify(|_, w| w.rmvf().set_bit());
    let restart = rate2spike_cortex::panic::last();
    let restart = restart.or(stood_still.then_some(Restart::Watchdog));
    let mut rcc = clocks(chip.RCC);
    let (a, b, c) = (
        chip.GPIOA.split(&mut rcc),
        chip.GPIOB.split(&mut rcc),
        chip.GPIOC.split(&mut rcc),
    );
    // A line without an adapter must not float.
    let receives = a.pa10.into_alternate().internal_resistor(Pull::Up);
    let line = chip
        .USART1
        .serial((a.pa9, receives), BAUD.bps(), &mut rcc)
        .expect("a rate that the clock can make");
    let (line, mut receiver) = line.split();
    receiver.listen();
    cortex_m::interrupt::free(|key| {
        ARRIVING.borrow(key).replace(Some(Arriving {
            receiver,
            bytes: Deque::new(),
        }));
    });
    // SAFETY: its handler is above.
    unsafe { pac::NVIC::unmask(pac::Interrupt::USART1) };
    let mut board = Stm32 {
        clock_hz: rcc.clocks.sysclk().to_Hz(),
        cycles: Cycles::new(core.SYST),
        line,
        watchdog: IndependentWatchdog::new(chip.IWDG),
        restart,
        button: c.pc13.into_input().internal_resistor(Pull::Down),
        light: b.pb2.into_push_pull_output(),
    };
    board.watchdog.start(PATIENCE_MS.millis());
    let mut flash = flash::Flash::new(chip.FLASH);
    loop {
        rate2spike_app::run(&mut board, &mut flash, MEMORY);
    }
}
