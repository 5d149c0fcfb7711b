//! A user's own task, through all commands.

use crate::place::Place;

/// Two pulses of the same sign, or not.
pub const SAME_SIGN: &str = "
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
        page.contains("train --task again/same-sign.toml")
            && page.contains(".snn --trials 8 --seed 1 --task again/same-sign.toml")
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
