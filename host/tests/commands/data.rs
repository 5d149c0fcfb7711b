//! Data sets: read from each kind of file, checked, converted, and refused with a
//! sentence.

use std::f64::consts::TAU;
use std::fs;
use std::path::Path;

use rate2spike::formats::npz::{Npz, Values};
use rate2spike::formats::rate_model::RateModelFile;
use rate2spike::quantize::ArithmeticName;
use rate2spike::quantize::longest_step::DeployedStep;
use rate2spike::random::Stream;
use rate2spike::rate::activation::LIF_LAMBDA;
use rate2spike::route::{Origin, Route, Scaling};
use rate2spike::spiking::neuron::Neuron;
use rate2spike::task::Task;
use rate2spike::task::description::Part;
use rate2spike_core::blob::Deployed;
use rate2spike_core::preprocessing::ChainState;
use serde_json::Value as Json;

use crate::place::Place;

const CLASSES: [&str; 3] = ["fast", "slow", "still"];

/// A recording of a class: two channels of a noisy sine, whole numbers as of a sensor.
fn recording(class: usize, number: usize) -> Vec<[i32; 2]> {
    let samples = 30 + 5 * (number % 3);
    let rate = [0.2, 0.07, 0.0][class];
    let phase = number as f64 * 0.37;
    (0..samples)
        .map(|t| {
            let turn = |shift: f64| (TAU * (rate * t as f64 + phase + shift)).sin();
            let noise = |k: usize| ((t * 7919 + number * 104_729 + k * 31) % 101) as f64 / 5.0;
            let value = |k: usize| 500.0 + 200.0 * turn(k as f64 / 4.0) + noise(k);
            [value(0) as i32, value(1) as i32]
        })
        .collect()
}

/// The folder `name` with a folder a class and `count` recordings in each.
pub fn write_folder(place: &Place, name: &str, count: usize) {
    for (class, word) in CLASSES.iter().enumerate() {
        let folder = place.path(name).join(word);
        fs::create_dir_all(&folder).expect("a folder");
        for number in 0..count {
            let lines = recording(class, number).into_iter().enumerate();
            let lines = lines.map(|(t, [x, y])| format!("{},{x},{y}\n", 0.02 * t as f64));
            let text = format!("t,x,y\n{}", lines.collect::<String>());
            fs::write(folder.join(format!("{number:02}.csv")), text).expect("a file");
        }
    }
}

const SETTINGS: &str = "sample_ms = 20\ntime_column = \"t\"\n";

fn folder(count: usize) -> Place {
    let place = Place::new();
    write_folder(&place, "waves", count);
    fs::write(place.path("waves.toml"), SETTINGS).expect("a file");
    place
}

fn said(place: &Place, line: &str) -> String {
    let output = place.run(line);
    String::from_utf8(output.stderr).expect("UTF-8")
}

#[test]
fn a_folder_of_recordings_is_counted_and_comes_back_as_the_same_npz() {
    let place = folder(10);
    let found = place.json("data waves -o waves2.npz");
    for (key, value) in [
        ("trials", 30),
        ("channels", 2),
        ("samples", 40),
        ("shortest", 30),
        ("sample_ms", 20),
    ] {
        assert_eq!(
            found[key].as_f64(),
            Some(f64::from(value)),
            "{key}: {found}"
        );
    }
    assert_eq!(found["classes"], serde_json::json!(CLASSES));
    assert_eq!(found["problems"], serde_json::json!([]));
    // A fifth of each class for tests, and a fifth of the rest for choices.
    assert_eq!(found["parts"], serde_json::json!([18, 6, 6]));
    assert_eq!(found["per_class"][1]["parts"], serde_json::json!([6, 2, 2]));
    let again = place.json("data waves2.npz");
    for key in [
        "hash",
        "trials",
        "shortest",
        "classes",
        "per_channel",
        "parts",
        "sample_ms",
    ] {
        assert_eq!(again[key], found[key], "{key}");
    }
    let text = String::from_utf8(place.run("data waves").stdout).expect("UTF-8");
    for part in [
        "fast",
        "30 to 40 samples of 20 ms",
        "deviation",
        "not finite       0",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

fn task(place: &Place, name: &str) -> Task {
    let path = place.path(name);
    let task = rate2spike::formats::task::parse(path.to_str().expect("UTF-8"));
    task.expect("a task")
}

#[test]
fn a_trial_ends_with_its_recording_and_a_tail_of_silence() {
    let place = folder(10);
    let task = task(&place, "waves");
    let definition = task.definition();
    assert_eq!(
        (task.name(), task.channels(), definition.outputs),
        ("waves", 2, 3)
    );
    // 40 samples of 20 ms, each held for two of 10 ms, and a tail of 100 ms.
    assert_eq!((task.samples(), task.sample_ms()), (90, 10.0));
    assert_eq!(task.trials(), Some(6));
    let mut labels = Vec::new();
    for index in 0..6 {
        let trial = task.draw(1, Stream::Spiking, index);
        labels.push(trial.label);
        for channel in trial.input.chunks_exact(90) {
            assert!(channel[80..].iter().all(|&u| u == 0.0));
            assert!(channel[79] != 0.0 && channel[78] == channel[79]);
            assert!(channel[79] != 0.0 && channel.iter().all(|u| u.abs() < 8.0));
            let shown = channel.iter().filter(|&&u| u != 0.0).count();
            assert!((60..=80).contains(&shown), "{shown}");
            // A short recording begins later.
            assert!(channel[..80 - shown].iter().all(|&u| u == 0.0));
        }
        let mask = trial.mask.expect("a mask");
        for (k, row) in trial.target.chunks_exact(90).enumerate() {
            let own = if k == trial.label as usize { 1.0 } else { 0.0 };
            assert!(row[..80].iter().all(|&z| z == 0.0));
            assert!(row[80..].iter().all(|&z| z == own));
            assert!(mask[90 * k + 80..90 * (k + 1)].iter().all(|&m| m == 1.0));
        }
    }
    labels.sort_unstable();
    assert_eq!(labels, [0, 0, 1, 1, 2, 2]);
    // After the last one the first comes again, and the parts share no trial.
    assert_eq!(
        task.draw(9, Stream::Spiking, 6),
        task.draw(1, Stream::Spiking, 0)
    );
    let all = |part: Part| -> Vec<_> {
        let task = task.on(part);
        let count = task.trials().expect("a data set") as u64;
        (0..count)
            .map(|k| task.draw(1, Stream::Spiking, k).input)
            .collect()
    };
    let parts = Part::ALL.map(all);
    let mut inputs = parts.concat();
    inputs.sort_by(|a, b| a.partial_cmp(b).expect("numbers"));
    inputs.dedup();
    assert_eq!(inputs.len(), 30);
    // One round of a training is the training part, in another order.
    let mut round: Vec<_> = (0..18)
        .map(|k| task.draw(3, Stream::Training, k).input)
        .collect();
    assert_ne!(round, parts[0]);
    let mut train = parts[0].clone();
    for list in [&mut round, &mut train] {
        list.sort_by(|a, b| a.partial_cmp(b).expect("numbers"));
    }
    assert_eq!(round, train);
    // The channels are scaled by the training part alone.
    for k in 0..2 {
        let numbers: Vec<f64> = train
            .iter()
            .flat_map(|input| input[90 * k..90 * k + 80].iter().copied().map(f64::from))
            .filter(|&u| u != 0.0)
            .collect();
        let count = numbers.len() as f64;
        let mean = numbers.iter().sum::<f64>() / count;
        let square = numbers.iter().map(|u| u * u).sum::<f64>() / count;
        assert!(
            mean.abs() < 5e-3 && (square - 1.0).abs() < 1e-2,
            "{mean} {square}"
        );
    }
}

#[test]
fn another_seed_draws_other_parts_and_the_first_seed_the_first_ones_again() {
    let place = folder(10);
    let task = task(&place, "waves");
    let other = task.seeded(2);
    assert!(other != task && other.fingerprint() != task.fingerprint());
    assert_eq!(other.seeded(1), task);
    assert_eq!(other.trials(), task.trials());
}

/// Labels and inputs of four trials with three samples and one channel.
fn small() -> Npz {
    let mut file = Npz::new();
    let numbers = (0..12).map(f64::from).collect();
    file.insert("inputs", &[4, 3, 1], Values::F64(numbers));
    file
}

fn labels(labels: &[f64]) -> Npz {
    let mut file = small();
    file.vector("labels", labels.to_vec());
    file
}

#[test]
fn bad_data_is_answered_with_the_file_the_place_the_value_and_the_way_out() {
    let place = Place::new();
    let inputs = |numbers: Vec<f64>| {
        let mut file = Npz::new();
        file.insert("inputs", &[4, 3, 1], Values::F64(numbers));
        file.vector("labels", vec![0.0, 1.0, 0.0, 1.0]);
        file
    };
    let with = |name: &str, shape: &[usize], values: &[f64]| {
        let mut file = labels(&[0.0, 1.0, 0.0, 1.0]);
        file.insert(name, shape, Values::F64(values.to_vec()));
        file
    };
    let mut twelve: Vec<f64> = (0..12).map(f64::from).collect();
    twelve[7] = f64::NAN;
    let mut only_inputs = Npz::new();
    only_inputs.insert("input", &[1], Values::F64(vec![0.0]));
    let mut wide = Npz::new();
    wide.insert(
        "inputs",
        &[4, 2, 17],
        Values::F64((0..136).map(f64::from).collect()),
    );
    wide.vector("labels", vec![0.0, 1.0, 0.0, 1.0]);
    let many: Vec<f64> = (0..130).map(|k| f64::from(k / 2)).collect();
    let mut classes = Npz::new();
    classes.insert("inputs", &[130, 1, 1], Values::F64(many.clone()));
    classes.vector("labels", many);
    let cases: [(Npz, &[&str]); 15] = [
        (
            inputs(twelve),
            &["trial 2", "sample 1", "NaN", "remove the trial"],
        ),
        (
            labels(&[0.0, 1.0, 0.5, 1.0]),
            &["trial 2", "labels = 0.5", "whole numbers"],
        ),
        (
            labels(&[0.0, -2.0, 0.0, 1.0]),
            &["trial 1", "labels = -2", "count from 0"],
        ),
        (labels(&[0.0, 2.0, 0.0, 2.0]), &["class 1", "training part"]),
        (
            labels(&[0.0, 0.0, 0.0, 0.0]),
            &["only class", "another class"],
        ),
        (
            labels(&[0.0, 1.0]),
            &["labels has the shape [2]", "4 trials"],
        ),
        (small(), &["neither labels nor targets", "inputs"]),
        (only_inputs, &["inputs: not in the file", "input;"]),
        (
            with("lengths", &[4], &[3.0, 4.0, 3.0, 3.0]),
            &["trial 1", "lengths = 4", "1 to 3"],
        ),
        (
            with("split", &[4], &[0.0, 0.0, 3.0, 0.0]),
            &["trial 2", "split = 3", "2 (test)"],
        ),
        (with("split", &[4], &[0.0, 0.0, 0.0, 0.0]), &["test part"]),
        (with("targets", &[4, 3, 1], &[0.0; 12]), &["targets too"]),
        (
            with("sample_ms", &[], &[0.5]),
            &["sample_ms = 0.5", "1 to 100"],
        ),
        (wide, &["17 channels", "at most 16"]),
        (classes, &["65 classes", "at most 64"]),
    ];
    for (number, (file, parts)) in cases.into_iter().enumerate() {
        let name = format!("bad{number}.npz");
        file.write(&place.path(&name)).expect("a file");
        for line in [format!("data {name}"), format!("pipeline {name}")] {
            let output = place.run(&line);
            assert!(!output.status.success(), "{line}");
            let error = said(&place, &line);
            for part in parts.iter().chain([&name.as_str()]) {
                assert!(error.contains(part), "{line}: {part}: {error}");
            }
        }
        let found = place.run(&format!("data {name} --json")).stdout;
        if let Ok(found) = serde_json::from_slice::<Json>(&found) {
            let problems = found["problems"].as_array().expect("a list");
            assert!(!problems.is_empty(), "{name}");
        }
    }
}

#[test]
fn a_bad_folder_is_answered_with_the_file_and_the_way_out() {
    let place = folder(3);
    fs::create_dir(place.path("empty")).expect("a folder");
    let error = said(&place, "data empty");
    assert!(
        error.contains("empty") && error.contains("one for each class"),
        "{error}"
    );
    fs::create_dir_all(place.path("hollow/a")).expect("a folder");
    let error = said(&place, "data hollow");
    assert!(
        error.contains("hollow") && error.contains(".csv"),
        "{error}"
    );
    let broken = place.path("waves/slow/01.csv");
    for (text, parts) in [
        ("t,x,y\n0,1,2\n0.02,3\n", &["line 3", "2 columns"][..]),
        (
            "t,x,y\n0,1,2\n0.02,3,high\n",
            &["line 3, column 3", "'high'"],
        ),
        ("t;x;y\n0;1,5;2,5\n", &["line 1", "';'", "3.5"]),
        ("t,x,y\n0,1,5,2,5,0\n", &["line 2", "decimal comma"]),
        ("t,x,y\n0,1,nan\n", &["sample 0 of y", "NaN"]),
        ("t,x\n0,1\n", &["1 channels", "has 2"]),
    ] {
        fs::write(&broken, text).expect("a file");
        let error = said(&place, "data waves");
        for part in parts.iter().chain(&["01.csv"]) {
            assert!(error.contains(part), "{text}: {part}: {error}");
        }
    }
    fs::remove_file(&broken).expect("a file");
    for (settings, part) in [
        ("sample_ms = 20\ntail_ms = 35\n", "tail_ms = 35"),
        ("sample_ms = 0\n", "sample_ms = 0"),
        ("scaling = [\"none\"]\n", "one word for all"),
        ("scale = 1\n", "scale"),
    ] {
        fs::write(
            place.path("waves.toml"),
            format!("time_column = 1\n{settings}"),
        )
        .expect("a file");
        let error = said(&place, "data waves");
        assert!(error.contains(part), "{settings}: {error}");
    }
}

/// A `.ts` file of these lines.
fn write_ts(path: &Path, lines: &[&str]) {
    let head = "#a comment\n@problemName Two\n@timeStamps false\n@univariate false\n@dimensions 2\n@equalLength false\n@classLabel true up down\n@data\n";
    fs::write(path, format!("{head}{}\n", lines.join("\n"))).expect("a file");
}

#[test]
fn either_file_of_the_archive_gives_both_parts() {
    let place = Place::new();
    let up = "1,2,3:0,0,0:up";
    let down = "3,2:1,1:down";
    write_ts(&place.path("Two_TRAIN.ts"), &[up, down, up, down]);
    write_ts(&place.path("Two_TEST.ts"), &[down, up]);
    for name in ["Two_TRAIN.ts", "Two_TEST.ts"] {
        let found = place.json(&format!("data {name}"));
        assert_eq!(found["parts"], serde_json::json!([2, 2, 2]), "{found}");
        assert_eq!(found["samples"], 3);
        assert_eq!(found["shortest"], 2);
        assert_eq!(found["classes"], serde_json::json!(["up", "down"]));
    }
    for (line, parts) in [
        ("1,?,3:0,0,0:up", &["line 9", "missing value"][..]),
        ("1,2:0,0,0:up", &["line 9", "channel 2 has 3"]),
        ("1,2:0,0:left", &["'left'", "up, down"]),
        ("1,2:up", &["1 channels"]),
        ("1,2", &["cut"]),
    ] {
        write_ts(&place.path("Two_TEST.ts"), &[line]);
        let error = said(&place, "data Two_TRAIN.ts");
        for part in parts.iter().chain(&["Two_TEST.ts"]) {
            assert!(error.contains(part), "{line}: {part}: {error}");
        }
    }
}

#[test]
fn labels_for_each_sample_and_targets_are_tasks_too() {
    let place = Place::new();
    let mut file = Npz::new();
    file.insert("inputs", &[10, 4, 1], Values::F64(ramp(40)));
    let each: Vec<i64> = (0..10).flat_map(|k| [0, 0, 0, 1 + k % 2]).collect();
    file.insert("labels", &[10, 4], Values::I64(each));
    file.number("sample_ms", 10.0);
    file.write(&place.path("each.npz")).expect("a file");
    let each = task(&place, "each.npz");
    assert_eq!((each.samples(), each.definition().outputs), (5, 3));
    let trial = each.draw(1, Stream::Spiking, 0);
    let mask = trial.mask.expect("a mask");
    assert_eq!(mask[..5], [1.0, 1.0, 1.0, 1.0, 0.0]);
    assert_eq!(trial.target[..5], [1.0, 1.0, 1.0, 0.0, 0.0]);
    assert_eq!(trial.target[5 * trial.label as usize + 3], 1.0);
    // The label is read in the last sample, whose end is the fourth output.
    let window = each.rate_decision().mean;
    assert_eq!((window.first, window.last), (4, 4));

    let mut file = Npz::new();
    file.insert("inputs", &[10, 4, 2], Values::F64(ramp(80)));
    let targets = (0..80).map(f64::from).collect();
    file.insert("targets", &[10, 4, 2], Values::F64(targets));
    let mask = (0..40).map(|k| f64::from(k % 2)).collect();
    file.insert("mask", &[10, 4], Values::F64(mask));
    file.number("sample_ms", 10.0);
    file.write(&place.path("follow.npz")).expect("a file");
    let follow = task(&place, "follow.npz");
    assert_eq!((follow.samples(), follow.definition().outputs), (5, 2));
    let trial = follow.draw(1, Stream::Spiking, 0);
    let mask = trial.mask.expect("a mask");
    assert_eq!(mask, [0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0]);
    assert_eq!(trial.target[6] - trial.target[1], 1.0);
}

/// A pipeline on the data set `name` that takes a moment: its report.
pub fn short_pipeline(place: &Place, name: &str) -> Json {
    place.json(&format!(
        "pipeline {name} --N 12 --n_trials 3 --trials 4 --dt 1 --quiet -o out"
    ))
}

/// The path of the deployed network in a report.
fn network(report: &Json) -> String {
    let path = report["files"]["network"].as_str();
    path.expect("a path").into()
}

/// A place with the data set `waves` and a trained network for it, `waves.mat`.
pub fn with_classifier() -> Place {
    let place = folder(20);
    let line = "pipeline waves --N 12 --n_trials 300 --trials 4 --dt 1 --quiet -o out";
    let report = place.json(line);
    let model = report["files"]["model"].as_str().expect("a path");
    fs::copy(place.path(model), place.path("waves.mat")).expect("a copy");
    place
}

#[test]
fn a_classifier_that_spikes_badly_is_calibrated_and_its_readout_fitted() {
    let place = with_classifier();
    let model = RateModelFile::read(&place.path("waves.mat")).expect("a model");
    let converted = |scaling: Scaling| {
        let route = Route {
            network: &model.network,
            task: task(&place, "waves"),
            neuron: Neuron::LIF,
            scaling,
            search_step: None,
            step: DeployedStep::Given(0.5),
            numbers: ArithmeticName::Fixed,
            search_trials: 40,
            trials: 12,
            seed: 1,
        };
        route.convert(&mut |_| {}).expect("a network")
    };
    // The weights are five times as large as the rate network means them.
    let plain = converted(Scaling::Given(10.0));
    let mended = converted(Scaling::Trained(10.0));
    let (before, after) = (plain.score.accuracy(), mended.score.accuracy());
    assert!(after > before + 0.2, "{after} after {before}");
    let Origin::Calibrated(made) = &mended.origin else {
        panic!("{:?}", mended.origin);
    };
    let readout = made.readout.as_ref().expect("a readout");
    assert_eq!(&mended.network.readout, readout);
    // With its own lambda it is well enough as it is.
    let own = converted(Scaling::Trained(LIF_LAMBDA));
    assert!(matches!(own.origin, Origin::Known), "{:?}", own.origin);
}

#[test]
fn a_deployed_network_scales_the_recorded_integers_itself() {
    let place = folder(10);
    let report = short_pipeline(&place, "waves");
    let net = network(&report);
    let bytes = fs::read(place.path(&net)).expect("a network");
    let deployed = Deployed::read(&bytes).expect("a network");
    let chain = deployed.preprocessing().expect("a chain");
    assert_eq!(chain.channels(), 2);
    assert_eq!(deployed.payload().parts_seed, Some(1));
    let task = task(&place, "waves");
    assert_eq!(deployed.payload().task_hash, Some(task.fingerprint()));
    let description = &task.recorded().expect("a data set").description;
    assert_eq!(description.resolution, 1.0);
    for index in 0..6 {
        let integers = task.integers(index).expect("a data set");
        let input = task.draw(1, Stream::Spiking, index).input;
        let mut state = ChainState::default();
        let mut recorded = 0;
        for (t, sample) in integers.chunks_exact(2).enumerate() {
            for (k, u) in chain.apply(&mut state, sample).iter().enumerate() {
                assert_eq!(input[90 * k + t].to_bits(), u.to_num::<f32>().to_bits());
                let silence = sample[k] == description.channels[k].silence;
                recorded += usize::from(!silence);
            }
        }
        // The numbers of the sensor, between 300 and 720.
        assert!(integers.iter().all(|x| (250..750).contains(x)) && recorded > 50);
    }
    // The same trials, by the network's file and the data set's.
    for line in ["--task waves", "--data waves"] {
        let found = place.json(&format!("run {net} {line}"));
        assert_eq!(found["spike_hash"], report["spike_hash"]);
        assert_eq!(found["accuracy"], report["deployed"]["accuracy"]);
    }
    let error = said(&place, &format!("run {net}"));
    for part in ["data set 'waves'", "--data"] {
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn the_report_of_a_pipeline_has_classes_and_the_answers_to_each() {
    let place = folder(10);
    let report = short_pipeline(&place, "waves");
    assert_eq!(report["classes"], serde_json::json!(CLASSES));
    for stage in ["rate", "spiking", "deployed"] {
        let stage = &report[stage];
        assert_eq!(stage["trials"], 6);
        let classes = stage["per_class"].as_array().expect("a list");
        let names: Vec<_> = classes.iter().map(|class| &class["class"]).collect();
        assert_eq!(names, CLASSES);
        let mut right = 0;
        for (k, class) in classes.iter().enumerate() {
            let answers: Vec<u64> = class["answers"]
                .as_array()
                .expect("a list")
                .iter()
                .map(|count| count.as_u64().expect("a count"))
                .collect();
            assert_eq!(answers.iter().sum::<u64>(), 2);
            assert_eq!(class["recall"], answers[k] as f64 / 2.0);
            right += answers[k];
        }
        assert_eq!(stage["accuracy"], right as f64 / 6.0);
    }
}

#[test]
fn a_data_set_that_changed_since_the_training_is_refused() {
    let place = folder(10);
    place.json("data waves -o w.npz");
    let report = short_pipeline(&place, "w.npz");
    let (net, model) = (network(&report), report["files"]["model"].clone());
    let model = model.as_str().expect("a path");
    fs::write(place.path("waves/slow/03.csv"), "t,x,y\n0,1,2\n0.02,3,4\n").expect("a file");
    place.json("data waves -o w.npz");
    for line in [
        format!("run {net} --data w.npz"),
        format!("quantize {model} -o n.snn"),
        format!("convert {model} --dry-run"),
    ] {
        assert!(!place.run(&line).status.success(), "{line}");
        let error = said(&place, &line);
        for part in ["changed", "--task"] {
            assert!(error.contains(part), "{line}: {error}");
        }
    }
}

#[test]
fn inputs_are_made_of_channels_as_the_settings_say() {
    let place = folder(10);
    let settings = "inputs = [\"y\", { difference = \"x\" }, { magnitude = [\"x\", \"y\"] }, { low_pass = \"x\", ms = 100 }]\n";
    fs::write(place.path("waves.toml"), format!("{SETTINGS}{settings}")).expect("a file");
    let found = place.json("data waves");
    let names = serde_json::json!(["y", "difference of x", "magnitude of x y", "low pass of x"]);
    assert_eq!(found["inputs"], names);
    let task = task(&place, "waves");
    assert_eq!(task.channels(), 4);
    let description = &task.recorded().expect("a data set").description;
    assert_eq!(description.channels.len(), 2);
    // The scaled inputs of the training part have a standard deviation of one over their
    // recordings; those of 40 samples have no silence before them.
    let train = task.on(Part::Train);
    let mut squares = [0.0; 4];
    let mut count = 0.0;
    for index in 0..18 {
        let integers = train.integers(index).expect("a data set");
        let start = integers.chunks_exact(2).take_while(|sample| {
            let silence = description.channels.iter().map(|channel| channel.silence);
            sample.iter().copied().eq(silence)
        });
        if start.count() > 0 {
            continue;
        }
        let trial = train.draw(1, Stream::Spiking, index);
        for (square, input) in squares.iter_mut().zip(trial.input.chunks_exact(90)) {
            *square += input[..80].iter().map(|u| f64::from(u * u)).sum::<f64>();
        }
        count += 80.0;
    }
    assert!(count > 0.0);
    for square in squares {
        assert!(
            (0.5..2.0).contains(&(square / count)),
            "{squares:?} {count}"
        );
    }
    for (inputs, part) in [
        ("inputs = [\"z\"]", "no channel z"),
        ("inputs = []", "inputs is empty"),
        ("inputs = [{ low_pass = \"x\", ms = 0 }]", "0 ms"),
        ("resolution = -1", "resolution = -1"),
        ("resolution = 1e-9", "32 bits"),
    ] {
        fs::write(place.path("waves.toml"), format!("{SETTINGS}{inputs}\n")).expect("a file");
        for line in ["data waves", "pipeline waves -o out"] {
            let error = said(&place, line);
            assert!(error.contains(part), "{line}: {inputs}: {error}");
        }
    }
}

/// A data set of two slow inputs, and what is asked for in each sample.
pub fn in_each_sample(place: &Place, name: &str, of: impl Fn(f64, f64) -> Vec<f64>, track: bool) {
    let (trials, samples) = (40, 30);
    let wave = |trial: usize, t: usize, k: usize| {
        let turn = trial as f64 * 0.61 + t as f64 * 0.02 + k as f64 * 0.3;
        (TAU * turn).sin()
    };
    let (mut inputs, mut wanted) = (Vec::new(), Vec::new());
    for (trial, t) in (0..trials).flat_map(|trial| (0..samples).map(move |t| (trial, t))) {
        let (a, b) = (wave(trial, t, 0), wave(trial, t, 1));
        inputs.extend([a, b]);
        wanted.extend(of(a, b));
    }
    let mut file = Npz::new();
    file.insert("inputs", &[trials, samples, 2], Values::F64(inputs));
    if track {
        let outputs = wanted.len() / (trials * samples);
        file.insert("targets", &[trials, samples, outputs], Values::F64(wanted));
    } else {
        file.insert("labels", &[trials, samples], Values::F64(wanted));
    }
    file.number("sample_ms", 10.0);
    file.write(&place.path(name)).expect("a file");
}

#[test]
fn labels_of_samples_are_scored_sample_by_sample_in_each_form_of_the_network() {
    let place = Place::new();
    in_each_sample(
        &place,
        "sign.npz",
        |a, _| vec![f64::from(u8::from(a > 0.0))],
        false,
    );
    let line = "pipeline sign.npz --N 24 --n_trials 150 --batch 8 --dt 1 --quiet -o out";
    let report = place.json(line);
    for stage in ["rate", "spiking", "deployed"] {
        let accuracy = report[stage]["accuracy"].as_f64().expect("a number");
        // A trial has 30 samples; the label of its last one alone says little.
        assert!(accuracy > 0.75 && accuracy < 1.0, "{stage}: {accuracy}");
        assert_eq!(report[stage]["strict"], report[stage]["accuracy"]);
    }
    let net = network(&report);
    let run = place.json(&format!("run {net} --data sign.npz"));
    assert_eq!(run["accuracy"], report["deployed"]["accuracy"]);
    let model = report["files"]["model"].as_str().expect("a path");
    let quantized = place.json(&format!("quantize {model} --dt 1 -o again.snn"));
    assert_eq!(
        quantized["after"]["accuracy"],
        report["deployed"]["accuracy"]
    );
    let simulated = place.json(&format!("simulate {model} --trials 8"));
    let accuracy = simulated["accuracy"].as_f64().expect("a number");
    assert!((report["spiking"]["accuracy"].as_f64().expect("a number") - accuracy).abs() < 0.05);
    let searched = place.json(&format!("convert {model} --lambdas 40,50 --dry-run"));
    assert!(searched["accuracy"][1].as_f64().expect("a number") > 0.75);
}

#[test]
fn outputs_that_follow_a_target_are_scored_by_r2_and_error() {
    let place = Place::new();
    in_each_sample(&place, "sum.npz", |a, b| vec![a + b, a - b], true);
    let line = "pipeline sum.npz --N 24 --n_trials 200 --batch 8 --dt 1 --quiet -o out";
    let report = place.json(line);
    for stage in ["rate", "spiking", "deployed"] {
        let r2 = report[stage]["r2"].as_f64().expect("a number");
        let error = report[stage]["error"].as_f64().expect("a number");
        assert!(r2 > 0.3 && r2 < 1.0, "{stage}: {r2}");
        // Both targets have a variance of about one.
        assert!(
            (error * error + r2 - 1.0).abs() < 0.3,
            "{stage}: {error} {r2}"
        );
        assert_eq!(report[stage]["accuracy"], r2);
        assert!(report[stage].get("per_class").is_none());
    }
    let run = place.json(&format!("run {} --data sum.npz", network(&report)));
    assert_eq!(run["r2"], report["deployed"]["r2"]);
    assert_eq!(run["interval"], Json::Null);
    let line = line.replace(" --quiet", "");
    let text = String::from_utf8(place.run(&line).stdout).expect("UTF-8");
    assert!(text.contains("R²") && text.contains("error"), "{text}");
}

#[test]
fn a_recording_for_a_board_is_held_as_in_the_trials_of_its_data_set() {
    let place = folder(12);
    let task = task(&place, "waves");
    let description = &task.recorded().expect("a data set").description;
    assert_eq!(description.hold, 2, "20 ms are two samples of the network");
    // The longest ones, which begin with their trial.
    let longest = (0..CLASSES.len()).flat_map(|class| (2..12).step_by(3).map(move |k| (class, k)));
    let longest: Vec<Vec<i32>> = longest
        .map(|(class, number)| {
            let values = recording(class, number).concat();
            let values: Vec<f32> = values.iter().map(|&x| x as f32).collect();
            let held = rate2spike::data::held(description, &values);
            held.iter().map(|&x| x as i32).collect()
        })
        .collect();
    let trials = task.trials().expect("a data set") as u64;
    let shown = (0..trials).map(|index| task.integers(index).expect("a data set"));
    let found = shown.filter(|shown| longest.iter().any(|held| shown.starts_with(held)));
    assert!(found.count() > 0);
}

#[test]
fn a_short_recording_for_a_board_has_the_silence_of_the_trials_of_its_data_set() {
    let place = folder(12);
    let task = task(&place, "waves");
    let description = &task.recorded().expect("a data set").description;
    let all = (0..CLASSES.len()).flat_map(|class| (0..12).map(move |k| (class, k)));
    let all: Vec<Vec<i32>> = all
        .map(|(class, number)| {
            let values = recording(class, number).concat();
            let values: Vec<f32> = values.iter().map(|&x| x as f32).collect();
            let padded = rate2spike::data::padded(description, &values);
            padded.iter().map(|&x| x as i32).collect()
        })
        .collect();
    for index in 0..task.trials().expect("a data set") as u64 {
        let shown = task.integers(index).expect("a data set");
        assert!(all.contains(&shown), "trial {index}");
    }
    // The longest one has 40 samples, and the trial has 45.
    let longer: Vec<f32> = vec![7.0; 42 * 2];
    let padded = rate2spike::data::padded(description, &longer);
    assert_eq!(padded[..84 * 2], [7.0; 84 * 2]);
    let silence = description.channels.iter().map(|c| c.silence as f32);
    assert_eq!(padded[84 * 2..], silence.collect::<Vec<_>>().repeat(6));
}

#[test]
fn a_recording_for_a_board_may_have_the_column_of_the_time() {
    let place = folder(12);
    let report = place.json("pipeline waves --N 12 --n_trials 2 --trials 4 --dt 1 --quiet -o out");
    let run = format!("run {} --data waves", network(&report));
    let run = format!("{run} --on tcp:127.0.0.1:1 --input own.csv");
    for head in ["t,x,y\n0:00,", "x,y\n"] {
        fs::write(place.path("own.csv"), format!("{head}1,2\n")).expect("a file");
        // The recording is good, so that the port is opened; nothing listens there.
        let output = place.run(&run);
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        let (said, failed) = (text(&output.stdout), text(&output.stderr));
        assert!(
            said.contains("1 trial, with silence before and behind the rows"),
            "{head}: {said}{failed}"
        );
        assert!(failed.contains("tcp:127.0.0.1:1"), "{failed}");
    }
    fs::write(place.path("own.csv"), "a,x,y\n0,1,2\n").expect("a file");
    place.fails(&run, 1, &["time_column = \"t\"", "a, x, y"]);
}

#[test]
fn the_time_column_stays_known_for_recordings_that_come_later() {
    let place = folder(12);
    let settings = place.path("waves.toml");
    fs::write(&settings, "sample_ms = 20\n").expect("a file");
    place.json("data waves --time-column t -o k.npz");
    let written = fs::read_to_string(place.path("k.toml")).expect("a file");
    assert!(written.contains("time_column = \"t\""), "{written}");
    // The second time the file is its own.
    place.json("data waves --time-column t -o k.npz");
    let report = place.json("pipeline k.npz --N 12 --n_trials 2 --trials 4 --dt 1 --quiet -o out");
    let run = format!("run {} --data k.npz", network(&report));
    let run = format!("{run} --on tcp:127.0.0.1:1 --input own.csv");
    fs::write(place.path("own.csv"), "t,x,y\n0,1,2\n").expect("a file");
    // The recording is good, so that the port is opened; nothing listens there.
    place.fails(&run, 1, &["tcp:127.0.0.1:1"]);
}

#[test]
fn a_data_set_that_only_the_model_names_is_not_written_over() {
    let place = folder(12);
    place.json("data waves -o k.npz");
    place.run("train --task k.npz --N 20 --n_trials 2 --act lif --output_dir .");
    let found = place.files();
    let models = found.iter().map(|(path, _)| path.display().to_string());
    let model = models
        .filter(|path| path.contains("Task_k_"))
        .find(|path| path.ends_with(".mat"))
        .expect("a model");
    fs::rename(&model, place.path("k.mat")).expect("our file");
    for line in [
        "quantize k.mat --lambda 50 -o k.npz",
        "simulate k.mat --lambda 50 --trials 1 -o k.npz",
        "report k.mat --lambda 50 --trials 1 -o ./k.npz",
    ] {
        place.fails(line, 1, &["k.npz", "data set", "a name elsewhere"]);
    }
}

#[test]
fn no_command_writes_into_a_folder_of_recordings() {
    let place = folder(12);
    place.fails(
        "train --task waves --N 10 --n_trials 1 --losses waves/fast/new.csv",
        2,
        &["waves/fast/new.csv", "data set"],
    );
    place.fails(
        "pipeline waves --N 10 --n_trials 1 -o waves/models",
        1,
        &["waves/models", "data set"],
    );
}

fn ramp(count: usize) -> Vec<f64> {
    (0..count).map(|k| k as f64 / 8.0).collect()
}

/// Sixty trials of five samples of two channels; `change` makes each number another one.
fn sixty(change: impl Fn(f64) -> f64) -> Npz {
    let wave = |k: usize| change((k as f64 * 0.7).sin());
    let mut file = Npz::new();
    file.insert(
        "inputs",
        &[60, 5, 2],
        Values::F64((0..600).map(wave).collect()),
    );
    file
}

/// The same with a class for each trial.
fn sixty_labels(change: impl Fn(f64) -> f64) -> Npz {
    let mut file = sixty(change);
    let labels = (0..60).map(|trial| f64::from(trial % 2)).collect();
    file.vector("labels", labels);
    file
}

/// Checks that `data` lists a problem with these words, and that the pipeline refuses the
/// data set with them.
fn refused(place: &Place, name: &str, parts: &[&str]) {
    let found = place.run(&format!("data {name} --json"));
    assert_eq!(found.status.code(), Some(1), "{name}");
    for line in [format!("data {name}"), format!("pipeline {name} -o out")] {
        let output = place.run(&line);
        assert!(!output.status.success(), "{line}");
        let error = String::from_utf8(output.stderr).expect("UTF-8");
        for part in parts {
            assert!(error.contains(part), "{line}: {part}: {error}");
        }
    }
}

#[test]
fn a_class_that_is_never_tested_is_named() {
    let place = Place::new();
    let mut file = sixty(|x| x);
    let labels = (0..60).map(|trial| f64::from(u8::from(trial == 59)));
    file.vector("labels", labels.collect());
    file.insert("class_names", &[2], Values::I64(vec![7, 8]));
    file.write(&place.path("rare.npz")).expect("a file");
    let wanted = "no trial of the test part has the class 8, so that it is never tested";
    assert!(said(&place, "data rare.npz").contains(wanted));
    let error = said(
        &place,
        "pipeline rare.npz --N 12 --n_trials 2 --dt 1 -o out",
    );
    assert!(error.contains(wanted), "{error}");
    let found = place.json("data rare.npz");
    assert!(
        found["warnings"].to_string().contains("the class 8"),
        "{found}"
    );
}

#[test]
fn a_resolution_that_removes_the_signal_is_refused() {
    let place = Place::new();
    let write = |name: &str, change: fn(f64) -> f64| {
        sixty_labels(change)
            .write(&place.path(name))
            .expect("a file");
    };
    write("far.npz", |x| x + 1.6e9);
    refused(
        &place,
        "far.npz",
        &["removes the signal of channel 1", "subtract the mean"],
    );
    write("large.npz", |x| x * 1e300);
    refused(&place, "large.npz", &["too large", "divide"]);
    write("small.npz", |x| x * 1e-300);
    refused(&place, "small.npz", &["removes the signal of channel 1"]);
    write("tiny.npz", |x| x * 1e-40);
    refused(&place, "tiny.npz", &["removes the signal of channel 1"]);
    write("given.npz", |x| x);
    fs::write(place.path("given.toml"), "resolution = 100\n").expect("a file");
    refused(
        &place,
        "given.npz",
        &["resolution = 100", "give a resolution of at most 0.1"],
    );
    // Whole numbers lose nothing, however seldom they change.
    let mut file = Npz::new();
    let rare = |k: usize| f64::from(u8::from(k % 200 == 3 || k % 200 == 4));
    file.insert(
        "inputs",
        &[60, 5, 2],
        Values::F64((0..600).map(rare).collect()),
    );
    file.vector(
        "labels",
        (0..60).map(|trial| f64::from(trial % 2)).collect(),
    );
    file.write(&place.path("whole.npz")).expect("a file");
    assert_eq!(place.json("data whole.npz")["resolution"], 1.0);
}

#[test]
fn a_constant_channel_is_a_problem_until_it_is_left_out() {
    let place = Place::new();
    let mut file = Npz::new();
    let labels = (0..60).map(|trial| f64::from(trial % 2)).collect();
    file.vector("labels", labels);
    let numbers = (0..600).map(|k| {
        if k % 2 == 0 {
            3.5
        } else {
            (k as f64 * 0.7).sin()
        }
    });
    file.insert("inputs", &[60, 5, 2], Values::F64(numbers.collect()));
    file.write(&place.path("flat.npz")).expect("a file");
    refused(&place, "flat.npz", &["channel 1 has the same number, 3.5"]);
    fs::write(place.path("flat.toml"), "inputs = [\"channel 2\"]\n").expect("a file");
    assert!(place.run("data flat.npz").status.success());
}

#[test]
fn what_no_training_can_use_is_a_problem_of_the_data_set() {
    let place = Place::new();
    let tracked = |targets: Vec<f64>, mask: Option<f64>| {
        let mut file = sixty(|x| x);
        file.insert("targets", &[60, 5, 1], Values::F64(targets));
        if let Some(mask) = mask {
            file.insert("mask", &[60, 5], Values::F64(vec![mask; 300]));
        }
        file
    };
    let mut unlabelled = sixty(|x| x);
    unlabelled.insert("labels", &[60, 5], Values::I64(vec![-1; 300]));
    let mut masked = sixty_labels(|x| x);
    masked.insert("mask", &[60, 5], Values::F64(vec![1.0; 300]));
    let cases: [(&str, Npz, &[&str]); 6] = [
        (
            "same",
            tracked(vec![0.5; 300], None),
            &["output 0 has the same target", "R² says nothing"],
        ),
        ("unlabelled", unlabelled, &["labels = -1", "classes from 0"]),
        (
            "unasked",
            tracked(ramp(300), Some(0.0)),
            &["mask = 0", "weight above 0"],
        ),
        (
            "heavy",
            tracked(ramp(300), Some(1e300)),
            &["mask", "1000000"],
        ),
        (
            "huge",
            tracked(ramp(300).iter().map(|x| x * 1e30).collect(), None),
            &["targets", "divide"],
        ),
        ("masked", masked, &["mask", "leave it out"]),
    ];
    for (name, file, parts) in cases {
        let name = format!("{name}.npz");
        file.write(&place.path(&name)).expect("a file");
        refused(&place, &name, parts);
    }
    sixty_labels(|x| x)
        .write(&place.path("many.npz"))
        .expect("a file");
    let inputs = vec!["\"channel 1\""; 17].join(", ");
    fs::write(place.path("many.toml"), format!("inputs = [{inputs}]\n")).expect("a file");
    refused(&place, "many.npz", &["17 inputs", "at most 16"]);
}

#[test]
fn a_damaged_or_doubtful_archive_is_refused_by_the_name_of_its_array() {
    let place = Place::new();
    sixty_labels(|x| x)
        .write(&place.path("first.npz"))
        .expect("a file");
    assert!(place.run("data first.npz -o d.npz").status.success());
    let good = fs::read(place.path("d.npz")).expect("a file");
    let mut bytes = good.clone();
    let header = bytes
        .windows(6)
        .position(|six| six == b"\x93NUMPY")
        .expect("an array");
    bytes[header + 200] ^= 1;
    fs::write(place.path("flipped.npz"), bytes).expect("a file");
    let error = said(&place, "data flipped.npz");
    assert!(
        error.contains("inputs") && error.contains("check sum"),
        "{error}"
    );

    let mut file = sixty_labels(|x| x);
    file.vector("labelz", vec![0.0; 60]);
    file.write(&place.path("z.npz")).expect("a file");
    let error = said(&place, "data z.npz");
    assert!(
        error.contains("labelz is not read; did you mean labels?"),
        "{error}"
    );
    let mut bytes = fs::read(place.path("z.npz")).expect("a file");
    while let Some(at) = bytes.windows(6).position(|six| six == b"labelz") {
        bytes[at + 5] = b's';
    }
    fs::write(place.path("twice.npz"), bytes).expect("a file");
    let error = said(&place, "data twice.npz");
    assert!(error.contains("labels: twice in the archive"), "{error}");

    for name in ["class_names", "channel_names"] {
        let mut file = sixty_labels(|x| x);
        file.insert(name, &[2], Values::I64(vec![4, 4]));
        file.write(&place.path("names.npz")).expect("a file");
        refused(&place, "names.npz", &["the name '4' is there twice"]);
    }
    for (classes, part) in [("a,a", "'a' is there twice"), (",", "name 1 is empty")] {
        let error = said(&place, &format!("data d.npz --classes {classes}"));
        assert!(error.contains(part), "{classes}: {error}");
    }
}

#[test]
fn settings_are_read_however_an_editor_writes_their_file() {
    let place = Place::new();
    sixty_labels(|x| x)
        .write(&place.path("d.npz"))
        .expect("a file");
    let text = "sample_ms = 30\n";
    let units: Vec<u8> = std::iter::once(0xfeff)
        .chain(text.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    for (name, bytes) in [("d.TOML", text.as_bytes()), ("d.toml", &units)] {
        fs::write(place.path(name), bytes).expect("a file");
        assert_eq!(place.json("data d.npz")["sample_ms"], 30.0, "{name}");
        fs::remove_file(place.path(name)).expect("a file");
    }
    fs::write(place.path("d.toml"), "tail_ms = 1e9\n").expect("a file");
    let error = said(&place, "data d.npz");
    assert!(
        error.contains("tail_ms = 1000000000; give at most"),
        "{error}"
    );
    for flag in ["d.npz --time-column t", "d.npz --time-column 1"] {
        let error = said(&place, &format!("data {flag}"));
        assert!(error.contains("--time-column"), "{error}");
    }
}

#[cfg(unix)]
#[test]
fn a_link_to_no_settings_and_a_recording_that_is_a_pipe_are_named() {
    let place = folder(3);
    sixty_labels(|x| x)
        .write(&place.path("d.npz"))
        .expect("a file");
    std::os::unix::fs::symlink("none.toml", place.path("d.toml")).expect("a link");
    let error = said(&place, "data d.npz");
    assert!(
        error.contains("d.toml") && error.contains("link"),
        "{error}"
    );
    let pipe = place.path("waves/slow/99.csv");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("mkfifo").success());
    let error = said(&place, "data waves");
    assert!(
        error.contains("99.csv") && error.contains("pipe"),
        "{error}"
    );
}

#[test]
fn a_renamed_data_set_is_the_same_and_a_changed_one_has_changed() {
    let place = Place::new();
    sixty_labels(|x| x)
        .write(&place.path("k.npz"))
        .expect("a file");
    let report = short_pipeline(&place, "k.npz");
    let net = network(&report);
    fs::rename(place.path("k.npz"), place.path("renamed.npz")).expect("a file");
    for flag in ["--data", "--task"] {
        let found = place.json(&format!("run {net} {flag} renamed.npz"));
        assert_eq!(found["spike_hash"], report["spike_hash"]);
    }
    sixty_labels(|x| x * 1.5)
        .write(&place.path("k.npz"))
        .expect("a file");
    let error = said(&place, &format!("run {net} --data k.npz"));
    assert!(
        error.contains("k.npz") && error.contains("has changed"),
        "{error}"
    );
}

#[test]
fn a_ts_file_with_a_byte_order_mark_is_read() {
    let place = Place::new();
    write_ts(
        &place.path("Two_TRAIN.ts"),
        &["1,2,3:0,1,0:up", "3,2:1,0:down"],
    );
    let text = fs::read_to_string(place.path("Two_TRAIN.ts")).expect("a file");
    fs::write(place.path("Mark_TRAIN.ts"), format!("\u{feff}{text}")).expect("a file");
    let found = |name: &str| {
        let output = place.run(&format!("data {name} --json"));
        serde_json::from_slice::<Json>(&output.stdout).expect("an object")["hash"].clone()
    };
    assert_eq!(found("Mark_TRAIN.ts"), found("Two_TRAIN.ts"));
}

#[test]
fn a_score_of_a_data_set_counts_the_trials_that_are_there() {
    let place = Place::new();
    sixty_labels(|x| x)
        .write(&place.path("k.npz"))
        .expect("a file");
    let report = short_pipeline(&place, "k.npz");
    let net = network(&report);
    let error = said(&place, &format!("run {net} --data k.npz"));
    assert!(
        error.contains("12 trials") && error.contains("no more are in"),
        "{error}"
    );
    assert!(!error.contains("--trials"), "{error}");
    let output = place.run("train --task k.npz --N 12 --n_trials 2");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    // A fifth of the 48 trials that are no tests.
    assert!(text.contains("over 10 trials"), "{text}");
}

#[test]
fn settings_of_another_hand_are_neither_replaced_nor_applied_to_an_output() {
    let place = Place::new();
    sixty_labels(|x| x)
        .write(&place.path("d.npz"))
        .expect("a file");
    let theirs = "scaling = \"none\"\n";
    fs::write(place.path("e.toml"), theirs).expect("a file");
    for line in ["data d.npz -o e.npz", "data d.npz --tail-ms 200 -o e.npz"] {
        let error = said(&place, line);
        assert!(
            error.contains("e.toml") && error.contains("did not write"),
            "{line}: {error}"
        );
        assert!(!place.path("e.npz").exists(), "{line}");
        let text = fs::read_to_string(place.path("e.toml")).expect("a file");
        assert_eq!(text, theirs);
    }
    // The command replaces a file that it wrote, also where there is nothing to write now.
    fs::remove_file(place.path("e.toml")).expect("a file");
    for (flag, tail) in [("--tail-ms 200", Some(200.0)), ("", None)] {
        assert!(
            place
                .run(&format!("data d.npz {flag} -o e.npz"))
                .status
                .success()
        );
        let text = fs::read_to_string(place.path("e.toml")).expect("a file");
        assert_eq!(text.contains("tail_ms"), tail.is_some(), "{text}");
    }
    // The settings of the input give an output beside them the same settings.
    let place = folder(10);
    assert!(place.run("data waves -o waves.npz").status.success());
    let text = fs::read_to_string(place.path("waves.toml")).expect("a file");
    assert_eq!(text, SETTINGS);
}
