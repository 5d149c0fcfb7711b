//! The loss of a trial: the number that a training makes small.
//!
//! Shapes: B trials, T samples, K outputs. Outputs, targets and masks are B × (T − 1) × K:
//! the output at t = 1 … T−1 meets the target of the sample before, as in the published
//! code. With target z, mask m, softmax p over the K outputs, and label k:
//!
//! ```text
//! L1      Σ m |o − z|                         L2      √ Σ m (o − z)²
//! Class   −log p_k(mean of o in the window)   Label   −Σ m z log p(o) / Σ m z
//! ```
//!
//! Sums run over the samples and outputs of a trial; the loss of a batch is the mean of its
//! trials.

use std::ops::Range;

use burn::tensor::activation::log_softmax;
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData, s};
use rate2spike_core::decision::Kind;

use super::batch::Batch;
use super::options::Loss;
use crate::task::Task;

/// The loss of a task's trials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Objective {
    /// Distance of the outputs from the target.
    L1,
    /// Distance of the outputs from the target, in the Euclidean norm.
    L2,
    /// Cross-entropy of the trial's class, by the mean outputs in a window.
    Class {
        /// Entries of the output in the window.
        window: Range<usize>,
    },
    /// Cross-entropy of each sample's class.
    Label,
}

/// What the outputs of a batch should be, as tensors.
#[derive(Clone, Debug)]
pub struct Wanted<B: Backend> {
    /// B × (T − 1)·K.
    target: Tensor<B, 2>,
    /// B × (T − 1)·K; `None` if all values weigh the same.
    mask: Option<Tensor<B, 2>>,
    /// One for the class of each trial, zero for the others; B × K.
    classes: Tensor<B, 2>,
}

impl<B: Backend> Wanted<B> {
    /// The targets and labels of `batch`.
    pub fn new(batch: &Batch) -> Self {
        let device = B::Device::default();
        let (b, k) = (batch.trials, batch.outputs);
        let rows = |values: Vec<f32>| -> Tensor<B, 2> {
            let width = values.len() / b;
            Tensor::from_data(TensorData::new(values, [b, width]), &device)
        };
        let classes = batch.labels.iter().flat_map(|&label| {
            (0..k).map(move |output| f32::from(u8::from(usize::try_from(label) == Ok(output))))
        });
        Self {
            target: rows(batch.target.clone()),
            mask: batch.mask.clone().map(rows),
            classes: rows(classes.collect()),
        }
    }
}

impl Objective {
    /// The objective of a training on `task` with this loss.
    pub fn new(task: &Task, loss: Loss) -> Self {
        match loss {
            Loss::L1 => Self::L1,
            Loss::L2 => Self::L2,
            Loss::CrossEntropy if task.definition().kind == Kind::Label => Self::Label,
            Loss::CrossEntropy => {
                let window = task.rate_decision().mean;
                let first = (window.first as usize).saturating_sub(1);
                Self::Class {
                    window: first..window.last as usize,
                }
            }
        }
    }

    /// The mean loss of the trials of a batch, from outputs B × (T − 1)·K.
    pub fn of_batch<B: Backend>(&self, outputs: Tensor<B, 2>, wanted: Wanted<B>) -> Tensor<B, 1> {
        let Wanted {
            target,
            mask,
            classes,
        } = wanted;
        let [b, k] = classes.dims();
        let masked = |values: Tensor<B, 2>| match mask.clone() {
            Some(mask) => values * mask,
            None => values,
        };
        match self {
            Self::L1 => masked((outputs - target).abs()).sum_dim(1).mean(),
            Self::L2 => masked((outputs - target).square()).sum_dim(1).sqrt().mean(),
            Self::Class { window } => {
                let steps = outputs.dims()[1] / k;
                let outputs = outputs.reshape([b, steps, k]);
                let mean = outputs.slice(s![.., window.clone(), ..]).mean_dim(1);
                let surprise = -log_softmax(mean.reshape([b, k]), 1);
                (surprise * classes).sum_dim(1).mean()
            }
            Self::Label => {
                let shape = outputs.dims();
                let surprise = -log_softmax(outputs.reshape([shape[0] * shape[1] / k, k]), 1);
                let weights = masked(target);
                let total = weights.clone().sum_dim(1).clamp_min(f32::MIN_POSITIVE);
                ((surprise.reshape(shape) * weights).sum_dim(1) / total).mean()
            }
        }
    }

    /// The loss of one trial, from outputs and target (T − 1) × K.
    pub fn of_trial(&self, trial: &OneTrial) -> f64 {
        let &OneTrial {
            outputs,
            target,
            mask,
            label,
            classes,
        } = trial;
        let weight = |index: usize| mask.map_or(1.0, |mask| f64::from(mask[index]));
        let errors = outputs.iter().zip(target).map(|(o, z)| f64::from(o - z));
        let weighted = errors.enumerate().map(|(index, e)| (weight(index), e));
        match self {
            Self::L1 => weighted.map(|(m, e)| m * e.abs()).sum::<f64>(),
            Self::L2 => weighted.map(|(m, e)| m * e * e).sum::<f64>().sqrt(),
            Self::Class { window } => {
                let rows = outputs.chunks_exact(classes).take(window.end);
                let mut mean = vec![0.0; classes];
                for row in rows.skip(window.start) {
                    for (mean, o) in mean.iter_mut().zip(row) {
                        *mean += f64::from(*o) / window.len() as f64;
                    }
                }
                let of_label = usize::try_from(label).ok().and_then(|k| mean.get(k));
                of_label.map_or(0.0, |o| log_sum_exp(&mean) - o)
            }
            Self::Label => {
                let (mut sum, mut total) = (0.0, 0.0);
                let rows = outputs
                    .chunks_exact(classes)
                    .zip(target.chunks_exact(classes));
                for (sample, (o, z)) in rows.enumerate() {
                    let wide: Vec<f64> = o.iter().map(|&o| o.into()).collect();
                    let whole = log_sum_exp(&wide);
                    for (output, (o, z)) in wide.iter().zip(z).enumerate() {
                        let share = weight(sample * classes + output) * f64::from(*z);
                        sum += share * (whole - o);
                        total += share;
                    }
                }
                sum / total.max(f64::MIN_POSITIVE)
            }
        }
    }
}

/// Outputs of one trial, and what they should be.
#[derive(Clone, Copy, Debug)]
pub struct OneTrial<'a> {
    /// (T − 1) × K.
    pub outputs: &'a [f32],
    /// (T − 1) × K.
    pub target: &'a [f32],
    /// (T − 1) × K; `None` if all values weigh the same.
    pub mask: Option<&'a [f32]>,
    /// The right answer.
    pub label: i16,
    /// K.
    pub classes: usize,
}

/// log Σ e^v, without overflow.
fn log_sum_exp(values: &[f64]) -> f64 {
    let largest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = values.iter().map(|v| (v - largest).exp()).sum();
    largest + sum.ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::backend::Flex;

    /// Two trials of three samples and two outputs, whose first sample has no output.
    fn batch() -> Batch {
        Batch {
            trials: 2,
            samples: 3,
            outputs: 2,
            target: vec![1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0],
            mask: Some(vec![1.0, 1.0, 0.5, 0.5, 0.0, 0.0, 1.0, 1.0]),
            labels: vec![1, 0],
            ..Batch::default()
        }
    }

    const OUTPUTS: [f32; 8] = [0.3, -0.4, 1.5, 0.25, 2.0, 9.0, -1.0, 0.5];

    fn by_tensors(objective: &Objective, batch: &Batch) -> f64 {
        let outputs = TensorData::new(OUTPUTS.to_vec(), [2, 4]);
        let outputs = Tensor::<Flex, 2>::from_data(outputs, &Default::default());
        objective
            .of_batch(outputs, Wanted::new(batch))
            .into_scalar()
            .into()
    }

    fn by_slices(objective: &Objective, batch: &Batch) -> f64 {
        let losses = (0..2).map(|b| {
            let range = 4 * b..4 * (b + 1);
            objective.of_trial(&OneTrial {
                outputs: &OUTPUTS[range.clone()],
                target: &batch.target[range.clone()],
                mask: batch.mask.as_ref().map(|mask| &mask[range.clone()]),
                label: batch.labels[b],
                classes: 2,
            })
        });
        losses.sum::<f64>() / 2.0
    }

    #[test]
    fn tensors_and_slices_give_the_same_loss() {
        for mask in [None, batch().mask] {
            let batch = Batch { mask, ..batch() };
            for objective in [
                Objective::L1,
                Objective::L2,
                Objective::Label,
                Objective::Class { window: 0..2 },
                Objective::Class { window: 1..2 },
            ] {
                let (tensors, slices) = (
                    by_tensors(&objective, &batch),
                    by_slices(&objective, &batch),
                );
                assert!(
                    (tensors - slices).abs() < 1e-5,
                    "{objective:?}: {tensors} {slices}"
                );
            }
        }
    }

    #[test]
    fn the_cross_entropy_of_a_class_is_that_of_the_mean_in_the_window() {
        // Means of the first trial (0.9, −0.075), of the second (0.5, 4.75).
        let surprise = |right: f64, wrong: f64| (1.0 + (wrong - right).exp()).ln();
        let wanted = (surprise(-0.075, 0.9) + surprise(0.5, 4.75)) / 2.0;
        let found = by_slices(&Objective::Class { window: 0..2 }, &batch());
        assert!((found - wanted).abs() < 1e-6, "{found} {wanted}");
    }

    #[test]
    fn a_sample_that_the_mask_leaves_out_has_no_part_in_the_loss() {
        // The first sample of the second trial, whose outputs are far off.
        let surprise = |right: f64, wrong: f64| (1.0 + (wrong - right).exp()).ln();
        let first = (surprise(0.3, -0.4) + 0.5 * surprise(0.25, 1.5)) / 1.5;
        let wanted = (first + surprise(-1.0, 0.5)) / 2.0;
        let found = by_slices(&Objective::Label, &batch());
        assert!((found - wanted).abs() < 1e-6, "{found} {wanted}");
    }
}
