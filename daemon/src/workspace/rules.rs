//! Which names a search passes over by default: the rules of ripgrep.
//!
//! In falling precedence: `.rgignore`, `.ignore`, `.gitignore`, `.git/info/exclude`,
//! the user's global excludes; of each kind the nearest directory decides. Git's
//! rules hold only inside of a repository and end at its border. What no rule
//! speaks of is passed over where its name begins with a dot. The patterns are
//! matched by the crate `ignore`, whose walker has the same rules; it builds them
//! anew for each walk, while here they stay.

use hob_index::tree::Skip;
use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The names that change the rules of the directory they are in.
const NAMES: [&[u8]; 5] = [b".gitignore", b".ignore", b".rgignore", b".git", b".jj"];

/// Whether a file of this name changes the rules of its directory.
pub(crate) fn is_rule_file(name: &[u8]) -> bool {
    NAMES.contains(&name)
}

/// Files that rules were read from and that no watcher reports, each with its stat from before it
/// was read: so a change while it was read shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outside(BTreeMap<PathBuf, u64>);

impl Outside {
    /// Notes a file that is about to be read. What is noted already stays as it was.
    fn note(&mut self, path: PathBuf) {
        self.0.entry(path).or_insert_with_key(|path| stamp(path));
    }

    /// Takes over what another has noted.
    pub(crate) fn merge(&mut self, other: Self) {
        for (path, stamp) in other.0 {
            self.0.entry(path).or_insert(stamp);
        }
    }

    /// Whether every file is as it was.
    pub(crate) fn holds(&self) -> bool {
        self.0.iter().all(|(path, before)| stamp(path) == *before)
    }
}

/// What tells whether a file is as it was; 0 where there is none.
fn stamp(path: &Path) -> u64 {
    let name = path.file_name().map(std::ffi::OsStr::as_bytes);
    match rustix::fs::stat(path) {
        // Only whether a repository is there matters, and its directory changes all the time.
        Ok(_) if matches!(name, Some(b".git" | b".jj")) => 1,
        Ok(stat) => super::scan::print(&stat) | 1,
        Err(_) => 0,
    }
}

/// The rules that hold in a directory. A clone is cheap.
#[derive(Clone)]
pub(crate) struct Rules {
    nearest: Option<Arc<Level>>,
    global: Arc<Gitignore>,
}

struct Level {
    above: Option<Arc<Self>>,
    custom: Gitignore,
    ignore: Gitignore,
    git: Gitignore,
    exclude: Gitignore,
    has_git: bool,
}

impl Rules {
    /// What holds for a root because of the directories above it and of the user's configuration.
    /// Appends the files to `outside` whose change changes the rules.
    pub(crate) fn above(root: &Path, outside: &mut Outside) -> Self {
        let mut rules = Self { nearest: None, global: Arc::new(global(root, outside)) };
        let above: Vec<&Path> = root.ancestors().skip(1).collect();
        for dir in above.into_iter().rev() {
            for name in NAMES {
                outside.note(dir.join(std::ffi::OsStr::from_bytes(name)));
            }
            rules = rules.in_dir(dir, outside);
        }
        rules
    }

    /// The rules within a directory that these hold for. Appends files to `outside` as
    /// [`Rules::above`] does.
    pub(crate) fn in_dir(&self, dir: &Path, outside: &mut Outside) -> Self {
        let dot_git = std::fs::metadata(dir.join(".git")).ok();
        let level = Level {
            above: self.nearest.clone(),
            custom: read(dir, &dir.join(".rgignore"), outside),
            ignore: read(dir, &dir.join(".ignore"), outside),
            git: read(dir, &dir.join(".gitignore"), outside),
            exclude: match dot_git.as_ref().and_then(|meta| common_dir(dir, meta.is_file())) {
                Some(common) => {
                    let path = common.join("info/exclude");
                    outside.note(path.clone());
                    read(dir, &path, outside)
                }
                None => Gitignore::empty(),
            },
            has_git: dot_git.is_some() || dir.join(".jj").exists(),
        };
        match level.says_nothing() {
            true => self.clone(),
            false => Self { nearest: Some(Arc::new(level)), global: self.global.clone() },
        }
    }

    /// Whether the default rules pass over what stands at `path`, in a directory that these are
    /// the rules of.
    pub(crate) fn verdict(&self, path: &Path, name: &[u8], is_dir: bool) -> Option<Skip> {
        match self.matched(path, is_dir) {
            Match::Ignore(()) => Some(Skip::Ignored),
            Match::Whitelist(()) => None,
            Match::None if name.first() == Some(&b'.') => Some(Skip::Hidden),
            Match::None => None,
        }
    }

    fn levels(&self) -> impl Iterator<Item = &Level> {
        std::iter::successors(self.nearest.as_deref(), |level| level.above.as_deref())
    }

    fn matched(&self, path: &Path, is_dir: bool) -> Match<()> {
        let in_git = self.levels().any(|level| level.has_git);
        let (mut custom, mut ignore, mut git, mut exclude) =
            (Match::None, Match::None, Match::None, Match::None);
        let mut past_border = !in_git;
        for level in self.levels() {
            custom = custom.or(matched(&level.custom, path, is_dir));
            ignore = ignore.or(matched(&level.ignore, path, is_dir));
            if !past_border {
                git = git.or(matched(&level.git, path, is_dir));
                exclude = exclude.or(matched(&level.exclude, path, is_dir));
            }
            past_border |= level.has_git;
        }
        let global = match in_git {
            true => matched(&self.global, path, is_dir),
            false => Match::None,
        };
        custom.or(ignore).or(git).or(exclude).or(global)
    }
}

impl Level {
    fn says_nothing(&self) -> bool {
        !self.has_git
            && [&self.custom, &self.ignore, &self.git, &self.exclude]
                .iter()
                .all(|rules| rules.is_empty())
    }
}

fn matched(rules: &Gitignore, path: &Path, is_dir: bool) -> Match<()> {
    if rules.is_empty() {
        return Match::None;
    }
    rules.matched(path, is_dir).map(|_| ())
}

/// The rules of a file, for a directory. A line that is no glob counts as absent, as in ripgrep.
fn read(dir: &Path, file: &Path, outside: &mut Outside) -> Gitignore {
    let Ok(meta) = std::fs::symlink_metadata(file) else { return Gitignore::empty() };
    if meta.is_symlink() {
        // What it points to is not watched.
        outside.note(file.to_owned());
    }
    // A pipe of that name would block for ever.
    if !std::fs::metadata(file).is_ok_and(|meta| meta.is_file()) {
        return Gitignore::empty();
    }
    let mut builder = GitignoreBuilder::new(dir);
    let _ = builder.add(file);
    builder.build().unwrap_or_else(|_| Gitignore::empty())
}

fn global(root: &Path, outside: &mut Outside) -> Gitignore {
    if let Some(home) = std::env::var_os("HOME") {
        outside.note(Path::new(&home).join(".gitconfig"));
        outside.note(Path::new(&home).join(".config/git/config"));
    }
    if let Some(config) = std::env::var_os("XDG_CONFIG_HOME") {
        outside.note(Path::new(&config).join("git/config"));
    }
    let Some(path) = ignore::gitignore::gitconfig_excludes_path() else {
        return Gitignore::empty();
    };
    outside.note(path.clone());
    read(root, &path, outside)
}

/// The directory of a repository that its worktrees share, from what stands at `.git`.
pub(crate) fn common_dir(dir: &Path, is_file: bool) -> Option<PathBuf> {
    let dot_git = dir.join(".git");
    if !is_file {
        return Some(dot_git);
    }
    let text = std::fs::read(&dot_git).ok()?;
    let target = first_line(text.strip_prefix(b"gitdir: ")?);
    let git_dir = dir.join(std::ffi::OsStr::from_bytes(target));
    let Ok(common) = std::fs::read(git_dir.join("commondir")) else { return Some(git_dir) };
    Some(git_dir.join(std::ffi::OsStr::from_bytes(first_line(&common))))
}

fn first_line(text: &[u8]) -> &[u8] {
    text.split(|byte| *byte == b'\n').next().unwrap_or_default()
}
