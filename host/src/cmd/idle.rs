//! Flags that would do nothing beside the others of a command line: they are errors.
//! clap itself refuses two flags that exclude each other; here are the flags whose use
//! depends on a value or on a file.

use std::path::Path;

use clap::parser::ValueSource;
use clap::{ArgMatches, Command};

use super::CommandError;
use crate::sweep::page::is_sweep;

/// Flags of a command that do nothing in one case.
struct Idle {
    command: &'static str,
    flags: Flags,
    /// The case.
    when: fn(&ArgMatches) -> bool,
    /// Why the flags do nothing.
    because: &'static str,
}

/// Flags by their identifiers.
enum Flags {
    These(&'static [&'static str]),
    AllExcept(&'static [&'static str]),
}

const IDLE: &[Idle] = &[
    Idle {
        command: "convert",
        flags: Flags::These(&["force"]),
        when: |line| given(line, "dry_run") || given(line, "initial_weights"),
        because: "nothing is written, so no result is in the way",
    },
    Idle {
        command: "export",
        flags: Flags::These(&["dt", "trial", "seed", "task"]),
        when: |line| is(line, "to", "nir"),
        because: "a NIR graph holds a network without a trial and without a time step",
    },
    Idle {
        command: "export",
        flags: Flags::AllExcept(&["model", "to", "output"]),
        when: |line| is(line, "to", "c"),
        because: "a deployed network has its neuron, its step and its task",
    },
    Idle {
        command: "export",
        flags: Flags::These(&["profile"]),
        when: |line| !is(line, "to", "nir"),
        because: "only a NIR graph has nodes to choose; --profile belongs to --to nir",
    },
    Idle {
        command: "export",
        flags: Flags::These(&[
            "lambda",
            "neuron",
            "filter",
            "refractory",
            "noise",
            "dt",
            "trial",
            "seed",
        ]),
        when: |line| is(line, "to", "verilog"),
        because: "a deployed network has its neuron, its time step and its self-test in it",
    },
    Idle {
        command: "report",
        flags: Flags::These(&[
            "lambda",
            "lambdas",
            "trials",
            "task",
            "seed",
            "neuron",
            "filter",
            "refractory",
            "noise",
        ]),
        when: |line| raw(line, "run").is_some_and(is_sweep),
        because: "the folder of a sweep holds its scores, and no trial is run",
    },
    Idle {
        command: "simulate",
        flags: Flags::These(&["task"]),
        when: |line| given(line, "input"),
        because: "the trials of --input have no right answer",
    },
    Idle {
        command: "simulate",
        flags: Flags::These(&["trials"]),
        when: always_the_same_trial,
        because: "with --input, --v0 and --noise 0 each trial is the same",
    },
    Idle {
        command: "sweep",
        flags: Flags::AllExcept(&["merge"]),
        when: |line| given(line, "merge"),
        because: "--merge joins rows, and the plan of the sweep is in its folder",
    },
    Idle {
        command: "sweep",
        flags: Flags::AllExcept(&["share", "output_dir"]),
        when: |line| given(line, "share"),
        because: "the plan of the sweep is in its folder",
    },
    Idle {
        command: "sweep",
        flags: Flags::These(&["slurm_option"]),
        when: |line| !given(line, "slurm"),
        because: "nothing is submitted; add --slurm ELEMENTS",
    },
    Idle {
        command: "pipeline",
        flags: Flags::These(&["restarts"]),
        when: |line| given(line, "from"),
        because: "a training with --from begins with a model and not at random",
    },
    Idle {
        command: "train",
        flags: Flags::These(&["restarts"]),
        when: |line| given(line, "from"),
        because: "a training with --from begins with a model and not at random",
    },
    Idle {
        command: "train",
        flags: Flags::These(&["restarts"]),
        when: |line| is(line, "mode", "eval"),
        because: "--mode eval trains no network",
    },
    Idle {
        command: "train",
        flags: Flags::These(&["backend"]),
        when: |line| is(line, "mode", "eval"),
        because: "--mode eval scores a network on the CPU",
    },
    Idle {
        command: "train",
        flags: Flags::These(&["units", "act", "output_dir", "gpu"]),
        when: |line| is(line, "mode", "eval"),
        because: "--mode eval scores the network in --model, and writes nothing",
    },
];

/// Flags of every command, which say what is printed.
const OF_EVERY_COMMAND: [&str; 2] = ["json", "quiet"];

fn given(line: &ArgMatches, id: &str) -> bool {
    line.value_source(id) == Some(ValueSource::CommandLine)
}

/// The first value of an argument.
fn raw<'a>(line: &'a ArgMatches, id: &str) -> Option<&'a Path> {
    let mut values = line.try_get_raw(id).ok().flatten()?;
    values.next().map(Path::new)
}

fn is(line: &ArgMatches, id: &str, value: &str) -> bool {
    raw(line, id).is_some_and(|found| found.as_os_str().eq_ignore_ascii_case(value))
}

fn always_the_same_trial(line: &ArgMatches) -> bool {
    let noise = line.try_get_one::<f64>("noise").ok().flatten();
    given(line, "input") && given(line, "v0") && noise == Some(&0.0)
}

/// Refuses a flag that would do nothing.
///
/// # Errors
/// [`CommandError::Usage`], which names the flag and the reason.
pub fn check(program: &Command, matches: &ArgMatches) -> Result<(), CommandError> {
    let Some((name, line)) = matches.subcommand() else {
        return Ok(());
    };
    let Some(command) = program.find_subcommand(name) else {
        return Ok(());
    };
    for idle in IDLE {
        if idle.command != name || !(idle.when)(line) {
            continue;
        }
        for argument in command.get_arguments() {
            let id = argument.get_id().as_str();
            let is_idle = match idle.flags {
                Flags::These(flags) => flags.contains(&id),
                Flags::AllExcept(flags) => !flags.contains(&id) && !OF_EVERY_COMMAND.contains(&id),
            };
            if let (true, true, Some(long)) = (is_idle, given(line, id), argument.get_long()) {
                return Err(CommandError::Usage(format!(
                    "--{long} does nothing here: {}; leave it out",
                    idle.because
                )));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cmd::command_line::CommandLine;

    #[test]
    fn every_entry_names_a_command_and_its_flags() {
        let program = CommandLine::program();
        for idle in IDLE {
            let command = program.find_subcommand(idle.command);
            let command = command.unwrap_or_else(|| panic!("no command {}", idle.command));
            let (Flags::These(flags) | Flags::AllExcept(flags)) = idle.flags;
            for flag in flags {
                let known = command.get_arguments().any(|known| known.get_id() == *flag);
                assert!(known, "{} {flag}", idle.command);
            }
        }
    }

    #[test]
    fn a_flag_that_does_nothing_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let sweep = folder.path().join("plan.json");
        std::fs::write(&sweep, "{}").expect("a file");
        let sweep = format!("report {}", folder.path().display());
        let slurm = "sweep --task xor --slurm 2 --slurm-option=--time=1";
        for (line, flag) in [
            ("convert m.mat --force", "--dry-run"),
            ("convert m.mat --force", "--initial-weights"),
            ("export m.mat --to nir", "--dt 0.5"),
            ("export m.mat --to nir", "--trial 1"),
            ("export m.mat --to nir", "--seed 2"),
            ("export m.mat --to nir", "--task xor"),
            ("export m.mat --to nest", "--profile exact"),
            ("export n.snn --to c", "--lambda 25"),
            ("export n.snn --to c", "--dt 0.5"),
            ("export n.snn --to c", "--neuron lif"),
            (&sweep, "--lambda 25"),
            (&sweep, "--lambdas 25"),
            (&sweep, "--trials 5"),
            (&sweep, "--task xor"),
            (&sweep, "--seed 2"),
            ("simulate m.mat --input u.mat", "--task xor"),
            (
                "simulate m.mat --input u.mat --v0 v.mat --noise 0",
                "--trials 2",
            ),
            ("sweep --merge s", "--task xor"),
            ("sweep --merge s", "--seeds 3"),
            ("sweep --merge s", "--n_trials 3"),
            ("sweep --share 1/2", "--trials 3"),
            ("sweep --task xor", "--slurm-option=--time=1"),
            ("train --mode eval --model m.mat", "--backend cpu"),
            ("train --mode eval --model m.mat", "--N 5"),
            ("train --mode eval --model m.mat", "--act lif"),
            ("train --mode eval --model m.mat", "--output_dir o"),
            ("train --mode eval --model m.mat", "--gpu 1"),
            ("train --mode eval --model m.mat", "--restarts 2"),
            ("train --task xor --from m.mat", "--restarts 2"),
            ("pipeline xor --from m.mat", "--restarts 2"),
            ("train --task xor --seeds 1..2", "--seed 3"),
        ] {
            let with = format!("{line} {flag}");
            let words = |line: &str| -> Vec<String> {
                let words = line.split(' ').map(String::from);
                std::iter::once("rate2spike".into()).chain(words).collect()
            };
            let error = CommandLine::read_from(words(&with))
                .map(|_| ())
                .expect_err(&with);
            let name = flag.split([' ', '=']).next().expect("a word");
            let said = error.to_string();
            assert_eq!(error.exit_code(), 2, "{with}");
            let named = said.contains(name) || line.contains("--force") && said.contains("--force");
            assert!(named, "{with}: {said}");
            let without = CommandLine::read_from(words(line));
            assert!(without.is_ok(), "{line}: {:?}", without.err());
        }
        assert!(
            CommandLine::read_from(["rate2spike"].iter().copied().chain(slurm.split(' '))).is_ok()
        );
    }
}
