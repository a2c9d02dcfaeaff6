//! Where the socket and hob's directories are: a matter of the environment alone.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The environment, as a function from a variable's name: tests pass their own.
pub type Env<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// The process's own environment. A variable that is empty counts as unset.
#[must_use]
pub fn process_env(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// An absolute path from a variable: the XDG specification has relative ones ignored.
fn absolute(env: Env<'_>, name: &str) -> Option<PathBuf> {
    env(name).map(PathBuf::from).filter(|path| path.is_absolute())
}

/// The directory of the socket, the lock and the cookies: `$XDG_RUNTIME_DIR/hob`,
/// else `/tmp/hob-UID`. Whoever makes or uses it verifies that it is the user's own
/// and closed to others (0700).
#[must_use]
pub fn runtime_dir(env: Env<'_>, uid: u32) -> PathBuf {
    match absolute(env, "XDG_RUNTIME_DIR") {
        Some(dir) => dir.join("hob"),
        None => PathBuf::from(format!("/tmp/hob-{uid}")),
    }
}

/// The socket: `$HOB_SOCKET`, else `hob.sock` in [`runtime_dir`].
#[must_use]
pub fn socket(env: Env<'_>, uid: u32) -> PathBuf {
    match env("HOB_SOCKET") {
        Some(path) => PathBuf::from(path),
        None => runtime_dir(env, uid).join("hob.sock"),
    }
}

/// The file that a daemon has locked for as long as it lives, beside its socket.
#[must_use]
pub fn lock(socket: &Path) -> PathBuf {
    // The default socket's lock has a name that is easy to find; others may share a directory.
    if socket.file_name() == Some("hob.sock".as_ref()) {
        return socket.with_file_name("hobd.lock");
    }
    let mut name = socket.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}

/// The directory of derived data, which may be deleted at any time.
#[must_use]
pub fn cache_dir(env: Env<'_>) -> PathBuf {
    home(env, "XDG_CACHE_HOME", ".cache")
}

/// The directory of the user's own data and of the log.
#[must_use]
pub fn state_dir(env: Env<'_>) -> PathBuf {
    home(env, "XDG_STATE_HOME", ".local/state")
}

/// The directory of `config.toml`.
#[must_use]
pub fn config_dir(env: Env<'_>) -> PathBuf {
    home(env, "XDG_CONFIG_HOME", ".config")
}

fn home(env: Env<'_>, variable: &str, fallback: &str) -> PathBuf {
    let base = absolute(env, variable)
        .or_else(|| absolute(env, "HOME").map(|home| home.join(fallback)))
        .unwrap_or_else(|| PathBuf::from("/").join(fallback));
    base.join("hob")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn socket_with(vars: &[(&str, &str)]) -> String {
        let env = |name: &str| {
            vars.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
        };
        socket(&env, 7).display().to_string()
    }

    #[test]
    fn the_socket_follows_the_environment() {
        assert_eq!(socket_with(&[("HOB_SOCKET", "/x/s")]), "/x/s");
        assert_eq!(socket_with(&[("XDG_RUNTIME_DIR", "/run/user/7")]), "/run/user/7/hob/hob.sock");
        assert_eq!(socket_with(&[("XDG_RUNTIME_DIR", "relative")]), "/tmp/hob-7/hob.sock");
        assert_eq!(socket_with(&[]), "/tmp/hob-7/hob.sock");
    }
}
