//! A world: one hub, some appliances, the weather between them, and a queue of what happens when. One thread, virtual
//! time, everything from the seed.
//!
//! A world has a rough part, in which people work and things go wrong, and a calm part, in which nothing does. In the calm
//! part every queue must run empty within [`PATIENCE_MS`]; then the oracle looks ([`crate::oracle`]).

use std::collections::BTreeMap;
use std::rc::Rc;

use parkdesk_domain::{Actor, Millis, RowId, Scope};
use parkdesk_hub::admin;
use parkdesk_sync_agent::codec::Received;
use parkdesk_sync_agent::engine::{Event, Request, Trouble};
use parkdesk_sync_agent::session::{Input, Local};

use crate::appliance::{Appliance, BEGIN_MS};
use crate::dice::Dice;
use crate::hub::{Books, Hub, Parcel};
use crate::mishap::{self, Mishap};
use crate::oracle;
use crate::plant::Plant;
use crate::trace::Trace;
use crate::weather::Weather;
use crate::work::{self, Known, Wish};

mod way;

/// How long after the last fault all queues must be empty.
pub(crate) const PATIENCE_MS: u64 = 45 * 60_000;
/// How often it is looked whether they are.
const LOOK_MS: u64 = 15_000;

/// Which world.
#[derive(Debug, Clone, Copy, Default)]
pub struct Settings {
    /// The seed.
    pub seed: u64,
    /// A planted bug.
    pub plant: Option<Plant>,
    /// Also disasters: disks put back and cloned, the hub restored from a backup, appliances enrolled anew.
    pub has_disasters: bool,
    /// Tells every line.
    pub is_loud: bool,
}

/// How it went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// Of the trace.
    pub hash: String,
    /// What must never be and was; empty if all is well.
    pub wrong: Vec<String>,
    /// Virtual time.
    pub took_ms: u64,
    /// Lines of the trace.
    pub lines: u64,
    /// Commands that people were told are saved.
    pub saved: usize,
    /// Things that went wrong on purpose.
    pub mishaps: usize,
}

#[derive(Debug, Clone)]
pub(crate) enum Happening {
    Wake { who: usize, wake: u64 },
    Person { who: usize },
    Boot { who: usize },
    BootHub,
    AtHub { flight: u64, parcel: Rc<Parcel>, is_copy: bool },
    PollOver { flight: u64 },
    Answer { flight: u64, received: Option<Received> },
    Silence { flight: u64 },
    TooLong { flight: u64 },
    Mishap(Mishap),
    Calm,
    Look,
}

struct Flight {
    who: usize,
    life: u64,
    request: Request,
    sent_ms: u64,
    drips: bool,
}

/// Bytes over the link.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Carried {
    pub(crate) files_up: u64,
    pub(crate) files_down: u64,
    pub(crate) pushes: u64,
}

/// The hub as it was, to fall back to.
pub(crate) struct Backup {
    pub(crate) disk: crate::disk::Image,
    pub(crate) books: Books,
}

/// A world.
pub(crate) struct World {
    pub(crate) now_ms: u64,
    pub(crate) hub: Hub,
    pub(crate) appliances: Vec<Appliance>,
    pub(crate) known: Known,
    pub(crate) trace: Trace,
    pub(crate) dice: Dice,
    pub(crate) weather: Weather,
    pub(crate) wrong: Vec<String>,
    pub(crate) carried: Carried,
    pub(crate) backup: Option<Backup>,
    pub(crate) plant: Option<Plant>,
    pub(crate) is_faultless: bool,
    has_disasters: bool,
    pub(crate) mishaps: usize,
    /// Wishes are gone with a disk and with the hub: what they did to files elsewhere cannot be undone.
    pub(crate) has_lost_wishes: bool,
    pub(crate) calm_at_ms: u64,
    queue: BTreeMap<(u64, u64), Happening>,
    turn: u64,
    flights: BTreeMap<u64, Flight>,
    flight: u64,
    is_over: bool,
}

/// Runs a seed once.
#[must_use]
pub fn run(settings: Settings) -> Report {
    let mut world = World::new(settings);
    world.begin();
    while !world.is_over {
        let Some(((at_ms, _), happening)) = world.queue.pop_first() else { break };
        world.now_ms = at_ms;
        world.happen(happening);
    }
    let mut wrong = std::mem::take(&mut world.wrong);
    wrong.append(&mut world.hub.books.wrong);
    wrong.dedup();
    Report {
        seed: settings.seed,
        hash: world.trace.hash(),
        wrong,
        took_ms: world.now_ms,
        lines: world.trace.lines,
        saved: world.appliances.iter().map(|appliance| appliance.saved.len()).sum(),
        mishaps: world.mishaps,
    }
}

/// Runs a seed twice: whatever was not decided by the seed is a bug of the simulator or the product.
#[must_use]
pub fn check(settings: Settings) -> Report {
    let mut report = run(settings);
    let again = run(Settings { is_loud: false, ..settings });
    if again.hash != report.hash {
        report.wrong.push(format!("two runs of the seed differ: {} and {}", report.hash, again.hash));
    }
    report
}

impl World {
    fn new(settings: Settings) -> Self {
        let mut dice = Dice::new(settings.seed);
        let hub = Hub::new(dice.split("hub"), settings.plant);
        Self {
            now_ms: 0,
            hub,
            appliances: Vec::new(),
            known: Known::default(),
            trace: Trace::new(settings.is_loud),
            dice,
            weather: Weather::calm(),
            wrong: Vec::new(),
            carried: Carried::default(),
            backup: None,
            plant: settings.plant,
            is_faultless: settings.seed.is_multiple_of(8),
            has_disasters: settings.has_disasters,
            mishaps: 0,
            has_lost_wishes: false,
            calm_at_ms: 0,
            queue: BTreeMap::new(),
            turn: 0,
            flights: BTreeMap::new(),
            flight: 0,
            is_over: false,
        }
    }

    /// The hub's clock.
    pub(crate) fn hub_now(&self) -> Millis {
        Millis(BEGIN_MS + i64::try_from(self.now_ms).unwrap_or(i64::MAX))
    }

    pub(crate) fn tell(&mut self, line: &str) {
        self.trace.tell(self.now_ms, line);
    }

    pub(crate) fn accuse(&mut self, line: String) {
        self.tell(&format!("WRONG {line}"));
        self.wrong.push(line);
    }

    pub(crate) fn at(&mut self, after_ms: u64, happening: Happening) {
        self.turn += 1;
        self.queue.insert((self.now_ms + after_ms, self.turn), happening);
    }

    fn name(&self, who: usize) -> String {
        self.appliances.get(who).map(|appliance| appliance.name.clone()).unwrap_or_default()
    }

    /// A park with two drivers, enrolled appliances, and a plan of what people do and what goes wrong.
    fn begin(&mut self) {
        let now = self.hub_now();
        self.hub.start(now).expect("BUG: a new hub starts");
        let create = admin::Request::ParkCreate {
            name: "Парк".into(),
            city: "msk".into(),
            id: Some(work::park()),
            faces: parkdesk_domain::body::FacePolicy::Verify,
        };
        self.hub.administer(now, create).expect("BUG: a new hub takes a park");
        let csv = "driver_id,last_name,first_name,licence,plate\nv1,Ёлкин,Пётр,1111,А001АА\nv2,Осин,Лев,2222,А002АА\n";
        let import = admin::Request::DriverImport { park: work::park(), csv: csv.into(), dry_run: false };
        self.hub.administer(now, import).expect("BUG: a new hub takes drivers");
        self.known.drivers.extend(["v1", "v2"].map(|id| id.parse::<RowId>().expect("BUG: a name is an id")));
        for n in 0..self.dice.between(1, 3) {
            let (device, token) = self.enrol(&[], None).expect("BUG: a new hub enrols");
            let dice = self.dice.split("appliance");
            let n = usize::try_from(n).unwrap_or(0);
            let appliance = Appliance::new(n, dice, device, token);
            if self.plant == Some(Plant::DroppedFsync) {
                appliance.disk.forget_flushes();
            }
            self.appliances.push(appliance);
            self.boot(n);
        }
        self.plan();
    }

    fn plan(&mut self) {
        let rough_ms = self.dice.between(2, 12) * 60_000;
        self.calm_at_ms = rough_ms;
        if !self.is_faultless {
            self.weather = Weather::rough(&mut self.dice);
            for (at_ms, mishap) in mishap::plan(&mut self.dice, self.appliances.len(), rough_ms, self.has_disasters) {
                self.at(at_ms, Happening::Mishap(mishap));
            }
        }
        for who in 0..self.appliances.len() {
            for _ in 0..self.dice.between(4, 14) {
                let at_ms = self.dice.below(rough_ms);
                self.at(at_ms, Happening::Person { who });
            }
        }
        self.at(rough_ms, Happening::Calm);
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Wake { who, wake } => {
                if self.appliances.get(who).is_some_and(|appliance| appliance.wake == wake) {
                    self.step(who, Input::Event(Event::Tick));
                }
            }
            Happening::Person { who } => self.person(who),
            Happening::Boot { who } => self.boot(who),
            Happening::BootHub => self.boot_hub(),
            Happening::AtHub { flight, parcel, is_copy } => self.at_hub(flight, &parcel, is_copy),
            Happening::PollOver { flight } => self.look_at_polls(&[flight]),
            Happening::Answer { flight, received } => self.answered(flight, received),
            Happening::Silence { flight } => {
                // Drops that come now and then are not silence.
                if self.flights.get(&flight).is_some_and(|flight| !flight.drips) {
                    self.answered(flight, None);
                }
            }
            Happening::TooLong { flight } => self.answered(flight, None),
            Happening::Mishap(mishap) => {
                self.mishaps += 1;
                self.befall(mishap);
            }
            Happening::Calm => self.calm(),
            Happening::Look => self.look(),
        }
    }

    /// Starts an appliance; if its disk does not let it, again later, as a supervisor does.
    pub(crate) fn boot(&mut self, who: usize) {
        let (now_ms, plant) = (self.now_ms, self.plant);
        let Some(appliance) = self.appliances.get_mut(who).filter(|appliance| appliance.on.is_none()) else { return };
        let started = appliance.start(now_ms, plant);
        let name = appliance.name.clone();
        if started.is_err() || appliance.disk.is_dead() {
            appliance.die();
            self.tell(&format!("{name} does not start"));
            self.at(10_000, Happening::Boot { who });
            return;
        }
        self.tell(&format!("{name} starts"));
        self.watch_cursors(who);
        self.step(who, Input::Event(Event::Tick));
    }

    pub(crate) fn boot_hub(&mut self) {
        if self.hub.on.is_some() {
            return;
        }
        let now = self.hub_now();
        self.hub.disk.set_time(now.0);
        let started = self.hub.start(now);
        if started.is_err() || self.hub.disk.is_dead() {
            self.hub.die();
            self.tell("hub does not start");
            self.at(10_000, Happening::BootHub);
            return;
        }
        self.tell("hub starts");
    }

    /// An appliance's machine dies now and is started again later.
    pub(crate) fn kill(&mut self, who: usize) {
        let after_ms = self.dice.between(500, 60_000);
        let Some(appliance) = self.appliances.get_mut(who).filter(|appliance| appliance.on.is_some()) else { return };
        appliance.die();
        let name = appliance.name.clone();
        self.tell(&format!("{name} dies"));
        self.at(after_ms, Happening::Boot { who });
    }

    pub(crate) fn queue_boot(&mut self, who: usize) {
        let after_ms = self.dice.between(500, 60_000);
        self.at(after_ms, Happening::Boot { who });
    }

    pub(crate) fn kill_hub(&mut self) {
        if self.hub.on.is_none() {
            return;
        }
        let waiting: Vec<u64> = self.hub.waiting.keys().copied().collect();
        self.hub.die();
        self.tell("hub dies");
        // Connections are closed by whoever still runs there.
        for flight in waiting {
            self.at(10, Happening::Answer { flight, received: None });
        }
        let after_ms = self.dice.between(500, 60_000);
        self.at(after_ms, Happening::BootHub);
    }

    fn person(&mut self, who: usize) {
        let now_ms = self.now_ms;
        let Some(appliance) = self.appliances.get_mut(who) else { return };
        let Some(on) = &appliance.on else { return };
        let now = appliance.wall(now_ms);
        let actor = Actor::Device(appliance.device.clone());
        let wish = work::wish(&on.replica, &mut appliance.dice, now, &actor, &mut self.known);
        let is_dead = appliance.disk.is_dead();
        let name = appliance.name.clone();
        match wish {
            Wish::Saved(saved) => {
                appliance.saved.push(saved.clone());
                self.tell(&format!("{name} saved {} {}", saved.kind, saved.id));
            }
            Wish::Refused(kind, why) => self.tell(&format!("{name} refused {kind}: {why}")),
            Wish::Nothing => {}
        }
        if is_dead {
            return self.kill(who);
        }
        self.step(who, Input::Event(Event::LocalChange));
    }

    /// One step of an appliance's session.
    pub(crate) fn step(&mut self, who: usize, input: Input) {
        let now_ms = self.now_ms;
        let is_edge_triggered = self.plant == Some(Plant::EdgeTriggered);
        let Some(appliance) = self.appliances.get_mut(who) else { return };
        let (now, dice) = (appliance.now(now_ms), appliance.dice.roll());
        appliance.disk.set_time(now.wall.0);
        let Some(on) = &mut appliance.on else { return };
        let turn = on.session.step(now, dice, input);
        if appliance.disk.is_dead() {
            return self.kill(who);
        }
        appliance.wake += 1;
        let (wake, booted_ms, name) = (appliance.wake, appliance.booted_ms, appliance.name.clone());
        for trouble in &turn.troubles {
            // The remedy that the program names: a person has it enrolled anew.
            if *trouble == Trouble::ClonedAgain {
                self.at(60_000, Happening::Mishap(Mishap::Flip { who, areas: &[] }));
            }
        }
        for error in &turn.errors {
            self.trace.tell(now_ms, &format!("{name} error {error}"));
        }
        for trouble in &turn.troubles {
            self.trace.tell(now_ms, &format!("{name} trouble {trouble:?}"));
        }
        self.watch_cursors(who);
        for order in turn.orders {
            self.send(who, order);
        }
        if !is_edge_triggered {
            let after_ms = (booted_ms + turn.wake_at_ms).saturating_sub(now_ms);
            self.at(after_ms, Happening::Wake { who, wake });
        }
    }

    /// No cursor goes back, but where the hub itself began anew.
    fn watch_cursors(&mut self, who: usize) {
        let Some(appliance) = self.appliances.get_mut(who) else { return };
        let Some(on) = &appliance.on else { return };
        let Ok(cursors) = on.replica.cursors() else { return };
        let mut now: BTreeMap<Scope, (u64, u64)> = BTreeMap::new();
        let (mut back, mut moved) = (Vec::new(), Vec::new());
        for cursor in cursors {
            let before = appliance.cursors.get(&cursor.id).copied().unwrap_or_default();
            let at = (cursor.epoch, cursor.version);
            if at < before && !(cursor.version == 0 && cursor.epoch > before.0) {
                back.push(format!("{}: the cursor of {} went from {before:?} to {at:?}", appliance.name, cursor.id));
            }
            if at != before {
                moved.push(format!("{} {} {}/{}", appliance.name, cursor.id, at.0, at.1));
            }
            now.insert(cursor.id, at);
        }
        appliance.cursors = now;
        for line in moved {
            self.tell(&line);
        }
        for line in back {
            self.accuse(line);
        }
    }

    /// From here on nothing goes wrong any more.
    fn calm(&mut self) {
        self.tell("calm");
        self.calm_at_ms = self.now_ms;
        self.weather = Weather::calm();
        self.hub.disk.heal();
        for appliance in &mut self.appliances {
            appliance.disk.heal();
            (appliance.cut_off_until_ms, appliance.portal_until_ms) = (0, 0);
        }
        for who in 0..self.appliances.len() {
            self.boot(who);
        }
        self.boot_hub();
        self.at(LOOK_MS, Happening::Look);
    }

    fn look(&mut self) {
        let restless = oracle::restless(self);
        let is_late = self.now_ms > self.calm_at_ms + PATIENCE_MS;
        if !restless.is_empty() && !is_late {
            return self.at(LOOK_MS, Happening::Look);
        }
        for line in restless {
            self.accuse(format!("not quiet {} min after the last fault: {line}", PATIENCE_MS / 60_000));
        }
        oracle::look(self);
        let quiet_after = self.now_ms - self.calm_at_ms;
        self.tell(&format!("over, quiet after {quiet_after} ms"));
        self.is_over = true;
    }
}
