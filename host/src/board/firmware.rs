//! The firmware that the program carries, or one from a file: checks that a board can run it,
//! and makes its image for the flash.

use std::io::Read;
use std::path::{Path, PathBuf};

use crc::{CRC_32_MPEG_2, Crc};
use flate2::read::GzDecoder;

use super::target::{Boot, Target};
use crate::formats::disk::{self, DiskError};
use crate::formats::elf::{Elf, ElfError, Machine, Segment};
use crate::formats::image::{ERASED, Image};

/// A firmware that its board can run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Firmware {
    /// The bytes for the flash; gaps hold the byte of erased flash.
    pub image: Image,
    /// Bytes of RAM for variables.
    pub static_ram: u32,
    /// Bytes of RAM that are left for the stack.
    pub stack_room: u32,
}

impl Firmware {
    /// The firmware in the file that was named, or the one that this program carries.
    ///
    /// # Errors
    /// If the file is not a firmware that the board can run.
    pub fn find(named: Option<&Path>, target: &Target) -> Result<Self, FirmwareError> {
        match named {
            Some(path) => Self::read(path, target),
            None => Ok(Self::carried(target)),
        }
    }

    /// The firmware that this program carries.
    pub fn carried(target: &Target) -> Self {
        let elf = Elf::from_bytes(&carried_elf(target)).expect("a test reads each of them");
        Self::new(elf, target).expect("a test reads each of them")
    }
}

/// The linked firmware that this program carries for a board. `.ci/firmware` makes them.
pub fn carried_elf(target: &Target) -> Vec<u8> {
    let packed: &[u8] = match target.package {
        "rp2040" => include_bytes!("../../firmware/rp2040.elf.gz"),
        "rp2350" => include_bytes!("../../firmware/rp2350.elf.gz"),
        "stm32f4" => include_bytes!("../../firmware/stm32f4.elf.gz"),
        other => unreachable!("{other} has no firmware"),
    };
    let mut elf = Vec::new();
    let mut unpacked = GzDecoder::new(packed);
    unpacked.read_to_end(&mut elf).expect("a whole file");
    elf
}

/// The reason why a firmware is not written to a board.
#[derive(Debug, thiserror::Error)]
pub enum FirmwareError {
    /// A file that cannot be read.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// A file that is no linked firmware.
    #[error("{path}: {source}; `cargo build --release` in firmware-example/{package} makes one")]
    Elf {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ElfError,
        /// The folder of the board's firmware.
        package: &'static str,
    },
    /// A firmware for another board.
    #[error(
        "{path}: {misfit}; `cargo build --release` in firmware-example/{package} makes the firmware of {board}"
    )]
    Misfit {
        /// The file.
        path: PathBuf,
        /// Why.
        misfit: Misfit,
        /// The folder of the board's firmware.
        package: &'static str,
        /// The board.
        board: &'static str,
    },
}

/// Why a firmware does not fit a board.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// The firmware is for another processor.
    #[error("the firmware is for {found}, and the chip is {wanted}")]
    Machine {
        /// The firmware's.
        found: Machine,
        /// The chip's.
        wanted: Machine,
    },
    /// The firmware needs a floating-point unit that the chip does not have.
    #[error("the firmware needs a floating-point unit, which the chip does not have")]
    Float,
    /// The file has no segment for the flash.
    #[error("no segment of it is loaded into flash")]
    Empty,
    /// A segment outside the flash.
    #[error(
        "segment {index} is {bytes} bytes for {address:#010x}{ram}, and the board's flash for the firmware is {first:#010x} to {last:#010x}"
    )]
    Range {
        /// The segment's place in the file, from 0.
        index: usize,
        /// Length in bytes.
        bytes: usize,
        /// Address of the first byte.
        address: u32,
        /// " in RAM" if the address is in RAM, else empty.
        ram: &'static str,
        /// First address of the flash.
        first: u32,
        /// Last address for the firmware.
        last: u32,
    },
    /// Two segments for the same addresses.
    #[error(
        "segments overlap: {first_bytes} bytes for {first:#010x} reach beyond {second:#010x}, where the next one begins"
    )]
    Overlap {
        /// Address of the first one.
        first: u32,
        /// Length in bytes.
        first_bytes: usize,
        /// Address of the second one.
        second: u32,
    },
    /// No segment at the address where the chip starts.
    #[error(
        "its first segment lies at {found:#010x}, and the chip starts at {wanted:#010x}, the beginning of its flash"
    )]
    Start {
        /// Address of the first segment.
        found: u32,
        /// The beginning of flash.
        wanted: u32,
    },
    /// Without a second boot stage.
    #[error(
        "it does not begin with a second boot stage and its check sum, without which an RP2040 does not start it"
    )]
    SecondStage,
    /// Without the definition of an image.
    #[error(
        "its first 4096 bytes hold no image definition for the RP2350, without which that chip does not start it"
    )]
    ImageDefinition,
    /// An entry point outside the firmware.
    #[error("its entry point {entry:#010x} lies in none of its segments")]
    Entry {
        /// The address.
        entry: u32,
    },
    /// An entry point in ARM code.
    #[error("its entry point {entry:#010x} is even: ARM code, and the chip runs Thumb code only")]
    Arm {
        /// The address.
        entry: u32,
    },
}

impl Firmware {
    /// Reads the firmware of `target`.
    ///
    /// # Errors
    /// If the file is no linked firmware, or one that the board cannot run.
    pub fn read(path: &Path, target: &Target) -> Result<Self, FirmwareError> {
        let bytes = disk::read(path)?;
        let elf = Elf::from_bytes(&bytes).map_err(|source| FirmwareError::Elf {
            path: path.into(),
            source,
            package: target.package,
        })?;
        Self::new(elf, target).map_err(|misfit| FirmwareError::Misfit {
            path: path.into(),
            misfit,
            package: target.package,
            board: target.name,
        })
    }

    /// The image of `elf` for the flash of `target`.
    ///
    /// # Errors
    /// If the board cannot run it.
    pub fn new(elf: Elf, target: &Target) -> Result<Self, Misfit> {
        if elf.machine != target.machine {
            return Err(Misfit::Machine {
                found: elf.machine,
                wanted: target.machine,
            });
        }
        for (index, segment) in elf.segments.iter().enumerate() {
            check_range(index, segment, target)?;
        }
        let mut segments = elf.segments;
        segments.sort_by_key(|segment| segment.address);
        check_order(&segments, target)?;
        check_entry(elf.entry, &segments, target)?;
        // All addresses are in the flash for the firmware, so that the image is no larger.
        let mut bytes = Vec::new();
        for segment in segments {
            let at = (segment.address - target.flash_address) as usize;
            bytes.resize(at, ERASED);
            bytes.extend(segment.bytes);
        }
        check_boot(&bytes, target.boot)?;
        if elf.hard_float && !target.float_unit {
            return Err(Misfit::Float);
        }
        Ok(Self {
            image: Image {
                address: target.flash_address,
                bytes,
            },
            static_ram: elf.static_ram,
            stack_room: elf.stack_room,
        })
    }
}

/// Checks what the boot ROM looks for in the image.
fn check_boot(image: &[u8], boot: Boot) -> Result<(), Misfit> {
    match boot {
        Boot::Vectors => Ok(()),
        Boot::SecondStage if has_second_stage(image) => Ok(()),
        Boot::SecondStage => Err(Misfit::SecondStage),
        Boot::ImageDefinition if has_image_definition(image) => Ok(()),
        Boot::ImageDefinition => Err(Misfit::ImageDefinition),
    }
}

/// Checks the CRC-32 of the first 252 bytes, which follows them (data sheet of the RP2040,
/// section 2.8.1.3.1).
fn has_second_stage(image: &[u8]) -> bool {
    const CODE_BYTES: usize = 252;
    let Some((code, rest)) = image.split_at_checked(CODE_BYTES) else {
        return false;
    };
    let checksum = Crc::<u32>::new(&CRC_32_MPEG_2).checksum(code);
    rest.starts_with(&checksum.to_le_bytes())
}

/// Looks for a block that begins with the definition of a program for the ARM processors of
/// an RP2350 (data sheet of the RP2350, section 5.9.5.1).
fn has_image_definition(image: &[u8]) -> bool {
    const SEARCHED_BYTES: usize = 4096;
    const BLOCK: [u8; 4] = 0xffff_ded3u32.to_le_bytes();
    /// An item of one word: the image's type.
    const IMAGE_TYPE: [u8; 2] = [0x42, 1];
    /// Bits of the type: an executable, the processor, the chip.
    const MASK: u16 = 0x770f;
    const ARM_ON_RP2350: u16 = 0x1001;
    let searched = image.get(..SEARCHED_BYTES).unwrap_or(image);
    let words: Vec<&[u8]> = searched.chunks_exact(4).collect();
    words.windows(2).any(|pair| {
        let kind = u16::from_le_bytes([pair[1][2], pair[1][3]]);
        pair[0] == BLOCK && pair[1].starts_with(&IMAGE_TYPE) && kind & MASK == ARM_ON_RP2350
    })
}

fn check_range(index: usize, segment: &Segment, target: &Target) -> Result<(), Misfit> {
    let end = u64::from(segment.address) + segment.bytes.len() as u64;
    let first = target.flash_address;
    let beyond = u64::from(first) + target.firmware_bytes as u64;
    if segment.address >= first && end <= beyond {
        return Ok(());
    }
    let ram = target.ram_address;
    let in_ram = u64::from(segment.address).wrapping_sub(ram.into()) < target.ram_bytes as u64;
    Err(Misfit::Range {
        index,
        bytes: segment.bytes.len(),
        address: segment.address,
        ram: if in_ram { " in RAM" } else { "" },
        first,
        last: (beyond - 1) as u32,
    })
}

/// Checks segments in the order of their addresses.
fn check_order(segments: &[Segment], target: &Target) -> Result<(), Misfit> {
    let Some(first) = segments.first() else {
        return Err(Misfit::Empty);
    };
    if first.address != target.flash_address {
        return Err(Misfit::Start {
            found: first.address,
            wanted: target.flash_address,
        });
    }
    for pair in segments.windows(2) {
        let (first, second) = (&pair[0], &pair[1]);
        if (second.address - first.address) as usize >= first.bytes.len() {
            continue;
        }
        return Err(Misfit::Overlap {
            first: first.address,
            first_bytes: first.bytes.len(),
            second: second.address,
        });
    }
    Ok(())
}

fn check_entry(entry: u32, segments: &[Segment], target: &Target) -> Result<(), Misfit> {
    let thumb = target.machine == Machine::Arm;
    if thumb && entry & 1 == 0 {
        return Err(Misfit::Arm { entry });
    }
    let at = if thumb { entry & !1 } else { entry };
    let holds = |segment: &Segment| {
        at.checked_sub(segment.address)
            .is_some_and(|offset| (offset as usize) < segment.bytes.len())
    };
    match segments.iter().any(holds) {
        true => Ok(()),
        false => Err(Misfit::Entry { entry }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOARD: Target = Target::RP2040;
    const FLASH: u32 = BOARD.flash_address;

    /// A segment; the first one of the flash begins with a second boot stage.
    fn segment(address: u32, bytes: usize) -> Segment {
        let mut bytes = vec![7; bytes];
        if address == FLASH {
            let checksum = Crc::<u32>::new(&CRC_32_MPEG_2).checksum(&[7; 252]);
            bytes[252..256].copy_from_slice(&checksum.to_le_bytes());
        }
        Segment { address, bytes }
    }

    fn elf(segments: &[Segment]) -> Elf {
        Elf {
            machine: Machine::Arm,
            hard_float: false,
            entry: FLASH + 0x101,
            segments: segments.to_vec(),
            static_ram: 100,
            stack_room: 200,
        }
    }

    fn misfit(elf: Elf) -> Misfit {
        Firmware::new(elf, &BOARD).expect_err("a refusal")
    }

    #[test]
    fn every_board_has_a_firmware_in_this_program_that_it_can_run() {
        for target in Target::ALL {
            let firmware = Firmware::carried(target);
            assert!(firmware.image.bytes.len() > 20_000, "{}", target.name);
            assert!(firmware.stack_room > 8192, "{}", target.name);
            for other in Target::ALL {
                let elf = Elf::from_bytes(&carried_elf(other)).expect("a firmware");
                let fits = Firmware::new(elf, target).is_ok();
                assert_eq!(fits, other.name == target.name, "{}", target.name);
            }
        }
    }

    #[test]
    fn no_firmware_in_this_program_names_a_path_of_the_machine_that_made_it() {
        for target in Target::ALL {
            let elf = carried_elf(target);
            for word in ["/home/", "/root/", "/tmp/", "/Users/", "registry/src"] {
                let found = elf.windows(word.len()).any(|part| part == word.as_bytes());
                assert!(!found, "{word} in the firmware of {}", target.name);
            }
        }
    }

    #[test]
    fn segments_become_one_image_with_erased_flash_between() {
        let parts = [segment(FLASH + 0x200, 16), segment(FLASH, 0x110)];
        let firmware = Firmware::new(elf(&parts), &BOARD).expect("it fits");
        assert_eq!(firmware.image.address, FLASH);
        assert_eq!(firmware.image.bytes.len(), 0x210);
        assert_eq!(firmware.image.bytes[0x10f..0x111], [7, ERASED]);
        assert_eq!(firmware.image.bytes[0x1ff..0x201], [ERASED, 7]);
    }

    #[test]
    fn the_whole_flash_for_the_firmware_may_be_used_and_no_byte_more() {
        let whole = [segment(FLASH, BOARD.firmware_bytes)];
        assert!(Firmware::new(elf(&whole), &BOARD).is_ok());
        let more = [segment(FLASH, BOARD.firmware_bytes + 1)];
        assert!(matches!(misfit(elf(&more)), Misfit::Range { .. }));
    }

    #[test]
    fn an_address_outside_the_flash_is_named_with_its_segment_and_the_range() {
        let first = segment(FLASH, 0x200);
        for (address, part) in [
            (0x2000_0000, "in RAM"),
            (0x0800_0000, "0x08000000"),
            (0xffff_fff0, "0xfffffff0"),
            (0, "0x00000000"),
            (BOARD.network_address, "0x10100000"),
        ] {
            let parts = [first.clone(), segment(address, 0x20)];
            let message = misfit(elf(&parts)).to_string();
            for part in ["segment 1", "32 bytes", part, "0x10000000 to 0x100fffff"] {
                assert!(message.contains(part), "{message}");
            }
        }
    }

    #[test]
    fn a_firmware_of_the_other_chip_of_the_family_is_refused() {
        let stage = elf(&[segment(FLASH, 0x2000)]);
        assert_eq!(
            Firmware::new(stage.clone(), &Target::RP2350),
            Err(Misfit::ImageDefinition)
        );
        let definition = |at: usize, kind: u16| {
            let mut elf = stage.clone();
            let words = [0xffff_ded3, u32::from(kind) << 16 | 0x142, 0x1ff];
            for (word, at) in words.into_iter().zip((at..).step_by(4)) {
                elf.segments[0].bytes[at..at + 4].copy_from_slice(&u32::to_le_bytes(word));
            }
            elf.segments[0].bytes[0] ^= 1;
            elf
        };
        let kinds = [
            (0x110, 0x1021, true),
            (4088, 0x1021, true),
            // Not in the first 4096 bytes, or for RISC-V, an RP2040, or no program.
            (4092, 0x1021, false),
            (0x110, 0x1121, false),
            (0x110, 0x0021, false),
            (0x110, 0x1022, false),
        ];
        for (at, kind, starts) in kinds {
            let found = Firmware::new(definition(at, kind), &Target::RP2350);
            assert_eq!(found.is_ok(), starts, "{kind:#06x} at {at}");
            assert_eq!(misfit(definition(at, kind)), Misfit::SecondStage);
        }
    }

    #[test]
    fn overlaps_a_wrong_start_and_another_processor_are_refused() {
        let overlap = [segment(FLASH, 0x200), segment(FLASH + 0x1ff, 4)];
        let message = misfit(elf(&overlap)).to_string();
        assert!(message.contains("0x100001ff"), "{message}");

        let later = elf(&[segment(FLASH + 0x100, 0x200)]);
        assert!(matches!(misfit(later), Misfit::Start { .. }));
        assert_eq!(misfit(elf(&[])), Misfit::Empty);

        let whole = elf(&[segment(FLASH, 0x200)]);
        let riscv = Elf {
            machine: Machine::RiscV,
            ..whole.clone()
        };
        assert!(misfit(riscv).to_string().contains("for RISC-V"));
        let float = Elf {
            hard_float: true,
            ..whole.clone()
        };
        assert_eq!(misfit(float), Misfit::Float);
        for (entry, part) in [
            (0x2000_0001, "0x20000001 lies in none"),
            (FLASH + 0x201, "0x10000201 lies in none"),
            (FLASH + 0x100, "is even"),
            (1, "0x00000001 lies in none"),
        ] {
            let message = misfit(Elf {
                entry,
                ..whole.clone()
            });
            assert!(message.to_string().contains(part), "{message}");
        }
    }
}
