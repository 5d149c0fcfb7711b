//! Each kernel is compiled by NVRTC and assembled by ptxas.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use rate2spike_cuda::ARCHITECTURES;

/// What ptxas reports for a kernel.
struct Assembled {
    registers: u32,
    /// Bytes.
    spilled: u32,
}

/// Writes the texts of all kernels below `folder`, a sub-folder for each architecture; the names
/// of the kernels in the order of their files.
fn write(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for architecture in &ARCHITECTURES {
        let kernels = architecture.kernels();
        let folder = folder.join(architecture.name);
        std::fs::create_dir_all(&folder).expect("a writable folder");
        for (index, (_, text)) in kernels.iter().enumerate() {
            std::fs::write(folder.join(format!("{index:02}.cu")), text).expect("a writable folder");
        }
        names = kernels.into_iter().map(|(name, _)| name).collect();
    }
    names
}

/// What the script prints, by architecture and number of the kernel.
fn read(printed: &str) -> BTreeMap<(String, usize), Assembled> {
    let line = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [architecture, file, registers, stores, loads] = words[..] else {
            panic!("five words: {line}");
        };
        let number = |word: &str| word.parse::<u32>().expect("a number");
        let assembled = Assembled {
            registers: number(registers),
            spilled: number(stores) + number(loads),
        };
        ((architecture.to_owned(), number(file) as usize), assembled)
    };
    printed.lines().map(line).collect()
}

/// What the script prints; `None` where NVRTC or ptxas is not installed, which is a failure where
/// nothing may be skipped.
fn compile(folder: &Path) -> Option<String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("compile.py");
    let output = Command::new("python3").arg(script).arg(folder).output();
    let errors = match &output {
        Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
        Err(error) => error.to_string(),
    };
    if output.is_err() || errors.contains("ModuleNotFoundError") {
        let all = std::env::var_os("RATE2SPIKE_REQUIRE_ALL").is_some();
        assert!(
            !all,
            "skipped although RATE2SPIKE_REQUIRE_ALL is set: {errors}"
        );
        eprintln!("skipped: NVRTC and ptxas are not installed for python3 (see compile.py)");
        return None;
    }
    let output = output.expect("the script ran");
    assert!(output.status.success(), "{errors}");
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn nvrtc_compiles_each_kernel_for_both_architectures_and_only_the_adjoint_spills() {
    let folder = tempfile::tempdir().expect("a folder");
    let names = write(folder.path());
    let Some(printed) = compile(folder.path()) else {
        return;
    };
    let assembled = read(&printed);
    assert_eq!(assembled.len(), ARCHITECTURES.len() * names.len());

    println!("| kernel | sm_80: registers, spills | sm_90a: registers, spills |");
    println!("|---|---|---|");
    for (index, name) in names.iter().enumerate() {
        let cells = ARCHITECTURES.iter().map(|architecture| {
            let found = &assembled[&(architecture.name.to_owned(), index)];
            format!("{}, {} bytes", found.registers, found.spilled)
        });
        println!("| {name} | {} |", cells.collect::<Vec<_>>().join(" | "));
    }
    for ((architecture, index), kernel) in &assembled {
        let name = &names[*index];
        // ptxas moves some weights of the adjoint to memory. CubeCL orders the shared arrays
        // otherwise from run to run, and their number changes with it: 0 or 1184 bytes with N = 250.
        let most = if name.starts_with("adjoint") { 2048 } else { 0 };
        assert!(
            kernel.spilled <= most,
            "{name} on {architecture}: {} bytes",
            kernel.spilled
        );
    }
}
