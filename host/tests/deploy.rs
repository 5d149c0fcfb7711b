//! `deploy` as typed: budget, images, and a probe that does what it is told or
//! fails.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value as Json;

/// A frozen network with steps of 0.1 ms.
fn network() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/tests/golden/go-nogo.snn")
}

/// A folder with the network `net.snn` in it.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::copy(network(), folder.path().join("net.snn")).expect("a copy");
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs the program here; programs that it calls are looked for here only.
    fn run(&self, line: &str) -> Output {
        Command::new(env!("CARGO_BIN_EXE_rate2spike"))
            .args(line.split_whitespace())
            .current_dir(self.folder.path())
            .env("PATH", self.folder.path())
            // Else the firmware that was built there would be found.
            .env_remove("CARGO_TARGET_DIR")
            .output()
            .expect("the program starts")
    }

    /// Puts a program called probe-rs here, which does this.
    #[cfg(unix)]
    fn probe(&self, script: &str) {
        use std::os::unix::fs::PermissionsExt;
        let path = self.path("probe-rs");
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("written");
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&path, mode).expect("may be run");
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn an_image_is_written_for_each_board_and_format() {
    let place = Place::new();
    let bytes = std::fs::read(network()).expect("the network");
    for (board, format, length) in [
        ("stm32f405", "bin", Some(bytes.len())),
        ("stm32f405", "hex", None),
        ("rp2040", "bin", Some(bytes.len())),
        // Blocks of 256 bytes in 512, in sectors of 16.
        ("rp2040", "uf2", Some(bytes.len().div_ceil(4096) * 16 * 512)),
    ] {
        let line = format!("deploy net.snn --board {board} --format {format} --slow --json");
        let output = place.run(&line);
        assert!(output.status.success(), "{line}: {}", said(&output));
        let report: Json = serde_json::from_slice(&output.stdout).expect("one object");
        assert_eq!(report["budget"]["flash_bytes"], bytes.len());
        assert_eq!(report["budget"]["ram_bytes"], 200 * 24 + 8 * 12);
        let image = std::fs::read(place.path(&format!("net.{format}"))).expect("an image");
        assert_eq!(report["image_bytes"], image.len());
        if let Some(length) = length {
            assert_eq!(image.len(), length, "{line}");
        }
        if format == "bin" {
            assert_eq!(image, bytes, "{line}");
        }
    }
}

#[test]
fn a_network_that_is_too_slow_is_refused_with_the_numbers() {
    let place = Place::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/models");
    let mut models = std::fs::read_dir(folder).expect("the folder of models");
    let model = models.next().expect("a model").expect("a file").path();
    std::fs::copy(model, place.path("go-nogo.mat")).expect("a copy");
    let made = place.run("quantize go-nogo.mat --lambda 25 --dt 0.05 -o slow.snn --trials 1");
    assert!(made.status.success(), "{}", said(&made));

    let output = place.run("deploy slow.snn --board rp2040 --format bin");
    assert_eq!(output.status.code(), Some(1));
    let budget = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(budget.contains("of 6650"), "{budget}");
    let message = said(&output);
    for part in ["cycles on average", "6650", "--dt", "--slow"] {
        assert!(message.contains(part), "{message}");
    }
    assert!(!place.path("slow.bin").exists(), "nothing was written");
}

#[test]
fn what_cannot_be_done_is_said() {
    let place = Place::new();
    for (line, status, part) in [
        ("deploy net.snn --board stm32f405 --format uf2", 2, "no UF2"),
        (
            "deploy net.snn --board stm32f405 --format hex --content both",
            2,
            "cargo build",
        ),
        (
            "deploy net.snn --board stm32f405 --flash",
            1,
            "not installed",
        ),
        (
            "deploy net.snn --board stm32f405 --firmware net.snn",
            1,
            "not a linked firmware",
        ),
        ("run net.snn --on tcp:127.0.0.1:1", 1, "tcp:127.0.0.1:1"),
        ("run net.snn --on nowhere", 2, "serial:PORT"),
    ] {
        let output = place.run(line);
        assert_eq!(output.status.code(), Some(status), "{line}");
        let message = said(&output);
        assert!(message.contains(part), "{line}: {message}");
        assert!(!message.contains("panicked"), "{line}: {message}");
    }
}

#[cfg(unix)]
#[test]
fn the_probe_gets_the_bytes_and_the_address() {
    let place = Place::new();
    place.probe("for last; do :; done\necho \"$*\" >> calls\n[ ! -f \"$last\" ] || /bin/cp \"$last\" flashed");
    let output = place.run("deploy net.snn --board stm32f405 --flash");
    assert!(output.status.success(), "{}", said(&output));
    let calls = std::fs::read_to_string(place.path("calls")).expect("it was called");
    assert!(calls.contains("download --chip STM32F405RG"), "{calls}");
    assert!(calls.contains("--base-address 0x8060000"), "{calls}");
    assert!(calls.contains("reset --chip STM32F405RG"), "{calls}");
    let flashed = std::fs::read(place.path("flashed")).expect("it got a file");
    assert_eq!(flashed, std::fs::read(network()).expect("the network"));
}

#[cfg(unix)]
#[test]
fn the_probes_error_is_shown_in_one_line() {
    let place = Place::new();
    place.probe("printf '\\033[31mError\\033[0m:\\n  no probe found\\n' >&2\nexit 1");
    let output = place.run("deploy net.snn --board stm32f405 --flash");
    assert_eq!(output.status.code(), Some(1));
    let message = said(&output);
    assert!(message.contains("Error: no probe found"), "{message:?}");
    assert!(!message.contains('\u{1b}'), "{message:?}");
}
