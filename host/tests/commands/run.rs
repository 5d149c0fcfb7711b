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

#[test]
fn a_recording_is_read_before_the_board_is_called() {
    let place = Place::new();
    place.json("quantize go-nogo.mat --lambda 25 -o net.snn --trials 1");
    let run = "run net.snn --on tcp:127.0.0.1:1 --input own.csv";
    let rows = "0\n".repeat(200);
    for (text, parts) in [
        (
            format!("{rows}nan\n"),
            &["own.csv, line 201, column 1: NaN", "not finite"][..],
        ),
        (
            format!("x\n{rows}inf\n"),
            &["line 202, column 1: inf", "not finite"],
        ),
        (
            format!("{rows}1e30\n"),
            &["line 201, column 1", "-8 to 7.999756"],
        ),
        (
            format!("{rows}\n{rows}"),
            &["own.csv, line 201: the line is empty"],
        ),
        (
            "1,2\n".into(),
            &["has 2 columns, but the network takes 1 channel;"],
        ),
        ("x\n".into(), &["no number", "write a line of numbers"]),
        // These are good, so that the port is opened; nothing listens there.
        (
            rows.repeat(2) + "0\n",
            &[
                "warning: own.csv: 401 rows, 200 a trial: 2 trials, the last row is not run",
                "tcp:127.0.0.1:1",
            ],
        ),
        (
            "0\n".into(),
            &["own.csv: 1 row, 200 a trial: 1 trial, with silence behind the rows"],
        ),
    ] {
        std::fs::write(place.path("own.csv"), text).expect("a file");
        place.fails(run, 1, parts);
    }
    for flag in ["trials", "seed"] {
        place.fails(&format!("{run} --{flag} 3"), 2, &["--input", flag]);
    }
    place.fails(
        &format!("{run} -o own.csv"),
        2,
        &["-o", "own.csv", "--input"],
    );
    place.fails("run net.snn -o own.csv", 2, &["--input"]);
}
