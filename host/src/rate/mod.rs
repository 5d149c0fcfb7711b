//! The continuous rate network: its options, its numbers, its gradient and its
//! training.
//!
//! ```text
//! x_i[t] = (1 − 1/τ_i) x_i[t−1] + (1/τ_i) (Σ_j w_ij r_j[t−1] + Σ_k w_in,ik u_k[t−1]) + noise
//! r_i[t] = φ(x_i[t])            o[t] = Σ_i w_out,i r_i[t] + b_out
//! ```
//!
//! [`options`] says what to train, and [`fields`] lists the options for command lines
//! and tables. [`network`] holds the numbers of a network in the terms of the published
//! code, [`activation`] is φ, [`loss`] the loss, [`batch`] draws trials and noise, and
//! [`normal`] their deviates. [`recurrence`] runs the equations over time and back,
//! and [`sparse`] does so for networks with few weights. [`model`] is the
//! network as a Burn module, [`training`] trains it, [`evaluation`] scores it,
//! [`settling`] decides when the training ends, [`restarts`] trains from several random starts,
//! and [`checkpoint`] stops a training and goes on with it. [`ensemble`] trains many networks at once, for back ends that need
//! much to do; [`gpu`] is such a back end.

pub mod activation;
pub mod aligned;
pub mod batch;
pub mod checkpoint;
pub mod connections;
pub mod ensemble;
pub mod evaluation;
pub mod fields;
pub mod gpu;
pub mod loss;
pub mod matvec;
pub mod model;
pub mod network;
pub mod normal;
pub mod optimizer;
pub mod options;
pub mod packed;
pub mod recurrence;
pub mod restarts;
pub mod settling;
pub mod shown;
pub mod siegert;
pub mod spare;
pub mod sparse;
pub mod training;
