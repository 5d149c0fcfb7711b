//! The weights in the order in which the products take them.

/// Units whose sums are made together: what belongs to them stays in the first cache.
pub(super) const BLOCK: usize = 16;

/// Units of a block that are summed at once, since each sum waits for itself.
const ROWS: usize = 4;

/// The weights of each unit of one side, and the units of the other side.
pub(super) struct Table {
    /// N.
    units: usize,
    quads: Vec<Quad>,
    entries: Vec<Entry>,
}

/// Units that are summed at once. Those of a block are taken by their numbers of weights, so that
/// few entries are empty.
struct Quad {
    /// The place of each unit in its block.
    rows: [usize; ROWS],
    /// Number of these units.
    count: usize,
    /// The entries.
    first: usize,
    end: usize,
}

/// The next weight of each of four units, and the unit on the other side; a weight of zero where a
/// unit has no further one.
#[derive(Clone, Copy)]
struct Entry {
    units: [u32; ROWS],
    w: [f32; ROWS],
}

impl Table {
    /// The table of the weights `w` and of the units on the other side; those of unit i are at
    /// `first[i]..first[i + 1]`.
    pub fn new(first: &[usize], units: &[u32], w: &[f32]) -> Self {
        let n = first.len() - 1;
        assert!(units.iter().all(|&unit| (unit as usize) < n), "N units");
        let count = |i: usize| first[i + 1] - first[i];
        let mut table = Self {
            units: n,
            quads: Vec::with_capacity(n.div_ceil(BLOCK) * (BLOCK / ROWS)),
            entries: Vec::with_capacity(units.len() / ROWS + units.len() / 8),
        };
        for block in (0..n).step_by(BLOCK) {
            let mut order: Vec<usize> = (block..(block + BLOCK).min(n)).collect();
            order.sort_by_key(|&i| count(i));
            for quad in order.chunks(ROWS) {
                let begin = table.entries.len();
                let length = quad.iter().map(|&i| count(i)).max().unwrap_or(0);
                let empty = Entry {
                    units: [0; ROWS],
                    w: [0.0; ROWS],
                };
                table.entries.resize(begin + length, empty);
                let mut rows = [0; ROWS];
                for (k, &i) in quad.iter().enumerate() {
                    rows[k] = i - block;
                    let range = first[i]..first[i + 1];
                    let weights = units[range.clone()].iter().zip(&w[range]);
                    for (entry, (unit, w)) in table.entries[begin..].iter_mut().zip(weights) {
                        entry.units[k] = *unit;
                        entry.w[k] = *w;
                    }
                }
                table.quads.push(Quad {
                    rows,
                    count: quad.len(),
                    first: begin,
                    end: table.entries.len(),
                });
            }
        }
        table
    }

    /// sums[i] = start[i] + Σ w x for the units i of a block, over the weights of each in their
    /// order.
    #[inline(always)]
    pub fn add_to<const L: usize>(
        &self,
        block: usize,
        start: &[[f32; L]],
        x: &[[f32; L]],
        sums: &mut [[f32; L]],
    ) {
        assert_eq!(x.len(), self.units, "N units");
        // SAFETY: `new` holds units below N, and x has N entries.
        let at = |unit: u32| unsafe { x.get_unchecked(unit as usize) };
        let quads = block * (BLOCK / ROWS)..;
        let quads = self.quads[quads].iter().take(sums.len().div_ceil(ROWS));
        for quad in quads {
            let mut found = [[0.0f32; L]; ROWS];
            for Entry { units, w } in &self.entries[quad.first..quad.end] {
                for k in 0..ROWS {
                    add_one(&mut found[k], w[k], at(units[k]));
                }
            }
            for (found, &row) in found.iter().zip(&quad.rows[..quad.count]) {
                let start = start[row];
                let mut sum = [0.0f32; L];
                for l in 0..L {
                    sum[l] = start[l] + found[l];
                }
                sums[row] = sum;
            }
        }
    }
}

/// sum += w · r, in every lane.
#[inline(always)]
fn add_one<const L: usize>(sum: &mut [f32; L], w: f32, r: &[f32; L]) {
    for l in 0..L {
        sum[l] = w.mul_add(r[l], sum[l]);
    }
}

/// Ends the body of a loop over units. Without this call the compiler makes vectors of 16 units,
/// which lie apart, in place of the lanes of a unit, which lie together.
#[inline(always)]
pub(super) fn one_by_one() {
    std::hint::black_box(());
}
