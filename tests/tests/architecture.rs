//! The tree is the one that ARCHITECTURE.md describes: no circle of imports, and
//! each stage knows only what it may know. How the imports are counted stands in
//! `tests/src/imports.rs`.

use std::collections::BTreeSet;

use rate2spike_tests::emulator::repository;
use rate2spike_tests::imports::{Crate, circle};

/// Folders with the sources of the crates that are checked.
const CRATES: [&str; 5] = [
    "core/src",
    "protocol/src",
    "host/src",
    "tests/src",
    "firmware-example/app/src",
];

/// An import that closes a circle and is still there.
struct Known {
    /// Folder of the crate's sources.
    sources: &'static str,
    /// Folder below it.
    folder: &'static str,
    /// Entry that imports.
    from: &'static str,
    /// Entry that is imported; `*` for each of them.
    to: &'static str,
    /// The cause.
    because: &'static str,
}

/// The known circles. The list only gets shorter.
const KNOWN: &[Known] = &[
    Known {
        sources: "host/src",
        folder: "formats",
        from: "model_checks",
        to: "rate_model",
        because: "the checks of a model give the errors of its file",
    },
    Known {
        sources: "host/src",
        folder: "quantize",
        from: "readout",
        to: "mod",
        because: "the readout is quantized with the decays of mod.rs",
    },
    Known {
        sources: "host/src",
        folder: "report/canvas",
        from: "mod",
        to: "*",
        because: "mod.rs passes the parts on and holds the drawing area",
    },
    Known {
        sources: "host/src",
        folder: "sweep",
        from: "plan",
        to: "rows",
        because: "a plan asks whether rows exist before it is replaced",
    },
    Known {
        sources: "host/src",
        folder: "report/story",
        from: "mod",
        to: "*",
        because: "mod.rs puts the parts in order and holds their input",
    },
];

fn read(folder: &str) -> Crate {
    Crate::read(&repository().join(folder))
}

#[test]
fn no_folder_has_a_circle_of_imports() {
    let mut unknown = Vec::new();
    for name in CRATES {
        let found = read(name);
        let paths: usize = found.imports.values().sum();
        println!(
            "{name}: {} modules, {paths} paths from one to another, {} folders",
            found.files.len(),
            found.folders().len()
        );
        for folder in found.folders() {
            let mut edges: BTreeSet<_> = found.within(&folder).into_keys().collect();
            let folder = folder.join("/");
            for known in KNOWN {
                if known.sources == name && known.folder == folder {
                    edges.retain(|edge| !known.names(edge));
                    let Known {
                        from, to, because, ..
                    } = known;
                    println!("  {folder}: {from} imports {to}, known: {because}");
                }
            }
            if let Some(way) = circle(&edges) {
                unknown.push(format!("{name}/{folder}: {}", way.join(" → ")));
            }
        }
    }
    assert!(unknown.is_empty(), "circles of imports: {unknown:#?}");
}

impl Known {
    /// Whether this import is meant.
    fn names(&self, (from, to): &(String, String)) -> bool {
        self.from == from && (self.to == to || self.to == "*")
    }
}

#[test]
fn each_known_circle_is_still_there() {
    let mut ended = Vec::new();
    for known in KNOWN {
        let folder = known.folder.split('/').filter(|name| !name.is_empty());
        let folder: Vec<String> = folder.map(String::from).collect();
        let edges: BTreeSet<_> = read(known.sources).within(&folder).into_keys().collect();
        // Without the other known imports this one alone has to close a circle.
        let others = KNOWN.iter().filter(|other| {
            let here = other.sources == known.sources && other.folder == known.folder;
            here && (other.from, other.to) != (known.from, known.to)
        });
        let others: Vec<_> = others.collect();
        let rest = edges
            .into_iter()
            .filter(|edge| known.names(edge) || !others.iter().any(|other| other.names(edge)));
        if circle(&rest.collect()).is_none() {
            let Known {
                sources,
                folder,
                from,
                to,
                ..
            } = known;
            ended.push(format!("{sources}/{folder}: {from} → {to}"));
        }
    }
    assert!(
        ended.is_empty(),
        "these circles have ended; remove their lines from KNOWN: {ended:#?}"
    );
}

#[test]
fn the_core_uses_nothing_of_an_operating_system() {
    for name in ["core/src", "protocol/src"] {
        let foreign = read(name).foreign;
        assert!(!foreign.is_empty(), "{name}: no path is found at all");
        for (module, paths) in foreign {
            let of_std = paths.iter().find(|path| {
                let first = path.split("::").next();
                matches!(first, Some("std" | "alloc"))
            });
            assert_eq!(of_std, None, "{name}, {}", module.join("::"));
        }
    }
}

#[test]
fn tasks_and_rate_networks_read_no_files() {
    let host = read("host/src");
    for stage in ["task", "rate"] {
        let imports = host.stages(stage);
        assert!(!imports.contains("formats"), "{stage} imports {imports:?}");
        for (module, paths) in &host.foreign {
            if module.first().is_some_and(|first| first == stage) {
                let file = paths.iter().find(|path| {
                    path.starts_with("std::fs")
                        || path.starts_with("fs::")
                        || path.starts_with("File::")
                });
                assert_eq!(file, None, "{}", module.join("::"));
            }
        }
    }
}

#[test]
fn the_file_formats_do_not_know_the_conversion() {
    let imports = read("host/src").stages("formats");
    assert!(imports.contains("task"), "formats imports {imports:?}");
    assert!(!imports.contains("convert"), "formats imports {imports:?}");
}

/// Stages that import both rate networks and spiking networks, and why.
const BOTH: [(&str, &str); 6] = [
    ("convert", "it turns one into the other"),
    ("route", "it joins training, conversion and quantization"),
    (
        "formats",
        "a file holds a model, another one a recording of spikes",
    ),
    ("report", "its figures show both side by side"),
    ("sweep", "a row has the options and the scores of both"),
    ("cmd", "a command calls every stage"),
];

#[test]
fn only_the_conversion_and_what_joins_stages_knows_both_kinds_of_network() {
    let host = read("host/src");
    let entries: BTreeSet<String> = host.within(&[]).into_keys().map(|(from, _)| from).collect();
    let both = entries.into_iter().filter(|entry| {
        let imports = host.stages(entry);
        imports.contains("rate") && imports.contains("spiking")
    });
    let unknown: Vec<String> = both
        .filter(|entry| !BOTH.iter().any(|(name, _)| name == entry))
        .collect();
    assert_eq!(
        unknown, [""; 0],
        "these import both rate and spiking networks"
    );
    assert!(
        !host.stages("rate").contains("spiking"),
        "a rate network knows no spikes"
    );
    assert!(
        !host.stages("spiking").contains("rate"),
        "a spiking network knows no rates"
    );
}
