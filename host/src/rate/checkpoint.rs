//! A training under way as bytes, so that it can stop and go on.
//!
//! ```text
//! offset  bytes
//!      0  4      magic "R2SC"
//!      4  2      version, little endian
//!      6  4      CRC-32 (ISO-HDLC) of the rest
//!     10  …      Burn's record: model, optimiser, losses, `Progressed` in JSON
//! ```
//!
//! The random numbers of an update follow from the seed and the number of the
//! update, so that a training that goes on from here ends with the same bits as
//! one that never stopped.

use burn::backend::Autodiff;
use burn::module::Module;
use burn::optim::Optimizer;
use burn::record::{BinBytesRecorder, FullPrecisionSettings, Recorder};
use crc::{CRC_32_ISO_HDLC, Crc};
use serde::{Deserialize, Serialize};

use super::network::RateNetwork;
use super::options::RateOptions;
use super::training::{Cpu, Trainable, Training, TrainingAdam};

const MAGIC: [u8; 4] = *b"R2SC";
const VERSION: u16 = 2;
const HEADER_BYTES: usize = 10;
const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

type B = Autodiff<Cpu>;
type Contents = (
    <Trainable as Module<B>>::Record,
    <TrainingAdam as Optimizer<Trainable, B>>::Record,
    Vec<f32>,
    String,
);

/// What a check point holds beside numbers.
#[derive(Serialize, Deserialize)]
struct Progressed {
    options: RateOptions,
    settling_since: Option<usize>,
    settlings: usize,
    /// Check sum of the network that it began with; a training of an earlier
    /// version has none.
    #[serde(default)]
    start: Option<u32>,
}

/// A file that is not the check point of a training.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// Other bytes.
    #[error("not a check point of a training")]
    Foreign,
    /// Another version.
    #[error("check point of version {0}, but this program reads {VERSION}; train from the start")]
    Version(u16),
    /// Cut or changed.
    #[error("the check point is damaged; train from the start")]
    Damaged,
    /// A training of another kind.
    #[error("made with other options; give the same ones ({})", .0.join(", "))]
    Options(Vec<String>),
    /// A training that began with another network.
    #[error(
        "made by a training that began with another network; give the same --from, or none if there was none"
    )]
    Start,
}

impl Training {
    /// The training as it is now.
    pub fn to_bytes(&self) -> Vec<u8> {
        let progressed = Progressed {
            options: self.options.clone(),
            settling_since: self.settling_since,
            settlings: self.settlings,
            start: Some(fingerprint(&self.start)),
        };
        let contents: Contents = (
            self.model.clone().into_record(),
            self.optimizer.to_record(),
            self.losses.clone(),
            serde_json::to_string(&progressed).expect("plain numbers and names"),
        );
        let recorder = BinBytesRecorder::<FullPrecisionSettings>::default();
        let payload = Recorder::<B>::record(&recorder, contents, ())
            .expect("a record in memory can be written");
        let mut bytes = Vec::with_capacity(HEADER_BYTES + payload.len());
        bytes.extend(MAGIC);
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend(CRC.checksum(&payload).to_le_bytes());
        bytes.extend(payload);
        bytes
    }

    /// This training, before its first update, as it was when
    /// [`to_bytes`](Self::to_bytes) wrote it.
    ///
    /// # Errors
    /// If the bytes are something else, or of a training with other options or
    /// of another network.
    pub fn resumed(mut self, bytes: &[u8]) -> Result<Self, CheckpointError> {
        let payload = payload(bytes)?;
        let recorder = BinBytesRecorder::<FullPrecisionSettings>::default();
        let contents: Contents = recorder
            .load(payload.to_vec(), &Default::default())
            .map_err(|_| CheckpointError::Damaged)?;
        let (model, optimizer, losses, progressed) = contents;
        let progressed: Progressed =
            serde_json::from_str(&progressed).map_err(|_| CheckpointError::Damaged)?;
        let differences = differences(&progressed.options, &self.options);
        if !differences.is_empty() {
            return Err(CheckpointError::Options(differences));
        }
        let own = fingerprint(&self.start);
        if progressed.start.is_some_and(|start| start != own) {
            return Err(CheckpointError::Start);
        }
        self.model = self.model.load_record(model);
        self.optimizer = self.optimizer.load_record(optimizer);
        self.losses = losses;
        self.settling_since = progressed.settling_since;
        self.settlings = progressed.settlings;
        Ok(self)
    }
}

/// Check sum of the numbers of a network.
fn fingerprint(network: &RateNetwork) -> u32 {
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

fn payload(bytes: &[u8]) -> Result<&[u8], CheckpointError> {
    let (header, payload) = bytes
        .split_at_checked(HEADER_BYTES)
        .ok_or(CheckpointError::Foreign)?;
    if header[..4] != MAGIC {
        return Err(CheckpointError::Foreign);
    }
    let version = u16::from_le_bytes([header[4], header[5]]);
    if version != VERSION {
        return Err(CheckpointError::Version(version));
    }
    let stored = u32::from_le_bytes([header[6], header[7], header[8], header[9]]);
    if stored != CRC.checksum(payload) {
        return Err(CheckpointError::Damaged);
    }
    Ok(payload)
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
    use super::*;
    use crate::rate::activation::ActivationKind;

    use crate::task::Task;

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
    fn a_check_point_belongs_to_the_network_that_its_training_began_with() {
        let start = |seed| RateNetwork::start(&RateOptions { seed, ..options() });
        let training = |seed| Training::of_network(options(), start(seed));
        let bytes = training(8).to_bytes();
        assert!(training(8).resumed(&bytes).is_ok());
        let error = training(9).resumed(&bytes).err().expect("a refusal");
        assert!(error.to_string().contains("--from"), "{error}");
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
