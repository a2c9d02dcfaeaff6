//! Symbols: found after restarts and merges, dropped when their rules change, never wrong.

use super::*;
use crate::parallel::Crew;
use hob_index::names::{Doc, Entry, Filter, Name};
use hob_index::symbols::{Extent, Kind, Outline, Symbol};

const RUST: u8 = 1;

/// What a text defines whose definitions are its words: `f` in `f g`, and each encloses the next.
fn outline_of(text: &str) -> Outline {
    let mut at = 0;
    let words = text.split(' ').map(|word| {
        let start = at;
        at += word.len() as u32 + 1;
        start..start + word.len() as u32
    });
    let symbols = (0u32..).zip(words).map(|(ordinal, name)| Symbol {
        kind: if ordinal == 0 { Kind::Struct } else { Kind::Function },
        scope: None,
        range: name.start..text.len() as u32,
        head: name.end,
        parent: ordinal.checked_sub(1),
        line: 1,
        column: name.start + 1,
        first_line: 1,
        last_line: 1,
        name,
    });
    Outline { symbols: symbols.collect(), extent: Extent::Whole }
}

/// Adds each text as a content with its symbols; the number of the first.
fn add_symbols(store: &Store, texts: &[String]) -> u32 {
    let mut additions = store.additions(0);
    let mut extractor = Extractor::new();
    for text in texts {
        extractor.feed(text.as_bytes());
        let place = additions.text.add(extractor.take());
        additions.contents.push((*blake3::hash(text.as_bytes()).as_bytes(), place));
        additions.outline(Doc::New(place), RUST, &outline_of(text), text.as_bytes());
    }
    assert!(!additions.is_empty() && additions.memory() > 0);
    store.add(additions).unwrap()
}

fn shown(name: &Name) -> String {
    String::from_utf8_lossy(&name.name).into_owned()
}

/// `name: content/symbol …` for each name.
fn exact(store: &Store, name: &str) -> Result<Vec<String>, StoreError> {
    let definitions = store.definitions();
    let mut lines = Vec::new();
    for name in definitions.exact(name.as_bytes())? {
        let mut line = shown(&name) + ":";
        definitions.entries(&name, &mut |Entry { doc, ordinal, .. }| {
            line += &format!(" {doc}/{ordinal}");
            ControlFlow::Continue(())
        })?;
        lines.push(line);
    }
    Ok(lines)
}

fn fuzzy(store: &Store, pattern: &str, kinds: &[Kind], limit: usize) -> Vec<String> {
    let definitions = store.definitions();
    let filter = Filter::new(kinds, &[]);
    let found =
        definitions.fuzzy(pattern, &filter, limit, &Crew::new("search", 3), &|| false).unwrap();
    found.iter().map(shown).collect()
}

fn prefix(store: &Store, prefix: &str, limit: usize) -> Vec<String> {
    let definitions = store.definitions();
    let found = definitions.prefix(prefix.as_bytes(), &Filter::ALL, limit, &|| false).unwrap();
    found.iter().map(shown).collect()
}

#[test]
fn symbols_are_found_after_a_restart_and_after_merges() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    let (store, _) = open(&path);
    for number in 0..30 {
        assert_eq!(add_symbols(&store, &[format!("Type{number} new mutex_lock{number}")]), number);
    }
    let check = |store: &Store| {
        assert_eq!(exact(store, "TYPE17").unwrap(), ["Type17: 17/0"]);
        assert_eq!(exact(store, "absent").unwrap(), [""; 0]);
        let all = (0..30).map(|doc| format!(" {doc}/1")).collect::<String>();
        assert_eq!(exact(store, "new").unwrap(), [format!("new:{all}")]);
        assert_eq!(prefix(store, "mutex", 2), ["mutex_lock0", "mutex_lock1"]);
        assert_eq!(prefix(store, "new", 9), [""; 0]);
        assert_eq!(fuzzy(store, "mtxlk23", &[], 9), ["mutex_lock23"]);
        assert_eq!(fuzzy(store, "ype2", &[Kind::Struct], 2), ["Type2", "Type20"]);
        assert_eq!(fuzzy(store, "ype2", &[Kind::Function], 2), [""; 0]);
        assert_eq!(store.outline(5, RUST).unwrap().unwrap(), outline_of("Type5 new mutex_lock5"));
        assert!(store.outlined(5, RUST).unwrap() && !store.outlined(5, RUST + 1).unwrap());
        assert_eq!(store.outline(5, RUST + 1).unwrap(), None);
        let symbol = store.symbol(5, RUST, 2).unwrap();
        let around = store.enclosing(5, RUST, &symbol, 9).unwrap();
        assert_eq!(around.iter().map(|symbol| symbol.column).collect::<Vec<_>>(), [7, 1]);
        assert_eq!(store.enclosing(5, RUST, &symbol, 1).unwrap(), around[..1]);
    };
    check(&store);
    assert_eq!(counts(&store), (30, 90, 30));
    store.merge(&|| false).unwrap();
    assert_eq!(counts(&store), (30, 90, 1));
    check(&store);
    drop(store);
    let (store, anew) = open(&path);
    assert_eq!(anew, None);
    check(&store);
}

/// Some merges are in place, some into a new file; what is known of contents moves along.
#[test]
fn merges_in_place_keep_symbols() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(&dir.path().join("store"));
    let texts =
        |from: u32, to: u32| (from..to).map(|n| format!("name{n} inner")).collect::<Vec<_>>();
    add_symbols(&store, &texts(0, 500));
    for n in 500..506 {
        add_symbols(&store, &texts(n, n + 1));
    }
    store.merge(&|| false).unwrap();
    assert_eq!(counts(&store), (506, 1012, 2));
    assert_eq!(exact(&store, "name3").unwrap(), ["name3: 3/0"]);
    assert_eq!(exact(&store, "name503").unwrap(), ["name503: 503/0"]);
    assert_eq!(fuzzy(&store, "nm505", &[], 1), ["name505"]);
    assert_eq!(find(&store, "name503"), Docs::These(vec![503]));
}

/// The same content under a file name of another language: it has a number, and new symbols.
#[test]
fn a_known_content_gets_symbols_of_another_language() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    let (store, _) = open(&path);
    add_symbols(&store, &["one two".to_owned()]);
    for _ in 0..2 {
        // Two worktrees may find it at the same time.
        let mut additions = store.additions(0);
        additions.outline(Doc::Known(0), RUST + 1, &outline_of("one"), b"one");
        assert!(!additions.is_empty());
        store.add(additions).unwrap();
    }
    assert_eq!(exact(&store, "one").unwrap(), ["one: 0/0 0/0"], "as two languages, each once");
    assert_eq!(add(&store, &["more"]), 1);
    assert_eq!(add_symbols(&store, &["three".to_owned()]), 2);
    store.merge(&|| false).unwrap();
    drop(store);
    let (store, _) = open(&path);
    assert_eq!(exact(&store, "one").unwrap(), ["one: 0/0 0/0"]);
    assert_eq!(exact(&store, "three").unwrap(), ["three: 2/0"]);
    assert_eq!(store.outline(0, RUST).unwrap().unwrap().symbols.len(), 2);
    assert_eq!(store.outline(0, RUST + 1).unwrap().unwrap().symbols.len(), 1);
    assert_eq!(add(&store, &["even more"]), 3);
}

#[test]
fn a_content_without_symbols_is_known_to_have_none() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(&dir.path().join("store"));
    let mut additions = store.additions(0);
    let place = additions.text.add(&[]);
    additions.contents.push(([1; 32], place));
    let nothing = Outline { symbols: Vec::new(), extent: Extent::GivenUp };
    additions.outline(Doc::New(place), RUST, &nothing, b"");
    store.add(additions).unwrap();
    assert_eq!(store.outline(0, RUST).unwrap(), Some(nothing));
}

#[test]
fn other_rules_drop_symbols_and_keep_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    let (store, _) = open(&path);
    add_symbols(&store, &["one two".to_owned(), "three".to_owned()]);
    let mut additions = store.additions(0);
    additions.outline(Doc::Known(0), RUST + 1, &outline_of("one"), b"one");
    store.add(additions).unwrap();
    let saved = tree(&[("LICENSE", 1), ("a.rs", 0)]);
    let (id, empty) = load(&store, Path::new("/r"));
    store.save(id, &empty, &saved).unwrap();
    drop(store);

    let (store, anew) = Store::open(&path, 1, RULES + (1 << 40), &Caches::new(0)).unwrap();
    assert_eq!(anew, None);
    assert_eq!(counts(&store), (2, 0, 1));
    assert_eq!(exact(&store, "one").unwrap(), [""; 0]);
    assert_eq!(with_word(&store, Field::Names, "one"), []);
    assert!(!store.outlined(0, RUST).unwrap());
    assert_eq!(find(&store, "three"), Docs::These(vec![1]));
    // Each content is known, and none is outlined; that is so at the next start as well.
    let mut left = load(&store, Path::new("/r")).1;
    for _ in 0..2 {
        assert_eq!(paths(&left), unoutlined(&saved));
        left = load(&store, Path::new("/r")).1;
    }
    store.save(id, &left, &saved).unwrap();
    drop(store);
    let (store, _) = Store::open(&path, 1, RULES + (1 << 40), &Caches::new(0)).unwrap();
    assert_eq!(paths(&load(&store, Path::new("/r")).1), paths(&saved));
}

/// The files of a tree, as they are while none is outlined.
fn unoutlined(dir: &Dir) -> Vec<(String, File)> {
    let without = |(path, file)| (path, File { outlined: false, ..file });
    paths(dir).into_iter().map(without).collect()
}

#[test]
fn the_words_of_names_are_known_by_content_and_survive_a_merge() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(&dir.path().join("store"));
    for number in 0..9 {
        add_symbols(&store, &[format!("parse_word{number}x Tree")]);
    }
    // A content that is known already, in a later segment.
    let mut additions = store.additions(0);
    additions.outline(Doc::Known(3), RUST + 1, &outline_of("parse late"), b"parse late");
    store.add(additions).unwrap();
    let check = || {
        assert_eq!(with_word(&store, Field::Names, "late"), [(3, 1)]);
        assert_eq!(with_word(&store, Field::Names, "word8x"), [(8, 1)]);
        let mut contents: Vec<_> = with_word(&store, Field::Names, "parse");
        contents.dedup();
        contents.sort_unstable();
        contents.dedup();
        assert_eq!(contents, (0..9).map(|content| (content, 1)).collect::<Vec<_>>());
    };
    check();
    store.merge(&|| false).unwrap();
    check();
}

#[test]
fn a_store_of_another_version_is_begun_anew() {
    for version in [1, VERSION - 1, VERSION + 1] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store");
        {
            let (store, _) = open(&path);
            add(&store, &["alpha"]);
            let db = store.db.read().unwrap();
            let write = db.begin_write().unwrap();
            write.open_table(META).unwrap().insert("version", version).unwrap();
            write.commit().unwrap();
        }
        let (store, anew) = open(&path);
        assert_eq!(anew, Some(format!("the store was begun anew: it is of version {version}")));
        assert_eq!(counts(&store), (0, 0, 0));
        assert!(path.with_extension("broken").exists());
    }
}

#[test]
fn a_flipped_bit_is_never_a_wrong_symbol() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    let (store, _) = open(&path);
    let text = |n: u32| format!("Type{n} method_{} common field{}", n * 7919 % 1000, n % 10);
    add_symbols(&store, &(0..600).map(text).collect::<Vec<_>>());
    let ask = |store: &Store| {
        let definitions = store.definitions();
        let fuzzy =
            definitions.fuzzy("mthd77", &Filter::ALL, 5, &Crew::new("search", 2), &|| false);
        let prefix = definitions.prefix(b"field", &Filter::ALL, 20, &|| false);
        let symbols = store.symbol(333, RUST, 3).and_then(|symbol| {
            store.enclosing(333, RUST, &symbol, 9).map(|around| (symbol, around))
        });
        (
            [exact(store, "type77").ok(), exact(store, "common").ok()],
            [fuzzy, prefix].map(|found| found.ok().map(|found| found.iter().map(shown).collect())),
            (store.outline(444, RUST).ok(), symbols.ok()),
        )
    };
    type Asked = (
        [Option<Vec<String>>; 2],
        [Option<Vec<String>>; 2],
        (Option<Option<Outline>>, Option<(Symbol, Vec<Symbol>)>),
    );
    let right: Asked = ask(&store);
    drop(store);
    let whole = std::fs::read(&path).unwrap();
    let (mut noticed, mut broken) = (0, 0);
    for at in (0..whole.len()).step_by(whole.len() / 150) {
        let mut damaged = whole.clone();
        damaged[at] ^= 1 << (at % 8);
        std::fs::write(&path, damaged).unwrap();
        let Ok((store, None)) = try_open(&path) else {
            noticed += 1;
            continue;
        };
        let found: Asked = ask(&store);
        let agree = |found: &Option<Vec<String>>, right: &Option<Vec<String>>| {
            found.is_none() || found == right
        };
        for (found, right) in found.0.iter().chain(&found.1).zip(right.0.iter().chain(&right.1)) {
            assert!(agree(found, right), "byte {at}: {found:?}");
        }
        // An outline that is lost as a whole counts as not made yet.
        let outline = &found.2.0;
        assert!(matches!(outline, None | Some(None)) || *outline == right.2.0, "byte {at}");
        assert!(found.2.1.is_none() || found.2.1 == right.2.1, "byte {at}");
        let failed = found.0.iter().chain(&found.1).any(Option::is_none)
            || found.2.0.is_none()
            || found.2.1.is_none();
        assert_eq!(failed, store.is_broken(), "byte {at}");
        broken += u32::from(failed);
    }
    assert!(noticed > 0 && broken > 0, "{noticed} {broken}");
}

#[test]
fn a_store_that_is_closed_leaves_nothing_in_memory() {
    let dir = tempfile::tempdir().unwrap();
    let caches = Caches::new(1 << 20);
    let open = |name, epoch| Store::open(&dir.path().join(name), epoch, RULES, &caches).unwrap().0;
    let (store, other) = (open("store", 1), open("other", 2));
    for store in [&store, &other] {
        add_symbols(store, &["one two".to_owned()]);
        assert_eq!(fuzzy(store, "on", &[], 1), ["one"]);
    }
    drop(store);
    let epochs = caches.names.iter().map(|(key, _)| key.0).collect::<Vec<_>>();
    assert_eq!(epochs, [2]);
}
