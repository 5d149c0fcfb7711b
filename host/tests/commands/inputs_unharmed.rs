//! No command harms a file that it reads: every output flag of every command is
//! pointed at every input, directly, through links and through detours.

use std::path::Path;

use crate::bench::{INPUTS, fill, run};

/// A command with all its inputs, and a flag that names an output.
struct Case {
    line: &'static str,
    flag: &'static str,
    /// Endings that the flag takes; an empty one stands for any.
    endings: &'static [&'static str],
}

const CASES: &[Case] = &[
    Case {
        line: "simulate m.mat --lambda 25 --input u.mat --v0 v0.mat",
        flag: "-o",
        endings: &["mat", "npz", "csv"],
    },
    Case {
        line: "simulate m.mat --lambda 25 --task t.toml --v0 v0.mat",
        flag: "--plot",
        endings: &["svg", "png"],
    },
    Case {
        line: "convert m.mat --lambdas 25 --task t.toml --trials 1 --dry-run",
        flag: "--plot",
        endings: &["svg", "png"],
    },
    Case {
        line: "quantize m.mat --lambda 25 --task t.toml --trials 1",
        flag: "-o",
        endings: &[""],
    },
    Case {
        line: "export m.mat --lambda 25 --to nir",
        flag: "--output",
        endings: &[""],
    },
    Case {
        line: "export m.mat --lambda 25 --to brian2 --task t.toml",
        flag: "-o",
        endings: &["py"],
    },
    Case {
        line: "import g.nir --task t.toml --trials 1",
        flag: "-o",
        endings: &[""],
    },
    Case {
        line: "deploy n.snn --board rp2040 --format hex --slow --task t.toml",
        flag: "-o",
        endings: &[""],
    },
    Case {
        line: "deploy n.snn --board rp2040 --format uf2 --slow --task t.toml --firmware fw.elf",
        flag: "-o",
        endings: &[""],
    },
    Case {
        line: "report m.mat --lambda 25 --lambdas 25 --task t.toml --trials 1",
        flag: "-o",
        endings: &[""],
    },
    Case {
        line: "train --task t.toml --N 10 --n_trials 1 --from m.mat",
        flag: "--losses",
        endings: &[""],
    },
    Case {
        line: "train --task t.toml --N 10 --n_trials 1 --from m.mat --seeds 1..2",
        flag: "--losses",
        endings: &[""],
    },
    Case {
        line: "trials t.toml --trials 1",
        flag: "-o",
        endings: &["npz"],
    },
    // Flags that name a folder.
    Case {
        line: "train --task t.toml --N 10 --n_trials 1 --from m.mat",
        flag: "--output_dir",
        endings: &[""],
    },
    Case {
        line: "train --task t.toml --N 10 --n_trials 1 --from m.mat --seeds 1..2",
        flag: "--output_dir",
        endings: &[""],
    },
    Case {
        line: "pipeline t.toml --act sigmoid --N 10 --n_trials 1 --trials 1 --from m.mat",
        flag: "--output_dir",
        endings: &[""],
    },
    Case {
        line: "report m.mat --lambda 25 --lambdas 25 --task t.toml --trials 1",
        flag: "--figures",
        endings: &[""],
    },
    Case {
        line: "sweep --task t.toml --n 10 --n_trials 1 --seeds 1",
        flag: "-o",
        endings: &[""],
    },
];

/// Name and bytes of every input of `line` in `folder`.
fn inputs<'a>(folder: &Path, line: &'a str) -> Vec<(&'a str, Vec<u8>)> {
    let names = line.split(' ').filter(|word| folder.join(word).is_file());
    names
        .map(|name| {
            let bytes = std::fs::read(folder.join(name)).expect("a readable file");
            (name, bytes)
        })
        .collect()
}

/// Other names for `name` in `folder`, with its ending.
fn aliases(folder: &Path, name: &str) -> Vec<String> {
    let ending = Path::new(name).extension().unwrap_or_default();
    let ending = ending.to_str().expect("a name of this test");
    let (soft, hard) = (format!("soft.{ending}"), format!("hard.{ending}"));
    let mut aliases = vec![name.into(), format!("./sub/../{name}"), hard.clone()];
    std::fs::create_dir_all(folder.join("sub")).expect("a writable folder");
    std::fs::hard_link(folder.join(name), folder.join(hard)).expect("a link");
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(name, folder.join(&soft)).expect("a link");
        aliases.push(soft);
    }
    aliases.push(folder.join(name).to_str().expect("UTF-8").into());
    aliases
}

/// Runs `line` in `folder`; the inputs must be there afterwards as they were.
fn leaves_the_inputs(folder: &Path, line: &str) {
    let before = inputs(folder, line);
    let output = run(folder, &line.split(' ').collect::<Vec<_>>());
    let message = String::from_utf8_lossy(&output.stderr);
    for (name, bytes) in before {
        let now = std::fs::read(folder.join(name));
        assert!(
            now.is_ok_and(|now| now == bytes),
            "{line}: {name} is harmed: {message}"
        );
    }
    assert!(
        !output.status.success(),
        "{line}: it would have harmed its input"
    );
    assert_ne!(output.status.code(), Some(101), "{line}: {message}");
    assert!(
        message.contains("rate2spike") || message.contains("error"),
        "{line}: {message}"
    );
}

#[test]
fn an_output_that_is_an_input_is_refused_by_every_flag_of_every_command() {
    for case in CASES {
        for input in INPUTS {
            if !case.line.split(' ').any(|word| word == input) {
                continue;
            }
            for ending in case.endings {
                // A task is only a task as .toml.
                if !ending.is_empty() && input.ends_with("toml") {
                    continue;
                }
                let folder = tempfile::tempdir().expect("a folder");
                fill(folder.path());
                let attacked = if ending.is_empty() {
                    input.into()
                } else {
                    format!("attacked.{ending}")
                };
                let (from, to) = (folder.path().join(input), folder.path().join(&attacked));
                std::fs::rename(from, to).expect("a writable folder");
                let line = case.line.replace(input, &attacked);
                for alias in aliases(folder.path(), &attacked) {
                    leaves_the_inputs(folder.path(), &format!("{line} {} {alias}", case.flag));
                }
            }
        }
    }
}

#[test]
fn every_case_writes_its_output_where_nothing_is_in_its_way() {
    for case in CASES {
        for ending in case.endings {
            let folder = tempfile::tempdir().expect("a folder");
            fill(folder.path());
            let name = format!("new.{ending}");
            let name = name.trim_end_matches('.');
            let before = inputs(folder.path(), case.line);
            let line = format!("{} {} {name}", case.line, case.flag);
            let output = run(folder.path(), &line.split(' ').collect::<Vec<_>>());
            let message = String::from_utf8_lossy(&output.stderr);
            // The firmware of this case is not a real one, so that its image is refused.
            let refused = line.contains("fw.elf");
            assert_eq!(
                folder.path().join(name).exists(),
                !refused,
                "{line}: {message}"
            );
            assert_eq!(inputs(folder.path(), case.line), before, "{line}");
        }
    }
}

#[test]
fn a_name_that_the_program_chooses_is_no_input_either() {
    for (input, name, line) in [
        ("m.mat", "m.nir", "export m.nir --lambda 25 --to nir"),
        (
            "m.mat",
            "m.npz",
            "export m.npz --lambda 25 --to nest --task t.toml -o m.py",
        ),
        (
            "m.mat",
            "m_nest.py",
            "export m.mat --lambda 25 --to nest --task t.toml",
        ),
        (
            "m.mat",
            "m.html",
            "report m.html --lambda 25 --lambdas 25 --task t.toml --trials 1",
        ),
        (
            "n.snn",
            "n.bin",
            "deploy n.bin --board rp2040 --format bin --slow --task t.toml",
        ),
        (
            "u.mat",
            "r_out.csv",
            "simulate m.mat --lambda 25 --input r_out.csv -o r.csv",
        ),
        (
            "u.mat",
            "r_rates.csv",
            "simulate m.mat --lambda 25 --input r_rates.csv -o r.csv",
        ),
        (
            "v0.mat",
            "p_outputs.svg",
            "simulate m.mat --lambda 25 --v0 p_outputs.svg --task t.toml --plot p.svg",
        ),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        fill(folder.path());
        let (from, to) = (folder.path().join(input), folder.path().join(name));
        std::fs::copy(from, &to).expect("a writable folder");
        let bytes = std::fs::read(&to).expect("a readable file");
        leaves_the_inputs(folder.path(), line);
        assert_eq!(std::fs::read(&to).expect("it is there"), bytes, "{line}");
    }
}

#[test]
fn a_neighbour_of_another_program_stays_and_one_of_ours_is_replaced() {
    for (neighbour, line) in [
        (
            "s.npz",
            "export m.mat --lambda 25 --to brian2 --task t.toml -o s.py",
        ),
        ("m.nir", "export m.mat --lambda 25 --to nir"),
        (
            "r_out.csv",
            "simulate m.mat --lambda 25 --task t.toml -o r.csv",
        ),
        (
            "r_rates.csv",
            "simulate m.mat --lambda 25 --task t.toml -o r.csv",
        ),
        (
            "p_outputs.png",
            "simulate m.mat --lambda 25 --task t.toml --plot p.png",
        ),
        (
            "n.hex",
            "deploy n.snn --board rp2040 --format hex --slow --task t.toml",
        ),
        (
            "m.html",
            "report m.mat --lambda 25 --lambdas 25 --task t.toml --trials 1",
        ),
        ("pages/rate2spike.1", "man -o pages"),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        fill(folder.path());
        let arguments: Vec<&str> = line.split(' ').collect();
        for round in 1..=2 {
            let output = run(folder.path(), &arguments);
            let message = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{line}, round {round}: {message}");
        }
        let path = folder.path().join(neighbour);
        std::fs::write(&path, "years of work\n").expect("it was written");
        let output = run(folder.path(), &arguments);
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{line}: {message}");
        assert!(message.contains(neighbour), "{line}: {message}");
        assert_eq!(
            std::fs::read(&path).expect("a file"),
            b"years of work\n",
            "{line}"
        );
    }
}

/// `sweep --merge` reads and writes in one folder, and chooses its names.
#[test]
fn the_files_of_a_sweep_that_are_joined_are_not_replaced_through_links() {
    let folder = tempfile::tempdir().expect("a folder");
    fill(folder.path());
    let at = |name: &str| folder.path().join(name);
    let sweep = "sweep --task t.toml --n 10 --n_trials 1 --seeds 1 --trials 1 --search-trials 1 --act sigmoid -o rows";
    let merge = ["sweep", "--merge", "rows"];
    for arguments in [&sweep.split(' ').collect::<Vec<_>>()[..], &merge] {
        let output = run(folder.path(), arguments);
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {message}");
    }
    for input in ["rows/plan.json", "rows/rows.jsonl", "t.toml", "m.mat"] {
        for output in ["rows/rows.csv", "rows/success.svg", "rows/success.png"] {
            let kept = std::fs::read(at(output)).expect("the sweep wrote it");
            for soft in [false, true] {
                std::fs::remove_file(at(output)).expect("our file");
                if soft {
                    #[cfg(unix)]
                    std::os::unix::fs::symlink(at(input), at(output)).expect("a link");
                } else {
                    std::fs::hard_link(at(input), at(output)).expect("a link");
                }
                let before = std::fs::read(at(input)).expect("an input");
                let done = run(folder.path(), &merge);
                let message = String::from_utf8_lossy(&done.stderr);
                let now = std::fs::read(at(input)).expect("an input");
                assert!(now == before, "{output} is {input}: {message}");
                assert!(!message.contains("panicked"), "{output}: {message}");
                // A link of another name is replaced, or the merge is refused.
                let is_input = std::fs::read(at(output)).is_ok_and(|bytes| bytes == before);
                assert!(done.status.success() != is_input, "{output}: {message}");
            }
            std::fs::remove_file(at(output)).expect("a file or a link");
            std::fs::write(at(output), kept).expect("a writable folder");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_dangling_link_and_a_protected_file_are_refused_before_the_work() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    fill(folder.path());
    let at = |name: &str| folder.path().join(name);
    std::os::unix::fs::symlink("gone", at("link.mat")).expect("a link");
    std::fs::write(at("kept.mat"), b"kept").expect("a writable folder");
    for (name, mode) in [("kept.mat", 0o444), ("m.mat", 0o400)] {
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(at(name), mode).expect("our file");
    }
    let model = std::fs::read(at("m.mat")).expect("a readable file");
    for (line, part) in [
        (
            "simulate m.mat --lambda 25 --task t.toml -o link.mat",
            "link.mat",
        ),
        (
            "simulate m.mat --lambda 25 --task t.toml -o kept.mat",
            "chmod",
        ),
        (
            "convert m.mat --lambdas 25 --task t.toml --trials 1 --force",
            "chmod",
        ),
    ] {
        let output = run(folder.path(), &line.split(' ').collect::<Vec<_>>());
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(
            !output.status.success() && message.contains(part),
            "{line}: {message}"
        );
    }
    assert!(at("link.mat").is_symlink() && !at("gone").exists());
    assert_eq!(std::fs::read(at("kept.mat")).expect("a file"), b"kept");
    assert_eq!(std::fs::read(at("m.mat")).expect("a file"), model);
}

#[cfg(unix)]
#[test]
fn a_model_keeps_its_mode_when_a_search_is_written_into_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    fill(folder.path());
    let model = folder.path().join("m.mat");
    let mode = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(&model, mode).expect("our file");
    let before = std::fs::read(&model).expect("a readable file");
    let line = "convert m.mat --lambdas 25,50 --task t.toml --trials 1 --force";
    let output = run(folder.path(), &line.split(' ').collect::<Vec<_>>());
    assert!(output.status.success());
    assert_ne!(std::fs::read(&model).expect("a readable file"), before);
    let mode = std::fs::metadata(&model)
        .expect("a file")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_missing_input_leaves_no_folder_behind() {
    for line in [
        "report none.mat -o page.html",
        "report none.mat --figures figures",
        "report m.mat --lambda 25 --task none.toml --figures figures",
        "simulate none.mat -o new/a.mat",
        "deploy none.snn --board rp2040 --format hex -o new/a.hex",
        "quantize none.mat -o new/a.snn",
        "export none.mat --to nir -o new/a.nir",
        "import none.nir --task xor -o new/a.snn",
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        fill(folder.path());
        let output = run(folder.path(), &line.split(' ').collect::<Vec<_>>());
        assert!(!output.status.success(), "{line}");
        let entries = std::fs::read_dir(folder.path()).expect("a readable folder");
        assert_eq!(entries.count(), INPUTS.len(), "{line}");
    }
}

#[test]
fn a_figure_of_another_program_is_refused_before_the_work() {
    for (line, figure, not_made) in [
        (
            "report m.mat --lambda 25 --lambdas 25 --task t.toml --trials 1 -o p.html",
            "p_figures/raster.png",
            "p.html",
        ),
        (
            "sweep --task t.toml --n 10 --n_trials 1 --seeds 1 -o rows",
            "rows/success.svg",
            "rows/plan.json",
        ),
        (
            "reproduce fig2c --networks 1 --n 50 -o rows",
            "rows/success.png",
            "rows/plan.json",
        ),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        fill(folder.path());
        let figure = folder.path().join(figure);
        std::fs::create_dir_all(figure.parent().expect("a folder")).expect("a folder");
        std::fs::write(&figure, "years of work\n").expect("a file");
        let output = run(folder.path(), &line.split(' ').collect::<Vec<_>>());
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{line}: {message}");
        assert!(!folder.path().join(not_made).exists(), "{line}: {message}");
        let kept = std::fs::read(&figure).expect("it is there");
        assert_eq!(kept, b"years of work\n", "{line}");
    }
}

#[test]
fn the_figures_of_a_report_are_those_that_are_checked() {
    let folder = tempfile::tempdir().expect("a folder");
    fill(folder.path());
    let line = "report m.mat --lambda 25 --lambdas 25 --task t.toml --trials 1 -o p.html";
    let output = run(folder.path(), &line.split(' ').collect::<Vec<_>>());
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{message}");
    let figures = std::fs::read_dir(folder.path().join("p_figures")).expect("the figures");
    let mut seen = 0;
    for figure in figures {
        let path = figure.expect("a file").path();
        let name = path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .expect("UTF-8");
        let checked = rate2spike::report::figures::OF_A_RUN;
        assert!(checked.contains(&name), "{name} is not checked beforehand");
        seen += 1;
    }
    assert!(seen > 10, "only {seen} figures");
}

#[test]
fn a_way_through_a_missing_folder_and_back_to_an_input_is_refused() {
    let place = crate::place::Place::new();
    for line in [
        "quantize go-nogo.mat --lambda 25 --trials 1 -o missing/../go-nogo.mat",
        "simulate go-nogo.mat --lambda 25 -o missing/../go-nogo.mat",
        "report go-nogo.mat --lambda 25 --trials 1 -o missing/../go-nogo.mat",
    ] {
        place.fails(line, 2, &["missing/../go-nogo.mat", "is not there"]);
    }
}

#[test]
fn a_table_of_another_program_stops_a_sweep_before_it_leaves_anything() {
    let place = crate::place::Place::new();
    std::fs::create_dir(place.path("out")).expect("a folder");
    std::fs::write(place.path("out/rows.csv"), "mine").expect("a file");
    let line = "sweep --task go-nogo --n 20 --seeds 1 --n_trials 5 --trials 3 -o out";
    place.fails(line, 2, &["rows.csv", "did not write it"]);
}

#[cfg(unix)]
#[test]
fn convert_refuses_a_pipe_to_which_it_could_not_write_its_result() {
    let place = crate::place::Place::new();
    let mut command = std::process::Command::new("mkfifo");
    let made = command.arg(place.path("pipe.mat")).status();
    assert!(made.expect("mkfifo").success());
    let model = std::fs::read(place.path("go-nogo.mat")).expect("a model");
    let pipe = place.path("pipe.mat");
    let writer = std::thread::spawn(move || std::fs::write(pipe, model));
    let output = place.run("convert pipe.mat --task go-nogo --lambdas 25 --trials 1");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("copy the model to a file"), "{said}");
    writer
        .join()
        .expect("a writer")
        .expect("the program read all");
}
