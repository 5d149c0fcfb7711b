//! The networks that are missing, on several threads.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::SweepError;
use super::network;
use super::plan::{Member, SweepPlan};
use super::row::Row;

/// Runs `members` on `threads` threads, one network on each. `finished` gets each row,
/// one at a time; an error that it returns stops the sweep.
///
/// Each thread has a rayon pool of one thread. The trials of a network, which run in
/// parallel elsewhere, therefore stay on this thread, and no more than `threads` work.
///
/// # Errors
/// The error of `finished`, or [`SweepError::Threads`] if a thread does not start.
pub fn run(
    plan: &SweepPlan,
    members: &[Member],
    threads: usize,
    finished: impl FnMut(Row) -> Result<(), SweepError> + Send,
) -> Result<(), SweepError> {
    let threads = threads.min(members.len());
    let pools = (0..threads)
        .map(|_| rayon::ThreadPoolBuilder::new().num_threads(1).build())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| SweepError::Threads(error.to_string()))?;
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let finished = Mutex::new(finished);
    let failure = Mutex::new(None);
    let work = || {
        while !stop.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(&member) = members.get(index) else {
                return;
            };
            let row = network::run(plan, member);
            let mut finished = finished.lock().unwrap_or_else(|error| error.into_inner());
            if let Err(error) = finished(row) {
                stop.store(true, Ordering::Relaxed);
                let mut failure = failure.lock().unwrap_or_else(|error| error.into_inner());
                failure.get_or_insert(error);
            }
        }
    };
    std::thread::scope(|scope| {
        for pool in &pools {
            scope.spawn(|| pool.install(work));
        }
    });
    let failure = failure.into_inner();
    let failure = failure.unwrap_or_else(|error| error.into_inner());
    failure.map_or(Ok(()), Err)
}
