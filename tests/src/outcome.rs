//! Runs a program to its end, and never waits for ever.

use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(90);

/// What a program printed, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The exit status; `None` where a signal ended it.
    pub status: Option<i32>,
    /// Its standard output.
    pub stdout: Vec<u8>,
    /// Its standard error, as text.
    pub stderr: String,
}

impl Outcome {
    /// Its standard output, as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }
}

/// What a command's standard output says, once it has ended well.
#[must_use]
pub fn said(command: &mut Command) -> String {
    let outcome = finish(command);
    assert_eq!(outcome.status, Some(0), "{command:?}: {}", outcome.stderr);
    outcome.text()
}

/// Runs a command to its end, without an input.
#[must_use]
pub fn finish(command: &mut Command) -> Outcome {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let (stdout, stderr) = (gather(stdout), gather(stderr));
    let until = Instant::now() + PATIENCE;
    let mut receive = |from: mpsc::Receiver<Vec<u8>>| {
        let left = until.saturating_duration_since(Instant::now());
        from.recv_timeout(left).unwrap_or_else(|_| {
            let _ = child.kill();
            panic!("{command:?} does not end");
        })
    };
    let (stdout, stderr) = (receive(stdout), receive(stderr));
    let status = ended(&mut child, until, command).code();
    Outcome { status, stdout, stderr: String::from_utf8_lossy(&stderr).into_owned() }
}

fn gather(mut from: impl Read + Send + 'static) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = from.read_to_end(&mut bytes);
        let _ = sender.send(bytes);
    });
    receiver
}

/// Both outputs are closed, so that the end is near.
fn ended(child: &mut Child, until: Instant, command: &Command) -> ExitStatus {
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if Instant::now() > until {
            let _ = child.kill();
            panic!("{command:?} does not end");
        }
        thread::sleep(Duration::from_micros(200));
    }
}

/// Waits until something that nobody reports has come true.
pub fn within(patience: Duration, what: &str, mut fact: impl FnMut() -> bool) {
    let until = Instant::now() + patience;
    while !fact() {
        assert!(Instant::now() < until, "not within {patience:?}: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}
