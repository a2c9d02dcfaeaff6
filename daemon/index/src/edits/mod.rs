//! The edits that a model's reply asks for: read from its text, placed in the files, made.
//!
//! Nothing here reads or writes a file. A [`Parser`] takes a reply as it comes and gives its edits, in
//! whichever of five forms it has them; [`names`] says which file is meant, and [`place`] where in its
//! text. What fits in no place, or in two, is a failure that helps, never a guess.

mod blocks;
mod diff;
mod fence;
mod lines;
pub mod names;
mod parser;
mod patch;
pub mod place;
mod plan;
mod text;
pub mod unified;
mod whole;

pub use parser::{Parser, Reply, parse};
pub use plan::{Action, Failure, FileChange, Files, Found, Kind, Plan, Refused, plan, shown};

/// How a reply writes its edits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// SEARCH/REPLACE blocks, the file's name above the fence.
    Diff,
    /// The same, the name within the fence.
    DiffFenced,
    /// Whole files.
    Whole,
    /// Unified diffs.
    Udiff,
    /// `*** Begin Patch`.
    Patch,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Diff, Self::DiffFenced, Self::Whole, Self::Udiff, Self::Patch];

    /// What it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Diff => "diff",
            Self::DiffFenced => "diff-fenced",
            Self::Whole => "whole",
            Self::Udiff => "udiff",
            Self::Patch => "patch",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }
}

/// An edit, as a reply has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// Which one of the reply's it is, from 1.
    pub block: u32,
    /// The line of the reply that it begins on, from 1.
    pub line: u32,
    /// How it is written.
    pub format: Format,
    /// What may be its file's name, the likeliest first. Without any, that of the edit before.
    pub names: Vec<Vec<u8>>,
    /// What it does.
    pub change: Change,
    /// On what it depends whether it is meant as an edit at all.
    pub only_if: Option<OnlyIf>,
}

/// On what it depends whether the text of a fence is all of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnlyIf {
    /// Its name is a word that may stand there for another reason: there is such a file.
    IsThere,
    /// It stands beside edits of another form, where it may be an illustration: there is no such file.
    IsNew,
    /// A sentence names the file: it is not much shorter than the file.
    IsAll,
    /// The same of a first line that was taken away from it, and belongs to the file if that begins so.
    IsAllAfter(Vec<u8>),
}

/// What an edit does to its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Some of its text becomes another.
    Replace(Replace),
    /// It has this text, whatever it had.
    Whole(Vec<u8>),
    /// It is new, and has this text.
    Create(Vec<u8>),
    /// It is no more. What it held, where that is said.
    Delete(Option<Vec<u8>>),
    /// It may be run, or not.
    Program(bool),
    /// It is called otherwise.
    Rename(Vec<u8>),
}

/// A text that becomes another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replace {
    /// What is looked for, and what it becomes. Where a line may be a divider or a part of the text, there
    /// is more than one reading, and the file tells which is meant.
    pub readings: Vec<Reading>,
    /// Where it is said to stand: the line that it begins with before any edit, from 1.
    pub at: Option<u32>,
    /// Lines that stand before it, the outermost first.
    pub anchors: Vec<Vec<u8>>,
    /// It is the end of the file.
    pub at_end: bool,
}

/// One way to read a replacement. Lines end with `\n`, as those of the reply.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Reading {
    /// What is looked for.
    pub search: Vec<u8>,
    /// What it becomes.
    pub replace: Vec<u8>,
    /// Whether the new text has an end of line at its end; none where the file's stays as it is.
    pub ends: Option<bool>,
}

/// A part of a reply that is no edit, though it begins like one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("block {block}, line {line}: {what}")]
pub struct Malformed {
    /// Which one of the reply's edits it would be, from 1.
    pub block: u32,
    /// The line of the reply that it begins on, from 1.
    pub line: u32,
    /// The name of its file, as far as it is known.
    pub names: Vec<Vec<u8>>,
    /// What it lacks.
    pub what: &'static str,
}
