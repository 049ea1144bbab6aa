//! The doctor and the support bundle: is this appliance sound, and what may somebody elsewhere be told of it.
//!
//! Both hold counts, codes, ages and versions, never a name, a phone, a picture or an id that is not veiled.

use std::collections::BTreeMap;

use parkdesk_domain::Millis;
use parkdesk_sqlite::{Depth, Finding, Replica};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::App;
use crate::error::{Error, Result};
use crate::link::policy;
use crate::status::{FacesView, PhotoCounts, QueueView, Status};
use crate::sync::{LinkProblem, LinkStatus, SyncPolicy, WatchState};
use crate::words::{self, Lang};

/// A clock that is further off than this is told (protocol, "Behaviour on the network").
pub const CLOCK_OFF_MS: i64 = 2 * 60_000;
/// Lines of the link's log in a bundle.
const LOG_LINES: u32 = 500;

/// What the doctor says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DoctorReport {
    /// This program's version.
    pub version: String,
    /// When, by this appliance's clock.
    #[schema(value_type = i64)]
    pub at_ms: Millis,
    /// Whether all was examined, or only what takes moments.
    pub thorough: bool,
    /// Nothing is at fault.
    pub is_sound: bool,
    /// What was examined, in order.
    pub findings: Vec<CheckView>,
}

/// What one examination found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CheckView {
    /// A stable code: `pages`, `row_hashes`, `cursors`, `queue`, `shadows`, `unsent`, `files`, `keys`, `typed`, `plans`, `clock`.
    pub check: String,
    /// How many things were looked at.
    pub examined: u64,
    /// How many of them are at fault.
    pub faults: u64,
    /// The first at fault, without its id.
    pub first: Option<String>,
    /// What was looked at, in Russian.
    pub what_ru: String,
    /// The same in English.
    pub what_en: String,
    /// What to do about faults, in Russian; none if there are none.
    pub advice_ru: Option<String>,
    /// The same in English.
    pub advice_en: Option<String>,
}

/// How much to examine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct DoctorWish {
    /// Read every file and make all tables anew for comparison; nothing can be saved for a while.
    #[serde(default)]
    pub thorough: bool,
}

/// What may be sent to somebody who helps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SupportBundle {
    /// The doctor's report.
    pub report: DoctorReport,
    /// Where the link stands.
    pub link: LinkStatus,
    /// What a person wants of the link.
    pub policy: SyncPolicy,
    /// What waits.
    pub queue: QueueView,
    /// Photos, counted.
    pub photos: PhotoCounts,
    /// Pictures in the tray.
    pub unassigned: u64,
    /// Things a person must settle, by kind and reason.
    pub needs_attention: Vec<Counted>,
    /// Rows, by kind.
    pub rows: Vec<Counted>,
    /// How far each kind of scope is; parks are numbered.
    pub scopes: Vec<ScopeView>,
    /// The face program.
    pub faces: FacesView,
    /// The watched folder's state, not its name.
    pub watch: Option<WatchState>,
    /// The newest lines of the link's log.
    pub log: Vec<LogLine>,
}

/// Something counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Counted {
    /// A code.
    pub what: String,
    /// How many.
    pub count: u64,
}

/// How far a scope is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ScopeView {
    /// Its kind, without ids.
    pub scope: String,
    /// Its epoch.
    pub epoch: u64,
    /// Its version.
    pub version: u64,
}

/// A line of the link's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogLine {
    /// When, by this appliance's clock.
    #[schema(value_type = i64)]
    pub at_ms: Millis,
    /// A code.
    pub event: String,
    /// Figures and codes.
    pub detail: String,
}

/// Examines a replica; `clock_offset_ms` is the hub's clock minus this one's, if it is known.
///
/// # Errors
/// If the replica cannot be read at all.
pub fn examine(replica: &Replica, now: Millis, wish: DoctorWish, clock_offset_ms: Option<i64>) -> Result<DoctorReport> {
    let depth = if wish.thorough { Depth::Thorough } else { Depth::Quick };
    let mut findings: Vec<CheckView> = replica.examine(depth)?.into_iter().map(view).collect();
    if let Some(offset) = clock_offset_ms {
        findings.push(clock(offset));
    }
    Ok(DoctorReport {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        at_ms: now,
        thorough: wish.thorough,
        is_sound: findings.iter().all(|finding| finding.faults == 0),
        findings,
    })
}

fn view(finding: Finding) -> CheckView {
    let code = serde_json::to_value(finding.check).ok().and_then(|code| code.as_str().map(str::to_owned));
    let has_faults = finding.faults > 0;
    let advice = |lang| has_faults.then(|| words::doctor::advice(finding.check, lang).to_owned());
    CheckView {
        check: code.unwrap_or_default(),
        examined: finding.examined,
        faults: finding.faults,
        what_ru: words::doctor::check(finding.check, Lang::Ru).to_owned(),
        what_en: words::doctor::check(finding.check, Lang::En).to_owned(),
        advice_ru: advice(Lang::Ru),
        advice_en: advice(Lang::En),
        first: finding.first,
    }
}

fn clock(offset_ms: i64) -> CheckView {
    let is_off = offset_ms.abs() > CLOCK_OFF_MS;
    let advice = |lang| is_off.then(|| words::doctor::clock_advice(lang).to_owned());
    CheckView {
        check: "clock".into(),
        examined: 1,
        faults: u64::from(is_off),
        first: is_off.then(|| format!("{offset_ms} ms")),
        what_ru: words::doctor::clock(Lang::Ru).to_owned(),
        what_en: words::doctor::clock(Lang::En).to_owned(),
        advice_ru: advice(Lang::Ru),
        advice_en: advice(Lang::En),
    }
}

impl App {
    /// Examines this appliance.
    ///
    /// # Errors
    /// If the replica cannot be read at all.
    pub fn doctor(&self, wish: DoctorWish) -> Result<DoctorReport> {
        examine(self.replica(), self.now(), wish, self.link_status()?.clock_offset_ms)
    }

    /// What may be sent to somebody who helps: no personal data.
    ///
    /// # Errors
    /// If the replica cannot be read at all.
    pub fn support_bundle(&self) -> Result<SupportBundle> {
        let report = self.doctor(DoctorWish { thorough: false })?;
        let Status { photos, queue, unassigned, link, faces, watch, .. } = self.status()?;
        self.replica().read(|tx| {
            let mut kinds = BTreeMap::<String, u64>::new();
            for entry in tx.needs_attention()? {
                let reason = entry.refusal.map_or_else(String::new, |refusal| format!(" {}", refusal.code.as_str()));
                *kinds.entry(format!("{:?}{reason}", entry.kind)).or_default() += 1;
            }
            let counted = |(what, count): (String, u64)| Counted { what, count };
            let scopes = tx.cursors()?.into_iter().enumerate().map(|(n, cursor)| ScopeView {
                scope: veiled(&cursor.id.to_string(), n),
                epoch: cursor.epoch,
                version: cursor.version,
            });
            let log = tx.sync_log(LOG_LINES)?;
            Ok::<_, Error>(SupportBundle {
                report,
                // Sentences may name a folder or an address: the code says enough.
                link: LinkStatus {
                    last_problem: link.last_problem.map(|problem| LinkProblem { message: String::new(), ..problem }),
                    ..link
                },
                policy: policy(tx)?,
                queue,
                photos,
                unassigned,
                needs_attention: kinds.into_iter().map(counted).collect(),
                rows: tx.count_rows()?.into_iter().map(counted).collect(),
                scopes: scopes.collect(),
                faces: FacesView { problem: faces.problem.map(|_| "told on the appliance".to_owned()), ..faces },
                watch: watch.map(|watch| watch.state),
                log: log
                    .into_iter()
                    .map(|line| LogLine { at_ms: line.at_ms, event: line.event, detail: line.detail })
                    .collect(),
            })
        })
    }
}

/// The scope's kind with a number in place of ids.
fn veiled(scope: &str, n: usize) -> String {
    let mut parts: Vec<&str> = scope.split('/').collect();
    let number = n.to_string();
    if let Some(id) = parts.get_mut(1) {
        *id = &number;
    }
    parts.join("/")
}
