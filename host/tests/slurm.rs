//! A sweep as a job array of a real Slurm; skipped where there is none.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::Value;

const SWEEP: &str = "sweep --task go-nogo --n 6,9 --seeds 4 --n_trials 12 --trials 4 -o rows";

/// Longer than some seconds of work may wait for one free processor.
const PATIENCE: Duration = Duration::from_secs(120);

fn run(folder: &Path, line: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rate2spike"))
        .args(line.split_whitespace())
        .current_dir(folder)
        .output()
        .expect("the program starts")
}

fn json(folder: &Path, line: &str) -> Value {
    let output = run(folder, &format!("{line} --json"));
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{line}: {message}");
    serde_json::from_slice(&output.stdout).expect("one object")
}

/// What a program of Slurm answers, or why it does not.
fn slurm(program: &str, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().into());
    }
    let message = String::from_utf8_lossy(&output.stderr);
    Err(format!("{program}: {}", message.trim()))
}

/// Whether a node takes jobs; else says why not, which is a failure where
/// nothing may be skipped.
fn slurm_runs() -> bool {
    let reason = match slurm("sinfo", &["-h", "-t", "idle,mixed", "-o", "%D"]) {
        Ok(nodes) if !nodes.is_empty() => return true,
        Ok(_) => "Slurm has no free node".into(),
        Err(reason) => reason,
    };
    let required = std::env::var_os("RATE2SPIKE_REQUIRE_ALL");
    assert!(required.is_none(), "skipped although required: {reason}");
    println!("skipped: {reason}");
    false
}

/// The rows without their times.
fn rows(folder: &Path) -> BTreeSet<String> {
    let text = std::fs::read_to_string(folder.join("rows/rows.jsonl")).expect("rows");
    let untimed = |line: &str| {
        let mut row: Value = serde_json::from_str(line).expect("a row");
        row["seconds"].take();
        row.to_string()
    };
    text.lines().map(untimed).collect()
}

#[test]
fn a_job_array_ends_with_the_rows_of_a_sweep_on_one_machine() {
    if !slurm_runs() {
        return;
    }
    let here = tempfile::tempdir().expect("a folder");
    json(here.path(), SWEEP);

    // A folder with a space and a quote in its name reaches the script whole.
    let folder = tempfile::Builder::new().prefix("it's a ").tempdir();
    let folder = folder.expect("a folder");
    let submitted = json(folder.path(), &format!("{SWEEP} --slurm 3"));
    let job = submitted["job"].as_str().expect("a job's number");
    let clock = Instant::now();
    while !slurm("squeue", &["-h", "-j", job])
        .unwrap_or_default()
        .is_empty()
    {
        assert!(clock.elapsed() < PATIENCE, "job {job} does not end");
        std::thread::sleep(Duration::from_millis(200));
    }
    let merged = json(folder.path(), "sweep --merge rows");
    assert_eq!(merged["networks"], 8);
    assert_eq!(rows(folder.path()), rows(here.path()));
    for share in 0..3 {
        let own = folder.path().join(format!("rows/rows-{share}.jsonl"));
        let text = std::fs::read_to_string(own).expect("the rows of a share");
        assert!((2..=3).contains(&text.lines().count()), "{text}");
    }
}
