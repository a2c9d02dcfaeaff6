//! From a query to matchers, filters and a plan; all that can be wrong with a
//! query is found here.

use super::{Cancel, SearchError, Want};
use grep_regex::{RegexMatcher, RegexMatcherBuilder};
use hob_index::plan::{Plan, PlanOptions, plan};
use hob_protocol::{Case, FileType, Print, SearchQuery, Style};
use ignore::overrides::{Override, OverrideBuilder};
use ignore::types::{Types, TypesBuilder};

#[derive(Clone)]
pub(super) struct Compiled {
    pub(super) matcher: RegexMatcher,
    pub(super) globs: Override,
    pub(super) types: Types,
    pub(super) plan: Plan,
    pub(super) query: SearchQuery,
    /// Only whether there is a file at all is asked.
    pub(super) any_file: bool,
    /// Ends the search, in the middle of a file too.
    pub(super) cancel: Cancel,
    /// Printed between the outputs of two files, as a line.
    pub(super) separator: Option<&'static [u8]>,
    /// Whether a line matches does not depend on where it is in the file.
    pub(super) local: bool,
    /// ripgrep reads a few files that are named one by one as wholes.
    pub(super) whole_files: bool,
}

impl Compiled {
    pub(super) fn new(
        query: &SearchQuery,
        want: Want,
        cancel: &Cancel,
    ) -> Result<Self, SearchError> {
        Ok(Self {
            matcher: matcher(query)?,
            globs: globs(query)?,
            types: types(query)?,
            plan: match needs_every_file(query, want) {
                true => Plan::All,
                false => plan(
                    &query.patterns,
                    PlanOptions {
                        fixed_strings: query.fixed_strings,
                        // Trigrams are of folded letters, so this is at most less selective.
                        case_insensitive: query.case != Case::Sensitive,
                    },
                ),
            },
            query: query.clone(),
            any_file: false,
            cancel: cancel.clone(),
            separator: separator(query, want),
            local: query.fixed_strings || query.patterns.iter().all(|pattern| is_local(pattern)),
            whole_files: few_files(query),
        })
    }

    /// False where no file can match, so that none need be read.
    pub(super) fn can_match(&self, query: &SearchQuery) -> bool {
        query.max_count != Some(0) && (query.invert || !query.patterns.is_empty())
    }
}

/// The types of files that there are, by name.
pub(crate) fn file_types() -> Vec<FileType> {
    let definitions = TypesBuilder::new().add_defaults().definitions();
    let types = definitions.iter().map(|definition| FileType {
        name: definition.name().to_owned(),
        globs: definition.globs().to_vec(),
    });
    types.collect()
}

/// Whether a pattern has none of the anchors that mean the whole text's start or end, or the flag
/// that makes `^` and `$` such anchors. Says no too often rather than too rarely.
fn is_local(pattern: &str) -> bool {
    let flags = |group: &str| {
        let end = group.find([')', ':']).unwrap_or(group.len());
        group[..end].contains('-') && group[..end].contains('m')
    };
    !pattern.contains("\\A") && !pattern.contains("\\z") && !pattern.split("(?").skip(1).any(flags)
}

/// What decides in ripgrep whether files are mapped, and so searched as wholes.
fn few_files(query: &SearchQuery) -> bool {
    let cwd = query.cwd.as_path();
    !query.paths.is_empty()
        && query.paths.len() <= 10
        && query.paths.iter().all(|path| cwd.join(path.as_path()).is_file())
}

/// Whether files without a match matter too.
fn needs_every_file(query: &SearchQuery, want: Want) -> bool {
    let without = matches!(want, Want::Printed(Style { print: Print::FilesWithoutMatch, .. }));
    query.invert || without
}

fn separator(query: &SearchQuery, want: Want) -> Option<&'static [u8]> {
    let Want::Printed(style) = want else { return None };
    match style.print {
        Print::Lines | Print::OnlyMatching if style.heading => Some(b""),
        Print::Lines | Print::OnlyMatching if query.before > 0 || query.after > 0 => Some(b"--"),
        _ => None,
    }
}

/// The matcher that ripgrep would build.
fn matcher(query: &SearchQuery) -> Result<RegexMatcher, SearchError> {
    let mut builder = RegexMatcherBuilder::new();
    builder
        .multi_line(true)
        .unicode(true)
        .octal(false)
        .fixed_strings(query.fixed_strings)
        .line_terminator(Some(b'\n'))
        .dot_matches_new_line(false)
        .ban_byte(Some(b'\0'));
    match query.case {
        Case::Sensitive => builder.case_insensitive(false),
        Case::Insensitive => builder.case_insensitive(true),
        Case::Smart => builder.case_smart(true),
    };
    if query.line {
        builder.whole_line(true);
    } else if query.word {
        builder.word(true);
    }
    builder.build_many(&query.patterns).map_err(|error| SearchError::Pattern(error.to_string()))
}

fn globs(query: &SearchQuery) -> Result<Override, SearchError> {
    let mut builder = OverrideBuilder::new(query.cwd.as_path());
    for glob in &query.globs {
        builder.add(glob).map_err(|error| SearchError::Filter {
            message: format!("the glob `{glob}` does not parse: {error}"),
            hint: "globs are as in .gitignore; `!` in front excludes".into(),
        })?;
    }
    builder.build().map_err(|error| SearchError::Filter {
        message: format!("the globs do not build: {error}"),
        hint: "use fewer or simpler globs".into(),
    })
}

fn types(query: &SearchQuery) -> Result<Types, SearchError> {
    if query.types.is_empty() && query.types_not.is_empty() {
        return Ok(Types::empty());
    }
    let mut builder = TypesBuilder::new();
    builder.add_defaults();
    for name in &query.types {
        builder.select(name);
    }
    for name in &query.types_not {
        builder.negate(name);
    }
    builder.build().map_err(|error| match error {
        ignore::Error::UnrecognizedFileType(name) => SearchError::Filter {
            hint: nearest_type(&builder, &name),
            message: format!("there is no file type `{name}`"),
        },
        other => SearchError::Filter {
            message: format!("the file types do not build: {other}"),
            hint: String::new(),
        },
    })
}

fn nearest_type(builder: &TypesBuilder, name: &str) -> String {
    let by_distance = builder
        .definitions()
        .into_iter()
        .map(|definition| (distance(definition.name(), name), definition.name().to_owned()))
        .min();
    match by_distance {
        Some((near, other)) if near <= 2 => format!("did you mean `{other}`?"),
        _ => "the types are those of ripgrep: `rg --type-list` shows them".into(),
    }
}

/// Levenshtein's distance: letters to insert, delete or replace.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
}
