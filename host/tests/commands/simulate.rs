//! `simulate`: spikes, recordings, figures, perturbations.

use rate2spike::formats::rate_model::read_mat;
use serde_json::Value as Json;

use crate::place::{Place, fixtures};

#[test]
fn the_published_traces_come_out_of_the_command_line() {
    let place = Place::new();
    for entry in std::fs::read_dir(fixtures().join("traces")).expect("the folder of traces") {
        let path = entry.expect("a file").path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .expect("a name");
        if !name.ends_with("_f64.mat") {
            continue;
        }
        let trace = read_mat(&path).expect("a trace");
        let number = |name: &str| trace.scalar(name).expect("a number");
        let line = format!(
            "simulate go-nogo.mat --lambda {} --noise 0 --input {path} --v0 {path} --downsample {} \
             --filter {} --neuron {} -o found.mat",
            number("lambda"),
            number("downsample"),
            if number("tr") > 0.0 {
                "double"
            } else {
                "single"
            },
            if number("qif") > 0.0 { "qif" } else { "lif" },
            path = path.display(),
        );
        place.json(&line);
        let found = read_mat(&place.path("found.mat")).expect("a recording");
        for variable in ["spk_unit", "spk_step"] {
            let (found, wanted) = (found.vector(variable), trace.vector(variable));
            assert_eq!(found.expect("numbers"), wanted.expect("numbers"), "{name}");
        }
    }
}

#[test]
fn a_recording_holds_potentials_and_rates_on_request() {
    let place = Place::new();
    place.json(
        "simulate go-nogo.mat --lambda 25 --trials 2 --record-every 500 -o rec.mat \
         --stimulate inh:8000:12000:1-100",
    );
    let file = read_mat(&place.path("rec.mat")).expect("a recording");
    let size = |name: &str| {
        let (rows, columns, _) = file.matrix(name).expect("a matrix");
        (rows, columns)
    };
    assert_eq!(size("out"), (2, 20_000));
    assert_eq!((size("v"), size("rs")), ((200, 80), (200, 80)));
    // Half of the units are held down in the window: they fire less there.
    let spikes = |stimulated: bool| {
        let units = file.vector("spk_unit").expect("numbers");
        let steps = file.vector("spk_step").expect("numbers");
        let pairs = units.iter().zip(steps);
        pairs
            .filter(|(unit, step)| {
                (**unit <= 100.0) == stimulated && (8_500.0..12_000.0).contains(step)
            })
            .count()
    };
    assert!(
        spikes(true) * 2 < spikes(false),
        "{} {}",
        spikes(true),
        spikes(false)
    );
}

#[test]
fn a_recording_is_the_same_in_every_format() {
    let place = Place::new();
    let line = "simulate go-nogo.mat --lambda 25 --trials 2 -o";
    // A table has no place for potentials.
    let files = [
        "r.mat --record-every 500",
        "r.npz --record-every 500",
        "r.csv",
        "CAPITALS.MAT",
    ];
    let hashes: Vec<Json> = files
        .iter()
        .map(|file| place.json(&format!("{line} {file}"))["spike_hash"].clone())
        .collect();
    assert!(hashes.iter().all(|hash| *hash == hashes[0]));

    let mat = read_mat(&place.path("r.mat")).expect("a recording");
    let capitals = read_mat(&place.path("CAPITALS.MAT")).expect("a recording");
    assert_eq!(capitals.vector("spk_unit"), mat.vector("spk_unit"));
    for name in ["spk_unit", "spk_step", "spk_trial", "labels", "v_idx"] {
        let array = place.array("r.npz", name);
        let values = array.into_vec::<i64>().expect("integers");
        let values: Vec<f64> = values.into_iter().map(|x| x as f64).collect();
        assert_eq!(values, mat.vector(name).expect(name), "{name}");
    }
    for name in ["out", "v", "rs"] {
        let array = place.array("r.npz", name);
        let (rows, columns, by_column) = mat.matrix(name).expect(name);
        assert_eq!(array.shape(), [rows as u64, columns as u64], "{name}");
        let by_row = array.into_vec::<f64>().expect("doubles");
        let same =
            (0..rows * columns).all(|k| by_row[k] == by_column[k % columns * rows + k / columns]);
        assert!(same, "{name}");
    }
    let units = mat.vector("spk_unit").expect("units");
    let table = std::fs::read_to_string(place.path("r.csv")).expect("a table");
    let last = table
        .lines()
        .last()
        .and_then(|line| line.rsplit(',').next());
    assert_eq!(table.lines().count(), units.len() + 1);
    assert_eq!(
        last.and_then(|unit| unit.parse().ok()),
        units.last().copied()
    );
    for beside in ["r_out.csv", "r_rates.csv"] {
        assert!(place.path(beside).is_file(), "{beside}");
    }
    place.fails(&format!("{line} r.txt"), 2, &["r.txt", ".npz"]);
}

#[test]
fn what_was_found_is_drawn_on_request() {
    let place = Place::new();
    let report = place.json("simulate go-nogo.mat --lambda 25 --trials 4 --plot spikes.svg");
    let files = serde_json::json!(["spikes.svg", "spikes_outputs.svg"]);
    assert_eq!(report["files"], files);
    let text = |name: &str| std::fs::read_to_string(place.path(name)).expect("a figure");
    assert!(text("spikes.svg").contains("inhibitory"));
    assert!(text("spikes_outputs.svg").contains("target"));
    let convert = "convert go-nogo.mat --dry-run --lambdas 25,30 --trials 3 --plot search.png";
    place.json(convert);
    let bytes = std::fs::read(place.path("search.png")).expect("a figure");
    assert!(bytes.starts_with(b"\x89PNG"));
    for (line, parts) in [
        (
            "convert go-nogo.mat --dry-run --plot a.pdf",
            &["--plot", "a.pdf", ".svg or .png"][..],
        ),
        (
            "simulate go-nogo.mat --lambda 25 --downsample 2 --plot a.svg",
            &["--plot", "--downsample"],
        ),
    ] {
        place.fails(line, 2, parts);
    }
    let line = "simulate go-nogo.mat --lambda 25 --plot go-nogo.mat/a.svg";
    place.fails(line, 1, &["go-nogo.mat", "cannot write"]);
}

#[test]
fn a_perturbed_network_spikes_otherwise_and_a_silenced_unit_not_at_all() {
    let place = Place::new();
    // Some of four trials are Go; in a No-Go trial most units are silent.
    let line = "simulate go-nogo.mat --lambda 25 --trials 4 -o r.npz";
    let hash = |extra: &str| place.json(&format!("{line} {extra}"))["spike_hash"].clone();
    let plain = hash("");
    assert_eq!(hash("--scale ee:1 --scale ii:1"), plain);
    for extra in [
        "--scale ee:0",
        "--scale ie:0.5",
        "--no-autapses",
        "--shuffle",
        "--silence 1-40",
    ] {
        assert_ne!(hash(extra), plain, "{extra}");
    }
    hash("--silence 1-40,100");
    let units = place.array("r.npz", "spk_unit");
    let units = units.into_vec::<i64>().expect("integers");
    assert!(!units.is_empty() && units.iter().all(|unit| *unit > 40 && *unit != 100));
    place.fails(
        &format!("{line} --silence 201"),
        2,
        &["--silence", "201", "200 units"],
    );
    place.fails(
        &format!("{line} --scale ex:1"),
        2,
        &["ex", "ee, ei, ie, ii"],
    );
}

#[test]
fn a_recording_that_would_go_nowhere_is_refused() {
    let place = Place::new();
    let line = "simulate go-nogo.mat --lambda 25 --record-every";
    for (flags, parts) in [
        ("10", ["--record-every", "give -o"]),
        ("10 -o r.csv", ["--record-every", ".npz"]),
        (
            "1000000 -o r.mat",
            ["--record-every 1000000", "20000 steps"],
        ),
        ("0 -o r.mat", ["--record-every", "0"]),
    ] {
        place.fails(&format!("{line} {flags}"), 2, &parts);
    }
}

#[test]
fn a_stimulation_is_given_in_steps_or_ms_within_the_trial() {
    let place = Place::new();
    let line = "simulate go-nogo.mat --lambda 25 --stimulate";
    let hash = |window: &str| place.json(&format!("{line} {window}"))["spike_hash"].clone();
    assert_eq!(hash("exc:100ms:300ms:1-20"), hash("exc:2001:6001:1-20"));
    for outside in ["exc:30000:40000:1-20", "exc:1500ms:2000ms:1-20"] {
        place.fails(
            &format!("{line} {outside}"),
            2,
            &["--stimulate", "steps 1 to 20000"],
        );
    }
}

#[test]
fn a_downsampling_beyond_its_limit_is_refused() {
    let place = Place::new();
    for factor in [100, 201, 4_000_000] {
        let line = format!("simulate go-nogo.mat --lambda 25 --downsample {factor}");
        place.fails(&line, 2, &["--downsample", "give 1 to 79"]);
    }
    let advice = "simulate go-nogo.mat --lambda 25 --neuron qif --dt 0.5";
    place.fails(advice, 2, &["give --dt 0.1 or less"]);
    place.json("simulate go-nogo.mat --lambda 25 --neuron qif --dt 0.1");
}
