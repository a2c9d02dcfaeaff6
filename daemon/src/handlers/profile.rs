//! `profile.*`: where the time goes.

use super::{blocking, stopping};
use crate::Services;
use crate::profile::{self, CaptureError, Captured, Measured};
use hob_protocol::api::ProfileApiServer;
use hob_protocol::{Kind, Operation, ProfileOrder, ProfileRecording, ProfileTop};
use jsonrpsee::core::{RpcResult, async_trait};
use jsonrpsee::types::ErrorObjectOwned;
use std::cmp::Reverse;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Operations that are listed where the caller names no number.
const LISTED: u64 = 20;
/// The longest recording.
const LONGEST_MS: u64 = 600_000;

pub(super) struct Profile {
    services: Arc<Services>,
}

impl Profile {
    pub(super) fn new(services: Arc<Services>) -> Self {
        Self { services }
    }

    fn measures(&self) -> RpcResult<()> {
        if self.services.config.profile {
            return Ok(());
        }
        Err(Kind::ProfileOff.error(
            "nothing is measured: `profile.enabled` is false",
            "remove that from the configuration, and run `hob daemon restart`",
        ))
    }
}

#[async_trait]
impl ProfileApiServer for Profile {
    async fn top(
        &self,
        by: Option<ProfileOrder>,
        limit: Option<u64>,
        since_ms: Option<u64>,
        reset: Option<bool>,
    ) -> RpcResult<ProfileTop> {
        self.measures()?;
        let since = since_ms.map(Duration::from_millis);
        if let Some(since) = since.filter(|since| *since > profile::longest()) {
            return Err(Kind::BadParams.error(
                format!("the last {} s are not known apart", since.as_secs()),
                format!(
                    "ask for at most {} s, or for all by leaving it out",
                    profile::longest().as_secs()
                ),
            ));
        }
        let (measured, since) = profile::measured(since);
        if reset == Some(true) {
            profile::reset();
        }
        let limit = usize::try_from(limit.unwrap_or(LISTED)).unwrap_or(usize::MAX);
        let mut operations: Vec<Operation> = measured.into_iter().map(operation).collect();
        let by = by.unwrap_or_default();
        operations.sort_by(|a, b| {
            let key = |one: &Operation| {
                Reverse(match by {
                    ProfileOrder::Total => one.total_us,
                    ProfileOrder::Own => one.self_us,
                    ProfileOrder::Count => one.count,
                    ProfileOrder::P99 => one.p99_us,
                })
            };
            key(a).cmp(&key(b)).then_with(|| a.name.cmp(&b.name))
        });
        let more = operations.len().saturating_sub(limit) as u64;
        operations.truncate(limit);
        let since_ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        Ok(ProfileTop { operations, more, since_ms })
    }

    async fn record(
        &self,
        ms: u64,
        flame: Option<bool>,
        trace: Option<bool>,
    ) -> RpcResult<ProfileRecording> {
        let (flame, trace) = (flame.unwrap_or(false), trace.unwrap_or(false));
        if !flame && !trace {
            let hint = "ask for `flame`, `trace` or both";
            return Err(Kind::BadParams.error("nothing is to be recorded", hint));
        }
        if !(1..=LONGEST_MS).contains(&ms) {
            return Err(Kind::BadParams.error(
                format!("a recording of {ms} ms is none that can be made"),
                format!("it takes from 1 to {LONGEST_MS} ms"),
            ));
        }
        if trace {
            self.measures()?;
        }
        let capture = profile::capture(flame, trace).map_err(|error| refused(&error))?;
        let began = Instant::now();
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(ms)) => {}
            () = self.services.shutdown.cancelled() => return Err(stopping()),
        }
        profile::waited(began.elapsed());
        let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let captured = blocking(move || capture.finish().map_err(|error| refused(&error))).await?;
        let Captured { samples, flame, spans, dropped, trace } = captured;
        Ok(ProfileRecording { ms, samples, flame, spans, dropped, trace })
    }
}

fn refused(error: &CaptureError) -> ErrorObjectOwned {
    match error {
        CaptureError::Runs => Kind::Recording.error(error.to_string(), "try again when it is over"),
        CaptureError::Sampling(_) => {
            Kind::Internal.error(error.to_string(), "a trace can be recorded all the same")
        }
    }
}

fn operation(Measured { name, times }: Measured) -> Operation {
    Operation {
        name,
        count: times.count,
        total_us: times.total / 1000,
        self_us: times.own / 1000,
        p50_us: times.percentile(50) / 1000,
        p99_us: times.percentile(99) / 1000,
        max_us: times.max / 1000,
    }
}
