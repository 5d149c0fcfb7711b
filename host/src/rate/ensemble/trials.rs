//! The trials and the noise of K networks, on a device.

use std::sync::Arc;

use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use rayon::prelude::*;

use crate::rate::batch::{Batch, TrialRange};
use crate::rate::network::RateNetwork;
use crate::task::Task;

/// B trials for each of K networks: the arrays of [`Batch`] one network after
/// the other.
#[derive(Clone, Debug)]
pub struct Trials<B: Backend> {
    /// x at the first sample, K × B × N.
    pub start: Tensor<B, 3>,
    /// `Σ_k w_in,ik u_k[t]`, K × T × B × N.
    pub current: Tensor<B, 4>,
    /// Added to `x[t]`, K × T × B × N; entry 0 is not used.
    pub noise: Option<Tensor<B, 4>>,
    /// Unit normal deviates that drive the fluctuations of r, K × T × B × N.
    pub fluctuations: Option<Tensor<B, 4>>,
    /// The output that is wanted, K × B × (T − 1).
    pub target: Tensor<B, 3>,
    /// The target on the host.
    pub target_values: Vec<f32>,
    /// The right answers, K × B.
    pub labels: Vec<i16>,
}

/// The source of the trials of K networks: each network has its own seed and
/// its own input weights.
#[derive(Clone, Debug)]
pub struct TrialSource<B: Backend> {
    /// The task.
    pub task: Task,
    /// The networks; their recurrent weights do not matter here. K.
    pub networks: Vec<Arc<RateNetwork>>,
    /// The seeds of their streams, K.
    pub seeds: Vec<u64>,
    /// w_in, K × N × channels.
    pub w_in: Tensor<B, 3>,
    /// The device of the tensors.
    pub device: B::Device,
}

impl<B: Backend> Trials<B> {
    /// The batches of K networks of `units` units; all of them of one shape.
    pub fn of_batches(batches: &[Batch], units: usize, device: &B::Device) -> Self {
        let first = batches.first().expect("at least one network");
        let (k, t, b, n) = (batches.len(), first.samples, first.trials, units);
        let joined = |field: fn(&Batch) -> &[f32]| -> Vec<f32> {
            batches
                .iter()
                .flat_map(|batch| field(batch).iter().copied())
                .collect()
        };
        let steps = |values: Vec<f32>| -> Option<Tensor<B, 4>> {
            (!values.is_empty())
                .then(|| Tensor::from_data(TensorData::new(values, [k, t, b, n]), device))
        };
        let rows = |values: Vec<f32>, width: usize| -> Tensor<B, 3> {
            Tensor::from_data(TensorData::new(values, [k, b, width]), device)
        };
        let target_values = joined(|batch| &batch.target);
        Self {
            start: rows(joined(|batch| &batch.start), n),
            current: steps(joined(|batch| &batch.current)).expect("a trial has samples"),
            noise: steps(joined(|batch| &batch.noise)),
            fluctuations: steps(joined(|batch| &batch.fluctuations)),
            target: rows(target_values.clone(), t - 1),
            target_values,
            labels: batches
                .iter()
                .flat_map(|batch| batch.labels.clone())
                .collect(),
        }
    }
}

impl<B: Backend> TrialSource<B> {
    /// The trials of these networks.
    pub fn new(
        task: &Task,
        networks: Vec<Arc<RateNetwork>>,
        seeds: Vec<u64>,
        device: &B::Device,
    ) -> Self {
        let shape = [networks.len(), networks[0].units, networks[0].channels];
        let w_in = networks
            .iter()
            .flat_map(|network| network.w_in.iter().copied());
        let w_in = Tensor::from_data(TensorData::new(w_in.collect::<Vec<_>>(), shape), device);
        Self {
            task: task.clone(),
            networks,
            seeds,
            w_in,
            device: device.clone(),
        }
    }

    /// The trials of the networks in these places.
    pub fn select(&self, places: &[usize]) -> Self {
        Self::new(
            &self.task,
            places.iter().map(|&k| self.networks[k].clone()).collect(),
            places.iter().map(|&k| self.seeds[k]).collect(),
            &self.device,
        )
    }

    /// Draws trials and noise as [`Batch::draw`] does, then copies them to the
    /// device.
    pub fn draw_on_host(&self, range: TrialRange) -> Trials<B> {
        let batches: Vec<Batch> = self
            .networks
            .par_iter()
            .zip(&self.seeds)
            .map(|(network, &seed)| Batch::draw(network, &self.task, seed, range))
            .collect();
        Trials::of_batches(&batches, self.networks[0].units, &self.device)
    }
}
