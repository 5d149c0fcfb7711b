//! Memory of a training that is used again by the next update.
//!
//! An update needs some arrays of T × B × N numbers. Fresh ones would come from
//! the operating system page by page, which costs more than what is computed
//! with them.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};

use super::aligned::Aligned;

/// Arrays that a thread keeps: those of one update, and no more.
const KEPT: usize = 14;

thread_local! {
    static SPARE: RefCell<Vec<Aligned>> = const { RefCell::new(Vec::new()) };
}

/// An array that goes back to its thread's store when it is dropped.
#[derive(Debug, Default, PartialEq)]
pub struct Spare(Aligned);

impl Spare {
    /// `length` numbers with arbitrary values. The caller writes each of them before
    /// it reads any.
    pub fn dirty(length: usize) -> Self {
        let found = SPARE.with_borrow_mut(|spare| {
            let fits = spare.iter().position(|array| array.len() == length);
            fits.map(|index| spare.swap_remove(index))
        });
        Self(found.unwrap_or_else(|| Aligned::zeros(length)))
    }

    /// `length` zeros.
    pub fn zeros(length: usize) -> Self {
        let mut array = Self::dirty(length);
        array.fill(0.0);
        array
    }
}

impl Clone for Spare {
    fn clone(&self) -> Self {
        let mut copy = Self::dirty(self.len());
        copy.copy_from_slice(self);
        copy
    }
}

impl From<Vec<f32>> for Spare {
    fn from(array: Vec<f32>) -> Self {
        Self(array.into())
    }
}

impl Drop for Spare {
    fn drop(&mut self) {
        let array = std::mem::take(&mut self.0);
        if array.is_empty() {
            return;
        }
        // At the end of a thread its store may be gone already.
        let _ = SPARE.try_with(|spare| {
            let mut spare = spare.borrow_mut();
            if spare.len() == KEPT {
                spare.remove(0);
            }
            spare.push(array);
        });
    }
}

impl Deref for Spare {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.0
    }
}

impl DerefMut for Spare {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.0
    }
}
