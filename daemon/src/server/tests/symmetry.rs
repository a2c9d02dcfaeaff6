//! What the daemon asks and tells its clients, and what they tell it.

use super::*;

/// The question that the daemon has asked.
async fn question(client: &mut Client) -> Value {
    let question = client.next().await.unwrap();
    assert_eq!(question["method"], "client.question", "{question}");
    question
}

#[tokio::test]
async fn the_daemon_asks_and_the_client_answers() {
    let house = House::open();
    let mut client = house.client().await;
    client.call(1, "ask_back", json!(["name"])).await;
    let asked = question(&mut client).await;
    assert_eq!(asked["params"], json!(["name"]));
    // Its own calls go on meanwhile, and answers to nothing are ignored.
    client.still_works().await;
    client.send(r#"{"jsonrpc":"2.0","id":777,"result":1}"#).await;
    client.send(r#"{"jsonrpc":"2.0","id":"x","result":1}"#).await;
    client.send(json!({"jsonrpc":"2.0","id":asked["id"],"result":{"a":1}}).to_string()).await;
    let answer = client.next().await.unwrap();
    assert_eq!(answer, json!({"jsonrpc":"2.0","id":1,"result":{"a":1}}));
}

#[tokio::test]
async fn a_client_may_refuse_an_answer() {
    let mut house = House::open();
    let mut client = house.client().await;
    client.call(1, "ask_back", json!([])).await;
    let id = question(&mut client).await["id"].clone();
    let error = json!({ "code": 5, "message": "not now" });
    client.send(json!({"jsonrpc":"2.0","id":id,"error":error}).to_string()).await;
    assert_eq!(client.next().await.unwrap()["result"], "the client refused: not now");
    assert_eq!(house.hears().await, "the client refused: not now");
}

#[tokio::test]
async fn several_questions_are_answered_in_any_order() {
    let house = House::open();
    let mut client = house.client().await;
    let mut asked = Vec::new();
    for id in 0..3 {
        client.call(id, "ask_back", json!([id])).await;
        asked.push(question(&mut client).await);
    }
    for question in asked.iter().rev() {
        let answer = json!({"jsonrpc":"2.0","id":question["id"],"result":question["params"]});
        client.send(answer.to_string()).await;
        let answer = client.next().await.unwrap();
        assert_eq!(answer["result"], json!([answer["id"]]));
    }
}

#[tokio::test]
async fn a_question_whose_call_is_cancelled_is_taken_back() {
    let house = House::open();
    let mut client = house.client().await;
    client.call(1, "ask_back", json!([])).await;
    let id = question(&mut client).await["id"].clone();
    client.tell("$/cancelRequest", json!({ "id": 1 })).await;
    let taken_back = client.next().await.unwrap();
    assert_eq!(taken_back["method"], "$/cancelRequest");
    assert_eq!(taken_back["params"]["id"], id);
    assert_eq!(client.error().await, "1 -32800 cancelled");
}

#[tokio::test]
async fn a_peer_that_is_kept_fails_once_the_connection_has_ended() {
    let (kept, mut peers) = mpsc::unbounded_channel();
    let mut module = RpcModule::new(kept);
    module
        .register_method("keep", |_, kept, extensions| {
            kept.send(extensions.get::<Peer>().unwrap().clone()).unwrap();
            Ok::<_, ErrorObjectOwned>(())
        })
        .unwrap();
    let house = House::with(move |server| server.methods = module.into());
    let mut client = house.client().await;
    client.call(1, "keep", json!([])).await;
    client.next().await.unwrap();
    let peer = peers.recv().await.unwrap();
    peer.notify("hello", json!([1])).await.unwrap();
    assert_eq!(client.next().await.unwrap()["params"], json!([1]));
    let asking = tokio::spawn(async move { peer.call("question", json!([])).await });
    client.next().await.unwrap();
    drop(client);
    let outcome = timeout(TOO_LONG, asking).await.unwrap().unwrap();
    assert!(matches!(outcome, Err(PeerError::Gone)), "{outcome:?}");
}

#[tokio::test]
async fn notifications_keep_their_order() {
    let mut house = House::open();
    let mut client = house.client().await;
    for number in 0..200 {
        client.tell("told", json!([number])).await;
    }
    for number in 0..200 {
        assert_eq!(house.hears().await, format!("told [{number}]"));
    }
}

#[tokio::test]
async fn a_panic_over_a_notification_leaves_the_connection_alone() {
    let mut house = House::open();
    let mut client = house.client().await;
    client.tell("panic", json!([])).await;
    assert_eq!(house.hears().await, "panic []");
    client.still_works().await;
}
