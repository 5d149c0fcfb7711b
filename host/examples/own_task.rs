//! A task of one's own: described in TOML, trained, and asked.
//!
//! ```text
//! cargo run --release -p rate2spike --example own_task
//! ```

use std::error::Error;

use rate2spike::random::{Stream, generator};
use rate2spike::rate::activation::ActivationKind;
use rate2spike::rate::evaluation::{EvaluationTrials, evaluate};
use rate2spike::rate::options::RateOptions;
use rate2spike::rate::training::train;
use rate2spike::task::pulses::Spec;

/// Was there a pulse in either of two channels? docs/tasks.md explains the fields.
const EITHER: &str = r#"
name = "either"
channels = 2
duration_ms = 500

[[pulse]]
channel = 1
onset_ms = 50
duration_ms = 100
values = [0, 1]

[[pulse]]
channel = 2
onset_ms = 50
duration_ms = 100
values = [0, 1]

[target]
rule = "any"
onset_ms = 250
duration_ms = 250
"#;

/// Seed of everything random.
const SEED: u64 = 1;

fn main() -> Result<(), Box<dyn Error>> {
    let task = toml::from_str::<Spec>(EITHER)?.task()?;
    let trial = task.trial(&mut generator(SEED, Stream::Spiking, 0));
    println!(
        "the first trial  {} channels, {} samples, answer '{}'",
        task.channels(),
        task.samples(),
        task.label_name(trial.label)
    );

    let options = RateOptions {
        seed: SEED,
        ..RateOptions::defaults(task.clone(), 30, ActivationKind::Softplus)
    }
    .checked()?;
    let trained = train(&options, &mut ());
    println!("updates          {}", trained.losses.len());

    let fresh = EvaluationTrials::fresh(SEED, 100, options.fluctuations);
    let evaluation = evaluate(&trained.network, &task, options.loss, fresh);
    println!("accuracy         {:.3}", evaluation.accuracy);
    Ok(())
}
