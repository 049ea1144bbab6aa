//! Follows the appliance for the tray and the notifications: one long poll, one glance per change.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use parkdesk_app::words::Lang;
use serde::Deserialize;
use tauri::{AppHandle, Manager, Wry};

use crate::socket::Socket;
use crate::window::MAIN;
use crate::{notify, tray};

/// Between two tries to reach an appliance that does not answer.
const AGAIN: Duration = Duration::from_secs(2);

/// What was last seen.
pub(crate) struct News {
    session: Lang,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    lang: Option<Lang>,
    attention: Option<u64>,
}

/// Where the appliance stands, as far as the tray says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Glance {
    pub(crate) link: Link,
    pub(crate) attention: u64,
}

/// Where the link stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Link {
    /// The appliance does not answer.
    #[serde(skip)]
    Unreachable,
    #[serde(rename = "not_enrolled")]
    NotSetUp,
    Starting,
    Online,
    Offline,
    Paused,
    Revoked,
}

#[derive(Deserialize)]
struct Status {
    needs_attention: u64,
    link: LinkView,
}

#[derive(Deserialize)]
struct LinkView {
    state: Link,
}

#[derive(Deserialize)]
struct Installation {
    state: State,
    lang: Language,
}

#[derive(Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum State {
    New,
    NoKey,
    Unreadable,
    Ready,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Language {
    Ru,
    En,
}

#[derive(Deserialize)]
struct Changes {
    next: i64,
}

impl News {
    /// Before anything was seen; texts are in the session's language.
    pub(crate) fn new(session: Lang) -> Self {
        Self { session, seen: Mutex::default() }
    }

    /// The language of the window's own texts.
    pub(crate) fn lang(&self) -> Lang {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).lang.unwrap_or(self.session)
    }
}

/// Follows until the program ends.
pub(crate) async fn run_follow(app: AppHandle<Wry>, socket: Socket) {
    let mut after = 0;
    loop {
        look(&app, &socket).await;
        match socket.get::<Changes>(&format!("/api/v1/changes?after={after}&wait_ms=25000")).await {
            Some(changes) => after = changes.next,
            None => {
                after = 0;
                tokio::time::sleep(AGAIN).await;
            }
        }
    }
}

/// Looks once and shows what there is.
pub(crate) async fn look(app: &AppHandle<Wry>, socket: &Socket) {
    let installation = socket.get::<Installation>("/api/v1/installation").await;
    let status = match installation.as_ref().map(|i| &i.state) {
        Some(State::Ready) => socket.get::<Status>("/api/v1/status").await,
        Some(State::New | State::NoKey | State::Unreadable) | None => None,
    };
    let glance = match (&installation, &status) {
        (_, Some(status)) => Glance { link: status.link.state, attention: status.needs_attention },
        (Some(_), None) => Glance { link: Link::NotSetUp, attention: 0 },
        (None, None) => Glance { link: Link::Unreachable, attention: 0 },
    };
    let news = app.state::<News>();
    let is_watched = app
        .get_webview_window(MAIN)
        .is_some_and(|window| window.is_visible().unwrap_or(false) && window.is_focused().unwrap_or(false));
    let tell = {
        let mut seen = news.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.lang = installation.map(|i| i.lang.into()).or(seen.lang);
        let before = seen.attention;
        if status.is_some() {
            seen.attention = Some(glance.attention);
        }
        status.is_some() && is_worth_telling(before, glance.attention, is_watched)
    };
    tray::update(app, news.lang(), &glance);
    if tell {
        notify::tell_of_attention(app, news.lang(), glance.attention);
    }
}

/// More than before, and nobody looks at the window.
fn is_worth_telling(before: Option<u64>, now: u64, is_watched: bool) -> bool {
    now > before.unwrap_or(0) && !is_watched
}

impl From<Language> for Lang {
    fn from(language: Language) -> Self {
        match language {
            Language::Ru => Self::Ru,
            Language::En => Self::En,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_more_records_are_told_and_only_to_who_does_not_look() {
        assert!(is_worth_telling(None, 1, false));
        assert!(is_worth_telling(Some(1), 2, false));
        assert!(!is_worth_telling(Some(2), 2, false));
        assert!(!is_worth_telling(Some(2), 1, false));
        assert!(!is_worth_telling(None, 0, false));
        assert!(!is_worth_telling(Some(0), 5, true));
    }

    #[test]
    fn every_state_of_the_appliances_link_is_read() {
        use parkdesk_app::sync::{LinkState, LinkStatus};
        let all = [
            (LinkState::Starting, Link::Starting),
            (LinkState::Online, Link::Online),
            (LinkState::Offline, Link::Offline),
            (LinkState::Paused, Link::Paused),
            (LinkState::Revoked, Link::Revoked),
            (LinkState::NotEnrolled, Link::NotSetUp),
        ];
        for (theirs, ours) in all {
            let json = serde_json::to_string(&LinkStatus::new(theirs)).unwrap();
            assert_eq!(serde_json::from_str::<LinkView>(&json).unwrap().state, ours);
        }
    }
}
