//! What is made once for the board's network, so that its steps take less time.

#[cfg(feature = "two-cores")]
pub use two_cores::Cuts;

#[cfg(not(feature = "two-cores"))]
pub use one_core::Cuts;

#[cfg(feature = "input-in-ram")]
pub use in_ram::Rows;

#[cfg(not(feature = "input-in-ram"))]
pub use in_flash::Rows;

#[cfg(feature = "two-cores")]
mod two_cores {
    use rate2spike_core::halves::{Halves, cut};
    use rate2spike_core::network::{Cut, Network};

    /// The places at which the lists of targets are cut, so that two cores step the network.
    pub struct Cuts<const UNITS: usize> {
        table: [Cut; UNITS],
        is_whole: bool,
    }

    impl<const UNITS: usize> Cuts<UNITS> {
        /// All zero, so that a `static` table costs no flash.
        pub const EMPTY: Self = Self {
            table: [Cut::EMPTY; UNITS],
            is_whole: false,
        };

        /// Prepares for this network.
        pub fn make<N: Network>(&mut self, network: &N) {
            self.is_whole = cut(network, &mut self.table);
        }

        /// The halves of the network for which the table was made.
        pub fn halves<N: Network>(&self, network: &N) -> Option<Halves<'_>> {
            Halves::of(network, &self.table).filter(|_| self.is_whole)
        }
    }
}

#[cfg(not(feature = "two-cores"))]
mod one_core {
    use rate2spike_core::halves::Halves;
    use rate2spike_core::network::Network;

    /// Nothing: one core steps the network.
    pub struct Cuts<const UNITS: usize>;

    impl<const UNITS: usize> Cuts<UNITS> {
        /// Nothing.
        pub const EMPTY: Self = Self;

        /// Does nothing.
        pub fn make<N: Network>(&mut self, _network: &N) {}

        /// No halves.
        pub fn halves<N: Network>(&self, _network: &N) -> Option<Halves<'_>> {
            None
        }
    }
}

#[cfg(feature = "input-in-ram")]
mod in_ram {
    use rate2spike_core::arithmetic::{Arithmetic, Fixed};
    use rate2spike_core::network::Network;
    use rate2spike_core::prepared::{InputRow, fill_rows};

    /// The biases and input weights of the network.
    pub struct Rows<A: Arithmetic, const UNITS: usize> {
        table: [InputRow<A>; UNITS],
        is_whole: bool,
    }

    impl<const UNITS: usize> Rows<Fixed, UNITS> {
        /// All zero, so that a `static` table costs no flash.
        pub const EMPTY: Self = Self {
            table: [InputRow::<Fixed>::EMPTY; UNITS],
            is_whole: false,
        };
    }

    impl<const UNITS: usize> Rows<f32, UNITS> {
        /// All zero, so that a `static` table costs no flash.
        pub const EMPTY: Self = Self {
            table: [InputRow::<f32>::EMPTY; UNITS],
            is_whole: false,
        };
    }

    impl<A: Arithmetic, const UNITS: usize> Rows<A, UNITS> {
        /// Prepares for this network.
        pub fn make<N: Network<Number = A>>(&mut self, network: &N) {
            self.is_whole = fill_rows(network, &mut self.table);
        }

        /// The rows of the network for which the table was made.
        pub fn rows(&self) -> Option<&[InputRow<A>]> {
            self.is_whole.then_some(self.table.as_slice())
        }
    }
}

#[cfg(not(feature = "input-in-ram"))]
mod in_flash {
    use core::marker::PhantomData;

    use rate2spike_core::arithmetic::{Arithmetic, Fixed};
    use rate2spike_core::network::Network;
    use rate2spike_core::prepared::InputRow;

    /// Nothing: new input reads the biases and weights where the network lies.
    pub struct Rows<A: Arithmetic, const UNITS: usize>(PhantomData<A>);

    impl<const UNITS: usize> Rows<Fixed, UNITS> {
        /// Nothing.
        pub const EMPTY: Self = Self(PhantomData);
    }

    impl<const UNITS: usize> Rows<f32, UNITS> {
        /// Nothing.
        pub const EMPTY: Self = Self(PhantomData);
    }

    impl<A: Arithmetic, const UNITS: usize> Rows<A, UNITS> {
        /// Does nothing.
        pub fn make<N: Network<Number = A>>(&mut self, _network: &N) {}

        /// No rows.
        pub fn rows(&self) -> Option<&[InputRow<A>]> {
            None
        }
    }
}
