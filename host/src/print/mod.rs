//! What people and programs read: the one writer of words and JSON, and the form of
//! numbers and paths in it.

pub mod console;
pub mod number;
pub mod path;
