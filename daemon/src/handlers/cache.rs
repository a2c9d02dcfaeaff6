//! `cache.*`: what was computed once.

use super::blocking;
use crate::Services;
use crate::cache::{Key, Namespace, Stats};
use crate::store::StoreError;
use crate::store::values::Amount;
use hob_protocol::api::CacheApiServer;
use hob_protocol::{
    CacheCleared, CacheKey, CacheKeys, CacheLevel, CacheNamespace, CacheStats, CacheValue,
    CacheVerified, Kind, Text,
};
use jsonrpsee::core::{RpcResult, async_trait};
use jsonrpsee::types::ErrorObjectOwned;
use std::sync::Arc;

/// Keys that are listed where the caller names no number.
const KEYS: u64 = 50;

pub(super) struct Cache {
    services: Arc<Services>,
}

impl Cache {
    pub(super) fn new(services: Arc<Services>) -> Self {
        Self { services }
    }

    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&crate::cache::Cache) -> RpcResult<T> + Send + 'static,
    ) -> RpcResult<T> {
        let services = self.services.clone();
        blocking(move || work(&services.cache)).await
    }
}

#[async_trait]
impl CacheApiServer for Cache {
    async fn stats(&self) -> RpcResult<CacheStats> {
        self.with(|cache| {
            let file = cache.file();
            Ok(CacheStats {
                namespaces: cache.stats().iter().map(namespace).collect(),
                file: file.as_ref().map(|(path, _)| Text::from(*path)),
                file_bytes: file.map_or(0, |(_, bytes)| bytes),
            })
        })
        .await
    }

    async fn keys(&self, namespace: Option<String>, limit: Option<u64>) -> RpcResult<CacheKeys> {
        let namespace = named(namespace.as_deref())?;
        let limit = usize::try_from(limit.unwrap_or(KEYS)).unwrap_or(usize::MAX);
        self.with(move |cache| {
            let mut keys = cache.keys(namespace).map_err(|error| unusable(cache, &error))?;
            let truncated = keys.len() > limit;
            keys.truncate(limit);
            let key = |(key, used, bytes): (Key, u64, u64)| CacheKey {
                key: key.to_string(),
                bytes,
                used,
            };
            Ok(CacheKeys { keys: keys.into_iter().map(key).collect(), truncated })
        })
        .await
    }

    async fn get(&self, key: String) -> RpcResult<CacheValue> {
        let wanted: Key = key.parse().map_err(|what: String| {
            Kind::BadParams.error(what, "`hob cache keys` lists those that are stored")
        })?;
        self.with(move |cache| match cache.bytes(wanted) {
            Some(value) => Ok(CacheValue { key, value: Text::from(value.as_slice()) }),
            None => Err(Kind::BadParams.error(
                format!("nothing is stored under `{wanted}`"),
                "`hob cache keys` lists what is",
            )),
        })
        .await
    }

    async fn clear(&self, namespace: Option<String>) -> RpcResult<CacheCleared> {
        let namespace = named(namespace.as_deref())?;
        self.with(move |cache| {
            let values = cache.clear(namespace).map_err(|error| unusable(cache, &error))?;
            Ok(CacheCleared { values })
        })
        .await
    }

    async fn verify(&self) -> RpcResult<CacheVerified> {
        self.with(|cache| {
            let verified = cache.verify().map_err(|error| unusable(cache, &error))?;
            let verified = verified.unwrap_or_default();
            Ok(CacheVerified { good: verified.good, damaged: verified.damaged })
        })
        .await
    }
}

fn named(name: Option<&str>) -> RpcResult<Option<Namespace>> {
    let namespace = name.map(Namespace::named).transpose();
    namespace.map_err(|what| Kind::BadParams.error(what, "`hob cache stats` lists them"))
}

fn unusable(cache: &crate::cache::Cache, error: &StoreError) -> ErrorObjectOwned {
    let path = cache.file().map_or_else(String::new, |(path, _)| format!(" `{}`", path.display()));
    Kind::Store.error(
        format!("the cache's file{path} cannot be used: {error}"),
        "make room on its disk, or delete it while the daemon is stopped: all in it can be computed \
         again",
    )
}

fn namespace(stats: &Stats) -> CacheNamespace {
    let level = |amount: Amount, limit: u64| CacheLevel {
        values: amount.values,
        bytes: amount.bytes,
        limit,
    };
    let counted = stats.counted;
    CacheNamespace {
        name: stats.namespace.name().to_owned(),
        memory: level(stats.in_memory, stats.room.memory),
        disk: level(stats.on_disk, stats.room.disk),
        time_to_live_seconds: stats.room.time_to_live.map(|time| time.as_secs()),
        memory_hits: counted.memory,
        disk_hits: counted.disk,
        shared: counted.shared,
        misses: counted.missed,
        failed: counted.failed,
        damaged: counted.damaged,
        evicted: counted.evicted,
        computing_us: counted.computing_us,
    }
}
