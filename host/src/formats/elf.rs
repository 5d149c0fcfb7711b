//! A linked firmware (ELF, 32 bits), as it stands in its file. Whether it fits a
//! board is for [`crate::board::firmware`].

use object::elf::{EF_ARM_ABI_FLOAT_HARD, EM_ARM, EM_RISCV, ET_EXEC, PT_LOAD};
use object::read::elf::{ElfFile32, FileHeader, ProgramHeader};
use object::{Endianness, Object, ObjectSection, ObjectSymbol};

use super::kind;

/// The processor that a firmware is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Machine {
    /// ARM of 32 bits.
    Arm,
    /// RISC-V of 32 bits.
    RiscV,
    /// Another one, by its number in ELF.
    Other(u16),
}

impl std::fmt::Display for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            Machine::Arm => write!(f, "ARM"),
            Machine::RiscV => write!(f, "RISC-V"),
            Machine::Other(number) => write!(f, "machine {number} of the ELF list"),
        }
    }
}

/// A part that is loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Address in flash of the first byte.
    pub address: u32,
    /// The bytes; at least one.
    pub bytes: Vec<u8>,
}

/// A linked firmware.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elf {
    /// The processor.
    pub machine: Machine,
    /// Whether it needs a floating-point unit (ARM).
    pub hard_float: bool,
    /// Address of the first instruction; odd for Thumb.
    pub entry: u32,
    /// The parts that are loaded, in the order of the file.
    pub segments: Vec<Segment>,
    /// Bytes of RAM for variables, set or zero.
    pub static_ram: u32,
    /// Bytes of RAM that are left for the stack; 0 if the file does not say.
    pub stack_room: u32,
}

/// A file that is no linked firmware.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum ElfError {
    /// A file of another kind.
    #[error("this is {0} and not a linked firmware (ELF, 32 bits)")]
    Kind(&'static str),
    /// A program of 64 bits.
    #[error("this is a program of 64 bits and not a linked firmware (ELF, 32 bits)")]
    Wide,
    /// Big-endian.
    #[error("the firmware is big-endian, and the boards are little-endian")]
    BigEndian,
    /// An object file or a library.
    #[error("this is not a linked firmware, but an object file or a library (ELF type {0})")]
    NotLinked(u16),
    /// A damaged file.
    #[error("the firmware is damaged: {0}")]
    Damaged(object::Error),
    /// A segment whose bytes are not all in the file.
    #[error("the firmware is damaged: the bytes of the segment for {0:#010x} are not in the file")]
    Cut(u32),
}

impl Elf {
    /// The firmware in the bytes of a file. Memory stays in proportion to them.
    ///
    /// # Errors
    /// If the file is no ELF file of 32 bits, not linked, or damaged.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ElfError> {
        /// Place of the byte that tells 32 from 64 bits, and its value for 64.
        const CLASS_AT: usize = 4;
        const WIDE: u8 = 2;
        if !bytes.starts_with(b"\x7fELF") {
            return Err(ElfError::Kind(kind::name(bytes)));
        }
        if bytes.get(CLASS_AT) == Some(&WIDE) {
            return Err(ElfError::Wide);
        }
        let file = ElfFile32::<Endianness>::parse(bytes).map_err(ElfError::Damaged)?;
        let (header, endian) = (file.elf_header(), file.endian());
        if endian == Endianness::Big {
            return Err(ElfError::BigEndian);
        }
        if header.e_type(endian) != ET_EXEC {
            return Err(ElfError::NotLinked(header.e_type(endian).0));
        }
        let machine = match header.e_machine(endian) {
            EM_ARM => Machine::Arm,
            EM_RISCV => Machine::RiscV,
            other => Machine::Other(other.0),
        };
        Ok(Self {
            machine,
            hard_float: machine == Machine::Arm
                && header.e_flags(endian).0 & EF_ARM_ABI_FLOAT_HARD != 0,
            entry: header.e_entry(endian),
            segments: segments(&file, bytes)?,
            static_ram: static_ram(&file),
            stack_room: stack_room(&file),
        })
    }
}

fn segments(file: &ElfFile32, bytes: &[u8]) -> Result<Vec<Segment>, ElfError> {
    let endian = file.endian();
    let headers = file.elf_header().program_headers(endian, bytes);
    let headers = headers.map_err(ElfError::Damaged)?;
    let mut segments = Vec::new();
    // Bytes that a damaged file names again and again are not copied each time.
    let mut room = bytes.len();
    for header in headers {
        if header.p_type(endian) != PT_LOAD {
            continue;
        }
        let address = header.p_paddr(endian);
        let content = header.data(endian, bytes);
        let content = content.map_err(|()| ElfError::Cut(address))?;
        if content.is_empty() {
            continue;
        }
        room = room
            .checked_sub(content.len())
            .ok_or(ElfError::Cut(address))?;
        segments.push(Segment {
            address,
            bytes: content.to_vec(),
        });
    }
    Ok(segments)
}

/// First address of a Cortex-M's RAM.
const RAM: u64 = 0x2000_0000;

/// Sections that take RAM from the start.
fn static_ram(file: &ElfFile32) -> u32 {
    let sections = file.sections();
    let ram = sections.filter(|section| section.address() >= RAM);
    ram.fold(0, |sum: u32, section| {
        sum.saturating_add(u32::try_from(section.size()).unwrap_or(u32::MAX))
    })
}

/// From the end of the variables to the stack's start, as cortex-m-rt's linker
/// script names them; 0 where it does not.
fn stack_room(file: &ElfFile32) -> u32 {
    let symbol = |name: &str| {
        file.symbols()
            .find(|symbol| symbol.name() == Ok(name))
            .map(|symbol| symbol.address() as u32)
    };
    match (symbol("_stack_start"), symbol("_stack_end")) {
        (Some(start), Some(end)) => start.saturating_sub(end),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Executable, for ARM, with one segment of 16 bytes for 0x1000_0000.
    fn file() -> Vec<u8> {
        let half = |value: u16| value.to_le_bytes().to_vec();
        let word = |value: u32| value.to_le_bytes().to_vec();
        let mut file = b"\x7fELF\x01\x01\x01".to_vec();
        file.resize(16, 0);
        file.extend([half(2), half(40)].concat());
        file.extend([1, 0x1000_0001, 52, 0, 0x0500_0400].map(word).concat());
        file.extend([52, 32, 1, 40, 0, 0].map(half).concat());
        let segment = [1, 84, 0x1000_0000, 0x1000_0000, 16, 16, 5, 4];
        file.extend(segment.map(word).concat());
        file.extend([7; 16]);
        file
    }

    #[test]
    fn machine_float_unit_entry_and_segments_are_read() {
        let elf = Elf::from_bytes(&file()).expect("a firmware");
        assert_eq!((elf.machine, elf.hard_float), (Machine::Arm, true));
        assert_eq!(elf.entry, 0x1000_0001);
        let segment = Segment {
            address: 0x1000_0000,
            bytes: vec![7; 16],
        };
        assert_eq!(elf.segments, [segment]);
    }

    #[test]
    fn what_is_no_linked_firmware_is_called_by_its_name() {
        type Change = fn(&mut Vec<u8>);
        let cases: [(Change, &str); 6] = [
            (|file| file[4] = 2, "64 bits"),
            (|file| file[16] = 1, "an object file"),
            (|file| file.truncate(90), "0x10000000"),
            (|file| file.truncate(40), "damaged"),
            (|file| *file = b"UF2\n".to_vec(), "a UF2 image"),
            (|file| file.clear(), "an empty file"),
        ];
        for (change, part) in cases {
            let mut bytes = file();
            change(&mut bytes);
            let error = Elf::from_bytes(&bytes).expect_err("a refusal").to_string();
            assert!(error.contains(part), "no '{part}' in {error}");
        }
    }

    #[test]
    fn no_changed_byte_and_no_cut_makes_it_panic() {
        let whole = file();
        for at in 0..whole.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut bytes = whole.clone();
                bytes[at] = value;
                if let Ok(elf) = Elf::from_bytes(&bytes) {
                    let held: usize = elf.segments.iter().map(|part| part.bytes.len()).sum();
                    assert!(held <= bytes.len());
                }
            }
            let _ = Elf::from_bytes(&whole[..at]);
        }
    }
}
