//! The methods: each area of the interface in a file of its own, put together here.
//!
//! A handler turns parameters into a call of a service and its result into an answer.
//! It holds no state of its own.

mod daemon;

use crate::Services;
use hob_protocol::api::DaemonApiServer as _;
use jsonrpsee::Methods;
use jsonrpsee::server::RegisterMethodError;
use std::sync::Arc;

/// All methods of the daemon.
///
/// # Errors
/// Two areas have a method of the same name, which is a fault in the interface.
pub fn methods(services: &Arc<Services>) -> Result<Methods, RegisterMethodError> {
    let mut methods = Methods::new();
    methods.merge(daemon::Daemon::new(services.clone()).into_rpc())?;
    Ok(methods)
}
