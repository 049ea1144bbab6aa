//! What a person must settle.

use super::Desk;
use super::answer::{Answer, DONE, Done, answer};
use super::extract::Given;
use super::extract::Open;
use super::problem::Problem;
use crate::App;
use crate::attention::{AttentionView, Decision};
use axum::extract::Path;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Desk> {
    OpenApiRouter::new().routes(routes!(needs_attention)).routes(routes!(settle))
}

/// What a person must settle.
#[utoipa::path(get, path = "/api/v1/needs-attention", responses((status = 200, body = Vec<AttentionView>)))]
pub(super) async fn needs_attention(Open(app): Open) -> Answer<Vec<AttentionView>> {
    answer(app, App::list_attention).await
}

/// Settles something.
#[utoipa::path(post, path = "/api/v1/needs-attention/{entry}", request_body = Decision, params(("entry" = String, Path)),
    responses((status = 200, body = Done), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn settle(Open(app): Open, Path(entry): Path<String>, Given(how): Given<Decision>) -> Answer<Done> {
    answer(app, move |app| app.settle(&entry, how).map(|()| DONE)).await
}
