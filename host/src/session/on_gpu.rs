//! Training of several networks at once on a GPU.

use std::time::Instant;

use super::error::MOST_NUMBERS;
use super::{Session, SessionError, TrainReport};
use crate::rate::ensemble::training::EnsembleProgress;
use crate::rate::gpu::device::Gpu;
use crate::rate::options::RateOptions;

/// The reports of networks, in the order of their seeds.
pub type Reports = Vec<Result<TrainReport, SessionError>>;

impl Session {
    /// Trains a network for each seed on `gpu`, all at once, and saves them.
    ///
    /// # Errors
    /// If the networks are too many for a GPU, or nothing can be written.
    pub fn train_on(
        &self,
        gpu: &Gpu,
        options: &RateOptions,
        seeds: &[u64],
        mut progress: impl EnsembleProgress,
    ) -> Result<Reports, SessionError> {
        if let Some(what) = cpu_alone(options) {
            return Err(SessionError::CpuAlone(what));
        }
        let started = Instant::now();
        let sizes = [options.batch, options.task.samples(), options.units + 1];
        let numbers = sizes.iter().try_fold(seeds.len() as u64, |product, &size| {
            product.checked_mul(size as u64)
        });
        if numbers.is_none_or(|numbers| numbers > MOST_NUMBERS) {
            return Err(SessionError::TooManyForGpu {
                networks: seeds.len(),
                units: options.units,
                batch: options.batch,
            });
        }
        self.check(options)?;
        let trained = gpu.train(options, seeds, &mut progress);
        drop(progress);
        let seconds = started.elapsed().as_secs_f64();
        let saved = seeds.iter().zip(&trained).map(|(&seed, trained)| {
            let options = options.with_seed(seed);
            let model = self.save(&options, trained)?;
            Ok(TrainReport::new(&options, trained, seconds, model))
        });
        Ok(saved.collect())
    }
}

/// What the kernels of a GPU do not train; `None` if they train all that `options` ask for.
fn cpu_alone(options: &RateOptions) -> Option<&'static str> {
    let outputs = options.task.definition().outputs;
    [
        (outputs > 1, "a network with several outputs"),
        (options.validated(), "a network for a data set"),
        (options.train_inputs, "a network with --train_inputs"),
        (options.weight_decay > 0.0, "a network with --weight_decay"),
        (options.jitter > 0.0, "a network with --jitter"),
        (options.rate_penalty > 0.0, "a network with --rate_penalty"),
    ]
    .into_iter()
    .find_map(|(asked, what)| asked.then_some(what))
}
