//! The product on processors without AVX-512, which nothing calls.

/// A type without a value.
#[derive(Clone, Debug)]
pub enum Packed {}

impl Packed {
    /// `None`.
    pub fn new(_: &[usize], _: &[u32], _: impl Fn(usize, usize) -> f32) -> Option<Self> {
        None
    }

    /// Nothing: no value of this type exists.
    pub fn add_product(&self, _: &[f32], _: &mut [f32]) {
        match *self {}
    }
}
