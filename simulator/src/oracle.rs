//! What must hold: when the world is quiet, every replica is the hub filtered by its scopes, nothing that a person was
//! told is saved is lost, and a file that is there has its hash.

use std::collections::{BTreeMap, BTreeSet};

use parkdesk_domain::body::{Entity, Photo};
use parkdesk_domain::row::{Kind, Row};
use parkdesk_domain::scope::Area;
use parkdesk_domain::wire::{Cursor, Verdict};
use parkdesk_domain::{BlobId, CommandId, Millis, Scope};
use parkdesk_hub::store::{PageSize, Store};
use parkdesk_sqlite::Replica;
use parkdesk_sync_agent::session::Local;

use crate::appliance::{Appliance, Saved};
use crate::hub::{Hub, now_or_never};
use crate::work;
use crate::world::World;

/// Far ahead of every deferral.
const FAR: Millis = Millis(i64::MAX);
/// Device epochs looked through for a command's later names.
const EPOCHS: u64 = 9;

fn all_rows(hub: &Hub, scope: &Scope) -> Result<(u64, u64, Vec<Row>), String> {
    let on = hub.on.as_ref().ok_or("the hub is off")?;
    let whole = PageSize { rows: usize::MAX, bytes: usize::MAX };
    let page = now_or_never(on.store.page(scope, 0, whole)).map_err(|error| error.to_string())?;
    Ok((page.epoch, page.head, page.rows))
}

/// Why the world is not quiet yet; nothing if it is.
pub(crate) fn restless(world: &World) -> Vec<String> {
    if world.hub.on.is_none() {
        return vec!["the hub is off".into()];
    }
    let mut why = Vec::new();
    for appliance in &world.appliances {
        match &appliance.on {
            None => why.push(format!("{} is off", appliance.name)),
            Some(on) => match waits(&world.hub, &on.replica) {
                Ok(None) => {}
                Ok(Some(what)) => why.push(format!("{}: {what}", appliance.name)),
                Err(error) => why.push(format!("{}: {error}", appliance.name)),
            },
        }
    }
    why
}

/// What an appliance still waits for.
fn waits(hub: &Hub, replica: &Replica) -> Result<Option<String>, String> {
    let read = |error: parkdesk_sqlite::Error| error.to_string();
    let pending = replica.read(|tx| tx.pending_summary()).map_err(read)?.count;
    if pending > 0 {
        return Ok(Some(format!("{pending} commands are not judged")));
    }
    let queued = replica.read(|tx| tx.outbox_batch(500, 1 << 20, FAR)).map_err(read)?.len();
    if queued > 0 {
        return Ok(Some(format!("{queued} commands are to be sent again")));
    }
    for Cursor { id, epoch, version } in replica.cursors().map_err(|error| error.to_string())? {
        let (hub_epoch, head, _) = all_rows(hub, &id)?;
        if (epoch, version) != (hub_epoch, head) {
            return Ok(Some(format!("{id} is at {epoch}/{version}, the hub at {hub_epoch}/{head}")));
        }
    }
    let uploads = replica.read(|tx| tx.uploads(100)).map_err(read)?;
    if let Some(file) = uploads.first() {
        return Ok(Some(format!("{} files are to be sent, {} first", uploads.len(), file.id)));
    }
    let downloads = replica.read(|tx| tx.wanted_downloads(100)).map_err(read)?;
    Ok(downloads.first().map(|file| format!("{} files are to be fetched, {} first", downloads.len(), file.id)))
}

/// Looks at everything once the world is quiet.
pub(crate) fn look(world: &mut World) {
    let mut wrong = Vec::new();
    for appliance in &world.appliances {
        let Some(on) = &appliance.on else { continue };
        wrong.extend(same_rows(&world.hub, appliance, &on.replica));
        wrong.extend(files_are_sound(appliance, &on.replica));
        let attended = attended(&on.replica);
        for saved in &appliance.saved {
            wrong.extend(not_lost(world, appliance, &attended, saved));
        }
    }
    wrong.extend(after_is_kept(world));
    wrong.extend(hub_files(world));
    if world.is_faultless {
        wrong.extend(few_bytes(world));
    }
    for line in wrong {
        world.accuse(line);
    }
}

type Seen = BTreeMap<(String, String), String>;

fn seen<'a>(rows: impl Iterator<Item = &'a Row>) -> Seen {
    // The hub forgets verdicts that the device has safe.
    let rows = rows.filter(|row| !row.deleted && row.kind != Kind::Verdict);
    rows.map(|row| ((row.kind.as_str().to_owned(), row.id.to_string()), row.body.clone())).collect()
}

/// The replica's rows are the hub's, scope by scope.
fn same_rows(hub: &Hub, appliance: &Appliance, replica: &Replica) -> Vec<String> {
    let mut wrong = Vec::new();
    for cursor in replica.cursors().unwrap_or_default() {
        let Ok((_, _, rows)) = all_rows(hub, &cursor.id) else { continue };
        let Ok(own) = replica.read(|tx| tx.rows_of(&cursor.id)) else { continue };
        let (theirs, ours) = (seen(rows.iter()), seen(own.iter()));
        let keys: BTreeSet<_> = theirs.keys().chain(ours.keys()).collect();
        for key in keys {
            let (there, here) = (theirs.get(key), ours.get(key));
            if there != here {
                let (name, scope, (kind, id)) = (&appliance.name, &cursor.id, key);
                wrong.push(format!("{name}: {kind} {id} in {scope} is {here:?}, the hub has {there:?}"));
            }
        }
    }
    wrong
}

/// A file that is held opens and has its hash; one of a photo that the hub has whole is held.
fn files_are_sound(appliance: &Appliance, replica: &Replica) -> Vec<String> {
    let photos = Scope::park(&work::park(), Area::Photos);
    let rows = replica.read(|tx| tx.rows_of(&photos)).unwrap_or_default();
    let mut wrong = Vec::new();
    for row in rows.iter().filter(|row| row.kind == Photo::KIND) {
        let Ok(photo) = serde_json::from_str::<Photo>(&row.body) else { continue };
        if photo.is_withdrawn() {
            continue;
        }
        for (_, file) in photo.files().filter(|(_, file)| file.stored) {
            match replica.read_file(&file.id) {
                Ok(bytes) if BlobId::of(&bytes) == file.id => {}
                Ok(_) => wrong.push(format!("{}: file {} has another hash", appliance.name, file.id)),
                Err(error) => wrong.push(format!("{}: file {} of photo {}: {error}", appliance.name, file.id, row.id)),
            }
        }
    }
    wrong
}

/// A command's names: the one it had, and those that new device epochs may have given it. Each epoch renames what was
/// pending then, so any rising row of epochs is a way to a name.
fn names(id: &CommandId) -> Vec<CommandId> {
    let mut names = vec![id.clone()];
    for epoch in 2..=EPOCHS {
        let renamed: Vec<CommandId> =
            names.iter().map(|name| CommandId::of_job(name.as_str(), &format!("epoch/{epoch}"))).collect();
        names.extend(renamed);
    }
    names
}

/// Names of refused commands that wait for a person.
fn attended(replica: &Replica) -> BTreeSet<CommandId> {
    let entries = replica.read(|tx| tx.needs_attention()).unwrap_or_default();
    entries.into_iter().filter_map(|entry| entry.command).map(|command| command.id).collect()
}

/// What a person was told is saved reached the hub and was judged.
fn not_lost(world: &World, appliance: &Appliance, attended: &BTreeSet<CommandId>, saved: &Saved) -> Vec<String> {
    let (hub, name) = (&world.hub, &appliance.name);
    let judged = |name: &CommandId| hub.books.judged.get(name);
    let Some(verdict) = judged(&saved.id).or_else(|| names(&saved.id).iter().find_map(judged)) else {
        // It was refused, and a restored hub does not know that any more.
        if names(&saved.id).iter().any(|name| attended.contains(name)) {
            return Vec::new();
        }
        return vec![format!("{name}: the saved {} {} never reached the hub", saved.kind, saved.id)];
    };
    let (Verdict::Applied { .. }, Some(id)) = (verdict, &saved.photo) else { return Vec::new() };
    let Ok((_, _, rows)) = all_rows(hub, &Scope::park(&work::park(), Area::Photos)) else { return Vec::new() };
    let Some(row) = rows.iter().find(|row| row.kind == Photo::KIND && row.id == *id && !row.deleted) else {
        return vec![format!("{name}: the hub applied photo {id} and does not have it")];
    };
    let Ok(photo) = serde_json::from_str::<Photo>(&row.body) else { return Vec::new() };
    if photo.is_withdrawn() {
        return Vec::new();
    }
    let missing =
        saved.files.iter().filter(|(file, _)| !photo.files().any(|(_, each)| each.id == *file && each.stored));
    let here = |file: &BlobId| appliance.on.as_ref().and_then(|on| on.replica.read(|tx| tx.blob(file)).ok().flatten());
    missing
        // It was let go when somebody took the photo back, and that wish is gone.
        .filter(|(file, _)| !world.has_lost_wishes || here(file).is_some())
        .map(|(file, _)| {
            format!("{name}: the hub does not have file {file} of photo {id}, here it is {:?}", here(file))
        })
        .collect()
}

/// No command was judged before one that it rests on.
fn after_is_kept(world: &World) -> Vec<String> {
    world.hub.books.out_of_order.clone()
}

fn reads(hub: &Hub, appliance: &Appliance, scope: &Scope) -> bool {
    let read = hub.on.as_ref().and_then(|on| now_or_never(on.store.subscriptions(&appliance.device)).ok());
    read.is_some_and(|scopes| scopes.contains(scope))
}

/// Each file that the hub says it has is there and has its hash.
fn hub_files(world: &World) -> Vec<String> {
    let Some(on) = &world.hub.on else { return Vec::new() };
    let photos = Scope::park(&work::park(), Area::Photos);
    let Ok((_, _, rows)) = all_rows(&world.hub, &photos) else { return Vec::new() };
    let mut wrong = Vec::new();
    for row in rows.iter().filter(|row| row.kind == Photo::KIND && !row.deleted) {
        let Ok(photo) = serde_json::from_str::<Photo>(&row.body) else { continue };
        for (_, file) in photo.files().filter(|(_, file)| file.stored && !photo.is_withdrawn()) {
            let wanted = parkdesk_hub::protocol::blobs::Wanted::All;
            let readers = world.appliances.iter().filter(|appliance| reads(&world.hub, appliance, &photos));
            let Some(reader) = readers.map(|appliance| &appliance.device).next() else { return wrong };
            let got = now_or_never(parkdesk_hub::protocol::blobs::get(&on.store, reader, &file.id, wanted));
            let bytes = got.and_then(|mut download| {
                let mut bytes = Vec::new();
                loop {
                    let piece = download.read(&on.files)?;
                    if piece.is_empty() {
                        return Ok(bytes);
                    }
                    bytes.extend(piece);
                }
            });
            match bytes {
                Ok(bytes) if BlobId::of(&bytes) == file.id => {}
                Ok(_) => wrong.push(format!("hub: file {} has another hash", file.id)),
                Err(fault) => wrong.push(format!("hub: file {} of photo {}: {}", file.id, row.id, fault.0.message)),
            }
        }
    }
    wrong
}

/// Where nothing went wrong, nothing is carried twice.
fn few_bytes(world: &World) -> Vec<String> {
    let mut made = 0;
    let mut wanted = 0;
    let others = world.appliances.len() as u64 - 1;
    for saved in world.appliances.iter().flat_map(|appliance| &appliance.saved) {
        let bytes: u64 = saved.files.iter().map(|(_, size)| size).sum();
        (made, wanted) = (made + bytes, wanted + bytes * others);
    }
    let mut wrong = Vec::new();
    for (what, carried, needed) in
        [("sent", world.carried.files_up, made), ("fetched", world.carried.files_down, wanted)]
    {
        if carried * 10 > needed * 11 {
            wrong.push(format!("{carried} bytes of files were {what} where {needed} were needed"));
        }
    }
    // A command's canonical bytes and its place in the envelope of a push.
    let commands = world.hub.books.command_bytes + world.carried.pushes * 150;
    if world.hub.command_bytes * 10 > commands * 11 {
        wrong.push(format!("{} bytes of commands were pushed where {commands} were needed", world.hub.command_bytes));
    }
    wrong
}
