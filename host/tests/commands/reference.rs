//! The texts that scripts and readers rely on: the help of each command, the keys of
//! each JSON object, and the messages of the usual mistakes.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::Value as Json;

use crate::data::write_folder;
use crate::golden;
use crate::place::Place;

/// The names of all commands, read from the program's own help.
pub fn commands(place: &Place) -> Vec<String> {
    let help = place.run("--help");
    let text = String::from_utf8(help.stdout).expect("UTF-8");
    let (_, list) = text.split_once("Commands:\n").expect("a list of commands");
    let (list, _) = list.split_once("\n\n").expect("an end of the list");
    let names = list
        .lines()
        .filter_map(|line| line.split_whitespace().next());
    names
        .filter(|name| *name != "help")
        .map(String::from)
        .collect()
}

/// docs/commands.md is made from the program, and by nothing else.
#[test]
fn the_command_reference_is_made_from_the_present_flags() {
    let place = Place::new();
    let help = |line: &str| {
        let output = place.run(line);
        assert!(output.status.success(), "{line}");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        lines.join("\n")
    };
    let mut page = format!(
        "# Commands\n\n\
         This page is made from the program: `RATE2SPIKE_RENEW=1 cargo test -p rate2spike \
         --test commands reference` writes it. Each command prints its part with `--help`.\n\n\
         ```text\n{}\n```\n",
        help("--help")
    );
    let names = commands(&place);
    assert!(names.len() > 10, "{names:?}");
    for name in names {
        let text = help(&format!("{name} --help"));
        write!(page, "\n## {name}\n\n```text\n{text}\n```\n").expect("memory");
    }
    golden::compare("docs/commands.md", &page);
}

/// Commands with `--json`, in an order in which the earlier ones make the files of the
/// later ones.
const JSON: [&str; 21] = [
    "pipeline go-nogo --N 20 --n_trials 2 --trials 4 --output_dir p --report",
    "train --task xor --N 15 --n_trials 2 --output_dir t",
    "train --task xor --N 15 --n_trials 2 --seeds 1..2 --output_dir s",
    "train --mode eval --model go-nogo.mat",
    "convert go-nogo.mat --lambdas 20,25 --trials 4",
    "convert go-nogo.mat --calibrate --trials 4 --dry-run",
    "convert go-nogo.mat --lambdas 25 --trials 4 --refit-readout 4 --force",
    "simulate go-nogo.mat --lambda 25 --trials 2 -o r.mat",
    "quantize go-nogo.mat --lambda 25 --trials 4 -o net.snn",
    "quantize go-nogo.mat --lambda 25 --trials 4 --dt auto -o auto.snn",
    "run net.snn --trials 4",
    "inspect net.snn",
    "inspect go-nogo.mat",
    "deploy net.snn --board stm32f405 --slow",
    "sweep --task go-nogo --n 10 --seeds 1 --n_trials 2 --trials 4 -o sweep",
    "report sweep",
    "export go-nogo.mat --lambda 25 --to nir -o net.nir",
    "import net.nir --task go-nogo -o imported.snn --trials 4",
    "trials xor --trials 2 -o t.npz",
    "data waves -o waves.npz",
    "man -o pages",
];

/// The keys of `value` below `path`; those of a list's elements are behind `[]`.
fn keys(path: &str, value: &Json, found: &mut BTreeSet<String>) {
    match value {
        Json::Object(fields) => {
            for (name, value) in fields {
                let path = match path {
                    "" => name.clone(),
                    path => format!("{path}.{name}"),
                };
                keys(&path, value, found);
                found.insert(path);
            }
        }
        Json::Array(values) => {
            for value in values {
                keys(&format!("{path}[]"), value, found);
            }
        }
        _ => {}
    }
}

#[test]
fn the_keys_of_every_json_object_are_the_written_ones() {
    let place = Place::new();
    write_folder(&place, "waves", 3);
    let mut text = String::new();
    for line in JSON {
        let mut found = BTreeSet::new();
        keys("", &place.json(line), &mut found);
        let found: Vec<String> = found.into_iter().collect();
        assert!(!found.is_empty(), "{line}");
        writeln!(text, "{line}\n    {}\n", found.join("\n    ")).expect("memory");
    }
    golden::compare("host/tests/commands/golden/json-keys.txt", &text);
}

/// The usual mistakes.
const MISTAKES: [&str; 26] = [
    "pipeline",
    "pipeline tango",
    "pipeline go-nogo --N ten",
    "pipeline go-nogo --seed -1",
    "pipeline go-nogo --dt 7",
    "train --task xor --N 0",
    "train --task xor --act tanh",
    "train --task xor --decay_taus 20 4",
    "train --task nowhere.toml",
    "train --mode eval",
    "convert none.mat",
    "convert go-nogo.mat --trials 0",
    "convert go-nogo.mat --lambda -3",
    "convert go-nogo.mat --task mante",
    "simulate go-nogo.mat",
    "simulate go-nogo.mat --lambda 25 --dt 0.3",
    "simulate go-nogo.mat --lambda 25 -o rec.txt",
    "quantize go-nogo.mat",
    "quantize go-nogo.mat --lambda 25 -o go-nogo.mat/net.snn",
    "run go-nogo.mat",
    "run text.snn",
    "inspect text.mat",
    "import go-nogo.mat --task go-nogo -o n.snn",
    "export go-nogo.mat --lambda 25 --to brian2 -o net.txt",
    "report empty",
    "watch go-nogo.mat --lambda 25",
];

#[test]
fn the_messages_of_the_usual_mistakes_are_the_written_ones() {
    let place = Place::new();
    for name in ["text.mat", "text.snn"] {
        std::fs::write(place.path(name), "a line of text\n".repeat(20)).expect("a file");
    }
    std::fs::create_dir(place.path("empty")).expect("a folder");
    let mut text = String::new();
    for line in MISTAKES {
        let output = place.run(line);
        let status = output.status.code().expect("an exit status");
        assert!(matches!(status, 1 | 2), "{line}: {status}");
        assert!(output.stdout.is_empty(), "{line}");
        let message = String::from_utf8(output.stderr).expect("UTF-8");
        let message: Vec<&str> = message.lines().map(str::trim_end).collect();
        writeln!(text, "{line}\n{status}   {}\n", message.join("\n    ")).expect("memory");
    }
    golden::compare("host/tests/commands/golden/messages.txt", &text);
}
