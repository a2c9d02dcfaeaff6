//! `*** Begin Patch` … `*** End Patch`.

use super::Change;
use super::diff::{Found, Hunk};

/// A patch that is open.
#[derive(Debug, Default)]
pub(super) struct Patch {
    /// The line of the reply that it begins on.
    pub(super) line: u32,
    found: Vec<Found>,
    file: Option<(u32, Vec<u8>, Sort)>,
    hunk: Option<Hunk>,
}

#[derive(Debug)]
enum Sort {
    /// With the text so far.
    Add(Vec<u8>),
    Update,
    Delete,
}

impl Patch {
    /// The patch that a line opens.
    pub(super) fn open(line: &[u8], number: u32) -> Option<Self> {
        (line.trim_ascii() == b"*** Begin Patch").then(|| Self { line: number, ..Self::default() })
    }

    /// Takes a line; the end of the patch gives what it changes.
    pub(super) fn line(&mut self, line: &[u8], number: u32) -> Option<Vec<Found>> {
        let told = line.trim_ascii_end();
        let after =
            |word: &str| told.strip_prefix(word.as_bytes()).map(|rest| rest.trim_ascii().to_vec());
        if told == b"*** End Patch" {
            self.end_file();
            return Some(std::mem::take(&mut self.found));
        } else if let Some(path) = after("*** Update File: ") {
            self.begin(number, path, Sort::Update);
        } else if let Some(path) = after("*** Add File: ") {
            self.begin(number, path, Sort::Add(Vec::new()));
        } else if let Some(path) = after("*** Delete File: ") {
            self.begin(number, path, Sort::Delete);
        } else if let Some(to) = after("*** Move to: ") {
            if let Some((_, path, Sort::Update)) = &mut self.file {
                let names = vec![std::mem::replace(path, to.clone())];
                self.found.push(Found { line: number, names, change: Ok(Change::Rename(to)) });
            }
        } else if told == b"*** End of File" {
            if let Some(hunk) = &mut self.hunk {
                hunk.at_end = true;
            }
        } else {
            self.text(line, number);
        }
        None
    }

    fn text(&mut self, line: &[u8], number: u32) {
        match &mut self.file {
            Some((_, _, Sort::Add(text))) => {
                text.extend_from_slice(line.strip_prefix(b"+").unwrap_or(line));
                text.push(b'\n');
            }
            Some((_, _, Sort::Update)) if line.starts_with(b"@@") => {
                let anchor = line[2..].trim_ascii();
                let anchor = anchor.strip_suffix(b"@@").unwrap_or(anchor).trim_ascii();
                // Several in a row lead from the outermost to the place.
                let is_bare = self.hunk.as_ref().is_some_and(|hunk| hunk.lines.is_empty());
                if !is_bare {
                    self.end_hunk();
                    self.hunk = Some(Hunk::new(number));
                }
                if let Some(hunk) = self.hunk.as_mut().filter(|_| !anchor.is_empty()) {
                    hunk.anchors.push(anchor.to_vec());
                }
            }
            Some((_, _, Sort::Update)) => {
                self.hunk.get_or_insert_with(|| Hunk::new(number)).push(line);
            }
            _ => {}
        }
    }

    fn begin(&mut self, line: u32, path: Vec<u8>, sort: Sort) {
        self.end_file();
        self.file = Some((line, path, sort));
    }

    fn end_hunk(&mut self) {
        let Some(hunk) = self.hunk.take() else { return };
        if let Some((_, path, _)) = &self.file {
            let (line, names) = (hunk.line, vec![path.clone()]);
            self.found.push(Found { line, names, change: hunk.change() });
        }
    }

    fn end_file(&mut self) {
        self.end_hunk();
        let Some((line, path, sort)) = self.file.take() else { return };
        let change = match sort {
            Sort::Add(text) => Change::Create(text),
            Sort::Delete => Change::Delete(None),
            Sort::Update => return,
        };
        self.found.push(Found { line, names: vec![path], change: Ok(change) });
    }
}
