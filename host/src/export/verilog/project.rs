//! The files of a design: the Verilog of `logic/`, and what belongs to one network.

use std::fmt::Write;
use std::path::Path;
use std::{fs, io};

use rate2spike_core::blob::Deployed;
use rate2spike_core::noise::Noise;
use rate2spike_core::trial::{Run, SpikeHash};
use serde::Serialize;

use super::Refusal;
use super::clocks::Clocks;
use super::device::{Blocks, Device};
use super::image::{self, Counts, Image, MAGIC, Sizes};
use crate::spiking::trial::Memory;

/// Steps of the short trial, for slow simulators.
const SHORT_STEPS: u32 = 64;

/// Multipliers of 16 × 16 bits.
const MULTIPLIERS: usize = 8;

macro_rules! sources {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("logic/", $name)))),*]
    };
}

/// The files that every network has in common.
const SOURCES: [(&str, &str); 32] = sources![
    "rtl/counters.v",
    "rtl/decision.v",
    "rtl/delivery.v",
    "rtl/deviates.v",
    "rtl/device.v",
    "rtl/drive.v",
    "rtl/flash_reader.v",
    "rtl/generator.v",
    "rtl/lights.v",
    "rtl/line.v",
    "rtl/loader.v",
    "rtl/multiplier.v",
    "rtl/network.v",
    "rtl/neuron.v",
    "rtl/ram.v",
    "rtl/ram_huge.v",
    "rtl/readout.v",
    "rtl/refractory.v",
    "rtl/settings.v",
    "rtl/spike_hash.v",
    "rtl/uart_receiver.v",
    "rtl/uart_sender.v",
    "sim/board.v",
    "sim/flash.v",
    "sim/line.sv",
    "sim/self_test.v",
    "sim/terminal.cpp",
    "boards/icebreaker.pcf",
    "boards/icebreaker.v",
    "boards/ulx3s.lpf",
    "boards/ulx3s.v",
    "README.md",
];

/// The Makefile of a design, which lies elsewhere in the sources.
const MAKEFILE: &str = include_str!("logic/project/Makefile");

/// A file of a design.
#[derive(Clone, Debug)]
pub struct File {
    /// Path below the folder of the design.
    pub name: &'static str,
    /// Content.
    pub bytes: Vec<u8>,
}

/// A design: its files, and what they need.
#[derive(Clone, Debug)]
pub struct Project {
    /// The files.
    pub files: Vec<File>,
    /// What the design needs.
    pub needs: Needs,
}

/// What a network needs as logic.
#[derive(Clone, Debug, Serialize)]
pub struct Needs {
    /// Units, synapses and what else is stored.
    pub counts: Counts,
    /// Address widths of the memories.
    pub sizes: Sizes,
    /// Bits of all memories.
    pub memory_bits: usize,
    /// Multipliers of 16 × 16 bits.
    pub multipliers: usize,
    /// Bytes of the image in flash.
    pub image_bytes: usize,
    /// Length of a step in ms.
    pub step_ms: f64,
    /// Clocks of a step, in the trial of the self-test.
    pub clocks: Clocks,
    /// What the network needs on each board.
    pub boards: Vec<OnBoard>,
}

/// A network on a board with an FPGA.
#[derive(Clone, Debug, Serialize)]
pub struct OnBoard {
    /// Name of the board.
    pub board: &'static str,
    /// Name of its chip.
    pub chip: &'static str,
    /// Clock of the logic, Hz.
    pub clock_hz: u32,
    /// Blocks of memory.
    pub blocks: Blocks,
    /// Whether the memories fit.
    pub memories_fit: bool,
    /// Share of the clock that an average step takes.
    pub share_mean: f64,
    /// Share of the clock that the slowest step takes, the first one excluded.
    pub share_worst: f64,
    /// Units of the largest network of this density, readout and input whose memories
    /// fit.
    pub largest_units: usize,
}

/// Whether the bytes of a `network.bin` are the image of a network.
pub fn is_ours(bytes: &[u8]) -> bool {
    bytes.starts_with(&MAGIC)
}

impl Project {
    /// Refuses a network that needs what the logic does not have, without running it.
    ///
    /// # Errors
    /// All of [`Refusal`] except [`Refusal::Large`].
    pub fn check(network: &Deployed) -> Result<(), Refusal> {
        image::check(network, network.payload().clock.steps)
    }

    /// The design of `network`.
    ///
    /// # Errors
    /// [`Refusal`], if the logic does not have what the network needs.
    pub fn new(network: &Deployed) -> Result<Self, Refusal> {
        let image = Image::of_self_test(network)?;
        let spikes = self_test_spikes(network);
        let short = short_image(network, &spikes)?;
        let needs = Needs::new(network, &image, &spikes);
        let bytes = image.bytes();
        let mut files: Vec<File> = SOURCES
            .map(|(name, text)| File {
                name,
                bytes: text.into(),
            })
            .into();
        for (name, bytes) in [
            ("Makefile", MAKEFILE.into()),
            ("parameters.vh", parameters(&needs).into_bytes()),
            ("network.hex", hex(&bytes)),
            ("network.bin", bytes),
            ("short.hex", hex(&short.bytes())),
            ("spikes.txt", lines(&spikes)),
        ] {
            files.push(File { name, bytes });
        }
        Ok(Self { files, needs })
    }
}

impl Project {
    /// Writes the files below `folder`.
    ///
    /// # Errors
    /// The errors of the file system.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        for File { name, bytes } in &self.files {
            let path = folder.join(name);
            let parent = path.parent().expect("a name below the folder");
            fs::create_dir_all(parent)?;
            fs::write(path, bytes)?;
        }
        Ok(())
    }

    /// What the network needs on `device`.
    pub fn on(&self, device: &Device) -> &OnBoard {
        let mut boards = self.needs.boards.iter();
        let found = boards.find(|board| board.board == device.board);
        found.expect("the needs name all boards")
    }

    /// The image of the network.
    pub fn image(&self) -> &[u8] {
        let image = self.files.iter().find(|file| file.name == "network.bin");
        &image.expect("every design has an image").bytes
    }
}

/// Step and unit of each spike of the self-test.
fn self_test_spikes(network: &Deployed) -> Vec<(u32, u16)> {
    let mut memory = Memory::of(network);
    let mut noise = Noise::new(network.payload().self_test.seed, 0);
    let state = memory.start(network, &mut noise);
    let mut run = Run::new(network, state, noise, network.payload().clock);
    let mut spikes = Vec::new();
    while let Some(step) = run.step(|sample| network.self_test_input(sample)) {
        spikes.extend(run.state().fired().map(|unit| (step, unit as u16)));
    }
    spikes
}

/// The first steps of the self-test.
fn short_image(network: &Deployed, spikes: &[(u32, u16)]) -> Result<Image, Refusal> {
    let payload = network.payload();
    let steps = SHORT_STEPS.min(payload.clock.steps);
    let mut hash = SpikeHash::default();
    for (step, unit) in spikes.iter().take_while(|(step, _)| *step <= steps) {
        hash.add(*step, usize::from(*unit));
    }
    Image::of_first_steps(network, steps, hash.value())
}

/// The parameter file, which the top levels and the test benches include.
fn parameters(needs: &Needs) -> String {
    let sizes = &needs.sizes;
    let mut text = String::from("// The sizes of this network's memories.\n");
    for (name, value) in [
        ("ROW_BITS", sizes.row_bits as usize),
        ("TABLE_BITS", sizes.table_bits as usize),
        ("SYNAPSE_BITS", sizes.synapse_bits as usize),
        ("INPUT_BITS", sizes.input_bits as usize),
        ("STEP_BITS", sizes.step_bits as usize),
        ("IMAGE_BYTES", needs.image_bytes),
    ] {
        writeln!(text, "localparam {name} = {value};").expect("a string takes everything");
    }
    text
}

/// A byte a line, in hexadecimal.
pub fn hex(bytes: &[u8]) -> Vec<u8> {
    let lines = bytes.iter().map(|byte| format!("{byte:02x}\n"));
    lines.collect::<String>().into_bytes()
}

/// "STEP UNIT" a line.
fn lines(spikes: &[(u32, u16)]) -> Vec<u8> {
    let lines = spikes.iter().map(|(step, unit)| format!("{step} {unit}\n"));
    lines.collect::<String>().into_bytes()
}

impl Needs {
    fn new(network: &Deployed, image: &Image, spikes: &[(u32, u16)]) -> Self {
        let payload = network.payload();
        let (counts, sizes) = (*image.counts(), image.sizes());
        let trials = [spikes.to_vec()];
        let clocks = Clocks::of_trials(network, &trials, payload.clock.steps);
        let boards = Device::ALL.map(|device| {
            let blocks = device.blocks(&sizes);
            OnBoard {
                board: device.board,
                chip: device.chip,
                clock_hz: device.clock_hz,
                blocks,
                memories_fit: blocks.fit(),
                share_mean: device.share(clocks.mean, payload.step_ns),
                share_worst: device.share(clocks.worst as f64, payload.step_ns),
                largest_units: device.largest(|units| counts.with_units(units).sizes().ok()),
            }
        });
        Self {
            counts,
            sizes,
            memory_bits: sizes.memory_bits(),
            multipliers: MULTIPLIERS,
            image_bytes: image.bytes().len(),
            step_ms: f64::from(payload.step_ns) / 1e6,
            clocks,
            boards: boards.into(),
        }
    }
}
