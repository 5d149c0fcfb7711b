//! The pages: links lead somewhere, the trees are the ones that are there, and the
//! README is short.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rate2spike::task::Task;
use rate2spike::task::pulses::EXAMPLE;
use rate2spike_tests::emulator::repository;

/// All pages in Markdown, in the folders that have some.
fn pages() -> Vec<PathBuf> {
    let folders = [
        ".",
        "docs",
        "c",
        "core",
        "protocol",
        "host",
        "fuzz",
        "logic",
        "firmware-example",
        "python",
        "core/tests/golden",
        "tests/fixtures/foreign",
    ];
    let mut pages = Vec::new();
    for folder in folders {
        let entries = std::fs::read_dir(repository().join(folder)).expect("a folder");
        let paths = entries.map(|entry| entry.expect("an entry").path());
        pages.extend(
            paths.filter(|path| path.extension().is_some_and(|extension| extension == "md")),
        );
    }
    pages.sort();
    pages
}

/// The targets of the links of a page, `[…](target)`.
fn links(text: &str) -> Vec<&str> {
    let ends = text.split("](").skip(1);
    ends.filter_map(|rest| rest.split(')').next()).collect()
}

/// The name by which a heading is linked.
fn anchor(heading: &str) -> String {
    let kept = heading
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

#[test]
fn every_link_to_a_file_or_a_heading_leads_somewhere() {
    let (mut checked, mut broken) = (0, Vec::new());
    for page in pages() {
        let text = std::fs::read_to_string(&page).expect("a page");
        for link in links(&text) {
            if link.contains("://") {
                continue;
            }
            checked += 1;
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => page.clone(),
                file => page.parent().expect("a folder").join(file),
            };
            let has_heading = || {
                let text = std::fs::read_to_string(&target).unwrap_or_default();
                let mut headings = text.lines().filter_map(|line| line.strip_prefix('#'));
                headings.any(|line| anchor(line.trim_start_matches('#').trim()) == heading)
            };
            if !target.exists() || !heading.is_empty() && !has_heading() {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(checked > 20, "{checked} links are few");
    assert!(broken.is_empty(), "{broken:#?}");
}

/// Names of source files and pages that stand in backticks: `a/b.rs`, `c.md`.
fn named_files(text: &str) -> Vec<&str> {
    let quoted = text.split('`').skip(1).step_by(2);
    let plain = |name: &&str| {
        let mut letters = name.chars();
        (name.ends_with(".rs") || name.ends_with(".md"))
            && letters.all(|c| c.is_alphanumeric() || "_-./".contains(c))
    };
    quoted.filter(plain).collect()
}

/// All files below a folder, except what a build made.
fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().unwrap_or_default();
        if ["target", "node_modules", ".git"]
            .iter()
            .any(|made| name == *made)
        {
            continue;
        }
        if path.is_dir() {
            files_below(&path, found);
        } else {
            found.push(path);
        }
    }
}

#[test]
fn each_source_file_that_a_page_names_is_there() {
    let mut files = Vec::new();
    files_below(&repository(), &mut files);
    let (mut checked, mut missing) = (0, Vec::new());
    for page in pages() {
        let text = std::fs::read_to_string(&page).expect("a page");
        // The changes speak of files of older versions too.
        if page.ends_with("CHANGELOG.md") {
            continue;
        }
        for name in named_files(&text) {
            checked += 1;
            let relative = page.parent().expect("a folder").join(name);
            if !relative.exists() && !files.iter().any(|file| file.ends_with(name)) {
                missing.push(format!("{}: {name}", page.display()));
            }
        }
    }
    assert!(checked > 40, "{checked} names are few");
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn the_readme_has_at_most_120_lines() {
    let text = std::fs::read_to_string(repository().join("README.md")).expect("a page");
    assert!(text.lines().count() <= 120, "{}", text.lines().count());
}

/// The paths of the tree below the heading "The tree" of a page. A line that is
/// indented counts from the last one that is not.
fn tree(page: &str, indent: usize) -> BTreeSet<String> {
    let text = std::fs::read_to_string(repository().join(page)).expect("a page");
    let (_, section) = text.split_once("## The tree\n").expect("a tree");
    let (section, _) = section.split_once("\n## ").expect("a next heading");
    let (mut folder, mut paths) = (String::new(), BTreeSet::new());
    for line in section.lines().filter_map(|line| line.get(indent..)) {
        let name = line.split_whitespace().next().unwrap_or_default();
        if !name.ends_with('/') && !name.ends_with(".rs") {
            continue;
        }
        if line.starts_with("  ") {
            paths.insert(format!("{folder}{name}"));
        } else {
            folder = name.into();
            paths.insert(name.into());
        }
    }
    paths
}

/// The entries of a folder: folders, which end in `/`, and files in Rust.
fn entries(folder: &str, without: &[&str]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let start = if folder == "." { "" } else { folder };
    for entry in std::fs::read_dir(repository().join(folder)).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .expect("a name");
        if without.contains(&name) || name.starts_with('.') {
            continue;
        }
        if path.is_dir() {
            found.insert(format!("{start}{name}/"));
        } else if name.ends_with(".rs") {
            found.insert(format!("{start}{name}"));
        }
    }
    found
}

#[test]
fn the_tree_of_the_architecture_is_the_one_that_is_there() {
    let written = tree("ARCHITECTURE.md", 0);
    for path in &written {
        assert!(repository().join(path).exists(), "{path} is not there");
    }
    let of = |folder: &str, without: &[&str]| entries(folder, without);
    let there = [
        of(".", &["target"]),
        of("core/src/", &["lib.rs"]),
        of("host/src/", &["lib.rs"]),
        of("firmware-example/", &["target"]),
    ];
    let missing: Vec<&String> = there
        .iter()
        .flatten()
        .filter(|path| !written.contains(*path))
        .collect();
    assert!(
        missing.is_empty(),
        "the tree of ARCHITECTURE.md lacks {missing:?}"
    );
}

#[test]
fn the_tree_of_the_readme_is_the_one_that_is_there() {
    assert_eq!(tree("README.md", 4), entries(".", &["target"]));
}

/// Words that have no place in a page, because a reader stumbles over them.
const STUMBLES: [&str; 6] = [
    "whoever",
    "so many",
    "as many as",
    "is none",
    "but for",
    "does so by itself",
];

#[test]
fn the_pages_are_in_plain_english() {
    let mut found = Vec::new();
    for page in pages() {
        let text = std::fs::read_to_string(&page).expect("a page");
        let text = text.to_lowercase().replace('\n', " ");
        let name = page
            .strip_prefix(repository())
            .unwrap_or(Path::new(""))
            .display();
        // The command reference is made from the sources, which their owners reword.
        if page.ends_with("commands.md") {
            continue;
        }
        found.extend(
            STUMBLES
                .iter()
                .filter(|words| text.contains(**words))
                .map(|words| format!("{name}: {words}")),
        );
    }
    assert!(found.is_empty(), "{found:#?}");
}

/// The Rust files of the repository, without those that are compiled into `target` folders
/// and without this file.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            if name != "target" && name != "node_modules" && !name.starts_with('.') {
                sources(&path, found);
            }
        } else if name.ends_with(".rs") && !path.ends_with("tests/tests/docs.rs") {
            found.push(path);
        }
    }
}

/// Words with which the documentation of an item does not begin: the reader does not know
/// yet what they stand for.
const STARTS: [&str; 6] = ["Of ", "As ", "By ", "It ", "Its ", "They "];

#[test]
fn the_documentation_in_the_sources_is_in_plain_english() {
    let mut files = Vec::new();
    sources(&repository(), &mut files);
    assert!(files.len() > 300, "{} files", files.len());
    let mut found = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a source file");
        let mut inside = false;
        for (number, line) in text.lines().enumerate() {
            let line = line.trim_start();
            let doc = line.strip_prefix("///").or(line.strip_prefix("//!"));
            let words = doc.unwrap_or_default().trim_start();
            let begins = doc.is_some() && !inside;
            inside = doc.is_some();
            let stumbles = STUMBLES
                .iter()
                .any(|part| words.to_lowercase().contains(part))
                || begins && STARTS.iter().any(|start| words.starts_with(start));
            if stumbles {
                found.push(format!("{}:{}: {words}", file.display(), number + 1));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

/// The page that explains the tasks.
fn tasks_page() -> String {
    std::fs::read_to_string(repository().join("docs/tasks.md")).expect("a page")
}

#[test]
fn the_page_of_the_tasks_has_a_row_for_each_task_of_the_table() {
    let page = tasks_page();
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    let found: Vec<[String; 3]> = rows
        .map(|row| row.split('|').skip(1).map(str::trim).collect::<Vec<_>>())
        // The rows of another table have two columns.
        .filter(|cells| cells.len() > 4)
        .map(|cells| {
            let name = cells[0].trim_matches('`').to_string();
            let inputs = cells[1].split(',').next().unwrap_or_default().to_string();
            [name, inputs, cells[2].to_string()]
        })
        .collect();
    let wanted: Vec<[String; 3]> = Task::built_in()
        .iter()
        .map(|task| {
            let seconds = format!("{:.1} s", task.seconds());
            [
                task.name().to_string(),
                task.channels().to_string(),
                seconds,
            ]
        })
        .collect();
    assert_eq!(found, wanted);
}

#[test]
fn the_page_of_the_tasks_shows_the_example_of_the_help() {
    assert!(tasks_page().contains(EXAMPLE));
}
