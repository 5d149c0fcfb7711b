//! A network in an FPGA by commands alone: `deploy` with the real tools of an iCE40, and
//! `run --on` with a simulated device at a pseudo-terminal.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use crate::data::{in_each_sample, short_pipeline, write_folder};
use crate::place::Place;

/// Place of the network in the flash of an iCEBreaker.
const NETWORK_AT: usize = 0x10_0000;

/// Time in which a simulated device loads its network and runs its self-test.
const READY_TIME: Duration = Duration::from_secs(120);

/// True if all these programs are installed; else says which one is not.
fn has(programs: &[&str]) -> bool {
    let missing = programs.iter().find(|program| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        !std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
    });
    if let Some(missing) = missing {
        let required = std::env::var_os("RATE2SPIKE_REQUIRE_ALL").is_some();
        assert!(!required, "{missing} is not installed");
        eprintln!("skipped: {missing} is not installed");
    }
    missing.is_none()
}

/// A place with a frozen network of 200 units, `net.snn`.
fn place() -> Place {
    let place = Place::new();
    let network = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/tests/golden/go-nogo.snn");
    std::fs::copy(network, place.path("net.snn")).expect("a copy");
    place
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_network_becomes_bit_stream_image_and_flash_by_one_command_with_the_real_tools() {
    use std::os::unix::fs::PermissionsExt;

    if !has(&["make", "yosys", "nextpnr-ice40", "icepack", "iceunpack"]) {
        return;
    }
    let place = place();
    // A programmer that keeps what it is given.
    let programmer = place.path("bin/iceprog");
    std::fs::create_dir(place.path("bin")).expect("a folder");
    let script = "#!/bin/sh\n[ \"$1\" = -o ] && cp \"$3\" \"${0%/bin/iceprog}/flash.$2\"\n";
    std::fs::write(&programmer, script).expect("a program");
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(&programmer, mode).expect("a program");
    let mut path = place.path("bin").into_os_string();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let line =
        "deploy net.snn --board icebreaker --content both --format bin -o all.bin --flash --json";
    let output = Command::new(env!("CARGO_BIN_EXE_rate2spike"))
        .args(line.split(' '))
        .current_dir(place.folder.path())
        .env("PATH", path)
        .output()
        .expect("the program starts");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let report: Json = serde_json::from_slice(&output.stdout).expect("one object");
    eprintln!("{report}");
    assert_eq!(
        (&report["fits"], &report["flashed"]),
        (&true.into(), &true.into())
    );
    let placement = report["placement"].as_array().expect("lines");
    let placed = |words: &str| {
        let mut lines = placement.iter().filter_map(Json::as_str);
        lines.any(|line| line.contains(words))
    };
    assert!(
        placed("ICESTORM_LC") && placed("PASS at 18.00 MHz"),
        "{placement:?}"
    );

    let image = std::fs::read(place.path("all.bin")).expect("an image");
    let bit_stream = std::fs::read(place.path("flash.0")).expect("a bit stream");
    let network = std::fs::read(place.path(&format!("flash.{NETWORK_AT}"))).expect("a network");
    assert!(image.starts_with(&bit_stream) && image[NETWORK_AT..] == network);
    assert!(network.starts_with(b"R2SL"));
    // The bit stream configures this chip.
    let unpacked = Command::new("iceunpack")
        .arg(place.path("flash.0"))
        .output();
    let unpacked = unpacked.expect("iceunpack starts");
    assert!(text(&unpacked.stdout).contains(".device 5k"));
    // This bit stream serves for a network of the same size without synthesis.
    let line = "deploy net.snn --board icebreaker --content both --format bin -o again.bin";
    let again = place.run(&format!("{line} --firmware all.bin"));
    assert!(again.status.success(), "{}", text(&again.stderr));
    let again = std::fs::read(place.path("again.bin")).expect("an image");
    assert!(again.starts_with(&bit_stream) && again[NETWORK_AT..] == network);
}

#[test]
fn the_logic_refuses_networks_of_data_sets_by_name() {
    let place = Place::new();
    write_folder(&place, "waves", 10);
    let settings = "sample_ms = 20\ntime_column = \"t\"\n";
    std::fs::write(place.path("waves.toml"), settings).expect("a file");
    let report = short_pipeline(&place, "waves");
    let network = report["files"]["network"].as_str().expect("a path");
    let parts = ["one output", "this network has 3", "on a microcontroller"];
    place.fails(
        &format!("export {network} --to verilog -o design"),
        1,
        &parts,
    );
    place.fails(&format!("deploy {network} --board ulx3s"), 1, &parts);

    // A network with one output, which follows a target.
    in_each_sample(&place, "sum.npz", |a, b| vec![a + b], true);
    let report = short_pipeline(&place, "sum.npz");
    let network = report["files"]["network"].as_str().expect("a path");
    let parts = ["preprocesses", "on a microcontroller"];
    place.fails(
        &format!("export {network} --to verilog -o design"),
        1,
        &parts,
    );
}

/// A simulated device at a pseudo-terminal; it ends with the value.
struct Device {
    process: Child,
    port: String,
}

impl Device {
    /// Starts the device with `flash` as the content of its flash, a byte a line.
    fn start(place: &Place, flash: &str) -> Self {
        std::fs::write(place.path("design/flash.hex"), flash).expect("a writable folder");
        let mut process = Command::new(place.path("design/build/line/Vline_bench"))
            .arg("+flash=flash.hex")
            .current_dir(place.path("design"))
            .stdout(Stdio::piped())
            .spawn()
            .expect("a simulation");
        let mut first = String::new();
        let mut lines = BufReader::new(process.stdout.take().expect("its output"));
        lines.read_line(&mut first).expect("a line");
        let name = first.trim().strip_prefix("terminal ").expect("a terminal");
        let port = format!("serial:{name}");
        Self { process, port }
    }

    /// Runs the network on the device, again and again until the device answers.
    fn run(&self, place: &Place, line: &str) -> Output {
        let start = Instant::now();
        loop {
            let output = place.run(&format!("{line} --on {}", self.port));
            let is_silent = text(&output.stderr).contains("no answer");
            if !is_silent || start.elapsed() > READY_TIME {
                return output;
            }
        }
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        self.process.kill().expect("a running device");
        self.process.wait().expect("a running device");
    }
}

#[test]
fn run_says_equal_for_a_simulated_device_and_names_the_fault_of_a_damaged_network() {
    if !has(&["verilator", "make"]) {
        return;
    }
    let place = place();
    std::fs::rename(place.path("net.snn"), place.path("large.snn")).expect("a file");
    let small = "pipeline go-nogo --N 20 --n_trials 3 --trials 4 --dt 0.5 --quiet -o out";
    let report = place.json(small);
    let network = report["files"]["network"].as_str().expect("a path");
    std::fs::rename(place.path(network), place.path("net.snn")).expect("a file");
    place.json("export net.snn --to verilog -o design");
    place.json("export large.snn --to verilog -o large");
    let made = Command::new("make")
        .args(["-C", "design", "build/line/Vline_bench"])
        .current_dir(place.folder.path())
        .output()
        .expect("make starts");
    assert!(made.status.success(), "{}", text(&made.stderr));
    let whole = std::fs::read_to_string(place.path("design/network.hex")).expect("an image");
    let lines: Vec<&str> = whole.lines().collect();

    let device = Device::start(&place, &whole);
    let output = device.run(&place, "run net.snn --trials 2");
    let said = text(&output.stdout);
    eprintln!("{said}");
    assert!(output.status.success(), "{said}{}", text(&output.stderr));
    assert!(
        said.contains("on logic") && said.contains("on board and desktop: EQUAL"),
        "{said}"
    );
    assert!(!said.contains("stack"), "{said}");
    let output = device.run(&place, "run large.snn --trials 1");
    let said = text(&output.stderr);
    assert!(
        said.contains("holds another network") && said.contains("--replace"),
        "{said}"
    );
    std::fs::write(place.path("input.csv"), "0.5\n".repeat(200)).expect("a recording");
    let output = device.run(&place, "run net.snn --input input.csv");
    let said = text(&output.stderr);
    assert!(said.contains("leave --input out"), "{said}");
    drop(device);

    let mut corrupted = lines.clone();
    let at = lines.len() / 2;
    corrupted[at] = if lines[at] == "00" { "01" } else { "00" };
    let large = std::fs::read_to_string(place.path("large/network.hex")).expect("an image");
    let oversized: Vec<&str> = large.lines().take(lines.len()).collect();
    for (what, flash, words) in [
        ("cut", &lines[..lines.len() / 2], "malformed"),
        ("corrupted", &corrupted, "check sum is wrong"),
        ("oversized", &oversized, "larger than the memories"),
    ] {
        let device = Device::start(&place, &flash.join("\n"));
        let output = device.run(&place, "run net.snn --trials 1");
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{what}: {said}");
        assert!(said.contains(words), "{what}: {said}");
        // A whole network over the line is a way out.
        let output = device.run(&place, "run net.snn --trials 1 --replace");
        assert!(text(&output.stdout).contains("EQUAL"), "{what}");
    }
}
