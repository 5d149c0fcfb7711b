//! Several starts of one training, and several tries of each: the first network that meets the
//! criterion, and that the caller finds good enough, is kept.
//!
//! A network that meets the criterion as a rate network may still spike wrongly too often. Its
//! training then goes on to a next try, for some hundred updates.
//!
//! A small network may not learn its task from the random weights that it begins with. Its
//! starts differ in their seeds alone, and are trained side by side: after each round of
//! updates, the good network that met the criterion after the fewest updates wins. Every
//! start makes the same updates as in a training of its own with its seed, and the rounds do
//! not depend on the number of threads: the same start wins on every machine.

use std::cmp::Ordering;
use std::convert::Infallible;

use rand::RngExt;
use rayon::prelude::*;

use super::network::RateNetwork;
use super::options::RateOptions;
use super::training::{Trained, Training};
use crate::random::{Stream, generator};

/// Updates of a round.
const ROUND: usize = 100;

/// The grade, from 0 to 1, with which a network is kept at once.
pub const GOOD_ENOUGH: f64 = 0.97;

/// The most starts: each has a network and its trajectories in memory.
pub const MOST_STARTS: usize = 1000;

/// The options of each start. The first one has the seed of `options`; the others have
/// seeds of ten digits at most that are drawn from it.
pub fn starts(options: &RateOptions, count: usize) -> Vec<RateOptions> {
    let seed_of = |start: u64| match start {
        0 => options.seed,
        _ => generator(options.seed, Stream::Starts, start)
            .random::<u32>()
            .into(),
    };
    let seeds = (0..count.max(1) as u64).map(seed_of);
    seeds.map(|seed| options.with_seed(seed)).collect()
}

/// Trains `starts` in rounds until one of them meets the criterion and is good enough; returns
/// its place and its network. A start whose network is not makes a next
/// [try](Training::try_again). If none is good enough in the end, it is the best network that
/// meets the criterion, the first of several; and if none meets it, the network with the highest
/// accuracy.
///
/// `advance` trains a start until it has made a number of updates, and returns its network
/// if the training ended by then. `grade` says how good a network is that meets the criterion;
/// [`GOOD_ENOUGH`] ends the race.
///
/// # Errors
/// The first error of `advance`, in the order of the starts. Each of them has then made
/// its round or failed.
pub fn race<S: AsMut<Training> + Send, E: Send>(
    starts: &mut [S],
    advance: impl Fn(&mut S, usize) -> Result<Option<Trained>, E> + Sync,
    grade: impl Fn(&S, &Trained) -> f64,
) -> Result<(usize, Trained), E> {
    let mut running: Vec<(usize, &mut S)> = starts.iter_mut().enumerate().collect();
    // The grade, the place and the network of each start that did not win at once.
    let mut ended_before: Vec<(f64, usize, Trained)> = Vec::new();
    let mut until = 0;
    while !running.is_empty() {
        until += ROUND;
        let trainings = running.par_iter_mut().with_max_len(1);
        let results: Vec<_> = trainings.map(|(_, start)| advance(start, until)).collect();
        let mut ended = Vec::new();
        for ((place, start), result) in std::mem::take(&mut running).into_iter().zip(results) {
            match result? {
                Some(trained) => ended.push((place, start, trained)),
                None => running.push((place, start)),
            }
        }
        ended.sort_by(|a, b| rank(&a.2, &b.2));
        for (place, start, trained) in ended {
            let grade = match trained.success {
                true => grade(start, &trained),
                false => 0.0,
            };
            if grade >= GOOD_ENOUGH {
                return Ok((place, trained));
            }
            let training = start.as_mut();
            if training.try_again(&trained, grade) {
                running.push((place, start));
            } else {
                let (trained, grade) = training.best_try(trained, grade);
                ended_before.push((grade, place, trained));
            }
        }
        running.sort_by_key(|(place, _)| *place);
    }
    ended_before.sort_by(|a, b| {
        let met = b.2.success.cmp(&a.2.success);
        let better = met.then(b.0.total_cmp(&a.0));
        better.then(rank(&a.2, &b.2)).then(a.1.cmp(&b.1))
    });
    let best = ended_before.into_iter().next();
    Ok(best
        .map(|(_, place, trained)| (place, trained))
        .expect("there is a start"))
}

/// The better network is the lesser one: one that met the criterion after fewer updates, else
/// one with a higher accuracy.
fn rank(a: &Trained, b: &Trained) -> Ordering {
    let diverged = |trained: &Trained| trained.losses.last().is_none_or(|loss| !loss.is_finite());
    let met = b.success.cmp(&a.success);
    met.then_with(|| match a.success {
        true => a.losses.len().cmp(&b.losses.len()),
        false => (diverged(a).cmp(&diverged(b)))
            .then(b.evaluation.accuracy.total_cmp(&a.evaluation.accuracy)),
    })
}

/// The start that was kept.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The options of the start.
    pub options: RateOptions,
    /// The network of the start.
    pub trained: Trained,
}

/// Trains from `count` starts. `grade` says how good a network is, from 0 to 1, that was trained
/// with these options and meets the criterion.
pub fn train(
    options: &RateOptions,
    count: usize,
    grade: impl Fn(&RateOptions, &RateNetwork) -> f64,
) -> Kept {
    let starts = starts(options, count);
    let mut trainings: Vec<Training> = starts.iter().cloned().map(Training::new).collect();
    let advance = |training: &mut Training, until| {
        while training.updates() < until {
            if let Some(trained) = training.advance(&mut ()) {
                return Ok(Some(trained));
            }
        }
        Ok(None)
    };
    let grade =
        |training: &Training, trained: &Trained| grade(training.options(), &trained.network);
    let Ok((place, trained)) = race::<_, Infallible>(&mut trainings, advance, grade);
    Kept {
        options: starts[place].clone(),
        trained,
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::rate::training::{self, MOST_TRIES};
    use crate::task::Task;

    fn options() -> RateOptions {
        RateOptions {
            dale: false,
            p_rec: 0.4,
            updates: 350,
            batch: 8,
            seed: 3,
            ..RateOptions::published(Task::go_nogo(), 30)
        }
    }

    #[test]
    fn the_first_start_has_the_given_seed_and_the_others_have_seeds_of_their_own() {
        let mut seeds: Vec<u64> = starts(&options(), 50).iter().map(|o| o.seed).collect();
        assert_eq!(seeds[0], 3);
        assert_eq!(starts(&options(), 5)[4].seed, seeds[4]);
        seeds.sort_unstable();
        seeds.dedup();
        assert_eq!(seeds.len(), 50);
    }

    #[test]
    fn the_start_that_meets_the_criterion_after_the_fewest_updates_wins_on_any_number_of_threads() {
        let alone: Vec<Trained> = starts(&options(), 3)
            .iter()
            .map(|options| training::train(options, &mut ()))
            .collect();
        let best = (0..3).min_by_key(|&k| (!alone[k].success, alone[k].losses.len(), k));
        let best = best.expect("a start");
        assert!(
            alone[best].success,
            "none of the starts meets the criterion"
        );
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            let kept = pool
                .expect("threads")
                .install(|| train(&options(), 3, |_, _| 1.0));
            assert_eq!(kept.options, starts(&options(), 3)[best]);
            assert_eq!(kept.trained.network.w, alone[best].network.w);
            assert_eq!(kept.trained.losses, alone[best].losses);
        }
    }

    #[test]
    fn the_first_good_start_wins_and_where_none_is_good_the_best_one() {
        let first = train(&options(), 3, |_, _| 1.0);
        let seed = first.options.seed;
        let other_than_first = |good: f64| {
            train(
                &options(),
                3,
                |options, _| {
                    if options.seed == seed { 0.1 } else { good }
                },
            )
        };
        for good in [1.0, 0.2] {
            let second = other_than_first(good);
            assert_ne!(second.options.seed, seed, "grade {good}");
            assert!(second.trained.success, "a second start meets the criterion");
            assert!(second.trained.losses.len() >= first.trained.losses.len());
        }
        assert_eq!(other_than_first(0.0).options, first.options);
        assert_eq!(train(&options(), 3, |_, _| 0.0).options, first.options);
    }

    /// The network that is kept where each try has the next grade of `grades`, and the number
    /// of tries.
    fn tried(grades: &[f64]) -> (Trained, usize) {
        let options = RateOptions {
            settle: 10,
            updates: 900,
            ..options()
        };
        let tries = Cell::new(0);
        let kept = train(&options, 1, |_, _| {
            tries.set(tries.get() + 1);
            grades[tries.get() - 1]
        });
        (kept.trained, tries.get())
    }

    #[test]
    fn a_network_that_is_not_good_trains_on_and_the_best_try_is_kept() {
        let (first, tries) = tried(&[1.0]);
        assert!(first.success && tries == 1);
        let (second, tries) = tried(&[0.1, 1.0]);
        assert!(second.success && tries == 2);
        assert!(second.losses.len() > first.losses.len());
        assert_eq!(second.losses[..first.losses.len()], first.losses);
        assert_ne!(second.network.w, first.network.w);
        let (best, tries) = tried(&[0.5, 0.6, 0.5, 0.1]);
        assert_eq!(tries, MOST_TRIES);
        assert!(best.success && best.network == second.network);
        let (best, _) = tried(&[0.5, 0.4, 0.3, 0.1]);
        assert_eq!(best.network, first.network);
    }

    #[test]
    fn where_no_start_meets_the_criterion_the_most_accurate_network_is_kept() {
        let options = RateOptions {
            updates: 20,
            ..options()
        };
        let kept = train(&options, 3, |_, _| 1.0);
        assert!(!kept.trained.success && kept.trained.losses.len() == 20);
        for start in starts(&options, 3) {
            let other = training::train(&start, &mut ());
            assert!(other.evaluation.accuracy <= kept.trained.evaluation.accuracy);
            assert!(start.seed != kept.options.seed || other.losses == kept.trained.losses);
        }
    }
}
