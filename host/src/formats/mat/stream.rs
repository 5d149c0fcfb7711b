//! A MAT-file written piece by piece, so that a large matrix need not be in
//! memory.

use std::io::{self, Write};

use super::MatFile;
use super::error::MatError;
use super::format::{HEADER_BYTES, data_type};
use super::value::Class;
use super::write;

/// The bytes of the variables of `file`, without the header of the file.
///
/// # Errors
/// The errors of [`MatFile::to_bytes`].
pub fn variables(file: &MatFile) -> Result<Vec<u8>, MatError> {
    Ok(file.to_bytes()?.split_off(HEADER_BYTES))
}

/// Writes the header of a file.
///
/// # Errors
/// The errors of `out`.
pub fn header(out: &mut impl Write) -> io::Result<()> {
    out.write_all(&write::header())
}

/// The bytes that stand before the numbers of a matrix of doubles. The numbers
/// follow column by column, little-endian.
///
/// # Errors
/// [`MatError::TooLarge`] if the format has no room for the matrix.
pub fn matrix_head(name: &str, rows: usize, columns: usize) -> Result<Vec<u8>, MatError> {
    head(name, rows, columns).ok_or_else(|| MatError::TooLarge { name: name.into() })
}

fn head(name: &str, rows: usize, columns: usize) -> Option<Vec<u8>> {
    let data = rows.checked_mul(columns)?.checked_mul(8)?;
    let mut array = write::array_head(name, Class::Double, &[rows, columns])?;
    array.extend(data_type::DOUBLE.to_le_bytes());
    array.extend(u32::try_from(data).ok()?.to_le_bytes());
    let length = u32::try_from(array.len().checked_add(data)?).ok()?;
    let mut bytes = data_type::MATRIX.to_le_bytes().to_vec();
    bytes.extend(length.to_le_bytes());
    bytes.extend(array);
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::mat::Value;

    #[test]
    fn a_file_in_pieces_is_the_file_as_a_whole() {
        for (rows, columns) in [(2, 3), (1, 1), (0, 4)] {
            let numbers: Vec<f64> = (0..rows * columns).map(|k| k as f64).collect();
            let mut whole = MatFile::new();
            whole.insert("a", Value::scalar(1.0));
            whole.insert("v", Value::matrix(rows, columns, numbers.clone()));
            let mut first = MatFile::new();
            first.insert("a", Value::scalar(1.0));
            let mut pieces = Vec::new();
            header(&mut pieces).expect("memory");
            pieces.extend(variables(&first).expect("a scalar"));
            pieces.extend(matrix_head("v", rows, columns).expect("it is small"));
            pieces.extend(numbers.iter().flat_map(|x| x.to_le_bytes()));
            assert!(
                pieces == whole.to_bytes().expect("it is small"),
                "{rows} x {columns}"
            );
        }
    }

    #[test]
    fn a_matrix_beyond_the_format_is_refused_before_it_is_written() {
        assert!(matrix_head("v", 200, 2_000_000).is_ok());
        for (rows, columns) in [(200, 3_000_000), (usize::MAX, 2)] {
            let wanted = MatError::TooLarge { name: "v".into() };
            assert_eq!(matrix_head("v", rows, columns), Err(wanted));
        }
    }
}
