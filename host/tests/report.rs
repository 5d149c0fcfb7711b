//! The page of a run and its figures, for readers and for scripts.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The model that the published code trained.
fn published_model() -> PathBuf {
    let fixtures = match std::env::var_os("RATE2SPIKE_FIXTURES") {
        Some(folder) => folder.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures"),
    };
    let mut entries = std::fs::read_dir(fixtures.join("models")).expect("the folder of models");
    entries.next().expect("a model").expect("a file").path()
}

fn rate2spike(folder: &Path, line: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rate2spike"))
        .args(line.split_whitespace())
        .current_dir(folder)
        .output()
        .expect("the program starts")
}

const FAST: &str = "--lambda 25 --lambdas 25,30 --trials 6";

#[test]
fn a_folder_becomes_one_page_and_each_of_its_figures_a_picture() {
    let folder = tempfile::tempdir().expect("a folder");
    let below = folder.path().join("models/go-nogo");
    std::fs::create_dir_all(&below).expect("a folder");
    std::fs::copy(published_model(), below.join("Task_go-nogo_N_200.mat")).expect("a copy");
    let quantized = rate2spike(
        folder.path(),
        "quantize models/go-nogo/Task_go-nogo_N_200.mat -o models/go-nogo/Task_go-nogo_N_200.snn --lambda 25 --trials 1",
    );
    assert!(quantized.status.success());

    let output = rate2spike(folder.path(), &format!("report . {FAST} --json"));
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{message}");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one object");
    assert_eq!(report["accuracy"].as_array().expect("the forms").len(), 3);
    let figures = report["figures"].as_array().expect("figures");
    let page = std::fs::read_to_string(below.join("Task_go-nogo_N_200.html")).expect("the page");
    assert!(
        page.contains("is, byte for byte, what this model gives"),
        "the .snn was found"
    );
    for name in [
        "outputs",
        "inputs",
        "training",
        "time-constants",
        "eigenvalues",
        "lambda",
        "transfer",
        "raster",
        "firing-rates",
        "units",
        "components",
        "quantization",
    ] {
        assert!(page.contains(&format!("<figure id=\"{name}\">")), "{name}");
        for extension in ["svg", "png"] {
            let file = format!("{name}.{extension}");
            let path = below.join("Task_go-nogo_N_200_figures").join(&file);
            let bytes = std::fs::read(&path).expect("a figure");
            let start: &[u8] = if extension == "svg" {
                b"<svg "
            } else {
                b"\x89PNG"
            };
            assert!(bytes.starts_with(start), "{file}");
            assert!(
                figures
                    .iter()
                    .any(|f| f.as_str().is_some_and(|f| f.ends_with(&file)))
            );
        }
    }
    // The page can be read without its script. The script shows the values at the pointer.
    let text = page.split("<script>").next().expect("a page");
    assert!(
        text.contains("published criterion") && text.contains("data-x=\"time (s)|0|1|linear\"")
    );
    // The figure has the width of a column in a paper, and its axes have names.
    let outputs = below.join("Task_go-nogo_N_200_figures/outputs.svg");
    let outputs = std::fs::read_to_string(outputs).expect("a figure");
    for part in ["width=\"87mm\"", "time (s)", "Go", "No-Go", "target"] {
        assert!(outputs.contains(part), "{part}");
    }
}

#[test]
fn a_page_lists_the_options_and_evaluations_of_a_training() {
    let folder = tempfile::tempdir().expect("a folder");
    let line = "pipeline xor --N 20 --n_trials 3 --trials 4 --seed 9 --report --json";
    let output = rate2spike(folder.path(), line);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one object");
    let page = report["files"]["report"].as_str().expect("a page");
    let page = std::fs::read_to_string(folder.path().join(page)).expect("the page");
    let page = without_marks(&page);
    for part in [
        "--seed 9",
        "--N 20",
        "accuracy on fresh trials",
        "different",
        "rp2040",
    ] {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn a_folder_without_a_model_or_with_several_is_refused_with_the_way_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let fails = |parts: &[&str]| {
        let output = rate2spike(folder.path(), "report .");
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{message}");
        for part in parts {
            assert!(message.contains(part), "no '{part}' in: {message}");
        }
    };
    fails(&["no rate model", "rate2spike pipeline"]);
    for name in ["one.mat", "two.mat"] {
        std::fs::copy(published_model(), folder.path().join(name)).expect("a copy");
    }
    fails(&["2 rate models", "name one", "two.mat"]);
}

/// The page without the marks that keep options whole.
fn without_marks(page: &str) -> String {
    page.replace("<span class=\"option\">", "")
        .replace("</span>", "")
}

/// The commands of a page as text for the shell.
fn commands(page: &str) -> Vec<String> {
    let blocks = page.split("<pre><code>").skip(1);
    let text = |block: &str| {
        let text = block.split("</code></pre>").next().expect("an end");
        let text = text.replace("&lt;", "<").replace("&gt;", ">");
        text.replace("&quot;", "\"").replace("&amp;", "&")
    };
    blocks.map(text).collect()
}

/// The one file with this extension below `folder`.
fn the_file(folder: &Path, extension: &str) -> PathBuf {
    fn below(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                below(&path, extension, found);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    below(folder, extension, &mut found);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

/// Runs the commands of the page in `folder` in an empty folder. Checks that they make the
/// same network and, if they train, the same model. Returns the page.
fn again(folder: &Path) -> String {
    again_beside(folder, &[])
}

/// [`again`], in a folder with copies of these files.
fn again_beside(folder: &Path, files: &[&str]) -> String {
    let page = std::fs::read_to_string(the_file(folder, "html")).expect("the page");
    let page = without_marks(&page);
    let empty = tempfile::tempdir().expect("a folder");
    for file in files {
        std::fs::copy(folder.join(file), empty.path().join(file)).expect("a copy");
    }
    let lines = commands(&page);
    let trains = lines
        .iter()
        .any(|line| line.starts_with("rate2spike train"));
    let model = the_file(folder, "mat");
    if !trains {
        let name = model.file_name().expect("a name");
        std::fs::copy(&model, empty.path().join(name)).expect("a copy");
    }
    let program = Path::new(env!("CARGO_BIN_EXE_rate2spike"));
    let path = format!(
        "{}:{}",
        program.parent().expect("a folder").display(),
        std::env::var("PATH").expect("a path")
    );
    for line in &lines {
        let output = Command::new("sh")
            .args(["-c", line])
            .env("PATH", &path)
            .current_dir(empty.path())
            .output()
            .expect("a shell");
        let message = String::from_utf8_lossy(&output.stderr);
        // A short training does not meet its criterion; its model is saved all the same.
        assert!(
            output.status.success() || message.contains("the criterion"),
            "{line}: {message}"
        );
    }
    let bytes = |path: &Path| std::fs::read(path).expect("a file");
    let made = empty.path().join("again");
    assert_eq!(
        bytes(&the_file(&made, "snn")),
        bytes(&the_file(folder, "snn")),
        "{lines:#?}"
    );
    if trains {
        let variables = |path: &Path| {
            rate2spike::formats::rate_model::read_mat(path)
                .expect("a model")
                .to_bytes()
                .expect("variables")
        };
        let file = the_file(&made, "mat");
        assert!(variables(&file) == variables(&model), "{lines:#?}");
    }
    assert!(
        !empty.path().join("x").exists(),
        "a name was run as a command"
    );
    page
}

fn succeeds(folder: &Path, words: &[&str]) {
    let output = Command::new(env!("CARGO_BIN_EXE_rate2spike"))
        .args(words)
        .current_dir(folder)
        .output()
        .expect("the program starts");
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() || message.contains("the criterion"),
        "{words:?}: {message}"
    );
}

/// Trains a small network for three updates; returns the path of its model.
fn trained(folder: &Path, task: &str, more: &[&str]) -> String {
    let mut words = vec![
        "train",
        "--task",
        task,
        "--N",
        "20",
        "--n_trials",
        "3",
        "--seed",
        "9",
    ];
    words.extend(more);
    succeeds(folder, &words);
    the_file(folder, "mat").to_string_lossy().into()
}

const SHORT: [&str; 4] = ["--lambdas", "25,50", "--trials", "4"];

/// Quantizes the model, and writes its page.
fn reported(folder: &Path, model: &str, more: &[&str]) {
    let snn = Path::new(model).with_extension("snn");
    let snn = snn.to_string_lossy();
    succeeds(
        folder,
        &[&["quantize", model, "-o", &snn, "--trials", "1"], more].concat(),
    );
    succeeds(folder, &[&["report", model], &SHORT[..], more].concat());
}

#[test]
fn the_commands_of_a_page_give_a_lif_network_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = [
        "--act",
        "lif",
        "--fluctuations",
        "0.5",
        "--settle_fluctuations",
        "1.5",
    ];
    let model = trained(folder.path(), "go-nogo", &options);
    reported(folder.path(), &model, &[]);
    let page = again(folder.path());
    assert!(page.contains("--settle_fluctuations 1.5"));
    assert!(page.contains("known beforehand") && page.contains("stimulus"));
}

#[test]
fn the_commands_of_a_page_give_a_calibrated_network_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let model = trained(folder.path(), "xor", &["--act", "lif"]);
    let calibrate = [
        "convert",
        &model,
        "--calibrate",
        "--trials",
        "4",
        "--seed",
        "3",
    ];
    succeeds(folder.path(), &calibrate);
    reported(folder.path(), &model, &[]);
    let page = again(folder.path());
    for text in [
        "calibrated unit by unit",
        "median of the units&#39; own λ",
        "unit-lambdas",
    ] {
        let plain = text.replace("&#39;", "'");
        assert!(page.contains(text) || page.contains(&plain), "{text}");
    }
    assert!(!page.contains("known beforehand"));
}

#[test]
fn the_commands_of_a_page_give_the_result_of_a_search_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let model = trained(folder.path(), "xor", &["--act", "sigmoid"]);
    let line = "--race --refit-readout 8 --trials 6 --seed 3 --noise 0.2";
    let mut words = vec!["convert", &model, "--lambdas", "25,50"];
    words.extend(line.split(' '));
    succeeds(folder.path(), &words);
    reported(folder.path(), &model, &[]);
    let page = again(folder.path());
    assert!(page.contains(line), "the page gives all flags");
}

#[test]
fn an_input_of_a_page_is_not_written_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let model = trained(folder.path(), "xor", &[]);
    let quantize = [
        "quantize", &model, "-o", "net.snn", "--lambda", "50", "--trials", "1",
    ];
    succeeds(folder.path(), &quantize);
    let snn = Path::new(&model).with_extension("snn");
    std::fs::copy(folder.path().join("net.snn"), &snn).expect("a copy");
    let history = Path::new(&model).with_extension("json");
    for file in [Path::new(&model), &snn, &history] {
        let before = std::fs::read(file).expect("a file");
        let refused = Command::new(env!("CARGO_BIN_EXE_rate2spike"))
            .args(["report", &model, "-o"])
            .arg(file)
            .output()
            .expect("the program starts");
        let message = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(2), "{message}");
        assert!(message.contains("the command reads this file"), "{message}");
        assert_eq!(std::fs::read(file).expect("a file"), before);
    }
}

#[test]
fn the_commands_of_a_page_give_a_pipelines_network_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let line = "pipeline xor --N 20 --n_trials 3 --seed 9 --trials 4 --calibrate --dt 1 --report";
    succeeds(folder.path(), &line.split(' ').collect::<Vec<_>>());
    again(folder.path());
}

#[test]
fn the_commands_of_a_page_give_a_published_network_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let model = folder.path().join("Task_go-nogo_N_200.mat");
    std::fs::copy(published_model(), &model).expect("a copy");
    let model = model.to_string_lossy();
    // The λ is not in the file, so that the page gives all its digits.
    reported(folder.path(), &model, &["--lambda", "25.123456789"]);
    assert!(again(folder.path()).contains("--lambda 25.123456789"));
}

#[test]
fn the_commands_of_a_page_give_a_task_of_the_users_own_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let below = folder.path().join("a $(touch x) folder");
    std::fs::create_dir(&below).expect("a folder");
    let task = below.join("my $(touch x) task.toml");
    std::fs::write(
        &task,
        r#"
name = "same-sign"
channels = 2
duration_ms = 400
[[pulse]]
channel = 1
onset_ms = 50
duration_ms = 100
values = [1, -1]
[[pulse]]
channel = 2
onset_ms = 150
duration_ms = 100
values = [1, -0.3]
noise = 0.1
[target]
rule = "product"
onset_ms = 300
duration_ms = 100
"#,
    )
    .expect("a file");
    let task = task.to_string_lossy();
    let model = trained(&below, &task, &["--act", "lif"]);
    reported(&below, &model, &["--task", &task]);
    let page = again(&below);
    let sentence = "The first command writes the description of the task, which the model holds, to the file again/same-sign.toml.";
    assert!(page.contains(sentence), "{page}");
}

#[test]
fn the_commands_of_a_page_give_the_network_of_a_data_set_again() {
    use rate2spike::formats::npz::{Npz, Values};
    let folder = tempfile::tempdir().expect("a folder");
    let name = "my $(touch x) waves.npz";
    let mut file = Npz::new();
    let wave = |k: usize| (k as f64 * if k < 400 { 0.3 } else { 1.1 }).sin();
    file.insert(
        "inputs",
        &[40, 10, 2],
        Values::F64((0..800).map(wave).collect()),
    );
    let labels = (0..40)
        .map(|trial| f64::from(u8::from(trial >= 20)))
        .collect();
    file.vector("labels", labels);
    file.write(&folder.path().join(name)).expect("a file");
    let line = "--N 20 --n_trials 3 --dt 1 --report";
    let words: Vec<&str> = ["pipeline", name]
        .into_iter()
        .chain(line.split(' '))
        .collect();
    succeeds(folder.path(), &words);
    let page = again_beside(folder.path(), &[name]);
    assert!(
        page.contains("The trials are those of the data set"),
        "{page}"
    );
}

#[test]
fn a_report_of_a_missing_model_leaves_no_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = rate2spike(
        folder.path(),
        "report none.mat --figures a/b -o c/page.html",
    );
    assert_eq!(output.status.code(), Some(1));
    let left = std::fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(left, 0);
}

#[test]
fn a_table_holds_one_network_and_a_file_of_another_lambda_has_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::copy(
        published_model(),
        folder.path().join("Task_go-nogo_N_200.mat"),
    )
    .expect("a copy");
    let quantize =
        "quantize Task_go-nogo_N_200.mat -o Task_go-nogo_N_200.snn --lambda 25 --trials 1";
    assert!(rate2spike(folder.path(), quantize).status.success());
    let report = "report Task_go-nogo_N_200.mat --lambda 30 --lambdas 25,30 --trials 6";
    assert!(rate2spike(folder.path(), report).status.success());
    let page =
        std::fs::read_to_string(folder.path().join("Task_go-nogo_N_200.html")).expect("a page");
    assert!(page.contains("Task_go-nogo_N_200.snn holds another network"));
    let (tables, mine) = (
        page.split("<table>"),
        "deployed network, fixed point, 0.1 ms",
    );
    let mut with_scores = tables.filter(|table| table.contains(mine));
    let own = with_scores.next().expect("the network's table");
    assert!(own.contains("rate network") && !own.contains("another network"));
    let other = with_scores.next().expect("the file's table");
    assert!(other.contains("Task_go-nogo_N_200.snn, another network"));
}

#[test]
fn a_history_or_a_network_that_is_not_the_models_is_left_out_with_a_warning() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    let model = trained(folder.path(), "xor", &[]);
    let own = Path::new(&model).with_extension("json");
    std::fs::copy(&model, path("s.mat")).expect("a copy");
    let report = |what: &str| {
        let output = rate2spike(folder.path(), &format!("report s.mat {FAST} --json"));
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{what}: {message}");
        message
    };
    std::fs::copy(&own, path("s.json")).expect("a copy");
    assert!(!report("own").contains("another"));
    let text = std::fs::read_to_string(&own).expect("a history");
    let mut history: serde_json::Value = serde_json::from_str(&text).expect("a history");
    let seed = history["options"]["seed"].as_u64().expect("a seed");
    history["options"]["seed"] = (seed + 1).into();
    std::fs::write(path("s.json"), history.to_string()).expect("a writable folder");
    let said = report("foreign history");
    assert!(
        said.contains("s.json: it tells of another training"),
        "{said}"
    );

    std::fs::remove_file(path("s.json")).expect("a file of ours");
    let elsewhere = tempfile::tempdir().expect("a folder");
    let other = trained(elsewhere.path(), "mante", &[]);
    let line = [
        "quantize", &other, "-o", "s.snn", "--lambda", "50", "--trials", "1",
    ];
    succeeds(folder.path(), &line);
    let said = report("foreign network");
    for part in ["s.snn: another network", "answers mante", "leaves it out"] {
        assert!(said.contains(part), "{said}");
    }
}

#[test]
fn a_page_shows_a_network_in_f32_and_its_commands_give_it_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let model = trained(folder.path(), "xor", &["--act", "lif"]);
    let file = Path::new(&model).with_extension("snn");
    let file = file.to_str().expect("UTF-8");
    let line = format!("quantize {model} --arithmetic f32 -o {file} --trials 1");
    succeeds(folder.path(), &line.split(' ').collect::<Vec<_>>());
    succeeds(folder.path(), &[&["report", &model], &SHORT[..]].concat());
    let page = again(folder.path());
    for part in [
        "is, byte for byte, what this model gives",
        "deployed network, f32, 0.1 ms",
        "the network in f32 that runs on a microcontroller",
        "rp2350",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("rp2040"), "it has no floating-point unit");
    assert!(!page.contains("fixed point"), "{page}");
}
