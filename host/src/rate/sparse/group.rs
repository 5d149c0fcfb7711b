//! The parameters of the compressed recurrence, and the groups of lanes in which trials lie
//! side by side.

use std::sync::Arc;

use crate::rate::connections::Connections;
use crate::rate::network::RateNetwork;
use crate::rate::recurrence;
use crate::rate::spare::Spare;
use crate::readout::Readout;

/// Lanes whose derivatives are summed first.
pub(super) const EIGHT: usize = 8;

/// Lanes of a large group: the numbers in a vector of 512 bits.
pub(super) const SIXTEEN: usize = 16;

/// The numbers that the recurrence depends on.
#[derive(Clone, Debug)]
pub struct Parameters {
    /// The weights that exist.
    pub connections: Arc<Connections>,
    /// The existing effective weights.
    pub w: Vec<f32>,
    /// The readout, K × N.
    pub readout: Readout<f32>,
    /// Decay time constants in steps, N.
    pub tau: Vec<f32>,
}

impl Parameters {
    /// The numbers of `network`, of whose weights these exist.
    pub fn of(network: &RateNetwork, connections: Arc<Connections>) -> Self {
        let recurrence::Parameters {
            w, readout, tau, ..
        } = network.parameters();
        Self {
            w: connections.taken_from(&w),
            connections,
            readout,
            tau,
        }
    }
}

/// Trials side by side, and the arrays of their run; T × N × L. Entry 0 of `drift` is
/// unused.
#[derive(Clone, Debug)]
pub(super) struct Group {
    /// The first trial.
    pub first: usize,
    /// L. A lane beyond the last trial has neither input nor derivative.
    pub lanes: usize,
    pub r: Spare,
    pub slope: Spare,
    pub drift: Spare,
}

impl Group {
    /// The groups of `trials` trials with room for `kept` samples of N units.
    pub fn all(trials: usize, kept: usize, units: usize) -> Vec<Self> {
        let mut groups = Vec::new();
        let mut first = 0;
        let threads = rayon::current_num_threads();
        while first < trials {
            let left = trials - first;
            let large = left > EIGHT && trials > EIGHT * threads;
            let lanes = if large { SIXTEEN } else { EIGHT };
            let array = || Spare::dirty(kept * units * lanes);
            groups.push(Self {
                first,
                lanes,
                r: array(),
                slope: array(),
                drift: array(),
            });
            first += lanes;
        }
        groups
    }
}
