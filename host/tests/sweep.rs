//! The command `sweep`: each network has one row, even if the process is ended.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Instant;

use serde_json::Value;

/// Small networks with a short training; the tests look at the rows only.
const SWEEP: &str = "sweep --task go-nogo,xor --n 6,9 --act sigmoid,lif --seeds 4 --n_trials 12 \
                     --trials 4 --search-trials 4 --lambdas 25,50 -o rows";

fn command(folder: &Path, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rate2spike"));
    command
        .args(line.split_whitespace())
        .current_dir(folder)
        .env("RAYON_NUM_THREADS", "2");
    command
}

fn run(folder: &Path, line: &str) -> Output {
    command(folder, line).output().expect("the program starts")
}

fn succeeds(folder: &Path, line: &str) -> String {
    let output = run(folder, line);
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{line}: {message}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn fails(folder: &Path, line: &str, status: i32, parts: &[&str]) {
    let output = run(folder, line);
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{line}: {message}");
    for part in parts {
        assert!(message.contains(part), "{line}: no '{part}' in: {message}");
    }
}

/// The lines of a file in the folder of the rows.
fn lines(folder: &Path, name: &str) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join("rows").join(name)).expect("a file");
    text.lines().map(String::from).collect()
}

/// The rows without their times, which differ from run to run; each row occurs once.
fn rows(folder: &Path) -> BTreeSet<String> {
    let lines = lines(folder, "rows.jsonl");
    let count = lines.len();
    let rows: BTreeSet<String> = lines
        .iter()
        .map(|line| {
            let mut row: Value = serde_json::from_str(line).expect("a row");
            row["seconds"].take();
            row.to_string()
        })
        .collect();
    assert_eq!(rows.len(), count, "a row stands twice");
    rows
}

/// Signals that end a process, by their names for `kill`.
const SIGNALS: [&str; 3] = ["KILL", "TERM", "INT"];

/// Runs [`SWEEP`] again and again, ends it each time at another moment by another
/// signal, and checks that the last run ends with the rows of an undisturbed one.
fn interrupt(moments: usize) {
    let whole = tempfile::tempdir().expect("a folder");
    let clock = Instant::now();
    succeeds(whole.path(), SWEEP);
    let duration = clock.elapsed();
    let expected = rows(whole.path());
    assert_eq!(expected.len(), 2 * 2 * 2 * 4);

    let folder = tempfile::tempdir().expect("a folder");
    let mut interrupted = 0;
    for moment in 0..moments {
        let signal = SIGNALS[moment % SIGNALS.len()];
        let mut process = command(folder.path(), SWEEP)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        // The moments are spread over the run; the first ones come before the first row.
        std::thread::sleep(duration.mul_f64((1 + moment % 7) as f64 / 40.0));
        if process.try_wait().expect("a process of ours").is_none() {
            interrupted += 1;
        }
        let sent = Command::new("kill")
            .args(["-s", signal, &process.id().to_string()])
            .stderr(Stdio::null())
            .status();
        sent.expect("kill is there");
        let output = process.wait_with_output().expect("a process of ours");
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(!message.contains("panicked"), "{signal}: {message}");
        if output.status.code() == Some(130) && message.contains("interrupted: ") {
            assert!(
                message.contains("networks have a row"),
                "{signal}: {message}"
            );
        }
        // No row is lost, and none is cut in half except by SIGKILL.
        if signal != "KILL" && folder.path().join("rows/rows.jsonl").exists() {
            let text = std::fs::read_to_string(folder.path().join("rows/rows.jsonl"));
            let text = text.expect("a file");
            assert!(text.is_empty() || text.ends_with('\n'), "{signal}");
        }
    }
    assert!(interrupted >= 2, "the sweep was over before it was ended");
    succeeds(folder.path(), SWEEP);
    assert_eq!(rows(folder.path()), expected);
    // The table has the same rows in the same order.
    let table = lines(folder.path(), "rows.csv");
    assert_eq!(table.len(), expected.len() + 1);
    let header: Vec<&str> = table[0].split(',').collect();
    let column = |name| header.iter().position(|&x| x == name).expect("a column");
    let (cell, seed) = (column("cell"), column("seed"));
    for (line, row) in table[1..].iter().zip(lines(folder.path(), "rows.jsonl")) {
        let fields: Vec<&str> = line.split(',').collect();
        let row: Value = serde_json::from_str(&row).expect("a row");
        assert_eq!(fields[cell], row["cell"].to_string());
        assert_eq!(fields[seed], row["options"]["seed"].to_string());
    }
}

#[test]
fn a_sweep_that_is_ended_by_any_signal_goes_on_to_the_rows_of_one_that_was_not() {
    interrupt(9);
}

#[test]
#[ignore = "long: a sweep is ended at 50 moments"]
fn a_sweep_that_is_ended_at_50_moments_goes_on_to_the_rows_of_one_that_was_not() {
    interrupt(50);
}

#[test]
fn a_record_that_was_emptied_does_not_empty_the_table() {
    let folder = tempfile::tempdir().expect("a folder");
    let line = "sweep --task go-nogo --n 6 --seeds 2 --n_trials 4 --trials 5 -o rows";
    succeeds(folder.path(), line);
    let table = lines(folder.path(), "rows.csv");
    std::fs::write(folder.path().join("rows/rows.jsonl"), "").expect("a file");
    let said = String::from_utf8(run(folder.path(), "report rows").stderr).expect("UTF-8");
    assert!(said.contains("no network has a row"), "{said}");
    for line in ["sweep --merge rows", line] {
        let parts = ["rows/rows.csv", "holds 2 rows", "rows/rows.jsonl, only 0"];
        fails(folder.path(), line, 1, &parts);
        assert_eq!(lines(folder.path(), "rows.csv"), table);
    }
}

#[test]
fn networks_that_never_fired_are_counted() {
    let folder = tempfile::tempdir().expect("a folder");
    let line = "sweep --task go-nogo --n 6 --seeds 2 --n_trials 4 --trials 5 -o rows";
    succeeds(folder.path(), line);
    let silent = lines(folder.path(), "rows.jsonl").into_iter().map(|line| {
        let mut row: Value = serde_json::from_str(&line).expect("a row");
        row["mean_rate_hz"] = 0.0.into();
        row.to_string() + "\n"
    });
    let silent: String = silent.collect();
    std::fs::write(folder.path().join("rows/rows.jsonl"), silent).expect("a file");
    for line in [line, "report rows"] {
        let said = String::from_utf8(run(folder.path(), line).stderr).expect("UTF-8");
        assert!(
            said.contains("in 2 of 2 networks no unit fired"),
            "{line}: {said}"
        );
    }
}

#[test]
fn neither_a_record_nor_a_file_of_another_program_is_written_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let line = "sweep --task go-nogo --n 6 --seeds 1 --n_trials 4 --trials 5 -o rows";
    succeeds(folder.path(), line);
    for name in ["plan.json", "rows.jsonl", "rows.csv"] {
        let before = lines(folder.path(), name);
        let parts = [name, "the command reads this file"];
        fails(
            folder.path(),
            &format!("report rows -o rows/{name}"),
            2,
            &parts,
        );
        assert_eq!(lines(folder.path(), name), before);
    }
    for (name, line) in [
        ("rows.csv", line),
        ("rows.csv", "sweep --merge rows"),
        ("success.svg", line),
        ("sweep.html", "report rows"),
        (
            "array.sh",
            "sweep --task go-nogo --n 6 --seeds 1 --n_trials 4 --trials 5 -o rows --slurm 2",
        ),
    ] {
        let path = folder.path().join("rows").join(name);
        let ours = std::fs::read(&path).ok();
        std::fs::write(&path, "theirs\n").expect("a file");
        let output = run(folder.path(), line);
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{line}");
        assert!(
            message.contains("rate2spike did not write it"),
            "{line}: {message}"
        );
        assert_eq!(lines(folder.path(), name), ["theirs"], "{line}");
        match ours {
            Some(ours) => std::fs::write(&path, ours).expect("a file"),
            None => std::fs::remove_file(&path).expect("a file"),
        }
    }
}

#[test]
fn huge_counts_get_a_sentence_and_leave_nothing_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    for (line, parts) in [
        (
            "sweep --task xor --seeds 1000000000",
            ["1000000000 networks", "at most", "1000000"],
        ),
        (
            "sweep --task xor --seeds 0..18446744073709551615",
            ["18446744073709551616 networks", "at most", "1000000"],
        ),
        (
            "sweep --task xor --seeds 1000000000 --slurm 4",
            ["1000000000 networks", "at most", "1000000"],
        ),
        (
            "reproduce fig2c --networks 1000000000",
            ["8000000000 networks", "1000000", "GB"],
        ),
    ] {
        fails(folder.path(), line, 2, &parts);
    }
    fails(
        folder.path(),
        "sweep --task xor --slurm 1000000000",
        2,
        &["at most 4000000"],
    );
    for option in ["--trials", "--search-trials", "--n"] {
        let output = run(
            folder.path(),
            &format!("sweep --task xor {option} 1000000000"),
        );
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{option}: {message}");
        assert!(
            message.contains("at most") && !message.contains("panicked"),
            "{message}"
        );
    }
    assert_eq!(
        std::fs::read_dir(folder.path()).expect("a folder").count(),
        0
    );
    // A plan of which no network was run is replaced by another one.
    succeeds(
        folder.path(),
        "sweep --task xor --n 5 --seeds 1 --n_trials 2 --trials 2 -o rows",
    );
    for file in ["rows.jsonl", "rows.csv"] {
        std::fs::remove_file(folder.path().join("rows").join(file)).expect("a file");
    }
    succeeds(
        folder.path(),
        "sweep --task xor --n 6 --seeds 1 --n_trials 2 --trials 2 -o rows",
    );
}

#[test]
fn a_finished_sweep_runs_nothing_again_and_prints_the_same_summary() {
    let folder = tempfile::tempdir().expect("a folder");
    let line = "sweep --task go-nogo --n 6 --seeds 3..5 --n_trials 4 --trials 5 -o rows --json";
    let first = succeeds(folder.path(), line);
    let before = lines(folder.path(), "rows.jsonl");
    assert_eq!(succeeds(folder.path(), line), first);
    assert_eq!(lines(folder.path(), "rows.jsonl"), before);
    let report: Value = serde_json::from_str(&first).expect("one object");
    assert_eq!(report["networks"], 3);
    assert_eq!(report["missing"], 0);
    assert_eq!(report["cells"][0]["trained"]["of"], 3);
    assert_eq!(report["cells"][0]["name"], "go-nogo N=6 lif");
}

#[test]
fn a_sweep_becomes_a_figure_and_a_page() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = "--n_trials 4 --trials 5 --search-trials 2 --lambdas 50";
    let line = format!(
        "sweep --task go-nogo,xor --n 6,9 --act sigmoid,lif --seeds 2 {options} -o rows --json"
    );
    let report: Value = serde_json::from_str(&succeeds(folder.path(), &line)).expect("one object");
    let files = serde_json::json!(["rows/success.svg", "rows/success.png"]);
    assert_eq!(report["figures"], files);
    let svg = lines(folder.path(), "success.svg").concat();
    for text in [
        "success as deployed (%)",
        "units N",
        "xor",
        "sigmoid",
        "lif",
        "strict",
    ] {
        assert!(svg.contains(text), "{text}");
    }
    let page = succeeds(folder.path(), "report rows --json");
    let page: Value = serde_json::from_str(&page).expect("one object");
    assert_eq!(
        (&page["networks"], &page["missing"]),
        (&16.into(), &0.into())
    );
    let html = lines(folder.path(), "sweep.html").concat();
    for text in [
        "16 networks in 8 cells",
        "xor N=9 lif",
        "<figure id=\"success\">",
    ] {
        assert!(html.contains(text), "{text}");
    }
    // A sweep that was only planned has a page without a figure.
    for file in ["rows.jsonl", "rows.csv", "success.svg", "success.png"] {
        std::fs::remove_file(folder.path().join("rows").join(file)).expect("a file");
    }
    let page = succeeds(folder.path(), "report rows --json");
    let page: Value = serde_json::from_str(&page).expect("one object");
    assert_eq!(
        (&page["networks"], &page["missing"]),
        (&0.into(), &16.into())
    );
    assert_eq!(page["figures"], serde_json::json!([]));
}

#[test]
fn other_options_in_the_same_folder_are_refused_and_the_difference_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let line = "sweep --task go-nogo --n 6 --seeds 1 --n_trials 4 --trials 5 -o rows";
    succeeds(folder.path(), line);
    let before = rows(folder.path());
    fails(
        folder.path(),
        &format!("{line} --gain 3"),
        2,
        &["rows/plan.json", "cells[0].options.gain", "3.0 given", "-o"],
    );
    assert_eq!(rows(folder.path()), before);
}

#[test]
fn a_row_has_the_numbers_that_pipeline_prints_for_the_same_network() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = "--n_trials 150 --trials 20 --P_rec 0.5";
    succeeds(
        folder.path(),
        &format!("sweep --task xor --n 20 --seeds 2..2 {options} -o rows"),
    );
    let row: Value = serde_json::from_str(&lines(folder.path(), "rows.jsonl")[0]).expect("a row");
    let output = run(
        folder.path(),
        &format!("pipeline xor --N 20 --seed 2 {options} --json"),
    );
    let report: Value = serde_json::from_slice(&output.stdout).expect("one object");
    for (in_row, in_report) in [
        ("rate", "rate"),
        ("spiking", "spiking"),
        ("fixed", "deployed"),
    ] {
        for score in ["accuracy", "strict"] {
            assert_eq!(row[in_row][score], report[in_report][score], "{in_row}");
        }
    }
    assert_eq!(row["spike_hash"], report["spike_hash"]);
    assert_eq!(row["lambda"], report["lambda"]);
    assert_eq!(row["updates"], report["updates"]);
}

#[test]
fn the_shares_of_a_sweep_are_merged_into_all_its_rows() {
    let folder = tempfile::tempdir().expect("a folder");
    let other = tempfile::tempdir().expect("a folder");
    let line = "sweep --task go-nogo --n 5,6 --seeds 3 --n_trials 4 --trials 5 -o rows";
    succeeds(other.path(), line);
    // Without Slurm the script and the plan are written too.
    let output = command(folder.path(), &format!("{line} --slurm 4"))
        .env("PATH", "")
        .output()
        .expect("the program starts");
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(
        message.contains("array.sh") && message.contains("no sbatch"),
        "{message}"
    );
    for share in 0..3 {
        succeeds(folder.path(), &format!("sweep --share {share}/4 -o rows"));
    }
    fails(
        folder.path(),
        "sweep --merge rows",
        1,
        &["2 of 6 networks have no row"],
    );
    succeeds(folder.path(), "sweep --share 3/4 -o rows");
    succeeds(folder.path(), "sweep --merge rows");
    assert_eq!(rows(folder.path()), rows(other.path()));
    assert_eq!(lines(folder.path(), "rows.csv").len(), 7);
}

#[test]
fn a_figure_is_printed_beside_the_published_values() {
    let folder = tempfile::tempdir().expect("a folder");
    let line = "reproduce fig1c --networks 2 --n 10 --trials 5 -o rows";
    let text = succeeds(folder.path(), line);
    let row = text
        .lines()
        .find(|line| line.starts_with("go-nogo N=10 sigmoid"));
    let fields: Vec<&str> = row.expect("a row").split_whitespace().collect();
    assert_eq!(fields[3], "69", "{text}");
    let report: Value =
        serde_json::from_str(&succeeds(folder.path(), &format!("{line} --json"))).expect("JSON");
    let cell = &report["cells"][0];
    assert_eq!(cell["published"], 69.0);
    assert_eq!(cell["found"], cell["trained"]);
    assert_eq!(cell["found"]["of"], 2);
    let row: Value = serde_json::from_str(&lines(folder.path(), "rows.jsonl")[0]).expect("a row");
    assert_eq!(row["options"]["taus"], serde_json::json!([4.0, 10.0]));
    fails(folder.path(), "reproduce fig1c --n 11", 2, &["10, 50, 100"]);
    fails(folder.path(), "reproduce fig3", 2, &["fig2c"]);
}

#[test]
fn a_wrong_option_is_answered_with_a_sentence() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    fails(folder, "sweep --seeds 3", 2, &["--task"]);
    fails(folder, "sweep --task xor --seeds 0", 2, &["at least 1"]);
    fails(folder, "sweep --task xor --n 0 -o x", 2, &["N = 0"]);
    fails(folder, "sweep --task xor --dt 0.3 -o x", 2, &["0.3 ms"]);
    fails(
        folder,
        "sweep --task xor --slurm 0 -o x",
        2,
        &["at least 1"],
    );
    fails(
        folder,
        "sweep --merge nothing",
        1,
        &["nothing/plan.json", "no sweep"],
    );
    assert_eq!(std::fs::read_dir(folder).expect("a folder").count(), 0);
    std::fs::create_dir(folder.join("x")).expect("a folder");
    std::fs::write(folder.join("x/plan.json"), "{}").expect("a file");
    fails(
        folder,
        "sweep --task xor -o x",
        1,
        &["x/plan.json", "not the plan"],
    );
}
