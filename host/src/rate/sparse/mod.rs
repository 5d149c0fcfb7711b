//! The recurrence of [`super::recurrence`] for networks most of whose weights do not
//! exist.
//!
//! Trials lie side by side: arrays are T × N × L, with a lane for each of L trials. A
//! weight is then one number for all lanes, and the rates of its sender are one vector.
//! [`Connections`] says which weights exist, [`forward`] and [`adjoint`] run a group of
//! lanes. The sums over the senders have the order of the dense form, so that both give
//! the same outputs bit for bit.
//!
//! A group has 8 or 16 lanes. Groups run on several threads. A derivative is summed over 8
//! lanes first and then over these eights in the order of the trials: the bits depend
//! neither on the size of the groups nor on the number of threads.

mod adjoint;
mod by_weight;
mod forward;
mod group;
mod table;

use pulp::Arch;
use rayon::prelude::*;

use super::activation::Activation;
use super::batch::Batch;
use super::connections::Connections;
use super::recurrence::{Gradient, LossSlope};
use crate::readout::Readout;
use group::{EIGHT, Group, SIXTEEN};

pub use group::Parameters;

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

/// The gradient, from the derivative of the loss. Its `w`
/// has the existing weights; its `w_in` is empty unless `inputs` is set.
pub fn adjoint(
    parameters: &Parameters,
    batch: &Batch,
    trajectory: &Trajectory,
    slope: LossSlope,
    inputs: bool,
) -> Gradient {
    let by_output = slope.by_output;
    let pass = adjoint::Pass::new(parameters, batch, slope, inputs);
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
