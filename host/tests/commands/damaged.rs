//! Models that are damaged, that other programs saved, and whose λ has an odd form.

use rate2spike::formats::mat::{MatFile, Value};
use rate2spike::formats::rate_model::{RateModelFile, read_mat, write_mat};

use crate::place::{Place, fixtures};

/// Units of the published model.
const UNITS: usize = 200;

/// The commands that read a model, `watch` excepted, which first asks for a terminal.
const READERS: [&str; 8] = [
    "inspect go-nogo.mat",
    "train --mode eval --model go-nogo.mat --task go-nogo",
    "train --task go-nogo --from go-nogo.mat --output_dir new",
    "convert go-nogo.mat --task go-nogo",
    "simulate go-nogo.mat --task go-nogo --lambda 25 -o rec.npz",
    "quantize go-nogo.mat --task go-nogo --lambda 25 -o net.snn",
    "export go-nogo.mat --lambda 25 --to nir -o net.nir",
    "report go-nogo.mat --task go-nogo --lambda 25",
];

/// `rows` × `columns` of ones, with `odd` in front.
fn with(odd: f64, rows: usize, columns: usize) -> Value {
    let mut values = vec![1.0; rows * columns];
    values[0] = odd;
    Value::matrix(rows, columns, values)
}

/// Name, value and the words that the refusal must have.
fn damages() -> Vec<(&'static str, Value, &'static str)> {
    let n = UNITS;
    let mut damages: Vec<(&'static str, Value, &'static str)> = Vec::new();
    for (name, rows, columns) in [
        ("w", n, n),
        ("w0", n, n),
        ("w_in", n, 1),
        ("w_out", 1, n),
        ("b_out", 1, 1),
        ("taus_gaus", n, 1),
        ("unit_calibration", 3, n),
        ("w_out_spiking", 1, n),
    ] {
        damages.push((name, with(1e300, rows, columns), "1e300"));
        damages.push((name, with(f64::NAN, rows, columns), "NaN"));
        damages.push((name, with(1.0, rows + 1, columns + 1), name));
    }
    for (name, value, part) in [
        ("taus", Value::row(vec![4.0, 1e300]), "1e300"),
        ("taus", Value::row(vec![0.0, 20.0]), "positive"),
        ("taus", Value::row(vec![-4.0, 20.0]), "positive"),
        ("m", with(2.0, n, n), "outside its diagonal"),
        ("m", Value::matrix(n, n, vec![0.0; n * n]), "1 or -1"),
        ("som_m", with(0.5, n, n), "0 or 1"),
        ("unit_calibration", with(-1.0, 3, n), "a scale of -1"),
        ("keeps_b_out", Value::scalar(2.0), "0 or 1"),
        ("activation", Value::text("tanh"), "tanh"),
        ("N", Value::scalar(0.0), "at least one unit"),
        ("som_N", Value::scalar(-1.0), "count"),
        ("som_N", Value::scalar(201.0), "no more units"),
        ("taus", Value::row(vec![20.0, 4.0]), "the smaller one first"),
        ("exc", Value::column(vec![1.0; n - 1]), "exc is 199 x 1"),
        ("inh", Value::column(vec![1.0; n]), "m has another sign"),
        ("w_in", Value::matrix::<f64>(n, 0, Vec::new()), "one input"),
        ("apply_dale", Value::scalar(2.0), "0 or 1"),
    ] {
        damages.push((name, value, part));
    }
    damages
}

#[test]
fn a_damaged_variable_is_refused_by_every_command_that_reads_a_model() {
    let place = Place::new();
    let whole = std::fs::read(place.path("go-nogo.mat")).expect("the model");
    for (turn, (name, value, part)) in damages().into_iter().enumerate() {
        place.change(name, value);
        // Each command for the first damage of each kind, then one after the other.
        for (k, line) in READERS.iter().enumerate() {
            if turn < 3 || k == 0 || k == 1 + turn % (READERS.len() - 1) {
                place.fails(line, 1, &["go-nogo.mat", name, part]);
            }
        }
        std::fs::write(place.path("go-nogo.mat"), &whole).expect("a writable folder");
    }
}

#[test]
fn inspect_lists_every_problem_of_a_model() {
    let place = Place::new();
    assert_eq!(
        place.json("inspect go-nogo.mat")["problems"],
        serde_json::json!([])
    );
    place.change("taus", Value::scalar(-1.0));
    place.change("som_m", with(7.0, UNITS, UNITS));
    place.change("opt_scaling_factor", Value::scalar(-5.0));
    place.fails("inspect go-nogo.mat", 1, &["taus", "2 more problems"]);
    let output = place.run("inspect go-nogo.mat");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    for part in ["taus = [-1.0]", "som_m = 7", "opt_scaling_factor = -5"] {
        assert!(said.contains(part), "no '{part}' in: {said}");
    }
    let found = place.json("inspect go-nogo.mat");
    assert_eq!(found["kind"], "damaged rate model");
    assert_eq!(found["problems"].as_array().map(Vec::len), Some(3));
    // λ alone leaves the network readable.
    let place = Place::new();
    place.change("opt_scaling_factor", Value::scalar(0.0));
    place.fails("inspect go-nogo.mat", 1, &["opt_scaling_factor = 0"]);
    assert_eq!(place.json("inspect go-nogo.mat")["kind"], "rate model");
}

#[test]
fn a_lambda_of_an_odd_form_is_named_and_not_ignored() {
    let place = Place::new();
    for (value, part) in [
        (Value::row(vec![25.0, 30.0]), "an array of 1 x 2"),
        (Value::row::<f64>(Vec::new()), "an array of 1 x 0"),
        (Value::text("25"), "a text"),
        (Value::scalar(0.0), "= 0;"),
        (Value::scalar(-25.0), "= -25;"),
        (Value::scalar(1e9), "= 1e9;"),
        (Value::scalar(1e300), "= 1e300;"),
        (Value::scalar(f64::INFINITY), "= inf;"),
    ] {
        place.change("opt_scaling_factor", value);
        let parts = ["opt_scaling_factor", part, "--force", "--lambda"];
        for line in [
            "inspect go-nogo.mat",
            "simulate go-nogo.mat --task go-nogo -o rec.npz",
            "quantize go-nogo.mat --task go-nogo -o net.snn",
            "convert go-nogo.mat --task go-nogo",
            "export go-nogo.mat --to nir -o net.nir",
        ] {
            place.fails(line, 1, &parts);
        }
    }
    // With a λ of the command line the odd one is named, and the command goes on.
    let output = place.run("quantize go-nogo.mat --task go-nogo -o net.snn --lambda 25 --trials 1");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    assert!(said.contains("opt_scaling_factor = inf"), "{said}");
    // The advice of the refusal can be followed.
    let line = "convert go-nogo.mat --task go-nogo --force --lambdas 25 --trials 2";
    assert!(place.run(line).status.success());
    assert_eq!(place.json("inspect go-nogo.mat")["lambda"], 25.0);
}

#[test]
fn a_lambda_of_nan_means_that_the_search_was_interrupted() {
    let place = Place::new();
    place.change("opt_scaling_factor", Value::scalar(f64::NAN));
    let found = place.json("inspect go-nogo.mat");
    let lambda = found["lambda"].as_str().expect("words");
    assert!(lambda.contains("interrupted"), "{lambda}");
    place.fails("simulate go-nogo.mat --task go-nogo", 2, &["convert"]);
}

#[test]
fn a_damaged_calibration_can_be_replaced() {
    let place = Place::new();
    place.change("unit_calibration", with(f64::NAN, 3, UNITS));
    place.fails(
        "convert go-nogo.mat --task go-nogo",
        1,
        &["unit_calibration"],
    );
    let line = "convert go-nogo.mat --task go-nogo --force --lambdas 25 --trials 2";
    assert!(place.run(line).status.success());
    let found = place.json("inspect go-nogo.mat");
    assert_eq!(found["problems"], serde_json::json!([]));
}

/// The model that a PyTorch port of the published code saved.
const PORT: &str = "foreign/mat-nuttidalab-go-nogo-N40.mat";

#[test]
fn negative_raw_weights_act_as_zero_under_dales_principle() {
    let path = fixtures_of_the_repository().join(PORT);
    let model = RateModelFile::read(&path).expect("a model");
    let network = &model.network;
    assert!(network.dale);
    let negative = network.w.iter().filter(|w| **w < 0.0).count();
    assert_eq!(negative, 274);
    for (k, acting) in network.effective_weights().iter().enumerate() {
        let raw = network.w[k];
        let wanted = match (raw < 0.0, network.inhibitory[k % 40]) {
            (true, _) => 0.0,
            (false, true) => -raw,
            (false, false) => raw,
        };
        assert_eq!(*acting, wanted * network.som_mask[k], "weight {k}");
    }
    let place = Place::new();
    std::fs::copy(path, place.path("port.mat")).expect("a copy");
    let line = "quantize port.mat --task go-nogo --lambda 25 -o net.snn --trials 1";
    let said = String::from_utf8_lossy(&place.run(line).stderr).into_owned();
    for part in ["warning", "274 of 1600", "act as 0", "Dale"] {
        assert!(said.contains(part), "no '{part}' in: {said}");
    }
}

#[test]
fn without_an_inhibitory_unit_negative_weights_are_weights() {
    let (place, n) = (Place::new(), UNITS);
    let identity = (0..n * n).map(|k| f64::from(u8::from(k % n == k / n)));
    place.change("m", Value::matrix(n, n, identity.collect()));
    place.change("exc", Value::column(vec![true; n]));
    place.change("inh", Value::column(vec![false; n]));
    place.change("w", with(-1.0, n, n));
    let read = || RateModelFile::read(&place.path("go-nogo.mat")).expect("a model");
    let model = read();
    assert!(!model.network.dale && model.warnings().is_empty());
    assert_eq!(
        model.network.effective_weights()[0],
        -model.network.som_mask[0]
    );
    // A variable that says the opposite is believed.
    place.change("apply_dale", Value::scalar(true));
    assert!(read().network.dale && !read().warnings().is_empty());
    assert_eq!(read().network.effective_weights()[0], 0.0);
    // Training goes on under the principle by which it began.
    place.change("apply_dale", Value::scalar(false));
    let line = "train --task go-nogo --from go-nogo.mat --output_dir new --act sigmoid";
    place.fails(line, 2, &["apply_dale", "false", "true"]);
}

#[test]
fn weights_with_signs_of_their_own_and_units_with_signs_are_a_contradiction() {
    let place = Place::new();
    place.change("w", with(-1.0, UNITS, UNITS));
    place.change("apply_dale", Value::scalar(0.0));
    place.fails("inspect go-nogo.mat", 1, &["apply_dale = 0", "m is 1"]);
}

#[test]
fn two_variables_that_contradict_each_other_about_dales_principle_are_named() {
    let place = Place::new();
    place.change("apply_dale", Value::scalar(1.0));
    place.change("dale", Value::scalar(0.0));
    place.fails("inspect go-nogo.mat", 1, &["apply_dale = 1", "dale"]);
}

#[test]
fn a_variable_that_is_stored_twice_is_named() {
    let place = Place::new();
    let path = place.path("go-nogo.mat");
    // Another name of the same length becomes the name of the first variable.
    let mut file = read_mat(&path).expect("a model");
    file.insert("som_X", Value::scalar(3.0));
    let mut twice = file.to_bytes().expect("writable");
    let at = twice.windows(5).position(|name| name == b"som_X");
    twice[at.expect("the name")..][..5].copy_from_slice(b"som_N");
    std::fs::write(&path, twice).expect("a writable folder");
    for line in READERS {
        place.fails(line, 1, &["go-nogo.mat", "som_N is stored twice"]);
    }
}

#[test]
fn a_calibration_that_contradicts_its_median_is_named_and_not_used() {
    let lines = [
        "inspect go-nogo.mat",
        "simulate go-nogo.mat --task go-nogo",
        "quantize go-nogo.mat --task go-nogo -o net.snn",
        "export go-nogo.mat --to nir -o net.nir",
    ];
    let refused = |place: &Place, parts: &[&str]| {
        for line in lines {
            place.fails(line, 1, parts);
        }
    };
    let place = Place::new();
    place.json("convert go-nogo.mat --task go-nogo --calibrate --trials 2");
    let path = place.path("go-nogo.mat");
    let whole = std::fs::read(&path).expect("the model");
    assert_eq!(
        place.json("inspect go-nogo.mat")["problems"],
        serde_json::json!([])
    );
    place.change("median_scaling_factor", Value::scalar(30.0));
    let parts = [
        "median_scaling_factor = 30",
        "median of the lambdas",
        "--force",
    ];
    refused(&place, &parts);
    // The advice can be followed.
    place.json("convert go-nogo.mat --task go-nogo --force --lambdas 25 --trials 2");
    assert_eq!(place.json("inspect go-nogo.mat")["lambda"], 25.0);

    std::fs::write(&path, &whole).expect("a writable folder");
    place.change("opt_scaling_factor", Value::scalar(25.0));
    refused(
        &place,
        &["median_scaling_factor", "opt_scaling_factor is there too"],
    );

    let without = |name: &str| {
        std::fs::write(&path, &whole).expect("a writable folder");
        let mut file = read_mat(&path).expect("a model");
        file.remove(name);
        write_mat(&path, &file).expect("a writable folder");
    };
    without("median_scaling_factor");
    refused(&place, &["median_scaling_factor = not there", "--lambda"]);
    without("unit_calibration");
    refused(
        &place,
        &["median_scaling_factor", "unit_calibration", "is not there"],
    );
}

#[test]
fn a_lambda_that_no_unit_can_fire_at_is_refused_wherever_it_is_given() {
    let place = Place::new();
    for (line, flag) in [
        (
            "quantize go-nogo.mat --task go-nogo -o net.snn",
            "--lambda 1e9",
        ),
        ("simulate go-nogo.mat --task go-nogo", "--lambda 1e300"),
        ("export go-nogo.mat --to nir -o net.nir", "--lambda 10001"),
        ("report go-nogo.mat --task go-nogo", "--lambda 1e9"),
        ("report go-nogo.mat --task go-nogo", "--lambdas 25,1e9"),
        ("convert go-nogo.mat --task go-nogo", "--lambda 1e9"),
        ("convert go-nogo.mat --task go-nogo", "--lambdas 1e9"),
        ("pipeline xor", "--lambdas 1e9"),
        ("sweep --task xor -o s", "--lambdas 1e9"),
    ] {
        let flag_name = flag.split(' ').next().expect("a word");
        place.fails(&format!("{line} {flag}"), 2, &[flag_name, "10000 Hz"]);
    }
}

/// The folder of fixtures that are ours, wherever the published ones are.
fn fixtures_of_the_repository() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures")
}

/// The model as Python saves it: every variable in the class `convert` gives.
fn saved_otherwise(convert: impl Fn(&str, Vec<usize>, Vec<f64>) -> Option<Value>) -> MatFile {
    let path = std::fs::read_dir(fixtures().join("models")).expect("the folder of models");
    let path = path.map(|entry| entry.expect("a file").path()).next();
    let mut file = read_mat(&path.expect("a model")).expect("a model");
    for name in [
        "w",
        "w0",
        "m",
        "som_m",
        "w_in",
        "w_out",
        "b_out",
        "taus",
        "taus_gaus",
        "N",
    ] {
        let array = file.array(name).expect("an array").clone();
        let (dims, values) = (array.dims().to_vec(), array.elements().to_f64());
        if let Some(value) = convert(name, dims, values) {
            file.insert(name, value);
        }
    }
    file
}

#[test]
fn arrays_of_one_dimension_are_read_as_rows_and_as_columns() {
    let path = std::path::Path::new("go-nogo.mat");
    let wanted = saved_otherwise(|_, _, _| None);
    let wanted = RateModelFile::from_variables(path, wanted)
        .expect("a model")
        .network;
    let vectors = ["w_in", "w_out", "taus", "taus_gaus"];
    let turned = |turn: fn(Vec<f64>) -> Value| {
        saved_otherwise(|name, _, values| vectors.contains(&name).then(|| turn(values)))
    };
    for file in [turned(Value::row), turned(Value::column)] {
        let model = RateModelFile::from_variables(path, file).expect("a model");
        assert_eq!(model.network, wanted);
    }
}

#[test]
fn a_transposed_matrix_is_refused() {
    let place = Place::new();
    place.change("w_in", Value::matrix(2, UNITS, vec![0.0; 2 * UNITS]));
    place.fails(
        "inspect go-nogo.mat",
        1,
        &["w_in is 2 x 200", "200 x the number"],
    );
    // Three rows of 200 are a calibration, 200 rows of three are none.
    let place = Place::new();
    place.change("unit_calibration", with(1.0, UNITS, 3));
    place.fails("inspect go-nogo.mat", 1, &["unit_calibration is 200 x 3"]);
}

#[test]
fn integers_and_truth_values_are_numbers() {
    let path = std::path::Path::new("go-nogo.mat");
    let wanted = saved_otherwise(|_, _, _| None);
    let wanted = RateModelFile::from_variables(path, wanted)
        .expect("a model")
        .network;
    let mut file = saved_otherwise(|name, dims, values| match name {
        "m" => Some(Value::matrix(
            dims[0],
            dims[1],
            values.iter().map(|x| *x as i8).collect::<Vec<i8>>(),
        )),
        "som_m" => Some(Value::matrix(
            dims[0],
            dims[1],
            values.iter().map(|x| *x != 0.0).collect::<Vec<bool>>(),
        )),
        "N" => Some(Value::scalar(values[0] as u16)),
        _ => None,
    });
    // Python saves an array of single letters as a column.
    let letters = Value::Array(
        rate2spike::formats::mat::Array::new(
            vec![7, 1],
            rate2spike::formats::mat::Elements::Char("sigmoid".encode_utf16().collect()),
        )
        .expect("seven letters"),
    );
    file.insert("activation", letters);
    let model = RateModelFile::from_variables(path, file).expect("a model");
    assert_eq!(model.network, wanted);
}
