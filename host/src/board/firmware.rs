//! Checks that a board can run a linked firmware, and makes its image for the flash.

use std::path::{Path, PathBuf};

use super::target::Target;
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
    /// The firmware in the file that was named, or the one that `cargo build` made; `None`
    /// if neither exists.
    ///
    /// # Errors
    /// If the file is not a firmware that the board can run.
    pub fn find(named: Option<&Path>, target: &Target) -> Result<Option<Self>, FirmwareError> {
        let path = named.map(PathBuf::from).or_else(|| built(target));
        path.map(|path| Self::read(&path, target)).transpose()
    }
}

/// The firmware that `cargo build` made. It is looked for in the folder that
/// `CARGO_TARGET_DIR` names, else in `firmware-example/target` of each folder at or above
/// the working folder and the folder of this program, and at last of the sources from which
/// this program was built.
fn built(target: &Target) -> Option<PathBuf> {
    let file = target.firmware_file();
    if let Some(folder) = std::env::var_os("CARGO_TARGET_DIR") {
        return Some(PathBuf::from(folder).join(file)).filter(|path| path.is_file());
    }
    let here = std::env::current_dir().ok();
    let program = std::env::current_exe().ok();
    let sources = Some(PathBuf::from(env!("CARGO_MANIFEST_DIR")));
    [here, program, sources].iter().flatten().find_map(|place| {
        let sources = place
            .ancestors()
            .map(|folder| folder.join("firmware-example/target"));
        sources
            .map(|folder| folder.join(&file))
            .find(|path| path.is_file())
    })
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
        check_machine(&elf, target)?;
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

fn check_machine(elf: &Elf, target: &Target) -> Result<(), Misfit> {
    if elf.machine != target.machine {
        return Err(Misfit::Machine {
            found: elf.machine,
            wanted: target.machine,
        });
    }
    match elf.hard_float && !target.float_unit {
        true => Err(Misfit::Float),
        false => Ok(()),
    }
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

    fn segment(address: u32, bytes: usize) -> Segment {
        Segment {
            address,
            bytes: vec![7; bytes],
        }
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
