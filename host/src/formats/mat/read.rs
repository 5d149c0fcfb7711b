//! From bytes to variables.
//!
//! The bytes may be anything: every length is checked against the bytes that are
//! there before it is used, and no memory is reserved for a length that the file
//! only claims.

use std::borrow::Cow;
use std::io::Read;

use flate2::read::ZlibDecoder;
use rate2spike_core::blob;

use super::super::kind;
use super::error::{Fault, MatError};
use super::format::{
    ALIGNMENT, COMPLEX, HEADER_BYTES, LEVEL_5, LEVEL_7_3, LOGICAL, SMALL_BYTES, TAG_BYTES,
    VERSION_AT, class_code, class_of, data_type,
};
use super::value::{Array, Class, Contents, Elements, Unsupported, UnsupportedKind, Value};

/// The first bytes of every HDF5 file; MATLAB puts a header of 512 bytes before
/// them.
const HDF5: &[u8] = b"\x89HDF\r\n\x1a\n";

/// Reads a whole file.
pub fn file(bytes: &[u8]) -> Result<Contents, MatError> {
    let order = byte_order(bytes)?;
    let mut file = Contents::default();
    let mut allowance = allowance(bytes.len());
    let mut offset = HEADER_BYTES;
    while offset < bytes.len() {
        let mut parts = Parts::new(&bytes[offset..], order);
        let damaged = |name, fault| MatError::Element {
            offset,
            name,
            fault,
        };
        let array = parts
            .array(&mut allowance)
            .map_err(|fault| damaged(None, fault))?;
        let (name, value) = variable(&array, order).map_err(|(name, f)| damaged(name, f))?;
        match value {
            Value::Unsupported(data) if name.is_empty() => file.subsystem = Some(data),
            value => file.variables.push((name, value)),
        }
        offset += parts.at;
    }
    Ok(file)
}

/// Bytes that the compressed arrays of a file may inflate to, together.
/// Networks and their traces are noise that hardly compresses; zlib can make a
/// thousand bytes of one.
fn allowance(file_bytes: usize) -> usize {
    file_bytes.saturating_mul(64).saturating_add(64 << 20)
}

/// Reads the header. Its last two bytes are "MI" in the order of the file.
fn byte_order(bytes: &[u8]) -> Result<ByteOrder, MatError> {
    if bytes.get(512..).is_some_and(|b| b.starts_with(HDF5)) {
        return Err(MatError::Level73);
    }
    let version = match bytes.get(VERSION_AT..HEADER_BYTES) {
        Some(&[a, b, b'I', b'M']) => Some((ByteOrder::Little, u16::from_le_bytes([a, b]))),
        Some(&[a, b, b'M', b'I']) => Some((ByteOrder::Big, u16::from_be_bytes([a, b]))),
        _ => None,
    };
    match version {
        Some((order, LEVEL_5)) => Ok(order),
        Some((_, LEVEL_7_3)) => Err(MatError::Level73),
        _ if bytes.starts_with(b"MATLAB") && bytes.len() < HEADER_BYTES => {
            Err(MatError::TruncatedHeader {
                length: bytes.len(),
            })
        }
        _ if bytes.starts_with(b"MATLAB 5.0") => {
            let end = bytes.get(VERSION_AT..HEADER_BYTES).unwrap_or_default();
            Err(MatError::Header(end.try_into().unwrap_or_default()))
        }
        _ if bytes.starts_with(&blob::MAGIC) => Err(MatError::Deployed),
        _ if is_level_4(bytes) => Err(MatError::Level4),
        _ => Err(MatError::Kind(kind::name(bytes))),
    }
}

/// Whether a file begins as one of level 4: the digits M0PT of its type (machine,
/// precision, kind), rows, columns, 1 for complex, and the length of a name.
fn is_level_4(bytes: &[u8]) -> bool {
    /// Longer than every name of level 4, the zero at its end included.
    const MOST_NAME: u32 = 256;
    let Some((words, _)) = bytes.first_chunk::<20>().map(|head| head.as_chunks::<4>()) else {
        return false;
    };
    [ByteOrder::Little, ByteOrder::Big].iter().any(|order| {
        let [kind, _, _, complex, name] = [0, 1, 2, 3, 4].map(|k| order.word(words[k]));
        let digits = [kind / 1000, kind / 100 % 10, kind / 10 % 10, kind % 10];
        matches!(digits, [0..=4, 0, 0..=5, 0..=2])
            && complex <= 1
            && (1..=MOST_NAME).contains(&name)
    })
}

/// Reads an array, given without its tag: class and flags, dimensions, name,
/// data. An error comes with the name, if it could be read.
fn variable(array: &[u8], order: ByteOrder) -> Result<(String, Value), (Option<String>, Fault)> {
    let mut parts = Parts::new(array, order);
    let label = Label::read(&mut parts).map_err(|fault| (None, fault))?;
    let tail = parts.rest();
    let carried = |kind| {
        Value::Unsupported(Unsupported {
            kind,
            head: array[..label.name_at].to_vec(),
            tail: tail.to_vec(),
            big_endian: order == ByteOrder::Big,
        })
    };
    let value = match label.class() {
        Ok(class) => match full_array(&label, class, &mut parts) {
            Ok(array) => Value::Array(array),
            // Octave writes a text of several rows byte by byte, which tears its
            // characters apart. Such a text is seldom needed.
            Err(Fault::Text | Fault::Range { .. } | Fault::Length { .. })
                if class == Class::Char =>
            {
                carried(UnsupportedKind::Text)
            }
            Err(fault) => return Err((Some(label.name), fault)),
        },
        Err(kind) => carried(kind),
    };
    Ok((label.name, value))
}

/// The parts of an array before its data.
struct Label {
    class_code: u8,
    flags: u8,
    /// Empty for opaque objects, which have none.
    dims: Vec<usize>,
    name: String,
    /// First byte of the name in the array.
    name_at: usize,
}

impl Label {
    fn read(parts: &mut Parts<'_>) -> Result<Self, Fault> {
        let part = parts.next()?;
        let (data_type::UINT32, Some(&flags)) = (part.data_type, part.data.first_chunk::<8>())
        else {
            return Err(part.impossible("flags"));
        };
        let [word, _] = parts.order.words(flags);
        let [class_code, flags, ..] = word.to_le_bytes();
        let dims = match class_code {
            class_code::OPAQUE => Vec::new(),
            _ => dimensions(parts)?,
        };
        let name_at = parts.at;
        Ok(Self {
            class_code,
            flags,
            dims,
            name: name(parts)?,
            name_at,
        })
    }

    /// The class, if the array is one that is understood.
    fn class(&self) -> Result<Class, UnsupportedKind> {
        if self.name.is_empty() {
            return Err(UnsupportedKind::Subsystem);
        }
        let class = class_of(self.class_code).ok_or(match self.class_code {
            class_code::CELL => UnsupportedKind::Cell,
            class_code::STRUCT => UnsupportedKind::Struct,
            class_code::OBJECT => UnsupportedKind::Object,
            class_code::SPARSE => UnsupportedKind::Sparse,
            class_code::FUNCTION => UnsupportedKind::Function,
            class_code::OPAQUE => UnsupportedKind::Opaque,
            code => UnsupportedKind::Unknown(code),
        })?;
        match class {
            Class::Char => Ok(Class::Char),
            _ if self.flags & COMPLEX != 0 => Err(UnsupportedKind::Complex),
            _ if self.flags & LOGICAL != 0 => Ok(Class::Logical),
            class => Ok(class),
        }
    }
}

fn dimensions(parts: &mut Parts<'_>) -> Result<Vec<usize>, Fault> {
    let part = parts.next()?;
    let (data_type::INT32 | data_type::UINT32, (words, [])) =
        (part.data_type, part.data.as_chunks::<4>())
    else {
        return Err(part.impossible("dimensions"));
    };
    let dims: Option<Vec<usize>> = words
        .iter()
        .map(|&word| i32::try_from(parts.order.word(word)).ok()?.try_into().ok())
        .collect();
    dims.filter(|dims| dims.len() >= 2).ok_or(Fault::Dimensions)
}

fn name(parts: &mut Parts<'_>) -> Result<String, Fault> {
    let part = parts.next()?;
    match part.data_type {
        data_type::INT8 | data_type::UINT8 | data_type::UTF8 => {
            Ok(String::from_utf8_lossy(part.data).into_owned())
        }
        _ => Err(part.impossible("name")),
    }
}

fn full_array(label: &Label, class: Class, parts: &mut Parts<'_>) -> Result<Array, Fault> {
    let part = parts.next()?;
    let mut dims = label.dims.clone();
    let elements = match class {
        Class::Char => text(&part, parts.order, &mut dims)?,
        class => numbers(&part, parts.order)?
            .into_class(class)
            .ok_or(Fault::Range { class })?,
    };
    let count = elements.len();
    Array::new(dims, elements).ok_or_else(|| Fault::Length {
        dims: label.dims.clone(),
        elements: count,
    })
}

/// Numbers in the type in which they are stored.
fn numbers(part: &Part<'_>, order: ByteOrder) -> Result<Elements, Fault> {
    macro_rules! decode {
        ($type:ty) => {
            match part.data.as_chunks() {
                (chunks, []) => chunks
                    .iter()
                    .map(|&chunk| match order {
                        ByteOrder::Little => <$type>::from_le_bytes(chunk),
                        ByteOrder::Big => <$type>::from_be_bytes(chunk),
                    })
                    .collect::<Vec<_>>()
                    .into(),
                _ => return Err(part.impossible("data")),
            }
        };
    }
    Ok(match part.data_type {
        data_type::INT8 => decode!(i8),
        data_type::UINT8 => decode!(u8),
        data_type::INT16 => decode!(i16),
        data_type::UINT16 | data_type::UTF16 => decode!(u16),
        data_type::INT32 => decode!(i32),
        data_type::UINT32 | data_type::UTF32 => decode!(u32),
        data_type::INT64 => decode!(i64),
        data_type::UINT64 => decode!(u64),
        data_type::SINGLE => decode!(f32),
        data_type::DOUBLE => decode!(f64),
        _ => return Err(part.impossible("data")),
    })
}

/// Characters. MATLAB counts units of UTF-16 in the dimensions, SciPy counts
/// code points: a row that holds as many of these becomes as long as its units.
fn text(part: &Part<'_>, order: ByteOrder, dims: &mut [usize]) -> Result<Elements, Fault> {
    let unicode: String = match part.data_type {
        data_type::UTF8 => std::str::from_utf8(part.data)
            .map_err(|_| Fault::Text)?
            .into(),
        data_type::UTF32 => {
            let Elements::U32(codes) = numbers(part, order)? else {
                return Err(part.impossible("data"));
            };
            let characters: Option<String> = codes.into_iter().map(char::from_u32).collect();
            characters.ok_or(Fault::Text)?
        }
        _ => {
            let class = Class::Char;
            return numbers(part, order)?
                .into_class(class)
                .ok_or(Fault::Range { class });
        }
    };
    let units: Vec<u16> = unicode.encode_utf16().collect();
    if let [1, length] = dims
        && *length == unicode.chars().count()
    {
        *length = units.len();
    }
    Ok(Elements::Char(units))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ByteOrder {
    Little,
    Big,
}

impl ByteOrder {
    fn word(self, bytes: [u8; 4]) -> u32 {
        match self {
            Self::Little => u32::from_le_bytes(bytes),
            Self::Big => u32::from_be_bytes(bytes),
        }
    }

    fn words(self, [a, b, c, d, e, f, g, h]: [u8; TAG_BYTES]) -> [u32; 2] {
        [self.word([a, b, c, d]), self.word([e, f, g, h])]
    }
}

/// An element inside an array.
struct Part<'a> {
    data_type: u32,
    data: &'a [u8],
}

impl Part<'_> {
    fn impossible(&self, part: &'static str) -> Fault {
        Fault::Part {
            part,
            found: self.data_type,
            length: self.data.len(),
        }
    }
}

/// Bytes that are read from front to back.
struct Parts<'a> {
    bytes: &'a [u8],
    at: usize,
    order: ByteOrder,
}

impl<'a> Parts<'a> {
    fn new(bytes: &'a [u8], order: ByteOrder) -> Self {
        let at = 0;
        Self { bytes, at, order }
    }

    fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    fn take(&mut self, needed: usize) -> Result<&'a [u8], Fault> {
        let data = self.rest().get(..needed).ok_or(Fault::Truncated {
            at: self.at,
            needed,
            left: self.rest().len(),
        })?;
        self.at += needed;
        Ok(data)
    }

    fn tag(&mut self) -> Result<[u8; TAG_BYTES], Fault> {
        let tag = self.take(TAG_BYTES)?;
        Ok(*tag.first_chunk().expect("as many bytes as were taken"))
    }

    /// The next element inside an array: type, length, data and padding, or in
    /// a small one two bytes of length, two of type and up to four of data.
    /// Padding may be missing after the last.
    fn next(&mut self) -> Result<Part<'a>, Fault> {
        let at = self.at;
        let [data_type, length] = self.order.words(self.tag()?);
        let small = (data_type >> 16) as usize;
        if small > SMALL_BYTES {
            return Err(Fault::Small { at, length: small });
        }
        if small > 0 {
            let data = &self.bytes[at + TAG_BYTES - SMALL_BYTES..][..small];
            let data_type = data_type & 0xFFFF;
            return Ok(Part { data_type, data });
        }
        let data = self.take(length as usize)?;
        let padding = data.len().next_multiple_of(ALIGNMENT) - data.len();
        self.at += padding.min(self.rest().len());
        Ok(Part { data_type, data })
    }

    /// The next element of the file, an array or a compressed array, without
    /// its tag. Nothing is padded here.
    fn array(&mut self, allowance: &mut usize) -> Result<Cow<'a, [u8]>, Fault> {
        let [found, length] = self.order.words(self.tag()?);
        match found {
            data_type::MATRIX => Ok(self.take(length as usize)?.into()),
            data_type::COMPRESSED => {
                let array = inflate(self.take(length as usize)?, self.order, *allowance)?;
                *allowance -= array.len();
                Ok(array.into())
            }
            found => Err(Fault::NotAnArray { found }),
        }
    }
}

/// Inflates an array, up to the length in its own tag and to `allowance`, and
/// removes that tag. The memory grows with the bytes that come out of the
/// stream.
fn inflate(compressed: &[u8], order: ByteOrder, allowance: usize) -> Result<Vec<u8>, Fault> {
    let mut stream = ZlibDecoder::new(compressed);
    let mut tag = [0; TAG_BYTES];
    stream.read_exact(&mut tag).map_err(|_| Fault::Inflate)?;
    let [found, length] = order.words(tag);
    if found != data_type::MATRIX {
        return Err(Fault::NotAnArray { found });
    }
    let declared = length as usize;
    let mut array = Vec::new();
    let most = declared.min(allowance) as u64;
    let inflated = stream.by_ref().take(most).read_to_end(&mut array);
    match inflated {
        Ok(inflated) if inflated == allowance && inflated < declared => {
            return Err(Fault::Inflated { allowance });
        }
        // Octave 7 declares padding after a 2 × 2 text that it does not write.
        Ok(inflated) if declared - inflated < ALIGNMENT => {}
        _ => return Err(Fault::Inflate),
    }
    // One byte more: the end of the stream, where its checksum is verified.
    match stream.read(&mut [0]) {
        Ok(0) => Ok(array),
        Ok(_) => Err(Fault::Surplus { declared }),
        Err(_) => Err(Fault::Inflate),
    }
}
