//! The recurrence with the existing weights alone against the one with all weights, and
//! against itself on other numbers of threads.

use std::sync::Arc;

use rate2spike::random::Stream;
use rate2spike::rate::activation::ActivationKind;
use rate2spike::rate::batch::{Batch, TrialRange};
use rate2spike::rate::connections::Connections;
use rate2spike::rate::network::RateNetwork;
use rate2spike::rate::options::RateOptions;
use rate2spike::rate::recurrence::{self, Gradient, LossSlope};
use rate2spike::rate::sparse::{Parameters, adjoint, forward};
use rate2spike::task::Task;

struct Case {
    options: RateOptions,
    network: RateNetwork,
    parameters: Parameters,
}

impl Case {
    fn new(units: usize, batch: usize, activation: ActivationKind) -> Self {
        let options = RateOptions {
            p_rec: 0.3,
            batch,
            ..RateOptions::defaults(Task::xor(), units, activation)
        };
        let network = RateNetwork::start(&options);
        let connections = Arc::new(Connections::of(&network));
        Self {
            parameters: Parameters::of(&network, connections),
            options,
            network,
        }
    }

    fn drawn(&self, draw: fn(&RateNetwork, &Task, u64, TrialRange) -> Batch) -> Batch {
        let range = TrialRange {
            stream: Stream::Training,
            first: 3,
            trials: self.options.batch,
            fluctuating: self.options.fluctuations > 0.0,
            jitter: 0.0,
        };
        draw(&self.network, &self.options.task, 5, range)
    }

    /// Outputs and gradient of `batch` on this number of threads.
    fn run(&self, batch: &Batch, threads: usize) -> (Vec<f32>, Gradient) {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.expect("threads").install(|| {
            let activation = self.options.activation.activation();
            let strength = self.options.fluctuations;
            let (outputs, trajectory) = forward(&self.parameters, &activation, strength, batch);
            let slope = slope(&outputs);
            let gradient = adjoint(&self.parameters, batch, &trajectory, slope, true);
            (outputs, gradient)
        })
    }
}

/// A loss that depends on the outputs and on the rates.
fn slope(by_output: &[f32]) -> LossSlope<'_> {
    LossSlope {
        by_output,
        by_rate: 0.3,
    }
}

fn bits(gradient: &Gradient) -> Vec<u32> {
    let Gradient {
        w,
        w_in,
        readout,
        tau,
    } = gradient;
    let all = [w, w_in, &readout.weights, &readout.offset, tau];
    all.into_iter().flatten().map(|x| x.to_bits()).collect()
}

#[test]
fn the_bits_do_not_depend_on_threads_or_on_the_way_in_which_noise_is_given() {
    for batch in [1, 5, 8, 13, 16, 37] {
        let case = Case::new(21, batch, ActivationKind::Lif);
        let words = case.drawn(Batch::draw_words);
        let (outputs, gradient) = case.run(&words, 1);
        let arrays = case.drawn(Batch::draw);
        for (batch, threads) in [(&words, 2), (&words, 3), (&words, 5), (&arrays, 1)] {
            let (others, other) = case.run(batch, threads);
            assert_eq!(outputs, others, "{threads}");
            assert_eq!(bits(&gradient), bits(&other), "{threads}");
        }
    }
}

#[test]
fn outputs_are_those_of_the_dense_form_bit_for_bit_and_gradients_to_rounding() {
    for (batch, activation) in [
        (1, ActivationKind::Sigmoid),
        (6, ActivationKind::Sigmoid),
        (20, ActivationKind::Lif),
    ] {
        let case = Case::new(30, batch, activation);
        let batch = case.drawn(Batch::draw);
        let (outputs, gradient) = case.run(&batch, 1);
        let dense = case.network.parameters();
        let activation = case.options.activation.activation();
        let strength = case.options.fluctuations;
        let (wanted, trajectory) = recurrence::forward(&dense, &activation, strength, &batch);
        assert_eq!(outputs, wanted);
        let connections = &case.parameters.connections;
        for existing in [None, Some(&**connections)] {
            let sought = recurrence::Sought {
                inputs: true,
                connections: existing,
            };
            let slope = slope(&wanted);
            let mut wanted = recurrence::adjoint(&dense, &batch, &trajectory, slope, sought);
            if existing.is_none() {
                wanted.w = connections.taken_from(&wanted.w);
            }
            for (found, wanted) in [
                (&gradient.w, &wanted.w),
                (&gradient.w_in, &wanted.w_in),
                (&gradient.readout.weights, &wanted.readout.weights),
                (&gradient.tau, &wanted.tau),
            ] {
                assert_eq!(found.len(), wanted.len());
                let size = wanted.iter().fold(0.0f32, |size, x| size.max(x.abs()));
                for (found, wanted) in found.iter().zip(wanted) {
                    assert!((found - wanted).abs() <= 1e-4 * size, "{found} {wanted}");
                }
            }
        }
    }
}
