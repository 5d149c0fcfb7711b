//! Many trials in a row: the same spikes as in parts, in the same memory.

use rate2spike::spiking::experiment::Experiment;
use rate2spike::spiking::trial::Memory;
use rate2spike_core::blob::Deployed;
use rate2spike_core::trial::SpikeHash;

/// Parts in which the trials are run a second time.
pub const PARTS: u64 = 8;

/// The result of a soak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Soaked {
    /// Hash of the trials' hashes, all trials one after the other, in one
    /// state that is used again and again.
    pub in_a_row: u64,
    /// Hash of the same trials' hashes, where each part has a state of its own.
    pub in_parts: u64,
    /// Growth of the program from the first hundredth of the trials in a row to the
    /// last, in bytes; `None` where the system does not report it.
    pub growth: Option<i64>,
}

/// Runs the first `trials` trials in a row and in parts.
pub fn soak(experiment: &Experiment<Deployed>, trials: u64, mut done: impl FnMut(u64)) -> Soaked {
    let parts: Vec<Vec<u64>> = std::thread::scope(|scope| {
        let run = |part: u64| {
            let (first, end) = (trials * part / PARTS, trials * (part + 1) / PARTS);
            let mut memory = Memory::of(experiment.network);
            (first..end)
                .map(|index| experiment.outcome(&mut memory, index).spike_hash)
                .collect()
        };
        let parts: Vec<_> = (0..PARTS)
            .map(|part| scope.spawn(move || run(part)))
            .collect();
        let parts = parts.into_iter();
        parts
            .map(|part| part.join().expect("a part goes to its end"))
            .collect()
    });
    let mut in_parts = SpikeHash::default();
    parts
        .iter()
        .flatten()
        .for_each(|&hash| in_parts.add_hash(hash));
    let mut in_a_row = SpikeHash::default();
    let mut memory = Memory::of(experiment.network);
    let mut early = None;
    for index in 0..trials {
        in_a_row.add_hash(experiment.outcome(&mut memory, index).spike_hash);
        if index == trials / 100 {
            early = resident_bytes();
        }
        done(index + 1);
    }
    let late = resident_bytes();
    Soaked {
        in_a_row: in_a_row.value(),
        in_parts: in_parts.value(),
        growth: early.zip(late).map(|(early, late)| late - early),
    }
}

/// Memory of the program now, as Linux reports it.
fn resident_bytes() -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kilobytes: i64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(1024 * kilobytes)
}
