//! The spiking network against the traces of the published simulation: the
//! same units at the same steps.

use rate2spike::convert::one_to_one;
use rate2spike::rate::activation::ActivationKind;
use rate2spike::spiking::neuron::Neuron;
use rate2spike::spiking::record::Recording;
use rate2spike::spiking::time_step::TimeStep;
use rate2spike_core::trial::Clock;
use rate2spike_tests::{all, by_rows, network, vector};

/// Outputs are sums of some thousand doubles in another order.
const TOLERANCE: f64 = 1e-9;

#[test]
fn every_unit_spikes_at_the_steps_of_the_published_simulation() {
    for (path, file) in all("traces", |name| name.ends_with("_f64.mat")) {
        let scalar = |name: &str| file.scalar(name).expect("a number");
        let rate = network(&file, true, ActivationKind::Sigmoid);
        let neuron = Neuron {
            noise_mv: 0.0,
            rise_ms: scalar("tr") * 1000.0,
            ..if scalar("qif") != 0.0 {
                Neuron::QIF
            } else {
                Neuron::LIF
            }
        };
        let spiking = one_to_one(&rate, scalar("lambda"), neuron).expect("a network");
        let downsample = scalar("downsample") as usize;
        let u = by_rows(&file, "u");
        let samples = u.len() / rate.channels;
        let input: Vec<f64> = u
            .chunks_exact(samples)
            .flat_map(|channel| channel.iter().copied().step_by(downsample))
            .collect();
        let start = vector(&file, "v0");
        let record = Recording {
            network: &spiking,
            step: TimeStep::downsampled(downsample as u32).expect("a factor"),
            input: &input,
            clock: Clock {
                steps_per_sample: 100,
                steps: scalar("nt") as u32,
            },
            start_mv: Some(&start),
            stimulation: None,
            seed: 1,
            trial: 0,
            every: 0,
        }
        .run::<f64>();

        let steps = vector(&file, "spk_step");
        let units = vector(&file, "spk_unit");
        let wanted: Vec<(u32, u32)> = steps
            .iter()
            .zip(&units)
            .map(|(&s, &u)| (s as u32, u as u32 - 1))
            .collect();
        let differs = wanted.iter().zip(&record.spikes).position(|(a, b)| a != b);
        assert_eq!(differs, None, "{}", path.display());
        assert_eq!(record.spikes.len(), wanted.len(), "{}", path.display());

        let out = vector(&file, "out");
        let size = out.iter().fold(0.0f64, |m, o| m.max(o.abs()));
        let error = out
            .iter()
            .zip(&record.output)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f64::max);
        println!(
            "{}: {} spikes, out within {:.1e}",
            path.display(),
            wanted.len(),
            error / size
        );
        assert_eq!(record.output.len(), out.len());
        assert!(
            error <= TOLERANCE * size,
            "{}: {error:e} of {size}",
            path.display()
        );
    }
}
