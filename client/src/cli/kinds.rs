//! `hob types` and `hob languages`: the words that other commands take.

use super::commands::{Group, Row, json_flag, on};
use super::status::print_answer;
use super::{Status, World};
use crate::{Error, IndexApiClient as _, SymbolsApiClient as _, block_on};
use clap::ArgMatches;
use hob_protocol::{Language, Languages};
use std::io::Write;

pub(super) const TYPES: Row = Row {
    name: "types",
    group: Group::Search,
    synopsis: "[--json]",
    about: "List the types of files that `hob search -t` takes",
    define: |command| {
        command.arg(json_flag()).after_help("Printed as `rg --type-list` prints them.")
    },
    run: types,
};

pub(super) const LANGUAGES: Row = Row {
    name: "languages",
    group: Group::Search,
    synopsis: "[--json]",
    about: "List the languages whose definitions are known, and their kinds",
    define: |command| {
        command.arg(json_flag()).after_help(
            "Each line has a language with its other names, its files, and the kinds of what it \
             defines: what\n`hob symbols --lang` and `--kind` take.",
        )
    },
    run: languages,
};

fn types(matches: &ArgMatches, world: &mut World<'_>) -> Result<Status, Error> {
    let known = world.ask(|connection, _| block_on(connection.types()))?;
    if on(matches, "json") {
        print_answer(world)?;
        return Ok(Status::Done);
    }
    for kind in &known.types {
        writeln!(world.out, "{}: {}", kind.name, kind.globs.join(", "))?;
    }
    Ok(Status::Done)
}

fn languages(matches: &ArgMatches, world: &mut World<'_>) -> Result<Status, Error> {
    let known = world.ask(|connection, _| block_on(connection.languages()))?;
    match on(matches, "json") {
        true => print_answer(world)?,
        false => print(&known, world.out)?,
    }
    Ok(Status::Done)
}

fn print(known: &Languages, out: &mut dyn Write) -> std::io::Result<()> {
    let rows: Vec<[String; 3]> = known.languages.iter().map(row).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let (names, files) = (width(0), width(1));
    for [name, of, kinds] in &rows {
        writeln!(out, "{name:<names$}  {of:<files$}  {kinds}")?;
    }
    Ok(())
}

fn row(language: &Language) -> [String; 3] {
    let name = match language.aliases.is_empty() {
        true => language.name.clone(),
        false => format!("{} ({})", language.name, language.aliases.join(", ")),
    };
    let extensions = language.extensions.iter().map(|extension| format!(".{extension}"));
    let files: Vec<String> = extensions.chain(language.file_names.iter().cloned()).collect();
    [name, files.join(" "), language.kinds.join(" ")]
}
