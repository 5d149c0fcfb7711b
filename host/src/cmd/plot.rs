//! `--plot FILE`: a figure of what a command found, as SVG or PNG.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser, ValueParser, ValueParserFactory};

use super::CommandError;
use crate::ending::ends_in;
use crate::formats::disk;
use crate::formats::outputs::Outputs;
use crate::report::figures::Figure;
use crate::report::picture;

/// A file that a figure goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlotFile(PathBuf);

impl TryFrom<OsString> for PlotFile {
    type Error = &'static str;

    fn try_from(name: OsString) -> Result<Self, Self::Error> {
        let path = PathBuf::from(name);
        if ends_in(&path, "svg") || ends_in(&path, "png") {
            Ok(Self(path))
        } else {
            Err("figures are .svg or .png; give a name that ends in one of them")
        }
    }
}

/// clap reads the name as the system has it, so that it need not be UTF-8.
impl ValueParserFactory for PlotFile {
    type Parser = ValueParser;

    fn value_parser() -> ValueParser {
        OsStringValueParser::new().try_map(Self::try_from).into()
    }
}

impl PlotFile {
    /// Checks, before the work, that the figure can be written.
    ///
    /// # Errors
    /// If it cannot.
    pub fn check(&self) -> Result<(), CommandError> {
        Ok(disk::check_rewritable(&self.0)?)
    }

    /// Checks, before the work, that a second figure can be written, and that a file
    /// of its name is an earlier one.
    ///
    /// # Errors
    /// If it cannot, or if the file that is there is no figure of ours.
    pub fn check_beside(&self, what: &str) -> Result<(), CommandError> {
        let mut files = Outputs::new();
        files.writes("--plot", &self.0)?;
        Ok(files.derives("--plot", &self.beside(what).0, picture::is_ours)?)
    }

    /// The file of a second figure: FILE_outputs.svg.
    fn beside(&self, what: &str) -> Self {
        let mut name = self.0.file_stem().unwrap_or_default().to_os_string();
        name.push(format!("_{what}."));
        name.push(self.0.extension().unwrap_or_default());
        Self(self.0.with_file_name(name))
    }

    /// Writes the figure; returns the file.
    ///
    /// # Errors
    /// If it cannot be drawn or written.
    pub fn write(&self, figure: &Figure) -> Result<PathBuf, CommandError> {
        disk::write(&self.0, &self.bytes(figure)?)?;
        Ok(self.0.clone())
    }

    /// Writes the figure and a second one beside it, or none of them; returns the files.
    ///
    /// # Errors
    /// If one cannot be drawn or written.
    pub fn write_both(
        &self,
        figure: &Figure,
        what: &str,
        second: &Figure,
    ) -> Result<[PathBuf; 2], CommandError> {
        let files = [self.0.clone(), self.beside(what).0];
        let bytes = [self.bytes(figure)?, self.bytes(second)?];
        let named: Vec<(PathBuf, &[u8])> = files
            .iter()
            .cloned()
            .zip(bytes.iter().map(Vec::as_slice))
            .collect();
        disk::write_all(&named)?;
        Ok(files)
    }

    /// The figure in the form that the file's ending asks for.
    fn bytes(&self, figure: &Figure) -> Result<Vec<u8>, CommandError> {
        Ok(match ends_in(&self.0, "png") {
            true => picture::png(&figure.svg)?,
            false => figure.svg.clone().into_bytes(),
        })
    }
}
