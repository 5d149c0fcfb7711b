//! The losses of trainings as they come, in a text file with commas:
//!
//! ```text
//! seed,update,loss,evaluation_loss,evaluation_accuracy
//! 1,0,8.71,,
//! 1,1,8.69,8.70,0.51
//! ```
//!
//! Updates count from 0; the last two are empty between evaluations.

use std::fs::{File, OpenOptions};
use std::io::{self, LineWriter, Read, Write};
use std::path::{Path, PathBuf};

use super::disk::{self, DiskError};
use crate::rate::evaluation::Evaluation;

const HEADER: &str = "seed,update,loss,evaluation_loss,evaluation_accuracy";

/// A file that grows by a line an update.
#[derive(Debug)]
pub struct LossesFile {
    path: PathBuf,
    lines: LineWriter<File>,
}

impl LossesFile {
    /// A new file in place of an old file of losses.
    ///
    /// # Errors
    /// [`DiskError::Write`], also if the file holds something else: nobody wants it
    /// replaced.
    pub fn create(path: &Path) -> Result<Self, DiskError> {
        check_ours(path)?;
        disk::write(path, format!("{HEADER}\n").as_bytes())?;
        Self::open(path)
    }

    /// The file of a training that goes on; a new one where no file is there.
    ///
    /// # Errors
    /// [`DiskError`].
    pub fn resume(path: &Path) -> Result<Self, DiskError> {
        if path.exists() {
            check_ours(path)?;
            Self::open(path)
        } else {
            Self::create(path)
        }
    }

    fn open(path: &Path) -> Result<Self, DiskError> {
        let file = OpenOptions::new()
            .append(true)
            .open(path)
            .map_err(|source| disk::failure(path, source))?;
        Ok(Self {
            path: path.into(),
            lines: LineWriter::new(file),
        })
    }

    /// Adds an update.
    ///
    /// # Errors
    /// [`DiskError::Write`].
    pub fn add(
        &mut self,
        seed: u64,
        update: usize,
        loss: f32,
        evaluation: Option<&Evaluation>,
    ) -> Result<(), DiskError> {
        let evaluation = evaluation.map_or(",".into(), |evaluation| {
            format!("{},{}", evaluation.loss, evaluation.accuracy)
        });
        writeln!(self.lines, "{seed},{update},{loss},{evaluation}")
            .map_err(|source| disk::failure(&self.path, source))
    }

    /// Drops the lines of `seed` from `update` on, and a last one that was cut:
    /// a training that goes on writes them again.
    ///
    /// # Errors
    /// [`DiskError`].
    pub fn forget_from(&mut self, seed: u64, update: usize) -> Result<(), DiskError> {
        let bytes = disk::read(&self.path)?;
        let text = String::from_utf8_lossy(&bytes);
        let stays = |line: &&str| {
            let mut fields = line.split(',');
            let (of, at) = (fields.next(), fields.next());
            let later = at
                .and_then(|at| at.parse().ok())
                .is_some_and(|at: usize| at >= update);
            line.ends_with('\n') && !(of == Some(&seed.to_string()) && later)
        };
        let kept: String = text.split_inclusive('\n').filter(stays).collect();
        if kept.len() < text.len() {
            disk::write(&self.path, kept.as_bytes())?;
            *self = Self::open(&self.path)?;
        }
        Ok(())
    }
}

/// Refuses a file that holds something else than losses.
fn check_ours(path: &Path) -> Result<(), DiskError> {
    let Ok(found) = std::fs::metadata(path) else {
        return Ok(());
    };
    if !found.is_file() || found.len() == 0 {
        return Ok(());
    }
    let failed = |source| DiskError::Read {
        path: path.into(),
        source,
    };
    let mut first = Vec::new();
    let file = File::open(path).map_err(failed)?;
    let length = HEADER.len() as u64;
    file.take(length).read_to_end(&mut first).map_err(failed)?;
    if first == HEADER.as_bytes() {
        return Ok(());
    }
    let reason = "it is there and holds something else than losses; give another name";
    let source = io::Error::new(io::ErrorKind::AlreadyExists, reason);
    Err(disk::failure(path, source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_something_else_is_never_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("task.toml");
        std::fs::write(&path, "name = \"mine\"\n").expect("a writable folder");
        for open in [LossesFile::create, LossesFile::resume] {
            let error = open(&path).expect_err("a task").to_string();
            assert!(error.contains("task.toml"), "{error}");
            assert!(error.contains("another name"), "{error}");
        }
        let text = std::fs::read_to_string(&path).expect("a file");
        assert_eq!(text, "name = \"mine\"\n");
        let own = folder.path().join("losses.csv");
        LossesFile::create(&own).expect("a writable folder");
        LossesFile::create(&own).expect("a file of losses");
    }

    #[test]
    fn a_training_that_goes_on_leaves_no_line_twice() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("losses.csv");
        let mut file = LossesFile::create(&path).expect("a writable folder");
        for (seed, update) in [(1, 0), (2, 0), (1, 1), (2, 1), (1, 2)] {
            file.add(seed, update, 0.5, None).expect("a writable file");
        }
        drop(file);
        // Killed in the middle of a line.
        let mut bytes = std::fs::read(&path).expect("a file");
        bytes.extend(b"2,2,0.");
        std::fs::write(&path, bytes).expect("a writable file");
        let mut file = LossesFile::resume(&path).expect("a writable file");
        file.forget_from(1, 1).expect("a writable file");
        file.add(1, 1, 0.25, None).expect("a writable file");
        let text = std::fs::read_to_string(&path).expect("a file");
        assert_eq!(
            text,
            format!("{HEADER}\n1,0,0.5,,\n2,0,0.5,,\n2,1,0.5,,\n1,1,0.25,,\n")
        );
    }
}
