//! The hub's machine: the real protocol functions over the real embedded store on a simulated disk, behind a shell that
//! stands for `routes` (who calls, zstd, status, waiting polls), and books of what it judged.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::io::Read;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use parkdesk_domain::body::VerdictRow;
use parkdesk_domain::row::Kind;
use parkdesk_domain::wire::frame::Reader;
use parkdesk_domain::wire::{Judged, Limits, ProblemCode, PullRequest, PushAnswer, PushRequest, Verdict};
use parkdesk_domain::{BlobId, CommandId, DeviceId, Envelope, Millis, RowId, Scope};
use parkdesk_hub::admin;
use parkdesk_hub::blob_files::BlobFiles;
use parkdesk_hub::protocol::blobs::{self, Wanted};
use parkdesk_hub::protocol::{Fault, enrol, pull, push, read};
use parkdesk_hub::store::embedded::Embedded;
use parkdesk_hub::store::person_keys::PersonKeys;
use parkdesk_hub::store::{Caller, Store};
use parkdesk_sqlcipher::{Key, OpenMode};
use parkdesk_sync_agent::codec::Received;
use parkdesk_sync_agent::session::Method;
use serde::Serialize;

use crate::dice::Dice;
use crate::disk::Disk;
use crate::plant::Plant;

/// Smaller answers go as they are.
const COMPRESS_FROM: usize = 512;
/// How long a hub with planted forgetfulness knows a command.
const FORGETS_AFTER_MS: i64 = 60_000;

/// A request on its way.
#[derive(Debug, Clone)]
pub(crate) struct Parcel {
    /// Who says that it is.
    pub(crate) token: String,
    /// How.
    pub(crate) method: Method,
    /// Where.
    pub(crate) path: String,
    /// Headers.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// Body.
    pub(crate) body: Vec<u8>,
}

impl Parcel {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(each, _)| *each == name).map(|(_, value)| value.as_str())
    }
}

/// A pull that waits for news.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    token: String,
    device: DeviceId,
    request: PullRequest,
    watched: BTreeSet<Scope>,
    /// Until when.
    pub(crate) until_ms: u64,
}

/// What the hub makes of a request.
pub(crate) enum Handled {
    /// This is the answer.
    Answer(Received),
    /// It is answered when there is news.
    Waits(Waiting),
    /// It died over it.
    Died,
}

/// What the hub ever said of commands, kept by the world and not by the hub.
#[derive(Debug, Clone, Default)]
pub(crate) struct Books {
    /// The final verdict of each command.
    pub(crate) judged: BTreeMap<CommandId, Verdict>,
    /// Bytes of the commands that were judged, each once.
    pub(crate) command_bytes: u64,
    /// Places in each device epoch's sequence that were judged.
    pub(crate) places: BTreeMap<(DeviceId, u64), BTreeSet<u64>>,
    /// Commands that took effect before what they rest on.
    pub(crate) out_of_order: Vec<String>,
    /// What must never happen and did.
    pub(crate) wrong: Vec<String>,
}

impl Books {
    fn note(&mut self, device: (&DeviceId, u64), bytes: &[u8], judged: &Judged) {
        let first = judged.verdict.first();
        if !first.is_final() {
            return;
        }
        let is_repeat = matches!(judged.verdict, Verdict::Duplicate { .. });
        match self.judged.get(&judged.id) {
            None => {
                self.judged.insert(judged.id.clone(), first.clone());
                self.command_bytes += bytes.len() as u64;
                self.look_at_order(device, bytes, judged);
            }
            Some(known) if is_repeat && known == first => {}
            // Another command under the same id is refused, and what was judged stands.
            Some(_) if is_id_reused(first) => {}
            Some(known) if is_repeat => {
                self.wrong.push(format!("command {} was judged {known:?} and is now said to be {first:?}", judged.id));
            }
            Some(known) => {
                self.wrong.push(format!("command {} took effect twice: {known:?}, then {first:?}", judged.id));
            }
        }
    }
}

impl Books {
    /// Verdicts that a pull brings: the answer to the push may never have left a hub that died over it.
    fn note_rows(&mut self, device: &DeviceId, body: &[u8]) {
        for frame in
            Reader::new(body).map_while(Result::ok).filter(|frame| matches!(frame.head.scope, Scope::Device(_)))
        {
            let rows = frame.rows.iter().filter(|row| row.kind == Kind::Verdict && !row.deleted);
            for row in rows.filter_map(|row| serde_json::from_str::<VerdictRow>(&row.body).ok()) {
                self.places.entry((device.clone(), row.device_epoch)).or_default().insert(row.seq);
                self.judged.entry(row.command).or_insert(row.verdict);
            }
        }
    }

    /// Whatever a command rests on was judged before it.
    fn look_at_order(&mut self, (device, epoch): (&DeviceId, u64), bytes: &[u8], judged: &Judged) {
        let places = self.places.entry((device.clone(), epoch)).or_default();
        let after = Envelope::from_bytes(bytes).map(|envelope| envelope.after).unwrap_or_default();
        for seq in after.iter().filter(|seq| !places.contains(seq)) {
            self.out_of_order
                .push(format!("{device} {epoch}: {} was judged before {seq}, on which it rests", judged.seq));
        }
        places.insert(judged.seq);
    }
}

fn say(judged: &Judged) -> String {
    let what = match &judged.verdict {
        Verdict::Applied { .. } => "applied".to_owned(),
        Verdict::Merged { .. } => "merged".to_owned(),
        Verdict::Duplicate { .. } => "duplicate".to_owned(),
        Verdict::Deferred { missing, .. } => format!("deferred, misses {missing:?}"),
        Verdict::Rejected { refusal } => format!("rejected {}", refusal.code.as_str()),
    };
    format!("{} {} {what}", judged.seq, judged.id)
}

fn is_id_reused(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Rejected { refusal } if refusal.code.as_str() == "id_reused")
}

/// The running program.
pub(crate) struct Running {
    /// Rows.
    pub(crate) store: Embedded,
    /// Bytes.
    pub(crate) files: BlobFiles,
}

/// The machine.
pub(crate) struct Hub {
    /// Its disk.
    pub(crate) disk: Arc<Disk>,
    /// The program, if it runs.
    pub(crate) on: Option<Running>,
    /// Counts its starts.
    pub(crate) life: u64,
    /// Pulls that wait, by the flight they belong to.
    pub(crate) waiting: BTreeMap<u64, Waiting>,
    /// What it said.
    pub(crate) books: Books,
    /// What it said in the last push, for the story.
    pub(crate) said: Vec<String>,
    /// Bytes of commands it was asked to judge.
    pub(crate) command_bytes: u64,
    dice: Dice,
    plant: Option<Plant>,
}

/// Runs a protocol function: none of them ever waits for anything but the disk.
pub(crate) fn now_or_never<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("BUG: a protocol function waits"),
    }
}

fn answer(status: u16, content_type: &str, body: Vec<u8>) -> Received {
    Received { status, content_type: content_type.into(), body, ..Received::default() }
}

impl Hub {
    /// A machine that is switched off.
    pub(crate) fn new(mut dice: Dice, plant: Option<Plant>) -> Self {
        let disk = Disk::new(dice.split("hub disk"));
        let (waiting, books, said) = (BTreeMap::new(), Books::default(), Vec::new());
        Self { disk, on: None, life: 0, waiting, books, said, command_bytes: 0, dice, plant }
    }

    /// Starts the program over what is on the disk.
    ///
    /// # Errors
    /// If it does not open, as it says.
    pub(crate) fn start(&mut self, now: Millis) -> Result<(), String> {
        let (system, dir) = (self.disk.system(), Path::new("/hub"));
        let key = Key::from_bytes([3; 32]);
        let is_new = system.stat(&dir.join("hub.db")).is_err();
        let mode = if is_new { OpenMode::Create } else { OpenMode::Existing };
        parkdesk_sqlcipher::durable::make_private_dir_on(&*system, dir).map_err(|error| error.to_string())?;
        let keys_mode = if system.stat(&dir.join("keys.db")).is_err() { OpenMode::Create } else { mode };
        let keys = PersonKeys::open(&system, dir, &key, keys_mode).map_err(|error| error.to_string())?;
        let hub: RowId = "hub".parse().map_err(|_| "BUG: a name is an id".to_owned())?;
        let store = Embedded::open(&system, dir, &key, mode, &hub, now).map_err(|error| error.to_string())?;
        let files = BlobFiles::open(&system, &dir.join("blobs"), keys).map_err(|error| error.to_string())?;
        self.on = Some(Running { store, files });
        self.life += 1;
        Ok(())
    }

    /// Ends it at once; what was not flushed is left to luck.
    pub(crate) fn die(&mut self) {
        self.disk.kill();
        self.on = None;
        self.waiting.clear();
        self.disk.restart();
    }

    /// The administrator's work; answers what is new.
    ///
    /// # Errors
    /// If the store fails.
    pub(crate) fn administer(
        &mut self,
        now: Millis,
        request: admin::Request,
    ) -> Result<(admin::Answer, BTreeSet<Scope>), String> {
        let Some(on) = &self.on else { return Err("the hub is off".into()) };
        now_or_never(admin::run(&on.store, now, &mut self.dice, request)).map_err(|error| error.to_string())
    }

    /// Enrols a device with a code.
    ///
    /// # Errors
    /// As the protocol says.
    pub(crate) fn enrol(&mut self, now: Millis, body: &[u8]) -> Result<parkdesk_domain::wire::EnrolAnswer, String> {
        let Some(on) = &self.on else { return Err("the hub is off".into()) };
        let told = now_or_never(enrol::enrol(&on.store, now, &mut self.dice, body));
        told.map(|told| told.answer).map_err(|fault| fault.0.message)
    }

    /// Handles a request; answers also the scopes with something new.
    pub(crate) fn handle(&mut self, at_ms: u64, now: Millis, parcel: &Parcel) -> (Handled, BTreeSet<Scope>) {
        let mut touched = BTreeSet::new();
        let handled = match self.answer(at_ms, now, parcel, &mut touched) {
            Ok(handled) => handled,
            Err(fault) => Handled::Answer(refusal(&fault)),
        };
        if self.disk.is_dead() { (Handled::Died, BTreeSet::new()) } else { (handled, touched) }
    }

    /// Who calls; also one who was revoked.
    pub(crate) fn recognise(&self, now: Millis, token: &str) -> Result<Caller, Fault> {
        let unknown = || Fault::new(ProblemCode::Unauthorized, "no such token");
        let on = self.on.as_ref().ok_or_else(unknown)?;
        now_or_never(on.store.caller(enrol::token_hash(token), now))?.ok_or_else(unknown)
    }

    fn answer(
        &mut self,
        at_ms: u64,
        now: Millis,
        parcel: &Parcel,
        touched: &mut BTreeSet<Scope>,
    ) -> Result<Handled, Fault> {
        if parcel.path == "/v1/limits" {
            return Ok(Handled::Answer(self.json(&Limits::default())));
        }
        let caller = self.recognise(now, &parcel.token)?;
        let is_pull = parcel.path == "/v1/pull";
        // A revoked device may still learn that it was.
        if caller.revoked && !is_pull {
            return Err(Fault::new(ProblemCode::Revoked, "this device was revoked"));
        }
        let device = caller.device.clone();
        let body = unpack(parcel)?;
        let Some(on) = &self.on else { return Ok(Handled::Died) };
        let (store, files) = (&on.store, &on.files);
        let steps: Vec<&str> = parcel.path.split('/').skip(2).collect();
        let blob = |text: &str| text.parse::<BlobId>().map_err(|_| Fault::not_found());
        let empty = || Ok(Handled::Answer(Received { status: 204, ..Received::default() }));
        match (parcel.method, steps.as_slice()) {
            (Method::Post, ["push"]) => {
                if self.plant == Some(Plant::DedupByTime) {
                    now_or_never(store.forget_commands(now.plus(-FORGETS_AFTER_MS)))?;
                }
                self.command_bytes += body.len() as u64;
                let request: PushRequest = read(&body)?;
                let told = now_or_never(push::push(store, now, &device, &body))?;
                touched.extend(told.touched);
                // A dead machine said nothing to anybody.
                if !self.disk.is_dead() {
                    self.said = told.answer.verdicts.iter().map(say).collect();
                    for (raw, judged) in request.commands.iter().zip(&told.answer.verdicts) {
                        self.books.note((&device, request.epoch), raw.get().as_bytes(), judged);
                    }
                }
                Ok(Handled::Answer(self.json::<PushAnswer>(&told.answer)))
            }
            (Method::Post, ["pull"]) => {
                let request: PullRequest = read(&body)?;
                let pulled = now_or_never(pull::pull(store, &caller, &request))?;
                self.books.note_rows(&device, &pulled.body);
                if pulled.is_news || request.wait_ms == 0 {
                    return Ok(Handled::Answer(self.pack(pulled.body, "application/x-ndjson")));
                }
                let until_ms = at_ms + request.wait_ms.min(Limits::default().wait_ms);
                let token = parcel.token.clone();
                Ok(Handled::Waits(Waiting { token, device, request, watched: pulled.watched, until_ms }))
            }
            (Method::Post, ["blobs", "check"]) => {
                let told = now_or_never(blobs::check(store, &device, &body))?;
                Ok(Handled::Answer(self.json(&told)))
            }
            (Method::Put, ["blobs", id, "parts", n]) => {
                let part = (&blob(id)?, n.parse().map_err(|_| Fault::not_found())?);
                let hash = parcel.header("parkdesk-part-hash").unwrap_or_default();
                now_or_never(blobs::put_part(store, files, now, &device, part, hash, &body))?;
                empty()
            }
            (Method::Put, ["blobs", id]) => {
                let told = now_or_never(blobs::put_whole(store, files, now, &device, &blob(id)?, &body))?;
                touched.extend(told.touched);
                empty()
            }
            (Method::Post, ["blobs", id, "complete"]) => {
                let told = now_or_never(blobs::complete(store, files, now, &device, &blob(id)?))?;
                touched.extend(told.touched);
                empty()
            }
            (Method::Get, ["blobs", id]) => {
                let wanted = Wanted::parse(parcel.header("range"));
                let mut download = now_or_never(blobs::get(store, &device, &blob(id)?, wanted))?;
                let start = download.range.start;
                let mut bytes = Vec::new();
                loop {
                    let piece = download.read(files)?;
                    if piece.is_empty() {
                        break;
                    }
                    bytes.extend(piece);
                }
                let mut got = answer(206, "application/octet-stream", bytes);
                let end = start + got.body.len() as u64;
                got.content_range = Some(format!("bytes {start}-{}/{}", end.saturating_sub(1), download.total));
                Ok(Handled::Answer(got))
            }
            _ => Err(Fault::not_found()),
        }
    }

    /// The answer to a waiting pull, if there is news or its time is over.
    pub(crate) fn look_again(&mut self, at_ms: u64, now: Millis, waiting: &Waiting) -> Option<Received> {
        let on = self.on.as_ref()?;
        let looked = self.recognise(now, &waiting.token).and_then(|caller| {
            let pulled = now_or_never(pull::pull(&on.store, &caller, &waiting.request))?;
            Ok((pulled.is_news || at_ms >= waiting.until_ms).then_some(pulled.body))
        });
        match looked {
            Ok(body) => body.map(|body| {
                self.books.note_rows(&waiting.device, &body);
                self.pack(body, "application/x-ndjson")
            }),
            Err(fault) => Some(refusal(&fault)),
        }
    }

    /// The waiting pulls that news of these scopes is for.
    pub(crate) fn woken(&self, touched: &BTreeSet<Scope>) -> Vec<u64> {
        let is_woken = |waiting: &&Waiting| !waiting.watched.is_disjoint(touched);
        self.waiting.iter().filter(|(_, waiting)| is_woken(waiting)).map(|(flight, _)| *flight).collect()
    }

    fn json<T: Serialize>(&self, value: &T) -> Received {
        self.pack(serde_json::to_vec(value).unwrap_or_default(), "application/json")
    }

    fn pack(&self, plain: Vec<u8>, content_type: &str) -> Received {
        // A client that takes half a page for a whole one must be able to read the half.
        let is_plain = self.plant == Some(Plant::PageBeforeTrailer);
        let packed = (plain.len() >= COMPRESS_FROM && !is_plain)
            .then(|| zstd::stream::encode_all(plain.as_slice(), 3).ok())
            .flatten();
        let encoding = if packed.is_some() { "zstd" } else { "" };
        Received { encoding: encoding.into(), ..answer(200, content_type, packed.unwrap_or(plain)) }
    }
}

fn refusal(fault: &Fault) -> Received {
    let body = serde_json::to_vec(&fault.0).unwrap_or_default();
    let retry_after_ms = fault.0.retry_after_ms.map(|ms| (ms / 1000).max(1) * 1000);
    Received { retry_after_ms, ..answer(fault.status(), "application/problem+json", body) }
}

fn unpack(parcel: &Parcel) -> Result<Vec<u8>, Fault> {
    if parcel.header("content-encoding") != Some("zstd") {
        return Ok(parcel.body.clone());
    }
    let bad = |_| Fault::new(ProblemCode::Malformed, "the body is not sound zstd");
    let mut plain = Vec::new();
    let decoder = zstd::stream::read::Decoder::new(parcel.body.as_slice()).map_err(bad)?;
    decoder.take(1 << 20).read_to_end(&mut plain).map_err(bad)?;
    Ok(plain)
}
