//! What goes wrong on purpose, and when.

use parkdesk_domain::Millis;
use parkdesk_domain::rights::Role;
use parkdesk_domain::wire::EnrolRequest;
use parkdesk_hub::admin;

use crate::appliance::Appliance;
use crate::dice::Dice;
use crate::disk::Fault;
use crate::work;
use crate::world::{Backup, Happening, World};

/// With clones.
const MOST_APPLIANCES: usize = 4;
/// A month.
const MONTH_MS: u64 = 30 * 24 * 3_600_000;

/// Something that goes wrong.
#[derive(Debug, Clone)]
pub(crate) enum Mishap {
    /// An appliance loses its power, between two steps.
    Death { who: usize },
    /// An appliance loses its power at a call of its disk.
    DeathAtCall { who: usize, after: u64 },
    /// A call of an appliance's disk fails.
    BadCall { who: usize, after: u64 },
    /// Somebody else holds a lock for a while.
    Busy { who: usize, after: u64, times: u32 },
    /// An appliance's disk is full for a while.
    Full { who: usize, for_ms: u64 },
    /// There is room again.
    Room { who: usize },
    /// An appliance has no network for a while.
    CutOff { who: usize, for_ms: u64 },
    /// An appliance is behind a captive portal for a while.
    Portal { who: usize, for_ms: u64 },
    /// An appliance's clock jumps.
    ClockJump { who: usize, by_ms: i64 },
    /// A person asks to sync now.
    Hurry { who: usize },
    /// The hub loses its power.
    HubDeath,
    /// The hub loses its power at a call of its disk.
    HubDeathAtCall { after: u64 },
    /// A call of the hub's disk fails.
    HubBadCall { after: u64 },
    /// The hub's disk is full for a while.
    HubFull { for_ms: u64 },
    /// There is room again.
    HubRoom,
    /// Somebody copies an appliance's disk.
    Image { who: usize },
    /// The copy is put back, and the appliance goes on from there.
    ImageBack { who: usize },
    /// The copy is put into another machine, which runs beside the first.
    Clone { who: usize },
    /// The hub's store is backed up.
    HubBackup,
    /// The hub goes back to its backup: the last commits are lost.
    HubRestored,
    /// An appliance is enrolled anew and reads other scopes.
    Flip { who: usize, areas: &'static [&'static str] },
}

/// What an appliance may read after a flip; without any, all that its role reads.
const AREAS: [&[&str]; 4] = [&[], &[], &["directory", "photos"], &["directory", "fleet", "staff"]];

/// Kinds of mishaps; from the second number on they are disasters, after which people must act.
const KINDS: (u64, u64) = (13, 17);

/// The plan of a rough time.
pub(crate) fn plan(dice: &mut Dice, appliances: usize, rough_ms: u64, has_disasters: bool) -> Vec<(u64, Mishap)> {
    let most = if has_disasters { KINDS.1 } else { KINDS.0 };
    let kinds: Vec<u64> = (0..most).filter(|_| dice.often(500)).collect();
    let mut plan = Vec::new();
    for _ in 0..dice.between(2, 14) {
        let Some(kind) = dice.pick(&kinds).copied() else { break };
        let who = usize::try_from(dice.below(appliances as u64)).unwrap_or(0);
        let after = dice.below(60);
        let for_ms = dice.between(1_000, rough_ms / 2);
        let mishap = match kind {
            0 => Mishap::Death { who },
            1 => Mishap::DeathAtCall { who, after },
            2 => Mishap::BadCall { who, after },
            3 => Mishap::Busy { who, after, times: u32::try_from(dice.between(1, 200)).unwrap_or(1) },
            4 => Mishap::Full { who, for_ms },
            5 => Mishap::CutOff { who, for_ms },
            6 => Mishap::Portal { who, for_ms },
            7 => {
                let by_ms = i64::try_from(dice.below(2 * MONTH_MS)).unwrap_or(0);
                Mishap::ClockJump { who, by_ms: by_ms - i64::try_from(MONTH_MS).unwrap_or(0) }
            }
            8 => Mishap::HubDeath,
            9 => Mishap::HubDeathAtCall { after },
            10 => Mishap::HubBadCall { after },
            11 => Mishap::HubFull { for_ms },
            12 => Mishap::Hurry { who },
            13 | 14 => {
                // A copy of some time ago is what comes back.
                let (first, later) = (dice.below(rough_ms), dice.below(rough_ms));
                let back = if kind == 13 { Mishap::ImageBack { who } } else { Mishap::Clone { who } };
                plan.push((first.min(later), Mishap::Image { who }));
                plan.push((first.max(later), back));
                continue;
            }
            15 => {
                let (first, later) = (dice.below(rough_ms), dice.below(rough_ms));
                plan.push((first.min(later), Mishap::HubBackup));
                plan.push((first.max(later), Mishap::HubRestored));
                continue;
            }
            _ => Mishap::Flip { who, areas: dice.pick(&AREAS).copied().unwrap_or_default() },
        };
        plan.push((dice.below(rough_ms), mishap));
    }
    plan
}

impl World {
    /// Lets it happen.
    pub(crate) fn befall(&mut self, mishap: Mishap) {
        self.tell(&format!("{mishap:?}"));
        let now_ms = self.now_ms;
        match mishap {
            Mishap::Death { who } => self.kill(who),
            Mishap::DeathAtCall { who, after } => self.disk_plan(who, after, Fault::Death),
            Mishap::BadCall { who, after } => self.disk_plan(who, after, Fault::Io),
            Mishap::Busy { who, after, times } => self.disk_plan(who, after, Fault::Busy(times)),
            Mishap::Full { who, for_ms } => {
                if let Some(appliance) = self.appliances.get(who) {
                    appliance.disk.set_full(true);
                }
                self.at(for_ms, Happening::Mishap(Mishap::Room { who }));
            }
            Mishap::Room { who } => {
                if let Some(appliance) = self.appliances.get(who) {
                    appliance.disk.set_full(false);
                }
            }
            Mishap::CutOff { who, for_ms } => {
                if let Some(appliance) = self.appliances.get_mut(who) {
                    appliance.cut_off_until_ms = now_ms + for_ms;
                }
            }
            Mishap::Portal { who, for_ms } => {
                if let Some(appliance) = self.appliances.get_mut(who) {
                    appliance.portal_until_ms = now_ms + for_ms;
                }
            }
            Mishap::ClockJump { who, by_ms } => {
                if let Some(appliance) = self.appliances.get_mut(who) {
                    appliance.clock_off_ms += by_ms;
                }
            }
            Mishap::Hurry { who } => {
                use parkdesk_sync_agent::engine::Event;
                use parkdesk_sync_agent::session::Input;
                self.step(who, Input::Event(Event::SyncNow));
            }
            Mishap::HubDeath => self.kill_hub(),
            Mishap::HubDeathAtCall { after } => self.hub.disk.plan(after, Fault::Death),
            Mishap::HubBadCall { after } => self.hub.disk.plan(after, Fault::Io),
            Mishap::HubFull { for_ms } => {
                self.hub.disk.set_full(true);
                self.at(for_ms, Happening::Mishap(Mishap::HubRoom));
            }
            Mishap::HubRoom => self.hub.disk.set_full(false),
            Mishap::Image { who } => {
                if let Some(appliance) = self.appliances.get_mut(who) {
                    appliance.image = Some(appliance.snapshot());
                }
            }
            Mishap::ImageBack { who } => {
                self.put_image_back(who);
                // It may be an image of a device that the hub does not know any more.
                let token = self.appliances.get(who).map(|appliance| appliance.token.clone()).unwrap_or_default();
                let now = self.hub_now();
                if self.hub.on.is_some() && self.hub.recognise(now, &token).is_err() {
                    self.flip(who, &[]);
                }
            }
            Mishap::Clone { who } => self.clone_appliance(who),
            Mishap::HubBackup => {
                self.backup = Some(Backup { disk: self.hub.disk.image(), books: self.hub.books.clone() });
            }
            Mishap::HubRestored => self.restore_hub(),
            Mishap::Flip { who, areas } => self.flip(who, areas),
        }
    }

    fn put_image_back(&mut self, who: usize) {
        let Some(appliance) = self.appliances.get_mut(who) else { return };
        let Some(image) = appliance.image.clone() else { return };
        if appliance.on.is_some() {
            appliance.die();
            self.queue_boot(who);
        }
        let judged = &self.hub.books.judged;
        let Some(appliance) = self.appliances.get_mut(who) else { return };
        appliance.disk.put_back(&image.disk, |_| true);
        (appliance.device, appliance.token) = (image.device, image.token);
        // What only the lost disk knew is lost with it.
        let before = appliance.saved.len();
        let mut n = 0;
        appliance.saved.retain(|saved| {
            n += 1;
            n <= image.saved || judged.contains_key(&saved.id)
        });
        self.has_lost_wishes |= appliance.saved.len() < before;
        for saved in appliance.saved.iter_mut().skip(image.saved) {
            // Files are sent by whoever made them.
            saved.files.clear();
            saved.is_only_at_hub = true;
        }
        appliance.cursors.clear();
    }

    fn clone_appliance(&mut self, who: usize) {
        let n = self.appliances.len();
        let Some(appliance) = self.appliances.get(who).filter(|_| n < MOST_APPLIANCES) else { return };
        let Some(image) = appliance.image.clone() else { return };
        let mut clone = Appliance::new(n, self.dice.split("clone"), image.device, image.token);
        clone.disk.put_back(&image.disk, |_| true);
        clone.clock_off_ms = appliance.clock_off_ms;
        self.appliances.push(clone);
        self.boot(n);
        self.let_in_if_unknown(n);
        for _ in 0..self.dice.between(1, 4) {
            let after_ms = self.dice.below(self.calm_at_ms.saturating_sub(self.now_ms) + 1);
            self.at(after_ms, Happening::Person { who: n });
        }
    }

    fn restore_hub(&mut self) {
        let Some(backup) = self.backup.take() else { return };
        self.kill_hub();
        self.hub.disk.heal();
        self.hub.disk.put_back(&backup.disk, |path| path.to_string_lossy().starts_with("/hub/hub.db"));
        let wrong = std::mem::take(&mut self.hub.books.wrong);
        self.hub.books = backup.books;
        let judged = &self.hub.books.judged;
        for appliance in &mut self.appliances {
            let before = appliance.saved.len();
            appliance.saved.retain(|saved| !saved.is_only_at_hub || judged.contains_key(&saved.id));
            self.has_lost_wishes |= appliance.saved.len() < before;
        }
        self.hub.books.wrong.extend(wrong);
        self.boot_hub();
        let now = self.hub_now();
        if let Err(error) = self.hub.administer(now, admin::Request::Restored) {
            self.accuse(format!("the hub's administrator cannot begin a new epoch: {error}"));
        }
        for who in 0..self.appliances.len() {
            self.let_in_if_unknown(who);
        }
    }

    /// Whom the hub does not know any more, people let in again.
    fn let_in_if_unknown(&mut self, who: usize) {
        let now = self.hub_now();
        let token = self.appliances.get(who).map(|appliance| appliance.token.clone()).unwrap_or_default();
        if self.hub.recognise(now, &token).is_err() {
            self.flip(who, &[]);
        }
    }

    /// The administrator lets an appliance in anew; it reads other scopes from then on.
    fn flip(&mut self, who: usize, areas: &[&str]) {
        let Some(was) = self.appliances.get(who).map(|appliance| appliance.device.clone()) else { return };
        let Some((device, token)) = self.enrol(areas, Some(was)) else { return };
        let Some(appliance) = self.appliances.get_mut(who) else { return };
        (appliance.device, appliance.token) = (device, token);
        self.kill(who);
    }

    /// A new device of the hub; none if the hub cannot now.
    pub(crate) fn enrol(
        &mut self,
        areas: &[&str],
        was: Option<parkdesk_domain::DeviceId>,
    ) -> Option<(parkdesk_domain::DeviceId, String)> {
        let now = self.hub_now();
        let areas = areas.iter().map(|area| (*area).to_owned()).collect();
        let code = admin::Request::EnrolCode { role: Role::Admin, park: work::park(), areas, minutes: 10 };
        let enrolled = self.hub.administer(now, code).ok().and_then(|(answer, _)| self.enrol_with(now, answer, was));
        if self.hub.disk.is_dead() {
            self.kill_hub();
            return None;
        }
        enrolled
    }

    fn enrol_with(
        &mut self,
        now: Millis,
        answer: admin::Answer,
        was: Option<parkdesk_domain::DeviceId>,
    ) -> Option<(parkdesk_domain::DeviceId, String)> {
        let admin::Answer::Code(view) = answer else { return None };
        let request = format!("r{:x}", self.dice.roll()).parse().expect("BUG: a number is an id");
        let request = EnrolRequest { code: view.code, request, name: "Фотоцентр".into(), was };
        let body = serde_json::to_vec(&request).expect("BUG: wire shapes serialise");
        let answer = self.hub.enrol(now, &body).ok()?;
        Some((answer.device, answer.token))
    }

    fn disk_plan(&mut self, who: usize, after: u64, fault: Fault) {
        if let Some(appliance) = self.appliances.get(who) {
            appliance.disk.plan(after, fault);
        }
    }
}
