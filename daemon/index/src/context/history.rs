//! What past commits say of a request: those with a similar message vote for the files that they
//! touched, and for the lines that they wrote.

use std::collections::HashMap;

use crate::words::{ByWord, Word, letters};
use crate::{seal, varint};

/// A commit, as far as it can vote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Commit {
    /// The words of its message and how often it has each, in order.
    pub words: Vec<(Word, u32)>,
    /// The files that it touched, as they were called then.
    pub files: Vec<Touched>,
    /// The files that it moved: what they were called before and after.
    pub moved: Vec<(Vec<u8>, Vec<u8>)>,
}

/// A file that a commit touched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// Its path.
    pub path: Vec<u8>,
    /// The lines that it wrote, by [`line()`]; of a large change the first ones.
    pub lines: Vec<u32>,
}

impl Commit {
    /// The bytes by which it is stored under a key.
    #[must_use]
    pub fn encode(&self, key: &[u8]) -> Vec<u8> {
        let mut bytes = vec![FORMAT];
        let mut before = 0;
        varint::push(&mut bytes, self.words.len() as u64);
        for (word, count) in &self.words {
            varint::push(&mut bytes, word.0 - before);
            varint::push(&mut bytes, u64::from(*count));
            before = word.0;
        }
        varint::push(&mut bytes, self.files.len() as u64);
        for file in &self.files {
            put(&mut bytes, &file.path);
            varint::push(&mut bytes, file.lines.len() as u64);
            file.lines.iter().for_each(|line| bytes.extend_from_slice(&line.to_le_bytes()));
        }
        varint::push(&mut bytes, self.moved.len() as u64);
        for (from, to) in &self.moved {
            put(&mut bytes, from);
            put(&mut bytes, to);
        }
        seal::seal(&mut bytes, key);
        bytes
    }

    /// What was stored under a key; none where it is not that, or of another format.
    #[must_use]
    pub fn decode(bytes: &[u8], key: &[u8]) -> Option<Self> {
        let mut rest = seal::open(bytes, key)?.strip_prefix(&[FORMAT])?;
        let mut commit = Self::default();
        let mut word = 0_u64;
        for _ in 0..varint::take(&mut rest)? {
            word = word.checked_add(varint::take(&mut rest)?)?;
            commit.words.push((Word(word), u32::try_from(varint::take(&mut rest)?).ok()?));
        }
        for _ in 0..varint::take(&mut rest)? {
            let path = get(&mut rest)?;
            let mut lines = Vec::new();
            for _ in 0..varint::take(&mut rest)? {
                let (line, after) = rest.split_first_chunk()?;
                lines.push(u32::from_le_bytes(*line));
                rest = after;
            }
            commit.files.push(Touched { path, lines });
        }
        for _ in 0..varint::take(&mut rest)? {
            commit.moved.push((get(&mut rest)?, get(&mut rest)?));
        }
        rest.is_empty().then_some(commit)
    }
}

/// The format of a stored commit: another one is made anew.
const FORMAT: u8 = 1;

fn put(bytes: &mut Vec<u8>, text: &[u8]) {
    varint::push(bytes, text.len() as u64);
    bytes.extend_from_slice(text);
}

fn get(rest: &mut &[u8]) -> Option<Vec<u8>> {
    let length = usize::try_from(varint::take(rest)?).ok()?;
    let (text, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(text.to_vec())
}

/// What a line is known by: without white space around it. Too short ones are none.
#[must_use]
pub fn line(text: &[u8]) -> Option<u32> {
    let text = text.trim_ascii();
    if text.len() < 6 {
        return None;
    }
    Some(letters(text) as u32)
}

/// The lines of a file that commits wrote.
#[derive(Clone, Copy, Debug, Default)]
pub struct Written<'a> {
    /// By [`line()`], with the commits, the newest first.
    lines: &'a [(u32, u32)],
    /// What the voters say.
    voters: Option<&'a HashMap<u32, f32>>,
}

impl Written<'_> {
    /// Whether no commit wrote any.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// What the voters say of a line, by [`line()`], and how fresh it is.
    #[must_use]
    pub fn get(&self, line: u32) -> Option<(f32, f32)> {
        let start = self.lines.partition_point(|(known, _)| *known < line);
        let commits = self.lines[start..].iter().take_while(|(known, _)| *known == line);
        let newest = commits.clone().next()?.1;
        let votes = commits.filter_map(|(_, commit)| self.voters?.get(commit));
        Some((votes.copied().fold(0.0, f32::max), fresh(newest as usize)))
    }
}

/// The commits that led to a tree, the newest first.
#[derive(Debug, Default)]
pub struct History {
    /// For each commit the files it touched: numbers in the table of paths.
    commits: Vec<Vec<u32>>,
    lengths: Vec<f32>,
    average: f32,
    words: ByWord<Vec<(u32, u32)>>,
    paths: Vec<Vec<u8>>,
    numbers: HashMap<Vec<u8>, u32>,
    /// For each path the commits that touched it.
    touched: Vec<Vec<u32>>,
    /// For each path the lines that commits wrote, by [`line()`], with the commit: in order.
    written: Vec<Vec<(u32, u32)>>,
    /// For each path what its commits come to, by their age.
    recency: Vec<f32>,
    latest: Vec<f32>,
    /// What files of the past are called now.
    now: HashMap<Vec<u8>, Vec<u8>>,
}

/// How many commits vote.
const VOTERS: usize = 60;
/// A commit of more files says nothing of how old or how near to each other they are.
const MANY: usize = 30;

impl History {
    /// The history of these commits.
    pub fn of<'a>(commits: impl IntoIterator<Item = &'a Commit>) -> Self {
        let mut history = Self::default();
        for commit in commits {
            history.add(commit);
        }
        for lines in &mut history.written {
            lines.sort_unstable();
            lines.dedup();
            lines.shrink_to_fit();
        }
        let sum: f32 = history.lengths.iter().sum();
        history.average = (sum / history.lengths.len().max(1) as f32).max(1.0);
        history.recency = history.touched_by_age(fresh);
        history.recency.iter_mut().for_each(|sum| *sum = sum.ln_1p());
        history.latest = history.touched_by_age(|age| (-(age as f32) / 8.0).exp());
        history
    }

    fn add(&mut self, commit: &Commit) {
        let number = self.commits.len() as u32;
        let mut length = 0;
        for (word, count) in &commit.words {
            if *word == Word::ALL {
                length = *count;
            } else {
                self.words.entry(*word).or_default().push((number, *count));
            }
        }
        self.lengths.push(length as f32);
        let mut files: Vec<u32> = Vec::with_capacity(commit.files.len());
        for file in &commit.files {
            let path = self.path(self.now.get(&file.path).unwrap_or(&file.path).clone());
            if self.touched[path as usize].last() != Some(&number) {
                self.touched[path as usize].push(number);
                files.push(path);
                let lines = file.lines.iter().map(|line| (*line, number));
                self.written[path as usize].extend(lines);
            }
        }
        self.commits.push(files);
        // Commits come from the newest to the oldest: what is older has the name before.
        for (before, after) in &commit.moved {
            let now = self.now.get(after).unwrap_or(after).clone();
            self.now.insert(before.clone(), now);
        }
    }

    fn path(&mut self, path: Vec<u8>) -> u32 {
        let next = self.paths.len() as u32;
        let number = *self.numbers.entry(path.clone()).or_insert(next);
        if number == next {
            self.paths.push(path);
            self.touched.push(Vec::new());
            self.written.push(Vec::new());
        }
        number
    }

    /// The number of a path in this history.
    #[must_use]
    pub fn number(&self, path: &[u8]) -> Option<u32> {
        self.numbers.get(path).copied()
    }

    /// The paths that were touched.
    #[must_use]
    pub fn paths(&self) -> &[Vec<u8>] {
        &self.paths
    }

    /// The commits that vote, with the weight of each: (score / best)².
    #[must_use]
    pub fn voters(&self, words: &[(Word, f32)]) -> Vec<(u32, f32)> {
        let mut scores: HashMap<u32, f32> = HashMap::new();
        let all = self.commits.len() as f32;
        for (word, weight) in words {
            let Some(list) = self.words.get(word) else { continue };
            let idf = (1.0 + (all - list.len() as f32 + 0.5) / (list.len() as f32 + 0.5)).ln();
            for (commit, count) in list {
                let count = *count as f32;
                let norm = 0.25 + 0.75 * self.lengths[*commit as usize] / self.average;
                *scores.entry(*commit).or_default() +=
                    weight * idf * count * 2.2 / (count + 1.2 * norm);
            }
        }
        let mut voters: Vec<_> = scores.into_iter().collect();
        voters.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        voters.truncate(VOTERS);
        let best = voters.first().map_or(1.0, |(_, score)| *score);
        voters.iter_mut().for_each(|(_, score)| *score = (*score / best).powi(2));
        voters
    }

    /// What the voters say of each path.
    #[must_use]
    pub fn votes(&self, voters: &[(u32, f32)]) -> Vec<f32> {
        let mut votes = vec![0.0; self.paths.len()];
        for (commit, weight) in voters {
            let files = &self.commits[*commit as usize];
            for path in files {
                votes[*path as usize] += weight / (files.len() as f32).sqrt();
            }
        }
        votes
    }

    /// How lately and how often each path was touched.
    #[must_use]
    pub fn recency(&self) -> &[f32] {
        &self.recency
    }

    /// Whether each path was touched by the very last commits.
    #[must_use]
    pub fn latest(&self) -> &[f32] {
        &self.latest
    }

    /// What each path's commits come to, those without many files, by their ages in commits.
    fn touched_by_age(&self, weight: impl Fn(usize) -> f32) -> Vec<f32> {
        let mut touched = vec![0.0_f32; self.paths.len()];
        for (age, files) in self.commits.iter().enumerate().filter(|(_, files)| files.len() <= MANY)
        {
            for path in files {
                touched[*path as usize] += weight(age);
            }
        }
        touched
    }

    /// How often each path changed together with these, whose weights are given.
    #[must_use]
    pub fn together(&self, seeds: &[(u32, f32)]) -> Vec<f32> {
        let mut together = vec![0.0_f32; self.paths.len()];
        for (seed, weight) in seeds {
            let commits = &self.touched[*seed as usize];
            let counted = commits
                .iter()
                .filter(|commit| (2..=MANY).contains(&self.commits[**commit as usize].len()));
            let share = weight / (commits.len() as f32 + 3.0);
            for commit in counted {
                let files = &self.commits[*commit as usize];
                for path in files.iter().filter(|path| *path != seed) {
                    together[*path as usize] += share / (files.len() as f32 - 1.0).sqrt();
                }
            }
        }
        together
    }

    /// The lines of a path that commits wrote.
    #[must_use]
    pub fn lines<'a>(&'a self, path: u32, voters: &'a HashMap<u32, f32>) -> Written<'a> {
        Written { lines: &self.written[path as usize], voters: Some(voters) }
    }
}

fn fresh(age: usize) -> f32 {
    1.0 / (1.0 + age as f32 / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn commit() -> impl Strategy<Value = Commit> {
        let words = prop::collection::btree_map(0u64..1 << 40, 1u32..9, 0..9);
        let path = || prop::collection::vec(any::<u8>(), 0..9);
        let touched = (path(), prop::collection::vec(any::<u32>(), 0..5));
        let files = prop::collection::vec(touched, 0..5);
        let moved = prop::collection::vec((path(), path()), 0..3);
        (words, files, moved).prop_map(|(words, files, moved)| Commit {
            words: words.into_iter().map(|(word, count)| (Word(word), count)).collect(),
            files: files.into_iter().map(|(path, lines)| Touched { path, lines }).collect(),
            moved,
        })
    }

    proptest! {
        #[test]
        fn a_commit_comes_back_and_damage_is_found(commit in commit(), at: prop::sample::Index) {
            let mut bytes = commit.encode(b"key");
            prop_assert_eq!(Commit::decode(&bytes, b"key"), Some(commit));
            prop_assert_eq!(Commit::decode(&bytes, b"other"), None);
            let at = at.index(bytes.len());
            bytes[at] ^= 1;
            prop_assert_eq!(Commit::decode(&bytes, b"key"), None);
        }

        // A bug of ours could seal nonsense; even that must not panic.
        #[test]
        fn sealed_nonsense_is_refused_or_read(mut body in prop::collection::vec(0u8..5, 0..40)) {
            body.insert(0, FORMAT);
            seal::seal(&mut body, b"key");
            let _ = Commit::decode(&body, b"key");
        }
    }

    fn touching(message: &str, paths: &[&str]) -> Commit {
        let touched = |path: &&str| Touched { path: path.as_bytes().to_vec(), lines: Vec::new() };
        let words = crate::words::count(message.as_bytes());
        Commit { words, files: paths.iter().map(touched).collect(), moved: Vec::new() }
    }

    #[test]
    fn commits_with_a_similar_message_vote_for_what_their_files_are_called_now() {
        let mut moved = touching("move the parser", &["src/parse.rs"]);
        moved.moved.push((b"parser.rs".to_vec(), b"src/parse.rs".to_vec()));
        let commits = [
            touching("printing of colors", &["src/print.rs"]),
            moved,
            touching("faster tokens", &["parser.rs"]),
        ];
        let history = History::of(&commits);
        let words = [(Word::of(b"token"), 1.0)];
        let votes = history.votes(&history.voters(&words));
        let parser = history.number(b"src/parse.rs").unwrap();
        assert_eq!(history.number(b"parser.rs"), None);
        assert!(votes[parser as usize] > 0.9);
        assert_eq!(votes.iter().filter(|vote| **vote > 0.0).count(), 1);
    }

    #[test]
    fn what_changed_together_is_near() {
        let commits = [
            touching("a", &["a.rs", "b.rs"]),
            touching("b", &["a.rs", "b.rs"]),
            touching("c", &["c.rs", "d.rs"]),
        ];
        let history = History::of(&commits);
        let number = |path: &str| history.number(path.as_bytes()).unwrap();
        let together = history.together(&[(number("a.rs"), 1.0)]);
        assert!(together[number("b.rs") as usize] > 0.0);
        assert_eq!(together[number("c.rs") as usize], 0.0);
        assert_eq!(together[number("a.rs") as usize], 0.0);
    }
}
