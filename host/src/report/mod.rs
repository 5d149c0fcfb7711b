//! The story of a run, in figures and on a page.
//!
//! [`observe`] runs the three forms of the network on the same trials,
//! [`figures`] draws what it saw on a [`canvas`], [`story`] puts the parts in
//! their order, [`page`] makes them HTML and [`picture`] PNG.

pub mod canvas;
pub mod figures;
pub mod observe;
pub mod page;
pub mod picture;
pub mod story;
