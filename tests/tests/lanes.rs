//! The unit tests of core with other numbers of lanes than that of this machine: a
//! microcontroller has one lane. Some of them hold spikes, potentials and outputs in
//! floating point to fixed hashes.

use std::process::Command;

use rate2spike_tests::emulator::repository;

/// The file of core's unit tests, compiled with this number of lanes.
fn compiled(lanes: &str) -> String {
    let output = Command::new("cargo")
        .current_dir(repository())
        .args(["rustc", "--package", "rate2spike-core", "--lib"])
        .args(["--profile", "test", "--message-format", "json", "--"])
        .args(["--cfg", &format!("rate2spike_lanes=\"{lanes}\"")])
        .output()
        .expect("cargo runs");
    let messages = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let name = "\"executable\":\"";
    let mut files = messages.lines().filter_map(|line| line.split(name).nth(1));
    let file = files.next_back().and_then(|file| file.split('"').next());
    file.expect("a test program").into()
}

#[test]
fn spikes_potentials_and_outputs_have_the_same_bits_with_one_four_and_eight_lanes() {
    for lanes in ["1", "4", "8"] {
        let output = Command::new(compiled(lanes)).output();
        let output = output.expect("the test program runs");
        let printed = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{lanes} lanes:\n{printed}");
        let same = printed.matches("_have_the_same_bits_with_each_number_of_lanes ... ok");
        assert_eq!(same.count(), 2, "{lanes} lanes:\n{printed}");
        println!(
            "{lanes} lanes: {}",
            printed.trim_end().lines().last().unwrap_or("")
        );
    }
}
