//! Files that are missing, damaged or in the way.

use rate2spike::formats::mat::Value;

use crate::place::Place;

#[test]
fn files_that_are_not_there_or_not_ours_are_named() {
    let place = Place::new();
    std::fs::write(place.path("noise.snn"), [7u8; 100]).expect("a writable folder");
    std::fs::write(place.path("text.mat"), "a line of text\n".repeat(20))
        .expect("a writable folder");
    let mut hdf5 = vec![0u8; 600];
    hdf5[512..520].copy_from_slice(b"\x89HDF\r\n\x1a\n");
    std::fs::write(place.path("hdf5.mat"), hdf5).expect("a writable folder");
    for (line, parts) in [
        ("convert none.mat", &["none.mat", "No such file"][..]),
        ("run none.snn", &["none.snn", "No such file"]),
        (
            "run noise.snn",
            &["noise.snn", "not a deployed network", "quantize"],
        ),
        (
            "run go-nogo.mat",
            &["go-nogo.mat", "not a deployed network"],
        ),
        (
            "inspect noise.snn",
            &["noise.snn", "not a deployed network"],
        ),
        ("inspect text.mat", &["text.mat"]),
        ("convert text.mat", &["text.mat"]),
        ("convert hdf5.mat", &["hdf5.mat", "7.3", "save"]),
        ("convert .", &["Is a directory"]),
    ] {
        place.fails(line, 1, parts);
    }
}

#[test]
fn damaged_models_name_the_variable() {
    let ones =
        |rows: usize, columns: usize| Value::matrix(rows, columns, vec![1.0; rows * columns]);
    let mut infinite = vec![0.0; 200 * 200];
    infinite[200 + 2] = f64::INFINITY;
    for (name, value, parts) in [
        ("w", ones(3, 3), &["w is 3 x 3", "200"][..]),
        (
            "w",
            Value::matrix(200, 200, infinite),
            &["w = inf", "row 3, column 2"],
        ),
        ("w_in", ones(100, 1), &["w_in is 100 x 1"]),
        ("w_out", ones(1, 3), &["w_out is 1 x 3"]),
        ("taus", Value::row(vec![f64::NAN]), &["taus"]),
        ("taus_gaus", ones(3, 1), &["taus_gaus is 3 x 1"]),
        (
            "activation",
            Value::text("tanh"),
            &["activation = tanh", "sigmoid"],
        ),
        ("N", Value::scalar(0.0), &["N = 0"]),
        ("N", Value::scalar(2.5), &["N = 2.5"]),
        ("m", ones(200, 200), &[]),
        ("b_out", Value::scalar(f64::NAN), &["b_out"]),
    ] {
        let place = Place::new();
        place.change(name, value);
        // A matrix of ones has a diagonal of ones: all units excitatory.
        if !parts.is_empty() {
            place.fails("convert go-nogo.mat --lambda 25 --trials 1", 1, parts);
            place.fails("quantize go-nogo.mat -o net.snn", 1, parts);
        }
    }
}

#[test]
fn a_cut_or_changed_file_is_refused_wherever_it_was_cut_or_changed() {
    let place = Place::new();
    place.json("quantize go-nogo.mat -o net.snn --lambda 25 --trials 2");
    for name in ["net.snn", "go-nogo.mat"] {
        let whole = std::fs::read(place.path(name)).expect("a file");
        for part in [0, 1, 15, 100, whole.len() / 2, whole.len() - 1] {
            let cut = format!("cut-{name}");
            std::fs::write(place.path(&cut), &whole[..part]).expect("a writable folder");
            let command = if name.ends_with("snn") {
                "run"
            } else {
                "convert"
            };
            place.fails(&format!("{command} {cut}"), 1, &[&cut]);
        }
    }
    let whole = std::fs::read(place.path("net.snn")).expect("a file");
    for byte in (0..whole.len()).step_by(whole.len() / 40) {
        let mut changed = whole.clone();
        changed[byte] ^= 0x10;
        std::fs::write(place.path("changed.snn"), changed).expect("a writable folder");
        place.fails("run changed.snn --trials 1", 1, &["changed.snn"]);
    }
}

#[test]
fn a_place_that_cannot_be_written_is_found_before_the_work() {
    let place = Place::new();
    std::fs::write(place.path("file"), "in the way").expect("a writable folder");
    for line in [
        "train --task xor --output_dir file/models",
        "pipeline xor --output_dir file/models",
        "quantize go-nogo.mat --lambda 25 -o file/net.snn",
        "simulate go-nogo.mat --lambda 25 -o file/rec.mat",
    ] {
        place.fails(line, 1, &["file", "cannot write", "nothing was changed"]);
    }
}
