//! The commands of the README and of the guides, one after the other, in an empty
//! folder.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Lines that install or test the program itself and are not run by its own tests.
const NOT_RUN: [&str; 2] = ["cargo test --workspace", "cargo install --path host"];

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The lines of the blocks of a page that are marked `sh`.
fn commands(page: &str) -> Vec<String> {
    let text = std::fs::read_to_string(repository().join(page)).expect("a page");
    let blocks = text.split("```sh\n").skip(1);
    let blocks = blocks.map(|rest| rest.split("```").next().unwrap_or_default());
    blocks.flat_map(str::lines).map(String::from).collect()
}

/// Runs the commands of a page in the order in which they stand there; each must end
/// with status 0. Says how many ran.
fn run(page: &str) -> usize {
    let folder = tempfile::tempdir().expect("a folder");
    // The guide tells the reader to write this file.
    let task = repository().join("docs/same-sign.toml");
    std::fs::copy(task, folder.path().join("same-sign.toml")).expect("a copy");
    let program = Path::new(env!("CARGO_BIN_EXE_rate2spike"));
    let programs = program.parent().expect("a folder of programs");
    let path = std::env::var("PATH").unwrap_or_default();
    let mut count = 0;
    for line in commands(page) {
        if NOT_RUN.contains(&line.as_str()) {
            continue;
        }
        let line = line.replace("cargo run --release --", "rate2spike");
        assert!(
            line.starts_with("rate2spike "),
            "{page}: '{line}' is no command of ours"
        );
        let output = Command::new("sh")
            .args(["-c", &line])
            .current_dir(folder.path())
            .env("PATH", format!("{}:{path}", programs.display()))
            .output()
            .expect("a shell");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{page}: {line}: {said}");
        count += 1;
    }
    count
}

#[test]
fn the_commands_of_the_readme_work() {
    assert_eq!(run("README.md"), 1);
}

#[test]
fn the_commands_of_the_guide_work_one_after_the_other() {
    assert!(run("docs/guide.md") >= 12);
}

#[test]
fn the_commands_of_the_page_about_boards_work() {
    assert_eq!(run("docs/board.md"), 2);
}

/// The guide's task is the one that docs/tasks.md explains.
#[test]
fn the_task_that_is_explained_is_read() {
    let text = std::fs::read_to_string(repository().join("docs/tasks.md")).expect("a page");
    let (_, block) = text.split_once("```toml\n").expect("a task");
    let (task, _) = block.split_once("```").expect("an end of the task");
    let place = crate::place::Place::new();
    std::fs::write(place.path("explained.toml"), task).expect("a file");
    let report = place.json("trials explained.toml --trials 2 -o t.npz");
    assert_eq!(report["channels"], 2);
}
