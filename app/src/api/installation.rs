//! The installation: looked at, enrolled, recovered. These answer also while no data is open.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Desk;
use super::answer::{Answer, apart};
use super::extract::{Enroller, Given, Keeper};
use super::problem::Problem;
use crate::installation::{EnrolWish, Enrolled, Installation, InstallationView};

pub(super) fn routes() -> OpenApiRouter<Desk> {
    OpenApiRouter::new()
        .routes(routes!(installation))
        .routes(routes!(enrol))
        .routes(routes!(recover))
        .routes(routes!(retry))
        .routes(routes!(recovery_code))
}

async fn ask<T, E>(desk: Desk, work: impl FnOnce(&Arc<dyn Installation>) -> Result<T, E> + Send + 'static) -> Answer<T>
where
    T: Send + 'static,
    E: Into<Problem> + Send + 'static,
{
    apart(move || work(&desk.installation)).await.map(Json)
}

/// Where the installation stands.
#[utoipa::path(get, path = "/api/v1/installation", responses((status = 200, body = InstallationView)))]
pub(super) async fn installation(State(desk): State<Desk>) -> Answer<InstallationView> {
    ask(desk, |here| Ok::<_, Problem>(here.view())).await
}

/// Makes the appliance known to a hub, with a one-time code.
#[utoipa::path(post, path = "/api/v1/installation/enrol", request_body = EnrolWish,
    responses((status = 200, body = Enrolled), (status = 409, body = Problem), (status = 502, body = Problem)))]
pub(super) async fn enrol(
    State(desk): State<Desk>,
    _enroller: Enroller,
    Given(wish): Given<EnrolWish>,
) -> Answer<Enrolled> {
    ask(desk, move |here| here.enrol(wish)).await
}

#[derive(Deserialize, Serialize, ToSchema)]
pub(super) struct Recover {
    /// The recovery code: 8 groups of 4.
    code: String,
}

/// Puts the key back with the recovery code.
#[utoipa::path(post, path = "/api/v1/installation/recover", request_body = Recover,
    responses((status = 200, body = InstallationView), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn recover(State(desk): State<Desk>, Given(with): Given<Recover>) -> Answer<InstallationView> {
    ask(desk, move |here| here.recover(&with.code).map(|()| here.view())).await
}

/// Looks for the key again: after the keyring was unlocked or the key file put back.
#[utoipa::path(post, path = "/api/v1/installation/retry", responses((status = 200, body = InstallationView)))]
pub(super) async fn retry(State(desk): State<Desk>) -> Answer<InstallationView> {
    ask(desk, |here| {
        here.retry();
        Ok::<_, Problem>(here.view())
    })
    .await
}

/// A recovery code, to be shown once.
#[derive(Deserialize, Serialize, ToSchema)]
pub(super) struct NewRecoveryCode {
    /// The code: 8 groups of 4.
    recovery_code: String,
}

/// Makes a new recovery code; the old one opens nothing any more.
#[utoipa::path(post, path = "/api/v1/recovery-code",
    responses((status = 200, body = NewRecoveryCode), (status = 409, body = Problem)))]
pub(super) async fn recovery_code(State(desk): State<Desk>, _keeper: Keeper) -> Answer<NewRecoveryCode> {
    ask(desk, |here| here.renew_recovery().map(|recovery_code| NewRecoveryCode { recovery_code })).await
}
