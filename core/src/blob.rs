//! The blob: a deployed network as bytes. The layout is described here and nowhere
//! else; the host writes it with [`write()`], and everything reads it with
//! [`Deployed::read`].
//!
//! ```text
//! offset  bytes
//!      0  4      magic "R2SN"
//!      4  2      layout version, little endian
//!      6  2      from layout 5 on the kind of the numbers: 0 fixed point, 1 f32
//!      8  4      length of the payload
//!     12  4      CRC-32 (ISO-HDLC) of bytes 0 to 11 and of the payload
//!     16  …      payload: `Payload` in postcard
//!      …         layout 3: the hash of the task, in postcard
//!                layout 4: the task's hash, the number of outputs, their offsets,
//!                the names of the classes and the preprocessing, in postcard;
//!                for a data set also the seed of its parts
//!                layout 5: as layout 4
//! ```
//!
//! A payload is written in the oldest layout that has a place for all of it: fixed point
//! in layout 2, 3 or 4, and f32 in layout 5. Every layout from 2 on is read.
//!
//! The tables in the payload are byte strings, which a reader borrows from flash.
//! Their numbers are little endian and are read byte by byte, since nothing is
//! aligned. [`Deployed::read`] checks everything once; after that no access can
//! fail. The rows of the tables differ between the kinds of numbers: those of fixed point
//! are described here, and those of f32 in [`floating`].

pub mod floating;

use core::ops::Range;

use crc::{CRC_32_ISO_HDLC, Crc, Table};
use fixed::types::{I4F12, I6F10};
use heapless::Vec;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::arithmetic::{self, Arithmetic, FACTOR_SHIFT, Fixed, HALF_DROPPED, with_input};
use crate::decision::{Decision, MOST_OUTPUTS};
use crate::halves::{Alone, Join};
use crate::network::{
    Banks, Constants, Deliver, MOST_INPUTS, Network, ReadoutFilter, Target, Targets,
};
use crate::neuron::{Filter, FilterFactors, Membrane, UnitFactors};
use crate::noise::Noise;
use crate::prepared::Prepared;
use crate::preprocessing::Chain;
use crate::step::{StartError, State, StateMemory};
use crate::trial::{Clock, Run, SpikeHash};

/// The first four bytes.
pub const MAGIC: [u8; 4] = *b"R2SN";

/// Newest version of the layout; CHANGELOG.md tells its history.
pub const LAYOUT: u16 = 5;

/// Oldest version of the layout that is read.
pub const OLDEST_LAYOUT: u16 = 2;

/// Bytes before the payload.
pub const HEADER_BYTES: usize = 16;

/// Bytes of a row of [`Payload::units`]: decay, gain, bias.
pub const UNIT_BYTES: usize = 6;
/// Position of the bias in a row of [`Payload::units`].
const BIAS_AT: usize = 4;
/// Bytes of an input weight, in 2⁻¹⁰ mV.
pub const INPUT_WEIGHT_BYTES: usize = 2;
/// Bytes of an entry of [`Payload::starts`].
pub const START_BYTES: usize = 4;
/// Bytes of a synapse: the gap to the column's previous target, the weight.
pub const SYNAPSE_BYTES: usize = 2;
/// Bytes of a readout filter: decay, gain.
pub const FILTER_BYTES: usize = 4;
/// Bytes of an output's offset, in the bits of [`Fixed`].
pub const OFFSET_BYTES: usize = 4;
/// Bytes of two weights in a row of [`Payload::readout`].
const PAIR_BYTES: usize = 4;
/// Bytes of a pulse: channel, first sample, sample after the last one, value in
/// 2⁻¹².
pub const PULSE_BYTES: usize = 7;

/// Bytes of a row of [`Payload::readout`]: the first filter, and for each output
/// the weight to that filter and the weight to the next one.
pub const fn readout_bytes(outputs: usize) -> usize {
    1 + PAIR_BYTES * outputs
}

/// The check sum, with a table of 256 entries, which takes 1 KiB of flash.
static CRC: Crc<u32, Table<1>> = Crc::<u32, Table<1>>::new(&CRC_32_ISO_HDLC);

/// A kind of number in which a blob can hold a network, with the sizes of its tables' rows.
pub trait Stored:
    Arithmetic<Factor: Serialize + DeserializeOwned + Send + Sync>
    + Serialize
    + DeserializeOwned
    + Send
    + Sync
{
    /// The kind of number in the header.
    const ARITHMETIC: u16;
    /// Bytes of a row of [`Payload::units`].
    const UNIT_BYTES: usize;
    /// Bytes of an input weight.
    const INPUT_WEIGHT_BYTES: usize;
    /// Bytes of a synapse.
    const SYNAPSE_BYTES: usize;
    /// Bytes of a readout filter.
    const FILTER_BYTES: usize;
    /// Bytes of an output's offset.
    const OFFSET_BYTES: usize;
    /// Bytes of two weights in a row of [`Payload::readout`].
    const PAIR_BYTES: usize;

    /// Bytes of a row of [`Payload::readout`].
    fn readout_bytes(outputs: usize) -> usize {
        1 + Self::PAIR_BYTES * outputs
    }

    /// The distance in a synapse's bytes from the column's previous target.
    fn gap(synapse: &[u8]) -> usize;

    /// True if the second of two readout weights is zero.
    fn is_single(pair: &[u8]) -> bool;

    /// The fault of a number that these numbers do not allow.
    ///
    /// # Errors
    /// [`BlobError::Range`].
    fn check_numbers(payload: &Payload<Self>) -> Result<(), BlobError>;

    /// The value of an input channel, as boards receive it.
    fn input(value: I4F12) -> Self::Input;

    /// The 32 bits of the number.
    fn bits(self) -> i32;

    /// The number with these bits.
    fn from_bits(bits: i32) -> Self;

    /// See [`Network::unit`].
    fn unit(payload: &Payload<Self>, unit: usize) -> UnitFactors<Self>;

    /// The weight with this index in [`Payload::input_weights`].
    fn input_weight(payload: &Payload<Self>, index: usize) -> Self::InputWeight;

    /// See [`Network::each_drive`].
    fn each_drive(
        payload: &Payload<Self>,
        units: Range<usize>,
        input: &[Self::Input],
        set: impl FnMut(usize, Self),
    );

    /// See [`Network::some_targets`].
    fn some_targets(payload: &Payload<Self>, unit: usize, targets: Targets, to: impl Deliver<Self>);

    /// See [`Network::readout_filter`].
    fn readout_filter(payload: &Payload<Self>, index: usize) -> ReadoutFilter<Self>;

    /// See [`Network::each_readout`].
    fn each_readout(
        payload: &Payload<Self>,
        banks: Banks,
        unit: usize,
        deliver: impl FnMut(usize, usize, Self),
    );

    /// See [`Network::output_offset`].
    fn output_offset(payload: &Payload<Self>, output: usize) -> Self;
}

impl Stored for Fixed {
    const ARITHMETIC: u16 = 0;
    const UNIT_BYTES: usize = UNIT_BYTES;
    const INPUT_WEIGHT_BYTES: usize = INPUT_WEIGHT_BYTES;
    const SYNAPSE_BYTES: usize = SYNAPSE_BYTES;
    const FILTER_BYTES: usize = FILTER_BYTES;
    const OFFSET_BYTES: usize = OFFSET_BYTES;
    const PAIR_BYTES: usize = PAIR_BYTES;

    fn gap(synapse: &[u8]) -> usize {
        synapse.first().copied().unwrap_or(0).into()
    }

    fn is_single(pair: &[u8]) -> bool {
        i16_at(pair, 2) == 0
    }

    fn check_numbers(payload: &Payload<Self>) -> Result<(), BlobError> {
        let shared = &payload.shared;
        if shared.weight_shift < 24 && shared.readout_shift < 16 {
            return Ok(());
        }
        Err(BlobError::Range {
            table: TableName::Shared,
            row: 0,
        })
    }

    fn input(value: I4F12) -> I4F12 {
        value
    }

    fn bits(self) -> i32 {
        self.to_bits()
    }

    fn from_bits(bits: i32) -> Self {
        Fixed::from_bits(bits)
    }

    fn unit(payload: &Payload, unit: usize) -> UnitFactors<Fixed> {
        let row = row(payload.units, unit, UNIT_BYTES);
        UnitFactors {
            filter: filter(row),
            gain: (),
            lag: (),
            bias: drive(i16_at(row, BIAS_AT)),
        }
    }

    fn input_weight(payload: &Payload, index: usize) -> I6F10 {
        let row = row(payload.input_weights, index, INPUT_WEIGHT_BYTES);
        I6F10::from_bits(i16_at(row, 0))
    }

    #[inline]
    fn each_drive(
        payload: &Payload,
        range: Range<usize>,
        input: &[I4F12],
        mut set: impl FnMut(usize, Fixed),
    ) {
        // A loop for each of the usual numbers of channels takes half the cycles.
        match *input {
            [a] => {
                let sum = |[x]: &[_; 1]| plus(HALF_DROPPED, x, a);
                return each_drive(payload, range, sum, set);
            }
            [a, b] => {
                let sum = |[x, y]: &[_; 2]| plus(plus(HALF_DROPPED, x, a), y, b);
                return each_drive(payload, range, sum, set);
            }
            [a, b, c] => {
                let sum = |[x, y, z]: &[_; 3]| plus(plus(plus(HALF_DROPPED, x, a), y, b), z, c);
                return each_drive(payload, range, sum, set);
            }
            [a, b, c, d] => {
                let sum = |[w, x, y, z]: &[_; 4]| {
                    let first = plus(plus(HALF_DROPPED, w, a), x, b);
                    plus(plus(first, y, c), z, d)
                };
                return each_drive(payload, range, sum, set);
            }
            _ => {}
        }
        let (units, _) = payload.units.as_chunks::<UNIT_BYTES>();
        let (weights, _) = payload.input_weights.as_chunks();
        let from = input.len().saturating_mul(range.start);
        let weights = weights.get(from..).unwrap_or_default();
        let mut weights = weights.iter().map(|bytes| I6F10::from_le_bytes(*bytes));
        let units = units.get(range.clone()).unwrap_or_default();
        for (unit, row) in range.zip(units) {
            let weights = input.iter().zip(&mut weights);
            let products = weights.map(|(&u, weight)| (weight, u));
            set(unit, Fixed::driven(drive(i16_at(row, BIAS_AT)), products));
        }
    }

    #[inline]
    fn some_targets(payload: &Payload, unit: usize, targets: Targets, mut to: impl Deliver<Fixed>) {
        let Some(mut synapses) = column(payload, unit) else {
            return;
        };
        let mut unit = 0;
        match targets {
            Targets::All => {}
            Targets::Before(cut) => synapses = synapses.get(..cut.place()).unwrap_or_default(),
            Targets::Behind(cut) => {
                let behind = synapses.get(cut.place()..).unwrap_or_default();
                let Some((&[_, weight], rest)) = behind.split_first() else {
                    return;
                };
                // The gap leads here from a unit of the first half.
                unit = cut.first();
                let amount = amount(weight, payload.shared.weight_shift.into());
                let target = Target { unit, gap: unit };
                let Some(()) = to.one((target, amount)) else {
                    return;
                };
                synapses = rest;
            }
        }
        // A loop for each of the usual shifts has it in its instructions, and a
        // register more: counted in the listing, 19.5 cycles a synapse on a
        // Cortex-M0+ and 11 on a Cortex-M4, where the last one takes two more.
        match payload.shared.weight_shift {
            14 => deliver((unit, synapses), 14, to),
            15 => deliver((unit, synapses), 15, to),
            16 => deliver((unit, synapses), 16, to),
            17 => deliver((unit, synapses), 17, to),
            18 => deliver((unit, synapses), 18, to),
            19 => deliver((unit, synapses), 19, to),
            20 => deliver((unit, synapses), 20, to),
            shift => deliver((unit, synapses), shift.into(), to),
        };
    }

    fn readout_filter(payload: &Payload, index: usize) -> ReadoutFilter<Fixed> {
        let row = row(payload.filters, index, FILTER_BYTES);
        ReadoutFilter {
            filter: filter(row),
            weight: (),
        }
    }

    #[inline]
    fn each_readout(
        payload: &Payload,
        banks: Banks,
        unit: usize,
        mut deliver: impl FnMut(usize, usize, Fixed),
    ) {
        let shift = payload.shared.readout_shift as u32;
        let row = row(payload.readout, unit, readout_bytes(banks.count));
        let Some((&first, pairs)) = row.split_first() else {
            return;
        };
        let (mut filter, next_bank) = (usize::from(first), banks.start(1));
        let mut feed = |bank, filter, weight: i16| {
            if weight != 0 {
                let amount = i32::from(weight).wrapping_shl(shift);
                deliver(bank, filter, Fixed::from_bits(amount));
            }
        };
        let (pairs, _) = pairs.as_chunks::<PAIR_BYTES>();
        for (bank, &[a, b, c, d]) in pairs.iter().enumerate() {
            feed(bank, filter, i16::from_le_bytes([a, b]));
            feed(bank, filter + 1, i16::from_le_bytes([c, d]));
            filter += next_bank;
        }
    }

    #[inline(always)]
    fn output_offset(payload: &Payload, output: usize) -> Fixed {
        let (offsets, _) = payload.output_offsets.as_chunks();
        let offset = offsets.get(output);
        offset.map_or(Fixed::ZERO, |bytes| Fixed::from_le_bytes(*bytes))
    }
}

/// Two factors of a filter at the beginning of a row.
fn filter(row: &[u8]) -> FilterFactors<Fixed> {
    FilterFactors {
        synapse_decay: i16_at(row, 0),
        rise_gain: i16_at(row, 2),
    }
}

/// Numbers that all units share; [`Constants`] with the types of the blob.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound(
    serialize = "A: Serialize, A::Factor: Serialize",
    deserialize = "A: Deserialize<'de>, A::Factor: Deserialize<'de>"
))]
pub struct Shared<A: Arithmetic = Fixed> {
    /// Number of units.
    pub units: u16,
    /// Number of input channels.
    pub inputs: u8,
    /// True for the double filter.
    pub double_filter: bool,
    /// See [`Constants::leak`].
    pub leak: A::Factor,
    /// See [`Constants::rise_decay`].
    pub rise_decay: A::Factor,
    /// See [`Constants::noise_gain`].
    pub noise_gain: A::Factor,
    /// The unit of all other potentials, drives and weights, in mV; 1 in f32.
    pub unit_mv: u8,
    /// Potential at which a unit fires, in mV. In fixed point all other potentials and the
    /// drives are counted from the threshold.
    pub threshold: A,
    /// See [`Constants::reset`].
    pub reset: A,
    /// See [`Constants::start`].
    pub start: (A, A),
    /// See [`Constants::refractory_steps`].
    pub refractory_steps: u16,
    /// A spike adds `weight · 2^weight_shift` to a rise; 0 in f32.
    pub weight_shift: u8,
    /// A spike adds `weight · 2^readout_shift` to a readout filter's rise; 0 in f32.
    pub readout_shift: u8,
}

/// A trial whose spikes are known.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SelfTest<'a> {
    /// Seed of the noise and of the start.
    pub seed: u64,
    /// Hash of the spikes, as [`crate::trial::SpikeHash`] makes it.
    pub spike_hash: u64,
    /// The input: a sum of pulses, [`PULSE_BYTES`] each.
    pub pulses: &'a [u8],
}

/// The content of a blob. The sizes of the rows are those of fixed point; [`Stored`] has
/// those of each kind of number.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound(
    serialize = "A: Serialize, A::Factor: Serialize",
    deserialize = "A: Deserialize<'de>, A::Factor: Deserialize<'de>"
))]
pub struct Payload<'a, A: Arithmetic = Fixed> {
    /// Name of the task, UTF-8.
    pub task: &'a [u8],
    /// Length of a time step in nanoseconds.
    pub step_ns: u32,
    /// The scaling factor λ of the conversion, in thousandths.
    pub lambda_thousandths: u32,
    /// The numbers that all units share.
    pub shared: Shared<A>,
    /// Length of a trial.
    pub clock: Clock,
    /// The rule that reads an answer from the output.
    pub decision: Decision<A>,
    /// A trial whose spikes are known.
    pub self_test: SelfTest<'a>,
    /// [`UNIT_BYTES`] a unit.
    pub units: &'a [u8],
    /// [`INPUT_WEIGHT_BYTES`] × units × inputs, unit by unit.
    pub input_weights: &'a [u8],
    /// [`START_BYTES`] × (units + 1): where the synapses of each sending unit
    /// begin, counted in synapses; then their number.
    pub starts: &'a [u8],
    /// [`SYNAPSE_BYTES`] a synapse.
    pub synapses: &'a [u8],
    /// [`FILTER_BYTES`] a readout filter. Each output has a bank of these filters.
    pub filters: &'a [u8],
    /// [`readout_bytes`] a unit.
    pub readout: &'a [u8],
    /// Hash of the task's whole description; `None` in a blob of layout 2, which
    /// has no place for it. Written behind the fields above, as are those below.
    #[serde(skip)]
    pub task_hash: Option<u64>,
    /// Number of outputs; one before layout 4.
    #[serde(skip)]
    pub outputs: u8,
    /// [`OFFSET_BYTES`] an output; empty if all offsets are zero.
    #[serde(skip)]
    pub output_offsets: &'a [u8],
    /// Names of the classes, UTF-8, with a line feed between two of them; empty if
    /// the outputs have no names.
    #[serde(skip)]
    pub class_names: &'a [u8],
    /// Number of channels of the sensor whose integers are preprocessed; zero for a
    /// network that takes its input as it is.
    #[serde(skip)]
    pub sensor_channels: u8,
    /// The operations of the preprocessing, as [`Chain`] reads them.
    #[serde(skip)]
    pub preprocessing: &'a [u8],
    /// The seed that drew the parts of the task's data set; `None` for a task without
    /// a data set.
    #[serde(skip)]
    pub parts_seed: Option<u64>,
}

/// What layout 3 adds behind the payload of layout 2.
#[derive(Serialize, Deserialize)]
struct HashTail {
    task_hash: u64,
}

/// What layouts 4 and 5 add behind the payload of layout 2.
#[derive(Serialize, Deserialize)]
struct OutputsTail<'a> {
    task_hash: Option<u64>,
    outputs: u8,
    output_offsets: &'a [u8],
    class_names: &'a [u8],
    sensor_channels: u8,
    preprocessing: &'a [u8],
}

/// What layouts 4 and 5 add behind that for a network that was trained on a data set.
#[derive(Serialize, Deserialize)]
struct PartsTail {
    parts_seed: u64,
}

impl<A: Stored> Payload<'_, A> {
    /// The oldest layout that has a place for all fields.
    fn layout(&self) -> u16 {
        let one_output =
            self.outputs == 1 && self.output_offsets.is_empty() && self.class_names.is_empty();
        let as_it_is =
            self.sensor_channels == 0 && self.preprocessing.is_empty() && self.parts_seed.is_none();
        match self.task_hash {
            _ if A::ARITHMETIC != 0 => 5,
            _ if !(one_output && as_it_is) => 4,
            Some(_) => 3,
            None => OLDEST_LAYOUT,
        }
    }
}

/// The fault of a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum BlobError {
    /// There are fewer bytes than the header has or announces.
    Short {
        /// Bytes that should be there.
        needed: usize,
        /// Bytes that are there.
        found: usize,
    },
    /// The bytes do not begin with [`MAGIC`], but with these.
    Magic([u8; 4]),
    /// The layout has another version, this one.
    Layout(u16),
    /// The check sum does not fit the bytes.
    Checksum {
        /// The check sum in the header.
        stored: u32,
        /// The check sum of the bytes.
        computed: u32,
    },
    /// The payload does not decode.
    Payload,
    /// The length of a table does not fit the counts.
    Table {
        /// Which one.
        table: TableName,
        /// Bytes that it should have.
        needed: usize,
        /// Bytes that it has.
        found: usize,
    },
    /// An index in a table, or a number, is out of range.
    Range {
        /// Which one.
        table: TableName,
        /// Row of the table.
        row: usize,
    },
    /// The numbers are of another kind than those that are read, of this one.
    Arithmetic(u16),
}

/// The tables of a blob, for [`BlobError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[allow(missing_docs)]
pub enum TableName {
    Shared,
    Clock,
    Pulses,
    Units,
    InputWeights,
    Starts,
    Synapses,
    Filters,
    Readout,
    Outputs,
    OutputOffsets,
    ClassNames,
    Preprocessing,
    Decision,
}

/// The header of a blob of this layout and kind of number with this payload.
fn header(layout: u16, arithmetic: u16, payload: &[u8]) -> [u8; HEADER_BYTES] {
    let mut header = [0; HEADER_BYTES];
    header[0..4].copy_from_slice(&MAGIC);
    header[4..6].copy_from_slice(&layout.to_le_bytes());
    header[6..8].copy_from_slice(&arithmetic.to_le_bytes());
    header[8..12].copy_from_slice(&(payload.len() as u32).to_le_bytes());
    let checksum = checksum(&header[..12], payload);
    header[12..16].copy_from_slice(&checksum.to_le_bytes());
    header
}

fn checksum(header: &[u8], payload: &[u8]) -> u32 {
    let mut digest = CRC.digest();
    digest.update(header);
    digest.update(payload);
    digest.finalize()
}

/// Writes `payload` as a blob into `buffer` and returns the blob; `None` if
/// the buffer is too small.
pub fn write<'b, A: Stored>(payload: &Payload<A>, buffer: &'b mut [u8]) -> Option<&'b [u8]> {
    let (head, body) = buffer.split_at_mut_checked(HEADER_BYTES)?;
    let mut length = postcard::to_slice(payload, body).ok()?.len();
    let layout = payload.layout();
    let rest = body.get_mut(length..)?;
    length += match (layout, payload.task_hash) {
        (OLDEST_LAYOUT, _) => 0,
        (3, Some(task_hash)) => postcard::to_slice(&HashTail { task_hash }, rest)
            .ok()?
            .len(),
        (_, task_hash) => {
            let tail = OutputsTail {
                task_hash,
                outputs: payload.outputs,
                output_offsets: payload.output_offsets,
                class_names: payload.class_names,
                sensor_channels: payload.sensor_channels,
                preprocessing: payload.preprocessing,
            };
            let tail = postcard::to_slice(&tail, rest).ok()?.len();
            tail + match payload.parts_seed {
                Some(parts_seed) => {
                    let rest = rest.get_mut(tail..)?;
                    postcard::to_slice(&PartsTail { parts_seed }, rest)
                        .ok()?
                        .len()
                }
                None => 0,
            }
        }
    };
    head.copy_from_slice(&header(layout, A::ARITHMETIC, &body[..length]));
    Some(&buffer[..HEADER_BYTES + length])
}

/// The kind of the numbers in a blob, as its header has it: [`Stored::ARITHMETIC`].
pub fn arithmetic(bytes: &[u8]) -> u16 {
    match u16_at(bytes, 4) {
        // Earlier layouts have fixed point only.
        layout if layout < 5 => Fixed::ARITHMETIC,
        _ => u16_at(bytes, 6),
    }
}

/// A blob that was checked: a [`Network`] that borrows its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Deployed<'a, A: Arithmetic = Fixed> {
    payload: Payload<'a, A>,
    checksum: u32,
    length: usize,
    constants: Constants<A>,
    preprocessing: Option<Chain<'a>>,
}

impl<'a> Deployed<'a> {
    /// Checks `bytes`, which may go on behind the blob, and borrows them. The numbers are
    /// fixed point; [`Deployed::of`] reads other kinds.
    pub fn read(bytes: &'a [u8]) -> Result<Self, BlobError> {
        Self::of(bytes)
    }
}

impl<'a, A: Stored> Deployed<'a, A> {
    /// Checks `bytes`, which may go on behind the blob, and borrows them.
    pub fn of(bytes: &'a [u8]) -> Result<Self, BlobError> {
        let (payload, checksum) = checked_payload::<A>(bytes)?;
        let length = HEADER_BYTES + u32_at(bytes, 8) as usize;
        check_tables(&payload)?;
        A::check_numbers(&payload)?;
        check_indices(&payload)?;
        check_pulses(&payload)?;
        let preprocessing = chain(&payload)?;
        let shared = &payload.shared;
        let constants = Constants {
            units: shared.units.into(),
            inputs: shared.inputs.into(),
            outputs: payload.outputs.into(),
            membrane: Membrane::Leaky,
            filter: if shared.double_filter {
                Filter::Double
            } else {
                Filter::Single
            },
            leak: shared.leak,
            rise_decay: shared.rise_decay,
            noise_gain: shared.noise_gain,
            threshold: A::THRESHOLD.unwrap_or(shared.threshold),
            reset: shared.reset,
            refractory_steps: shared.refractory_steps,
            start: shared.start,
        };
        Ok(Self {
            payload,
            checksum,
            length,
            constants,
            preprocessing,
        })
    }

    /// The content of the blob.
    pub fn payload(&self) -> &Payload<'a, A> {
        &self.payload
    }

    /// The check sum in the header, which tells networks apart.
    pub fn checksum(&self) -> u32 {
        self.checksum
    }

    /// Number of the blob's bytes, header included.
    pub fn length(&self) -> usize {
        self.length
    }

    /// Number of synapses, fillers between distant targets included.
    pub fn synapses(&self) -> usize {
        self.payload.synapses.len() / A::SYNAPSE_BYTES
    }

    /// The preprocessing of a sensor's integers; `None` for a network that takes its
    /// input as it is.
    pub fn preprocessing(&self) -> Option<&Chain<'a>> {
        self.preprocessing.as_ref()
    }

    /// The name of the class with this label, UTF-8; `None` if it has none.
    pub fn class_name(&self, label: i16) -> Option<&'a [u8]> {
        let names = self.payload.class_names;
        if names.is_empty() {
            return None;
        }
        let mut names = names.split(|&byte| byte == b'\n');
        names.nth(usize::try_from(label).ok()?)
    }

    /// Input of the self-test: all channels in `sample`.
    pub fn self_test_input(&self, sample: u32) -> Vec<A::Input, MOST_INPUTS> {
        let mut input = Vec::new();
        for channel in 0..self.constants.inputs {
            // `of` refused more channels than there is room for.
            let _ = input.push(A::input(self.pulses_in(sample, channel)));
        }
        input
    }

    fn pulses_in(&self, sample: u32, channel: usize) -> I4F12 {
        self.payload
            .self_test
            .pulses
            .chunks_exact(PULSE_BYTES)
            .filter(|pulse| pulse[0] as usize == channel)
            .filter(|pulse| {
                let (first, end) = (u16_at(pulse, 1), u16_at(pulse, 3));
                (first as u32..end as u32).contains(&sample)
            })
            .fold(I4F12::ZERO, |sum, pulse| {
                sum.saturating_add(I4F12::from_bits(i16_at(pulse, 5)))
            })
    }

    /// Runs the self-test and returns the hash of its spikes, which should equal
    /// [`SelfTest::spike_hash`].
    ///
    /// # Errors
    /// The memory is too small.
    pub fn self_test(&self, memory: StateMemory<A>) -> Result<u64, StartError> {
        self.self_test_on(memory, Prepared::NOTHING, &mut Alone, |_| {})
    }

    /// The same on the processors of `join`, with what was made for this network; `stepped` is
    /// called after each step, for a watchdog for instance.
    ///
    /// # Errors
    /// The memory is too small.
    pub fn self_test_on<J: Join>(
        &self,
        memory: StateMemory<A>,
        prepared: Prepared<A>,
        join: &mut J,
        mut stepped: impl FnMut(&mut J),
    ) -> Result<u64, StartError> {
        let mut noise = Noise::new(self.payload.self_test.seed, 0);
        let state = State::start_prepared(self, memory, prepared, &mut noise)?;
        let mut run = Run::new(self, state, noise, self.payload.clock);
        let mut hash = SpikeHash::default();
        while let Some(step) = run.step_on(join, |sample| self.self_test_input(sample)) {
            hash.add_step(step, run.state());
            stepped(join);
        }
        Ok(hash.value())
    }
}

impl<A: Stored> Network for Deployed<'_, A> {
    type Number = A;

    #[inline(always)]
    fn constants(&self) -> &Constants<A> {
        &self.constants
    }

    #[inline(always)]
    fn unit(&self, unit: usize) -> UnitFactors<A> {
        A::unit(&self.payload, unit)
    }

    #[inline(always)]
    fn input_weight(&self, unit: usize, channel: usize) -> A::InputWeight {
        A::input_weight(&self.payload, unit * self.constants.inputs + channel)
    }

    /// Does the same as the trait's method, in one pass over the tables.
    #[inline(always)]
    fn each_drive(&self, units: Range<usize>, input: &[A::Input], set: impl FnMut(usize, A)) {
        A::each_drive(&self.payload, units, input, set);
    }

    #[inline(always)]
    fn some_targets(&self, unit: usize, targets: Targets, to: impl Deliver<A>) {
        A::some_targets(&self.payload, unit, targets, to);
    }

    #[inline(always)]
    fn banks(&self) -> Banks {
        Banks {
            count: self.constants.outputs,
            filters: self.payload.filters.len() / A::FILTER_BYTES,
        }
    }

    #[inline(always)]
    fn readout_filter(&self, index: usize) -> ReadoutFilter<A> {
        A::readout_filter(&self.payload, index)
    }

    #[inline(always)]
    fn each_readout(&self, unit: usize, deliver: impl FnMut(usize, usize, A)) {
        A::each_readout(&self.payload, self.banks(), unit, deliver);
    }

    #[inline(always)]
    fn output_offset(&self, output: usize) -> A {
        A::output_offset(&self.payload, output)
    }
}

/// A sum of weights times inputs, with one more of them.
#[inline(always)]
fn plus(sum: i32, weight: &Weight, input: I4F12) -> i32 {
    with_input(sum, I6F10::from_le_bytes(*weight), input)
}

/// The bytes of an input weight.
type Weight = [u8; INPUT_WEIGHT_BYTES];

/// Gives `set` the drive of each unit of a network with `K` input channels; `sum` adds the
/// products of the weights of a unit and the input.
#[inline(always)]
fn each_drive<const K: usize>(
    payload: &Payload,
    range: Range<usize>,
    sum: impl Fn(&[Weight; K]) -> i32,
    mut set: impl FnMut(usize, Fixed),
) {
    let (units, _) = payload.units.as_chunks::<UNIT_BYTES>();
    let (weights, _) = payload.input_weights.as_chunks::<INPUT_WEIGHT_BYTES>();
    let (weights, _) = weights.as_chunks::<K>();
    let units = units.get(range.clone()).unwrap_or_default();
    let weights = weights.get(range.clone()).unwrap_or_default();
    for (unit, (row, weights)) in range.zip(units.iter().zip(weights)) {
        let bias = drive(i16_at(row, BIAS_AT));
        set(unit, arithmetic::drive(bias, sum(weights)));
    }
}

/// True if four synapses are read at once. A Cortex-M0+, which has no atomic
/// instructions, lacks the registers for it.
const IN_FOURS: bool = cfg!(target_has_atomic = "32");

/// The amount that a spike adds through a synapse of this weight.
#[inline(always)]
fn amount(weight: u8, shift: u32) -> Fixed {
    Fixed::from_bits(i32::from(weight.cast_signed()).wrapping_shl(shift))
}

/// Brings a spike to the targets of the synapses behind `unit`. The loop is written out for
/// four synapses, since the compiler does not unroll where it optimizes for size.
#[inline(always)]
fn deliver(
    (mut unit, synapses): (usize, &[[u8; SYNAPSE_BYTES]]),
    shift: u32,
    mut to: impl Deliver<Fixed>,
) -> Option<()> {
    let mut read = |&[gap, weight]: &[u8; SYNAPSE_BYTES]| {
        let gap = usize::from(gap);
        unit += gap;
        (Target { unit, gap }, amount(weight, shift))
    };
    let (fours, rest) = synapses.as_chunks();
    for [a, b, c, d] in fours {
        if IN_FOURS {
            to.four([read(a), read(b), read(c), read(d)])?;
        } else {
            to.one(read(a))?;
            to.one(read(b))?;
            to.one(read(c))?;
            to.one(read(d))?;
        }
    }
    for synapse in rest {
        to.one(read(synapse))?;
    }
    Some(())
}

/// A drive, from the 16 bits that are stored of it.
#[inline(always)]
fn drive(bits: i16) -> Fixed {
    Fixed::from_bits(i32::from(bits) << FACTOR_SHIFT)
}

/// Row `index` of a table, and an empty row behind the table's end. A checked blob
/// never gets there, but a step must contain no panic.
#[inline(always)]
fn row(table: &[u8], index: usize, bytes: usize) -> &[u8] {
    let rest = table.get(index.wrapping_mul(bytes)..);
    rest.and_then(|rest| rest.get(..bytes)).unwrap_or(&[])
}

/// The bytes from `at` on; zeros behind the end.
#[inline(always)]
fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let rest = bytes.get(at..).and_then(<[u8]>::first_chunk);
    rest.copied().unwrap_or([0; N])
}

#[inline(always)]
fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(array(bytes, at))
}

#[inline(always)]
fn i16_at(bytes: &[u8], at: usize) -> i16 {
    i16::from_le_bytes(array(bytes, at))
}

#[inline(always)]
fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(array(bytes, at))
}

fn start<A: Arithmetic>(payload: &Payload<A>, unit: usize) -> usize {
    u32_at(row(payload.starts, unit, START_BYTES), 0) as usize
}

/// The synapses that leave `unit`.
#[inline(always)]
fn column<'a>(payload: &Payload<'a>, unit: usize) -> Option<&'a [[u8; SYNAPSE_BYTES]]> {
    let (starts, _) = payload.starts.as_chunks();
    let &[from, to] = starts.get(unit..)?.first_chunk()?;
    let (synapses, _) = payload.synapses.as_chunks();
    synapses.get(u32::from_le_bytes(from) as usize..u32::from_le_bytes(to) as usize)
}

/// The payload, and its check sum.
fn checked_payload<A: Stored>(bytes: &[u8]) -> Result<(Payload<'_, A>, u32), BlobError> {
    let short = |needed| BlobError::Short {
        needed,
        found: bytes.len(),
    };
    let (head, rest) = bytes
        .split_at_checked(HEADER_BYTES)
        .ok_or(short(HEADER_BYTES))?;
    if head[..4] != MAGIC {
        return Err(BlobError::Magic([head[0], head[1], head[2], head[3]]));
    }
    let layout = u16_at(head, 4);
    if !(OLDEST_LAYOUT..=LAYOUT).contains(&layout) {
        return Err(BlobError::Layout(layout));
    }
    let length = u32_at(head, 8) as usize;
    let body = rest
        .get(..length)
        .ok_or(short(HEADER_BYTES.saturating_add(length)))?;
    let (stored, computed) = (u32_at(head, 12), checksum(&head[..12], body));
    if stored != computed {
        return Err(BlobError::Checksum { stored, computed });
    }
    let found = arithmetic(bytes);
    if found != A::ARITHMETIC {
        return Err(BlobError::Arithmetic(found));
    }
    let payload = decoded(layout, body).ok_or(BlobError::Payload)?;
    Ok((payload, computed))
}

/// The payload and the tail of its layout; `None` if something is left over.
fn decoded<A: Stored>(layout: u16, body: &[u8]) -> Option<Payload<'_, A>> {
    let (mut payload, mut rest): (Payload<A>, _) = postcard::take_from_bytes(body).ok()?;
    payload.outputs = 1;
    match layout {
        OLDEST_LAYOUT => {}
        3 => {
            let (tail, behind): (HashTail, _) = postcard::take_from_bytes(rest).ok()?;
            payload.task_hash = Some(tail.task_hash);
            rest = behind;
        }
        _ => {
            let (tail, behind): (OutputsTail, _) = postcard::take_from_bytes(rest).ok()?;
            payload.task_hash = tail.task_hash;
            payload.outputs = tail.outputs;
            payload.output_offsets = tail.output_offsets;
            payload.class_names = tail.class_names;
            payload.sensor_channels = tail.sensor_channels;
            payload.preprocessing = tail.preprocessing;
            rest = behind;
            if !rest.is_empty() {
                let (tail, behind): (PartsTail, _) = postcard::take_from_bytes(rest).ok()?;
                payload.parts_seed = Some(tail.parts_seed);
                rest = behind;
            }
        }
    }
    rest.is_empty().then_some(payload)
}

fn check_tables<A: Stored>(payload: &Payload<A>) -> Result<(), BlobError> {
    let units = payload.shared.units as usize;
    let inputs = payload.shared.inputs as usize;
    let outputs = payload.outputs as usize;
    let exact = |table, bytes: &[u8], needed| {
        if bytes.len() == needed {
            Ok(())
        } else {
            Err(BlobError::Table {
                table,
                needed,
                found: bytes.len(),
            })
        }
    };
    let whole = |table, bytes: &[u8], row| exact(table, bytes, bytes.len() / row * row);
    exact(TableName::Units, payload.units, units * A::UNIT_BYTES)?;
    exact(
        TableName::InputWeights,
        payload.input_weights,
        units * inputs * A::INPUT_WEIGHT_BYTES,
    )?;
    exact(TableName::Starts, payload.starts, (units + 1) * START_BYTES)?;
    exact(
        TableName::Readout,
        payload.readout,
        units * A::readout_bytes(outputs),
    )?;
    if !payload.output_offsets.is_empty() {
        let needed = outputs * A::OFFSET_BYTES;
        exact(TableName::OutputOffsets, payload.output_offsets, needed)?;
    }
    whole(TableName::Synapses, payload.synapses, A::SYNAPSE_BYTES)?;
    whole(TableName::Filters, payload.filters, A::FILTER_BYTES)?;
    whole(TableName::Pulses, payload.self_test.pulses, PULSE_BYTES)
}

fn check_indices<A: Stored>(payload: &Payload<A>) -> Result<(), BlobError> {
    let shared = &payload.shared;
    let range = |table, row| Err(BlobError::Range { table, row });
    let inputs_fit = (shared.inputs as usize) <= MOST_INPUTS;
    if shared.units == 0 || !inputs_fit || shared.refractory_steps == u16::MAX {
        return range(TableName::Shared, 0);
    }
    let outputs = usize::from(payload.outputs);
    if outputs == 0 || outputs > MOST_OUTPUTS {
        return range(TableName::Outputs, 0);
    }
    let line_feeds = payload.class_names.iter().filter(|&&byte| byte == b'\n');
    if !payload.class_names.is_empty() && line_feeds.count() + 1 != outputs {
        return range(TableName::ClassNames, 0);
    }
    let clock = &payload.clock;
    // `Clock::sample` doubles the number of a step in 32 bits. Rates are divided
    // by the lengths of a step and of a trial.
    if clock.steps_per_sample == 0
        || clock.steps == 0
        || payload.step_ns == 0
        || clock.steps > i32::MAX as u32 / 2
        || clock.steps_per_sample > i32::MAX as u32 / 2
    {
        return range(TableName::Clock, 0);
    }
    let units = shared.units as usize;
    let synapses = payload.synapses.len() / A::SYNAPSE_BYTES;
    if start(payload, 0) != 0 || start(payload, units) != synapses {
        return range(TableName::Starts, units);
    }
    let filters = payload.filters.len() / A::FILTER_BYTES;
    for unit in 0..units {
        if start(payload, unit) > start(payload, unit + 1) || start(payload, unit + 1) > synapses {
            return range(TableName::Starts, unit);
        }
        let (from, to) = (start(payload, unit), start(payload, unit + 1));
        let column = from * A::SYNAPSE_BYTES..to * A::SYNAPSE_BYTES;
        let column = payload.synapses.get(column).unwrap_or_default();
        let gaps = column.chunks_exact(A::SYNAPSE_BYTES).map(A::gap);
        let last = gaps.fold(0, usize::saturating_add);
        if last >= units && from < to {
            return range(TableName::Synapses, unit);
        }
        let row = row(payload.readout, unit, A::readout_bytes(outputs));
        let Some((&first, pairs)) = row.split_first() else {
            return range(TableName::Readout, unit);
        };
        let mut pairs = pairs.chunks_exact(A::PAIR_BYTES);
        let used = 1 + usize::from(!pairs.all(A::is_single));
        if usize::from(first) + used > filters {
            return range(TableName::Readout, unit);
        }
    }
    Ok(())
}

/// The preprocessing of a payload.
fn chain<'a, A: Arithmetic>(payload: &Payload<'a, A>) -> Result<Option<Chain<'a>>, BlobError> {
    if payload.sensor_channels == 0 && payload.preprocessing.is_empty() {
        return Ok(None);
    }
    let (channels, inputs) = (payload.sensor_channels, payload.shared.inputs);
    let chain = Chain::read(channels.into(), inputs.into(), payload.preprocessing);
    chain.map(Some).map_err(|row| BlobError::Range {
        table: TableName::Preprocessing,
        row,
    })
}

fn check_pulses<A: Arithmetic>(payload: &Payload<A>) -> Result<(), BlobError> {
    let pulses = payload.self_test.pulses.chunks_exact(PULSE_BYTES);
    match pulses
        .clone()
        .position(|pulse| pulse[0] >= payload.shared.inputs)
    {
        Some(row) => Err(BlobError::Range {
            table: TableName::Pulses,
            row,
        }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    const XOR: &[u8] = include_bytes!("../tests/golden/xor.snn");

    #[test]
    fn a_spike_brings_every_target_its_weight_with_every_shift() {
        let mut network = Deployed::read(XOR).expect("a frozen network");
        for shift in 0..24 {
            network.payload.shared.weight_shift = shift;
            for from in 0..network.constants.units {
                let mut unit = 0;
                let expected: Vec<(usize, i32)> = column(&network.payload, from)
                    .expect("a column")
                    .iter()
                    .map(|&[gap, weight]| {
                        unit += usize::from(gap);
                        (unit, i32::from(weight as i8) << shift)
                    })
                    .collect();
                let mut found = Vec::new();
                network.each_target(from, |target: Target, amount: Fixed| {
                    found.push((target.unit, amount.to_bits()));
                });
                assert!(found == expected, "unit {from}, shift {shift}");
            }
        }
        let lengths = (0..network.constants.units)
            .map(|from| column(&network.payload, from).expect("a column").len() % 4);
        for rest in 0..4 {
            assert!(lengths.clone().any(|length| length == rest), "{rest} over");
        }
    }

    #[test]
    fn a_hash_of_the_task_adds_its_own_bytes_and_changes_no_other_of_the_payload() {
        let mut payload = Deployed::read(XOR).expect("a frozen network").payload;
        assert_eq!(payload.task_hash, None);
        let mut buffer = std::vec![0; XOR.len() + 10];
        assert_eq!(write(&payload, &mut buffer), Some(XOR));
        for hash in [0, 1, 0x80, u64::MAX] {
            payload.task_hash = Some(hash);
            let blob = write(&payload, &mut buffer).expect("it fits");
            assert_eq!(u16_at(blob, 4), 3);
            let (old, tail) = blob[HEADER_BYTES..].split_at(XOR.len() - HEADER_BYTES);
            assert_eq!(old, &XOR[HEADER_BYTES..]);
            assert_eq!(postcard::from_bytes(tail), Ok(hash));
            let read = Deployed::read(blob).expect("what was written");
            assert_eq!(read.payload, payload);
        }
    }

    #[test]
    fn the_seed_of_the_parts_is_read_back_and_a_network_without_one_has_the_bytes_it_had() {
        let mut payload = Deployed::read(XOR).expect("a frozen network").payload;
        payload.outputs = 1;
        payload.class_names = b"a";
        let mut buffer = std::vec![0; XOR.len() + 40];
        let without = write(&payload, &mut buffer).expect("it fits").to_vec();
        for seed in [0, 7, u64::MAX] {
            payload.parts_seed = Some(seed);
            let blob = write(&payload, &mut buffer).expect("it fits");
            let body = HEADER_BYTES..without.len();
            assert_eq!(blob[body.clone()], without[body]);
            let read = Deployed::read(blob).expect("what was written");
            assert_eq!(read.payload, payload);
        }
    }

    #[test]
    fn a_layout_has_its_tail_and_nothing_behind_it() {
        let mut payload = Deployed::read(XOR).expect("a frozen network").payload;
        payload.task_hash = Some(5);
        let mut buffer = std::vec![0; XOR.len() + 10];
        let length = write(&payload, &mut buffer).expect("it fits").len();
        let body = &buffer[HEADER_BYTES..length + 1];
        let (with_tail, without) = (&body[..body.len() - 1], &body[..body.len() - 2]);
        for (layout, body, wanted) in [
            (2, without, true),
            (2, with_tail, false),
            (3, without, false),
            (3, with_tail, true),
            (3, body, false),
        ] {
            assert_eq!(decoded::<Fixed>(layout, body).is_some(), wanted, "{layout}");
            let mut blob = header(layout, 0, body).to_vec();
            blob.extend(body);
            assert_eq!(Deployed::read(&blob).is_ok(), wanted, "{layout}");
        }
        for layout in [0, 1, 6, u16::MAX] {
            let mut blob = header(layout, 0, without).to_vec();
            blob.extend(without);
            let error = Deployed::read(&blob).expect_err("no layout of this version");
            assert_eq!(error, BlobError::Layout(layout));
        }
    }

    #[test]
    fn a_receiver_that_has_enough_ends_the_delivery() {
        let network = Deployed::read(XOR).expect("a frozen network");
        struct Few<'a>(&'a mut Vec<usize>);
        impl Deliver<Fixed> for Few<'_> {
            fn one(&mut self, (target, _): (Target, Fixed)) -> Option<()> {
                self.0.push(target.unit);
                (self.0.len() < 6).then_some(())
            }
        }
        let mut met = Vec::new();
        let synapses = column(&network.payload, 0).expect("a column");
        assert!(synapses.len() > 6);
        assert_eq!(deliver((0, synapses), 16, Few(&mut met)), None);
        assert_eq!(met.len(), 6);
    }

    #[test]
    fn a_drive_is_the_bias_and_what_all_channels_bring() {
        let network = Deployed::read(XOR).expect("a frozen network");
        let input = [0.75, -1.5].map(I4F12::from_num);
        let mut units = 0;
        network.each_drive(0..network.constants.units, &input, |unit, found| {
            let weights = [0, 1].map(|channel| network.input_weight(unit, channel));
            let products = weights.into_iter().zip(input);
            assert_eq!(found, Fixed::driven(network.unit(unit).bias, products));
            assert_eq!(unit, units);
            units += 1;
        });
        assert_eq!(units, network.constants.units);
    }
}
