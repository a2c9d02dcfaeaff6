//! What was computed once, as its user sees it.

use crate::start;
use hob_tests::Hob;
use serde_json::Value;

const TREE: &str = "//- a.rs\npub fn kettle() {}\n//- b.py\ndef pot(): pass\n";

/// A world in which nothing is printed from memory.
fn cold() -> Hob {
    let mut hob = start(TREE);
    hob.set("HOB_CACHE_PRINTED_MEMORY_MB", "0");
    hob
}

fn namespace(hob: &Hob, name: &str) -> Value {
    let stats: Value = serde_json::from_str(&hob.run("cache --json")).unwrap();
    let namespaces = stats["namespaces"].as_array().unwrap();
    namespaces.iter().find(|one| one["name"] == name).unwrap().clone()
}

fn outlines(hob: &Hob) -> Value {
    namespace(hob, "outlines")
}

fn counts(hob: &Hob) -> [u64; 3] {
    let outlines = outlines(hob);
    ["misses", "memory_hits", "disk_hits"].map(|name| outlines[name].as_u64().unwrap())
}

#[test]
fn what_was_printed_is_at_hand_until_its_file_changes_in_any_way() {
    let hob = start(TREE);
    // What has just been written might be written again in the same tick of the kernel's clock.
    let settled = || {
        hob_tests::within(std::time::Duration::from_secs(20), "printed from memory", || {
            let before = namespace(&hob, "printed")["memory_hits"].as_u64();
            let _ = hob.run("outline a.rs b.py");
            namespace(&hob, "printed")["memory_hits"].as_u64() == before.map(|hits| hits + 2)
        });
    };
    settled();
    let first = hob.run("outline a.rs b.py");
    let colored = hob.run("--color always outline a.rs b.py");
    assert!(first.contains("pub fn kettle()") && colored.contains("\u{1b}["), "{colored}");
    assert_eq!(hob.run("outline a.rs b.py"), first);
    // The same size, and the same time of its last change.
    let path = hob.path("a.rs");
    let time = std::fs::metadata(&path).unwrap().modified().unwrap();
    hob.write("a.rs", "pub fn teapot() {}\n");
    std::fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
    assert!(hob.run("outline a.rs b.py").contains("pub fn teapot()"));
    settled();
    // Another name, and so another language, by way of a link.
    std::os::unix::fs::symlink("b.py", hob.path("link.rs")).unwrap();
    assert_eq!(hob.run("outline link.rs"), hob.run("outline b.py"));
    std::fs::hard_link(hob.path("b.py"), hob.path("hard.rs")).unwrap();
    assert!(!hob.try_run(&["outline", "hard.rs"]).text().contains("def pot"));
    std::fs::remove_file(&path).unwrap();
    let gone = hob.try_run(&["outline", "a.rs", "b.py"]);
    assert_eq!(gone.status, Some(2), "{gone:?}");
    assert!(gone.text().contains("def pot()") && gone.stderr.contains("there is no such file"));
}

#[test]
fn an_outline_is_made_once_and_known_after_a_restart() {
    let hob = cold();
    let first = hob.run("outline a.rs b.py");
    assert_eq!(counts(&hob), [2, 0, 0]);
    assert_eq!(hob.run("outline a.rs b.py"), first);
    assert_eq!(counts(&hob), [2, 2, 0]);
    let _ = hob.run("daemon stop");
    assert_eq!(hob.run("outline a.rs b.py"), first);
    assert_eq!(counts(&hob), [0, 0, 2]);
    // A text has its outline wherever it stands, and another text has another.
    hob.write("c.rs", "pub fn kettle() {}\n");
    hob.write("a.rs", "pub fn lid() {}\n");
    assert_eq!(hob.run("outline c.rs").replace("c.rs", "a.rs"), hob.run("outline c.rs"));
    assert!(hob.run("outline a.rs").contains("lid"));
    assert_eq!(counts(&hob)[0], 1);
}

#[test]
fn what_is_stored_can_be_seen_looked_through_and_forgotten() {
    let hob = cold();
    let _ = hob.run("outline a.rs b.py");
    let keys = hob.run("cache keys");
    assert_eq!(keys.lines().count(), 2, "{keys}");
    let key = keys.split_whitespace().next().unwrap();
    let value = hob.run(&format!("cache get {key}"));
    assert!(value.contains("kettle") || value.contains("pot"), "{value}");
    assert_eq!(hob.run("cache verify"), "2 values good, 0 damaged and removed\n");
    let page = hob.run("cache");
    assert!(page.contains("outlines\n") && page.contains("values.redb"), "{page}");
    assert_eq!(hob.run("cache clear outlines"), "2 values forgotten\n");
    assert_eq!(hob.run("cache keys"), "");
    let _ = hob.run("outline a.rs");
    assert_eq!(hob.run("cache clear"), "1 value forgotten\n");
}

#[test]
fn what_is_not_there_is_told() {
    let hob = start(TREE);
    let zeros = format!("outlines:{}", "0".repeat(64));
    for (args, part) in [
        (["cache", "clear", "tea"], "there is no namespace `tea`"),
        (["cache", "get", "tea"], "`tea` is no key"),
        (["cache", "get", "outlines:12"], "64 hexadecimal digits"),
        (["cache", "get", &zeros], "nothing is stored under"),
    ] {
        let outcome = hob.try_run(&args);
        assert_eq!(outcome.status, Some(2), "{outcome:?}");
        assert!(outcome.stderr.contains(part) && outcome.stderr.contains("hint: "), "{outcome:?}");
    }
}

#[test]
fn without_room_everything_is_answered_and_nothing_kept() {
    let mut hob = cold();
    hob.set("HOB_CACHE_OUTLINES_MEMORY_MB", "0").set("HOB_CACHE_OUTLINES_DISK_MB", "0");
    for _ in 0..2 {
        assert!(hob.run("outline a.rs").contains("kettle"));
        assert_eq!(outlines(&hob)["memory"]["values"], 0);
    }
    assert_eq!(counts(&hob), [2, 0, 0]);
    assert_eq!(hob.run("cache keys"), "");
}

#[test]
fn a_disk_that_is_full_before_the_budget_is_costs_nothing_but_time() {
    let line =
        "mkdir -p \"$XDG_CACHE_HOME\" && mount -t tmpfs -o size=2m tmpfs \"$XDG_CACHE_HOME\"";
    let mut hob = cold();
    let mount = hob.command("unshare").args(["-Urm", "sh", "-c", line]).output();
    if !mount.is_ok_and(|mount| mount.status.success()) {
        return hob_tests::skipped("no user namespaces that can mount");
    }
    for file in 0..60 {
        let functions: String =
            (0..3000).map(|at| format!("fn kettle_{file}_{at}() {{}}\n")).collect();
        hob.write(format!("f{file}.rs"), functions);
    }
    hob.run_by(&["unshare", "-Urm", "sh", "-c", &format!("{line}; exec \"$0\" \"$@\"")]);
    let all =
        || -> String { (0..60).map(|file| hob.run(&format!("outline f{file}.rs"))).collect() };
    let first = all();
    assert_eq!(first.lines().count(), 60 * 3000);
    assert!(first == all());
    assert_eq!(hob.run("search kettle_59_2999"), "f59.rs:3000:fn kettle_59_2999() {}\n");
    assert!(hob.log().contains("No space left"), "{}", hob.log());
}

#[test]
fn a_damaged_file_costs_nothing_but_time() {
    let hob = start(TREE);
    let first = hob.run("outline a.rs b.py");
    let _ = hob.run("daemon stop");
    let path = hob.outside("cache/hob/values.redb");
    let mut bytes = std::fs::read(&path).unwrap();
    // Every other byte of the second half, where the values are among others.
    let half = bytes.len() / 2;
    bytes[half..].iter_mut().step_by(2).for_each(|byte| *byte ^= 0x55);
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(hob.run("outline a.rs b.py"), first);
    std::fs::write(hob.outside("cache/hob/values.redb"), "").unwrap();
    let _ = hob.run("daemon stop");
    std::fs::write(&path, "no database at all\n".repeat(500)).unwrap();
    assert_eq!(hob.run("outline a.rs b.py"), first);
    assert_eq!(hob.run("cache verify"), "2 values good, 0 damaged and removed\n");
}
