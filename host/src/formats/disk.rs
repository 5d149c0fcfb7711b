//! Files, read whole and written whole: a reader never sees half a file, and a failure
//! leaves the old file as it was.

use std::fs;
use std::io::{self, Seek, Write};
use std::path::{Component, Path, PathBuf};

use crate::{in_use, interrupt};

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
    /// The file is there and its mode forbids writing.
    #[error(
        "cannot write {path}: it is write-protected; nothing was changed. Give another name, or allow writing with chmod u+w"
    )]
    Protected {
        /// The file.
        path: PathBuf,
    },
    /// A link that leads to no file.
    #[error(
        "cannot write {path}: it is a link to {target}, which is not there; nothing was changed. Remove the link, or give another name"
    )]
    Dangling {
        /// The link.
        path: PathBuf,
        /// The missing file.
        target: PathBuf,
    },
    /// The file belongs to a data set that is in use.
    #[error(
        "cannot write {path}: it belongs to the data set {data}, which this command reads; nothing was changed. Give a name elsewhere"
    )]
    InUse {
        /// The file.
        path: PathBuf,
        /// The file or folder of the data set.
        data: PathBuf,
    },
    /// The path goes through a missing folder and back.
    #[error(
        "cannot write {path}: the folder {folder} is not there, so that .. leads nowhere; nothing was changed. Leave both out of the path"
    )]
    Detour {
        /// The file.
        path: PathBuf,
        /// The missing folder.
        folder: PathBuf,
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

/// The folder that a file lies in.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// Checks that a file may be written at `path`, whether or not there is one.
///
/// # Errors
/// [`DiskError::Dangling`], [`DiskError::Protected`], [`DiskError::InUse`] or
/// [`DiskError::Detour`].
pub fn check_replaceable(path: &Path) -> Result<(), DiskError> {
    check_unused(path)?;
    // A folder that is made on the way would give `..` a meaning after all checks.
    let mut way = PathBuf::new();
    for part in path.components() {
        if part == Component::ParentDir && !way.as_os_str().is_empty() && !way.exists() {
            return Err(DiskError::Detour {
                path: path.into(),
                folder: way,
            });
        }
        way.push(part);
    }
    match fs::metadata(path) {
        Ok(found) if found.is_file() && found.permissions().readonly() => {
            Err(DiskError::Protected { path: path.into() })
        }
        Ok(_) => Ok(()),
        Err(_) => match fs::read_link(path) {
            Ok(target) => Err(DiskError::Dangling {
                path: path.into(),
                target,
            }),
            Err(_) => Ok(()),
        },
    }
}

/// Checks that `path` belongs to no data set that is in use.
fn check_unused(path: &Path) -> Result<(), DiskError> {
    match in_use::changed_by(path) {
        Some(data) => Err(DiskError::InUse {
            path: path.into(),
            data,
        }),
        None => Ok(()),
    }
}

/// Checks, before hours of work, that the file at `path` can be written anew: see
/// [`check_replaceable`] and [`check_writable`].
///
/// # Errors
/// [`DiskError`].
pub fn check_rewritable(path: &Path) -> Result<(), DiskError> {
    check_replaceable(path)?;
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.into());
    if fs::metadata(&target).is_ok_and(|found| !found.is_file()) {
        return Ok(());
    }
    check_writable(folder_of(&target))
}

/// Writes a file, over an old one if there is one: to a temporary name in the same
/// folder, synced, renamed. The file keeps the mode of the old one and, where the
/// system allows it, its owner. Makes the folder where it is missing. A link is
/// followed; a pipe or a device is written to as it is.
///
/// # Errors
/// [`DiskError::Write`], [`DiskError::Protected`], [`DiskError::Dangling`].
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), DiskError> {
    let failed = |source| failure(path, source);
    let target = Destination::of(path)?;
    if target.is_device() {
        return fs::write(&target.path, bytes).map_err(failed);
    }
    let _held = interrupt::hold();
    let temporary = temporary(&target.path, bytes).map_err(failed)?;
    target.replace(temporary).map_err(failed)
}

/// Writes several files, or none of them: all are complete under temporary names before the
/// first one gets its name. A folder that was made for them and stays empty is removed.
///
/// # Errors
/// [`DiskError`], of the first file that cannot be written.
pub fn write_all(files: &[(PathBuf, &[u8])]) -> Result<(), DiskError> {
    let _held = interrupt::hold();
    let mut made = Vec::new();
    let mut prepare = || {
        let mut prepared = Vec::with_capacity(files.len());
        for (path, bytes) in files {
            let target = Destination::of(path)?;
            let missing = folder_of(&target.path).ancestors();
            made.extend(
                missing
                    .take_while(|folder| *folder != Path::new("") && !folder.exists())
                    .map(Path::to_path_buf),
            );
            let temporary =
                temporary(&target.path, bytes).map_err(|source| failure(path, source))?;
            prepared.push((path, target, temporary));
        }
        prepared
            .into_iter()
            .try_for_each(|(path, target, temporary)| {
                target
                    .replace(temporary)
                    .map_err(|source| failure(path, source))
            })
    };
    let written = prepare();
    if written.is_err() {
        // Deepest first; a folder with files stays.
        made.sort_by_key(|folder| std::cmp::Reverse(folder.components().count()));
        for folder in made {
            let _ = fs::remove_dir(folder);
        }
    }
    written
}

/// The file that a path leads to.
struct Destination {
    path: PathBuf,
    /// The file that is there.
    old: Option<fs::Metadata>,
}

impl Destination {
    fn of(path: &Path) -> Result<Self, DiskError> {
        check_replaceable(path)?;
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.into());
        let old = fs::metadata(&target).ok();
        if old.as_ref().is_some_and(fs::Metadata::is_dir) {
            return Err(failure(path, io::ErrorKind::IsADirectory.into()));
        }
        Ok(Self { path: target, old })
    }

    /// True for a pipe or a device.
    fn is_device(&self) -> bool {
        self.old.as_ref().is_some_and(|old| !old.is_file())
    }

    /// Renames a temporary file, which gets the mode of the old one.
    fn replace(self, temporary: tempfile::NamedTempFile) -> io::Result<()> {
        if let Some(old) = self.old {
            keep_mode_and_owner(temporary.as_file(), &old)?;
        }
        temporary.persist(&self.path).map_err(|error| error.error)?;
        Ok(())
    }
}

fn keep_mode_and_owner(file: &fs::File, old: &fs::Metadata) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, fchown};
        let new = file.metadata()?;
        if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
            // Only the superuser may give a file away; the others keep their own.
            let _ = fchown(file, Some(old.uid()), Some(old.gid()));
        }
    }
    // Last: a change of the owner takes bits away.
    file.set_permissions(old.permissions())
}

/// Writes a file like [`write()`], but fails with [`io::ErrorKind::AlreadyExists`]
/// where there is a file already.
///
/// # Errors
/// [`DiskError::Write`].
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<(), DiskError> {
    let failed = |source| failure(path, source);
    let _held = interrupt::hold();
    let temporary = temporary(path, bytes).map_err(failed)?;
    temporary
        .persist_noclobber(path)
        .map_err(|error| failure(path, error.error))?;
    Ok(())
}

/// A file that grows piece by piece. After a signal a further piece is an error, so that
/// no signal waits for the end of a large file.
#[derive(Debug)]
pub struct Pieces<'f>(&'f mut fs::File);

impl Write for Pieces<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if interrupt::asked() {
            return Err(io::Error::other("interrupted"));
        }
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Seek for Pieces<'_> {
    fn seek(&mut self, position: io::SeekFrom) -> io::Result<u64> {
        self.0.seek(position)
    }
}

/// Writes a file like [`write()`], in pieces: `fill` writes into the temporary
/// file, so that the whole need not be in memory.
///
/// # Errors
/// [`DiskError::Write`], also if `fill` fails or a signal ends the program.
pub fn write_with(
    path: &Path,
    fill: impl FnOnce(&mut Pieces<'_>) -> io::Result<()>,
) -> Result<(), DiskError> {
    let failed = |source| failure(path, source);
    let target = Destination::of(path)?;
    if target.is_device() {
        // A pipe takes bytes in their order only.
        let mut whole = tempfile::tempfile().map_err(failed)?;
        let copied = fill(&mut Pieces(&mut whole)).and_then(|()| {
            whole.rewind()?;
            let mut out = fs::OpenOptions::new().write(true).open(&target.path)?;
            io::copy(&mut whole, &mut out)
        });
        return copied.map(|_| ()).map_err(failed);
    }
    let _held = interrupt::hold();
    let mut temporary = temporary(&target.path, &[]).map_err(failed)?;
    let file = temporary.as_file_mut();
    fill(&mut Pieces(file)).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    target.replace(temporary).map_err(failed)
}

/// An unnamed file in the folder of `path`, for numbers that have no place in
/// memory. It is gone when it is dropped, or when the program is killed.
///
/// # Errors
/// [`DiskError::Write`].
pub fn scratch(path: &Path) -> Result<fs::File, DiskError> {
    let file = match fs::metadata(path) {
        // A pipe or a device has no folder of its own.
        Ok(found) if !found.is_file() => tempfile::tempfile(),
        _ => tempfile::tempfile_in(folder_of(path)),
    };
    file.map_err(|source| failure(path, source))
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

/// Checks that files can be written to `folder`, before hours of work. Where the
/// folder is missing, checks that it can be made, and does not make it.
///
/// # Errors
/// [`DiskError::Write`] or [`DiskError::InUse`].
pub fn check_writable(folder: &Path) -> Result<(), DiskError> {
    check_unused(folder)?;
    let there = folder.ancestors().find(|path| path.exists());
    let there = there.unwrap_or(Path::new("."));
    tempfile::tempfile_in(there).map_err(|source| failure(folder, source))?;
    Ok(())
}

/// Space on a disk that is kept for a later file, and given back when the reserve is
/// dropped. The space has no name, so a killed program leaves nothing behind.
#[derive(Debug)]
pub struct Reserve {
    _file: fs::File,
}

/// Keeps `bytes` bytes of space in `folder`. Makes the folder where it is
/// missing.
///
/// # Errors
/// [`DiskError::Write`], if the disk has less space.
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
    let folder = folder_of(path);
    fs::create_dir_all(folder)?;
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let file = builder.prefix(".rate2spike-").tempfile_in(folder);
    let mut file = file.map_err(without_path)?;
    file.write_all(bytes).map_err(without_path)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// An error of a temporary file in the system's words, without that file's name, which tells a
/// user nothing.
fn without_path(error: io::Error) -> io::Error {
    match error.to_string().split_once(" at path ") {
        Some((words, _)) => io::Error::new(error.kind(), words),
        None => error,
    }
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
    fn the_error_of_a_temporary_file_has_the_system_s_words_and_not_its_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let missing = folder.path().join("missing");
        let wanted = fs::read_dir(&missing).expect_err("no folder").to_string();
        let named = tempfile::NamedTempFile::new_in(&missing).expect_err("no folder");
        assert!(named.to_string().contains("missing"), "{named}");
        let found = without_path(named);
        assert_eq!(found.to_string(), wanted);
        assert_eq!(found.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn several_files_are_written_together_or_not_at_all() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        write_all(&[(at("a"), b"1"), (at("new/b"), b"2")]).expect("a writable folder");
        assert_eq!(read(&at("new/b")).expect("a file"), b"2");
        // A folder is no file.
        fs::create_dir(at("taken")).expect("a writable folder");
        let files: [(PathBuf, &[u8]); 2] = [(at("other/deep/c"), b"3"), (at("taken"), b"4")];
        write_all(&files).expect_err("the second one");
        assert!(!at("other").exists());
    }

    #[test]
    fn a_way_through_a_missing_folder_and_back_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("m.mat"), "m").expect("a writable folder");
        for way in ["missing/../m.mat", "a/b/../../m.mat", "missing/../new"] {
            let path = folder.path().join(way);
            let error = write(&path, b"new").expect_err(way).to_string();
            assert!(error.contains("is not there"), "{error}");
        }
        assert_eq!(read(&folder.path().join("m.mat")).expect("a file"), b"m");
        assert_eq!(list(folder.path()).expect("a folder").len(), 1);
    }

    #[test]
    fn a_file_of_a_data_set_in_use_is_not_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("d.npz");
        write(&path, b"old").expect("a writable folder");
        let used = in_use::InUse::new(std::slice::from_ref(&path));
        for error in [write(&path, b"new"), check_rewritable(&path)] {
            assert!(matches!(error, Err(DiskError::InUse { .. })), "{error:?}");
        }
        drop(used);
        write(&path, b"new").expect("it is not in use");
    }

    #[test]
    fn a_reserve_has_no_name() {
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

    #[cfg(unix)]
    #[test]
    fn a_file_keeps_its_mode_when_it_is_written_anew() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        for mode in [0o600, 0o640, 0o755] {
            fs::write(&path, b"old").expect("a writable folder");
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("our file");
            write(&path, b"new").expect("a writable file");
            let found = fs::metadata(&path).expect("a file").permissions().mode();
            assert_eq!(found & 0o777, mode);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_protected_file_is_not_written_over() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        fs::write(&path, b"old").expect("a writable folder");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).expect("our file");
        for error in [check_rewritable(&path), write(&path, b"new")] {
            let error = error.expect_err("it is protected").to_string();
            assert!(error.contains("chmod u+w"), "{error}");
        }
        assert_eq!(read(&path).expect("a readable file"), b"old");
    }

    #[cfg(unix)]
    #[test]
    fn a_dangling_link_is_not_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let (link, target) = (folder.path().join("link"), folder.path().join("gone"));
        std::os::unix::fs::symlink(&target, &link).expect("a link");
        let error = write(&link, b"new").expect_err("it leads to no file");
        assert!(error.to_string().contains("gone"), "{error}");
        assert!(link.is_symlink() && !target.exists());
    }
}
