//! The boards for which there is a firmware, and the cycles of a step on each of them.

use clap::ValueEnum;
use rate2spike_core::decision::MOST_OUTPUTS;
use rate2spike_protocol::message::CUT_RAM_BYTES;
use rate2spike_protocol::record::{self, RECORD_BYTES};

use super::cache::FlashCache;
use crate::export::verilog::device::Device;
use crate::formats::elf::Machine;
use crate::formats::image::Uf2Family;
use crate::spiking::trial::Deployable;

/// Cycles of a step's parts, measured in emulators by
/// `cargo run --release -p rate2spike-tests --bin boards`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    /// Cycles of a step that do not depend on the network.
    pub step: f64,
    /// Cycles of a readout filter in a step.
    pub filter: f64,
    /// Cycles of a unit in a step.
    pub unit: f64,
    /// Cycles in which the drive of a unit is computed from an expected input, for one to four
    /// channels.
    pub few_inputs: [f64; 4],
    /// The same for a network with more channels, without its channels.
    pub inputs: f64,
    /// Cycles of each channel of such a network.
    pub channel: f64,
    /// Further cycles of a step that computes drives.
    pub part: f64,
    /// Further cycles of a unit in the first step of a new input.
    pub take: f64,
    /// Cycles of a step that reads a sample, beside those of the channels.
    pub sample: f64,
    /// Cycles of each channel of such a step.
    pub sample_channel: f64,
    /// Cycles of an operation of the preprocessing, on average.
    pub operation: f64,
    /// Cycles of a spike without its synapses and without the end of its refractory time.
    pub spike: f64,
    /// Cycles of a synapse that a spike reaches.
    pub synapse: f64,
    /// Cycles of a unit whose refractory time ends.
    pub release: f64,
    /// Cycles of a unit in the step in which the refractory time of the trial's start ends.
    pub end_start: f64,
    /// Cycles of a unit in a step that ends the synapses that have decayed to nothing, which
    /// floating point does.
    pub fade: f64,
    /// Cycles of a unit before a trial, when it gets its factors and its potential.
    pub start: f64,
}

/// Cycles of a step's parts in fixed point on a Cortex-M4, and on the Cortex-M33, whose
/// instructions of a step are as many.
const CORTEX_M4_COST: Cost = Cost {
    step: 239.6,
    filter: 23.3,
    unit: 26.1,
    few_inputs: [19.1, 22.7, 26.3, 29.9],
    inputs: 39.5,
    channel: 7.2,
    part: 101.6,
    take: 4.2,
    sample: 240.0,
    sample_channel: 0.0,
    operation: 482.8,
    spike: 292.9,
    synapse: 11.0,
    release: 20.0,
    end_start: 9.0,
    fade: 0.0,
    start: 84.9,
};

/// Cycles of a step's parts in f32 on a Cortex-M4. They serve for the Cortex-M33 too, where they
/// foretell a step within some percent.
const FLOAT_COST: Cost = Cost {
    step: 252.2,
    filter: 60.7,
    unit: 47.6,
    few_inputs: [35.4, 47.4, 59.3, 71.2],
    inputs: 23.5,
    channel: 11.9,
    part: 116.6,
    take: 6.0,
    sample: 92.0,
    sample_channel: 0.0,
    operation: 482.8,
    spike: 340.7,
    synapse: 21.2,
    release: 20.0,
    end_start: 9.0,
    fade: 20.4,
    start: 165.6,
};

impl Cost {
    /// Cycles in which the drive of a unit is computed from `channels` channels.
    pub fn input(&self, channels: usize) -> f64 {
        let few = channels.checked_sub(1).and_then(|k| self.few_inputs.get(k));
        few.copied()
            .unwrap_or(self.inputs + self.channel * channels as f64)
    }

    /// Cycles of a step that reads a sample of `channels` channels.
    pub fn sample(&self, channels: usize) -> f64 {
        self.sample + self.sample_channel * channels as f64
    }
}

/// Estimated cycles of a Cortex-M4 for an instruction of the step. According to the reference manual
/// of the processor, the 174 instructions of the loop over the neurons, which advances eight of
/// them, take 209 cycles, and the 37 instructions of the loop over a spike's synapses, which
/// reaches four, take 45: a load takes 2 cycles, or 1 directly after another load; a load of
/// several registers takes 1 cycle and 1 more for each register; a taken branch takes 3. The
/// estimate assumes that the flash accelerator hides all waiting.
pub const CORTEX_M4_CYCLES_AN_INSTRUCTION: f64 = 30.0 / 25.0;

/// Estimated cycles of a Cortex-M33 for an instruction of the step. Arm publishes no table of
/// its cycles, so that this is the factor of the Cortex-M4, which runs the same instructions.
pub const CORTEX_M33_CYCLES_AN_INSTRUCTION: f64 = CORTEX_M4_CYCLES_AN_INSTRUCTION;

/// What a chip looks for in a firmware before it starts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Boot {
    /// Nothing: it starts what lies at the beginning of its flash.
    Vectors,
    /// A second boot stage of 256 bytes with its check sum.
    SecondStage,
    /// The definition of an image for the RP2350, within the first 4096 bytes.
    ImageDefinition,
}

/// The facts of a board and of its firmware.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
    /// Name on the command line, and in the board's own answer.
    pub name: &'static str,
    /// Name of the chip for probe-rs.
    pub chip: &'static str,
    /// Folder of its package in `firmware-example`.
    pub package: &'static str,
    /// The compiler's name for the processor.
    pub triple: &'static str,
    /// The processor.
    pub machine: Machine,
    /// What the chip looks for in a firmware.
    pub boot: Boot,
    /// Whether the processor has a floating-point unit.
    pub float_unit: bool,
    /// First address of flash, where the firmware lies and the chip starts.
    pub flash_address: u32,
    /// First address of RAM.
    pub ram_address: u32,
    /// First address of the network in flash.
    pub network_address: u32,
    /// Bytes of flash for a network that comes from an image.
    pub network_bytes: usize,
    /// Bytes of flash for each of the two places into which the serial line writes a
    /// network in turn.
    pub slot_bytes: usize,
    /// Bytes that are erased at once.
    pub sector_bytes: usize,
    /// Bytes of flash for the firmware.
    pub firmware_bytes: usize,
    /// Bytes of RAM.
    pub ram_bytes: usize,
    /// Largest number of units of a network.
    pub units: usize,
    /// Largest number of readout filters.
    pub filters: usize,
    /// Cycles in a second.
    pub clock_hz: f64,
    /// Cores that step a network together.
    pub cores: usize,
    /// Cycles of a step's parts on these cores, without the wait for flash.
    pub cost: Cost,
    /// The same for networks in f32, measured by `cargo run --release -p rate2spike-tests
    /// --bin float_cost`; `None` if the firmware does not step them.
    pub float_cost: Option<Cost>,
    /// The cache of the flash; `None` if reads from flash do not wait.
    pub cache: Option<FlashCache>,
    /// Where the cycles come from, for the reader of the budget.
    pub cycles_from: &'static str,
    /// Bytes of RAM for a copy of the network, which a network that fits is stepped from.
    pub copy_bytes: usize,
    /// Bytes of stack that the firmware used in an emulator.
    pub stack_bytes: usize,
    /// The chip's family in a UF2 file; `None` if the boot loader takes no UF2.
    pub uf2: Option<Uf2Family>,
}

impl Target {
    /// All boards with a microcontroller.
    pub const ALL: [&Target; 3] = [&Target::RP2040, &Target::RP2350, &Target::STM32F405];

    /// Bytes of RAM that a unit of a network takes.
    pub fn unit_ram_bytes<A: Deployable>(&self) -> usize {
        let cut = if self.cores > 1 { CUT_RAM_BYTES } else { 0 };
        A::UNIT_RAM_BYTES + cut
    }

    /// The cache through which a network of this many bytes is read; `None` if reads do not
    /// wait.
    pub fn cache_of(&self, bytes: usize) -> Option<FlashCache> {
        self.cache.filter(|_| bytes > self.copy_bytes)
    }

    /// The board as a network in f32 finds it; `None` if its firmware does not step f32.
    pub fn in_f32(&self) -> Option<Target> {
        let cost = self.float_cost?;
        Some(Target { cost, ..*self })
    }

    /// Raspberry Pi Pico.
    pub const RP2040: Target = Target {
        name: "rp2040",
        chip: "RP2040",
        package: "rp2040",
        triple: "thumbv6m-none-eabi",
        machine: Machine::Arm,
        boot: Boot::SecondStage,
        float_unit: false,
        flash_address: 0x1000_0000,
        ram_address: 0x2000_0000,
        network_address: 0x1010_0000,
        network_bytes: 0x10_0000,
        slot_bytes: 0x8_0000,
        sector_bytes: 4096,
        firmware_bytes: 0x10_0000,
        ram_bytes: 256 * 1024,
        units: 1024,
        filters: 8 * MOST_OUTPUTS,
        clock_hz: 133e6,
        cores: 2,
        cost: Cost {
            step: 542.0,
            filter: 26.3,
            unit: 26.0,
            few_inputs: [16.7, 18.7, 23.7, 26.7],
            inputs: 38.0,
            channel: 12.0,
            part: 180.0,
            take: 7.5,
            sample: 350.0,
            sample_channel: 0.0,
            operation: 949.0,
            spike: 530.0,
            synapse: 9.3,
            release: 20.0,
            end_start: 7.0,
            fade: 0.0,
            start: 194.6,
        },
        float_cost: None,
        cache: Some(FlashCache {
            sets: 1024,
            line_bytes: 8,
            miss_cycles: 64.0,
        }),
        cycles_from: "measured in an emulator that counts by the tables of the Cortex-M0+",
        copy_bytes: 0x1_c000,
        stack_bytes: 4860,
        uf2: Some(Uf2Family::Rp2040),
    };

    /// Raspberry Pi Pico 2. No emulator has the chip's peripherals or its second core: a step
    /// is priced for one core. The stack is that of the firmware `m33` in QEMU. The cycles are
    /// those of the Cortex-M4, which the tests `deploy_foretells_…` compare with it.
    pub const RP2350: Target = Target {
        name: "rp2350",
        chip: "RP235x",
        package: "rp2350",
        triple: "thumbv8m.main-none-eabihf",
        machine: Machine::Arm,
        boot: Boot::ImageDefinition,
        float_unit: true,
        flash_address: 0x1000_0000,
        ram_address: 0x2000_0000,
        network_address: 0x1010_0000,
        network_bytes: 0x30_0000,
        slot_bytes: 0x18_0000,
        sector_bytes: 4096,
        firmware_bytes: 0x10_0000,
        ram_bytes: 512 * 1024,
        units: 1024,
        filters: 8 * MOST_OUTPUTS,
        clock_hz: 150e6,
        cores: 1,
        cost: CORTEX_M4_COST,
        float_cost: Some(FLOAT_COST),
        // The boot ROM reads a line in 36 clocks of the flash at a third of the processor's
        // clock; 8 cycles are assumed for the bus.
        cache: Some(FlashCache {
            sets: 1024,
            line_bytes: 8,
            miss_cycles: 116.0,
        }),
        copy_bytes: 0,
        cycles_from: "estimated: instructions of an emulated Cortex-M33, times 1.2; the chip itself has no emulator",
        stack_bytes: 3708,
        uf2: Some(Uf2Family::Rp2350),
    };

    /// A board with an STM32F405.
    pub const STM32F405: Target = Target {
        name: "stm32f405",
        chip: "STM32F405RG",
        package: "stm32f4",
        triple: "thumbv7em-none-eabihf",
        machine: Machine::Arm,
        boot: Boot::Vectors,
        float_unit: true,
        flash_address: 0x0800_0000,
        ram_address: 0x2000_0000,
        network_address: 0x0806_0000,
        network_bytes: 0xa_0000,
        slot_bytes: 0x4_0000,
        sector_bytes: 0x2_0000,
        firmware_bytes: 0x6_0000,
        ram_bytes: 128 * 1024,
        units: 1024,
        filters: 8 * MOST_OUTPUTS,
        clock_hz: 168e6,
        cores: 1,
        cost: CORTEX_M4_COST,
        float_cost: Some(FLOAT_COST),
        cache: None,
        cycles_from: "estimated: instructions of an emulated Cortex-M4, times 1.2",
        copy_bytes: 0,
        stack_bytes: 3872,
        uf2: None,
    };

    /// Largest network, in bytes, that is written over the serial line.
    pub fn line_bytes(&self) -> usize {
        record::room(self.slot_bytes)
    }

    /// The bytes of an image for this network. If the network ends where a sector ends,
    /// the image continues into the next sector. An earlier network may have left a record
    /// there, which would mark this network as old; the image erases it.
    pub fn image(&self, network: &[u8]) -> Vec<u8> {
        let mut bytes = network.to_vec();
        let place = record::place(network.len());
        if place.is_multiple_of(self.sector_bytes) && place + RECORD_BYTES <= self.network_bytes {
            bytes.resize(place + RECORD_BYTES, 0xff);
        }
        bytes
    }
}

/// The chip of a board.
#[derive(Clone, Copy, Debug)]
pub enum Chip {
    /// A microcontroller.
    Controller(&'static Target),
    /// An FPGA.
    Logic(&'static Device),
}

/// The boards by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BoardName {
    /// Raspberry Pi Pico
    Rp2040,
    /// Raspberry Pi Pico 2
    Rp2350,
    /// A board with an STM32F405
    Stm32f405,
    /// iCEBreaker, with an FPGA of type iCE40UP5K
    Icebreaker,
    /// ULX3S, with an FPGA of type ECP5-25F
    Ulx3s,
}

impl BoardName {
    /// The chip of the board.
    pub fn chip(self) -> Chip {
        match self {
            BoardName::Rp2040 => Chip::Controller(&Target::RP2040),
            BoardName::Rp2350 => Chip::Controller(&Target::RP2350),
            BoardName::Stm32f405 => Chip::Controller(&Target::STM32F405),
            BoardName::Icebreaker => Chip::Logic(&Device::ICEBREAKER),
            BoardName::Ulx3s => Chip::Logic(&Device::ULX3S),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_firmware_ends_where_the_network_begins() {
        for target in Target::ALL {
            let end = target.flash_address + target.firmware_bytes as u32;
            assert_eq!(end, target.network_address, "{}", target.name);
        }
    }

    #[test]
    fn an_image_reaches_into_the_sector_where_a_record_would_lie() {
        for target in Target::ALL {
            let sector = target.sector_bytes;
            for end in [0, 1, 255, 256, 257, 3000] {
                let network = vec![7; 2 * sector - end];
                let image = target.image(&network);
                let record = record::place(network.len()) / sector;
                assert_eq!((image.len() - 1) / sector, record, "{end}");
                assert_eq!(image[..network.len()], network);
                assert!(image[network.len()..].iter().all(|&byte| byte == 0xff));
                // Nothing is added if the network itself erases that sector.
                assert_eq!(image.len() > network.len(), end < 256, "{end}");
            }
        }
    }
}
