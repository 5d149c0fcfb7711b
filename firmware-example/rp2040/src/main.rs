//! Raspberry Pi Pico: a serial line over USB, another one over UART0 on GP0 and GP1, the
//! button between GP15 and ground, the light on the board. The sensor is an accelerometer on
//! GP4 and GP5, if there is one and the network wants three channels, else the analog inputs
//! GP26 to GP28. GP6 to GP13 show the answers 0 to 7, GP14 shows −1.

#![no_std]
#![no_main]

#[path = "../../pico/accelerometer.rs"]
mod accelerometer;
#[path = "../../pico/analog.rs"]
mod analog;
#[cfg(feature = "two-cores")]
#[path = "../../pico/cores.rs"]
mod cores;
#[path = "../../pico/flash.rs"]
mod flash;

#[cfg(feature = "defmt")]
use {defmt_rtt as _, panic_probe as _};

use rp2040_hal as hal;

use core::cell::RefCell;

use accelerometer::Accelerometer;
use cortex_m::interrupt::Mutex;
use cortex_m::singleton;
use embedded_hal::delay::DelayNs;
use embedded_hal::digital::{InputPin, OutputPin};
use heapless::Deque;
use rate2spike_app::{Board, Memory, Restart};
use rate2spike_cortex::Cycles;
use rate2spike_cortex::usb::Usb;
use rp2040_hal::adc::{Adc, AdcPin};
use rp2040_hal::clocks::{Clock, ClocksManager};
use rp2040_hal::fugit::{ExtU32, HertzU32, MicrosDurationU32, RateExtU32};
use rp2040_hal::gpio::bank0::{Gpio0, Gpio1, Gpio15, Gpio25};
use rp2040_hal::gpio::{
    DynPinId, FunctionSioInput, FunctionSioOutput, FunctionUart, Pin, PullDown, PullUp,
};
use rp2040_hal::i2c::I2C;
use rp2040_hal::pac::interrupt;
use rp2040_hal::pll::{PLLConfig, common_configs::PLL_USB_48MHZ, setup_pll_blocking};
use rp2040_hal::timer::{Alarm, Alarm0};
use rp2040_hal::uart::{DataBits, Reader, StopBits, UartConfig, UartPeripheral, Writer};
use rp2040_hal::usb::UsbBus;
use rp2040_hal::watchdog::Watchdog;
use rp2040_hal::xosc::setup_xosc_blocking;
use rp2040_hal::{Sio, Timer, entry, gpio, pac};
use usb_device::bus::UsbBusAllocator;

/// The first 256 bytes of flash, which the boot ROM runs: sets up the flash.
#[unsafe(link_section = ".boot2")]
#[used]
static BOOT2_FIRMWARE: [u8; 256] = rp2040_boot2::BOOT_LOADER_W25Q080;

/// Where the boot ROM's mark lies, there are functions that write the flash.
const ROM_MARK: [u8; 3] = *b"Mu\x01";

/// The code that lets the flash be read again after it was written: the second boot stage.
const SWITCH_BACK: *const [u32; 64] = 0x1000_0000 as *const [u32; 64];

/// Bytes of flash for networks: the second half.
const NETWORK_BYTES: usize = 0x10_0000;

/// A bank of RAM of 4 KiB, for the stack of the second core.
#[cfg(feature = "two-cores")]
const SECOND_STACK: usize = 0x2004_0000;

/// The timer.
type Time = Timer;

/// Frequency of the board's crystal.
const CRYSTAL: HertzU32 = HertzU32::MHz(12);

/// 133 MHz, the most that the chip is specified for.
const SYSTEM_CLOCK: PLLConfig = PLLConfig {
    vco_freq: HertzU32::MHz(1596),
    refdiv: 1,
    post_div1: 6,
    post_div2: 2,
};

/// Bytes of RAM for a copy of the network: 1000 units with 40 inputs each.
const COPY_BYTES: usize = 0x1_c000;

const BAUD: u32 = 115_200;

/// Rate of the bus of the accelerometer.
const I2C_HZ: u32 = 400_000;

/// Time in which the pull-up resistors raise a line.
const PULL_UP_US: u32 = 20;

/// Time without a sign of life after which the watchdog starts the chip anew. The watchdog
/// counts 24 bits, two in a microsecond.
const PATIENCE: MicrosDurationU32 = MicrosDurationU32::secs(8);

/// Shortest time for which it is worth to sleep.
const SHORTEST_REST_US: u32 = 5;

type Line = (
    Pin<Gpio0, FunctionUart, PullDown>,
    Pin<Gpio1, FunctionUart, PullUp>,
);

/// Bytes of the serial line that can wait while a step is made or the flash is written: more
/// than two frames.
const WAITING_BYTES: usize = 512;

/// The receiver of the serial line, and the bytes that have arrived.
struct Arriving {
    receiver: Reader<pac::UART0, Line>,
    bytes: Deque<u8, WAITING_BYTES>,
}

static ARRIVING: Mutex<RefCell<Option<Arriving>>> = Mutex::new(RefCell::new(None));

/// Takes the bytes from the serial line before its queue of 32 bytes is full.
#[interrupt]
fn UART0_IRQ() {
    cortex_m::interrupt::free(|key| {
        let mut arriving = ARRIVING.borrow(key).borrow_mut();
        let Some(Arriving { receiver, bytes }) = arriving.as_mut() else {
            return;
        };
        let mut queue = [0; 32];
        while let Ok(count) = receiver.read_raw(&mut queue) {
            for &byte in queue.iter().take(count) {
                // A byte without room is lost, and the check sum of its frame notices.
                let _ = bytes.push_back(byte);
            }
        }
    });
}

type Output = Pin<DynPinId, FunctionSioOutput, PullDown>;

struct Pico {
    clock_hz: u32,
    /// Microseconds in a cycle, in 2⁻³².
    micros_a_cycle: u64,
    cycles: Cycles,
    alarm: Alarm0,
    line: Writer<pac::UART0, Line>,
    usb: &'static mut Usb<UsbBus>,
    accelerometer: Option<Accelerometer>,
    analog: analog::AnalogInputs,
    /// True if the accelerometer is the sensor.
    is_accelerated: bool,
    button: Pin<Gpio15, FunctionSioInput, PullUp>,
    light: Pin<Gpio25, FunctionSioOutput, PullDown>,
    /// The pins of the answers 0 to 7, and of −1.
    answers: [Output; 9],
    restart: Option<Restart>,
}

/// Notes the place, and starts the chip with both cores anew.
#[cfg(not(feature = "defmt"))]
#[panic_handler]
fn panic(info: &core::panic::PanicInfo) -> ! {
    rate2spike_cortex::panic::note(info);
    rp2040_hal::reset()
}

/// Tells the watchdog that the firmware still runs.
fn feed() {
    // SAFETY: a register that is written only, and only here.
    let watchdog = unsafe { &*pac::WATCHDOG::PTR };
    watchdog
        .load()
        .write(|w| unsafe { w.bits(2 * PATIENCE.ticks()) });
}

/// Ends the rest of [`Pico::rest`].
#[interrupt]
fn TIMER_IRQ_0() {
    // SAFETY: writing a one clears the interrupt of the first alarm and nothing else.
    let timer = unsafe { &*pac::TIMER::PTR };
    timer.intr().write(|w| w.alarm_0().clear_bit_by_one());
}

impl Board for Pico {
    const NAME: &'static str = "rp2040";

    fn clock_hz(&self) -> u32 {
        self.clock_hz
    }

    fn cycles(&mut self) -> u32 {
        self.cycles.now()
    }

    #[cfg(feature = "two-cores")]
    #[inline(always)]
    fn join(&mut self, here: impl FnOnce(), there: impl FnOnce() + Send) {
        cores::both(here, there);
    }

    fn rest(&mut self, cycles: u32) {
        let micros = (u64::from(cycles) * self.micros_a_cycle) >> 32;
        let micros = micros as u32;
        if micros < SHORTEST_REST_US {
            return;
        }
        // The interrupt is held back until the processor sleeps, and wakes it.
        cortex_m::interrupt::free(|_| {
            if self.alarm.schedule(micros.micros()).is_ok() {
                cortex_m::asm::wfi();
            }
        });
    }

    fn alive(&mut self) {
        feed();
        self.usb.poll();
    }

    fn restarted(&mut self) -> Option<Restart> {
        self.restart.take()
    }

    fn receive(&mut self) -> Option<u8> {
        feed();
        let received = cortex_m::interrupt::free(|key| {
            let mut arriving = ARRIVING.borrow(key).borrow_mut();
            arriving.as_mut()?.bytes.pop_front()
        });
        received.or_else(|| self.usb.receive())
    }

    fn send(&mut self, byte: u8) {
        feed();
        if self.usb.is_read() {
            self.usb.send(byte);
        } else {
            self.line.write_full_blocking(&[byte]);
        }
    }

    fn start_sensor(&mut self, channels: usize, sample_ns: u32) -> bool {
        let three = channels == accelerometer::CHANNELS;
        let chosen = self.accelerometer.as_mut().filter(|_| three);
        self.is_accelerated = chosen.is_some();
        match chosen {
            Some(accelerometer) => {
                accelerometer.start(sample_ns);
                true
            }
            None => self.analog.start(channels, sample_ns),
        }
    }

    fn sense(&mut self, values: &mut [i32]) -> bool {
        match &mut self.accelerometer {
            Some(accelerometer) if self.is_accelerated => accelerometer.sense(values),
            _ => self.analog.sense(values),
        }
    }

    fn button(&mut self) -> bool {
        self.button.is_low().unwrap_or(false)
    }

    fn set_light(&mut self, on: bool) {
        let _ = self.light.set_state(on.into());
    }

    fn show(&mut self, answer: i16) {
        for (shown, pin) in [0, 1, 2, 3, 4, 5, 6, 7, -1]
            .into_iter()
            .zip(&mut self.answers)
        {
            let _ = pin.set_state((answer == shown).into());
        }
    }

    fn stack_bytes(&self) -> u32 {
        rate2spike_cortex::stack_bytes()
    }
}

/// Copies the table of the interrupts' handlers into RAM, where it can be read while the flash
/// is written.
fn vectors_in_ram(control: &pac::SCB) {
    /// The exceptions and interrupts of the chip.
    const VECTORS: usize = 16 + 32;
    /// At an address that the chip takes: a multiple of 256.
    #[repr(C, align(256))]
    struct Table([u32; VECTORS]);
    let table = control.vtor.read() as *const [u32; VECTORS];
    // SAFETY: the boot stage set this address, at which the chip's table lies.
    let copy = singleton!(: Table = Table(unsafe { table.read_volatile() }));
    let copy = copy.expect("made once");
    // SAFETY: the copy is a whole table and stays for ever.
    unsafe { control.vtor.write((&raw const *copy).addr() as u32) };
}

/// Why the chip was started anew, if nobody wanted it to.
fn restart(watchdog: &pac::WATCHDOG) -> Option<Restart> {
    let stood_still = watchdog.reason().read().timer().bit_is_set();
    let panic = rate2spike_cortex::panic::last();
    panic.or(stood_still.then_some(Restart::Watchdog))
}

#[entry]
fn main() -> ! {
    static mut MEMORY: Memory<1024> = Memory::new();
    static mut COPY: [u8; COPY_BYTES] = [0; COPY_BYTES];

    let core = pac::CorePeripherals::take().expect("taken once");
    vectors_in_ram(&core.SCB);
    #[cfg_attr(not(feature = "two-cores"), allow(unused_mut))]
    let mut chip = pac::Peripherals::take().expect("taken once");
    let mut resets = chip.RESETS;

    let restart = restart(&chip.WATCHDOG);
    let mut watchdog = Watchdog::new(chip.WATCHDOG);
    let crystal = setup_xosc_blocking(chip.XOSC, CRYSTAL).expect("the crystal starts");
    watchdog.enable_tick_generation(CRYSTAL.to_MHz() as u8);
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

    let mut timer = Timer::new(chip.TIMER, &mut resets, &clocks);
    let mut alarm = timer.alarm_0().expect("taken once");
    alarm.enable_interrupt();
    // SAFETY: its handler is above.
    unsafe { pac::NVIC::unmask(pac::Interrupt::TIMER_IRQ_0) };

    #[cfg_attr(not(feature = "two-cores"), allow(unused_mut))]
    let mut sio = Sio::new(chip.SIO);
    #[cfg(feature = "two-cores")]
    cores::start(&mut chip.PSM, &mut chip.PPB, &mut sio.fifo);
    let pins = gpio::Pins::new(chip.IO_BANK0, chip.PADS_BANK0, sio.gpio_bank0, &mut resets);
    let line = (pins.gpio0.into_function(), pins.gpio1.reconfigure());
    let format = UartConfig::new(BAUD.Hz(), DataBits::Eight, None, StopBits::One);
    let adc = singleton!(: Adc = Adc::new(chip.ADC, &mut resets)).expect("made once");
    let usb = UsbBus::new(
        chip.USBCTRL_REGS,
        chip.USBCTRL_DPRAM,
        clocks.usb_clock,
        true,
        &mut resets,
    );
    let usb = singleton!(: UsbBusAllocator<UsbBus> = UsbBusAllocator::new(usb));
    let usb: &'static _ = usb.expect("made once");
    let clock_hz = clocks.system_clock.freq().to_Hz();
    let (mut receiver, line) = UartPeripheral::new(chip.UART0, line, &mut resets)
        .enable(format, clocks.peripheral_clock.freq())
        .expect("a rate that the clock can make")
        .split();
    receiver.enable_rx_interrupt();
    cortex_m::interrupt::free(|key| {
        ARRIVING.borrow(key).replace(Some(Arriving {
            receiver,
            bytes: Deque::new(),
        }));
    });
    // SAFETY: its handler is above.
    unsafe { pac::NVIC::unmask(pac::Interrupt::UART0_IRQ) };
    // Without pull-ups and a sensor on the bus the lines are low, and no one would answer.
    let (mut data, mut clock) = (
        pins.gpio4.into_pull_up_input(),
        pins.gpio5.into_pull_up_input(),
    );
    timer.delay_us(PULL_UP_US);
    let is_connected = data.is_high().unwrap_or(false) && clock.is_high().unwrap_or(false);
    let bus = is_connected.then(|| {
        let (data, clock) = (data.reconfigure(), clock.reconfigure());
        let speed = I2C_HZ.Hz();
        I2C::i2c0(
            chip.I2C0,
            data,
            clock,
            speed,
            &mut resets,
            &clocks.system_clock,
        )
    });
    let accelerometer = bus.and_then(|bus| Accelerometer::new(bus, timer));
    let mut board = Pico {
        clock_hz,
        micros_a_cycle: (1_000_000 << 32) / u64::from(clock_hz),
        cycles: Cycles::new(core.SYST),
        alarm,
        line,
        usb: singleton!(: Usb<UsbBus> = Usb::new(usb, "rate2spike rp2040")).expect("made once"),
        accelerometer,
        is_accelerated: false,
        analog: analog::AnalogInputs::new(
            adc,
            AdcPin::new(pins.gpio26.reconfigure()).expect("an analog pin"),
            AdcPin::new(pins.gpio27.reconfigure()).expect("an analog pin"),
            AdcPin::new(pins.gpio28.reconfigure()).expect("an analog pin"),
        ),
        button: pins.gpio15.reconfigure(),
        light: pins.gpio25.reconfigure(),
        answers: [
            pins.gpio6
                .into_push_pull_output()
                .into_pull_type()
                .into_dyn_pin(),
            pins.gpio7
                .into_push_pull_output()
                .into_pull_type()
                .into_dyn_pin(),
            pins.gpio8
                .into_push_pull_output()
                .into_pull_type()
                .into_dyn_pin(),
            pins.gpio9
                .into_push_pull_output()
                .into_pull_type()
                .into_dyn_pin(),
            pins.gpio10
                .into_push_pull_output()
                .into_pull_type()
                .into_dyn_pin(),
            pins.gpio11
                .into_push_pull_output()
                .into_pull_type()
                .into_dyn_pin(),
            pins.gpio12
                .into_push_pull_output()
                .into_pull_type()
                .into_dyn_pin(),
            pins.gpio13
                .into_push_pull_output()
                .into_pull_type()
                .into_dyn_pin(),
            pins.gpio14
                .into_push_pull_output()
                .into_pull_type()
                .into_dyn_pin(),
        ],
        restart,
    };
    watchdog.start(PATIENCE);
    let mut flash = flash::Flash::new(COPY);
    loop {
        rate2spike_app::run(&mut board, &mut flash, MEMORY);
    }
}
