//! Git's hooks around a commit, where the configuration wants them run.

use super::turns::Failed;
use crate::git::work::{Environment, Work};
use crate::io_text;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// So much of what a hook prints is told: the end.
const TOLD: u64 = 4 << 10;

/// Runs `pre-commit`, `prepare-commit-msg` and `commit-msg`, in the caller's environment. Gives the message
/// as they leave it.
pub(crate) fn run(
    git: &Work,
    message: &str,
    environment: &Environment,
    longest: Duration,
) -> Result<String, Failed> {
    let run = |name: &str, args: &[&Path]| {
        let Some(hook) = git.hook(name) else { return Ok(()) };
        let mut command = Command::new(&hook);
        command.args(args).current_dir(git.top()).env_clear().envs(environment);
        command.env("GIT_DIR", git.git_dir()).env("GIT_EDITOR", ":");
        match finish(&mut command, longest) {
            Ok((Some(status), _)) if status.success() => Ok(()),
            Ok((Some(_), told)) => Err(Failed::Hook(format!("the hook `{name}` says no:\n{told}"))),
            Ok((None, told)) => Err(Failed::Hook(format!(
                "the hook `{name}` took more than {} ms, the limit `git.hook_ms`\n{told}",
                longest.as_millis()
            ))),
            Err(error) => {
                let hook = hook.display();
                let error = io_text(&error);
                Err(Failed::Hook(format!("the hook `{hook}` cannot be run: {error}")))
            }
        }
    };
    run("pre-commit", &[])?;
    let file = git.git_dir().join("COMMIT_EDITMSG");
    let unwritten = |error: io::Error| {
        Failed::Io(format!("`{}` cannot be written: {}", file.display(), io_text(&error)))
    };
    std::fs::write(&file, format!("{}\n", message.trim_end())).map_err(unwritten)?;
    run("prepare-commit-msg", &[&file, Path::new("message")])?;
    run("commit-msg", &[&file])?;
    let message = std::fs::read_to_string(&file).map_err(unwritten)?;
    match message.trim().is_empty() {
        true => Err(Failed::Hook("a hook leaves no message to commit with".to_owned())),
        false => Ok(message),
    }
}

/// Runs a command to its end, or stops it and all that it has started: its status, and what it printed.
fn finish(command: &mut Command, longest: Duration) -> io::Result<(Option<ExitStatus>, String)> {
    // To a file, so that nobody has to read while it runs.
    let memory = rustix::fs::memfd_create("hook", rustix::fs::MemfdFlags::CLOEXEC)?;
    let mut printed = File::from(memory);
    command.stdin(Stdio::null()).stdout(printed.try_clone()?).stderr(printed.try_clone()?);
    let mut child = command.process_group(0).spawn()?;
    let status = wait(&mut child, longest)?;
    if status.is_none() {
        if let Some(group) = rustix::process::Pid::from_raw(child.id().cast_signed()) {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        child.wait()?;
    }
    let length = printed.metadata()?.len();
    printed.seek(SeekFrom::Start(length.saturating_sub(TOLD)))?;
    let mut told = Vec::new();
    printed.take(TOLD).read_to_end(&mut told)?;
    Ok((status, String::from_utf8_lossy(&told).trim_end().to_owned()))
}

fn wait(child: &mut Child, longest: Duration) -> io::Result<Option<ExitStatus>> {
    let since = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        let left = longest.saturating_sub(since.elapsed());
        if left.is_zero() {
            return Ok(None);
        }
        std::thread::sleep(pause.min(left));
        pause = (2 * pause).min(Duration::from_millis(50));
    }
}
