//! Peers that are slow, many, mistaken or malicious: they get an error or the door, and nobody else
//! notices.

use crate::start;
use hob_tests::{Hob, skipped, within};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// Anything may take so long before the test has failed.
const PATIENCE: Duration = Duration::from_secs(60);
/// How soon others are answered, whatever one peer does.
const SOON: Duration = Duration::from_secs(1);

/// A bare connection.
struct Raw(BufReader<UnixStream>);

impl Raw {
    fn to(hob: &Hob) -> Self {
        let stream = UnixStream::connect(hob.place().socket).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Self(BufReader::new(stream))
    }

    fn send(&mut self, bytes: impl AsRef<[u8]>) -> std::io::Result<()> {
        self.0.get_mut().write_all(bytes.as_ref())
    }

    fn answer(&mut self) -> Value {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: `{line}`"))
    }

    fn asks(&mut self, bytes: impl AsRef<[u8]>) -> Value {
        self.send(bytes).unwrap();
        self.answer()
    }

    fn still_works(&mut self) {
        let answer =
            self.asks("{\"jsonrpc\":\"2.0\",\"id\":\"still\",\"method\":\"daemon.ping\"}\n");
        assert!(answer["result"].is_object() && answer["id"] == "still", "{answer}");
    }

    /// All that comes until the daemon closes. A reset is such an end.
    fn rest(&mut self) -> String {
        let mut rest = Vec::new();
        let _ = self.0.read_to_end(&mut rest);
        String::from_utf8(rest).unwrap()
    }
}

/// A world whose daemon runs.
fn warm(fixture: &str, vars: &[(&str, &str)]) -> Hob {
    let mut hob = start(fixture);
    for (name, value) in vars {
        hob.set(name, *value);
    }
    hob.index();
    hob
}

fn complaint(answer: &Value) -> String {
    let error = &answer["error"];
    assert!(error["data"]["hint"].is_string(), "{answer}");
    format!("{} {} {}", answer["id"], error["code"], error["data"]["kind"].as_str().unwrap_or("?"))
}

/// What the daemon uses: memory in bytes, descriptors, connections.
fn usage(raw: &mut Raw) -> (u64, u64, u64) {
    let status = raw.asks("{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"daemon.status\"}\n");
    let number = |name: &str| status["result"][name].as_u64().unwrap();
    (number("memory_bytes"), number("descriptors"), number("connections"))
}

/// Waits until descriptors and connections are as they were.
fn back_at(raw: &mut Raw, before: (u64, u64, u64)) {
    within(PATIENCE, "descriptors and connections as before", || {
        let now = usage(raw);
        (now.1, now.2) == (before.1, before.2)
    });
}

fn answers_soon(raw: &mut Raw) {
    let asked = Instant::now();
    raw.still_works();
    let took = asked.elapsed();
    assert!(took < SOON, "another client waited for {took:?}");
}

fn stream(hob: &Hob, id: u64, pattern: &str) -> String {
    let query = json!({ "patterns": [pattern], "cwd": hob.root() });
    let params = json!({ "query": query });
    json!({ "jsonrpc": "2.0", "id": id, "method": "index.searchStream", "params": params })
        .to_string()
        + "\n"
}

/// A tree whose search prints some 64 MB.
fn verbose(hob: &Hob) {
    let text = format!("needle {}\n", "x".repeat(1000)).repeat(1000);
    for file in 0..64 {
        hob.write(format!("{file}.txt"), &text);
    }
}

// 19: a client leaves in mid-stream
#[test]
fn a_client_that_leaves_in_mid_stream_takes_its_work_along() {
    let hob = warm("", &[]);
    verbose(&hob);
    hob.index();
    let mut other = Raw::to(&hob);
    let before = usage(&mut other);
    for _ in 0..20 {
        let mut raw = Raw::to(&hob);
        raw.send(stream(&hob, 1, "needle")).unwrap();
        assert!(raw.answer()["result"].is_number());
        raw.answer();
    }
    answers_soon(&mut other);
    back_at(&mut other, before);
}

/// A world with room for one stream, and the client that has it and has read its beginning.
fn with_all_room_taken(stalled_write_ms: &str) -> (Hob, Raw) {
    let limits = [("HOB_LIMITS_STREAMS", "1"), ("HOB_LIMITS_STALLED_WRITE_MS", stalled_write_ms)];
    let hob = warm("", &limits);
    verbose(&hob);
    hob.index();
    let mut reader = Raw::to(&hob);
    reader.send(stream(&hob, 1, "needle")).unwrap();
    assert!(reader.answer()["result"].is_number());
    reader.answer();
    (hob, reader)
}

#[test]
fn the_largest_limits_are_limits() {
    let most = i64::MAX.to_string();
    let limits = [("HOB_LIMITS_STREAMS", &*most), ("HOB_LIMITS_CALLS", &*most)];
    let hob = warm("//- a.txt\nneedle\n", &limits);
    assert_eq!(hob.run("search needle"), "a.txt:1:needle\n");
}

#[test]
fn streams_beyond_the_limit_wait_and_calls_do_not() {
    let (hob, _deaf) = with_all_room_taken("1500");
    let mut waits = Raw::to(&hob);
    waits.send(stream(&hob, 1, "no such line")).unwrap();
    answers_soon(&mut waits);
    assert_eq!(hob.status()["files"], 64);
    // The first is cut off, since it does not read, and makes room.
    assert!(waits.answer()["result"].is_number());
    assert!(waits.answer()["params"]["result"]["done"].is_object());
}

#[test]
fn who_keeps_all_room_for_streams_is_named_to_those_who_wait() {
    let (hob, mut slow) = with_all_room_taken("400");
    let mut waits = Raw::to(&hob);
    waits.send(stream(&hob, 1, "needle")).unwrap();
    waits.0.get_mut().set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    let mut line = String::new();
    while waits.0.read_line(&mut line).is_err() {
        slow.answer(); // It reads, if slowly.
    }
    let answer: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(complaint(&answer), "1 -32009 too_many");
    assert!(
        answer["error"]["data"]["hint"].as_str().unwrap().contains("limits.streams"),
        "{answer}"
    );
}

#[test]
fn the_least_limit_of_an_answer_lets_every_stream_end() {
    let hob = warm("", &[("HOB_LIMITS_ANSWER_BYTES", "1048576")]);
    // In JSON each of these bytes takes six.
    let line = format!("needle {}\n", "\x01".repeat(3_000_000));
    hob.write("a.txt", line.repeat(2));
    assert!(hob.run("search needle") == format!("a.txt:1:{line}a.txt:2:{line}"));
}

// 20: a slow reader
#[test]
fn a_reader_that_never_reads_costs_little_and_is_dropped() {
    let hob = warm("", &[("HOB_LIMITS_STALLED_WRITE_MS", "1000")]);
    verbose(&hob);
    hob.index();
    let mut other = Raw::to(&hob);
    let before = usage(&mut other);
    let mut deaf: Vec<Raw> = (0..4).map(|_| Raw::to(&hob)).collect();
    for raw in &mut deaf {
        raw.send(stream(&hob, 1, "needle")).unwrap();
    }
    let mut most = 0;
    within(PATIENCE, "the deaf are dropped", || {
        answers_soon(&mut other);
        let now = usage(&mut other);
        most = most.max(now.0);
        now.2 == before.2
    });
    let grown = most.saturating_sub(before.0) >> 20;
    println!("{grown} MiB more for four");
    assert!(grown < 4 * 48, "{grown} MiB more");
    back_at(&mut other, before);
}

// 21: 10,000 connections
#[test]
fn ten_thousand_connections_are_refused_with_words() {
    const CROWD: usize = 10_000;
    let limit = getrlimit(Resource::Nofile);
    if limit.maximum.is_some_and(|most| most < CROWD as u64 + 500) {
        return skipped("the limit of descriptors is too low for a crowd");
    }
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
    let hob = warm("//- a.txt\nfoo", &[]);
    let mut other = Raw::to(&hob);
    other.still_works();
    let before = usage(&mut other);
    let mut crowd: Vec<Raw> = (0..CROWD).map(|_| Raw::to(&hob)).collect();
    answers_soon(&mut other);
    // Those who are served say something: else their time for a first frame would run out.
    let (mut served, mut refused) = (0, 0);
    for raw in &mut crowd {
        let sent = raw.send("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"daemon.ping\"}\n");
        let answer = raw.answer();
        match answer.get("result") {
            Some(_) => {
                sent.unwrap();
                served += 1;
            }
            None => {
                assert_eq!(complaint(&answer), "null -32009 too_many");
                refused += 1;
            }
        }
    }
    assert_eq!((served, refused), (1023, CROWD - 1023));
    answers_soon(&mut other);
    drop(crowd);
    back_at(&mut other, before);
    Raw::to(&hob).still_works();
}

// 22: a byte now and then
#[test]
fn whoever_dawdles_is_given_up_in_any_framing() {
    let hob =
        warm("", &[("HOB_LIMITS_FIRST_FRAME_MS", "500"), ("HOB_LIMITS_PARTIAL_FRAME_MS", "500")]);
    let begins = [
        "",
        "{",
        "{\"jsonrpc\":",
        "Cont",
        "Content-Length: 99999\r\n\r\n{",
        "POST / HT",
        "POST / HTTP/1.1\r\nHost: hob\r\nContent-Length: 99999\r\n\r\n{",
    ];
    let mut slow: Vec<Raw> = begins.iter().cycle().take(70).map(|_| Raw::to(&hob)).collect();
    for (raw, begin) in slow.iter_mut().zip(begins.iter().cycle()) {
        raw.send(begin).unwrap();
    }
    let mut other = Raw::to(&hob);
    answers_soon(&mut other);
    // The deadline is for the frame, not for the next byte: they never stop to send some.
    let until = Instant::now() + PATIENCE;
    let mut alive = begins.to_vec();
    while !alive.is_empty() {
        assert!(Instant::now() < until, "not given up: {alive:?}");
        alive.clear();
        for (raw, begin) in slow.iter_mut().zip(begins.iter().cycle()) {
            alive.extend(raw.send(" ").is_ok().then_some(*begin));
        }
    }
    for (raw, begin) in slow.iter_mut().zip(begins.iter().cycle()) {
        let said = raw.rest();
        // A head of HTTP has nothing yet to which one could answer.
        assert!(said.contains("deadline") || *begin == "POST / HT", "after `{begin}`: {said}");
    }
    other.still_works();
}

// 23: a frame of 64 MiB, and one that never ends
#[test]
fn a_frame_past_the_limit_is_refused_in_any_framing_and_costs_no_more_than_the_limit() {
    let hob = warm("//- a.txt\nfoo", &[]);
    let mut other = Raw::to(&hob);
    let before = usage(&mut other);
    let large = 64 << 20;
    for (begin, ends) in [
        ("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"".to_owned(), true),
        ("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"".to_owned(), false),
        (format!("Content-Length: {large}\r\n\r\n"), false),
        (format!("POST / HTTP/1.1\r\nHost: hob\r\nContent-Length: {large}\r\n\r\n"), false),
        (
            "POST / HTTP/1.1\r\nHost: hob\r\nTransfer-Encoding: chunked\r\n\r\n4000000\r\n"
                .to_owned(),
            false,
        ),
    ] {
        let mut raw = Raw::to(&hob);
        raw.send(&begin).unwrap();
        let (mut sent, part) = (0, [b'x'; 65_536]);
        while sent < large && raw.send(part).is_ok() {
            sent += part.len();
        }
        if ends {
            let _ = raw.send("\"}\n");
        }
        let said = raw.rest();
        assert!(said.is_empty() || said.contains("too_large"), "{begin}: {said}");
        answers_soon(&mut other);
        let grown = usage(&mut other).0.saturating_sub(before.0) >> 20;
        assert!(grown < 48, "{grown} MiB more, after {begin}");
    }
    back_at(&mut other, before);
    assert_eq!(hob.run("search foo"), "a.txt:1:foo\n");
}

#[test]
fn a_frame_just_within_the_limit_is_read() {
    let hob = warm("", &[("HOB_LIMITS_FRAME_BYTES", "2048")]);
    let frame = |bytes: usize| {
        let (begin, end) = ("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"", "\"}");
        format!("{begin}{}{end}", "x".repeat(bytes - begin.len() - end.len()))
    };
    let mut raw = Raw::to(&hob);
    assert_eq!(complaint(&raw.asks(frame(2048) + "\n")), "1 -32601 method_not_found");
    assert_eq!(complaint(&raw.asks(frame(2049) + "\n")), "null -32008 too_large");
    assert_eq!(raw.rest(), "");
}

// 24: malformed input
#[test]
fn frames_that_are_none_get_an_error_and_the_next_is_served() {
    let hob = warm("//- a.txt\nfoo", &[]);
    let mut raw = Raw::to(&hob);
    for (frame, expected) in [
        (&b"garbage\n"[..], "null -32700 parse_error"),
        (b"{\n", "null -32700 parse_error"),
        (b"}\n", "null -32700 parse_error"),
        (b"\x00\x01\x02\xfe\xff\n", "null -32700 parse_error"),
        (b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"daemon.ping\xff\"}\n", "null -32700 parse_error"),
        (b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"daemon.ping\"} {}\n", "null -32700 parse_error"),
        (b"{}\n", "null -32600 invalid_request"),
        (b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"no.such\"}\n", "1 -32601 method_not_found"),
        (b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"index.search\"}\n", "1 -32602 bad_params"),
        (b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"index.search\",\"params\":{\"query\":7}}\n", "1 -32602 bad_params"),
    ] {
        let answer = raw.asks(frame);
        assert_eq!(complaint(&answer), expected, "{}", String::from_utf8_lossy(frame));
        raw.still_works();
    }
}

// 25: batches
#[test]
fn batches_are_answered_by_the_specification_and_capped() {
    let hob = warm("", &[]);
    let mut raw = Raw::to(&hob);
    let ping =
        |id: usize| format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"daemon.ping\"}}");
    let tell = "{\"jsonrpc\":\"2.0\",\"method\":\"nobody.listens\"}";
    assert_eq!(complaint(&raw.asks("[]\n")), "null -32600 invalid_request");
    let one = raw.asks(format!("[{}]\n", ping(1)));
    assert_eq!((one.as_array().unwrap().len(), &one[0]["id"]), (1, &json!(1)));
    let nested = raw.asks(format!("[[{}],1,{},{tell}]\n", ping(1), ping(2)));
    let mut told: Vec<String> = nested.as_array().unwrap().iter().map(Value::to_string).collect();
    told.sort();
    assert_eq!(told.len(), 3, "{told:?}");
    assert_eq!(told.iter().filter(|answer| answer.contains("-32600")).count(), 2);
    let full: Vec<String> = (0..64).map(ping).collect();
    assert_eq!(raw.asks(format!("[{}]\n", full.join(","))).as_array().unwrap().len(), 64);
    for many in [65, 100_000] {
        let many: Vec<String> = (0..many).map(ping).collect();
        assert_eq!(complaint(&raw.asks(format!("[{}]\n", many.join(",")))), "null -32009 too_many");
    }
    // One of notifications alone has no answer: the next is that of the request after it.
    raw.send(format!("[{tell},{tell}]\n")).unwrap();
    raw.still_works();
}

// 26: nesting
#[test]
fn a_million_brackets_are_an_error() {
    let hob = warm("", &[]);
    let mut raw = Raw::to(&hob);
    let open = "[".repeat(1_000_000);
    let closed = open.clone() + &"]".repeat(1_000_000);
    assert_eq!(complaint(&raw.asks(open.clone() + "\n")), "null -32700 parse_error");
    let answer = raw.asks(closed.clone() + "\n");
    assert!(answer.to_string().contains("-32600"), "{answer}");
    let params = |value: &str| {
        format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"index.search\",\"params\":{{\"query\":{value}}}}}\n"
        )
    };
    assert_eq!(complaint(&raw.asks(params(&closed))), "1 -32602 bad_params");
    let objects = "{\"a\":".repeat(300_000) + "1" + &"}".repeat(300_000);
    assert_eq!(complaint(&raw.asks(params(&objects))), "1 -32602 bad_params");
    raw.still_works();
}

// 27: odd ids
#[test]
fn no_answer_goes_to_the_wrong_call() {
    let hob = warm("", &[]);
    let mut raw = Raw::to(&hob);
    let ping =
        |id: &str| format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"daemon.ping\"}}\n");
    for id in ["null", "0", "18446744073709551615", "\"\"", "\"7\"", "\"\\u00e4\\n\""] {
        let answer = raw.asks(ping(id));
        let expected: Value = serde_json::from_str(id).unwrap();
        assert!(answer["id"] == expected && answer["result"].is_object(), "{answer}");
    }
    for id in ["1.5", "-1", "true", "[]", "{}", "18446744073709551616"] {
        assert_eq!(complaint(&raw.asks(ping(id))), "null -32600 invalid_request", "{id}");
    }
    // Sent at once with one id: an answer of each has it, or says that it could not.
    let twice = ping("7").repeat(20);
    raw.send(twice).unwrap();
    for _ in 0..20 {
        let answer = raw.answer();
        let well = answer["id"] == 7 && answer["result"].is_object();
        assert!(well || complaint(&answer) == "null -32600 invalid_request", "{answer}");
    }
    raw.still_works();
}
