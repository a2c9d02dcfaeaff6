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

/// Pings systemd's watchdog for as long as stores and watchers answer: twice in the time after
/// which it restarts the daemon.
pub(super) async fn ping_watchdog(services: Arc<Services>) {
    let Some(limit) = sd_notify::watchdog_enabled().filter(|limit| !limit.is_zero()) else {
        return;
    };
    loop {
        match touch(&services, limit / 4).await {
            Ok(()) => {
                tell(&[NotifyState::Watchdog]);
                tokio::time::sleep(limit / 2).await;
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
    let asked = services.clone();
    let probe = tokio::task::spawn_blocking(move || asked.workspaces.probe(patience));
    match tokio::time::timeout(2 * patience, probe).await {
        Ok(Ok(Ok(()))) => Ok(()),
        Ok(Ok(Err(root))) => Err(format!("`{}` does not answer", root.display())),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("a store does not answer".to_owned()),
    }
}
