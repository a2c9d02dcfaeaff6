//! What becomes of the files: all edits of a reply, one after the other, or what hinders them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

use super::names::{Known, Named, is_path};
use super::place::{Misfit, Nearest, place, rewrite};
use super::text::{Encoding, decode, encode};
use super::whole::{OTHER_MARKS, has_marks, left_out};
use super::{Change, Edit, Format, OnlyIf, Reading, Replace, Reply};

/// The files that edits are meant for.
pub trait Files {
    /// What a name in a reply stands for, taken as a path from the root, or why nothing there may be edited.
    ///
    /// # Errors
    /// The path leads out of the root, or to what nobody may edit.
    fn find(&self, name: &[u8]) -> Result<Found, Refused> {
        let path = name.strip_prefix(b"./").unwrap_or(name).to_vec();
        Ok(Found { is_there: self.read(&path)?.is_some(), path, leads_to: None })
    }
    /// The bytes of a file; none where there is none, or why it may not be read.
    fn read(&self, path: &[u8]) -> Result<Option<Vec<u8>>, Refused>;
    /// Files that may have this line, for an edit that names one that has not.
    fn having(&self, line: &[u8]) -> Vec<Vec<u8>>;
}

/// What stands at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The path from the root, behind all links: two names of one file have the same.
    pub path: Vec<u8>,
    /// Whether a file is there.
    pub is_there: bool,
    /// Where a link with that name leads, if it is one.
    pub leads_to: Option<Vec<u8>>,
}

/// Why a file may not be edited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Of which kind that is.
    pub kind: Kind,
    /// In words.
    pub message: String,
}

/// What hinders an edit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The reply breaks it off, or it lacks a part.
    Malformed,
    /// Nothing says which file it is meant for.
    NoName,
    /// There is no such file.
    NoFile,
    /// There is such a file already.
    Exists,
    /// Its text is not there.
    NotFound,
    /// Its text, or its file's name, is there more than once.
    Ambiguous,
    /// What it would bring is there already.
    Already,
    /// Its text is in another file than it says.
    Elsewhere,
    /// The file is no text, or of an encoding that the new text has no bytes in.
    NotText,
    /// The path leads out of the root, or to what nobody may edit.
    Forbidden,
    /// The file is another one than was expected.
    Conflict,
}

impl Kind {
    /// What it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::NoName => "no-name",
            Self::NoFile => "no-file",
            Self::Exists => "exists",
            Self::NotFound => "not-found",
            Self::Ambiguous => "ambiguous",
            Self::Already => "already",
            Self::Elsewhere => "elsewhere",
            Self::NotText => "not-text",
            Self::Forbidden => "forbidden",
            Self::Conflict => "conflict",
        }
    }
}

/// An edit that is not made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Which one of the reply's, from 1.
    pub block: u32,
    /// The line of the reply that it begins on.
    pub line: u32,
    /// Its file, as far as that is known.
    pub path: Option<Vec<u8>>,
    /// What hinders it.
    pub kind: Kind,
    /// That in words, with what to do about it.
    pub message: String,
    /// The lines that are most like those that were looked for.
    pub nearest: Option<Nearest>,
}

/// What is done to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It has another text.
    Edit,
    /// It is new.
    Create,
    /// It is no more.
    Delete,
    /// It is called otherwise, and may have another text.
    Rename,
}

impl Action {
    /// What it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Edit => "edit",
            Self::Create => "create",
            Self::Delete => "delete",
            Self::Rename => "rename",
        }
    }
}

/// A file that changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileChange {
    /// Its path, after the change.
    pub path: Vec<u8>,
    /// Its path before, if that is another one.
    pub from: Option<Vec<u8>>,
    /// What is done.
    pub action: Action,
    /// Its bytes before; none of a new file.
    pub before: Option<Vec<u8>>,
    /// Its bytes after; none of one that is deleted.
    pub after: Option<Vec<u8>>,
    /// The lines that are new, from 1, without the last.
    pub ranges: Vec<Range<u32>>,
    /// Whether it may be run from now on, where that is said.
    pub program: Option<bool>,
}

/// What becomes of the files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The files that change, in the order in which the reply names them first. Where an edit fails, it
    /// is what would be done without that one.
    pub files: Vec<FileChange>,
    /// What hinders.
    pub failures: Vec<Failure>,
}

/// Makes all edits of a reply, each in what the ones before it have left.
#[must_use]
pub fn plan(reply: &Reply, known: &Known<'_>, files: &dyn Files) -> Plan {
    let (states, order, gone) = (BTreeMap::new(), Vec::new(), BTreeSet::new());
    let first = BTreeMap::new();
    let mut planner = Planner { known, files, first, states, order, gone, last: None, alike: 0 };
    let malformed = reply.malformed.iter().map(|one| Failure {
        block: one.block,
        line: one.line,
        path: one.names.first().cloned(),
        kind: Kind::Malformed,
        message: one.what.to_owned(),
        nearest: None,
    });
    let mut failures: Vec<Failure> = malformed.collect();
    let alike = alike(&reply.edits);
    for (at, edit) in reply.edits.iter().enumerate() {
        planner.alike = alike[at];
        let made = match planner.is_meant(edit, &reply.edits) {
            Ok(true) => planner.edit(edit),
            Ok(false) => Ok(()),
            Err(failure) => Err(failure),
        };
        if let Err(failure) = made {
            failures.push(*failure);
        }
    }
    failures.sort_by_key(|failure| failure.line);
    Plan { files: planner.finish(), failures }
}

/// A file while it is edited.
struct State {
    /// Its first path, if there was one.
    from: Option<Vec<u8>>,
    /// Its first text.
    had: Vec<u8>,
    /// Its text, or that it is no more.
    text: Option<Vec<u8>>,
    encoding: Encoding,
    /// How many lines edits have added so far, each with the line of the first text from which on.
    moved: Vec<(u32, i64)>,
    /// Whether it may be run by now, where that is said.
    program: Option<bool>,
}

struct Planner<'a> {
    known: &'a Known<'a>,
    files: &'a dyn Files,
    /// What files held at first, by their paths; none where there was none.
    first: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    /// By the paths of now.
    states: BTreeMap<Vec<u8>, State>,
    order: Vec<Vec<u8>>,
    /// Paths that files had which are called otherwise by now.
    gone: BTreeSet<Vec<u8>>,
    /// The file of the edit before.
    last: Option<Vec<u8>>,
    /// How many edits from here on do the same in the same file.
    alike: usize,
}

type Failed = Box<Failure>;

impl Planner<'_> {
    /// Whether an edit is meant as one, which may depend on its file.
    fn is_meant(&self, edit: &Edit, all: &[Edit]) -> Result<bool, Failed> {
        let (Some(only_if), Change::Whole(text)) = (&edit.only_if, &edit.change) else {
            return Ok(true);
        };
        // The very file that it would go to, as the edits before have left it.
        let Ok(path) = self.path(edit) else { return Ok(*only_if != OnlyIf::IsThere) };
        let have = match self.states.get(&path) {
            Some(state) => state.text.clone(),
            None if self.gone.contains(&path) => None,
            None => self.files.read(&path).ok().flatten().map(|bytes| decode(&bytes).0),
        };
        let Some(have) = have else { return Ok(*only_if != OnlyIf::IsThere) };
        let found = Found { path, is_there: true, leads_to: None };
        let shown = shown(&found.path);
        let failed = |what: String| Err(fail(edit, Some(&found.path), Kind::Malformed, what));
        match only_if {
            OnlyIf::IsThere => Ok(true),
            OnlyIf::IsNew => {
                let is_of_it = |other: &Edit| {
                    other.only_if.is_none()
                        && other.names.iter().any(|name| ends_alike(name, &found.path))
                };
                // It shows what is there, or what the other edits come to.
                let is_shown = self.states.contains_key(&found.path)
                    || memchr::memmem::find(&have, text.trim_ascii_end()).is_some()
                    || all.iter().any(is_of_it);
                if is_shown {
                    return Ok(false);
                }
                failed(format!(
                    "beside edits of another form it is not clear whether this is all of `{shown}`: \
                     write all edits in one form"
                ))
            }
            OnlyIf::IsAll | OnlyIf::IsAllAfter(_) => {
                let had_head = |head: &Vec<u8>| have.starts_with(head);
                let head = matches!(only_if, OnlyIf::IsAllAfter(head) if had_head(head));
                // A part of a file has few of its lines, and a new text of it has most.
                let count = |text: &[u8]| memchr::memchr_iter(b'\n', text).count();
                if 10 * (count(text) + usize::from(head)) >= 9 * count(&have) {
                    return Ok(true);
                }
                failed(format!(
                    "it is not clear whether this is all of `{shown}`, which has {} lines: if it is, put the \
                     path alone on the line above it",
                    count(&have)
                ))
            }
        }
    }

    fn edit(&mut self, edit: &Edit) -> Result<(), Failed> {
        let path = self.path(edit)?;
        self.last = Some(path.clone());
        let failed = |kind, message: String| fail(edit, Some(&path), kind, message);
        self.open(&path).map_err(|refused| failed(refused.kind, refused.message))?;
        self.is_no_link(edit)?;
        let state = self.states.get_mut(&path).expect("it was opened just now");
        let shown = shown(&path);
        match &edit.change {
            Change::Whole(text) => {
                let have = state.text.as_deref().unwrap_or_default();
                if let Some(line) = left_out(&path, text, have) {
                    let message = format!(
                        "`{shown}`: it leaves out lines, by its line {line}: a whole file has all of them"
                    );
                    return Err(failed(Kind::Malformed, message));
                }
                if has_marks(&path, text) && !has_marks(&path, have) {
                    return Err(failed(Kind::Malformed, format!("`{shown}`: {OTHER_MARKS}")));
                }
                let head = match &edit.only_if {
                    Some(OnlyIf::IsAllAfter(head)) if have.starts_with(head) => head.as_slice(),
                    _ => &[],
                };
                let placed = rewrite(have, &[head, text].concat());
                state.text = Some(placed.text);
            }
            Change::Create(text) => {
                if let Some(have) = state.text.as_ref().filter(|have| !have.is_empty()) {
                    let (kind, message) = if have == text {
                        (Kind::Already, format!("`{shown}` is there already, with this very text"))
                    } else {
                        (
                            Kind::Exists,
                            format!("`{shown}` is there already: a new file cannot have its name"),
                        )
                    };
                    return Err(failed(kind, message));
                }
                state.text = Some(text.clone());
            }
            Change::Delete(held) => {
                let Some(have) = &state.text else {
                    let message = format!("there is no file `{shown}` to delete");
                    return Err(failed(Kind::NoFile, message));
                };
                if held.as_ref().is_some_and(|held| !is_alike(have, held)) {
                    let message = format!(
                        "the lines that are taken out are not all of `{shown}`: it is not deleted"
                    );
                    return Err(failed(Kind::NotFound, message));
                }
                state.text = None;
            }
            Change::Program(is) => {
                if state.text.is_none() {
                    return Err(failed(Kind::NoFile, format!("there is no file `{shown}`")));
                }
                state.program = Some(*is);
                return Ok(());
            }
            Change::Rename(to) => return self.rename(edit, &path, to),
            Change::Replace(replace) => self.replace(edit, &path, replace)?,
        }
        let state = &self.states[&path];
        if let Some(text) = &state.text {
            let is_kept = match state.encoding {
                // Which letters its bytes are is known where a part of the reply is the same.
                Encoding::Other => {
                    let known = letters(&edit.change);
                    let is_told = !known.is_ascii() && matches!(edit.change, Change::Replace(_));
                    (is_told || is_as_ascii(&state.had, text))
                        && encode(text, state.encoding).is_some()
                }
                Encoding::Binary => false,
                encoding => encode(text, encoding).is_some(),
            };
            if !is_kept {
                let message = match state.encoding {
                    Encoding::Binary => format!("`{shown}` is no text"),
                    _ => {
                        format!("`{shown}` is no UTF-8, and the new text has letters beyond ASCII")
                    }
                };
                return Err(failed(Kind::NotText, message));
            }
        }
        Ok(())
    }

    fn replace(&mut self, edit: &Edit, path: &[u8], replace: &Replace) -> Result<(), Failed> {
        let state = self.states.get_mut(path).expect("it was opened just now");
        let is_new = replace.readings.iter().any(|reading| reading.search.trim_ascii().is_empty());
        if state.text.is_none() && !is_new {
            return Err(self.no_file(edit, path));
        }
        // An empty line is as good as none where nothing is.
        let mut replace = std::borrow::Cow::Borrowed(replace);
        if state.text.is_none() {
            replace.to_mut().readings.iter_mut().for_each(|reading| reading.search.clear());
        }
        let replace = &*replace;
        if state.encoding == Encoding::Binary {
            let message = format!("`{}` is no text", shown(path));
            return Err(fail(edit, Some(path), Kind::NotText, message));
        }
        let moved = replace.at.map_or(0, |at| {
            state.moved.iter().filter(|(line, _)| *line < at).map(|(_, lines)| lines).sum()
        });
        let text = state.text.as_deref().unwrap_or_default();
        let mut placed = place(text, replace, moved);
        if let Err(Misfit::Ambiguous { lines }) = &placed
            && lines.len() == self.alike
        {
            // As many edits as places: each gets one, and it is all the same which.
            let first = Replace { at: lines.first().copied(), ..replace.clone() };
            placed = place(text, &first, 0);
        }
        match placed {
            Ok(placed) => {
                if let Some(at) = replace.at {
                    let count = |text: &[u8]| memchr::memchr_iter(b'\n', text).count() as i64;
                    state.moved.push((at, count(&placed.text) - count(text)));
                }
                state.text = Some(placed.text);
                Ok(())
            }
            Err(misfit) => Err(self.misfit(edit, path, replace, misfit)),
        }
    }

    fn misfit(&self, edit: &Edit, path: &[u8], replace: &Replace, misfit: Misfit) -> Failed {
        let name = shown(path);
        let (kind, message) = match &misfit {
            Misfit::NotFound { .. } => {
                if let Some(other) = self.elsewhere(path, replace) {
                    let other = shown(&other);
                    let message =
                        format!("its lines are not in `{name}` but in `{other}`: name that file");
                    return fail(edit, Some(path), Kind::Elsewhere, message);
                }
                let message =
                    format!("its lines are not in `{name}`: copy them from the file as they are");
                (Kind::NotFound, message)
            }
            Misfit::Ambiguous { .. } => (
                Kind::Ambiguous,
                format!("in `{name}`, {misfit}: add lines around them that tell which"),
            ),
            Misfit::Already { .. } => (Kind::Already, format!("in `{name}`, {misfit}")),
            Misfit::Nowhere => (Kind::NotFound, format!("`{name}`: {misfit}")),
            Misfit::Elisions(..) => (Kind::Malformed, format!("`{name}`: {misfit}")),
        };
        let mut failure = fail(edit, Some(path), kind, message);
        if let Misfit::NotFound { nearest } = misfit {
            failure.nearest = nearest;
        }
        failure
    }

    /// The only other file that has the text of an edit.
    fn elsewhere(&self, path: &[u8], replace: &Replace) -> Option<Vec<u8>> {
        let search = &replace.readings.first()?.search;
        let line =
            search.split(|byte| *byte == b'\n').max_by_key(|line| line.trim_ascii().len())?;
        let mut paths = self.files.having(line.trim_ascii());
        paths.extend(self.states.keys().cloned());
        paths.sort_unstable();
        paths.dedup();
        paths.retain(|other| other != path);
        paths.retain(|other| {
            let text = match self.states.get(other) {
                Some(state) => state.text.clone(),
                None => self.files.read(other).ok().flatten().map(|bytes| decode(&bytes).0),
            };
            text.is_some_and(|text| place(&text, replace, 0).is_ok())
        });
        if paths.len() == 1 { paths.pop() } else { None }
    }

    fn rename(&mut self, edit: &Edit, path: &[u8], to: &[u8]) -> Result<(), Failed> {
        if self.states[path].text.is_none() {
            return Err(self.no_file(edit, path));
        }
        let refused = |refused: Refused| fail(edit, Some(to), refused.kind, refused.message);
        let found = self.files.find(to).map_err(refused)?;
        let to = found.path.as_slice();
        if to == path {
            return Ok(());
        }
        self.open(to).map_err(|refused| fail(edit, Some(to), refused.kind, refused.message))?;
        if self.states[to].text.is_some() {
            let message = format!("`{}` is there already: nothing can be renamed to it", shown(to));
            return Err(fail(edit, Some(to), Kind::Exists, message));
        }
        if let Some(state) = self.states.remove(path) {
            self.states.insert(to.to_vec(), state);
            self.gone.insert(path.to_vec());
            self.order.retain(|known| known != to);
            let renamed = self.order.iter_mut().find(|known| *known == path);
            renamed.into_iter().for_each(|known| *known = to.to_vec());
        }
        self.last = Some(to.to_vec());
        Ok(())
    }

    /// The file that an edit is meant for.
    fn path(&self, edit: &Edit) -> Result<Vec<u8>, Failed> {
        if edit.names.is_empty() {
            let message =
                "nothing says which file it is meant for: put the path on the line above it";
            let last = self.last.clone().or_else(|| self.known.only_asked());
            return last.ok_or_else(|| fail(edit, None, Kind::NoName, message.into()));
        }
        let is_new = match &edit.change {
            Change::Replace(replace) => {
                replace.readings.iter().any(|reading| reading.search.trim_ascii().is_empty())
            }
            Change::Whole(_) | Change::Create(_) => true,
            Change::Delete(_) | Change::Rename(_) | Change::Program(_) => false,
        };
        // What the lines of its text do not confirm is meant where it is said to be.
        let is_exact = match &edit.change {
            Change::Whole(_) => {
                edit.names.iter().all(|name| name.contains(&b'/') || is_common(name))
            }
            Change::Delete(held) => held.is_none(),
            _ => is_new || matches!(edit.change, Change::Rename(_) | Change::Program(_)),
        };
        let (mut several, mut refused) = (None, None);
        for name in &edit.names {
            match self.files.find(name) {
                Ok(found) => {
                    let is_there = found.is_there && !self.gone.contains(&found.path);
                    if is_there || self.states.contains_key(&found.path) {
                        return Ok(found.path);
                    }
                }
                Err(why) => {
                    refused = refused.or(Some((name, why)).filter(|_| is_path(name)));
                    continue;
                }
            }
            if is_exact {
                match self.known.find_asked(name) {
                    Some(path) => return Ok(path),
                    // What is new has the first name that can be one.
                    None if is_new && is_path(name) => break,
                    None => continue,
                }
            }
            match self.known.find(name) {
                Named::File(path) => return Ok(path),
                Named::Several(paths) => several = several.or(Some((name, paths))),
                Named::New(_) => {}
            }
        }
        if let Some((name, Refused { kind, message })) = refused {
            return Err(fail(edit, Some(name), kind, message));
        }
        if let Some((name, paths)) = several {
            let paths: Vec<_> =
                paths.iter().take(5).map(|path| format!("`{}`", shown(path))).collect();
            let message =
                format!("`{}` may be {}: give the whole path", shown(name), paths.join(" or "));
            return Err(fail(edit, Some(name), Kind::Ambiguous, message));
        }
        if is_new {
            // A header of a diff says nothing but a path, and a name with a space was in marks.
            let is_header = matches!(edit.format, Format::Udiff | Format::Patch);
            let is_name = |name: &&Vec<u8>| is_header || is_path(name) || name.contains(&b' ');
            let path = edit.names.iter().find(is_name);
            let path = path.and_then(|name| Some(self.files.find(name).ok()?.path));
            let message =
                "nothing says which file is to be made: put the path on the line above it";
            return path.ok_or_else(|| fail(edit, None, Kind::NoName, message.into()));
        }
        let name = &edit.names[0];
        let may_be_near = matches!(edit.change, Change::Replace(_));
        match self.known.near(name).as_slice() {
            [one] if may_be_near => Ok(one.clone()),
            _ if self.last.is_some() && !is_path(name) => Ok(self.last.clone().unwrap_or_default()),
            _ => Err(self.no_file(edit, name)),
        }
    }

    /// Refuses to delete a link, or to call it otherwise, when its file is meant.
    fn is_no_link(&self, edit: &Edit) -> Result<(), Failed> {
        if !matches!(edit.change, Change::Delete(_) | Change::Rename(_)) {
            return Ok(());
        }
        for name in &edit.names {
            let Ok(Found { leads_to: Some(to), .. }) = self.files.find(name) else { continue };
            let (shown, to) = (shown(name), shown(&to));
            let message = format!("`{shown}` is a link to `{to}`: name the file that is meant");
            return Err(fail(edit, Some(name), Kind::Forbidden, message));
        }
        Ok(())
    }

    fn no_file(&self, edit: &Edit, name: &[u8]) -> Failed {
        let near: Vec<_> =
            self.known.near(name).iter().map(|path| format!("`{}`", shown(path))).collect();
        let is_moved =
            matches!(edit.change, Change::Delete(_) | Change::Rename(_) | Change::Program(_));
        let hint = if self.first.get(name).is_some_and(Option::is_some) {
            "the reply itself deletes it, or calls it otherwise".to_owned()
        } else if near.is_empty() && is_moved {
            "give its path from the root".to_owned()
        } else if near.is_empty() {
            "to make it, leave what is looked for empty".to_owned()
        } else {
            format!("did you mean {}?", near.join(" or "))
        };
        let message = format!("there is no file `{}`: {hint}", shown(name));
        fail(edit, Some(name), Kind::NoFile, message)
    }

    fn open(&mut self, path: &[u8]) -> Result<(), Refused> {
        if self.states.contains_key(path) {
            return Ok(());
        }
        let first = match self.first.get(path) {
            Some(first) => first.clone(),
            None => self.files.read(path)?,
        };
        self.first.insert(path.to_vec(), first.clone());
        let before = first.filter(|_| !self.gone.contains(path));
        let (text, encoding) = match &before {
            Some(bytes) => {
                let (text, encoding) = decode(bytes);
                (Some(text), encoding)
            }
            None => (None, Encoding::Utf8),
        };
        let from = before.as_ref().map(|_| path.to_vec());
        let had = text.clone().unwrap_or_default();
        let (moved, program) = (Vec::new(), None);
        self.states.insert(path.to_vec(), State { from, had, text, encoding, moved, program });
        self.order.push(path.to_vec());
        Ok(())
    }

    /// One change for each path, from what it held at first to what it holds at last.
    fn finish(mut self) -> Vec<FileChange> {
        let mut last: BTreeMap<Vec<u8>, Last> = BTreeMap::new();
        for (path, state) in std::mem::take(&mut self.states) {
            let text = state.text.as_ref().and_then(|text| encode(text, state.encoding));
            let ranges = state.text.as_ref().map(|text| new_lines(&state.had, text));
            let (ranges, State { from, program, .. }) = (ranges.unwrap_or_default(), state);
            last.insert(path, Last { from, bytes: text, ranges, program });
        }
        let has = |path: &Vec<u8>| last.get(path).is_some_and(|last| last.bytes.is_some());
        let had = |path: &Vec<u8>| self.first.get(path).is_some_and(Option::is_some);
        // A file that has gone from where it was to where none was is called otherwise.
        let renamed: BTreeMap<Vec<u8>, Vec<u8>> = last
            .iter()
            .filter(|(path, last)| last.bytes.is_some() && !had(path))
            .filter_map(|(path, last)| Some((path.clone(), last.from.clone()?)))
            .filter(|(path, from)| path != from && had(from) && !has(from))
            .collect();
        let order = std::mem::take(&mut self.order);
        let rest: Vec<_> =
            self.first.keys().filter(|path| !order.contains(path)).cloned().collect();
        let mut changes = Vec::new();
        for path in order.into_iter().chain(rest) {
            let Last { bytes: after, ranges, program, .. } = last.remove(&path).unwrap_or_default();
            let from = renamed.get(&path).cloned();
            let was = from.as_ref().unwrap_or(&path);
            let before = self.first.get(was).cloned().flatten();
            let action = match (&before, &after, &from) {
                (None, None, _) => continue,
                (Some(_), None, _) if renamed.values().any(|from| *from == path) => continue,
                (None, Some(_), _) => Action::Create,
                (Some(_), None, _) => Action::Delete,
                (Some(_), Some(_), Some(_)) => Action::Rename,
                (Some(before), Some(after), None) if before == after && program.is_none() => {
                    continue;
                }
                (Some(_), Some(_), None) => Action::Edit,
            };
            changes.push(FileChange { path, from, action, before, after, ranges, program });
        }
        changes
    }
}

/// What a path holds in the end.
#[derive(Default)]
struct Last {
    /// The path of the file that it began as.
    from: Option<Vec<u8>>,
    bytes: Option<Vec<u8>>,
    ranges: Vec<Range<u32>>,
    program: Option<bool>,
}

/// The lines of a text, from 1, that another one has not; where lines are gone, the one after them, alone.
fn new_lines(had: &[u8], text: &[u8]) -> Vec<Range<u32>> {
    /// Texts that are more unlike than can be told in this time are new as a whole.
    const LONGEST: std::time::Duration = std::time::Duration::from_secs(1);
    let lines = |text: &'_ [u8]| -> Vec<u64> {
        use std::hash::{DefaultHasher, Hash as _, Hasher as _};
        let hash = |line: &[u8]| {
            let mut hasher = DefaultHasher::new();
            line.hash(&mut hasher);
            hasher.finish()
        };
        text.split_inclusive(|byte| *byte == b'\n').map(hash).collect()
    };
    let (old, new) = (lines(had), lines(text));
    let until = std::time::Instant::now() + LONGEST;
    let ops =
        similar::capture_diff_slices_deadline(similar::Algorithm::Myers, &old, &new, Some(until));
    let changed = ops.iter().filter(|op| op.tag() != similar::DiffTag::Equal);
    changed
        .map(|op| op.new_range())
        .map(|range| range.start as u32 + 1..range.end as u32 + 1)
        .collect()
}

/// Whether a name is a path, or the end of it.
fn ends_alike(name: &[u8], path: &[u8]) -> bool {
    let name = name.strip_prefix(b"./").unwrap_or(name);
    path.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with(b"/"))
}

/// Whether two texts have the same lines, but for white space at their ends.
fn is_alike(have: &[u8], want: &[u8]) -> bool {
    fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
        text.trim_ascii_end().split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end)
    }
    lines(have).eq(lines(want))
}

/// Whether a file of that name stands in many directories, so that the name alone says nothing.
fn is_common(name: &[u8]) -> bool {
    const NAMES: [&str; 22] = [
        "__init__",
        "__main__",
        "build",
        "cargo",
        "changelog",
        "cmakelists",
        "conftest",
        "dockerfile",
        "doc",
        "go",
        "index",
        "lib",
        "license",
        "main",
        "makefile",
        "mod",
        "package",
        "pyproject",
        "readme",
        "setup",
        "tsconfig",
        "types",
    ];
    let stem = name.split(|byte| *byte == b'.').next().unwrap_or(name).to_ascii_lowercase();
    stem.is_empty() || std::str::from_utf8(&stem).is_ok_and(|stem| NAMES.contains(&stem))
}

/// Of each edit, how many from it on do the same in the same file.
fn alike(edits: &[Edit]) -> Vec<usize> {
    let mut counts: HashMap<(&[Vec<u8>], &[Reading]), usize> = HashMap::new();
    let mut names: Vec<&[Vec<u8>]> = Vec::with_capacity(edits.len());
    for edit in edits {
        // One without a name has that of the edit before.
        let last = names.last().copied().unwrap_or_default();
        names.push(if edit.names.is_empty() { last } else { &edit.names });
    }
    let mut alike = vec![1; edits.len()];
    for (at, edit) in edits.iter().enumerate().rev() {
        if let Change::Replace(replace) = &edit.change {
            let count = counts.entry((names[at], replace.readings.as_slice())).or_default();
            *count += 1;
            alike[at] = *count;
        }
    }
    alike
}

/// What an edit looks for.
fn letters(change: &Change) -> &[u8] {
    match change {
        Change::Replace(replace) => replace.readings.first().map_or(&[], |one| &one.search),
        _ => &[],
    }
}

/// Whether all that is no ASCII in a text is in the one before as well, line by line.
fn is_as_ascii(before: &[u8], after: &[u8]) -> bool {
    let lines: std::collections::HashSet<&[u8]> = before.split(|byte| *byte == b'\n').collect();
    after.split(|byte| *byte == b'\n').all(|line| line.is_ascii() || lines.contains(line))
}

fn fail(edit: &Edit, path: Option<&[u8]>, kind: Kind, message: String) -> Failed {
    let (block, line, path) = (edit.block, edit.line, path.map(<[u8]>::to_vec));
    Box::new(Failure { block, line, path, kind, message, nearest: None })
}

/// A path as it can be shown: signs that cannot be seen, or turn the direction of writing, stand there by
/// their numbers.
#[must_use]
pub fn shown(path: &[u8]) -> String {
    let mut shown = String::new();
    for chunk in path.utf8_chunks() {
        for letter in chunk.valid().chars() {
            let is_hidden = letter.is_control()
                || matches!(letter, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}');
            if is_hidden {
                shown.push_str(&format!("\\u{{{:x}}}", letter as u32));
            } else {
                shown.push(letter);
            }
        }
        chunk.invalid().iter().for_each(|byte| shown.push_str(&format!("\\x{byte:02x}")));
    }
    shown
}
