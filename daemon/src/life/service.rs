//! What systemd hears of a daemon that it has started. Without systemd all of this does nothing.

use crate::Services;
use sd_notify::NotifyState;
use std::sync::Arc;
use std::time::Duration;

/// The daemon serves.
pub(super) fn ready(services: &Services) {
    let status = format!("serving {}", services.socket.display());
    tell(&[NotifyState::Ready, NotifyState::Status(&status)]);
}

/// The daemon ends for good. One that is succeeded goes on, as far as systemd is concerned.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping, NotifyState::Status("answering what was asked")]);
}

/// The daemon is about to become another program.
pub(super) fn succeeding() {
    tell(&[NotifyState::Status("about to be succeeded by a new build")]);
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "cannot tell systemd");
    }
}

/// Pings systemd's watchdog for as long as stores and watchers answer: three times in the time after
/// which it restarts the daemon, so that one look that takes too long is not yet its end.
pub(super) async fn ping_watchdog(services: Arc<Services>) {
    let Some(limit) = sd_notify::watchdog_enabled().filter(|limit| !limit.is_zero()) else {
        return;
    };
    loop {
        match touch(&services, limit / 8).await {
            Ok(()) => {
                tell(&[NotifyState::Watchdog]);
                tokio::time::sleep(limit / 3).await;
            }
            Err(what) => {
                tracing::warn!("the watchdog is not pinged: {what}");
                tokio::time::sleep(limit / 16).await;
            }
        }
    }
}

/// Goes through every open store and watcher. An error says what does not answer.
async fn touch(services: &Arc<Services>, patience: Duration) -> Result<(), String> {
    let (asked, (say, said)) = (services.clone(), tokio::sync::oneshot::channel());
    // A thread of its own: those of the runtime may all be waiting for clients.
    let probe = move || say.send(asked.workspaces.probe(patience));
    let started = std::thread::Builder::new().name("watchdog".to_owned()).spawn(probe);
    started.map_err(|error| format!("no thread: {error}"))?;
    match tokio::time::timeout(2 * patience, said).await {
        Ok(Ok(Ok(()))) => Ok(()),
        Ok(Ok(Err(root))) => Err(format!("`{}` does not answer", root.display())),
        Ok(Err(_)) => Err("the look at stores and watchers has failed".to_owned()),
        Err(_) => Err("a store does not answer".to_owned()),
    }
}
