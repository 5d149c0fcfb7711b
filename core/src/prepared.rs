//! What is made once for a network, so that its steps take less time on a microcontroller.
//!
//! A deployed network lies in flash, byte by byte. A table of the biases and input weights in
//! RAM, each a whole number, halves the cycles of a unit with new input ([`fill_rows`]). The
//! table for two processors is that of [`crate::halves`].
//!
//! An input that is known before it begins is expected
//! ([`State::expect_input`](crate::step::State::expect_input)): the steps before it compute its
//! drives, a part of the units each, so that no step has the work of all units.

use core::iter::once;

use heapless::Vec;

use crate::arithmetic::{Arithmetic, Fixed};
use crate::halves::Halves;
use crate::network::{MOST_INPUTS, Network};

/// Most input channels of a network whose input weights have a table in RAM.
pub const ROW_INPUTS: usize = 4;

/// The bias and the input weights of a unit.
#[derive(Clone, Copy, Debug)]
pub struct InputRow<A: Arithmetic> {
    weights: [A::InputWeight; ROW_INPUTS],
    bias: A,
}

impl InputRow<Fixed> {
    /// All zero, so that a `static` of rows costs no flash.
    pub const EMPTY: Self = Self {
        weights: [fixed::types::I6F10::ZERO; ROW_INPUTS],
        bias: Fixed::ZERO,
    };
}

impl InputRow<f32> {
    /// All zero, so that a `static` of rows costs no flash.
    pub const EMPTY: Self = Self {
        weights: [0.0; ROW_INPUTS],
        bias: 0.0,
    };
}

/// Fewest units whose drives a step computes for an expected input.
const LEAST_PART: usize = 4;

/// Units whose drives each of `steps` steps computes for an expected input, on a processor that
/// steps `units` units.
pub fn units_a_step(units: usize, steps: u32) -> usize {
    units.div_ceil((steps as usize).max(1)).max(LEAST_PART)
}

/// An input that begins later.
#[derive(Clone, Debug)]
pub(crate) struct Expected<A: Arithmetic> {
    pub(crate) input: Vec<A::Input, MOST_INPUTS>,
    /// Units whose drives a step computes on a processor.
    pub(crate) part: usize,
}

/// What was made for a network.
#[derive(Debug)]
pub struct Prepared<'m, A: Arithmetic> {
    /// The halves of the network, if two processors step it.
    pub halves: Option<Halves<'m>>,
    /// A row a unit, from [`fill_rows`], for a state with memory for drives.
    pub rows: Option<&'m [InputRow<A>]>,
    /// Memory for the drives of an input before its first step takes them, an entry a unit.
    pub drives: Option<&'m mut [A]>,
}

impl<A: Arithmetic> Prepared<'_, A> {
    /// Nothing.
    pub const NOTHING: Self = Self {
        halves: None,
        rows: None,
        drives: None,
    };
}

/// Fills the rows of `network`, one a unit; false if there are too few rows, or more than
/// [`ROW_INPUTS`] channels.
pub fn fill_rows<N: Network>(network: &N, rows: &mut [InputRow<N::Number>]) -> bool {
    let constants = network.constants();
    let Some(rows) = rows.get_mut(..constants.units) else {
        return false;
    };
    if constants.inputs > ROW_INPUTS {
        return false;
    }
    for (unit, row) in rows.iter_mut().enumerate() {
        row.bias = network.unit(unit).bias;
        for (channel, weight) in row.weights.iter_mut().enumerate().take(constants.inputs) {
            *weight = network.input_weight(unit, channel);
        }
    }
    true
}

/// Calls `set` with each of `places` and the drive of its row, for an input of at most
/// [`ROW_INPUTS`] channels.
#[inline(always)]
pub(crate) fn each_drive<A: Arithmetic, P>(
    rows: &[InputRow<A>],
    input: &[A::Input],
    places: impl Iterator<Item = P>,
    set: impl FnMut(P, A),
) {
    // The check is made once a sample, and not once a sum.
    if A::stays_in_range(input) {
        each_drive_by::<A, P, true>(rows, input, places, set);
    } else {
        each_drive_by::<A, P, false>(rows, input, places, set);
    }
}

/// A loop for each number of channels, so that the weights and the input stay in registers.
#[inline(always)]
fn each_drive_by<A: Arithmetic, P, const IN_RANGE: bool>(
    rows: &[InputRow<A>],
    input: &[A::Input],
    places: impl Iterator<Item = P>,
    mut set: impl FnMut(P, A),
) {
    let rows = places.zip(rows);
    match *input {
        [] => rows.for_each(|(place, row)| set(place, row.bias)),
        [a] => rows.for_each(|(place, row)| {
            let [w, ..] = row.weights;
            set(place, drive::<A, IN_RANGE>(row.bias, once((w, a))));
        }),
        [a, b] => rows.for_each(|(place, row)| {
            let [w, x, ..] = row.weights;
            let products = once((w, a)).chain(once((x, b)));
            set(place, drive::<A, IN_RANGE>(row.bias, products));
        }),
        [a, b, c] => rows.for_each(|(place, row)| {
            let [w, x, y, _] = row.weights;
            let products = once((w, a)).chain(once((x, b))).chain(once((y, c)));
            set(place, drive::<A, IN_RANGE>(row.bias, products));
        }),
        [a, b, c, d] => rows.for_each(|(place, row)| {
            let [w, x, y, z] = row.weights;
            let first = once((w, a)).chain(once((x, b)));
            let products = first.chain(once((y, c))).chain(once((z, d)));
            set(place, drive::<A, IN_RANGE>(row.bias, products));
        }),
        // `fill_rows` refuses such a network.
        _ => {}
    }
}

#[inline(always)]
fn drive<A: Arithmetic, const IN_RANGE: bool>(
    bias: A,
    products: impl Iterator<Item = (A::InputWeight, A::Input)>,
) -> A {
    if IN_RANGE {
        A::driven_in_range(bias, products)
    } else {
        A::driven(bias, products)
    }
}

#[cfg(test)]
mod tests {
    use std::vec;
    use std::vec::Vec;

    use fixed::types::{I4F12, I6F10};

    use super::*;

    /// Rows with the extremes, and numbers between them.
    fn rows() -> Vec<InputRow<Fixed>> {
        let numbers = [i16::MIN, -12_345, -1, 0, 1, 777, i16::MAX];
        let mut rows = Vec::new();
        for (k, &bias) in numbers.iter().enumerate() {
            for j in 0..numbers.len() {
                let weight = |channel: usize| numbers[(k + j * (channel + 1)) % numbers.len()];
                rows.push(InputRow {
                    weights: [0, 1, 2, 3].map(|channel| I6F10::from_bits(weight(channel))),
                    bias: Fixed::from_bits(i32::from(bias) << 16),
                });
            }
        }
        rows
    }

    #[test]
    fn a_drive_from_a_row_is_the_one_that_may_leave_the_range() {
        let values = [0, 1, -1, 4096, 16_000, -16_383, 32_767, -32_768];
        let rows = rows();
        let mut in_range = [0; 2];
        for channels in 0..=ROW_INPUTS {
            for from in 0..values.len() {
                let value = |k: usize| I4F12::from_bits(values[(from + 3 * k) % values.len()]);
                let input: Vec<I4F12> = (0..channels).map(value).collect();
                in_range[usize::from(Fixed::stays_in_range(&input))] += 1;
                let mut found = Vec::new();
                each_drive(&rows, &input, 0.., |_, drive: Fixed| found.push(drive));
                let expected: Vec<Fixed> = rows
                    .iter()
                    .map(|row| {
                        let products = row.weights.iter().copied().zip(input.iter().copied());
                        Fixed::driven(row.bias, products)
                    })
                    .collect();
                assert_eq!(found, expected, "{input:?}");
            }
        }
        assert!(in_range[0] > 0 && in_range[1] > 5, "{in_range:?}");
    }

    #[test]
    fn a_network_with_many_channels_or_units_has_no_rows() {
        let mut net = crate::testing::Net::unconnected(3);
        let mut rows = vec![
            InputRow::<f64> {
                weights: [0.0; 4],
                bias: 0.0
            };
            3
        ];
        net.units[2].bias = 2.5;
        assert!(fill_rows(&net.tables(), &mut rows));
        assert_eq!((rows[2].bias, rows[2].weights[0]), (2.5, 1.0));
        assert!(!fill_rows(&net.tables(), &mut rows[..2]));
        net.constants.inputs = 5;
        assert!(!fill_rows(&net.tables(), &mut rows));
    }
}
