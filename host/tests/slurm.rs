//! A sweep as a job array of a real Slurm. The test is ignored by default, because it needs
//! a node that takes jobs (`cargo test --test slurm -- --ignored`).

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::Value;

const SWEEP: &str = "sweep --task go-nogo --n 6,9 --seeds 4 --n_trials 12 --trials 4 -o rows";

/// Longest time for the job array; its work takes some seconds on a free processor.
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

/// The answer of a program of Slurm, or the reason why it failed.
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

/// Fails if no node takes jobs.
fn needs_slurm() {
    let nodes = slurm("sinfo", &["-h", "-t", "idle,mixed", "-o", "%D"]);
    let nodes = nodes.unwrap_or_else(|reason| panic!("no Slurm: {reason}"));
    assert!(!nodes.is_empty(), "Slurm has no free node");
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
#[ignore = "needs a Slurm whose nodes take jobs"]
fn a_job_array_ends_with_the_rows_of_a_sweep_on_one_machine() {
    needs_slurm();
    let here = tempfile::tempdir().expect("a folder");
    json(here.path(), SWEEP);

    // The script can name a folder with a space, a quote and a command in its name.
    let folder = tempfile::Builder::new()
        .prefix("it's a $(touch x) ")
        .tempdir();
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
