//! HTTP: a body is a frame.

use super::*;
use tokio::io::AsyncReadExt as _;

/// What a response says: status, content type and body. The body has a length, or ends with the
/// connection, or is in chunks.
async fn response(client: &mut Client) -> (u16, String, String) {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        let read = timeout(TOO_LONG, client.0.read_line(&mut head)).await.unwrap().unwrap();
        assert_ne!(read, 0, "{head}");
    }
    let header = |name: &str| {
        let line = head.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(": ").unwrap().1.to_owned())
    };
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let length = header("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    timeout(TOO_LONG, client.0.read_exact(&mut body)).await.unwrap().unwrap();
    if header("transfer-encoding").is_some() {
        body = chunks(client).await;
    }
    (status, header("content-type").unwrap_or_default(), String::from_utf8(body).unwrap())
}

/// One chunk; empty for the last one.
async fn chunk(client: &mut Client) -> Vec<u8> {
    let mut size = String::new();
    timeout(TOO_LONG, client.0.read_line(&mut size)).await.unwrap().unwrap();
    let mut chunk = vec![0; usize::from_str_radix(size.trim_end(), 16).unwrap() + 2];
    timeout(TOO_LONG, client.0.read_exact(&mut chunk)).await.unwrap().unwrap();
    chunk.truncate(chunk.len() - 2);
    chunk
}

async fn chunks(client: &mut Client) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        match chunk(client).await {
            chunk if chunk.is_empty() => return body,
            chunk => body.extend(chunk),
        }
    }
}

async fn post(client: &mut Client, body: &str) -> (u16, String, String) {
    send(client, body).await;
    response(client).await
}

async fn send(client: &mut Client, body: &str) {
    let length = body.len();
    let head = format!(
        "POST /any HTTP/1.1\r\nHost: hob\r\nContent-Length: {length}\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\n"
    );
    client.0.write_all((head + body).as_bytes()).await.unwrap();
}

fn call(id: u64, method: &str, params: Value) -> String {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string()
}

fn said(body: &str) -> String {
    complaint(&serde_json::from_str(body).unwrap())
}

#[tokio::test]
async fn a_body_is_answered_by_a_body_and_the_connection_is_kept() {
    let house = House::open();
    let mut client = house.client().await;
    for id in [1, 2] {
        let (status, kind, body) = post(&mut client, &call(id, "echo", json!([id]))).await;
        assert_eq!((status, kind.as_str()), (200, "application/json"));
        assert_eq!(body, format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":[{id}]}}\n"));
    }
}

#[tokio::test]
async fn a_batch_is_one_body_and_notifications_are_none() {
    let mut house = House::open();
    let mut client = house.client().await;
    let tell = r#"{"jsonrpc":"2.0","method":"news","params":[1]}"#;
    let batch = format!("[{},{tell},{}]", call(1, "echo", json!([])), call(2, "nope", json!([])));
    let (status, _, body) = post(&mut client, &batch).await;
    let answers: Vec<Value> = serde_json::from_str(&body).unwrap();
    assert_eq!((status, answers.len()), (200, 2));
    assert_eq!(house.hears().await, "news [1]");
    assert_eq!(post(&mut client, tell).await, (204, String::new(), String::new()));
    assert_eq!(house.hears().await, "news [1]");
    post(&mut client, &call(3, "echo", json!([]))).await;
}

#[tokio::test]
async fn an_error_is_an_answer_like_any_other() {
    let house = House::open();
    let mut client = house.client().await;
    for (body, error) in [
        ("{", "null -32700 parse_error"),
        ("", "null -32700 parse_error"),
        ("[]", "null -32600 invalid_request"),
        (&call(1, "nope", json!([])), "1 -32601 method_not_found"),
        (&call(1, "panic", json!([])), "1 -32603 internal"),
    ] {
        let (status, _, answer) = post(&mut client, body).await;
        assert_eq!((status, said(&answer).as_str()), (200, error));
    }
}

#[tokio::test]
async fn another_verb_is_told_what_to_do() {
    let house = House::open();
    for head in ["GET / HTTP/1.1", "PUT / HTTP/1.1", "DELETE /x HTTP/1.1"] {
        let mut client = house.client().await;
        client.0.write_all(format!("{head}\r\nHost: hob\r\n\r\n").as_bytes()).await.unwrap();
        let (status, _, body) = response(&mut client).await;
        assert_eq!((status, said(&body).as_str()), (405, "null -32600 invalid_request"));
    }
}

#[tokio::test]
async fn a_body_past_the_limit_is_refused() {
    let house = House::with(|server| server.limits.frame_bytes = 1000);
    let mut client = house.client().await;
    let fits = call(1, "echo", json!(["x".repeat(900)]));
    assert_eq!(post(&mut client, &fits).await.0, 200);
    let (status, _, body) = post(&mut client, &"x".repeat(500_000)).await;
    assert_eq!((status, said(&body).as_str()), (413, "null -32008 too_large"));
    let mut client = house.client().await;
    let head = b"POST / HTTP/1.1\r\nHost: hob\r\nTransfer-Encoding: chunked\r\n\r\n";
    client.0.write_all(head).await.unwrap();
    let chunk = format!("400\r\n{}\r\n", "x".repeat(0x400));
    client.0.write_all(chunk.as_bytes()).await.unwrap();
    let (status, _, body) = response(&mut client).await;
    assert_eq!((status, said(&body).as_str()), (413, "null -32008 too_large"));
}

#[tokio::test]
async fn a_body_that_does_not_end_is_given_up() {
    let house = House::with(|server| server.limits.partial_frame = Duration::from_millis(30));
    let mut client = house.client().await;
    let head = b"POST / HTTP/1.1\r\nHost: hob\r\nContent-Length: 100\r\n\r\n{";
    client.0.write_all(head).await.unwrap();
    let (status, _, body) = response(&mut client).await;
    assert_eq!((status, said(&body).as_str()), (408, "null -32007 deadline"));
}

#[tokio::test]
async fn a_head_that_does_not_end_is_given_up() {
    let house = House::with(|server| server.limits.first_frame = Duration::from_millis(30));
    let mut client = house.client().await;
    client.0.write_all(b"POST / HTTP/1.1\r\nHost:").await.unwrap();
    let mut rest = String::new();
    timeout(TOO_LONG, client.0.read_to_string(&mut rest)).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_subscription_is_a_body_that_goes_on() {
    let house = House::open();
    let mut client = house.client().await;
    let (status, kind, body) = post(&mut client, &call(1, "count", json!([3, 100_000]))).await;
    assert_eq!((status, kind.as_str()), (200, "application/x-ndjson"));
    let lines: Vec<Value> = body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((lines.len(), &lines[0]["result"]), (4, &json!(1)));
    assert_eq!(lines[3]["params"]["result"][0], 2);
    // And the connection is kept.
    assert_eq!(post(&mut client, &call(2, "echo", json!([]))).await.0, 200);
}

#[tokio::test]
async fn a_client_that_goes_away_ends_its_call_and_its_stream() {
    let mut house = House::open();
    let mut client = house.client().await;
    send(&mut client, &call(1, "wait", json!([]))).await;
    assert_eq!(house.hears().await, "waits");
    drop(client);
    assert_eq!(house.hears().await, "dropped");
    let mut client = house.client().await;
    send(&mut client, &call(1, "count", json!([u64::MAX, 1000]))).await;
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        client.0.read_line(&mut head).await.unwrap();
    }
    assert!(chunk(&mut client).await.starts_with(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":1"));
    drop(client);
    assert_eq!(house.hears().await, "closed");
}

#[tokio::test]
async fn a_client_that_reads_nothing_is_dropped() {
    let mut house = House::with(|server| server.limits.stalled_write = Duration::from_millis(50));
    let mut client = house.client().await;
    send(&mut client, &call(1, "count", json!([u64::MAX, 100_000]))).await;
    assert_eq!(house.hears().await, "closed");
    while house.connections.count() > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn nobody_can_be_asked_within_an_answer() {
    let mut house = House::open();
    let mut client = house.client().await;
    let (_, _, body) = post(&mut client, &call(1, "ask_back", json!(["?"]))).await;
    assert!(body.contains("the client has gone"), "{body}");
    assert_eq!(house.hears().await, "the client has gone");
}

#[tokio::test]
async fn at_the_end_what_runs_is_answered_and_the_next_is_refused() {
    let mut house = House::open();
    let mut client = house.client().await;
    send(&mut client, &call(1, "wait", json!([]))).await;
    assert_eq!(house.hears().await, "waits");
    let mut other = house.client().await;
    send(&mut other, &call(2, "echo", json!([]))).await;
    house.stop.cancel();
    let (_, _, body) = response(&mut other).await;
    assert!(body.contains("stopping") || body.contains("result"), "{body}");
    house.release.add_permits(1);
    let (_, _, body) = response(&mut client).await;
    assert!(body.contains("released"), "{body}");
    timeout(TOO_LONG, house.served).await.unwrap().unwrap();
}
