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
        (!fits).then(|| format!("takes {channels} inputs and at least 2 samples of 5 ms"))
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
