//! The command line: all of `hob`, as functions of the arguments and the [`World`] around them.
//!
//! A command is one row in [`commands::COMMANDS`], and one file. None of them touches the process but
//! through the world, so that tests run them as they are.

mod cache;
mod calls;
mod commands;
mod context;
mod cut;
mod daemon;
mod doctor;
mod edits;
mod files;
mod index;
mod install;
mod kinds;
mod live;
mod logs;
mod manuals;
mod map;
mod names;
mod outline;
mod pages;
mod paint;
mod ping;
mod profile;
mod record;
mod rpc;
mod search;
mod search_flags;
mod search_run;
mod stats;
mod status;
mod symbols;
mod tasks;
mod top;
mod units;
mod usage;
mod workspaces;
mod world;

use crate::{Error, ErrorKind};
use commands::Group;
use std::ffi::OsString;
use std::process::ExitCode;
use world::World;

/// What a command comes to, as the exit status tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    /// Done, or found.
    Done = 0,
    /// Nothing found.
    Nothing = 1,
    /// An error.
    Failed = 2,
}

/// The program `hob`: its arguments, its environment and its standard streams.
///
/// The exit status is 0 if what was asked was done or found, 1 if nothing was found, and 2 after
/// an error.
#[must_use]
pub fn main() -> ExitCode {
    let args = std::env::args_os().skip(1).collect();
    // Standard error stays free for the threads that draw there.
    let (mut out, mut err) = (std::io::stdout().lock(), std::io::stderr());
    let mut world = World::of_process(&mut out, &mut err);
    ExitCode::from(run(args, &mut world) as u8)
}

/// The program `hob-pages`, which makes what `hob` seldom needs: pages of the manual, and what shells
/// complete commands by.
#[must_use]
pub fn pages() -> ExitCode {
    let args = std::env::args_os().skip(1).collect();
    // Standard error stays free for the threads that draw there.
    let (mut out, mut err) = (std::io::stdout().lock(), std::io::stderr());
    let mut world = World::of_process(&mut out, &mut err);
    let result = pages::run(args, &mut world);
    ExitCode::from(report(result, &mut world) as u8)
}

/// Runs a command line, without the program's name, and reports its error.
fn run(args: Vec<OsString>, world: &mut World<'_>) -> Status {
    let result = commands::dispatch(args, world);
    report(result, world)
}

fn report(result: Result<Status, Error>, world: &mut World<'_>) -> Status {
    let result = world.out.flush().map_err(Error::from).and(result);
    match result {
        Ok(status) => status,
        // Whoever read our output has seen enough.
        Err(error) if error.kind == ErrorKind::BrokenPipe => Status::Done,
        Err(error) => {
            // If standard error is closed too, the exit status is all that is left to tell.
            let _ = world.err.write_all(error.report().as_bytes());
            Status::Failed
        }
    }
}

#[cfg(test)]
#[path = "symbols_tests.rs"]
mod symbols_tests;
#[cfg(test)]
mod tasks_tests;
#[cfg(test)]
#[path = "cli_tests.rs"]
mod tests;
