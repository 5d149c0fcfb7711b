//! The search for λ: the network is simulated with each candidate, and the
//! first of the best wins, as in the published code.
