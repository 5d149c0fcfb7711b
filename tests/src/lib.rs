//! Helpers of the tests: the files that the published code produced, emulated
//! boards, soaks, and the imports of a crate.

pub mod calls;
pub mod emulator;
pub mod ensemble;
pub mod foretold;
pub mod imports;
pub mod logic;
pub mod networks;
pub mod soak;

use std::path::{Path, PathBuf};

use rate2spike::convert::one_to_one;
use rate2spike::formats::mat::MatFile;
use rate2spike::formats::rate_model::read_mat;
use rate2spike::quantize::quantize;
use rate2spike::rate::activation::ActivationKind;
use rate2spike::rate::batch::Batch;
use rate2spike::rate::network::RateNetwork;
use rate2spike::rate::options::{DecayTaus, RateOptions};
use rate2spike::readout::Readout;
use rate2spike::spiking::neuron::Neuron;
use rate2spike::spiking::time_step::TimeStep;
use rate2spike::task::{SAMPLE_MS, Task, Trial};
use rate2spike_core::neuron::Scheme;

/// The folder of the fixtures: `RATE2SPIKE_FIXTURES`, else the copies here.
pub fn fixtures() -> PathBuf {
    match std::env::var_os("RATE2SPIKE_FIXTURES") {
        Some(folder) => folder.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures"),
    }
}

/// All files of a sub-folder whose name passes `wanted`, read; at least one.
pub fn all(folder: &str, wanted: impl Fn(&str) -> bool) -> Vec<(PathBuf, MatFile)> {
    let folder = fixtures().join(folder);
    let entries =
        std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| {
            path.file_name()
                .and_then(|name| name.to_str())
                .is_some_and(&wanted)
        })
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "no fixture in {}", folder.display());
    paths
        .into_iter()
        .map(|path| {
            let file = read_mat(&path).expect("a fixture");
            (path, file)
        })
        .collect()
}

/// A vector of `file`.
pub fn vector(file: &MatFile, name: &str) -> Vec<f64> {
    file.matrix(name)
        .unwrap_or_else(|error| panic!("{error}"))
        .2
}

/// A vector of `file` in single precision.
pub fn vector_f32(file: &MatFile, name: &str) -> Vec<f32> {
    vector(file, name).into_iter().map(|x| x as f32).collect()
}

/// A matrix of `file`, row by row.
pub fn by_rows(file: &MatFile, name: &str) -> Vec<f64> {
    let (rows, columns, values) = file.matrix(name).unwrap_or_else(|error| panic!("{error}"));
    (0..rows * columns)
        .map(|k| values[k % columns * rows + k / columns])
        .collect()
}

/// A matrix of `file`, row by row, in single precision.
pub fn by_rows_f32(file: &MatFile, name: &str) -> Vec<f32> {
    by_rows(file, name).into_iter().map(|x| x as f32).collect()
}

/// The network of a trace or of a gradient. These files are no model files: `dale` and
/// `activation` come from variables of their own. A spiking trace does not depend on
/// them.
pub fn network(file: &MatFile, dale: bool, activation: ActivationKind) -> RateNetwork {
    let m = by_rows(file, "m");
    let units = file.scalar("N").expect("N") as usize;
    let w_in = by_rows_f32(file, "w_in");
    RateNetwork {
        units,
        channels: w_in.len() / units,
        inhibitory: (0..units).map(|i| m[i * units + i] < 0.0).collect(),
        som_units: 0,
        dale,
        activation,
        direct_inputs: false,
        sample_ms: SAMPLE_MS,
        taus: DecayTaus::from_numbers(&vector_f32(file, "taus")).expect("one or two taus"),
        w: by_rows_f32(file, "w"),
        som_mask: by_rows_f32(file, "som_m"),
        w_in,
        readout: Readout::single(
            vector_f32(file, "w_out"),
            file.scalar("b_out").unwrap_or(0.0) as f32,
        ),
        tau_theta: vector_f32(file, "taus_gaus"),
    }
}

/// The one trial of a fixture, without noise: `u`, `z` and `x0`.
pub fn batch(file: &MatFile, network: &RateNetwork) -> Batch {
    let input = by_rows_f32(file, "u");
    let samples = input.len() / network.channels;
    let trial = Trial {
        input,
        target: vector_f32(file, "z"),
        mask: None,
        label: 0,
    };
    let mut batch = Batch::of_trials(network, samples, &[trial]);
    batch.start = vector_f32(file, "x0").into();
    batch
}

/// ‖a − b‖ / ‖b‖, or ‖a‖ where b is zero.
pub fn relative_difference(a: &[f32], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|x| x * x).sum::<f64>().sqrt();
    let difference = norm(&mut a.iter().zip(b).map(|(&a, &b)| f64::from(a) - b));
    let size = norm(&mut b.iter().copied());
    if size > 0.0 {
        difference / size
    } else {
        difference
    }
}

/// Says that a test cannot run here, and why; an error where
/// `RATE2SPIKE_REQUIRE_ALL` is set, as in continuous integration.
pub fn skip(reason: &str) {
    assert!(
        std::env::var_os("RATE2SPIKE_REQUIRE_ALL").is_none(),
        "skipped although RATE2SPIKE_REQUIRE_ALL is set: {reason}"
    );
    eprintln!("skipped: {reason}");
}

/// True if all these programs are installed; else [`skip`] names a missing one.
pub fn has(programs: &[&str]) -> bool {
    let runs = |program: &&&str| {
        let asked = std::process::Command::new(program)
            .arg("--version")
            .output();
        let asked = asked.or_else(|_| std::process::Command::new(program).arg("-V").output());
        asked.is_err()
    };
    match programs.iter().find(runs) {
        Some(missing) => {
            skip(&format!("{missing} is not installed"));
            false
        }
        None => true,
    }
}

/// Runs a Python program with these arguments and returns its output. Returns `None`,
/// after [`skip`], where Python or one of its packages is not installed.
pub fn python(program: &[&str], packages: &str) -> Option<String> {
    let output = std::process::Command::new("python3")
        .args(program)
        .output()
        .ok();
    let missing = |errors: &[u8]| String::from_utf8_lossy(errors).contains("ModuleNotFoundError");
    match output {
        Some(output) if output.status.success() => {
            Some(String::from_utf8_lossy(&output.stdout).into_owned())
        }
        Some(output) if !missing(&output.stderr) => {
            panic!("{program:?}: {}", String::from_utf8_lossy(&output.stderr))
        }
        _ => {
            skip(&format!("{packages} not installed for python3"));
            None
        }
    }
}

/// The model that the published code trained.
pub fn published_model() -> PathBuf {
    let folder = std::fs::read_dir(fixtures().join("models")).expect("the folder of models");
    folder.last().expect("a model").expect("a file").path()
}

/// The bytes of a network that was never trained, but spikes: one unit in five
/// is connected to each, and excitation and inhibition are balanced.
pub fn untrained(task: Task, units: usize, step_ms: f64) -> Vec<u8> {
    let options = RateOptions {
        dale: false,
        taus: DecayTaus::from_numbers(&[4.0, 20.0]).expect("two taus"),
        updates: 1,
        ..RateOptions::published(task.clone(), units)
    };
    let rate = RateNetwork::start(&options);
    let spiking = one_to_one(&rate, 25.0, Neuron::LIF).expect("a network");
    let step = TimeStep::new(step_ms, Scheme::Exact).expect("a step");
    quantize(&spiking, &task, &step).expect("it fits").bytes
}
