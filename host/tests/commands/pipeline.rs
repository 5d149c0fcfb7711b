//! `pipeline`: from a task to a deployed network.

use crate::place::Place;

#[test]
fn the_pipeline_prints_what_scripts_rely_on() {
    let place = Place::new();
    // Three updates train nothing; the test is about the names.
    let report = place.json("pipeline go-nogo --N 30 --n_trials 3 --trials 10 --seed 3");
    for form in ["rate", "spiking", "deployed"] {
        for score in ["accuracy", "strict"] {
            assert!(report[form][score].is_number(), "{form} {score}: {report}");
        }
    }
    assert!(report["lambda"].is_number() && report["mean_rate_hz"].is_number());
    // A calibration would not help this network; it gets one only on request.
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

    // The network read from its file gives the same score.
    let again = place.json(&format!("run {network} --trials 10 --seed 3"));
    assert_eq!(again["spike_hash"], report["spike_hash"]);
    assert_eq!(again["accuracy"], report["deployed"]["accuracy"]);
    assert_eq!(again["trials"], 10);
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
    let model = found["files"]["model"].as_str().expect("a path");
    let line = format!("quantize {model} --arithmetic f32 --dt auto --trials 20 -o f32.snn");
    let floating = place.json(&line);
    let steps = floating["steps"].as_array().expect("what was compared");
    let taken = steps.iter().find(|step| step["taken"] == true);
    assert_eq!(floating["dt_ms"], taken.expect("a step")["dt_ms"]);
    // The network in the file has the step and the numbers that were asked for.
    let run = place.json("run f32.snn --trials 20");
    assert_eq!(run["spike_hash"], floating["spike_hash"]);
}

#[test]
fn an_oscillation_has_trials_without_input_and_goes_all_the_way() {
    let place = Place::new();
    let trials = place.json("trials oscillation -o t.npz --trials 3");
    assert_eq!(trials["samples"], 500);
    // Two updates train nothing; the test is about the commands.
    let line = "pipeline oscillation --N 20 --n_trials 2 --trials 4 --act sigmoid --lambdas 50";
    let report = place.json(line);
    assert!(report["deployed"]["strict"].is_number(), "{report}");
    let network = report["files"]["network"].as_str().expect("a path");
    let run = place.json(&format!("run {network} --trials 4"));
    assert_eq!(run["task"], "oscillation");
    assert_eq!(run["spike_hash"], report["spike_hash"]);
}
