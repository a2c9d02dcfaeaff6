//! `daemon.*`: the daemon itself.

use crate::{Services, log};
use hob_protocol::api::DaemonApiServer;
use hob_protocol::{DaemonStatus, Hello, Kind, LogLevel, PROTOCOL, Pong, Text, incompatible};
use jsonrpsee::core::{RpcResult, async_trait};
use std::sync::Arc;

pub(super) struct Daemon {
    services: Arc<Services>,
}

impl Daemon {
    pub(super) fn new(services: Arc<Services>) -> Self {
        Self { services }
    }

    fn uptime_seconds(&self) -> u64 {
        self.services.started.elapsed().as_secs()
    }
}

#[async_trait]
impl DaemonApiServer for Daemon {
    async fn hello(&self, protocol: u32, client: Option<String>) -> RpcResult<Hello> {
        tracing::debug!(protocol, named = client.is_some(), "hello");
        if protocol != PROTOCOL {
            return Err(incompatible(Some(PROTOCOL), protocol));
        }
        let version = env!("CARGO_PKG_VERSION").to_owned();
        Ok(Hello { protocol: PROTOCOL, version, pid: std::process::id() })
    }

    async fn ping(&self) -> RpcResult<Pong> {
        Ok(Pong { uptime_seconds: self.uptime_seconds() })
    }

    async fn status(&self) -> RpcResult<DaemonStatus> {
        Ok(DaemonStatus {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            protocol: PROTOCOL,
            pid: std::process::id(),
            uptime_seconds: self.uptime_seconds(),
            memory_bytes: memory_bytes(),
            connections: self.services.connections.count() as u64,
            descriptors: descriptors(),
            descriptors_limit: descriptors_limit(),
            socket: Text::from(self.services.socket.as_path()),
            log: self.services.log.as_deref().map(Text::from),
            workspaces: self.services.open_roots(),
        })
    }

    async fn log_level(&self, level: Option<String>) -> RpcResult<LogLevel> {
        if let Some(level) = level {
            log::set_level(&level).map_err(|what| {
                Kind::BadParams.error(what, "the level stays as it was; see `hob help daemon`")
            })?;
            tracing::info!("the level of the log is changed");
        }
        Ok(LogLevel { level: log::level() })
    }

    async fn stop(&self) -> RpcResult<bool> {
        tracing::info!("a client asks the daemon to stop");
        // The answer still goes out: calls that run are waited for.
        self.services.shutdown.cancel();
        Ok(true)
    }
}

/// The resident memory of this process; 0 where there is no `/proc`.
fn memory_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    resident(&status).unwrap_or(0)
}

fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// The open descriptors of this process, without the one that counts them.
fn descriptors() -> u64 {
    std::fs::read_dir("/proc/self/fd").map_or(0, |fds| fds.count().saturating_sub(1) as u64)
}

/// How many descriptors this process may have.
fn descriptors_limit() -> u64 {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    limit.current.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_in_bytes() {
        assert_eq!(resident("Name:\thobd\nVmRSS:\t    2048 kB\n"), Some(2 << 20));
        assert_eq!(resident("Name:\thobd\n"), None);
        assert!(memory_bytes() > 100_000);
        assert!(descriptors() >= 3);
    }
}
