//! What a command or an entry is about, in a way that a page can name and open.

use parkdesk_domain::body::Photo;
use parkdesk_domain::row::Kind;
use parkdesk_domain::{Command, RowId};
use parkdesk_sqlite::{NeedsAttention, PhotoView, ReadTx};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::Result;

/// What something is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Subject {
    /// Which kind of thing.
    pub kind: SubjectKind,
    /// Its id.
    #[schema(value_type = String)]
    pub id: RowId,
    /// Its park.
    #[schema(value_type = Option<String>)]
    pub park: Option<RowId>,
    /// The name of the person it is about, if it is known here.
    pub name: Option<String>,
}

/// Kinds of things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SubjectKind {
    /// A driver.
    Driver,
    /// A photo of a driver.
    Photo,
    /// A person who works here.
    Person,
    /// A decision about two faces.
    Match,
}

/// What a command is about; none for those of administrators.
pub(crate) fn of_command(tx: &ReadTx<'_>, command: &Command) -> Result<Option<Subject>> {
    let of =
        |kind, id: &RowId, park: &RowId, name| Some(Subject { kind, id: id.clone(), park: Some(park.clone()), name });
    Ok(match command {
        Command::PhotoCapture(args) => {
            of(SubjectKind::Photo, &args.photo, &args.park, driver_name(tx, &args.park, &args.driver)?)
        }
        Command::PhotoAssign(args) => {
            of(SubjectKind::Photo, &args.photo, &args.park, driver_name(tx, &args.park, &args.driver.now)?)
        }
        Command::PhotoWithdraw(args) => {
            let photo: Option<PhotoView> = tx.photo(&args.photo)?;
            let name = photo.map(|view| name_on(tx, &view.photo)).transpose()?.flatten();
            of(SubjectKind::Photo, &args.photo, &args.park, name)
        }
        Command::DriverCreate(args) => {
            let middle = args.middle_name.as_deref().unwrap_or_default();
            let name = format!("{} {} {middle}", args.last_name.trim(), args.first_name.trim()).trim().to_owned();
            of(SubjectKind::Driver, &args.driver, &args.park, Some(name))
        }
        Command::DriverEdit(args) => {
            of(SubjectKind::Driver, &args.driver, &args.park, driver_name(tx, &args.park, &args.driver)?)
        }
        Command::MatchDecide(args) => {
            let photo: Option<PhotoView> = tx.photo(&args.a.photo)?;
            let name = photo.map(|view| name_on(tx, &view.photo)).transpose()?.flatten();
            of(SubjectKind::Match, &args.decision, &args.park, name)
        }
        Command::PersonCreate(args) => of(SubjectKind::Person, &args.person, &args.park, Some(args.name.clone())),
        Command::PersonSetPassCode(args) => {
            of(SubjectKind::Person, &args.person, &args.park, person_name(tx, &args.person)?)
        }
        Command::PersonRemove(args) => {
            of(SubjectKind::Person, &args.person, &args.park, person_name(tx, &args.person)?)
        }
        Command::ParkCreate(_)
        | Command::ParkSetFaces(_)
        | Command::DeviceEnrol(_)
        | Command::DeviceRevoke(_)
        | Command::PhotoBytesStored(_) => None,
    })
}

/// What an entry is about: its command's subject, else the photo or driver whose row or file it names.
pub(crate) fn of_entry(tx: &ReadTx<'_>, entry: &NeedsAttention) -> Result<Option<Subject>> {
    if let Some(envelope) = &entry.command
        && let Some(subject) = of_command(tx, &envelope.command)?
    {
        return Ok(Some(subject));
    }
    let of_photo = |photo: PhotoView| -> Result<Option<Subject>> {
        let name = name_on(tx, &photo.photo)?;
        Ok(Some(Subject { kind: SubjectKind::Photo, id: photo.id, park: Some(photo.photo.park_id), name }))
    };
    if let Some(row) = entry.rows.iter().find(|row| row.kind == Kind::Photo)
        && let Some(photo) = tx.photo(&row.id)?
    {
        return of_photo(photo);
    }
    if let Some(blob) = &entry.blob
        && let Some(photo) = tx.photo_of_blob(blob)?
    {
        return of_photo(photo);
    }
    Ok(None)
}

fn person_name(tx: &ReadTx<'_>, person: &RowId) -> Result<Option<String>> {
    Ok(tx.person(person)?.map(|person| person.user.name))
}

fn name_on(tx: &ReadTx<'_>, photo: &Photo) -> Result<Option<String>> {
    driver_name(tx, &photo.park_id, &photo.driver_id)
}

fn driver_name(tx: &ReadTx<'_>, park: &RowId, driver: &RowId) -> Result<Option<String>> {
    Ok(tx.driver(park, driver)?.map(|driver| driver.name))
}
