//! `inspect`: what a file holds.

use crate::place::Place;

#[test]
fn inspect_explains_every_kind_of_file() {
    let place = Place::new();
    place.json("quantize go-nogo.mat -o net.snn --lambda 25 --trials 2");
    let model = place.json("inspect go-nogo.mat");
    assert_eq!(
        (&model["kind"], &model["units"]),
        (&"rate model".into(), &200.into())
    );
    assert_eq!(model["task"], "go-nogo");
    let trained = place.json("train --task xor --N 10 --n_trials 3");
    let path = trained["model"].as_str().expect("a path");
    let inspected = place.json(&format!("inspect {path}"));
    assert_eq!(trained["updates"], 3);
    assert_eq!(inspected["updates"], trained["updates"]);
    let network = place.json("inspect net.snn");
    assert_eq!(network["kind"], "deployed network");
    assert_eq!(network["self-test"], "passed");
    place.json("simulate go-nogo.mat --lambda 25 -o rec.mat");
    assert_eq!(place.json("inspect rec.mat")["kind"], "MAT-file");
}
