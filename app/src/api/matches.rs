//! Decisions on whether two faces are one person.

use super::Desk;
use super::answer::{Answer, answer};
use super::extract::Given;
use super::extract::Open;
use super::problem::Problem;
use crate::note::BoxView;
use parkdesk_domain::RowId;
use parkdesk_domain::body::{FaceBox, FaceRef, MatchVerdict};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Desk> {
    OpenApiRouter::new().routes(routes!(decide))
}

#[derive(Deserialize, Serialize, ToSchema)]
pub(super) struct Face {
    /// The photo.
    #[schema(value_type = String)]
    photo: RowId,
    /// The face's box in its original.
    face: BoxView,
}

impl From<Face> for FaceRef {
    fn from(face: Face) -> Self {
        let BoxView { x, y, w, h } = face.face;
        Self { photo: face.photo, face: FaceBox { x, y, w, h } }
    }
}

#[derive(Deserialize, Serialize, ToSchema)]
pub(super) struct Decide {
    /// The park.
    #[schema(value_type = String)]
    park: RowId,
    /// One face.
    a: Face,
    /// The other.
    b: Face,
    /// `same`, `different`, `unsure` or `ignore`.
    #[schema(value_type = String)]
    verdict: MatchVerdict,
    /// The decision that this one undoes.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    undoes: Option<RowId>,
}

/// A saved decision.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(super) struct Decided {
    /// Its id, to undo it with.
    #[schema(value_type = String)]
    pub decision: RowId,
}

/// Decides whether two faces are one person.
#[utoipa::path(post, path = "/api/v1/matches", request_body = Decide,
    responses((status = 200, body = Decided), (status = 409, body = Problem)))]
pub(super) async fn decide(Open(app): Open, Given(what): Given<Decide>) -> Answer<Decided> {
    let Decide { park, a, b, verdict, undoes } = what;
    answer(app, move |app| {
        app.decide_match(&park, (a.into(), b.into()), verdict, undoes).map(|decision| Decided { decision })
    })
    .await
}
