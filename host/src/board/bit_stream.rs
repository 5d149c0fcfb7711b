//! The bit stream of a design, and the flash of a board with an FPGA: both by external
//! programs.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use super::probe::words;
use crate::export::verilog::device::Device;
use crate::export::verilog::project::Project;

/// The reason why there is no bit stream, or why the flash was not written.
#[derive(Debug, thiserror::Error)]
pub enum BitStreamError {
    /// A program is missing.
    #[error(
        "{program} is not installed; a bit stream for {board} needs {}, or the same programs from the Python packages of YoWASP. Without them, `rate2spike export NET.snn --to verilog -o DIR` writes the design",
        .programs.join(", ")
    )]
    Missing {
        /// The missing program.
        program: &'static str,
        /// The board.
        board: &'static str,
        /// All programs that are needed.
        programs: &'static [&'static str],
    },
    /// The program that writes the flash is missing.
    #[error(
        "{program} is not installed; it writes the flash of {board}. Without it, write an image with --format bin and copy it to the board"
    )]
    NoProgrammer {
        /// The missing program.
        program: &'static str,
        /// The board.
        board: &'static str,
    },
    /// A program does not start, or its files cannot be written.
    #[error("{program}: {source}")]
    Start {
        /// The program.
        program: &'static str,
        /// Why.
        source: io::Error,
    },
    /// A program failed.
    #[error("{program} failed: {said}")]
    Failed {
        /// The program.
        program: &'static str,
        /// The end of its message.
        said: String,
    },
    /// The chip takes a file of another kind.
    #[error("{file} is not a bit stream for the {chip} of {board}")]
    Foreign {
        /// The file.
        file: String,
        /// The chip.
        chip: &'static str,
        /// The board.
        board: &'static str,
    },
}

/// A bit stream, and what the placed design takes.
pub struct BitStream {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Cells and clock, a property a line, in the words of the program that places.
    pub placement: Vec<String>,
}

/// Synthesizes, places and packs a design; takes minutes.
///
/// # Errors
/// [`BitStreamError`], if a program is missing or fails, or if the placed design is too slow
/// for the clock of the board.
pub fn build(device: &Device, project: &Project) -> Result<BitStream, BitStreamError> {
    for &program in device.programs {
        if !is_installed(program) && !is_installed(&format!("yowasp-{program}")) {
            return Err(BitStreamError::Missing {
                program,
                board: device.board,
                programs: device.programs,
            });
        }
    }
    let failed = |source| BitStreamError::Start {
        program: "make",
        source,
    };
    let folder = tempfile::tempdir().map_err(failed)?;
    project.write(folder.path()).map_err(failed)?;
    let mut make = Command::new("make");
    make.args(["-s", "-C"]).arg(folder.path());
    let said = run("make", make.args([device.placement, device.bit_stream]))?;
    let bytes = std::fs::read(folder.path().join(device.bit_stream)).map_err(failed)?;
    let words = |line: &str| {
        let line = line.trim_start_matches("Info:");
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let placement = said.lines().map(words).collect();
    Ok(BitStream { bytes, placement })
}

/// The bit stream in a file with these bytes, which was built before, alone or in an image
/// that holds a network too.
///
/// # Errors
/// [`BitStreamError::Foreign`], if the bytes do not hold the mark of the chip's bit streams.
pub fn of_file(device: &Device, file: &Path, bytes: &[u8]) -> Result<Vec<u8>, BitStreamError> {
    // Comments may stand before the mark.
    let head = &bytes[..bytes.len().min(1024)];
    if !head.windows(4).any(|four| four == device.mark) {
        return Err(BitStreamError::Foreign {
            file: file.display().to_string(),
            chip: device.chip,
            board: device.board,
        });
    }
    let before_network = &bytes[..bytes.len().min(device.flash_address as usize)];
    // Erased flash is all ones.
    let last = before_network.iter().rposition(|&byte| byte != 0xff);
    let length = last.map_or(0, |at| at + 1);
    Ok(before_network[..length].into())
}

/// Writes bytes into the flash of the board that is connected by USB.
///
/// # Errors
/// [`BitStreamError`], if the program that writes is missing or fails.
pub fn flash(device: &Device, address: u32, bytes: &[u8]) -> Result<(), BitStreamError> {
    let [program, options @ ..] = device.programmer else {
        unreachable!("every board has a programmer")
    };
    if !is_installed(program) {
        return Err(BitStreamError::NoProgrammer {
            program,
            board: device.board,
        });
    }
    let failed = |source| BitStreamError::Start { program, source };
    let folder = tempfile::tempdir().map_err(failed)?;
    let file = folder.path().join("image.bin");
    std::fs::write(&file, bytes).map_err(failed)?;
    let mut command = Command::new(program);
    command.args(options).arg(address.to_string()).arg(&file);
    run(program, &mut command).map(|_| ())
}

fn is_installed(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdin(Stdio::null());
    let started = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    started.is_ok()
}

/// Runs a program and returns what it prints.
fn run(program: &'static str, command: &mut Command) -> Result<String, BitStreamError> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|source| BitStreamError::Start { program, source })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = words(&output);
    // The reason stands at the end of a long message.
    let first = said.char_indices().rev().nth(400).map_or(0, |(at, _)| at);
    Err(BitStreamError::Failed {
        program,
        said: said[first..].into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_another_chip_is_no_bit_stream() {
        let ice40 = b"\xff\x00\x00\xff\x7e\xaa\x99\x7e\x51";
        let ecp5 = b"\xff\x00comment\x00\xff\xff\xff\xbd\xb3\xff";
        for (device, own, other) in [
            (&Device::ICEBREAKER, &ice40[..], &ecp5[..]),
            (&Device::ULX3S, &ecp5[..], &ice40[..]),
        ] {
            let checked = |bytes: &[u8]| of_file(device, Path::new("a.bin"), bytes);
            let mut image = own.to_vec();
            image.resize(device.flash_address as usize, 0xff);
            image.extend(b"R2SL and a network");
            let own = own.strip_suffix(b"\xff").unwrap_or(own);
            assert_eq!(checked(own).expect("a bit stream"), own);
            assert_eq!(checked(&image).expect("a bit stream"), own);
            let error = checked(other).expect_err("another chip").to_string();
            assert!(
                error.contains("a.bin") && error.contains(device.board),
                "{error}"
            );
            assert!(checked(b"").is_err());
        }
    }

    #[test]
    fn a_failing_program_is_named_with_the_end_of_its_message() {
        let mut command = Command::new("sh");
        command.args(["-c", "seq 1000 >&2; echo 'no such pin' >&2; exit 3"]);
        let error = run("sh", &mut command).expect_err("it fails").to_string();
        assert!(error.starts_with("sh failed:"), "{error}");
        assert!(
            error.ends_with("no such pin") && error.len() < 500,
            "{error}"
        );
    }
}
