//! The frequency of a crystal, measured by another oscillator.

/// Periods of the crystal in a measurement.
pub const PERIODS: u32 = 15_872;

/// Frequencies of common crystals between 4 and 26 MHz, in MHz.
const COMMON: [u32; 11] = [4, 5, 6, 8, 10, 12, 16, 20, 24, 25, 26];

/// Furthest that a measurement may lie from a common frequency, in percent: the oscillator is
/// exact to one percent.
const FURTHEST_PERCENT: u64 = 2;

/// The frequency of the crystal in MHz, if [`PERIODS`] of it take `ticks` of an oscillator of
/// `oscillator_hz`; `None` if no common crystal has this frequency.
pub fn megahertz(ticks: u32, oscillator_hz: u32) -> Option<u32> {
    let measured = u64::from(PERIODS) * u64::from(oscillator_hz);
    let measured = measured.checked_div(ticks.into())?;
    let distance = |&common: &u32| measured.abs_diff(u64::from(common) * 1_000_000);
    let nearest = *COMMON.iter().min_by_key(|common| distance(common))?;
    let furthest = u64::from(nearest) * 1_000_000 / 100 * FURTHEST_PERCENT;
    (distance(&nearest) <= furthest).then_some(nearest)
}
