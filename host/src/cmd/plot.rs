//! `--plot FILE`: a figure of what a command found, as SVG or PNG.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::CommandError;
use crate::formats::disk;
use crate::formats::outputs::Outputs;
use crate::report::figures::Figure;
use crate::report::picture;

/// A file that a figure goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlotFile(PathBuf);

impl FromStr for PlotFile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let path = Path::new(text);
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("svg" | "png") => Ok(Self(path.into())),
            _ => Err("figures are .svg or .png; give a name that ends in one of them".into()),
        }
    }
}

impl PlotFile {
    /// Checks, before the work, that the figure can be written.
    pub fn check(&self) -> Result<(), CommandError> {
        Ok(disk::check_rewritable(&self.0)?)
    }

    /// Checks, before the work, that a second figure can be written, and that a file
    /// of its name is an earlier one.
    pub fn check_beside(&self, what: &str) -> Result<(), CommandError> {
        let mut files = Outputs::new();
        files.writes("--plot", &self.0)?;
        Ok(files.derives("--plot", &self.beside(what).0, picture::is_ours)?)
    }

    /// The file of a second figure: FILE_outputs.svg.
    pub fn beside(&self, what: &str) -> Self {
        let stem = self.0.file_stem().unwrap_or_default().to_string_lossy();
        let extension = self.0.extension().unwrap_or_default().to_string_lossy();
        Self(self.0.with_file_name(format!("{stem}_{what}.{extension}")))
    }

    /// Writes the figure; returns the file.
    pub fn write(&self, figure: &Figure) -> Result<PathBuf, CommandError> {
        if self
            .0
            .extension()
            .is_some_and(|extension| extension == "png")
        {
            disk::write(&self.0, &picture::png(&figure.svg)?)?;
        } else {
            disk::write(&self.0, figure.svg.as_bytes())?;
        }
        Ok(self.0.clone())
    }
}
