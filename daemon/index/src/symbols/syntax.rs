//! Whether a text keeps to the grammar of its language, and where not.

use super::extract::{Extractor, addressable};
use super::languages::Language;
use tree_sitter::{Node, Tree};

/// How a text stands to its language's grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// All of it is understood.
    Sound,
    /// There is an error: the line of the first one, from 1.
    Broken(u32),
    /// No grammar says: there is none, or the text is too large or too much work.
    Unknown,
}

impl Extractor {
    /// How a text stands to a language's grammar, within the limits of an outline.
    ///
    /// ```
    /// use hob_index::symbols::{extract::Extractor, languages::by_name, syntax::Syntax};
    ///
    /// let (rust, mut extractor) = (by_name("rust").unwrap(), Extractor::default());
    /// assert_eq!(extractor.syntax(rust, b"fn f() {}\n"), Syntax::Sound);
    /// assert_eq!(extractor.syntax(rust, b"fn f() {}\nfn g( {}\n"), Syntax::Broken(2));
    /// ```
    pub fn syntax(&mut self, language: &Language, text: &[u8]) -> Syntax {
        let whole = addressable(text);
        if whole.len() < text.len() || whole.len() > self.limits().text_bytes {
            return Syntax::Unknown;
        }
        let Some(grammar) = language.grammar() else { return Syntax::Unknown };
        let Some(text) = (language.guard)(whole) else { return Syntax::Unknown };
        match self.tree(&grammar, &text) {
            Some(tree) if tree.root_node().has_error() => first_error(&tree),
            Some(_) => Syntax::Sound,
            None => Syntax::Unknown,
        }
    }
}

/// The place of the first error. An error is looked for in what says that it has one.
fn first_error(tree: &Tree) -> Syntax {
    let is_error = |node: Node<'_>| node.is_error() || node.is_missing();
    let mut cursor = tree.walk();
    loop {
        let node = cursor.node();
        if is_error(node) || !node.has_error() {
            break;
        }
        let mut found = cursor.goto_first_child();
        while found && !is_error(cursor.node()) && !cursor.node().has_error() {
            found = cursor.goto_next_sibling();
        }
        if !found {
            break;
        }
    }
    let row = cursor.node().start_position().row;
    Syntax::Broken(u32::try_from(row).unwrap_or(u32::MAX - 1) + 1)
}
