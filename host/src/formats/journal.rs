//! The journal of a search: a file beside the model, from which a search that was
//! killed goes on.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::disk::{self, DiskError};
use super::outputs::{OutputError, Outputs};

/// Time between two writes of a journal.
const EVERY: Duration = Duration::from_secs(2);

/// The journal of one search.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    fingerprint: u64,
    written: Instant,
}

/// The content of the file.
#[derive(Serialize, Deserialize)]
struct Entry<S> {
    /// Fingerprint of the search that the standing belongs to.
    fingerprint: u64,
    /// How far the search has come.
    standing: S,
}

/// A journal that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// A file that cannot be read.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// Another file has the journal's name.
    #[error(transparent)]
    Output(#[from] OutputError),
}

/// What a journal holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Noted<S> {
    /// Nothing: there is no file.
    Nothing,
    /// How far this search has come.
    Own(S),
    /// Another search, which the first note of this one replaces.
    Other,
}

impl Journal {
    /// The journal beside `model` of the search with this fingerprint, and what it holds.
    ///
    /// # Errors
    /// If the file is there and cannot be read, or is no journal.
    pub fn open<S: DeserializeOwned>(
        model: &Path,
        fingerprint: u64,
    ) -> Result<(Self, Noted<S>), JournalError> {
        let journal = Self {
            path: model.with_extension("search.json"),
            fingerprint,
            written: Instant::now(),
        };
        let parsed = |bytes: &[u8]| serde_json::from_slice::<Entry<S>>(bytes).ok();
        Outputs::new().derives("another name of the model", &journal.path, |bytes| {
            parsed(bytes).is_some()
        })?;
        let entry = if journal.path.exists() {
            parsed(&disk::read(&journal.path)?)
        } else {
            None
        };
        Ok(match entry {
            Some(entry) if entry.fingerprint == fingerprint => {
                (journal, Noted::Own(entry.standing))
            }
            Some(_) => (journal, Noted::Other),
            None => (journal, Noted::Nothing),
        })
    }

    /// Notes how far the search has come; writes it once in a while.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn note(&mut self, standing: &impl Serialize) -> Result<(), DiskError> {
        if self.written.elapsed() < EVERY {
            return Ok(());
        }
        let entry = Entry {
            fingerprint: self.fingerprint,
            standing,
        };
        let text = serde_json::to_vec(&entry).expect("plain numbers");
        disk::write(&self.path, &text)?;
        self.written = Instant::now();
        Ok(())
    }

    /// Removes the file, once the result of the search is written.
    ///
    /// # Errors
    /// If the file is there and cannot be removed.
    pub fn remove(self) -> Result<(), DiskError> {
        disk::remove_if_there(&self.path)
    }
}
