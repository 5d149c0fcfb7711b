//! `train`: models, seeds, check points.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rate2spike::formats::rate_model::read_mat;
use serde_json::Value as Json;

use crate::place::{Place, signal, start};

#[test]
fn a_training_that_misses_the_criterion_says_so_and_keeps_its_model() {
    let place = Place::new();
    let line = "train --n_trials 2 --mode Train --N 20 --P_inh 0.20 --P_rec 0.20 --som_N 0 \
                --apply_dale True --gain 1.5 --task go-nogo --act sigmoid --loss_fn l2 \
                --decay_taus 4 20 --output_dir . --gpu 0 --gpu_frac 0.2";
    let output = place.run(line);
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("criterion was not met"), "{message}");

    let report = place.json(line);
    assert_eq!(report["success"], false);
    assert_eq!(report["trials"], 2);
    let model = report["model"].as_str().expect("a path");
    assert!(
        model.contains(
            "models/go-nogo/P_rec_0.2_Taus_4.0_20.0/Task_go-nogo_N_20_Taus_4.0_20.0_Act_sigmoid_20"
        ),
        "{model}"
    );
    let evaluation = place.json(&format!("train --mode eval --model {model}"));
    assert!(evaluation["accuracy"].is_number() && evaluation["loss"].is_number());
}

#[test]
fn equal_seeds_give_equal_models() {
    let place = Place::new();
    let model = |seed: u32| {
        let report = place.json(&format!(
            "train --task xor --N 15 --n_trials 4 --batch 2 --seed {seed}"
        ));
        let path = place.path(report["model"].as_str().expect("a path"));
        read_mat(&path).expect("a model")
    };
    let (first, second, other) = (model(5), model(5), model(6));
    assert_eq!(first, second);
    assert_ne!(first.matrix("w").expect("w"), other.matrix("w").expect("w"));
}

const TRAINING: &str = "train --task xor --N 15 --act lif --batch 2 --n_trials 60 --seed 7";

/// Model and history of [`TRAINING`] with `extra` options.
fn trained(place: &Place, extra: &str) -> [Vec<u8>; 2] {
    let report = place.json(&format!("{TRAINING} {extra}"));
    let model = place.path(report["model"].as_str().expect("a path"));
    let history = model.with_extension("json");
    [model, history].map(|path| std::fs::read(path).expect("a file"))
}

fn checkpoints(place: &Place) -> Vec<PathBuf> {
    let files = place.files().into_iter().map(|(path, _)| path);
    files
        .filter(|path| path.extension().is_some_and(|e| e == "checkpoint"))
        .collect()
}

/// Stops [`TRAINING`] with `signal_name` after `time` and lets it go on: the model and
/// its history are `whole`, and no check point is left. True if there was one to go on
/// from.
fn stopped_after(time: Duration, signal_name: &str, whole: &[Vec<u8>; 2]) -> bool {
    let place = Place::new();
    let process = start(&place, &format!("{TRAINING} --checkpoint-every 1"));
    std::thread::sleep(time);
    signal(&process, signal_name);
    let output = process.wait_with_output().expect("a process of ours");
    let message = String::from_utf8_lossy(&output.stderr);
    let had_one = checkpoints(&place).len() == 1;
    if signal_name == "TERM" && had_one {
        assert_eq!(output.status.code(), Some(130), "{message}");
        assert!(message.contains("--resume goes on"), "{message}");
    }
    assert!(
        trained(&place, "--resume") == *whole,
        "{signal_name} after {time:?}: {message}"
    );
    assert_eq!(
        checkpoints(&place).len(),
        0,
        "it goes when the model is there"
    );
    had_one
}

/// Stops the training at `moments` over its whole length; returns how often there was a
/// check point to go on from.
fn stopped_at_moments(moments: u32, signal_name: &str) -> usize {
    let start = Instant::now();
    let whole = trained(&Place::new(), "--checkpoint-every 1");
    let length = start.elapsed();
    let times = (0..moments).map(|moment| length * moment / moments);
    let went_on = times.filter(|&time| stopped_after(time, signal_name, &whole));
    let went_on = went_on.count();
    println!("{went_on} of {moments} went on from a check point, over {length:?}");
    went_on
}

#[test]
fn a_killed_training_goes_on_and_ends_with_the_same_model_and_history() {
    stopped_at_moments(12, "KILL");
}

#[test]
fn a_terminated_training_writes_a_check_point_and_ends_with_the_same_model_and_history() {
    assert!(stopped_at_moments(8, "TERM") > 0);
}

/// Kills at 200 moments over the measured length of the training. This takes minutes, so
/// that the test runs only when it is named.
#[test]
#[ignore = "takes minutes"]
fn a_training_killed_at_two_hundred_moments_ends_with_the_same_bytes() {
    let went_on = stopped_at_moments(200, "KILL");
    assert!(went_on > 50, "{went_on} of 200 moments lie in the training");
}

#[test]
#[ignore = "takes a minute"]
fn a_training_terminated_at_fifty_moments_ends_with_the_same_bytes() {
    let went_on = stopped_at_moments(50, "TERM");
    assert!(went_on > 10, "{went_on} of 50 moments lie in the training");
}

/// Evaluations from before the stop are in the history: the training is long enough to
/// have some.
#[test]
fn evaluations_before_a_stop_are_not_lost() {
    let line = "train --task xor --N 10 --n_trials 250 --seed 3";
    let whole = Place::new();
    let report = whole.json(line);
    let history = |place: &Place, report: &Json| {
        let model = place.path(report["model"].as_str().expect("a path"));
        std::fs::read_to_string(model.with_extension("json")).expect("a history")
    };
    let wanted = history(&whole, &report);
    assert_eq!(wanted.matches("\"update\"").count(), 4, "{wanted}");

    let stopped = Place::new();
    let losses = stopped.path("losses.csv");
    let process = start(&stopped, &format!("{line} --losses losses.csv"));
    let lines = || std::fs::read_to_string(&losses).map_or(0, |text| text.lines().count());
    while lines() < 120 {
        std::thread::sleep(Duration::from_millis(2));
    }
    signal(&process, "TERM");
    process.wait_with_output().expect("a process of ours");
    assert_eq!(checkpoints(&stopped).len(), 1, "it was stopped in time");
    let report = stopped.json(&format!("{line} --resume --losses losses.csv"));
    assert!(!report.to_string().contains("no check point"), "{report}");
    assert_eq!(history(&stopped, &report), wanted);
    assert_eq!(lines(), 251, "a line an update, and the header");
}

#[test]
fn a_training_that_finds_nothing_to_resume_says_once_that_it_begins() {
    let place = Place::new();
    let new = "no check point of seed 7 was found in ./models/xor/";
    for command in ["train --task xor", "pipeline xor --trials 2"] {
        let line = format!("{command} --N 10 --n_trials 3 --seed 7");
        for (flags, count) in [("", 0), ("--resume", 1), ("--resume --restarts 3", 1)] {
            let message = place.run(&format!("{line} {flags}")).stderr;
            let message = String::from_utf8_lossy(&message).into_owned();
            assert_eq!(message.matches(new).count(), count, "{flags}: {message}");
        }
    }
}

#[test]
fn a_training_with_other_options_leaves_a_check_point_alone() {
    let place = Place::new();
    let line = "train --task xor --N 15 --n_trials 100000 --seed 7 --checkpoint-every 1";
    let process = start(&place, line);
    while checkpoints(&place).is_empty() {
        std::thread::sleep(Duration::from_millis(5));
    }
    signal(&process, "KILL");
    process.wait_with_output().expect("a process of ours");
    let [path] = &checkpoints(&place)[..] else {
        panic!("one check point");
    };
    let bytes = std::fs::read(path).expect("a file");
    // Another --gain, and so another training in the same folder under the same seed.
    let other = "train --task xor --N 15 --n_trials 3 --seed 7 --checkpoint-every 1 --gain 3";
    let output = place.run(&format!("{other} --resume"));
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(message.contains("gain = 1.5"), "{message}");
    assert!(message.contains("stays as it is"), "{message}");
    place.run(other);
    assert_eq!(std::fs::read(path).expect("it is still there"), bytes);

    // The same options: what is no check point of theirs is never overwritten.
    std::fs::write(path, "notes").expect("a writable folder");
    let name = path.file_name().expect("a name").to_string_lossy();
    place.fails(line, 1, &[&name, "not a check point", "move it away"]);
    place.fails(
        &format!("{line} --resume"),
        1,
        &[&name, "not a check point"],
    );
}

#[test]
fn the_losses_never_replace_an_input() {
    let place = Place::new();
    let task = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/same-sign.toml");
    std::fs::copy(task, place.path("t.toml")).expect("the example task");
    std::os::unix::fs::symlink("t.toml", place.path("link")).expect("a link");
    let line = "train --task t.toml --N 5 --n_trials 2 --losses";
    for losses in ["t.toml", "./t.toml", "link"] {
        place.fails(&format!("{line} {losses}"), 2, &[losses, "another name"]);
    }
    // A model that this command does not read is no file of losses.
    place.fails(
        &format!("{line} go-nogo.mat"),
        1,
        &["go-nogo.mat", "another name"],
    );
    let line = "train --task go-nogo --from go-nogo.mat --n_trials 2";
    place.fails(
        &format!("{line} --losses go-nogo.mat"),
        2,
        &["go-nogo.mat", "another name"],
    );
    // The file of the losses is opened after everything else is checked.
    place.fails(
        &format!("{line} --losses losses.csv --N 100"),
        2,
        &["--from", "number of units"],
    );
}

#[test]
fn counts_without_end_and_flags_without_effect_are_usage_errors() {
    let place = Place::new();
    let all = "0..18446744073709551615";
    for command in ["train --task xor", "pipeline xor"] {
        for flag in ["--batch", "--n_trials", "--N", "--settle"] {
            let line = format!("{command} {flag} 10000000000");
            place.fails(&line, 2, &["10000000000", "at most"]);
        }
    }
    place.fails(
        "pipeline xor --trials 1000000000",
        2,
        &["--trials", "at most"],
    );
    for line in ["train", "sweep"] {
        let line = format!("{line} --task xor --seeds {all}");
        place.fails(&line, 2, &["--seeds", "18446744073709551616", "at most"]);
    }
    place.fails(
        "train --task xor --seed 1 --seeds 1..3",
        2,
        &["--seed", "--seeds"],
    );
    place.fails("train --task xor --model m.mat", 2, &["--model", "--from"]);
    let eval = "train --mode eval --model go-nogo.mat";
    for flag in ["--resume", "--seeds 1..2", "--batch 3", "--losses l.csv"] {
        let name = flag.split(' ').next().expect("a flag");
        place.fails(&format!("{eval} {flag}"), 2, &[name, "no effect"]);
    }
    let published = place.run(&format!("{eval} --n_trials 5000 --gain 1.5"));
    assert!(published.status.success(), "the published flags are taken");
}

#[test]
fn a_training_that_diverges_says_so_and_writes_no_model() {
    let place = Place::new();
    let line = "train --task xor --N 10 --n_trials 50 --learning_rate 1e30 --act softplus";
    let output = place.run(line);
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("diverged"), "{message}");
    assert!(message.contains("--learning_rate"), "{message}");
}

#[test]
fn many_seeds_are_trained_as_each_alone() {
    let place = Place::new();
    let report =
        place.json("train --task xor --N 15 --n_trials 3 --seeds 4..6 --losses losses.csv");
    let networks = report["networks"].as_array().expect("a list");
    assert_eq!(networks.len(), 3);
    for network in networks {
        let alone = place.json(&format!(
            "train --task xor --N 15 --n_trials 3 --seed {}",
            network["seed"]
        ));
        let read = |report: &Json| {
            let path = place.path(report["model"].as_str().expect("a path"));
            std::fs::read(path).expect("a model")
        };
        assert_eq!(read(&alone), read(network));
    }
    let losses = std::fs::read_to_string(place.path("losses.csv")).expect("a file");
    assert_eq!(losses.lines().count(), 1 + 3 * 3, "{losses}");
    assert!(losses.starts_with("seed,update,loss,"), "{losses}");
}

/// Whether a check point lies in a folder below this one.
fn has_checkpoint(folder: &Path) -> bool {
    let entries = |folder: &Path| {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect::<Vec<_>>()
    };
    let mut files = entries(folder)
        .into_iter()
        .flat_map(|below| entries(&below));
    files.any(|file| {
        file.extension()
            .is_some_and(|extension| extension == "checkpoint")
    })
}

#[test]
fn a_training_can_begin_with_a_model_of_another_task_with_the_same_inputs() {
    let place = Place::new();
    let model = |line: &str| {
        let report = place.json(line);
        let path = place.path(report["model"].as_str().expect("a path"));
        (
            path.display().to_string(),
            read_mat(&path).expect("a model"),
        )
    };
    let (path, first) = model("train --task xor --N 20 --n_trials 3");
    let (_, second) = model(&format!(
        "train --task delayed-match --N 20 --n_trials 2 --from {path}"
    ));
    let matrix =
        |file: &rate2spike::formats::mat::MatFile, name: &str| file.matrix(name).expect(name).2;
    assert_eq!(
        matrix(&second, "w0"),
        matrix(&first, "w"),
        "it begins where the other ended"
    );
    assert_eq!(matrix(&second, "w_in"), matrix(&first, "w_in"));
    assert_ne!(matrix(&second, "w"), matrix(&second, "w0"), "and learns");
    for (line, parts) in [
        ("train --task xor --N 21", ["number of units is 20", "21"]),
        ("train --task mante --N 20", ["number of inputs is 2", "4"]),
        (
            "train --task xor --N 20 --act softplus",
            ["activation is sigmoid", "softplus"],
        ),
    ] {
        place.fails(&format!("{line} --from {path}"), 2, &parts);
    }
    // The training leaves check points, and a resumed one ends with the same weights.
    let line = format!("train --task delayed-match --N 20 --n_trials 40 --from {path}");
    let (_, whole) = model(&line);
    let mut process = Command::new(env!("CARGO_BIN_EXE_rate2spike"))
        .args(line.split_whitespace())
        .args(["--checkpoint-every", "5", "--output_dir", "stopped"])
        .current_dir(place.folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let stopped = place.path("stopped/models/delayed-match");
    while process.try_wait().expect("a process of ours").is_none() && !has_checkpoint(&stopped) {
        std::thread::sleep(Duration::from_millis(1));
    }
    process.kill().expect("a process of ours");
    process.wait().expect("a process of ours");
    let (_, resumed) = model(&format!("{line} --resume --output_dir stopped"));
    for name in ["w", "w0", "w_in", "w_out"] {
        assert_eq!(matrix(&resumed, name), matrix(&whole, name), "{name}");
    }
}
