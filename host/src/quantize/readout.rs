//! The readout's filters in fixed point.

use rate2spike_core::arithmetic::{Arithmetic, FACTOR_SHIFT, Fixed};

use super::decay::{Decay, Decays, area};
use super::error::QuantizeError;
use crate::quantize::report::{Loss, Losses};
use crate::spiking::network::SpikingNetwork;
use crate::spiking::time_step::TimeStep;

/// Filters of a readout whose units have different time constants. The
/// response of a unit then differs from its own by less than a percent of the
/// response's peak where time constants span a factor of five.
const FILTERS: usize = 8;

/// The readout as the blob has it.
#[derive(Clone, Debug)]
pub(super) struct Bank {
    /// Decay and gain of each filter.
    pub filters: Vec<u8>,
    /// First filter of each unit, and two weights for each output.
    pub rows: Vec<u8>,
    /// A spike adds `weight · 2^shift`.
    pub shift: u8,
}

/// A unit's share in two neighbouring filters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct FilterShare {
    pub(super) first: usize,
    pub(super) weights: [f64; 2],
}

impl Bank {
    pub(super) fn new(
        network: &SpikingNetwork,
        step: &TimeStep,
        decays: &Decays,
        losses: &mut Losses,
    ) -> Result<Self, QuantizeError> {
        let taus = bank_taus(&network.decay_ms);
        let factors: Vec<_> = taus
            .iter()
            .map(|&tau_ms| step.factors(&network.neuron, tau_ms))
            .collect();
        let synapses: Vec<Decay> = factors
            .iter()
            .zip(&taus)
            .map(|(f, &tau)| Decay::new(f.synapse_decay, "a readout's decay time", tau, step.ms))
            .collect::<Result<_, _>>()?;
        // Outputs × units.
        let shares: Vec<Vec<FilterShare>> = network
            .readout
            .rows()
            .map(|(row, _)| {
                let units = network.decay_ms.iter().zip(row);
                units.map(|(&tau, &w)| share(&taus, tau, w)).collect()
            })
            .collect();

        let largest = shares
            .iter()
            .flatten()
            .flat_map(|s| s.weights)
            .fold(0.0, |m: f64, w| m.max(w.abs()));
        let shifts = shares.iter().map(|row| shift(row, largest));
        let shift = shifts.min().unwrap_or(0);
        // Bits of output · steps that one unit of weight and one of gain give.
        let amount = (f64::from(shift) - f64::from(FACTOR_SHIFT)).exp2();
        let one = f64::from(Fixed::OUTPUT_ONE.to_bits());
        let worth: Vec<f64> = factors
            .iter()
            .zip(&synapses)
            .map(|(f, &synapse)| {
                let rise = decays.rise.map(|_| f.rise_decay);
                let exact = f.rise_gain * 1000.0 / step.ms * area(rise, f.synapse_decay);
                amount * decays.area(synapse) / (exact * one)
            })
            .collect();
        let gains: Vec<i16> = worth
            .iter()
            .map(|worth| (largest / (32767.0 * worth)).ceil().clamp(1.0, 32767.0) as i16)
            .collect();

        let mut errors = Vec::new();
        let mut rows = Vec::new();
        for unit in 0..network.units {
            let of_unit = || shares.iter().map(|row| row[unit]);
            rows.push(of_unit().next().map_or(0, |share| share.first as u8));
            let weights = of_unit().flat_map(|share| {
                let filters = [share.first, (share.first + 1).min(taus.len() - 1)];
                filters.into_iter().zip(share.weights)
            });
            for (filter, weight) in weights {
                let exact = weight / (worth[filter] * f64::from(gains[filter]));
                let q = exact.round().clamp(-32767.0, 32767.0);
                if largest > 0.0 {
                    errors.push((q - exact) * weight_scale(worth[filter], gains[filter]) / largest);
                }
                rows.extend((q as i16).to_le_bytes());
            }
        }
        losses.readout_weight = Loss::of(errors.into_iter());
        losses.readout_filter = Loss::of(network.decay_ms.iter().map(|&tau| {
            response_error(&taus, &share(&taus, tau, 1.0), tau, network.neuron.rise_ms)
        }));
        let filters = synapses
            .iter()
            .zip(&gains)
            .flat_map(|(synapse, &gain)| [synapse.bits, gain])
            .flat_map(i16::to_le_bytes)
            .collect();
        Ok(Self {
            filters,
            rows,
            shift,
        })
    }
}

fn weight_scale(worth: f64, gain: i16) -> f64 {
    worth * f64::from(gain)
}

/// Time constants of the bank, ms: in geometric steps over the units' range.
pub(super) fn bank_taus(decay_ms: &[f64]) -> Vec<f64> {
    let low = decay_ms.iter().copied().fold(f64::INFINITY, f64::min);
    let high = decay_ms.iter().copied().fold(0.0, f64::max);
    if high / low < 1.0 + 1e-6 {
        return vec![low];
    }
    (0..FILTERS)
        .map(|k| low * (high / low).powf(k as f64 / (FILTERS - 1) as f64))
        .collect()
}

/// The shares that keep the area, `weight`, and the mean delay, `tau`.
pub(super) fn share(taus: &[f64], tau: f64, weight: f64) -> FilterShare {
    if taus.len() == 1 {
        return FilterShare {
            first: 0,
            weights: [weight, 0.0],
        };
    }
    let first = taus.partition_point(|&t| t < tau).clamp(1, taus.len() - 1) - 1;
    let upper = ((tau - taus[first]) / (taus[first + 1] - taus[first])).clamp(0.0, 1.0);
    FilterShare {
        first,
        weights: [weight * (1.0 - upper), weight * upper],
    }
}

/// The largest shift with which the rises of an output cannot leave 32 bits even
/// if all units fired at once, twice in a row.
fn shift(shares: &[FilterShare], largest: f64) -> u8 {
    if largest == 0.0 {
        return 0;
    }
    let sum: f64 = shares
        .iter()
        .flat_map(|share| share.weights)
        .map(f64::abs)
        .sum();
    let bits = (f64::from(i32::MAX) / (sum / largest * 32767.0 * 2.0))
        .log2()
        .floor();
    bits.clamp(0.0, 15.0) as u8
}

/// Largest difference between a unit's response and that of its share in the
/// bank, relative to the response's peak.
pub(super) fn response_error(taus: &[f64], share: &FilterShare, tau: f64, rise_ms: f64) -> f64 {
    let response = |tau: f64, t: f64| {
        if rise_ms > 0.0 && (tau - rise_ms).abs() > 1e-9 {
            ((-t / tau).exp() - (-t / rise_ms).exp()) / (tau - rise_ms)
        } else {
            (-t / tau).exp() / tau
        }
    };
    let bank = |t: f64| {
        let next = (share.first + 1).min(taus.len() - 1);
        share.weights[0] * response(taus[share.first], t)
            + share.weights[1] * response(taus[next], t)
    };
    let times = (0..400).map(|i| tau * f64::from(i) / 80.0);
    let (error, peak) = times.fold((0.0f64, 0.0f64), |(error, peak), t| {
        let (own, banked) = (response(tau, t), bank(t));
        (
            if (banked - own).abs() > error.abs() {
                banked - own
            } else {
                error
            },
            peak.max(own),
        )
    });
    error / peak
}
