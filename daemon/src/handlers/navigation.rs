//! `index.definition`, `index.references`, `index.callers`, `index.callees`.

use super::index::CancelOnDrop;
use super::symbols::origin_of;
use super::workspace::{not_synced, synced};
use super::{blocking, directory, within_limit};
use crate::Services;
use crate::indexing::Stores as _;
use crate::mentions::{self, Around, Parsed, imports, place};
use crate::outlines;
use crate::profile::stage;
use crate::search::Cancel;
use crate::store::Store;
use crate::symbols::{self, SymbolsError};
use crate::workspace::Snapshot;
use crate::workspaces::{Warm, not_a_workspace};
use hob_index::symbols::languages::{self, Language};
use hob_index::symbols::references::{Reference, Role};
use hob_index::tree::Node;
use hob_protocol::api::NavigationApiServer;
use hob_protocol::{
    Call, CallsResult, DefinitionResult, Kind, Matched, NameQuery, Origin, Place, ReferenceMatch,
    ReferencesResult, SymbolMatch, SymbolsQuery, Text, Truncated,
};
use jsonrpsee::core::{RpcResult, async_trait};
use std::collections::{HashSet, VecDeque};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

pub(super) struct Navigation {
    services: Arc<Services>,
}

impl Navigation {
    pub(super) fn new(services: Arc<Services>) -> Self {
        Self { services }
    }

    /// Answers by a view of the workspace.
    async fn ask<T: Send + 'static>(
        &self,
        query: NameQuery,
        answer: fn(&View<'_>, &NameQuery) -> RpcResult<T>,
    ) -> RpcResult<T> {
        let services = self.services.clone();
        let cancel = CancelOnDrop::default();
        let cancelled = cancel.0.clone();
        blocking(move || {
            let _stage = stage!("navigation").entered();
            let view = View::of(&services, &query, &cancelled)?;
            let _entered = services.workspaces.foreground.enter();
            let answered = answer(&view, &query)?;
            match cancelled.is_cancelled() {
                true => Err(Kind::Cancelled.error("the query was cancelled", "")),
                false => Ok(answered),
            }
        })
        .await
    }
}

#[async_trait]
impl NavigationApiServer for Navigation {
    async fn definition(&self, query: NameQuery) -> RpcResult<DefinitionResult> {
        self.ask(query, definition).await
    }

    async fn references(&self, query: NameQuery) -> RpcResult<ReferencesResult> {
        self.ask(query, references).await
    }

    async fn callers(&self, query: NameQuery) -> RpcResult<CallsResult> {
        self.ask(query, |view, query| calls(view, query, callers)).await
    }

    async fn callees(&self, query: NameQuery) -> RpcResult<CallsResult> {
        self.ask(query, |view, query| calls(view, query, callees)).await
    }
}

/// A workspace as a query sees it.
struct View<'a> {
    services: &'a Services,
    warm: Arc<Warm>,
    snapshot: Arc<Snapshot>,
    store: Option<Arc<Store>>,
    origin: Origin,
    dir: PathBuf,
    cancel: &'a Cancel,
    started: Instant,
    limit: usize,
}

impl<'a> View<'a> {
    fn of(services: &'a Services, query: &NameQuery, cancel: &'a Cancel) -> RpcResult<Self> {
        let started = Instant::now();
        if let Some(name) = &query.name {
            within_limit(services, name)?;
        }
        let dir = directory(&query.dir)?;
        let warm = services.workspaces.of(&dir).ok_or_else(|| not_a_workspace(&dir))?;
        let snapshot = synced(services, &warm, query.no_sync)
            .map_err(|failed| not_synced(warm.workspace.root(), failed))?;
        let store = warm.repository.store().filter(|store| store.epoch() == snapshot.epoch);
        let origin = origin_of(&warm, &snapshot);
        let most = services.config.symbols_limit;
        let limit = query.limit.and_then(|limit| usize::try_from(limit).ok());
        let limit = limit.unwrap_or(most).min(most);
        Ok(Self { services, warm, snapshot, store, origin, dir, cancel, started, limit })
    }

    fn root(&self) -> &Path {
        self.warm.workspace.root()
    }

    /// Works with what is needed to look for mentions.
    fn with<T>(&self, work: impl FnOnce(&Around<'_>) -> T) -> T {
        let stops = || self.cancel.is_cancelled();
        work(&Around {
            root: self.root(),
            snapshot: &self.snapshot,
            store: self.store.as_deref(),
            limits: outlines::limits(&self.services.config),
            rules: outlines::rules(&self.services.config),
            cache: &self.services.cache,
            crew: &self.services.crew,
            stops: &stops,
        })
    }

    /// What a mention means, the likeliest first: where it is bound in its function; the file that is imported;
    /// definitions of that very name in code, of any language, as some call each other.
    fn meant(
        &self,
        parsed: &Parsed,
        reference: &Reference,
        limit: usize,
    ) -> RpcResult<(Vec<SymbolMatch>, Option<Truncated>)> {
        if let Some(bound) = place::local(parsed, reference) {
            return Ok((vec![local(parsed, bound)], None));
        }
        let files = |paths: Vec<Vec<u8>>| paths.iter().map(|path| file_match(path)).collect();
        let tree = &self.snapshot.tree;
        if imports::is_quoted(parsed, reference) {
            return Ok((files(imports::included(tree, parsed, reference)), None));
        }
        let name = String::from_utf8_lossy(parsed.name(reference)).into_owned();
        let (mut found, truncated) = self.defined(&name, limit)?;
        let any_case = parsed.language.ignores_case();
        found.retain(|one| {
            let is_same = any_case || one.name.as_bytes() == name.as_bytes();
            is_same && language(one).is_some_and(|one| may_mean(parsed.language, one))
        });
        place::likeliest(parsed, reference, &mut found);
        if reference.role == Role::Import {
            let modules: Vec<SymbolMatch> = files(imports::modules(tree, parsed, reference));
            found.splice(0..0, modules);
        }
        Ok((found, truncated))
    }

    /// What is known of a name before its mentions are looked for.
    fn known(&self, name: &str) -> RpcResult<KnownName> {
        let (found, _) = self.defined(name, 64)?;
        let is_within = last(name).len() < name.len() && !name.contains('/');
        let ignores = |one: &SymbolMatch| language(one).is_some_and(Language::ignores_case);
        Ok(KnownName {
            is_nowhere: is_within && found.is_empty(),
            any_case: found.iter().any(ignores),
        })
    }

    /// The definition that stands at the place that is asked about, or is likeliest meant there.
    fn only(&self, target: &Target) -> RpcResult<Option<(Vec<u8>, u64, u64)>> {
        Ok(match target {
            Target::Name(_) => None,
            Target::At(parsed, place::At::Definition(symbol), _) => {
                let symbol = &parsed.mentioned.outline.symbols[*symbol as usize];
                Some((parsed.path.clone(), symbol.line.into(), symbol.column.into()))
            }
            Target::At(parsed, place::At::Mention(reference), _) => {
                let (found, _) =
                    self.meant(parsed, reference, self.services.config.symbols_limit)?;
                let first = found.iter().find(|one| one.kind != FILE);
                first.map(|one| (one.path.as_bytes().to_vec(), one.line, one.column))
            }
        })
    }

    /// The definitions of a name, exact ones before those in other cases.
    fn defined(
        &self,
        name: &str,
        limit: usize,
    ) -> RpcResult<(Vec<SymbolMatch>, Option<Truncated>)> {
        let query = SymbolsQuery {
            exact: true,
            limit: Some(limit as u64),
            ..SymbolsQuery::in_dir(self.root(), name)
        };
        let answer = symbols::find(&query, &self.services.config, &mut |search| {
            let outcome = search(symbols::Around {
                root: self.root(),
                snapshot: &self.snapshot,
                store: self.store.as_deref(),
                fresh: &self.warm.fresh,
                limits: outlines::limits(&self.services.config),
                crew: &self.services.crew,
                cancel: self.cancel,
                deadline: None,
            });
            match self.cancel.is_cancelled() {
                true => Err(SymbolsError::Cancelled),
                false => Ok(outcome),
            }
        });
        let answer = answer.map_err(|error| super::symbols::explain(&error))?;
        let mut found = answer.symbols;
        let last = name.rsplit([':', '.', '#', '>']).next().unwrap_or(name).as_bytes();
        // Where the very name is defined, others that differ in case are not meant.
        if found.iter().any(|one| one.name.as_bytes() == last) {
            found.retain(|one| one.name.as_bytes() == last);
        }
        found.retain(|one| one.matched == Matched::Exact);
        found.sort_by_key(|one| is_test(one.path.as_bytes()));
        Ok((found, answer.truncated))
    }

    fn elapsed(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// The file at a place, parsed, and the byte.
    fn parse(&self, at: &Place) -> RpcResult<(Parsed, u32)> {
        let path = self.dir.join(at.path.as_path());
        let path = path.canonicalize().unwrap_or(path);
        let refuse = |why: &str, hint: &str| {
            let named = at.path.as_path().display();
            Err(Kind::BadPath.error(format!("cannot look at `{named}`: {why}"), hint))
        };
        let Ok(relative) = path.strip_prefix(self.root()) else {
            return refuse("it is not in the workspace", "name a file of it");
        };
        let relative = relative.as_os_str().as_bytes();
        let file = match self.snapshot.tree.at(relative) {
            Some(Node::File(file)) => Some(*file),
            _ => None,
        };
        if !path.is_file() {
            return refuse("there is no such file", "`hob files` lists those that there are");
        }
        let Some(parsed) = self.with(|around| mentions::read(around, relative, file.as_ref()))
        else {
            return refuse(
                "its language is not known, or it cannot be read",
                "`hob languages` lists those that are",
            );
        };
        match place::offset(&parsed.text, at.line, at.column) {
            Some(offset) => Ok((parsed, offset)),
            None => refuse(
                &format!("it has no line {} with a column {}", at.line, at.column),
                "both count from 1",
            ),
        }
    }
}

/// What is known of a name.
struct KnownName {
    /// It says what encloses it, and nothing there has it.
    is_nowhere: bool,
    /// It is of a language that ignores case.
    any_case: bool,
}

fn language(one: &SymbolMatch) -> Option<&'static Language> {
    languages::by_name(&one.language)
}

/// Whether code of one language can mean what another defines. Nothing calls the classes of a page's style.
fn may_mean(from: &Language, to: &Language) -> bool {
    let is_of_pages = matches!(to.name, "css" | "html");
    to.has_references() && (!is_of_pages || from.number == to.number)
}

fn is_test(path: &[u8]) -> bool {
    use hob_index::context::documents::{Sort, sort};
    sort(path) == Sort::Test
}

/// What a query asks about.
enum Target {
    Name(String),
    /// What stands at a place, and its name.
    At(Box<Parsed>, place::At, String),
}

impl Target {
    fn of(view: &View<'_>, query: &NameQuery) -> RpcResult<Self> {
        match (&query.name, &query.at) {
            (Some(name), None) if !name.trim().is_empty() => Ok(Self::Name(name.trim().to_owned())),
            (None, Some(at)) => {
                let (parsed, offset) = view.parse(at)?;
                let Some(found) = place::at(&parsed, offset) else {
                    let (path, line, column) = (at.path.as_path().display(), at.line, at.column);
                    return Err(Kind::BadPattern.error(
                        format!("there is no name at `{path}:{line}:{column}`"),
                        "give the line and the column of one, both from 1",
                    ));
                };
                let name = match &found {
                    place::At::Mention(reference) => parsed.name(reference),
                    place::At::Definition(symbol) => {
                        parsed.slice(&parsed.mentioned.outline.symbols[*symbol as usize].name)
                    }
                };
                let name = String::from_utf8_lossy(name).into_owned();
                Ok(Self::At(Box::new(parsed), found, name))
            }
            _ => Err(Kind::BadPattern.error("the query names nothing", "give a name, or a place")),
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Name(name) | Self::At(_, _, name) => name,
        }
    }

    /// The name without what encloses it.
    fn last(&self) -> &str {
        match self {
            Self::Name(name) => last(name),
            Self::At(_, _, name) => name,
        }
    }
}

fn last(name: &str) -> &str {
    let cut = ["::", ".", "#", "->"].iter().filter_map(|sign| {
        let at = name.rfind(sign)?;
        Some(at + sign.len())
    });
    let at = cut.max().filter(|at| *at < name.len());
    // A path that is included has dots of its own.
    if name.contains('/') { name } else { &name[at.unwrap_or(0)..] }
}

fn definition(view: &View<'_>, query: &NameQuery) -> RpcResult<DefinitionResult> {
    let target = Target::of(view, query)?;
    let most = view.services.config.symbols_limit;
    let (mut definitions, mut truncated) = match &target {
        Target::At(parsed, place::At::Mention(reference), _) => {
            view.meant(parsed, reference, most)?
        }
        Target::At(parsed, place::At::Definition(symbol), name) => {
            let symbol = &parsed.mentioned.outline.symbols[*symbol as usize];
            let is_it = |one: &SymbolMatch| {
                one.path.as_bytes() == parsed.path && one.line == u64::from(symbol.line)
            };
            let (mut found, truncated) = view.defined(name, most)?;
            found.sort_by_key(|one| !is_it(one));
            (found, truncated)
        }
        Target::Name(name) => view.defined(name, most)?,
    };
    if definitions.len() > view.limit {
        definitions.truncate(view.limit);
        truncated = Some(Truncated::Limit);
    }
    Ok(DefinitionResult {
        origin: view.origin.clone(),
        name: Text::from(target.name().as_bytes()),
        definitions,
        truncated,
        elapsed_us: view.elapsed(),
    })
}

/// A local variable or parameter as a definition.
fn local(parsed: &Parsed, bound: &Reference) -> SymbolMatch {
    let container = bound.enclosing.map(|symbol| Text::from(parsed.whole_name(symbol).as_slice()));
    SymbolMatch {
        name: Text::from(parsed.name(bound)),
        kind: "variable".to_owned(),
        container,
        path: Text::from(parsed.path.as_slice()),
        line: bound.line.into(),
        column: bound.column.into(),
        end_line: bound.line.into(),
        signature: Text::from(parsed.line(bound.name.start)),
        doc: None,
        language: parsed.language.name.to_owned(),
        matched: Matched::Exact,
    }
}

const FILE: &str = "file";

fn file_match(path: &[u8]) -> SymbolMatch {
    SymbolMatch {
        name: Text::from(path.rsplit(|byte| *byte == b'/').next().unwrap_or(path)),
        kind: FILE.to_owned(),
        container: None,
        path: Text::from(path),
        line: 1,
        column: 1,
        end_line: 1,
        signature: Text::from(path),
        doc: None,
        language: String::new(),
        matched: Matched::Exact,
    }
}

fn references(view: &View<'_>, query: &NameQuery) -> RpcResult<ReferencesResult> {
    let target = Target::of(view, query)?;
    let roles = roles(&query.roles)?;
    let name = target.last().as_bytes();
    let mut references = Vec::new();
    let mut total = 0;
    // What is local is mentioned in its function alone.
    let local = match &target {
        Target::At(parsed, place::At::Mention(reference), _) => {
            place::local(parsed, reference).map(|bound| (parsed, bound.enclosing))
        }
        _ => None,
    };
    if let Some((parsed, function)) = local {
        let range = function.map(|at| parsed.mentioned.outline.symbols[at as usize].range.clone());
        for one in &parsed.mentioned.references {
            let is_inside = range.as_ref().is_none_or(|range| range.contains(&one.name.start));
            if is_inside && parsed.name(one) == name && roles.contains(&one.role) {
                references.push(reference_match(parsed, one));
            }
        }
        total = references.len();
    } else if let KnownName { is_nowhere: false, any_case } = view.known(target.name())? {
        let take = |parsed: &Parsed, meant: Vec<&Reference>| {
            let shown = meant.iter().take(view.limit);
            let shown = shown.map(|one| reference_match(parsed, one)).collect::<Vec<_>>();
            (meant.len(), shown)
        };
        for (count, shown) in
            view.with(|around| mentions::find(around, name, any_case, &roles, take))
        {
            total += count;
            let room = view.limit.saturating_sub(references.len());
            references.extend(shown.into_iter().take(room));
        }
    }
    references.truncate(view.limit);
    Ok(ReferencesResult {
        origin: view.origin.clone(),
        name: Text::from(name),
        truncated: (total > references.len()).then_some(Truncated::Limit),
        total: total as u64,
        references,
        elapsed_us: view.elapsed(),
    })
}

fn roles(names: &[String]) -> RpcResult<Vec<Role>> {
    if names.is_empty() {
        return Ok(Role::ALL.to_vec());
    }
    let role = |name: &String| {
        Role::from_name(name).ok_or_else(|| {
            let all = Role::ALL.map(Role::name).join("`, `");
            Kind::BadFilter.error(format!("there is no role `{name}`"), format!("there is `{all}`"))
        })
    };
    names.iter().map(role).collect()
}

fn reference_match(parsed: &Parsed, reference: &Reference) -> ReferenceMatch {
    let enclosing = reference.enclosing.map(|symbol| parsed.whole_name(symbol));
    ReferenceMatch {
        path: Text::from(parsed.path.as_slice()),
        line: reference.line.into(),
        column: reference.column.into(),
        role: reference.role.name().to_owned(),
        enclosing: enclosing.map(|name| Text::from(name.as_slice())),
        text: Text::from(parsed.line(reference.name.start)),
    }
}

/// A step of the graph: the calls one step from a name, or from what stands at a place.
type Step = fn(&View<'_>, asked: &Asked<'_>, depth: u64) -> RpcResult<Vec<Call>>;

/// What calls are told of.
struct Asked<'a> {
    name: &'a str,
    /// The only definition that is meant: its path, line and column.
    only: Option<&'a (Vec<u8>, u64, u64)>,
}

/// Goes so many steps, from each name once.
fn calls(view: &View<'_>, query: &NameQuery, step: Step) -> RpcResult<CallsResult> {
    let target = Target::of(view, query)?;
    let depth = query.depth.unwrap_or(1).max(1);
    let mut calls: Vec<Call> = Vec::new();
    let first = target.name().to_owned();
    let only = view.only(&target)?;
    let mut seen: HashSet<String> = HashSet::from([first.clone()]);
    let mut next: VecDeque<(String, u64)> = VecDeque::from([(first, 1)]);
    let mut truncated = None;
    while let Some((name, at)) = next.pop_front() {
        if view.cancel.is_cancelled() {
            break;
        }
        let asked = Asked { name: &name, only: only.as_ref().filter(|_| at == 1) };
        for call in step(view, &asked, at)? {
            if calls.len() >= view.limit {
                truncated = Some(Truncated::Limit);
                break;
            }
            if at < depth
                && let Some(name) = &call.name
            {
                let name = String::from_utf8_lossy(name.as_bytes()).into_owned();
                if seen.insert(name.clone()) {
                    next.push_back((name, at + 1));
                }
            }
            calls.push(call);
        }
        if truncated.is_some() {
            break;
        }
    }
    Ok(CallsResult {
        origin: view.origin.clone(),
        name: Text::from(target.name().as_bytes()),
        calls,
        truncated,
        elapsed_us: view.elapsed(),
    })
}

/// Who calls a name.
fn callers(view: &View<'_>, asked: &Asked<'_>, depth: u64) -> RpcResult<Vec<Call>> {
    let KnownName { is_nowhere: false, any_case } = view.known(asked.name)? else {
        return Ok(Vec::new());
    };
    let take = |parsed: &Parsed, meant: Vec<&Reference>| {
        let mut calls: Vec<Call> = Vec::new();
        for reference in meant {
            let symbol = reference.enclosing;
            let caller = symbol.map(|symbol| Text::from(parsed.whole_name(symbol).as_slice()));
            if let Some(known) = calls.iter_mut().find(|call| call.name == caller) {
                known.lines.push(reference.line.into());
                continue;
            }
            let line = symbol.map_or(reference.line, |symbol| {
                parsed.mentioned.outline.symbols[symbol as usize].line
            });
            calls.push(Call {
                depth,
                name: caller,
                of: Text::from(asked.name.as_bytes()),
                path: Text::from(parsed.path.as_slice()),
                line: line.into(),
                at: Text::from(parsed.path.as_slice()),
                lines: vec![reference.line.into()],
            });
        }
        calls
    };
    let called = last(asked.name).as_bytes();
    let calls = view.with(|around| mentions::find(around, called, any_case, &[Role::Call], take));
    Ok(calls.into_iter().flatten().collect())
}

/// Whom the definitions of a name call, as far as that is defined in the workspace.
fn callees(view: &View<'_>, asked: &Asked<'_>, depth: u64) -> RpcResult<Vec<Call>> {
    let (mut definitions, _) = view.defined(asked.name, 64)?;
    if let Some((path, line, column)) = asked.only {
        definitions.retain(|one| {
            one.path.as_bytes() == path && (one.line, one.column) == (*line, *column)
        });
    }
    let mut calls: Vec<Call> = Vec::new();
    for definition in definitions {
        let path = definition.path.as_bytes();
        let file = match view.snapshot.tree.at(path) {
            Some(Node::File(file)) => Some(*file),
            _ => None,
        };
        let Some(parsed) = view.with(|around| mentions::read(around, path, file.as_ref())) else {
            continue;
        };
        let symbols = &parsed.mentioned.outline.symbols;
        let is_it = |symbol: &&hob_index::symbols::Symbol| {
            u64::from(symbol.line) == definition.line
                && u64::from(symbol.column) == definition.column
        };
        let Some(range) = symbols.iter().find(is_it).map(|symbol| symbol.range.clone()) else {
            continue;
        };
        let inside = parsed.mentioned.references.iter().filter(|one| {
            one.role == Role::Call && range.start <= one.name.start && one.name.end <= range.end
        });
        for reference in inside {
            // What is bound in the function has no kind that is called.
            let (found, _) = view.meant(&parsed, reference, 256)?;
            let is_callable = |one: &&SymbolMatch| {
                matches!(
                    one.kind.as_str(),
                    "function" | "method" | "constructor" | "macro" | "class" | "struct"
                )
            };
            let Some(best) = found.iter().find(is_callable) else { continue };
            let whole = match &best.container {
                Some(container) => {
                    let separator = hob_index::symbols::languages::by_name(&best.language)
                        .map_or(".", |language| language.separator);
                    [container.as_bytes(), separator.as_bytes(), best.name.as_bytes()].concat()
                }
                None => best.name.as_bytes().to_vec(),
            };
            let whole = Text::from(whole.as_slice());
            let is_same = |call: &&mut Call| {
                call.name.as_ref() == Some(&whole)
                    && call.path == best.path
                    && call.line == best.line
                    && call.at.as_bytes() == parsed.path
            };
            if let Some(known) = calls.iter_mut().find(is_same) {
                known.lines.push(reference.line.into());
                continue;
            }
            calls.push(Call {
                depth,
                name: Some(whole),
                of: Text::from(asked.name.as_bytes()),
                path: best.path.clone(),
                line: best.line,
                at: Text::from(parsed.path.as_slice()),
                lines: vec![reference.line.into()],
            });
        }
    }
    Ok(calls)
}
