//! From a task to the bytes of a deployed network, through the library.
//!
//! Kim R., Li Y., Sejnowski T.J., PNAS 116:22811–22820 (2019): a rate network is
//! trained, and each of its units becomes one spiking neuron.
//!
//! ```text
//! cargo run --release -p rate2spike --example rate_to_blob
//! ```

use std::error::Error;

use rate2spike::convert::one_to_one;
use rate2spike::quantize::quantize;
use rate2spike::rate::activation::{ActivationKind, LIF_LAMBDA};
use rate2spike::rate::options::RateOptions;
use rate2spike::rate::training::train;
use rate2spike::spiking::experiment::Experiment;
use rate2spike::spiking::neuron::Neuron;
use rate2spike::spiking::time_step::TimeStep;
use rate2spike::task::Task;
use rate2spike_core::blob::Deployed;
use rate2spike_core::neuron::Scheme;

/// Units of the network.
const UNITS: usize = 30;
/// Time step of the deployed network, ms.
const STEP_MS: f64 = 0.5;
/// Trials of the score.
const TRIALS: usize = 100;
/// Seed of everything random.
const SEED: u64 = 1;

fn main() -> Result<(), Box<dyn Error>> {
    // The rate network learns with the spiking neuron's own transfer function, so
    // that λ is known beforehand.
    let task = Task::from_name("go-nogo").ok_or("no such task")?;
    let options = RateOptions {
        seed: SEED,
        ..RateOptions::defaults(task.clone(), UNITS, ActivationKind::Lif)
    }
    .checked()?;
    let trained = train(&options, &mut ());
    println!("updates          {}", trained.losses.len());
    println!(
        "criterion        {}",
        if trained.success { "met" } else { "not met" }
    );

    // One spiking neuron for each unit: weights and readout divided by λ.
    let spiking = one_to_one(&trained.network, LIF_LAMBDA, Neuron::LIF)?;

    // Millivolts and milliseconds become integers.
    let step = TimeStep::new(STEP_MS, Scheme::Exact)?;
    let quantized = quantize(&spiking, &task, &step)?;
    println!("bytes            {}", quantized.bytes.len());

    // What a board does: the bytes are checked once, then stepped in place.
    let deployed = Deployed::read(&quantized.bytes).map_err(|error| format!("{error:?}"))?;
    let score = Experiment::deployed(&deployed, &task, SEED).score(TRIALS);
    println!("accuracy         {:.3}", score.accuracy());
    println!("strict           {:.3}", score.strict_accuracy());
    Ok(())
}
