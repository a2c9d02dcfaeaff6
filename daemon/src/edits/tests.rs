//! Turns that are made, taken back, and broken off at each step.

use super::*;
use crate::parallel::Crew;
use proptest::prelude::*;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::TempDir;

/// At which step the process ends itself; a child alone sets it.
static LAST: AtomicUsize = AtomicUsize::new(usize::MAX);

thread_local! {
    /// What else happens at a step.
    static PLAIN: Cell<bool> = const { Cell::new(false) };
    static MEANWHILE: RefCell<Option<Meanwhile>> = const { RefCell::new(None) };
}

type Meanwhile = Box<dyn FnMut(&str)>;

/// Has something happen at a step, once.
fn meanwhile(step: &'static str, mut work: impl FnMut() + 'static) {
    let mut is_done = false;
    let at = move |now: &str| {
        if now == step && !std::mem::replace(&mut is_done, now == step) {
            work();
        }
    };
    MEANWHILE.set(Some(Box::new(at)));
}

/// Whether files change as on a file system that knows one step for each rename.
pub(super) fn is_plain() -> bool {
    PLAIN.get()
}

/// A step of a turn.
pub(super) fn point(step: &str) {
    MEANWHILE.with_borrow_mut(|work| work.iter_mut().for_each(|work| work(step)));
    // Only a child counts.
    if LAST.load(Ordering::Relaxed) != usize::MAX && LAST.fetch_sub(1, Ordering::Relaxed) == 0 {
        let own = rustix::process::getpid();
        let _ = rustix::process::kill_process(own, rustix::process::Signal::KILL);
        loop {
            std::thread::park();
        }
    }
}

/// The files below a directory, but for git's, with their permissions.
type Files = BTreeMap<String, (String, u32)>;

fn files(dir: &Path) -> Files {
    let mut files = Files::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(next) = dirs.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            let meta = path.symlink_metadata().unwrap();
            if path.ends_with(".git") {
                continue;
            }
            if meta.is_dir() {
                dirs.push(path);
                continue;
            }
            let name = path.strip_prefix(dir).unwrap().to_str().unwrap().to_owned();
            let text = fs::read(&path).unwrap_or_default().escape_ascii().to_string();
            files.insert(name, (text, meta.mode() & 0o777));
        }
    }
    files
}

/// A directory with files, and a place for its journal.
struct Place {
    dir: TempDir,
}

impl Place {
    fn new(git: bool) -> Self {
        let place = Self { dir: tempfile::tempdir().unwrap() };
        fs::create_dir(place.root()).unwrap();
        if git {
            let repository = git2::Repository::init(place.root()).unwrap();
            let mut config = repository.config().unwrap();
            config.set_str("user.name", "Ada").unwrap();
            config.set_str("user.email", "ada@example.org").unwrap();
        }
        place
    }

    fn root(&self) -> PathBuf {
        self.dir.path().canonicalize().unwrap().join("tree")
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn git(&self) -> git2::Repository {
        git2::Repository::open(self.root()).unwrap()
    }

    fn head(&self) -> Option<git2::Oid> {
        self.git().head().ok().and_then(|head| head.target())
    }

    /// Commits all that there is.
    fn commit(&self) -> git2::Oid {
        let git = self.git();
        let mut index = git.index().unwrap();
        index.add_all(["*"], git2::IndexAddOption::DEFAULT, None).unwrap();
        index.update_all(["*"], None).unwrap();
        index.write().unwrap();
        let tree = git.find_tree(index.write_tree().unwrap()).unwrap();
        let parent = self.head().map(|id| git.find_commit(id).unwrap());
        let parents: Vec<&git2::Commit<'_>> = parent.iter().collect();
        let own = git.signature().unwrap();
        git.commit(Some("HEAD"), &own, &own, "by hand", &tree, &parents).unwrap()
    }

    /// What `git status` would tell.
    fn status(&self) -> Vec<String> {
        let git = self.git();
        let mut options = git2::StatusOptions::new();
        options.include_untracked(true);
        let statuses = git.statuses(Some(&mut options)).unwrap();
        let told = |entry: git2::StatusEntry<'_>| {
            format!("{:?} {}", entry.status(), entry.path().unwrap())
        };
        statuses.iter().map(told).collect()
    }

    fn with<T>(&self, settings: Settings, work: impl FnOnce(&Editor<'_>) -> T) -> T {
        let (root, turns) = (self.root(), self.dir.path().join("turns"));
        let crew = Crew::new("test", 1);
        let all = || files(&root).into_keys().map(String::into_bytes).collect();
        work(&Editor {
            root: &root,
            turns: &turns,
            settings,
            crew: &crew,
            all: &all,
            having: &|_| Vec::new(),
        })
    }

    fn apply(&self, reply: &str) -> Result<Applied, Failed> {
        self.with(settings(), |editor| editor.apply(&asked(reply)))
    }

    fn made(&self, reply: &str) -> Applied {
        let applied = self.apply(reply).unwrap();
        assert!(applied.turn.is_some(), "{:?}", applied.failures);
        applied
    }

    fn undo(&self, count: usize) -> Result<Vec<Undone>, Failed> {
        self.with(settings(), |editor| editor.undo(count, false))
    }
}

fn settings() -> Settings {
    crate::config::Config::default().edits()
}

fn asked(reply: &str) -> Asked<'_> {
    Asked {
        reply: reply.as_bytes(),
        format: None,
        files: Vec::new(),
        message: None,
        commit: true,
        dry_run: false,
        seen: HashMap::new(),
        environment: BTreeMap::new(),
        umask: None,
    }
}

fn replace(path: &str, search: &str, replace: &str) -> String {
    format!("{path}\n```\n<<<<<<< SEARCH\n{search}=======\n{replace}>>>>>>> REPLACE\n```\n\n")
}

fn kinds(applied: &Applied) -> Vec<&'static str> {
    applied.failures.iter().map(|failure| failure.kind.name()).collect()
}

/// Ten files, one of them a program and one not committed, and a reply that changes them all.
fn ten_files(place: &Place) -> String {
    for number in 0..6 {
        place.write(&format!("src/{number}.txt"), &format!("one\ntwo {number}\nthree\n"));
    }
    place.write("old/gone.txt", "gone\n");
    place.write("old/name.txt", "name\nof a file\n");
    let program = fs::Permissions::from_mode(0o755);
    fs::set_permissions(place.root().join("src/0.txt"), program).unwrap();
    if place.root().join(".git").exists() {
        place.commit();
    }
    place.write("src/1.txt", "one\ntwo 1\nthree, by hand\n");
    let edits: String = (0..6)
        .map(|number| replace(&format!("src/{number}.txt"), &format!("two {number}\n"), "2\n"))
        .collect();
    let made = replace("new/a/b.txt", "", "b\n") + &replace("new/c.txt", "", "c\n");
    let patch = "*** Begin Patch\n*** Delete File: old/gone.txt\n*** Update File: old/name.txt\n\
                 *** Move to: new/name.txt\n@@\n-name\n+new name\n of a file\n*** End Patch\n";
    edits + &made + patch
}

/// The part of a child: it makes or takes back the turn, and ends itself at a step.
#[test]
fn child() {
    let Ok(told) = std::env::var("HOB_TEST_CHILD") else { return };
    let parts: Vec<&str> = told.splitn(3, ' ').collect();
    let [step, what, dir] = parts.as_slice() else { panic!("{told}") };
    let dir = Path::new(dir);
    let reply = fs::read_to_string(dir.join("reply")).unwrap();
    let (root, turns) = (dir.join("tree"), dir.join("turns"));
    let crew = Crew::new("test", 1);
    let (all, having) = (Vec::new, |_: &[u8]| Vec::new());
    let editor = Editor {
        root: &root,
        turns: &turns,
        settings: settings(),
        crew: &crew,
        all: &all,
        having: &having,
    };
    LAST.store(step.parse().unwrap(), Ordering::Relaxed);
    match *what {
        "recover" => recover(&turns, settings()),
        "apply" => assert!(editor.apply(&asked(&reply)).unwrap().turn.is_some()),
        _ => assert_eq!(editor.undo(1, false).unwrap().len(), 1),
    }
}

/// Whether a child came to its end.
fn has_ended(place: &Place, what: &str, step: usize) -> bool {
    let dir = place.dir.path().canonicalize().unwrap();
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "edits::tests::child", "--test-threads=1"])
        .env("HOB_TEST_CHILD", format!("{step} {what} {}", dir.display()))
        .output()
        .unwrap();
    if status.status.signal() == Some(9) {
        return false;
    }
    assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stdout));
    true
}

fn killed_at_each_step(what: &str, git: bool) {
    let mut seen = [false; 2];
    for step in 0.. {
        let place = Place::new(git);
        let reply = ten_files(&place);
        fs::write(place.dir.path().join("reply"), &reply).unwrap();
        let old = files(&place.root());
        let base = git.then(|| place.head());
        place.made(&reply);
        let new = files(&place.root());
        let mut from = (&old, &new);
        if what == "undo" {
            from = (&new, &old);
        } else {
            place.undo(1).unwrap();
            if git {
                // As if it had never been made: its files, too, that were not committed.
                let git = place.git();
                let object = git.find_object(base.unwrap().unwrap(), None).unwrap();
                git.reset(&object, git2::ResetType::Mixed, None).unwrap();
            }
            assert_eq!(files(&place.root()), old);
        }
        let ended = has_ended(&place, what, step);
        for (path, held) in files(&place.root()) {
            let is_one = [&old, &new].iter().any(|side| side.get(&path) == Some(&held));
            assert!(is_one || path.contains("/.hob-"), "{what} {step}: {path}: {held:?}");
        }
        recover(&place.dir.path().join("turns"), settings());
        let now = files(&place.root());
        let is_new = now == *from.1;
        assert!(is_new || now == *from.0, "{what} {step}: {now:#?}");
        assert!(!ended || is_new);
        seen[usize::from(is_new)] = true;
        let journal = Journal::of(&place.dir.path().join("turns"), &place.root());
        assert!(journal.numbers().unwrap().iter().all(|(_, stage)| stage.is_settled()));
        if git {
            let has_turn = is_new == (what == "apply");
            let repository = place.git();
            let tree = repository.head().unwrap().peel_to_tree().unwrap();
            assert_eq!(tree.get_path(Path::new("new/c.txt")).is_ok(), has_turn, "{what} {step}");
            let by_hand = place.status().iter().filter(|line| !line.contains("src/1.txt")).count();
            assert_eq!(by_hand, 0, "{what} {step}: {:?}", place.status());
        }
        // What is made can be taken back, and what is not can be made.
        match is_new == (what == "apply") {
            true => assert_eq!(place.undo(1).unwrap().len(), 1),
            false => drop(place.made(&reply)),
        }
        if ended {
            break;
        }
    }
    assert_eq!(seen, [true, true], "some are completed, and some are taken back");
}

#[test]
fn a_turn_that_is_killed_at_any_step_is_made_or_is_not() {
    killed_at_each_step("apply", true);
}

#[test]
fn an_undo_that_is_killed_at_any_step_is_done_or_is_not() {
    killed_at_each_step("undo", true);
}

/// The next start is killed as well, at each of its own steps.
#[test]
fn a_start_that_is_killed_while_it_brings_a_turn_to_its_end_is_followed_by_one_that_does() {
    for first in [14, 18, 24] {
        for second in 0.. {
            let place = Place::new(false);
            let reply = ten_files(&place);
            fs::write(place.dir.path().join("reply"), &reply).unwrap();
            let old = files(&place.root());
            assert!(!has_ended(&place, "apply", first));
            let ended = has_ended(&place, "recover", second);
            recover(&place.dir.path().join("turns"), settings());
            let now = files(&place.root());
            let is_old = now == old;
            let applied = place.apply(&reply).unwrap();
            assert_eq!(applied.turn.is_some(), is_old, "{first} {second}: {now:#?}");
            assert_eq!(files(&place.root()).len(), 9, "{first} {second}: {now:#?}");
            place.undo(1).unwrap();
            assert_eq!(files(&place.root()), old, "{first} {second}");
            if ended {
                break;
            }
        }
    }
}

#[test]
fn both_hold_without_git() {
    killed_at_each_step("apply", false);
    killed_at_each_step("undo", false);
}

#[test]
fn a_file_that_was_written_after_a_kill_is_left_alone() {
    for step in 0.. {
        let place = Place::new(false);
        let reply = ten_files(&place);
        fs::write(place.dir.path().join("reply"), &reply).unwrap();
        let old = files(&place.root());
        let ended = has_ended(&place, "apply", step);
        if ended {
            break;
        }
        place.write("src/3.txt", "mine\n");
        recover(&place.dir.path().join("turns"), settings());
        let now = files(&place.root());
        assert_eq!(now["src/3.txt"].0, r"mine\n", "{step}");
        let others = |files: &Files| {
            let mut files = files.clone();
            files.remove("src/3.txt");
            files
        };
        let unsettled = Journal::of(&place.dir.path().join("turns"), &place.root());
        let done = unsettled.numbers().unwrap().iter().any(|(_, stage)| *stage == Stage::Done);
        // Once it was done, the file was changed after it.
        assert!(done || others(&now) == others(&old), "{step}: {now:#?}");
    }
}

#[test]
fn a_write_that_comes_between_is_a_conflict_and_is_not_lost() {
    for step in ["written down", "written beside", "applying", "changed places"] {
        let place = Place::new(true);
        let reply = ten_files(&place);
        let before = place.head();
        // The last of them, so that all others have changed by then.
        let file = place.root().join("old/name.txt");
        let path = file.clone();
        meanwhile(step, move || fs::write(&path, "mine\n").unwrap());
        let applied = place.apply(&reply).unwrap();
        MEANWHILE.set(None);
        assert_eq!(kinds(&applied), ["conflict"], "{step}");
        assert_eq!(applied.turn, None);
        let mut now = files(&place.root());
        assert_eq!(now.remove("old/name.txt").unwrap().0, r"mine\n");
        fs::write(&file, "name\nof a file\n").unwrap();
        let again = Place::new(true);
        ten_files(&again);
        assert_eq!(files(&place.root()), files(&again.root()), "{step}");
        assert_eq!(place.head(), before);
        assert_eq!(place.made(&reply).files.len(), 10);
    }
}

#[test]
fn a_commit_that_comes_between_takes_all_back() {
    let place = Place::new(true);
    let reply = ten_files(&place);
    let before = files(&place.root());
    let root = place.root();
    meanwhile("changed", move || {
        let git = git2::Repository::open(&root).unwrap();
        let head = git.head().unwrap().peel_to_commit().unwrap();
        let (own, tree) = (git.signature().unwrap(), head.tree().unwrap());
        git.commit(Some("HEAD"), &own, &own, "theirs", &tree, &[&head]).unwrap();
    });
    let failed = place.apply(&reply).unwrap_err();
    MEANWHILE.set(None);
    assert!(failed.to_string().contains("another commit was made meanwhile"), "{failed}");
    assert_eq!(files(&place.root()), before);
    place.made(&reply);
}

#[test]
fn what_the_reply_has_seen_must_be_there() {
    let place = Place::new(false);
    place.write("a", "one\n");
    let reply = replace("a", "one\n", "two\n");
    let mut query = asked(&reply);
    let hash = |text: &str| blake3::hash(text.as_bytes()).to_hex().to_string();
    query.seen.insert(b"a".to_vec(), hash("another\n"));
    let applied = place.with(settings(), |editor| editor.apply(&query)).unwrap();
    assert_eq!(kinds(&applied), ["conflict"]);
    query.seen.insert(b"a".to_vec(), hash("one\n"));
    assert_eq!(place.with(settings(), |editor| editor.apply(&query)).unwrap().turn, Some(1));
}

#[test]
fn nothing_leaves_the_root_and_nothing_secret_is_touched() {
    let place = Place::new(true);
    let outside = place.dir.path().canonicalize().unwrap().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("a"), "a\n").unwrap();
    place.write(".gitignore", ".env\nbuild\n");
    place.write(".env", "KEY=1\n");
    place.write("build/x.txt", "a\n");
    place.write("real/a.txt", "a\n");
    place.write("file", "a\n");
    let link = |to: &str, name: &str| {
        std::os::unix::fs::symlink(to, place.root().join(name)).unwrap();
    };
    link("../outside", "out");
    link("../outside/a", "out.txt");
    link("real", "in");
    link("real/a.txt", "in.txt");
    link("nowhere", "dangling.txt");
    link(".git", "git");
    link("loop.txt", "loop.txt");
    let absolute = outside.join("a").display().to_string();
    let before = files(&place.root());
    for (path, kind) in [
        ("../outside/a", "forbidden"),
        ("real/../../outside/a", "forbidden"),
        (absolute.as_str(), "forbidden"),
        ("out/a", "forbidden"),
        ("out/new/b.txt", "forbidden"),
        ("out.txt", "forbidden"),
        ("dangling.txt", "forbidden"),
        ("dangling.txt/x.txt", "forbidden"),
        (".git/config", "forbidden"),
        (".GIT/config", "forbidden"),
        ("real/.git/hooks/post-commit", "forbidden"),
        ("git/config", "forbidden"),
        ("git/hooks/pre-commit", "forbidden"),
        ("loop.txt", "forbidden"),
        (".env", "forbidden"),
        ("real/.env", "forbidden"),
        ("file/x.txt", "forbidden"),
        (".jj/repo/store/x", "forbidden"),
    ] {
        let whole = format!("{path}\n```\n<<<<<<< SEARCH\n=======\nb\n>>>>>>> REPLACE\n```\n");
        let applied = place.apply(&whole).unwrap();
        assert_eq!(kinds(&applied), [kind], "{path}: {:?}", applied.failures);
        let patch = format!("*** Begin Patch\n*** Add File: {path}\n+b\n*** End Patch\n");
        assert_eq!(kinds(&place.apply(&patch).unwrap()), [kind], "{path}");
    }
    let patch = "*** Begin Patch\n*** Delete File: in.txt\n*** End Patch\n";
    assert_eq!(kinds(&place.apply(patch).unwrap()), ["forbidden"]);
    let patch = "*** Begin Patch\n*** Update File: real/a.txt\n*** Move to: ../b\n@@\n-a\n+b\n*** End Patch\n";
    let kinds = kinds(&place.apply(patch).unwrap());
    assert!(!kinds.is_empty() && kinds.iter().all(|kind| *kind == "forbidden"), "{kinds:?}");
    assert_eq!(files(&place.root()), before);
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
    // Through links that stay within, the file behind them is edited, and the links stay.
    let both = replace("in/a.txt", "a\n", "b\n") + &replace("in.txt", "b\n", "c\n");
    let applied = place.made(&both);
    assert_eq!(applied.files.len(), 1);
    assert_eq!(fs::read_to_string(place.root().join("real/a.txt")).unwrap(), "c\n");
    assert!(place.root().join("in.txt").symlink_metadata().unwrap().is_symlink());
    // What is merely ignored is edited, and not committed.
    let applied = place.made(&replace("build/x.txt", "a\n", "b\n"));
    assert_eq!(applied.commits, None);
    assert!(applied.notes[0].contains("ignored"), "{:?}", applied.notes);
}

#[test]
fn a_link_that_is_swapped_in_a_race_leads_nowhere() {
    use std::sync::atomic::AtomicBool;
    let place = Place::new(false);
    let outside = place.dir.path().canonicalize().unwrap().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("a.txt"), "0\n").unwrap();
    place.write("dir/a.txt", "0\n");
    std::os::unix::fs::symlink("../outside", place.root().join("link")).unwrap();
    let ends = AtomicBool::new(false);
    let root = place.root();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let swap = || {
                let cwd = rustix::fs::CWD;
                let (one, other) = (root.join("dir"), root.join("link"));
                let flags = rustix::fs::RenameFlags::EXCHANGE;
                rustix::fs::renameat_with(cwd, one, cwd, other, flags)
            };
            while !ends.load(Ordering::Relaxed) {
                swap().unwrap();
            }
        });
        let mut number = 0;
        let mut refused = 0;
        for _ in 0..300 {
            let reply = replace("dir/a.txt", &format!("{number}\n"), &format!("{}\n", number + 1));
            let made = match place.apply(&reply) {
                Ok(applied) => applied.turn.is_some(),
                Err(_) => false,
            };
            (number, refused) = if made { (number + 1, refused) } else { (number, refused + 1) };
            assert_eq!(fs::read_to_string(outside.join("a.txt")).unwrap(), "0\n");
            assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
        }
        ends.store(true, Ordering::Relaxed);
        assert!(refused > 0, "the race was never lost");
    });
}

#[test]
fn what_was_done_later_is_not_undone() {
    let place = Place::new(true);
    place.write("a", "one\n");
    place.write("b", "one\n");
    place.commit();
    place.made(&replace("a", "one\n", "two\n"));
    place.made(&replace("b", "one\n", "two\n"));
    place.write("a", "two, by hand\n");
    // The later turn alone can go.
    let failed = place.undo(2).unwrap_err();
    assert!(failed.to_string().contains("`a` is not as it has left it"), "{failed}");
    assert_eq!(fs::read_to_string(place.root().join("b")).unwrap(), "two\n");
    assert_eq!(place.undo(1).unwrap().len(), 1);
    assert!(place.undo(1).is_err());
    place.write("a", "two\n");
    assert_eq!(place.undo(1).unwrap().len(), 1);
    assert_eq!(fs::read_to_string(place.root().join("a")).unwrap(), "one\n");
    // What is staged is work, too.
    place.made(&replace("a", "one\n", "two\n"));
    place.write("a", "staged\n");
    let git = place.git();
    let mut index = git.index().unwrap();
    index.add_path(Path::new("a")).unwrap();
    index.write().unwrap();
    place.write("a", "two\n");
    let failed = place.undo(1).unwrap_err();
    assert!(failed.to_string().contains("is staged"), "{failed}");
}

#[test]
fn what_else_is_staged_stays_staged() {
    let place = Place::new(true);
    place.write("a", "one\n");
    place.write("b", "one\n");
    place.commit();
    place.write("b", "staged\n");
    let git = place.git();
    let mut index = git.index().unwrap();
    index.add_path(Path::new("b")).unwrap();
    index.write().unwrap();
    let applied = place.made(&replace("a", "one\n", "two\n"));
    assert_eq!(applied.commits.unwrap().saved, None);
    assert_eq!(place.status(), ["Status(INDEX_MODIFIED) b"]);
    place.undo(1).unwrap();
    assert_eq!(place.status(), ["Status(INDEX_MODIFIED) b"]);
}

#[test]
fn a_commit_that_is_not_the_last_or_was_pushed_is_reverted() {
    let place = Place::new(true);
    place.write("a", "one\n");
    place.write("b", "one\n");
    place.commit();
    place.made(&replace("a", "one\n", "two\n"));
    place.write("b", "by hand\n");
    let by_hand = place.commit();
    let undone = place.undo(1).unwrap();
    assert!(matches!(undone[0].retreat, Some(Retreat::Reverted(_))), "{undone:?}");
    let git = place.git();
    let head = git.head().unwrap().peel_to_commit().unwrap();
    assert_eq!(head.parent_id(0).unwrap(), by_hand);
    assert!(head.message().unwrap().starts_with("Revert \"Edit a\""));
    assert_eq!(place.status(), Vec::<String>::new());
    place.made(&replace("a", "one\n", "two\n"));
    let tip = place.head().unwrap();
    git.reference("refs/remotes/origin/main", tip, true, "pushed").unwrap();
    let undone = place.undo(1).unwrap();
    assert!(matches!(undone[0].retreat, Some(Retreat::Reverted(_))), "{undone:?}");
    assert_ne!(place.head().unwrap(), tip);
    assert_eq!(fs::read_to_string(place.root().join("a")).unwrap(), "one\n");
}

#[test]
fn hooks_see_the_files_before_they_are_committed() {
    let place = Place::new(true);
    place.write("a", "one\n");
    place.commit();
    let hook = |name: &str, script: &str| {
        let path = place.root().join(".git/hooks").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    };
    let hooks = Settings { hooks: true, ..settings() };
    let reply = replace("a", "one\n", "two\n");
    let apply = || {
        let mut query = asked(&reply);
        query.environment.insert("PATH".into(), std::env::var_os("PATH").unwrap());
        place.with(hooks, |editor| editor.apply(&query))
    };
    hook("pre-commit", "echo no tabs here; exit 1");
    let before = (files(&place.root()), place.head());
    let failed = apply().unwrap_err();
    assert_eq!(failed.to_string(), "the hook `pre-commit` says no:\nno tabs here");
    assert_eq!((files(&place.root()), place.head()), before);
    assert_eq!(place.status(), Vec::<String>::new());
    // One that formats, and one that has a word to say.
    hook("pre-commit", "echo formatted >> a");
    hook("commit-msg", "echo 'Reviewed-by: a hook' >> $1");
    let applied = apply().unwrap();
    assert!(applied.turn.is_some());
    let git = place.git();
    let head = git.head().unwrap().peel_to_commit().unwrap();
    assert_eq!(head.message().unwrap(), "Edit a\nReviewed-by: a hook\n\nAssisted-by: hob\n");
    assert_eq!(place.status(), Vec::<String>::new());
    assert_eq!(fs::read_to_string(place.root().join("a")).unwrap(), "two\nformatted\n");
    place.undo(1).unwrap();
    assert_eq!((files(&place.root()), place.head()), before);
    // One that formats, before another says no: what was staged comes back as well.
    place.write("a", "staged\n");
    let mut index = git.index().unwrap();
    index.read(true).unwrap();
    index.add_path(Path::new("a")).unwrap();
    index.write().unwrap();
    place.write("a", "one\n");
    let staged = place.status();
    hook("commit-msg", "exit 1");
    assert!(apply().unwrap_err().to_string().contains("`commit-msg` says no"));
    assert_eq!(
        (files(&place.root()), place.head(), place.status()),
        (before.0.clone(), before.1, staged)
    );
    // What is staged alone is told before it is replaced.
    hook("commit-msg", "exit 0");
    let applied = apply().unwrap();
    assert!(applied.notes[0].contains("git cat-file -p"), "{:?}", applied.notes);
    place.undo(1).unwrap();
    assert_eq!((files(&place.root()), place.head()), before);
    // One that does not end.
    hook("pre-commit", "sleep 1000");
    let short = Settings { hook: Duration::from_millis(50), ..hooks };
    let mut query = asked(&reply);
    query.environment.insert("PATH".into(), std::env::var_os("PATH").unwrap());
    let failed = place.with(short, |editor| editor.apply(&query)).unwrap_err();
    assert!(failed.to_string().contains("git.hook_ms"), "{failed}");
    assert_eq!((files(&place.root()), place.head()), before);
}

#[test]
fn a_file_keeps_what_its_inode_has() {
    let place = Place::new(false);
    place.write("a", "one\n");
    let path = place.root().join("a");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let flags = rustix::fs::XattrFlags::empty();
    let has_attributes = rustix::fs::setxattr(&path, "user.note", b"kept", flags).is_ok();
    fs::hard_link(&path, place.root().join("b")).unwrap();
    let applied = place.made(&replace("a", "one\n", "two\n"));
    assert!(applied.notes[0].contains("hard link"), "{:?}", applied.notes);
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o640);
    let mut value = [0; 16];
    let length = rustix::fs::getxattr(&path, "user.note", value.as_mut_slice());
    assert!(!has_attributes || value[..length.unwrap()] == *b"kept");
    place.undo(1).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o640);
}

#[test]
fn syntax_that_breaks_is_told() {
    let place = Place::new(false);
    place.write("a.rs", "fn a() {}\n");
    place.write("b.rs", "fn b( {}\n");
    let reply = replace("a.rs", "fn a() {}\n", "fn z() {}\nfn a( {}\n")
        + &replace("b.rs", "fn b( {}\n", "fn c( {}\n");
    assert_eq!(place.made(&reply).broken, [(b"a.rs".to_vec(), 2)]);
}

#[test]
fn turns_of_another_version_stay_as_they_are() {
    let place = Place::new(false);
    place.write("a", "one\n");
    place.made(&replace("a", "one\n", "two\n"));
    let turn = fs::read_dir(place.dir.path().join("turns")).unwrap().next().unwrap().unwrap();
    let turn = turn.path().join("1.done");
    let text = fs::read_to_string(&turn).unwrap();
    fs::write(&turn, text.replace("\"version\":1", "\"version\":2")).unwrap();
    let failed = place.undo(1).unwrap_err();
    assert!(failed.to_string().contains("another version"), "{failed}");
    fs::write(&turn, text.replace("two\n", "TWO\n")).unwrap();
    let failed = place.undo(1).unwrap_err();
    assert!(failed.to_string().contains("damaged"), "{failed}");
    assert_eq!(fs::read_to_string(place.root().join("a")).unwrap(), "two\n");
    fs::write(&turn, text).unwrap();
    assert_eq!(place.undo(1).unwrap().len(), 1);
}

#[test]
fn a_file_of_the_limit_is_edited_and_one_past_it_is_not() {
    let place = Place::new(false);
    let limited = Settings { file_bytes: 1 << 20, ..settings() };
    let apply = |reply: &str| place.with(limited, |editor| editor.apply(&asked(reply))).unwrap();
    let text = |bytes: usize| format!("one\n{}\n", "x".repeat(bytes - 5));
    place.write("a", &text(1 << 20));
    place.write("b", &text((1 << 20) + 1));
    assert_eq!(apply(&replace("a", "one\n", "two\n")).turn, Some(1));
    let applied = apply(&replace("b", "one\n", "two\n"));
    assert!(applied.failures[0].message.contains("edits.file_mb"), "{:?}", applied.failures);
}

#[test]
fn a_file_system_without_exchanges_is_as_good() {
    PLAIN.set(true);
    for step in ["applying", "changed places"] {
        let place = Place::new(true);
        let reply = ten_files(&place);
        let before = files(&place.root());
        let made = place.made(&reply);
        assert_eq!(made.files.len(), 10);
        place.undo(1).unwrap();
        assert_eq!(files(&place.root()), before);
        let file = place.root().join("old/name.txt");
        let path = file.clone();
        meanwhile(step, move || fs::write(&path, "mine\n").unwrap());
        let applied = place.apply(&reply).unwrap();
        MEANWHILE.set(None);
        assert_eq!(kinds(&applied), ["conflict"], "{step}");
        fs::write(&file, "name\nof a file\n").unwrap();
        assert_eq!(files(&place.root()), before, "{step}");
    }
    PLAIN.set(false);
}

#[test]
fn what_cannot_be_changed_back_is_kept_and_told() {
    let place = Place::new(true);
    let reply = ten_files(&place);
    let root = place.root();
    // Somebody writes to the first while the last is a conflict.
    meanwhile("changed places", move || {
        fs::write(root.join("src/0.txt"), "mine\n").unwrap();
        fs::write(root.join("old/name.txt"), "mine\n").unwrap();
    });
    let failed = place.apply(&reply).unwrap_err();
    MEANWHILE.set(None);
    assert!(failed.to_string().contains("`src/0.txt` could not be changed back"), "{failed}");
    // The next one brings it to an end, and nothing is lost of what the file was.
    assert!(place.undo(1).unwrap().is_empty());
    let now = files(&place.root());
    assert_eq!(
        (now["src/0.txt"].0.as_str(), now["src/2.txt"].0.as_str()),
        (r"mine\n", r"one\ntwo 2\nthree\n")
    );
    assert!(!now.keys().any(|path| path.contains(".hob-")), "{now:?}");
    let (_, diff) = place.with(settings(), |editor| editor.diff(Some(1))).unwrap().unwrap();
    assert!(String::from_utf8_lossy(&diff).contains("-two 0"));
}

#[test]
fn a_directory_that_became_a_file_does_not_block_turns() {
    let place = Place::new(false);
    let reply = ten_files(&place);
    fs::write(place.dir.path().join("reply"), &reply).unwrap();
    assert!(!has_ended(&place, "apply", 20));
    fs::remove_dir_all(place.root().join("old")).unwrap();
    place.write("old", "a file now\n");
    place.write("other", "one\n");
    place.made(&replace("other", "one\n", "two\n"));
    assert_eq!(files(&place.root())["old"].0, r"a file now\n");
    let numbers = place.with(settings(), |editor| editor.list(9)).unwrap().0;
    assert!(numbers.iter().all(|(_, turn)| turn.as_ref().unwrap().stage.is_settled()));
}

#[test]
fn a_program_that_has_the_old_file_open_is_told_of() {
    use std::io::Write as _;
    let place = Place::new(false);
    place.write("log", "one\n");
    let path = place.root().join("log");
    let mut open = fs::OpenOptions::new().append(true).open(path).unwrap();
    meanwhile("committed", move || open.write_all(b"late\n").unwrap());
    let applied = place.made(&replace("log", "one\n", "two\n"));
    MEANWHILE.set(None);
    assert!(applied.notes[0].contains("written to the old `log`"), "{:?}", applied.notes);
    let kept =
        files(&place.root()).into_iter().find(|(path, _)| path.starts_with(".hob-")).unwrap();
    assert_eq!(kept.1.0, r"one\nlate\n");
}

#[test]
fn what_git_is_told_to_leave_alone_is_left_alone() {
    let place = Place::new(true);
    place.write(".gitignore", "build\n");
    place.write("config", "default\n");
    place.write("a", "one\n");
    place.commit();
    // Ignored, and deleted by a turn: the way back does not commit it.
    place.write("build/x", "x\n");
    let patch = "*** Begin Patch\n*** Delete File: build/x\n*** Update File: a\n@@\n-one\n+two\n*** End Patch\n";
    place.made(patch);
    place.write("b", "by hand\n");
    place.commit();
    place.undo(1).unwrap();
    assert_eq!(fs::read_to_string(place.root().join("build/x")).unwrap(), "x\n");
    let git = place.git();
    let tree = git.head().unwrap().peel_to_tree().unwrap();
    assert!(tree.get_path(Path::new("build/x")).is_err());
    // Marked as unchanged: changed, not committed, and still marked.
    let mut index = git.index().unwrap();
    let mut entry = index.get_path(Path::new("config"), 0).unwrap();
    entry.flags |= 1 << 15;
    index.add(&entry).unwrap();
    index.write().unwrap();
    place.write("config", "secret\n");
    let head = place.head();
    let applied = place.made(&replace("config", "secret\n", "another\n"));
    assert!(applied.notes[0].contains("marked as unchanged"), "{:?}", applied.notes);
    assert_eq!(place.head(), head);
    // A conflict that no merge explains.
    let mut entry = index.get_path(Path::new("a"), 0).unwrap();
    index.remove_path(Path::new("a")).unwrap();
    for stage in 1..=3_u16 {
        entry.flags = (entry.flags & !0x3000) | stage << 12;
        index.add(&entry).unwrap();
    }
    index.write().unwrap();
    let applied = place.made(&replace("a", "one\n", "two\n"));
    assert!(applied.notes[0].contains("has a conflict"), "{:?}", applied.notes);
    assert_eq!(place.head(), head);
}

#[test]
fn no_reply_writes_a_hook_that_is_run() {
    let place = Place::new(true);
    place.git().config().unwrap().set_str("core.hooksPath", ".githooks").unwrap();
    place.write(".githooks/pre-commit", "#!/bin/sh\nexit 0\n");
    let path = place.root().join(".githooks/pre-commit");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    place.commit();
    let reply = replace(".githooks/pre-commit", "exit 0\n", "touch pwned\n");
    let hooks = Settings { hooks: true, ..settings() };
    let applied = place.with(hooks, |editor| editor.apply(&asked(&reply))).unwrap();
    assert_eq!(kinds(&applied), ["forbidden"]);
    // Where none is run, it is a file as any.
    place.made(&reply);
}

#[test]
fn a_turn_that_git_has_taken_back_is_in_nobodys_way() {
    let place = Place::new(true);
    place.write("a", "one\n");
    place.write("b", "one\n");
    place.commit();
    place.made(&replace("a", "one\n", "two\n"));
    let first = place.head().unwrap();
    place.made(&replace("b", "one\n", "two\n"));
    let git = place.git();
    let object = git.find_object(first, None).unwrap();
    git.reset(&object, git2::ResetType::Hard, None).unwrap();
    let undone = place.undo(1).unwrap();
    assert_eq!(undone[0].turn.number, 1);
    assert_eq!(fs::read_to_string(place.root().join("a")).unwrap(), "one\n");
    // One whose commit was amended is reverted as it is now.
    place.made(&replace("a", "one\n", "two\n"));
    let head = git.head().unwrap().peel_to_commit().unwrap();
    head.amend(Some("HEAD"), None, None, None, Some("another word"), None).unwrap();
    let undone = place.undo(1).unwrap();
    assert!(matches!(undone[0].retreat, Some(Retreat::Reverted(_))), "{undone:?}");
    assert_eq!(fs::read_to_string(place.root().join("a")).unwrap(), "one\n");
    assert_eq!(place.status(), Vec::<String>::new());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn undo_restores_every_byte_after_any_sequence(
        git in any::<bool>(),
        steps in prop::collection::vec(
            (prop::collection::vec((0..6_u8, 0..5_u8, "[a-c\r\n]{0,12}"), 1..4), any::<bool>()),
            1..6,
        ),
        at_once in any::<bool>(),
    ) {
        let place = Place::new(git);
        for number in 0..3 {
            place.write(&format!("d/{number}"), &format!("line {number}\r\nlast"));
        }
        if git {
            place.commit();
        }
        let mut states = vec![files(&place.root())];
        for (edits, by_hand) in &steps {
            let mut patch = String::from("*** Begin Patch\n");
            let mut touched: Vec<u8> = Vec::new();
            for (file, action, text) in edits {
                let path = format!("d/{file}");
                let is_there = place.root().join(&path).exists();
                if touched.contains(file) {
                    continue;
                }
                touched.push(*file);
                let lines: String = text.split('\n').map(|line| format!("+{line}\n")).collect();
                match (is_there, action) {
                    (false, _) => patch += &format!("*** Add File: {path}\n{lines}"),
                    (true, 0) => patch += &format!("*** Delete File: {path}\n"),
                    (true, 1) if !place.root().join(format!("e/{file}")).exists() => {
                        patch += &format!("*** Update File: {path}\n*** Move to: e/{file}\n");
                    }
                    (true, _) => patch += &format!("*** Delete File: {path}\n*** Add File: {path}\n{lines}"),
                }
            }
            patch += "*** End Patch\n";
            let applied = place.apply(&patch).unwrap();
            if applied.turn.is_some() {
                states.push(files(&place.root()));
            } else {
                prop_assert_eq!(&files(&place.root()), states.last().unwrap());
            }
            if *by_hand {
                place.write("other", &format!("{}", states.len()));
                if git {
                    place.commit();
                }
                for state in &mut states {
                    state.remove("other");
                }
                fs::remove_file(place.root().join("other")).unwrap();
                if git {
                    place.commit();
                }
            }
        }
        let count = states.len() - 1;
        if at_once {
            prop_assert_eq!(place.undo(count.max(1)).unwrap().len(), count);
            prop_assert_eq!(&files(&place.root()), &states[0]);
        } else {
            for state in states.iter().rev().skip(1) {
                prop_assert_eq!(place.undo(1).unwrap().len(), 1);
                prop_assert_eq!(&files(&place.root()), state);
            }
        }
        if git {
            prop_assert_eq!(place.status(), Vec::<String>::new());
        }
    }
}
