//! The product with AVX-512.
//!
//! 16 sums lie side by side, and each takes its own weights alone: an instruction brings to each
//! of the 16 the factor that it needs, out of 32.

use pulp::x86::V4;

use crate::rate::aligned::{Aligned, LINE};

/// Factors out of which an instruction takes those of 16 sums.
const FACTORS: usize = 2 * LINE;

/// Products of a sum that are made together.
const ROUNDS: usize = 4;

/// The next products of 16 sums.
#[derive(Clone, Copy, Debug, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C, align(64))]
struct Products {
    /// The place of the factor of each product among 32: a byte for each round.
    places: [u32; LINE],
    /// The weights; zero where a sum has no further product.
    w: [[f32; LINE]; ROUNDS],
}

/// The existing weights of an N × N matrix.
#[derive(Clone, Debug)]
pub struct Packed {
    simd: V4,
    n: usize,
    /// Number of [`Products`] of each 32 factors with each 16 sums, sums fastest.
    counts: Vec<usize>,
    products: Vec<Products>,
}

impl Packed {
    /// The weights `w(i, j)` of sum i and factor j. The factors of sum i, which ascend, are at
    /// `first[i]..first[i + 1]` of `factors`. `None` if the processor has no AVX-512.
    pub fn new(first: &[usize], factors: &[u32], w: impl Fn(usize, usize) -> f32) -> Option<Self> {
        let simd = V4::try_new()?;
        let n = first.len() - 1;
        let mut next = first.to_vec();
        let groups = n.div_ceil(LINE);
        let blocks = n.div_ceil(FACTORS);
        let mut found = Self {
            simd,
            n,
            counts: Vec::with_capacity(groups * blocks),
            products: Vec::with_capacity(groups * blocks),
        };
        for block in 0..blocks {
            for group in 0..groups {
                let begin = found.products.len();
                for i in group * LINE..(group * LINE + LINE).min(n) {
                    let mut round = 0;
                    while next[i] < first[i + 1]
                        && (factors[next[i]] as usize) < (block + 1) * FACTORS
                    {
                        let place = begin + round / ROUNDS;
                        if place == found.products.len() {
                            found.products.push(bytemuck::Zeroable::zeroed());
                        }
                        let products = &mut found.products[place];
                        let factor = factors[next[i]] as usize;
                        let place = (factor - block * FACTORS) as u32;
                        products.places[i % LINE] |= place << (8 * (round % ROUNDS));
                        products.w[round % ROUNDS][i % LINE] = w(i, factor);
                        next[i] += 1;
                        round += 1;
                    }
                }
                found.counts.push(found.products.len() - begin);
            }
        }
        Some(found)
    }

    /// Adds to each of `sums` its products with `x`; both have N entries.
    pub fn add_product(&self, x: &[f32], sums: &mut [f32]) {
        assert_eq!(x.len(), self.n, "one factor a column");
        assert_eq!(sums.len(), self.n, "one sum a row");
        let packed = self;
        self.simd.vectorize(Job { packed, x, sums });
    }
}

/// A product, as [`pulp`] wants it.
struct Job<'a> {
    packed: &'a Packed,
    x: &'a [f32],
    sums: &'a mut [f32],
}

impl pulp::NullaryFnOnce for Job<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Packed {
            simd,
            n,
            counts,
            products,
        } = self.packed;
        let simd = simd.avx512f;
        let groups = n.div_ceil(LINE);
        let mut x = Aligned::zeros(n.next_multiple_of(FACTORS));
        x[..*n].copy_from_slice(self.x);
        let mut sums = Aligned::zeros(groups * LINE);
        let mut products = &products[..];
        let factors = x.as_chunks::<FACTORS>().0;
        for (factors, counts) in factors.iter().zip(counts.chunks_exact(groups)) {
            let [low, high]: [[f32; LINE]; 2] = bytemuck::cast(*factors);
            let (low, high) = (pulp::cast(low), pulp::cast(high));
            for (sums, count) in sums.as_chunks_mut::<LINE>().0.iter_mut().zip(counts) {
                let (now, later) = products.split_at(*count);
                products = later;
                let mut sum = pulp::cast(*sums);
                for Products { places, w } in now {
                    let mut places = pulp::cast(*places);
                    for w in w {
                        let factors = simd._mm512_permutex2var_ps(low, places, high);
                        sum = simd._mm512_fmadd_ps(pulp::cast(*w), factors, sum);
                        places = simd._mm512_srli_epi32::<8>(places);
                    }
                }
                *sums = pulp::cast(sum);
            }
        }
        let found = self.sums.iter_mut().zip(sums.iter());
        found.for_each(|(sum, found)| *sum += found);
    }
}
