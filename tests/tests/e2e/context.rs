//! The context of a request in words, through the real programs.

use crate::start;
use hob_tests::Hob;
use serde_json::Value;

const TREE: &str = "\
//- src/lib.rs
pub mod kettle;
pub mod whistle;
//- src/kettle.rs
/// Heats water.
pub struct Kettle {
    level: u8,
}
impl Kettle {
    /// Boils it.
    pub fn boil(&mut self) {
        self.level = 100;
    }
}
//- src/whistle.rs
/// Sounds when it is hot.
pub fn sound_alarm() {
    let volume = 3;
}
//- README.md
# Kettle
";

fn context(hob: &Hob, args: &[&str]) -> Value {
    let outcome = hob.try_run(&[&["context", "--json"], args].concat());
    assert!(matches!(outcome.status, Some(0 | 1)), "{outcome:?}");
    serde_json::from_str(&outcome.text()).unwrap()
}

fn first(found: &Value) -> &str {
    found["files"][0].as_str().unwrap_or_default()
}

fn history(hob: &Hob) {
    hob.git("init -q");
    hob.commit("first");
}

#[test]
fn a_request_shows_the_files_and_lines_that_it_is_about() {
    let hob = start(TREE);
    history(&hob);
    hob.index();
    let found = context(&hob, &["--budget", "200", "the alarm is too loud"]);
    assert_eq!(first(&found), "src/whistle.rs");
    assert_eq!((&found["freshness"], &found["history"]), (&"live".into(), &true.into()));
    let text = found["text"].as_str().unwrap();
    assert!(text.contains("src/whistle.rs\n@@ 1-4\n/// Sounds when it is hot.\n"), "{text}");
    assert!(found["tokens"].as_u64().unwrap() <= 200);
    let chunk = &found["chunks"][0];
    assert_eq!((&chunk["path"], &chunk["name"]), (&"src/whistle.rs".into(), &"sound_alarm".into()));
    assert_eq!(hob.run("context --budget 200 the alarm is too loud"), text);
    let explained = hob.run("context --explain boil");
    let line = explained.lines().next().unwrap();
    assert!(line.contains("src/kettle.rs  ") && line.contains("definition +"), "{explained}");
}

#[test]
fn a_request_sees_what_was_written_and_committed_just_before() {
    let hob = start(TREE);
    history(&hob);
    hob.index();
    assert_eq!(first(&context(&hob, &["grind the beans"])), "");
    hob.write("src/mill.rs", "pub fn grind() {}\n");
    assert_eq!(first(&context(&hob, &["grind the beans"])), "src/mill.rs");
    hob.write("src/mill.rs", "pub fn sift() {}\n");
    hob.write("src/whistle.rs", "pub fn grind() {}\n");
    let found = context(&hob, &["grind the beans"]);
    assert_eq!(first(&found), "src/whistle.rs");
    assert!(!found["text"].as_str().unwrap().contains("sound_alarm"));
    hob.commit("espresso");
    let found = context(&hob, &["espresso"]);
    assert_eq!(found["history"], true);
    let files: Vec<_> = found["files"].as_array().unwrap().iter().collect();
    assert!(files.contains(&&"src/mill.rs".into()) && files.contains(&&"src/whistle.rs".into()));
    assert!(!files.contains(&&"src/kettle.rs".into()), "{files:?}");
    std::fs::remove_file(hob.path("src/mill.rs")).unwrap();
    let files = context(&hob, &["espresso"])["files"].to_string();
    assert!(!files.contains("mill"), "{files}");
}

#[test]
fn bad_input_gets_an_answer_or_a_clear_error() {
    let hob = start(TREE);
    hob.git("init -q");
    let outcome = hob.try_run(&["context", " "]);
    assert_eq!(outcome.status, Some(2));
    assert!(outcome.stderr.contains("the request is empty"), "{outcome:?}");
    for (file, why) in
        [("nowhere.rs", "there is no such file"), ("src", "it is no file"), ("/", "not in")]
    {
        let outcome = hob.try_run(&["context", "-f", file, "boil"]);
        assert_eq!(outcome.status, Some(2), "{outcome:?}");
        assert!(outcome.stderr.contains(why) && outcome.stderr.contains("hint: "), "{outcome:?}");
    }
    // No commits: nothing votes, and that is all there is to know.
    let found = context(&hob, &["--budget", "0", "boil"]);
    assert_eq!(
        (first(&found), &found["tokens"], &found["history"]),
        ("src/kettle.rs", &0.into(), &true.into())
    );
    let found = context(&hob, &["--budget", "18446744073709551615", "boil"]);
    assert_eq!(first(&found), "src/kettle.rs");
    let large = "boil ".repeat(20_000);
    assert_eq!(first(&context(&hob, &[&large])), "src/kettle.rs");
    assert_eq!(first(&context(&hob, &["qqq zzz"])), "");
    let found = context(&hob, &["-f", "src/lib.rs", ""]);
    assert_eq!(first(&found), "src/lib.rs");
}
