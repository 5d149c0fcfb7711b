//! The Python package in `python/`: its wheel is built, installed into fresh virtual
//! environments, and tested there by pytest; its pages run as scripts.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use rate2spike_tests::emulator::repository;
use rate2spike_tests::{has, skip};

/// Packages of the tests and of the pages, which the environment takes from python3.
const PACKAGES: [&str; 3] = ["numpy", "scipy", "pytest"];

/// The variable that names a second Python, for instance the newest one.
const SECOND: &str = "RATE2SPIKE_SECOND_PYTHON";

/// What the package is installed into.
struct Environment {
    _folder: tempfile::TempDir,
    python: PathBuf,
}

/// The wheel, in a folder of its own.
struct Wheel {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

fn output(command: &mut Command) -> Output {
    command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

fn run(command: &mut Command) {
    let output = output(command);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    print!("{}", text(&output.stdout));
    assert!(
        output.status.success(),
        "{command:?}\n{}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
}

/// The folder of compiled crates: that of this test, so that what both use is compiled
/// once.
fn target() -> PathBuf {
    let program = std::env::current_exe().expect("a running program");
    let folder = program.ancestors().nth(3).expect("target/debug/deps/test");
    folder.into()
}

/// The folder of a Python's packages.
fn site_packages(python: &Path) -> PathBuf {
    let script = "import sysconfig; print(sysconfig.get_path('purelib'), end='')";
    let said = output(Command::new(python).args(["-c", script])).stdout;
    String::from_utf8(said).expect("a path").into()
}

/// The wheel, built once; `None` where a tool is missing.
fn wheel() -> Option<&'static Path> {
    static MADE: OnceLock<Option<Wheel>> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        if !has(&["python3", "maturin"]) {
            return None;
        }
        let folder = tempfile::tempdir().expect("a folder");
        run(Command::new("maturin")
            .args(["build", "--profile", "dev", "--interpreter", "python3"])
            .arg("--out")
            .arg(folder.path())
            .arg("--manifest-path")
            .arg(repository().join("python/Cargo.toml"))
            .env("CARGO_TARGET_DIR", target()));
        let wheel = std::fs::read_dir(folder.path()).expect("the wheels").next();
        let path = wheel.expect("a wheel").expect("a file").path();
        Some(Wheel {
            _folder: folder,
            path,
        })
    });
    made.as_ref().map(|wheel| wheel.path.as_path())
}

/// A fresh environment of `python` with the wheel in it; `None` where something is missing.
fn environment_of(python: &Path) -> Option<Environment> {
    for package in PACKAGES {
        let found = output(Command::new(python).args(["-c", &format!("import {package}")]));
        if !found.status.success() {
            let name = python.display();
            skip(&format!("{package} is not installed for {name}"));
            return None;
        }
    }
    let wheel = wheel()?;
    let folder = tempfile::tempdir().expect("a folder");
    let venv = folder.path().join("venv");
    run(Command::new(python).args(["-m", "venv"]).arg(&venv));
    // NumPy and the others are those of the first Python, which may be an environment itself;
    // last, so that a rate2spike there is not taken for this one.
    let others = format!("{}\n", site_packages(python).display());
    let python = venv.join("bin/python");
    run(Command::new(&python)
        .args(["-m", "pip", "install", "--quiet", "--no-deps", "--no-index"])
        .arg(wheel));
    let file = site_packages(&python).join("others.pth");
    std::fs::write(file, others).expect("a writable folder");
    Some(Environment {
        _folder: folder,
        python,
    })
}

/// The environment of python3, made once; `None` where something is missing.
fn environment() -> Option<&'static Environment> {
    static MADE: OnceLock<Option<Environment>> = OnceLock::new();
    let made = MADE.get_or_init(|| environment_of(Path::new("python3")));
    made.as_ref()
}

/// Runs the tests of the package in an environment; `choice` goes to pytest.
fn tested(environment: &Environment, choice: &[&str]) {
    run(Command::new(&environment.python).arg("--version"));
    run(Command::new(&environment.python)
        .args(["-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider"])
        .args(choice)
        .current_dir(repository().join("python/tests"))
        .env("PYTHONDONTWRITEBYTECODE", "1"));
}

#[test]
fn the_installed_wheel_passes_its_tests() {
    let Some(environment) = environment() else {
        return;
    };
    tested(environment, &[]);
}

/// The wheel serves each Python from 3.10 on.
#[test]
fn the_same_wheel_passes_its_tests_with_a_second_python() {
    let Some(second) = std::env::var_os(SECOND) else {
        skip(&format!("{SECOND} names no second Python"));
        return;
    };
    if let Some(environment) = environment_of(Path::new(&second)) {
        // NeuroGym need not be there a second time.
        tested(&environment, &["-k", "not neurogym"]);
    }
}

/// The pages: scripts of the folder of examples.
fn pages() -> Vec<PathBuf> {
    let folder = repository().join("python/examples");
    let entries = std::fs::read_dir(folder).expect("the folder of examples");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut pages: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "py"))
        .collect();
    pages.sort();
    pages
}

#[test]
fn each_page_runs_as_a_script() {
    let Some(environment) = environment() else {
        return;
    };
    let pages = pages();
    assert_eq!(pages.len(), 4);
    for page in pages {
        let folder = tempfile::tempdir().expect("a folder");
        run(Command::new(&environment.python)
            .arg(&page)
            .current_dir(folder.path())
            .env("PYTHONDONTWRITEBYTECODE", "1"));
    }
}

/// The words of the stubs, the functions of the compiled part.
#[test]
fn the_stubs_name_each_function_of_the_compiled_part() {
    let Some(environment) = environment() else {
        return;
    };
    let script = "import rate2spike._native as native
for name, value in vars(native).items():
    if not name.startswith('_'):
        print(name)
        if isinstance(value, type):
            print(*(f'{name}.{part}' for part in vars(value) if not part.startswith('__')), sep='\\n')";
    let said = output(
        Command::new(&environment.python)
            .args(["-c", script])
            .current_dir(Path::new("/")),
    );
    let said = String::from_utf8(said.stdout).expect("names");
    let stubs = repository().join("python/rate2spike/_native.pyi");
    let stubs = std::fs::read_to_string(stubs).expect("the stubs");
    assert!(said.lines().count() > 60, "{said}");
    for name in said.lines().filter(|name| !name.is_empty()) {
        let (class, part) = name.split_once('.').unwrap_or(("", name));
        let body = match class {
            "" => &stubs,
            class => {
                let (_, body) = stubs
                    .split_once(&format!("class {class}"))
                    .unwrap_or_else(|| panic!("no class {class} in the stubs"));
                body.split("\nclass ").next().unwrap_or(body)
            }
        };
        let there = [format!("def {part}("), format!("class {part}:")];
        assert!(
            there.iter().any(|it| body.contains(it)),
            "{name} is not in the stubs"
        );
    }
}
