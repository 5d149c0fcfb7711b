//! Files of other programs as typed: each is read, or called by its name and
//! refused with a way out.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn case(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/fixtures/foreign")
        .join(name)
}

/// Runs the program in `folder`.
fn run(folder: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rate2spike"))
        .args(words)
        .current_dir(folder)
        .output()
        .expect("the program starts")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What `import` says of a graph, and whether it wrote a network.
fn import(graph: &Path) -> (String, bool) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = graph.to_str().expect("UTF-8");
    let words = [
        "import", path, "--task", "go-nogo", "-o", "net.snn", "--trials", "1",
    ];
    let output = run(folder.path(), &words);
    let written = folder.path().join("net.snn").exists();
    let message = said(&output);
    assert_eq!(output.status.success(), written, "{graph:?}: {message}");
    assert!(!message.contains("panicked"), "{graph:?}: {message}");
    (message, written)
}

#[test]
fn half_floats_are_read_and_a_missing_w_in_is_one() {
    for name in ["nir-f16-input.nir", "nir-no-w_in.nir"] {
        let (message, written) = import(&case(name));
        assert!(written, "{name}: {message}");
    }
}

#[test]
fn a_graph_that_is_wrong_is_refused_by_node_number_and_unit() {
    let refusals: [(&str, &[&str]); 5] = [
        (
            "nir-w_in-3-of-20.nir",
            &["'lif1.lif'", "'w_in' is 3", "20 numbers, or one for all"],
        ),
        (
            "nir-tau_syn-negative.nir",
            &["'lif1.lif'", "'tau_syn' is -0.0", "positive"],
        ),
        (
            "nir-tau-in-ms.nir",
            &["'lif1.lif'", "'tau_mem' is 10 s", "milliseconds"],
        ),
        (
            "nir-snntorch-rsynaptic.nir",
            &["'1.lif'", "1 for one step", "snnTorch", "0.1 ms"],
        ),
        (
            "nir-norse-old-braille.nir",
            &["2 LIF or CubaLIF nodes", "hidden.lif", "lif2"],
        ),
    ];
    for (name, parts) in refusals {
        let (message, written) = import(&case(name));
        assert!(!written, "{name}");
        for part in parts {
            assert!(message.contains(part), "{name}: no '{part}' in {message}");
        }
        for wrong in ["lambda", "λ", "not HDF5"] {
            assert!(!message.contains(wrong), "{name}: '{wrong}' in {message}");
        }
    }
}

#[test]
fn a_model_with_a_text_that_is_no_unicode_is_read_and_keeps_the_text() {
    use rate2spike::formats::mat::MatFile;
    let path = case("mat-base-plus-broken_utf8.mat");
    let folder = tempfile::tempdir().expect("a folder");
    let output = run(
        folder.path(),
        &["inspect", path.to_str().expect("UTF-8"), "--json"],
    );
    assert!(output.status.success(), "{}", said(&output));

    // The last variable of the file: its data is an element of type UTF-8.
    let bytes = std::fs::read(&path).expect("a fixture");
    let text = &bytes[bytes.len() - 24..];
    assert_eq!(text[..4], [16, 0, 0, 0]);
    let file = MatFile::from_bytes(&bytes).expect("readable");
    assert_eq!(file.check_writable(), Ok(()));
    let written = file.to_bytes().expect("writable");
    assert!(written.ends_with(text));
}

#[test]
fn a_model_that_cannot_be_written_back_is_refused_before_the_search() {
    let name = "n".repeat(64);
    let word = |value: u32| value.to_le_bytes().to_vec();
    let parts = [6, 8, 6, 0, 5, 8, 1, 1, 1, 64].map(word).concat();
    let array = [
        parts,
        name.clone().into_bytes(),
        [9, 8, 0, 0].map(word).concat(),
    ]
    .concat();
    let mut bytes = std::fs::read(case("mat-base-plus-broken_utf8.mat")).expect("a fixture");
    bytes.extend([14, array.len() as u32].map(word).concat());
    bytes.extend(array);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("go-nogo.mat");
    std::fs::write(&path, &bytes).expect("a writable folder");
    let words = "convert go-nogo.mat --task go-nogo --force --trials 1000000";
    let words: Vec<&str> = words.split(' ').collect();
    let output = run(folder.path(), &words);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains(&name), "{}", said(&output));
    assert_eq!(std::fs::read(&path).expect("as before"), bytes);
}

#[test]
fn a_file_that_is_no_model_is_called_by_its_name_with_the_way_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("a writable folder");
        path
    };
    let level_4: Vec<u8> = [0_u32, 1, 1, 0, 2].map(u32::to_le_bytes).concat();
    let cases = [
        (case("mat-gzip.mat"), "gunzip"),
        (write("a.npz", b"PK\x03\x04\x14\0\0\0\0\0"), "savemat"),
        (write("a.mat", &level_4), "level 4"),
        (write("a.pkl", b"\x80\x04N."), "savemat"),
        (write("a.json", b"{\"N\": 200}"), "JSON"),
        (write("a.txt", b"N = 200"), "a text"),
        (write("empty.mat", b""), "an empty file"),
        (write("a.h5", b"\x89HDF\r\n\x1a\n\0\0"), "HDF5"),
        (folder.path().into(), "directory"),
    ];
    for (path, part) in cases {
        let output = run(folder.path(), &["inspect", path.to_str().expect("UTF-8")]);
        assert_eq!(output.status.code(), Some(1), "{path:?}");
        let message = said(&output);
        assert!(message.contains(part), "{path:?}: {message}");
        assert!(!message.contains("panicked"), "{path:?}: {message}");
    }
}
