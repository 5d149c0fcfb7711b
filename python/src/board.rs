//! A deployed network that is stepped by hand: the twin of a board.

use std::sync::Arc;

use fixed::types::I4F12;
use numpy::PyArrayDyn;
use pyo3::prelude::*;
use rate2spike::number::hexadecimal;
use rate2spike::spiking::trial::{FromInput, Memory};
use rate2spike_core::arithmetic::Fixed;
use rate2spike_core::blob::Deployed;
use rate2spike_core::network::Network as _;
use rate2spike_core::preprocessing::Chain;
use rate2spike_core::stepwise::Stepwise;
use self_cell::{MutBorrow, self_cell};

use super::arrays::{Numbers, array};
use super::fault::{Fault, Outcome};
use super::network::output;

/// The bytes of a network and the memory of its state.
struct Held {
    bytes: Arc<[u8]>,
    memory: MutBorrow<Memory<Fixed>>,
}

/// A trial under way.
struct Running<'a> {
    network: Deployed<'a>,
    trial: Stepwise<'a>,
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
#[pyclass(module = "rate2spike")]
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
            let memory = held.memory.borrow_mut().all();
            let trial = Stepwise::start(&network, memory, seed, trial);
            Running {
                network,
                trial: trial.expect("the memory was made for the network"),
            }
        });
        Ok(Self(cell))
    }
}

/// A number as a sensor has it.
fn integer(value: f64) -> Outcome<i32> {
    let whole = value as i32;
    if f64::from(whole) == value {
        return Ok(whole);
    }
    Err(Fault::Value(format!(
        "integers: {value} is not a whole number of 32 bits"
    )))
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
            let set = running.trial.set_input(&running.network, &values);
            set.expect("the shape was checked");
            Ok(())
        })
    }

    /// Sets the input from the next step on from the integers of a sensor, by the
    /// preprocessing that the network carries: an integer for each channel of the sensor. Call
    /// it once for each sample of the network, which lasts `steps_per_sample` steps.
    fn set_sample(&mut self, integers: &Bound<PyAny>) -> Outcome<()> {
        let numbers = Numbers::of(integers, "integers")?;
        self.0.with_dependent_mut(|_, running| {
            let chain = running.network.preprocessing();
            let channels = chain.map(Chain::channels).ok_or_else(|| {
                Fault::Value(
                    "the network takes no integers of a sensor; give the input with set_input"
                        .into(),
                )
            })?;
            let values = numbers.shaped("integers", &[channels])?;
            let sample = values
                .into_iter()
                .map(integer)
                .collect::<Outcome<Vec<i32>>>()?;
            let set = running.trial.set_sample(&running.network, &sample);
            set.expect("the shape was checked");
            Ok(())
        })
    }

    /// Makes time steps. Returns the units that fired in the last one, counted from 0, in
    /// ascending order.
    #[pyo3(signature = (steps=None), text_signature = "($self, steps=1)")]
    fn step<'py>(
        &mut self,
        py: Python<'py>,
        steps: Option<&Bound<'py, PyAny>>,
    ) -> Outcome<Bound<'py, PyArrayDyn<i64>>> {
        let count = |given: &Bound<PyAny>| -> Outcome<u32> {
            given.extract().map_err(|_| {
                Fault::Value(format!(
                    "steps = {given}: give a whole number, 0 or more, of at most 32 bits"
                ))
            })
        };
        let steps = steps.map_or(Ok(1), count)?;
        for step in 1..=steps {
            self.0.with_dependent_mut(|_, running| {
                running.trial.step(&running.network);
            });
            if step.is_multiple_of(10_000) {
                py.check_signals()?;
            }
        }
        Ok(self.spikes(py)?)
    }

    /// The units that fired in the last step.
    #[getter]
    fn spikes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArrayDyn<i64>>> {
        let fired: Vec<i64> = self.0.with_dependent(|_, running| {
            running
                .trial
                .state()
                .fired()
                .map(|unit| unit as i64)
                .collect()
        });
        array(py, &[fired.len()], fired)
    }

    /// The outputs after the last step.
    #[getter]
    fn outputs<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArrayDyn<f64>>> {
        let outputs: Vec<f64> = self.0.with_dependent(|_, running| {
            running
                .trial
                .state()
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
                .trial
                .state()
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
        self.0.with_dependent(|_, running| running.trial.now())
    }

    /// The input sample of the next step, as a trial of the task has them.
    #[getter]
    fn sample(&self) -> u32 {
        self.0.with_dependent(|_, running| {
            running
                .network
                .payload()
                .clock
                .sample(running.trial.now() + 1)
        })
    }

    /// The answer to the trial so far: the number of the class, or the label of the task.
    #[getter]
    fn answer(&self) -> i64 {
        self.0
            .with_dependent(|_, running| running.trial.answer(&running.network).into())
    }

    /// The hash of the spikes so far, 16 hexadecimal digits.
    #[getter]
    fn spike_hash(&self) -> String {
        self.0
            .with_dependent(|_, running| hexadecimal(running.trial.spike_hash()))
    }

    fn __repr__(&self) -> String {
        format!("Board(after step {})", self.now())
    }
}
