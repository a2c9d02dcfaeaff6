//! Subscriptions, and clients that do not read.

use super::*;

async fn subscribe(client: &mut Client, id: u64, most: u64, size: usize) -> Value {
    client.call(id, "count", json!([most, size])).await;
    let answer = client.next().await.unwrap();
    assert_eq!(answer["id"], id, "the answer comes before what follows it: {answer}");
    answer["result"].clone()
}

fn number(notification: &Value) -> u64 {
    assert_eq!(notification["method"], "counted", "{notification}");
    notification["params"]["result"][0].as_u64().unwrap()
}

#[tokio::test]
async fn a_stream_follows_its_answer_in_order() {
    let mut house = House::open();
    let mut client = house.client().await;
    let subscription = subscribe(&mut client, 1, 500, 0).await;
    for expected in 0..500 {
        let notification = client.next().await.unwrap();
        assert_eq!(number(&notification), expected);
        assert_eq!(notification["params"]["subscription"], subscription);
    }
    assert_eq!(house.hears().await, "counted");
    client.still_works().await;
}

#[tokio::test]
async fn in_a_batch_a_stream_follows_the_array() {
    let house = House::open();
    let mut client = house.client().await;
    let batch = r#"[{"jsonrpc":"2.0","id":1,"method":"count","params":[2,0]},
        {"jsonrpc":"2.0","id":2,"method":"echo","params":[]}]"#;
    let answer = client.ask(batch.replace('\n', " ")).await;
    assert_eq!(answer.as_array().unwrap().len(), 2);
    assert_eq!(number(&client.next().await.unwrap()), 0);
    assert_eq!(number(&client.next().await.unwrap()), 1);
}

#[tokio::test]
async fn a_refused_subscription_is_one_error() {
    let house = House::open();
    let mut client = house.client().await;
    client.call(1, "sub_reject", json!([])).await;
    assert_eq!(client.error().await, "1 -32002 bad_path");
    client.still_works().await;
}

#[tokio::test]
async fn a_stream_ends_by_the_id_of_its_request() {
    let mut house = House::open();
    let mut client = house.client().await;
    subscribe(&mut client, 7, u64::MAX, 0).await;
    client.tell("$/cancelRequest", json!({ "id": 7 })).await;
    read_until_heard(&mut house, &mut client, "closed").await;
}

#[tokio::test]
async fn a_stream_ends_by_its_unsubscribe_method_by_name_or_place() {
    for by_name in [true, false] {
        let mut house = House::open();
        let mut client = house.client().await;
        let id = subscribe(&mut client, 7, u64::MAX, 0).await;
        let params = if by_name { json!({ "subscription": id }) } else { json!([id]) };
        client.call(8, "count_stop", params).await;
        read_until_heard(&mut house, &mut client, "closed").await;
    }
}

/// A stream that is not read waits, and hears of nothing.
async fn read_until_heard(house: &mut House, client: &mut Client, words: &str) {
    loop {
        tokio::select! {
            biased;
            heard = house.hears() => return assert_eq!(heard, words),
            frame = client.next() => assert!(frame.is_some()),
        }
    }
}

#[tokio::test]
async fn a_stream_waits_for_its_reader() {
    let mut house = House::open();
    let mut client = house.client().await;
    // 64 MiB: more than the queues and the socket hold.
    subscribe(&mut client, 1, 1024, 64 << 10).await;
    let mut other = house.client().await;
    other.still_works().await;
    assert!(house.heard.try_recv().is_err(), "the handler has not come to its end");
    for expected in 0..1024 {
        assert_eq!(number(&client.next().await.unwrap()), expected);
    }
    assert_eq!(house.hears().await, "counted");
}

#[tokio::test]
async fn a_client_that_does_not_read_is_disconnected() {
    let mut house = House::with(|server| server.limits.stalled_write = Duration::from_millis(50));
    let mut client = house.client().await;
    client.call(1, "wait", json!([])).await;
    assert_eq!(house.hears().await, "waits");
    subscribe(&mut client, 2, u64::MAX, 64 << 10).await;
    let mut heard = [house.hears().await, house.hears().await];
    heard.sort();
    assert_eq!(heard, ["closed", "dropped"]);
    let mut other = house.client().await;
    other.still_works().await;
}

#[tokio::test]
async fn the_end_of_a_connection_ends_its_streams() {
    let mut house = House::open();
    let mut client = house.client().await;
    subscribe(&mut client, 1, u64::MAX, 0).await;
    drop(client);
    assert_eq!(house.hears().await, "closed");
}

#[tokio::test]
async fn subscriptions_are_limited_and_make_room_when_they_end() {
    let mut house = House::with(|server| server.limits.subscriptions = 1);
    let mut client = house.client().await;
    subscribe(&mut client, 1, 100_000, 1000).await;
    let mut more = house.client().await;
    subscribe(&mut more, 1, 1, 0).await;
    client.call(2, "count", json!([1, 0])).await;
    let refusal = loop {
        let frame = client.next().await.unwrap();
        if frame.get("id").is_some() {
            break complaint(&frame);
        }
    };
    assert_eq!(refusal, "2 -32009 too_many");
    client.tell("$/cancelRequest", json!({ "id": 1 })).await;
    assert_eq!(house.hears().await, "counted");
    read_until_heard(&mut house, &mut client, "closed").await;
    // The room is given back when the handler has returned, just after it was heard.
    for id in 3.. {
        client.call(id, "count", json!([1, 0])).await;
        let answer = loop {
            let frame = client.next().await.unwrap();
            if frame["id"] == id {
                break frame;
            }
        };
        if answer.get("result").is_some() {
            break;
        }
    }
}

#[tokio::test]
async fn a_part_past_the_limit_ends_its_stream() {
    let mut house = House::with(|server| server.limits.answer_bytes = 1000);
    let mut client = house.client().await;
    subscribe(&mut client, 1, u64::MAX, 2000).await;
    assert_eq!(house.hears().await, "closed");
    client.still_works().await;
}
