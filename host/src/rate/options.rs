//! The options of a training, checked on construction.

use rate2spike_core::decision::Kind;

use super::activation::ActivationKind;
use crate::number::shown;
use crate::task::Task;

/// The loss of a trial with output o and target z.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// Σ |o − z|.
    L1,
    /// √ Σ (o − z)².
    L2,
    /// Cross-entropy of the classes, for tasks with one output a class.
    #[value(name = "cross_entropy", alias = "cross-entropy")]
    CrossEntropy,
}

impl Loss {
    /// The loss of a task where nothing else is said.
    pub fn by_default(task: &Task) -> Self {
        match task.definition().kind {
            Kind::Class | Kind::Label => Self::CrossEntropy,
            Kind::Detection | Kind::Sign | Kind::Rhythm { .. } | Kind::Track => Self::L2,
        }
    }
}

/// The distribution of the recurrent weights at the start.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum WeightStart {
    /// N(0, 1) · gain / √(N · P_rec).
    Gaussian,
    /// Gamma with shape 2 and scale 0.003.
    Gamma,
    /// Like gaussian, with the same variance; under Dale's principle inhibition is
    /// stronger, so that it cancels excitation.
    Balanced,
}

/// Decay time constants of the synapses, in steps of 5 ms.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(untagged)]
pub enum DecayTaus {
    /// One time constant for all units, which is not trained.
    Fixed(f32),
    /// A time constant for each unit, trained between these two.
    Trained(f32, f32),
}

/// Adam's rate over the updates.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    clap::ValueEnum,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// The same until the network settles, as published.
    #[default]
    Constant,
    /// Falling to zero along half a cosine.
    Cosine,
}

/// All options of a training.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct RateOptions {
    /// The task.
    pub task: Task,
    /// Number of units, N.
    pub units: usize,
    /// Probability that a unit is inhibitory, under Dale's principle.
    pub p_inh: f64,
    /// True if exactly this share of the units is inhibitory, rounded to whole units. False:
    /// a coin decides for each unit, as published.
    #[serde(default)]
    pub exact_inhibition: bool,
    /// Probability that a recurrent weight starts different from zero.
    pub p_rec: f64,
    /// Number of somatostatin-like inhibitory units.
    pub som_units: usize,
    /// True if each unit is either excitatory or inhibitory (Dale's principle).
    pub dale: bool,
    /// Spread of the recurrent weights at the start.
    pub gain: f64,
    /// Spread of the input weights at the start.
    #[serde(default = "one")]
    pub input_gain: f64,
    /// Distribution of the recurrent weights at the start.
    pub start: WeightStart,
    /// φ.
    pub activation: ActivationKind,
    /// The loss.
    pub loss: Loss,
    /// The decay time constants.
    pub taus: DecayTaus,
    /// The largest number of updates.
    pub updates: usize,
    /// Trials of an update.
    pub batch: usize,
    /// Adam's rate.
    pub learning_rate: f64,
    /// Adam's rate over the updates.
    #[serde(default)]
    pub schedule: Schedule,
    /// Part of each weight that an update takes away, times Adam's rate.
    #[serde(default)]
    pub weight_decay: f64,
    /// Weight of the mean rate, over units, trials and samples, that is added to the loss.
    #[serde(default)]
    pub rate_penalty: f32,
    /// Whether the input weights are trained.
    #[serde(default)]
    pub train_inputs: bool,
    /// Standard deviation of the noise that is added to each input sample of a training
    /// trial.
    #[serde(default)]
    pub jitter: f32,
    /// Updates after the criterion is met, in which the rate falls to zero.
    pub settle: usize,
    /// Strength c of the fluctuations on the rates while training: variance
    /// c·r/(2τ), correlated over τ.
    pub fluctuations: f32,
    /// Strength of the fluctuations in the updates after the criterion is met.
    pub settle_fluctuations: f32,
    /// Seed of everything random.
    pub seed: u64,
}

/// Whether the answers of a task are those of a data set: classes, labels or a target.
pub fn is_recorded(task: &Task) -> bool {
    match task.definition().kind {
        Kind::Class | Kind::Label | Kind::Track => true,
        Kind::Detection | Kind::Sign | Kind::Rhythm { .. } => false,
    }
}

/// The largest gain of the weights before training. Published gains are 1 to 9; the sums
/// of currents with larger ones leave single precision within a trial.
pub const MOST_GAIN: f64 = 1e6;

/// The number of units of a network for `task` where none is given.
pub fn usual_units(task: &Task) -> usize {
    const PUBLISHED: usize = 200;
    const OF_DATA: usize = 100;
    if is_recorded(task) {
        OF_DATA
    } else {
        PUBLISHED
    }
}

/// The input gain of the published code, and of histories that do not say it.
fn one() -> f64 {
    1.0
}

/// An option that makes no sense.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum OptionError {
    /// A number that is no probability.
    #[error("{name} = {value} is not a probability; give a number from 0 to 1")]
    Probability {
        /// The option.
        name: &'static str,
        /// The option's value.
        value: f64,
    },
    /// Zero where at least one is needed.
    #[error("{name} = 0; give at least 1")]
    Zero {
        /// The option.
        name: &'static str,
    },
    /// A number beyond a limit.
    #[error("{name} = {value}; at most {limit} are supported{}", takes(.bytes))]
    TooMany {
        /// The option.
        name: &'static str,
        /// The option's value.
        value: usize,
        /// The limit.
        limit: usize,
        /// Bytes that the value would take; `None` where the memory is not the reason.
        bytes: Option<u128>,
    },
    /// More memory than the system gives.
    #[error(
        "N = {units} with a batch of {batch} takes about {}, which this machine does not give; use a smaller --batch or --N",
        amount(*.bytes)
    )]
    Memory {
        /// N.
        units: usize,
        /// Trials of an update.
        batch: usize,
        /// Memory of the training.
        bytes: u128,
    },
    /// A number that is not positive and finite.
    #[error("{name} = {value}; give a positive number")]
    NotPositive {
        /// The option.
        name: &'static str,
        /// The option's value.
        value: f64,
    },
    /// A number below 0, or not finite.
    #[error("{name} = {value}; give a number, 0 or more")]
    Negative {
        /// The option.
        name: &'static str,
        /// The option's value.
        value: f64,
    },
    /// A gain with which no network can be trained.
    #[error("{name} = {value:e}; give a positive number, at most {MOST_GAIN}")]
    Gain {
        /// The option.
        name: &'static str,
        /// The option's value.
        value: f64,
    },
    /// A time constant at or below one step.
    #[error("decay_taus: {0} steps; a time constant is longer than one step of 5 ms")]
    ShortTau(f32),
    /// Two time constants of which the larger is first.
    #[error("decay_taus: {0} {1}; give the smaller one first, or a single one to hold it fixed")]
    TauOrder(f32, f32),
    /// Cross-entropy without classes.
    #[error("loss_fn = cross_entropy, but the task {task} has no classes; give l2 or l1")]
    NoClasses {
        /// The task.
        task: String,
    },
}

/// The most units: a larger weight matrix fits no usual memory.
const MOST_UNITS: usize = 20_000;

/// The most updates: each leaves a loss of 8 bytes in the model, whose file format
/// holds 2 GB a variable.
const MOST_UPDATES: usize = 100_000_000;

/// The most trials of an update.
const MOST_BATCH: usize = 1_000_000;

/// Arrays of N × N numbers that a training holds: weights, effective weights and their
/// columns both ways, mask, gradients, both moments, and copies.
const WEIGHT_ARRAYS: u128 = 12;

/// Arrays of T × B × N numbers that an update holds: current, noise, deviates, rates,
/// slopes, drifts, and the gradient by the current.
const STEP_ARRAYS: u128 = 7;

/// Bytes of a number in single precision.
const SINGLE: u128 = 4;

/// Recurrent inputs of a unit at the start of a network that will spike: those
/// of the published network of 200 units. Spike trains fluctuate, and a sum of
/// fewer fluctuates more; under Dale's principle a connection that is missing
/// at the start never comes.
const INPUTS: f64 = 40.0;

/// A default in hundredths, so that its text is short.
fn hundredths(value: f64) -> f64 {
    (100.0 * value).round() / 100.0
}

/// A network of fewer units is a small one. Small networks do not learn under fluctuations.
const SMALL: usize = 50;

impl RateOptions {
    /// The defaults of the published code.
    pub fn published(task: Task, units: usize) -> Self {
        let loss = Loss::by_default(&task);
        Self {
            task,
            units,
            p_inh: 0.2,
            exact_inhibition: false,
            p_rec: 0.2,
            som_units: 0,
            dale: true,
            gain: 1.5,
            input_gain: 1.0,
            start: WeightStart::Gaussian,
            activation: ActivationKind::Sigmoid,
            loss,
            taus: DecayTaus::Trained(4.0, 20.0),
            updates: 6000,
            batch: 1,
            learning_rate: 0.01,
            schedule: Schedule::Constant,
            weight_decay: 0.0,
            rate_penalty: 0.0,
            train_inputs: false,
            jitter: 0.0,
            settle: 0,
            fluctuations: 0.0,
            settle_fluctuations: 0.0,
            seed: 1,
        }
    }

    /// The options of a network that will spike, trained with the spiking
    /// neuron's own transfer function. docs/experiments.md has the trainings behind them.
    fn spiking(task: Task, units: usize) -> Self {
        Self {
            // Rounded to thousandths, since the name of the model's folder contains this number.
            p_rec: (1000.0 * INPUTS / units.max(1) as f64).round().min(1000.0) / 1000.0,
            // The slope of the neuron's own transfer function is 0.15 per mV at
            // the threshold: with a gain of 9 activity just sustains itself, and
            // tasks with a memory are learned in some hundred updates and not in
            // some thousand.
            gain: 9.0,
            // Fewer units take up the input by larger weights. With weights of 1, networks of 50
            // units need twice as many updates, and some of 20 units do not learn.
            input_gain: hundredths((200.0 / units.max(1) as f64).sqrt()).max(1.0),
            start: WeightStart::Balanced,
            activation: ActivationKind::Lif,
            batch: 8,
            settle: 300,
            fluctuations: 1.0,
            settle_fluctuations: 2.5,
            ..Self::published(task, units)
        }
    }

    /// The options of a network that will spike and has few units. Such a network does not
    /// learn under fluctuations, and needs inhibitory units for certain.
    /// docs/experiments.md has the trainings behind them.
    fn small(task: Task, units: usize) -> Self {
        Self {
            p_inh: 0.5,
            exact_inhibition: true,
            updates: 20_000,
            fluctuations: 0.0,
            settle_fluctuations: 0.0,
            ..Self::spiking(task, units)
        }
    }

    /// The options of a network that will spike and is trained on a data set.
    /// docs/experiments.md has the trainings behind them.
    pub fn recorded(task: Task, units: usize) -> Self {
        let channels = task.channels().max(1) as f64;
        // A task with an answer for each sample is not learned under the penalty.
        let rate_penalty = match task.definition().kind {
            Kind::Class => 0.3,
            _ => 0.0,
        };
        Self {
            dale: false,
            start: WeightStart::Gaussian,
            gain: 3.0,
            // Each channel has a standard deviation of one, and a neuron tells some mV apart.
            input_gain: hundredths(8.0 / channels.sqrt()),
            learning_rate: 0.03,
            taus: DecayTaus::Trained(4.0, 20.0),
            updates: 1000,
            batch: 32,
            schedule: Schedule::Cosine,
            rate_penalty,
            train_inputs: true,
            jitter: 0.2,
            settle: 0,
            settle_fluctuations: 1.0,
            ..Self::spiking(task, units)
        }
    }

    /// The same options with another seed.
    pub fn with_seed(&self, seed: u64) -> Self {
        Self {
            seed,
            task: self.task.seeded(seed),
            ..self.clone()
        }
    }

    /// The default options of a network with this activation.
    pub fn defaults(task: Task, units: usize, activation: ActivationKind) -> Self {
        match activation {
            ActivationKind::Lif if is_recorded(&task) => Self::recorded(task, units),
            ActivationKind::Lif if units < SMALL => Self::small(task, units),
            ActivationKind::Lif => Self::spiking(task, units),
            _ => Self {
                activation,
                ..Self::published(task, units)
            },
        }
    }

    /// Whether the training keeps the network that does best on the validation part, and ends
    /// early where that part no longer improves. The published criterion ends the training of the other tasks.
    pub fn validated(&self) -> bool {
        is_recorded(&self.task)
    }

    /// Checks every number.
    pub fn checked(self) -> Result<Self, OptionError> {
        for (name, value) in [
            ("N", self.units),
            ("n_trials", self.updates),
            ("batch", self.batch),
        ] {
            if value == 0 {
                return Err(OptionError::Zero { name });
            }
        }
        let losses = |updates: usize| Some(8 * updates as u128);
        for (name, value, limit, bytes) in [
            ("N", self.units, MOST_UNITS, Some(self.memory_bytes())),
            ("som_N", self.som_units, self.units, None),
            ("n_trials", self.updates, MOST_UPDATES, losses(self.updates)),
            ("settle", self.settle, MOST_UPDATES, losses(self.settle)),
            ("batch", self.batch, MOST_BATCH, Some(self.memory_bytes())),
        ] {
            if value > limit {
                return Err(OptionError::TooMany {
                    name,
                    value,
                    limit,
                    bytes,
                });
            }
        }
        self.check_memory()?;
        for (name, value) in [("P_inh", self.p_inh), ("P_rec", self.p_rec)] {
            if !(0.0..=1.0).contains(&value) {
                return Err(OptionError::Probability { name, value });
            }
        }
        if self.p_rec == 0.0 {
            return Err(OptionError::NotPositive {
                name: "P_rec",
                value: 0.0,
            });
        }
        for (name, value) in [
            ("gain", self.gain),
            ("input_gain", self.input_gain),
            ("learning_rate", self.learning_rate),
        ] {
            if !(value > 0.0 && value.is_finite()) {
                return Err(OptionError::NotPositive { name, value });
            }
        }
        for (name, value) in [
            ("fluctuations", self.fluctuations),
            ("settle_fluctuations", self.settle_fluctuations),
            ("jitter", self.jitter),
            ("weight_decay", self.weight_decay as f32),
            ("rate_penalty", self.rate_penalty),
        ] {
            if !(value >= 0.0 && value.is_finite()) {
                let value = shown(value.into());
                return Err(OptionError::Negative { name, value });
            }
        }
        for (name, value) in [("gain", self.gain), ("input_gain", self.input_gain)] {
            if value > MOST_GAIN {
                return Err(OptionError::Gain { name, value });
            }
        }
        self.taus.checked()?;
        if self.loss == Loss::CrossEntropy && Loss::by_default(&self.task) != self.loss {
            return Err(OptionError::NoClasses {
                task: self.task.name().into(),
            });
        }
        Ok(self)
    }

    /// The memory that a training takes, in bytes, roughly.
    pub fn memory_bytes(&self) -> u128 {
        let (n, batch) = (self.units as u128, self.batch as u128);
        let steps = (self.task.samples() as u128).saturating_mul(batch);
        let steps = steps.saturating_mul(n).saturating_mul(STEP_ARRAYS);
        let weights = n.saturating_mul(n).saturating_mul(WEIGHT_ARRAYS);
        steps.saturating_add(weights).saturating_mul(SINGLE)
    }

    /// Asks the system for the memory of the training, and gives it back.
    fn check_memory(&self) -> Result<(), OptionError> {
        let bytes = self.memory_bytes();
        let there = usize::try_from(bytes)
            .is_ok_and(|bytes| Vec::<u8>::new().try_reserve_exact(bytes).is_ok());
        if there {
            return Ok(());
        }
        Err(OptionError::Memory {
            units: self.units,
            batch: self.batch,
            bytes,
        })
    }
}

/// A number of bytes in a unit that people read.
fn amount(bytes: u128) -> String {
    let gigabytes = bytes as f64 / 1e9;
    if gigabytes < 1e4 {
        format!("{gigabytes:.1} GB")
    } else {
        format!("{:.0} TB", gigabytes / 1e3)
    }
}

fn takes(bytes: &Option<u128>) -> String {
    bytes.map_or(String::new(), |bytes| {
        format!("; it would take {}", amount(bytes))
    })
}

impl DecayTaus {
    /// Reads the numbers after `--decay_taus`.
    pub fn from_numbers(numbers: &[f32]) -> Option<Self> {
        match numbers {
            [tau] => Some(Self::Fixed(*tau)),
            [low, high] => Some(Self::Trained(*low, *high)),
            _ => None,
        }
    }

    /// The time constants as one or two numbers.
    pub fn numbers(self) -> Vec<f32> {
        match self {
            Self::Fixed(tau) => vec![tau],
            Self::Trained(low, high) => vec![low, high],
        }
    }

    fn checked(self) -> Result<(), OptionError> {
        for tau in self.numbers() {
            if !(tau > 1.0 && tau.is_finite()) {
                return Err(OptionError::ShortTau(tau));
            }
        }
        match self {
            Self::Trained(low, high) if low >= high => Err(OptionError::TauOrder(low, high)),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rate::network::RateNetwork;

    #[test]
    fn a_small_network_that_will_spike_has_as_many_inputs_a_unit_as_a_large_one() {
        for units in [50, 100, 150, 200, 300] {
            let options = RateOptions::defaults(Task::xor(), units, ActivationKind::Lif);
            let weights = RateNetwork::start(&options).w;
            let inputs = weights.iter().filter(|w| **w != 0.0).count() as f64 / units as f64;
            // Four standard deviations of a mean over at least 50 units.
            assert!((inputs - INPUTS).abs() < 3.6, "{units}: {inputs}");
        }
        for units in [1, 10, 20_000] {
            let options = RateOptions::defaults(Task::xor(), units, ActivationKind::Lif);
            options.checked().expect("a probability above zero");
        }
    }

    #[test]
    fn a_small_network_learns_without_fluctuations_and_half_of_it_is_inhibitory() {
        for (units, inhibitory) in [(1, 1), (10, 5), (49, 25)] {
            for seed in 0..5 {
                let options = RateOptions {
                    seed,
                    ..RateOptions::defaults(Task::xor(), units, ActivationKind::Lif)
                };
                assert_eq!(options.fluctuations + options.settle_fluctuations, 0.0);
                let network = RateNetwork::start(&options);
                let found = network.inhibitory.iter().filter(|unit| **unit).count();
                assert_eq!(found, inhibitory, "N = {units}, seed {seed}");
            }
        }
        let large = RateOptions::defaults(Task::xor(), SMALL, ActivationKind::Lif);
        assert!(large.fluctuations > 0.0 && !large.exact_inhibition);
    }

    #[test]
    fn fewer_units_have_larger_input_weights() {
        let gain =
            |units| RateOptions::defaults(Task::xor(), units, ActivationKind::Lif).input_gain;
        assert_eq!(
            [10, 20, 50, 200, 1000].map(gain),
            [4.47, 3.16, 2.0, 1.0, 1.0]
        );
    }

    #[test]
    fn counts_without_end_are_answered_with_the_limit_and_what_they_would_take() {
        let plain = RateOptions::published(Task::xor(), 20);
        let refused = |change: fn(&mut RateOptions, usize)| {
            for count in [1_000_000_000, usize::MAX] {
                let mut options = plain.clone();
                change(&mut options, count);
                let error = options.checked().expect_err("too many").to_string();
                assert!(error.contains(&count.to_string()), "{error}");
                assert!(error.contains("at most"), "{error}");
                assert!(error.contains("GB") || error.contains("TB"), "{error}");
            }
        };
        refused(|o, count| o.units = count);
        refused(|o, count| o.updates = count);
        refused(|o, count| o.batch = count);
        refused(|o, count| o.settle = count);
        let large = RateOptions {
            batch: MOST_BATCH,
            ..RateOptions::published(Task::xor(), MOST_UNITS)
        };
        let error = large.checked().expect_err("more than any machine has");
        assert!(error.to_string().contains("TB"), "{error}");
    }

    #[test]
    fn a_network_with_a_published_activation_has_the_published_options() {
        for activation in [
            ActivationKind::Sigmoid,
            ActivationKind::ClippedRelu,
            ActivationKind::Softplus,
        ] {
            let options = RateOptions::defaults(Task::mante(), 50, activation);
            let published = RateOptions {
                activation,
                ..RateOptions::published(Task::mante(), 50)
            };
            assert_eq!(options, published);
            assert_eq!((options.p_rec, options.gain), (0.2, 1.5));
        }
    }
}
