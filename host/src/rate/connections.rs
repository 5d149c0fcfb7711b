//! The weights of a network that exist.

use std::sync::{Arc, OnceLock};

use pulp::Arch;

use crate::rate::network::RateNetwork;
use crate::rate::packed::Layout;

/// Largest share of existing weights for which the compressed form is chosen.
/// docs/experiments.md compares it with the dense form.
const DENSEST: f64 = 0.4;

/// Lanes of a sum over time.
const LANES: usize = 16;

/// The pairs of units between which a weight exists, receiver by receiver and, for each
/// receiver, in the order of the senders.
#[derive(Clone, Debug)]
pub struct Connections {
    units: usize,
    /// First place of each receiver's weights, and the end of the last one; N + 1.
    pub(super) first: Vec<usize>,
    /// The sender of each weight.
    pub(super) senders: Vec<u32>,
    /// First place of each sender in `receivers` and `places`, and the end of the last
    /// one; N + 1.
    pub(super) first_sent: Vec<usize>,
    /// The receivers of each sender.
    pub(super) receivers: Vec<u32>,
    /// The place of each sender's weights among all weights.
    pub(super) places: Vec<u32>,
    /// The orders of [`Self::layout_received`] and [`Self::layout_sent`], once they were needed.
    layouts: [OnceLock<Arc<Layout>>; 2],
}

impl Connections {
    /// The weights of `network` that are not zero or can become so. Under Dale's
    /// principle a weight of zero stays zero, since relu has no slope there; without it
    /// each weight exists that is not forbidden.
    pub fn of(network: &RateNetwork) -> Self {
        let n = network.units;
        let exists = |k: usize| {
            let allowed = network.som_mask[k] != 0.0;
            allowed && (!network.dale || network.w[k] > 0.0)
        };
        let mut first = vec![0];
        let mut senders = Vec::new();
        for i in 0..n {
            senders.extend((0..n).filter(|j| exists(i * n + j)).map(|j| j as u32));
            first.push(senders.len());
        }
        let mut sent = vec![Vec::new(); n];
        for i in 0..n {
            for place in first[i]..first[i + 1] {
                sent[senders[place] as usize].push((i as u32, place as u32));
            }
        }
        let mut first_sent = vec![0];
        for of_sender in &sent {
            first_sent.push(first_sent[first_sent.len() - 1] + of_sender.len());
        }
        let (receivers, places) = sent.into_iter().flatten().unzip();
        Self {
            units: n,
            first,
            senders,
            first_sent,
            receivers,
            places,
            layouts: Default::default(),
        }
    }

    /// The weights of `network` that exist, if the compressed form is the faster one.
    /// Networks with direct inputs, whose readout is filtered, have the dense form alone.
    pub fn if_sparse(network: &RateNetwork) -> Option<Self> {
        if network.direct_inputs {
            return None;
        }
        let connections = Self::of(network);
        let sparse = !connections.is_empty() && connections.density() <= DENSEST;
        sparse.then_some(connections)
    }

    /// Number of existing weights.
    pub fn len(&self) -> usize {
        self.senders.len()
    }

    /// True if no weight exists.
    pub fn is_empty(&self) -> bool {
        self.senders.is_empty()
    }

    /// Share of existing weights among all pairs of units.
    pub fn density(&self) -> f64 {
        let pairs = (self.units * self.units).max(1);
        self.len() as f64 / pairs as f64
    }

    /// The place of each existing weight in a matrix, N × N row by row.
    fn entries(&self) -> impl Iterator<Item = usize> {
        let row = |i: usize| self.first[i]..self.first[i + 1];
        (0..self.units).flat_map(move |i| {
            row(i).map(move |place| i * self.units + self.senders[place] as usize)
        })
    }

    /// The existing weights of a matrix, N × N row by row.
    pub fn taken_from(&self, matrix: &[f32]) -> Vec<f32> {
        self.entries().map(|entry| matrix[entry]).collect()
    }

    /// Puts `values`, one for each existing weight, into a matrix, N × N row by row.
    pub fn put_into(&self, values: &[f32], matrix: &mut [f32]) {
        for (entry, value) in self.entries().zip(values) {
            matrix[entry] = *value;
        }
    }

    /// The order of the products of each receiver with the numbers of its senders.
    pub(super) fn layout_received(&self) -> &Arc<Layout> {
        self.layouts[0].get_or_init(|| Layout::new(&self.first, &self.senders).into())
    }

    /// The order of the products of each sender with the numbers of its receivers.
    pub(super) fn layout_sent(&self) -> &Arc<Layout> {
        self.layouts[1].get_or_init(|| Layout::new(&self.first_sent, &self.receivers).into())
    }

    /// `Σ_t y[t, i] r[t, j]` for each existing weight from j to i; y and r are T × N.
    pub fn products(&self, y: &[f32], r: &[f32]) -> Vec<f32> {
        Arch::new().dispatch(Products {
            connections: self,
            y: self.by_unit(y),
            r: self.by_unit(r),
        })
    }

    /// The series of each unit, filled up with zeros, from T × N numbers.
    fn by_unit(&self, rows: &[f32]) -> Vec<Vec<[f32; LANES]>> {
        let samples = rows.len() / self.units;
        let mut series = vec![vec![[0.0; LANES]; samples.div_ceil(LANES)]; self.units];
        for (t, row) in rows.chunks_exact(self.units).enumerate() {
            for (series, x) in series.iter_mut().zip(row) {
                series[t / LANES][t % LANES] = *x;
            }
        }
        series
    }

    /// A matrix, N × N row by row, of `values` and of zeros where no weight exists.
    pub fn matrix(&self, values: &[f32]) -> Vec<f32> {
        let mut matrix = vec![0.0; self.units * self.units];
        self.put_into(values, &mut matrix);
        matrix
    }
}

/// The products of series, as [`pulp`] wants them.
struct Products<'a> {
    connections: &'a Connections,
    y: Vec<Vec<[f32; LANES]>>,
    r: Vec<Vec<[f32; LANES]>>,
}

impl pulp::NullaryFnOnce for Products<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn call(self) -> Vec<f32> {
        let Connections { first, senders, .. } = self.connections;
        let mut products = vec![0.0; senders.len()];
        for (i, y) in self.y.iter().enumerate() {
            for place in first[i]..first[i + 1] {
                products[place] = dot(y, &self.r[senders[place] as usize]);
            }
        }
        products
    }
}

/// Σ a · b: a sum for each lane, then the sum of these.
#[inline(always)]
fn dot(a: &[[f32; LANES]], b: &[[f32; LANES]]) -> f32 {
    let mut sums = [0.0f32; LANES];
    for (a, b) in a.iter().zip(b) {
        for l in 0..LANES {
            sums[l] = a[l].mul_add(b[l], sums[l]);
        }
    }
    sums.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rate::options::RateOptions;
    use crate::task::Task;

    #[test]
    fn the_existing_weights_are_those_that_training_can_change() {
        for dale in [true, false] {
            let options = RateOptions {
                p_inh: 0.4,
                som_units: 3,
                dale,
                ..RateOptions::published(Task::xor(), 30)
            };
            let network = RateNetwork::start(&options);
            let connections = Connections::of(&network);
            let values = connections.taken_from(&network.w);
            let kept = connections.matrix(&values);
            for ((&kept, &w), &som) in kept.iter().zip(&network.w).zip(&network.som_mask) {
                let changes = som != 0.0 && (!dale || w > 0.0);
                assert_eq!(kept, if changes { w } else { 0.0 });
            }
            assert_eq!(Connections::if_sparse(&network).is_some(), dale);
            // The order by senders has the same weights.
            for j in 0..30 {
                for k in connections.first_sent[j]..connections.first_sent[j + 1] {
                    let (i, place) = (connections.receivers[k], connections.places[k]);
                    assert_eq!(connections.senders[place as usize], j as u32);
                    assert_eq!(network.w[i as usize * 30 + j], values[place as usize]);
                }
            }
        }
    }
}
