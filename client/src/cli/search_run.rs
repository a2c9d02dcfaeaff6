//! Asks a search, and writes what comes as it comes.

use super::cut::Cut;
use super::search::Request;
use super::{Status, World};
use crate::{Connection, Error, ErrorKind};
use hob_protocol::{Print, SearchEvent, SearchSummary, Truncated};
use std::time::Instant;

/// Runs a search to its exit status.
pub(super) fn run(request: &Request, world: &mut World<'_>) -> Result<Status, Error> {
    // As in ripgrep: where no line may be found, none is looked for.
    if request.query.max_count == Some(0) {
        return Ok(Status::Nothing);
    }
    world.ask(|connection, world| stream(request, connection, world))
}

fn stream(
    request: &Request,
    connection: &mut Connection,
    world: &mut World<'_>,
) -> Result<Status, Error> {
    // As in ripgrep: of JSON, -q leaves the summary, which is the last line.
    let asked = Instant::now();
    let summary_only = request.quiet && request.style.print == Print::Json;
    let mut last = Vec::new();
    for event in connection.search_stream(&request.query, request.style)? {
        match event? {
            SearchEvent::Output(part) if summary_only => last = last_line(part.as_bytes()),
            SearchEvent::Output(part) if request.quiet => {
                if !part.as_bytes().is_empty() {
                    return Ok(Status::Done);
                }
            }
            SearchEvent::Output(part) => {
                world.out.write_all(part.as_bytes())?;
                world.out.flush()?;
            }
            SearchEvent::Warning(warning) => world.note(&warning, "")?,
            SearchEvent::Done(summary) => {
                world.out.write_all(&last)?;
                if request.query.profile {
                    tell_times(&summary, asked, world)?;
                }
                return finish(request, &summary, world);
            }
            SearchEvent::Failed(failure) => return Err(failure.into()),
        }
    }
    Err(Error::new(ErrorKind::Protocol, "the search ended without a summary")
        .hint("restart the daemon with `hob daemon restart`"))
}

/// Where the time went, from the start of this process to here, in milliseconds.
fn tell_times(summary: &SearchSummary, asked: Instant, world: &mut World<'_>) -> Result<(), Error> {
    // What was printed is out by then.
    world.out.flush()?;
    let ms = |us: u64| us as f64 / 1000.0;
    let us = |from: Instant, to: Instant| (to - from).as_micros() as u64;
    let now = Instant::now();
    let daemon = summary.queued_us + summary.profile.first().map_or(0, |whole| whole.total_us);
    let answer = us(asked, now);
    let mut lines = vec![
        ("hob".to_owned(), us(world.began, now)),
        ("  connect".to_owned(), us(world.began, asked)),
        ("  answer".to_owned(), answer),
        ("    wire, print".to_owned(), answer.saturating_sub(daemon)),
        ("    queue".to_owned(), summary.queued_us),
    ];
    for stage in &summary.profile {
        let times = if stage.count > 1 { format!(" x{}", stage.count) } else { String::new() };
        let indent = 4 + 2 * stage.depth as usize;
        lines.push((format!("{:indent$}{}{times}", "", stage.name), stage.total_us));
    }
    let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, time) in lines {
        writeln!(world.err, "{name:<width$}  {:>9.3} ms", ms(time))?;
    }
    if summary.profile.is_empty() {
        return world
            .note("the daemon measures nothing", "`profile.enabled` is false: remove that");
    }
    Ok(())
}

fn last_line(text: &[u8]) -> Vec<u8> {
    text.split_inclusive(|byte| *byte == b'\n').next_back().unwrap_or_default().to_vec()
}

/// ripgrep's statuses: an error outweighs what was found, unless only that was asked for.
fn finish(
    request: &Request,
    summary: &SearchSummary,
    world: &mut World<'_>,
) -> Result<Status, Error> {
    if let Some(why) = summary.truncated
        && request.style.print != Print::Quiet
    {
        let cut = Cut {
            what: "line",
            limit: request.query.limit.unwrap_or_default(),
            total: None,
            hint: "a larger `--limit`, or none, shows it",
            deadline_ms: request.query.deadline_ms.unwrap_or_default(),
        };
        cut.tell(why, world)?;
    }
    // What was not looked at might have matched, so that "nothing" would be a lie.
    let unsure = summary.errors || summary.truncated == Some(Truncated::Deadline);
    Ok(match summary.found {
        true if request.quiet || !summary.errors => Status::Done,
        false if !unsure => Status::Nothing,
        _ => Status::Failed,
    })
}
