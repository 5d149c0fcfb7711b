//! Emulated boards: the firmware built, loaded with a network apart from it,
//! and its serial line as a TCP port.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rate2spike::board::client::{Client, Identity, SampleBytes};
use rate2spike::board::firmware::Firmware;
use rate2spike::board::port::Port;
use rate2spike::board::target::{
    CORTEX_M4_CYCLES_AN_INSTRUCTION, CORTEX_M33_CYCLES_AN_INSTRUCTION, Target,
};
use rate2spike_protocol::Request;
use rate2spike_protocol::frame::{self, LINE_BYTES};
use rate2spike_protocol::message::{Outcome, TrialRequest};
use tempfile::TempDir;

/// Rate at which QEMU's SysTick counts while an instruction takes a nanosecond; it does
/// not depend on the clock that the firmware sets.
const QEMU_SYSTICK_MHZ: f64 = 168.0;

/// The same for the machine with a Cortex-M33, where an instruction takes
/// [`M33_NS_AN_INSTRUCTION`], so that the counter tells a few instructions apart.
const M33_SYSTICK_MHZ: f64 = 20.0;
const M33_NS_AN_INSTRUCTION: f64 = 8.0;

/// A board that an emulator stands in for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Board {
    /// Raspberry Pi Pico, in rp2040js.
    Rp2040,
    /// The same, with the firmware that uses one core.
    Rp2040OneCore,
    /// An STM32F405, in QEMU's netduinoplus2.
    Stm32f405,
    /// No board that one can buy: RV32IMAC, in QEMU's virt.
    Riscv,
    /// No board that one can buy: a Cortex-M33, in QEMU's mps2-an505.
    M33,
}

impl Board {
    /// All boards, each with its usual firmware.
    pub const ALL: [Board; 4] = [Board::Rp2040, Board::Stm32f405, Board::Riscv, Board::M33];

    /// Name of its package in `firmware-example`, without `rate2spike-`.
    pub fn package(self) -> &'static str {
        match self {
            Board::Rp2040 | Board::Rp2040OneCore => "rp2040",
            Board::Stm32f405 => "stm32f4",
            Board::Riscv => "riscv",
            Board::M33 => "m33",
        }
    }

    /// The target triple of its firmware.
    pub fn target(self) -> &'static str {
        match self {
            Board::Rp2040 | Board::Rp2040OneCore => "thumbv6m-none-eabi",
            Board::Stm32f405 => "thumbv7em-none-eabihf",
            Board::Riscv => "riscv32imac-unknown-none-elf",
            Board::M33 => "thumbv8m.main-none-eabihf",
        }
    }

    /// True if its firmware steps networks in f32.
    pub fn steps_f32(self) -> bool {
        match self {
            Board::Stm32f405 | Board::M33 => true,
            Board::Rp2040 | Board::Rp2040OneCore | Board::Riscv => false,
        }
    }

    /// Cycles of the chip for each one that the firmware counts in the emulator.
    pub fn cycles_of_a_count(self) -> f64 {
        match self {
            Board::Stm32f405 => 1000.0 / QEMU_SYSTICK_MHZ * CORTEX_M4_CYCLES_AN_INSTRUCTION,
            Board::M33 => {
                1000.0 / M33_SYSTICK_MHZ / M33_NS_AN_INSTRUCTION * CORTEX_M33_CYCLES_AN_INSTRUCTION
            }
            Board::Rp2040 | Board::Rp2040OneCore | Board::Riscv => 1.0,
        }
    }

    /// The tool that is missing to emulate this board, and how to get it.
    pub fn missing(self) -> Option<String> {
        if !has_target(self.target()) {
            let target = self.target();
            return Some(format!("no {target}; run `rustup target add {target}`"));
        }
        let emulator = match self {
            Board::Rp2040 | Board::Rp2040OneCore => {
                let folder = emulators().join("node_modules/rp2040js");
                return (!runs("node") || !folder.is_dir())
                    .then(|| "no rp2040js; run `npm install` in tests/emulators".to_string());
            }
            Board::Stm32f405 | Board::M33 => "qemu-system-arm",
            Board::Riscv => "qemu-system-riscv32",
        };
        (!runs(emulator)).then(|| format!("no {emulator}; install QEMU"))
    }

    /// True if it can be emulated here; says what is missing otherwise, with
    /// [`skip`](crate::skip).
    pub fn is_ready(self) -> bool {
        let Some(missing) = self.missing() else {
            return true;
        };
        crate::skip(&format!("{self:?}: {missing}"));
        false
    }

    /// Builds the firmware and returns the linked file.
    pub fn build(self) -> PathBuf {
        match self {
            Board::Rp2040OneCore => {
                let options = ["--no-default-features", "--target-dir", "target/one-core"];
                build_with(self.package(), self.target(), &options);
                let folder = repository().join("firmware-example/target/one-core");
                folder.join("thumbv6m-none-eabi/release/rate2spike-rp2040")
            }
            _ => build(self.package(), self.target()),
        }
    }
}

/// Builds the firmware in this folder of `firmware-example`, and returns the linked file.
pub fn build(package: &str, target: &str) -> PathBuf {
    build_with(package, target, &[]);
    let file = Path::new("firmware-example/target").join(target);
    let name = format!("rate2spike-{package}");
    repository().join(file).join("release").join(name)
}

fn build_with(package: &str, target: &str, options: &[&str]) {
    let folder = repository().join("firmware-example");
    let package = format!("rate2spike-{package}");
    let mut cargo = Command::new("cargo");
    cargo
        .current_dir(&folder)
        .args(["build", "--release", "--quiet", "--package", &package])
        .args(["--target", target])
        .args(options);
    // Settings of this build are not meant for the build of the firmware.
    for name in [
        "CARGO_BUILD_BUILD_DIR",
        "CARGO_BUILD_TARGET",
        "CARGO_ENCODED_RUSTFLAGS",
        "CARGO_TARGET_DIR",
        "RUSTFLAGS",
        "RUSTC_WORKSPACE_WRAPPER",
    ] {
        cargo.env_remove(name);
    }
    let status = cargo.status().expect("cargo runs");
    assert!(status.success(), "{package} does not build");
}

/// The repository's folder.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("this package lies in the repository")
        .into()
}

fn emulators() -> PathBuf {
    repository().join("tests/emulators")
}

fn has_target(target: &str) -> bool {
    let output = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", target])
        .output();
    output.is_ok_and(|output| {
        let folder = String::from_utf8_lossy(&output.stdout).trim().to_string();
        output.status.success() && Path::new(&folder).is_dir()
    })
}

fn runs(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdout(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// A running board; switched off when dropped.
pub struct Emulator {
    process: Child,
    port: Port,
    /// Output of the emulator, line by line; used with the RP2040 only.
    lines: Receiver<String>,
    orders: ChildStdin,
    /// Holds the images.
    _folder: TempDir,
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Emulator {
    /// Starts `board` with its firmware and with these bytes where its network
    /// lies; `options` go to the emulator.
    pub fn start(board: Board, network: &[u8], options: &[&str]) -> Self {
        Self::start_with(board, &board.build(), network, options)
    }

    /// The same with the firmware in this linked file.
    pub fn start_with(board: Board, firmware: &Path, network: &[u8], options: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder for images");
        let network_file = folder.path().join("network.bin");
        std::fs::write(&network_file, network).expect("a writable folder");
        let (command, port) = match board {
            Board::Rp2040 | Board::Rp2040OneCore => {
                let image =
                    Firmware::read(firmware, &Target::RP2040).expect("a firmware of the board");
                let file = folder.path().join("firmware.bin");
                std::fs::write(&file, image.image.bytes).expect("a writable folder");
                (rp2040js(&file, &network_file), None)
            }
            Board::Stm32f405 | Board::Riscv | Board::M33 => {
                let port = free_port();
                (qemu(board, firmware, &network_file, port), Some(port))
            }
        };
        let mut emulator = Self::run(command, options, folder);
        let port = port.unwrap_or_else(|| emulator.announced_port());
        emulator.port = Port::Tcp(format!("127.0.0.1:{port}"));
        emulator
    }

    fn run(mut command: Command, options: &[&str], folder: TempDir) -> Self {
        let mut process = command
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the emulator starts");
        let stdout = process.stdout.take().expect("it is piped");
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Self {
            orders: process.stdin.take().expect("it is piped"),
            process,
            port: Port::Tcp(String::new()),
            lines,
            _folder: folder,
        }
    }

    fn announced_port(&mut self) -> u16 {
        let line = self.line(Duration::from_secs(30), |line| line.starts_with("port "));
        let line = line.expect("the emulator tells its port");
        line["port ".len()..].parse().expect("a port")
    }

    /// Waits for a line that is `wanted`.
    pub fn line(&self, most: Duration, wanted: impl Fn(&str) -> bool) -> Option<String> {
        let start = Instant::now();
        while let Some(left) = most.checked_sub(start.elapsed()) {
            let line = self.lines.recv_timeout(left).ok()?;
            if wanted(&line) {
                return Some(line);
            }
        }
        None
    }

    /// Gives an order: `press` or `release` the button, or `restart`.
    pub fn order(&mut self, order: &str) {
        writeln!(self.orders, "{order}").expect("the emulator runs");
    }

    /// The port of the board's serial line.
    pub fn port(&self) -> &Port {
        &self.port
    }

    /// Connects, when it has started.
    pub fn connect(&self) -> (Client, Identity) {
        let start = Instant::now();
        loop {
            match Client::connect(&self.port) {
                Ok(connected) => return connected,
                Err(error) if start.elapsed() > Duration::from_secs(20) => panic!("{error}"),
                Err(_) => std::thread::sleep(Duration::from_millis(100)),
            }
        }
    }
}

/// The outcome of a trial with this input, without its spikes and outputs.
pub fn outcome(client: &mut Client, seed: u64, index: u64, input: &SampleBytes) -> Outcome {
    let trial = TrialRequest {
        seed,
        index,
        samples: input.count(),
        label: 0,
        spikes: false,
        output_every: 0,
        live: false,
    };
    let outcome = client.run(&trial, input, |_, _| {}, |_, _| {});
    outcome.expect("a trial")
}

/// Sends `count` meaningless bytes, and reads the answers.
pub fn pour(port: &Port, count: usize) {
    let mut line = port.open().expect("the emulator runs");
    let mut word = 1u32;
    for _ in 0..count {
        // A linear congruential sequence's upper bits.
        word = word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        line.write_all(&[(word >> 24) as u8]).expect("it is read");
        if word.is_multiple_of(64) {
            let _ = line.read(&mut [0; 4096]);
        }
    }
}

/// Sends requests, and waits for `answers` answers.
pub fn request(port: &Port, requests: &[Request], answers: usize) {
    let mut line = port.open().expect("the emulator runs");
    let mut receiver = rate2spike_protocol::Receiver::new();
    let mut answered = 0;
    let start = Instant::now();
    for request in requests {
        let mut frame = [0; LINE_BYTES];
        let bytes = frame::encode(request, &mut frame).expect("it fits");
        // The zero ends the bytes that stood in the board's buffer.
        line.write_all(&[&[0], bytes].concat()).expect("it is read");
    }
    let mut bytes = [0; 4096];
    while answered < answers && start.elapsed() < Duration::from_secs(60) {
        let count = line.read(&mut bytes).unwrap_or(0);
        for &byte in &bytes[..count] {
            answered += usize::from(matches!(receiver.push(byte), Some(Ok(_))));
        }
    }
    assert!(answered >= answers, "{answered} of {answers} are answered");
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it is bound").port()
}

fn rp2040js(firmware: &Path, network: &Path) -> Command {
    let mut command = Command::new("node");
    command.arg(emulators().join("rp2040.js"));
    command.arg(firmware).arg(network);
    command
}

fn qemu(board: Board, firmware: &Path, network: &Path, port: u16) -> Command {
    let (program, machine, address) = match board {
        Board::Riscv => ("qemu-system-riscv32", "virt", 0x8040_0000u32),
        Board::M33 => ("qemu-system-arm", "mps2-an505", 0x1020_0000),
        _ => ("qemu-system-arm", "netduinoplus2", 0x0806_0000),
    };
    // An instruction takes a power of two of nanoseconds of the board's time, so that its
    // counter counts them.
    let speed = match board {
        Board::M33 => "shift=3",
        _ => "shift=0",
    };
    let loader = format!(
        "loader,file={},addr={address:#x},force-raw=on",
        network.display()
    );
    let line = format!("tcp:127.0.0.1:{port},server=on,wait=off,nodelay=on");
    let mut command = Command::new(program);
    command
        .args(["-machine", machine, "-display", "none", "-monitor", "none"])
        .args(["-icount", speed])
        .args(["-device", &loader, "-serial", &line, "-kernel"])
        .arg(firmware);
    if board == Board::Riscv {
        command.args(["-bios", "none"]);
    }
    command
}
