//! The gradient of random networks, with every option, against central
//! differences of the equations written down once more, in f64.

use std::sync::Arc;

use burn::backend::{Autodiff, Flex};
use rand::RngExt;
use rand_pcg::Pcg64;
use rate2spike::random::Stream;
use rate2spike::rate::activation::{Activation, ActivationKind};
use rate2spike::rate::batch::{Batch, TrialRange};
use rate2spike::rate::connections::Connections;
use rate2spike::rate::loss::{Objective, Wanted};
use rate2spike::rate::model::{Drive, RateModel};
use rate2spike::rate::network::RateNetwork;
use rate2spike::rate::options::{DecayTaus, Loss, RateOptions, WeightStart};
use rate2spike::task::{Answer, Definition, Draw, Task, Thresholds, Trial};
use rate2spike_core::decision::Kind;
use rate2spike_tests::relative_difference;

type B = Autodiff<Flex>;

/// The parameters that a network trains.
#[derive(Clone)]
struct Trained {
    w: Vec<f64>,
    w_in: Vec<f64>,
    w_out: Vec<f64>,
    b_out: Vec<f64>,
    theta: Vec<f64>,
}

struct Case {
    network: RateNetwork,
    options: RateOptions,
    batch: Batch,
    activation: Activation,
    objective: Objective,
}

fn phi(activation: &Activation, x: f64) -> f64 {
    match activation {
        Activation::Sigmoid => 1.0 / (1.0 + (-x).exp()),
        Activation::ClippedRelu => x.clamp(0.0, 20.0),
        Activation::Softplus => x.exp().ln_1p().clamp(0.0, 20.0),
        Activation::Table(table) => {
            let last = (table.values.len() - 1) as f64;
            let place = ((x - f64::from(table.low)) * f64::from(table.density)).clamp(0.0, last);
            let index = (place as usize).min(table.values.len() - 2);
            let (here, next) = (f64::from(table.values[index]), table.values[index + 1]);
            here + (place - index as f64) * (f64::from(next) - here)
        }
    }
}

impl Case {
    fn new(options: RateOptions) -> Self {
        let mut network = RateNetwork::start(&options);
        // The readout is large enough for its gradient to reach the other parameters.
        network.readout.weights.iter_mut().for_each(|w| *w *= 30.0);
        let range = TrialRange {
            stream: Stream::Training,
            first: 0,
            trials: options.batch,
            fluctuating: options.fluctuations > 0.0,
            jitter: 0.0,
        };
        let batch = Batch::draw(&network, &options.task, options.seed, range);
        Self {
            network,
            batch,
            activation: options.activation.activation(),
            objective: Objective::new(&options.task, options.loss),
            options,
        }
    }

    fn trained(&self) -> Trained {
        let wide = |values: &[f32]| values.iter().map(|&x| f64::from(x)).collect();
        Trained {
            w: wide(&self.network.w),
            w_in: wide(&self.network.w_in),
            w_out: wide(&self.network.readout.weights),
            b_out: wide(&self.network.readout.offset),
            theta: wide(&self.network.tau_theta),
        }
    }

    fn taus(&self, trained: &Trained) -> Vec<f64> {
        let tau = |&theta: &f64| match self.options.taus {
            DecayTaus::Fixed(tau) => tau.into(),
            DecayTaus::Trained(low, high) => {
                let (low, high) = (f64::from(low), f64::from(high));
                low + (high - low) / (1.0 + (-theta).exp())
            }
        };
        trained.theta.iter().map(tau).collect()
    }

    /// The loss; `flutter` holds what the fluctuations added to each rate, and
    /// is filled where it is empty: no derivative is taken through them. Beside it the mean of
    /// the rates.
    fn loss(&self, trained: &Trained, flutter: &mut Vec<f64>) -> (f64, f64) {
        let (n, b, samples) = (self.network.units, self.batch.trials, self.batch.samples);
        let channels = self.network.channels;
        let (signs, taus) = (self.network.signs(), self.taus(trained));
        let effective: Vec<f64> = (0..n * n)
            .map(|k| {
                let w = trained.w[k];
                let w = if self.options.dale { w.max(0.0) } else { w };
                w * f64::from(signs[k % n]) * f64::from(self.network.som_mask[k])
            })
            .collect();
        let fill = flutter.is_empty();
        let (mut total, mut rates) = (0.0, 0.0);
        for trial in 0..b {
            let at = |t: usize, i: usize| (t * b + trial) * n + i;
            let start = &self.batch.start[trial * n..(trial + 1) * n];
            let mut x: Vec<f64> = start.iter().map(|&x| x.into()).collect();
            let mut r: Vec<f64> = x.iter().map(|&x| phi(&self.activation, x)).collect();
            let (mut state, mut filtered) = (vec![0.0; n], vec![0.0; n]);
            let mut outputs: Vec<Vec<f64>> = Vec::new();
            for t in 1..samples {
                let before = r.clone();
                let mut o = trained.b_out.clone();
                for i in 0..n {
                    let row = &effective[i * n..(i + 1) * n];
                    let recurrent: f64 = row.iter().zip(&before).map(|(w, r)| w * r).sum();
                    let input = &self.batch.input[((t - 1) * b + trial) * channels..][..channels];
                    let weights = &trained.w_in[i * channels..(i + 1) * channels];
                    let current: f64 = weights
                        .iter()
                        .zip(input)
                        .map(|(w, u)| w * f64::from(*u))
                        .sum();
                    let direct = if self.batch.direct { current } else { 0.0 };
                    let drive = recurrent + current - direct;
                    x[i] += (drive - x[i]) / taus[i] + f64::from(self.batch.noise[at(t, i)]);
                    r[i] = phi(&self.activation, x[i] + direct);
                    filtered[i] += (r[i] - filtered[i]) / taus[i];
                    let mut shown = if self.batch.direct { filtered[i] } else { r[i] };
                    if let Some(&deviate) = self.batch.fluctuations.get(at(t, i)) {
                        if fill {
                            let (c, keep) =
                                (f64::from(self.options.fluctuations), 1.0 - 1.0 / taus[i]);
                            let kick = (c * (1.0 - keep * keep) / (2.0 * taus[i])).sqrt();
                            state[i] =
                                keep * state[i] + kick * r[i].max(0.0).sqrt() * f64::from(deviate);
                            flutter.push(state[i]);
                        }
                        let flutter = flutter[(trial * (samples - 1) + t - 1) * n + i];
                        r[i] += flutter;
                        shown += flutter;
                    }
                    rates += r[i];
                    for (k, o) in o.iter_mut().enumerate() {
                        *o += trained.w_out[k * n + i] * shown;
                    }
                }
                outputs.push(o);
            }
            total += self.trial_loss(trial, &outputs);
        }
        let mean_rate = rates / (b * n * (samples - 1)) as f64;
        (total / b as f64, mean_rate)
    }

    /// The loss of a trial with these outputs, (T − 1) × K.
    fn trial_loss(&self, trial: usize, outputs: &[Vec<f64>]) -> f64 {
        let (k, rows) = (self.batch.outputs, outputs.len());
        let at = |t: usize, output: usize| (trial * rows + t) * k + output;
        let target = |t, output| f64::from(self.batch.target[at(t, output)]);
        let mask = |t, output| {
            let mask = self.batch.mask.as_ref();
            mask.map_or(1.0, |mask| f64::from(mask[at(t, output)]))
        };
        let surprise =
            |o: &[f64], class: usize| o.iter().map(|o| o.exp()).sum::<f64>().ln() - o[class];
        let places = || (0..rows).flat_map(|t| (0..k).map(move |output| (t, output)));
        let distances = |power: i32| -> f64 {
            let distance = |(t, output): (usize, usize)| {
                mask(t, output) * (outputs[t][output] - target(t, output)).abs().powi(power)
            };
            places().map(distance).sum()
        };
        match &self.objective {
            Objective::L1 => distances(1),
            Objective::L2 => distances(2).sqrt(),
            Objective::Class { window } => {
                let mean = |output: usize| -> f64 {
                    let seen = outputs[window.clone()].iter();
                    seen.map(|o| o[output]).sum::<f64>() / window.len() as f64
                };
                let means: Vec<f64> = (0..k).map(mean).collect();
                surprise(&means, self.batch.labels[trial] as usize)
            }
            Objective::Label => {
                let weight = |&(t, output): &(usize, usize)| mask(t, output) * target(t, output);
                let total: f64 = places().map(|place| weight(&place)).sum();
                let of_place = |(t, output)| weight(&(t, output)) * surprise(&outputs[t], output);
                places().map(of_place).sum::<f64>() / total
            }
        }
    }

    /// The derivative by one number.
    fn difference(&self, flutter: &mut Vec<f64>, number: impl Fn(&mut Trained) -> &mut f64) -> f64 {
        const STEP: f64 = 1e-6;
        let mut moved = |by: f64| {
            let mut trained = self.trained();
            *number(&mut trained) += by;
            let (loss, mean_rate) = self.loss(&trained, flutter);
            loss + f64::from(self.options.rate_penalty) * mean_rate
        };
        (moved(STEP) - moved(-STEP)) / (2.0 * STEP)
    }

    /// Checks the gradient of all weights, and that of the existing ones alone.
    fn check(&self) {
        self.check_form(None);
        self.check_form(Some(Connections::of(&self.network)));
    }

    fn check_form(&self, connections: Option<Connections>) {
        let model = RateModel::<B>::with_connections(&self.network, connections);
        let model = model.with_trained_inputs(true);
        let drive = Arc::new(Drive {
            activation: self.activation.clone(),
            fluctuations: self.options.fluctuations,
            rate_penalty: self.options.rate_penalty,
            batch: self.batch.clone(),
        });
        let wanted = Wanted::new(&self.batch);
        let value = self.objective.of_batch(model.forward(drive), wanted);
        let gradients = value.backward();
        let value = f64::from(value.into_scalar());
        let mut flutter = Vec::new();
        let (wanted, _) = self.loss(&self.trained(), &mut flutter);
        assert!(
            (value / wanted - 1.0).abs() < 1e-5,
            "{:?}: {value} {wanted}",
            self.options
        );

        let n = self.network.units;
        let w: Vec<f32> = (model
            .w
            .grad(&gradients)
            .expect("w is trained")
            .into_data()
            .into_vec())
        .expect("single precision");
        let w = model.spread(&w);
        // A relu has no derivative at zero: under Dale's principle what starts
        // there stays there.
        let chosen = (0..n * n).step_by(3);
        let chosen: Vec<usize> = chosen.filter(|&k| self.network.w[k] != 0.0).collect();
        let by_w: Vec<f64> = (chosen
            .iter()
            .map(|&k| self.difference(&mut flutter, |t| &mut t.w[k])))
        .collect();
        let found: Vec<f32> = chosen.iter().map(|&k| w[k]).collect();
        self.close("w", &found, &by_w);

        let grad = model.w_in.grad(&gradients).expect("w_in is trained");
        let found: Vec<f32> = grad.into_data().into_vec().expect("single precision");
        let by_w_in: Vec<f64> = (0..found.len())
            .map(|k| self.difference(&mut flutter, |t| &mut t.w_in[k]))
            .collect();
        self.close("w_in", &found, &by_w_in);

        let grad = model.w_out.grad(&gradients).expect("w_out is trained");
        let found: Vec<f32> = grad.into_data().into_vec().expect("single precision");
        let by_w_out: Vec<f64> = (0..found.len())
            .map(|i| self.difference(&mut flutter, |t| &mut t.w_out[i]))
            .collect();
        self.close("w_out", &found, &by_w_out);

        if let Some(grad) = model.tau_theta.grad(&gradients) {
            let found: Vec<f32> = grad.into_data().into_vec().expect("single precision");
            let by_theta: Vec<f64> = (0..n)
                .map(|i| self.difference(&mut flutter, |t| &mut t.theta[i]))
                .collect();
            self.close("theta", &found, &by_theta);
        }
        if let Some(grad) = model.b_out.grad(&gradients) {
            let found: Vec<f32> = grad.into_data().into_vec().expect("single precision");
            let by_b_out: Vec<f64> = (0..found.len())
                .map(|k| self.difference(&mut flutter, |t| &mut t.b_out[k]))
                .collect();
            self.close("b_out", &found, &by_b_out);
        }
    }

    fn close(&self, name: &str, found: &[f32], wanted: &[f64]) {
        let difference = relative_difference(found, wanted);
        println!("{:?} {name}: {difference:.1e}", self.options.activation);
        // Single precision over 200 steps of a recurrence, and 1e-6 of the
        // differences.
        assert!(
            difference < 1e-3,
            "{:?} {name}: {difference:e}",
            self.options
        );
    }
}

#[test]
fn gradients_are_central_differences_with_every_option() {
    let plain = RateOptions {
        p_inh: 0.3,
        p_rec: 0.6,
        updates: 1,
        batch: 3,
        seed: 5,
        ..RateOptions::published(Task::go_nogo(), 10)
    };
    let vary = |change: fn(&mut RateOptions)| {
        let mut options = plain.clone();
        change(&mut options);
        Case::new(options).check();
    };
    vary(|_| ());
    vary(|o| o.activation = ActivationKind::Softplus);
    vary(|o| o.activation = ActivationKind::ClippedRelu);
    vary(|o| o.activation = ActivationKind::Lif);
    vary(|o| o.loss = Loss::L1);
    vary(|o| o.dale = false);
    vary(|o| o.som_units = 2);
    vary(|o| o.taus = DecayTaus::Fixed(7.0));
    vary(|o| o.start = WeightStart::Gamma);
    vary(|o| o.start = WeightStart::Balanced);
    vary(|o| o.batch = 1);
    vary(|o| o.task = Task::mante());
    vary(|o| {
        o.activation = ActivationKind::Lif;
        o.fluctuations = 1.0;
        o.task = Task::xor();
    });
    // The penalty is of the size of the loss.
    vary(|o| o.rate_penalty = 100.0);
    vary(|o| {
        o.activation = ActivationKind::Lif;
        o.fluctuations = 1.0;
        o.rate_penalty = 100.0;
    });
}

/// A task with three outputs, whose answers are read by `kind`: a burst of noise in three
/// channels, of which one is louder; the mask leaves out a part of the samples.
fn three_outputs(kind: Kind) -> Task {
    fn draw(task: &Definition, random: &mut Pcg64) -> Trial {
        let (mut input, mut target) = task.blank();
        let label = random.random_range(0..3usize);
        let mut mask = vec![1.0; target.len()];
        for t in 0..task.samples {
            for channel in 0..3 {
                let loud = if channel == label { 3.0 } else { 1.0 };
                input[channel * task.samples + t] = loud * random.random_range(-1.0..1.0);
                let follows = task.kind == Kind::Track;
                let place = channel * task.samples + t;
                target[place] = match follows {
                    true => random.random_range(-1.0..1.0),
                    false => f32::from(u8::from(channel == (label + t / 7) % 3)),
                };
                mask[place] = [1.0, 0.5, 0.0][t % 3];
            }
        }
        Trial {
            input,
            target,
            mask: Some(mask),
            label: label as i16,
        }
    }
    Task::new(Definition {
        name: "three outputs".into(),
        channels: 3,
        outputs: 3,
        samples: 40,
        sample_ms: 10.0,
        kind,
        rate_response: 20,
        response_ms: 200.0,
        mean_ms: (250.0, 390.0),
        thresholds: Thresholds::SIGN,
        answers: (0..3).map(|label| Answer::new(label, "class")).collect(),
        least_trials: 0,
        draw: Draw::Generator(draw),
    })
}

#[test]
fn gradients_of_three_outputs_are_central_differences_with_every_loss() {
    let options = |kind, loss| RateOptions {
        p_inh: 0.3,
        p_rec: 0.6,
        updates: 1,
        batch: 4,
        seed: 9,
        loss,
        ..RateOptions::published(three_outputs(kind), 10)
    };
    for activation in [ActivationKind::Sigmoid, ActivationKind::Lif] {
        for (kind, loss) in [
            (Kind::Class, Loss::CrossEntropy),
            (Kind::Label, Loss::CrossEntropy),
            (Kind::Track, Loss::L2),
            (Kind::Track, Loss::L1),
            (Kind::Class, Loss::L2),
        ] {
            let options = RateOptions {
                activation,
                fluctuations: 1.0,
                ..options(kind, loss)
            };
            Case::new(options).check();
        }
    }
}

#[test]
fn recordings_with_one_class_each_are_trained_with_a_penalty_on_the_rates() {
    for (kind, penalty) in [(Kind::Class, 0.3), (Kind::Label, 0.0), (Kind::Track, 0.0)] {
        let options = RateOptions::recorded(three_outputs(kind), 10);
        assert_eq!(options.rate_penalty, penalty, "{kind:?}");
    }
}

#[test]
fn the_default_loss_is_that_of_the_kind_of_task() {
    for (kind, loss) in [
        (Kind::Class, Loss::CrossEntropy),
        (Kind::Label, Loss::CrossEntropy),
        (Kind::Track, Loss::L2),
        (Kind::Sign, Loss::L2),
    ] {
        let options = RateOptions::defaults(three_outputs(kind), 10, ActivationKind::Lif);
        assert_eq!(options.loss, loss, "{kind:?}");
    }
    let wrong = RateOptions {
        loss: Loss::CrossEntropy,
        ..RateOptions::published(Task::xor(), 10)
    };
    let error = wrong.checked().expect_err("xor has no classes");
    assert!(error.to_string().contains("give l2 or l1"), "{error}");
}
