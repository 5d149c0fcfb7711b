//! `run`: a deployed network.

use crate::place::Place;

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
    // The spikes of silenced units are not counted, the same as in simulate.
    let all = score("--silence 1-200");
    assert_eq!(all["mean_rate_hz"], 0.0);
    for (extra, part) in [
        ("--shuffle", "simulate"),
        ("--scale ee:2", "0 to 1"),
        ("--silence 201", "200 units"),
        ("--no-autapses --on tcp:localhost:1", "--on"),
    ] {
        place.fails(&format!("run net.snn {extra}"), 2, &[part]);
    }
}
