//! A training under way as bytes, so that it can stop and go on.
//!
//! ```text
//! offset  bytes
//!      0  4      magic "R2SC"
//!      4  2      version, little endian
//!      6  4      CRC-32 (ISO-HDLC) of the rest
//!     10  4      J, little endian
//!     14  J      `Progressed` in JSON
//!   14+J  …      single precision, little endian: w (the weights that the model has), w_in,
//!                w_out, b_out, theta; both moments of each of them that has any; the
//!                losses; the five arrays of the best network, if there is one
//! ```
//!
//! The random numbers of an update follow from the seed and the number of the
//! update, so that a training that goes on from here ends with the same bits as
//! one that never stopped. The sizes of the arrays follow from the options: a file
//! of another length is refused before anything is read from it.

use burn::module::Param;
use burn::optim::{AdamState, AdaptiveMomentumState};
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use crc::{CRC_32_ISO_HDLC, CRC_64_XZ, Crc};
use serde::{Deserialize, Serialize};

use super::evaluation::Evaluated;
use super::network::RateNetwork;
use super::options::RateOptions;
use super::settling::Settling;
use super::training::{Best, Cpu, Training};
use crate::readout::Readout;

const MAGIC: [u8; 4] = *b"R2SC";
const VERSION: u16 = 6;
const HEADER_BYTES: usize = 14;
const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// The content of a check point beside its arrays.
#[derive(Serialize, Deserialize)]
struct Progressed {
    options: RateOptions,
    settling: Settling,
    /// Check sum of the network that it began with.
    start: u32,
    /// Number of updates.
    updates: usize,
    /// Gradients that Adam has seen of w, w_in, w_out, b_out and theta.
    gradients: [Option<usize>; 5],
    evaluations: Vec<Evaluated>,
    /// The scores and the grade of the best network so far.
    best: Option<(Evaluated, f64)>,
    /// Tries before this one.
    tries: usize,
}

/// A file that is not the check point of a training.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// Bytes that are no check point.
    #[error("not a check point of a training; move it away")]
    Foreign,
    /// A check point of another version.
    #[error(
        "check point of version {0}, but this program reads {VERSION}; move it away, and train from the start"
    )]
    Version(u16),
    /// A check point that was cut or changed.
    #[error("the check point is damaged; move it away, and train from the start")]
    Damaged,
    /// A check point of a training with other options.
    #[error("made with other options; give the same ones ({})", .0.join(", "))]
    Options(Vec<String>),
    /// A training that began with another network.
    #[error(
        "made by a training that began with another network; give the same --from, or none if there was none"
    )]
    Start,
}

impl Training {
    /// The present state of the training as bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let (model, adam) = (&self.model, &self.adam);
        let progressed = Progressed {
            options: self.options.clone(),
            settling: self.settling,
            start: fingerprint(&self.start),
            updates: self.losses.len(),
            gradients: [
                seen(&adam.w),
                seen(&adam.w_in),
                seen(&adam.w_out),
                seen(&adam.b_out),
                seen(&adam.tau_theta),
            ],
            evaluations: self.evaluations.clone(),
            best: self.best.as_ref().map(|best| (best.evaluated, best.grade)),
            tries: self.tries,
        };
        let json = serde_json::to_vec(&progressed).expect("plain numbers and names");
        let mut payload = (json.len() as u32).to_le_bytes().to_vec();
        payload.extend(json);
        let out = &mut payload;
        put(out, &model.w.val().inner());
        put(out, &model.w_in.val().inner());
        put(out, &model.w_out.val().inner());
        put(out, &model.b_out.val().inner());
        put(out, &model.tau_theta.val().inner());
        put_state(out, &adam.w);
        put_state(out, &adam.w_in);
        put_state(out, &adam.w_out);
        put_state(out, &adam.b_out);
        put_state(out, &adam.tau_theta);
        let best = self.best.iter().flat_map(|best| arrays_of(&best.network));
        let numbers = best.flatten();
        out.extend(
            self.losses
                .iter()
                .chain(numbers)
                .flat_map(|x| x.to_le_bytes()),
        );
        let mut bytes = Vec::with_capacity(HEADER_BYTES + payload.len());
        bytes.extend(MAGIC);
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend(CRC.checksum(&payload).to_le_bytes());
        bytes.extend(payload);
        bytes
    }

    /// Takes this training, before its first update, to the state that
    /// [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// If the bytes are something else, or of a training with other options or
    /// of another network.
    pub fn resumed(mut self, bytes: &[u8]) -> Result<Self, CheckpointError> {
        let (progressed, arrays) = read(bytes)?;
        let differences = differences(&progressed.options, &self.options);
        if !differences.is_empty() {
            return Err(CheckpointError::Options(differences));
        }
        if progressed.start != fingerprint(&self.start) {
            return Err(CheckpointError::Start);
        }
        if !progressed.is_possible() {
            return Err(CheckpointError::Damaged);
        }
        let (model, adam) = (&mut self.model, &mut self.adam);
        let [w, w_in, w_out, b_out, tau_theta] = progressed.gradients;
        let mut arrays = Arrays(arrays);
        let shape = |rows, columns| [rows, columns];
        let weights: [usize; 2] = model.w.val().dims();
        let (n, k) = (self.options.units, self.start.readout.outputs());
        let channels = self.start.channels;
        let rest = arrays
            .fits(
                &progressed,
                &self.start,
                model.w.val().shape().num_elements(),
            )
            .ok_or(CheckpointError::Damaged)?;
        let values = (
            arrays.tensor(weights),
            arrays.tensor(shape(n, channels)),
            arrays.tensor(shape(k, n)),
            arrays.tensor([k]),
            arrays.tensor([n]),
        );
        model.w = replaced(&model.w, values.0);
        model.w_in = replaced(&model.w_in, values.1);
        model.w_out = replaced(&model.w_out, values.2);
        model.b_out = replaced(&model.b_out, values.3);
        model.tau_theta = replaced(&model.tau_theta, values.4);
        adam.w = w.map(|seen| arrays.state(seen, weights));
        adam.w_in = w_in.map(|seen| arrays.state(seen, shape(n, channels)));
        adam.w_out = w_out.map(|seen| arrays.state(seen, shape(k, n)));
        adam.b_out = b_out.map(|seen| arrays.state(seen, [k]));
        adam.tau_theta = tau_theta.map(|seen| arrays.state(seen, [n]));
        self.network.w_in = model.input_weights();
        self.losses = arrays.take(rest);
        self.best = progressed.best.map(|(evaluated, grade)| Best {
            evaluated,
            grade,
            network: arrays.network(&self.start),
        });
        self.tries = progressed.tries;
        self.settling = progressed.settling;
        self.evaluations = progressed.evaluations;
        Ok(self)
    }
}

impl Progressed {
    /// True if a training can have reached this state.
    fn is_possible(&self) -> bool {
        let counts = [
            self.settling.since,
            Some(self.settling.times),
            Some(self.tries),
        ];
        let mut counts = counts.into_iter().chain(self.gradients).flatten();
        self.updates < self.options.updates && counts.all(|count| count <= self.updates)
    }
}

/// Arrays of single precision, one after the other.
struct Arrays<'a>(&'a [u8]);

impl Arrays<'_> {
    /// The number of losses, if the arrays have the sizes of those of `network`, of whose
    /// weights the model has `weights`.
    fn fits(
        &self,
        progressed: &Progressed,
        network: &RateNetwork,
        weights: usize,
    ) -> Option<usize> {
        let whole = arrays_of(network).map(<[f32]>::len);
        let [_, others @ ..] = whole;
        let mut numbers = progressed.updates;
        if progressed.best.is_some() {
            numbers = numbers.checked_add(whole.into_iter().sum())?;
        }
        let sizes = std::iter::once(weights).chain(others);
        for (size, seen) in sizes.zip(progressed.gradients) {
            let times = if seen.is_some() { 3 } else { 1 };
            numbers = numbers.checked_add(size.checked_mul(times)?)?;
        }
        (numbers.checked_mul(4)? == self.0.len()).then_some(progressed.updates)
    }

    /// The next numbers; fewer where fewer are left.
    fn take(&mut self, count: usize) -> Vec<f32> {
        let (now, rest) = self.0.split_at(self.0.len().min(4 * count));
        self.0 = rest;
        let numbers = now.as_chunks::<4>().0.iter();
        numbers.map(|bytes| f32::from_le_bytes(*bytes)).collect()
    }

    /// A network like `network`, with the next numbers.
    fn network(&mut self, network: &RateNetwork) -> RateNetwork {
        let [w, w_in, weights, offset, tau_theta] =
            arrays_of(network).map(|array| self.take(array.len()));
        RateNetwork {
            w,
            w_in,
            readout: Readout { weights, offset },
            tau_theta,
            ..network.clone()
        }
    }

    fn tensor<B: Backend, const D: usize>(&mut self, shape: [usize; D]) -> Tensor<B, D> {
        let values = self.take(shape.iter().product());
        Tensor::from_data(TensorData::new(values, shape), &B::Device::default())
    }

    fn state<const D: usize>(&mut self, seen: usize, shape: [usize; D]) -> AdamState<Cpu, D> {
        let (first, second) = (self.tensor(shape), self.tensor(shape));
        AdamState::new(AdaptiveMomentumState::new(seen, first, second))
    }
}

/// The trained numbers of a network, in the order of a check point.
fn arrays_of(network: &RateNetwork) -> [&[f32]; 5] {
    [
        &network.w,
        &network.w_in,
        &network.readout.weights,
        &network.readout.offset,
        &network.tau_theta,
    ]
}

fn replaced<B: Backend, const D: usize>(
    param: &Param<Tensor<B, D>>,
    value: Tensor<B, D>,
) -> Param<Tensor<B, D>> {
    let trained = param.val().is_require_grad();
    Param::from_tensor(value).set_require_grad(trained)
}

fn put<const D: usize>(out: &mut Vec<u8>, tensor: &Tensor<Cpu, D>) {
    let data = tensor.to_data().convert::<f32>();
    let values = data.as_slice::<f32>().expect("converted to f32");
    out.extend(values.iter().flat_map(|value| value.to_le_bytes()));
}

fn put_state<const D: usize>(out: &mut Vec<u8>, state: &Option<AdamState<Cpu, D>>) {
    if let Some(AdamState { momentum }) = state {
        put(out, &momentum.moment_1);
        put(out, &momentum.moment_2);
    }
}

fn seen<const D: usize>(state: &Option<AdamState<Cpu, D>>) -> Option<usize> {
    state.as_ref().map(|state| state.momentum.time)
}

/// A name for a training: 16 hexadecimal digits that differ where its options, its
/// task or the network that it begins with differ.
pub fn name(options: &RateOptions, start: &RateNetwork) -> String {
    let json = serde_json::to_vec(options).expect("plain numbers and names");
    let crc = Crc::<u64>::new(&CRC_64_XZ);
    let mut digest = crc.digest();
    digest.update(&json);
    digest.update(&fingerprint(start).to_le_bytes());
    format!("{:016x}", digest.finalize())
}

/// The options of a check point that differ from `given`, as `NAME = VALUE`.
///
/// # Errors
/// If the bytes are not a check point.
pub fn differences_of(bytes: &[u8], given: &RateOptions) -> Result<Vec<String>, CheckpointError> {
    let (progressed, _) = read(bytes)?;
    Ok(differences(&progressed.options, given))
}

/// Check sum of the numbers of a network.
pub fn fingerprint(network: &RateNetwork) -> u32 {
    let mut digest = CRC.digest();
    for values in [
        &network.w,
        &network.w_in,
        &network.readout.weights,
        &network.tau_theta,
    ] {
        digest.update(bytemuck::cast_slice(values));
    }
    digest.finalize()
}

fn read(bytes: &[u8]) -> Result<(Progressed, &[u8]), CheckpointError> {
    let (header, _) = bytes
        .split_first_chunk::<HEADER_BYTES>()
        .ok_or(CheckpointError::Foreign)?;
    let [m0, m1, m2, m3, v0, v1, c0, c1, c2, c3, j0, j1, j2, j3] = *header;
    if [m0, m1, m2, m3] != MAGIC {
        return Err(CheckpointError::Foreign);
    }
    let version = u16::from_le_bytes([v0, v1]);
    if version != VERSION {
        return Err(CheckpointError::Version(version));
    }
    let payload = &bytes[HEADER_BYTES - 4..];
    if u32::from_le_bytes([c0, c1, c2, c3]) != CRC.checksum(payload) {
        return Err(CheckpointError::Damaged);
    }
    let length = u32::from_le_bytes([j0, j1, j2, j3]);
    let length = usize::try_from(length).map_err(|_| CheckpointError::Damaged)?;
    let (json, arrays) = bytes[HEADER_BYTES..]
        .split_at_checked(length)
        .ok_or(CheckpointError::Damaged)?;
    let progressed = serde_json::from_slice(json).map_err(|_| CheckpointError::Damaged)?;
    Ok((progressed, arrays))
}

/// The options of `made` that are not those of `given`.
fn differences(made: &RateOptions, given: &RateOptions) -> Vec<String> {
    let fields = |options| match serde_json::to_value(options) {
        Ok(serde_json::Value::Object(fields)) => fields,
        _ => unreachable!("options are an object with named fields"),
    };
    let (made, given) = (fields(made), fields(given));
    made.into_iter()
        .filter(|(name, value)| given.get(name) != Some(value))
        .map(|(name, value)| format!("{name} = {value}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use rand::RngExt;
    use rand_pcg::Pcg64;
    use rate2spike_core::decision::Kind;

    use super::*;
    use crate::rate::activation::ActivationKind;
    use crate::task::{Answer, Definition, Draw, Task, Thresholds, Trial};

    fn options() -> RateOptions {
        RateOptions {
            p_rec: 0.5,
            activation: ActivationKind::Lif,
            updates: 40,
            batch: 2,
            settle: 5,
            fluctuations: 1.0,
            settle_fluctuations: 2.0,
            seed: 3,
            ..RateOptions::published(Task::xor(), 12)
        }
    }

    #[test]
    fn a_training_that_stopped_anywhere_ends_as_one_that_did_not() {
        let whole = crate::rate::training::train(&options(), &mut ());
        let mut training = Training::new(options());
        let trained = loop {
            // Stopped and started again after every single update.
            let bytes = training.to_bytes();
            training = Training::new(options()).resumed(&bytes).expect("our own");
            if let Some(trained) = training.advance(&mut ()) {
                break trained;
            }
        };
        assert_eq!(trained.network, whole.network);
        assert_eq!(trained.losses, whole.losses);
        assert_eq!(trained.evaluation, whole.evaluation);
    }

    #[test]
    fn a_training_with_several_tries_stops_anywhere_too() {
        let end = |stops: bool| {
            let mut training = Training::new(RateOptions {
                dale: false,
                p_rec: 0.4,
                updates: 400,
                batch: 8,
                settle: 5,
                seed: 3,
                ..RateOptions::published(Task::go_nogo(), 30)
            });
            loop {
                if stops {
                    let bytes = training.to_bytes();
                    let start = Training::new(training.options().clone());
                    training = start.resumed(&bytes).expect("our own");
                }
                let Some(trained) = training.advance(&mut ()) else {
                    continue;
                };
                let grade = 0.5 / (1 + training.tries) as f64;
                if !training.try_again(&trained, grade) {
                    return (training.tries, training.best_try(trained, grade));
                }
            }
        };
        let (tries, (whole, grade)) = end(false);
        assert!(tries > 0 && whole.success && grade == 0.5);
        let (again, (stopped, _)) = end(true);
        assert_eq!(again, tries);
        assert_eq!(stopped.network, whole.network);
        assert_eq!(stopped.losses, whole.losses);
        assert_eq!(stopped.evaluation, whole.evaluation);
    }

    /// A task of two classes: which of two inputs is on.
    fn classes() -> Task {
        fn draw(task: &Definition, random: &mut Pcg64) -> Trial {
            let (mut input, target) = task.blank();
            let label = random.random_range(0..2usize);
            input[label * task.samples + 4..][..6].fill(1.0);
            Trial {
                input,
                target,
                mask: None,
                label: label as i16,
            }
        }
        Task::new(Definition {
            name: "classes".into(),
            channels: 2,
            outputs: 2,
            samples: 20,
            sample_ms: 5.0,
            kind: Kind::Class,
            rate_response: 0,
            response_ms: 0.0,
            mean_ms: (50.0, 100.0),
            thresholds: Thresholds::SIGN,
            answers: (0..2).map(|label| Answer::new(label, "class")).collect(),
            least_trials: 0,
            draw: Draw::Generator(draw),
        })
    }

    #[test]
    fn a_training_on_classes_keeps_the_best_network_of_all_its_evaluations() {
        let options = RateOptions {
            updates: 305,
            batch: 4,
            seed: 2,
            ..RateOptions::defaults(classes(), 8, ActivationKind::Lif)
        };
        let whole = crate::rate::training::train(&options, &mut ());
        assert!(whole.success);
        let best = whole.evaluations.iter().map(|e| e.accuracy);
        assert_eq!(whole.evaluation.accuracy, best.fold(0.0, f64::max));
        assert!(whole.network.direct_inputs);
        assert_ne!(whole.network.w_in, whole.start.w_in);
    }

    #[test]
    fn a_check_point_belongs_to_the_network_that_its_training_began_with() {
        let start = |seed| RateNetwork::start(&RateOptions { seed, ..options() });
        let training = |seed| Training::of_network(options(), start(seed));
        let bytes = training(8).to_bytes();
        assert!(training(8).resumed(&bytes).is_ok());
        let error = training(9).resumed(&bytes).err().expect("a refusal");
        assert!(error.to_string().contains("--from"), "{error}");
    }

    #[test]
    fn a_crafted_check_point_with_a_right_check_sum_is_refused() {
        let bytes = Training::new(options()).to_bytes();
        let length = u32::from_le_bytes([bytes[10], bytes[11], bytes[12], bytes[13]]) as usize;
        let json = String::from_utf8(bytes[14..14 + length].to_vec()).expect("JSON");
        let crafted = |json: &str, arrays: &[u8]| {
            let mut payload = (json.len() as u32).to_le_bytes().to_vec();
            payload.extend(json.as_bytes());
            payload.extend(arrays);
            let mut bytes = bytes[..6].to_vec();
            bytes.extend(CRC.checksum(&payload).to_le_bytes());
            bytes.extend(payload);
            Training::new(options()).resumed(&bytes)
        };
        let arrays = &bytes[14 + length..];
        assert!(crafted(&json, arrays).is_ok());
        assert!(crafted(&json, &arrays[4..]).is_err());
        let huge = usize::MAX.to_string();
        for (field, value) in [
            ("\"updates\":0", format!("\"updates\":{huge}")),
            ("\"updates\":0", "\"updates\":40".into()),
            ("\"since\":null", "\"since\":7".into()),
            ("\"times\":0", format!("\"times\":{huge}")),
            (
                "[null,null,null,null,null]",
                format!("[{huge},null,null,null,null]"),
            ),
            ("[null,null,null,null,null]", "[0,0,0,0,0]".into()),
        ] {
            assert!(json.contains(field), "{field} in {json}");
            let changed = json.replacen(field, &value, 1);
            assert!(crafted(&changed, arrays).is_err(), "{value}");
        }
    }

    #[test]
    fn the_name_of_a_training_follows_from_its_options_task_and_start() {
        let start = RateNetwork::start(&options());
        let plain = name(&options(), &start);
        assert_eq!(plain, name(&options(), &start));
        assert_eq!(plain.len(), 16);
        let other = RateOptions {
            settle_fluctuations: 2.5,
            ..options()
        };
        assert_ne!(plain, name(&other, &start));
        let mut changed = start;
        changed.w[0] += 1.0;
        assert_ne!(plain, name(&options(), &changed));
    }

    #[test]
    fn other_options_and_other_bytes_are_refused() {
        let bytes = Training::new(options()).to_bytes();
        let other = RateOptions {
            gain: 2.0,
            ..options()
        };
        let error = Training::new(other)
            .resumed(&bytes)
            .err()
            .expect("a refusal");
        assert!(error.to_string().contains("gain = 1.5"), "{error}");
        for byte in (0..bytes.len()).step_by(97).chain(0..20) {
            let mut changed = bytes.clone();
            changed[byte] ^= 4;
            assert!(
                Training::new(options()).resumed(&changed).is_err(),
                "{byte}"
            );
            assert!(Training::new(options()).resumed(&bytes[..byte]).is_err());
        }
    }
}
