//! A data set as an `.npz` whose arrays are stored and not compressed, written trial
//! by trial.

use std::io::{self, BufWriter, Seek, Write};

use zip::write::FileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::set::{Answers, DataSet, Inputs};
use crate::archive;

/// Writes the data set.
///
/// # Errors
/// If the disk is full.
pub(super) fn write(set: &DataSet, sample_ms: f64, file: impl Write + Seek) -> io::Result<()> {
    archive::written(file, |archive| fill(set, sample_ms, archive)).map(drop)
}

fn fill<W: Write + Seek>(
    set: &DataSet,
    sample_ms: f64,
    archive: &mut ZipWriter<W>,
) -> io::Result<()> {
    let (trials, samples) = (set.trials(), set.longest());
    let numbers = |inputs: &Inputs, width: usize, out: &mut dyn Write| -> io::Result<()> {
        for trial in 0..trials {
            for t in 0..samples {
                for k in 0..width {
                    let there = t < set.lengths[trial];
                    let x = if there { inputs.at(trial, t, k) } else { 0.0 };
                    out.write_all(&(x as f32).to_le_bytes())?;
                }
            }
        }
        Ok(())
    };
    let channels = set.channels.len();
    array(
        archive,
        "inputs",
        "<f4",
        &[trials, samples, channels],
        |out| numbers(&set.inputs, channels, out),
    )?;
    let integers = |values: Vec<i64>| {
        move |out: &mut dyn Write| {
            let mut bytes = values.iter().map(|value| value.to_le_bytes());
            bytes.try_for_each(|bytes| out.write_all(&bytes))
        }
    };
    let wide = |labels: &[i16]| labels.iter().map(|&label| label.into()).collect();
    match &set.answers {
        Answers::Classes(labels) => {
            array(archive, "labels", "<i8", &[trials], integers(wide(labels)))?;
        }
        Answers::Labels {
            labels,
            samples: width,
        } => {
            let shape = [trials, *width];
            array(archive, "labels", "<i8", &shape, integers(wide(labels)))?;
        }
        Answers::Targets {
            targets,
            outputs,
            mask,
        } => {
            let shape = [trials, samples, *outputs];
            let named = [("targets", Some(targets)), ("mask", mask.as_ref())];
            for (name, values) in named {
                let Some(values) = values else { continue };
                array(archive, name, "<f4", &shape, |out| {
                    numbers(values, *outputs, out)
                })?;
            }
        }
    }
    let lengths = set.lengths.iter().map(|&length| length as i64).collect();
    array(archive, "lengths", "<i8", &[trials], integers(lengths))?;
    if let Some(split) = &set.split {
        let split = split.iter().map(|&part| part as i64).collect();
        array(archive, "split", "<i8", &[trials], integers(split))?;
    }
    if !set.classes.is_empty() {
        words(archive, "class_names", &set.classes)?;
    }
    words(archive, "channel_names", &set.channels)?;
    array(archive, "sample_ms", "<f8", &[], |out| {
        out.write_all(&sample_ms.to_le_bytes())
    })
}

fn array<W: Write + Seek>(
    archive: &mut ZipWriter<W>,
    name: &str,
    kind: &str,
    shape: &[usize],
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let options = FileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .large_file(true);
    let file = npyz::npz::file_name_from_array_name(name);
    archive.start_file(file, options)?;
    let mut out = BufWriter::new(archive);
    let lengths: String = shape.iter().map(|length| format!("{length},")).collect();
    let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({lengths})}}");
    // Version 1.0 of the format: the header ends with a line feed at a multiple of 64.
    let length = (10 + header.len() + 1).next_multiple_of(64) - 10;
    out.write_all(b"\x93NUMPY\x01\0")?;
    out.write_all(&(length as u16).to_le_bytes())?;
    writeln!(out, "{header:<width$}", width = length - 1)?;
    fill(&mut out)?;
    out.flush()
}

fn words<W: Write + Seek>(
    archive: &mut ZipWriter<W>,
    name: &str,
    words: &[String],
) -> io::Result<()> {
    let letters = words.iter().map(|word| word.chars().count()).max();
    let letters = letters.unwrap_or(0).max(1);
    array(
        archive,
        name,
        &format!("<U{letters}"),
        &[words.len()],
        |out| {
            for word in words {
                let codes = word.chars().map(u32::from).chain(std::iter::repeat(0));
                for code in codes.take(letters) {
                    out.write_all(&code.to_le_bytes())?;
                }
            }
            Ok(())
        },
    )
}
