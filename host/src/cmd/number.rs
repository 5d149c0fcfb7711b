//! How flags read numbers.

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

/// Reads a number above 0: a scaling factor λ, or a length in ms.
///
/// # Errors
/// A sentence.
pub fn above_0(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number > 0.0 && number.is_finite() => Ok(number),
        _ => Err("give a number above 0".into()),
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

#[cfg(test)]
mod tests {
    use super::*;

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
