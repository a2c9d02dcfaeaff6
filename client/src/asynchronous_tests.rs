//! The async client against daemons by script.

use crate::testing::{Act, Scripted};
use crate::{DaemonApiClient as _, Error, IndexStreamsClient as _, connect_async};
use hob_protocol::{SearchEvent, SearchQuery};
use serde_json::json;

#[tokio::test]
async fn calls_and_subscriptions_work() {
    let daemon = Scripted::start(|method, _| match method {
        "daemon.ping" => vec![Act::Result(json!({"uptime_seconds": 5}))],
        "index.searchStream" => {
            let done = json!({"done": {"generation": 1, "freshness": "live", "found": true,
                "lines": 1, "files_read": 1, "elapsed_us": 1}});
            vec![
                Act::Result(json!(7)),
                Act::Item("index.searchEvent", json!({"output": "a\n"})),
                Act::Item("index.searchEvent", done),
            ]
        }
        _ => vec![],
    });
    let client = connect_async(&daemon.socket()).await.unwrap();
    assert_eq!(client.ping().await.unwrap().uptime_seconds, 5);
    let mut events = client.search_stream(SearchQuery::in_dir("/"), None).await.unwrap();
    assert!(matches!(events.next().await, Some(Ok(SearchEvent::Output(_)))));
    assert!(matches!(events.next().await, Some(Ok(SearchEvent::Done(_)))));
}

#[tokio::test]
async fn another_number_of_the_interface_is_refused() {
    let answers = [
        Act::Error(serde_json::to_value(hob_protocol::incompatible(Some(1), 2)).unwrap()),
        Act::Result(json!({"protocol": 900, "version": "9", "pid": 1})),
        Act::Error(json!({"code": -32601, "message": "no such method"})),
    ];
    for answer in answers {
        let answer = std::sync::Mutex::new(Some(answer));
        let daemon =
            Scripted::start(move |_, _| answer.lock().unwrap().take().into_iter().collect());
        let error = connect_async(&daemon.socket()).await.unwrap_err();
        assert!(error.is(hob_protocol::Kind::Incompatible), "{error:?}");
    }
}

#[tokio::test]
async fn an_early_end_is_an_error() {
    let daemon = Scripted::start(|method, _| match method {
        "daemon.ping" => vec![Act::Close],
        _ => vec![],
    });
    let client = connect_async(&daemon.socket()).await.unwrap();
    let error = Error::from(client.ping().await.unwrap_err());
    assert_eq!(error.kind, crate::ErrorKind::Lost, "{error:?}");
}
