//! K networks of the same shape side by side, for back ends that are fast only
//! when they have much to do at once.
//!
//! Shapes: K networks, N units, B trials, T samples. The recurrence is that of
//! [`super::recurrence`], with the readout as one more row of the weights, so
//! that each step is one product. With A = (W; w_outᵀ), (N + 1) × N:
//!
//! ```text
//! forward    (I, o)[t] = A r[t] + (input[t], b_out)     adjoint   r̄[t] = Aᵀ z[t]
//!            g[t+1] = I[t] − x[t]                                 x̄[t] = φ'(x[t]) ∘ r̄[t] + (1 − α) ∘ x̄[t+1]
//!            x[t+1] = x[t] + α ∘ g[t+1] + noise                   z[t−1] = (α ∘ x̄[t], ō[t−1])
//!            r[t+1] = φ(x[t+1]) + fluctuation                     Ā = Σ z[t] r[t]ᵀ,  ᾱ = Σ x̄[t] ∘ g[t]
//! ```
//!
//! A back end that can do this is a [`SideBySide`]. The functions of [`operations`] run
//! on any back end, by tensor operations; `rate::gpu` has kernels. The input and the
//! noise of the networks are in [`trials`]. [`model`] is K networks as one Burn module,
//! and [`training`] trains them.

mod arrays;
pub mod model;
pub mod operations;
mod side_by_side;
pub mod training;
pub mod trials;

pub use arrays::{Costate, Couplings, Drive, Trajectory};
pub use side_by_side::{SideBySide, adjoint, recurrence};
