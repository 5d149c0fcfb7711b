//! Training on a GPU from the command line: what happens on a machine without one,
//! and, where the `wgpu` back end finds a device, that it trains.

use std::process::{Command, Output};

/// Runs the program in a folder of its own, as on a machine without CUDA.
fn run(line: &str) -> (tempfile::TempDir, Output) {
    let folder = tempfile::tempdir().expect("a folder");
    let output = Command::new(env!("CARGO_BIN_EXE_rate2spike"))
        .args(line.split_whitespace())
        .current_dir(folder.path())
        // A driver, where there is one, then shows no device.
        .env("CUDA_VISIBLE_DEVICES", "")
        .output()
        .expect("the program starts");
    (folder, output)
}

fn messages(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

#[test]
fn a_machine_without_cuda_gets_a_sentence_and_status_1() {
    let (_folder, output) = run("train --task go-nogo --N 5 --n_trials 2 --backend cuda");
    let text = messages(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(!text.contains("panicked"), "{text}");
    assert!(text.contains("--backend cpu"), "{text}");
    let built = text.contains("cargo build --release --features cuda");
    assert_eq!(built, !cfg!(feature = "cuda"), "{text}");
}

#[test]
fn auto_falls_back_to_the_cpu_with_a_notice() {
    let line = "train --task go-nogo --N 5 --n_trials 2 --json --backend auto";
    let (folder, output) = run(line);
    let text = messages(&output);
    assert!(text.contains("training on the CPU"), "{text}");
    assert!(folder.path().join("models").is_dir(), "{text}");
    let json = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(json.contains("\"trials\":2"), "{json}");
}

#[test]
fn the_published_flags_are_accepted_and_a_wrong_number_is_a_usage_error() {
    let published = "train --task go-nogo --N 5 --n_trials 2 --gpu 0 --gpu_frac 0.2";
    let (folder, output) = run(published);
    let text = messages(&output);
    assert!(text.contains("--gpu has no effect"), "{text}");
    assert!(folder.path().join("models").is_dir(), "{text}");
    let (_folder, output) = run("train --task go-nogo --backend cuda --gpu one");
    assert_eq!(output.status.code(), Some(2), "{}", messages(&output));
}

/// Several networks on whatever device Vulkan, Metal or DirectX offers.
#[cfg(feature = "wgpu")]
#[test]
fn several_seeds_are_trained_at_once_and_saved() {
    use rate2spike::rate::gpu::device::wgpu;
    if let Err(reason) = wgpu::find() {
        let required = std::env::var_os("RATE2SPIKE_REQUIRE_ALL");
        assert!(required.is_none(), "{reason}");
        println!("skipped: {reason}");
        return;
    }
    let line = "train --task go-nogo --N 8 --n_trials 3 --backend wgpu --seeds 4..6 --json";
    let (folder, output) = run(line);
    // Three updates do not meet the criterion.
    assert_eq!(output.status.code(), Some(1), "{}", messages(&output));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["trained"], 0);
    let networks = report["networks"].as_array().expect("networks");
    let seeds: Vec<_> = networks
        .iter()
        .map(|network| network["seed"].as_u64())
        .collect();
    assert_eq!(seeds, [Some(4), Some(5), Some(6)]);
    for network in networks {
        let model = network["model"].as_str().expect("a path");
        assert!(folder.path().join(model).is_file(), "{model}");
        assert_eq!(network["trials"], 3);
    }
}
