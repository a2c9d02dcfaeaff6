//! What ends a daemon: signals, that nobody needs it, and the time that it has to end.

use super::succession::Succession;
use crate::Services;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// When a daemon that is to stop is gone at the latest.
const LATEST_END: Duration = Duration::from_millis(9500);

/// A handler or a store that hangs does not keep the daemon: what is stored survives a kill.
pub(super) async fn end_in_time(shutdown: CancellationToken, succession: Arc<Succession>) {
    shutdown.cancelled().await;
    std::thread::spawn(move || {
        std::thread::sleep(LATEST_END);
        tracing::error!("the daemon does not end by itself");
        if succession.is_due() {
            let error = succession.succeed();
            tracing::error!(%error, "the new program cannot be run");
        }
        std::process::exit(1);
    });
}

/// While something is left to do, it is looked for its end as often.
const BUSY: Duration = Duration::from_secs(1);

/// A daemon does not end by itself before this: whoever has started it may still be on the way.
const FIRST: Duration = Duration::from_secs(1);

/// Stops a daemon to which nobody has been connected for as long as `daemon.idle_exit_ms` says, once
/// nothing is left to index. Who comes at that very moment is told that it stops, and starts the
/// next one.
pub(super) async fn end_when_idle(services: Arc<Services>, succession: Arc<Succession>) {
    let limit = Duration::from_millis(services.config.idle_exit_ms as u64);
    if limit.is_zero() {
        return;
    }
    let idle = async {
        tokio::time::sleep(FIRST).await;
        loop {
            let quiet =
                services.connections.none_since().map_or(Duration::ZERO, |since| since.elapsed());
            let wait = match limit.checked_sub(quiet).filter(|left| !left.is_zero()) {
                Some(left) => left,
                None if services.workspaces.are_settled() => break,
                None => BUSY,
            };
            tokio::time::sleep(wait).await;
        }
    };
    if services.shutdown.run_until_cancelled(idle).await.is_some() {
        tracing::info!("stopping: nobody has been connected for {} s", limit.as_secs_f64());
        succession.call_off();
        services.shutdown.cancel();
    }
}

/// The signals that the daemon hears. Those that would kill it and mean no harm are heard too.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
    /// Past a limit on the size of files: the write fails, which is enough.
    _file_size: Signal,
}

impl Signals {
    pub(super) fn install() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
            _file_size: signal(SignalKind::from_raw(libc::SIGXFSZ))?,
        })
    }

    pub(super) async fn heed(mut self, shutdown: CancellationToken, succession: Arc<Succession>) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => break,
                _ = self.interrupt.recv() => break,
                // The terminal that it was started from has closed, which is nothing to it.
                _ = self.hang_up.recv() => {}
            }
        }
        tracing::info!("stopping: a signal");
        succession.call_off();
        shutdown.cancel();
    }
}
