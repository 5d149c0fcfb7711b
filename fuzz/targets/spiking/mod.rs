//! The spiking network, compiled from the host's sources; `import` makes one.

#[path = "../../../host/src/spiking/network.rs"]
pub mod network;
#[path = "../../../host/src/spiking/neuron.rs"]
pub mod neuron;
#[path = "../../../host/src/spiking/time_step.rs"]
pub mod time_step;
