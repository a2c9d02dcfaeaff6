//! `index.*`, what files define.

use crate::Services;
use hob_protocol::api::SymbolsApiServer;
use hob_protocol::{Kind, Languages, OutlineQuery, OutlineResult, SymbolsQuery, SymbolsResult};
use jsonrpsee::core::{RpcResult, async_trait};
use jsonrpsee::types::ErrorObjectOwned;
use std::sync::Arc;

pub(super) struct Symbols {
    _services: Arc<Services>,
}

impl Symbols {
    pub(super) fn new(services: Arc<Services>) -> Self {
        Self { _services: services }
    }
}

#[async_trait]
impl SymbolsApiServer for Symbols {
    async fn symbols(&self, _query: SymbolsQuery) -> RpcResult<SymbolsResult> {
        Err(not_yet())
    }

    async fn outline(&self, _query: OutlineQuery) -> RpcResult<OutlineResult> {
        Err(not_yet())
    }

    async fn languages(&self) -> RpcResult<Languages> {
        Err(not_yet())
    }
}

fn not_yet() -> ErrorObjectOwned {
    Kind::Internal.error("symbols are not known yet", "")
}
