//! Calls and batches: their answers, their cancellation, their faults.

use super::*;

#[tokio::test]
async fn answers_come_as_they_are_ready() {
    let mut house = House::open();
    let mut client = house.client().await;
    client.call(1, "wait", json!([])).await;
    assert_eq!(house.hears().await, "waits");
    client.still_works().await;
    house.release.add_permits(1);
    assert_eq!(client.next().await.unwrap(), json!({"jsonrpc":"2.0","id":1,"result":"released"}));
}

#[tokio::test]
async fn an_unknown_method_is_answered_with_a_near_one() {
    let house = House::open();
    let mut client = house.client().await;
    client.call(1, "ecko", json!([])).await;
    let answer = client.next().await.unwrap();
    assert_eq!(complaint(&answer), "1 -32601 method_not_found");
    assert_eq!(answer["error"]["data"]["hint"], "did you mean `echo`?");
}

#[tokio::test]
async fn bad_parameters_are_named() {
    let house = House::open();
    let mut client = house.client().await;
    client.call(1, "named", json!({ "number": "seven" })).await;
    let answer = client.next().await.unwrap();
    assert_eq!(complaint(&answer), "1 -32602 bad_params");
    let message = answer["error"]["message"].as_str().unwrap();
    assert!(message.starts_with("bad parameter `number`: invalid type"), "{message}");

    for request in [
        r#"{"jsonrpc":"2.0","id":2,"method":"named","params":{}}"#,
        r#"{"jsonrpc":"2.0","id":2,"method":"named"}"#,
    ] {
        let answer = client.ask(request).await;
        assert_eq!(answer["error"]["message"], "bad parameters: missing field `number`");
    }
}

#[tokio::test]
async fn a_panic_is_an_internal_error_without_its_words() {
    let house = House::open();
    let mut client = house.client().await;
    for method in ["panic", "panic_later", "sub_panic"] {
        client.call(1, method, json!([])).await;
        let answer = client.next().await.unwrap();
        assert_eq!(complaint(&answer), "1 -32603 internal", "{method}");
        assert!(!answer.to_string().contains("secret"));
    }
    client.still_works().await;
}

#[tokio::test]
async fn an_answer_past_the_limit_is_an_error_that_names_the_way_out() {
    let house = House::with(|server| server.limits.answer_bytes = 1000);
    let mut client = house.client().await;
    client.call(1, "big", json!([2000])).await;
    let answer = client.next().await.unwrap();
    assert_eq!(complaint(&answer), "1 -32008 too_large");
    assert!(answer["error"]["data"]["hint"].as_str().unwrap().contains("stream"));
    client.call(2, "big", json!([500])).await;
    assert_eq!(client.next().await.unwrap()["result"].as_str().unwrap().len(), 500);
}

#[tokio::test]
async fn a_cancelled_call_is_dropped_and_answered() {
    let mut house = House::open();
    let mut client = house.client().await;
    client.call(1, "wait", json!([])).await;
    assert_eq!(house.hears().await, "waits");
    client.tell("$/cancelRequest", json!({ "id": 2 })).await;
    client.tell("$/cancelRequest", json!(["nonsense"])).await;
    client.tell("$/cancelRequest", json!({ "id": 1 })).await;
    assert_eq!(client.error().await, "1 -32800 cancelled");
    assert_eq!(house.hears().await, "dropped");
    client.still_works().await;
}

#[tokio::test]
async fn the_end_of_a_connection_drops_its_calls() {
    let mut house = House::open();
    let mut client = house.client().await;
    client.call(1, "wait", json!([])).await;
    client.send(r#"[{"jsonrpc":"2.0","id":2,"method":"wait"}]"#).await;
    assert_eq!((house.hears().await, house.hears().await), ("waits".into(), "waits".into()));
    drop(client);
    assert_eq!((house.hears().await, house.hears().await), ("dropped".into(), "dropped".into()));
}

// It has said that it sends no more, and then went away: only the hang-up tells.
#[tokio::test]
async fn the_end_of_a_half_closed_connection_drops_its_calls() {
    let mut house = House::open();
    let mut client = house.client().await;
    client.call(1, "wait", json!([])).await;
    assert_eq!(house.hears().await, "waits");
    client.0.shutdown().await.unwrap();
    tokio::task::yield_now().await;
    drop(client);
    assert_eq!(house.hears().await, "dropped");
}

#[tokio::test]
async fn a_batch_is_answered_in_one_array() {
    let mut house = House::open();
    let mut client = house.client().await;
    let batch = r#"[{"jsonrpc":"2.0","id":1,"method":"echo","params":[1]}, 5,
        {"jsonrpc":"2.0","method":"told","params":[]},
        {"jsonrpc":"2.0","id":2,"method":"nothing"}, {"jsonrpc":"2.0","id":1,"method":"wait"}]"#;
    let answer = client.ask(batch.replace('\n', " ")).await;
    let mut answers = answer.as_array().unwrap().clone();
    answers.sort_by_key(ToString::to_string);
    assert_eq!(answers.len(), 4);
    let mut told: Vec<_> = answers[..3].iter().map(complaint).collect();
    told.sort();
    assert_eq!(
        told,
        ["2 -32601 method_not_found", "null -32600 invalid_request", "null -32600 invalid_request"]
    );
    assert_eq!(answers[3], json!({"jsonrpc":"2.0","id":1,"result":[1]}));
    assert_eq!(house.hears().await, "told []");
}

#[tokio::test]
async fn a_batch_of_notifications_has_no_answer() {
    let mut house = House::open();
    let mut client = house.client().await;
    client.send(r#"[{"jsonrpc":"2.0","method":"a"},{"jsonrpc":"2.0","method":"b"}]"#).await;
    assert_eq!((house.hears().await, house.hears().await), ("a ".into(), "b ".into()));
    client.still_works().await;
}

#[tokio::test]
async fn a_batch_that_is_empty_or_too_long_is_refused() {
    let house = House::with(|server| server.limits.batch = 2);
    let mut client = house.client().await;
    client.send("[]").await;
    assert_eq!(client.error().await, "null -32600 invalid_request");
    client.send("[1,2,3]").await;
    assert_eq!(client.error().await, "null -32009 too_many");
    client.still_works().await;
}

#[tokio::test]
async fn a_batch_past_the_limit_of_size_keeps_what_fits() {
    let house = House::with(|server| server.limits.answer_bytes = 1000);
    let mut client = house.client().await;
    let call = |id| json!({"jsonrpc":"2.0","id":id,"method":"big","params":[600]});
    let answer = client.ask(json!([call(1), call(2)]).to_string()).await;
    let answers = answer.as_array().unwrap();
    let large = answers.iter().filter(|answer| answer.get("error").is_some());
    assert_eq!(
        large.map(|answer| complaint(answer).split_off(2)).collect::<Vec<_>>(),
        ["-32008 too_large"]
    );
    assert_eq!(answers.len(), 2);
}

#[tokio::test]
async fn a_call_of_a_batch_can_be_cancelled() {
    let mut house = House::open();
    let mut client = house.client().await;
    client.send(r#"[{"jsonrpc":"2.0","id":1,"method":"wait"}]"#).await;
    assert_eq!(house.hears().await, "waits");
    client.tell("$/cancelRequest", json!({ "id": 1 })).await;
    let answer = client.next().await.unwrap();
    assert_eq!(complaint(&answer[0]), "1 -32800 cancelled");
}
