//! What can be set: one table of rows, from which the parsing of every layer and the
//! documentation come.
//!
//! Layers, each over the one before: the defaults, `$XDG_CONFIG_HOME/hob/config.toml`,
//! `HOB_SECTION_KEY` in the environment, `hobd --set section.key=value`.
//!
//! To add a key: a field below, its default beside the others, and a row in `rows`.

mod rows;

use crate::cache::{Namespace, Room};
use crate::edits;
use crate::git::work::Attribution;
use crate::nearest::nearest;
use crate::server::Limits;
use crate::tasks;
use hob_protocol::place::Env;
use rows::{ROWS, Row, Slot, expects, set, show};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The daemon's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// What a client may use up.
    pub limits: Limits,
    /// Bytes of a query for names, at most.
    pub query_bytes: usize,
    /// Streams of output at once, at most.
    pub streams: usize,
    /// `text`, or `json`: an object a line.
    pub log_format: &'static str,
    /// What is logged, as `EnvFilter` takes it.
    pub log_level: String,
    /// MiB after which a file of the log is set aside.
    pub log_file_mb: usize,
    /// How many of these are kept.
    pub log_files: usize,
    /// Memory for building an index, in MiB.
    pub index_memory_mb: usize,
    /// Threads that build an index; 0 is as many as `parallel_jobs`.
    pub index_threads: usize,
    /// `profile.enabled`.
    pub profile: bool,
    /// Tasks that wait, at most.
    pub tasks_queue: usize,
    /// Tasks at once that mostly compute; 0 is as many as there are cores, and at least two.
    pub tasks_cpu: usize,
    /// Tasks at once that mostly write.
    pub tasks_disk: usize,
    /// Milliseconds that a task may run; 0 is for ever.
    pub tasks_deadline_ms: usize,
    /// Tasks that are known after their end.
    pub tasks_history: usize,
    /// `symbols.file_kb`.
    pub symbols_file_kb: usize,
    /// `symbols.limit`.
    pub symbols_limit: usize,
    /// Tokens of a context where the request does not say.
    pub context_tokens: usize,
    /// The model whose tokens are counted, where the request does not say; may be empty.
    pub context_model: String,
    /// Tokens of a map where the request does not say.
    pub map_tokens: usize,
    /// How long a request waits for past commits to be read.
    pub context_history: Duration,
    /// Milliseconds without a connection after which the daemon ends; 0 is never.
    pub idle_exit_ms: usize,
    /// Memory for decoded values, in MiB.
    pub cache_memory_mb: usize,
    /// What cached outlines may use.
    pub cache_outlines: CacheRoom,
    /// MiB of memory for printed outlines.
    pub cache_printed_mb: usize,
    /// MiB of memory for what files mention.
    pub cache_mentioned_mb: usize,
    /// How long a query waits for the changes before it.
    pub sync_deadline: Duration,
    /// How often a tree is looked at as a whole, for what the kernel does not report.
    pub sync_sweep: Duration,
    /// Threads that queries share; 0 is as many as `parallel_jobs`.
    pub search_threads: usize,
    /// Files that are worked on at once; 0 is one a core.
    pub parallel_jobs: usize,
    /// What reports changes: `auto`, `notify`, or `poll` for nothing.
    pub watch_backend: &'static str,
    /// Index git repositories without being told.
    pub workspace_auto: bool,
    /// How long a workspace is kept that nobody asks about.
    pub workspace_idle: Duration,
    /// MiB of a file that is edited, at most.
    pub edits_file_mb: usize,
    /// Commit each turn.
    pub git_commit: bool,
    /// How a turn's commit says who helped.
    pub git_attribution: &'static str,
    /// Run git's hooks before a turn is committed.
    pub git_hooks: bool,
    /// How long a hook may take.
    pub git_hook: Duration,
    /// How long another git is waited for that has the repository locked.
    pub git_lock: Duration,
}

/// What a namespace of the cache may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheRoom {
    /// MiB of memory.
    pub memory_mb: usize,
    /// MiB on disk; 0 stores nothing.
    pub disk_mb: usize,
    /// Days after which a value is computed again; 0 is never.
    pub days: usize,
}

impl Config {
    /// How the log is written.
    pub(crate) fn log_options(&self) -> crate::log::Options {
        crate::log::Options {
            json: self.log_format == "json",
            file_bytes: (self.log_file_mb as u64).saturating_mul(1 << 20),
            files: self.log_files,
            profile: self.profile,
        }
    }

    /// How edits are made.
    pub(crate) fn edits(&self) -> edits::Settings {
        edits::Settings {
            file_bytes: (self.edits_file_mb as u64).saturating_mul(1 << 20),
            commit: self.git_commit,
            attribution: match self.git_attribution {
                "none" => Attribution::None,
                "author" => Attribution::Author,
                _ => Attribution::Trailer,
            },
            hooks: self.git_hooks,
            hook: self.git_hook,
            patience: self.git_lock,
            syntax: crate::outlines::limits(self),
        }
    }

    /// How many files are worked on at once.
    pub(crate) fn jobs(&self) -> usize {
        some_or(self.parallel_jobs, cores())
    }

    /// The same of an index that is built.
    pub(crate) fn index_jobs(&self) -> usize {
        some_or(self.index_threads, self.jobs())
    }

    /// The same of all queries together.
    pub(crate) fn search_jobs(&self) -> usize {
        some_or(self.search_threads, self.jobs())
    }

    /// How much background work there is at once.
    pub(crate) fn task_limits(&self) -> tasks::Limits {
        let cpu = some_or(self.tasks_cpu, cores().max(2));
        let (queue, disk, history) = (self.tasks_queue, self.tasks_disk, self.tasks_history);
        let deadline = Duration::from_millis(self.tasks_deadline_ms as u64);
        let deadline = (!deadline.is_zero()).then_some(deadline);
        tasks::Limits { queue, cpu, disk, deadline, history }
    }

    /// What a namespace of the cache may use.
    pub(crate) fn room(&self, namespace: Namespace) -> Room {
        let room = match namespace {
            Namespace::Outlines => self.cache_outlines,
            Namespace::Printed => {
                CacheRoom { memory_mb: self.cache_printed_mb, disk_mb: 0, days: 0 }
            }
            Namespace::Mentioned => {
                CacheRoom { memory_mb: self.cache_mentioned_mb, disk_mb: 0, days: 0 }
            }
        };
        let bytes = |mib: usize| (mib as u64).saturating_mul(1 << 20);
        // moka takes no more than a thousand years.
        let days = Some(room.days.min(300_000) as u64).filter(|days| *days > 0);
        let time_to_live = days.map(|days| Duration::from_secs(days * 86_400));
        Room { memory: bytes(room.memory_mb), disk: bytes(room.disk_mb), time_to_live }
    }
}

/// A number, or what 0 stands for.
fn some_or(number: usize, default: usize) -> usize {
    if number == 0 { default } else { number }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

impl Default for Config {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            query_bytes: 1024,
            streams: 256,
            log_format: "text",
            log_level: "info".to_owned(),
            log_file_mb: 10,
            log_files: 2,
            index_memory_mb: 48,
            index_threads: 0,
            parallel_jobs: 0,
            profile: true,
            tasks_queue: 256,
            tasks_cpu: 0,
            tasks_disk: 2,
            tasks_deadline_ms: 0,
            tasks_history: 200,
            symbols_file_kb: 2048,
            symbols_limit: 10_000,
            context_tokens: 8_192,
            context_model: String::new(),
            map_tokens: 4_096,
            context_history: Duration::from_secs(5),
            idle_exit_ms: 0,
            cache_memory_mb: 32,
            cache_outlines: CacheRoom { memory_mb: 16, disk_mb: 128, days: 30 },
            cache_printed_mb: 8,
            cache_mentioned_mb: 16,
            sync_deadline: Duration::from_secs(5),
            sync_sweep: Duration::from_secs(600),
            search_threads: 0,
            watch_backend: "auto",
            workspace_auto: true,
            workspace_idle: Duration::from_secs(30 * 60),
            edits_file_mb: 64,
            git_commit: true,
            git_attribution: "trailer",
            git_hooks: false,
            git_hook: Duration::from_secs(60),
            git_lock: Duration::from_secs(1),
        }
    }
}

/// Settings that cannot be taken.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ConfigError {
    /// The file exists and cannot be read.
    #[error("cannot read `{}`: {cause}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        cause: String,
    },
    /// The file is no TOML, or one of its values is of the wrong type.
    #[error("{}:{line}: {what}", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// A variable of the environment, or `--set`.
    #[error("{source_name}: {what}")]
    Given {
        /// The variable or the option.
        source_name: String,
        /// What is wrong.
        what: String,
    },
}

/// Settings, and what is odd about where they came from.
#[derive(Debug, PartialEq, Eq)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// For the log: unknown keys.
    pub warnings: Vec<String>,
}

/// Puts the layers together.
///
/// # Errors
/// See [`ConfigError`].
pub fn load(file: &Path, env: Env<'_>, sets: &[String]) -> Result<Loaded, ConfigError> {
    let mut loaded = Loaded { config: Config::default(), warnings: Vec::new() };
    match std::fs::read_to_string(file) {
        Ok(text) => apply_file(&mut loaded, file, &text)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => {
            return Err(ConfigError::Unreadable { path: file.into(), cause: error.to_string() });
        }
    }
    for row in ROWS {
        let variable = variable(row.key);
        if let Some(value) = env(&variable) {
            let value = value.to_string_lossy();
            set_text(&mut loaded.config, row, &value).map_err(|what| ConfigError::Given {
                source_name: format!("`{variable}`"),
                what,
            })?;
        }
    }
    for set in sets {
        apply_set(&mut loaded.config, set)
            .map_err(|what| ConfigError::Given { source_name: format!("`--set {set}`"), what })?;
    }
    Ok(loaded)
}

/// All keys with their documentation and defaults, as a TOML file whose values are commented out.
#[must_use]
pub fn documentation() -> String {
    let mut text = String::from("# hob's settings and their defaults: config.toml\n");
    let mut defaults = Config::default();
    let mut section = "";
    for row in ROWS {
        let (of, key) = split(row.key);
        if of != section {
            section = of;
            let _ = write!(text, "\n[{section}]\n");
        }
        for line in row.doc.lines() {
            let _ = writeln!(text, "# {line}");
        }
        let _ = writeln!(text, "#{key} = {}", show(&(row.slot)(&mut defaults)));
    }
    text
}

/// The variable of the environment that sets a key.
fn variable(key: &str) -> String {
    format!("HOB_{}", key.to_uppercase().replace('.', "_"))
}

/// What is wrong with the name of a variable of the environment that looks like one of ours.
pub(crate) fn strange_variable(name: &str) -> Option<String> {
    /// Those that set no key.
    const OTHERS: [&str; 5] =
        ["HOB_SOCKET", "HOB_DAEMON", "HOB_PAGES", "HOB_LOG", "HOB_DOCTOR_CLIENT"];
    let known: Vec<String> = ROWS.iter().map(|row| variable(row.key)).collect();
    let known = || known.iter().map(String::as_str).chain(OTHERS);
    if !name.starts_with("HOB_") || known().any(|one| one == name) {
        return None;
    }
    Some(match nearest(name, known()) {
        Some(near) => format!("`{name}` sets nothing; did you mean `{near}`?"),
        None => format!("`{name}` sets nothing"),
    })
}

fn split(key: &str) -> (&str, &str) {
    key.split_once('.').unwrap_or(("", key))
}

fn find(key: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.key == key)
}

fn unknown(key: &str) -> String {
    match nearest(key, ROWS.iter().map(|row| row.key)) {
        Some(near) => format!("there is no key `{key}`; did you mean `{near}`?"),
        None => format!("there is no key `{key}`; `hobd --help-config` lists them"),
    }
}

fn apply_file(loaded: &mut Loaded, path: &Path, text: &str) -> Result<(), ConfigError> {
    let line = |offset: usize| text[..offset.min(text.len())].matches('\n').count() + 1;
    let wrong = |offset, what| ConfigError::Wrong { path: path.into(), line: line(offset), what };
    let table = DeTable::parse(text).map_err(|error| {
        wrong(error.span().map_or(0, |span| span.start), error.message().to_owned())
    })?;
    for (key, value) in entries(table.get_ref()) {
        match find(&key) {
            Some(row) => set_toml(&mut loaded.config, row, value.get_ref())
                .map_err(|what| wrong(value.span().start, format!("`{key}`: {what}")))?,
            None => loaded.warnings.push(format!(
                "{}:{}: {}",
                path.display(),
                line(value.span().start),
                unknown(&key)
            )),
        }
    }
    Ok(())
}

/// The values of a file by their dotted keys, two levels deep: no key has more.
fn entries<'a, 'i>(table: &'a DeTable<'i>) -> Vec<(String, &'a Spanned<DeValue<'i>>)> {
    let mut entries = Vec::new();
    for (section, value) in table {
        let Some(inner) = value.get_ref().as_table() else {
            entries.push((section.get_ref().to_string(), value));
            continue;
        };
        for (key, value) in inner {
            entries.push((format!("{}.{}", section.get_ref(), key.get_ref()), value));
        }
    }
    entries
}

fn apply_set(config: &mut Config, set: &str) -> Result<(), String> {
    let Some((key, value)) = set.split_once('=') else {
        return Err("expected `section.key=value`".to_owned());
    };
    let row = find(key.trim()).ok_or_else(|| unknown(key.trim()))?;
    set_text(config, row, value)
}

/// Sets a value that is TOML: a number must be one there.
fn set_toml(config: &mut Config, row: &Row, value: &DeValue<'_>) -> Result<(), String> {
    let slot = (row.slot)(config);
    let text = match (&slot, value) {
        (Slot::Count(..) | Slot::Millis(_), DeValue::Integer(number)) if number.radix() == 10 => {
            number.as_str().to_owned()
        }
        (Slot::Switch(_), DeValue::Boolean(switch)) => switch.to_string(),
        (Slot::OneOf(..) | Slot::Checked(..), DeValue::String(word)) => word.to_string(),
        (slot, value) => {
            return Err(format!("expected {}, found {}", expects(slot), value.type_str()));
        }
    };
    set(slot, &text)
}

fn set_text(config: &mut Config, row: &Row, text: &str) -> Result<(), String> {
    set((row.slot)(config), text.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsString;

    fn from(file: &str, vars: &[(&str, &str)], sets: &[&str]) -> Result<Loaded, ConfigError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        std::fs::write(&path, file).unwrap();
        let env = |name: &str| {
            vars.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
        };
        let sets: Vec<_> = sets.iter().map(|set| (*set).to_owned()).collect();
        load(&path, &env, &sets)
    }

    /// What is wrong, without the directory of the test.
    fn complaint(file: &str, vars: &[(&str, &str)], sets: &[&str]) -> String {
        let text = match from(file, vars, sets) {
            Ok(loaded) => loaded.warnings.join("; "),
            Err(error) => error.to_string(),
        };
        text.find("config.toml").map_or(text.clone(), |at| text[at..].to_owned())
    }

    #[test]
    fn the_documentation_with_its_values_is_the_default() {
        let uncommented: String = documentation()
            .lines()
            .map(|line| match line.strip_prefix('#') {
                Some(value) if !value.starts_with(' ') => format!("{value}\n"),
                _ => format!("{line}\n"),
            })
            .collect();
        let loaded = from(&uncommented, &[], &[]).unwrap();
        assert_eq!(loaded, Loaded { config: Config::default(), warnings: Vec::new() });
        assert_eq!(uncommented.matches(" = ").count(), ROWS.len());
    }

    #[test]
    fn each_layer_is_over_the_one_before() {
        let file = "[limits]\ncalls = 1\nbatch = 1\nconnections = 1\n";
        let env = [("HOB_LIMITS_BATCH", "2"), ("HOB_LIMITS_CONNECTIONS", "2")];
        let limits = from(file, &env, &["limits.connections=3"]).unwrap().config.limits;
        assert_eq!((limits.calls, limits.batch, limits.connections), (1, 2, 3));
    }

    #[test]
    fn every_row_can_be_set_from_the_environment() {
        for row in ROWS {
            let mut config = Config::default();
            let value = match (row.slot)(&mut config) {
                Slot::Count(..) | Slot::Millis(_) => "1234567".to_owned(),
                Slot::Switch(place) => (!*place).to_string(),
                Slot::OneOf(_, words) => words[words.len() - 1].to_owned(),
                Slot::Checked(..) => "debug".to_owned(),
            };
            let variable = variable(row.key);
            let changed = from("", &[(&variable, &value)], &[]).unwrap().config;
            assert_ne!(changed, Config::default(), "{variable}");
        }
    }

    #[test]
    fn the_least_that_a_key_takes_is_taken_and_less_is_not() {
        let with = |name: &str, value: &str| from("", &[(name, value)], &[]);
        assert_eq!(with("HOB_LOG_FILE_MB", "1").unwrap().config.log_file_mb, 1);
        assert_eq!(with("HOB_LOG_FILES", "0").unwrap().config.log_files, 0);
        assert_eq!(with("HOB_DAEMON_IDLE_EXIT_MS", "0").unwrap().config.idle_exit_ms, 0);
        assert_eq!(
            complaint("", &[("HOB_LOG_FILE_MB", "0")], &[]),
            "`HOB_LOG_FILE_MB`: expected a whole number from 1, found `0`"
        );
        assert!(complaint("", &[("HOB_LOG_LEVEL", "loud")], &[]).contains("`loud` is no level"));
        let forever = with("HOB_CACHE_OUTLINES_DAYS", "0").unwrap().config;
        assert_eq!(forever.room(Namespace::Outlines).time_to_live, None);
        let none = with("HOB_CACHE_OUTLINES_DISK_MB", "0").unwrap().config;
        assert_eq!(none.room(Namespace::Outlines).disk, 0);
    }

    #[test]
    fn a_variable_that_sets_nothing_is_told() {
        assert_eq!(
            strange_variable("HOB_LIMITS_CALS").as_deref(),
            Some("`HOB_LIMITS_CALS` sets nothing; did you mean `HOB_LIMITS_CALLS`?")
        );
        for fine in ["HOB_LIMITS_CALLS", "HOB_SOCKET", "HOBBY", "HOME"] {
            assert_eq!(strange_variable(fine), None);
        }
    }

    #[test]
    fn an_unknown_key_is_a_warning_with_its_line() {
        assert_eq!(
            complaint("\n[limits]\ncals = 5\n", &[], &[]),
            "config.toml:3: there is no key `limits.cals`; did you mean `limits.calls`?"
        );
        assert_eq!(
            complaint("colour = 5\n", &[], &[]),
            "config.toml:1: there is no key `colour`; `hobd --help-config` lists them"
        );
    }

    #[test]
    fn a_wrong_value_is_an_error_that_names_its_place() {
        assert_eq!(
            complaint("[limits]\n\ncalls = \"5\"\n", &[], &[]),
            "config.toml:3: `limits.calls`: expected a whole number from 1, found string"
        );
        assert_eq!(
            complaint("[limits]\ncalls = 0\n", &[], &[]),
            "config.toml:2: `limits.calls`: expected a whole number from 1, found `0`"
        );
        assert!(complaint("[limits]\ncalls = \n", &[], &[]).starts_with("config.toml:2: "));
        assert_eq!(
            complaint("", &[("HOB_WATCH_BACKEND", "maybe")], &[]),
            "`HOB_WATCH_BACKEND`: expected \"auto\" or \"notify\" or \"poll\", found `maybe`"
        );
        assert_eq!(
            complaint("", &[], &["limits.cals=1"]),
            "`--set limits.cals=1`: there is no key `limits.cals`; did you mean `limits.calls`?"
        );
    }

    #[test]
    fn a_file_that_is_not_there_is_an_empty_one() {
        let loaded = load(Path::new("/nonexistent/config.toml"), &|_| None, &[]).unwrap();
        assert_eq!(loaded.config, Config::default());
    }
}
