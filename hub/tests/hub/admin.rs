//! The administrator's operations over the store.

use parkdesk_domain::body::FacePolicy;
use parkdesk_hub::admin::{Answer, Did, Request};

use crate::world::*;

async fn import(world: &World, csv: &str, dry_run: bool) -> parkdesk_hub::admin::import::Report {
    match world.admin(Request::DriverImport { park: id("p1"), csv: csv.into(), dry_run }).await {
        Answer::Imported(report) => report,
        other => panic!("{other:?}"),
    }
}

async fn drivers(world: &World) -> Vec<String> {
    let Answer::Drivers { drivers } = world.admin(Request::DriverList { park: id("p1") }).await else { panic!() };
    drivers.into_iter().map(|d| d.name).collect()
}

const CSV: &str = "driver_id;last_name;first_name;middle_name;phones;licence;plate\n\
    a1;Берёзкин;Олег;Ильич;+7 900 111-11-11, 8 900 222-22-22;77 АА 111111;Х111ХХ77\n\
    ;Вязов;Егор;;;;\n";

#[tokio::test]
async fn importing_a_file_twice_changes_nothing() {
    let world = World::with_park().await;
    let first = import(&world, CSV, false).await;
    assert_eq!((first.created, first.unchanged, first.errors.len()), (2, 0, 0), "{first:?}");
    world.step(1000);
    let again =
        import(&world, &format!("\u{feff}{}", CSV.replace(';', ",").replace("11, 8 900", "11|8 900")), false).await;
    assert_eq!((again.created, again.unchanged), (0, 2), "another spelling says nothing new: {again:?}");
    let again = import(&world, CSV, false).await;
    assert_eq!((again.created, again.unchanged, again.errors.len()), (0, 2, 0));
    assert_eq!(drivers(&world).await.len(), 4);
}

#[tokio::test]
async fn a_dry_run_tells_all_and_keeps_nothing() {
    let world = World::with_park().await;
    let csv = format!("{CSV}a9;Дубов;Яков;;;77аа111111;\n");
    let dry = import(&world, &csv, true).await;
    assert_eq!((dry.created, dry.errors.len()), (2, 1), "it sees the file's own lines: {dry:?}");
    assert_eq!(drivers(&world).await.len(), 2);
    let real = import(&world, &csv, false).await;
    assert_eq!((real.created, &real.errors), (2, &dry.errors));
}

#[tokio::test]
async fn a_bad_line_names_number_code_field_and_what_to_do() {
    let world = World::with_park().await;
    let csv = "driver_id,last_name,first_name,phones,licence\n\
        b1,,Олег,,\n\
        \"b 2\",Вязов,Егор,,\n\
        b3,Вязов,Егор,12,\n\
        b4,Вязов,Егор,,P1 1111\n\
        v1,Вязов,Егор,,\n\
        b5,Вязов,Егор,,\n";
    let report = import(&world, csv, false).await;
    let errors: Vec<_> = report.errors.iter().map(|e| (e.line, e.code.as_str(), e.field.as_deref())).collect();
    assert_eq!(
        errors,
        [
            (2, "invalid", Some("last_name")),
            (3, "invalid", Some("driver_id")),
            (4, "invalid", Some("phones")),
            (5, "licence_taken", Some("licence")),
            (6, "exists", None),
        ]
    );
    assert_eq!(report.errors[3].detail.as_deref(), Some("v1"), "the driver who has the licence");
    assert_eq!(report.created, 1, "the good line is taken");
}

#[tokio::test]
async fn a_line_refused_once_is_taken_when_its_reason_is_gone() {
    let world = World::with_park().await;
    let csv = "driver_id,last_name,first_name\nc1,Клёнов,Ян\n";
    let report = world.admin(Request::DriverImport { park: id("p9"), csv: csv.into(), dry_run: false }).await;
    let Answer::Imported(report) = report else { panic!() };
    assert_eq!(report.errors[0].code, "unknown_park");
    world.add_park("p9").await;
    let report = world.admin(Request::DriverImport { park: id("p9"), csv: csv.into(), dry_run: false }).await;
    assert!(matches!(report, Answer::Imported(r) if r.created == 1));
}

#[tokio::test]
async fn tables_filled_anew_answer_as_before() {
    let world = World::with_park().await;
    let mut device = world.enrol(parkdesk_domain::rights::Role::Operator, "p1").await;
    assert!(matches!(world.admin(Request::Reindex).await, Answer::Done { count, .. } if count > 8));
    let taken = device.command(driver("v9", "p1", "P1 1111"), &[]);
    let free = device.command(driver("v9", "p1", "9900 1"), &[]);
    let verdicts = device.push(&world, &[taken, free]).await;
    assert_eq!(refusal(&verdicts[0]), "licence_taken");
    assert_applied(&verdicts[1..]);
}

#[tokio::test]
async fn a_park_is_created_once() {
    let world = World::with_park().await;
    let again =
        Request::ParkCreate { name: "x".into(), city: "y".into(), id: Some(id("p1")), faces: FacePolicy::Verify };
    assert!(matches!(world.admin(again).await, Answer::Refused { refusal } if refusal.code.as_str() == "exists"));
    let Answer::Parks { parks } = world.admin(Request::ParkList).await else { panic!() };
    assert_eq!(parks.len(), 1);
    let Answer::Stats(stats) = world.admin(Request::Stats).await else { panic!() };
    assert_eq!((stats.rows["driver"], stats.devices), (2, 0));
}

#[tokio::test]
async fn a_parks_use_of_faces_can_be_changed() {
    let world = World::with_park().await;
    let change = |park: &str| Request::ParkFaces { park: id(park), faces: FacePolicy::Search };
    assert_eq!(world.admin(change("p1")).await, Answer::Done { what: Did::FacesSet, count: 1 });
    assert!(matches!(world.admin(change("nowhere")).await, Answer::Refused { .. }));
}
