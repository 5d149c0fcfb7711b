//! Images for a microcontroller's flash, written as `bin`, Intel `hex` or `uf2`.
//!
//! UF2 is what the boot ROMs of RP2040 and RP2350 take as a drive: blocks of 512 bytes with
//! 256 bytes of content each, every one with its address. The boot ROM erases
//! by block numbers, so that parts begin on multiples of 4 KiB, have no gaps,
//! and in a file of several parts each begins with a block number divisible by
//! 16.

use ihex::Record;

/// Bytes, and their address in flash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Address of the first byte.
    pub address: u32,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// Format of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ImageFormat {
    /// The bytes of the flash
    Bin,
    /// Intel hex
    Hex,
    /// Blocks for the boot ROM of a Pico or a Pico 2
    Uf2,
}

impl ImageFormat {
    /// The ending of a file's name.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Bin => "bin",
            Self::Hex => "hex",
            Self::Uf2 => "uf2",
        }
    }

    /// The bytes of a file with these images, for a chip of this UF2 family, if it has one.
    pub fn bytes(self, images: &[Image], family: Option<Uf2Family>) -> Vec<u8> {
        match self {
            Self::Bin => bin(images),
            Self::Hex => hex(images).into_bytes(),
            Self::Uf2 => uf2(
                images,
                family.expect("asked for where a chip takes UF2 only"),
            ),
        }
    }
}

/// True if a file begins with the same eight bytes as a new image. These bytes are the
/// marks of UF2, of the first record of a hex file, and of a network or a firmware.
pub fn is_same_kind(found: &[u8], new: &[u8]) -> bool {
    found.starts_with(&new[..new.len().min(8)])
}

/// A byte of erased flash.
pub const ERASED: u8 = 0xff;

/// The images as one `bin`, from the first one's address on.
pub fn bin(images: &[Image]) -> Vec<u8> {
    let first = images.first().map_or(0, |image| image.address);
    let mut bytes = Vec::new();
    for image in images {
        bytes.resize((image.address - first) as usize, ERASED);
        bytes.extend_from_slice(&image.bytes);
    }
    bytes
}

/// Bytes of a record of a `hex` file.
const HEX_RECORD: usize = 16;

/// The images as Intel hex.
pub fn hex(images: &[Image]) -> String {
    let mut records = Vec::new();
    for image in images {
        let mut upper = None;
        for (value, address) in records_of(image) {
            if upper != Some(address >> 16) {
                upper = Some(address >> 16);
                records.push(Record::ExtendedLinearAddress((address >> 16) as u16));
            }
            let offset = address as u16;
            records.push(Record::Data { offset, value });
        }
    }
    records.push(Record::EndOfFile);
    let mut text = ihex::create_object_file_representation(&records)
        .expect("records of 16 bytes, one end of file");
    text.push('\n');
    text
}

/// Records that do not cross a boundary of 64 KiB, with their addresses.
fn records_of(image: &Image) -> impl Iterator<Item = (Vec<u8>, u32)> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let address = image.address + at as u32;
        let room = HEX_RECORD - address as usize % HEX_RECORD;
        let rest = image.bytes.get(at..).filter(|rest| !rest.is_empty())?;
        let record = &rest[..rest.len().min(room)];
        at += record.len();
        Some((record.to_vec(), address))
    })
}

/// Chip family in a UF2 file, by which a boot ROM knows what is meant for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uf2Family {
    /// RP2040.
    Rp2040,
    /// RP2350, programs for its ARM processors in the secure state.
    Rp2350,
}

impl Uf2Family {
    /// The number in the file.
    pub fn number(self) -> u32 {
        match self {
            Self::Rp2040 => 0xe48b_ff56,
            Self::Rp2350 => 0xe48b_ff59,
        }
    }
}

/// Bytes of content in a UF2 block, and of the block.
const UF2_CONTENT: usize = 256;
const UF2_BLOCK: usize = 512;

/// Blocks of a sector that the boot ROM erases.
const UF2_SECTOR: usize = 16;

/// The images as UF2. Every image must begin on a multiple of 4 KiB.
pub fn uf2(images: &[Image], family: Uf2Family) -> Vec<u8> {
    let blocks: Vec<(u32, Vec<u8>)> = images.iter().flat_map(uf2_contents).collect();
    let count = blocks.len() as u32;
    let mut bytes = Vec::with_capacity(blocks.len() * UF2_BLOCK);
    for ((address, content), number) in blocks.into_iter().zip(0u32..) {
        let familiar = 0x2000u32;
        let head = [
            0x0a32_4655,
            0x9e5d_5157,
            familiar,
            address,
            UF2_CONTENT as u32,
            number,
            count,
            family.number(),
        ];
        let start = bytes.len();
        bytes.extend(head.iter().flat_map(|word| word.to_le_bytes()));
        bytes.extend(content);
        bytes.resize(start + UF2_BLOCK - 4, 0);
        bytes.extend(0x0ab1_6f30u32.to_le_bytes());
    }
    bytes
}

/// Address and content of an image's blocks, whole sectors of them.
fn uf2_contents(image: &Image) -> Vec<(u32, Vec<u8>)> {
    let mut bytes = image.bytes.clone();
    bytes.resize(
        bytes.len().next_multiple_of(UF2_CONTENT * UF2_SECTOR),
        ERASED,
    );
    bytes
        .chunks_exact(UF2_CONTENT)
        .zip(0u32..)
        .map(|(content, k)| (image.address + k * UF2_CONTENT as u32, content.to_vec()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images() -> [Image; 2] {
        [
            Image {
                address: 0x1000_0000,
                bytes: (0..5000).map(|k| k as u8).collect(),
            },
            Image {
                address: 0x1010_0000,
                bytes: vec![7; 70_000],
            },
        ]
    }

    /// Writes what `parts` say into flash that is erased.
    fn flashed(parts: impl Iterator<Item = (u32, Vec<u8>)>) -> Vec<u8> {
        let mut flash = vec![ERASED; 0x20_0000];
        for (address, bytes) in parts {
            let at = (address - 0x1000_0000) as usize;
            flash[at..at + bytes.len()].copy_from_slice(&bytes);
        }
        flash
    }

    #[test]
    fn all_formats_put_the_same_bytes_into_flash() {
        let images = images();
        let wanted = flashed(images.iter().map(|i| (i.address, i.bytes.clone())));
        assert_eq!(
            flashed([(images[0].address, bin(&images))].into_iter()),
            wanted
        );
        let mut upper = 0;
        let text = hex(&images);
        let records = ihex::Reader::new(&text).filter_map(|record| match record {
            Ok(Record::Data { offset, value }) => Some((upper | u32::from(offset), value)),
            Ok(Record::ExtendedLinearAddress(address)) => {
                upper = u32::from(address) << 16;
                None
            }
            Ok(Record::EndOfFile) => None,
            other => panic!("{other:?}"),
        });
        assert_eq!(flashed(records), wanted);
        let file = uf2(&images, Uf2Family::Rp2040);
        let word = |block: &[u8], k: usize| {
            u32::from_le_bytes(block[4 * k..4 * k + 4].try_into().expect("four bytes"))
        };
        let blocks = file.chunks_exact(UF2_BLOCK);
        let contents = blocks.map(|b| (word(b, 3), b[32..32 + UF2_CONTENT].to_vec()));
        assert_eq!(flashed(contents), wanted);
    }

    #[test]
    fn uf2_blocks_are_what_the_boot_rom_wants() {
        for (family, number) in [
            (Uf2Family::Rp2040, 0xe48b_ff56),
            (Uf2Family::Rp2350, 0xe48b_ff59),
        ] {
            check_blocks(&uf2(&images(), family), number);
        }
    }

    fn check_blocks(file: &[u8], family: u32) {
        let count = file.len() / UF2_BLOCK;
        for (number, block) in file.chunks_exact(UF2_BLOCK).enumerate() {
            let word = |k: usize| {
                u32::from_le_bytes(block[4 * k..4 * k + 4].try_into().expect("four bytes"))
            };
            assert_eq!((word(0), word(1)), (0x0a32_4655, 0x9e5d_5157));
            assert_eq!((word(2), word(7)), (0x2000, family));
            assert_eq!((word(5), word(6)), (number as u32, count as u32));
            assert_eq!(word(127), 0x0ab1_6f30);
            // A sector is erased when its first block arrives.
            assert_eq!(word(3) % 4096, (number % UF2_SECTOR * UF2_CONTENT) as u32);
        }
    }
}
