//! The shape of the code, kept by tests: layers, lengths, docs.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The layers from the bottom up. A module imports from its own layer only what is listed in
/// [`SIDEWAYS`], and otherwise only from the layers below.
const LAYERS: [&[&str]; 12] = [
    &["address", "rng", "time", "units"],
    &["sim"],
    &["net"],
    &["churn", "workload"],
    &["dns", "dyndns", "http", "overlay", "rtp", "sip", "turn"],
    &["conventional"],
    &["overcord"],
    &["world"],
    &["metrics"],
    &["scenario"],
    &["experiment"],
    &["report"],
];

/// What may be imported within a layer. Protocol cores never import each other, but for these.
const SIDEWAYS: [(&str, &str); 3] = [("dyndns", "http"), ("rng", "time"), ("units", "time")];

/// No file of the library is longer than this.
const LONGEST_FILE: usize = 600;

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

fn library() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    sources(&root)
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
            (name, fs::read_to_string(path).unwrap())
        })
        .collect()
}

fn layer_of(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

/// The modules of this crate that a file names in code: not in comments, not in its tests.
fn imports(text: &str) -> BTreeSet<String> {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or(text);
    let mut modules = BTreeSet::new();
    for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
        for (at, _) in line.match_indices("crate::") {
            let rest = &line[at + "crate::".len()..];
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            modules.insert(rest[..end.unwrap_or(rest.len())].to_owned());
        }
    }
    modules
}

#[test]
fn each_layer_imports_only_what_stands_below_it() {
    let mut breaches = Vec::new();
    for (file, text) in library() {
        let module = file.split(['/', '.']).next().unwrap().to_owned();
        // The edges (cli, main) and the root may import everything; test modules judge all layers.
        let is_test = file.contains("/tests") || file.ends_with("_input.rs");
        let Some(own) = layer_of(&module).filter(|_| !is_test) else { continue };
        for import in imports(&text) {
            let Some(other) = layer_of(&import) else { continue };
            let sideways = SIDEWAYS.contains(&(module.as_str(), import.as_str()));
            if import != module && !sideways && other >= own {
                breaches.push(format!("{file} imports {import}"));
            }
        }
    }
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

#[test]
fn every_module_belongs_to_a_layer() {
    let edges = ["cli", "lib", "main"];
    for (file, _) in library() {
        let module = file.split(['/', '.']).next().unwrap().to_owned();
        let known = layer_of(&module).is_some() || edges.contains(&module.as_str());
        assert!(known, "{module} is in no layer: decide where it belongs");
    }
}

#[test]
fn no_file_is_longer_than_a_reader_bears() {
    let long: Vec<String> = library()
        .into_iter()
        .map(|(file, text)| (text.lines().count(), file))
        .filter(|(lines, _)| *lines > LONGEST_FILE)
        .map(|(lines, file)| format!("{file} has {lines} lines: find the missing type"))
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn every_file_says_what_it_is_about() {
    for (file, text) in library() {
        let is_test = file.contains("/tests/") || file.ends_with("tests.rs");
        let documented = text.starts_with("//!") || is_test;
        assert!(documented, "{file} has no module doc");
    }
}

/// Only the edges touch files, terminals, threads and clocks.
#[test]
fn nothing_below_the_edges_touches_the_outside() {
    const OUTSIDE: [&str; 6] =
        ["std::fs", "std::io", "std::thread", "std::env::", "std::process", "println!"];
    let edges = ["cli", "experiment", "report", "main"];
    for (file, text) in library() {
        let module = file.split(['/', '.']).next().unwrap().to_owned();
        let is_test = file.contains("/tests") || file.ends_with("_input.rs");
        if edges.contains(&module.as_str()) || is_test {
            continue;
        }
        let code = text.split("#[cfg(test)]").next().unwrap_or(&text);
        for word in OUTSIDE {
            let used = code
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"))
                .any(|line| line.contains(word));
            assert!(!used, "{file} uses {word}");
        }
    }
}
