//! A variable: an array and its class.

use std::fmt;

/// All that a file holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Contents {
    /// Names and values, in the order of the file.
    pub variables: Vec<(String, Value)>,
    /// MATLAB's own data behind the objects and function handles of a file:
    /// the one array without a name.
    pub subsystem: Option<Unsupported>,
}

/// The value of a variable.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Numbers, truth values or characters.
    Array(Array),
    /// Something else, carried along unread.
    Unsupported(Unsupported),
}

impl Value {
    /// An array of `rows` × `columns`, given column by column.
    ///
    /// # Panics
    /// If there are not `rows * columns` elements.
    pub fn matrix<T>(rows: usize, columns: usize, elements: Vec<T>) -> Self
    where
        Elements: From<Vec<T>>,
    {
        let array = Array::new(vec![rows, columns], elements.into());
        Self::Array(array.expect("a matrix has rows × columns elements"))
    }

    /// 1 × n.
    pub fn row<T>(elements: Vec<T>) -> Self
    where
        Elements: From<Vec<T>>,
    {
        Self::matrix(1, elements.len(), elements)
    }

    /// n × 1.
    pub fn column<T>(elements: Vec<T>) -> Self
    where
        Elements: From<Vec<T>>,
    {
        Self::matrix(elements.len(), 1, elements)
    }

    /// 1 × 1.
    pub fn scalar<T>(element: T) -> Self
    where
        Elements: From<Vec<T>>,
    {
        Self::matrix(1, 1, vec![element])
    }

    /// A row of characters; 0 × 0 if there are none, as `''` in MATLAB.
    pub fn text(text: &str) -> Self {
        let units: Vec<u16> = text.encode_utf16().collect();
        let dims = match units.len() {
            0 => vec![0, 0],
            length => vec![1, length],
        };
        let array = Array::new(dims, Elements::Char(units));
        Self::Array(array.expect("a row is as long as its text"))
    }
}

/// A full, real array, column by column.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// At least two.
    dims: Vec<usize>,
    /// Their number is the product of the dimensions.
    elements: Elements,
}

impl Array {
    /// `None` if there are fewer than two dimensions, or if their product is
    /// not the number of elements.
    pub fn new(dims: Vec<usize>, elements: Elements) -> Option<Self> {
        let product = dims.iter().try_fold(1usize, |p, &d| p.checked_mul(d))?;
        (dims.len() >= 2 && product == elements.len()).then_some(Self { dims, elements })
    }

    /// The dimensions, at least two.
    pub fn dims(&self) -> &[usize] {
        &self.dims
    }

    /// The elements; the first dimension varies fastest.
    pub fn elements(&self) -> &Elements {
        &self.elements
    }

    /// The class.
    pub fn class(&self) -> Class {
        self.elements.class()
    }
}

/// The elements of an array, in the type of its class.
#[derive(Clone, Debug, PartialEq)]
pub enum Elements {
    /// double
    F64(Vec<f64>),
    /// single
    F32(Vec<f32>),
    /// int8
    I8(Vec<i8>),
    /// uint8
    U8(Vec<u8>),
    /// int16
    I16(Vec<i16>),
    /// uint16
    U16(Vec<u16>),
    /// int32
    I32(Vec<i32>),
    /// uint32
    U32(Vec<u32>),
    /// int64
    I64(Vec<i64>),
    /// uint64
    U64(Vec<u64>),
    /// logical
    Logical(Vec<bool>),
    /// char, in units of UTF-16
    Char(Vec<u16>),
}

/// Evaluates one expression for the vector of any variant.
macro_rules! for_any {
    ($elements:expr, $vector:ident => $body:expr) => {
        match $elements {
            Elements::F64($vector) => $body,
            Elements::F32($vector) => $body,
            Elements::I8($vector) => $body,
            Elements::U8($vector) => $body,
            Elements::I16($vector) => $body,
            Elements::U16($vector) | Elements::Char($vector) => $body,
            Elements::I32($vector) => $body,
            Elements::U32($vector) => $body,
            Elements::I64($vector) => $body,
            Elements::U64($vector) => $body,
            Elements::Logical($vector) => $body,
        }
    };
}

impl Elements {
    /// The number of elements.
    pub fn len(&self) -> usize {
        for_any!(self, elements => elements.len())
    }

    /// Whether the array has no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The class of an array of these.
    pub fn class(&self) -> Class {
        match self {
            Self::F64(_) => Class::Double,
            Self::F32(_) => Class::Single,
            Self::I8(_) => Class::Int8,
            Self::U8(_) => Class::Uint8,
            Self::I16(_) => Class::Int16,
            Self::U16(_) => Class::Uint16,
            Self::I32(_) => Class::Int32,
            Self::U32(_) => Class::Uint32,
            Self::I64(_) => Class::Int64,
            Self::U64(_) => Class::Uint64,
            Self::Logical(_) => Class::Logical,
            Self::Char(_) => Class::Char,
        }
    }

    /// The elements as `f64`: 64-bit integers beyond 2⁵³ are rounded, truth values are 0
    /// and 1, characters their codes.
    pub fn to_f64(&self) -> Vec<f64> {
        for_any!(self, elements => elements.iter().map(|&e| e.to_f64()).collect())
    }

    /// The elements one after the other, each little-endian.
    pub(super) fn to_le_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for_any!(self, elements => elements.iter().for_each(|&e| e.append_to(&mut bytes)));
        bytes
    }

    /// The same numbers in another class; `None` if one of them does not fit.
    /// The storage of an array may be of another type than its class: MATLAB
    /// stores a double that holds small integers as such.
    pub(super) fn into_class(self, class: Class) -> Option<Self> {
        if self.class() == class {
            return Some(self);
        }
        Some(match class {
            Class::Double => Self::F64(self.to_f64()),
            Class::Single => Self::F32(self.to_f64().iter().map(|&x| x as f32).collect()),
            Class::Int8 => Self::I8(self.to_integers()?),
            Class::Uint8 => Self::U8(self.to_integers()?),
            Class::Int16 => Self::I16(self.to_integers()?),
            Class::Uint16 => Self::U16(self.to_integers()?),
            Class::Int32 => Self::I32(self.to_integers()?),
            Class::Uint32 => Self::U32(self.to_integers()?),
            Class::Int64 => Self::I64(self.to_integers()?),
            Class::Uint64 => Self::U64(self.to_integers()?),
            Class::Logical => Self::Logical(self.to_f64().iter().map(|&x| x != 0.0).collect()),
            Class::Char => Self::Char(self.to_integers()?),
        })
    }

    fn to_integers<T: TryFrom<i128>>(&self) -> Option<Vec<T>> {
        for_any!(self, elements => elements
            .iter()
            .map(|&e| e.to_integer().and_then(|i| T::try_from(i).ok()))
            .collect())
    }
}

/// One element, as a number.
trait Number: Copy {
    fn to_f64(self) -> f64;
    /// `None` if it is not whole.
    fn to_integer(self) -> Option<i128>;
    fn append_to(self, bytes: &mut Vec<u8>);
}

macro_rules! integers {
    ($($type:ty),*) => {$(
        impl Number for $type {
            fn to_f64(self) -> f64 {
                self as f64
            }

            fn to_integer(self) -> Option<i128> {
                Some(self.into())
            }

            fn append_to(self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.to_le_bytes());
            }
        }
    )*};
}

integers!(i8, u8, i16, u16, i32, u32, i64, u64);

impl Number for f64 {
    fn to_f64(self) -> f64 {
        self
    }

    fn to_integer(self) -> Option<i128> {
        let integer = self as i128;
        (integer as f64 == self).then_some(integer)
    }

    fn append_to(self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.to_le_bytes());
    }
}

impl Number for f32 {
    fn to_f64(self) -> f64 {
        self.into()
    }

    fn to_integer(self) -> Option<i128> {
        f64::from(self).to_integer()
    }

    fn append_to(self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.to_le_bytes());
    }
}

impl Number for bool {
    fn to_f64(self) -> f64 {
        self.into()
    }

    fn to_integer(self) -> Option<i128> {
        Some(self.into())
    }

    fn append_to(self, bytes: &mut Vec<u8>) {
        bytes.push(self.into());
    }
}

macro_rules! elements_from {
    ($($type:ty => $variant:ident),*) => {$(
        impl From<Vec<$type>> for Elements {
            fn from(elements: Vec<$type>) -> Self {
                Self::$variant(elements)
            }
        }
    )*};
}

elements_from!(
    f64 => F64, f32 => F32, i8 => I8, u8 => U8, i16 => I16, u16 => U16,
    i32 => I32, u32 => U32, i64 => I64, u64 => U64, bool => Logical
);

/// The MATLAB class of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "MATLAB's own names")]
pub enum Class {
    Char,
    Double,
    Single,
    Int8,
    Uint8,
    Int16,
    Uint16,
    Int32,
    Uint32,
    Int64,
    Uint64,
    Logical,
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format!("{self:?}").to_lowercase())
    }
}

/// An array that is not understood, as it stands in its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported {
    pub(super) kind: UnsupportedKind,
    /// The parts of the array before its name.
    pub(super) head: Vec<u8>,
    /// The parts after it.
    pub(super) tail: Vec<u8>,
    /// Whether both are in big-endian order.
    pub(super) big_endian: bool,
}

impl Unsupported {
    /// The form.
    pub fn kind(&self) -> UnsupportedKind {
        self.kind
    }
}

/// The form of an array that is not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnsupportedKind {
    /// A cell array.
    Cell,
    /// A struct array.
    Struct,
    /// An object of an old-style class.
    Object,
    /// An object of a newer class: table, string, datetime and the like.
    Opaque,
    /// A function handle.
    Function,
    /// A sparse matrix.
    Sparse,
    /// A complex array.
    Complex,
    /// A text whose characters are not Unicode, or of another number than it says.
    Text,
    /// MATLAB's own data, without a name.
    Subsystem,
    /// A class that the specification does not have.
    Unknown(u8),
}

impl fmt::Display for UnsupportedKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self {
            Self::Cell => "a cell array",
            Self::Struct => "a struct",
            Self::Object | Self::Opaque => "an object",
            Self::Function => "a function handle",
            Self::Sparse => "a sparse matrix",
            Self::Complex => "a complex array",
            Self::Text => "a text that is not valid Unicode",
            Self::Subsystem => "MATLAB's own data",
            Self::Unknown(code) => return write!(f, "of the unknown class {code}"),
        };
        f.write_str(kind)
    }
}
