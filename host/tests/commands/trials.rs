//! `trials`: trials as arrays.

use crate::data::write_folder;
use crate::place::Place;

fn shape(place: &Place, name: &str) -> Vec<u64> {
    place.array("t.npz", name).shape().to_vec()
}

#[test]
fn the_targets_of_several_outputs_have_an_axis_for_them() {
    let place = Place::new();
    write_folder(&place, "waves", 6);
    let settings = "sample_ms = 20\ntime_column = \"t\"\n";
    std::fs::write(place.path("waves.toml"), settings).expect("a file");
    let report = place.json("trials waves -o t.npz --trials 4");
    let samples = report["samples"].as_u64().expect("a number");
    assert_eq!(shape(&place, "input"), [4, 2, samples]);
    assert_eq!(shape(&place, "target"), [4, 3, samples]);
}

#[test]
fn trials_are_written_as_arrays() {
    let place = Place::new();
    let report = place.json("trials delayed-match -o t.npz --trials 5 --seed 2");
    assert_eq!(
        (&report["channels"], &report["samples"]),
        (&2.into(), &440.into())
    );
    assert_eq!(shape(&place, "input"), [5, 2, 440]);
    assert_eq!(shape(&place, "target"), [5, 440]);
    assert_eq!(shape(&place, "label"), [5]);
    place.fails("trials xor -o t.mat", 2, &["t.mat", ".npz"]);
}
