//! MATLAB level-5 MAT-files, read and written.
//!
//! The format is MathWorks' *MAT-File Format* (R2019b): a header of 128 bytes,
//! then one element a variable, plain or compressed with zlib. Arrays of
//! numbers, truth values and characters are understood, of any rank. Cell
//! arrays, structs, objects, function handles, sparse and complex arrays, and
//! texts that are no Unicode are carried along unread, so that a file can be
//! extended without losing them.
//!
//! Level 4 and level 7.3 (HDF5) are not read, nor a single variable of a file that
//! does not fit into memory.

mod error;
mod format;
mod read;
pub mod stream;
#[cfg(test)]
mod tests;
mod value;
mod write;

pub use error::{Fault, MatError};
use value::Contents;
pub use value::{Array, Class, Elements, Unsupported, UnsupportedKind, Value};

/// The variables of a MAT-file, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MatFile {
    contents: Contents,
}

impl MatFile {
    /// A file without variables.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a whole file. Memory stays in proportion to its inflated bytes.
    ///
    /// # Errors
    /// If the file is of another level, or damaged.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, MatError> {
        let contents = read::file(bytes)?;
        Ok(Self { contents })
    }

    /// The file, uncompressed. Equal variables give equal bytes.
    ///
    /// # Errors
    /// [`MatError::Name`], [`MatError::TooLarge`] or [`MatError::BigEndian`],
    /// of the first variable that cannot be written.
    pub fn to_bytes(&self) -> Result<Vec<u8>, MatError> {
        write::file(&self.contents, write::Packing::Plain)
    }

    /// The file with each variable compressed by zlib.
    ///
    /// # Errors
    /// The errors of [`to_bytes`](Self::to_bytes).
    pub fn to_compressed_bytes(&self) -> Result<Vec<u8>, MatError> {
        write::file(&self.contents, write::Packing::Compressed)
    }

    /// Checks that the file can be written, before anything is computed for it.
    ///
    /// # Errors
    /// The errors of [`to_bytes`](Self::to_bytes).
    pub fn check_writable(&self) -> Result<(), MatError> {
        self.to_bytes().map(drop)
    }

    /// All variables, those that are not understood included.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.contents
            .variables
            .iter()
            .map(|(name, value)| (name.as_str(), value))
    }

    /// Sets a variable: in its place if the file has it, else at the end.
    pub fn insert(&mut self, name: impl Into<String>, value: Value) {
        let name = name.into();
        match self
            .contents
            .variables
            .iter_mut()
            .rfind(|(n, _)| *n == name)
        {
            Some((_, old)) => *old = value,
            None => self.contents.variables.push((name, value)),
        }
    }

    /// Removes a variable, if it is there.
    pub fn remove(&mut self, name: &str) {
        self.contents.variables.retain(|(found, _)| found != name);
    }

    /// A variable. Where a file has a name twice, the later one counts, as
    /// when MATLAB loads it.
    ///
    /// # Errors
    /// [`MatError::Missing`].
    pub fn get(&self, name: &str) -> Result<&Value, MatError> {
        self.contents
            .variables
            .iter()
            .rfind(|(n, _)| n == name)
            .map(|(_, value)| value)
            .ok_or_else(|| MatError::Missing { name: name.into() })
    }

    /// A variable that is an array of numbers, truth values or characters.
    ///
    /// # Errors
    /// [`MatError::Missing`] or [`MatError::Unsupported`].
    pub fn array(&self, name: &str) -> Result<&Array, MatError> {
        match self.get(name)? {
            Value::Array(array) => Ok(array),
            Value::Unsupported(unsupported) => Err(MatError::Unsupported {
                name: name.into(),
                kind: unsupported.kind(),
            }),
        }
    }

    /// Rows, columns and the values column by column. Dimensions after the
    /// second must be 1.
    ///
    /// # Errors
    /// The errors of [`array`](Self::array), [`MatError::Class`] if it is text,
    /// [`MatError::Shape`].
    pub fn matrix(&self, name: &str) -> Result<(usize, usize, Vec<f64>), MatError> {
        let array = self.numbers(name)?;
        match array.dims() {
            [rows, columns, rest @ ..] if rest.iter().all(|&d| d == 1) => {
                Ok((*rows, *columns, array.elements().to_f64()))
            }
            _ => Err(shape(name, array, "a matrix")),
        }
    }

    /// The values of an array that extends along one dimension at most, or is
    /// empty.
    ///
    /// # Errors
    /// The errors of [`matrix`](Self::matrix).
    pub fn vector(&self, name: &str) -> Result<Vec<f64>, MatError> {
        let array = self.numbers(name)?;
        let extended = array.dims().iter().filter(|&&d| d != 1).count();
        if extended > 1 && !array.elements().is_empty() {
            return Err(shape(name, array, "a vector"));
        }
        Ok(array.elements().to_f64())
    }

    /// The value of an array with one element.
    ///
    /// # Errors
    /// The errors of [`matrix`](Self::matrix).
    pub fn scalar(&self, name: &str) -> Result<f64, MatError> {
        let array = self.numbers(name)?;
        match array.elements().to_f64()[..] {
            [value] => Ok(value),
            _ => Err(shape(name, array, "a scalar")),
        }
    }

    /// A character array of one row or one column, or an empty one. Half a surrogate pair
    /// becomes U+FFFD.
    ///
    /// # Errors
    /// The errors of [`array`](Self::array), [`MatError::Class`] if it is not text,
    /// [`MatError::Shape`] if it has several rows and columns.
    pub fn text(&self, name: &str) -> Result<String, MatError> {
        let array = self.array(name)?;
        let Elements::Char(units) = array.elements() else {
            return Err(MatError::Class {
                name: name.into(),
                wanted: "text",
                found: array.class(),
            });
        };
        match array.dims() {
            [1, _] | [_, 1] => Ok(String::from_utf16_lossy(units)),
            _ if units.is_empty() => Ok(String::new()),
            _ => Err(shape(name, array, "one row or column of text")),
        }
    }

    fn numbers(&self, name: &str) -> Result<&Array, MatError> {
        let array = self.array(name)?;
        match array.class() {
            found @ Class::Char => Err(MatError::Class {
                name: name.into(),
                wanted: "numbers",
                found,
            }),
            _ => Ok(array),
        }
    }
}

fn shape(name: &str, array: &Array, wanted: &'static str) -> MatError {
    MatError::Shape {
        name: name.into(),
        wanted,
        dims: array.dims().to_vec(),
    }
}
