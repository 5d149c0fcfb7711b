//! The frequency of a crystal by an oscillator that is exact to one percent.

use rate2spike_app::crystal::{PERIODS, megahertz};

const OSCILLATOR_HZ: u32 = 16_000_000;

/// Ticks of an oscillator that is this much too fast, in parts of a thousand, during the
/// measurement of a crystal of `kilohertz`.
fn ticks(kilohertz: u32, thousandths: i32) -> u32 {
    let oscillator = f64::from(OSCILLATOR_HZ) * (1.0 + f64::from(thousandths) / 1000.0);
    (f64::from(PERIODS) * oscillator / (1000.0 * f64::from(kilohertz))).round() as u32
}

#[test]
fn each_common_crystal_is_known_by_an_oscillator_that_is_off_by_a_percent() {
    for crystal in [4, 5, 6, 8, 10, 12, 16, 20, 24, 25, 26] {
        for thousandths in [-10, -5, 0, 5, 10] {
            let found = megahertz(ticks(1000 * crystal, thousandths), OSCILLATOR_HZ);
            assert_eq!(found, Some(crystal), "{crystal} MHz, {thousandths}");
        }
    }
}

#[test]
fn a_crystal_of_another_frequency_is_not_taken_for_a_common_one() {
    for kilohertz in [32, 1000, 3579, 7373, 14_746, 18_432, 40_000] {
        let found = megahertz(ticks(kilohertz, 0), OSCILLATOR_HZ);
        assert_eq!(found, None, "{kilohertz} kHz");
    }
    assert_eq!(megahertz(0, OSCILLATOR_HZ), None);
    assert_eq!(megahertz(u32::MAX, OSCILLATOR_HZ), None);
}
