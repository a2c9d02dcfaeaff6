//! Symbols: what a text defines, and where.
//!
//! An [`Outline`] is derived from the text and its language alone. It holds places
//! and no text: a name, a signature or a comment is read from the text that it came from.

mod assemble;
mod branches;
mod declarator;
pub mod extract;
mod guards;
pub mod languages;
mod markdown;
mod pieces;
mod reach;
pub mod record;
pub mod references;
mod rules;
mod skim;
pub mod syntax;
pub mod text;

use std::ops::Range;

/// What a definition is. The number stands in stores: it never changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Kind {
    /// A function that belongs to no type.
    Function = 1,
    /// A function of a type.
    Method = 2,
    /// What makes a value of a type.
    Constructor = 3,
    /// A class.
    Class = 4,
    /// A structure or record.
    Struct = 5,
    /// A union.
    Union = 6,
    /// An enumeration.
    Enum = 7,
    /// A value of an enumeration.
    Enumerator = 8,
    /// An interface or protocol.
    Interface = 9,
    /// A trait or mixin.
    Trait = 10,
    /// A block of a type's methods, as `impl` in Rust: a container, and no definition of a name.
    Impl = 11,
    /// A module, namespace or package.
    Module = 12,
    /// Another name for a type.
    Type = 13,
    /// A macro.
    Macro = 14,
    /// A constant.
    Constant = 15,
    /// A variable that outlives a function.
    Variable = 16,
    /// A field of a type.
    Field = 17,
    /// A property: read like a field, computed like a method.
    Property = 18,
    /// A section of a document, named by its heading.
    Section = 19,
    /// A key of a data file.
    Key = 20,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 20] = [
        Self::Function,
        Self::Method,
        Self::Constructor,
        Self::Class,
        Self::Struct,
        Self::Union,
        Self::Enum,
        Self::Enumerator,
        Self::Interface,
        Self::Trait,
        Self::Impl,
        Self::Module,
        Self::Type,
        Self::Macro,
        Self::Constant,
        Self::Variable,
        Self::Field,
        Self::Property,
        Self::Section,
        Self::Key,
    ];

    /// The word for it, as `--kind` takes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Function => "function",
            Self::Method => "method",
            Self::Constructor => "constructor",
            Self::Class => "class",
            Self::Struct => "struct",
            Self::Union => "union",
            Self::Enum => "enum",
            Self::Enumerator => "enumerator",
            Self::Interface => "interface",
            Self::Trait => "trait",
            Self::Impl => "impl",
            Self::Module => "module",
            Self::Type => "type",
            Self::Macro => "macro",
            Self::Constant => "constant",
            Self::Variable => "variable",
            Self::Field => "field",
            Self::Property => "property",
            Self::Section => "section",
            Self::Key => "key",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The kind of that number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == number)
    }
}

/// A definition. All offsets are of bytes in the text; lines and columns count from 1, columns in
/// bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symbol {
    /// What it is.
    pub kind: Kind,
    /// Where its name stands.
    pub name: Range<u32>,
    /// Where the type or module stands that the definition itself names, as `A::B` in
    /// `void A::B::f() {}` or `*T` in `func (t *T) f() {}`.
    pub scope: Option<Range<u32>>,
    /// The whole definition, without the comment before it.
    pub range: Range<u32>,
    /// The signature is the text from the start of the range to here: where the body begins.
    pub head: u32,
    /// The definition that encloses it: an index in [`Outline::symbols`], less than its own.
    pub parent: Option<u32>,
    /// The line of the name.
    pub line: u32,
    /// The column of the name.
    pub column: u32,
    /// The first line of the range.
    pub first_line: u32,
    /// The last line of the range.
    pub last_line: u32,
}

/// How much of a text an outline covers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    #[default]
    Whole,
    /// There are errors of syntax: it is what could be understood.
    Errors,
    /// The text, or a line of it, is too large: what is left without that.
    Cut,
    /// The text took too much work: nothing.
    GivenUp,
}

/// What a text defines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// In the order of their ranges' starts, those that enclose others first.
    pub symbols: Vec<Symbol>,
    /// How much of the text they cover.
    pub extent: Extent,
}
