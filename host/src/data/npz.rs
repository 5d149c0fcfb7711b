//! A data set in an `.npz`. Arrays that are stored and not compressed are mapped: a
//! file may be larger than the memory.

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use memmap2::Mmap;
use npyz::{DType, NpyHeader};
use zip::{CompressionMethod, ZipArchive};

use super::DataError;
use super::array::{self, Array, Bytes};
use super::set::{Answers, DataSet, Inputs, Names};
use super::settings::Settings;
use crate::task::description::Part;

/// Most bytes of a compressed array, which is read whole.
pub const MOST_COMPRESSED: u64 = 1 << 30;

/// The arrays of a data set.
const ARRAYS: [&str; 9] = [
    "inputs",
    "labels",
    "targets",
    "mask",
    "lengths",
    "split",
    "class_names",
    "channel_names",
    "sample_ms",
];

/// An archive, mapped or in memory.
struct Archive {
    path: PathBuf,
    bytes: Bytes,
    zip: ZipArchive<Cursor<Bytes>>,
}

/// A member of an archive: its header, its bytes, and the byte of its first entry.
struct Member {
    header: NpyHeader,
    bytes: Bytes,
    first: usize,
}

impl Archive {
    fn open(path: &Path) -> Result<Self, DataError> {
        let failed = |source| DataError::read(path, source);
        let file = File::open(path).map_err(failed)?;
        // SAFETY: the file is mapped to be read alone. Another program that cuts the
        // file meanwhile ends this one; docs/data.md says so.
        let map = unsafe { Mmap::map(&file) }.map_err(failed)?;
        Self::of_bytes(path, Bytes::Mapped(Arc::new(map)))
    }

    fn of_bytes(path: &Path, bytes: Bytes) -> Result<Self, DataError> {
        let zip = ZipArchive::new(Cursor::new(bytes.clone()));
        let zip = zip.map_err(|error| DataError::Array {
            path: path.into(),
            array: "archive".into(),
            reason: match bytes.as_ref() {
                [] => "the file is empty".into(),
                [b'P', b'K', ..] => {
                    format!("{error}: the .npz was cut off or damaged; copy it again")
                }
                _ => format!("{error}: this is no .npz; numpy.savez writes one"),
            },
        })?;
        Ok(Self {
            path: path.into(),
            bytes,
            zip,
        })
    }

    /// Refuses an array that is in the archive twice, of which a reader takes one.
    fn check_names(&mut self) -> Result<(), DataError> {
        let mut seen = std::collections::HashSet::new();
        for place in 0..self.zip.len() {
            let member = self.zip.by_index_raw(place);
            let name = member.map(|member| member.name().to_owned());
            let name = name.map_err(|error| self.failed("archive", error))?;
            let array = npyz::npz::array_name_from_file_name(&name).unwrap_or(&name);
            if !seen.insert(array.to_owned()) {
                let reason = "twice in the archive; write it again with each array once";
                return Err(self.failed(array, reason));
            }
        }
        Ok(())
    }

    fn names(&self) -> Vec<String> {
        let names = self.zip.file_names();
        let names = names.filter_map(npyz::npz::array_name_from_file_name);
        let mut names: Vec<String> = names.map(String::from).collect();
        names.sort_unstable();
        names
    }

    /// Warnings of the arrays that no reader looks at.
    fn unknown(&self) -> Vec<String> {
        let names = self.names().into_iter();
        let unknown = names.filter(|name| !ARRAYS.contains(&name.as_str()));
        unknown
            .map(|name| {
                let near = ARRAYS
                    .into_iter()
                    .max_by(|a, b| strsim::jaro(a, &name).total_cmp(&strsim::jaro(b, &name)));
                let near = near.filter(|near| strsim::jaro(near, &name) > 0.8);
                let near = near.map_or_else(String::new, |near| format!("did you mean {near}? "));
                format!(
                    "{}: the array {name} is not read; {near}The arrays are {}",
                    self.path.display(),
                    ARRAYS.join(", ")
                )
            })
            .collect()
    }

    fn failed(&self, array: &str, reason: impl ToString) -> DataError {
        DataError::Array {
            path: self.path.clone(),
            array: array.into(),
            reason: reason.to_string(),
        }
    }

    fn member(&mut self, name: &str) -> Result<Option<Member>, DataError> {
        let (path, all) = (self.path.clone(), self.bytes.clone());
        let failed = |reason: String| DataError::Array {
            path: path.clone(),
            array: name.into(),
            reason,
        };
        let file = npyz::npz::file_name_from_array_name(name);
        if !self.zip.file_names().any(|other| other == file) {
            return Ok(None);
        }
        let member = self.zip.by_name(&file);
        let mut member = member.map_err(|error| failed(error.to_string()))?;
        let (bytes, start) = if member.compression() == CompressionMethod::Stored {
            let (start, length) = (member.data_start(), member.size());
            let end = start
                .checked_add(length)
                .filter(|end| *end <= all.all().len() as u64);
            let Some(end) = end else {
                return Err(failed("the file was cut; copy it again".into()));
            };
            let stored = &all.all()[start as usize..end as usize];
            if crc32fast::hash(stored) != member.crc32() {
                return Err(failed(
                    "the bytes do not have the check sum (CRC-32) that the archive gives: the file is damaged; copy or write it again".into(),
                ));
            }
            (all, start as usize)
        } else {
            if member.size() > MOST_COMPRESSED {
                return Err(failed(format!(
                    "{} bytes, compressed; a compressed array is read whole, and may have {MOST_COMPRESSED}. Write it with numpy.savez instead of numpy.savez_compressed",
                    member.size()
                )));
            }
            let mut bytes = Vec::new();
            let most = MOST_COMPRESSED + 1;
            let read = member.by_ref().take(most).read_to_end(&mut bytes);
            read.map_err(|error| failed(error.to_string()))?;
            (Bytes::Owned(Arc::new(bytes)), 0)
        };
        let mut cursor = Cursor::new(&bytes.all()[start..]);
        let header = NpyHeader::from_reader(&mut cursor);
        let header = header.map_err(|error| failed(format!("{error}: no array of NumPy")))?;
        let first = start + cursor.position() as usize;
        Ok(Some(Member {
            header,
            bytes,
            first,
        }))
    }

    fn array(&mut self, name: &str) -> Result<Option<Array>, DataError> {
        let Some(member) = self.member(name)? else {
            return Ok(None);
        };
        let array = Array::new(member.bytes, member.first, &member.header);
        array.map(Some).map_err(|reason| self.failed(name, reason))
    }

    fn texts(&mut self, name: &'static str) -> Result<Option<Vec<String>>, DataError> {
        let Some(member) = self.member(name)? else {
            return Ok(None);
        };
        let count: usize = array::shape(&member.header)
            .map_err(|reason| self.failed(name, reason))?
            .iter()
            .fold(1, |all, n| all.saturating_mul(*n));
        let bytes = &member.bytes.all()[member.first..];
        let texts = match member.header.dtype() {
            DType::Plain(kind) => kind
                .num_bytes()
                .and_then(|size| bytes.get(..size.checked_mul(count)?))
                .and_then(|bytes| array::texts(&kind, bytes)),
            _ => None,
        };
        texts.map(Some).ok_or_else(|| {
            self.failed(
                name,
                "this is no array of words; write numpy.array([...], dtype=str)",
            )
        })
    }

    /// The names, or the numbers as words.
    fn words(&mut self, name: &'static str) -> Result<Option<Vec<String>>, DataError> {
        if let Ok(Some(numbers)) = self.array(name) {
            let numbers = numbers.values().into_iter();
            return Ok(Some(numbers.map(|x| x.to_string()).collect()));
        }
        self.texts(name)
    }
}

/// Reads a data set.
///
/// # Errors
/// [`DataError`].
pub(super) fn read(path: &Path) -> Result<DataSet, DataError> {
    read_archive(path, Archive::open(path)?)
}

/// Reads a data set from the bytes of an archive; `path` names it.
///
/// # Errors
/// [`DataError`].
pub(super) fn read_bytes(path: &Path, bytes: Vec<u8>) -> Result<DataSet, DataError> {
    let bytes = Bytes::Owned(Arc::new(bytes));
    read_archive(path, Archive::of_bytes(path, bytes)?)
}

fn read_archive(path: &Path, mut archive: Archive) -> Result<DataSet, DataError> {
    archive.check_names()?;
    let Some(array) = archive.array("inputs")? else {
        let names = archive.names().join(", ");
        return Err(archive.failed(
            "inputs",
            format!("not in the file, which has {names}; name the recorded numbers inputs"),
        ));
    };
    let (trials, samples, channels) = match array.shape[..] {
        [trials, samples] => (trials, samples, 1),
        [trials, samples, channels] => (trials, samples, channels),
        _ => {
            return Err(shape(
                path,
                "inputs",
                &array,
                "trials x samples x channels".into(),
            ));
        }
    };
    if array.len() == 0 {
        return Err(shape(
            path,
            "inputs",
            &array,
            "there must be a number in it".into(),
        ));
    }
    let lengths = lengths(path, &mut archive, trials, samples)?;
    let channel_names = match archive.words("channel_names")? {
        Some(names) if names.len() == channels => names,
        Some(names) => {
            return Err(archive.failed(
                "channel_names",
                format!("{} names, but inputs has {channels} channels", names.len()),
            ));
        }
        None => (1..=channels).map(|k| format!("channel {k}")).collect(),
    };
    let class_names = archive.words("class_names")?;
    let names = Names::Numbers(path.into());
    let (answers, classes) = answers(&mut archive, &lengths, (trials, samples), class_names)?;
    let split = split(&mut archive, trials)?;
    let sample_ms = match archive.array("sample_ms")? {
        Some(number) if number.len() == 1 => Some(number.at(0)),
        Some(_) => return Err(archive.failed("sample_ms", "give a single number")),
        None => None,
    };
    Ok(DataSet {
        path: path.into(),
        names,
        channels: channel_names,
        classes,
        inputs: inputs(array, trials),
        lengths,
        answers,
        split,
        said: Settings {
            sample_ms,
            ..Settings::default()
        },
        remarks: archive.unknown(),
    })
}

/// An array of trials × samples, or × channels, as numbers with their places.
fn inputs(array: Array, trials: usize) -> Inputs {
    let stride = |axis: usize| array.strides.get(axis).copied().unwrap_or(0);
    let trial = stride(0);
    Inputs {
        first: (0..trials).map(|k| k * trial).collect(),
        sample: stride(1),
        channel: stride(2),
        array,
    }
}

fn shape(path: &Path, array: &'static str, found: &Array, wanted: String) -> DataError {
    DataError::Shape {
        path: path.into(),
        array,
        found: found.shape.clone(),
        wanted,
    }
}

fn value(path: &Path, trial: usize, what: &str, value: f64, wanted: String) -> DataError {
    DataError::Value {
        place: format!("{}: trial {trial} (counted from 0)", path.display()),
        what: what.into(),
        value: value.to_string(),
        wanted,
    }
}

fn lengths(
    path: &Path,
    archive: &mut Archive,
    trials: usize,
    samples: usize,
) -> Result<Vec<usize>, DataError> {
    let Some(array) = archive.array("lengths")? else {
        return Ok(vec![samples; trials]);
    };
    if array.shape != [trials] {
        let wanted = format!("inputs has {trials} trials; give one length for each");
        return Err(shape(path, "lengths", &array, wanted));
    }
    let length = |(trial, x): (usize, f64)| {
        if x.fract() == 0.0 && (1.0..=samples as f64).contains(&x) {
            return Ok(x as usize);
        }
        let wanted = format!("give a whole number of samples, 1 to {samples}");
        Err(value(path, trial, "lengths", x, wanted))
    };
    array.values().into_iter().enumerate().map(length).collect()
}

/// The answers, and the names of the classes.
fn answers(
    archive: &mut Archive,
    lengths: &[usize],
    (trials, samples): (usize, usize),
    names: Option<Vec<String>>,
) -> Result<(Answers, Vec<String>), DataError> {
    let path = archive.path.clone();
    let (labels, targets) = (archive.array("labels")?, archive.array("targets")?);
    let labels = match (labels, targets) {
        (Some(labels), None) => labels,
        (None, Some(targets)) => {
            let [n, t, outputs] = targets.shape[..] else {
                let wanted = "it must be trials x samples x outputs".into();
                return Err(shape(&path, "targets", &targets, wanted));
            };
            if (n, t) != (trials, samples) || outputs == 0 {
                let wanted = format!("inputs has {trials} trials of {samples} samples");
                return Err(shape(&path, "targets", &targets, wanted));
            }
            let mask = archive.array("mask")?;
            if let Some(mask) = &mask {
                let fits = mask.shape == targets.shape || mask.shape == [trials, samples];
                if !fits {
                    let wanted = format!("targets has {:?}", targets.shape);
                    return Err(shape(&path, "mask", mask, wanted));
                }
            }
            let answers = Answers::Targets {
                targets: Box::new(inputs(targets, trials)),
                outputs,
                mask: mask.map(|mask| Box::new(inputs(mask, trials))),
            };
            return Ok((answers, Vec::new()));
        }
        (found, _) => {
            let names = archive.names().join(", ");
            let reason = match found {
                Some(_) => "the file has targets too; leave one of them out".into(),
                None => format!(
                    "neither labels nor targets are in the file, which has {names}; add the class of each trial as labels"
                ),
            };
            return Err(archive.failed("labels", reason));
        }
    };
    if archive.names().iter().any(|name| name == "mask") {
        return Err(archive.failed(
            "mask",
            "the weight of targets, and the file has labels; leave it out, or give -1 as the label of a sample that does not count",
        ));
    }
    let each_sample = match labels.shape[..] {
        [n] if n == trials => false,
        [n, t] if (n, t) == (trials, samples) => true,
        _ => {
            let wanted = format!(
                "inputs has {trials} trials of {samples} samples: give a label for each trial, or for each sample"
            );
            return Err(shape(&path, "labels", &labels, wanted));
        }
    };
    let values = labels.values();
    let known = names.as_ref().map(Vec::len);
    let per_trial = if each_sample { samples } else { 1 };
    let mut whole = vec![-1i16; values.len()];
    for (place, (label, x)) in whole.iter_mut().zip(values).enumerate() {
        let (trial, sample) = (place / per_trial, place % per_trial);
        if each_sample && (sample >= lengths[trial] || x == -1.0) {
            continue;
        }
        let end = known.unwrap_or(1 << 15) as f64;
        if x.fract() != 0.0 || !(0.0..end).contains(&x) {
            let what = if each_sample {
                format!("labels, sample {sample}")
            } else {
                "labels".into()
            };
            let wanted = match known {
                Some(known) => format!(
                    "there are {known} class names, so give a whole number, 0 to {}",
                    known.saturating_sub(1)
                ),
                None => "labels are whole numbers and count from 0".into(),
            };
            return Err(value(&path, trial, &what, x, wanted));
        }
        *label = x as i16;
    }
    let most = whole.iter().copied().max().unwrap_or(-1);
    let classes = names.unwrap_or_else(|| (0..=most).map(|k| k.to_string()).collect());
    let answers = if each_sample {
        Answers::Labels {
            labels: whole,
            samples,
        }
    } else {
        Answers::Classes(whole)
    };
    Ok((answers, classes))
}

fn split(archive: &mut Archive, trials: usize) -> Result<Option<Vec<Part>>, DataError> {
    let path = archive.path.clone();
    let Some(words) = archive.words("split")? else {
        return Ok(None);
    };
    if words.len() != trials {
        return Err(archive.failed(
            "split",
            format!("{} words, but inputs has {trials} trials", words.len()),
        ));
    }
    let part = |(trial, word): (usize, &String)| match word.as_str() {
        "0" | "train" => Ok(Part::Train),
        "1" | "validation" => Ok(Part::Validation),
        "2" | "test" => Ok(Part::Test),
        other => Err(DataError::Value {
            place: format!("{}: trial {trial} (counted from 0)", path.display()),
            what: "split".into(),
            value: other.into(),
            wanted: "give 0 (train), 1 (validation) or 2 (test), or these words".into(),
        }),
    };
    let parts: Result<_, _> = words.iter().enumerate().map(part).collect();
    Ok(Some(parts?))
}
