//! A reader that goes away and a disk that is full, at every command: no panic, no
//! result lost.

#![cfg(target_os = "linux")]

use std::fs::{File, OpenOptions};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use crate::bench::fill;

/// A command line of every command, and the file that it writes.
const LINES: &[(&str, Option<&str>)] = &[
    (
        "pipeline t.toml --N 10 --n_trials 1 --trials 1 --output_dir made",
        Some("made/models"),
    ),
    (
        "train --task t.toml --N 10 --n_trials 1 --output_dir made --losses losses.csv",
        Some("losses.csv"),
    ),
    (
        "train --task t.toml --N 10 --n_trials 1 --seeds 1..2 --output_dir made",
        Some("made/models"),
    ),
    ("train --mode eval --model m.mat --task t.toml", None),
    (
        "convert m.mat --lambdas 25,50 --task t.toml --trials 2 --plot new.svg",
        Some("new.svg"),
    ),
    (
        "convert m.mat --calibrate --task t.toml --trials 2 --force",
        None,
    ),
    (
        "simulate m.mat --lambda 25 --task t.toml -o new.mat",
        Some("new.mat"),
    ),
    (
        "quantize m.mat --lambda 25 --task t.toml --trials 1 -o new.snn",
        Some("new.snn"),
    ),
    ("run n.snn --task t.toml --trials 1", None),
    ("inspect n.snn", None),
    ("inspect m.mat", None),
    (
        "deploy n.snn --board rp2040 --format hex --slow --task t.toml -o new.hex",
        Some("new.hex"),
    ),
    (
        "sweep --task t.toml --n 10 --n_trials 1 --seeds 1 --trials 1 --search-trials 1 -o rows",
        Some("rows/rows.csv"),
    ),
    (
        "reproduce fig1c --networks 1 --n 10 --trials 1 -o figure",
        Some("figure/success.png"),
    ),
    (
        "report m.mat --lambda 25 --lambdas 25 --task t.toml --trials 1 -o new.html",
        Some("new.html"),
    ),
    (
        "export m.mat --lambda 25 --to nir -o new.nir",
        Some("new.nir"),
    ),
    (
        "import g.nir --task t.toml --trials 1 -o new.snn",
        Some("new.snn"),
    ),
    ("trials t.toml --trials 1 -o new.npz", Some("new.npz")),
    ("completions bash", None),
    ("man -o new", Some("new/rate2spike.1")),
    ("watch n.snn", None),
    ("run none.snn", None),
    ("--help", None),
    ("--version", None),
    ("simulate --help", None),
    ("dance", None),
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Sink {
    Whole,
    ClosedPipe,
    FullDisk,
}

impl Sink {
    fn stdio(self) -> Stdio {
        match self {
            Sink::Whole => Stdio::piped(),
            Sink::ClosedPipe => {
                let (reader, writer) = std::io::pipe().expect("a pipe");
                drop(reader);
                writer.into()
            }
            Sink::FullDisk => {
                let full = OpenOptions::new().write(true).open("/dev/full");
                full.expect("the device").into()
            }
        }
    }
}

fn run(folder: &Path, line: &str, out: Sink, err: Sink) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rate2spike"))
        .args(line.split(' '))
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(out.stdio())
        .stderr(err.stdio())
        .spawn()
        .and_then(|child| child.wait_with_output())
        .expect("the program starts")
}

/// The inputs, and the rows of the figure of `reproduce`: its network is trained once.
fn filled() -> tempfile::TempDir {
    static MADE: OnceLock<tempfile::TempDir> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let made = tempfile::tempdir().expect("a folder");
        let line = "reproduce fig1c --networks 1 --n 10 --trials 1 -o figure";
        let output = run(made.path(), line, Sink::Whole, Sink::Whole);
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{line}: {message}");
        made
    });
    let folder = tempfile::tempdir().expect("a folder");
    fill(folder.path());
    std::fs::create_dir(folder.path().join("figure")).expect("a writable folder");
    for name in ["plan.json", "rows.jsonl"] {
        let name = Path::new("figure").join(name);
        std::fs::copy(made.path().join(&name), folder.path().join(&name)).expect("a copy");
    }
    folder
}

#[test]
fn no_output_ends_a_command_in_a_panic_or_loses_its_files() {
    use Sink::{ClosedPipe, FullDisk, Whole};
    for &(line, file) in LINES {
        for line in [line.to_string(), format!("{line} --json")] {
            let whole = run(filled().path(), &line, Whole, Whole);
            if !line.ends_with("--json") {
                has_short_numbers(&line, &whole);
            }
            for (out, err) in [
                (ClosedPipe, Whole),
                (FullDisk, Whole),
                (Whole, ClosedPipe),
                (Whole, FullDisk),
                (ClosedPipe, ClosedPipe),
                (FullDisk, FullDisk),
            ] {
                let folder = filled();
                let output = run(folder.path(), &line, out, err);
                let message = String::from_utf8_lossy(&output.stderr);
                let at = format!("{line}, out {out:?}, err {err:?}: {message}");
                let status = output.status.code().expect(&at);
                if let Some(file) = file {
                    assert!(folder.path().join(file).exists(), "{at}");
                }
                let failed = (out == FullDisk && !whole.stdout.is_empty())
                    || (err == FullDisk && !whole.stderr.is_empty());
                let wanted = whole.status.code().expect("no signal");
                if failed && wanted == 0 {
                    assert_eq!(status, 1, "{at}");
                } else if failed {
                    assert!([1, 2].contains(&status), "{at}");
                } else {
                    assert_eq!(status, wanted, "{at}");
                }
                if failed && err == Whole && wanted == 0 {
                    assert!(message.contains("standard output"), "{at}");
                }
            }
        }
    }
}

/// Checks that people are not shown more than nine digits after a point.
fn has_short_numbers(line: &str, output: &Output) {
    for text in [&output.stdout, &output.stderr] {
        // The paper's DOI is no number.
        let text = String::from_utf8_lossy(text).replace("pnas.1905926116", "");
        for after in text.split('.').skip(1) {
            let digits = after.chars().take_while(char::is_ascii_digit).count();
            assert!(digits <= 9, "{line}: a number with {digits} digits: {text}");
        }
    }
}

#[test]
fn the_numbers_of_a_calibrated_network_are_short_too() {
    let folder = filled();
    for line in [
        "convert m.mat --calibrate --task t.toml --trials 2 --force",
        "inspect m.mat",
        "convert m.mat --calibrate --task t.toml --trials 2",
        "convert m.mat --lambda 30.000000000000004 --task t.toml --trials 2",
        "simulate m.mat --task t.toml --trials 2",
        "simulate m.mat --lambda 30.000000000000004 --task t.toml",
        "quantize m.mat --task t.toml --trials 2 -o c.snn",
        "quantize m.mat --lambda 30.000000000000004 --task t.toml --trials 2 -o d.snn",
        "run c.snn --task t.toml --trials 2",
        "inspect c.snn",
        "deploy c.snn --board rp2040 --task t.toml",
        "export m.mat --to nest --task t.toml -o c.py",
        "report m.mat --task t.toml --trials 2",
    ] {
        let output = run(folder.path(), line, Sink::Whole, Sink::Whole);
        assert_ne!(output.status.code(), Some(101), "{line}");
        has_short_numbers(line, &output);
    }
}

#[test]
fn a_path_that_is_no_utf_8_is_printed_with_marks() {
    use std::os::unix::ffi::OsStrExt;
    let folder = filled();
    let name = std::ffi::OsStr::from_bytes(b"\xff\x1b[31m");
    for (input, line, output) in [
        ("m.mat", "simulate @ --lambda 25 --task t.toml -o", ".mat"),
        (
            "m.mat",
            "quantize @ --lambda 25 --task t.toml --trials 1 -o",
            ".snn",
        ),
        ("m.mat", "export @ --lambda 25 --to nir -o", ".nir"),
        (
            "m.mat",
            "export @ --lambda 25 --to nest --task t.toml -o",
            ".py",
        ),
        (
            "m.mat",
            "convert @ --lambdas 25 --task t.toml --trials 1 --dry-run --plot",
            ".svg",
        ),
        (
            "m.mat",
            "report @ --lambda 25 --lambdas 25 --task t.toml --trials 1 -o",
            ".html",
        ),
        (
            "m.mat",
            "train --task t.toml --N 10 --n_trials 1 --from @ --output_dir",
            "made",
        ),
        (
            "m.mat",
            "pipeline t.toml --act sigmoid --N 10 --n_trials 1 --trials 1 --from @ --output_dir",
            "made",
        ),
        ("g.nir", "import @ --task t.toml --trials 1 -o", ".snn"),
        (
            "n.snn",
            "deploy @ --board rp2040 --format hex --slow --task t.toml -o",
            ".hex",
        ),
        ("t.toml", "trials t.toml --trials 1 -o", ".npz"),
        (
            "t.toml",
            "sweep --task t.toml --n 10 --n_trials 1 --seeds 1 --trials 1 --search-trials 1 -o",
            "rows",
        ),
        ("t.toml", "man -o", "pages"),
    ] {
        let (mut strange, mut target) = (name.to_os_string(), name.to_os_string());
        strange.push(input);
        target.push(output);
        std::fs::copy(folder.path().join(input), folder.path().join(&strange)).expect("a copy");
        for json in [false, true] {
            let mut command = Command::new(env!("CARGO_BIN_EXE_rate2spike"));
            for word in line.split(' ') {
                if word == "@" {
                    command.arg(&strange);
                } else {
                    command.arg(word);
                }
            }
            command.arg(&target);
            if json {
                command.arg("--json");
            }
            let output = command
                .current_dir(folder.path())
                .output()
                .expect("it starts");
            let message = String::from_utf8_lossy(&output.stderr);
            let text = String::from_utf8(output.stdout).expect("UTF-8");
            assert!(!message.contains("panicked"), "{line}: {message}");
            assert!(
                [Some(0), Some(1)].contains(&output.status.code()),
                "{line}: {message}"
            );
            assert!(
                !text.contains('\x1b') && !message.contains('\x1b'),
                "{line}: {text}"
            );
            if json {
                let object: serde_json::Value = serde_json::from_str(&text)
                    .unwrap_or_else(|error| panic!("{line}: {error}: {text}{message}"));
                assert!(object.is_object());
            }
        }
    }
}

#[test]
fn what_a_file_says_cannot_steer_the_terminal() {
    let folder = filled();
    let fixture =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/hostile/mat-escape.mat");
    let output = {
        std::fs::copy(fixture, folder.path().join("escape.mat")).expect("a copy");
        run(
            folder.path(),
            "inspect escape.mat",
            Sink::Whole,
            Sink::Whole,
        )
    };
    assert!(!output.stdout.contains(&0x1b) && !output.stderr.contains(&0x1b));
    assert!(!output.stdout.is_empty() || !output.stderr.is_empty());
}

#[test]
fn a_file_in_a_pipe_is_inspected() {
    let folder = filled();
    for name in ["m.mat", "n.snn"] {
        let bytes = File::open(folder.path().join(name)).expect("a file");
        let output = Command::new("sh")
            .args([
                "-c",
                "cat | \"$0\" inspect /dev/stdin",
                env!("CARGO_BIN_EXE_rate2spike"),
            ])
            .stdin(bytes)
            .output()
            .expect("the shell starts");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && text.contains("units"),
            "{name}: {text}"
        );
    }
}
