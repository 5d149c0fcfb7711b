//! Numbers as text: how flags and files give them, and how people read them.

/// The largest scaling factor λ. λ is the rate in Hz that stands for a rate of 1, and
/// the shortest refractory time of a published neuron, 2 ms, ends at 500 Hz; 10,000 Hz
/// leaves room for each unit that fires at all.
pub const MOST_LAMBDA: f64 = 10_000.0;

/// The most trials of one score; a score keeps some 100 bytes of each.
const MOST_TRIALS: usize = 10_000_000;

/// Reads a number of trials, from 1 to `MOST_TRIALS`.
///
/// # Errors
/// A sentence with the limit.
pub fn trials(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("0 trials score nothing; give at least 1".into()),
        Ok(trials) if trials > MOST_TRIALS => Err(format!(
            "{trials} trials; at most {MOST_TRIALS}, which take hours and some {} GB of memory",
            MOST_TRIALS / 10_000_000
        )),
        Ok(trials) => Ok(trials),
        Err(_) => Err("give a whole number of trials, at least 1".into()),
    }
}

/// Whether a number is a scaling factor λ: above 0, and at most [`MOST_LAMBDA`].
pub fn is_lambda(number: f64) -> bool {
    number > 0.0 && number <= MOST_LAMBDA
}

/// Reads a scaling factor λ.
///
/// # Errors
/// A sentence with the range.
pub fn lambda(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if is_lambda(number) => Ok(number),
        Ok(number) if number > MOST_LAMBDA => Err(format!(
            "lambda is the rate in Hz that stands for a rate of 1, and no unit fires at more than {MOST_LAMBDA} Hz; give 20 to 75, as is usual"
        )),
        _ => Err("give a number above 0".into()),
    }
}

/// Reads a number above 0: a length in ms.
///
/// # Errors
/// A sentence.
pub fn above_0(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number > 0.0 && number.is_finite() => Ok(number),
        _ => Err("give a number above 0".into()),
    }
}

/// Reads a number from 0 on: a length in ms.
///
/// # Errors
/// A sentence.
pub fn from_0(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number >= 0.0 && number.is_finite() => Ok(number),
        _ => Err("give a number, 0 or more".into()),
    }
}

/// Reads a number from 0 to 1000: a time in ms, or a standard deviation in mV.
///
/// # Errors
/// A sentence with the range.
pub fn up_to_1000(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if (0.0..=1000.0).contains(&number) => Ok(number),
        _ => Err("give 0 to 1000".into()),
    }
}

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

/// A count and what is counted: 1 row, 2 rows.
pub fn counted(count: usize, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        _ => format!("{count} {noun}s"),
    }
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

    #[test]
    fn a_lambda_is_no_higher_than_a_unit_can_fire() {
        assert_eq!(lambda("10000"), Ok(MOST_LAMBDA));
        for text in ["10000.1", "1e9", "1e300", "inf"] {
            let error = lambda(text).expect_err(text);
            assert!(error.contains("10000 Hz"), "{text}: {error}");
        }
        for text in ["0", "-5", "nan", "x"] {
            let error = lambda(text).expect_err(text);
            assert!(error.contains("above 0"), "{text}: {error}");
        }
    }

    #[test]
    fn a_flag_refuses_what_is_out_of_its_range() {
        for text in ["-5", "0", "nan", "inf", "x", ""] {
            assert!(above_0(text).is_err(), "{text}");
            assert!(trials(text).is_err(), "{text}");
        }
        for text in ["-5", "1000.5", "nan", "x"] {
            assert!(up_to_1000(text).is_err(), "{text}");
        }
        assert_eq!(up_to_1000("0"), Ok(0.0));
        let error = trials("1000000000").expect_err("too many");
        assert!(
            error.contains("10000000") && error.contains("memory"),
            "{error}"
        );
    }
}
