//! Which language a file is of, by its name and, where that does not tell, its text.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::rows::ROWS;
use super::{Claim, Language};

/// The language of a file: by its whole name, else by its extension, else by the interpreter that
/// its first line names.
#[must_use]
pub fn of(path: &[u8], text: &[u8]) -> Option<&'static Language> {
    let name = base_name(path);
    if let Some(language) = claimant(name).filter(|(_, claim)| (claim.says)(text)) {
        return Some(language.0);
    }
    by_file_name(name).or_else(|| {
        let interpreter = interpreter(text)?;
        ROWS.iter().find(|language| is_in(interpreter, language.interpreters))
    })
}

/// Whether a file of that path can be of the language, whatever is in it.
#[must_use]
pub fn may_be(path: &[u8], language: &Language) -> bool {
    let name = base_name(path);
    may_be_named(claimant(name).map(|(claimant, _)| claimant), by_file_name(name), language)
}

fn may_be_named(
    claimant: Option<&Language>,
    named: Option<&Language>,
    language: &Language,
) -> bool {
    claimant.is_some_and(|claimant| claimant.number == language.number)
        || match named {
            Some(named) => named.number == language.number,
            None => !language.interpreters.is_empty(),
        }
}

/// The languages that a file of that path can be of. Which of several it is, its text tells.
#[must_use]
pub fn possible(path: &[u8]) -> Vec<&'static Language> {
    let name = base_name(path);
    let (claimant, named) = (claimant(name).map(|(claimant, _)| claimant), by_file_name(name));
    ROWS.iter().filter(|language| may_be_named(claimant, named, language)).collect()
}

/// The language that a path alone tells, whatever is in the file.
#[must_use]
pub fn named(path: &[u8]) -> Option<&'static Language> {
    by_file_name(base_name(path))
}

fn by_file_name(name: &[u8]) -> Option<&'static Language> {
    // It is asked of every file of a tree.
    static FILES: LazyLock<Names> = LazyLock::new(|| names(|language| language.files));
    static EXTENSIONS: LazyLock<Names> = LazyLock::new(|| names(|language| language.extensions));
    if let Some(language) = FILES.get(name) {
        return Some(language);
    }
    let extension = extension(name)?;
    let of = |extension: &[u8]| EXTENSIONS.get(extension).copied();
    of(extension).or_else(|| of(&extension.to_ascii_lowercase()))
}

type Names = HashMap<&'static [u8], &'static Language>;

fn names(of: impl Fn(&'static Language) -> &'static [&'static str]) -> Names {
    let each = |language| of(language).iter().map(move |name| (name.as_bytes(), language));
    ROWS.iter().flat_map(each).collect()
}

/// The language that has a file of that name if the text says so.
fn claimant(name: &[u8]) -> Option<(&'static Language, &'static Claim)> {
    let extension = extension(name)?;
    ROWS.iter().find_map(|language| {
        let claim = language.claim.as_ref()?;
        is_in(extension, claim.extensions).then_some((language, claim))
    })
}

fn is_in(name: &[u8], names: &[&str]) -> bool {
    names.iter().any(|known| known.as_bytes() == name)
}

fn base_name(path: &[u8]) -> &[u8] {
    path.rsplit(|&byte| byte == b'/').next().unwrap_or(path)
}

fn extension(name: &[u8]) -> Option<&[u8]> {
    Some(&name[memchr::memrchr(b'.', name)? + 1..])
}

/// The program that a first line with `#!` names, without its path and version.
fn interpreter(text: &[u8]) -> Option<&[u8]> {
    let rest = text.strip_prefix(b"#!")?;
    let line = &rest[..memchr::memchr(b'\n', rest).unwrap_or(rest.len()).min(256)];
    let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let program = base_name(words.next()?);
    let program = if program == b"env" {
        base_name(words.find(|word| !word.starts_with(b"-") && !word.contains(&b'='))?)
    } else {
        program
    };
    let end = program.iter().rposition(|byte| !byte.is_ascii_digit() && *byte != b'.')?;
    Some(&program[..=end])
}

/// Whether a text is of MATLAB, and not of Objective-C or Mathematica, which have the same extension: by
/// its first line that says something.
pub(super) fn is_matlab(text: &[u8]) -> bool {
    let line = text.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii).find(|l| !l.is_empty());
    line.is_some_and(|line| {
        [&b"%"[..], b"function ", b"classdef ", b"clear", b"clc", b"close all", b"addpath"]
            .iter()
            .any(|begin| line.starts_with(begin))
    })
}

/// How much of a header is looked at.
const HEADER_BYTES: usize = 64 << 10;

/// Whether a header is of C++: by a line that C does not have.
pub(super) fn is_cpp(text: &[u8]) -> bool {
    let text = &text[..text.len().min(HEADER_BYTES)];
    text.split(|&byte| byte == b'\n').any(is_line_of_cpp)
}

fn is_line_of_cpp(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    match line.first() {
        Some(b'#') => is_cpp_include(line),
        Some(b'c') => line.strip_prefix(b"class ").is_some_and(opens_block),
        Some(b'n') => {
            line.strip_prefix(b"namespace ").is_some_and(opens_block) || line == b"namespace {"
        }
        Some(b'p') => is_access(line),
        Some(b't') => line
            .strip_prefix(b"template")
            .is_some_and(|rest| rest.trim_ascii_start().starts_with(b"<")),
        Some(b'u') => line.strip_prefix(b"using ").is_some_and(|rest| rest.ends_with(b";")),
        Some(b'v') => {
            line.strip_prefix(b"virtual ").is_some_and(|rest| memchr::memchr(b'(', rest).is_some())
        }
        _ => false,
    }
}

/// `#include <vector>`: the headers of C++ itself have no extension.
fn is_cpp_include(line: &[u8]) -> bool {
    let Some(rest) = line[1..].trim_ascii_start().strip_prefix(b"include") else { return false };
    let Some(name) = rest.trim_ascii_start().strip_prefix(b"<") else { return false };
    let Some(end) = memchr::memchr(b'>', name) else { return false };
    end > 0 && name[..end].iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

fn is_access(line: &[u8]) -> bool {
    let word = line.strip_suffix(b":").unwrap_or_default();
    matches!(word, b"public" | b"private" | b"protected" | b"public slots" | b"private slots")
}

/// One or two words, and then the end of the line, a brace, the base classes or a semicolon: prose
/// that happens to begin with `class` goes on.
fn opens_block(rest: &[u8]) -> bool {
    let end = rest.iter().position(|byte| matches!(byte, b'{' | b';' | b':'));
    let is_followed = end.is_some();
    let words = rest[..end.unwrap_or(rest.len())].split(u8::is_ascii_whitespace);
    let words: Vec<_> = words.filter(|word| !word.is_empty()).take(4).collect();
    let is_word = |word: &&[u8]| word.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_');
    let most = if is_followed { 3 } else { 1 };
    (1..=most).contains(&words.len()) && words.iter().all(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn language(path: &str, text: &str) -> &'static str {
        of(path.as_bytes(), text.as_bytes()).map_or("none", |language| language.name)
    }

    #[test]
    fn a_file_is_of_the_language_that_its_name_says() {
        let rows = [
            ("src/main.rs", "rust"),
            ("A.RS", "rust"),
            ("x/Cargo.lock", "toml"),
            ("Rakefile", "ruby"),
            (".bashrc", "bash"),
            ("a.tar.gz", "none"),
            ("a.c", "c"),
            ("a.C", "cpp"),
            ("a.H", "cpp"),
            ("a.h", "c"),
            ("rs", "none"),
            ("", "none"),
            (".", "none"),
        ];
        for (path, expected) in rows {
            assert_eq!(language(path, ""), expected, "{path}");
        }
    }

    #[test]
    fn a_file_without_an_extension_is_of_its_interpreters_language() {
        let rows = [
            ("#!/bin/sh\n", "bash"),
            ("#! /usr/bin/env python3\n", "python"),
            ("#!/usr/bin/env -S A=1 node --x\n", "javascript"),
            ("#!/usr/local/bin/python3.11 -u\r\n", "python"),
            ("#!\n", "none"),
            ("#!/3\n", "none"),
            ("#!/usr/bin/env\n", "none"),
            ("#!/usr/bin/perl", "none"),
            ("", "none"),
        ];
        for (text, expected) in rows {
            assert_eq!(language("bin/tool", text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_header_is_of_c_plus_plus_where_a_line_says_so() {
        let rows = [
            ("class Foo;\n", "cpp"),
            ("  class EXPORT Foo final : public Bar {\n", "cpp"),
            ("class Foo\n{\n", "cpp"),
            ("namespace a::b {\n", "cpp"),
            ("namespace {\n", "cpp"),
            ("template <typename T>\n", "cpp"),
            ("public:\n", "cpp"),
            ("#include <vector>\n", "cpp"),
            ("# include <QString>\n", "cpp"),
            ("using std::swap;\n", "cpp"),
            ("#include <stdio.h>\nint class;\n", "c"),
            ("class of devices that is\n", "c"),
            ("template for the macros\n", "c"),
            ("#include MACRO(<x>)\n", "c"),
            ("struct class *c;\n", "c"),
            ("", "c"),
        ];
        for (text, expected) in rows {
            assert_eq!(language("a.h", text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_file_of_two_languages_is_of_that_which_its_text_says() {
        let rows = [
            ("a.m", "% A.\nx = 1;\n", "matlab"),
            ("a.m", "\nfunction f\nend\n", "matlab"),
            ("a.m", "#import <a.h>\n", "none"),
            ("a.m", "(* A. *)\n", "none"),
        ];
        for (path, text, expected) in rows {
            assert_eq!(language(path, text), expected, "{path} {text:?}");
        }
    }

    #[test]
    fn what_a_file_may_be_follows_from_its_path() {
        let may = |path: &str, name: &str| {
            let language = super::super::by_name(name).unwrap();
            may_be(path.as_bytes(), language)
        };
        assert!(may("a.h", "c") && may("a.h", "cpp") && !may("a.h", "rust"));
        assert!(may("a.rs", "rust") && !may("a.rs", "bash"));
        assert!(may("configure", "bash") && may("a.cgi", "python") && !may("configure", "c++"));
    }
}
