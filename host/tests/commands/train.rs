//! `train`: models, seeds, check points.

use std::path::Path;
use std::process::Command;

use rate2spike::formats::rate_model::read_mat;
use serde_json::Value as Json;

use crate::place::Place;

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

/// The bytes of the model of an xor training with seed 7 and `extra` options.
fn trained(place: &Place, extra: &str) -> Vec<u8> {
    let line = "train --task xor --N 15 --act lif --batch 2 --n_trials 60 --seed 7";
    let report = place.json(&format!("{line} {extra}"));
    let model = report["model"].as_str().expect("a path");
    std::fs::read(place.path(model)).expect("a model")
}

/// Kills a training after so long and lets it go on: the model is `whole`, and
/// no check point is left. True if there was one to go on from.
fn killed_after(time: std::time::Duration, whole: &[u8]) -> bool {
    let place = Place::new();
    let mut killed = Command::new(env!("CARGO_BIN_EXE_rate2spike"))
        .args("train --task xor --N 15 --act lif --batch 2 --n_trials 60 --seed 7 --checkpoint-every 1".split(' '))
        .current_dir(place.folder.path())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("the program starts");
    std::thread::sleep(time);
    killed.kill().expect("a process of ours");
    killed.wait().expect("a process of ours");
    let checkpoints = || {
        let files = place.files();
        let paths = files.iter().map(|(path, _)| path);
        paths
            .filter(|path| path.extension().is_some_and(|e| e == "checkpoint"))
            .count()
    };
    let had_one = checkpoints() == 1;
    assert!(
        trained(&place, "--resume") == whole,
        "killed after {time:?}"
    );
    assert_eq!(checkpoints(), 0, "it goes when the model is there");
    had_one
}

#[test]
fn a_killed_training_goes_on_and_ends_with_the_same_bytes() {
    let whole = trained(&Place::new(), "");
    // Moments all over the training, which takes some 100 ms; the seed of the
    // killing is the clock of the machine.
    for moment in 0..12 {
        killed_after(std::time::Duration::from_millis(10 * moment), &whole);
    }
}

/// Kills at 200 moments over the measured length of the training. This takes minutes, so
/// that the test runs only when it is named.
#[test]
#[ignore = "takes minutes"]
fn a_training_killed_at_two_hundred_moments_ends_with_the_same_bytes() {
    let start = std::time::Instant::now();
    let whole = trained(&Place::new(), "--checkpoint-every 1");
    let length = start.elapsed();
    let went_on = (0..200).filter(|moment| killed_after(length * *moment / 200, &whole));
    let went_on = went_on.count();
    println!("{went_on} of 200 went on from a check point, over {length:?}");
    assert!(went_on > 50, "{went_on} of 200 moments lie in the training");
}

#[test]
fn a_check_point_of_other_options_is_refused() {
    let place = Place::new();
    let line = "train --task xor --N 15 --n_trials 100000 --seed 7 --checkpoint-every 1";
    let mut killed = Command::new(env!("CARGO_BIN_EXE_rate2spike"))
        .args(line.split(' '))
        .current_dir(place.folder.path())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("the program starts");
    let written = |place: &Place| {
        let files = place.files();
        files
            .into_iter()
            .any(|(path, _)| path.extension().is_some_and(|e| e == "checkpoint"))
    };
    while !written(&place) {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    killed.kill().expect("a process of ours");
    killed.wait().expect("a process of ours");
    place.fails(
        &format!("{line} --resume --gain 3"),
        1,
        &["checkpoint", "other options", "gain = 1.5"],
    );
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
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("the program starts");
    let stopped = place.path("stopped/models/delayed-match");
    while process.try_wait().expect("a process of ours").is_none() && !has_checkpoint(&stopped) {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    process.kill().expect("a process of ours");
    process.wait().expect("a process of ours");
    let (_, resumed) = model(&format!("{line} --resume --output_dir stopped"));
    for name in ["w", "w0", "w_in", "w_out"] {
        assert_eq!(matrix(&resumed, name), matrix(&whole, name), "{name}");
    }
}
