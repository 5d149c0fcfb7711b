//! Flags as a hand types them: each explains itself, has one name in two spellings, and
//! answers a wrong number by its name. Whatever a message advises can be typed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::{Arg, Command};
use rate2spike::cmd::command_line::CommandLine;
use rate2spike::cmd::files;

fn program() -> Command {
    let mut program = CommandLine::program();
    program.build();
    program
}

fn commands(program: &Command) -> impl Iterator<Item = &Command> {
    program.get_subcommands().filter(|c| c.get_name() != "help")
}

fn names(argument: &Arg) -> BTreeSet<String> {
    let aliases = argument.get_all_aliases().unwrap_or_default();
    let names = argument.get_long().into_iter().chain(aliases);
    names.map(String::from).collect()
}

#[test]
fn every_command_has_an_example_and_every_flag_has_help() {
    for command in commands(&program()) {
        let name = command.get_name();
        let about = command.get_long_about().or(command.get_about());
        let about = about.map(ToString::to_string).unwrap_or_default();
        assert!(about.contains("Example:"), "{name} has no example: {about}");
        for argument in command.get_arguments() {
            assert!(argument.get_help().is_some(), "{name} {argument}: no help");
        }
    }
}

#[test]
fn every_name_is_read_with_hyphens_and_with_underscores() {
    for command in commands(&program()) {
        for argument in command.get_arguments() {
            let names = names(argument);
            for name in &names {
                for other in [name.replace('-', "_"), name.replace('_', "-")] {
                    let at = format!("{} --{other}", command.get_name());
                    assert!(names.contains(&other), "{at}: only --{name}");
                }
            }
        }
    }
}

#[test]
fn an_output_has_the_same_names_in_every_command() {
    let has = |argument: &Arg, wanted: &[&str]| {
        let names = names(argument);
        argument.get_short() == Some('o') && wanted.iter().all(|name| names.contains(*name))
    };
    let mut found = 0;
    for command in commands(&program()) {
        for argument in command.get_arguments() {
            let wanted: &[&str] = match argument.get_id().as_str() {
                "output" => &["output"],
                "output_dir" => &["output-dir", "output_dir", "output"],
                _ => continue,
            };
            found += 1;
            assert!(has(argument, wanted), "{} {argument}", command.get_name());
        }
    }
    assert!(found > 10, "only {found} outputs");
}

/// The shortest command line of each command that takes numbers.
const SHORTEST: [&str; 15] = [
    "pipeline xor",
    "train --task xor",
    "convert m.mat",
    "simulate m.mat",
    "quantize m.mat -o n.snn",
    "run n.snn",
    "watch m.mat",
    "deploy n.snn --board rp2040",
    "sweep --task xor",
    "reproduce fig2c",
    "report m.mat",
    "export m.mat --to nest",
    "import g.nir --task xor -o n.snn",
    "trials xor -o t.npz",
    "data d.npz -o e.npz",
];

/// Flags whose values are texts or may begin with a minus sign: an option for another
/// program, a potential, names of classes and of a column.
const FREE: [&str; 4] = ["slurm_option", "start", "classes", "time_column"];

#[test]
fn a_negative_number_is_answered_by_the_name_of_its_flag() {
    let program = program();
    let mut tried = 0;
    for command in commands(&program) {
        let name = command.get_name();
        let line = SHORTEST.iter().find(|line| {
            let mut words = line.split(' ');
            words.next() == Some(name)
        });
        for argument in command.get_arguments() {
            let id = argument.get_id().as_str();
            let Some(long) = argument.get_long() else {
                continue;
            };
            let takes_a_number = argument.get_action().takes_values()
                && argument.get_possible_values().is_empty()
                && !files::INPUTS.contains(&id)
                && !files::is_output(id)
                && !FREE.contains(&id);
            if !takes_a_number {
                continue;
            }
            let line = line.unwrap_or_else(|| panic!("no line of {name}, which has --{long}"));
            for flag in names(argument) {
                for value in ["-5", "-0.5", "-5,3", "-5..3"] {
                    // The values of such a flag end at the first word that is no number.
                    let several = argument
                        .get_num_args()
                        .is_some_and(|n| n.max_values() > 1 || n.min_values() == 0);
                    if several && (value.contains(',') || value.contains("..")) {
                        continue;
                    }
                    let words = format!("rate2spike {line} --{flag} {value}");
                    let answer = CommandLine::read_from(words.split(' '));
                    let answer = answer.map(|_| ()).expect_err(&words);
                    assert_eq!(answer.exit_code(), 2, "{words}");
                    let said = answer.to_string();
                    assert!(said.contains(&format!("--{long}")), "{words}: {said}");
                }
            }
            tried += 1;
        }
    }
    assert!(tried > 80, "only {tried} flags were tried");
}

/// Flags of other programs that our sources mention.
const FOREIGN: [&str; 15] = [
    "--release",
    "--bin",
    "--features",
    "--job-name",
    "--array",
    "--parsable",
    "--wrap",
    "--chip",
    "--binary-format",
    "--base-address",
    "--partition",
    "--time",
    "--help",
    "--version",
    "--test",
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// The words of `text` that begin as a long flag does.
fn flags(text: &str) -> Vec<&str> {
    let mut flags = Vec::new();
    for (at, _) in text.match_indices("--") {
        let before = text[..at].chars().next_back();
        let rest = &text[at + 2..];
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'))
            .unwrap_or(rest.len());
        let name = rest[..end].trim_end_matches('-');
        let starts = name.starts_with(|c: char| c.is_ascii_alphabetic());
        if starts && before.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '-') {
            flags.push(&text[at..at + 2 + name.len()]);
        }
    }
    flags
}

#[test]
fn every_flag_that_a_message_or_a_help_text_names_is_there() {
    let program = program();
    let of = |command: &Command| -> BTreeSet<String> {
        let arguments = command.get_arguments();
        let all = arguments.flat_map(|argument| names(argument).into_iter());
        all.map(|name| format!("--{name}")).collect()
    };
    let anywhere: BTreeSet<String> = commands(&program).flat_map(of).collect();
    let mut files = Vec::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    sources(&folder, &mut files);
    let (mut seen, mut wrong) = (0, Vec::new());
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a source file");
        let text = text.split("#[cfg(test)]").next().expect("a first part");
        let stem = file.file_stem().and_then(|stem| stem.to_str());
        let is_command = file.parent().is_some_and(|folder| folder.ends_with("cmd"));
        let own = program
            .get_subcommands()
            .find(|command| is_command && Some(command.get_name()) == stem);
        for line in text.lines() {
            // Commands that the line names, each up to the end of its example.
            let mut examples = line.split("rate2spike ").collect::<Vec<_>>();
            let outside = examples.remove(0);
            for example in examples {
                let example = example.split(['`', '"', ';']).next().unwrap_or_default();
                let mut words = example.split(' ');
                let Some(command) = words.next().and_then(|name| program.find_subcommand(name))
                else {
                    continue;
                };
                for flag in flags(example) {
                    seen += 1;
                    if !of(command).contains(flag) && !FOREIGN.contains(&flag) {
                        wrong.push(format!("{}: {line}", file.display()));
                    }
                }
            }
            for flag in flags(outside) {
                seen += 1;
                let known = match own {
                    // A command may point to another one, which the line then names.
                    Some(own) => {
                        of(own).contains(flag)
                            || commands(&program).any(|other| {
                                line.contains(other.get_name()) && of(other).contains(flag)
                            })
                    }
                    None => anywhere.contains(flag),
                };
                if !known && !FOREIGN.contains(&flag) {
                    wrong.push(format!("{}: {flag} in {line}", file.display()));
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "advice that cannot be followed: {wrong:#?}"
    );
    assert!(seen > 100, "only {seen} flags were found in the sources");
}

#[test]
fn what_a_training_cannot_use_is_refused_before_it_begins_with_advice_that_can_be_followed() {
    let place = crate::place::Place::new();
    let train = "train --task xor --N 10 --n_trials 2 --output_dir new";
    for (line, parts) in [
        (format!("{train} --jitter -1"), ["jitter = -1", "0 or more"]),
        (
            format!("{train} --fluctuations -0.1"),
            ["= -0.1;", "0 or more"],
        ),
        (
            format!("{train} --weight_decay -1"),
            ["weight_decay", "0 or more"],
        ),
        (
            format!("{train} --rate_penalty -1"),
            ["rate_penalty", "0 or more"],
        ),
        (
            format!("{train} --gain 1e30"),
            ["gain = 1e30", "at most 1000000"],
        ),
        (
            format!("{train} --input_gain 1e38"),
            ["input_gain", "at most 1000000"],
        ),
        (
            "pipeline xor --calibrate --noise 0".into(),
            ["--calibrate", "--noise is 0"],
        ),
        (
            "pipeline xor --noise 1000".into(),
            ["--noise 1000", "beyond"],
        ),
        (
            "sweep --task xor --n 20,20 -o s".into(),
            ["--n has 20 twice", "once"],
        ),
        (
            "sweep --task xor,xor -o s".into(),
            ["--task has xor twice", "once"],
        ),
        (
            "sweep --task xor --act lif,lif -o s".into(),
            ["--act has lif twice", "once"],
        ),
        (
            "simulate go-nogo.mat --record-every 0".into(),
            ["--record-every", "1 or more"],
        ),
    ] {
        place.fails(&line, 2, &parts);
    }
    // Without noise there is nothing to calibrate to, and the network keeps its lambda.
    let line = "pipeline xor --N 10 --n_trials 1 --trials 2 --noise 0";
    assert_eq!(place.json(line)["lambda"], 50.0);
}
