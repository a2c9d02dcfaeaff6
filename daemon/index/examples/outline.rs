//! Prints the outlines of files: `outline FILE...`, or of those that standard input lists.
//!
//! Lines are `first-last kind container name @line:column | signature | documentation`. With `--count`, figures
//! for each language instead: bytes, symbols, time. With `--references`, lines
//! `line:column role name` follow, or what they cost is in the figures as well.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, BufRead, Write};
use std::time::{Duration, Instant};

use hob_index::symbols::extract::Extractor;
use hob_index::symbols::languages::{self, Language};
use hob_index::symbols::references::References;
use hob_index::symbols::text::{Window, doc_line, signature};
use hob_index::symbols::{Extent, Outline};

fn main() -> io::Result<()> {
    let mut arguments = std::env::args_os().skip(1).peekable();
    let count = arguments.next_if(|first| first == "--count").is_some();
    let with_references = arguments.next_if(|first| first == "--references").is_some();
    let mut extractor = Extractor::default();
    let mut totals = BTreeMap::<&str, Total>::new();
    let paths: Box<dyn Iterator<Item = io::Result<OsString>>> = match arguments.peek() {
        Some(_) => Box::new(arguments.map(Ok)),
        None => Box::new(io::stdin().lock().lines().map(|line| line.map(OsString::from))),
    };
    for path in paths {
        let path = std::path::PathBuf::from(path?);
        let text = std::fs::read(&path)?;
        let Some(language) = languages::of(path.as_os_str().as_encoded_bytes(), &text) else {
            continue;
        };
        let begun = Instant::now();
        let outline = extractor.extract(language, &text);
        let found = with_references.then(|| extractor.references(language, &text, &outline));
        let found = found.unwrap_or_default();
        totals.entry(language.name).or_default().add(&text, &outline, &found, begun.elapsed());
        if !count {
            writeln!(io::stdout(), "{}: {} {:?}", path.display(), language.name, outline.extent)?;
            print(&text, &outline, language)?;
            print_references(&text, &found)?;
        }
    }
    for (language, total) in totals.iter().filter(|_| count) {
        writeln!(io::stdout(), "{language}: {total:?}")?;
    }
    Ok(())
}

#[derive(Debug, Default)]
#[allow(dead_code, reason = "printed")]
struct Total {
    files: usize,
    bytes: usize,
    symbols: usize,
    references: usize,
    errors: usize,
    cut: usize,
    given_up: usize,
    references_cut: usize,
    references_given_up: usize,
    time: Duration,
    longest: Duration,
}

impl Total {
    fn add(&mut self, text: &[u8], outline: &Outline, found: &References, took: Duration) {
        self.files += 1;
        self.bytes += text.len();
        self.symbols += outline.symbols.len();
        self.references += found.references.len();
        self.references_cut += usize::from(found.extent == Extent::Cut);
        self.references_given_up += usize::from(found.extent == Extent::GivenUp);
        self.errors += usize::from(outline.extent == Extent::Errors);
        self.cut += usize::from(outline.extent == Extent::Cut);
        self.given_up += usize::from(outline.extent == Extent::GivenUp);
        self.time += took;
        self.longest = self.longest.max(took);
    }
}

fn print(text: &[u8], outline: &Outline, language: &Language) -> io::Result<()> {
    let word = |range: &std::ops::Range<u32>| {
        String::from_utf8_lossy(&text[range.start as usize..range.end as usize])
    };
    let window = Window::whole(text);
    for symbol in &outline.symbols {
        let container = symbol.parent.map_or_else(String::new, |parent| {
            word(&outline.symbols[parent as usize].name).into_owned()
        });
        let scope = symbol.scope.as_ref().map_or_else(String::new, |s| word(s).into_owned());
        writeln!(
            io::stdout(),
            "{}-{} {} {container}/{scope} {} @{}:{} | {} | {}",
            symbol.first_line,
            symbol.last_line,
            symbol.kind.name(),
            word(&symbol.name),
            symbol.line,
            symbol.column,
            String::from_utf8_lossy(&signature(&window, symbol, language)),
            String::from_utf8_lossy(doc_line(&window, symbol, language).unwrap_or_default()),
        )?;
    }
    Ok(())
}

fn print_references(text: &[u8], found: &References) -> io::Result<()> {
    for one in &found.references {
        let name = &text[one.name.start as usize..one.name.end as usize];
        let (role, name) = (one.role.name(), String::from_utf8_lossy(name));
        writeln!(io::stdout(), "{}:{} {role} {name}", one.line, one.column)?;
    }
    Ok(())
}
