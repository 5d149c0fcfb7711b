//! The packages that are built into the programs, read from Cargo's own data: each
//! has a licence that allows it, all come from one registry, none downloads anything, and
//! no package is on a board in two versions.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use rate2spike_tests::emulator::repository;

/// Licences that ask for a notice and nothing more.
const PERMISSIVE: [&str; 12] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Packages under MPL-2.0, which binds only their own files; we use them unchanged.
/// `colored` is a dependency of `serialport`, `option-ext` of the CUDA back end.
const MPL: [&str; 3] = ["serialport", "colored", "option-ext"];

/// Packages that speak HTTP or TLS.
const DOWNLOADERS: [&str; 14] = [
    "attohttpc",
    "curl",
    "curl-sys",
    "hyper",
    "isahc",
    "minreq",
    "native-tls",
    "openssl-sys",
    "reqwest",
    "rustls",
    "surf",
    "tiny_http",
    "ureq",
    "webpki-roots",
];

/// A package in a build.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Package {
    name: String,
    version: String,
    /// The package's path in brackets; empty for a package from the registry.
    source: String,
    licence: String,
}

/// All packages of the build that `arguments` choose, with those of build scripts and
/// macros.
fn packages(folder: &Path, arguments: &[&str]) -> BTreeSet<Package> {
    let output = Command::new("cargo")
        .current_dir(folder)
        .args(["tree", "--prefix", "none", "--no-dedupe"])
        .args(["--format", "{p}|{l}"])
        .args(arguments)
        .output()
        .expect("cargo runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
    let text = String::from_utf8(output.stdout).expect("names");
    let lines = text.lines().filter(|line| !line.is_empty());
    lines.map(package).collect()
}

/// Reads a line "name v1.2.3 (source)|licence".
fn package(line: &str) -> Package {
    let (package, licence) = line.split_once('|').expect("as the format says");
    let mut words = package.splitn(3, ' ');
    let mut word = || words.next().unwrap_or("").to_string();
    Package {
        name: word(),
        version: word(),
        source: word(),
        licence: licence.to_string(),
    }
}

/// Each program, with its packages.
fn programs() -> Vec<(&'static str, BTreeSet<Package>)> {
    let (main, firmware) = (repository(), repository().join("firmware-example"));
    let all = ["--edges", "normal,build"];
    let of =
        |folder: &Path, more: &[&str]| packages(folder, &[&all[..], &["--locked"], more].concat());
    let python = repository().join("python");
    vec![
        ("rate2spike", of(&main, &["--package", "rate2spike"])),
        (
            "rate2spike with cuda",
            of(&main, &["--package", "rate2spike", "--features", "cuda"]),
        ),
        // The list of versions of the package follows that of the host, and may be made again here.
        ("the Python package", packages(&python, &all)),
        (
            "firmware of the RP2040",
            of(
                &firmware,
                &[
                    "--package",
                    "rate2spike-rp2040",
                    "--target",
                    "thumbv6m-none-eabi",
                ],
            ),
        ),
        (
            "firmware of the RP2350",
            of(
                &firmware,
                &[
                    "--package",
                    "rate2spike-rp2350",
                    "--target",
                    "thumbv8m.main-none-eabihf",
                ],
            ),
        ),
        (
            "firmware of the STM32F405",
            of(
                &firmware,
                &[
                    "--package",
                    "rate2spike-stm32f4",
                    "--target",
                    "thumbv7em-none-eabihf",
                ],
            ),
        ),
    ]
}

/// True if permissive licences alone allow the use: one of alternatives (OR) is enough,
/// and all parts of a combination (AND) are needed.
fn is_permissive(licence: &str) -> bool {
    let plain = licence.replace(['(', ')'], "").replace('/', " OR ");
    // The only packages that combine OR and AND have the OR in brackets at the front;
    // "(A OR B) AND C" is read correctly without the brackets.
    plain.split(" AND ").all(|together| {
        together
            .split(" OR ")
            .any(|one| PERMISSIVE.contains(&one.trim()))
    })
}

#[test]
fn everything_that_is_built_in_may_be_passed_on() {
    for (program, packages) in programs() {
        assert!(packages.len() > 20, "{program}: {packages:?}");
        for package in packages {
            let known = package.licence == "MPL-2.0" && MPL.contains(&&*package.name);
            assert!(
                known || is_permissive(&package.licence),
                "{program}: {} {} is under '{}'",
                package.name,
                package.version,
                package.licence
            );
        }
    }
}

#[test]
fn a_licence_is_read_as_it_is_meant() {
    for (licence, wanted) in [
        ("MIT OR Apache-2.0", true),
        ("MIT/Apache-2.0", true),
        ("MIT OR GPL-3.0-only", true),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
        ("Apache-2.0 AND GPL-2.0-only", false),
        ("MPL-2.0", false),
        ("", false),
    ] {
        assert_eq!(is_permissive(licence), wanted, "{licence}");
    }
}

#[test]
fn everything_comes_from_the_registry_or_from_this_repository() {
    let here = repository().display().to_string();
    for (program, packages) in programs() {
        for package in packages {
            // Cargo marks a procedural macro in the same place.
            let source = package.source.replace("(proc-macro)", "");
            let ours = source.contains(&here);
            assert!(
                source.trim().is_empty() || ours,
                "{program}: {} comes from {source}",
                package.name
            );
        }
    }
}

#[test]
fn nothing_that_is_built_in_can_download() {
    for (program, packages) in programs() {
        for package in packages {
            assert!(
                !DOWNLOADERS.contains(&&*package.name),
                "{program}: {} {}",
                package.name,
                package.version
            );
        }
    }
}

/// A build script of ours tells the linker where the memory lies, and starts
/// nothing.
#[test]
fn no_build_script_of_ours_starts_a_program_or_opens_a_connection() {
    let ours = ["core", "host", "protocol", "tests", "fuzz"];
    let boards = [
        "app", "cortex", "m33", "riscv", "rp2040", "rp2350", "rtic", "stm32f4",
    ]
    .map(|board| format!("firmware-example/{board}"));
    for folder in ours.map(String::from).into_iter().chain(boards) {
        let script = repository().join(&folder).join("build.rs");
        assert!(!script.exists(), "{folder}");
    }
    // The boards share one script.
    let script = repository().join("firmware-example/link.rs");
    let script = std::fs::read_to_string(script).expect("the boards' build script");
    for word in ["Command", "net::", "extern crate"] {
        assert!(!script.contains(word), "{word}");
    }
}

#[test]
fn the_firmware_that_deploy_carries_is_made_from_the_present_sources() {
    let check = repository().join(".ci/firmware");
    let output = Command::new(check).arg("--check").output();
    let output = output.expect("a shell");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
}

/// Counts linked packages, without macros and build scripts. Code in two versions
/// takes flash twice.
#[test]
fn nothing_of_ours_is_on_a_board_twice() {
    let arguments = ["--locked", "--edges", "normal", "--package"];
    for package in ["rate2spike-core", "rate2spike-protocol"] {
        let all = packages(&repository(), &[&arguments[..], &[package]].concat());
        let linked = all
            .iter()
            .filter(|package| !package.source.contains("proc-macro"));
        let linked: Vec<&Package> = linked.filter(|package| !is_of_a_macro(package)).collect();
        let names: BTreeSet<&str> = linked.iter().map(|package| &*package.name).collect();
        assert_eq!(names.len(), linked.len(), "{package}: {linked:?}");
    }
}

/// The packages that a macro is made of run during the build.
fn is_of_a_macro(package: &Package) -> bool {
    ["syn", "quote", "proc-macro2", "unicode-ident"].contains(&&*package.name)
}
