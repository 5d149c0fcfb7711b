//! The product on processors without AVX-512, which nothing calls.

use std::sync::Arc;

/// The order of products that are not made.
#[derive(Clone, Debug)]
pub struct Layout;

impl Layout {
    /// Nothing is arranged.
    pub fn new(_: &[usize], _: &[u32]) -> Self {
        Self
    }
}

/// A type without a value.
#[derive(Clone, Debug)]
pub enum Packed {}

impl Packed {
    /// `None`.
    pub fn new(_: Arc<Layout>, _: impl Iterator<Item = f32>) -> Option<Self> {
        None
    }

    /// Nothing: no value of this type exists.
    pub fn add_product(&mut self, _: &[f32], _: &mut [f32]) {
        match *self {}
    }
}
