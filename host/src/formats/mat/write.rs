//! From variables to bytes, little-endian.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::error::MatError;
use super::format::{
    ALIGNMENT, HEADER_BYTES, LEVEL_5, LOGICAL, SMALL_BYTES, SUBSYSTEM_AT, TAG_BYTES, VERSION_AT,
    code_and_type, data_type,
};
use super::value::{Array, Class, Contents, Unsupported, Value};

/// The header's text. MATLAB goes by its first words; without a time or a
/// platform, equal variables give equal files.
const TEXT: &[u8] = b"MATLAB 5.0 MAT-file, written by rate2spike";

/// The longest name that MATLAB accepts.
const NAME_BYTES: usize = 63;

/// Whether arrays are compressed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    Plain,
    Compressed,
}

/// Writes a whole file.
pub fn file(file: &Contents, packing: Packing) -> Result<Vec<u8>, MatError> {
    let mut bytes = header();
    for (name, value) in &file.variables {
        if name.is_empty() || name.len() > NAME_BYTES || !name.is_ascii() {
            return Err(MatError::Name { name: name.into() });
        }
        bytes.extend(variable(name, value, packing)?);
    }
    if let Some(data) = &file.subsystem {
        let offset = bytes.len() as u64;
        bytes[SUBSYSTEM_AT..VERSION_AT].copy_from_slice(&offset.to_le_bytes());
        bytes.extend(variable("", &Value::Unsupported(data.clone()), packing)?);
    }
    Ok(bytes)
}

/// The text, blanks, no subsystem data, the version, and "MI" as a
/// little-endian number.
pub fn header() -> Vec<u8> {
    let mut bytes = TEXT.to_vec();
    bytes.resize(SUBSYSTEM_AT, b' ');
    bytes.resize(VERSION_AT, 0);
    bytes.extend(LEVEL_5.to_le_bytes());
    bytes.extend(b"IM");
    debug_assert_eq!(bytes.len(), HEADER_BYTES);
    bytes
}

/// A variable as an element of the file.
fn variable(name: &str, value: &Value, packing: Packing) -> Result<Vec<u8>, MatError> {
    let array = match value {
        Value::Array(array) => full_array(name, array),
        Value::Unsupported(data) if data.big_endian => {
            return Err(MatError::BigEndian {
                name: name.into(),
                kind: data.kind,
            });
        }
        Value::Unsupported(data) => carried(name, data),
    };
    array
        .and_then(|array| element(data_type::MATRIX, &array))
        .and_then(|array| match packing {
            Packing::Plain => Some(array),
            Packing::Compressed => element(data_type::COMPRESSED, &deflate(&array)),
        })
        .ok_or_else(|| MatError::TooLarge { name: name.into() })
}

/// Class and flags, dimensions, name, data. `None` if a size is too large.
fn full_array(name: &str, array: &Array) -> Option<Vec<u8>> {
    let class = array.class();
    let (_, data_type) = code_and_type(class);
    let mut bytes = array_head(name, class, array.dims())?;
    bytes.extend(part(data_type, &array.elements().to_le_bytes())?);
    Some(bytes)
}

/// Class and flags, dimensions, name. `None` if a size is too large.
pub fn array_head(name: &str, class: Class, sizes: &[usize]) -> Option<Vec<u8>> {
    let (code, _) = code_and_type(class);
    let flags = match class {
        Class::Logical => LOGICAL,
        _ => 0,
    };
    let mut dims = Vec::new();
    for &dim in sizes {
        dims.extend(i32::try_from(dim).ok()?.to_le_bytes());
    }
    let mut bytes = Vec::new();
    bytes.extend(part(data_type::UINT32, &[code, flags, 0, 0, 0, 0, 0, 0])?);
    bytes.extend(part(data_type::INT32, &dims)?);
    bytes.extend(part(data_type::INT8, name.as_bytes())?);
    Some(bytes)
}

/// An array that was not understood, around its name.
fn carried(name: &str, data: &Unsupported) -> Option<Vec<u8>> {
    let name = part(data_type::INT8, name.as_bytes())?;
    Some([&data.head[..], &name, &data.tail].concat())
}

/// An element inside an array: small if it can be, else padded.
fn part(data_type: u32, data: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = match data.len() {
        length @ 1..=SMALL_BYTES => {
            let word = data_type | (length as u32) << 16;
            [&word.to_le_bytes(), data].concat()
        }
        _ => element(data_type, data)?,
    };
    bytes.resize(bytes.len().next_multiple_of(ALIGNMENT), 0);
    Some(bytes)
}

/// Type, length, data. `None` if the length does not fit.
fn element(data_type: u32, data: &[u8]) -> Option<Vec<u8>> {
    let length = u32::try_from(data.len()).ok()?;
    let mut bytes = Vec::with_capacity(data.len() + TAG_BYTES);
    bytes.extend(data_type.to_le_bytes());
    bytes.extend(length.to_le_bytes());
    bytes.extend(data);
    Some(bytes)
}

fn deflate(array: &[u8]) -> Vec<u8> {
    let mut stream = ZlibEncoder::new(Vec::new(), Compression::default());
    stream
        .write_all(array)
        .and_then(|()| stream.finish())
        .expect("writing to memory does not fail")
}
