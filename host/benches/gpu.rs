//! Time of one update of many networks on a GPU, and the share of what the GPU
//! could do; the counts are those of `rate::gpu`.
//!
//! ```text
//! cargo bench -p rate2spike --features cuda --bench gpu
//! cargo bench -p rate2spike --features wgpu --bench gpu -- --networks 1,4 --units 50
//! ```

use std::time::Instant;

use burn::backend::Autodiff;
use burn::tensor::Tensor;
use clap::Parser;
use rate2spike::random::Stream;
use rate2spike::rate::batch::TrialRange;
use rate2spike::rate::ensemble::model::EnsembleModel;
use rate2spike::rate::ensemble::training::Running;
use rate2spike::rate::ensemble::trials::TrialSource;
use rate2spike::rate::ensemble::{Drive, SideBySide};
use rate2spike::rate::gpu::{bytes_of_update, device, flop_of_update};
use rate2spike::rate::options::RateOptions;
use rate2spike::task::Task;

#[derive(Parser)]
struct Args {
    /// Numbers of networks
    #[arg(long, value_delimiter = ',', default_value = "1,132,1056")]
    networks: Vec<u64>,
    /// Units of a network
    #[arg(long, default_value_t = 200)]
    units: usize,
    /// Trials of an update
    #[arg(long, default_value_t = 1)]
    batch: usize,
    /// Updates that are timed
    #[arg(long, default_value_t = 50)]
    updates: usize,
    /// TFLOP/s of the GPU in single precision; those of an H100 or H200 (SXM) by default
    #[arg(long, default_value_t = 67.0)]
    tflops: f64,
    /// TB/s of its memory; those of an H200 by default, 3.35 for an H100
    #[arg(long, default_value_t = 4.8)]
    terabytes: f64,
    /// Given by cargo bench
    #[arg(long, hide = true)]
    bench: bool,
}

impl Args {
    fn options(&self) -> RateOptions {
        RateOptions {
            updates: self.updates,
            batch: self.batch,
            ..RateOptions::published(Task::go_nogo(), self.units)
        }
    }
}

fn main() {
    run(&Args::parse());
}

#[cfg(feature = "cuda")]
fn run(args: &Args) {
    match device::cuda::find(0) {
        Ok(device) => measure::<burn::backend::Cuda>(args, &device),
        Err(error) => println!("nothing measured: {error}"),
    }
}

#[cfg(not(feature = "cuda"))]
fn run(args: &Args) {
    match device::wgpu::find() {
        Ok(device) => measure::<burn::backend::Wgpu>(args, &device),
        Err(error) => println!("nothing measured: {error}"),
    }
}

/// Milliseconds of one call of `work`, the device's part included.
fn milliseconds<B: SideBySide>(
    device: &B::Device,
    repetitions: usize,
    mut work: impl FnMut(usize),
) -> f64 {
    let wait = || B::sync(device).expect("the device answers");
    // The first calls compile kernels and take memory.
    for repetition in 0..3 {
        work(repetition);
    }
    wait();
    let started = Instant::now();
    for repetition in 0..repetitions {
        work(3 + repetition);
    }
    wait();
    started.elapsed().as_secs_f64() * 1000.0 / repetitions as f64
}

fn measure<B: SideBySide>(args: &Args, device: &B::Device) {
    let options = args.options();
    let samples = options.task.samples();
    println!(
        "{}: N = {}, T = {samples}, {} trials an update; milliseconds",
        B::name(device),
        args.units,
        args.batch
    );
    println!(
        "{:>8} {:>9} {:>9} {:>9} {:>9} {:>12} {:>8} {:>8}",
        "networks", "draw", "forward", "adjoint", "update", "a network", "FLOP/s", "bytes/s"
    );
    for &networks in &args.networks {
        let seeds: Vec<u64> = (1..=networks).collect();
        let (draw, forward, adjoint) = parts::<B>(args, &seeds, device);
        let mut running = Running::<B>::start(&options, &seeds, device);
        let update = milliseconds::<B>(device, args.updates, |update| {
            running.update(&options, update);
        });
        let share = |amount: f64, peak: f64| {
            100.0 * networks as f64 * amount / (update / 1000.0) / (peak * 1e12)
        };
        let flop = flop_of_update(args.units, samples, args.batch);
        let bytes = bytes_of_update(args.units, samples, args.batch);
        println!(
            "{networks:>8} {draw:>9.3} {forward:>9.3} {adjoint:>9.3} {update:>9.3} {:>12.5} {:>6.1} % {:>6.1} %",
            update / networks as f64,
            share(flop, args.tflops),
            share(bytes, args.terabytes)
        );
    }
}

/// Milliseconds of the draw, the forward pass and the adjoint through time.
fn parts<B: SideBySide>(args: &Args, seeds: &[u64], device: &B::Device) -> (f64, f64, f64) {
    let options = args.options();
    let source: TrialSource<B> = Running::<B>::start(&options, seeds, device).source;
    let range = |update: usize| TrialRange {
        stream: Stream::Training,
        first: (update * args.batch) as u64,
        trials: args.batch,
        fluctuating: false,
        jitter: 0.0,
    };
    let draw = milliseconds::<B>(device, args.updates, |update| {
        B::draw(&source, range(update));
    });
    let model = EnsembleModel::<Autodiff<B>>::new(&source.networks, device);
    let couplings = burn::module::AutodiffModule::valid(&model).couplings();
    let drive = Drive {
        activation: options.activation.activation(),
        fluctuations: 0.0,
        trials: B::draw(&source, range(0)),
    };
    let forward = milliseconds::<B>(device, args.updates, |_| {
        B::forward(&couplings, &drive);
    });
    let (outputs, trajectory) = B::forward(&couplings, &drive);
    let by_output: Tensor<B, 3> = outputs - drive.trials.target.clone();
    let adjoint = milliseconds::<B>(device, args.updates, |_| {
        B::costate(&couplings, &trajectory, by_output.clone());
    });
    (draw, forward, adjoint)
}
