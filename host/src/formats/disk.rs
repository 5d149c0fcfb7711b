//! Files, read whole and written whole: a reader never sees half a file, and a
//! failure leaves the old file as it was.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A file that could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    /// Reading failed.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Writing failed.
    #[error("cannot write {path}: {source}; nothing was changed{advice}")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
        /// The way out.
        advice: &'static str,
    },
}

/// Reads a file.
///
/// # Errors
/// [`DiskError::Read`].
pub fn read(path: &Path) -> Result<Vec<u8>, DiskError> {
    fs::read(path).map_err(|source| DiskError::Read {
        path: path.into(),
        source,
    })
}

/// Everything in a folder, in the order of the names.
///
/// # Errors
/// [`DiskError::Read`].
pub fn list(folder: &Path) -> Result<Vec<PathBuf>, DiskError> {
    let failed = |source| DiskError::Read {
        path: folder.into(),
        source,
    };
    let entries: io::Result<Vec<_>> = fs::read_dir(folder).map_err(failed)?.collect();
    let mut paths: Vec<PathBuf> = entries
        .map_err(failed)?
        .iter()
        .map(fs::DirEntry::path)
        .collect();
    paths.sort();
    Ok(paths)
}

/// Writes a file, over an old one if there is one: to a temporary name in the
/// same folder, synced, renamed. Makes the folder where it is missing. A link is
/// followed, and what is no file, such as a pipe, is written to as it is.
///
/// # Errors
/// [`DiskError::Write`].
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), DiskError> {
    let failed = |source| failure(path, source);
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.into());
    match fs::metadata(&target) {
        Ok(found) if found.is_dir() => return Err(failed(io::ErrorKind::IsADirectory.into())),
        Ok(found) if !found.is_file() => return fs::write(&target, bytes).map_err(failed),
        _ => {}
    }
    let temporary = temporary(&target, bytes).map_err(failed)?;
    temporary
        .persist(&target)
        .map_err(|error| failure(path, error.error))?;
    Ok(())
}

/// As [`write()`], but fails with [`io::ErrorKind::AlreadyExists`] where there is
/// a file already.
///
/// # Errors
/// [`DiskError::Write`].
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<(), DiskError> {
    let failed = |source| failure(path, source);
    let temporary = temporary(path, bytes).map_err(failed)?;
    temporary
        .persist_noclobber(path)
        .map_err(|error| failure(path, error.error))?;
    Ok(())
}

/// Removes a file, if it is there.
///
/// # Errors
/// [`DiskError::Write`].
pub fn remove_if_there(path: &Path) -> Result<(), DiskError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(failure(path, source)),
        _ => Ok(()),
    }
}

/// Checks that files can be written to `folder`, before hours are spent on
/// what should go there. Makes the folder where it is missing.
///
/// # Errors
/// [`DiskError::Write`].
pub fn check_writable(folder: &Path) -> Result<(), DiskError> {
    let failed = |source| failure(folder, source);
    fs::create_dir_all(folder).map_err(failed)?;
    tempfile::tempfile_in(folder).map_err(failed)?;
    Ok(())
}

/// Space on a disk that is kept for a file that comes later, and given back when
/// this is dropped. Nobody sees it, and a killed program leaves nothing behind.
#[derive(Debug)]
pub struct Reserve {
    _file: fs::File,
}

/// Keeps `bytes` bytes of space in `folder`. Makes the folder where it is
/// missing.
///
/// # Errors
/// [`DiskError::Write`], if there is not so much space.
pub fn reserve(folder: &Path, bytes: usize) -> Result<Reserve, DiskError> {
    let failed = |source| failure(folder, source);
    fs::create_dir_all(folder).map_err(failed)?;
    let mut file = tempfile::tempfile_in(folder).map_err(failed)?;
    let block = [0; 1 << 16];
    let mut left = bytes;
    while left > 0 {
        let now = left.min(block.len());
        file.write_all(&block[..now]).map_err(failed)?;
        left -= now;
    }
    file.sync_all().map_err(failed)?;
    Ok(Reserve { _file: file })
}

fn temporary(path: &Path, bytes: &[u8]) -> io::Result<tempfile::NamedTempFile> {
    let folder = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder)?;
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.prefix(".rate2spike-").tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// The error of a file that could not be written.
pub(crate) fn failure(path: &Path, source: io::Error) -> DiskError {
    let advice = match source.kind() {
        io::ErrorKind::StorageFull => ". Free some space, or choose another disk",
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            ". Choose a folder that you may write to"
        }
        io::ErrorKind::IsADirectory => ". Give the name of a file",
        _ => "",
    };
    DiskError::Write {
        path: path.into(),
        source,
        advice,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_else_is_left_in_its_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("new/file");
        for text in ["first", "second"] {
            write(&path, text.as_bytes()).expect("a writable folder");
            assert_eq!(read(&path).expect("a readable file"), text.as_bytes());
        }
        let parent = path.parent().expect("a folder");
        assert_eq!(fs::read_dir(parent).expect("a readable folder").count(), 1);
        assert!(write_new(&path, b"third").is_err());
        assert_eq!(read(&path).expect("a readable file"), b"second");
    }

    #[test]
    fn a_reserve_is_seen_by_nobody() {
        let folder = tempfile::tempdir().expect("a folder");
        let inside = folder.path().join("new");
        let reserve = reserve(&inside, 200_000).expect("a writable folder");
        assert_eq!(fs::read_dir(&inside).expect("it was made").count(), 0);
        assert_eq!(reserve._file.metadata().expect("a file").len(), 200_000);
    }

    #[test]
    fn a_folder_is_not_a_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let error = write(folder.path(), b"").expect_err("a folder");
        assert!(error.to_string().contains("Give the name of a file"));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link_and_a_device_a_device() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        write(&file, b"old").expect("a writable folder");
        std::os::unix::fs::symlink(&file, &link).expect("a link");
        write(&link, b"new").expect("a writable file");
        assert!(link.is_symlink());
        assert_eq!(read(&file).expect("a readable file"), b"new");
        write(Path::new("/dev/null"), b"gone").expect("a device");
        assert!(fs::metadata("/dev/null").is_ok_and(|found| !found.is_file()));
    }
}
