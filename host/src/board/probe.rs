//! Writes the flash of a board through a debug probe, with the external program probe-rs.

use std::io;
use std::path::Path;
use std::process::{Command, Output};

use super::target::Target;
use crate::formats::image::Image;

/// The reason why probe-rs did not write the flash.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The program is missing.
    #[error(
        "probe-rs is not installed: see https://probe.rs, or write an image with --format and copy it to the board"
    )]
    Missing,
    /// The program does not start, or its file cannot be made.
    #[error("probe-rs: {0}")]
    Start(io::Error),
    /// The program failed.
    #[error(
        "probe-rs could not write {what}: {said}; is the probe connected, and the board powered?"
    )]
    Failed {
        /// The part that was to be written.
        what: &'static str,
        /// The message of the program.
        said: String,
    },
}

/// Writes an image into the flash of `target`, and restarts the board.
///
/// # Errors
/// If probe-rs is missing or fails.
pub fn flash(target: &Target, what: &'static str, image: &Image) -> Result<(), ProbeError> {
    let folder = tempfile::tempdir().map_err(ProbeError::Start)?;
    let file = folder.path().join("image.bin");
    std::fs::write(&file, &image.bytes).map_err(ProbeError::Start)?;
    run(what, &download(target, image.address, &file))?;
    run(what, &["reset".into(), "--chip".into(), target.chip.into()])
}

fn download(target: &Target, address: u32, file: &Path) -> Vec<String> {
    let address = format!("{address:#x}");
    let words = [
        "download",
        "--chip",
        target.chip,
        "--binary-format",
        "bin",
        "--base-address",
        &address,
    ];
    let mut words: Vec<String> = words.map(String::from).into();
    words.push(file.display().to_string());
    words
}

fn run(what: &'static str, arguments: &[String]) -> Result<(), ProbeError> {
    let output = Command::new("probe-rs")
        .args(arguments)
        .output()
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => ProbeError::Missing,
            _ => ProbeError::Start(error),
        })?;
    if output.status.success() {
        return Ok(());
    }
    let said = words(&output);
    Err(ProbeError::Failed { what, said })
}

/// The message of the program, on one line and without colours.
pub(super) fn words(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let text = if text.trim().is_empty() {
        String::from_utf8_lossy(&output.stdout)
    } else {
        text
    };
    let mut plain = String::new();
    let mut escaped = false;
    for letter in text.chars() {
        match letter {
            '\u{1b}' => escaped = true,
            'a'..='z' | 'A'..='Z' if escaped => escaped = false,
            _ if escaped => {}
            letter if letter.is_control() => plain.push(' '),
            letter => plain.push(letter),
        }
    }
    let words: Vec<&str> = plain.split_whitespace().collect();
    words.join(" ")
}
