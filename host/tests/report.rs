//! The page of a run and its figures, as a reader and a script find them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The model that the published code trained.
fn published_model() -> PathBuf {
    let fixtures = match std::env::var_os("RATE2SPIKE_FIXTURES") {
        Some(folder) => folder.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures"),
    };
    let mut entries = std::fs::read_dir(fixtures.join("models")).expect("the folder of models");
    entries.next().expect("a model").expect("a file").path()
}

fn rate2spike(folder: &Path, line: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rate2spike"))
        .args(line.split_whitespace())
        .current_dir(folder)
        .output()
        .expect("the program starts")
}

const FAST: &str = "--lambda 25 --lambdas 25,30 --trials 6";

#[test]
fn a_folder_becomes_one_page_and_each_of_its_figures_a_picture() {
    let folder = tempfile::tempdir().expect("a folder");
    let below = folder.path().join("models/go-nogo");
    std::fs::create_dir_all(&below).expect("a folder");
    std::fs::copy(published_model(), below.join("Task_go-nogo.mat")).expect("a copy");
    let quantized = rate2spike(
        folder.path(),
        "quantize models/go-nogo/Task_go-nogo.mat -o models/go-nogo/Task_go-nogo.snn --lambda 25 --trials 1",
    );
    assert!(quantized.status.success());

    let output = rate2spike(folder.path(), &format!("report . {FAST} --json"));
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{message}");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one object");
    assert_eq!(report["accuracy"].as_array().expect("the forms").len(), 3);
    let figures = report["figures"].as_array().expect("figures");
    let page = std::fs::read_to_string(below.join("Task_go-nogo.html")).expect("the page");
    assert!(
        page.contains("is, byte for byte, what this model gives"),
        "the .snn was found"
    );
    for name in [
        "outputs",
        "inputs",
        "training",
        "time-constants",
        "eigenvalues",
        "lambda",
        "transfer",
        "raster",
        "firing-rates",
        "units",
        "components",
        "quantization",
    ] {
        assert!(page.contains(&format!("<figure id=\"{name}\">")), "{name}");
        for extension in ["svg", "png"] {
            let file = format!("{name}.{extension}");
            let path = below.join("Task_go-nogo_figures").join(&file);
            let bytes = std::fs::read(&path).expect("a figure");
            let start: &[u8] = if extension == "svg" {
                b"<svg "
            } else {
                b"\x89PNG"
            };
            assert!(bytes.starts_with(start), "{file}");
            assert!(
                figures
                    .iter()
                    .any(|f| f.as_str().is_some_and(|f| f.ends_with(&file)))
            );
        }
    }
    // It is read without a script; with one, a panel says what is at the pointer.
    let text = page.split("<script>").next().expect("a page");
    assert!(
        text.contains("published criterion") && text.contains("data-x=\"time (s)|0|1|linear\"")
    );
    // A single column of a paper, with its axes named.
    let outputs = below.join("Task_go-nogo_figures/outputs.svg");
    let outputs = std::fs::read_to_string(outputs).expect("a figure");
    for part in ["width=\"87mm\"", "time (s)", "Go", "No-Go", "target"] {
        assert!(outputs.contains(part), "{part}");
    }
}

#[test]
fn a_page_tells_the_options_and_evaluations_of_a_training_of_ours() {
    let folder = tempfile::tempdir().expect("a folder");
    let line = "pipeline xor --N 20 --n_trials 3 --trials 4 --seed 9 --report --json";
    let output = rate2spike(folder.path(), line);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one object");
    let page = report["files"]["report"].as_str().expect("a page");
    let page = std::fs::read_to_string(folder.path().join(page)).expect("the page");
    for part in [
        "--seed 9",
        "--N 20",
        "accuracy on fresh trials",
        "different",
        "rp2040",
    ] {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn no_model_or_many_are_named_with_the_way_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let fails = |parts: &[&str]| {
        let output = rate2spike(folder.path(), "report .");
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{message}");
        for part in parts {
            assert!(message.contains(part), "no '{part}' in: {message}");
        }
    };
    fails(&["no rate model", "rate2spike pipeline"]);
    for name in ["one.mat", "two.mat"] {
        std::fs::copy(published_model(), folder.path().join(name)).expect("a copy");
    }
    fails(&["2 rate models", "name one", "two.mat"]);
}
