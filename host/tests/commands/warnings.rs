//! Results that are easy to misread: each warning where it belongs, and nowhere else.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use rate2spike_core::blob::{self, Deployed, Payload};
use serde_json::Value as Json;

/// A frozen network.
fn network() -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/tests/golden/xor.snn");
    std::fs::read(path).expect("a frozen network")
}

/// The frozen network with a change, and with a right check sum.
fn changed(change: impl Fn(&mut Payload)) -> Vec<u8> {
    let bytes = network();
    let mut payload = *Deployed::read(&bytes).expect("a frozen network").payload();
    change(&mut payload);
    let mut buffer = vec![0; bytes.len() + 64];
    blob::write(&payload, &mut buffer)
        .expect("it fits")
        .to_vec()
}

/// The model that the published code trained.
fn model() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/models");
    let mut entries = std::fs::read_dir(folder).expect("the folder of models");
    entries.next().expect("a model").expect("a file").path()
}

struct Place(tempfile::TempDir);

impl Place {
    fn with(name: &str, bytes: &[u8]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join(name), bytes).expect("a writable folder");
        Self(folder)
    }

    fn run(&self, line: &str) -> Output {
        Command::new(env!("CARGO_BIN_EXE_rate2spike"))
            .args(line.split_whitespace())
            .current_dir(self.0.path())
            .output()
            .expect("the program starts")
    }

    /// The warnings of a command that goes well; they are said on stderr, too.
    fn warnings(&self, line: &str) -> Vec<String> {
        let output = self.run(&format!("{line} --json"));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{line}: {said}");
        let report: Json = serde_json::from_slice(&output.stdout).expect("one object");
        let warnings = report["warnings"].as_array().expect("a list");
        let warnings: Vec<String> = warnings
            .iter()
            .map(|warning| warning.as_str().expect("a sentence").into())
            .collect();
        for warning in &warnings {
            assert!(said.contains(warning), "{line}: {said}");
        }
        assert_eq!(said.matches("warning:").count(), warnings.len(), "{said}");
        warnings
    }

    /// One warning, with all of `parts` in it.
    fn warns(&self, line: &str, parts: &[&str]) {
        let warnings = self.warnings(line);
        assert_eq!(warnings.len(), 1, "{line}: {warnings:?}");
        for part in parts {
            assert!(warnings[0].contains(part), "{line}: {warnings:?}");
        }
    }

    fn refuses(&self, line: &str, parts: &[&str]) {
        let output = self.run(line);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{line}: {said}");
        for part in parts {
            assert!(said.contains(part), "{line}: no '{part}' in {said}");
        }
    }
}

#[test]
fn a_best_lambda_at_the_edge_of_the_search_is_named() {
    let place = Place::with(
        "Task_go-nogo_N_200.mat",
        &std::fs::read(model()).expect("a model"),
    );
    let line = "convert Task_go-nogo_N_200.mat --dry-run --trials 100 --lambdas";
    place.warns(&format!("{line} 25,200,400"), &["25", "edge", "--lambdas"]);
    assert_eq!(place.warnings(&format!("{line} 1,25,400")), [""; 0]);
}

#[test]
fn an_accuracy_of_few_trials_is_named() {
    let place = Place::with("net.snn", &network());
    place.warns("run net.snn --trials 5", &["over 5 trials", "--trials"]);
    assert_eq!(place.warnings("run net.snn --trials 60"), [""; 0]);
}

#[test]
fn a_step_at_which_the_accuracy_drops_is_named() {
    let place = Place::with(
        "Task_go-nogo_N_200.mat",
        &std::fs::read(model()).expect("a model"),
    );
    // Over 100 trials the same difference may be chance.
    let line = "quantize Task_go-nogo_N_200.mat -o net.snn --lambda 30 --trials 200 --dt";
    let dropped = format!("{line} 1 --filter single");
    place.warns(&dropped, &["1 ms", "0.05 ms", "--dt"]);
    assert_eq!(place.warnings(&format!("{line} 0.1")), [""; 0]);
}

#[test]
fn a_readout_that_leaves_its_range_is_named() {
    let large = changed(|payload| {
        // Filters that hardly decay, and take in much.
        let row = [(-10i16).to_le_bytes(), i16::MAX.to_le_bytes()].concat();
        payload.filters = row.repeat(payload.filters.len() / row.len()).leak();
    });
    let place = Place::with("net.snn", &large);
    place.warns(
        "run net.snn --trials 60",
        &["the readout leaves its range", "train with another --seed"],
    );
}

#[test]
fn a_self_test_of_another_version_is_named_and_nothing_is_run_or_deployed() {
    let other = changed(|payload| payload.self_test.spike_hash ^= 1);
    let place = Place::with("net.snn", &other);
    place.warns("inspect net.snn", &["self-test", "steps differently"]);
    for line in [
        "run net.snn",
        "deploy net.snn --board stm32f405 --format bin --slow",
    ] {
        place.refuses(line, &["net.snn", "self-test", "steps differently"]);
    }
    assert!(!place.0.path().join("net.bin").exists());
    let right = Place::with("net.snn", &network());
    assert_eq!(right.warnings("inspect net.snn"), [""; 0]);
}

/// A blob can ask for a trial of days; nobody waits for it.
#[test]
fn a_trial_that_is_none_of_the_tasks_is_not_run() {
    for change in [
        |payload: &mut Payload| payload.clock.steps = 1 << 29,
        |payload: &mut Payload| payload.step_ns += 50_000,
        |payload: &mut Payload| payload.clock.steps_per_sample += 1,
    ] {
        let place = Place::with("net.snn", &changed(change));
        let start = Instant::now();
        for line in ["run net.snn", "deploy net.snn --board rp2040 --slow"] {
            place.refuses(line, &["net.snn", "not a trial of 'xor'", "quantize"]);
        }
        place.warns("inspect net.snn", &["not a trial of 'xor'", "not run"]);
        assert!(start.elapsed() < Duration::from_secs(10));
    }
}

#[test]
fn a_value_that_vanishes_in_fixed_point_is_named_with_what_it_became() {
    let place = crate::place::Place::new();
    let line = "quantize go-nogo.mat --task go-nogo --lambda 50 --trials 1 -o n.snn";
    for (flags, wanted) in [
        ("--noise 0.0001", "--noise 0.0001 mV has become 0 mV"),
        ("--refractory 0.04", "--refractory 0.04 ms has become 0 ms"),
    ] {
        let report = place.json(&format!("{line} {flags}"));
        let said = report["warnings"].to_string();
        assert!(said.contains(wanted), "{flags}: {said}");
    }
    let report = place.json(&format!("{line} --noise 0 --refractory 0"));
    assert!(!report["warnings"].to_string().contains("has become"));
}

#[test]
fn a_network_that_never_fires_is_named_by_every_command_that_scores_it() {
    let place = crate::place::Place::new();
    // A large lambda makes each weight small.
    let large = "--lambda 10000 --noise 0 --refractory 1000 --trials 1";
    let line = format!("quantize go-nogo.mat --task go-nogo -o n.snn {large}");
    let silent = "no unit fired in 1 trials";
    for line in [
        line.as_str(),
        "run n.snn --trials 1 --silence 1-200",
        "simulate go-nogo.mat --task go-nogo --lambda 50 --trials 1 --silence 1-200",
    ] {
        let report = place.json(line);
        let said = report["warnings"].to_string();
        if report["mean_rate_hz"] == 0.0 {
            assert!(said.contains(silent), "{line}: {said}");
        }
    }
    let report = place.json("run n.snn --trials 1 --silence 1-200");
    assert_eq!(report["mean_rate_hz"], 0.0);
}
