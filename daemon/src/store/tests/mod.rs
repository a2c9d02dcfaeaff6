//! A store keeps what it was given, across restarts and merges, and never gives
//! back anything else.

mod symbols;

use super::tables::{META, VERSION, begin};
use super::*;
use hob_index::context::history::Commit;
use hob_index::plan::{PlanOptions, plan};
use hob_index::tree::{Dir, DocId, File};
use hob_index::trigram::Extractor;
use hob_index::words::{Word, count};
use std::ops::ControlFlow;

const RULES: u64 = 7 << 32 | 5;

fn try_open(path: &Path) -> Result<(Store, Option<String>), StoreError> {
    Store::open(path, 1, RULES, &Caches::new(1 << 20))
}

fn open(path: &Path) -> (Store, Option<String>) {
    try_open(path).unwrap()
}

/// Adds each text as a content of one segment.
fn add(store: &Store, texts: &[&str]) -> u32 {
    let mut additions = store.additions(0);
    let mut extractor = Extractor::new();
    for text in texts {
        extractor.feed(text.as_bytes());
        let place = additions.text.add(extractor.take());
        additions.contents.push((*blake3::hash(text.as_bytes()).as_bytes(), place));
        additions.words.add(place, &count(text.as_bytes()));
    }
    store.add(additions).unwrap()
}

/// The contents that have a word, and how often.
fn with_word(store: &Store, field: Field, word: &str) -> Vec<(u32, u32)> {
    store.words(field, Word::of(word.as_bytes())).unwrap()
}

/// Contents, definitions, segments.
fn counts(store: &Store) -> (u64, u64, u64) {
    let StoreCounts { contents, definitions, segments } = store.counts();
    (contents, definitions, segments)
}

fn load(store: &Store, root: &Path) -> (RootId, Arc<Dir>) {
    store.load(root).unwrap()
}

fn find(store: &Store, pattern: &str) -> Docs {
    store.candidates(&plan(&[pattern.to_owned()], PlanOptions::default())).unwrap()
}

fn file(doc: u32) -> File {
    File { size: 3, mtime: -4, print: 5, touch: 0, doc: DocId::new(doc).unwrap(), outlined: true }
}

fn tree(files: &[(&str, u32)]) -> Dir {
    let files: Vec<_> =
        files.iter().map(|(path, doc)| (path.as_bytes().to_vec(), file(*doc))).collect();
    Dir::from_files(&files)
}

fn paths(dir: &Dir) -> Vec<(String, File)> {
    let mut found = Vec::new();
    dir.for_each_file(&Docs::All, &mut |path, file| {
        found.push((String::from_utf8_lossy(path).into_owned(), *file));
    });
    found
}

/// `hob status` told 262 contents of a tree of 231 files: it counted their parts.
#[test]
fn a_content_of_several_parts_is_counted_once() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(&dir.path().join("store"));
    let mut additions = store.additions(0);
    additions.text.add(&[0x616263]);
    additions.text.add(&[0x626364]);
    additions.contents.push(([7; 32], 0));
    store.add(additions).unwrap();
    assert_eq!(counts(&store), (1, 0, 1));
}

#[test]
fn contents_are_found_after_a_restart_and_after_merges() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    let (store, _) = open(&path);
    for number in 0..30 {
        let text = format!("common word{number}x");
        assert_eq!(add(&store, &[&text]), number);
    }
    store.merge(&|| false).unwrap();
    assert_eq!(counts(&store), (30, 0, 1));
    let check = |store: &Store| {
        assert_eq!(find(store, "word17x"), Docs::These(vec![17]));
        assert_eq!(find(store, "common"), Docs::These((0..30).collect()));
        assert_eq!(find(store, "absent"), Docs::These(vec![]));
        let hash = *blake3::hash(b"common word4x").as_bytes();
        assert_eq!(store.lookup(&hash).unwrap(), Some(4));
    };
    check(&store);
    drop(store);
    let (store, anew) = open(&path);
    assert_eq!(anew, None);
    check(&store);
    assert_eq!(add(&store, &["one more"]), 30);
}

#[test]
fn words_are_counted_by_content_across_segments_restarts_and_merges() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    let (store, _) = open(&path);
    assert_eq!(with_word(&store, Field::Text, "common"), []);
    for number in 0..30 {
        add(&store, &[&format!("common word{number}x {}", "often ".repeat(number))]);
    }
    let check = |store: &Store| {
        assert_eq!(with_word(store, Field::Text, "word17x"), [(17, 1)]);
        let all: Vec<_> = (0..30).map(|content| (content, 1)).collect();
        assert_eq!(with_word(store, Field::Text, "common"), all);
        assert_eq!(with_word(store, Field::Text, "often")[..2], [(1, 1), (2, 2)]);
        assert_eq!(with_word(store, Field::Text, "absent"), []);
        assert_eq!(with_word(store, Field::Names, "common"), []);
        assert_eq!(store.words(Field::Text, Word::ALL).unwrap()[3], (3, 5));
    };
    check(&store);
    store.merge(&|| false).unwrap();
    check(&store);
    drop(store);
    check(&open(&path).0);
}

#[test]
fn commits_come_back_after_a_restart_and_a_merge() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    let (store, _) = open(&path);
    let commit = Commit { words: count(b"fix it"), ..Commit::default() };
    store.add_commits(&[(vec![7; 20], commit.clone())]).unwrap();
    for number in 0..9 {
        add(&store, &[&format!("word{number}x")]);
    }
    store.merge(&|| false).unwrap();
    drop(store);
    let (store, _) = open(&path);
    assert_eq!(store.commit(&[7; 20]).unwrap(), Some(commit));
    assert_eq!(store.commit(&[8; 20]).unwrap(), None);
}

/// A query held on to the file that a merge had replaced; redb closes a database when it is
/// dropped, whoever reads. The store counted as broken, and the whole index was made again.
#[test]
fn a_query_goes_on_in_the_file_that_a_merge_replaces() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(&dir.path().join("store"));
    for number in 0..20 {
        add(&store, &[&format!("word{number}x")]);
    }
    let before = store.reader();
    store.merge(&|| false).unwrap();
    let hash = *blake3::hash(b"word7x").as_bytes();
    assert_eq!(before.contents.get(&hash).unwrap().unwrap().value(), 7);
    assert_eq!(find(&store, "word7x"), Docs::These(vec![7]));
}

#[test]
fn a_tree_is_loaded_as_it_was_saved() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    let (store, _) = open(&path);
    add(&store, &["a", "b", "c"]);
    let (one, two) = (Path::new("/one"), Path::new("/two"));
    let before = tree(&[("a/z", 1), ("a.rs", 2)]);
    let after = tree(&[("a/y", 0), ("a.rs", 1)]);
    let (id, empty) = load(&store, one);
    store.save(id, &empty, &before).unwrap();
    let (other, empty) = load(&store, two);
    store.save(other, &empty, &before).unwrap();
    store.save(id, &before, &after).unwrap();
    drop(store);
    let (store, _) = open(&path);
    assert_eq!(paths(&load(&store, one).1), paths(&after));
    assert_eq!(paths(&load(&store, two).1), paths(&before));
    assert!(!store.forget(one).unwrap());
    assert_eq!(paths(&load(&store, two).1), paths(&before));
    assert!(load(&store, one).1.entries().is_empty());
}

#[test]
fn another_version_is_set_aside() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    let (store, _) = open(&path);
    add(&store, &["text"]);
    {
        let db = store.db.read().unwrap();
        let write = begin(&db).unwrap();
        write.open_table(META).unwrap().insert("version", VERSION + 1).unwrap();
        write.commit().unwrap();
    }
    drop(store);
    let (store, anew) = open(&path);
    assert!(anew.unwrap().contains("of version"));
    assert_eq!(counts(&store), (0, 0, 0));
    assert!(dir.path().join("store.broken").exists());
}

#[test]
fn what_is_no_store_is_set_aside() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    for bytes in [&b""[..], b"not a database", &[0xff; 9000]] {
        std::fs::write(&path, bytes).unwrap();
        let (store, _) = open(&path);
        assert_eq!(add(&store, &["text"]), 0);
    }
}

/// redb does not check pages when it opens a file that was closed cleanly: of 80 files with a
/// random byte overwritten, 46 read back other values in silence. So all that is read is checked.
#[test]
fn a_flipped_bit_is_never_a_wrong_answer() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    let (store, _) = open(&path);
    let texts: Vec<String> = (0..200).map(|n| format!("text number {n} of {}", n * 7919)).collect();
    add(&store, &texts.iter().map(String::as_str).collect::<Vec<_>>());
    let files: Vec<_> = (0..200u32)
        .map(|n| (format!("d{}/f{n:03}", n % 7).into_bytes(), file(n)))
        .collect::<std::collections::BTreeMap<_, _>>()
        .into_iter()
        .collect();
    let saved = Dir::from_files(&files);
    let (id, empty) = load(&store, Path::new("/r"));
    store.save(id, &empty, &saved).unwrap();
    drop(store);
    let whole = std::fs::read(&path).unwrap();
    let mut noticed = 0;
    for at in (0..whole.len()).step_by(whole.len() / 150) {
        let mut damaged = whole.clone();
        damaged[at] ^= 1 << (at % 8);
        std::fs::write(&path, damaged).unwrap();
        let Ok((store, anew)) = try_open(&path) else {
            noticed += 1;
            continue;
        };
        if anew.is_some() {
            noticed += 1;
            continue;
        }
        // What it says is what was put in, or an error; of a tree a part may be missing only
        // where it would be read again.
        match store.candidates(&plan(&["number 77 of".into()], PlanOptions::default())) {
            Ok(docs) => assert_eq!(docs, Docs::These(vec![77]), "byte {at}"),
            Err(_) => noticed += 1,
        }
        if let Ok((_, tree)) = store.load(Path::new("/r")) {
            let known = paths(&saved);
            for file in paths(&tree) {
                assert!(known.contains(&file), "byte {at}");
            }
        }
    }
    assert!(noticed > 0);
}
