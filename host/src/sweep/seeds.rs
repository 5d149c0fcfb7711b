//! The seeds of several networks, as text gives them.

use std::ops::RangeInclusive;
use std::str::FromStr;

/// The most seeds of one command.
pub const MOST_SEEDS: u64 = 1_000_000;

/// Seeds from the first to the last one, both included; at most [`MOST_SEEDS`].
#[derive(Clone, Debug, PartialEq)]
pub struct Seeds(RangeInclusive<u64>);

impl Seeds {
    /// The seeds `first..=last`.
    ///
    /// # Errors
    /// A sentence where there are none, or more than [`MOST_SEEDS`].
    pub fn new(first: u64, last: u64) -> Result<Self, String> {
        if first > last {
            return Err("give FIRST..LAST with the smaller seed first".into());
        }
        if last - first >= MOST_SEEDS {
            return Err(format!(
                "{} networks; at most {MOST_SEEDS} in one command, each of which leaves a file",
                u128::from(last - first) + 1
            ));
        }
        Ok(Self(first..=last))
    }

    /// The seeds.
    pub fn range(&self) -> RangeInclusive<u64> {
        self.0.clone()
    }
}

impl FromStr for Seeds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (first, last) = text
            .split_once("..")
            .ok_or("give FIRST..LAST, for instance 1..8")?;
        match (first.parse(), last.trim_start_matches('=').parse()) {
            (Ok(first), Ok(last)) => Self::new(first, last),
            _ => Err(format!(
                "'{text}' is not a range of seeds; give FIRST..LAST"
            )),
        }
    }
}

/// `20` for the seeds 1 to 20, or `FIRST..LAST`.
#[derive(Clone, Debug, PartialEq)]
pub struct SeedRange(pub Seeds);

impl FromStr for SeedRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse::<u64>() {
            Ok(0) => Err("0 networks; give at least 1".into()),
            Ok(count) => Seeds::new(1, count).map(Self),
            Err(_) => text.parse().map(Self),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_of_seeds_is_bounded_and_says_so() {
        assert_eq!("1..8".parse(), Ok(Seeds(1..=8)));
        assert_eq!("3..=3".parse(), Ok(Seeds(3..=3)));
        let top = format!("{}..{}", u64::MAX, u64::MAX);
        assert_eq!(top.parse(), Ok(Seeds(u64::MAX..=u64::MAX)));
        let all = "0..18446744073709551615".parse::<Seeds>();
        let error = all.expect_err("too many");
        assert!(error.contains("18446744073709551616 networks"), "{error}");
        assert!(error.contains("1000000"), "{error}");
        for wrong in ["8..1", "1-8", "..", "a..b", "-1..3"] {
            assert!(wrong.parse::<Seeds>().is_err(), "{wrong}");
        }
    }
}
