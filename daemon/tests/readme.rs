//! What the README says of the daemon, held to what the daemon says of itself.

const README: &str = include_str!("../../README.md");

#[test]
fn the_readme_lists_every_key_as_the_daemon_does() {
    let block = format!("```toml\n{}```\n", hob_daemon::config::documentation());
    assert!(
        README.contains(&block),
        "put what `hobd --help-config` prints into README.md, under Configuration:\n{block}"
    );
}

#[test]
fn the_readme_lists_every_language_as_its_rows_do() {
    let table = hob_index::symbols::languages::table();
    let block = format!("<!-- languages -->\n\n{table}\n<!-- /languages -->\n");
    assert!(README.contains(&block), "put this into README.md, under Languages:\n{block}");
}

#[test]
fn the_readme_lists_every_signal_with_its_weight() {
    let table = hob_index::context::rank::table();
    let block = format!("<!-- signals -->\n\n{table}\n<!-- /signals -->\n");
    assert!(README.contains(&block), "put this into README.md, under Context:\n{block}");
}
