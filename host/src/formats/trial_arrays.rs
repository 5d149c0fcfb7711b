//! Trials of a task as an `.npz`, written trial by trial.

use std::io::{self, BufWriter, Seek, Write};
use std::path::Path;

use npyz::WriterBuilder;
use npyz::npz::NpzWriter;
use npyz::zip::write::FileOptions;

use super::disk::{self, DiskError};
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
        let mut archive = NpzWriter::new(BufWriter::new(file));
        let (channels, samples) = (self.task.channels(), self.task.samples());
        self.numbers(&mut archive, "input", &[channels, samples], |trial| {
            &trial.input
        })?;
        let target: &[usize] = match self.task.definition().outputs {
            1 => &[samples],
            outputs => &[outputs, samples],
        };
        self.numbers(&mut archive, "target", target, |trial| &trial.target)?;
        let array = archive.array("label", FileOptions::default())?;
        let array = array.default_dtype().shape(&[self.count as u64]);
        let mut array = array.begin_nd()?;
        self.each(|trial| array.push(&i64::from(trial.label)))?;
        array.finish()?;
        let array = archive.array("sample_ms", FileOptions::default())?;
        let mut array = array.default_dtype().shape(&[]).begin_nd()?;
        array.push(&self.task.sample_ms())?;
        array.finish()
    }

    fn each(&self, mut each: impl FnMut(Trial) -> io::Result<()>) -> io::Result<()> {
        (0..self.count as u64).try_for_each(|index| each(task_trial(self.task, self.seed, index)))
    }

    fn numbers<W: Write + Seek>(
        &self,
        archive: &mut NpzWriter<W>,
        name: &str,
        shape: &[usize],
        part: fn(&Trial) -> &Vec<f32>,
    ) -> io::Result<()> {
        let shape = std::iter::once(self.count).chain(shape.iter().copied());
        let shape: Vec<u64> = shape.map(|length| length as u64).collect();
        let bytes = 8 * shape.iter().product::<u64>();
        // An array of 4 GiB needs the long form of a .zip.
        let options = FileOptions::default().large_file(bytes > u64::from(u32::MAX));
        let mut array = archive
            .array(name, options)?
            .default_dtype()
            .shape(&shape)
            .begin_nd()?;
        self.each(|trial| array.extend(part(&trial).iter().map(|&value| f64::from(value))))?;
        array.finish()
    }
}
