//! One small input of every kind, made once, for tests that run all commands.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use rate2spike::formats::mat::{MatFile, Value};
use rate2spike::formats::rate_model::write_mat;

/// Two pulses of the same sign, or not.
const TASK: &str = "
name = 'same-sign'
channels = 2
duration_ms = 300
[[pulse]]
channel = 1
onset_ms = 50
duration_ms = 50
values = [1, -1]
[[pulse]]
channel = 2
onset_ms = 100
duration_ms = 50
values = [1, -1]
[target]
rule = 'product'
onset_ms = 200
duration_ms = 100
";

const UNITS: usize = 10;

/// Names of the inputs in [`fill`]: task, model, deployed network, NIR graph, input,
/// start potentials, firmware.
pub const INPUTS: [&str; 7] = [
    "t.toml", "m.mat", "n.snn", "g.nir", "u.mat", "v0.mat", "fw.elf",
];

/// Runs the program in `folder` and waits for it.
pub fn run(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rate2spike"))
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .expect("the program starts")
}

/// Puts a copy of every input into `folder`.
pub fn fill(folder: &Path) {
    static MADE: OnceLock<tempfile::TempDir> = OnceLock::new();
    let made = MADE.get_or_init(make);
    for name in INPUTS {
        std::fs::copy(made.path().join(name), folder.join(name)).expect("a copy");
    }
}

fn make() -> tempfile::TempDir {
    let made = tempfile::tempdir().expect("a folder");
    let folder = made.path();
    let at = |name: &str| folder.join(name);
    std::fs::write(at("t.toml"), TASK).expect("a writable folder");
    std::fs::write(at("fw.elf"), b"\x7fELF, or so it says").expect("a writable folder");
    let line = format!("train --task t.toml --N {UNITS} --n_trials 1 --output_dir trained --json");
    let output = run(folder, &line.split(' ').collect::<Vec<_>>());
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a report");
    let model = report["model"].as_str().expect("a path");
    std::fs::copy(at(model), at("m.mat")).expect("a copy");
    for line in [
        "quantize m.mat --lambda 25 --task t.toml --trials 1 -o n.snn",
        "export m.mat --lambda 25 --to nir -o g.nir",
    ] {
        let output = run(folder, &line.split(' ').collect::<Vec<_>>());
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{line}: {message}");
    }
    let mut file = MatFile::new();
    file.insert("u", Value::matrix(2, 20, vec![0.5_f64; 40]));
    write_mat(&at("u.mat"), &file).expect("a writable folder");
    let mut file = MatFile::new();
    file.insert("v0", Value::column(vec![-60.0_f64; UNITS]));
    write_mat(&at("v0.mat"), &file).expect("a writable folder");
    made
}
