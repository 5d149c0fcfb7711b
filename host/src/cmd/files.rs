//! The files of a command line: the flags that name inputs, the flags that name outputs,
//! and the check that no output is an input.

use clap::{ArgMatches, Command, parser::ValueSource};

use super::CommandError;
use crate::formats::outputs::Outputs;

/// Flags that name a file which the command writes.
pub const OUTPUTS: [&str; 3] = ["output", "plot", "losses"];

/// Flags that name a folder into which the command writes.
pub const FOLDERS: [&str; 2] = ["output_dir", "figures"];

/// Flags and arguments that name a file, or a folder, which the command reads.
pub const INPUTS: [&str; 12] = [
    "data", "file", "firmware", "from", "graph", "input", "merge", "model", "network", "run",
    "task", "v0",
];

/// Whether the flag names a file, or a folder, which the command writes.
pub fn is_output(id: &str) -> bool {
    OUTPUTS.contains(&id) || FOLDERS.contains(&id)
}

/// Checks, before the command starts, that no output of the command line is one of its
/// inputs, another output, a dangling link or a protected file.
///
/// # Errors
/// [`CommandError::Usage`].
pub fn check(program: &Command, matches: &ArgMatches) -> Result<(), CommandError> {
    let Some((name, matches)) = matches.subcommand() else {
        return Ok(());
    };
    let Some(command) = program.find_subcommand(name) else {
        return Ok(());
    };
    let mut files = Outputs::new();
    for (is_output, ids) in [(false, &INPUTS[..]), (true, &OUTPUTS[..])] {
        for argument in command.get_arguments() {
            let id = argument.get_id().as_str();
            let given = matches.value_source(id) == Some(ValueSource::CommandLine);
            if !given || !ids.contains(&id) {
                continue;
            }
            let flag = match argument.get_long() {
                Some(long) => format!("--{long}"),
                None => argument.to_string(),
            };
            for value in matches.get_raw(id).into_iter().flatten() {
                if is_output {
                    files.writes(&flag, value.as_ref())?;
                } else {
                    files.reads(&flag, value.as_ref());
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::any::TypeId;
    use std::path::PathBuf;

    use super::*;
    use crate::cmd::command_line::CommandLine;
    use crate::cmd::plot::PlotFile;

    #[test]
    fn every_flag_that_takes_a_path_is_an_input_or_an_output() {
        let files = [TypeId::of::<PathBuf>(), TypeId::of::<PlotFile>()];
        for command in CommandLine::program().get_subcommands() {
            for argument in command.get_arguments() {
                let id = argument.get_id().as_str();
                let kind = argument.get_value_parser().type_id();
                let known = [&INPUTS[..], &OUTPUTS[..], &FOLDERS[..]];
                let known = known.iter().filter(|ids| ids.contains(&id)).count();
                let wanted = usize::from(files.iter().any(|file| kind == *file) || id == "task");
                assert_eq!(known, wanted, "{} {id}", command.get_name());
            }
        }
    }
}
