//! The recurrence of [`super::recurrence`] for networks most of whose weights do not
//! exist.
//!
//! Trials lie side by side: arrays are T × N × L, with a lane for each of L trials. A
//! weight is then one number for all lanes, and the rates of its sender are one vector.
//! [`connections`] says which weights exist, [`forward`] and [`adjoint`] run a group of
//! lanes. The sums over the senders have the order of the dense form, so that both give
//! the same outputs bit for bit.
//!
//! A group has 8 or 16 lanes. Groups run on several threads. A derivative is summed over 8
//! lanes first and then over these eights in the order of the trials: the bits depend
//! neither on the size of the groups nor on the number of threads.

mod adjoint;
pub mod connections;
mod forward;

use std::sync::Arc;

use pulp::Arch;
use rayon::prelude::*;

use super::activation::Activation;
use super::batch::Batch;
use super::network::RateNetwork;
use super::recurrence::Gradient;
use super::spare::Spare;
use crate::readout::Readout;
use connections::Connections;

/// Lanes whose derivatives are summed first.
const EIGHT: usize = 8;

/// Lanes of a large group: the numbers in a vector of 512 bits.
const SIXTEEN: usize = 16;

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
        let super::recurrence::Parameters { w, readout, tau } = network.parameters();
        Self {
            w: connections.taken_from(&w),
            connections,
            readout,
            tau,
        }
    }
}

/// True if trials side by side are faster than the dense form. A trial alone leaves all
/// lanes but one empty, which pays where few weights exist.
pub fn pays(trials: usize, connections: &Connections) -> bool {
    trials > 1 || connections.density() < 1.0 / EIGHT as f64
}

/// The arrays that a forward pass leaves for the adjoint.
#[derive(Clone, Debug)]
pub struct Trajectory {
    groups: Vec<Group>,
}

/// Trials side by side, and the arrays of their run; T × N × L. Entry 0 of `drift` is
/// unused.
#[derive(Clone, Debug)]
struct Group {
    /// The first trial.
    first: usize,
    /// L. A lane beyond the last trial has neither input nor derivative.
    lanes: usize,
    r: Spare,
    slope: Spare,
    drift: Spare,
}

impl Group {
    /// The groups of `trials` trials with room for `kept` samples of N units.
    fn all(trials: usize, kept: usize, units: usize) -> Vec<Self> {
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

/// Runs the network through `batch`. Returns the outputs, B × (T − 1) × K, and the arrays
/// that the adjoint needs.
pub fn forward(
    parameters: &Parameters,
    activation: &Activation,
    fluctuation: f32,
    batch: &Batch,
) -> (Vec<f32>, Trajectory) {
    run(parameters, activation, fluctuation, batch, batch.samples)
}

/// The outputs alone, B × (T − 1) × K, in the memory of two samples.
pub fn outputs(
    parameters: &Parameters,
    activation: &Activation,
    fluctuation: f32,
    batch: &Batch,
) -> Vec<f32> {
    run(parameters, activation, fluctuation, batch, 2).0
}

/// Runs forward, with room for `kept` samples.
fn run(
    parameters: &Parameters,
    activation: &Activation,
    fluctuation: f32,
    batch: &Batch,
    kept: usize,
) -> (Vec<f32>, Trajectory) {
    let mut groups = Group::all(batch.trials, kept, parameters.tau.len());
    let pass = forward::Pass {
        parameters,
        activation,
        fluctuation,
        batch,
        kept,
    };
    let arch = Arch::new();
    let run = |group: &mut Group| match group.lanes {
        SIXTEEN => arch.dispatch(forward::Run::<SIXTEEN> { pass: &pass, group }),
        _ => arch.dispatch(forward::Run::<EIGHT> { pass: &pass, group }),
    };
    let outputs: Vec<Vec<f32>> = match &mut groups[..] {
        [group] => vec![run(group)],
        groups => groups.par_iter_mut().map(run).collect(),
    };
    (outputs.concat(), Trajectory { groups })
}

/// The gradient, from the derivative of the loss by the outputs, B × (T − 1) × K. Its `w`
/// has the existing weights; its `w_in` is empty unless `inputs` is set.
pub fn adjoint(
    parameters: &Parameters,
    batch: &Batch,
    trajectory: &Trajectory,
    by_output: &[f32],
    inputs: bool,
) -> Gradient {
    let pass = adjoint::Pass::new(parameters, batch, by_output, inputs);
    let arch = Arch::new();
    let run = |group: &Group| match group.lanes {
        SIXTEEN => arch.dispatch(adjoint::Run::<SIXTEEN> { pass: &pass, group }),
        _ => arch.dispatch(adjoint::Run::<EIGHT> { pass: &pass, group }),
    };
    let parts: Vec<Vec<adjoint::Part>> = match &trajectory.groups[..] {
        [group] => vec![run(group)],
        groups => groups.par_iter().map(run).collect(),
    };
    let mut parts = parts.into_iter().flatten();
    let mut sum = parts.next().expect("a batch has a trial");
    parts.for_each(|part| sum.add(&part));
    let k = parameters.readout.outputs();
    let tau = sum.alpha.iter().zip(&parameters.tau);
    Gradient {
        w: sum.w,
        w_in: sum.w_in,
        readout: Readout {
            weights: sum.w_out,
            offset: (0..k)
                .map(|output| by_output.iter().skip(output).step_by(k).sum())
                .collect(),
        },
        tau: tau
            .map(|(by_alpha, tau)| {
                let alpha = 1.0 / tau;
                -by_alpha * alpha * alpha
            })
            .collect(),
    }
}
