//! A million trials of one network in a row, and in eight parts:
//! `cargo run --release -p rate2spike-tests --bin soak [TRIALS [NET.snn]]`.
//!
//! Without a network it takes a small one that was never trained, of 32 units
//! and steps of 1 ms, so that a million trials take some minutes.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use rate2spike::formats::disk;
use rate2spike::formats::snn::NetFile;
use rate2spike::spiking::experiment::Experiment;
use rate2spike::task::Task;
use rate2spike_core::blob::Deployed;
use rate2spike_tests::soak::{PARTS, soak};
use rate2spike_tests::untrained;

/// Most growth of the program: the allocator's own.
const MOST_GROWTH: i64 = 1 << 20;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let trials = arguments.next().map_or(Ok(1_000_000), |text| text.parse());
    let Ok(trials) = trials else {
        eprintln!("usage: soak [TRIALS [NET.snn]]");
        return ExitCode::from(2);
    };
    let path = arguments.next().map(PathBuf::from);
    let bytes = match &path {
        None => Ok(untrained(Task::go_nogo(), 32, 1.0)),
        Some(path) => disk::read(path),
    };
    let path = path.unwrap_or_else(|| "the network".into());
    let bytes = match bytes {
        Ok(bytes) => bytes,
        Err(error) => return failed(&error),
    };
    let file = match NetFile::new(&path, bytes) {
        Ok(file) => file,
        Err(error) => return failed(&error),
    };
    match file.task(None) {
        Ok(task) => report(&file.deployed(), task, trials),
        Err(error) => failed(&error),
    }
}

fn failed(error: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("soak: {error}");
    ExitCode::FAILURE
}

fn report(network: &Deployed, task: Task, trials: u64) -> ExitCode {
    let experiment = Experiment::deployed(network, &task, 1);
    let start = Instant::now();
    let soaked = soak(&experiment, trials, |done| {
        if done.is_multiple_of(100_000) {
            eprintln!("{done} trials, {:.0} s", start.elapsed().as_secs_f64());
        }
    });
    println!(
        "trials                  {trials}, {} steps each",
        network.payload().clock.steps
    );
    println!("hash, in a row          {:016x}", soaked.in_a_row);
    println!("hash, in {PARTS} parts        {:016x}", soaked.in_parts);
    match soaked.growth {
        Some(growth) => println!("growth of the memory    {growth} bytes"),
        None => println!("growth of the memory    not told by this system"),
    }
    println!(
        "seconds                 {:.0}",
        start.elapsed().as_secs_f64()
    );
    let equal = soaked.in_a_row == soaked.in_parts;
    let flat = soaked.growth.is_none_or(|growth| growth <= MOST_GROWTH);
    if equal && flat {
        return ExitCode::SUCCESS;
    }
    failed(&"the hashes differ, or the memory grew")
}
