//! `convert`: search, calibration, refit.

use std::process::Command;

use rate2spike::formats::mat::Value;
use rate2spike::formats::rate_model::{read_mat, write_mat};

use crate::data::with_classifier;
use crate::place::Place;

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
fn a_refitted_readout_is_used_at_its_own_lambda() {
    let place = Place::new();
    let found = place.json("convert go-nogo.mat --lambdas 35 --trials 100 --refit-readout 60");
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
    let warning = "belongs to lambda 35, and not to 30: it is not used; leave --lambda out";
    assert!(messages.contains(warning), "{messages}");

    // A later search without a refit leaves no readout of another λ behind.
    place.run("convert go-nogo.mat --lambdas 35 --trials 10 --force");
    assert_eq!(scored(&place), scored(&Place::new()));
}

#[test]
fn the_fitted_readout_of_several_outputs_is_used_with_a_lambda_and_with_a_calibration() {
    let place = with_classifier();
    for mode in ["--lambdas 50", "--calibrate"] {
        let line = format!("convert waves.mat --task waves {mode} --trials 12 --force");
        place.json(&line);
        let score = |key: &str| {
            let report = place.json("quantize waves.mat --task waves -o net.snn --trials 12");
            report[key]["accuracy"].as_f64().expect("a share")
        };
        let (spiking, fixed) = (score("before"), score("after"));
        // A readout of nothing: every fit is better.
        let path = place.path("waves.mat");
        let mut file = read_mat(&path).expect("the model");
        let (rows, columns, _) = file.matrix("w_out").expect("a readout");
        assert_eq!((rows, columns), (3, 12));
        let w_out = file.get("w_out").expect("a readout").clone();
        file.insert("w_out", Value::matrix(3, 12, vec![0.0; 36]));
        write_mat(&path, &file).expect("the model");
        let found = place.json(&format!("{line} --refit-readout"));
        assert_eq!(found["refit"]["kept"], true, "{found}");
        let mut file = read_mat(&path).expect("the model");
        let (rows, columns, _) = file.matrix("w_out_spiking").expect("a readout");
        assert_eq!((rows, columns), (3, 12));
        assert_eq!(file.vector("b_out_spiking").map(|b| b.len()), Ok(3));
        assert!(score("before") >= spiking - 0.2, "{mode}: {spiking}");
        assert!(score("after") >= fixed - 0.2, "{mode}: {fixed}");
        // A readout of another size is refused, and not read.
        file.insert("w_out_spiking", Value::matrix(1, 12, vec![0.0; 12]));
        write_mat(&path, &file).expect("the model");
        let parts = ["w_out_spiking is 1 x 12", "3 x 12"];
        place.fails("quantize waves.mat --task waves -o net.snn", 1, &parts);
        // Without --refit-readout nothing stays of it.
        file.insert("w_out", w_out);
        write_mat(&path, &file).expect("the model");
        place.json(&line);
        let file = read_mat(&path).expect("the model");
        assert!(file.get("w_out_spiking").is_err() && file.get("b_out_spiking").is_err());
    }
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
    let median = found["lambda"].as_f64().expect("a number");
    let warning = format!("belongs to lambda {}", median.trunc());
    assert!(messages.contains(&warning), "{messages}");
    assert!(messages.contains("and not to 25"), "{messages}");
    // The median as the messages print it stands for the calibration.
    for rounded in [format!("{median:.0}"), format!("{median:.3}")] {
        let given = accuracy(&place, &format!("--lambda {rounded}"));
        assert_eq!(given, calibrated, "{rounded}");
    }

    // A later search leaves no calibration behind.
    place.run("convert go-nogo.mat --lambdas 25 --trials 10 --force");
    assert_eq!(accuracy(&place, "--lambda 25"), searched);
    place.fails(
        "convert go-nogo.mat --calibrate --neuron qif --force",
        1,
        &["go-nogo.mat", "quadratic", "leaky"],
    );
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
    // A search that crashed leaves NaN behind.
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
fn one_lambda_is_scored_and_not_written() {
    let place = Place::new();
    let before = place.files();
    let report = place.json("convert go-nogo.mat --lambda 75 --trials 4");
    assert_eq!(report["written"], false);
    assert_eq!(report["lambdas"], serde_json::json!([75.0]));
    assert_eq!(place.files(), before);
    // The list with this one value writes it.
    let report = place.json("convert go-nogo.mat --lambdas 75 --trials 4");
    assert_eq!(report["written"], true);
    let file = read_mat(&place.path("go-nogo.mat")).expect("a model");
    assert_eq!(file.scalar("opt_scaling_factor"), Ok(75.0));
}

#[test]
fn a_flag_of_another_mode_is_a_usage_error() {
    let place = Place::new();
    for (line, parts) in [
        (
            "--calibrate --plot a.svg",
            ["--plot belongs to a search", "--calibrate"],
        ),
        (
            "--lambda 30 --refit-readout",
            [
                "--refit-readout belongs to a search or --calibrate",
                "--lambdas 30",
            ],
        ),
        (
            "--calibrate --lambdas 20,30",
            ["--lambdas belongs to", "--calibrate"],
        ),
        (
            "--lambda 30 --race",
            ["--race belongs to a search", "--lambdas 30"],
        ),
        (
            "--lambda 30 --force",
            ["--force belongs to a search", "--lambdas 30"],
        ),
    ] {
        place.fails(&format!("convert go-nogo.mat {line}"), 2, &parts);
    }
}

/// The weights are those of a network of the logistic function; only the default
/// candidates are of interest.
#[test]
fn default_candidates_follow_the_activation_and_lif_keeps_its_own() {
    for (activation, wanted) in [("lif", vec![50.0]), ("softplus", vec![4.0, 26.0])] {
        let place = Place::new();
        place.change("activation", Value::text(activation));
        let report = place.json("convert go-nogo.mat --trials 1 --dry-run");
        let lambdas = report["lambdas"].as_array().expect("candidates");
        let ends = [lambdas.first(), lambdas.last()].map(|end| end.and_then(|x| x.as_f64()));
        assert_eq!(ends[0], wanted.first().copied(), "{activation}");
        assert_eq!(ends[1], wanted.last().copied(), "{activation}");
    }
}

#[test]
fn a_tie_is_broken_by_the_output_and_said_so() {
    let place = Place::new();
    let report = place.json("convert go-nogo.mat --lambdas 20:5:60 --trials 3 --dry-run");
    let numbers = |key: &str| -> Vec<f64> {
        let numbers = report[key].as_array().expect("numbers");
        numbers.iter().filter_map(|x| x.as_f64()).collect()
    };
    let (lambdas, accuracy) = (numbers("lambdas"), numbers("accuracy"));
    let (errors, most) = (
        numbers("output_error"),
        accuracy.iter().copied().fold(0.0, f64::max),
    );
    let tied = (0..lambdas.len()).filter(|&k| accuracy[k] == most);
    let closest = tied
        .min_by(|&a, &b| errors[a].total_cmp(&errors[b]))
        .expect("a candidate");
    assert_eq!(report["best_lambda"], lambdas[closest]);
    let words = place.run("convert go-nogo.mat --lambdas 20:5:60 --trials 3 --dry-run");
    let words = String::from_utf8_lossy(&words.stdout).into_owned();
    assert!(words.contains("closest to the target"), "{words}");
}

#[test]
fn a_calibrated_network_keeps_the_offset_of_its_output_where_it_is_right_more_often() {
    let place = Place::new();
    let read = |name: &str| {
        let model = read_mat(&place.path("go-nogo.mat")).expect("the model");
        model.matrix(name).map(|(_, _, values)| values)
    };
    // The output of half the size lies between 0.25 and 0.75.
    let half = read("w_out")
        .expect("a readout")
        .iter()
        .map(|w| w / 2.0)
        .collect();
    place.change("w_out", Value::row::<f64>(half));
    place.change("b_out", Value::scalar(0.25));
    let found = place.json("convert go-nogo.mat --calibrate --trials 40");
    assert_eq!(found["keeps_b_out"], true);
    assert_eq!(read("keeps_b_out").expect("it is there"), [1.0]);
    let fresh = found["fresh"]["strict"].as_f64().expect("a share");
    let line = "simulate go-nogo.mat --trials 100 --seed 9";
    let with = place.json(line)["strict"].as_f64().expect("a share");
    place.change("keeps_b_out", Value::scalar(0.0));
    let without = place.json(line)["strict"].as_f64().expect("a share");
    assert!(with > without + 0.2, "{fresh} {with} {without}");
    // A search has no such choice, and removes it.
    place.run("convert go-nogo.mat --lambdas 25 --trials 2 --force");
    assert!(read("keeps_b_out").is_err());
}
