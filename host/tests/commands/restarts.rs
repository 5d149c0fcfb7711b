//! `--restarts`: trainings from several random starts.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value as Json;

use crate::place::{Place, signal, start};

/// The model that `report` names.
fn model(place: &Place, report: &Json) -> Vec<u8> {
    let path = place.path(report["model"].as_str().expect("a path"));
    std::fs::read(path).expect("a model")
}

fn check_points(place: &Place) -> Vec<PathBuf> {
    let files = place.files().into_iter().map(|(path, _)| path);
    files
        .filter(|path| path.extension().is_some_and(|e| e == "checkpoint"))
        .collect()
}

#[test]
fn the_seed_of_the_start_that_was_kept_gives_the_same_network_alone() {
    let place = Place::new();
    let line =
        "train --task go-nogo --N 10 --apply_dale False --P_rec 0.4 --batch 4 --n_trials 250";
    let mut others = 0;
    for seed in 1..4 {
        let report = place.json(&format!("{line} --seed {seed} --restarts 4"));
        assert_eq!(report["starts"], 4);
        let alone = place.json(&format!("{line} --seed {}", report["seed"]));
        assert_eq!(
            (&alone["seed"], &alone["starts"]),
            (&report["seed"], &1.into())
        );
        assert_eq!(alone["success"], report["success"]);
        assert_eq!(model(&place, &alone), model(&place, &report));
        others += usize::from(report["seed"] != seed);
    }
    assert!(others > 0, "each time the first start was kept");
    assert!(check_points(&place).is_empty());
}

#[test]
fn trainings_from_several_starts_go_on_after_a_stop() {
    let line = "train --task xor --N 10 --n_trials 1000 --seed 3 --restarts 3 --losses losses.csv";
    let whole = Place::new();
    let wanted = model(&whole, &whole.json(line));

    let stopped = Place::new();
    let losses = stopped.path("losses.csv");
    let process = start(&stopped, line);
    let lines = || std::fs::read_to_string(&losses).map_or(0, |text| text.lines().count());
    while lines() < 400 {
        std::thread::sleep(Duration::from_millis(2));
    }
    signal(&process, "TERM");
    process.wait_with_output().expect("a process of ours");
    assert_eq!(check_points(&stopped).len(), 3, "one for each start");
    let report = stopped.json(&format!("{line} --resume"));
    assert_eq!(model(&stopped, &report), wanted);
    assert_eq!(lines(), 1 + 3 * 1000, "a line an update, and the header");
    assert!(check_points(&stopped).is_empty());
}

#[test]
fn a_pipeline_and_a_sweep_go_on_with_the_start_that_was_kept() {
    let place = Place::new();
    let line = "--act lif --n_trials 20 --trials 20";
    let report = place.json(&format!("pipeline xor --N 6 {line} --seed 3 --restarts 3"));
    let alone = place.json(&format!(
        "pipeline xor --N 6 {line} --seed {}",
        report["seed"]
    ));
    for key in ["seed", "spike_hash", "lambda"] {
        assert_eq!(alone[key], report[key], "{key}");
    }
    let line = format!("sweep --task xor --n 6 {line} --seeds 3..3 --search-trials 20 -o sweep");
    place.json(&format!("{line} --restarts 3"));
    let rows = std::fs::read_to_string(place.path("sweep/rows.jsonl")).expect("the rows");
    let row: Json = serde_json::from_str(rows.trim_end()).expect("one row");
    assert_eq!(row["options"]["seed"], 3);
    assert_eq!(row["start_seed"], report["seed"]);
    assert_eq!(row["spike_hash"], report["spike_hash"]);
    place.fails(&line, 2, &["sweep"]);
}

#[test]
fn a_training_that_failed_names_the_ways_on_that_it_has() {
    let place = Place::new();
    let report = place.json("train --task xor --N 10 --n_trials 2 --output_dir first");
    let from = format!("--from {}", report["model"].as_str().expect("a path"));
    for command in ["train --task xor", "pipeline xor --trials 2"] {
        for (flags, has_restarts) in [("", true), ("--restarts 3", true), (&*from, false)] {
            let line = format!("{command} --N 10 --n_trials 2 --act sigmoid {flags}");
            let output = place.run(&line);
            let message = String::from_utf8_lossy(&output.stderr);
            assert!(message.contains("Try more --n_trials"), "{message}");
            assert_eq!(
                message.contains("more --restarts"),
                has_restarts,
                "{message}"
            );
        }
    }
}

#[test]
fn several_starts_that_make_no_difference_are_usage_errors() {
    let place = Place::new();
    for count in ["0", "-1", "1001", "some"] {
        let line = format!("train --task xor --restarts={count}");
        place.fails(&line, 2, &["--restarts", "1000"]);
    }
    let from = "train --task go-nogo --from go-nogo.mat --restarts 2";
    place.fails(from, 2, &["--restarts", "--from"]);
}
