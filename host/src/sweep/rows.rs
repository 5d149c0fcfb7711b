//! The rows of a sweep on disk, one line each. Rows are added one at a time, so that a
//! killed sweep loses only the networks that were running.
//!
//! `rows.jsonl` is the record. `rows.csv`, the table, holds the same rows for other
//! programs. A row is written into the record first. When a sweep goes on, the table is
//! written again from the record. A share of a job array has its own files,
//! `rows-K.jsonl` and `rows-K.csv`.

use std::collections::HashSet;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use super::plan::{Member, SweepPlan};
use super::row::Row;
use super::{SweepError, slurm};
use crate::formats::disk::{self, DiskError};
use crate::formats::outputs::Outputs;

/// A file of rows, open to add more.
#[derive(Debug)]
pub struct RowsFile {
    path: PathBuf,
    lines: File,
    csv_path: PathBuf,
    csv: Option<File>,
}

impl RowsFile {
    /// Opens the rows of the sweep in `folder`, or the rows of one share, and
    /// returns the rows. A last line without an end is part of a row that a kill cut; the
    /// line is removed.
    ///
    /// # Errors
    /// If another process has the file open, if it holds rows of another plan, if
    /// the table beside it holds more rows ([`SweepError::LostRows`]), or if it
    /// cannot be read or written.
    pub fn open(
        folder: &Path,
        share: Option<usize>,
        plan: &SweepPlan,
    ) -> Result<(Self, Vec<Row>), SweepError> {
        let name = share.map_or("rows".into(), |share| format!("rows-{share}"));
        let path = folder.join(format!("{name}.jsonl"));
        let mut lines = lock(&path)?;
        let mut bytes = Vec::new();
        lines
            .read_to_end(&mut bytes)
            .map_err(|source| DiskError::Read {
                path: path.clone(),
                source,
            })?;
        let whole = whole_lines(&bytes);
        let rows = parse(&path, whole, plan)?;
        // This check comes before any change, so that a file without rows stays as it is.
        check_cut(&path, &bytes[whole.len()..], plan)?;
        let csv_path = folder.join(format!("{name}.csv"));
        Outputs::new().derives("--output", &csv_path, is_table)?;
        check_table(&csv_path, &path, rows.len())?;
        if whole.len() < bytes.len() {
            lines
                .set_len(whole.len() as u64)
                .map_err(|source| disk::failure(&path, source))?;
        }
        disk::write(&csv_path, csv(&rows).as_bytes())?;
        let file = Self {
            path,
            lines,
            csv_path,
            csv: None,
        };
        Ok((file, rows))
    }

    /// Adds a row. The row is on the disk when this returns.
    ///
    /// # Errors
    /// [`DiskError::Write`].
    pub fn add(&mut self, row: &Row) -> Result<(), DiskError> {
        append(&mut self.lines, &row.json_line())
            .map_err(|source| disk::failure(&self.path, source))?;
        self.add_csv(row)
            .map_err(|source| disk::failure(&self.csv_path, source))
    }

    fn add_csv(&mut self, row: &Row) -> std::io::Result<()> {
        let csv = match &mut self.csv {
            Some(csv) => csv,
            None => {
                let mut csv = OpenOptions::new().append(true).open(&self.csv_path)?;
                if csv.metadata()?.len() == 0 {
                    append(&mut csv, &row.csv_header())?;
                }
                self.csv.insert(csv)
            }
        };
        append(csv, &row.csv_line())
    }
}

/// The table of all rows in the folder of a sweep.
pub fn table(folder: &Path) -> PathBuf {
    folder.join("rows.csv")
}

/// Opens the record of rows at `path`, and locks out other processes.
fn lock(path: &Path) -> Result<File, SweepError> {
    let file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .open(path)
        .map_err(|source| disk::failure(path, source))?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(SweepError::Busy { path: path.into() }),
        // A file system may have no locks. The user must then avoid two sweeps at once.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(file),
    }
}

/// Refuses a table that holds more rows than its record. A sweep writes the record first;
/// so the record was emptied or cut, and the table is the last copy of the rows.
fn check_table(table: &Path, record: &Path, found: usize) -> Result<(), SweepError> {
    if !table.is_file() {
        return Ok(());
    }
    let there = csv_rows(&disk::read(table)?);
    if there <= found {
        return Ok(());
    }
    Err(SweepError::LostRows {
        table: table.into(),
        there,
        record: record.into(),
        found,
    })
}

/// The number of whole rows of a table; the header does not count.
fn csv_rows(bytes: &[u8]) -> usize {
    let mut quoted = false;
    let ends = bytes.iter().filter(|&&byte| {
        quoted ^= byte == b'"';
        byte == b'\n' && !quoted
    });
    ends.count().saturating_sub(1)
}

/// True if a network of the sweep in `folder` was run, is running, or waits in the queue
/// of a cluster.
///
/// # Errors
/// If the folder cannot be read.
pub fn is_begun(folder: &Path) -> Result<bool, SweepError> {
    if folder.join(slurm::SCRIPT).exists() {
        return Ok(true);
    }
    for path in files(folder)? {
        let file = File::open(&path).map_err(|source| DiskError::Read {
            path: path.clone(),
            source,
        })?;
        let empty = file.metadata().is_ok_and(|found| found.len() == 0);
        let busy = matches!(file.try_lock(), Err(TryLockError::WouldBlock));
        if busy || !empty {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Writes a line in one call, and waits for the disk.
fn append(file: &mut File, line: &str) -> std::io::Result<()> {
    file.write_all(line.as_bytes())?;
    file.sync_data()
}

/// The lines of `bytes` that have an end.
fn whole_lines(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|&byte| byte == b'\n');
    &bytes[..end.map_or(0, |end| end + 1)]
}

/// Checks that the bytes after the last whole line are the begin of a row, which a killed
/// sweep leaves, and not the text of another program.
fn check_cut(path: &Path, rest: &[u8], plan: &SweepPlan) -> Result<(), SweepError> {
    let whole = serde_json::from_slice::<serde_json::Value>(rest).is_ok();
    let begins = rest == b"{" || rest.starts_with(b"{\"");
    if rest.is_empty() || (begins && !whole) {
        return Ok(());
    }
    parse(path, rest, plan).map(|_| ())
}

/// The first columns of each table of rows.
const CSV_BEGIN: &[u8] = b"cell,task,units,";

/// True if `bytes` are a table of rows, or the begin of a table that a kill cut.
/// Whether this program wrote a table of rows.
pub fn is_table(bytes: &[u8]) -> bool {
    bytes.starts_with(CSV_BEGIN) || CSV_BEGIN.starts_with(bytes)
}

fn parse(path: &Path, lines: &[u8], plan: &SweepPlan) -> Result<Vec<Row>, SweepError> {
    let mut seen = HashSet::new();
    let mut rows = Vec::new();
    for (index, line) in lines.split_inclusive(|&byte| byte == b'\n').enumerate() {
        let refused = |reason: String| SweepError::Row {
            path: path.into(),
            line: index + 1,
            reason,
        };
        let row: Row = serde_json::from_slice(line).map_err(|error| refused(error.to_string()))?;
        let member = row.member();
        if !plan.contains(member) || plan.options(member) != row.options {
            return Err(refused("its options are not in the plan".into()));
        }
        if !seen.insert(member) {
            return Err(refused("the same network as in an earlier line".into()));
        }
        rows.push(row);
    }
    Ok(rows)
}

fn csv(rows: &[Row]) -> String {
    let header = rows.first().map(Row::csv_header);
    header
        .into_iter()
        .chain(rows.iter().map(Row::csv_line))
        .collect()
}

/// The rows of all shares of the sweep in `folder`, each network once, in the
/// order of the plan.
///
/// # Errors
/// If a file cannot be read or holds a line that is not a row of this sweep.
pub fn read_all(folder: &Path, plan: &SweepPlan) -> Result<Vec<Row>, SweepError> {
    let mut seen = HashSet::new();
    let mut rows = Vec::new();
    for path in files(folder)? {
        let bytes = disk::read(&path)?;
        let of_file = parse(&path, whole_lines(&bytes), plan)?;
        rows.extend(of_file.into_iter().filter(|row| seen.insert(row.member())));
    }
    sort(&mut rows);
    Ok(rows)
}

/// Sorts rows in the order of the plan: by seed, then by cell.
pub fn sort(rows: &mut [Row]) {
    rows.sort_by_key(|row| (row.options.seed, row.cell));
}

/// The records of rows in `folder`, in the order of their names.
///
/// # Errors
/// If the folder cannot be read.
pub fn files(folder: &Path) -> Result<Vec<PathBuf>, DiskError> {
    let failed = |source| DiskError::Read {
        path: folder.into(),
        source,
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        if name.is_some_and(|name| name.starts_with("rows") && name.ends_with(".jsonl")) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// Joins the rows of all shares into `rows.jsonl` and `rows.csv`, and returns
/// them.
///
/// # Errors
/// If a file cannot be read or written, if a sweep is writing to `rows.jsonl`, if
/// another program wrote `rows.csv`, or if it holds more rows than were found
/// ([`SweepError::LostRows`]).
pub fn merge(folder: &Path, plan: &SweepPlan) -> Result<Vec<Row>, SweepError> {
    let (record, table) = (folder.join("rows.jsonl"), table(folder));
    // The record stays locked while it is replaced.
    let _locked = lock(&record)?;
    let rows = read_all(folder, plan)?;
    Outputs::new().derives("--merge", &table, is_table)?;
    check_table(&table, &record, rows.len())?;
    let lines: String = rows.iter().map(Row::json_line).collect();
    disk::write(&record, lines.as_bytes())?;
    disk::write(&table, csv(&rows).as_bytes())?;
    Ok(rows)
}

/// The networks of `plan` that have no row.
pub fn missing(plan: &SweepPlan, rows: &[Row]) -> Vec<Member> {
    let done: HashSet<Member> = rows.iter().map(Row::member).collect();
    let mut members = plan.members();
    members.retain(|member| !done.contains(member));
    members
}

#[cfg(test)]
mod tests {
    use super::super::row::tests::{example, example_plan};
    use super::*;

    fn plan() -> SweepPlan {
        example_plan(2, 2)
    }

    fn text(folder: &Path, name: &str) -> String {
        std::fs::read_to_string(folder.join(name)).expect("a file")
    }

    #[test]
    fn a_line_that_was_cut_anywhere_is_dropped_and_written_again() {
        let (first, second) = (example(0, 1), example(1, 1));
        for cut in [1, 20, second.json_line().len() - 1] {
            let folder = tempfile::tempdir().expect("a folder");
            let open = || RowsFile::open(folder.path(), None, &plan()).expect("rows");
            open().0.add(&first).expect("a writable file");
            let mut bytes = text(folder.path(), "rows.jsonl").into_bytes();
            bytes.extend(&second.json_line().as_bytes()[..cut]);
            std::fs::write(folder.path().join("rows.jsonl"), bytes).expect("a writable file");
            // The table is cut within its header.
            std::fs::write(folder.path().join("rows.csv"), "cell,ta").expect("a writable file");

            let (mut file, rows) = open();
            assert_eq!(rows, std::slice::from_ref(&first));
            assert_eq!(missing(&plan(), &rows).len(), 3);
            file.add(&second).expect("a writable file");
            assert_eq!(
                text(folder.path(), "rows.jsonl"),
                first.json_line() + &second.json_line()
            );
            assert_eq!(
                text(folder.path(), "rows.csv"),
                first.csv_header() + &first.csv_line() + &second.csv_line()
            );
        }
    }

    #[test]
    fn a_table_with_more_rows_than_its_record_stays_as_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let rows = [example(0, 1), example(1, 1)];
        let (mut file, _) = RowsFile::open(folder.path(), None, &plan()).expect("rows");
        rows.iter().for_each(|row| file.add(row).expect("a file"));
        drop(file);
        let (record, table) = (
            folder.path().join("rows.jsonl"),
            text(folder.path(), "rows.csv"),
        );
        let whole = std::fs::read(&record).expect("a file");
        for cut in [0, 1, whole.len() - 1] {
            std::fs::write(&record, &whole[..cut]).expect("a writable file");
            for error in [
                merge(folder.path(), &plan()).expect_err("a lost row"),
                RowsFile::open(folder.path(), None, &plan()).expect_err("a lost row"),
            ] {
                let message = error.to_string();
                assert!(
                    message.contains("holds 2 rows") && message.contains("rows.jsonl"),
                    "{message}"
                );
            }
            assert_eq!(text(folder.path(), "rows.csv"), table);
            assert_eq!(std::fs::read(&record).expect("a file"), &whole[..cut]);
        }
        // All rows are in a share, so that nothing is lost.
        std::fs::write(folder.path().join("rows-0.jsonl"), &whole).expect("a writable file");
        assert_eq!(merge(folder.path(), &plan()).expect("rows"), rows);
        assert_eq!(text(folder.path(), "rows.csv"), table);
    }

    #[test]
    fn two_sweeps_do_not_share_a_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let _open = RowsFile::open(folder.path(), None, &plan()).expect("rows");
        let error = RowsFile::open(folder.path(), None, &plan()).expect_err("a second one");
        assert!(matches!(error, SweepError::Busy { .. }), "{error}");
        let error = merge(folder.path(), &plan()).expect_err("the rows are in use");
        assert!(matches!(error, SweepError::Busy { .. }), "{error}");
        RowsFile::open(folder.path(), Some(3), &plan()).expect("another share");
    }

    #[test]
    fn shares_are_joined_with_every_network_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let add = |share, rows: &[Row]| {
            let (mut file, _) = RowsFile::open(folder.path(), share, &plan()).expect("rows");
            rows.iter().for_each(|row| file.add(row).expect("a file"));
        };
        add(Some(1), &[example(1, 2), example(0, 1)]);
        add(Some(0), &[example(0, 1), example(1, 1)]);
        for _ in 0..2 {
            let rows = merge(folder.path(), &plan()).expect("rows");
            assert_eq!(rows, [example(0, 1), example(1, 1), example(1, 2)]);
            assert_eq!(missing(&plan(), &rows), [Member { cell: 0, seed: 2 }]);
        }
        assert_eq!(text(folder.path(), "rows.jsonl").lines().count(), 3);
    }

    #[test]
    fn a_row_of_another_sweep_is_refused_with_its_place() {
        let folder = tempfile::tempdir().expect("a folder");
        let foreign = example(0, 77).json_line();
        std::fs::write(folder.path().join("rows.jsonl"), foreign).expect("a writable folder");
        let error = RowsFile::open(folder.path(), None, &plan()).expect_err("a foreign row");
        assert!(error.to_string().contains("line 1"), "{error}");
    }
}
