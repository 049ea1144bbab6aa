//! Who may do what with a blob, from the rows that refer to it: the same rule for every store.

use std::collections::{BTreeMap, BTreeSet};

use parkdesk_domain::body::Device;
use parkdesk_domain::{DeviceId, Scope};

use super::place::place;
use super::{BlobAccess, Error, Result};

/// A row that refers to a blob.
pub(super) struct Ref {
    pub(super) home: String,
    pub(super) scope_no: i16,
    pub(super) size_bytes: Option<u64>,
    pub(super) person: String,
    /// The device that took it.
    pub(super) device: Option<String>,
    pub(super) is_withdrawn: bool,
}

/// What `device` may do with a blob, per home; what is stored is for the store to fill in. `refs` come by home, with those
/// that wait for the blob first.
pub(super) fn access(
    device: &DeviceId,
    story: &BTreeSet<DeviceId>,
    mut scopes: BTreeSet<Scope>,
    refs: Vec<Ref>,
) -> Vec<BlobAccess> {
    scopes.insert(Scope::Device(device.clone()));
    let places: BTreeSet<(String, i16)> = scopes.iter().map(place).collect();
    let mut homes: BTreeMap<String, BlobAccess> = BTreeMap::new();
    for Ref { home, scope_no, size_bytes, person, device, is_withdrawn } in refs {
        let readable = places.contains(&(home.clone(), scope_no));
        if !readable && !device.is_some_and(|taker| story.iter().any(|mine| mine.as_str() == taker)) {
            continue;
        }
        let access = homes.entry(home.clone()).or_insert_with(|| BlobAccess {
            person: format!("{home}/{person}"),
            home,
            size_bytes: None,
            readable: false,
            is_withdrawn: true,
            stored: None,
        });
        access.readable |= readable && !is_withdrawn;
        access.is_withdrawn &= is_withdrawn;
        access.size_bytes = access.size_bytes.or(size_bytes);
    }
    homes.into_values().collect()
}

/// The device and what the same appliance was before; `body` is that of its own row.
pub(super) fn story(device: &DeviceId, body: Option<&str>) -> Result<BTreeSet<DeviceId>> {
    let mut story = BTreeSet::from([device.clone()]);
    if let Some(body) = body {
        let body: Device = serde_json::from_str(body).map_err(|e| Error::Poison(e.to_string()))?;
        story.extend(body.was);
    }
    Ok(story)
}
