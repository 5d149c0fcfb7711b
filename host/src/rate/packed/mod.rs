//! Matrix times vector for one trial at a time, where few weights exist.
//!
//! A product with all weights reads the whole matrix from the second cache. [`Packed`] reads
//! the existing weights alone, in the order of a [`Layout`]. Each sum has its products in the order of the factors, so that
//! its bits are those of [`super::matvec`].

#[cfg(not(target_arch = "x86_64"))]
mod absent;
#[cfg(target_arch = "x86_64")]
mod avx512;

#[cfg(not(target_arch = "x86_64"))]
pub use absent::{Layout, Packed};
#[cfg(target_arch = "x86_64")]
pub use avx512::{Layout, Packed};

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::rate::matvec::Columns;

    #[test]
    fn the_sums_have_the_bits_of_the_product_with_all_weights() {
        for n in [1, 5, 130, 300, 333] {
            let mut word = 1u32;
            let mut next = || {
                word = word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                word >> 8
            };
            let mut all = vec![0.0; n * n];
            let (mut first, mut factors) = (vec![0], Vec::new());
            for i in 0..n {
                for j in (0..n).filter(|_| next() % 10 == 0).collect::<Vec<_>>() {
                    all[i * n + j] = next() as f32 / 1e7 - 0.8;
                    factors.push(j as u32);
                }
                first.push(factors.len());
            }
            let x: Vec<f32> = (0..n).map(|_| next() as f32 / 1e7 - 0.8).collect();
            let columns = Columns::from_columns(&all, n);
            let existing = all.into_iter().filter(|&w| w != 0.0);
            let layout = Arc::new(Layout::new(&first, &factors));
            let Some(mut packed) = Packed::new(layout, existing) else {
                println!("skipped: this processor has no AVX-512");
                return;
            };
            // Forwards and backwards.
            for _ in 0..2 {
                let (mut wanted, mut found) = (vec![0.5; n], vec![0.5; n]);
                columns.add_product(&x, &mut wanted);
                packed.add_product(&x, &mut found);
                assert_eq!(found, wanted, "n = {n}");
            }
        }
    }
}
