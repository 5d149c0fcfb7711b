//! The data sets that are in use: no command writes a file of theirs, or a new file among
//! their recordings.
//!
//! A model names its data set, so that no flag of the command line does. A data set is
//! therefore known here from the moment in which it is read, and as long as it is in memory.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The files and folders in use, once for each use.
static PATHS: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn paths() -> MutexGuard<'static, Vec<PathBuf>> {
    PATHS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Files and folders that are in use until this is dropped.
#[derive(Debug)]
pub struct InUse(Vec<PathBuf>);

impl InUse {
    /// Marks those of `wanted` that are there.
    pub fn new(wanted: &[PathBuf]) -> Self {
        let there: Vec<PathBuf> = wanted
            .iter()
            .filter_map(|path| fs::canonicalize(path).ok())
            .collect();
        paths().extend(there.iter().cloned());
        Self(there)
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        let mut paths = paths();
        for path in &self.0 {
            if let Some(place) = paths.iter().position(|used| used == path) {
                paths.swap_remove(place);
            }
        }
    }
}

/// The data set that a file at `path` would change.
pub fn changed_by(path: &Path) -> Option<PathBuf> {
    let mut used = paths().clone();
    if used.is_empty() {
        return None;
    }
    let mut there = path;
    let whole = loop {
        match fs::canonicalize(there) {
            Ok(whole) => break whole,
            Err(_) => match there.parent() {
                Some(parent) if parent != Path::new("") => there = parent,
                _ => break fs::canonicalize(".").ok()?,
            },
        }
    };
    used.retain(|used| whole.starts_with(used));
    used.pop()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_in_use_as_long_as_its_mark_lives() {
        let folder = tempfile::tempdir().expect("a folder");
        let (data, other) = (folder.path().join("d.npz"), folder.path().join("e.npz"));
        fs::write(&data, "d").expect("a writable folder");
        let first = InUse::new(&[data.clone(), folder.path().join("missing")]);
        let second = InUse::new(std::slice::from_ref(&data));
        drop(first);
        assert!(changed_by(&data).is_some());
        assert_eq!(changed_by(&other), None);
        drop(second);
        assert_eq!(changed_by(&data), None);
    }

    #[test]
    fn a_new_file_in_a_folder_of_recordings_changes_them() {
        let folder = tempfile::tempdir().expect("a folder");
        let _used = InUse::new(&[folder.path().join("."), folder.path().to_path_buf()]);
        for name in ["new.csv", "class/new.csv", "class/deep/new.csv"] {
            assert!(changed_by(&folder.path().join(name)).is_some(), "{name}");
        }
    }
}
