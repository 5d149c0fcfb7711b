//! `trials`: trials as arrays.

use crate::place::Place;

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
