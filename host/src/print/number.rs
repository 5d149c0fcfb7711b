//! Numbers as people read them.

/// A number with at most six digits after the point, and none that only rounding made:
/// 52.298734 for 52.29873412345678, 0.3 for 0.30000000000000004.
pub fn shown(number: f64) -> f64 {
    let rounded = (number * 1e6).round() / 1e6;
    // Small and huge numbers keep six digits that count.
    if number != 0.0 && rounded.is_finite() && (rounded == 0.0 || number.abs() < 1e-3) {
        return format!("{number:.5e}").parse().unwrap_or(number);
    }
    if rounded.is_finite() { rounded } else { number }
}

/// A hash as sixteen hexadecimal digits.
pub fn hexadecimal(hash: u64) -> String {
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_see_no_digits_that_rounding_made() {
        for (number, wanted) in [
            (0.1 + 0.2, "0.3"),
            (52.298_734_123_456_78, "52.298734"),
            (50.0, "50"),
            (0.0, "0"),
            (-1.0 / 3.0, "-0.333333"),
            (f64::INFINITY, "inf"),
            (f64::MAX, "179769313486231570000"),
        ] {
            let text = shown(number).to_string();
            assert!(text.starts_with(wanted), "{number}: {text}");
            let digits = text.split_once('.').map_or(0, |(_, digits)| digits.len());
            assert!(digits <= 6, "{text}");
        }
        assert_eq!(shown(1.0 / 3e6).to_string(), "0.000000333333");
    }
}
