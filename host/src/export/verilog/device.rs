//! The boards with an FPGA: their memories and clocks, and the largest network that fits.

use serde::Serialize;

use super::image::Sizes;

/// A board with an FPGA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Device {
    /// Name of the board.
    pub board: &'static str,
    /// Name of the chip.
    pub chip: &'static str,
    /// Clock of the logic, Hz.
    pub clock_hz: u32,
    /// Place of the network in the flash.
    pub flash_address: u32,
    /// Bytes of the flash from there on.
    pub flash_bytes: usize,
    /// Programs that make a bit stream.
    pub programs: &'static [&'static str],
    /// The target of a design's Makefile that places the design and prints its cells and
    /// its clock.
    pub placement: &'static str,
    /// The bit stream, as the Makefile of a design names it.
    pub bit_stream: &'static str,
    /// Bytes that every bit stream for the chip holds near its beginning.
    pub mark: [u8; 4],
    /// The program that writes the flash, and its options; address and file follow.
    pub programmer: &'static [&'static str],
    memory: Memory,
}

/// The memories of a chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Memory {
    /// Blocks of 4 kbit, and large single-port blocks of 16,384 words of 16 bits.
    Ice40 { blocks: usize, large: usize },
    /// Blocks of 18 kbit.
    Ecp5 { blocks: usize },
}

/// The blocks of memory that a network takes on a board, and the blocks that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Blocks {
    /// Blocks of memory.
    pub blocks: usize,
    /// Blocks of the chip.
    pub blocks_room: usize,
    /// Large blocks of memory.
    pub large: usize,
    /// Large blocks of the chip.
    pub large_room: usize,
}

impl Blocks {
    /// Whether the chip has as many.
    pub fn fit(&self) -> bool {
        self.blocks <= self.blocks_room && self.large <= self.large_room
    }
}

/// Bits of a step's number in `refractory.v`, and its flag.
const WAITING_BITS: usize = 16;

impl Device {
    /// The iCEBreaker.
    pub const ICEBREAKER: Self = Self {
        board: "icebreaker",
        chip: "iCE40UP5K",
        clock_hz: 18_000_000,
        flash_address: 0x10_0000,
        flash_bytes: 15 << 20,
        programs: &["make", "yosys", "nextpnr-ice40", "icepack"],
        placement: "ice40",
        bit_stream: "build/icebreaker.bin",
        mark: [0x7e, 0xaa, 0x99, 0x7e],
        programmer: &["iceprog", "-o"],
        memory: Memory::Ice40 {
            blocks: 30,
            large: 4,
        },
    };

    /// The ULX3S with the smallest chip.
    pub const ULX3S: Self = Self {
        board: "ulx3s",
        chip: "ECP5-25F",
        clock_hz: 25_000_000,
        flash_address: 0x20_0000,
        flash_bytes: 2 << 20,
        programs: &["make", "yosys", "nextpnr-ecp5", "ecppack"],
        placement: "ulx3s",
        bit_stream: "build/ulx3s.bit",
        mark: [0xff, 0xff, 0xbd, 0xb3],
        programmer: &["openFPGALoader", "-b", "ulx3s", "-f", "-o"],
        memory: Memory::Ecp5 { blocks: 56 },
    };

    /// All boards.
    pub const ALL: [Self; 2] = [Self::ICEBREAKER, Self::ULX3S];

    /// The blocks of memory that a network of these sizes takes.
    pub fn blocks(&self, sizes: &Sizes) -> Blocks {
        let row_bits = sizes.row_bits as usize;
        // h, s, v; drives, decays, gains, refractory times, spikes of a step; limits.
        let small =
            [32, 32, 32, 16, 16, 16, WAITING_BITS, row_bits].map(|width| (sizes.row_bits, width));
        let large = [sizes.table_bits, sizes.synapse_bits, sizes.input_bits];
        match self.memory {
            Memory::Ice40 {
                blocks: blocks_room,
                large: large_room,
            } => Blocks {
                blocks: small
                    .map(|(bits, width)| ice40(bits, width))
                    .iter()
                    .sum::<usize>()
                    + 1,
                blocks_room,
                large: large.map(|bits| 1 << bits.saturating_sub(14)).iter().sum(),
                large_room,
            },
            Memory::Ecp5 { blocks } => Blocks {
                blocks: small
                    .map(|(bits, width)| ecp5(bits, width))
                    .iter()
                    .sum::<usize>()
                    + large.map(|bits| ecp5(bits, 16)).iter().sum::<usize>(),
                blocks_room: blocks,
                large: 0,
                large_room: 0,
            },
        }
    }

    /// Units of the largest network that fits, where `sizes` gives the sizes of a network
    /// of that many units.
    pub fn largest(&self, sizes: impl Fn(usize) -> Option<Sizes>) -> usize {
        let fits = |units: &usize| sizes(*units).is_some_and(|sizes| self.blocks(&sizes).fit());
        (1..4096).rev().find(fits).unwrap_or(0)
    }

    /// Share of the clock that steps of `clocks` clocks take.
    pub fn share(&self, clocks: f64, step_ns: u32) -> f64 {
        clocks * 1e9 / (f64::from(step_ns) * f64::from(self.clock_hz))
    }
}

/// Blocks of 4 kbit for 2^`bits` words: 256 × 16, 512 × 8, 1024 × 4, 2048 × 2.
fn ice40(bits: u32, width: usize) -> usize {
    let words = 1usize << bits;
    let word_bits = (4096 / words.max(256)).max(1);
    width.div_ceil(word_bits) * words.div_ceil(4096 / word_bits)
}

/// Blocks of 18 kbit for 2^`bits` words: 512 × 36, 1024 × 18, 2048 × 9 and narrower.
fn ecp5(bits: u32, width: usize) -> usize {
    let words = 1usize << bits;
    let (word_bits, depth) = match words {
        0..=512 => (36, 512),
        513..=1024 => (18, 1024),
        1025..=2048 => (9, 2048),
        2049..=4096 => (4, 4096),
        4097..=8192 => (2, 8192),
        _ => (1, 16384),
    };
    width.div_ceil(word_bits) * words.div_ceil(depth)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GO_NOGO: Sizes = Sizes {
        row_bits: 8,
        table_bits: 11,
        synapse_bits: 13,
        input_bits: 8,
        step_bits: 20,
    };

    #[test]
    fn the_blocks_are_those_that_yosys_counts() {
        let blocks = Device::ICEBREAKER.blocks(&GO_NOGO);
        assert_eq!((blocks.blocks, blocks.large), (12, 3));
        let larger = Sizes {
            row_bits: 9,
            synapse_bits: 15,
            ..GO_NOGO
        };
        assert!(Device::ICEBREAKER.blocks(&larger).fit());
        let too_large = Sizes {
            row_bits: 10,
            ..GO_NOGO
        };
        assert!(!Device::ICEBREAKER.blocks(&too_large).fit());
    }

    #[test]
    fn the_largest_network_fits_and_the_next_one_does_not() {
        let sizes = |units: usize| {
            Some(Sizes {
                row_bits: units.next_power_of_two().trailing_zeros(),
                ..GO_NOGO
            })
        };
        assert_eq!(Device::ICEBREAKER.largest(sizes), 512);
        assert_eq!(Device::ICEBREAKER.largest(|_| None), 0);
    }
}
