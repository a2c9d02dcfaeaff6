//! Finds ripgrep 15, the peer that `hob search` is held to.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The ripgrep to compare with.
#[derive(Clone, Debug)]
pub struct Ripgrep {
    /// The program.
    pub program: PathBuf,
}

/// `$HOB_RG`, else the `rg` in `PATH`, if it is of version 15. Without one the test that asks is
/// skipped, and in CI it fails.
#[must_use]
pub fn ripgrep() -> Option<Ripgrep> {
    let program = std::env::var_os("HOB_RG").map_or_else(in_path, |given| Some(given.into()));
    let program = program.filter(|program| is_of_version_15(program.as_path()));
    if program.is_none() {
        let why = "no ripgrep 15 (cargo install --locked ripgrep)";
        assert!(std::env::var_os("CI").is_none(), "{why}");
        crate::skipped(why);
    }
    program.map(|program| Ripgrep { program })
}

fn in_path() -> Option<PathBuf> {
    let dirs = std::env::var_os("PATH")?;
    std::env::split_paths(&dirs).map(|dir| dir.join("rg")).find(|program| program.is_file())
}

fn is_of_version_15(program: &Path) -> bool {
    let output = Command::new(program).arg("--version").output();
    output.is_ok_and(|output| output.stdout.starts_with(b"ripgrep 15."))
}
