//! hob's end-to-end tests: through the real programs, in worlds of their own.
//!
//! How thorough they are can be set: `HOB_PARITY_CASES`, `HOB_PROMISE_STEPS`, `HOB_KILLS`; what is
//! random is of `HOB_SEED`. `HOB_RG` names the ripgrep 15 to compare with, else it is in `PATH`.

#![allow(clippy::unwrap_used, reason = "a test that fails, fails there")]
#![allow(clippy::print_stdout, reason = "how much was tried is a result")]

mod bad_input;
mod cache;
mod clients;
mod context;
mod doctor;
mod edits;
mod files;
mod house;
mod idle;
mod interface;
mod life;
mod limits;
mod manuals;
mod map;
mod navigation;
mod parity;
mod profile;
mod promise;
mod symbols;
mod systemd;
mod tasks;
mod wire;
mod worktrees;

use hob_tests::{Hob, Programs};

const PROGRAMS: Programs = Programs {
    hob: env!("CARGO_BIN_EXE_hob-under-test"),
    hobd: env!("CARGO_BIN_EXE_hobd-under-test"),
    pages: env!("CARGO_BIN_EXE_hob-pages-under-test"),
};

/// A world with a git repository of these files.
fn start(fixture: &str) -> Hob {
    Hob::start(PROGRAMS, fixture)
}

/// The seed of what is random.
fn seed() -> u64 {
    hob_tests::setting("HOB_SEED", 1) as u64
}
