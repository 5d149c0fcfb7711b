//! Matrix times vector for one trial at a time.
//!
//! A trial's recurrence is a chain of products with one matrix that fits into
//! the second cache but not into the first: what counts is to read it once, in
//! order, in whole cache lines, and to leave the sums in registers. So every
//! column begins at a cache line, and is filled with zeros up to the next one.
//! docs/experiments.md compares other layouts.

use pulp::{Arch, Simd, WithSimd};

use super::aligned::{Aligned, LINE};

/// The columns of an N × N matrix, one after the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Columns {
    n: usize,
    values: Aligned,
}

impl Columns {
    /// The columns are the rows of `w`, N × N row by row: the transpose of it.
    pub fn from_rows(w: &[f32], n: usize) -> Self {
        let mut columns = Self::zero(n, w.len());
        let stride = columns.stride();
        if n > 0 {
            let values = columns.values_mut().chunks_exact_mut(stride);
            for (column, row) in values.zip(w.chunks_exact(n)) {
                column[..n].copy_from_slice(row);
            }
        }
        columns
    }

    /// The columns of `w`, N × N row by row.
    pub fn from_columns(w: &[f32], n: usize) -> Self {
        let mut columns = Self::zero(n, w.len());
        let stride = columns.stride();
        let values = columns.values_mut();
        // In squares of a cache line each way, so that every line that is
        // fetched is used up.
        for rows in (0..n).step_by(LINE) {
            for first in (0..n).step_by(LINE) {
                for j in first..(first + LINE).min(n) {
                    for i in rows..(rows + LINE).min(n) {
                        values[j * stride + i] = w[i * n + j];
                    }
                }
            }
        }
        columns
    }

    fn zero(n: usize, entries: usize) -> Self {
        assert_eq!(entries, n * n, "one entry a pair of units");
        Self {
            n,
            values: Aligned::zeros(n * n.next_multiple_of(LINE)),
        }
    }

    /// Entries from the start of a column to that of the next.
    pub fn stride(&self) -> usize {
        self.n.next_multiple_of(LINE)
    }

    /// All entries, the zeros at the end of each column included.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }

    /// Adds `Σ_j x[j] · column j` to `sums`; both have N entries.
    pub fn add_product(&self, x: &[f32], sums: &mut [f32]) {
        assert_eq!(x.len(), self.n, "one factor a column");
        assert_eq!(sums.len(), self.n, "one sum a row");
        Arch::new().dispatch(Product {
            columns: self,
            x,
            sums,
        });
    }
}

struct Product<'a> {
    columns: &'a Columns,
    x: &'a [f32],
    sums: &'a mut [f32],
}

impl WithSimd for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Product { columns, x, sums } = self;
        let vectors = columns.n.div_ceil(S::F32_LANES);
        // Equal shares, none of them small: a sum that stands alone waits for
        // itself at every column.
        let shares = vectors.div_ceil(MOST_VECTORS);
        let mut first = 0;
        for share in 0..shares {
            let end = vectors * (share + 1) / shares;
            let at = first * S::F32_LANES;
            let job = Job { columns, x, at };
            match end - first {
                1 => rows::<S, 1>(simd, job, sums),
                2 => rows::<S, 2>(simd, job, sums),
                3 => rows::<S, 3>(simd, job, sums),
                4 => rows::<S, 4>(simd, job, sums),
                5 => rows::<S, 5>(simd, job, sums),
                6 => rows::<S, 6>(simd, job, sums),
                7 => rows::<S, 7>(simd, job, sums),
                8 => rows::<S, 8>(simd, job, sums),
                9 => rows::<S, 9>(simd, job, sums),
                10 => rows::<S, 10>(simd, job, sums),
                11 => rows::<S, 11>(simd, job, sums),
                12 => rows::<S, 12>(simd, job, sums),
                13 => rows::<S, 13>(simd, job, sums),
                _ => rows::<S, MOST_VECTORS>(simd, job, sums),
            }
            first = end;
        }
    }
}

/// Vectors of sums that are kept in registers at once: with 16 registers two
/// are left, for the factor and a piece of a column.
const MOST_VECTORS: usize = 14;

/// A share of the rows of a product.
struct Job<'a> {
    columns: &'a Columns,
    /// A factor for each column.
    x: &'a [f32],
    /// The first row.
    at: usize,
}

/// The sums of `VECTORS` vectors of rows.
#[inline(always)]
fn rows<S: Simd, const VECTORS: usize>(simd: S, job: Job, sums: &mut [f32]) {
    let Job { columns, x, at } = job;
    let width = VECTORS * S::F32_LANES;
    let end = (at + width).min(sums.len());
    let mut kept = [simd.splat_f32s(0.0); VECTORS];
    for (column, &x) in columns.values().chunks_exact(columns.stride()).zip(x) {
        let (pieces, _) = S::as_simd_f32s(&column[at..at + width]);
        let x = simd.splat_f32s(x);
        for (kept, piece) in kept.iter_mut().zip(pieces) {
            *kept = simd.mul_add_f32s(x, *piece, *kept);
        }
    }
    let kept: &[f32] = bytemuck::cast_slice(&kept);
    sums[at..end]
        .iter_mut()
        .zip(kept)
        .for_each(|(sum, kept)| *sum += kept);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_has_the_sums_of_the_definition() {
        for n in (0..70).chain([127, 128, 129, 200, 333]) {
            let w: Vec<f32> = (0..n * n)
                .map(|k| ((k * 7919) % 31) as f32 - 15.0)
                .collect();
            let x: Vec<f32> = (0..n).map(|k| ((k * 13) % 7) as f32 - 3.0).collect();
            let (mut sums, mut transposed) = (vec![1.0; n], vec![1.0; n]);
            Columns::from_columns(&w, n).add_product(&x, &mut sums);
            Columns::from_rows(&w, n).add_product(&x, &mut transposed);
            for i in 0..n {
                // Small whole numbers: exact in any order.
                let wanted = 1.0 + (0..n).map(|j| w[i * n + j] * x[j]).sum::<f32>();
                assert_eq!(sums[i], wanted, "n = {n}, i = {i}");
                let wanted = 1.0 + (0..n).map(|j| w[j * n + i] * x[j]).sum::<f32>();
                assert_eq!(transposed[i], wanted, "transposed, n = {n}, i = {i}");
            }
        }
    }
}
