//! What people and programs read: the one writer of words and JSON, and paths in it.

pub mod console;
pub mod path;
