//! The derivatives by the weights, summed over time.

use super::group::EIGHT;
use crate::rate::aligned::Aligned;
use crate::rate::connections::Connections;

/// Samples that are added at once: their sums do not fit into the first cache, so that each
/// is fetched once for several samples.
pub(super) const CHUNK: usize = 8;

/// Senders whose rates in the samples of a chunk stay in the first cache.
const SENDERS: usize = 48;

/// Weights of a receiver that are worth the fetch of its derivatives. A network with fewer weights
/// among [`SENDERS`] senders takes more of these, whose rates come from the second cache.
const RUN_WEIGHTS: usize = 8;

/// The weights in the order in which their derivatives are summed: senders of a block
/// together, and those of a block receiver by receiver.
pub(super) struct Runs {
    /// N.
    units: usize,
    runs: Vec<Run>,
    /// The sender of each weight.
    senders: Vec<u32>,
}

/// The weights of a receiver whose senders are of one block.
struct Run {
    receiver: usize,
    /// Their place among all weights, receiver by receiver.
    first: usize,
    /// Number of weights.
    count: usize,
}

impl Runs {
    /// The weights of `connections`.
    pub fn new(connections: &Connections) -> Self {
        let units = connections.first.len() - 1;
        let mut next = connections.first.clone();
        let mut found = Self {
            units,
            runs: Vec::new(),
            senders: Vec::with_capacity(connections.len()),
        };
        let senders = RUN_WEIGHTS * units * units / connections.len().max(1);
        let senders = senders.max(SENDERS);
        for end in (0..units).step_by(senders).map(|block| block + senders) {
            let rows = next.iter_mut().zip(&connections.first[1..]);
            for (receiver, (first, row_end)) in rows.enumerate() {
                let left = &connections.senders[*first..*row_end];
                let in_block = left.iter().take_while(|&&sender| (sender as usize) < end);
                let count = in_block.count();
                if count > 0 {
                    found.senders.extend(&left[..count]);
                    found.runs.push(Run {
                        receiver,
                        first: *first,
                        count,
                    });
                    *first += count;
                }
            }
        }
        assert!(
            found
                .senders
                .iter()
                .all(|&sender| (sender as usize) < units),
            "N units"
        );
        found
    }
}

/// The derivatives by the weights, in the order of [`Runs`], in every lane.
pub(super) struct ByWeight<'a, const L: usize> {
    runs: &'a Runs,
    sums: Aligned,
}

impl<'a, const L: usize> ByWeight<'a, L> {
    /// Zeros.
    pub fn new(runs: &'a Runs) -> Self {
        Self {
            runs,
            sums: Aligned::zeros(runs.senders.len() * L),
        }
    }

    /// sums[i, j] += Σ y[t, i] r[t − 1, j] over the samples of a chunk, in their order. `y` is
    /// CHUNK × N.
    #[inline(always)]
    pub fn add(&mut self, y: &[[f32; L]], r: &[&[[f32; L]]; CHUNK]) {
        let n = self.runs.units;
        assert!(r.iter().all(|r| r.len() == n), "N units");
        let mut sums = self.sums.as_chunks_mut::<L>().0;
        let mut senders = &self.runs.senders[..];
        for run in &self.runs.runs {
            let y: [[f32; L]; CHUNK] = std::array::from_fn(|s| y[s * n + run.receiver]);
            let (now, later) = std::mem::take(&mut sums).split_at_mut(run.count);
            let (of_now, of_later) = senders.split_at(run.count);
            (sums, senders) = (later, of_later);
            for (total, j) in now.iter_mut().zip(of_now) {
                let mut sum = *total;
                for s in 0..CHUNK {
                    // SAFETY: `Runs` holds units below N, and r has N entries.
                    let r = unsafe { r[s].get_unchecked(*j as usize) };
                    for l in 0..L {
                        sum[l] = y[s][l].mul_add(r[l], sum[l]);
                    }
                }
                *total = sum;
            }
        }
    }

    /// The sums over eight lanes, receiver by receiver.
    pub fn sums(&self, eight: usize) -> Vec<f32> {
        let mut found = vec![0.0; self.runs.senders.len()];
        let mut sums = self.sums.as_chunks::<L>().0.iter();
        for run in &self.runs.runs {
            let places = found[run.first..][..run.count].iter_mut();
            for (place, lanes) in places.zip(&mut sums) {
                *place = lanes[eight * EIGHT..][..EIGHT].iter().sum();
            }
        }
        found
    }
}
