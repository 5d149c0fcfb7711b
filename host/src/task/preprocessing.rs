//! From the recorded integers of a data set to the inputs of a network: core's chain of
//! operations, made from a list of features.
//!
//! The table of a chain begins with the recorded channels. Features are computed behind
//! them first; then each input is scaled into its place at the start of the table.

use rate2spike_core::network::MOST_INPUTS;
use rate2spike_core::preprocessing::{Chain, MOST_OPERATIONS, MOST_VALUES, Operation};
use serde::{Deserialize, Serialize};

/// Steps of a network's input in one.
const INPUT_STEPS: f64 = 4096.0;

/// Steps of a filter's factor in one.
const FACTOR_STEPS: f64 = 65536.0;

/// Largest shift of a scale.
const MOST_SHIFT: u8 = 31;

/// What an input is made of. Channels are counted from 0; integers are those that a board
/// takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Feature {
    /// The integer of a channel.
    Channel(usize),
    /// The change of a channel since the sample before.
    Difference(usize),
    /// A channel behind a low pass of first order.
    LowPass {
        /// The channel.
        channel: usize,
        /// Time constant of the filter.
        ms: f64,
    },
    /// A channel less its low pass.
    HighPass {
        /// The channel.
        channel: usize,
        /// Time constant of the low pass.
        ms: f64,
    },
    /// The square root of the sum of the squares of these channels.
    Magnitude(Vec<usize>),
    /// The logarithm to base 2 of one and that sum, in steps of 2⁻¹².
    LogEnergy(Vec<usize>),
}

impl Feature {
    /// The channels of which the feature is made.
    pub fn channels(&self) -> &[usize] {
        match self {
            Self::Channel(channel)
            | Self::Difference(channel)
            | Self::LowPass { channel, .. }
            | Self::HighPass { channel, .. } => std::slice::from_ref(channel),
            Self::Magnitude(group) | Self::LogEnergy(group) => group,
        }
    }
}

/// An input of a network: a feature x, scaled to `(x · 2^lift − offset) · factor / 2^shift`
/// in steps of 2⁻¹². The lift makes room for the fraction of an offset of small numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The name.
    pub name: String,
    /// The feature.
    pub of: Feature,
    /// Bits by which the feature is shifted to the left.
    pub lift: u8,
    /// The value of the shifted feature that becomes 0.
    pub offset: i32,
    /// The factor.
    pub factor: i32,
    /// Bits by which the product is shifted.
    pub shift: u8,
}

/// Factor and shift of a scale that makes `input` of a difference of 1.
fn scale(input: f64) -> (i32, u8) {
    let steps = input * INPUT_STEPS;
    let fits = |shift: &u8| steps.abs() * f64::from(*shift).exp2() < 2f64.powi(30);
    let shift = (0..=MOST_SHIFT).rev().find(fits).unwrap_or(0);
    ((steps * f64::from(shift).exp2()).round() as i32, shift)
}

/// Steps of a standard deviation behind the lift, at least.
const LIFTED_STEPS: f64 = 64.0;

/// Largest lift.
const MOST_LIFT: u8 = 16;

impl Input {
    /// The input of a feature from which `mean` is taken away, so that a difference of 1
    /// becomes `size`.
    pub fn scaled(name: String, of: Feature, mean: f64, size: f64) -> Self {
        let wanted = (LIFTED_STEPS * size.abs()).log2().ceil();
        let lift = wanted.clamp(0.0, MOST_LIFT.into()) as u8;
        let lifted = f64::from(lift).exp2();
        let (factor, shift) = scale(size / lifted);
        Self {
            name,
            of,
            lift,
            offset: (mean * lifted).round() as i32,
            factor,
            shift,
        }
    }
}

/// The part of a table that features use up.
struct Room {
    free: usize,
}

impl Room {
    fn take(&mut self, count: usize) -> Result<u8, String> {
        let first = self.free;
        self.free += count;
        if self.free > MOST_VALUES {
            return Err(format!(
                "channels and features take {} places, of which there are {MOST_VALUES}; leave some out",
                self.free
            ));
        }
        Ok(first as u8)
    }
}

/// A copy of a number.
fn copy(from: u8, to: u8) -> Operation {
    Operation::Scale {
        from,
        to,
        offset: 0,
        factor: 1,
        shift: 0,
    }
}

/// The operations that compute `features` from `channels` channels, and the place of each
/// feature in the table.
///
/// # Errors
/// A sentence, if there is no room for them.
pub fn computed(
    channels: usize,
    features: &[&Feature],
    sample_ms: f64,
) -> Result<(Vec<Operation>, Vec<u8>), String> {
    let mut room = Room { free: channels };
    let (mut operations, mut places) = (Vec::new(), Vec::new());
    for (index, feature) in features.iter().enumerate() {
        // The filter's share in a sample: 1 − e^(−sample/τ).
        let share = |ms: f64| {
            let share = -(-sample_ms / ms).exp_m1() * FACTOR_STEPS;
            share.round().clamp(1.0, u16::MAX.into()) as u16
        };
        let place = match *feature {
            // The scales of earlier inputs write over the channels before this place.
            Feature::Channel(channel) if *channel >= index => *channel as u8,
            Feature::Channel(channel) => {
                let to = room.take(1)?;
                operations.push(copy(*channel as u8, to));
                to
            }
            Feature::Difference(channel) => {
                let (from, to) = (*channel as u8, room.take(1)?);
                operations.push(Operation::Difference { from, to });
                to
            }
            Feature::LowPass { channel, ms } => {
                let (from, to, factor) = (*channel as u8, room.take(1)?, share(*ms));
                operations.push(Operation::LowPass { from, to, factor });
                to
            }
            Feature::HighPass { channel, ms } => {
                let (from, to, factor) = (*channel as u8, room.take(1)?, share(*ms));
                operations.push(Operation::HighPass { from, to, factor });
                to
            }
            Feature::Magnitude(group) => {
                let (from, count) = gathered(group, &mut room, &mut operations)?;
                let to = room.take(1)?;
                operations.push(Operation::Magnitude { from, to, count });
                to
            }
            Feature::LogEnergy(group) => {
                let (from, count) = gathered(group, &mut room, &mut operations)?;
                let to = room.take(1)?;
                operations.push(Operation::LogEnergy { from, to, count });
                to
            }
        };
        places.push(place);
    }
    Ok((operations, places))
}

/// A group of channels in places one after the other: where they are, or copied.
fn gathered(
    group: &[usize],
    room: &mut Room,
    operations: &mut Vec<Operation>,
) -> Result<(u8, u8), String> {
    let count = group.len() as u8;
    if group.windows(2).all(|pair| pair[1] == pair[0] + 1) {
        return Ok((group.first().map_or(0, |&first| first as u8), count));
    }
    let first = room.take(group.len())?;
    operations.extend((first..).zip(group).map(|(to, &from)| copy(from as u8, to)));
    Ok((first, count))
}

/// The bytes of the chain from `channels` channels to these inputs, as core reads them.
///
/// # Errors
/// A sentence, if the chain has no room for them.
pub fn bytes(channels: usize, inputs: &[Input], sample_ms: f64) -> Result<Vec<u8>, String> {
    let features: Vec<&Feature> = inputs.iter().map(|input| &input.of).collect();
    for feature in &features {
        check(feature, channels)?;
    }
    let (mut operations, places) = computed(channels, &features, sample_ms)?;
    for ((input, &place), to) in inputs.iter().zip(&places).zip(0..) {
        let mut from = place;
        if input.lift > 0 {
            let factor = 1 << input.lift.min(MOST_LIFT);
            operations.push(Operation::Scale {
                from,
                to,
                offset: 0,
                factor,
                shift: 0,
            });
            from = to;
        }
        operations.push(Operation::Scale {
            from,
            to,
            offset: input.offset,
            factor: input.factor,
            shift: input.shift,
        });
    }
    let bytes = written(&operations);
    if inputs.len() > MOST_INPUTS || Chain::read(channels, inputs.len(), &bytes).is_err() {
        return Err(format!(
            "{} operations from {channels} channels to {} inputs are no chain; there are at most {MOST_OPERATIONS} operations, {MOST_VALUES} channels and {MOST_INPUTS} inputs",
            operations.len(),
            inputs.len()
        ));
    }
    Ok(bytes)
}

/// Operations as bytes.
pub fn written(operations: &[Operation]) -> Vec<u8> {
    let rows = operations.iter().flat_map(|operation| operation.to_bytes());
    rows.collect()
}

/// Checks the channels and the time of a feature.
///
/// # Errors
/// A sentence.
pub fn check(feature: &Feature, channels: usize) -> Result<(), String> {
    let group = feature.channels();
    let ms = match feature {
        Feature::LowPass { ms, .. } | Feature::HighPass { ms, .. } => *ms,
        _ => 1.0,
    };
    if group.is_empty() {
        return Err("a feature of no channel; name at least one".into());
    }
    if let Some(channel) = group.iter().find(|channel| **channel >= channels) {
        return Err(format!(
            "a feature of channel {channel} (counted from 0), but there are {channels} channels"
        ));
    }
    if !(ms > 0.0 && ms.is_finite()) {
        return Err(format!("a filter of {ms} ms; give a time above 0"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rate2spike_core::preprocessing::ChainState;

    use super::*;

    fn input(of: Feature, mean: f64, size: f64) -> Input {
        Input::scaled(String::new(), of, mean, size)
    }

    fn run(channels: usize, inputs: &[Input], samples: &[&[i32]]) -> Vec<Vec<f64>> {
        let bytes = bytes(channels, inputs, 5.0).expect("a chain");
        let chain = Chain::read(channels, inputs.len(), &bytes).expect("a chain");
        let mut state = ChainState::default();
        let shown = |sample: &&[i32]| {
            let inputs = chain.apply(&mut state, sample);
            inputs.iter().map(|u| u.to_num::<f64>()).collect()
        };
        samples.iter().map(shown).collect()
    }

    #[test]
    fn a_scale_is_exact_to_the_last_step_for_sizes_from_tiny_to_huge() {
        for size in [1e-6, 3.3e-4, 0.02, 0.5, 1.0, 7.0, -0.25] {
            let made = input(Feature::Channel(0), 0.0, size);
            // The integer that comes closest to an input of three.
            let x = (3.0 / size).round() as i32;
            let found = run(1, &[made], &[&[x]])[0][0];
            let wanted = f64::from(x) * size;
            assert!((found - wanted).abs() <= 1.0 / 4096.0, "{size}: {found}");
        }
    }

    #[test]
    fn the_mean_of_small_numbers_keeps_its_fraction() {
        // Zeros and ones with a mean of 0.1.
        let made = input(Feature::Channel(0), 0.1, 1.0 / 0.3);
        let found = run(1, &[made], &[&[0], &[1]]);
        for (found, wanted) in found.iter().zip([-1.0 / 3.0, 3.0]) {
            assert!((found[0] - wanted).abs() < 0.01, "{found:?} {wanted}");
        }
    }

    #[test]
    fn inputs_take_channels_in_any_order_and_features_of_them() {
        let one = |of| input(of, 0.0, 1.0 / 4096.0);
        let steps = |samples: &[&[i32]], inputs: &[Input]| -> Vec<Vec<i32>> {
            let found = run(samples[0].len(), inputs, samples);
            let steps = |row: &Vec<f64>| row.iter().map(|u| (u * 4096.0) as i32).collect();
            found.iter().map(steps).collect()
        };
        let inputs = [
            one(Feature::Channel(2)),
            one(Feature::Channel(0)),
            one(Feature::Difference(0)),
            one(Feature::Magnitude(vec![0, 2])),
            one(Feature::Magnitude(vec![1, 2])),
            one(Feature::Channel(0)),
        ];
        let found = steps(&[&[3, 12, 4], &[8, 12, 6]], &inputs);
        assert_eq!(found, [[4, 3, 0, 5, 12, 3], [6, 8, 5, 10, 13, 8]]);
        let filters = [
            one(Feature::LowPass {
                channel: 0,
                ms: 5.0 / std::f64::consts::LN_2,
            }),
            one(Feature::HighPass {
                channel: 0,
                ms: 5.0 / std::f64::consts::LN_2,
            }),
        ];
        // Half of the way in each sample.
        let found = steps(&[&[0], &[800], &[800]], &filters);
        assert_eq!(found, [[0, 0], [400, 400], [600, 200]]);
    }

    #[test]
    fn features_without_room_and_of_no_channel_are_refused_with_a_sentence() {
        let many = vec![input(Feature::Difference(0), 0.0, 1.0); 16];
        let error = bytes(20, &many, 5.0).expect_err("20 channels and 16 features");
        assert!(error.contains("32"), "{error}");
        for (feature, part) in [
            (Feature::Channel(2), "channel 2"),
            (Feature::Magnitude(vec![]), "no channel"),
            (
                Feature::LowPass {
                    channel: 0,
                    ms: 0.0,
                },
                "0 ms",
            ),
        ] {
            let error = bytes(2, &[input(feature, 0.0, 1.0)], 5.0).expect_err(part);
            assert!(error.contains(part), "{error}");
        }
    }
}
