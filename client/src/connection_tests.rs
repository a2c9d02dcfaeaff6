//! The blocking connection against daemons by script.

use crate::testing::{Act, Scripted};
use crate::{Connection, DaemonApiClient as _, Error, ErrorKind, block_on};
use hob_protocol::{Kind, PROTOCOL, SearchEvent, SearchQuery, Style};
use serde_json::json;
use std::time::Duration;

fn connect(daemon: &Scripted) -> Connection {
    Connection::open(&daemon.place()).unwrap()
}

fn ping(daemon: &Scripted) -> Result<u64, Error> {
    block_on(connect(daemon).ping()).map(|pong| pong.uptime_seconds)
}

fn pong(method: &str) -> Vec<Act> {
    match method {
        "daemon.ping" => vec![Act::Result(json!({"uptime_seconds": 5}))],
        _ => vec![],
    }
}

#[test]
fn the_greeting_travels_with_the_first_request_only() {
    let daemon = Scripted::start(|method, _| pong(method));
    let connection = connect(&daemon);
    for _ in 0..2 {
        assert_eq!(block_on(connection.ping()).unwrap().uptime_seconds, 5);
    }
    assert_eq!(daemon.methods(), ["daemon.ping", "daemon.ping"]);
}

/// The daemon sends answers as they are ready, and a ping once overtook the greeting that
/// came with it: its answer was thrown away, and waited for in vain.
#[test]
fn an_answer_that_overtakes_the_greeting_is_kept() {
    let daemon = Scripted::start(|method, _| match method {
        "daemon.hello" => {
            let early = r#"{"jsonrpc":"2.0","id":2,"result":{"uptime_seconds":5}}"#;
            let hello = json!({"protocol": hob_protocol::PROTOCOL, "version": "0.1.0", "pid": 1});
            vec![Act::Say(early.into()), Act::Result(hello)]
        }
        "daemon.ping" => vec![Act::Close],
        _ => vec![],
    });
    assert_eq!(ping(&daemon).unwrap(), 5);
}

#[test]
fn a_stream_that_overtakes_the_greeting_is_kept() {
    let daemon = Scripted::start(|method, _| match method {
        "daemon.hello" => {
            let early = r#"{"jsonrpc":"2.0","id":2,"result":7}"#;
            let item = serde_json::from_str(DONE).unwrap();
            let hello = json!({"protocol": hob_protocol::PROTOCOL, "version": "0.1.0", "pid": 1});
            let item = Act::Item("index.searchEvent", item);
            vec![Act::Say(early.into()), item, Act::Result(hello)]
        }
        "index.searchStream" => vec![Act::Close],
        _ => vec![],
    });
    let mut connection = connect(&daemon);
    let mut stream = connection.search_stream(&SearchQuery::in_dir("/"), Style::default()).unwrap();
    assert!(matches!(stream.next(), Some(Ok(SearchEvent::Done(_)))));
}

#[test]
fn a_daemon_of_another_number_is_told_apart() {
    let check = |greeted: Act, hint: &str| {
        let greeted = std::sync::Mutex::new(Some(greeted));
        let daemon = Scripted::start(move |method, _| match method {
            "daemon.hello" => greeted.lock().unwrap().take().into_iter().collect(),
            _ => pong(method),
        });
        let error = ping(&daemon).unwrap_err();
        assert!(error.is(Kind::Incompatible), "{error:?}");
        assert!(error.hint.contains(hint), "{error:?}");
        // What stops such a daemon must reach it.
        let connection = connect(&daemon).without_greeting();
        assert!(block_on(connection.ping()).is_ok());
    };
    let said = |error| serde_json::to_value(error).unwrap();
    let newer = hob_protocol::incompatible(Some(PROTOCOL + 1), PROTOCOL);
    let older = hob_protocol::incompatible(Some(PROTOCOL - 1), PROTOCOL);
    check(Act::Error(said(newer)), "the client is older: update it");
    check(Act::Error(said(older)), "run `hob daemon restart`");
    // One that does not look at our number, and says what no version of ours has said so far.
    check(Act::Result(json!({"protocol": 900, "new": true})), "the client is older: update it");
    check(Act::Result(json!({"protocol": 0})), "run `hob daemon restart`");
    // And one that has never heard of greetings.
    check(Act::Error(json!({"code": -32601, "message": "?"})), "run `hob daemon restart`");
}

#[test]
fn an_early_end_is_an_error() {
    let daemon = Scripted::start(|method, _| match method {
        "daemon.ping" => vec![Act::Close],
        _ => vec![],
    });
    let error = ping(&daemon).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Lost);
    assert!(error.message.ends_with("closed the connection before it had answered"));
}

#[test]
fn a_frame_cut_in_the_middle_is_an_error() {
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    std::io::Write::write_all(&mut &theirs, b"{\"jsonrpc\":").unwrap();
    drop(theirs);
    let mut reader = std::io::BufReader::new(ours);
    let error = crate::wire::read_frame(&mut reader, &mut Vec::new(), "/s".as_ref()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Lost);
}

#[test]
fn an_error_about_the_connection_answers_what_was_asked() {
    let daemon = Scripted::start(|_, _| {
        let error = json!({
            "code": -32009, "message": "too many connections",
            "data": {"kind": "too_many", "hint": "close some"},
        });
        let line = json!({"jsonrpc": "2.0", "id": null, "error": error});
        vec![Act::Say(line.to_string()), Act::Close]
    });
    let error = ping(&daemon).unwrap_err();
    assert!(error.is(Kind::TooMany), "{error:?}");
    assert_eq!(error.hint, "close some");
}

#[test]
fn what_is_not_hob_is_told_apart() {
    let daemon = Scripted::start(|_, _| vec![Act::Say("HTTP/1.1 400 Bad Request".into())]);
    let error = ping(&daemon).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Protocol);
    assert!(error.message.contains("does not speak hob's protocol"), "{error}");
}

#[test]
fn requests_of_the_daemon_and_stray_notifications_are_put_aside() {
    let daemon = Scripted::start(|method, _| match method {
        "daemon.ping" => {
            let request = json!({"jsonrpc": "2.0", "id": "d1", "method": "client.ask"});
            let stray = json!({"jsonrpc": "2.0", "method": "news", "params": []});
            let mut acts = vec![Act::Say(request.to_string()), Act::Say(stray.to_string())];
            acts.extend(pong(method));
            acts
        }
        "" => vec![Act::Close],
        _ => vec![],
    });
    let connection = connect(&daemon);
    assert!(block_on(connection.ping()).is_ok());
    connection.wait_for_end().unwrap();
    let answer = &daemon.asked()[1];
    assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!("d1"), &json!(-32601)));
}

#[test]
fn a_silent_daemon_is_given_up_in_time() {
    let daemon = Scripted::start(|method, _| match method {
        "daemon.ping" => vec![Act::Item("news", json!(1))],
        _ => vec![],
    });
    let connection = connect(&daemon);
    connection.set_timeout(Some(Duration::from_millis(20))).unwrap();
    assert_eq!(block_on(connection.ping()).unwrap_err().kind, ErrorKind::Timeout);
}

#[test]
fn no_daemon_reads_as_such() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("none");
    let error = Connection::connect(&socket).unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotRunning);
    let path = socket.display();
    let message = format!("cannot reach the daemon at `{path}`: no such file or directory");
    assert_eq!(error.message, message);
    assert_eq!(error.hint, "start it with `hob daemon start`");
}

/// What a search's stream gives, where the daemon sends these items and closes.
fn search(items: &'static [&'static str]) -> Vec<String> {
    let daemon = Scripted::start(move |method, _| match method {
        "index.searchStream" => {
            let mut acts = vec![Act::Result(json!(7))];
            let stray = r#"{"jsonrpc":"2.0","method":"index.searchEvent","params":{"subscription":6,"result":{"output":"stray"}}}"#;
            acts.push(Act::Say(stray.into()));
            let item =
                |&item: &&str| Act::Item("index.searchEvent", serde_json::from_str(item).unwrap());
            acts.extend(items.iter().map(item));
            acts.push(Act::Close);
            acts
        }
        _ => vec![],
    });
    let mut connection = connect(&daemon);
    let stream = connection.search_stream(&SearchQuery::in_dir("/"), Style::default()).unwrap();
    let show = |event: Result<_, Error>| match event {
        Ok(SearchEvent::Output(text)) => text.to_string_lossy().into_owned(),
        Ok(SearchEvent::Done(summary)) => format!("done {}", summary.lines),
        Ok(SearchEvent::Failed(failure)) => format!("failed {:?}", failure.data.kind),
        Ok(SearchEvent::Warning(text)) => format!("warning {text}"),
        Err(error) => format!("error {:?}", error.kind),
    };
    stream.map(show).collect()
}

const DONE: &str = r#"{"done": {"generation": 1, "freshness": "live", "found": true,
    "lines": 2, "files_read": 1, "elapsed_us": 3}}"#;
const FAILED: &str = r#"{"failed": {"code": -32004, "message": "m",
    "data": {"kind": "bad_pattern"}}}"#;
const FAREWELL: &str = r#"{"failed": {"code": -32011, "message": "m",
    "data": {"kind": "stopping"}}}"#;

#[test]
fn a_stream_ends_with_its_last_item() {
    let parts = &[r#"{"output": "a\n"}"#, r#"{"output": {"bytes": "/w=="}}"#, DONE];
    assert_eq!(search(parts), ["a\n", "\u{fffd}", "done 2"]);
    assert_eq!(search(&[r#"{"warning": "w"}"#, FAILED]), ["warning w", "failed BadPattern"]);
}

#[test]
fn a_stream_cut_short_ends_in_an_error() {
    assert_eq!(search(&[r#"{"output": "a\n"}"#]), ["a\n", "error CutOff"]);
    assert_eq!(search(&[]), ["error Lost"]);
    // Only what has not begun may be asked again.
    assert_eq!(search(&[r#"{"output": "a\n"}"#, FAREWELL]), ["a\n", "error CutOff"]);
    assert_eq!(search(&[FAREWELL]), ["failed Stopping"]);
}

#[test]
fn a_stream_dropped_early_is_ended_and_the_connection_goes_on() {
    let daemon = Scripted::start(|method, _| match method {
        "index.changes" => {
            let change = json!({"generation": 1, "freshness": "live", "changed": [], "files": 3,
                "pending": 0});
            vec![Act::Result(json!(7)), Act::Item("index.changed", change)]
        }
        "index.changesStop" => vec![Act::Result(json!(true))],
        _ => pong(method),
    });
    let mut connection = connect(&daemon);
    let mut changes = connection.changes(&"/".into()).unwrap();
    assert_eq!(changes.next().unwrap().unwrap().files, 3);
    drop(changes);
    assert!(block_on(connection.ping()).is_ok());
    assert_eq!(daemon.methods(), ["index.changes", "index.changesStop", "daemon.ping"]);
    assert_eq!(daemon.asked()[1]["params"], json!([7]));
}

#[test]
fn batches_answer_in_order_with_their_errors() {
    use jsonrpsee::core::client::ClientT as _;
    let daemon = Scripted::start(|method, _| pong(method));
    let mut batch = jsonrpsee::core::params::BatchRequestBuilder::new();
    batch.insert("daemon.ping", Vec::<u8>::new()).unwrap();
    batch.insert("daemon.nonsense", Vec::<u8>::new()).unwrap();
    let answers = block_on(connect(&daemon).batch_request::<serde_json::Value>(batch)).unwrap();
    assert_eq!((answers.num_successful_calls(), answers.num_failed_calls()), (1, 1));
}
