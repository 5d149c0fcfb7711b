//! The imports of a crate, counted from its source text.
//!
//! An import is a path in the code of one module that leads to another module of
//! the same crate: in a `use`, a `pub use`, or anywhere else in code or in a
//! macro's arguments. A path through a re-export leads to the module that defines
//! the item. Code under `#[cfg(test)]`, doc comments and `mod name;` are no imports.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// Path of a module below its crate: empty for `lib.rs`, `["rate", "batch"]` for
/// `rate/batch.rs`.
pub type ModulePath = Vec<String>;

/// The modules of a crate and the imports between them.
#[derive(Debug, Default)]
pub struct Crate {
    /// The file of each module.
    pub files: BTreeMap<ModulePath, PathBuf>,
    /// Importing module, imported module, and how many paths lead from one to the
    /// other.
    pub imports: BTreeMap<(ModulePath, ModulePath), usize>,
    /// Paths that begin outside of the crate (`std::fs::read`), for each module.
    pub foreign: BTreeMap<ModulePath, BTreeSet<String>>,
}

/// The paths of one module, and the names that it passes on.
#[derive(Debug, Default)]
struct Source {
    /// Paths as written, the first segment being `crate`, `self`, `super` or a name.
    paths: Vec<Vec<String>>,
    /// Name in this module → path that it stands for.
    names: BTreeMap<String, Vec<String>>,
    /// Modules that are declared under `#[cfg(test)]`.
    test_modules: BTreeSet<String>,
}

impl Crate {
    /// Reads all modules below `folder`, which holds a `lib.rs`.
    pub fn read(folder: &Path) -> Self {
        let mut sources = BTreeMap::new();
        let mut files = BTreeMap::new();
        for file in rust_files(folder) {
            let Some(module) = module_of(folder, &file) else {
                continue;
            };
            let text = std::fs::read_to_string(&file).expect("a readable source file");
            sources.insert(module.clone(), source(&text));
            files.insert(module, file);
        }
        assert!(
            sources.contains_key(&Vec::new()),
            "no lib.rs in {}",
            folder.display()
        );
        let tests: Vec<ModulePath> = sources
            .iter()
            .flat_map(|(module, source)| source.test_modules.iter().map(|name| child(module, name)))
            .collect();
        let is_test = |module: &ModulePath| tests.iter().any(|test| module.starts_with(test));
        sources.retain(|module, _| !is_test(module));
        files.retain(|module, _| !is_test(module));
        let mut this = Self {
            files,
            ..Self::default()
        };
        for (module, source) in &sources {
            for path in &source.paths {
                match absolute(module, path, &sources) {
                    Some(path) => {
                        let target = target(path, &sources);
                        if target != *module {
                            *this.imports.entry((module.clone(), target)).or_default() += 1;
                        }
                    }
                    None => {
                        let foreign = this.foreign.entry(module.clone()).or_default();
                        foreign.insert(path.join("::"));
                    }
                }
            }
        }
        this
    }

    /// Every folder that has modules, as a module path.
    pub fn folders(&self) -> BTreeSet<ModulePath> {
        let parents = self.files.keys().filter(|module| !module.is_empty());
        parents
            .map(|module| module[..module.len() - 1].to_vec())
            .collect()
    }

    /// The imports between the entries of `folder`: its files, its own `mod.rs` or
    /// `lib.rs` (here `mod`), and each folder inside of it as one entry.
    pub fn within(&self, folder: &[String]) -> BTreeMap<(String, String), usize> {
        let entry = |module: &ModulePath| {
            let rest = module.strip_prefix(folder)?;
            Some(
                rest.first()
                    .map_or_else(|| "mod".to_string(), String::clone),
            )
        };
        let mut edges = BTreeMap::new();
        for ((from, to), count) in &self.imports {
            if let (Some(from), Some(to)) = (entry(from), entry(to))
                && from != to
            {
                *edges.entry((from, to)).or_default() += count;
            }
        }
        edges
    }

    /// The folders or files directly below the crate that `module` imports.
    pub fn stages(&self, stage: &str) -> BTreeSet<String> {
        let edges = self.within(&[]).into_keys();
        edges
            .filter(|(from, _)| from == stage)
            .map(|(_, to)| to)
            .collect()
    }
}

/// A circle in a graph, as the names along it; the shortest one that there is.
pub fn circle(edges: &BTreeSet<(String, String)>) -> Option<Vec<String>> {
    let starts: BTreeSet<&String> = edges.iter().map(|(from, _)| from).collect();
    let from_each = starts.into_iter().filter_map(|start| {
        // Breadth first, each name with the name before it.
        let (mut before, mut open) = (BTreeMap::new(), vec![start]);
        while !open.is_empty() {
            let mut next = Vec::new();
            for name in open {
                for (_, to) in edges.iter().filter(|(from, _)| from == name) {
                    if !before.contains_key(to) {
                        before.insert(to, name);
                        next.push(to);
                    }
                }
            }
            if before.contains_key(start) {
                let mut way = vec![start.clone()];
                let mut at = before[start];
                while at != start {
                    way.push(at.clone());
                    at = before[at];
                }
                way.push(start.clone());
                way.reverse();
                return Some(way);
            }
            open = next;
        }
        None
    });
    from_each.min_by_key(Vec::len)
}

/// All files of a folder that end in `.rs`, sorted.
pub fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder).expect("a readable folder");
        for entry in entries {
            let path = entry.expect("a readable folder").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// The module that a file holds; `None` for a program (`main.rs`, `bin/…`).
fn module_of(folder: &Path, file: &Path) -> Option<ModulePath> {
    let below = file.strip_prefix(folder).expect("a file of the folder");
    let names = below.with_extension("");
    let mut module: Vec<String> = names
        .iter()
        .map(|name| name.to_str().expect("a name in ASCII").to_string())
        .collect();
    match module.last().map(String::as_str) {
        Some("main") if module.len() == 1 => return None,
        Some("lib") if module.len() == 1 => drop(module.pop()),
        Some("mod") => drop(module.pop()),
        _ => {}
    }
    (module.first().map(String::as_str) != Some("bin")).then_some(module)
}

fn child(module: &[String], name: &str) -> ModulePath {
    [module, &[name.to_string()]].concat()
}

/// The path below the crate that `path` means in `module`; `None` where it leads
/// out of the crate.
fn absolute(
    module: &ModulePath,
    path: &[String],
    sources: &BTreeMap<ModulePath, Source>,
) -> Option<ModulePath> {
    let (first, rest) = path.split_first()?;
    match first.as_str() {
        "crate" => Some(rest.to_vec()),
        "self" => Some([module, rest].concat()),
        "super" => {
            let parent = module
                .len()
                .checked_sub(1)
                .map(|length| module[..length].to_vec())?;
            match rest.first().map(String::as_str) {
                Some("super") => absolute(&parent, rest, sources),
                _ => Some([&parent, rest].concat()),
            }
        }
        name => {
            let inside = child(module, name);
            let is_module = sources.contains_key(&inside);
            is_module.then(|| [inside, rest.to_vec()].concat())
        }
    }
}

/// The module that a path below the crate leads to, through re-exports.
fn target(mut path: ModulePath, sources: &BTreeMap<ModulePath, Source>) -> ModulePath {
    // Re-exports of re-exports end: no crate here has a chain of eight.
    for _ in 0..8 {
        let length = (0..=path.len())
            .rev()
            .find(|length| sources.contains_key(&path[..*length]))
            .expect("the crate itself is a module");
        let (module, rest) = (path[..length].to_vec(), path[length..].to_vec());
        let Some((name, rest)) = rest.split_first() else {
            return module;
        };
        let passed_on = sources[&module].names.get(name);
        match passed_on.and_then(|path| absolute(&module, path, sources)) {
            Some(through) if through != path => path = [through, rest.to_vec()].concat(),
            _ => return module,
        }
    }
    path
}

/// Reads the paths of a source file.
fn source(text: &str) -> Source {
    let tokens: TokenStream = text.parse().expect("a source file that compiles");
    let mut source = Source::default();
    read(tokens, 0, &mut source);
    source
}

/// Reads `tokens`, which lie in modules inside of the file, `depth` of them.
fn read(tokens: TokenStream, depth: usize, source: &mut Source) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    while at < tokens.len() {
        if is_test_attribute(&tokens[at..]) {
            let end = end_of_item(&tokens, at);
            if let Some(name) = declared_module(&tokens[at..end]) {
                source.test_modules.insert(name);
            }
            at = end;
        } else if word(&tokens, at) == Some("use".into()) {
            let end = (at..tokens.len())
                .find(|at| is_mark(&tokens, *at, ';'))
                .unwrap_or(tokens.len());
            read_use(&tokens[at + 1..end], &[], depth, source);
            at = end + 1;
        } else if let (Some("mod"), Some(TokenTree::Group(inside))) =
            (word(&tokens, at).as_deref(), tokens.get(at + 2))
        {
            read(inside.stream(), depth + 1, source);
            at += 3;
        } else if let TokenTree::Group(group) = &tokens[at] {
            read(group.stream(), depth, source);
            at += 1;
        } else if word(&tokens, at).is_some() {
            let (path, end) = path_at(&tokens, at);
            if path.len() > 1 {
                source.add(path, depth);
            }
            at = end;
        } else {
            at += 1;
        }
    }
}

impl Source {
    /// Adds a path; `super` out of a module inside of the file stays in the file.
    fn add(&mut self, path: Vec<String>, depth: usize) {
        let ups = path.iter().take_while(|name| *name == "super").count();
        let inside = ups.min(depth);
        let path = path[inside..].to_vec();
        if inside > 0 && path.first().is_none_or(|name| name != "super") {
            self.paths.push([vec!["self".to_string()], path].concat());
        } else {
            self.paths.push(path);
        }
    }
}

/// The paths of a `use`, each with the name that it gives.
fn read_use(tokens: &[TokenTree], before: &[String], depth: usize, source: &mut Source) {
    for tree in
        tokens.split(|token| matches!(token, TokenTree::Punct(mark) if mark.as_char() == ','))
    {
        let (mut path, mut at) = (before.to_vec(), 0);
        let mut name = None;
        while at < tree.len() {
            match &tree[at] {
                TokenTree::Group(group) => {
                    let inside: Vec<TokenTree> = group.stream().into_iter().collect();
                    read_use(&inside, &path, depth, source);
                    path.clear();
                }
                TokenTree::Ident(_) if word(tree, at) == Some("as".into()) => {
                    name = word(tree, at + 1);
                    break;
                }
                TokenTree::Ident(ident) => path.push(ident.to_string()),
                _ => {}
            }
            at += 1;
        }
        // `{self, …}` names the module before the brace.
        if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        if let Some(last) = path.last().cloned() {
            if depth == 0 {
                source.names.insert(name.unwrap_or(last), path.clone());
            }
            source.add(path, depth);
        }
    }
}

/// The path that begins at a word, and where it ends.
fn path_at(tokens: &[TokenTree], start: usize) -> (Vec<String>, usize) {
    let (mut path, mut at) = (Vec::new(), start);
    while let Some(name) = word(tokens, at) {
        path.push(name);
        at += 1;
        if is_mark(tokens, at, ':')
            && is_mark(tokens, at + 1, ':')
            && word(tokens, at + 2).is_some()
        {
            at += 2;
        } else {
            break;
        }
    }
    (path, at)
}

fn word(tokens: &[TokenTree], at: usize) -> Option<String> {
    match tokens.get(at) {
        Some(TokenTree::Ident(word)) => Some(word.to_string()),
        _ => None,
    }
}

fn is_mark(tokens: &[TokenTree], at: usize, wanted: char) -> bool {
    matches!(tokens.get(at), Some(TokenTree::Punct(mark)) if mark.as_char() == wanted)
}

/// True if `#[cfg(test)]` stands at the front.
fn is_test_attribute(tokens: &[TokenTree]) -> bool {
    let (true, Some(TokenTree::Group(group))) = (is_mark(tokens, 0, '#'), tokens.get(1)) else {
        return false;
    };
    let text = group.stream().to_string().replace(' ', "");
    text == "cfg(test)"
}

/// The end of the item that begins at `start`: behind its first `;` or braces.
fn end_of_item(tokens: &[TokenTree], start: usize) -> usize {
    let is_end = |token: &TokenTree| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        TokenTree::Punct(mark) => mark.as_char() == ';',
        _ => false,
    };
    let length = tokens[start..].iter().position(is_end);
    length.map_or(tokens.len(), |length| start + length + 1)
}

/// The name in `mod name;` or `mod name { … }`.
fn declared_module(tokens: &[TokenTree]) -> Option<String> {
    let at = (0..tokens.len()).find(|at| word(tokens, *at).as_deref() == Some("mod"))?;
    word(tokens, at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A crate of these files.
    fn of(files: &[(&str, &str)]) -> Crate {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, text).expect("a writable folder");
        }
        Crate::read(folder.path())
    }

    /// The imports, as words.
    fn imports(files: &[(&str, &str)]) -> Vec<String> {
        let found = of(files).imports;
        let name = |module: &ModulePath| match module.is_empty() {
            true => "lib".to_string(),
            false => module.join("/"),
        };
        let words = |((from, to), count): (&(ModulePath, ModulePath), &usize)| {
            format!("{} > {} {count}", name(from), name(to))
        };
        found.iter().map(words).collect()
    }

    const LIB: (&str, &str) = ("lib.rs", "mod a; mod b;");

    #[test]
    fn every_form_of_a_path_is_an_import() {
        for text in [
            "use crate::b::X;",
            "pub use super::b::X;",
            "use crate::{b::X, c::d as e};",
            "use crate::b::{self};",
            "fn f() { crate::b::g() }",
            "fn f() -> Vec<crate::b::X> { vec![] }",
            "fn f() { println!(\"{}\", super::b::X) }",
            "mod inside { use super::super::b::X; }",
        ] {
            assert_eq!(
                imports(&[LIB, ("a.rs", text), ("b.rs", "")])
                    .iter()
                    .filter(|line| line.starts_with("a > b"))
                    .count(),
                1,
                "{text}"
            );
        }
    }

    #[test]
    fn tests_comments_and_declarations_are_no_imports() {
        for text in [
            "#[cfg(test)] mod tests { use crate::b::X; }",
            "#[cfg(test)] use crate::b::X;",
            "//! See [`crate::b`].\n/// And `crate::b::X`.\nfn f() {}",
            "mod inside { use super::X; }",
            "use std::b::X;",
        ] {
            assert_eq!(
                imports(&[LIB, ("a.rs", text), ("b.rs", "")]),
                [""; 0],
                "{text}"
            );
        }
    }

    #[test]
    fn a_path_through_a_re_export_leads_to_the_definition() {
        let files = [
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "use crate::b::X;"),
            ("b/mod.rs", "mod c; pub use c::X;"),
            ("b/c.rs", "pub struct X;"),
        ];
        assert_eq!(imports(&files), ["a > b/c 1", "b > b/c 1"]);
    }

    #[test]
    fn a_module_that_only_tests_use_is_left_out() {
        let files = [
            ("lib.rs", "mod a; mod b;"),
            ("a/mod.rs", "#[cfg(test)] mod tests;"),
            ("a/tests.rs", "use crate::b::X;"),
            ("b.rs", ""),
        ];
        assert_eq!(imports(&files), [""; 0]);
    }

    #[test]
    fn a_circle_is_found_and_the_shortest_is_named() {
        let edges = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter();
            pairs.map(|(a, b)| (a.to_string(), b.to_string())).collect()
        };
        assert_eq!(circle(&edges(&[("a", "b"), ("b", "c"), ("a", "c")])), None);
        let found = circle(&edges(&[("a", "b"), ("b", "c"), ("c", "a"), ("c", "b")]));
        assert_eq!(found, Some(vec!["b".into(), "c".into(), "b".into()]));
    }

    #[test]
    fn a_folder_is_one_entry_of_the_folder_around_it() {
        let found = of(&[
            ("lib.rs", "mod a; mod b;"),
            ("a/mod.rs", "mod x; mod y;"),
            ("a/x.rs", "use super::y::Y; use crate::b::B;"),
            ("a/y.rs", "use crate::b::B;"),
            ("b.rs", ""),
        ]);
        let outer = found.within(&[]);
        assert_eq!(
            outer.into_iter().collect::<Vec<_>>(),
            [(("a".into(), "b".into()), 2)]
        );
        let inner = found.within(&["a".to_string()]);
        assert_eq!(
            inner.into_iter().collect::<Vec<_>>(),
            [(("x".into(), "y".into()), 1)]
        );
    }
}
