//! Drivers: found, read, added, changed.

use super::Desk;
use super::answer::{Answer, answer};
use super::extract::Open;
use super::extract::{Asked, Given, id};
use super::problem::Problem;
use crate::drivers::{DriverHitView, DriverView, EditDriver, NewDriver};
use axum::extract::Path;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Desk> {
    OpenApiRouter::new().routes(routes!(drivers, create_driver)).routes(routes!(driver, edit_driver))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct FindDrivers {
    /// Name, plate, phone or licence as typed; everybody without it.
    #[serde(default)]
    text: String,
    /// At most so many (200).
    limit: Option<u32>,
}

/// Finds drivers.
#[utoipa::path(get, path = "/api/v1/drivers", params(FindDrivers), responses((status = 200, body = Vec<DriverHitView>)))]
pub(super) async fn drivers(Open(app): Open, Asked(q): Asked<FindDrivers>) -> Answer<Vec<DriverHitView>> {
    answer(app, move |app| app.find_drivers(&q.text, q.limit.unwrap_or(20))).await
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
