//! The `.ts` files of the UCR and UEA archives (Bagnall et al. 2018,
//! arXiv 1811.00075): `NAME_TRAIN.ts` and `NAME_TEST.ts` beside each other.

use std::path::{Path, PathBuf};

use super::DataError;
use super::recordings::{Recording, joined};
use super::set::DataSet;
use crate::ending::ends_in;
use crate::task::description::Part;

/// Reads a data set; the path is either of the two files, or a file alone.
///
/// # Errors
/// [`DataError`].
pub(super) fn read(path: &Path) -> Result<DataSet, DataError> {
    let mut recordings = Vec::new();
    let mut header = Header::default();
    for (file, part) in parts(path) {
        read_file(&file, part, &mut header, &mut recordings)?;
    }
    let channels = (1..=header.channels).map(|k| format!("channel {k}"));
    joined(path, channels.collect(), header.classes, recordings)
}

/// The files of the data set at `path`, if it is one of `.ts` files.
pub(super) fn files(path: &Path) -> impl Iterator<Item = PathBuf> {
    let known = ends_in(path, "ts");
    let parts = if known { parts(path) } else { Vec::new() };
    parts.into_iter().map(|(file, _)| file)
}

/// The files of a data set, with their parts.
fn parts(path: &Path) -> Vec<(PathBuf, Option<Part>)> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    for (own, other) in [("_TRAIN.ts", "_TEST.ts"), ("_TEST.ts", "_TRAIN.ts")] {
        let Some(stem) = name.strip_suffix(own) else {
            continue;
        };
        let beside = path.with_file_name(format!("{stem}{other}"));
        if beside.is_file() {
            let (train, test) = match own {
                "_TRAIN.ts" => (path.to_path_buf(), beside),
                _ => (beside, path.to_path_buf()),
            };
            return vec![(train, Some(Part::Train)), (test, Some(Part::Test))];
        }
    }
    vec![(path.into(), None)]
}

/// What the lines before `@data` say, and the lines after them must agree with.
#[derive(Debug, Default)]
struct Header {
    classes: Vec<String>,
    /// Number of channels; 0 before the first recording.
    channels: usize,
}

fn read_file(
    path: &Path,
    part: Option<Part>,
    header: &mut Header,
    recordings: &mut Vec<Recording>,
) -> Result<(), DataError> {
    let text = std::fs::read_to_string(path).map_err(|source| DataError::read(path, source))?;
    let failed = |line: usize, reason: String| DataError::Line {
        path: path.into(),
        line,
        reason,
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut data = false;
    for (line, number) in text.lines().zip(1..) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if data {
            let name = format!("{}, line {number}", path.display());
            let mut recording = recording(line, header).map_err(|reason| failed(number, reason))?;
            recording.name = name;
            recording.part = part;
            recordings.push(recording);
            continue;
        }
        let mut words = line.split_whitespace();
        let key = words.next().unwrap_or_default().to_ascii_lowercase();
        let is_true =
            |word: Option<&str>| word.is_some_and(|word| word.eq_ignore_ascii_case("true"));
        match key.as_str() {
            "@data" => data = true,
            "@timestamps" if is_true(words.next()) => {
                return Err(failed(number, "recordings with time stamps are not read; sample them evenly, and write an .npz".into()));
            }
            "@targetlabel" if is_true(words.next()) => {
                return Err(failed(
                    number,
                    "each recording has a number and no class; write an .npz with targets instead"
                        .into(),
                ));
            }
            "@classlabel" if is_true(words.next()) => {
                let classes: Vec<String> = words.map(String::from).collect();
                if header.classes.is_empty() {
                    header.classes = classes;
                }
            }
            "@classlabel" => {
                return Err(failed(
                    number,
                    "the recordings have no classes; write an .npz with targets instead".into(),
                ));
            }
            key if key.starts_with('@') => {}
            _ => {
                return Err(failed(
                    number,
                    "a line before @data begins with @ or #; is this a .ts file?".into(),
                ));
            }
        }
    }
    if !data || header.classes.is_empty() {
        return Err(failed(
            1,
            "there is no line @classLabel and @data; is this a .ts file?".into(),
        ));
    }
    Ok(())
}

fn recording(line: &str, header: &mut Header) -> Result<Recording, String> {
    let (channels, class) = line
        .rsplit_once(':')
        .ok_or("no ':' before the class; the line was cut")?;
    let class = class.trim();
    let place = header.classes.iter().position(|name| name == class);
    let place = place.ok_or_else(|| {
        format!(
            "the class '{class}' is not in @classLabel, which has {}",
            header.classes.join(", ")
        )
    })?;
    let mut series: Vec<Vec<f32>> = Vec::new();
    for (k, channel) in (1..).zip(channels.split(':')) {
        let number = |(place, text): (usize, &str)| match text.trim() {
            "?" => Err(format!(
                "channel {k}, value {place}: a missing value ('?'); fill it in, or remove the recording"
            )),
            text => text
                .parse::<f32>()
                .map_err(|_| format!("channel {k}, value {place}: '{text}' is no number")),
        };
        let values: Result<_, _> = (1..).zip(channel.split(',')).map(number).collect();
        series.push(values?);
    }
    let samples = series[0].len();
    if let Some(other) = series.iter().position(|values| values.len() != samples) {
        return Err(format!(
            "channel {} has {} values, and channel 1 has {samples}; give each channel the same number",
            other + 1,
            series[other].len()
        ));
    }
    if header.channels == 0 {
        header.channels = series.len();
    }
    if series.len() != header.channels {
        return Err(format!(
            "{} channels, but the first recording has {}",
            series.len(),
            header.channels
        ));
    }
    Ok(Recording {
        name: String::new(),
        values: (0..samples)
            .flat_map(|t| series.iter().map(move |values| values[t]))
            .collect(),
        class: place as i16,
        part: None,
    })
}
