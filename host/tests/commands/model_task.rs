//! A model knows its task: from its own variable, else from a file name of the
//! published form, and from nothing else.

use rate2spike::formats::rate_model::{read_mat, write_mat};

use crate::place::Place;
use crate::user_task::SAME_SIGN;

/// A folder with a model of `task`, as `net.mat`.
fn trained(task: &str) -> Place {
    let place = Place::new();
    std::fs::write(place.path("same.toml"), SAME_SIGN).expect("a writable folder");
    let line = format!("train --task {task} --N 10 --n_trials 1 --output_dir trained");
    let model = place.json(&line)["model"].clone();
    let model = place.path(model.as_str().expect("a path"));
    std::fs::copy(model, place.path("net.mat")).expect("a copy");
    place
}

/// Removes the variable that holds the task, as in a file of the published code, and
/// gives the model another name.
fn without_task(place: &Place, name: &str) {
    let mut file = read_mat(&place.path("net.mat")).expect("a model");
    file.remove("task");
    let path = place.path(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    write_mat(&path, &file).expect("a writable folder");
}

#[test]
fn a_renamed_model_keeps_its_task() {
    let place = trained("same.toml");
    std::fs::create_dir(place.path("xor")).expect("a folder");
    let other = "xor/Task_xor_N_10_Tau_20.mat";
    std::fs::copy(place.path("net.mat"), place.path(other)).expect("a copy");
    for name in ["net.mat", other] {
        assert_eq!(place.json(&format!("inspect {name}"))["task"], "same-sign");
        let line = format!("convert {name} --lambdas 25 --trials 1 --dry-run");
        assert_eq!(place.json(&line)["task"], "same-sign");
    }
}

#[test]
fn a_published_file_name_says_the_task_whatever_its_folder_is_called() {
    let place = trained("delayed-match");
    let name = "xor-runs/Task_delayed-match_N_10_Tau_20.0_Act_sigmoid_1.mat";
    without_task(&place, name);
    let line = format!("convert {name} --lambdas 25 --trials 1 --dry-run");
    assert_eq!(place.json(&line)["task"], "delayed-match");
}

#[test]
fn a_model_that_does_not_say_its_task_is_taken_for_none_of_the_same_size() {
    let place = trained("same.toml");
    let own = "xor/Task_same-sign_N_10.mat";
    without_task(&place, own);
    without_task(&place, "xor.mat");
    for name in [own, "xor.mat"] {
        for line in [
            format!("convert {name} --lambdas 25 --trials 1"),
            format!("simulate {name} --lambda 25"),
            format!("quantize {name} --lambda 25 -o net.snn"),
            format!("report {name} --lambda 25"),
            format!("train --mode eval --model {name}"),
        ] {
            place.fails(&line, 1, &[name, "--task", "xor", "FILE.toml"]);
        }
        let line = format!("convert {name} --lambdas 25 --trials 1 --dry-run --task same.toml");
        assert_eq!(place.json(&line)["task"], "same-sign");
    }
}

#[test]
fn a_description_that_changed_under_the_same_name_is_refused() {
    let place = trained("same.toml");
    let changed = SAME_SIGN.replace("onset_ms = 250", "onset_ms = 200");
    std::fs::write(place.path("same.toml"), changed).expect("a writable folder");
    for line in [
        "convert net.mat --lambdas 25 --trials 1",
        "simulate net.mat --lambda 25",
        "quantize net.mat --lambda 25 -o net.snn",
        "report net.mat --lambda 25",
        "export net.mat --lambda 25 --to brian2",
        "train --mode eval --model net.mat",
    ] {
        let line = format!("{line} --task same.toml");
        let parts = ["net.mat", "same-sign", "changed", "leave --task out"];
        place.fails(&line, 2, &parts);
    }
    place.json("convert net.mat --lambdas 25 --trials 1 --dry-run");
}

#[test]
fn another_task_than_that_of_the_model_is_refused() {
    let place = trained("same.toml");
    let other = SAME_SIGN.replace("same-sign", "other");
    std::fs::write(place.path("other.toml"), other).expect("a writable folder");
    for task in ["xor", "other.toml"] {
        for line in [
            "convert net.mat --lambdas 25 --trials 1 --force",
            "simulate net.mat --lambda 25",
            "quantize net.mat --lambda 25 -o net.snn",
            "report net.mat --lambda 25",
            "train --mode eval --model net.mat",
        ] {
            let line = format!("{line} --task {task}");
            let parts = [
                "net.mat",
                "trained for the task same-sign",
                "leave --task out",
            ];
            place.fails(&line, 2, &parts);
        }
    }
    let parts = ["--task", "net.mat is a MAT-file", "leave --task out"];
    place.fails("inspect net.mat --task xor", 2, &parts);
    // A deployed network holds the name and the hash of its task.
    place.json("quantize net.mat --lambda 25 --trials 1 -o net.snn");
    place.json("inspect net.snn --task same.toml");
    place.fails(
        "inspect net.snn --task other.toml",
        2,
        &["net.snn", "same-sign"],
    );
    let changed = SAME_SIGN.replace("onset_ms = 250", "onset_ms = 200");
    std::fs::write(place.path("same.toml"), changed).expect("a writable folder");
    place.fails(
        "inspect net.snn --task same.toml",
        1,
        &["net.snn", "changed"],
    );
}
