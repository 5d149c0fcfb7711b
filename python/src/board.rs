//! A deployed network that is stepped by hand: the twin of a board.

use std::sync::Arc;

use fixed::types::I4F12;
use numpy::PyArrayDyn;
use pyo3::prelude::*;
use rate2spike::number::hexadecimal;
use rate2spike::spiking::trial::{FromInput, Memory};
use rate2spike_core::arithmetic::Fixed;
use rate2spike_core::blob::Deployed;
use rate2spike_core::decision::Evidence;
use rate2spike_core::network::Network as _;
use rate2spike_core::noise::Noise;
use rate2spike_core::step::State;
use rate2spike_core::trial::SpikeHash;
use self_cell::{MutBorrow, self_cell};

use super::arrays::{Numbers, array};
use super::fault::Outcome;
use super::network::output;

/// The bytes of a network and the memory of its state.
struct Held {
    bytes: Arc<[u8]>,
    memory: MutBorrow<Memory<Fixed>>,
}

/// A trial under way.
struct Running<'a> {
    network: Deployed<'a>,
    state: State<'a, Fixed>,
    noise: Noise,
    evidence: Evidence<Fixed>,
    hash: SpikeHash,
    now: u32,
}

self_cell!(
    struct Cell {
        owner: Held,
        #[not_covariant]
        dependent: Running,
    }
);

/// A trial of a deployed network, step by step, with the functions and the bits of the C
/// library and of a board. `Network.start` makes one.
#[pyclass(module = "rate2spike", unsendable)]
pub struct Board(Cell);

impl Board {
    /// The start of a trial: synapses empty, potentials and noise drawn from `seed` and
    /// `trial`, input zero.
    pub fn start(bytes: Arc<[u8]>, seed: u64, trial: u64) -> Outcome<Self> {
        let read = |bytes: &Arc<[u8]>| Deployed::read(bytes).map(|network| Memory::of(&network));
        let memory = read(&bytes).expect("the bytes were checked");
        let held = Held {
            bytes,
            memory: MutBorrow::new(memory),
        };
        let cell = Cell::new(held, |held| {
            let network = Deployed::read(&held.bytes).expect("the bytes were checked");
            let mut noise = Noise::new(seed, trial);
            let memory = held.memory.borrow_mut();
            let mut state = memory.start(&network, &mut noise);
            state.set_input(&network, &vec![I4F12::ZERO; network.constants().inputs]);
            Running {
                network,
                state,
                noise,
                evidence: Evidence::default(),
                hash: SpikeHash::default(),
                now: 0,
            }
        });
        Ok(Self(cell))
    }
}

#[pymethods]
impl Board {
    /// Sets the input from the next step on: a value for each channel, as the task has
    /// them. A value is rounded to 1/4096 and lies within −8 and 8.
    fn set_input(&mut self, values: &Bound<PyAny>) -> Outcome<()> {
        let numbers = Numbers::of(values, "values")?;
        self.0.with_dependent_mut(|_, running| {
            let channels = running.network.constants().inputs;
            let values = numbers.shaped("values", &[channels])?;
            let values: Vec<I4F12> = values.into_iter().map(I4F12::from_input).collect();
            running.state.set_input(&running.network, &values);
            Ok(())
        })
    }

    /// Makes time steps. Returns the units that fired in the last one, counted from 0, in
    /// ascending order.
    #[pyo3(signature = (steps=1))]
    fn step<'py>(&mut self, py: Python<'py>, steps: u32) -> PyResult<Bound<'py, PyArrayDyn<i64>>> {
        for step in 1..=steps {
            self.0.with_dependent_mut(|_, running| {
                running.now = running.now.wrapping_add(1);
                running.state.step(&running.network, &mut running.noise);
                running.hash.add_step(running.now, &running.state);
                let decision = &running.network.payload().decision;
                running
                    .evidence
                    .see(decision, running.now, running.state.outputs());
            });
            if step.is_multiple_of(10_000) {
                py.check_signals()?;
            }
        }
        self.spikes(py)
    }

    /// The units that fired in the last step.
    #[getter]
    fn spikes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArrayDyn<i64>>> {
        let fired: Vec<i64> = self
            .0
            .with_dependent(|_, running| running.state.fired().map(|unit| unit as i64).collect());
        array(py, &[fired.len()], fired)
    }

    /// The outputs after the last step.
    #[getter]
    fn outputs<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArrayDyn<f64>>> {
        let outputs: Vec<f64> = self.0.with_dependent(|_, running| {
            running
                .state
                .outputs()
                .iter()
                .map(|&bits| output(bits))
                .collect()
        });
        array(py, &[outputs.len()], outputs)
    }

    /// The outputs as the board has them, 1.0 being 2^26.
    #[getter]
    fn output_bits<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArrayDyn<i64>>> {
        let bits: Vec<i64> = self.0.with_dependent(|_, running| {
            running
                .state
                .outputs()
                .iter()
                .map(|bits| bits.to_bits().into())
                .collect()
        });
        array(py, &[bits.len()], bits)
    }

    /// Number of steps made.
    #[getter]
    fn now(&self) -> u32 {
        self.0.with_dependent(|_, running| running.now)
    }

    /// The input sample of the next step, as a trial of the task has them.
    #[getter]
    fn sample(&self) -> u32 {
        self.0
            .with_dependent(|_, running| running.network.payload().clock.sample(running.now + 1))
    }

    /// The answer to the trial so far: the number of the class, or the label of the task.
    #[getter]
    fn answer(&self) -> i64 {
        self.0.with_dependent(|_, running| {
            running
                .network
                .payload()
                .decision
                .answer(&running.evidence)
                .into()
        })
    }

    /// The hash of the spikes so far, 16 hexadecimal digits.
    #[getter]
    fn spike_hash(&self) -> String {
        self.0
            .with_dependent(|_, running| hexadecimal(running.hash.value()))
    }

    fn __repr__(&self) -> String {
        format!("Board(after step {})", self.now())
    }
}
