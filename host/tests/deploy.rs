//! The command `deploy`: budget, images, and a debug probe that succeeds or fails.

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

    /// Runs the program in the folder. Programs that it calls are looked for in the folder
    /// only.
    fn run(&self, line: &str) -> Output {
        Command::new(env!("CARGO_BIN_EXE_rate2spike"))
            .args(line.split_whitespace())
            .current_dir(self.folder.path())
            .env("PATH", self.folder.path())
            .output()
            .expect("the program starts")
    }

    /// Puts a program called probe-rs into the folder, which runs `script`.
    #[cfg(unix)]
    fn probe(&self, script: &str) {
        self.program("probe-rs", script);
    }

    /// Puts a program called `name` into the folder, which runs `script`.
    #[cfg(unix)]
    fn program(&self, name: &str, script: &str) {
        use std::os::unix::fs::PermissionsExt;
        let path = self.path(name);
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
        // Blocks of 512 bytes hold 256 bytes each, and a sector has 16 blocks.
        ("rp2040", "uf2", Some(bytes.len().div_ceil(4096) * 16 * 512)),
        ("rp2350", "uf2", Some(bytes.len().div_ceil(4096) * 16 * 512)),
    ] {
        let line = format!("deploy net.snn --board {board} --format {format} --slow --json");
        let output = place.run(&line);
        assert!(output.status.success(), "{line}: {}", said(&output));
        let report: Json = serde_json::from_slice(&output.stdout).expect("one object");
        assert_eq!(report["budget"]["flash_bytes"], bytes.len());
        // The RP2040 keeps where it cuts the targets of each unit between its cores. Each board
        // keeps the drive of each unit in the coming sample.
        let unit = if board == "rp2040" { 32 } else { 28 };
        assert_eq!(report["budget"]["ram_bytes"], 200 * unit + 8 * 12);
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
    std::fs::copy(model, place.path("Task_go-nogo_N_200.mat")).expect("a copy");
    let made =
        place.run("quantize Task_go-nogo_N_200.mat --lambda 25 --dt 0.05 -o slow.snn --trials 1");
    assert!(made.status.success(), "{}", said(&made));

    let output = place.run("deploy slow.snn --board rp2040 --format bin");
    assert_eq!(output.status.code(), Some(1));
    let budget = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(budget.contains("of 6650"), "{budget}");
    let message = said(&output);
    for part in ["the slowest step takes", "6650", "--slow"] {
        assert!(message.contains(part), "{message}");
    }
    assert!(!place.path("slow.bin").exists(), "nothing was written");
    let output = place.run("deploy slow.snn --board rp2040 --format bin --slow");
    assert_eq!(output.status.code(), Some(0));
    assert!(said(&output).contains("as --slow asks"));
}

#[test]
fn a_request_that_cannot_be_met_is_refused_with_a_sentence() {
    let place = Place::new();
    for (line, status, part) in [
        ("deploy net.snn --board stm32f405 --format uf2", 2, "no UF2"),
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
        ("deploy net.snn --board rp2040 -o net.uf2", 2, "--format"),
        (
            "deploy net.snn --board rp2040 --content both",
            2,
            "--content",
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

/// Bytes of the second boot stage of the files that [`elf`] makes, with its check sum.
const BOOT_STAGE: usize = 256;

/// An ELF file for the RP2040 with one segment of code of this length at this address.
fn elf(address: u32, bytes: u32) -> Vec<u8> {
    let half = |value: u16| value.to_le_bytes().to_vec();
    let word = |value: u32| value.to_le_bytes().to_vec();
    let mut file = b"\x7fELF\x01\x01\x01".to_vec();
    file.resize(16, 0);
    // Executable, ARM; version, entry, program headers, none of sections, flags.
    file.extend([half(2), half(40)].concat());
    file.extend([1, address | 1, 52, 0, 0x0500_0200].map(word).concat());
    file.extend([52, 32, 1, 40, 0, 0].map(half).concat());
    file.extend(
        [1, 84, address, address, bytes, bytes, 5, 4]
            .map(word)
            .concat(),
    );
    file.resize(84 + bytes as usize, 0x5a);
    let checksum = crc::Crc::<u32>::new(&crc::CRC_32_MPEG_2).checksum(&[0x5a; BOOT_STAGE - 4]);
    file[84 + BOOT_STAGE - 4..84 + BOOT_STAGE].copy_from_slice(&checksum.to_le_bytes());
    file
}

#[test]
fn an_image_of_both_parts_has_the_firmware_that_the_program_carries_or_that_is_named() {
    let place = Place::new();
    let network = std::fs::read(network()).expect("the network");
    for (board, network_at) in [
        ("rp2040", 0x10_0000),
        ("rp2350", 0x10_0000),
        ("stm32f405", 0x6_0000),
    ] {
        let line = format!(
            "deploy net.snn --board {board} --format bin --content both --slow --json -o {board}.bin"
        );
        let output = place.run(&line);
        assert!(output.status.success(), "{line}: {}", said(&output));
        let report: Json = serde_json::from_slice(&output.stdout).expect("one object");
        let firmware = report["firmware"]["flash_bytes"].as_u64().expect("bytes") as usize;
        let image = std::fs::read(place.path(&format!("{board}.bin"))).expect("an image");
        assert_eq!(image[network_at..], network, "{board}");
        let erased = &image[firmware..network_at];
        assert!(
            firmware > 20_000 && erased.iter().all(|&byte| byte == 0xff),
            "{board}"
        );
    }

    std::fs::write(place.path("named"), elf(0x1000_0000, 0x300)).expect("written");
    let line = "deploy net.snn --board rp2040 --format bin --content both --slow --firmware named";
    let output = place.run(line);
    assert!(output.status.success(), "{line}: {}", said(&output));
    let image = std::fs::read(place.path("net.bin")).expect("an image");
    assert!(image[BOOT_STAGE..0x300].iter().all(|&byte| byte == 0x5a));
    assert!(image[0x300..0x10_0000].iter().all(|&byte| byte == 0xff));
    assert_eq!(image[0x10_0000..], network);
}

#[test]
fn a_firmware_that_the_board_cannot_run_is_refused_before_anything_is_written() {
    let place = Place::new();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/foreign");
    for name in ["elf-stm32", "elf-ram"] {
        std::fs::copy(fixtures.join(name), place.path(name)).expect("a copy");
    }
    std::fs::write(place.path("far"), elf(0xffff_0000, 0x400)).expect("written");
    std::fs::write(place.path("long"), elf(0x1000_0000, 0x10_0001)).expect("written");
    for (name, parts) in [
        ("elf-stm32", ["segment 0", "0x08000000"]),
        ("elf-ram", ["segment 0", "0x20000000 in RAM"]),
        ("far", ["segment 0", "0xffff0000"]),
        ("long", ["segment 0", "1048577 bytes"]),
    ] {
        for content in ["firmware", "both", "network"] {
            let line = format!(
                "deploy net.snn --board rp2040 --format bin --content {content} --slow --firmware {name}"
            );
            let output = place.run(&line);
            assert_eq!(output.status.code(), Some(1), "{line}");
            let message = said(&output);
            for part in parts.into_iter().chain(["0x10000000 to 0x100fffff"]) {
                assert!(message.contains(part), "{line}: no {part} in {message}");
            }
            assert!(!place.path("net.bin").exists(), "{line}");
        }
    }
    std::fs::write(place.path("rp2040"), elf(0x1000_0000, 0x400)).expect("written");
    let output = place.run("deploy net.snn --board rp2350 --firmware rp2040 --slow");
    assert_eq!(output.status.code(), Some(1));
    let message = said(&output);
    assert!(message.contains("image definition"), "{message}");
    let output = place.run("deploy net.snn --board stm32f405 --firmware elf-stm32 --slow --json");
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn no_more_units_are_named_than_the_firmware_has_memory_for() {
    let place = Place::new();
    for board in ["rp2040", "rp2350", "stm32f405"] {
        let output = place.run(&format!("deploy net.snn --board {board} --slow --json"));
        let report: Json = serde_json::from_slice(&output.stdout).expect("one object");
        let most = report["budget"]["time"]["most_units"].as_u64();
        let room = report["budget"]["units_room"].as_u64();
        assert!(most.is_some() && most <= room, "{most:?} of {room:?}");
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

/// A file that begins as the bit streams of an iCE40 do.
const BIT_STREAM: &[u8] = b"\xff\x00\x00\xff\x7e\xaa\x99\x7e\x51\x00\x01\x05";

#[test]
fn a_board_with_an_fpga_has_a_budget_of_memory_blocks_and_clocks() {
    let place = Place::new();
    for (board, room) in [("icebreaker", 30), ("ulx3s", 56)] {
        let output = place.run(&format!("deploy net.snn --board {board} --json"));
        assert!(output.status.success(), "{}", said(&output));
        let report: Json = serde_json::from_slice(&output.stdout).expect("one object");
        assert_eq!(report["board"], board);
        assert_eq!(report["blocks"]["blocks_room"], room);
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(text.matches("\"fits\":").count(), 1, "{text}");
        assert_eq!(
            (&report["fits"], &report["image"]),
            (&true.into(), &Json::Null)
        );
        let worst = report["clocks"]["worst"].as_f64().expect("a number");
        let clock = report["clock_hz"].as_f64().expect("a number");
        let share = report["share_worst"].as_f64().expect("a number");
        assert!((share - worst / (0.1e-3 * clock)).abs() < 1e-9);
    }
}

#[test]
fn an_image_for_an_fpga_holds_bit_stream_and_network_at_their_addresses() {
    let place = Place::new();
    std::fs::write(place.path("fpga.bin"), BIT_STREAM).expect("written");
    let line = "deploy net.snn --board icebreaker --format bin -o all.bin --content both --firmware fpga.bin";
    let output = place.run(line);
    assert!(output.status.success(), "{}", said(&output));
    let image = std::fs::read(place.path("all.bin")).expect("an image");
    assert!(image.starts_with(BIT_STREAM) && image[0x10_0000..].starts_with(b"R2SL"));
    assert!(
        image[BIT_STREAM.len()..0x10_0000]
            .iter()
            .all(|&byte| byte == 0xff)
    );
    // An image that holds a network too is a bit stream as well.
    let line = "deploy net.snn --board icebreaker --format bin -o part.bin --content firmware --firmware all.bin";
    let output = place.run(line);
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(
        std::fs::read(place.path("part.bin")).expect("an image"),
        BIT_STREAM
    );
    let output = place.run("deploy net.snn --board icebreaker --format bin");
    assert!(output.status.success(), "{}", said(&output));
    let network = std::fs::read(place.path("net.bin")).expect("an image");
    assert!(network == image[0x10_0000..]);
    for (line, words) in [
        ("--format uf2", ["icebreaker", "no UF2"]),
        (
            "--firmware fpga.bin --format bin",
            ["fpga.bin", "--content both"],
        ),
        ("-o z.bin", ["z.bin", "--format"]),
    ] {
        let output = place.run(&format!("deploy net.snn --board icebreaker {line}"));
        assert_eq!(output.status.code(), Some(2), "{line}");
        for word in words {
            assert!(said(&output).contains(word), "{line}: {}", said(&output));
        }
    }
    let line = "deploy net.snn --board ulx3s --format bin --content both --firmware fpga.bin";
    let output = place.run(line);
    let message = said(&output);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(
        message.contains("fpga.bin is not a bit stream for the ECP5-25F"),
        "{message}"
    );
}

#[cfg(unix)]
#[test]
fn a_missing_or_failing_tool_of_an_fpga_is_named() {
    let place = Place::new();
    let make = "deploy net.snn --board icebreaker --format bin --content firmware";
    let message = said(&place.run(make));
    assert!(message.contains("make is not installed"), "{message}");
    assert!(
        message.contains("nextpnr-ice40") && message.contains("--to verilog"),
        "{message}"
    );
    for name in ["make", "nextpnr-ice40", "icepack"] {
        place.program(name, "exit 0");
    }
    let message = said(&place.run(make));
    assert!(message.contains("yosys is not installed"), "{message}");
    place.program("yosys", "exit 0");
    place.program("make", "echo ERROR: no such pin >&2; exit 2");
    let message = said(&place.run(make));
    assert!(
        message.contains("make failed: ERROR: no such pin"),
        "{message}"
    );

    let flash = "deploy net.snn --board icebreaker --flash";
    let message = said(&place.run(flash));
    assert!(message.contains("iceprog is not installed"), "{message}");
    place.program(
        "iceprog",
        "echo \"$1 $2\" >> \"$0.log\"; echo no device >&2; exit 1",
    );
    let message = said(&place.run(flash));
    assert!(message.contains("iceprog failed: no device"), "{message}");
    place.program("iceprog", "echo \"$1 $2\" >> \"$0.log\"");
    let output = place.run(flash);
    assert!(output.status.success(), "{}", said(&output));
    let log = std::fs::read_to_string(place.path("iceprog.log")).expect("its calls");
    assert_eq!(log.lines().last(), Some("-o 1048576"));
}
