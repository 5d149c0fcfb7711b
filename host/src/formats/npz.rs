//! NumPy's `.npz`: named arrays in one file, which `numpy.load` opens.

use std::io::{self, Cursor};
use std::path::Path;

use npyz::WriterBuilder;
use npyz::npz::{NpzArchive, NpzWriter};

use super::disk::{self, DiskError};

/// The numbers of an array, last index fastest.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Double precision.
    F64(Vec<f64>),
    /// Integers.
    I64(Vec<i64>),
}

/// Named arrays.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Npz {
    arrays: Vec<(String, Vec<u64>, Values)>,
}

impl Npz {
    /// An archive without arrays.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an array of this shape; an empty shape is a single number.
    pub fn insert(&mut self, name: &str, shape: &[usize], values: Values) {
        let entries = match &values {
            Values::F64(values) => values.len(),
            Values::I64(values) => values.len(),
        };
        assert_eq!(
            shape.iter().product::<usize>(),
            entries,
            "{name} has its shape"
        );
        let shape = shape.iter().map(|&length| length as u64).collect();
        self.arrays.push((name.into(), shape, values));
    }

    /// Adds a single number.
    pub fn number(&mut self, name: &str, value: f64) {
        self.insert(name, &[], Values::F64(vec![value]));
    }

    /// Adds a vector.
    pub fn vector(&mut self, name: &str, values: Vec<f64>) {
        self.insert(name, &[values.len()], Values::F64(values));
    }

    /// Whether `bytes` are an archive of arrays with the names of these.
    pub fn is_like(&self, bytes: &[u8]) -> bool {
        let Ok(archive) = NpzArchive::new(Cursor::new(bytes)) else {
            return false;
        };
        let mut found: Vec<&str> = archive.array_names().collect();
        let mut own: Vec<&str> = self.arrays.iter().map(|(name, ..)| name.as_str()).collect();
        found.sort_unstable();
        own.sort_unstable();
        found == own
    }

    fn to_bytes(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Cursor::new(Vec::new());
        let mut file = NpzWriter::new(&mut bytes);
        for (name, shape, values) in &self.arrays {
            match values {
                Values::F64(values) => {
                    let builder = file.array(name, Default::default())?;
                    let mut writer = builder.default_dtype().shape(shape).begin_nd()?;
                    writer.extend(values)?;
                    writer.finish()?;
                }
                Values::I64(values) => {
                    let builder = file.array(name, Default::default())?;
                    let mut writer = builder.default_dtype().shape(shape).begin_nd()?;
                    writer.extend(values)?;
                    writer.finish()?;
                }
            }
        }
        drop(file);
        Ok(bytes.into_inner())
    }

    /// Writes the file.
    ///
    /// # Errors
    /// [`DiskError::Write`].
    pub fn write(&self, path: &Path) -> Result<(), DiskError> {
        let bytes = self
            .to_bytes()
            .map_err(|source| disk::failure(path, source))?;
        disk::write(path, &bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_come_back_with_their_shapes() {
        let mut file = Npz::new();
        file.insert(
            "w",
            &[2, 3],
            Values::F64(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
        );
        file.insert("unit", &[0], Values::I64(vec![]));
        file.number("lambda", 50.0);
        let bytes = file.to_bytes().expect("an archive");
        let mut archive = NpzArchive::new(Cursor::new(bytes)).expect("an archive");
        let w = archive.by_name("w").expect("an archive").expect("w");
        assert_eq!(w.shape(), [2, 3]);
        assert_eq!(
            w.into_vec::<f64>().expect("doubles"),
            [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
        );
        let lambda = archive
            .by_name("lambda")
            .expect("an archive")
            .map(|array| array.shape().len());
        assert_eq!(lambda, Some(0));
        let unit = archive.by_name("unit").expect("an archive").expect("unit");
        assert!(unit.into_vec::<i64>().expect("integers").is_empty());
    }
}
