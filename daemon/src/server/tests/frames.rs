//! Frames and messages that are not as they should be.

use super::*;

#[tokio::test]
async fn garbage_is_answered_and_the_next_request_works() {
    let house = House::open();
    let mut client = house.client().await;
    for garbage in [&b"hello"[..], b"{", b"\xff\xfe", b"{\"a\":\"\xff\"}", b"5", b"\0"] {
        client.send(garbage).await;
        assert_eq!(client.error().await, "null -32700 parse_error");
    }
    client.still_works().await;
}

#[tokio::test]
async fn a_request_that_is_none_is_answered_with_its_id() {
    let house = House::open();
    let mut client = house.client().await;
    client.send(r#"{"jsonrpc":"1.0","id":"a","method":"echo"}"#).await;
    assert_eq!(client.error().await, "\"a\" -32600 invalid_request");
    client.send(r#"{"jsonrpc":"2.0","id":1.5,"method":"echo"}"#).await;
    assert_eq!(client.error().await, "null -32600 invalid_request");
    client.still_works().await;
}

#[tokio::test]
async fn an_id_may_be_null_a_number_or_a_string() {
    let house = House::open();
    let mut client = house.client().await;
    for id in ["null", "0", "18446744073709551615", r#""a \" b""#, r#""""#] {
        let request = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"echo","params":[]}}"#);
        assert_eq!(client.ask(request).await["id"].to_string(), id);
    }
}

// A refusal with the id would be taken for the answer to the call that runs.
#[tokio::test]
async fn an_id_that_is_in_use_gets_one_answer() {
    let mut house = House::open();
    let mut client = house.client().await;
    client.call(7, "wait", json!([])).await;
    assert_eq!(house.hears().await, "waits");
    client.call(7, "echo", json!([])).await;
    assert_eq!(client.error().await, "null -32600 invalid_request");
    client.send(r#"[{"jsonrpc":"2.0","id":7,"method":"echo"}]"#).await;
    assert_eq!(complaint(&client.next().await.unwrap()[0]), "null -32600 invalid_request");
    house.release.add_permits(1);
    assert_eq!(client.next().await.unwrap(), json!({"jsonrpc":"2.0","id":7,"result":"released"}));
    client.call(7, "echo", json!([])).await;
    assert_eq!(client.next().await.unwrap()["id"], 7);
}

#[tokio::test]
async fn several_requests_may_have_the_id_null() {
    let mut house = House::open();
    let mut client = house.client().await;
    for _ in 0..2 {
        client.send(r#"{"jsonrpc":"2.0","id":null,"method":"wait","params":[]}"#).await;
        assert_eq!(house.hears().await, "waits");
    }
    house.release.add_permits(2);
    for _ in 0..2 {
        assert_eq!(client.next().await.unwrap()["result"], "released");
    }
}

#[tokio::test]
async fn blank_lines_are_skipped() {
    let house = House::open();
    let mut client = house.client().await;
    client.send("\n\r\n  \t").await;
    client.still_works().await;
}

#[tokio::test]
async fn a_frame_past_the_limit_is_refused_and_the_connection_closed() {
    let house = House::with(|server| server.limits.frame_bytes = 2000);
    let mut client = house.client().await;
    client.still_works().await;
    // Twice a socket's buffer: the server must read on for the client to hear of it.
    client.send("x".repeat(500_000)).await;
    assert_eq!(client.error().await, "null -32008 too_large");
    assert_eq!(client.next().await, None);
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_closed() {
    let house = House::with(|server| server.limits.first_frame = Duration::from_millis(30));
    let mut client = house.client().await;
    assert_eq!(client.error().await, "null -32007 deadline");
    assert_eq!(client.next().await, None);
}

#[tokio::test]
async fn a_frame_that_does_not_end_is_given_up() {
    let house = House::with(|server| server.limits.partial_frame = Duration::from_millis(30));
    let mut client = house.client().await;
    client.still_works().await;
    client.0.write_all(b"{\"jsonrpc\":").await.unwrap();
    assert_eq!(client.error().await, "null -32007 deadline");
    assert_eq!(client.next().await, None);
}

#[tokio::test]
async fn an_idle_connection_is_left_in_peace() {
    let house = House::with(|server| {
        server.limits.first_frame = Duration::from_millis(20);
        server.limits.partial_frame = Duration::from_millis(20);
    });
    let mut client = house.client().await;
    client.still_works().await;
    tokio::time::sleep(Duration::from_millis(60)).await;
    client.still_works().await;
}

// A parser that recurses without a limit overflows its stack, and takes the daemon with it.
#[tokio::test]
async fn deep_nesting_is_an_error() {
    let house = House::open();
    let mut client = house.client().await;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let request = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"echo","params":{deep}}}"#);
    assert_eq!(complaint(&client.ask(request).await), "1 -32602 bad_params");
    client.still_works().await;
}

#[tokio::test]
async fn the_last_line_needs_no_end_and_is_answered_to_a_half_closed_socket() {
    let house = House::open();
    let mut client = house.client().await;
    client.call(1, "wait", json!([])).await;
    let last = br#"{"jsonrpc":"2.0","id":2,"method":"echo","params":[2]}"#;
    client.0.write_all(last).await.unwrap();
    client.0.shutdown().await.unwrap();
    assert_eq!(client.next().await.unwrap()["id"], 2);
    house.release.add_permits(1);
    assert_eq!(client.next().await.unwrap()["result"], "released");
    assert_eq!(client.next().await, None);
}
