//! A task on the command line and in a file: a built-in one by its name, one of
//! the user's own as TOML, or a data set.

use std::path::{Path, PathBuf};

use super::disk::{self, DiskError};
use super::kind;
use crate::data;
use crate::ending::ends_in;
use crate::task::pulses::{Spec, SpecError};
use crate::task::{self, Task};
use crate::text::decoded;

/// A task that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TaskFileError {
    /// The file cannot be read.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// Nothing is in the file.
    #[error(
        "{path}: the file is empty, and describes no task; `rate2spike trials --help` shows the fields"
    )]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The bytes are no text.
    #[error("{path}: this is {kind}, and a task is a text in UTF-8 or UTF-16 (TOML)")]
    NoText {
        /// The file.
        path: PathBuf,
        /// What the file is.
        kind: &'static str,
    },
    /// The text is not TOML, or has other fields.
    #[error("{path}: {source}")]
    Toml {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: Box<toml::de::Error>,
    },
    /// A value makes no sense.
    #[error("{path}: {source}")]
    Value {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: SpecError,
    },
}

/// The task that a command line names: a built-in one, or a file.
///
/// # Errors
/// A sentence, if there is no such task.
pub fn parse(text: &str) -> Result<Task, String> {
    if ends_in(Path::new(text), "toml") {
        return read(Path::new(text)).map_err(|error| error.to_string());
    }
    if let Some(task) = Task::from_name(text) {
        return Ok(task);
    }
    if data::is_path(text) {
        let task = data::task(Path::new(text), data::Settings::default());
        return task.map_err(|error| error.to_string());
    }
    Err(task::unknown(text))
}

/// The task in `path`.
///
/// # Errors
/// If the file cannot be read, or describes no task.
pub fn read(path: &Path) -> Result<Task, TaskFileError> {
    let bytes = disk::read(path)?;
    let text = decoded(&bytes).ok_or_else(|| TaskFileError::NoText {
        path: path.into(),
        kind: kind::name(&bytes),
    })?;
    if text.trim().is_empty() {
        return Err(TaskFileError::Empty { path: path.into() });
    }
    let spec: Spec = toml::from_str(&text).map_err(|source| TaskFileError::Toml {
        path: path.into(),
        source: Box::new(source),
    })?;
    spec.task().map_err(|source| TaskFileError::Value {
        path: path.into(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::pulses::EXAMPLE;

    /// The example in UTF-16, with a byte-order mark if `mark`.
    fn utf16(order: fn(u16) -> [u8; 2], mark: bool) -> Vec<u8> {
        let mark = mark.then_some(0xfeff);
        let units = mark.into_iter().chain(EXAMPLE.encode_utf16());
        units.flat_map(order).collect()
    }

    fn read_bytes(name: &str, bytes: &[u8]) -> Result<Task, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("a writable folder");
        parse(path.to_str().expect("a name in UTF-8"))
    }

    #[test]
    fn a_task_is_read_in_every_encoding_of_a_text_editor() {
        let wanted = read_bytes("t.toml", EXAMPLE.as_bytes()).expect("a task");
        for (name, bytes) in [
            ("t.TOML", EXAMPLE.into()),
            ("crlf.toml", EXAMPLE.replace('\n', "\r\n").into_bytes()),
            ("bom.Toml", format!("\u{feff}{EXAMPLE}").into_bytes()),
            ("little.toml", utf16(u16::to_le_bytes, true)),
            ("big.toml", utf16(u16::to_be_bytes, true)),
            ("little-without.toml", utf16(u16::to_le_bytes, false)),
            ("big-without.toml", utf16(u16::to_be_bytes, false)),
        ] {
            let task = read_bytes(name, &bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(task, wanted, "{name}");
            assert_eq!(task.fingerprint(), wanted.fingerprint(), "{name}");
        }
    }

    #[test]
    fn a_file_that_is_no_text_is_called_by_its_name() {
        let cut = &utf16(u16::to_le_bytes, true)[..101];
        for (bytes, part) in [
            (&b""[..], "empty"),
            (b" \r\n\t", "empty"),
            (b"\xff\xfe", "empty"),
            (cut, "UTF-16"),
            (b"\x1f\x8b\x08\0\0\0", "gzip"),
            (b"name = \"\xe4\"", "unknown kind"),
        ] {
            let error = read_bytes("t.toml", bytes).expect_err(part);
            assert!(error.contains(part) && error.contains("t.toml"), "{error}");
        }
        let folder = tempfile::Builder::new().suffix(".toml").tempdir();
        let folder = folder.expect("a folder");
        let error = parse(folder.path().to_str().expect("UTF-8")).expect_err("a folder");
        assert!(error.contains("irectory"), "{error}");
    }
}
