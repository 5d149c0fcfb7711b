//! The readout: from the rates or filtered spikes of all units to the outputs.

/// Outputs o = W r + b. Weights are outputs × units, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Readout<T> {
    /// Weights, outputs × units.
    pub weights: Vec<T>,
    /// Offset of each output.
    pub offset: Vec<T>,
}

impl<T> Readout<T> {
    /// The readout of a network with one output.
    pub fn single(weights: Vec<T>, offset: T) -> Self {
        Self {
            weights,
            offset: vec![offset],
        }
    }

    /// Number of outputs.
    pub fn outputs(&self) -> usize {
        self.offset.len()
    }

    /// Number of units.
    pub fn units(&self) -> usize {
        self.weights.len() / self.outputs().max(1)
    }

    /// The weights and the offset of each output.
    pub fn rows(&self) -> impl Iterator<Item = (&[T], &T)> {
        // A network without units has empty rows.
        let rows = self.weights.chunks(self.units().max(1));
        rows.chain(std::iter::repeat(&[][..])).zip(&self.offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_output_has_its_row_of_weights_and_its_offset() {
        let readout = Readout {
            weights: vec![1, 2, 3, 4, 5, 6],
            offset: vec![7, 8],
        };
        assert_eq!((readout.outputs(), readout.units()), (2, 3));
        let rows: Vec<_> = readout.rows().collect();
        assert_eq!(rows, [(&[1, 2, 3][..], &7), (&[4, 5, 6][..], &8)]);
        let one = Readout::single(vec![1, 2], 3);
        assert_eq!(one.rows().collect::<Vec<_>>(), [(&[1, 2][..], &3)]);
    }
}
