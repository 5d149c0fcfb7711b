//! Disks that fill up, and folders that go away, while a network is trained:
//! what was trained is not lost.

#![cfg(target_os = "linux")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Some hundred updates, a second or two.
const TRAINING: &str = "train --task xor --N 15 --act lif --batch 2 --n_trials 600 --seed 7";

fn program() -> &'static str {
    env!("CARGO_BIN_EXE_rate2spike")
}

/// The bytes of the one model below a folder.
fn model(folder: &Path) -> Option<Vec<u8>> {
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == "mat") {
                return std::fs::read(path).ok();
            }
        }
    }
    None
}

/// What the training gives where nothing is in its way.
fn undisturbed() -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let status = Command::new(program())
        .args(TRAINING.split(' '))
        .current_dir(folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    assert!(status.is_ok());
    model(folder.path()).expect("it is saved whether or not the criterion is met")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs a script that has a disk of `kilobytes` at `disk`, whose content is left
/// in `kept`; `None` where this may not be done here.
fn with_small_disk(folder: &Path, kilobytes: usize, script: &str) -> Option<Output> {
    let whole = format!(
        "mkdir disk kept && mount -t tmpfs -o size={kilobytes}k tmpfs disk || exit 77\n\
         {script}\n\
         status=$?; cp -a disk/. kept/; exit $status"
    );
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", &whole])
        .env("PROGRAM", program())
        .current_dir(folder)
        .output();
    let output = output
        .ok()
        .filter(|output| output.status.code() != Some(77) && !said(output).starts_with("unshare:"));
    if output.is_none() {
        assert!(
            std::env::var_os("RATE2SPIKE_REQUIRE_ALL").is_none(),
            "no disk can be mounted here"
        );
        eprintln!("skipped: no disk can be mounted here");
    }
    output
}

#[test]
fn a_disk_that_fills_up_while_training_has_room_for_the_model() {
    let folder = tempfile::tempdir().expect("a folder");
    // The first check point has room; then the disk is filled to the last byte.
    let script = format!(
        "cd disk\n\
         $PROGRAM {TRAINING} --checkpoint-every 1 > ../out 2> ../err &\n\
         while ! find . -name '*.checkpoint' | grep -q .; do sleep 0.01; done\n\
         cat /dev/zero > filling 2> /dev/null\n\
         kill -0 $! && echo filled in time > ../in_time\n\
         wait $!; cd .."
    );
    if with_small_disk(folder.path(), 1024, &script).is_none() {
        return;
    }
    assert!(
        folder.path().join("in_time").exists(),
        "it was filled in time"
    );
    let errors = std::fs::read_to_string(folder.path().join("err")).expect("what it said");
    assert!(errors.contains("goes on without check points"), "{errors}");
    assert_eq!(errors.matches("warning").count(), 1, "{errors}");
    let kept = model(&folder.path().join("kept")).expect("the model is there");
    assert!(kept == undisturbed(), "it is the same model");
}

#[test]
fn a_disk_without_room_for_the_model_is_named_before_anything_is_trained() {
    let folder = tempfile::tempdir().expect("a folder");
    let script = format!("$PROGRAM {TRAINING} --output_dir disk");
    let start = Instant::now();
    let Some(output) = with_small_disk(folder.path(), 64, &script) else {
        return;
    };
    assert_eq!(output.status.code(), Some(1));
    let message = said(&output);
    assert!(message.contains("Free some space"), "{message}");
    assert!(start.elapsed() < Duration::from_secs(5), "at once");
    assert_eq!(model(&folder.path().join("kept")), None);
}

/// The folder is there at the beginning and no folder at the end.
#[test]
fn a_model_whose_folder_goes_away_is_kept_elsewhere() {
    let folder = tempfile::tempdir().expect("a folder");
    let (place, other) = (folder.path().join("place"), folder.path().join("other"));
    for new in [&place, &other] {
        std::fs::create_dir(new).expect("a folder");
    }
    let child = Command::new(program())
        .args(TRAINING.split(' '))
        .args(["--checkpoint-every", "1"])
        .current_dir(&place)
        .env("TMPDIR", &other)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let models = place.join("models");
    while !has_checkpoint(&models) {
        std::thread::sleep(Duration::from_millis(5));
    }
    std::fs::rename(&models, folder.path().join("away")).expect("moved");
    std::fs::write(&models, "in the way").expect("a file");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(1));
    let message = said(&output);
    assert!(message.contains("is not lost"), "{message}");
    let kept = model(&other).expect("the model is there");
    assert!(kept == undisturbed(), "it is the same model");
    let path = message.split(": it is in ").nth(1).expect("the place");
    let path = PathBuf::from(path.split(';').next().expect("the place"));
    assert!(path.is_file(), "{}", path.display());
}

fn has_checkpoint(folder: &Path) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.into_iter().any(|entry| {
        let path = entry.path();
        path.extension().is_some_and(|found| found == "checkpoint") || has_checkpoint(&path)
    })
}

#[test]
fn a_model_takes_as_much_space_as_was_kept_for_it() {
    use rate2spike::formats::rate_model::most_bytes;
    use rate2spike::rate::options::RateOptions;
    use rate2spike::task::Task;
    for (task, units) in [
        (Task::xor(), 15),
        (Task::mante(), 30),
        (Task::go_nogo(), 100),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let line = format!(
            "train --task {} --N {units} --n_trials 2 --batch 3",
            task.name()
        );
        let status = Command::new(program())
            .args(line.split(' '))
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        assert!(status.is_ok());
        let found = model(folder.path()).expect("a model").len();
        let options = RateOptions {
            updates: 2,
            batch: 3,
            ..RateOptions::published(task, units)
        };
        let kept = most_bytes(&options);
        assert!(found <= kept && kept < found + 8192, "{found} of {kept}");
    }
}
