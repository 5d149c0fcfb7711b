//! The product with AVX-512.
//!
//! 16 sums lie side by side, and each takes its own weights alone: an instruction brings to each
//! of the 16 the factor that it needs, out of 32 that follow one another.

use std::ops::Range;
use std::sync::Arc;

use pulp::x86::V4;

use crate::rate::aligned::{Aligned, LINE};

/// Factors out of which an instruction takes those of 16 sums.
const FACTORS: usize = 2 * LINE;

/// Products of a sum that are made together.
const ROUNDS: usize = 4;

/// Groups of 16 sums whose products are made in turn, since each sum waits for itself.
const GROUPS: usize = 4;

/// The next products of 16 sums, without the weights.
#[derive(Clone, Copy, Debug)]
struct Products {
    /// The 16 sums.
    group: usize,
    /// The first of the 32 factors.
    factor: usize,
}

/// The place of the factor of each product among 32: a byte for each round.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Places([u32; LINE]);

/// The order in which the products are made. It depends on which weights exist, but not on their
/// values.
#[derive(Clone, Debug)]
pub struct Layout {
    n: usize,
    products: Vec<Products>,
    /// The places of the factors of each entry of `products`.
    places: Vec<Places>,
    /// The products of several groups of sums.
    parts: Vec<Range<usize>>,
    /// The place of each weight in [`Packed::w`].
    slots: Vec<usize>,
}

impl Layout {
    /// The products of N sums with N factors. The factors of sum i, which ascend, are at
    /// `first[i]..first[i + 1]` of `factors`.
    pub fn new(first: &[usize], factors: &[u32]) -> Self {
        let n = first.len() - 1;
        assert!(
            factors.iter().all(|&factor| (factor as usize) < n),
            "N factors"
        );
        let mut layout = Self {
            n,
            products: Vec::new(),
            places: Vec::new(),
            parts: Vec::new(),
            slots: vec![0; factors.len()],
        };
        let mut next = first.to_vec();
        let groups: Vec<usize> = (0..n.div_ceil(LINE)).collect();
        for groups in groups.chunks(GROUPS) {
            let begin = layout.products.len();
            while groups
                .iter()
                .filter(|&&group| layout.push(group, &mut next, first, factors))
                .count()
                > 0
            {}
            layout.parts.push(begin..layout.products.len());
        }
        layout
    }

    /// Adds the next products of a group of sums, whose next factors are at `next`. The window of
    /// 32 factors begins at the first one that a sum still needs. False if none needs any.
    fn push(&mut self, group: usize, next: &mut [usize], first: &[usize], factors: &[u32]) -> bool {
        let sums = group * LINE..(group * LINE + LINE).min(self.n);
        let needed = |i: usize| factors[next[i]..first[i + 1]].first();
        let Some(&begin) = sums.clone().filter_map(needed).min() else {
            return false;
        };
        let mut places = [0; LINE];
        for i in sums {
            let left = factors[next[i]..first[i + 1]].iter().take(ROUNDS);
            let offsets = left.map(|factor| factor - begin);
            let offsets = offsets.take_while(|&offset| offset < FACTORS as u32);
            let lane = i % LINE;
            for (round, offset) in offsets.enumerate() {
                places[lane] |= offset << (8 * round);
                self.slots[next[i]] = (self.products.len() * ROUNDS + round) * LINE + lane;
                next[i] += 1;
            }
        }
        let factor = begin as usize;
        self.products.push(Products { group, factor });
        self.places.push(Places(places));
        true
    }
}

/// The existing weights of an N × N matrix, and the memory of a product.
#[derive(Clone, Debug)]
pub struct Packed {
    simd: V4,
    layout: Arc<Layout>,
    /// The weights of each of [`Layout::products`], rounds × 16; zero where a sum has no further
    /// product.
    w: Aligned,
    /// The factors; zeros behind them fill the last window.
    x: Aligned,
    sums: Aligned,
    /// True if the last part is the next one to begin with.
    backwards: bool,
}

impl Packed {
    /// The weights `w`, in the order of the factors of `layout`. `None` if the processor has no
    /// AVX-512.
    pub fn new(layout: Arc<Layout>, w: impl Iterator<Item = f32>) -> Option<Self> {
        let simd = V4::try_new()?;
        let mut values = Aligned::zeros(layout.products.len() * ROUNDS * LINE);
        let places = &mut values[..];
        layout
            .slots
            .iter()
            .zip(w)
            .for_each(|(&slot, w)| places[slot] = w);
        Some(Self {
            simd,
            w: values,
            x: Aligned::zeros(layout.n + FACTORS),
            sums: Aligned::zeros(layout.n.next_multiple_of(LINE)),
            backwards: false,
            layout,
        })
    }

    /// Adds to each of `sums` its products with `x`; both have N entries.
    pub fn add_product(&mut self, x: &[f32], sums: &mut [f32]) {
        assert_eq!(x.len(), self.layout.n, "one factor a column");
        assert_eq!(sums.len(), self.layout.n, "one sum a row");
        self.x[..x.len()].copy_from_slice(x);
        self.simd.vectorize(Job(self));
        let found = sums.iter_mut().zip(self.sums.iter());
        found.for_each(|(sum, found)| *sum += found);
    }
}

/// A product, as [`pulp`] wants it.
struct Job<'a>(&'a mut Packed);

impl pulp::NullaryFnOnce for Job<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Packed {
            simd,
            layout,
            w,
            x,
            sums,
            backwards,
        } = self.0;
        let simd = simd.avx512f;
        sums.fill(0.0);
        let sums = sums.as_chunks_mut::<LINE>().0;
        let w = w.as_chunks::<LINE>().0.as_chunks::<ROUNDS>().0;
        let parts = layout.parts.len();
        for part in 0..parts {
            // The first cache does not hold all weights. It still has the last ones of the product
            // before, with which this one begins.
            let part = if *backwards { parts - 1 - part } else { part };
            let part = layout.parts[part].clone();
            let products = layout.products[part.clone()].iter();
            let weights = layout.places[part.clone()].iter().zip(&w[part]);
            for (Products { group, factor }, (Places(places), w)) in products.zip(weights) {
                let factors: &[f32; FACTORS] = x[*factor..].first_chunk().expect("zeros follow");
                let [low, high]: [[f32; LINE]; 2] = bytemuck::cast(*factors);
                let (low, high) = (pulp::cast(low), pulp::cast(high));
                let sums = &mut sums[*group];
                let mut sum = pulp::cast(*sums);
                let mut places = pulp::cast(*places);
                for w in w {
                    let factors = simd._mm512_permutex2var_ps(low, places, high);
                    sum = simd._mm512_fmadd_ps(pulp::cast(*w), factors, sum);
                    places = simd._mm512_srli_epi32::<8>(places);
                }
                *sums = pulp::cast(sum);
            }
        }
        *backwards = !*backwards;
    }
}
