//! The spiking simulation, on one core.
//!
//! `cargo bench -p rate2spike --bench simulation` measures:
//!
//! - `trial/ARITHMETIC/DT`: a trial of the published network (N = 200, double
//!   filter, noise on every unit and output at every step; 1 s, so that 0.05 ms
//!   are 20,000 steps), as the search for λ and `run` make it;
//! - `step/ARITHMETIC/N`: a step of 0.1 ms of untrained networks of N units, a
//!   fifth of whose weights are not zero, by N neuron-steps.

use std::hint::black_box;
use std::path::Path;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rate2spike::convert::one_to_one;
use rate2spike::formats::rate_model::RateModelFile;
use rate2spike::quantize::quantize;
use rate2spike::rate::network::RateNetwork;
use rate2spike::rate::options::RateOptions;
use rate2spike::spiking::experiment::{Experiment, clock};
use rate2spike::spiking::network::SpikingNetwork;
use rate2spike::spiking::neuron::Neuron;
use rate2spike::spiking::tables::Float;
use rate2spike::spiking::time_step::TimeStep;
use rate2spike::spiking::trial::Memory;
use rate2spike::task::Task;
use rate2spike_core::blob::Deployed;
use rate2spike_core::neuron::Scheme;

const MODEL: &str =
    "../tests/fixtures/models/Task_go-nogo_N_200_Taus_4.0_20.0_Act_sigmoid_2026_11_23_010105.mat";

/// λ at which the published network scores best.
const LAMBDA: f64 = 25.0;

/// Calls `bench` with a closure that runs the next trial.
fn float<A: Float>(
    network: &SpikingNetwork,
    step: &TimeStep,
    bench: impl FnOnce(&mut dyn FnMut()),
) {
    let tables = network.tables::<A>(step);
    let tables = tables.tables();
    let experiment = Experiment::floating(&tables, &Task::go_nogo(), step, 1);
    let mut memory = Memory::of(experiment.network);
    let mut index = 0;
    bench(&mut || {
        black_box(experiment.outcome(&mut memory, index));
        index += 1;
    });
}

fn fixed(network: &SpikingNetwork, step: &TimeStep, bench: impl FnOnce(&mut dyn FnMut())) {
    let quantized = quantize(network, &Task::go_nogo(), step).expect("the network fits");
    let deployed = Deployed::read(&quantized.bytes).expect("what was written is read");
    let experiment = Experiment::deployed(&deployed, &Task::go_nogo(), 1);
    let mut memory = Memory::of(&deployed);
    let mut index = 0;
    bench(&mut || {
        black_box(experiment.outcome(&mut memory, index));
        index += 1;
    });
}

fn trials(criterion: &mut Criterion) {
    let file = RateModelFile::read(Path::new(MODEL)).expect("the fixture is there");
    let network = one_to_one(&file.network, LAMBDA, Neuron::LIF).expect("it converts");
    let mut group = criterion.benchmark_group("trial");
    group.sample_size(20);
    let published = TimeStep::PUBLISHED;
    group.bench_function("f32/euler 0.05 ms", |bencher| {
        float::<f32>(&network, &published, |trial| bencher.iter(trial));
    });
    group.bench_function("f64/euler 0.05 ms", |bencher| {
        float::<f64>(&network, &published, |trial| bencher.iter(trial));
    });
    for ms in [0.05, 0.1, 0.5] {
        let step = TimeStep::new(ms, Scheme::Exact).expect("a usual step");
        group.bench_function(format!("f32/exact {ms} ms"), |bencher| {
            float::<f32>(&network, &step, |trial| bencher.iter(trial));
        });
        group.bench_function(format!("fixed/exact {ms} ms"), |bencher| {
            fixed(&network, &step, |trial| bencher.iter(trial));
        });
    }
    group.finish();
}

fn steps(criterion: &mut Criterion) {
    let step = TimeStep::new(0.1, Scheme::Exact).expect("a usual step");
    let mut group = criterion.benchmark_group("step");
    group.sample_size(10);
    for units in [50, 100, 200, 500, 1000, 2000, 5000] {
        let options = RateOptions::published(Task::go_nogo(), units);
        let rate = RateNetwork::start(&options);
        let network = one_to_one(&rate, 50.0, Neuron::LIF).expect("it converts");
        let steps = clock(&Task::go_nogo(), &step).steps;
        group.throughput(Throughput::Elements(units as u64 * u64::from(steps)));
        group.bench_function(BenchmarkId::new("f32", units), |bencher| {
            float::<f32>(&network, &step, |trial| bencher.iter(trial));
        });
        group.bench_function(BenchmarkId::new("fixed", units), |bencher| {
            fixed(&network, &step, |trial| bencher.iter(trial));
        });
    }
    group.finish();
}

criterion_group!(benches, trials, steps);
criterion_main!(benches);
