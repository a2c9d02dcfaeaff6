//! The names of a tree at one moment.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::lists::{List, class_of};
use super::{MOST_DEFINERS, Source};
use crate::words::Word;

/// The names that files of a tree defined and others mentioned.
#[derive(Default)]
pub struct Base {
    nodes: usize,
    /// In order.
    words: Vec<Word>,
    /// Where their lists begin.
    starts: Vec<u32>,
    bytes: Vec<u8>,
    /// The numbers of lists without mentions: too many files define the name.
    crowded: Vec<u32>,
    /// What was asked of the source since, of names that are not here.
    late: Mutex<HashMap<Word, Late>>,
}

#[derive(Clone)]
struct Late {
    definers: Vec<(u32, u8)>,
    /// None where nobody needed them.
    whole: Option<Arc<List>>,
}

impl Base {
    /// How many files it was made of.
    #[must_use]
    pub fn nodes(&self) -> usize {
        self.nodes
    }

    /// How many names it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Whether it has no name.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    pub(super) fn word(&self, at: u32) -> Word {
        self.words[at as usize]
    }

    pub(super) fn find(&self, word: Word) -> Option<u32> {
        self.words.binary_search(&word).ok().map(|at| at as u32)
    }

    pub(super) fn crowded(&self) -> &[u32] {
        &self.crowded
    }

    pub(super) fn list(&self, at: u32) -> List {
        let mut list = List::default();
        self.read(at, &mut list, |_| true);
        list
    }

    pub(super) fn read(&self, at: u32, list: &mut List, is_live: impl Fn(u32) -> bool) {
        list.read(&self.bytes[self.starts[at as usize] as usize..], is_live);
    }

    /// The list of a name whose mentions are not here: nobody else mentioned it, or nobody defined it,
    /// or too many. None where nobody of the base defines it, and nobody else (`is_defined`) does.
    pub(super) fn late<S: Source>(
        &self,
        word: Word,
        is_defined: bool,
        source: &S,
    ) -> Result<Option<Arc<List>>, S::Error> {
        let known = self.late.lock().unwrap_or_else(PoisonError::into_inner).get(&word).cloned();
        let mut late = match known {
            Some(late) => late,
            None => {
                let definers = source.definers(word)?;
                let definers = definers.into_iter().map(|(node, packed)| (node, packed as u8));
                Late { definers: definers.collect(), whole: None }
            }
        };
        if late.whole.is_none() && (is_defined || !late.definers.is_empty()) {
            let (definers, mentioners) = (late.definers.clone(), source.mentioners(word)?);
            let mentions = others(&definers, &mentioners).collect();
            late.whole = Some(Arc::new(List { definers, mentions }));
        }
        let whole = late.whole.clone();
        // Most words name nothing, and there is no end of them.
        if whole.is_some() {
            self.late.lock().unwrap_or_else(PoisonError::into_inner).insert(word, late);
        }
        Ok(whole)
    }
}

/// Those who mention a name and do not define it.
fn others<'a>(
    definers: &'a [(u32, u8)],
    mentioners: &'a [(u32, u32)],
) -> impl Iterator<Item = (u32, u8)> + 'a {
    let mut definers = definers.iter().map(|(node, _)| *node).peekable();
    mentioners.iter().filter_map(move |(node, count)| {
        while definers.next_if(|definer| definer < node).is_some() {}
        (definers.peek() != Some(node)).then(|| (*node, class_of(*count)))
    })
}

/// Makes a base.
pub struct Builder(Base);

impl Builder {
    /// Of so many files.
    #[must_use]
    pub fn new(nodes: usize) -> Self {
        Self(Base { nodes, ..Base::default() })
    }

    /// Whether the mentions of a name are wanted that so many files define.
    #[must_use]
    pub fn wants_mentions(definers: usize) -> bool {
        (1..=MOST_DEFINERS).contains(&definers)
    }

    /// Takes a name, in the order of their words: the files that define it, with what
    /// [`super::defines`] said, and those whose text has it, and how often; each in order.
    pub fn add(&mut self, word: Word, definers: &[(u32, u32)], mentioners: &[(u32, u32)]) {
        let definers: Vec<_> =
            definers.iter().map(|(node, packed)| (*node, *packed as u8)).collect();
        let is_crowded = definers.len() > MOST_DEFINERS;
        let mentions: Vec<_> = match is_crowded {
            true => Vec::new(),
            false => others(&definers, mentioners).collect(),
        };
        if definers.is_empty() || mentions.is_empty() && !is_crowded {
            return;
        }
        let base = &mut self.0;
        let Ok(start) = u32::try_from(base.bytes.len()) else { return };
        if is_crowded {
            base.crowded.push(base.words.len() as u32);
        }
        base.words.push(word);
        base.starts.push(start);
        List { definers, mentions }.write(&mut base.bytes);
    }

    /// The base.
    #[must_use]
    pub fn finish(self) -> Base {
        let mut base = self.0;
        base.words.shrink_to_fit();
        base.starts.shrink_to_fit();
        base.bytes.shrink_to_fit();
        base
    }
}
