//! `watch`: trials in a terminal.

use crate::place::Place;

#[test]
fn watching_without_a_terminal_names_the_ways_out() {
    let place = Place::new();
    let parts = ["standard output", "simulate", "report"];
    place.fails("watch go-nogo.mat --lambda 25", 2, &parts);
    for (speed, parts) in [("0", ["--speed", "1/64"]), ("x", ["--speed", "1/64"])] {
        place.fails(&format!("watch go-nogo.mat --speed {speed}"), 2, &parts);
    }
    let help = place.run("watch --help");
    let text = String::from_utf8_lossy(&help.stdout);
    assert!(
        text.contains("Example:") && text.contains("space"),
        "{text}"
    );
}

/// The terminal is that of `script`, a program of every Linux.
#[cfg(target_os = "linux")]
#[test]
fn a_signal_leaves_the_alternate_screen() {
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};
    const ENTER: &str = "\u{1b}[?1049h";
    const LEAVE: &str = "\u{1b}[?1049l";
    for signal in ["TERM", "INT", "HUP"] {
        let folder = tempfile::tempdir().expect("a folder");
        crate::bench::fill(folder.path());
        let program = env!("CARGO_BIN_EXE_rate2spike");
        let inside = format!(
            "stty rows 40 columns 120; echo $$ > pid; exec '{program}' watch n.snn --task t.toml --speed 0.02"
        );
        let child = Command::new("script")
            .args(["-qefc", &inside, "seen"])
            .env("TERM", "xterm")
            .env("SHELL", "/bin/sh")
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let mut child = child.expect("script, of util-linux, starts");
        let seen = || {
            let bytes = std::fs::read(folder.path().join("seen")).unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let patience = Instant::now() + Duration::from_secs(60);
        while !seen().contains(ENTER) {
            assert!(Instant::now() < patience, "nothing is drawn: {}", seen());
            std::thread::sleep(Duration::from_millis(20));
        }
        let pid = std::fs::read_to_string(folder.path().join("pid")).expect("a number");
        let killed = Command::new("kill")
            .args(["-s", signal, pid.trim()])
            .status();
        assert!(killed.expect("kill starts").success());
        child.wait().expect("it ends");
        let text = seen();
        let left = text.rfind(LEAVE);
        assert!(left > text.rfind(ENTER), "{signal}: {text:?}");
    }
}

#[test]
fn an_object_is_refused_before_anything_is_read() {
    let place = Place::new();
    place.fails("watch none.snn --json", 2, &["--json", "run", "simulate"]);
}
