//! A board with an STM32F405, pins as on WeAct's: a serial line over USB, if there is a crystal,
//! and another one over USART1 on PA9 and PA10; the button on PC13, pressed when high; the light
//! on PB2.

#![no_std]
#![no_main]

mod clock;
mod flash;

#[cfg(feature = "defmt")]
use {defmt_rtt as _, panic_probe as _};

use core::cell::RefCell;

use clock::Source;
use cortex_m::interrupt::Mutex;
use cortex_m::singleton;
use cortex_m_rt::entry;
use heapless::Deque;
use rate2spike_app::{Board, Memory, Restart};
use rate2spike_cortex::Cycles;
use rate2spike_cortex::usb::Usb;
use stm32f4xx_hal::gpio::{Input, Output, PB2, PC13, Pull};
use stm32f4xx_hal::otg_fs::{USB, UsbBus, UsbBusType};
use stm32f4xx_hal::pac::{self, interrupt};
use stm32f4xx_hal::prelude::*;
use stm32f4xx_hal::serial::{Rx, RxListen, Tx};
use stm32f4xx_hal::timer::{CounterUs, Event};
use stm32f4xx_hal::watchdog::IndependentWatchdog;
use usb_device::bus::UsbBusAllocator;

const BAUD: u32 = 115_200;

/// Milliseconds without a sign of life after which the watchdog starts the chip anew: a
/// sector of flash takes two seconds at most.
const PATIENCE_MS: u32 = 8000;

/// Shortest time for which it is worth to sleep.
const SHORTEST_REST_US: u32 = 5;

/// Bytes that can wait while a step is made: more than a frame.
const WAITING_BYTES: usize = 512;

/// Words of memory for what arrives over USB: a packet of each of two endpoints, twice.
const USB_WORDS: usize = 64;

/// The receivers of both lines, and the bytes that have arrived.
struct Arriving {
    receiver: Rx<pac::USART1>,
    usb: Option<Usb<UsbBusType>>,
    bytes: Deque<u8, WAITING_BYTES>,
    /// True while bytes wait in the USB port for which there was no room.
    is_full: bool,
}

static ARRIVING: Mutex<RefCell<Option<Arriving>>> = Mutex::new(RefCell::new(None));

impl Arriving {
    /// Takes what has arrived over USB as far as there is room; the rest waits in the port.
    fn take_from_usb(&mut self) {
        let Some(usb) = &mut self.usb else {
            return;
        };
        usb.poll();
        self.is_full = loop {
            if self.bytes.is_full() {
                break true;
            }
            let Some(byte) = usb.receive() else {
                break false;
            };
            // There is room.
            let _ = self.bytes.push_back(byte);
        };
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.bytes.pop_front();
        if self.is_full {
            self.take_from_usb();
        }
        byte
    }

    /// Sends a byte over USB; false if no host reads there.
    fn send_over_usb(&mut self, byte: u8) -> bool {
        match &mut self.usb {
            Some(usb) if usb.is_read() => {
                usb.send(byte);
                true
            }
            _ => false,
        }
    }
}

/// Does something with the lines, without an interrupt meanwhile.
fn with_lines<T>(work: impl FnOnce(&mut Arriving) -> T) -> Option<T> {
    cortex_m::interrupt::free(|key| ARRIVING.borrow(key).borrow_mut().as_mut().map(work))
}

/// Takes a byte from the serial line as soon as it is there.
#[interrupt]
fn USART1() {
    with_lines(|lines| {
        if let Ok(byte) = lines.receiver.read() {
            // A byte without room is lost, and the check sum of its frame notices.
            let _ = lines.bytes.push_back(byte);
        }
    });
}

/// Answers the host, and takes what it has sent.
#[interrupt]
fn OTG_FS() {
    with_lines(Arriving::take_from_usb);
}

/// Ends the rest of [`Stm32::rest`].
#[interrupt]
fn TIM2() {
    // SAFETY: writing zeros clears the flags of this timer and nothing else.
    let timer = unsafe { &*pac::TIM2::PTR };
    timer.sr().write(|w| unsafe { w.bits(0) });
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
    /// Wakes the processor; `None` if its clock is unknown.
    alarm: Option<CounterUs<pac::TIM2>>,
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

    fn rest(&mut self, cycles: u32) {
        let micros = cycles / (self.clock_hz / 1_000_000);
        let Some(alarm) = &mut self.alarm else {
            return;
        };
        if micros < SHORTEST_REST_US {
            return;
        }
        // The interrupt is held back until the processor sleeps, and wakes it.
        cortex_m::interrupt::free(|_| {
            if alarm.start(micros.micros()).is_ok() {
                cortex_m::asm::wfi();
            }
        });
        // A byte may have come first.
        let _ = alarm.cancel();
    }

    fn alive(&mut self) {
        self.watchdog.feed();
    }

    fn restarted(&mut self) -> Option<Restart> {
        self.restart.take()
    }

    fn receive(&mut self) -> Option<u8> {
        self.watchdog.feed();
        with_lines(Arriving::next).flatten()
    }

    fn send(&mut self, byte: u8) {
        self.watchdog.feed();
        if with_lines(|lines| lines.send_over_usb(byte)) == Some(true) {
            return;
        }
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

#[entry]
fn main() -> ! {
    static mut MEMORY: Memory<1024> = Memory::new();
    static mut USB_MEMORY: [u32; USB_WORDS] = [0; USB_WORDS];

    let core = cortex_m::Peripherals::take().expect("taken once");
    let chip = pac::Peripherals::take().expect("taken once");
    let stood_still = chip.RCC.csr().read().wdgrstf().bit_is_set();
    chip.RCC.csr().modify(|_, w| w.rmvf().set_bit());
    let restart = rate2spike_cortex::panic::last();
    let restart = restart.or(stood_still.then_some(Restart::Watchdog));
    let mut flash = flash::Flash::new(chip.FLASH, chip.PWR, &chip.RCC);
    let (mut rcc, source) = clock::start(chip.RCC, &chip.TIM11);
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
    let usb = (source == Source::Crystal).then(|| {
        let registers = (chip.OTG_FS_GLOBAL, chip.OTG_FS_DEVICE, chip.OTG_FS_PWRCLK);
        let port = USB::new(registers, (a.pa11, a.pa12), &rcc.clocks);
        let bus = singleton!(: UsbBusAllocator<UsbBusType> = UsbBus::new(port, USB_MEMORY));
        Usb::new(bus.expect("made once"), "rate2spike stm32f405")
    });
    let alarm = (source != Source::Unknown).then(|| {
        let mut alarm = chip.TIM2.counter_us(&mut rcc);
        alarm.listen(Event::Update);
        alarm
    });
    cortex_m::interrupt::free(|key| {
        ARRIVING.borrow(key).replace(Some(Arriving {
            receiver,
            usb,
            bytes: Deque::new(),
            is_full: false,
        }));
    });
    // SAFETY: their handlers are above.
    unsafe {
        pac::NVIC::unmask(pac::Interrupt::USART1);
        pac::NVIC::unmask(pac::Interrupt::OTG_FS);
        pac::NVIC::unmask(pac::Interrupt::TIM2);
    }
    let mut board = Stm32 {
        clock_hz: rcc.clocks.sysclk().to_Hz(),
        cycles: Cycles::new(core.SYST),
        alarm,
        line,
        watchdog: IndependentWatchdog::new(chip.IWDG),
        restart,
        button: c.pc13.into_input().internal_resistor(Pull::Down),
        light: b.pb2.into_push_pull_output(),
    };
    board.watchdog.start(PATIENCE_MS.millis());
    loop {
        rate2spike_app::run(&mut board, &mut flash, MEMORY);
    }
}
