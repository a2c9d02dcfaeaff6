//! WebSocket, with the library's own client.

use super::*;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Bytes, Message};

struct Socket(WebSocketStream<UnixStream>);

impl House {
    async fn socket(&self) -> Socket {
        let stream = UnixStream::connect(self.dir.path().join("s")).await.unwrap();
        Socket(tokio_tungstenite::client_async("ws://hob/", stream).await.unwrap().0)
    }
}

impl Socket {
    async fn send(&mut self, text: impl Into<String>) {
        self.0.send(Message::text(text.into())).await.unwrap();
    }

    async fn call(&mut self, id: u64, method: &str, params: Value) {
        self.send(
            json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string(),
        )
        .await;
    }

    async fn message(&mut self) -> Message {
        timeout(TOO_LONG, self.0.next()).await.unwrap().unwrap().unwrap()
    }

    async fn next(&mut self) -> Value {
        serde_json::from_str(self.message().await.to_text().unwrap()).unwrap()
    }

    async fn closed_with(&mut self) -> CloseCode {
        match self.message().await {
            Message::Close(Some(close)) => close.code,
            other => panic!("{other}"),
        }
    }
}

#[tokio::test]
async fn a_message_is_a_frame() {
    let mut house = House::open();
    let mut socket = house.socket().await;
    socket.call(1, "echo", json!(["ä"])).await;
    assert_eq!(socket.next().await, json!({ "jsonrpc": "2.0", "id": 1, "result": ["ä"] }));
    let bytes = Bytes::from_static(br#"{"jsonrpc":"2.0","id":2,"method":"echo"}"#);
    socket.0.send(Message::Binary(bytes)).await.unwrap();
    assert_eq!(socket.next().await["id"], 2);
    socket
        .send(r#"[{"jsonrpc":"2.0","id":3,"method":"echo"},{"jsonrpc":"2.0","method":"m"}]"#)
        .await;
    assert_eq!(socket.next().await.as_array().unwrap().len(), 1);
    assert_eq!(house.hears().await, "m ");
}

#[tokio::test]
async fn garbage_is_answered_and_the_next_message_works() {
    let house = House::open();
    let mut socket = house.socket().await;
    for garbage in ["hello", "", "{"] {
        socket.send(garbage).await;
        assert_eq!(complaint(&socket.next().await), "null -32700 parse_error");
    }
    socket.0.send(Message::Binary(Bytes::from_static(b"{\"\xff\"}"))).await.unwrap();
    assert_eq!(complaint(&socket.next().await), "null -32700 parse_error");
    socket.call(1, "echo", json!([])).await;
    assert_eq!(socket.next().await["id"], 1);
}

#[tokio::test]
async fn streams_cancellation_and_questions_are_as_everywhere() {
    let mut house = House::open();
    let mut socket = house.socket().await;
    socket.call(1, "count", json!([2, 0])).await;
    assert_eq!(socket.next().await["result"], 1);
    for number in 0..2 {
        assert_eq!(socket.next().await["params"]["result"], json!([number, ""]));
    }
    assert_eq!(house.hears().await, "counted");
    socket.call(2, "wait", json!([])).await;
    assert_eq!(house.hears().await, "waits");
    socket.send(r#"{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":2}}"#).await;
    assert_eq!(complaint(&socket.next().await), "2 -32800 cancelled");
    assert_eq!(house.hears().await, "dropped");
    socket.call(3, "ask_back", json!(["?"])).await;
    let question = socket.next().await;
    assert_eq!(question["method"], "client.question");
    socket.send(json!({ "jsonrpc": "2.0", "id": question["id"], "result": "!" }).to_string()).await;
    assert_eq!(socket.next().await["result"], "!");
}

#[tokio::test]
async fn a_ping_is_answered() {
    let house = House::open();
    let mut socket = house.socket().await;
    socket.0.send(Message::Ping(Bytes::from_static(b"?"))).await.unwrap();
    assert_eq!(socket.message().await, Message::Pong(Bytes::from_static(b"?")));
}

#[tokio::test]
async fn a_message_past_the_limit_is_refused_and_the_socket_closed() {
    let house = House::with(|server| server.limits.frame_bytes = 1000);
    let mut socket = house.socket().await;
    socket.send("x".repeat(100_000)).await;
    assert_eq!(complaint(&socket.next().await), "null -32008 too_large");
    assert_eq!(socket.closed_with().await, CloseCode::Size);
}

#[tokio::test]
async fn a_socket_that_says_nothing_and_a_message_that_does_not_end_are_given_up() {
    let house = House::with(|server| server.limits.first_frame = Duration::from_millis(50));
    let mut socket = house.socket().await;
    assert_eq!(complaint(&socket.next().await), "null -32007 deadline");
    assert_eq!(socket.closed_with().await, CloseCode::Policy);

    let house = House::with(|server| server.limits.partial_frame = Duration::from_millis(50));
    let mut socket = house.socket().await;
    socket.call(1, "echo", json!([])).await;
    socket.next().await;
    socket.0.get_mut().write_all(&[0x81, 0xfe, 0x01]).await.unwrap();
    assert_eq!(complaint(&socket.next().await), "null -32007 deadline");
    assert_eq!(socket.closed_with().await, CloseCode::Policy);
}

#[tokio::test]
async fn an_idle_socket_is_left_in_peace() {
    let house = House::with(|server| {
        server.limits.first_frame = Duration::from_millis(50);
        server.limits.partial_frame = Duration::from_millis(50);
    });
    let mut socket = house.socket().await;
    socket.call(1, "echo", json!([])).await;
    socket.next().await;
    socket.0.send(Message::Ping(Bytes::new())).await.unwrap();
    socket.message().await;
    tokio::time::sleep(Duration::from_millis(150)).await;
    socket.call(2, "echo", json!([])).await;
    assert_eq!(socket.next().await["id"], 2);
}

#[tokio::test]
async fn what_breaks_the_protocol_is_closed() {
    let house = House::open();
    let mut socket = house.socket().await;
    // A frame without a mask, and one of an unknown kind.
    socket.0.get_mut().write_all(&[0x81, 0x02, b'{', b'}']).await.unwrap();
    assert_eq!(complaint(&socket.next().await), "null -32700 parse_error");
    assert_eq!(socket.closed_with().await, CloseCode::Protocol);
}

#[tokio::test]
async fn a_peer_that_closes_ends_its_work() {
    let mut house = House::open();
    let mut socket = house.socket().await;
    socket.call(1, "wait", json!([])).await;
    assert_eq!(house.hears().await, "waits");
    socket.0.close(None).await.unwrap();
    assert_eq!(house.hears().await, "dropped");
    assert!(matches!(socket.message().await, Message::Close(None)));
}

#[tokio::test]
async fn a_reader_that_reads_nothing_is_dropped() {
    let mut house = House::with(|server| server.limits.stalled_write = Duration::from_millis(50));
    let mut socket = house.socket().await;
    socket.call(1, "count", json!([u64::MAX, 100_000])).await;
    assert_eq!(house.hears().await, "closed");
}

#[tokio::test]
async fn at_the_end_a_socket_is_closed_with_words() {
    let mut house = House::open();
    let mut socket = house.socket().await;
    socket.call(1, "wait", json!([])).await;
    assert_eq!(house.hears().await, "waits");
    house.stop.cancel();
    house.release.add_permits(1);
    assert_eq!(socket.next().await["result"], "released");
    assert_eq!(socket.closed_with().await, CloseCode::Away);
    timeout(TOO_LONG, house.served).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_handshake_that_is_none_is_told_why() {
    let house = House::open();
    let mut client = house.client().await;
    let head = b"GET / HTTP/1.1\r\nHost: hob\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    client.0.write_all(head).await.unwrap();
    let mut line = String::new();
    client.0.read_line(&mut line).await.unwrap();
    assert_eq!(line, "HTTP/1.1 400 Bad Request\r\n");
}
