//! The networks that are missing, on several threads.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rate2spike_core::neuron::Scheme;

use super::SweepError;
use super::network;
use super::plan::{Member, SweepPlan};
use super::row::Row;
use super::rows::{self, RowsFile};
use super::slurm::JobShare;
use crate::interrupt::{self, Ending};
use crate::spiking::time_step::TimeStep;

/// The networks of a sweep that this process runs, and the rows that there are.
pub struct Work {
    file: RowsFile,
    rows: Vec<Row>,
    missing: Vec<Member>,
    /// Networks, and those of them that have a row.
    pub networks: usize,
    /// Networks that had a row before.
    pub done: usize,
}

impl Work {
    /// The networks of the sweep in `folder`, or those of one share.
    ///
    /// # Errors
    /// If the rows cannot be read, or another process writes to them.
    pub fn open(
        plan: &SweepPlan,
        folder: &Path,
        share: Option<JobShare>,
    ) -> Result<Self, SweepError> {
        TimeStep::new(plan.step_ms, Scheme::Exact)?;
        let all = plan.members();
        let (file, own) = RowsFile::open(folder, share.map(|share| share.index), plan)?;
        let done = own.len();
        let (members, rows) = match share {
            // An earlier array with another number of elements may have run some of them.
            Some(share) => (share.take(&all), rows::read_all(folder, plan)?),
            None => (&all[..], own),
        };
        let missing = rows::missing(plan, &rows);
        let here = members.iter().filter(|member| missing.contains(member));
        Ok(Self {
            missing: here.copied().collect(),
            networks: members.len(),
            done,
            file,
            rows,
        })
    }

    /// Runs the networks that have no row yet, and calls `finished` after each; returns all
    /// rows.
    ///
    /// # Errors
    /// If a row cannot be written.
    pub fn run(
        mut self,
        plan: &SweepPlan,
        finished: impl Fn() + Send + Sync,
    ) -> Result<Vec<Row>, SweepError> {
        let done = Arc::new(AtomicUsize::new(self.rows.len()));
        let all = self.rows.len() + self.missing.len();
        let _ending = Ending::with({
            let done = done.clone();
            move || {
                let done = done.load(Ordering::SeqCst);
                format!(
                    "{done} of {all} networks have a row; the same command goes on with the others"
                )
            }
        });
        run(plan, &self.missing, rayon::current_num_threads(), |row| {
            // No line is cut.
            let held = interrupt::hold();
            self.file.add(&row)?;
            done.fetch_add(1, Ordering::SeqCst);
            drop(held);
            self.rows.push(row);
            finished();
            Ok(())
        })?;
        rows::sort(&mut self.rows);
        Ok(self.rows)
    }
}

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
