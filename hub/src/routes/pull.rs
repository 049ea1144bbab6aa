//! The waiting of a pull: it registers for news before it asks, holds nothing of the store while it waits, and looks at
//! the caller again before each answer, so that a revoked device learns of it at once.

use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use axum::response::Response;
use bytes::Bytes;
use parkdesk_domain::wire::{Limits, PullRequest};
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;

use super::{Hub, blocking, body, recognise};
use crate::protocol::{Fault, pull, read};
use crate::store::Caller;
use crate::store::postgres::news::Heard;

pub(super) async fn pull(
    hub: &Arc<Hub>,
    mut caller: Caller,
    headers: &HeaderMap,
    bytes: &Bytes,
) -> Result<Response, Fault> {
    let request: Arc<PullRequest> = Arc::new(read(bytes)?);
    let wait_ms = request.wait_ms.min(Limits::default().wait_ms);
    let deadline = Instant::now() + Duration::from_millis(wait_ms);
    let mut news = hub.news.subscribe();
    loop {
        let (asked, who) = (Arc::clone(&request), caller.clone());
        let pulled = blocking(hub, move |hub| async move { pull::pull(&hub.store, &who, &asked).await }).await?;
        if pulled.is_news || Instant::now() >= deadline || hub.stop.is_cancelled() {
            metrics::counter!("hub_pull_bytes_total").increment(pulled.body.len() as u64);
            return Ok(body::packed(headers, pulled.body, "application/x-ndjson"));
        }
        loop {
            tokio::select! {
                heard = news.recv() => match heard {
                    Ok(heard) if matches!(&*heard, Heard::Scopes(touched) if touched.is_disjoint(&pulled.watched)) => {}
                    // Too much happened to know what.
                    Ok(_) | Err(RecvError::Lagged(_)) => break,
                    Err(RecvError::Closed) => hub.stop.cancelled().await,
                },
                () = tokio::time::sleep_until(deadline) => break,
                () = hub.stop.cancelled() => break,
            }
        }
        caller = recognise(hub, headers).await?;
    }
}
