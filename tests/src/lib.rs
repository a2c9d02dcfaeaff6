//! The harness of hob's end-to-end tests.
//!
//! - [`Hob`]: a tree, and a `hob` with a daemon of its own, in a world of their own
//! - [`Outcome`]: what a program printed, and how it ended
//! - [`Random`]: numbers that are the same each time
//! - [`ripgrep()`]: the peer that hob is held to
//!
//! Nothing here knows what hob should answer: the tests do.

#![allow(clippy::unwrap_used, reason = "a harness that fails, fails the test at that place")]
#![allow(clippy::print_stdout, reason = "a test that is skipped says so")]

mod fixture;
mod outcome;
mod random;
mod ripgrep;
mod world;

pub use outcome::{Outcome, finish, said, within};
pub use random::Random;
pub use ripgrep::{Ripgrep, ripgrep};
pub use world::{Hob, Programs};

/// Prints why a test does not run here.
pub fn skipped(why: &str) {
    println!("skipped: {why}");
}

/// A number from the environment, else the usual one: how thorough a test is.
#[must_use]
pub fn setting(name: &str, usual: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}
