//! `rate2spike deploy` for a board with an FPGA: the budget, and images of bit stream and
//! network.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::CommandError;
use super::deploy_args::{Content, DeployArgs, ForBoard, NamedImage, write_parts};
use crate::board::bit_stream;
use crate::export::verilog::Refusal;
use crate::export::verilog::clocks::Clocks;
use crate::export::verilog::device::Device;
use crate::export::verilog::project::{OnBoard, Project};
use crate::formats::disk;
use crate::formats::image::{Image, ImageFormat};
use crate::formats::snn::NetFile;
use crate::print::console::Console;
use crate::print::path::lossy;

#[derive(Serialize)]
struct LogicReport<'a> {
    #[serde(serialize_with = "lossy")]
    network: &'a Path,
    #[serde(flatten)]
    on_board: &'a OnBoard,
    step_ms: f64,
    clocks: Clocks,
    flash_bytes: usize,
    flash_room: usize,
    fits: bool,
    misfits: Vec<String>,
    #[serde(serialize_with = "lossy")]
    image: Option<PathBuf>,
    image_bytes: Option<usize>,
    address: String,
    /// Cells and clock of the placed design, if a bit stream was made.
    placement: Vec<String>,
    flashed: bool,
}

/// Runs the command.
pub fn run(args: &DeployArgs, device: &Device, console: &Console) -> Result<(), CommandError> {
    check(args, device)?;
    let file = NetFile::read(&args.network)?;
    let refused = |source: Refusal| CommandError::Export {
        path: args.network.clone(),
        source: source.into(),
    };
    // A network that is refused anyway needs no --task.
    Project::check(&file.deployed()).map_err(refused)?;
    file.tested_task(args.task.task.as_ref())?;
    let project = Project::new(&file.deployed()).map_err(refused)?;
    let misfits = misfits(args, device, &project);
    let mut report = LogicReport {
        network: &args.network,
        on_board: project.on(device),
        step_ms: project.needs.step_ms,
        clocks: project.needs.clocks,
        flash_bytes: project.needs.image_bytes,
        flash_room: device.flash_bytes,
        fits: misfits.is_empty(),
        misfits,
        image: None,
        image_bytes: None,
        address: format!("{:#010x}", device.flash_address),
        placement: Vec::new(),
        flashed: false,
    };
    // The budget is printed before anything is written.
    print_budget(&report, console);
    if report.fits && (args.format.is_some() || args.flash) {
        let bit_stream = match args.content() {
            Content::Network => None,
            _ => Some(bit_stream(args, device, &project, &mut report, console)?),
        };
        let parts = parts(args, device, &project, bit_stream);
        write(args, device, &parts, &mut report, console)?;
    }
    console.json(&report);
    if report.fits {
        return Ok(());
    }
    Err(CommandError::Failed(format!(
        "{} does not fit on {}: {}",
        args.network.display(),
        device.board,
        report.misfits.join("; ")
    )))
}

/// Refuses flags that would do nothing.
fn check(args: &DeployArgs, device: &Device) -> Result<(), CommandError> {
    if args.format == Some(ImageFormat::Uf2) {
        return Err(CommandError::Usage(format!(
            "{} takes no UF2; use --format bin or hex, or --flash",
            device.board
        )));
    }
    args.check_contents()?;
    if args.current.is_some() {
        return Err(CommandError::Usage(format!(
            "--current has no effect for {}: an FPGA does not sleep; leave it out",
            device.board
        )));
    }
    if let (Some(path), Content::Network) = (&args.firmware, args.content()) {
        return Err(CommandError::Usage(format!(
            "--firmware {} has no effect on an image of the network alone; add --content both",
            path.display()
        )));
    }
    Ok(())
}

/// The reasons why the network does not run on the board.
fn misfits(args: &DeployArgs, device: &Device, project: &Project) -> Vec<String> {
    let found = project.on(device);
    let mut misfits = Vec::new();
    if !found.memories_fit {
        let blocks = &found.blocks;
        misfits.push(format!(
            "it takes {} of {} memory blocks and {} of {} large ones; a network of this density may have up to {} units",
            blocks.blocks,
            blocks.blocks_room,
            blocks.large,
            blocks.large_room,
            found.largest_units
        ));
    }
    if project.needs.image_bytes > device.flash_bytes {
        misfits.push(format!(
            "its image of {} bytes is larger than the {} bytes of flash",
            project.needs.image_bytes, device.flash_bytes
        ));
    }
    if found.share_worst > 1.0 && !args.slow {
        misfits.push(format!(
            "the worst step of its self-test takes {:.0} % of {} ms; use a longer step (--dt), or --slow",
            100.0 * found.share_worst,
            project.needs.step_ms
        ));
    }
    misfits
}

/// The bit stream that the user names, or a new one.
fn bit_stream(
    args: &DeployArgs,
    device: &Device,
    project: &Project,
    report: &mut LogicReport,
    console: &Console,
) -> Result<Vec<u8>, CommandError> {
    if let Some(path) = &args.firmware {
        return Ok(bit_stream::of_file(device, path, &disk::read(path)?)?);
    }
    console.note(format!(
        "{} make the bit stream; this takes minutes",
        device.programs.join(", ")
    ));
    let built = bit_stream::build(device, project)?;
    for line in &built.placement {
        console.say(format!("  placed                   {line}"));
    }
    report.placement = built.placement;
    Ok(built.bytes)
}

/// The parts that are written, in the order of their addresses.
fn parts(
    args: &DeployArgs,
    device: &Device,
    project: &Project,
    bit_stream: Option<Vec<u8>>,
) -> Vec<NamedImage> {
    let mut parts = Vec::new();
    if let Some(bytes) = bit_stream {
        let image = Image { address: 0, bytes };
        let what = "bit stream";
        parts.push(NamedImage { what, image });
    }
    if args.content() != Content::Firmware {
        let image = Image {
            address: device.flash_address,
            bytes: project.image().into(),
        };
        let what = "network";
        parts.push(NamedImage { what, image });
    }
    parts
}

/// Writes the image and the flash, if the user asked for that.
fn write(
    args: &DeployArgs,
    device: &Device,
    parts: &[NamedImage],
    report: &mut LogicReport,
    console: &Console,
) -> Result<(), CommandError> {
    let board = ForBoard {
        name: device.board,
        uf2: None,
    };
    let (image, flashed) = write_parts(args, board, parts, console, |part| {
        Ok(bit_stream::flash(
            device,
            part.image.address,
            &part.image.bytes,
        )?)
    })?;
    if let Some(image) = image {
        report.address = format!("{:#010x}", image.address);
        report.image_bytes = Some(image.bytes);
        report.image = Some(image.path);
    }
    report.flashed = flashed;
    Ok(())
}

fn print_budget(report: &LogicReport, console: &Console) {
    let found = report.on_board;
    let (blocks, clocks) = (&found.blocks, &report.clocks);
    console.say(format!(
        "{} on {}, {}",
        report.network.display(),
        found.board,
        found.chip
    ));
    console.say(format!(
        "  flash, network           {} of {} bytes",
        report.flash_bytes, report.flash_room
    ));
    let large = match blocks.large_room {
        0 => String::new(),
        room => format!(", {} of {room} large ones", blocks.large),
    };
    console.say(format!(
        "  memory blocks            {} of {}{large}",
        blocks.blocks, blocks.blocks_room
    ));
    console.say(format!(
        "  a step of {} ms          {:.0} clocks on average, {} at worst, {} in the first step, of {:.0}",
        report.step_ms,
        clocks.mean,
        clocks.worst,
        clocks.first,
        report.step_ms * f64::from(found.clock_hz) / 1e3
    ));
    console.say(format!(
        "  time left                {:.0} % on average, {:.0} % in the worst step",
        100.0 - 100.0 * found.share_mean,
        100.0 - 100.0 * found.share_worst
    ));
    console.say(format!(
        "  largest network          {} units of this density",
        found.largest_units
    ));
}
