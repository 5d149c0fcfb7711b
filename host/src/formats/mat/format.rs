//! The numbers of the format that reader and writer share.

use super::value::Class;

/// Text, offset of the subsystem data, version, byte order.
pub const HEADER_BYTES: usize = 128;

/// Place in the header of a `u64`: the byte at which the subsystem data stands,
/// or zeros or spaces without such data.
pub const SUBSYSTEM_AT: usize = 116;

/// Place in the header of the version, a `u16`.
pub const VERSION_AT: usize = 124;

/// Version of level 5.
pub const LEVEL_5: u16 = 0x0100;

/// Version of level 7.3.
pub const LEVEL_7_3: u16 = 0x0200;

/// Elements inside an array are padded to multiples of this many bytes.
pub const ALIGNMENT: usize = 8;

/// Type and length of an element, or type, length and data of a small one.
pub const TAG_BYTES: usize = 8;

/// The longest data of a small element.
pub const SMALL_BYTES: usize = 4;

/// The flag of truth values, beside the class of an array.
pub const LOGICAL: u8 = 0x02;
/// The flag of a complex array, whose imaginary part follows the real one.
pub const COMPLEX: u8 = 0x08;

/// Data types of elements ("mi" in the specification).
pub mod data_type {
    pub const INT8: u32 = 1;
    pub const UINT8: u32 = 2;
    pub const INT16: u32 = 3;
    pub const UINT16: u32 = 4;
    pub const INT32: u32 = 5;
    pub const UINT32: u32 = 6;
    pub const SINGLE: u32 = 7;
    pub const DOUBLE: u32 = 9;
    pub const INT64: u32 = 12;
    pub const UINT64: u32 = 13;
    pub const MATRIX: u32 = 14;
    pub const COMPRESSED: u32 = 15;
    pub const UTF8: u32 = 16;
    pub const UTF16: u32 = 17;
    pub const UTF32: u32 = 18;
}

/// Codes of the array classes that are carried along unread ("mx").
pub mod class_code {
    pub const CELL: u8 = 1;
    pub const STRUCT: u8 = 2;
    pub const OBJECT: u8 = 3;
    pub const SPARSE: u8 = 5;
    pub const FUNCTION: u8 = 16;
    pub const OPAQUE: u8 = 17;
}

/// The classes that are understood: code, and the data type that holds each
/// without loss.
const CLASSES: [(Class, u8, u32); 11] = [
    (Class::Char, 4, data_type::UTF16),
    (Class::Double, 6, data_type::DOUBLE),
    (Class::Single, 7, data_type::SINGLE),
    (Class::Int8, 8, data_type::INT8),
    (Class::Uint8, 9, data_type::UINT8),
    (Class::Int16, 10, data_type::INT16),
    (Class::Uint16, 11, data_type::UINT16),
    (Class::Int32, 12, data_type::INT32),
    (Class::Uint32, 13, data_type::UINT32),
    (Class::Int64, 14, data_type::INT64),
    (Class::Uint64, 15, data_type::UINT64),
];

/// The class with this code, if it is understood.
pub fn class_of(code: u8) -> Option<Class> {
    CLASSES
        .iter()
        .find(|entry| entry.1 == code)
        .map(|entry| entry.0)
}

/// Code and data type of a class. Truth values are `uint8` with a flag.
pub fn code_and_type(class: Class) -> (u8, u32) {
    let class = match class {
        Class::Logical => Class::Uint8,
        other => other,
    };
    let (_, code, data_type) = CLASSES
        .iter()
        .find(|entry| entry.0 == class)
        .expect("the table has every class but logical");
    (*code, *data_type)
}
