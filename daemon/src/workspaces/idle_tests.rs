//! What is unloaded, and when: by a clock of our own.

use super::super::*;
use std::fs;
use std::time::{Duration, Instant};

const IDLE: Duration = Duration::from_secs(1800);

struct World {
    dir: tempfile::TempDir,
    workspaces: Workspaces,
}

fn world() -> World {
    let dir = tempfile::tempdir().unwrap();
    let place = |name: &str| dir.path().join(name);
    let config = Config { workspace_idle: IDLE, ..Config::default() };
    let workspaces =
        Workspaces::new(config, place("cache"), place("state"), place("run"), Tasks::for_tests());
    World { dir, workspaces }
}

impl World {
    /// A workspace with a file, once all is indexed.
    fn make(&self, name: &str) -> PathBuf {
        let root = self.dir.path().canonicalize().unwrap().join(name);
        fs::create_dir_all(&root).unwrap();
        fs::write(root.join("a.txt"), name).unwrap();
        let warm = self.workspaces.make(&root).unwrap();
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            let snapshot = warm.workspace.sync(Duration::from_secs(60)).unwrap();
            if snapshot.tree.totals().pending == 0 {
                return root;
            }
            assert!(Instant::now() < until, "it is not indexed");
            warm.workspace.wait_for_change(snapshot.generation, Duration::from_secs(1));
        }
    }

    /// The roots that are open once `after` has passed.
    fn open_after(&self, after: Duration) -> Vec<PathBuf> {
        self.workspaces.unload_idle(Instant::now() + after);
        self.workspaces.opened().iter().map(|warm| warm.workspace.root().to_owned()).collect()
    }
}

#[test]
fn what_nobody_asks_for_is_unloaded_when_its_time_has_come() {
    let world = world();
    let root = world.make("w");
    assert_eq!(world.open_after(IDLE - Duration::from_secs(60)), std::slice::from_ref(&root));
    assert_eq!(world.workspaces.had(&root), None);
    assert!(world.open_after(IDLE).is_empty());
    assert_eq!(world.workspaces.had(&root), Some(Had { files: 1, bytes: 1 }));
    assert_eq!(world.workspaces.roots(), [root]);
}

#[test]
fn what_is_in_use_stays() {
    let world = world();
    let (used, unused) = (world.make("used"), world.make("unused"));
    let warm = world.workspaces.of(&used).unwrap();
    assert_eq!(world.open_after(IDLE), [used]);
    drop(warm);
    assert!(world.open_after(IDLE).is_empty());
    assert!(world.workspaces.of(&unused).is_some());
}

#[test]
fn what_was_unloaded_comes_back_with_what_has_changed() {
    let world = world();
    let root = world.make("w");
    assert!(world.open_after(IDLE).is_empty());
    fs::write(root.join("b.txt"), "while it was away").unwrap();
    let warm = world.workspaces.of(&root).unwrap();
    let snapshot = warm.workspace.sync(Duration::from_secs(60)).unwrap();
    let totals = snapshot.tree.totals();
    assert_eq!(totals.files, 2);
    assert!(totals.pending <= 1, "what is known is not read again");
}

#[test]
fn a_store_that_somebody_uses_stays_open() {
    let world = world();
    let root = world.make("w");
    let repository = world.workspaces.of(&root).unwrap().repository.clone();
    assert!(world.open_after(IDLE).is_empty());
    // Somebody has the repository, as an open worktree does.
    assert!(repository.current.lock().unwrap().store.is_some());
    let current = Arc::downgrade(&repository);
    drop(repository);
    world.open_after(IDLE);
    let repository = current.upgrade().unwrap();
    assert!(repository.current.lock().unwrap().store.is_none());
}

#[test]
fn when_to_look_again_follows_from_who_is_next() {
    let world = world();
    assert_eq!(world.workspaces.unload_idle(Instant::now()), Duration::from_secs(60));
    let root = world.make("w");
    let soon = world.workspaces.unload_idle(Instant::now() + IDLE - Duration::from_secs(5));
    assert!(soon <= Duration::from_secs(6), "{soon:?}");
    let _warm = world.workspaces.of(&root).unwrap();
    let later = world.workspaces.unload_idle(Instant::now() + IDLE);
    assert_eq!(later, Duration::from_secs(60));
}
