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

fn read(folder: &str) -> Crate {
    Crate::read(&repository().join(folder))
}

#[test]
fn no_folder_has_a_circle_of_imports() {
    let mut circles = Vec::new();
    for name in CRATES {
        let found = read(name);
        let paths: usize = found.imports.values().sum();
        println!(
            "{name}: {} modules, {paths} paths from one to another, {} folders",
            found.files.len(),
            found.folders().len()
        );
        for folder in found.folders() {
            let edges: BTreeSet<_> = found.within(&folder).into_keys().collect();
            let folder = folder.join("/");
            if let Some(way) = circle(&edges) {
                circles.push(format!("{name}/{folder}: {}", way.join(" → ")));
            }
        }
    }
    assert!(circles.is_empty(), "circles of imports: {circles:#?}");
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
