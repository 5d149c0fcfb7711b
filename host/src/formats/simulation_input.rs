//! The input and the start of a simulation, from MAT-files.

use std::path::{Path, PathBuf};

use super::mat::MatError;
use super::names;
use super::rate_model::{ModelError, read_mat};

/// A file that is not the input or the start of a network.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// The file, or the variable, cannot be read.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A matrix of another size.
    #[error("{path}: {name} is {rows} x {columns}, but the network {wanted}")]
    Size {
        /// The file.
        path: PathBuf,
        /// The variable.
        name: &'static str,
        /// Rows of the matrix.
        rows: usize,
        /// Columns of the matrix.
        columns: usize,
        /// What the network takes.
        wanted: String,
    },
    /// A number that is not finite.
    #[error("{path}: entry {entry} of {name} is {value}; every entry must be finite")]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// The variable.
        name: &'static str,
        /// The entry, counted from 1.
        entry: usize,
        /// The number.
        value: f64,
    },
}

/// The variable `u`: an input of `channels` channels, in samples of 5 ms; channel by
/// channel.
///
/// # Errors
/// [`InputError`].
pub fn read_input(path: &Path, channels: usize) -> Result<Vec<f64>, InputError> {
    let (rows, columns, values) = matrix(path, names::U, |rows, columns| {
        let fits = rows == channels && columns >= 2;
        let way = match columns == channels && rows >= 2 {
            true => "; give the transpose, in which each input is a row",
            false => "",
        };
        (!fits).then(|| format!("takes {channels} inputs and at least 2 samples of 5 ms{way}"))
    })?;
    Ok((0..rows * columns)
        .map(|k| values[k % columns * rows + k / columns])
        .collect())
}

/// The variable `v0`: the start potential of each of `units` units, mV.
///
/// # Errors
/// [`InputError`].
pub fn read_start(path: &Path, units: usize) -> Result<Vec<f64>, InputError> {
    let (_, _, values) = matrix(path, "v0", |rows, columns| {
        let fits = rows * columns == units && (rows == 1 || columns == 1);
        (!fits).then(|| format!("has {units} units"))
    })?;
    Ok(values)
}

/// Rows, columns, and the entries column by column; `misfit` says what the network takes
/// instead of a matrix of this size.
fn matrix(
    path: &Path,
    name: &'static str,
    misfit: impl Fn(usize, usize) -> Option<String>,
) -> Result<(usize, usize, Vec<f64>), InputError> {
    let file = read_mat(path)?;
    let failed = |source: MatError| ModelError::Mat {
        path: path.into(),
        source,
    };
    let (rows, columns, values) = file.matrix(name).map_err(failed)?;
    if let Some(wanted) = misfit(rows, columns) {
        return Err(InputError::Size {
            path: path.into(),
            name,
            rows,
            columns,
            wanted,
        });
    }
    match values.iter().position(|x| !x.is_finite()) {
        Some(index) => Err(InputError::NotFinite {
            path: path.into(),
            name,
            entry: index + 1,
            value: values[index],
        }),
        None => Ok((rows, columns, values)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::mat::{MatFile, Value};

    /// A file with the variable `name`, column by column.
    fn file(name: &str, rows: usize, values: &[f64]) -> tempfile::NamedTempFile {
        let mut mat = MatFile::new();
        let matrix = Value::matrix(rows, values.len() / rows, values.to_vec());
        mat.insert(name, matrix);
        let file = tempfile::NamedTempFile::new().expect("a file");
        let bytes = mat.to_bytes().expect("it is small");
        std::fs::write(file.path(), bytes).expect("a writable file");
        file
    }

    #[test]
    fn an_input_comes_channel_by_channel() {
        let u = file("u", 2, &[1.0, 10.0, 2.0, 20.0, 3.0, 30.0]);
        let input = read_input(u.path(), 2).expect("two channels");
        assert_eq!(input, [1.0, 2.0, 3.0, 10.0, 20.0, 30.0]);
    }

    #[test]
    fn a_start_is_a_row_or_a_column() {
        for rows in [1, 3] {
            let v0 = file("v0", rows, &[-65.0, -50.0, -41.0]);
            let start = read_start(v0.path(), 3).expect("three units");
            assert_eq!(start, [-65.0, -50.0, -41.0]);
        }
    }

    #[test]
    fn a_wrong_size_and_a_number_that_is_not_finite_are_named() {
        let u = file("u", 2, &[1.0, 2.0, f64::NAN, 4.0]);
        let said = |channels| {
            let error = read_input(u.path(), channels).expect_err("it does not fit");
            error.to_string()
        };
        assert!(said(1).contains("u is 2 x 2, but the network takes 1 inputs"));
        assert!(said(2).contains("entry 3 of u is NaN"));
        let column = file("u", 3, &[1.0, 2.0, 3.0]);
        let error = read_input(column.path(), 1).expect_err("a column");
        assert!(error.to_string().contains("give the transpose"), "{error}");
        let short = file("u", 1, &[1.0]);
        let error = read_input(short.path(), 1)
            .expect_err("one sample")
            .to_string();
        assert!(error.contains("at least 2 samples"), "{error}");
        let square = file("v0", 2, &[1.0; 4]);
        let error = read_start(square.path(), 4)
            .expect_err("a square")
            .to_string();
        assert!(error.contains("has 4 units"), "{error}");
        let missing = read_start(u.path(), 4).expect_err("no v0").to_string();
        assert!(missing.contains("v0"), "{missing}");
    }
}
