//! The boards that there is a firmware for, and what a step costs on them.

use clap::ValueEnum;

/// Cycles of a step's parts, measured in emulators by
/// `cargo run --release -p rate2spike-tests --bin boards`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    /// Of a step, whatever the network.
    pub step: f64,
    /// Of a unit in a step.
    pub unit: f64,
    /// Of a unit in a step whose input is new, with one channel.
    pub input: f64,
    /// Of a spike, apart from its synapses.
    pub spike: f64,
    /// Of a synapse that a spike reaches.
    pub synapse: f64,
}

/// A Cortex-M4's cycles in an instruction of the step, estimated: in the loop
/// over the neurons, 43 instructions take 54 cycles by the core's reference
/// manual (a load 2 cycles, 1 where it follows another one; several at once 1
/// and 1 each; a taken branch 3), if the flash accelerator hides all waiting.
pub const CORTEX_M4_CYCLES_AN_INSTRUCTION: f64 = 54.0 / 43.0;

/// What is known of a board and of its firmware.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
    /// Name on the command line, and in the board's own answer.
    pub name: &'static str,
    /// Name of the chip for probe-rs.
    pub chip: &'static str,
    /// Folder of its package in `firmware-example`.
    pub package: &'static str,
    /// What its firmware is compiled for.
    pub triple: &'static str,
    /// Where the network lies in flash, and what room it has.
    pub network_address: u32,
    /// Bytes of flash for the network.
    pub network_bytes: usize,
    /// Bytes of flash for the firmware.
    pub firmware_bytes: usize,
    /// Bytes of RAM.
    pub ram_bytes: usize,
    /// Most units of a network.
    pub units: usize,
    /// Most readout filters.
    pub filters: usize,
    /// Cycles in a second.
    pub clock_hz: f64,
    /// Cycles of a step's parts.
    pub cost: Cost,
    /// Bytes of stack that its firmware used in an emulator.
    pub stack_bytes: usize,
    /// Whether its boot loader takes UF2.
    pub uf2: bool,
}

impl Target {
    /// Raspberry Pi Pico.
    pub const RP2040: Target = Target {
        name: "rp2040",
        chip: "RP2040",
        package: "rp2040",
        triple: "thumbv6m-none-eabi",
        network_address: 0x1010_0000,
        network_bytes: 0x10_0000,
        firmware_bytes: 0x10_0000,
        ram_bytes: 256 * 1024,
        units: 1024,
        filters: 16,
        clock_hz: 133e6,
        cost: Cost {
            step: 601.0,
            unit: 85.3,
            input: 122.8,
            spike: 428.0,
            synapse: 24.8,
        },
        stack_bytes: 2604,
        uf2: true,
    };

    /// A board with an STM32F405.
    pub const STM32F405: Target = Target {
        name: "stm32f405",
        chip: "STM32F405RG",
        package: "stm32f4",
        triple: "thumbv7em-none-eabihf",
        network_address: 0x0806_0000,
        network_bytes: 0xa_0000,
        firmware_bytes: 0x6_0000,
        ram_bytes: 128 * 1024,
        units: 1024,
        filters: 16,
        clock_hz: 168e6,
        cost: Cost {
            step: 293.0,
            unit: 54.8,
            input: 66.4,
            spike: 255.0,
            synapse: 17.5,
        },
        stack_bytes: 2156,
        uf2: false,
    };
}

/// The boards by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TargetName {
    /// Raspberry Pi Pico
    Rp2040,
    /// A board with an STM32F405
    Stm32f405,
}

impl TargetName {
    /// What is known of it.
    pub fn target(self) -> &'static Target {
        match self {
            TargetName::Rp2040 => &Target::RP2040,
            TargetName::Stm32f405 => &Target::STM32F405,
        }
    }
}
