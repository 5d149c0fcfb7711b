//! Files that other programs could write, right and wrong.

use hdf5_pure::{DatasetBuilder, FileBuilder, GroupBuilder};

use super::read::{NirError, ReadGraph};

fn text(group: &mut GroupBuilder, name: &str, value: &str) {
    let set = group.create_dataset(name);
    set.with_vlen_strings(&[value]).with_shape(&[]);
}

/// A file whose group `node` is what `fill` makes of it.
fn file(fill: impl FnOnce(&mut GroupBuilder)) -> Vec<u8> {
    file_of_version(None, fill)
}

fn file_of_version(version: Option<&str>, fill: impl FnOnce(&mut GroupBuilder)) -> Vec<u8> {
    let mut file = FileBuilder::new();
    if let Some(version) = version {
        let set = file.create_dataset("version");
        set.with_vlen_strings(&[version]).with_shape(&[]);
    }
    let mut root = file.create_group("node");
    fill(&mut root);
    file.add_group(root.finish());
    file.finish().expect("a file")
}

/// A graph of one Linear node, whose weight is what `weight` writes.
fn linear(weight: impl FnOnce(&mut DatasetBuilder)) -> Vec<u8> {
    file(|root| {
        text(root, "type", "NIRGraph");
        root.create_dataset("edges")
            .with_f64_data(&[])
            .with_shape(&[0]);
        let mut nodes = root.create_group("nodes");
        let mut node = nodes.create_group("fc");
        text(&mut node, "type", "Linear");
        weight(node.create_dataset("weight"));
        nodes.add_group(node.finish());
        root.add_group(nodes.finish());
    })
}

fn refusal(bytes: &[u8]) -> String {
    let error = ReadGraph::from_bytes(bytes).expect_err("a refusal");
    error.to_string()
}

#[test]
fn numbers_of_every_width_are_read() {
    type Write = fn(&mut DatasetBuilder);
    let forms: [Write; 8] = [
        |set| {
            set.with_f32_data(&[0.0, 1.0, 2.0]);
        },
        |set| {
            set.with_f64_data(&[0.0, 1.0, 2.0]);
        },
        |set| {
            set.with_i8_data(&[0, 1, 2]);
        },
        |set| {
            set.with_u8_data(&[0, 1, 2]);
        },
        |set| {
            set.with_i16_data(&[0, 1, 2]);
        },
        |set| {
            set.with_u16_data(&[0, 1, 2]);
        },
        |set| {
            set.with_i32_data(&[0, 1, 2]);
        },
        |set| {
            set.with_u64_data(&[0, 1, 2]);
        },
    ];
    for write in forms {
        let graph = ReadGraph::from_bytes(&linear(write)).expect("a graph");
        let weight = &graph.nodes["fc"].numbers["weight"];
        assert_eq!(
            (&weight.shape[..], &weight.values[..]),
            (&[3][..], &[0.0, 1.0, 2.0][..])
        );
    }
}

#[test]
fn what_is_no_number_is_refused_by_node_name_and_type() {
    let complex = linear(|set| {
        set.with_complex64_data(&[(1.0, 0.0)]);
    });
    let words = linear(|set| {
        set.with_vlen_strings(&["0.5"]);
    });
    for (bytes, part) in [(complex, "a compound"), (words, "a text")] {
        let message = refusal(&bytes);
        for part in ["'fc'", "'weight'", part, "float32"] {
            assert!(message.contains(part), "{message}");
        }
    }
}

#[test]
fn no_numbers_and_numbers_that_are_not_finite_are_refused() {
    let none = linear(|set| {
        set.with_f64_data(&[]).with_shape(&[0, 20]);
    });
    assert!(refusal(&none).contains("'weight' is 0 x 20 and holds 0 numbers"));
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let bytes = linear(|set| {
            set.with_f64_data(&[1.0, value]);
        });
        let message = refusal(&bytes);
        assert!(message.contains("entry 1 of 'weight'"), "{message}");
    }
}

#[test]
fn a_file_of_another_kind_is_called_by_its_name() {
    for (bytes, part) in [
        (&b""[..], "an empty file"),
        (b"\x1f\x8b\x08\0", "gzip"),
        (b"PK\x03\x04", "zip"),
        (b"R2SN\x02\0\0\0", "deployed network"),
        (b"{\"nodes\": []}", "JSON"),
    ] {
        let message = refusal(bytes);
        assert!(
            message.contains(part) && message.contains("nir.write"),
            "{message}"
        );
    }
    let mut keras = FileBuilder::new();
    let layers = keras.create_group("model_weights");
    keras.add_group(layers.finish());
    let message = refusal(&keras.finish().expect("a file"));
    assert!(message.contains("a Keras model"), "{message}");

    let mut other = FileBuilder::new();
    other.create_dataset("spikes").with_f64_data(&[1.0]);
    let message = refusal(&other.finish().expect("a file"));
    assert!(message.contains("an HDF5 file with 'spikes'"), "{message}");

    let message = refusal(&FileBuilder::new().finish().expect("a file"));
    assert!(message.contains("without contents"), "{message}");
    let mut cut = linear(|set| {
        set.with_f64_data(&[1.0]);
    });
    cut.truncate(200);
    assert!(refusal(&cut).contains("damaged"), "{}", refusal(&cut));
}

#[test]
fn a_graph_without_a_part_that_every_one_has_is_refused_by_the_part() {
    let lone = file(|root| text(root, "type", "CubaLIF"));
    assert!(matches!(
        ReadGraph::from_bytes(&lone),
        Err(NirError::NoGraph(kind)) if kind == "CubaLIF"
    ));
    let no_type = file(|root| {
        root.create_dataset("edges").with_f64_data(&[1.0]);
    });
    assert!(refusal(&no_type).contains("'type' is missing"));
    let no_nodes = file(|root| text(root, "type", "NIRGraph"));
    assert!(refusal(&no_nodes).contains("'nodes' is missing"));
    let empty = file(|root| {
        text(root, "type", "NIRGraph");
        let nodes = root.create_group("nodes");
        root.add_group(nodes.finish());
    });
    assert!(refusal(&empty).contains("the graph has no nodes"));
    let number = file(|root| {
        root.create_dataset("type").with_f64_data(&[1.0]);
    });
    assert!(refusal(&number).contains("'type' is a number and no text"));
}

#[test]
fn a_version_of_nir_that_is_not_known_is_refused() {
    let of_version = |version| {
        file_of_version(Some(version), |root| {
            text(root, "type", "Linear");
        })
    };
    for version in ["0.2.0", "1.0.6", "1.1", "unknown"] {
        let message = refusal(&of_version(version));
        assert!(!message.contains("has version"), "{version}: {message}");
    }
    for version in ["2.0.0", "99"] {
        let message = refusal(&of_version(version));
        assert!(
            message.contains(version) && message.contains("write it with nir 1"),
            "{message}"
        );
    }
}

#[test]
fn edges_are_rows_of_two_names() {
    let with = |write: fn(&mut DatasetBuilder)| {
        file(|root| {
            text(root, "type", "NIRGraph");
            write(root.create_dataset("edges"));
            let mut nodes = root.create_group("nodes");
            let mut node = nodes.create_group("in");
            text(&mut node, "type", "Input");
            node.create_dataset("shape").with_i64_data(&[1]);
            nodes.add_group(node.finish());
            root.add_group(nodes.finish());
        })
    };
    let flat = with(|set| {
        set.with_vlen_strings(&["a", "b"]).with_shape(&[2]);
    });
    assert!(
        refusal(&flat).contains("'edges' is 2"),
        "{}",
        refusal(&flat)
    );
    let wide = with(|set| {
        set.with_vlen_strings(&["a", "b", "c"]).with_shape(&[1, 3]);
    });
    assert!(
        refusal(&wide).contains("'edges' is 1 x 3"),
        "{}",
        refusal(&wide)
    );
    let numbers = with(|set| {
        set.with_f64_data(&[1.0, 2.0]).with_shape(&[1, 2]);
    });
    assert!(refusal(&numbers).contains("'edges' is a number and no text"));
    // The same edge twice is one edge; fixed texts are as good as others.
    let twice = with(|set| {
        let names = ["in", "in", "in", "in"];
        set.with_strings(&names).expect("texts").with_shape(&[2, 2]);
    });
    let graph = ReadGraph::from_bytes(&twice).expect("a graph");
    assert_eq!(graph.edges, [("in".into(), "in".into())]);
}

#[test]
fn a_chunk_outside_of_the_file_is_refused_where_the_library_stops() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/fixtures/foreign/nir-chunk-offset.nir"
    );
    let bytes = std::fs::read(path).expect("a fixture");
    let error = ReadGraph::from_bytes(&bytes).expect_err("a damaged graph");
    assert!(error.to_string().contains("outside of it"), "{error}");
}
