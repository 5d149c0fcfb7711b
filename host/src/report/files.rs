//! The files of a run: its rate model, and the deployed network beside it.

use std::path::{Path, PathBuf};

use crate::ending::ends_in;
use crate::formats::disk::{self, DiskError};
use crate::formats::rate_model::RateModelFile;
use crate::formats::snn::{AnyNetFile, SnnError};
use crate::task::Task;

/// A folder that does not hold one rate model.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// The folder cannot be read.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The folder holds no model.
    #[error(
        "{folder}: no rate model in or below it; `rate2spike pipeline TASK --output {folder}` makes one"
    )]
    NoModel {
        /// The folder.
        folder: PathBuf,
    },
    /// The folder holds several models.
    #[error("{folder}: {count} rate models in or below it; name one, for instance {last}")]
    SeveralModels {
        /// The folder.
        folder: PathBuf,
        /// The number of models.
        count: usize,
        /// The last model.
        last: PathBuf,
    },
}

/// The one rate model in or below a folder; a path that is no folder is the model.
///
/// # Errors
/// [`FindError`].
pub fn find_model(path: &Path) -> Result<PathBuf, FindError> {
    if !path.is_dir() {
        return Ok(path.into());
    }
    let mut found = Vec::new();
    add_models(path, &mut found)?;
    found.sort();
    let folder = path.into();
    match &found[..] {
        [model] => Ok(model.clone()),
        [] => Err(FindError::NoModel { folder }),
        [.., last] => Err(FindError::SeveralModels {
            folder,
            count: found.len(),
            last: last.clone(),
        }),
    }
}

fn add_models(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), DiskError> {
    for path in disk::list(folder)? {
        if path.is_dir() && !path.is_symlink() {
            add_models(&path, found)?;
        } else if ends_in(&path, "mat") && RateModelFile::read(&path).is_ok() {
            found.push(path);
        }
    }
    Ok(())
}

/// The deployed network beside `model`, with its bytes; `None` if no file is there.
///
/// # Errors
/// If the file is there and is not a network for `task`.
pub fn deployed_beside(model: &Path, task: &Task) -> Result<Option<(PathBuf, Vec<u8>)>, SnnError> {
    let path = model.with_extension("snn");
    if !path.is_file() {
        return Ok(None);
    }
    let bytes = disk::read(&path)?;
    match AnyNetFile::new(&path, bytes.clone())? {
        AnyNetFile::Fixed(file) => file.task(Some(task))?,
        AnyNetFile::Float(file) => file.task(Some(task))?,
    };
    Ok(Some((path, bytes)))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const MODEL: &str = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/fixtures/models/Task_go-nogo_N_200_Taus_4.0_20.0_Act_sigmoid_2026_11_23_010105.mat"
    );

    #[test]
    fn the_one_model_below_a_folder_is_found_and_other_files_are_passed_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let below = folder.path().join("models/go-nogo");
        fs::create_dir_all(&below).expect("a writable folder");
        let error = find_model(folder.path()).expect_err("no model");
        assert!(matches!(error, FindError::NoModel { .. }), "{error}");
        fs::write(below.join("recording.mat"), "no model").expect("a writable folder");
        fs::copy(MODEL, below.join("Task.mat")).expect("a writable folder");
        let found = find_model(folder.path()).expect("one model");
        assert_eq!(found, below.join("Task.mat"));
        fs::copy(MODEL, folder.path().join("other.mat")).expect("a writable folder");
        let error = find_model(folder.path())
            .expect_err("two models")
            .to_string();
        assert!(error.contains("2 rate models"), "{error}");
    }

    #[test]
    fn a_path_that_is_no_folder_is_the_model() {
        let path = Path::new("missing/m.mat");
        assert_eq!(find_model(path).expect("a name"), path);
    }

    #[test]
    fn a_file_beside_the_model_that_is_no_network_is_an_error() {
        let folder = tempfile::tempdir().expect("a folder");
        let model = folder.path().join("m.mat");
        let beside = |task| deployed_beside(&model, &task);
        assert!(beside(Task::go_nogo()).is_ok_and(|found| found.is_none()));
        fs::write(folder.path().join("m.snn"), "no network").expect("a writable folder");
        let error = beside(Task::go_nogo()).expect_err("no network").to_string();
        assert!(error.contains("m.snn"), "{error}");
    }
}
