//! A project of several files in a folder, as the exports to C and Verilog write it.

use std::path::{Path, PathBuf};

use crate::formats::disk::{self, DiskError};
use crate::formats::outputs::{OutputError, Outputs};

/// A file of a project.
#[derive(Clone, Debug)]
pub struct File {
    /// The file's name, with `/` between folders.
    pub name: String,
    /// The file's content.
    pub bytes: Vec<u8>,
}

impl File {
    /// A file with this text.
    pub fn new(name: &str, text: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            bytes: text.into().into_bytes(),
        }
    }
}

/// A file that cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The output would replace a file of another program.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// The disk refused the file.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

/// Writes `files` into `folder`, which is made if it is missing, and returns their
/// paths. Nothing is written if one of them would replace a file whose content
/// `ours` does not know.
///
/// # Errors
/// [`FolderError`].
pub fn write(
    folder: &Path,
    files: &[File],
    mut outputs: Outputs,
    ours: impl Fn(&[u8]) -> bool,
) -> Result<Vec<PathBuf>, FolderError> {
    let paths: Vec<PathBuf> = files.iter().map(|file| folder.join(&file.name)).collect();
    for path in &paths {
        outputs.derives("--output", path, &ours)?;
    }
    let contents: Vec<(PathBuf, &[u8])> = paths
        .iter()
        .zip(files)
        .map(|(path, file)| (path.clone(), file.bytes.as_slice()))
        .collect();
    disk::write_all(&contents)?;
    Ok(paths)
}
