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

#[test]
fn a_pipeline_in_f32_ends_with_the_network_that_quantize_makes() {
    let place = Place::new();
    let line = "pipeline xor --N 20 --n_trials 3 --trials 10 --seed 3 --arithmetic f32";
    let report = place.json(line);
    assert_eq!(report["arithmetic"], "f32");
    let file = |name: &str| report["files"][name].as_str().expect("a path");
    let model = file("model");
    let line = format!("quantize {model} --arithmetic f32 --trials 10 --seed 3 -o f32.snn");
    let quantized = place.json(&line);
    let bytes = |name: &str| std::fs::read(place.path(name)).expect("a network");
    assert_eq!(bytes(file("network")), bytes("f32.snn"));
    assert_eq!(report["spike_hash"], quantized["spike_hash"]);
    assert_eq!(
        report["deployed"]["accuracy"],
        quantized["after"]["accuracy"]
    );

    let line = "pipeline xor --N 20 --n_trials 3 --trials 10 -o text";
    for (flag, numbers) in [("", "fixed point"), (" --arithmetic f32", "f32")] {
        let output = place.run(&format!("{line}{flag}"));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let row = format!("deployed network, {numbers}, 0.1 ms");
        assert!(text.contains(&row), "{text}");
    }
}

#[test]
fn what_fixed_point_cannot_hold_goes_all_the_way_in_f32() {
    let place = Place::new();
    let line = "pipeline xor --N 10 --n_trials 2 --trials 4 --dt auto";
    for (option, refused) in [("--noise 1000", "--noise 1000"), ("--taus 200", "--dt")] {
        place.fails(&format!("{line} {option}"), 2, &[refused]);
        let report = place.json(&format!("{line} {option} --arithmetic f32"));
        let steps = report["steps"].as_array().expect("what was compared");
        assert!(steps.iter().all(|step| step["trials"] != 0), "{steps:?}");
        assert!(report["deployed"]["accuracy"].is_number(), "{report}");
    }
}

#[test]
fn a_pipeline_says_why_it_calibrates_and_when_no_try_is_good_enough() {
    let place = Place::new();
    let said = |options: &str| {
        let output = place.run(&format!("pipeline go-nogo --N 10 {options}"));
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        (text(&output.stdout), text(&output.stderr))
    };
    let needed = "calibrated               because its accuracy with lambda 50 was 0.";
    let too_few = "no try gave a deployed network that is right in 97 %";
    for (seed, is_good) in [(1, false), (3, true)] {
        let options =
            format!("--n_trials 400 --settle 600 --input_gain 1 --trials 20 --seed {seed}");
        let (result, warnings) = said(&options);
        assert!(result.contains(needed), "{result}");
        assert!(result.contains("in 20 trials, less than 0.970"), "{result}");
        assert_eq!(!warnings.contains(too_few), is_good, "{warnings}");
    }
    // Without a network that meets the criterion there is no try.
    let (result, warnings) = said("--n_trials 2 --trials 4 --calibrate");
    assert!(
        result.contains("calibrated               because --calibrate asks for it"),
        "{result}"
    );
    assert!(!warnings.contains(too_few), "{warnings}");
}
