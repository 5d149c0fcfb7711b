//! The parts of a data set: as its files say, or drawn so that each class has its
//! share in each part.

use rand::seq::SliceRandom;

use super::set::DataSet;
use crate::random::{Stream, generator};
use crate::task::description::Part;

/// Share of the trials that a drawn part takes.
const SHARE: f64 = 0.2;

/// The trials of each part, in the order of the files; a drawn validation part is shuffled.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Parts(pub(super) [Vec<u32>; 3]);

impl Parts {
    pub(super) fn of(&self, part: Part) -> &[u32] {
        &self.0[part as usize]
    }

    pub(super) fn counts(&self) -> [usize; 3] {
        [0, 1, 2].map(|part| self.0[part].len())
    }
}

/// The parts of `set`. A test part is drawn if the files have no parts, and a
/// validation part if the files have no validation part.
pub(super) fn parts(set: &DataSet, seed: u64) -> Parts {
    let mut parts = match &set.split {
        Some(split) => split.clone(),
        None => vec![Part::Train; set.trials()],
    };
    if set.split.is_none() {
        draw(set, &mut parts, Part::Test, seed);
    }
    if !parts.contains(&Part::Validation) {
        draw(set, &mut parts, Part::Validation, seed);
    }
    let mut lists = Parts([Vec::new(), Vec::new(), Vec::new()]);
    for (trial, part) in (0..).zip(&parts) {
        lists.0[*part as usize].push(trial);
    }
    // A training looks at the first ones, which are to be of all classes.
    let mut random = generator(seed, Stream::Parts, u64::MAX);
    lists.0[Part::Validation as usize].shuffle(&mut random);
    lists
}

/// Moves a share of each class's training trials to `part`. A class keeps at least
/// one of them.
fn draw(set: &DataSet, parts: &mut [Part], part: Part, seed: u64) {
    let mut classes: Vec<Vec<usize>> = Vec::new();
    for trial in (0..set.trials()).filter(|trial| parts[*trial] == Part::Train) {
        let class = set.class(trial).max(0) as usize;
        if classes.len() <= class {
            classes.resize(class + 1, Vec::new());
        }
        classes[class].push(trial);
    }
    let mut random = generator(seed, Stream::Parts, part as u64);
    for mut trials in classes {
        trials.shuffle(&mut random);
        let share = (SHARE * trials.len() as f64).round().max(1.0) as usize;
        let most = trials.len().saturating_sub(1);
        for trial in &trials[..share.min(most)] {
            parts[*trial] = part;
        }
    }
}
