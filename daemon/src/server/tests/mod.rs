//! One test a rule, over a real socket: a server in this process, and a client that writes
//! and reads lines.

mod calls;
mod frames;
mod framings;
mod http;
mod limits;
mod streams;
mod symmetry;
mod websocket;

use super::*;
use jsonrpsee::core::server::SubscriptionCloseResponse;
use jsonrpsee::types::{ErrorObjectOwned, Params};
use jsonrpsee::{Extensions, PendingSubscriptionSink, RpcModule};
use serde_json::{Value, json};
use std::io;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// A test that waits this long has failed.
const TOO_LONG: Duration = Duration::from_secs(20);

/// A server with the methods of [`methods`].
struct House {
    dir: tempfile::TempDir,
    stop: CancellationToken,
    served: JoinHandle<()>,
    connections: Connections,
    /// What the handlers and the hook have to say.
    heard: mpsc::UnboundedReceiver<String>,
    /// A permit lets one `wait` end.
    release: Arc<Semaphore>,
}

impl House {
    fn open() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut Server)) -> Self {
        Self::kept_by(Open, change)
    }

    fn kept_by(keeper: impl Doorkeeper + Send + 'static, change: impl FnOnce(&mut Server)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        let listener = UnixListener::bind(&path).unwrap();
        listener.set_nonblocking(true).unwrap();
        let (say, heard) = mpsc::unbounded_channel();
        let release = Arc::new(Semaphore::new(0));
        let mut server = Server::new(methods(&say, &release));
        server.hooks = Arc::new(Listening(say));
        server.limits.drain = Duration::from_secs(2);
        change(&mut server);
        let (stop, connections) = (CancellationToken::new(), server.connections.clone());
        let stopped = stop.clone();
        let served = tokio::spawn(async move { serve(&listener, server, stopped, &keeper).await });
        Self { dir, stop, served, connections, heard, release }
    }

    async fn client(&self) -> Client {
        Client(BufReader::new(UnixStream::connect(self.dir.path().join("s")).await.unwrap()))
    }

    /// The next thing that a handler says.
    async fn hears(&mut self) -> String {
        timeout(TOO_LONG, self.heard.recv()).await.unwrap().unwrap()
    }
}

struct Client(BufReader<UnixStream>);

impl Client {
    async fn send(&mut self, line: impl AsRef<[u8]>) {
        self.0.write_all(line.as_ref()).await.unwrap();
        self.0.write_all(b"\n").await.unwrap();
    }

    async fn call(&mut self, id: u64, method: &str, params: Value) {
        let request = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        self.send(request.to_string()).await;
    }

    async fn tell(&mut self, method: &str, params: Value) {
        self.send(json!({ "jsonrpc": "2.0", "method": method, "params": params }).to_string())
            .await;
    }

    /// The next frame; `None` where the connection is closed.
    async fn next(&mut self) -> Option<Value> {
        let mut line = String::new();
        match timeout(TOO_LONG, self.0.read_line(&mut line)).await.unwrap() {
            Ok(0) => None,
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => None,
            read => {
                read.unwrap();
                Some(serde_json::from_str(&line).unwrap())
            }
        }
    }

    async fn ask(&mut self, line: impl AsRef<[u8]>) -> Value {
        self.send(line).await;
        self.next().await.unwrap()
    }

    /// The kind of the next frame, which is an error, with its code and id.
    async fn error(&mut self) -> String {
        complaint(&self.next().await.unwrap())
    }

    /// That the connection still serves.
    async fn still_works(&mut self) {
        self.call(999, "echo", json!(["still"])).await;
        assert_eq!(self.next().await.unwrap()["result"], json!(["still"]));
    }
}

/// `ID CODE KIND`, of an error in hob's shape.
fn complaint(answer: &Value) -> String {
    let error = &answer["error"];
    let data: hob_protocol::ErrorData = serde_json::from_value(error["data"].clone())
        .unwrap_or_else(|_| panic!("an error without kind and hint: {answer}"));
    assert_eq!(json!(data.kind.code()), error["code"], "{answer}");
    format!("{} {} {}", answer["id"], error["code"], error["data"]["kind"].as_str().unwrap())
}

/// Says that a future was dropped before its end.
struct Dropped(mpsc::UnboundedSender<String>);

impl Drop for Dropped {
    fn drop(&mut self) {
        let _ = self.0.send("dropped".to_owned());
    }
}

/// Tells the test which notifications have come.
struct Listening(mpsc::UnboundedSender<String>);

impl Hooks for Listening {
    fn notification(&self, method: &str, params: Option<&RawValue>, _: &Peer) {
        let _ = self.0.send(format!("{method} {}", params.map_or("", RawValue::get)));
        assert_ne!(method, "panic");
    }
}

fn methods(say: &mpsc::UnboundedSender<String>, release: &Arc<Semaphore>) -> Methods {
    let mut module = RpcModule::new((say.clone(), release.clone()));
    module.register_method("echo", |params, _, _| params.parse::<Value>()).unwrap();
    module
        .register_method("named", |params, _, _| {
            #[derive(serde::Deserialize)]
            struct Named {
                number: u64,
            }
            params.parse::<Named>().map(|named| named.number)
        })
        .unwrap();
    module
        .register_method("big", |params, _, _| params.one::<usize>().map(|size| "x".repeat(size)))
        .unwrap();
    module
        .register_async_method("wait", |_, context, _| async move {
            let (say, release) = (&context.0, &context.1);
            let dropped = Dropped(say.clone());
            say.send("waits".to_owned()).unwrap();
            release.acquire().await.unwrap().forget();
            std::mem::forget(dropped);
            Ok::<_, ErrorObjectOwned>("released")
        })
        .unwrap();
    module
        .register_method("panic", |_, _, _| -> Result<(), ErrorObjectOwned> { panic!("secret") })
        .unwrap();
    module
        .register_async_method("panic_later", |_, _, _| async {
            tokio::task::yield_now().await;
            assert!(std::hint::black_box(false), "secret");
            Ok::<_, ErrorObjectOwned>(())
        })
        .unwrap();
    module.register_async_method("ask_back", ask_back).unwrap();
    module.register_subscription("count", "counted", "count_stop", count).unwrap();
    module
        .register_subscription("sub_panic", "n", "sub_panic_stop", |_, pending, _, _| async move {
            drop(pending);
            assert!(std::hint::black_box(false), "secret");
        })
        .unwrap();
    module
        .register_subscription(
            "sub_reject",
            "n",
            "sub_reject_stop",
            |_, pending, _, _| async move {
                pending.reject(hob_protocol::Kind::BadPath.error("no", "")).await;
            },
        )
        .unwrap();
    module.into()
}

type Context = Arc<(mpsc::UnboundedSender<String>, Arc<Semaphore>)>;

/// Asks the client what it is asked, and answers with its answer.
async fn ask_back(
    params: Params<'static>,
    context: Context,
    extensions: Extensions,
) -> Result<Value, ErrorObjectOwned> {
    let peer = extensions.get::<Peer>().unwrap();
    match peer.call("client.question", params.parse::<Value>()?).await {
        Ok(answer) => Ok(serde_json::from_str(answer.get()).unwrap()),
        Err(error) => {
            context.0.send(error.to_string()).unwrap();
            Ok(json!(error.to_string()))
        }
    }
}

/// Sends so many numbers, and says how many went out and how it ended.
async fn count(
    params: Params<'static>,
    pending: PendingSubscriptionSink,
    context: Context,
    _: Extensions,
) -> SubscriptionCloseResponse {
    let (most, size): (u64, usize) = params.parse().unwrap();
    let sink = pending.accept().await.unwrap();
    let padding = "x".repeat(size);
    for number in 0..most {
        let item = serde_json::value::to_raw_value(&(number, &padding)).unwrap();
        if sink.send(item).await.is_err() {
            context.0.send("closed".to_owned()).unwrap();
            return SubscriptionCloseResponse::None;
        }
    }
    context.0.send("counted".to_owned()).unwrap();
    SubscriptionCloseResponse::None
}
