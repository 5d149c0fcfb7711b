//! The tables of a blob in f32, and how they are read.
//!
//! Potentials and drives are in mV, and nothing is counted from the threshold.
//!
//! | table | row |
//! |---|---|
//! | units | decay, rise gain, gain, lag, bias |
//! | input weights | the weight |
//! | synapses | the gap to the column's previous target (2 bytes), the weight |
//! | filters | decay, rise gain |
//! | readout | the first filter (1 byte), and two weights for each output |
//! | output offsets | the offset |
//!
//! Each number without a size is a little-endian f32. It is finite and at most
//! [`MOST_NUMBER`] in size; a decay lies between −1 and 0, and the leak between 0 and 1.
//! Sums in a step therefore stay finite in each trial that a machine can make.

use core::ops::Range;

use fixed::types::I4F12;

use super::{BlobError, Payload, Stored, TableName, array, row, start, u16_at};
use crate::arithmetic::Arithmetic;
use crate::network::{Banks, Deliver, ReadoutFilter, Target, Targets};
use crate::neuron::{FilterFactors, UnitFactors};

/// Bytes of a number.
pub const NUMBER_BYTES: usize = 4;
/// Bytes of a row of the units.
pub const UNIT_BYTES: usize = 5 * NUMBER_BYTES;
/// Position of the bias in a row of the units.
const BIAS_AT: usize = 4 * NUMBER_BYTES;
/// Bytes of the gap in a synapse.
const GAP_BYTES: usize = 2;
/// Bytes of a synapse.
pub const SYNAPSE_BYTES: usize = GAP_BYTES + NUMBER_BYTES;
/// Bytes of a readout filter.
pub const FILTER_BYTES: usize = 2 * NUMBER_BYTES;
/// Bytes of two weights in a row of the readout.
const PAIR_BYTES: usize = 2 * NUMBER_BYTES;

/// The largest size of a number.
pub const MOST_NUMBER: f32 = 1_048_576.0;

/// Bytes of a row of the readout.
pub const fn readout_bytes(outputs: usize) -> usize {
    1 + PAIR_BYTES * outputs
}

impl Stored for f32 {
    const ARITHMETIC: u16 = 1;
    const UNIT_BYTES: usize = UNIT_BYTES;
    const INPUT_WEIGHT_BYTES: usize = NUMBER_BYTES;
    const SYNAPSE_BYTES: usize = SYNAPSE_BYTES;
    const FILTER_BYTES: usize = FILTER_BYTES;
    const OFFSET_BYTES: usize = NUMBER_BYTES;
    const PAIR_BYTES: usize = PAIR_BYTES;

    fn gap(synapse: &[u8]) -> usize {
        u16_at(synapse, 0).into()
    }

    fn is_single(pair: &[u8]) -> bool {
        f32_at(pair, NUMBER_BYTES) == 0.0
    }

    fn check_numbers(payload: &Payload<f32>) -> Result<(), BlobError> {
        let outputs = payload.outputs.into();
        check_shared(payload)?;
        check_rows(TableName::Units, payload.units, UNIT_BYTES, |row| {
            is_decay(f32_at(row, 0)) && all(row)
        })?;
        check_rows(
            TableName::InputWeights,
            payload.input_weights,
            NUMBER_BYTES,
            all,
        )?;
        check_rows(
            TableName::Synapses,
            payload.synapses,
            SYNAPSE_BYTES,
            |row| is_number(f32_at(row, GAP_BYTES)),
        )?;
        check_rows(TableName::Filters, payload.filters, FILTER_BYTES, |row| {
            is_decay(f32_at(row, 0)) && all(row)
        })?;
        check_rows(
            TableName::Readout,
            payload.readout,
            readout_bytes(outputs),
            |row| all(row.get(1..).unwrap_or_default()),
        )?;
        check_rows(
            TableName::OutputOffsets,
            payload.output_offsets,
            NUMBER_BYTES,
            all,
        )
    }

    fn input(value: I4F12) -> f32 {
        // Exact, since 16 bits are fewer than those of an f32.
        f32::from(value.to_bits()) / f32::from(I4F12::ONE.to_bits())
    }

    fn bits(self) -> i32 {
        self.to_bits().cast_signed()
    }

    fn from_bits(bits: i32) -> Self {
        f32::from_bits(bits.cast_unsigned())
    }

    fn unit(payload: &Payload<f32>, unit: usize) -> UnitFactors<f32> {
        let row = row(payload.units, unit, UNIT_BYTES);
        UnitFactors {
            filter: filter(row),
            gain: f32_at(row, 2 * NUMBER_BYTES),
            lag: f32_at(row, 3 * NUMBER_BYTES),
            bias: f32_at(row, BIAS_AT),
        }
    }

    fn input_weight(payload: &Payload<f32>, index: usize) -> f32 {
        f32_at(row(payload.input_weights, index, NUMBER_BYTES), 0)
    }

    #[inline]
    fn each_drive(
        payload: &Payload<f32>,
        range: Range<usize>,
        input: &[f32],
        mut set: impl FnMut(usize, f32),
    ) {
        let (units, _) = payload.units.as_chunks::<UNIT_BYTES>();
        let (weights, _) = payload.input_weights.as_chunks();
        let from = input.len().saturating_mul(range.start);
        let weights = weights.get(from..).unwrap_or_default();
        let mut weights = weights.iter().map(|bytes| f32::from_le_bytes(*bytes));
        let units = units.get(range.clone()).unwrap_or_default();
        for (unit, row) in range.zip(units) {
            let weights = input.iter().zip(&mut weights);
            let products = weights.map(|(&u, weight)| (weight, u));
            set(unit, f32::driven(f32_at(row, BIAS_AT), products));
        }
    }

    #[inline]
    fn some_targets(
        payload: &Payload<f32>,
        from: usize,
        targets: Targets,
        mut to: impl Deliver<f32>,
    ) {
        let all = column(payload, from);
        let (synapses, mut first) = match targets {
            Targets::All => (all, None),
            Targets::Before(cut) => (all.get(..cut.place()).unwrap_or_default(), None),
            Targets::Behind(cut) => {
                let behind = all.get(cut.place()..).unwrap_or_default();
                (behind, Some(cut.first()))
            }
        };
        let mut unit = 0;
        for &[low, high, a, b, c, d] in synapses {
            let gap = usize::from(u16::from_le_bytes([low, high]));
            // The first gap behind a cut leads there from a unit of the first half.
            let gap = first.take().unwrap_or(gap);
            unit += gap;
            let amount = f32::from_le_bytes([a, b, c, d]);
            if to.one((Target { unit, gap }, amount)).is_none() {
                return;
            }
        }
    }

    fn readout_filter(payload: &Payload<f32>, index: usize) -> ReadoutFilter<f32> {
        ReadoutFilter {
            filter: filter(row(payload.filters, index, FILTER_BYTES)),
            // What a spike adds contains the weight already.
            weight: 1.0,
        }
    }

    #[inline]
    fn each_readout(
        payload: &Payload<f32>,
        banks: Banks,
        unit: usize,
        mut deliver: impl FnMut(usize, usize, f32),
    ) {
        let row = row(payload.readout, unit, readout_bytes(banks.count));
        let Some((&first, pairs)) = row.split_first() else {
            return;
        };
        let (mut filter, next_bank) = (usize::from(first), banks.start(1));
        let (pairs, _) = pairs.as_chunks::<PAIR_BYTES>();
        for (bank, pair) in pairs.iter().enumerate() {
            for (next, at) in [(0, 0), (1, NUMBER_BYTES)] {
                let weight = f32_at(pair, at);
                if weight != 0.0 {
                    deliver(bank, filter + next, weight);
                }
            }
            filter += next_bank;
        }
    }

    #[inline(always)]
    fn output_offset(payload: &Payload<f32>, output: usize) -> f32 {
        let (offsets, _) = payload.output_offsets.as_chunks();
        let offset = offsets.get(output);
        offset.map_or(0.0, |bytes| f32::from_le_bytes(*bytes))
    }
}

/// True if a number may stand in a blob.
fn is_number(x: f32) -> bool {
    // False for NaN and the infinities too.
    x.abs() <= MOST_NUMBER
}

/// True if a number may be the relative change of a quantity that decays.
fn is_decay(x: f32) -> bool {
    (-1.0..=0.0).contains(&x)
}

/// True if all numbers in these bytes may stand in a blob.
fn all(bytes: &[u8]) -> bool {
    let (numbers, _) = bytes.as_chunks();
    let mut numbers = numbers.iter().map(|bytes| f32::from_le_bytes(*bytes));
    numbers.all(is_number)
}

fn check_rows(
    table: TableName,
    bytes: &[u8],
    row_bytes: usize,
    is_right: impl Fn(&[u8]) -> bool,
) -> Result<(), BlobError> {
    let mut rows = bytes.chunks_exact(row_bytes);
    match rows.position(|row| !is_right(row)) {
        Some(row) => Err(BlobError::Range { table, row }),
        None => Ok(()),
    }
}

fn check_shared(payload: &Payload<f32>) -> Result<(), BlobError> {
    let range = |table| Err(BlobError::Range { table, row: 0 });
    let shared = &payload.shared;
    let factors = (0.0..=1.0).contains(&shared.leak) && is_decay(shared.rise_decay);
    let scales = (shared.unit_mv, shared.weight_shift, shared.readout_shift) == (1, 0, 0);
    let numbers = [
        shared.noise_gain,
        shared.threshold,
        shared.reset,
        shared.start.0,
        shared.start.1,
    ];
    if !(factors && scales && numbers.into_iter().all(is_number)) {
        return range(TableName::Shared);
    }
    let rule = &payload.decision;
    let limits = [rule.high, rule.low, rule.mean_high, rule.mean_low];
    if !limits.into_iter().all(is_number) {
        return range(TableName::Decision);
    }
    Ok(())
}

#[inline(always)]
fn f32_at(bytes: &[u8], at: usize) -> f32 {
    f32::from_le_bytes(array(bytes, at))
}

/// Two factors of a filter at the beginning of a row.
fn filter(row: &[u8]) -> FilterFactors<f32> {
    FilterFactors {
        synapse_decay: f32_at(row, 0),
        rise_gain: f32_at(row, NUMBER_BYTES),
    }
}

/// The synapses that leave `unit`.
#[inline(always)]
fn column<'a>(payload: &Payload<'a, f32>, unit: usize) -> &'a [[u8; SYNAPSE_BYTES]] {
    let (synapses, _) = payload.synapses.as_chunks();
    let column = start(payload, unit)..start(payload, unit + 1);
    synapses.get(column).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use core::hash::Hasher;
    use std::vec::Vec;

    use fnv::FnvHasher;

    use super::*;
    use crate::arithmetic::Fixed;
    use crate::blob::{BlobError, Deployed, HEADER_BYTES, LAYOUT, header, write};
    use crate::network::Network;
    use crate::noise::Noise;
    use crate::testing::Memory;
    use crate::trial::Run;

    const GO_NOGO: &[u8] = include_bytes!("../../tests/golden/f32/go-nogo.snn");
    const MANTE: &[u8] = include_bytes!("../../tests/golden/f32/mante.snn");
    const XOR: &[u8] = include_bytes!("../../tests/golden/f32/xor.snn");

    /// Hash of the spikes, the potentials and the outputs of a network over its
    /// self-test's input.
    fn hash(network: &Deployed<f32>) -> u64 {
        let mut memory = Memory::of(network);
        let mut noise = Noise::new(1, 0);
        let state = memory.start(network, &mut noise).expect("enough memory");
        let mut run = Run::new(network, state, noise, network.payload().clock);
        let mut hash = FnvHasher::default();
        while let Some(step) = run.step(|sample| network.self_test_input(sample)) {
            let state = run.state();
            for unit in state.fired() {
                hash.write(&(unit as u16).to_le_bytes());
            }
            for output in state.outputs() {
                hash.write(&output.to_bits().to_le_bytes());
            }
            if step.is_multiple_of(100) {
                for unit in 0..network.constants().units {
                    hash.write(&state.potential(unit).to_bits().to_le_bytes());
                }
            }
        }
        hash.finish()
    }

    /// `tests/tests/lanes.rs` runs this with other numbers of lanes.
    #[test]
    fn spikes_potentials_and_outputs_have_the_same_bits_with_each_number_of_lanes() {
        let found = [GO_NOGO, MANTE, XOR].map(|bytes| {
            let network = Deployed::<f32>::of(bytes).expect("a frozen network");
            hash(&network)
        });
        let wanted = [
            0xaf8b_df42_4fe1_b056,
            0x10ec_4d50_1bff_0ac8,
            0x31db_d5ed_417a_a7e5,
        ];
        assert_eq!(found, wanted, "{found:#018x?}");
    }

    #[test]
    fn a_network_passes_its_own_self_test() {
        for bytes in [GO_NOGO, MANTE, XOR] {
            let network = Deployed::<f32>::of(bytes).expect("a frozen network");
            let found = network.self_test(Memory::of(&network).all());
            assert_eq!(found, Ok(network.payload().self_test.spike_hash));
        }
    }

    #[test]
    fn a_reader_of_other_numbers_refuses_a_network() {
        assert_eq!(u16_at(XOR, 4), LAYOUT);
        let refused = Deployed::read(XOR).map(|_| ());
        assert_eq!(refused, Err(BlobError::Arithmetic(f32::ARITHMETIC)));
        let fixed: &[u8] = include_bytes!("../../tests/golden/xor.snn");
        let refused = Deployed::<f32>::of(fixed).map(|_| ());
        assert_eq!(refused, Err(BlobError::Arithmetic(Fixed::ARITHMETIC)));
        let body = &XOR[HEADER_BYTES..];
        let mut foreign = header(LAYOUT, 2, body).to_vec();
        foreign.extend(body);
        let refused = Deployed::<f32>::of(&foreign).map(|_| ());
        assert_eq!(refused, Err(BlobError::Arithmetic(2)));
    }

    /// The fault of a network after `change`.
    fn fault(change: impl FnOnce(&mut Payload<f32>)) -> Option<BlobError> {
        let network = Deployed::<f32>::of(XOR).expect("a frozen network");
        let mut payload = *network.payload();
        change(&mut payload);
        let mut buffer = std::vec![0; XOR.len() + 64];
        let blob = write(&payload, &mut buffer).expect("it fits");
        Deployed::<f32>::of(blob).err()
    }

    #[test]
    fn numbers_that_are_not_finite_or_too_large_are_refused_wherever_they_stand() {
        let range = |table, row| Some(BlobError::Range { table, row });
        assert_eq!(fault(|_| {}), None);
        for wrong in [f32::NAN, f32::INFINITY, -f32::INFINITY, 1.1e6, -1.1e6] {
            let shared = range(TableName::Shared, 0);
            assert_eq!(fault(|p| p.shared.noise_gain = wrong), shared);
            assert_eq!(fault(|p| p.shared.threshold = wrong), shared);
            assert_eq!(fault(|p| p.shared.reset = wrong), shared);
            assert_eq!(fault(|p| p.shared.start.0 = wrong), shared);
            assert_eq!(fault(|p| p.shared.start.1 = wrong), shared);
            assert_eq!(fault(|p| p.shared.leak = wrong), shared);
            assert_eq!(fault(|p| p.shared.rise_decay = wrong), shared);
            let decision = range(TableName::Decision, 0);
            assert_eq!(fault(|p| p.decision.high = wrong), decision);
            assert_eq!(fault(|p| p.decision.low = wrong), decision);
            assert_eq!(fault(|p| p.decision.mean_high = wrong), decision);
            assert_eq!(fault(|p| p.decision.mean_low = wrong), decision);
            let with = |table: &[u8], at: usize| -> &'static [u8] {
                let mut table = table.to_vec();
                table[at..at + NUMBER_BYTES].copy_from_slice(&wrong.to_le_bytes());
                Vec::leak(table)
            };
            for place in 0..5 {
                let at = UNIT_BYTES * 7 + NUMBER_BYTES * place;
                let units = fault(|p| p.units = with(p.units, at));
                assert_eq!(units, range(TableName::Units, 7));
            }
            let weight = fault(|p| p.input_weights = with(p.input_weights, 12));
            assert_eq!(weight, range(TableName::InputWeights, 3));
            let synapse = fault(|p| p.synapses = with(p.synapses, 5 * SYNAPSE_BYTES + GAP_BYTES));
            assert_eq!(synapse, range(TableName::Synapses, 5));
            for place in [0, NUMBER_BYTES] {
                let filter = fault(|p| p.filters = with(p.filters, FILTER_BYTES + place));
                assert_eq!(filter, range(TableName::Filters, 1));
                let row = readout_bytes(1);
                let readout = fault(|p| p.readout = with(p.readout, 2 * row + 1 + place));
                assert_eq!(readout, range(TableName::Readout, 2));
            }
            let offset = fault(|p| p.output_offsets = with(&[0; NUMBER_BYTES], 0));
            assert_eq!(offset, range(TableName::OutputOffsets, 0));
        }
    }

    #[test]
    fn tables_of_a_wrong_size_and_targets_that_do_not_exist_are_refused() {
        let is_table = |fault, wanted| match fault {
            Some(BlobError::Table { table, .. }) => assert_eq!(table, wanted),
            other => panic!("{wanted:?}: {other:?}"),
        };
        let shorter = |table: &'static [u8]| &table[..table.len() - 1];
        let network = Deployed::<f32>::of(XOR).expect("a frozen network");
        let whole = *network.payload();
        is_table(fault(|p| p.units = shorter(whole.units)), TableName::Units);
        is_table(
            fault(|p| p.input_weights = shorter(whole.input_weights)),
            TableName::InputWeights,
        );
        is_table(
            fault(|p| p.starts = shorter(whole.starts)),
            TableName::Starts,
        );
        is_table(
            fault(|p| p.synapses = shorter(whole.synapses)),
            TableName::Synapses,
        );
        is_table(
            fault(|p| p.filters = shorter(whole.filters)),
            TableName::Filters,
        );
        is_table(
            fault(|p| p.readout = shorter(whole.readout)),
            TableName::Readout,
        );
        is_table(
            fault(|p| p.output_offsets = &[0; 3]),
            TableName::OutputOffsets,
        );
        let mut synapses = whole.synapses.to_vec();
        synapses[..GAP_BYTES].copy_from_slice(&200u16.to_le_bytes());
        let far = fault(|p| p.synapses = Vec::leak(synapses));
        let table = TableName::Synapses;
        assert_eq!(far, Some(BlobError::Range { table, row: 0 }));
        assert!(fault(|p| p.shared.unit_mv = 2).is_some());
        assert!(fault(|p| p.shared.weight_shift = 1).is_some());
    }
}
