//! `rate2spike deploy`: prints the budget of a network on a board, and writes images for
//! the board.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::CommandError;
use super::deploy_args::{Content, Currents, DeployArgs, ForBoard, NamedImage, write_parts};
use super::deploy_logic;
use crate::board::budget::{Budget, Misfit, TRIALS};
use crate::board::firmware::Firmware;
use crate::board::probe;
use crate::board::target::{Chip, Target};
use crate::formats::image::{Image, ImageFormat};
use crate::formats::snn::{AnyNetFile, NetFile};
use crate::print::console::Console;
use crate::print::path::lossy;
use crate::spiking::experiment::Experiment;
use crate::spiking::trial::Deployable;

/// Voltage of the chips of all boards.
const SUPPLY_V: f64 = 3.3;

/// Power that follows from the share of the time asleep and from given currents.
#[derive(Serialize)]
struct Power {
    milliamperes: f64,
    millijoules_a_second: f64,
}

impl Power {
    fn new(currents: Currents, asleep: f64) -> Self {
        let milliamperes = currents.run * (1.0 - asleep) + currents.sleep * asleep;
        Self {
            milliamperes,
            millijoules_a_second: milliamperes * SUPPLY_V,
        }
    }
}

#[derive(Serialize)]
struct DeployReport<'a> {
    #[serde(serialize_with = "lossy")]
    network: &'a Path,
    board: &'static str,
    budget: Budget,
    firmware: FirmwareReport,
    stack_bytes: usize,
    cycles_from: &'static str,
    power: Option<Power>,
    fits: bool,
    misfits: Vec<String>,
    #[serde(serialize_with = "lossy")]
    image: Option<PathBuf>,
    image_bytes: Option<usize>,
    address: String,
    flashed: bool,
}

/// The bytes that a firmware needs, and the bytes that the board has.
#[derive(Serialize)]
struct FirmwareReport {
    flash_bytes: usize,
    flash_room: usize,
    static_ram_bytes: u32,
    ram_room: usize,
    stack_room: u32,
}

/// Refuses flags that would do nothing.
fn check(args: &DeployArgs, target: &Target) -> Result<(), CommandError> {
    let usage = |message| Err(CommandError::Usage(message));
    if args.format == Some(ImageFormat::Uf2) && target.uf2.is_none() {
        return usage(format!(
            "the boot loader of {} takes no UF2; use --format hex, bin, or --flash",
            target.name
        ));
    }
    args.check_contents()
}

/// Runs the command.
pub fn run(args: &DeployArgs, console: &Console) -> Result<(), CommandError> {
    let target = match args.board.chip() {
        Chip::Controller(target) => target,
        Chip::Logic(device) => return deploy_logic::run(args, device, console),
    };
    check(args, target)?;
    match AnyNetFile::read(&args.network)? {
        AnyNetFile::Fixed(file) => deploy(args, target, &file, console),
        AnyNetFile::Float(file) => match target.in_f32() {
            Some(target) => deploy(args, &target, &file, console),
            None => Err(CommandError::Failed(format!(
                "{}: its numbers are f32, and {} has no floating-point unit: quantize the model without --arithmetic f32",
                args.network.display(),
                target.name
            ))),
        },
    }
}

fn deploy<A: Deployable>(
    args: &DeployArgs,
    target: &Target,
    file: &NetFile<A>,
    console: &Console,
) -> Result<(), CommandError> {
    let task = file.tested_task(args.task.task.as_ref())?;
    let (bytes, deployed) = (file.bytes(), file.deployed());
    let firmware = Firmware::find(args.firmware.as_deref(), target)?;
    let experiment = Experiment::deployed(&deployed, &task, 1);
    let budget = Budget::new(target, &experiment, bytes, TRIALS);
    let mut misfits = budget.misfits();
    let is_late = |misfit: &Misfit| matches!(misfit, Misfit::Time { .. });
    let late = misfits.iter().any(is_late);
    if args.slow {
        misfits.retain(|misfit| !is_late(misfit));
    }
    let asleep = budget.time.asleep;
    let mut report = DeployReport {
        network: &args.network,
        board: target.name,
        budget,
        firmware: firmware_report(target, &firmware),
        stack_bytes: target.stack_bytes,
        cycles_from: target.cycles_from,
        power: args.current.map(|currents| Power::new(currents, asleep)),
        fits: misfits.is_empty(),
        misfits: misfits.iter().map(ToString::to_string).collect(),
        image: None,
        image_bytes: None,
        address: format!("{:#010x}", target.network_address),
        flashed: false,
    };
    // The budget is printed before anything is written.
    print_budget(&report, console);
    if bytes.len() > target.line_bytes() {
        console.say(format!(
            "  over the serial line     not replaced: that takes at most {} bytes; deploy an image",
            target.line_bytes()
        ));
    }
    if report.fits {
        if late {
            console.warn("a step takes longer than its time, and the network is deployed all the same, as --slow asks");
        }
        let network = Image {
            address: target.network_address,
            bytes: target.image(bytes),
        };
        let parts = parts(args.content(), firmware, network);
        write(args, target, &parts, &mut report, console)?;
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
fn parts(content: Content, firmware: Firmware, network: Image) -> Vec<NamedImage> {
    let firmware = NamedImage {
        what: "the firmware",
        image: firmware.image,
    };
    let network = NamedImage {
        what: "the network",
        image: network,
    };
    match content {
        Content::Network => vec![network],
        Content::Firmware => vec![firmware],
        Content::Both => vec![firmware, network],
    }
}

/// Writes the image and flashes the parts, if the user asked for that, and prints what was
/// written.
fn write(
    args: &DeployArgs,
    target: &Target,
    parts: &[NamedImage],
    report: &mut DeployReport,
    console: &Console,
) -> Result<(), CommandError> {
    let board = ForBoard {
        name: target.name,
        uf2: target.uf2,
    };
    let (image, flashed) =
        write_parts(args, board, parts, console, |NamedImage { what, image }| {
            Ok(probe::flash(target, what, image)?)
        })?;
    if let Some(image) = image {
        report.address = format!("{:#010x}", image.address);
        report.image_bytes = Some(image.bytes);
        report.image = Some(image.path);
    }
    report.flashed = flashed;
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
    let firmware = &report.firmware;
    console.say(format!(
        "  flash, firmware          {} of {} bytes",
        firmware.flash_bytes, firmware.flash_room
    ));
    console.say(format!(
        "  RAM, static              {} of {} bytes, for up to {} units; {} bytes left for the stack",
        firmware.static_ram_bytes, firmware.ram_room, budget.units_room, firmware.stack_room
    ));
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
    console.say(format!("                           {}", report.cycles_from));
    console.say(format!(
        "  at a trial's start       {:.0} cycles before the first step, {:.0} in it",
        time.cycles_start, time.cycles_first
    ));
    console.say(format!(
        "  time left                {:.0} % on average, {:.0} % in the worst step",
        100.0 - share(time.cycles_mean, time.cycles_available),
        100.0 - share(time.cycles_worst, time.cycles_available)
    ));
    if report.budget.time.asleep > 0.0 {
        console.say(format!(
            "  asleep                   {:.0} % of the time, calculated",
            100.0 * time.asleep
        ));
    }
    if let Some(power) = &report.power {
        console.say(format!(
            "  current                  {:.1} mA, {:.1} mJ a second at {SUPPLY_V} V, calculated",
            power.milliamperes, power.millijoules_a_second
        ));
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_current_lies_between_the_two_that_were_given() {
        let currents: Currents = "25:8".parse().expect("two currents");
        let power = Power::new(currents, 0.75);
        assert!((power.milliamperes - 12.25).abs() < 1e-12);
        assert!((power.millijoules_a_second - 12.25 * SUPPLY_V).abs() < 1e-12);
        for wrong in ["25", "25:", "8:25", "25:-1", "a:b", "1:2:3", "nan:1"] {
            assert!(wrong.parse::<Currents>().is_err(), "{wrong}");
        }
    }
}
