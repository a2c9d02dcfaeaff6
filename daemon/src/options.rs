//! The command line of `hobd`.

use crate::nearest::nearest;

/// What `hobd --help` prints.
pub(crate) const HELP: &str = "\
hobd keeps codebases indexed and answers `hob` over a Unix socket.

Usage: hobd [--background] [--jobs N] [--set section.key=value]...

Without options it runs in the foreground and logs to standard error. `hob` starts it by itself.

Options:
  --background             detach, log to a file, and print `ready` once the socket is there
  --jobs N                 work on N files at once; the same as `--set parallel.jobs=N`
  --set section.key=value  set a key for this run, over the environment and the file
  --succeed=HOW            for hobd itself: take over from a daemon whose program was replaced
                           (`bound` or `activated`), or only tell whether that would work (`try`)
  --doctor [--json]        look for what is wrong, and tell what to do: `hob doctor`
  --help-config            print all keys with their documentation and defaults
  --help, -h               print this
  --version, -V            print the version

Environment:
  HOB_SOCKET        the socket; else `hob/hob.sock` in XDG_RUNTIME_DIR
  HOB_LOG           what to log, as in `info` or `hob_daemon=debug`; else RUST_LOG
  HOB_SECTION_KEY   sets a key, as in HOB_LIMITS_CALLS=16

Exit status: 0 stopped as asked, 2 not started; of --doctor 0 all is well, 1 something is wrong.
";

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Options {
    /// To run.
    Run {
        /// Detached, with a pipe to whoever started it.
        background: bool,
        /// `section.key=value`, in the order given.
        sets: Vec<String>,
        /// As the successor of the daemon that this process was.
        succeed: Option<Succeed>,
    },
    /// To look for what is wrong.
    Doctor {
        /// For a program that reads it.
        json: bool,
    },
    /// To print something and end.
    Help,
    /// The same.
    HelpConfig,
    /// The same.
    Version,
}

/// How a daemon is succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Succeed {
    /// Not yet: only whether the settings would be taken is told.
    Try,
    /// The socket's name is the daemon's own.
    Bound,
    /// The socket is systemd's.
    Activated,
}

impl Succeed {
    fn parse(how: &str) -> Result<Self, String> {
        match how {
            "try" => Ok(Self::Try),
            "bound" => Ok(Self::Bound),
            "activated" => Ok(Self::Activated),
            other => Err(format!("`--succeed` takes `try`, `bound` or `activated`, not `{other}`")),
        }
    }
}

/// Reads the arguments that follow the program's name. An error is what is wrong with them.
pub(crate) fn parse(args: impl IntoIterator<Item = String>) -> Result<Options, String> {
    let (mut background, mut sets, mut succeed) = (false, Vec::new(), None);
    let (mut doctor, mut json) = (false, false);
    let mut args = args.into_iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--background" => background = true,
            "--doctor" => doctor = true,
            "--json" => json = true,
            "--jobs" => sets.push(jobs(&args.next().ok_or("`--jobs` needs a number")?)),
            "--set" => sets.push(args.next().ok_or("`--set` needs `section.key=value`")?),
            "--help" | "-h" => return Ok(Options::Help),
            "--help-config" => return Ok(Options::HelpConfig),
            "--version" | "-V" => return Ok(Options::Version),
            other => match other.split_once('=') {
                Some(("--jobs", number)) => sets.push(jobs(number)),
                Some(("--set", set)) => sets.push(set.to_owned()),
                Some(("--succeed", how)) => succeed = Some(Succeed::parse(how)?),
                _ => return Err(unknown(other)),
            },
        }
    }
    match (doctor, json) {
        (true, json) => Ok(Options::Doctor { json }),
        (false, true) => Err("`--json` goes with `--doctor`".to_owned()),
        (false, false) => Ok(Options::Run { background, sets, succeed }),
    }
}

fn jobs(number: &str) -> String {
    format!("parallel.jobs={number}")
}

fn unknown(arg: &str) -> String {
    let known = [
        "--background",
        "--jobs",
        "--set",
        "--doctor",
        "--json",
        "--help",
        "--help-config",
        "--version",
    ];
    match nearest(arg, known.into_iter()) {
        Some(near) => format!("there is no option `{arg}`; did you mean `{near}`?"),
        None => format!("there is no option `{arg}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Options, String> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn options_are_read() {
        let sets = vec!["a.b=1".to_owned(), "c.d=2".to_owned()];
        let run = Options::Run { background: true, sets, succeed: None };
        assert_eq!(parsed("--set a.b=1 --background --set=c.d=2"), Ok(run));
        assert_eq!(parsed("--background -h"), Ok(Options::Help));
        assert_eq!(
            parsed("--backgruond"),
            Err("there is no option `--backgruond`; did you mean `--background`?".to_owned())
        );
        assert!(parsed("--set").is_err());
        let sets = ["2", "x"].map(|number| format!("parallel.jobs={number}")).to_vec();
        let run = Options::Run { background: false, sets, succeed: None };
        assert_eq!(parsed("--jobs 2 --jobs=x"), Ok(run));
        assert_eq!(parsed("--jobs"), Err("`--jobs` needs a number".to_owned()));
        let succeed = Some(Succeed::Bound);
        let run = Options::Run { background: false, sets: vec![], succeed };
        assert_eq!(parsed("--succeed=bound"), Ok(run));
        assert!(parsed("--succeed=soon").unwrap_err().contains("`soon`"));
    }
}
