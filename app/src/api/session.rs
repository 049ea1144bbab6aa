//! The person at the desk, and the people who may be.

use axum::extract::Path;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Desk;
use super::answer::{Answer, DONE, Done, answer};
use super::extract::{Given, Open, Seen, id};
use super::problem::Problem;
use crate::App;
use crate::people::{NewPerson, PersonView, Session, SignIn};

pub(super) fn routes() -> OpenApiRouter<Desk> {
    OpenApiRouter::new()
        .routes(routes!(session, sign_in, sign_out))
        .routes(routes!(people, create_person))
        .routes(routes!(set_pass_code))
        .routes(routes!(remove_person))
}

/// Who is at the desk, and who may sign in.
#[utoipa::path(get, path = "/api/v1/session", responses((status = 200, body = Session)))]
pub(super) async fn session(Seen(app): Seen) -> Answer<Session> {
    answer(app, App::session).await
}

/// Signs a person in at this appliance.
#[utoipa::path(post, path = "/api/v1/session", request_body = SignIn,
    responses((status = 200, body = Session), (status = 401, body = Problem), (status = 429, body = Problem)))]
pub(super) async fn sign_in(Seen(app): Seen, Given(who): Given<SignIn>) -> Answer<Session> {
    answer(app, move |app| app.sign_in(&who)).await
}

/// Signs out whoever is signed in.
#[utoipa::path(delete, path = "/api/v1/session", responses((status = 200, body = Session)))]
pub(super) async fn sign_out(Seen(app): Seen) -> Answer<Session> {
    answer(app, App::sign_out).await
}

/// The people of this appliance's parks.
#[utoipa::path(get, path = "/api/v1/people", responses((status = 200, body = Vec<PersonView>)))]
pub(super) async fn people(Open(app): Open) -> Answer<Vec<PersonView>> {
    answer(app, App::list_people).await
}

/// Adds a person.
#[utoipa::path(post, path = "/api/v1/people", request_body = NewPerson,
    responses((status = 200, body = PersonView), (status = 400, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn create_person(Open(app): Open, Given(new): Given<NewPerson>) -> Answer<PersonView> {
    answer(app, move |app| app.create_person(new)).await
}

/// Removes a person: they sign in nowhere any more.
#[utoipa::path(delete, path = "/api/v1/people/{person}", params(("person" = String, Path)),
    responses((status = 200, body = Done), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn remove_person(Open(app): Open, Path(person): Path<String>) -> Answer<Done> {
    let person = id(&person, "person")?;
    answer(app, move |app| app.remove_person(&person).map(|()| DONE)).await
}

#[derive(Deserialize, Serialize, ToSchema)]
pub(super) struct NewPassCode {
    /// 6 to 64 characters.
    pass_code: String,
}

/// Gives a person another pass code; also one's own.
#[utoipa::path(post, path = "/api/v1/people/{person}/pass-code", request_body = NewPassCode,
    params(("person" = String, Path)),
    responses((status = 200, body = PersonView), (status = 400, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn set_pass_code(
    Open(app): Open,
    Path(person): Path<String>,
    Given(new): Given<NewPassCode>,
) -> Answer<PersonView> {
    let person = id(&person, "person")?;
    answer(app, move |app| app.set_pass_code(&person, &new.pass_code)).await
}
