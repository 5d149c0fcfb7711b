//! Trials of a spiking network while they run: what there is to see
//! ([`scene`]), how far it goes between two looks ([`play`]), how it is drawn
//! ([`view`]), and the [`terminal`] that it is drawn on.

pub mod play;
pub mod scene;
pub mod terminal;
pub mod view;
