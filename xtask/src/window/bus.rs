//! What a desktop has on its session bus besides the programs: a tray and somebody who shows notifications. They take what
//! they are given and let a case look at it and click on it, as a person does.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use zbus::blocking::Connection;
use zbus::blocking::connection::Builder;
use zbus::message::Header;
use zbus::zvariant::{OwnedObjectPath, OwnedValue, Value};

use crate::fleet::wait;

const ITEM: &str = "org.kde.StatusNotifierItem";
const MENU: &str = "com.canonical.dbusmenu";
const NOTIFICATIONS: &str = "/org/freedesktop/Notifications";

/// The desktop's side of the bus.
pub(super) struct Bus {
    connection: Connection,
    seen: Seen,
}

/// What programs asked the desktop for.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Asked>>);

#[derive(Default)]
struct Asked {
    /// Program and path of each icon.
    icons: Vec<(String, String)>,
    /// Bodies of the notifications; an id is a place, from one.
    told: Vec<String>,
}

impl Seen {
    fn with<T>(&self, look: impl FnOnce(&mut Asked) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

struct Watcher(Seen);

#[zbus::interface(name = "org.kde.StatusNotifierWatcher")]
impl Watcher {
    fn register_status_notifier_item(&self, service: &str, #[zbus(header)] header: Header<'_>) {
        let sender = header.sender().map(ToString::to_string).unwrap_or_default();
        self.0.with(|asked| asked.icons.push((sender, service.to_owned())));
    }

    #[zbus(property)]
    fn is_status_notifier_host_registered(&self) -> bool {
        true
    }

    #[zbus(property)]
    fn protocol_version(&self) -> i32 {
        0
    }
}

struct Notifications(Seen);

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Notifications {
    #[allow(clippy::too_many_arguments, reason = "the desktop's specification has as many")]
    fn notify(
        &self,
        _app: &str,
        _replaces: u32,
        _icon: &str,
        summary: &str,
        body: &str,
        _actions: Vec<String>,
        _hints: HashMap<String, OwnedValue>,
        _expire: i32,
    ) -> u32 {
        self.0.with(|asked| {
            asked.told.push(format!("{summary}: {body}"));
            u32::try_from(asked.told.len()).unwrap_or(u32::MAX)
        })
    }

    fn close_notification(&self, _id: u32) {}

    fn get_capabilities(&self) -> Vec<&'static str> {
        vec!["body", "actions"]
    }

    fn get_server_information(&self) -> (&'static str, &'static str, &'static str, &'static str) {
        ("test", "Parkdesk", "1", "1.2")
    }
}

/// An entry of a menu.
#[derive(Debug)]
pub(super) struct Entry {
    id: i32,
    pub(super) label: String,
    pub(super) is_enabled: bool,
}

/// Id, properties, entries below, as the menu's protocol has them.
type Layout = (i32, HashMap<String, OwnedValue>, Vec<OwnedValue>);

impl Bus {
    /// Takes its names on the bus at this address.
    pub(super) fn start(address: &str) -> Result<Self> {
        let seen = Seen::default();
        let connection = Builder::address(address)?
            .serve_at("/StatusNotifierWatcher", Watcher(seen.clone()))?
            .serve_at(NOTIFICATIONS, Notifications(seen.clone()))?
            .name("org.kde.StatusNotifierWatcher")?
            .name("org.freedesktop.Notifications")?
            .build()
            .context("the session bus does not take the desktop's services")?;
        Ok(Self { connection, seen })
    }

    /// The entries of the tray's menu, without lines.
    pub(super) fn menu(&self) -> Result<Vec<Entry>> {
        let (program, menu) = self.icon()?;
        let none: &[&str] = &[];
        let body = (0_i32, -1_i32, none);
        let answer = self.connection.call_method(Some(&*program), &*menu, Some(MENU), "GetLayout", &body)?;
        let (_, (_, _, entries)): (u32, Layout) = answer.body().deserialize()?;
        let entry = |value: OwnedValue| -> Result<Option<Entry>> {
            let (id, mut properties, _) = Layout::try_from(value)?;
            let label = properties.remove("label").map(String::try_from).transpose()?;
            let is_enabled = properties.remove("enabled").map(bool::try_from).transpose()?.unwrap_or(true);
            Ok(label.map(|label| Entry { id, label, is_enabled }))
        };
        entries.into_iter().filter_map(|value| entry(value).transpose()).collect()
    }

    /// Clicks on the entry of the tray's menu once it can be clicked on.
    pub(super) fn click(&self, label: &str) -> Result<()> {
        let id = wait(&format!("the tray's entry {label:?}"), 20, || {
            let menu = self.menu()?;
            Ok(menu.into_iter().find(|entry| entry.label == label && entry.is_enabled).map(|entry| entry.id))
        })?;
        let (program, menu) = self.icon()?;
        let body = (id, "clicked", Value::from(0_i32), 0_u32);
        self.connection.call_method(Some(&*program), &*menu, Some(MENU), "Event", &body)?;
        Ok(())
    }

    /// What was told by notifications so far.
    pub(super) fn told(&self) -> Vec<String> {
        self.seen.with(|asked| asked.told.clone())
    }

    /// Clicks on the latest notification.
    pub(super) fn click_latest(&self) -> Result<()> {
        let id = u32::try_from(self.told().len())?;
        let name = None::<&str>;
        let body = (id, "default");
        self.connection.emit_signal(name, NOTIFICATIONS, "org.freedesktop.Notifications", "ActionInvoked", &body)?;
        Ok(())
    }

    /// Program and menu of the icon.
    fn icon(&self) -> Result<(String, OwnedObjectPath)> {
        let icon = || Ok(self.seen.with(|asked| asked.icons.last().cloned()));
        let (program, path) = wait("an icon in the tray", 20, icon)?;
        let properties = Some("org.freedesktop.DBus.Properties");
        let answer = self.connection.call_method(Some(&*program), &*path, properties, "Get", &(ITEM, "Menu"))?;
        let menu: OwnedValue = answer.body().deserialize()?;
        Ok((program, OwnedObjectPath::try_from(menu)?))
    }
}
