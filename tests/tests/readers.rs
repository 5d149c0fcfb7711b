//! A model that we wrote, read by the field's own programs: the same variables
//! with the same sizes and classes as in a model of the published code.

use std::path::{Path, PathBuf};
use std::process::Command;

use rate2spike::formats::rate_model;
use rate2spike::rate::options::RateOptions;
use rate2spike::rate::shown::ShownTrials;
use rate2spike::rate::training::train;
use rate2spike::task::Task;
use rate2spike_tests::{published_model, skip};

/// Updates of the model of the published code: the room for its losses.
const PUBLISHED_UPDATES: usize = 5000;

/// Prints name, class and size of every variable of a file.
const SCIPY: &str = "
import sys, scipy.io
for name, size, kind in scipy.io.whosmat(sys.argv[1]):
    print(name, kind, 'x'.join(map(str, size)))
";

const OCTAVE: &str = "
file = load(argv(){end});
names = fieldnames(file);
for k = 1:numel(names)
  value = file.(names{k});
  printf('%s %s %s\\n', names{k}, class(value), strjoin(cellstr(num2str(size(value)', '%d'))', 'x'));
end
";

/// A model of the size of the published one, hardly trained.
fn our_model(folder: &Path) -> PathBuf {
    let options = RateOptions {
        updates: 2,
        ..RateOptions::published(Task::go_nogo(), 200)
    };
    let trained = train(&options, &mut ());
    rate_model::save(
        folder,
        &options,
        &trained,
        &ShownTrials::of(&options, &trained),
    )
    .expect("a writable folder")
}

/// The output of `reader` for both models, line by line. Only the size of the losses
/// may differ, and ours has the variable `task` beside the published ones.
fn compare(reader: impl Fn(&Path) -> Option<String>, name: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let (ours, theirs) = (our_model(folder.path()), published_model());
    let (Some(ours), Some(theirs)) = (reader(&ours), reader(&theirs)) else {
        return skip(&format!("{name} is not installed"));
    };
    let theirs = theirs.replace(&format!("x{PUBLISHED_UPDATES}"), "x2");
    assert!(theirs.lines().count() > 25, "{name}: {theirs}");
    let published = ours.lines().filter(|line| !line.starts_with("task "));
    assert!(
        published.clone().count() < ours.lines().count(),
        "{name}: {ours}"
    );
    assert!(published.eq(theirs.lines()), "{name}: {ours} {theirs}");
}

/// The output of a program that can be started.
fn output(command: &mut Command) -> Option<String> {
    let output = command.output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    let missing = errors.contains("ModuleNotFoundError");
    assert!(output.status.success() || missing, "{errors}");
    (!missing).then_some(text)
}

#[test]
fn scipy_sees_the_variables_of_the_published_code() {
    let read = |path: &Path| output(Command::new("python3").args(["-c", SCIPY]).arg(path));
    compare(read, "scipy");
}

#[test]
fn octave_sees_the_variables_of_the_published_code() {
    let folder = tempfile::tempdir().expect("a folder");
    let script = folder.path().join("whos.m");
    std::fs::write(&script, OCTAVE).expect("a writable folder");
    let read = |path: &Path| {
        output(
            Command::new("octave-cli")
                .args(["--no-init-file", "--quiet"])
                .arg(&script)
                .arg(path),
        )
    };
    compare(read, "GNU Octave");
}
