//! `index.files` and `index.filesStream`: from the question to the service, and its answer.

use super::workspace::{not_synced, synced};
use super::{directory, within_limit};
use crate::Services;
use crate::files::{Ask, Receiver, Source, find};
use crate::profile::stage;
use crate::search::Cancel;
use hob_index::picker::Query;
use hob_protocol::{FileMatch, FilesQuery, FilesResult, FilesStyle, FilesSummary, Kind, Origin};
use hob_protocol::{Text, Truncated};
use jsonrpsee::core::RpcResult;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::time::Instant;

/// All of the answer at once.
pub(super) fn files(
    services: &Services,
    query: &FilesQuery,
    cancel: &Cancel,
) -> RpcResult<FilesResult> {
    let mut files = Vec::new();
    let summary = answer(services, query, cancel, &mut |path, score| {
        files.push(FileMatch { path: Text::from(path), score });
        true
    })?;
    Ok(FilesResult { summary, files })
}

/// Hands over each file, and gives the summary.
pub(super) fn answer(
    services: &Services,
    query: &FilesQuery,
    cancel: &Cancel,
    each: &mut Receiver<'_>,
) -> RpcResult<FilesSummary> {
    let _stage = stage!("files").entered();
    let began = Instant::now();
    let _entered = services.workspaces.foreground.enter();
    let text = query.query.as_deref().unwrap_or_default();
    within_limit(services, text)?;
    let dir = directory(&query.dir)?;
    let (origin, source) = source(services, &dir, query.no_sync)?;
    let words = Query::new(text);
    let limit = query.limit.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let ask = Ask { query: &words, limit };
    let summary = find(&source, &ask, &services.crew, cancel, each)
        .ok_or_else(|| Kind::Cancelled.error("the search for files was cancelled", ""))?;
    let cut = query.limit.is_some_and(|limit| summary.total > limit);
    Ok(FilesSummary {
        origin,
        total: summary.total,
        truncated: cut.then_some(Truncated::Limit),
        warnings: summary.warnings,
        elapsed_us: u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX),
    })
}

/// The tree that has the directory, else the disk.
fn source(services: &Services, dir: &Path, no_sync: bool) -> RpcResult<(Origin, Source)> {
    let disk = || (Origin::default(), Source::Disk(dir.to_owned()));
    let Some(warm) = services.workspaces.of(dir) else { return Ok(disk()) };
    let root = warm.workspace.root();
    let snapshot = synced(services, &warm, no_sync).map_err(|failed| not_synced(root, failed))?;
    let Ok(below) = dir.strip_prefix(root) else { return Ok(disk()) };
    let below = below.as_os_str().as_bytes();
    if snapshot.tree.dir_at(below).is_none() {
        return Ok(disk());
    }
    Ok((warm.workspace.origin(&snapshot), Source::Tree(snapshot, below.to_vec())))
}

/// Adds a path as it is printed.
pub(super) fn print(path: &[u8], style: FilesStyle, output: &mut Vec<u8>) {
    let (before, after): (&[u8], &[u8]) = match style.color {
        true => (b"\x1b[0m\x1b[35m", b"\x1b[0m"),
        false => (b"", b""),
    };
    output.extend_from_slice(before);
    output.extend_from_slice(path);
    output.extend_from_slice(after);
    output.push(if style.null { b'\0' } else { b'\n' });
}
