//! A folder in which the program runs, and its answers.

use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use rate2spike::formats::mat::Value;
use rate2spike::formats::rate_model::{read_mat, write_mat};
use serde_json::Value as Json;

/// The folder of the files that the published code produced.
pub fn fixtures() -> PathBuf {
    match std::env::var_os("RATE2SPIKE_FIXTURES") {
        Some(folder) => folder.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures"),
    }
}

/// The model that the published code trained.
pub fn published_model() -> PathBuf {
    let folder = fixtures().join("models");
    let mut entries = std::fs::read_dir(folder).expect("the folder of models");
    entries.next().expect("a model").expect("a file").path()
}

/// A folder of a test, with the published model in it.
pub struct Place {
    pub folder: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let place = Self { folder };
        std::fs::copy(published_model(), place.path("go-nogo.mat")).expect("a copy");
        // The published code says the task in the name of the file only.
        place.change("task", Value::text("\"go-nogo\""));
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs the program here; `line` is typed after the program's name.
    pub fn run(&self, line: &str) -> Output {
        Command::new(env!("CARGO_BIN_EXE_rate2spike"))
            .args(line.split_whitespace())
            .current_dir(self.folder.path())
            .output()
            .expect("the program starts")
    }

    /// The JSON object that `line` prints.
    pub fn json(&self, line: &str) -> Json {
        let output = self.run(&format!("{line} --json"));
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        assert_eq!(
            text.lines().count(),
            1,
            "{line}: one object and nothing else: {text}"
        );
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{line}: {error}: {text}"))
    }

    /// Checks that `line` fails with `status`, with a message that contains all of
    /// `parts`, and that no file changes.
    pub fn fails(&self, line: &str, status: i32, parts: &[&str]) {
        let before = self.files();
        let output = self.run(line);
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(status), "{line}: {message}");
        assert!(!message.contains("panicked"), "{line}: {message}");
        for part in parts {
            assert!(message.contains(part), "{line}: no '{part}' in: {message}");
        }
        assert_eq!(self.files(), before, "{line}: files changed");
    }

    /// Name and bytes of every file here.
    pub fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        let mut folders = vec![self.folder.path().to_path_buf()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a readable folder") {
                let path = entry.expect("a file").path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let bytes = std::fs::read(&path).expect("a readable file");
                    files.push((path, bytes));
                }
            }
        }
        files.sort();
        files
    }

    /// The array `name` of an `.npz`.
    pub fn array(&self, file: &str, name: &str) -> npyz::NpyFile<Cursor<Vec<u8>>> {
        let file = std::fs::File::open(self.path(file)).expect("the file");
        let mut archive = zip::ZipArchive::new(file).expect("an archive");
        let mut array = archive.by_name(&format!("{name}.npy")).expect(name);
        let mut bytes = Vec::new();
        array.read_to_end(&mut bytes).expect("whole");
        npyz::NpyFile::new(Cursor::new(bytes)).expect("an array")
    }

    /// Changes a variable of the model.
    pub fn change(&self, name: &str, value: Value) {
        let path = self.path("go-nogo.mat");
        let mut file = read_mat(&path).expect("a model");
        file.insert(name, value);
        write_mat(&path, &file).expect("a writable folder");
    }
}

/// Starts `line` in the place and does not wait for it.
pub fn start(place: &Place, line: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_rate2spike"))
        .args(line.split_whitespace())
        .current_dir(place.folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts")
}

/// Sends the signal of this name to a process that a test started.
pub fn signal(process: &Child, name: &str) {
    let id = process.id().to_string();
    let sent = Command::new("kill").args(["-s", name, &id]).output();
    sent.expect("kill is there");
}
