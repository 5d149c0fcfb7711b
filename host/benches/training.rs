//! Time of one update of a rate network: trials, noise, gradient and Adam.
//!
//! `cargo bench -p rate2spike --bench training` measures, on one core, for
//! go-nogo (T = 200) and mante (T = 500):
//!
//! - `update/N/batch`: an update as the training makes it;
//! - `dense/N/batch`: the same update with all weights and not only the existing ones;
//! - `operations/N/batch`: the same update with the recurrence built from
//!   Burn's own operations, the one to compare with;
//! - `product`: the matrix product of the core, which says what the arithmetic
//!   alone needs: 4·N²·T·B multiply-adds an update in the two passes over time,
//!   2·N²·T·B more for the weight gradient (each counts as two FLOP).

use std::hint::black_box;
use std::sync::Arc;

use burn::backend::{Autodiff, Flex};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rate2spike::random::Stream;
use rate2spike::rate::batch::{Batch, TrialRange};
use rate2spike::rate::ensemble::Drive;
use rate2spike::rate::ensemble::model::{EnsembleAdam, EnsembleModel, losses};
use rate2spike::rate::ensemble::trials::Trials;
use rate2spike::rate::network::RateNetwork;
use rate2spike::rate::options::RateOptions;
use rate2spike::rate::training::Training;
use rate2spike::task::Task;

type B = Autodiff<Flex>;

/// Inputs of a unit from other units, the default.
const INPUTS: f64 = 40.0;

fn options(task: Task, units: usize, batch: usize) -> RateOptions {
    RateOptions {
        updates: usize::MAX,
        batch,
        ..RateOptions::published(task, units)
    }
}

/// FLOP of an update: two passes over time and the weight gradient.
fn flop(options: &RateOptions) -> u64 {
    6 * (options.units * options.units * options.task.samples() * options.batch) as u64
}

fn updates(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("update");
    for (task, units, batch) in [
        (Task::go_nogo(), 200, 1),
        (Task::go_nogo(), 200, 8),
        (Task::go_nogo(), 200, 16),
        (Task::go_nogo(), 200, 64),
        (Task::go_nogo(), 50, 1),
        (Task::go_nogo(), 100, 1),
        (Task::go_nogo(), 400, 1),
        (Task::go_nogo(), 1000, 1),
        (Task::mante(), 200, 1),
    ] {
        let options = options(task.clone(), units, batch);
        group.throughput(Throughput::Elements(flop(&options)));
        group.sample_size(if units * batch > 400 { 10 } else { 30 });
        let id = BenchmarkId::new(task.name(), format!("{units}/{batch}"));
        let mut training = Training::new(options);
        group.bench_function(id, |bencher| bencher.iter(|| black_box(training.update())));
    }
    group.finish();
}

fn dense(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("dense");
    for (units, batch) in [(200, 1), (200, 8), (200, 16), (200, 64), (1000, 16)] {
        group.sample_size(10);
        let mut options = options(Task::go_nogo(), units, batch);
        options.p_rec = INPUTS / units as f64;
        for dense in [true, false] {
            let form = if dense {
                "all weights"
            } else {
                "existing weights"
            };
            let id = BenchmarkId::new(form, format!("{units}/{batch}"));
            let training = Training::new(options.clone());
            let mut training = if dense { training.dense() } else { training };
            group.bench_function(id, |bencher| bencher.iter(|| black_box(training.update())));
        }
    }
    group.finish();
}

fn operations(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("operations");
    group.sample_size(10);
    for batch in [1, 16] {
        let options = options(Task::go_nogo(), 200, batch);
        let network = RateNetwork::start(&options);
        let device = Default::default();
        let mut model = EnsembleModel::<B>::new(&[Arc::new(network.clone())], &device);
        let mut optimizer = EnsembleAdam::<Flex>::new();
        group.throughput(Throughput::Elements(flop(&options)));
        let id = BenchmarkId::new("go-nogo", format!("200/{batch}"));
        group.bench_function(id, |bencher| {
            bencher.iter(|| {
                let batch = Batch::draw(
                    &network,
                    &options.task,
                    options.seed,
                    TrialRange {
                        stream: Stream::Training,
                        first: 0,
                        trials: options.batch,
                        fluctuating: false,
                        jitter: 0.0,
                    },
                );
                let drive = Drive {
                    activation: options.activation.activation(),
                    fluctuations: 0.0,
                    trials: Trials::<B>::of_batches(&[batch], options.units, &device),
                };
                let target = drive.trials.target.clone();
                let value = losses(model.by_operations(&drive), target, options.loss);
                model = optimizer.step(&[options.learning_rate], model.clone(), value);
            });
        });
    }
    group.finish();
}

fn product(criterion: &mut Criterion) {
    let n = 512;
    let (a, b) = (vec![0.5f32; n * n], vec![0.25f32; n * n]);
    let mut c = vec![0.0f32; n * n];
    let mut group = criterion.benchmark_group("product");
    group.throughput(Throughput::Elements(2 * (n * n * n) as u64));
    group.bench_function("512", |bencher| {
        bencher.iter(|| {
            rate2spike::rate::recurrence::product((n, n, n), &a, &b, &mut c);
            black_box(&c);
        });
    });
    group.finish();
}

criterion_group!(benches, updates, dense, operations, product);
criterion_main!(benches);
