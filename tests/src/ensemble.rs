//! The checks of every back end that runs networks side by side: the same
//! checks for the tensor operations on the CPU and for the kernels of a GPU.

use std::path::PathBuf;
use std::sync::Arc;

use burn::backend::{Autodiff, Flex};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use rate2spike::random::Stream;
use rate2spike::rate::activation::ActivationKind;
use rate2spike::rate::batch::{Batch, TrialRange};
use rate2spike::rate::ensemble::model::{EnsembleAdam, EnsembleModel, losses};
use rate2spike::rate::ensemble::training::{EnsembleProgress, train_many};
use rate2spike::rate::ensemble::trials::{TrialSource, Trials};
use rate2spike::rate::ensemble::{Couplings, Drive, SideBySide, adjoint, operations};
use rate2spike::rate::evaluation::Evaluation;
use rate2spike::rate::loss::{Objective, Wanted};
use rate2spike::rate::model::{self, RateModel};
use rate2spike::rate::network::RateNetwork;
use rate2spike::rate::options::{DecayTaus, Loss, RateOptions};
use rate2spike::rate::training::train;
use rate2spike::task::Task;

use crate::{all, network, relative_difference};

/// Largest relative difference that single precision explains: sums over 200
/// steps in another order, fed back.
const TOLERANCE: f64 = 1e-4;

/// Networks of one shape, each with its batch.
pub struct Case {
    /// The name in messages.
    pub name: String,
    /// The networks.
    pub networks: Vec<Arc<RateNetwork>>,
    /// The trials of each.
    pub batches: Vec<Batch>,
    /// The loss.
    pub loss: Loss,
    /// Strength of the fluctuations of r.
    pub fluctuations: f32,
}

/// Every gradient of the published code, a network each.
pub fn published() -> Vec<Case> {
    let files = all("gradients", |name| name.ends_with(".mat"));
    let case = |(path, file): (PathBuf, rate2spike::formats::mat::MatFile)| {
        let dale = file.scalar("apply_dale").expect("apply_dale") != 0.0;
        let activation = file.text("act").expect("act");
        let activation = ActivationKind::from_name(&activation).expect("a known activation");
        let network = network(&file, dale, activation);
        let batch = crate::batch(&file, &network);
        Case {
            name: path.display().to_string(),
            networks: vec![Arc::new(network)],
            batches: vec![batch],
            loss: match file.text("loss_fn").expect("loss_fn").as_str() {
                "l1" => Loss::L1,
                _ => Loss::L2,
            },
            fluctuations: 0.0,
        }
    };
    files.into_iter().map(case).collect()
}

/// Options of a small network.
pub fn small(task: Task, units: usize) -> RateOptions {
    RateOptions {
        p_inh: 0.3,
        p_rec: 0.4,
        updates: 4,
        batch: 2,
        ..RateOptions::published(task, units)
    }
}

/// Random networks, several at once with several trials each: every option
/// that changes the recurrence, and sizes that fill no block of threads evenly.
pub fn random() -> Vec<Case> {
    use ActivationKind::{ClippedRelu, Lif, Sigmoid, Softplus};
    let go = |units| small(Task::go_nogo(), units);

    vec![
        drawn(
            "sigmoid, Dale, SOM",
            3,
            RateOptions {
                som_units: 3,
                ..go(23)
            },
        ),
        drawn(
            "no Dale, one tau",
            2,
            RateOptions {
                dale: false,
                taus: DecayTaus::Fixed(7.0),
                ..go(33)
            },
        ),
        drawn(
            "relu, l1",
            2,
            RateOptions {
                activation: ClippedRelu,
                loss: Loss::L1,
                ..go(17)
            },
        ),
        drawn(
            "softplus",
            1,
            RateOptions {
                activation: Softplus,
                gain: 0.8,
                ..go(12)
            },
        ),
        drawn(
            "lif with fluctuations",
            3,
            RateOptions {
                activation: Lif,
                fluctuations: 1.0,
                batch: 3,
                ..go(40)
            },
        ),
        drawn(
            "sigmoid with fluctuations, two inputs",
            2,
            RateOptions {
                activation: Sigmoid,
                fluctuations: 0.5,
                batch: 1,
                ..small(Task::xor(), 21)
            },
        ),
        drawn("one unit", 2, go(1)),
        drawn(
            "N = 130",
            1,
            RateOptions {
                batch: 1,
                ..go(130)
            },
        ),
    ]
}

/// Networks that do not fit on the chip: one whose weights lie partly in each
/// kind of memory, and one with more units than a block has threads.
pub fn large() -> Vec<Case> {
    let one = |units| RateOptions {
        batch: 1,
        ..small(Task::go_nogo(), units)
    };
    vec![
        drawn("N = 320", 1, one(320)),
        drawn("N = 1030", 1, one(1030)),
    ]
}

/// Networks of these options, with the trials of a training.
fn drawn(name: &str, networks: u64, options: RateOptions) -> Case {
    let networks: Vec<_> = (0..networks)
        .map(|seed| {
            Arc::new(RateNetwork::start(&RateOptions {
                seed: 7 + seed,
                ..options.clone()
            }))
        })
        .collect();
    let batches = networks.iter().enumerate().map(|(seed, network)| {
        Batch::draw(
            network,
            &options.task,
            7 + seed as u64,
            TrialRange {
                stream: Stream::Training,
                first: 3,
                trials: options.batch,
                fluctuating: options.fluctuations > 0.0,
                jitter: 0.0,
            },
        )
    });
    Case {
        name: name.into(),
        batches: batches.collect(),
        networks,
        loss: options.loss,
        fluctuations: options.fluctuations,
    }
}

/// Outputs, loss and gradient of one network.
struct Found {
    outputs: Vec<f32>,
    loss: f32,
    w: Vec<f32>,
    w_out: Vec<f32>,
    b_out: Option<Vec<f32>>,
    tau_theta: Option<Vec<f32>>,
}

fn numbers<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> Vec<f32> {
    let data = tensor.into_data().convert::<f32>();
    data.into_vec().expect("single precision")
}

/// The results of the slices on the CPU, one network after the other.
fn by_slices(case: &Case) -> Vec<Found> {
    let one = |(network, batch): (&Arc<RateNetwork>, &Batch)| {
        let model = RateModel::<Autodiff<Flex>>::new(network);
        let drive = model::Drive {
            activation: network.activation.activation(),
            fluctuations: case.fluctuations,
            rate_penalty: 0.0,
            batch: batch.clone(),
        };
        let outputs = model.forward(Arc::new(drive));
        let objective = Objective::new(&Task::go_nogo(), case.loss);
        let value = objective.of_batch(outputs.clone(), Wanted::new(batch));
        let gradients = value.backward();
        Found {
            outputs: numbers(outputs.inner()),
            loss: value.into_scalar(),
            w: model.spread(&numbers(model.w.grad(&gradients).expect("w is trained"))),
            w_out: numbers(model.w_out.grad(&gradients).expect("w_out is trained")),
            b_out: model.b_out.grad(&gradients).map(numbers),
            tau_theta: model.tau_theta.grad(&gradients).map(numbers),
        }
    };
    case.networks.iter().zip(&case.batches).map(one).collect()
}

fn drive<B: SideBySide>(case: &Case, device: &B::Device) -> Drive<B> {
    let first = &case.networks[0];
    Drive {
        activation: first.activation.activation(),
        fluctuations: case.fluctuations,
        trials: Trials::of_batches(&case.batches, first.units, device),
    }
}

/// The results of `B`, for all networks at once.
fn side_by_side<B: SideBySide>(case: &Case, device: &B::Device) -> Vec<Found> {
    let model = EnsembleModel::<Autodiff<B>>::new(&case.networks, device);
    let drive = drive::<B>(case, device);
    let outputs = model.forward(&drive);
    let target = Tensor::from_inner(drive.trials.target.clone());
    let values = losses(outputs.clone(), target, case.loss);
    let gradients = values.clone().sum().backward();
    let k = case.networks.len();
    let rows = |values: Vec<f32>| -> Vec<Vec<f32>> {
        let rows = values.chunks_exact(values.len() / k);
        rows.map(<[f32]>::to_vec).collect()
    };
    let w = rows(numbers(model.w.grad(&gradients).expect("w is trained")));
    let w_out = rows(numbers(
        model.w_out.grad(&gradients).expect("w_out is trained"),
    ));
    let b_out = model
        .b_out
        .grad(&gradients)
        .map(|tensor| rows(numbers(tensor)));
    let theta = model
        .tau_theta
        .grad(&gradients)
        .map(|tensor| rows(numbers(tensor)));
    let outputs = rows(numbers(outputs.inner()));
    let losses = numbers(values.inner());
    let one = |k: usize| Found {
        outputs: outputs[k].clone(),
        loss: losses[k],
        w: w[k].clone(),
        w_out: w_out[k].clone(),
        b_out: b_out.as_ref().map(|b_out| b_out[k].clone()),
        tau_theta: theta.as_ref().map(|theta| theta[k].clone()),
    };
    (0..k).map(one).collect()
}

fn check(name: &str, what: &str, found: &[f32], wanted: &[f32]) {
    let difference = relative_difference(found, &wide(wanted));
    println!("{name}: {what} {difference:.1e}");
    assert!(difference <= TOLERANCE, "{name}: {what} {difference:.2e}");
}

fn check_optional(name: &str, what: &str, found: &Option<Vec<f32>>, wanted: &Option<Vec<f32>>) {
    match (found, wanted) {
        (Some(found), Some(wanted)) => check(name, what, found, wanted),
        (None, None) => {}
        _ => panic!("{name}: {what} has a gradient in one and not in the other"),
    }
}

/// Outputs, loss and gradients of `B` are those of the slices on the CPU.
pub fn check_against_slices<B: SideBySide>(cases: &[Case], device: &B::Device) {
    for case in cases {
        let found = side_by_side::<B>(case, device);
        for (k, (found, wanted)) in found.iter().zip(by_slices(case)).enumerate() {
            let name = format!("{}, network {k}", case.name);
            check(&name, "outputs", &found.outputs, &wanted.outputs);
            check(&name, "loss", &[found.loss], &[wanted.loss]);
            check(&name, "w", &found.w, &wanted.w);
            check(&name, "w_out", &found.w_out, &wanted.w_out);
            check_optional(&name, "b_out", &found.b_out, &wanted.b_out);
            check_optional(&name, "theta", &found.tau_theta, &wanted.tau_theta);
        }
    }
}

/// Trajectory and gradient of `B` are those of the tensor operations on the
/// same back end, and the outputs without a trajectory are those with one.
pub fn check_against_operations<B: SideBySide>(cases: &[Case], device: &B::Device) {
    for case in cases {
        let couplings = EnsembleModel::<B>::new(&case.networks, device).couplings();
        let drive = drive::<B>(case, device);
        let (outputs, ours) = B::forward(&couplings, &drive);
        let (wanted, theirs) = operations::forward(&couplings, &drive);
        let check = |what: &str, found: Vec<f32>, wanted: Vec<f32>| {
            check(&case.name, what, &found, &wanted);
        };
        check("outputs", numbers(outputs.clone()), numbers(wanted));
        let alone = numbers(B::outputs(&couplings, &drive));
        check("outputs alone", alone, numbers(outputs.clone()));
        check("r", numbers(ours.r.clone()), numbers(theirs.r.clone()));
        check(
            "slope",
            numbers(ours.slope.clone()),
            numbers(theirs.slope.clone()),
        );
        check(
            "drift",
            numbers(ours.drift.clone()),
            numbers(theirs.drift.clone()),
        );
        // Any derivative by the outputs will do.
        let by_output = outputs - drive.trials.target.clone();
        let ours: Couplings<B> = adjoint(&couplings, &ours, by_output.clone());
        let costate = operations::costate(&couplings, &theirs, by_output.clone());
        let product = Tensor::<B, 3>::matmul;
        let theirs = operations::gradient(&couplings, &theirs, costate, by_output, product);
        check("w", numbers(ours.w), numbers(theirs.w));
        check("w_out", numbers(ours.w_out), numbers(theirs.w_out));
        check("b_out", numbers(ours.b_out), numbers(theirs.b_out));
        check("tau", numbers(ours.tau), numbers(theirs.tau));
    }
}

/// Checks that `B` draws the same trials and noise as the host. The noise is equal
/// bit for bit; the input differs only in the order of its sum over channels.
pub fn check_draw<B: SideBySide>(device: &B::Device) {
    for (task, fluctuating) in [
        (Task::go_nogo(), false),
        (Task::xor(), true),
        (Task::mante(), true),
    ] {
        let options = small(task.clone(), 19);
        let seeds = vec![3, 4, u64::MAX];
        let start = |&seed: &u64| {
            Arc::new(RateNetwork::start(&RateOptions {
                seed,
                ..options.clone()
            }))
        };
        let networks = seeds.iter().map(start).collect();
        let source = TrialSource::<B>::new(&task, networks, seeds, device);
        let range = TrialRange {
            stream: Stream::Evaluation,
            first: 41,
            trials: 2,
            fluctuating,
            jitter: 0.0,
        };
        let (ours, wanted) = (B::draw(&source, range), source.draw_on_host(range));
        let name = task.name();
        assert_eq!(numbers(ours.start), numbers(wanted.start), "{name}");
        // The first sample has no noise; a back end may leave anything there.
        let later = |noise: Option<Tensor<B, 4>>| {
            noise.map(|noise| {
                let samples = noise.dims()[1];
                numbers(noise.slice_dim(1, 1..samples))
            })
        };
        assert_eq!(later(ours.noise), later(wanted.noise), "{name}");
        let (ours_later, wanted_later) = (later(ours.fluctuations), later(wanted.fluctuations));
        assert_eq!(ours_later, wanted_later, "{name}");
        assert_eq!(ours_later.is_some(), fluctuating);
        check(
            name,
            "input",
            &numbers(ours.current),
            &numbers(wanted.current),
        );
        assert_eq!(numbers(ours.target), numbers(wanted.target), "{name}");
        assert_eq!(ours.target_values, wanted.target_values, "{name}");
        assert_eq!(ours.labels, wanted.labels, "{name}");
    }
}

/// A few updates of K networks at once are those of K trainings on the CPU.
pub fn check_training<B: SideBySide>(options: &RateOptions, device: &B::Device) {
    let seeds = [5, 6, 7];
    let found = train_many::<B>(options, &seeds, device, &mut ());
    assert_eq!(found.len(), seeds.len());
    for (seed, found) in seeds.into_iter().zip(found) {
        let wanted = train(
            &RateOptions {
                seed,
                ..options.clone()
            },
            &mut (),
        );
        let name = format!("seed {seed}");
        assert_eq!(found.start, wanted.start, "{name}");
        check(&name, "losses", &found.losses, &wanted.losses);
        check(&name, "w", &found.network.w, &wanted.network.w);
        let (found_out, wanted_out) = (&found.network.readout, &wanted.network.readout);
        check(&name, "w_out", &found_out.weights, &wanted_out.weights);
        check(
            &name,
            "theta",
            &found.network.tau_theta,
            &wanted.network.tau_theta,
        );
        let outputs = (&found.evaluation.outputs, &wanted.evaluation.outputs);
        check(&name, "evaluation", outputs.0, outputs.1);
        assert_eq!(found.evaluation.labels, wanted.evaluation.labels);
        assert!((found.evaluation.loss - wanted.evaluation.loss).abs() < 1e-3);
        assert_eq!(found.success, wanted.success);
    }
}

/// An update of the networks that are left is the same whether or not the
/// others are still there.
pub fn check_selection<B: SideBySide>(device: &B::Device) {
    type Model<B> = EnsembleModel<Autodiff<B>>;
    let options = small(Task::go_nogo(), 14);
    let networks: Vec<_> = (0..4)
        .map(|seed| {
            Arc::new(RateNetwork::start(&RateOptions {
                seed,
                ..options.clone()
            }))
        })
        .collect();
    let seeds = vec![0, 1, 2, 3];
    let source = TrialSource::<B>::new(&options.task, networks.clone(), seeds, device);
    let step = |model: Model<B>, adam: &mut EnsembleAdam<B>, source: &TrialSource<B>, first| {
        let range = TrialRange {
            stream: Stream::Training,
            first,
            trials: 2,
            fluctuating: false,
            jitter: 0.0,
        };
        let drive = Drive {
            activation: options.activation.activation(),
            fluctuations: 0.0,
            trials: B::draw(source, range),
        };
        let target = Tensor::from_inner(drive.trials.target.clone());
        let losses = losses(model.forward(&drive), target, options.loss);
        let rates = vec![0.01; source.seeds.len()];
        adam.step(&rates, model, losses.sum())
    };
    let (mut model, mut adam) = (Model::<B>::new(&networks, device), EnsembleAdam::new());
    for first in [0, 2] {
        model = step(model, &mut adam, &source, first);
    }
    let left = [3, 1];
    let few = step(
        model.select(&left),
        &mut adam.clone().select(&left),
        &source.select(&left),
        4,
    );
    let all = step(model, &mut adam, &source, 4);
    let stored = |model: &Model<B>, count: usize| {
        let mut stored = vec![(*networks[0]).clone(); count];
        model.store(&mut stored);
        stored
    };
    let (few, all) = (stored(&few, left.len()), stored(&all, networks.len()));
    for (found, place) in few.iter().zip(left) {
        let name = format!("network {place}");
        check(&name, "w", &found.w, &all[place].w);
        check(
            &name,
            "w_out",
            &found.readout.weights,
            &all[place].readout.weights,
        );
        check(&name, "theta", &found.tau_theta, &all[place].tau_theta);
        let step = relative_difference(
            &found.readout.weights,
            &wide(&networks[place].readout.weights),
        );
        assert!(step > 0.1, "{name}: three updates changed w_out by {step}");
    }
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&x| x.into()).collect()
}

/// The progress that a training of several networks reports.
#[derive(Default)]
struct Said {
    updates: Vec<(usize, usize)>,
    evaluations: Vec<(usize, u64)>,
}

impl EnsembleProgress for Said {
    fn updated(&mut self, updates: usize, running: usize, loss: f32) {
        assert!(loss.is_finite());
        self.updates.push((updates, running));
    }

    fn evaluated(&mut self, update: usize, seed: u64, _evaluation: &Evaluation) {
        self.evaluations.push((update, seed));
    }
}

/// Options with which a small network learns go-nogo in a few seconds.
pub fn quick() -> RateOptions {
    RateOptions {
        dale: false,
        p_rec: 0.4,
        updates: 900,
        batch: 8,
        settle: 20,
        ..small(Task::go_nogo(), 30)
    }
}

/// Every network trains until it meets the criterion, settles and leaves.
pub fn check_learning<B: SideBySide>(options: &RateOptions, device: &B::Device) {
    let mut said = Said::default();
    let seeds = [11, 12, 13];
    for trained in train_many::<B>(options, &seeds, device, &mut said) {
        let mean = |losses: &[f32]| losses.iter().sum::<f32>() / losses.len() as f32;
        let updates = trained.losses.len();
        let early = mean(&trained.losses[..50]);
        let late = mean(&trained.losses[updates - 50..]);
        println!("{updates} updates: loss {early:.2} at first, {late:.2} at last");
        assert!(late < 0.5 * early, "{early} {late}");
        assert!(trained.success && trained.evaluation.accuracy > 0.95);
        // An evaluation every hundred updates, and twenty updates to settle.
        assert_eq!(updates % 100, 22, "{updates} updates");
        let evaluated = said
            .evaluations
            .iter()
            .any(|&(update, _)| update + 1 == updates);
        assert!(evaluated, "no evaluation after {updates} updates");
    }
    let running: Vec<usize> = said.updates.iter().map(|&(_, running)| running).collect();
    assert!(running.is_sorted_by(|a, b| a >= b), "{running:?}");
    assert_eq!(running[0], seeds.len());
}

/// Networks whose settlings all fail end as those that began to settle.
pub fn check_unsettled<B: SideBySide>(device: &B::Device) {
    let options = RateOptions {
        // The last one ends a settling.
        updates: 603,
        settle: 1,
        // More than any network could stand.
        settle_fluctuations: 1e4,
        ..quick()
    };
    for trained in train_many::<B>(&options, &[11, 12, 13], device, &mut Said::default()) {
        let last = trained.evaluations.last().expect("it is evaluated");
        assert!(
            trained.losses.len() == 603 && last.accuracy < 0.95,
            "{last:?}"
        );
        assert!(trained.success && trained.evaluation.accuracy > 0.95);
    }
}

/// A network that settles beside one that does not takes smaller steps, each as
/// it would alone.
pub fn check_rates<B: SideBySide>(device: &B::Device) {
    let options = small(Task::go_nogo(), 11);
    let start = |&seed: &u64| {
        Arc::new(RateNetwork::start(&RateOptions {
            seed,
            ..options.clone()
        }))
    };
    let trained = |seeds: &[u64], rates: &[f64]| {
        let networks: Vec<_> = seeds.iter().map(start).collect();
        let source = TrialSource::<B>::new(&options.task, networks.clone(), seeds.to_vec(), device);
        let mut model = EnsembleModel::<Autodiff<B>>::new(&networks, device);
        let mut adam = EnsembleAdam::new();
        for first in 0..3 {
            let range = TrialRange {
                stream: Stream::Training,
                first,
                trials: 1,
                fluctuating: false,
                jitter: 0.0,
            };
            let drive = Drive {
                activation: options.activation.activation(),
                fluctuations: 0.0,
                trials: B::draw(&source, range),
            };
            let target = Tensor::from_inner(drive.trials.target.clone());
            let losses = losses(model.forward(&drive), target, options.loss);
            model = adam.step(rates, model, losses.sum());
        }
        let mut stored = vec![(*networks[0]).clone(); seeds.len()];
        model.store(&mut stored);
        stored
    };
    let together = trained(&[1, 2], &[0.01, 0.002]);
    let alone = [trained(&[1], &[0.01]), trained(&[2], &[0.002])];
    for (found, wanted) in together.iter().zip(alone.iter().flatten()) {
        check("rates", "w", &found.w, &wanted.w);
        check(
            "rates",
            "w_out",
            &found.readout.weights,
            &wanted.readout.weights,
        );
        check("rates", "theta", &found.tau_theta, &wanted.tau_theta);
    }
}
