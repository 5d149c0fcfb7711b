//! The memory image of a network: the tables and settings that the logic loads.
//!
//! ```text
//! offset  bytes
//!      0  4      magic "R2SL"
//!      4  2      layout version, little endian
//!      6  2      zero
//!      8  4      length of the sections
//!     12  4      CRC-32 (ISO-HDLC) of bytes 0 to 12 and of the sections
//!     16  …      sections: number (2), count of words (2), words of 16 bits
//! ```
//!
//! The sections are those of `logic/rtl/network.v`, the settings those of
//! `logic/rtl/settings.v`. `logic/rtl/loader.v` reads the image.

use crc::{CRC_32_ISO_HDLC, Crc};
use fixed::types::I4F12;
use rate2spike_core::Fixed;
use rate2spike_core::arithmetic::{Arithmetic, FACTOR_SHIFT};
use rate2spike_core::blob::Deployed;
use rate2spike_core::decision::{Decision, Kind, Window};
use rate2spike_core::network::{Network, Target};
use rate2spike_core::neuron::Filter;
use rate2spike_core::noise::Noise;
use serde::Serialize;

use super::Refusal;

/// The first four bytes.
pub const MAGIC: [u8; 4] = *b"R2SL";

/// Version of the layout.
pub const LAYOUT: u16 = 1;

/// Place of the check sum.
const CHECKSUM_AT: usize = 12;

/// Bytes before the sections.
pub const HEADER_BYTES: usize = 16;

/// Numbers of the sections that differ from trial to trial.
const SETTINGS: u16 = 0;
const INPUTS: u16 = 5;
const LIMITS: u16 = 6;
const NOISE: u16 = 7;

/// Most words of a section: its count has 16 bits.
const MOST_WORDS: usize = (1 << 16) - 1;

/// Bits of the number of a step.
const STEP_BITS: u32 = 20;

/// Bits of the step at which a unit is released.
const RELEASE_BITS: u32 = 15;

/// Words of the table that a unit has for its spikes: first synapse, first readout
/// filter, weight to it, weight to the next filter.
const SPIKE_WORDS: usize = 4;

/// A trial that the logic runs.
#[derive(Clone, Debug)]
pub struct LogicTrial<'a> {
    /// The generator, before the start potentials are drawn.
    pub noise: Noise,
    /// The input, sample by sample; the last sample lasts to the end.
    pub input: &'a [I4F12],
    /// Number of steps.
    pub steps: u32,
    /// The right answer.
    pub label: i16,
    /// Hash of the spikes that the trial should have.
    pub spike_hash: u64,
}

/// Address widths of the memories: each has two to this power of words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Sizes {
    /// Units and readout filters.
    pub row_bits: u32,
    /// The table of the units.
    pub table_bits: u32,
    /// Synapses.
    pub synapse_bits: u32,
    /// Input values.
    pub input_bits: u32,
    /// Bits of the number of a step.
    pub step_bits: u32,
}

impl Sizes {
    /// Bits of all memories: three states and five other words a row, the tables, and the
    /// limits of the decision.
    pub fn memory_bits(&self) -> usize {
        const ROW_BITS: usize = 3 * 32 + 4 * 16;
        const LIMIT_BITS: usize = 64 * 16;
        let tables = [self.table_bits, self.synapse_bits, self.input_bits];
        let words: usize = tables.map(|bits| 1 << bits).iter().sum();
        ((ROW_BITS + self.row_bits as usize) << self.row_bits) + 16 * words + LIMIT_BITS
    }
}

/// What a network and its trial have to be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Units.
    pub units: usize,
    /// Readout filters.
    pub filters: usize,
    /// Input channels.
    pub inputs: usize,
    /// Synapses, fillers between distant targets included.
    pub synapses: usize,
    /// Input values of a trial.
    pub values: usize,
}

impl Counts {
    /// The smallest memories.
    ///
    /// # Errors
    /// [`Refusal::Large`], if an address of 16 bits is not enough.
    pub fn sizes(&self) -> Result<Sizes, Refusal> {
        let table = SPIKE_WORDS * (self.units + 1) + self.units * (1 + self.inputs);
        for (what, words) in [
            ("synapses", self.synapses),
            ("words in the table of the units", table),
            ("input values", self.values),
        ] {
            if words > MOST_WORDS {
                let most = MOST_WORDS;
                return Err(Refusal::Large { what, words, most });
            }
        }
        // Three bits of an address at least, so that no port is empty.
        let bits = |words: usize| words.next_power_of_two().trailing_zeros().max(3);
        let row_bits = bits(self.units + self.filters);
        Ok(Sizes {
            row_bits,
            // The row of a unit has four words, and an address a bit before it.
            table_bits: bits(table).max(row_bits + 3),
            // The address after the last synapse is one too.
            synapse_bits: bits(self.synapses + 1),
            input_bits: bits(self.values),
            step_bits: STEP_BITS,
        })
    }

    /// A network of another number of units with the same density, readout and input.
    pub fn with_units(&self, units: usize) -> Self {
        let pairs = units as f64 / self.units as f64;
        Self {
            units,
            synapses: (self.synapses as f64 * pairs * pairs) as usize,
            ..*self
        }
    }
}

/// A network and a trial, as the logic loads them.
#[derive(Clone, Debug)]
pub struct Image {
    counts: Counts,
    settings: Vec<u16>,
    decays: Vec<u16>,
    gains: Vec<u16>,
    table: Vec<u16>,
    synapses: Vec<u16>,
    inputs: Vec<u16>,
    limits: Vec<u16>,
    noise: Vec<u16>,
}

impl Image {
    /// The network with the trial of its self-test.
    ///
    /// # Errors
    /// [`Refusal`], if the logic does not have what the network needs.
    pub fn of_self_test(network: &Deployed) -> Result<Self, Refusal> {
        let payload = network.payload();
        Self::of_first_steps(network, payload.clock.steps, payload.self_test.spike_hash)
    }

    /// The network with the first `steps` steps of its self-test, whose spikes have the hash
    /// `spike_hash`.
    ///
    /// # Errors
    /// [`Refusal`], if the logic does not have what the network needs.
    pub fn of_first_steps(
        network: &Deployed,
        steps: u32,
        spike_hash: u64,
    ) -> Result<Self, Refusal> {
        let payload = network.payload();
        let input: Vec<I4F12> = (0..=payload.clock.sample(steps))
            .flat_map(|sample| network.self_test_input(sample))
            .collect();
        Self::of_trial(
            network,
            &LogicTrial {
                noise: Noise::new(payload.self_test.seed, 0),
                input: &input,
                steps,
                label: 1,
                spike_hash,
            },
        )
    }

    /// The network with another trial.
    ///
    /// # Errors
    /// [`Refusal`], if the logic does not have what the network or the trial needs.
    pub fn of_trial(network: &Deployed, trial: &LogicTrial) -> Result<Self, Refusal> {
        check(network, trial.steps)?;
        let constants = network.constants();
        let (units, filters) = (constants.units, network.banks().filters);
        let of_units = (0..units).map(|unit| network.unit(unit).filter);
        let of_filters = (0..filters).map(|index| network.readout_filter(index).filter);
        let factors: Vec<_> = of_units.chain(of_filters).collect();
        let words = |factors: Vec<i16>| factors.into_iter().map(i16::cast_unsigned).collect();
        let (synapses, table) = tables(network);
        let counts = Counts {
            units,
            filters,
            inputs: constants.inputs,
            synapses: synapses.len(),
            values: trial.input.len(),
        };
        counts.sizes()?;
        Ok(Self {
            counts,
            settings: settings(network, trial),
            decays: words(factors.iter().map(|filter| filter.synapse_decay).collect()),
            gains: words(factors.iter().map(|filter| filter.rise_gain).collect()),
            table,
            synapses,
            inputs: words(trial.input.iter().map(|value| value.to_bits()).collect()),
            limits: limits(&network.payload().decision, trial.steps),
            noise: words_of(trial.noise.state()).to_vec(),
        })
    }

    /// The smallest memories that hold the image.
    pub fn sizes(&self) -> Sizes {
        self.counts.sizes().expect("the image was checked")
    }

    /// What the image holds.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// The sections in the order of their numbers.
    fn sections(&self) -> [&[u16]; 8] {
        [
            &self.settings,
            &self.decays,
            &self.gains,
            &self.table,
            &self.synapses,
            &self.inputs,
            &self.limits,
            &self.noise,
        ]
    }

    /// The bytes of the image.
    pub fn bytes(&self) -> Vec<u8> {
        self.bytes_of(|_| true)
    }

    /// The bytes of an image that holds only what differs from trial to trial: the
    /// network must be loaded already.
    pub fn bytes_of_trial(&self) -> Vec<u8> {
        self.bytes_of(|section| [SETTINGS, INPUTS, LIMITS, NOISE].contains(&section))
    }

    /// The check sum of the whole image, which tells networks apart.
    pub fn checksum(&self) -> u32 {
        let bytes = self.bytes();
        bytes
            .get(CHECKSUM_AT..)
            .and_then(|rest| rest.first_chunk())
            .map_or(0, |bytes| u32::from_le_bytes(*bytes))
    }

    fn bytes_of(&self, wanted: impl Fn(u16) -> bool) -> Vec<u8> {
        let mut words = Vec::new();
        for (number, section) in (0..).zip(self.sections()) {
            if !wanted(number) {
                continue;
            }
            words.extend([number, section.len() as u16]);
            words.extend(section);
        }
        let body: Vec<u8> = words.into_iter().flat_map(u16::to_le_bytes).collect();
        let mut bytes = MAGIC.to_vec();
        bytes.extend(LAYOUT.to_le_bytes());
        bytes.extend([0, 0]);
        bytes.extend((body.len() as u32).to_le_bytes());
        let crc = Crc::<u32>::new(&CRC_32_ISO_HDLC);
        let mut digest = crc.digest();
        digest.update(&bytes);
        digest.update(&body);
        bytes.extend(digest.finalize().to_le_bytes());
        bytes.extend(body);
        bytes
    }
}

/// Refuses a network that needs what the logic does not have, and trials of `steps` steps
/// that are too long for it.
///
/// # Errors
/// All of [`Refusal`] except [`Refusal::Large`].
pub fn check(network: &Deployed, steps: u32) -> Result<(), Refusal> {
    let (payload, constants) = (network.payload(), network.constants());
    if constants.filter == Filter::Single {
        return Err(Refusal::SingleFilter);
    }
    if constants.outputs != 1 {
        let outputs = constants.outputs;
        return Err(Refusal::Outputs { outputs });
    }
    if network.preprocessing().is_some() {
        return Err(Refusal::Preprocessing);
    }
    if network.output_offset(0) != Fixed::ZERO {
        return Err(Refusal::Offset);
    }
    match payload.decision.kind {
        Kind::Detection | Kind::Sign => {}
        kind => return Err(Refusal::Decision { kind }),
    }
    let steps = steps.max(payload.clock.steps_per_sample);
    if steps >= 1 << STEP_BITS {
        return Err(Refusal::Long { steps });
    }
    let refractory_steps = constants.refractory_steps;
    if u32::from(refractory_steps) >= (1 << RELEASE_BITS) - 1 {
        return Err(Refusal::Refractory { refractory_steps });
    }
    Ok(())
}

/// The synapses, and the table of the units: where each unit's spikes go, then its bias
/// and its input weights.
fn tables(network: &Deployed) -> (Vec<u16>, Vec<u16>) {
    let constants = network.constants();
    let shared = &network.payload().shared;
    let (mut synapses, mut table) = (Vec::new(), Vec::new());
    for unit in 0..constants.units {
        let mut readout = [0; SPIKE_WORDS - 1];
        let mut first = None;
        network.each_readout(unit, |_, filter, amount| {
            let first = *first.get_or_insert(filter);
            readout[0] = (constants.units + first) as u16;
            readout[1 + filter - first] = (amount.to_bits() >> shared.readout_shift) as u16;
        });
        table.push(synapses.len() as u16);
        table.extend(readout);
        network.each_target(unit, |target: Target, amount: Fixed| {
            let weight = (amount.to_bits() >> shared.weight_shift) as i8;
            synapses.push(u16::from_le_bytes([
                target.gap as u8,
                weight.cast_unsigned(),
            ]));
        });
    }
    table.extend([synapses.len() as u16, 0, 0, 0]);
    for unit in 0..constants.units {
        table.push((network.unit(unit).bias.to_bits() >> FACTOR_SHIFT) as u16);
        let weights = (0..constants.inputs).map(|channel| network.input_weight(unit, channel));
        table.extend(weights.map(|weight| weight.to_bits().cast_unsigned()));
    }
    (synapses, table)
}

/// The words of a number, the low one first.
fn words_of(value: u64) -> [u16; 4] {
    [0, 16, 32, 48].map(|shift| (value >> shift) as u16)
}

/// Words of 16 bits, the low word of a longer number first.
#[derive(Default)]
struct Words(Vec<u16>);

impl Words {
    fn add16(&mut self, value: i32) {
        self.0.push(value as u16);
    }

    fn add32(&mut self, value: i64) {
        self.0.extend([value as u16, (value >> 16) as u16]);
    }

    fn add64(&mut self, value: u64) {
        self.0.extend(words_of(value));
    }
}

/// The settings, in the order of `logic/rtl/settings.v`.
fn settings(network: &Deployed, trial: &LogicTrial) -> Vec<u16> {
    let (constants, payload) = (network.constants(), network.payload());
    let (units, inputs) = (constants.units, constants.inputs);
    let (shared, decision) = (&payload.shared, &payload.decision);
    let (low, high) = constants.start;
    let mut words = Words::default();
    words.add16(units as i32);
    words.add16((units + network.banks().filters) as i32);
    words.add16(inputs as i32);
    words.add16(constants.leak.into());
    words.add16(constants.rise_decay.into());
    words.add16(constants.noise_gain.into());
    words.add32(constants.reset.to_bits().into());
    words.add32(low.to_bits().into());
    words.add16(high.to_bits().wrapping_sub(low.to_bits()) >> FACTOR_SHIFT);
    words.add16(constants.refractory_steps.into());
    words.add16(i32::from(shared.weight_shift) | i32::from(shared.readout_shift) << 8);
    words.add16((SPIKE_WORDS * (units + 1)) as i32);
    words.add32(payload.clock.steps_per_sample.into());
    words.add16((decision.kind == Kind::Sign).into());
    words.add32(trial.steps.into());
    words.add16(trial.input.len().checked_div(inputs).unwrap_or(1) as i32);
    words.add16(trial.label.into());
    words.add64(trial.spike_hash);
    words.0
}

/// The limits that `logic/rtl/decision.v` compares with, in its order: a number is below
/// its limit or not.
fn limits(decision: &Decision<Fixed>, steps: u32) -> Vec<u16> {
    let Window { first, last } = decision.mean;
    let count = i64::from((last.min(steps) + 1).saturating_sub(first.max(1)));
    let sum = |limit: Fixed| i64::from(limit.to_bits()) * count;
    let (mean_high, mean_low) = (sum(decision.mean_high), sum(decision.mean_low));
    let (high, low) = (decision.high.to_bits(), decision.low.to_bits());
    let above = |limit: i64| limit + 1;
    let answer = match decision.kind {
        // The sum is doubled and compared with both limits together.
        Kind::Detection => sum(decision.mean_high.plus(decision.mean_low)) >> 1,
        _ => 0,
    };
    let mut words = Words::default();
    for limit in [
        decision.extremes.first.into(),
        above(decision.extremes.last.into()),
        first.into(),
        above(last.into()),
        above(high.into()),
        low.into(),
        decision.high.negated().to_bits().into(),
        above(mean_high),
        mean_low,
        above(-mean_low),
        -mean_high,
        above(answer),
    ] {
        words.add64(limit.cast_unsigned());
    }
    words.0
}
