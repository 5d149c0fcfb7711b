//! A data set that is put together recording by recording.

use std::path::Path;

use super::DataError;
use super::array::Array;
use super::set::{Answers, DataSet, Inputs, Names};
use super::settings::Settings;
use crate::task::description::Part;

/// A recording: samples × channels, its class and its part.
#[derive(Clone, Debug)]
pub(super) struct Recording {
    /// How it is called in an error.
    pub(super) name: String,
    pub(super) values: Vec<f32>,
    pub(super) class: i16,
    pub(super) part: Option<Part>,
}

/// The data set of these recordings, which all have these channels.
///
/// # Errors
/// [`DataError::Folder`], if there is no recording.
pub(super) fn joined(
    path: &Path,
    channels: Vec<String>,
    classes: Vec<String>,
    recordings: Vec<Recording>,
) -> Result<DataSet, DataError> {
    if recordings.is_empty() {
        return Err(DataError::Folder {
            path: path.into(),
            reason: "there is no recording".into(),
        });
    }
    let width = channels.len();
    let mut first = Vec::with_capacity(recordings.len());
    let mut values = Vec::new();
    for recording in &recordings {
        first.push(values.len());
        values.extend_from_slice(&recording.values);
    }
    let lengths = recordings.iter().map(|one| one.values.len() / width);
    let split: Option<Vec<Part>> = recordings.iter().map(|one| one.part).collect();
    Ok(DataSet {
        path: path.into(),
        lengths: lengths.collect(),
        answers: Answers::Classes(recordings.iter().map(|one| one.class).collect()),
        split,
        inputs: Inputs {
            array: Array::from_values(&values),
            first,
            sample: width,
            channel: 1,
        },
        names: Names::Each(recordings.into_iter().map(|one| one.name).collect()),
        channels,
        classes,
        said: Settings::default(),
        remarks: Vec::new(),
    })
}
