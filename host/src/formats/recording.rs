//! Recorded trials as files: `.mat` and `.npz` under the same names, or tables in
//! `.csv`.
//!
//! Trials are added one after the other. Their numbers go to unnamed files beside the
//! result, and from there into the result: memory holds one trial.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use zip::ZipWriter;

use super::disk::{self, DiskError, Pieces};
use super::mat::stream;
use super::mat::{MatError, MatFile, Value};
use super::npz::{array, whole_array};
use super::outputs::{OutputError, Outputs};
use crate::archive;
use crate::ending::ends_in;
use crate::spiking::record::RecordedTrial;

/// Numbers that are in memory at once while columns become rows.
const TURNED: usize = 1 << 20;

/// The most bytes of one array: the formats count them in 32 bits.
const MOST_BYTES: usize = u32::MAX as usize;

/// Begin of the table of outputs; a column a trial follows.
const OUTPUT_HEAD: &str = "step,time_ms";

/// Head of the table of firing rates.
const RATE_HEAD: &str = "trial,unit,rate_hz";

/// The table `what` beside the table of the spikes in `path`.
fn beside(path: &Path, what: &str) -> PathBuf {
    let mut name = path.file_stem().unwrap_or_default().to_os_string();
    name.push(format!("_{what}.csv"));
    path.with_file_name(name)
}

/// The format of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordingFormat {
    /// MATLAB's.
    Mat,
    /// NumPy's.
    Npz,
    /// Text with commas.
    Csv,
}

/// A recording that cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// A name that says no format.
    #[error(
        "{path}: recordings are written as .mat, .npz or .csv; give a name that ends in one of them"
    )]
    Extension {
        /// The file.
        path: PathBuf,
    },
    /// An array that has no place in the format.
    #[error(
        "{path}: {name} would take {bytes} bytes, and an array of this format holds at most 4 GiB; give fewer --trials, or a larger K of --record-every"
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The array.
        name: &'static str,
        /// The size of the array.
        bytes: u128,
    },
    /// A file that cannot be written.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// A file beside the named one that must not be written.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// A variable that has no form in a MAT-file.
    #[error("{path}: {source}")]
    Mat {
        /// The file.
        path: PathBuf,
        /// Why.
        source: MatError,
    },
}

impl RecordingFormat {
    /// The format that the name of the file says.
    ///
    /// # Errors
    /// [`RecordingError::Extension`].
    pub fn of(path: &Path) -> Result<Self, RecordingError> {
        let formats = [("mat", Self::Mat), ("npz", Self::Npz), ("csv", Self::Csv)];
        let found = formats
            .into_iter()
            .find(|(ending, _)| ends_in(path, ending));
        let missing = || RecordingError::Extension { path: path.into() };
        found.map(|(_, format)| format).ok_or_else(missing)
    }
}

/// The sizes of a recording, known before its first trial.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Layout {
    /// Number of units.
    pub units: usize,
    /// Trials.
    pub trials: usize,
    /// Steps of a trial.
    pub steps: usize,
    /// Outputs of the network.
    pub outputs: usize,
    /// Length of a step, ms.
    pub step_ms: f64,
    /// Steps between two recordings of potentials and rates; `None` for no such
    /// recording.
    pub every: Option<u32>,
    /// λ of the network.
    pub lambda: f64,
}

impl Layout {
    /// Outputs of a trial, all steps together.
    fn output_values(&self) -> usize {
        self.steps * self.outputs
    }

    /// Steps of a trial at which potentials and rates are recorded.
    fn sampled(&self) -> usize {
        self.every.map_or(0, |every| self.steps / every as usize)
    }

    /// The steps at which potentials and rates are recorded, of all trials one
    /// after the other.
    fn sampled_steps(&self) -> impl Iterator<Item = u32> + '_ {
        let every = self.every.unwrap_or_default();
        let trial = move || (1..=self.sampled() as u32).map(move |k| k * every);
        (0..self.trials).flat_map(move |_| trial())
    }

    /// The time of a step, ms, rounded to the nanosecond: 0.05 · 3 is no round
    /// number.
    fn time_ms(&self, step: u32) -> f64 {
        (f64::from(step) * self.step_ms * 1e6).round() / 1e6
    }
}

/// A recording that grows trial by trial.
#[derive(Debug)]
pub struct RecordingFile {
    path: PathBuf,
    format: RecordingFormat,
    layout: Layout,
    spikes: Spikes,
    /// The right answer of each trial, where a task gave it.
    labels: Vec<Option<i16>>,
    /// Steps of a trial, trial after trial.
    outputs: Spool,
    /// Units of a step, step after step; in an `.npz` steps of a unit, unit after
    /// unit; trial after trial.
    potentials: Spool,
    rates: Spool,
}

impl RecordingFile {
    /// A recording without a trial, which goes to `path`.
    ///
    /// # Errors
    /// If its folder cannot be written, or if the format has no room for it.
    pub fn new(path: &Path, layout: Layout) -> Result<Self, RecordingError> {
        let format = RecordingFormat::of(path)?;
        disk::check_rewritable(path)?;
        if format == RecordingFormat::Csv {
            let mut files = Outputs::new();
            files.writes("--output", path)?;
            for (table, head) in [("out", OUTPUT_HEAD), ("rates", RATE_HEAD)] {
                files.derives("--output", &beside(path, table), |bytes| {
                    bytes.starts_with(head.as_bytes())
                })?;
            }
        }
        let sampled = layout.units as u128 * layout.sampled() as u128;
        let sizes = [("out", layout.output_values() as u128), ("v", sampled)];
        for (name, numbers) in sizes {
            let bytes = numbers * layout.trials as u128 * 8 + 1024;
            if format != RecordingFormat::Csv && bytes > MOST_BYTES as u128 {
                let path = path.into();
                return Err(RecordingError::TooLarge { path, name, bytes });
            }
        }
        Ok(Self {
            path: path.into(),
            format,
            layout,
            spikes: Spikes::beside(path)?,
            labels: Vec::new(),
            outputs: Spool::beside(path)?,
            potentials: Spool::beside(path)?,
            rates: Spool::beside(path)?,
        })
    }

    /// Adds the next trial.
    ///
    /// # Errors
    /// If the disk is full.
    pub fn add(
        &mut self,
        record: &RecordedTrial,
        label: Option<i16>,
    ) -> Result<(), RecordingError> {
        self.labels.push(label);
        let trial = self.labels.len();
        let turned = self.format == RecordingFormat::Npz;
        let units = self.layout.units;
        let failed = |source| disk::failure(&self.path, source);
        let spikes = self.spikes.append(trial, &record.spikes);
        spikes.map_err(failed)?;
        self.outputs.append(&record.output).map_err(failed)?;
        for (spool, values) in [
            (&mut self.potentials, &record.potentials),
            (&mut self.rates, &record.rates),
        ] {
            let appended = if turned {
                spool.append(&transposed(values, units))
            } else {
                spool.append(values)
            };
            appended.map_err(failed)?;
        }
        Ok(())
    }

    /// Writes the recording; returns the files.
    ///
    /// # Errors
    /// If one cannot be written.
    pub fn write(mut self) -> Result<Vec<PathBuf>, RecordingError> {
        match self.format {
            RecordingFormat::Mat => self.write_mat()?,
            RecordingFormat::Npz => {
                let path = self.path.clone();
                disk::write_with(&path, |file| self.write_npz(file))?;
            }
            RecordingFormat::Csv => return self.write_tables(),
        }
        Ok(vec![self.path])
    }

    /// The right answers, if a task gave all of them.
    fn labels(&self) -> Option<Vec<i16>> {
        self.labels.iter().copied().collect()
    }

    fn write_mat(&mut self) -> Result<(), RecordingError> {
        let layout = self.layout;
        let (units, trials) = (layout.units, layout.trials);
        let mut numbers = MatFile::new();
        numbers.insert("lambda", Value::scalar(layout.lambda));
        numbers.insert("dt", Value::scalar(layout.step_ms / 1000.0));
        numbers.insert("nt", Value::scalar(layout.steps as f64));
        if let Some(labels) = self.labels() {
            let labels = labels.iter().map(|&label| label.into()).collect();
            numbers.insert("labels", Value::column::<f64>(labels));
        }
        let mut last = MatFile::new();
        if layout.every.is_some() {
            let sampled: Vec<f64> = layout.sampled_steps().map(f64::from).collect();
            last.insert("v_idx", Value::row(sampled.clone()));
            last.insert("rs_idx", Value::row(sampled));
        }
        let path = self.path.clone();
        let failed = |source| RecordingError::Mat {
            path: path.clone(),
            source,
        };
        let small = |file: &MatFile| stream::variables(file).map_err(failed);
        let (numbers, last) = (small(&numbers)?, small(&last)?);
        let head = |name: &str, rows: usize, columns: usize| {
            stream::matrix_head(name, rows, columns).map_err(failed)
        };
        let mut heads = Vec::new();
        for name in Spikes::NAMES {
            heads.push(head(name, self.spikes.count, 1)?);
        }
        let out = head("out", trials, layout.output_values())?;
        let columns = trials * layout.sampled();
        let (v, rs) = (head("v", units, columns)?, head("rs", units, columns)?);
        disk::write_with(&path, |file| {
            let mut file = BufWriter::new(file);
            stream::header(&mut file)?;
            for (head, column) in heads.iter().zip(&mut self.spikes.columns) {
                file.write_all(head)?;
                io::copy(&mut column.reader()?, &mut file)?;
            }
            file.write_all(&out)?;
            self.outputs
                .each_column(trials, layout.output_values(), |column| {
                    column
                        .iter()
                        .try_for_each(|x| file.write_all(&x.to_le_bytes()))
                })?;
            file.write_all(&numbers)?;
            if layout.every.is_some() {
                for (head, spool) in [(&v, &mut self.potentials), (&rs, &mut self.rates)] {
                    file.write_all(head)?;
                    io::copy(&mut spool.reader()?, &mut file)?;
                }
                file.write_all(&last)?;
            }
            file.flush()
        })?;
        Ok(())
    }

    fn write_npz(&mut self, file: &mut Pieces) -> io::Result<()> {
        let fill = |archive: &mut ZipWriter<_>| self.fill_npz(archive);
        archive::written(BufWriter::new(file), fill)?.flush()
    }

    fn fill_npz<W: Write + Seek>(&mut self, archive: &mut ZipWriter<W>) -> io::Result<()> {
        let layout = self.layout;
        for (name, column) in Spikes::NAMES.iter().zip(&mut self.spikes.columns) {
            array(archive, name, &[self.spikes.count as u64], |array| {
                column.each_number(|x| array.push(&(x as i64)))
            })?;
        }
        let labels = self.labels();
        let several = (layout.outputs > 1).then_some(layout.outputs as u64);
        let shape = [layout.trials as u64, layout.steps as u64];
        let shape: Vec<u64> = shape.into_iter().chain(several).collect();
        array(archive, "out", &shape, |out| {
            self.outputs.each_number(|x| out.push(&x))
        })?;
        for (name, value) in [("lambda", layout.lambda), ("dt", layout.step_ms / 1000.0)] {
            whole_array(archive, name, &[], &[value])?;
        }
        whole_array(archive, "nt", &[], &[layout.steps as i64])?;
        if let Some(labels) = labels {
            let labels: Vec<i64> = labels.into_iter().map(i64::from).collect();
            whole_array(archive, "labels", &[labels.len() as u64], &labels)?;
        }
        if layout.every.is_none() {
            return Ok(());
        }
        let (units, sampled) = (layout.units, layout.sampled());
        // Units × recorded steps, as in a .mat: the last index is fastest.
        let shape = [units as u64, (layout.trials * sampled) as u64];
        for (name, spool) in [("v", &mut self.potentials), ("rs", &mut self.rates)] {
            let mut numbers = vec![0.0; sampled];
            array(archive, name, &shape, |array| {
                for unit in 0..units {
                    for trial in 0..layout.trials {
                        spool.read_at((trial * units + unit) * sampled, &mut numbers)?;
                        array.extend(numbers.iter().copied())?;
                    }
                }
                Ok(())
            })?;
        }
        let steps: Vec<i64> = layout.sampled_steps().map(i64::from).collect();
        for name in ["v_idx", "rs_idx"] {
            whole_array(archive, name, &[steps.len() as u64], &steps)?;
        }
        Ok(())
    }

    /// Writes the spikes to the file, and outputs and firing rates to files beside
    /// it.
    fn write_tables(mut self) -> Result<Vec<PathBuf>, RecordingError> {
        let beside = |what: &str| beside(&self.path, what);
        let files = [self.path.clone(), beside("out"), beside("rates")];
        let tables = [Self::spike_table, Self::output_table, Self::rate_table];
        for (path, table) in files.iter().zip(tables) {
            disk::write_with(path, |file| {
                let mut file = BufWriter::new(file);
                table(&mut self, &mut file)?;
                file.flush()
            })?;
        }
        Ok(files.into())
    }

    fn spike_table(&mut self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "trial,step,time_ms,unit")?;
        let layout = self.layout;
        self.spikes.each(|[unit, step, trial]| {
            writeln!(out, "{trial},{step},{},{unit}", layout.time_ms(step))
        })
    }

    /// A column for each output of each trial.
    fn output_table(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let layout = self.layout;
        let names = (0..layout.outputs * layout.trials).map(|column| {
            let (output, trial) = (column / layout.trials + 1, column % layout.trials + 1);
            match layout.outputs {
                1 => format!(",trial_{trial}"),
                _ => format!(",output_{output}_trial_{trial}"),
            }
        });
        writeln!(out, "{OUTPUT_HEAD}{}", names.collect::<String>())?;
        // All trials of an output, output after output, step after step.
        let mut column = 0;
        self.outputs
            .each_column(layout.trials, layout.output_values(), |values| {
                if column % layout.outputs == 0 {
                    let step = (column / layout.outputs + 1) as u32;
                    write!(out, "{step},{}", layout.time_ms(step))?;
                }
                values
                    .iter()
                    .try_for_each(|value| write!(out, ",{value}"))?;
                column += 1;
                match column % layout.outputs {
                    0 => writeln!(out),
                    _ => Ok(()),
                }
            })
    }

    /// Mean firing rate of each unit in each trial.
    fn rate_table(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let seconds = self.layout.steps as f64 * self.layout.step_ms / 1000.0;
        writeln!(out, "{RATE_HEAD}")?;
        let mut counts = vec![0u32; self.layout.units];
        let mut row = |trial: u32, counts: &mut Vec<u32>| {
            for (unit, count) in (1..).zip(counts.iter_mut()) {
                let rate = f64::from(std::mem::take(count)) / seconds;
                writeln!(out, "{trial},{unit},{rate}")?;
            }
            io::Result::Ok(())
        };
        let mut current = 1;
        self.spikes.each(|[unit, _, trial]| {
            for finished in current..trial {
                row(finished, &mut counts)?;
            }
            current = trial;
            counts[unit as usize - 1] += 1;
            Ok(())
        })?;
        (current..=self.layout.trials as u32).try_for_each(|trial| row(trial, &mut counts))
    }
}

/// Steps × units as units × steps.
fn transposed(values: &[f64], units: usize) -> Vec<f64> {
    let steps = values.len() / units;
    let entry = |k: usize| values[k % steps * units + k / steps];
    (0..values.len()).map(entry).collect()
}

/// The spikes of all trials, in unnamed files.
#[derive(Debug)]
struct Spikes {
    /// Unit, step and trial of each spike, all counted from 1.
    columns: [Spool; 3],
    count: usize,
}

impl Spikes {
    /// The names of the columns in a file.
    const NAMES: [&'static str; 3] = ["spk_unit", "spk_step", "spk_trial"];

    fn beside(path: &Path) -> Result<Self, DiskError> {
        let column = || Spool::beside(path);
        Ok(Self {
            columns: [column()?, column()?, column()?],
            count: 0,
        })
    }

    /// Adds the spikes of a trial: step and unit, the unit counted from 0.
    fn append(&mut self, trial: usize, spikes: &[(u32, u32)]) -> io::Result<()> {
        self.count += spikes.len();
        for &(step, unit) in spikes {
            let spike = [(unit + 1).into(), step.into(), trial as f64];
            for (column, number) in self.columns.iter_mut().zip(spike) {
                column.append(&[number])?;
            }
        }
        Ok(())
    }

    /// Unit, step and trial of one spike after the other.
    fn each(&mut self, mut each: impl FnMut([u32; 3]) -> io::Result<()>) -> io::Result<()> {
        let [units, steps, trials] = &mut self.columns;
        let mut columns = [units.reader()?, steps.reader()?, trials.reader()?];
        for _ in 0..self.count {
            let mut spike = [0; 3];
            for (number, column) in spike.iter_mut().zip(&mut columns) {
                let mut bytes = [0; 8];
                column.read_exact(&mut bytes)?;
                *number = f64::from_le_bytes(bytes) as u32;
            }
            each(spike)?;
        }
        Ok(())
    }
}

/// Doubles that wait in an unnamed file.
#[derive(Debug)]
struct Spool(BufWriter<File>);

impl Spool {
    fn beside(path: &Path) -> Result<Self, DiskError> {
        Ok(Self(BufWriter::new(disk::scratch(path)?)))
    }

    fn append(&mut self, values: &[f64]) -> io::Result<()> {
        let mut values = values.iter();
        values.try_for_each(|value| self.0.write_all(&value.to_le_bytes()))
    }

    /// All bytes, from the first.
    fn reader(&mut self) -> io::Result<BufReader<&mut File>> {
        self.0.flush()?;
        let file = self.0.get_mut();
        file.rewind()?;
        Ok(BufReader::new(file))
    }

    fn each_number(&mut self, mut each: impl FnMut(f64) -> io::Result<()>) -> io::Result<()> {
        let mut reader = self.reader()?;
        let mut bytes = [0; 8];
        loop {
            match reader.read_exact(&mut bytes) {
                Ok(()) => each(f64::from_le_bytes(bytes))?,
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    /// The numbers from the `place`-th on.
    fn read_at(&mut self, place: usize, numbers: &mut [f64]) -> io::Result<()> {
        self.0.flush()?;
        let file = self.0.get_mut();
        file.seek(SeekFrom::Start(8 * place as u64))?;
        let mut bytes = vec![0; 8 * numbers.len()];
        file.read_exact(&mut bytes)?;
        for (number, bytes) in numbers.iter_mut().zip(bytes.as_chunks().0) {
            *number = f64::from_le_bytes(*bytes);
        }
        Ok(())
    }

    /// The columns of a matrix that lies here row by row.
    fn each_column(
        &mut self,
        rows: usize,
        columns: usize,
        mut each: impl FnMut(&[f64]) -> io::Result<()>,
    ) -> io::Result<()> {
        let most = (TURNED / rows.max(1)).max(1);
        for first in (0..columns).step_by(most) {
            let count = most.min(columns - first);
            let mut block = vec![0.0; rows * count];
            for (row, numbers) in block.chunks_exact_mut(count).enumerate() {
                self.read_at(row * columns + first, numbers)?;
            }
            for k in 0..count {
                let column: Vec<f64> = (0..rows).map(|row| block[row * count + k]).collect();
                each(&column)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::npz::tests::read as read_npz;
    use crate::formats::rate_model::read_mat;

    fn layout(every: Option<u32>) -> Layout {
        Layout {
            units: 2,
            trials: 2,
            steps: 4,
            outputs: 1,
            step_ms: 0.05,
            every,
            lambda: 25.0,
        }
    }

    /// Potentials and rates of two units at two steps; each number is another.
    fn record(trial: f64) -> RecordedTrial {
        RecordedTrial {
            spikes: vec![(1, 1), (3, 1)],
            outputs: 1,
            output: vec![0.0, 0.5, -1.0, trial],
            sampled: vec![2, 4],
            potentials: [1.0, 2.0, 3.0, 4.0].map(|v| v + 10.0 * trial).into(),
            rates: [5.0, 6.0, 7.0, 8.0].map(|r| r + 10.0 * trial).into(),
            currents: Vec::new(),
        }
    }

    fn written(name: &str, every: Option<u32>) -> tempfile::TempDir {
        with_outputs(name, every, 1)
    }

    /// The four numbers of a trial as those of `outputs` outputs.
    fn with_outputs(name: &str, every: Option<u32>, outputs: usize) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(name);
        let layout = Layout {
            outputs,
            steps: 4 / outputs,
            ..layout(every)
        };
        let mut file = RecordingFile::new(&path, layout).expect("a writable folder");
        for trial in [0.0, 1.0] {
            let record = RecordedTrial {
                outputs,
                ..record(trial)
            };
            file.add(&record, None).expect("space on the disk");
        }
        file.write().expect("space on the disk");
        folder
    }

    #[test]
    fn tables_count_from_one_and_give_times_and_rates() {
        let folder = written("r.csv", None);
        let text = |name: &str| std::fs::read_to_string(folder.path().join(name)).expect(name);
        assert_eq!(
            text("r.csv"),
            "trial,step,time_ms,unit\n1,1,0.05,2\n1,3,0.15,2\n2,1,0.05,2\n2,3,0.15,2\n"
        );
        assert_eq!(
            text("r_out.csv"),
            "step,time_ms,trial_1,trial_2\n1,0.05,0,0\n2,0.1,0.5,0.5\n3,0.15,-1,-1\n4,0.2,0,1\n"
        );
        // Two spikes in 0.2 ms.
        assert_eq!(
            text("r_rates.csv"),
            "trial,unit,rate_hz\n1,1,0\n1,2,10000\n2,1,0\n2,2,10000\n"
        );
    }

    #[test]
    fn a_mat_holds_trials_by_steps_and_units_by_recorded_steps() {
        let folder = written("r.mat", Some(2));
        let file = read_mat(&folder.path().join("r.mat")).expect("a recording");
        let (rows, columns, out) = file.matrix("out").expect("outputs");
        assert_eq!((rows, columns), (2, 4));
        assert_eq!(out, [0.0, 0.0, 0.5, 0.5, -1.0, -1.0, 0.0, 1.0]);
        let (rows, columns, v) = file.matrix("v").expect("potentials");
        assert_eq!((rows, columns), (2, 4));
        assert_eq!(v, [1.0, 2.0, 3.0, 4.0, 11.0, 12.0, 13.0, 14.0]);
        assert_eq!(file.vector("v_idx").expect("steps"), [2.0, 4.0, 2.0, 4.0]);
    }

    #[test]
    fn an_npz_holds_the_same_with_the_last_index_fastest() {
        let folder = written("r.npz", Some(2));
        let bytes = std::fs::read(folder.path().join("r.npz")).expect("a recording");
        let numbers = |name: &str| read_npz::<f64>(&bytes, name).1;
        assert_eq!(numbers("out"), [0.0, 0.5, -1.0, 0.0, 0.0, 0.5, -1.0, 1.0]);
        assert_eq!(numbers("v"), [1.0, 3.0, 11.0, 13.0, 2.0, 4.0, 12.0, 14.0]);
    }

    #[test]
    fn several_outputs_stand_side_by_side_at_each_step() {
        let folder = with_outputs("r.csv", None, 2);
        let table = std::fs::read_to_string(folder.path().join("r_out.csv")).expect("a table");
        let head = "output_1_trial_1,output_1_trial_2,output_2_trial_1,output_2_trial_2";
        assert_eq!(
            table,
            format!("step,time_ms,{head}\n1,0.05,0,0,0.5,0.5\n2,0.1,-1,-1,0,1\n")
        );
        let folder = with_outputs("r.mat", None, 2);
        let file = read_mat(&folder.path().join("r.mat")).expect("a recording");
        let (rows, columns, out) = file.matrix("out").expect("outputs");
        assert_eq!((rows, columns), (2, 4));
        assert_eq!(out, [0.0, 0.0, 0.5, 0.5, -1.0, -1.0, 0.0, 1.0]);
        let folder = with_outputs("r.npz", None, 2);
        let bytes = std::fs::read(folder.path().join("r.npz")).expect("a recording");
        let values = vec![0.0, 0.5, -1.0, 0.0, 0.0, 0.5, -1.0, 1.0];
        assert_eq!(read_npz(&bytes, "out"), (vec![2, 2, 2], values));
    }

    #[test]
    fn a_recording_beyond_the_format_is_refused_before_its_first_trial() {
        let folder = tempfile::tempdir().expect("a folder");
        let layout = Layout {
            units: 200,
            trials: 1000,
            steps: 20_000,
            ..layout(Some(1))
        };
        let error = RecordingFile::new(&folder.path().join("r.npz"), layout);
        let message = error.expect_err("32 GB").to_string();
        assert!(
            message.contains("4 GiB") && message.contains("--trials"),
            "{message}"
        );
    }
}
