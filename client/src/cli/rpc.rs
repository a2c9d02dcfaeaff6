//! `hob rpc METHOD [JSON]`: any method by its name, for scripts and the curious.

use super::commands::{Group, Row, json_flag, on, positional, utf8, value};
use super::{Status, World};
use crate::{Connection, Error, ErrorKind, RpcApiClient as _, Subscription, block_on};
use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Command};
use jsonrpsee::core::traits::ToRpcParams;
use serde_json::Value;
use serde_json::value::RawValue;
use std::io::Read as _;

pub(super) const ROW: Row = Row {
    name: "rpc",
    group: Group::Daemon,
    synopsis: "METHOD [JSON] | --list",
    about: "Call a method of the daemon's interface, or explain it",
    define,
    run,
};

fn define(command: Command) -> Command {
    let list = Arg::new("list").long("list").action(ArgAction::SetTrue);
    let help = Arg::new("help").short('h').long("help").action(ArgAction::SetTrue);
    command
        .disable_help_flag(true)
        .arg(
            positional("method", "METHOD")
                .required_unless_present_any(["list", "help"])
                .help("Such as `daemon.status`"),
        )
        .arg(
            positional("params", "JSON")
                .help("The parameters, an object; `-` reads them from standard input"),
        )
        .arg(list.conflicts_with("method").help("List all methods"))
        .arg(
            json_flag()
                .requires("described")
                .help("With --list or --help: print the OpenRPC document, JSON Schemas and all"),
        )
        .group(ArgGroup::new("described").args(["list", "help"]))
        .arg(help.help("Print this; after a METHOD its parameters, its result and an example"))
        .after_help(
            "The result is printed as one line of JSON, on a terminal as several. A subscription \
             prints a line for\neach item until it ends.\n\nExamples:\n  \
             hob rpc workspace.status '{\"dir\": \"/repo\"}'\n  \
             hob rpc index.changes '{\"dir\": \"/repo\"}'\n  \
             hob rpc index.search --help\n  \
             hob rpc index.search --help --json | jq .methods[0].params",
        )
}

/// Parameters as they were given.
struct Given(Box<RawValue>);

impl ToRpcParams for Given {
    fn to_rpc_params(self) -> Result<Option<Box<RawValue>>, serde_json::Error> {
        Ok(Some(self.0))
    }
}

fn run(matches: &ArgMatches, world: &mut World<'_>) -> Result<Status, Error> {
    let method = value(matches, "method").map(|method| utf8(method, "the method")).transpose()?;
    let method = match (method, on(matches, "help")) {
        (None, true) => return super::usage::help(&["rpc".into()], world),
        (None, false) if on(matches, "json") => return document(None, world),
        (None, false) => return explain(None, world),
        (Some(method), true) if on(matches, "json") => return document(Some(method), world),
        (Some(method), true) => return explain(Some(method.to_owned()), world),
        (Some(method), false) => method,
    };
    let params = params(matches)?;
    // A method may change something, so it is not asked twice as a question is.
    let mut connection = crate::start(&world.place())?;
    let result = match Subscription::of(method) {
        Some(subscription) => follow(&mut connection, subscription, params, world),
        None => connection
            .call(method, Some(&params))
            .and_then(|result| print(&result, world).map(|()| Status::Done)),
    };
    result.map_err(|error| named(error, method))
}

/// What the daemon says of a method, or of all.
fn explain(method: Option<String>, world: &mut World<'_>) -> Result<Status, Error> {
    let told = world.ask(|connection, _| block_on(connection.explain(method.clone())))?;
    world.out.write_all(told.text.as_bytes())?;
    Ok(Status::Done)
}

/// All that is known of a method, or of all: the OpenRPC document, its other methods left out.
fn document(method: Option<&str>, world: &mut World<'_>) -> Result<Status, Error> {
    let document = world.ask(|connection, _| connection.call("rpc.discover", None))?;
    let Some(method) = method else { return print(&document, world).map(|()| Status::Done) };
    let mut document: Value = serde_json::from_str(document.get()).unwrap_or_default();
    let methods = document["methods"].as_array_mut().map(std::mem::take).unwrap_or_default();
    let Some(known) = methods.into_iter().find(|known| known["name"] == method) else {
        // It says so, and names the nearest.
        return explain(Some(method.to_owned()), world);
    };
    document["methods"] = Value::Array(vec![known]);
    super::status::print_json(&document, world)?;
    Ok(Status::Done)
}

fn params(matches: &ArgMatches) -> Result<Box<RawValue>, Error> {
    let text = match value(matches, "params") {
        None => "{}".to_owned(),
        Some(dash) if dash == "-" => standard_input()?,
        Some(text) => utf8(text, "the parameters")?.to_owned(),
    };
    // Parsed here, so that a line break within the text cannot break the framing.
    let value: Value = serde_json::from_str(&text).map_err(|error| invalid(&error.to_string()))?;
    if !value.is_object() && !value.is_array() {
        return Err(invalid("neither an object nor an array"));
    }
    serde_json::value::to_raw_value(&value).map_err(|error| invalid(&error.to_string()))
}

fn invalid(why: &str) -> Error {
    Error::new(ErrorKind::Usage, format!("the parameters are no JSON-RPC parameters: {why}"))
        .hint("give an object, such as '{\"dir\": \"/repo\"}'")
}

fn standard_input() -> Result<String, Error> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).map_err(|error| {
        let reason = crate::error::reason(&error);
        Error::new(ErrorKind::Io, format!("cannot read standard input: {reason}"))
    })?;
    Ok(text)
}

fn print(result: &RawValue, world: &mut World<'_>) -> Result<(), Error> {
    if !world.out_is_terminal {
        return Ok(writeln!(world.out, "{}", result.get())?);
    }
    let value: Value = serde_json::from_str(result.get()).unwrap_or_default();
    Ok(writeln!(world.out, "{value:#}")?)
}

/// Prints the items of a subscription. One that ends by a failure ends in an error.
fn follow(
    connection: &mut Connection,
    subscription: &'static Subscription,
    params: Box<RawValue>,
    world: &mut World<'_>,
) -> Result<Status, Error> {
    for item in connection.stream::<Value>(subscription, Given(params))? {
        let item = item?;
        writeln!(world.out, "{item}")?;
        world.out.flush()?;
        if let Some(failure) = item.get("failed") {
            let failure = serde_json::from_value::<hob_protocol::Failure>(failure.clone());
            return Err(failure.map_or_else(|error| invalid(&error.to_string()), Error::from));
        }
    }
    Ok(Status::Done)
}

/// Says of an error of the daemon which method and which code it was.
fn named(error: Error, method: &str) -> Error {
    let ErrorKind::Remote { code, .. } = error.kind else { return error };
    Error { message: format!("`{method}`: {} (code {code})", error.message), ..error }
}
