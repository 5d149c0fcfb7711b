//! `rate2spike completions` and `rate2spike man`: completions for a shell and the pages
//! of the manual, both made from the flags.

use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, Command};
use clap_complete::Shell;
use clap_mangen::Man;
use serde::Serialize;

use super::CommandError;
use crate::formats::disk;
use crate::formats::outputs::Outputs;
use crate::print::console::Console;
use crate::print::path::lossy;

/// Print completions of commands and flags for a shell
///
/// Example:  rate2spike completions bash > ~/.local/share/bash-completion/completions/rate2spike
#[derive(Clone, Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Write the manual, one page for each command
///
/// Example:  rate2spike man -o ~/.local/share/man/man1
#[derive(Clone, Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct ManArgs {
    /// Folder of the pages
    #[arg(
        long = "output-dir",
        short = 'o',
        visible_aliases = ["output_dir", "output"],
        value_name = "DIR",
        default_value = "."
    )]
    pub output_dir: PathBuf,
}

#[derive(Serialize)]
struct CompletionsReport {
    shell: String,
    script: String,
}

#[derive(Serialize)]
struct ManReport {
    #[serde(serialize_with = "lossy")]
    pages: Vec<PathBuf>,
}

/// Prints the completions of `program`.
///
/// # Errors
/// None; the signature is that of every command.
pub fn completions(
    args: &CompletionsArgs,
    mut program: Command,
    console: &Console,
) -> Result<(), CommandError> {
    let name = program.get_name().to_string();
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut program, name, &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    console.say(&script);
    console.json(&CompletionsReport {
        shell: args.shell.to_string(),
        script,
    });
    Ok(())
}

/// Writes the manual of `program`.
///
/// # Errors
/// If a page cannot be written.
pub fn man(args: &ManArgs, mut program: Command, console: &Console) -> Result<(), CommandError> {
    program.build();
    let name = program.get_name().to_string();
    let mut pages = vec![write_page(&args.output_dir, &name, program.clone())?];
    for command in program
        .get_subcommands()
        .filter(|command| !command.is_hide_set())
    {
        let page = format!("{name}-{}", command.get_name());
        pages.push(write_page(&args.output_dir, &page, command.clone())?);
    }
    let report = ManReport { pages };
    console.json(&report);
    console.say(format!(
        "{} pages in {}",
        report.pages.len(),
        args.output_dir.display()
    ));
    Ok(())
}

fn write_page(folder: &Path, name: &str, command: Command) -> Result<PathBuf, CommandError> {
    let path = folder.join(format!("{name}.1"));
    let page = rendered(command, name).map_err(|source| disk::DiskError::Write {
        path: path.clone(),
        source,
        advice: "",
    })?;
    Outputs::new().derives("--output-dir", &path, |bytes| {
        String::from_utf8_lossy(bytes).contains(".TH rate2spike")
    })?;
    disk::write(&path, &page)?;
    Ok(path)
}

fn rendered(command: Command, name: &str) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    Man::new(command).title(name).render(&mut page)?;
    Ok(page)
}
