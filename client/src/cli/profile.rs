//! `hob profile`: where the daemon's time goes.

use super::commands::{Group, Row, json_flag, number, on};
use super::status::print_answer;
use super::{Status, World, manuals, record, units};
use crate::{Error, ErrorKind, ProfileApiClient as _, block_on};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use hob_protocol::{Operation, ProfileOrder, ProfileTop};

pub(super) const ROW: Row = Row {
    name: "profile",
    group: Group::Daemon,
    synopsis: "[record] [FLAGS]",
    about: "Show where the daemon's time goes",
    define,
    run: manuals::pass_on,
};

fn define(command: Command) -> Command {
    let flag = |name: &'static str| Arg::new(name).long(name);
    command
        .arg(json_flag())
        .arg(
            flag("top")
                .value_name("NUM")
                .value_parser(value_parser!(u64))
                .help("Show NUM operations (20)"),
        )
        .arg(
            flag("by")
                .value_name("ORDER")
                .value_parser(["total", "self", "count", "p99"])
                .default_value("total")
                .hide_possible_values(true)
                .hide_default_value(true)
                .help("Those first with the most of: total, self, count or p99 (total)"),
        )
        .arg(
            flag("since")
                .value_name("TIME")
                .help("Only of the last TIME, such as 90s, 5m or 1h, by the minute"),
        )
        .subcommand(record::define())
        .arg(flag("reset").action(ArgAction::SetTrue).help("Begin to count anew after this"))
        .after_help(
            "The name of a method stands for its calls, other names for stages of them and of the\n\
             background work. `self` is the time without that of operations within.",
        )
}

pub(super) fn run(matches: &ArgMatches, world: &mut World<'_>) -> Result<Status, Error> {
    if let Some(("record", matches)) = matches.subcommand() {
        return record::run(matches, world);
    }
    let since = matches.get_one::<String>("since");
    let since = since.map(|time| millis(time)).transpose()?;
    let by = match matches.get_one::<String>("by").map(String::as_str) {
        Some("self") => ProfileOrder::Own,
        Some("count") => ProfileOrder::Count,
        Some("p99") => ProfileOrder::P99,
        _ => ProfileOrder::Total,
    };
    let (limit, reset) = (number(matches, "top"), on(matches, "reset").then_some(true));
    let top = world.ask(|connection, _| block_on(connection.top(Some(by), limit, since, reset)))?;
    if on(matches, "json") {
        print_answer(world)?;
        return Ok(Status::Done);
    }
    table(&top, world)?;
    Ok(Status::Done)
}

pub(super) fn table(top: &ProfileTop, world: &mut World<'_>) -> Result<(), Error> {
    let head = HEAD.map(str::to_owned);
    let rows: Vec<[String; 7]> =
        std::iter::once(head).chain(top.operations.iter().map(row)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    for row in &rows {
        let [name, figures @ ..] = row;
        write!(world.out, "{name:<w$}", w = width(0))?;
        for (column, figure) in figures.iter().enumerate() {
            write!(world.out, "  {figure:>w$}", w = width(column + 1))?;
        }
        writeln!(world.out)?;
    }
    let since = units::seconds(top.since_ms / 1000);
    match top.more {
        0 => writeln!(world.out, "within {since}")?,
        more => writeln!(world.out, "within {since}; {} more", units::count(more))?,
    }
    Ok(())
}

pub(super) const HEAD: [&str; 7] = ["operation", "count", "total", "self", "p50", "p99", "max"];

pub(super) fn row(one: &Operation) -> [String; 7] {
    [
        one.name.clone(),
        units::count(one.count),
        time(one.total_us),
        time(one.self_us),
        time(one.p50_us),
        time(one.p99_us),
        time(one.max_us),
    ]
}

/// `1.2 s`, `340 ms`, `85 us`.
fn time(us: u64) -> String {
    match us {
        0..1_000 => format!("{us} us"),
        1_000..10_000 => format!("{:.1} ms", us as f64 / 1e3),
        10_000..1_000_000 => format!("{} ms", us / 1_000),
        _ => format!("{:.1} s", us as f64 / 1e6),
    }
}

fn millis(time: &str) -> Result<u64, Error> {
    let digits = time.trim_end_matches(|char: char| char.is_ascii_alphabetic());
    let unit = match &time[digits.len()..] {
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => 0,
    };
    let number = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    number.filter(|millis| *millis > 0).ok_or_else(|| {
        Error::new(ErrorKind::Usage, format!("`--since`: `{time}` is no time"))
            .hint("give a whole number and its unit, such as 90s, 5m or 1h")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short_and_are_read() {
        let times = [0, 999, 1_000, 9_949, 10_000, 999_999, 1_000_000, 61_000_000].map(time);
        assert_eq!(
            times,
            ["0 us", "999 us", "1.0 ms", "9.9 ms", "10 ms", "999 ms", "1.0 s", "61.0 s"]
        );
        assert_eq!(
            ["90s", "5m", "1h"].map(|time| millis(time).unwrap()),
            [90_000, 300_000, 3_600_000]
        );
        for wrong in ["", "5", "m", "-1m", "0s", "5 m", "1d", "99999999999999999999h", "5é"] {
            assert!(millis(wrong).is_err(), "{wrong}");
        }
    }
}
