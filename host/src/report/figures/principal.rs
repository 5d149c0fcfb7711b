//! The first three principal components of the activity over time, of the rate
//! network and of the spiking one (Fig. S2 of the paper).

use nalgebra::{DMatrix, SymmetricEigen};

use super::{Figure, answer_colour, answers, range};
use crate::report::canvas::{self, Axis, COLUMN_MM, Chart, Line, Panel, columns, figure, rows};
use crate::report::observe::{Observation, ObservedTrials};

/// Number of components.
const COMPONENTS: usize = 3;

/// The principal components of the mean activity, computed over all answers together.
struct Components {
    /// The value of each component over time: answer, component, sample.
    courses: Vec<[Vec<f64>; COMPONENTS]>,
    /// The share of the variance of each component.
    shares: [f64; COMPONENTS],
}

impl Components {
    fn new(observation: &Observation, units: usize) -> Self {
        let means: Vec<Vec<f64>> = observation
            .groups
            .iter()
            .map(|group| group.activity.means())
            .collect();
        let all: Vec<f64> = means.iter().flatten().copied().collect();
        // Samples of all answers × units.
        let mut x = DMatrix::from_row_slice(all.len() / units, units, &all);
        let middle = x.row_mean();
        x.row_iter_mut().for_each(|mut row| row -= &middle);
        let eigen = SymmetricEigen::new(x.tr_mul(&x));
        let mut order: Vec<usize> = (0..units).collect();
        order.sort_by(|&a, &b| eigen.eigenvalues[b].total_cmp(&eigen.eigenvalues[a]));
        let total = eigen.eigenvalues.sum().max(f64::MIN_POSITIVE);
        let at = |k: usize| order.get(k).copied().unwrap_or(0);
        let projected: [Vec<f64>; COMPONENTS] = std::array::from_fn(|k| {
            (&x * eigen.eigenvectors.column(at(k)))
                .iter()
                .copied()
                .collect()
        });
        let samples = means.first().map_or(1, Vec::len) / units;
        let courses = (0..means.len())
            .map(|answer| {
                projected
                    .each_ref()
                    .map(|p| p[answer * samples..(answer + 1) * samples].to_vec())
            })
            .collect();
        Self {
            courses,
            shares: std::array::from_fn(|k| eigen.eigenvalues[at(k)] / total),
        }
    }

    /// Changes the sign of each component that runs against the same component of
    /// `other`. The sign of a component has no meaning.
    fn aligned_to(mut self, other: &Self) -> Self {
        for k in 0..COMPONENTS {
            let pairs = self.courses.iter().zip(&other.courses);
            let product: f64 = pairs
                .flat_map(|(a, b)| a[k].iter().zip(&b[k]))
                .map(|(a, b)| a * b)
                .sum();
            if product < 0.0 {
                self.courses
                    .iter_mut()
                    .for_each(|course| course[k].iter_mut().for_each(|v| *v = -*v));
            }
        }
        self
    }
}

/// The components of both networks side by side, one row for each component.
pub fn components(
    trials: &ObservedTrials,
    rate: &Observation,
    spiking: &Observation,
    units: usize,
) -> Figure {
    let of_rates = Components::new(rate, units);
    let of_spikes = Components::new(spiking, units).aligned_to(&of_rates);
    let names: Vec<String> = trials
        .labels()
        .iter()
        .map(|label| trials.task.label_name(*label).into())
        .collect();
    let times = trials.times_s();
    let seconds = times.last().copied().unwrap_or(1.0);
    let svg = figure((COLUMN_MM, 80.0), |area| {
        let (heading, panels) = area.split_vertically(90);
        canvas::legend(&heading, &answers(&names));
        for (k, row) in rows(&panels, &[1.0, 1.0, 1.35]).iter().enumerate() {
            for (place, (part, (name, components))) in columns(row, 2)
                .iter()
                .zip([("rate", &of_rates), ("spiking", &of_spikes)])
                .enumerate()
            {
                let values = components
                    .courses
                    .iter()
                    .flat_map(|course| &course[k])
                    .copied();
                let x = Axis::linear("time (s)", 0.0..seconds);
                let panel = Panel {
                    title: &format!("{name}, {:.0} %", 100.0 * components.shares[k]),
                    legend: vec![],
                    x: if k + 1 < COMPONENTS {
                        x.unlabelled()
                    } else {
                        x
                    },
                    y: Axis::linear(
                        &if place == 0 {
                            format!("component {}", k + 1)
                        } else {
                            String::new()
                        },
                        range(values, false),
                    ),
                };
                let mut chart = Chart::new(part, &panel);
                for (answer, course) in components.courses.iter().enumerate() {
                    let points = times.iter().copied().zip(course[k].iter().copied());
                    chart.line(points, Line::solid(answer_colour(answer)));
                }
            }
        }
    });
    Figure {
        name: "components",
        caption: "The first three principal components of the mean activity, with their shares of the variance: the rate network on the left, the spiking network on the right.".into(),
        svg,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::observe::Group;

    #[test]
    fn activity_along_one_direction_has_one_component() {
        let mut group = Group::default();
        // Three samples of two units, along (3, 4).
        group
            .activity
            .add([3.0, 4.0, 0.0, 0.0, -6.0, -8.0].into_iter());
        let observation = Observation {
            groups: vec![group],
            ..Observation::default()
        };
        let components = Components::new(&observation, 2);
        assert!((components.shares[0] - 1.0).abs() < 1e-12);
        let course = &components.courses[0][0];
        let size = |k: usize| (course[k] - course[1]).abs();
        assert!(
            (size(0) - 5.0).abs() < 1e-9 && (size(2) - 10.0).abs() < 1e-9,
            "{course:?}"
        );
    }
}
