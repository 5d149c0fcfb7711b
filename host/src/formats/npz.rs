//! NumPy's `.npz`: named arrays in one file, which `numpy.load` opens.

use std::io::{self, BufWriter, Cursor, Seek, Write};
use std::path::Path;

use npyz::npz::{array_name_from_file_name, file_name_from_array_name};
use npyz::{AutoSerialize, NpyWriter, WriteOptions, WriterBuilder};
use zip::write::FileOptions;
use zip::{ZipArchive, ZipWriter};

use super::disk::{self, DiskError};

/// Bytes that the compressor gets at once: each call costs it more than a number does.
const BUFFER: usize = 1 << 16;

/// An array of an archive, while it gets its numbers.
pub type ArrayWriter<'b, 'a, T, W> = NpyWriter<T, &'b mut BufWriter<&'a mut ZipWriter<W>>>;

/// Writes the array `name` of an archive; `fill` gives the writer its numbers, of 8 bytes each,
/// last index fastest. An empty shape is a single number.
///
/// # Errors
/// If the disk is full, or `fill` fails.
pub fn array<T: AutoSerialize, W: Write + Seek>(
    archive: &mut ZipWriter<W>,
    name: &str,
    shape: &[u64],
    fill: impl FnOnce(&mut ArrayWriter<T, W>) -> io::Result<()>,
) -> io::Result<()> {
    let bytes = 8 * shape.iter().product::<u64>();
    // An array of 4 GiB needs the long form of a .zip. The fastest level: outputs hardly become
    // smaller at any, and the usual one takes longer than the simulation that is recorded.
    let options = FileOptions::default()
        .large_file(bytes > u64::from(u32::MAX))
        .compression_level(Some(1));
    archive.start_file(file_name_from_array_name(name), options)?;
    let mut buffer = BufWriter::with_capacity(BUFFER, archive);
    let options = WriteOptions::new().default_dtype().shape(shape);
    let mut array = options.writer(&mut buffer).begin_nd()?;
    fill(&mut array)?;
    array.finish()?;
    buffer.flush()
}

/// Writes a whole array.
///
/// # Errors
/// If the disk is full.
pub fn whole_array<T: AutoSerialize, W: Write + Seek>(
    archive: &mut ZipWriter<W>,
    name: &str,
    shape: &[u64],
    values: &[T],
) -> io::Result<()> {
    array(archive, name, shape, |array| array.extend(values))
}

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
        let Ok(archive) = ZipArchive::new(Cursor::new(bytes)) else {
            return false;
        };
        let names = archive.file_names().filter_map(array_name_from_file_name);
        let mut found: Vec<&str> = names.collect();
        let mut own: Vec<&str> = self.arrays.iter().map(|(name, ..)| name.as_str()).collect();
        found.sort_unstable();
        own.sort_unstable();
        found == own
    }

    fn to_bytes(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Cursor::new(Vec::new());
        let mut archive = ZipWriter::new(&mut bytes);
        for (name, shape, values) in &self.arrays {
            match values {
                Values::F64(values) => whole_array(&mut archive, name, shape, values)?,
                Values::I64(values) => whole_array(&mut archive, name, shape, values)?,
            }
        }
        archive.finish()?;
        drop(archive);
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
pub(super) mod tests {
    use super::*;

    /// The shape of the array `name` in these bytes, and its numbers.
    pub fn read<T: npyz::Deserialize>(bytes: &[u8], name: &str) -> (Vec<u64>, Vec<T>) {
        let mut archive = ZipArchive::new(Cursor::new(bytes)).expect("an archive");
        let file = archive.by_name(&file_name_from_array_name(name));
        let array = npyz::NpyFile::new(file.expect("the array")).expect("an array");
        let shape = array.shape().to_vec();
        (shape, array.into_vec().expect("numbers of this type"))
    }

    #[test]
    fn arrays_come_back_with_their_shapes() {
        let mut file = Npz::new();
        let numbers = vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        file.insert("w", &[2, 3], Values::F64(numbers.clone()));
        file.insert("unit", &[0], Values::I64(vec![]));
        file.number("lambda", 50.0);
        let bytes = file.to_bytes().expect("an archive");
        assert!(file.is_like(&bytes) && !Npz::new().is_like(&bytes));
        assert_eq!(read(&bytes, "w"), (vec![2, 3], numbers));
        assert_eq!(read(&bytes, "lambda"), (vec![], vec![50.0]));
        assert_eq!(read::<i64>(&bytes, "unit"), (vec![0], vec![]));
    }
}
