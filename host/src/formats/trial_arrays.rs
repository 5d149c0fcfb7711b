//! Trials of a task as an `.npz`, written trial by trial.

use std::io::{self, BufWriter, Seek, Write};
use std::path::Path;

use zip::ZipWriter;

use super::disk::{self, DiskError};
use super::npz::{array, whole_array};
use crate::archive;
use crate::spiking::experiment::task_trial;
use crate::task::{Task, Trial};

/// Trials of a task.
#[derive(Clone, Copy, Debug)]
pub struct DrawnTrials<'t> {
    /// The task.
    pub task: &'t Task,
    /// Their number.
    pub count: usize,
    /// The seed of the scores: `task_trial` draws the same trials.
    pub seed: u64,
}

impl DrawnTrials<'_> {
    /// Writes the arrays `input` (trials × channels × samples), `target` (trials × samples,
    /// or trials × outputs × samples if the task has several outputs), `label` (trials) and
    /// `sample_ms` to `path`.
    ///
    /// # Errors
    /// [`DiskError::Write`].
    pub fn write(&self, path: &Path) -> Result<(), DiskError> {
        disk::write_with(path, |file| self.fill(file))
    }

    fn fill(&self, file: impl Write + Seek) -> io::Result<()> {
        let fill = |archive: &mut ZipWriter<_>| self.fill_archive(archive);
        archive::written(BufWriter::new(file), fill)?.flush()
    }

    fn fill_archive<W: Write + Seek>(&self, archive: &mut ZipWriter<W>) -> io::Result<()> {
        let (channels, samples) = (self.task.channels(), self.task.samples());
        self.numbers(archive, "input", &[channels, samples], |trial| &trial.input)?;
        let target: &[usize] = match self.task.definition().outputs {
            1 => &[samples],
            outputs => &[outputs, samples],
        };
        self.numbers(archive, "target", target, |trial| &trial.target)?;
        array(archive, "label", &[self.count as u64], |label| {
            self.each(|trial| label.push(&i64::from(trial.label)))
        })?;
        whole_array(archive, "sample_ms", &[], &[self.task.sample_ms()])
    }

    fn each(&self, mut each: impl FnMut(Trial) -> io::Result<()>) -> io::Result<()> {
        (0..self.count as u64).try_for_each(|index| each(task_trial(self.task, self.seed, index)))
    }

    fn numbers<W: Write + Seek>(
        &self,
        archive: &mut ZipWriter<W>,
        name: &str,
        shape: &[usize],
        part: fn(&Trial) -> &Vec<f32>,
    ) -> io::Result<()> {
        let shape = std::iter::once(self.count).chain(shape.iter().copied());
        let shape: Vec<u64> = shape.map(|length| length as u64).collect();
        array(archive, name, &shape, |array| {
            self.each(|trial| array.extend(part(&trial).iter().map(|&value| f64::from(value))))
        })
    }
}
