//! What is looked up of a row: `entries(kind, id, body)` says which narrow tables a replicated row fills. The store
//! writes them in the row's own transaction and can rebuild them from the rows at any time, so they hold no fact of
//! their own. A kind that nothing looks up has no entries; a body that does not decode has none either.

use parkdesk_domain::body::{Car, Device, Driver, DriverCard, Grant, Photo, PhotoFile, Subscription, User};
use parkdesk_domain::facts::Space;
use parkdesk_domain::rights::Role;
use parkdesk_domain::{Actor, BlobId, DeviceId, Kind, Millis, RowId, Scope, fold};

/// One line of a narrow table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A claim on a folded key.
    Key {
        /// Namespace.
        space: Space,
        /// Folded key.
        key: String,
    },
    /// The row refers to a blob.
    Blob {
        /// The blob.
        blob: BlobId,
        /// By the row, if it says.
        size_bytes: Option<u64>,
        /// The driver shown.
        person: RowId,
        /// The device that took it.
        device: Option<DeviceId>,
        /// The row let it go: it gives no right to the bytes any more, and nobody waits for them.
        is_withdrawn: bool,
    },
    /// A right to write.
    Grant {
        /// Who holds it.
        holder: Actor,
        /// The role.
        role: Role,
        /// Where.
        park: RowId,
    },
    /// A scope that the device reads.
    Subscription {
        /// The scope.
        scope: Scope,
    },
    /// An appliance.
    Device {
        /// Its name.
        name: String,
        /// Since when.
        enrolled_at_ms: Millis,
        /// Since when no more.
        revoked_at_ms: Option<Millis>,
    },
}

/// The entries of a live row.
#[must_use]
pub fn entries(kind: &Kind, body: &str) -> Vec<Entry> {
    match kind {
        Kind::Driver => decode::<Driver>(body)
            .and_then(|d| key(Space::Licence, fold::plate(&d.licence?.number)))
            .into_iter()
            .collect(),
        Kind::Car => decode::<Car>(body).and_then(|c| key(Space::Plate, fold::plate(&c.plate))).into_iter().collect(),
        // A removed person's login is free again.
        Kind::User => decode::<User>(body).and_then(|u| key(Space::Login, fold::name(&u.login))).into_iter().collect(),
        Kind::Photo => decode::<Photo>(body).map(|photo| photo_blobs(&photo)).unwrap_or_default(),
        Kind::DriverCard => decode::<DriverCard>(body).and_then(card_thumb).into_iter().collect(),
        Kind::Grant => decode::<Grant>(body)
            .map(|g| Entry::Grant { holder: g.holder, role: g.role, park: g.park })
            .into_iter()
            .collect(),
        Kind::Subscription => {
            decode::<Subscription>(body).map(|s| Entry::Subscription { scope: s.scope }).into_iter().collect()
        }
        Kind::Device => decode::<Device>(body)
            .map(|d| Entry::Device { name: d.name, enrolled_at_ms: d.enrolled_at_ms, revoked_at_ms: d.revoked_at_ms })
            .into_iter()
            .collect(),
        Kind::Park | Kind::ParkCard | Kind::MatchDecision | Kind::Verdict | Kind::Other(_) => Vec::new(),
    }
}

fn decode<T: serde::de::DeserializeOwned>(body: &str) -> Option<T> {
    serde_json::from_str(body).ok()
}

fn key(space: Space, key: String) -> Option<Entry> {
    // A plate of nothing but dashes claims nothing.
    (!key.is_empty()).then_some(Entry::Key { space, key })
}

fn photo_blobs(photo: &Photo) -> Vec<Entry> {
    let device = match &photo.captured_by {
        Actor::Device(id) => Some(id.clone()),
        Actor::User(_) | Actor::Hub | Actor::Job(_) => None,
    };
    let entry = |file: &PhotoFile| Entry::Blob {
        blob: file.id.clone(),
        size_bytes: Some(file.size_bytes),
        person: photo.driver_id.clone(),
        device: device.clone(),
        is_withdrawn: photo.is_withdrawn(),
    };
    let mut list: Vec<Entry> = Vec::new();
    for (_, file) in photo.files() {
        // A small picture may be its own portrait: one reference is enough.
        let new = entry(file);
        if !list.iter().any(|e| matches!(e, Entry::Blob { blob, .. } if *blob == file.id)) {
            list.push(new);
        }
    }
    list
}

fn card_thumb(card: DriverCard) -> Option<Entry> {
    let blob = card.thumb?;
    Some(Entry::Blob { blob, size_bytes: None, person: card.driver_id, device: None, is_withdrawn: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_claims_the_folded_licence() {
        let body = r#"{"park_id":"p","last_name":"A","first_name":"B","licence":{"number":"77 AB 12"}}"#;
        assert_eq!(entries(&Kind::Driver, body), [Entry::Key { space: Space::Licence, key: "77ав12".into() }]);
    }

    #[test]
    fn a_plate_without_letters_or_digits_claims_nothing() {
        assert_eq!(entries(&Kind::Car, r#"{"park_id":"p","plate":"---"}"#), []);
    }

    #[test]
    fn a_body_that_does_not_decode_has_no_entries() {
        assert_eq!(entries(&Kind::Photo, "{}"), []);
        assert_eq!(entries(&Kind::Other("future".into()), "{\"licence\":1}"), []);
    }
}
