//! A folder with one folder a class, and in it one CSV a recording: a line a sample,
//! a column a channel, numbers with a point and commas between.

use std::path::{Path, PathBuf};

use super::DataError;
use super::recordings::{Recording, joined};
use super::set::DataSet;
use super::settings::{Column, Settings};
use crate::ending::ends_in;
use crate::number::{counted, shown};
use crate::task::description::Part;

/// Reads a data set. Folders with the names of the parts, each with the folders of the
/// classes in it, say the part of a recording.
///
/// # Errors
/// [`DataError`].
pub(super) fn read(path: &Path, settings: &Settings) -> Result<DataSet, DataError> {
    let folders = folders(path)?;
    let part = |folder: &Path| {
        let name = name(folder);
        Part::ALL.into_iter().find(|part| part.name() == name)
    };
    let mut classes: Vec<(Option<Part>, PathBuf)> = Vec::new();
    no_recording_beside(path, &folders)?;
    if !folders.is_empty() && folders.iter().all(|folder| part(folder).is_some()) {
        for folder in &folders {
            let inner = self::folders(folder)?;
            no_recording_beside(folder, &inner)?;
            classes.extend(inner.into_iter().map(|class| (part(folder), class)));
        }
    } else {
        classes.extend(folders.into_iter().map(|class| (None, class)));
    }
    let names = match &settings.classes {
        Some(names) => names.clone(),
        None => {
            let mut names: Vec<String> = classes.iter().map(|(_, class)| name(class)).collect();
            names.sort();
            names.dedup();
            names
        }
    };
    if names.is_empty() {
        return Err(DataError::Folder {
            path: path.into(),
            reason: "the folder has no folder in it; make one for each class, with a CSV for each recording".into(),
        });
    }
    let mut recordings = Vec::new();
    let mut channels: Option<(Columns, PathBuf)> = None;
    for (part, folder) in &classes {
        let Some(class) = names.iter().position(|other| *other == name(folder)) else {
            continue;
        };
        for file in files(folder)? {
            let table = read_table(&file, |_| settings.time_column.as_ref())?;
            match &channels {
                None => channels = Some((table.channels, file.clone())),
                Some((first, of)) => {
                    let other = table.channels.differ(first).map(|differ| DataError::Folder {
                        path: file.clone(),
                        reason: format!(
                            "{differ} ({}); give each recording the same columns in the same order",
                            of.display()
                        ),
                    });
                    other.map_or(Ok(()), Err)?;
                }
            }
            recordings.push(Recording {
                name: file.display().to_string(),
                values: table.values,
                class: class as i16,
                part: *part,
            });
        }
    }
    let Some((channels, _)) = channels else {
        return Err(DataError::Folder {
            path: path.into(),
            reason: "no folder of a class has a file that ends in .csv; put one recording into each file".into(),
        });
    };
    joined(path, channels.names, names, recordings)
}

/// Refuses a recording that lies beside the folders of the classes.
fn no_recording_beside(path: &Path, folders: &[PathBuf]) -> Result<(), DataError> {
    let lone = files(path)?.into_iter().find(|_| !folders.is_empty());
    lone.map_or(Ok(()), |path| {
        Err(DataError::Folder {
            path,
            reason: "the recording lies beside the folders of the classes; move it into that of its class".into(),
        })
    })
}

fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let failed = |source| DataError::read(folder, source);
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if !name(&path).starts_with('.') {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn folders(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let mut paths = entries(folder)?;
    paths.retain(|path| path.is_dir());
    Ok(paths)
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let mut paths = entries(folder)?;
    paths.retain(|path| ends_in(path, "csv"));
    paths
        .iter()
        .try_for_each(|path| super::error::regular(path))?;
    Ok(paths)
}

/// The columns of a CSV, without that of the times.
#[derive(Debug)]
struct Columns {
    names: Vec<String>,
    /// The place of each in the file, counted from 0.
    places: Vec<usize>,
    /// Whether the names stand in the file.
    header: bool,
}

impl Columns {
    /// How these columns differ from others; `None` if they are the same.
    fn differ(&self, others: &Self) -> Option<String> {
        let (count, wanted) = (self.names.len(), others.names.len());
        if count != wanted {
            return Some(format!(
                "{count} channels, but the first recording has {wanted}"
            ));
        }
        let named = self.header && others.header && self.names != others.names;
        named.then(|| {
            format!(
                "the channels {}, but the first recording has {}",
                self.names.join(", "),
                others.names.join(", ")
            )
        })
    }
}

/// The numbers of a CSV.
#[derive(Debug)]
struct Table {
    channels: Columns,
    /// Samples × channels.
    values: Vec<f32>,
    /// The line of the first sample, counted from 1; each other sample has the next line.
    first_line: usize,
}

/// A recording of one's own, which no data set holds.
#[derive(Debug, PartialEq)]
pub struct Own {
    /// Samples × channels.
    pub values: Vec<f32>,
    /// Number of channels.
    pub channels: usize,
}

/// Reads a recording whose numbers are `least` to `most`, and whose channels should be
/// `wanted`; a recording may leave their names out. Without a wanted name, any will do. The
/// column `time` may be there too, and is left out.
///
/// # Errors
/// If the file cannot be read, is no CSV of numbers, has a number that is not finite or
/// outside of these bounds, or names other channels.
pub fn recording(
    path: &Path,
    (least, most): (f64, f64),
    wanted: &[&str],
    time: Option<&Column>,
) -> Result<Own, DataError> {
    let table = read_table(path, |columns| time.filter(|_| columns == wanted.len() + 1))?;
    let found = &table.channels.names;
    let channels = found.len();
    // A data set whose files have no names is given the same ones as this file would be.
    let is_named = |k: usize| wanted[k] != format!("channel {}", k + 1);
    let differs = table.channels.header && found != wanted && (0..wanted.len()).any(is_named);
    if differs && channels == wanted.len() {
        return Err(DataError::Folder {
            path: path.into(),
            reason: format!(
                "its channels are {}, but the network takes {}; write the columns in this order, with these names or without a line of names",
                found.join(", "),
                wanted.join(", ")
            ),
        });
    }
    let inside = |x: f32| (least..=most).contains(&f64::from(x));
    if let Some(place) = table.values.iter().position(|&x| !inside(x)) {
        let x = table.values[place];
        let wanted = match x.is_finite() {
            true => format!(
                "the network's input holds {} to {}; give the numbers the scale of the training",
                shown(least),
                shown(most)
            ),
            false => "this is not finite; give a number, or remove the line".into(),
        };
        return Err(DataError::Cell {
            path: path.into(),
            line: table.first_line + place / channels,
            column: table.channels.places[place % channels] + 1,
            reason: format!("{x}: {wanted}"),
        });
    }
    Ok(Own {
        values: table.values,
        channels,
    })
}

/// Reads a CSV without the column that `time` names for a file with this number of columns.
fn read_table<'a>(
    path: &Path,
    time: impl FnOnce(usize) -> Option<&'a Column>,
) -> Result<Table, DataError> {
    let bytes = std::fs::read(path).map_err(|source| DataError::read(path, source))?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let text = str::from_utf8(bytes).map_err(|_| DataError::Folder {
        path: path.into(),
        reason: "this is no text in UTF-8; save it as CSV (UTF-8)".into(),
    })?;
    let failed = |line: usize, reason: String| DataError::Line {
        path: path.into(),
        line,
        reason,
    };
    let is_empty = |(line, _): &(&str, usize)| line.trim().is_empty();
    let text = text.trim_end();
    let mut lines = text.lines().zip(1..).skip_while(is_empty).peekable();
    let Some((first, number)) = lines.peek().copied() else {
        return Err(failed(
            1,
            "the file is empty; record again, or remove it".into(),
        ));
    };
    if first.contains(';') {
        return Err(failed(
            number,
            "';' between the columns; write commas between them and a point in the numbers (3.5, not 3,5)".into(),
        ));
    }
    let cells: Vec<&str> = first.split(',').map(cell).collect();
    let header = cells.iter().any(|cell| cell.parse::<f32>().is_err());
    // A first line with some numbers is a broken line and no header.
    let header = header && !cells.iter().any(|cell| cell.parse::<f32>().is_ok());
    let names: Vec<String> = if header {
        lines.next();
        cells.iter().map(|cell| cell.to_string()).collect()
    } else {
        (1..=cells.len()).map(|k| format!("channel {k}")).collect()
    };
    let dropped = time_column(path, time(names.len()), &names)?;
    let columns = names.len();
    let first_line = number + usize::from(header);
    let mut values = Vec::new();
    for (line, number) in lines {
        if line.trim().is_empty() {
            return Err(failed(
                number,
                "the line is empty, and a sample may be missing here; fill it in, or remove the line"
                    .into(),
            ));
        }
        if line.contains(';') {
            return Err(failed(
                number,
                "';' in the line; write commas between the columns and a point in the numbers"
                    .into(),
            ));
        }
        let cells: Vec<&str> = line.split(',').map(cell).collect();
        if cells.len() != columns {
            let way = if cells.len() == columns + 1 && cells.last() == Some(&"") {
                "; remove the comma at its end"
            } else if cells.len() > columns {
                "; is it a decimal comma? Write a point in the numbers (3.5, not 3,5)"
            } else {
                "; write the line again, or remove it"
            };
            return Err(failed(
                number,
                format!(
                    "{}, but the first line has {columns}{way}",
                    counted(cells.len(), "column")
                ),
            ));
        }
        for (column, text) in cells.iter().enumerate() {
            if Some(column) == dropped {
                continue;
            }
            values.push(text.parse::<f32>().map_err(|_| DataError::Cell {
                path: path.into(),
                line: number,
                column: column + 1,
                reason: if text.is_empty() {
                    "the cell is empty; fill it in, or remove the line".into()
                } else {
                    format!("'{text}' is no number; correct it, or remove the line")
                },
            })?);
        }
    }
    let places: Vec<usize> = (0..columns).filter(|k| Some(*k) != dropped).collect();
    if places.is_empty() || values.is_empty() {
        return Err(failed(
            1,
            "there is no number of a channel in the file; write a line of numbers for each sample"
                .into(),
        ));
    }
    Ok(Table {
        channels: Columns {
            names: places.iter().map(|&k| names[k].clone()).collect(),
            places,
            header,
        },
        values,
        first_line,
    })
}

/// A cell without blanks and quotation marks around it.
fn cell(text: &str) -> &str {
    let text = text.trim();
    let inner = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    inner.unwrap_or(text).trim()
}

fn time_column(
    path: &Path,
    time: Option<&Column>,
    names: &[String],
) -> Result<Option<usize>, DataError> {
    let (found, asked) = match time {
        None => return Ok(None),
        Some(Column::Number(number)) => (
            number.checked_sub(1).filter(|column| *column < names.len()),
            number.to_string(),
        ),
        Some(Column::Name(name)) => (
            names.iter().position(|other| other == name),
            format!("\"{name}\""),
        ),
    };
    found.map(Some).ok_or_else(|| DataError::Folder {
        path: path.into(),
        reason: format!(
            "time_column = {asked} is not one of its columns, which are {}",
            names.join(", ")
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str, time: Option<Column>) -> Result<Table, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("one.csv");
        std::fs::write(&path, text).expect("a writable folder");
        read_table(&path, |_| time.as_ref()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_csv_is_read_with_and_without_a_header_and_without_its_time() {
        let plain = table("1,2.5\n-3,4e1\n", None).expect("a table");
        assert_eq!(plain.values, [1.0, 2.5, -3.0, 40.0]);
        let text = "\u{feff}\"t\",x , y\r\n0, 1,2\r\n1,3,\"4\"\r\n\r\n";
        for time in [Column::Name("t".into()), Column::Number(1)] {
            let named = table(text, Some(time)).expect("a table");
            assert_eq!(named.channels.names, ["x", "y"]);
            assert_eq!(named.values, [1.0, 2.0, 3.0, 4.0]);
        }
    }

    #[test]
    fn a_broken_csv_is_answered_with_its_line_and_column() {
        for (text, parts) in [
            ("", &["line 1", "empty"][..]),
            ("1;2\n", &["line 1", "';'"]),
            ("1,2\n3,4\n1;2\n", &["line 3", "';'"]),
            ("x,y\n1,2\n3\n", &["line 3", "1 column,", "has 2"]),
            ("x,y\n1,5,2,5\n", &["line 2", "decimal comma"]),
            ("t,x,y\n0,02,4,5\n", &["line 2", "decimal comma"]),
            ("x,y\n1,2\n3,four\n", &["line 3, column 2", "'four'"]),
            ("x,y\n1,2\n\n3,4\n", &["line 3", "empty", "remove the line"]),
            ("x\n\n1\n", &["line 2", "empty"]),
            ("1,2\n3,4,\n", &["line 2", "remove the comma at its end"]),
            ("x,y\n1,\n", &["line 2, column 2", "empty"]),
            ("1,x\n", &["line 1, column 2", "'x'"]),
            ("x,y\n", &["no number", "write a line"]),
        ] {
            let error = table(text, None).expect_err(text);
            for part in parts {
                assert!(error.contains(part), "{text:?}: {error}");
            }
        }
        let error = table("x,y\n1,2\n", Some(Column::Name("t".into()))).expect_err("no t");
        assert!(error.contains("\"t\"") && error.contains("x, y"), "{error}");
    }

    #[test]
    fn a_recording_has_finite_numbers_that_the_input_holds() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("own.csv");
        let read = |text: &str| {
            std::fs::write(&path, text).expect("a writable folder");
            recording(&path, (-8.0, 8.0), &["x", "y"], None).map_err(|error| error.to_string())
        };
        let own = Own {
            values: vec![1.0, -8.0, 3.0, 8.0],
            channels: 2,
        };
        for named in ["x,y\n", ""] {
            let text = format!("\n{named}1,-8\n3,8\n\n");
            assert_eq!(read(&text).as_ref(), Ok(&own), "{text:?}");
        }
        for names in ["y, x", "a, b", "X, Y"] {
            let error = read(&format!("{names}\n1,2\n")).expect_err(names);
            let part = format!("{names}, but the network takes x, y");
            assert!(error.contains(&part), "{error}");
        }
        for wanted in [&["channel 1", "channel 2"][..], &[]] {
            std::fs::write(&path, "a,b\n1,2\n").expect("a writable folder");
            assert!(
                recording(&path, (-8.0, 8.0), wanted, None).is_ok(),
                "{wanted:?}"
            );
        }
        let timed = |text: &str| {
            std::fs::write(&path, text).expect("a writable folder");
            let time = Column::Name("t".into());
            let read = recording(&path, (-8.0, 8.0), &["x", "y"], Some(&time));
            read.map_err(|error| error.to_string())
        };
        for text in ["x,y\n1,-8\n3,8\n", "t,x,y\n0:00,1,-8\n0:01,3,8\n"] {
            assert_eq!(timed(text).as_ref(), Ok(&own), "{text:?}");
        }
        for (text, part) in [
            ("0,1,2\n", "time_column = \"t\""),
            ("t,x,y\n0,9,2\n", "line 2, column 2: 9"),
        ] {
            let error = timed(text).expect_err(text);
            assert!(error.contains(part), "{text:?}: {error}");
        }
        for (text, parts) in [
            ("x,y\n1,2\n3,nan\n", ["line 3, column 2: NaN", "not finite"]),
            ("\n-inf,2\n", ["line 2, column 1: -inf", "not finite"]),
            ("1\n1e39\n", ["line 2, column 1: inf", "not finite"]),
            ("1\n2\n8.5\n", ["line 3, column 1: 8.5", "-8 to 8"]),
        ] {
            let error = read(text).expect_err(text);
            for part in parts.into_iter().chain(["own.csv"]) {
                assert!(error.contains(part), "{text:?}: {error}");
            }
        }
    }

    #[test]
    fn a_recording_of_other_columns_or_without_a_class_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let put = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("it is writable");
            std::fs::write(&path, text).expect("it is writable");
        };
        let read = || {
            let read = read(folder.path(), &Settings::default());
            read.map(drop).map_err(|error| error.to_string())
        };
        put("a/1.csv", "x,y\n1,2\n3,4\n");
        put("b/1.csv", "1,2\n3,4\n");
        assert_eq!(read(), Ok(()));
        for (columns, part) in [
            (
                "y,x\n1,2\n",
                "the channels y, x, but the first recording has x, y",
            ),
            ("x\n1\n", "1 channels, but the first recording has 2"),
        ] {
            put("b/2.csv", columns);
            let error = read().expect_err(columns);
            assert!(error.contains(part) && error.contains("2.csv"), "{error}");
        }
        put("b/2.csv", "x,y\n5,6\n");
        put("3.csv", "x,y\n5,6\n");
        let error = read().expect_err("a recording without a class");
        assert!(
            error.contains("3.csv") && error.contains("move it"),
            "{error}"
        );
    }
}
