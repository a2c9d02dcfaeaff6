//! The arrows that must never exist, by the crates' manifests and by what their sources name.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// What a crate is built on, its development aside.
fn dependencies(folder: &str) -> BTreeSet<String> {
    let manifest = fs::read_to_string(top().join(folder).join("Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let names = ["dependencies", "build-dependencies"].into_iter();
    names
        .filter_map(|table| manifest.get(table)?.as_table())
        .flat_map(|table| table.keys().cloned())
        .collect()
}

fn is_not_built_on(folder: &str, forbidden: &[&str]) {
    let found = dependencies(folder);
    let wrong: Vec<&&str> = forbidden.iter().filter(|name| found.contains(**name)).collect();
    assert!(wrong.is_empty(), "{folder} is built on {wrong:?}");
}

/// The Rust files below a folder, or a file itself, tests aside.
fn sources(path: &str) -> Vec<(PathBuf, String)> {
    let mut sources = Vec::new();
    let mut todo = vec![top().join(path)];
    while let Some(path) = todo.pop() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            todo.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else if name.ends_with(".rs") && !name.contains("tests") {
            let text = fs::read_to_string(&path).unwrap();
            sources.push((path, code(&text)));
        }
    }
    assert!(!sources.is_empty(), "`{path}` has no sources");
    sources
}

/// A source without its comments and the tests at its end.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

fn never_names(path: &str, forbidden: &[&str]) {
    for (file, text) in sources(path) {
        for name in forbidden {
            assert!(!names(&text, name), "{} names `{name}`", file.display());
        }
    }
}

/// Whether a path stands in a source, alone or as the beginning of a longer one.
fn names(text: &str, path: &str) -> bool {
    let part_of_a_word =
        |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    text.match_indices(path).any(|(at, _)| {
        let (before, after) = (&text.as_bytes()[..at], &text.as_bytes()[at + path.len()..]);
        !part_of_a_word(before.last()) && !part_of_a_word(after.first())
    })
}

/// The top modules of the daemon in which a crate is named.
fn homes(name: &str) -> BTreeSet<String> {
    let base = top().join("daemon/src");
    let path = format!("{name}::");
    sources("daemon/src")
        .into_iter()
        .filter(|(_, text)| {
            text.match_indices(&path).any(|(at, _)| {
                let before = text[..at].chars().next_back();
                !before.is_some_and(|char| char.is_alphanumeric() || "_:".contains(char))
            })
        })
        .map(|(file, _)| {
            let inner = file.strip_prefix(&base).unwrap();
            let first = inner.components().next().unwrap().as_os_str().to_string_lossy();
            first.trim_end_matches(".rs").to_owned()
        })
        .collect()
}

const OURS: [&str; 5] = ["hob-protocol", "hob-client", "hob-daemon", "hob-index", "hob-plugin"];

#[test]
fn the_protocol_knows_nothing_of_hob() {
    is_not_built_on("protocol", &OURS);
}

#[test]
fn the_client_knows_only_the_protocol() {
    let ours: BTreeSet<String> =
        dependencies("client").into_iter().filter(|name| OURS.contains(&name.as_str())).collect();
    assert_eq!(ours, BTreeSet::from(["hob-protocol".to_owned()]));
}

#[test]
fn plugins_do_not_know_the_daemon() {
    if top().join("plugins/Cargo.toml").exists() {
        is_not_built_on("plugins", &["hob-daemon", "hob-client", "hob-index"]);
    }
}

#[test]
fn the_engine_is_a_pure_library() {
    is_not_built_on("daemon/index", &OURS);
    is_not_built_on(
        "daemon/index",
        &["tokio", "redb", "notify", "jsonrpsee", "interprocess", "git2"],
    );
    never_names("daemon/index/src", &["std::fs", "std::net", "std::process", "std::env", "tokio"]);
}

#[test]
fn each_of_these_has_one_home_in_the_daemon() {
    for name in ["redb", "notify", "git2", "hyper", "tokio_tungstenite", "pprof"] {
        let homes = homes(name);
        assert_eq!(homes.len(), 1, "`{name}` is named in {homes:?}");
    }
    // Who scans goes down a tree, on the threads of a crew.
    assert_eq!(homes("rayon"), BTreeSet::from(["parallel".to_owned(), "workspace".to_owned()]));
    // Before the store's file of values, and for the blocks of its lists.
    assert_eq!(homes("moka"), BTreeSet::from(["cache".to_owned(), "store".to_owned()]));
}

#[test]
fn the_watcher_does_not_know_the_workspace() {
    never_names("daemon/src/watcher", &["crate::workspace", "crate::workspaces", "hob_index"]);
}

#[test]
fn services_do_not_know_the_server() {
    for service in [
        "search",
        "files",
        "context",
        "store",
        "cache",
        "tasks",
        "workspace",
        "watcher",
        "indexing",
        "git",
    ] {
        let path = format!("daemon/src/{service}");
        never_names(&path, &["crate::server", "crate::handlers", "jsonrpsee", "crate::Services"]);
    }
}
