//! The candidates of a search for λ, as text gives them.

use std::str::FromStr;

use crate::number::lambda;

/// Values of λ: `20:5:75`, or `20,25,30`.
#[derive(Clone, Debug, PartialEq)]
pub struct Lambdas(pub Vec<f64>);

impl FromStr for Lambdas {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |part: &str| match part.trim().parse::<f64>() {
            Ok(x) if x > 0.0 && x.is_finite() => Ok(x),
            _ => Err(format!("'{part}' is not a positive number")),
        };
        let candidate =
            |part: &str| lambda(part.trim()).map_err(|reason| format!("'{part}': {reason}"));
        let lambdas = match text.split(':').collect::<Vec<_>>()[..] {
            [first, step, last] => {
                let (first, step, last) = (candidate(first)?, number(step)?, candidate(last)?);
                let count = ((last - first) / step + 1e-9).floor();
                if last < first {
                    return Err(format!(
                        "LAST, {last}, is below FIRST, {first}: give FIRST:STEP:LAST"
                    ));
                }
                if count >= 1000.0 {
                    return Err("give FIRST:STEP:LAST with at most 1000 values".into());
                }
                (0..=count as usize)
                    .map(|k| first + step * k as f64)
                    .collect()
            }
            [_] => {
                let mut lambdas: Vec<f64> = Vec::new();
                for part in text.split(',') {
                    let next = candidate(part)?;
                    if lambdas.contains(&next) {
                        return Err(format!("'{part}' is there twice"));
                    }
                    lambdas.push(next);
                }
                lambdas
            }
            _ => return Err("give FIRST:STEP:LAST, or values with commas between".into()),
        };
        Ok(Lambdas(lambdas))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_of_lambdas_includes_its_end() {
        let parsed = |text: &str| text.parse::<Lambdas>().map(|lambdas| lambdas.0);
        assert_eq!(parsed("20:5:30"), Ok(vec![20.0, 25.0, 30.0]));
        assert_eq!(parsed("50"), Ok(vec![50.0]));
        assert_eq!(parsed("4,2.5"), Ok(vec![4.0, 2.5]));
        for wrong in [
            "",
            "0",
            "-5",
            "20:0:30",
            "30:5:20",
            "20,20",
            "nan",
            "1:2",
            "20:1e-9:30",
            "20,1e9",
            "20:1e4:1e5",
        ] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }
}
