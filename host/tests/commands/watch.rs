//! `watch`: trials in a terminal.

use crate::place::Place;

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
