//! Trials of a spiking network, drawn while they run. [`play`] steps the network and
//! fills a [`scene`], which [`view`] draws on a [`terminal`], 25 times a second.

pub mod play;
pub mod scene;
pub mod terminal;
pub mod view;
