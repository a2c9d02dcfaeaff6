//! How much and who, and what becomes of it at the daemon's end.

use super::*;

#[tokio::test]
async fn calls_at_once_are_limited_and_the_connection_stays() {
    let mut house = House::with(|server| server.limits.calls = 2);
    let mut client = house.client().await;
    for id in 0..2 {
        client.call(id, "wait", json!([])).await;
        assert_eq!(house.hears().await, "waits");
    }
    client.call(2, "echo", json!([])).await;
    assert_eq!(client.error().await, "2 -32009 too_many");
    client.send(r#"[{"jsonrpc":"2.0","id":3,"method":"echo"}]"#).await;
    assert_eq!(complaint(&client.next().await.unwrap()[0]), "3 -32009 too_many");
    let mut other = house.client().await;
    other.still_works().await;
    house.release.add_permits(2);
    client.next().await.unwrap();
    client.next().await.unwrap();
    client.still_works().await;
}

#[tokio::test]
async fn connections_are_limited_and_make_room_when_they_end() {
    let house = House::with(|server| server.limits.connections = 1);
    let mut first = house.client().await;
    first.still_works().await;
    let mut second = house.client().await;
    assert_eq!(second.error().await, "null -32009 too_many");
    assert_eq!(second.next().await, None);
    assert_eq!(house.connections.count(), 1);
    drop(first);
    loop {
        let mut third = house.client().await;
        third.call(1, "echo", json!([])).await;
        if third.next().await.unwrap().get("result").is_some() {
            break;
        }
    }
}

#[tokio::test]
async fn another_user_is_refused() {
    let house = House::with(|server| server.owner = rustix::process::Uid::from_raw(12345));
    let mut client = house.client().await;
    assert_eq!(client.error().await, "null -32013 forbidden");
    assert_eq!(client.next().await, None);
}

#[tokio::test]
async fn at_the_end_running_calls_finish_and_new_ones_are_refused() {
    let mut house = House::open();
    let mut client = house.client().await;
    client.call(1, "wait", json!([])).await;
    assert_eq!(house.hears().await, "waits");
    house.stop.cancel();
    let refusal = loop {
        client.call(2, "echo", json!([])).await;
        let answer = client.next().await.unwrap();
        if answer.get("error").is_some() {
            break complaint(&answer);
        }
    };
    assert_eq!(refusal, "2 -32011 stopping");
    house.release.add_permits(1);
    assert_eq!(client.next().await.unwrap()["result"], "released");
    assert_eq!(client.next().await, None);
    timeout(TOO_LONG, house.served).await.unwrap().unwrap();
}

#[tokio::test]
async fn at_the_end_a_call_that_does_not_finish_is_dropped_and_answered() {
    let mut house = House::with(|server| server.limits.drain = Duration::from_millis(50));
    let mut client = house.client().await;
    client.call(2, "count", json!([u64::MAX, 1000])).await;
    client.call(1, "wait", json!([])).await;
    assert_eq!(house.hears().await, "waits");
    house.stop.cancel();
    let ended = loop {
        match client.next().await.unwrap() {
            told if told.get("error").is_some() => break complaint(&told),
            _ => {}
        }
    };
    assert_eq!(ended, "1 -32011 stopping");
    timeout(TOO_LONG, &mut house.served).await.unwrap().unwrap();
    let mut heard = [house.hears().await, house.hears().await];
    heard.sort();
    assert_eq!(heard, ["closed", "dropped"]);
}

#[tokio::test]
async fn at_the_end_an_idle_connection_is_closed_at_once() {
    let house = House::open();
    let mut client = house.client().await;
    client.still_works().await;
    house.stop.cancel();
    assert_eq!(client.next().await, None);
    timeout(TOO_LONG, house.served).await.unwrap().unwrap();
}

/// Shuts the door when told, for someone else to open it.
struct Leaving(CancellationToken);

impl Doorkeeper for Leaving {
    async fn knock(&self) {}

    async fn shut(&self) {
        self.0.cancelled().await;
    }

    fn close(&self, _: bool) -> bool {
        false
    }
}

#[tokio::test]
async fn when_the_door_is_shut_those_who_are_in_are_heard_and_others_stay_in_the_queue() {
    let leave = CancellationToken::new();
    let house = House::kept_by(Leaving(leave.clone()), |_| {});
    let (mut asked, mut silent) = (house.client().await, house.client().await);
    asked.still_works().await;
    while house.connections.count() < 2 {
        tokio::task::yield_now().await;
    }
    leave.cancel();
    let mut late = house.client().await;
    late.call(1, "echo", json!([])).await;
    // Both on one connection: the second is on its way when the first is taken.
    silent.send([PING, &PING.replace(r#""id":1"#, r#""id":2"#)].join("\n")).await;
    assert_eq!(silent.next().await.unwrap()["result"], json!(["ping"]));
    assert_eq!(silent.next().await.unwrap()["result"], json!(["ping"]));
    assert_eq!((silent.next().await, asked.next().await), (None, None));
    timeout(TOO_LONG, house.served).await.unwrap().unwrap();
    assert!(house.stop.is_cancelled());
    assert_eq!(late.next().await, None, "its connection was never taken");
}

const PING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"echo","params":["ping"]}"#;

#[tokio::test]
async fn a_request_that_the_end_has_overtaken_is_refused() {
    let house = House::open();
    // Nothing is accepted before this task waits, and by then the server is to stop.
    let mut client = house.client().await;
    client.call(1, "echo", json!([])).await;
    house.stop.cancel();
    assert_eq!(client.error().await, "1 -32011 stopping");
}

#[tokio::test]
async fn refused_batches_wait_for_a_peer_that_does_not_read() {
    let house = House::open();
    let mut client = house.client().await;
    let batch = format!("[{}]", ["1"; 64].join(","));
    // What fits the sockets' buffers and the queue goes in.
    let mut sent = 0;
    while let Ok(()) = timeout(Duration::from_millis(500), client.send(&batch)).await {
        sent += batch.len();
        assert!(sent < 20 << 20, "all is taken in");
    }
}

#[tokio::test]
async fn who_never_ceases_to_send_does_not_hold_up_the_end() {
    let house = House::with(|server| server.limits.drain = Duration::from_secs(60));
    let mut client = house.client().await;
    client.still_works().await;
    house.stop.cancel();
    let line = b"{\"jsonrpc\":\"2.0\",\"method\":\"tell\"}\n";
    let busy = async {
        while client.0.write_all(line).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    let ((), served) = timeout(TOO_LONG, async { tokio::join!(busy, house.served) }).await.unwrap();
    served.unwrap();
}

#[tokio::test]
async fn an_id_is_at_most_1024_bytes_long() {
    let house = House::open();
    let mut client = house.client().await;
    client
        .send(&format!(r#"{{"jsonrpc":"2.0","id":"{}","method":"echo"}}"#, "x".repeat(1024)))
        .await;
    assert!(client.next().await.unwrap().get("result").is_some());
    client
        .send(&format!(r#"{{"jsonrpc":"2.0","id":"{}","method":"echo"}}"#, "x".repeat(1025)))
        .await;
    assert_eq!(client.error().await, "null -32600 invalid_request");
    client.still_works().await;
}
