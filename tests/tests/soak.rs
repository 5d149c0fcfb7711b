//! A short soak of each task; `cargo run --release -p rate2spike-tests --bin
//! soak` is the long one.

use rate2spike::spiking::experiment::Experiment;
use rate2spike::task::Task;
use rate2spike_core::blob::Deployed;
use rate2spike_tests::soak::soak;
use rate2spike_tests::untrained;

#[test]
fn trials_in_a_row_spike_as_in_parts_and_take_no_memory() {
    for task in Task::built_in() {
        let bytes = untrained(task.clone(), 16, 1.0);
        let network = Deployed::read(&bytes).expect("our own");
        let experiment = Experiment::deployed(&network, &task, 1);
        let mut trials = 0;
        let soaked = soak(&experiment, 3000, |done| trials = done);
        assert_eq!(trials, 3000);
        assert_eq!(soaked.in_a_row, soaked.in_parts, "{}", task.name());
        let growth = soaked.growth.unwrap_or(0);
        assert!(growth < 1 << 20, "{}: {growth} bytes", task.name());
        // The score has the same hash.
        assert_eq!(experiment.score(3000).spike_hash, soaked.in_a_row);
    }
}
