//! Segments of names against a naive model.

#![allow(clippy::unwrap_used)] // clippy takes only `#[test]` functions for tests

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;

use hob_index::names::{
    BLOCK, Builder, Corrupt, Counts, Doc, Entries, Entry, Filter, Fuzzy, Input, MOST, Name, Names,
    RUN, Row, Sort, Source, entries, entries_key, exact, merge, names_key, prefix,
};
use hob_index::symbols::Kind;
use nucleo_matcher::pattern::{Atom, AtomKind, CaseMatching, Normalization};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use proptest::prelude::*;

/// A segment in memory.
#[derive(Clone, Debug, Default, PartialEq)]
struct Segment {
    number: u32,
    counts: Counts,
    names: BTreeMap<u32, Vec<u8>>,
    directory: BTreeMap<Vec<u8>, u32>,
    entries: BTreeMap<(u32, u32), Vec<u8>>,
}

type Definition = (Vec<u8>, Entry);

impl Segment {
    /// Definitions in documents past `base` are new ones.
    fn build(number: u32, base: u32, definitions: &[Definition]) -> Self {
        let mut builder = Builder::new(number);
        for (name, entry) in definitions {
            let doc = entry.doc.checked_sub(base).map_or(Doc::Known(entry.doc), Doc::New);
            builder.add(name, doc, entry.language, entry.kind, entry.ordinal);
        }
        let mut segment = Self { number, ..Self::default() };
        segment.counts = builder.sort().finish(base, &mut |row| segment.put(row)).unwrap();
        segment
    }

    fn put(&mut self, row: Row<'_>) -> Result<(), Corrupt> {
        match row {
            Row::Names { block, bytes } => {
                assert!(bytes.len() <= BLOCK);
                assert!(self.names.insert(block, bytes.to_vec()).is_none());
            }
            Row::Directory { key, block } => {
                assert!(self.directory.last_key_value().is_none_or(|(last, _)| &**last < key));
                self.directory.insert(key.to_vec(), block);
            }
            Row::Entries { name, part, bytes } => {
                assert!(bytes.len() <= BLOCK);
                let last = self.entries.last_key_value();
                assert!(last.is_none_or(|(last, _)| *last < (name, part)));
                self.entries.insert((name, part), bytes.to_vec());
            }
        }
        Ok(())
    }

    fn open_names(&self, block: u32) -> Result<Names, Corrupt> {
        let lost = Corrupt { segment: self.number, sort: Sort::Names, number: block };
        Names::open(self.number, block, self.names.get(&block).ok_or(lost)?)
    }

    fn merged(number: u32, segments: &[Self]) -> Result<Self, Corrupt> {
        let mut names: Vec<_> = segments
            .iter()
            .map(|segment| segment.names.keys().map(|block| segment.open_names(*block)))
            .collect();
        let mut lists: Vec<_> = segments
            .iter()
            .map(|segment| {
                let all = segment.entries.iter();
                all.map(|((name, part), bytes)| Entries::open(segment.number, *name, *part, bytes))
            })
            .collect();
        let mut inputs: Vec<_> = segments
            .iter()
            .zip(names.iter_mut().zip(&mut lists))
            .map(|(segment, (names, entries))| Input {
                segment: segment.number,
                counts: segment.counts,
                names,
                entries,
            })
            .collect();
        let mut result = Self { number, ..Self::default() };
        result.counts = merge(number, &mut inputs, &mut |row| result.put(row))?;
        Ok(result)
    }
}

impl Source for Segment {
    type Error = Corrupt;

    fn segment(&self) -> u32 {
        self.number
    }

    fn counts(&self) -> Counts {
        self.counts
    }

    fn find(&self, key: &[u8]) -> Result<Option<u32>, Corrupt> {
        Ok(self.directory.range(..=key.to_vec()).next_back().map(|(_, block)| *block))
    }

    fn run(&self, run: u32) -> Result<Arc<[Names]>, Corrupt> {
        let end = self.counts.blocks.min((run + 1) * RUN);
        (run * RUN..end).map(|block| self.open_names(block)).collect()
    }

    fn entries(&self, name: u32, part: u32) -> Result<Option<Arc<Entries>>, Corrupt> {
        let found = self.entries.range(..=(name, part)).next_back();
        let open = |((name, part), bytes): (&(u32, u32), &Vec<u8>)| {
            Entries::open(self.number, *name, *part, bytes).map(Arc::new)
        };
        found.map(open).transpose()
    }
}

/// A name as it is kept, and whether that is all of it.
type Kept = (Vec<u8>, bool);

fn kept(name: &[u8]) -> Kept {
    (name[..name.len().min(MOST)].to_vec(), name.len() <= MOST)
}

/// What the segments together should have.
type Model = BTreeMap<Kept, BTreeSet<Entry>>;

fn model(definitions: &[Definition]) -> Model {
    let mut model = Model::new();
    for (name, entry) in definitions {
        model.entry(kept(name)).or_default().insert(*entry);
    }
    model
}

/// In this order names of the same score are found: the shorter ones first.
fn order((name, whole): &Kept) -> (usize, Vec<u8>, Vec<u8>) {
    (name.len() + usize::from(!whole), name.to_ascii_lowercase(), name.clone())
}

fn shown(names: &[Name]) -> Vec<Kept> {
    names.iter().map(|found| (found.name.clone(), found.whole)).collect()
}

fn exact_model(model: &Model, wanted: &[u8]) -> Vec<Kept> {
    let (wanted, whole) = kept(wanted);
    let is_it = |name: &&Kept| name.0.eq_ignore_ascii_case(&wanted) && name.1 == whole;
    model.keys().filter(is_it).cloned().collect()
}

fn prefix_model(model: &Model, wanted: &[u8], limit: usize) -> Vec<Kept> {
    let begins = |(name, whole): &&Kept| {
        let begins = name.get(..wanted.len()).is_some_and(|n| n.eq_ignore_ascii_case(wanted));
        begins && (name.len() > wanted.len() || !whole)
    };
    let mut expected: Vec<_> = model.keys().filter(begins).cloned().collect();
    expected.sort_by_key(order);
    expected.truncate(limit);
    expected
}

fn entries_of(segments: &[Segment], name: &Name) -> Result<BTreeSet<Entry>, Corrupt> {
    let mut found = Vec::new();
    entries(segments, name, &mut |entry| {
        found.push(entry);
        ControlFlow::Continue(())
    })?;
    assert!(found.is_sorted_by(|a, b| a < b), "in order, each once");
    Ok(found.into_iter().collect())
}

/// By two searches in turn.
fn fuzzy(
    segments: &[Segment],
    pattern: &str,
    filter: &Filter,
    limit: usize,
) -> Result<Vec<Name>, Corrupt> {
    let mut searches = vec![];
    searches.resize_with(2, || Fuzzy::new(pattern, filter.clone(), limit));
    for (source, segment) in segments.iter().enumerate() {
        for run in 0..segment.counts.blocks.div_ceil(RUN) {
            searches[(source + run as usize) % 2].scan(source, &segment.run(run)?, &|| false);
        }
    }
    Ok(Fuzzy::best(searches))
}

/// The same by brute force.
fn fuzzy_model(model: &Model, pattern: &str, limit: usize) -> Vec<(u16, Kept)> {
    let atom =
        Atom::new(pattern, CaseMatching::Smart, Normalization::Smart, AtomKind::Fuzzy, false);
    let (mut matcher, mut buffer) = (Matcher::new(Config::DEFAULT), Vec::new());
    let mut found = Vec::new();
    for name in model.keys() {
        let text = String::from_utf8_lossy(&name.0);
        let text = match name.0.is_ascii() {
            true => Utf32Str::Ascii(&name.0),
            false => Utf32Str::new(&text, &mut buffer),
        };
        found.extend(atom.score(text, &mut matcher).map(|score| (score, name.clone())));
    }
    found.sort_by_key(|(score, name)| (std::cmp::Reverse(*score), order(name)));
    found.truncate(limit);
    found
}

fn scored(names: &[Name]) -> Vec<(u16, Kept)> {
    names.iter().map(|name| name.score).zip(shown(names)).collect()
}

fn kind() -> impl Strategy<Value = Kind> {
    prop::sample::select(&Kind::ALL[..])
}

fn name() -> impl Strategy<Value = Vec<u8>> {
    let word = prop::sample::select(
        &[
            "mutex", "Mutex", "LOCK", "lock", "_", "__", "a", "B", "c", "MASK", "9", "", " ", "/",
            "é", "É",
        ][..],
    );
    let words = prop::collection::vec(word, 0..6).prop_map(|words| words.concat().into_bytes());
    let long = (500usize..640, any::<bool>())
        .prop_map(|(length, upper)| vec![if upper { b'X' } else { b'x' }; length]);
    let odd =
        prop::collection::vec(prop_oneof![Just(0), Just(b'a'), Just(b'A'), any::<u8>()], 0..9);
    prop_oneof![12 => words, 1 => long, 2 => odd]
}

fn definitions(most: usize) -> impl Strategy<Value = Vec<Definition>> {
    let entry = (0u32..40, 0u8..4, kind(), prop_oneof![0u32..3, any::<u32>()]);
    let one = (name(), entry).prop_map(|(name, (doc, language, kind, ordinal))| {
        // One place is one definition, and has one kind.
        let kind = if ordinal < 3 { Kind::ALL[(doc + ordinal) as usize % 20] } else { kind };
        let ordinal = if ordinal < 3 { ordinal } else { ordinal ^ u32::from(kind as u8) };
        (name, Entry { doc, language, ordinal, kind })
    });
    prop::collection::vec(one, 0..most).prop_map(|mut definitions| {
        let mut places = BTreeMap::new();
        definitions.retain(|(_, entry)| {
            let place = (entry.doc, entry.language, entry.ordinal);
            *places.entry(place).or_insert(entry.kind) == entry.kind
        });
        definitions
    })
}

/// The definitions in some segments; a few of them in two.
fn segments(definitions: &[Definition], parts: u32) -> Vec<Segment> {
    let part = |number: u32| {
        let mine = (0..)
            .zip(definitions)
            .filter(|(at, _)| at % parts == number || (at % 7 == 0 && (at + 1) % parts == number));
        mine.map(|(_, definition)| definition.clone()).collect::<Vec<_>>()
    };
    (0..parts).map(|number| Segment::build(number + 10, 13 * number, &part(number))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_spelling_of_a_name_is_found_with_its_entries(
        definitions in definitions(300), parts in 1u32..5, other in name(),
    ) {
        let (segments, model) = (segments(&definitions, parts), model(&definitions));
        for wanted in definitions.iter().map(|(name, _)| name).chain([&other]) {
            let found = exact(&segments, wanted).unwrap();
            prop_assert_eq!(shown(&found), exact_model(&model, wanted));
            for (name, key) in found.iter().zip(shown(&found)) {
                prop_assert_eq!(&entries_of(&segments, name).unwrap(), &model[&key]);
            }
        }
    }

    #[test]
    fn prefixes_are_found_the_shortest_first(
        definitions in definitions(300), parts in 1u32..4, other in name(), limit in 0usize..20,
        by: prop::sample::Index,
    ) {
        let (segments, model) = (segments(&definitions, parts), model(&definitions));
        let some = definitions.get(by.index(definitions.len().max(1))).map_or(&other, |(n, _)| n);
        for wanted in [&some[..some.len() / 2], &some[..some.len().min(1)], &other, b""] {
            let found = prefix(&segments, wanted, &Filter::ALL, limit, &|| false).unwrap();
            prop_assert_eq!(shown(&found), prefix_model(&model, wanted, limit));
        }
    }

    #[test]
    fn fuzzy_finds_what_nucleo_finds(
        definitions in definitions(300), parts in 1u32..4, limit in 0usize..20,
        pattern in prop_oneof![
            "[mtxlck_aMLB9 é/]{0,6}", "\\PC{0,3}", Just("mtxlck".to_owned()), Just("x".repeat(80)),
        ],
    ) {
        let (segments, model) = (segments(&definitions, parts), model(&definitions));
        let found = fuzzy(&segments, &pattern, &Filter::ALL, limit).unwrap();
        prop_assert_eq!(scored(&found), fuzzy_model(&model, &pattern, limit));
    }

    #[test]
    fn a_filter_leaves_out_names_of_other_kinds_only(
        definitions in definitions(200), wanted in prop::collection::vec(kind(), 0..3), language in 0u8..5,
    ) {
        let (segments, model) = (segments(&definitions, 2), model(&definitions));
        let filter = Filter::new(&wanted, &[language]);
        let has = |entries: &BTreeSet<Entry>| entries.iter().any(|entry| filter.accepts(entry));
        let expected = model.values().filter(|entries| has(entries)).count();
        for found in [
            prefix(&segments, b"", &filter, usize::MAX, &|| false).unwrap(),
            fuzzy(&segments, "", &filter, usize::MAX).unwrap(),
        ] {
            let empty = usize::from(model.get(&kept(b"")).is_some_and(has));
            let with = found.iter().filter(|name| has(&entries_of(&segments, name).unwrap())).count();
            prop_assert!(with == expected || with == expected - empty);
            // A set of many kinds is any.
            let few = found.iter().filter(|name| {
                entries_of(&segments, name).unwrap().iter().map(|entry| (entry.language, entry.kind)).collect::<BTreeSet<_>>().len() <= 8
            });
            for name in few {
                let entries = entries_of(&segments, name).unwrap();
                prop_assert!(name.places.len() > 1 || has(&entries));
            }
        }
    }

    #[test]
    fn merging_is_building_everything(definitions in definitions(300), parts in 1u32..6) {
        let segments = segments(&definitions, parts);
        let built = Segment::build(3, 0, &definitions);
        prop_assert_eq!(Segment::merged(3, &segments).unwrap(), built);
    }

    #[test]
    fn damage_is_found(definitions in definitions(120), at: prop::sample::Index, flip in 1u8.., cut: bool) {
        let segment = Segment::build(1, 20, &definitions);
        let damaged = |bytes: &[u8]| {
            let (mut bytes, at) = (bytes.to_vec(), at.index(bytes.len()));
            if cut { bytes.truncate(at) } else { bytes[at] ^= flip }
            bytes
        };
        for (block, bytes) in &segment.names {
            prop_assert!(Names::open(1, *block, &damaged(bytes)).is_err());
            prop_assert!(Names::open(2, *block, bytes).is_err());
            prop_assert!(Names::open(1, block + 1, bytes).is_err());
        }
        for ((name, part), bytes) in &segment.entries {
            prop_assert!(Entries::open(1, *name, *part, &damaged(bytes)).is_err());
            prop_assert!(Entries::open(2, *name, *part, bytes).is_err());
            prop_assert!(Entries::open(1, *name, part + 1, bytes).is_err());
        }
    }

    // A bug of ours could seal nonsense; even that must not panic.
    #[test]
    fn sealed_nonsense_is_refused_or_read_without_panic(
        definitions in definitions(40), at: prop::sample::Index, to: u8, more in prop::collection::vec(any::<u8>(), 0..9),
    ) {
        let segment = Segment::build(1, 20, &definitions);
        let forge = |bytes: &[u8], key: &[u8]| {
            let mut bytes = bytes[..bytes.len() - 8].to_vec();
            let at = at.index(bytes.len());
            bytes[at] = to;
            bytes.truncate(bytes.len() - more.len().min(2));
            bytes.extend(&more);
            let check = blake3::Hasher::new().update(&bytes).update(key).finalize();
            [&bytes[..], &check.as_bytes()[..8]].concat()
        };
        let mut forged = segment.clone();
        for (block, bytes) in &mut forged.names {
            *bytes = forge(bytes, &names_key(1, *block));
        }
        for ((name, part), bytes) in &mut forged.entries {
            *bytes = forge(bytes, &entries_key(1, *name, *part));
        }
        let forged = [forged];
        for (name, _) in &definitions {
            if let Ok(found) = exact(&forged, name) {
                found.iter().for_each(|name| {
                    let _ = entries_of_any(&forged, name);
                });
            }
        }
        let _ = (prefix(&forged, b"m", &Filter::ALL, 9, &|| false), fuzzy(&forged, "m", &Filter::ALL, 9));
        let _ = Segment::merged(2, &forged);
    }

    // redb was seen to answer a lookup from a wrong page without an error.
    #[test]
    fn a_lost_row_is_found_by_whoever_needs_it(definitions in definitions(400), at: prop::sample::Index, sort in 0..3) {
        let whole = Segment::build(1, 20, &definitions);
        let mut segment = whole.clone();
        match sort {
            0 if !whole.names.is_empty() => drop(segment.names.remove(&(at.index(whole.names.len()) as u32))),
            1 if !whole.entries.is_empty() => {
                let key = *whole.entries.keys().nth(at.index(whole.entries.len())).unwrap();
                segment.entries.remove(&key);
            }
            2 if !whole.directory.is_empty() => {
                let key = whole.directory.keys().nth(at.index(whole.directory.len())).unwrap().clone();
                segment.directory.remove(&key);
            }
            _ => return Ok(()),
        }
        let (segment, whole) = ([segment], [whole]);
        for (name, _) in &definitions {
            let Ok(found) = exact(&segment, name) else { continue };
            prop_assert_eq!(&found, &exact(&whole, name).unwrap());
            for name in found {
                let entries = entries_of(&segment, &name);
                prop_assert!(entries.is_err() || entries == entries_of(&whole, &name));
            }
        }
        prop_assert!(sort == 2 || Segment::merged(2, &segment).is_err());
    }
}

/// Of sealed nonsense nothing is expected but an end.
fn entries_of_any(segments: &[Segment], name: &Name) -> Result<usize, Corrupt> {
    let mut count = 0;
    entries(segments, name, &mut |_| {
        count += 1;
        ControlFlow::Continue(())
    })?;
    Ok(count)
}

#[test]
fn a_name_with_very_many_entries_has_several_blocks() {
    let definitions: Vec<Definition> = (0..30_000u32)
        .flat_map(|doc| {
            let entry = |ordinal| Entry { doc, language: 1, ordinal, kind: Kind::Function };
            let odd = doc.is_multiple_of(1_000).then(|| (b"rare".to_vec(), entry(2)));
            [Some((b"common".to_vec(), entry(doc % 7))), odd].into_iter().flatten()
        })
        .collect();
    let halves = definitions.split_at(20_000);
    let segments = [Segment::build(1, 0, halves.0), Segment::build(2, 9, halves.1)];
    assert!(segments[0].entries.keys().any(|(_, part)| *part > 3));
    for (name, count) in [(&b"common"[..], 30_000), (b"rare", 30)] {
        let found = exact(&segments, name).unwrap();
        assert_eq!(entries_of(&segments, &found[0]).unwrap().len(), count);
    }
    let merged = Segment::merged(1, &segments).unwrap();
    assert_eq!(merged, Segment::build(1, 0, &definitions));
    assert_eq!(merged.counts, Counts { names: 2, blocks: 1, definitions: 30_030 });
}

#[test]
fn an_empty_segment_answers() {
    let segments = [Segment::build(1, 0, &[])];
    assert_eq!(exact(&segments, b"a").unwrap(), []);
    assert_eq!(prefix(&segments, b"", &Filter::ALL, 9, &|| false).unwrap(), []);
    assert_eq!(fuzzy(&segments, "", &Filter::ALL, 9).unwrap(), []);
    assert_eq!(Segment::merged(1, &segments).unwrap(), segments[0]);
}

#[test]
fn a_cancelled_query_ends() {
    let entry = Entry { doc: 0, language: 1, ordinal: 0, kind: Kind::Macro };
    let definitions: Vec<Definition> =
        (0..9_000u32).map(|n| (format!("name{n}").into_bytes(), entry)).collect();
    let segments = [Segment::build(1, 0, &definitions)];
    assert!(prefix(&segments, b"n", &Filter::ALL, 9, &|| true).unwrap().is_empty());
    let mut search = Fuzzy::new("n", Filter::ALL, 9);
    search.scan(0, &segments[0].run(0).unwrap(), &|| true);
    assert!(Fuzzy::best(vec![search]).is_empty());
}

/// Names enough for many runs of blocks, most of them like their neighbours.
#[test]
fn a_large_segment_answers_as_a_list_does() {
    let registers = (0..24_000u32).map(|n| {
        let suffix = ["_MASK", "__SHIFT", ""][n as usize % 3];
        format!("mmREG{}_{}_CNTL{}{suffix}", n / 800, n / 30 % 27, n % 30)
    });
    let functions = (0..8_000u32).map(|n| {
        let words = ["mutex", "lock", "read", "write", "page", "Tree", "cntl", "x"];
        let word = |at: u32| words[(n / 8u32.pow(at) % 8) as usize];
        format!("{}_{}{}_{}{}", word(0), word(1), word(2), word(3), n / 4_096)
    });
    let definitions: Vec<Definition> = (0u32..)
        .zip(registers.chain(functions))
        .map(|(n, name)| {
            let kind = if n < 24_000 { Kind::Macro } else { Kind::Function };
            (name.into_bytes(), Entry { doc: n / 100, language: 1, ordinal: n % 100, kind })
        })
        .collect();
    let model = model(&definitions);
    let segments = [Segment::build(1, 0, &definitions)];
    assert!(segments[0].counts.blocks > 3 * RUN, "{:?}", segments[0].counts);
    for (name, _) in definitions.iter().step_by(41) {
        assert_eq!(shown(&exact(&segments, name).unwrap()), exact_model(&model, name));
    }
    for wanted in ["m", "MMreg1_2", "mutex_", "zz", "", "mmREG29_26_CNTL29"] {
        let found = prefix(&segments, wanted.as_bytes(), &Filter::ALL, 30, &|| false).unwrap();
        assert_eq!(shown(&found), prefix_model(&model, wanted.as_bytes(), 30), "{wanted}");
    }
    for pattern in ["mtxlck", "mmCNTL7", "x", "rdwr", "m1cntl", "treepage", "_", "zz", "Tr"] {
        let found = fuzzy(&segments, pattern, &Filter::ALL, 40).unwrap();
        assert_eq!(scored(&found), fuzzy_model(&model, pattern, 40), "{pattern}");
    }
    let functions = fuzzy(&segments, "cntl", &Filter::new(&[Kind::Function], &[]), 9).unwrap();
    assert!(functions.iter().all(|name| !name.name.starts_with(b"mmREG")));
    assert_eq!(functions.len(), 9);
}
