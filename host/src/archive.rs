//! A `.zip` on its way into a file.

use std::io::{self, Seek, Write};

use zip::ZipWriter;

/// Writes an archive into `file`, with what `fill` adds; returns the file.
///
/// # Errors
/// The error of `fill` or of the file.
pub fn written<W: Write + Seek>(
    file: W,
    fill: impl FnOnce(&mut ZipWriter<W>) -> io::Result<()>,
) -> io::Result<W> {
    let mut archive = ZipWriter::new(file);
    let done = fill(&mut archive).and_then(|()| Ok(archive.finish()?));
    if done.is_err() {
        // The writer would try once more, and print to standard error what fails.
        std::mem::forget(archive);
    }
    done
}
