//! The story of a run, in figures and on a page.
//!
//! [`observe`] runs the three forms of the network on the same trials and records
//! them. [`figures`] draws the records on a [`canvas`], [`story`] puts the parts of the
//! page in their order, [`page`] writes the page as HTML, and [`picture`] writes a figure
//! as PNG. [`files`] finds the files of a run.

pub mod canvas;
pub mod figures;
pub mod files;
pub mod observe;
pub mod page;
pub mod picture;
pub mod story;
