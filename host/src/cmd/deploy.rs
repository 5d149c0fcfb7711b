//! `rate2spike deploy`: a network's budget on a board, and images for it.

use std::path::{Path, PathBuf};

use clap::Args;
use rate2spike_core::blob::Deployed;
use serde::Serialize;

use super::console::Console;
use super::{CommandError, check_self_test, task_of_blob, with_blob};
use crate::board::budget::{Budget, Misfit};
use crate::board::probe;
use crate::board::target::{Target, TargetName};
use crate::formats::disk;
use crate::formats::image::{self, Firmware, Image, UF2_RP2040};
use crate::spiking::experiment::Experiment;
use crate::task::{self, Task};

/// Print what a network takes on a board, and write its image or flash it
///
/// Example:  rate2spike deploy net.snn --board rp2040 --format uf2 -o net.uf2
///
/// Through a debug probe:  rate2spike deploy net.snn --board stm32f405 --flash
#[derive(Clone, Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct DeployArgs {
    /// The deployed network
    #[arg(value_name = "NET.snn")]
    pub network: PathBuf,
    /// The board
    #[arg(long, value_enum)]
    pub board: TargetName,
    /// Format of the image; uf2 is dragged onto a Pico
    #[arg(long, value_enum)]
    pub format: Option<Format>,
    /// The image [default: the network's name with the format's extension]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// What is written
    #[arg(long, value_enum, default_value = "network")]
    pub content: Content,
    /// The linked firmware [default: the one that was built in firmware-example]
    #[arg(long, value_name = "ELF")]
    pub firmware: Option<PathBuf>,
    /// Write into the board's flash with probe-rs
    #[arg(long)]
    pub flash: bool,
    /// Deploy it although the board is too slow for real time
    #[arg(long)]
    pub slow: bool,
    /// The task, where it is one of your own: its FILE.toml
    #[arg(long, value_name = "TASK", value_parser = task::parse)]
    pub task: Option<Task>,
}

/// Format of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Bytes as they lie in flash
    Bin,
    /// Intel hex
    Hex,
    /// For a Pico's boot ROM
    Uf2,
}

/// What an image holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Content {
    /// The network
    Network,
    /// The firmware
    Firmware,
    /// Both
    Both,
}

#[derive(Serialize)]
struct DeployReport<'a> {
    network: &'a Path,
    board: &'static str,
    budget: Budget,
    firmware: Option<FirmwareReport>,
    stack_bytes: usize,
    fits: bool,
    misfits: Vec<String>,
    image: Option<PathBuf>,
    image_bytes: Option<usize>,
    address: String,
    flashed: bool,
}

/// What a firmware takes.
#[derive(Serialize)]
struct FirmwareReport {
    flash_bytes: usize,
    flash_room: usize,
    static_ram_bytes: u32,
    ram_room: usize,
    stack_room: u32,
}

/// Runs the command.
pub fn run(args: &DeployArgs, console: &Console) -> Result<(), CommandError> {
    let target = args.board.target();
    if args.format == Some(Format::Uf2) && !target.uf2 {
        return Err(CommandError::Usage(format!(
            "the boot loader of {} takes no UF2; use --format hex, bin, or --flash",
            target.name
        )));
    }
    with_blob(&args.network, |bytes, deployed| {
        deploy(args, console, target, bytes, deployed)
    })
}

fn deploy(
    args: &DeployArgs,
    console: &Console,
    target: &Target,
    bytes: &[u8],
    deployed: &Deployed,
) -> Result<(), CommandError> {
    check_self_test(&args.network, deployed)?;
    let task = task_of_blob(&args.network, deployed, args.task)?;
    let experiment = Experiment::deployed(deployed, task, 1);
    let budget = Budget::new(target, &experiment, bytes.len());
    let firmware = firmware(args, target)?;
    let mut misfits = budget.misfits();
    if args.slow {
        misfits.retain(|misfit| !matches!(misfit, Misfit::Time { .. }));
    }
    let mut report = DeployReport {
        network: &args.network,
        board: target.name,
        budget,
        firmware: firmware
            .as_ref()
            .map(|firmware| firmware_report(target, firmware)),
        stack_bytes: target.stack_bytes,
        fits: misfits.is_empty(),
        misfits: misfits.iter().map(ToString::to_string).collect(),
        image: None,
        image_bytes: None,
        address: format!("{:#010x}", target.network_address),
        flashed: false,
    };
    // The budget comes before anything is written.
    print_budget(&report, console);
    if bytes.len() > target.line_bytes() {
        console.say(format!(
            "  over the serial line     not replaced: that takes at most {} bytes; deploy an image",
            target.line_bytes()
        ));
    }
    if report.fits {
        let network = Image {
            address: target.network_address,
            bytes: target.image(bytes),
        };
        write(
            args,
            target,
            &images(args, target, firmware, network)?,
            &mut report,
            console,
        )?;
    }
    console.json(&report);
    if report.fits {
        return Ok(());
    }
    Err(CommandError::Failed(format!(
        "{} does not fit on {}: {}",
        args.network.display(),
        target.name,
        report.misfits.join("; ")
    )))
}

/// The firmware that was named; else the built one, if there is one.
fn firmware(args: &DeployArgs, target: &Target) -> Result<Option<Firmware>, CommandError> {
    if let Some(path) = &args.firmware {
        return Ok(Some(Firmware::read(path)?));
    }
    let built = built_firmware(target);
    if built.is_file() {
        return Ok(Some(Firmware::read(&built)?));
    }
    Ok(None)
}

fn built_firmware(target: &Target) -> PathBuf {
    // Where Cargo builds if it is told another place than its own.
    let elsewhere = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    elsewhere
        .unwrap_or_else(|| "firmware-example/target".into())
        .join(target.triple)
        .join("release")
        .join(format!("rate2spike-{}", target.package))
}

fn firmware_report(target: &Target, firmware: &Firmware) -> FirmwareReport {
    FirmwareReport {
        flash_bytes: firmware.image.bytes.len(),
        flash_room: target.firmware_bytes,
        static_ram_bytes: firmware.static_ram,
        ram_room: target.ram_bytes,
        stack_room: firmware.stack_room,
    }
}

/// The images that were asked for, in the order of their addresses.
fn images(
    args: &DeployArgs,
    target: &Target,
    firmware: Option<Firmware>,
    network: Image,
) -> Result<Vec<(&'static str, Image)>, CommandError> {
    let wanted = match args.content {
        Content::Network => return Ok(vec![("the network", network)]),
        Content::Firmware | Content::Both => firmware,
    };
    let firmware = wanted.ok_or_else(|| {
        CommandError::Usage(format!(
            "no firmware at {}: run `cargo build --release` in firmware-example/{}, or name one with --firmware",
            built_firmware(target).display(),
            target.package
        ))
    })?;
    let end = firmware.image.address as usize + firmware.image.bytes.len();
    if firmware.image.bytes.len() > target.firmware_bytes || end > network.address as usize {
        return Err(CommandError::Failed(format!(
            "the firmware has {} bytes, but there are {} bytes of flash for it",
            firmware.image.bytes.len(),
            target.firmware_bytes
        )));
    }
    let mut images = vec![("the firmware", firmware.image)];
    if args.content == Content::Both {
        images.push(("the network", network));
    }
    Ok(images)
}

/// Writes and flashes what was asked for, and tells so.
fn write(
    args: &DeployArgs,
    target: &Target,
    images: &[(&'static str, Image)],
    report: &mut DeployReport,
    console: &Console,
) -> Result<(), CommandError> {
    if let Some(format) = args.format {
        let plain: Vec<Image> = images.iter().map(|(_, image)| image.clone()).collect();
        let (bytes, extension) = match format {
            Format::Bin => (image::bin(&plain), "bin"),
            Format::Hex => (image::hex(&plain).into_bytes(), "hex"),
            Format::Uf2 => (image::uf2(&plain, UF2_RP2040), "uf2"),
        };
        let path = match &args.output {
            Some(path) => path.clone(),
            None => args.network.with_extension(extension),
        };
        disk::write(&path, &bytes)?;
        console.say(format!(
            "{}: {} bytes, for address {:#010x}",
            path.display(),
            bytes.len(),
            plain[0].address
        ));
        report.address = format!("{:#010x}", plain[0].address);
        report.image_bytes = Some(bytes.len());
        report.image = Some(path);
    }
    if args.flash {
        for (what, image) in images {
            probe::flash(target, what, image)?;
            console.say(format!(
                "{what}: {} bytes written to {}",
                image.bytes.len(),
                target.name
            ));
        }
        report.flashed = true;
    }
    Ok(())
}

fn print_budget(report: &DeployReport, console: &Console) {
    let (budget, time) = (&report.budget, &report.budget.time);
    let share = |part: f64, whole: f64| 100.0 * part / whole;
    console.say(format!("{} on {}", report.network.display(), report.board));
    console.say(format!(
        "  flash, network           {} of {} bytes",
        budget.flash_bytes, budget.flash_room
    ));
    if let Some(firmware) = &report.firmware {
        console.say(format!(
            "  flash, firmware          {} of {} bytes",
            firmware.flash_bytes, firmware.flash_room
        ));
        console.say(format!(
            "  RAM, static              {} of {} bytes, for up to {} units; {} bytes left for the stack",
            firmware.static_ram_bytes, firmware.ram_room, budget.units_room, firmware.stack_room
        ));
    }
    console.say(format!(
        "  RAM, this network        {} bytes for {} units and {} readout filters",
        budget.ram_bytes, budget.units, budget.filters
    ));
    console.say(format!(
        "  stack                    {} bytes",
        report.stack_bytes
    ));
    console.say(format!(
        "  a step of {} ms          {:.0} cycles without spikes, {:.0} on average, {:.0} at worst, of {:.0}",
        time.step_ms, time.cycles_quiet, time.cycles_mean, time.cycles_worst, time.cycles_available
    ));
    console.say(format!(
        "  time left                {:.0} % on average, {:.0} % in the worst step",
        100.0 - share(time.cycles_mean, time.cycles_available),
        100.0 - share(time.cycles_worst, time.cycles_available)
    ));
    match time.shortest_step_ms {
        Some(ms) => console.say(format!(
            "  real time                down to steps of {ms} ms with this network"
        )),
        None => console.say("  real time                at no step up to 1 ms with this network"),
    }
    console.say(format!(
        "                           up to {} units of this density and rate at {} ms",
        time.most_units, time.step_ms
    ));
}
