//! Matrix times vector for one trial at a time.
//!
//! A trial's recurrence is a chain of products with one matrix that fits into
//! the second cache but not into the first: what counts is to read it once, in
//! order, and to leave the sums in registers. With the general product, which is
//! not made for a single column, an update of 200 units took 1.25 ms, with this
//! one 1.00 ms (`cargo bench -p rate2spike --bench training -- update/go-nogo/200/1`).

use pulp::{Arch, Simd, WithSimd};

/// Adds `Σ_j x[j] · columns[j]` to `sums`. `columns` holds the N columns of an
/// N × N matrix one after the other; `x` and `sums` have N entries.
pub fn add_product(columns: &[f32], x: &[f32], sums: &mut [f32]) {
    assert_eq!(sums.len(), x.len(), "the matrix is square");
    assert_eq!(
        columns.len(),
        x.len() * x.len(),
        "one entry a pair of units"
    );
    if x.is_empty() {
        return;
    }
    Arch::new().dispatch(Product { columns, x, sums });
}

struct Product<'a> {
    columns: &'a [f32],
    x: &'a [f32],
    sums: &'a mut [f32],
}

impl WithSimd for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Product { columns, x, sums } = self;
        let mut at = 0;
        // Vectors of sums that stay in registers: many, so that each column is
        // read in long pieces, then fewer for what is left.
        while at + 8 * S::F32_LANES <= x.len() {
            rows::<S, 8>(simd, (columns, x), at, sums);
            at += 8 * S::F32_LANES;
        }
        while at + 2 * S::F32_LANES <= x.len() {
            rows::<S, 2>(simd, (columns, x), at, sums);
            at += 2 * S::F32_LANES;
        }
        while at < x.len() {
            let end = (at + S::F32_LANES).min(x.len());
            let mut sum = simd.partial_load_f32s(&sums[at..end]);
            for (column, &x) in columns.chunks_exact(x.len()).zip(x) {
                let piece = simd.partial_load_f32s(&column[at..end]);
                sum = simd.mul_add_f32s(simd.splat_f32s(x), piece, sum);
            }
            simd.partial_store_f32s(&mut sums[at..end], sum);
            at = end;
        }
    }
}

/// The sums of `VECTORS` vectors of rows from `at` on.
#[inline(always)]
fn rows<S: Simd, const VECTORS: usize>(
    simd: S,
    (columns, x): (&[f32], &[f32]),
    at: usize,
    sums: &mut [f32],
) {
    let range = at..at + VECTORS * S::F32_LANES;
    let (sums, _) = S::as_mut_simd_f32s(&mut sums[range.clone()]);
    let mut kept: [S::f32s; VECTORS] = std::array::from_fn(|k| sums[k]);
    for (column, &x) in columns.chunks_exact(x.len()).zip(x) {
        let (pieces, _) = S::as_simd_f32s(&column[range.clone()]);
        let x = simd.splat_f32s(x);
        for (kept, piece) in kept.iter_mut().zip(pieces) {
            *kept = simd.mul_add_f32s(x, *piece, *kept);
        }
    }
    sums.copy_from_slice(&kept);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_has_the_sums_of_the_definition() {
        for n in (0..70).chain([127, 128, 129, 200, 333]) {
            let columns: Vec<f32> = (0..n * n)
                .map(|k| ((k * 7919) % 31) as f32 - 15.0)
                .collect();
            let x: Vec<f32> = (0..n).map(|k| ((k * 13) % 7) as f32 - 3.0).collect();
            let mut sums = vec![1.0; n];
            add_product(&columns, &x, &mut sums);
            for (i, sum) in sums.iter().enumerate() {
                // Small whole numbers: exact in any order.
                let wanted = 1.0 + (0..n).map(|j| columns[j * n + i] * x[j]).sum::<f32>();
                assert_eq!(*sum, wanted, "n = {n}, i = {i}");
            }
        }
    }
}
