//! Arrays of NumPy, in memory or mapped from a file.

use std::sync::Arc;

use memmap2::Mmap;
use npyz::{DType, Endianness, NpyHeader, Order, TypeChar, TypeStr};

/// Where the bytes of an array lie.
#[derive(Clone, Debug)]
pub(super) enum Bytes {
    Owned(Arc<Vec<u8>>),
    Mapped(Arc<Mmap>),
}

impl Bytes {
    pub(super) fn all(&self) -> &[u8] {
        match self {
            Bytes::Owned(bytes) => bytes,
            Bytes::Mapped(map) => map,
        }
    }
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        self.all()
    }
}

/// The number in the first bytes of a slice that is long enough.
type Decode = fn(&[u8]) -> f64;

/// An array of numbers.
#[derive(Clone, Debug)]
pub(super) struct Array {
    bytes: Bytes,
    /// The byte of the first number.
    first: usize,
    /// Bytes of a number.
    size: usize,
    decode: Decode,
    /// Length along each axis.
    pub(super) shape: Vec<usize>,
    /// Numbers from one entry to the next along each axis.
    pub(super) strides: Vec<usize>,
}

impl Array {
    /// A vector of numbers.
    pub(super) fn from_values(values: &[f32]) -> Self {
        let bytes = values.iter().flat_map(|x| x.to_le_bytes()).collect();
        Self {
            bytes: Bytes::Owned(Arc::new(bytes)),
            first: 0,
            size: 4,
            decode: |bytes| f64::from(f32::from_le_bytes(taken(bytes))),
            shape: vec![values.len()],
            strides: vec![1],
        }
    }

    /// The array whose numbers begin at the byte `first`.
    ///
    /// # Errors
    /// A sentence, if it is no array of numbers, or if bytes are missing.
    pub(super) fn new(bytes: Bytes, first: usize, header: &NpyHeader) -> Result<Self, String> {
        let (size, decode) = number(&header.dtype())?;
        let shape = shape(header)?;
        let count = shape.iter().try_fold(size, |all, n| all.checked_mul(*n));
        let there = bytes.all().len().saturating_sub(first);
        if count.is_none_or(|count| count > there) {
            return Err(format!(
                "the shape {shape:?} takes more than the {there} bytes that are there: the file was cut; copy it again"
            ));
        }
        let strides = match header.order() {
            Order::C => products(shape.iter().rev()).into_iter().rev().collect(),
            Order::Fortran => products(shape.iter()),
        };
        Ok(Self {
            bytes,
            first,
            size,
            decode,
            shape,
            strides,
        })
    }

    /// Number of entries.
    pub(super) fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// The number in this place, counted in the order of the file.
    pub(super) fn at(&self, place: usize) -> f64 {
        (self.decode)(&self.bytes.all()[self.first + place * self.size..])
    }

    /// All numbers, last index fastest.
    pub(super) fn values(&self) -> Vec<f64> {
        let mut places = vec![0];
        for (length, stride) in self.shape.iter().zip(&self.strides) {
            let along = |place: usize| (0..*length).map(move |k| place + k * stride);
            places = places.into_iter().flat_map(along).collect();
        }
        places.into_iter().map(|place| self.at(place)).collect()
    }
}

/// Products of the lengths before each one.
fn products<'a>(lengths: impl Iterator<Item = &'a usize>) -> Vec<usize> {
    let product = |all: &mut usize, length: &usize| {
        let before = *all;
        *all = all.saturating_mul(*length);
        Some(before)
    };
    lengths.scan(1, product).collect()
}

/// The shape of an array.
pub(super) fn shape(header: &NpyHeader) -> Result<Vec<usize>, String> {
    let lengths = header.shape().iter();
    let lengths: Result<_, _> = lengths.map(|&length| usize::try_from(length)).collect();
    lengths.map_err(|_| "the shape is too large for this machine".into())
}

fn taken<const N: usize>(bytes: &[u8]) -> [u8; N] {
    *bytes.first_chunk().expect("a number has all of its bytes")
}

/// Half precision: sign, five bits of exponent, ten of fraction.
fn half(bits: u16) -> f64 {
    let fraction = f64::from(bits & 0x3ff);
    let size = match bits >> 10 & 0x1f {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        exponent => (1024.0 + fraction) * 2f64.powi(i32::from(exponent) - 25),
    };
    if bits >> 15 == 1 { -size } else { size }
}

/// Bytes and meaning of a number of this type.
fn number(dtype: &DType) -> Result<(usize, Decode), String> {
    macro_rules! either {
        ($big:expr, $number:ty) => {
            if $big {
                |bytes| <$number>::from_be_bytes(taken(bytes)) as f64
            } else {
                |bytes| <$number>::from_le_bytes(taken(bytes)) as f64
            }
        };
    }
    let DType::Plain(kind) = dtype else {
        return Err("the array has fields; give one of numbers".into());
    };
    let big = kind.endianness() == Endianness::Big;
    let size = kind.num_bytes().unwrap_or(0);
    let decode: Decode = match (kind.type_char(), size) {
        (TypeChar::Bool | TypeChar::Uint, 1) => |bytes| f64::from(bytes[0]),
        (TypeChar::Int, 1) => |bytes| f64::from(bytes[0] as i8),
        (TypeChar::Int, 2) => either!(big, i16),
        (TypeChar::Int, 4) => either!(big, i32),
        (TypeChar::Int, 8) => either!(big, i64),
        (TypeChar::Uint, 2) => either!(big, u16),
        (TypeChar::Uint, 4) => either!(big, u32),
        (TypeChar::Uint, 8) => either!(big, u64),
        (TypeChar::Float, 4) => either!(big, f32),
        (TypeChar::Float, 8) => either!(big, f64),
        (TypeChar::Float, 2) if big => |bytes| half(u16::from_be_bytes(taken(bytes))),
        (TypeChar::Float, 2) => |bytes| half(u16::from_le_bytes(taken(bytes))),
        (TypeChar::Object, _) => {
            return Err(
                "an array of Python objects; make one of numbers, for instance with numpy.stack"
                    .into(),
            );
        }
        _ => {
            return Err(format!(
                "the type {kind} holds no real numbers; convert it with .astype(numpy.float32)"
            ));
        }
    };
    Ok((size, decode))
}

/// The texts in an array of NumPy's type `U` or `S`; `None` if it has another type.
pub(super) fn texts(kind: &TypeStr, bytes: &[u8]) -> Option<Vec<String>> {
    let size = kind.num_bytes()?;
    if size == 0 {
        return None;
    }
    let big = kind.endianness() == Endianness::Big;
    let letter = |bytes: &[u8]| {
        let bytes = taken(bytes);
        let code = if big {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        };
        char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
    };
    let text = |bytes: &[u8]| -> Option<String> {
        let text: String = match kind.type_char() {
            TypeChar::UnicodeStr => bytes.chunks_exact(4).map(letter).collect(),
            TypeChar::ByteStr => String::from_utf8_lossy(bytes).into_owned(),
            _ => return None,
        };
        Some(text.trim_end_matches('\0').into())
    };
    bytes.chunks_exact(size).map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::half;

    #[test]
    fn half_precision_has_its_values() {
        for (bits, value) in [
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x3555, 0.333_251_953_125),
            (0x0001, 5.960_464_477_539_063e-8),
            (0x7bff, 65504.0),
            (0x7c00, f64::INFINITY),
        ] {
            assert_eq!(half(bits), value, "{bits:04x}");
        }
        assert!(half(0x7e00).is_nan());
    }
}
