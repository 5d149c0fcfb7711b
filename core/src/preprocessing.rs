//! Preprocessing: from the integers of a sensor to the input of a network.
//!
//! A chain is a short list of operations on a table of whole numbers. At each
//! sample the first numbers of the table are the values of the sensor's channels.
//! An operation reads one or several numbers and writes one, so that a later
//! operation can use it. After the last operation the first numbers are the input
//! channels of the network, in steps of 2⁻¹².
//!
//! | operation | writes |
//! |---|---|
//! | [`Operation::Scale`] | (x − offset) · factor / 2^shift |
//! | [`Operation::Magnitude`] | √(x₁² + x₂² + …) |
//! | [`Operation::LogEnergy`] | log₂(1 + x₁² + x₂² + …), in steps of 2⁻¹² |
//! | [`Operation::Difference`] | x minus x in the sample before |
//! | [`Operation::LowPass`] | y + (x − y) · factor, where y is the last result |
//! | [`Operation::HighPass`] | x minus the low pass of x |
//!
//! All operations use integers, which saturate at the ends of 32 bits: the result
//! has the same bits on each machine. At the first sample a filter starts at the
//! value of its input, as if the input had always been there.

use fixed::types::I4F12;
use heapless::Vec;

use crate::network::MOST_INPUTS;

/// Numbers in the table: most channels of a sensor, and room for results.
pub const MOST_VALUES: usize = 32;

/// Most operations of a chain.
pub const MOST_OPERATIONS: usize = 64;

/// Bytes of an operation: its code, the number that it reads first, the number
/// that it writes, count or shift, offset (4), factor (4).
pub const OPERATION_BYTES: usize = 12;

/// Fractional bits of a logarithm.
const LOG_BITS: u32 = 12;

/// Fractional bits of a filter's state beyond those of its input.
const STATE_BITS: u32 = 12;

/// Fractional bits of a filter's factor.
const FACTOR_BITS: u32 = 16;

/// One operation of a chain. `from` and `to` are places in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `(x − offset) · factor / 2^shift`, rounded to nearest.
    Scale {
        /// The number that is read.
        from: u8,
        /// The number that is written.
        to: u8,
        /// The value that becomes zero.
        offset: i32,
        /// The factor.
        factor: i32,
        /// Bits by which the product is shifted, at most 31.
        shift: u8,
    },
    /// The square root of the sum of squares, rounded down.
    Magnitude {
        /// The first number that is read.
        from: u8,
        /// The number that is written.
        to: u8,
        /// Numbers that are read.
        count: u8,
    },
    /// The logarithm to base 2 of one and the sum of squares, in steps of 2⁻¹².
    LogEnergy {
        /// The first number that is read.
        from: u8,
        /// The number that is written.
        to: u8,
        /// Numbers that are read.
        count: u8,
    },
    /// The change since the sample before; zero at the first sample.
    Difference {
        /// The number that is read.
        from: u8,
        /// The number that is written.
        to: u8,
    },
    /// A low pass of first order.
    LowPass {
        /// The number that is read.
        from: u8,
        /// The number that is written.
        to: u8,
        /// Share of the distance that the filter covers in a sample, in 2⁻¹⁶:
        /// 1 − e^(−sample/τ).
        factor: u16,
    },
    /// A high pass of first order: the input minus its low pass.
    HighPass {
        /// The number that is read.
        from: u8,
        /// The number that is written.
        to: u8,
        /// The factor of the low pass.
        factor: u16,
    },
}

/// The bytes of an operation.
type Row = [u8; OPERATION_BYTES];

impl Operation {
    /// The operation as bytes.
    pub fn to_bytes(self) -> Row {
        let (head, offset, factor) = match self {
            Self::Scale {
                from,
                to,
                offset,
                factor,
                shift,
            } => ([0, from, to, shift], offset, factor),
            Self::Magnitude { from, to, count } => ([1, from, to, count], 0, 0),
            Self::LogEnergy { from, to, count } => ([2, from, to, count], 0, 0),
            Self::Difference { from, to } => ([3, from, to, 1], 0, 0),
            Self::LowPass { from, to, factor } => ([4, from, to, 1], 0, factor.into()),
            Self::HighPass { from, to, factor } => ([5, from, to, 1], 0, factor.into()),
        };
        let mut row = [0; OPERATION_BYTES];
        row[..4].copy_from_slice(&head);
        row[4..8].copy_from_slice(&offset.to_le_bytes());
        row[8..].copy_from_slice(&factor.to_le_bytes());
        row
    }

    /// The operation of these bytes; `None` if they are none, or if it reads or
    /// writes beside the table.
    pub fn from_bytes(row: Row) -> Option<Self> {
        let [code, from, to, third, o0, o1, o2, o3, f0, f1, f2, f3] = row;
        let offset = i32::from_le_bytes([o0, o1, o2, o3]);
        let factor = i32::from_le_bytes([f0, f1, f2, f3]);
        let short = u16::try_from(factor).ok().filter(|&factor| factor > 0);
        let operation = match code {
            0 => Self::Scale {
                from,
                to,
                offset,
                factor,
                shift: third,
            },
            1 => Self::Magnitude {
                from,
                to,
                count: third,
            },
            2 => Self::LogEnergy {
                from,
                to,
                count: third,
            },
            3 => Self::Difference { from, to },
            4 => Self::LowPass {
                from,
                to,
                factor: short?,
            },
            5 => Self::HighPass {
                from,
                to,
                factor: short?,
            },
            _ => return None,
        };
        let read = match operation {
            Self::Magnitude { count, .. } | Self::LogEnergy { count, .. } => usize::from(count),
            _ => 1,
        };
        let shift_fits = code != 0 || third < 32;
        let is_inside = usize::from(from) + read <= MOST_VALUES && usize::from(to) < MOST_VALUES;
        // One form for each operation, so that equal chains have equal bytes.
        let is_plain = operation.to_bytes() == row;
        (read > 0 && shift_fits && is_inside && is_plain).then_some(operation)
    }
}

/// A chain of operations, which borrows its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Chain<'a> {
    channels: usize,
    inputs: usize,
    rows: &'a [Row],
}

/// What a chain remembers from one sample to the next. Its memory has room for any
/// chain, or is the caller's and has an entry for each operation of one chain.
#[derive(Clone, Debug)]
pub struct ChainState<Kept = [i64; MOST_OPERATIONS]> {
    /// The value before, or the state of a filter; one entry an operation.
    kept: Kept,
    /// False before the first sample.
    started: bool,
}

impl Default for ChainState {
    fn default() -> Self {
        Self::with([0; MOST_OPERATIONS])
    }
}

impl<Kept: AsMut<[i64]>> ChainState<Kept> {
    /// The state before the first sample. The memory of `kept` has an entry for each
    /// operation of the chain ([`Chain::length`]); what it holds is forgotten.
    pub fn with(kept: Kept) -> Self {
        Self {
            kept,
            started: false,
        }
    }
}

impl<'a> Chain<'a> {
    /// A chain from `channels` channels of a sensor to `inputs` channels of a
    /// network.
    ///
    /// # Errors
    /// The index of the first operation that is not valid. The number of operations,
    /// if there are too many operations or channels, or if bytes are left over.
    pub fn read(channels: usize, inputs: usize, bytes: &'a [u8]) -> Result<Self, usize> {
        let (rows, rest) = bytes.as_chunks();
        let fits = rows.len() <= MOST_OPERATIONS
            && (1..=MOST_VALUES).contains(&channels)
            && inputs <= MOST_INPUTS
            && rest.is_empty();
        if !fits {
            return Err(rows.len());
        }
        match rows
            .iter()
            .position(|row| Operation::from_bytes(*row).is_none())
        {
            Some(index) => Err(index),
            None => Ok(Self {
                channels,
                inputs,
                rows,
            }),
        }
    }

    /// Number of channels of the sensor.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Number of operations.
    pub fn length(&self) -> usize {
        self.rows.len()
    }

    /// The operations in their order.
    pub fn operations(&self) -> impl Iterator<Item = Operation> + use<'a> {
        self.rows
            .iter()
            .filter_map(|row| Operation::from_bytes(*row))
    }

    /// The input of a network at the next sample, whose channels have the values
    /// `sample`. Channels without a value are zero, and operations without an entry in
    /// the state do nothing.
    pub fn apply<Kept: AsMut<[i64]>>(
        &self,
        state: &mut ChainState<Kept>,
        sample: &[i32],
    ) -> Vec<I4F12, MOST_INPUTS> {
        let mut inputs = Vec::new();
        for value in self.table(state, sample).iter().take(self.inputs) {
            let bits = (*value).clamp(i16::MIN.into(), i16::MAX.into()) as i16;
            // `read` refused more inputs than there is room for.
            let _ = inputs.push(I4F12::from_bits(bits));
        }
        inputs
    }

    /// The whole table after the next sample, whose channels have the values `sample`.
    #[inline]
    pub fn table<Kept: AsMut<[i64]>>(
        &self,
        state: &mut ChainState<Kept>,
        sample: &[i32],
    ) -> [i32; MOST_VALUES] {
        let mut table = [0; MOST_VALUES];
        for (value, given) in table.iter_mut().zip(sample).take(self.channels) {
            *value = *given;
        }
        for (operation, kept) in self.operations().zip(state.kept.as_mut()) {
            if !state.started {
                *kept = operation.start(&table);
            }
            let (to, result) = operation.result(&table, kept);
            if let Some(place) = table.get_mut(usize::from(to)) {
                *place = result;
            }
        }
        state.started = true;
        table
    }
}

/// The number at `place`, zero beside the table.
fn at(table: &[i32; MOST_VALUES], place: u8) -> i32 {
    table.get(usize::from(place)).copied().unwrap_or(0)
}

impl Operation {
    /// What the operation remembers before its first sample.
    fn start(self, table: &[i32; MOST_VALUES]) -> i64 {
        match self {
            Self::Difference { from, .. } => at(table, from).into(),
            Self::LowPass { from, .. } | Self::HighPass { from, .. } => {
                i64::from(at(table, from)) << STATE_BITS
            }
            _ => 0,
        }
    }

    /// The place that the operation writes, and the number.
    fn result(self, table: &[i32; MOST_VALUES], kept: &mut i64) -> (u8, i32) {
        match self {
            Self::Scale {
                from,
                to,
                offset,
                factor,
                shift,
            } => {
                let distance = at(table, from).saturating_sub(offset);
                let product = i64::from(distance) * i64::from(factor);
                (to, saturated(rounded(product, shift.into())))
            }
            Self::Magnitude { from, to, count } => {
                let root = square_root(energy(table, from, count));
                (to, i32::try_from(root).unwrap_or(i32::MAX))
            }
            Self::LogEnergy { from, to, count } => {
                let energy = energy(table, from, count);
                (to, logarithm(energy.saturating_add(1)))
            }
            Self::Difference { from, to } => {
                let x = i64::from(at(table, from));
                let before = core::mem::replace(kept, x);
                (to, saturated(x - before))
            }
            Self::LowPass { from, to, factor } => (to, low_pass(at(table, from), factor, kept)),
            Self::HighPass { from, to, factor } => {
                let x = at(table, from);
                (to, x.saturating_sub(low_pass(x, factor, kept)))
            }
        }
    }
}

/// `value / 2^shift`, rounded to nearest.
fn rounded(value: i64, shift: u32) -> i64 {
    let half = (1i64 << shift) >> 1;
    value.saturating_add(half) >> shift
}

fn saturated(value: i64) -> i32 {
    value.clamp(i32::MIN.into(), i32::MAX.into()) as i32
}

/// The sum of squares of `count` numbers.
fn energy(table: &[i32; MOST_VALUES], from: u8, count: u8) -> u64 {
    let numbers = table.iter().skip(from.into()).take(count.into());
    numbers.fold(0, |sum: u64, &x| {
        let size = u64::from(x.unsigned_abs());
        sum.saturating_add(size * size)
    })
}

/// The square root, rounded down, bit by bit.
fn square_root(value: u64) -> u32 {
    let (mut rest, mut root) = (value, 0u64);
    let mut bit = 1u64 << 62;
    while bit > 0 {
        if rest >= root + bit {
            rest -= root + bit;
            root = (root >> 1) + bit;
        } else {
            root >>= 1;
        }
        bit >>= 2;
    }
    root as u32
}

/// The logarithm to base 2 of a number above zero, in steps of 2⁻¹², rounded down:
/// each squaring of the mantissa gives one bit.
fn logarithm(value: u64) -> i32 {
    let whole = 63 - value.leading_zeros();
    // The mantissa, from 1 to 2, with 31 fractional bits.
    let mut mantissa = (value << (63 - whole)) >> 32;
    let mut bits = whole;
    for _ in 0..LOG_BITS {
        mantissa = (mantissa * mantissa) >> 31;
        let carry = (mantissa >> 32) as u32;
        mantissa >>= carry;
        bits = bits << 1 | carry;
    }
    bits.cast_signed()
}

fn low_pass(x: i32, factor: u16, state: &mut i64) -> i32 {
    let distance = (i64::from(x) << STATE_BITS) - *state;
    *state += (distance * i64::from(factor)) >> FACTOR_BITS;
    saturated(rounded(*state, STATE_BITS))
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    fn bytes(operations: &[Operation]) -> Vec<u8> {
        let rows = operations.iter().flat_map(|operation| operation.to_bytes());
        rows.collect()
    }

    /// The bits of the network's inputs at each sample.
    fn run(inputs: usize, operations: &[Operation], samples: &[&[i32]]) -> Vec<Vec<i16>> {
        let bytes = bytes(operations);
        let chain = Chain::read(samples[0].len(), inputs, &bytes).expect("a chain");
        let mut state = ChainState::default();
        let samples = samples.iter();
        samples
            .map(|sample| {
                let inputs = chain.apply(&mut state, sample);
                inputs.iter().map(|u| u.to_bits()).collect()
            })
            .collect()
    }

    #[test]
    fn a_scale_rounds_to_nearest_and_saturates() {
        let scale = |factor, shift| Operation::Scale {
            from: 0,
            to: 0,
            offset: 10,
            factor,
            shift,
        };
        let one = |operation, x: i32| run(1, &[operation], &[&[x]])[0][0];
        assert_eq!(one(scale(3, 1), 11), 2);
        assert_eq!(one(scale(3, 1), 9), -1);
        assert_eq!(one(scale(1, 0), 10), 0);
        assert_eq!(one(scale(i32::MAX, 0), i32::MAX), i16::MAX);
        assert_eq!(one(scale(i32::MIN, 31), i32::MAX), i16::MIN);
        assert_eq!(one(scale(i32::MAX, 0), i32::MIN), i16::MIN);
    }

    #[test]
    fn a_magnitude_is_the_root_of_the_sum_of_squares_rounded_down() {
        for (value, root) in [(0, 0), (1, 1), (3, 1), (4, 2), (24, 4), (25, 5)] {
            assert_eq!(square_root(value), root);
        }
        for root in [65_535u64, 65_536, 3_000_000_001, u32::MAX.into()] {
            assert_eq!(u64::from(square_root(root * root)), root);
            assert_eq!(u64::from(square_root(root * root - 1)), root - 1);
        }
        assert_eq!(square_root(u64::MAX), u32::MAX);
        let magnitude = Operation::Magnitude {
            from: 0,
            to: 0,
            count: 3,
        };
        assert_eq!(run(1, &[magnitude], &[&[-2, 3, 6]]), [[7]]);
        assert_eq!(run(1, &[magnitude], &[&[i32::MIN; 3]]), [[i16::MAX]]);
    }

    #[test]
    fn a_logarithm_is_that_of_floating_point_rounded_down() {
        for value in (1..2000).chain([1 << 20, u64::MAX >> 3, u64::MAX]) {
            let exact = libm::log2(value as f64) * 4096.0;
            let found = f64::from(logarithm(value));
            assert!(found <= exact + 1e-3 && exact < found + 1.01, "{value}");
        }
        let log = Operation::LogEnergy {
            from: 0,
            to: 1,
            count: 1,
        };
        let half = Operation::Scale {
            from: 1,
            to: 0,
            offset: 0,
            factor: 1,
            shift: 1,
        };
        // log₂(1 + 15²) = 7.82, halved.
        let found = run(1, &[log, half], &[&[15]])[0][0];
        assert!((f64::from(found) / 4096.0 - 3.91).abs() < 0.01);
        assert_eq!(run(1, &[log, half], &[&[0]]), [[0]]);
    }

    #[test]
    fn a_difference_begins_at_zero() {
        let difference = Operation::Difference { from: 0, to: 0 };
        let samples: [&[i32]; 4] = [&[100], &[107], &[90], &[90]];
        assert_eq!(run(1, &[difference], &samples), [[0], [7], [-17], [0]]);
    }

    #[test]
    fn filters_begin_at_their_input_and_follow_it_as_in_floating_point() {
        let factor = 6554;
        let low = Operation::LowPass {
            from: 0,
            to: 1,
            factor,
        };
        let high = Operation::HighPass {
            from: 0,
            to: 2,
            factor,
        };
        let values: Vec<[i32; 1]> = (0..200).map(|t| [1000 + (t % 40) * 25]).collect();
        let samples: Vec<&[i32]> = values.iter().map(|value| &value[..]).collect();
        let found = run(3, &[low, high], &samples);
        assert_eq!(found[0], [1000, 1000, 0]);
        let mut y = 1000.0;
        for (value, found) in values.iter().zip(&found) {
            let x = f64::from(value[0]);
            y += (x - y) * f64::from(factor) / 65536.0;
            assert!((f64::from(found[1]) - y).abs() < 1.0, "{found:?}, not {y}");
            assert_eq!(found[2], found[0] - found[1]);
        }
    }

    #[test]
    fn extreme_values_stay_inside() {
        let both = |from, to| {
            [
                Operation::LowPass {
                    from,
                    to,
                    factor: u16::MAX,
                },
                Operation::HighPass {
                    from,
                    to,
                    factor: 1,
                },
                Operation::Difference { from, to },
            ]
        };
        let operations = [both(0, 0), both(0, 1)].concat();
        let samples: [&[i32]; 4] = [&[i32::MIN], &[i32::MAX], &[i32::MIN], &[0]];
        assert_eq!(run(2, &operations, &samples).len(), 4);
    }

    #[test]
    fn an_operation_is_read_back_and_one_beside_the_table_is_refused() {
        let operations = [
            Operation::Scale {
                from: 31,
                to: 0,
                offset: -7,
                factor: i32::MIN,
                shift: 31,
            },
            Operation::Magnitude {
                from: 29,
                to: 31,
                count: 3,
            },
            Operation::LogEnergy {
                from: 0,
                to: 5,
                count: 32,
            },
            Operation::Difference { from: 1, to: 2 },
            Operation::LowPass {
                from: 1,
                to: 2,
                factor: 1,
            },
            Operation::HighPass {
                from: 1,
                to: 2,
                factor: u16::MAX,
            },
        ];
        for operation in operations {
            let row = operation.to_bytes();
            assert_eq!(Operation::from_bytes(row), Some(operation));
            for (place, value) in [(0, 6), (1, 32), (2, 32)] {
                let mut wrong = row;
                wrong[place] = value;
                assert_eq!(Operation::from_bytes(wrong), None, "{operation:?}");
            }
        }
        for wrong in [
            Operation::Magnitude {
                from: 30,
                to: 0,
                count: 3,
            },
            Operation::LogEnergy {
                from: 0,
                to: 0,
                count: 0,
            },
            Operation::LowPass {
                from: 0,
                to: 0,
                factor: 0,
            },
            Operation::Scale {
                from: 0,
                to: 0,
                offset: 0,
                factor: 1,
                shift: 32,
            },
        ] {
            assert_eq!(Operation::from_bytes(wrong.to_bytes()), None, "{wrong:?}");
        }
        let bytes = bytes(&operations);
        assert!(Chain::read(6, 2, &bytes).is_ok());
        assert_eq!(Chain::read(6, 2, &bytes[1..]).err(), Some(5));
        assert_eq!(Chain::read(0, 2, &bytes).err(), Some(6));
        assert_eq!(Chain::read(33, 2, &bytes).err(), Some(6));
        assert_eq!(Chain::read(6, 17, &bytes).err(), Some(6));
        let many = bytes.repeat(11);
        assert_eq!(Chain::read(6, 2, &many).err(), Some(66));
    }
}
