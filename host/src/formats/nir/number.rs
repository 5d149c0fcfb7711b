//! The numbers of an HDF5 data set, of any width and byte order, as `f64`.
//!
//! Integers of 8 to 64 bits, truth values, and floating-point numbers of 8 to 64
//! bits are read: NumPy's `float16`, the `bfloat16` of machine learning,
//! `float32` and `float64`. Everything else (texts, complex numbers, references,
//! numbers of 128 bits) is refused by the name of its type.

use hdf5_pure::{Datatype, DatatypeByteOrder, FloatingPointLayout};

/// The layout of a number in its bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Form {
    bytes: usize,
    order: Order,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Order {
    Little,
    Big,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Signed,
    Unsigned,
    Float(FloatingPointLayout),
}

impl Form {
    /// The form of the numbers of this type; `None` if the type is not read.
    pub fn new(datatype: &Datatype) -> Option<Self> {
        match datatype {
            Datatype::FixedPoint {
                size,
                byte_order,
                layout,
            } => {
                let whole = matches!(size, 1 | 2 | 4 | 8)
                    && layout.bit_offset == 0
                    && u32::from(layout.bit_precision) == 8 * size;
                let kind = match layout.signed {
                    true => Kind::Signed,
                    false => Kind::Unsigned,
                };
                whole.then_some(())?;
                Self::with(*size, *byte_order, kind)
            }
            Datatype::FloatingPoint {
                size,
                byte_order,
                layout,
            } => {
                is_read(*size, layout).then_some(())?;
                Self::with(*size, *byte_order, Kind::Float(*layout))
            }
            // h5py stores NumPy's truth values as an enumeration.
            Datatype::Enumeration {
                size, base_type, ..
            } => Self::new(base_type).filter(|form| form.bytes == *size as usize),
            _ => None,
        }
    }

    fn with(size: u32, order: DatatypeByteOrder, kind: Kind) -> Option<Self> {
        let order = match order {
            DatatypeByteOrder::LittleEndian => Order::Little,
            DatatypeByteOrder::BigEndian => Order::Big,
            DatatypeByteOrder::Vax => return None,
        };
        Some(Self {
            bytes: size as usize,
            order,
            kind,
        })
    }

    /// The numbers in `bytes`; a rest that is shorter than a number is left out.
    pub fn numbers(&self, bytes: &[u8]) -> Vec<f64> {
        let chunks = bytes.chunks_exact(self.bytes);
        chunks.map(|chunk| self.number(self.word(chunk))).collect()
    }

    fn word(&self, bytes: &[u8]) -> u64 {
        let join = |word: u64, &byte: &u8| word << 8 | u64::from(byte);
        match self.order {
            Order::Big => bytes.iter().fold(0, join),
            Order::Little => bytes.iter().rev().fold(0, join),
        }
    }

    fn number(&self, word: u64) -> f64 {
        match self.kind {
            Kind::Unsigned => word as f64,
            Kind::Signed => {
                let unused = 64 - 8 * self.bytes as u32;
                ((word << unused) as i64 >> unused) as f64
            }
            Kind::Float(FloatingPointLayout::IEEE754_BINARY64) => f64::from_bits(word),
            Kind::Float(layout) => float(word, &layout),
        }
    }
}

/// Whether a floating-point number of this layout is read: one of 64 bits as IEEE
/// 754 has it, or a shorter one that `f64` holds exactly.
fn is_read(size: u32, layout: &FloatingPointLayout) -> bool {
    if size == 8 {
        return *layout == FloatingPointLayout::IEEE754_BINARY64;
    }
    if !matches!(size, 1 | 2 | 4) {
        return false;
    }
    let bits = 8 * size;
    let within = |location: u8, length: u8| u32::from(location) + u32::from(length) <= bits;
    u32::from(layout.bit_offset) + u32::from(layout.bit_precision) <= bits
        && layout.bit_precision > 0
        && (1..=8).contains(&layout.exponent_size)
        && layout.mantissa_size <= 23
        && layout.exponent_bias <= 255
        && within(layout.exponent_location, layout.exponent_size)
        && within(layout.mantissa_location, layout.mantissa_size)
}

/// A number with an implied first bit, as in IEEE 754: sign, exponent, mantissa.
fn float(word: u64, layout: &FloatingPointLayout) -> f64 {
    let part = |location: u8, length: u8| word >> location & ((1 << length) - 1);
    let exponent = part(layout.exponent_location, layout.exponent_size);
    let mantissa = part(layout.mantissa_location, layout.mantissa_size);
    let fraction = mantissa as f64 / (1u64 << layout.mantissa_size) as f64;
    let bias = layout.exponent_bias as i32;
    let size = match exponent {
        0 => fraction * 2f64.powi(1 - bias),
        e if e + 1 == 1 << layout.exponent_size => match mantissa {
            0 => f64::INFINITY,
            _ => f64::NAN,
        },
        e => (1.0 + fraction) * 2f64.powi(e as i32 - bias),
    };
    let sign = word >> (layout.bit_offset + layout.bit_precision - 1) & 1;
    if sign == 1 { -size } else { size }
}

/// A type that is not read, in words.
pub fn name(datatype: &Datatype) -> String {
    match datatype {
        Datatype::FloatingPoint { size, .. } => format!("a float of {} bits", 8 * u64::from(*size)),
        Datatype::FixedPoint { size, .. } => format!("an integer of {} bits", 8 * u64::from(*size)),
        Datatype::String { .. }
        | Datatype::VariableLength {
            is_string: true, ..
        } => "a text".into(),
        Datatype::Compound { .. } => "a compound (a complex number, for instance)".into(),
        other => format!("{other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HALF: FloatingPointLayout = FloatingPointLayout {
        bit_offset: 0,
        bit_precision: 16,
        exponent_location: 10,
        exponent_size: 5,
        mantissa_location: 0,
        mantissa_size: 10,
        exponent_bias: 15,
    };

    const BRAIN: FloatingPointLayout = FloatingPointLayout {
        exponent_location: 7,
        exponent_size: 8,
        mantissa_size: 7,
        exponent_bias: 127,
        ..HALF
    };

    fn floats(size: u32, layout: FloatingPointLayout, big: bool, bytes: &[u8]) -> Vec<f64> {
        let byte_order = match big {
            true => DatatypeByteOrder::BigEndian,
            false => DatatypeByteOrder::LittleEndian,
        };
        let datatype = Datatype::FloatingPoint {
            size,
            byte_order,
            layout,
        };
        Form::new(&datatype).expect("it is read").numbers(bytes)
    }

    #[test]
    fn half_and_brain_floats_are_read_in_both_byte_orders() {
        let half: [(u16, f64); 6] = [
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x0001, 2f64.powi(-24)),
            (0x8000, -0.0),
            (0x7c00, f64::INFINITY),
        ];
        for (bits, wanted) in half {
            assert_eq!(floats(2, HALF, false, &bits.to_le_bytes()), [wanted]);
            assert_eq!(floats(2, HALF, true, &bits.to_be_bytes()), [wanted]);
        }
        assert!(floats(2, HALF, true, &[0x7e, 0])[0].is_nan());
        let brain = (1.5f32.to_bits() >> 16) as u16;
        assert_eq!(floats(2, BRAIN, false, &brain.to_le_bytes()), [1.5]);
    }

    #[test]
    fn every_single_and_double_comes_back_to_the_bit() {
        for value in [0.1f32, -1e-42, 3.4e38, 1.0, -0.0] {
            let layout = FloatingPointLayout::IEEE754_BINARY32;
            let read = floats(4, layout, false, &value.to_le_bytes())[0];
            assert_eq!(read.to_bits(), f64::from(value).to_bits());
        }
        for value in [0.1f64, -5e-324, 1.7e308] {
            let layout = FloatingPointLayout::IEEE754_BINARY64;
            assert_eq!(floats(8, layout, true, &value.to_be_bytes()), [value]);
        }
    }

    #[test]
    fn integers_of_every_width_keep_their_sign() {
        use hdf5_pure::FixedPointLayout;
        for size in [1u32, 2, 4, 8] {
            for (signed, wanted) in [(true, -2.0), (false, (1u128 << (8 * size)) as f64 - 2.0)] {
                let datatype = Datatype::FixedPoint {
                    size,
                    byte_order: DatatypeByteOrder::LittleEndian,
                    layout: FixedPointLayout {
                        signed,
                        bit_offset: 0,
                        bit_precision: 8 * size as u16,
                    },
                };
                let form = Form::new(&datatype).expect("it is read");
                let bytes = (-2i64).to_le_bytes();
                assert_eq!(form.numbers(&bytes[..size as usize]), [wanted], "{size}");
            }
        }
    }

    #[test]
    fn a_number_of_another_form_is_refused() {
        let quadruple = Datatype::FloatingPoint {
            size: 16,
            byte_order: DatatypeByteOrder::LittleEndian,
            layout: FloatingPointLayout::IEEE754_BINARY64,
        };
        assert_eq!(Form::new(&quadruple), None);
        assert_eq!(name(&quadruple), "a float of 128 bits");
        let vax = Datatype::FloatingPoint {
            size: 4,
            byte_order: DatatypeByteOrder::Vax,
            layout: FloatingPointLayout::IEEE754_BINARY32,
        };
        assert_eq!(Form::new(&vax), None);
        // Found by the fuzz target `nir`: a size whose bits 32 bits do not count.
        let huge = Datatype::FloatingPoint {
            size: u32::MAX,
            byte_order: DatatypeByteOrder::LittleEndian,
            layout: HALF,
        };
        assert_eq!(Form::new(&huge), None);
        assert_eq!(name(&huge), "a float of 34359738360 bits");
    }
}
