//! The promise: what [`Workspace::sync`] gives is what a scan from scratch finds.

use super::*;
use hob_index::tree::{Docs, Node};
use proptest::prelude::*;
use std::fs;
use std::sync::atomic::AtomicU32;

const DEADLINE: Duration = Duration::from_secs(20);

struct World {
    dir: tempfile::TempDir,
    cookies: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), cookies: tempfile::tempdir().unwrap() }
    }

    fn root(&self) -> PathBuf {
        self.dir.path().canonicalize().unwrap()
    }

    fn open(&self, watching: Watching) -> Workspace {
        Workspace::open(
            &self.root(),
            watching,
            self.cookies.path(),
            (0, Arc::default()),
            None,
            Tasks::for_tests(),
            SCAN_JOBS,
        )
    }
}

/// All that a query depends on: each file with its stat, each name that is passed over.
fn all(dir: &Dir) -> Vec<String> {
    fn below(path: &str, dir: &Dir, all: &mut Vec<String>) {
        for entry in dir.entries() {
            let path = format!("{path}/{}", String::from_utf8_lossy(&entry.name));
            match &entry.node {
                Node::File(file) => all.push(format!("{path} {} {:x}", file.size, file.print)),
                Node::Dir(dir) => {
                    all.push(format!("{path}/ {:?}", dir.error()));
                    below(&path, dir, all);
                }
                skipped => all.push(format!("{path} {skipped:?}")),
            }
        }
    }
    let mut found = Vec::new();
    below("", dir, &mut found);
    found
}

fn from_scratch(root: &Path) -> Vec<String> {
    let touches = AtomicU32::new(0);
    let above = rules::Rules::above(root, &mut rules::Outside::default());
    let tree = scan::Scan::new(None, &touches).dir(root, &above, None).unwrap();
    all(&tree)
}

fn files(snapshot: &Snapshot) -> Vec<String> {
    let mut found = Vec::new();
    snapshot.tree.for_each_file(&Docs::All, &mut |path, _| {
        found.push(String::from_utf8_lossy(path).into_owned());
    });
    found
}

const LIVE: [Watching; 3] =
    [Watching::By(Backend::Auto), Watching::By(Backend::Notify), Watching::Polling];

/// Threads that look at directories.
const SCAN_JOBS: usize = 2;

#[test]
fn a_change_is_seen_by_the_next_query() {
    for watching in LIVE {
        let world = World::new();
        let workspace = world.open(watching);
        assert!(files(&workspace.sync(DEADLINE).unwrap()).is_empty());
        for round in 0..50 {
            fs::write(world.root().join(format!("f{round}")), "x").unwrap();
            assert_eq!(files(&workspace.sync(DEADLINE).unwrap()).len(), round + 1);
        }
    }
}

#[test]
fn a_root_that_is_deleted_is_gone_and_comes_back() {
    for watching in LIVE {
        let world = World::new();
        let root = world.root().join("root");
        fs::create_dir(&root).unwrap();
        fs::write(root.join("a"), "").unwrap();
        let workspace = Workspace::open(
            &root,
            watching,
            world.cookies.path(),
            (0, Arc::default()),
            None,
            Tasks::for_tests(),
            SCAN_JOBS,
        );
        assert_eq!(files(&workspace.sync(DEADLINE).unwrap()), ["a"]);
        fs::remove_dir_all(&root).unwrap();
        assert_eq!(workspace.sync(DEADLINE).unwrap_err(), Failed::RootGone);
        fs::create_dir(&root).unwrap();
        fs::write(root.join("b"), "").unwrap();
        assert_eq!(files(&workspace.sync(DEADLINE).unwrap()), ["b"]);
        fs::write(root.join("c"), "").unwrap();
        assert_eq!(files(&workspace.sync(DEADLINE).unwrap()), ["b", "c"]);
    }
}

#[test]
fn rules_outside_of_the_root_take_effect_at_once() {
    let world = World::new();
    let root = world.root().join("root");
    fs::create_dir(&root).unwrap();
    fs::write(root.join("a"), "").unwrap();
    fs::write(root.join("b"), "").unwrap();
    let workspace = world.open_at(&root);
    assert_eq!(files(&workspace.sync(DEADLINE).unwrap()), ["a", "b"]);
    fs::write(world.root().join(".ignore"), "a\n").unwrap();
    assert_eq!(files(&workspace.sync(DEADLINE).unwrap()), ["b"]);
    fs::remove_file(world.root().join(".ignore")).unwrap();
    assert_eq!(files(&workspace.sync(DEADLINE).unwrap()), ["a", "b"]);
    fs::create_dir_all(root.join(".git/info")).unwrap();
    fs::write(root.join(".git/info/exclude"), "b\n").unwrap();
    assert_eq!(files(&workspace.sync(DEADLINE).unwrap()), ["a"]);
}

impl World {
    fn open_at(&self, root: &Path) -> Workspace {
        Workspace::open(
            root,
            LIVE[0],
            self.cookies.path(),
            (0, Arc::default()),
            None,
            Tasks::for_tests(),
            SCAN_JOBS,
        )
    }
}

/// One step of a random life of a tree. Paths are of few names, so that steps meet.
#[derive(Clone, Debug)]
enum Step {
    Write(String, u8),
    Append(String),
    Truncate(String),
    Replace(String, u8),
    SameSizeSameTime(String, u8),
    Delete(String),
    MakeDirs(String, u8),
    Swap(String, String),
    Rename(String, String),
    Ignore(String, u8),
    Link(String),
    HardLink(String, String),
    Lock(String),
    Wait,
}

fn path() -> impl Strategy<Value = String> {
    proptest::string::string_regex("[abc](/[abc]){0,3}").unwrap()
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (path(), any::<u8>()).prop_map(|(path, text)| Step::Write(path, text)),
        1 => path().prop_map(Step::Append),
        1 => path().prop_map(Step::Truncate),
        2 => (path(), any::<u8>()).prop_map(|(path, text)| Step::Replace(path, text)),
        2 => (path(), any::<u8>()).prop_map(|(path, text)| Step::SameSizeSameTime(path, text)),
        2 => path().prop_map(Step::Delete),
        3 => (path(), any::<u8>()).prop_map(|(path, text)| Step::MakeDirs(path, text)),
        2 => (path(), path()).prop_map(|(a, b)| Step::Swap(a, b)),
        3 => (path(), path()).prop_map(|(a, b)| Step::Rename(a, b)),
        2 => (path(), any::<u8>()).prop_map(|(path, rule)| Step::Ignore(path, rule)),
        1 => path().prop_map(Step::Link),
        1 => (path(), path()).prop_map(|(a, b)| Step::HardLink(a, b)),
        1 => path().prop_map(Step::Lock),
        2 => Just(Step::Wait),
    ]
}

/// Does a step; what cannot be done (no parent, not empty) is left undone.
fn take(root: &Path, step: &Step) {
    let at = |path: &str| root.join(path);
    match step {
        Step::Write(path, text) => {
            let _ = fs::write(at(path), [*text]);
        }
        Step::Append(path) => {
            use std::io::Write as _;
            if let Ok(mut file) = fs::OpenOptions::new().append(true).open(at(path)) {
                let _ = file.write_all(b"more");
            }
        }
        Step::Truncate(path) => {
            let _ = fs::OpenOptions::new().write(true).truncate(true).open(at(path));
        }
        Step::Replace(path, text) => {
            let temporary = root.join("temporary");
            let _ = fs::write(&temporary, [*text, 0]);
            if fs::rename(&temporary, at(path)).is_err() {
                let _ = fs::remove_file(&temporary);
            }
        }
        Step::SameSizeSameTime(path, text) => {
            let Ok(meta) = fs::symlink_metadata(at(path)) else { return };
            if !meta.is_file() {
                return;
            }
            let _ = fs::write(at(path), vec![*text; meta.len() as usize]);
            if let Ok(file) = fs::OpenOptions::new().write(true).open(at(path)) {
                let _ = file.set_modified(meta.modified().unwrap());
            }
        }
        Step::Delete(path) => {
            if fs::remove_file(at(path)).is_err() {
                let _ = fs::remove_dir_all(at(path));
            }
        }
        Step::MakeDirs(path, text) => {
            if fs::create_dir_all(at(path)).is_ok() {
                let _ = fs::write(at(path).join("a"), [*text]);
            }
        }
        Step::Swap(a, b) => {
            let temporary = root.join("temporary");
            if fs::rename(at(a), &temporary).is_ok() {
                let _ = fs::rename(at(b), at(a));
                if fs::rename(&temporary, at(b)).is_err() && fs::rename(&temporary, at(a)).is_err()
                {
                    let _ = fs::remove_dir_all(&temporary);
                    let _ = fs::remove_file(&temporary);
                }
            }
        }
        Step::Rename(a, b) => {
            let _ = fs::rename(at(a), at(b));
        }
        Step::Ignore(path, rule) => {
            let text = ["a\n", "b/\n", "!a\n", "c\n!/c\n", "*\n!b\n", ""][*rule as usize % 6];
            let name = [".ignore", ".gitignore", ".rgignore"][*rule as usize / 6 % 3];
            let _ = fs::write(at(path).join(name), text);
            if *rule % 7 == 0 {
                let _ = fs::remove_file(at(path).join(name));
            }
            if *rule % 11 == 0 {
                let _ = fs::create_dir(at(path).join(".git"));
            }
        }
        Step::Link(path) => {
            // A directory of this world's own: later steps write through the link.
            let _ = std::os::unix::fs::symlink(root.join("../elsewhere"), at(path));
        }
        Step::HardLink(a, b) => {
            // A name outside of the tree, behind a link, is nothing that the kernel reports.
            let inside = |path: &str| {
                let parent = at(path).parent().and_then(|dir| dir.canonicalize().ok());
                parent.is_some_and(|dir| dir.starts_with(root))
            };
            if inside(a) && inside(b) {
                let _ = fs::hard_link(at(a), at(b));
            }
        }
        Step::Lock(path) => {
            use std::os::unix::fs::PermissionsExt as _;
            if let Ok(meta) = fs::symlink_metadata(at(path)) {
                let mode = meta.permissions().mode() ^ 0o200;
                if !meta.is_symlink() {
                    let _ = fs::set_permissions(at(path), fs::Permissions::from_mode(mode | 0o500));
                }
            }
        }
        Step::Wait => {}
    }
}

fn keeps_the_promise(watching: Watching, steps: &[Step]) {
    let world = World::new();
    let root = world.root().join("root");
    fs::create_dir(&root).unwrap();
    fs::create_dir(world.root().join("elsewhere")).unwrap();
    let known = (0, Arc::default());
    let workspace = Workspace::open(
        &root,
        watching,
        world.cookies.path(),
        known,
        None,
        Tasks::for_tests(),
        SCAN_JOBS,
    );
    for (number, step) in steps.iter().enumerate() {
        take(&root, step);
        // Without a look in between, reports of several steps come at once.
        if number % 3 == 2 {
            continue;
        }
        let snapshot = workspace.sync(DEADLINE).unwrap();
        assert_eq!(all(&snapshot.tree), from_scratch(&root), "after step {number}");
    }
    let snapshot = workspace.sync(DEADLINE).unwrap();
    assert_eq!(all(&snapshot.tree), from_scratch(&root), "at the end");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_of_changes_is_seen(steps in prop::collection::vec(step(), 1..60)) {
        keeps_the_promise(Watching::By(Backend::Auto), &steps);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_of_changes_is_seen_through_notify(steps in prop::collection::vec(step(), 1..60)) {
        keeps_the_promise(Watching::By(Backend::Notify), &steps);
    }
}

/// The print of all files outside was taken anew when a rule file inside was read, so that a
/// change outside which nobody had applied counted as known.
#[test]
fn a_rule_outside_is_not_lost_behind_one_inside() {
    let world = World::new();
    let root = world.root().join("root");
    fs::create_dir_all(root.join(".git/info")).unwrap();
    fs::write(root.join("a"), "").unwrap();
    fs::write(root.join("b"), "").unwrap();
    let workspace = world.open_at(&root);
    assert_eq!(files(&workspace.sync(DEADLINE).unwrap()), ["a", "b"]);
    fs::write(world.root().join(".ignore"), "a\n").unwrap();
    fs::write(root.join(".ignore"), "z\n").unwrap();
    assert_eq!(files(&workspace.sync(DEADLINE).unwrap()), ["b"]);
    fs::write(root.join(".git/info/exclude"), "b\n").unwrap();
    fs::create_dir_all(root.join("sub/.git/info")).unwrap();
    assert!(files(&workspace.sync(DEADLINE).unwrap()).is_empty());
}

/// While the root was elsewhere, its files were not found under their paths, and counted as
/// deleted; the root that came back was the same directory, and nobody looked again.
#[test]
fn a_root_that_moves_away_and_back_has_what_it_has() {
    let world = World::new();
    let (root, away) = (world.root().join("root"), world.root().join("away"));
    fs::create_dir(&root).unwrap();
    let workspace = world.open_at(&root);
    workspace.sync(DEADLINE).unwrap();
    for round in 0..20 {
        let name = format!("f{round:02}");
        fs::rename(&root, &away).unwrap();
        fs::write(away.join(&name), "").unwrap();
        // Let the keeper see the change while the root is away, in some of the rounds.
        if round % 2 == 0 {
            assert_eq!(workspace.sync(DEADLINE).unwrap_err(), Failed::RootGone);
        }
        fs::rename(&away, &root).unwrap();
        assert!(files(&workspace.sync(DEADLINE).unwrap()).contains(&name), "round {round}");
    }
}

/// `(g)/.gitignore` sorts before `.gitignore`: it was looked at after the root, whose new rules
/// leave it out, and was put back.
#[test]
fn a_directory_that_new_rules_leave_out_stays_out() {
    let world = World::new();
    let root = world.root();
    fs::create_dir_all(root.join("(g)")).unwrap();
    fs::create_dir(root.join(".git")).unwrap();
    fs::write(root.join("(g)/a"), "").unwrap();
    let workspace = world.open(LIVE[0]);
    assert_eq!(files(&workspace.sync(DEADLINE).unwrap()), ["(g)/a"]);
    for _ in 0..20 {
        fs::write(root.join("(g)/.gitignore"), "z\n").unwrap();
        fs::write(root.join(".gitignore"), "(g)/\n").unwrap();
        assert!(files(&workspace.sync(DEADLINE).unwrap()).is_empty());
        fs::write(root.join(".gitignore"), "").unwrap();
        assert_eq!(files(&workspace.sync(DEADLINE).unwrap()), ["(g)/a"]);
    }
}

/// A tree of two thousand levels ended the daemon: its threads had the stack for fewer.
#[test]
fn a_tree_as_deep_as_a_path_can_be_long_is_looked_at() {
    let world = World::new();
    let mut path = world.root();
    while path.as_os_str().len() < 4080 {
        path.push("d");
    }
    fs::create_dir_all(&path).unwrap();
    fs::write(path.join("f"), "").unwrap();
    let workspace = world.open(LIVE[0]);
    let snapshot = workspace.sync(DEADLINE).unwrap();
    assert_eq!(snapshot.tree.totals().files, 1);
    std::thread::Builder::new()
        .stack_size(crate::STACK)
        .spawn(move || {
            assert_eq!(files(&snapshot).len(), 1);
            drop((snapshot, workspace));
            drop(world);
        })
        .unwrap()
        .join()
        .unwrap();
}

/// The kernel reports nothing of a store through a mapping, nor of a write through a name outside
/// of the tree: the sweep finds it.
#[test]
fn what_nobody_reports_is_found_by_the_sweep() {
    let world = World::new();
    let (root, outside) = (world.root().join("root"), world.root().join("outside"));
    fs::create_dir(&root).unwrap();
    fs::write(&outside, "old").unwrap();
    fs::hard_link(&outside, root.join("a")).unwrap();
    let sweep = Some(Duration::from_millis(20));
    let known = (0, Arc::default());
    let workspace = Workspace::open(
        &root,
        LIVE[0],
        world.cookies.path(),
        known,
        sweep,
        Tasks::for_tests(),
        SCAN_JOBS,
    );
    let first = workspace.sync(DEADLINE).unwrap();
    fs::write(&outside, "longer").unwrap();
    let mut snapshot = first;
    while all(&snapshot.tree) != from_scratch(&root) {
        workspace.wait_for_change(snapshot.generation, DEADLINE);
        snapshot = workspace.snapshot();
    }
}
