//! Arrays that begin at a cache line.
//!
//! A vector of 512 bits that does not begin at a cache line takes two of them, which
//! halves the speed of the products.

use std::ops::{Deref, DerefMut};

/// Numbers in a cache line of 64 bytes.
pub(super) const LINE: usize = 16;

/// A cache line.
#[derive(Clone, Copy, Debug, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C, align(64))]
struct Line([f32; LINE]);

/// Numbers, the first of which begins a cache line.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Aligned {
    lines: Vec<Line>,
    length: usize,
}

impl Aligned {
    /// `length` zeros.
    pub fn zeros(length: usize) -> Self {
        Self {
            lines: vec![Line([0.0; LINE]); length.div_ceil(LINE)],
            length,
        }
    }
}

impl From<Vec<f32>> for Aligned {
    fn from(values: Vec<f32>) -> Self {
        let mut array = Self::zeros(values.len());
        array.copy_from_slice(&values);
        array
    }
}

impl Deref for Aligned {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &bytemuck::cast_slice(&self.lines)[..self.length]
    }
}

impl DerefMut for Aligned {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut bytemuck::cast_slice_mut(&mut self.lines)[..self.length]
    }
}
