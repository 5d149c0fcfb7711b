//! The one place that decides whether a file may be written: no input is written over,
//! no file is written twice, and no file is replaced that the user did not name.
//!
//! A command states its inputs and outputs before it computes anything. Files are
//! compared by device and inode, so links and detours such as `./../` deceive nobody.

use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};

use super::disk::{self, DiskError};

/// A file that must not be written.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// The output is an input.
    #[error(
        "{flag} {path}: the command reads this file ({input}) and would destroy it; give another name"
    )]
    IsInput {
        /// The flag that names the output.
        flag: String,
        /// The output.
        path: PathBuf,
        /// The flag that names the input.
        input: String,
    },
    /// Two outputs are one file.
    #[error("{flag} {path}: {other} writes the same file; give another name")]
    Twice {
        /// The flag that names the output.
        flag: String,
        /// The output.
        path: PathBuf,
        /// The flag that names it too.
        other: String,
    },
    /// A file that the user did not name is there already, and another program wrote it.
    #[error(
        "{path} would be replaced, but rate2spike did not write it: move it away, or give another name with {flag}"
    )]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The flag that chooses another name.
        flag: String,
    },
    /// The file cannot be written, or not be read to find out who wrote it.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

/// What a file is, however it is named.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Identity {
    /// A regular file, a pipe, …
    There(Node),
    /// A name in a folder that is there.
    New(Node, OsString),
    /// A name in a folder that is still to be made.
    Elsewhere(PathBuf),
}

#[cfg(unix)]
type Node = (u64, u64);
#[cfg(not(unix))]
type Node = PathBuf;

#[cfg(unix)]
fn node(_path: &Path, found: &Metadata) -> Node {
    use std::os::unix::fs::MetadataExt;
    (found.dev(), found.ino())
}

#[cfg(not(unix))]
fn node(path: &Path, _found: &Metadata) -> Node {
    fs::canonicalize(path).unwrap_or_else(|_| path.into())
}

impl Identity {
    fn of(path: &Path) -> Self {
        if let Ok(found) = fs::metadata(path) {
            return Self::There(node(path, &found));
        }
        let folder = disk::folder_of(path);
        match (fs::metadata(folder), path.file_name()) {
            (Ok(found), Some(name)) => Self::New(node(folder, &found), name.into()),
            _ => Self::Elsewhere(path.into()),
        }
    }
}

/// A file with the flag that names it.
#[derive(Clone, Debug)]
struct Named {
    flag: String,
    identity: Identity,
}

/// The files of a command.
#[derive(Clone, Debug, Default)]
pub struct Outputs {
    inputs: Vec<Named>,
    outputs: Vec<Named>,
}

impl Outputs {
    /// No files yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file that the command reads. Folders, pipes and missing files need no
    /// protection.
    pub fn reads(&mut self, flag: impl Into<String>, path: &Path) {
        if fs::metadata(path).is_ok_and(|found| found.is_file()) {
            self.inputs.push(Named {
                flag: flag.into(),
                identity: Identity::of(path),
            });
        }
    }

    /// Adds a file that the user named as an output: it may be replaced.
    ///
    /// # Errors
    /// [`OutputError`], if it is an input or another output, a link to no file, or
    /// protected.
    pub fn writes(&mut self, flag: impl Into<String>, path: &Path) -> Result<(), OutputError> {
        let flag = flag.into();
        let found = fs::metadata(path);
        // A folder is refused by what writes to it; a device takes everything.
        if found.is_ok_and(|found| !found.is_file()) {
            return Ok(());
        }
        let identity = Identity::of(path);
        let same = |files: &[Named]| {
            let named = files.iter().find(|file| file.identity == identity);
            named.map(|file| file.flag.clone())
        };
        if let Some(input) = same(&self.inputs) {
            let path = path.into();
            return Err(OutputError::IsInput { flag, path, input });
        }
        if let Some(other) = same(&self.outputs) {
            let path = path.into();
            return Err(OutputError::Twice { flag, path, other });
        }
        disk::check_replaceable(path)?;
        self.outputs.push(Named { flag, identity });
        Ok(())
    }

    /// Adds a file that the user did not name, such as one beside the named one. It is
    /// replaced only if `ours` finds that this program wrote its content; `flag` is the
    /// flag that chooses another name.
    ///
    /// # Errors
    /// [`OutputError`].
    pub fn derives(
        &mut self,
        flag: impl Into<String>,
        path: &Path,
        ours: impl Fn(&[u8]) -> bool,
    ) -> Result<(), OutputError> {
        let flag = flag.into();
        self.writes(flag.clone(), path)?;
        let foreign = match fs::metadata(path) {
            Ok(found) if found.is_file() => !ours(&disk::read(path)?),
            Ok(_) => true,
            Err(_) => false,
        };
        if foreign {
            let path = path.into();
            return Err(OutputError::Foreign { path, flag });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_with(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("sub")).expect("a folder");
        for name in names {
            fs::write(folder.path().join(name), name).expect("a writable folder");
        }
        folder
    }

    #[cfg(unix)]
    #[test]
    fn an_input_is_known_under_every_name() {
        let folder = folder_with(&["m.mat"]);
        let at = |name: &str| folder.path().join(name);
        std::os::unix::fs::symlink(at("m.mat"), at("soft.mat")).expect("a link");
        fs::hard_link(at("m.mat"), at("hard.mat")).expect("a link");
        let mut files = Outputs::new();
        files.reads("MODEL.mat", &at("m.mat"));
        for name in ["m.mat", "soft.mat", "hard.mat", "sub/../m.mat", "./m.mat"] {
            let error = files.writes("--output", &at(name)).expect_err(name);
            assert!(error.to_string().contains("MODEL.mat"), "{error}");
        }
        files.writes("--output", &at("new.mat")).expect("no input");
    }

    #[test]
    fn two_outputs_are_not_one_file_even_before_it_is_there() {
        let folder = folder_with(&[]);
        let at = |name: &str| folder.path().join(name);
        let mut files = Outputs::new();
        files.writes("--output", &at("a.svg")).expect("free");
        let error = files.writes("--plot", &at("sub/../a.svg"));
        let error = error.expect_err("the same file").to_string();
        assert!(
            error.contains("--plot") && error.contains("--output"),
            "{error}"
        );
    }

    #[test]
    fn a_neighbour_is_replaced_only_if_it_is_ours() {
        let folder = folder_with(&["ours", "theirs"]);
        let at = |name: &str| folder.path().join(name);
        let ours = |bytes: &[u8]| bytes == b"ours";
        let mut files = Outputs::new();
        files.derives("--output", &at("ours"), ours).expect("ours");
        files.derives("--output", &at("none"), ours).expect("free");
        let error = files.derives("--output", &at("theirs"), ours);
        let error = error.expect_err("a foreign file").to_string();
        assert!(
            error.contains("theirs") && error.contains("--output"),
            "{error}"
        );
    }

    #[cfg(unix)]
    #[test]
    fn devices_take_everything() {
        let mut files = Outputs::new();
        for flag in ["--output", "--plot"] {
            files
                .writes(flag, Path::new("/dev/null"))
                .expect("a device");
        }
    }
}
