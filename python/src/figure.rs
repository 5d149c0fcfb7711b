//! Figures as SVG, and the page of a report.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use rate2spike::formats::disk;
use rate2spike::report::figures;
use rate2spike::report::figures::output::outputs;
use rate2spike::report::figures::raster::raster;
use rate2spike::report::observe::{Observation, ObservedTrials};
use rate2spike::report::page::Page;
use rate2spike::report::picture::png;

use super::fault::{Fault, Outcome};

/// A figure, which a notebook shows.
#[pyclass(frozen, module = "rate2spike")]
#[derive(Clone)]
pub struct Figure(pub figures::Figure);

#[pymethods]
impl Figure {
    /// The name of the figure.
    #[getter]
    fn name(&self) -> &str {
        self.0.name
    }

    /// The caption.
    #[getter]
    fn caption(&self) -> &str {
        &self.0.caption
    }

    /// The picture as SVG.
    #[getter]
    fn svg(&self) -> &str {
        &self.0.svg
    }

    fn _repr_svg_(&self) -> &str {
        &self.0.svg
    }

    /// Writes the picture to a file whose name ends in .svg or .png.
    fn save(&self, py: Python, path: PathBuf) -> Outcome<()> {
        let extension = path.extension().and_then(|extension| extension.to_str());
        let bytes = match extension {
            Some("svg") => self.0.svg.as_bytes().to_vec(),
            Some("png") => py.detach(|| png(&self.0.svg))?,
            _ => {
                return Err(Fault::Value(format!(
                    "{}: figures are written as .svg or .png; give a name that ends in one of them",
                    path.display()
                )));
            }
        };
        Ok(disk::write(&path, &bytes)?)
    }

    fn __repr__(&self) -> String {
        format!("Figure({}: {})", self.0.name, self.0.caption)
    }
}

/// What the figures of simulated trials are drawn from.
#[pyclass(frozen, module = "rate2spike")]
pub struct Drawings {
    /// The trials.
    pub trials: ObservedTrials,
    /// What was seen in them.
    pub seen: Observation,
    /// True for inhibitory units.
    pub inhibitory: Vec<bool>,
}

#[pymethods]
impl Drawings {
    /// The spikes of the first trial of each answer.
    fn raster(&self) -> Figure {
        Figure(raster(&self.trials, &self.seen, &self.inhibitory))
    }

    /// The output over time, mean and standard deviation by answer.
    fn outputs(&self) -> Figure {
        Figure(outputs(&self.trials, &[("spiking network", &self.seen)]))
    }
}

/// The page of a model: its figures, and the text around them.
#[pyclass(frozen, module = "rate2spike")]
pub struct Report {
    html: String,
    figures: Vec<Figure>,
}

impl Report {
    /// The report on this page.
    pub fn new(page: &Page) -> Self {
        Self {
            html: page.html(),
            figures: page.figures().cloned().map(Figure).collect(),
        }
    }
}

#[pymethods]
impl Report {
    /// The page, which needs no other file.
    #[getter]
    fn html(&self) -> &str {
        &self.html
    }

    /// The figures by name.
    #[getter]
    fn figures<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let figures = PyDict::new(py);
        for figure in &self.figures {
            figures.set_item(figure.0.name, Py::new(py, figure.clone())?)?;
        }
        Ok(figures)
    }

    fn _repr_html_(&self) -> &str {
        &self.html
    }

    /// Writes the page to a file.
    fn save(&self, path: PathBuf) -> Outcome<()> {
        Ok(disk::write(&path, self.html.as_bytes())?)
    }
}
