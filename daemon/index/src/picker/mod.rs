//! Finds files by some letters of their paths, as an editor's picker does.
//!
//! nucleo says how well a path matches a word (`query.rs`); here is the walk that asks
//! it as rarely as possible, and the order of what it finds. Knows no threads: a tree
//! comes in [`parts`], each of which [`Picker::pick`] does on its own.
//!
//! The order: the score, what was changed last, the shorter path, the path.
//!
//! ```
//! use hob_index::picker::{Query, pick_from};
//! let paths = ["src/latest.rs", "test/mod.rs", "src/test.rs"];
//! assert_eq!(pick_from(&paths, &Query::new("test")), ["src/test.rs", "src/latest.rs", "test/mod.rs"]);
//! ```

mod query;

use crate::letters::Letters;
use crate::tree::{Dir, Entry, Node};
pub use query::Query;
use query::Scorer;
use std::cmp::Ordering;
use std::sync::atomic::{AtomicU32, Ordering as Memory};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A file that matches. The best is the least.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pick {
    /// How well it matches.
    pub score: u32,
    /// How old its last change is, in steps that each are four times as long as the one before: what
    /// was written together is equal, and what was just edited is not.
    age: u8,
    /// Its path from the directory that was asked for.
    pub path: Box<[u8]>,
}

impl Ord for Pick {
    fn cmp(&self, other: &Self) -> Ordering {
        other
            .score
            .cmp(&self.score)
            .then_with(|| self.age.cmp(&other.age))
            .then_with(|| self.path.len().cmp(&other.path.len()))
            .then_with(|| self.path.cmp(&other.path))
    }
}

impl PartialOrd for Pick {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A part of a tree that one thread looks through.
#[derive(Clone, Debug, Default)]
pub struct Part<'a> {
    pieces: Vec<Piece<'a>>,
    files: u64,
}

#[derive(Clone, Debug)]
struct Piece<'a> {
    dir: &'a Dir,
    /// Its path, with a `/` at the end unless it is empty.
    path: Vec<u8>,
    /// Whether the directories in it belong to this piece.
    below: bool,
}

/// Takes a tree apart into parts of about so many files.
#[must_use]
pub fn parts(tree: &Dir, files: u64) -> Vec<Part<'_>> {
    let mut parts = vec![Part::default()];
    take_apart(tree, &mut Vec::new(), files, &mut parts);
    parts
}

fn take_apart<'a>(dir: &'a Dir, path: &mut Vec<u8>, files: u64, parts: &mut Vec<Part<'a>>) {
    let below = dir.totals().files <= files;
    let count = if below { dir.totals().files } else { dir.entries().len() as u64 };
    if parts.last().is_none_or(|part| part.files + count > files) {
        parts.push(Part::default());
    }
    if let Some(part) = parts.last_mut() {
        part.pieces.push(Piece { dir, path: path.clone(), below });
        part.files += count;
    }
    if below {
        return;
    }
    for entry in dir.entries() {
        if let Node::Dir(inner) = &entry.node {
            let length = path.len();
            path.extend_from_slice(&entry.name);
            path.push(b'/');
            take_apart(inner, path, files, parts);
            path.truncate(length);
        }
    }
}

/// A search for files, shared by the threads that do its parts.
pub struct Picker<'a> {
    query: &'a Query,
    /// Whether a path matches is told by its letters alone.
    certain: bool,
    /// The time, in nanoseconds since 1970.
    now: i64,
    limit: usize,
    /// What scores less is not among the best: some part has as many better ones as are wanted.
    floor: AtomicU32,
    /// Those that no part has at the moment: each has a good deal of memory.
    scorers: Mutex<Vec<Scorer>>,
}

/// What a part of a tree has.
#[derive(Clone, Debug, Default)]
pub struct Picked {
    /// The best, in their order: no more than are wanted.
    pub best: Vec<Pick>,
    /// How many match.
    pub total: u64,
}

impl<'a> Picker<'a> {
    /// Looks for the best files, at most so many.
    #[must_use]
    pub fn new(query: &'a Query, now: i64, limit: Option<usize>) -> Self {
        let limit = limit.unwrap_or(usize::MAX);
        let floor = if limit == 0 { u32::MAX } else { 0 };
        Self {
            query,
            certain: query.is_certain(),
            now,
            limit,
            floor: AtomicU32::new(floor),
            scorers: Mutex::default(),
        }
    }

    /// Looks through a part.
    #[must_use]
    pub fn pick(&self, part: &Part<'_>) -> Picked {
        let mut walk = Walk {
            picker: self,
            scorer: self.scorers().pop().unwrap_or_default(),
            letters: Vec::new(),
            picked: Picked::default(),
        };
        for piece in &part.pieces {
            walk.piece(piece);
        }
        walk.keep_best();
        let Walk { scorer, mut picked, .. } = walk;
        self.scorers().push(scorer);
        picked.best.sort_unstable();
        picked
    }

    fn scorers(&self) -> MutexGuard<'_, Vec<Scorer>> {
        self.scorers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The best of all parts, in their order.
    #[must_use]
    pub fn merge(&self, parts: Vec<Picked>) -> Picked {
        let total = parts.iter().map(|part| part.total).sum();
        // Sorted runs, which the stable sort merges.
        let mut best: Vec<Pick> = parts.into_iter().flat_map(|part| part.best).collect();
        best.sort();
        best.truncate(self.limit);
        Picked { best, total }
    }
}

/// The best of some paths, in their order: the whole in one call, for short lists.
#[must_use]
pub fn pick_from<'p>(paths: &[&'p str], query: &Query) -> Vec<&'p str> {
    let mut scorer = Scorer::default();
    let scored = paths.iter().filter_map(|path| {
        let name_at = path.rfind('/').map_or(0, |slash| slash + 1);
        let score = scorer.score(query, path.as_bytes(), name_at)?;
        Some((Pick { score, age: 0, path: path.as_bytes().into() }, *path))
    });
    let mut picks: Vec<(Pick, &str)> = scored.collect();
    picks.sort();
    picks.into_iter().map(|(_, path)| path).collect()
}

/// The walk through a part.
struct Walk<'a> {
    picker: &'a Picker<'a>,
    scorer: Scorer,
    /// For each directory on the way, how many letters of each word stand in its path in their
    /// order. A file is worth a score only where its name has the rest.
    letters: Vec<usize>,
    picked: Picked,
}

impl Walk<'_> {
    fn piece(&mut self, piece: &Piece<'_>) {
        let mut path = piece.path.clone();
        let words = &self.picker.query.words;
        self.letters = words.iter().map(|word| word.advance(0, &path)).collect();
        let odd = !path.is_ascii();
        self.dir(piece.dir, &mut path, 0, odd, piece.below);
    }

    /// Looks through a directory. The letters of its path stand from `at` on; `odd` says that the
    /// path is not ASCII, and then that letters do not tell whether it matches.
    fn dir(&mut self, dir: &Dir, path: &mut Vec<u8>, at: usize, odd: bool, below: bool) {
        let needs = if odd { Letters::default() } else { self.needs(at) };
        if !dir.letters_below().has(needs) {
            return;
        }
        let length = path.len();
        for (letters, entry) in dir.spelled() {
            if !letters.has(needs) {
                continue;
            }
            match &entry.node {
                Node::File(file) => self.file(entry, file.mtime, path, at, odd),
                Node::Dir(inner) if below => {
                    path.extend_from_slice(&entry.name);
                    path.push(b'/');
                    let odd = odd || !entry.name.is_ascii();
                    let next = self.enter(&path[length..], at);
                    self.dir(inner, path, next, odd, below);
                    self.letters.truncate(next);
                }
                _ => {}
            }
            path.truncate(length);
        }
    }

    /// The letters that must still come below a directory.
    fn needs(&self, at: usize) -> Letters {
        let words = self.picker.query.words.iter().zip(&self.letters[at..]);
        words.fold(Letters::default(), |all, (word, letters)| all.and(word.needs(*letters)))
    }

    /// Notes the letters of a directory's path, and says where they stand.
    fn enter(&mut self, name: &[u8], at: usize) -> usize {
        let next = self.letters.len();
        for (number, word) in self.picker.query.words.iter().enumerate() {
            self.letters.push(word.advance(self.letters[at + number], name));
        }
        next
    }

    fn file(&mut self, entry: &Entry, mtime: i64, path: &mut Vec<u8>, at: usize, odd: bool) {
        let name = &*entry.name;
        let words = &self.picker.query.words;
        let odd = odd || !name.is_ascii();
        let has = words.iter().zip(&self.letters[at..]);
        let through = |(word, letters): (&query::Word, &usize)| {
            word.is_through(*letters) || word.is_through(word.advance(*letters, name))
        };
        if !odd && !has.clone().all(through) {
            return;
        }
        let floor = self.picker.floor.load(Memory::Relaxed);
        if !odd && floor > 0 {
            let most = words.iter().map(|word| word.most(name)).fold(0, u32::saturating_add);
            if most < floor && self.picker.certain {
                self.picked.total += 1;
                return;
            }
        }
        let name_at = path.len();
        path.extend_from_slice(name);
        if let Some(score) = self.scorer.score(self.picker.query, path, name_at) {
            self.picked.total += 1;
            if score >= floor {
                let age = age(self.picker.now, mtime);
                self.take(Pick { score, age, path: path.as_slice().into() });
            }
        }
    }

    fn take(&mut self, pick: Pick) {
        self.picked.best.push(pick);
        if self.picked.best.len() >= self.picker.limit.saturating_mul(2).saturating_add(256) {
            self.keep_best();
        }
    }

    /// Lets go of what is not among the best of this part.
    fn keep_best(&mut self) {
        let (best, limit) = (&mut self.picked.best, self.picker.limit);
        if best.len() <= limit {
            return;
        }
        if limit > 0 {
            let (_, last, _) = best.select_nth_unstable(limit - 1);
            self.picker.floor.fetch_max(last.score, Memory::Relaxed);
        }
        best.truncate(limit);
    }
}

/// The step of an age: each is four times as long as the one before.
fn age(now: i64, mtime: i64) -> u8 {
    let millis = now.saturating_sub(mtime).max(0) / 1_000_000;
    u8::try_from((i64::BITS - millis.leading_zeros()).div_ceil(2)).unwrap_or(u8::MAX)
}
