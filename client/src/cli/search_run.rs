//! Asks a search, and writes what comes as it comes.

use super::cut::Cut;
use super::search::Request;
use super::{Status, World};
use crate::{Connection, Error, ErrorKind};
use hob_protocol::{Print, SearchEvent, SearchSummary, Truncated};

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
                return finish(request, &summary, world);
            }
            SearchEvent::Failed(failure) => return Err(failure.into()),
        }
    }
    Err(Error::new(ErrorKind::Protocol, "the search ended without a summary")
        .hint("restart the daemon with `hob daemon restart`"))
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
