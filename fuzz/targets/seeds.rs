//! Writes small real files, from which the fuzzer starts, into `corpus/`.

// The host uses more of the module than this program.
#![allow(dead_code, unused_imports)]

use std::path::Path;

use rate2spike_core::Fixed;
use rate2spike_core::blob::{self, Deployed, Stored};
use rate2spike_protocol::Request;
use rate2spike_protocol::frame::{self, LINE_BYTES};
use rate2spike_protocol::message::TrialRequest;
use rate2spike_protocol::record::Record;

mod formats;

use formats::mat;
use formats::nir::{Graph, Membrane, Node};

fn write(target: &str, name: &str, bytes: &[u8]) {
    let folder = Path::new("corpus").join(target);
    std::fs::create_dir_all(&folder).expect("a writable folder");
    std::fs::write(folder.join(name), bytes).expect("a writable folder");
}

/// Name and bytes of each file of a folder that has this extension.
fn files(folder: &str, ending: &str) -> Vec<(String, Vec<u8>)> {
    std::fs::read_dir(folder)
        .expect("run it in the folder fuzz")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|found| found == ending))
        .map(|path| {
            let name = path.file_name().expect("a file").to_string_lossy();
            let bytes = std::fs::read(&path).expect("a readable file");
            (name.into_owned(), bytes)
        })
        .collect()
}

/// The file with only its small variables.
fn small(bytes: &[u8]) -> mat::MatFile {
    let mut few = mat::MatFile::new();
    let file = mat::MatFile::from_bytes(bytes).expect("a fixture");
    for (name, value) in file.variables() {
        if file
            .array(name)
            .is_ok_and(|array| array.elements().len() <= 16)
        {
            few.insert(name, value.clone());
        }
    }
    few
}

/// A network of two units, cut from a frozen network. It is short, so that the fuzzer can
/// try many changes.
fn tiny<A: Stored>(bytes: &[u8], task_hash: Option<u64>, class_names: &[u8]) -> Vec<u8> {
    const UNITS: usize = 2;
    let network = Deployed::<A>::of(bytes).expect("a frozen network");
    let mut payload = *network.payload();
    let inputs = usize::from(payload.shared.inputs);
    payload.shared.units = UNITS as u16;
    payload.units = &payload.units[..UNITS * A::UNIT_BYTES];
    payload.input_weights = &payload.input_weights[..UNITS * inputs * A::INPUT_WEIGHT_BYTES];
    payload.readout = &payload.readout[..UNITS * A::readout_bytes(1)];
    // The first unit reaches both units, the second one no unit.
    payload.starts = &[0, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0];
    let mut synapses = vec![0; 2 * A::SYNAPSE_BYTES];
    // The gap to the second unit is in the first byte of its synapse, and the weight ends
    // with its last byte.
    synapses[A::SYNAPSE_BYTES - 1] = 0x40;
    synapses[A::SYNAPSE_BYTES] = 1;
    synapses[2 * A::SYNAPSE_BYTES - 1] = 0xc0;
    payload.synapses = &synapses;
    payload.task_hash = task_hash;
    payload.class_names = class_names;
    let mut buffer = vec![0; bytes.len() + 32];
    let blob = blob::write(&payload, &mut buffer).expect("it is shorter");
    assert!(Deployed::<A>::of(blob).is_ok());
    blob.to_vec()
}

/// A task that states every field.
const TASK: &str = r#"name = "same-sign"
channels = 2
duration_ms = 1000

[[pulse]]
channel = 1
onset_ms = 200
duration_ms = 200
values = [1, -1]

[[pulse]]
channel = 2
onset_ms = 450
duration_ms = 200
values = [1, -1]
noise = 0.1

[target]
rule = "product"
onset_ms = 700
duration_ms = 300

[decision]
response_ms = 800
mean_ms = [800, 1000]
threshold = 0.5
"#;

/// A graph of two units with a filter of each kind.
fn graph(cuba: bool) -> Vec<u8> {
    let membrane = Membrane {
        tau: vec![0.01; 2],
        leak: vec![-0.04; 2],
        threshold: vec![-0.04; 2],
        reset: vec![-0.065; 2],
    };
    let spiking = match cuba {
        true => Node::CubaLif {
            tau_syn: vec![0.02, 0.03],
            membrane,
        },
        false => Node::Lif(membrane),
    };
    let linear = |rows, columns, weight: &[f64]| Node::Linear {
        shape: (rows, columns),
        weight: weight.to_vec(),
    };
    let tau = vec![0.02, 0.03];
    let graph = Graph {
        nodes: vec![
            ("input", Node::Input(1)),
            ("w_in", linear(2, 1, &[0.001, -0.001])),
            ("lif", spiking),
            ("w", linear(2, 2, &[0.0, 1e-5, -1e-5, 0.0])),
            ("decay", Node::LeakyIntegrator { tau: tau.clone() }),
            ("readout_decay", Node::LeakyIntegrator { tau }),
            ("w_out", linear(1, 2, &[0.01, -0.01])),
            ("output", Node::Output(1)),
        ],
        edges: vec![
            ("input", "w_in"),
            ("w_in", "lif"),
            ("lif", "w"),
            ("w", "decay"),
            ("decay", "lif"),
            ("lif", "readout_decay"),
            ("readout_decay", "w_out"),
            ("w_out", "output"),
        ],
    };
    graph.to_bytes().expect("a file")
}

fn main() {
    write("nir", "exact", &graph(false));
    write("nir", "cuba", &graph(true));
    write("toml", "product", TASK.as_bytes());
    for rule in ["sum", "any"] {
        let task = TASK.replace("product", rule);
        write("toml", rule, task.as_bytes());
    }
    for (name, bytes) in files("../tests/fixtures/foreign", "nir") {
        write("nir", &name, &bytes);
    }
    for (name, bytes) in files("../core/tests/golden", "snn") {
        write(
            "snn",
            &format!("tiny-{name}"),
            &tiny::<Fixed>(&bytes, None, b""),
        );
        let hash = Some(0x1234_5678);
        write(
            "snn",
            &format!("tiny-hash-{name}"),
            &tiny::<Fixed>(&bytes, hash, b""),
        );
        let named = tiny::<Fixed>(&bytes, hash, b"yes");
        write("snn", &format!("tiny-named-{name}"), &named);
        write("snn", &name, &bytes);
    }
    for (name, bytes) in files("../core/tests/golden/f32", "snn") {
        let small = tiny::<f32>(&bytes, Some(0x1234_5678), b"");
        write("snn", &format!("tiny-f32-{name}"), &small);
        write("snn", &format!("f32-{name}"), &bytes);
    }
    for folder in ["models", "gradients", "traces"] {
        for (name, bytes) in files(&format!("../tests/fixtures/{folder}"), "mat") {
            let few = small(&bytes);
            write("mat", &name, &few.to_bytes().expect("writable"));
            let packed = few.to_compressed_bytes().expect("writable");
            write("mat", &format!("packed-{name}"), &packed);
        }
    }
    let trial = TrialRequest {
        seed: 1,
        index: 2,
        samples: 200,
        label: -1,
        spikes: true,
        output_every: 100,
        live: false,
    };
    let requests = [
        Request::Identify,
        Request::SelfTest,
        Request::Load {
            first: 7,
            values: &[1, 0, 0, 3],
        },
        Request::Run(trial),
        Request::Erase { bytes: 7079 },
        Request::Write {
            offset: 192,
            bytes: &[0x55; 192],
        },
    ];
    for (number, request) in requests.iter().enumerate() {
        let mut line = [0; LINE_BYTES];
        let bytes = frame::encode(request, &mut line).expect("it fits");
        write("frames", &format!("request-{number}"), bytes);
    }
    // Two networks, and the record of the first one.
    let checksum = u32::from_le_bytes(
        *include_bytes!("../../core/tests/golden/xor.snn")[12..]
            .first_chunk()
            .expect("a header"),
    );
    let record = Record {
        sequence: 1,
        checksum,
    }
    .to_bytes();
    let mut flash = vec![3];
    for (place, half) in [(7168u16, &record[..8]), (7176, &record[8..])] {
        flash.extend(place.to_le_bytes());
        flash.extend(half);
    }
    write("flash", "two", &flash);
}
