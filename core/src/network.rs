//! What stays fixed during a run: the network.
//!
//! A network is read through the trait [`Network`], so that the same step runs
//! over tables in memory ([`Tables`], any number type) and over the bytes of a
//! [`crate::blob`] in flash.

use crate::arithmetic::Arithmetic;

/// How a unit's membrane moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Membrane {
    /// Leaky integrate-and-fire: τ_m v̇ = −v + I.
    Leaky,
    /// Quadratic integrate-and-fire: τ_m v̇ = v² + I.
    Quadratic,
}

/// Where an arriving spike goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// Into the rise, which feeds the current.
    Double,
    /// Into the current at once.
    Single,
}

/// What all units share.
#[derive(Clone, Copy, Debug)]
pub struct Constants<A: Arithmetic> {
    /// Number of units.
    pub units: usize,
    /// Number of input channels.
    pub inputs: usize,
    /// The equation of the membrane.
    pub membrane: Membrane,
    /// The synapse's filter.
    pub filter: Filter,
    /// Share of its distance to the drive that a membrane covers in a step.
    pub leak: A::Factor,
    /// Relative change of a rise in a step (negative).
    pub rise_decay: A::Factor,
    /// Noise of one step per unit of [`crate::noise::deviate`].
    pub noise_gain: A::Factor,
    /// Potential at which a unit fires.
    pub threshold: A,
    /// Potential after a spike.
    pub reset: A,
    /// Steps after a spike in which the membrane feels its noise only.
    pub refractory_steps: u16,
    /// Membranes start between these two, uniformly.
    pub start: (A, A),
}

/// The factors of one filter: of a unit's synapse, or of a readout filter.
#[derive(Clone, Copy, Debug)]
pub struct FilterFactors<A: Arithmetic> {
    /// Relative change of the current in a step (negative).
    pub synapse_decay: A::Factor,
    /// Current per unit of rise and step.
    pub rise_gain: A::Factor,
}

/// What one unit has of its own.
#[derive(Clone, Copy, Debug)]
pub struct UnitFactors<A: Arithmetic> {
    /// Of the synapses that arrive at this unit.
    pub filter: FilterFactors<A>,
    /// Weight of the current at a step's beginning; see [`crate::factors`].
    pub gain: A::Fine,
    /// Weight of the current's change during a step.
    pub lag: A::Fine,
    /// The constant current.
    pub bias: A::Drive,
}

/// One filter of the readout.
#[derive(Clone, Copy, Debug)]
pub struct ReadoutFilter<A: Arithmetic> {
    /// Its time constants.
    pub filter: FilterFactors<A>,
    /// Its weight in the output.
    pub weight: A::Fine,
}

/// The value of one input channel of a network.
pub type Input<N> = <<N as Network>::Number as Arithmetic>::Input;

/// Where a synapse leads, said twice: whoever reads it takes what costs less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// The receiving unit.
    pub unit: usize,
    /// Its distance from the target before it, or from unit 0.
    pub gap: usize,
}

/// Takes the targets of a spike in ascending order, and what it adds to each;
/// `None` ends it. A closure takes all of them.
pub trait Deliver<A> {
    /// The next target.
    fn one(&mut self, target: (Target, A)) -> Option<()>;

    /// The next two.
    #[inline(always)]
    fn pair(&mut self, first: (Target, A), second: (Target, A)) -> Option<()> {
        self.one(first)?;
        self.one(second)
    }
}

impl<A, F: FnMut(Target, A)> Deliver<A> for F {
    #[inline(always)]
    fn one(&mut self, (target, amount): (Target, A)) -> Option<()> {
        self(target, amount);
        Some(())
    }
}

/// A network, wherever it lies. Indices below the counts that
/// [`Constants`] gives never fail.
pub trait Network {
    /// The numbers it is made of.
    type Number: Arithmetic;

    /// What all units share.
    fn constants(&self) -> &Constants<Self::Number>;

    /// What `unit` has of its own.
    fn unit(&self, unit: usize) -> UnitFactors<Self::Number>;

    /// Weight from `channel` to `unit`.
    fn input_weight(
        &self,
        unit: usize,
        channel: usize,
    ) -> <Self::Number as Arithmetic>::InputWeight;

    /// Calls `set` with every unit, in ascending order, and its constant current
    /// while `input` lasts, which has a value for every channel: the bias, and
    /// what arrives from all channels.
    #[inline]
    fn each_drive(
        &self,
        input: &[Input<Self>],
        mut set: impl FnMut(usize, <Self::Number as Arithmetic>::Drive),
    ) {
        for unit in 0..self.constants().units {
            let channels = input.iter().enumerate();
            let products = channels.map(|(k, u)| (self.input_weight(unit, k), *u));
            set(unit, Self::Number::driven(self.unit(unit).bias, products));
        }
    }

    /// Gives `to` every target of `unit`, in ascending order, and what its spike
    /// adds there.
    fn each_target(&self, unit: usize, to: impl Deliver<Self::Number>);

    /// Number of readout filters.
    fn readout_filters(&self) -> usize;

    /// The readout filter `index`.
    fn readout_filter(&self, index: usize) -> ReadoutFilter<Self::Number>;

    /// Calls `deliver` with every readout filter that `unit` feeds and what
    /// its spike adds there.
    fn each_readout(&self, unit: usize, deliver: impl FnMut(usize, Self::Number));
}

/// A network as tables that someone else owns; every unit has a readout
/// filter of its own, fed with one by each of its spikes.
#[derive(Clone, Copy, Debug)]
pub struct Tables<'a, A: Arithmetic> {
    /// What all units share.
    pub constants: Constants<A>,
    /// One entry a unit.
    pub units: &'a [UnitFactors<A>],
    /// Units × inputs, row by row.
    pub input_weights: &'a [A::InputWeight],
    /// Targets of unit j: `targets[starts[j]..starts[j + 1]]`.
    pub starts: &'a [usize],
    /// Target unit, in ascending order for each sender, and what a spike adds
    /// there.
    pub targets: &'a [(u32, A)],
    /// One entry a unit.
    pub readout: &'a [ReadoutFilter<A>],
    /// What a spike adds to its unit's readout filter: one.
    pub readout_spike: A,
}

impl<A: Arithmetic> Network for Tables<'_, A> {
    type Number = A;

    fn constants(&self) -> &Constants<A> {
        &self.constants
    }

    fn unit(&self, unit: usize) -> UnitFactors<A> {
        self.units[unit]
    }

    fn input_weight(&self, unit: usize, channel: usize) -> A::InputWeight {
        self.input_weights[unit * self.constants.inputs + channel]
    }

    #[inline]
    fn each_target(&self, unit: usize, mut to: impl Deliver<A>) {
        let mut last = 0;
        for &(target, amount) in &self.targets[self.starts[unit]..self.starts[unit + 1]] {
            let unit = target as usize;
            let gap = unit.wrapping_sub(last);
            let Some(()) = to.one((Target { unit, gap }, amount)) else {
                return;
            };
            last = unit;
        }
    }

    fn readout_filters(&self) -> usize {
        self.readout.len()
    }

    fn readout_filter(&self, index: usize) -> ReadoutFilter<A> {
        self.readout[index]
    }

    #[inline]
    fn each_readout(&self, unit: usize, mut deliver: impl FnMut(usize, A)) {
        deliver(unit, self.readout_spike);
    }
}
