//! The ranked outline of a workspace, through the real programs.

use crate::start;
use hob_tests::Hob;
use serde_json::Value;

const TREE: &str = "\
//- README.md
# Kettle
//- Cargo.toml
[package]
//- src/main.rs
use crate::kettle::Kettle;

fn main() {
    let mut kettle = Kettle::with_water(3);
    kettle.boil_water();
}
//- src/kettle.rs
use crate::thermometer::read_degrees;

/// Heats water.
pub struct Kettle {
    level: u8,
}

impl Kettle {
    pub fn with_water(level: u8) -> Self {
        Self { level }
    }

    /// Boils it.
    pub fn boil_water(&mut self) {
        while read_degrees() < 100 {}
    }
}
//- src/teapot.rs
use crate::thermometer::read_degrees;

pub fn brew_tea() -> u8 {
    read_degrees()
}
//- src/thermometer.rs
pub fn read_degrees() -> u8 {
    20
}

pub fn lonely_helper() {}
";

fn map(hob: &Hob, args: &[&str]) -> Value {
    let outcome = hob.try_run(&[&["map", "--json"], args].concat());
    assert!(matches!(outcome.status, Some(0 | 1)), "{outcome:?}");
    serde_json::from_str(&outcome.text()).unwrap()
}

fn names(found: &Value) -> Vec<&str> {
    let definitions = found["definitions"].as_array().unwrap().iter();
    definitions.map(|one| one["name"].as_str().unwrap()).collect()
}

#[test]
fn what_others_mention_comes_first_and_the_rest_as_long_as_there_is_room() {
    let hob = start(TREE);
    hob.index();
    let found = map(&hob, &[]);
    assert_eq!(found["named"], serde_json::json!(["README.md", "Cargo.toml"]));
    assert_eq!(names(&found)[0], "read_degrees");
    assert!(names(&found).contains(&"lonely_helper"));
    let text = hob.run("map");
    assert_eq!(found["text"], text.as_str());
    let thermometer =
        "src/thermometer.rs\n1: pub fn read_degrees() -> u8\n5: pub fn lonely_helper()\n";
    assert!(text.starts_with(&format!("README.md\nCargo.toml\n{thermometer}")), "{text}");
    assert!(
        text.contains("8: impl Kettle\n9:   pub fn with_water(level: u8) -> Self\n14:   pub fn"),
        "{text}"
    );
}

#[test]
fn a_map_never_has_more_tokens_than_it_may() {
    let hob = start(TREE);
    hob.index();
    for model in ["", "gpt-4o"] {
        let mut before = 0;
        for budget in 0..150 {
            let budget = budget.to_string();
            let found = map(&hob, &["--budget", &budget, "--model", model]);
            let tokens = found["tokens"].as_u64().unwrap();
            assert!(tokens <= budget.parse().unwrap(), "{found}");
            let bytes = found["text"].as_str().unwrap().len();
            if model.is_empty() {
                assert_eq!(tokens, bytes.div_ceil(4) as u64);
            }
            assert_eq!(found["tokenizer"], if model.is_empty() { "bytes/4" } else { "o200k_base" });
            before = before.max(tokens);
        }
        assert!(before > 60, "{before}");
    }
    let all = map(&hob, &["--budget", "18446744073709551615"]);
    assert!(names(&all).contains(&"main"));
    let nothing = hob.try_run(&["map", "--budget", "0"]);
    assert_eq!((nothing.status, nothing.text().as_str()), (Some(1), ""));
    assert!(nothing.stderr.contains("a larger `--budget`"), "{nothing:?}");
}

#[test]
fn what_is_in_focus_is_left_out_and_leads_to_what_it_mentions() {
    let hob = start(TREE);
    hob.index();
    let found = map(&hob, &["--budget", "60", "-f", "src/main.rs"]);
    assert_eq!(found["files"][0], "src/kettle.rs");
    assert!(!found["text"].as_str().unwrap().contains("main.rs"));
    let found = map(&hob, &["-f", "src/thermometer.rs", "-f", "README.md"]);
    assert!(!names(&found).contains(&"read_degrees"));
    assert_eq!(found["named"], serde_json::json!(["Cargo.toml"]));
    let has_teapot = |found: &Value| found["text"].as_str().unwrap().contains("teapot.rs");
    assert!(!has_teapot(&map(&hob, &["--budget", "50"])));
    for mention in ["brew_tea", "teapot.rs", "src/teapot.rs", "Teapot"] {
        let found = map(&hob, &["--budget", "50", "--mention", mention]);
        assert!(has_teapot(&found), "{mention}: {found}");
    }
    let found = map(&hob, &["--budget", "60", "--mention", "brew_tea"]);
    assert_eq!(names(&found)[0], "brew_tea");
    let outcome = hob.try_run(&["map", "-f", "nowhere.rs"]);
    assert_eq!(outcome.status, Some(2));
    assert!(outcome.stderr.contains("there is no such file"), "{outcome:?}");
}

#[test]
fn a_map_sees_what_was_written_just_before() {
    let hob = start(TREE);
    hob.index();
    assert_eq!(names(&map(&hob, &[]))[0], "read_degrees");
    // Nobody has mentioned it before.
    hob.write("src/teapot.rs", "pub fn brew_tea() { lonely_helper() }\n");
    hob.write("src/kettle.rs", "pub fn boil_water() { lonely_helper() }\n");
    assert_eq!(names(&map(&hob, &[]))[0], "lonely_helper");
    // A new file defines what others mention already.
    hob.write("src/main.rs", "fn main() { sound_alarm() }\n");
    assert!(!names(&map(&hob, &[])).contains(&"sound_alarm"));
    hob.write("src/alarm.rs", "pub fn sound_alarm() {}\n");
    hob.write("src/kettle.rs", "pub fn boil_water() { sound_alarm() }\n");
    hob.write("src/teapot.rs", "pub fn brew_tea() { sound_alarm() }\n");
    assert_eq!(names(&map(&hob, &[]))[0], "sound_alarm");
    std::fs::remove_file(hob.path("src/alarm.rs")).unwrap();
    assert!(!names(&map(&hob, &[])).contains(&"sound_alarm"));
    // Once it is stored, and once all is made anew, it is the same.
    hob.index();
    let found = map(&hob, &[]);
    let _ = hob.run("daemon stop");
    let anew = map(&hob, &[]);
    assert_eq!((&found["text"], &found["definitions"]), (&anew["text"], &anew["definitions"]));
}

#[test]
fn a_tree_without_code_has_a_map_of_its_documents() {
    let hob = start("//- README.md\n# Kettle\n//- notes/a.md\n# Notes\n");
    hob.index();
    let found = map(&hob, &[]);
    assert_eq!((&found["text"], &found["tokens"]), (&"README.md\n".into(), &3.into()));
    let hob = start("");
    assert_eq!(map(&hob, &[])["text"], "");
}

#[test]
fn only_what_is_code_votes_and_mentions_may_be_anything() {
    let mut tree =
        String::from("//- src/a.rs\npub fn quiet_helper() {}\npub fn loud_helper() {}\n");
    tree.push_str("//- src/b.rs\nfn main_thing() { quiet_helper() }\n");
    for name in ["x.txt", "notes", "y.log", "z.csv"] {
        tree.push_str(&format!("//- docs/{name}\nloud_helper loud_helper()\n"));
    }
    let hob = start(&tree);
    hob.git("init -q");
    std::fs::write(hob.path("big.rs"), "fn filler_function() {}\n".repeat(450_000)).unwrap();
    std::fs::write(hob.path("min.js"), "function a(){b()};".repeat(100_000)).unwrap();
    std::fs::write(hob.path("broken.rs"), "fn broken_thing( {{{ ) impl struct").unwrap();
    hob.index();
    assert_eq!(names(&map(&hob, &[]))[0], "quiet_helper");
    let many = "loud_helper,".repeat(8_000);
    for mention in ["", " ", "\u{1b}[31m", "/", "..", "*", many.as_str()] {
        let found = map(&hob, &["--mention", mention, "--budget", "300"]);
        assert!(found["tokens"].as_u64().unwrap() <= 300, "{found}");
    }
    let found = map(&hob, &["--mention", "src/a.rs", "--budget", "60"]);
    assert!(names(&found).contains(&"loud_helper"));
    let wide = " ".repeat(1_200_000);
    hob.write("src/c.rs", format!("fn wide_thing() {{{wide}}}\n"));
    let found = context_with_model(&hob, "wide_thing");
    assert!(found["tokens"].as_u64().unwrap() <= 500, "{found}");
}

fn context_with_model(hob: &Hob, request: &str) -> Value {
    let args = ["context", "--json", "--model", "gpt-4o", "--budget", "500", request];
    let outcome = hob.try_run(&args);
    assert!(matches!(outcome.status, Some(0 | 1)), "{outcome:?}");
    serde_json::from_str(&outcome.text()).unwrap()
}

/// Files with definitions of all sorts, in two languages. Each of the first few is mentioned by twice as
/// many as the one before, so that none is nearly as good as another.
fn mixed(files: usize, what: &str) -> Vec<(String, String)> {
    let mut tree = Vec::new();
    for number in 0..files {
        let other = (number + 1).ilog2();
        let rust = format!(
            "pub trait Walks{number} {{\n    fn {what}_along_{number}(&self);\n}}\n\
             pub struct Road{number};\nimpl Road{number} {{\n    fn hide_{number}(&self) {{}}\n    \
             pub fn {what}_on_{number}(&self) {{ helper_{other}(Road{other}) }}\n}}\n\
             fn helper_{number}() {{ {what}_on_{other}(); {what}_along_{other}(); hide_{other}() }}\n"
        );
        let python = format!(
            "class Boat{number}:\n    def {what}_sail_{number}(self):\n        \
             Boat{other}().{what}_sail_{other}()\n"
        );
        tree.push((format!("src/m{number}.rs"), rust));
        tree.push((format!("py/m{number}.py"), python));
    }
    tree
}

#[test]
fn when_very_many_files_have_changed_the_map_is_the_one_made_anew() {
    // More files than a base outlives.
    let files = 230;
    let hob = start("");
    mixed(files, "go").into_iter().for_each(|(path, text)| hob.write(&path, text));
    hob.index();
    let drawn = || map(&hob, &["--budget", "250"]);
    assert!(drawn()["text"].as_str().unwrap().contains("go_on_"), "{}", drawn());
    for changed in [1, 20, files] {
        for (path, text) in mixed(files, "run").into_iter().take(2 * changed) {
            hob.write(&path, text);
        }
        // As it is read, as it is laid over the base from the store, and as it is made anew.
        let fresh = drawn();
        hob.index();
        let stored = drawn();
        let _ = hob.run("daemon stop");
        let anew = drawn();
        assert_eq!(names(&fresh), names(&anew), "fresh, {changed}");
        assert_eq!(names(&stored), names(&anew), "stored, {changed}");
    }
    assert!(drawn()["text"].as_str().unwrap().contains("run_on_"), "{}", drawn());
}

#[test]
fn only_so_many_mentions_count() {
    let hob = start(TREE);
    hob.index();
    let mut args = vec!["--budget", "60"];
    for _ in 0..255 {
        args.extend(["--mention", "nothing_of_the_kind"]);
    }
    let leads = |args: &[&str]| names(&map(&hob, args))[0] == "brew_tea";
    assert!(leads(&[args.as_slice(), &["--mention", "brew_tea"]].concat()));
    args.extend(["--mention", "nothing_of_the_kind"]);
    assert!(!leads(&[args.as_slice(), &["--mention", "brew_tea"]].concat()));
}
