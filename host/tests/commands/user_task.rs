//! A user's own task, through all commands.

use crate::place::Place;

/// Two pulses of the same sign, or not.
pub const SAME_SIGN: &str = "
name = 'same-sign'
channels = 2
duration_ms = 600
[[pulse]]
channel = 1
onset_ms = 100
duration_ms = 100
values = [1, -1]
[[pulse]]
channel = 2
onset_ms = 250
duration_ms = 100
values = [1, -1]
noise = 0.1
[target]
rule = 'product'
onset_ms = 400
duration_ms = 200
";

#[test]
fn a_name_may_contain_that_of_a_built_in_task_and_not_be_it() {
    let place = Place::new();
    let named = |name: &str| {
        let text = SAME_SIGN.replace("same-sign", name);
        std::fs::write(place.path("own.toml"), text).expect("a writable folder");
    };
    for name in ["my-xor", "xor-2", "go-nogo-mante"] {
        named(name);
        let line = "pipeline own.toml --N 12 --act sigmoid --n_trials 3 --trials 8";
        let report = place.json(line);
        let file = |kind: &str| report["files"][kind].as_str().expect("a path").to_string();
        let (model, network) = (file("model"), file("network"));
        for line in [
            format!("inspect {model}"),
            format!("inspect {network} --task own.toml"),
            format!("simulate {model} --lambda 30 --trials 2"),
            format!("run {network} --task own.toml --trials 8"),
        ] {
            let found = place.json(&line);
            if let Some(task) = found.get("task") {
                assert_eq!(task, name, "{line}");
            }
        }
        // Nothing falls back to the built-in task.
        place.fails(&format!("run {network} --trials 8"), 1, &[name, "--task"]);
    }
    for name in ["xor", "XOR", "Go-NoGo"] {
        named(name);
        place.fails("train --task own.toml", 2, &[name, "built-in task"]);
    }
}

#[test]
fn a_task_of_the_users_own_goes_all_the_way() {
    let place = Place::new();
    std::fs::write(place.path("same.toml"), SAME_SIGN).expect("a writable folder");
    let report = place.json("pipeline same.toml --N 20 --n_trials 3 --trials 8 --report");
    let page = report["files"]["report"].as_str().expect("a page");
    let page = std::fs::read_to_string(place.path(page)).expect("a page");
    assert!(page.contains("again/same-sign.toml"));
    assert_eq!(report["task"], "same-sign");
    let (model, network) = (&report["files"]["model"], &report["files"]["network"]);
    let (model, network) = (
        model.as_str().expect("a path"),
        network.as_str().expect("a path"),
    );
    assert!(model.contains("models/same-sign/"), "{model}");

    let again = place.json(&format!("run {network} --task same.toml --trials 8"));
    assert_eq!(again["spike_hash"], report["spike_hash"]);
    place.fails(
        &format!("run {network} --trials 8"),
        1,
        &["same-sign", "--task"],
    );
    let held = place.json(&format!("inspect {network} --task same.toml"));
    assert_eq!(
        (&held["task description"], &held["self-test"]),
        (&"unchanged".into(), &"passed".into())
    );
    let changed = SAME_SIGN.replace("onset_ms = 250", "onset_ms = 200");
    std::fs::write(place.path("changed.toml"), changed).expect("a writable folder");
    for line in [
        format!("run {network} --trials 8"),
        format!("deploy {network} --board stm32f405 --slow"),
    ] {
        let line = format!("{line} --task changed.toml");
        place.fails(&line, 1, &["same-sign", "changed since", "quantize"]);
    }
    let held = place.json(&format!("inspect {network} --task changed.toml"));
    assert_eq!(held["task description"], "changed");
    place.fails(
        &format!("run {network} --task xor"),
        2,
        &["same-sign", "--task"],
    );
    let converted = place.json(&format!(
        "convert {model} --task same.toml --lambdas 25,50 --trials 4"
    ));
    assert_eq!(converted["task"], "same-sign");

    let wrong = SAME_SIGN.replace("'product'", "'difference'");
    std::fs::write(place.path("wrong.toml"), wrong).expect("a writable folder");
    place.fails(
        "train --task wrong.toml",
        2,
        &["wrong.toml", "difference", "product"],
    );
    place.fails("train --task nowhere.toml", 2, &["nowhere.toml"]);
    place.fails(
        "train --task flip-flop",
        2,
        &["flip-flop", "go-nogo", "FILE.toml"],
    );
}

#[test]
fn a_task_file_of_any_text_editor_is_read() {
    let place = Place::new();
    let units = std::iter::once(0xfeff).chain(SAME_SIGN.encode_utf16());
    let little: Vec<u8> = units.clone().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = units.flat_map(u16::to_be_bytes).collect();
    for (name, bytes) in [("little.toml", little), ("BIG.TOML", big)] {
        std::fs::write(place.path(name), bytes).expect("a writable folder");
        let report = place.json(&format!("trials {name} -o t.npz --trials 2"));
        assert_eq!(report["task"], "same-sign");
    }
    let three = format!("{SAME_SIGN}[decision]\nmean_ms = [450, 500, 600]\n");
    std::fs::write(place.path("three.toml"), three).expect("a writable folder");
    place.fails(
        "train --task three.toml",
        2,
        &["three.toml", "3 numbers; give two times"],
    );
    std::fs::write(place.path("none.toml"), b"").expect("a writable folder");
    place.fails("train --task none.toml", 2, &["none.toml", "empty"]);
    std::fs::create_dir(place.path("folder.toml")).expect("a writable folder");
    place.fails("train --task folder.toml", 2, &["folder.toml", "irectory"]);
}

#[test]
fn a_task_with_one_answer_is_refused_by_every_command_that_scores() {
    let place = Place::new();
    let one = SAME_SIGN.replace("[1, -1]", "[1, 2]");
    std::fs::write(place.path("one.toml"), one).expect("a writable folder");
    for line in [
        "pipeline one.toml",
        "train --task one.toml",
        "convert go-nogo.mat --task one.toml",
        "simulate go-nogo.mat --task one.toml",
        "quantize go-nogo.mat --task one.toml -o net.snn",
        "run net.snn --task one.toml",
        "watch go-nogo.mat --task one.toml",
        "report go-nogo.mat --task one.toml",
        "sweep --task one.toml -o s",
        "trials one.toml -o t.npz",
    ] {
        place.fails(line, 2, &["one.toml", "product", "in every trial"]);
    }
}

#[test]
fn the_long_help_of_trials_shows_a_task_file() {
    let place = Place::new();
    let help = |flag: &str| {
        let output = place.run(&format!("trials {flag}"));
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let example = rate2spike::task::pulses::EXAMPLE;
    assert!(help("--help").contains(example.trim_end()));
    assert!(!help("-h").contains("[[pulse]]"));
}
