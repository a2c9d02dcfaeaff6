//! Leaves out of a C text what a grammar need not see to find its definitions.
//!
//! Nine tenths of C are bodies of functions, initialisers, directives, declarations that define
//! nothing, and comments. None of them defines a name but `#define`, which is found here. What is
//! left goes to the grammar, which takes a hundred times as long for a byte.
//!
//! It also chooses among the branches of `#if`, which no grammar can: of branches that each have
//! a part of one definition, the first counts. `#if 0` does not.

pub(super) mod lex;

use super::Kind;
use super::assemble::{Found, What};
use super::pieces::Skim;
use super::rules::is_name;
use lex::{
    after_blanks, begins_line, end_of_comment, end_of_directive, end_of_parentheses, end_of_quote,
    end_of_word, next_line, star_after, word_within,
};
use std::ops::Range;

/// Skims a text of C.
pub(super) fn c(text: &[u8]) -> Skim {
    let mut skimmer = Skimmer {
        text,
        at: 0,
        // Errors of the grammar tell of macros that are left, not of the text.
        skim: Skim { pieces: vec![(0, 0)], has_error: Some(false), ..Skim::default() },
        from: 0,
        members: 0,
        parens: 0,
        statement: Statement::default(),
        unclosed: 0,
        branches: Vec::new(),
    };
    skimmer.run();
    skimmer.skim
}

struct Skimmer<'a> {
    text: &'a [u8],
    at: usize,
    skim: Skim,
    /// Where what is to be kept, but is not copied yet, begins.
    from: usize,
    /// How deep in braces of members.
    members: usize,
    /// How deep in parentheses of the statement.
    parens: usize,
    statement: Statement,
    /// How often something was never closed.
    unclosed: u32,
    /// The `#if`s under way: how deep in braces each began, and in a body or not.
    branches: Vec<(usize, bool)>,
}

/// What the statement at hand is, by its words outside of parentheses and braces.
#[derive(Clone, Copy, Default)]
struct Statement {
    begun: bool,
    /// What was kept before it: bytes, and pieces.
    mark: (usize, usize),
    external: bool,
    typedef: bool,
    /// `struct`, `union` or `enum`.
    aggregate: bool,
    /// It has had members.
    has_members: bool,
    assigned: bool,
    /// A string, as in `extern "C"`.
    string: bool,
    /// Parentheses that may hold parameters.
    call: bool,
    /// The parentheses at hand follow a word such as `__attribute__`.
    attribute: bool,
    /// Parentheses that hold a declarator, as in `(*f)`.
    pointer: bool,
    /// Where it begins.
    start: usize,
    /// The word before the parentheses of parameters.
    name: (usize, usize),
    /// The last word.
    word: (usize, usize),
    /// What is at hand is within parentheses that the grammar need not look into.
    hidden: bool,
    /// The last token was a closing parenthesis.
    closed: bool,
    /// Words that may name a type, or what is declared.
    words: u32,
    /// The first parentheses follow the first such word.
    is_alone: bool,
    /// Words since the last parentheses.
    words_after: u32,
    /// A member or enumerator has just ended, or none has begun.
    between: bool,
}

impl Skimmer<'_> {
    fn run(&mut self) {
        self.statements();
        while self.parens > 0 && self.gives_up() {
            // A parenthesis that is never closed hides no more than its line.
            self.at = self.statement.start;
            self.end(false);
            self.at = next_line(self.text, self.at);
            self.statements();
        }
        self.end(true);
    }

    /// Whether to begin again after something that is never closed: that may be a matter of `#if`.
    fn gives_up(&mut self) -> bool {
        self.skim.has_error = Some(true);
        self.unclosed += 1;
        self.unclosed <= RETRIES
    }

    fn statements(&mut self) {
        while let Some(&byte) = self.text.get(self.at) {
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' | b'\x0b' | b'\x0c' | b'\\' => self.at += 1,
                b'#' if begins_line(self.text, self.at) => self.leave_out(Self::directive),
                b'/' if self.is_comment() => self.leave_out(Self::comment),
                b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80.. => self.word(),
                b'0'..=b'9' => self.number(),
                b'"' | b'\'' => self.quote(),
                b'{' => self.open_brace(),
                b'}' => self.close_brace(),
                b'(' => self.open_paren(),
                b')' => self.close_paren(),
                _ => self.sign(byte),
            }
        }
    }

    fn begin(&mut self) {
        if !self.statement.begun {
            let mark = (self.skim.text.len(), self.skim.pieces.len());
            self.statement =
                Statement { begun: true, mark, start: self.at, ..Statement::default() };
            self.from = self.at;
        }
        self.statement.between = false;
        self.statement.closed &= self.text[self.at] == b'(';
    }

    /// Ends the statement before `at`, and takes it back if the grammar need not see it.
    fn end(&mut self, keep: bool) {
        if self.statement.begun {
            self.statement.hidden = false;
            if keep {
                self.copy(self.at);
                self.skim.text.push(b'\n');
                self.skim.ends.push(self.skim.text.len());
            } else {
                self.skim.text.truncate(self.statement.mark.0);
                self.skim.pieces.truncate(self.statement.mark.1);
            }
        }
        self.statement = Statement::default();
        (self.members, self.parens) = (0, 0);
    }

    /// Copies what is to be kept up to a place.
    fn copy(&mut self, to: usize) {
        let to = to.min(self.text.len());
        if self.from < to && !self.statement.hidden {
            self.skim.pieces.push((offset(self.skim.text.len()), offset(self.from)));
            self.skim.text.extend_from_slice(&self.text[self.from..to]);
        }
        self.from = to;
    }

    /// Leaves out what `pass` goes over.
    fn leave_out(&mut self, pass: fn(&mut Self)) {
        if self.statement.begun {
            self.copy(self.at);
            pass(self);
            if !self.statement.hidden {
                // What was apart stays apart; it belongs to the piece before.
                self.skim.text.push(b' ');
            }
        } else {
            pass(self);
        }
        self.from = self.at;
    }

    fn is_comment(&self) -> bool {
        matches!(self.text.get(self.at + 1), Some(b'/' | b'*'))
    }

    fn comment(&mut self) {
        self.at = end_of_comment(self.text, self.at);
    }

    fn word(&mut self) {
        self.begin();
        let start = self.at;
        self.at = end_of_word(self.text, start);
        if self.parens > 0 {
            return;
        }
        if self.is_annotation(start) {
            self.annotation(start);
            return;
        }
        if self.members > 0 {
            return;
        }
        let end = self.at;
        let statement = &mut self.statement;
        statement.word = (start, end);
        statement.attribute = false;
        statement.words_after += 1;
        match &self.text[start..self.at] {
            b"struct" | b"union" | b"enum" => statement.aggregate = true,
            b"typedef" => statement.typedef = true,
            b"extern" => statement.external = true,
            b"static" | b"inline" => {}
            word => {
                statement.words += 1;
                statement.attribute = ATTRIBUTES.contains(&word);
            }
        }
    }

    /// Whether the word from `start` to here says nothing to the grammar but what misleads it.
    fn is_annotation(&self, start: usize) -> bool {
        let word = &self.text[start..self.at];
        let next = self.text[self.at..].iter().find(|byte| !byte.is_ascii_whitespace());
        if DROPPED.contains(&word) || (next != Some(&b'(') && ANNOTATIONS.contains(&word)) {
            return true;
        }
        let statement = &self.statement;
        if !statement.has_members
            || self.members > 0
            || statement.assigned
            || !word.starts_with(b"__")
        {
            return false;
        }
        // `struct x { … } __packed;`, `typedef struct { … } __packed x;`
        match next {
            Some(b';') => !statement.typedef,
            Some(byte) => byte.is_ascii_alphabetic() || *byte == b'_',
            None => false,
        }
    }

    /// Leaves out a word that ends here, and the parentheses after it.
    fn annotation(&mut self, start: usize) {
        let end = self.at;
        self.at = start;
        self.copy(start);
        self.at = end;
        let open =
            end + self.text[end..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        if self.text.get(open) == Some(&b'(') {
            self.at = end_of_parentheses(self.text, open);
        }
        self.from = self.at;
    }

    fn number(&mut self) {
        self.begin();
        self.at = end_of_word(self.text, self.at);
    }

    fn quote(&mut self) {
        self.begin();
        self.statement.string = true;
        self.at = end_of_quote(self.text, self.at);
    }

    fn open_paren(&mut self) {
        self.begin();
        let outside = self.parens == 0 && self.members == 0 && !self.statement.hidden;
        let declares = outside && !self.statement.assigned && !self.statement.attribute;
        let star =
            if declares && !self.statement.call { star_after(self.text, self.at) } else { None };
        if declares && star.is_none() {
            self.parameters();
        }
        let Statement { call, closed, hidden, .. } = self.statement;
        let hides = self.parens == 0 && !hidden && (closed || (call && self.members == 0));
        self.at += 1;
        self.parens += 1;
        if hides {
            // Parameters define nothing.
            self.copy(self.at);
            self.statement.hidden = true;
        }
        if let Some(star) = star {
            // `(*f)`, or `(WINAPI *f)`, of which the grammar needs no more than the former.
            self.statement.pointer = true;
            self.copy(self.at);
            (self.at, self.from) = (star, star);
        }
    }

    /// Parentheses that may be of parameters: the name stands before them, and sometimes within.
    fn parameters(&mut self) {
        let statement = &mut self.statement;
        let is_annotation = self.text[statement.word.0..].starts_with(b"__");
        if let Some(name) = word_within(self.text, self.at).filter(|_| !statement.call) {
            // `int (f)(int a)`
            statement.name = name;
        } else if !statement.call {
            statement.name = statement.word;
            statement.is_alone = statement.words == 1;
        } else if !is_annotation
            && (statement.words_after > 1 || (statement.words_after == 1 && statement.is_alone))
        {
            // After `MACRO(x) static int f(`, or `MACRO(type) f(`, the first were a macro's.
            statement.name = statement.word;
        }
        statement.call = true;
    }

    fn close_paren(&mut self) {
        self.parens = self.parens.saturating_sub(1);
        if self.parens == 0 {
            if std::mem::take(&mut self.statement.hidden) {
                self.from = self.at;
            }
            self.statement.closed = true;
            self.statement.words_after = 0;
        }
        self.at += 1;
    }

    fn sign(&mut self, byte: u8) {
        self.begin();
        self.at += 1;
        match byte {
            b';' if self.members == 0 && self.parens == 0 => self.semicolon(),
            b';' | b',' if self.members > 0 => {
                // A parenthesis that was never closed must not hide what follows.
                self.statement.between = self.parens == 0;
            }
            b'=' if self.members == 0 && self.parens == 0 => self.statement.assigned = true,
            _ => {}
        }
    }

    fn semicolon(&mut self) {
        let statement = &self.statement;
        let is_empty = self.at == statement.start + 1;
        let prototype = statement.call && !statement.pointer && !statement.assigned;
        if statement.typedef || statement.has_members {
            self.end(true);
        } else if prototype && self.declares_parameters() {
            // The parameters of a function in the old style stand before its body.
        } else {
            self.end(!prototype && !is_empty && (!statement.external || statement.assigned));
        }
    }

    /// Whether a body follows, after declarations only: `int f(a, b) int a; char *b; {`.
    fn declares_parameters(&self) -> bool {
        let ahead = &self.text[self.at..self.text.len().min(self.at + OLD_STYLE)];
        let part = |byte: &u8| byte.is_ascii_alphanumeric() || b"_*[],; \t\r\n".contains(byte);
        self.statement.words_after > 1 && ahead.iter().find(|byte| !part(byte)) == Some(&b'{')
    }

    fn open_brace(&mut self) {
        self.begin();
        let Statement { assigned, aggregate, call, external, string, .. } = self.statement;
        if self.members > 0 || (self.parens == 0 && aggregate && !call && !assigned) {
            self.at += 1;
            self.members += 1;
            self.statement.has_members = true;
            self.statement.between = true;
        } else if self.parens == 0 && external && string && !call {
            // What stands in `extern "C" { … }` stands on its own.
            self.at += 1;
            self.end(false);
        } else if self.parens == 0 && !assigned && call && !self.statement.pointer {
            self.function();
        } else {
            self.at += 1;
            self.copy(self.at);
            self.body();
            self.from = self.at.saturating_sub(1).max(self.from);
            if self.parens == 0 && !assigned {
                self.end(true);
            }
        }
    }

    /// A function. The grammar need not see it: what stands before the name are types and
    /// annotations, which it often cannot tell apart, and what follows defines nothing.
    fn function(&mut self) {
        let Statement { start, name, .. } = self.statement;
        let head = self.at;
        self.at += 1;
        self.body();
        // What is never closed may seem to go on.
        self.at = self.at.min(self.text.len());
        let name = name.0..name.1;
        if is_name(&self.text[name.clone()]) && !KEYWORDS.contains(&&self.text[name.clone()]) {
            self.find(Kind::Function, &name, &(start..self.at), head);
        }
        self.end(false);
        self.from = self.at;
    }

    fn close_brace(&mut self) {
        if self.members > 0 {
            self.members -= 1;
            self.statement.between = true;
            self.at += 1;
        } else {
            // Of `extern "C"`, or of nothing.
            self.end(true);
            self.at += 1;
        }
    }

    /// Goes over a body, and the brace that closes it.
    fn body(&mut self) {
        let (start, branches) = (self.at, self.branches.len());
        let closed = self.unclosed <= RETRIES && self.braces();
        if !closed {
            self.skim.has_error = Some(true);
        }
        if closed {
            return;
        }
        // Where braces do not match, one at the start of a line ends a function; or all ends.
        self.unclosed += 1;
        self.branches.truncate(branches);
        let end = memchr::memmem::find(&self.text[start..], b"\n}");
        self.at = end.map_or(self.text.len(), |length| start + length + 2);
    }

    /// Goes over what a brace has opened; false where it is never closed.
    fn braces(&mut self) -> bool {
        let mut depth = 1;
        let outer = self.branches.len();
        while let Some(&byte) = self.text.get(self.at) {
            match byte {
                b'"' | b'\'' => self.at = end_of_quote(self.text, self.at),
                b'/' if self.is_comment() => self.comment(),
                b'#' if begins_line(self.text, self.at) => {
                    self.directive_in_body(&mut depth, outer);
                }
                _ => {
                    self.at += 1;
                    depth += usize::from(byte == b'{');
                    depth -= usize::from(byte == b'}');
                }
            }
            if depth == 0 {
                return true;
            }
        }
        false
    }

    fn directive_in_body(&mut self, depth: &mut usize, outer: usize) {
        match self.directive_name() {
            b"else" | b"elif" if self.branches.len() > outer => {
                // Each branch may open braces that are closed once, after all.
                *depth = self.branches.last().map_or(*depth, |branch| branch.0);
                self.pass_directive();
            }
            b"if" | b"ifdef" | b"ifndef" => {
                self.branches.push((*depth, true));
                self.condition();
            }
            _ => self.directive(),
        }
    }

    /// A directive between or within statements.
    fn directive(&mut self) {
        match self.directive_name() {
            b"define" => self.define(),
            b"if" | b"ifdef" | b"ifndef" => {
                self.branches.push((self.members, false));
                self.condition();
            }
            b"else" | b"elif" => self.next_branch(),
            b"endif" => {
                self.branches.pop();
                self.pass_directive();
            }
            _ => self.pass_directive(),
        }
    }

    /// The line of an `#if`, whose branch has been counted.
    fn condition(&mut self) {
        let start = self.at;
        let is_if = self.directive_name() == b"if";
        self.pass_directive();
        let line = self.text[start..self.at].trim_ascii_end();
        if is_if && line.ends_with(b"0") && line[..line.len() - 1].trim_ascii_end().ends_with(b"if")
        {
            self.pass_branch(true, false);
        }
    }

    fn next_branch(&mut self) {
        let whole = match self.branches.last() {
            None => true,
            Some((depth, false)) => {
                *depth == self.members
                    && (!self.statement.begun || (self.members > 0 && self.statement.between))
            }
            Some((_, true)) => false,
        };
        self.pass_directive();
        if !whole {
            self.pass_branch(false, true);
        }
    }

    /// Goes over a branch of `#if`, to the next one or to the end of all.
    fn pass_branch(&mut self, to_next: bool, macros: bool) {
        let mut depth = 0;
        while self.at < self.text.len() {
            match self.text[self.at] {
                b'/' if self.is_comment() => self.comment(),
                b'#' if begins_line(self.text, self.at) => match self.directive_name() {
                    b"if" | b"ifdef" | b"ifndef" => {
                        depth += 1;
                        self.pass_directive();
                    }
                    b"else" | b"elif" if depth == 0 && to_next => return self.pass_directive(),
                    b"endif" if depth == 0 => {
                        self.branches.pop();
                        return self.pass_directive();
                    }
                    b"endif" => {
                        depth -= 1;
                        self.pass_directive();
                    }
                    b"define" if macros => self.define(),
                    _ => self.pass_directive(),
                },
                _ => {
                    let next = memchr::memchr3(b'/', b'#', b'\n', &self.text[self.at + 1..]);
                    self.at = next.map_or(self.text.len(), |length| self.at + 1 + length);
                }
            }
        }
    }

    /// The word after the `#` that is here.
    fn directive_name(&self) -> &'_ [u8] {
        let start = after_blanks(self.text, self.at + 1);
        &self.text[start..end_of_word(self.text, start)]
    }

    fn pass_directive(&mut self) {
        self.at = end_of_directive(self.text, self.at).0;
    }

    fn define(&mut self) {
        let start = self.at;
        let (end, first_line) = end_of_directive(self.text, start);
        self.at = end;
        let word = after_blanks(self.text, start + 1) + b"define".len();
        let name = after_blanks(self.text, word);
        let name = name..end_of_word(self.text, name);
        if !name.is_empty() && name.end <= end {
            self.find(Kind::Macro, &name, &(start..end), first_line);
        }
    }

    /// A definition that the grammar need not see.
    fn find(&mut self, kind: Kind, name: &Range<usize>, range: &Range<usize>, head: usize) {
        let (what, inside, head) = (What::of(kind), offset(name.end), Some(offset(head)));
        let (name, range) = (span(name), span(range));
        self.skim.found.push(Found { what, name, scope: None, range, head, inside, rank: 0 });
    }
}

/// How often a text is begun again after something that is never closed.
const RETRIES: u32 = 16;
/// How far ahead the parameters' declarations of an old function are looked for.
const OLD_STYLE: usize = 2048;
/// Words that name no function, though parentheses and braces follow.
const KEYWORDS: [&[u8]; 8] =
    [b"if", b"for", b"while", b"switch", b"return", b"sizeof", b"else", b"do"];
/// Words whose parentheses hold no parameters of a function.
const ATTRIBUTES: [&[u8]; 8] =
    [b"__asm__", b"asm", b"__asm", b"typeof", b"__typeof__", b"__typeof", b"_Atomic", b"__printf"];
/// Words that are left out, with their parentheses.
const DROPPED: [&[u8]; 7] = [
    b"__attribute__",
    b"__attribute",
    b"__declspec",
    b"__aligned",
    b"__section",
    b"_Alignas",
    b"alignas",
];
/// Words that annotate in large code bases, and stand where the grammar expects a name.
const ANNOTATIONS: [&[u8]; 28] = [
    b"__init",
    b"__initdata",
    b"__initconst",
    b"__initmv",
    b"__exit",
    b"__exitdata",
    b"__ref",
    b"__refdata",
    b"__refconst",
    b"__read_mostly",
    b"__ro_after_init",
    b"__used",
    b"__unused",
    b"__maybe_unused",
    b"__always_unused",
    b"__weak",
    b"__cold",
    b"__cacheline_aligned",
    b"__cacheline_aligned_in_smp",
    b"____cacheline_aligned",
    b"____cacheline_aligned_in_smp",
    b"__iomem",
    b"__user",
    b"__rcu",
    b"__percpu",
    b"__force",
    b"__visible",
    b"__page_aligned_bss",
];

fn span(range: &Range<usize>) -> Range<u32> {
    offset(range.start)..offset(range.end)
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
