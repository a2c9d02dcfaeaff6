//! What is spoken on a connection is told by its first bytes, and answered in kind.

use super::*;
use tokio::io::AsyncReadExt as _;

/// All that the daemon sends until it closes.
async fn rest(client: &mut Client) -> String {
    let mut text = String::new();
    timeout(TOO_LONG, client.0.read_to_string(&mut text)).await.unwrap().unwrap();
    text
}

fn headed(json: &str) -> String {
    format!("Content-Length: {}\r\n\r\n{json}", json.len())
}

/// The next frame of a connection that has headers.
async fn next_headed(client: &mut Client) -> Value {
    let mut line = String::new();
    timeout(TOO_LONG, client.0.read_line(&mut line)).await.unwrap().unwrap();
    let length: usize = line.strip_prefix("Content-Length: ").unwrap().trim_end().parse().unwrap();
    let mut rest = vec![0; 2 + length];
    timeout(TOO_LONG, client.0.read_exact(&mut rest)).await.unwrap().unwrap();
    serde_json::from_slice(rest.strip_prefix(b"\r\n").unwrap()).unwrap()
}

fn echo(id: u64) -> String {
    json!({ "jsonrpc": "2.0", "id": id, "method": "echo", "params": ["ä\n"] }).to_string()
}

#[tokio::test]
async fn who_sends_headers_gets_headers() {
    let house = House::open();
    let mut client = house.client().await;
    let both = headed(&echo(1)) + &headed(&echo(2));
    for byte in both.as_bytes().chunks(7) {
        client.0.write_all(byte).await.unwrap();
        client.0.flush().await.unwrap();
    }
    for id in [1, 2] {
        assert_eq!(
            next_headed(&mut client).await,
            json!({ "jsonrpc": "2.0", "id": id, "result": ["ä\n"] })
        );
    }
}

#[tokio::test]
async fn a_stream_and_a_question_have_headers_too() {
    let house = House::open();
    let mut client = house.client().await;
    let subscribe = json!({ "jsonrpc": "2.0", "id": 1, "method": "count", "params": [2, 0] });
    client.0.write_all(headed(&subscribe.to_string()).as_bytes()).await.unwrap();
    assert_eq!(next_headed(&mut client).await["result"], 1);
    for number in 0..2 {
        let told = next_headed(&mut client).await;
        assert_eq!(
            (&told["method"], &told["params"]["result"]),
            (&json!("counted"), &json!([number, ""]))
        );
    }
    let ask = json!({ "jsonrpc": "2.0", "id": 2, "method": "ask_back", "params": ["?"] });
    client.0.write_all(headed(&ask.to_string()).as_bytes()).await.unwrap();
    let question = next_headed(&mut client).await;
    let answer = json!({ "jsonrpc": "2.0", "id": question["id"], "result": "!" });
    client.0.write_all(headed(&answer.to_string()).as_bytes()).await.unwrap();
    assert_eq!(next_headed(&mut client).await["result"], "!");
}

#[tokio::test]
async fn garbage_in_a_frame_with_headers_is_answered_and_the_next_one_works() {
    let house = House::open();
    let mut client = house.client().await;
    for garbage in ["hello", "", "{", "5"] {
        client.0.write_all(headed(garbage).as_bytes()).await.unwrap();
        assert_eq!(complaint(&next_headed(&mut client).await), "null -32700 parse_error");
    }
    client.0.write_all(b"Content-Length: 2\r\n\r\n\xff\xff").await.unwrap();
    assert_eq!(complaint(&next_headed(&mut client).await), "null -32700 parse_error");
    client.0.write_all(headed(&echo(1)).as_bytes()).await.unwrap();
    assert_eq!(next_headed(&mut client).await["id"], 1);
}

// Where the next frame begins is not known any more.
#[tokio::test]
async fn headers_that_make_no_sense_are_answered_and_the_connection_closed() {
    let house = House::with(|server| server.limits.frame_bytes = 100);
    for (headers, complaint) in [
        ("Content-Length: x\r\n\r\n", "parse_error"),
        ("Content-Type: y\r\n\r\n", "parse_error"),
        ("Content-Length: 101\r\n\r\n", "too_large"),
    ] {
        let mut client = house.client().await;
        client.0.write_all(headers.as_bytes()).await.unwrap();
        let answer = next_headed(&mut client).await;
        assert_eq!(answer["error"]["data"]["kind"], complaint, "{answer}");
        assert_eq!(rest(&mut client).await, "");
    }
}

#[tokio::test]
async fn a_refused_connection_is_told_in_its_own_framing() {
    let house = House::with(|server| server.limits.connections = 1);
    let mut first = house.client().await;
    first.still_works().await;
    let mut second = house.client().await;
    second.0.write_all(headed(&echo(1)).as_bytes()).await.unwrap();
    assert_eq!(complaint(&next_headed(&mut second).await), "null -32009 too_many");
    let mut third = house.client().await;
    third.0.write_all(b"POST / HTTP/1.1\r\nHost: hob\r\nContent-Length: 0\r\n\r\n").await.unwrap();
    let told = rest(&mut third).await;
    assert!(told.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{told}");
    let (_, body) = told.split_once("\r\n\r\n").unwrap();
    assert_eq!(complaint(&serde_json::from_str(body).unwrap()), "null -32009 too_many");
}

#[tokio::test]
async fn blank_space_before_the_first_frame_tells_nothing() {
    let house = House::open();
    let mut client = house.client().await;
    client.0.write_all(format!("\r\n {}", headed(&echo(1))).as_bytes()).await.unwrap();
    assert_eq!(next_headed(&mut client).await["id"], 1);
    let mut client = house.client().await;
    client.0.write_all(format!("\n\t{}\n", echo(1)).as_bytes()).await.unwrap();
    assert_eq!(client.next().await.unwrap()["id"], 1);
}

#[tokio::test]
async fn a_word_that_is_half_told_is_garbage_at_its_end() {
    let house = House::open();
    let mut client = house.client().await;
    client.0.write_all(b"POS").await.unwrap();
    client.0.shutdown().await.unwrap();
    assert_eq!(client.error().await, "null -32700 parse_error");
    assert_eq!(client.next().await, None);
}

#[tokio::test]
async fn blank_lines_begin_no_frame_that_could_be_late() {
    let house = House::with(|server| server.limits.partial_frame = Duration::from_millis(20));
    let mut client = house.client().await;
    client.still_works().await;
    client.send("\r\n").await;
    tokio::time::sleep(Duration::from_millis(60)).await;
    client.still_works().await;
}
