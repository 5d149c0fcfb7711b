//! SIGTERM at any moment: nothing is lost, and the same command ends with the files of
//! an undisturbed run.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::place::{Place, signal, start};

const PIPELINE: &str = "pipeline xor --N 12 --act sigmoid --n_trials 40 --batch 2 --seed 7 \
                        --trials 40 --checkpoint-every 10";

const TRAIN: &str = "train --task xor --N 12 --act sigmoid --n_trials 40 --batch 2 --seed 7 \
                     --checkpoint-every 10";

const SWEEP: &str = "sweep --task xor --n 12 --act sigmoid --n_trials 10 --seeds 5 --trials 5 \
                     --search-trials 5 --lambdas 25 -o rows";

const CALIBRATED: &str = "pipeline xor --N 12 --n_trials 20 --seed 7 --trials 20 --calibrate";

/// The bytes of each file that a command left, by its extension: there is one file of
/// each.
fn results(place: &Place) -> BTreeMap<String, Vec<u8>> {
    let mut results = BTreeMap::new();
    for (path, bytes) in place.files() {
        if path.ends_with("go-nogo.mat") {
            continue;
        }
        let extension = path.extension().unwrap_or(path.as_os_str());
        let extension = extension.to_string_lossy().into_owned();
        let second = results.insert(extension, bytes);
        assert!(second.is_none(), "a second file: {}", path.display());
    }
    results
}

/// Runs `line` in the folder and ends it after `time`; returns its status and messages.
fn ended_after(place: &Place, line: &str, time: Duration) -> (Option<i32>, String) {
    let process = start(place, line);
    std::thread::sleep(time);
    signal(&process, "TERM");
    let output = process.wait_with_output().expect("a process of ours");
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!message.contains("panicked"), "{message}");
    (output.status.code(), message)
}

/// Ends `line` at `moments` over its whole length, and lets it go on each time.
fn end_pipeline(line: &str, moments: u32) {
    let whole = Place::new();
    let clock = Instant::now();
    whole.run(line);
    let length = clock.elapsed();
    let expected = results(&whole);
    let found: Vec<&str> = expected.keys().map(String::as_str).collect();
    assert_eq!(found, ["json", "mat", "snn"]);
    let (mut in_training, mut after_training) = (0, 0);
    for moment in 0..moments {
        let place = Place::new();
        let (status, message) = ended_after(&place, line, length * moment / moments);
        let left = results(&place);
        if !left.contains_key("snn") {
            in_training += usize::from(left.contains_key("checkpoint") && left.len() == 1);
            after_training += usize::from(left.contains_key("finished"));
            if !left.is_empty() {
                assert_eq!(status, Some(130), "{message}");
                assert!(message.contains("--resume goes on"), "{message}");
            }
            place.run(&format!("{line} --resume"));
        }
        assert!(results(&place) == expected, "moment {moment}: {message}");
    }
    println!(
        "{moments} moments over {length:?}: {in_training} in the training, {after_training} after it"
    );
    if moments >= 50 {
        assert!(in_training > 0 && after_training > 0);
    }
}

/// Ends a training at `moments` over its whole length, and lets it go on each time.
fn end_training(moments: u32) {
    let whole = Place::new();
    let clock = Instant::now();
    whole.run(TRAIN);
    let length = clock.elapsed();
    let expected = results(&whole);
    let found: Vec<&str> = expected.keys().map(String::as_str).collect();
    assert_eq!(found, ["json", "mat"]);
    let mut stopped = 0;
    for moment in 0..moments {
        let place = Place::new();
        let (_, message) = ended_after(&place, TRAIN, length * moment / moments);
        let left = results(&place);
        if left != expected {
            if !left.is_empty() {
                assert!(message.contains("--resume goes on"), "{message}");
                stopped += 1;
            }
            place.run(&format!("{TRAIN} --resume"));
        }
        assert!(results(&place) == expected, "moment {moment}: {message}");
    }
    println!("{moments} moments over {length:?}: {stopped} in the training");
    if moments >= 50 {
        assert!(stopped > 0);
    }
}

/// The rows of a sweep without the seconds that they took, by their seeds.
fn rows(place: &Place) -> BTreeMap<u64, serde_json::Value> {
    let text = std::fs::read_to_string(place.path("rows/rows.jsonl")).unwrap_or_default();
    let row = |line: &str| {
        let mut row: serde_json::Value = serde_json::from_str(line).expect("a whole row");
        row["seconds"] = serde_json::Value::Null;
        (row["options"]["seed"].as_u64().expect("a seed"), row)
    };
    text.lines().map(row).collect()
}

/// Ends a sweep at `moments` over its whole length, and gives the command again.
fn end_sweep(moments: u32) {
    let whole = Place::new();
    let clock = Instant::now();
    whole.run(SWEEP);
    let length = clock.elapsed();
    let expected = rows(&whole);
    assert_eq!(expected.len(), 5);
    let mut stopped = 0;
    for moment in 0..moments {
        let place = Place::new();
        let (status, message) = ended_after(&place, SWEEP, length * moment / moments);
        let before = rows(&place);
        if before.len() < 5 {
            if status == Some(130) && message.contains("interrupted: ") {
                let part = format!("{} of 5 networks have a row", before.len());
                assert!(message.contains(&part), "{message}");
                stopped += 1;
            }
            place.run(SWEEP);
        }
        let after = rows(&place);
        assert!(after == expected, "moment {moment}: {message}");
        assert!(before.iter().all(|(seed, row)| after[seed] == *row));
        let odd = |(path, _): &(std::path::PathBuf, Vec<u8>)| {
            let name = path
                .file_name()
                .expect("a file")
                .to_string_lossy()
                .into_owned();
            ![
                "plan.json",
                "rows.jsonl",
                "rows.csv",
                "success.svg",
                "success.png",
            ]
            .contains(&&*name)
                && name != "go-nogo.mat"
        };
        assert!(
            !place.files().iter().any(odd),
            "moment {moment}: a file is left"
        );
    }
    println!("{moments} moments over {length:?}: {stopped} with rows missing");
    if moments >= 50 {
        assert!(stopped > 0);
    }
}

/// Ends a search for λ at `moments` over its length, and gives the command again.
fn end_convert(moments: u32) {
    let place = Place::new();
    place.run("train --task xor --N 12 --act sigmoid --n_trials 20 --seed 7");
    let model = &results(&place)["mat"];
    let line = "convert m.mat --task xor --trials 40";
    let fresh = || {
        let place = Place::new();
        std::fs::write(place.path("m.mat"), model).expect("a writable folder");
        place
    };
    let whole = fresh();
    let clock = Instant::now();
    whole.run(line);
    let length = clock.elapsed();
    let expected = results(&whole);
    assert!(expected.len() == 1 && expected["mat"] != *model);
    let mut searching = 0;
    for moment in 0..moments {
        let place = fresh();
        let (status, message) = ended_after(&place, line, length * moment / moments);
        if results(&place)["mat"] == *model {
            if status == Some(130) && message.contains("interrupted: ") {
                assert!(message.contains("goes on with the search"), "{message}");
                searching += 1;
            }
            place.run(line);
        }
        assert!(results(&place) == expected, "moment {moment}: {message}");
    }
    println!("{moments} moments over {length:?}: {searching} in the search");
    if moments >= 50 {
        assert!(searching > 0);
    }
}

#[test]
fn a_pipeline_that_is_ended_goes_on_to_the_same_files() {
    end_pipeline(PIPELINE, 4);
    end_pipeline(CALIBRATED, 3);
}

#[test]
fn a_training_that_is_ended_goes_on_to_the_same_files() {
    end_training(4);
}

#[test]
fn a_sweep_that_is_ended_goes_on_to_the_same_rows() {
    end_sweep(3);
}

#[test]
#[ignore = "takes minutes: a training is ended at 50 moments"]
fn a_training_that_is_ended_at_50_moments_goes_on_to_the_same_files() {
    end_training(50);
}

#[test]
#[ignore = "takes minutes: a sweep is ended at 50 moments"]
fn a_sweep_that_is_ended_at_50_moments_goes_on_to_the_same_rows() {
    end_sweep(50);
}

#[test]
fn a_search_that_is_ended_goes_on_to_the_same_model() {
    end_convert(3);
}

#[test]
#[ignore = "takes minutes: a pipeline is ended at 50 moments"]
fn a_pipeline_that_is_ended_at_50_moments_goes_on_to_the_same_files() {
    end_pipeline(PIPELINE, 50);
    end_pipeline(CALIBRATED, 50);
}

#[test]
#[ignore = "takes minutes: a search is ended at 50 moments"]
fn a_search_that_is_ended_at_50_moments_goes_on_to_the_same_model() {
    end_convert(50);
}

fn wait_for(place: &Place, extension: &str) {
    while !results(place).contains_key(extension) {
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_pipeline_that_is_ended_after_its_training_does_not_train_again() {
    let line = "pipeline xor --N 12 --act sigmoid --n_trials 20 --seed 7 --trials 2000";
    let place = Place::new();
    let process = start(&place, line);
    wait_for(&place, "finished");
    signal(&process, "TERM");
    let output = process.wait_with_output().expect("a process of ours");
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{message}");
    assert!(message.contains("--resume goes on from it"), "{message}");
    let left = results(&place);
    // What comes after the training may have other options.
    let resumed = line.replace("--trials 2000", "--trials 20 --arithmetic f32") + " --resume";
    let report = place.json(&resumed);
    assert_eq!(report["updates"], 20);
    assert_eq!(report["arithmetic"], "f32");
    let after = results(&place);
    assert!(after["mat"] == left["mat"] && after["json"] == left["json"]);
    assert_eq!(after.len(), 3, "model, history and network");

    // The same with a model and a history that are gone: the network is trained again.
    let place = Place::new();
    let process = start(&place, line);
    wait_for(&place, "finished");
    signal(&process, "TERM");
    process.wait_with_output().expect("a process of ours");
    for (path, _) in place.files() {
        let extension = path.extension().and_then(|extension| extension.to_str());
        if matches!(extension, Some("mat" | "json")) {
            std::fs::remove_file(path).expect("a file of ours");
        }
    }
    let output = place.run(&resumed);
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(message.contains("is not there or not whole"), "{message}");
    assert!(results(&place)["mat"] == left["mat"]);
}

/// Names of the folders in a place.
fn folders(place: &Place) -> Vec<std::ffi::OsString> {
    let entries = std::fs::read_dir(place.folder.path()).expect("a readable folder");
    let folders = entries.map(|entry| entry.expect("an entry"));
    let folders = folders.filter(|entry| entry.path().is_dir());
    folders.map(|entry| entry.file_name()).collect()
}

#[test]
fn a_command_that_is_refused_leaves_no_folder() {
    let place = Place::new();
    let line = "train --task xor --N 10 --n_trials 2 --output_dir new --losses go-nogo.mat/l.csv";
    assert_eq!(place.run(line).status.code(), Some(1));
    assert!(Path::new(&place.path("go-nogo.mat")).is_file());
    assert_eq!(folders(&place), [""; 0]);
}

#[test]
fn a_flag_for_cuda_is_refused_with_another_back_end() {
    let place = Place::new();
    let line = "train --task xor --N 10 --n_trials 2 --backend wgpu --gpu 1";
    place.fails(line, 2, &["--gpu", "--backend wgpu"]);
}
