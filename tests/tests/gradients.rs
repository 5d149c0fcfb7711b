//! The gradient of the rate network against that of the published code, by
//! TensorFlow, and against Burn's own operations.

use std::path::Path;
use std::sync::Arc;

use burn::backend::{Autodiff, Flex};
use burn::tensor::{Tensor, TensorData};
use rate2spike::formats::mat::MatFile;
use rate2spike::rate::activation::ActivationKind;
use rate2spike::rate::connections::Connections;
use rate2spike::rate::ensemble;
use rate2spike::rate::ensemble::model::{EnsembleModel, losses};
use rate2spike::rate::ensemble::trials::Trials;
use rate2spike::rate::loss::{Objective, Wanted};
use rate2spike::rate::model::{Drive, RateModel};
use rate2spike::rate::network::RateNetwork;
use rate2spike::rate::optimizer::{RateAdam, Rates};
use rate2spike::rate::options::Loss;
use rate2spike::task::Task;
use rate2spike_tests::{all, batch, by_rows, network, relative_difference, vector};

type B = Autodiff<Flex>;
type Model = RateModel<B>;

/// Largest relative difference that single precision explains.
const TOLERANCE: f64 = 1e-4;

struct Case {
    network: RateNetwork,
    drive: Arc<Drive>,
    loss: Loss,
}

fn case(file: &MatFile) -> Case {
    let dale = file.scalar("apply_dale").expect("apply_dale") != 0.0;
    let name = file.text("act").expect("act");
    let activation = ActivationKind::from_name(&name).expect("a known activation");
    let network = network(file, dale, activation);
    let batch = batch(file, &network);
    let loss = match file.text("loss_fn").expect("loss_fn").as_str() {
        "l1" => Loss::L1,
        "l2" => Loss::L2,
        other => panic!("unknown loss {other}"),
    };
    let activation = activation.activation();
    Case {
        network,
        drive: Arc::new(Drive {
            activation,
            fluctuations: 0.0,
            rate_penalty: 0.0,
            batch,
        }),
        loss,
    }
}

/// The model with all weights, and with the existing ones alone.
fn models(network: &RateNetwork) -> [Model; 2] {
    let existing = Some(Connections::of(network));
    [None, existing].map(|connections| Model::with_connections(network, connections))
}

fn numbers<const D: usize>(tensor: Tensor<Flex, D>) -> Vec<f32> {
    let data: TensorData = tensor.into_data();
    data.into_vec().expect("single precision")
}

/// The gradients of all parameters: w, w_out, b_out and, if trained, θ.
struct Gradients {
    loss: f64,
    w: Vec<f32>,
    w_out: Vec<f32>,
    b_out: Vec<f32>,
    tau_theta: Option<Vec<f32>>,
}

fn objective(loss: Loss) -> Objective {
    Objective::new(&Task::go_nogo(), loss)
}

fn gradients(model: &Model, outputs: Tensor<B, 2>, case: &Case) -> Gradients {
    let value = objective(case.loss).of_batch(outputs, Wanted::new(&case.drive.batch));
    let gradients = value.backward();
    Gradients {
        loss: value.into_scalar().into(),
        w: model.spread(&numbers(model.w.grad(&gradients).expect("w is trained"))),
        w_out: numbers(model.w_out.grad(&gradients).expect("w_out is trained")),
        b_out: numbers(model.b_out.grad(&gradients).expect("b_out is trained")),
        tau_theta: model.tau_theta.grad(&gradients).map(numbers),
    }
}

/// The gradients that Burn finds through its own operations, one after the other.
fn by_operations(case: &Case) -> Gradients {
    let device = Default::default();
    let networks = [Arc::new(case.network.clone())];
    let model = EnsembleModel::<B>::new(&networks, &device);
    let drive = ensemble::Drive {
        activation: case.drive.activation.clone(),
        fluctuations: case.drive.fluctuations,
        trials: Trials::<B>::of_batches(
            std::slice::from_ref(&case.drive.batch),
            case.network.units,
            &device,
        ),
    };
    let target = drive.trials.target.clone();
    let value = losses(model.by_operations(&drive), target, case.loss);
    let gradients = value.backward();
    Gradients {
        loss: value.into_scalar().into(),
        w: numbers(model.w.grad(&gradients).expect("w is trained")),
        w_out: numbers(model.w_out.grad(&gradients).expect("w_out is trained")),
        b_out: numbers(model.b_out.grad(&gradients).expect("b_out is trained")),
        tau_theta: model.tau_theta.grad(&gradients).map(numbers),
    }
}

fn check(path: &Path, what: &str, found: &[f32], wanted: &[f64]) {
    let difference = relative_difference(found, wanted);
    println!("{} {what}: {difference:.1e}", path.display());
    assert!(
        difference <= TOLERANCE,
        "{} {what}: {difference:.2e}",
        path.display()
    );
}

#[test]
fn loss_and_gradient_are_those_of_the_published_code() {
    for (path, file) in all("gradients", |name| name.ends_with(".mat")) {
        let case = case(&file);
        for model in models(&case.network) {
            let found = gradients(&model, model.forward(case.drive.clone()), &case);
            let one = |name: &str| vec![file.scalar(name).expect("a number")];
            check(&path, "loss", &[found.loss as f32], &one("loss_f64"));
            check(&path, "dw", &found.w, &by_rows(&file, "dw_f64"));
            check(&path, "dw_out", &found.w_out, &vector(&file, "dw_out_f64"));
            check(&path, "db_out", &found.b_out, &one("db_out_f64"));
            if file.get("dtaus_gaus_f64").is_ok() {
                let tau_theta = found.tau_theta.expect("two taus are trained");
                let wanted = vector(&file, "dtaus_gaus_f64");
                check(&path, "dtaus_gaus", &tau_theta, &wanted);
            } else {
                assert!(found.tau_theta.is_none(), "one tau is not trained");
            }
        }
    }
}

#[test]
fn adam_goes_where_the_published_code_goes() {
    for (path, file) in all("gradients", |name| name.ends_with(".mat")) {
        let case = case(&file);
        for model in models(&case.network) {
            follow(&path, &file, &case, model);
        }
    }
}

/// All weights of a network whose trained weights are now `values`: all or the existing ones.
fn all_weights(network: &RateNetwork, values: Vec<f32>) -> Vec<f32> {
    if values.len() == network.w.len() {
        return values;
    }
    let mut w = network.w.clone();
    Connections::of(network).put_into(&values, &mut w);
    w
}

/// Checks the parameters after the updates of `file`.
fn follow(path: &Path, file: &MatFile, case: &Case, mut model: Model) {
    let mut adam = RateAdam::<Flex>::new();
    let steps = file.scalar("n_adam").expect("n_adam") as usize;
    let rate = file.scalar("learning_rate").expect("learning_rate");
    for step in 1..=steps {
        let outputs = model.forward(case.drive.clone());
        let value = objective(case.loss).of_batch(outputs, Wanted::new(&case.drive.batch));
        model = adam.step(Rates::plain(rate), model, value);
        let suffix = match step {
            1 => "adam1",
            _ if step == steps => "adam",
            _ => continue,
        };
        let name = |parameter: &str| format!("{parameter}_{suffix}_f64");
        let w = all_weights(&case.network, numbers(model.w.val().inner()));
        check(path, &name("w"), &w, &by_rows(file, &name("w")));
        let w_out = numbers(model.w_out.val().inner());
        check(path, &name("w_out"), &w_out, &vector(file, &name("w_out")));
        let b_out = numbers(model.b_out.val().inner());
        check(path, &name("b_out"), &b_out, &vector(file, &name("b_out")));
        let theta = numbers(model.tau_theta.val().inner());
        check(
            path,
            &name("taus_gaus"),
            &theta,
            &vector(file, &name("taus_gaus")),
        );
    }
}

#[test]
fn the_adjoint_is_the_gradient_that_burn_finds_through_its_own_operations() {
    for (path, file) in all("gradients", |name| name.ends_with(".mat")) {
        let case = case(&file);
        let burns = by_operations(&case);
        let wide = |values: &[f32]| values.iter().map(|&x| f64::from(x)).collect::<Vec<_>>();
        for model in models(&case.network) {
            let ours = gradients(&model, model.forward(case.drive.clone()), &case);
            check(&path, "dw", &ours.w, &wide(&burns.w));
            check(&path, "dw_out", &ours.w_out, &wide(&burns.w_out));
            if let (Some(ours), Some(burns)) = (&ours.tau_theta, &burns.tau_theta) {
                check(&path, "dtheta", ours, &wide(burns));
            }
        }
    }
}

#[test]
fn the_rate_network_runs_as_the_published_one() {
    for (path, file) in all("traces", |name| name.starts_with("rate_")) {
        let name = file.text("activation").expect("activation");
        let activation = ActivationKind::from_name(&name).expect("a known activation");
        let network = network(&file, true, activation);
        let batch = batch(&file, &network);
        let drive = Drive {
            activation: activation.activation(),
            fluctuations: 0.0,
            rate_penalty: 0.0,
            batch,
        };
        let model = RateModel::<Flex>::new(&network);
        let outputs = model.forward(Arc::new(drive));
        check(&path, "o", &numbers(outputs), &vector(&file, "o"));
    }
}
