//! The folder of a sweep: which plan it keeps.

use std::path::Path;

use serde_json::Value;

use super::plan::SweepPlan;
use super::{SweepError, rows};
use crate::formats::disk;
use crate::formats::outputs::Outputs;
use crate::report::figures::OF_A_SWEEP;
use crate::report::picture;

/// Keeps `plan` in `folder`, once its counts and the files of its figure are checked.
///
/// # Errors
/// If a count is too large, or a file cannot be written.
pub fn keep(plan: &SweepPlan, folder: &Path) -> Result<(), SweepError> {
    plan.check()?;
    picture::check(folder, &[OF_A_SWEEP])?;
    disk::check_writable(folder)?;
    Outputs::new().derives("--output", &rows::table(folder), rows::is_table)?;
    plan.keep_in(folder)
}

impl SweepPlan {
    /// Writes the plan into `folder`. Where an equal plan is there, the sweep goes
    /// on; another plan is replaced as long as none of its networks was run.
    ///
    /// # Errors
    /// [`SweepError::OtherPlan`] if another sweep is there; errors of
    /// [`SweepPlan::check`]; if a file cannot be read or written.
    pub fn keep_in(&self, folder: &Path) -> Result<(), SweepError> {
        self.check()?;
        let path = Self::path(folder);
        if path.exists() {
            let found = Self::read(folder)?;
            if found == *self {
                return Ok(());
            }
            if rows::is_begun(folder)? {
                let value = |plan| serde_json::to_value(plan).expect("plain numbers and names");
                let mut differences = Vec::new();
                compare("", &value(&found), &value(self), &mut differences);
                return Err(SweepError::OtherPlan { path, differences });
            }
        }
        let text = serde_json::to_string_pretty(self).expect("plain numbers and names");
        Ok(disk::write(&path, text.as_bytes())?)
    }
}

/// Adds to `differences` each place where two values differ: the name of the place, the
/// value in the folder and the value given.
fn compare(name: &str, there: &Value, given: &Value, differences: &mut Vec<String>) {
    match (there, given) {
        (Value::Object(there), Value::Object(given)) => {
            for (key, value) in there {
                let name = if name.is_empty() {
                    key.clone()
                } else {
                    format!("{name}.{key}")
                };
                compare(
                    &name,
                    value,
                    given.get(key).unwrap_or(&Value::Null),
                    differences,
                );
            }
        }
        (Value::Array(there), Value::Array(given)) if there.len() == given.len() => {
            for (index, (there, given)) in there.iter().zip(given).enumerate() {
                compare(&format!("{name}[{index}]"), there, given, differences);
            }
        }
        (Value::Array(there), Value::Array(given)) => differences.push(format!(
            "{} {name} there, {} given",
            there.len(),
            given.len()
        )),
        _ if there != given => differences.push(format!("{name} {there} there, {given} given")),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::plan::tests::plan;
    use super::*;

    #[test]
    fn a_folder_keeps_its_plan_and_says_what_another_one_changes() {
        let folder = tempfile::tempdir().expect("a folder");
        plan().keep_in(folder.path()).expect("a writable folder");
        plan().keep_in(folder.path()).expect("the same plan");
        assert_eq!(SweepPlan::read(folder.path()).expect("a plan"), plan());
        let mut other = plan();
        // No network was run, so that another plan may replace this one.
        other.last_seed = 7;
        other.keep_in(folder.path()).expect("a plan without rows");
        plan().keep_in(folder.path()).expect("a plan without rows");
        std::fs::write(folder.path().join("rows-3.jsonl"), "{").expect("a writable folder");
        other.cells[1].options.gain = 3.0;
        other.last_seed = 9;
        let error = other.keep_in(folder.path()).expect_err("another plan");
        let message = error.to_string();
        for part in [
            "cells[1].options.gain 1.5 there, 3.0 given",
            "last_seed 5 there, 9 given",
        ] {
            assert!(message.contains(part), "{message}");
        }
        assert_eq!(SweepPlan::read(folder.path()).expect("a plan"), plan());
    }

    #[test]
    fn counts_that_no_machine_holds_are_refused_with_limit_and_size() {
        let folder = tempfile::tempdir().expect("a folder");
        let seeds = |last_seed| SweepPlan {
            first_seed: 0,
            last_seed,
            ..plan()
        };
        let trials = SweepPlan {
            trials: 1_000_000_000,
            ..plan()
        };
        for (plan, parts) in [
            (
                seeds(499_999_999),
                ["1000000000 networks", "1000000", "2000 GB"],
            ),
            (
                seeds(u64::MAX),
                ["36893488147419103232 networks", "1000000", "GB"],
            ),
            (trials, ["--trials 1000000000", "10000000", "32 GB"]),
        ] {
            let error = plan.keep_in(folder.path()).expect_err("too many");
            for part in parts {
                assert!(error.to_string().contains(part), "no {part} in: {error}");
            }
        }
        assert!(!SweepPlan::path(folder.path()).exists());
    }
}
