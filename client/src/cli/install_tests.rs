//! Installing in a home of a test's own, with a `systemctl` that writes down what it is told.

use super::super::run;
use super::*;
use crate::testing::program_named;
use std::ffi::OsString;

struct Home {
    dir: tempfile::TempDir,
    hobd: PathBuf,
}

impl Home {
    /// The user manager answers by this script.
    fn new(systemctl: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let script = format!("echo \"$*\" >> {}/told; {systemctl}", dir.path().display());
        program_named(dir.path(), "systemctl", &script);
        let hobd = program_named(dir.path(), "hobd", "exit 0");
        std::fs::create_dir(dir.path().join("run")).unwrap();
        Self { dir, hobd }
    }

    fn unit(&self, name: &str) -> PathBuf {
        self.dir.path().join("config/systemd/user").join(name)
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.unit(name)).unwrap_or_default()
    }

    /// What the user manager was told.
    fn told(&self) -> String {
        let path = self.dir.path().join("told");
        let told = std::fs::read_to_string(&path).unwrap_or_default();
        let _ = std::fs::remove_file(path);
        told
    }

    fn run(&self, line: &str, more: &[(&str, &str)]) -> (Status, String, String) {
        let env = |name: &str| -> Option<OsString> {
            if let Some((_, value)) = more.iter().find(|(key, _)| *key == name) {
                return Some(value.into());
            }
            match name {
                "PATH" => Some(self.dir.path().into()),
                "HOB_DAEMON" => Some(self.hobd.clone().into()),
                "XDG_CONFIG_HOME" => Some(self.dir.path().join("config").into()),
                "XDG_RUNTIME_DIR" => Some(self.dir.path().join("run").into()),
                _ => None,
            }
        };
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut world = World {
            out: &mut out,
            err: &mut err,
            out_is_terminal: false,
            err_is_terminal: false,
            began: std::time::Instant::now(),
            answer: None,
            env: &env,
        };
        let status = run(line.split_whitespace().map(OsString::from).collect(), &mut world);
        let text = |bytes: Vec<u8>| {
            let text = String::from_utf8(bytes).unwrap();
            text.replace(self.dir.path().to_str().unwrap(), "HOME")
        };
        (status, text(out), text(err))
    }
}

#[test]
fn the_units_are_written_enabled_and_taken_back() {
    let home = Home::new("exit 0");
    let (status, out, err) = home.run("daemon install", &[("XDG_CACHE_HOME", "/c/100%")]);
    assert_eq!((status, err.as_str()), (Status::Done, ""));
    assert_eq!(
        out,
        "wrote HOME/config/systemd/user/hobd.socket\nwrote HOME/config/systemd/user/hobd.service\n\
         hobd.socket listens: the first question starts the daemon\n"
    );
    assert_eq!(
        home.told(),
        "--user show-environment\n--user daemon-reload\n--user enable --now hobd.socket\n"
    );
    let service = home.read("hobd.service");
    let start = format!(
        "\nExecStart=:\"{}\"\nEnvironment=\"XDG_CONFIG_HOME={}\"\nEnvironment=\"XDG_CACHE_HOME=/c/100%%\"\n",
        home.hobd.display(),
        home.dir.path().join("config").display()
    );
    assert!(service.contains(&start), "{service}");
    assert!(home.read("hobd.socket").contains("ListenStream=%t/hob/hob.sock"));

    // Again, as after an update: what runs is stopped first.
    let (status, ..) = home.run("daemon install", &[]);
    assert_eq!(status, Status::Done);
    let told = home.told();
    assert!(told.contains("--user stop hobd.socket hobd.service\n"), "{told}");
    assert!(told.contains("--user reset-failed hobd.socket hobd.service\n"), "{told}");
    assert!(!home.read("hobd.service").contains("XDG_CACHE_HOME"));

    let (status, out, err) = home.run("daemon uninstall", &[]);
    assert_eq!((status, err.as_str()), (Status::Done, ""));
    assert!(out.contains("removed HOME/config/systemd/user/hobd.service\n"), "{out}");
    assert_eq!(
        home.told(),
        "--user disable --now hobd.socket hobd.service\n--user daemon-reload\n"
    );
    assert!(!home.unit("hobd.service").exists() && !home.unit("hobd.socket").exists());
    let (status, out, _) = home.run("daemon uninstall", &[]);
    assert_eq!((status, out.as_str()), (Status::Done, "no units in HOME/config/systemd/user\n"));
}

#[test]
fn what_is_not_ours_is_left_alone() {
    let home = Home::new("exit 0");
    std::fs::create_dir_all(home.unit("")).unwrap();
    std::fs::write(home.unit("hobd.service"), "[Service]\n").unwrap();
    for line in ["daemon install", "daemon uninstall"] {
        let (status, _, err) = home.run(line, &[]);
        assert_eq!(status, Status::Failed);
        assert!(err.contains("hobd.service` was not written by `hob daemon install`"), "{err}");
    }
    assert_eq!(home.read("hobd.service"), "[Service]\n");
    assert!(!home.unit("hobd.socket").exists());
    assert_eq!(home.told(), "--user show-environment\n");
}

#[test]
fn without_a_user_manager_nothing_is_written() {
    let home = Home::new("echo 'Failed to connect to bus: No medium found' >&2; exit 1");
    let (status, _, err) = home.run("daemon install", &[]);
    assert_eq!(status, Status::Failed);
    assert_eq!(
        err,
        "hob: cannot reach systemd's user manager: Failed to connect to bus: No medium found\n\
         hint: hob needs none and starts the daemon by itself; `hob daemon install --print` prints the units\n"
    );
    let (_, _, err) = home.run("daemon install", &[("PATH", "/no")]);
    assert!(err.contains("there is no `systemctl` in `PATH`"), "{err}");
    assert!(!home.unit("hobd.socket").exists());

    let (status, out, _) = home.run("daemon install --print", &[]);
    assert_eq!(status, Status::Done);
    assert!(out.starts_with("# HOME/config/systemd/user/hobd.socket\n# Written by "), "{out}");
    assert!(out.contains("ExecStart=:\"HOME/hobd\"\n"), "{out}");
}

#[test]
fn without_a_user_manager_the_units_are_taken_back_all_the_same() {
    let home = Home::new("exit 0");
    let _ = home.run("daemon install", &[]);
    let (status, _, err) = home.run("daemon uninstall", &[("PATH", "/no")]);
    assert_eq!((status, err.as_str()), (Status::Done, ""));
    assert!(!home.unit("hobd.socket").exists());
}

#[test]
fn a_socket_elsewhere_has_no_units() {
    let home = Home::new("exit 0");
    let (status, _, err) = home.run("daemon install", &[("HOB_SOCKET", "/x/s")]);
    assert_eq!(status, Status::Failed);
    assert!(err.contains("`HOB_SOCKET` names another\nhint: unset it"), "{err}");
}

#[test]
fn a_program_that_systemd_would_not_run_is_refused() {
    let home = Home::new("exit 0");
    let quoted = program_named(home.dir.path(), "ada's", "exit 0");
    let (status, _, err) = home.run("daemon install", &[("HOB_DAEMON", quoted.to_str().unwrap())]);
    assert_eq!(status, Status::Failed);
    assert!(err.contains("has a quote: `HOME/ada's`\nhint: put `hobd` elsewhere"), "{err}");
    assert!(!home.unit("hobd.service").exists());
}

#[test]
fn any_path_can_stand_in_a_unit() {
    let quoted = |text: &str| quoted(OsStr::new(text)).unwrap();
    assert_eq!(quoted("/home/ada/.cargo/bin/hobd"), r#""/home/ada/.cargo/bin/hobd""#);
    assert_eq!(quoted(r#"/a "b" \ 100% $HOME"#), r#""/a \"b\" \\ 100%% $HOME""#);
    assert_eq!(quoted("/ä\n"), "\"/ä\\x0a\"");
    use std::os::unix::ffi::OsStrExt as _;
    assert!(super::quoted(OsStr::from_bytes(b"/\xff")).is_err());
}
