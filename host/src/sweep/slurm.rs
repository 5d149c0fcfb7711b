//! A sweep on a cluster: each element of a job array takes one share.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::str::FromStr;

use super::SweepError;
use super::plan::Member;
use crate::formats::disk;
use crate::formats::outputs::Outputs;
use crate::shell_word::path_word;

/// Name of the script in the sweep's folder.
pub const SCRIPT: &str = "array.sh";

/// The line of the script that names the job.
const JOB_NAME: &str = "#SBATCH --job-name=rate2spike\n";

/// True if `bytes` are a script of [`JobArray`].
fn is_ours(bytes: &[u8]) -> bool {
    String::from_utf8_lossy(bytes).contains(JOB_NAME)
}

/// One of the equal shares into which a sweep is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobShare {
    /// Index of the share, from 0.
    pub index: usize,
    /// Number of shares.
    pub of: usize,
}

impl FromStr for JobShare {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text
            .split_once('/')
            .and_then(|(index, of)| Some((index.parse().ok()?, of.parse().ok()?)));
        match numbers {
            Some((index, of)) if index < of => Ok(Self { index, of }),
            _ => Err("give K/OF with K from 0 to OF − 1".into()),
        }
    }
}

impl JobShare {
    /// The networks of this share: neighbours in the order of the plan, so that
    /// each share has networks of every cell.
    pub fn take(self, members: &[Member]) -> &[Member] {
        // The product of two counts may be too large for usize.
        let end = |index: usize| (index as u128 * members.len() as u128 / self.of as u128) as usize;
        &members[end(self.index)..end(self.index + 1)]
    }
}

/// A job array for the sweep in a folder.
#[derive(Clone, Debug)]
pub struct JobArray<'a> {
    /// The folder, as an absolute path: a job may start elsewhere.
    pub folder: &'a Path,
    /// This program, as an absolute path.
    pub program: &'a Path,
    /// Number of elements.
    pub elements: usize,
    /// Further options for Slurm, such as `--partition=short`.
    pub options: &'a [String],
}

impl JobArray<'_> {
    /// The script that `sbatch` takes.
    pub fn script(&self) -> String {
        let options: String = self
            .options
            .iter()
            .map(|option| format!("#SBATCH {option}\n"))
            .collect();
        format!(
            "#!/bin/sh\n\
             {JOB_NAME}\
             #SBATCH --array=0-{last}\n\
             #SBATCH --output=/dev/null\n\
             {options}\
             cd {folder} || exit 1\n\
             exec >\"slurm-$SLURM_ARRAY_TASK_ID.log\" 2>&1\n\
             # One network at a time on every processor of the job.\n\
             export RAYON_NUM_THREADS=\"${{SLURM_CPUS_PER_TASK:-1}}\"\n\
             exec {program} sweep --share \"$SLURM_ARRAY_TASK_ID/{elements}\" -o .\n",
            last = self.elements - 1,
            elements = self.elements,
            program = path_word(self.program),
            folder = path_word(self.folder),
        )
    }

    /// Writes the script into the folder and submits it; returns the script and
    /// the job's number.
    ///
    /// # Errors
    /// If the script cannot be written, if another program wrote a file of this name, if a
    /// path is not UTF-8, or if Slurm is missing or refuses.
    pub fn submit(&self) -> Result<(PathBuf, String), SweepError> {
        for path in [self.folder, self.program] {
            if path.to_str().is_none() {
                return Err(SweepError::Path { path: path.into() });
            }
        }
        let script = self.folder.join(SCRIPT);
        Outputs::new().derives("--output", &script, is_ours)?;
        disk::write(&script, self.script().as_bytes())?;
        let refused = |reason: String| SweepError::Submit {
            script: script.clone(),
            reason,
        };
        let output = Command::new("sbatch")
            .arg("--parsable")
            .arg(&script)
            .output()
            .map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => refused("there is no sbatch on this machine".into()),
                _ => refused(error.to_string()),
            })?;
        if !output.status.success() {
            let message = String::from_utf8_lossy(&output.stderr);
            return Err(refused(message.trim().into()));
        }
        // sbatch answers JOB or JOB;CLUSTER.
        let answer = String::from_utf8_lossy(&output.stdout);
        let job = answer.trim().split(';').next().unwrap_or_default();
        Ok((script, job.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_network_is_in_one_share() {
        let members: Vec<Member> = (0..23).map(|seed| Member { cell: 0, seed }).collect();
        for of in [1, 2, 7, 23, 40] {
            let shares = (0..of).map(|index| JobShare { index, of }.take(&members));
            assert_eq!(shares.flatten().copied().collect::<Vec<_>>(), members);
        }
        assert_eq!("2/3".parse(), Ok(JobShare { index: 2, of: 3 }));
        for wrong in ["3/3", "-1/3", "1", "1/", "/"] {
            assert!(wrong.parse::<JobShare>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_script_names_folder_and_program_as_single_words() {
        let folder = Path::new("/tmp/it's a $(touch x) `folder`");
        let array = JobArray {
            folder,
            program: Path::new("/opt/rate 2 spike/rate2spike"),
            elements: 3,
            options: &[],
        };
        let script = array.script();
        let words = |part: &str| {
            let line = script.lines().find(|line| line.contains(part));
            shlex::split(line.expect("a line")).expect("words")
        };
        assert_eq!(words("cd ")[1], folder.to_string_lossy());
        assert_eq!(words("--share")[1], "/opt/rate 2 spike/rate2spike");
    }
}
