//! The product on processors that never have AVX-512: there is none.

/// Does not exist.
#[derive(Clone, Debug)]
pub enum Packed {}

impl Packed {
    /// `None`.
    pub fn new(_: &[usize], _: &[u32], _: impl Fn(usize, usize) -> f32) -> Option<Self> {
        None
    }

    /// Never called.
    pub fn add_product(&self, _: &[f32], _: &mut [f32]) {
        match *self {}
    }
}
