//! Where in a text an edit is meant, and what the text becomes.
//!
//! It is looked for line by line: as it is; but for white space at the ends of lines; with all lines
//! further to the left or to the right by the same; without an empty first line; and in pieces, where lines
//! of `...` stand for what is left out. Nothing looser: what stands there twice is ambiguous, unless the
//! edit says more of its place, and what stands nowhere is told together with what is nearest.
//!
//! Lines that stay keep their bytes, and new ones end as their neighbours do.

use std::ops::Range;

use super::lines::{Line, indent, is_blank, lines, usual_end};
use super::{Reading, Replace};

/// A text after an edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// All of it.
    pub text: Vec<u8>,
    /// The lines that are new, from 1, without the last.
    pub ranges: Vec<Range<u32>>,
}

/// Why an edit fits nowhere.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// It is not there.
    #[error("its lines are not there")]
    NotFound {
        /// What is most like it.
        nearest: Option<Nearest>,
    },
    /// It is there more than once.
    #[error("its lines stand there {} times, from the lines {}", lines.len(), list(lines))]
    Ambiguous {
        /// The lines that it may begin on.
        lines: Vec<u32>,
    },
    /// What it would bring is there.
    #[error("what it would bring is already there, from line {line}")]
    Already {
        /// The line that it begins on.
        line: u32,
    },
    /// Nothing says where it belongs.
    #[error("it says nothing of where it belongs, and the file is not empty")]
    Nowhere,
    /// What is left out of the one is not left out of the other.
    #[error(
        "`...` stands for what is left out {0} times in what is looked for, and {1} times in what it becomes"
    )]
    Elisions(usize, usize),
}

fn list(lines: &[u32]) -> String {
    lines.iter().take(10).map(u32::to_string).collect::<Vec<_>>().join(", ")
}

/// Lines that are like those that were looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nearest {
    /// The first one.
    pub line: u32,
    /// All of them.
    pub text: Vec<u8>,
}

/// How the lines of a text differ from those that are looked for.
#[derive(Clone, Copy, Debug)]
enum Fit<'a> {
    /// Not, or at their ends.
    Same,
    /// The text has this before each line.
    Deeper(&'a [u8]),
    /// What is looked for has this before each line.
    Shallower(&'a [u8]),
    /// Where the one has tabs the other has spaces.
    Retabbed(Tabs),
}

/// How tabs and spaces stand for each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tabs {
    /// How many spaces are one tab.
    unit: usize,
    /// How many more columns the text has before each line.
    more: isize,
    /// The text has the tabs.
    in_file: bool,
}

/// Makes an edit in a text. `moved` is how many lines there are more than when the edit's line was
/// counted.
pub fn place(text: &[u8], edit: &Replace, moved: i64) -> Result<Placed, Misfit> {
    let file = lines(text);
    let mut fitting = Vec::new();
    let mut worst: Option<Misfit> = None;
    for reading in &edit.readings {
        match reading_fits(&file, edit, reading, moved) {
            Ok(found) => {
                // The same place and text, read in another way, is no second one.
                if !fitting.iter().any(|(_, placed): &(_, Placed)| placed.text == found.text) {
                    fitting.push((reading, found));
                }
                // Of a diff, the longest that fits.
                if edit.at.is_some() || !edit.anchors.is_empty() {
                    break;
                }
            }
            Err(misfit) => {
                let is_worse = matches!(misfit, Misfit::Ambiguous { .. }) || worst.is_none();
                if is_worse {
                    worst = Some(misfit);
                }
            }
        }
    }
    match fitting.len() {
        0 => Err(worst.unwrap_or(Misfit::Nowhere)),
        1 => Ok(fitting.remove(0).1),
        // Two dividers that both make sense: the longer text that is looked for says more.
        _ => {
            let most = fitting.iter().map(|(reading, _)| reading.search.len()).max();
            let mut best = fitting.into_iter().filter(|(one, _)| Some(one.search.len()) == most);
            best.next().map(|(_, placed)| placed).ok_or(Misfit::Nowhere)
        }
    }
}

fn reading_fits(
    file: &[Line<'_>],
    edit: &Replace,
    reading: &Reading,
    moved: i64,
) -> Result<Placed, Misfit> {
    let (search, replace) = (lines(&reading.search), lines(&reading.replace));
    if search.is_empty() {
        return insert(file, edit, &replace, reading.ends, moved);
    }
    // An empty first line is one of the reply, perhaps.
    let first = search.iter().take_while(|line| is_blank(line.text)).count();
    let mut tries = vec![(search.as_slice(), replace.as_slice())];
    if first > 0 && first < search.len() {
        let blank = replace.iter().take_while(|line| is_blank(line.text)).count().min(first);
        tries.push((&search[first..], &replace[blank..]));
    }
    for (search, replace) in tries {
        let mut found = find(file, search, edit.at_end);
        if found.len() > 1 {
            found = told_apart(file, edit, found, moved);
        }
        match found.as_slice() {
            [] => {}
            [(at, fit)] => return Ok(write(file, &[(*at, search, replace, *fit)], reading.ends)),
            several => {
                let lines = several.iter().map(|(at, _)| *at as u32 + 1).collect();
                return Err(Misfit::Ambiguous { lines });
            }
        }
        if let Some(pieces) = elided(search, replace)? {
            let mut places = Vec::new();
            let mut from = 0;
            let mut is_found = true;
            for (search, replace) in pieces {
                let found = find(file, search, false);
                let [(at, fit)] = found.as_slice() else {
                    is_found = false;
                    if found.len() > 1 {
                        let lines = found.iter().map(|(at, _)| *at as u32 + 1).collect();
                        return Err(Misfit::Ambiguous { lines });
                    }
                    break;
                };
                if *at < from {
                    is_found = false;
                    break;
                }
                from = at + search.len();
                places.push((*at, search, replace, *fit));
            }
            if is_found && !places.is_empty() {
                return Ok(write(file, &places, reading.ends));
            }
        }
    }
    // A line that many files have, such as a brace, says nothing.
    let telling = replace.iter().filter(|line| !is_blank(line.text));
    let says = telling.clone().count() > 1
        || telling.clone().any(|line| line.text.trim_ascii().len() >= 8);
    if says && let [(at, _)] = find(file, &replace, false).as_slice() {
        return Err(Misfit::Already { line: *at as u32 + 1 });
    }
    Err(Misfit::NotFound { nearest: nearest(file, &search) })
}

/// Where lines stand, at the first level at which they stand anywhere.
fn find<'a>(file: &[Line<'a>], search: &[Line<'a>], at_end: bool) -> Vec<(usize, Fit<'a>)> {
    if search.is_empty() || search.len() > file.len() {
        return Vec::new();
    }
    let last = file.len() - search.len();
    let starts = if at_end { last..=last } else { 0..=last };
    let pairs = |at: usize| file[at..at + search.len()].iter().zip(search);
    let all = |same: &dyn Fn(&Line<'_>, &Line<'_>) -> bool| {
        let fits = |at: &usize| pairs(*at).all(|(have, want)| same(have, want));
        starts.clone().filter(fits).map(|at| (at, Fit::Same)).collect::<Vec<_>>()
    };
    let exact = all(&|have, want| have.text == want.text);
    if !exact.is_empty() {
        return exact;
    }
    let trimmed = all(&|have, want| have.text.trim_ascii_end() == want.text.trim_ascii_end());
    if !trimmed.is_empty() {
        return trimmed;
    }
    // What has no line with a sign on it can be anywhere.
    let Some(telling) = search.iter().position(|line| !is_blank(line.text)) else {
        return Vec::new();
    };
    let moved: Vec<_> = starts
        .clone()
        .filter_map(|at| {
            let (have, want) = (indent(file[at + telling].text), indent(search[telling].text));
            let fit = if let Some(more) = have.strip_suffix(want).filter(|more| !more.is_empty()) {
                Fit::Deeper(more)
            } else {
                Fit::Shallower(want.strip_suffix(have).filter(|more| !more.is_empty())?)
            };
            let is_same = |(have, want): (&Line<'_>, &Line<'_>)| {
                let (have, want) = (have.text.trim_ascii_end(), want.text.trim_ascii_end());
                if have.is_empty() || want.is_empty() {
                    return have == want;
                }
                match fit {
                    Fit::Same => have == want,
                    Fit::Deeper(more) => have.strip_prefix(more) == Some(want),
                    Fit::Shallower(more) => want.strip_prefix(more) == Some(have),
                    Fit::Retabbed(_) => false,
                }
            };
            pairs(at).all(is_same).then_some((at, fit))
        })
        .collect();
    if !moved.is_empty() {
        return moved;
    }
    let retabbed = |at: usize| Some((at, Fit::Retabbed(tabs(pairs(at))?)));
    starts.filter_map(retabbed).collect()
}

/// How tabs stand for spaces where lines are the same but for that, and for as much before each.
fn tabs<'l, 'a: 'l>(
    pairs: impl Iterator<Item = (&'l Line<'a>, &'l Line<'a>)> + Clone,
) -> Option<Tabs> {
    let filled =
        || pairs.clone().filter(|(have, want)| !is_blank(have.text) || !is_blank(want.text));
    let has_tabs = |text: &[u8]| indent(text).contains(&b'\t');
    let has_spaces = |text: &[u8]| indent(text).contains(&b' ');
    let in_file = filled().any(|(have, _)| has_tabs(have.text));
    let mixed = |text: &[u8], tabs: bool| if tabs { has_spaces(text) } else { has_tabs(text) };
    if filled().any(|(have, want)| mixed(have.text, in_file) || mixed(want.text, !in_file)) {
        return None;
    }
    // The spaces tell how wide a tab is.
    let widths =
        filled().map(|(have, want)| indent(if in_file { want.text } else { have.text }).len());
    let unit = widths.fold(0, gcd);
    if !(2..=8).contains(&unit) {
        return None;
    }
    let mut more = None;
    for (have, want) in filled() {
        let by = columns(have.text, unit).cast_signed() - columns(want.text, unit).cast_signed();
        let text = |line: &Line<'_>| line.text.trim_ascii().to_vec();
        if *more.get_or_insert(by) != by || text(have) != text(want) {
            return None;
        }
    }
    more.map(|more| Tabs { unit, more, in_file })
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// How far a line is indented, with tabs so wide.
fn columns(text: &[u8], unit: usize) -> usize {
    indent(text).iter().map(|byte| if *byte == b'\t' { unit } else { 1 }).sum()
}

/// Those of several places of which the edit says more: their line, or what stands before them.
fn told_apart<'a>(
    file: &[Line<'_>],
    edit: &Replace,
    found: Vec<(usize, Fit<'a>)>,
    moved: i64,
) -> Vec<(usize, Fit<'a>)> {
    if let Some(at) = edit.at {
        let wanted = i64::from(at) - 1 + moved;
        if let Some(there) = found.iter().find(|(at, _)| *at as i64 == wanted) {
            return vec![*there];
        }
    }
    if let Some(from) = anchored(file, edit)
        && let Some(first) = found.iter().find(|(at, _)| *at + 1 >= from)
    {
        return vec![*first];
    }
    found
}

/// The line after the last of those that are said to stand before an edit, if they are found.
fn anchored(file: &[Line<'_>], edit: &Replace) -> Option<usize> {
    let mut from = 0;
    for anchor in &edit.anchors {
        let is_anchor = |line: &Line<'_>| {
            let text = line.text.trim_ascii();
            text == anchor.trim_ascii()
                || (anchor.len() >= 20 && text.starts_with(anchor.trim_ascii()))
        };
        let hits: Vec<usize> = (from..file.len()).filter(|at| is_anchor(&file[*at])).collect();
        // What is said twice tells nothing.
        from = match hits.as_slice() {
            [one] => one + 1,
            [] if edit.at.is_some() => from,
            _ => return None,
        };
    }
    (from > 0).then_some(from)
}

/// A pair of pieces: what is looked for, and what it becomes.
type Piece<'s, 'a> = (&'s [Line<'a>], &'s [Line<'a>]);

/// The pieces between lines of `...`; none where there are no such lines.
fn elided<'s, 'a>(
    search: &'s [Line<'a>],
    replace: &'s [Line<'a>],
) -> Result<Option<Vec<Piece<'s, 'a>>>, Misfit> {
    let is_elision = |line: &Line<'_>| {
        let text = line.text.trim_ascii();
        let text = [&b"//"[..], b"#", b"--"]
            .iter()
            .find_map(|mark| text.strip_prefix(*mark))
            .unwrap_or(text);
        matches!(text.trim_ascii(), b"..." | b"\xe2\x80\xa6")
    };
    let split = |lines: &'s [Line<'a>]| lines.split(is_elision).collect::<Vec<_>>();
    let (old, new) = (split(search), split(replace));
    if old.len() == 1 {
        return Ok(None);
    }
    if old.len() != new.len() {
        return Err(Misfit::Elisions(old.len() - 1, new.len() - 1));
    }
    let pieces = old.into_iter().zip(new);
    // Nothing is looked for where it begins or ends with what is left out.
    let pieces: Vec<_> = pieces.filter(|(old, new)| !old.is_empty() || !new.is_empty()).collect();
    let is_placed = pieces.iter().all(|(old, _)| !old.is_empty());
    Ok(is_placed.then_some(pieces))
}

/// A whole text in place of another one: lines that both have keep their ends.
#[must_use]
pub fn rewrite(text: &[u8], new: &[u8]) -> Placed {
    let (old, new) = (lines(text), lines(new));
    write(&old, &[(0, &old, &new, Fit::Same)], None)
}

/// Puts lines in where nothing is looked for: at the line that is said, or at the end.
fn insert(
    file: &[Line<'_>],
    edit: &Replace,
    replace: &[Line<'_>],
    ends: Option<bool>,
    moved: i64,
) -> Result<Placed, Misfit> {
    let at = match edit.at {
        Some(at) => usize::try_from(i64::from(at) - 1 + moved).unwrap_or(usize::MAX),
        // Below the line that is said to stand before it.
        None if !edit.anchors.is_empty() => {
            anchored(file, edit).ok_or(Misfit::NotFound { nearest: None })?
        }
        None => file.len(),
    };
    if at > file.len() {
        return Err(Misfit::Nowhere);
    }
    let at = if edit.at_end { file.len() } else { at };
    let end = usual_end(file);
    let mut text = Vec::new();
    for (number, line) in file.iter().enumerate() {
        if number == at {
            extend(&mut text, replace, end);
        }
        text.extend_from_slice(line.text);
        text.extend_from_slice(line.end);
    }
    if at == file.len() {
        // It begins on a line of its own.
        if !text.is_empty() && !text.ends_with(b"\n") && !replace.is_empty() {
            text.extend_from_slice(end);
        }
        extend(&mut text, replace, end);
        if ends == Some(false) {
            open_end(&mut text);
        }
    }
    let new = at as u32 + 1..(at + replace.len()) as u32 + 1;
    Ok(Placed { text, ranges: Vec::from([new]) })
}

/// Takes the end of the last line away.
fn open_end(text: &mut Vec<u8>) {
    let rest = text.strip_suffix(b"\r\n").or(text.strip_suffix(b"\n"));
    let length = rest.map_or(text.len(), <[u8]>::len);
    text.truncate(length);
}

fn extend(text: &mut Vec<u8>, lines: &[Line<'_>], end: &[u8]) {
    for line in lines {
        text.extend_from_slice(line.text);
        text.extend_from_slice(end);
    }
}

/// The text with pieces of it replaced.
fn write(
    file: &[Line<'_>],
    places: &[(usize, &[Line<'_>], &[Line<'_>], Fit<'_>)],
    ends: Option<bool>,
) -> Placed {
    let usual = usual_end(file);
    let had_end = file.last().is_none_or(|line| !line.end.is_empty());
    let mut text = Vec::new();
    let mut ranges = Vec::new();
    let (mut from, mut number) = (0, 1_u32);
    let mut is_last = false;
    for (at, search, replace, fit) in places {
        for line in &file[from..*at] {
            text.extend_from_slice(line.text);
            text.extend_from_slice(line.end);
            number += 1;
        }
        let old = &file[*at..at + search.len()];
        let mut begun = None;
        for (new, kept) in merged(search, replace) {
            match kept {
                Some(kept) => {
                    ranges.extend(begun.take().map(|start| start..number));
                    text.extend_from_slice(old[kept].text);
                    text.extend_from_slice(if old[kept].end.is_empty() {
                        usual
                    } else {
                        old[kept].end
                    });
                }
                None => {
                    begun.get_or_insert(number);
                    text.extend_from_slice(&moved_by(replace[new].text, *fit));
                    text.extend_from_slice(end_near(old, new, usual));
                }
            }
            number += 1;
        }
        ranges.extend(begun.map(|start| start..number));
        if replace.is_empty() {
            ranges.push(number..number);
        }
        from = at + search.len();
        is_last = from == file.len();
    }
    for line in &file[from..] {
        text.extend_from_slice(line.text);
        text.extend_from_slice(line.end);
    }
    let wants_end = ends.unwrap_or(had_end);
    if is_last && !wants_end {
        open_end(&mut text);
    }
    Placed { text, ranges }
}

/// What a new line ends with: as the one in its place, or before it, does.
fn end_near<'a>(old: &[Line<'a>], new: usize, usual: &'a [u8]) -> &'a [u8] {
    let near = old.get(new).or(old.last()).map_or(usual, |line| line.end);
    if near.is_empty() { usual } else { near }
}

/// For each line of the new text its number, and which old line it is, if it is one: a longest common
/// subsequence (Myers 1986).
const LONGEST: std::time::Duration = std::time::Duration::from_secs(2);

fn merged(search: &[Line<'_>], replace: &[Line<'_>]) -> Vec<(usize, Option<usize>)> {
    let old: Vec<&[u8]> = search.iter().map(|line| line.text).collect();
    let new: Vec<&[u8]> = replace.iter().map(|line| line.text).collect();
    let mut merged: Vec<(usize, Option<usize>)> = (0..new.len()).map(|at| (at, None)).collect();
    // Lines of texts that are more unlike than can be told in this time are new, with the usual end.
    let until = Some(std::time::Instant::now() + LONGEST);
    for op in similar::capture_diff_slices_deadline(similar::Algorithm::Myers, &old, &new, until) {
        if let similar::DiffOp::Equal { old_index, new_index, len } = op {
            (0..len).for_each(|at| merged[new_index + at].1 = Some(old_index + at));
        }
    }
    merged
}

fn moved_by(text: &[u8], fit: Fit<'_>) -> Vec<u8> {
    match fit {
        Fit::Deeper(more) if !is_blank(text) => [more, text].concat(),
        Fit::Shallower(more) => text.strip_prefix(more).unwrap_or(text).to_vec(),
        Fit::Retabbed(Tabs { unit, more, in_file }) if !is_blank(text) => {
            let wide = (columns(text, unit).cast_signed() + more).max(0).cast_unsigned();
            let (tabs, spaces) = if in_file { (wide / unit, wide % unit) } else { (0, wide) };
            let before = [b"\t".repeat(tabs), b" ".repeat(spaces)].concat();
            [before.as_slice(), &text[indent(text).len()..]].concat()
        }
        _ => text.to_vec(),
    }
}

/// A text that is longer is not compared letter by letter.
const NEAR_LINES: usize = 20_000;

/// The lines that have most of those that are looked for, in their order; else the one that is most like
/// the first of them.
fn nearest(file: &[Line<'_>], search: &[Line<'_>]) -> Option<Nearest> {
    let mut starts: std::collections::HashMap<&[u8], Vec<usize>> = std::collections::HashMap::new();
    for (at, line) in search.iter().enumerate().filter(|(_, line)| !is_blank(line.text)) {
        starts.entry(line.text.trim_ascii()).or_default().push(at);
    }
    let mut votes: std::collections::BTreeMap<usize, usize> = std::collections::BTreeMap::new();
    for (number, line) in file.iter().enumerate() {
        for at in starts.get(line.text.trim_ascii()).into_iter().flatten() {
            if let Some(start) = number.checked_sub(*at) {
                *votes.entry(start).or_default() += line.text.trim_ascii().len().min(40);
            }
        }
    }
    let best = votes.iter().max_by_key(|(start, votes)| (**votes, std::cmp::Reverse(**start)));
    let start = best.map(|(start, _)| *start).or_else(|| like(file, search))?;
    let end = (start + search.len()).min(file.len());
    let text = file[start..end].iter().flat_map(|line| line.text.iter().copied().chain([b'\n']));
    Some(Nearest { line: start as u32 + 1, text: text.collect() })
}

/// The line that is most like the first one that is looked for, if it is like it at all.
fn like(file: &[Line<'_>], search: &[Line<'_>]) -> Option<usize> {
    let (at, first) = search.iter().enumerate().find(|(_, line)| !is_blank(line.text))?;
    let wanted = first.text.trim_ascii();
    let wanted = &wanted[..wanted.len().min(200)];
    let ratio = |line: &Line<'_>| {
        let have = line.text.trim_ascii();
        let have = &have[..have.len().min(200)];
        // It can be no more alike than their lengths are.
        let all = (have.len() + wanted.len()).max(1) as f32;
        if 2.0 * have.len().min(wanted.len()) as f32 / all < 0.6 {
            return 0.0;
        }
        let ops = similar::capture_diff_slices(similar::Algorithm::Myers, have, wanted);
        let same = ops.iter().map(|op| match op {
            similar::DiffOp::Equal { len, .. } => *len,
            _ => 0,
        });
        2.0 * same.sum::<usize>() as f32 / all
    };
    let ratios = file.iter().take(NEAR_LINES).enumerate().map(|(at, line)| (ratio(line), at));
    let best = ratios.max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)))?;
    (best.0 >= 0.6).then(|| best.1.saturating_sub(at))
}
