//! From arguments to the question: a table.

use super::*;
use expect_test::{Expect, expect};

/// What differs from a plain search of `p`, or the error.
fn check(line: &str, expected: Expect) {
    expected.assert_eq(&show(line, false, &[]));
}

fn show(line: &str, terminal: bool, vars: &'static [(&str, &str)]) -> String {
    let env = |name: &str| {
        vars.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
    };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let world = World {
        out: &mut out,
        err: &mut err,
        out_is_terminal: terminal,
        err_is_terminal: terminal,
        began: std::time::Instant::now(),
        answer: None,
        env: &env,
    };
    let matches = ROW.command().try_get_matches_from(line.split_whitespace()).unwrap();
    match Request::of(&matches, &world) {
        Ok(request) => describe(&request),
        Err(error) => error.report(),
    }
}

/// The fields that are not as by default, in the protocol's names.
fn describe(request: &Request) -> String {
    let plain = SearchQuery::in_dir(request.query.cwd.clone());
    let mut fields = differing(&plain, &request.query);
    fields.extend(differing(&Style::default(), &request.style));
    fields.extend(request.quiet.then(|| "quiet".to_owned()));
    fields.join(" ")
}

fn differing(plain: &impl serde::Serialize, given: &impl serde::Serialize) -> Vec<String> {
    let [plain, given] = [serde_json::to_value(plain), serde_json::to_value(given)]
        .map(|value| value.unwrap().as_object().unwrap().clone());
    let changed = given.into_iter().filter(|(name, value)| plain.get(name) != Some(value));
    changed.map(|(name, value)| format!("{name}={value}")).collect()
}

#[test]
fn the_first_argument_is_the_pattern_unless_a_flag_gives_one() {
    check("p", expect![[r#"patterns=["p"]"#]]);
    check("p a b", expect![[r#"paths=["a","b"] patterns=["p"]"#]]);
    check("-e p a", expect![[r#"paths=["a"] patterns=["p"]"#]]);
    check("a -e p -e q -ep b", expect![[r#"paths=["a","b"] patterns=["p","q"]"#]]);
    check("-e -p", expect![[r#"patterns=["-p"]"#]]);
    check("-- -p a", expect![[r#"paths=["a"] patterns=["-p"]"#]]);
    check("p -F a", expect![[r#"fixed_strings=true paths=["a"] patterns=["p"]"#]]);
    check(
        "",
        expect![[r#"
        hob: a pattern is missing
        hint: such as `hob search 'fn main'`; see `hob help search`
    "#]],
    );
    check(
        "p -",
        expect![[r#"
        hob: `-` is standard input, which hob does not search
        hint: search it with `rg`; a file of that name is `./-`
    "#]],
    );
}

#[test]
fn short_flags_combine_and_carry_values() {
    check("-il p", expect![[r#"case="insensitive" patterns=["p"] print="files""#]]);
    check("-A3 -tpy p", expect![[r#"after=3 patterns=["p"] types=["py"]"#]]);
    check("-wvA=2 p", expect![[r#"after=2 invert=true patterns=["p"] word=true"#]]);
    check("-.L0 p", expect![[r#"follow=true hidden=true patterns=["p"] null=true"#]]);
    check("-nH p", expect![[r#"patterns=["p"]"#]]);
    check("-g !a -g=b --glob -c p", expect![[r#"globs=["!a","b","-c"] patterns=["p"]"#]]);
}

#[test]
fn of_flags_that_exclude_each_other_the_last_wins() {
    check("-i -s p", expect![[r#"patterns=["p"]"#]]);
    check("-s -S p", expect![[r#"case="smart" patterns=["p"]"#]]);
    check("-i -S -i p", expect![[r#"case="insensitive" patterns=["p"]"#]]);
    check("-w -x p", expect![[r#"line=true patterns=["p"]"#]]);
    check("-x -w p", expect![[r#"patterns=["p"] word=true"#]]);
    check("-F --no-fixed-strings p", expect![[r#"patterns=["p"]"#]]);
    check("--ignore --no-ignore p", expect![[r#"no_ignore=true patterns=["p"]"#]]);
    check("-m1 -m 2 p", expect![[r#"max_count=2 patterns=["p"]"#]]);
    check("-Tpy -tpy p", expect![[r#"patterns=["p"] types=["py"]"#]]);
    check("-tpy -Tpy p", expect![[r#"patterns=["p"] types=["py"] types_not=["py"]"#]]);
}

#[test]
fn of_modes_the_last_wins() {
    check("-l -c p", expect![[r#"patterns=["p"] print="count""#]]);
    check("-c --json p", expect![[r#"patterns=["p"] print="json""#]]);
    check("--json --no-json p", expect![[r#"patterns=["p"]"#]]);
    check(
        "--json --files-without-match p",
        expect![[r#"patterns=["p"] print="files_without_match""#]],
    );
    check("-o p", expect![[r#"patterns=["p"] print="only_matching""#]]);
    check("-oc p", expect![[r#"patterns=["p"] print="count_matches""#]]);
    check("--count-matches -v p", expect![[r#"invert=true patterns=["p"] print="count""#]]);
    check("-q -l p", expect![[r#"patterns=["p"] print="quiet" quiet"#]]);
    check(
        "-q --files-without-match p",
        expect![[r#"patterns=["p"] print="files_without_match" quiet"#]],
    );
}

#[test]
fn one_side_of_the_context_goes_before_both() {
    check("-C3 p", expect![[r#"after=3 before=3 patterns=["p"]"#]]);
    check("-A1 -C3 p", expect![[r#"after=1 before=3 patterns=["p"]"#]]);
    check("-C3 -B0 p", expect![[r#"after=3 patterns=["p"]"#]]);
}

#[test]
fn limits_and_the_promise() {
    check(
        "--limit 50 --deadline 100 --no-sync p",
        expect![[r#"deadline_ms=100 limit=50 no_sync=true patterns=["p"]"#]],
    );
}

#[test]
fn a_terminal_gets_headings_and_colours_where_it_can() {
    let term: &[_] = &[("TERM", "xterm")];
    assert_eq!(show("p", true, term), r#"patterns=["p"] color=true heading=true"#);
    assert_eq!(show("p", true, &[]), r#"patterns=["p"] heading=true"#);
    assert_eq!(show("p", true, &[("TERM", "dumb")]), r#"patterns=["p"] heading=true"#);
    let no_color: &[_] = &[("TERM", "xterm"), ("NO_COLOR", "1")];
    assert_eq!(show("p", true, no_color), r#"patterns=["p"] heading=true"#);
    assert_eq!(show("--color always p", true, no_color), show("p", true, term));
    assert_eq!(show("--color never --no-heading p", true, term), r#"patterns=["p"]"#);
    assert_eq!(show("-p p", false, &[]), r#"patterns=["p"] color=true heading=true"#);
    assert_eq!(show("-p --color never p", false, &[]), r#"patterns=["p"] heading=true"#);
    assert_eq!(show("p", false, term), r#"patterns=["p"]"#);
}

#[test]
fn a_pattern_that_is_not_utf8_is_an_error() {
    use std::os::unix::ffi::OsStringExt as _;
    let matches = ROW.command().try_get_matches_from([OsString::from_vec(vec![0xff])]).unwrap();
    let error = patterns_and_paths(&matches).unwrap_err();
    assert_eq!(error.message, "the pattern `\u{fffd}` is not UTF-8");
}
