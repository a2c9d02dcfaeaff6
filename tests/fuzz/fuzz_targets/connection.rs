//! Any bytes on a connection, through the whole driver and whatever framing they begin with: it
//! ends, and what it says in lines is JSON-RPC.
#![no_main]

use hob_daemon::{life, server};
use jsonrpsee::RpcModule;
use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

/// A server for all inputs, and where it is.
fn socket() -> &'static PathBuf {
    static SOCKET: OnceLock<PathBuf> = OnceLock::new();
    SOCKET.get_or_init(|| {
        let socket = tempfile::tempdir().unwrap().keep().join("s");
        let life::Claim::Ours(instance) = life::claim(&socket).unwrap() else { unreachable!() };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let mut server = server::Server::new(methods());
        server.limits.frame_bytes = 4096;
        server.limits.answer_bytes = 4096;
        server.limits.first_frame = Duration::from_secs(5);
        server.limits.partial_frame = Duration::from_secs(5);
        let listener = runtime.block_on(async { instance.bind() }).unwrap();
        runtime.spawn(server::serve(listener, server, Default::default(), || {}));
        std::mem::forget((instance, runtime));
        socket
    })
}

fn methods() -> RpcModule<()> {
    let mut module = RpcModule::new(());
    module.register_method("echo", |params, _, _| params.parse::<serde_json::Value>()).unwrap();
    module
        .register_subscription("sub", "told", "unsub", |_, pending, _, _| async move {
            let Ok(sink) = pending.accept().await else { return };
            let _ = sink.send(serde_json::value::to_raw_value(&1).unwrap()).await;
        })
        .unwrap();
    module
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut stream = UnixStream::connect(socket()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    // It may close before it has read all.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let mut said = Vec::new();
    if let Err(error) = stream.read_to_end(&mut said) {
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}");
    }
    let said = String::from_utf8(said).unwrap();
    if said.starts_with('{') || said.starts_with('[') {
        for line in said.lines() {
            let answer: serde_json::Value = serde_json::from_str(line).unwrap();
            let first = if answer.is_array() { &answer[0] } else { &answer };
            assert_eq!(first["jsonrpc"], "2.0", "{line}");
        }
    }
});
