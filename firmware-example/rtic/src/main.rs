//! A network in a firmware with RTIC on a Raspberry Pi Pico: of this project it uses
//! `rate2spike-core` only. The pin GP15 is the input, the light is the answer.
//!
//! A task steps the network in real time and sleeps between two steps; tasks of a higher
//! priority may interrupt it.

#![no_std]
#![no_main]

use panic_halt as _;
use rtic_monotonics::rp2040::prelude::*;

rp2040_timer_monotonic!(Mono);

/// The first 256 bytes of flash, which the boot ROM runs: sets up the flash.
#[unsafe(link_section = ".boot2")]
#[used]
static BOOT2_FIRMWARE: [u8; 256] = rp2040_boot2::BOOT_LOADER_W25Q080;

#[rtic::app(device = rp2040_hal::pac, dispatchers = [SW0_IRQ])]
mod app {
    use super::*;
    use embedded_hal::digital::{InputPin, OutputPin};
    use rate2spike_core::Fixed;
    use rate2spike_core::blob::Deployed;
    use rate2spike_core::block::{Block, ReadoutBlock};
    use rate2spike_core::decision::Evidence;
    use rate2spike_core::noise::Noise;
    use rate2spike_core::refractory::Waiting;
    use rate2spike_core::step::{State, StateMemory};
    use rate2spike_core::trial::Run;
    use rp2040_hal::clocks::init_clocks_and_plls;
    use rp2040_hal::gpio::bank0::{Gpio15, Gpio25};
    use rp2040_hal::gpio::{FunctionSioInput, FunctionSioOutput, Pin, Pins, PullDown, PullUp};
    use rp2040_hal::{Sio, Watchdog};

    /// The network: a file that `rate2spike quantize` or `pipeline` made.
    static NETWORK: &[u8] = include_bytes!("../../../core/tests/golden/go-nogo.snn");

    /// Most units of the network.
    const UNITS: usize = 256;

    /// Most readout filters.
    const FILTERS: usize = 8;

    /// The value of a channel in a sample.
    type Input = rate2spike_core::network::Input<Deployed<'static>>;

    /// The state of a network.
    pub struct Memory {
        // A block holds one unit on a microcontroller.
        blocks: [Block<Fixed>; UNITS],
        readout: [ReadoutBlock<Fixed>; FILTERS],
        waiting: [Waiting; UNITS],
        outputs: [Fixed; 1],
    }

    #[shared]
    struct Shared {}

    #[local]
    struct Local {
        input: Pin<Gpio15, FunctionSioInput, PullUp>,
        light: Pin<Gpio25, FunctionSioOutput, PullDown>,
    }

    #[init]
    fn init(cx: init::Context) -> (Shared, Local) {
        let mut resets = cx.device.RESETS;
        let mut watchdog = Watchdog::new(cx.device.WATCHDOG);
        let clocks = init_clocks_and_plls(
            12_000_000,
            cx.device.XOSC,
            cx.device.CLOCKS,
            cx.device.PLL_SYS,
            cx.device.PLL_USB,
            &mut resets,
            &mut watchdog,
        );
        clocks.expect("the crystal starts");
        Mono::start(cx.device.TIMER, &resets);
        let sio = Sio::new(cx.device.SIO);
        let (bank, port) = (cx.device.IO_BANK0, cx.device.PADS_BANK0);
        let pins = Pins::new(bank, port, sio.gpio_bank0, &mut resets);
        let local = Local {
            input: pins.gpio15.reconfigure(),
            light: pins.gpio25.reconfigure(),
        };
        answer::spawn().expect("the task is free");
        (Shared {}, local)
    }

    /// The pin as an input of the network: 1 while it is low.
    fn sample(pin: &mut impl InputPin) -> Input {
        Input::from_num(u8::from(matches!(pin.is_low(), Ok(true))))
    }

    /// Runs trial after trial in real time, and shows each answer.
    #[task(priority = 1, local = [input, light, memory: Memory = Memory {
        blocks: [Block::<Fixed>::EMPTY; UNITS],
        readout: [ReadoutBlock::<Fixed>::EMPTY; FILTERS],
        waiting: [Waiting::EMPTY; UNITS],
        outputs: [Fixed::ZERO],
    }])]
    async fn answer(cx: answer::Context) {
        let memory = cx.local.memory;
        let network = Deployed::read(NETWORK).expect("a network of this version");
        let payload = network.payload();
        let step = u64::from(payload.step_ns / 1000).micros();
        for trial in 0.. {
            let mut noise = Noise::new(1, trial);
            let memory = StateMemory {
                blocks: &mut memory.blocks,
                readout: &mut memory.readout,
                waiting: &mut memory.waiting,
                outputs: &mut memory.outputs,
            };
            let state = State::start(&network, memory, &mut noise).expect("it fits");
            let mut run = Run::new(&network, state, noise, payload.clock);
            let mut evidence = Evidence::default();
            let mut next = Mono::now() + step;
            while let Some(now) = run.step(|_| [sample(cx.local.input)]) {
                evidence.see(&payload.decision, now, run.state().outputs());
                Mono::delay_until(next).await;
                next += step;
            }
            let yes = payload.decision.answer(&evidence) > 0;
            cx.local.light.set_state(yes.into()).expect("a pin");
        }
    }
}
