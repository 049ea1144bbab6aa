//! Requests and answers on their way between appliances and the hub.

use std::collections::BTreeSet;
use std::rc::Rc;

use parkdesk_domain::Scope;
use parkdesk_sync_agent::codec::Received;
use parkdesk_sync_agent::engine::Request;
use parkdesk_sync_agent::session::{CONNECT_MS, IDLE_MS, Input, Order};

use super::{Flight, Happening, World};
use crate::hub::{Handled, Parcel};
use crate::plant::Plant;
use crate::weather::{Fate, Return, take_for_whole};

impl World {
    pub(super) fn send(&mut self, who: usize, order: Order) {
        let Some(appliance) = self.appliances.get(who) else { return };
        self.flight += 1;
        let flight = self.flight;
        let (life, sent_ms) = (appliance.life, self.now_ms);
        let token = appliance.token.clone();
        let is_cut_off = appliance.cut_off_until_ms > self.now_ms;
        let is_portal = appliance.portal_until_ms > self.now_ms;
        let line = format!("{} > {flight} {:?} {} b", appliance.name, order.request, order.body.len());
        self.tell(&line);
        match &order.request {
            Request::Part { .. } => self.carried.files_up += order.body.len() as u64,
            Request::Push => self.carried.pushes += 1,
            Request::Limits | Request::Pull | Request::Check | Request::Complete { .. } | Request::Fetch { .. } => {}
        }
        let total_ms = order.total_ms();
        let parcel =
            Rc::new(Parcel { token, method: order.method, path: order.path, headers: order.headers, body: order.body });
        self.flights.insert(flight, Flight { who, life, request: order.request, sent_ms, drips: false });
        if is_cut_off {
            return self.at(CONNECT_MS, Happening::Answer { flight, received: None });
        }
        self.at(IDLE_MS, Happening::Silence { flight });
        if self.plant != Some(Plant::NoTotalTimeout) {
            self.at(total_ms, Happening::TooLong { flight });
        }
        match self.weather.there(&mut self.dice, is_portal) {
            Fate::Vanishes => {}
            Fate::Stopped { after_ms, answer } => {
                self.at(after_ms, Happening::Answer { flight, received: Some(answer) });
            }
            Fate::Arrives { after_ms, again_ms } => {
                self.at(after_ms, Happening::AtHub { flight, parcel: Rc::clone(&parcel), is_copy: false });
                if let Some(again_ms) = again_ms {
                    self.at(again_ms, Happening::AtHub { flight, parcel, is_copy: true });
                }
            }
        }
    }

    pub(super) fn at_hub(&mut self, flight: u64, parcel: &Parcel, is_copy: bool) {
        if self.hub.on.is_none() {
            return self.at(10, Happening::Answer { flight, received: None });
        }
        let (now_ms, now) = (self.now_ms, self.hub_now());
        self.hub.disk.set_time(now.0);
        let (handled, touched) = self.hub.handle(now_ms, now, parcel);
        match handled {
            Handled::Died => return self.kill_hub(),
            Handled::Waits(_) if is_copy => {}
            Handled::Waits(waiting) => {
                let after_ms = waiting.until_ms.saturating_sub(now_ms);
                self.hub.waiting.insert(flight, waiting);
                self.at(after_ms, Happening::PollOver { flight });
            }
            Handled::Answer(received) => {
                let line =
                    format!("hub {flight} {} {}{}", parcel.path, received.status, if is_copy { " copy" } else { "" });
                self.tell(&line);
                for said in std::mem::take(&mut self.hub.said) {
                    self.tell(&format!("hub {flight} {said}"));
                }
                if !is_copy {
                    self.go_back(flight, received);
                }
            }
        }
        self.announce(&touched);
    }

    pub(crate) fn announce(&mut self, touched: &BTreeSet<Scope>) {
        let woken = self.hub.woken(touched);
        self.look_at_polls(&woken);
    }

    pub(super) fn look_at_polls(&mut self, flights: &[u64]) {
        let (now_ms, now) = (self.now_ms, self.hub_now());
        for flight in flights {
            let Some(waiting) = self.hub.waiting.get(flight).cloned() else { continue };
            if let Some(received) = self.hub.look_again(now_ms, now, &waiting) {
                self.hub.waiting.remove(flight);
                self.go_back(*flight, received);
            }
        }
    }

    fn go_back(&mut self, flight: u64, received: Received) {
        match self.weather.back(&mut self.dice, received) {
            Return::Vanishes => {}
            Return::Drips => {
                if let Some(flight) = self.flights.get_mut(&flight) {
                    flight.drips = true;
                }
            }
            Return::Arrives { after_ms, mut received } => {
                if self.plant == Some(Plant::PageBeforeTrailer) {
                    received = take_for_whole(received);
                }
                self.at(after_ms, Happening::Answer { flight, received: Some(received) });
            }
        }
    }

    pub(super) fn answered(&mut self, number: u64, received: Option<Received>) {
        let Some(flight) = self.flights.remove(&number) else { return };
        let Some(appliance) = self.appliances.get(flight.who) else { return };
        if appliance.life != flight.life || appliance.on.is_none() {
            return;
        }
        let received = received.map(|mut received| {
            received.took_ms = self.now_ms - flight.sent_ms;
            received
        });
        if matches!(flight.request, Request::Fetch { .. }) {
            self.carried.files_down += received.as_ref().map_or(0, |received| received.body.len() as u64);
        }
        let what = match &received {
            None => "nothing".to_owned(),
            Some(one) => format!("{}{}", one.status, if one.is_cut { " cut" } else { "" }),
        };
        let line = format!("{} < {number} {what}", self.name(flight.who));
        self.tell(&line);
        self.step(flight.who, Input::Answer { request: flight.request, received });
    }
}
