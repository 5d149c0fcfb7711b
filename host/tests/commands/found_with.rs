//! A model carries what its λ was found with, and later commands use that.

use rate2spike::formats::mat::Value;
use rate2spike::formats::rate_model::{read_mat, write_mat};

use crate::place::Place;

/// What a command says on stderr.
fn said(place: &Place, line: &str) -> String {
    let output = place.run(line);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{line}: {said}");
    said
}

#[test]
fn the_neuron_of_the_conversion_is_the_default_of_later_commands() {
    let place = Place::new();
    let flags = "--neuron qif --noise 5 --refractory 8";
    place.json(&format!(
        "convert go-nogo.mat --lambdas 25 --trials 2 {flags}"
    ));
    let hash =
        |flags: &str| place.json(&format!("simulate go-nogo.mat {flags}"))["spike_hash"].clone();
    assert_eq!(hash(""), hash(flags));
    assert_ne!(hash(""), hash("--neuron lif --noise 0.1 --refractory 2"));
    assert_eq!(said(&place, "simulate go-nogo.mat"), "");
    let other = said(&place, "simulate go-nogo.mat --noise 1");
    for part in [
        "warning",
        "found with --neuron qif",
        "--noise 5",
        "--noise 1",
        "--force",
    ] {
        assert!(other.contains(part), "{other}");
    }
    let report = place.json("simulate go-nogo.mat --noise 1");
    let warning = report["warnings"][0].as_str().expect("a warning");
    assert!(other.contains(warning), "{warning}");
    place.fails(
        "quantize go-nogo.mat -o net.snn --trials 1",
        1,
        &["go-nogo.mat", "quadratic", "leaky"],
    );
}

#[test]
fn the_step_of_the_conversion_is_that_of_a_simulation_and_compared_with_another() {
    let place = Place::new();
    place.json("convert go-nogo.mat --lambdas 25 --trials 2 --dt 0.5");
    let hash =
        |flags: &str| place.json(&format!("simulate go-nogo.mat {flags}"))["spike_hash"].clone();
    assert_eq!(hash(""), hash("--dt 0.5"));
    assert_ne!(hash(""), hash("--dt 0.05"));
    assert_eq!(hash("--lambda 25"), hash("--dt 0.05"));
    assert_eq!(said(&place, "simulate go-nogo.mat"), "");
    assert_eq!(said(&place, "simulate go-nogo.mat --lambda 25"), "");
    let report = place.json("simulate go-nogo.mat --dt 0.1 --scheme euler");
    let warning = report["warnings"][0].as_str().expect("a warning");
    for part in [
        "found with steps of 0.5 ms (exact)",
        "0.1 ms (euler)",
        "--force",
    ] {
        assert!(warning.contains(part), "{warning}");
    }
    // The published step is the default of both.
    place.json("convert go-nogo.mat --lambdas 25 --trials 2 --force");
    assert_eq!(said(&place, "simulate go-nogo.mat"), "");
    assert_ne!(said(&place, "simulate go-nogo.mat --downsample 4"), "");
    place.json("convert go-nogo.mat --lambdas 25 --trials 2 --force --downsample 4");
    assert_eq!(hash(""), hash("--downsample 4"));
    place.fails(
        "simulate go-nogo.mat --plot a.svg",
        2,
        &["--plot", "--downsample"],
    );
}

#[test]
fn a_calibration_is_made_for_its_step() {
    let place = Place::new();
    let calibrated = |flags: &str| {
        place.json(&format!(
            "convert go-nogo.mat --calibrate --trials 4 --force {flags}"
        ));
        let file = read_mat(&place.path("go-nogo.mat")).expect("a model");
        file.get("unit_calibration").expect("a calibration").clone()
    };
    let published = calibrated("");
    assert_eq!(calibrated("--dt 0.05"), published);
    assert_ne!(calibrated("--dt 1"), published);

    // The network is deployed with the same step, or with a warning whose advice can be followed.
    let deployed = |flags: &str| {
        let line = format!("quantize go-nogo.mat -o net.snn --trials 1 {flags}");
        place.json(&line)["warnings"].to_string()
    };
    let advice = "convert --force --calibrate --dt 0.1 --scheme exact";
    assert!(!deployed("--dt 1").contains("it was calibrated with steps of 1 ms"));
    let warning = deployed("");
    assert!(
        warning.contains("it was calibrated with steps of 1 ms"),
        "{warning}"
    );
    assert!(warning.contains(advice), "{warning}");
    calibrated("--dt 0.1 --scheme exact");
    assert!(!deployed("").contains("it was calibrated"));
}

#[test]
fn a_search_and_a_simulation_downsample_alike() {
    let place = Place::new();
    for every in [3, 10] {
        let flags = format!("--lambda 25 --trials 40 --downsample {every}");
        let searched = place.json(&format!("convert go-nogo.mat {flags}"));
        let simulated = place.json(&format!("simulate go-nogo.mat --arithmetic f32 {flags}"));
        let number = |value: &serde_json::Value| value.as_f64().expect("a number");
        let rates = [&searched["mean_rate_hz"][0], &simulated["mean_rate_hz"]].map(number);
        assert!((rates[0] / rates[1] - 1.0).abs() < 0.03, "{rates:?}");
        let right = [&searched["accuracy"][0], &simulated["accuracy"]].map(number);
        assert!((right[0] - right[1]).abs() < 0.1, "{right:?}");
    }
}

#[test]
fn a_deployed_network_has_the_neuron_of_the_conversion() {
    let place = Place::new();
    let flags = "--filter single --noise 5 --refractory 8";
    place.json(&format!(
        "convert go-nogo.mat --lambdas 25 --trials 2 {flags}"
    ));
    let hash = |flags: &str| {
        let line = format!("quantize go-nogo.mat -o net.snn --trials 1 {flags}");
        place.json(&line)["spike_hash"].clone()
    };
    assert_eq!(hash(""), hash(flags));
    let network = place.json("inspect net.snn");
    assert_eq!(network["filter"], "single");
    assert_eq!(network["refractory (ms)"], 8.0);
    assert_ne!(hash(""), hash("--noise 0.1"));
}

#[test]
fn a_calibration_keeps_its_lambda_under_another_name_and_is_found_by_its_first_digits() {
    let place = Place::new();
    let found = place.json("convert go-nogo.mat --calibrate --trials 4");
    let lambda = found["lambda"].as_f64().expect("a number");
    let path = place.path("go-nogo.mat");
    let mut file = read_mat(&path).expect("a model");
    assert!(file.get("opt_scaling_factor").is_err());
    assert_eq!(
        file.scalar("median_scaling_factor").expect("a number"),
        lambda
    );
    let hash = |flags: &str| {
        let line = format!("quantize go-nogo.mat -o net.snn --trials 1 {flags}");
        place.json(&line)["spike_hash"].clone()
    };
    let calibrated = hash("");
    assert_eq!(hash(&format!("--lambda {lambda:.0}")), calibrated);
    assert_eq!(hash(&format!("--lambda {lambda:.3}")), calibrated);
    assert_ne!(hash("--lambda 25"), calibrated);
    let other = said(
        &place,
        "quantize go-nogo.mat -o net.snn --trials 1 --lambda 25",
    );
    assert!(other.contains("leave --lambda out"), "{other}");

    // A file of an earlier version has the median under the published name.
    let median = file.get("median_scaling_factor").expect("a number").clone();
    file.remove("median_scaling_factor");
    file.insert("opt_scaling_factor", median);
    write_mat(&path, &file).expect("a writable folder");
    assert_eq!(hash(""), calibrated);
}

#[test]
fn flags_of_a_conversion_that_cannot_be_read_are_named_and_not_ignored() {
    let place = Place::new();
    place.json("convert go-nogo.mat --lambdas 25 --trials 2");
    let rest = "--trials 2 --seed 1";
    for (flags, word) in [
        ("--neuron qif".to_string(), "without --seed"),
        (format!("--noise nan {rest}"), "--noise nan"),
        (format!("--noise=-3 {rest}"), "--noise -3"),
        (format!("--neuron foo {rest}"), "--neuron foo"),
        ("rm -rf /".to_string(), "rm"),
    ] {
        place.change("conversion_flags", Value::text(&flags));
        let parts = [
            "go-nogo.mat",
            "conversion_flags",
            word,
            "convert --force",
            "--lambda",
        ];
        for line in [
            "inspect go-nogo.mat",
            "simulate go-nogo.mat",
            "quantize go-nogo.mat -o net.snn",
            "export go-nogo.mat --to nir -o net.nir",
            "report go-nogo.mat",
        ] {
            place.fails(line, 1, &parts);
        }
    }
    let known = said(&place, "simulate go-nogo.mat --lambda 25 --trials 1");
    assert!(
        known.contains("rm") && known.contains("--neuron lif"),
        "{known}"
    );
    // A value behind an equals sign is a value.
    let joined = format!("--noise=5 --neuron=qif {rest}");
    place.change("conversion_flags", Value::text(&joined));
    let hash =
        |flags: &str| place.json(&format!("simulate go-nogo.mat {flags}"))["spike_hash"].clone();
    assert_eq!(hash(""), hash("--neuron qif --noise 5"));
    assert_ne!(hash(""), hash("--neuron lif --noise 5"));
    // The advice can be followed.
    place.change("conversion_flags", Value::text("rm -rf /"));
    place.json("convert go-nogo.mat --force --lambdas 25 --trials 2");
    assert_eq!(said(&place, "simulate go-nogo.mat"), "");
}
