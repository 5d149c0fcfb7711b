//! The command line as typed: what scripts rely on, and what a mistake gets.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rate2spike::formats::mat::Value;
use rate2spike::formats::rate_model::{read_mat, write_mat};
use serde_json::Value as Json;

/// The folder of the files that the published code produced.
fn fixtures() -> PathBuf {
    match std::env::var_os("RATE2SPIKE_FIXTURES") {
        Some(folder) => folder.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures"),
    }
}

/// The model that the published code trained.
fn published_model() -> PathBuf {
    let folder = fixtures().join("models");
    let mut entries = std::fs::read_dir(folder).expect("the folder of models");
    entries.next().expect("a model").expect("a file").path()
}

/// A folder of its own, with the published model in it.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let place = Self { folder };
        std::fs::copy(published_model(), place.path("go-nogo.mat")).expect("a copy");
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs the program here; `line` is what one would type after its name.
    fn run(&self, line: &str) -> Output {
        Command::new(env!("CARGO_BIN_EXE_rate2spike"))
            .args(line.split_whitespace())
            .current_dir(self.folder.path())
            .output()
            .expect("the program starts")
    }

    /// The JSON object that `line` prints.
    fn json(&self, line: &str) -> Json {
        let output = self.run(&format!("{line} --json"));
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        assert_eq!(
            text.lines().count(),
            1,
            "{line}: one object and nothing else: {text}"
        );
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{line}: {error}: {text}"))
    }

    /// Fails with `status` and a message that has all of `parts`; writes
    /// nothing.
    fn fails(&self, line: &str, status: i32, parts: &[&str]) {
        let before = self.files();
        let output = self.run(line);
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(status), "{line}: {message}");
        assert!(!message.contains("panicked"), "{line}: {message}");
        for part in parts {
            assert!(message.contains(part), "{line}: no '{part}' in: {message}");
        }
        assert_eq!(self.files(), before, "{line}: files changed");
    }

    /// Name and bytes of every file here.
    fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        let mut folders = vec![self.folder.path().to_path_buf()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a readable folder") {
                let path = entry.expect("a file").path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let bytes = std::fs::read(&path).expect("a readable file");
                    files.push((path, bytes));
                }
            }
        }
        files.sort();
        files
    }

    /// Changes a variable of the model.
    fn change(&self, name: &str, value: Value) {
        let path = self.path("go-nogo.mat");
        let mut file = read_mat(&path).expect("a model");
        file.insert(name, value);
        write_mat(&path, &file).expect("a writable folder");
    }
}

#[test]
fn every_command_explains_itself_with_an_example() {
    let place = Place::new();
    let overview = place.run("--help");
    assert!(overview.status.success());
    for command in [
        "pipeline",
        "train",
        "convert",
        "simulate",
        "quantize",
        "run",
        "inspect",
        "sweep",
        "reproduce",
        "report",
        "export",
        "import",
        "trials",
    ] {
        assert!(String::from_utf8_lossy(&overview.stdout).contains(command));
        let help = place.run(&format!("{command} --help"));
        let text = String::from_utf8_lossy(&help.stdout);
        assert!(help.status.success() && text.contains("Example:"), "{text}");
        assert!(text.contains("--json"), "{text}");
    }
}

#[test]
fn the_pipeline_prints_what_scripts_rely_on() {
    let place = Place::new();
    // Three updates train nothing: the names are what this is about.
    let report = place.json("pipeline go-nogo --N 30 --n_trials 3 --trials 10 --seed 3");
    for form in ["rate", "spiking", "deployed"] {
        for score in ["accuracy", "strict"] {
            assert!(report[form][score].is_number(), "{form} {score}: {report}");
        }
    }
    assert!(report["lambda"].is_number() && report["mean_rate_hz"].is_number());
    // It answers no better with a calibration; on request it gets one.
    assert_eq!(report["calibrated"], false);
    let asked = place.json("pipeline go-nogo --N 20 --n_trials 2 --trials 4 --calibrate");
    assert_eq!(asked["calibrated"], true);
    let hash = report["spike_hash"].as_str().expect("a hash");
    assert!(hash.len() == 16 && hash.chars().all(|c| c.is_ascii_hexdigit()));
    for stage in ["train", "convert", "quantize", "run"] {
        assert!(report["seconds"][stage].is_number(), "{stage}: {report}");
    }
    let network = report["files"]["network"].as_str().expect("a path");
    let bytes = std::fs::metadata(place.path(network))
        .expect("a file")
        .len();
    assert_eq!(report["blob_bytes"], bytes);

    // The same network gives the same score again, through its file.
    let again = place.json(&format!("run {network} --trials 10 --seed 3"));
    assert_eq!(again["spike_hash"], report["spike_hash"]);
    assert_eq!(again["accuracy"], report["deployed"]["accuracy"]);
    assert_eq!(again["trials"], 10);
}

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
fn a_killed_search_goes_on_and_ends_with_the_same_scores() {
    let place = Place::new();
    let line = "convert go-nogo.mat --trials 600 --lambdas 20:10:70";
    let mut killed = Command::new(env!("CARGO_BIN_EXE_rate2spike"))
        .args(line.split_whitespace())
        .current_dir(place.folder.path())
        .spawn()
        .expect("the program starts");
    let journal = place.path("go-nogo.search.json");
    while !journal.exists() {
        let ended = killed.try_wait().expect("a process of ours");
        assert!(ended.is_none(), "the search ended before it was journaled");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    killed.kill().expect("a process of ours");
    killed.wait().expect("a process of ours");

    let resumed = place.run(&format!("{line} --json"));
    let messages = String::from_utf8_lossy(&resumed.stderr);
    assert!(messages.contains("goes on with the search"), "{messages}");
    assert!(!journal.exists(), "a finished search leaves no journal");
    let whole = place.run(&format!("{line} --json --force"));
    let messages = String::from_utf8_lossy(&whole.stderr);
    assert!(!messages.contains("goes on with the search"), "{messages}");
    assert_eq!(resumed.stdout, whole.stdout);
    assert!(whole.status.success());
}

#[test]
fn a_refitted_readout_is_used_at_its_own_lambda() {
    let place = Place::new();
    let found = place.json("convert go-nogo.mat --lambda 35 --trials 100 --refit-readout 60");
    let (before, after) = (
        found["refit"]["before"]["accuracy"].as_f64(),
        found["refit"]["after"]["accuracy"].as_f64(),
    );
    assert!(after > before, "{found}");
    assert_eq!(found["refit"]["kept"], true);

    let scored = |place: &Place| {
        let report =
            place.json("quantize go-nogo.mat -o net.snn --lambda 35 --trials 200 --dt 0.5");
        report["before"]["accuracy"].as_f64()
    };
    let refitted = scored(&place);
    // A model without it, and one whose readout belongs to another λ.
    assert!(refitted > scored(&Place::new()), "{refitted:?}");
    let other = place.run("quantize go-nogo.mat -o net.snn --lambda 30 --trials 1");
    let messages = String::from_utf8_lossy(&other.stderr);
    assert!(messages.contains("belongs to another lambda"), "{messages}");

    // A later search without a refit leaves no readout of another λ behind.
    place.run("convert go-nogo.mat --lambda 35 --trials 10 --force");
    assert_eq!(scored(&place), scored(&Place::new()));
}

#[test]
fn a_calibrated_network_answers_better_than_the_best_lambda_and_stays_so_in_fixed_point() {
    let place = Place::new();
    // 25 is the best of a search.
    let accuracy = |place: &Place, lambda: &str| {
        let report = place.json(&format!(
            "quantize go-nogo.mat -o net.snn {lambda} --trials 200"
        ));
        let strict = |key: &str| report[key]["strict"].as_f64().expect("a score");
        [strict("before"), strict("after")]
    };
    let searched = accuracy(&place, "--lambda 25");
    let found = place.json("convert go-nogo.mat --calibrate --trials 50");
    assert!(found["fresh"]["accuracy"].as_f64() >= Some(0.98), "{found}");
    let calibrated = accuracy(&place, "");
    for (searched, calibrated) in searched.iter().zip(calibrated) {
        assert!(calibrated >= searched + 0.03, "{searched} {calibrated}");
    }
    let other = place.run("quantize go-nogo.mat -o net.snn --lambda 25 --trials 1");
    let messages = String::from_utf8_lossy(&other.stderr);
    assert!(messages.contains("belongs to another lambda"), "{messages}");

    // A later search leaves no calibration behind.
    place.run("convert go-nogo.mat --lambda 25 --trials 10 --force");
    assert_eq!(accuracy(&place, "--lambda 25"), searched);
    place.fails(
        "convert go-nogo.mat --calibrate --neuron qif --force",
        1,
        &["go-nogo.mat", "quadratic", "leaky"],
    );
}

#[test]
fn the_longest_step_that_is_good_enough_is_found() {
    let place = Place::new();
    let found = place.json("pipeline go-nogo --dt auto --trials 20");
    let steps = found["steps"].as_array().expect("what was compared");
    let last = steps.last().expect("at least one step");
    let taken = if last["taken"] == true {
        last["dt_ms"].clone()
    } else {
        0.05.into()
    };
    assert_eq!(found["dt_ms"], taken);
    assert!(
        steps
            .iter()
            .rev()
            .skip(1)
            .all(|step| step["taken"] == false)
    );
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

/// The same at 200 moments, up to the length that the training was found to
/// have; a minute or two, so that it is asked for by name.
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

/// A search writes the model once, at its end.
#[test]
fn a_killed_search_leaves_the_model_as_it_was_or_with_all_results() {
    let line = "convert go-nogo.mat --lambdas 20:5:75 --trials 2";
    let place = Place::new();
    let before = std::fs::read(place.path("go-nogo.mat")).expect("the model");
    let start = std::time::Instant::now();
    place.json(line);
    let length = start.elapsed();
    let whole = std::fs::read(place.path("go-nogo.mat")).expect("the model");
    assert!(whole != before);
    let (mut unchanged, moments) = (0, 12);
    for moment in 0..moments {
        let place = Place::new();
        let mut killed = Command::new(env!("CARGO_BIN_EXE_rate2spike"))
            .args(line.split(' '))
            .current_dir(place.folder.path())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("the program starts");
        std::thread::sleep(length * moment / moments);
        killed.kill().expect("a process of ours");
        killed.wait().expect("a process of ours");
        let found = std::fs::read(place.path("go-nogo.mat")).expect("the model");
        assert!(found == before || found == whole, "moment {moment}");
        unchanged += usize::from(found == before);
        place.json(&format!("{line} --force"));
        let found = std::fs::read(place.path("go-nogo.mat")).expect("the model");
        assert!(found == whole, "moment {moment}, searched again");
    }
    assert!(unchanged > 2, "{unchanged} of {moments} lie in the search");
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

#[test]
fn a_conversion_is_written_into_the_model_once() {
    let place = Place::new();
    let line = "convert go-nogo.mat --lambdas 20:20:60 --trials 4";
    let report = place.json(line);
    assert_eq!(report["lambdas"], serde_json::json!([20.0, 40.0, 60.0]));
    assert_eq!(report["accuracy"].as_array().map(Vec::len), Some(3));
    assert_eq!(report["trials"], 4);
    let file = read_mat(&place.path("go-nogo.mat")).expect("a model");
    let found = file.scalar("opt_scaling_factor").expect("a number");
    assert_eq!(report["best_lambda"], found);
    assert_eq!(file.vector("all_perfs").expect("numbers").len(), 3);
    assert_eq!(
        file.vector("scaling_factors").expect("numbers"),
        [20.0, 40.0, 60.0]
    );

    place.fails(line, 1, &["go-nogo.mat", "opt_scaling_factor", "--force"]);
    // What a search that crashed leaves behind.
    place.change("opt_scaling_factor", Value::scalar(f64::NAN));
    assert_eq!(place.json(line)["best_lambda"], found);
}

#[test]
fn initial_weights_are_a_control_that_writes_nothing() {
    let place = Place::new();
    let before = place.files();
    let report = place.json("convert go-nogo.mat --lambda 25 --trials 4 --initial-weights");
    assert_eq!(report["written"], false);
    assert_eq!(place.files(), before);
}

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
    let line = "simulate go-nogo.mat --lambda 25 --trials 2 --record-every 500 -o";
    let hashes: Vec<Json> = ["r.mat", "r.npz", "r.csv"]
        .iter()
        .map(|file| place.json(&format!("{line} {file}"))["spike_hash"].clone())
        .collect();
    assert!(hashes.iter().all(|hash| *hash == hashes[0]));

    let mat = read_mat(&place.path("r.mat")).expect("a recording");
    let bytes = std::fs::read(place.path("r.npz")).expect("a recording");
    let mut npz = npyz::npz::NpzArchive::new(std::io::Cursor::new(bytes)).expect("an archive");
    for name in ["spk_unit", "spk_step", "spk_trial", "labels", "v_idx"] {
        let array = npz.by_name(name).expect("an archive").expect(name);
        let values = array.into_vec::<i64>().expect("integers");
        let values: Vec<f64> = values.into_iter().map(|x| x as f64).collect();
        assert_eq!(values, mat.vector(name).expect(name), "{name}");
    }
    for name in ["out", "v", "rs"] {
        let array = npz.by_name(name).expect("an archive").expect(name);
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
fn wrong_options_are_usage_errors_that_say_the_way_out() {
    let place = Place::new();
    for (line, parts) in [
        (
            "train --task tango",
            &["tango", "go-nogo", "xor", "mante"][..],
        ),
        ("train --task xor --act tanh", &["tanh", "softplus"]),
        ("train --task xor --N 0", &["N = 0"]),
        ("train --task xor --P_rec 1.5", &["P_rec = 1.5", "0 to 1"]),
        ("train --task xor --P_inh -0.1", &["P_inh = -0.1"]),
        (
            "train --task xor --decay_taus 20 4",
            &["20", "4", "smaller one first"],
        ),
        ("train --task xor --decay_taus 1", &["one step"]),
        ("train --task xor --decay_taus 0.5 4", &["0.5", "one step"]),
        ("train --task xor --n_trials 0", &["n_trials = 0"]),
        ("train --task xor --seeds 8..1", &["8..1", "FIRST..LAST"]),
        ("train", &["--task"]),
        ("train --mode eval", &["--model"]),
        ("convert go-nogo.mat --trials 0", &["0 trials"]),
        ("convert go-nogo.mat --lambda 0", &["lambda = 0"]),
        (
            "convert go-nogo.mat --lambda -3",
            &["lambda = -3", "positive"],
        ),
        ("convert go-nogo.mat --lambdas 20:0:30", &["positive"]),
        ("convert go-nogo.mat --task mante", &["4", "mante"]),
        (
            "simulate go-nogo.mat",
            &["scaling factor", "convert", "--lambda"],
        ),
        (
            "simulate go-nogo.mat --lambda 25 --dt 0.3",
            &["0.3", "divides 5"],
        ),
        (
            "simulate go-nogo.mat --lambda 25 --dt 1 --scheme euler",
            &["exact"],
        ),
        (
            "simulate go-nogo.mat --lambda 25 --neuron qif --scheme exact",
            &["euler"],
        ),
        (
            "simulate go-nogo.mat --lambda 25 --downsample 0",
            &["at least 1"],
        ),
        (
            "simulate go-nogo.mat --lambda 25 --stimulate exc:1:9:500",
            &["500", "200"],
        ),
        (
            "simulate go-nogo.mat --lambda 25 -o rec.txt",
            &["rec.txt", ".mat"],
        ),
        ("quantize go-nogo.mat", &["--output"]),
        ("pipeline", &["TASK"]),
        (
            "simulate go-nogo.mat --lambda 25 --noise -1",
            &["--noise -1"],
        ),
        ("pipeline go-nogo --dt 7", &["7", "divides 5"]),
        ("dance", &["dance"]),
    ] {
        place.fails(line, 2, parts);
    }
}

#[test]
fn files_that_are_not_there_or_not_ours_are_named() {
    let place = Place::new();
    std::fs::write(place.path("noise.snn"), [7u8; 100]).expect("a writable folder");
    std::fs::write(place.path("text.mat"), "a line of text\n".repeat(20))
        .expect("a writable folder");
    let mut hdf5 = vec![0u8; 600];
    hdf5[512..520].copy_from_slice(b"\x89HDF\r\n\x1a\n");
    std::fs::write(place.path("hdf5.mat"), hdf5).expect("a writable folder");
    for (line, parts) in [
        ("convert none.mat", &["none.mat", "No such file"][..]),
        ("run none.snn", &["none.snn", "No such file"]),
        (
            "run noise.snn",
            &["noise.snn", "not a deployed network", "quantize"],
        ),
        (
            "run go-nogo.mat",
            &["go-nogo.mat", "not a deployed network"],
        ),
        (
            "inspect noise.snn",
            &["noise.snn", "not a deployed network"],
        ),
        ("inspect text.mat", &["text.mat"]),
        ("convert text.mat", &["text.mat"]),
        ("convert hdf5.mat", &["hdf5.mat", "7.3", "save"]),
        ("convert .", &["Is a directory"]),
    ] {
        place.fails(line, 1, parts);
    }
}

#[test]
fn damaged_models_name_the_variable() {
    let ones =
        |rows: usize, columns: usize| Value::matrix(rows, columns, vec![1.0; rows * columns]);
    let mut infinite = vec![0.0; 200 * 200];
    infinite[200 + 2] = f64::INFINITY;
    for (name, value, parts) in [
        ("w", ones(3, 3), &["w is 3 x 3", "200"][..]),
        (
            "w",
            Value::matrix(200, 200, infinite),
            &["w = inf", "row 3, column 2"],
        ),
        ("w_in", ones(100, 1), &["w_in is 100 x 1"]),
        ("w_out", ones(1, 3), &["w_out is 1 x 3"]),
        ("taus", Value::row(vec![f64::NAN]), &["taus"]),
        ("taus_gaus", ones(3, 1), &["taus_gaus is 3 x 1"]),
        (
            "activation",
            Value::text("tanh"),
            &["activation = tanh", "sigmoid"],
        ),
        ("N", Value::scalar(0.0), &["N = 0"]),
        ("N", Value::scalar(2.5), &["N = 2.5"]),
        ("m", ones(200, 200), &[]),
        ("b_out", Value::scalar(f64::NAN), &["b_out"]),
    ] {
        let place = Place::new();
        place.change(name, value);
        // A matrix of ones has a diagonal of ones: all units excitatory.
        if !parts.is_empty() {
            place.fails("convert go-nogo.mat --lambda 25 --trials 1", 1, parts);
            place.fails("quantize go-nogo.mat -o net.snn", 1, parts);
        }
    }
}

#[test]
fn a_cut_or_changed_file_is_refused_wherever_it_was_cut_or_changed() {
    let place = Place::new();
    place.json("quantize go-nogo.mat -o net.snn --lambda 25 --trials 2");
    for name in ["net.snn", "go-nogo.mat"] {
        let whole = std::fs::read(place.path(name)).expect("a file");
        for part in [0, 1, 15, 100, whole.len() / 2, whole.len() - 1] {
            let cut = format!("cut-{name}");
            std::fs::write(place.path(&cut), &whole[..part]).expect("a writable folder");
            let command = if name.ends_with("snn") {
                "run"
            } else {
                "convert"
            };
            place.fails(&format!("{command} {cut}"), 1, &[&cut]);
        }
    }
    let whole = std::fs::read(place.path("net.snn")).expect("a file");
    for byte in (0..whole.len()).step_by(whole.len() / 40) {
        let mut changed = whole.clone();
        changed[byte] ^= 0x10;
        std::fs::write(place.path("changed.snn"), changed).expect("a writable folder");
        place.fails("run changed.snn --trials 1", 1, &["changed.snn"]);
    }
}

#[test]
fn a_place_that_cannot_be_written_is_found_before_the_work() {
    let place = Place::new();
    std::fs::write(place.path("file"), "in the way").expect("a writable folder");
    for line in [
        "train --task xor --output_dir file/models",
        "pipeline xor --output_dir file/models",
        "quantize go-nogo.mat --lambda 25 -o file/net.snn",
        "simulate go-nogo.mat --lambda 25 -o file/rec.mat",
    ] {
        place.fails(line, 1, &["file", "cannot write", "nothing was changed"]);
    }
}

#[test]
fn an_export_says_what_the_target_cannot_take_and_writes_its_files() {
    let place = Place::new();
    for (format, files, lost) in [
        ("nir -o net.nir", &["net.nir"][..], "refractory time"),
        (
            "nest -o net.py",
            &["net.py", "net.npz"][..],
            "membrane noise",
        ),
    ] {
        let report = place.json(&format!("export go-nogo.mat --lambda 25 --to {format}"));
        assert_eq!(report["files"], serde_json::json!(files));
        for file in files {
            assert!(place.path(file).is_file(), "{file}");
        }
        let fidelity = report["fidelity"].as_array().expect("a list");
        let line = fidelity.iter().find(|line| line["property"] == lost);
        assert_eq!(line.expect(lost)["degree"], "unsupported");
    }
    let usage = "export go-nogo.mat --lambda 25 --to brian2 -o net.txt";
    place.fails(usage, 2, &["net.txt", ".py"]);
    for command in ["inspect net.nir", "quantize net.nir -o net.snn"] {
        place.fails(command, 1, &["net.nir", "a NIR graph", "rate model"]);
    }
}

#[test]
fn an_exported_graph_comes_back_with_the_spikes_of_the_model() {
    let place = Place::new();
    place.json("export go-nogo.mat --lambda 25 --to nir -o net.nir");
    let model = place.json("quantize go-nogo.mat --lambda 25 -o model.snn");
    let graph = place.json("import net.nir --task go-nogo -o graph.snn --noise 0.1 --start 30");
    assert_eq!(graph["spike_hash"], model["spike_hash"]);
    assert_eq!(graph["after"], model["after"]);
    assert_eq!(graph["units"], 200);
    let run = place.json("run graph.snn");
    assert_eq!(run["spike_hash"], model["spike_hash"]);
    let fidelity = graph["fidelity"].as_array().expect("a list");
    let unsupported = fidelity
        .iter()
        .filter(|line| line["degree"] == "unsupported");
    assert_eq!(unsupported.count(), 4, "{fidelity:?}");

    for (line, status, parts) in [
        (
            "import net.nir --task mante -o n.snn",
            2,
            &["net.nir", "1 inputs", "mante has 4"][..],
        ),
        (
            "import go-nogo.mat --task go-nogo -o n.snn",
            1,
            &["go-nogo.mat", "HDF5"],
        ),
        (
            "import no.nir --task go-nogo -o n.snn",
            1,
            &["no.nir", "cannot read"],
        ),
        (
            "import net.nir --task go-nogo -o n.snn --start 200",
            2,
            &["--start 200", "100"],
        ),
        (
            "import net.nir --task go-nogo -o n.snn --synapse 0",
            2,
            &["--synapse 0", "above 0"],
        ),
    ] {
        place.fails(line, status, parts);
    }
    for command in ["inspect net.nir", "quantize net.nir -o n.snn"] {
        place.fails(command, 1, &["rate2spike import"]);
    }
}

#[test]
fn an_oscillation_has_trials_without_input_and_goes_all_the_way() {
    let place = Place::new();
    let trials = place.json("trials oscillation -o t.npz --trials 3");
    assert_eq!(trials["samples"], 500);
    // Two updates train nothing: this is about the way.
    let line = "pipeline oscillation --N 20 --n_trials 2 --trials 4 --act sigmoid --lambdas 50";
    let report = place.json(line);
    assert!(report["deployed"]["strict"].is_number(), "{report}");
    let network = report["files"]["network"].as_str().expect("a path");
    let run = place.json(&format!("run {network} --trials 4"));
    assert_eq!(run["task"], "oscillation");
    assert_eq!(run["spike_hash"], report["spike_hash"]);
}

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

/// Two pulses of the same sign, or not.
const SAME_SIGN: &str = "
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
fn a_task_of_the_users_own_goes_all_the_way() {
    let place = Place::new();
    std::fs::write(place.path("same.toml"), SAME_SIGN).expect("a writable folder");
    let report = place.json("pipeline same.toml --N 20 --n_trials 3 --trials 8 --report");
    let page = report["files"]["report"].as_str().expect("a page");
    let page = std::fs::read_to_string(place.path(page)).expect("a page");
    assert!(
        page.contains("train --task same-sign.toml")
            && page.contains(".snn --trials 8 --seed 1 --task same-sign.toml")
    );
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
    place.fails(
        &format!("run {network} --task xor"),
        1,
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
fn a_perturbed_network_spikes_otherwise_and_a_silenced_unit_not_at_all() {
    let place = Place::new();
    // Of four trials some are Go: in No-Go ones most units are silent.
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
    let bytes = std::fs::read(place.path("r.npz")).expect("a recording");
    let mut npz = npyz::npz::NpzArchive::new(std::io::Cursor::new(bytes)).expect("an archive");
    let units = npz.by_name("spk_unit").expect("an archive").expect("units");
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
fn a_deployed_network_is_perturbed_as_far_as_its_bits_allow() {
    let place = Place::new();
    place.json("quantize go-nogo.mat --lambda 25 -o net.snn --trials 1");
    let score = |extra: &str| place.json(&format!("run net.snn --trials 20 {extra}"));
    let plain = score("");
    assert_eq!(score("--scale ee:1")["spike_hash"], plain["spike_hash"]);
    let cut = score("--scale ie:0 --scale ii:0");
    assert!(
        cut["mean_rate_hz"].as_f64() > plain["mean_rate_hz"].as_f64(),
        "without inhibition more spikes: {cut}"
    );
    assert_ne!(score("--silence 1-40")["spike_hash"], plain["spike_hash"]);
    for (extra, part) in [
        ("--shuffle", "simulate"),
        ("--scale ee:2", "0 to 1"),
        ("--silence 201", "200 units"),
        ("--no-autapses --on tcp:localhost:1", "--on"),
    ] {
        place.fails(&format!("run net.snn {extra}"), 2, &[part]);
    }
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
    // It leaves check points and goes on from them like any other.
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

#[test]
fn shells_and_manuals_know_the_commands() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish"] {
        let output = place.run(&format!("completions {shell}"));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        for part in ["rate2spike", "quantize", "no-autapses"] {
            assert!(text.contains(part), "{shell}: no {part}");
        }
    }
    let pages = place.json("man -o pages")["pages"].clone();
    let pages = pages.as_array().expect("pages").len();
    assert!(pages > 10, "{pages}");
    let page = std::fs::read_to_string(place.path("pages/rate2spike-train.1")).expect("a page");
    assert!(
        page.contains("decay_taus") && page.contains("Example:"),
        "{page}"
    );
}

#[test]
fn trials_are_written_as_arrays() {
    let place = Place::new();
    let report = place.json("trials delayed-match -o t.npz --trials 5 --seed 2");
    assert_eq!(
        (&report["channels"], &report["samples"]),
        (&2.into(), &440.into())
    );
    let bytes = std::fs::read(place.path("t.npz")).expect("trials");
    let mut npz = npyz::npz::NpzArchive::new(std::io::Cursor::new(bytes)).expect("an archive");
    let mut shape = |name: &str| {
        npz.by_name(name)
            .expect("an archive")
            .expect(name)
            .shape()
            .to_vec()
    };
    assert_eq!(shape("input"), [5, 2, 440]);
    assert_eq!(shape("target"), [5, 440]);
    assert_eq!(shape("label"), [5]);
    place.fails("trials xor -o t.mat", 2, &["t.mat", ".npz"]);
}

#[test]
fn inspect_explains_every_kind_of_file() {
    let place = Place::new();
    place.json("quantize go-nogo.mat -o net.snn --lambda 25 --trials 2");
    let model = place.json("inspect go-nogo.mat");
    assert_eq!(
        (&model["kind"], &model["units"]),
        (&"rate model".into(), &200.into())
    );
    assert_eq!(model["task"], "go-nogo");
    let network = place.json("inspect net.snn");
    assert_eq!(network["kind"], "deployed network");
    assert_eq!(network["self-test"], "passed");
    place.json("simulate go-nogo.mat --lambda 25 -o rec.mat");
    assert_eq!(place.json("inspect rec.mat")["kind"], "MAT-file");
}
