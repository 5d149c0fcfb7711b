//! The flags of `rate2spike deploy`, and the image that they ask for.

use std::path::PathBuf;

use clap::Args;

use super::CommandError;
use super::shared::OwnTaskArgs;
use crate::board::target::BoardName;
use crate::formats::disk;
use crate::formats::image::{Image, ImageFormat, Uf2Family, is_same_kind};
use crate::formats::outputs::Outputs;
use crate::print::console::Console;

/// Print the flash, RAM and time that a network needs on a board; write an image or the flash
///
/// Without --format and --flash nothing is written.
///
/// Example:  rate2spike deploy net.snn --board rp2040 --content both --format uf2 -o pico.uf2
///
/// Through a debug probe:  rate2spike deploy net.snn --board stm32f405 --content both --flash
///
/// The network alone is the default content; a new board needs its firmware too.
#[derive(Clone, Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct DeployArgs {
    /// The deployed network
    #[arg(value_name = "NET.snn")]
    pub network: PathBuf,
    /// The board
    #[arg(long, value_enum)]
    pub board: BoardName,
    /// Format of the image; a uf2 file is copied onto a Pico or a Pico 2
    #[arg(long, value_enum)]
    pub format: Option<ImageFormat>,
    /// The image [default: the network's name with the format's extension]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Contents of the image or of what is flashed [default: network]
    #[arg(long, value_enum)]
    pub content: Option<Content>,
    /// The linked firmware [default: the one that this program carries]; for a board with an FPGA the bit stream [default: a new one]
    #[arg(long, value_name = "FILE")]
    pub firmware: Option<PathBuf>,
    /// Write into the board's flash: with probe-rs; a board with an FPGA with iceprog or openFPGALoader
    #[arg(long)]
    pub flash: bool,
    /// Current of the board in mA while it computes and while it sleeps, by its data sheet or
    /// your own measurement: adds the mean current
    #[arg(long, value_name = "RUN:SLEEP")]
    pub current: Option<Currents>,
    /// Deploy the network even if the board is too slow for real time
    #[arg(long)]
    pub slow: bool,
    /// The task
    #[command(flatten)]
    pub task: OwnTaskArgs,
}

/// Currents of a board in mA.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Currents {
    /// While the processor computes.
    pub run: f64,
    /// While the processor sleeps.
    pub sleep: f64,
}

impl std::str::FromStr for Currents {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| {
            text.parse::<f64>()
                .ok()
                .filter(|ma| (0.0..1e6).contains(ma))
        };
        let pair = text.split_once(':').and_then(|(run, sleep)| {
            let (run, sleep) = (number(run)?, number(sleep)?);
            (sleep <= run).then_some(Self { run, sleep })
        });
        pair.ok_or_else(|| {
            "give two currents in mA, such as 25:8: first the one of a board that computes, then the one of a board that sleeps, which is no larger".into()
        })
    }
}

/// Contents of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Content {
    /// The network
    Network,
    /// The firmware, or the bit stream of an FPGA
    Firmware,
    /// Firmware, or bit stream, and network
    Both,
}

impl DeployArgs {
    /// The contents that are written.
    pub fn content(&self) -> Content {
        self.content.unwrap_or(Content::Network)
    }

    /// Refuses flags about an image where none is written.
    pub fn check_contents(&self) -> Result<(), CommandError> {
        let usage = |message| Err(CommandError::Usage(message));
        if let (Some(path), None) = (&self.output, self.format) {
            return usage(format!(
                "-o {} writes nothing without a format; add --format bin, hex or uf2",
                path.display()
            ));
        }
        if self.content.is_some() && self.format.is_none() && !self.flash {
            return usage(
                "--content says what is written; add --format bin, hex or uf2, or --flash".into(),
            );
        }
        Ok(())
    }
}

/// An image, and the name of its contents.
pub struct NamedImage {
    /// The name of the contents.
    pub what: &'static str,
    /// The image.
    pub image: Image,
}

/// A file with an image.
pub struct WrittenImage {
    /// The file.
    pub path: PathBuf,
    /// The size of the file.
    pub bytes: usize,
    /// The address of the first byte in flash.
    pub address: u32,
}

/// The board that an image is for.
#[derive(Clone, Copy)]
pub struct ForBoard<'a> {
    /// The board's name.
    pub name: &'a str,
    /// The family of the board's chip in a UF2 file, if its boot loader takes such files.
    pub uf2: Option<Uf2Family>,
}

/// Writes a file with these parts.
fn write_image(
    args: &DeployArgs,
    format: ImageFormat,
    board: ForBoard,
    parts: &[NamedImage],
    console: &Console,
) -> Result<WrittenImage, CommandError> {
    let plain: Vec<Image> = parts.iter().map(|part| part.image.clone()).collect();
    let bytes = format.bytes(&plain, board.uf2);
    let path = match &args.output {
        Some(path) => path.clone(),
        None => {
            let path = args.network.with_extension(format.extension());
            let mut files = Outputs::new();
            files.reads("NET.snn", &args.network);
            if let Some(firmware) = &args.firmware {
                files.reads("--firmware", firmware);
            }
            files.derives("--output", &path, |found| is_same_kind(found, &bytes))?;
            path
        }
    };
    disk::write(&path, &bytes)?;
    let address = plain[0].address;
    console.say(format!(
        "{}: {} bytes, for address {address:#010x}",
        path.display(),
        bytes.len()
    ));
    Ok(WrittenImage {
        path,
        bytes: bytes.len(),
        address,
    })
}

/// Writes the image and the flash of `board`, if the user asked for that, and prints what
/// was written. Returns the image and whether the flash was written.
pub fn write_parts(
    args: &DeployArgs,
    board: ForBoard,
    parts: &[NamedImage],
    console: &Console,
    flash: impl Fn(&NamedImage) -> Result<(), CommandError>,
) -> Result<(Option<WrittenImage>, bool), CommandError> {
    let image = args
        .format
        .map(|format| write_image(args, format, board, parts, console));
    let image = image.transpose()?;
    if args.flash {
        for part in parts {
            flash(part)?;
            console.say(format!(
                "{}: {} bytes written to {}",
                part.what,
                part.image.bytes.len(),
                board.name
            ));
        }
    }
    Ok((image, args.flash))
}
