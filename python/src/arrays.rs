//! Numbers on their way between NumPy and the host.

use numpy::{
    Element, IntoPyArray, PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn, PyUntypedArrayMethods,
};
use pyo3::prelude::*;
use pyo3::types::PyString;
use rate2spike::formats::mat::{Array, Elements};

use super::fault::{Fault, Outcome};

/// An array of this shape; the last index varies fastest.
pub fn array<'py, T: Element>(
    py: Python<'py>,
    shape: &[usize],
    values: Vec<T>,
) -> PyResult<Bound<'py, PyArrayDyn<T>>> {
    values.into_pyarray(py).reshape(shape.to_vec())
}

/// Numbers of double precision with their shape. What is no array is made one.
pub struct Numbers {
    /// Length along each axis.
    pub shape: Vec<usize>,
    /// All numbers, the last index fastest.
    pub values: Vec<f64>,
}

impl Numbers {
    /// The numbers of `value`, an array or what NumPy makes one of; `name` is the
    /// argument.
    pub fn of(value: &Bound<PyAny>, name: &str) -> Outcome<Self> {
        let py = value.py();
        let numpy = py.import("numpy")?;
        let made = numpy
            .call_method1("ascontiguousarray", (value, "float64"))
            .map_err(|error| {
                Fault::Value(format!(
                    "{name}: {}: give an array of numbers",
                    error.value(py)
                ))
            })?;
        let array: PyReadonlyArrayDyn<f64> = made.extract()?;
        let shape = array.shape().to_vec();
        let values: Vec<f64> = array.as_array().iter().copied().collect();
        // NumPy gives a lone number one axis here.
        if let Some(place) = values.iter().position(|x| !x.is_finite()) {
            return Err(Fault::Value(format!(
                "{name}: entry {place} (counted from 0, the last index fastest) is {}; every entry must be finite",
                values[place]
            )));
        }
        Ok(Self { shape, values })
    }

    /// The numbers, which must have this shape.
    pub fn shaped(self, name: &str, shape: &[usize]) -> Outcome<Vec<f64>> {
        if self.shape == shape {
            return Ok(self.values);
        }
        Err(Fault::Value(format!(
            "{name} has the shape {:?}, but must have {shape:?}",
            self.shape
        )))
    }

    /// Inputs of `channels` channels: one for each trial, and the samples of each. Given
    /// as channels × samples, trials × channels × samples, or with one channel as samples.
    pub fn inputs(self, channels: usize) -> Outcome<(Vec<Vec<f64>>, usize)> {
        let samples = match self.shape[..] {
            [samples] if channels == 1 => samples,
            [found, samples] | [_, found, samples] if found == channels => samples,
            _ => {
                return Err(Fault::Value(format!(
                    "inputs has the shape {:?}, but the network has {channels} channels: give channels x samples, or trials x channels x samples",
                    self.shape
                )));
            }
        };
        if samples < 2 || self.values.is_empty() {
            return Err(Fault::Value(format!(
                "inputs has the shape {:?}; give at least one trial of 2 samples",
                self.shape
            )));
        }
        let trials = self.values.chunks_exact(channels * samples);
        Ok((trials.map(<[f64]>::to_vec).collect(), samples))
    }
}

/// A variable of a MAT-file, in its own type and shape.
pub fn variable<'py>(py: Python<'py>, array: &Array) -> PyResult<Bound<'py, PyAny>> {
    fn shaped<'py, T: Element + Clone>(
        py: Python<'py>,
        dims: &[usize],
        values: &[T],
    ) -> PyResult<Bound<'py, PyAny>> {
        // A file has the first index fastest.
        let reversed: Vec<usize> = dims.iter().rev().copied().collect();
        let array = self::array(py, &reversed, values.to_vec())?;
        array.call_method0("transpose")
    }
    let dims = array.dims();
    match array.elements() {
        Elements::F64(values) => shaped(py, dims, values),
        Elements::F32(values) => shaped(py, dims, values),
        Elements::I8(values) => shaped(py, dims, values),
        Elements::U8(values) => shaped(py, dims, values),
        Elements::I16(values) => shaped(py, dims, values),
        Elements::U16(values) => shaped(py, dims, values),
        Elements::I32(values) => shaped(py, dims, values),
        Elements::U32(values) => shaped(py, dims, values),
        Elements::I64(values) => shaped(py, dims, values),
        Elements::U64(values) => shaped(py, dims, values),
        Elements::Logical(values) => shaped(py, dims, values),
        Elements::Char(units) => {
            let rows = dims[0].max(1);
            let row = |first: usize| -> String {
                let units: Vec<u16> = units.iter().skip(first).step_by(rows).copied().collect();
                String::from_utf16_lossy(&units)
            };
            if rows == 1 {
                return Ok(PyString::new(py, &row(0)).into_any());
            }
            let words: Vec<String> = (0..rows).map(row).collect();
            Ok(words.into_pyobject(py)?.into_any())
        }
    }
}
