//! `rate2spike export --to verilog`: writes a deployed network as logic.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::CommandError;
use crate::export::verilog::Refusal;
use crate::export::verilog::project::{self, Needs, Project};
use crate::formats::disk;
use crate::formats::outputs::Outputs;
use crate::formats::snn::NetFile;
use crate::print::console::Console;
use crate::print::path::lossy;
use crate::task::Task;

#[derive(Serialize)]
struct VerilogReport<'a> {
    #[serde(serialize_with = "lossy")]
    network: &'a Path,
    task: String,
    #[serde(flatten)]
    needs: &'a Needs,
    #[serde(serialize_with = "lossy")]
    files: Vec<PathBuf>,
}

/// Writes the design of `network` into the folder `output`.
pub fn run(
    network: &Path,
    output: Option<&Path>,
    task: Option<&Task>,
    console: &Console,
) -> Result<(), CommandError> {
    let file = NetFile::read(network)?;
    let refused = |source: Refusal| CommandError::Export {
        path: network.into(),
        source: source.into(),
    };
    // A network that is refused anyway needs no --task.
    Project::check(&file.deployed()).map_err(refused)?;
    let task = file.tested_task(task)?;
    let project = Project::new(&file.deployed()).map_err(refused)?;
    let folder = match output {
        Some(folder) => folder.into(),
        None => {
            let stem = network.file_stem().unwrap_or_default().to_string_lossy();
            network.with_file_name(format!("{stem}_logic"))
        }
    };
    let text = words(&project.needs);
    let mut report = VerilogReport {
        network,
        task: task.name().into(),
        needs: &project.needs,
        files: Vec::new(),
    };
    let mut contents: Vec<(&str, &[u8])> = project
        .files
        .iter()
        .map(|file| (file.name, file.bytes.as_slice()))
        .collect();
    contents.push(("report.txt", text.as_bytes()));
    write(network, &folder, &contents)?;
    report.files = contents.iter().map(|(name, _)| folder.join(name)).collect();
    console.json(&report);
    console.say(text.trim_end());
    console.say(format!("written      {}", folder.display()));
    Ok(())
}

/// Writes the files below `folder`, which is new or holds an earlier design.
fn write(network: &Path, folder: &Path, contents: &[(&str, &[u8])]) -> Result<(), CommandError> {
    let earlier = folder.join("network.bin");
    let is_ours = disk::read(&earlier).is_ok_and(|bytes| project::is_ours(&bytes));
    let mut files = Outputs::new();
    files.reads("NET.snn", network);
    for (name, bytes) in contents {
        files.derives("--output", &folder.join(name), |found| {
            is_ours || found == *bytes
        })?;
    }
    let files: Vec<(PathBuf, &[u8])> = contents
        .iter()
        .map(|(name, bytes)| (folder.join(name), *bytes))
        .collect();
    Ok(disk::write_all(&files)?)
}

/// The report, a property a line.
fn words(needs: &Needs) -> String {
    let counts = &needs.counts;
    let mut lines = vec![
        format!(
            "network      {} units, {} synapses, {} readout filters, {} input channels, steps of {} ms",
            counts.units, counts.synapses, counts.filters, counts.inputs, needs.step_ms
        ),
        format!(
            "memory       {} bits; image of {} bytes; {} multipliers",
            needs.memory_bits, needs.image_bytes, needs.multipliers
        ),
        format!(
            "clocks       a step of the self-test: {:.1} on average, {} at worst, {} in the first step",
            needs.clocks.mean, needs.clocks.worst, needs.clocks.first
        ),
    ];
    for board in &needs.boards {
        let blocks = &board.blocks;
        let large = match blocks.large_room {
            0 => String::new(),
            room => format!(" and {} of {room} large ones", blocks.large),
        };
        lines.push(format!(
            "{:<12} {}: {} of {} memory blocks{large}, {}; at {} MHz a step takes {:.1} % of its time on average, {:.1} % at worst; largest network of this density: {} units",
            board.board,
            board.chip,
            blocks.blocks,
            blocks.blocks_room,
            if board.memories_fit { "fits" } else { "does not fit" },
            f64::from(board.clock_hz) / 1e6,
            100.0 * board.share_mean,
            100.0 * board.share_worst,
            board.largest_units,
        ));
    }
    lines.push(
        "refused      the single filter, several outputs, preprocessing, decisions other than height and sign"
            .into(),
    );
    lines.push(String::new());
    lines.join("\n")
}
