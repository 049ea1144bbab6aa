//! Drivers: found, read, added, changed.

use super::Desk;
use super::answer::{Answer, answer};
use super::extract::Open;
use super::extract::{Asked, Given, id};
use super::problem::Problem;
use crate::drivers::{DriverPage, DriverView, EditDriver, FindDrivers, NewDriver};
use crate::history::{HistoryEntry, MatchView};
use axum::extract::Path;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Desk> {
    OpenApiRouter::new()
        .routes(routes!(drivers, create_driver))
        .routes(routes!(driver, edit_driver))
        .routes(routes!(driver_history))
        .routes(routes!(driver_matches))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct DriversQuery {
    /// Name, plate, phone, licence or callsign as typed; everybody by name without it.
    #[serde(default)]
    text: String,
    /// Only this park's.
    park: Option<String>,
    /// `next` of the page before.
    after: Option<String>,
    /// At most so many (200).
    limit: Option<u32>,
}

/// Finds drivers, a page at a time.
#[utoipa::path(get, path = "/api/v1/drivers", params(DriversQuery),
    responses((status = 200, body = DriverPage), (status = 400, body = Problem)))]
pub(super) async fn drivers(Open(app): Open, Asked(q): Asked<DriversQuery>) -> Answer<DriverPage> {
    let park = q.park.as_deref().map(|text| id(text, "park")).transpose()?;
    let find = FindDrivers { text: q.text, park, after: q.after, limit: q.limit.unwrap_or(20) };
    answer(app, move |app| app.find_drivers(find)).await
}

/// Adds a driver.
#[utoipa::path(post, path = "/api/v1/drivers", request_body = NewDriver,
    responses((status = 200, body = DriverView), (status = 409, body = Problem)))]
pub(super) async fn create_driver(Open(app): Open, Given(new): Given<NewDriver>) -> Answer<DriverView> {
    answer(app, move |app| app.create_driver(new)).await
}

/// A driver of a park in full.
#[utoipa::path(get, path = "/api/v1/parks/{park}/drivers/{driver}",
    params(("park" = String, Path), ("driver" = String, Path)),
    responses((status = 200, body = DriverView), (status = 404, body = Problem)))]
pub(super) async fn driver(Open(app): Open, Path((park, driver)): Path<(String, String)>) -> Answer<DriverView> {
    let (park, driver) = (id(&park, "park")?, id(&driver, "driver")?);
    answer(app, move |app| app.get_driver(&park, &driver)).await
}

/// Changes a driver: per field what was seen and what is wanted.
#[utoipa::path(post, path = "/api/v1/parks/{park}/drivers/{driver}", request_body = EditDriver,
    params(("park" = String, Path), ("driver" = String, Path)),
    responses((status = 200, body = DriverView), (status = 409, body = Problem)))]
pub(super) async fn edit_driver(
    Open(app): Open,
    Path((park, driver)): Path<(String, String)>,
    Given(edit): Given<EditDriver>,
) -> Answer<DriverView> {
    let (park, driver) = (id(&park, "park")?, id(&driver, "driver")?);
    answer(app, move |app| app.edit_driver(&park, &driver, edit)).await
}

/// What happened to a driver, the newest first.
#[utoipa::path(get, path = "/api/v1/parks/{park}/drivers/{driver}/history",
    params(("park" = String, Path), ("driver" = String, Path)),
    responses((status = 200, body = Vec<HistoryEntry>), (status = 404, body = Problem)))]
pub(super) async fn driver_history(
    Open(app): Open,
    Path((park, driver)): Path<(String, String)>,
) -> Answer<Vec<HistoryEntry>> {
    let (park, driver) = (id(&park, "park")?, id(&driver, "driver")?);
    answer(app, move |app| app.driver_history(&park, &driver)).await
}

/// The driver's latest photo against the earlier ones and, if the park allows it, other drivers who look the same.
#[utoipa::path(get, path = "/api/v1/parks/{park}/drivers/{driver}/matches",
    params(("park" = String, Path), ("driver" = String, Path)),
    responses((status = 200, body = Vec<MatchView>), (status = 404, body = Problem)))]
pub(super) async fn driver_matches(
    Open(app): Open,
    Path((park, driver)): Path<(String, String)>,
) -> Answer<Vec<MatchView>> {
    let (park, driver) = (id(&park, "park")?, id(&driver, "driver")?);
    answer(app, move |app| app.driver_matches(&park, &driver)).await
}
